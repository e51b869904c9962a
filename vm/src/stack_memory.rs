//! The memory of a VM's stacks: reserved once at full length, given by the system page by page as it is used, kept for the
//! next VM of the thread. Here because native code holds addresses of frames, so nothing may move, and because taking
//! megabytes anew for each request would cost more than most requests.
//! Must stay true: memory whose deeper part was used is given back to the system, so that one deep recursion costs a thread
//! nothing later.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::cell::RefCell;
use std::ptr::NonNull;

use crate::frame::Record;

/// Most slots of each stack that interpreted frames use (32 MiB); a call beyond it is a stack overflow.
pub(crate) const SLOTS_MAX: usize = 4 << 20;
/// Most slots of a frame in each bank for which native code may be published. Native calls check the call depth only: behind
/// the part for interpreted frames there is room for that many frames of this size.
pub(crate) const NATIVE_SLOTS_MAX: usize = 400;
/// Memory that one thread keeps for later VMs.
const KEPT_MAX: usize = 2;
/// From this slot on a stack counts as deeply used.
const DEEP_FROM: usize = 8 << 10;

/// Zeroed words that never move.
#[derive(Debug)]
pub(crate) struct Words {
    first: NonNull<u64>,
    count: usize,
}

impl Words {
    fn new(count: usize) -> Words {
        let layout = Layout::array::<u64>(count).expect("stacks are far below the address space");
        // SAFETY: the layout has a size above zero.
        let memory = unsafe { alloc_zeroed(layout) };
        match NonNull::new(memory.cast()) {
            Some(first) => Words { first, count },
            None => handle_alloc_error(layout),
        }
    }

    /// The first word.
    pub(crate) fn first(&self) -> *mut u64 {
        self.first.as_ptr()
    }

    /// Whether the words far from the start were written, as far as a few looks can tell.
    fn deeply_used(&self) -> bool {
        let mut at = DEEP_FROM;
        while at + 16 <= self.count {
            for index in at..at + 16 {
                // SAFETY: the position is below the count.
                if unsafe { *self.first.as_ptr().add(index) } != 0 {
                    return true;
                }
            }
            at *= 2;
        }
        false
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        let layout = Layout::array::<u64>(self.count).expect("it was one when it was made");
        // SAFETY: allocated with this layout and freed once.
        unsafe { dealloc(self.first.as_ptr().cast(), layout) }
    }
}

/// The memory of a VM's stacks.
#[derive(Debug)]
pub(crate) struct StackMemory {
    pub(crate) scalars: Words,
    pub(crate) refs: Words,
    /// Call words of native frames, one per depth.
    pub(crate) words: Words,
    /// Empty, with room for one per depth; the memory was zero at first, which is a valid record.
    pub(crate) records: Vec<Record>,
    call_depth: usize,
}

thread_local! {
    static KEPT: RefCell<Vec<StackMemory>> = const { RefCell::new(Vec::new()) };
}

impl StackMemory {
    /// Memory for calls nested so deep.
    pub(crate) fn take(call_depth: usize) -> StackMemory {
        let kept = KEPT.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            let at = kept.iter().position(|m| m.call_depth == call_depth)?;
            Some(kept.swap_remove(at))
        });
        if let Ok(Some(memory)) = kept {
            return memory;
        }
        let slots = SLOTS_MAX + call_depth * NATIVE_SLOTS_MAX;
        StackMemory {
            scalars: Words::new(slots),
            refs: Words::new(slots),
            words: Words::new(call_depth + 1),
            records: zeroed_records(call_depth.max(1)),
            call_depth,
        }
    }

    /// Keeps the memory for the thread's next VM if little of it was used.
    pub(crate) fn give_back(self) {
        if self.scalars.deeply_used() || self.refs.deeply_used() {
            return;
        }
        // At the end of a thread there is nothing to keep it in.
        let _ = KEPT.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.len() < KEPT_MAX {
                kept.push(self);
            }
        });
    }
}

fn zeroed_records(count: usize) -> Vec<Record> {
    let layout = Layout::array::<Record>(count).expect("records are far below the address space");
    // SAFETY: the layout has a size above zero.
    let memory = unsafe { alloc_zeroed(layout) };
    if memory.is_null() {
        handle_alloc_error(layout);
    }
    // SAFETY: allocated by the global allocator with the layout of so many records; none counts yet.
    unsafe { Vec::from_raw_parts(memory.cast(), 0, count) }
}
