//! Starts the program that counts for iai-callgrind, in the version that fits the library, installed below the target folder
//! when it is not there yet. Here under this very name because the benchmarks look for it among the programs of their own
//! package: so `cargo bench -p flin-bench` needs nothing else than valgrind. Must stay true: the version is the one in
//! `Cargo.lock`, where the library names it as its dependency.
#![allow(clippy::disallowed_methods, reason = "a tool that starts programs")]
#![forbid(unsafe_code)]

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

const RUNNER: &str = "iai-callgrind-runner";

fn main() -> ExitCode {
    let problem = match installed() {
        // On success this process becomes the other.
        Ok(program) => {
            let problem = Command::new(&program)
                .args(std::env::args_os().skip(1))
                .exec();
            format!("{}: {problem}", program.display())
        }
        Err(problem) => problem,
    };
    eprintln!("error: {problem}");
    ExitCode::FAILURE
}

/// The path of the real one, which is built first if need be.
fn installed() -> Result<PathBuf, String> {
    let valgrind = Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if valgrind.is_err() {
        return Err("valgrind counts the instructions and is not installed; `cargo xtask bench counts` installs it".to_owned());
    }
    let version = version()?;
    let me = std::env::current_exe().map_err(|e| e.to_string())?;
    // target/release/iai-callgrind-runner
    let target = me
        .ancestors()
        .nth(2)
        .ok_or("this program lies in no target folder")?;
    let tools = target.join(format!("{RUNNER}-{version}"));
    let program = tools.join("bin").join(RUNNER);
    if program.is_file() {
        return Ok(program);
    }
    eprintln!("building {RUNNER} {version} for the counts of instructions");
    let status = Command::new("cargo")
        .args([
            "install",
            "--locked",
            "--quiet",
            RUNNER,
            "--version",
            &version,
            "--root",
        ])
        .arg(&tools)
        // In a target folder that is shared by `CARGO_TARGET_DIR`, the real one would be built over this program and moved away.
        .arg("--target-dir")
        .arg(tools.join("build"))
        .status()
        .map_err(|e| format!("`cargo` cannot be started: {e}"))?;
    if !status.success() {
        return Err(format!("`cargo install {RUNNER}` failed ({status})"));
    }
    Ok(program)
}

fn version() -> Result<String, String> {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let text = std::fs::read_to_string(&lock).map_err(|e| format!("{}: {e}", lock.display()))?;
    let head = format!("name = \"{RUNNER}\"\nversion = \"");
    text.split_once(&head)
        .and_then(|(_, rest)| rest.split('"').next())
        .map(str::to_owned)
        .ok_or(format!("{RUNNER} is not in Cargo.lock"))
}
