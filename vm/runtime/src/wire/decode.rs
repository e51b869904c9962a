//! From the wire to typed values. Must stay true: every refusal says what was expected and what was found; nothing is
//! guessed, except that a float takes a whole number.

use std::borrow::Cow;
use std::collections::HashSet;

use flin_vm::bytecode::ids::{EntityTypeId, TypeId};
use flin_vm::bytecode::module::{ConstValue, Module, TypeDesc};
use flin_vm::wire::{EXACT_MAX, Version};
use flin_vm::{HostError, HostRecord, HostValue, Moment, iso};

use crate::host::StoreHost;
use crate::json::Json;

/// A value that a page sent for a variable.
#[derive(Clone, Debug, PartialEq)]
pub enum Sent {
    /// Wire JSON.
    Json(Json),
    /// The texts of a form's controls of that name.
    Fields(Vec<String>),
}

/// Why a sent value is not taken.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum WireError {
    /// Not of the declared type.
    Mismatch { expected: String, found: String },
    /// A record that does not exist (any more).
    Missing { entity: String, id: i64 },
    /// A record that has another version by now than the one that was sent.
    Changed { entity: String, id: i64 },
    /// The store failed while the record was read.
    Host(HostError),
}

fn mismatch(expected: impl Into<String>, found: &Json) -> WireError {
    let found = match found {
        Json::Object(entries) if entries.len() == 1 && entries[0].0.starts_with('_') => {
            format!("a value tagged \"{}\"", entries[0].0)
        }
        Json::Text(text) if text.len() <= 40 => format!("the text \"{text}\""),
        Json::Int(_)
        | Json::Float(_)
        | Json::Null
        | Json::Bool(_)
        | Json::Text(_)
        | Json::List(_)
        | Json::Object(_) => found.kind().to_owned(),
    };
    WireError::Mismatch {
        expected: expected.into(),
        found,
    }
}

/// Decodes values of one request; records are read through its transaction.
pub(crate) struct Decoder<'a, 'h> {
    pub(crate) module: &'a Module,
    pub(crate) host: &'a mut StoreHost<'h>,
    /// A record that is sent with a version must still have it.
    pub(crate) checks_versions: bool,
}

impl Decoder<'_, '_> {
    /// A sent value of the declared type.
    pub(crate) fn sent(&mut self, sent: &Sent, ty: TypeId) -> Result<HostValue, WireError> {
        match sent {
            Sent::Json(json) => self.json(json, ty),
            Sent::Fields(texts) => self.fields(texts, ty),
        }
    }

    /// A wire JSON value of the declared type.
    pub(crate) fn json(&mut self, json: &Json, ty: TypeId) -> Result<HostValue, WireError> {
        let module = self.module;
        match (&module.types[ty.index()], json) {
            (TypeDesc::Any, json) => self.any(json),
            (TypeDesc::None, Json::Null) => Ok(HostValue::None),
            (TypeDesc::Bool, Json::Bool(value)) => Ok(HostValue::Bool(*value)),
            (TypeDesc::Text, Json::Text(text)) => Ok(HostValue::Text(text.clone())),
            (TypeDesc::Int, json) => int(json).ok_or_else(|| mismatch("a whole number", json)),
            (TypeDesc::Float, json) => float(json).ok_or_else(|| mismatch("a number", json)),
            (TypeDesc::Time, json) => time(json).ok_or_else(|| mismatch("a time", json)),
            (TypeDesc::Duration, json) => {
                duration(json).ok_or_else(|| mismatch("a duration", json))
            }
            (TypeDesc::List(item, _), Json::List(items)) => {
                let items = items
                    .iter()
                    .map(|json| self.json(json, *item))
                    .collect::<Result<_, _>>()?;
                Ok(HostValue::List(items))
            }
            (TypeDesc::Map(item), Json::Object(entries)) => {
                let entry =
                    |(key, json): &(String, Json)| Ok((key.clone(), self.json(json, *item)?));
                let entries: Result<_, WireError> = in_order(entries)?.iter().map(entry).collect();
                Ok(HostValue::Map(entries?))
            }
            (TypeDesc::Record(shape, types), Json::Object(entries)) => {
                self.record(module, *shape, types, &in_order(entries)?)
            }
            (TypeDesc::Tuple(types), Json::List(items)) if types.len() == items.len() => {
                let item = |(json, ty): (&Json, &TypeId)| self.json(json, *ty);
                Ok(HostValue::Tuple(
                    items
                        .iter()
                        .zip(types)
                        .map(item)
                        .collect::<Result<_, _>>()?,
                ))
            }
            (TypeDesc::Entity(entity), json) => self.entity(json, Some(*entity)),
            (TypeDesc::Enum(index), json) => self.enumeration(*index, json),
            (TypeDesc::Optional(_), Json::Null) => Ok(HostValue::None),
            (TypeDesc::Optional(inner), json) => self.json(json, *inner),
            (TypeDesc::Union(types), json) => self.one_of(types, json),
            (
                desc @ (TypeDesc::Error
                | TypeDesc::Function
                | TypeDesc::Query(_)
                | TypeDesc::Range
                | TypeDesc::Response),
                _,
            ) => {
                let what = format!("nothing ({} cannot be sent)", describe(module, desc));
                Err(mismatch(what, json))
            }
            (desc, json) => Err(mismatch(describe(module, desc), json)),
        }
    }

