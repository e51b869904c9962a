//! Running other programs: shown, timed, and an error when they fail. Here because every tool does it. Must stay true: a
//! program that cannot be started is an error that names it, never a skipped step.

use std::path::Path;
use std::process::{Command, Stdio};

/// Runs a program in `dir` with its output shown.
///
/// # Errors
/// When it cannot be started or exits with another code than 0.
pub(crate) fn run(dir: &Path, program: &str, args: &[&str]) -> Result<(), String> {
    let status = Command::new(program)
        .args(args)
        .current_dir(dir)
        .status()
        .map_err(|e| format!("`{program}` cannot be started: {e}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{program} {}` failed ({status})", args.join(" ")))
    }
}

/// Runs a program in `dir` and returns what it printed.
///
/// # Errors
/// When it cannot be started or fails; the text holds its stderr.
pub(crate) fn output(dir: &Path, program: &str, args: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("`{program}` cannot be started: {e}"))?;
    if !output.status.success() {
        return Err(format!(
            "`{program} {}` failed:\n{}",
            args.join(" "),
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a program in `dir` with its stderr shown and returns what it printed.
///
/// # Errors
/// When it cannot be started or fails.
pub(crate) fn output_shown(dir: &Path, program: &str, args: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("`{program}` cannot be started: {e}"))?;
    if !output.status.success() {
        return Err(format!(
            "`{program} {}` failed ({})",
            args.join(" "),
            output.status
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program of this name is on the search path.
pub(crate) fn on_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

/// Builds the compiler, the server and one more program as they are shipped, and runs that program.
///
/// # Errors
/// When the build or the program fails.
pub(crate) fn run_shipped(root: &Path, package: &str, args: &[&str]) -> Result<(), String> {
    let mut build = vec!["build", "--release"];
    build.extend(["-p", "flinc", "-p", "flinvm", "-p", package]);
    run(root, "cargo", &build)?;
    let program = target_dir(root)?.join("release").join(package);
    run(root, &program.display().to_string(), args)
}

/// The folder that cargo builds into.
///
/// # Errors
/// When cargo does not say.
pub(crate) fn target_dir(root: &Path) -> Result<std::path::PathBuf, String> {
    let metadata = metadata(root)?;
    let dir = metadata["target_directory"]
        .as_str()
        .ok_or("cargo metadata names no target folder")?;
    Ok(dir.into())
}

/// What cargo knows about the workspace.
///
/// # Errors
/// When cargo fails or prints something else than JSON.
pub(crate) fn metadata(root: &Path) -> Result<serde_json::Value, String> {
    let text = output(
        root,
        "cargo",
        &["metadata", "--no-deps", "--format-version", "1"],
    )?;
    serde_json::from_str(&text).map_err(|e| format!("cargo metadata: {e}"))
}
