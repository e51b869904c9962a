//! Answering a query on a snapshot.
//!
//! What must stay true: conditions are evaluated on the bytes of a checked record, and only records of the answer are
//! decoded whole; the answer is the one a scan with the condition on decoded records gives.

use std::sync::Arc;

use crate::error::ReadError;
use crate::query::aggregate::Totalling;
use crate::query::plan::Access;
use crate::query::row::Row;
use crate::query::shown::{Shown, order_words};
use crate::query::sort::{SortRow, sort};
use crate::query::{Aggregate, Plan, Predicate, Query, Total};
use crate::snapshot::{Heads, Snapshot};
use crate::value::{EntityId, Record};

/// The records of an answer, in its order.
pub struct Select {
    snapshot: Snapshot,
    query: Query,
    source: Source,
    skip: u64,
    left: u64,
}

enum Source {
    /// Records of the type that are still to be looked at.
    Scan(Heads),
    /// Numbers of records of the answer, in its order.
    Found(std::vec::IntoIter<EntityId>),
    /// This is what came instead of an answer.
    Failed(Option<ReadError>),
}

impl Select {
    fn new(snapshot: &Snapshot, query: &Query) -> Self {
        let mut select = Select {
            snapshot: snapshot.clone(),
            query: query.clone(),
            source: Source::Scan(snapshot.heads(query.ty)),
            skip: query.skip,
            left: query.limit.unwrap_or(u64::MAX),
        };
        if !query.order.is_empty() {
            select.source = match sorted_ids(snapshot, query) {
                Ok(ids) => Source::Found(ids.into_iter()),
                Err(error) => Source::Failed(Some(error)),
            };
            select.skip = 0;
        }
        select
    }

    fn scan_next(&mut self) -> Option<Result<Arc<Record>, ReadError>> {
        let Source::Scan(heads) = &mut self.source else {
            return None;
        };
        for (id, head) in heads.by_ref() {
            let (snapshot, query) = (&self.snapshot, &self.query);
            let skip = &mut self.skip;
            let found = snapshot.view(query.ty, id, head, &mut |view| {
                if !query.deleted.shows_state(view.header.deleted)
                    || !query.predicate.holds(&view)?
                {
                    return Ok(None);
                }
                if *skip > 0 {
                    *skip -= 1;
                    return Ok(None);
                }
                view.decode().map(Some)
            });
            match found {
                Ok(Some(record)) => return Some(Ok(Arc::new(record))),
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
        }
        None
    }
}

impl Iterator for Select {
    type Item = Result<Arc<Record>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        match &mut self.source {
            Source::Scan(_) => self.scan_next(),
            Source::Found(ids) => loop {
                // A record that was destroyed meanwhile is gone.
                match self.snapshot.get_any(self.query.ty, ids.next()?) {
                    Ok(Some(record)) => return Some(Ok(record)),
                    Ok(None) => {}
                    Err(error) => return Some(Err(error)),
                }
            },
            Source::Failed(error) => error.take().map(Err),
        }
    }
}

/// Visits what matches, by number; `visit` ends it with `false`.
fn each_match(
    snapshot: &Snapshot,
    query: &Query,
    visit: &mut dyn FnMut(
        &crate::query::row::RecordView<'_>,
    ) -> Result<bool, crate::codec::cursor::Undecodable>,
) -> Result<(), ReadError> {
    for (id, head) in snapshot.heads(query.ty) {
        let go_on = snapshot.view(query.ty, id, head, &mut |view| {
            if !query.deleted.shows_state(view.header.deleted) || !query.predicate.holds(&view)? {
                return Ok(Some(true));
            }
            visit(&view).map(Some)
        })?;
        if go_on == Some(false) {
            break;
        }
    }
    Ok(())
}

fn sorted_ids(snapshot: &Snapshot, query: &Query) -> Result<Vec<EntityId>, ReadError> {
    let mut rows = Vec::new();
    each_match(snapshot, query, &mut |view| {
        rows.push(SortRow::of(view, view.header.id, &query.order)?);
        Ok(true)
    })?;
    let wanted = query.limit.map(|limit| query.skip.saturating_add(limit));
    sort(
        &mut rows,
        &query.order,
        wanted.map(|wanted| usize::try_from(wanted).unwrap_or(usize::MAX)),
    );
    let skip = usize::try_from(query.skip).unwrap_or(usize::MAX);
    Ok(rows.into_iter().skip(skip).map(|row| row.id).collect())
}

impl Snapshot {
    /// The records of an answer, in its order.
    pub fn select(&self, query: &Query) -> Select {
        Select::new(self, query)
    }

    /// How many records the answer has.
    ///
    /// # Errors
    /// When a record that must be looked at cannot be read.
    pub fn count_where(&self, query: &Query) -> Result<u64, ReadError> {
        let mut count = 0;
        each_match(self, query, &mut |_| {
            count += 1;
            Ok(true)
        })?;
        Ok(query.cut(count))
    }

    /// The sum, smallest or largest value of a column over the records of the answer, in its order.
    ///
    /// # Errors
    /// When a record that must be looked at cannot be read.
    pub fn aggregate(&self, query: &Query, aggregate: Aggregate) -> Result<Total, ReadError> {
        let mut total = Totalling::new(aggregate);
        if !query.order.is_empty() || query.skip > 0 || query.limit.is_some() {
            for record in self.select(query) {
                let record = record?;
                // A decoded record can always be read.
                if let Ok(value) = record.value(aggregate.column())
                    && !total.add(&value)
                {
                    break;
                }
            }
            return Ok(total.total());
        }
        each_match(self, query, &mut |view| {
            Ok(total.add(&view.value(aggregate.column())?))
        })?;
        Ok(total.total())
    }

    /// How the query would be answered now.
    pub fn explain(&self, query: &Query) -> Plan {
        let def = self.shared.schema.type_def(query.ty);
        let rows = self.heads(query.ty).count() as u64;
        let shown = Shown {
            predicate: &query.predicate,
            def,
        };
        Plan {
            type_name: def.name.clone(),
            access: Access::Records { rows },
            filter: (query.predicate != Predicate::Always).then(|| shown.to_string()),
            sort: (!query.order.is_empty()).then(|| order_words(def, &query.order)),
            skip: query.skip,
            limit: query.limit,
            rows: query.cut(rows),
        }
    }
}
