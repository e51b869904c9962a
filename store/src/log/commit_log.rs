//! The line between the log and everything above it: what a commit needs from a log, and nothing else.
//!
//! Below it stands the embedded log (`embedded.rs`); a log that several machines share would stand there too. Above it
//! are two pure steps, `certify.rs` and `apply.rs`, that come to the same on every copy of the log. What must stay true:
//! entries have positions without gaps in one order for all; what is durable stays; nobody above reads a file.

use std::fmt;
use std::io;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use crate::codec::checkpoint::Reach;
use crate::codec::frame::{FrameKind, header_len};
use crate::codec::record::Place;
use crate::error::{Damage, IoFailure};
use crate::report::LogCounts;
use crate::segments::Segment;
use crate::value::{Lsn, RequestId};

/// Where an entry stands: its number, which every copy of the log agrees on, and its place in this copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) lsn: Lsn,
    pub(crate) place: Place,
}

/// The end of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Newest entry; entries of a batch that is appended now get the numbers behind it.
    pub(crate) lsn: Lsn,
    /// Its time; later ones are never smaller.
    pub(crate) time_ms: i64,
    /// Everything up to here survives a crash.
    pub(crate) durable: Lsn,
}

/// What a transaction is for, when the disk is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It adds data: it needs room that is not reserved.
    Growing,
    /// It deletes or destroys and creates nothing: it may use the reserve when the log cannot be extended.
    Freeing,
    /// None: the segment is to end whatever room it has, because it will be rewritten.
    Ending,
}

/// The end of a log as a checkpoint names it.
pub(crate) struct Reached {
    pub(crate) store_id: [u8; 16],
    pub(crate) reach: Reach,
    /// The segment it ends in.
    pub(crate) segment: Arc<Segment>,
    /// Entries by kind (operations of records are not counted here).
    pub(crate) counts: LogCounts,
}

/// What a batch became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Appended {
    /// Number of the batch's last entry.
    pub(crate) last: Lsn,
    /// Everything up to here survives a crash; at least `last`.
    pub(crate) durable: Lsn,
}

/// A failed append: what was tried and what came back. The bytes may or may not be on disk.
#[derive(Debug)]
pub(crate) struct AppendFailure {
    pub(crate) attempt: &'static str,
    pub(crate) error: io::Error,
}

/// Why a log could not be extended.
#[derive(Debug)]
pub(crate) enum ExtendFailure {
    /// The disk has no room; nothing changed, a later attempt may work.
    Full,
    /// It failed in another way; nothing of the log changed.
    Refused(io::Error),
    /// A step behind the point of no return failed.
    Append(AppendFailure),
}

/// Why entries could not be read back.
#[derive(Debug)]
pub(crate) enum TailFailure {
    /// The position is older than what is kept.
    Trimmed,
    /// The entry there is damaged.
    Damaged(Damage),
    /// A call to the disk failed.
    Io(IoFailure),
}

impl fmt::Display for TailFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TailFailure::Trimmed => f.write_str("the log does not reach back so far"),
            TailFailure::Damaged(damage) => damage.fmt(f),
            TailFailure::Io(failure) => failure.fmt(f),
        }
    }
}

/// An entry as `tail` shows it.
pub(crate) struct LogEntry<'a> {
    pub(crate) position: Position,
    pub(crate) kind: FrameKind,
    pub(crate) time_ms: i64,
    pub(crate) request_id: Option<RequestId>,
    pub(crate) body: &'a [u8],
}

/// A log of entries in one order.
pub(crate) trait CommitLog: Send {
    /// The end of the log.
    fn head(&self) -> Head;

    /// The time of an entry made now: the clock, but never before the head.
    fn next_time_ms(&self) -> i64;

    /// Where an entry of the next batch will stand that has `before` bytes of the batch in front of it. Only when the
    /// batch `fits`.
    fn place(&self, before: u64) -> Place;

    /// Whether a batch of so many bytes, whose last entry is for `purpose`, can be appended as the log is now.
    fn fits(&self, bytes: u64, purpose: Purpose) -> bool;

    /// Makes room for a batch of so many bytes. Readers must get the new segment, if there is one, before its entries.
    fn extend(
        &mut self,
        bytes: u64,
        purpose: Purpose,
    ) -> Result<Option<Arc<Segment>>, ExtendFailure>;

