//! A project's folder, compiled in this process. Must stay true: links are followed, what is no file and no folder is passed
//! over; what the compiler says is shown with the names of the files.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use flin_runtime::vm::bytecode::Module;
use flinc::project::{Folder, Project};
use flinc::syntax::render::{Color, Sources, render_all};

use crate::fault::Fault;

/// A folder on the disk.
struct Disk(PathBuf);

impl Folder for Disk {
    fn list(&self, path: &str) -> Result<Option<Vec<(String, bool)>>, String> {
        let entries = match std::fs::read_dir(self.0.join(path)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| error.to_string())?;
            let name = entry.file_name().into_string();
            let name = name.map_err(|name| format!("the name {} is no text", name.display()))?;
            let about =
                std::fs::metadata(entry.path()).map_err(|error| format!("{name}: {error}"))?;
            if about.is_dir() || about.is_file() {
                found.push((name, about.is_dir()));
            }
        }
        Ok(Some(found))
    }

    fn read(&self, path: &str, bytes_max: usize) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
        std::fs::File::open(self.0.join(path))
            .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes))
            .map_err(|error| error.to_string())?;
        Ok(bytes)
    }
}

/// Reads a folder.
pub(crate) fn read(folder: &Path) -> Result<Project, Fault> {
    let name = folder.display().to_string();
    Project::read(&name, &Disk(folder.to_owned())).map_err(|error| Fault::NotAProgram {
        path: folder.to_owned(),
        reason: error.to_string(),
    })
}

/// Compiles a folder; warnings go to stderr.
pub(crate) fn compile(folder: &Path, color: bool) -> Result<Module, Fault> {
    let project = read(folder)?;
    let mut sources = Sources::default();
    for source in &project.sources {
        sources.add(&source.name, &source.text);
    }
    let color = if color { Color::Always } else { Color::Never };
    match flinc::compile_project(&project, flinc::optimise::Passes::default()) {
        Ok(compiled) => {
            eprint!("{}", render_all(&compiled.warnings, &sources, color));
            Ok(compiled.module)
        }
        Err(diagnostics) => Err(Fault::Refused(render_all(&diagnostics, &sources, color))),
    }
}
