//! What handlers captured, as JSON for the page. Here because only this side knows objects; the form is that of
//! `crate::wire`. Must stay true: a record travels as its link and must be saved; what has no such form is refused.

use crate::fault::{Fault, Res};
use crate::heap::{EntityState, Obj, list_len};
use crate::host::{HostPast, HostRecord, HostValue};
use crate::machine::Machine;
use crate::semantics::{Walk, print};
use crate::value::{View, Word};

/// A JSON list of the values.
pub(crate) fn list(m: &mut Machine, words: &[Word]) -> Res<String> {
    let mut walk = Walk::copying("send this value to the page");
    let values = all(m, words, &mut walk)?;
    let program = m.program.clone();
    Ok(crate::wire::json(
        program.module(),
        &m.page_key,
        &HostValue::List(values),
    ))
}

fn all(m: &mut Machine, words: &[Word], walk: &mut Walk) -> Res<Vec<HostValue>> {
    walk.enter()?;
    let values = words
        .iter()
        .map(|word| value(m, *word, walk))
        .collect::<Res<Vec<HostValue>>>()?;
    walk.leave();
    Ok(values)
}

fn value(m: &mut Machine, word: Word, walk: &mut Walk) -> Res<HostValue> {
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
            let words = (0..list_len(list))
                .map(|at| m.heap.list_word(list, at))
                .collect::<Res<Vec<Word>>>()?;
            HostValue::List(all(m, &words, walk)?)
        }
        View::Tuple(tuple) => {
            let words: Vec<Word> = (0..tuple.tuple_len())
                .filter_map(|at| tuple.tuple_get(at))
                .collect();
            HostValue::Tuple(all(m, &words, walk)?)
        }
        View::Map(map) => {
            walk.enter()?;
            let mut entries = Vec::new();
            for (key, word) in m.heap.map_entries(map)? {
                entries.push((print::to_string(m, key)?, value(m, word, walk)?));
            }
            walk.leave();
            HostValue::Map(entries)
        }
        View::Enum(found) => {
            let (index, variant) = found.enum_parts();
            let known = m.program.module().enums.get(index as usize);
            if known.is_none_or(|known| known.variants.len() <= variant as usize) {
                return Err(Fault::type_error(
                    "this enum value does not belong to the program",
                ));
            }
            let words: Vec<Word> = (0..found.tuple_len())
                .filter_map(|at| found.enum_get(at))
                .collect();
            HostValue::Enum {
                index,
                variant,
                data: all(m, &words, walk)?,
            }
        }
        View::Entity(entity) => link(m, entity)?,
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
    })
}

fn link(m: &Machine, entity: Obj) -> Res<HostValue> {
    match entity.entity_state() {
        EntityState::Unsaved | EntityState::Destroyed => {
            let name = &m.program.module().entities[entity.meta() as usize].name;
            Err(Fault::type_error(format!(
                "this {name} is not saved, so the page cannot refer to it"
            )))
        }
        EntityState::Loaded | EntityState::Link if entity.entity_past().is_some() => {
            Ok(past(entity))
        }
        EntityState::Loaded | EntityState::Link => Ok(HostValue::Link(
            flin_bytecode::EntityTypeId(entity.meta()),
            entity.entity_id(),
        )),
    }
}

/// A record of the past travels with its version, or none if only its moment is known; nobody asks for its fields.
pub(crate) fn past(entity: Obj) -> HostValue {
    let stamps = entity.entity_stamps();
    HostValue::Entity(Box::new(HostRecord {
        ty: flin_bytecode::EntityTypeId(entity.meta()),
        id: entity.entity_id(),
        version: stamps.version,
        created_at: stamps.created_at,
        updated_at: stamps.updated_at,
        deleted_at: stamps.deleted_at,
        fields: Vec::new(),
        past: entity.entity_past().map(|past| HostPast {
            as_of: past.as_of,
            valid_to: past.valid_to,
        }),
    }))
}
