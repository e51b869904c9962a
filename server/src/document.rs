//! The document around a rendered page. Must stay true: no inline script; the page data is JSON in a data block, escaped
//! so that it cannot leave it; equal pages are equal bytes.

use flin_runtime::json::write_text;
use flin_runtime::vm::bytecode::ids::{GlobalId, TypeId};
use flin_runtime::vm::bytecode::module::{Module, Page, TypeDesc, VariableKind};
use flin_runtime::{PageOutcome, vm::Rendered};

use crate::fresh::STATE_OF_LOADING;
use crate::respond::escape_html;
use crate::values::ViewName;

/// What stands around a rendered page.
pub(crate) struct Surroundings<'a> {
    pub(crate) module: &'a Module,
    pub(crate) page: &'a Page,
    /// As it stands in a link.
    pub(crate) path: &'a str,
    pub(crate) build: &'a str,
    /// Path of the browser runtime.
    pub(crate) script: &'a str,
    /// Path of the page's own script, if it has one.
    pub(crate) page_script: Option<&'a str>,
    pub(crate) token: &'a str,
    /// The view that the document shows, if it is just that.
    pub(crate) view: Option<ViewName>,
}

/// A whole page.
pub(crate) fn page_document(around: &Surroundings<'_>, outcome: &PageOutcome) -> String {
    let Rendered {
        head, body, forms, ..
    } = &outcome.rendered;
    let mut out = String::with_capacity(body.len() + head.len() + forms.len() + 1024);
    start(&mut out, head, around.path);
    if is_waiting(outcome) {
        // Without a script the page is asked for again, and waits for everything.
        out.push_str("<noscript><meta http-equiv=\"refresh\" content=\"0;url=?_load\"></noscript>");
    }
    if let Some(path) = around.page_script {
        out.push_str(&format!("<link rel=\"modulepreload\" href=\"{path}\">"));
    }
    let script = around.script;
    out.push_str(&format!(
        "<script type=\"module\" src=\"{script}\"></script></head><body>\n<div id=\"flin-root\">"
    ));
    out.push_str(body);
    out.push_str("</div>");
    out.push_str(forms);
    out.push_str("<script type=\"application/json\" id=\"flin-page\">");
    page_data(&mut out, around, outcome);
    out.push_str("</script></body></html>");
    out
}

// Whether a variable waits for another server: its state (`x?`) is the empty text.
fn is_waiting(outcome: &PageOutcome) -> bool {
    let mut state = outcome.state.iter();
    state.any(|(name, json)| name.ends_with(STATE_OF_LOADING) && json == "\"\"")
}

fn start(out: &mut String, head: &str, title: &str) {
    out.push_str("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    if !head.contains("<title") {
        out.push_str(&format!("<title>{}</title>", escape_html(title)));
    }
    out.push_str(head);
}

fn page_data(out: &mut String, around: &Surroundings<'_>, outcome: &PageOutcome) {
    let Surroundings { module, page, .. } = around;
    out.push_str("{\"page\":");
    write_text(out, around.path);
    out.push_str(",\"state\":");
    object(
        out,
        outcome
            .state
            .iter()
            .map(|(name, json)| (name.as_str(), json.as_str())),
    );
    let state = page
        .variables
        .iter()
        .filter(|variable| variable.kind == VariableKind::State);
    let types: Vec<(&str, String)> = state
        .map(|variable| {
            let global = &module.globals[variable.global.index()];
            let mut name = String::new();
            write_text(&mut name, &type_name(module, global.ty));
            (global.name.as_str(), name)
        })
        .collect();
    out.push_str(",\"types\":");
    object(out, types.iter().map(|(name, ty)| (*name, ty.as_str())));
    out.push_str(",\"reads\":[");
    for (at, ty) in page.reads.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_text(out, &module.entities[ty.index()].name);
    }
    out.push_str("],\"fields\":");
    let fields = field_sources(module, page);
    object(
        out,
        fields
            .iter()
            .map(|(name, sources)| (name.as_str(), sources.as_str())),
    );
    out.push_str(",\"shown\":[");
    let shown = types.iter().map(|(name, _)| *name).filter(|name| {
        let is = |global: &GlobalId| module.globals[global.index()].name == *name;
        page.shown.iter().any(is)
    });
    for (at, name) in shown.enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_text(out, name);
    }
    out.push(']');
    out.push_str(&format!(",\"seq\":{},\"build\":", outcome.seq));
    write_text(out, around.build);
    if !page.templates.is_empty() {
        view_data(out, around);
    }
    out.push('}');
}

