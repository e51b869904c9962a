//! Fields of a record from a map or another record, and into a map: the spread of an entity literal and the rest of a
//! pattern. Must stay true: only declared fields are copied; id, version and times belong to one record alone.

use crate::fault::{Fault, Res};
use crate::heap::{Obj, list_len};
use crate::host::Host;
use crate::machine::Machine;
use crate::semantics::entity;
use crate::value::{View, Word};
use flin_bytecode::FieldNo;

fn field_names(m: &Machine, record: Obj) -> Vec<String> {
    let entity = &m.program.module().entities[record.meta() as usize];
    let names = entity.fields.iter().map(|field| field.name.clone());
    names.collect()
}

/// `Todo { ...value }`: sets the declared fields that the value has. Of a map whose other keys come from outside (a form,
/// JSON) nothing else is wanted, so they count for nothing.
pub(crate) fn spread(m: &mut Machine, host: &mut dyn Host, record: Obj, value: Word) -> Res<()> {
    let names = field_names(m, record);
    match value.view() {
        View::None => Ok(()),
        View::Map(map) => {
            for (at, name) in names.iter().enumerate() {
                let key = m.heap.text_word(name)?;
                if let Some(found) = m.heap.map_get(map, key)? {
                    record.set_entity_field(at, found);
                }
            }
            Ok(())
        }
        View::Entity(from) => {
            let others = field_names(m, from);
            for (at, name) in names.iter().enumerate() {
                let Some(other) = others.iter().position(|other| other == name) else {
                    continue;
                };
                let found = entity::get_field(m, host, from, FieldNo(other as i32))?;
                record.set_entity_field(at, found);
            }
            Ok(())
        }
        found => Err(Fault::expected("a map or a record to spread", found)),
    }
}

/// `{ title, ...rest } = todo`: the declared fields but those named, as a map.
pub(crate) fn rest(m: &mut Machine, host: &mut dyn Host, record: Obj, names: Obj) -> Res<Obj> {
    let mut taken = Vec::with_capacity(list_len(names));
    for word in m.heap.list_words(names)? {
        if let View::Text(name) = word.view() {
            taken.push(name.text().unwrap_or_default().to_owned());
        }
    }
    let fields = field_names(m, record);
    let map = m.heap.new_dict(fields.len())?;
    for (at, name) in fields.iter().enumerate() {
        if taken.contains(name) {
            continue;
        }
        let value = entity::get_field(m, host, record, FieldNo(at as i32))?;
        let key = m.heap.text_word(name)?;
        m.heap.map_set(map, key, value)?;
    }
    Ok(map)
}