    fn record(
        &mut self,
        module: &Module,
        shape: flin_vm::bytecode::ids::ShapeId,
        types: &[TypeId],
        entries: &[(String, Json)],
    ) -> Result<HostValue, WireError> {
        let mut out = Vec::with_capacity(types.len());
        for ((name, _), ty) in module.shapes[shape.index()].fields.iter().zip(types) {
            let name = match &module.constants[name.index()] {
                flin_vm::bytecode::module::Const::Text(name) => name,
                flin_vm::bytecode::module::Const::Int(_)
                | flin_vm::bytecode::module::Const::Float(_) => continue,
            };
            let json = entries
                .iter()
                .find(|(key, _)| key == name)
                .map_or(&Json::Null, |(_, json)| json);
            out.push((name.clone(), self.json(json, *ty)?));
        }
        match entries
            .iter()
            .find(|(key, _)| !out.iter().any(|(known, _)| known == key))
        {
            Some((key, _)) => Err(WireError::Mismatch {
                expected: "only the declared entries".to_owned(),
                found: format!("an entry \"{key}\""),
            }),
            None => Ok(HostValue::Map(out)),
        }
    }

    fn one_of(&mut self, types: &[TypeId], json: &Json) -> Result<HostValue, WireError> {
        for ty in types {
            match self.json(json, *ty) {
                Err(WireError::Mismatch { .. }) => {}
                decided => return decided,
            }
        }
        let names: Vec<_> = types
            .iter()
            .map(|ty| describe(self.module, &self.module.types[ty.index()]))
            .collect();
        Err(mismatch(names.join(" or "), json))
    }

    fn any(&mut self, json: &Json) -> Result<HostValue, WireError> {
        Ok(match json {
            Json::Null => HostValue::None,
            Json::Bool(value) => HostValue::Bool(*value),
            Json::Int(value) => HostValue::Int(*value),
            Json::Float(value) => HostValue::Float(*value),
            Json::Text(text) => HostValue::Text(text.clone()),
            Json::List(items) => HostValue::List(
                items
                    .iter()
                    .map(|json| self.any(json))
                    .collect::<Result<_, _>>()?,
            ),
            Json::Object(entries) => {
                let tag = entries.first().map_or("", |(key, _)| key.as_str());
                match tag {
                    "_int" => int(json).ok_or_else(|| mismatch("a whole number", json))?,
                    "_float" => float(json).ok_or_else(|| mismatch("a number", json))?,
                    "_time" => time(json).ok_or_else(|| mismatch("a time", json))?,
                    "_duration" => duration(json).ok_or_else(|| mismatch("a duration", json))?,
                    "_entity" => self.entity(json, None)?,
                    "_enum" => self.tagged_enum(json)?,
                    _ => {
                        let entry =
                            |(key, json): &(String, Json)| Ok((key.clone(), self.any(json)?));
                        let entries: Result<_, WireError> =
                            in_order(entries)?.iter().map(entry).collect();
                        HostValue::Map(entries?)
                    }
                }
            }
        })
    }

