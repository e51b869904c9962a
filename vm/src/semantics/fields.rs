//! `value.name` where the type is known only at run time. Must stay true: maps give none for absent keys; an entity, error
//! or response has exactly its own fields, all else is a `TypeError` that names the value's type.

use flin_bytecode::{ConstId, FieldNo};

use crate::fault::{Fault, Res};
use crate::heap::{Obj, list_len, range_parts};
use crate::host::Host;
use crate::machine::Machine;
use crate::semantics::{entity, errors, query};
use crate::value::{View, Word};

#[cold]
fn no_field(type_name: &str, name: &str) -> Fault {
    Fault::type_error(format!("{type_name} has no field `{name}`"))
}

/// `value.name`; references are followed.
pub(crate) fn get(m: &mut Machine, host: &mut dyn Host, value: Word, name: ConstId) -> Res<Word> {
    let name = m.heap.layouts().text(name);
    let text = name.text().unwrap_or_default();
    match value.view() {
        View::Map(map) => Ok(m
            .heap
            .map_get(map, Word::object(name))?
            .unwrap_or_else(Word::none)),
        View::Entity(obj) => {
            let Some(field) = field_number(m, obj, text) else {
                if let Some(number) = inverse_number(m, obj, text) {
                    return query::inverse(m, obj, number).map(Word::object);
                }
                return Err(no_field(
                    &m.program.module().entities[obj.meta() as usize].name,
                    text,
                ));
            };
            let found = entity::get_field(m, host, obj, field)?;
            match found.view() {
                View::Entity(_) => entity::follow(m, host, obj, field).map(Word::object),
                _ => Ok(found),
            }
        }
        View::Error(error) => error_field(m, error, text),
        View::Response(response) => {
            let [status, headers, body, _] = response.response_parts();
            match text {
                "status" => Ok(status),
                "headers" => Ok(headers),
                "body" => Ok(body),
                _ => Err(no_field("response", text)),
            }
        }
        View::Range(range) => {
            let (start, end, _) = range_parts(range);
            match text {
                "start" => m.heap.int_word(start),
                "end" => m.heap.int_word(end),
                _ => Err(no_field("range", text)),
            }
        }
        View::List(list) if text == "len" => m.heap.int_word(list_len(list) as i64),
        View::Text(value) if text == "len" => {
            let count = m.heap.text_len(value);
            m.heap.int_word(count as i64)
        }
        found => Err(no_field(found.type_name(), text)),
    }
}

/// `value.name = new`
pub(crate) fn set(
    m: &mut Machine,
    host: &mut dyn Host,
    value: Word,
    name: ConstId,
    new: Word,
) -> Res<()> {
    let name = m.heap.layouts().text(name);
    let text = name.text().unwrap_or_default();
    match value.view() {
        View::Map(map) => m.heap.map_set(map, Word::object(name), new),
        View::Entity(obj) => match field_number(m, obj, text) {
            Some(field) => entity::set_field(m, host, obj, field, new),
            None => Err(no_field(
                &m.program.module().entities[obj.meta() as usize].name,
                text,
            )),
        },
        found => Err(Fault::type_error(format!(
            "fields of {} cannot be set",
            found.type_name()
        ))),
    }
}

/// The number of an entity's field.
fn field_number(m: &Machine, obj: Obj, name: &str) -> Option<FieldNo> {
    let entity = &m.program.module().entities[obj.meta() as usize];
    let declared = entity.fields.iter().position(|field| field.name == name);
    let listed = inverse_number(m, obj, name).is_some();
    declared
        .map(|index| FieldNo(index as i32))
        .or_else(|| FieldNo::automatic(name).filter(|_| !listed))
}

/// The number of an entity's inverse list.
fn inverse_number(m: &Machine, obj: Obj, name: &str) -> Option<usize> {
    let entity = &m.program.module().entities[obj.meta() as usize];
    let mut inverses = entity.inverses.iter();
    inverses.position(|inverse| inverse.name == name)
}

fn error_field(m: &mut Machine, error: Obj, name: &str) -> Res<Word> {
    let parts = error.error_parts();
    match name {
        "kind" => Ok(parts.kind),
        "message" => Ok(parts.message),
        "entity" => Ok(parts.entity),
        "field" => Ok(parts.field),
        "rule" => Ok(parts.rule),
        "cause" => Ok(parts.cause),
        "trace" => errors::trace_value(m, error),
        "line" => {
            let (_, line) = m.program.module().file_of_line(parts.line);
            m.heap.int_word(i64::from(line))
        }
        "column" => m.heap.int_word(i64::from(parts.column)),
        "file" => {
            let (file, _) = m.program.module().file_of_line(parts.line);
            let file = file.to_owned();
            m.heap.text_word(&file)
        }
        _ => Err(no_field("error", name)),
    }
}
