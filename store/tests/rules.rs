//! Unique, reference and on-delete rules, inside one transaction, inside one batch, and after a reopen.

mod model;

use std::sync::Arc;

use flin_store::{
    CommitOutcome, ConstraintError, ConstraintRule, Disk, EntityId, FieldDef, FieldIx, FieldType,
    FieldValue, MemoryDisk, OnDelete, Schema, Store, StoreOptions, TypeDef, TypeIx,
};
use model::{NOTE, TAG, commit, note, open, tag};

const NAME: FieldIx = FieldIx(0);

fn store() -> (Arc<dyn Disk>, Store) {
    let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
    let store = open(&disk, StoreOptions::inline()).store;
    (disk, store)
}

fn refused(outcome: CommitOutcome) -> ConstraintError {
    match outcome {
        CommitOutcome::Constraint(error) => error,
        other => panic!("expected a broken rule, found: {other}"),
    }
}

#[test]
fn a_unique_value_has_one_live_holder() {
    let (disk, store) = store();
    let mut transaction = store.begin();
    transaction.insert(TAG, tag("red", None)).expect("insert");
    transaction
        .insert(TAG, vec![FieldValue::None, FieldValue::None])
        .expect("insert");
    transaction
        .insert(TAG, vec![FieldValue::None, FieldValue::None])
        .expect("none is no value");
    commit(&store, transaction);
    red_is_taken(&store);
    store.close().expect("close");
    red_is_taken(&open(&disk, StoreOptions::inline()).store);
}

fn red_is_taken(store: &Store) {
    let mut transaction = store.begin();
    let second = transaction.insert(TAG, tag("red", None)).expect("insert");
    let error = refused(store.commit_wait(transaction, None));
    assert_eq!(
        (error.entity.as_str(), error.id, error.field.as_str()),
        ("Tag", second, "name")
    );
    let rule = ConstraintRule::Unique {
        holder: EntityId(1),
    };
    assert_eq!((error.rule.name(), &error.rule), ("unique", &rule));
    assert_eq!(
        error.to_string(),
        "Tag.name must be unique, and Tag 1 already has this value"
    );
    let found = store
        .snapshot()
        .find_unique(TAG, NAME, &FieldValue::text("red"))
        .expect("find");
    assert_eq!(found.expect("there").id, EntityId(1));
}

#[test]
fn deleting_frees_a_unique_value_and_restoring_checks_again() {
    let (_, store) = store();
    let mut transaction = store.begin();
    let first = transaction.insert(TAG, tag("red", None)).expect("insert");
    commit(&store, transaction);
    let before = store.snapshot();
    let mut transaction = store.begin();
    transaction.delete(TAG, first).expect("delete");
    assert_eq!(
        transaction
            .find_unique(TAG, NAME, &FieldValue::text("red"))
            .expect("find"),
        None
    );
    let second = transaction.insert(TAG, tag("red", None)).expect("insert");
    commit(&store, transaction);
    assert_eq!(
        store
            .snapshot()
            .find_unique(TAG, NAME, &FieldValue::text("red"))
            .expect("find")
            .expect("there")
            .id,
        second
    );
    let old = before
        .find_unique(TAG, NAME, &FieldValue::text("red"))
        .expect("find");
    assert_eq!(
        old.expect("an older snapshot finds the older holder").id,
        first
    );
    let mut transaction = store.begin();
    transaction.restore(TAG, first).expect("restore");
    assert_eq!(
        refused(store.commit_wait(transaction, None)).rule,
        ConstraintRule::Unique { holder: second }
    );
}

#[test]
fn a_unique_value_may_change_hands_inside_a_transaction() {
    let (_, store) = store();
    let mut transaction = store.begin();
    let red = transaction.insert(TAG, tag("red", None)).expect("insert");
    let blue = transaction.insert(TAG, tag("blue", None)).expect("insert");
    commit(&store, transaction);
    let mut transaction = store.begin();
    transaction
        .update(TAG, red, tag("blue", None))
        .expect("update");
    transaction
        .update(TAG, blue, tag("red", None))
        .expect("update");
    commit(&store, transaction);
    let holder = |name: &str| {
        store
            .snapshot()
            .find_unique(TAG, NAME, &FieldValue::text(name))
            .expect("find")
            .expect("there")
            .id
    };
    assert_eq!((holder("red"), holder("blue")), (blue, red));
    let mut transaction = store.begin();
    transaction
        .update(TAG, red, tag("green", None))
        .expect("update");
    transaction
        .update(TAG, blue, tag("green", None))
        .expect("update");
    assert_eq!(refused(store.commit_wait(transaction, None)).id, blue);
}

