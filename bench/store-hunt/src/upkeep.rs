//! Trials of what a store does beside committing: checkpoints, rewrites that erase, backups and restores.
//!
//! What must stay true: as in `trials.rs`, each finds something as soon as a sync or check that it is about is missing.

use std::fmt::Display;
use std::sync::Arc;

use flin_store::{
    CommitOutcome, CrashChoice, Disk, EntityId, Fault, FieldValue, Moment, OpenError, RestoreError,
    SimDisk, Store, backup, restore, verify,
};
use flin_testkit::rng::Rng;

use crate::bent::{Bent, put};
use crate::judge::read_all;
use crate::life::{Life, Plan, live_on, options};
use crate::model::{NOTE, State, schema};
use crate::trials::{Tally, bare, choices, moments, plan, whole_as};

/// A text that is destroyed in these trials.
const SECRET: &str = "the secret that must go";

fn said(error: impl Display) -> String {
    error.to_string()
}

fn with_checkpoints(seed: u64, batches: usize) -> Plan {
    Plan {
        checkpoints: true,
        ..plan(seed, batches, true)
    }
}

fn open(disk: &SimDisk) -> Result<Store, String> {
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let opened = Store::open(shared, &schema(), options(false));
    Ok(opened
        .map_err(|error| format!("LOST: the open is refused: {error}"))?
        .store)
}

fn found_in(disk: &SimDisk, text: &str) -> Option<String> {
    disk.all_names().into_iter().find(|name| {
        let bytes = disk.bytes(name).unwrap_or_default();
        bytes.windows(text.len()).any(|at| at == text.as_bytes())
    })
}

fn checkpoint_names(disk: &SimDisk) -> Vec<String> {
    let names = disk.all_names().into_iter();
    names.filter(|name| name.ends_with(".ckpt")).collect()
}

/// Checkpoints of which `verify` says nothing bad.
fn usable(disk: &SimDisk) -> Result<usize, String> {
    let notes = verify(disk).map_err(said)?.notes;
    let is_fine = |name: &&String| !notes.iter().any(|note| note.contains(name.as_str()));
    Ok(checkpoint_names(disk).iter().filter(is_fine).count())
}

/// Once there are two checkpoints there are always two, whenever the power fails.
pub(crate) fn kept(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let mut rng = Rng::new(seed ^ 0x2C);
    let (disk, first, _) = whole_as(with_checkpoints(seed, 6))?;
    let image = disk.after_crash(CrashChoice::KeepAll);
    if usable(&image)? < 2 {
        return Ok(());
    }
    let start = || first.states[first.acknowledged].clone();
    let second_plan = with_checkpoints(seed + 11, 3);
    let probe = image.after_crash(CrashChoice::KeepAll);
    live_on(&probe, second_plan, start())?;
    for at in moments(&mut rng, probe.calls(), 8) {
        let disk = image.after_crash(CrashChoice::KeepAll);
        disk.plan(Some(Fault::CrashAt(at)));
        live_on(&disk, second_plan, start())?;
        tally.crash_points += 1;
        tally.fault("power failures beside checkpoints");
        for choice in choices(&mut rng) {
            tally.judged += 1;
            let left = usable(&disk.after_crash(choice))?;
            if left < 2 {
                return Err(format!(
                    "LOST: {left} of two checkpoints are left\n  power failure at call {at}, {choice:?}"
                ));
            }
        }
    }
    Ok(())
}

