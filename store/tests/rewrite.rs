//! What is destroyed, or older than is kept, leaves every file; everything else stays, and the log stays provable.

mod model;

use std::sync::Arc;

use flin_store::query::{Column, Comparison, Predicate, Query};
use flin_store::{
    CommitOutcome, Deleted, Disk, EntityId, FieldIx, FieldValue, Keep, Lsn, RequestId, Schema,
    SimDisk, Snapshot, Store, StoreOptions, verify,
};
use flin_testkit::golden;
use model::{NOTE, State, TAG, commit, note, open, schema, small, state_of};

const SECRET: &str = "the-secret-that-must-go";

/// Whether any file of the directory contains these bytes; its name if so.
fn found_in(disk: &SimDisk, needle: &str) -> Option<String> {
    disk.all_names().into_iter().find(|name| {
        let bytes = disk.bytes(name).expect("a file");
        let mut windows = bytes.windows(needle.len());
        windows.any(|window| window == needle.as_bytes())
    })
}

/// Segments of some blocks, so that there is room to give back.
fn roomy() -> StoreOptions {
    StoreOptions {
        segment_bytes_min: 64 << 10,
        segment_bytes_max: 64 << 10,
        ..StoreOptions::inline()
    }
}

fn start(seed: u64) -> (SimDisk, Arc<dyn Disk>, Store) {
    start_with(seed, small())
}

fn start_with(seed: u64, options: StoreOptions) -> (SimDisk, Arc<dyn Disk>, Store) {
    let disk = SimDisk::new(seed);
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let store = open(&shared, options).store;
    (disk, shared, store)
}

fn insert(store: &Store, text: &str) -> EntityId {
    let mut transaction = store.begin();
    let id = transaction.insert(NOTE, note(text, 1)).expect("insert");
    commit(store, transaction);
    id
}

fn update(store: &Store, id: EntityId, text: &str) {
    let mut transaction = store.begin();
    transaction.update(NOTE, id, note(text, 2)).expect("update");
    commit(store, transaction);
}

fn destroy(store: &Store, id: EntityId) -> Lsn {
    let mut transaction = store.begin();
    transaction.destroy(NOTE, id).expect("destroy");
    commit(store, transaction)
}

/// Notes enough to fill some segments of 8 KiB.
fn fill(store: &Store, count: usize) -> Vec<EntityId> {
    (0..count)
        .map(|at| insert(store, &format!("filler {at} {}", "x".repeat(700))))
        .collect()
}

fn compact(store: &Store) -> flin_store::CompactReport {
    let report = store.compact(&mut |_| {}).expect("compact");
    assert!(report.is_complete(), "{report}");
    report
}

fn state(store: &Store) -> State {
    state_of(&store.snapshot(), &[NOTE, TAG])
}

fn assert_intact(disk: &SimDisk) -> flin_store::VerifyReport {
    let report = verify(disk).expect("verify");
    assert!(report.is_intact(), "{report}");
    report
}

#[test]
fn a_destroyed_record_is_in_no_file_any_more() {
    let (disk, shared, store) = start(1);
    let before = fill(&store, 12);
    let mut transaction = store.begin();
    let secret = transaction.insert(NOTE, note(SECRET, 1)).expect("insert");
    let neighbour = transaction
        .insert(NOTE, note("in the same transaction", 1))
        .expect("insert");
    commit(&store, transaction);
    fill(&store, 12);
    update(&store, secret, &format!("{SECRET} again"));
    fill(&store, 12);
    let mut transaction = store.begin();
    transaction.delete(NOTE, secret).expect("delete");
    commit(&store, transaction);
    shared.create("quarantine/old.cut", 512).expect("create");
    disk.damage("quarantine/old.cut", |bytes| {
        bytes[..SECRET.len()].copy_from_slice(SECRET.as_bytes());
    });
    destroy(&store, secret);
    assert!(
        found_in(&disk, SECRET).is_some(),
        "it is on the disk so far"
    );
    let untouched = state(&store);
    let report = compact(&store);
    assert_eq!((report.destroyed, report.waiting), (1, 0), "{report}");
    assert_eq!(report.erased, 3, "each version: {report}");
    assert_eq!(found_in(&disk, SECRET), None);
    assert_eq!(state(&store), untouched);
    let snapshot = store.snapshot();
    assert!(snapshot.get_any(NOTE, secret).expect("read").is_none());
    assert!(snapshot.get(NOTE, neighbour).expect("read").is_some());
    assert!(snapshot.get(NOTE, before[0]).expect("read").is_some());
    store.close().expect("close");
    drop(store);
    let counted = assert_intact(&disk).counts;
    assert_eq!((counted.destroys, counted.erased), (1, 3));
    let store = open(&shared, small()).store;
    assert_eq!(state(&store), untouched);
    assert_eq!(compact(&store).rewritten, 0, "there is nothing left to do");
}

