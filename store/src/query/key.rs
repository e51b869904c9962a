//! Values as bytes whose order is the order of the values: the keys of secondary indexes.
//!
//! What must stay true: keys of one index compare as their values do (`compare.rs`), equal values have equal keys, no key
//! is the beginning of another one, NaN stands behind all values and none behind NaN.

use crate::codec::value::{ValueRef, put_value};
use crate::limits::INDEX_TEXT_BYTES_MAX;
use crate::query::compare::equal;
use crate::schema::FieldType;
use crate::value::{EntityId, TypeIx};

const BOOL: u8 = 1;
const INT: u8 = 2;
const FLOAT: u8 = 3;
const TEXT: u8 = 4;
const TIME: u8 = 5;
const DURATION: u8 = 6;
const BYTES: u8 = 7;
const REF: u8 = 8;
const ENUM: u8 = 9;
const OPAQUE: u8 = 10;
const NAN: u8 = 0xFE;
const NONE: u8 = 0xFF;

/// Ends a text, so that a shorter one stands before its continuations. A zero byte inside is followed by 0xFF.
const END: [u8; 2] = [0, 0];
/// Ends a text that was cut.
const CUT: [u8; 2] = [0, 1];

/// How an index makes keys of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// By value, long texts cut.
    Ordered,
    /// By value, everything whole: for unique fields, where the key alone decides.
    Whole,
    /// Everything in its encoding, without an order: unique fields of types that have none.
    Opaque,
}

/// The log's number of a type.
pub(crate) type TypeNumber<'a> = &'a dyn Fn(TypeIx) -> u32;

/// Whether values of a type can be looked up and ordered by key.
pub(crate) fn has_keys(ty: &FieldType) -> bool {
    match ty {
        FieldType::Bool
        | FieldType::Int
        | FieldType::Float
        | FieldType::Text
        | FieldType::Time
        | FieldType::Duration
        | FieldType::Bytes
        | FieldType::Ref(_)
        | FieldType::Enum(_) => true,
        FieldType::List(_) | FieldType::Map(_) | FieldType::Any => false,
    }
}

/// Appends the key of a value. `true`: a text was cut, so its place among those with the same beginning says nothing.
pub(crate) fn put_key(
    out: &mut Vec<u8>,
    kind: KeyKind,
    value: &ValueRef<'_>,
    number: TypeNumber<'_>,
) -> bool {
    if matches!(value, ValueRef::None) {
        out.push(NONE);
        return false;
    }
    if kind == KeyKind::Opaque {
        put_opaque(out, value, number);
        return false;
    }
    match value {
        ValueRef::None => out.push(NONE),
        ValueRef::Bool(value) => out.extend([BOOL, u8::from(*value)]),
        ValueRef::Int(value) => put_int(out, INT, *value),
        ValueRef::Time(value) => put_int(out, TIME, *value),
        ValueRef::Duration(value) => put_int(out, DURATION, *value),
        ValueRef::Float(value) if value.is_nan() => out.push(NAN),
        ValueRef::Float(value) => put_float(out, *value),
        ValueRef::Text(text) => {
            out.push(TEXT);
            return put_text(out, text.as_bytes(), kind);
        }
        ValueRef::Bytes(bytes) => {
            out.push(BYTES);
            return put_text(out, bytes, kind);
        }
        ValueRef::Ref { ty, id } => put_ref(out, number(*ty), *id),
        ValueRef::Nested(nested) => match &**nested {
            crate::value::FieldValue::Enum {
                variant, payload, ..
            } => {
                out.push(ENUM);
                put_escaped(out, variant.as_bytes());
                out.extend(END);
                let mut inside = Vec::new();
                for value in payload {
                    put_value(&mut inside, value, number);
                }
                put_escaped(out, &inside);
                out.extend(END);
            }
            _ => put_opaque(out, value, number),
        },
    }
    false
}

