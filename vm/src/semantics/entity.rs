//! Entity objects and the host's records: loading, following links, saving, deleting. Must stay true: one object per type
//! and id, and one for each time a record of the past is asked for; an object with changes that were not saved, in place or not,
//! is never overwritten by a read; every write goes to the host before the object says so.

use flin_bytecode::{EntityTypeId, FieldNo};

use crate::fault::{Fault, Res};
use crate::heap::{EntityState, Obj, Past, Stamps};
use crate::host::{Host, HostError, HostRecord, HostValue, Moment};
use crate::machine::Machine;
use crate::semantics::{convert, unlinking, validate};
use crate::trap::ErrorKind;
use crate::value::{View, Word};

fn entity_name(m: &Machine, ty: u32) -> String {
    m.program.module().entities[ty as usize].name.clone()
}

#[cold]
fn not_found(m: &Machine, ty: u32, id: i64) -> Fault {
    Fault::host(HostError::NotFound {
        entity: entity_name(m, ty),
        id,
    })
}

#[cold]
fn never_saved(m: &Machine, ty: u32, what: &str) -> Fault {
    Fault::new(
        ErrorKind::NotFound,
        format!(
            "this {} was never saved, so it cannot be {what}",
            entity_name(m, ty)
        ),
    )
}

fn stamps_of(record: &HostRecord) -> Stamps {
    Stamps {
        version: record.version,
        created_at: record.created_at,
        updated_at: record.updated_at,
        deleted_at: record.deleted_at,
    }
}

/// The object of a record that the host gave.
pub(crate) fn materialize(m: &mut Machine, record: &HostRecord) -> Res<Obj> {
    let past = record.past.map(|past| Past {
        as_of: past.as_of,
        valid_to: past.valid_to,
    });
    let entity = match past {
        Some(past) => m.heap.entity_past_link(record.ty.0, record.id, past)?,
        None => m.heap.entity_link(record.ty.0, record.id)?,
    };
    if entity.entity_state() == EntityState::Loaded {
        if entity.entity_is_changed() {
            return Ok(entity);
        }
        // Its fields are these; its lists and maps may have been changed in place, and are in the program's hands.
        if entity.entity_is_in_use() || entity.entity_stamps().version == record.version {
            m.heap.entity_stamp(entity, stamps_of(record));
            return Ok(entity);
        }
    }
    fill(m, entity, record)?;
    Ok(entity)
}

/// Puts what the host gave into an object.
fn fill(m: &mut Machine, entity: Obj, record: &HostRecord) -> Res<()> {
    let as_of = entity.entity_past().map(|past| past.as_of);
    let mut fields = Vec::with_capacity(m.heap.layouts().entity_fields(record.ty.0));
    for index in 0..m.heap.layouts().entity_fields(record.ty.0) {
        fields.push(match record.fields.get(index) {
            Some(value) => convert::import_field(m, value, as_of)?,
            None => Word::none(),
        });
    }
    m.heap
        .entity_fill(entity, record.id, stamps_of(record), &fields);
    Ok(())
}

/// Makes sure that the fields are there.
fn load(m: &mut Machine, host: &mut dyn Host, entity: Obj) -> Res<()> {
    if entity.entity_state() != EntityState::Link {
        return Ok(());
    }
    if try_load(m, host, entity)? {
        return Ok(());
    }
    Err(not_found(m, entity.meta(), entity.entity_id()))
}

/// Reads the fields of an object that has none yet; whether there is, or was, such a record.
fn try_load(m: &mut Machine, host: &mut dyn Host, entity: Obj) -> Res<bool> {
    if entity.entity_state() != EntityState::Link {
        return Ok(true);
    }
    let (ty, id) = (entity.meta(), entity.entity_id());
    let record = match entity.entity_past() {
        Some(past) => {
            m.entity_reads += 1;
            host.entity_get_at(EntityTypeId(ty), id, past.as_of)
                .map_err(Fault::host)?
        }
        None => read(m, host, ty, id)?,
    };
    match record {
        Some(record) => {
            if let (Some(past), Some(read)) = (entity.entity_past(), record.past) {
                let valid_to = read.valid_to;
                m.heap.entity_set_past(entity, Past { valid_to, ..past });
            }
            fill(m, entity, &record).map(|()| true)
        }
        None => Ok(false),
    }
}

fn read(m: &mut Machine, host: &mut dyn Host, ty: u32, id: i64) -> Res<Option<HostRecord>> {
    m.entity_reads += 1;
    host.entity_get(EntityTypeId(ty), id).map_err(Fault::host)
}

/// The object of the record with this id, if it exists and is not deleted.
fn live(m: &mut Machine, host: &mut dyn Host, ty: u32, id: i64) -> Res<Option<Obj>> {
    let known = m.heap.entity_link(ty, id)?;
    live_object(m, host, known)
}

/// The object itself, if there is such a record, or was at its time, and it is not deleted.
fn live_object(m: &mut Machine, host: &mut dyn Host, object: Obj) -> Res<Option<Obj>> {
    if !try_load(m, host, object)? {
        return Ok(None);
    }
    let deleted = object.entity_stamps().deleted_at.is_some();
    Ok((!deleted).then_some(object))
}

