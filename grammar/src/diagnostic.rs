//! Messages for people: what was expected, what was found, where, what to do.
//!
//! One type for all stages of the compiler. What must stay true: every diagnostic has a code from [`crate::codes`] and at
//! least one label that points into a source; sentences are plain English without a final full stop in titles and labels.

use crate::codes::Code;
use crate::span::Span;

/// Which of several source files a label points into; the position in the [`crate::render::Sources`] list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The program cannot be used.
    Error,
    /// The program can be used, but probably means something else.
    Warning,
}

/// A place in a source with what is to be said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The file.
    pub file: FileId,
    /// The place.
    pub span: Span,
    /// What is there; may be empty.
    pub text: String,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of message.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// One line: what is wrong.
    pub title: String,
    /// Where; the first one is the main place.
    pub labels: Vec<Label>,
    /// Why it is wrong, if the title does not say it.
    pub reason: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error at a place in the first file; the label under the caret is added by [`Diagnostic::label`] or stays empty.
    #[must_use]
    pub fn error(code: Code, span: Span, title: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Error,
            title: title.into(),
            labels: vec![Label {
                file: FileId::default(),
                span,
                text: String::new(),
            }],
            reason: None,
            hint: None,
        }
    }

    /// A warning, otherwise as [`Diagnostic::error`].
    #[must_use]
    pub fn warning(code: Code, span: Span, title: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::error(code, span, title)
        }
    }

    /// Sets the words at the main place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Diagnostic {
        if let Some(first) = self.labels.first_mut() {
            first.text = text.into();
        }
        self
    }

    /// Adds a second place in the same file.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        let file = self.labels.first().map_or(FileId::default(), |l| l.file);
        self.labels.push(Label {
            file,
            span,
            text: text.into(),
        });
        self
    }

    /// Adds a place in another file.
    #[must_use]
    pub fn also_in(mut self, file: FileId, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label {
            file,
            span,
            text: text.into(),
        });
        self
    }

    /// Moves all labels to a file (the parser knows only one).
    #[must_use]
    pub fn in_file(mut self, file: FileId) -> Diagnostic {
        for label in &mut self.labels {
            label.file = file;
        }
        self
    }

    /// Says why.
    #[must_use]
    pub fn reason(mut self, text: impl Into<String>) -> Diagnostic {
        self.reason = Some(text.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Diagnostic {
        self.hint = Some(text.into());
        self
    }

    /// The main place.
    #[must_use]
    pub fn span(&self) -> Span {
        self.labels.first().map_or(Span::at(0), |label| label.span)
    }

    /// True for errors, false for warnings.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
