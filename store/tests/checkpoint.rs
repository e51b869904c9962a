//! Checkpoints: the state with one is the state without it, whatever happened to the file.
//!
//! The judge opens every directory twice, as it is and with all checkpoints removed, and compares records, histories,
//! unique values, links, request ids, times and counts.

mod model;

use std::sync::Arc;

use flin_store::{
    Checkpoints, CommitOutcome, CrashChoice, Deleted, Disk, EntityId, Fault, FieldIx, FieldValue,
    Lie, Lsn, ReadError, RequestId, SimDisk, Store, StoreOptions, verify,
};
use flin_testkit::rng::Rng;
use model::{NOTE, State, TAG, commit, note, perform, schema, small, state_of, steps, tag};

/// Small segments, and a checkpoint after each batch.
fn eager() -> StoreOptions {
    StoreOptions {
        checkpoints: Checkpoints::every(1),
        ..small()
    }
}

fn dynamic(disk: &SimDisk) -> Arc<dyn Disk> {
    Arc::new(disk.clone())
}

fn checkpoints(disk: &SimDisk) -> Vec<String> {
    let names = disk.all_names().into_iter();
    names.filter(|name| name.ends_with(".ckpt")).collect()
}

/// A copy of the directory.
fn copy(disk: &SimDisk) -> SimDisk {
    disk.after_crash(CrashChoice::KeepAll)
}

fn without_checkpoints(disk: &SimDisk) -> SimDisk {
    let bare = copy(disk);
    for name in checkpoints(&bare) {
        bare.remove(&name).expect("removed");
    }
    bare.sync_dir().expect("synced");
    bare
}

/// What a store answers: everything that must not depend on a checkpoint.
#[derive(Debug, PartialEq)]
struct Answers {
    state: State,
    head: Lsn,
    frames: u64,
    records: u64,
    holders: Vec<(String, Option<EntityId>)>,
    linked: Vec<String>,
    duplicate: Vec<Option<Lsn>>,
    past: Vec<(i64, usize)>,
}

fn answers(disk: &SimDisk) -> (Answers, flin_store::RecoveryReport) {
    let disk = copy(disk);
    let opened = Store::open(dynamic(&disk), &schema(), small())
        .unwrap_or_else(|error| panic!("open: {error}"));
    let store = opened.store;
    let snapshot = store.snapshot();
    let state = state_of(&snapshot, &[NOTE, TAG]);
    let mut holders = Vec::new();
    let mut linked = Vec::new();
    for at in 0..12 {
        let name = format!("tag {at}");
        let found = snapshot
            .find_unique(TAG, FieldIx(0), &FieldValue::text(name.as_str()))
            .expect("readable");
        holders.push((name.clone(), found.map(|record| record.id)));
    }
    for (ty, id) in state.keys().filter(|(ty, _)| *ty == NOTE) {
        let consequences = store.begin().consequences(*ty, *id);
        linked.push(format!("{consequences:?}"));
    }
    let ids = (0..8u8).map(|byte| RequestId([byte + 1; 16]));
    let duplicate = ids
        .map(|id| {
            let mut transaction = store.begin();
            transaction.insert(NOTE, note("again", 0)).expect("fits");
            match store.commit_wait(transaction, Some(id)) {
                CommitOutcome::Duplicate { lsn, .. } => Some(lsn),
                _ => None,
            }
        })
        .collect();
    let past = (0..6)
        .map(|step| {
            let time_ms = 1_000_015 + step * 35;
            let records = snapshot.at_time(time_ms).scan(NOTE, Deleted::Include);
            (time_ms, records.count())
        })
        .collect();
    let counts = &opened.report.counts;
    let answers = Answers {
        state,
        head: opened.report.head,
        frames: counts.frames,
        records: counts.records(),
        holders,
        linked,
        duplicate,
        past,
    };
    (answers, opened.report)
}

/// Opens with and without checkpoints; the same state must come out. Returns the report of the first.
fn same_with_and_without(disk: &SimDisk, context: &str) -> flin_store::RecoveryReport {
    let (with, report) = answers(disk);
    let (without, _) = answers(&without_checkpoints(disk));
    assert_eq!(with, without, "{context}: {report}");
    report
}

