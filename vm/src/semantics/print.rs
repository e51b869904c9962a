//! Text of values, as `to_text`, `print` and interpolation give it. Here because ops, library and errors print alike.
//! Floats print as in JavaScript, but an integral value keeps `.0`; texts inside other values are quoted; what contains
//! itself or is nested too deeply prints as `[…]` there. Must stay true: printing never fails but for lack of memory, and
//! shows no `@hidden` field: what is printed ends up in pages and logs.

use crate::fault::{DEPTH_MAX, Fault, Res};
use crate::heap::{EntityState, MapCursor, Obj, list_len, range_parts};
use crate::iso;
use crate::machine::Machine;
use crate::semantics::Walk;
use crate::semantics::{time, unlinking};
use crate::value::{View, Word};

/// A float as programs see it.
pub(crate) fn float_string(value: f64) -> String {
    let mut buffer = ryu_js::Buffer::new();
    let text = buffer.format(value);
    if text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-')
    {
        format!("{text}.0")
    } else {
        text.to_owned()
    }
}

/// An int as text.
pub(crate) fn int_text(m: &mut Machine, value: i64) -> Res<Obj> {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        digits[at] = b'-';
    }
    m.heap
        .new_text(std::str::from_utf8(&digits[at..]).expect("digits are ASCII"))
}

/// A float as text.
pub(crate) fn float_text(m: &mut Machine, value: f64) -> Res<Obj> {
    m.heap.new_text(&float_string(value))
}

/// A time as ISO 8601.
pub(crate) fn time_text(m: &mut Machine, ms: i64) -> Res<Obj> {
    m.heap.new_text(&iso::format(ms))
}

/// A duration as text.
pub(crate) fn duration_text(m: &mut Machine, ms: i64) -> Res<Obj> {
    m.heap.new_text(&time::duration(ms))
}

/// `to_text(value)`; a text is itself.
pub(crate) fn to_text(m: &mut Machine, value: Word) -> Res<Obj> {
    match value.view() {
        View::Text(text) => Ok(text),
        View::Int(value) => int_text(m, value),
        View::Bool(value) => Ok(m.heap.layouts().bool_text(value)),
        View::None => Ok(m.heap.layouts().none_text()),
        _ => {
            let text = to_string(m, value)?;
            m.heap.new_text(&text)
        }
    }
}

/// The same as a Rust string.
pub(crate) fn to_string(m: &mut Machine, value: Word) -> Res<String> {
    if let View::Text(text) = value.view() {
        return Ok(text.text().unwrap_or_default().to_owned());
    }
    inside_text(m, value)
}

/// A value as it is printed inside of another one: a text is in quotes.
pub(crate) fn inside_text(m: &mut Machine, value: Word) -> Res<String> {
    let mut printer = Printer {
        m,
        out: String::new(),
        path: Vec::new(),
        walk: Walk::writing("print this value"),
    };
    printer.value(value)?;
    Ok(printer.out)
}

/// A piece of text in quotes, with the escapes of a FLIN program (JSON has its own: `crate::json_text`).
pub(crate) fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

struct Printer<'a> {
    m: &'a mut Machine,
    out: String,
    /// The objects that are being printed around this place.
    path: Vec<Obj>,
    walk: Walk,
}

