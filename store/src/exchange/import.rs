//! Text into a store: everything is read and checked first, then written in as few transactions as possible.
//!
//! What must stay true: a line that does not fit stops the import before anything is written, with its number; numbers,
//! versions and times of records are kept; importing the same text again changes nothing.

use std::collections::HashMap;
use std::io::{self, BufRead};

use super::check::Checker;
use super::csv::{Cell, next_row, read_value_cell};
use super::export::{Form, SYSTEM};
use super::head::{MARK, read_head};
use super::iso::parse_time;
use super::json::Json;
use super::order::groups;
use super::stop::{ImportError, Stop};
use super::values::read_typed;
use crate::error::TxError;
use crate::limits::{IMPORTED_ID_MAX, IMPORTED_VERSION_MAX};
use crate::outcome::CommitOutcome;
use crate::progress::{OnProgress, Progress};
use crate::schema::{Schema, TypeDef};
use crate::store::Store;
use crate::transaction::Origin;
use crate::value::{EntityId, FieldIx, FieldValue, TypeIx};

/// What is imported, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportOptions {
    /// How the text is laid out.
    pub form: Form,
    /// The type of the records where the text does not say it (CSV).
    pub type_name: Option<String>,
    /// Records are written in transactions of at most about so many bytes; what fits into one is all or nothing.
    pub batch_bytes: u64,
}

/// A checked import, ready to be written.
pub struct ImportPlan {
    rows: Vec<Row>,
    batches: Vec<Vec<usize>>,
    /// Records that will be written, by type name.
    pub records: Vec<(String, u64)>,
    /// Records that are in the store already, exactly as in the text.
    pub there_already: u64,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Records.
    pub records: u64,
    /// Transactions.
    pub transactions: u64,
}

/// One record of the text.
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) ty: TypeIx,
    pub(super) id: Option<EntityId>,
    pub(super) origin: Origin,
    pub(super) fields: Vec<FieldValue>,
    /// What it takes in the log, about.
    pub(super) bytes: u64,
}

pub(super) fn bad(line: u64, what: impl Into<String>) -> ImportError {
    ImportError::Line {
        line,
        what: what.into(),
    }
}

/// Reads and checks a text against a store. Nothing is written.
pub fn plan_import(
    store: &Store,
    text: &mut dyn BufRead,
    options: &ImportOptions,
    progress: OnProgress<'_>,
) -> Result<ImportPlan, ImportError> {
    let snapshot = store.snapshot();
    let schema = &snapshot.shared.schema;
    let rows = match options.form {
        Form::JsonLines => read_json_lines(text, schema, progress)?,
        Form::Csv => read_csv(text, schema, options, progress)?,
    };
    let mut checker = Checker::new(store, &snapshot);
    let rows = checker.check_all(rows)?;
    let there_already = checker.there_already;
    let mut records = Vec::new();
    for (at, def) in schema.types.iter().enumerate() {
        let count = rows.iter().filter(|row| row.ty.0 as usize == at).count() as u64;
        if count > 0 {
            records.push((def.name.clone(), count));
        }
    }
    let batches = batches(&rows, options.batch_bytes)?;
    Ok(ImportPlan {
        rows,
        batches,
        records,
        there_already,
    })
}

impl ImportPlan {
    /// Number of transactions that will be written. With one the import is all or nothing.
    pub fn transactions(&self) -> u64 {
        self.batches.len() as u64
    }

