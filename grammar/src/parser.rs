//! The door: text in, tree and messages out.
//!
//! Runs the lexer and the generated parser, turns errors into diagnostics and puts them in order. An error of the parser
//! on the line of an error of the lexer is dropped: it is a consequence, and the lexer's message is the better one.

use crate::ast::Program;
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Severity};
use crate::limits::{ERRORS_SHOWN_MAX, FILE_BYTES_MAX, WARNINGS_SHOWN_MAX};
use crate::make::Context;
use crate::resync::{Attempt, Terminal, parse_resynced};
use crate::span::{LineIndex, Span};
use crate::{Parsed, errors, lexer};
use lalrpop_util::lalrpop_mod;

#[cfg(not(feature = "coverage"))]
lalrpop_mod!(
    #[allow(
        clippy::all,
        clippy::pedantic,
        unused_qualifications,
        missing_docs,
        unreachable_pub,
        dead_code
    )]
    flin
);

#[cfg(feature = "coverage")]
lalrpop_mod!(
    #[allow(
        clippy::all,
        clippy::pedantic,
        unused_qualifications,
        missing_docs,
        unreachable_pub,
        dead_code
    )]
    flin,
    "/flin_counting.rs"
);

/// Parses bytes that should be UTF-8. See [`parse`].
#[must_use]
pub fn parse_bytes(source: &[u8]) -> Parsed {
    match std::str::from_utf8(source) {
        Ok(text) => parse(text),
        Err(error) => {
            let at = u32::try_from(error.valid_up_to()).unwrap_or(u32::MAX);
            refused(
                Diagnostic::error(Code::NotUtf8, Span::at(at), "the file is not UTF-8 text")
                    .label(format!("byte {at} belongs to no character"))
                    .hint("save the file as UTF-8"),
            )
        }
    }
}

/// What there is to say about a file of more than [`FILE_BYTES_MAX`] bytes. Whoever reads files says it without reading
/// such a file to its end.
#[must_use]
pub fn too_large() -> Diagnostic {
    let title = format!("the file has more than {} MiB", FILE_BYTES_MAX >> 20);
    Diagnostic::error(Code::FileTooLarge, Span::at(0), title)
        .hint("split the file, or move data out of the program")
}

/// Parses a source text. Always gives a tree; it has `Error` nodes where something could not be read.
#[must_use]
pub fn parse(source: &str) -> Parsed {
    parse_noted(source).parsed
}

/// Parses one of several source texts that are counted as one: every place in the tree and in the messages is `base` bytes
/// further than it stands in this text.
#[must_use]
pub fn parse_at(source: &str, base: u32) -> Parsed {
    let mut parsed = parse_from(source, base).parsed;
    for diagnostic in &mut parsed.diagnostics {
        for label in &mut diagnostic.labels {
            label.span = label.span.later(base);
        }
    }
    for place in &mut parsed.unread {
        *place += base;
    }
    parsed
}

/// A parse with what the tree does not hold.
pub(crate) struct Noted {
    pub(crate) parsed: Parsed,
    pub(crate) tokens: Vec<Terminal>,
    /// Where the statements start, in order.
    pub(crate) statement_starts: Vec<u32>,
}

/// Parses, and keeps what the formatter needs.
pub(crate) fn parse_noted(source: &str) -> Noted {
    parse_from(source, 0)
}

/// The same; places in the tree, and only those, are `base` bytes further than in the text.
fn parse_from(source: &str, base: u32) -> Noted {
    if source.len() > FILE_BYTES_MAX {
        let parsed = refused(too_large());
        return Noted {
            parsed,
            tokens: Vec::new(),
            statement_starts: Vec::new(),
        };
    }
    let lexed = lexer::lex(source);
    let tokens = lexed.tokens;
    let attempt = parse_resynced(&tokens, |tokens| once(source, base, tokens));
    let (mut program, findings, mut statement_starts) = attempt.value;
    statement_starts.sort_unstable();
    program.span = Span::new(0, u32::try_from(source.len()).unwrap_or(u32::MAX)).later(base);
    let mut parser_errors: Vec<Diagnostic> = attempt
        .errors
        .iter()
        .map(|error| errors::explain(source, &tokens, error))
        .collect();
    parser_errors.extend(findings);
    let mut unread: Vec<u32> = (lexed.diagnostics.iter().chain(&parser_errors))
        .filter(|diagnostic| diagnostic.is_error())
        .map(|diagnostic| diagnostic.span().start)
        .collect();
    unread.sort_unstable();
    Noted {
        parsed: Parsed {
            program,
            diagnostics: in_order(source, lexed.diagnostics, parser_errors),
            unread,
        },
        tokens,
        statement_starts,
    }
}

