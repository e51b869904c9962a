//! Reading what a query walks. The steps (`where`, `order`, …) are applied by the prelude, which is FLIN code and may call
//! closures. Must stay true: a scan gives records by id, as they were when it was asked.

use flin_bytecode::{Class, EntityTypeId};

use crate::fault::{Fault, Res};
use crate::heap::{Obj, QUERY_STEPS_MAX, QueryBase};
use crate::host::{Host, ScanMode};
use crate::machine::Machine;
use crate::semantics::entity;
use crate::trap::ErrorKind;
use crate::value::Word;

/// The records of the query's base, as a list of class ref.
pub(crate) fn scan(m: &mut Machine, host: &mut dyn Host, query: Obj) -> Res<Obj> {
    let mode = match query.query_base() {
        QueryBase::Live => ScanMode::Live,
        QueryBase::Deleted => ScanMode::Deleted,
        QueryBase::All => ScanMode::All,
    };
    let records = host
        .entity_scan(EntityTypeId(query.meta()), mode)
        .map_err(Fault::host)?;
    m.entity_reads += records.len() as u64;
    let list = m.heap.new_list(Class::Ref, records.len())?;
    for record in &records {
        let object = entity::materialize(m, record)?;
        m.heap.list_push_bits(list, Word::object(object).bits())?;
    }
    Ok(list)
}

/// A copy of the query with one more step; kinds 5 and 6 change which records it walks.
pub(crate) fn with(m: &mut Machine, query: Obj, kind: i64, argument: Word) -> Res<Obj> {
    match kind {
        0..=4 if query.query_len() < QUERY_STEPS_MAX => {
            m.heap.query_with_step(query, kind, argument)
        }
        5 => m.heap.query_with_base(query, QueryBase::Deleted),
        6 => m.heap.query_with_base(query, QueryBase::All),
        0..=4 => Err(Fault::new(
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
