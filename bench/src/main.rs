//! The program `flin-bench`: prints how long the compiler takes. Here because figures in documents need one command that
//! makes them. Must stay true: it only prints; what it measures is what users run (release builds, whole processes too).
#![allow(
    clippy::disallowed_methods,
    reason = "a tool that reads and writes files"
)]
#![forbid(unsafe_code)]

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use flin_bench::application::application;
use flin_bench::compute::{self, Wanted};
use flin_bench::hostile::HOSTILE;
use flin_bench::native;
use flin_bench::shapes::SHAPES;
use flin_bench::slips::slipped;
use flin_bench::stages::{Times, timed};
use flin_syntax::limits::FILE_BYTES_MAX;

/// Sizes of the generated programs, in lines.
const SIZES: [usize; 6] = [500, 2_000, 5_000, 10_000, 20_000, 50_000];
/// Which program; any other would do as well.
const SEED: u64 = 1;
/// Lines compiled per size, spread over several runs, so that small programs are run often.
const LINES_PER_SIZE: usize = 120_000;
/// The least and the greatest number of runs of one size.
const RUNS: (usize, usize) = (3, 31);

const HELP: &str = "flin-bench COMMAND

  compile          the compiler's stages on generated applications of 500 to 50,000 lines
  shapes [NAME]    the compiler on much of one thing, at two sizes
  program N SEED   print a generated program of N lines
  shape NAME N     print a program of that shape
  hostile [NAME]   time and memory for inputs that no person writes
  slips N SEED     make N slips in a program, one at a time, and print those with several messages
  compute …        the kernels against their peers: [--kernel NAME] [--only A,B] [--rounds N] [--native] [--write]
  native           how long it takes to make machine code of functions of several kinds
  once FILE        compile a file once and print milliseconds and peak memory
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["compile"] => compile(),
        ["shapes", rest @ ..] => shapes(rest.first().copied().unwrap_or("")),
        ["program", lines, seed] => print_program(lines, seed),
        ["shape", name, size] => number(size).and_then(|size| print_shape(name, size)),
        ["hostile", rest @ ..] => hostile(rest.first().copied().unwrap_or("")),
        ["slips", count, seed] => slips(count, seed),
        ["compute", words @ ..] => compute(words),
        ["native"] => native::table().map(|table| print!("{table}")),
        ["once", file] => once(Path::new(file)),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(format!(
            "there is no `flin-bench {}`\n\n{HELP}",
            other.join(" ")
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// The kernels against their peers; with `--write` into the document, too.
fn compute(words: &[&str]) -> Result<(), String> {
    let wanted = Wanted::parse(words)?;
    let work = std::env::temp_dir().join(format!("flin-compute-{}", std::process::id()));
    let table = compute::run(&wanted, &work)?.markdown();
    let start = compute::start::table(&work)?;
    println!("\n{table}\n{start}");
    std::fs::remove_dir_all(&work).map_err(|e| format!("{}: {e}", work.display()))?;
    if wanted.write {
        flin_testkit::figures::write(
            "compute",
            &format!(
                "{}\n{table}\n{start}",
                flin_testkit::figures::day_and_machine()
            ),
        )?;
    }
    Ok(())
}

fn number(word: &str) -> Result<usize, String> {
    word.parse().map_err(|_| format!("`{word}` is no number"))
}

fn print_program(lines: &str, seed: &str) -> Result<(), String> {
    let source = application(number(lines)?, number(seed)? as u64);
    print!("{source}");
    Ok(())
}

fn print_shape(name: &str, size: usize) -> Result<(), String> {
    let shape = SHAPES
        .iter()
        .find(|shape| shape.name.contains(name))
        .ok_or(format!("no shape is called {name}"))?;
    print!("{}", (shape.make)(size));
    Ok(())
}

/// How many messages single slips give, and the programs that gave several.
fn slips(count: &str, seed: &str) -> Result<(), String> {
    let (count, seed) = (number(count)?, number(seed)? as u64);
    let copies = flin_bench::application::copies(4_000, seed);
    let mut histogram = std::collections::BTreeMap::new();
    for at in 0..count {
        let piece = flin_bench::application::joined(&copies[at % copies.len()..][..1]);
        let case = slipped(&piece, seed.wrapping_mul(1_000_003) + at as u64);
        let found = flinc::compile("slip.flin", &case.text).map_or_else(|it| it, |it| it.warnings);
        *histogram.entry((case.slip, found.len())).or_insert(0) += 1;
        if found.len() < 2 {
            continue;
        }
        let lines = flin_syntax::span::LineIndex::new(&case.text);
        println!("{:?} `{}` in line {}:", case.slip, case.word, case.line);
        println!("    {}", case.text.lines().nth(case.line - 1).unwrap_or(""));
        for message in &found {
            let line = lines.line(message.span().start);
            println!("  {} in line {line}: {}", message.code, message.title);
        }
    }
    for ((slip, messages), times) in histogram {
        println!("{slip:?}: {messages} messages {times} times");
    }
    Ok(())
}

/// The table of stages and sizes.
fn compile() -> Result<(), String> {
    println!(
        "| lines | KiB | parse | resolve | infer | lower | verify | encode | total ms | ms per 1000 lines | `flinc` ms | peak MiB |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    let folder = std::env::temp_dir().join(format!("flin-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for size in SIZES {
        let source = application(size, SEED);
        let lines = source.lines().count();
        let runs = (LINES_PER_SIZE / size).clamp(RUNS.0, RUNS.1);
        let times = best_of(runs, &source)?;
        let file = folder.join("app.flin");
        std::fs::write(&file, &source).map_err(|e| format!("{}: {e}", file.display()))?;
        let whole = whole_process(&file, runs.min(9))?;
        let peak = peak_of_child(&file)?;
        println!(
            "| {lines} | {} | {} | {} | {} | {} | {} | {} | {} | {:.2} | {} | {peak:.0} |",
            source.len() / 1024,
            ms(times.parse),
            ms(times.resolve),
            ms(times.infer),
            ms(times.lower),
            ms(times.verify),
            ms(times.encode),
            ms(times.total()),
            times.total().as_secs_f64() * 1e6 / lines as f64,
            ms(whole),
        );
    }
    std::fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))
}

/// The fastest run: what else runs on the machine only adds.
fn best_of(runs: usize, source: &str) -> Result<Times, String> {
    let mut all = Vec::with_capacity(runs);
    for _ in 0..runs {
        all.push(timed(source)?);
    }
    all.into_iter()
        .min_by_key(Times::total)
        .ok_or("nothing was measured".to_owned())
}

fn ms(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}

/// `flinc FILE` from start to end, the fastest run.
fn whole_process(file: &Path, runs: usize) -> Result<Duration, String> {
    let flinc = flin_testkit::process::program("flinc");
    let mut all = Vec::with_capacity(runs);
    for _ in 0..runs {
        let start = Instant::now();
        let status = Command::new(&flinc)
            .arg(file)
            .status()
            .map_err(|e| format!("{}: {e}", flinc.display()))?;
        all.push(start.elapsed());
        if !status.success() {
            return Err(format!("flinc does not compile {}", file.display()));
        }
    }
    all.into_iter()
        .min()
        .ok_or("nothing was measured".to_owned())
}

/// Peak memory in MiB of a process that compiles the file once.
fn peak_of_child(file: &Path) -> Result<f64, String> {
    let me = std::env::current_exe().map_err(|e| e.to_string())?;
    let output = Command::new(me)
        .arg("once")
        .arg(file)
        .output()
        .map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace()
        .nth(2)
        .and_then(|word| word.parse().ok())
        .ok_or(format!("no peak memory in: {text}"))
}

/// Time and peak memory of a process of its own for each input.
fn hostile(name: &str) -> Result<(), String> {
    let file = std::env::temp_dir().join(format!("flin-hostile-{}.flin", std::process::id()));
    let me = std::env::current_exe().map_err(|e| e.to_string())?;
    println!("| input | bytes | time, peak memory and messages |");
    println!("|---|---:|---|");
    for input in HOSTILE.iter().filter(|input| input.name.contains(name)) {
        let bytes = (input.make)();
        std::fs::write(&file, &bytes).map_err(|e| format!("{}: {e}", file.display()))?;
        let output = Command::new(&me)
            .arg("once")
            .arg(&file)
            .output()
            .map_err(|e| e.to_string())?;
        let said = if output.status.success() {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        } else {
            format!("{}", output.status)
        };
        println!("| {} | {} | {said} |", input.name, bytes.len());
    }
    std::fs::remove_file(&file).map_err(|e| format!("{}: {e}", file.display()))
}

/// Compiles once, whatever comes out, and prints `MS ms MIB MiB` and the number of messages.
fn once(file: &Path) -> Result<(), String> {
    let start = Instant::now();
    let mut bytes = Vec::new();
    // As `flinc` does: what is longer than a source file may be is not read.
    std::fs::File::open(file)
        .and_then(|open| open.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes))
        .map_err(|e| format!("{}: {e}", file.display()))?;
    let messages = match std::str::from_utf8(&bytes) {
        Ok(source) => match flinc::compile("once.flin", source) {
            Ok(compiled) => {
                flin_bytecode::fbc::write(&compiled.module);
                compiled.warnings.len()
            }
            Err(found) => found.len(),
        },
        Err(_) => flin_syntax::parse_bytes(&bytes).diagnostics.len(),
    };
    println!(
        "{} ms {:.0} MiB, {messages} messages",
        ms(start.elapsed()),
        peak_mib().ok_or("the system does not say how much memory was used")?
    );
    Ok(())
}

