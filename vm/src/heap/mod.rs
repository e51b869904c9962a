//! The heap of one VM: blocks of fixed sizes, big objects one by one, all of it dropped at the end. Here because
//! allocation and collection must agree on every layout.
//!
//! Allocation never collects: where memory is taken it notes that a collection is wanted. The interpreter asks for that at
//! the end of an operation that allocated, when all live references stand in roots, so code inside an operation needs no
//! rooting. Must stay true: objects never move, except a list's own buffer; every word that a scan reads is a word.
#![allow(unsafe_code)]

mod blocks;
mod boxes;
mod budget;
pub(crate) mod checked;
mod chunks;
mod collect;
mod dict;
mod entity;
mod holding;
mod large;
mod layouts;
mod list;
mod map;
mod object;
#[cfg(test)]
mod tests;
mod text;
mod things;

use std::collections::HashMap;
use std::ptr::NonNull;
use std::sync::Arc;

pub(crate) use blocks::SizeClass;
pub(crate) use boxes::{closure_slot_class, range_parts};
pub use chunks::give_memory_back;
use collect::{Marker, Work};
pub(crate) use entity::{EntityState, Gone, Past, Stamps};
pub(crate) use layouts::{Layouts, ShapeLayout};
pub(crate) use list::{
    BUFFER as LIST_BUFFER_WORD, ElementError, LEN as LIST_LEN_WORD, class_of as list_class,
    floats as list_floats, ints as list_ints, len as list_len, words as list_refs,
};
pub(crate) use map::MapCursor;
pub(crate) use object::{FLAG_ASCII, Kind, NONE_OBJECT, Obj, header};
pub(crate) use text::{
    BUFFER_DATA as TEXT_BUFFER_DATA_WORD, BUFFERED as TEXT_BUFFERED, CHARACTERS, Filling,
    equal as text_equal, is_ascii as text_is_ascii,
};
pub(crate) use things::{ErrorParts, QUERY_STEPS_MAX, QueryBase};

/// What the interpreter does in place: one compare of kind, class or shape, then the access.
pub(crate) mod fast {
    pub(crate) use super::list::{get as list_get, push as list_push, set as list_set};
    pub(crate) use super::map::{record_slot, set_record_slot};
    pub(crate) use super::text::ascii_at;
}

use crate::fault::{Fault, Res};
use blocks::{Blocks, CLASS_OF_WORDS, CLASS_WORDS, SMALL_WORDS_MAX};
use budget::{Budget, ERROR_RESERVE_BYTES};
use large::LargeObjects;
use object::FLAG_STATIC;

/// Number of the size class for objects of so many words, the header included, and the words of its blocks; none for
/// objects that get an allocation of their own.
pub(crate) const fn size_class(words: usize) -> Option<(usize, usize)> {
    if words > SMALL_WORDS_MAX {
        return None;
    }
    let class = CLASS_OF_WORDS[words] as usize;
    Some((class, CLASS_WORDS[class]))
}

/// The heap of one VM.
pub(crate) struct Heap {
    blocks: Blocks,
    large: LargeObjects,
    budget: Budget,
    /// How often the heap was collected.
    pub(crate) collections: u64,
    layouts: Arc<Layouts>,
    seed: u64,
    /// The one object per saved record.
    identity: HashMap<(u32, i64), Obj>,
    /// What was deleted that objects with `STALE` may have links to.
    lost_links: HashMap<(u32, i64), Vec<Arc<Gone>>>,
    /// What the fields of objects with `HELD` came to when they were saved.
    held_prints: HashMap<(u32, i64), u64>,
    /// Records whose objects may have changes that were not saved, by type and id, and how many were known to have some.
    changed: Vec<(u32, i64)>,
    changed_before: usize,
    /// Kept from one collection to the next.
    work: Work,
}

impl Heap {
    pub(crate) fn new(layouts: Arc<Layouts>, limit_bytes: usize, collect_always: bool) -> Heap {
        Heap {
            blocks: Blocks::new(collect_always),
            large: LargeObjects::default(),
            budget: Budget::new(limit_bytes, collect_always),
            collections: 0,
            layouts,
            seed: dict::process_seed(),
            identity: HashMap::new(),
            lost_links: HashMap::new(),
            held_prints: HashMap::new(),
            changed: Vec::new(),
            changed_before: 0,
            work: Work::default(),
        }
    }

    /// Whether the next moment between operations should collect.
    #[inline(always)]
    pub(crate) fn wants_collection(&self) -> bool {
        self.budget.wants_collection
    }

