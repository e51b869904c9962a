//! The hunt is worth something: with any one sync or check of the store taken out, some trial finds it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use flin_store::sabotage::Sabotage;
use flin_store_hunt::check;

/// Seeds that a switch may take.
const SEEDS: u64 = 400;

#[test]
fn every_missing_sync_and_check_is_noticed() {
    flin_store_hunt::silence_panics();
    let (missed, next) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    // A switch belongs to its thread.
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(switch) = Sabotage::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match check::one(*switch, 1, SEEDS) {
                        Some((trial, seed, _)) => {
                            println!("{switch:?}: {} seed {seed}", trial.name)
                        }
                        None => missed
                            .lock()
                            .expect("no panic")
                            .push(format!("{switch:?}: {}", switch.what())),
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().expect("no panic");
    assert!(missed.is_empty(), "nobody notices:\n{}", missed.join("\n"));
}
