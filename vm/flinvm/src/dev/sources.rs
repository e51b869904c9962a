//! The texts that make up a program, as they are on the disk now. Must stay true: two readings are equal exactly if the
//! compiler would see the same.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flinc::syntax::render::{self, Color, render_all};

use crate::fault::Fault;

/// The compiler takes no longer file; one more byte and it says so.
const SOURCE_BYTES_MAX: u64 = (16 << 20) + 1;

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sources {
    path: PathBuf,
    /// Shown name and text.
    files: Vec<(String, Arc<str>)>,
}

/// A program that the compiler refused, in its words.
pub(crate) struct Refused {
    pub(crate) plain: String,
    pub(crate) colored: String,
}

impl Sources {
    /// Reads them.
    pub(crate) fn read(path: &Path) -> Result<Sources, Fault> {
        let unreadable = |source| Fault::Unreadable {
            path: path.to_owned(),
            source,
        };
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(SOURCE_BYTES_MAX).read_to_end(&mut bytes))
            .map_err(unreadable)?;
        let text = String::from_utf8(bytes).map_err(|_| Fault::NotAProgram {
            path: path.to_owned(),
            reason: "a source is UTF-8 text, and this file is not".to_owned(),
        })?;
        Ok(Sources {
            path: path.to_owned(),
            files: vec![(path.display().to_string(), text.into())],
        })
    }

    /// Whether a file became empty that was not: most likely somebody is about to write it.
    pub(crate) fn lost_text(&self, before: &Sources) -> bool {
        let was = |name: &str| before.text(name).is_some_and(|text| !text.is_empty());
        (self.files.iter()).any(|(name, text)| text.is_empty() && was(name))
    }

    /// The text of a file by the name that messages show.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let (_, text) = self.files.iter().find(|(known, _)| known == name)?;
        Some(text)
    }

    /// Compiles them. Warnings are said on the terminal.
    pub(crate) fn compile(
        &self,
        color: bool,
    ) -> Result<flin_runtime::vm::bytecode::Module, Refused> {
        let (name, text) = &self.files[0];
        let shown = render::Sources::single(name, text);
        match flinc::compile(name, text) {
            Ok(compiled) => {
                let color = if color { Color::Always } else { Color::Never };
                eprint!("{}", render_all(&compiled.warnings, &shown, color));
                Ok(compiled.module)
            }
            Err(diagnostics) => Err(Refused {
                plain: render_all(&diagnostics, &shown, Color::Never),
                colored: render_all(&diagnostics, &shown, Color::Always),
            }),
        }
    }
}
