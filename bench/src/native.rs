//! What machine code costs: how long the native compiler takes for functions of several kinds and sizes, from being told that a function is
//! hot to code that runs. Here because a function is only worth compiling if that is short beside what it saves. Must stay
//! true: what is timed is the compiler as it is used, whole, one function at a time; its copies differ in a constant, so nothing can be used twice.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use flin_bytecode::FuncId;
use flin_jit::Jit;
use flin_vm::Program;
use flin_vm::native::{HotCompiler as _, JitOptions, JitPolicy};

/// Copies of a function that are compiled for one figure.
const COPIES: usize = 300;

/// A function to be compiled: `NAME` stands for its name, `NUMBER` for what makes a copy different.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// What it is, in a few words.
    pub what: &'static str,
    /// One declaration, and what calls it.
    pub source: &'static str,
}

/// Functions without a loop, then functions with one.
pub const SAMPLES: &[Sample] = &[
    Sample {
        what: "an expression",
        source: "fn NAME(a: int, b: int) -> int {\n  a * 2 + b + NUMBER\n}\n",
    },
    Sample {
        what: "five lines of floats",
        source: "fn NAME(x: float, y: float) -> float {\n  dx = x * 1.5 - NUMBER\n  dy = y - x / 3.0\n  \
                 square = dx * dx + dy * dy\n  if square < 1.0 { 1.0 / square } else { square }\n}\n",
    },
    Sample {
        what: "eight lines of branches",
        source: "fn NAME(year: int, month: int) -> int {\n  if month == 2 {\n    if year % 4 == 0 && year % 100 != 0 || year % 400 == 0 { 29 } else { 28 }\n  } else if month == 4 || month == 6 || month == 9 || month == 11 {\n    30\n  } else {\n    31 + NUMBER\n  }\n}\n",
    },
    Sample {
        what: "a record made of two",
        source: "fn NAME(a, b) {\n  { x: a.x + b.x * NUMBER, y: a.y + b.y }\n}\nprint(NAME({ x: 1.5, y: 2.5 }, { x: 1.0, y: 2.0 }).x)\n",
    },
    Sample {
        what: "two calls",
        source: "fn NAME(n: int) -> int {\n  if n < 2 { n + NUMBER } else { NAME(n - 1) + NAME(n - 2) }\n}\n",
    },
    Sample {
        what: "a text of parts",
        source: "fn NAME(name: text, count: int) -> text {\n  if count == 1 { \"one {name}\" } else { \"{count + NUMBER} {name}s\" }\n}\n",
    },
    Sample {
        what: "a loop over ints",
        source: "fn NAME(n: int) -> int {\n  sum = 0\n  for i in 0..n {\n    sum += i * i % 7 + NUMBER\n  }\n  sum\n}\n",
    },
    Sample {
        what: "a loop over a list",
        source: "fn NAME(xs: [int]) -> int {\n  best = NUMBER\n  for x in xs {\n    if x > best {\n      best = x\n    }\n  }\n  best\n}\n",
    },
    Sample {
        what: "three nested loops",
        source: "fn NAME(a: [[float]], b: [[float]], n: int) -> float {\n  trace = 0.0\n  for i in 0..n {\n    for j in 0..n {\n      sum = NUMBER + 0.5\n      for k in 0..n {\n        sum += a[i][k] * b[k][j]\n      }\n      trace += sum\n    }\n  }\n  trace\n}\n",
    },
];

/// What compiling a sample took.
#[derive(Clone, Copy, Debug)]
pub struct Price {
    /// Source lines of a copy.
    pub lines: usize,
    /// Operations of a copy.
    pub operations: usize,
    /// Bytes of machine code of a copy.
    pub bytes: u64,
    /// Time of the fastest copy, in microseconds.
    pub least: f64,
    /// Time of the middle copy, in microseconds.
    pub median: f64,
}

impl Sample {
    /// A program of so many copies.
    #[must_use]
    pub fn program(&self, copies: usize) -> String {
        let mut source = String::new();
        for copy in 0..copies {
            let declared = self.source.replace("NAME", &format!("sample_{copy}"));
            let declared = declared.replace("NUMBER", &(1000 + copy).to_string());
            writeln!(source, "{declared}").expect("a text takes all");
        }
        source
    }

    /// Compiles many copies, one after the other.
    ///
    /// # Errors
    /// The copies are no program, a copy has no machine code afterwards, or there is none on this machine.
    pub fn price(&self) -> Result<Price, String> {
        let prepared = Prepared::of(self, COPIES)?;
        let mut times = Vec::with_capacity(COPIES);
        for func in &prepared.copies {
            let start = Instant::now();
            prepared.jit.hot(&prepared.program, *func, None);
            times.push(start.elapsed().as_nanos() as f64 / 1000.0);
        }
        times.sort_by(f64::total_cmp);
        let report = prepared.jit.report();
        if report.functions != prepared.copies.len() as u64 {
            return Err(format!(
                "{}: {} copies are compiled",
                self.what, report.functions
            ));
        }
        let first = prepared.copies[0].index();
        Ok(Price {
            lines: self.source.lines().count(),
            operations: prepared.program.module().functions[first].code.len(),
            bytes: report.code_bytes / report.functions,
            least: times[0],
            median: times[times.len() / 2],
        })
    }
}

/// A program of copies, none of which is compiled yet.
#[derive(Debug)]
pub struct Prepared {
    program: Arc<Program>,
    copies: Vec<FuncId>,
    jit: Jit,
}

impl Prepared {
    /// So many copies of a sample.
    ///
    /// # Errors
    /// They are no program, or there is no machine code on this machine.
    pub fn of(sample: &Sample, copies: usize) -> Result<Prepared, String> {
        let source = sample.program(copies);
        let compiled = flinc::compile("sample.flin", &source);
        let compiled = compiled.map_err(|found| format!("{}: {found:?}", sample.what))?;
        let program = Program::load(compiled.module).map_err(|e| e.to_string())?;
        let functions = program.module().functions.iter().enumerate();
        let copies = functions.filter(|(_, function)| function.name.starts_with("sample_"));
        let copies = copies.map(|(at, _)| FuncId(at as u32)).collect();
        let jit = Jit::new(&JitOptions::of(JitPolicy::Sync)).map_err(|e| e.to_string())?;
        Ok(Prepared {
            program,
            copies,
            jit,
        })
    }

    /// Copies of the sample of that name, of which the first is compiled: what is made once per program is there.
    ///
    /// # Panics
    /// If there is none, or no machine code.
    #[must_use]
    pub fn named(what: &str, copies: usize) -> Prepared {
        let sample = SAMPLES.iter().find(|sample| sample.what == what);
        let mut prepared = Prepared::of(sample.expect("a sample"), 1 + copies).expect("a program");
        let first = prepared.copies.remove(0);
        prepared.jit.hot(&prepared.program, first, None);
        prepared
    }

    /// Compiles all copies.
    #[must_use]
    pub fn compile(self) -> Prepared {
        for func in &self.copies {
            self.jit.hot(&self.program, *func, None);
        }
        self
    }
}

/// A table of all samples.
///
/// # Errors
/// As for [`Sample::price`].
pub fn table() -> Result<String, String> {
    let mut table = "| function | lines | operations | bytes of code | µs, median | µs, least |\n|---|---:|---:|---:|---:|---:|\n".to_owned();
    for sample in SAMPLES {
        let price = sample.price()?;
        writeln!(
            table,
            "| {} | {} | {} | {} | {:.0} | {:.0} |",
            sample.what, price.lines, price.operations, price.bytes, price.median, price.least
        )
        .expect("a text takes all");
    }
    Ok(table)
}
