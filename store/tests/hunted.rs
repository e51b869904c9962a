//! What the hunt has found, each as a test of its own with its story.
//!
//! Here because a seed finds something else as soon as the code changes. What must stay true: nothing is taken out again.

mod model;

use std::sync::Arc;

use flin_store::{
    CommitOutcome, CrashChoice, Disk, Fault, OpenError, RequestId, SimDisk, Store, StoreOptions,
    TailReport, verify,
};
use model::{NOTE, commit, note, open, schema, small};

fn shared(disk: &SimDisk) -> Arc<dyn Disk> {
    Arc::new(disk.clone())
}

fn insert(store: &Store, bytes: usize, request: Option<RequestId>) -> CommitOutcome {
    let mut transaction = store.begin();
    let fields = note(&"x".repeat(bytes), 0);
    transaction.insert(NOTE, fields).expect("insert");
    store.commit_wait(transaction, request)
}

fn used(disk: &SimDisk, name: &str) -> usize {
    let bytes = disk.bytes(name).expect("the file");
    bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |at| at + 1)
}

/// Where frames begin.
fn frames(bytes: &[u8]) -> Vec<usize> {
    let starts = (0..bytes.len() - 4).step_by(8);
    starts
        .filter(|at| matches!(bytes[*at..*at + 4], [0xF7, b'F', b'r', 0x9C | 0x9D]))
        .collect()
}

/// A roll that ended after its end mark left a segment without room for another one. The next process wanted to write it
/// all the same, panicked, and so did every process after it.
#[test]
fn a_roll_that_was_interrupted_behind_its_end_mark_goes_on() {
    let mut interrupted = 0;
    for last in (0..72).step_by(8) {
        for at in 0..14 {
            let disk = SimDisk::new(last as u64);
            let store = open(&shared(&disk), small()).store;
            // The segment is full but for a few bytes.
            for bytes in [1500, 1500, 600 + last] {
                assert!(matches!(
                    insert(&store, bytes, None),
                    CommitOutcome::Committed { .. }
                ));
            }
            disk.plan(Some(Fault::FailAt(at)));
            let refused = insert(&store, 700, None);
            drop(store);
            disk.plan(None);
            interrupted += u32::from(!matches!(refused, CommitOutcome::Committed { .. }));
            let store = open(&shared(&disk), small()).store;
            let before = store.snapshot().count(NOTE).expect("count");
            let again = insert(&store, 700, None);
            assert!(
                matches!(again, CommitOutcome::Committed { .. }),
                "{last} bytes, call {at} failed: {again}"
            );
            drop(store);
            let store = open(&shared(&disk.after_crash(CrashChoice::LoseAll)), small()).store;
            assert_eq!(store.snapshot().count(NOTE).expect("count"), before + 1);
        }
    }
    assert!(
        interrupted > 20,
        "only {interrupted} rolls were interrupted"
    );
}

/// The sync of the zeros of `wal.next` failed, the process ended. The next one found a file of zeros (in the cache),
/// synced it once more, which did nothing, and built on what the disk had there instead.
#[test]
fn zeros_whose_sync_failed_are_written_again() {
    let disk = SimDisk::new(5);
    disk.plan(Some(Fault::FailAt(1)));
    assert!(Store::open(shared(&disk), &schema(), small()).is_err());
    disk.plan(None);
    let store = open(&shared(&disk), small()).store;
    assert!(matches!(
        insert(&store, 10, None),
        CommitOutcome::Committed { .. }
    ));
    drop(store);
    let opened = open(&shared(&disk.after_crash(CrashChoice::LoseAll)), small());
    assert_eq!(opened.store.snapshot().count(NOTE).expect("count"), 1);
    assert_eq!(
        opened.report.tail,
        TailReport::NotClosed,
        "what follows is zeros"
    );
}

/// The sector with the request id of an unacknowledged frame did not arrive, the one with the rest of its header did. It
/// looked like a whole, damaged header, and the store was refused.
#[test]
fn a_header_without_its_request_id_is_torn() {
    let mut torn = 0;
    for bytes in 0..600 {
        let disk = SimDisk::new(bytes as u64);
        let store = open(&shared(&disk), small()).store;
        assert!(matches!(
            insert(&store, bytes, None),
            CommitOutcome::Committed { .. }
        ));
        let request = Some(RequestId([9; 16]));
        assert!(matches!(
            insert(&store, 20, request),
            CommitOutcome::Committed { .. }
        ));
        drop(store);
        let log = disk.bytes("wal.log").expect("the log");
        let start = *frames(&log).last().expect("a frame");
        // The request id begins with a sector.
        if !(start + 48).is_multiple_of(512) {
            continue;
        }
        torn += 1;
        disk.damage("wal.log", |bytes| bytes[start + 48..].fill(0));
        let opened = open(&shared(&disk), small());
        assert!(
            matches!(opened.report.tail, TailReport::Cut { .. }),
            "{:?}",
            opened.report
        );
        assert_eq!(opened.store.snapshot().count(NOTE).expect("count"), 1);
    }
    assert!(
        torn > 0,
        "no text puts the request id at the start of a sector"
    );
}

