//! Checkpoints: the index as of one LSN in a file, used where it is mapped, so that opening reads only the log behind it.
//!
//! `DESIGN.md`, section 5a, has the bytes, the order of writes and what is walked when opening. What must stay true: the
//! state with a checkpoint is the state without it; a checkpoint that is not exactly right is not used, and that is told.

pub(crate) mod base;
pub(crate) mod content;
pub(crate) mod mapped;
pub(crate) mod open;
pub(crate) mod sections;
pub(crate) mod take;
pub(crate) mod write;

use std::io;

use crate::disk::Disk;
use crate::limits::{CHECKPOINT_AFTER_MS, CHECKPOINT_LOG_BYTES, CHECKPOINT_LOG_BYTES_MIN};
use crate::value::Lsn;

/// The name of a checkpoint that is being written.
pub(crate) const CHECKPOINT_NEW: &str = "index-new.tmp";

/// When checkpoints are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoints {
    /// After so many bytes of log, whatever else happens. 0: never, and not at close either.
    pub log_bytes: u64,
    /// After so much time of writing, milliseconds,
    pub after_ms: i64,
    /// but never for less than so many bytes of log (also at close).
    pub log_bytes_min: u64,
}

impl Default for Checkpoints {
    fn default() -> Self {
        Checkpoints {
            log_bytes: CHECKPOINT_LOG_BYTES,
            after_ms: CHECKPOINT_AFTER_MS,
            log_bytes_min: CHECKPOINT_LOG_BYTES_MIN,
        }
    }
}

impl Checkpoints {
    /// None is written; one that is there is used.
    pub fn never() -> Self {
        Checkpoints {
            log_bytes: 0,
            ..Self::default()
        }
    }

    /// One for every `bytes` of log, and at close for whatever there is: for tests.
    pub fn every(bytes: u64) -> Self {
        Checkpoints {
            log_bytes: bytes.max(1),
            log_bytes_min: 1,
            ..Self::default()
        }
    }
}

/// Name of the checkpoint at an LSN.
pub(crate) fn checkpoint_name(lsn: Lsn) -> String {
    format!("index-{:012}.ckpt", lsn.0)
}

/// The LSN in a checkpoint's name.
pub(crate) fn checkpoint_lsn(name: &str) -> Option<Lsn> {
    let digits = name.strip_prefix("index-")?.strip_suffix(".ckpt")?;
    digits.parse().ok().map(Lsn)
}

/// All checkpoints of a directory by their names, newest first.
pub(crate) fn checkpoint_names(disk: &dyn Disk) -> io::Result<Vec<String>> {
    let mut names: Vec<(Lsn, String)> = disk
        .list()?
        .into_iter()
        .filter_map(|name| Some((checkpoint_lsn(&name)?, name)))
        .collect();
    names.sort();
    Ok(names.into_iter().rev().map(|(_, name)| name).collect())
}
