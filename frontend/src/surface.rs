//! What a program shows to the outside: pages with what may be sent to them, routes. Here because whoever serves a program
//! wants to see at a glance what a stranger can reach. Must stay true: it says what the module says, nothing is guessed.

use std::fmt::Write as _;

use flin_bytecode::module::{
    ConstValue, EVENT_PARAM_PREFIX, Handler, Module, NamedArg, Page, TypeDesc, VariableKind,
};
use flin_bytecode::{EntityTypeId, GlobalId, Runs, TypeId};

/// The surface of a program as text: per page its state, handlers, records read and written; then the routes.
pub fn surface(module: &Module) -> String {
    let mut out = String::new();
    for page in &module.pages {
        page_lines(module, page, &mut out);
    }
    for route in &module.routes {
        let _ = writeln!(out, "route {} {}", route.method, route.path);
    }
    if out.is_empty() {
        out.push_str("nothing: the program has no pages and no routes\n");
    }
    out
}

fn page_lines(module: &Module, page: &Page, out: &mut String) {
    let _ = writeln!(out, "page {}", page.path);
    for variable in &page.variables {
        let global = &module.globals[variable.global.index()];
        if variable.kind == VariableKind::State {
            let ty = type_text(module, global.ty);
            let _ = writeln!(out, "  state {}: {ty}", global.name);
        }
    }
    for (number, handler) in page.handlers.iter().enumerate() {
        let _ = writeln!(out, "  {}", handler_line(module, number, handler));
    }
    let entities = |ids: &[EntityTypeId]| {
        let names = ids
            .iter()
            .map(|id| module.entities[id.index()].name.clone());
        names.collect::<Vec<String>>().join(", ")
    };
    let globals = |ids: &[GlobalId]| {
        let names = ids.iter().map(|id| module.globals[id.index()].name.clone());
        names.collect::<Vec<String>>().join(", ")
    };
    let lists = [
        ("reads", entities(&page.reads)),
        ("writes", entities(&page.writes)),
        ("asks the server when it changes", globals(&page.asks)),
    ];
    for (what, names) in lists {
        if !names.is_empty() {
            let _ = writeln!(out, "  {what}: {names}");
        }
    }
}

/// `handler #2 click in the browser: remove(Todo, "x"), changes draft`
fn handler_line(module: &Module, number: usize, handler: &Handler) -> String {
    let place = match handler.runs {
        Runs::Server => "on the server",
        Runs::Browser => "in the browser",
    };
    let own = |(name, _): &&(String, TypeId)| !name.starts_with(EVENT_PARAM_PREFIX);
    let values: Vec<String> = handler
        .params
        .iter()
        .filter(own)
        .map(|(name, ty)| format!("{name}: {}", type_text(module, *ty)))
        .collect();
    let mut line = format!("handler #{number} {} {place}", handler.event);
    if !values.is_empty() {
        let _ = write!(line, " takes {}", values.join(", "));
    }
    if let Some(call) = &handler.by_name {
        let args: Vec<String> = call
            .args
            .iter()
            .map(|arg| match arg {
                NamedArg::Literal(literal) => literal_text(literal),
                NamedArg::Value(ty) => type_text(module, *ty),
            })
            .collect();
        let _ = write!(line, ", by name {}({})", call.name, args.join(", "));
    }
    if !handler.assigns.is_empty() {
        let names: Vec<&str> = handler
            .assigns
            .iter()
            .map(|id| module.globals[id.index()].name.as_str())
            .collect();
        let _ = write!(line, ", changes {}", names.join(", "));
    }
    line
}

fn literal_text(literal: &ConstValue) -> String {
    match literal {
        ConstValue::None => "none".to_owned(),
        ConstValue::Bool(value) => value.to_string(),
        ConstValue::Int(value) => value.to_string(),
        ConstValue::Float(value) => format!("{value:?}"),
        ConstValue::Text(value) => format!("{value:?}"),
    }
}

/// A type as the program would write it.
fn type_text(module: &Module, ty: TypeId) -> String {
    let all = |types: &[TypeId], between: &str| {
        let texts: Vec<String> = types.iter().map(|ty| type_text(module, *ty)).collect();
        texts.join(between)
    };
    match &module.types[ty.index()] {
        TypeDesc::Any => "any".to_owned(),
        TypeDesc::None => "none".to_owned(),
        TypeDesc::Int => "int".to_owned(),
        TypeDesc::Float => "float".to_owned(),
        TypeDesc::Bool => "bool".to_owned(),
        TypeDesc::Text => "text".to_owned(),
        TypeDesc::Time => "time".to_owned(),
        TypeDesc::Duration => "duration".to_owned(),
        TypeDesc::List(element, _) => format!("[{}]", type_text(module, *element)),
        TypeDesc::Map(value) => format!("[text:{}]", type_text(module, *value)),
        TypeDesc::Record(shape, types) => {
            let fields = &module.shapes[shape.index()].fields;
            let fields: Vec<String> = fields
                .iter()
                .zip(types)
                .map(|((name, _), ty)| {
                    let name = match &module.constants[name.index()] {
                        flin_bytecode::module::Const::Text(name) => name.as_str(),
                        flin_bytecode::module::Const::Int(_)
                        | flin_bytecode::module::Const::Float(_) => "",
                    };
                    format!("{name}: {}", type_text(module, *ty))
                })
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        TypeDesc::Tuple(types) => format!("({})", all(types, ", ")),
        TypeDesc::Entity(entity) => module.entities[entity.index()].name.clone(),
        TypeDesc::Enum(number) => module.enums[*number as usize].name.clone(),
        TypeDesc::Optional(inner) => format!("{}?", type_text(module, *inner)),
        TypeDesc::Union(types) => all(types, " | "),
        TypeDesc::Error => "error".to_owned(),
        TypeDesc::Response => "response".to_owned(),
        TypeDesc::Function => "function".to_owned(),
        TypeDesc::Query(entity) => format!("query of {}", module.entities[entity.index()].name),
        TypeDesc::Range => "range".to_owned(),
    }
}