    // `{"_entity":true,"type":"Todo","id":1}`: read again from the store, whatever else was sent along but a version.
    fn entity(
        &mut self,
        json: &Json,
        wanted: Option<EntityTypeId>,
    ) -> Result<HostValue, WireError> {
        let module = self.module;
        let expected = || match wanted {
            Some(ty) => format!("a {}", module.entities[ty.index()].name),
            None => "an entity".to_owned(),
        };
        if json.get("_entity") != Some(&Json::Bool(true)) {
            return Err(mismatch(expected(), json));
        }
        let name = json
            .get("type")
            .and_then(Json::as_text)
            .ok_or_else(|| mismatch(expected(), json))?;
        let found = module
            .entities
            .iter()
            .position(|entity| entity.name == name);
        let ty = found.map(|index| EntityTypeId(index as u32));
        let ty = ty.filter(|ty| wanted.is_none_or(|wanted| wanted == *ty));
        let Some(ty) = ty else {
            return Err(WireError::Mismatch {
                expected: expected(),
                found: format!("a \"{name}\""),
            });
        };
        let Some(Json::Int(id)) = json.get("id") else {
            return Err(mismatch(expected(), json));
        };
        let found = match self.version(name, *id, json)? {
            Some(version) => self.host.version(ty, *id, version),
            None => self.host.live_record(ty, *id),
        };
        match found.map_err(WireError::Host)? {
            Some(record) if record.past.is_none() && !self.is_current(&record, json)? => {
                Err(WireError::Changed {
                    entity: name.to_owned(),
                    id: *id,
                })
            }
            Some(record) => Ok(HostValue::Entity(Box::new(record))),
            None => Err(WireError::Missing {
                entity: name.to_owned(),
                id: *id,
            }),
        }
    }

    // Who changes a record may say which version they saw: if it is another one by now, nothing is done.
    fn is_current(&self, record: &HostRecord, json: &Json) -> Result<bool, WireError> {
        match json.get("version").filter(|_| self.checks_versions) {
            None => Ok(true),
            Some(version) => int(version)
                .map(|version| version == HostValue::Int(record.version))
                .ok_or_else(|| mismatch("the number of a version", version)),
        }
    }

    // A record of the past is the same version again, also if it is deleted by now; but only one that the page was shown.
    fn version(
        &self,
        entity: &str,
        id: i64,
        json: &Json,
    ) -> Result<Option<(i64, Moment)>, WireError> {
        let as_of = match (json.get("commit"), json.get("as_of")) {
            (Some(Json::Int(number)), _) => Moment::Commit(*number),
            (_, Some(Json::Int(ms))) => Moment::Time(*ms),
            _ => return Ok(None),
        };
        let Some(Json::Int(version)) = json.get("version") else {
            return Ok(None);
        };
        let version = *version;
        let shown = Version {
            entity,
            id,
            version,
            as_of,
        };
        let seal = json.get("seal").and_then(Json::as_text);
        if seal.is_some_and(|seal| shown.is_sealed(&self.host.page_key, seal)) {
            return Ok(Some((version, as_of)));
        }
        Err(WireError::Mismatch {
            expected: format!("a version of {entity} {id} that this page was shown"),
            found: "another one, or a page from before the server started; load the page again"
                .to_owned(),
        })
    }

