//! The one place that appends to the log: a batch of frames is given its headers, written and synced as one.
//!
//! What must stay true: a frame carries the LSN that was durable when it was built; nothing is appended behind a cut;
//! after a failed write or sync this writer is never used again (the committer poisons the store).

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::codec::frame::{
    FLAG_CLOSED, FRAME_HEADER_BYTES, FrameHeader, FrameKind, Layout, body_crc,
};
use crate::disk::{Disk, DiskFile};
use crate::limits::{FRAME_BYTES_MAX, RESERVE_BYTES_MAX};
use crate::log::commit_log::{AppendFailure, Batch, CommitLog, Purpose};
use crate::report::LogCounts;
use crate::sabotage::{Sabotage, removed};
use crate::segments::Segment;
use crate::value::Lsn;

/// What must happen before the first append of this session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// Nothing: the active segment goes on.
    Nothing,
    /// There is no segment yet.
    CreateFirst,
    /// Left-over bytes follow the last frame: keep a copy of them, then start a new segment.
    Cut { until: u64 },
    /// The active segment is not named `wal.log` (a roll was interrupted, or somebody renamed files).
    FinishRename,
}

/// The segment that is written to.
pub(crate) struct Active {
    pub(crate) segment: Arc<Segment>,
    /// Where the next frame goes.
    pub(crate) end: u64,
}

/// A next segment being filled with zeros.
pub(crate) type Preparing = JoinHandle<io::Result<(Arc<dyn DiskFile>, u64)>>;

/// Sizes that tests make small.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) segment_min: u64,
    pub(crate) segment_max: u64,
}

/// The end of the log.
pub(crate) struct LogWriter {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) sizes: Sizes,
    pub(crate) prepare_ahead: bool,
    pub(crate) store_id: [u8; 16],
    pub(crate) epoch: u32,
    pub(crate) active: Option<Active>,
    pub(crate) before: Before,
    /// Another segment that is named `wal.log` until the roll is finished.
    pub(crate) in_the_way: Option<Arc<Segment>>,
    pub(crate) last_lsn: Lsn,
    pub(crate) last_link: u32,
    pub(crate) last_time_ms: i64,
    pub(crate) last_kind: Option<(FrameKind, u8)>,
    /// Where the last frame starts in the active segment, if it has one.
    pub(crate) last_frame_at: Option<u64>,
    /// Frames by kind, from the beginning of the log.
    pub(crate) counts: LogCounts,
    /// A checkpoint has everything up to here.
    pub(crate) kept: Lsn,
    pub(crate) durable: Lsn,
    /// What the manifest says about it.
    pub(crate) witnessed: Lsn,
    pub(crate) preparing: Option<Preparing>,
    /// The next segment's file, filled with zeros, and its length.
    pub(crate) spare: Option<(Arc<dyn DiskFile>, u64)>,
    /// The disk was full: no new attempt before this time.
    pub(crate) full_until_ms: Option<i64>,
    /// Preparing ahead failed: no new attempt before this time. Of its own, because a roll still tries.
    pub(crate) prepare_not_before_ms: Option<i64>,
    /// All segments, for the manifest: number, first LSN, epoch.
    pub(crate) known: Vec<crate::codec::manifest::ManifestSegment>,
}

/// The part of a segment that is kept for deletions.
pub(crate) fn reserve_of(capacity: u64) -> u64 {
    if removed(Sabotage::Reserve) {
        return 0;
    }
    RESERVE_BYTES_MAX.min(capacity / 16)
}

/// Bytes a frame with a body of `body_len` takes at most.
pub(crate) fn frame_len(body_len: usize) -> u64 {
    (FRAME_HEADER_BYTES + body_len) as u64
}

impl LogWriter {
    /// Whether frames of `bytes` fit the active segment, with room left for its end mark and, unless the next segment's
    /// file exists already or the frames may use it, for the reserve. Nothing but an end mark goes into a segment of the
    /// first layout.
    pub(crate) fn has_room(&self, bytes: u64, purpose: Purpose) -> bool {
        match (&self.active, &self.before) {
            (Some(active), Before::Nothing) => {
                let header = &active.segment.header;
                let capacity = header.capacity;
                let reserve = match purpose {
                    Purpose::Growing if self.spare.is_none() => reserve_of(capacity),
                    Purpose::Growing | Purpose::Freeing => 0,
                    Purpose::Ending => return false,
                };
                header.layout == Layout::Compact
                    && active.end + bytes + FRAME_HEADER_BYTES as u64 + reserve <= capacity
            }
            (Some(_) | None, _) => false,
        }
    }

