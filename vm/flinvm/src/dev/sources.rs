//! The texts that make up a program, as they are on the disk now: a file, or the folder of a project. Must stay true: two
//! readings are equal exactly if the compiler would see the same.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use flin_runtime::vm::bytecode::Module;
use flinc::optimise::Passes;
use flinc::project::Project;
use flinc::syntax::render::{self, Color, render_all};

use crate::fault::Fault;
use crate::project;

/// The compiler takes no longer file; one more byte and it says so.
const SOURCE_BYTES_MAX: u64 = (16 << 20) + 1;

/// What was read.
#[derive(Clone)]
pub(crate) enum Sources {
    /// One file: its shown name and its text.
    File(String, Arc<str>),
    /// A folder.
    Project(Arc<Project>),
}

/// A program that the compiler refused, in its words.
pub(crate) struct Refused {
    pub(crate) plain: String,
    pub(crate) colored: String,
}

impl PartialEq for Sources {
    fn eq(&self, other: &Sources) -> bool {
        match (self, other) {
            (Sources::File(name, text), Sources::File(other, others)) => {
                name == other && text == others
            }
            (Sources::Project(one), Sources::Project(other)) => {
                let texts = |project: &Project| {
                    let named =
                        |s: &flinc::project::ProjectSource| (s.name.clone(), s.text.clone());
                    project.sources.iter().map(named).collect::<Vec<_>>()
                };
                let same_assets = one.assets.len() == other.assets.len()
                    && one
                        .assets
                        .iter()
                        .zip(&other.assets)
                        .all(|(one, other)| one.path == other.path && one.bytes == other.bytes);
                same_assets && texts(one) == texts(other)
            }
            (Sources::File(..), Sources::Project(_)) | (Sources::Project(_), Sources::File(..)) => {
                false
            }
        }
    }
}

impl Sources {
    /// Reads them.
    pub(crate) fn read(path: &Path) -> Result<Sources, Fault> {
        if path.is_dir() {
            return Ok(Sources::Project(Arc::new(project::read(path)?)));
        }
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(SOURCE_BYTES_MAX).read_to_end(&mut bytes))
            .map_err(|source| Fault::Unreadable {
                path: path.to_owned(),
                source,
            })?;
        let text = String::from_utf8(bytes).map_err(|_| Fault::NotAProgram {
            path: path.to_owned(),
            reason: "a source is UTF-8 text, and this file is not".to_owned(),
        })?;
        Ok(Sources::File(path.display().to_string(), text.into()))
    }

    /// Shown names and texts.
    fn texts(&self) -> Vec<(&str, &str)> {
        match self {
            Sources::File(name, text) => vec![(name, text)],
            Sources::Project(project) => {
                let sources = project.sources.iter();
                sources
                    .map(|s| (s.name.as_str(), s.text.as_str()))
                    .collect()
            }
        }
    }

    /// Whether a file became empty that was not: most likely somebody is about to write it.
    pub(crate) fn lost_text(&self, before: &Sources) -> bool {
        let was = |name: &str| before.text(name).is_some_and(|text| !text.is_empty());
        let texts = self.texts();
        texts
            .iter()
            .any(|(name, text)| text.is_empty() && was(name))
    }

    /// The text of a file by the name that messages show.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let texts = self.texts();
        let (_, text) = texts.into_iter().find(|(known, _)| *known == name)?;
        Some(text)
    }

    /// Compiles them. Warnings are said on the terminal.
    pub(crate) fn compile(&self, color: bool) -> Result<Module, Refused> {
        let mut shown = render::Sources::default();
        for (name, text) in self.texts() {
            shown.add(name, text);
        }
        let compiled = match self {
            Sources::File(name, text) => flinc::compile(name, text),
            Sources::Project(project) => flinc::compile_project(project, Passes::default()),
        };
        match compiled {
            Ok(compiled) => {
                let color = if color { Color::Always } else { Color::Never };
                tell!("{}", render_all(&compiled.warnings, &shown, color));
                Ok(compiled.module)
            }
            Err(diagnostics) => Err(Refused {
                plain: render_all(&diagnostics, &shown, Color::Never),
                colored: render_all(&diagnostics, &shown, Color::Always),
            }),
        }
    }
}
