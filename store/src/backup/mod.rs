//! Backups: taken while the store runs, incremental, and restored at any moment. `DESIGN.md`, section 13.
//!
//! A backup is a directory with the files of a store, so that everything that reads a store reads it. What must stay true:
//! half a backup, or half a restored store, is never taken for a whole one; nothing here writes into the source.

mod note;
mod restore;
mod take;

use std::fmt;

pub use restore::restore;
pub use take::backup;
pub(crate) use take::{Reach, take};

use crate::codec::manifest::{Manifest, ManifestSegment};
use crate::codec::segment::SegmentHeader;
use crate::disk::Disk;
use crate::error::{Damage, IoFailure, OpenError};
use crate::log::files::MANIFEST;
use crate::sabotage::{Sabotage, removed};
use crate::value::Lsn;

/// Name of the first segment's file until everything else is there.
const FIRST_NEW: &str = "first.new";

/// What a backup holds and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// The state it holds: everything up to this transaction.
    pub lsn: Lsn,
    /// Time of that transaction, milliseconds UTC.
    pub time_ms: i64,
    /// Segments.
    pub segments: u64,
    /// Segments taken over from the earlier backup.
    pub reused: u64,
    /// Segments that are a second name of the store's own file.
    pub linked: u64,
    /// Segments that were copied, the newest one among them.
    pub copied: u64,
    /// Bytes that were written.
    pub copied_bytes: u64,
    /// Where the store is damaged, as far as it was looked at: the backup holds what could be read.
    pub damage: Option<Damage>,
    /// Things worth telling.
    pub notes: Vec<String>,
}

impl fmt::Display for BackupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "LSN        {}", self.lsn)?;
        writeln!(
            f,
            "segments   {}: {} from the earlier backup, {} linked, {} copied",
            self.segments, self.reused, self.linked, self.copied
        )?;
        writeln!(f, "written    {} bytes", self.copied_bytes)?;
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        match &self.damage {
            None => f.write_str("backed up"),
            Some(damage) => write!(f, "DAMAGED: {damage}\nthe rest is backed up"),
        }
    }
}

/// Why no backup was taken. What was written so far is no backup and can be removed.
#[derive(Debug)]
pub enum BackupError {
    /// The store cannot be read.
    Open(OpenError),
    /// The directory for the backup has files in it.
    NotEmpty {
        /// The directory.
        place: String,
    },
    /// The earlier backup cannot be used.
    Earlier {
        /// The directory.
        place: String,
        /// Why.
        reason: String,
    },
    /// A call to the operating system failed.
    Io(IoFailure),
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BackupError::Open(error) => error.fmt(f),
            BackupError::NotEmpty { place } => write!(
                f,
                "{place} is not empty; a backup needs a directory of its own"
            ),
            BackupError::Earlier { place, reason } => {
                write!(f, "{place} cannot serve as the earlier backup: {reason}")
            }
            BackupError::Io(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for BackupError {}

impl From<OpenError> for BackupError {
    fn from(error: OpenError) -> Self {
        BackupError::Open(error)
    }
}

impl From<IoFailure> for BackupError {
    fn from(failure: IoFailure) -> Self {
        BackupError::Io(failure)
    }
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreReport {
    /// The state is the one after this transaction.
    pub lsn: Lsn,
    /// Time of that transaction, milliseconds UTC.
    pub time_ms: i64,
    /// Segments.
    pub segments: u64,
    /// Transactions.
    pub transactions: u64,
    /// Versions that were left out because their records are destroyed, if only later.
    pub erased: u64,
}

impl fmt::Display for RestoreReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "LSN           {}", self.lsn)?;
        writeln!(f, "transactions  {}", self.transactions)?;
        writeln!(f, "segments      {}", self.segments)?;
        if self.erased > 0 {
            writeln!(
                f,
                "left out      {} versions of destroyed records",
                self.erased
            )?;
        }
        f.write_str("restored, as a store of its own")
    }
}

