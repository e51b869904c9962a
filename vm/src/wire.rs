//! Values as the JSON of pages. Here, and public, because markup carries captured values and pages carry state, and both
//! must write the same. Must stay true: nothing is lost (what JSON cannot say is tagged `_int _float _time _duration
//! _enum _entity`), entities travel as name and number, and no text can end the script element or attribute it stands in.

use std::fmt::Write;

use flin_bytecode::module::{Const, Module, TypeDesc};
use flin_bytecode::{Class, ConstId, TypeId};

use crate::host::{HostValue, Moment};
use crate::iso;
use crate::json_text::{self, Within};

/// Ints of a greater magnitude lose digits in a JavaScript number.
pub const EXACT_MAX: i64 = 1 << 53;

/// The value as JSON of pages.
pub fn json(module: &Module, value: &HostValue) -> String {
    let mut out = String::new();
    write(&mut out, module, value);
    out
}

/// The type of a part of a value: names of a map's entries and positions in a list. None if there is no such part, or
/// none that could be set by itself.
pub fn part_type<'p>(
    module: &Module,
    whole: TypeId,
    path: impl Iterator<Item = &'p str>,
) -> Option<TypeId> {
    let mut ty = whole;
    for step in path {
        while let TypeDesc::Optional(inner) = &module.types[ty.index()] {
            ty = *inner;
        }
        ty = match &module.types[ty.index()] {
            TypeDesc::Any => ty,
            TypeDesc::List(item, _) => step.parse::<u32>().ok().map(|_| *item)?,
            TypeDesc::Map(item) => *item,
            TypeDesc::Record(shape, types) => {
                let fields = &module.shapes[shape.index()].fields;
                let is_named = |field: &(ConstId, Class)| matches!(&module.constants[field.0.index()], Const::Text(name) if name == step);
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

fn write(out: &mut String, module: &Module, value: &HostValue) {
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
        HostValue::Entity(record) => {
            let name = &module.entities[record.ty.index()].name;
            let then = record.past.map_or(String::new(), |past| {
                let (name, number) = match past.as_of {
                    Moment::Time(ms) => ("as_of", ms),
                    Moment::Commit(number) => ("commit", number),
                };
                format!(",\"version\":{},\"{name}\":{number}", record.version)
            });
            write!(
                out,
                "{{\"_entity\":true,\"type\":\"{name}\",\"id\":{}{then}}}",
                record.id
            )
        }
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
            write_list(out, module, data);
            out.push('}');
            start
        }
        HostValue::List(items) | HostValue::Tuple(items) => {
            write_list(out, module, items);
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
                write(out, module, value);
            }
            out.push('}');
            Ok(())
        }
    };
    done.expect("a String takes everything");
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
