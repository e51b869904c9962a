//! What several writers do to the same records, as a model. Must stay true: it knows only what was begun, what was
//! acknowledged, and what nobody can know; each of its answers follows from these three alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Coins in all purses together, whatever happens.
pub const COINS: i64 = 8000;
/// Purses, with ids from 1.
pub const PURSES: u64 = 8;
/// Gates, with ids from 1: the first half is passed by actions, which are done once, the others by routes.
pub const GATES: u64 = 4;

/// A gate that counts.
#[derive(Clone, Debug, Default)]
struct Gate {
    begun: u64,
    passed: u64,
    // The numbers that visitors were given.
    numbers: BTreeSet<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shelf {
    clearing: bool,
    cleared: bool,
}

#[derive(Debug, Default)]
struct Inner {
    gates: HashMap<u64, Gate>,
    shelves: BTreeMap<u64, Shelf>,
    seats: BTreeMap<String, String>,
    refused_seats: BTreeSet<String>,
}

/// The shared part of the model.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Inner>);

impl Ledger {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody is about to pass a gate.
    pub fn passing(&self, gate: u64) {
        self.inner().gates.entry(gate).or_default().begun += 1;
    }

    /// They passed, and were perhaps told the how manieth they are.
    ///
    /// # Errors
    /// When somebody else was told the same, or the number cannot be.
    pub fn passed(&self, gate: u64, number: Option<u64>) -> Result<(), String> {
        let mut inner = self.inner();
        let known = inner.gates.entry(gate).or_default();
        known.passed += 1;
        let Some(number) = number else {
            return Ok(());
        };
        if number > known.begun {
            return Err(format!(
                "gate {gate} says {number} turns, {} were begun",
                known.begun
            ));
        }
        if !known.numbers.insert(number) {
            return Err(format!("gate {gate}: two were told that they are {number}"));
        }
        Ok(())
    }

    /// They were refused before anything was done.
    pub fn not_passed(&self, gate: u64) {
        self.inner().gates.entry(gate).or_default().begun -= 1;
    }

    /// The least and the most that all gates together may show now.
    pub fn turns(&self) -> (u64, u64) {
        let inner = self.inner();
        let gates = inner.gates.values();
        gates.fold((0, 0), |(least, most), gate| {
            (least + gate.passed, most + gate.begun)
        })
    }

    /// Compares the gates at the end.
    ///
    /// # Errors
    /// The gate that does not show what was done.
    pub fn check_gates(&self, shown: &[(u64, u64)]) -> Result<(), String> {
        let inner = self.inner();
        for (gate, turns) in shown {
            let known = inner.gates.get(gate).cloned().unwrap_or_default();
            if *turns < known.passed || *turns > known.begun {
                return Err(format!(
                    "gate {gate} shows {turns} turns; {} were acknowledged, {} begun",
                    known.passed, known.begun
                ));
            }
        }
        (shown.len() as u64 == GATES)
            .then_some(())
            .ok_or_else(|| format!("{} gates are shown", shown.len()))
    }

    /// There is a new shelf.
    pub fn shelved(&self, id: u64) {
        self.inner().shelves.entry(id).or_default();
    }

    /// Some shelf that may still be there, chosen by a random number.
    pub fn some_shelf(&self, random: u64) -> Option<u64> {
        let inner = self.inner();
        let there: Vec<u64> = (inner.shelves.iter())
            .filter(|(_, shelf)| !shelf.cleared)
            .map(|(id, _)| *id)
            .collect();
        let count = there.len() as u64;
        (count > 0).then(|| there[(random % count) as usize])
    }

    /// Shelves that are still there, as far as is known.
    pub fn shelf_count(&self) -> usize {
        let inner = self.inner();
        inner
            .shelves
            .values()
            .filter(|shelf| !shelf.cleared)
            .count()
    }

    /// Somebody is about to clear a shelf away.
    pub fn clearing(&self, id: u64) {
        self.inner().shelves.entry(id).or_default().clearing = true;
    }

    /// They did.
    ///
    /// # Errors
    /// When somebody else did already.
    pub fn cleared(&self, id: u64) -> Result<(), String> {
        let mut inner = self.inner();
        let shelf = inner.shelves.entry(id).or_default();
        if shelf.cleared {
            return Err(format!("two cleared shelf {id} away"));
        }
        shelf.cleared = true;
        Ok(())
    }

