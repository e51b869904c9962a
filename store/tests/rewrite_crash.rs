//! Power failures and failed calls at every step of a rewrite: what was destroyed never comes back, nothing else is ever lost,
//! and the next rewrite finishes what this one began.

mod model;

use std::sync::Arc;

use flin_store::{CrashChoice, Disk, EntityId, Fault, Keep, Lie, Schema, SimDisk, Store, verify};
use model::{NOTE, State, TAG, commit, note, schema, small};

const SECRET: &str = "the-secret-that-must-go";
const FORGOTTEN: &str = "a-version-kept-no-longer";

fn keeping_two() -> Schema {
    let mut schema = schema();
    schema.types[0].keep = Keep {
        versions: Some(2),
        ..Keep::default()
    };
    schema
}

fn open(disk: &SimDisk) -> Store {
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    Store::open(shared, &keeping_two(), small())
        .unwrap_or_else(|error| panic!("open failed: {error}"))
        .store
}

fn found_in(disk: &SimDisk, needle: &str) -> Option<String> {
    disk.all_names().into_iter().find(|name| {
        let bytes = disk.bytes(name).expect("a file");
        let mut windows = bytes.windows(needle.len());
        windows.any(|window| window == needle.as_bytes())
    })
}

/// A store with three segments that hold something to erase, the active one among them.
fn prepared(seed: u64) -> (SimDisk, Store) {
    let disk = SimDisk::new(seed);
    let store = open(&disk);
    let write = |ids: &[EntityId], text: &str| {
        let mut transaction = store.begin();
        let long = format!("{text} {}", "x".repeat(600));
        let mut made = Vec::new();
        for at in 0..2 {
            match ids.get(at) {
                Some(id) => {
                    transaction
                        .update(NOTE, *id, note(&long, at as i64))
                        .expect("update");
                }
                None => made.push(transaction.insert(NOTE, note(&long, 0)).expect("insert")),
            }
        }
        commit(&store, transaction);
        made
    };
    let ids = write(&[], SECRET);
    let others = write(&[], FORGOTTEN);
    for turn in 0..3 {
        write(&ids, SECRET);
        let text = if turn == 0 { FORGOTTEN } else { "newer" };
        write(&others, text);
        write(&[], "untouched");
    }
    let mut transaction = store.begin();
    for id in &ids {
        transaction.destroy(NOTE, *id).expect("destroy");
    }
    commit(&store, transaction);
    let leftover = disk.create("quarantine/old.cut", 64).expect("create");
    leftover.write_at(0, SECRET.as_bytes()).expect("write");
    leftover.sync().expect("sync");
    disk.sync_dir().expect("sync");
    (disk, store)
}

/// What a reader sees whatever a rewrite has done so far: the newest version of each record.
fn newest(store: &Store) -> State {
    let mut state = State::new();
    let snapshot = store.snapshot();
    for ty in [NOTE, TAG] {
        for record in snapshot.scan(ty, flin_store::Deleted::Include) {
            let record = record.unwrap_or_else(|error| panic!("scan: {error}"));
            let history = snapshot.history(ty, record.id).expect("history");
            assert_eq!(history.last(), Some(&*record));
            let version = model::Version {
                deleted: record.is_deleted(),
                fields: record.fields.clone(),
            };
            state.insert((ty, record.id), vec![version]);
        }
    }
    state
}

fn finish(disk: &SimDisk, expected: &State, context: &str) {
    let report = verify(disk).unwrap_or_else(|error| panic!("{context}\n{error}"));
    assert!(report.is_intact(), "{context}\n{report}");
    let store = open(disk);
    assert_eq!(newest(&store), *expected, "{context}");
    let report = store.compact(&mut |_| {}).expect("compact");
    assert!(
        report.is_complete() && report.waiting == 0,
        "{context}\n{report}"
    );
    for text in [SECRET, FORGOTTEN] {
        assert_eq!(found_in(disk, text), None, "{context}\n{report}");
    }
    assert!(!disk.all_names().iter().any(|name| name == "rewrite.new"));
    assert_eq!(newest(&store), *expected, "{context}");
    let again = store.compact(&mut |_| {}).expect("compact");
    assert_eq!(again.rewritten, 0, "{context}\n{again}");
    store.close().expect("close");
    drop(store);
    let report = verify(disk).unwrap_or_else(|error| panic!("{context}\n{error}"));
    assert!(report.is_intact(), "{context}\n{report}");
}

fn calls_of(seed: u64) -> u64 {
    let (disk, store) = prepared(seed);
    disk.plan(None);
    let report = store.compact(&mut |_| {}).expect("compact");
    assert!(report.rewritten >= 3, "{report}");
    disk.calls()
}

