//! Backups taken beside writers, restored whole and at every moment; half of one is never taken for a whole one.

mod model;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use flin_store::{
    BackupReport, CommitEvent, CrashChoice, Disk, EntityId, Fault, Lsn, Moment, RealDisk,
    RestoreError, SimDisk, Store, StoreOptions, backup, restore, verify,
};
use flin_testkit::golden;
use flin_testkit::rng::Rng;
use model::{NOTE, State, TAG, Version, commit, note, open, perform, small, state_of, steps};

fn sim(seed: u64) -> (SimDisk, Arc<dyn Disk>) {
    let disk = SimDisk::new(seed);
    (disk.clone(), Arc::new(disk))
}

fn state(store: &Store) -> State {
    state_of(&store.snapshot(), &[NOTE, TAG])
}

fn take(store: &Store, to: &SimDisk) -> BackupReport {
    let report = store.backup(to, None, &mut |_| {});
    report.unwrap_or_else(|error| panic!("backup: {error}"))
}

/// The state that a backup restores to.
fn restored(from: &dyn Disk, at: Option<Moment>) -> Result<State, RestoreError> {
    let (disk, shared) = sim(99);
    let report = restore(from, &disk, at, &mut |_| {})?;
    let checked = verify(&disk).expect("verify");
    assert!(checked.is_intact(), "{checked}");
    assert_eq!(checked.last_lsn, report.lsn);
    let store = open(&shared, small()).store;
    let found = state(&store);
    // A restored store goes on like any other.
    let mut transaction = store.begin();
    transaction
        .insert(NOTE, note("written after the restore", 1))
        .expect("insert");
    commit(&store, transaction);
    store.close().expect("close");
    drop(store);
    let checked = verify(&disk).expect("verify");
    assert!(checked.is_intact(), "{checked}");
    Ok(found)
}

/// A store with some history: its state after each transaction, by LSN, and the time of each.
fn with_history(seed: u64) -> (SimDisk, Store, BTreeMap<Lsn, (i64, State)>) {
    let (disk, shared) = sim(seed);
    let store = open(&shared, small()).store;
    let (mut rng, mut now, mut states) = (Rng::new(seed), State::new(), BTreeMap::new());
    for _ in 0..14 {
        disk.set_clock_ms(disk.now_ms() + 1000);
        let mut transaction = store.begin();
        let steps = steps(&mut rng, &now);
        perform(&mut transaction, &steps, &mut now);
        let lsn = commit(&store, transaction);
        states.insert(lsn, (disk.now_ms(), now.clone()));
    }
    (disk, store, states)
}

#[test]
fn whole_and_at_every_moment() {
    for seed in 1..4 {
        let (_, store, states) = with_history(seed);
        let target = SimDisk::new(seed + 50);
        let report = take(&store, &target);
        assert_eq!(Some(report.lsn), states.keys().last().copied());
        assert!(report.segments > 2, "the workload must roll segments");
        let checked = verify(&target).expect("a backup is verified like a store");
        assert!(checked.is_intact(), "{checked}");
        let (_, last) = states.values().last().expect("a state");
        assert_eq!(restored(&target, None).expect("restore"), *last);
        for (lsn, (time_ms, expected)) in &states {
            let at = restored(&target, Some(Moment::Lsn(*lsn)));
            assert_eq!(at.expect("restore"), *expected, "seed {seed}, LSN {lsn}");
            let at = restored(&target, Some(Moment::Time(*time_ms + 500)));
            // The backup was taken right after the last one.
            if Some(lsn) == states.keys().last() {
                assert!(matches!(at, Err(RestoreError::TooLate { .. })));
            } else {
                assert_eq!(at.expect("restore"), *expected, "seed {seed}, {time_ms} ms");
            }
        }
        let late = restored(&target, Some(Moment::Lsn(Lsn(report.lsn.0 + 1))));
        assert!(matches!(late, Err(RestoreError::TooLate { newest }) if newest == report.lsn));
        let early = restored(&target, Some(Moment::Time(1)));
        assert!(matches!(early, Err(RestoreError::TooEarly)));
    }
}