// What the browser needs to follow the page by views and patches.
fn view_data(out: &mut String, around: &Surroundings<'_>) {
    match around.view {
        Some(view) => out.push_str(&format!(",\"view\":\"{view}\"")),
        None => out.push_str(",\"view\":null"),
    }
    out.push_str(",\"asks\":[");
    for (at, global) in around.page.asks.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_text(out, &around.module.globals[global.index()].name);
    }
    out.push_str("],\"token\":");
    write_text(out, around.token);
    if let Some(path) = around.page_script {
        out.push_str(",\"module\":");
        write_text(out, path);
    }
}

/// `{"name":value,…}` of names and finished JSON.
pub(crate) fn object<'a>(out: &mut String, entries: impl Iterator<Item = (&'a str, &'a str)>) {
    out.push('{');
    for (at, (name, json)) in entries.enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_text(out, name);
        out.push(':');
        out.push_str(json);
    }
    out.push('}');
}

// `Todo.title` and the JSON list of the variables whose inputs feed it.
fn field_sources(module: &Module, page: &Page) -> Vec<(String, String)> {
    let mut fields: Vec<(String, Vec<&str>)> = Vec::new();
    for (entity, field, global) in &page.field_sources {
        let entity = &module.entities[entity.index()];
        let name = format!("{}.{}", entity.name, entity.fields[*field as usize].name);
        let source = module.globals[global.index()].name.as_str();
        match fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sources)) if !sources.contains(&source) => sources.push(source),
            Some(_) => {}
            None => fields.push((name, vec![source])),
        }
    }
    let list = |sources: Vec<&str>| {
        let mut out = String::from("[");
        for (at, source) in sources.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            write_text(&mut out, source);
        }
        out.push(']');
        out
    };
    fields
        .into_iter()
        .map(|(name, sources)| (name, list(sources)))
        .collect()
}

// As the browser runtime reads its controls: "int", "float?", "text" …
fn type_name(module: &Module, ty: TypeId) -> String {
    match &module.types[ty.index()] {
        TypeDesc::Int => "int".to_owned(),
        TypeDesc::Float => "float".to_owned(),
        TypeDesc::Bool => "bool".to_owned(),
        TypeDesc::Text => "text".to_owned(),
        TypeDesc::Time => "time".to_owned(),
        TypeDesc::Duration => "duration".to_owned(),
        TypeDesc::List(..) | TypeDesc::Tuple(_) => "list".to_owned(),
        TypeDesc::Map(_) | TypeDesc::Record(..) => "map".to_owned(),
        TypeDesc::Entity(_) => "entity".to_owned(),
        TypeDesc::Enum(_) => "enum".to_owned(),
        TypeDesc::Optional(inner) => format!("{}?", type_name(module, *inner)),
        TypeDesc::Union(types) => optional_of(module, types),
        TypeDesc::Any
        | TypeDesc::None
        | TypeDesc::Error
        | TypeDesc::Function
        | TypeDesc::Query(_)
        | TypeDesc::Range
        | TypeDesc::Response => "any".to_owned(),
    }
}

fn optional_of(module: &Module, types: &[TypeId]) -> String {
    let is_none = |ty: &&TypeId| matches!(module.types[ty.index()], TypeDesc::None);
    let others: Vec<&TypeId> = types.iter().filter(|ty| !is_none(ty)).collect();
    match others.as_slice() {
        [one] => format!("{}?", type_name(module, **one)),
        _ => "any".to_owned(),
    }
}

/// A page that says what went wrong.
pub(crate) fn error_document(title: &str, message: &str, details: Option<&str>) -> String {
    let mut out = String::new();
    start(&mut out, "", title);
    out.push_str("<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}pre{overflow:auto}</style>");
    out.push_str(&format!(
        "</head><body><h1>{}</h1><p role=\"alert\">{}</p>",
        escape_html(title),
        escape_html(message)
    ));
    if let Some(details) = details {
        out.push_str(&format!("<pre>{}</pre>", escape_html(details)));
    }
    out.push_str("</body></html>");
    out
}
