//! Records as they were: versions by number and by time, whole histories. Here, apart from `entity`, because nothing of
//! it is ever written. Must stay true: what is asked for and never was gives none, not an error; a time that is yet to
//! come shows what is there now.

use flin_bytecode::{Class, EntityTypeId};

use crate::fault::{Fault, Res};
use crate::heap::{EntityState, Obj};
use crate::host::{Host, HostRecord, Moment};
use crate::iso;
use crate::machine::Machine;
use crate::semantics::entity;
use crate::trap::ErrorKind;
use crate::value::{View, Word};

/// The time that a time or a text with a date means, ms since 1970 UTC.
pub(crate) fn time_of(when: Word) -> Res<i64> {
    match when.view() {
        View::Time(ms) => Ok(ms),
        View::Text(text) => {
            let text = text.text().unwrap_or_default();
            iso::parse(text).ok_or_else(|| {
                Fault::new(
                    ErrorKind::ArgumentError,
                    format!(
                        "\"{text}\" is no date; write it as \"2026-01-15\" or \"2026-01-15T08:30\""
                    ),
                )
            })
        }
        View::Duration(_) => Err(Fault::type_error(
            "expected a time, found a duration; for what was so long ago write `now - …`",
        )),
        found => Err(Fault::expected("a time or a text with a date", found)),
    }
}

/// `record @ when`: a version by its number, or the one of a time.
pub(crate) fn at(m: &mut Machine, host: &mut dyn Host, record: Obj, when: Word) -> Res<Word> {
    let found = match when.view() {
        View::Int(number) => by_number(m, host, record, number)?,
        _ => by_time(m, host, record, time_of(when)?)?,
    };
    match found {
        Some(found) => entity::materialize(m, &found).map(Word::object),
        None => Ok(Word::none()),
    }
}

fn is_stored(record: Obj) -> bool {
    match record.entity_state() {
        EntityState::Loaded | EntityState::Link => true,
        EntityState::Unsaved | EntityState::Destroyed => false,
    }
}

/// From 0 on counted from the first version, below 0 back from the record's own.
fn by_number(
    m: &mut Machine,
    host: &mut dyn Host,
    record: Obj,
    number: i64,
) -> Res<Option<HostRecord>> {
    let mut versions = versions(m, host, record)?;
    let at = if number >= 0 {
        usize::try_from(number).ok()
    } else {
        let own = match record.entity_state() {
            EntityState::Loaded => record.entity_stamps().version,
            EntityState::Unsaved | EntityState::Link | EntityState::Destroyed => 0,
        };
        let own = versions.iter().position(|version| version.version == own);
        let own = own.or_else(|| versions.len().checked_sub(1));
        let back = usize::try_from(number.unsigned_abs()).ok();
        own.zip(back).and_then(|(own, back)| own.checked_sub(back))
    };
    Ok(at
        .filter(|at| *at < versions.len())
        .map(|at| versions.swap_remove(at)))
}

fn by_time(
    m: &mut Machine,
    host: &mut dyn Host,
    record: Obj,
    time_ms: i64,
) -> Res<Option<HostRecord>> {
    if !is_stored(record) {
        return Ok(None);
    }
    m.entity_reads += 1;
    let ty = EntityTypeId(record.meta());
    host.entity_get_at(ty, record.entity_id(), Moment::Time(time_ms))
        .map_err(Fault::host)
}

fn versions(m: &mut Machine, host: &mut dyn Host, record: Obj) -> Res<Vec<HostRecord>> {
    if !is_stored(record) {
        return Ok(Vec::new());
    }
    stored_versions(m, host, EntityTypeId(record.meta()), record.entity_id())
}

fn stored_versions(
    m: &mut Machine,
    host: &mut dyn Host,
    ty: EntityTypeId,
    id: i64,
) -> Res<Vec<HostRecord>> {
    let versions = host.entity_history(ty, id).map_err(Fault::host)?;
    m.entity_reads += versions.len() as u64;
    Ok(versions)
}

fn list(m: &mut Machine, versions: &[HostRecord]) -> Res<Obj> {
    let list = m.heap.new_list(Class::Ref, versions.len())?;
    for version in versions {
        let object = entity::materialize(m, version)?;
        m.heap.list_push_bits(list, Word::object(object).bits())?;
    }
    Ok(list)
}

/// All versions of a record, oldest first.
pub(crate) fn of(m: &mut Machine, host: &mut dyn Host, record: Obj) -> Res<Obj> {
    let versions = versions(m, host, record)?;
    list(m, &versions)
}

/// All versions of the record with this id, oldest first; none if there is no such record.
pub(crate) fn by_id(m: &mut Machine, host: &mut dyn Host, ty: EntityTypeId, id: Word) -> Res<Obj> {
    let versions = match entity::id_of(ty, id)?.filter(|id| *id > 0) {
        Some(id) => stored_versions(m, host, ty, id)?,
        None => Vec::new(),
    };
    list(m, &versions)
}
