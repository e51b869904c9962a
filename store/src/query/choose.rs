//! Choosing the way to answer a query: which index, which column, or every record.
//!
//! Estimates are counts of index rows, and samples of columns for conditions; what neither tells is guessed by kind of
//! condition. What must stay true: the choice changes only how long an answer takes.

use std::sync::Arc;

use crate::codec::value::ValueRef;
use crate::error::ReadError;
use crate::limits::CROSSED_RANGES_MAX;
use crate::query::columns::{CHUNK, Columns};
use crate::query::filter::{Filter, scaled};
use crate::query::key::{KeyKind, KeyRange, prefix_range, range_of};
use crate::query::secondary::{FieldIndex, IndexDef, Keyed, Table, TableDef};
use crate::query::{Column, Comparison, Predicate, Query};
use crate::schema::FieldType;
use crate::shared::Shared;
use crate::snapshot::{Deleted, Snapshot};
use crate::value::{EntityId, FieldIx, FieldValue};

/// What things cost, in nanoseconds, measured roughly; only their relation counts.
const RECORD: f64 = 350.0;
const INDEX_ROW: f64 = 15.0;
const COLUMN_SLOT: f64 = 1.0;
const SLOT_ROW: f64 = 50.0;
const SORT_ROW: f64 = 120.0;
/// Chunks that a sample looks at.
const SAMPLED: usize = 4;

/// How candidates are found.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// No record can have the condition.
    Nothing,
    /// These numbers.
    Numbers(Vec<EntityId>),
    /// Rows of an index, by number in the end.
    Index { at: usize, ranges: Vec<KeyRange> },
    /// Rows of an index in its order: ranges of values, then NaN and none.
    Ordered {
        at: usize,
        ranges: Vec<KeyRange>,
        tail: Vec<KeyRange>,
        descending: bool,
    },
    /// Columns, by number.
    Columns(Filter),
    /// Every record, by number.
    Records,
}

/// The choice.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) table: Arc<Table>,
    pub(crate) way: Way,
    /// What is still to be looked at in each candidate.
    pub(crate) rest: Predicate,
    /// The candidates are to be sorted.
    pub(crate) sort: bool,
    /// Numbers of records, both ends included.
    pub(crate) bounds: (u64, u64),
    /// Candidates, about.
    pub(crate) candidates: u64,
    /// Records with the condition, about.
    pub(crate) matches: u64,
    /// Live records of the type.
    pub(crate) live: u64,
    cost: f64,
}

/// What an index can do for a query.
struct Offer {
    at: usize,
    ranges: Vec<KeyRange>,
    /// Positions of the conditions that every row in the ranges has.
    settled: Vec<usize>,
    /// Whether any condition is about the field.
    bounded: bool,
    rows: u64,
}

struct Chooser<'a> {
    shared: &'a Shared,
    snapshot: &'a Snapshot,
    query: &'a Query,
    table: Arc<Table>,
    conjuncts: Vec<&'a Predicate>,
    live: u64,
    bounds: (u64, u64),
    /// The whole condition on the columns, if they have all of it.
    whole: Option<Filter>,
    /// The part of records with the whole condition, where a sample tells,
    sampled: Option<f64>,
    /// and with each of the conditions.
    parts: Vec<f64>,
}

/// Chooses. As of a time nothing is kept that could tell: then every record is read.
pub(crate) fn choose(snapshot: &Snapshot, query: &Query) -> Result<Chosen, ReadError> {
    let shared = &*snapshot.shared;
    let table = if concerns(shared.tables.def(query.ty), query) {
        shared.tables.table(shared, query.ty)?
    } else {
        Arc::new(Table::empty())
    };
    let conjuncts = query.predicate.conjuncts();
    let number = shared.mapping.number(query.ty);
    let live = shared.state().index.ty(number).map_or(0, |ty| ty.live);
    let chooser = Chooser {
        whole: Filter::of(&query.predicate, &table.columns),
        bounds: bounds(&conjuncts),
        sampled: None,
        parts: conjuncts.iter().map(|one| guess(one)).collect(),
        shared,
        snapshot,
        query,
        table,
        conjuncts,
        live,
    };
    Ok(chooser.choose())
}

