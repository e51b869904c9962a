//! Many threads at once: nothing is lost, nothing is doubled, and everybody gets through.

mod model;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use flin_store::{
    CommitOutcome, Disk, EntityId, FieldIx, FieldValue, MemoryDisk, RealDisk, RequestId, Store,
    StoreOptions,
};
use model::{NOTE, TAG, commit, note, open, tag};

fn memory() -> Store {
    open(
        &(Arc::new(MemoryDisk::new()) as Arc<dyn Disk>),
        StoreOptions::default(),
    )
    .store
}

/// Adds 1 to the size of note 1 as a request does: run again after a clash, alone after three.
fn add_one(store: &Store, clashes: &AtomicU64) {
    for attempt in 0.. {
        assert!(attempt <= 3, "the exclusive turn cannot clash");
        let mut transaction = if attempt < 3 {
            store.begin()
        } else {
            store.begin_exclusive()
        };
        let record = transaction
            .get(NOTE, EntityId(1))
            .expect("read")
            .expect("there");
        let FieldValue::Int(size) = record.fields[1] else {
            panic!("size is an int")
        };
        transaction
            .update(NOTE, EntityId(1), note("counted", size + 1))
            .expect("update");
        match store.commit_wait(transaction, None) {
            CommitOutcome::Committed { .. } => return,
            CommitOutcome::Clash => clashes.fetch_add(1, Ordering::Relaxed),
            other => panic!("{other}"),
        };
    }
}

#[test]
fn changes_of_one_record_at_once_lose_nothing() {
    const THREADS: usize = 16;
    const EACH: usize = 25;
    for options in [StoreOptions::default(), StoreOptions::inline()] {
        let store = open(&(Arc::new(MemoryDisk::new()) as Arc<dyn Disk>), options).store;
        let mut transaction = store.begin();
        transaction
            .insert(NOTE, note("counted", 0))
            .expect("insert");
        commit(&store, transaction);
        let clashes = AtomicU64::new(0);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| (0..EACH).for_each(|_| add_one(&store, &clashes)));
            }
        });
        let record = store
            .snapshot()
            .get(NOTE, EntityId(1))
            .expect("read")
            .expect("there");
        assert_eq!(record.fields[1], FieldValue::Int((THREADS * EACH) as i64));
        assert_eq!(record.version as usize, THREADS * EACH + 1);
    }
}

#[test]
fn two_transactions_that_toggle_one_record() {
    let store = memory();
    let mut transaction = store.begin();
    transaction
        .insert(NOTE, note("toggled", 0))
        .expect("insert");
    commit(&store, transaction);
    let toggle = || {
        let mut transaction = store.begin();
        let record = transaction
            .get(NOTE, EntityId(1))
            .expect("read")
            .expect("there");
        let FieldValue::Int(size) = record.fields[1] else {
            panic!("size is an int")
        };
        transaction
            .update(NOTE, EntityId(1), note("toggled", 1 - size))
            .expect("update");
        transaction
    };
    let (first, second) = (toggle(), toggle());
    assert!(matches!(
        store.commit_wait(first, None),
        CommitOutcome::Committed { .. }
    ));
    assert!(
        matches!(store.commit_wait(second, None), CommitOutcome::Clash),
        "it saw the state before the first"
    );
    assert!(matches!(
        store.commit_wait(toggle(), None),
        CommitOutcome::Committed { .. }
    ));
    let sizes: Vec<_> = store
        .snapshot()
        .history(NOTE, EntityId(1))
        .expect("history")
        .iter()
        .map(|one| one.fields[1].clone())
        .collect();
    assert_eq!(sizes, [0, 1, 0].map(FieldValue::Int));
}

#[test]
fn one_of_many_gets_a_unique_value() {
    const NAMES: usize = 20;
    let store = memory();
    let won = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                for name in 0..NAMES {
                    let mut transaction = store.begin();
                    transaction
                        .insert(TAG, tag(&format!("name {name}"), None))
                        .expect("insert");
                    match store.commit_wait(transaction, None) {
                        CommitOutcome::Committed { .. } => won.fetch_add(1, Ordering::Relaxed),
                        CommitOutcome::Constraint(error) => {
                            assert_eq!(error.rule.name(), "unique");
                            0
                        }
                        other => panic!("{other}"),
                    };
                }
            });
        }
    });
    assert_eq!(won.into_inner() as usize, NAMES);
    assert_eq!(store.snapshot().count(TAG).expect("count") as usize, NAMES);
    for name in 0..NAMES {
        let value = FieldValue::text(format!("name {name}"));
        assert!(
            store
                .snapshot()
                .find_unique(TAG, FieldIx(0), &value)
                .expect("find")
                .is_some()
        );
    }
}

