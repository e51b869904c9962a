//! The hunt for lost and wrong data: simulated disks under seeds, a model as judge, real processes that are killed.
//! Here because a hunt is longer than a test and asks more of the store than its own tests can. Must stay true: the model
//! shares no code with the store; every finding is one command line; the hunt itself is tested by taking checks out of
//! the store (`check.rs`).

#![forbid(unsafe_code)]

pub mod attack;
pub mod bent;
pub mod check;
pub mod histories;
pub mod judge;
pub mod life;
pub mod model;
pub mod trials;
mod upkeep;

/// Panics are findings here; their own words would only stand between the lines.
pub fn silence_panics() {
    std::panic::set_hook(Box::new(|_| {}));
}
