//! Checks of everything in a module but code: ids, shapes, types, entities, entry points, pages, routes, tests. Here
//! because code checks rely on them. Must stay true: every id of `module.rs` is checked here or in `function.rs`.

use std::collections::HashSet;

use super::{
    PARAMS_MAX, SLOTS_MAX, TABLE_MAX, TYPE_MEMBERS_MAX, TYPE_NESTING_MAX, VerifyError, VerifyFault,
    VerifyPlace,
};
use crate::class::Class;
use crate::ids::{EntityTypeId, FuncId, GlobalId, ShapeId, TypeId};
use crate::module::{Const, Entity, Module, NamedArg, Page, PageVariable, Signature, TypeDesc};
use crate::template::PlaceKind;

pub(super) type Checked = Result<(), VerifyFault>;

/// What a function must look like to be used in a place.
struct Role {
    name: &'static str,
    expected: &'static str,
    fits: fn(&Signature) -> bool,
}

const RUN: Role = Role {
    name: "an entry point",
    expected: "no parameters",
    fits: |s| s.params.is_empty(),
};
const ROUTE: Role = Role {
    name: "a route",
    expected: "no parameters, result any",
    fits: |s| s.params.is_empty() && s.result == Some(Class::Any),
};
const DEFAULT: Role = Role {
    name: "a default value",
    expected: "no parameters",
    fits: |s| s.params.is_empty(),
};
const CHECK: Role = Role {
    name: "a check",
    expected: "one parameter of class ref, result bool",
    fits: |s| s.params == [Class::Ref] && s.result == Some(Class::Bool),
};
const ANY_CALL: Role = Role {
    name: "a handler",
    expected: "a plain function",
    fits: |_| true,
};

/// Checks all tables of the module.
pub(super) fn check(module: &Module) -> Result<(), VerifyError> {
    table_sizes(module)?;
    each(&module.types, "types", |ty| type_desc(module, ty))?;
    type_nesting(module)?;
    each(&module.shapes, "shapes", |shape| {
        at_most("fields", shape.fields.len(), SLOTS_MAX)?;
        let mut seen = HashSet::new();
        for (name, _) in &shape.fields {
            let Some(Const::Text(text)) = module.constants.get(name.index()) else {
                return Err(VerifyFault::WrongConstant {
                    expected: "a text",
                    constant: name.0,
                });
            };
            if !seen.insert(text) {
                return Err(VerifyFault::Duplicate {
                    what: "fields",
                    name: text.clone(),
                });
            }
        }
        Ok(())
    })?;
    distinct(
        module.entities.iter().map(|e| &e.name),
        "entities",
        "entities",
    )?;
    each(&module.entities, "entities", |e| entity(module, e))?;
    each(&module.enums, "enums", |e| {
        at_most("variants", e.variants.len(), TABLE_MAX)?;
        e.variants
            .iter()
            .flat_map(|(_, types)| types)
            .try_for_each(|ty| has_type(module, *ty))
    })?;
    each(&module.globals, "globals", |global| {
        has_type(module, global.ty)
    })?;
    each(&module.signatures, "signatures", |s| {
        at_most("parameters", s.params.len(), PARAMS_MAX)
    })?;
    for (field, func) in [("main", module.main), ("const_init", module.const_init)] {
        if let Some(func) = func {
            plays(module, func, &RUN).map_err(|fault| VerifyError {
                place: VerifyPlace::Program { field },
                fault,
            })?;
        }
    }
    each(&module.pages, "pages", |p| page(module, p))?;
    each(&module.routes, "routes", |route| {
        plays(module, route.func, &ROUTE)?;
        for (_, global) in &route.injected {
            global_of(module, *global, Some(Class::Any))?;
        }
        variables(module, &route.variables)
    })?;
    each(&module.tests, "tests", |test| {
        plays(module, test.func, &RUN)?;
        variables(module, &test.variables)
    })?;
    super::queries::check(module)
}

fn table_sizes(module: &Module) -> Result<(), VerifyError> {
    let sizes = [
        ("constants", module.constants.len()),
        ("types", module.types.len()),
        ("shapes", module.shapes.len()),
        ("entities", module.entities.len()),
        ("enums", module.enums.len()),
        ("globals", module.globals.len()),
        ("signatures", module.signatures.len()),
        ("functions", module.functions.len()),
        ("pages", module.pages.len()),
        ("routes", module.routes.len()),
        ("tests", module.tests.len()),
        ("queries", module.queries.arguments.len()),
    ];
    for (field, found) in sizes {
        at_most("entries", found, TABLE_MAX).map_err(|fault| VerifyError {
            place: VerifyPlace::Program { field },
            fault,
        })?;
    }
    Ok(())
}

/// Runs a check over a table and names the entry that fails.
pub(super) fn each<T>(
    items: &[T],
    table: &'static str,
    check: impl Fn(&T) -> Checked,
) -> Result<(), VerifyError> {
    for (at, item) in items.iter().enumerate() {
        check(item).map_err(|fault| VerifyError {
            place: VerifyPlace::Table {
                table,
                index: at as u32,
            },
            fault,
        })?;
    }
    Ok(())
}

