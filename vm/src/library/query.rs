//! Steps of lazy queries, for the prelude. Must stay true: a query never changes, adding a step makes a new one.

use flin_bytecode::Native;

use super::{LibCall, Ret};
use crate::fault::Res;
use crate::semantics::query;

/// Bodies of the query rows; none for other rows.
pub(super) fn dispatch(native: Native, call: &mut LibCall<'_>) -> Option<Res<Ret>> {
    Some(match native.lib_id().row().name {
        "__query_with" => with(call),
        "__query_steps" => call
            .query(0)
            .map(|query| Ret::Int(query.query_len() as i64)),
        "__query_kind" => step(call).map(|(kind, _)| Ret::Int(kind)),
        "__query_arg" => step(call).map(|(_, argument)| Ret::Any(argument)),
        _ => return None,
    })
}

fn with(call: &mut LibCall<'_>) -> Res<Ret> {
    let (query, kind, argument) = (call.query(0)?, call.int(0), call.any(1));
    query::with(call.m, query, kind, argument).map(Ret::Obj)
}

fn step(call: &mut LibCall<'_>) -> Res<(i64, crate::value::Word)> {
    query::step(call.query(0)?, call.int(0))
}
