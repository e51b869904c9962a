//! Conditions on one record: a closed tree that is evaluated on decoded records, on bytes, and on columns.
//!
//! What must stay true: evaluation cannot fail and has no effect; a comparison between values without an order is false.
//! (The language raises an error there, so whoever hands a condition over makes sure that it cannot happen.)

use std::cmp::Ordering;
use std::sync::Arc;

use crate::codec::cursor::Undecodable;
use crate::codec::value::ValueRef;
use crate::query::Column;
use crate::query::compare::{equal, order};
use crate::query::row::Row;
use crate::value::{FieldValue, Record};

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl Comparison {
    /// The sign in the language.
    pub fn sign(self) -> &'static str {
        match self {
            Comparison::Eq => "==",
            Comparison::Ne => "!=",
            Comparison::Lt => "<",
            Comparison::Le => "<=",
            Comparison::Gt => ">",
            Comparison::Ge => ">=",
        }
    }

    /// Whether two values compare so.
    pub(crate) fn holds(self, left: &ValueRef<'_>, right: &ValueRef<'_>) -> bool {
        match self {
            Comparison::Eq => equal(left, right),
            Comparison::Ne => !equal(left, right),
            Comparison::Lt => order(left, right) == Some(Ordering::Less),
            Comparison::Le => {
                matches!(order(left, right), Some(Ordering::Less | Ordering::Equal))
            }
            Comparison::Gt => order(left, right) == Some(Ordering::Greater),
            Comparison::Ge => {
                matches!(
                    order(left, right),
                    Some(Ordering::Greater | Ordering::Equal)
                )
            }
        }
    }
}

/// A condition on one record.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Predicate {
    /// Every record.
    #[default]
    Always,
    /// A column compared with a value.
    Compare {
        /// Left side.
        column: Column,
        /// The sign between.
        comparison: Comparison,
        /// Right side.
        value: FieldValue,
    },
    /// The column has no value.
    IsNone(Column),
    /// The column equals one of these.
    In {
        /// Left side.
        column: Column,
        /// The values.
        values: Vec<FieldValue>,
    },
    /// The column is a text that begins so.
    Prefix {
        /// Left side.
        column: Column,
        /// The beginning.
        text: Arc<str>,
    },
    /// The column is a text with this in it.
    Contains {
        /// Left side.
        column: Column,
        /// The part.
        text: Arc<str>,
    },
    /// All of them hold; of none: every record.
    And(Vec<Predicate>),
    /// One of them holds; of none: no record.
    Or(Vec<Predicate>),
    /// It does not hold.
    Not(Box<Predicate>),
}

impl Predicate {
    /// A comparison.
    pub fn compare(column: Column, comparison: Comparison, value: FieldValue) -> Self {
        Predicate::Compare {
            column,
            comparison,
            value,
        }
    }

    /// `column == value`
    pub fn equals(column: Column, value: FieldValue) -> Self {
        Predicate::compare(column, Comparison::Eq, value)
    }

    /// Whether a record has what is asked. Whether it is deleted is looked at only where the condition asks.
    pub fn matches(&self, record: &Record) -> bool {
        // A decoded record can always be read.
        self.holds(record).unwrap_or(false)
    }

    /// The same on any form of a record.
    pub(crate) fn holds<R: Row + ?Sized>(&self, row: &R) -> Result<bool, Undecodable> {
        Ok(match self {
            Predicate::Always => true,
            Predicate::Compare {
                column,
                comparison,
                value,
            } => comparison.holds(&row.value(*column)?, &ValueRef::of(value)),
            Predicate::IsNone(column) => matches!(row.value(*column)?, ValueRef::None),
            Predicate::In { column, values } => {
                let found = row.value(*column)?;
                values
                    .iter()
                    .any(|value| equal(&found, &ValueRef::of(value)))
            }
            Predicate::Prefix { column, text } => {
                matches!(row.value(*column)?, ValueRef::Text(found) if found.starts_with(&**text))
            }
            Predicate::Contains { column, text } => {
                matches!(row.value(*column)?, ValueRef::Text(found) if found.contains(&**text))
            }
            Predicate::And(all) => {
                for one in all {
                    if !one.holds(row)? {
                        return Ok(false);
                    }
                }
                true
            }
            Predicate::Or(any) => {
                for one in any {
                    if one.holds(row)? {
                        return Ok(true);
                    }
                }
                false
            }
            Predicate::Not(inner) => !inner.holds(row)?,
        })
    }

    /// The conditions that must all hold, nested `And`s opened up.
    pub(crate) fn conjuncts(&self) -> Vec<&Predicate> {
        match self {
            Predicate::Always => Vec::new(),
            Predicate::And(all) => all.iter().flat_map(Predicate::conjuncts).collect(),
            Predicate::Compare { .. }
            | Predicate::IsNone(_)
            | Predicate::In { .. }
            | Predicate::Prefix { .. }
            | Predicate::Contains { .. }
            | Predicate::Or(_)
            | Predicate::Not(_) => vec![self],
        }
    }

    /// Whether any column that it looks at passes a test.
    pub(crate) fn any_column(&self, test: &dyn Fn(Column) -> bool) -> bool {
        match self {
            Predicate::Always => false,
            Predicate::Compare { column, .. }
            | Predicate::IsNone(column)
            | Predicate::In { column, .. }
            | Predicate::Prefix { column, .. }
            | Predicate::Contains { column, .. } => test(*column),
            Predicate::And(parts) | Predicate::Or(parts) => {
                parts.iter().any(|part| part.any_column(test))
            }
            Predicate::Not(inner) => inner.any_column(test),
        }
    }
}