#[test]
fn a_restored_store_is_another_store() {
    let (source, store, _) = with_history(5);
    let (target, copy) = (SimDisk::new(6), SimDisk::new(7));
    take(&store, &target);
    restore(&target, &copy, None, &mut |_| {}).expect("restore");
    let id = |disk: &SimDisk| {
        let bytes = disk.bytes("MANIFEST").expect("a manifest");
        let text = String::from_utf8(bytes).expect("text");
        text.lines().nth(1).expect("a line").to_owned()
    };
    assert_eq!(id(&source), id(&target), "a backup is of the same store");
    assert_ne!(id(&source), id(&copy));
    let refused = store.backup(&SimDisk::new(8), Some(&copy), &mut |_| {});
    let refused = refused.expect_err("that is no earlier backup of it");
    assert!(refused.to_string().contains("another store"), "{refused}");
}

#[test]
fn destroyed_stays_destroyed_at_every_moment() {
    let (disk, shared) = sim(9);
    let store = open(&shared, small()).store;
    let secret = "a-secret-of-the-past";
    let mut lsns = Vec::new();
    let mut id = EntityId(0);
    for at in 0..8 {
        let mut transaction = store.begin();
        let text = format!("{secret} {at} {}", "x".repeat(900));
        if at == 0 {
            id = transaction.insert(NOTE, note(&text, at)).expect("insert");
        } else {
            transaction
                .update(NOTE, id, note(&text, at))
                .expect("update");
        }
        transaction.insert(NOTE, note("stays", at)).expect("insert");
        lsns.push(commit(&store, transaction));
    }
    let mut transaction = store.begin();
    transaction.destroy(NOTE, id).expect("destroy");
    commit(&store, transaction);
    let target = SimDisk::new(10);
    take(&store, &target);
    for lsn in lsns {
        let copy = SimDisk::new(11);
        let report = restore(&target, &copy, Some(Moment::Lsn(lsn)), &mut |_| {});
        let report = report.expect("restore");
        assert!(report.erased > 0, "{report}");
        for name in copy.all_names() {
            let bytes = copy.bytes(&name).expect("a file");
            let mut windows = bytes.windows(secret.len());
            assert!(!windows.any(|window| window == secret.as_bytes()), "{name}");
        }
        let checked = verify(&copy).expect("verify");
        assert!(checked.is_intact(), "{checked}");
        let shared: Arc<dyn Disk> = Arc::new(copy);
        let store = open(&shared, small()).store;
        let snapshot = store.snapshot();
        assert!(snapshot.get_any(NOTE, id).expect("read").is_none());
        assert!(snapshot.count(NOTE).expect("count") > 0);
    }
    drop(disk);
}

fn scratch(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("flin-backup-{name}-{}", std::process::id()));
    let _absent = std::fs::remove_dir_all(&dir).is_err();
    dir
}

fn real(dir: &Path) -> RealDisk {
    RealDisk::open(dir).expect("directory")
}

/// Applies what an event says to the model.
fn apply(state: &mut State, event: &CommitEvent) {
    for change in &event.changes {
        let version = Version {
            fields: change.record.fields.clone(),
            deleted: change.record.is_deleted(),
        };
        state
            .entry((change.ty, change.id))
            .or_default()
            .push(version);
    }
}