    /// Whether a shelf may be gone by now.
    pub fn may_be_gone(&self, id: u64) -> bool {
        self.inner()
            .shelves
            .get(&id)
            .is_some_and(|shelf| shelf.clearing)
    }

    /// Compares the shelves at the end.
    ///
    /// # Errors
    /// The shelf that is lost, or came back.
    pub fn check_shelves(&self, shown: &[u64]) -> Result<(), String> {
        let inner = self.inner();
        let there: Vec<u64> = (inner.shelves.iter())
            .filter(|(_, shelf)| !shelf.cleared)
            .map(|(id, _)| *id)
            .collect();
        if there == shown {
            return Ok(());
        }
        let lost: Vec<&u64> = there.iter().filter(|id| !shown.contains(id)).collect();
        let more: Vec<&u64> = shown.iter().filter(|id| !there.contains(id)).collect();
        Err(format!("shelves: lost {lost:?}, not known {more:?}"))
    }

    /// Somebody got a seat.
    ///
    /// # Errors
    /// When somebody else has it.
    pub fn seated(&self, seat: &str, owner: &str) -> Result<(), String> {
        let before = self.inner().seats.insert(seat.to_owned(), owner.to_owned());
        match before {
            None => Ok(()),
            Some(before) => Err(format!("{seat} was given to {before} and to {owner}")),
        }
    }

    /// Somebody did not get a seat: another one has it.
    pub fn not_seated(&self, seat: &str) {
        self.inner().refused_seats.insert(seat.to_owned());
    }

    /// Compares the seats at the end.
    ///
    /// # Errors
    /// The seat that is not as it was told.
    pub fn check_seats(&self, shown: &[(String, String)]) -> Result<(), String> {
        let inner = self.inner();
        let there: BTreeMap<String, String> = shown.iter().cloned().collect();
        if there.len() != shown.len() {
            return Err("a seat is there twice".to_owned());
        }
        for (seat, owner) in &inner.seats {
            if there.get(seat) != Some(owner) {
                let found = there.get(seat);
                return Err(format!(
                    "{seat} was given to {owner}, now it is {found:?}'s"
                ));
            }
        }
        if let Some(seat) = there.keys().find(|seat| !inner.seats.contains_key(*seat)) {
            return Err(format!("{seat} is taken, but nobody was given it"));
        }
        match inner
            .refused_seats
            .iter()
            .find(|seat| !there.contains_key(*seat))
        {
            Some(seat) => Err(format!("{seat} was refused as taken, but is free")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_that_nobody_knows_of_may_have_happened_once() {
        let ledger = Ledger::default();
        let gates = |first| vec![(1, first), (2, 0), (3, 0), (4, 0)];
        ledger.passing(1);
        ledger.passed(1, Some(1)).expect("the first");
        ledger.passing(1);
        assert!(ledger.check_gates(&gates(1)).is_ok());
        assert!(ledger.check_gates(&gates(2)).is_ok());
        assert!(
            ledger.check_gates(&gates(0)).is_err(),
            "one was acknowledged"
        );
        assert!(ledger.check_gates(&gates(3)).is_err(), "two were begun");
        assert!(ledger.passed(1, Some(1)).is_err(), "a lost update");
    }

    #[test]
    fn a_seat_is_of_one() {
        let ledger = Ledger::default();
        let shown = |owner: &str| vec![("a".to_owned(), owner.to_owned())];
        ledger.seated("a", "one").expect("it was free");
        ledger.not_seated("a");
        assert!(ledger.check_seats(&shown("one")).is_ok());
        assert!(ledger.check_seats(&shown("two")).is_err());
        assert!(ledger.check_seats(&[]).is_err());
        assert!(ledger.seated("a", "two").is_err());
    }

    #[test]
    fn a_shelf_that_was_cleared_does_not_come_back() {
        let ledger = Ledger::default();
        ledger.shelved(1);
        ledger.shelved(2);
        assert!(!ledger.may_be_gone(2));
        ledger.clearing(2);
        ledger.cleared(2).expect("once");
        assert!(ledger.cleared(2).is_err());
        assert!(ledger.check_shelves(&[1]).is_ok());
        assert!(ledger.check_shelves(&[1, 2]).is_err());
        assert!(ledger.check_shelves(&[]).is_err());
    }
}
