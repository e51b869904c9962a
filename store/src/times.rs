//! From a time to the last transaction committed by then.
//!
//! A sparse table of (commit time, LSN, place of the frame), made while replaying and kept in checkpoints; the step from
//! an entry to the exact LSN reads frame headers. It works because commit times never run backwards. What must stay
//! true: the table only shortens the way, the answer is the same without it.

use crate::codec::record::Place;
use crate::limits::TIMES_EVERY;
use crate::value::Lsn;

/// A data frame: when, which, where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeEntry {
    pub(crate) time_ms: i64,
    pub(crate) lsn: Lsn,
    pub(crate) place: Place,
}

/// Entries in the order of the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times {
    entries: Vec<TimeEntry>,
}

impl Times {
    pub(crate) fn new(entries: Vec<TimeEntry>) -> Self {
        Times { entries }
    }

    pub(crate) fn entries(&self) -> &[TimeEntry] {
        &self.entries
    }

    /// Takes a frame into the table if the last entry is far enough back.
    pub(crate) fn note(&mut self, entry: TimeEntry) {
        let due = match self.entries.last() {
            Some(last) => entry.lsn.0 >= last.lsn.0 + TIMES_EVERY,
            None => true,
        };
        if due {
            self.entries.push(entry);
        }
    }

    /// The last entry with at most this time; every frame before it has at most this time as well.
    pub(crate) fn before(&self, time_ms: i64) -> Option<TimeEntry> {
        let count = self
            .entries
            .partition_point(|entry| entry.time_ms <= time_ms);
        Some(self.entries[count.checked_sub(1)?])
    }
}
