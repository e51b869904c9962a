//! Pass 1: the smallest pieces: operators, identifiers, comments, and characters that mean nothing.

use super::scan::Scanner;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::token::Tok;

impl Scanner<'_> {
    pub(super) fn block_comment(&mut self) {
        let start = self.pos;
        let mut depth = 0u32;
        let mut at = self.pos;
        let bytes = self.bytes;
        while at < bytes.len() && !self.unclosed_comment {
            match (bytes[at], bytes.get(at + 1)) {
                (b'/', Some(b'*')) => {
                    depth += 1;
                    at += 2;
                }
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    at += 2;
                    if depth == 0 {
                        self.newline |= bytes[start..at].contains(&b'\n');
                        self.pos = at;
                        return;
                    }
                }
                _other => at += 1,
            }
        }
        self.unclosed_comment = true;
        let start = self.offset();
        self.report(
            Diagnostic::error(
                Code::UnclosedComment,
                Span::new(start, start + 2),
                "this comment is not closed",
            )
            .label("no `*/` follows")
            .hint("comments may be nested: each `/*` needs its own `*/`"),
        );
        self.pos += self.rest().find('\n').unwrap_or(self.rest().len());
    }

    pub(super) fn unknown_character(&mut self, first: char) {
        let start = self.offset();
        let run = self
            .rest()
            .find(|c: char| c != first)
            .unwrap_or(self.rest().len());
        self.pos += run;
        let shown = if first.is_control() {
            format!("U+{:04X}", first as u32)
        } else {
            format!("`{first}`")
        };
        let mut diagnostic = Diagnostic::error(
            Code::UnknownCharacter,
            Span::new(start, self.offset()),
            format!("FLIN does not use the character {shown} here"),
        );
        let hint = match first {
            '“' | '”' | '„' | '«' | '»' | '″' => {
                Some("texts are written in straight quotes: \"…\"")
            }
            '‘' | '’' | '‚' | '`' | '´' => Some("texts are written in straight quotes: '…'"),
            '&' => Some("the logical and is written `&&`"),
            '–' | '—' | '−' => Some("a minus is written `-`"),
            '\0' => Some("the file contains NUL bytes; is it a text file?"),
            '#' if self.bytes[..start as usize].ends_with(b"{") => {
                Some("blocks of the markup are `{if …}…{/if}` and `{for …}…{/for}`")
            }
            '#' => Some("comments start with `//`"),
            '\\' => Some(
                "in a text `{` begins an inserted value: for JSON write `\\{ … \\}`, or a raw text r'{ … }'",
            ),
            '\u{A0}' => Some("this is a non-breaking blank; type an ordinary one"),
            _other => None,
        };
        if let Some(hint) = hint {
            diagnostic = diagnostic.hint(hint);
        }
        self.report(diagnostic);
        self.spaced = true;
    }
}

/// Length in bytes of the identifier that `text` starts with.
pub(super) fn identifier_length(text: &str) -> usize {
    text.find(|c: char| c != '_' && !c.is_alphanumeric())
        .unwrap_or(text.len())
}

/// Indentation in characters of the line that begins at byte `line_start`; none for an empty line.
pub(crate) fn indent_of(source: &str, line_start: usize) -> Option<u32> {
    let mut indent = 0;
    for byte in source.as_bytes().get(line_start..)? {
        match byte {
            b' ' => indent += 1,
            b'\t' => indent += 4,
            b'\n' | b'\r' => return None,
            _other => return Some(indent),
        }
    }
    None
}

/// The operator that `rest` starts with, and its length.
pub(super) fn operator(rest: &[u8]) -> Option<(Tok, usize)> {
    const THREE: [(&[u8], Tok); 2] = [(b"...", Tok::Ellipsis), (b"..=", Tok::DotDotEqual)];
    const TWO: [(&[u8], Tok); 20] = [
        (b"..", Tok::DotDot),
        (b"?.", Tok::OptionalDot),
        (b"?:", Tok::Elvis),
        (b"=>", Tok::FatArrow),
        (b"==", Tok::EqualEqual),
        (b"!=", Tok::NotEqual),
        (b"<=", Tok::LessEqual),
        (b">=", Tok::GreaterEqual),
        (b"&&", Tok::AndAnd),
        (b"||", Tok::OrOr),
        (b"|>", Tok::Pipe),
        (b"++", Tok::PlusPlus),
        (b"+=", Tok::PlusAssign),
        (b"--", Tok::MinusMinus),
        (b"-=", Tok::MinusAssign),
        (b"->", Tok::Arrow),
        (b"**", Tok::StarStar),
        (b"*=", Tok::StarAssign),
        (b"/=", Tok::SlashAssign),
        (b"%=", Tok::PercentAssign),
    ];
    for (text, tok) in THREE {
        if rest.starts_with(text) {
            return Some((tok, 3));
        }
    }
    for (text, tok) in TWO {
        if rest.starts_with(text) {
            return Some((tok, 2));
        }
    }
    let tok = match rest.first()? {
        b'.' => Tok::Dot,
        b'?' => Tok::Question,
        b'=' => Tok::Assign,
        b'!' => Tok::Bang,
        b'<' => Tok::Less,
        b'>' => Tok::Greater,
        b'|' => Tok::Bar,
        b'+' => Tok::Plus,
        b'-' => Tok::Minus,
        b'*' => Tok::Star,
        b'/' => Tok::Slash,
        b'%' => Tok::Percent,
        b'@' => Tok::At,
        b',' => Tok::Comma,
        b';' => Tok::Separator,
        b':' => Tok::Colon,
        _other => return None,
    };
    Some((tok, 1))
}