/// The key of a link.
pub(crate) fn put_ref(out: &mut Vec<u8>, number: u32, id: EntityId) {
    out.push(REF);
    out.extend(number.to_be_bytes());
    out.extend(&id.0.to_be_bytes()[3..]);
}

fn put_int(out: &mut Vec<u8>, tag: u8, value: i64) {
    out.push(tag);
    out.extend(((value as u64) ^ (1 << 63)).to_be_bytes());
}

fn put_float(out: &mut Vec<u8>, value: f64) {
    // Adding zero makes one value of the two zeros.
    let bits = (value + 0.0).to_bits();
    let ordered = if bits >> 63 == 1 {
        !bits
    } else {
        bits ^ (1 << 63)
    };
    out.push(FLOAT);
    out.extend(ordered.to_be_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &[u8], kind: KeyKind) -> bool {
    if kind == KeyKind::Whole || text.len() <= INDEX_TEXT_BYTES_MAX {
        put_escaped(out, text);
        out.extend(END);
        return false;
    }
    put_escaped(out, &text[..INDEX_TEXT_BYTES_MAX]);
    out.extend(CUT);
    out.extend(crc32fast::hash(text).to_be_bytes());
    true
}

fn put_escaped(out: &mut Vec<u8>, text: &[u8]) {
    for byte in text {
        out.push(*byte);
        if *byte == 0 {
            out.push(0xFF);
        }
    }
}

fn put_opaque(out: &mut Vec<u8>, value: &ValueRef<'_>, number: TypeNumber<'_>) {
    let value = match value {
        ValueRef::Float(0.0) => crate::value::FieldValue::Float(0.0),
        value => value.clone().into_value(),
    };
    let mut encoded = Vec::new();
    put_value(&mut encoded, &value, number);
    out.push(OPAQUE);
    put_escaped(out, &encoded);
    out.extend(END);
}

/// A piece of an index: rows from `from` on and below `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyRange {
    pub(crate) from: Vec<u8>,
    pub(crate) to: Vec<u8>,
}

impl KeyRange {
    /// Rows that begin with `prefix`.
    pub(crate) fn prefix(prefix: Vec<u8>) -> Self {
        if prefix == [NONE] {
            return KeyRange::none();
        }
        let to = after(&prefix);
        KeyRange { from: prefix, to }
    }

    /// Rows whose value is a value: no NaN, no none.
    pub(crate) fn values() -> Self {
        KeyRange {
            from: Vec::new(),
            to: vec![NAN],
        }
    }

    /// NaN.
    pub(crate) fn nan() -> Self {
        KeyRange::prefix(vec![NAN])
    }