/// Writers go on while backups are taken, from inside and from outside; each backup restores to exactly its LSN.
#[test]
fn under_write_load() {
    let dir = scratch("load");
    let source: Arc<dyn Disk> = Arc::new(real(&dir.join("data")));
    let options = StoreOptions {
        segment_bytes_min: 64 << 10,
        segment_bytes_max: 64 << 10,
        ..StoreOptions::default()
    };
    let store = open(&source, options).store;
    let events: Arc<Mutex<Vec<Arc<CommitEvent>>>> = Arc::default();
    let told = events.clone();
    let _hearing = store.on_commit(Box::new(move |event| {
        told.lock().expect("events").push(event.clone());
    }));
    let stop = AtomicBool::new(false);
    let reports: Vec<(PathBuf, Lsn)> = std::thread::scope(|scope| {
        for writer in 0..3u64 {
            let (store, stop) = (&store, &stop);
            scope.spawn(move || {
                let mut rng = Rng::new(writer + 1);
                let mut own: Vec<EntityId> = Vec::new();
                while !stop.load(Ordering::Acquire) {
                    let mut transaction = store.begin();
                    let text = format!("{writer} {}", "x".repeat(rng.below(400)));
                    if own.is_empty() || rng.one_in(2) {
                        own.push(transaction.insert(NOTE, note(&text, 1)).expect("insert"));
                    } else {
                        let id = *rng.pick(&own);
                        transaction
                            .update(NOTE, id, note(&text, 2))
                            .expect("update");
                    }
                    commit(store, transaction);
                }
            });
        }
        let mut reports = Vec::new();
        for turn in 0..4 {
            let committed = store.head();
            while store.head() < Lsn(committed.0 + 100) {
                std::thread::yield_now();
            }
            let to = dir.join(format!("backup-{turn}"));
            let report = if turn % 2 == 0 {
                store.backup(&real(&to), None, &mut |_| {})
            } else {
                backup(&real(&dir.join("data")), &real(&to), None, &mut |_| {})
            };
            let report = report.unwrap_or_else(|error| panic!("backup {turn}: {error}"));
            assert!(
                report.lsn >= committed && report.damage.is_none(),
                "{report}"
            );
            reports.push((to, report.lsn));
        }
        stop.store(true, Ordering::Release);
        reports
    });
    store.close().expect("close");
    let events = events.lock().expect("events");
    for (turn, (from, lsn)) in reports.iter().enumerate() {
        let mut expected = State::new();
        let until = events.iter().take_while(|event| event.lsn <= *lsn);
        until.for_each(|event| apply(&mut expected, event));
        let to = dir.join(format!("restored-{turn}"));
        let report = restore(&real(from), &real(&to), None, &mut |_| {});
        let report = report.unwrap_or_else(|error| panic!("restore {turn}: {error}"));
        assert_eq!(report.lsn, *lsn);
        let disk: Arc<dyn Disk> = Arc::new(real(&to));
        let store = open(&disk, StoreOptions::inline()).store;
        assert!(state(&store) == expected, "backup {turn} is not LSN {lsn}");
    }
    std::fs::remove_dir_all(dir).expect("clean up");
}

#[test]
fn only_what_is_new_takes_room_and_each_backup_is_whole() {
    let dir = scratch("incremental");
    let source: Arc<dyn Disk> = Arc::new(real(&dir.join("data")));
    let store = open(&source, small()).store;
    let fill = |count: i64| {
        for at in 0..count {
            let mut transaction = store.begin();
            let text = format!("{at} {}", "x".repeat(700));
            transaction.insert(NOTE, note(&text, at)).expect("insert");
            commit(&store, transaction);
        }
    };
    fill(40);
    let (first, second) = (dir.join("first"), dir.join("second"));
    let one = store
        .backup(&real(&first), None, &mut |_| {})
        .expect("backup");
    fill(10);
    let mut transaction = store.begin();
    transaction.destroy(NOTE, EntityId(2)).expect("destroy");
    commit(&store, transaction);
    store.compact(&mut |_| {}).expect("compact");
    fill(1);
    let two = store.backup(&real(&second), Some(&real(&first)), &mut |_| {});
    let two = two.expect("backup");
    assert!(one.segments >= 6 && two.segments > one.segments);
    assert_eq!(
        two.reused,
        one.segments - 2,
        "not the rewritten one, not the newest: {two}"
    );
    assert_eq!(two.copied, 1, "only the newest segment: {two}");
    let expected = state(&store);
    std::fs::remove_dir_all(&first).expect("an older backup can be removed");
    let copy = dir.join("copy");
    restore(&real(&second), &real(&copy), None, &mut |_| {}).expect("restore");
    let disk: Arc<dyn Disk> = Arc::new(real(&copy));
    assert_eq!(state(&open(&disk, small()).store), expected);
    let again = store.backup(&real(&second), None, &mut |_| {});
    assert!(again.is_err(), "a backup is not written over another one");
    std::fs::remove_dir_all(dir).expect("clean up");
}

