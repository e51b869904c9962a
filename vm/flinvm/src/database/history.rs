//! `flinvm db history`: all versions of a record, oldest first, each with what it changed. Must stay true: values are
//! written as in an export, so that they can be copied from here.

use flin_runtime::store::{EntityId, FieldDef, Record, Schema, TypeIx, value_text};
use serde_json::{Value, json};

use super::arguments::{Format, History};
use super::place;
use crate::fault::Fault;
use crate::output::say;

pub(super) fn history(wanted: &History) -> Result<(), Fault> {
    let reading = place::read(&wanted.common.data, None)?;
    let snapshot = reading.store.snapshot();
    let schema = reading.store.schema();
    let ty = entity(schema, &wanted.entity)?;
    let versions = snapshot
        .history(ty, EntityId(wanted.id))
        .map_err(|error| Fault::Refusal(error.to_string()))?;
    if versions.is_empty() {
        return Err(Fault::Refusal(format!(
            "there is no {} {}",
            wanted.entity, wanted.id
        )));
    }
    let fields = &schema.type_def(ty).fields;
    let mut before: Option<&Record> = None;
    let mut lines = Vec::new();
    for version in &versions {
        let changed = changes(before, version, fields, schema);
        match wanted.common.format {
            Format::Text => {
                let time = place::time(version.updated_at_ms);
                say(&format!(
                    "version {}  {time}  LSN {}  {}",
                    version.version,
                    version.lsn,
                    what(before, version)
                ));
                changed
                    .iter()
                    .for_each(|(name, _, now)| say(&format!("  {name} = {now}")));
            }
            Format::Json => lines.push(as_json(before, version, &changed)),
        }
        before = Some(version);
    }
    if wanted.common.format == Format::Json {
        let answer = json!({ "entity": wanted.entity, "id": wanted.id, "versions": lines });
        say(&answer.to_string());
    }
    Ok(())
}

/// The entity of a name.
pub(super) fn entity(schema: &Schema, name: &str) -> Result<TypeIx, Fault> {
    schema.type_ix(name).ok_or_else(|| {
        let known: Vec<&str> = schema.types.iter().map(|ty| ty.name.as_str()).collect();
        Fault::Refusal(format!(
            "there is no entity {name} in the data; there is {}",
            known.join(", ")
        ))
    })
}

fn what(before: Option<&Record>, now: &Record) -> &'static str {
    match (before.map(Record::is_deleted), now.is_deleted()) {
        (None, false) => "created",
        (Some(false) | None, true) => "deleted",
        (Some(true), false) => "restored",
        (Some(_), _) => "changed",
    }
}

/// Name, old value and new value of the fields that differ, as in an export.
fn changes<'a>(
    before: Option<&Record>,
    now: &Record,
    fields: &'a [FieldDef],
    schema: &Schema,
) -> Vec<(&'a str, Option<String>, String)> {
    let mut changed = Vec::new();
    for (at, (field, value)) in fields.iter().zip(&now.fields).enumerate() {
        let new = value_text(value, &field.ty, schema);
        let old = before.map(|before| value_text(&before.fields[at], &field.ty, schema));
        if old.as_ref() != Some(&new) && (old.is_some() || !value.is_none()) {
            changed.push((field.name.as_str(), old, new));
        }
    }
    changed
}

fn as_json(
    before: Option<&Record>,
    now: &Record,
    changed: &[(&str, Option<String>, String)],
) -> Value {
    let parsed = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    let change = |(name, old, new): &(&str, Option<String>, String)| {
        let change = json!({ "from": old.as_deref().map(parsed), "to": parsed(new) });
        ((*name).to_owned(), change)
    };
    json!({
        "version": now.version,
        "time": place::time(now.updated_at_ms),
        "lsn": now.lsn.0,
        "what": what(before, now),
        "changed": changed.iter().map(change).collect::<serde_json::Map<_, _>>(),
    })
}
