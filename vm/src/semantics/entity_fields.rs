//! Fields of entity objects as values of one class. Here, apart from the `any` forms, because a slot of an entity object
//! is an `any` word that may be none until the record is saved. Must stay true: what is read is of the declared type, and
//! an error says which field of which entity was not.

use flin_bytecode::{FieldNo, TypeDesc, TypeId};

use crate::fault::{Fault, Res};
use crate::heap::Obj;
use crate::host::Host;
use crate::machine::Machine;
use crate::semantics::{entity, types};
use crate::value::{View, Word};

/// The `TypeError` of a field that holds something else than it is read as.
#[cold]
fn wrong_value(m: &Machine, of: Obj, field: FieldNo, expected: &str, word: Word) -> Fault {
    let entity = &m.program.module().entities[of.meta() as usize];
    let name = match field.declared() {
        Some(index) => entity.fields.get(index).map_or("?", |f| f.name.as_str()),
        None => field.automatic_name().unwrap_or("?"),
    };
    let found = types::found(m, word);
    let unsaved = of.entity_id() == 0 && word.is_none();
    let hint = if unsaved {
        " (the record was not saved yet)"
    } else {
        ""
    };
    Fault::type_error(format!(
        "{}.{name}: expected {expected}, found {found}{hint}",
        entity.name
    ))
}

/// What an `i64` register means for a field.
#[derive(Clone, Copy)]
enum Whole {
    Int,
    Time,
    Duration,
}

/// The declared type of a field without its `?`.
fn declared_type(m: &Machine, of: Obj, field: FieldNo) -> Option<TypeId> {
    let module = m.program.module();
    let entity = &module.entities[of.meta() as usize];
    let ty = entity.fields.get(field.declared()?)?.ty;
    Some(match module.types[ty.index()] {
        TypeDesc::Optional(inner) => inner,
        _ => ty,
    })
}

fn whole(m: &Machine, of: Obj, field: FieldNo) -> Whole {
    let ty = declared_type(m, of, field).map(|ty| &m.program.module().types[ty.index()]);
    match (ty, field) {
        (Some(TypeDesc::Time), _)
        | (
            _,
            FieldNo::CREATED_AT
            | FieldNo::UPDATED_AT
            | FieldNo::DELETED_AT
            | FieldNo::VALID_FROM
            | FieldNo::VALID_TO,
        ) => Whole::Time,
        (Some(TypeDesc::Duration), _) => Whole::Duration,
        (Some(_) | None, _) => Whole::Int,
    }
}

/// An int, time or duration, as the field is declared.
pub(crate) fn get_int(m: &mut Machine, host: &mut dyn Host, of: Obj, field: FieldNo) -> Res<i64> {
    let word = entity::get_field(m, host, of, field)?;
    let expected = match (whole(m, of, field), word.view()) {
        (Whole::Int, View::Int(value))
        | (Whole::Time, View::Time(value))
        | (Whole::Duration, View::Duration(value)) => return Ok(value),
        (Whole::Int, _) => "int",
        (Whole::Time, _) => "time",
        (Whole::Duration, _) => "duration",
    };
    Err(wrong_value(m, of, field, expected, word))
}

/// A float, or an int widened.
pub(crate) fn get_float(m: &mut Machine, host: &mut dyn Host, of: Obj, field: FieldNo) -> Res<f64> {
    let word = entity::get_field(m, host, of, field)?;
    match word.view() {
        View::Float(value) => Ok(value),
        View::Int(value) => Ok(value as f64),
        _ => Err(wrong_value(m, of, field, "float", word)),
    }
}

/// A bool.
pub(crate) fn get_bool(m: &mut Machine, host: &mut dyn Host, of: Obj, field: FieldNo) -> Res<bool> {
    let word = entity::get_field(m, host, of, field)?;
    word.as_bool()
        .ok_or_else(|| wrong_value(m, of, field, "bool", word))
}

/// An object of the declared type; none only if `none_too`.
pub(crate) fn get_object(
    m: &mut Machine,
    host: &mut dyn Host,
    of: Obj,
    field: FieldNo,
    none_too: bool,
) -> Res<Obj> {
    let word = entity::get_field(m, host, of, field)?;
    let Some(ty) = declared_type(m, of, field) else {
        return Err(wrong_value(m, of, field, "an object", word));
    };
    let found = if word.is_none() {
        word.as_obj().filter(|_| none_too)
    } else {
        types::object_of(m, word, ty)?
    };
    found.ok_or_else(|| wrong_value(m, of, field, &types::describe(m, ty), word))
}

/// The word of an `i64` register for a field.
pub(crate) fn int_word(m: &mut Machine, of: Obj, field: FieldNo, value: i64) -> Res<Word> {
    match whole(m, of, field) {
        Whole::Int => m.heap.int_word(value),
        Whole::Time => m.heap.time_word(value),
        Whole::Duration => m.heap.duration_word(value),
    }
}
