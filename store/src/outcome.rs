//! What a commit answers and what everybody else is told about it.
//!
//! What must stay true: only `OutcomeUnknown` leaves open whether the transaction took place; every other outcome
//! but `Committed` and `Duplicate` means that nothing of it was written.

use std::fmt;
use std::sync::Arc;

use crate::error::{ConstraintError, ReadError};
use crate::value::{EntityId, Lsn, Record, TypeIx};

/// The answer to a commit.
#[derive(Clone, Debug)]
pub enum CommitOutcome {
    /// Durable and visible. A transaction without writes has an event without changes at its snapshot's LSN.
    Committed {
        /// Number of the transaction.
        lsn: Lsn,
        /// What changed, cascades included.
        event: Arc<CommitEvent>,
    },
    /// Something that was read has changed since; run the transaction again on a new snapshot.
    Clash,
    /// A rule of the schema would be broken.
    Constraint(ConstraintError),
    /// A transaction with this request id was committed before.
    Duplicate {
        /// Number of that transaction.
        lsn: Lsn,
        /// What it changed, as it was told then, read back from the log; or why that cannot be read any more (it was
        /// destroyed since, or is damaged).
        event: Result<Arc<CommitEvent>, Arc<str>>,
    },
    /// The disk has no room for another segment; nothing was written. Works again when there is room.
    StorageFull,
    /// The log could not be extended for another reason than a full disk; nothing was written.
    CannotExtend {
        /// What the operating system said.
        reason: String,
    },
    /// The transaction is larger than one frame may be.
    TooLarge {
        /// Size it would have had, in bytes.
        bytes: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A record needed to check a rule could not be read.
    Unreadable(ReadError),
    /// Writing or syncing failed: the transaction may or may not be on disk. The store takes no more writes; the
    /// process should exit, the next open decides. Retrying with the same request id is safe then.
    OutcomeUnknown {
        /// The failure.
        reason: Arc<str>,
    },
    /// The store stopped taking writes earlier (failed write or sync); nothing was written.
    Poisoned {
        /// The failure that stopped it.
        reason: Arc<str>,
    },
    /// The store is closed; nothing was written.
    Closed,
}

impl CommitOutcome {
    /// The answer to a transaction that wrote nothing.
    pub(crate) fn read_only(lsn: Lsn) -> Self {
        let event = Arc::new(CommitEvent {
            lsn,
            time_ms: 0,
            changes: Vec::new(),
        });
        CommitOutcome::Committed { lsn, event }
    }
}

impl fmt::Display for CommitOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommitOutcome::Committed { lsn, .. } => write!(f, "committed as LSN {lsn}"),
            CommitOutcome::Clash => {
                f.write_str("the data changed meanwhile; run the transaction again")
            }
            CommitOutcome::Constraint(error) => error.fmt(f),
            CommitOutcome::Duplicate { lsn, .. } => {
                write!(f, "this request was already committed as LSN {lsn}")
            }
            CommitOutcome::StorageFull => f.write_str("the disk is full; nothing was written"),
            CommitOutcome::CannotExtend { reason } => {
                write!(
                    f,
                    "the log could not be extended ({reason}); nothing was written"
                )
            }
            CommitOutcome::TooLarge { bytes, limit } => {
                write!(
                    f,
                    "the transaction has {bytes} bytes, the limit is {limit}; nothing was written"
                )
            }
            CommitOutcome::Unreadable(error) => write!(f, "nothing was written: {error}"),
            CommitOutcome::OutcomeUnknown { reason } => {
                write!(
                    f,
                    "it is not known whether the transaction was written: {reason}"
                )
            }
            CommitOutcome::Poisoned { reason } => {
                write!(
                    f,
                    "the store takes no more writes after a failure ({reason}); restart the process"
                )
            }
            CommitOutcome::Closed => f.write_str("the store is closed; nothing was written"),
        }
    }
}

/// One committed transaction, as told to subscribers.
#[derive(Clone, Debug, PartialEq)]
pub struct CommitEvent {
    /// Number of the transaction.
    pub lsn: Lsn,
    /// Commit time, milliseconds UTC, never smaller than the one before.
    pub time_ms: i64,
    /// What changed, in the order of the log.
    pub changes: Vec<Change>,
}

/// One changed record.
#[derive(Clone, Debug)]
pub struct Change {
    /// Type of the record.
    pub ty: TypeIx,
    /// Name of the type.
    pub type_name: Arc<str>,
    /// Number of the record.
    pub id: EntityId,
    /// What happened.
    pub op: ChangeOp,
    /// The version this transaction made.
    pub version: u32,
    /// The record after the change; for a deletion the deleted state, whose fields are those before it.
    pub record: Arc<Record>,
    /// The record before the change; none for a new one, and in what is read back from the log, which does not say it.
    pub before: Option<Arc<Record>>,
}

/// `before` is no part of what happened: it is what happened earlier.
impl PartialEq for Change {
    fn eq(&self, other: &Change) -> bool {
        self.ty == other.ty
            && self.type_name == other.type_name
            && self.id == other.id
            && self.op == other.op
            && self.version == other.version
            && self.record == other.record
    }
}

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeOp {
    /// First version.
    Create,
    /// New version.
    Update,
    /// Hidden; history stays.
    Delete,
    /// Visible again.
    Restore,
    /// Gone with its history; the event's record has no content.
    Destroy,
}

impl ChangeOp {
    /// `create`, `update`, `delete`, `restore` or `destroy`.
    pub fn name(self) -> &'static str {
        match self {
            ChangeOp::Create => "create",
            ChangeOp::Update => "update",
            ChangeOp::Delete => "delete",
            ChangeOp::Restore => "restore",
            ChangeOp::Destroy => "destroy",
        }
    }
}
