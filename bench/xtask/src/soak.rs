//! `cargo xtask soak`: a release server under mixed clients and faults. Here because what is soaked must be built as it is shipped. Must
//! stay true: what is done and who judges stands in `bench/soak`; this only builds and starts it.

use std::path::Path;

use crate::steps;

/// Builds the programs and soaks them.
///
/// # Errors
/// When anything is lost or wrong.
pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), String> {
    let build = [
        "build",
        "--release",
        "-p",
        "flinc",
        "-p",
        "flinvm",
        "-p",
        "flin-soak",
    ];
    steps::run(root, "cargo", &build)?;
    let program = steps::target_dir(root)?.join("release/flin-soak");
    steps::run(root, &program.display().to_string(), args)
        .map_err(|_| "there are findings (see above)".to_owned())
}
