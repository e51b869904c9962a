//! One version of one record inside a data frame.
//!
//! 64 bytes of header, a table of offsets (one field is read without decoding the rest), the values. What must stay
//! true: the record CRC covers type, id, version and LSN, so that a read through a wrong or stale place is noticed.

use super::cursor::{Cursor, Undecodable, pad8, u32_at, u64_at};
use super::value::{ValueRef, put_value, read_value};
use crate::value::{EntityId, FieldValue, Lsn, TypeIx};

/// Bytes of a record header.
pub(crate) const RECORD_HEADER_BYTES: usize = 64;
const FLAG_DELETED: u8 = 1;

/// The number of a type in the log, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TypeNo(pub(crate) u32);

/// The number of a field of a type in the log, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct FieldNo(pub(crate) u16);

/// Where a record stands: segment number and byte offset of its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment: u32,
    pub(crate) offset: u32,
}

/// What a record says happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RecordOp {
    Create = 1,
    Update = 2,
    Delete = 3,
    Restore = 4,
    /// A receipt: the record and its history are gone; no fields.
    Destroy = 5,
}

impl RecordOp {
    fn from_byte(byte: u8) -> Option<Self> {
        [
            RecordOp::Create,
            RecordOp::Update,
            RecordOp::Delete,
            RecordOp::Restore,
            RecordOp::Destroy,
        ]
        .into_iter()
        .find(|op| *op as u8 == byte)
    }
}

/// A record's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    /// Length with header and padding, a multiple of eight.
    pub(crate) len: u32,
    pub(crate) ty: TypeNo,
    pub(crate) version: u32,
    pub(crate) id: EntityId,
    pub(crate) lsn: Lsn,
    pub(crate) previous: Option<Place>,
    pub(crate) created_at_ms: i64,
    pub(crate) updated_at_ms: i64,
    pub(crate) op: RecordOp,
    /// Whether the record is hidden after this version.
    pub(crate) deleted: bool,
    /// Version of the catalog when this was written.
    pub(crate) schema: u16,
    pub(crate) field_count: u16,
}

/// Appends a record (`header.len` and `header.field_count` are computed). `fields` holds number and value of each
/// field that is not `None`, ascending by number.
pub(crate) fn put_record(
    out: &mut Vec<u8>,
    header: &RecordHeader,
    fields: &[(FieldNo, &FieldValue)],
    type_number: &dyn Fn(TypeIx) -> u32,
) {
    let start = out.len();
    let field_count = fields.last().map_or(0, |(number, _)| number.0 + 1);
    out.extend_from_slice(&[0; 8]); // length and CRC, below
    out.extend_from_slice(&header.ty.0.to_le_bytes());
    out.extend_from_slice(&header.version.to_le_bytes());
    out.extend_from_slice(&header.id.0.to_le_bytes());
    out.extend_from_slice(&header.lsn.0.to_le_bytes());
    let previous = header.previous.unwrap_or(Place {
        segment: 0,
        offset: 0,
    });
    out.extend_from_slice(&previous.segment.to_le_bytes());
    out.extend_from_slice(&previous.offset.to_le_bytes());
    out.extend_from_slice(&header.created_at_ms.to_le_bytes());
    out.extend_from_slice(&header.updated_at_ms.to_le_bytes());
    out.push(header.op as u8);
    out.push(if header.deleted { FLAG_DELETED } else { 0 });
    out.extend_from_slice(&header.schema.to_le_bytes());
    out.extend_from_slice(&field_count.to_le_bytes());
    out.extend_from_slice(&0u16.to_le_bytes());
    debug_assert_eq!(out.len() - start, RECORD_HEADER_BYTES);
    let table = out.len();
    out.resize(table + 4 * usize::from(field_count), 0);
    for (number, value) in fields {
        let at = table + 4 * usize::from(number.0);
        let offset = (out.len() - start) as u32;
        out[at..at + 4].copy_from_slice(&offset.to_le_bytes());
        put_value(out, value, type_number);
    }
    pad8(out);
    let len = (out.len() - start) as u32;
    out[start..start + 4].copy_from_slice(&len.to_le_bytes());
    let crc = record_crc(&out[start..]);
    out[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
}

fn record_crc(record: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&record[..4]);
    hasher.update(&record[8..]);
    hasher.finalize()
}