    /// No value.
    pub(crate) fn none() -> Self {
        KeyRange {
            from: vec![NONE],
            to: vec![NONE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.from >= self.to
    }

    /// Whether its rows stand behind all values, in whatever direction these are walked.
    pub(crate) fn is_behind_values(&self) -> bool {
        self.from.first().is_some_and(|tag| *tag >= NAN)
    }

    /// What is in both.
    pub(crate) fn and(self, other: KeyRange) -> KeyRange {
        KeyRange {
            from: self.from.max(other.from),
            to: self.to.min(other.to),
        }
    }
}

/// The first bytes behind everything that begins with `prefix`, which has a byte below 0xFF.
pub(crate) fn after(prefix: &[u8]) -> Vec<u8> {
    let kept = prefix
        .iter()
        .rposition(|byte| *byte < 0xFF)
        .map_or(0, |at| at + 1);
    let mut next = prefix[..kept].to_vec();
    if let Some(last) = next.last_mut() {
        *last += 1;
    }
    next
}

/// The rows of an index on a field of type `ty` that may have `comparison` with a value, and whether all of them have.
pub(crate) fn range_of(
    ty: &FieldType,
    kind: KeyKind,
    comparison: crate::query::Comparison,
    value: &ValueRef<'_>,
    number: TypeNumber<'_>,
) -> Option<(KeyRange, bool)> {
    use crate::query::Comparison;
    let nothing = || KeyRange {
        from: Vec::new(),
        to: Vec::new(),
    };
    if comparison == Comparison::Ne {
        return None;
    }
    if matches!(value, ValueRef::None) {
        let range = if comparison == Comparison::Eq {
            KeyRange::none()
        } else {
            nothing()
        };
        return Some((range, true));
    }
    if !equal(value, value) {
        return Some((nothing(), true));
    }
    let Some((value, exact)) = in_type(ty, value)? else {
        return Some((nothing(), true));
    };
    let has_order = !matches!(
        ty,
        FieldType::Bytes | FieldType::Ref(_) | FieldType::Enum(_)
    );
    if comparison != Comparison::Eq && !has_order {
        return Some((nothing(), true));
    }
    let mut key = Vec::new();
    let cut = put_key(&mut key, kind, &value, number);
    let exact = exact && !cut;
    if comparison == Comparison::Eq {
        return Some((KeyRange::prefix(key), exact));
    }
    // Of what is not exact the neighbours are taken along; the condition is looked at again.
    let (mut low, mut high) = (key.clone(), after(&key));
    if cut {
        low.truncate(key.len() - 4);
        high = after(&low);
    }
    let tag = key[0];
    let (first, last) = (vec![tag], vec![tag + 1]);
    let (from, to) = match comparison {
        Comparison::Lt if exact => (first, low),
        Comparison::Lt | Comparison::Le => (first, high),
        Comparison::Gt if exact => (high, last),
        Comparison::Gt | Comparison::Ge => (low, last),
        Comparison::Eq | Comparison::Ne => return None,
    };
    Some((KeyRange { from, to }, exact))
}

/// The value as one of the type of the field, and whether it is the same; inner `None`: no value of the field compares
/// with it, outer `None`: keys cannot tell.
fn in_type<'a>(ty: &FieldType, value: &ValueRef<'a>) -> Option<Option<(ValueRef<'a>, bool)>> {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    Some(match (ty, value) {
        (FieldType::Bool, ValueRef::Bool(_))
        | (FieldType::Int, ValueRef::Int(_))
        | (FieldType::Float, ValueRef::Float(_))
        | (FieldType::Text, ValueRef::Text(_))
        | (FieldType::Time, ValueRef::Time(_))
        | (FieldType::Duration, ValueRef::Duration(_))
        | (FieldType::Bytes, ValueRef::Bytes(_))
        | (FieldType::Ref(_), ValueRef::Ref { .. }) => Some((value.clone(), true)),
        (FieldType::Float, ValueRef::Int(int)) => {
            let float = *int as f64;
            let exact = equal(&ValueRef::Float(float), value);
            Some((ValueRef::Float(float), exact))
        }
        (FieldType::Int, ValueRef::Float(float)) if *float >= -TWO_TO_63 && *float < TWO_TO_63 => {
            let int = float.trunc() as i64;
            let exact = equal(&ValueRef::Int(int), value);
            Some((ValueRef::Int(int), exact))
        }
        // Beyond all ints: leave it to a scan.
        (FieldType::Int, ValueRef::Float(_)) => return None,
        (FieldType::Enum(name), ValueRef::Nested(nested)) => match &**nested {
            crate::value::FieldValue::Enum {
                name: found,
                payload,
                ..
            } if **found == **name => match payload.is_empty() {
                true => Some((value.clone(), true)),
                false => return None,
            },
            _ => None,
        },
        (FieldType::List(_) | FieldType::Map(_) | FieldType::Any, _) => return None,
        (_, _) => None,
    })
}

/// The rows of an index on a text field that begin with `text`, and whether all of them do.
pub(crate) fn prefix_range(text: &str) -> (KeyRange, bool) {
    let exact = text.len() <= INDEX_TEXT_BYTES_MAX;
    let mut key = vec![TEXT];
    put_escaped(
        &mut key,
        &text.as_bytes()[..text.len().min(INDEX_TEXT_BYTES_MAX)],
    );
    if !exact {
        return (KeyRange::prefix(key), false);
    }
    (KeyRange::prefix(key), true)
}
