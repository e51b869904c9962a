//! From a certified transaction to the records that will be written: on-delete rules, unique and reference rules.
//!
//! All of it runs in the committer, against the newest state and the batch under construction. What must stay true: the
//! state after a transaction that passes obeys every rule.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::codec::record::{FieldNo, Place, RecordOp, TypeNo};
use crate::delta::Newest;
use crate::error::{ConstraintError, ConstraintRule};
use crate::few::FewMap;
use crate::index::UniqueKey;
use crate::outcome::CommitOutcome;
use crate::schema::{FieldType, OnDelete};
use crate::transaction::{Origin, Pending, TransactionParts};
use crate::value::{EntityId, FieldIx, FieldValue, Record, TypeIx};

type Key = (TypeIx, EntityId);

/// One record to write.
#[derive(Clone, Debug)]
pub(crate) struct PlannedWrite {
    pub(crate) ty: TypeIx,
    pub(crate) id: EntityId,
    pub(crate) op: RecordOp,
    pub(crate) version: u32,
    pub(crate) deleted: bool,
    pub(crate) fields: Vec<FieldValue>,
    pub(crate) base: Option<Arc<Record>>,
    pub(crate) previous: Option<Place>,
    pub(crate) origin: Option<Origin>,
}

impl PlannedWrite {
    /// Whether an update only takes values and links out of the record.
    pub(crate) fn lets_go(&self) -> bool {
        self.base.as_ref().is_some_and(|base| {
            let mut fields = base.fields.iter().zip(&self.fields);
            fields.all(|(was, is)| is_left_of(was, is))
        })
    }

    /// When the record was made, if this is committed at `now_ms`.
    pub(crate) fn created_at_ms(&self, now_ms: i64) -> i64 {
        match (
            &self.base,
            self.origin.and_then(|origin| origin.created_at_ms),
        ) {
            (Some(base), _) => base.created_at_ms,
            (None, brought) => brought.unwrap_or(now_ms),
        }
    }

    /// When this version was made, if this is committed at `now_ms`.
    pub(crate) fn updated_at_ms(&self, now_ms: i64) -> i64 {
        let brought = self.origin.and_then(|origin| origin.updated_at_ms);
        brought.unwrap_or(now_ms)
    }

    pub(crate) fn is_destroy(&self) -> bool {
        self.op == RecordOp::Destroy
    }
}

/// So many records are looked through faster than they are put into a set.
const FEW: usize = 16;

struct Planner<'a> {
    newest: &'a Newest<'a>,
    /// Records written, and records only looked at.
    finals: FewMap<Key, Pending>,
    /// Records written, in the order of the log.
    order: Vec<Key>,
    /// The same as a set, once there are more than [`FEW`].
    written: BTreeSet<Key>,
}

/// Checks a transaction and says what to write, or why not.
pub(crate) fn plan(
    newest: &Newest<'_>,
    parts: TransactionParts,
) -> Result<Vec<PlannedWrite>, CommitOutcome> {
    let mut planner = Planner {
        newest,
        written: match parts.order.as_slice() {
            few if few.len() <= FEW => BTreeSet::new(),
            many => many.iter().copied().collect(),
        },
        finals: parts.writes,
        order: parts.order,
    };
    // What was made and unmade in one transaction never existed.
    planner
        .finals
        .retain(|_, pending| pending.exists_elsewhere() || pending.is_live());
    planner.unused()?;
    let gone = planner.cascade()?;
    planner.set_none(&gone)?;
    planner.restrict(&gone)?;
    planner.unique()?;
    planner.references()?;
    Ok(planner.writes())
}

