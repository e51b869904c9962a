//! The hunt is worth something: with any one sync or check of the store taken out, some trial finds it.

use flin_store_hunt::check;

/// Seeds that a switch may take.
const SEEDS: u64 = 400;

#[test]
fn every_missing_sync_and_check_is_noticed() {
    flin_store_hunt::silence_panics();
    let mut missed = Vec::new();
    for noticed in check::all(1, SEEDS) {
        match noticed.by {
            Some((trial, seed, _)) => println!("{:?}: {} seed {seed}", noticed.switch, trial.name),
            None => missed.push(format!("{:?}: {}", noticed.switch, noticed.switch.what())),
        }
    }
    assert!(missed.is_empty(), "nobody notices:\n{}", missed.join("\n"));
}
