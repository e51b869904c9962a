//! The torn tail: what nobody was told about is cut, kept aside, and never appended behind.

mod model;

use std::sync::Arc;

use flin_store::{CrashChoice, Disk, Fault, OpenError, SimDisk, Store, TailReport, verify};
use model::{NOTE, commit, note, open, schema, small};

fn shared(disk: &SimDisk) -> Arc<dyn Disk> {
    Arc::new(disk.clone())
}

/// Three acknowledged notes, then the power fails in the sync of a fourth, large one.
fn failing_in_a_sync() -> SimDisk {
    let disk = SimDisk::new(11);
    let store = open(&shared(&disk), small()).store;
    for at in 0..3 {
        let mut transaction = store.begin();
        transaction.insert(NOTE, note("kept", at)).expect("insert");
        commit(&store, transaction);
    }
    disk.plan(Some(Fault::CrashAt(1)));
    let mut transaction = store.begin();
    transaction
        .insert(NOTE, note(&"torn ".repeat(500), 3))
        .expect("insert");
    let outcome = store.commit_wait(transaction, None);
    assert!(
        outcome.to_string().starts_with("it is not known whether"),
        "{outcome}"
    );
    disk
}

/// A crash after which the fourth note is there in part.
fn torn() -> SimDisk {
    let disk = failing_in_a_sync();
    let is_cut = |image: &SimDisk| {
        let report = verify(image).expect("verify");
        assert!(report.is_intact());
        matches!(report.tail, TailReport::Cut { .. })
    };
    (0..100)
        .map(|toss| disk.after_crash(CrashChoice::Toss(toss)))
        .find(is_cut)
        .expect("one of the tosses tears")
}

#[test]
fn opens_with_a_report_and_goes_on_in_a_new_segment() {
    let disk = torn();
    let before = disk.bytes("wal.log").expect("the log");
    let opened = open(&shared(&disk), small());
    let TailReport::Cut {
        file,
        offset,
        bytes,
        lsn,
    } = opened.report.tail.clone()
    else {
        panic!("{}", opened.report);
    };
    assert_eq!((file.as_str(), lsn.0), ("wal.log", 5));
    assert_eq!(opened.store.snapshot().count(NOTE).expect("count"), 3);
    assert!(
        disk.bytes("wal.log").as_ref() == Some(&before),
        "opening alone changes nothing"
    );
    drop(opened);

    let opened = open(&shared(&disk), small());
    let mut transaction = opened.store.begin();
    transaction.insert(NOTE, note("after", 4)).expect("insert");
    assert_eq!(
        commit(&opened.store, transaction),
        lsn,
        "the LSN was never acknowledged"
    );
    let sealed = disk
        .bytes("wal-000000000001.log")
        .expect("the old segment is sealed");
    assert!(
        sealed == before,
        "nothing is appended behind a cut, nothing is wiped"
    );
    let name = disk
        .all_names()
        .into_iter()
        .find(|name| name.starts_with("quarantine/"))
        .expect("a copy");
    let from = offset as usize;
    assert_eq!(
        disk.bytes(&name).expect("the copy"),
        before[from..from + bytes as usize]
    );
    drop(opened);

    let opened = open(&shared(&disk.after_crash(CrashChoice::LoseAll)), small());
    assert_eq!(opened.report.tail, TailReport::NotClosed);
    assert_eq!(opened.report.counts.creates, 4);
    let texts: Vec<_> = opened
        .store
        .snapshot()
        .scan(NOTE, flin_store::Deleted::Hide)
        .collect::<Result<_, _>>()
        .expect("scan");
    assert_eq!(texts.last().expect("a note").fields, note("after", 4));
}

