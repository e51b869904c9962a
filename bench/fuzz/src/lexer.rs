//! Target `lexer`: any text at all. The judge: token places come in order, lie on character boundaries, do not overlap, and
//! leave only white space and comments between them (unless a character was reported); messages point into the text.

use flin_syntax::Span;
use flin_testkit::mutate;
use flin_testkit::rng::Rng;

use crate::ground::Ground;
use crate::target::{Tally, Verdict};

/// Random bytes, token soup, or a damaged program.
pub(crate) fn make(ground: &Ground, rng: &mut Rng) -> String {
    match rng.below(4) {
        0 => {
            let bytes: Vec<u8> = (0..rng.below(200)).map(|_| rng.bits() as u8).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        1 => mutate::soup(rng, 60),
        _ => {
            let (_, text) = rng.pick(&ground.sources);
            let mut text = text.clone();
            for _ in 0..rng.below(4) {
                text = match rng.below(3) {
                    0 => mutate::one_token(&text, rng).0,
                    1 => cut_bytes(&text, rng),
                    _ => mutate::white_space(&text, rng),
                };
            }
            text
        }
    }
}

/// A run of bytes removed or doubled, wherever it stands.
fn cut_bytes(text: &str, rng: &mut Rng) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let at = rng.below(bytes.len() + 1);
    let end = (at + rng.below(20)).min(bytes.len());
    if rng.one_in(2) {
        bytes.drain(at..end);
    } else {
        let copy = bytes[at..end].to_vec();
        bytes.splice(at..at, copy);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Judges the places of tokens and messages.
pub(crate) fn judge(text: &str, tally: &mut Tally) -> Verdict {
    let parsed = flin_syntax::parse(text);
    messages_point_into(text, &parsed.diagnostics)?;
    let mut from = 0;
    let mut tiled = true;
    for span in flin_syntax::token_spans(text) {
        if span.end < span.start || text.get(span.range()).is_none() {
            return Err(format!("a token is no piece of the text: {span:?}"));
        }
        if (span.start as usize) < from {
            return Err(format!(
                "tokens overlap: {span:?} begins before {from}, where the last one ends"
            ));
        }
        tiled &= only_blanks_and_comments(&text[from..span.start as usize]);
        from = span.end as usize;
    }
    tiled &= only_blanks_and_comments(&text[from..]);
    if tiled {
        tally.count("tiled exactly");
    } else if !parsed.has_errors() {
        return Err("something between two tokens was passed over without a message".to_owned());
    }
    Ok(())
}

/// Every label is a piece of the text.
pub(crate) fn messages_point_into(text: &str, diagnostics: &[flin_syntax::Diagnostic]) -> Verdict {
    for diagnostic in diagnostics {
        for label in &diagnostic.labels {
            let Span { start, end } = label.span;
            if text.get(start as usize..end as usize).is_none() {
                return Err(format!(
                    "{} points at {start}..{end}, which is no piece of the text",
                    diagnostic.code
                ));
            }
        }
    }
    Ok(())
}

fn only_blanks_and_comments(mut gap: &str) -> bool {
    loop {
        gap = gap.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        let after = if let Some(rest) = gap.strip_prefix("//") {
            rest.find('\n').map_or("", |at| &rest[at..])
        } else if let Some(rest) = gap.strip_prefix("<!--") {
            rest.find("-->").map_or("", |at| &rest[at + 3..])
        } else if gap.starts_with("/*") {
            after_comment(gap)
        } else if let Some(rest) = gap.strip_prefix("{/*") {
            // A note in markup.
            let rest = after_comment(&gap[gap.len() - rest.len() - 2..]).trim_start();
            rest.strip_prefix('}').unwrap_or(rest)
        } else {
            return gap.is_empty();
        };
        gap = after;
    }
}

/// What follows a nested comment.
fn after_comment(text: &str) -> &str {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return &text[at..];
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    ""
}