#[test]
fn waiting_receipts_are_found_again_in_the_log() {
    let (disk, shared, store) = start(2);
    let ids: Vec<EntityId> = (0..3).map(|_| insert(&store, SECRET)).collect();
    fill(&store, 12);
    for id in &ids {
        destroy(&store, *id);
    }
    drop(store);
    let store = open(&shared, small()).store;
    store.close().expect("close");
    assert!(found_in(&disk, SECRET).is_some(), "nothing is due yet");
    let store = open(&shared, small()).store;
    disk.set_clock_ms(disk.now_ms() + 13 * 60 * 60 * 1000);
    store.close().expect("close");
    drop(store);
    assert_eq!(found_in(&disk, SECRET), None, "due at half of 24 hours");
    let store = open(&shared, small()).store;
    let report = compact(&store);
    assert_eq!((report.destroyed, report.rewritten), (0, 0), "{report}");
    assert_intact_after(store, &disk);
}

fn assert_intact_after(store: Store, disk: &SimDisk) {
    store.close().expect("close");
    drop(store);
    assert_intact(disk);
}

#[test]
fn the_background_thread_keeps_the_deadline() {
    let dir = std::env::temp_dir().join(format!("flin-store-rewrite-{}", std::process::id()));
    let disk: Arc<dyn Disk> = Arc::new(flin_store::RealDisk::open(&dir).expect("directory"));
    let options = StoreOptions {
        segment_bytes_min: 8192,
        segment_bytes_max: 8192,
        destroy_within_ms: 200,
        ..StoreOptions::default()
    };
    let store = open(&disk, options).store;
    let secret = insert(&store, SECRET);
    fill(&store, 12);
    destroy(&store, secret);
    let contains = || {
        let files = std::fs::read_dir(&dir).expect("list");
        files.filter_map(Result::ok).any(|file| {
            let bytes = std::fs::read(file.path()).unwrap_or_default();
            let mut windows = bytes.windows(SECRET.len());
            windows.any(|window| window == SECRET.as_bytes())
        })
    };
    let mut turns = 0;
    while contains() {
        turns += 1;
        assert!(turns < 1500, "the secret is still there after 30 seconds");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    store.close().expect("close");
    drop(store);
    let report = verify(disk.as_ref()).expect("verify");
    assert!(report.is_intact(), "{report}");
    std::fs::remove_dir_all(dir).expect("clean up");
}

#[test]
fn a_segment_without_content_is_one_gap_and_the_log_goes_on_over_it() {
    let (disk, shared, store) = start_with(3, roomy());
    let request = RequestId([7; 16]);
    let mut transaction = store.begin();
    let first = transaction.insert(NOTE, note(SECRET, 1)).expect("insert");
    let committed = store.commit_wait(transaction, Some(request));
    let CommitOutcome::Committed { lsn, .. } = committed else {
        panic!("{committed}")
    };
    let ids = fill(&store, 199);
    let newest = *ids.last().expect("an id");
    destroy(&store, first);
    for id in &ids {
        destroy(&store, *id);
    }
    let report = compact(&store);
    assert!(report.freed_bytes > 100_000, "{report}");
    let check = |store: &Store| {
        assert_eq!(store.snapshot().count(NOTE).expect("count"), 0);
        let mut again = store.begin();
        again.insert(NOTE, note("again", 1)).expect("insert");
        let answer = store.commit_wait(again, Some(request));
        assert!(
            matches!(answer, CommitOutcome::Duplicate { lsn: of, .. } if of == lsn),
            "{answer}"
        );
    };
    check(&store);
    store.close().expect("close");
    drop(store);
    let counts = assert_intact(&disk).counts;
    assert!(counts.gaps >= 3 && counts.erased == 200, "{counts:?}");
    assert_eq!(counts.transactions, 400, "gaps say what stood in them");
    let store = open(&shared, small()).store;
    check(&store);
    let next = insert(&store, "numbers are never given out again");
    assert!(next > newest, "{next} after {newest}");
}

/// A checkpoint reaches up to a frame, and the segment that a rewrite started had none until the next commit.
#[test]
fn the_segment_that_a_rewrite_started_gets_a_mark() {
    let options = StoreOptions {
        committer_thread: true,
        ..small()
    };
    let (disk, _, store) = start_with(15, options);
    let id = insert(&store, SECRET);
    destroy(&store, id);
    compact(&store);
    let first_frame = || {
        let log = disk.bytes("wal.log").expect("the active segment");
        log[4096..4100].iter().any(|byte| *byte != 0)
    };
    let start = std::time::Instant::now();
    while !first_frame() {
        assert!(start.elapsed().as_secs() < 30, "no mark is written");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_intact_after(store, &disk);
}

fn keeping(keep: Keep) -> Schema {
    let mut schema = schema();
    schema.types[0].keep = keep;
    schema
}

fn open_keeping(disk: &Arc<dyn Disk>, keep: Keep) -> Store {
    Store::open(disk.clone(), &keeping(keep), small())
        .unwrap_or_else(|error| panic!("open failed: {error}"))
        .store
}

fn versions(snapshot: &Snapshot, id: EntityId) -> Vec<u32> {
    let history = snapshot.history(NOTE, id).expect("history");
    history.iter().map(|record| record.version).collect()
}

fn days(count: i64) -> i64 {
    count * 24 * 60 * 60 * 1000
}

#[test]
fn kept_versions() {
    let disk = SimDisk::new(4);
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let keep = Keep {
        versions: Some(3),
        ..Keep::default()
    };
    let store = open_keeping(&shared, keep);
    let id = insert(&store, "version 1 of many");
    let once = insert(&store, "only once");
    for at in 2..=20 {
        update(
            &store,
            id,
            &format!("version {at} of many {}", "x".repeat(700)),
        );
    }
    compact(&store);
    let check = |snapshot: &Snapshot| {
        assert_eq!(versions(snapshot, id), [18, 19, 20]);
        assert_eq!(versions(snapshot, once), [1]);
        let past = snapshot.at_lsn(Lsn(8));
        assert_eq!(past.get_any(NOTE, id).expect("read"), None);
        assert!(past.get(NOTE, once).expect("read").is_some());
    };
    check(&store.snapshot());
    store.close().expect("close");
    drop(store);
    assert_intact(&disk);
    assert_eq!(found_in(&disk, "version 17 of many"), None);
    assert!(found_in(&disk, "version 18 of many").is_some());
    let store = open_keeping(&shared, keep);
    check(&store.snapshot());
    update(&store, id, "version 21 of many");
    assert_eq!(versions(&store.snapshot(), id), [18, 19, 20, 21]);
    compact(&store);
    assert_eq!(versions(&store.snapshot(), id), [19, 20, 21]);
}

/// The indexes still say what forgotten versions were: what is counted and limited is what is there.
#[test]
fn indexes_do_not_tell_of_versions_that_are_kept_no_longer() {
    let disk = SimDisk::new(14);
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let mut schema = keeping(Keep {
        versions: Some(3),
        ..Keep::default()
    });
    let size = schema.types[0].fields[1].clone();
    schema.types[0].fields[1] = size.ordered();
    let opened = Store::open(shared, &schema, small());
    let store = opened.expect("open").store;
    let id = insert(&store, "changed often");
    let once = insert(&store, "only once");
    let then = store.snapshot().lsn();
    let column = Column::Field(FieldIx(1));
    let with_size = Predicate::Compare {
        column,
        comparison: Comparison::Eq,
        value: FieldValue::Int(1),
    };
    let equal = Query::all(NOTE).matching(with_size);
    let mut first = Query::all(NOTE).ordered(column, false);
    first.limit = Some(1);
    let answers = |snapshot: &Snapshot, query: &Query| {
        let rows = snapshot.select(query);
        let ids: Vec<EntityId> = rows.map(|row| row.expect("a record").id).collect();
        (snapshot.count_where(query).expect("count"), ids)
    };
    for _ in 0..20 {
        update(&store, id, &"x".repeat(700));
    }
    let past = store.snapshot().at_lsn(then);
    assert_eq!(answers(&past, &equal), (2, vec![id, once]));
    compact(&store);
    let past = store.snapshot().at_lsn(then);
    assert_eq!(past.get_any(NOTE, id).expect("read"), None);
    assert_eq!(answers(&past, &equal), (1, vec![once]));
    assert_eq!(answers(&past, &first), (1, vec![once]));
}

#[test]
fn kept_days() {
    let disk = SimDisk::new(5);
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let keep = Keep {
        days: Some(30),
        ..Keep::default()
    };
    let store = open_keeping(&shared, keep);
    let begin = disk.now_ms();
    let id = insert(&store, "day 0");
    for day in [10, 20, 50, 60] {
        disk.set_clock_ms(begin + days(day));
        update(&store, id, &format!("day {day}"));
    }
    let mut transaction = store.begin();
    transaction.delete(NOTE, id).expect("delete");
    disk.set_clock_ms(begin + days(65));
    commit(&store, transaction);
    compact(&store);
    let snapshot = store.snapshot();
    assert_eq!(versions(&snapshot, id), [3, 4, 5, 6]);
    let on = |day: i64| {
        let past = snapshot.at_time(begin + days(day));
        let found = past.get_any(NOTE, id).expect("read")?;
        Some(found.field(FieldIx(0)).clone())
    };
    assert_eq!(on(36), Some(FieldValue::text("day 20")), "within 30 days");
    assert_eq!(on(15), None, "a later version would be a lie");
    disk.set_clock_ms(begin + days(400));
    compact(&store);
    assert_eq!(versions(&store.snapshot(), id), [6], "the newest one stays");
    let deleted = store.snapshot().scan(NOTE, Deleted::Only).count();
    assert_eq!(deleted, 1);
    assert_intact_after(store, &disk);
}

#[test]
fn an_open_snapshot_sees_what_it_saw_but_nothing_destroyed() {
    let disk = SimDisk::new(8);
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let keep = Keep {
        versions: Some(2),
        ..Keep::default()
    };
    let store = open_keeping(&shared, keep);
    let id = insert(&store, "version 1");
    let gone = insert(&store, SECRET);
    for at in 2..=12 {
        update(&store, id, &format!("version {at} {}", "x".repeat(700)));
    }
    let snapshot = store.snapshot();
    let past = snapshot.at_lsn(Lsn(8));
    let seen = past.get(NOTE, id).expect("read").expect("there");
    let mut scan = snapshot.scan(NOTE, Deleted::Include);
    assert_eq!(scan.next().expect("one").expect("read").id, id);
    destroy(&store, gone);
    assert!(scan.next().is_none(), "read ahead, and destroyed meanwhile");
    assert!(snapshot.get_any(NOTE, gone).expect("read").is_none());
    compact(&store);
    assert_eq!(past.get(NOTE, id).expect("read"), Some(seen));
    assert_eq!(versions(&snapshot, id).len(), 12);
    drop((snapshot, past, scan));
    assert_eq!(versions(&store.snapshot(), id), [11, 12]);
    assert_intact_after(store, &disk);
}

/// The bytes behind a cut stay in their segment until it is rewritten; they may hold what is destroyed later.
#[test]
fn bytes_behind_a_cut_go_too() {
    let (disk, shared, store) = start(6);
    let id = insert(&store, "will be destroyed");
    drop(store);
    disk.damage("wal.log", |bytes| {
        let end = bytes.iter().rposition(|byte| *byte != 0).expect("frames");
        let at = (end + 1).next_multiple_of(8) + 16; // a number may end with zeros
        bytes[at..at + 4].copy_from_slice(&[0xF7, b'F', b'r', 0x9C]);
        bytes[at + 64..at + 64 + SECRET.len()].copy_from_slice(SECRET.as_bytes());
        bytes[at + 2000] = 1;
    });
    let store = open(&shared, small()).store;
    insert(&store, "after the cut");
    let kept = disk.all_names();
    assert!(kept.iter().any(|name| name.starts_with("quarantine/")));
    assert!(found_in(&disk, SECRET).is_some());
    destroy(&store, id);
    compact(&store);
    assert_eq!(found_in(&disk, SECRET), None);
    assert_intact_after(store, &disk);
}

#[test]
fn what_a_rewrite_says() {
    let (_, _, store) = start_with(7, roomy());
    let ids = fill(&store, 100);
    let before = compact(&store).to_string();
    for id in &ids[..60] {
        destroy(&store, *id);
    }
    let report = compact(&store);
    golden::check(
        &std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/compact.txt"),
        &format!("{before}\n\n{report}\n"),
    );
}