/// Whether anything that is kept could help: else no table is built for the query.
fn concerns(def: &TableDef, query: &Query) -> bool {
    let kept = |column: Column| match column {
        Column::Field(field) => {
            def.indexes.iter().any(|index| index.field == field)
                || def.columns.iter().any(|column| column.field == field)
        }
        Column::Id
        | Column::Version
        | Column::CreatedAt
        | Column::UpdatedAt
        | Column::DeletedAt => false,
    };
    query.order.iter().any(|key| kept(key.column)) || query.predicate.any_column(&kept)
}

impl Chooser<'_> {
    fn choose(mut self) -> Chosen {
        let mut best = self.records();
        if self.snapshot.until.time_ms.is_some() {
            return best;
        }
        if let Some(ids) = self.numbers() {
            let candidates = ids.len() as u64;
            let rest: Vec<usize> = (0..self.conjuncts.len())
                .filter(|at| !names_numbers(self.conjuncts[*at]))
                .collect();
            return self.chosen(Way::Numbers(ids), &rest, candidates, 0.0);
        }
        if let Some(filter) = &self.whole {
            self.sampled = sample(&self.table.columns, filter);
        }
        for (part, conjunct) in self.parts.iter_mut().zip(&self.conjuncts) {
            let filter = Filter::of(conjunct, &self.table.columns);
            let sampled = filter.and_then(|filter| sample(&self.table.columns, &filter));
            *part = sampled.unwrap_or(*part);
        }
        let mut offers = Vec::new();
        if self.query.deleted == Deleted::Hide {
            let ways = self.index_ways();
            if ways.iter().any(|way| matches!(way.way, Way::Nothing)) {
                return self.chosen(Way::Nothing, &[], 0, 0.0);
            }
            offers.extend(ways);
        }
        offers.extend(self.columns());
        for offer in offers {
            if offer.cost < best.cost {
                best = offer;
            }
        }
        best
    }

    /// The part of the records that have these conditions, by a sample or by guess.
    fn part(&self, conjuncts: &[usize]) -> f64 {
        if conjuncts.is_empty() {
            return 1.0;
        }
        if let Some(sampled) = self.sampled
            && conjuncts.len() == self.conjuncts.len()
        {
            return sampled;
        }
        conjuncts.iter().map(|at| self.parts[*at]).product()
    }

    fn rest(&self, conjuncts: &[usize]) -> Predicate {
        let mut parts: Vec<Predicate> = conjuncts
            .iter()
            .map(|at| self.conjuncts[*at].clone())
            .collect();
        match parts.len() {
            0 => Predicate::Always,
            1 => parts.swap_remove(0),
            _ => Predicate::And(parts),
        }
    }

    /// What looking at the rest of a candidate costs.
    fn rest_cost(&self, rest: &[usize]) -> f64 {
        let kept = |at: &usize| Filter::of(self.conjuncts[*at], &self.table.columns).is_some();
        if rest.is_empty() {
            0.0
        } else if rest.iter().all(kept) {
            SLOT_ROW
        } else {
            RECORD
        }
    }

    fn sort_cost(&self, rows: f64) -> f64 {
        if self.order_is_natural() {
            return 0.0;
        }
        let kept = |column| self.table.columns.has(column);
        let key = if self.query.order.iter().all(|key| kept(key.column)) {
            SLOT_ROW
        } else {
            RECORD
        };
        rows * (key + SORT_ROW)
    }

    fn order_is_natural(&self) -> bool {
        match self.query.order.first() {
            None => true,
            Some(first) => first.column == Column::Id && !first.descending,
        }
    }

    fn chosen(&self, way: Way, rest: &[usize], candidates: u64, find: f64) -> Chosen {
        let matches = (candidates as f64 * self.part(rest)).round() as u64;
        let ordered = matches!(way, Way::Ordered { .. });
        let cost = find
            + candidates as f64 * self.rest_cost(rest)
            + if ordered {
                0.0
            } else {
                self.sort_cost(matches as f64)
            };
        Chosen {
            table: self.table.clone(),
            way,
            rest: self.rest(rest),
            sort: !ordered && !self.order_is_natural(),
            bounds: self.bounds,
            candidates,
            matches: matches.min(candidates),
            live: self.live,
            cost,
        }
    }

    fn records(&self) -> Chosen {
        let all: Vec<usize> = (0..self.conjuncts.len()).collect();
        let mut chosen = self.chosen(Way::Records, &all, self.live, 0.0);
        let rows = self.live as f64;
        chosen.cost = rows * RECORD + self.sort_cost(chosen.matches as f64);
        chosen
    }

    /// The numbers that the condition names.
    fn numbers(&self) -> Option<Vec<EntityId>> {
        let number = |value: &FieldValue| match value {
            FieldValue::Int(id) => u64::try_from(*id).ok().map(EntityId),
            _ => None,
        };
        let of = |conjunct: &&Predicate| match conjunct {
            Predicate::Compare {
                column: Column::Id,
                comparison: Comparison::Eq,
                value: value @ FieldValue::Int(_),
            } => Some(number(value).into_iter().collect::<Vec<_>>()),
            Predicate::In {
                column: Column::Id,
                values,
            } if values
                .iter()
                .all(|value| matches!(value, FieldValue::Int(_))) =>
            {
                Some(values.iter().filter_map(number).collect())
            }
            _ => None,
        };
        let mut ids = self.conjuncts.iter().find_map(of)?;
        ids.sort();
        ids.dedup();
        Some(ids)
    }

    fn columns(&self) -> Option<Chosen> {
        let columns = &self.table.columns;
        if columns.defs.is_empty() {
            return None;
        }
        let mut filters = Vec::new();
        let mut rest = Vec::new();
        let mut settled = Vec::new();
        for (at, conjunct) in self.conjuncts.iter().enumerate() {
            match Filter::of(conjunct, columns) {
                Some(filter) => {
                    filters.push(filter);
                    settled.push(at);
                }
                None => rest.push(at),
            }
        }
        let filter = match filters.len() {
            0 => Filter::All,
            1 => filters.swap_remove(0),
            _ => Filter::And(filters),
        };
        let part = sample(columns, &filter).unwrap_or_else(|| self.part(&settled));
        let candidates = (self.live as f64 * part).round() as u64;
        let slots = (columns.chunk_count() * CHUNK) as f64;
        let find = slots * COLUMN_SLOT + candidates as f64 * 4.0;
        Some(self.chosen(Way::Columns(filter), &rest, candidates, find))
    }

    fn index_ways(&self) -> Vec<Chosen> {
        let defs = &self.shared.tables.def(self.query.ty).indexes;
        let mut ways = Vec::new();
        for (at, (def, index)) in defs.iter().zip(&self.table.indexes).enumerate() {
            let Keyed::Value(kind @ (KeyKind::Ordered | KeyKind::Whole)) = def.keyed else {
                continue;
            };
            let Some(offer) = self.offer(at, def, index, kind) else {
                return vec![self.chosen(Way::Nothing, &[], 0, 0.0)];
            };
            let rest: Vec<usize> = (0..self.conjuncts.len())
                .filter(|at| !offer.settled.contains(at))
                .collect();
            if offer.bounded {
                let by_number = if offer.ranges.len() > 1 { 2.0 } else { 1.0 };
                let find = offer.rows as f64 * INDEX_ROW * by_number;
                let way = Way::Index {
                    at,
                    ranges: offer.ranges.clone(),
                };
                ways.push(self.chosen(way, &rest, offer.rows, find));
            }
            ways.extend(self.ordered(def, index, offer, &rest));
        }
        ways
    }

    /// The ranges of an index that the conditions leave; `None`: nothing is left.
    fn offer(&self, at: usize, def: &IndexDef, index: &FieldIndex, kind: KeyKind) -> Option<Offer> {
        let ty = &self.shared.schema.type_def(self.query.ty).fields[def.field.0 as usize].ty;
        let mut left: Option<Vec<KeyRange>> = None;
        let mut settled = Vec::new();
        for (at, conjunct) in self.conjuncts.iter().enumerate() {
            let Some((ranges, exact)) = self.ranges(def.field, ty, kind, conjunct) else {
                continue;
            };
            let (ranges, taken) = match left.take() {
                None => (ranges, true),
                Some(before) => match crossed(&before, &ranges) {
                    Some(both) => (both, true),
                    None => (before, false),
                },
            };
            left = Some(ranges);
            if exact && taken {
                settled.push(at);
            }
        }
        let bounded = left.is_some();
        let ranges = joined(left.unwrap_or_default());
        if bounded && ranges.is_empty() {
            return None;
        }
        let until = self.snapshot.until.lsn;
        let rows = ranges
            .iter()
            .map(|range| index.estimate(range, until))
            .sum();
        Some(Offer {
            at,
            ranges,
            settled,
            bounded,
            rows,
        })
    }

    /// The ranges of rows that may have one condition, and whether they all do; `None`: it is not about the field.
    fn ranges(
        &self,
        field: FieldIx,
        ty: &FieldType,
        kind: KeyKind,
        conjunct: &Predicate,
    ) -> Option<(Vec<KeyRange>, bool)> {
        let number = |ty| self.shared.mapping.number(ty).0;
        let is_field = |column: &Column| *column == Column::Field(field);
        match conjunct {
            Predicate::Compare {
                column,
                comparison,
                value,
            } if is_field(column) => {
                let value = ValueRef::of(value);
                let (range, exact) = range_of(ty, kind, *comparison, &value, &number)?;
                Some((vec![range], exact))
            }
            Predicate::IsNone(column) if is_field(column) => Some((vec![KeyRange::none()], true)),
            Predicate::In { column, values } if is_field(column) => {
                let mut all_exact = true;
                let mut ranges = Vec::with_capacity(values.len());
                for value in values {
                    let value = ValueRef::of(value);
                    let (range, exact) = range_of(ty, kind, Comparison::Eq, &value, &number)?;
                    all_exact &= exact;
                    ranges.push(range);
                }
                Some((ranges, all_exact))
            }
            Predicate::Prefix { column, text } if is_field(column) && *ty == FieldType::Text => {
                let (range, exact) = prefix_range(text);
                Some((vec![range], exact))
            }
            // What the language makes of `age > 20` where the age may be none: `age > 20 || age == none`.
            Predicate::Or(parts) => {
                let (mut all, mut all_exact) = (Vec::new(), true);
                for part in parts {
                    let (ranges, exact) = self.ranges(field, ty, kind, part)?;
                    all_exact &= exact;
                    all.extend(ranges);
                }
                Some((all, all_exact))
            }
            _ => None,
        }
    }

    fn ordered(
        &self,
        def: &IndexDef,
        index: &FieldIndex,
        offer: Offer,
        rest: &[usize],
    ) -> Option<Chosen> {
        let [order] = self.query.order.as_slice() else {
            return None;
        };
        let ty = &self.shared.schema.type_def(self.query.ty).fields[def.field.0 as usize].ty;
        let has_order = matches!(
            ty,
            FieldType::Bool
                | FieldType::Int
                | FieldType::Float
                | FieldType::Text
                | FieldType::Time
                | FieldType::Duration
        );
        if order.column != Column::Field(def.field) || !has_order || index.cut {
            return None;
        }
        let until = self.snapshot.until.lsn;
        let (ranges, tail, rows) = if offer.bounded {
            let is_value = |range: &KeyRange| !range.is_behind_values();
            let (ranges, tail) = offer.ranges.into_iter().partition(is_value);
            (ranges, tail, offer.rows)
        } else {
            let ranges = vec![KeyRange::values()];
            let tail = vec![KeyRange::nan(), KeyRange::none()];
            let all = ranges.iter().chain(&tail);
            let rows = all.map(|range| index.estimate(range, until)).sum();
            (ranges, tail, rows)
        };
        let wanted = match self.query.limit {
            Some(limit) => {
                let part = self.part(rest).max(1e-6);
                (self.query.skip.saturating_add(limit) as f64 / part).min(rows as f64)
            }
            None => rows as f64,
        };
        let row = if order.descending {
            4.0 * INDEX_ROW
        } else {
            INDEX_ROW
        };
        let matches = (rows as f64 * self.part(rest)).round() as u64;
        let way = Way::Ordered {
            at: offer.at,
            ranges,
            tail,
            descending: order.descending,
        };
        let mut chosen = self.chosen(way, rest, wanted.ceil() as u64, wanted * row);
        chosen.matches = matches;
        Some(chosen)
    }
}

