//! `cargo xtask fuzz`: the hunt. Here because it needs a build of its own: assertions as in tests, but fast enough to try
//! much. Must stay true: what is tried and who judges stands in `bench/fuzz`; this only builds and starts it.

use std::path::Path;

use crate::steps;

/// Tries the targets named in `args` (all if none); `--checked` takes a machine that asserts what it touches.
///
/// # Errors
/// When there is a finding.
pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), String> {
    if let ["store", rest @ ..] = args {
        return store(root, "fuzz", rest);
    }
    let mut all = vec![
        "run",
        "--quiet",
        "--profile",
        "hunt",
        "--package",
        "flin-fuzz",
    ];
    if args.contains(&"--checked") {
        all.extend(["--features", "checked"]);
    }
    all.push("--");
    all.extend(args.iter().filter(|arg| **arg != "--checked"));
    steps::run(root, "cargo", &all).map_err(|_| "there are findings (see above)".to_owned())
}

/// The hunt for lost and wrong data (`bench/store-hunt`).
///
/// # Errors
/// When there is a finding.
pub(crate) fn store(root: &Path, command: &str, args: &[&str]) -> Result<(), String> {
    let mut all = vec![
        "run",
        "--quiet",
        "--profile",
        "hunt",
        "--package",
        "flin-store-hunt",
        "--",
        command,
    ];
    all.extend(args);
    steps::run(root, "cargo", &all).map_err(|_| "there are findings (see above)".to_owned())
}

/// The tests of the targets, with a machine that asserts every register, object and bound that it touches.
///
/// # Errors
/// When one fails.
pub(crate) fn checked(root: &Path) -> Result<(), String> {
    let args = [
        "test",
        "--quiet",
        "--package",
        "flin-fuzz",
        "--features",
        "checked",
    ];
    steps::run(root, "cargo", &args)
}
