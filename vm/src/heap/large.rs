//! Objects with an allocation of their own. Here because they are found by a word before their header, grow in place where
//! the system can, and carry their mark in the header. The biggest are mapped by themselves: the allocator would keep what
//! they gave back. Must stay true: the word before the header is the index in the table; the header carries the large flag
//! as long as the object lives.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::ptr::NonNull;

use memmap2::MmapMut;

use super::checked;
use super::object::{FLAG_LARGE, FLAG_MARK, Obj};

/// Objects from this size on are mapped by themselves.
const MAPPED_FROM_BYTES: usize = 4 << 20;

#[derive(Debug)]
struct Large {
    base: *mut u64,
    words: usize,
    /// What the object lies in, if it is not the allocator's.
    mapping: Option<MmapMut>,
}

impl Large {
    fn new(words: usize) -> Large {
        let layout = layout(words);
        if layout.size() >= MAPPED_FROM_BYTES {
            let Ok(mut mapping) = MmapMut::map_anon(layout.size()) else {
                handle_alloc_error(layout);
            };
            return Large {
                base: mapping.as_mut_ptr().cast(),
                words,
                mapping: Some(mapping),
            };
        }
        Large {
            // SAFETY: the layout has a size above zero.
            base: non_null(unsafe { alloc(layout) }, layout),
            words,
            mapping: None,
        }
    }

    /// Makes it longer; it may move.
    fn grow(&mut self, words: usize) {
        let (old, new) = (layout(self.words), layout(words));
        #[cfg(target_os = "linux")]
        if let Some(mapping) = &mut self.mapping {
            let may_move = memmap2::RemapOptions::new().may_move(true);
            // SAFETY: nobody keeps an address in the mapping but the owner of the object, who gets the new one.
            if unsafe { mapping.remap(new.size(), may_move) }.is_err() {
                handle_alloc_error(new);
            }
            self.base = mapping.as_mut_ptr().cast();
            self.words = words;
            return;
        }
        if self.mapping.is_none() && new.size() < MAPPED_FROM_BYTES {
            // SAFETY: `base` came from `alloc` or `realloc` with the old layout.
            let base = unsafe { realloc(self.base.cast(), old, new.size()) };
            self.base = non_null(base, new);
            self.words = words;
            return;
        }
        let longer = Large::new(words);
        // SAFETY: both have the bytes of the old one, and they are different allocations.
        unsafe { std::ptr::copy_nonoverlapping(self.base, longer.base, old.size() / 8) };
        std::mem::replace(self, longer).free();
    }

    fn free(self) {
        if self.mapping.is_none() {
            // SAFETY: `base` came from `alloc` or `realloc` with this layout and is freed once.
            unsafe { dealloc(self.base.cast(), layout(self.words)) };
        }
    }
}

/// The big objects of one heap.
#[derive(Debug, Default)]
pub(super) struct LargeObjects(Vec<Large>);

/// Bytes that an object of so many words takes.
pub(super) fn bytes_of(words: usize) -> usize {
    (words + 1) * 8
}

/// At least so many words, such that objects of this size that are allocated one after the other begin in different sets
/// of the processor's cache: an odd number of cache lines apart, the allocator's own word included. Rows of a table whose
/// distance is a multiple of 2 KiB would push each other out of the cache column by column.
pub(super) fn spread(words: usize) -> usize {
    const LINE_WORDS: usize = 8;
    const OWN_WORDS: usize = 2;
    let lines = (words + OWN_WORDS).div_ceil(LINE_WORDS) | 1;
    lines * LINE_WORDS - OWN_WORDS
}

fn layout(words: usize) -> Layout {
    Layout::from_size_align(bytes_of(words), 8)
        .expect("limits keep allocations far below the address space")
}

fn non_null(base: *mut u8, layout: Layout) -> *mut u64 {
    if base.is_null() {
        handle_alloc_error(layout);
    }
    base.cast()
}

/// The object in an allocation.
fn object(base: *mut u64) -> Obj {
    let address = NonNull::new(base.wrapping_add(1)).expect("an allocation is not at address zero");
    Obj::from_non_null(address)
}

impl LargeObjects {
    /// A new object of `words` words; only its header is written.
    pub(super) fn allocate(&mut self, header: u64, words: usize) -> Obj {
        let large = Large::new(words);
        // SAFETY: the allocation has words + 1 words: the index, then the object.
        unsafe {
            *large.base = self.0.len() as u64;
            *large.base.add(1) = header | FLAG_LARGE;
        }
        let obj = object(large.base);
        self.0.push(large);
        checked::born(obj, words);
        obj
    }

    fn index_of(obj: Obj) -> usize {
        // SAFETY: the word before a large object is its index.
        unsafe { *obj.pointer().sub(1) as usize }
    }

    /// Makes an object that nothing refers to yet, or only its owner, longer; it may move.
    pub(super) fn grow(&mut self, obj: Obj, words: usize) -> Obj {
        let large = &mut self.0[Self::index_of(obj)];
        checked::died(obj.pointer());
        large.grow(words);
        let obj = object(large.base);
        checked::born(obj, words);
        obj
    }

    /// Frees an object that nothing refers to; gives its bytes.
    pub(super) fn release(&mut self, obj: Obj) -> usize {
        self.drop_at(Self::index_of(obj))
    }

    /// Frees the object at `index`; the last one takes its place.
    fn drop_at(&mut self, index: usize) -> usize {
        let large = self.0.swap_remove(index);
        let bytes = bytes_of(large.words);
        checked::died(large.base.wrapping_add(1));
        large.free();
        if let Some(moved) = self.0.get(index) {
            // SAFETY: the first word of a large allocation is its index.
            unsafe { *moved.base = index as u64 };
        }
        bytes
    }

    /// Frees what is not marked, takes the marks away; gives the bytes that live on.
    pub(super) fn sweep(&mut self) -> usize {
        let mut live_bytes = 0;
        let mut index = 0;
        while let Some(large) = self.0.get(index) {
            let obj = object(large.base);
            if obj.header() & FLAG_MARK == 0 {
                self.drop_at(index);
                continue;
            }
            live_bytes += bytes_of(large.words);
            obj.set_header(obj.header() & !FLAG_MARK);
            index += 1;
        }
        live_bytes
    }
}

impl Drop for LargeObjects {
    fn drop(&mut self) {
        for large in self.0.drain(..) {
            checked::died(large.base.wrapping_add(1));
            large.free();
        }
    }
}
