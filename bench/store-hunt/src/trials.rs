//! The trials: each makes a life from a seed, breaks something, and asks the judge.
//!
//! A trial is a plain function of a seed, so a finding is one command line. What must stay true: a trial that finds
//! nothing wrong on a sound store finds something as soon as the sync or check that it is about is missing (`check.rs`).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use flin_store::{
    CommitOutcome, CrashChoice, Disk, Fault, FieldValue, OpenError, SimDisk, Store, TailReport,
    verify,
};
use flin_testkit::rng::Rng;

use crate::histories;
use crate::judge::{compare, judge, read_all};
use crate::life::{Life, Plan, live_on, options};
use crate::model::{NOTE, State, schema};
use crate::upkeep;

/// What was tried so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Seeds.
    pub seeds: u64,
    /// Moments at which the power failed.
    pub crash_points: u64,
    /// Stores opened and judged.
    pub judged: u64,
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub(crate) fn fault(&mut self, kind: &'static str) {
        *self.faults.entry(kind).or_default() += 1;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} seeds, {} crash points, {} stores opened and judged; faults: ",
            self.seeds, self.crash_points, self.judged
        )?;
        let all: Vec<String> = (self.faults.iter())
            .map(|(kind, count)| format!("{count} {kind}"))
            .collect();
        f.write_str(&all.join(", "))
    }
}

/// A kind of trial.
pub struct Trial {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it does.
    pub what: &'static str,
    run: fn(u64, &mut Tally) -> Result<(), String>,
}

/// All kinds.
pub const TRIALS: &[Trial] = &[
    Trial {
        name: "verdicts",
        what: "nothing fails: every answer is the model's, also for transactions on older states",
        run: verdicts,
    },
    Trial {
        name: "power",
        what: "the power fails at some calls; unsynced sectors and names arrive or not",
        run: power,
    },
    Trial {
        name: "again",
        what: "the power fails, and again during recovery or the commits after it",
        run: again,
    },
    Trial {
        name: "renamed",
        what: "a roll was interrupted before its last name; the power fails in the life after it",
        run: renamed,
    },
    Trial {
        name: "failing",
        what: "one call fails, then the process ends, then the power fails",
        run: failing,
    },
    Trial {
        name: "panic",
        what: "a bug panics in the middle of a commit",
        run: panicking,
    },
    Trial {
        name: "full",
        what: "the disk is full for a while; deleting goes on",
        run: full,
    },
    Trial {
        name: "quarantine",
        what: "a torn tail is cut; its bytes are kept, durable",
        run: quarantine,
    },
    Trial {
        name: "shortened",
        what: "acknowledged frames at the end are wiped out after a clean close",
        run: shortened,
    },
    Trial {
        name: "holes",
        what: "without a close: a hole in frames that later ones vouch for, a bit in the last one",
        run: holes,
    },
    Trial {
        name: "flipped",
        what: "bits flip and sectors vanish anywhere: never a wrong answer",
        run: flipped,
    },
    Trial {
        name: "checkpoints",
        what: "checkpoints are damaged, missing, or of another moment: the log decides",
        run: checkpoints,
    },
    Trial {
        name: "kept",
        what: "once there are two checkpoints there are always two",
        run: upkeep::kept,
    },
    Trial {
        name: "believed",
        what: "changed or foreign checkpoints, shortened segments in front of one",
        run: upkeep::believed,
    },
    Trial {
        name: "rewrites",
        what: "destroying and erasing, the power fails: gone for good, nothing else lost",
        run: upkeep::rewrites,
    },
    Trial {
        name: "backups",
        what: "backups, restores at a moment, and the power fails meanwhile",
        run: upkeep::backups,
    },
    Trial {
        name: "incremental",
        what: "a backup on top of an earlier one, something erased between them",
        run: upkeep::incremental,
    },
    Trial {
        name: "spliced",
        what: "intact frames and segments of another history of the same store stand there",
        run: spliced,
    },
    Trial {
        name: "rot",
        what: "records change or change places under an open store",
        run: rot,
    },
    Trial {
        name: "histories",
        what: "clients interleave; their histories have an order",
        run: interleaved,
    },
];

