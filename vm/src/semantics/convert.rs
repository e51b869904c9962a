//! Values across the border of the machine: `HostValue` in, `HostValue` out. Must stay true: copies are deep, bounded in
//! depth and work; a saved entity comes in as its one object; functions, queries and variables cannot leave.

use flin_bytecode::{Class, TypeDesc, TypeId};

use crate::fault::{Fault, Res};
use crate::heap::{EntityState, Obj, Past, range_parts};
use crate::host::{HostPast, HostRecord, HostResponse, HostValue, Moment};
use crate::machine::Machine;
use crate::semantics::{Walk, entity, print, types, unlinking, wire};
use crate::value::{View, Word};

/// A value from outside.
pub(crate) fn import(m: &mut Machine, value: &HostValue) -> Res<Word> {
    import_in(m, value, &mut Walk::copying("take this value in"))
}

/// A field of a stored record; links of a record of the past lead to records as they were then.
pub(crate) fn import_field(m: &mut Machine, value: &HostValue, as_of: Option<Moment>) -> Res<Word> {
    let walk = Walk::copying("take this value in");
    import_in(m, value, &mut walk.seen_at(as_of))
}

fn import_all(m: &mut Machine, values: &[HostValue], walk: &mut Walk) -> Res<Vec<Word>> {
    walk.enter()?;
    let words = values
        .iter()
        .map(|value| import_in(m, value, walk))
        .collect::<Res<Vec<Word>>>()?;
    walk.leave();
    Ok(words)
}

fn import_in(m: &mut Machine, value: &HostValue, walk: &mut Walk) -> Res<Word> {
    walk.step()?;
    match value {
        HostValue::None => Ok(Word::none()),
        HostValue::Bool(value) => Ok(Word::bool(*value)),
        HostValue::Int(value) => m.heap.int_word(*value),
        HostValue::Float(value) => m.heap.float_word(*value),
        HostValue::Text(text) => m.heap.text_word(text),
        HostValue::Time(ms) => m.heap.time_word(*ms),
        HostValue::Duration(ms) => m.heap.duration_word(*ms),
        HostValue::Link(ty, id) => {
            check_entity(m, ty.0)?;
            let link = match walk.as_of {
                Some(as_of) => {
                    let past = Past {
                        as_of,
                        valid_to: None,
                    };
                    m.heap.entity_past_link(ty.0, *id, past)
                }
                None => m.heap.entity_link(ty.0, *id),
            };
            link.map(Word::object)
        }
        HostValue::Entity(record) => import_record(m, record, walk),
        HostValue::Enum {
            index,
            variant,
            data,
        } => {
            let known = m.program.module().enums.get(*index as usize);
            let variant_known = known.and_then(|e| e.variants.get(*variant as usize));
            if variant_known.is_none_or(|(_, types)| types.len() != data.len()) {
                return Err(Fault::type_error(
                    "this enum value does not belong to the program",
                ));
            }
            let data = import_all(m, data, walk)?;
            m.heap.new_enum(*index, *variant, &data).map(Word::object)
        }
        HostValue::List(values) => {
            let words = import_all(m, values, walk)?;
            m.heap.new_list_of(&words).map(Word::object)
        }
        HostValue::Tuple(values) => {
            let words = import_all(m, values, walk)?;
            m.heap.new_tuple(&words).map(Word::object)
        }
        HostValue::Map(entries) => {
            walk.enter()?;
            let map = m.heap.new_dict(entries.len())?;
            for (key, value) in entries {
                let key = m.heap.text_word(key)?;
                let value = import_in(m, value, walk)?;
                m.heap.map_set(map, key, value)?;
            }
            walk.leave();
            Ok(Word::object(map))
        }
        HostValue::Response(response) => import_response(m, response, walk),
    }
}

fn check_entity(m: &Machine, ty: u32) -> Res<()> {
    if (ty as usize) < m.program.module().entities.len() {
        Ok(())
    } else {
        Err(Fault::type_error(
            "this record does not belong to an entity of the program",
        ))
    }
}