fn distinct<'a>(
    names: impl Iterator<Item = &'a String>,
    table: &'static str,
    what: &'static str,
) -> Result<(), VerifyError> {
    let mut seen = HashSet::new();
    for (at, name) in names.enumerate() {
        if !seen.insert(name) {
            let fault = VerifyFault::Duplicate {
                what,
                name: name.clone(),
            };
            return Err(VerifyError {
                place: VerifyPlace::Table {
                    table,
                    index: at as u32,
                },
                fault,
            });
        }
    }
    Ok(())
}

pub(super) fn at_most(what: &'static str, found: usize, max: usize) -> Checked {
    if found <= max {
        Ok(())
    } else {
        Err(VerifyFault::TooMany { what, found, max })
    }
}

pub(super) fn in_range(what: &'static str, id: u32, count: usize) -> Checked {
    if (id as usize) < count {
        Ok(())
    } else {
        Err(VerifyFault::OutOfRange {
            what,
            found: i64::from(id),
            count,
        })
    }
}

fn has_type(module: &Module, ty: TypeId) -> Checked {
    in_range("type", ty.0, module.types.len())
}

pub(super) fn has_entity(module: &Module, entity: EntityTypeId) -> Checked {
    in_range("entity", entity.0, module.entities.len())
}

fn global_of(module: &Module, global: GlobalId, class: Option<Class>) -> Checked {
    in_range("global", global.0, module.globals.len())?;
    let found = module.globals[global.index()].class;
    match class {
        Some(expected) if expected != found => Err(VerifyFault::GlobalClass {
            global: global.0,
            expected,
            found,
        }),
        Some(_) | None => Ok(()),
    }
}

/// The function exists, is no closure and has the signature that its role needs.
fn plays(module: &Module, func: FuncId, role: &Role) -> Checked {
    in_range("function", func.0, module.functions.len())?;
    let function = &module.functions[func.index()];
    if !function.is_closure && (role.fits)(&function.signature) {
        return Ok(());
    }
    Err(VerifyFault::WrongSignature {
        function: function.name.clone(),
        role: role.name,
        expected: role.expected,
    })
}

fn type_desc(module: &Module, ty: &TypeDesc) -> Checked {
    match ty {
        TypeDesc::Any
        | TypeDesc::None
        | TypeDesc::Int
        | TypeDesc::Float
        | TypeDesc::Bool
        | TypeDesc::Text
        | TypeDesc::Time
        | TypeDesc::Duration
        | TypeDesc::Error
        | TypeDesc::Response
        | TypeDesc::Function
        | TypeDesc::Range => Ok(()),
        TypeDesc::List(element, _) => has_type(module, *element),
        TypeDesc::Map(inner) | TypeDesc::Optional(inner) => has_type(module, *inner),
        TypeDesc::Record(ShapeId(shape), types) => {
            in_range("shape", *shape, module.shapes.len())?;
            let fields = module.shapes[*shape as usize].fields.len();
            if fields != types.len() {
                return Err(VerifyFault::RecordTypes {
                    fields,
                    types: types.len(),
                });
            }
            types.iter().try_for_each(|ty| has_type(module, *ty))
        }
        TypeDesc::Tuple(types) | TypeDesc::Union(types) => {
            types.iter().try_for_each(|ty| has_type(module, *ty))
        }
        TypeDesc::Entity(entity) | TypeDesc::Query(entity) => has_entity(module, *entity),
        TypeDesc::Enum(number) => in_range("enum", *number, module.enums.len()),
    }
}

/// Optional and union types must come to an end: no cycle through them alone, not too deep, and not so many members that
/// holding a value against them takes long (unions that name one union twice double each time). Each type is settled once
/// all types under it are (ids in range are already checked).
fn type_nesting(module: &Module) -> Result<(), VerifyError> {
    let under = |at: usize| -> &[TypeId] {
        match &module.types[at] {
            TypeDesc::Optional(inner) => std::slice::from_ref(inner),
            TypeDesc::Union(types) => types,
            TypeDesc::Any
            | TypeDesc::None
            | TypeDesc::Int
            | TypeDesc::Float
            | TypeDesc::Bool
            | TypeDesc::Text
            | TypeDesc::Time
            | TypeDesc::Duration
            | TypeDesc::Error
            | TypeDesc::Response
            | TypeDesc::Function
            | TypeDesc::Range
            | TypeDesc::List(..)
            | TypeDesc::Map(_)
            | TypeDesc::Record(..)
            | TypeDesc::Tuple(_)
            | TypeDesc::Entity(_)
            | TypeDesc::Query(_)
            | TypeDesc::Enum(_) => &[],
        }
    };
    let count = module.types.len();
    let mut waiting: Vec<usize> = (0..count).map(|at| under(at).len()).collect();
    let mut users: Vec<Vec<u32>> = vec![Vec::new(); count];
    for at in 0..count {
        for inner in under(at) {
            users[inner.index()].push(at as u32);
        }
    }
    let mut depth = vec![0_u32; count];
    let mut members: Vec<u32> = waiting.iter().map(|under| u32::from(*under == 0)).collect();
    let mut ready: Vec<usize> = (0..count).filter(|at| waiting[*at] == 0).collect();
    let mut settled = 0;
    while let Some(at) = ready.pop() {
        settled += 1;
        for &user in &users[at] {
            let user = user as usize;
            depth[user] = depth[user].max(depth[at] + 1);
            members[user] = members[user].saturating_add(members[at]);
            waiting[user] -= 1;
            if waiting[user] == 0 {
                ready.push(user);
            }
        }
    }
    let bad = (0..count).find(|&at| {
        depth[at] > TYPE_NESTING_MAX
            || members[at] > TYPE_MEMBERS_MAX
            || (settled < count && waiting[at] > 0)
    });
    match bad {
        Some(at) => Err(VerifyError {
            place: VerifyPlace::Table {
                table: "types",
                index: at as u32,
            },
            fault: VerifyFault::TypeNesting,
        }),
        None => Ok(()),
    }
}

