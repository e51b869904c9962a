//! The creation path: from an empty directory to a record that can be read back, in the same process and after it.

mod model;

use std::sync::Arc;

use flin_store::{
    Deleted, Disk, EntityId, FieldValue, Lsn, MemoryDisk, RealDisk, Store, StoreOptions,
    TailReport, TxError, verify,
};
use model::{NOTE, TAG, commit, note, open, schema, tag};

fn memory() -> Arc<dyn Disk> {
    Arc::new(MemoryDisk::new())
}

#[test]
fn a_record_is_there_once_committed_and_not_before() {
    let store = open(&memory(), StoreOptions::inline()).store;
    let before = store.snapshot();
    let mut transaction = store.begin();
    let id = transaction.insert(NOTE, note("first", 7)).expect("insert");
    assert_eq!(id, EntityId(1), "ids start at 1");
    assert!(
        transaction.get(NOTE, id).expect("read").is_some(),
        "a transaction sees its own writes"
    );
    assert!(
        store.snapshot().get(NOTE, id).expect("read").is_none(),
        "others do not"
    );
    let lsn = commit(&store, transaction);
    let record = store
        .snapshot()
        .get(NOTE, id)
        .expect("read")
        .expect("there");
    assert_eq!((record.version, record.lsn, record.id), (1, lsn, id));
    assert_eq!(record.fields, note("first", 7));
    assert_eq!(record.created_at_ms, record.updated_at_ms);
    assert_eq!(record.deleted_at_ms, None);
    assert!(
        before.get(NOTE, id).expect("read").is_none(),
        "an older snapshot stays as it was"
    );
    assert_eq!(before.count(NOTE).expect("count"), 0);
}

#[test]
fn ids_are_per_type_and_never_reused() {
    let disk = memory();
    let store = open(&disk, StoreOptions::inline()).store;
    let mut dropped = store.begin();
    assert_eq!(
        dropped.insert(NOTE, note("dropped", 0)).expect("insert"),
        EntityId(1)
    );
    drop(dropped);
    let mut transaction = store.begin();
    assert_eq!(
        transaction.insert(NOTE, note("a", 0)).expect("insert"),
        EntityId(2)
    );
    assert_eq!(
        transaction.insert(TAG, tag("t", None)).expect("insert"),
        EntityId(1)
    );
    let last = transaction.insert(NOTE, note("b", 0)).expect("insert");
    commit(&store, transaction);
    let mut transaction = store.begin();
    transaction.destroy(NOTE, last).expect("destroy");
    commit(&store, transaction);
    store.close().expect("close");
    let store = open(&disk, StoreOptions::inline()).store;
    let mut transaction = store.begin();
    assert_eq!(
        transaction.insert(NOTE, note("c", 0)).expect("insert"),
        EntityId(last.0 + 1)
    );
}

#[test]
fn every_kind_of_value_comes_back_as_it_was() {
    use flin_store::{FieldDef, FieldType, Schema, TypeDef};
    let fields = vec![
        FieldDef::new("value", FieldType::Any),
        FieldDef::new("map", FieldType::Map(Box::new(FieldType::Any))),
    ];
    let schema = Schema {
        types: vec![TypeDef {
            name: "Thing".into(),
            fields,
            ..TypeDef::default()
        }],
        ..Schema::default()
    };
    let nested = FieldValue::Map(vec![
        (
            "b".into(),
            FieldValue::List(vec![
                FieldValue::None,
                FieldValue::Int(1),
                FieldValue::text("ä\u{1F600}"),
            ]),
        ),
        (
            "a".into(),
            FieldValue::Enum {
                name: "Msg".into(),
                variant: "Move".into(),
                payload: vec![FieldValue::Int(3)],
            },
        ),
    ]);
    let values = [
        FieldValue::None,
        FieldValue::Bool(true),
        FieldValue::Bool(false),
        FieldValue::Int(i64::MIN),
        FieldValue::Float(-0.0),
        FieldValue::Float(f64::INFINITY),
        FieldValue::text(""),
        FieldValue::text("line\nline"),
        FieldValue::Time(1_700_000_000_000),
        FieldValue::Duration(-5),
        FieldValue::Bytes(vec![0, 255, 7].into()),
        FieldValue::Ref {
            ty: NOTE,
            id: EntityId(1),
        },
        nested.clone(),
    ];
    let disk = memory();
    let store = Store::open(disk.clone(), &schema, StoreOptions::inline())
        .expect("open")
        .store;
    let mut transaction = store.begin();
    for value in &values {
        transaction
            .insert(NOTE, vec![value.clone(), nested.clone()])
            .expect("insert");
    }
    commit(&store, transaction);
    store.close().expect("close");
    let store = Store::open(disk, &schema, StoreOptions::inline())
        .expect("open")
        .store;
    let found: Vec<_> = store
        .snapshot()
        .scan(NOTE, Deleted::Hide)
        .collect::<Result<_, _>>()
        .expect("scan");
    assert_eq!(found.len(), values.len());
    for (record, value) in found.iter().zip(values) {
        assert_eq!(record.fields, [value, nested.clone()]);
    }
}