#[test]
fn a_batch_is_checked_against_itself() {
    let (_, store) = store();
    let insert = |name: &str| {
        let mut transaction = store.begin();
        transaction.insert(TAG, tag(name, None)).expect("insert");
        (transaction, None)
    };
    let outcomes = store.commit_all(vec![insert("a"), insert("a"), insert("b")]);
    assert!(matches!(outcomes[0], CommitOutcome::Committed { .. }));
    assert!(matches!(outcomes[1], CommitOutcome::Constraint(_)));
    assert!(matches!(outcomes[2], CommitOutcome::Committed { .. }));
    let update = |name: &str| {
        let mut transaction = store.begin();
        transaction
            .update(TAG, EntityId(1), tag(name, None))
            .expect("update");
        (transaction, None)
    };
    let outcomes = store.commit_all(vec![update("c"), update("d")]);
    assert!(matches!(outcomes[0], CommitOutcome::Committed { .. }));
    assert!(
        matches!(outcomes[1], CommitOutcome::Clash),
        "two updates of one record: the second runs again"
    );
    assert_eq!(
        store
            .snapshot()
            .history(TAG, EntityId(1))
            .expect("history")
            .len(),
        2
    );
}

#[test]
fn an_absence_that_was_read_is_protected() {
    let (_, store) = store();
    let find_then_insert = |other: &str| {
        let mut transaction = store.begin();
        assert_eq!(
            transaction
                .find_unique(TAG, NAME, &FieldValue::text("wanted"))
                .expect("find"),
            None
        );
        transaction.insert(TAG, tag(other, None)).expect("insert");
        transaction
    };
    let waiting = find_then_insert("because there was none");
    let unaffected = find_then_insert("other");
    commit(&store, unaffected);
    let mut transaction = store.begin();
    transaction
        .insert(TAG, tag("wanted", None))
        .expect("insert");
    commit(&store, transaction);
    assert!(matches!(
        store.commit_wait(waiting, None),
        CommitOutcome::Clash
    ));
}

#[test]
fn a_link_goes_to_a_live_record() {
    let (_, store) = store();
    let mut transaction = store.begin();
    let error = {
        transaction
            .insert(TAG, tag("lost", Some(EntityId(99))))
            .expect("insert");
        refused(store.commit_wait(transaction, None))
    };
    assert_eq!(error.rule.name(), "reference");
    assert_eq!(
        error.to_string(),
        "Tag.note links to Note 99, which does not exist"
    );
    let mut transaction = store.begin();
    let first = transaction.insert(NOTE, note("a", 0)).expect("insert");
    let link = |id| {
        vec![
            FieldValue::None,
            FieldValue::None,
            FieldValue::Ref { ty: NOTE, id },
        ]
    };
    let second = transaction.insert(NOTE, link(first)).expect("insert");
    transaction
        .update(NOTE, first, link(second))
        .expect("records of one transaction may link to each other");
    commit(&store, transaction);
    // The target goes in the same batch, before the link comes.
    let mut gone = store.begin();
    gone.delete(NOTE, first).expect("delete");
    let mut late = store.begin();
    late.insert(TAG, tag("late", Some(first))).expect("insert");
    let outcomes = store.commit_all(vec![(gone, None), (late, None)]);
    assert!(matches!(outcomes[0], CommitOutcome::Committed { .. }));
    assert_eq!(refused(outcomes[1].clone()).rule.name(), "reference");
}

