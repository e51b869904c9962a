//! Conditions on whole chunks of columns: one bit per record.
//!
//! What must stay true: a bit says exactly what `Predicate::holds` says of the record; conditions that columns cannot
//! answer are refused when the filter is made.

use std::cmp::Ordering;

use crate::codec::value::ValueRef;
use crate::query::columns::{Bits, ColumnChunk, ColumnKind, Columns, Data, NO_BITS, Slot};
use crate::query::compare::equal;
use crate::query::{Column, Comparison, Predicate};
use crate::value::{EntityId, FieldValue};

/// A condition in the form of the columns.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    All,
    Nothing,
    /// A bool column is this.
    Bool(usize, bool),
    /// An int, time, duration or reference column is in this range, both ends included.
    Range(usize, i64, i64),
    /// A float column compares so.
    Float(usize, Comparison, f64),
    /// A text or enum column has one of these codes.
    Codes(usize, Vec<bool>),
    /// The column has no value.
    None(usize),
    /// Anything else about columns that are kept, record by record.
    Each(Predicate),
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
}

impl Filter {
    /// The condition on these columns; `None` if it needs something that is not kept.
    pub(crate) fn of(predicate: &Predicate, columns: &Columns) -> Option<Filter> {
        let each = || Some(Filter::Each(predicate.clone()));
        let all = |parts: &[Predicate]| -> Option<Vec<Filter>> {
            parts.iter().map(|part| Filter::of(part, columns)).collect()
        };
        match predicate {
            Predicate::Always => Some(Filter::All),
            Predicate::Compare {
                column,
                comparison,
                value,
            } => compare(columns, *column, *comparison, value, predicate),
            Predicate::IsNone(column) => match at(columns, *column)? {
                Some(at) => Some(none(columns, at, predicate)),
                None => each(),
            },
            Predicate::In { column, .. }
            | Predicate::Prefix { column, .. }
            | Predicate::Contains { column, .. } => match at(columns, *column)? {
                Some(at) => Some(
                    codes(columns, at, predicate)
                        .unwrap_or_else(|| Filter::Each(predicate.clone())),
                ),
                None => each(),
            },
            Predicate::And(parts) => Some(Filter::And(all(parts)?)),
            Predicate::Or(parts) => Some(Filter::Or(all(parts)?)),
            Predicate::Not(inner) => Some(Filter::Not(Box::new(Filter::of(inner, columns)?))),
        }
    }

    /// The records of a chunk with the condition; bits of slots without a record mean nothing.
    pub(crate) fn bits(&self, columns: &Columns, chunk: &ColumnChunk, first: u64) -> Bits {
        let mut out = NO_BITS;
        match self {
            Filter::All => out.fill(u64::MAX),
            Filter::Nothing => {}
            Filter::Bool(at, wanted) => {
                if let Data::Bits { values, some } = &chunk.data[*at] {
                    let flip = if *wanted { 0 } else { u64::MAX };
                    for (word, out) in out.iter_mut().enumerate() {
                        *out = (values[word] ^ flip) & some[word];
                    }
                }
            }
            Filter::Range(at, low, high) => words(chunk, *at, &mut out, |word| {
                let value = word as i64;
                (*low <= value) & (value <= *high)
            }),
            Filter::Float(at, comparison, value) => {
                float(chunk, *at, *comparison, *value, &mut out)
            }
            Filter::Codes(at, wanted) => {
                if let Data::Codes(codes) = &chunk.data[*at] {
                    coded(codes, &mut out, |code| {
                        wanted.get(usize::from(code)).copied().unwrap_or(false)
                    });
                }
            }
            Filter::None(at) => match &chunk.data[*at] {
                Data::Bits { some, .. } | Data::Words { some, .. } => {
                    for (out, some) in out.iter_mut().zip(&**some) {
                        *out = !some;
                    }
                }
                Data::Codes(codes) => coded(codes, &mut out, |code| code == 0),
            },
            Filter::Each(predicate) => each(predicate, columns, chunk, first, &mut out),
            Filter::And(parts) => {
                out.fill(u64::MAX);
                for part in parts {
                    let bits = part.bits(columns, chunk, first);
                    out.iter_mut()
                        .zip(bits)
                        .for_each(|(out, bits)| *out &= bits);
                }
            }
            Filter::Or(parts) => {
                for part in parts {
                    let bits = part.bits(columns, chunk, first);
                    out.iter_mut()
                        .zip(bits)
                        .for_each(|(out, bits)| *out |= bits);
                }
            }
            Filter::Not(inner) => {
                out = inner.bits(columns, chunk, first);
                out.iter_mut().for_each(|out| *out = !*out);
            }
        }
        out
    }
}

