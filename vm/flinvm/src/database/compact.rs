//! `flinvm db compact`: what was destroyed, or is kept no longer, leaves the files now. Must stay true: exit code 0 means
//! that nothing of it is left.

use flin_runtime::store::limits::DESTROY_WITHIN_MS;
use flin_runtime::store::{self, CompactReport, OpenError, RewriteError};
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
        RewriteError::Open(OpenError::Locked { place, holder }) => {
            Fault::Refusal(beside(&place, holder.as_deref()))
        }
        RewriteError::Open(error) => place::refused(error),
        RewriteError::Io(failure) => Fault::Disk(failure.to_string()),
        RewriteError::Closed
        | RewriteError::CannotEndSegment { .. }
        | RewriteError::Damaged(_)
        | RewriteError::Unreadable(_) => Fault::Refusal(error.to_string()),
    }
}

/// A rewrite needs the log for itself: what to do while somebody has it.
fn beside(place: &str, holder: Option<&str>) -> String {
    let holder = holder.unwrap_or("another process");
    let hours = DESTROY_WITHIN_MS / 3_600_000;
    format!(
        "the data directory {place} is in use by {holder}, so nothing was changed. A server erases what was destroyed by itself, within \
         {hours} hours. To have it erased now, stop {holder}, run `flinvm db compact` and start it again"
    )
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
