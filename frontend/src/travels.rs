//! Page state travels to the browser and back, so it cannot hold functions or queries. Here because only the types of the
//! whole program tell what a variable may hold. Must stay true: what is refused here is refused for good; a value of
//! type `any` is checked when the page is written.

use flin_syntax::{Code, Diagnostic};
use foldhash::{HashSet, HashSetExt};

use crate::hir::{GlobalKind, Program};
use crate::types::{Ty, Types};

/// Messages about page state that holds what cannot leave the program.
pub(crate) fn check(program: &Program, types: &Types) -> Vec<Diagnostic> {
    let globals = program.globals.iter().zip(&types.globals);
    let state = globals.filter(|(global, _)| global.kind == GlobalKind::State);
    let stuck = state.filter_map(|(global, ty)| {
        let what = stays(*ty, types, &mut HashSet::new())?;
        let title = format!("`{}` is page state, which cannot hold {what}", global.name);
        let told = Diagnostic::error(Code::WrongType, global.span, title)
            .reason("page state travels to the browser and back");
        Some(told.hint(format!(
            "keep what decides in the state, such as a text or a number, and compute {what} from it"
        )))
    });
    stuck.collect()
}

/// The first thing in values of a type that stays in the program.
fn stays(ty: Ty, types: &Types, seen: &mut HashSet<Ty>) -> Option<&'static str> {
    if !seen.insert(ty) {
        return None;
    }
    match ty {
        Ty::Func(_) => Some("a function"),
        Ty::Query(_) => Some("a query"),
        Ty::List(list) => stays(types.lists[list.index()], types, seen),
        Ty::Map(map) => stays(types.maps[map.index()], types, seen),
        Ty::Record(record) => {
            let mut fields = types.records[record.index()].iter();
            fields.find_map(|(_, field)| stays(*field, types, seen))
        }
        Ty::Tuple(tuple) => {
            let mut members = types.tuples[tuple.index()].iter();
            members.find_map(|member| stays(*member, types, seen))
        }
        Ty::Union(union) => {
            let mut members = types.unions[union.index()].iter();
            members.find_map(|member| stays(*member, types, seen))
        }
        Ty::Never
        | Ty::None
        | Ty::Bool
        | Ty::Int
        | Ty::Float
        | Ty::Text
        | Ty::Time
        | Ty::Duration
        | Ty::Range
        | Ty::Error
        | Ty::Response
        | Ty::Entity(_)
        | Ty::Enum(_)
        | Ty::Any => None,
    }
}
