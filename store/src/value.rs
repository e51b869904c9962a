//! The closed set of values a field can hold, and the small numbers that name things.
//!
//! It stands here, and not in the language, because the store must be able to read its own log without knowing
//! FLIN. What must stay true: adding a variant is a format change (see `codec/value.rs`), and no variant borrows.

use std::fmt;
use std::sync::Arc;

/// Position of a type in the `Schema` the store was opened with (not the number used in the log).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeIx(pub u32);

/// Position of a field in its `TypeDef`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldIx(pub u32);

/// The number of a record, unique within its type, from 1, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityId(pub u64);

/// Log sequence number: the number of a frame, +1 each, from 1. `Lsn(0)` is the empty log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lsn(pub u64);

/// Sixteen bytes chosen by the caller of a request; a second commit with the same ones is answered `Duplicate`.
/// All zeros means "none" and is never remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(pub [u8; 16]);

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One value of one field.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum FieldValue {
    /// No value.
    #[default]
    None,
    /// Truth value.
    Bool(bool),
    /// Signed 64-bit integer.
    Int(i64),
    /// IEEE 754 double.
    Float(f64),
    /// UTF-8 text.
    Text(Arc<str>),
    /// Point in time, milliseconds since 1970 UTC.
    Time(i64),
    /// Span of time in milliseconds.
    Duration(i64),
    /// Raw bytes.
    Bytes(Arc<[u8]>),
    /// Link to a record.
    Ref {
        /// Type of the target.
        ty: TypeIx,
        /// Number of the target.
        id: EntityId,
    },
    /// Value of an enum.
    Enum {
        /// Name of the enum.
        name: Arc<str>,
        /// Name of the variant.
        variant: Arc<str>,
        /// What the variant carries, in order.
        payload: Vec<FieldValue>,
    },
    /// Ordered values.
    List(Vec<FieldValue>),
    /// Keys and values in insertion order.
    Map(Vec<(Arc<str>, FieldValue)>),
}

impl FieldValue {
    /// A text value from anything that can be copied into one.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        FieldValue::Text(text.into())
    }

    /// Whether this is `None`.
    pub fn is_none(&self) -> bool {
        matches!(self, FieldValue::None)
    }

    /// The word used for this kind of value in messages.
    pub fn kind(&self) -> &'static str {
        match self {
            FieldValue::None => "none",
            FieldValue::Bool(_) => "bool",
            FieldValue::Int(_) => "int",
            FieldValue::Float(_) => "float",
            FieldValue::Text(_) => "text",
            FieldValue::Time(_) => "time",
            FieldValue::Duration(_) => "duration",
            FieldValue::Bytes(_) => "bytes",
            FieldValue::Ref { .. } => "reference",
            FieldValue::Enum { .. } => "enum",
            FieldValue::List(_) => "list",
            FieldValue::Map(_) => "map",
        }
    }

    /// Whether a reference to this record is in the value, however deep.
    pub(crate) fn links_to(&self, ty: TypeIx, id: EntityId) -> bool {
        let mut found = false;
        self.each_ref(&mut |other, number| found |= (other, number) == (ty, id));
        found
    }

    /// Calls `visit` for every reference in this value, however deep.
    pub fn each_ref(&self, visit: &mut dyn FnMut(TypeIx, EntityId)) {
        match self {
            FieldValue::Ref { ty, id } => visit(*ty, *id),
            FieldValue::Enum { payload: items, .. } | FieldValue::List(items) => {
                items.iter().for_each(|item| item.each_ref(visit));
            }
            FieldValue::Map(entries) => entries.iter().for_each(|(_, item)| item.each_ref(visit)),
            FieldValue::None
            | FieldValue::Bool(_)
            | FieldValue::Int(_)
            | FieldValue::Float(_)
            | FieldValue::Text(_)
            | FieldValue::Time(_)
            | FieldValue::Duration(_)
            | FieldValue::Bytes(_) => {}
        }
    }

    /// How deep lists, maps and enums nest (a scalar is 1).
    pub(crate) fn depth(&self) -> usize {
        match self {
            FieldValue::Enum { payload: items, .. } | FieldValue::List(items) => {
                1 + items.iter().map(FieldValue::depth).max().unwrap_or(0)
            }
            FieldValue::Map(entries) => {
                1 + entries
                    .iter()
                    .map(|(_, item)| item.depth())
                    .max()
                    .unwrap_or(0)
            }
            FieldValue::None
            | FieldValue::Bool(_)
            | FieldValue::Int(_)
            | FieldValue::Float(_)
            | FieldValue::Text(_)
            | FieldValue::Time(_)
            | FieldValue::Duration(_)
            | FieldValue::Bytes(_)
            | FieldValue::Ref { .. } => 1,
        }
    }
}

/// One version of one record, decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Type, as a position in the program's schema.
    pub ty: TypeIx,
    /// Number within the type.
    pub id: EntityId,
    /// Version, from 1, +1 with each transaction that changed the record.
    pub version: u32,
    /// Commit time of version 1, milliseconds UTC.
    pub created_at_ms: i64,
    /// Commit time of this version, milliseconds UTC.
    pub updated_at_ms: i64,
    /// Commit time of the deletion if this version is the deleted state.
    pub deleted_at_ms: Option<i64>,
    /// Fields in the order of the program's schema; fields this version did not have yet are `None`.
    pub fields: Vec<FieldValue>,
    /// The transaction that wrote this version. A transaction's own unsaved records have `Lsn(0)`.
    pub lsn: Lsn,
}

impl Record {
    /// Whether this version is the deleted state.
    pub fn is_deleted(&self) -> bool {
        self.deleted_at_ms.is_some()
    }

    /// The field at a position, `None` where the record has no such field.
    pub fn field(&self, field: FieldIx) -> &FieldValue {
        static NONE: FieldValue = FieldValue::None;
        self.fields.get(field.0 as usize).unwrap_or(&NONE)
    }
}
