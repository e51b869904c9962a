//! Power failures on the simulated disk: at every changing call of a small workload, and again during recovery.
//!
//! The judge is the model: after every reopen the state must be the one after k transactions, where k is at least the
//! number of acknowledged ones. A failing case prints the command line that repeats it alone.

mod model;

use std::sync::Arc;

use flin_store::{CommitOutcome, CrashChoice, Disk, Fault, Lie, SimDisk, Store, verify};
use flin_testkit::rng::Rng;
use model::{NOTE, State, TAG, perform, schema, small, state_of, steps};

/// What the program did before the power failed.
struct Run {
    /// `states[k]` is the state after k transactions.
    states: Vec<State>,
    acknowledged: usize,
    store: Option<Store>,
}

/// Runs `batches` batches of transactions; stops at the first that is not committed.
fn run(disk: &SimDisk, seed: u64, batches: usize, start: State, close: bool) -> Run {
    let mut rng = Rng::new(seed);
    let mut run = Run {
        states: vec![start],
        acknowledged: 0,
        store: None,
    };
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let Ok(opened) = Store::open(shared, &schema(), small()) else {
        return run;
    };
    let store = opened.store;
    for _ in 0..batches {
        let (mut transactions, mut changes) = (Vec::new(), Vec::new());
        // Transactions of one batch must not clash: each one leaves the records of the others alone.
        let mut free = run.states.last().expect("a state").clone();
        for _ in 0..1 + rng.below(3) {
            let mut transaction = store.begin();
            let mut state = free.clone();
            perform(&mut transaction, &steps(&mut rng, &free), &mut state);
            let is_change = |key: &(_, _), now: &Vec<_>| free.get(key) != Some(now);
            let change: State = state
                .into_iter()
                .filter(|(key, now)| is_change(key, now))
                .collect();
            free.retain(|key, _| !change.contains_key(key));
            changes.push(change);
            transactions.push((transaction, None));
        }
        let outcomes = store.commit_all(transactions);
        let mut refused = false;
        for (outcome, change) in outcomes.iter().zip(changes) {
            let mut state = run.states.last().expect("a state").clone();
            state.extend(change);
            match outcome {
                CommitOutcome::Committed { .. } => run.acknowledged += 1,
                CommitOutcome::OutcomeUnknown { .. } => refused = true,
                CommitOutcome::StorageFull
                | CommitOutcome::CannotExtend { .. }
                | CommitOutcome::Poisoned { .. } => {
                    refused = true;
                    continue;
                }
                other => panic!("the workload has no conflicts: {other}"),
            }
            run.states.push(state);
        }
        if refused {
            break;
        }
    }
    if close && store.poisoned().is_none() && !disk.crashed() {
        // A failure here is one of the planned ones; the judge looks at the disk.
        let _closed = store.close().is_ok();
    }
    run.store = Some(store);
    run
}

/// Reopens and compares. Returns the number of transactions found, or what is wrong.
fn verdict(disk: &SimDisk, run: &Run, already: usize) -> Result<usize, String> {
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let opened = Store::open(shared, &schema(), small())
        .map_err(|error| format!("open refused: {error}"))?;
    let all = opened.report.counts.transactions as usize;
    let (acknowledged, tried) = (run.acknowledged, run.states.len() - 1);
    let counts = || {
        format!(
            "{all} transactions found, {already} from before, {acknowledged} acknowledged, {tried} tried"
        )
    };
    let found = all.checked_sub(already).ok_or_else(counts)?;
    if !(acknowledged..=tried).contains(&found) {
        return Err(counts());
    }
    if state_of(&opened.store.snapshot(), &[NOTE, TAG]) != run.states[found] {
        return Err(format!(
            "the state is not the one after {found} transactions"
        ));
    }
    Ok(found)
}

/// The same for tests that must pass.
fn judge(disk: &SimDisk, run: &Run, already: usize, context: &str) -> usize {
    verdict(disk, run, already).unwrap_or_else(|wrong| panic!("{context}\n{wrong}"))
}

