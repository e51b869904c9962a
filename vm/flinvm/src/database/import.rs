//! `flinvm db import`: records from a text. Must stay true: nothing is written before everything was checked, and what
//! would be written is said the same way with `--dry-run`.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use flin_runtime::schema_of;
use flin_runtime::store::{
    self, CommitOutcome, Form, ImportError, ImportOptions, MemoryDisk, OpenError, Schema, Stop,
    Store, StoreOptions, schema_of_export,
};
use serde_json::{Map, Value, json};

use super::arguments::{Format, Import};
use super::place;
use super::progress::Shown;
use crate::arguments::{Engine, Jit};
use crate::fault::Fault;
use crate::output::say;
use crate::{load, opening};

/// The head of a text is looked at before it is read: so much of it at most.
const HEAD_BYTES_MAX: usize = 4 << 20;

pub(super) fn import(wanted: &Import, color: bool) -> Result<(), Fault> {
    let is_csv = wanted
        .file
        .extension()
        .is_some_and(|ending| ending == "csv");
    if is_csv && wanted.entity.is_none() {
        return Err(Fault::Usage(
            "a CSV file does not say its entity: name it with --type".to_owned(),
        ));
    }
    let mut text = open_text(&wanted.file)?;
    let schema = schema_for(wanted, &mut *text, color)?;
    let store = open_store(wanted, &schema)?;
    let options = ImportOptions {
        form: if is_csv { Form::Csv } else { Form::JsonLines },
        type_name: wanted.entity.clone(),
        batch_bytes: wanted.batch_mib << 20,
    };
    let mut shown = Shown::new();
    let planned = store::plan_import(&store, &mut *text, &options, &mut |progress| {
        shown.tell(progress)
    });
    drop(shown);
    let plan = planned.map_err(|error| failed(error, &wanted.file))?;
    let (records, there_already) = (plan.records.clone(), plan.there_already);
    let transactions = plan.transactions();
    if !wanted.dry_run {
        let mut shown = Shown::new();
        let written = plan.write(&store, &mut |progress| shown.tell(progress));
        drop(shown);
        written.map_err(|error| failed(error, &wanted.file))?;
        store
            .close()
            .map_err(|failure| Fault::Disk(failure.to_string()))?;
    }
    tell(wanted, &records, there_already, transactions);
    Ok(())
}

fn tell(wanted: &Import, records: &[(String, u64)], there_already: u64, transactions: u64) {
    if wanted.common.format == Format::Json {
        let by_name: Map<String, Value> = records
            .iter()
            .map(|(name, count)| (name.clone(), json!(count)))
            .collect();
        let answer = json!({
            "imported": !wanted.dry_run,
            "records": by_name,
            "there_already": there_already,
            "transactions": transactions,
        });
        return say(&answer.to_string());
    }
    let verb = if wanted.dry_run {
        "would be imported"
    } else {
        "imported"
    };
    for (name, count) in records {
        say(&format!("{name}: {count} records {verb}"));
    }
    if there_already > 0 {
        say(&format!(
            "{there_already} records are there already, exactly as in the text"
        ));
    }
    say(&match transactions {
        0 => "nothing to import".to_owned(),
        1 => "in one transaction: all or nothing".to_owned(),
        many => format!("in {many} transactions of at most {} MiB", wanted.batch_mib),
    });
}

fn open_text(path: &Path) -> Result<Box<dyn BufRead>, Fault> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::with_capacity(
            HEAD_BYTES_MAX,
            io::stdin(),
        )));
    }
    match File::open(path) {
        Ok(file) => Ok(Box::new(BufReader::with_capacity(HEAD_BYTES_MAX, file))),
        Err(source) => Err(Fault::Unreadable {
            path: path.to_owned(),
            source,
        }),
    }
}

/// The entities: of the program that was named, else of the data, else of the head of the text.
fn schema_for(wanted: &Import, text: &mut dyn BufRead, color: bool) -> Result<Schema, Fault> {
    if let Some(program) = &wanted.program {
        let engine = Engine {
            jit: Jit::Off,
            jit_plain: false,
            stats: false,
        };
        return Ok(schema_of(
            load::load(program, engine, color)?.program.module(),
        ));
    }
    if wanted.common.data.is_dir() {
        match store::read(&*opening::real_disk(&wanted.common.data)?, None) {
            Ok(reading) => match reading.holder {
                Some(holder) => {
                    let place = wanted.common.data.display().to_string();
                    return Err(place::refused(OpenError::Locked {
                        place,
                        holder: Some(holder),
                    }));
                }
                None => return Ok(reading.store.schema().clone()),
            },
            Err(OpenError::NoStore { .. }) => {}
            Err(error) => return Err(place::refused(error)),
        }
    }
    let no_head = || {
        Fault::Usage(
            "there is no data yet, and the text has no head that says its entities: name the program with --program"
                .to_owned(),
        )
    };
    let unreadable = |source| Fault::Unreadable {
        path: wanted.file.clone(),
        source,
    };
    // The first line stays in the reader's buffer: it is read again, as a head that is known.
    let ahead = text.fill_buf().map_err(unreadable)?;
    let line = ahead
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = std::str::from_utf8(line).map_err(|_| no_head())?;
    match schema_of_export(line) {
        Ok(Some(schema)) => Ok(schema),
        Ok(None) => Err(no_head()),
        Err(what) => Err(Fault::Refusal(format!("line 1: {what}"))),
    }
}

/// The store; for a dry run without data one in memory, so that nothing is made.
fn open_store(wanted: &Import, schema: &Schema) -> Result<Store, Fault> {
    let data = &wanted.common.data;
    let disk = match wanted.dry_run && !data.is_dir() {
        true => Arc::new(MemoryDisk::new()),
        false => opening::real_disk(data)?,
    };
    let opened = Store::open(disk, schema, StoreOptions::inline());
    Ok(opened.map_err(place::refused)?.store)
}

fn failed(error: ImportError, file: &Path) -> Fault {
    let said = format!("{}: {error}", file.display());
    match error {
        ImportError::Stopped { why, .. }
            if matches!(
                *why,
                Stop::Answer(CommitOutcome::OutcomeUnknown { .. } | CommitOutcome::Poisoned { .. })
            ) =>
        {
            Fault::Disk(said)
        }
        ImportError::Line { .. }
        | ImportError::Unreadable(_)
        | ImportError::Store(_)
        | ImportError::Stopped { .. } => Fault::Refusal(said),
    }
}