#[test]
fn bits_flipped_in_the_last_unproven_frame_are_not_taken_for_a_torn_write() {
    let disk = SimDisk::new(12);
    let store = open(&shared(&disk), small()).store;
    let mut transaction = store.begin();
    transaction
        .insert(NOTE, note("last and acknowledged", 0))
        .expect("insert");
    commit(&store, transaction);
    drop(store);
    let whole = disk.after_crash(CrashChoice::LoseAll);
    let log = whole.bytes("wal.log").expect("the log");
    let end = log.iter().rposition(|byte| *byte != 0).expect("content") + 1;
    let text_at = log
        .windows(4)
        .rposition(|found| found == b"last")
        .expect("the text");
    for at in text_at..end {
        let flipped = whole.after_crash(CrashChoice::LoseAll);
        flipped.damage("wal.log", |bytes| bytes[at] ^= 0x10);
        let error = Store::open(shared(&flipped), &schema(), small()).err();
        assert!(
            matches!(error, Some(OpenError::Corrupt { .. })),
            "byte {at}: everything arrived, so it was changed"
        );
    }
}

#[test]
fn a_mark_proves_the_last_frame_even_when_a_sector_is_missing() {
    let disk = SimDisk::new(13);
    let store = open(&shared(&disk), small()).store;
    let mut transaction = store.begin();
    transaction
        .insert(NOTE, note(&"y".repeat(1500), 0))
        .expect("insert");
    commit(&store, transaction);
    store.close().expect("close");
    drop(store);
    disk.remove("MANIFEST").expect("remove");
    let at = disk
        .bytes("wal.log")
        .expect("the log")
        .windows(600)
        .position(|found| found == [b'y'; 600])
        .expect("text");
    let sector = at.next_multiple_of(512);
    disk.damage("wal.log", |bytes| bytes[sector..sector + 512].fill(0));
    let error = Store::open(shared(&disk), &schema(), small()).err();
    assert!(
        matches!(error, Some(OpenError::Corrupt { lsn, .. }) if lsn.0 == 2),
        "the mark vouches for LSN 2"
    );
}

/// The log of a store that was not closed, shortened in its zeros, at a frame's border or inside the last frame, used to
/// be refused as damage, although nothing, or nothing provable, was missing. It opens with a report and goes on.
#[test]
fn a_shortened_file_is_a_torn_tail_unless_something_proves_the_loss() {
    let disk = SimDisk::new(14);
    let store = open(&shared(&disk), small()).store;
    for at in 0..3 {
        let mut transaction = store.begin();
        transaction.insert(NOTE, note("kept", at)).expect("insert");
        commit(&store, transaction);
    }
    let whole = disk.after_crash(CrashChoice::LoseAll);
    let log = whole.bytes("wal.log").expect("the log");
    let text = |wanted: &[u8]| {
        let found = log.windows(wanted.len()).rposition(|found| found == wanted);
        found.expect("the text")
    };
    let last_frame = text(b"kept");
    for len in [log.len() - 1, log.len() - 600, last_frame + 2] {
        let cut = whole.after_crash(CrashChoice::LoseAll);
        cut.damage("wal.log", |bytes| bytes.truncate(len));
        let opened = open(&shared(&cut), small());
        assert!(
            matches!(opened.report.tail, TailReport::Cut { .. }) && opened.report.notes.len() == 1,
            "{}",
            opened.report
        );
        let kept = if len > last_frame + 600 { 3 } else { 2 };
        assert_eq!(opened.store.snapshot().count(NOTE).expect("count"), kept);
        let mut transaction = opened.store.begin();
        transaction.insert(NOTE, note("after", 9)).expect("insert");
        commit(&opened.store, transaction);
        drop(opened);
        let opened = open(&shared(&cut.after_crash(CrashChoice::LoseAll)), small());
        assert_eq!(
            opened.store.snapshot().count(NOTE).expect("count"),
            kept + 1
        );
        assert!(verify(&cut).expect("verify").is_intact());
    }
    // The frame after the lost one knows that the lost one was acknowledged.
    store.close().expect("close");
    drop(store);
    disk.damage("wal.log", |bytes| bytes.truncate(last_frame + 2));
    let error = Store::open(shared(&disk), &schema(), small()).err();
    assert!(matches!(error, Some(OpenError::Corrupt { .. })));
}
