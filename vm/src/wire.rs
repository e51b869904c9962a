//! Values as the JSON of pages. Here, and public, because markup carries captured values and pages carry state, and both
//! must write the same. Must stay true: nothing is lost (what JSON cannot say is tagged `_int _float _time _duration
//! _enum _entity`), entities travel as name and number, and no text can end the script element or attribute it stands in.

use std::fmt::Write;

use flin_bytecode::module::Module;

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