/// Writes random transactions on notes and tags, some with request ids, as the clock goes on.
fn work(disk: &SimDisk, seed: u64, batches: u64, options: StoreOptions, close: bool) {
    let mut rng = Rng::new(seed);
    let opened = Store::open(dynamic(disk), &schema(), options).expect("open");
    let store = opened.store;
    for batch in 0..batches {
        disk.set_clock_ms(1_000_000 + (seed % 100 + batch) as i64 * 10);
        let mut transaction = store.begin();
        let mut notes = state_of(&store.snapshot(), &[NOTE]);
        perform(&mut transaction, &steps(&mut rng, &notes), &mut notes);
        let target = notes
            .iter()
            .find(|(_, versions)| !versions.last().expect("one").deleted);
        let name = format!("tag {}", rng.below(12));
        let held = transaction
            .find_unique(TAG, FieldIx(0), &FieldValue::text(name.as_str()))
            .expect("readable");
        match held {
            None => {
                let fields = tag(&name, target.map(|((_, id), _)| *id));
                transaction.insert(TAG, fields).expect("fits");
            }
            Some(held) if rng.one_in(2) => {
                let fields = tag(&format!("{name} renamed {batch}"), None);
                transaction.update(TAG, held.id, fields).expect("fits");
            }
            Some(held) if rng.one_in(2) => {
                transaction.destroy(TAG, held.id).expect("there");
            }
            Some(held) => {
                transaction.delete(TAG, held.id).expect("live");
            }
        }
        let id = (seed < 100 && batch < 8).then_some(RequestId([batch as u8 + 1; 16]));
        let outcome = store.commit_wait(transaction, id);
        assert!(
            matches!(
                outcome,
                CommitOutcome::Committed { .. } | CommitOutcome::Duplicate { .. }
            ),
            "{outcome}"
        );
    }
    if close {
        store.close().expect("closed");
    }
}

#[test]
fn a_checkpoint_gives_the_state_of_the_log() {
    for seed in 0..20 {
        let disk = SimDisk::new(seed);
        work(&disk, seed, 12, eager(), seed % 2 == 0);
        assert_eq!(checkpoints(&disk).len(), 2, "the last two are kept");
        let report = same_with_and_without(&disk, &format!("seed {seed}"));
        assert!(report.checkpoint.is_some(), "{report}");
        assert!(report.frames_read <= 2, "{report}");
        // A tail behind it, written by a session that opened with it.
        work(&disk, seed + 100, 6, small(), false);
        let report = same_with_and_without(&disk, &format!("seed {seed}, with a tail"));
        assert!(report.frames_read >= 6, "{report}");
        // And a checkpoint that takes pages over from the mapped one.
        work(&disk, seed + 200, 3, eager(), true);
        let report = same_with_and_without(&disk, &format!("seed {seed}, renewed"));
        assert!(report.frames_read <= 2, "{report}");
        let verified = verify(&disk).expect("verified");
        assert!(
            verified.is_intact() && verified.notes.is_empty(),
            "{verified}"
        );
    }
}

#[test]
fn a_tiny_log_gets_none() {
    let disk = SimDisk::new(1);
    work(&disk, 1, 5, small(), true);
    assert_eq!(checkpoints(&disk), Vec::<String>::new());
}

#[test]
fn no_flipped_bit_is_believed() {
    let disk = SimDisk::new(7);
    work(&disk, 7, 10, eager(), true);
    work(&disk, 107, 4, small(), false);
    let (expected, _) = answers(&without_checkpoints(&disk));
    let name = checkpoints(&disk).pop().expect("a checkpoint");
    let bytes = disk.bytes(&name).expect("bytes");
    // Every byte of the header's fields and of the directory, and samples of everything else.
    let directory_end = 4096 + number(&bytes, 136, 8) as usize;
    let samples = (200..bytes.len()).step_by(173);
    for at in (0..200).chain(4090..directory_end).chain(samples) {
        let damaged = copy(&disk);
        damaged.damage(&name, |bytes| bytes[at] ^= 1 << (at % 8));
        assert_eq!(answers(&damaged).0, expected, "byte {at}");
        let verified = verify(&damaged).expect("verified");
        assert!(verified.is_intact(), "it is not the log: {verified}");
        let told = verified.notes.iter().any(|note| note.contains(&name));
        assert!(told, "byte {at}: {verified}");
    }
}