/// A checkpoint that was changed anywhere, or that is of another story, is not used.
pub(crate) fn believed(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let mut rng = Rng::new(seed ^ 0xBE);
    let (disk, life, _) = whole_as(with_checkpoints(seed, 6))?;
    let Some(name) = checkpoint_names(&disk).pop() else {
        return Ok(());
    };
    let bytes = disk.bytes(&name).unwrap_or_default();
    // The header, the page of the directory, the blocks.
    for (from, to) in [(0, 4096), (4096, 8192), (8192, bytes.len())] {
        let image = disk.after_crash(CrashChoice::KeepAll);
        let at = from + rng.below(to - from);
        image.damage(&name, |bytes| bytes[at] ^= 1 << rng.below(8));
        tally.fault("bits flipped in checkpoints");
        tally.judged += 1;
        let notes = verify(&image).map_err(said)?.notes;
        if !notes.iter().any(|note| note.contains(&name)) {
            return Err(format!(
                "WRONG: byte {at} of {name} changed, nothing is said"
            ));
        }
    }
    let image = disk.after_crash(CrashChoice::KeepAll);
    let sealed = image.all_names();
    if let Some(sealed) = sealed.iter().find(|name| name.starts_with("wal-")) {
        image.damage(sealed, |bytes| bytes.truncate(4096 + 64));
        tally.fault("shortened segments");
        let shared: Arc<dyn Disk> = Arc::new(image.clone());
        match Store::open(shared, &schema(), options(false)) {
            Err(OpenError::Corrupt { .. }) => {}
            Err(other) => return Err(other.to_string()),
            Ok(_) => return Err(format!("WRONG: opened although {sealed} is shortened")),
        }
    }
    let copy = SimDisk::new(seed + 1);
    if life.acknowledged > 0 {
        restore(&disk, &copy, None, &mut |_| {}).map_err(said)?;
        foreign(
            &copy,
            &name,
            &bytes,
            tally,
            "the store this one was restored from",
        )?;
    }
    let (base, begun, _) = whole_as(bare(seed, 2, false))?;
    let fork = |clock_ms, plan| {
        let fork = base.after_crash(CrashChoice::KeepAll);
        fork.set_clock_ms(fork.now_ms() + clock_ms);
        let mut life = live_on(&fork, plan, begun.states[begun.acknowledged].clone())?;
        life.store = None;
        Ok::<_, String>(fork)
    };
    let one = fork(10_000, with_checkpoints(seed + 3, 3))?;
    let other = fork(77_777, bare(seed + 4, 5, false))?;
    for name in checkpoint_names(&one) {
        let bytes = one.bytes(&name).unwrap_or_default();
        let image = other.after_crash(CrashChoice::KeepAll);
        if covered(&one, &bytes) == covered(&image, &bytes) {
            continue; // it ends where both stories are the same
        }
        foreign(&image, &name, &bytes, tally, "another story of this store")?;
    }
    Ok(())
}

/// The segment that a checkpoint ends in, up to there.
fn covered(disk: &SimDisk, checkpoint: &[u8]) -> Option<Vec<u8>> {
    let next_at = checkpoint.get(104..112)?.try_into().ok()?;
    let next_at = u64::from_le_bytes(next_at) as usize;
    let mut segments = (disk.all_names().into_iter())
        .filter(|name| name.starts_with("wal"))
        .filter_map(|name| disk.bytes(&name));
    let mut bytes = segments.find(|bytes| bytes.get(48..56) == checkpoint.get(96..104))?;
    bytes.truncate(next_at);
    Some(bytes)
}

fn foreign(
    disk: &SimDisk,
    name: &str,
    bytes: &[u8],
    tally: &mut Tally,
    whose: &str,
) -> Result<(), String> {
    put(disk, name, bytes).map_err(said)?;
    tally.fault("checkpoints of others");
    tally.judged += 1;
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    match Store::open(shared, &schema(), options(false)) {
        Ok(opened) if opened.report.checkpoint.is_none() => Ok(()),
        Ok(_) => Err(format!("WRONG: a checkpoint of {whose} is used")),
        Err(error) => Err(format!("LOST: with a checkpoint of {whose}: {error}")),
    }
}

fn write(store: &Store, id: Option<EntityId>, text: &str) -> Result<EntityId, String> {
    let mut transaction = store.begin();
    let text = FieldValue::text(format!("{text} {}", "x".repeat(900)));
    let fields = vec![text, FieldValue::Int(1), FieldValue::None];
    let id = match id {
        Some(id) => {
            transaction.update(NOTE, id, fields).map_err(said)?;
            id
        }
        None => transaction.insert(NOTE, fields).map_err(said)?,
    };
    match store.commit_wait(transaction, None) {
        CommitOutcome::Committed { .. } => Ok(id),
        other => Err(other.to_string()),
    }
}