impl RecordHeader {
    /// Reads the header that starts `bytes`, which may be longer than the record. Does not check the CRC.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Undecodable> {
        let expected = "a record header";
        if bytes.len() < RECORD_HEADER_BYTES {
            return Err(Undecodable { expected });
        }
        let op = RecordOp::from_byte(bytes[56]).ok_or(Undecodable {
            expected: "a known record op",
        })?;
        let place = Place {
            segment: u32_at(bytes, 32),
            offset: u32_at(bytes, 36),
        };
        let header = RecordHeader {
            len: u32_at(bytes, 0),
            ty: TypeNo(u32_at(bytes, 8)),
            version: u32_at(bytes, 12),
            id: EntityId(u64_at(bytes, 16)),
            lsn: Lsn(u64_at(bytes, 24)),
            previous: (place.offset != 0).then_some(place),
            created_at_ms: u64_at(bytes, 40) as i64,
            updated_at_ms: u64_at(bytes, 48) as i64,
            op,
            deleted: bytes[57] & FLAG_DELETED != 0,
            schema: u16::from_le_bytes([bytes[58], bytes[59]]),
            field_count: u16::from_le_bytes([bytes[60], bytes[61]]),
        };
        let table_end = RECORD_HEADER_BYTES + 4 * usize::from(header.field_count);
        if (header.len as usize) < table_end || !header.len.is_multiple_of(8) {
            return Err(Undecodable {
                expected: "a record length",
            });
        }
        Ok(header)
    }

    /// Whether `record` (exactly `len` bytes) passes its CRC.
    pub(crate) fn intact(record: &[u8]) -> bool {
        record.len() >= RECORD_HEADER_BYTES && record_crc(record) == u32_at(record, 4)
    }

    /// One field of `record` (exactly `len` bytes); `None` where this version has none.
    pub(crate) fn field(
        &self,
        record: &[u8],
        number: FieldNo,
        type_ix: &dyn Fn(u32) -> Option<TypeIx>,
    ) -> Result<FieldValue, Undecodable> {
        if number.0 >= self.field_count {
            return Ok(FieldValue::None);
        }
        match u32_at(record, RECORD_HEADER_BYTES + 4 * usize::from(number.0)) as usize {
            0 => Ok(FieldValue::None),
            offset => read_value(&mut Cursor::at(record, offset), type_ix),
        }
    }
}

impl RecordHeader {
    /// One field of `record` as it stands in the bytes; `None` where this version has none.
    pub(crate) fn field_ref<'a>(
        &self,
        record: &'a [u8],
        number: FieldNo,
        type_ix: &dyn Fn(u32) -> Option<TypeIx>,
    ) -> Result<ValueRef<'a>, Undecodable> {
        if number.0 >= self.field_count {
            return Ok(ValueRef::None);
        }
        match u32_at(record, RECORD_HEADER_BYTES + 4 * usize::from(number.0)) as usize {
            0 => Ok(ValueRef::None),
            offset => ValueRef::read(&mut Cursor::at(record, offset), type_ix),
        }
    }
}

/// The records of a data frame's body with their offsets in it, in order.
pub(crate) fn each_record<'a>(
    body: &'a [u8],
    visit: &mut dyn FnMut(u32, RecordHeader, &'a [u8]) -> Result<(), Undecodable>,
) -> Result<(), Undecodable> {
    let mut at = 0;
    while at < body.len() {
        let header = RecordHeader::decode(&body[at..])?;
        let end = at + header.len as usize;
        let record = body.get(at..end).ok_or(Undecodable {
            expected: "a whole record",
        })?;
        visit(at as u32, header, record)?;
        at = end;
    }
    Ok(())
}
