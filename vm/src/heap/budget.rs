//! What a heap has used and may use. Here because the limit, the moment to collect and the counters must all follow from
//! the same numbers. Must stay true: memory is charged when a run of blocks or a big object is taken, never per object; so
//! the same program is refused at the same allocation every time.

/// Below this much memory in use nothing is collected (dropping everything at the end is cheaper).
const COLLECT_FROM_BYTES: usize = 16 << 20;
/// Twice as much garbage as there is alive may gather, up to so much alive; beyond it as much again as is alive.
const GENEROUS_UP_TO_BYTES: usize = 64 << 20;
/// What an error that reports a full heap may use beyond the limit.
pub(super) const ERROR_RESERVE_BYTES: usize = 64 << 10;
/// A run takes at most this part of what is left, so that no size of blocks takes everything from the others.
const PART_OF_REST: usize = 8;

/// What was used, and where the limits are.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) used_bytes: usize,
    pub(super) limit_bytes: usize,
    threshold_bytes: usize,
    /// Bytes taken altogether; the rest of the runs in use is not subtracted.
    pub(super) taken_bytes: u64,
    /// Whether the next moment between operations should collect.
    pub(super) wants_collection: bool,
    collect_always: bool,
}

impl Budget {
    pub(super) fn new(limit_bytes: usize, collect_always: bool) -> Budget {
        let mut budget = Budget {
            used_bytes: 0,
            limit_bytes,
            threshold_bytes: 0,
            taken_bytes: 0,
            wants_collection: false,
            collect_always,
        };
        budget.collected(0);
        budget
    }

    /// Takes so many bytes; false if the limit leaves no room for them.
    #[inline]
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        let used = self.used_bytes.saturating_add(bytes);
        if used > self.limit_bytes {
            return false;
        }
        self.used_bytes = used;
        self.taken_bytes += bytes as u64;
        self.wants_collection |= used >= self.threshold_bytes;
        true
    }

    /// How many of the `wanted` bytes a run of blocks may take: whole blocks, at least one, fewer near the limit.
    pub(super) fn portion(&self, wanted: usize, block_bytes: usize) -> usize {
        let part = self.limit_bytes.saturating_sub(self.used_bytes) / PART_OF_REST;
        if wanted <= part {
            wanted
        } else {
            wanted.min((part / block_bytes).max(1) * block_bytes)
        }
    }

    /// Gives bytes back.
    pub(super) fn give_back(&mut self, bytes: usize) {
        self.used_bytes = self.used_bytes.saturating_sub(bytes);
    }

    /// After a collection: so much is alive.
    pub(super) fn collected(&mut self, live_bytes: usize) {
        self.used_bytes = live_bytes;
        self.wants_collection = self.collect_always;
        self.threshold_bytes = if self.collect_always {
            0
        } else {
            let garbage = live_bytes + live_bytes.min(GENEROUS_UP_TO_BYTES);
            let wanted = COLLECT_FROM_BYTES.max(live_bytes + garbage);
            wanted.min(live_bytes + self.limit_bytes.saturating_sub(live_bytes) / 2)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_get_shorter_near_the_limit() {
        let mut budget = Budget::new(100_000, false);
        assert_eq!(budget.portion(1024, 64), 1024);
        assert!(budget.take(96_000));
        assert_eq!(budget.portion(1024, 64), 448);
        assert!(budget.take(3_900));
        assert_eq!(budget.portion(1024, 64), 64);
        assert!(budget.take(64));
        assert!(!budget.take(64));
        assert_eq!(budget.used_bytes, 99_964);
    }

    #[test]
    fn collecting_is_wanted_at_the_threshold() {
        let mut budget = Budget::new(1 << 30, false);
        assert!(budget.take(COLLECT_FROM_BYTES - 1) && !budget.wants_collection);
        assert!(budget.take(1) && budget.wants_collection);
        budget.collected(COLLECT_FROM_BYTES);
        assert!(!budget.wants_collection);
        assert!(budget.take(2 * COLLECT_FROM_BYTES - 1) && !budget.wants_collection);
        assert!(budget.take(1) && budget.wants_collection);
        // In a small heap half of what is left is used before the first collection.
        let mut budget = Budget::new(1000, false);
        assert!(budget.take(499) && !budget.wants_collection);
        assert!(budget.take(1) && budget.wants_collection);
        assert!(Budget::new(1000, true).wants_collection);
    }
}