    // A variant without data by its name; one with data as `{"_enum":"Msg","variant":"Move","data":[3]}`.
    fn enumeration(&mut self, index: u32, json: &Json) -> Result<HostValue, WireError> {
        let def = &self.module.enums[index as usize];
        let refused = || mismatch(format!("a {}", def.name), json);
        let (variant, data): (&str, &[Json]) = match json {
            Json::Text(name) => (name, &[]),
            Json::Object(_) if json.get("_enum").and_then(Json::as_text) == Some(&def.name) => {
                let data = match json.get("data") {
                    Some(Json::List(items)) => items.as_slice(),
                    Some(_) => return Err(refused()),
                    None => &[],
                };
                (
                    json.get("variant")
                        .and_then(Json::as_text)
                        .ok_or_else(refused)?,
                    data,
                )
            }
            Json::Null
            | Json::Bool(_)
            | Json::Int(_)
            | Json::Float(_)
            | Json::List(_)
            | Json::Object(_) => {
                return Err(refused());
            }
        };
        let found = def
            .variants
            .iter()
            .position(|(name, _)| name == variant)
            .ok_or_else(refused)?;
        let types = &def.variants[found].1;
        if types.len() != data.len() {
            return Err(refused());
        }
        let item = |(json, ty): (&Json, &TypeId)| self.json(json, *ty);
        let data = data.iter().zip(types).map(item).collect::<Result<_, _>>()?;
        Ok(HostValue::Enum {
            index,
            variant: found as u32,
            data,
        })
    }

    fn tagged_enum(&mut self, json: &Json) -> Result<HostValue, WireError> {
        let name = json.get("_enum").and_then(Json::as_text);
        let index = self
            .module
            .enums
            .iter()
            .position(|def| Some(def.name.as_str()) == name);
        match index {
            Some(index) => self.enumeration(index as u32, json),
            None => Err(mismatch("an enum of this program", json)),
        }
    }

    // What a form without JavaScript sends: the texts of the controls with one name.
    fn fields(&mut self, texts: &[String], ty: TypeId) -> Result<HostValue, WireError> {
        let module = self.module;
        let text = texts.last().map_or("", String::as_str);
        let as_text = || Json::Text(text.to_owned());
        match &module.types[ty.index()] {
            TypeDesc::Text | TypeDesc::Any => Ok(HostValue::Text(text.to_owned())),
            // A checkbox comes with a hidden input that says off, in case that the box says nothing.
            TypeDesc::Bool => {
                let on = |text: &String| !matches!(text.as_str(), "" | "false" | "off" | "0");
                Ok(HostValue::Bool(texts.iter().any(on)))
            }
            TypeDesc::Int => match text.trim().parse() {
                Ok(number) => Ok(HostValue::Int(number)),
                Err(_) => Err(mismatch("a whole number", &as_text())),
            },
            TypeDesc::Float => match text.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(HostValue::Float(number)),
                Ok(_) | Err(_) => Err(mismatch("a number", &as_text())),
            },
            TypeDesc::Time => {
                let time = iso::parse(text.trim()).map(HostValue::Time);
                time.ok_or_else(|| mismatch("a time", &as_text()))
            }
            TypeDesc::Optional(inner) => match &module.types[inner.index()] {
                TypeDesc::Int | TypeDesc::Float | TypeDesc::Time | TypeDesc::Enum(_)
                    if text.trim().is_empty() =>
                {
                    Ok(HostValue::None)
                }
                // An input that shows none is empty, and comes back empty.
                TypeDesc::Text if text.is_empty() => Ok(HostValue::None),
                _ => self.fields(texts, *inner),
            },
            TypeDesc::Union(types) => {
                for ty in types {
                    if let Ok(value) = self.fields(texts, *ty) {
                        return Ok(value);
                    }
                }
                Err(mismatch("another value", &as_text()))
            }
            TypeDesc::Enum(index) => self.enumeration(*index, &as_text()),
            // A select of several values comes with a hidden input behind it, in case that nothing is chosen.
            TypeDesc::List(item, _) => {
                let one = |text: &String| self.fields(std::slice::from_ref(text), *item);
                let chosen = match texts.split_last() {
                    Some((last, chosen)) if last.is_empty() => chosen,
                    _ => texts,
                };
                Ok(HostValue::List(
                    chosen.iter().map(one).collect::<Result<_, _>>()?,
                ))
            }
            desc @ (TypeDesc::None
            | TypeDesc::Duration
            | TypeDesc::Map(_)
            | TypeDesc::Record(..)
            | TypeDesc::Tuple(_)
            | TypeDesc::Entity(_)
            | TypeDesc::Error
            | TypeDesc::Function
            | TypeDesc::Query(_)
            | TypeDesc::Range
            | TypeDesc::Response) => Err(mismatch(describe(module, desc), &as_text())),
        }
    }
}

