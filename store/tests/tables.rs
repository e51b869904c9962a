//! Indexes and columns beside writers: what moves inside one transaction, what is destroyed, tables that are built while
//! others commit, and that a table kept up to date and one built from the log answer the same.

mod model;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flin_store::query::{Column, Comparison, Predicate, Query};
use flin_store::{
    Checkpoints, CommitOutcome, CrashChoice, Deleted, Disk, EntityId, FieldDef, FieldIx, FieldType,
    FieldValue, MemoryDisk, Schema, SimDisk, Snapshot, Store, StoreOptions, TypeDef, TypeIx,
};
use model::commit;

const ITEM: TypeIx = TypeIx(0);
const CODE: FieldIx = FieldIx(0);
const SIZE: FieldIx = FieldIx(1);
const FLAG: FieldIx = FieldIx(2);
const NOTE: FieldIx = FieldIx(3);

fn schema() -> Schema {
    let fields = vec![
        FieldDef::new("code", FieldType::Text).unique(),
        FieldDef::new("size", FieldType::Int).queried().ordered(),
        FieldDef::new("flag", FieldType::Bool).queried(),
        FieldDef::new("note", FieldType::Text).ordered(),
    ];
    let item = TypeDef {
        name: "Item".into(),
        fields,
        ..TypeDef::default()
    };
    Schema {
        types: vec![item],
        ..Schema::default()
    }
}

fn open(disk: &Arc<dyn Disk>, options: StoreOptions) -> Store {
    let opened = Store::open(disk.clone(), &schema(), options);
    opened.unwrap_or_else(|error| panic!("open: {error}")).store
}

fn memory() -> Store {
    open(
        &(Arc::new(MemoryDisk::new()) as Arc<dyn Disk>),
        StoreOptions::inline(),
    )
}

fn item(code: &str, size: i64) -> Vec<FieldValue> {
    vec![
        FieldValue::text(code),
        FieldValue::Int(size),
        FieldValue::Bool(size % 2 == 0),
        FieldValue::text(format!("note {}", size % 5)),
    ]
}

fn with(field: FieldIx, comparison: Comparison, value: FieldValue) -> Query {
    Query::all(ITEM).matching(Predicate::compare(Column::Field(field), comparison, value))
}

fn code(text: &str) -> Query {
    with(CODE, Comparison::Eq, FieldValue::text(text))
}

fn ids(snapshot: &Snapshot, query: &Query) -> Vec<u64> {
    let found = snapshot
        .select(query)
        .map(|record| record.expect("read").id.0);
    found.collect()
}

/// Answers of every kind, to compare two stores by.
fn answers(snapshot: &Snapshot) -> Vec<Vec<u64>> {
    let mut answers = Vec::new();
    for size in -1..8 {
        let value = || FieldValue::Int(size);
        answers.push(ids(snapshot, &with(SIZE, Comparison::Eq, value())));
        answers.push(ids(snapshot, &with(SIZE, Comparison::Lt, value())));
        answers.push(ids(snapshot, &code(&format!("code {size}"))));
    }
    for deleted in [Deleted::Hide, Deleted::Only, Deleted::Include] {
        let query = Query {
            deleted,
            ..with(FLAG, Comparison::Eq, FieldValue::Bool(true))
        };
        answers.push(vec![snapshot.count_where(&query).expect("count")]);
        answers.push(ids(snapshot, &query));
    }
    for descending in [false, true] {
        let by_note = Query::all(ITEM).ordered(Column::Field(NOTE), descending);
        answers.push(ids(snapshot, &by_note));
    }
    answers
}

