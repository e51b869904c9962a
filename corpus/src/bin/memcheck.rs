//! What `cargo xtask memcheck` watches with valgrind: the programs of the corpus, executed. Here because a tool that sees
//! every access to memory makes a program fifty times slower: so compiling, which has no unsafe code, is done before
//! and outside. Must stay true: `prepare` and `run` see the same programs in the same order; an output that is not the
//! expected one fails.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "this program reads the corpus")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use flin_corpus::{Case, Policy, files, run_module};

const USAGE: &str = "memcheck prepare DIR | memcheck run DIR PART PARTS";

/// One of so many programs becomes native.
const NATIVE_EVERY: usize = 12;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["prepare", dir] => prepare(Path::new(dir)),
        ["run", dir, part, parts] => match (part.parse(), parts.parse()) {
            (Ok(part), Ok(parts)) => run(Path::new(dir), part, parts),
            _ => Err(USAGE.to_owned()),
        },
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(count) => {
            println!("{count} programs");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Compiles every program that compiles.
fn prepare(dir: &Path) -> Result<usize, String> {
    std::fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut count = 0;
    for (number, (name, path)) in files().iter().enumerate() {
        let case = case(path)?;
        // Programs that are wrong on purpose have nothing to run.
        if let Ok(compiled) = flinc::compile(name, &case.source) {
            let bytes = flin_bytecode::fbc::write(&compiled.module);
            let file = module_file(dir, number);
            std::fs::write(&file, bytes).map_err(|e| format!("{}: {e}", file.display()))?;
            count += 1;
        }
    }
    Ok(count)
}

/// Executes every `parts`th program.
fn run(dir: &Path, part: usize, parts: usize) -> Result<usize, String> {
    let mut count = 0;
    let mut wrong = Vec::new();
    for (number, (name, path)) in files().iter().enumerate() {
        let Ok(bytes) = std::fs::read(module_file(dir, number)) else {
            continue;
        };
        if number % parts != part {
            continue;
        }
        let case = case(path)?;
        let module = flin_bytecode::fbc::read(&bytes).map_err(|e| format!("{name}: {e}"))?;
        for policy in policies(number) {
            let ran = run_module(name, &case.source, module.clone(), policy);
            if ran.happened != case.expected {
                wrong.push(name.clone());
            }
        }
        count += 1;
    }
    if wrong.is_empty() {
        Ok(count)
    } else {
        Err(format!("not as expected: {}", wrong.join(", ")))
    }
}

/// Every program is interpreted. Making native code takes valgrind long, so there only some become native, each in one
/// way; what it reads and writes are the same few kinds of places in all of them.
fn policies(number: usize) -> Vec<Policy> {
    const NATIVE: [Policy; 4] = [
        Policy::EagerCollecting,
        Policy::LoopExits,
        Policy::LoopsCollecting,
        Policy::Exits,
    ];
    let mut policies = vec![Policy::Interpreter, Policy::CollectAlways];
    if number.is_multiple_of(NATIVE_EVERY) {
        policies.push(NATIVE[number / NATIVE_EVERY % NATIVE.len()]);
    }
    policies
}

fn module_file(dir: &Path, number: usize) -> PathBuf {
    dir.join(format!("{number}.fbc"))
}

fn case(path: &Path) -> Result<Case, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(Case::parse(&text))
}
