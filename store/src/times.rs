//! From a time to the last transaction committed by then.
//!
//! A sparse table of (commit time, LSN, place of the frame), made while replaying and kept in checkpoints; the step from
//! an entry to the exact LSN reads frame headers. It works because commit times never run backwards. What must stay
//! true: the table only shortens the way, the answer is the same without it.

use crate::codec::frame::{
    FRAME_HEADER_BYTES, FRAME_HEADER_BYTES_MIN, FrameHeader, FrameKind, body_crc,
};
use crate::codec::gap::GapSummary;
use crate::codec::record::Place;
use crate::limits::{SEGMENT_HEADER_BYTES, TIMES_EVERY};
use crate::segments::{Segment, SegmentSet};
use crate::shared::Shared;
use crate::value::Lsn;

/// Entries that are tried, from the newest one on.
const ENTRIES_TRIED: usize = 16;

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

    /// The last entries with at most this time, newest first; every frame before one has at most its time.
    fn before(&self, time_ms: i64) -> Vec<TimeEntry> {
        let count = self
            .entries
            .partition_point(|entry| entry.time_ms <= time_ms);
        let from = count.saturating_sub(ENTRIES_TRIED);
        self.entries[from..count].iter().rev().copied().collect()
    }
}

/// The last frame up to `newest` that was committed by a time; `None` if the log cannot be read where it stands.
pub(crate) fn lsn_at(
    shared: &Shared,
    segments: &SegmentSet,
    newest: Lsn,
    time_ms: i64,
) -> Option<Lsn> {
    let entries = shared.state().times.before(time_ms);
    if entries.is_empty() {
        // The first data frame is in the table: before its time there was nothing.
        return Some(Lsn(0));
    }
    // A frame of the table may have been erased since; then the entry before it leads there.
    let found = |entry: &TimeEntry| last_by(segments, *entry, newest, time_ms);
    entries.iter().find_map(found)
}

/// The frame at an offset, and the last LSN and time it stands for.
fn frame_of(segment: &Segment, offset: u64) -> Option<(FrameHeader, Lsn, i64)> {
    let file = &segment.file;
    // The last header of a segment may be the short one.
    let head = file
        .view(offset, FRAME_HEADER_BYTES as u64)
        .or_else(|_| file.view(offset, FRAME_HEADER_BYTES_MIN as u64))
        .ok()?;
    let header = FrameHeader::decode(&head, segment.header.salt, offset)?;
    let (mut lsn, mut time_ms) = (header.lsn, header.time_ms);
    if header.kind == FrameKind::Gap {
        let body_at = offset + header.header_len();
        let body = file.view(body_at, u64::from(header.body_len)).ok()?;
        if body_crc(segment.header.salt, header.lsn, &body) != header.body_crc {
            return None;
        }
        let gap = GapSummary::decode(&body).ok()?;
        (lsn, time_ms) = (gap.last_lsn, gap.last_time_ms);
    }
    Some((header, lsn, time_ms))
}

fn last_by(segments: &SegmentSet, entry: TimeEntry, newest: Lsn, time_ms: i64) -> Option<Lsn> {
    let mut found = Lsn(entry.lsn.0.checked_sub(1)?);
    let (mut number, mut offset) = (entry.place.segment, u64::from(entry.place.offset));
    while found < newest {
        let segment = segments.by_number(number)?;
        match frame_of(segment, offset) {
            // The frames of the table and those behind them follow each other; anything else is not where we think.
            Some((header, ..)) if header.lsn.0 != found.0 + 1 => return None,
            Some((_, _, frame_ms)) if frame_ms > time_ms => return Some(found),
            Some((header, last, _)) => {
                found = last;
                offset += header.frame_len();
            }
            None => {
                number += 1;
                offset = SEGMENT_HEADER_BYTES;
                let next = segments.by_number(number)?;
                if next.header.first_lsn.0 != found.0 + 1 {
                    return None;
                }
            }
        }
    }
    Some(newest)
}
