//! The hunt, as long as a test may take: some seeds of every trial, from one number.

use flin_store_hunt::trials::{TRIALS, Tally};

/// The first seed; `FLIN_STORE_SEED=7` begins elsewhere.
fn first_seed() -> u64 {
    std::env::var("FLIN_STORE_SEED")
        .map_or(1, |text| text.parse().expect("FLIN_STORE_SEED is a number"))
}

#[test]
fn nothing_is_lost_and_nothing_is_wrong() {
    let mut tally = Tally::default();
    for seed in first_seed()..first_seed() + 2 {
        for trial in TRIALS {
            if let Err(wrong) = trial.run(seed, &mut tally) {
                panic!(
                    "{}: {wrong}\n  repeat with: cargo xtask fuzz store --trial {} --seed {seed} --runs 1 --kills 0 --unchecked",
                    trial.name, trial.name
                );
            }
        }
    }
    println!("{tally}");
    assert!(
        tally.crash_points > 40 && tally.faults.len() > 10,
        "{tally}"
    );
}
