//! The memory of all runs together. Here because each has a limit of its own that is far more than its fair part: many greedy
//! ones at a time must not take the machine. Must stay true: who is small is never refused because others are not; what a run
//! held is given back when it ends, also by a panic.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Who holds less is never refused: everything else would end, too, when few take all.
const SMALL_BYTES: usize = 4 << 20;
/// So much may change before it is told to the others.
const STEP_BYTES: usize = 256 << 10;

/// What all runs hold, and may hold.
#[derive(Debug)]
pub(crate) struct Memory {
    held: AtomicUsize,
    most: usize,
}

impl Memory {
    /// So much for all of them.
    pub(crate) fn new(most: usize) -> Memory {
        Memory {
            held: AtomicUsize::new(0),
            most,
        }
    }

    /// What they hold, to a step for each.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// The part of a run that begins.
    pub(crate) fn share(&self) -> Share<'_> {
        Share {
            memory: self,
            told: 0,
            most_held: 0,
            is_refused: false,
        }
    }
}

/// The part of one run.
#[derive(Debug)]
pub(crate) struct Share<'a> {
    memory: &'a Memory,
    told: usize,
    most_held: usize,
    is_refused: bool,
}

impl Share<'_> {
    /// The run holds so much now; false if that is too much for all of them.
    pub(crate) fn hold(&mut self, bytes: usize) -> bool {
        self.most_held = self.most_held.max(bytes);
        if bytes.abs_diff(self.told) < STEP_BYTES {
            return true;
        }
        let grows = bytes > self.told;
        let held = if grows {
            let more = bytes - self.told;
            self.memory.held.fetch_add(more, Ordering::Relaxed) + more
        } else {
            let less = self.told - bytes;
            self.memory.held.fetch_sub(less, Ordering::Relaxed) - less
        };
        self.told = bytes;
        self.is_refused |= grows && bytes > SMALL_BYTES && held > self.memory.most;
        !self.is_refused
    }

    /// The most that it held whenever it was asked.
    pub(crate) fn most_held(&self) -> usize {
        self.most_held
    }

    /// Whether it was told that there is no more.
    pub(crate) fn is_refused(&self) -> bool {
        self.is_refused
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.memory.held.fetch_sub(self.told, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_grows_beyond_all_is_refused_and_small_ones_are_not() {
        let memory = Memory::new(64 << 20);
        let mut first = memory.share();
        assert!(first.hold(60 << 20));
        let (mut second, mut small) = (memory.share(), memory.share());
        assert!(small.hold(2 << 20));
        assert!(!second.hold(8 << 20) && second.is_refused());
        // It stays refused: what it has computed so far is of no use to anybody.
        assert!(!second.hold(16 << 20));
        assert!(small.hold(3 << 20) && !small.is_refused());
        drop((first, second));
        assert!(small.hold(20 << 20));
        assert_eq!(small.most_held(), 20 << 20);
        drop(small);
        assert_eq!(memory.held(), 0);
    }
}