/// A life, then a record with a secret, and enough behind it to seal the segment it stands in. With `often` it is written
/// again later, so that other segments hold it as well.
fn with_secret(seed: u64, often: bool) -> Result<(SimDisk, EntityId), String> {
    let (disk, _, _) = whole_as(bare(seed, 4, true))?;
    let disk = disk.after_crash(CrashChoice::KeepAll);
    let store = open(&disk)?;
    let id = write(&store, None, SECRET)?;
    for turn in 0..18 {
        write(&store, None, "it stays")?;
        if often && turn % 5 == 4 {
            write(&store, Some(id), SECRET)?;
        }
    }
    drop(store);
    put(&disk, "quarantine/old.cut", SECRET.as_bytes()).map_err(said)?;
    disk.sync_dir().map_err(said)?;
    Ok((disk, id))
}

/// The same, destroyed but not erased yet, and the state then.
fn destroyed(seed: u64) -> Result<(SimDisk, State), String> {
    let (disk, id) = with_secret(seed, seed.is_multiple_of(2))?;
    let store = open(&disk)?;
    let mut transaction = store.begin();
    transaction.destroy(NOTE, id).map_err(said)?;
    match store.commit_wait(transaction, None) {
        CommitOutcome::Committed { .. } => {}
        other => return Err(other.to_string()),
    }
    let state = read_all(&store.snapshot())?;
    drop(store);
    Ok((disk, state))
}

fn shows(disk: &SimDisk, expected: &State) -> Result<Store, String> {
    let report = verify(disk).map_err(|error| format!("LOST: {error}"))?;
    if !report.is_intact() {
        return Err(format!("LOST: verify finds damage: {report}"));
    }
    let store = open(disk)?;
    if read_all(&store.snapshot())? != *expected {
        return Err("WRONG: other records than before".to_owned());
    }
    Ok(store)
}

/// Destroying and erasing, with a power failure at some call: what is destroyed is gone in the end, all else is there.
pub(crate) fn rewrites(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let mut rng = Rng::new(seed ^ 0xDE);
    let (disk, expected) = destroyed(seed)?;
    let whole = disk.after_crash(CrashChoice::KeepAll);
    let store = open(&whole)?;
    whole.plan(None);
    let report = store.compact(&mut |_| {}).map_err(said)?;
    if !report.is_complete() || report.rewritten == 0 {
        return Err(format!(
            "without a fault not everything is erased: {report}"
        ));
    }
    let calls = whole.calls();
    drop(store);
    let after = whole.after_crash(CrashChoice::LoseAll);
    tally.judged += 1;
    shows(&after, &expected).map_err(|wrong| format!("{wrong}\n  after a rewrite"))?;
    if let Some(name) = found_in(&after, SECRET) {
        return Err(format!("WRONG: {name} still has what was erased"));
    }
    for at in moments(&mut rng, calls, 5) {
        let image = disk.after_crash(CrashChoice::KeepAll);
        let store = open(&image)?;
        image.plan(Some(Fault::CrashAt(at)));
        // Whether it is told depends on the call; the judge looks at the disk.
        let _told = store.compact(&mut |_| {}).is_ok();
        drop(store);
        tally.crash_points += 1;
        tally.fault("power failures while erasing");
        let all_but_one = CrashChoice::Subset(!1);
        for choice in choices(&mut rng).into_iter().chain([all_but_one]) {
            let left = image.after_crash(choice);
            tally.judged += 1;
            erased_in_the_end(&left, &expected)
                .map_err(|wrong| format!("{wrong}\n  power failure at call {at}, {choice:?}"))?;
        }
    }
    bent_rewrite(&disk, &expected, &mut rng, tally)
}

fn erased_in_the_end(disk: &SimDisk, expected: &State) -> Result<(), String> {
    let store = shows(disk, expected)?;
    let report = store.compact(&mut |_| {}).map_err(said)?;
    drop(store);
    if !report.is_complete() || report.waiting > 0 {
        return Err(format!("not everything is erased: {report}"));
    }
    if let Some(name) = found_in(disk, SECRET) {
        return Err(format!("WRONG: {name} still has what was erased"));
    }
    drop(shows(disk, expected)?);
    Ok(())
}

