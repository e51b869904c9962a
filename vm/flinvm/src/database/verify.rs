//! `flinvm db verify`: reads everything, names every damaged place. Must stay true: exit code 0 means that everything
//! acknowledged is intact.

use std::path::Path;

use flin_runtime::store::{self, Disk, TailReport, VerifyReport};
use serde_json::{Value, json};

use super::arguments::{Format, Verify};
use super::place;
use super::progress::Shown;
use crate::fault::Fault;
use crate::opening;
use crate::output::say;

/// Sentences about a rescued store that are shown.
const BROKEN_SHOWN_MAX: usize = 20;

pub(super) fn verify(wanted: &Verify) -> Result<(), Fault> {
    let disk = place::existing(&wanted.common.data)?;
    let report = store::verify(&*disk).map_err(place::refused)?;
    match wanted.common.format {
        Format::Text => say(&report.to_string()),
        Format::Json => say(&as_json(&report).to_string()),
    }
    if let Some(to) = &wanted.salvage {
        rescue(&*disk, to)?;
    }
    if report.is_intact() {
        Ok(())
    } else {
        Err(Fault::Damaged)
    }
}

/// Writes what can be read into a new store, and says what is not there.
fn rescue(disk: &dyn Disk, to: &Path) -> Result<(), Fault> {
    let mut shown = Shown::new();
    let new = opening::real_disk(to)?;
    let salvaged = store::salvage(disk, new, &mut |progress| shown.tell(progress));
    drop(shown);
    let salvaged = salvaged.map_err(place::refused)?;
    tell_line!(
        "{}: {} transactions with {} versions of records are in the new store",
        to.display(),
        salvaged.transactions,
        salvaged.versions
    );
    if !salvaged.damages.is_empty() {
        tell_line!(
            "{} damaged places are left out; what was deleted or destroyed only there is in the new store again",
            salvaged.damages.len()
        );
    }
    if salvaged.incomplete > 0 {
        tell_line!(
            "{} records lack versions; theirs are counted on from the first one that is there",
            salvaged.incomplete
        );
    }
    let shown = salvaged.broken.iter().take(BROKEN_SHOWN_MAX);
    shown.for_each(|sentence| tell_line!("to be put right: {sentence}"));
    let more = salvaged.broken.len().saturating_sub(BROKEN_SHOWN_MAX);
    if more > 0 {
        tell_line!("and {more} more");
    }
    Ok(())
}

fn as_json(report: &VerifyReport) -> Value {
    let counts = &report.counts;
    let live: serde_json::Map<String, Value> = report
        .live
        .iter()
        .map(|(name, live)| (name.clone(), json!(live)))
        .collect();
    let damage = |(damage, contents): (&store::Damage, &Vec<String>)| {
        json!({
            "holds": contents,
            "file": damage.file,
            "offset": damage.offset,
            "lsn": damage.lsn.0,
            "what": damage.what.to_string(),
        })
    };
    let damages: Vec<Value> = report
        .damages
        .iter()
        .zip(&report.contents)
        .map(damage)
        .collect();
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
