//! The one place that appends to the log: frames are built into a buffer, then written and synced as one batch.
//!
//! What must stay true: a frame carries the LSN that was durable when it was built; nothing is appended behind a cut;
//! after a failed write or sync this writer is never used again (the committer poisons the store).

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::codec::frame::{FLAG_CLOSED, FRAME_HEADER_BYTES, FrameHeader, FrameKind, body_crc};
use crate::disk::{Disk, DiskFile};
use crate::limits::FRAME_BYTES_MAX;
use crate::segments::Segment;
use crate::value::{Lsn, RequestId};

/// A failed append: what was tried and what came back. The bytes may or may not be on disk.
#[derive(Debug)]
pub(crate) struct AppendFailure {
    pub(crate) attempt: &'static str,
    pub(crate) error: io::Error,
}

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
    FinishRename {
        /// The right name of another segment that is named `wal.log`, if there is one.
        in_the_way: Option<String>,
    },
}

/// The segment that is written to.
pub(crate) struct Active {
    pub(crate) segment: Arc<Segment>,
    /// Where the next frame goes, buffered ones included.
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
    pub(crate) last_lsn: Lsn,
    pub(crate) last_link: u32,
    pub(crate) last_time_ms: i64,
    pub(crate) last_kind: Option<(FrameKind, u8)>,
    pub(crate) durable: Lsn,
    /// Frames built but not written, and where they go.
    pub(crate) buffer: Vec<u8>,
    pub(crate) buffer_at: u64,
    pub(crate) preparing: Option<Preparing>,
    /// The disk was full: no new attempt before this time.
    pub(crate) full_until_ms: Option<i64>,
    /// All segments, for the manifest: number, first LSN, epoch.
    pub(crate) known: Vec<crate::codec::manifest::ManifestSegment>,
}

/// Bytes a frame with a body of `body_len` takes.
pub(crate) fn frame_len(body_len: usize) -> u64 {
    (FRAME_HEADER_BYTES + body_len) as u64
}

impl LogWriter {
    /// Whether frames of `bytes` fit the active segment, with room left for its end mark.
    pub(crate) fn has_room(&self, bytes: u64) -> bool {
        match (&self.active, &self.before) {
            (Some(active), Before::Nothing) => {
                active.end + bytes + FRAME_HEADER_BYTES as u64 <= active.segment.header.capacity
            }
            (Some(_) | None, _) => false,
        }
    }

    /// The next frame's number.
    pub(crate) fn next_lsn(&self) -> Lsn {
        Lsn(self.last_lsn.0 + 1)
    }

    /// The next frame's time: the clock, but never backwards.
    pub(crate) fn next_time_ms(&self) -> i64 {
        self.disk.now_ms().max(self.last_time_ms)
    }

    /// Where the next frame goes: segment number and offset. Only after `has_room`.
    pub(crate) fn next_place(&self) -> (u32, u64) {
        match &self.active {
            Some(active) => (active.segment.header.number as u32, active.end),
            None => unreachable!("has_room() said that there is a segment"),
        }
    }

    /// Builds a frame into the buffer. The caller made room and took LSN and time from `next_lsn` and `next_time_ms`.
    pub(crate) fn push(
        &mut self,
        kind: FrameKind,
        flags: u8,
        time_ms: i64,
        request_id: Option<RequestId>,
        body: &[u8],
    ) -> Lsn {
        assert!(
            body.len() as u64 <= FRAME_BYTES_MAX && body.len().is_multiple_of(8),
            "a frame body has a bounded, aligned length"
        );
        assert!(
            time_ms >= self.last_time_ms,
            "commit times never go backwards"
        );
        let lsn = self.next_lsn();
        let Some(active) = &mut self.active else {
            unreachable!("has_room() said that there is a segment");
        };
        let salt = active.segment.header.salt;
        let header = FrameHeader {
            kind,
            flags,
            body_len: body.len() as u32,
            lsn,
            time_ms,
            durable: self.durable,
            request_id,
            link: self.last_link,
            body_crc: body_crc(salt, lsn, body),
        };
        if self.buffer.is_empty() {
            self.buffer_at = active.end;
        }
        self.buffer
            .extend_from_slice(&header.encode(salt, active.end));
        self.buffer.extend_from_slice(body);
        active.end += header.frame_len();
        assert!(
            active.end <= active.segment.header.capacity,
            "frames never leave their segment"
        );
        self.last_lsn = lsn;
        self.last_link = header.own_link();
        self.last_time_ms = time_ms;
        self.last_kind = Some((kind, flags));
        lsn
    }

    /// Writes the buffer without syncing (an idle mark only has to arrive some time).
    pub(crate) fn write_out(&mut self) -> Result<(), AppendFailure> {
        if let (Some(active), false) = (&self.active, self.buffer.is_empty()) {
            let file = &active.segment.file;
            file.write_at(self.buffer_at, &self.buffer)
                .map_err(|error| AppendFailure {
                    attempt: "writing to the log",
                    error,
                })?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Writes and syncs the buffer: everything built so far is durable afterwards and may be read.
    pub(crate) fn flush(&mut self) -> Result<(), AppendFailure> {
        self.write_out()?;
        if let Some(active) = &self.active {
            let file = &active.segment.file;
            file.sync().map_err(|error| AppendFailure {
                attempt: "syncing the log",
                error,
            })?;
            file.freeze(active.end).map_err(|error| AppendFailure {
                attempt: "mapping the log",
                error,
            })?;
        }
        self.durable = self.last_lsn;
        Ok(())
    }

    /// Whether a sync mark would prove anything: the last frame is acknowledged data that no later frame vouches for.
    pub(crate) fn wants_mark(&self) -> bool {
        matches!(
            self.last_kind,
            Some((FrameKind::Data | FrameKind::Schema, _))
        ) && self.has_room(0)
    }

    /// Builds a sync mark into the buffer if there is something to vouch for and room for it.
    pub(crate) fn push_mark(&mut self, closing: bool) -> bool {
        let closed_already = matches!(self.last_kind, Some((FrameKind::SyncMark, FLAG_CLOSED)));
        let wanted = if closing {
            !closed_already && self.last_lsn > Lsn(0)
        } else {
            self.wants_mark()
        };
        if !wanted || !self.has_room(frame_len(0)) {
            return false;
        }
        let time_ms = self.next_time_ms();
        self.push(
            FrameKind::SyncMark,
            if closing { FLAG_CLOSED } else { 0 },
            time_ms,
            None,
            &[],
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
