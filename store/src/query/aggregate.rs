//! Sum, smallest and largest of a column over the records of a query.
//!
//! What must stay true: values come in the order of the query (the sum of floats depends on it), records without a value
//! do not count, and where the language would raise an error (overflow, values without an order) the answer is that the
//! store cannot say, so that the program computes it and raises its own error.

use std::cmp::Ordering;

use crate::codec::value::ValueRef;
use crate::query::Column;
use crate::query::compare::{equal, order};
use crate::value::FieldValue;

/// What to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// All values added up.
    Sum(Column),
    /// The smallest value; NaN only if there is nothing else.
    Min(Column),
    /// The largest value; NaN only if there is nothing else.
    Max(Column),
}

/// What an aggregate comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Total {
    /// No record had a value.
    Nothing,
    /// The sum or the value.
    Value(FieldValue),
    /// The store cannot say: ints overflow, or there are values without a sum or an order between them.
    Unclear,
}

impl Aggregate {
    /// The column it looks at.
    pub fn column(self) -> Column {
        match self {
            Aggregate::Sum(column) | Aggregate::Min(column) | Aggregate::Max(column) => column,
        }
    }
}

/// An aggregate under way.
pub(crate) struct Totalling {
    aggregate: Aggregate,
    total: Total,
}

impl Totalling {
    pub(crate) fn new(aggregate: Aggregate) -> Self {
        Totalling {
            aggregate,
            total: Total::Nothing,
        }
    }

    /// Takes the value of the next record; `false` when nothing can change any more.
    pub(crate) fn add(&mut self, value: &ValueRef<'_>) -> bool {
        if matches!(value, ValueRef::None) {
            return true;
        }
        let next = match (&self.total, self.aggregate) {
            (Total::Unclear, _) => return false,
            (Total::Nothing, Aggregate::Sum(_)) => first_of_sum(value),
            (Total::Nothing, Aggregate::Min(_) | Aggregate::Max(_)) => {
                Some(value.clone().into_value())
            }
            (Total::Value(sum), Aggregate::Sum(_)) => plus(sum, value),
            (Total::Value(best), Aggregate::Min(_)) => better(best, value, Ordering::Less),
            (Total::Value(best), Aggregate::Max(_)) => better(best, value, Ordering::Greater),
        };
        match next {
            Some(next) => self.total = Total::Value(next),
            None => self.total = Total::Unclear,
        }
        self.total != Total::Unclear
    }

    pub(crate) fn total(self) -> Total {
        self.total
    }
}

fn first_of_sum(value: &ValueRef<'_>) -> Option<FieldValue> {
    match value {
        // The language adds to 0.0, which turns -0.0 into 0.0.
        ValueRef::Float(value) => Some(FieldValue::Float(0.0 + value)),
        ValueRef::Int(_) | ValueRef::Duration(_) => Some(value.clone().into_value()),
        ValueRef::None
        | ValueRef::Bool(_)
        | ValueRef::Text(_)
        | ValueRef::Time(_)
        | ValueRef::Bytes(_)
        | ValueRef::Ref { .. }
        | ValueRef::Nested(_) => None,
    }
}

fn plus(sum: &FieldValue, value: &ValueRef<'_>) -> Option<FieldValue> {
    match (sum, value) {
        (FieldValue::Int(sum), ValueRef::Int(value)) => {
            sum.checked_add(*value).map(FieldValue::Int)
        }
        (FieldValue::Duration(sum), ValueRef::Duration(value)) => {
            sum.checked_add(*value).map(FieldValue::Duration)
        }
        (FieldValue::Float(sum), ValueRef::Float(value)) => Some(FieldValue::Float(sum + value)),
        (_, _) => None,
    }
}

/// The better of two; `None` when they have no order.
fn better(best: &FieldValue, value: &ValueRef<'_>, wanted: Ordering) -> Option<FieldValue> {
    let found = ValueRef::of(best);
    let (best_is_nan, is_nan) = (!equal(&found, &found), !equal(value, value));
    match (best_is_nan, is_nan) {
        (true, false) => Some(value.clone().into_value()),
        (_, true) => Some(best.clone()),
        (false, false) if order(value, &found)? == wanted => Some(value.clone().into_value()),
        (false, false) => Some(best.clone()),
    }
}
