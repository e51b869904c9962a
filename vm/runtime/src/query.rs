//! Queries of the program as queries of the store. Here, apart from `host.rs`, because it is one idea: two numberings, two
//! kinds of values, one meaning. Must stay true: own writes of the transaction are seen; what a query looked at is in the
//! read set as its condition.

use std::sync::atomic::Ordering;

use flin_store::query::{Aggregate, Column, Comparison, Order, Predicate, Query, Total};
use flin_store::{Deleted, FieldIx, FieldValue, Snapshot};
use flin_vm::bytecode::ids::EntityTypeId;
use flin_vm::bytecode::module::{Rule, TypeDesc};
use flin_vm::bytecode::{QueryColumn, QueryComparison};
use flin_vm::{
    Host, HostError, HostPredicate, HostQuery, HostRecord, HostTotal, HostValue, TotalAnswer,
};

use crate::host::{StoreHost, shown, storage};

/// No record holds none in the field, and no save can put one there.
const NONE_NOWHERE: u8 = 1;
/// Some record held none in the field when it was looked at.
const NONE_SOMEWHERE: u8 = 2;

/// Where a query is answered.
enum Where {
    /// In the transaction.
    Now,
    /// In the past.
    Then(Snapshot),
    /// In the past, but the transaction destroyed or wrote records: those are taken out one by one.
    ThenByHand,
}

