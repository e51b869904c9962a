//! A sorted set of byte rows in chunks: the shape of every secondary index.
//!
//! Chunks of a few KiB keep insertions cheap, and rows stand packed without pointers. What must stay true: rows are
//! unique and ascending over all chunks, no chunk is empty, and a clone never changes: whoever reads holds a clone, whoever
//! writes copies the chunks that are shared.

use std::sync::Arc;

/// A chunk is split when it is larger: small enough to be moved at each insertion, large enough to need few chunks.
const CHUNK_BYTES: usize = 8192;

/// Rows side by side. Rows of one length need no table of ends.
#[derive(Clone, Debug)]
struct Chunk {
    bytes: Vec<u8>,
    /// Length of every row, or 0 when they differ; then `ends` has the end of each.
    stride: usize,
    ends: Vec<u32>,
}

impl Chunk {
    fn new() -> Self {
        Chunk {
            bytes: Vec::new(),
            stride: 0,
            ends: Vec::new(),
        }
    }

    fn len(&self) -> usize {
        match self.bytes.len().checked_div(self.stride) {
            Some(len) => len,
            None => self.ends.len(),
        }
    }

    fn end(&self, at: usize) -> usize {
        if self.stride > 0 {
            (at + 1) * self.stride
        } else {
            self.ends[at] as usize
        }
    }

    fn start(&self, at: usize) -> usize {
        if at == 0 { 0 } else { self.end(at - 1) }
    }

    fn row(&self, at: usize) -> &[u8] {
        &self.bytes[self.start(at)..self.end(at)]
    }

    /// The first row that is not below `probe`.
    fn lower_bound(&self, probe: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.row(middle) < probe {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Takes a row that comes behind all others.
    fn push(&mut self, row: &[u8]) {
        if self.stride == row.len() && !self.bytes.is_empty() {
            self.bytes.extend_from_slice(row);
        } else {
            self.insert(self.len(), row);
        }
    }

    fn insert(&mut self, at: usize, row: &[u8]) {
        if self.bytes.is_empty() {
            self.stride = row.len();
            self.ends.clear();
        } else if self.stride > 0 && self.stride != row.len() {
            self.ends = (0..self.len()).map(|at| self.end(at) as u32).collect();
            self.stride = 0;
        }
        let start = self.start(at);
        if self.stride == 0 {
            for end in &mut self.ends[at..] {
                *end += row.len() as u32;
            }
            self.ends.insert(at, (start + row.len()) as u32);
        }
        let free = self.bytes.capacity() - self.bytes.len();
        if free < row.len() {
            self.bytes.reserve_exact(row.len() + CHUNK_BYTES / 16);
        }
        self.bytes.splice(start..start, row.iter().copied());
    }

    fn remove(&mut self, at: usize) {
        let (start, end) = (self.start(at), self.end(at));
        self.bytes.drain(start..end);
        if self.stride == 0 {
            self.ends.remove(at);
            for later in &mut self.ends[at..] {
                *later -= (end - start) as u32;
            }
        }
    }

    /// Takes the upper half out.
    fn split(&mut self) -> Chunk {
        let middle = self.len() / 2;
        let at = self.start(middle);
        let upper = Chunk {
            bytes: self.bytes.split_off(at),
            stride: self.stride,
            ends: match self.stride {
                0 => self.ends.split_off(middle),
                _ => Vec::new(),
            }
            .into_iter()
            .map(|end| end - at as u32)
            .collect(),
        };
        self.bytes.shrink_to_fit();
        upper
    }

    fn memory(&self) -> usize {
        self.bytes.capacity() + 4 * self.ends.capacity()
    }
}

/// The set.
#[derive(Clone, Debug, Default)]
pub(crate) struct SortedRows {
    chunks: Arc<Vec<Arc<Chunk>>>,
    /// Rows before each chunk are counted by walking these, which stand together.
    lens: Arc<Vec<u32>>,
    len: u64,
}

/// A place between rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    chunk: usize,
    row: usize,
}

impl SortedRows {
    /// Number of rows.
    #[cfg(test)]
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Bytes in memory.
    pub(crate) fn memory(&self) -> usize {
        let chunks = self.chunks.iter();
        chunks
            .map(|chunk| chunk.memory() + size_of::<Chunk>() + 16 + 8 + 4)
            .sum()
    }

    /// Takes rows that come ascending.
    pub(crate) fn from_sorted<'a>(rows: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut chunks = Vec::new();
        let mut filling = Chunk::new();
        for row in rows {
            if !filling.bytes.is_empty() && filling.bytes.len() + row.len() > CHUNK_BYTES {
                filling.bytes.shrink_to_fit();
                chunks.push(Arc::new(std::mem::replace(&mut filling, Chunk::new())));
            }
            if filling.bytes.is_empty() {
                filling.bytes.reserve_exact(CHUNK_BYTES.max(row.len()));
            }
            filling.push(row);
        }
        if !filling.bytes.is_empty() {
            filling.bytes.shrink_to_fit();
            chunks.push(Arc::new(filling));
        }
        let lens: Vec<u32> = chunks.iter().map(|chunk| chunk.len() as u32).collect();
        SortedRows {
            len: lens.iter().map(|len| u64::from(*len)).sum(),
            chunks: Arc::new(chunks),
            lens: Arc::new(lens),
        }
    }