#[test]
fn torn_old_foreign_and_future_ones_are_not_used() {
    let disk = SimDisk::new(3);
    work(&disk, 3, 10, eager(), true);
    let earlier = copy(&disk);
    work(&disk, 103, 10, eager(), true);
    let newest = checkpoints(&disk).pop().expect("a checkpoint");
    let bytes = disk.bytes(&newest).expect("bytes");
    let put = |disk: &SimDisk, name: &str, bytes: &[u8]| {
        let file = disk.create(name, bytes.len() as u64).expect("created");
        file.write_at(0, bytes).expect("written");
        file.sync().expect("synced");
        disk.sync_dir().expect("synced");
    };
    let told = |disk: &SimDisk, name: &str, words: &str| {
        let report = same_with_and_without(disk, words);
        let note = report.notes.iter().find(|note| note.contains(name));
        assert!(note.is_some_and(|note| note.contains(words)), "{report}");
    };
    // Torn: any part of it.
    for len in [0, 100, 4096, bytes.len() / 2, bytes.len() - 1] {
        let torn = copy(&disk);
        put(&torn, &newest, &bytes[..len]);
        told(&torn, &newest, "was not used");
    }
    // From the future: the same store, before it came that far.
    put(&earlier, &newest, &bytes);
    told(&earlier, &newest, "was not used");
    work(&earlier, 300, 2, eager(), true);
    assert!(!checkpoints(&earlier).contains(&newest), "cleared away");
    // Of another store.
    let other = SimDisk::new(4);
    work(&other, 4, 10, eager(), true);
    put(&other, "index-000000009999.ckpt", &bytes);
    told(&other, "index-000000009999.ckpt", "another store");
    // Old: the log was cut back and went on differently. Only the anchor can tell.
    let cut = SimDisk::new(5);
    work(&cut, 5, 3, small(), false);
    let (before, mut branch) = (copy(&cut), copy(&cut));
    work(&cut, 105, 3, eager(), false);
    let of_cut = checkpoints(&cut).pop().expect("a checkpoint");
    for tries in 0..50 {
        branch = copy(&before);
        work(&branch, 205 + tries, 3, small(), false);
    }
    put(&branch, &of_cut, &cut.bytes(&of_cut).expect("bytes"));
    told(&branch, &of_cut, "was not used");
}

#[test]
fn a_power_failure_at_every_step_of_writing_one() {
    let mut crashes = 0;
    for at in 0.. {
        let disk = SimDisk::new(11);
        work(&disk, 11, 6, eager(), false);
        let opened = Store::open(dynamic(&disk), &schema(), eager()).expect("open");
        disk.plan(Some(Fault::CrashAt(at)));
        let mut transaction = opened.store.begin();
        transaction.insert(NOTE, note("crash", 1)).expect("fits");
        let outcome = opened.store.commit_wait(transaction, None);
        let acknowledged = matches!(outcome, CommitOutcome::Committed { .. });
        drop(opened);
        if !disk.crashed() {
            break;
        }
        crashes += 1;
        let tosses = (0..4).map(CrashChoice::Toss);
        for choice in [CrashChoice::LoseAll, CrashChoice::KeepAll]
            .into_iter()
            .chain(tosses)
        {
            let after = disk.after_crash(choice);
            let context = format!("call {at}, {choice:?}");
            let report = same_with_and_without(&after, &context);
            let found = report.counts.transactions;
            assert!(
                found == 7 || (found == 6 && !acknowledged),
                "{context}: {report}"
            );
            assert!(report.checkpoint.is_some(), "{context}: {report}");
        }
    }
    assert!(
        crashes >= 8,
        "commit, checkpoint and manifest: {crashes} calls"
    );
}