impl StoreHost<'_> {
    fn place(&mut self, query: &HostQuery) -> Where {
        match query.as_of.and_then(|when| self.then(when)) {
            None => Where::Now,
            Some(then) if self.tx.is_read_only() => Where::Then(then),
            Some(_) => Where::ThenByHand,
        }
    }

    pub(crate) fn select(&mut self, query: &HostQuery) -> Result<Vec<HostRecord>, HostError> {
        let asked = self.store_query(query)?;
        let found: Result<Vec<_>, _> = match self.place(query) {
            Where::Now => self.tx.select(&asked).collect(),
            Where::Then(then) => then.select(&asked).collect(),
            Where::ThenByHand => return self.select_by_hand(query),
        };
        let found = found.map_err(storage)?;
        self.operations.reads += found.len() as u64;
        let mut records = Vec::with_capacity(found.len());
        for record in found {
            records.push(match query.as_of {
                Some(when) => self.past(query.ty, &record, when)?,
                None => self.record(query.ty, &record),
            });
        }
        Ok(records)
    }

    fn select_by_hand(&mut self, query: &HostQuery) -> Result<Vec<HostRecord>, HostError> {
        let records = match query.as_of {
            Some(when) => self.entity_scan_at(query.ty, query.mode, when)?,
            None => self.entity_scan(query.ty, query.mode)?,
        };
        Ok(query.select(records))
    }

    pub(crate) fn count_where(&mut self, query: &HostQuery) -> Result<u64, HostError> {
        let asked = self.store_query(query)?;
        self.operations.reads += 1;
        match self.place(query) {
            Where::Now => self.tx.count_where(&asked).map_err(storage),
            Where::Then(then) => then.count_where(&asked).map_err(storage),
            Where::ThenByHand => Ok(self.select_by_hand(query)?.len() as u64),
        }
    }

    pub(crate) fn total(
        &mut self,
        query: &HostQuery,
        column: QueryColumn,
        total: HostTotal,
    ) -> Result<TotalAnswer, HostError> {
        let asked = self.store_query(query)?;
        let (column, ty) = (
            self.column(query.ty, column),
            self.type_of(query.ty, column),
        );
        let aggregate = match total {
            HostTotal::Sum => Aggregate::Sum(column),
            HostTotal::Min => Aggregate::Min(column),
            HostTotal::Max => Aggregate::Max(column),
        };
        self.operations.reads += 1;
        let found = match self.place(query) {
            Where::Now => self.tx.aggregate(&asked, aggregate),
            Where::Then(then) => then.aggregate(&asked, aggregate),
            Where::ThenByHand => return Ok(TotalAnswer::Unclear),
        };
        Ok(match found.map_err(storage)? {
            Total::Nothing => TotalAnswer::Nothing,
            Total::Value(value) => TotalAnswer::Value(self.types.to_host(self.module, &value, ty)),
            Total::Unclear => TotalAnswer::Unclear,
        })
    }

    pub(crate) fn explain(&mut self, query: &HostQuery) -> Result<String, HostError> {
        let asked = self.store_query(query)?;
        Ok(match self.place(query) {
            Where::Now => self.tx.explain(&asked).map_err(storage)?.to_string(),
            Where::Then(then) => then.explain(&asked).map_err(storage)?.to_string(),
            Where::ThenByHand => "looks at every record as it was, one by one".to_owned(),
        })
    }

    /// Whether a record may hold none where its declaration says that it never does: one that was saved before the
    /// declaration said so. The store is asked once; a save of this program never puts none there.
    pub(crate) fn may_hold_none(
        &mut self,
        ty: EntityTypeId,
        field: u32,
    ) -> Result<bool, HostError> {
        let declared = &self.module.entities[ty.index()].fields[field as usize];
        let is_link = matches!(self.module.types[declared.ty.index()], TypeDesc::Entity(_));
        if is_link && !declared.rules.contains(&Rule::Required) {
            // Deleting what it leads to may make it none.
            return Ok(true);
        }
        let known = &self.types.nones[ty.index()][field as usize];
        match known.load(Ordering::Relaxed) {
            NONE_NOWHERE => return Ok(false),
            NONE_SOMEWHERE => return Ok(true),
            _ => {}
        }
        let query = Query {
            deleted: Deleted::Include,
            ..Query::all(self.types.store_type(ty)).matching(Predicate::IsNone(
                self.column(ty, QueryColumn::Field(field)),
            ))
        };
        // Not part of what the request read: it is true of all records there are and will be.
        let found = self.tx.snapshot().count_where(&query).map_err(storage)?;
        let now = if found == 0 {
            NONE_NOWHERE
        } else {
            NONE_SOMEWHERE
        };
        known.store(now, Ordering::Relaxed);
        Ok(found > 0)
    }

    fn store_query(&self, query: &HostQuery) -> Result<Query, HostError> {
        let order = query.order.iter().map(|order| Order {
            column: self.column(query.ty, order.column),
            descending: order.descending,
        });
        Ok(Query {
            ty: self.types.store_type(query.ty),
            deleted: shown(query.mode),
            predicate: self.predicate(query.ty, &query.predicate)?,
            order: order.collect(),
            skip: query.skip,
            limit: query.limit,
        })
    }

    fn column(&self, ty: EntityTypeId, column: QueryColumn) -> Column {
        match column {
            QueryColumn::Id => Column::Id,
            QueryColumn::Version => Column::Version,
            QueryColumn::CreatedAt => Column::CreatedAt,
            QueryColumn::UpdatedAt => Column::UpdatedAt,
            QueryColumn::DeletedAt => Column::DeletedAt,
            QueryColumn::Field(field) => {
                Column::Field(FieldIx(self.types.store_field(ty, field as usize) as u32))
            }
        }
    }

    fn type_of(
        &self,
        ty: EntityTypeId,
        column: QueryColumn,
    ) -> Option<flin_vm::bytecode::ids::TypeId> {
        match column {
            QueryColumn::Field(field) => {
                Some(self.module.entities[ty.index()].fields[field as usize].ty)
            }
            QueryColumn::Id
            | QueryColumn::Version
            | QueryColumn::CreatedAt
            | QueryColumn::UpdatedAt
            | QueryColumn::DeletedAt => None,
        }
    }

    fn predicate(
        &self,
        ty: EntityTypeId,
        predicate: &HostPredicate,
    ) -> Result<Predicate, HostError> {
        let all = |parts: &[HostPredicate]| -> Result<Vec<Predicate>, HostError> {
            parts.iter().map(|part| self.predicate(ty, part)).collect()
        };
        Ok(match predicate {
            HostPredicate::Always => Predicate::Always,
            HostPredicate::Compare {
                column,
                comparison,
                value,
            } => Predicate::Compare {
                column: self.column(ty, *column),
                comparison: comparison_of(*comparison),
                value: self.value(value)?,
            },
            HostPredicate::In { column, values } => Predicate::In {
                column: self.column(ty, *column),
                values: values
                    .iter()
                    .map(|value| self.value(value))
                    .collect::<Result<_, _>>()?,
            },
            HostPredicate::Prefix { column, text } => Predicate::Prefix {
                column: self.column(ty, *column),
                text: text.as_str().into(),
            },
            HostPredicate::Contains { column, text } => Predicate::Contains {
                column: self.column(ty, *column),
                text: text.as_str().into(),
            },
            HostPredicate::And(parts) => Predicate::And(all(parts)?),
            HostPredicate::Or(parts) => Predicate::Or(all(parts)?),
            HostPredicate::Not(part) => Predicate::Not(Box::new(self.predicate(ty, part)?)),
        })
    }

    fn value(&self, value: &HostValue) -> Result<FieldValue, HostError> {
        let stored = self.types.to_store(self.module, value);
        stored.map_err(|refused| {
            HostError::Storage(format!("a condition compares with {}", refused.what))
        })
    }
}

fn comparison_of(comparison: QueryComparison) -> Comparison {
    match comparison {
        QueryComparison::Eq => Comparison::Eq,
        QueryComparison::Ne => Comparison::Ne,
        QueryComparison::Lt => Comparison::Lt,
        QueryComparison::Le => Comparison::Le,
        QueryComparison::Gt => Comparison::Gt,
        QueryComparison::Ge => Comparison::Ge,
    }
}
