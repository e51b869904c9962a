//! Pass 1: numbers, text literals and labels.
//!
//! A text literal becomes an opening token, chunks, embedded code and a closing token; escapes are checked here and
//! resolved by the parser's actions. Attribute values are texts too, without escapes.

use super::scan::{Host, Mode, Scanner, Word, identifier_length};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::token::Tok;

impl Scanner<'_> {
    pub(super) fn number(&mut self) {
        let bytes = self.bytes;
        let start = self.pos;
        let radix_prefix = matches!(&bytes[start..], [b'0', b'x' | b'b' | b'X' | b'B', ..]);
        let mut at = start;
        let mut tok = Tok::Int;
        if radix_prefix {
            at += 2;
        } else {
            at = digits(bytes, at);
            if bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
                tok = Tok::Float;
                at = digits(bytes, at + 1);
            }
            if let Some(after) = exponent(bytes, at) {
                tok = Tok::Float;
                at = after;
            }
        }
        let end = at + identifier_length(&self.source[at..]);
        let text = &self.source[start..end];
        if !number_is_well_formed(text, tok) {
            let span = Span::new(self.offset(), u32::try_from(end).unwrap_or(u32::MAX));
            let hint = if text.starts_with("0o") {
                "octal numbers do not exist; write 0x… or 0b…"
            } else if has_unit(text) {
                "a unit is a method of the number: `5.minutes`"
            } else {
                "numbers are written 42, 1_000, 0xff, 0b101, 3.14 or 1e9"
            };
            self.report(
                Diagnostic::error(
                    Code::BadNumber,
                    span,
                    format!("`{text}` cannot be read as a number"),
                )
                .hint(hint),
            );
            self.emit(Tok::Missing, end);
            return;
        }
        self.emit(tok, end);
    }

    /// A label, if the quote starts one.
    pub(super) fn label(&mut self) -> bool {
        let after = &self.source[self.pos + 1..];
        if !after.starts_with(|c: char| c == '_' || c.is_alphabetic()) {
            return false;
        }
        let length = identifier_length(after);
        let behind = &after[length..];
        let jump = matches!(
            self.tokens.last().map(|token| token.tok),
            Some(Tok::Break | Tok::Continue)
        );
        let is_label = if jump {
            !behind.starts_with('\'')
        } else {
            behind
                .trim_start_matches([' ', '\t'])
                .strip_prefix(':')
                .map(|rest| rest.trim_start_matches([' ', '\t']))
                .is_some_and(|rest| {
                    matches!(&rest[..identifier_length(rest)], "for" | "while" | "loop")
                })
        };
        if is_label {
            self.emit(Tok::Label, self.pos + 1 + length);
        }
        is_label
    }

    /// `r"…"`, one token.
    pub(super) fn raw_text(&mut self) {
        let quote = char::from(self.peek(1));
        let body = self.pos + 2;
        match self.source[body..].find(quote) {
            Some(length) => self.emit(Tok::RawText, body + length + 1),
            None => {
                let line = self.source[body..].find('\n');
                let end = line.map_or(self.bytes.len(), |length| body + length);
                let start = self.offset();
                self.report(unclosed_text(start, 2, quote));
                self.emit(Tok::RawText, end);
            }
        }
    }

    pub(super) fn open_text(&mut self, quote: u8) {
        self.push_text(quote, false);
    }

    pub(super) fn push_text(&mut self, quote: u8, attribute: bool) {
        let start = self.offset();
        self.emit(Tok::TextOpen, self.pos + 1);
        self.modes.push(Mode::Text {
            quote,
            start,
            attribute,
        });
        self.deeper();
    }

    /// The next chunk, interpolation or end of a text.
    pub(super) fn text(&mut self) {
        let Some(&Mode::Text {
            quote,
            start,
            attribute,
        }) = self.modes.last()
        else {
            unreachable!("only called in a text mode");
        };
        let limited = start >= self.limit_from;
        let mut at = self.pos;
        while let Some(&byte) = self.bytes.get(at) {
            match byte {
                b'\\' if !attribute => at = self.escape(at),
                b'\n' if limited => {
                    let swallowed = &self.bytes[self.pos..at];
                    let with_closer = swallowed.contains(&b'}');
                    self.emit_chunk(attribute, at);
                    self.close_unclosed();
                    self.end_swallowed(with_closer);
                    return;
                }
                b'{' => {
                    self.emit_chunk(attribute, at);
                    let open = self.offset();
                    self.emit(Tok::InterpolationOpen, at + 1);
                    self.push_code(Host::Text, Word::Plain, open);
                    return;
                }
                _end if byte == quote => {
                    self.emit_chunk(attribute, at);
                    self.emit(Tok::TextClose, at + 1);
                    self.modes.pop();
                    self.note_suspect(start);
                    return;
                }
                _other => at += 1,
            }
        }
        self.emit_chunk(attribute, self.bytes.len());
    }

    /// A text without end has swallowed the closer of the insertion in markup around it.
    fn end_swallowed(&mut self, with_closer: bool) {
        if let Some(Mode::Code(code)) = self.modes.last()
            && with_closer
            && code.host == Host::Markup
        {
            self.end_code(None);
        }
    }

    fn note_suspect(&mut self, start: u32) {
        let multiline = || self.bytes[start as usize..self.pos].contains(&b'\n');
        if self.suspect.is_none() && multiline() {
            self.suspect = Some(start);
        }
    }

    fn emit_chunk(&mut self, attribute: bool, end: usize) {
        if end > self.pos {
            let tok = if attribute {
                Tok::AttributeChunk
            } else {
                Tok::TextChunk
            };
            self.emit(tok, end);
        }
    }

    /// Checks the escape at `at`; the byte after it.
    fn escape(&mut self, at: usize) -> usize {
        let next = self.source[at + 1..].chars().next();
        let end = match next {
            None => return at + 1,
            Some('n' | 'r' | 't' | '\\' | '"' | '\'' | '{' | '}') => return at + 2,
            Some('u') => {
                let (end, character) = unicode_escape(&self.source[at..]);
                if character.is_some() {
                    return at + end;
                }
                at + end
            }
            Some('\n') => at + 1,
            Some(other) => at + 1 + other.len_utf8(),
        };
        let span = Span::new(
            u32::try_from(at).unwrap_or(u32::MAX),
            u32::try_from(end).unwrap_or(u32::MAX),
        );
        self.report(
            Diagnostic::error(
                Code::BadEscape,
                span,
                format!("`{}` is not an escape", &self.source[at..end]),
            )
            .hint("the escapes are \\n \\r \\t \\\\ \\\" \\' \\{ \\} \\u{1F600}; a raw text r\"…\" needs none"),
        );
        end
    }

    /// Whether an insertion in the text that begins at `at` starts with a quoted key, as JSON does.
    fn holds_json(&self, at: usize, quote: u8) -> bool {
        const LOOK_MAX: usize = 400;
        let rest = &self.bytes[at..self.bytes.len().min(at + LOOK_MAX)];
        let Some(open) = rest.iter().position(|byte| *byte == b'{') else {
            return false;
        };
        let mut behind = rest[open + 1..]
            .iter()
            .skip_while(|byte| byte.is_ascii_whitespace());
        behind.next() == Some(&b'\\') && behind.next() == Some(&quote)
    }

    pub(super) fn end_text_unclosed(&mut self, quote: u8, start: u32, attribute: bool) {
        let mut diagnostic = unclosed_text(start, 1, char::from(quote));
        if !attribute && self.holds_json(start as usize + 1, quote) {
            let other = if quote == b'"' { '\'' } else { '"' };
            diagnostic = diagnostic.hint(format!(
                "`{{` begins an inserted value: for JSON write `\\{{ … \\}}`, or a raw text r{other}{{ … }}{other}"
            ));
        }
        if attribute {
            diagnostic = diagnostic.hint("close the attribute's value with the same quote");
        }
        self.report(diagnostic);
        self.emit_synthetic(Tok::TextClose);
        self.modes.pop();
    }
}