impl Printer<'_> {
    fn value(&mut self, value: Word) -> Res<()> {
        self.walk.step()?;
        if self.out.len() > self.m.limits.memory_bytes {
            return Err(Fault::memory(self.m.limits.memory_bytes));
        }
        match value.view() {
            View::None => self.out.push_str("none"),
            View::Bool(value) => self.out.push_str(if value { "true" } else { "false" }),
            View::Int(value) => self.out.push_str(&value.to_string()),
            View::Float(value) => self.out.push_str(&float_string(value)),
            View::Time(ms) => self.out.push_str(&iso::format(ms)),
            View::Duration(ms) => self.out.push_str(&time::duration(ms)),
            View::Text(text) => quote(text.text().unwrap_or_default(), &mut self.out),
            View::List(list) => self.nested(list, Printer::list)?,
            View::Map(map) => self.nested(map, Printer::map)?,
            View::Tuple(tuple) => self.nested(tuple, Printer::tuple)?,
            View::Enum(value) => self.nested(value, Printer::enum_value)?,
            View::Entity(entity) => self.nested(entity, Printer::entity)?,
            View::Error(error) => self.error(error),
            View::Response(response) => self.nested(response, Printer::response)?,
            View::Range(range) => {
                let (start, end, inclusive) = range_parts(range);
                self.out.push_str(&format!(
                    "{start}{}{end}",
                    if inclusive { "..=" } else { ".." }
                ));
            }
            View::Closure(closure) => {
                let func = closure
                    .closure_func()
                    .map(|func| func as usize)
                    .unwrap_or_default();
                let name = &self.m.program.module().functions[func].name;
                self.out.push_str(&format!("<function {name}>"));
            }
            View::Query(query) => {
                let name = &self.m.program.module().entities[query.meta() as usize].name;
                self.out.push_str(&format!("<query of {name}>"));
            }
            View::Cell(_) => self.out.push_str("<variable>"),
        }
        Ok(())
    }

    /// Prints an object that contains others, unless it is being printed already.
    fn nested(&mut self, obj: Obj, print: fn(&mut Self, Obj) -> Res<()>) -> Res<()> {
        if self.path.len() >= DEPTH_MAX as usize || self.path.contains(&obj) {
            self.out.push_str("[…]");
            return Ok(());
        }
        self.path.push(obj);
        print(self, obj)?;
        self.path.pop();
        Ok(())
    }

    fn list(&mut self, list: Obj) -> Res<()> {
        self.out.push('[');
        for index in 0..list_len(list) {
            if index > 0 {
                self.out.push_str(", ");
            }
            let word = self.m.heap.list_word(list, index)?;
            self.value(word)?;
        }
        self.out.push(']');
        Ok(())
    }

    fn map(&mut self, map: Obj) -> Res<()> {
        let mut cursor = MapCursor::default();
        self.out.push('{');
        let mut first = true;
        while let Some((key, value)) = self.m.heap.map_next(map, &mut cursor)? {
            self.out.push_str(if first { " " } else { ", " });
            first = false;
            self.key(key)?;
            self.out.push_str(": ");
            self.value(value)?;
        }
        self.out.push_str(if first { "}" } else { " }" });
        Ok(())
    }

    fn key(&mut self, key: Word) -> Res<()> {
        if let View::Text(text) = key.view() {
            let name = text.text().unwrap_or_default();
            if is_name(name) {
                self.out.push_str(name);
                return Ok(());
            }
        }
        self.value(key)
    }

    fn words(&mut self, words: &[Word]) -> Res<()> {
        self.out.push('(');
        for (index, word) in words.iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            self.value(*word)?;
        }
        self.out.push(')');
        Ok(())
    }

    fn tuple(&mut self, tuple: Obj) -> Res<()> {
        let words: Vec<Word> = (0..tuple.tuple_len())
            .filter_map(|index| tuple.tuple_get(index))
            .collect();
        self.words(&words)
    }

    fn enum_value(&mut self, value: Obj) -> Res<()> {
        let (index, variant) = value.enum_parts();
        let module = self.m.program.module();
        let name = module
            .enums
            .get(index as usize)
            .and_then(|e| e.variants.get(variant as usize));
        self.out.push_str(name.map_or("?", |(name, _)| name));
        let data: Vec<Word> = (0..value.tuple_len())
            .filter_map(|index| value.enum_get(index))
            .collect();
        if data.is_empty() {
            Ok(())
        } else {
            self.words(&data)
        }
    }

    fn entity(&mut self, entity: Obj) -> Res<()> {
        let program = self.m.program.clone();
        let description = &program.module().entities[entity.meta() as usize];
        self.out.push_str(&description.name);
        let state = entity.entity_state();
        if state == EntityState::Link || self.path.len() > 1 {
            let id = entity.entity_id();
            self.out.push_str(&if id == 0 {
                "(new)".to_owned()
            } else {
                format!("({id})")
            });
            return Ok(());
        }
        self.out.push_str(" {");
        if entity.entity_id() != 0 {
            self.out.push_str(&format!(" id: {},", entity.entity_id()));
        }
        let shown = description.fields.iter().enumerate();
        let shown = shown.filter(|(_, field)| !field.hidden);
        for (at, (index, field)) in shown.enumerate() {
            let comma = if at > 0 { "," } else { "" };
            self.out.push_str(&format!("{comma} {}: ", field.name));
            let word = unlinking::as_kept(self.m, entity, index)?;
            self.value(word)?;
        }
        self.out.push_str(" }");
        Ok(())
    }

    fn error(&mut self, error: Obj) {
        let parts = error.error_parts();
        for (word, before) in [(parts.kind, ""), (parts.message, ": ")] {
            if let View::Text(text) = word.view() {
                self.out.push_str(before);
                self.out.push_str(text.text().unwrap_or_default());
            }
        }
    }

    fn response(&mut self, response: Obj) -> Res<()> {
        let [status, _, body, _] = response.response_parts();
        self.out.push_str("response { status: ");
        self.value(status)?;
        self.out.push_str(", body: ");
        self.value(body)?;
        self.out.push_str(" }");
        Ok(())
    }
}

/// Whether a key may stand without quotes.
fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::float_string;

    #[test]
    fn floats_print_as_in_javascript_but_keep_their_point() {
        for (value, text) in [
            (3.0, "3.0"),
            (-0.5, "-0.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e21, "1e+21"),
            (1e20, "100000000000000000000.0"),
            (1e-7, "1e-7"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
            (0.0, "0.0"),
            (-0.0, "0.0"),
        ] {
            assert_eq!(float_string(value), text);
        }
    }
}
