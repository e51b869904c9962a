//! Bytes: on disk against the payload, in memory per record, and what a version costs. Must stay true: FLIN's notes were
//! committed one by one (a transaction each); FLIN's log is counted with everything it holds, without the zeros made ready.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bytes;
use crate::contestant::{Contestant as _, Entrant, said};
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

/// The table of FLIN's memory and versions, measured in a process of its own: what others left in the heap would hide it.
///
/// # Errors
/// When the process fails.
pub fn of_flin(left: &Path, work: &Path, notes: u64) -> Result<String, String> {
    let copy = work.join("versions");
    bytes::copy(left, &copy)?;
    let me = std::env::current_exe().map_err(said)?;
    let mut command = Command::new(me);
    let output = command
        .arg("memory")
        .arg(&copy)
        .arg(notes.to_string())
        .output();
    let output = output.map_err(said)?;
    std::fs::remove_dir_all(&copy).map_err(said)?;
    if output.status.success() {
        String::from_utf8(output.stdout).map_err(said)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Opens a store, looks at it, and gives it versions; runs in that process.
///
/// # Errors
/// When the store fails.
pub fn memory(dir: &Path, notes: u64) -> Result<String, String> {
    let log = bytes::in_log(dir)?;
    let before = bytes::anonymous_memory()?;
    let flin = Flin::open(dir)?;
    let opened = bytes::anonymous_memory()?;
    flin.count_done()?;
    let tables = flin.store.table_memory();
    let columns: u64 = tables.iter().map(|table| table.column_bytes).sum();
    let indexes: u64 = tables.iter().map(|table| table.index_bytes).sum();
    let queried = bytes::anonymous_memory()?;
    let all: Vec<u64> = (0..VERSIONS).map(|at| 1 + at * 7 % notes).collect();
    for part in all.chunks(1000) {
        let changes: Result<Vec<_>, _> = part.iter().map(|id| flin.changing(*id, id + 1)).collect();
        flin.commit_all(changes?)?;
    }
    let versions = bytes::in_log(dir)? - log;
    let mut text = head(&["flin", "bytes"]);
    let mut line = |title: &str, bytes: u64, of: u64| {
        text += &row(&[title.to_owned(), format!("{:.0}", bytes as f64 / of as f64)]);
    };
    line("first version of a note in the log", log, notes);
    line("each further version in the log", versions, VERSIONS);
    line(
        "memory per record after opening",
        opened.saturating_sub(before),
        notes,
    );
    line(
        "memory per record and more for the first query",
        queried.saturating_sub(opened),
        notes,
    );
    line("of it the columns of an int and a bool", columns, notes);
    line("of it indexes (none is declared)", indexes, notes);
    Ok(text)
}
