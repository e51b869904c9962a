//! Blocks of fixed sizes: for each size a run of free blocks that is given out from its start to its end. Here because
//! this is what native code does in place: compare, store, add. Runs come from spans (pieces of a chunk that hold blocks
//! of one size): a new span is one run; after a collection the runs of a span are what lies between its marked blocks.
//!
//! A mark is a bit at the start of the chunk, one for 16 bytes; no block is smaller, so no two blocks share one. So a
//! collection never looks at what is dead, and finding a run reads a few words of marks.
//! Must stay true: `bump` and `bump_end` delimit whole free blocks; outside of a collection a bit is set exactly for
//! blocks that the last collection found alive.

use super::budget::Budget;
use super::checked;
use super::chunks::{self, CHUNK_BYTES, Chunk};
use super::object::{Kind, Obj, header};

/// Block sizes, in words.
pub(super) const CLASS_WORDS: [usize; 27] = [
    2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160,
    192, 224, 256,
];
/// Bigger objects have an allocation of their own.
pub(super) const SMALL_WORDS_MAX: usize = 256;
/// Bytes of marks at the start of a chunk.
const MARK_BYTES: usize = CHUNK_BYTES / GRANULE_BYTES / 8;
const GRANULE_BYTES: usize = 16;
/// Spans are multiples of what one word of marks covers.
const SPAN_UNIT_BYTES: usize = GRANULE_BYTES * 64;
/// Bytes of the first, second and further spans of a size: a small request touches little.
const SPAN_BYTES: [usize; 3] = [1 << 10, 4 << 10, 16 << 10];
const SPAN_BLOCKS_MIN: usize = 4;
const NO_SPAN: u32 = u32::MAX;
/// Class of a span that belongs to none at present.
const NO_CLASS: u8 = u8::MAX;
/// Free blocks are made to look so where that is looked at.
const POISON: bool = cfg!(any(debug_assertions, feature = "checked"));

/// Smallest class that holds so many words.
pub(super) const CLASS_OF_WORDS: [u8; SMALL_WORDS_MAX + 1] = {
    let mut table = [0_u8; SMALL_WORDS_MAX + 1];
    let mut words = 0;
    let mut class = 0;
    while words <= SMALL_WORDS_MAX {
        if words > CLASS_WORDS[class] {
            class += 1;
        }
        table[words] = class as u8;
        words += 1;
    }
    table
};

/// Where blocks of one size come from. Native code reads and writes the first two fields.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct SizeClass {
    /// The next block.
    pub(crate) bump: *mut u64,
    /// No block that ends behind this may be taken in place. It is `bump` itself where each allocation shall be seen.
    pub(crate) bump_end: *mut u64,
    /// The end of the run.
    run_end: *mut u64,
    /// Blocks that were given back, linked by their second words.
    free: *mut u64,
    /// Where the next run is looked for: a place in `span`.
    search: *mut u64,
    span: u32,
    /// How many spans were made, up to the number of sizes.
    spans_made: u32,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    base: *mut u64,
    bytes: u32,
    class: u8,
    /// The next span of the class that has free blocks.
    next: u32,
}

impl Span {
    fn block_bytes(&self) -> usize {
        CLASS_WORDS[self.class as usize] * 8
    }

    fn blocks(&self) -> usize {
        self.bytes as usize / self.block_bytes()
    }

    /// The words of its marks.
    fn marks(&self) -> *mut [u64] {
        let offset = self.base as usize & (CHUNK_BYTES - 1);
        let first = self.base.wrapping_byte_sub(offset);
        std::ptr::slice_from_raw_parts_mut(
            first.wrapping_add(offset / SPAN_UNIT_BYTES),
            self.bytes as usize / SPAN_UNIT_BYTES,
        )
    }

    fn block(&self, index: usize) -> *mut u64 {
        self.base.wrapping_byte_add(index * self.block_bytes())
    }
}

/// The blocks of one heap.
#[derive(Debug)]
pub(super) struct Blocks {
    /// By class; native code allocates from here.
    pub(super) classes: [SizeClass; CLASS_WORDS.len()],
    spans: Vec<Span>,
    /// Spans of the full size that hold nothing.
    empty_spans: Vec<u32>,
    chunks: Vec<Chunk>,
    /// First unused byte of the newest chunk.
    chunk_at: usize,
    /// Each block is given out by the slow path.
    one_by_one: bool,
}

/// The mark of a block: its word and its bit.
#[inline(always)]
pub(super) fn mark_of(block: *mut u64) -> (*mut u64, u64) {
    let offset = block as usize & (CHUNK_BYTES - 1);
    let granule = offset / GRANULE_BYTES;
    let word = block.wrapping_byte_sub(offset).wrapping_add(granule / 64);
    (word, 1 << (granule % 64))
}

fn is_marked(block: *mut u64) -> bool {
    let (word, bit) = mark_of(block);
    // SAFETY: the block lies in a chunk, which begins with its marks.
    unsafe { *word & bit != 0 }
}

