//! The hunt hunted: with each sync and each check of the store taken out, some trial must find something.
//!
//! What must stay true: a switch that nothing notices is a failure, and the list names who noticed each one.

use flin_store::sabotage::{Sabotage, without};

use crate::trials::{TRIALS, Tally, Trial};

/// Who noticed a switch.
pub struct Noticed {
    /// What was missing.
    pub switch: Sabotage,
    /// The trial and its seed, and what it said; `None`: nobody.
    pub by: Option<(&'static Trial, u64, String)>,
}

/// Tries all trials with each switch until one finds something, at most `seeds` seeds from `first` on.
pub fn all(first: u64, seeds: u64) -> Vec<Noticed> {
    let noticed = Sabotage::ALL.iter().map(|switch| Noticed {
        switch: *switch,
        by: one(*switch, first, seeds),
    });
    noticed.collect()
}

/// The first trial that notices a switch.
pub fn one(switch: Sabotage, first: u64, seeds: u64) -> Option<(&'static Trial, u64, String)> {
    for seed in first..first + seeds {
        for trial in TRIALS {
            let mut tally = Tally::default();
            if let Err(wrong) = without(switch, || trial.run(seed, &mut tally)) {
                return Some((trial, seed, wrong));
            }
        }
    }
    None
}
