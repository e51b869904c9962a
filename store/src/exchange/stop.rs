//! Why an import ended, and what is in the store then.
//!
//! What must stay true: "Nothing was imported" is said only where that is certain; else it is said what is in, and what the
//! same import again would do.

use std::fmt;
use std::io;

use crate::error::ReadError;
use crate::outcome::CommitOutcome;

/// Why nothing, or not all, was imported.
#[derive(Debug)]
pub enum ImportError {
    /// A line does not fit; nothing was written.
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it, as a sentence.
        what: String,
    },
    /// The text cannot be read; nothing was written.
    Unreadable(io::Error),
    /// The store cannot be read; nothing was written.
    Store(ReadError),
    /// It ended in the middle.
    Stopped {
        /// Why.
        why: Box<Stop>,
        /// Records that are in.
        written: u64,
        /// Records that were to be written.
        records: u64,
        /// Lines of those that are in, or may be, and have no number: they would come a second time.
        unnumbered: Vec<u64>,
    },
}

/// Why an import ended in the middle.
#[derive(Debug)]
pub enum Stop {
    /// The store took no more.
    Answer(CommitOutcome),
    /// A line does not fit any more: somebody else changed the data since it was checked.
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it, as a sentence.
        what: String,
    },
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Answer(outcome) => outcome.fmt(f),
            Stop::Line { line, what } => write!(f, "line {line}: {what}"),
        }
    }
}

/// Ranges of lines in a message; behind them "and more".
const RANGES_TOLD: usize = 8;

/// Line numbers as ranges: `3-5, 9`.
fn ranges(lines: &[u64]) -> String {
    let mut found: Vec<(u64, u64)> = Vec::new();
    for line in lines {
        match found.last_mut() {
            Some((_, last)) if *last + 1 == *line => *last = *line,
            Some(_) | None => found.push((*line, *line)),
        }
    }
    let told = found.iter().take(RANGES_TOLD).map(|range| match range {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}-{last}"),
    });
    let told = told.collect::<Vec<String>>().join(", ");
    let more = if found.len() > RANGES_TOLD {
        " and more"
    } else {
        ""
    };
    told + more
}

/// What a user has to know who wants the rest of an import.
fn go_on(
    f: &mut fmt::Formatter<'_>,
    (why, written, records): (&Stop, u64, u64),
    unnumbered: &[u64],
) -> fmt::Result {
    let unknown = matches!(why, Stop::Answer(CommitOutcome::OutcomeUnknown { .. }));
    match (unknown, written) {
        (false, 0) => return write!(f, "{why}. Nothing was imported"),
        (false, _) => write!(f, "{why}. {written} of {records} records are imported")?,
        (true, 0) => write!(f, "{why}. Some of the {records} records may be imported")?,
        (true, _) => write!(
            f,
            "{why}. {written} of {records} records are imported, and perhaps some more"
        )?,
    }
    if unnumbered.is_empty() {
        return f.write_str("; the same import again goes on with the others");
    }
    let lines = ranges(unnumbered);
    let are = if unknown { "are or may be" } else { "are" };
    write!(
        f,
        "; the same import again goes on with the others, but lines without \"$id\" would come a second time: take out those \
         that {are} imported (line {lines})"
    )
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImportError::Line { line, what } => {
                write!(f, "line {line}: {what}. Nothing was imported")
            }
            ImportError::Unreadable(error) => {
                write!(f, "the text cannot be read: {error}. Nothing was imported")
            }
            ImportError::Store(error) => write!(f, "{error}. Nothing was imported"),
            ImportError::Stopped {
                why,
                written,
                records,
                unnumbered,
            } => go_on(f, (why, *written, *records), unnumbered),
        }
    }
}

impl std::error::Error for ImportError {}

impl From<ReadError> for ImportError {
    fn from(error: ReadError) -> Self {
        ImportError::Store(error)
    }
}

impl From<io::Error> for ImportError {
    fn from(error: io::Error) -> Self {
        ImportError::Unreadable(error)
    }
}