/// The two syncs before and behind the rename are what makes the name mean "complete".
#[test]
fn a_missing_sync_is_noticed_or_harmless() {
    for lie in [Lie::FileSync("index"), Lie::DirSync] {
        let disk = SimDisk::new(13);
        work(&disk, 13, 6, small(), false);
        disk.lie(Some(lie));
        work(&disk, 113, 2, eager(), false);
        for seed in 0..40 {
            let after = disk.after_crash(CrashChoice::Toss(seed));
            if let Lie::FileSync(_) = lie {
                same_with_and_without(&after, &format!("{lie:?}, {seed}"));
            }
        }
    }
}

#[test]
fn a_disk_without_room_for_one_is_told_and_goes_on() {
    let disk = SimDisk::new(17);
    work(&disk, 17, 3, small(), false);
    let opened = Store::open(dynamic(&disk), &schema(), eager()).expect("open");
    disk.plan(Some(Fault::FullFrom(0)));
    let mut transaction = opened.store.begin();
    transaction.insert(NOTE, note("full", 1)).expect("fits");
    commit(&opened.store, transaction);
    let notes = opened.store.notes();
    assert!(
        notes
            .iter()
            .any(|note| note.starts_with("no checkpoint could be written")),
        "{notes:?}"
    );
    assert!(opened.store.poisoned().is_none());
    assert_eq!(checkpoints(&disk), Vec::<String>::new());
    drop(opened);
    disk.plan(None);
    same_with_and_without(&disk, "after a full disk");
}

/// A block that goes bad under a running store: the heads come from the log from then on.
#[test]
fn a_block_that_rots_while_the_store_is_open() {
    let disk = SimDisk::new(19);
    let large = StoreOptions {
        segment_bytes_min: 4 << 20,
        ..eager()
    };
    let filled = Store::open(dynamic(&disk), &schema(), large)
        .expect("open")
        .store;
    let mut transaction = filled.begin();
    for at in 0..6000 {
        let target = transaction.insert(NOTE, note("n", at)).expect("fits");
        let fields = tag(&format!("tag {at}"), Some(target));
        transaction.insert(TAG, fields).expect("fits");
    }
    commit(&filled, transaction);
    filled.close().expect("closed");
    let opened = Store::open(dynamic(&disk), &schema(), small()).expect("open");
    let name = opened.report.checkpoint.expect("used").file;
    // The small sections stand in the first block; nothing else was touched yet.
    disk.damage(&name, |bytes| {
        let data_at = (4096 + number(bytes, 136, 8) as usize).next_multiple_of(4096);
        bytes[data_at + 65536..].fill(0x55);
    });
    let snapshot = opened.store.snapshot();
    for at in 1..=6000 {
        let record = snapshot.get(NOTE, EntityId(at)).expect("readable");
        assert_eq!(record.expect("there").fields, note("n", at as i64 - 1));
    }
    for at in (0..6000).step_by(97) {
        let value = FieldValue::text(format!("tag {at}"));
        let found = snapshot
            .find_unique(TAG, FieldIx(0), &value)
            .expect("readable");
        assert_eq!(found.expect("held").id, EntityId(at + 1));
    }
    let gone = opened.store.begin().consequences(NOTE, EntityId(77));
    let gone = gone.expect("readable").expect("allowed").deleted;
    assert_eq!(gone, [(TAG, EntityId(77))], "cascades");
    let mut transaction = opened.store.begin();
    transaction.insert(TAG, tag("tag 1", None)).expect("fits");
    let outcome = opened.store.commit_wait(transaction, None);
    assert!(matches!(outcome, CommitOutcome::Constraint(_)), "{outcome}");
    let notes = opened.store.notes();
    assert!(
        notes
            .iter()
            .any(|note| note.contains("is damaged and not used")),
        "{notes:?}"
    );
}

