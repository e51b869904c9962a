//! `flinvm db verify`: reads everything, names every damaged place. Must stay true: exit code 0 means that everything
//! acknowledged is intact.

use flin_runtime::store::{self, TailReport, VerifyReport};
use serde_json::{Value, json};

use super::arguments::{Format, Verify};
use super::place;
use crate::fault::Fault;
use crate::output::say;

pub(super) fn verify(wanted: &Verify) -> Result<(), Fault> {
    let disk = place::existing(&wanted.common.data)?;
    let report = store::verify(&*disk).map_err(place::refused)?;
    match wanted.common.format {
        Format::Text => say(&report.to_string()),
        Format::Json => say(&as_json(&report).to_string()),
    }
    if report.is_intact() {
        Ok(())
    } else {
        Err(Fault::Damaged)
    }
}

fn as_json(report: &VerifyReport) -> Value {
    let counts = &report.counts;
    let live: serde_json::Map<String, Value> = report
        .live
        .iter()
        .map(|(name, live)| (name.clone(), json!(live)))
        .collect();
    let damage = |damage: &store::Damage| {
        json!({
            "file": damage.file,
            "offset": damage.offset,
            "lsn": damage.lsn.0,
            "what": damage.what.to_string(),
        })
    };
    let damages: Vec<Value> = report.damages.iter().map(damage).collect();
    json!({
        "intact": report.is_intact(),
        "segments": report.segments,
        "frames": counts.frames,
        "transactions": counts.transactions,
        "records": {
            "create": counts.creates,
            "update": counts.updates,
            "delete": counts.deletes,
            "restore": counts.restores,
            "destroy": counts.destroys,
        },
        "live": live,
        "last_lsn": report.last_lsn.0,
        "tail": match &report.tail {
            TailReport::Empty => json!("empty"),
            TailReport::Closed => json!("closed"),
            TailReport::NotClosed => json!("not closed"),
            TailReport::Cut { file, offset, bytes, lsn } => {
                json!({ "file": file, "offset": offset, "bytes": bytes, "lsn": lsn.0 })
            }
        },
        "damages": damages,
        "notes": report.notes,
    })
}
