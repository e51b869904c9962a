//! `cargo xtask soak`: a release server under mixed clients and faults. Here because what is soaked must be built as it is shipped. Must
//! stay true: what is done and who judges stands in `bench/soak`; this only builds and starts it.

use std::path::Path;

use crate::steps;

/// Builds the programs and soaks them.
///
/// # Errors
/// When anything is lost or wrong.
pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), String> {
    steps::run_shipped(root, "flin-soak", args)
        .map_err(|error| format!("{error}: there are findings (see above)"))
}