impl Trial {
    /// Finds a kind by name.
    pub fn named(name: &str) -> Option<&'static Trial> {
        TRIALS.iter().find(|trial| trial.name == name)
    }

    /// Tries one seed. A panic is a finding too.
    ///
    /// # Errors
    /// What is wrong.
    pub fn run(&self, seed: u64, tally: &mut Tally) -> Result<(), String> {
        let tried =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (self.run)(seed, tally)));
        tried.unwrap_or_else(|panic| {
            let said = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            Err(format!("PANIC: {}", said.unwrap_or("without words")))
        })
    }
}

pub(crate) fn plan(seed: u64, batches: usize, close: bool) -> Plan {
    Plan {
        seed,
        batches,
        close,
        checkpoints: seed % 2 == 1,
    }
}

/// The same without checkpoints: opening then reads all of the log.
pub(crate) fn bare(seed: u64, batches: usize, close: bool) -> Plan {
    Plan {
        checkpoints: false,
        ..plan(seed, batches, close)
    }
}

/// A life without faults, closed at the end, and its number of changing calls.
fn whole(seed: u64, batches: usize) -> Result<(SimDisk, Life, u64), String> {
    whole_as(plan(seed, batches, true))
}

pub(crate) fn whole_as(plan: Plan) -> Result<(SimDisk, Life, u64), String> {
    let disk = SimDisk::new(plan.seed);
    let mut life = live_on(&disk, plan, State::new())?;
    if life.acknowledged + 1 != life.states.len() || life.full {
        return Err("without a fault something was not committed".to_owned());
    }
    life.store = None;
    let calls = disk.calls();
    Ok((disk, life, calls))
}

fn judged(disk: &SimDisk, life: &Life, tally: &mut Tally, context: &str) -> Result<usize, String> {
    tally.judged += 1;
    judge(disk, life).map_err(|wrong| format!("{wrong}\n  {context}"))
}

fn verdicts(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let (disk, life, _) = whole(seed, 24)?;
    judged(&disk, &life, tally, "after a clean close")?;
    let after = disk.after_crash(CrashChoice::LoseAll);
    judged(
        &after,
        &life,
        tally,
        "after a clean close and a power failure",
    )?;
    Ok(())
}

/// Some calls of a life, early ones more often: they make the first segment.
pub(crate) fn moments(rng: &mut Rng, calls: u64, count: usize) -> Vec<u64> {
    // A life may have had nothing to write.
    if calls == 0 {
        return Vec::new();
    }
    let some = (0..count).map(|_| {
        let bound = if rng.one_in(4) { calls.min(8) } else { calls };
        rng.below(bound as usize) as u64
    });
    some.collect()
}

pub(crate) fn choices(rng: &mut Rng) -> [CrashChoice; 5] {
    [
        CrashChoice::First(rng.below(40) as u64),
        CrashChoice::LoseAll,
        CrashChoice::KeepAll,
        CrashChoice::Toss(rng.bits()),
        CrashChoice::Toss(rng.bits()),
    ]
}

fn power(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let mut rng = Rng::new(seed ^ 0x90);
    let (_, _, calls) = whole(seed, 8)?;
    for at in moments(&mut rng, calls, 6) {
        let disk = SimDisk::new(seed);
        disk.plan(Some(Fault::CrashAt(at)));
        let life = live_on(&disk, plan(seed, 8, true), State::new())?;
        tally.crash_points += 1;
        tally.fault("power failures");
        for choice in choices(&mut rng) {
            let context = format!("power failure at call {at} of {calls}, {choice:?}");
            judged(&disk.after_crash(choice), &life, tally, &context)?;
        }
    }
    Ok(())
}

