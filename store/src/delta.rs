//! What the batch under construction changes, on top of the published index.
//!
//! Transactions of one batch are checked against each other through it. What must stay true: it is applied to the
//! index exactly when the batch is durable, and thrown away when it is not.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::codec::record::{FieldNo, Place, TypeNo};
use crate::error::ReadError;
use crate::index::{Head, Referrer, UniqueKey};
use crate::rules::PlannedWrite;
use crate::shared::{Shared, State, Until};
use crate::value::{EntityId, Lsn, Record, TypeIx};

/// A record changed in this batch; `None` when it was destroyed.
#[derive(Clone)]
struct Changed {
    lsn: Lsn,
    now: Option<(Arc<Record>, Place)>,
}

/// The changes of a batch.
#[derive(Default)]
pub(crate) struct Delta {
    records: HashMap<(TypeIx, EntityId), Changed>,
    types: HashMap<TypeIx, Lsn>,
    unique: HashMap<(TypeNo, FieldNo, UniqueKey), Option<EntityId>>,
    /// `true`: links now; `false`: does not link any more.
    referrers: HashMap<(TypeNo, EntityId), BTreeMap<Referrer, bool>>,
    last_lsn: Lsn,
}

impl Delta {
    /// Takes over one write of a transaction that is in the batch now.
    pub(crate) fn apply(
        &mut self,
        shared: &Shared,
        write: &PlannedWrite,
        record: Arc<Record>,
        place: Place,
    ) {
        let (ty, id, lsn) = (write.ty, write.id, record.lsn);
        let number = shared.mapping.number(ty);
        if shared.is_indexed(ty) {
            if let Some(base) = write.base.as_ref().filter(|base| !base.is_deleted()) {
                self.claims(shared, number, id, ty, &base.fields, false);
            }
            if !record.is_deleted() {
                self.claims(shared, number, id, ty, &record.fields, true);
            }
        }
        let now = (!write.is_destroy()).then_some((record, place));
        self.records.insert((ty, id), Changed { lsn, now });
        self.types.insert(ty, lsn);
        self.last_lsn = lsn;
    }

    fn claims(
        &mut self,
        shared: &Shared,
        number: TypeNo,
        id: EntityId,
        ty: TypeIx,
        fields: &[crate::value::FieldValue],
        holds: bool,
    ) {
        for (_, field, key) in shared.unique_keys(ty, fields) {
            let slot = self.unique.entry((number, field, key)).or_insert(None);
            // A value may change hands inside one transaction: giving it up must not undo the new claim.
            if holds {
                *slot = Some(id);
            } else if slot.is_none_or(|holder| holder == id) {
                *slot = None;
            }
        }
        for (_, field, target, target_id) in shared.links(ty, fields) {
            let target = (shared.mapping.number(target), target_id);
            self.referrers.entry(target).or_default().insert(
                Referrer {
                    ty: number,
                    field,
                    id,
                },
                holds,
            );
        }
    }

    /// Makes the batch part of the published state.
    pub(crate) fn publish(self, shared: &Shared, state: &mut State) {
        for ((ty, id), changed) in self.records {
            let index = state.index.ty_mut(shared.mapping.number(ty));
            match changed.now {
                Some((record, place)) => {
                    let deleted = record.is_deleted();
                    index.set(
                        id,
                        Head {
                            place,
                            lsn: changed.lsn,
                            version: record.version,
                            deleted,
                        },
                    );
                }
                None => index.forget(id, changed.lsn),
            }
        }
        for ((ty, field, key), holder) in self.unique {
            let holders = state.index.ty_mut(ty).unique.entry(field).or_default();
            match holder {
                Some(id) => holders.insert(key, id),
                None => holders.remove(&key),
            };
        }
        for (target, changes) in self.referrers {
            let held = state.index.referrers.entry(target).or_default();
            for (referrer, links) in changes {
                if links {
                    held.insert(referrer);
                } else {
                    held.remove(&referrer);
                }
            }
            if held.is_empty() {
                state.index.referrers.remove(&target);
            }
        }
        state.published = state.published.max(self.last_lsn);
    }
}

/// The newest state: published plus the batch so far.
pub(crate) struct Newest<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) delta: &'a Delta,
}

impl Newest<'_> {
    /// The transaction that last changed a record.
    pub(crate) fn record_lsn(&self, ty: TypeIx, id: EntityId) -> Lsn {
        match self.delta.records.get(&(ty, id)) {
            Some(changed) => changed.lsn,
            None => self
                .shared
                .state()
                .index
                .last_lsn(self.shared.mapping.number(ty), id),
        }
    }

    /// The transaction that last changed any record of a type.
    pub(crate) fn type_lsn(&self, ty: TypeIx) -> Lsn {
        let published = self
            .shared
            .state()
            .index
            .ty(self.shared.mapping.number(ty))
            .map_or(Lsn(0), |ty| ty.last_lsn);
        self.delta.types.get(&ty).copied().unwrap_or(published)
    }

    /// The newest version of a record and where it stands.
    pub(crate) fn record(
        &self,
        ty: TypeIx,
        id: EntityId,
    ) -> Result<Option<Arc<Record>>, ReadError> {
        if let Some(changed) = self.delta.records.get(&(ty, id)) {
            return Ok(changed.now.as_ref().map(|(record, _)| record.clone()));
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
            Some(changed) => changed.now.as_ref().map(|(_, place)| *place),
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
                .now
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
    pub(crate) fn holder(&self, ty: TypeNo, field: FieldNo, key: &UniqueKey) -> Option<EntityId> {
        match self.delta.unique.get(&(ty, field, key.clone())) {
            Some(holder) => *holder,
            None => self.shared.state().index.holder(ty, field, key),
        }
    }

    /// The live records that link to a record.
    pub(crate) fn referrers(&self, ty: TypeIx, id: EntityId) -> Vec<Referrer> {
        let target = (self.shared.mapping.number(ty), id);
        let mut found: BTreeSet<Referrer> = self
            .shared
            .state()
            .index
            .referrers
            .get(&target)
            .cloned()
            .unwrap_or_default();
        for (referrer, links) in self.delta.referrers.get(&target).into_iter().flatten() {
            if *links {
                found.insert(*referrer);
            } else {
                found.remove(referrer);
            }
        }
        found.into_iter().collect()
    }
}
