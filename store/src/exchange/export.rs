//! A snapshot as text. Here because a backup is for machines and this is for people and other programs.
//!
//! What must stay true: records come by type in the order of the schema and by number, so that equal data gives equal text.

use std::io::{self, Write};

use super::csv::{put_cell, put_value_cell};
use super::head::head;
use super::iso::time_text;
use super::json::put_string;
use super::values::put_typed;
use crate::error::ReadError;
use crate::progress::{OnProgress, Progress};
use crate::schema::TypeDef;
use crate::snapshot::{Deleted, Snapshot};
use crate::value::{Record, TypeIx};

/// How the text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A head with the schema, then one JSON object per line.
    JsonLines,
    /// Names, then one row per record; for exactly one type.
    Csv,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Records by type name.
    pub records: Vec<(String, u64)>,
}

/// Why an export ended.
#[derive(Debug)]
pub enum ExportError {
    /// A record cannot be read.
    Read(ReadError),
    /// The text cannot be written.
    Write(io::Error),
}

impl From<io::Error> for ExportError {
    fn from(error: io::Error) -> Self {
        ExportError::Write(error)
    }
}

/// Names of the columns that every record has. All but the first two may be left out of an import.
pub(super) const SYSTEM: [&str; 5] = [
    "$id",
    "$version",
    "$created_at",
    "$updated_at",
    "$deleted_at",
];

/// Writes the records of `types` that `deleted` shows. `at_ms` is only told in the head.
pub fn export(
    snapshot: &Snapshot,
    types: &[TypeIx],
    deleted: Deleted,
    form: Form,
    at_ms: Option<i64>,
    out: &mut dyn Write,
    progress: OnProgress<'_>,
) -> Result<Exported, ExportError> {
    let schema = &snapshot.shared.schema;
    if form == Form::JsonLines {
        writeln!(out, "{}", head(schema, at_ms))?;
    }
    let mut exported = Exported::default();
    let mut done = 0;
    let mut line = String::new();
    for ty in types {
        let def = schema.type_def(*ty);
        if form == Form::Csv {
            writeln!(out, "{}", columns(def))?;
        }
        let mut count = 0;
        for record in snapshot.scan(*ty, deleted) {
            let record = record.map_err(ExportError::Read)?;
            line.clear();
            match form {
                Form::JsonLines => put_object(&mut line, &record, snapshot),
                Form::Csv => put_row(&mut line, &record, snapshot),
            }
            writeln!(out, "{line}")?;
            count += 1;
            done += 1;
            if done % 1024 == 0 {
                progress(Progress::records("exporting", done, None));
            }
        }
        exported.records.push((def.name.clone(), count));
    }
    out.flush()?;
    Ok(exported)
}

fn columns(def: &TypeDef) -> String {
    let mut out = SYSTEM.join(",");
    for field in &def.fields {
        out.push(',');
        put_cell(&mut out, &field.name);
    }
    out
}

fn put_object(out: &mut String, record: &Record, snapshot: &Snapshot) {
    let schema = &snapshot.shared.schema;
    let def = schema.type_def(record.ty);
    out.push_str("{\"$type\":");
    put_string(out, &def.name);
    out.push_str(&format!(
        ",\"$id\":{},\"$version\":{}",
        record.id, record.version
    ));
    for (name, time) in times(record) {
        if let Some(ms) = time {
            out.push_str(&format!(",\"{name}\":"));
            match time_text(ms) {
                Some(text) => put_string(out, &text),
                None => out.push_str(&ms.to_string()),
            }
        }
    }
    for (field, value) in def.fields.iter().zip(&record.fields) {
        out.push(',');
        put_string(out, &field.name);
        out.push(':');
        put_typed(out, value, &field.ty, schema);
    }
    out.push('}');
}

fn put_row(out: &mut String, record: &Record, snapshot: &Snapshot) {
    let schema = &snapshot.shared.schema;
    let def = schema.type_def(record.ty);
    out.push_str(&format!("{},{}", record.id, record.version));
    for (_, time) in times(record) {
        out.push(',');
        if let Some(ms) = time {
            out.push_str(&time_text(ms).unwrap_or_else(|| ms.to_string()));
        }
    }
    for (field, value) in def.fields.iter().zip(&record.fields) {
        out.push(',');
        put_value_cell(out, value, &field.ty, schema);
    }
}

fn times(record: &Record) -> [(&'static str, Option<i64>); 3] {
    [
        (SYSTEM[2], Some(record.created_at_ms)),
        (SYSTEM[3], Some(record.updated_at_ms)),
        (SYSTEM[4], record.deleted_at_ms),
    ]
}