/// The power fails while a backup is taken, and while it is restored: what is there then is whole or refused.
#[test]
fn half_of_one_is_refused() {
    let (_, store, _) = with_history(12);
    let expected = state(&store);
    let whole = SimDisk::new(13);
    whole.plan(None);
    take(&store, &whole);
    let (mut refused, mut complete) = (0, 0);
    for at in 0..whole.calls() {
        let target = SimDisk::new(13);
        target.plan(Some(Fault::CrashAt(at)));
        let _told = store.backup(&target, None, &mut |_| {}).is_ok();
        for choice in [
            CrashChoice::LoseAll,
            CrashChoice::KeepAll,
            CrashChoice::Toss(at),
        ] {
            match restored(&target.after_crash(choice), None) {
                Ok(found) => {
                    assert_eq!(found, expected, "call {at}, {choice:?}");
                    complete += 1;
                }
                Err(RestoreError::Unfinished { .. } | RestoreError::Open(_)) => refused += 1,
                Err(other) => panic!("call {at}, {choice:?}: {other}"),
            }
        }
    }
    assert!(refused > 20 && complete > 0, "{refused} {complete}");
    let copy = SimDisk::new(14);
    copy.plan(None);
    restore(&whole, &copy, None, &mut |_| {}).expect("restore");
    let (mut refused, mut complete) = (0, 0);
    for at in 0..copy.calls() {
        let target = SimDisk::new(14);
        target.plan(Some(Fault::CrashAt(at)));
        let _told = restore(&whole, &target, None, &mut |_| {}).is_ok();
        for choice in [
            CrashChoice::LoseAll,
            CrashChoice::KeepAll,
            CrashChoice::Toss(at),
        ] {
            let image = target.after_crash(choice);
            let shared: Arc<dyn Disk> = Arc::new(image.clone());
            match Store::open(shared, &model::schema(), small()) {
                Ok(opened) => {
                    let found = state(&opened.store);
                    let nothing = image.bytes("wal.log").is_some() && found.is_empty();
                    assert!(found == expected || nothing, "call {at}, {choice:?}");
                    complete += usize::from(found == expected);
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 20 && complete > 0, "{refused} {complete}");
}

#[test]
fn damage_is_told_and_the_state_before_it_can_be_restored() {
    let (_, store, states) = with_history(15);
    let target = SimDisk::new(16);
    take(&store, &target);
    let names: Vec<String> = target.all_names();
    let second = names
        .iter()
        .filter(|name| name.starts_with("wal-"))
        .nth(1)
        .expect("a second segment");
    target.damage(second, |bytes| bytes[4200] ^= 1);
    let Err(RestoreError::Damaged { intact_until, .. }) = restored(&target, None) else {
        panic!("a damaged backup is not restored as if nothing were");
    };
    let known = states.range(..=intact_until).next_back();
    let (lsn, (_, expected)) = known.expect("a state before the damage");
    let found = restored(&target, Some(Moment::Lsn(*lsn))).expect("restore");
    assert_eq!(found, *expected);
}

/// What was destroyed behind damage stays destroyed in the state before it.
#[test]
fn receipts_behind_damage_are_kept() {
    let (_disk, shared) = sim(21);
    let store = open(&shared, small()).store;
    let write = |text: &str| {
        let mut transaction = store.begin();
        let text = format!("{text} {}", "x".repeat(900));
        let id = transaction.insert(NOTE, note(&text, 1)).expect("insert");
        (id, commit(&store, transaction))
    };
    let (id, _) = write("to be destroyed");
    let (_, before) = write("stays");
    for _ in 0..20 {
        write("fills a segment");
    }
    let mut transaction = store.begin();
    transaction.destroy(NOTE, id).expect("destroy");
    commit(&store, transaction);
    write("after");
    let target = SimDisk::new(22);
    take(&store, &target);
    let names = target.all_names();
    let mut sealed = names.iter().filter(|name| name.starts_with("wal-"));
    let second = sealed.nth(1).expect("a second segment");
    target.damage(second, |bytes| bytes[4200] ^= 1);
    let copy = SimDisk::new(23);
    let report = restore(&target, &copy, Some(Moment::Lsn(before)), &mut |_| {});
    assert_eq!(report.expect("restore").erased, 1);
    let shared: Arc<dyn Disk> = Arc::new(copy);
    let store = open(&shared, small()).store;
    let snapshot = store.snapshot();
    assert!(snapshot.get_any(NOTE, id).expect("read").is_none());
    assert_eq!(snapshot.count(NOTE).expect("count"), 1);
}

/// A copy of a backup was written to as a store: where both stories part inside of a segment, its segments are not taken
/// for those of the store it was copied from.
#[test]
fn a_story_that_parted_is_no_earlier_backup_of_this_one() {
    let dir = scratch("parted");
    let write = |store: &Store, text: &str, count: i64| {
        for at in 0..count {
            let mut transaction = store.begin();
            let text = format!("{text} {}", "x".repeat(700));
            transaction.insert(NOTE, note(&text, at)).expect("insert");
            commit(store, transaction);
        }
    };
    let source: Arc<dyn Disk> = Arc::new(real(&dir.join("data")));
    let store = open(&source, small()).store;
    write(&store, "both", 2);
    let copied = dir.join("copied");
    store
        .backup(&real(&copied), None, &mut |_| {})
        .expect("backup");
    let other: Arc<dyn Disk> = Arc::new(real(&copied));
    let other = open(&other, small()).store;
    write(&other, "there", 12);
    other.close().expect("close");
    write(&store, "here.", 12);
    let second = dir.join("second");
    let report = store.backup(&real(&second), Some(&real(&copied)), &mut |_| {});
    let report = report.expect("backup");
    assert!(report.segments > 2 && report.reused == 0, "{report}");
    let expected = state(&store);
    assert_eq!(
        restored(&real(&second), None).expect("restore"),
        expected,
        "{report}"
    );
    std::fs::remove_dir_all(dir).expect("clean up");
}

#[test]
fn a_store_that_ended_without_closing_is_backed_up_to_its_last_commit() {
    let (disk, store, states) = with_history(17);
    let (_, (_, expected)) = states.iter().next_back().expect("a state");
    let held = backup(&disk, &SimDisk::new(18), None, &mut |_| {});
    let held = held.expect("the log proves all but the last batch");
    assert!(held.lsn.0 + 1 >= states.keys().last().expect("one").0);
    drop(store);
    let target = SimDisk::new(19);
    backup(&disk, &target, None, &mut |_| {}).expect("backup");
    assert_eq!(restored(&target, None).expect("restore"), *expected);
}

#[test]
fn what_is_said() {
    let (disk, store, _) = with_history(20);
    let target = SimDisk::new(21);
    let report = take(&store, &target);
    let copy = SimDisk::new(22);
    let restored = restore(&target, &copy, None, &mut |_| {}).expect("restore");
    let full = store.backup(&target, None, &mut |_| {});
    let full = full.expect_err("it is not empty");
    let nothing = restore(&SimDisk::new(23), &SimDisk::new(24), None, &mut |_| {});
    let nothing = nothing.expect_err("there is no backup");
    let late = restore(
        &target,
        &SimDisk::new(25),
        Some(Moment::Lsn(Lsn(9999))),
        &mut |_| {},
    );
    let late = late.expect_err("beyond the end");
    drop(disk);
    let note = target.bytes("BACKUP").expect("a note");
    let note = String::from_utf8(note).expect("text");
    golden::check(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/backup.txt"),
        &format!("{report}\n\n{note}\n{restored}\n\n{full}\n{nothing}\n{late}\n"),
    );
}
