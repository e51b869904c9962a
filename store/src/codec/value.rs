//! One field value as bytes: a tag and its content, self-delimiting.
//!
//! Types inside references are log numbers; the two translations are passed in, so that this file knows no schema.
//! What must stay true: tags are never reused, and text stands as it is (`grep` finds it in the log).

use std::sync::Arc;

use super::cursor::{Cursor, Undecodable, put_text};
use crate::limits::VALUE_DEPTH_MAX;
use crate::value::{EntityId, FieldValue, TypeIx};

const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const FLOAT: u8 = 4;
const TEXT: u8 = 5;
const TIME: u8 = 6;
const DURATION: u8 = 7;
const BYTES: u8 = 8;
const REF: u8 = 9;
const ENUM: u8 = 10;
const LIST: u8 = 11;
const MAP: u8 = 12;
const NONE: u8 = 13;
/// A text of less than 256 bytes, with a length of one byte.
const SHORT_TEXT: u8 = 14;
/// An int that fits one, two or four bytes.
const INT_1: u8 = 15;
const INT_2: u8 = 16;
const INT_4: u8 = 17;

/// Appends a value; `type_number` gives the log's number of a type.
pub(crate) fn put_value(
    out: &mut Vec<u8>,
    value: &FieldValue,
    type_number: &dyn Fn(TypeIx) -> u32,
) {
    match value {
        FieldValue::None => out.push(NONE),
        FieldValue::Bool(false) => out.push(FALSE),
        FieldValue::Bool(true) => out.push(TRUE),
        FieldValue::Int(int) => put_int(out, *int),
        FieldValue::Float(float) => put_tagged(out, FLOAT, &float.to_bits().to_le_bytes()),
        FieldValue::Text(text) => match u8::try_from(text.len()) {
            Ok(len) => {
                out.extend_from_slice(&[SHORT_TEXT, len]);
                out.extend_from_slice(text.as_bytes());
            }
            Err(_) => {
                out.push(TEXT);
                put_text(out, text);
            }
        },
        FieldValue::Time(ms) => put_tagged(out, TIME, &ms.to_le_bytes()),
        FieldValue::Duration(ms) => put_tagged(out, DURATION, &ms.to_le_bytes()),
        FieldValue::Bytes(bytes) => {
            put_tagged(out, BYTES, &(bytes.len() as u32).to_le_bytes());
            out.extend_from_slice(bytes);
        }
        FieldValue::Ref { ty, id } => {
            put_tagged(out, REF, &type_number(*ty).to_le_bytes());
            out.extend_from_slice(&id.0.to_le_bytes());
        }
        FieldValue::Enum {
            name,
            variant,
            payload,
        } => {
            out.push(ENUM);
            put_text(out, name);
            put_text(out, variant);
            put_values(out, payload, type_number);
        }
        FieldValue::List(items) => {
            out.push(LIST);
            put_values(out, items, type_number);
        }
        FieldValue::Map(entries) => {
            put_tagged(out, MAP, &(entries.len() as u32).to_le_bytes());
            for (key, item) in entries {
                put_text(out, key);
                put_value(out, item, type_number);
            }
        }
    }
}

/// The shortest form, so that equal ints are equal bytes.
fn put_int(out: &mut Vec<u8>, int: i64) {
    if let Ok(small) = i8::try_from(int) {
        put_tagged(out, INT_1, &small.to_le_bytes());
    } else if let Ok(small) = i16::try_from(int) {
        put_tagged(out, INT_2, &small.to_le_bytes());
    } else if let Ok(small) = i32::try_from(int) {
        put_tagged(out, INT_4, &small.to_le_bytes());
    } else {
        put_tagged(out, INT, &int.to_le_bytes());
    }
}

fn put_tagged(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    out.extend_from_slice(content);
}

fn put_values(out: &mut Vec<u8>, items: &[FieldValue], type_number: &dyn Fn(TypeIx) -> u32) {
    out.extend_from_slice(&(items.len() as u32).to_le_bytes());
    items
        .iter()
        .for_each(|item| put_value(out, item, type_number));
}