/// Whether a condition says which numbers there can be.
fn names_numbers(conjunct: &Predicate) -> bool {
    match conjunct {
        Predicate::Compare {
            column: Column::Id,
            comparison: Comparison::Eq,
            value: FieldValue::Int(_),
        } => true,
        Predicate::In {
            column: Column::Id,
            values,
        } => values
            .iter()
            .all(|value| matches!(value, FieldValue::Int(_))),
        _ => false,
    }
}

/// The same rows in ranges that have none in common, in order.
fn joined(mut ranges: Vec<KeyRange>) -> Vec<KeyRange> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_by(|a, b| a.from.cmp(&b.from));
    let mut joined: Vec<KeyRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.from <= last.to => {
                last.to = range.to.max(std::mem::take(&mut last.to))
            }
            Some(_) | None => joined.push(range),
        }
    }
    joined
}

/// What is in one of the first and in one of the second ranges; `None`: there are too many of them to look at each pair.
fn crossed(first: &[KeyRange], second: &[KeyRange]) -> Option<Vec<KeyRange>> {
    if first.len().saturating_mul(second.len()) > CROSSED_RANGES_MAX {
        return None;
    }
    let pairs = first
        .iter()
        .flat_map(|one| second.iter().map(move |other| (one, other)));
    let both = pairs.map(|(one, other)| one.clone().and(other.clone()));
    Some(both.filter(|range| !range.is_empty()).collect())
}