/// What one run gives: the tree, what the actions found wrong, where statements start.
type Run = (Program, Vec<Diagnostic>, Vec<u32>);

/// One run of the generated parser. What it says about errors is about places in the text.
fn once(source: &str, base: u32, tokens: &[Terminal]) -> Attempt<Run> {
    let mut context = Context::new(source, base);
    let further = tokens
        .iter()
        .map(|(start, token, end)| (start + base, *token, end + base));
    let result = flin::ProgramParser::new().parse(&mut context, further);
    let mut errors = std::mem::take(&mut context.recovered);
    let program = result.unwrap_or_else(|error| {
        errors.push(error);
        Program::default()
    });
    let mut findings = context.diagnostics;
    for label in findings.iter_mut().flat_map(|found| &mut found.labels) {
        label.span = label.span.earlier(base);
    }
    Attempt {
        value: (program, findings, context.statement_starts),
        // Where a text ends is told without a token by the generated parser, so it may not have been moved.
        errors: errors
            .into_iter()
            .map(|error| error.map_location(|at: u32| at.saturating_sub(base)))
            .collect(),
    }
}

fn refused(diagnostic: Diagnostic) -> Parsed {
    Parsed {
        program: Program::default(),
        diagnostics: vec![diagnostic],
        unread: vec![0],
    }
}

/// All messages by place, consequences dropped, at most [`ERRORS_SHOWN_MAX`] errors.
fn in_order(source: &str, lexer: Vec<Diagnostic>, parser: Vec<Diagnostic>) -> Vec<Diagnostic> {
    if lexer.is_empty() && parser.is_empty() {
        return Vec::new();
    }
    let lines = LineIndex::new(source);
    let mut lexer_lines: Vec<u32> = lexer
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .flat_map(|diagnostic| diagnostic.labels.iter())
        .map(|label| lines.line(label.span.start))
        .collect();
    lexer_lines.sort_unstable();
    let mut all = one_flood_per_line(&lines, lexer);
    let headless = headless_bodies(source, &all);
    all.extend(parser.into_iter().filter(|diagnostic| {
        let at = diagnostic.span().start;
        let in_headless = headless.iter().any(|body| body.contains(&at));
        let on_line = lexer_lines.binary_search(&lines.line(at)).is_ok();
        !diagnostic.is_error() || !on_line && !in_headless
    }));
    all.sort_by_key(|diagnostic| (diagnostic.span().start, diagnostic.code));
    all.dedup_by(|later, first| {
        later.severity == Severity::Error
            && first.severity == Severity::Error
            && (later.span().start == first.span().start
                || is_general(later.code)
                    && lines.line(later.span().start) == lines.line(first.span().start))
    });
    drop_consequences(source, &mut all);
    drop_runs(source, &lines, &mut all);
    drop_branches(source, &mut all);
    let mut warnings = 0;
    all.retain(|diagnostic| {
        warnings += usize::from(!diagnostic.is_error());
        diagnostic.is_error() || warnings <= WARNINGS_SHOWN_MAX
    });
    limit_errors(all)
}

/// The deeper lines below a text without end that has swallowed the `{` at the end of its line: nobody knows any more what
/// they are the body of.
fn headless_bodies(source: &str, lexer: &[Diagnostic]) -> Vec<std::ops::Range<u32>> {
    let mut bodies = Vec::new();
    for text in lexer.iter().filter(|it| it.code == Code::UnclosedText) {
        let at = text.span().start as usize;
        let before = source[..at].rfind('\n').map_or(0, |end| end + 1);
        let indent = lexer::indent_of(source, before).unwrap_or(0);
        let mut lines = source[before..].split_inclusive('\n');
        let head = lines.next().unwrap_or("");
        if !head.trim_end().ends_with('{') {
            continue;
        }
        let start = before + head.len();
        let mut end = start;
        for line in lines {
            if lexer::indent_of(source, end).is_some_and(|own| own <= indent) {
                break;
            }
            end += line.len();
        }
        bodies.push(start as u32..end as u32);
    }
    bodies
}

/// Codes that say no more than that the grammar does not go on: after another mistake on the line they are consequences.
fn is_general(code: Code) -> bool {
    matches!(
        code,
        Code::UnexpectedToken
            | Code::UnexpectedEnd
            | Code::MissingSeparator
            | Code::ReservedWord
            | Code::MissingBlock
    )
}

