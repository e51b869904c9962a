//! FLIN source text to tree: lexer, LALRPOP grammar, spans and diagnostics.
//!
//! The crate stands alone: it knows no other crate of the workspace, reads no files and keeps no state. Text goes in, a
//! tree and a list of diagnostics come out, always both: a program with errors still gives a tree of what could be read.

#![forbid(unsafe_code)]

pub mod ast;
pub mod codes;
#[cfg(feature = "coverage")]
pub mod coverage;
pub mod diagnostic;
pub mod dump;
mod errors;
mod lexer;
pub mod limits;
mod make;
mod parser;
mod print;
mod references;
pub mod render;
mod resync;
pub mod span;
mod token;

pub use codes::Code;
pub use diagnostic::{Diagnostic, FileId, Severity};
pub use parser::{parse, parse_at, parse_bytes, too_large};
pub use print::format;
pub use span::Span;

/// The places of the tokens of a source text, as the first pass of the lexer sees them; what it had to add (a missing
/// closer) has an empty place. Between them stand only white space, comments, and characters that were reported.
#[must_use]
pub fn token_spans(source: &str) -> Vec<Span> {
    if source.len() > limits::FILE_BYTES_MAX {
        return Vec::new();
    }
    lexer::places(source)
}

/// What the parser made of a source text.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The tree; with `Error` nodes where something could not be read.
    pub program: ast::Program,
    /// What is wrong, in the order of places. At most [`limits::ERRORS_SHOWN_MAX`] errors.
    pub diagnostics: Vec<Diagnostic>,
    /// Where something could not be read, in order; more places than messages, which are limited.
    pub unread: Vec<u32>,
}

impl Parsed {
    /// True if there is at least one error (warnings do not count).
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}