/// A value that is only looked at: scalars stay where they stand, what nests is decoded.
#[derive(Clone, Debug)]
pub enum ValueRef<'a> {
    /// No value.
    None,
    /// Truth value.
    Bool(bool),
    /// Signed 64-bit integer.
    Int(i64),
    /// IEEE 754 double.
    Float(f64),
    /// UTF-8 text.
    Text(&'a str),
    /// Point in time, milliseconds since 1970 UTC.
    Time(i64),
    /// Span of time in milliseconds.
    Duration(i64),
    /// Raw bytes.
    Bytes(&'a [u8]),
    /// Link to a record.
    Ref {
        /// Type of the target.
        ty: TypeIx,
        /// Number of the target.
        id: EntityId,
    },
    /// An enum, a list or a map.
    Nested(Nested<'a>),
}

/// A value with values in it. Small, so that looking at a field moves little.
#[derive(Clone, Debug)]
pub enum Nested<'a> {
    /// Part of a record that was decoded.
    Lent(&'a FieldValue),
    /// Decoded for the one who asked.
    Own(Box<FieldValue>),
}

impl Nested<'_> {
    /// The value itself.
    pub fn into_owned(self) -> FieldValue {
        match self {
            Nested::Lent(value) => value.clone(),
            Nested::Own(value) => *value,
        }
    }
}

impl std::ops::Deref for Nested<'_> {
    type Target = FieldValue;

    fn deref(&self) -> &FieldValue {
        match self {
            Nested::Lent(value) => value,
            Nested::Own(value) => value,
        }
    }
}

impl<'a> ValueRef<'a> {
    /// The value at the cursor. Each arm is an answer of its own, so that none is moved once more.
    #[inline]
    pub(crate) fn read(
        start: Cursor<'a>,
        type_ix: &dyn Fn(u32) -> Option<TypeIx>,
    ) -> Result<Self, Undecodable> {
        let mut cursor = start.clone();
        match cursor.u8("a value tag")? {
            tag @ (TEXT | SHORT_TEXT) => Ok(ValueRef::Text(read_text(tag, &mut cursor)?)),
            BYTES => {
                let len = cursor.u32("a byte count")? as usize;
                Ok(ValueRef::Bytes(cursor.take(len, "bytes")?))
            }
            tag @ (INT | INT_1 | INT_2 | INT_4) => Ok(ValueRef::Int(read_int(tag, &mut cursor)?)),
            FALSE => Ok(ValueRef::Bool(false)),
            TRUE => Ok(ValueRef::Bool(true)),
            FLOAT => Ok(ValueRef::Float(f64::from_bits(cursor.u64("a float")?))),
            TIME => Ok(ValueRef::Time(cursor.i64("a time")?)),
            DURATION => Ok(ValueRef::Duration(cursor.i64("a duration")?)),
            // Rare here, and an unknown tag is refused there.
            _ => ValueRef::decoded(start, type_ix),
        }
    }

    /// What is not looked at where it stands.
    #[cold]
    fn decoded(
        mut cursor: Cursor<'a>,
        type_ix: &dyn Fn(u32) -> Option<TypeIx>,
    ) -> Result<Self, Undecodable> {
        Ok(ValueRef::owned(read_value(&mut cursor, type_ix)?))
    }

    /// A decoded value.
    pub fn of(value: &'a FieldValue) -> Self {
        match value {
            FieldValue::None => ValueRef::None,
            FieldValue::Bool(value) => ValueRef::Bool(*value),
            FieldValue::Int(value) => ValueRef::Int(*value),
            FieldValue::Float(value) => ValueRef::Float(*value),
            FieldValue::Text(text) => ValueRef::Text(text),
            FieldValue::Time(ms) => ValueRef::Time(*ms),
            FieldValue::Duration(ms) => ValueRef::Duration(*ms),
            FieldValue::Bytes(bytes) => ValueRef::Bytes(bytes),
            FieldValue::Ref { ty, id } => ValueRef::Ref { ty: *ty, id: *id },
            FieldValue::Enum { .. } | FieldValue::List(_) | FieldValue::Map(_) => {
                ValueRef::Nested(Nested::Lent(value))
            }
        }
    }

    fn owned(value: FieldValue) -> Self {
        match value {
            FieldValue::None => ValueRef::None,
            FieldValue::Ref { ty, id } => ValueRef::Ref { ty, id },
            value => ValueRef::Nested(Nested::Own(Box::new(value))),
        }
    }

    /// The value itself.
    #[inline]
    pub fn into_value(self) -> FieldValue {
        match self {
            ValueRef::None => FieldValue::None,
            ValueRef::Bool(value) => FieldValue::Bool(value),
            ValueRef::Int(value) => FieldValue::Int(value),
            ValueRef::Float(value) => FieldValue::Float(value),
            ValueRef::Text(text) => FieldValue::Text(Arc::from(text)),
            ValueRef::Time(ms) => FieldValue::Time(ms),
            ValueRef::Duration(ms) => FieldValue::Duration(ms),
            ValueRef::Bytes(bytes) => FieldValue::Bytes(Arc::from(bytes)),
            ValueRef::Ref { ty, id } => FieldValue::Ref { ty, id },
            ValueRef::Nested(value) => value.into_owned(),
        }
    }
}

