//! One version of one record inside a data frame.
//!
//! A header whose numbers take the bytes they need, a table of offsets (one field is read without decoding the rest), the
//! values. Records of the first layout have a header of 64 bytes. What must stay true: the record CRC covers type, id,
//! version and LSN, so that a read through a wrong or stale place is noticed; a record says itself which layout it has.

use super::cursor::{Cursor, Undecodable, pad8, put_varint, u32_at, u64_at, unzigzag, zigzag};
use super::value::{ValueRef, put_value};
use crate::value::{EntityId, FieldValue, Lsn, TypeIx};

/// The shortest record: what can be read before its length is known.
pub(crate) const RECORD_BYTES_MIN: usize = 16;

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
    #[inline]
    fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => RecordOp::Create,
            2 => RecordOp::Update,
            3 => RecordOp::Delete,
            4 => RecordOp::Restore,
            5 => RecordOp::Destroy,
            _ => return None,
        })
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
    /// Whether a rewrite took the fields out: the version is forgotten, and so are all before it.
    pub(crate) erased: bool,
    /// Version of the catalog when this was written.
    pub(crate) schema: u16,
    pub(crate) field_count: u16,
    /// Where the fields are.
    pub(crate) table: Table,
}

/// Where the offset table of a record stands, how wide its entries are, and what an offset is counted from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    start: u32,
    width: u8,
    /// An entry `e` that is not 0 means a value at `base + e` of the record.
    base: u32,
}

/// Bytes of length and CRC, which start every record.
const LEN_AND_CRC: usize = 8;
/// The three low bits of the length word, which are the bytes of an entry of the offset table; 0 in the first layout.
const WIDTH_BITS: u32 = 7;
const OP_BITS: u8 = 7;
const FLAG_DELETED: u8 = 8;
const FLAG_ERASED: u8 = 16;
const FLAG_PREVIOUS: u8 = 32;
/// The record was created at another time than this version.
const FLAG_CREATED: u8 = 64;

/// Appends a record (`header.len`, `header.field_count` and `header.table` are computed). `fields` holds number and value of
/// each field that is not `None`, ascending by number.
pub(crate) fn put_record(
    out: &mut Vec<u8>,
    header: &RecordHeader,
    fields: &[(FieldNo, &FieldValue)],
    type_number: &dyn Fn(TypeIx) -> u32,
) {
    let start = out.len();
    out.extend_from_slice(&[0; LEN_AND_CRC]); // below
    put_header(out, header);
    let count = fields
        .last()
        .map_or(0, |(number, _)| usize::from(number.0) + 1);
    put_varint(out, count as u64);
    let table = out.len();
    // Most records are small, so that their offsets take a byte each; the values of others move when that is known.
    let mut width = 1;
    out.resize(table + count, 0);
    for (number, value) in fields {
        let offset = out.len() - (table + width * count) + 1;
        let needed = if offset > usize::from(u16::MAX) {
            4
        } else if offset > usize::from(u8::MAX) {
            2
        } else {
            1
        };
        if needed > width {
            widen_table(out, table, count, width, needed);
            width = needed;
        }
        let at = table + width * usize::from(number.0);
        out[at..at + width].copy_from_slice(&(offset as u32).to_le_bytes()[..width]);
        put_value(out, value, type_number);
    }
    pad8(out);
    let len = (out.len() - start) as u32 | width as u32;
    out[start..start + 4].copy_from_slice(&len.to_le_bytes());
    seal(&mut out[start..]);
}

/// Gives the entries of an offset table at `table` more bytes each; the values behind it move.
fn widen_table(out: &mut Vec<u8>, table: usize, count: usize, from: usize, to: usize) {
    let (values, end) = (table + from * count, out.len());
    out.resize(end + (to - from) * count, 0);
    out.copy_within(values..end, table + to * count);
    for entry in (0..count).rev() {
        let mut bytes = [0; 4];
        bytes[..from].copy_from_slice(&out[table + entry * from..][..from]);
        out[table + entry * to..][..to].copy_from_slice(&bytes[..to]);
    }
}

