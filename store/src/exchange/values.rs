//! A stored value as JSON, and back. Declared types give the short form (`"due":"2026-01-15T10:00:00.000Z"`); where the
//! type says nothing (`any`), or the value is of another type, the form names itself (`{"$time":"…"}`).
//!
//! What must stay true: reading what was written gives the same value, bit for bit, for every value and every declared
//! type; a name in an object that begins with `$` is never data by itself.

use std::sync::Arc;

use super::iso::{parse_time, time_text};
use super::json::{Json, put_float, put_string};
use crate::schema::{FieldType, Schema};
use crate::value::{EntityId, FieldValue};

/// A value of a field of type `ty` as it stands in an export.
pub fn value_text(value: &FieldValue, ty: &FieldType, schema: &Schema) -> String {
    let mut out = String::new();
    put_typed(&mut out, value, ty, schema);
    out
}

/// Appends a value of a field of type `ty`.
pub(crate) fn put_typed(out: &mut String, value: &FieldValue, ty: &FieldType, schema: &Schema) {
    match (ty, value) {
        (FieldType::Time, FieldValue::Time(ms)) if time_text(*ms).is_some() => {
            put_string(out, &time_text(*ms).unwrap_or_default());
        }
        (FieldType::Duration, FieldValue::Duration(ms)) => out.push_str(&ms.to_string()),
        (FieldType::Bytes, FieldValue::Bytes(bytes)) => put_string(out, &hex(bytes)),
        (FieldType::Ref(name), FieldValue::Ref { ty, id })
            if schema
                .types
                .get(ty.0 as usize)
                .is_some_and(|def| def.name == *name) =>
        {
            out.push_str(&id.0.to_string());
        }
        (
            FieldType::Enum(name),
            FieldValue::Enum {
                name: found,
                variant,
                payload,
            },
        ) if **found == **name && payload.is_empty() => {
            put_string(out, variant);
        }
        (FieldType::List(item), FieldValue::List(items)) => {
            put_list(out, items, |out, value| put_typed(out, value, item, schema));
        }
        (FieldType::Map(item), FieldValue::Map(entries)) => {
            put_map(out, entries, |out, value| {
                put_typed(out, value, item, schema)
            });
        }
        (_, value) => put_any(out, value, schema),
    }
}

fn put_any(out: &mut String, value: &FieldValue, schema: &Schema) {
    match value {
        FieldValue::None => out.push_str("null"),
        FieldValue::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        FieldValue::Int(int) => out.push_str(&int.to_string()),
        FieldValue::Float(float) if float.is_finite() => put_float(out, *float),
        FieldValue::Float(float) => {
            put_tagged(out, "$float", |out| put_string(out, &no_number(*float)))
        }
        FieldValue::Text(text) => put_string(out, text),
        FieldValue::Time(ms) => put_tagged(out, "$time", |out| match time_text(*ms) {
            Some(text) => put_string(out, &text),
            None => out.push_str(&ms.to_string()),
        }),
        FieldValue::Duration(ms) => {
            put_tagged(out, "$duration", |out| out.push_str(&ms.to_string()))
        }
        FieldValue::Bytes(bytes) => put_tagged(out, "$bytes", |out| put_string(out, &hex(bytes))),
        FieldValue::Ref { ty, id } => {
            let target = schema.types.get(ty.0 as usize);
            put_tagged(out, "$ref", |out| {
                put_string(out, target.map_or("", |def| &def.name))
            });
            out.pop();
            out.push_str(&format!(",\"id\":{}}}", id.0));
        }
        FieldValue::Enum {
            name,
            variant,
            payload,
        } => {
            put_tagged(out, "$enum", |out| put_string(out, name));
            out.pop();
            out.push_str(",\"variant\":");
            put_string(out, variant);
            if !payload.is_empty() {
                out.push_str(",\"data\":");
                put_list(out, payload, |out, value| put_any(out, value, schema));
            }
            out.push('}');
        }
        FieldValue::List(items) => put_list(out, items, |out, value| put_any(out, value, schema)),
        FieldValue::Map(entries) => put_map(out, entries, |out, value| put_any(out, value, schema)),
    }
}

fn put_tagged(out: &mut String, tag: &str, content: impl FnOnce(&mut String)) {
    out.push('{');
    put_string(out, tag);
    out.push(':');
    content(out);
    out.push('}');
}

fn put_list(
    out: &mut String,
    items: &[FieldValue],
    mut item: impl FnMut(&mut String, &FieldValue),
) {
    out.push('[');
    for (at, value) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        item(out, value);
    }
    out.push(']');
}

fn put_map(
    out: &mut String,
    entries: &[(Arc<str>, FieldValue)],
    mut item: impl FnMut(&mut String, &FieldValue),
) {
    let wrapped = entries.iter().any(|(key, _)| key.starts_with('$'));
    if wrapped {
        out.push_str("{\"$map\":");
    }
    out.push('{');
    for (at, (key, value)) in entries.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        put_string(out, key);
        out.push(':');
        item(out, value);
    }
    out.push('}');
    if wrapped {
        out.push('}');
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Only digits: the reader of numbers would take a sign as well.
fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    is_hex(text).then(|| digits.chunks(2).map(pair).collect())?
}

