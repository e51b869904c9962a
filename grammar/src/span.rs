//! Places in a source text, as half-open byte ranges.
//!
//! Every token, tree node and diagnostic label carries one. Offsets are `u32` because a source file is limited to 16 MiB;
//! a span always lies on character boundaries of the text it belongs to, and `start <= end`.

/// A half-open byte range `start..end` in one source text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range from `start` (included) to `end` (excluded).
    #[must_use]
    pub const fn new(start: u32, end: u32) -> Span {
        debug_assert!(start <= end);
        Span { start, end }
    }

    /// The empty range at one byte offset.
    #[must_use]
    pub const fn at(offset: u32) -> Span {
        Span {
            start: offset,
            end: offset,
        }
    }

    /// The smallest range that covers both.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// Length in bytes.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.end - self.start
    }

    /// True for a range without bytes.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The same span, so many bytes further.
    #[must_use]
    pub const fn later(self, bytes: u32) -> Span {
        Span {
            start: self.start + bytes,
            end: self.end + bytes,
        }
    }

    /// The same span, so many bytes before; what would be before the first byte is there.
    #[must_use]
    pub const fn earlier(self, bytes: u32) -> Span {
        Span {
            start: self.start.saturating_sub(bytes),
            end: self.end.saturating_sub(bytes),
        }
    }

    /// The text this span covers. The span must belong to `source`.
    #[must_use]
    pub fn text(self, source: &str) -> &str {
        &source[self.range()]
    }

    /// The span as a range of `usize`, for slicing.
    #[must_use]
    pub const fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl std::fmt::Debug for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// Finds line and column of byte offsets; built once per source text.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
    /// How many characters begin before each block of [`BLOCK_BYTES`]: columns of a very long line are asked for often.
    characters: Vec<u32>,
}

/// Bytes between two counts of characters.
const BLOCK_BYTES: usize = 256;

/// A position as people count it: both numbers start at 1, columns count Unicode scalar values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineColumn {
    /// Line number, from 1.
    pub line: u32,
    /// Column in Unicode scalar values, from 1.
    pub column: u32,
}

impl LineIndex {
    /// Notes where each line of `source` starts.
    #[must_use]
    pub fn new(source: &str) -> LineIndex {
        let mut starts = vec![0];
        let behind = |(end, _): (usize, &str)| u32::try_from(end + 1).unwrap_or(u32::MAX);
        starts.extend(source.match_indices('\n').map(behind));
        let mut characters = vec![0];
        for block in source.as_bytes().chunks(BLOCK_BYTES) {
            let before = characters.last().copied().unwrap_or(0);
            characters.push(before + beginnings(block));
        }
        LineIndex { starts, characters }
    }

    /// Where a line (from 1) begins; the line after the last begins at the end of the text.
    #[must_use]
    pub fn start_of(&self, source: &str, line: u32) -> u32 {
        let end = u32::try_from(source.len()).unwrap_or(u32::MAX);
        let at = (line as usize).saturating_sub(1);
        self.starts.get(at).copied().unwrap_or(end)
    }

    /// How many characters begin before a byte offset.
    fn characters_before(&self, source: &str, end: usize) -> u32 {
        let block = end / BLOCK_BYTES;
        self.characters[block] + beginnings(&source.as_bytes()[block * BLOCK_BYTES..end])
    }

    /// The line number (from 1) of a byte offset.
    #[must_use]
    pub fn line(&self, offset: u32) -> u32 {
        u32::try_from(self.starts.partition_point(|&start| start <= offset)).unwrap_or(u32::MAX)
    }

    /// Line and column of a byte offset of `source`, the text this index was built from.
    #[must_use]
    pub fn line_column(&self, source: &str, offset: u32) -> LineColumn {
        let line = self.line(offset);
        let start = self.starts[line as usize - 1];
        let end = (offset as usize).min(source.len());
        let before = if end < start as usize + BLOCK_BYTES {
            beginnings(source.as_bytes().get(start as usize..end).unwrap_or(&[]))
        } else {
            self.characters_before(source, end) - self.characters_before(source, start as usize)
        };
        LineColumn {
            line,
            column: before + 1,
        }
    }
}

/// How many characters begin in these bytes.
fn beginnings(bytes: &[u8]) -> u32 {
    let begins = |byte: &&u8| (**byte & 0xc0) != 0x80;
    u32::try_from(bytes.iter().filter(begins).count()).unwrap_or(u32::MAX)
}