fn again(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let mut rng = Rng::new(seed ^ 0xA6);
    let (_, _, calls) = whole(seed, 5)?;
    // Every other seed: the making of the first segment, again and again.
    let early = rng.one_in(2);
    let bound = |calls: u64| if early { calls.min(8) } else { calls };
    for at in moments(&mut rng, bound(calls), 3) {
        let disk = SimDisk::new(seed);
        disk.plan(Some(Fault::CrashAt(at)));
        let first = live_on(&disk, plan(seed, 5, true), State::new())?;
        let choice = match rng.below(3) {
            0 => CrashChoice::First(rng.below(40) as u64),
            _ => CrashChoice::Toss(rng.bits()),
        };
        let context = format!("power failure at call {at} of {calls}, {choice:?}");
        let found = judged(&disk.after_crash(choice), &first, tally, &context)?;
        let start = || first.states[found].clone();
        let second_plan = Plan {
            seed: seed + 1,
            ..plan(seed, 3, true)
        };
        let probe = disk.after_crash(choice);
        live_on(&probe, second_plan, start())?;
        let second_calls = probe.calls();
        for later in moments(&mut rng, bound(second_calls), 4) {
            let disk = disk.after_crash(choice);
            disk.plan(Some(Fault::CrashAt(later)));
            let second = live_on(&disk, second_plan, start())?;
            tally.crash_points += 1;
            tally.fault("power failures during or after recovery");
            let some = CrashChoice::First(rng.below(40) as u64);
            for last in [CrashChoice::LoseAll, CrashChoice::Toss(rng.bits()), some] {
                let context = format!("{context}, and again at call {later}, {last:?}");
                judged(&disk.after_crash(last), &second, tally, &context)?;
            }
        }
    }
    Ok(())
}

fn renamed(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let mut rng = Rng::new(seed ^ 0x4E);
    let (disk, first, _) = whole_as(bare(seed, 4, true))?;
    let image = || {
        let image = disk.after_crash(CrashChoice::KeepAll);
        if image.all_names().iter().any(|name| name == "wal.next") {
            image.remove("wal.next")?;
        }
        image.rename("wal.log", "wal.next")?;
        image.sync_dir()?;
        Ok::<_, std::io::Error>(image)
    };
    let image = || image().map_err(|error| error.to_string());
    let start = || first.states[first.acknowledged].clone();
    let second_plan = bare(seed + 2, 4, false);
    let probe = image()?;
    probe.plan(None);
    live_on(&probe, second_plan, start())?;
    for at in moments(&mut rng, probe.calls(), 8) {
        let image = image()?;
        image.plan(Some(Fault::CrashAt(at)));
        let second = live_on(&image, second_plan, start())?;
        tally.crash_points += 1;
        tally.fault("power failures after an interrupted roll");
        for choice in choices(&mut rng) {
            let context =
                format!("the newest segment was wal.next; power failure at call {at}, {choice:?}");
            judged(&image.after_crash(choice), &second, tally, &context)?;
        }
    }
    Ok(())
}

fn failing(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let mut rng = Rng::new(seed ^ 0xFA);
    let (_, _, calls) = whole(seed, 8)?;
    for at in moments(&mut rng, calls, 6) {
        let disk = SimDisk::new(seed);
        disk.plan(Some(Fault::FailAt(at)));
        let mut first = live_on(&disk, plan(seed, 8, true), State::new())?;
        first.store = None;
        tally.fault("failed calls");
        // The machine stays up: the next process reads what the cache shows.
        disk.plan(None);
        let context = format!("call {at} of {calls} failed");
        let found = judged(&disk, &first, tally, &context)?;
        let start = first.states[found].clone();
        let second = live_on(&disk, plan(seed + 7, 2, false), start)?;
        if second.acknowledged + 1 != second.states.len() {
            return Err(format!("the next process cannot commit\n  {context}"));
        }
        tally.crash_points += 1;
        for choice in [CrashChoice::LoseAll, CrashChoice::Toss(rng.bits())] {
            let context =
                format!("{context}; then a new process; then a power failure, {choice:?}");
            judged(&disk.after_crash(choice), &second, tally, &context)?;
        }
    }
    Ok(())
}

