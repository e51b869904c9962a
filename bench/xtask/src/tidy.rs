//! `cargo xtask tidy`: the house rules, as far as a machine can see them. Here because a rule that nobody checks is a wish.
//! Must stay true: rules ratchet: what is listed in `tidy/ratchet.txt` may stay as long as it does not grow, nothing new
//! may be added to it without a reason in the commit.

mod functions;
mod text;

use std::path::{Path, PathBuf};

use crate::{arrows, audit, steps};

/// A file of the project and its text.
pub(crate) struct Source {
    /// Path from the root, with `/`.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

/// Runs formatter, linter, text rules and arrows.
///
/// # Errors
/// All problems found, one per line.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let mut problems = Vec::new();
    problems.extend(steps::run(root, "cargo", &["fmt", "--all", "--check"]).err());
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--features",
        "flin-corpus/coverage",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ];
    problems.extend(steps::run(root, "cargo", &clippy).err());
    problems.extend(arrows::check(root).err());
    problems.extend(audit::check(root).err());
    let sources = sources(root)?;
    problems.extend(text::check(&sources));
    problems.extend(functions::check(
        &sources,
        &root.join("bench/xtask/src/tidy/ratchet.txt"),
    )?);
    if problems.is_empty() {
        println!("tidy: {} files in order", sources.len());
        return Ok(());
    }
    Err(problems.join("\n"))
}

/// All text files that git tracks or would track.
fn sources(root: &Path) -> Result<Vec<Source>, String> {
    let list = steps::output(
        root,
        "git",
        &["ls-files", "--cached", "--others", "--exclude-standard"],
    )?;
    let mut sources = Vec::new();
    for path in list.lines() {
        let full: PathBuf = root.join(path);
        // Binary files (golden logs) and files removed in the work tree are no business of text rules.
        if let Ok(text) = std::fs::read_to_string(&full) {
            sources.push(Source {
                path: path.to_string(),
                text,
            });
        }
    }
    Ok(sources)
}
