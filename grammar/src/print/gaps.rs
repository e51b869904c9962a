//! What stands between two terminals: comments, and how many lines lie between them.
//!
//! The tree has no comments, so the formatter finds them in the gaps of the token list. What must stay true: every comment of
//! a file is in exactly one gap (or inside of a text that is printed as written), so that none can be lost.

/// A comment: `// …`, `/* … */`, `<!-- … -->` or the note `{/* … */}` of markup.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comment {
    pub(super) start: u32,
    /// Without the blanks at the end of a line comment.
    pub(super) end: u32,
    /// It reaches to the end of its line.
    pub(super) to_line_end: bool,
    /// Newlines between it and what stands before.
    pub(super) lines_before: u32,
}

/// The comments before a terminal.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gap {
    /// Range in the list of all comments.
    pub(super) first: u32,
    pub(super) end: u32,
    /// Newlines between the last comment (or terminal) and the terminal.
    pub(super) lines: u32,
}

impl Gap {
    pub(super) fn is_bare(self) -> bool {
        self.first == self.end
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Reads the gap `from..to`, appending to `comments`. Signs that the lexer swallowed (`,` `;` `:` and the `if` of `{if`) are passed over.
pub(super) fn read(source: &str, from: u32, to: u32, comments: &mut Vec<Comment>) -> Gap {
    let first = offset(comments.len());
    let end = to as usize;
    let mut at = from as usize;
    let mut lines = 0;
    while at < end {
        let rest = &source.as_bytes()[at..end];
        let length = match rest {
            [b'\n', ..] => {
                lines += 1;
                at += 1;
                continue;
            }
            [b'/', b'/', ..] => line_comment(&source[at..end]),
            [b'/', b'*', ..] => block_comment(rest),
            [b'<', b'!', b'-', b'-', ..] => source[at..end]
                .find("-->")
                .map_or(rest.len(), |length| length + 3),
            [b'{', ..] => note(&source[at..end]),
            _other => {
                at += 1;
                continue;
            }
        };
        let text = source[at..at + length].trim_end();
        comments.push(Comment {
            start: offset(at),
            end: offset(at + text.len()),
            to_line_end: text.starts_with("//"),
            lines_before: lines,
        });
        lines = 0;
        at += length;
    }
    Gap {
        first,
        end: offset(comments.len()),
        lines,
    }
}

fn line_comment(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

/// Length of a nested block comment.
fn block_comment(bytes: &[u8]) -> usize {
    let mut depth = 0u32;
    let mut at = 0;
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _other => at += 1,
        }
    }
    bytes.len()
}

/// Length of `{/* note */}`.
fn note(text: &str) -> usize {
    let mut at = 1;
    while at < text.len() {
        match &text.as_bytes()[at..] {
            [b'}', ..] => return at + 1,
            [b'/', b'/', ..] => at += line_comment(&text[at..]),
            [b'/', b'*', ..] => at += block_comment(&text.as_bytes()[at..]),
            _other => at += 1,
        }
    }
    text.len()
}
