//! The change path: update, delete, restore, destroy of records that exist; each also after a reopen.

mod model;

use std::sync::Arc;

use flin_store::{
    ChangeOp, CommitOutcome, Deleted, Disk, EntityId, MemoryDisk, Store, StoreOptions, TxError,
};
use model::{NOTE, commit, note, open};

/// A store with one note, "one", and the disk below it.
fn with_note() -> (Arc<dyn Disk>, Store, EntityId) {
    let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
    let store = open(&disk, StoreOptions::inline()).store;
    let mut transaction = store.begin();
    let id = transaction.insert(NOTE, note("one", 1)).expect("insert");
    commit(&store, transaction);
    (disk, store, id)
}

fn reopened(disk: &Arc<dyn Disk>, store: Store) -> Store {
    store.close().expect("close");
    drop(store);
    open(disk, StoreOptions::inline()).store
}

#[test]
fn an_update_makes_a_version_and_keeps_the_old_one() {
    let (disk, store, id) = with_note();
    let old = store.snapshot();
    let mut transaction = store.begin();
    assert_eq!(transaction.update(NOTE, id, note("two", 2)), Ok(2));
    assert_eq!(
        transaction.update(NOTE, id, note("three", 3)),
        Ok(2),
        "one version per transaction"
    );
    commit(&store, transaction);
    for store in [store.clone(), reopened(&disk, store)] {
        let snapshot = store.snapshot();
        let record = snapshot.get(NOTE, id).expect("read").expect("there");
        assert_eq!((record.version, &record.fields), (2, &note("three", 3)));
        assert!(record.updated_at_ms >= record.created_at_ms);
        let history = snapshot.history(NOTE, id).expect("history");
        assert_eq!(
            history
                .iter()
                .map(|one| one.fields.clone())
                .collect::<Vec<_>>(),
            [note("one", 1), note("three", 3)]
        );
        assert_eq!(history[0].created_at_ms, record.created_at_ms);
    }
    let seen = old.get(NOTE, id).expect("read").expect("there");
    assert_eq!(
        (seen.version, &seen.fields),
        (1, &note("one", 1)),
        "an older snapshot stays as it was"
    );
    assert_eq!(old.history(NOTE, id).expect("history").len(), 1);
}

#[test]
fn a_delete_hides_and_a_restore_brings_back() {
    let (disk, store, id) = with_note();
    let mut transaction = store.begin();
    assert_eq!(transaction.delete(NOTE, id), Ok(2));
    assert_eq!(transaction.get(NOTE, id).expect("read"), None);
    assert!(matches!(
        transaction.update(NOTE, id, note("x", 0)),
        Err(TxError::NotFound { .. })
    ));
    commit(&store, transaction);
    let store = reopened(&disk, store);
    let snapshot = store.snapshot();
    assert_eq!(snapshot.get(NOTE, id).expect("read"), None);
    assert_eq!(snapshot.count(NOTE).expect("count"), 0);
    let hidden: Vec<_> = snapshot
        .scan(NOTE, Deleted::Only)
        .collect::<Result<_, _>>()
        .expect("scan");
    assert_eq!(
        (hidden.len(), hidden[0].version, &hidden[0].fields),
        (1, 2, &note("one", 1))
    );
    assert_eq!(hidden[0].deleted_at_ms, Some(hidden[0].updated_at_ms));
    let mut transaction = store.begin();
    assert_eq!(transaction.restore(NOTE, id), Ok(3));
    assert!(matches!(
        transaction.restore(NOTE, id),
        Err(TxError::NotDeleted { .. })
    ));
    commit(&store, transaction);
    let store = reopened(&disk, store);
    let record = store.snapshot().get(NOTE, id).expect("read").expect("back");
    assert_eq!(
        (record.version, &record.fields, record.deleted_at_ms),
        (3, &note("one", 1), None)
    );
    let deleted: Vec<bool> = store
        .snapshot()
        .history(NOTE, id)
        .expect("history")
        .iter()
        .map(flin_store::Record::is_deleted)
        .collect();
    assert_eq!(deleted, [false, true, false]);
}

#[test]
fn a_destroyed_record_is_gone_for_every_reader() {
    let (disk, store, id) = with_note();
    let old = store.snapshot();
    let mut transaction = store.begin();
    transaction
        .update(NOTE, id, note("two", 2))
        .expect("update");
    transaction.destroy(NOTE, id).expect("destroy");
    assert!(transaction.history(NOTE, id).expect("history").is_empty());
    let CommitOutcome::Committed { event, .. } = store.commit_wait(transaction, None) else {
        panic!("destroy commits");
    };
    assert_eq!(event.changes[0].op, ChangeOp::Destroy);
    assert!(
        event.changes[0]
            .record
            .fields
            .iter()
            .all(flin_store::FieldValue::is_none),
        "the event has no content"
    );
    assert_eq!(old.get_any(NOTE, id).expect("read"), None);
    let store = reopened(&disk, store);
    assert_eq!(store.snapshot().get_any(NOTE, id).expect("read"), None);
    assert!(
        store
            .snapshot()
            .history(NOTE, id)
            .expect("history")
            .is_empty()
    );
    assert_eq!(store.snapshot().scan(NOTE, Deleted::Include).count(), 0);
    let mut transaction = store.begin();
    assert!(matches!(
        transaction.restore(NOTE, id),
        Err(TxError::NotFound { .. })
    ));
}

