//! Attributes of bound form controls and options. Here because browser runtime and server read them by
//! name. Must stay true: the names are those of the browser runtime; values are escaped.

use flin_bytecode::GlobalId;

use crate::fault::Res;
use crate::machine::Machine;
use crate::semantics::marking;
use crate::semantics::markup::{escape, write};
use crate::semantics::{compare, print, types};
use crate::value::{View, Word};

const TEXT: u8 = 0;
const NUMBER: u8 = 1;
const CHECKBOX: u8 = 2;
const RADIO: u8 = 3;
const DAY: u8 = 6;
const MOMENT: u8 = 7;
const SEVERAL: u8 = 8;

/// The attributes of a control bound to a global.
pub(crate) fn bind(m: &mut Machine, value: Word, control: u8, global: GlobalId) -> Res<()> {
    let name = escape(&m.program.module().globals[global.index()].name);
    write(m, &named(&name, ""))?;
    match control {
        TEXT | NUMBER | DAY | MOMENT => marking::leaf(m, |m| value_of(m, value, control, &name)),
        _ => value_of(m, value, control, &name),
    }
}

/// The attributes of a control bound to a part of a global. The browser is told the part's type; what it sends is checked
/// against the module all the same.
pub(crate) fn bind_part(
    m: &mut Machine,
    value: Word,
    control: u8,
    path: Word,
    global: GlobalId,
) -> Res<()> {
    let path = print::to_string(m, path)?;
    let program = m.program.clone();
    let whole = program.module().globals[global.index()].ty;
    let part = crate::wire::part_type(program.module(), whole, &path);
    let part = part.map_or_else(String::new, |ty| {
        format!(" data-flin-type=\"{}\"", escape(&types::describe(m, ty)))
    });
    let path = escape(&path);
    write(m, &named(&path, &part))?;
    value_of(m, value, control, &path)
}

fn named(name: &str, more: &str) -> String {
    format!(" data-flin-bind=\"{name}\" name=\"{name}\"{more}")
}

/// The attribute that shows the value.
fn value_of(m: &mut Machine, value: Word, control: u8, name: &str) -> Res<()> {
    m.output.option_checks = control == RADIO;
    match control {
        TEXT | NUMBER | DAY | MOMENT => {
            let mut text = field_text(m, value)?;
            if let Some(taken) = taken_of_moment(control, &text) {
                text.truncate(taken);
            }
            write(m, &format!(" value=\"{}\"", escape(&text)))
        }
        CHECKBOX => {
            m.output.may_be_silent(name);
            if compare::truthy(m, value) {
                write(m, " checked")
            } else {
                Ok(())
            }
        }
        SEVERAL => {
            m.output.may_be_silent(name);
            Ok(())
        }
        // A radio button keeps its own value; select and textarea show theirs in their content.
        _ => Ok(()),
    }
}

/// How much of a time, in ISO 8601, a control of days or moments takes.
fn taken_of_moment(control: u8, text: &str) -> Option<usize> {
    let length = match control {
        DAY => "2026-01-15".len(),
        MOMENT => "2026-01-15T10:30".len(),
        _ => return None,
    };
    let is_time = text.is_ascii() && text.as_bytes().get(10) == Some(&b'T');
    is_time.then_some(length)
}

/// A value as it stands in an input: none is empty, an integral float has no point.
fn field_text(m: &mut Machine, value: Word) -> Res<String> {
    match value.view() {
        View::None => Ok(String::new()),
        View::Float(number) => {
            let text = print::float_string(number);
            Ok(text.strip_suffix(".0").map_or(text.clone(), str::to_owned))
        }
        _ => print::to_string(m, value),
    }
}

/// Marks an option or radio button whose value is the bound one.
pub(crate) fn option(m: &mut Machine, value: Word, bound: Word) -> Res<()> {
    if field_text(m, value)? != field_text(m, bound)? {
        return Ok(());
    }
    let word = if m.output.option_checks {
        " checked"
    } else {
        " selected"
    };
    write(m, word)
}
