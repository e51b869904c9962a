//! Damaged bytes: every place is found, named exactly, and never repaired away.
//!
//! The frame boundaries are read here from the raw bytes, by the tables of DESIGN.md and not with the store's code.

mod model;

use std::sync::Arc;

use flin_store::{
    CrashChoice, DamageKind, Disk, Lsn, OpenError, SimDisk, Store, StoreOptions, verify,
};
use model::{NOTE, State, TAG, commit, note, open, schema, small, state_of};

/// Of frames without request id.
const FRAME_HEADER: usize = 48;
const HEADER: usize = 4096;

/// A closed store with a log of twenty frames in one segment, and the state after each transaction.
fn twenty_frames() -> (SimDisk, Vec<State>) {
    let disk = SimDisk::new(20);
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let store = open(
        &shared,
        StoreOptions {
            segment_bytes_min: 64 << 10,
            segment_bytes_max: 64 << 10,
            ..small()
        },
    )
    .store;
    let mut states = vec![State::new()];
    for at in 0..18 {
        let mut transaction = store.begin();
        let id = transaction
            .insert(
                NOTE,
                note(&format!("note {at} {}", "long ".repeat(at)), at as i64),
            )
            .expect("insert");
        if at % 3 == 2 {
            transaction
                .update(NOTE, flin_store::EntityId(id.0 - 1), note("changed", 0))
                .expect("update");
        }
        commit(&store, transaction);
        states.push(state_of(&store.snapshot(), &[NOTE, TAG]));
    }
    store.close().expect("close");
    drop(store);
    let disk = disk.after_crash(CrashChoice::LoseAll);
    assert_eq!(
        frames(&disk.bytes("wal.log").expect("the log")).len(),
        20,
        "a schema, 18 transactions, a mark"
    );
    (disk, states)
}

/// Offset and length of every frame in a segment.
fn frames(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = HEADER;
    while bytes.get(at..at + 4) == Some(&[0xF7, b'F', b'r', 0x9D]) {
        let body =
            u32::from_le_bytes(bytes[at + 4..at + 8].try_into().expect("four bytes")) as usize;
        found.push((at, FRAME_HEADER + body));
        at += FRAME_HEADER + body;
    }
    found
}

fn copy(disk: &SimDisk) -> SimDisk {
    disk.after_crash(CrashChoice::LoseAll)
}

fn open_error(disk: &SimDisk) -> OpenError {
    match Store::open(Arc::new(disk.clone()), &schema(), small()) {
        Ok(opened) => panic!("opened: {}", opened.report),
        Err(error) => error,
    }
}

#[test]
fn one_flipped_bit_is_one_reported_frame() {
    let (disk, states) = twenty_frames();
    let frames = frames(&disk.bytes("wal.log").expect("the log"));
    for (number, (start, len)) in frames.iter().enumerate() {
        let lsn = Lsn(number as u64 + 1);
        for byte in 0..*len {
            // All bits of a header, one bit of each body byte, another one in each frame.
            let bits = if byte < FRAME_HEADER {
                0..8
            } else {
                (byte + number) % 8..(byte + number) % 8 + 1
            };
            for bit in bits {
                let flipped = copy(&disk);
                flipped.damage("wal.log", |bytes| bytes[start + byte] ^= 1 << bit);
                let report = verify(&flipped).expect("verify answers");
                let at = format!("frame {lsn}, byte {byte}, bit {bit}");
                assert_eq!(report.damages.len(), 1, "{at}\n{report}");
                let damage = &report.damages[0];
                assert_eq!(
                    (damage.file.as_str(), damage.offset, damage.lsn),
                    ("wal.log", *start as u64, lsn),
                    "{at}"
                );
                assert_eq!(
                    report.counts.frames, 19,
                    "{at}: all other frames are intact"
                );
                if byte % 16 == 0 {
                    refused_with_the_state_before(&flipped, *start as u64, lsn, &states);
                }
            }
        }
    }
}

fn refused_with_the_state_before(disk: &SimDisk, at: u64, at_lsn: Lsn, states: &[State]) {
    let before = disk.bytes("wal.log");
    let OpenError::Corrupt {
        file,
        offset,
        lsn,
        read_only,
        ..
    } = open_error(disk)
    else {
        panic!("damage at {at} must be refused as damage");
    };
    assert_eq!((file.as_str(), offset, lsn), ("wal.log", at, at_lsn));
    assert!(disk.bytes("wal.log") == before, "nothing is changed");
    // Frame 1 is the schema; transaction k is frame k + 1.
    match read_only {
        Some(handle) => {
            let found = state_of(&handle.snapshot(), &[NOTE, TAG]);
            assert!(
                found == states[(at_lsn.0 as usize).saturating_sub(2)],
                "the state before LSN {at_lsn}"
            );
        }
        None => assert_eq!(
            at_lsn,
            Lsn(1),
            "only a log without any intact frame has nothing to read"
        ),
    }
}