/// Why nothing was restored. What was written so far is no store and can be removed.
#[derive(Debug)]
pub enum RestoreError {
    /// The backup cannot be read.
    Open(OpenError),
    /// The backup was not finished: its first segment is missing.
    Unfinished {
        /// The directory.
        place: String,
    },
    /// The directory to restore to has files in it.
    NotEmpty {
        /// The directory.
        place: String,
    },
    /// The moment is before everything in the backup.
    TooEarly,
    /// The moment is after what the backup knows.
    TooLate {
        /// Newest transaction in the backup.
        newest: Lsn,
    },
    /// The backup is damaged before the moment (or its end, without one).
    Damaged {
        /// Where.
        damage: Damage,
        /// The last transaction before the damage: this moment can be restored.
        intact_until: Lsn,
    },
    /// A call to the operating system failed.
    Io(IoFailure),
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RestoreError::Open(error) => error.fmt(f),
            RestoreError::Unfinished { place } => write!(
                f,
                "the backup in {place} was not finished: its first segment is missing. Take another one"
            ),
            RestoreError::NotEmpty { place } => write!(
                f,
                "{place} is not empty; a store is restored to a directory of its own"
            ),
            RestoreError::TooEarly => {
                f.write_str("at that moment there was nothing yet; choose a later one")
            }
            RestoreError::TooLate { newest } => write!(
                f,
                "the backup ends before that moment: its newest transaction is LSN {newest}"
            ),
            RestoreError::Damaged {
                damage,
                intact_until: Lsn(0),
            } => write!(
                f,
                "the backup is damaged: {damage}. Nothing before that place can be restored"
            ),
            RestoreError::Damaged {
                damage,
                intact_until,
            } => write!(
                f,
                "the backup is damaged: {damage}. The state after LSN {intact_until} can be restored, by asking for it"
            ),
            RestoreError::Io(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for RestoreError {}

impl From<OpenError> for RestoreError {
    fn from(error: OpenError) -> Self {
        RestoreError::Open(error)
    }
}

impl From<IoFailure> for RestoreError {
    fn from(failure: IoFailure) -> Self {
        RestoreError::Io(failure)
    }
}

/// A failed call on a file of the target.
fn failed(attempt: &'static str, file: &str) -> impl Fn(std::io::Error) -> IoFailure {
    move |source| IoFailure {
        attempt,
        file: file.to_owned(),
        source,
    }
}

/// Whether a directory has nothing in it but a lock file.
fn is_free(to: &dyn Disk) -> Result<bool, IoFailure> {
    let names = to
        .list()
        .map_err(failed("listing the directory", &to.place()))?;
    Ok(names.iter().all(|name| name == "LOCK"))
}

/// Writes the manifest of a directory that holds exactly these segments.
fn write_manifest(
    to: &dyn Disk,
    store_id: [u8; 16],
    durable: Lsn,
    segments: &[SegmentHeader],
) -> Result<(), IoFailure> {
    let known = segments.iter().map(|header| ManifestSegment {
        number: header.number,
        first_lsn: header.first_lsn,
        epoch: header.epoch,
    });
    let manifest = Manifest {
        store_id,
        durable,
        segments: known.collect(),
    };
    write_text(to, MANIFEST, &manifest.encode())
}

fn write_text(to: &dyn Disk, name: &str, text: &str) -> Result<(), IoFailure> {
    let failed = failed("writing a file", name);
    let file = to.create(name, text.len() as u64).map_err(&failed)?;
    file.write_at(0, text.as_bytes()).map_err(&failed)?;
    if removed(Sabotage::PapersSync) {
        return Ok(());
    }
    file.sync().map_err(&failed)
}

/// Writes a segment's file: what is behind `image` is zero.
fn write_segment(to: &dyn Disk, name: &str, image: &[u8], capacity: u64) -> Result<(), IoFailure> {
    let failed = failed("writing a segment", name);
    let file = to.create_sparse(name, capacity).map_err(&failed)?;
    crate::rewrite::sweep::write_sparse(file.as_ref(), image).map_err(&failed)?;
    if removed(Sabotage::CopySync) {
        return Ok(());
    }
    file.sync().map_err(&failed)
}