impl Blocks {
    pub(super) fn new(one_by_one: bool) -> Blocks {
        let empty = SizeClass {
            bump: std::ptr::null_mut(),
            bump_end: std::ptr::null_mut(),
            run_end: std::ptr::null_mut(),
            free: std::ptr::null_mut(),
            search: std::ptr::null_mut(),
            span: NO_SPAN,
            spans_made: 0,
        };
        Blocks {
            classes: [empty; CLASS_WORDS.len()],
            spans: Vec::new(),
            empty_spans: Vec::new(),
            chunks: Vec::new(),
            chunk_at: CHUNK_BYTES,
            // A checked build must hear of every object.
            one_by_one: one_by_one || cfg!(feature = "checked"),
        }
    }

    /// A block of this class from the run in use, if one is left.
    #[inline(always)]
    pub(super) fn take(&mut self, class: usize) -> Option<*mut u64> {
        let size = &mut self.classes[class];
        let block = size.bump;
        let next = block.wrapping_add(CLASS_WORDS[class]);
        if next > size.bump_end {
            return None;
        }
        size.bump = next;
        Some(block)
    }

    /// A block of this class when the run is used up; none if the budget has no room.
    pub(super) fn take_slowly(&mut self, class: usize, budget: &mut Budget) -> Option<*mut u64> {
        let bytes = CLASS_WORDS[class] * 8;
        let size = &mut self.classes[class];
        if size.bump == size.run_end {
            if !size.free.is_null() {
                if !budget.take(bytes) {
                    return None;
                }
                let block = size.free;
                // SAFETY: a block given back has the next one (or null) in its second word.
                size.free = unsafe { *block.add(1) as *mut u64 };
                return Some(block);
            }
            self.take_run(class, budget)?;
        }
        let size = &mut self.classes[class];
        let block = size.bump;
        size.bump = block.wrapping_byte_add(bytes);
        size.bump_end = if self.one_by_one {
            size.bump
        } else {
            size.run_end
        };
        Some(block)
    }

    /// Makes the next run of free blocks the one in use, as far as the budget goes.
    fn take_run(&mut self, class: usize, budget: &mut Budget) -> Option<()> {
        let block_bytes = CLASS_WORDS[class] * 8;
        let (start, end) = match self.next_run(class) {
            Some(run) => run,
            None => self.new_span(class),
        };
        let bytes = budget.portion(end as usize - start as usize, block_bytes);
        let size = &mut self.classes[class];
        if !budget.take(bytes) {
            size.search = start;
            return None;
        }
        size.bump = start;
        size.run_end = start.wrapping_byte_add(bytes);
        size.search = size.run_end;
        Some(())
    }

    /// The next free blocks that lie side by side, from `search` on.
    fn next_run(&mut self, class: usize) -> Option<(*mut u64, *mut u64)> {
        let size = &mut self.classes[class];
        while size.span != NO_SPAN {
            let span = self.spans[size.span as usize];
            let end = span.block(span.blocks());
            let mut start = size.search;
            while start < end && is_marked(start) {
                start = start.wrapping_byte_add(span.block_bytes());
            }
            if start < end {
                return Some((start, next_marked(&span, start).unwrap_or(end)));
            }
            size.span = span.next;
            if let Some(next) = self.spans.get(size.span as usize) {
                size.search = next.base;
            }
        }
        None
    }

    /// A new span, all of it one run; the search for runs stands in it.
    #[cold]
    #[inline(never)]
    fn new_span(&mut self, class: usize) -> (*mut u64, *mut u64) {
        let size = &mut self.classes[class];
        let least = (CLASS_WORDS[class] * 8 * SPAN_BLOCKS_MIN).next_multiple_of(SPAN_UNIT_BYTES);
        let bytes = SPAN_BYTES[size.spans_made as usize].max(least);
        size.spans_made = (size.spans_made + 1).min(SPAN_BYTES.len() as u32 - 1);
        let is_full_size = bytes == SPAN_BYTES[SPAN_BYTES.len() - 1];
        let index = match self.empty_spans.pop() {
            Some(index) if is_full_size => index,
            other => {
                self.empty_spans.extend(other);
                let span = self.cut_span(bytes);
                self.spans.push(span);
                self.spans.len() as u32 - 1
            }
        };
        let span = &mut self.spans[index as usize];
        span.class = class as u8;
        span.next = NO_SPAN;
        // SAFETY: the span lies in a chunk, which begins with its marks; no block of it is in use.
        unsafe { (&mut *span.marks()).fill(0) };
        let span = *span;
        if POISON {
            for block in 0..span.blocks() {
                // SAFETY: the block is not in use.
                unsafe { *span.block(block) = header(Kind::Free, 0, 0) };
            }
        }
        self.classes[class].span = index;
        (span.base, span.block(span.blocks()))
    }

