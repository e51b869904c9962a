//! A folder of a disk as a project's. Here because the program `flinc` and `flinvm dev` read the same folders; nothing else in the
//! library touches a disk, and nothing in it calls this. Must stay true: links are followed, what is no file and no
//! folder is passed over.
#![allow(clippy::disallowed_methods)]

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::project::Folder;

/// A folder on the disk.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
}

impl Disk {
    /// The folder at a path.
    #[must_use]
    pub fn new(root: &Path) -> Disk {
        Disk {
            root: root.to_owned(),
        }
    }
}

impl Folder for Disk {
    fn list(&self, path: &str) -> Result<Option<Vec<(String, bool)>>, String> {
        let entries = match std::fs::read_dir(self.root.join(path)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| error.to_string())?;
            let name = entry.file_name().into_string();
            let name = name.map_err(|name| format!("the name {} is no text", name.display()))?;
            let about = std::fs::metadata(entry.path());
            let about = about.map_err(|error| format!("{name}: {error}"))?;
            if about.is_dir() || about.is_file() {
                found.push((name, about.is_dir()));
            }
        }
        Ok(Some(found))
    }

    fn read(&self, path: &str, bytes_max: usize) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
        std::fs::File::open(self.root.join(path))
            .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes))
            .map_err(|error| error.to_string())?;
        Ok(bytes)
    }
}
