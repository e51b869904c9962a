//! Calls that fail: a full disk, a failed write, a failed sync. Definite answers, no second chance after a failed sync.

mod model;

use std::sync::Arc;

use flin_store::{
    CommitOutcome, CrashChoice, Disk, Fault, OpenError, SimDisk, Store, StoreOptions, verify,
};
use model::{NOTE, commit, note, open, schema, small};

fn shared(disk: &SimDisk) -> Arc<dyn Disk> {
    Arc::new(disk.clone())
}

fn insert(store: &Store, text: &str) -> CommitOutcome {
    let mut transaction = store.begin();
    transaction.insert(NOTE, note(text, 0)).expect("insert");
    store.commit_wait(transaction, None)
}

#[test]
fn a_full_disk_is_a_definite_answer_and_passes() {
    let disk = SimDisk::new(1);
    let store = open(&shared(&disk), small()).store;
    disk.plan(Some(Fault::FullFrom(0)));
    let text = "t".repeat(1000);
    let mut kept = 0;
    while let CommitOutcome::Committed { .. } = insert(&store, &text) {
        kept += 1;
        assert!(kept < 10, "the segment must fill up");
    }
    assert!(matches!(insert(&store, &text), CommitOutcome::StorageFull));
    assert!(store.poisoned().is_none());
    assert_eq!(store.snapshot().count(NOTE).expect("reads go on"), kept);
    disk.plan(None);
    assert!(
        matches!(insert(&store, &text), CommitOutcome::StorageFull),
        "a second passes between attempts"
    );
    disk.set_clock_ms(disk.now_ms() + 1000);
    assert!(
        matches!(insert(&store, &text), CommitOutcome::Committed { .. }),
        "works again when there is room"
    );
    store.close().expect("close");
    drop(store);
    assert_eq!(verify(&disk).expect("verify").counts.transactions, kept + 1);
}

/// The reserve of a segment is kept for what deletes, and given to everybody once there is a file for the next segment.
#[test]
fn on_a_full_disk_deleting_and_destroying_go_on() {
    let disk = SimDisk::new(11);
    let options = StoreOptions {
        segment_bytes_min: 64 << 10,
        segment_bytes_max: 64 << 10,
        ..StoreOptions::inline()
    };
    let store = open(&shared(&disk), options.clone()).store;
    disk.plan(Some(Fault::FullFrom(0)));
    let text = "t".repeat(500);
    let mut ids = Vec::new();
    let full = loop {
        let mut transaction = store.begin();
        let id = transaction.insert(NOTE, note(&text, 0)).expect("insert");
        match store.commit_wait(transaction, None) {
            CommitOutcome::Committed { .. } => ids.push(id),
            other => break other,
        }
    };
    assert!(matches!(full, CommitOutcome::StorageFull), "{full}");
    while let CommitOutcome::Committed { .. } = insert(&store, "small") {}
    let mut update = store.begin();
    let id = ids[0];
    update.update(NOTE, id, note("new", 1)).expect("update");
    let update = store.commit_wait(update, None);
    assert!(
        matches!(update, CommitOutcome::StorageFull),
        "what is reserved is not for what grows, however small: {update}"
    );
    let mut beside = store.begin();
    beside.delete(NOTE, ids[5]).expect("delete");
    let large = note(&"u".repeat(2000), 1);
    beside.update(NOTE, id, large).expect("update");
    let beside = store.commit_wait(beside, None);
    assert!(
        matches!(beside, CommitOutcome::StorageFull),
        "a deletion does not bring a large update along: {beside}"
    );
    let mut beside = store.begin();
    beside.delete(NOTE, ids[5]).expect("delete");
    beside
        .update(NOTE, id, note("a counter", 1))
        .expect("update");
    commit(&store, beside);
    let before = store.snapshot().count(NOTE).expect("count");
    for (at, id) in ids.iter().take(4).enumerate() {
        let mut transaction = store.begin();
        if at % 2 == 0 {
            transaction.delete(NOTE, *id).expect("delete");
        } else {
            transaction.destroy(NOTE, *id).expect("destroy");
        }
        commit(&store, transaction);
    }
    assert_eq!(store.snapshot().count(NOTE).expect("count"), before - 4);
    drop(store);
    // A process that starts on the full disk has the rest of the reserve.
    let store = open(&shared(&disk), options).store;
    let mut transaction = store.begin();
    transaction.destroy(NOTE, ids[4]).expect("destroy");
    commit(&store, transaction);
    disk.plan(None);
    disk.set_clock_ms(disk.now_ms() + 1000);
    assert!(matches!(
        insert(&store, &text),
        CommitOutcome::Committed { .. }
    ));
    store.close().expect("close");
    drop(store);
    assert!(verify(&disk).expect("verify").is_intact());
}

