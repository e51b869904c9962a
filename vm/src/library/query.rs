//! Steps of lazy queries, for the prelude. Must stay true: a query never changes, adding a step makes a new one.

use super::{LibCall, Ret};
use crate::fault::Res;
use crate::semantics::pushing::{self, Wanted};
use crate::semantics::{convert, query};
use crate::value::Word;

/// `__query_with(query, kind, argument)`
pub(super) fn with(call: &mut LibCall<'_>) -> Res<Ret> {
    let (query, kind, argument) = (call.query(0)?, call.int(0), call.any(1));
    query::with(call.m, query, kind, argument).map(Ret::Obj)
}

/// `__query_steps(query)`
pub(super) fn steps(call: &mut LibCall<'_>) -> Res<Ret> {
    call.query(0)
        .map(|query| Ret::Int(query.query_len() as i64))
}

/// `__query_kind(query, n)`
pub(super) fn kind(call: &mut LibCall<'_>) -> Res<Ret> {
    query::step(call.query(0)?, call.int(0)).map(|(kind, _)| Ret::Int(kind))
}

/// `__query_arg(query, n)`
pub(super) fn argument(call: &mut LibCall<'_>) -> Res<Ret> {
    query::step(call.query(0)?, call.int(0)).map(|(_, argument)| Ret::Any(argument))
}

/// `__query_known(query, n)`
pub(super) fn known(call: &mut LibCall<'_>) -> Res<Ret> {
    let (query, at) = (call.query(0)?, usize::try_from(call.int(0)));
    let pushed = call.m.program.module().queries.pushed;
    let found = match at {
        Ok(at) if pushed => pushing::known_values(call.m, query, at)?,
        Ok(_) | Err(_) => None,
    };
    Ok(Ret::Any(found.unwrap_or_else(|| Word::bool(false))))
}

/// `__query_prepared(query, known, wanted)`
pub(super) fn prepared(call: &mut LibCall<'_>) -> Res<Ret> {
    let (query, known) = (call.query(0)?, call.list(1)?);
    if !call.m.program.module().queries.pushed {
        return Ok(Ret::Obj(query));
    }
    let wanted = match call.int(0) {
        0 => Wanted::All,
        1 => Wanted::First,
        _ => Wanted::Last,
    };
    let prepared = call.m.heap.query_prepared(query, known, wanted);
    prepared.map(Ret::Obj)
}

/// `__query_answered(query)`
pub(super) fn answered(call: &mut LibCall<'_>) -> Res<Ret> {
    call.query(0).map(|query| Ret::Bool(query.query_answered()))
}

/// `__query_count(query)`
pub(super) fn count(call: &mut LibCall<'_>) -> Res<Ret> {
    let query = call.query(0)?;
    let found = pushing::count(call.m, call.host, query)?;
    Ok(Ret::Int(found.unwrap_or(-1)))
}

/// `__query_total(query, kind, key, into)`
pub(super) fn total(call: &mut LibCall<'_>) -> Res<Ret> {
    let (query, key, into) = (call.query(0)?, call.any(1), call.list(2)?);
    let kind = call.int(0);
    match pushing::total(call.m, call.host, (query, key), kind)? {
        Some(Some(value)) => {
            let word = convert::import_field(call.m, &value, None)?;
            call.m.heap.list_push(into, word)?;
            Ok(Ret::Bool(true))
        }
        Some(None) => Ok(Ret::Bool(true)),
        None => Ok(Ret::Bool(false)),
    }
}

/// `__query_explain(query)`
pub(super) fn explain(call: &mut LibCall<'_>) -> Res<Ret> {
    let query = call.query(0)?;
    let text = pushing::explain(call.m, call.host, query)?;
    call.text_result(&text)
}
