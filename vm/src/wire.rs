//! Values as the JSON of pages. Here, and public, because markup carries captured values and pages carry state, and both
//! must write the same. Must stay true: nothing is lost (what JSON cannot say is tagged `_int _float _time _duration
//! _enum _entity _map`), entities travel as name and number, and no text can end the script element or attribute it stands in.
//! A record of the past travels sealed: a page can give back the versions that it was shown and no others, since an old
//! version that is saved undoes all that came after it.

use std::fmt::Write;

use flin_bytecode::module::{Const, Module, TypeDesc};
use flin_bytecode::{Class, ConstId, TypeId};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::host::{HostRecord, HostValue, Moment};
use crate::iso;
use crate::json_text::{self, Within};

/// Ints of a greater magnitude lose digits in a JavaScript number.
pub const EXACT_MAX: i64 = 1 << 53;

/// What seals are made with: only who writes and reads the pages knows it.
pub type Key = [u8; 32];

/// Bytes of a seal.
const SEAL_BYTES: usize = 16;

/// The value as JSON of pages.
pub fn json(module: &Module, key: &Key, value: &HostValue) -> String {
    let mut out = String::new();
    write(&mut out, Pages { module, key }, value);
    out
}

/// Whose pages the values are for.
#[derive(Clone, Copy)]
struct Pages<'a> {
    module: &'a Module,
    key: &'a Key,
}

/// A version of a record as pages name it.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a> {
    /// Name of the entity.
    pub entity: &'a str,
    /// Id of the record.
    pub id: i64,
    /// Number of the version.
    pub version: i64,
    /// The time that its links are seen at.
    pub as_of: Moment,
}

impl Version<'_> {
    fn mac(&self, key: &Key) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
        let (moment, number) = moment(self.as_of);
        let (entity, id, version) = (self.entity, self.id, self.version);
        mac.update(format!("{entity} {id} {version} {moment} {number}").as_bytes());
        mac
    }

    fn seal(&self, key: &Key) -> String {
        let bytes = self.mac(key).finalize().into_bytes();
        let start = bytes.iter().take(SEAL_BYTES);
        let seal = start.fold(0, |seal: u128, byte| seal << 8 | u128::from(*byte));
        format!("{seal:032x}")
    }

    /// Whether a page got this version with this seal.
    pub fn is_sealed(&self, key: &Key, seal: &str) -> bool {
        let seal = u128::from_str_radix(seal, 16).map(u128::to_be_bytes);
        seal.is_ok_and(|seal| self.mac(key).verify_truncated_left(&seal).is_ok())
    }
}

fn moment(as_of: Moment) -> (&'static str, i64) {
    match as_of {
        Moment::Time(ms) => ("as_of", ms),
        Moment::Commit(number) => ("commit", number),
    }
}

/// The steps from a variable to a part of it, by the part's address: names of entries and positions, with points between;
/// a point in a name is written `~1`, `~` is `~0`.
pub fn steps(address: &str) -> impl Iterator<Item = String> {
    let steps = address.split('.').skip(1);
    steps.map(|step| step.replace("~1", ".").replace("~0", "~"))
}

/// The type of a part of a value: names of a map's entries and positions in a list. None if there is no such part, or
/// none that could be set by itself.
pub fn part_type(module: &Module, whole: TypeId, address: &str) -> Option<TypeId> {
    let mut ty = whole;
    for step in steps(address) {
        while let TypeDesc::Optional(inner) = &module.types[ty.index()] {
            ty = *inner;
        }
        ty = match &module.types[ty.index()] {
            TypeDesc::Any => ty,
            TypeDesc::List(item, _) => step.parse::<u32>().ok().map(|_| *item)?,
            TypeDesc::Map(item) => *item,
            TypeDesc::Record(shape, types) => {
                let fields = &module.shapes[shape.index()].fields;
                let is_named = |field: &(ConstId, Class)| matches!(&module.constants[field.0.index()], Const::Text(name) if *name == step);
                *types.get(fields.iter().position(is_named)?)?
            }
            TypeDesc::None
            | TypeDesc::Int
            | TypeDesc::Float
            | TypeDesc::Bool
            | TypeDesc::Text
            | TypeDesc::Time
            | TypeDesc::Duration
            | TypeDesc::Tuple(_)
            | TypeDesc::Entity(_)
            | TypeDesc::Enum(_)
            | TypeDesc::Optional(_)
            | TypeDesc::Union(_)
            | TypeDesc::Error
            | TypeDesc::Function
            | TypeDesc::Query(_)
            | TypeDesc::Range
            | TypeDesc::Response => return None,
        };
    }
    Some(ty)
}