fn panicking(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let mut rng = Rng::new(seed ^ 0xBC);
    let (_, _, calls) = whole_as(bare(seed, 6, true))?;
    for at in moments(&mut rng, calls, 3) {
        let disk = SimDisk::new(seed);
        let opened = SimDisk::new(seed);
        live_on(&opened, bare(seed, 0, false), State::new())?;
        if at < opened.calls() {
            continue; // a panic while opening ends the process; nothing is promised yet
        }
        disk.plan(Some(Fault::PanicAt(at)));
        let mut life = live_on(&disk, bare(seed, 6, false), State::new())?;
        life.store = None;
        disk.plan(None);
        tally.fault("panics");
        judged(&disk, &life, tally, &format!("a panic at call {at}"))?;
        let after = disk.after_crash(CrashChoice::Toss(rng.bits()));
        judged(
            &after,
            &life,
            tally,
            &format!("a panic at call {at} and a crash"),
        )?;
    }
    Ok(())
}

fn full(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let disk = SimDisk::new(seed);
    let mut rng = Rng::new(seed ^ 0xF0);
    let mut life = live_on(&disk, plan(seed, 3 + rng.below(4), false), State::new())?;
    life.store = None;
    let start = life.states[life.acknowledged].clone();
    disk.plan(Some(Fault::FullFrom(0)));
    tally.fault("full disks");
    let mut second = live_on(&disk, plan(seed + 3, 0, false), start)?;
    let Some(store) = second.store.clone() else {
        return Err("a full disk keeps a store from opening".to_owned());
    };
    second.fills(&store, &mut rng)?;
    second.destroys_one(&store)?;
    tally.judged += 1;
    compare(&store, &second)?;
    disk.plan(None);
    disk.set_clock_ms(disk.now_ms() + 1000);
    let mut transaction = store.begin();
    let fields = vec![
        FieldValue::text("room again"),
        FieldValue::Int(1),
        FieldValue::None,
    ];
    let id = transaction
        .insert(NOTE, fields)
        .map_err(|error| error.to_string())?;
    match store.commit_wait(transaction, None) {
        CommitOutcome::Committed { .. } => {}
        other => return Err(format!("there is room again, but: {other}")),
    }
    second.store = None;
    drop(store);
    let shared: Arc<dyn Disk> = Arc::new(disk.after_crash(CrashChoice::LoseAll));
    let opened =
        Store::open(shared, &schema(), options(false)).map_err(|error| error.to_string())?;
    let mut found = read_all(&opened.store.snapshot())?;
    if found.remove(&(NOTE, id)).is_some() && found == second.states[second.acknowledged] {
        Ok(())
    } else {
        Err("LOST: what was committed on the full disk or after it".to_owned())
    }
}

fn quarantine(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let mut rng = Rng::new(seed ^ 0x9A);
    let (_, _, calls) = whole(seed, 5)?;
    for at in moments(&mut rng, calls, 8) {
        let disk = SimDisk::new(seed);
        disk.plan(Some(Fault::CrashAt(at)));
        let life = live_on(&disk, plan(seed, 5, false), State::new())?;
        let image = disk.after_crash(CrashChoice::Toss(rng.bits()));
        let Ok(report) = verify(&image) else { continue };
        let TailReport::Cut {
            file,
            offset,
            bytes,
            ..
        } = report.tail
        else {
            continue;
        };
        tally.fault("torn tails");
        let cut = image.bytes(&file).unwrap_or_default();
        let cut = cut[offset as usize..(offset + bytes) as usize].to_vec();
        let found = judged(&image, &life, tally, "a torn tail")?;
        let mut second = live_on(&image, plan(seed + 5, 2, false), life.states[found].clone())?;
        second.store = None;
        if second.acknowledged == 0 || bytes == 0 {
            continue;
        }
        let last = image.after_crash(CrashChoice::LoseAll);
        let mut kept = last
            .all_names()
            .into_iter()
            .filter_map(|name| last.bytes(&name));
        if !kept.any(|content| content == cut) {
            return Err(format!("LOST: {bytes} bytes that were cut are in no file"));
        }
        judged(&last, &second, tally, "commits behind a cut")?;
    }
    Ok(())
}

/// Where frames begin, by their magic.
fn frames(bytes: &[u8]) -> Vec<usize> {
    (0..bytes.len().saturating_sub(4))
        .step_by(8)
        .filter(|at| matches!(bytes[*at..*at + 4], [0xF7, b'F', b'r', 0x9C | 0x9D]))
        .collect()
}

