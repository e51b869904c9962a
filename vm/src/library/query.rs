//! Steps of lazy queries, for the prelude. Must stay true: a query never changes, adding a step makes a new one.

use super::{LibCall, Ret};
use crate::fault::Res;
use crate::semantics::query;

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
