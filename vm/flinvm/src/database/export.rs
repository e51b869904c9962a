//! `flinvm db export`: records as text. Must stay true: a text that could not be written to its end is never taken for
//! a whole one: the exit code says so, and a file gets its name at the end.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flin_runtime::store::{self, Deleted, ExportError, Exported, Form, Moment, TypeIx};

use super::arguments::{Export, TextForm};
use super::history::entity;
use super::place;
use super::progress::Shown;
use crate::fault::Fault;

pub(super) fn export(wanted: &Export) -> Result<(), Fault> {
    if wanted.form == TextForm::Csv && wanted.types.len() != 1 {
        return Err(Fault::Usage(
            "a CSV file holds one entity: name it with --type".to_owned(),
        ));
    }
    let reading = place::read(&wanted.data, wanted.at)?;
    let schema = reading.store.schema();
    let types = match wanted.types.as_slice() {
        [] => (0..schema.types.len())
            .map(|at| TypeIx(at as u32))
            .collect(),
        names => {
            let found: Result<Vec<TypeIx>, Fault> =
                names.iter().map(|name| entity(schema, name)).collect();
            found?
        }
    };
    let snapshot = reading.store.snapshot();
    let (snapshot, at_ms) = match wanted.at {
        None => (snapshot, None),
        Some(Moment::Lsn(lsn)) => (snapshot.at_lsn(lsn), None),
        Some(Moment::Time(ms)) => (snapshot.at_time(ms), Some(ms)),
    };
    let deleted = if wanted.deleted {
        Deleted::Include
    } else {
        Deleted::Hide
    };
    let form = match wanted.form {
        TextForm::Jsonl => Form::JsonLines,
        TextForm::Csv => Form::Csv,
    };
    let mut shown = Shown::new();
    let mut write = |out: &mut dyn Write| {
        store::export(
            &snapshot,
            &types,
            deleted,
            form,
            at_ms,
            out,
            &mut |progress| shown.tell(progress),
        )
    };
    let exported = match &wanted.output {
        None => {
            write(&mut BufWriter::new(io::stdout().lock())).map_err(|error| failed(error, "stdout"))
        }
        Some(path) => to_file(path, &mut write),
    };
    drop(shown);
    let exported = exported?;
    if wanted.output.is_some() {
        for (name, count) in &exported.records {
            tell_line!("{name}: {count} records");
        }
    }
    match reading.store.damage() {
        // The text is what could be read, and not everything that was saved.
        Some(_) => Err(Fault::Damaged),
        None => Ok(()),
    }
}

type WriteText<'a> = &'a mut dyn FnMut(&mut dyn Write) -> Result<Exported, ExportError>;

/// Writes beside the file and renames at the end.
fn to_file(path: &Path, write: WriteText<'_>) -> Result<Exported, Fault> {
    let name = path.display().to_string();
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = Path::new(&beside);
    let io_failed = |error: io::Error| failed(ExportError::Write(error), &name);
    let file = File::create(beside).map_err(io_failed)?;
    let mut out = BufWriter::new(&file);
    let exported = write(&mut out).map_err(|error| failed(error, &name))?;
    drop(out);
    file.sync_all()
        .and_then(|()| std::fs::rename(beside, path))
        .map_err(io_failed)?;
    Ok(exported)
}

fn failed(error: ExportError, place: &str) -> Fault {
    match error {
        ExportError::Read(error) => Fault::Refusal(error.to_string()),
        ExportError::Write(error) => Fault::Disk(format!("cannot write {place}: {error}")),
    }
}
