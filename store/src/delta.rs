//! What the batch under construction changes, on top of the published index.
//!
//! Transactions of one batch are checked against each other through it. What must stay true: it is applied to the
//! index exactly when the batch is durable, and thrown away when it is not.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use foldhash::fast::RandomState;

use crate::apply::{Effect, apply};
use crate::codec::record::{FieldNo, Place, TypeNo};
use crate::error::ReadError;
use crate::index::{Referrer, UniqueKey};
use crate::query::tables::Touched;
use crate::shared::{Shared, Until};
use crate::times::TimeEntry;
use crate::value::{EntityId, FieldIx, Lsn, Record, TypeIx};

/// A record changed in this batch; `None` when it was destroyed.
type Changed = Option<(Arc<Record>, Place)>;

/// The changes of a batch.
#[derive(Default)]
pub(crate) struct Delta {
    records: HashMap<(TypeIx, EntityId), Changed, RandomState>,
    unique: HashMap<(TypeNo, FieldNo, UniqueKey), Option<EntityId>, RandomState>,
    /// `true`: links now; `false`: does not link any more.
    referrers: HashMap<(TypeNo, EntityId), BTreeMap<Referrer, bool>, RandomState>,
    /// What the published index will be given, in the order of the log,
    effects: Vec<Effect>,
    /// and what its tables will be given.
    touched: Vec<Touched>,
    /// The frames of the batch.
    frames: Vec<TimeEntry>,
    last_lsn: Lsn,
}

impl Delta {
    /// Takes over a transaction that is in the batch now, in `frame`: each of its records with what it changes. The list
    /// is empty afterwards.
    pub(crate) fn add(&mut self, frame: TimeEntry, transaction: &mut Vec<(Arc<Record>, Effect)>) {
        let lsn = frame.lsn;
        for (_, effect) in &*transaction {
            for (field, key) in &effect.given_up.keys {
                let slot = (effect.ty, *field, key.clone());
                self.unique.insert(slot, None);
            }
            for (target, referrer) in &effect.given_up.links {
                let held = self.referrers.entry(*target).or_default();
                held.insert(*referrer, false);
            }
        }
        for (record, effect) in transaction.drain(..) {
            for (field, key) in &effect.taken.keys {
                let slot = (effect.ty, *field, key.clone());
                self.unique.insert(slot, Some(effect.id));
            }
            for (target, referrer) in &effect.taken.links {
                let held = self.referrers.entry(*target).or_default();
                held.insert(*referrer, true);
            }
            self.touched.push(Touched {
                ty: record.ty,
                id: record.id,
                lsn,
                before: effect.before.clone(),
                after: effect.head.map(|_| record.clone()),
            });
            let key = (record.ty, record.id);
            let now = effect.head.map(|head| (record, head.place));
            self.records.insert(key, now);
            self.effects.push(effect);
        }
        self.last_lsn = lsn;
        self.frames.push(frame);
    }

    /// Forgets the batch, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.records.clear();
        self.unique.clear();
        self.referrers.clear();
        self.effects.clear();
        self.touched.clear();
        self.frames.clear();
    }

    /// Makes the batch part of the published state.
    pub(crate) fn publish(&mut self, shared: &Shared) {
        let effects = self.effects.drain(..);
        let frames = self.frames.drain(..);
        shared.tables.publish(shared, &self.touched, || {
            let mut state = shared.state_mut();
            let destroys = effects.as_slice().iter();
            let destroyed = destroys.filter(|effect| effect.head.is_none()).count();
            shared
                .destroys
                .fetch_add(destroyed as u64, Ordering::Release);
            apply(&mut state.index, effects);
            frames.for_each(|frame| state.times.note(frame));
            state.published = state.published.max(self.last_lsn);
        });
    }
}

/// The newest state: published plus the batch so far.
pub(crate) struct Newest<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) delta: &'a Delta,
}

impl Newest<'_> {
    /// The newest version of a record and where it stands.
    pub(crate) fn record(
        &self,
        ty: TypeIx,
        id: EntityId,
    ) -> Result<Option<Arc<Record>>, ReadError> {
        if let Some(changed) = self.delta.records.get(&(ty, id)) {
            return Ok(changed.as_ref().map(|(record, _)| record.clone()));
        }
        let (head, segments) = {
            let state = self.shared.state();
            match state.index.head(self.shared.mapping.number(ty), id) {
                Some(head) => (head, state.segments.clone()),
                None => return Ok(None),
            }
        };
        Ok(self
            .shared
            .record_at(&segments, ty, id, head, Until::lsn(head.lsn))?
            .map(Arc::new))
    }

    /// Where the newest version of a record stands.
    pub(crate) fn place(&self, ty: TypeIx, id: EntityId) -> Option<Place> {
        match self.delta.records.get(&(ty, id)) {
            Some(changed) => changed.as_ref().map(|(_, place)| *place),
            None => self
                .shared
                .state()
                .index
                .head(self.shared.mapping.number(ty), id)
                .map(|head| head.place),
        }
    }

    /// Whether a record exists and is not deleted.
    pub(crate) fn is_live(&self, ty: TypeIx, id: EntityId) -> bool {
        match self.delta.records.get(&(ty, id)) {
            Some(changed) => changed
                .as_ref()
                .is_some_and(|(record, _)| !record.is_deleted()),
            None => {
                let number = self.shared.mapping.number(ty);
                self.shared
                    .state()
                    .index
                    .head(number, id)
                    .is_some_and(|head| !head.deleted)
            }
        }
    }

    /// The live record that holds a unique value.
    pub(crate) fn holder(
        &self,
        ty: TypeIx,
        field: FieldIx,
        key: &UniqueKey,
    ) -> Result<Option<EntityId>, ReadError> {
        let mapping = self.shared.mapping.type_mapping(ty);
        let number = mapping.fields[field.0 as usize];
        match self
            .delta
            .unique
            .get(&(mapping.number, number, key.clone()))
        {
            Some(holder) => Ok(*holder),
            None => self.shared.tables.holder(self.shared, ty, field, key),
        }
    }

    /// The live records that link to a record.
    pub(crate) fn referrers(&self, ty: TypeIx, id: EntityId) -> Result<Vec<Referrer>, ReadError> {
        let target = (self.shared.mapping.number(ty), id);
        let stored = self.shared.tables.referrers(self.shared, ty, id)?;
        let mut found: BTreeSet<Referrer> = stored.into_iter().collect();
        for (referrer, links) in self.delta.referrers.get(&target).into_iter().flatten() {
            if *links {
                found.insert(*referrer);
            } else {
                found.remove(referrer);
            }
        }
        Ok(found.into_iter().collect())
    }
}
