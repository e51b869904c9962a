//! Queries: a closed form of conditions and orders that the store answers by itself.
//!
//! It stands in the store because only the store knows which records need not be decoded at all. What must stay true: a
//! condition means here exactly what it means in the language (`compare.rs`), and every way to answer a query gives the
//! same records in the same order as reading all of them and looking at each.

mod aggregate;
mod build;
mod choose;
mod columns;
mod columns_codec;
pub(crate) mod compare;
mod filter;
pub(crate) mod frozen;
pub(crate) mod key;
mod own;
mod plan;
mod predicate;
pub(crate) mod row;
mod rows;
mod run;
pub(crate) mod secondary;
mod select;
mod shown;
mod sort;
pub(crate) mod tables;

pub use aggregate::{Aggregate, Total};
pub(crate) use choose::choose;
pub use own::TransactionSelect;
pub use plan::Plan;
pub use predicate::{Comparison, Predicate};
pub use row::RecordView;
pub(crate) use run::Run;
pub use select::Select;
pub use tables::TableMemory;

use crate::snapshot::Deleted;
use crate::value::{FieldIx, TypeIx};

/// What a condition or an order looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    /// The number of the record, as an int.
    Id,
    /// The version, as an int.
    Version,
    /// Commit time of the first version.
    CreatedAt,
    /// Commit time of this version.
    UpdatedAt,
    /// Commit time of the deletion; none for live records.
    DeletedAt,
    /// A declared field.
    Field(FieldIx),
}

/// One key of an order. Records without a value come last in both directions, before them those whose value does not
/// equal itself (NaN). Records with equal keys stand by number, upwards in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// What to order by. Values of different kinds have some fixed order here and none in the language.
    pub column: Column,
    /// Largest first.
    pub descending: bool,
}

/// Which records of a type, in which order.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The type.
    pub ty: TypeIx,
    /// Live records, deleted ones, or both.
    pub deleted: Deleted,
    /// What must hold for each record.
    pub predicate: Predicate,
    /// Keys, the most important one first; without any the order is by number.
    pub order: Vec<Order>,
    /// So many records are left out at the beginning,
    pub skip: u64,
    /// and after so many it ends.
    pub limit: Option<u64>,
}

impl Query {
    /// All live records of a type, by number.
    pub fn all(ty: TypeIx) -> Self {
        Query {
            ty,
            deleted: Deleted::Hide,
            predicate: Predicate::Always,
            order: Vec::new(),
            skip: 0,
            limit: None,
        }
    }

    /// The same with another condition.
    #[must_use]
    pub fn matching(mut self, predicate: Predicate) -> Self {
        self.predicate = predicate;
        self
    }

    /// The same with one more, less important, key of the order.
    #[must_use]
    pub fn ordered(mut self, column: Column, descending: bool) -> Self {
        self.order.push(Order { column, descending });
        self
    }

    /// How many of `count` records with the condition are left by `skip` and `limit`.
    pub(crate) fn cut(&self, count: u64) -> u64 {
        let left = count.saturating_sub(self.skip);
        self.limit.map_or(left, |limit| left.min(limit))
    }
}