    /// Bytes allocated altogether.
    pub(crate) fn allocated_bytes(&self) -> u64 {
        self.budget.taken_bytes - self.blocks.rest_bytes() as u64
    }

    /// Bytes in use now, garbage that was not collected yet included.
    pub(crate) fn used_bytes(&self) -> usize {
        self.budget.used_bytes
    }

    /// Where the blocks of each size come from.
    pub(crate) fn size_classes(&mut self) -> *mut u8 {
        self.blocks.classes.as_mut_ptr().cast()
    }

    /// What the program's shapes and texts look like.
    pub(crate) fn layouts(&self) -> &Arc<Layouts> {
        &self.layouts
    }

    /// Runs `body` with a little memory beyond the limit, for the error that says that memory is used up.
    pub(crate) fn with_reserve<T>(&mut self, body: impl FnOnce(&mut Heap) -> T) -> T {
        let limit = self.budget.limit_bytes;
        self.budget.limit_bytes = limit.max(self.budget.used_bytes) + ERROR_RESERVE_BYTES;
        let result = body(self);
        self.budget.limit_bytes = limit;
        result
    }

    /// Counts memory that something outside the heap uses for this run (markup that is being written).
    pub(crate) fn charge_outside(&mut self, bytes: usize) -> Res<()> {
        self.charge(bytes)
    }

    /// Refuses work that would need so many bytes more than there may be.
    pub(crate) fn check_room(&self, bytes: usize) -> Res<()> {
        if self.budget.used_bytes.saturating_add(bytes) > self.budget.limit_bytes {
            Err(self.is_full())
        } else {
            Ok(())
        }
    }

    fn charge(&mut self, bytes: usize) -> Res<()> {
        if self.budget.take(bytes) {
            Ok(())
        } else {
            Err(self.is_full())
        }
    }

    /// The error that says that memory is used up.
    #[cold]
    fn is_full(&self) -> Fault {
        Fault::memory(self.budget.limit_bytes)
    }

    /// A new object of `words` words, the header included. The words after the header hold old bytes: the caller writes
    /// all that the kind says is a reference before the operation ends.
    #[inline]
    fn allocate(&mut self, header: u64, words: usize) -> Res<Obj> {
        let Some((class, _)) = size_class(words) else {
            return self.allocate_large(header, words);
        };
        let block = match self.blocks.take(class) {
            Some(block) => block,
            None => self.take_slowly(class)?,
        };
        // SAFETY: `block` is an unused block of at least two words, aligned to 8.
        unsafe {
            *block = header;
            let obj = Obj::from_non_null(NonNull::new_unchecked(block));
            checked::born(obj, words);
            Ok(obj)
        }
    }

    #[cold]
    #[inline(never)]
    fn take_slowly(&mut self, class: usize) -> Res<*mut u64> {
        match self.blocks.take_slowly(class, &mut self.budget) {
            Some(block) => Ok(block),
            None => Err(self.is_full()),
        }
    }

    #[cold]
    #[inline(never)]
    fn allocate_large(&mut self, header: u64, words: usize) -> Res<Obj> {
        self.charge(large::bytes_of(words))?;
        Ok(self.large.allocate(header, words))
    }

    /// Makes a buffer that only its owner refers to longer; it may move. Its words stay.
    fn grow(&mut self, obj: Obj, old_words: usize, words: usize) -> Res<Obj> {
        debug_assert!(obj.header() & FLAG_STATIC == 0 && words > old_words);
        if old_words > SMALL_WORDS_MAX {
            self.charge((words - old_words) * 8)?;
            return Ok(self.large.grow(obj, words));
        }
        let new = self.allocate(obj.header(), words)?;
        // SAFETY: both objects have `old_words` words at least, and they are different ones.
        unsafe {
            std::ptr::copy_nonoverlapping(
                obj.pointer().add(1),
                new.pointer().add(1),
                old_words - 1,
            );
        }
        self.release(obj, old_words);
        Ok(new)
    }

    /// Gives back an object that nothing else refers to (an outgrown buffer or table).
    fn release(&mut self, obj: Obj, words: usize) {
        debug_assert!(obj.header() & FLAG_STATIC == 0);
        let bytes = match size_class(words) {
            Some((class, _)) => self.blocks.release(class, obj.pointer()),
            None => self.large.release(obj),
        };
        self.budget.give_back(bytes);
    }
}

impl std::fmt::Debug for Heap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Heap")
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}
