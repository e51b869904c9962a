//! What is done to answer a query, and how many records that is expected to touch, in plain words.
//!
//! What must stay true: the words say what will really be done; numbers are counts where they are known and otherwise
//! marked as estimates.

use std::fmt;

use crate::query::choose::{Chosen, Way};
use crate::query::filter::Filter;
use crate::query::shown::{Shown, order_words};
use crate::query::{Predicate, Query};
use crate::schema::TypeDef;
use crate::shared::Shared;

/// The way a query is answered. Its `Display` is the explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The first line: where candidates come from.
    source: String,
    /// The condition that is looked at in each candidate.
    filter: Option<String>,
    /// Whether the columns in memory answer it.
    in_columns: bool,
    /// The order that is made by sorting.
    sort: Option<String>,
    skip: u64,
    limit: Option<u64>,
    rows: u64,
}

impl Plan {
    pub(crate) fn of(shared: &Shared, query: &Query, chosen: &Chosen) -> Plan {
        let def = shared.schema.type_def(query.ty);
        let (name, live, rows) = (&def.name, chosen.live, chosen.candidates);
        let field = |at: usize| {
            let index = &shared.tables.def(query.ty).indexes[at];
            format!("{name}.{}", def.fields[index.field.0 as usize].name)
        };
        let source = match &chosen.way {
            Way::Nothing => format!("{name}: nothing to look at, no record can have the condition"),
            Way::Numbers(ids) => format!("{name}: look up {} by number", records(ids.len() as u64)),
            Way::Index { at, .. } => {
                format!("index {}: about {} of {live}", field(*at), records(rows))
            }
            Way::Ordered { at, descending, .. } => {
                let direction = if *descending { "downwards" } else { "upwards" };
                let at = field(*at);
                format!(
                    "index {at} {direction}: about the first {} of {live}",
                    records(rows)
                )
            }
            Way::Columns(Filter::All) => format!("{name}: all {} by number", records(live)),
            Way::Columns(_) => {
                format!("columns of {name}: about {} of {live} found", records(rows))
            }
            Way::Records => format!("{name}: read all {} by number", records(live)),
        };
        let rest = match &chosen.way {
            Way::Numbers(_) => &query.predicate,
            Way::Nothing
            | Way::Index { .. }
            | Way::Ordered { .. }
            | Way::Columns(_)
            | Way::Records => &chosen.rest,
        };
        fn words(predicate: &Predicate, def: &TypeDef) -> String {
            Shown { predicate, def }.to_string()
        }
        let columns = &chosen.table.columns;
        let reads = matches!(chosen.way, Way::Records | Way::Numbers(_));
        Plan {
            source: match &chosen.way {
                Way::Columns(filter) if !matches!(filter, Filter::All) => {
                    let kept = query.predicate.conjuncts().into_iter();
                    let kept = kept.filter(|one| Filter::of(one, columns).is_some());
                    let kept = Predicate::And(kept.cloned().collect());
                    format!("{source} by {}", words(&kept, def))
                }
                _ => source,
            },
            in_columns: !reads && Filter::of(rest, columns).is_some(),
            filter: (*rest != Predicate::Always).then(|| words(rest, def)),
            sort: chosen.sort.then(|| order_words(def, &query.order)),
            skip: query.skip,
            limit: query.limit,
            rows: query.cut(chosen.matches),
        }
    }

    /// How many records the answer is expected to have.
    pub fn estimated_rows(&self) -> u64 {
        self.rows
    }
}

fn records(count: u64) -> String {
    match count {
        1 => "1 record".to_owned(),
        count => format!("{count} records"),
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        if let Some(filter) = &self.filter {
            let place = if self.in_columns {
                "in the columns"
            } else {
                "in the records"
            };
            write!(f, "\n  keep those with {filter}, looked up {place}")?;
        }
        if let Some(sort) = &self.sort {
            write!(f, "\n  sort by {sort}")?;
        }
        if self.skip > 0 {
            write!(f, "\n  leave out the first {}", self.skip)?;
        }
        if let Some(limit) = self.limit {
            write!(f, "\n  stop after {limit}")?;
        }
        write!(f, "\n  about {} in the answer", records(self.rows))
    }
}
