//! Sorting by the keys of a query.
//!
//! What must stay true: ties end with the number of the record, so every order is total and the same for every plan.

use std::cmp::Ordering;

use crate::codec::cursor::Undecodable;
use crate::codec::value::ValueRef;
use crate::query::Order;
use crate::query::compare::sorted;
use crate::query::row::Row;
use crate::value::{EntityId, FieldValue, Record};

/// The keys of one record and its number.
pub(crate) struct SortRow {
    keys: Vec<FieldValue>,
    pub(crate) id: EntityId,
}

impl SortRow {
    pub(crate) fn of<R: Row>(row: &R, id: EntityId, order: &[Order]) -> Result<Self, Undecodable> {
        let keys = order
            .iter()
            .map(|key| row.value(key.column).map(ValueRef::into_value));
        Ok(SortRow {
            keys: keys.collect::<Result<_, _>>()?,
            id,
        })
    }

    fn compare(&self, other: &SortRow, order: &[Order]) -> Ordering {
        let keys = order.iter().zip(self.keys.iter().zip(&other.keys));
        for (key, (left, right)) in keys {
            let found = sorted(&ValueRef::of(left), &ValueRef::of(right), key.descending);
            if found != Ordering::Equal {
                return found;
            }
        }
        self.id.cmp(&other.id)
    }
}

/// Puts rows in order; of more than `wanted` the rest is dropped.
pub(crate) fn sort(rows: &mut Vec<SortRow>, order: &[Order], wanted: Option<usize>) {
    if let Some(wanted) = wanted.filter(|wanted| *wanted < rows.len()) {
        if wanted > 0 {
            rows.select_nth_unstable_by(wanted - 1, |a, b| a.compare(b, order));
        }
        rows.truncate(wanted);
    }
    rows.sort_unstable_by(|a, b| a.compare(b, order));
}

/// The order of two decoded records.
pub(crate) fn compare_records(a: &Record, b: &Record, order: &[Order]) -> Ordering {
    for key in order {
        // A decoded record can always be read.
        if let (Ok(left), Ok(right)) = (a.value(key.column), b.value(key.column)) {
            let found = sorted(&left, &right, key.descending);
            if found != Ordering::Equal {
                return found;
            }
        }
    }
    a.id.cmp(&b.id)
}
