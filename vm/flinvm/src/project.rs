//! A project's folder, compiled in this process. Must stay true: what the compiler says is shown with the names of the files.

use std::path::Path;

use flin_runtime::vm::bytecode::Module;
use flinc::disk::Disk;
use flinc::project::Project;
use flinc::syntax::render::{Color, Sources, render_all};

use crate::fault::Fault;

/// Reads a folder.
pub(crate) fn read(folder: &Path) -> Result<Project, Fault> {
    let name = folder.display().to_string();
    Project::read(&name, &Disk::new(folder)).map_err(|error| Fault::NotAProgram {
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
            tell!("{}", render_all(&compiled.warnings, &sources, color));
            Ok(compiled.module)
        }
        Err(diagnostics) => Err(Fault::Refused(render_all(&diagnostics, &sources, color))),
    }
}