fn import_record(m: &mut Machine, record: &HostRecord, walk: &mut Walk) -> Res<Word> {
    check_entity(m, record.ty.0)?;
    if record.id > 0 {
        walk.enter()?;
        let object = entity::materialize(m, record)?;
        walk.leave();
        return Ok(Word::object(object));
    }
    let object = m.heap.new_entity(record.ty.0)?;
    let words = import_all(m, &record.fields, walk)?;
    for (index, word) in words
        .into_iter()
        .take(m.heap.layouts().entity_fields(record.ty.0))
        .enumerate()
    {
        object.set_entity_field(index, word);
    }
    Ok(Word::object(object))
}

fn import_response(m: &mut Machine, response: &HostResponse, walk: &mut Walk) -> Res<Word> {
    let headers = m.heap.new_dict(response.headers.len())?;
    for (name, value) in &response.headers {
        let (name, value) = (m.heap.text_word(name)?, m.heap.text_word(value)?);
        m.heap.map_set(headers, name, value)?;
    }
    let status = m.heap.int_word(i64::from(response.status))?;
    let body = import_in(m, &response.body, walk)?;
    let redirect = match &response.redirect {
        Some(to) => m.heap.text_word(to)?,
        None => Word::none(),
    };
    m.heap
        .new_response([status, Word::object(headers), body, redirect])
        .map(Word::object)
}

/// A value from outside as bits of a register of `class`.
pub(crate) fn import_as(m: &mut Machine, value: &HostValue, class: Class) -> Res<u64> {
    let word = import(m, value)?;
    m.heap.slot_bits(class, word).ok_or_else(|| {
        Fault::type_error(format!(
            "this argument cannot be {}",
            word.view().type_name()
        ))
    })
}

/// A value from outside as bits of a slot of a declared type.
pub(crate) fn import_typed(
    m: &mut Machine,
    value: &HostValue,
    class: Class,
    ty: TypeId,
) -> Res<u64> {
    let word = import(m, value)?;
    if class == Class::Ref {
        return types::adopt_ref(m, word, ty).map(Obj::address);
    }
    let untyped = matches!(m.program.module().types[ty.index()], TypeDesc::Any);
    let fits = untyped || types::accepts(m, word, ty)?;
    match m.heap.slot_bits(class, word) {
        Some(bits) if fits => Ok(bits),
        _ => {
            let (wanted, found) = (types::describe(m, ty), types::found(m, word));
            Err(Fault::type_error(format!(
                "expected {wanted}, found {found}"
            )))
        }
    }
}

/// A value as the outside sees it.
pub(crate) fn export(m: &mut Machine, word: Word) -> Res<HostValue> {
    export_in(m, word, &mut Walk::copying("hand this value out"))
}

fn export_all(m: &mut Machine, words: &[Word], walk: &mut Walk) -> Res<Vec<HostValue>> {
    walk.enter()?;
    let values = words
        .iter()
        .map(|word| export_in(m, *word, walk))
        .collect::<Res<Vec<HostValue>>>()?;
    walk.leave();
    Ok(values)
}

fn export_in(m: &mut Machine, word: Word, walk: &mut Walk) -> Res<HostValue> {
    walk.step()?;
    Ok(match word.view() {
        View::None => HostValue::None,
        View::Bool(value) => HostValue::Bool(value),
        View::Int(value) => HostValue::Int(value),
        View::Float(value) => HostValue::Float(value),
        View::Time(ms) => HostValue::Time(ms),
        View::Duration(ms) => HostValue::Duration(ms),
        View::Text(text) => HostValue::Text(text.text().unwrap_or_default().to_owned()),
        View::List(list) => {
            let words = m.heap.list_words(list)?;
            HostValue::List(export_all(m, &words, walk)?)
        }
        View::Map(map) => HostValue::Map(export_map(m, map, walk)?),
        View::Tuple(tuple) => {
            let words: Vec<Word> = (0..tuple.tuple_len())
                .filter_map(|index| tuple.tuple_get(index))
                .collect();
            HostValue::Tuple(export_all(m, &words, walk)?)
        }
        View::Enum(value) => {
            let (index, variant) = value.enum_parts();
            let words: Vec<Word> = (0..value.tuple_len())
                .filter_map(|index| value.enum_get(index))
                .collect();
            HostValue::Enum {
                index,
                variant,
                data: export_all(m, &words, walk)?,
            }
        }
        View::Entity(entity) => export_entity(m, entity, walk)?,
        View::Response(response) => {
            HostValue::Response(Box::new(export_response(m, response, walk)?))
        }
        View::Range(range) => {
            let (start, end, inclusive) = range_parts(range);
            HostValue::Text(format!(
                "{start}{}{end}",
                if inclusive { "..=" } else { ".." }
            ))
        }
        View::Error(error) => {
            let parts = error.error_parts();
            let mut entries = Vec::new();
            for (name, word) in [
                ("kind", parts.kind),
                ("message", parts.message),
                ("field", parts.field),
            ] {
                entries.push((name.to_owned(), export_in(m, word, walk)?));
            }
            HostValue::Map(entries)
        }
        found @ (View::Closure(_) | View::Query(_) | View::Cell(_)) => {
            return Err(Fault::type_error(format!(
                "a {} cannot leave the program",
                found.type_name()
            )));
        }
    })
}

