//! The heap of one VM: blocks of fixed sizes in pages cut from a bump region, big objects one by one, dropped whole at
//! the end. Here because allocation and collection must agree on every layout.
//!
//! Allocation never collects: it only counts. The interpreter asks `wants_collection` at the end of an operation that
//! allocated, when all live references stand in roots, so code inside an operation needs no rooting.
//! Must stay true: objects never move; every block of a page is either an object or has kind Free.
#![allow(unsafe_code)]

mod boxes;
pub(crate) mod checked;
mod collect;
mod dict;
mod entity;
mod holding;
mod layouts;
mod list;
mod map;
mod object;
mod text;
mod things;

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::collections::HashMap;
use std::mem::{offset_of, size_of};
use std::ptr::NonNull;
use std::sync::Arc;

pub(crate) use boxes::{closure_slot_class, range_parts};
use collect::Marker;
pub(crate) use entity::{EntityState, Gone, Past, Stamps};
pub(crate) use layouts::{Layouts, ShapeLayout};
pub(crate) use list::{
    BUFFER as LIST_BUFFER_WORD, ElementError, LEN as LIST_LEN_WORD, class_of as list_class,
    len as list_len,
};
pub(crate) use map::MapCursor;
pub(crate) use object::{Kind, NONE_OBJECT, Obj, header};
pub(crate) use things::{ErrorParts, QUERY_STEPS_MAX, QueryBase};

/// What the interpreter does in place: one compare of kind, class or shape, then the access.
pub(crate) mod fast {
    pub(crate) use super::list::{get as list_get, push as list_push, set as list_set};
    pub(crate) use super::map::{record_slot, set_record_slot};
}

use crate::fault::{Fault, Res};
use object::FLAG_STATIC;

/// Block sizes of pages, in words.
const CLASS_WORDS: [usize; 27] = [
    2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160,
    192, 224, 256,
];
const SMALL_WORDS_MAX: usize = 256;
const PAGE_BYTES: usize = 16 << 10;
const FIRST_CHUNK_BYTES: usize = 128 << 10;
const CHUNK_BYTES: usize = 1 << 20;
/// Below this much memory in use nothing is collected (dropping everything at the end is cheaper).
const COLLECT_FROM_BYTES: usize = 8 << 20;
/// What an error that reports a full heap may use beyond the limit.
const ERROR_RESERVE_BYTES: usize = 64 << 10;

