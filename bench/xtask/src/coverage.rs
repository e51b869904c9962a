//! `cargo xtask coverage`: which parts of the language no program of the corpus meets. Here because it is part of the tests
//! and needs a build of its own, with a parser and a machine that count. Must stay true: the tables are made by
//! `corpus/src/bin/coverage`, which alone knows the compiler; this only builds and runs it.

use std::path::Path;

use crate::steps;

/// Prints the tables.
///
/// # Errors
/// When a table has a hole.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let args = [
        "run",
        "--quiet",
        "--package",
        "flin-corpus",
        "--features",
        "coverage",
        "--bin",
        "coverage",
    ];
    steps::run(root, "cargo", &args).map_err(|_| "the corpus has holes (see above)".to_owned())
}
