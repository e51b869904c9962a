//! What a run took: fuel, memory, records, time, and the lines of the program that spent it. Here because an operator who sees
//! a slow request wants to know where. Must stay true: measuring costs next to nothing where nothing is slow; the lines kept
//! are bounded.

use std::time::{Duration, Instant};

use flin_vm::bytecode::module::Module;

use crate::host::Operations;

/// So much time is told to one line at a time; shorter runs have no lines.
const SAMPLE: Duration = Duration::from_millis(1);
/// Lines that are told apart; a program that spends on more has no line that spends the most.
const LINES_MAX: usize = 128;

/// What a run took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Calls and loop turns.
    pub fuel: u64,
    /// Bytes of memory that it held at its largest.
    pub memory_bytes: usize,
    /// Records read and written.
    pub operations: Operations,
    /// How often it was run again because of another commit.
    pub clashes: u32,
    /// From when it was asked for to its answer, its commit included.
    pub took: Duration,
    /// The line that spent the most, if it ran long enough to tell.
    pub hottest: Option<Hottest>,
}

impl Usage {
    /// Adds what another run for the same request took; the hottest line is that of the longer one.
    pub fn add(&mut self, other: Usage) {
        self.fuel = self.fuel.saturating_add(other.fuel);
        self.memory_bytes = self.memory_bytes.max(other.memory_bytes);
        self.operations.reads += other.operations.reads;
        self.operations.writes += other.operations.writes;
        self.clashes += other.clashes;
        self.took += other.took;
        let spent = |hottest: &Option<Hottest>| hottest.as_ref().map(|line| line.spent);
        if spent(&other.hottest) > spent(&self.hottest) {
            self.hottest = other.hottest;
        }
    }
}

/// A line of the program and what it spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hottest {
    /// The source file.
    pub file: String,
    /// The line.
    pub line: u32,
    /// Time that was spent there, to a millisecond.
    pub spent: Duration,
}

/// Tells lines what they spend while a run goes on.
#[derive(Debug)]
pub(crate) struct Spending {
    since: Instant,
    unspent: Duration,
    lines: Vec<(u32, Duration)>,
}

impl Spending {
    pub(crate) fn new(now: Instant) -> Spending {
        Spending {
            since: now,
            unspent: Duration::ZERO,
            lines: Vec::new(),
        }
    }

    /// The run has computed until now.
    pub(crate) fn until(&mut self, now: Instant) {
        self.unspent += now.saturating_duration_since(self.since);
        self.since = now;
    }

    /// It slept until now, which is nobody's doing.
    pub(crate) fn slept_until(&mut self, now: Instant) {
        self.since = now;
    }

    /// Whether it is worth a look where it is.
    pub(crate) fn is_due(&self) -> bool {
        self.unspent >= SAMPLE
    }

    /// It is at this line of all lines of the program.
    pub(crate) fn at(&mut self, line: u32) {
        let spent = std::mem::take(&mut self.unspent);
        if let Some((_, sum)) = self.lines.iter_mut().find(|(known, _)| *known == line) {
            *sum += spent;
        } else if self.lines.len() < LINES_MAX {
            self.lines.push((line, spent));
        }
    }

    /// The line that spent the most.
    pub(crate) fn hottest(&self, module: &Module) -> Option<Hottest> {
        let (line, spent) = self.lines.iter().max_by_key(|(_, spent)| *spent)?;
        let (file, line) = module.file_of_line(*line);
        Some(Hottest {
            file: file.to_owned(),
            line,
            spent: *spent,
        })
    }
}