/// Where a column is kept: inner `None` for the number of the record, outer `None` if it is not kept.
fn at(columns: &Columns, column: Column) -> Option<Option<usize>> {
    match column {
        Column::Field(field) => columns.column(field).map(Some),
        Column::Id => Some(None),
        Column::Version | Column::CreatedAt | Column::UpdatedAt | Column::DeletedAt => None,
    }
}

fn none(columns: &Columns, at: usize, predicate: &Predicate) -> Filter {
    codes(columns, at, predicate).unwrap_or(Filter::None(at))
}

/// The codes whose value has the condition, for columns with a dictionary.
fn codes(columns: &Columns, at: usize, predicate: &Predicate) -> Option<Filter> {
    match columns.defs[at].kind {
        ColumnKind::Text | ColumnKind::Enum => {}
        ColumnKind::Bool
        | ColumnKind::Int
        | ColumnKind::Float
        | ColumnKind::Time
        | ColumnKind::Duration
        | ColumnKind::Ref(_) => return None,
    }
    let values = columns.dictionary(at)?.values().iter();
    let wanted = values.map(|value| predicate.holds(&Alone(value)).unwrap_or(false));
    Some(Filter::Codes(at, wanted.collect()))
}

/// A record of which only one value counts.
struct Alone<'a>(&'a FieldValue);

impl crate::query::row::Row for Alone<'_> {
    fn value(&self, _: Column) -> Result<ValueRef<'_>, crate::codec::cursor::Undecodable> {
        Ok(ValueRef::of(self.0))
    }
}

fn compare(
    columns: &Columns,
    column: Column,
    comparison: Comparison,
    value: &FieldValue,
    predicate: &Predicate,
) -> Option<Filter> {
    let each = || Filter::Each(predicate.clone());
    let Some(at) = at(columns, column)? else {
        return Some(each());
    };
    if let Some(codes) = codes(columns, at, predicate) {
        return Some(codes);
    }
    if comparison == Comparison::Ne {
        let equal = compare(columns, column, Comparison::Eq, value, predicate)?;
        return Some(match equal {
            // That one has the sign in it already.
            Filter::Each(_) => each(),
            equal => Filter::Not(Box::new(equal)),
        });
    }
    let value = ValueRef::of(value);
    if matches!(value, ValueRef::None) {
        return Some(match comparison {
            Comparison::Eq => Filter::None(at),
            _ => Filter::Nothing,
        });
    }
    if !equal(&value, &value) {
        return Some(Filter::Nothing);
    }
    Some(match (columns.defs[at].kind, &value) {
        (ColumnKind::Bool, ValueRef::Bool(value)) if comparison == Comparison::Eq => {
            Filter::Bool(at, *value)
        }
        (ColumnKind::Int, ValueRef::Int(value))
        | (ColumnKind::Time, ValueRef::Time(value))
        | (ColumnKind::Duration, ValueRef::Duration(value)) => range(at, comparison, *value),
        (ColumnKind::Float, ValueRef::Float(value)) => Filter::Float(at, comparison, *value),
        (ColumnKind::Ref(of), ValueRef::Ref { ty, id }) if comparison == Comparison::Eq => {
            if of == *ty {
                Filter::Range(at, id.0 as i64, id.0 as i64)
            } else {
                Filter::Nothing
            }
        }
        _ => each(),
    })
}