/// A closer that closes nothing below another mistake of the same declaration: the opener was lost there.
fn drop_consequences(source: &str, all: &mut Vec<Diagnostic>) {
    let mut last: Option<u32> = None;
    all.retain(|diagnostic| {
        let at = diagnostic.span().start;
        let same_declaration = |before: u32| {
            let between = source.get(before as usize..at as usize).unwrap_or("");
            let mut lines = between.split('\n').skip(1);
            !lines.any(|line| line.starts_with(|c: char| !c.is_whitespace() && !")]}".contains(c)))
        };
        let follows = diagnostic.code == Code::StrayCloser && last.is_some_and(same_declaration);
        if diagnostic.is_error() && !follows {
            last = Some(at);
        }
        !follows
    });
}

/// Where a separator seems to be missing, the next lines are read as parts of something that they do not belong to: of
/// messages on one line after the other that say no more than that, the first is enough.
fn drop_runs(source: &str, lines: &LineIndex, all: &mut Vec<Diagnostic>) {
    let mut last: Option<u32> = None;
    all.retain(|diagnostic| {
        let at = diagnostic.span().start as usize;
        if !is_general(diagnostic.code) {
            return true;
        }
        let start = source[..at].rfind('\n').map_or(0, |end| end + 1);
        let inside = lexer::indent_of(source, start) != Some(0);
        let line = lines.line(diagnostic.span().start);
        let follows = inside && last.is_some_and(|last| line <= last + 1);
        let leads = follows || diagnostic.code == Code::MissingSeparator;
        last = leads.then_some(line);
        !follows
    });
}

/// `elif` and `else` below an `if` that was written by the custom of other languages, with `:` and without braces: it was
/// told at the `if`.
fn drop_branches(source: &str, all: &mut Vec<Diagnostic>) {
    let line_at = |at: u32| {
        let start = source[..at as usize].rfind('\n').map_or(0, |end| end + 1);
        let line = source[start..].lines().next().unwrap_or("");
        (start, lexer::indent_of(source, start), line.trim())
    };
    let mut head: Option<(usize, Option<u32>)> = None;
    all.retain(|diagnostic| {
        if !diagnostic.is_error() {
            return true;
        }
        let (start, indent, line) = line_at(diagnostic.span().start);
        let branch = line.starts_with("elif") || line.starts_with("else");
        if let Some((first, outer)) = head
            && branch
            && indent == outer
        {
            let between = source.get(first..start).unwrap_or("");
            let mut places = between.match_indices('\n').map(|(at, _)| first + at + 1);
            let ends = |at: usize| {
                let (_, own, line) = line_at(at as u32);
                own.is_some_and(|own| Some(own) <= outer)
                    && !line.starts_with("elif")
                    && !line.starts_with("else")
                    && at != start
            };
            if !places.any(ends) {
                return false;
            }
        }
        if line.starts_with("if ") && line.ends_with(':') {
            head = Some((start, indent));
        }
        true
    });
}

/// One missing quote or brace leaves everything around it open as well, and copied text brings many strange characters:
/// the first message of the kind on a line is enough.
fn one_flood_per_line(lines: &LineIndex, mut lexer: Vec<Diagnostic>) -> Vec<Diagnostic> {
    lexer.sort_by_key(|diagnostic| diagnostic.span().start);
    // A text without end swallows the closers of the brackets around it.
    let line_of = |diagnostic: &Diagnostic| lines.line(diagnostic.span().start);
    let is_text = |diagnostic: &&Diagnostic| diagnostic.code == Code::UnclosedText;
    let open_texts: Vec<u32> = lexer.iter().filter(is_text).map(line_of).collect();
    lexer.retain(|diagnostic| {
        diagnostic.code == Code::UnclosedText
            || open_texts.binary_search(&line_of(diagnostic)).is_err()
    });
    let mut last = None;
    lexer.retain(|diagnostic| {
        let floods = matches!(
            diagnostic.code,
            Code::UnclosedText | Code::UnclosedBracket | Code::UnknownCharacter
        );
        if !floods {
            return true;
        }
        let line = lines.line(diagnostic.span().start);
        last.replace((diagnostic.code == Code::UnknownCharacter, line))
            != Some((diagnostic.code == Code::UnknownCharacter, line))
    });
    lexer
}

fn limit_errors(mut all: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut errors = 0;
    let cut = all.iter().position(|diagnostic| {
        errors += usize::from(diagnostic.is_error());
        errors > ERRORS_SHOWN_MAX
    });
    if let Some(cut) = cut {
        let at = all[cut].span();
        all.truncate(cut - 1);
        all.push(
            Diagnostic::error(Code::TooManyErrors, at, "too many errors")
                .label("and more from here on")
                .hint("repair the first ones; later ones are often consequences"),
        );
    }
    all
}
