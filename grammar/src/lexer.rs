//! Source text to terminals, in two passes.
//!
//! Pass 1 (`scan`) reads characters in modes (code, text, tag, markup) and notes for each token whether a blank or a newline stood
//! before it. `brackets` then makes the brackets of code balance. Pass 2 (`cook`) walks the balanced list with a table of
//! partners and decides the dozen questions that the grammar cannot (which `{` is a map, where a newline ends a statement …).
//! What must stay true: whatever the text, the result is balanced, and every repair has been reported.

mod brackets;
mod characters;
mod context;
mod cook;
mod look;
mod markup;
mod scan;
mod tag;
mod text;
mod words;

pub(crate) use characters::indent_of;
pub(crate) use text::unicode_escape;

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::limits::TOKENS_MAX;
use crate::span::Span;
use crate::token::{Tok, Token};

/// The terminals of a source text, with what was wrong on the way.
pub(crate) struct Lexed {
    /// Start, terminal, end.
    pub(crate) tokens: Vec<(u32, Tok, u32)>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Lexes a source text of at most [`crate::limits::FILE_BYTES_MAX`] bytes.
pub(crate) fn lex(source: &str) -> Lexed {
    let scanned = scan::scan(source);
    let mut diagnostics = scanned.diagnostics;
    if scanned.tokens.len() > TOKENS_MAX {
        return Lexed {
            tokens: Vec::new(),
            diagnostics: vec![too_many(source, &scanned.tokens)],
        };
    }
    let balanced = brackets::balance(source, &scanned.tokens, scanned.stopped, &mut diagnostics);
    let tokens = cook::cook(source, &balanced, &mut diagnostics);
    Lexed {
        tokens,
        diagnostics,
    }
}

/// The one message about a file that is not read because of its length.
fn too_many(source: &str, tokens: &[Token]) -> Diagnostic {
    let at = tokens.last().map_or(0, |token| token.start);
    let rest = source.len() - at as usize;
    Diagnostic::error(
        Code::FileTooLarge,
        Span::at(at),
        format!("the file has more than {TOKENS_MAX} words and signs"),
    )
    .label(format!("{rest} bytes from here on are not read"))
    .hint("split the file, or move data out of the program")
}

/// The places of the tokens of pass 1.
pub(crate) fn places(source: &str) -> Vec<Span> {
    let scanned = scan::scan(source);
    scanned.tokens.iter().map(|token| token.span()).collect()
}