#[test]
fn every_byte_of_the_segment_header_is_checked() {
    let (disk, _) = twenty_frames();
    for byte in 0..HEADER {
        let flipped = copy(&disk);
        flipped.damage("wal.log", |bytes| bytes[byte] ^= 1 << (byte % 8));
        let OpenError::Corrupt {
            file,
            offset,
            damage,
            ..
        } = open_error(&flipped)
        else {
            panic!("byte {byte} of the header");
        };
        assert_eq!(
            (file.as_str(), offset, &damage.what),
            ("wal.log", 0, &DamageKind::SegmentHeader)
        );
    }
}

#[test]
fn zeroed_sectors_in_acknowledged_frames_are_damage() {
    let (disk, _) = twenty_frames();
    let frames = frames(&disk.bytes("wal.log").expect("the log"));
    let end = frames.last().map_or(0, |(start, len)| start + len);
    for sector in (HEADER..end).step_by(512) {
        let holed = copy(&disk);
        holed.damage("wal.log", |bytes| {
            bytes[sector..(sector + 512).min(end)].fill(0)
        });
        let first = frames
            .iter()
            .find(|(start, len)| start + len > sector)
            .expect("a frame reaches into the sector");
        match open_error(&holed) {
            OpenError::Corrupt { offset, .. } => assert_eq!(offset, first.0 as u64),
            other => panic!("a hole at {sector}: {other}"),
        }
    }
}

#[test]
fn a_cut_at_a_frame_boundary_is_noticed() {
    let (disk, _) = twenty_frames();
    let bytes = disk.bytes("wal.log").expect("the log");
    for (number, (start, _)) in frames(&bytes).iter().enumerate() {
        let zeroed = copy(&disk);
        zeroed.damage("wal.log", |bytes| bytes[*start..].fill(0));
        assert!(
            matches!(open_error(&zeroed), OpenError::Corrupt { offset, lsn, .. }
                if offset == *start as u64 && lsn == Lsn(number as u64 + 1)),
            "frames from {number} on gone: the manifest of the close knows better"
        );
        let shortened = copy(&disk);
        shortened.damage("wal.log", |bytes| bytes.truncate(*start));
        assert!(
            matches!(open_error(&shortened), OpenError::Corrupt { .. }),
            "file ends before frame {number}"
        );
    }
}

#[test]
fn a_damaged_manifest_changes_nothing() {
    let (disk, states) = twenty_frames();
    let len = disk.bytes("MANIFEST").expect("the manifest").len();
    for byte in 0..len {
        let flipped = copy(&disk);
        flipped.damage("MANIFEST", |bytes| bytes[byte] ^= 1 << (byte % 8));
        let opened = open(&(Arc::new(flipped.clone()) as Arc<dyn Disk>), small());
        assert_eq!(opened.report.notes.len(), 1, "it is mentioned");
        assert!(
            state_of(&opened.store.snapshot(), &[NOTE, TAG]) == *states.last().expect("a state")
        );
    }
    let gone = copy(&disk);
    gone.remove("MANIFEST").expect("remove");
    assert_eq!(
        open(&(Arc::new(gone) as Arc<dyn Disk>), small())
            .report
            .counts
            .transactions,
        18
    );
}

/// A closed store with several segments.
fn several_segments() -> SimDisk {
    let disk = SimDisk::new(3);
    let store = open(&(Arc::new(disk.clone()) as Arc<dyn Disk>), small()).store;
    for at in 0..30 {
        let mut transaction = store.begin();
        transaction
            .insert(NOTE, note(&"n".repeat(300), at))
            .expect("insert");
        commit(&store, transaction);
    }
    store.close().expect("close");
    drop(store);
    let names = disk.list().expect("list");
    assert!(
        names.iter().filter(|name| name.ends_with(".log")).count() >= 3,
        "{names:?}"
    );
    disk.after_crash(CrashChoice::LoseAll)
}

fn sealed(disk: &SimDisk) -> Vec<String> {
    disk.list()
        .expect("list")
        .into_iter()
        .filter(|name| name.starts_with("wal-"))
        .collect()
}

#[test]
fn missing_doubled_and_foreign_segments_are_refused() {
    let disk = several_segments();
    for name in sealed(&disk).into_iter().chain(["wal.log".to_owned()]) {
        let missing = copy(&disk);
        missing.remove(&name).expect("remove");
        let OpenError::Corrupt { damage, .. } = open_error(&missing) else {
            panic!("{name} is missing")
        };
        assert!(
            matches!(damage.what, DamageKind::SegmentMissing { .. }),
            "{name}: {damage}"
        );
    }
    let put = |disk: &SimDisk, name: &str, bytes: &[u8]| {
        let file = disk.create(name, bytes.len() as u64).expect("create");
        file.write_at(0, bytes).expect("write");
    };
    let doubled = copy(&disk);
    put(
        &doubled,
        "wal-copy.log",
        &disk.bytes("wal.log").expect("the log"),
    );
    let OpenError::Corrupt { damage, .. } = open_error(&doubled) else {
        panic!("a copy beside the log")
    };
    assert!(
        matches!(damage.what, DamageKind::SegmentTwice { .. }),
        "{damage}"
    );
    let (other, _) = twenty_frames();
    let foreign = copy(&disk);
    put(
        &foreign,
        "wal.log",
        &other.bytes("wal.log").expect("the log"),
    );
    let OpenError::Corrupt { damage, .. } = open_error(&foreign) else {
        panic!("a log of another store")
    };
    assert!(
        matches!(damage.what, DamageKind::ForeignSegment),
        "{damage}"
    );
}

