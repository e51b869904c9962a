//! All FLIN programs of the repository. Here because several suites take every program that exists as their input. Must
//! stay true: generated files and hidden folders do not count; the order is always the same.

use std::path::{Path, PathBuf};

/// The root of the workspace.
///
/// # Panics
/// When this crate does not lie in it.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("bench/testkit lies two levels down")
        .to_path_buf()
}

/// Path and text of each `.flin` file that is UTF-8, sorted by path.
///
/// # Panics
/// When a folder cannot be read, or there are next to no programs.
pub fn flin_files() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        let entries =
            std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        for entry in entries {
            let path = entry.expect("a readable folder entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "flin") {
                // Some files are wrong on purpose, down to their bytes.
                if let Ok(text) = std::fs::read_to_string(&path) {
                    found.push((path, text));
                }
            }
        }
    }
    found.sort();
    assert!(found.len() > 60, "only {} programs", found.len());
    found
}