    /// Writes it.
    pub fn write(
        mut self,
        store: &Store,
        progress: OnProgress<'_>,
    ) -> Result<Imported, ImportError> {
        let records = self.rows.len() as u64;
        let (mut written, transactions) = (0, self.transactions());
        let mut unnumbered = Vec::new();
        // Rows without a number get one behind all that the text names, not one that a later row brings.
        for row in &self.rows {
            if let Some(id) = row.id {
                store.inner.shared.reserve_ids(row.ty, id);
            }
        }
        for batch in std::mem::take(&mut self.batches) {
            let stop = match self.write_batch(store, &batch) {
                Ok(CommitOutcome::Committed { .. }) => None,
                Ok(outcome) => Some(Stop::Answer(outcome)),
                Err(stop) => Some(stop),
            };
            let is_in_doubt = matches!(
                stop,
                None | Some(Stop::Answer(CommitOutcome::OutcomeUnknown { .. }))
            );
            if is_in_doubt {
                let rows = batch.iter().map(|at| &self.rows[*at]);
                unnumbered.extend(rows.filter(|row| row.id.is_none()).map(|row| row.line));
            }
            if let Some(stop) = stop {
                unnumbered.sort_unstable();
                return Err(ImportError::Stopped {
                    why: Box::new(stop),
                    written,
                    records,
                    unnumbered,
                });
            }
            written += batch.len() as u64;
            progress(Progress::records("importing", written, Some(records)));
        }
        Ok(Imported {
            records,
            transactions,
        })
    }

    /// Writes some rows in one transaction.
    fn write_batch(&mut self, store: &Store, batch: &[usize]) -> Result<CommitOutcome, Stop> {
        let mut transaction = store.begin();
        for at in batch {
            let row = &mut self.rows[*at];
            let fields = std::mem::take(&mut row.fields);
            let put = match row.id {
                Some(id) => transaction.insert_as(row.ty, id, fields, row.origin),
                None => transaction.insert(row.ty, fields).map(|_| ()),
            };
            put.map_err(|error: TxError| Stop::Line {
                line: row.line,
                what: error.to_string(),
            })?;
        }
        Ok(store.commit_wait(transaction, None))
    }
}

/// Groups of records that need each other stay together; what others link to comes first.
fn batches(rows: &[Row], batch_bytes: u64) -> Result<Vec<Vec<usize>>, ImportError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    if rows.iter().map(|row| row.bytes).sum::<u64>() <= batch_bytes {
        return Ok(vec![(0..rows.len()).collect()]);
    }
    let places: HashMap<(TypeIx, EntityId), usize> = rows
        .iter()
        .enumerate()
        .filter_map(|(at, row)| Some(((row.ty, row.id?), at)))
        .collect();
    let targets = |at: usize| {
        let mut found = Vec::new();
        for value in &rows[at].fields {
            value.each_ref(&mut |ty, id| found.extend(places.get(&(ty, id))));
        }
        found
    };
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut used = u64::MAX;
    for mut group in groups(rows.len(), &targets) {
        let bytes = group.iter().map(|at| rows[*at].bytes).sum::<u64>();
        if bytes > batch_bytes {
            let what = format!(
                "{} records that link to each other in a circle take {bytes} bytes together, more than the \
                 {batch_bytes} of one transaction",
                group.len()
            );
            return Err(bad(rows[group[0]].line, what));
        }
        if used.saturating_add(bytes) > batch_bytes {
            batches.push(Vec::new());
            used = 0;
        }
        used += bytes;
        if let Some(batch) = batches.last_mut() {
            batch.append(&mut group);
        }
    }
    Ok(batches)
}

/// Some programs begin a text with this mark; it is no part of the first line.
pub(super) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Lines without their `\n`, as text.
fn lines(text: &mut dyn BufRead) -> impl Iterator<Item = io::Result<String>> + '_ {
    let mut is_first = true;
    std::iter::from_fn(move || {
        let mut bytes = Vec::new();
        match text.read_until(b'\n', &mut bytes) {
            Ok(0) => None,
            Ok(_) => {
                if bytes.last() == Some(&b'\n') {
                    bytes.pop();
                }
                if std::mem::take(&mut is_first) && bytes.starts_with(BYTE_ORDER_MARK.as_bytes()) {
                    bytes.drain(..BYTE_ORDER_MARK.len());
                }
                let text = String::from_utf8(bytes);
                Some(
                    text.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8")),
                )
            }
            Err(error) => Some(Err(error)),
        }
    })
}