/// The next segment is made while the active one still has room, and a roll then finds it.
#[test]
fn the_next_segment_is_prepared_in_the_background() {
    let disk = SimDisk::new(12);
    let options = StoreOptions {
        segment_bytes_min: 64 << 10,
        segment_bytes_max: 64 << 10,
        prepare_ahead: true,
        ..StoreOptions::inline()
    };
    let store = open(&shared(&disk), options).store;
    let text = "t".repeat(3000);
    let prepared = || disk.bytes("wal.next").map(|bytes| bytes.len());
    for count in 1..26 {
        assert!(matches!(
            insert(&store, &text),
            CommitOutcome::Committed { .. }
        ));
        if count < 8 {
            assert_eq!(prepared(), None, "the first half needs no next segment");
        }
        if count == 12 {
            let start = std::time::Instant::now();
            while prepared() != Some(64 << 10) {
                assert!(start.elapsed().as_secs() < 30, "no next segment is made");
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            // From here on no file can be made, and none is needed for the roll.
            disk.plan(Some(Fault::FullFrom(0)));
        }
    }
    let segments = disk.all_names();
    assert!(
        segments.iter().any(|name| name == "wal-000000000001.log"),
        "{segments:?}"
    );
    drop(store);
    assert!(verify(&disk).expect("verify").is_intact());
}

#[test]
fn a_full_disk_does_not_stop_an_open() {
    let disk = SimDisk::new(2);
    let store = open(&shared(&disk), small()).store;
    assert!(matches!(
        insert(&store, "kept"),
        CommitOutcome::Committed { .. }
    ));
    drop(store);
    let full = disk.after_crash(CrashChoice::LoseAll);
    full.plan(Some(Fault::FullFrom(0)));
    let store = open(&shared(&full), small()).store;
    assert_eq!(store.snapshot().count(NOTE).expect("count"), 1);
    let fresh = SimDisk::new(3);
    fresh.plan(Some(Fault::FullFrom(0)));
    let error = Store::open(shared(&fresh), &schema(), small())
        .err()
        .expect("a new store needs room");
    assert!(matches!(error, OpenError::Io(_)), "{error}");
}

#[test]
fn after_a_failed_sync_nothing_is_written_again() {
    let disk = SimDisk::new(4);
    let store = open(&shared(&disk), small()).store;
    assert!(matches!(
        insert(&store, "kept"),
        CommitOutcome::Committed { .. }
    ));
    disk.plan(Some(Fault::FailAt(1)));
    let outcome = insert(&store, "unknown");
    assert_eq!(
        outcome.to_string(),
        "it is not known whether the transaction was written: syncing the log failed: injected I/O error"
    );
    let reason = store.poisoned().expect("poisoned");
    assert_eq!(&*reason, "syncing the log failed: injected I/O error");
    let calls = disk.calls();
    assert!(
        matches!(insert(&store, "later"), CommitOutcome::Poisoned { .. }),
        "although a sync would work now"
    );
    assert_eq!(
        store.snapshot().count(NOTE).expect("count"),
        1,
        "what is not known to be durable is not shown"
    );
    store.close().expect("nothing to do");
    assert_eq!(
        disk.calls(),
        calls,
        "no call that changes the disk after the failure"
    );
    drop(store);
    // The cache still shows the frame; serving it means making it durable first.
    let store = open(&shared(&disk), small()).store;
    let shown = store.snapshot().count(NOTE).expect("count");
    drop(store);
    let store = open(&shared(&disk.after_crash(CrashChoice::LoseAll)), small()).store;
    assert_eq!(store.snapshot().count(NOTE).expect("count"), shown);
}

#[test]
fn a_batch_with_a_failed_write_is_unknown_as_a_whole() {
    let disk = SimDisk::new(5);
    let store = open(&shared(&disk), small()).store;
    assert!(matches!(
        insert(&store, "kept"),
        CommitOutcome::Committed { .. }
    ));
    disk.plan(Some(Fault::FailAt(0)));
    let begin = |text: &str| {
        let mut transaction = store.begin();
        transaction.insert(NOTE, note(text, 0)).expect("insert");
        (transaction, None)
    };
    let outcomes = store.commit_all(vec![begin("a"), begin("b")]);
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, CommitOutcome::OutcomeUnknown { .. }))
    );
    drop(store);
    assert_eq!(
        open(&shared(&disk), small())
            .store
            .snapshot()
            .count(NOTE)
            .expect("count"),
        1
    );
}

