//! `cargo xtask attack`: builds the server as it is shipped, and lets `bench/attack` try it; and the killing of the store's
//! processes. Here because an attack on a debug build says nothing of the one that people run. Must stay true: what is tried
//! stands in `bench/attack` and `bench/store-hunt`; a tool that is missing is an error that says how to get it.

use std::path::{Path, PathBuf};

use crate::{fuzz, packages, steps};

/// The suite of Autobahn that was read, for Python 2.7 only.
const AUTOBAHN: &str = "autobahntestsuite==25.10.1";

/// Runs the attack that `args` name; all on the server if they name none.
///
/// # Errors
/// When something went otherwise than it must.
pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), String> {
    match args {
        ["store-kill", rest @ ..] => fuzz::store(root, "store-kill", rest),
        ["slowhttptest"] => {
            packages::ensure_one(root, "slowhttptest")?;
            attack(root, args)
        }
        ["autobahn", python @ ..] => {
            let python = python_of(root, python.first().copied())?;
            let dir = autobahn(root, &python)?;
            attack(root, &["autobahn", &python, &dir.display().to_string()])
        }
        _ => attack(root, args),
    }
}

fn attack(root: &Path, args: &[&str]) -> Result<(), String> {
    steps::run_shipped(root, "flin-attack", args)
        .map_err(|error| format!("{error}: the server did not stand the attack (see above)"))
}

/// A Python 2.7: the one that is named, or one that is found. Autobahn's client is written in nothing newer.
fn python_of(root: &Path, named: Option<&str>) -> Result<String, String> {
    let mut found: Vec<String> = match named {
        Some(named) => vec![named.to_owned()],
        None => vec!["python2.7".to_owned(), "python2".to_owned()],
    };
    if named.is_none() {
        let versions = std::env::home_dir().map(|home| home.join(".pyenv/versions"));
        let versions = versions.and_then(|dir| std::fs::read_dir(dir).ok());
        let versions = versions.into_iter().flatten().flatten();
        let pythons = versions.map(|version| version.path().join("bin/python2.7"));
        found.extend(pythons.map(|path| path.display().to_string()));
    }
    let is_2_7 = |python: &&String| {
        let test = "import sys; sys.exit(sys.version_info[:2] != (2, 7))";
        steps::output(root, python, &["-c", test]).is_ok()
    };
    found.iter().find(is_2_7).cloned().ok_or_else(|| {
        format!(
            "Autobahn's fuzzing client needs a Python 2.7, and {} is none: NOTHING WAS TRIED. Install one (Debian has it no \
             more; `pyenv install 2.7` does), then: cargo xtask attack autobahn [PATH OF PYTHON]",
            found.join(", ")
        )
    })
}

/// Where Autobahn lies, below the target folder; installed if it is not there.
fn autobahn(root: &Path, python: &str) -> Result<PathBuf, String> {
    let dir = steps::target_dir(root)?.join("autobahn");
    if dir.join("autobahntestsuite").is_dir() {
        return Ok(dir);
    }
    println!("installing {AUTOBAHN} with {python}");
    let place = dir.display().to_string();
    let args = [
        "-m", "pip", "install", "--quiet", "--target", &place, AUTOBAHN,
    ];
    steps::run(root, python, &args).map_err(|error| format!("{error}: NOTHING WAS TRIED"))?;
    Ok(dir)
}