#[test]
fn names_do_not_matter() {
    let disk = several_segments();
    let renamed = copy(&disk);
    let names = sealed(&renamed);
    renamed.rename(&names[0], "wal-zzz.log").expect("rename");
    renamed.rename(&names[1], &names[0]).expect("rename");
    renamed.rename("wal.log", "wal-000.log").expect("rename");
    let shared: Arc<dyn Disk> = Arc::new(renamed.clone());
    let store = open(&shared, small()).store;
    assert_eq!(store.snapshot().count(NOTE).expect("count"), 30);
    let mut transaction = store.begin();
    transaction
        .insert(NOTE, note("found by grep", 0))
        .expect("insert");
    commit(&store, transaction);
    let active = renamed
        .bytes("wal.log")
        .expect("the first append gave the active segment its name");
    assert!(active.windows(13).any(|found| found == b"found by grep"));
}

#[test]
fn a_record_that_rots_while_it_is_open_is_not_returned() {
    let (disk, _) = twenty_frames();
    let store = open(&(Arc::new(disk.clone()) as Arc<dyn Disk>), small()).store;
    disk.damage("wal.log", |bytes| {
        let at = bytes
            .windows(6)
            .rposition(|found| found == b"note 6")
            .expect("the text stands in the log");
        bytes[at] ^= 1;
    });
    let error = store
        .snapshot()
        .get(NOTE, flin_store::EntityId(7))
        .expect_err("the record is damaged");
    assert!(
        error
            .to_string()
            .starts_with("Note 7 is damaged on disk (wal.log at offset "),
        "{error}"
    );
    assert!(
        store
            .snapshot()
            .get(NOTE, flin_store::EntityId(8))
            .expect("the next one is fine")
            .is_some()
    );
}

#[test]
fn random_bytes_never_panic() {
    let (disk, _) = twenty_frames();
    let all = frames(&disk.bytes("wal.log").expect("the log"));
    let end = all[19].0 + all[19].1;
    let mut rng = flin_testkit::rng::Rng::new(5);
    for _ in 0..300 {
        let broken = copy(&disk);
        broken.damage("wal.log", |bytes| {
            for _ in 0..1 + rng.below(40) {
                let at = rng.below(end);
                bytes[at] ^= 1 + rng.below(255) as u8;
            }
        });
        assert!(!verify(&broken).expect("verify answers").is_intact());
        open_error(&broken);
    }
}

/// Makes the header checksum of the frame at `at` right again, by the table of DESIGN.md.
fn reseal(bytes: &mut [u8], at: usize) {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[72..80]);
    hasher.update(&(at as u64).to_le_bytes());
    hasher.update(&bytes[at..at + FRAME_HEADER - 4]);
    let crc = hasher.finalize().to_le_bytes();
    bytes[at + FRAME_HEADER - 4..at + FRAME_HEADER].copy_from_slice(&crc);
}

#[test]
fn intact_frames_in_the_wrong_order_are_noticed() {
    let (disk, _) = twenty_frames();
    let all = frames(&disk.bytes("wal.log").expect("the log"));
    let (fifth, len) = all[4];
    // The fifth frame is taken out; all others move up with right checksums.
    let without = copy(&disk);
    without.damage("wal.log", |bytes| {
        let end = all[19].0 + all[19].1;
        bytes.copy_within(fifth + len..end, fifth);
        bytes[end - len..end].fill(0);
        all[5..].iter().for_each(|(at, _)| reseal(bytes, at - len));
    });
    let OpenError::Corrupt {
        offset,
        lsn,
        damage,
        ..
    } = open_error(&without)
    else {
        panic!("a frame is missing");
    };
    let wrong = DamageKind::WrongLsn { found: Lsn(6) };
    assert_eq!((offset, lsn, damage.what), (fifth as u64, Lsn(5), wrong));
    // The fifth frame gets another time with a right checksum: the sixth does not continue it.
    let changed = copy(&disk);
    changed.damage("wal.log", |bytes| {
        bytes[fifth + 16] ^= 1;
        reseal(bytes, fifth);
    });
    let OpenError::Corrupt {
        offset,
        lsn,
        damage,
        ..
    } = open_error(&changed)
    else {
        panic!("a frame was replaced");
    };
    assert_eq!(
        (offset, lsn, damage.what),
        (all[5].0 as u64, Lsn(6), DamageKind::BrokenLink)
    );
    assert_eq!(verify(&changed).expect("verify").damages.len(), 1);
}