/// The new file of a segment arrives with a bit changed: the log must stay as it was.
fn bent_rewrite(
    disk: &SimDisk,
    expected: &State,
    rng: &mut Rng,
    tally: &mut Tally,
) -> Result<(), String> {
    let image = disk.after_crash(CrashChoice::KeepAll);
    let bent = Bent::bending(image.clone(), "rewrite.new", rng.below(4096));
    let shared: Arc<dyn Disk> = Arc::new(bent.clone());
    let opened = Store::open(shared, &schema(), options(false)).map_err(said)?;
    let report = opened.store.compact(&mut |_| {}).map_err(said)?;
    drop(opened);
    tally.fault("bits changed on their way to a segment");
    tally.judged += 1;
    if bent.has_bent() && report.is_complete() {
        return Err("WRONG: a rewritten segment with a changed bit is taken".to_owned());
    }
    drop(shows(&image, expected)?);
    Ok(())
}

/// What is told to be complete is durable: names and bytes.
fn durable(disk: &SimDisk, what: &str) -> Result<SimDisk, String> {
    let after = disk.after_crash(CrashChoice::LoseAll);
    let files = |disk: &SimDisk| -> Vec<_> {
        let names = disk.all_names().into_iter();
        names.map(|name| (disk.bytes(&name), name)).collect()
    };
    if files(&after) == files(disk) {
        Ok(after)
    } else {
        Err(format!("LOST: {what} is not durable when it is told to be"))
    }
}

/// Backups and restores, whole, of a moment, and with the power failing meanwhile.
pub(crate) fn backups(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let mut rng = Rng::new(seed ^ 0xBA);
    let (disk, life, _) = whole_as(plan(seed, 6, rng.one_in(2)))?;
    if life.acknowledged == 0 {
        return Ok(());
    }
    let target = SimDisk::new(seed + 20);
    target.plan(None);
    backup(&disk, &target, None, &mut |_| {}).map_err(said)?;
    let calls = target.calls();
    let whole = durable(&target, "a backup")?;
    tally.judged += 1;
    of_a_moment(&whole, &life, &mut rng)?;
    let last = &life.states[life.acknowledged];
    for at in last_and_some(&mut rng, calls) {
        let target = SimDisk::new(seed + 20);
        target.plan(Some(Fault::CrashAt(at)));
        let _told = backup(&disk, &target, None, &mut |_| {}).is_ok();
        tally.crash_points += 1;
        tally.fault("power failures while backing up");
        for choice in with_newest_names(&mut rng, &target) {
            tally.judged += 1;
            let copy = SimDisk::new(seed + 21);
            let left = target.after_crash(choice);
            let right = match restore(&left, &copy, None, &mut |_| {}) {
                Ok(_) => read_all(&open(&copy)?.snapshot())? == *last,
                Err(
                    RestoreError::Unfinished { .. }
                    | RestoreError::Damaged { .. }
                    | RestoreError::Open(_),
                ) => true,
                Err(_) => false,
            };
            if !right {
                return Err(format!(
                    "WRONG: half a backup is taken for a backup\n  power failure at call {at}, {choice:?}"
                ));
            }
        }
    }
    restores(&whole, last, seed, &mut rng, tally)?;
    papers(&whole, &disk, seed)
}

/// Some calls, and always the last two.
fn last_and_some(rng: &mut Rng, calls: u64) -> Vec<u64> {
    let mut all = moments(rng, calls, 3);
    all.extend(calls.saturating_sub(2)..calls);
    all
}

/// The usual choices, and the one in which only the two newest names arrive.
fn with_newest_names(rng: &mut Rng, disk: &SimDisk) -> Vec<CrashChoice> {
    let mut all = vec![CrashChoice::LoseAll, CrashChoice::Toss(rng.bits())];
    let pending = disk.pending_items();
    if (2..64).contains(&pending) {
        all.push(CrashChoice::Subset(0b11 << (pending - 2)));
    }
    all
}

fn of_a_moment(whole: &SimDisk, life: &Life, rng: &mut Rng) -> Result<(), String> {
    let at = rng.below(life.acknowledged);
    let Some((Some(lsn), _)) = life.marks.get(at) else {
        return Ok(());
    };
    // What is destroyed later is gone from the past as well.
    let mut expected = life.states[at + 1].clone();
    expected.retain(|key, _| life.states[life.acknowledged].contains_key(key));
    let copy = SimDisk::new(77);
    restore(whole, &copy, Some(Moment::Lsn(*lsn)), &mut |_| {}).map_err(said)?;
    let copy = durable(&copy, "a restored store")?;
    drop(shows(&copy, &expected).map_err(|wrong| format!("{wrong}\n  restored at LSN {lsn}"))?);
    Ok(())
}

