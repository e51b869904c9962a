//! Going the chosen way: the numbers of the records with the condition, in the order in which they are found.
//!
//! What must stay true: what an index or a column says of a record counts only if the snapshot sees the same version;
//! else, and where a condition needs more than is kept, the record itself is looked at.

use crate::codec::cursor::Undecodable;
use crate::codec::value::ValueRef;
use crate::error::ReadError;
use crate::query::choose::{Chosen, Way};
use crate::query::columns::{CHUNK, NO_BITS};
use crate::query::filter::{Filter, each_set};
use crate::query::row::{RecordView, Row};
use crate::query::secondary::Entry;
use crate::query::sort::{SortRow, sort};
use crate::query::{Column, Predicate, Query};
use crate::snapshot::{Deleted, Snapshot};
use crate::value::EntityId;

/// Takes a number; `false` ends the run.
pub(crate) type Take<'a> = dyn FnMut(EntityId) -> Result<bool, ReadError> + 'a;

/// A query with the way to answer it.
pub(crate) struct Run<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) query: &'a Query,
    pub(crate) chosen: &'a Chosen,
}

impl Run<'_> {
    /// Looks at a record through its place; `None` if the snapshot sees none.
    pub(crate) fn view<T>(
        &self,
        id: EntityId,
        visit: impl FnOnce(RecordView<'_>) -> Result<T, Undecodable>,
    ) -> Result<Option<T>, ReadError> {
        match self.snapshot.head(self.query.ty, id) {
            Some(head) => self.snapshot.view(self.query.ty, id, head, visit),
            None => Ok(None),
        }
    }

    /// Whether a record itself has a condition and is one of those asked for.
    fn record_has(&self, id: EntityId, predicate: &Predicate) -> Result<bool, ReadError> {
        let deleted = self.query.deleted;
        let found = self.view(id, |view| {
            Ok(deleted.shows_state(view.header.deleted) && predicate.holds(&view)?)
        });
        Ok(found? == Some(true))
    }

    /// Whether a candidate of an index has the rest of the condition.
    fn has_rest(&self, id: EntityId) -> Result<bool, ReadError> {
        let columns = &self.chosen.table.columns;
        if let Some(slot) = columns.slot(id, self.snapshot.until.lsn)
            && let Ok(holds) = self.chosen.rest.holds(&slot)
        {
            return Ok(holds);
        }
        self.record_has(id, &self.chosen.rest)
    }

    /// Visits the numbers of all records with the condition, by number or in the order of the index.
    pub(crate) fn each(&self, take: &mut Take<'_>) -> Result<(), ReadError> {
        match &self.chosen.way {
            Way::Nothing => Ok(()),
            Way::Numbers(ids) => {
                for id in ids {
                    if self.record_has(*id, &self.query.predicate)? && !take(*id)? {
                        break;
                    }
                }
                Ok(())
            }
            Way::Index { at, ranges } => {
                let mut ids = Vec::new();
                for range in ranges {
                    self.walk(*at, range, false, &mut |id| {
                        ids.push(id);
                        Ok(true)
                    })?;
                }
                // Rows of one key come by number already.
                if !ids.is_sorted() {
                    ids.sort_unstable();
                }
                for id in ids {
                    if self.keeps(id)? && !take(id)? {
                        break;
                    }
                }
                Ok(())
            }
            Way::Ordered {
                at,
                ranges,
                tail,
                descending,
            } => {
                let mut left: Vec<_> = ranges.iter().map(|range| (range, *descending)).collect();
                if *descending {
                    left.reverse();
                }
                left.extend(tail.iter().map(|range| (range, false)));
                let mut go_on = true;
                for (range, down) in left {
                    self.walk(*at, range, down, &mut |id| {
                        go_on = !self.keeps(id)? || take(id)?;
                        Ok(go_on)
                    })?;
                    if !go_on {
                        break;
                    }
                }
                Ok(())
            }
            Way::Columns(filter) => self.columns(filter, take),
            Way::Records => self.records(take),
        }
    }

    fn keeps(&self, id: EntityId) -> Result<bool, ReadError> {
        if self.chosen.rest == Predicate::Always {
            return Ok(true);
        }
        self.has_rest(id)
    }

    /// Whether versions that this snapshot sees may be kept no longer (`@keep`): rows of indexes outlive them.
    fn forgets(&self) -> bool {
        let def = self.snapshot.shared.schema.type_def(self.query.ty);
        self.chosen.table.upto > self.snapshot.until.lsn && !def.keep.is_everything()
    }

    fn walk(
        &self,
        at: usize,
        range: &crate::query::key::KeyRange,
        down: bool,
        take: &mut Take<'_>,
    ) -> Result<(), ReadError> {
        let index = &self.chosen.table.indexes[at];
        let until = self.snapshot.until.lsn;
        let forgets = self.forgets();
        let mut failed = None;
        let mut visit = |entry: &Entry<'_>| {
            // What is over may have been destroyed since,
            if entry.is_past() && self.snapshot.head(self.query.ty, entry.id).is_none() {
                return true;
            }
            // or be kept no longer.
            let there = if forgets {
                self.view(entry.id, |_| Ok(()))
            } else {
                Ok(Some(()))
            };
            let taken = match there {
                Ok(Some(())) => take(entry.id),
                Ok(None) => Ok(true),
                Err(error) => Err(error),
            };
            taken.unwrap_or_else(|error| {
                failed = Some(error);
                false
            })
        };
        if down {
            index.walk_down(range, until, &mut visit);
        } else {
            index.walk(range, until, &mut visit);
        }
        failed.map_or(Ok(()), Err)
    }

    fn columns(&self, filter: &Filter, take: &mut Take<'_>) -> Result<(), ReadError> {
        let columns = &self.chosen.table.columns;
        let (low, high) = self.chosen.bounds;
        let from = low as usize / CHUNK;
        let to = columns.chunk_count().min(high as usize / CHUNK + 1);
        for at in from..to {
            let Some(chunk) = columns.chunk(at) else {
                continue;
            };
            let first = (at * CHUNK) as u64;
            let mut bits = filter.bits(columns, chunk, first);
            for (word, bits) in bits.iter_mut().enumerate() {
                *bits &= match self.query.deleted {
                    Deleted::Hide => chunk.live[word],
                    Deleted::Only => chunk.deleted[word],
                    Deleted::Include => chunk.live[word] | chunk.deleted[word],
                };
            }
            let stale = chunk.stale(self.snapshot.until.lsn);
            for (bits, stale) in bits.iter_mut().zip(stale.iter().flatten()) {
                *bits |= stale;
            }
            let stale = stale.unwrap_or(NO_BITS);
            let mut ids = Vec::new();
            each_set(&bits, &mut |slot| ids.push(slot));
            for slot in ids {
                let id = EntityId(first + slot as u64);
                let keeps = if stale[slot / 64] >> (slot % 64) & 1 == 1 {
                    self.record_has(id, &self.query.predicate)?
                } else {
                    self.keeps(id)?
                };
                if keeps && !take(id)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn records(&self, take: &mut Take<'_>) -> Result<(), ReadError> {
        let (deleted, predicate) = (self.query.deleted, &self.query.predicate);
        for (id, head) in self.snapshot.heads_in(self.query.ty, self.chosen.bounds) {
            let found = self.snapshot.view(self.query.ty, id, head, |view| {
                Ok(deleted.shows_state(view.header.deleted) && predicate.holds(&view)?)
            })?;
            if found == Some(true) && !take(id)? {
                break;
            }
        }
        Ok(())
    }

    /// How many records have the condition; counting may end at `enough`.
    pub(crate) fn count(&self, enough: u64) -> Result<u64, ReadError> {
        let until = self.snapshot.until.lsn;
        if self.chosen.rest == Predicate::Always {
            match &self.chosen.way {
                Way::Index { at, ranges } if !self.forgets() => {
                    let index = &self.chosen.table.indexes[*at];
                    let counts = ranges.iter().map(|range| index.count(range, until));
                    if let Some(count) = counts.sum::<Option<u64>>() {
                        return Ok(count);
                    }
                }
                Way::Columns(filter) => {
                    if let Some(count) = self.count_bits(filter) {
                        return Ok(count);
                    }
                }
                Way::Nothing
                | Way::Index { .. }
                | Way::Numbers(_)
                | Way::Ordered { .. }
                | Way::Records => {}
            }
        }
        let mut count = 0;
        self.each(&mut |_| {
            count += 1;
            Ok(count < enough)
        })?;
        Ok(count)
    }

    /// Counts in whole chunks; `None` if a record is newer than the snapshot.
    fn count_bits(&self, filter: &Filter) -> Option<u64> {
        let columns = &self.chosen.table.columns;
        let mut count = 0;
        for (first, chunk) in columns.chunks() {
            if chunk.stale(self.snapshot.until.lsn).is_some() {
                return None;
            }
            let bits = filter.bits(columns, chunk, first);
            for (word, bits) in bits.iter().enumerate() {
                let shown = match self.query.deleted {
                    Deleted::Hide => chunk.live[word],
                    Deleted::Only => chunk.deleted[word],
                    Deleted::Include => chunk.live[word] | chunk.deleted[word],
                };
                count += u64::from((bits & shown).count_ones());
            }
        }
        Some(count)
    }

    /// The numbers of the answer in its order, `skip` and `limit` applied.
    pub(crate) fn ids(&self) -> Result<Vec<EntityId>, ReadError> {
        let skip = usize::try_from(self.query.skip).unwrap_or(usize::MAX);
        let limit = self.query.limit.map_or(usize::MAX, |limit| {
            usize::try_from(limit).unwrap_or(usize::MAX)
        });
        let wanted = skip.saturating_add(limit);
        let mut ids = Vec::new();
        if wanted == skip {
            return Ok(ids);
        }
        let enough = if self.chosen.sort { usize::MAX } else { wanted };
        self.each(&mut |id| {
            ids.push(id);
            Ok(ids.len() < enough)
        })?;
        if self.chosen.sort {
            let mut rows = Vec::with_capacity(ids.len());
            for id in ids {
                rows.extend(self.sort_row(id)?);
            }
            sort(&mut rows, &self.query.order, Some(wanted));
            ids = rows.into_iter().map(|row| row.id).collect();
        }
        ids.drain(..skip.min(ids.len()));
        ids.truncate(limit);
        Ok(ids)
    }

    fn sort_row(&self, id: EntityId) -> Result<Option<SortRow>, ReadError> {
        let order = &self.query.order;
        if let Some(slot) = self.slot(id)
            && let Ok(row) = SortRow::of(&slot, id, order)
        {
            return Ok(Some(row));
        }
        self.view(id, |view| SortRow::of(&view, id, order))
    }

    fn slot(&self, id: EntityId) -> Option<crate::query::columns::Slot<'_>> {
        if self.snapshot.until.time_ms.is_some() {
            return None;
        }
        let columns = &self.chosen.table.columns;
        columns.slot(id, self.snapshot.until.lsn)
    }

    /// Looks at one column of a record of the answer.
    pub(crate) fn value(
        &self,
        id: EntityId,
        column: Column,
        visit: &mut dyn FnMut(&ValueRef<'_>),
    ) -> Result<(), ReadError> {
        if let Some(slot) = self.slot(id)
            && let Ok(value) = slot.value(column)
        {
            visit(&value);
            return Ok(());
        }
        self.view(id, |view| {
            visit(&view.value(column)?);
            Ok(())
        })?;
        Ok(())
    }
}