/// An entry that points to other intact bytes is not believed (with every checksum of the checkpoint made right again).
#[test]
fn an_entry_that_points_to_another_record_is_noticed() {
    let disk = SimDisk::new(23);
    let store = Store::open(dynamic(&disk), &schema(), eager())
        .expect("open")
        .store;
    for at in 0..3 {
        let mut transaction = store.begin();
        transaction
            .insert(NOTE, note(&format!("text {at}"), at))
            .expect("fits");
        commit(&store, transaction);
    }
    store.close().expect("closed");
    let name = checkpoints(&disk).pop().expect("a checkpoint");
    disk.damage(&name, |bytes| {
        let heads = section(bytes, "heads");
        let (one, two) = (heads + 24, heads + 48);
        let (first, second) = (bytes[one..one + 8].to_vec(), bytes[two..two + 8].to_vec());
        bytes[one..one + 8].copy_from_slice(&second);
        bytes[two..two + 8].copy_from_slice(&first);
        reseal(bytes);
    });
    let store = Store::open(dynamic(&disk), &schema(), small()).expect("open");
    assert!(
        store.report.checkpoint.is_some(),
        "all its checksums are right"
    );
    let snapshot = store.store.snapshot();
    for id in [1, 2] {
        let read = snapshot.get(NOTE, EntityId(id));
        assert!(matches!(read, Err(ReadError::Damaged { .. })), "{read:?}");
    }
    assert!(snapshot.get(NOTE, EntityId(3)).expect("readable").is_some());
    drop((snapshot, store));
    let verified = verify(&disk).expect("verified");
    assert!(
        verified
            .notes
            .iter()
            .any(|note| note.contains("other records")),
        "{verified}"
    );
}

fn number(bytes: &[u8], at: usize, len: usize) -> u64 {
    bytes[at..at + len]
        .iter()
        .rev()
        .fold(0, |all, byte| all << 8 | u64::from(*byte))
}

/// Where a section starts in the file.
fn section(bytes: &[u8], wanted: &str) -> usize {
    let data_at = (4096 + number(bytes, 136, 8) as usize).next_multiple_of(4096);
    let mut at = 4096;
    for _ in 0..number(bytes, 132, 4) {
        let len = number(bytes, at, 2) as usize;
        let name = &bytes[at + 2..at + 2 + len];
        let offset = number(bytes, at + 2 + len, 8) as usize;
        if name == wanted.as_bytes() {
            return data_at + offset;
        }
        at += 2 + len + 16;
    }
    panic!("no section {wanted}");
}

/// Makes all checksums of a checkpoint right again, as `DESIGN.md` has them.
fn reseal(bytes: &mut [u8]) {
    let salt = bytes[48..56].to_vec();
    let directory_len = number(bytes, 136, 8) as usize;
    let data_at = (4096 + directory_len).next_multiple_of(4096);
    let blocks = (bytes.len() - data_at).div_ceil(65536);
    for block in 0..blocks {
        let start = data_at + block * 65536;
        let end = (start + 65536).min(bytes.len());
        let crc = crc(&[&salt, &(block as u64).to_le_bytes(), &bytes[start..end]]);
        let at = 4096 + directory_len - 4 * (blocks - block);
        bytes[at..at + 4].copy_from_slice(&crc.to_le_bytes());
    }
    let directory = crc(&[&salt, &bytes[4096..data_at]]);
    bytes[144..148].copy_from_slice(&directory.to_le_bytes());
    let header = crc(&[&bytes[..4092]]);
    bytes[4092..4096].copy_from_slice(&header.to_le_bytes());
}

/// CRC-32 (IEEE), bit by bit: the judge's own.
fn crc(parts: &[&[u8]]) -> u32 {
    let mut crc = !0u32;
    for byte in parts.iter().flat_map(|part| part.iter()) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & (!(crc & 1)).wrapping_add(1));
        }
    }
    !crc
}

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/checkpoint_v1");

