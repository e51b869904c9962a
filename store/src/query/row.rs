//! One record as a query sees it: columns read one by one, from a decoded record or straight from its bytes.
//!
//! What must stay true: both forms give the same value for the same column, stored values of a narrower type widened to
//! the declared one.

use std::cell::OnceCell;

use crate::codec::cursor::Undecodable;
use crate::codec::record::{RecordHeader, TypeNo};
use crate::codec::value::ValueRef;
use crate::query::Column;
use crate::shared::Shared;
use crate::value::{EntityId, FieldIx, Lsn, Record, TypeIx};

/// Something with columns.
pub(crate) trait Row {
    /// The value of one column.
    fn value(&self, column: Column) -> Result<ValueRef<'_>, Undecodable>;
}

impl Row for Record {
    fn value(&self, column: Column) -> Result<ValueRef<'_>, Undecodable> {
        Ok(match column {
            Column::Id => ValueRef::Int(self.id.0 as i64),
            Column::Version => ValueRef::Int(i64::from(self.version)),
            Column::CreatedAt => ValueRef::Time(self.created_at_ms),
            Column::UpdatedAt => ValueRef::Time(self.updated_at_ms),
            Column::DeletedAt => self.deleted_at_ms.map_or(ValueRef::None, ValueRef::Time),
            Column::Field(field) => ValueRef::of(self.field(field)),
        })
    }
}

/// A checked record in its bytes; nothing is decoded before it is asked for.
pub struct RecordView<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) ty: TypeIx,
    pub(crate) header: &'a RecordHeader,
    pub(crate) bytes: &'a [u8],
    /// The whole record, where a field of the type takes more to read than its bytes.
    decoded: OnceCell<Record>,
}

impl<'a> RecordView<'a> {
    /// A view of a record of type `ty`.
    #[inline]
    pub(crate) fn new(
        shared: &'a Shared,
        ty: TypeIx,
        header: &'a RecordHeader,
        bytes: &'a [u8],
    ) -> Self {
        let decoded = OnceCell::new();
        RecordView {
            shared,
            ty,
            header,
            bytes,
            decoded,
        }
    }
}

impl RecordView<'_> {
    /// Number within the type.
    pub fn id(&self) -> EntityId {
        self.header.id
    }

    /// Version, from 1.
    pub fn version(&self) -> u32 {
        self.header.version
    }

    /// The transaction that wrote this version.
    pub fn lsn(&self) -> Lsn {
        self.header.lsn
    }

    /// Commit time of version 1, milliseconds UTC.
    pub fn created_at_ms(&self) -> i64 {
        self.header.created_at_ms
    }

    /// Commit time of this version, milliseconds UTC.
    pub fn updated_at_ms(&self) -> i64 {
        self.header.updated_at_ms
    }

    /// Whether this version is the deleted state.
    pub fn is_deleted(&self) -> bool {
        self.header.deleted
    }

    /// One field; a position that the type does not have reads none.
    ///
    /// # Errors
    /// When its bytes do not decode, which the record's checksum makes all but impossible.
    #[inline]
    pub fn field(&self, field: FieldIx) -> Result<ValueRef<'_>, Undecodable> {
        let mapping = self.shared.mapping.type_mapping(self.ty);
        if mapping.special(field).is_some() {
            return self.decoded_field(field);
        }
        let defs = &self.shared.schema.type_def(self.ty).fields;
        let at = field.0 as usize;
        let (Some(number), Some(def)) = (mapping.fields.get(at), defs.get(at)) else {
            return Ok(ValueRef::None);
        };
        let type_ix = |no| self.shared.mapping.position(TypeNo(no));
        let found = self.header.field_ref(self.bytes, *number, &type_ix);
        if def.ty.can_change() {
            found.map(|value| def.ty.widen_ref(value))
        } else {
            found
        }
    }

    /// One field of the whole record, which is kept.
    fn decoded_field(&self, field: FieldIx) -> Result<ValueRef<'_>, Undecodable> {
        let decoded = match self.decoded.get() {
            Some(decoded) => decoded,
            None => {
                let record = self.decode()?;
                self.decoded.get_or_init(|| record)
            }
        };
        Ok(ValueRef::of(decoded.field(field)))
    }

    /// The whole record.
    ///
    /// # Errors
    /// As for `field`.
    pub fn decode(&self) -> Result<Record, Undecodable> {
        self.shared.decode(self.ty, self.header, self.bytes)
    }
}

impl Row for RecordView<'_> {
    fn value(&self, column: Column) -> Result<ValueRef<'_>, Undecodable> {
        let header = self.header;
        Ok(match column {
            Column::Id => ValueRef::Int(header.id.0 as i64),
            Column::Version => ValueRef::Int(i64::from(header.version)),
            Column::CreatedAt => ValueRef::Time(header.created_at_ms),
            Column::UpdatedAt => ValueRef::Time(header.updated_at_ms),
            Column::DeletedAt if header.deleted => ValueRef::Time(header.updated_at_ms),
            Column::DeletedAt => ValueRef::None,
            Column::Field(field) => self.field(field)?,
        })
    }
}
