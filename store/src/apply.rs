//! Applying: what an accepted transaction makes of the index.
//!
//! A pure function of the transaction's changes: no disk, no clock. So every copy of one log comes to the same state.
//! What must stay true: a transaction is applied whole, and only when it is durable. (Indexes and columns are kept beside,
//! in `query/tables.rs`; what unique values and links a transaction changes is said here for those behind it in the batch.)

use std::sync::Arc;

use crate::codec::record::{FieldNo, Place, TypeNo};
use crate::index::{Head, Index, Referrer, UniqueKey};
use crate::rules::PlannedWrite;
use crate::shared::Shared;
use crate::value::{EntityId, Lsn, Record};

/// The record that a link goes to.
pub(crate) type Target = (TypeNo, EntityId);

/// What one written record changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RuleChanges {
    /// Unique values.
    pub(crate) keys: Vec<(FieldNo, UniqueKey)>,
    /// Links to other records.
    pub(crate) links: Vec<(Target, Referrer)>,
}

/// One record of an accepted transaction.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Effect {
    pub(crate) ty: TypeNo,
    pub(crate) id: EntityId,
    pub(crate) lsn: Lsn,
    /// When it was committed.
    pub(crate) time_ms: i64,
    /// Where the newest version stands; `None` once destroyed.
    pub(crate) head: Option<Head>,
    /// The version before, for indexes and columns.
    pub(crate) before: Option<Arc<Record>>,
    /// What the version before held.
    pub(crate) given_up: RuleChanges,
    /// What this version holds.
    pub(crate) taken: RuleChanges,
}

/// What a planned write changes, once it is accepted as `record` at `place`.
pub(crate) fn effect(
    shared: &Shared,
    write: &PlannedWrite,
    record: &Record,
    place: Place,
) -> Effect {
    let number = shared.mapping.number(write.ty);
    let of_version = |version: Option<&Record>| match version {
        Some(version) if !version.is_deleted() && shared.is_indexed(write.ty) => {
            rule_changes(shared, number, version)
        }
        Some(_) | None => RuleChanges::default(),
    };
    Effect {
        ty: number,
        id: write.id,
        lsn: record.lsn,
        time_ms: record.updated_at_ms,
        head: (!write.is_destroy()).then(|| Head {
            place,
            lsn: record.lsn,
            version: record.version,
            deleted: record.is_deleted(),
        }),
        before: write.base.clone(),
        given_up: of_version(write.base.as_deref()),
        taken: of_version(Some(record)),
    }
}

fn rule_changes(shared: &Shared, number: TypeNo, record: &Record) -> RuleChanges {
    let keys = shared.unique_keys(record.ty, &record.fields).into_iter();
    let links = shared.links(record.ty, &record.fields).into_iter();
    RuleChanges {
        keys: keys.map(|(_, field, key)| (field, key)).collect(),
        links: links
            .map(|(_, field, target, target_id)| {
                let referrer = Referrer {
                    ty: number,
                    field,
                    id: record.id,
                };
                ((shared.mapping.number(target), target_id), referrer)
            })
            .collect(),
    }
}

/// Applies accepted transactions, whole ones, in the order of the log.
pub(crate) fn apply(index: &mut Index, effects: impl IntoIterator<Item = Effect>) {
    for effect in effects {
        let ty = index.ty_mut(effect.ty);
        match effect.head {
            Some(head) => ty.set(effect.id, head),
            None => ty.forget(effect.id, effect.lsn, effect.time_ms),
        }
    }
}