/// Files with a checkpoint of format 1, kept for ever (`BLESS=1` makes new ones: only for a new format, beside these).
#[test]
fn checkpoints_of_format_1_are_read() {
    let wanted = "4 notes, 2 tags, head 5";
    if std::env::var_os("BLESS").is_some() {
        let disk = SimDisk::new(1);
        let store = Store::open(dynamic(&disk), &schema(), eager())
            .expect("open")
            .store;
        for at in 0..4 {
            let mut transaction = store.begin();
            let id = transaction
                .insert(NOTE, note(&format!("note {at}"), at))
                .expect("fits");
            if at % 2 == 0 {
                transaction
                    .insert(TAG, tag(&format!("tag {at}"), Some(id)))
                    .expect("fits");
            }
            commit(&store, transaction);
        }
        store.close().expect("closed");
        std::fs::create_dir_all(GOLDEN).expect("a directory");
        for name in disk.all_names() {
            let bytes = disk.bytes(&name).expect("bytes");
            std::fs::write(format!("{GOLDEN}/{name}"), bytes).expect("written");
        }
    }
    let disk = SimDisk::new(2);
    for entry in std::fs::read_dir(GOLDEN).expect("the golden files") {
        let entry = entry.expect("an entry");
        let bytes = std::fs::read(entry.path()).expect("readable");
        let name = entry.file_name().into_string().expect("a name");
        let file = disk.create(&name, bytes.len() as u64).expect("created");
        file.write_at(0, &bytes).expect("written");
        file.sync().expect("synced");
    }
    disk.sync_dir().expect("synced");
    let report = same_with_and_without(&disk, "golden files");
    assert!(
        report.checkpoint.is_some() && report.frames_read == 0,
        "{report}"
    );
    let store = Store::open(dynamic(&disk), &schema(), small())
        .expect("open")
        .store;
    let snapshot = store.snapshot();
    let count = |ty| snapshot.count(ty).expect("counted");
    let found = format!(
        "{} notes, {} tags, head {}",
        count(NOTE),
        count(TAG),
        store.head()
    );
    assert_eq!(found, wanted);
}

#[test]
fn what_is_looked_up_in_the_checkpoint_is_not_older_than_the_snapshot() {
    let disk = SimDisk::new(11);
    let change = |store: &Store, change: &dyn Fn(&mut flin_store::Transaction)| {
        let mut transaction = store.begin();
        change(&mut transaction);
        commit(store, transaction);
    };
    let add = |store: &Store, text: &str| {
        change(store, &|tx| {
            tx.insert(NOTE, note(text, 1)).expect("fits");
        });
    };
    let opened = |options| Store::open(dynamic(&disk), &schema(), options).expect("open");
    let store = opened(eager()).store;
    (0..5).for_each(|at| add(&store, &format!("first {at}")));
    store.close().expect("close");
    drop(store);
    let store = opened(small()).store;
    let seen = |snapshot: &flin_store::Snapshot| -> Vec<Option<FieldValue>> {
        let of = |id| {
            let found = snapshot.get(NOTE, EntityId(id)).expect("readable");
            found.map(|record| record.field(FieldIx(0)).clone())
        };
        (1..=6).map(of).collect()
    };
    let text = |words: &str| Some(FieldValue::text(words));
    let firsts = |from: usize| (from..5).map(|at| FieldValue::text(format!("first {at}")));
    let before = store.snapshot();
    change(&store, &|tx| {
        let fields = note("second", 2);
        tx.update(NOTE, EntityId(1), fields).expect("it is there");
    });
    add(&store, "sixth");
    let after = store.snapshot();
    let old: Vec<_> = firsts(0).map(Some).chain([None]).collect();
    assert_eq!(seen(&before), old);
    let mut new = vec![text("second")];
    new.extend(firsts(1).map(Some).chain([text("sixth")]));
    assert_eq!(seen(&after), new);
    // What is destroyed is gone from every snapshot, at once.
    change(&store, &|tx| {
        tx.destroy(NOTE, EntityId(3)).expect("it is there");
    });
    assert_eq!((&seen(&before)[2], &seen(&after)[2]), (&None, &None));
    assert_eq!(seen(&before)[3], text("first 3"));
}
