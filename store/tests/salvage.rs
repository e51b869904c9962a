//! What can be read of a damaged log goes over into a new store: whole transactions, with history, times and request ids.

mod model;

use std::sync::Arc;

use flin_store::{
    CommitOutcome, Deleted, Disk, EntityId, FieldValue, MemoryDisk, OpenError, RequestId, Snapshot,
    Store, read, salvage, verify,
};
use model::{NOTE, TAG, commit, schema, small};

fn text(text: &str) -> Vec<FieldValue> {
    vec![FieldValue::text(text), FieldValue::Int(1), FieldValue::None]
}

/// Notes `first`, `second` (three versions), `third`, and a fourth one that is destroyed; several segments.
fn filled() -> Arc<dyn Disk> {
    let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
    let store = Store::open(disk.clone(), &schema(), small())
        .expect("open")
        .store;
    for name in ["first", "second", "third", "fourth"] {
        let mut transaction = store.begin();
        transaction.insert(NOTE, text(name)).expect("insert");
        commit(&store, transaction);
    }
    for name in ["second again", "second for good"] {
        let mut transaction = store.begin();
        transaction
            .update(NOTE, EntityId(2), text(name))
            .expect("update");
        commit(&store, transaction);
    }
    let mut transaction = store.begin();
    transaction.destroy(NOTE, EntityId(4)).expect("destroy");
    transaction.delete(NOTE, EntityId(1)).expect("delete");
    let outcome = store.commit_wait(transaction, Some(RequestId([7; 16])));
    assert!(
        matches!(outcome, CommitOutcome::Committed { .. }),
        "{outcome}"
    );
    for number in 0..200 {
        let mut transaction = store.begin();
        let fields = vec![FieldValue::text(format!("tag {number}")), FieldValue::None];
        transaction.insert(TAG, fields).expect("insert");
        commit(&store, transaction);
    }
    store.close().expect("close");
    disk
}

fn flip(disk: &dyn Disk, wanted: &str) {
    for name in disk.list().expect("list") {
        let file = disk.open(&name).expect("open");
        let mut bytes = vec![0; file.len_bytes().expect("length") as usize];
        file.read_at(0, &mut bytes).expect("read");
        let found = bytes
            .windows(wanted.len())
            .position(|bytes| bytes == wanted.as_bytes());
        if let (Some(at), true) = (found, name.starts_with("wal")) {
            let copy = disk.create(&name, bytes.len() as u64).expect("create");
            bytes[at] ^= 1;
            copy.write_at(0, &bytes).expect("write");
            return;
        }
    }
    panic!("{wanted} is in no segment");
}

fn said(snapshot: &Snapshot, id: u64) -> Vec<(u32, String)> {
    let versions = snapshot.history(NOTE, EntityId(id)).expect("history");
    let said = versions.iter().map(|one| match &one.fields[0] {
        FieldValue::Text(text) => (one.version, text.to_string()),
        other => panic!("{other:?} is no text"),
    });
    said.collect()
}

#[test]
fn a_sound_log_goes_over_as_it_is() {
    let disk = filled();
    let to: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
    let salvaged = salvage(&*disk, to.clone(), &mut |_| {}).expect("salvage");
    assert_eq!((salvaged.transactions, salvaged.incomplete), (207, 0));
    assert!(
        salvaged.damages.is_empty() && salvaged.broken.is_empty(),
        "{salvaged:?}"
    );
    assert!(verify(&*to).expect("verify").is_intact());
    let (old, new) = (
        read(&*disk, None).expect("old").store,
        read(&*to, None).expect("new").store,
    );
    assert_eq!(old.schema(), new.schema());
    for (ty, count) in [(NOTE, 3), (TAG, 200)] {
        let all = |snapshot: Snapshot| {
            let records = snapshot.scan(ty, Deleted::Include).map(|record| {
                let mut record = (*record.expect("a record")).clone();
                record.lsn = flin_store::Lsn(0);
                record
            });
            records.collect::<Vec<_>>()
        };
        let (before, after) = (all(old.snapshot()), all(new.snapshot()));
        assert_eq!(before.len(), count);
        assert_eq!(before, after);
    }
    assert_eq!(said(&old.snapshot(), 2), said(&new.snapshot(), 2));
    drop((old, new));
    let opened = Store::open(to, &schema(), small()).expect("open").store;
    let mut again = opened.begin();
    again
        .insert(TAG, vec![FieldValue::text("once"), FieldValue::None])
        .expect("insert");
    match opened.commit_wait(again, Some(RequestId([7; 16]))) {
        CommitOutcome::Duplicate { .. } => {}
        outcome => panic!("request ids go over: {outcome}"),
    }
    let mut more = opened.begin();
    let id = more.insert(NOTE, text("fifth")).expect("insert");
    assert_eq!(
        id,
        EntityId(5),
        "the number of a destroyed record stays used up"
    );
    commit(&opened, more);
}

#[test]
fn only_what_stands_in_the_damaged_place_is_missing() {
    let disk = filled();
    flip(&*disk, "second again");
    flip(&*disk, "third");
    assert!(matches!(
        Store::open(disk.clone(), &schema(), small()),
        Err(OpenError::Corrupt { .. })
    ));
    let to: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
    let salvaged = salvage(&*disk, to.clone(), &mut |_| {}).expect("salvage");
    assert_eq!(
        (
            salvaged.damages.len(),
            salvaged.transactions,
            salvaged.incomplete
        ),
        (2, 205, 1)
    );
    let store = Store::open(to, &schema(), small()).expect("open").store;
    let snapshot = store.snapshot();
    let expected = [(1, "second".to_owned()), (2, "second for good".to_owned())];
    assert_eq!(said(&snapshot, 2), expected);
    assert!(snapshot.get_any(NOTE, EntityId(3)).expect("read").is_none());
    assert!(
        snapshot.get_any(NOTE, EntityId(4)).expect("read").is_none(),
        "destroyed stays destroyed"
    );
    assert_eq!(snapshot.count(TAG).expect("count"), 200);
    assert!(
        store
            .events_since(store.head())
            .is_some_and(|events| events.is_empty())
    );
}

#[test]
fn a_directory_in_use_is_left_alone() {
    let (disk, to) = (filled(), filled());
    match salvage(&*disk, to, &mut |_| {}) {
        Err(OpenError::Io(failure)) => {
            assert!(failure.to_string().contains("not empty"), "{failure}")
        }
        other => panic!("{other:?}"),
    }
}