/// A float that is no number of JSON: its name, or the bits of a NaN that is not the usual one.
pub(crate) fn no_number(float: f64) -> String {
    if float == f64::INFINITY {
        "Infinity".to_owned()
    } else if float == f64::NEG_INFINITY {
        "-Infinity".to_owned()
    } else if float.to_bits() == f64::NAN.to_bits() {
        "NaN".to_owned()
    } else {
        format!("NaN:{:016x}", float.to_bits())
    }
}

/// The float that `no_number` wrote.
pub(crate) fn parse_no_number(text: &str) -> Option<f64> {
    match text {
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        text => {
            let bits = text.strip_prefix("NaN:").filter(|bits| is_hex(bits))?;
            let float = f64::from_bits(u64::from_str_radix(bits, 16).ok()?);
            float.is_nan().then_some(float)
        }
    }
}

/// Reads a value for a field of type `ty`; the error says what was expected and what was found.
pub(crate) fn read_typed(
    json: &Json,
    ty: &FieldType,
    schema: &Schema,
) -> Result<FieldValue, String> {
    if let Some((tag, content)) = tag_of(json)? {
        if let (FieldType::Map(item), "$map", Json::Object(inner)) = (ty, tag, content) {
            return map_of(inner, |value| read_typed(value, item, schema));
        }
        let value = read_tagged(json, tag, content, schema)?;
        return if ty.accepts(&value, schema) {
            Ok(value)
        } else {
            Err(format!("expected {ty}, found {}", value.kind()))
        };
    }
    let wrong = || Err(format!("expected {ty}, found {}", json.kind()));
    Ok(match (ty, json) {
        (_, Json::Null) => FieldValue::None,
        (FieldType::Any, json) => return read_any(json, schema),
        (FieldType::Bool, Json::Bool(value)) => FieldValue::Bool(*value),
        (FieldType::Int, Json::Int(int)) => FieldValue::Int(*int),
        (FieldType::Float, Json::Float(float)) => FieldValue::Float(*float),
        (FieldType::Float, Json::Int(int)) => FieldValue::Float(whole_float(i128::from(*int))?),
        (FieldType::Text, Json::Text(text)) => FieldValue::text(text.as_str()),
        (FieldType::Time, Json::Text(text)) => FieldValue::Time(time_of(text)?),
        (FieldType::Time, Json::Int(ms)) => FieldValue::Time(*ms),
        (FieldType::Duration, Json::Int(ms)) => FieldValue::Duration(*ms),
        (FieldType::Bytes, Json::Text(text)) => FieldValue::Bytes(bytes_of(text)?),
        (FieldType::Ref(name), Json::Int(id)) => link(name, *id, schema)?,
        (FieldType::Enum(name), Json::Text(variant)) => {
            enum_value(name, variant, Vec::new(), schema)?
        }
        (FieldType::List(item), Json::List(items)) => {
            let read = items.iter().map(|value| read_typed(value, item, schema));
            FieldValue::List(read.collect::<Result<_, _>>()?)
        }
        (FieldType::Map(item), Json::Object(entries)) => {
            map_of(entries, |value| read_typed(value, item, schema))?
        }
        (
            FieldType::Bool
            | FieldType::Int
            | FieldType::Float
            | FieldType::Text
            | FieldType::Time
            | FieldType::Duration
            | FieldType::Bytes
            | FieldType::Ref(_)
            | FieldType::Enum(_)
            | FieldType::List(_)
            | FieldType::Map(_),
            _,
        ) => return wrong(),
    })
}

/// The tag of an object and its content; `None` for what is no object or has no name that begins with `$`. An error if
/// anything stands beside them that the tag does not know: it would be lost.
fn tag_of(json: &Json) -> Result<Option<(&str, &Json)>, String> {
    let Json::Object(entries) = json else {
        return Ok(None);
    };
    let Some((tag, content)) = entries.iter().find(|(key, _)| key.starts_with('$')) else {
        return Ok(None);
    };
    let known: &[&str] = match tag.as_str() {
        "$ref" => &["id"],
        "$enum" => &["variant", "data"],
        "$float" | "$time" | "$duration" | "$bytes" | "$map" => &[],
        tag => {
            return Err(format!(
                "there is no tag `{tag}`; data with such names goes into {{\"$map\": …}}"
            ));
        }
    };
    let mut others = entries.iter().map(|(key, _)| key.as_str());
    match others.find(|key| *key != tag && !known.contains(key)) {
        None => Ok(Some((tag, content))),
        Some(other) => Err(format!(
            "`{tag}` makes the whole object one value, and {other:?} beside it would be lost; data with such names \
             goes into {{\"$map\": …}}"
        )),
    }
}

/// A whole number as a float, if it is one exactly.
pub(crate) fn whole_float(number: i128) -> Result<f64, String> {
    let float = number as f64;
    // Only the largest number is rounded out of the range, and the way back would round it in again.
    if float as i128 == number && number != i128::MAX {
        return Ok(float);
    }
    Err(format!(
        "a float cannot hold {number} exactly, the nearest one is {float:?}; write that if it is good enough"
    ))
}

