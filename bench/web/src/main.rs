//! What a page takes in a real browser: `lists` compares operations on a table with the same table written by hand against
//! the DOM; `save` measures the way from a save of the source to the changed page. Here because both are promises that
//! no unit test can keep. Must stay true: what is compared runs in the same browser, in turns, and both are asked the same.

#![forbid(unsafe_code)]

mod lists;
mod save;

use std::process::ExitCode;

const HELP: &str = "flin-bench-web COMMAND

  lists [ROUNDS]   a table of 1,000 rows: created, replaced, changed, moved, taken away; beside hand-written DOM code
  save [ROUNDS]    milliseconds from a save in the editor to the changed page, with `flinvm dev`
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rounds = |default| match args.get(1) {
        None => Some(default),
        Some(text) => text.parse().ok().filter(|rounds| *rounds > 0),
    };
    match (args.first().map(String::as_str), rounds(20), rounds(50)) {
        (Some("lists"), Some(rounds), _) => lists::run(rounds),
        (Some("save"), _, Some(rounds)) => save::run(rounds),
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
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