/// The numbers that conditions on the number leave.
fn bounds(conjuncts: &[&Predicate]) -> (u64, u64) {
    let (mut low, mut high) = (0, u64::MAX);
    for conjunct in conjuncts {
        let Predicate::Compare {
            column: Column::Id,
            comparison,
            value: FieldValue::Int(value),
        } = conjunct
        else {
            continue;
        };
        let at = u64::try_from(*value).unwrap_or(0);
        match comparison {
            Comparison::Gt | Comparison::Ge => low = low.max(at),
            Comparison::Lt | Comparison::Le => high = high.min(at),
            Comparison::Eq | Comparison::Ne => {}
        }
    }
    (low, high)
}

/// The part of the live records that have a condition, as a few chunks say; `None` without records.
fn sample(columns: &Columns, filter: &Filter) -> Option<f64> {
    if matches!(filter, Filter::All) {
        return Some(1.0);
    }
    let count = columns.chunk_count();
    let step = count.div_ceil(SAMPLED).max(1);
    let (mut all, mut with) = (0_u64, 0_u64);
    for at in (0..count).step_by(step) {
        let Some(chunk) = columns.chunk(at) else {
            continue;
        };
        let bits = filter.bits(columns, chunk, (at * CHUNK) as u64);
        for (live, bits) in chunk.live.iter().zip(bits) {
            all += u64::from(live.count_ones());
            with += u64::from((live & bits).count_ones());
        }
    }
    (all > 0).then(|| scaled(with, all, 1_000_000) as f64 / 1e6)
}

/// The part of the records that a condition is expected to keep, when nothing is known.
fn guess(predicate: &Predicate) -> f64 {
    match predicate {
        Predicate::Always => 1.0,
        Predicate::Compare { comparison, .. } => match comparison {
            Comparison::Eq => 0.1,
            Comparison::Ne => 0.9,
            Comparison::Lt | Comparison::Le | Comparison::Gt | Comparison::Ge => 0.33,
        },
        Predicate::IsNone(_) | Predicate::Prefix { .. } => 0.1,
        Predicate::Contains { .. } => 0.2,
        Predicate::In { values, .. } => (0.1 * values.len() as f64).min(0.5),
        Predicate::And(parts) => parts.iter().map(guess).product(),
        Predicate::Or(parts) => parts.iter().map(guess).sum::<f64>().min(1.0),
        Predicate::Not(inner) => 1.0 - guess(inner),
    }
}