fn export_map(m: &mut Machine, map: Obj, walk: &mut Walk) -> Res<Vec<(String, HostValue)>> {
    walk.enter()?;
    let mut entries = Vec::with_capacity(m.heap.map_len(map));
    for (key, value) in m.heap.map_entries(map)? {
        let key = print::to_string(m, key)?;
        entries.push((key, export_in(m, value, walk)?));
    }
    walk.leave();
    Ok(entries)
}

/// At the top an entity goes out with its fields; inside others, and while only its id is known, as a link.
fn export_entity(m: &mut Machine, entity: Obj, walk: &mut Walk) -> Res<HostValue> {
    let ty = flin_bytecode::EntityTypeId(entity.meta());
    let state = entity.entity_state();
    if state == EntityState::Link && entity.entity_past().is_some() && !walk.as_links {
        return Ok(wire::past(entity));
    }
    if state == EntityState::Link || walk.as_links && entity.entity_id() != 0 {
        return Ok(HostValue::Link(ty, entity.entity_id()));
    }
    walk.enter()?;
    let mut fields = Vec::new();
    for index in 0..m.heap.layouts().entity_fields(entity.meta()) {
        let word = unlinking::as_kept(m, entity, index)?;
        fields.push(export_field_in(m, word, walk)?);
    }
    walk.leave();
    let stamps = entity.entity_stamps();
    Ok(HostValue::Entity(Box::new(HostRecord {
        ty,
        id: entity.entity_id(),
        version: stamps.version,
        created_at: stamps.created_at,
        updated_at: stamps.updated_at,
        deleted_at: stamps.deleted_at,
        fields,
        past: entity.entity_past().map(|past| HostPast {
            as_of: past.as_of,
            valid_to: past.valid_to,
        }),
    })))
}

/// The value of an entity's field as the store keeps it: a record is a link.
pub(crate) fn export_field(m: &mut Machine, word: Word) -> Res<HostValue> {
    export_field_in(m, word, &mut Walk::copying("store this value"))
}

fn export_field_in(m: &mut Machine, word: Word, walk: &mut Walk) -> Res<HostValue> {
    let before = std::mem::replace(&mut walk.as_links, true);
    let value = export_in(m, word, walk);
    walk.as_links = before;
    value
}

fn export_response(m: &mut Machine, response: Obj, walk: &mut Walk) -> Res<HostResponse> {
    let [status, headers, body, redirect] = response.response_parts();
    let status = match status.view() {
        View::Int(status) => u16::try_from(status)
            .ok()
            .filter(|status| (100..=999).contains(status)),
        View::None => Some(200),
        _ => None,
    };
    let Some(status) = status else {
        return Err(Fault::type_error(
            "the status of a response is a number from 100 to 999",
        ));
    };
    let mut pairs = Vec::new();
    if let View::Map(map) = headers.view() {
        for (name, value) in m.heap.map_entries(map)? {
            pairs.push((print::to_string(m, name)?, print::to_string(m, value)?));
        }
    }
    let redirect = match redirect.view() {
        View::None => None,
        _ => Some(print::to_string(m, redirect)?),
    };
    Ok(HostResponse {
        status,
        headers: pairs,
        body: export_in(m, body, walk)?,
        redirect,
    })
}