/// The most memory that this process has had, as Linux tells it.
fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}

/// Every shape at a quarter of its size and at its size; a factor far above 4 is a mistake in the compiler.
fn shapes(name: &str) -> Result<(), String> {
    println!("| shape | size | KiB | ms at a quarter | ms | factor | slowest stage |");
    println!("|---|---:|---:|---:|---:|---:|---|");
    for shape in SHAPES.iter().filter(|shape| shape.name.contains(name)) {
        let small = (shape.make)(shape.size / 4);
        let large = (shape.make)(shape.size);
        let fault = |problem: String| format!("{}: {problem}", shape.name);
        let few = best_of(3, &small).map_err(fault)?;
        let many = best_of(3, &large).map_err(fault)?;
        println!(
            "| {} | {} | {} | {} | {} | {:.1} | {} |",
            shape.name,
            shape.size,
            large.len() / 1024,
            ms(few.total()),
            ms(many.total()),
            many.total().as_secs_f64() / few.total().as_secs_f64(),
            slowest(&many),
        );
    }
    Ok(())
}

fn slowest(times: &Times) -> String {
    let stages = [
        ("parse", times.parse),
        ("resolve", times.resolve),
        ("infer", times.infer),
        ("lower", times.lower),
        ("verify", times.verify),
        ("encode", times.encode),
    ];
    let (name, time) = stages
        .into_iter()
        .max_by_key(|(_, time)| *time)
        .unwrap_or(("", Duration::ZERO));
    format!("{name} {}", ms(time))
}