/// Everything between the CRC and the number of fields.
fn put_header(out: &mut Vec<u8>, header: &RecordHeader) {
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    let created_ms = header.created_at_ms.wrapping_sub(header.updated_at_ms);
    out.push(
        header.op as u8
            | flag(header.deleted, FLAG_DELETED)
            | flag(header.erased, FLAG_ERASED)
            | flag(header.previous.is_some(), FLAG_PREVIOUS)
            | flag(created_ms != 0, FLAG_CREATED),
    );
    put_varint(out, u64::from(header.ty.0));
    put_varint(out, u64::from(header.version));
    put_varint(out, header.id.0);
    put_varint(out, header.lsn.0);
    put_varint(out, zigzag(header.updated_at_ms));
    put_varint(out, u64::from(header.schema));
    if let Some(previous) = header.previous {
        put_varint(out, u64::from(previous.segment));
        put_varint(out, u64::from(previous.offset));
    }
    if created_ms != 0 {
        put_varint(out, zigzag(created_ms));
    }
}

/// Takes the content out of a whole record: no fields, zeros in their place; its length stays what it was.
pub(crate) fn erase_record(record: &mut [u8]) -> Result<(), Undecodable> {
    let mut header = RecordHeader::decode(record)?;
    if header.len as usize != record.len() {
        return Err(Undecodable {
            expected: "a whole record",
        });
    }
    header.erased = true;
    let mut out = vec![0; LEN_AND_CRC];
    put_header(&mut out, &header);
    out.push(0);
    if out.len() > record.len() {
        return Err(Undecodable {
            expected: "a record with room for its header",
        });
    }
    record[LEN_AND_CRC..].fill(0);
    record[LEN_AND_CRC..out.len()].copy_from_slice(&out[LEN_AND_CRC..]);
    record[..4].copy_from_slice(&(header.len | 1).to_le_bytes());
    seal(record);
    Ok(())
}

/// Puts the CRC into a record that is complete otherwise.
fn seal(record: &mut [u8]) {
    let crc = record_crc(record);
    record[4..LEN_AND_CRC].copy_from_slice(&crc.to_le_bytes());
}

#[inline]
fn record_crc(record: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&record[..4]);
    hasher.update(&record[LEN_AND_CRC..]);
    hasher.finalize()
}

/// The length that a record says it has, from its first [`RECORD_BYTES_MIN`] bytes or more.
#[inline]
pub(crate) fn record_len(bytes: &[u8]) -> Result<u32, Undecodable> {
    let expected = "a record length";
    if bytes.len() < RECORD_BYTES_MIN {
        return Err(Undecodable { expected });
    }
    let len = u32_at(bytes, 0) & !WIDTH_BITS;
    if (len as usize) < RECORD_BYTES_MIN {
        return Err(Undecodable { expected });
    }
    Ok(len)
}

impl RecordHeader {
    /// Reads the header that starts `bytes`, which may be longer than the record. Does not check the CRC.
    #[inline]
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Undecodable> {
        let len = record_len(bytes)?;
        let width = u32_at(bytes, 0) & WIDTH_BITS;
        if width == 0 {
            return decode_first(bytes);
        }
        let expected = "a record header";
        let small = |value: u64| u32::try_from(value).map_err(|_| Undecodable { expected });
        let tiny = |value: u64| u16::try_from(value).map_err(|_| Undecodable { expected });
        let mut cursor = Cursor::at(bytes, LEN_AND_CRC);
        let first = cursor.u8(expected)?;
        let op = RecordOp::from_byte(first & OP_BITS).ok_or(Undecodable {
            expected: "a known record op",
        })?;
        let ty = TypeNo(small(cursor.varint(expected)?)?);
        let version = small(cursor.varint(expected)?)?;
        let id = EntityId(cursor.varint(expected)?);
        let lsn = Lsn(cursor.varint(expected)?);
        let updated_at_ms = unzigzag(cursor.varint(expected)?);
        let schema = tiny(cursor.varint(expected)?)?;
        let previous = if first & FLAG_PREVIOUS == 0 {
            None
        } else {
            Some(Place {
                segment: small(cursor.varint(expected)?)?,
                offset: small(cursor.varint(expected)?)?,
            })
        };
        let created_ms = if first & FLAG_CREATED == 0 {
            0
        } else {
            unzigzag(cursor.varint(expected)?)
        };
        let field_count = tiny(cursor.varint(expected)?)?;
        let start = cursor.position() as u32;
        let values = start + width * u32::from(field_count);
        if !matches!(width, 1 | 2 | 4) || len < values {
            return Err(Undecodable {
                expected: "a record length",
            });
        }
        Ok(RecordHeader {
            len,
            ty,
            version,
            id,
            lsn,
            previous,
            created_at_ms: updated_at_ms.wrapping_add(created_ms),
            updated_at_ms,
            op,
            deleted: first & FLAG_DELETED != 0,
            erased: first & FLAG_ERASED != 0,
            schema,
            field_count,
            table: Table {
                start,
                width: width as u8,
                base: values - 1,
            },
        })
    }

