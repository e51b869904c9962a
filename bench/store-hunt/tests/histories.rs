//! Histories of clients at once: they have a serial order, and the check that says so knows histories that have none.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use flin_store::{CommitOutcome, StoreOptions};
use flin_store_hunt::histories::{Done, check, last_lists, step, store};
use flin_testkit::rng::Rng;

#[test]
fn clients_on_threads_have_a_serial_order() {
    for seed in 1..=3 {
        let store = store(StoreOptions::default()).expect("a store");
        let (committed, value) = (Mutex::new(Vec::new()), AtomicU64::new(1));
        thread::scope(|scope| {
            for client in 0..8 {
                let (store, committed, value) = (&store, &committed, &value);
                scope.spawn(move || {
                    let mut rng = Rng::new(seed * 100 + client);
                    for _ in 0..60 {
                        let (mut transaction, mut done) = (store.begin(), Done::default());
                        for _ in 0..1 + rng.below(3) {
                            let value = value.fetch_add(1, Ordering::Relaxed);
                            step(&mut rng, &mut transaction, &mut done, value).expect("a step");
                        }
                        match store.commit_wait(transaction, None) {
                            // What only read is in the history too: it must have seen one moment.
                            CommitOutcome::Committed { .. } => {
                                committed.lock().expect("no panic").push(done);
                            }
                            CommitOutcome::Clash => {}
                            other => panic!("{other}"),
                        }
                    }
                });
            }
        });
        let committed = committed.into_inner().expect("no panic");
        let last = last_lists(&store).expect("readable");
        check(&committed, &last).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        assert!(
            committed.len() > 50,
            "seed {seed}: only {} committed",
            committed.len()
        );
    }
}

fn done(reads: &[(u64, &[u64])], appends: &[(u64, u64)]) -> Done {
    Done {
        reads: reads
            .iter()
            .map(|(list, seen)| (*list, seen.to_vec()))
            .collect(),
        appends: appends.iter().copied().collect(),
    }
}

#[test]
fn histories_without_an_order_are_found() {
    let last = |lists: &[(u64, &[u64])]| -> BTreeMap<u64, Vec<u64>> {
        lists
            .iter()
            .map(|(list, values)| (*list, values.to_vec()))
            .collect()
    };
    // Two that read both lists empty and append to one each: write skew.
    let skew = [
        done(&[(1, &[]), (2, &[])], &[(1, 1)]),
        done(&[(1, &[]), (2, &[])], &[(2, 2)]),
    ];
    let wrong = check(&skew, &last(&[(1, &[1]), (2, &[2])])).expect_err("write skew");
    assert!(wrong.contains("no serial order"), "{wrong}");
    // A lost update.
    let lost = [done(&[(1, &[])], &[(1, 1)]), done(&[(1, &[])], &[(1, 2)])];
    let wrong = check(&lost, &last(&[(1, &[2])])).expect_err("a lost append");
    assert!(wrong.contains("LOST"), "{wrong}");
    // Somebody reads what was never there.
    let dirty = [done(&[(1, &[7])], &[])];
    let wrong = check(&dirty, &last(&[(1, &[])])).expect_err("a dirty read");
    assert!(wrong.contains("never was so"), "{wrong}");
    // One that sees the second append to one list and not the first to the other.
    let long_fork = [
        done(&[], &[(1, 1)]),
        done(&[], &[(2, 2)]),
        done(&[(1, &[1]), (2, &[])], &[]),
        done(&[(1, &[]), (2, &[2])], &[]),
    ];
    let wrong = check(&long_fork, &last(&[(1, &[1]), (2, &[2])])).expect_err("a long fork");
    assert!(wrong.contains("no serial order"), "{wrong}");
    // And a sound one.
    let sound = [
        done(&[(1, &[])], &[(1, 1)]),
        done(&[(1, &[1]), (2, &[])], &[(2, 2)]),
    ];
    check(&sound, &last(&[(1, &[1]), (2, &[2])])).expect("one after the other");
}