#[test]
fn a_panicking_callback_does_not_stop_the_committer() {
    let disk = SimDisk::new(6);
    let store = open(
        &shared(&disk),
        StoreOptions {
            committer_thread: true,
            ..small()
        },
    )
    .store;
    let mut transaction = store.begin();
    transaction.insert(NOTE, note("a", 0)).expect("insert");
    store.commit(
        transaction,
        None,
        Box::new(|_| panic!("a panic of the caller, on purpose")),
    );
    let mut transaction = store.begin();
    transaction.insert(NOTE, note("b", 0)).expect("insert");
    commit(&store, transaction);
    assert_eq!(store.snapshot().count(NOTE).expect("count"), 2);
}

#[test]
fn the_last_handle_may_go_away_in_a_callback() {
    let disk = SimDisk::new(7);
    let options = StoreOptions {
        committer_thread: true,
        ..small()
    };
    let store = open(&shared(&disk), options).store;
    let mut transaction = store.begin();
    transaction.insert(NOTE, note("a", 0)).expect("insert");
    let (sender, receiver) = std::sync::mpsc::channel();
    let (handle, last) = (store.clone(), store.clone());
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let on_done = move |outcome| {
        wait.recv().expect("the other handles are gone");
        assert!(
            handle.close().is_err(),
            "the committer cannot wait for itself"
        );
        drop(last);
        drop(handle);
        sender.send(outcome).expect("the test waits");
    };
    store.commit(transaction, None, Box::new(on_done));
    drop(store);
    go.send(()).expect("the callback waits");
    assert!(matches!(
        receiver.recv().expect("answered"),
        CommitOutcome::Committed { .. }
    ));
    // The thread gives back the lock when it ends, a moment after the answer.
    let reopened = loop {
        match Store::open(shared(&disk), &schema(), small()) {
            Ok(opened) => break opened,
            Err(OpenError::Locked { .. }) => std::thread::yield_now(),
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(reopened.report.counts.creates, 1);
}

#[test]
fn an_idle_store_vouches_for_its_last_commit() {
    let disk = SimDisk::new(8);
    let options = StoreOptions {
        committer_thread: true,
        ..small()
    };
    let store = open(&shared(&disk), options).store;
    assert!(matches!(
        insert(&store, "then nothing"),
        CommitOutcome::Committed { .. }
    ));
    // A schema, the note, and once the committer found nothing to do, a mark.
    let frames = |disk: &SimDisk| {
        let log = disk.bytes("wal.log").expect("the log");
        log.windows(4)
            .filter(|found| *found == [0xF7, b'F', b'r', 0x9D])
            .count()
    };
    while frames(&disk) < 3 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let after = disk.after_crash(CrashChoice::KeepAll);
    assert_eq!(verify(&after).expect("verify").counts.sync_marks, 1);
    assert!(matches!(
        insert(&store, "and on"),
        CommitOutcome::Committed { .. }
    ));
}

#[test]
fn a_panic_while_committing_answers_everybody_and_poisons() {
    for threaded in [false, true] {
        // Call 0 writes the batch; the ones after its sync make the segment that the second text needs.
        for (at, first_is_kept) in [(0, false), (1, false), (2, true)] {
            let disk = SimDisk::new(6);
            let options = StoreOptions {
                committer_thread: threaded,
                ..small()
            };
            let store = open(&shared(&disk), options).store;
            disk.plan(Some(Fault::PanicAt(at)));
            let begin = |text: String| {
                let mut transaction = store.begin();
                transaction.insert(NOTE, note(&text, 0)).expect("insert");
                (transaction, None)
            };
            let texts = ["a", "b", "c"].map(|text| begin(text.repeat(3000)));
            let outcomes = store.commit_all(texts.into());
            let [first, second, third] = &outcomes[..] else {
                panic!("three answers");
            };
            match first {
                CommitOutcome::Committed { .. } => assert!(first_is_kept),
                CommitOutcome::OutcomeUnknown { .. } => assert!(!first_is_kept),
                other => panic!("{other}"),
            }
            let unknown = "it is not known whether the transaction was written: the committer panicked: injected panic";
            if first_is_kept {
                assert_eq!(second.to_string(), unknown);
            } else {
                assert_eq!(first.to_string(), unknown);
            }
            assert!(matches!(third, CommitOutcome::Poisoned { .. }), "{third}");
            let calls = disk.calls();
            assert!(matches!(
                insert(&store, "later"),
                CommitOutcome::Poisoned { .. }
            ));
            assert!(store.poisoned().is_some());
            store.close().expect("nothing to do");
            assert_eq!(disk.calls(), calls, "nothing is written after the panic");
        }
    }
}