fn choices(disk: &SimDisk, at: u64) -> Vec<CrashChoice> {
    let items = disk.pending_items();
    if items <= 7 {
        return (0..1 << items).map(CrashChoice::Subset).collect();
    }
    let tossed = (0..4).map(|toss| CrashChoice::Toss(at << 8 ^ toss));
    [CrashChoice::LoseAll, CrashChoice::KeepAll]
        .into_iter()
        .chain(tossed)
        .collect()
}

#[test]
fn a_power_failure_at_every_call() {
    for at in 0..calls_of(1) {
        let (disk, store) = prepared(1);
        let expected = newest(&store);
        disk.plan(Some(Fault::CrashAt(at)));
        // Whether the caller is told so depends on the call; the judge looks at the disk.
        let _told = store.compact(&mut |_| {}).is_ok();
        assert!(disk.crashed(), "call {at}");
        for choice in choices(&disk, at) {
            let image = disk.after_crash(choice);
            finish(&image, &expected, &format!("call {at}, {choice:?}"));
        }
    }
}

#[test]
fn a_power_failure_in_the_rewrite_after_a_power_failure() {
    let calls = calls_of(2);
    for at in (0..calls).step_by(3) {
        let (disk, store) = prepared(2);
        let expected = newest(&store);
        disk.plan(Some(Fault::CrashAt(at)));
        let _told = store.compact(&mut |_| {}).is_ok();
        for second in (0..calls).step_by(5) {
            let image = disk.after_crash(CrashChoice::Toss(at * 31 + second));
            image.plan(Some(Fault::CrashAt(second)));
            let shared: Arc<dyn Disk> = Arc::new(image.clone());
            if let Ok(opened) = Store::open(shared, &keeping_two(), small()) {
                let _told = opened.store.compact(&mut |_| {}).is_ok();
            }
            let last = image.after_crash(CrashChoice::Toss(second));
            finish(&last, &expected, &format!("calls {at} and {second}"));
        }
    }
}

#[test]
fn a_failed_call_is_told_and_changes_nothing() {
    for at in 0..calls_of(3) {
        let (disk, store) = prepared(3);
        let expected = newest(&store);
        disk.plan(Some(Fault::FailAt(at)));
        let failed = match store.compact(&mut |_| {}) {
            Ok(report) => !report.is_complete(),
            Err(_) => true,
        };
        disk.plan(None);
        assert!(failed, "call {at}");
        assert_eq!(newest(&store), expected, "call {at}");
        drop(store);
        finish(&disk, &expected, &format!("failed call {at}"));
    }
}

#[test]
fn a_full_disk_leaves_the_log_and_the_next_rewrite_finishes() {
    for from in 0..8 {
        let (disk, store) = prepared(4);
        let expected = newest(&store);
        disk.plan(Some(Fault::FullFrom(from)));
        let report = store.compact(&mut |_| {}).expect("compact");
        assert_eq!(newest(&store), expected);
        disk.plan(None);
        if !report.is_complete() {
            assert!(report.waiting > 0, "{report}");
        }
        disk.set_clock_ms(disk.now_ms() + 5000);
        let report = store.compact(&mut |_| {}).expect("compact");
        assert!(report.is_complete(), "{report}");
        store.close().expect("close");
        drop(store);
        finish(&disk, &expected, &format!("full from {from}"));
    }
}

/// What is wrong after a rewrite that was told to be complete and a power failure then.
fn after_a_complete_rewrite(lie: Option<Lie>) -> Option<String> {
    let (disk, store) = prepared(5);
    let expected = newest(&store);
    disk.lie(lie);
    let report = store.compact(&mut |_| {}).expect("compact");
    assert!(report.is_complete(), "{report}");
    let tossed = (0..20).map(CrashChoice::Toss);
    let choices = [CrashChoice::LoseAll, CrashChoice::KeepAll].into_iter();
    for choice in choices.chain(tossed) {
        let image = disk.after_crash(choice);
        if let Some(name) = found_in(&image, SECRET).or_else(|| found_in(&image, FORGOTTEN)) {
            return Some(format!("{choice:?}: {name} still has it"));
        }
        let shared: Arc<dyn Disk> = Arc::new(image.clone());
        match Store::open(shared, &keeping_two(), small()) {
            Err(error) => return Some(format!("{choice:?}: {error}")),
            Ok(opened) if newest(&opened.store) != expected => {
                return Some(format!("{choice:?}: another state"));
            }
            Ok(_) => {}
        }
    }
    None
}

/// The tests above are worth something: with a sync removed they would fail.
#[test]
fn a_missing_sync_would_be_noticed() {
    assert_eq!(after_a_complete_rewrite(None), None);
    for lie in [Lie::FileSync("rewrite.new"), Lie::DirSync] {
        let noticed = after_a_complete_rewrite(Some(lie));
        assert!(noticed.is_some(), "no crash shows that {lie:?} is missing");
    }
}
