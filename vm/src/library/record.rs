//! Records as they were, copies of their fields, and what a query finds without its steps. Must stay true: a body that
//! takes `any` does for a record exactly what the typed one does.

use flin_bytecode::EntityTypeId;

use super::{LibCall, Ret, map};
use crate::fault::{Fault, Res};
use crate::heap::{Kind, Obj};
use crate::semantics::{copying, history, query};
use crate::value::{View, Word};

impl LibCall<'_> {
    /// The n-th reference argument, which must be a record.
    fn record(&self, n: usize) -> Res<Obj> {
        self.kind(n, Kind::Entity, "a record of an entity")
    }
}

/// `record.history`
pub(super) fn history(call: &mut LibCall<'_>) -> Res<Obj> {
    let record = call.record(0)?;
    history::of(call.m, call.host, record)
}

/// `record @ when`
pub(super) fn at(call: &mut LibCall<'_>) -> Res<Word> {
    let (record, when) = (call.record(0)?, call.any(1));
    history::at(call.m, call.host, record, when)
}

/// The same for a result of class `ref`.
pub(super) fn at_object(call: &mut LibCall<'_>) -> Res<Ret> {
    object(at(call)?)
}

fn object(word: Word) -> Res<Ret> {
    Ok(word
        .as_obj()
        .filter(|_| !word.is_none())
        .map_or(Ret::None, Ret::Obj))
}

/// `Todo { ...value }`
pub(super) fn spread(call: &mut LibCall<'_>) -> Res<Ret> {
    let (record, value) = (call.record(0)?, call.any(1));
    copying::spread(call.m, call.host, record, value).map(|()| Ret::None)
}

/// The rest of a record in a pattern.
pub(super) fn rest(call: &mut LibCall<'_>) -> Res<Obj> {
    let (record, names) = (call.record(0)?, call.list(1)?);
    copying::rest(call.m, call.host, record, names)
}

/// The rest of a value that may be a map or a record.
pub(super) fn any_rest(call: &mut LibCall<'_>) -> Res<Ret> {
    match call.any(0).view() {
        View::Entity(_) => rest(call).map(|map| Ret::Any(Word::object(map))),
        View::Map(_) => match map::omit(call)? {
            Ret::Obj(map) => Ok(Ret::Any(Word::object(map))),
            other => Ok(other),
        },
        found => Err(Fault::expected("a map or a record", found)),
    }
}

/// `__query_find(query, id)`
pub(super) fn find(call: &mut LibCall<'_>) -> Res<Ret> {
    let (of, id) = (call.query(0)?, call.any(1));
    object(query::find(call.m, call.host, of, id)?)
}

/// `Todo.history(id)`
pub(super) fn history_by_id(call: &mut LibCall<'_>) -> Res<Ret> {
    let (of, id) = (call.query(0)?, call.any(1));
    let ty = EntityTypeId(of.meta());
    history::by_id(call.m, call.host, ty, id).map(Ret::Obj)
}

/// `__query_linked(record, field, target)`
pub(super) fn is_linked(call: &mut LibCall<'_>) -> Res<Ret> {
    let (record, field, target) = (call.record(0)?, call.int(0), call.any(1));
    query::is_linked(call.m, call.host, (record, field), target).map(Ret::Bool)
}
