//! How cases are tried and counted. Here because tests and the command line try the same cases and say the same of them. Must
//! stay true: every case is tried; what came instead of what must come is told by name.

use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Cases that are under way at a time.
const TOGETHER: usize = 8;

/// What came of the cases of one kind.
#[derive(Debug)]
pub struct Tally {
    /// Which kind.
    pub kind: String,
    /// How many were tried.
    pub cases: usize,
    /// Each that did not go as it must: its name, and what happened.
    pub unexpected: Vec<String>,
    /// How long all of them took.
    pub took: Duration,
}

impl Tally {
    /// Tries cases, several at a time.
    pub fn of<C: Sync>(
        kind: impl Into<String>,
        cases: &[C],
        attempt: impl Fn(&C) -> (String, Result<(), String>) + Sync,
    ) -> Tally {
        let (next, unexpected, begun) =
            (AtomicUsize::new(0), Mutex::new(Vec::new()), Instant::now());
        std::thread::scope(|scope| {
            for _ in 0..TOGETHER {
                scope.spawn(|| {
                    while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if let (name, Err(found)) = attempt(case) {
                            let mut unexpected = unexpected.lock().expect("nobody panics here");
                            unexpected.push(format!("{name}: {found}"));
                        }
                    }
                });
            }
        });
        let mut unexpected = unexpected.into_inner().expect("nobody panics here");
        unexpected.sort();
        Tally {
            kind: kind.into(),
            cases: cases.len(),
            unexpected,
            took: begun.elapsed(),
        }
    }

    /// For a test: everything went as it must, and there was something.
    ///
    /// # Panics
    /// When it did not.
    pub fn expect_all(&self) {
        let mut told = String::new();
        for line in &self.unexpected {
            let _ = writeln!(told, "  {line}");
        }
        let (kind, cases, wrong) = (&self.kind, self.cases, self.unexpected.len());
        assert!(
            wrong == 0,
            "{kind}: {wrong} of {cases} cases went otherwise:\n{told}"
        );
        assert!(cases > 0, "{kind}: no case");
    }
}
