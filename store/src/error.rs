//! Everything that can go wrong, one narrow enum per door; sentences only in `Display`.
//!
//! What must stay true: a fault of the world is a value of one of these types and never a panic, and each names
//! the place (file, offset, LSN, record) as exactly as it is known.

use std::fmt;

use crate::limits::ENTITY_ID_MAX;
use crate::store::ReadOnly;
use crate::value::{EntityId, Lsn};

/// Where and why bytes of the log are not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// File inside the data directory.
    pub file: String,
    /// First byte of the damaged frame or header.
    pub offset: u64,
    /// LSN of the damaged frame (for a header: the first LSN it should hold).
    pub lsn: Lsn,
    /// What was found.
    pub what: DamageKind,
}

/// What is wrong with a piece of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DamageKind {
    /// The 4 KiB segment header fails its check.
    SegmentHeader,
    /// The frame header fails its check, so its length is unknown.
    FrameHeader,
    /// The frame header is fine, its body fails its check.
    FrameBody,
    /// The body passes its check but does not decode.
    Undecodable {
        /// What the decoder expected.
        expected: &'static str,
    },
    /// A frame with another LSN stands here.
    WrongLsn {
        /// The LSN found.
        found: Lsn,
    },
    /// The frame does not continue the one before it.
    BrokenLink,
    /// The log ends here although later frames are known to have been written.
    Missing {
        /// Highest LSN known to have been durable.
        durable: Lsn,
    },
    /// The file is shorter than it was made.
    Shortened {
        /// Length it was made with, in bytes.
        expected: u64,
        /// Length found, in bytes.
        found: u64,
    },
    /// A whole segment file is absent.
    SegmentMissing {
        /// Number of the segment.
        number: u64,
    },
    /// Two files claim the same segment number.
    SegmentTwice {
        /// The other file.
        other: String,
    },
    /// The file belongs to another store.
    ForeignSegment,
}

impl fmt::Display for DamageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DamageKind::SegmentHeader => f.write_str("the segment header fails its checksum"),
            DamageKind::FrameHeader => f.write_str("the frame header fails its checksum"),
            DamageKind::FrameBody => f.write_str("the frame body fails its checksum"),
            DamageKind::Undecodable { expected } => {
                write!(f, "the frame does not decode, expected {expected}")
            }
            DamageKind::WrongLsn { found } => {
                write!(f, "the frame with LSN {found} stands here instead")
            }
            DamageKind::BrokenLink => f.write_str("the frame does not continue the one before it"),
            DamageKind::Missing { durable } => {
                write!(
                    f,
                    "the log ends here although LSN {durable} was already durable"
                )
            }
            DamageKind::Shortened { expected, found } => {
                write!(f, "the file was shortened from {expected} to {found} bytes")
            }
            DamageKind::SegmentMissing { number } => write!(f, "segment {number} is missing"),
            DamageKind::SegmentTwice { other } => {
                write!(f, "{other} claims to be the same segment")
            }
            DamageKind::ForeignSegment => f.write_str("the file belongs to another store"),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at offset {}, LSN {}: {}",
            self.file, self.offset, self.lsn, self.what
        )
    }
}

/// Why a store could not be opened for writing.
#[derive(Debug)]
pub enum OpenError {
    /// Acknowledged data is damaged. Nothing was changed; `read_only` serves the state before the damage.
    Corrupt {
        /// File inside the data directory.
        file: String,
        /// Byte offset of the damaged frame.
        offset: u64,
        /// LSN of the damaged frame.
        lsn: Lsn,
        /// What is wrong there.
        damage: Box<Damage>,
        /// The state up to the damage, for reading; `None` when not even the first segment can be read.
        read_only: Option<Box<ReadOnly>>,
    },
    /// Somebody else has the data directory open.
    Locked {
        /// The directory.
        place: String,
        /// What the lock file says about the holder (such as `process 1234`), if it could be read.
        holder: Option<String>,
    },
    /// The program's schema cannot be applied to the data; one sentence per problem.
    SchemaRefused {
        /// The sentences.
        problems: Vec<String>,
    },
    /// The files were written by a newer or different format.
    UnsupportedFormat {
        /// The file.
        file: String,
        /// What was found and what this build reads.
        what: String,
    },
    /// There is no store here (only from doors that do not create one).
    NoStore {
        /// The directory.
        place: String,
    },
    /// A call to the operating system failed.
    Io(IoFailure),
}