fn command(seed: u64, at: u64, choice: CrashChoice, test: &str) -> String {
    format!(
        "seed {seed}, power failure at call {at}, {choice:?}; repeat with: FLIN_STORE_SEED={seed} FLIN_STORE_AT={at} \
         cargo test -p flin-store --test crash {test}"
    )
}

fn only(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} must be a number"))
    })
}

fn seeds(count: u64) -> Vec<u64> {
    only("FLIN_STORE_SEED").map_or_else(|| (1..=count).collect(), |seed| vec![seed])
}

fn choices(seed: u64, at: u64, tosses: u64) -> Vec<CrashChoice> {
    let tossed = (0..tosses).map(|toss| CrashChoice::Toss(seed << 32 ^ at << 8 ^ toss));
    [CrashChoice::LoseAll, CrashChoice::KeepAll]
        .into_iter()
        .chain(tossed)
        .collect()
}

/// Number of changing calls of a whole undisturbed run.
fn calls_of(seed: u64, batches: usize) -> u64 {
    let disk = SimDisk::new(seed);
    let done = run(&disk, seed, batches, State::new(), true);
    assert_eq!(
        done.acknowledged,
        done.states.len() - 1,
        "an undisturbed run commits everything"
    );
    disk.calls()
}

#[test]
fn at_every_call() {
    for seed in seeds(6) {
        let calls = calls_of(seed, 8);
        assert!(calls > 40, "the workload must roll segments");
        for at in 0..calls {
            if only("FLIN_STORE_AT").is_some_and(|wanted| wanted != at) {
                continue;
            }
            let disk = SimDisk::new(seed);
            disk.plan(Some(Fault::CrashAt(at)));
            let done = run(&disk, seed, 8, State::new(), true);
            assert!(disk.crashed());
            for choice in choices(seed, at, 3) {
                judge(
                    &disk.after_crash(choice),
                    &done,
                    0,
                    &command(seed, at, choice, "at_every_call"),
                );
            }
        }
    }
}

/// Small workloads, all of it: every call, and every combination of what was not synced there (up to 2^9).
#[test]
fn every_combination_of_unsynced_sectors() {
    let mut combinations = 0;
    for seed in seeds(4) {
        for at in 0..calls_of(seed, 4) {
            if only("FLIN_STORE_AT").is_some_and(|wanted| wanted != at) {
                continue;
            }
            let disk = SimDisk::new(seed);
            disk.plan(Some(Fault::CrashAt(at)));
            let done = run(&disk, seed, 4, State::new(), true);
            let items = disk.pending_items();
            if items > 9 {
                continue; // the creation of a segment: `at_every_call` tosses for it
            }
            for bits in 0..1 << items {
                let choice = CrashChoice::Subset(bits);
                let context = command(seed, at, choice, "every_combination");
                judge(&disk.after_crash(choice), &done, 0, &context);
                combinations += 1;
            }
        }
    }
    assert!(
        combinations > 500,
        "only {combinations} combinations were tried"
    );
}

#[test]
fn again_during_recovery_and_the_commits_after_it() {
    for seed in seeds(1) {
        let calls = calls_of(seed, 4);
        for at in 0..calls {
            if only("FLIN_STORE_AT").is_some_and(|wanted| wanted != at) {
                continue;
            }
            let disk = SimDisk::new(seed);
            disk.plan(Some(Fault::CrashAt(at)));
            let first = run(&disk, seed, 4, State::new(), true);
            for choice in [CrashChoice::LoseAll, CrashChoice::Toss(seed << 8 ^ at)] {
                let context = command(seed, at, choice, "again_during_recovery");
                // What the second life starts from, and how many calls it makes.
                let probe = disk.after_crash(choice);
                let found = judge(&probe, &first, 0, &context);
                let probe = disk.after_crash(choice);
                run(&probe, seed + 100, 2, first.states[found].clone(), false);
                for again in 0..probe.calls() {
                    let second_life = disk.after_crash(choice);
                    second_life.plan(Some(Fault::CrashAt(again)));
                    let second = run(
                        &second_life,
                        seed + 100,
                        2,
                        first.states[found].clone(),
                        false,
                    );
                    let last = second_life.after_crash(CrashChoice::Toss(again ^ seed));
                    judge(
                        &last,
                        &second,
                        found,
                        &format!("{context}\nand again at call {again}"),
                    );
                }
            }
        }
    }
}