    /// The place before the first row that is not below `probe`.
    pub(crate) fn seek(&self, probe: &[u8]) -> At {
        let above = self.chunks.partition_point(|chunk| chunk.row(0) <= probe);
        let Some(chunk) = above.checked_sub(1) else {
            return At { chunk: 0, row: 0 };
        };
        let row = self.chunks[chunk].lower_bound(probe);
        self.normal(At { chunk, row })
    }

    /// The place behind the last row.
    pub(crate) fn end(&self) -> At {
        At {
            chunk: self.chunks.len(),
            row: 0,
        }
    }

    fn normal(&self, at: At) -> At {
        match self.chunks.get(at.chunk) {
            Some(chunk) if at.row >= chunk.len() => At {
                chunk: at.chunk + 1,
                row: 0,
            },
            Some(_) | None => at,
        }
    }

    /// The row behind a place.
    pub(crate) fn row(&self, at: At) -> Option<&[u8]> {
        Some(self.chunks.get(at.chunk)?.row(at.row))
    }

    /// One row on.
    pub(crate) fn next(&self, at: At) -> At {
        self.normal(At {
            row: at.row + 1,
            ..at
        })
    }

    /// One row back; `None` at the beginning.
    pub(crate) fn previous(&self, at: At) -> Option<At> {
        match at.row.checked_sub(1) {
            Some(row) => Some(At { row, ..at }),
            None => {
                let chunk = at.chunk.checked_sub(1)?;
                let row = self.chunks[chunk].len() - 1;
                Some(At { chunk, row })
            }
        }
    }

    /// Rows between two places, without looking at them.
    pub(crate) fn count(&self, from: At, to: At) -> u64 {
        if to <= from {
            return 0;
        }
        let between: u64 = self.lens[from.chunk..to.chunk]
            .iter()
            .map(|len| u64::from(*len))
            .sum();
        between + to.row as u64 - from.row as u64
    }

    /// The first row that begins with `prefix`.
    pub(crate) fn find(&self, prefix: &[u8]) -> Option<&[u8]> {
        self.row(self.seek(prefix))
            .filter(|row| row.starts_with(prefix))
    }

    pub(crate) fn insert(&mut self, row: &[u8]) {
        let chunks = Arc::make_mut(&mut self.chunks);
        let lens = Arc::make_mut(&mut self.lens);
        if chunks.is_empty() {
            chunks.push(Arc::new(Chunk::new()));
            lens.push(0);
        }
        let above = chunks.partition_point(|chunk| chunk.len() > 0 && chunk.row(0) <= row);
        let place = above.saturating_sub(1);
        let chunk = Arc::make_mut(&mut chunks[place]);
        let at = chunk.lower_bound(row);
        if at < chunk.len() && chunk.row(at) == row {
            return;
        }
        chunk.insert(at, row);
        self.len += 1;
        let upper = (chunk.bytes.len() > CHUNK_BYTES && chunk.len() > 1).then(|| chunk.split());
        lens[place] = chunk.len() as u32;
        if let Some(upper) = upper {
            lens.insert(place + 1, upper.len() as u32);
            chunks.insert(place + 1, Arc::new(upper));
        }
    }

    /// Takes a row out; `false` if it was not there.
    pub(crate) fn remove(&mut self, row: &[u8]) -> bool {
        let at = self.seek(row);
        if self.row(at) != Some(row) {
            return false;
        }
        let chunks = Arc::make_mut(&mut self.chunks);
        let lens = Arc::make_mut(&mut self.lens);
        let chunk = Arc::make_mut(&mut chunks[at.chunk]);
        chunk.remove(at.row);
        self.len -= 1;
        lens[at.chunk] -= 1;
        if lens[at.chunk] == 0 {
            chunks.remove(at.chunk);
            lens.remove(at.chunk);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use flin_testkit::rng::Rng;

    use super::*;

    fn row(rng: &mut Rng, lens: usize) -> Vec<u8> {
        let len = 12 + 8 * rng.below(lens);
        (0..len)
            .map(|at| if at < 3 { rng.below(40) as u8 } else { 7 })
            .collect()
    }

    #[test]
    fn it_is_a_sorted_set() {
        for seed in 0..6 {
            let mut rng = Rng::new(seed);
            let lens = 1 + 3 * (seed as usize % 2);
            let mut judge: BTreeSet<Vec<u8>> = (0..800).map(|_| row(&mut rng, lens)).collect();
            let mut rows = SortedRows::from_sorted(judge.iter().map(Vec::as_slice));
            let before = rows.clone();
            let first = judge.clone();
            for _ in 0..6000 {
                let one = row(&mut rng, lens);
                if rng.one_in(3) {
                    assert_eq!(rows.remove(&one), judge.remove(&one));
                } else {
                    rows.insert(&one);
                    judge.insert(one);
                }
            }
            for (rows, judge) in [(&rows, &judge), (&before, &first)] {
                assert_eq!(rows.len(), judge.len() as u64);
                let mut at = rows.seek(&[]);
                for one in judge {
                    assert_eq!(rows.row(at), Some(one.as_slice()));
                    let next = rows.next(at);
                    assert_eq!(rows.previous(next), Some(at));
                    at = next;
                }
                assert_eq!((rows.row(at), at), (None, rows.end()));
                for _ in 0..200 {
                    let (low, high) = (row(&mut rng, lens), row(&mut rng, lens));
                    let expected = judge.iter().filter(|one| **one >= low && **one < high);
                    let found = rows.count(rows.seek(&low), rows.seek(&high));
                    assert_eq!(found, expected.count() as u64);
                }
            }
        }
    }
}
