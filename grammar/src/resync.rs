//! Finds out which of the parser's recoveries went astray, and repairs them.
//!
//! While it recovers, the generated parser drops tokens one by one and may give up an open bracket whose closer then
//! breaks what follows. The brackets of the token list balance, so a better repair is known: cut the whole entry of the
//! innermost bracket around the error. It is tried for one error after the other and kept only if messages *behind* the
//! entry, or messages about closers that lost their opener, disappear by it, since those were consequences. What must stay true: the number of parses is bounded by a budget of
//! tokens; the message of a cut entry is never lost.

use crate::make::RawError;
use crate::token::Tok;
use lalrpop_util::ParseError;

/// One terminal with its place.
pub(crate) type Terminal = (u32, Tok, u32);

/// Tokens that all extra parses of one file together may read.
const TOKEN_BUDGET: usize = 3_000_000;

/// Errors looked at per file.
const LOOKS_MAX: usize = 16;

/// The outcome of one parse.
pub(crate) struct Attempt<T> {
    pub(crate) value: T,
    pub(crate) errors: Vec<RawError>,
}

/// Parses, and repairs stray recoveries. Gives the best attempt; its errors include those of the entries cut out.
pub(crate) fn parse_resynced<T>(
    tokens: &[Terminal],
    mut parse: impl FnMut(&[Terminal]) -> Attempt<T>,
) -> Attempt<T> {
    let mut best = parse(tokens);
    if best.errors.is_empty() {
        return best;
    }
    let mut current = tokens.to_vec();
    let mut kept: Vec<RawError> = Vec::new();
    let mut cuts: Vec<(u32, u32)> = Vec::new();
    let mut budget = TOKEN_BUDGET;
    let mut examined: Option<u32> = None;
    for _look in 0..LOOKS_MAX {
        let next = best
            .errors
            .iter()
            .filter(|error| place(error).is_some_and(|at| examined.is_none_or(|done| at > done)))
            .min_by_key(|error| place(error));
        let Some(error) = next.cloned() else { break };
        examined = place(&error);
        if budget < current.len() || best.errors.len() < 2 {
            break;
        }
        let Some(entry) = entry_around(&current, &error) else {
            continue;
        };
        let (from, to) = range_of(&current, &entry);
        let without = cut(&current, &entry);
        budget -= current.len();
        let mut attempt = parse(&without);
        attempt
            .errors
            .retain(|error| place(error).is_none_or(|at| at < from || at > to));
        let behind = |errors: &[RawError]| {
            errors
                .iter()
                .filter(|error| place(error).is_none_or(|at| at > to))
                .count()
        };
        let better = behind(&attempt.errors) < behind(&best.errors)
            || stray_closers(&attempt.errors) < stray_closers(&best.errors);
        if better {
            kept.push(error);
            cuts.push((from, to));
            current = without;
            best = attempt;
        }
    }
    best.errors.retain(|error| {
        let at = place(error);
        !cuts
            .iter()
            .any(|&(from, to)| at.is_some_and(|at| (from..=to).contains(&at)))
    });
    best.errors.extend(kept);
    best
}

/// Errors at a closing bracket where no operand is missing: its opening bracket was given up before.
fn stray_closers(errors: &[RawError]) -> usize {
    let is_stray = |error: &&RawError| match error {
        ParseError::UnrecognizedToken { token, expected } => {
            closes(token.1) && !expected.iter().any(|name| name == "\"!\"")
        }
        ParseError::UnrecognizedEof { .. }
        | ParseError::ExtraToken { .. }
        | ParseError::InvalidToken { .. }
        | ParseError::User { .. } => false,
    };
    errors.iter().filter(is_stray).count()
}

/// Where an error stands; none for the abort.
fn place(error: &RawError) -> Option<u32> {
    match error {
        ParseError::UnrecognizedToken { token, .. } | ParseError::ExtraToken { token } => {
            Some(token.0)
        }
        ParseError::UnrecognizedEof { location, .. } | ParseError::InvalidToken { location } => {
            Some(*location)
        }
        ParseError::User { .. } => None,
    }
}

/// An entry of a bracket: the tokens between two separators.
struct Entry {
    start: usize,
    end: usize,
    /// What opens the bracket; none at the top of the file.
    opener: Option<Tok>,
}

/// The entry of the innermost bracket around an error.
fn entry_around(tokens: &[Terminal], error: &RawError) -> Option<Entry> {
    let at = place(error)?;
    let mut index = tokens.partition_point(|token| token.0 < at);
    if let ParseError::UnrecognizedToken { token, .. } = error {
        index += tokens[index..].iter().position(|other| other == token)?;
    }
    let mut start = index.min(tokens.len());
    let mut depth = 0u32;
    let mut opener = None;
    while start > 0 {
        let tok = tokens[start - 1].1;
        if closes(tok) {
            depth += 1;
        } else if opens(tok) && depth == 0 {
            opener = Some(tok);
            break;
        } else if opens(tok) {
            depth -= 1;
        } else if depth == 0 && separates(tok) {
            break;
        }
        start -= 1;
    }
    let mut end = index.min(tokens.len());
    depth = 0;
    while let Some(&(_, tok, _)) = tokens.get(end) {
        if opens(tok) {
            depth += 1;
        } else if closes(tok) && depth == 0 {
            break;
        } else if closes(tok) {
            depth -= 1;
        } else if depth == 0 && separates(tok) {
            break;
        }
        end += 1;
    }
    (start < end).then_some(Entry { start, end, opener })
}

fn range_of(tokens: &[Terminal], entry: &Entry) -> (u32, u32) {
    (tokens[entry.start].0, tokens[entry.end - 1].2)
}

/// The tokens without the entry; where something must stand, a `Missing` stands for it.
fn cut(tokens: &[Terminal], entry: &Entry) -> Vec<Terminal> {
    let mut without = Vec::with_capacity(tokens.len());
    without.extend_from_slice(&tokens[..entry.start]);
    let stands_for_value = match entry.opener {
        None => true,
        Some(opener) => matches!(
            opener,
            Tok::LParen
                | Tok::LBracket
                | Tok::InterpolationOpen
                | Tok::MarkupIf
                | Tok::MarkupElseIf
                | Tok::HandlerOpen
        ),
    };
    let mut rest = entry.end;
    if stands_for_value {
        let (start, end) = (tokens[entry.start].0, tokens[entry.end - 1].2);
        without.push((start, Tok::Missing, end));
    } else if tokens.get(rest).is_some_and(|token| separates(token.1)) {
        rest += 1;
    } else if without.last().is_some_and(|token| separates(token.1)) {
        without.pop();
    }
    without.extend_from_slice(&tokens[rest..]);
    without
}

fn separates(tok: Tok) -> bool {
    matches!(tok, Tok::Separator | Tok::Comma)
}

fn opens(tok: Tok) -> bool {
    tok.is_open_bracket()
        || matches!(
            tok,
            Tok::InterpolationOpen
                | Tok::HandlerOpen
                | Tok::ViewOpen
                | Tok::TagOpen
                | Tok::MarkupIf
                | Tok::MarkupElseIf
                | Tok::MarkupFor
                | Tok::TextOpen
        )
}

fn closes(tok: Tok) -> bool {
    tok.is_close_bracket()
        || matches!(
            tok,
            Tok::InterpolationClose
                | Tok::HandlerClose
                | Tok::ViewClose
                | Tok::TagClose
                | Tok::TagSelfEnd
                | Tok::GenericClose
                | Tok::TextClose
        )
}