#[test]
fn what_does_not_fit_is_refused_at_once() {
    let store = open(&memory(), StoreOptions::inline()).store;
    let mut transaction = store.begin();
    let wrong = vec![FieldValue::Int(1), FieldValue::None, FieldValue::None];
    let error = transaction
        .insert(NOTE, wrong)
        .expect_err("a number is no text");
    assert_eq!(error.to_string(), "Note.text holds text, not int");
    let error = transaction
        .insert(NOTE, vec![FieldValue::None])
        .expect_err("too few");
    assert_eq!(error.to_string(), "Note has 3 fields, 1 values were given");
    let mut deep = FieldValue::Int(1);
    for _ in 0..300 {
        deep = FieldValue::List(vec![deep]);
    }
    let error = transaction
        .insert(NOTE, vec![deep, FieldValue::None, FieldValue::None])
        .expect_err("too deep");
    assert!(
        matches!(error, TxError::TooDeep { limit: 256, .. }),
        "{error}"
    );
    assert!(transaction.is_read_only(), "nothing of it was taken");
}

#[test]
fn a_real_directory_holds_the_text_and_survives() {
    let dir = std::env::temp_dir().join(format!("flin-store-create-{}", std::process::id()));
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::open(&dir.join("new/data")).expect("a directory"));
    let opened = open(&disk, StoreOptions::default());
    assert_eq!(opened.report.tail, TailReport::Empty);
    assert_eq!(opened.report.schema_added, ["Note", "Tag"]);
    let mut transaction = opened.store.begin();
    transaction
        .insert(NOTE, note("A text that grep finds", 1))
        .expect("insert");
    commit(&opened.store, transaction);
    let log = std::fs::read(dir.join("new/data/wal.log")).expect("wal.log");
    assert!(
        log.windows(22)
            .any(|found| found == b"A text that grep finds")
    );
    opened.store.close().expect("close");
    drop(opened);
    let report = verify(disk.as_ref()).expect("verify");
    assert!(report.is_intact());
    assert_eq!((report.counts.transactions, report.counts.creates), (1, 1));
    let opened = open(&disk, StoreOptions::default());
    assert_eq!(opened.report.tail, TailReport::Closed);
    assert!(opened.report.schema_added.is_empty());
    assert_eq!(opened.store.head(), Lsn(2));
    let record = opened
        .store
        .snapshot()
        .get(NOTE, EntityId(1))
        .expect("read")
        .expect("there");
    assert_eq!(record.fields, note("A text that grep finds", 1));
    drop(opened);
    std::fs::remove_dir_all(dir).expect("clean up");
}

#[test]
fn segments_roll_and_everything_stays_readable() {
    let disk = memory();
    let options = StoreOptions {
        segment_bytes_min: 8192,
        segment_bytes_max: 16384,
        ..StoreOptions::default()
    };
    let store = open(&disk, options.clone()).store;
    for at in 0..200 {
        let mut transaction = store.begin();
        transaction
            .insert(NOTE, note(&"r".repeat(at * 7), at as i64))
            .expect("insert");
        commit(&store, transaction);
    }
    let mut transaction = store.begin();
    let large = transaction
        .insert(NOTE, note(&"L".repeat(100_000), 0))
        .expect("insert");
    commit(&store, transaction);
    store.close().expect("close");
    let opened = open(&disk, options);
    assert!(opened.report.segments > 5, "{}", opened.report);
    let snapshot = opened.store.snapshot();
    for at in 0..200 {
        let record = snapshot
            .get(NOTE, EntityId(at + 1))
            .expect("read")
            .expect("there");
        assert_eq!(record.fields, note(&"r".repeat(at as usize * 7), at as i64));
    }
    let record = snapshot.get(NOTE, large).expect("read").expect("there");
    assert_eq!(record.fields[0], FieldValue::text("L".repeat(100_000)));
    let names = disk.list().expect("list");
    assert!(
        !names.contains(&"wal.next".to_owned()),
        "a close leaves no spare segment: {names:?}"
    );
}

#[test]
fn a_transaction_above_the_limit_is_refused_whole() {
    let store = open(&memory(), StoreOptions::inline()).store;
    let mut transaction = store.begin();
    for _ in 0..17 {
        transaction
            .insert(NOTE, note(&"x".repeat(1 << 20), 0))
            .expect("insert");
    }
    let outcome = store.commit_wait(transaction, None);
    assert!(
        outcome
            .to_string()
            .contains("the limit is 16777216; nothing was written"),
        "{outcome}"
    );
    assert_eq!(store.snapshot().count(NOTE).expect("count"), 0);
    assert_eq!(store.schema(), &schema());
}
