//! Taking content out of the log: destroyed records, versions older than what is kept. `DESIGN.md`, section 12.
//!
//! `verdict.rs` says what goes, `image.rs` makes the bytes, `sweep.rs` puts the files in place, `worker.rs` says when. What
//! must stay true: after a crash at any step the log holds every record that was not to be erased, and opening is as
//! definite as ever; nothing here writes into a file that readers have.

pub(crate) mod image;
pub(crate) mod sweep;
pub(crate) mod verdict;
pub(crate) mod worker;

use std::fmt;

use crate::error::{Damage, IoFailure, OpenError, ReadError};

/// What a rewrite did.
#[derive(Debug, Default)]
pub struct CompactReport {
    /// Sealed segments that were looked through.
    pub segments: u64,
    /// Segments that were rewritten.
    pub rewritten: u64,
    /// Versions whose content was erased.
    pub erased: u64,
    /// Destroyed records whose content is gone from every file now.
    pub destroyed: u64,
    /// Destroyed records that still wait for it.
    pub waiting: u64,
    /// Room given back to the file system, in bytes.
    pub freed_bytes: u64,
    /// Files removed because destroyed content could stand in them: quarantined bytes, checkpoints.
    pub removed_files: u64,
    /// What could not be done; it is tried again.
    pub failures: Vec<RewriteError>,
}

impl CompactReport {
    /// Whether everything was done that was to be done.
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty()
    }
}

impl fmt::Display for CompactReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "segments   {} looked through, {} rewritten",
            self.segments, self.rewritten
        )?;
        writeln!(f, "versions   {} erased", self.erased)?;
        writeln!(
            f,
            "destroyed  {} records are gone from the disk, {} wait",
            self.destroyed, self.waiting
        )?;
        writeln!(f, "room       {} bytes given back", self.freed_bytes)?;
        if self.removed_files > 0 {
            writeln!(
                f,
                "removed    {} quarantined files and checkpoints",
                self.removed_files
            )?;
        }
        for failure in &self.failures {
            writeln!(f, "NOT DONE: {failure}")?;
        }
        f.write_str(if self.is_complete() {
            "compacted"
        } else {
            "not everything was compacted; what is left is tried again"
        })
    }
}

/// Why content could not be erased. The log is as it was.
#[derive(Debug)]
pub enum RewriteError {
    /// The store cannot be opened.
    Open(OpenError),
    /// The store is closed, or takes no more writes after a failure.
    Closed,
    /// The active segment holds something to erase and could not be ended.
    CannotEndSegment {
        /// Why.
        reason: String,
    },
    /// A segment is damaged, so it is left as it is.
    Damaged(Damage),
    /// A record could not be read to decide about its versions.
    Unreadable(ReadError),
    /// A call to the operating system failed.
    Io(IoFailure),
}

impl fmt::Display for RewriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RewriteError::Open(error) => error.fmt(f),
            RewriteError::Closed => f.write_str("the store takes no more writes"),
            RewriteError::CannotEndSegment { reason } => write!(
                f,
                "the newest segment could not be ended, so nothing in it can be erased yet: {reason}"
            ),
            RewriteError::Damaged(damage) => {
                write!(f, "a damaged segment is left as it is: {damage}")
            }
            RewriteError::Unreadable(error) => error.fmt(f),
            RewriteError::Io(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for RewriteError {}

impl From<IoFailure> for RewriteError {
    fn from(failure: IoFailure) -> Self {
        RewriteError::Io(failure)
    }
}
