//! `flinvm db compact`: what was destroyed, or is kept no longer, leaves the files now. Must stay true: exit code 0 means
//! that nothing of it is left.

use flin_runtime::store::{self, CompactReport, RewriteError};
use serde_json::{Value, json};

use super::arguments::{Compact, Format};
use super::place;
use super::progress::Shown;
use crate::fault::Fault;
use crate::output::say;

pub(super) fn compact(wanted: &Compact) -> Result<(), Fault> {
    let disk = place::existing(&wanted.common.data)?;
    let mut shown = Shown::new();
    let compacted = store::compact(disk, &mut |progress| shown.tell(progress));
    drop(shown);
    let report = compacted.map_err(failed)?;
    match wanted.common.format {
        Format::Text => say(&report.to_string()),
        Format::Json => say(&as_json(&report).to_string()),
    }
    match report.failures.into_iter().next() {
        None => Ok(()),
        Some(failure) => Err(failed(failure)),
    }
}

fn failed(error: RewriteError) -> Fault {
    match error {
        RewriteError::Open(error) => place::refused(error),
        RewriteError::Io(failure) => Fault::Disk(failure.to_string()),
        RewriteError::Closed
        | RewriteError::CannotEndSegment { .. }
        | RewriteError::Damaged(_)
        | RewriteError::Unreadable(_) => Fault::Refusal(error.to_string()),
    }
}

fn as_json(report: &CompactReport) -> Value {
    let failures: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
    json!({
        "complete": report.is_complete(),
        "segments": report.segments,
        "rewritten": report.rewritten,
        "versions_erased": report.erased,
        "destroyed": report.destroyed,
        "waiting": report.waiting,
        "freed_bytes": report.freed_bytes,
        "removed_files": report.removed_files,
        "failures": failures,
    })
}