fn read_json_lines(
    text: &mut dyn BufRead,
    schema: &Schema,
    progress: OnProgress<'_>,
) -> Result<Vec<Row>, ImportError> {
    let mut rows = Vec::new();
    let mut line = 0;
    for text in lines(text) {
        let text = text?;
        line += 1;
        if text.trim().is_empty() {
            continue;
        }
        let json = Json::parse(&text)
            .map_err(|error| bad(line, format!("column {}: {}", error.column, error.what)))?;
        if json.get(MARK).is_some() {
            read_head(&json).map_err(|what| bad(line, what))?;
            continue;
        }
        rows.push(json_row(line, &json, schema).map_err(|what| bad(line, what))?);
        if line % 1024 == 0 {
            progress(Progress::records("reading", line, None));
        }
    }
    Ok(rows)
}

fn json_row(line: u64, json: &Json, schema: &Schema) -> Result<Row, String> {
    let Json::Object(entries) = json else {
        return Err(format!("expected an object, found {}", json.kind()));
    };
    let Some(Json::Text(name)) = json.get("$type") else {
        return Err("expected \"$type\", the entity of the record".to_owned());
    };
    let ty = schema
        .type_ix(name)
        .ok_or_else(|| unknown_type(name, schema))?;
    let def = schema.type_def(ty);
    let mut row = new_row(line, ty, def);
    let mut origin = RawOrigin::default();
    for (key, value) in entries {
        if let Some(at) = SYSTEM.iter().position(|known| known == key) {
            origin.set(at, value)?;
        } else if key != "$type" {
            let field = field_of(def, key)?;
            let def = &def.fields[field.0 as usize];
            let read = read_typed(value, &def.ty, schema);
            row.fields[field.0 as usize] = read.map_err(|what| format!("{name}.{key}: {what}"))?;
        }
    }
    origin.apply(&mut row)?;
    Ok(row)
}

fn read_csv(
    text: &mut dyn BufRead,
    schema: &Schema,
    options: &ImportOptions,
    progress: OnProgress<'_>,
) -> Result<Vec<Row>, ImportError> {
    let name = options.type_name.as_deref().unwrap_or_default();
    let Some(ty) = schema.type_ix(name) else {
        return Err(bad(1, unknown_type(name, schema)));
    };
    let def = schema.type_def(ty);
    let (mut lines, mut line) = (lines(text), 0);
    let Some(names) = next_row(&mut lines, &mut line)? else {
        return Ok(Vec::new());
    };
    let names = names.map_err(|what| bad(1, what))?;
    let column = |cell: &Cell| match SYSTEM.iter().position(|known| *known == cell.text) {
        Some(at) => Ok(Err(at)),
        None => field_of(def, &cell.text).map(Ok),
    };
    let columns: Result<Vec<Result<FieldIx, usize>>, String> = names.iter().map(column).collect();
    let columns = columns.map_err(|what| bad(1, what))?;
    for (at, name) in names.iter().enumerate() {
        if names[..at].iter().any(|other| other.text == name.text) {
            let what = format!("the column {:?} stands twice in the head", name.text);
            return Err(bad(1, what));
        }
    }
    let mut rows = Vec::new();
    loop {
        let begin = line + 1;
        let Some(cells) = next_row(&mut lines, &mut line)? else {
            return Ok(rows);
        };
        let cells = cells.map_err(|what| bad(begin, what))?;
        if cells.len() == 1 && cells[0].text.is_empty() && columns.len() > 1 {
            continue;
        }
        if cells.len() != columns.len() {
            let what = format!("expected {} cells, found {}", columns.len(), cells.len());
            return Err(bad(begin, what));
        }
        let row = csv_row(begin, ty, schema, columns.iter().zip(&cells));
        rows.push(row.map_err(|what| bad(begin, what))?);
        if rows.len() % 1024 == 0 {
            progress(Progress::records("reading", rows.len() as u64, None));
        }
    }
}