fn none_obj() -> Obj {
    Word::none().as_obj().expect("none is an object")
}

/// The declared field with this number, compared with the entity of the object.
fn declared(m: &Machine, entity: Obj, field: FieldNo) -> Res<usize> {
    match field.declared() {
        Some(index) if index < m.heap.layouts().entity_fields(entity.meta()) => Ok(index),
        _ => Err(Fault::type_error(format!(
            "{} has no such field",
            entity_name(m, entity.meta())
        ))),
    }
}

/// A field of an entity object, automatic ones included; a reference gives the link.
pub(crate) fn get_field(
    m: &mut Machine,
    host: &mut dyn Host,
    entity: Obj,
    field: FieldNo,
) -> Res<Word> {
    if field == FieldNo::ID {
        return match entity.entity_id() {
            0 => Ok(Word::none()),
            id => m.heap.int_word(id),
        };
    }
    load(m, host, entity)?;
    let stamps = entity.entity_stamps();
    let saved = entity.entity_id() != 0;
    match field {
        FieldNo::VERSION => m.heap.int_word(stamps.version),
        FieldNo::CREATED_AT if saved => m.heap.time_word(stamps.created_at),
        FieldNo::UPDATED_AT if saved => m.heap.time_word(stamps.updated_at),
        FieldNo::DELETED_AT => match stamps.deleted_at {
            Some(ms) => m.heap.time_word(ms),
            None => Ok(Word::none()),
        },
        FieldNo::VALID_FROM if saved => m.heap.time_word(stamps.updated_at),
        FieldNo::VALID_TO => match entity.entity_past().and_then(|past| past.valid_to) {
            Some(ms) => m.heap.time_word(ms),
            None => Ok(Word::none()),
        },
        FieldNo::CREATED_AT | FieldNo::UPDATED_AT | FieldNo::VALID_FROM => Ok(Word::none()),
        field => {
            let index = declared(m, entity, field)?;
            let value = entity.entity_field(index);
            if !holds_others(value) {
                return Ok(value);
            }
            if unlinking::is_stale(m, entity, index) {
                unlinking::settle(m, entity)?;
            }
            entity.entity_lend();
            Ok(entity.entity_field(index))
        }
    }
}

/// Whether it is a value that holds others.
fn holds_others(word: Word) -> bool {
    matches!(
        word.view(),
        View::List(_) | View::Map(_) | View::Tuple(_) | View::Enum(_)
    )
}

/// Sets a declared field; its type is enforced at save.
pub(crate) fn set_field(
    m: &mut Machine,
    host: &mut dyn Host,
    entity: Obj,
    field: FieldNo,
    value: Word,
) -> Res<()> {
    if field.declared().is_none() {
        return Err(Fault::type_error(
            "id, version and times of a record are set by saving it",
        ));
    }
    load(m, host, entity)?;
    let index = declared(m, entity, field)?;
    if holds_others(value) && unlinking::is_stale(m, entity, index) {
        unlinking::settle(m, entity)?;
    }
    m.heap.entity_note_change(entity);
    entity.set_entity_field(index, value);
    Ok(())
}

/// The record behind a reference field, or the none object.
pub(crate) fn follow(
    m: &mut Machine,
    host: &mut dyn Host,
    entity: Obj,
    field: FieldNo,
) -> Res<Obj> {
    let link = get_field(m, host, entity, field)?;
    match link.view() {
        View::Entity(target) => Ok(live_object(m, host, target)?.unwrap_or_else(none_obj)),
        View::None => Ok(none_obj()),
        found => Err(Fault::expected("a link to a record", found)),
    }
}

/// `Todo.find(id)`: ids may come as text (from a path or form).
pub(crate) fn find(m: &mut Machine, host: &mut dyn Host, ty: EntityTypeId, id: Word) -> Res<Obj> {
    let id = id_of(ty, id)?;
    find_id(m, host, ty, id)
}

/// The id that a value names, if it names one.
pub(crate) fn id_of(ty: EntityTypeId, id: Word) -> Res<Option<i64>> {
    Ok(match id.view() {
        View::Int(id) => Some(id),
        View::Text(text) => text.text().and_then(|text| text.trim().parse().ok()),
        View::None => None,
        View::Entity(entity) if entity.meta() == ty.0 => Some(entity.entity_id()),
        found => return Err(Fault::expected("an id", found)),
    })
}

/// The record of a type with this id, or the none object.
pub(crate) fn find_id(
    m: &mut Machine,
    host: &mut dyn Host,
    ty: EntityTypeId,
    id: Option<i64>,
) -> Res<Obj> {
    match id {
        Some(id) if id > 0 => Ok(live(m, host, ty.0, id)?.unwrap_or_else(none_obj)),
        _ => Ok(none_obj()),
    }
}

/// The built-in validators alone.
pub(crate) fn validate(m: &mut Machine, host: &mut dyn Host, entity: Obj) -> Res<()> {
    valid_words(m, host, entity).map(drop)
}

