//! Bytes: on disk against the payload, in memory per record, and what a version costs. Must stay true: FLIN's notes were
//! committed one by one (a transaction each); FLIN's log is counted with everything it holds, without the zeros made ready.

use std::path::{Path, PathBuf};

use crate::bytes;
use crate::contestant::Entrant;
use crate::figures::{head, row};
use crate::flin::Flin;
use crate::note::PAYLOAD_BYTES;

/// Versions written to see what one costs.
const VERSIONS: u64 = 20_000;

/// The table of bytes on disk.
///
/// # Errors
/// When files cannot be looked at.
pub fn on_disk(
    entrants: &[Entrant],
    left: &dyn Fn(&str) -> PathBuf,
    notes: u64,
) -> Result<String, String> {
    let mut text = head(&["bytes on disk", "per note", "x payload"]);
    let payload = (notes * PAYLOAD_BYTES) as f64;
    let mut line = |title: &str, bytes: u64| {
        let per_note = format!("{:.0}", bytes as f64 / notes as f64);
        text += &row(&[
            title.to_owned(),
            per_note,
            format!("{:.2}", bytes as f64 / payload),
        ]);
    };
    for entrant in entrants {
        let dir = left(entrant.name);
        if entrant.name == "flin" {
            line("flin, its log", bytes::in_log(&dir)?);
            line(
                "flin, with zeros made ready and checkpoints",
                bytes::on_disk(&dir)?,
            );
        } else {
            line(entrant.name, bytes::on_disk(&dir)?);
        }
    }
    Ok(text)
}

/// The table of FLIN's memory and versions.
///
/// # Errors
/// When the store fails.
pub fn of_flin(left: &Path, work: &Path, notes: u64) -> Result<String, String> {
    let copy = work.join("versions");
    bytes::copy(left, &copy)?;
    let before = bytes::anonymous_memory()?;
    let flin = Flin::open(&copy)?;
    let opened = bytes::anonymous_memory()?;
    let log = bytes::in_log(&copy)?;
    let all: Vec<u64> = (0..VERSIONS).map(|at| 1 + at * 7 % notes).collect();
    for part in all.chunks(1000) {
        let changes: Result<Vec<_>, _> = part.iter().map(|id| flin.changing(*id, id + 1)).collect();
        flin.commit_all(changes?)?;
    }
    let per_version = (bytes::in_log(&copy)? - log) as f64 / VERSIONS as f64;
    let changed = bytes::anonymous_memory()?;
    drop(flin);
    std::fs::remove_dir_all(&copy).map_err(|e| e.to_string())?;
    let first = log as f64 / notes as f64;
    let mut text = head(&["flin", "bytes"]);
    let mut line =
        |title: &str, bytes: f64| text += &row(&[title.to_owned(), format!("{bytes:.0}")]);
    line("first version of a note in the log", first);
    line("each further version in the log", per_version);
    line(
        "memory per record after opening",
        (opened.saturating_sub(before)) as f64 / notes as f64,
    );
    line(
        "memory per further version",
        changed.saturating_sub(opened) as f64 / VERSIONS as f64,
    );
    Ok(text)
}
