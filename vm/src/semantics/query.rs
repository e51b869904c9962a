//! Reading what a query walks. The steps (`where`, `order`, …) are applied by the prelude, which is FLIN code and may call
//! closures. Must stay true: a scan gives records by id, as they were when it was asked.

use flin_bytecode::{Class, EntityTypeId, FieldNo};

use crate::fault::{Fault, Res};
use crate::heap::{Obj, QUERY_STEPS_MAX, QueryBase};
use crate::host::{Host, HostRecord, Moment, ScanMode};
use crate::machine::Machine;
use crate::semantics::{Walk, entity, history, pushing};
use crate::trap::ErrorKind;
use crate::value::{View, Word};

/// The records of the query's base, as a list of class ref; of a prepared query those that the host finds for it.
pub(crate) fn scan(m: &mut Machine, host: &mut dyn Host, query: Obj) -> Res<Obj> {
    let (ty, base) = (EntityTypeId(query.meta()), query.query_base());
    let records = match (pushing::plan(m, host, query)?, base.as_of) {
        (Some(plan), _) => {
            query.query_set_answered(plan.whole);
            host.entity_select(&plan.query)
        }
        (None, Some(when)) => host.entity_scan_at(ty, base.mode, when),
        (None, None) => host.entity_scan(ty, base.mode),
    };
    let records = records.map_err(Fault::host)?;
    m.entity_reads += records.len() as u64;
    let list = m.heap.new_list(Class::Ref, records.len())?;
    for record in &records {
        let object = entity::materialize(m, record)?;
        m.heap.list_push_bits(list, Word::object(object).bits())?;
    }
    Ok(list)
}

/// Steps from here on are links: by the field with the number above it, to a record.
const LINKED: i64 = 16;

/// A copy of the query with one more step; kinds 5 to 7 change which records it walks.
pub(crate) fn with(m: &mut Machine, query: Obj, kind: i64, argument: Word) -> Res<Obj> {
    let base = query.query_base();
    let in_mode = |mode| QueryBase { mode, ..base };
    match kind {
        0..=4 | 8 | LINKED.. if query.query_len() < QUERY_STEPS_MAX => {
            m.heap.query_with_step(query, kind, argument)
        }
        5 => m.heap.query_with_base(query, in_mode(ScanMode::Deleted)),
        6 => m.heap.query_with_base(query, in_mode(ScanMode::All)),
        7 => {
            let as_of = Some(Moment::Time(history::time_of(argument)?));
            m.heap.query_with_base(query, QueryBase { as_of, ..base })
        }
        0..=4 | 8 | LINKED.. => Err(Fault::new(
            ErrorKind::ArgumentError,
            format!("a query has at most {QUERY_STEPS_MAX} steps; is it built in a loop?"),
        )),
        _ => Err(Fault::new(
            ErrorKind::ArgumentError,
            format!("there is no query step {kind}"),
        )),
    }
}

/// Kind and argument of step `index`.
pub(crate) fn step(query: Obj, index: i64) -> Res<(i64, Word)> {
    usize::try_from(index)
        .ok()
        .and_then(|index| query.query_step(index))
        .ok_or_else(|| {
            Fault::new(
                ErrorKind::IndexOutOfBounds,
                format!("the query has no step {index}"),
            )
        })
}

/// The records that link to one by an inverse list of its entity. Those of a record of the past are of the same time.
pub(crate) fn inverse(m: &mut Machine, of: Obj, number: usize) -> Res<Obj> {
    let program = m.program.clone();
    let entity = &program.module().entities[of.meta() as usize];
    let Some(inverse) = entity.inverses.get(number) else {
        return Err(Fault::type_error(format!(
            "{} has no such list",
            entity.name
        )));
    };
    let base = QueryBase {
        as_of: of.entity_past().map(|past| past.as_of),
        ..QueryBase::LIVE
    };
    let query = m.heap.new_query(inverse.entity.0, base)?;
    let kind = LINKED + i64::from(inverse.field);
    m.heap.query_with_step(query, kind, Word::object(of))
}

/// Whether a field of a record links to another record, however deep in lists, maps and tuples.
pub(crate) fn is_linked(
    m: &mut Machine,
    host: &mut dyn Host,
    (record, field): (Obj, i64),
    target: Word,
) -> Res<bool> {
    let View::Entity(target) = target.view() else {
        return Ok(false);
    };
    if target.entity_id() == 0 {
        return Ok(false);
    }
    let number = i32::try_from(field).unwrap_or(i32::MAX);
    let held = entity::get_field(m, host, record, FieldNo(number))?;
    links(m, held, target, &mut Walk::new("look for links"))
}

fn links(m: &mut Machine, held: Word, target: Obj, walk: &mut Walk) -> Res<bool> {
    walk.step()?;
    let inside = match held.view() {
        View::Entity(found) => {
            return Ok(found.meta() == target.meta() && found.entity_id() == target.entity_id());
        }
        View::List(list) => m.heap.list_words(list)?,
        View::Map(map) => {
            let entries = m.heap.map_entries(map)?;
            entries.into_iter().map(|(_, value)| value).collect()
        }
        View::Tuple(tuple) => (0..tuple.tuple_len())
            .filter_map(|at| tuple.tuple_get(at))
            .collect(),
        View::Enum(value) => (0..value.tuple_len())
            .filter_map(|at| value.enum_get(at))
            .collect(),
        _ => return Ok(false),
    };
    walk.enter()?;
    for word in inside {
        if links(m, word, target, walk)? {
            return Ok(true);
        }
    }
    walk.leave();
    Ok(false)
}

/// The record with this id among those that the query walks, its steps left out, or the none object.
pub(crate) fn find(m: &mut Machine, host: &mut dyn Host, query: Obj, id: Word) -> Res<Word> {
    let ty = EntityTypeId(query.meta());
    let Some(id) = entity::id_of(ty, id)?.filter(|id| *id > 0) else {
        return Ok(Word::none());
    };
    let base = query.query_base();
    m.entity_reads += 1;
    let record = match base.as_of {
        Some(when) => host.entity_get_at(ty, id, when),
        None => host.entity_get(ty, id),
    };
    let wanted = |record: &HostRecord| match base.mode {
        ScanMode::Live => record.deleted_at.is_none(),
        ScanMode::Deleted => record.deleted_at.is_some(),
        ScanMode::All => true,
    };
    match record.map_err(Fault::host)?.filter(wanted) {
        Some(record) => entity::materialize(m, &record).map(Word::object),
        None => Ok(Word::none()),
    }
}
