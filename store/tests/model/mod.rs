//! The judge of the store's tests: a `BTreeMap` that says what the data must be, and a seeded workload for both.
//!
//! It stands in a module of its own so that every test file is one theme. What must stay true: it shares no code with
//! the store, and a state is compared whole (live, deleted, every version), never by samples.
#![allow(dead_code, reason = "each test file uses its part of the model")]

use std::collections::BTreeMap;
use std::sync::Arc;

use flin_store::{
    CommitOutcome, Deleted, Disk, EntityId, FieldDef, FieldType, FieldValue, OnDelete, Opened,
    Schema, Snapshot, Store, StoreOptions, Transaction, TypeDef, TypeIx,
};
use flin_testkit::rng::Rng;

/// `Note { text, size, next: Note on_delete(set_none) }`
pub(crate) const NOTE: TypeIx = TypeIx(0);
/// `Tag { name unique, note: Note on_delete(cascade) }`
pub(crate) const TAG: TypeIx = TypeIx(1);

/// The schema of most tests.
pub(crate) fn schema() -> Schema {
    let note = TypeDef {
        name: "Note".into(),
        fields: vec![
            FieldDef::new("text", FieldType::Text),
            FieldDef::new("size", FieldType::Int),
            FieldDef::new("next", FieldType::Ref("Note".into())).on_delete(OnDelete::SetNone),
        ],
        ..TypeDef::default()
    };
    let tag = TypeDef {
        name: "Tag".into(),
        fields: vec![
            FieldDef::new("name", FieldType::Text).unique(),
            FieldDef::new("note", FieldType::Ref("Note".into())).on_delete(OnDelete::Cascade),
        ],
        ..TypeDef::default()
    };
    Schema {
        types: vec![note, tag],
        ..Schema::default()
    }
}

/// Small segments, so that a few commits roll; no threads.
pub(crate) fn small() -> StoreOptions {
    StoreOptions {
        segment_bytes_min: 8192,
        segment_bytes_max: 8192,
        ..StoreOptions::inline()
    }
}

/// Opens or panics with the reason.
pub(crate) fn open(disk: &Arc<dyn Disk>, options: StoreOptions) -> Opened {
    Store::open(disk.clone(), &schema(), options)
        .unwrap_or_else(|error| panic!("open failed: {error}"))
}

/// Fields of a note.
pub(crate) fn note(text: &str, size: i64) -> Vec<FieldValue> {
    vec![
        FieldValue::text(text),
        FieldValue::Int(size),
        FieldValue::None,
    ]
}

/// Fields of a tag.
pub(crate) fn tag(name: &str, note: Option<EntityId>) -> Vec<FieldValue> {
    vec![
        FieldValue::text(name),
        note.map_or(FieldValue::None, |id| FieldValue::Ref { ty: NOTE, id }),
    ]
}

/// Commits or panics with the outcome.
pub(crate) fn commit(store: &Store, transaction: Transaction) -> flin_store::Lsn {
    match store.commit_wait(transaction, None) {
        CommitOutcome::Committed { lsn, .. } => lsn,
        other => panic!("not committed: {other}"),
    }
}

/// One version in the model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Version {
    pub(crate) fields: Vec<FieldValue>,
    pub(crate) deleted: bool,
}

/// All records with all versions.
pub(crate) type State = BTreeMap<(TypeIx, EntityId), Vec<Version>>;

/// Reads everything there is.
pub(crate) fn state_of(snapshot: &Snapshot, types: &[TypeIx]) -> State {
    let mut state = State::new();
    for ty in types {
        for record in snapshot.scan(*ty, Deleted::Include) {
            let record = record.unwrap_or_else(|error| panic!("scan: {error}"));
            let versions = snapshot
                .history(*ty, record.id)
                .unwrap_or_else(|error| panic!("history: {error}"));
            for (at, version) in versions.iter().enumerate() {
                assert_eq!(
                    version.version as usize,
                    at + 1,
                    "versions count from 1 without gaps"
                );
                assert!(version.updated_at_ms >= version.created_at_ms);
                assert!(at == 0 || version.updated_at_ms >= versions[at - 1].updated_at_ms);
            }
            assert_eq!(
                versions.last(),
                Some(&*record),
                "the newest version is the record"
            );
            let versions = versions.into_iter();
            let versions = versions
                .map(|one| Version {
                    deleted: one.is_deleted(),
                    fields: one.fields,
                })
                .collect();
            state.insert((*ty, record.id), versions);
        }
        let live = state
            .iter()
            .filter(|((of, _), versions)| of == ty && !newest(versions).deleted)
            .count();
        assert_eq!(
            snapshot.count(*ty).expect("count"),
            live as u64,
            "count agrees with the scan"
        );
    }
    state
}

fn newest(versions: &[Version]) -> &Version {
    versions.last().expect("a record has a version")
}

/// A change of one record, decided from the model alone.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Insert(Vec<FieldValue>),
    Update(EntityId, Vec<FieldValue>),
    Delete(EntityId),
    Restore(EntityId),
}

/// The steps of one transaction on notes, and what they make of the model. Ids are given by the store.
pub(crate) fn steps(rng: &mut Rng, state: &State) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut touched = Vec::new();
    for _ in 0..1 + rng.below(3) {
        let text = "x".repeat(rng.below(900));
        let fields = note(&format!("{text}{}", rng.below(1000)), rng.below(100) as i64);
        let known: Vec<_> = state
            .iter()
            .filter(|((_, id), _)| !touched.contains(id))
            .collect();
        if known.is_empty() || rng.one_in(3) {
            steps.push(Step::Insert(fields));
            continue;
        }
        let ((_, id), versions) = *rng.pick(&known);
        touched.push(*id);
        steps.push(match (newest(versions).deleted, rng.one_in(3)) {
            (true, _) => Step::Restore(*id),
            (false, true) => Step::Delete(*id),
            (false, false) => Step::Update(*id, fields),
        });
    }
    steps
}

/// Does the steps in a transaction and in the model.
pub(crate) fn perform(transaction: &mut Transaction, steps: &[Step], state: &mut State) {
    for step in steps {
        match step {
            Step::Insert(fields) => {
                let id = transaction.insert(NOTE, fields.clone()).expect("insert");
                let first = Version {
                    fields: fields.clone(),
                    deleted: false,
                };
                let before = state.insert((NOTE, id), vec![first]);
                assert!(before.is_none(), "ids are new");
            }
            Step::Update(id, fields) => {
                transaction
                    .update(NOTE, *id, fields.clone())
                    .expect("update");
                let version = Version {
                    fields: fields.clone(),
                    deleted: false,
                };
                state.get_mut(&(NOTE, *id)).expect("known").push(version);
            }
            Step::Delete(id) => {
                transaction.delete(NOTE, *id).expect("delete");
                push_deleted(state, *id, true);
            }
            Step::Restore(id) => {
                transaction.restore(NOTE, *id).expect("restore");
                push_deleted(state, *id, false);
            }
        }
    }
}

fn push_deleted(state: &mut State, id: EntityId, deleted: bool) {
    let versions = state.get_mut(&(NOTE, id)).expect("known");
    let fields = newest(versions).fields.clone();
    versions.push(Version { fields, deleted });
}
