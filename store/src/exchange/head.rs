//! The first line of an export as JSON lines: the moment that was asked for and the schema the lines are written with.
//!
//! What must stay true: a store can be made from this line alone, and a type is spelled as in messages and programs.

use std::fmt::Write;

use super::import::BYTE_ORDER_MARK;
use super::iso::time_text;
use super::json::{Json, put_string};
use crate::schema::{EnumDef, FieldDef, FieldType, OnDelete, Schema, TypeDef};

/// The name that makes a line a head; its value is the version of this form.
pub(super) const MARK: &str = "$flin_export";
const VERSION: i64 = 1;
const TYPE_DEPTH_MAX: usize = 32;

/// Writes the line, without its end.
pub(super) fn head(schema: &Schema, at_ms: Option<i64>) -> String {
    let mut out = String::new();
    put_string(&mut out, MARK);
    let mut out = format!("{{{out}:{VERSION}");
    if let Some(text) = at_ms.and_then(time_text) {
        write!(out, ",\"at\":\"{text}\"").expect("a String takes everything");
    }
    out.push_str(",\"types\":[");
    for (at, ty) in schema.types.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        put_type(&mut out, ty);
    }
    out.push_str("],\"enums\":[");
    for (at, def) in schema.enums.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str("{\"name\":");
        put_string(&mut out, &def.name);
        out.push_str(",\"variants\":{");
        for (at, (name, values)) in def.variants.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            put_string(&mut out, name);
            write!(out, ":{values}").expect("a String takes everything");
        }
        out.push_str("}}");
    }
    out.push_str("]}");
    out
}

fn put_type(out: &mut String, ty: &TypeDef) {
    out.push_str("{\"name\":");
    put_string(out, &ty.name);
    out.push_str(",\"fields\":[");
    for (at, field) in ty.fields.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str("{\"name\":");
        put_string(out, &field.name);
        out.push_str(",\"type\":");
        put_string(out, &field.ty.to_string());
        for (set, name) in [
            (field.required, "required"),
            (field.unique, "unique"),
            (field.index, "index"),
            (field.never_none, "never_none"),
        ] {
            if set {
                write!(out, ",\"{name}\":true").expect("a String takes everything");
            }
        }
        match field.on_delete {
            OnDelete::Restrict => {}
            OnDelete::SetNone => out.push_str(",\"on_delete\":\"set_none\""),
            OnDelete::Cascade => out.push_str(",\"on_delete\":\"cascade\""),
        }
        out.push('}');
    }
    out.push_str("]}");
}

/// The schema that the first line of an export declares; `None` if the line is no head, an error if it is a bad one.
pub fn schema_of_export(line: &str) -> Result<Option<Schema>, String> {
    match Json::parse(line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line)) {
        Ok(json) => read_head(&json),
        Err(_) => Ok(None),
    }
}

/// The same for a line that is read already.
pub(super) fn read_head(json: &Json) -> Result<Option<Schema>, String> {
    match json.get(MARK) {
        None => return Ok(None),
        Some(Json::Int(VERSION)) => {}
        Some(other) => {
            return Err(format!(
                "this export is of version {other:?}; this flinvm reads version {VERSION}"
            ));
        }
    }
    let bad = || "the head of the export is incomplete".to_owned();
    let Some(Json::List(types)) = json.get("types") else {
        return Err(bad());
    };
    let name_of = |json: &Json| match json.get("name") {
        Some(Json::Text(name)) => Ok(name.clone()),
        Some(_) | None => Err(bad()),
    };
    let mut enums = Vec::new();
    if let Some(Json::List(list)) = json.get("enums") {
        for def in list {
            let Some(Json::Object(variants)) = def.get("variants") else {
                return Err(bad());
            };
            let variant = |(name, values): &(String, Json)| match values {
                Json::Int(values) => Ok((name.clone(), u32::try_from(*values).map_err(|_| bad())?)),
                _other => Err(bad()),
            };
            let variants: Result<Vec<_>, String> = variants.iter().map(variant).collect();
            enums.push(EnumDef {
                name: name_of(def)?,
                variants: variants?,
            });
        }
    }
    let names: Result<Vec<String>, String> = types.iter().map(name_of).collect();
    let names = names?;
    let mut defs = Vec::new();
    for (ty, name) in types.iter().zip(&names) {
        let Some(Json::List(fields)) = ty.get("fields") else {
            return Err(bad());
        };
        let field = |json: &Json| read_field(json, name_of(json)?, &names).ok_or_else(bad);
        let fields: Result<Vec<FieldDef>, String> = fields.iter().map(field).collect();
        defs.push(TypeDef {
            name: name.clone(),
            fields: fields?,
            ..TypeDef::default()
        });
    }
    Ok(Some(Schema { types: defs, enums }))
}

fn read_field(json: &Json, name: String, entities: &[String]) -> Option<FieldDef> {
    let Some(Json::Text(ty)) = json.get("type") else {
        return None;
    };
    let set = |name: &str| json.get(name) == Some(&Json::Bool(true));
    let on_delete = match json.get("on_delete") {
        None => OnDelete::Restrict,
        Some(Json::Text(rule)) if rule == "set_none" => OnDelete::SetNone,
        Some(Json::Text(rule)) if rule == "cascade" => OnDelete::Cascade,
        Some(_) => return None,
    };
    Some(FieldDef {
        required: set("required"),
        unique: set("unique"),
        index: set("index"),
        never_none: set("never_none"),
        on_delete,
        ..FieldDef::new(name, parse_type(ty, entities, TYPE_DEPTH_MAX)?)
    })
}

/// A type as `FieldType` displays it. A name is an entity if there is one of that name, else an enum.
fn parse_type(text: &str, entities: &[String], depth_left: usize) -> Option<FieldType> {
    if depth_left == 0 {
        return None;
    }
    if let Some(inner) = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
    {
        return Some(match inner.strip_prefix("text: ") {
            Some(item) => FieldType::Map(Box::new(parse_type(item, entities, depth_left - 1)?)),
            None => FieldType::List(Box::new(parse_type(inner, entities, depth_left - 1)?)),
        });
    }
    Some(match text {
        "bool" => FieldType::Bool,
        "int" => FieldType::Int,
        "float" => FieldType::Float,
        "text" => FieldType::Text,
        "time" => FieldType::Time,
        "duration" => FieldType::Duration,
        "bytes" => FieldType::Bytes,
        "any" => FieldType::Any,
        "" => return None,
        name if entities.iter().any(|entity| entity == name) => FieldType::Ref(name.to_owned()),
        name => FieldType::Enum(name.to_owned()),
    })
}
