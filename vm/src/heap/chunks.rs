//! Chunks of memory that heaps are made of, kept by each thread for its next heap. Here because a request shall cost no
//! system call and no page fault: its first chunk is the one that the last request left, still warm.
//! Must stay true: every chunk is aligned to its size, so the chunk of an object follows from its address; a thread keeps
//! a bounded number of chunks, and its end frees them.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::RefCell;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

/// Bytes of a chunk, and what it is aligned to.
pub(super) const CHUNK_BYTES: usize = 1 << 20;
/// Chunks that a thread keeps in any case: what nearly all requests do with.
const KEPT_FEW: usize = 2;
/// Chunks that a thread keeps at most; what a heap had beyond them goes back to the system.
const KEPT_MAX: usize = 16;
/// Chunks that all threads together keep, besides the few of each.
const KEPT_BY_ALL_MAX: usize = 64;

/// Chunks that threads keep.
static KEPT_BY_ALL: AtomicUsize = AtomicUsize::new(0);

const LAYOUT: Layout = match Layout::from_size_align(CHUNK_BYTES, CHUNK_BYTES) {
    Ok(layout) => layout,
    Err(_) => panic!("the size of a chunk is a power of two"),
};

/// The chunks that a thread keeps.
#[derive(Default)]
struct Kept(Vec<*mut u8>);

impl Drop for Kept {
    fn drop(&mut self) {
        KEPT_BY_ALL.fetch_sub(self.0.len(), Relaxed);
        for chunk in &self.0 {
            // SAFETY: kept chunks came from `alloc` with this layout and nobody uses them.
            unsafe { dealloc(*chunk, LAYOUT) };
        }
    }
}

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::default();
}

/// A chunk, with old bytes in it.
pub(super) fn take() -> *mut u8 {
    let kept = KEPT.try_with(|kept| kept.borrow_mut().0.pop());
    if let Ok(Some(chunk)) = kept {
        KEPT_BY_ALL.fetch_sub(1, Relaxed);
        return chunk;
    }
    // SAFETY: the layout has a size above zero.
    let chunk = unsafe { alloc(LAYOUT) };
    if chunk.is_null() {
        handle_alloc_error(LAYOUT);
    }
    chunk
}

/// Takes back chunks that came from `take`; the first of them will be the next one taken.
pub(super) fn give_back(chunks: &[*mut u8]) {
    let free = |chunks: &[*mut u8]| {
        for chunk in chunks {
            // SAFETY: promised by the caller: the chunk came from `take` and nobody uses it.
            unsafe { dealloc(*chunk, LAYOUT) };
        }
    };
    let taken = KEPT.try_with(|kept| {
        let kept = &mut kept.borrow_mut().0;
        let most = match KEPT_BY_ALL.load(Relaxed) {
            0..KEPT_BY_ALL_MAX => KEPT_MAX,
            KEPT_BY_ALL_MAX.. => KEPT_FEW,
        };
        let (keep, rest) = chunks.split_at(chunks.len().min(most.saturating_sub(kept.len())));
        kept.extend(keep.iter().rev());
        KEPT_BY_ALL.fetch_add(keep.len(), Relaxed);
        free(rest);
    });
    if taken.is_err() {
        free(chunks);
    }
}

/// Big allocations go back to the system as soon as they are freed, from now on and in the whole process. For servers: the
/// allocator of the GNU system otherwise learns from the first big one that is freed to keep all the next ones, and a few
/// greedy requests leave hundreds of MiB behind.
pub fn give_memory_back() {
    #[cfg(target_env = "gnu")]
    {
        const BIG_BYTES: libc::c_int = 256 << 10;
        // SAFETY: sets a number of the allocator; any thread may do it at any time.
        unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, BIG_BYTES) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_gets_its_chunks_back_and_keeps_a_few() {
        let first = take();
        let second = take();
        assert!((first as usize).is_multiple_of(CHUNK_BYTES) && first != second);
        give_back(&[first, second]);
        assert_eq!((take(), take()), (first, second));
        let many: Vec<*mut u8> = (0..KEPT_MAX + 4).map(|_| take()).collect();
        give_back(&many);
        give_back(&[first, second]);
        assert_eq!(KEPT.with(|kept| kept.borrow().0.len()), KEPT_MAX);
    }
}
