//! What every store must do to take part. Must stay true: `save` returns when the records are durable; `read_all` hands out
//! whole records, decoded; each does it the way its documentation recommends.

use std::ops::Range;
use std::path::Path;

use crate::note::Pool;

/// A store with notes in it.
pub trait Contestant: Send + Sync {
    /// Name in tables.
    fn name(&self) -> &'static str;
    /// Saves notes in one durable transaction.
    ///
    /// # Errors
    /// Whatever the store says.
    fn save(&self, ids: &[u64], pool: &Pool) -> Result<(), String>;
    /// Fills an empty store, in transactions as large as the store likes.
    ///
    /// # Errors
    /// Whatever the store says.
    fn load(&self, ids: Range<u64>, pool: &Pool) -> Result<(), String>;
    /// Reads notes by number in one snapshot and adds up what they weigh.
    ///
    /// # Errors
    /// A note that is missing, and whatever the store says.
    fn read_all(&self, ids: &[u64]) -> Result<u64, String>;
    /// The same without making notes of them: their fields are looked at where they lie.
    ///
    /// # Errors
    /// A note that is missing, and whatever the store says.
    fn look_at_all(&self, ids: &[u64]) -> Result<u64, String>;
    /// Counts the notes that are done, by the best query that the store has.
    ///
    /// # Errors
    /// Whatever the store says.
    fn count_done(&self) -> Result<u64, String>;
    /// Counts the notes whose `count` is below a bound.
    ///
    /// # Errors
    /// Whatever the store says.
    fn count_below(&self, bound: i64) -> Result<u64, String>;
}

/// How a store is opened; creates it in an empty folder.
pub type Opener = fn(&Path) -> Result<Box<dyn Contestant>, String>;

/// A store by name.
#[derive(Clone, Copy)]
pub struct Entrant {
    /// Name in tables and on the command line.
    pub name: &'static str,
    /// Opens or creates it.
    pub open: Opener,
}

/// Everybody, FLIN first.
pub fn entrants() -> Vec<Entrant> {
    let mut all = vec![Entrant {
        name: "flin",
        open: crate::flin::open,
    }];
    all.extend(crate::peers::entrants());
    all
}

/// The message of any error.
pub fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