    /// The next frame's number.
    pub(crate) fn next_lsn(&self) -> Lsn {
        Lsn(self.last_lsn.0 + 1)
    }

    /// Where the next frame goes: segment number and offset. Only after `has_room`.
    pub(crate) fn next_place(&self) -> (u32, u64) {
        match &self.active {
            Some(active) => (active.segment.header.number as u32, active.end),
            None => unreachable!("has_room() said that there is a segment"),
        }
    }

    /// Gives the frames of a batch their headers and writes them, unsynced. The batch is empty afterwards.
    pub(crate) fn write_out(&mut self, batch: &mut Batch) -> Result<(), AppendFailure> {
        if batch.is_empty() {
            return Ok(());
        }
        let Some(active) = &mut self.active else {
            unreachable!("has_room() said that there is a segment");
        };
        let (start, salt) = (active.end, active.segment.header.salt);
        let (bytes, entries) = batch.parts();
        assert!(
            start + bytes.len() as u64 <= active.segment.header.capacity,
            "frames never leave their segment"
        );
        let mut head = Vec::with_capacity(FRAME_HEADER_BYTES);
        for entry in entries {
            let body = &bytes[entry.body.clone()];
            assert!(
                body.len() as u64 <= FRAME_BYTES_MAX && body.len().is_multiple_of(8),
                "a frame body has a bounded, aligned length"
            );
            assert!(
                entry.time_ms >= self.last_time_ms,
                "commit times never go backwards"
            );
            let lsn = Lsn(self.last_lsn.0 + 1);
            let header = FrameHeader {
                layout: Layout::Compact,
                kind: entry.kind,
                flags: entry.flags,
                body_len: body.len() as u32,
                lsn,
                time_ms: entry.time_ms,
                durable: self.durable,
                request_id: entry.request_id,
                link: self.last_link,
                body_crc: body_crc(salt, lsn, body),
            };
            let at = entry.start();
            head.clear();
            header.put(&mut head, salt, start + at as u64);
            bytes[at..entry.body.start].copy_from_slice(&head);
            self.last_lsn = lsn;
            self.last_link = header.own_link();
            self.last_time_ms = entry.time_ms;
            self.last_kind = Some((entry.kind, entry.flags));
            self.last_frame_at = Some(start + at as u64);
            self.counts.frame(entry.kind);
        }
        active.end = start + bytes.len() as u64;
        let file = &active.segment.file;
        file.write_at(start, bytes).map_err(|error| AppendFailure {
            attempt: "writing to the log",
            error,
        })?;
        batch.clear();
        Ok(())
    }

    /// Writes and syncs a batch: everything appended so far is durable afterwards and may be read.
    pub(crate) fn flush(&mut self, batch: &mut Batch) -> Result<(), AppendFailure> {
        self.write_out(batch)?;
        if let Some(active) = &self.active {
            let file = &active.segment.file;
            if !removed(Sabotage::LogSync) {
                file.sync().map_err(|error| AppendFailure {
                    attempt: "syncing the log",
                    error,
                })?;
            }
            file.freeze(active.end).map_err(|error| AppendFailure {
                attempt: "mapping the log",
                error,
            })?;
        }
        self.durable = self.last_lsn;
        Ok(())
    }

    /// Whether a sync mark would be of use: the last frame is acknowledged data that no later frame vouches for, or the
    /// active segment has no frame yet that a checkpoint could reach up to.
    pub(crate) fn lacks_mark(&self) -> bool {
        let fresh = self.last_frame_at.is_none() && self.last_lsn > Lsn(0);
        let unproven = matches!(
            self.last_kind,
            Some((FrameKind::Data | FrameKind::Schema, _))
        );
        (unproven || fresh) && self.has_room(0, Purpose::Freeing)
    }

    /// Puts a sync mark into a batch if there is something to vouch for and room for it.
    pub(crate) fn push_mark(&self, closing: bool, batch: &mut Batch) -> bool {
        let closed_already = matches!(self.last_kind, Some((FrameKind::SyncMark, FLAG_CLOSED)));
        let wanted = if closing {
            !closed_already && self.last_lsn > Lsn(0)
        } else {
            self.lacks_mark()
        };
        if !wanted || !self.has_room(frame_len(0), Purpose::Freeing) {
            return false;
        }
        let flags = if closing { FLAG_CLOSED } else { 0 };
        batch.push(
            FrameKind::SyncMark,
            flags,
            self.next_time_ms(),
            None,
            |_| (),
        );
        true
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        // The preparing thread changes files of the directory: it must have ended before the lock is given back.
        if let Some(thread) = self.preparing.take() {
            let _prepared = thread.join().is_ok();
        }
    }
}