fn write_text(out: &mut String, text: &str) {
    json_text::write(out, text, Within::Markup);
}

fn write(out: &mut String, pages: Pages<'_>, value: &HostValue) {
    let module = pages.module;
    let done = match value {
        HostValue::None | HostValue::Response(_) => write!(out, "null"),
        HostValue::Bool(value) => write!(out, "{value}"),
        HostValue::Int(value) if value.unsigned_abs() <= EXACT_MAX.unsigned_abs() => {
            write!(out, "{value}")
        }
        HostValue::Int(value) => write!(out, "{{\"_int\":\"{value}\"}}"),
        HostValue::Float(value) => {
            write_float(out, *value);
            Ok(())
        }
        HostValue::Text(text) => {
            write_text(out, text);
            Ok(())
        }
        HostValue::Time(ms) => write!(out, "{{\"_time\":\"{}\"}}", iso::format(*ms)),
        HostValue::Duration(ms) => write!(out, "{{\"_duration\":{ms}}}"),
        HostValue::Link(ty, id) => {
            let name = &module.entities[ty.index()].name;
            write!(out, "{{\"_entity\":true,\"type\":\"{name}\",\"id\":{id}}}")
        }
        HostValue::Entity(record) => write_record(out, pages, record),
        HostValue::Enum {
            index,
            variant,
            data,
        } => {
            let def = &module.enums[*index as usize];
            let variant = &def.variants[*variant as usize].0;
            let start = write!(
                out,
                "{{\"_enum\":\"{}\",\"variant\":\"{variant}\",\"data\":",
                def.name
            );
            write_list(out, pages, data);
            out.push('}');
            start
        }
        HostValue::List(items) | HostValue::Tuple(items) => {
            write_list(out, pages, items);
            Ok(())
        }
        HostValue::Map(entries) if is_reordered(entries) => {
            out.push_str("{\"_map\":[");
            for (at, (key, value)) in entries.iter().enumerate() {
                out.push_str(if at > 0 { ",[" } else { "[" });
                write_text(out, key);
                out.push(',');
                write(out, pages, value);
                out.push(']');
            }
            out.push_str("]}");
            Ok(())
        }
        HostValue::Map(entries) => {
            out.push('{');
            for (at, (key, value)) in entries.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_text(out, key);
                out.push(':');
                write(out, pages, value);
            }
            out.push('}');
            Ok(())
        }
    };
    done.expect("a String takes everything");
}

/// Whether an object of JavaScript would have these entries in another order, or the tag of maps would be taken for one:
/// keys that look like positions come first there, by their numbers.
fn is_reordered(entries: &[(String, HostValue)]) -> bool {
    let mut last: Option<u32> = None;
    let mut is_behind_texts = false;
    for (key, _) in entries {
        match position(key) {
            Some(at) if is_behind_texts || last.is_some_and(|last| last > at) => return true,
            Some(at) => last = Some(at),
            None => is_behind_texts = true,
        }
    }
    let is_pair = |item: &HostValue| matches!(item, HostValue::List(pair) | HostValue::Tuple(pair) if matches!(pair.as_slice(), [HostValue::Text(_), _]));
    matches!(entries, [(key, HostValue::List(items))] if key == "_map" && items.iter().all(is_pair))
}

/// The position that a key of an object is for JavaScript.
fn position(key: &str) -> Option<u32> {
    let at: u32 = key.parse().ok().filter(|at| *at != u32::MAX)?;
    (at.to_string() == key).then_some(at)
}

fn write_record(out: &mut String, pages: Pages<'_>, record: &HostRecord) -> std::fmt::Result {
    let (entity, id) = (&pages.module.entities[record.ty.index()].name, record.id);
    write!(out, "{{\"_entity\":true,\"type\":\"{entity}\",\"id\":{id}")?;
    if let Some(past) = record.past {
        let (version, as_of) = (record.version, past.as_of);
        let (moment, number) = moment(as_of);
        let known = Version {
            entity,
            id,
            version,
            as_of,
        };
        let seal = known.seal(pages.key);
        write!(
            out,
            ",\"version\":{version},\"{moment}\":{number},\"seal\":\"{seal}\""
        )?;
    }
    write!(out, "}}")
}

fn write_list(out: &mut String, pages: Pages<'_>, items: &[HostValue]) {
    out.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(out, pages, item);
    }
    out.push(']');
}

fn write_float(out: &mut String, value: f64) {
    if value.is_finite() {
        // Shortest digits that read back the same; `{:?}` keeps the ".0" and the exponent that tell it from an int.
        out.push_str(&format!("{value:?}"));
    } else {
        let name = if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        };
        out.push_str(&format!("{{\"_float\":\"{name}\"}}"));
    }
}
