//! Plain JSON, as routes answer it and as the live feed carries it: an entity is its declared fields without `@hidden`
//! ones, with `id version created_at updated_at`; times are ISO 8601 text; ints are numbers; none is null.
//! Must stay true: a hidden field never leaves through here; a link is written as the id of its record.

use std::fmt::Write;

use flin_vm::bytecode::module::Module;
use flin_vm::{HostRecord, HostValue, iso};

use crate::json::{Json, write_plain_text};

/// A value as plain JSON.
pub fn plain_json(module: &Module, value: &HostValue) -> String {
    let mut out = String::new();
    write(&mut out, module, value);
    out
}

/// A record as plain JSON.
pub fn entity_json(module: &Module, record: &HostRecord) -> String {
    let mut out = String::new();
    write_entity(&mut out, module, record);
    out
}

/// JSON from outside as an untyped value: the body of a route.
pub fn plain_value(json: Json) -> HostValue {
    match json {
        Json::Null => HostValue::None,
        Json::Bool(value) => HostValue::Bool(value),
        Json::Int(value) => HostValue::Int(value),
        Json::Float(value) => HostValue::Float(value),
        Json::Text(text) => HostValue::Text(text),
        Json::List(items) => HostValue::List(items.into_iter().map(plain_value).collect()),
        Json::Object(entries) => HostValue::Map(
            entries
                .into_iter()
                .map(|(key, json)| (key, plain_value(json)))
                .collect(),
        ),
    }
}

fn write(out: &mut String, module: &Module, value: &HostValue) {
    match value {
        HostValue::None => out.push_str("null"),
        HostValue::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        HostValue::Int(value) | HostValue::Duration(value) | HostValue::Link(_, value) => {
            write!(out, "{value}").expect("a String takes everything");
        }
        HostValue::Float(value) if value.is_finite() => {
            write!(out, "{value:?}").expect("a String takes everything");
        }
        HostValue::Float(_) => out.push_str("null"),
        HostValue::Text(text) => write_plain_text(out, text),
        HostValue::Time(ms) => write_plain_text(out, &iso::format(*ms)),
        HostValue::Entity(record) if record.past.is_some() && record.version == 0 => {
            write!(out, "{}", record.id).expect("a String takes everything");
        }
        HostValue::Entity(record) => write_entity(out, module, record),
        HostValue::Enum {
            index,
            variant,
            data,
        } => {
            let name = &module.enums[*index as usize].variants[*variant as usize].0;
            if data.is_empty() {
                write_plain_text(out, name);
            } else {
                out.push('{');
                write_plain_text(out, name);
                out.push(':');
                write_list(out, module, data);
                out.push('}');
            }
        }
        HostValue::List(items) | HostValue::Tuple(items) => write_list(out, module, items),
        HostValue::Map(entries) => {
            out.push('{');
            for (at, (key, value)) in entries.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_plain_text(out, key);
                out.push(':');
                write(out, module, value);
            }
            out.push('}');
        }
        HostValue::Response(response) => write(out, module, &response.body),
    }
}

fn write_list(out: &mut String, module: &Module, items: &[HostValue]) {
    out.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(out, module, item);
    }
    out.push(']');
}

fn write_entity(out: &mut String, module: &Module, record: &HostRecord) {
    let is_saved = record.id != 0;
    out.push('{');
    if is_saved {
        write!(out, "\"id\":{}", record.id).expect("a String takes everything");
    }
    let mut is_first = !is_saved;
    for (field, value) in module.entities[record.ty.index()]
        .fields
        .iter()
        .zip(&record.fields)
    {
        if field.hidden {
            continue;
        }
        if !std::mem::take(&mut is_first) {
            out.push(',');
        }
        write_plain_text(out, &field.name);
        out.push(':');
        write(out, module, value);
    }
    if !is_saved {
        out.push('}');
        return;
    }
    let (created, updated) = (
        iso::format(record.created_at),
        iso::format(record.updated_at),
    );
    let version = record.version;
    write!(
        out,
        ",\"version\":{version},\"created_at\":\"{created}\",\"updated_at\":\"{updated}\""
    )
    .expect("a String takes everything");
    if let Some(past) = record.past {
        let until = past
            .valid_to
            .map_or("null".to_owned(), |ms| format!("\"{}\"", iso::format(ms)));
        write!(out, ",\"valid_from\":\"{updated}\",\"valid_to\":{until}")
            .expect("a String takes everything");
    }
    out.push('}');
}