/// Reads one value; `type_ix` gives the program's position of a log number.
pub(crate) fn read_value(
    cursor: &mut Cursor<'_>,
    type_ix: &dyn Fn(u32) -> Option<TypeIx>,
) -> Result<FieldValue, Undecodable> {
    read_nested(cursor, type_ix, VALUE_DEPTH_MAX)
}

/// The int behind one of its tags.
#[inline]
fn read_int(tag: u8, cursor: &mut Cursor<'_>) -> Result<i64, Undecodable> {
    let expected = "an int";
    Ok(match tag {
        INT_1 => i64::from(cursor.u8(expected)? as i8),
        INT_2 => i64::from(cursor.u16(expected)? as i16),
        INT_4 => i64::from(cursor.u32(expected)? as i32),
        _ => cursor.i64(expected)?,
    })
}

/// The text behind one of its tags.
#[inline]
fn read_text<'a>(tag: u8, cursor: &mut Cursor<'a>) -> Result<&'a str, Undecodable> {
    let expected = "a text";
    if tag == TEXT {
        return cursor.text(expected);
    }
    let len = usize::from(cursor.u8(expected)?);
    std::str::from_utf8(cursor.take(len, expected)?).map_err(|_| Undecodable { expected })
}

fn read_nested(
    cursor: &mut Cursor<'_>,
    type_ix: &dyn Fn(u32) -> Option<TypeIx>,
    depth_left: usize,
) -> Result<FieldValue, Undecodable> {
    if depth_left == 0 {
        return Err(Undecodable {
            expected: "a value of bounded depth",
        });
    }
    Ok(match cursor.u8("a value tag")? {
        NONE => FieldValue::None,
        FALSE => FieldValue::Bool(false),
        TRUE => FieldValue::Bool(true),
        tag @ (INT | INT_1 | INT_2 | INT_4) => FieldValue::Int(read_int(tag, cursor)?),
        FLOAT => FieldValue::Float(f64::from_bits(cursor.u64("a float")?)),
        tag @ (TEXT | SHORT_TEXT) => FieldValue::Text(Arc::from(read_text(tag, cursor)?)),
        TIME => FieldValue::Time(cursor.i64("a time")?),
        DURATION => FieldValue::Duration(cursor.i64("a duration")?),
        BYTES => {
            let len = cursor.u32("a byte count")? as usize;
            FieldValue::Bytes(Arc::from(cursor.take(len, "bytes")?))
        }
        REF => {
            let number = cursor.u32("a type number")?;
            let id = EntityId(cursor.u64("a record number")?);
            // A link to an entity that the program has given up goes nowhere.
            type_ix(number).map_or(FieldValue::None, |ty| FieldValue::Ref { ty, id })
        }
        ENUM => {
            let name = Arc::from(cursor.text("an enum name")?);
            let variant = Arc::from(cursor.text("a variant name")?);
            FieldValue::Enum {
                name,
                variant,
                payload: read_values(cursor, type_ix, depth_left)?,
            }
        }
        LIST => FieldValue::List(read_values(cursor, type_ix, depth_left)?),
        MAP => {
            let count = cursor.u32("a map size")? as usize;
            let mut entries = Vec::with_capacity(count.min(cursor.left()));
            for _ in 0..count {
                let key = Arc::from(cursor.text("a map key")?);
                entries.push((key, read_nested(cursor, type_ix, depth_left - 1)?));
            }
            FieldValue::Map(entries)
        }
        _ => {
            return Err(Undecodable {
                expected: "a known value tag",
            });
        }
    })
}

fn read_values(
    cursor: &mut Cursor<'_>,
    type_ix: &dyn Fn(u32) -> Option<TypeIx>,
    depth_left: usize,
) -> Result<Vec<FieldValue>, Undecodable> {
    let count = cursor.u32("a list size")? as usize;
    let mut items = Vec::with_capacity(count.min(cursor.left() / 2 + 1).min(1024));
    for _ in 0..count {
        items.push(read_nested(cursor, type_ix, depth_left - 1)?);
    }
    Ok(items)
}
