//! What opening and verifying tell people. Plain data with a readable `Display`.
//!
//! What must stay true: counts are of intact frames only, so that "counts exactly the acknowledged writes" can be
//! checked from outside.

use std::fmt;

use crate::codec::frame::FrameKind;
use crate::codec::record::RecordOp;
use crate::error::Damage;
use crate::value::Lsn;

/// What stands in a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// Frames of all kinds.
    pub frames: u64,
    /// Data frames: one each per transaction.
    pub transactions: u64,
    /// Schema frames.
    pub schemas: u64,
    /// Sync marks.
    pub sync_marks: u64,
    /// End marks of sealed segments.
    pub segment_ends: u64,
    /// Records written by `insert`.
    pub creates: u64,
    /// Records written by `update`, rules such as `set_none` included.
    pub updates: u64,
    /// Records written by `delete`, cascades included.
    pub deletes: u64,
    /// Records written by `restore`.
    pub restores: u64,
    /// Receipts written by `destroy`.
    pub destroys: u64,
    /// Records whose content was erased (destroyed, or older than what is kept), those in gaps included. They are not
    /// among the other records.
    pub erased: u64,
    /// Gap frames: runs of frames in which nothing is left.
    pub gaps: u64,
}

impl LogCounts {
    pub(crate) fn frame(&mut self, kind: FrameKind) {
        self.frames += 1;
        match kind {
            FrameKind::Data => self.transactions += 1,
            FrameKind::Schema => self.schemas += 1,
            FrameKind::SyncMark => self.sync_marks += 1,
            FrameKind::SegmentEnd => self.segment_ends += 1,
            FrameKind::Gap => self.gaps += 1,
        }
    }

    pub(crate) fn record(&mut self, op: RecordOp) {
        match op {
            RecordOp::Create => self.creates += 1,
            RecordOp::Update => self.updates += 1,
            RecordOp::Delete => self.deletes += 1,
            RecordOp::Restore => self.restores += 1,
            RecordOp::Destroy => self.destroys += 1,
        }
    }

    /// Records of all ops.
    pub fn records(&self) -> u64 {
        self.creates + self.updates + self.deletes + self.restores + self.destroys
    }
}

/// How the log ended when it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TailReport {
    /// There was no log, or nothing in it.
    Empty,
    /// The store had been closed.
    Closed,
    /// The process had ended without closing; nothing was torn.
    NotClosed,
    /// The last write was torn. Nobody had been told that it succeeded; it is left out and its bytes are copied to
    /// `quarantine/` before the next write.
    Cut {
        /// File inside the data directory.
        file: String,
        /// First byte left out.
        offset: u64,
        /// Number of bytes left out.
        bytes: u64,
        /// LSN of the first transaction left out.
        lsn: Lsn,
    },
}

/// A checkpoint that opening used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointUse {
    /// File inside the data directory.
    pub file: String,
    /// The last transaction it covers.
    pub lsn: Lsn,
}

/// What opening found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Number of segment files.
    pub segments: u64,
    /// What the log holds.
    pub counts: LogCounts,
    /// The checkpoint that was used.
    pub checkpoint: Option<CheckpointUse>,
    /// Frames that were read when opening: all, or those behind the checkpoint.
    pub frames_read: u64,
    /// Newest transaction.
    pub head: Lsn,
    /// How the log ended.
    pub tail: TailReport,
    /// Types and fields the program has and the log did not, as `Type` or `Type.field`.
    pub schema_added: Vec<String>,
    /// Things worth telling that need no action.
    pub notes: Vec<String>,
}

/// What `verify` found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// Number of segment files.
    pub segments: u64,
    /// Intact frames and records.
    pub counts: LogCounts,
    /// Newest intact frame.
    pub last_lsn: Lsn,
    /// How the log ends.
    pub tail: TailReport,
    /// Live records by type name, as far as the log is intact.
    pub live: Vec<(String, u64)>,
    /// Every damaged place.
    pub damages: Vec<Damage>,
    /// For each of them what can still be told of the records there.
    pub contents: Vec<Vec<String>>,
    /// Things worth telling that need no action.
    pub notes: Vec<String>,
}

impl VerifyReport {
    /// Whether everything acknowledged is intact (a cut tail is not damage).
    pub fn is_intact(&self) -> bool {
        self.damages.is_empty()
    }
}

impl fmt::Display for TailReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TailReport::Empty => f.write_str("the log is empty"),
            TailReport::Closed => f.write_str("the store was closed cleanly"),
            TailReport::NotClosed => f.write_str("the store was not closed, nothing was torn"),
            TailReport::Cut {
                file,
                offset,
                bytes,
                lsn,
            } => write!(
                f,
                "an unacknowledged write was torn: {bytes} bytes of {file} from offset {offset} (LSN {lsn}) are left \
                 out and kept in quarantine/ before the next write"
            ),
        }
    }
}

impl fmt::Display for RecoveryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RecoveryReport {
            segments,
            counts,
            checkpoint,
            frames_read,
            head,
            tail,
            schema_added,
            notes,
        } = self;
        write!(
            f,
            "{} transactions in {segments} segments, newest LSN {head}; {tail}",
            counts.transactions
        )?;
        if let Some(CheckpointUse { file, .. }) = checkpoint {
            write!(
                f,
                "\n{frames_read} frames were read behind the checkpoint {file}"
            )?;
        }
        if !schema_added.is_empty() {
            write!(f, "\nnew in the schema: {}", schema_added.join(", "))?;
        }
        notes
            .iter()
            .try_for_each(|note| write!(f, "\nnote: {note}"))
    }
}

impl fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &self.counts;
        writeln!(f, "segments      {}", self.segments)?;
        writeln!(f, "frames        {}", counts.frames)?;
        writeln!(f, "transactions  {}", counts.transactions)?;
        writeln!(f, "records       {}", counts.records())?;
        writeln!(
            f,
            "  create {}  update {}  delete {}  restore {}  destroy {}",
            counts.creates, counts.updates, counts.deletes, counts.restores, counts.destroys
        )?;
        if counts.erased > 0 {
            writeln!(
                f,
                "erased        {}  in {} gaps",
                counts.erased, counts.gaps
            )?;
        }
        writeln!(
            f,
            "schemas {}  sync marks {}  segment ends {}",
            counts.schemas, counts.sync_marks, counts.segment_ends
        )?;
        for (name, live) in &self.live {
            writeln!(f, "live {name}  {live}")?;
        }
        writeln!(f, "last LSN      {}", self.last_lsn)?;
        writeln!(f, "tail          {}", self.tail)?;
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        for (damage, contents) in self.damages.iter().zip(&self.contents) {
            writeln!(f, "DAMAGED: {damage}")?;
            for content in contents {
                writeln!(f, "  holds {content}")?;
            }
        }
        match self.damages.len() {
            0 => f.write_str("intact"),
            1 => f.write_str("1 damaged place"),
            count => write!(f, "{count} damaged places"),
        }
    }
}
