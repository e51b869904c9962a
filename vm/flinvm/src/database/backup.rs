//! `flinvm db backup`: everything that is durable, to a directory. Must stay true: exit code 0 means that all of it is there.

use flin_runtime::store::{self, BackupError, BackupReport};
use serde_json::{Value, json};

use super::arguments::{Backup, Format};
use super::place;
use super::progress::Shown;
use crate::fault::Fault;
use crate::opening;
use crate::output::say;

pub(super) fn backup(wanted: &Backup) -> Result<(), Fault> {
    let source = place::existing(&wanted.common.data)?;
    let since = match &wanted.since {
        Some(since) => Some(place::existing(since)?),
        None => None,
    };
    let to = opening::real_disk(&wanted.to)?;
    let mut shown = Shown::new();
    let taken = store::backup(&*source, &*to, since.as_deref(), &mut |progress| {
        shown.tell(progress);
    });
    drop(shown);
    let report = taken.map_err(failed)?;
    match wanted.common.format {
        Format::Text => say(&report.to_string()),
        Format::Json => say(&as_json(&report).to_string()),
    }
    match report.damage {
        None => Ok(()),
        Some(_) => Err(Fault::Damaged),
    }
}

fn failed(error: BackupError) -> Fault {
    match error {
        BackupError::Open(error) => place::refused(error),
        BackupError::Io(failure) => Fault::Disk(failure.to_string()),
        BackupError::NotEmpty { .. } | BackupError::Earlier { .. } => {
            Fault::Usage(error.to_string())
        }
    }
}

fn as_json(report: &BackupReport) -> Value {
    json!({
        "lsn": report.lsn.0,
        "time": place::time(report.time_ms),
        "segments": report.segments,
        "reused": report.reused,
        "linked": report.linked,
        "copied": report.copied,
        "copied_bytes": report.copied_bytes,
        "damage": report.damage.as_ref().map(ToString::to_string),
        "notes": report.notes,
    })
}