impl Planner<'_> {
    fn violation(&self, key: Key, field: FieldIx, rule: ConstraintRule) -> CommitOutcome {
        let def = self.newest.shared.schema.type_def(key.0);
        CommitOutcome::Constraint(ConstraintError {
            entity: def.name.clone(),
            id: key.1,
            field: def.fields[field.0 as usize].name.clone(),
            rule,
        })
    }

    /// The records that link to `target` in the state this transaction leaves, with the field and its rule.
    fn referrers(&mut self, target: Key) -> Result<Vec<(Key, FieldIx, OnDelete)>, CommitOutcome> {
        let shared = self.newest.shared;
        let mut found = Vec::new();
        let referrers = self.newest.referrers(target.0, target.1);
        for referrer in referrers.map_err(CommitOutcome::Unreadable)? {
            let Some((key, field)) = shared.mapping.place_of(&referrer) else {
                continue;
            };
            if !self.load(key)? {
                continue;
            }
            let pending = &self.finals[&key];
            let still_links = pending
                .fields
                .get(field.0 as usize)
                .is_some_and(|value| value.links_to(target.0, target.1));
            if pending.is_live() && still_links {
                found.push((
                    key,
                    field,
                    shared.schema.type_def(key.0).fields[field.0 as usize].on_delete,
                ));
            }
        }
        Ok(found)
    }

    /// Makes sure that the newest version of a record is among the finals; `false` if there is none. A record that
    /// is only looked at is not in `order` and is not written.
    fn load(&mut self, key: Key) -> Result<bool, CommitOutcome> {
        if self.finals.contains_key(&key) {
            return Ok(true);
        }
        match self
            .newest
            .record(key.0, key.1)
            .map_err(CommitOutcome::Unreadable)?
        {
            Some(base) => {
                let (fields, deleted) = (base.fields.clone(), base.is_deleted());
                self.finals.insert(
                    key,
                    Pending {
                        base: Some(base),
                        fields,
                        deleted,
                        destroyed: false,
                        origin: None,
                    },
                );
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn is_written(&self, key: Key) -> bool {
        if self.order.len() <= FEW {
            self.order.contains(&key)
        } else {
            self.written.contains(&key)
        }
    }

    fn touch(&mut self, key: Key) -> Option<&mut Pending> {
        if !self.is_written(key) {
            self.order.push(key);
            if !self.written.is_empty() {
                self.written.insert(key);
            } else if self.order.len() > FEW {
                self.written.extend(&self.order);
            }
        }
        self.finals.get_mut(&key)
    }

    /// A record from elsewhere never takes the place of one that is here, whoever made it meanwhile.
    fn unused(&self) -> Result<(), CommitOutcome> {
        let from_elsewhere = |pending: &Pending| pending.origin.is_some() && pending.base.is_none();
        for (ty, id) in &self.order {
            if self.finals.get(&(*ty, *id)).is_some_and(from_elsewhere)
                && self.newest.place(*ty, *id).is_some()
            {
                return Err(CommitOutcome::Clash);
            }
        }
        Ok(())
    }

    /// Deletes what must go with what is deleted. Returns everything that was live and is not any more.
    fn cascade(&mut self) -> Result<Vec<Key>, CommitOutcome> {
        let was_live =
            |pending: &Pending| pending.base.as_ref().is_some_and(|base| !base.is_deleted());
        let mut gone: Vec<Key> = Vec::new();
        for key in &self.order {
            if self
                .finals
                .get(key)
                .is_some_and(|pending| was_live(pending) && !pending.is_live())
            {
                gone.push(*key);
            }
        }
        let mut next = 0;
        while let Some(target) = gone.get(next).copied() {
            next += 1;
            for (key, _, rule) in self.referrers(target)? {
                if rule == OnDelete::Cascade
                    && let Some(pending) = self.touch(key)
                    && pending.is_live()
                {
                    pending.deleted = true;
                    gone.push(key);
                }
            }
        }
        Ok(gone)
    }

    fn set_none(&mut self, gone: &[Key]) -> Result<(), CommitOutcome> {
        for target in gone {
            for (key, field, rule) in self.referrers(*target)? {
                if rule != OnDelete::SetNone {
                    continue;
                }
                let shared = self.newest.shared;
                let def = &shared.schema.type_def(key.0).fields[field.0 as usize];
                if let Some(pending) = self.touch(key) {
                    let value = &mut pending.fields[field.0 as usize];
                    *value = without_link(value, &def.ty, *target);
                    if def.required && value.is_none() {
                        return Err(self.violation(key, field, ConstraintRule::Required));
                    }
                }
            }
        }
        Ok(())
    }

    fn restrict(&mut self, gone: &[Key]) -> Result<(), CommitOutcome> {
        for target in gone {
            if let Some((key, field, _)) = self.referrers(*target)?.first() {
                let rule = ConstraintRule::Restrict {
                    target: self.newest.shared.type_name(target.0).to_owned(),
                    target_id: target.1,
                };
                return Err(self.violation(*key, *field, rule));
            }
        }
        Ok(())
    }

    fn unique(&self) -> Result<(), CommitOutcome> {
        let shared = self.newest.shared;
        let mut claimed: HashMap<(TypeNo, FieldNo, UniqueKey), EntityId> = HashMap::new();
        for key in self.order.iter().filter(|key| shared.is_indexed(key.0)) {
            let Some(pending) = self.finals.get(key).filter(|pending| pending.is_live()) else {
                continue;
            };
            let number = shared.mapping.number(key.0);
            for (field, field_no, value) in shared.unique_keys(key.0, &pending.fields) {
                let holder = self.newest.holder(key.0, field, &value);
                let holder = holder.map_err(CommitOutcome::Unreadable)?;
                // A holder that this transaction writes too is judged by its own claim.
                let other = holder.filter(|id| *id != key.1 && !self.is_written((key.0, *id)));
                let other = other.or_else(|| claimed.insert((number, field_no, value), key.1));
                if let Some(holder) = other {
                    return Err(self.violation(*key, field, ConstraintRule::Unique { holder }));
                }
            }
        }
        Ok(())
    }

    fn references(&self) -> Result<(), CommitOutcome> {
        let shared = self.newest.shared;
        for key in self.order.iter().filter(|key| shared.is_indexed(key.0)) {
            let Some(pending) = self.finals.get(key).filter(|pending| pending.is_live()) else {
                continue;
            };
            for (field, _, target, target_id) in shared.links(key.0, &pending.fields) {
                let live = match self.finals.get(&(target, target_id)) {
                    Some(pending) => pending.is_live(),
                    None => self.newest.is_live(target, target_id),
                };
                if !live {
                    let target = shared.type_name(target).to_owned();
                    return Err(self.violation(
                        *key,
                        field,
                        ConstraintRule::Reference { target, target_id },
                    ));
                }
            }
        }
        Ok(())
    }

    fn writes(mut self) -> Vec<PlannedWrite> {
        let mut writes = Vec::with_capacity(self.order.len());
        for (ty, id) in std::mem::take(&mut self.order) {
            let Some(pending) = self.finals.remove(&(ty, id)) else {
                continue;
            };
            let was_deleted = pending.base.as_ref().map(|base| base.is_deleted());
            let op = match (was_deleted, pending.deleted) {
                (Some(_), _) if pending.destroyed => RecordOp::Destroy,
                (None, _) => RecordOp::Create,
                (Some(true), false) => RecordOp::Restore,
                (Some(_), true) => RecordOp::Delete,
                (Some(false), false) => RecordOp::Update,
            };
            let previous = if matches!(op, RecordOp::Create | RecordOp::Destroy) {
                None
            } else {
                self.newest.place(ty, id)
            };
            let (version, deleted) = (pending.version(), pending.deleted || pending.destroyed);
            let Pending {
                base,
                fields,
                origin,
                ..
            } = pending;
            writes.push(PlannedWrite {
                ty,
                id,
                op,
                version,
                deleted,
                fields,
                base,
                previous,
                origin,
            });
        }
        writes
    }
}

/// Whether a value is what can be left of another one: the same, nothing, or a list or map without some of its items.
fn is_left_of(was: &FieldValue, is: &FieldValue) -> bool {
    match (was, is) {
        (_, FieldValue::None) => true,
        (FieldValue::List(was), FieldValue::List(is)) => {
            let mut items = was.iter();
            is.iter().all(|is| items.any(|was| is_left_of(was, is)))
        }
        (FieldValue::Map(was), FieldValue::Map(is)) => {
            let mut entries = was.iter();
            is.iter()
                .all(|(key, is)| entries.any(|(known, was)| known == key && is_left_of(was, is)))
        }
        (was, is) => was == is,
    }
}

/// The value without links to `target`: a link becomes `none`; in a list or map of links it is left out. Where the type
/// says nothing of what is inside, places stay what they are.
pub(crate) fn without_link(value: &FieldValue, ty: &FieldType, target: Key) -> FieldValue {
    let is_link =
        |value: &FieldValue| matches!(value, FieldValue::Ref { ty, id } if (*ty, *id) == target);
    match (value, ty) {
        (value, _) if is_link(value) => FieldValue::None,
        (FieldValue::List(items), FieldType::List(item)) => {
            let kept = items.iter().filter(|value| !is_link(value));
            FieldValue::List(
                kept.map(|value| without_link(value, item, target))
                    .collect(),
            )
        }
        (FieldValue::Map(entries), FieldType::Map(item)) => {
            let kept = entries.iter().filter(|(_, value)| !is_link(value));
            let kept = kept.map(|(key, value)| (key.clone(), without_link(value, item, target)));
            FieldValue::Map(kept.collect())
        }
        (FieldValue::List(items), _) => {
            let inside = |item| without_link(item, &FieldType::Any, target);
            FieldValue::List(items.iter().map(inside).collect())
        }
        (FieldValue::Map(entries), _) => {
            let inside = |(key, item): &(Arc<str>, FieldValue)| {
                (key.clone(), without_link(item, &FieldType::Any, target))
            };
            FieldValue::Map(entries.iter().map(inside).collect())
        }
        (
            FieldValue::Enum {
                name,
                variant,
                payload,
            },
            _,
        ) => {
            let inside = |item| without_link(item, &FieldType::Any, target);
            FieldValue::Enum {
                name: name.clone(),
                variant: variant.clone(),
                payload: payload.iter().map(inside).collect(),
            }
        }
        (
            FieldValue::None
            | FieldValue::Bool(_)
            | FieldValue::Int(_)
            | FieldValue::Float(_)
            | FieldValue::Text(_)
            | FieldValue::Time(_)
            | FieldValue::Duration(_)
            | FieldValue::Bytes(_)
            | FieldValue::Ref { .. },
            _,
        ) => value.clone(),
    }
}