#[test]
fn a_type_that_was_counted_is_protected() {
    let store = memory();
    let at_most_one = || {
        let mut transaction = store.begin();
        if transaction.count(NOTE).expect("count") == 0 {
            transaction.insert(NOTE, note("only", 0)).expect("insert");
        }
        transaction
    };
    let (first, second) = (at_most_one(), at_most_one());
    commit(&store, first);
    assert!(matches!(
        store.commit_wait(second, None),
        CommitOutcome::Clash
    ));
    let third = at_most_one();
    assert!(third.is_read_only());
    assert!(matches!(
        store.commit_wait(third, None),
        CommitOutcome::Committed { .. }
    ));
    assert_eq!(store.snapshot().count(NOTE).expect("count"), 1);
}

#[test]
fn readers_always_see_whole_transactions() {
    let store = memory();
    let mut transaction = store.begin();
    for _ in 0..2 {
        transaction.insert(NOTE, note("pair", 0)).expect("insert");
    }
    commit(&store, transaction);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for size in 1..300 {
                let mut transaction = store.begin();
                transaction
                    .update(NOTE, EntityId(1), note("pair", size))
                    .expect("update");
                transaction
                    .update(NOTE, EntityId(2), note("pair", size))
                    .expect("update");
                commit(&store, transaction);
            }
        });
        while !writer.is_finished() {
            let snapshot = store.snapshot();
            let size = |id| {
                snapshot
                    .get(NOTE, EntityId(id))
                    .expect("read")
                    .expect("there")
                    .fields[1]
                    .clone()
            };
            assert_eq!(size(1), size(2));
        }
    });
}

#[test]
fn the_exclusive_turn_keeps_others_waiting_and_is_given_back() {
    let store = memory();
    let alone = store.begin_exclusive();
    let (sender, receiver) = std::sync::mpsc::channel();
    let mut other = store.begin();
    other.insert(NOTE, note("other", 0)).expect("insert");
    store.commit(
        other,
        None,
        Box::new(move |outcome| drop(sender.send(outcome))),
    );
    let mut alone = alone;
    let id = alone.insert(NOTE, note("alone", 0)).expect("insert");
    let CommitOutcome::Committed { lsn, .. } = store.commit_wait(alone, None) else {
        panic!("cannot clash")
    };
    let CommitOutcome::Committed { lsn: after, .. } = receiver.recv().expect("answered") else {
        panic!("commits")
    };
    assert!(
        after > lsn,
        "the other one came after the turn was given back"
    );
    assert!(store.snapshot().get(NOTE, id).expect("read").is_some());
    drop(store.begin_exclusive());
    drop(store.begin_exclusive());
}

#[test]
fn a_request_id_commits_once_also_after_a_reopen() {
    let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
    let store = open(&disk, StoreOptions::inline()).store;
    let request = |store: &Store| {
        let mut transaction = store.begin();
        transaction.insert(NOTE, note("once", 0)).expect("insert");
        store.commit_wait(transaction, Some(RequestId([7; 16])))
    };
    let first = request(&store);
    let CommitOutcome::Committed { lsn, event } = first else {
        panic!("the first one commits, not: {first}")
    };
    assert_eq!(event.changes.len(), 1);
    let again = |store: &Store| match request(store) {
        CommitOutcome::Duplicate {
            lsn: first,
            event: read_back,
        } => {
            assert_eq!(first, lsn);
            assert_eq!(read_back.expect("it is in the log"), event);
        }
        other => panic!("not committed again, and not: {other}"),
    };
    again(&store);
    store.close().expect("close");
    let store = open(&disk, StoreOptions::inline()).store;
    again(&store);
    assert_eq!(store.snapshot().count(NOTE).expect("count"), 1);
    // Both runs in one batch, and a second run that finds nothing to write.
    let begin = || {
        let mut transaction = store.begin();
        transaction.insert(NOTE, note("both", 0)).expect("insert");
        (transaction, Some(RequestId([8; 16])))
    };
    let outcomes = store.commit_all(vec![begin(), begin()]);
    let [
        CommitOutcome::Committed { event: first, .. },
        CommitOutcome::Duplicate { event, .. },
    ] = &outcomes[..]
    else {
        panic!("{outcomes:?}")
    };
    assert_eq!(event.as_ref(), Ok(first));
    let nothing = store.commit_wait(store.begin(), Some(RequestId([8; 16])));
    assert!(
        matches!(nothing, CommitOutcome::Duplicate { event, .. } if event.as_ref() == Ok(first))
    );
    let nothing = store.commit_wait(store.begin(), Some(RequestId([9; 16])));
    assert!(matches!(nothing, CommitOutcome::Committed { lsn, .. } if lsn == first.lsn));
}