/// The last segment had no room for the closing mark. Nothing vouched for the last frames then: without them the log
/// would have opened as if they had never been.
#[test]
fn a_close_without_room_for_its_mark_still_proves_the_last_frame() {
    let disk = SimDisk::new(7);
    let store = open(&shared(&disk), StoreOptions { ..small() }).store;
    let mut steps = 0;
    // Up to the end of the segment; the next one begins only when something does not fit.
    while 8192 - used(&disk, "wal.log") > 140 {
        let room = 8192 - used(&disk, "wal.log");
        let bytes = if room > 800 { 500 } else { 8 };
        commit_of(&store, bytes);
        steps += 1;
        assert!(steps < 60, "the segment must fill up");
    }
    store.close().expect("close");
    drop(store);
    let image = disk.after_crash(CrashChoice::LoseAll);
    let log = image.bytes("wal.log").expect("the log");
    let last = *frames(&log).last().expect("a frame");
    image.damage("wal.log", |bytes| bytes[last..].fill(0));
    let error = Store::open(shared(&image), &schema(), small()).err();
    assert!(
        matches!(error, Some(OpenError::Corrupt { .. })),
        "{error:?}"
    );
}

fn commit_of(store: &Store, bytes: usize) {
    let mut transaction = store.begin();
    transaction
        .insert(NOTE, note(&"y".repeat(bytes), 0))
        .expect("insert");
    commit(store, transaction);
}

/// The segment with a request's frame had another name than its number says; the retry got no first result.
#[test]
fn a_retry_finds_its_first_result_in_a_renamed_segment() {
    let disk = SimDisk::new(8);
    let store = open(&shared(&disk), small()).store;
    let request = Some(RequestId([5; 16]));
    let CommitOutcome::Committed { lsn, event } = insert(&store, 100, request) else {
        panic!("the first one commits")
    };
    for _ in 0..10 {
        commit_of(&store, 900);
    }
    store.close().expect("close");
    drop(store);
    disk.rename("wal-000000000001.log", "wal-of-somebody.log")
        .expect("rename");
    let store = open(&shared(&disk), small()).store;
    match insert(&store, 100, request) {
        CommitOutcome::Duplicate {
            lsn: first,
            event: read_back,
        } => {
            assert_eq!(first, lsn);
            assert_eq!(read_back, Ok(event));
        }
        other => panic!("{other}"),
    }
}

/// A roll had ended between its two renames, so the sealed segment was still named `wal.log`. The next process put the names
/// right on disk but remembered the old one: a rewrite of that segment then replaced the segment that was being written.
#[test]
fn a_rewrite_after_an_interrupted_roll_leaves_the_newest_segment() {
    let disk = SimDisk::new(9);
    let store = open(&shared(&disk), small()).store;
    let mut transaction = store.begin();
    let text = "a text to be destroyed";
    let id = transaction.insert(NOTE, note(text, 0)).expect("insert");
    commit(&store, transaction);
    while !disk
        .all_names()
        .iter()
        .any(|name| name == "wal-000000000001.log")
    {
        commit_of(&store, 900);
    }
    let mut transaction = store.begin();
    transaction.destroy(NOTE, id).expect("destroy");
    commit(&store, transaction);
    let live = store.snapshot().count(NOTE).expect("count");
    store.close().expect("close");
    drop(store);
    disk.rename("wal.log", "wal.next").expect("rename");
    disk.rename("wal-000000000001.log", "wal.log")
        .expect("rename");
    let store = open(&shared(&disk), small()).store;
    let report = store.compact(&mut |_| {}).expect("compact");
    assert!(report.is_complete() && report.destroyed == 1, "{report}");
    drop(store);
    let report = verify(&disk).expect("verify");
    assert!(report.is_intact(), "{report}");
    for name in disk.all_names() {
        let bytes = disk.bytes(&name).expect("a file");
        let mut windows = bytes.windows(text.len());
        assert!(!windows.any(|window| window == text.as_bytes()), "{name}");
    }
    let store = open(&shared(&disk), small()).store;
    assert_eq!(store.snapshot().count(NOTE).expect("count"), live);
}
