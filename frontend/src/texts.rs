//! The source texts of a program, counted as one. Here because all stages know one text, whether a program has one file or many.
//! Must stay true: no line and no place belongs to two files; what is said in the end is said of a file.

use std::borrow::Cow;

use flin_bytecode::module::{Asset, SourceFile};
use flin_syntax::span::LineIndex;
use flin_syntax::{Code, Diagnostic, FileId, Parsed, Span};

use crate::project::{Project, ProjectSource, Role};

/// The source texts of a program, counted as one: places are those in the whole.
pub(crate) struct Texts<'s> {
    pub(crate) name: &'s str,
    pub(crate) whole: Cow<'s, str>,
    /// Where each source of a project begins in the whole, with what it is; empty if there is one source.
    pub(crate) files: Vec<(u32, &'s ProjectSource)>,
    /// What the project serves as it is.
    pub(crate) assets: &'s [Asset],
}

impl<'s> Texts<'s> {
    pub(crate) fn single(name: &'s str, text: &'s str) -> Texts<'s> {
        Texts {
            name,
            whole: Cow::Borrowed(text),
            files: Vec::new(),
            assets: &[],
        }
    }

    pub(crate) fn of_project(project: &'s Project) -> Texts<'s> {
        let mut whole = String::new();
        let mut files = Vec::new();
        for source in &project.sources {
            files.push((u32::try_from(whole.len()).unwrap_or(u32::MAX), source));
            whole.push_str(&source.text);
            // No line belongs to two files, nor a place: the end of one is not the beginning of the next.
            whole.push('\n');
        }
        Texts {
            name: &project.name,
            whole: Cow::Owned(whole),
            files,
            assets: &project.assets,
        }
    }

    /// A diagnostic with places in the files.
    pub(crate) fn in_files(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        for label in &mut diagnostic.labels {
            let after = self
                .files
                .partition_point(|(start, _)| *start <= label.span.start);
            if let Some(at) = after.checked_sub(1) {
                label.file = FileId(u32::try_from(at).unwrap_or(u32::MAX));
                label.span = label.span.earlier(self.files[at].0);
            }
        }
        diagnostic
    }

    pub(crate) fn parse(&self) -> Vec<(&Role, Parsed)> {
        if self.files.is_empty() {
            return vec![(&Role::Shared, flin_syntax::parse(&self.whole))];
        }
        let parse = |(start, source): &(u32, &'s ProjectSource)| {
            (&source.role, flin_syntax::parse_at(&source.text, *start))
        };
        self.files.iter().map(parse).collect()
    }

    /// All words of the program; the place of a component's file stands for the word.
    pub(crate) fn words(&self) -> Cow<'_, str> {
        let is_component = |role: &Role| matches!(role, Role::Component(_));
        if self
            .files
            .iter()
            .any(|(_, source)| is_component(&source.role))
        {
            return Cow::Owned(format!("{}\ncomponent", self.whole));
        }
        Cow::Borrowed(&self.whole)
    }

    /// The table by which lines of the whole find their file.
    pub(crate) fn lines(&self) -> Vec<SourceFile> {
        if self.files.is_empty() {
            return Vec::new();
        }
        let index = LineIndex::new(&self.whole);
        let file = |(start, source): &(u32, &'s ProjectSource)| SourceFile {
            name: source.name.clone(),
            first_line: index.line(*start),
        };
        self.files.iter().map(file).collect()
    }

    /// Files that stand where they cannot be anything.
    pub(crate) fn misplaced(&self) -> impl Iterator<Item = Diagnostic> {
        self.files
            .iter()
            .filter_map(|(start, source)| match &source.role {
                Role::Misplaced(title, hint) => {
                    let wrong =
                        Diagnostic::error(Code::MisplacedFile, Span::at(*start), title.clone());
                    Some(wrong.hint(hint.clone()))
                }
                Role::Shared | Role::Component(_) | Role::Page { .. } | Role::Layout(_) => None,
            })
    }
}