fn int(json: &Json) -> Option<HostValue> {
    let text = match json {
        Json::Int(value) => return Some(HostValue::Int(*value)),
        Json::Text(text) => text,
        Json::Object(entries) if entries.len() == 1 => json.get("_int")?.as_text()?,
        Json::Null | Json::Bool(_) | Json::Float(_) | Json::List(_) | Json::Object(_) => {
            return None;
        }
    };
    // As text only where a number would not have been exact.
    let value: i64 = text
        .parse()
        .ok()
        .filter(|value: &i64| value.to_string() == *text)?;
    (value.unsigned_abs() >= EXACT_MAX.unsigned_abs()).then_some(HostValue::Int(value))
}

fn float(json: &Json) -> Option<HostValue> {
    match json {
        Json::Int(value) => Some(HostValue::Float(*value as f64)),
        Json::Float(value) => Some(HostValue::Float(*value)),
        Json::Object(entries) if entries.len() == 1 => match json.get("_float")?.as_text()? {
            "NaN" => Some(HostValue::Float(f64::NAN)),
            "Infinity" => Some(HostValue::Float(f64::INFINITY)),
            "-Infinity" => Some(HostValue::Float(f64::NEG_INFINITY)),
            // Where the type is not known, a whole float says so: JSON in browsers has none.
            text if text
                .bytes()
                .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) =>
            {
                text.parse().ok().map(HostValue::Float)
            }
            _ => None,
        },
        Json::Null | Json::Bool(_) | Json::Text(_) | Json::List(_) | Json::Object(_) => None,
    }
}

fn time(json: &Json) -> Option<HostValue> {
    let text = match json {
        Json::Text(text) => text,
        Json::Object(entries) if entries.len() == 1 => json.get("_time")?.as_text()?,
        Json::Null
        | Json::Bool(_)
        | Json::Int(_)
        | Json::Float(_)
        | Json::List(_)
        | Json::Object(_) => return None,
    };
    iso::parse(text).map(HostValue::Time)
}

fn duration(json: &Json) -> Option<HostValue> {
    match json {
        Json::Object(entries) if entries.len() == 1 => match json.get("_duration")? {
            Json::Int(ms) => Some(HostValue::Duration(*ms)),
            _ => None,
        },
        Json::Null
        | Json::Bool(_)
        | Json::Int(_)
        | Json::Float(_)
        | Json::Text(_)
        | Json::List(_)
        | Json::Object(_) => None,
    }
}

/// Whether a sent argument is the literal that the view has in this place.
pub(crate) fn same_literal(literal: &ConstValue, json: &Json) -> bool {
    match (literal, json) {
        (ConstValue::None, json) => *json == Json::Null,
        (ConstValue::Bool(value), json) => *json == Json::Bool(*value),
        (ConstValue::Text(text), json) => json.as_text() == Some(text),
        (ConstValue::Int(value), json) => int(json) == Some(HostValue::Int(*value)),
        (ConstValue::Float(value), json) => float(json) == Some(HostValue::Float(*value)),
    }
}