fn restores(
    whole: &SimDisk,
    last: &State,
    seed: u64,
    rng: &mut Rng,
    tally: &mut Tally,
) -> Result<(), String> {
    let probe = SimDisk::new(seed + 22);
    probe.plan(None);
    restore(whole, &probe, None, &mut |_| {}).map_err(said)?;
    for at in last_and_some(rng, probe.calls()) {
        let target = SimDisk::new(seed + 22);
        target.plan(Some(Fault::CrashAt(at)));
        let _told = restore(whole, &target, None, &mut |_| {}).is_ok();
        tally.crash_points += 1;
        tally.fault("power failures while restoring");
        for choice in with_newest_names(rng, &target) {
            tally.judged += 1;
            let shared: Arc<dyn Disk> = Arc::new(target.after_crash(choice));
            // Refused, or nothing at all, or whole.
            let Ok(opened) = Store::open(shared, &schema(), options(false)) else {
                continue;
            };
            let found = read_all(&opened.store.snapshot())?;
            if found != *last && opened.store.head().0 > 0 {
                return Err(format!(
                    "WRONG: half a restored store is opened\n  power failure at call {at}, {choice:?}"
                ));
            }
        }
    }
    let start = if rng.one_in(2) { "first.new" } else { "wal" };
    let bent = Bent::bending(SimDisk::new(seed + 23), start, rng.below(4096));
    let told = restore(whole, &bent, None, &mut |_| {}).is_ok();
    tally.fault("bits changed on their way to a segment");
    if told && bent.has_bent() {
        return Err("WRONG: a restored store with a changed bit is taken".to_owned());
    }
    Ok(())
}

/// A damaged note says nothing; a backup of another store is no earlier one of this.
fn papers(whole: &SimDisk, source: &SimDisk, seed: u64) -> Result<(), String> {
    let image = whole.after_crash(CrashChoice::KeepAll);
    image.damage("BACKUP", |bytes| {
        let taken = bytes.windows(6).position(|found| found == b"taken ");
        if let Some(at) = taken {
            bytes[at + 6] = b'0';
        }
    });
    let now = Some(Moment::Time(source.now_ms()));
    restore(&image, &SimDisk::new(seed + 24), now, &mut |_| {})
        .map_err(|error| format!("WRONG: a damaged note is believed: {error}"))?;
    let other = SimDisk::new(seed + 25);
    restore(whole, &other, None, &mut |_| {}).map_err(said)?;
    let to = SimDisk::new(seed + 26);
    match backup(source, &to, Some(&other), &mut |_| {}) {
        Err(flin_store::BackupError::Earlier { .. }) => Ok(()),
        Err(error) => Err(error.to_string()),
        Ok(_) => Err("WRONG: another store's files serve as the earlier backup".to_owned()),
    }
}

/// A backup that takes over what an earlier one has, with something erased between the two.
pub(crate) fn incremental(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let (disk, id) = with_secret(seed, true)?;
    let first = Bent::linking(SimDisk::new(seed + 30));
    backup(&disk, &first, None, &mut |_| {}).map_err(said)?;
    let store = open(&disk)?;
    let mut transaction = store.begin();
    transaction.destroy(NOTE, id).map_err(said)?;
    store.commit_wait(transaction, None);
    store.compact(&mut |_| {}).map_err(said)?;
    let expected = read_all(&store.snapshot())?;
    drop(store);
    let second = SimDisk::new(seed + 31);
    let report = backup(&disk, &second, Some(&first), &mut |_| {}).map_err(said)?;
    tally.judged += 1;
    tally.fault("incremental backups");
    if let Some(name) = found_in(&second, SECRET) {
        return Err(format!(
            "WRONG: {name} of the second backup has what was erased before it\n{report}"
        ));
    }
    let copy = SimDisk::new(seed + 32);
    restore(&second, &copy, None, &mut |_| {}).map_err(said)?;
    drop(shows(&copy, &expected)?);
    Ok(())
}

/// A backup of a log into which another story was put says so.
pub(crate) fn told_by_a_backup(image: &SimDisk, what: &str) -> Result<(), String> {
    let report = backup(image, &SimDisk::new(40), None, &mut |_| {});
    match report {
        Ok(report) if report.damage.is_none() => {
            Err(format!("WRONG: a backup says nothing about {what}"))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}
