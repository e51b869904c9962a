//! How long it takes from the start of a process to the end of a program of three lines. Here because a command line tool is
//! started often, and a fast engine that starts slowly is a slow one. Must stay true: all runners take turns, the
//! fastest of many starts counts.

use std::path::Path;
use std::time::Duration;

use crate::compute::clock;
use crate::compute::runners::{Prepared, RUNNERS};

/// Starts of each program.
const STARTS: usize = 20;

/// Milliseconds on the wall and of CPU per runner, as a Markdown table.
///
/// # Errors
/// When a program cannot be built or fails.
pub fn table(work: &Path) -> Result<String, String> {
    let sources = super::folder("startup");
    let mut commands: Vec<(String, Prepared)> = Vec::new();
    for runner in RUNNERS.iter().filter(|runner| runner.is_here()) {
        let command = runner.prepare(&sources, &work.join("startup"), None)?;
        commands.push((runner.name.to_owned(), command));
    }
    let source = Prepared {
        program: flin_testkit::process::program("flinvm"),
        words: vec![
            "run".to_owned(),
            sources.join("kernel.flin").display().to_string(),
        ],
    };
    commands.insert(0, ("flin, from source".to_owned(), source));
    let mut best = vec![(Duration::MAX, Duration::MAX); commands.len()];
    for _ in 0..STARTS {
        for ((_, command), best) in commands.iter().zip(&mut best) {
            let ran = clock::run(command)?;
            *best = (best.0.min(ran.wall), best.1.min(ran.cpu));
        }
    }
    let mut text =
        "| a program of three lines | wall, ms | CPU, ms |\n|---|---:|---:|\n".to_owned();
    for ((name, _), (wall, cpu)) in commands.iter().zip(best) {
        let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e3);
        text += &format!("| {name} | {} | {} |\n", ms(wall), ms(cpu));
    }
    Ok(text)
}