#[test]
fn a_unique_value_moves_inside_one_transaction() {
    let store = memory();
    let mut transaction = store.begin();
    let first = transaction.insert(ITEM, item("a", 1)).expect("insert");
    let second = transaction.insert(ITEM, item("b", 2)).expect("insert");
    let before = commit(&store, transaction);
    assert_eq!(ids(&store.snapshot(), &code("a")), [first.0]);
    let mut transaction = store.begin();
    transaction
        .update(ITEM, first, item("b", 1))
        .expect("update");
    transaction
        .update(ITEM, second, item("a", 2))
        .expect("update");
    commit(&store, transaction);
    let now = store.snapshot();
    assert_eq!(ids(&now, &code("a")), [second.0]);
    assert_eq!(ids(&now, &code("b")), [first.0]);
    assert_eq!(ids(&now.at_lsn(before), &code("a")), [first.0]);
    let holder = now
        .at_lsn(before)
        .find_unique(ITEM, CODE, &FieldValue::text("b"));
    assert_eq!(holder.expect("find").expect("held").id, second);
    let mut transaction = store.begin();
    transaction.delete(ITEM, first).expect("delete");
    let third = transaction.insert(ITEM, item("b", 3)).expect("insert");
    commit(&store, transaction);
    assert_eq!(ids(&store.snapshot(), &code("b")), [third.0]);
    let mut transaction = store.begin();
    transaction.restore(ITEM, first).expect("restore");
    let outcome = store.commit_wait(transaction, None);
    assert!(matches!(outcome, CommitOutcome::Constraint(_)), "{outcome}");
}

#[test]
fn the_creation_path_and_the_change_path_each_keep_every_index() {
    let store = memory();
    // The table is there before the first record: everything below goes through changes.
    assert!(ids(&store.snapshot(), &code("code 1")).is_empty());
    for size in 0..6 {
        let mut transaction = store.begin();
        transaction
            .insert(ITEM, item(&format!("code {size}"), size))
            .expect("insert");
        commit(&store, transaction);
    }
    let created = store.snapshot();
    assert_eq!(
        ids(&created, &with(SIZE, Comparison::Ge, FieldValue::Int(4))),
        [5, 6]
    );
    assert_eq!(ids(&created, &code("code 4")), [5]);
    let mut transaction = store.begin();
    transaction
        .update(ITEM, EntityId(5), item("code 40", 40))
        .expect("update");
    transaction.delete(ITEM, EntityId(6)).expect("delete");
    commit(&store, transaction);
    let changed = store.snapshot();
    assert_eq!(
        ids(&changed, &with(SIZE, Comparison::Ge, FieldValue::Int(4))),
        [5]
    );
    assert_eq!(ids(&changed, &code("code 4")), Vec::<u64>::new());
    assert_eq!(ids(&changed, &code("code 40")), [5]);
    assert_eq!(
        ids(&created, &with(SIZE, Comparison::Ge, FieldValue::Int(4))),
        [5, 6]
    );
    let mut transaction = store.begin();
    transaction.restore(ITEM, EntityId(6)).expect("restore");
    commit(&store, transaction);
    let restored = store.snapshot();
    assert_eq!(
        ids(&restored, &with(SIZE, Comparison::Ge, FieldValue::Int(4))),
        [5, 6]
    );
    assert_eq!(
        ids(&changed, &with(SIZE, Comparison::Ge, FieldValue::Int(4))),
        [5]
    );
}

#[test]
fn a_destroyed_record_is_gone_from_every_index_and_every_snapshot() {
    let store = memory();
    for size in 0..4 {
        let mut transaction = store.begin();
        transaction
            .insert(ITEM, item(&format!("code {size}"), size))
            .expect("insert");
        commit(&store, transaction);
    }
    let older = store.snapshot();
    assert_eq!(ids(&older, &code("code 2")), [3]);
    let mut transaction = store.begin();
    transaction
        .update(ITEM, EntityId(3), item("code 20", 20))
        .expect("update");
    commit(&store, transaction);
    let mut transaction = store.begin();
    transaction.destroy(ITEM, EntityId(3)).expect("destroy");
    commit(&store, transaction);
    for snapshot in [&older, &store.snapshot()] {
        for query in [
            code("code 2"),
            code("code 20"),
            with(SIZE, Comparison::Ge, FieldValue::Int(2)),
        ] {
            let found = ids(snapshot, &query);
            assert!(!found.contains(&3), "{found:?}");
            assert_eq!(
                snapshot.count_where(&query).expect("count"),
                found.len() as u64
            );
        }
        assert_eq!(
            ids(
                snapshot,
                &Query::all(ITEM).ordered(Column::Field(SIZE), true)
            ),
            [4, 2, 1]
        );
    }
}

