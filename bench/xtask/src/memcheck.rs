//! `cargo xtask memcheck`: the corpus executed under valgrind. Here because the machine has unsafe rooms, and a read of
//! memory that nobody wrote is seen by no test. Must stay true: valgrind is installed or the run fails; an error, or a
//! byte that is definitely lost, fails; every program that compiles is executed, in a few processes.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::{packages, steps};

/// Processes side by side, one for each core that the CI has.
const PARTS: usize = 2;

/// Builds the runner, compiles the corpus, executes it under valgrind.
///
/// # Errors
/// When a program does something else than expected, or valgrind finds something.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    packages::ensure_one(root, "valgrind")?;
    let build = [
        "build",
        "--quiet",
        "--package",
        "flin-corpus",
        "--bin",
        "memcheck",
    ];
    steps::run(root, "cargo", &build)?;
    let target = steps::target_dir(root)?;
    let runner = target.join("debug/memcheck").to_string_lossy().into_owned();
    let modules = target.join("memcheck").to_string_lossy().into_owned();
    // Modules of an earlier corpus must not be run.
    if Path::new(&modules).exists() {
        std::fs::remove_dir_all(&modules).map_err(|e| format!("{modules}: {e}"))?;
    }
    let prepared = steps::output(root, &runner, &["prepare", &modules])?;
    let mut children = Vec::new();
    for part in 0..PARTS {
        let child = Command::new("valgrind")
            .args(["--quiet", "--error-exitcode=9", "--num-callers=30"])
            .args(["--leak-check=full", "--show-leak-kinds=definite"])
            .arg("--errors-for-leak-kinds=definite")
            .args([
                &runner,
                "run",
                &modules,
                &part.to_string(),
                &PARTS.to_string(),
            ])
            .current_dir(root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| format!("`valgrind` cannot be started: {e}"))?;
        children.push(child);
    }
    let mut executed = 0;
    let mut problems = Vec::new();
    for child in children {
        let output = child
            .wait_with_output()
            .map_err(|e| format!("valgrind: {e}"))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let count = said
            .split(' ')
            .next()
            .and_then(|n| n.trim().parse::<usize>().ok());
        executed += count.unwrap_or(0);
        if !output.status.success() {
            problems.push(String::from_utf8_lossy(&output.stderr).into_owned());
        }
    }
    if !problems.is_empty() {
        return Err(format!("memcheck:\n{}", problems.join("\n")));
    }
    let wanted = prepared.split(' ').next().and_then(|n| n.parse().ok());
    if wanted != Some(executed) || executed == 0 {
        return Err(format!(
            "memcheck: {executed} programs were executed, but {} prepared",
            prepared.trim()
        ));
    }
    println!("memcheck: {executed} programs, no error, nothing lost");
    Ok(())
}