fn read_any(json: &Json, schema: &Schema) -> Result<FieldValue, String> {
    Ok(match json {
        Json::Null => FieldValue::None,
        Json::Bool(value) => FieldValue::Bool(*value),
        Json::Int(int) => FieldValue::Int(*int),
        Json::Float(float) => FieldValue::Float(*float),
        Json::Text(text) => FieldValue::text(text.as_str()),
        Json::List(items) => list_of(items, schema)?,
        Json::Object(entries) => match tag_of(json)? {
            Some((tag, content)) => read_tagged(json, tag, content, schema)?,
            None => map_of(entries, |value| read_any(value, schema))?,
        },
    })
}

fn read_tagged(
    json: &Json,
    tag: &str,
    content: &Json,
    schema: &Schema,
) -> Result<FieldValue, String> {
    let wrong = |expected: &str| {
        Err(format!(
            "`{tag}` takes {expected}, found {}",
            content.kind()
        ))
    };
    Ok(match (tag, content) {
        ("$float", Json::Text(text)) => match parse_no_number(text) {
            Some(float) => FieldValue::Float(float),
            None => {
                return Err(format!(
                    "`$float` takes NaN, Infinity or -Infinity, found {text:?}"
                ));
            }
        },
        ("$time", Json::Text(text)) => FieldValue::Time(time_of(text)?),
        ("$time", Json::Int(ms)) => FieldValue::Time(*ms),
        ("$duration", Json::Int(ms)) => FieldValue::Duration(*ms),
        ("$bytes", Json::Text(text)) => FieldValue::Bytes(bytes_of(text)?),
        ("$ref", Json::Text(name)) => match json.get("id") {
            Some(Json::Int(id)) => link(name, *id, schema)?,
            Some(_) | None => return Err("a `$ref` needs its `id`, a whole number".to_owned()),
        },
        ("$enum", Json::Text(name)) => match (json.get("variant"), json.get("data")) {
            (Some(Json::Text(variant)), None) => enum_value(name, variant, Vec::new(), schema)?,
            (Some(Json::Text(variant)), Some(Json::List(data))) => {
                let data = data.iter().map(|value| read_any(value, schema));
                enum_value(name, variant, data.collect::<Result<_, _>>()?, schema)?
            }
            (_, _) => return Err("an `$enum` needs its `variant`, and `data` as a list".to_owned()),
        },
        ("$map", Json::Object(inner)) => map_of(inner, |value| read_any(value, schema))?,
        ("$float" | "$ref" | "$enum" | "$bytes", _) => return wrong("a text"),
        ("$time", _) => return wrong("a time"),
        ("$duration", _) => return wrong("milliseconds"),
        ("$map", _) => return wrong("an object"),
        (_, _) => return wrong("a value of its own"),
    })
}

fn list_of(items: &[Json], schema: &Schema) -> Result<FieldValue, String> {
    let read = items.iter().map(|value| read_any(value, schema));
    Ok(FieldValue::List(read.collect::<Result<_, _>>()?))
}

fn map_of(
    entries: &[(String, Json)],
    read: impl Fn(&Json) -> Result<FieldValue, String>,
) -> Result<FieldValue, String> {
    let entry = |(key, value): &(String, Json)| Ok((Arc::from(key.as_str()), read(value)?));
    let entries: Result<Vec<_>, String> = entries.iter().map(entry).collect();
    Ok(FieldValue::Map(entries?))
}

fn time_of(text: &str) -> Result<i64, String> {
    parse_time(text)
        .ok_or_else(|| format!("expected a time such as \"2026-01-15T10:00:00Z\", found {text:?}"))
}

fn bytes_of(text: &str) -> Result<Arc<[u8]>, String> {
    match unhex(text) {
        Some(bytes) => Ok(bytes.into()),
        None => Err("expected bytes as pairs of hexadecimal digits".to_owned()),
    }
}

fn link(name: &str, id: i64, schema: &Schema) -> Result<FieldValue, String> {
    let Some(ty) = schema.type_ix(name) else {
        return Err(format!("there is no entity {name:?} to link to"));
    };
    match u64::try_from(id) {
        Ok(id) if id > 0 && id <= crate::limits::ENTITY_ID_MAX => Ok(FieldValue::Ref {
            ty,
            id: EntityId(id),
        }),
        Ok(_) | Err(_) => Err(format!("{id} is no id of a record")),
    }
}

fn enum_value(
    name: &str,
    variant: &str,
    payload: Vec<FieldValue>,
    schema: &Schema,
) -> Result<FieldValue, String> {
    if let Some(def) = schema.enums.iter().find(|def| def.name == name) {
        match def.variants.iter().find(|(known, _)| known == variant) {
            None => return Err(format!("{name} has no variant {variant:?}")),
            Some((_, values)) if *values as usize != payload.len() => {
                return Err(format!(
                    "{name}.{variant} carries {values} values, found {}",
                    payload.len()
                ));
            }
            Some(_) => {}
        }
    }
    Ok(FieldValue::Enum {
        name: name.into(),
        variant: variant.into(),
        payload,
    })
}