    /// Whether `record` (exactly `len` bytes) passes its CRC.
    #[inline]
    pub(crate) fn intact(record: &[u8]) -> bool {
        record.len() >= RECORD_BYTES_MIN && record_crc(record) == u32_at(record, 4)
    }

    /// One field of `record` (exactly `len` bytes); `None` where this version has none.
    pub(crate) fn field(
        &self,
        record: &[u8],
        number: FieldNo,
        type_ix: &dyn Fn(u32) -> Option<TypeIx>,
    ) -> Result<FieldValue, Undecodable> {
        let found = self.field_ref(record, number, type_ix)?;
        Ok(found.into_value())
    }

    /// One field of `record` as it stands in the bytes; `None` where this version has none.
    #[inline]
    pub(crate) fn field_ref<'a>(
        &self,
        record: &'a [u8],
        number: FieldNo,
        type_ix: &dyn Fn(u32) -> Option<TypeIx>,
    ) -> Result<ValueRef<'a>, Undecodable> {
        match self.value_at(record, number) {
            None => Ok(ValueRef::None),
            Some(at) => ValueRef::read(Cursor::at(record, at), type_ix),
        }
    }

    /// Where the value of a field starts in the record.
    #[inline]
    fn value_at(&self, record: &[u8], number: FieldNo) -> Option<usize> {
        if number.0 >= self.field_count {
            return None;
        }
        let Table { start, width, base } = self.table;
        let at = start as usize + usize::from(width) * usize::from(number.0);
        let entry = match width {
            1 => u32::from(record[at]),
            2 => u32::from(u16::from_le_bytes([record[at], record[at + 1]])),
            _ => u32_at(record, at),
        };
        (entry != 0).then_some(base.saturating_add(entry) as usize)
    }
}

/// The header of the first layout: 64 bytes of fixed places, entries of four bytes counted from the record's start.
fn decode_first(bytes: &[u8]) -> Result<RecordHeader, Undecodable> {
    const HEADER_BYTES: u32 = 64;
    const DELETED: u8 = 1;
    const ERASED: u8 = 2;
    if bytes.len() < HEADER_BYTES as usize {
        return Err(Undecodable {
            expected: "a record header",
        });
    }
    let op = RecordOp::from_byte(bytes[56]).ok_or(Undecodable {
        expected: "a known record op",
    })?;
    let place = Place {
        segment: u32_at(bytes, 32),
        offset: u32_at(bytes, 36),
    };
    let (len, field_count) = (u32_at(bytes, 0), u16::from_le_bytes([bytes[60], bytes[61]]));
    if len < HEADER_BYTES + 4 * u32::from(field_count) {
        return Err(Undecodable {
            expected: "a record length",
        });
    }
    Ok(RecordHeader {
        len,
        ty: TypeNo(u32_at(bytes, 8)),
        version: u32_at(bytes, 12),
        id: EntityId(u64_at(bytes, 16)),
        lsn: Lsn(u64_at(bytes, 24)),
        previous: (place.offset != 0).then_some(place),
        created_at_ms: u64_at(bytes, 40) as i64,
        updated_at_ms: u64_at(bytes, 48) as i64,
        op,
        deleted: bytes[57] & DELETED != 0,
        erased: bytes[57] & ERASED != 0,
        schema: u16::from_le_bytes([bytes[58], bytes[59]]),
        field_count,
        table: Table {
            start: HEADER_BYTES,
            width: 4,
            base: 0,
        },
    })
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
