//! Chunks of memory that heaps are made of, kept by each thread for its next heap. Here because a request shall cost no
//! system call and no page fault: its first chunk is the one that the last request left, still warm. Chunks are mapped by
//! themselves, not taken from the allocator, which would keep what big heaps gave back.
//! Must stay true: every chunk is aligned to its size, so the chunk of an object follows from its address; a thread keeps
//! a bounded number of chunks, and its end frees them.

use std::alloc::{Layout, handle_alloc_error};
use std::cell::RefCell;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use memmap2::MmapMut;

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

/// A chunk; dropping it gives it back to the system.
#[derive(Debug)]
pub(super) struct Chunk {
    /// First byte.
    pub(super) start: *mut u8,
    /// Has twice the size, so that an aligned chunk lies in it; what is not touched costs nothing.
    _mapping: MmapMut,
}

impl Chunk {
    fn new() -> Chunk {
        match MmapMut::map_anon(2 * CHUNK_BYTES) {
            Ok(mut mapping) => {
                let first = mapping.as_mut_ptr();
                Chunk {
                    start: first.wrapping_add(first.align_offset(CHUNK_BYTES)),
                    _mapping: mapping,
                }
            }
            Err(_) => handle_alloc_error(Layout::new::<[u8; CHUNK_BYTES]>()),
        }
    }
}

/// The chunks that a thread keeps.
#[derive(Default)]
struct Kept(Vec<Chunk>);

impl Drop for Kept {
    fn drop(&mut self) {
        KEPT_BY_ALL.fetch_sub(self.0.len(), Relaxed);
    }
}

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::default();
}

/// A chunk, with old bytes in it.
pub(super) fn take() -> Chunk {
    let kept = KEPT.try_with(|kept| kept.borrow_mut().0.pop());
    if let Ok(Some(chunk)) = kept {
        KEPT_BY_ALL.fetch_sub(1, Relaxed);
        return chunk;
    }
    Chunk::new()
}

/// Takes chunks back, which nobody uses any more; the first of them will be the next one taken.
pub(super) fn give_back(chunks: Vec<Chunk>) {
    // At the end of a thread there is nothing to keep them in.
    let _ = KEPT.try_with(|kept| {
        let kept = &mut kept.borrow_mut().0;
        let most = match KEPT_BY_ALL.load(Relaxed) {
            0..KEPT_BY_ALL_MAX => KEPT_MAX,
            KEPT_BY_ALL_MAX.. => KEPT_FEW,
        };
        let mut chunks = chunks;
        chunks.truncate(most.saturating_sub(kept.len()));
        KEPT_BY_ALL.fetch_add(chunks.len(), Relaxed);
        kept.extend(chunks.into_iter().rev());
    });
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
        let (first, second) = (take(), take());
        let starts = [first.start, second.start];
        assert!(
            starts
                .iter()
                .all(|start| (*start as usize).is_multiple_of(CHUNK_BYTES))
        );
        assert_ne!(first.start, second.start);
        give_back(vec![first, second]);
        let again = [take(), take()];
        assert_eq!([again[0].start, again[1].start], starts);
        give_back((0..KEPT_MAX + 4).map(|_| take()).collect());
        give_back(Vec::from(again));
        assert_eq!(KEPT.with(|kept| kept.borrow().0.len()), KEPT_MAX);
    }
}