#[test]
fn what_is_made_and_unmade_in_one_transaction_was_never_there() {
    let (_, store, _) = with_note();
    let mut transaction = store.begin();
    let id = transaction.insert(NOTE, note("brief", 0)).expect("insert");
    transaction.delete(NOTE, id).expect("delete");
    let kept = transaction.insert(NOTE, note("kept", 0)).expect("insert");
    let CommitOutcome::Committed { event, .. } = store.commit_wait(transaction, None) else {
        panic!("commits")
    };
    assert_eq!(
        event
            .changes
            .iter()
            .map(|change| change.id)
            .collect::<Vec<_>>(),
        [kept]
    );
    assert_eq!(store.snapshot().get_any(NOTE, id).expect("read"), None);
}

#[test]
fn a_scan_shows_own_writes_in_order() {
    let (_, store, first) = with_note();
    let mut transaction = store.begin();
    let second = transaction.insert(NOTE, note("second", 0)).expect("insert");
    commit(&store, transaction);
    let mut transaction = store.begin();
    let third = transaction.insert(NOTE, note("third", 0)).expect("insert");
    transaction
        .update(NOTE, second, note("second again", 0))
        .expect("update");
    transaction.delete(NOTE, first).expect("delete");
    let seen = |transaction: &mut flin_store::Transaction, deleted| -> Vec<(EntityId, u32)> {
        transaction
            .scan(NOTE, deleted)
            .map(|one| one.map(|one| (one.id, one.version)).expect("scan"))
            .collect()
    };
    assert_eq!(
        seen(&mut transaction, Deleted::Hide),
        [(second, 2), (third, 1)]
    );
    assert_eq!(seen(&mut transaction, Deleted::Only), [(first, 2)]);
    assert_eq!(
        seen(&mut transaction, Deleted::Include),
        [(first, 2), (second, 2), (third, 1)]
    );
    assert_eq!(transaction.count(NOTE).expect("count"), 2);
    assert!(transaction.read_set().types.contains(&NOTE));
}

#[test]
fn time_never_goes_backwards() {
    let sim = flin_store::SimDisk::new(1);
    let disk: Arc<dyn Disk> = Arc::new(sim.clone());
    let store = open(&disk, StoreOptions::inline()).store;
    let mut times = Vec::new();
    for clock in [5_000_000, 1_000, 9_000_000, 8_999_000] {
        sim.set_clock_ms(clock);
        let mut transaction = store.begin();
        let id = transaction.insert(NOTE, note("t", 0)).expect("insert");
        commit(&store, transaction);
        times.push(
            store
                .snapshot()
                .get(NOTE, id)
                .expect("read")
                .expect("there")
                .created_at_ms,
        );
    }
    assert!(times.is_sorted(), "{times:?}");
    let store = reopened(&disk, store);
    sim.set_clock_ms(1);
    let mut transaction = store.begin();
    let id = transaction.insert(NOTE, note("t", 0)).expect("insert");
    commit(&store, transaction);
    assert!(
        store
            .snapshot()
            .get(NOTE, id)
            .expect("read")
            .expect("there")
            .created_at_ms
            >= times[3]
    );
}

#[test]
fn a_look_into_the_past() {
    let sim = flin_store::SimDisk::new(1);
    let disk: Arc<dyn Disk> = Arc::new(sim.clone());
    let store = open(&disk, StoreOptions::inline()).store;
    let at = |clock, act: &dyn Fn(&mut flin_store::Transaction)| {
        sim.set_clock_ms(clock);
        let mut transaction = store.begin();
        act(&mut transaction);
        commit(&store, transaction);
    };
    let (first, second) = (EntityId(1), EntityId(2));
    at(2_000_000, &|transaction| {
        transaction.insert(NOTE, note("one", 1)).expect("insert");
    });
    at(3_000_000, &|transaction| {
        transaction.insert(NOTE, note("two", 2)).expect("insert");
    });
    at(4_000_000, &|transaction| {
        transaction
            .update(NOTE, first, note("one again", 1))
            .expect("update");
    });
    at(5_000_000, &|transaction| {
        transaction.delete(NOTE, second).expect("delete");
    });
    let now = store.snapshot();
    let seen = |time_ms| {
        let then = now.at_time(time_ms);
        let texts = then
            .scan(NOTE, Deleted::Hide)
            .map(|one| one.expect("scan").fields[0].clone())
            .collect::<Vec<_>>();
        assert_eq!(then.count(NOTE).expect("count") as usize, texts.len());
        texts
    };
    let texts = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| flin_store::FieldValue::text(*text))
            .collect::<Vec<_>>()
    };
    assert_eq!(seen(1_999_999), texts(&[]));
    assert_eq!(seen(2_500_000), texts(&["one"]));
    assert_eq!(seen(3_500_000), texts(&["one", "two"]));
    assert_eq!(seen(4_500_000), texts(&["one again", "two"]));
    assert_eq!(
        seen(9_000_000),
        texts(&["one again"]),
        "the future is the newest"
    );
    assert_eq!(
        now.at_time(3_500_000)
            .history(NOTE, first)
            .expect("history")
            .len(),
        1
    );
    assert_eq!(
        now.at_time(9_000_000)
            .at_time(2_500_000)
            .count(NOTE)
            .expect("count"),
        1
    );
}
