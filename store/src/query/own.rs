//! Queries in a transaction: the snapshot's answer with the transaction's own writes merged in.
//!
//! What must stay true: a record that the transaction wrote appears with what it wrote, in its place of the order, or
//! not at all; and every query leaves its whole condition in the read set, whatever of its answer is looked at.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::ReadError;
use crate::query::aggregate::Totalling;
use crate::query::row::Row;
use crate::query::select::Select;
use crate::query::sort::compare_records;
use crate::query::{Aggregate, Order, Plan, Query, Total};
use crate::transaction::Transaction;
use crate::value::{EntityId, Record};

/// The records of an answer, a transaction's own writes included.
pub struct TransactionSelect {
    stored: Select,
    /// A stored record read ahead.
    waiting: Option<Arc<Record>>,
    /// Records that the transaction wrote: what is stored of them does not count.
    written: BTreeSet<EntityId>,
    /// Own records with the condition, in the order of the answer.
    own: std::iter::Peekable<std::vec::IntoIter<Arc<Record>>>,
    order: Vec<Order>,
    skip: u64,
    left: u64,
}

impl TransactionSelect {
    fn step(&mut self) -> Option<Result<Arc<Record>, ReadError>> {
        while self.waiting.is_none() {
            match self.stored.next() {
                Some(Ok(record)) if self.written.contains(&record.id) => {}
                Some(Ok(record)) => self.waiting = Some(record),
                Some(Err(error)) => return Some(Err(error)),
                None => break,
            }
        }
        let own_first = match (self.own.peek(), &self.waiting) {
            (Some(own), Some(stored)) => {
                compare_records(own, stored, &self.order) == Ordering::Less
            }
            (Some(_), None) => true,
            (None, _) => false,
        };
        let next = if own_first {
            self.own.next()
        } else {
            self.waiting.take()
        };
        next.map(Ok)
    }
}

impl Iterator for TransactionSelect {
    type Item = Result<Arc<Record>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.skip > 0 {
            self.skip -= 1;
            match self.step()? {
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
        }
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        self.step()
    }
}

impl Transaction {
    /// The records of an answer, own writes included. The condition goes into the read set.
    pub fn select(&mut self, query: &Query) -> TransactionSelect {
        self.note_query(query);
        let own = self.own_records(query.ty);
        let written: BTreeSet<EntityId> = own.iter().map(|(id, ..)| *id).collect();
        let shown =
            |record: &Arc<Record>| query.deleted.shows(record) && query.predicate.matches(record);
        let mut own: Vec<Arc<Record>> = own
            .into_iter()
            .filter_map(|(_, _, now)| now)
            .filter(shown)
            .collect();
        own.sort_by(|a, b| compare_records(a, b, &query.order));
        // Of the stored answer at most the written records fall out.
        let reach = |limit: u64| {
            query
                .skip
                .saturating_add(limit)
                .saturating_add(written.len() as u64)
        };
        let stored = Query {
            skip: 0,
            limit: query.limit.map(reach),
            ..query.clone()
        };
        TransactionSelect {
            stored: self.snapshot().select(&stored),
            waiting: None,
            written,
            own: own.into_iter().peekable(),
            order: query.order.clone(),
            skip: query.skip,
            left: query.limit.unwrap_or(u64::MAX),
        }
    }

    /// How many records the answer has, own writes included. The condition goes into the read set.
    ///
    /// # Errors
    /// When a record that must be looked at cannot be read.
    pub fn count_where(&mut self, query: &Query) -> Result<u64, ReadError> {
        self.note_query(query);
        let whole = Query {
            skip: 0,
            limit: None,
            ..query.clone()
        };
        let mut count = self.snapshot().count_where(&whole)?;
        let shown =
            |record: &Record| query.deleted.shows(record) && query.predicate.matches(record);
        for (_, base, now) in self.own_records(query.ty) {
            count += u64::from(now.is_some_and(|now| shown(&now)));
            count = count.saturating_sub(u64::from(base.is_some_and(|base| shown(&base))));
        }
        Ok(query.cut(count))
    }

    /// The sum, smallest or largest value of a column over the records of the answer, own writes included. The condition
    /// goes into the read set.
    ///
    /// # Errors
    /// When a record that must be looked at cannot be read.
    pub fn aggregate(&mut self, query: &Query, aggregate: Aggregate) -> Result<Total, ReadError> {
        self.note_query(query);
        if self.own_records(query.ty).is_empty() {
            return self.snapshot().aggregate(query, aggregate);
        }
        let mut total = Totalling::new(aggregate);
        for record in self.select(query) {
            let record = record?;
            // A decoded record can always be read.
            if let Ok(value) = record.value(aggregate.column())
                && !total.add(&value)
            {
                break;
            }
        }
        Ok(total.total())
    }

    /// How the snapshot's part of the query would be answered now.
    ///
    /// # Errors
    /// As for `Snapshot::explain`.
    pub fn explain(&self, query: &Query) -> Result<Plan, ReadError> {
        self.snapshot().explain(query)
    }
}
