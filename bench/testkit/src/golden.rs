//! Golden texts: an expected text lies in a file; a test computes the actual text and compares. Here because a text that a
//! person reads as a diff is the best expectation. Must stay true: only `BLESS=1` (set by `cargo xtask bless`) rewrites
//! a file; a missing file is a failure, not a pass.

use std::fs;
use std::path::{Path, PathBuf};

/// Whether expectations are to be rewritten instead of compared.
pub fn blessing() -> bool {
    std::env::var_os("BLESS").is_some_and(|v| v == "1")
}

/// Compares `actual` with the text in `path`. Returns a readable difference, or nothing when they are equal.
///
/// # Errors
/// The difference, or that the file is missing, as a text to be shown by the test.
pub fn compare(path: &Path, actual: &str) -> Result<(), String> {
    if blessing() {
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        }
        return fs::write(path, actual).map_err(|e| format!("{}: {e}", path.display()));
    }
    match fs::read_to_string(path) {
        Ok(expected) if expected == actual => Ok(()),
        Ok(expected) => Err(difference(path, &expected, actual)),
        Err(error) => Err(format!(
            "{}: {error} (run `cargo xtask bless` to create it)\n{actual}",
            path.display()
        )),
    }
}

/// Compares and panics with the difference.
///
/// # Panics
/// When the texts differ or the file is missing.
#[track_caller]
pub fn check(path: &Path, actual: &str) {
    if let Err(difference) = compare(path, actual) {
        panic!("{difference}");
    }
}

/// All files below `dir` with this ending, sorted, so that a new test is a new file.
///
/// # Panics
/// When the folder cannot be read or holds no such file: a suite that finds nothing must not pass.
pub fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(dir, ending, &mut found);
    assert!(!found.is_empty(), "no *{ending} below {}", dir.display());
    found.sort();
    found
}

fn collect(dir: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    for entry in entries {
        let path = entry.expect("a readable folder entry").path();
        if path.is_dir() {
            collect(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
}

/// The first differing line with its surroundings, and both texts' lengths.
fn difference(path: &Path, expected: &str, actual: &str) -> String {
    let (expected_lines, actual_lines): (Vec<_>, Vec<_>) =
        (expected.lines().collect(), actual.lines().collect());
    let first = (0..expected_lines.len().max(actual_lines.len()))
        .find(|&i| expected_lines.get(i) != actual_lines.get(i))
        .unwrap_or(expected_lines.len());
    let mut text = format!("{} differs from line {}:\n", path.display(), first + 1);
    for i in first.saturating_sub(2)..first {
        text += &format!("   {}\n", expected_lines.get(i).unwrap_or(&""));
    }
    for line in expected_lines.iter().skip(first).take(8) {
        text += &format!(" - {line}\n");
    }
    for line in actual_lines.iter().skip(first).take(8) {
        text += &format!(" + {line}\n");
    }
    text += "(- expected, + actual; `cargo xtask bless` accepts the actual text)";
    text
}
