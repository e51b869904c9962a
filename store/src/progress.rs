//! How far long work is. Here because verifying, exporting, backing up and rewriting all tell it the same way.
//!
//! What must stay true: telling is cheap enough for every thousandth record, and what is told never changes the work.

/// How far a piece of work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is done now, as a participle ("exporting").
    pub phase: &'static str,
    /// How much is done.
    pub done: u64,
    /// How much there is, if that is known.
    pub total: Option<u64>,
    /// What is counted.
    pub unit: Unit,
}

/// What progress counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Records.
    Records,
}

/// Who is told.
pub type OnProgress<'a> = &'a mut dyn FnMut(Progress);

impl Progress {
    /// Progress in bytes.
    pub fn bytes(phase: &'static str, done: u64, total: u64) -> Self {
        Progress {
            phase,
            done,
            total: Some(total),
            unit: Unit::Bytes,
        }
    }

    /// Progress in records.
    pub fn records(phase: &'static str, done: u64, total: Option<u64>) -> Self {
        Progress {
            phase,
            done,
            total,
            unit: Unit::Records,
        }
    }
}
