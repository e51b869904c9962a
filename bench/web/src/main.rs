//! What a page takes, where it is served and where it is shown: `serving` compares with other servers; `lists` compares operations on
//! a table, in a real browser, with the same table written by hand against the DOM; `live` measures the way of a change to other open
//! pages, `save` that from a save of the source to the changed page. Here because these are promises that no unit test can keep. Must stay true: what is compared runs
//! on the same machine at the same time, in turns, and all are asked the same.

#![forbid(unsafe_code)]

mod lists;
mod live;
mod process;
mod save;
mod serving;

use std::process::ExitCode;

const HELP: &str = "flin-bench-web COMMAND

  serving [ROUNDS] [SECONDS] [--write]
                   pages of 50 records, durable creations, starts, memory; beside bare hyper, axum + SQLite, Fastify + SQLite
  lists [ROUNDS] [--write]
                   a table of 1,000 rows: created, replaced, changed, moved, taken away; beside hand-written DOM code
  live             milliseconds from a change to another open page, and memory for each open socket
  save [ROUNDS] [--write]
                   milliseconds from a save in the editor to the changed page, with `flinvm dev`
";

fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let write = args.last().is_some_and(|last| last == "--write") && args.pop().is_some();
    let number = |at: usize, default: u64| match args.get(at) {
        None => Some(default),
        Some(text) => text.parse().ok().filter(|number| *number > 0),
    };
    let rounds = |default| number(1, default).map(|rounds| rounds as usize);
    let done = match args.first().map(String::as_str) {
        Some("peer") => serving::serve_peer(&args[1..]),
        Some("serving") => match rounds(5).zip(number(2, 3)) {
            Some((rounds, seconds)) => serving::run(rounds, seconds, write),
            None => return usage(),
        },
        Some("live") => live::run(),
        Some("lists") => match rounds(20) {
            Some(rounds) => lists::run(rounds, write),
            None => return usage(),
        },
        Some("save") => match rounds(50) {
            Some(rounds) => save::run(rounds, write),
            None => return usage(),
        },
        _ => return usage(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("flin-bench-web: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprint!("{HELP}");
    ExitCode::from(2)
}

/// The value below which `share` of the sorted values lie.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = (sorted.len().saturating_sub(1)) as f64 * share;
    sorted.get(at.round() as usize).copied().unwrap_or(f64::NAN)
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}
