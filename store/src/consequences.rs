//! What deleting a record does to the records that link to it, as one transaction sees it.
//!
//! The committer applies the on-delete rules to the newest state (`rules.rs`) and decides. Asking here before a deletion
//! lets whoever deletes see the effect, or the refusal, where the deletion stands. What must stay true: for a transaction
//! that nobody clashes with, both come to the same.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::error::{ConstraintError, ConstraintRule, ReadError};
use crate::rules::without_link;
use crate::schema::OnDelete;
use crate::transaction::Transaction;
use crate::value::{EntityId, FieldIx, FieldValue, TypeIx};

type Key = (TypeIx, EntityId);

/// What a deletion brings with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Consequences {
    /// Records that are deleted too.
    pub deleted: Vec<(TypeIx, EntityId)>,
    /// Records that lose links, with the fields they have then.
    pub unlinked: Vec<(TypeIx, EntityId, Vec<FieldValue>)>,
}

impl Transaction {
    /// What deleting a live record does by the `on_delete` rules of the links to it, or the link that forbids it. That no
    /// other record links to it is not in the read set: the committer applies the rules again.
    ///
    /// # Errors
    /// When a record that may hold such a link cannot be read.
    pub fn consequences(
        &mut self,
        ty: TypeIx,
        id: EntityId,
    ) -> Result<Result<Consequences, ConstraintError>, ReadError> {
        let mut order = vec![(ty, id)];
        let mut gone = BTreeSet::from([(ty, id)]);
        let mut next = 0;
        while let Some(target) = order.get(next).copied() {
            next += 1;
            for (holder, _, rule) in self.live_referrers(target)? {
                if rule == OnDelete::Cascade && gone.insert(holder) {
                    order.push(holder);
                }
            }
        }
        let mut unlinked: BTreeMap<Key, Vec<FieldValue>> = BTreeMap::new();
        for target in &order {
            for (holder, field, rule) in self.live_referrers(*target)? {
                if rule != OnDelete::SetNone || gone.contains(&holder) {
                    continue;
                }
                let fields = match unlinked.entry(holder) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => {
                        let record = self.get(holder.0, holder.1)?;
                        new.insert(
                            record
                                .map(|record| record.fields.clone())
                                .unwrap_or_default(),
                        )
                    }
                };
                let def =
                    &self.snapshot().shared.schema.type_def(holder.0).fields[field.0 as usize];
                if let Some(value) = fields.get_mut(field.0 as usize) {
                    *value = without_link(value, &def.ty, *target);
                    if def.required && value.is_none() {
                        return Ok(Err(self.violation(holder, field, ConstraintRule::Required)));
                    }
                }
            }
        }
        for target in &order {
            for (holder, field, rule) in self.live_referrers(*target)? {
                if rule == OnDelete::Restrict && !gone.contains(&holder) {
                    return Ok(Err(self.forbids(holder, field, *target)));
                }
            }
        }
        let unlinked = unlinked.into_iter();
        Ok(Ok(Consequences {
            deleted: order.split_off(1),
            unlinked: unlinked
                .map(|((ty, id), fields)| (ty, id, fields))
                .collect(),
        }))
    }

    /// The live records that link to one, with the field and its rule.
    fn live_referrers(&mut self, target: Key) -> Result<Vec<(Key, FieldIx, OnDelete)>, ReadError> {
        let mut found = Vec::new();
        for (holder, field) in self.possible_referrers(target.0, target.1)? {
            let rule = {
                let def = self.snapshot().shared.schema.type_def(holder.0);
                def.fields[field.0 as usize].on_delete
            };
            let links = self
                .get(holder.0, holder.1)?
                .is_some_and(|record| record.field(field).links_to(target.0, target.1));
            if links {
                found.push((holder, field, rule));
            }
        }
        Ok(found)
    }

    fn forbids(&self, holder: Key, field: FieldIx, target: Key) -> ConstraintError {
        let rule = ConstraintRule::Restrict {
            target: self.snapshot().shared.type_name(target.0).to_owned(),
            target_id: target.1,
        };
        self.violation(holder, field, rule)
    }

    fn violation(&self, holder: Key, field: FieldIx, rule: ConstraintRule) -> ConstraintError {
        let def = self.snapshot().shared.schema.type_def(holder.0);
        ConstraintError {
            entity: def.name.clone(),
            id: holder.1,
            field: def.fields[field.0 as usize].name.clone(),
            rule,
        }
    }
}
