//! The formatter: one canonical layout, with every comment at its place.
//!
//! It works on the terminals, not on the tree, so that literals, parentheses and quotes stay as they are written. What must stay
//! true: the result is parsed again before it is handed out; if its tree or its comments were not those of the source, nothing
//! is handed out, so a mistake here can never spoil a file. Formatting what was formatted changes nothing.

mod bracket;
mod doc;
mod expression;
mod gaps;
mod items;
mod markup;
mod walk;

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::limits::FILE_BYTES_MAX;
use crate::span::Span;
use crate::{dump, parser};

/// Stack of the thread that formats: trees are up to 2,000 high, and checks walk them.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Formats a source text.
///
/// # Errors
/// The messages about a source that cannot be read (errors and warnings), or one of [`Code::FormatterFault`] if the layout
/// would change what the program means; the source is to be left alone then.
pub fn format(source: &str) -> Result<String, Vec<Diagnostic>> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || format_here(source));
        match thread {
            Ok(thread) => match thread.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            },
            Err(error) => Err(vec![fault(format!("no thread could be started: {error}"))]),
        }
    })
}

fn format_here(source: &str) -> Result<String, Vec<Diagnostic>> {
    let before = parser::parse_noted(source);
    if before.parsed.has_errors() {
        return Err(before.parsed.diagnostics);
    }
    let items = items::read(source, &before.tokens, &before.statement_starts)
        .ok_or_else(|| vec![fault("the brackets of the source were not understood")])?;
    let comments = comments(source, &items);
    let formatted = walk::Walk::new(source, items).file();
    if formatted.len() > FILE_BYTES_MAX {
        return Err(vec![fault(
            "the formatted text would be larger than a file may be",
        )]);
    }
    let after = parser::parse_noted(&formatted);
    if after.parsed.has_errors() || !dump::is_same(&after.parsed.program, &before.parsed.program) {
        return Err(vec![fault("the formatted text would be another program")]);
    }
    let again = items::read(&formatted, &after.tokens, &after.statement_starts);
    if again.is_none_or(|items| self::comments(&formatted, &items) != comments) {
        return Err(vec![fault("the formatted text would have other comments")]);
    }
    Ok(formatted)
}

/// The comments in order, without the carriage returns of Windows.
fn comments(source: &str, items: &items::Items) -> Vec<String> {
    items
        .comments
        .iter()
        .map(|comment| source[comment.start as usize..comment.end as usize].replace('\r', ""))
        .collect()
}

fn fault(reason: impl Into<String>) -> Diagnostic {
    Diagnostic::error(
        Code::FormatterFault,
        Span::at(0),
        "the formatter refused to change this file",
    )
    .reason(reason)
    .hint("the file is unchanged; please report it, with the file, as a mistake of the formatter")
}
