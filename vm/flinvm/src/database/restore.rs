//! `flinvm db restore`: a store from a backup. Must stay true: what is refused leaves no store behind.

use flin_runtime::store::{self, RestoreError, RestoreReport};
use serde_json::{Value, json};

use super::arguments::{Format, Restore};
use super::place;
use super::progress::Shown;
use crate::fault::Fault;
use crate::opening;
use crate::output::say;

pub(super) fn restore(wanted: &Restore) -> Result<(), Fault> {
    let from = place::existing(&wanted.from)?;
    let to = opening::real_disk(&wanted.data)?;
    let mut shown = Shown::new();
    let restored = store::restore(&*from, &*to, wanted.at, &mut |progress| {
        shown.tell(progress);
    });
    drop(shown);
    let report = restored.map_err(failed)?;
    match wanted.format {
        Format::Text => say(&report.to_string()),
        Format::Json => say(&as_json(&report).to_string()),
    }
    Ok(())
}

fn failed(error: RestoreError) -> Fault {
    match error {
        RestoreError::Open(error) => place::refused(error),
        RestoreError::Io(failure) => Fault::Disk(failure.to_string()),
        RestoreError::NotEmpty { .. } | RestoreError::TooEarly | RestoreError::TooLate { .. } => {
            Fault::Usage(error.to_string())
        }
        RestoreError::Unfinished { .. } | RestoreError::Damaged { .. } => {
            Fault::Refusal(error.to_string())
        }
    }
}

fn as_json(report: &RestoreReport) -> Value {
    json!({
        "lsn": report.lsn.0,
        "time": place::time(report.time_ms),
        "transactions": report.transactions,
        "segments": report.segments,
        "left_out": report.erased,
    })
}
