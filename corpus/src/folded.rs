//! A project in one file of the corpus: `// file: lib/words.flin` begins a file, up to the next such line. Here because one
//! file is one whole test. Must stay true: it is read through the compiler's own door for folders.

use std::collections::BTreeSet;

use flinc::project::{Folder, Project};

const MARK: &str = "// file: ";

/// The files of a project, by path.
struct Folded(Vec<(String, String)>);

/// The project that a corpus file holds; none if it is a program of one file.
///
/// # Panics
/// If it is a project that cannot be read.
pub(crate) fn project(source: &str) -> Option<Project> {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in source.split_inclusive('\n') {
        match (line.strip_prefix(MARK), files.last_mut()) {
            (Some(path), _) => files.push((path.trim().to_owned(), String::new())),
            (None, Some((_, text))) => text.push_str(line),
            (None, None) => {}
        }
    }
    if files.is_empty() {
        return None;
    }
    Some(Project::read(".", &Folded(files)).unwrap_or_else(|error| panic!("{error}")))
}

impl Folder for Folded {
    fn list(&self, path: &str) -> Result<Option<Vec<(String, bool)>>, String> {
        let inside = self.0.iter().filter_map(|(file, _)| {
            let below = file.strip_prefix(path)?.strip_prefix('/')?;
            Some(match below.split_once('/') {
                Some((folder, _)) => (folder.to_owned(), true),
                None => (below.to_owned(), false),
            })
        });
        let inside: BTreeSet<(String, bool)> = inside.collect();
        Ok((!inside.is_empty()).then(|| inside.into_iter().collect()))
    }

    fn read(&self, path: &str, _bytes_max: usize) -> Result<Vec<u8>, String> {
        let found = self.0.iter().find(|(file, _)| file == path);
        let found = found.ok_or_else(|| "there is no such file".to_owned())?;
        Ok(found.1.clone().into_bytes())
    }
}
