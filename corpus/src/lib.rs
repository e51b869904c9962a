//! Golden programs: one file is one whole test, the single truth of behaviour; and their runner. Here, apart from all
//! other crates, because it may know every one of them and nobody knows it. Must stay true: `run` is the only function
//! that knows how a program is compiled and executed; every program runs under every policy and must always do the same.
//!
//! A program file ends with comment lines that say what happens: `//> a line that is printed`,
//! `//! error Kind at line:col` for an error that nobody catches (printed lines before it stay), or
//! `//? F0123 at line:col` for each diagnostic of a program that does not compile. README.md tells the rest.
#![forbid(unsafe_code)]

pub mod browser;
mod case;
pub mod diagnostics;
mod disk;
mod folded;
mod host;
mod policy;
mod records;
mod served;
pub mod similar;
pub mod untyped;

use std::fmt::Write as _;
use std::sync::Arc;

use flin_bytecode::Module;
use flin_syntax::span::LineIndex;
use flin_vm::{Limits, Program, Trap, Vm};
use flinc::optimise::Passes;

pub use case::{Case, FOLDERS, KERNELS, Setup, StoreFault, files, root};
pub use flin_jit::Plant;
pub use host::MemoryHost;
pub use policy::{Policy, load};
use policy::{Way, salt_of};

/// What became of a program.
#[derive(Debug)]
pub struct Ran {
    /// What happened, as expectation lines.
    pub happened: String,
    /// What else a policy must not change: the whole error with its trace, and all versions of all records.
    pub left: String,
    /// The loaded program, if it compiled.
    pub program: Option<Arc<Program>>,
}

/// Compiles and executes a program; what happened, as expectation lines.
///
/// # Panics
/// If the compiler makes a module that cannot be written, read back and loaded, or the program asks the runner for
/// something unknown.
pub fn run(name: &str, source: &str, policy: Policy) -> String {
    run_program(name, source, policy).happened
}

/// As [`run`], and gives the program that ran.
///
/// # Panics
/// As [`run`].
pub fn run_program(name: &str, source: &str, policy: Policy) -> Ran {
    match compiled(name, source) {
        Ok(module) => run_module(name, source, module, policy),
        Err(happened) => Ran {
            happened,
            left: String::new(),
            program: None,
        },
    }
}

/// Compiles a program, writes the module and reads it back.
///
/// # Errors
/// The expectation lines of a program that does not compile.
///
/// # Panics
/// If the compiler makes a module that cannot be written and read back.
pub fn compiled(name: &str, source: &str) -> Result<Module, String> {
    compiled_with(name, source, Passes::default())
}

/// As [`compiled`], with chosen passes of the optimiser.
///
/// # Errors
/// As [`compiled`].
///
/// # Panics
/// As [`compiled`].
pub fn compiled_with(name: &str, source: &str, passes: Passes) -> Result<Module, String> {
    let compiled = match folded::project(source) {
        Some(project) => flinc::compile_project(&project, passes).map_err(|diagnostics| {
            diagnosed(&diagnostics, |d| {
                let file = &project.sources[d.labels[0].file.0 as usize];
                (format!("{}:", file.name), file.text.as_str())
            })
        }),
        None => flinc::compile_with(name, source, passes)
            .map_err(|diagnostics| diagnosed(&diagnostics, |_| (String::new(), source))),
    }?;
    let bytes = flin_bytecode::fbc::write(&compiled.module);
    let module = flin_bytecode::fbc::read(&bytes)
        .unwrap_or_else(|e| panic!("{name}: cannot be read back: {e}"));
    assert!(
        module == compiled.module,
        "{name}: reading back gives another module"
    );
    Ok(module)
}

/// Executes a compiled program; its source says what it asks of the runner.
///
/// # Panics
/// If the module cannot be loaded, or the program asks the runner for something unknown.
pub fn run_module(name: &str, source: &str, module: Module, policy: Policy) -> Ran {
    let plant = None;
    run_way(name, source, module, Way { policy, plant })
}

/// Executes a compiled program with a mistake in native code: a test of the tests.
///
/// # Panics
/// As [`run_module`].
pub fn run_planted(name: &str, source: &str, module: Module, policy: Policy, plant: Plant) -> Ran {
    let plant = Some(plant);
    run_way(name, source, module, Way { policy, plant })
}

fn run_way(name: &str, source: &str, module: Module, way: Way) -> Ran {
    let setup = Setup::parse(source).unwrap_or_else(|problem| panic!("{name}: {problem}"));
    let program = way
        .load(module, salt_of(source))
        .unwrap_or_else(|e| panic!("{name}: the verifier refuses it: {e}"));
    let module = program.module();
    let answers = !(module.pages.is_empty() && module.routes.is_empty() && module.tests.is_empty());
    // Only the store knows what is unique and who links to whom; only the small host can be told to fail.
    let keeps = !module.entities.is_empty() && setup.store.is_none() && setup.fuel.is_none();
    assert!(
        answers || setup.asks.is_empty(),
        "{name}: it has no page, route or test to ask"
    );
    let (mut happened, left) = if answers || keeps {
        served::run(&program, &setup, way.policy)
    } else {
        run_script(&program, &setup, way.policy)
    };
    let faults = program.native().counts().compiled.faults;
    if faults > 0 {
        // The interpreter did the work, so nothing else shows it.
        let _ = writeln!(
            happened,
            "//! {faults} functions are refused by mistakes of the native compiler"
        );
    }
    Ran {
        happened,
        left,
        program: Some(program),
    }
}

/// The limits of a run.
fn limits(base: Limits, setup: &Setup, policy: Policy) -> Limits {
    Limits {
        collect_every_allocation: policy.collects_always(),
        memory_bytes: setup.memory_bytes.unwrap_or(base.memory_bytes),
        call_depth: setup.call_depth.unwrap_or(base.call_depth),
    }
}

/// Runs the top level of a program without pages over records in memory.
fn run_script(program: &Arc<Program>, setup: &Setup, policy: Policy) -> (String, String) {
    let module = program.module();
    let mut host = MemoryHost::new(module);
    host.set_up(setup);
    let mut vm = Vm::new(Arc::clone(program), limits(Limits::script(), setup, policy));
    let mut error = None;
    for func in [module.const_init, module.main].into_iter().flatten() {
        if error.is_none() {
            error = vm.call(&mut host, func, &[]).err();
        }
    }
    let mut text = printed_lines(host.printed());
    let mut left = host.kept();
    if let Some(trap) = error {
        text.push_str(&error_line(&trap));
        left.push_str(&format!("{trap:#?}\n"));
    }
    (text, left)
}

/// Each line as an expectation line.
fn printed_lines(printed: &[String]) -> String {
    let mut text = String::new();
    for line in printed.iter().flat_map(|printed| printed.split('\n')) {
        text.push_str(if line.is_empty() { "//>" } else { "//> " });
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn error_line(trap: &Trap) -> String {
    format!(
        "//! error {} at {}:{}\n",
        trap.kind, trap.at.line, trap.at.column
    )
}

/// Expectation lines; `file` gives what stands before the line of a message, and the text it speaks of.
fn diagnosed<'s>(
    diagnostics: &[flin_syntax::Diagnostic],
    file: impl Fn(&flin_syntax::Diagnostic) -> (String, &'s str),
) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics.iter().filter(|d| d.is_error()) {
        let (name, source) = file(diagnostic);
        let at = LineIndex::new(source).line_column(source, diagnostic.span().start);
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "//? {} at {name}{}:{}",
            diagnostic.code, at.line, at.column
        );
    }
    text
}