#[test]
fn recovering_twice_gives_the_same_bytes() {
    for seed in seeds(3) {
        let calls = calls_of(seed, 6);
        for at in (0..calls).step_by(3) {
            let disk = SimDisk::new(seed);
            disk.plan(Some(Fault::CrashAt(at)));
            let done = run(&disk, seed, 6, State::new(), false);
            let image = disk.after_crash(CrashChoice::Toss(at));
            let context = command(seed, at, CrashChoice::Toss(at), "recovering_twice");
            let first = judge(&image, &done, 0, &context);
            let bytes = image.bytes("wal.log");
            assert_eq!(judge(&image, &done, 0, &context), first);
            assert!(
                image.bytes("wal.log") == bytes,
                "{context}\nopening changed the log"
            );
        }
    }
}

/// One call fails, the process ends, the machine stays up: the cache is what the next process reads. Then the power
/// fails too. Nothing acknowledged before or after may be lost.
#[test]
fn a_failed_call_then_a_power_failure() {
    for seed in seeds(3) {
        let calls = calls_of(seed, 6);
        for at in 0..calls {
            if only("FLIN_STORE_AT").is_some_and(|wanted| wanted != at) {
                continue;
            }
            let context = command(seed, at, CrashChoice::LoseAll, "a_failed_call");
            let disk = SimDisk::new(seed);
            disk.plan(Some(Fault::FailAt(at)));
            let mut first = run(&disk, seed, 6, State::new(), true);
            drop(first.store.take());
            disk.plan(None);
            let found = judge(&disk, &first, 0, &context);
            let second = run(&disk, seed + 7, 2, first.states[found].clone(), false);
            assert_eq!(
                second.acknowledged,
                second.states.len() - 1,
                "{context}\nthe second process commits"
            );
            for choice in choices(seed, at, 2) {
                judge(&disk.after_crash(choice), &second, found, &context);
            }
        }
    }
}

#[test]
fn verify_agrees_with_recovery_after_a_crash() {
    for seed in seeds(3) {
        let calls = calls_of(seed, 6);
        for at in (0..calls).step_by(5) {
            let disk = SimDisk::new(seed);
            disk.plan(Some(Fault::CrashAt(at)));
            let done = run(&disk, seed, 6, State::new(), false);
            let image = disk.after_crash(CrashChoice::Toss(at * 3));
            let Ok(report) = verify(&image) else {
                assert_eq!(
                    done.acknowledged, 0,
                    "a store with acknowledged commits can be verified"
                );
                continue;
            };
            let context = command(seed, at, CrashChoice::Toss(at * 3), "verify_agrees");
            assert!(report.is_intact(), "{context}\n{report}");
            assert_eq!(
                judge(&image, &done, 0, &context) as u64,
                report.counts.transactions,
                "{context}"
            );
        }
    }
}

/// Whether any crash of a few workloads shows that syncs of this kind are missing.
fn is_noticed(lie: Lie) -> bool {
    (1..5).any(|seed| {
        let calls = calls_of(seed, 8);
        (0..calls).any(|at| {
            let disk = SimDisk::new(seed);
            disk.lie(Some(lie));
            disk.plan(Some(Fault::CrashAt(at)));
            let done = run(&disk, seed, 8, State::new(), true);
            let mut choices = choices(seed, at, 3).into_iter();
            choices.any(|choice| verdict(&disk.after_crash(choice), &done, 0).is_err())
        })
    })
}

/// The tests above are worth something: with any kind of sync removed they would fail.
#[test]
fn a_missing_sync_would_be_noticed() {
    for lie in [
        Lie::FileSync("wal.log"),
        Lie::FileSync("wal.next"),
        Lie::DirSync,
    ] {
        assert!(is_noticed(lie), "no crash shows that {lie:?} is missing");
    }
}