fn shortened(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let mut rng = Rng::new(seed ^ 0x54);
    let (disk, life, _) = whole_as(bare(seed, 4, true))?;
    let image = disk.after_crash(CrashChoice::LoseAll);
    let log = image.bytes("wal.log").unwrap_or_default();
    let frames = frames(&log);
    if frames.is_empty() || life.acknowledged == 0 {
        return Ok(());
    }
    let from = frames[rng.below(frames.len())];
    image.damage("wal.log", |bytes| bytes[from..].fill(0));
    tally.fault("wiped tails");
    refused(&image, &life, tally, "frames at the end are wiped out")
}

/// Damage must be refused, with the state before it.
fn refused(image: &SimDisk, life: &Life, tally: &mut Tally, what: &str) -> Result<(), String> {
    tally.judged += 1;
    let shared: Arc<dyn Disk> = Arc::new(image.clone());
    match Store::open(shared, &schema(), options(false)) {
        Ok(_) => Err(format!("WRONG: opened as if nothing had happened: {what}")),
        Err(OpenError::Corrupt { read_only, .. }) => before_damage(read_only, life),
        Err(other) => Err(format!("{what}: {other}")),
    }
}

fn before_damage(read_only: Option<Box<flin_store::ReadOnly>>, life: &Life) -> Result<(), String> {
    let Some(read_only) = read_only else {
        return Ok(());
    };
    // A record whose older version cannot be read is an error there, not a wrong answer.
    match read_all(&read_only.snapshot()) {
        Ok(state) if !life.states.contains(&state) => {
            Err("WRONG: the state before the damage is none there ever was".to_owned())
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Frames that later frames of the same segment know to be durable, and the last one, of which nothing is known.
fn holes(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let mut rng = Rng::new(seed ^ 0x401);
    let disk = SimDisk::new(seed);
    let batches = 3 + rng.below(6);
    let mut life = live_on(&disk, bare(seed, batches, false), State::new())?;
    life.store = None;
    let log = disk.bytes("wal.log").unwrap_or_default();
    let starts = frames(&log);
    let used = log
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |at| at + 1);
    // A batch has at most four transactions, and a schema before the first.
    if starts.len() > 7 {
        let image = disk.after_crash(CrashChoice::KeepAll);
        let at = rng.below(starts.len() - 6);
        image.damage("wal.log", |bytes| bytes[starts[at]..starts[at + 1]].fill(0));
        tally.fault("holes");
        refused(&image, &life, tally, "a hole in acknowledged frames")?;
    }
    let Some(last) = starts.last().copied() else {
        return Ok(());
    };
    // A frame with a sector's part of zeros looks torn, whatever happens to it.
    let body_len = u32::from_le_bytes([log[last + 4], log[last + 5], log[last + 6], log[last + 7]]);
    let end = (last + 64 + body_len as usize).min(log.len());
    let mut sectors = (last..end).collect::<Vec<_>>();
    sectors.dedup_by_key(|at| *at / 512);
    let whole = sectors.iter().all(|from| {
        let to = (from / 512 + 1) * 512;
        log[*from..to.min(end)].iter().any(|byte| *byte != 0)
    });
    if whole && used > last + 8 {
        let image = disk.after_crash(CrashChoice::KeepAll);
        let (at, bit) = (last + 4 + rng.below(used - last - 4), 1 << rng.below(8));
        let other = log[at] ^ bit;
        // A byte that was the only one of its sector's part must not vanish: that would be a lost sector.
        if other != 0 {
            image.damage("wal.log", |bytes| bytes[at] = other);
            tally.fault("bits flipped in the last frame");
            refused(&image, &life, tally, "a bit of the last frame")?;
        }
    }
    Ok(())
}

fn flipped(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let mut rng = Rng::new(seed ^ 0xF1);
    let (disk, life, _) = whole_as(bare(seed, 6, true))?;
    for _ in 0..8 {
        let image = disk.after_crash(CrashChoice::LoseAll);
        let names = image.all_names();
        let name = rng.pick(&names).clone();
        let used = image.bytes(&name).unwrap_or_default();
        let used = used
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |at| at + 1);
        if used == 0 {
            continue;
        }
        let starts = frames(&image.bytes(&name).unwrap_or_default());
        let at = match rng.below(4) {
            0 => rng.below(used.min(4096)),
            1 if !starts.is_empty() => (rng.pick(&starts) + rng.below(64)).min(used - 1),
            _ => rng.below(used),
        };
        if rng.one_in(3) {
            let sector = at / 512 * 512;
            image.damage(&name, |bytes| {
                bytes[sector..(sector + 512).min(used)].fill(0)
            });
            tally.fault("lost sectors");
        } else {
            let bit = 1 << rng.below(8);
            image.damage(&name, |bytes| bytes[at] ^= bit);
            tally.fault("flipped bits");
        }
        tally.judged += 1;
        let context = format!("{name} changed around byte {at}");
        let shared: Arc<dyn Disk> = Arc::new(image.clone());
        let damaged_log = name.starts_with("wal") && name != "wal.next";
        match Store::open(shared, &schema(), options(false)) {
            // Zeros of a sector that was zero, or a file that is only a witness.
            Ok(opened) => {
                let cut = matches!(opened.report.tail, TailReport::Cut { .. });
                compare(&opened.store, &life).map_err(|wrong| format!("{wrong}\n  {context}"))?;
                let changed = image.bytes(&name) != disk.bytes(&name);
                if damaged_log && changed && !cut {
                    return Err(format!("WRONG: damage is not noticed: {context}"));
                }
            }
            Err(OpenError::Corrupt {
                read_only, damage, ..
            }) => {
                if !damaged_log {
                    return Err(format!("{damage}, but {context}"));
                }
                before_damage(read_only, &life).map_err(|wrong| format!("{wrong}\n  {context}"))?;
            }
            Err(OpenError::UnsupportedFormat { .. }) if at < 4096 => {
                return Err(format!(
                    "WRONG: damage is taken for another format: {context}"
                ));
            }
            Err(other) => return Err(format!("{other}\n  {context}")),
        }
    }
    Ok(())
}

/// A checkpoint saves time and decides nothing.
fn checkpoints(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let mut rng = Rng::new(seed ^ 0xC4);
    let with = Plan {
        checkpoints: true,
        ..plan(seed, 8, rng.one_in(2))
    };
    let (disk, life, _) = whole_as(with)?;
    for _ in 0..4 {
        let image = disk.after_crash(CrashChoice::KeepAll);
        let names = image.all_names().into_iter();
        let names: Vec<String> = names.filter(|name| name.starts_with("index-")).collect();
        let Some(name) = names.last() else {
            return Ok(());
        };
        let len = image.bytes(name).map_or(0, |bytes| bytes.len());
        let (at, bit) = (rng.below(len.max(1)), 1 << rng.below(8));
        match rng.below(5) {
            0 => image.damage(name, |bytes| bytes.truncate(at)),
            1 => image.damage(name, |bytes| bytes[at / 512 * 512..].fill(0)),
            2 if names.len() > 1 => {
                // An older one under the name of the newest.
                let older = image.bytes(&names[0]).unwrap_or_default();
                image.damage(name, |bytes| *bytes = older);
            }
            _ => image.damage(name, |bytes| bytes[at] ^= bit),
        }
        tally.fault("damaged checkpoints");
        judged(
            &image,
            &life,
            tally,
            &format!("{name} changed around byte {at}"),
        )?;
    }
    Ok(())
}

/// Two histories of one store that differ in their times only; pieces of one are put into the other.
fn spliced(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let mut rng = Rng::new(seed ^ 0x5B);
    let disk = SimDisk::new(seed);
    let mut first = live_on(&disk, bare(seed, 2, false), State::new())?;
    first.store = None;
    let start = first.states[first.acknowledged].clone();
    let fork = |clock: i64, seed: u64| {
        let disk = disk.after_crash(CrashChoice::KeepAll);
        disk.set_clock_ms(disk.now_ms() + clock);
        let mut life = live_on(&disk, bare(seed, 9, false), start.clone())?;
        life.store = None;
        Ok::<_, String>((disk, life))
    };
    let (one, life) = fork(10_000, seed + 9)?;
    let (other, _) = fork(77_777, seed + 9)?;
    let image = one.after_crash(CrashChoice::KeepAll);
    let names: Vec<String> = image
        .all_names()
        .into_iter()
        .filter(|name| name.starts_with("wal-") || name == "wal.log")
        .collect();
    let name = rng.pick(&names).clone();
    let (Some(ours), Some(theirs)) = (image.bytes(&name), other.bytes(&name)) else {
        return Ok(());
    };
    if ours == theirs || ours.len() != theirs.len() {
        return Ok(());
    }
    let same_salt = ours[..4096] == theirs[..4096];
    let all = frames(&ours);
    if all.len() < 3 || frames(&theirs) != all {
        return Ok(());
    }
    tally.fault("frames and segments of another history");
    // In a segment that both began with, frames from some place on; else the whole segment.
    let different = all.iter().position(|at| {
        ours[*at..*at + 16] != theirs[*at..*at + 16]
            || ours[*at + 16..*at + 64] != theirs[*at + 16..*at + 64]
    });
    let from = match (same_salt, different) {
        (false, _) => 0,
        (true, Some(first)) if first + 1 < all.len() => {
            all[first + 1 + rng.below(all.len() - first - 1)]
        }
        (true, _) => return Ok(()),
    };
    image.damage(&name, |bytes| {
        bytes[from..].copy_from_slice(&theirs[from..])
    });
    if name != "wal.log" {
        upkeep::told_by_a_backup(&image, &format!("{name} of another history"))?;
    }
    tally.judged += 1;
    let shared: Arc<dyn Disk> = Arc::new(image.clone());
    match Store::open(shared, &schema(), options(false)) {
        Ok(_) => Err(format!(
            "WRONG: {name} of another history from byte {from} on is taken"
        )),
        Err(OpenError::Corrupt { read_only, .. }) => before_damage(read_only, &life),
        Err(failure) => Err(failure.to_string()),
    }
}

fn rot(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let mut rng = Rng::new(seed ^ 0x07);
    let disk = SimDisk::new(seed);
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let opened =
        Store::open(shared, &schema(), options(false)).map_err(|error| error.to_string())?;
    let store = opened.store;
    let fields = |at: usize| {
        let text = format!("{}{at:04}", "rot ".repeat(40));
        vec![
            FieldValue::text(text),
            FieldValue::Int(at as i64),
            FieldValue::None,
        ]
    };
    let mut ids = Vec::new();
    for at in 0..8 {
        let mut transaction = store.begin();
        ids.push(
            transaction
                .insert(NOTE, fields(at))
                .map_err(|error| error.to_string())?,
        );
        store.commit_wait(transaction, None);
    }
    let log = disk.bytes("wal.log").unwrap_or_default();
    let places: Vec<usize> = (0..8)
        .filter_map(|at| {
            let text = format!("rot {at:04}");
            log.windows(text.len())
                .position(|found| found == text.as_bytes())
        })
        .collect();
    let [first, second] = [places[1], places[2 + rng.below(4)]];
    let frame = |place: usize| {
        frames(&log)
            .into_iter()
            .rfind(|at| *at < place)
            .unwrap_or(0)
    };
    let len = frame(places[2]) - frame(places[1]);
    if rng.one_in(2) {
        let at = frame(first) + 64 + rng.below(len - 64);
        disk.damage("wal.log", |bytes| bytes[at] ^= 1 << rng.below(8));
        tally.fault("bits flipped under an open store");
    } else {
        let (one, two) = (frame(first), frame(second));
        disk.damage("wal.log", |bytes| {
            let moved = bytes[one..one + len].to_vec();
            bytes.copy_within(two..two + len, one);
            bytes[two..two + len].copy_from_slice(&moved);
        });
        tally.fault("records that changed places");
    }
    tally.judged += 1;
    let snapshot = store.snapshot();
    for (at, id) in ids.iter().enumerate() {
        match snapshot.get(NOTE, *id) {
            Ok(Some(record)) if record.fields == fields(at) => {}
            Err(_) => {}
            other => return Err(format!("WRONG: note {id} reads as {other:?}")),
        }
    }
    Ok(())
}

fn interleaved(seed: u64, tally: &mut Tally) -> Result<(), String> {
    tally.judged += 1;
    histories::interleaved(seed)
}