fn describe(module: &Module, desc: &TypeDesc) -> String {
    match desc {
        TypeDesc::Any => "any value".to_owned(),
        TypeDesc::None => "nothing".to_owned(),
        TypeDesc::Int => "a whole number".to_owned(),
        TypeDesc::Float => "a number".to_owned(),
        TypeDesc::Bool => "true or false".to_owned(),
        TypeDesc::Text => "text".to_owned(),
        TypeDesc::Time => "a time".to_owned(),
        TypeDesc::Duration => "a duration".to_owned(),
        TypeDesc::List(..) => "a list".to_owned(),
        TypeDesc::Map(_) | TypeDesc::Record(..) => "an object".to_owned(),
        TypeDesc::Tuple(types) => format!("a list of {}", types.len()),
        TypeDesc::Entity(ty) => format!("a {}", module.entities[ty.index()].name),
        TypeDesc::Enum(index) => format!("a {}", module.enums[*index as usize].name),
        TypeDesc::Optional(inner) => format!(
            "{} or nothing",
            describe(module, &module.types[inner.index()])
        ),
        TypeDesc::Union(types) => {
            let names: Vec<_> = types
                .iter()
                .map(|ty| describe(module, &module.types[ty.index()]))
                .collect();
            names.join(" or ")
        }
        TypeDesc::Error => "an error".to_owned(),
        TypeDesc::Function => "a function".to_owned(),
        TypeDesc::Query(_) => "a query".to_owned(),
        TypeDesc::Range => "a range".to_owned(),
        TypeDesc::Response => "an HTTP answer".to_owned(),
    }
}

impl From<HostError> for WireError {
    fn from(error: HostError) -> WireError {
        WireError::Host(error)
    }
}

/// The entries of a map: of an object, or of `{"_map":[[key, value], …]}`, which keeps an order that objects of JavaScript
/// have not.
fn in_order(entries: &[(String, Json)]) -> Result<Cow<'_, [(String, Json)]>, WireError> {
    let [(tag, Json::List(pairs))] = entries else {
        return Ok(Cow::Borrowed(entries));
    };
    let pair = |json: &Json| match json {
        Json::List(pair) => match pair.as_slice() {
            [Json::Text(key), json] => Some((key.clone(), json.clone())),
            _ => None,
        },
        _ => None,
    };
    let found: Option<Vec<(String, Json)>> = pairs.iter().map(pair).collect();
    let Some(found) = found.filter(|_| tag == "_map") else {
        return Ok(Cow::Borrowed(entries));
    };
    let mut seen = HashSet::new();
    match found.iter().find(|(key, _)| !seen.insert(key.as_str())) {
        None => {}
        Some((key, _)) => {
            return Err(WireError::Mismatch {
                expected: "each key once".to_owned(),
                found: format!("the key \"{key}\" twice"),
            });
        }
    }
    Ok(Cow::Owned(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_may_come_with_its_order() {
        let text = |text: &str| Json::Text(text.to_owned());
        let pair = |key: &str, value| Json::List(vec![text(key), Json::Int(value)]);
        let tagged = |pairs| vec![("_map".to_owned(), Json::List(pairs))];
        let keys = |entries: &[(String, Json)]| -> Option<String> {
            let found = in_order(entries).ok()?;
            Some(found.iter().map(|(key, _)| format!("{key} ")).collect())
        };
        let both = tagged(vec![pair("10", 1), pair("9", 2)]);
        assert_eq!(keys(&both).as_deref(), Some("10 9 "));
        assert_eq!(keys(&tagged(vec![pair("9", 1), pair("9", 2)])), None);
        // A map with a key of that name and any other value is what it says.
        let own = tagged(vec![Json::Int(1)]);
        assert_eq!(keys(&own).as_deref(), Some("_map "));
    }

    #[test]
    fn a_float_may_say_that_it_is_one() {
        let tagged = |text: &str| {
            float(&Json::Object(vec![(
                "_float".to_owned(),
                Json::Text(text.to_owned()),
            )]))
        };
        assert_eq!(tagged("3"), Some(HostValue::Float(3.0)));
        assert_eq!(tagged("1e+21"), Some(HostValue::Float(1e21)));
        assert_eq!(
            tagged("-Infinity"),
            Some(HostValue::Float(f64::NEG_INFINITY))
        );
        for text in ["", "inf", "nan", "3x", "-"] {
            assert_eq!(tagged(text), None, "{text}");
        }
    }
}