#[test]
fn a_scan_under_way_does_not_show_what_is_destroyed_meanwhile() {
    let store = memory();
    let mut transaction = store.begin();
    for size in 0..5 {
        transaction
            .insert(ITEM, item(&format!("code {size}"), size))
            .expect("insert");
    }
    commit(&store, transaction);
    let mut scan = store.snapshot().scan(ITEM, Deleted::Include);
    let first = scan.next().expect("a record").expect("read");
    assert_eq!(first.id, EntityId(1));
    let mut transaction = store.begin();
    transaction.destroy(ITEM, EntityId(3)).expect("destroy");
    commit(&store, transaction);
    let rest: Vec<u64> = scan.map(|record| record.expect("read").id.0).collect();
    assert_eq!(rest, [2, 4, 5]);
}

#[test]
fn after_a_crash_a_built_table_answers_like_the_one_kept_up_to_date() {
    for seed in 0..8 {
        let sim = Arc::new(SimDisk::new(seed));
        let disk: Arc<dyn Disk> = sim.clone();
        // With and without checkpoints: with them the table comes from a section.
        let options = StoreOptions {
            checkpoints: match seed % 2 {
                0 => Checkpoints::never(),
                _ => Checkpoints::every(900),
            },
            ..model::small()
        };
        let store = open(&disk, options);
        let mut rng = flin_testkit::rng::Rng::new(seed);
        drop(answers(&store.snapshot()));
        for round in 0..25 {
            let mut transaction = store.begin();
            for _ in 0..1 + rng.below(3) {
                let id = EntityId(1 + rng.below(12) as u64);
                let fields = item(&format!("code {}", rng.below(9)), rng.below(7) as i64);
                match rng.below(5) {
                    0 => drop(transaction.delete(ITEM, id)),
                    1 => drop(transaction.restore(ITEM, id)),
                    2 if round % 6 == 5 => drop(transaction.destroy(ITEM, id)),
                    3 => drop(transaction.update(ITEM, id, fields)),
                    _ => drop(transaction.insert(ITEM, fields)),
                }
            }
            let outcome = store.commit_wait(transaction, None);
            assert!(
                matches!(
                    outcome,
                    CommitOutcome::Committed { .. } | CommitOutcome::Constraint(_)
                ),
                "{outcome}"
            );
        }
        let head = store.head();
        let every: Vec<_> = (0..=head.0)
            .map(|lsn| answers(&store.snapshot().at_lsn(flin_store::Lsn(lsn))))
            .collect();
        drop(store);
        let disk: Arc<dyn Disk> = Arc::new(sim.after_crash(CrashChoice::LoseAll));
        let store = open(&disk, model::small());
        assert_eq!(store.head(), head, "seed {seed}");
        for (lsn, expected) in every.iter().enumerate() {
            let found = answers(&store.snapshot().at_lsn(flin_store::Lsn(lsn as u64)));
            assert_eq!(found, *expected, "seed {seed}, as of {lsn}");
        }
    }
}

#[test]
fn a_table_that_is_built_while_others_commit_misses_nothing() {
    for _ in 0..4 {
        let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
        let store = open(&disk, StoreOptions::default());
        let mut transaction = store.begin();
        for at in 0..400 {
            transaction
                .insert(ITEM, item(&format!("first {at}"), at))
                .expect("insert");
        }
        commit(&store, transaction);
        drop(store);
        let store = open(&disk, StoreOptions::default());
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for at in 0..60 {
                    let mut transaction = store.begin();
                    let id = EntityId(1 + at % 40);
                    transaction
                        .update(ITEM, id, item(&format!("next {at}"), 1000 + at as i64))
                        .expect("update");
                    commit(&store, transaction);
                }
                done.store(true, Ordering::SeqCst);
            });
            for _ in 0..2 {
                scope.spawn(|| {
                    let large = with(SIZE, Comparison::Ge, FieldValue::Int(1000));
                    loop {
                        let last = done.load(Ordering::SeqCst);
                        let snapshot = store.snapshot();
                        let found = ids(&snapshot, &large);
                        let scan = snapshot.scan(ITEM, Deleted::Hide);
                        let expected = scan.map(|record| record.expect("read"));
                        let expected = expected.filter(|record| large.predicate.matches(record));
                        let expected: Vec<u64> = expected.map(|record| record.id.0).collect();
                        assert_eq!(found, expected);
                        let count = snapshot.count_where(&large).expect("count");
                        assert_eq!(count, expected.len() as u64);
                        if last {
                            break;
                        }
                    }
                });
            }
        });
        assert_eq!(
            ids(
                &store.snapshot(),
                &with(SIZE, Comparison::Ge, FieldValue::Int(1000))
            )
            .len(),
            40
        );
    }
}