/// A failed call to the disk: what was attempted, on which file, and what came back.
#[derive(Debug)]
pub struct IoFailure {
    /// What was attempted, as a phrase ("reading the segment header").
    pub attempt: &'static str,
    /// The file, if one was involved.
    pub file: String,
    /// The error of the operating system.
    pub source: std::io::Error,
}

impl fmt::Display for IoFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} failed for {}: {}",
            self.attempt, self.file, self.source
        )
    }
}

impl std::error::Error for IoFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Corrupt { damage, .. } => write!(
                f,
                "the data is damaged: {damage}. Nothing was changed; the state before the damage can still be read"
            ),
            OpenError::Locked {
                place,
                holder: Some(holder),
            } => write!(
                f,
                "the data directory {place} is in use by {holder}. Stop it first, or use another directory"
            ),
            OpenError::Locked {
                place,
                holder: None,
            } => write!(
                f,
                "the data directory {place} is in use by another process. Stop it first, or use another directory"
            ),
            OpenError::SchemaRefused { problems } => {
                f.write_str("the program does not fit the stored data:")?;
                problems
                    .iter()
                    .try_for_each(|problem| write!(f, "\n- {problem}"))
            }
            OpenError::UnsupportedFormat { file, what } => {
                write!(f, "{file} cannot be read: {what}")
            }
            OpenError::NoStore { place } => write!(f, "there is no store in {place}"),
            OpenError::Io(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            OpenError::Io(failure) => Some(failure),
            OpenError::Corrupt { .. }
            | OpenError::Locked { .. }
            | OpenError::SchemaRefused { .. }
            | OpenError::UnsupportedFormat { .. }
            | OpenError::NoStore { .. } => None,
        }
    }
}

impl From<IoFailure> for OpenError {
    fn from(failure: IoFailure) -> Self {
        OpenError::Io(failure)
    }
}

/// Why a record could not be read. Never "wrong data": bytes that fail their check are not returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// The stored bytes of a record fail their check or belong to another record.
    Damaged {
        /// File inside the data directory.
        file: String,
        /// Byte offset of the record.
        offset: u64,
        /// LSN the record should have.
        lsn: Lsn,
        /// Name of the type.
        type_name: String,
        /// Number of the record.
        id: EntityId,
    },
    /// A call to the operating system failed.
    Io {
        /// File inside the data directory.
        file: String,
        /// The error as text.
        message: String,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Damaged {
                file,
                offset,
                lsn,
                type_name,
                id,
            } => {
                write!(
                    f,
                    "{type_name} {id} is damaged on disk ({file} at offset {offset}, LSN {lsn})"
                )
            }
            ReadError::Io { file, message } => write!(f, "reading {file} failed: {message}"),
        }
    }
}

impl std::error::Error for ReadError {}

/// Why a step inside a transaction was refused. The transaction stays usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TxError {
    /// Reading failed.
    Read(ReadError),
    /// There is no live record with this number.
    NotFound {
        /// Name of the type.
        type_name: String,
        /// The number asked for.
        id: EntityId,
    },
    /// The record exists but is not deleted, so there is nothing to restore.
    NotDeleted {
        /// Name of the type.
        type_name: String,
        /// Number of the record.
        id: EntityId,
    },
    /// A value does not fit its field.
    WrongType {
        /// Name of the type.
        type_name: String,
        /// Name of the field.
        field: String,
        /// The declared type.
        expected: String,
        /// The kind of value found.
        found: &'static str,
    },
    /// The number of values differs from the number of fields.
    WrongFieldCount {
        /// Name of the type.
        type_name: String,
        /// Number of declared fields.
        expected: usize,
        /// Number of values given.
        found: usize,
    },
    /// Lists and maps nest deeper than the store keeps.
    TooDeep {
        /// Name of the type.
        type_name: String,
        /// Name of the field.
        field: String,
        /// The limit.
        limit: usize,
    },
    /// Every number of a type was given out.
    NumbersUsedUp {
        /// Name of the type.
        type_name: String,
    },
    /// A record from elsewhere has the number of one that this transaction writes already.
    NumberTaken {
        /// Name of the type.
        type_name: String,
        /// The number.
        id: EntityId,
    },
}