    /// Cuts a piece from the newest chunk.
    fn cut_span(&mut self, bytes: usize) -> Span {
        if self.chunk_at + bytes > CHUNK_BYTES {
            self.chunks.push(chunks::take());
            self.chunk_at = MARK_BYTES;
        }
        let chunk = &self.chunks[self.chunks.len() - 1];
        let base = chunk.start.wrapping_add(self.chunk_at).cast::<u64>();
        self.chunk_at += bytes;
        Span {
            base,
            bytes: bytes as u32,
            class: NO_CLASS,
            next: NO_SPAN,
        }
    }

    /// Takes back a block that nothing refers to; gives the bytes that are free again.
    pub(super) fn release(&mut self, class: usize, block: *mut u64) -> usize {
        if self.one_by_one {
            // The next collection finds it.
            return 0;
        }
        let size = &mut self.classes[class];
        if POISON {
            // SAFETY: the block is in use, and from now on it is not.
            unsafe { *block = header(Kind::Free, 0, 0) };
        }
        if block.wrapping_add(CLASS_WORDS[class]) == size.bump {
            size.bump = block;
            return 0;
        }
        // SAFETY: a block has two words at least.
        unsafe { *block.add(1) = size.free as u64 };
        size.free = block;
        CLASS_WORDS[class] * 8
    }

    /// Bytes of the runs in use that were not given out.
    pub(super) fn rest_bytes(&self) -> usize {
        self.classes
            .iter()
            .map(|size| size.run_end as usize - size.bump as usize)
            .sum()
    }

    /// Bytes of all chunks.
    #[cfg(test)]
    pub(super) fn chunk_bytes(&self) -> usize {
        self.chunks.len() * CHUNK_BYTES
    }

    /// Forgets runs and marks: a collection begins.
    pub(super) fn begin_marking(&mut self) {
        for size in &mut self.classes {
            size.bump = std::ptr::null_mut();
            size.bump_end = std::ptr::null_mut();
            size.run_end = std::ptr::null_mut();
            size.free = std::ptr::null_mut();
            size.span = NO_SPAN;
        }
        for chunk in &self.chunks {
            // SAFETY: a chunk begins with its marks.
            unsafe { chunk.start.write_bytes(0, MARK_BYTES) };
        }
    }

    /// All live blocks are marked: finds the spans that have room, and those that hold nothing. Gives the bytes of all
    /// live blocks.
    pub(super) fn sweep(&mut self) -> usize {
        let mut live_bytes = 0;
        self.empty_spans.clear();
        for index in (0..self.spans.len()).rev() {
            let span = &mut self.spans[index];
            if span.class == NO_CLASS {
                self.empty_spans.push(index as u32);
                continue;
            }
            // SAFETY: the span lies in a chunk, which begins with its marks.
            let marks = unsafe { &*span.marks() };
            let live: usize = marks.iter().map(|word| word.count_ones() as usize).sum();
            live_bytes += live * span.block_bytes();
            if POISON {
                poison_dead(span);
            }
            if live == 0 && span.bytes as usize == SPAN_BYTES[SPAN_BYTES.len() - 1] {
                span.class = NO_CLASS;
                self.empty_spans.push(index as u32);
            } else if live < span.blocks() {
                let size = &mut self.classes[span.class as usize];
                span.next = size.span;
                size.span = index as u32;
                size.search = span.base;
            }
        }
        live_bytes
    }
}

/// The first marked block of the span behind an unmarked one.
fn next_marked(span: &Span, unmarked: *mut u64) -> Option<*mut u64> {
    let offset = unmarked as usize - span.base as usize;
    let granule = offset / GRANULE_BYTES;
    // SAFETY: the span lies in a chunk, which begins with its marks.
    let marks = unsafe { &*span.marks() };
    let mut word = granule / 64;
    let mut bits = marks[word] >> (granule % 64) << (granule % 64);
    while bits == 0 {
        word += 1;
        bits = *marks.get(word)?;
    }
    let offset = (word * 64 + bits.trailing_zeros() as usize) * GRANULE_BYTES;
    // The block whose start lies in that granule.
    Some(span.block(offset.div_ceil(span.block_bytes())))
}

/// Makes all blocks that are not marked look free.
fn poison_dead(span: &Span) {
    for index in 0..span.blocks() {
        let block = span.block(index);
        // SAFETY: all blocks of a span got a header when the span was made (where this is called at all).
        unsafe {
            if !is_marked(block) && *block as u8 != Kind::Free as u8 {
                checked::died(block);
                *block = header(Kind::Free, 0, 0);
            }
        }
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        if cfg!(feature = "checked") {
            self.begin_marking();
            self.sweep();
        }
        chunks::give_back(std::mem::take(&mut self.chunks));
    }
}

/// Sets the mark of an object in a block; false if it was set.
#[inline(always)]
pub(super) fn mark(obj: Obj) -> bool {
    let (word, bit) = mark_of(obj.pointer());
    // SAFETY: the object lies in a chunk, which begins with its marks.
    unsafe {
        let bits = *word;
        *word = bits | bit;
        bits & bit == 0
    }
}

/// Whether the mark of an object in a block is set.
pub(super) fn has_mark(obj: Obj) -> bool {
    is_marked(obj.pointer())
}
