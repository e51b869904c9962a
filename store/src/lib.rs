//! The store: an embedded, append-only, crash-safe store of typed records with full history.
//!
//! A directory holds one log; everything else (index, unique values, links) is rebuilt from it. `DESIGN.md` beside this
//! crate has the bytes, the order of writes and the answers to crashes; read it before changing anything here.
//!
//! The way of a change: [`Store::begin`] takes a snapshot; reads and writes collect in a [`Transaction`];
//! [`Store::commit`] hands it to the one committer, which checks it against everything committed since, appends, syncs,
//! publishes, answers, and notifies. [`Snapshot`]s read without locks on a fixed state.
//!
//! What must stay true: what was answered is durable; after any crash the state is a prefix of the commits in whole
//! transactions; wrong bytes are never returned as good; opening ends in "fine", "repaired" or "refused, here".
#![deny(unsafe_code)]

mod apply;
mod backup;
mod catalog;
mod certify;
mod checkpoint;
mod codec;
mod committer;
mod consequences;
mod delta;
mod disk;
mod error;
mod events;
mod evolution;
mod exchange;
mod few;
mod frame_body;
mod heads;
mod index;
pub mod limits;
mod log;
mod maintenance;
#[allow(unsafe_code)]
mod map;
mod notes;
mod open;
mod outcome;
mod progress;
pub mod query;
mod queue;
mod reading;
#[cfg(test)]
mod replicas;
mod report;
mod rewrite;
mod rules;
#[doc(hidden)]
pub mod sabotage;
mod salvage;
mod schema;
mod segments;
mod shared;
mod snapshot;
mod stats;
mod store;
mod sweeper;
mod threads;
mod times;
mod touches;
mod transaction;
mod value;
mod verify;

pub use backup::{BackupError, BackupReport, RestoreError, RestoreReport, backup, restore};
pub use checkpoint::Checkpoints;
pub use codec::cursor::Undecodable;
pub use codec::value::{Nested, ValueRef as FieldRef};
pub use consequences::Consequences;
pub use disk::{
    CrashChoice, Disk, DiskFile, Fault, Lie, LockError, LockGuard, MemoryDisk, QUARANTINE,
    RealDisk, SimDisk,
};
pub use error::{
    ConstraintError, ConstraintRule, Damage, DamageKind, IoFailure, OpenError, ReadError, TxError,
};
pub use events::{Hearing, OnCommit};
pub use evolution::{Consent, SchemaChange, SchemaPlan, plan_schema};
pub use exchange::{
    ExportError, Exported, Form, ImportError, ImportOptions, ImportPlan, Imported, Stop, export,
    parse_time, plan_import, schema_of_export, time_text, value_text,
};
pub use index::IndexMemory;
pub use maintenance::compact;
pub use notes::{Notice, OpenProgress, Watch};
pub use open::inspect;
pub use outcome::{Change, ChangeOp, CommitEvent, CommitOutcome};
pub use progress::{OnProgress, Progress, Unit};
pub use query::{RecordView, TableMemory};
pub use reading::{Moment, Reading, read, read_as};
pub use report::{CheckpointUse, LogCounts, RecoveryReport, TailReport, VerifyReport};
pub use rewrite::{CompactReport, RewriteError};
pub use salvage::{Salvaged, salvage};
pub use schema::{EnumDef, FieldDef, FieldType, Keep, OnDelete, Schema, TypeDef};
pub use snapshot::{Deleted, Scan, Snapshot};
pub use stats::{FileStats, StoreStats, TypeStats, stats};
pub use store::{Opened, ReadOnly, Store, StoreOptions};
pub use transaction::{QueryRead, ReadSet, Transaction, TransactionScan};
pub use value::{EntityId, FieldIx, FieldValue, Lsn, Record, RequestId, TypeIx};
pub use verify::verify;