    /// Appends a batch, which fits, and waits until it is durable. The batch is empty afterwards. After a failure its
    /// entries may be there or not, and nothing may be appended any more.
    fn append(&mut self, batch: &mut Batch) -> Result<Appended, AppendFailure>;

    /// Shows the durable entries from a position on, in order, until `visit` breaks.
    fn tail(
        &self,
        from: Position,
        visit: &mut dyn FnMut(LogEntry<'_>) -> ControlFlow<()>,
    ) -> Result<(), TailFailure>;

    /// The entries up to here need not be replayed: a state that has them is kept with the log.
    #[cfg_attr(not(test), allow(dead_code, reason = "for logs that are shared"))]
    fn snapshot(&self) -> Lsn;

    /// Allows the log to drop entries that a snapshot has. Returns the first one that is still there. The embedded log
    /// keeps all: its entries are where records and their history are read from.
    #[cfg_attr(not(test), allow(dead_code, reason = "for logs that are shared"))]
    fn trim(&mut self, up_to: Lsn) -> Lsn;

    /// What a checkpoint of the state at the head says about the log; `None` while the head is not durable, and for a
    /// log that keeps no checkpoints.
    fn reached(&self) -> Option<Reached> {
        None
    }

    /// A state with all entries up to here is kept beside the log now.
    fn kept(&mut self, _up_to: Lsn) -> Result<(), IoFailure> {
        Ok(())
    }

    /// Gets ready for what comes next, after the answers of a batch were given.
    fn prepare(&mut self) {}

    /// Whether `mark` would do anything.
    fn wants_mark(&self) -> bool {
        false
    }

    /// After a while without work: vouches for the last entry.
    fn mark(&mut self) -> Result<(), AppendFailure> {
        Ok(())
    }

    /// The clean end.
    fn close(&mut self) -> Result<(), IoFailure> {
        Ok(())
    }
}

/// An entry of a batch.
pub(crate) struct BatchEntry {
    pub(crate) kind: FrameKind,
    pub(crate) flags: u8,
    pub(crate) time_ms: i64,
    pub(crate) request_id: Option<RequestId>,
    /// Where its body stands in the batch's bytes; `header_len()` bytes before it are the log's to fill.
    pub(crate) body: Range<usize>,
}

impl BatchEntry {
    /// Where its header stands in the batch's bytes.
    pub(crate) fn start(&self) -> usize {
        self.body.start - header_len(self.request_id)
    }
}

/// Entries that are appended together: all of them are durable, or none of them was acknowledged.
#[derive(Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    entries: Vec<BatchEntry>,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of entries.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes of all entries with their headers.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The newest entry's time; 0 for an empty batch.
    pub(crate) fn time_ms(&self) -> i64 {
        self.entries.last().map_or(0, |entry| entry.time_ms)
    }

    /// Adds an entry; `write` appends its body, whose length must be a multiple of eight.
    pub(crate) fn push<T>(
        &mut self,
        kind: FrameKind,
        flags: u8,
        time_ms: i64,
        request_id: Option<RequestId>,
        write: impl FnOnce(&mut Vec<u8>) -> T,
    ) -> T {
        let start = self.bytes.len() + header_len(request_id);
        self.bytes.resize(start, 0);
        let written = write(&mut self.bytes);
        self.entries.push(BatchEntry {
            kind,
            flags,
            time_ms,
            request_id,
            body: start..self.bytes.len(),
        });
        written
    }

    /// Takes the newest entry back.
    pub(crate) fn pop(&mut self) {
        if let Some(entry) = self.entries.pop() {
            self.bytes.truncate(entry.start());
        }
    }

    /// Body length of the newest entry.
    pub(crate) fn newest_body_len(&self) -> usize {
        self.entries.last().map_or(0, |entry| entry.body.len())
    }

    /// Where the body of the newest entry stands in the batch.
    pub(crate) fn newest_body_at(&self) -> u64 {
        self.entries
            .last()
            .map_or(0, |entry| entry.body.start as u64)
    }

    /// Forgets all entries, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }

    /// The bytes with room for headers, and the entries in them.
    pub(crate) fn parts(&mut self) -> (&mut [u8], &[BatchEntry]) {
        (&mut self.bytes, &self.entries)
    }
}
