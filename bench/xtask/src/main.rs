//! `cargo xtask`: the developer's tools, written in Rust so that they run wherever the project builds. Here because every
//! step of building, checking and testing has exactly one definition. Must stay true: `.ci/run` and the README call
//! these and nothing else; every failing step is named and ends the run with exit code 1.

#![forbid(unsafe_code)]

mod arrows;
mod attack;
mod audit;
mod bench;
mod coverage;
mod demo;
mod fuzz;
mod memcheck;
mod packages;
mod soak;
mod steps;
mod suite;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "cargo xtask COMMAND

  tidy      check formatting, lints, house rules and who may know whom
  bless     run all golden tests and accept what they produce as expected
  coverage  which parts of the language no program of the corpus meets
  test      install what tests need, then run everything and say how many ran
  test browser         the scenarios in a browser alone, with their count
  pictures [FOLDER]    pictures of the examples: light, dark, as wide as a phone
  ci        the same as test, as the CI runs it
  bench     build with optimization and measure: bench compute | hot | compile | shapes | hostile | counts | store | web | save
  fuzz      hunt with seeded inputs: fuzz [TARGET …] [--seconds N] [--seed S] (bench/fuzz/README.md)
            fuzz store [--seconds N] [--seed S]: lost or wrong data, on simulated disks (bench/store-hunt)
  soak      [--minutes N] [--seed S]: a served application under clients and faults, judged by models (bench/soak)
  attack    a release server under attack: WebSocket, HTTP, sieges, escaping; attack websocket | http | sieges | escaping [SEED]
            attack slowhttptest | autobahn [PYTHON]: the same by other people's tools (bench/attack/README.md)
            attack store-kill [--rounds N]: kill -9 under 64 writers, again and again
  memcheck  execute the corpus under valgrind
  demo      build, compile examples/todo and serve it on http://127.0.0.1:3000
";

/// The workspace's root folder.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("bench/xtask lies two levels down")
        .to_path_buf()
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["tidy"] => tidy::run(&root()),
        ["coverage"] => coverage::run(&root()),
        ["bless"] => suite::bless(&root()),
        ["test" | "ci"] => suite::run(&root()),
        ["test", "browser"] => suite::browser(&root(), None),
        ["pictures"] => suite::browser(&root(), Some(&root().join("target/pictures"))),
        ["pictures", folder] => suite::browser(&root(), Some(folder.as_ref())),
        ["bench", rest @ ..] => bench::run(&root(), rest),
        ["fuzz", rest @ ..] => fuzz::run(&root(), rest),
        ["soak", rest @ ..] => soak::run(&root(), rest),
        ["attack", rest @ ..] => attack::run(&root(), rest),
        ["memcheck"] => memcheck::run(&root()),
        ["demo", rest @ ..] => demo::run(&root(), rest),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        other => {
            eprintln!(
                "error: there is no `cargo xtask {}`\n\n{HELP}",
                other.join(" ")
            );
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}