fn unclosed_text(start: u32, length: u32, quote: char) -> Diagnostic {
    Diagnostic::error(
        Code::UnclosedText,
        Span::new(start, start + length),
        "this text is not closed",
    )
    .label(format!("no closing {quote} follows"))
    .hint(format!("add {quote} at the end of the text"))
}

/// Length of a `\u{…}` escape at the start of `text`, and its character if it is one.
pub(crate) fn unicode_escape(text: &str) -> (usize, Option<char>) {
    let Some(rest) = text.strip_prefix("\\u{") else {
        return (2, None);
    };
    let length = rest
        .find(|c: char| !c.is_ascii_hexdigit())
        .unwrap_or(rest.len());
    let closed = rest[length..].starts_with('}');
    let end = 3 + length + usize::from(closed);
    if !closed || length == 0 || length > 6 {
        return (end, None);
    }
    let character = u32::from_str_radix(&rest[..length], 16)
        .ok()
        .and_then(char::from_u32);
    (end, character)
}

fn digits(bytes: &[u8], mut at: usize) -> usize {
    while bytes
        .get(at)
        .is_some_and(|byte| byte.is_ascii_digit() || *byte == b'_')
    {
        at += 1;
    }
    at
}

fn exponent(bytes: &[u8], at: usize) -> Option<usize> {
    if !matches!(bytes.get(at), Some(b'e' | b'E')) {
        return None;
    }
    let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
    let first = at + 1 + sign;
    bytes
        .get(first)
        .is_some_and(u8::is_ascii_digit)
        .then(|| digits(bytes, first))
}

/// Whether a unit of time was written right behind a number.
fn has_unit(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let units = [
        "ms", "s", "second", "seconds", "min", "minute", "minutes", "h", "hour", "hours", "d",
        "day", "days", "week", "weeks",
    ];
    units.contains(&unit)
}

fn number_is_well_formed(text: &str, tok: Tok) -> bool {
    let (body, valid): (&str, fn(u8) -> bool) = match text.get(..2) {
        Some("0x" | "0X") => (&text[2..], |byte| byte.is_ascii_hexdigit()),
        Some("0b" | "0B") => (&text[2..], |byte| matches!(byte, b'0' | b'1')),
        _decimal if tok == Tok::Float => (text, |byte| {
            byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-')
        }),
        _decimal => (text, |byte| byte.is_ascii_digit()),
    };
    let bytes = body.as_bytes();
    let underscores_inside = bytes.iter().enumerate().all(|(i, &byte)| {
        byte != b'_'
            || (i > 0
                && bytes[i - 1].is_ascii_hexdigit()
                && bytes.get(i + 1).is_some_and(u8::is_ascii_hexdigit))
    });
    !bytes.is_empty() && underscores_inside && bytes.iter().all(|&byte| byte == b'_' || valid(byte))
}