/// Smallest class that holds so many words.
const CLASS_OF_WORDS: [u8; SMALL_WORDS_MAX + 1] = {
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

/// Free blocks of one size and the unused rest of its newest page.
#[derive(Clone, Copy)]
struct SizeClass {
    free: *mut u64,
    bump: *mut u64,
    bump_end: *mut u64,
}

/// What native code needs to allocate in place (`native/layout.rs`).
pub(crate) const SIZE_CLASS_FREE: usize = offset_of!(SizeClass, free);
pub(crate) const SIZE_CLASS_BUMP: usize = offset_of!(SizeClass, bump);
pub(crate) const SIZE_CLASS_BUMP_END: usize = offset_of!(SizeClass, bump_end);
pub(crate) const SIZE_CLASS_STRIDE: usize = size_of::<SizeClass>();
pub(crate) const HEAP_USED: usize = offset_of!(Heap, used_bytes);
pub(crate) const HEAP_THRESHOLD: usize = offset_of!(Heap, threshold_bytes);
pub(crate) const HEAP_ALLOCATED: usize = offset_of!(Heap, allocated_bytes);

/// Index of the size class for so many words and the words of its blocks; none for big objects.
pub(crate) fn size_class(words: usize) -> Option<(usize, usize)> {
    let class = usize::from(*CLASS_OF_WORDS.get(words)?);
    Some((class, CLASS_WORDS[class]))
}

struct Page {
    base: *mut u64,
    class: u8,
}

/// An object with an allocation of its own; the word before its header is its index in `Heap::large`.
struct Large {
    base: *mut u64,
    words: usize,
}

/// The heap of one VM.
pub(crate) struct Heap {
    classes: [SizeClass; CLASS_WORDS.len()],
    pages: Vec<Page>,
    chunks: Vec<(*mut u8, usize)>,
    chunk_at: usize,
    large: Vec<Large>,
    used_bytes: usize,
    threshold_bytes: usize,
    limit_bytes: usize,
    collect_always: bool,
    /// Bytes allocated altogether.
    pub(crate) allocated_bytes: u64,
    /// How often the heap was collected.
    pub(crate) collections: u64,
    layouts: Arc<Layouts>,
    seed: u64,
    /// The one object per saved record.
    identity: HashMap<(u32, i64), Obj>,
    /// What was deleted that objects with `STALE` may have links to.
    lost_links: HashMap<(u32, i64), Vec<Arc<Gone>>>,
}

impl Heap {
    pub(crate) fn new(layouts: Arc<Layouts>, limit_bytes: usize, collect_always: bool) -> Heap {
        let empty = SizeClass {
            free: std::ptr::null_mut(),
            bump: std::ptr::null_mut(),
            bump_end: std::ptr::null_mut(),
        };
        let mut heap = Heap {
            classes: [empty; CLASS_WORDS.len()],
            pages: Vec::new(),
            chunks: Vec::new(),
            chunk_at: 0,
            large: Vec::new(),
            used_bytes: 0,
            threshold_bytes: 0,
            limit_bytes,
            collect_always,
            allocated_bytes: 0,
            collections: 0,
            layouts,
            seed: dict::process_seed(),
            identity: HashMap::new(),
            lost_links: HashMap::new(),
        };
        heap.set_threshold();
        heap
    }

    /// Whether the next moment between operations should collect.
    #[inline(always)]
    pub(crate) fn wants_collection(&self) -> bool {
        self.used_bytes >= self.threshold_bytes
    }

    /// Where the free blocks of each size are found.
    pub(crate) fn size_classes(&mut self) -> *mut u8 {
        self.classes.as_mut_ptr().cast()
    }

    /// What the program's shapes and texts look like.
    pub(crate) fn layouts(&self) -> &Arc<Layouts> {
        &self.layouts
    }

    fn set_threshold(&mut self) {
        self.threshold_bytes = if self.collect_always {
            0
        } else {
            let wanted = COLLECT_FROM_BYTES.max(self.used_bytes * 2);
            wanted.min(self.used_bytes + (self.limit_bytes.saturating_sub(self.used_bytes)) / 2)
        };
    }

    /// Runs `body` with a little memory beyond the limit, for the error that says that memory is used up.
    pub(crate) fn with_reserve<T>(&mut self, body: impl FnOnce(&mut Heap) -> T) -> T {
        let limit = self.limit_bytes;
        self.limit_bytes = limit.max(self.used_bytes) + ERROR_RESERVE_BYTES;
        let result = body(self);
        self.limit_bytes = limit;
        result
    }

    /// Counts memory that something outside the heap uses for this run (markup that is being written).
    pub(crate) fn charge_outside(&mut self, bytes: usize) -> Res<()> {
        self.charge(bytes)
    }

    #[inline(always)]
    fn charge(&mut self, bytes: usize) -> Res<()> {
        let used = self.used_bytes + bytes;
        if used > self.limit_bytes {
            return Err(Fault::memory(self.limit_bytes));
        }
        self.used_bytes = used;
        self.allocated_bytes += bytes as u64;
        Ok(())
    }

    /// A new object of `words` words, the header included. The words after the header hold old bytes: the caller writes
    /// all that the kind says is a reference before the operation ends.
    #[inline]
    fn allocate(&mut self, header: u64, words: usize) -> Res<Obj> {
        if words > SMALL_WORDS_MAX {
            return self.allocate_large(header, words);
        }
        let class = CLASS_OF_WORDS[words] as usize;
        let block_words = CLASS_WORDS[class];
        self.charge(block_words * 8)?;
        let size = &mut self.classes[class];
        let block = if !size.free.is_null() {
            let block = size.free;
            // SAFETY: a block on the free list has kind Free and the next free block (or null) in word 1.
            size.free = unsafe { *block.add(1) as *mut u64 };
            block
        } else if size.bump != size.bump_end {
            let block = size.bump;
            // SAFETY: bump and bump_end delimit whole unused blocks of one page.
            size.bump = unsafe { block.add(block_words) };
            block
        } else {
            self.new_page(class)
        };
        // SAFETY: `block` is an unused block of at least two words, aligned to 8.
        unsafe {
            *block = header;
            let obj = Obj::from_non_null(NonNull::new_unchecked(block));
            checked::born(obj, words);
            Ok(obj)
        }
    }

    /// Cuts a new page for this class and gives its first block.
    #[cold]
    #[inline(never)]
    fn new_page(&mut self, class: usize) -> *mut u64 {
        let chunk_bytes = self.chunks.last().map_or(0, |(_, bytes)| *bytes);
        if self.chunk_at + PAGE_BYTES > chunk_bytes {
            let bytes = if self.chunks.is_empty() {
                FIRST_CHUNK_BYTES
            } else {
                CHUNK_BYTES
            };
            self.chunks.push((allocate_bytes(bytes), bytes));
            self.chunk_at = 0;
        }
        let (chunk, _) = self.chunks[self.chunks.len() - 1];
        // SAFETY: chunk_at + PAGE_BYTES is within the newest chunk (checked above).
        let base = unsafe { chunk.add(self.chunk_at) }.cast::<u64>();
        self.chunk_at += PAGE_BYTES;
        let words = CLASS_WORDS[class];
        let blocks = PAGE_BYTES / 8 / words;
        self.pages.push(Page {
            base,
            class: class as u8,
        });
        let size = &mut self.classes[class];
        // SAFETY: the page has room for `blocks` blocks of `words` words.
        unsafe {
            size.bump = base.add(words);
            size.bump_end = base.add(words * blocks);
        }
        base
    }

    #[cold]
    #[inline(never)]
    fn allocate_large(&mut self, header: u64, words: usize) -> Res<Obj> {
        let bytes = (words + 1) * 8;
        self.charge(bytes)?;
        let base = allocate_bytes(bytes).cast::<u64>();
        let index = self.large.len();
        self.large.push(Large { base, words });
        // SAFETY: the allocation has words + 1 words: the index, then the object.
        unsafe {
            *base = index as u64;
            *base.add(1) = header;
            let obj = Obj::from_non_null(NonNull::new_unchecked(base.add(1)));
            checked::born(obj, words);
            Ok(obj)
        }
    }

    /// Gives back an object that nothing else refers to (an outgrown buffer or table).
    fn release(&mut self, obj: Obj, words: usize) {
        debug_assert!(obj.header() & FLAG_STATIC == 0);
        if words > SMALL_WORDS_MAX {
            // SAFETY: the word before a large object is its index in `large`.
            let index = unsafe { *obj.pointer().sub(1) } as usize;
            self.used_bytes = self.used_bytes.saturating_sub((words + 1) * 8);
            self.drop_large(index);
            return;
        }
        checked::died(obj.pointer());
        let class = CLASS_OF_WORDS[words] as usize;
        self.used_bytes = self.used_bytes.saturating_sub(CLASS_WORDS[class] * 8);
        let block = obj.pointer();
        // SAFETY: the block is at least two words and nobody refers to it any more.
        unsafe {
            *block = header(Kind::Free, 0, 0);
            *block.add(1) = self.classes[class].free as u64;
        }
        self.classes[class].free = block;
    }

    /// Frees the large object at `index`; the last one takes its place.
    fn drop_large(&mut self, index: usize) {
        let large = self.large.swap_remove(index);
        checked::died(large.base.wrapping_add(1));
        // SAFETY: `base` came from `allocate_bytes((words + 1) * 8)`.
        unsafe { dealloc(large.base.cast(), bytes_layout((large.words + 1) * 8)) };
        if let Some(moved) = self.large.get(index) {
            // SAFETY: the first word of a large allocation is its index.
            unsafe { *moved.base = index as u64 };
        }
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        if cfg!(feature = "checked") {
            for page in &self.pages {
                let words = CLASS_WORDS[page.class as usize];
                for index in 0..PAGE_BYTES / 8 / words {
                    checked::died(page.base.wrapping_add(index * words));
                }
            }
        }
        for large in &self.large {
            checked::died(large.base.wrapping_add(1));
            // SAFETY: `base` came from `allocate_bytes((words + 1) * 8)` and is freed once.
            unsafe { dealloc(large.base.cast(), bytes_layout((large.words + 1) * 8)) };
        }
        for (chunk, bytes) in &self.chunks {
            // SAFETY: the chunk came from `allocate_bytes(bytes)` and is freed once.
            unsafe { dealloc(*chunk, bytes_layout(*bytes)) };
        }
    }
}

impl std::fmt::Debug for Heap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Heap")
            .field("used_bytes", &self.used_bytes)
            .finish_non_exhaustive()
    }
}

fn bytes_layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, 8).expect("limits keep allocations far below the address space")
}

fn allocate_bytes(bytes: usize) -> *mut u8 {
    let layout = bytes_layout(bytes);
    // SAFETY: the layout has a size above zero.
    let pointer = unsafe { alloc(layout) };
    if pointer.is_null() {
        handle_alloc_error(layout);
    }
    pointer
}