#[test]
fn events_come_in_order_and_can_be_resumed() {
    let dir = std::env::temp_dir().join(format!("flin-store-events-{}", std::process::id()));
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::open(&dir).expect("directory"));
    let store = open(&disk, StoreOptions::default()).store;
    let start = store.head();
    let receiver = store.subscribe();
    let called = Arc::new(AtomicU64::new(0));
    let counter = called.clone();
    let _hearing = store.on_commit(Box::new(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    }));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for size in 0..10 {
                    let mut transaction = store.begin();
                    transaction
                        .insert(NOTE, note("event", size))
                        .expect("insert");
                    commit(&store, transaction);
                }
            });
        }
    });
    let events: Vec<_> = (0..40)
        .map(|_| receiver.recv().expect("an event"))
        .collect();
    assert!(
        events
            .windows(2)
            .all(|pair| pair[0].lsn < pair[1].lsn && pair[0].time_ms <= pair[1].time_ms)
    );
    assert!(events.iter().all(|event| event.lsn <= store.head()));
    let change = &events[0].changes[0];
    assert_eq!(
        (&*change.type_name, change.op.name(), change.version),
        ("Note", "create", 1)
    );
    let lsns = |events: &[Arc<flin_store::CommitEvent>]| {
        events.iter().map(|event| event.lsn).collect::<Vec<_>>()
    };
    assert_eq!(
        lsns(&store.events_since(start).expect("kept")),
        lsns(&events)
    );
    assert_eq!(
        lsns(&store.events_since(events[29].lsn).expect("kept")),
        lsns(&events[30..])
    );
    store.close().expect("close");
    assert_eq!(called.load(Ordering::Relaxed), 40);
    let store = open(&disk, StoreOptions::default()).store;
    assert!(
        store.events_since(start).is_none(),
        "events from before this process are not kept"
    );
    assert!(
        store
            .events_since(store.head())
            .expect("nothing is missing")
            .is_empty()
    );
    drop(store);
    std::fs::remove_dir_all(dir).expect("clean up");
}

#[test]
fn after_close_commits_are_answered_closed_and_snapshots_go_on() {
    for options in [StoreOptions::default(), StoreOptions::inline()] {
        let store = open(&(Arc::new(MemoryDisk::new()) as Arc<dyn Disk>), options).store;
        let mut transaction = store.begin();
        let id = transaction.insert(NOTE, note("kept", 0)).expect("insert");
        commit(&store, transaction);
        let snapshot = store.snapshot();
        store.close().expect("close");
        store.close().expect("twice is fine");
        let mut transaction = store.begin();
        transaction.insert(NOTE, note("late", 0)).expect("insert");
        assert!(matches!(
            store.commit_wait(transaction, None),
            CommitOutcome::Closed
        ));
        drop(store);
        assert!(snapshot.get(NOTE, id).expect("read").is_some());
    }
}

#[test]
fn handles_go_from_thread_to_thread() {
    fn goes<T: Send>() {}
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Store>();
    is_shared::<flin_store::Snapshot>();
    is_shared::<CommitOutcome>();
    goes::<flin_store::Transaction>();
    goes::<flin_store::ReadOnly>();
}

/// Two clients that count to 10,000 each, from 8 tasks: the number at the end is exact.
#[test]
fn counting_ten_thousand_times_from_eight_tasks_is_exact() {
    const TASKS: usize = 8;
    const TIMES: usize = 10_000;
    let store = memory();
    let mut transaction = store.begin();
    transaction
        .insert(NOTE, note("counted", 0))
        .expect("insert");
    commit(&store, transaction);
    let (clashes, left) = (AtomicU64::new(0), AtomicU64::new(TIMES as u64));
    let take = || {
        let one_less = |left: u64| left.checked_sub(1);
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
            .is_ok()
    };
    thread::scope(|scope| {
        for _ in 0..TASKS {
            scope.spawn(|| {
                while take() {
                    add_one(&store, &clashes);
                }
            });
        }
    });
    let record = store
        .snapshot()
        .get(NOTE, EntityId(1))
        .expect("read")
        .expect("there");
    assert_eq!(record.fields[1], FieldValue::Int(TIMES as i64));
    assert_eq!(record.version as usize, TIMES + 1);
}