fn range(at: usize, comparison: Comparison, value: i64) -> Filter {
    let (low, high) = match comparison {
        Comparison::Eq => (Some(value), Some(value)),
        Comparison::Lt => (Some(i64::MIN), value.checked_sub(1)),
        Comparison::Le => (Some(i64::MIN), Some(value)),
        Comparison::Gt => (value.checked_add(1), Some(i64::MAX)),
        Comparison::Ge => (Some(value), Some(i64::MAX)),
        // Made of `Eq` before.
        Comparison::Ne => (None, None),
    };
    match (low, high) {
        (Some(low), Some(high)) => Filter::Range(at, low, high),
        (_, _) => Filter::Nothing,
    }
}

/// Tests every word of a column that has a value.
#[inline]
fn words(chunk: &ColumnChunk, at: usize, out: &mut Bits, test: impl Fn(u64) -> bool) {
    if let Data::Words { values, some } = &chunk.data[at] {
        for (word, block) in values.chunks_exact(64).enumerate() {
            let mut bits = 0;
            for (slot, value) in block.iter().enumerate() {
                bits |= u64::from(test(*value)) << slot;
            }
            out[word] = bits & some[word];
        }
    }
}

/// Tests every code of a column; beyond the last one stands none.
#[inline]
fn coded(codes: &[u16], out: &mut Bits, test: impl Fn(u16) -> bool) {
    if test(0) {
        out.fill(u64::MAX);
    }
    for (word, block) in codes.chunks_exact(64).enumerate() {
        let mut bits = 0;
        for (slot, code) in block.iter().enumerate() {
            bits |= u64::from(test(*code)) << slot;
        }
        out[word] = bits;
    }
}

fn float(chunk: &ColumnChunk, at: usize, comparison: Comparison, value: f64, out: &mut Bits) {
    let of = f64::from_bits;
    match comparison {
        Comparison::Eq => words(chunk, at, out, |word| of(word) == value),
        Comparison::Ne => words(chunk, at, out, |word| of(word) != value),
        Comparison::Lt => words(chunk, at, out, |word| of(word) < value),
        Comparison::Le => words(chunk, at, out, |word| of(word) <= value),
        Comparison::Gt => words(chunk, at, out, |word| of(word) > value),
        Comparison::Ge => words(chunk, at, out, |word| of(word) >= value),
    }
}

fn each(predicate: &Predicate, columns: &Columns, chunk: &ColumnChunk, first: u64, out: &mut Bits) {
    let mut there = chunk.live;
    for (there, deleted) in there.iter_mut().zip(&chunk.deleted) {
        *there |= deleted;
    }
    each_set(&there, &mut |slot| {
        let row = Slot::new(columns, chunk, EntityId(first + slot as u64));
        // Only columns that are kept are asked for.
        let on = predicate.holds(&row).unwrap_or(false);
        out[slot / 64] |= u64::from(on) << (slot % 64);
    });
}

/// The numbers of the records whose bits are set, upwards.
pub(crate) fn each_set(bits: &Bits, visit: &mut dyn FnMut(usize)) {
    for (word, bits) in bits.iter().enumerate() {
        let mut left = *bits;
        while left != 0 {
            visit(word * 64 + left.trailing_zeros() as usize);
            left &= left - 1;
        }
    }
}

/// How two counts compare is all a sampled estimate can say: `part` of `whole`, scaled to `all`.
pub(crate) fn scaled(part: u64, whole: u64, all: u64) -> u64 {
    match whole.cmp(&0) {
        Ordering::Equal => 0,
        Ordering::Less | Ordering::Greater => {
            (u128::from(part) * u128::from(all) / u128::from(whole)) as u64
        }
    }
}