fn csv_row<'a>(
    line: u64,
    ty: TypeIx,
    schema: &Schema,
    cells: impl Iterator<Item = (&'a Result<FieldIx, usize>, &'a Cell)>,
) -> Result<Row, String> {
    let def = schema.type_def(ty);
    let mut row = new_row(line, ty, def);
    let mut origin = RawOrigin::default();
    for (column, cell) in cells {
        match column {
            Ok(field) => {
                let field_def = &def.fields[field.0 as usize];
                let read = read_value_cell(cell, &field_def.ty, schema);
                row.fields[field.0 as usize] =
                    read.map_err(|what| format!("{}.{}: {what}", def.name, field_def.name))?;
            }
            Err(_) if cell.text.is_empty() => {}
            Err(at) => {
                let number = cell.text.parse().map(Json::Int);
                origin.set(
                    *at,
                    &number.unwrap_or_else(|_| Json::Text(cell.text.clone())),
                )?;
            }
        }
    }
    origin.apply(&mut row)?;
    Ok(row)
}

fn new_row(line: u64, ty: TypeIx, def: &TypeDef) -> Row {
    Row {
        line,
        ty,
        id: None,
        origin: Origin::default(),
        fields: vec![FieldValue::None; def.fields.len()],
        bytes: 0,
    }
}

/// What a line says of number, version and times.
#[derive(Default)]
struct RawOrigin {
    /// In the order of `SYSTEM`.
    given: [Option<i64>; 5],
}

impl RawOrigin {
    fn set(&mut self, at: usize, value: &Json) -> Result<(), String> {
        self.given[at] = match value {
            Json::Null => None,
            Json::Int(number) => Some(*number),
            Json::Text(text) if at >= 2 => match parse_time(text) {
                Some(ms) => Some(ms),
                None => return Err(format!("{}: {text:?} is no time", SYSTEM[at])),
            },
            other => {
                return Err(format!(
                    "{}: expected a number, found {}",
                    SYSTEM[at],
                    other.kind()
                ));
            }
        };
        Ok(())
    }

    fn apply(self, row: &mut Row) -> Result<(), String> {
        let [id, version, created_at_ms, updated_at_ms, deleted_at_ms] = self.given;
        let advice = "leave it out, and the record gets the next free one";
        row.id = match id {
            Some(id) => Some(EntityId(bounded(SYSTEM[0], id, IMPORTED_ID_MAX, advice)?)),
            None => None,
        };
        let advice = "leave it out, and the record begins with version 1";
        let limit = u64::from(IMPORTED_VERSION_MAX);
        let version = match version {
            Some(version) => bounded(SYSTEM[1], version, limit, advice)? as u32,
            None => 1,
        };
        if row.id.is_none() && deleted_at_ms.is_some() {
            return Err("a deleted record needs its \"$id\"".to_owned());
        }
        row.origin = Origin {
            version,
            created_at_ms,
            updated_at_ms: deleted_at_ms.or(updated_at_ms),
            deleted: deleted_at_ms.is_some(),
        };
        Ok(())
    }
}

fn bounded(what: &str, number: i64, limit: u64, advice: &str) -> Result<u64, String> {
    match u64::try_from(number) {
        Ok(number) if number >= 1 && number <= limit => Ok(number),
        Ok(_) | Err(_) => Err(format!(
            "{what}: {number} is not between 1 and {limit}; {advice}"
        )),
    }
}

fn unknown_type(name: &str, schema: &Schema) -> String {
    let known: Vec<&str> = schema.types.iter().map(|ty| ty.name.as_str()).collect();
    format!(
        "there is no entity {name:?} here; there is {}",
        known.join(", ")
    )
}

fn field_of(def: &TypeDef, name: &str) -> Result<FieldIx, String> {
    def.field_ix(name).ok_or_else(|| {
        let known: Vec<&str> = def.fields.iter().map(|field| field.name.as_str()).collect();
        format!(
            "{} has no field {name:?}; it has {}",
            def.name,
            known.join(", ")
        )
    })
}