fn entity(module: &Module, entity: &Entity) -> Checked {
    at_most("fields", entity.fields.len(), PARAMS_MAX)?;
    let mut seen = HashSet::new();
    for field in &entity.fields {
        if !seen.insert(&field.name) {
            return Err(VerifyFault::Duplicate {
                what: "fields",
                name: field.name.clone(),
            });
        }
        has_type(module, field.ty)?;
        if let Some(func) = field.default {
            plays(module, func, &DEFAULT)?;
        }
        for func in &field.checks {
            plays(module, *func, &CHECK)?;
        }
    }
    for inverse in &entity.inverses {
        if !seen.insert(&inverse.name) {
            return Err(VerifyFault::Duplicate {
                what: "fields",
                name: inverse.name.clone(),
            });
        }
        has_entity(module, inverse.entity)?;
        let fields = module.entities[inverse.entity.index()].fields.len();
        in_range("field", inverse.field, fields)?;
    }
    Ok(())
}

fn variables(module: &Module, variables: &[PageVariable]) -> Checked {
    for variable in variables {
        global_of(module, variable.global, None)?;
        plays(module, variable.init, &RUN)?;
    }
    Ok(())
}

/// Every template that a place names is one of the page.
fn templates(page: &Page) -> Checked {
    at_most("templates", page.templates.len(), TABLE_MAX)?;
    let known = |number: u32| in_range("template", number, page.templates.len());
    for place in page.templates.iter().flat_map(|template| &template.places) {
        match &place.kind {
            PlaceKind::Text | PlaceKind::Html | PlaceKind::Attribute(_) | PlaceKind::Attributes => {
            }
            PlaceKind::Block(branches) => branches.iter().try_for_each(|number| known(*number))?,
            PlaceKind::List(list) => {
                known(list.item)?;
                list.empty.map_or(Ok(()), known)?;
            }
        }
    }
    Ok(())
}

fn page(module: &Module, page: &Page) -> Checked {
    plays(module, page.view, &RUN)?;
    for (_, global) in &page.params {
        global_of(module, *global, Some(Class::Ref))?;
    }
    variables(module, &page.variables)?;
    at_most("handlers", page.handlers.len(), TABLE_MAX)?;
    for handler in &page.handlers {
        takes(module, handler.func, handler.params.len())?;
        handler
            .params
            .iter()
            .try_for_each(|(_, ty)| has_type(module, *ty))?;
        if let Some(call) = &handler.by_name {
            let values = call
                .args
                .iter()
                .filter(|arg| matches!(arg, NamedArg::Value(_)))
                .count();
            takes(module, call.func, values)?;
            for arg in &call.args {
                match arg {
                    NamedArg::Value(ty) => has_type(module, *ty)?,
                    NamedArg::Literal(_) => {}
                }
            }
        }
    }
    page.reads
        .iter()
        .chain(&page.writes)
        .try_for_each(|entity| has_entity(module, *entity))?;
    for (entity, field, global) in &page.field_sources {
        has_entity(module, *entity)?;
        in_range(
            "field",
            *field,
            module.entities[entity.index()].fields.len(),
        )?;
        global_of(module, *global, None)?;
    }
    if let Some(func) = page.browser_view {
        plays(module, func, &RUN)?;
    }
    templates(page)?;
    let assigned = page.handlers.iter().flat_map(|handler| &handler.assigns);
    page.shown
        .iter()
        .chain(&page.asks)
        .chain(assigned)
        .try_for_each(|global| global_of(module, *global, None))
}

/// A function that is called with that many values from a page.
fn takes(module: &Module, func: FuncId, count: usize) -> Checked {
    plays(module, func, &ANY_CALL)?;
    let function = &module.functions[func.index()];
    if function.signature.params.len() == count {
        return Ok(());
    }
    Err(VerifyFault::WrongSignature {
        function: function.name.clone(),
        role: ANY_CALL.name,
        expected: "as many parameters as the page sends values",
    })
}
