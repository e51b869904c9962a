//! `cargo xtask bench`: builds with optimization and measures. Here because figures of unoptimized builds say nothing and
//! are easily taken by mistake. Must stay true: what is measured was built by this very command.

use std::path::Path;

use crate::steps;

/// Builds compiler and measuring program, and runs the latter with the given words (`compile`, `shapes`, …).
///
/// # Errors
/// When a build or the measuring fails.
pub(crate) fn run(root: &Path, words: &[&str]) -> Result<(), String> {
    let build = ["build", "--release", "-p", "flinc", "-p", "flin-bench"];
    steps::run(root, "cargo", &build)?;
    let program = steps::target_dir(root)?.join("release/flin-bench");
    steps::run(root, &program.display().to_string(), words)
}