fn valid_words(m: &mut Machine, host: &mut dyn Host, entity: Obj) -> Res<Vec<Word>> {
    load(m, host, entity)?;
    if entity.entity_state() == EntityState::Destroyed {
        return Err(not_found(m, entity.meta(), entity.entity_id()));
    }
    validate::check(m, host, entity)
}

/// `save`: validators, then insert or a new version.
pub(crate) fn save(m: &mut Machine, host: &mut dyn Host, entity: Obj) -> Res<()> {
    let words = valid_words(m, host, entity)?;
    let ty = EntityTypeId(entity.meta());
    let fields = words
        .iter()
        .map(|word| convert::export_field(m, *word))
        .collect::<Res<Vec<HostValue>>>()?;
    m.entity_writes += 1;
    let record = match entity.entity_state() {
        EntityState::Unsaved => host.entity_insert(ty, fields),
        EntityState::Loaded | EntityState::Link | EntityState::Destroyed => {
            host.entity_update(ty, entity.entity_id(), fields)
        }
    };
    let record = record.map_err(Fault::host)?;
    if entity.entity_past().is_some() {
        return saved_from_past(m, entity, &record);
    }
    keep_saved(m, entity, &record, words);
    Ok(())
}

/// An object that was saved as it is: it goes on with the same lists and maps, of which the program may have some.
fn keep_saved(m: &mut Machine, entity: Obj, record: &HostRecord, mut words: Vec<Word>) {
    let lost = m.heap.entity_lost(entity);
    for (index, word) in words.iter_mut().enumerate() {
        if unlinking::is_stale(m, entity, index) {
            *word = entity.entity_field(index);
        }
    }
    m.heap
        .entity_fill(entity, record.id, stamps_of(record), &words);
    for gone in lost {
        m.heap.entity_lost_links(entity, &gone);
    }
    if words.iter().any(|word| holds_others(*word)) {
        m.heap.entity_hold(entity);
    }
}

/// After an old version was saved: its object stands for the new version now, and the record's own object has the old
/// data, whatever it held before.
fn saved_from_past(m: &mut Machine, entity: Obj, record: &HostRecord) -> Res<()> {
    let past = Past {
        as_of: Moment::Commit(0),
        valid_to: None,
    };
    m.heap.entity_set_past(entity, past);
    fill(m, entity, record)?;
    match m.heap.entity_known(record.ty.0, record.id) {
        Some(current) => fill(m, current, record),
        None => Ok(()),
    }
}

/// `delete`
pub(crate) fn delete(m: &mut Machine, host: &mut dyn Host, entity: Obj) -> Res<()> {
    let (ty, id) = saved(m, entity, "deleted")?;
    m.entity_writes += 1;
    let (record, others) = host.entity_delete(ty, id).map_err(Fault::host)?;
    written(m, entity, &record)?;
    unlinking::deleted(m, host, (ty, id), &others)
}

/// `restore`
pub(crate) fn restore(m: &mut Machine, host: &mut dyn Host, entity: Obj) -> Res<()> {
    let (ty, id) = saved(m, entity, "restored")?;
    m.entity_writes += 1;
    let record = host.entity_restore(ty, id).map_err(Fault::host)?;
    written(m, entity, &record)
}

/// `destroy`
pub(crate) fn destroy(m: &mut Machine, host: &mut dyn Host, entity: Obj) -> Res<()> {
    let (ty, id) = saved(m, entity, "destroyed")?;
    m.entity_writes += 1;
    let others = host.entity_destroy(ty, id).map_err(Fault::host)?;
    m.heap.entity_destroyed(entity);
    unlinking::deleted(m, host, (ty, id), &others)
}

fn saved(m: &Machine, entity: Obj, what: &str) -> Res<(EntityTypeId, i64)> {
    let (ty, id) = (entity.meta(), entity.entity_id());
    match entity.entity_state() {
        EntityState::Unsaved => Err(never_saved(m, ty, what)),
        EntityState::Destroyed => Err(not_found(m, ty, id)),
        EntityState::Loaded | EntityState::Link => Ok((EntityTypeId(ty), id)),
    }
}

/// After delete or restore: times and version are new; unsaved changes of fields stay what they are.
fn written(m: &mut Machine, entity: Obj, record: &HostRecord) -> Res<()> {
    if entity.entity_state() == EntityState::Link {
        fill(m, entity, record)?;
    }
    m.heap.entity_stamp(entity, stamps_of(record));
    match m.heap.entity_known(record.ty.0, record.id) {
        Some(known) if known.entity_state() == EntityState::Loaded => {
            renew(m, known, record).map(drop)
        }
        Some(_) | None => Ok(()),
    }
}

/// Gives a loaded object what its record holds by now. If the program may have changed it, or holds lists of it, that is
/// version and times alone, and it is given back.
pub(crate) fn renew(m: &mut Machine, entity: Obj, record: &HostRecord) -> Res<Option<Obj>> {
    if entity.entity_is_in_use() {
        m.heap.entity_stamp(entity, stamps_of(record));
        return Ok(Some(entity));
    }
    fill(m, entity, record).map(|()| None)
}
