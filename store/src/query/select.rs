//! Answering a query on a snapshot.
//!
//! What must stay true: conditions are evaluated on indexes, columns, or the bytes of a checked record, and only records
//! of the answer are decoded whole; the answer is the one a scan with the condition on decoded records gives.

use std::sync::Arc;

use crate::error::ReadError;
use crate::query::aggregate::Totalling;
use crate::query::choose::{Way, choose};
use crate::query::run::Run;
use crate::query::{Aggregate, Plan, Predicate, Query, Total};
use crate::snapshot::{Deleted, Heads, Snapshot};
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
            source: Source::Failed(None),
            skip: query.skip,
            left: query.limit.unwrap_or(u64::MAX),
        };
        let found = choose(snapshot, query).and_then(|chosen| {
            if matches!(chosen.way, Way::Records) && !chosen.sort {
                return Ok(Source::Scan(snapshot.heads_in(query.ty, chosen.bounds)));
            }
            let run = Run {
                snapshot,
                query,
                chosen: &chosen,
            };
            select.skip = 0;
            Ok(Source::Found(run.ids()?.into_iter()))
        });
        select.source = found.unwrap_or_else(|error| Source::Failed(Some(error)));
        select
    }

    fn scan_next(&mut self) -> Option<Result<Arc<Record>, ReadError>> {
        let Source::Scan(heads) = &mut self.source else {
            return None;
        };
        for (id, head) in heads.by_ref() {
            let (snapshot, query) = (&self.snapshot, &self.query);
            let skip = &mut self.skip;
            let found = snapshot.view(query.ty, id, head, |view| {
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
            match found.map(Option::flatten) {
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
        if query.predicate == Predicate::Always && query.deleted == Deleted::Hide {
            return self.count(query.ty).map(|count| query.cut(count));
        }
        // The order does not matter here.
        let query = Query {
            order: Vec::new(),
            ..query.clone()
        };
        let chosen = choose(self, &query)?;
        let run = Run {
            snapshot: self,
            query: &query,
            chosen: &chosen,
        };
        let enough = query.limit.unwrap_or(u64::MAX).saturating_add(query.skip);
        if enough == 0 {
            return Ok(0);
        }
        Ok(query.cut(run.count(enough)?))
    }

    /// The sum, smallest or largest value of a column over the records of the answer, in its order.
    ///
    /// # Errors
    /// When a record that must be looked at cannot be read.
    pub fn aggregate(&self, query: &Query, aggregate: Aggregate) -> Result<Total, ReadError> {
        let mut total = Totalling::new(aggregate);
        let cut = query.skip > 0 || query.limit.is_some();
        if let Some(first) = first_of(query, aggregate).filter(|_| !cut) {
            let chosen = choose(self, &first)?;
            if matches!(chosen.way, Way::Ordered { .. }) {
                let run = Run {
                    snapshot: self,
                    query: &first,
                    chosen: &chosen,
                };
                for id in run.ids()? {
                    run.value(id, aggregate.column(), &mut |value| {
                        total.add(value);
                    })?;
                }
                return Ok(total.total());
            }
        }
        let chosen = choose(self, query)?;
        let run = Run {
            snapshot: self,
            query,
            chosen: &chosen,
        };
        let mut add = |id| {
            let mut go_on = true;
            run.value(id, aggregate.column(), &mut |value| {
                go_on = total.add(value)
            })?;
            Ok(go_on)
        };
        if cut || !query.order.is_empty() {
            for id in run.ids()? {
                if !add(id)? {
                    break;
                }
            }
        } else {
            run.each(&mut add)?;
        }
        Ok(total.total())
    }

    /// How the query would be answered now.
    ///
    /// # Errors
    /// When the indexes of the type cannot be built because a record cannot be read.
    pub fn explain(&self, query: &Query) -> Result<Plan, ReadError> {
        let chosen = choose(self, query)?;
        Ok(Plan::of(&self.shared, query, &chosen))
    }
}

/// The smallest or largest value is the first one of an order.
fn first_of(query: &Query, aggregate: Aggregate) -> Option<Query> {
    let descending = match aggregate {
        Aggregate::Sum(_) => return None,
        Aggregate::Min(_) => false,
        Aggregate::Max(_) => true,
    };
    let first = Query {
        order: Vec::new(),
        limit: Some(1),
        ..query.clone()
    };
    Some(first.ordered(aggregate.column(), descending))
}
