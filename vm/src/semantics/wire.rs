//! Values as JSON for the page: what handlers captured. Must stay true: what cannot be said in JSON is tagged (`_int`,
//! `_float`, `_time`, `_duration`, `_entity`), so that it comes back as it was.

use crate::fault::{Fault, Res};
use crate::heap::{EntityState, Obj, list_len};
use crate::iso;
use crate::machine::Machine;
use crate::semantics::{Walk, print};
use crate::value::{View, Word};

/// Ints beyond this lose digits in a JavaScript number.
const SAFE_INT_MAX: u64 = 1 << 53;

/// A JSON list of the values.
pub(crate) fn list(m: &mut Machine, words: &[Word]) -> Res<String> {
    let mut writer = Writer {
        m,
        out: String::new(),
        walk: Walk::copying("send this value to the page"),
    };
    writer.words(words)?;
    Ok(writer.out)
}

/// A JSON text.
pub(crate) fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

struct Writer<'a> {
    m: &'a mut Machine,
    out: String,
    walk: Walk,
}

impl Writer<'_> {
    fn words(&mut self, words: &[Word]) -> Res<()> {
        self.walk.enter()?;
        self.out.push('[');
        for (index, word) in words.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.value(*word)?;
        }
        self.out.push(']');
        self.walk.leave();
        Ok(())
    }

    fn value(&mut self, word: Word) -> Res<()> {
        self.walk.step()?;
        match word.view() {
            View::None => self.out.push_str("null"),
            View::Bool(value) => self.out.push_str(if value { "true" } else { "false" }),
            View::Int(value) if value.unsigned_abs() <= SAFE_INT_MAX => {
                self.out.push_str(&value.to_string())
            }
            View::Int(value) => self.out.push_str(&format!("{{\"_int\":\"{value}\"}}")),
            View::Float(value) if value.is_finite() => {
                self.out.push_str(&print::float_string(value))
            }
            View::Float(value) => self.out.push_str(&format!(
                "{{\"_float\":\"{}\"}}",
                print::float_string(value)
            )),
            View::Time(ms) => self
                .out
                .push_str(&format!("{{\"_time\":\"{}\"}}", iso::format(ms))),
            View::Duration(ms) => self.out.push_str(&format!("{{\"_duration\":{ms}}}")),
            View::Text(text) => quoted(text.text().unwrap_or_default(), &mut self.out),
            View::List(list) => {
                let words = (0..list_len(list))
                    .map(|i| self.m.heap.list_word(list, i))
                    .collect::<Res<Vec<Word>>>()?;
                self.words(&words)?;
            }
            View::Tuple(tuple) => {
                let words: Vec<Word> = (0..tuple.tuple_len())
                    .filter_map(|index| tuple.tuple_get(index))
                    .collect();
                self.words(&words)?;
            }
            View::Map(map) => self.map(map)?,
            View::Enum(value) => self.enum_value(value)?,
            View::Entity(entity) => self.entity(entity)?,
            found @ (View::Closure(_)
            | View::Cell(_)
            | View::Query(_)
            | View::Error(_)
            | View::Response(_)
            | View::Range(_)) => {
                return Err(Fault::type_error(format!(
                    "a {} cannot be sent to the page",
                    found.type_name()
                )));
            }
        }
        Ok(())
    }

    fn map(&mut self, map: Obj) -> Res<()> {
        self.walk.enter()?;
        self.out.push('{');
        for (index, (key, value)) in self.m.heap.map_entries(map)?.into_iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            let key = print::to_string(self.m, key)?;
            quoted(&key, &mut self.out);
            self.out.push(':');
            self.value(value)?;
        }
        self.out.push('}');
        self.walk.leave();
        Ok(())
    }

    fn enum_value(&mut self, value: Obj) -> Res<()> {
        let (index, variant) = value.enum_parts();
        let program = self.m.program.clone();
        let Some(description) = program.module().enums.get(index as usize) else {
            return Err(Fault::type_error(
                "this enum value does not belong to the program",
            ));
        };
        self.out.push_str("{\"_enum\":");
        quoted(&description.name, &mut self.out);
        self.out.push_str(",\"variant\":");
        quoted(
            description
                .variants
                .get(variant as usize)
                .map_or("", |(name, _)| name),
            &mut self.out,
        );
        self.out.push_str(",\"data\":");
        let data: Vec<Word> = (0..value.tuple_len())
            .filter_map(|index| value.enum_get(index))
            .collect();
        self.words(&data)?;
        self.out.push('}');
        Ok(())
    }

    fn entity(&mut self, entity: Obj) -> Res<()> {
        let name = &self.m.program.module().entities[entity.meta() as usize].name;
        if matches!(
            entity.entity_state(),
            EntityState::Unsaved | EntityState::Destroyed
        ) {
            return Err(Fault::type_error(format!(
                "this {name} is not saved, so the page cannot refer to it"
            )));
        }
        self.out.push_str("{\"_entity\":true,\"type\":");
        quoted(name, &mut self.out);
        self.out
            .push_str(&format!(",\"id\":{}}}", entity.entity_id()));
        Ok(())
    }
}