impl fmt::Display for TxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TxError::Read(error) => error.fmt(f),
            TxError::NotFound { type_name, id } => write!(f, "there is no {type_name} {id}"),
            TxError::NotDeleted { type_name, id } => write!(f, "{type_name} {id} is not deleted"),
            TxError::WrongType {
                type_name,
                field,
                expected,
                found,
            } => {
                write!(f, "{type_name}.{field} holds {expected}, not {found}")
            }
            TxError::WrongFieldCount {
                type_name,
                expected,
                found,
            } => {
                write!(
                    f,
                    "{type_name} has {expected} fields, {found} values were given"
                )
            }
            TxError::TooDeep {
                type_name,
                field,
                limit,
            } => {
                write!(
                    f,
                    "the value for {type_name}.{field} nests deeper than {limit} levels"
                )
            }
            TxError::NumbersUsedUp { type_name } => write!(
                f,
                "{type_name} has no numbers left: the last one, {ENTITY_ID_MAX}, was given out. Export the records and \
                 import them into a new store without \"$id\""
            ),
            TxError::NumberTaken { type_name, id } => {
                write!(
                    f,
                    "this transaction writes another {type_name} {id} already"
                )
            }
        }
    }
}

impl std::error::Error for TxError {}

impl From<ReadError> for TxError {
    fn from(error: ReadError) -> Self {
        TxError::Read(error)
    }
}

/// A rule of the schema that a transaction would break. Nothing of the transaction was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConstraintError {
    /// Type of the record that breaks the rule.
    pub entity: String,
    /// Number of that record.
    pub id: EntityId,
    /// The field with the rule.
    pub field: String,
    /// The rule.
    pub rule: ConstraintRule,
}

/// The rules the committer enforces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConstraintRule {
    /// Another live record holds the same value.
    Unique {
        /// That record.
        holder: EntityId,
    },
    /// The link goes to a record that does not exist or is deleted.
    Reference {
        /// Type of the missing target.
        target: String,
        /// Its number.
        target_id: EntityId,
    },
    /// A record cannot be deleted while the record named in `entity`, `id`, `field` links to it.
    Restrict {
        /// Type of the record that was to be deleted.
        target: String,
        /// Its number.
        target_id: EntityId,
    },
    /// `set_none` would empty a required field.
    Required,
}

impl ConstraintRule {
    /// The rule's short name: `unique`, `reference`, `on_delete` or `required`.
    pub fn name(&self) -> &'static str {
        match self {
            ConstraintRule::Unique { .. } => "unique",
            ConstraintRule::Reference { .. } => "reference",
            ConstraintRule::Restrict { .. } => "on_delete",
            ConstraintRule::Required => "required",
        }
    }
}

impl fmt::Display for ConstraintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ConstraintError {
            entity,
            id,
            field,
            rule,
        } = self;
        match rule {
            ConstraintRule::Unique { holder } => {
                write!(
                    f,
                    "{entity}.{field} must be unique, and {entity} {holder} already has this value"
                )
            }
            ConstraintRule::Reference { target, target_id } => {
                write!(
                    f,
                    "{entity}.{field} links to {target} {target_id}, which does not exist"
                )
            }
            ConstraintRule::Restrict { target, target_id } => {
                write!(
                    f,
                    "{target} {target_id} cannot be deleted: {entity} {id} links to it in {field}"
                )
            }
            ConstraintRule::Required => {
                write!(
                    f,
                    "{entity} {id} needs a value in {field}, and deleting what it links to would empty it"
                )
            }
        }
    }
}

impl std::error::Error for ConstraintError {}
