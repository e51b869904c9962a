//! One test per program: every program of the corpus under every policy, every wrong program with its neighbour, every
//! generated mistake. Here with a harness of its own (the same command line as Rust's), so that each program is a test
//! with a name of its own and the count of tests is the count of programs. Must stay true: a new program is a new file;
//! its expectations are its last lines, rewritten by `BLESS=1`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use flin_corpus::diagnostics::{GENERATED, Generated, Pair, check_generated, check_pair, pairs};
use flin_corpus::{Case, Policy, compiled, compiled_with, files, run_module};
use flinc::optimise::{Pass, Passes};

/// One test.
struct Test {
    name: String,
    work: Work,
}

enum Work {
    Program(PathBuf),
    Pair(Pair),
    Generated(Generated),
}

fn all() -> Vec<Test> {
    let programs = files().into_iter().map(|(name, path)| Test {
        name,
        work: Work::Program(path),
    });
    let pairs = pairs().into_iter().map(|pair| Test {
        name: pair.name.clone(),
        work: Work::Pair(pair),
    });
    let generated = GENERATED.iter().map(|row| Test {
        name: format!("diagnostics/generated/{}", row.code),
        work: Work::Generated(*row),
    });
    programs.chain(pairs).chain(generated).collect()
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    if has("--ignored") {
        return ExitCode::SUCCESS;
    }
    let words: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let wanted = |test: &Test| {
        words.is_empty()
            || words.iter().any(|word| {
                if has("--exact") {
                    test.name == **word
                } else {
                    test.name.contains(word.as_str())
                }
            })
    };
    // `--format terse` and its like have a word of their own, which names no test.
    let words_are_formats = has("--list");
    let tests: Vec<Test> = all()
        .into_iter()
        .filter(|test| words_are_formats || wanted(test))
        .collect();
    if has("--list") {
        for test in &tests {
            println!("{}: test", test.name);
        }
        return ExitCode::SUCCESS;
    }
    let failed = run_all(&tests);
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out",
        tests.len() - failed
    );
    ExitCode::from(u8::from(failed > 0))
}

/// Runs all tests on all cores; how many failed.
fn run_all(tests: &[Test]) -> usize {
    let (next, failed, out) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(tests.len()) {
            scope.spawn(|| {
                while let Some(test) = tests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let problems = check(test);
                    let _one_at_a_time = out.lock();
                    if problems.is_empty() {
                        println!("test {} ... ok", test.name);
                    } else {
                        failed.fetch_add(1, Ordering::Relaxed);
                        println!("test {} ... FAILED\n{}\n", test.name, problems.join("\n\n"));
                    }
                }
            });
        }
    });
    failed.into_inner()
}

fn check(test: &Test) -> Vec<String> {
    let work = || match &test.work {
        Work::Program(path) => check_program(&test.name, path),
        Work::Pair(pair) => check_pair(pair).err().unwrap_or_default(),
        Work::Generated(row) => check_generated(row).err().unwrap_or_default(),
    };
    std::panic::catch_unwind(work).unwrap_or_else(|panic| vec![words_of(panic.as_ref())])
}

fn check_program(name: &str, path: &Path) -> Vec<String> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return vec![format!("{}: {error}", path.display())],
    };
    let case = Case::parse(&text);
    let mut failures = Vec::new();
    let mut expected = case.expected.clone();
    let file = format!("{name}.flin");
    // It is compiled once, and executed under every policy.
    let module = match compiled(&file, &case.source) {
        Ok(module) => module,
        Err(diagnosed) => {
            note(&mut failures, "", path, &case, &mut expected, &diagnosed);
            return failures;
        }
    };
    let mut left = None;
    for policy in Policy::ALL {
        let run = || run_module(&file, &case.source, module.clone(), policy);
        let ran = match std::panic::catch_unwind(run) {
            Ok(ran) => ran,
            Err(panic) => {
                failures.push(format!("{policy:?}: {}", words_of(panic.as_ref())));
                continue;
            }
        };
        let name = format!("{policy:?}");
        if policy == Policy::Interpreter {
            note(
                &mut failures,
                &name,
                path,
                &case,
                &mut expected,
                &ran.happened,
            );
        } else if ran.happened != expected {
            failures.push(format!("{name}:\n{}", difference(&expected, &ran.happened)));
        }
        // What no expectation shows: the whole error with its trace, all versions of all records.
        let left = left.get_or_insert_with(|| ran.left.clone());
        if ran.left != *left {
            failures.push(format!("{name} leaves:\n{}", difference(left, &ran.left)));
        }
    }
    // Who asks how a query is answered, sees that.
    let none = if case.source.contains(".explain") {
        Passes::none().with(Pass::Push)
    } else {
        Passes::none()
    };
    let left = left.unwrap_or_default();
    let mut ways = vec![("not optimised", none)];
    if name.starts_with("bugs/") {
        // Most passes see tidy code; the stories are short enough to see what they do with the rest.
        ways.extend(Passes::without("branches").map(|passes| ("without branches", passes)));
    }
    for (way, passes) in ways {
        failures.extend(check_optimised(
            &file,
            &case,
            (way, passes),
            (&expected, &left),
        ));
    }
    failures
}

/// The optimiser changes nothing that anybody can see.
fn check_optimised(
    file: &str,
    case: &Case,
    (way, passes): (&str, Passes),
    (expected, left): (&str, &str),
) -> Vec<String> {
    let mut failures = Vec::new();
    let run = std::panic::catch_unwind(|| {
        compiled_with(file, &case.source, passes)
            .map(|module| run_module(file, &case.source, module, Policy::Interpreter))
    });
    match run {
        Ok(Err(diagnosed)) => failures.push(format!("{way}: {diagnosed}")),
        Ok(Ok(ran)) => {
            if ran.happened != expected {
                let difference = difference(expected, &ran.happened);
                failures.push(format!("{way}:\n{difference}"));
            }
            if ran.left != left {
                let difference = difference(left, &ran.left);
                failures.push(format!("{way}, it leaves:\n{difference}"));
            }
        }
        Err(panic) => failures.push(format!("{way}: {}", words_of(panic.as_ref()))),
    }
    failures
}

/// Compares what happened with what is expected; blessing makes it the expectation.
fn note(
    failures: &mut Vec<String>,
    policy: &str,
    path: &Path,
    case: &Case,
    expected: &mut String,
    actual: &str,
) {
    if flin_testkit::golden::blessing() {
        std::fs::write(path, case.with_expected(actual)).expect("a writable program");
        actual.clone_into(expected);
    } else if actual != expected.as_str() {
        failures.push(format!("{policy}:\n{}", difference(expected, actual)));
    }
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "it panicked".to_owned())
}

/// Lines that differ, position by position.
fn difference(expected: &str, actual: &str) -> String {
    let (expected, actual): (Vec<&str>, Vec<&str>) =
        (expected.lines().collect(), actual.lines().collect());
    let mut text = String::new();
    for at in 0..expected.len().max(actual.len()) {
        let (wanted, got) = (expected.get(at), actual.get(at));
        if wanted != got {
            text += &format!(
                "  line {}: expected {}, got {}\n",
                at + 1,
                wanted.unwrap_or(&"nothing"),
                got.unwrap_or(&"nothing")
            );
        }
    }
    text
}
