//! The golden runner of this crate: for each `.flin` file of a folder, an expectation beside it.
//!
//! `BLESS=1` rewrites the expectations; read the diff before you commit it. An expectation without a source is an error too.

use std::path::{Path, PathBuf};

/// The folder `tests/<name>`.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// All `.flin` files of a folder with their bytes, by name.
pub(crate) fn sources(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder(name))
        .expect("the folder exists")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "flin"))
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let bytes = std::fs::read(&path).expect("the file can be read");
            (path, bytes)
        })
        .collect()
}

/// Compares `actual` with the file beside `source`; gives a report of the difference.
pub(crate) fn compare(source: &Path, extension: &str, actual: &str) -> Option<String> {
    let path = source.with_extension(extension);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, actual).expect("the expectation can be written");
        return None;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if expected == actual {
        return None;
    }
    let line = expected
        .lines()
        .zip(actual.lines())
        .position(|(a, b)| a != b)
        .unwrap_or_else(|| expected.lines().count().min(actual.lines().count()));
    Some(format!(
        "{} differs from line {}:\n  expected: {}\n  actual:   {}\n(run with BLESS=1 to accept)",
        path.display(),
        line + 1,
        expected.lines().nth(line).unwrap_or("<end>"),
        actual.lines().nth(line).unwrap_or("<end>"),
    ))
}

/// Expectations that have no source any more.
pub(crate) fn orphans(name: &str, extension: &str) -> Vec<PathBuf> {
    std::fs::read_dir(folder(name))
        .expect("the folder exists")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == extension))
        .filter(|path| !path.with_extension("flin").exists())
        .collect()
}
