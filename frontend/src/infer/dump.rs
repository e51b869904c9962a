//! Inferred types as text, for tests and for people. Here because it reads the tables as lowering does, so a test of this
//! text is a test of the tables. Must stay true: the text depends on the program alone; recursive types are cut.

use std::fmt::Write;

use flin_bytecode::Class;

use crate::hir::{FnKind, Program};
use crate::types::{Instance, Ty, Types};

/// Containers deeper than this are written as `…`.
const DEPTH_MAX: u32 = 4;

/// Globals, then every typed copy of every function of the program with its variables.
#[must_use]
pub fn dump(program: &Program, types: &Types) -> String {
    let mut out = String::new();
    for (global, ty) in program.globals.iter().zip(&types.globals) {
        let _ = writeln!(out, "{}: {}", global.name, name(program, types, *ty));
    }
    for instance in &types.instances {
        if !program.functions[instance.func.index()].from_prelude {
            function(program, types, instance, &mut out);
        }
    }
    out
}

fn function(program: &Program, types: &Types, instance: &Instance, out: &mut String) {
    let function = &program.functions[instance.func.index()];
    let params: Vec<String> = function
        .params
        .iter()
        .map(|param| {
            let ty = name(program, types, instance.locals[param.local.index()]);
            format!("{}: {ty}", function.locals[param.local.index()].name)
        })
        .collect();
    let result = name(program, types, instance.result);
    let title = match function.kind {
        FnKind::Named => format!("fn {}", function.name),
        FnKind::Lambda | FnKind::Internal => function.name.clone(),
    };
    let _ = writeln!(out, "{title}({}) -> {result}", params.join(", "));
    for (at, local) in function.locals.iter().enumerate() {
        let is_param = function
            .params
            .iter()
            .any(|param| param.local.index() == at);
        let written = local
            .name
            .starts_with(|c: char| c.is_alphabetic() || c == '_');
        if !is_param && written {
            let _ = writeln!(
                out,
                "  {}: {}",
                local.name,
                name(program, types, instance.locals[at])
            );
        }
    }
    let dynamic = instance
        .exprs
        .iter()
        .filter(|ty| is_dynamic(types, **ty))
        .count();
    if dynamic > 0 {
        let _ = writeln!(out, "  ({dynamic} dynamic)");
    }
}

/// Whether values of the type carry their kind with them at run time.
fn is_dynamic(types: &Types, ty: Ty) -> bool {
    !matches!(ty, Ty::None | Ty::Never) && types.class(ty) == Class::Any
}

/// A type as it would be written, as far as types can be written.
#[must_use]
pub fn name(program: &Program, types: &Types, ty: Ty) -> String {
    name_to(program, types, ty, DEPTH_MAX)
}

fn name_to(program: &Program, types: &Types, ty: Ty, depth: u32) -> String {
    let Some(depth) = depth.checked_sub(1) else {
        return "…".to_owned();
    };
    let inner = |ty: Ty| name_to(program, types, ty, depth);
    let all = |tys: &[Ty]| tys.iter().map(|ty| inner(*ty)).collect::<Vec<_>>();
    match ty {
        Ty::Never => "never".to_owned(),
        Ty::None => "none".to_owned(),
        Ty::Bool => "bool".to_owned(),
        Ty::Int => "int".to_owned(),
        Ty::Float => "float".to_owned(),
        Ty::Text => "text".to_owned(),
        Ty::Time => "time".to_owned(),
        Ty::Duration => "duration".to_owned(),
        Ty::Range => "range".to_owned(),
        Ty::Error => "error".to_owned(),
        Ty::Response => "response".to_owned(),
        Ty::List(list) => format!("[{}]", inner(types.lists[list.index()])),
        Ty::Map(map) => format!("[_: {}]", inner(types.maps[map.index()])),
        Ty::Record(record) => {
            let fields = types.records[record.index()].iter();
            let fields: Vec<String> = fields
                .map(|(name, ty)| format!("{name}: {}", inner(*ty)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Ty::Tuple(tuple) => format!("({})", all(&types.tuples[tuple.index()]).join(", ")),
        Ty::Entity(entity) => program.entities[entity.index()].name.clone(),
        Ty::Query(entity) => format!("query {}", program.entities[entity.index()].name),
        Ty::Enum(def) => program.enums[def.index()].name.clone(),
        Ty::Func(func) => {
            let info = &types.funcs[func.index()];
            format!(
                "({}) -> {}",
                all(&info.params).join(", "),
                inner(info.result)
            )
        }
        Ty::Union(union) => all(&types.unions[union.index()]).join(" | "),
        Ty::Any => "any".to_owned(),
    }
}