#[test]
fn set_none_and_cascade_follow_a_deletion() {
    let (disk, store) = store();
    let mut transaction = store.begin();
    let target = transaction.insert(NOTE, note("target", 0)).expect("insert");
    let linking = vec![
        FieldValue::text("linking"),
        FieldValue::None,
        FieldValue::Ref {
            ty: NOTE,
            id: target,
        },
    ];
    let linking = transaction.insert(NOTE, linking).expect("insert");
    let tagged = transaction
        .insert(TAG, tag("goes too", Some(target)))
        .expect("insert");
    let other = transaction
        .insert(TAG, tag("stays", Some(linking)))
        .expect("insert");
    commit(&store, transaction);
    store.close().expect("close");
    let store = open(&disk, StoreOptions::inline()).store;
    let mut transaction = store.begin();
    transaction.delete(NOTE, target).expect("delete");
    let CommitOutcome::Committed { event, .. } = store.commit_wait(transaction, None) else {
        panic!("commits")
    };
    let changed: Vec<_> = event
        .changes
        .iter()
        .map(|change| (change.ty, change.id, change.op.name()))
        .collect();
    assert_eq!(
        changed,
        [
            (NOTE, target, "delete"),
            (TAG, tagged, "delete"),
            (NOTE, linking, "update")
        ]
    );
    let snapshot = store.snapshot();
    assert!(
        snapshot
            .get(NOTE, linking)
            .expect("read")
            .expect("there")
            .fields[2]
            .is_none()
    );
    assert!(snapshot.get(TAG, tagged).expect("read").is_none());
    assert!(snapshot.get(TAG, other).expect("read").is_some());
    let mut transaction = store.begin();
    transaction.restore(TAG, tagged).expect("restore");
    assert_eq!(
        refused(store.commit_wait(transaction, None)).rule.name(),
        "reference",
        "its target is still deleted"
    );
}

/// `Boss`, `Worker { boss on_delete, list }`
fn company(on_delete: OnDelete, required: bool) -> (Store, EntityId, EntityId) {
    let boss = FieldType::Ref("Boss".into());
    let mut field = FieldDef::new("boss", boss.clone()).on_delete(on_delete);
    field.required = required;
    let list =
        FieldDef::new("former", FieldType::List(Box::new(boss))).on_delete(OnDelete::SetNone);
    let schema = Schema {
        types: vec![
            TypeDef {
                name: "Boss".into(),
                fields: vec![],
                ..TypeDef::default()
            },
            TypeDef {
                name: "Worker".into(),
                fields: vec![field, list],
                ..TypeDef::default()
            },
        ],
        ..Schema::default()
    };
    let store = Store::open(Arc::new(MemoryDisk::new()), &schema, StoreOptions::inline())
        .expect("open")
        .store;
    let mut transaction = store.begin();
    let boss = transaction.insert(TypeIx(0), vec![]).expect("insert");
    let link = FieldValue::Ref {
        ty: TypeIx(0),
        id: boss,
    };
    let both = FieldValue::List(vec![link.clone(), FieldValue::None, link.clone()]);
    let worker = transaction
        .insert(TypeIx(1), vec![link, both])
        .expect("insert");
    commit(&store, transaction);
    (store, boss, worker)
}

#[test]
fn restrict_refuses_until_the_link_is_gone() {
    let (store, boss, worker) = company(OnDelete::Restrict, false);
    let mut transaction = store.begin();
    transaction.delete(TypeIx(0), boss).expect("delete");
    let error = refused(store.commit_wait(transaction, None));
    assert_eq!(error.rule.name(), "on_delete");
    assert_eq!(
        error.to_string(),
        "Boss 1 cannot be deleted: Worker 1 links to it in boss"
    );
    let mut transaction = store.begin();
    transaction.delete(TypeIx(0), boss).expect("delete");
    transaction.delete(TypeIx(1), worker).expect("delete");
    commit(&store, transaction);
}

#[test]
fn a_required_link_cannot_be_emptied_and_lists_lose_the_item() {
    let (store, boss, _) = company(OnDelete::SetNone, true);
    let mut transaction = store.begin();
    transaction.delete(TypeIx(0), boss).expect("delete");
    let error = refused(store.commit_wait(transaction, None));
    assert_eq!(
        (error.rule.name(), error.field.as_str()),
        ("required", "boss")
    );
    let (store, boss, worker) = company(OnDelete::SetNone, false);
    let mut transaction = store.begin();
    transaction
        .destroy(TypeIx(0), boss)
        .expect("destroying follows the same rules");
    commit(&store, transaction);
    let record = store
        .snapshot()
        .get(TypeIx(1), worker)
        .expect("read")
        .expect("there");
    assert_eq!(
        record.fields,
        [FieldValue::None, FieldValue::List(vec![FieldValue::None])]
    );
}
