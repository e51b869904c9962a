//! The module of a page: its templates, state, handlers and the view that the browser computes. Here because what goes into
//! it is the page's tables, not code. Must stay true: the shape is that of docs/internals/browser-code.md; what is not in
//! the browser has no code in it; no constant that is
//! computed stands in it, since who reads the script could read secrets there.

use std::fmt::Write as _;

use flin_bytecode::module::{EVENT_PARAM_PREFIX, Handler, VariableKind};
use flin_bytecode::{FuncId, Module, Owner, Page, PlaceKind, Runs, Template};

use super::capable::globals_read;
use super::letters::{letter, literal};
use super::module::{Writer, reachable};
use super::{Capable, LocalNames, Script};

/// Makes the scripts of all pages that have templates, and puts them there.
pub(crate) fn write_scripts(module: &mut Module, locals: &LocalNames) {
    if module.pages.iter().all(|page| page.templates.is_empty()) {
        return;
    }
    let capable = Capable::of(module);
    let scripts = module.pages.iter().map(|page| {
        let has_templates = !page.templates.is_empty();
        has_templates.then(|| page_script(module, page, &capable, locals))
    });
    let scripts: Vec<Option<Script>> = scripts.collect();
    for (page, script) in module.pages.iter_mut().zip(scripts) {
        let script = script.unwrap_or_default();
        (page.script, page.source_map) = (script.text, script.source_map);
    }
}

/// A page with all in the browser that can be there, its whole view included.
pub(crate) fn all_in_browser(module: &Module, at: usize) -> Page {
    let capable = Capable::of(module);
    let served = &module.pages[at];
    let mut page = served.clone();
    for handler in &mut page.handlers {
        if capable.why_not(module, served, handler.func).is_none() {
            handler.runs = Runs::Browser;
        }
    }
    if capable.why_not(module, served, page.view).is_none() {
        page.browser_view = Some(page.view);
        let places = page.templates.iter_mut().flat_map(|t| &mut t.places);
        places.for_each(|place| place.owner = Owner::Browser);
    }
    page
}

/// Derived variables that code reads which runs in the browser, in the order of the source, as their initialisers; also
/// what these read.
fn derived(module: &Module, page: &Page, roots: &[FuncId], capable: &Capable) -> Vec<FuncId> {
    let mut all: Vec<FuncId> = Vec::new();
    loop {
        let reached: Vec<FuncId> = roots.iter().chain(&all).copied().collect();
        let read = globals_read(module, &reachable(module, &reached));
        let wanted = page.variables.iter().filter(|variable| {
            variable.kind == VariableKind::Derived && read.contains(&variable.global.0)
        });
        let wanted: Vec<FuncId> = wanted.map(|variable| variable.init).collect();
        if wanted == all {
            let refused = |init: &FuncId| capable.why_not(module, page, *init);
            debug_assert_eq!(all.iter().find_map(refused), None, "its readers run here");
            return all;
        }
        all = wanted;
    }
}

/// The module of a page; `module` is not optimised yet.
pub fn page_script(module: &Module, page: &Page, capable: &Capable, locals: &LocalNames) -> Script {
    let handlers = page
        .handlers
        .iter()
        .filter(|handler| handler.runs == Runs::Browser);
    let mut roots: Vec<FuncId> = handlers.map(|handler| handler.func).collect();
    let view = page
        .browser_view
        .filter(|view| capable.why_not(module, page, *view).is_none());
    roots.extend(view);
    let derived = derived(module, page, &roots, capable);
    roots.extend(&derived);
    let functions = reachable(module, &roots);
    let mut writer = Writer::new(module, locals, &functions);
    writer.without_comments = true;
    if let Some(view) = view {
        writer.keep_of(page, view);
    }
    writer.line(format!(
        "// JavaScript of the page {} of {}.\n",
        page.path, module.source_name
    ));
    for func in &functions {
        writer.function(*func);
    }
    let last = last_lines(module, page, &writer, &derived, view);
    let file = format!("page{}.js", page.path.replace(['/', ':', '*', '.'], "-"));
    writer.finish(&functions, &file, &last)
}

/// The tables of the page and its export.
fn last_lines(
    module: &Module,
    page: &Page,
    writer: &Writer<'_>,
    derived: &[FuncId],
    view: Option<FuncId>,
) -> String {
    let templates: Vec<String> = page.templates.iter().map(template).collect();
    let state: Vec<String> = page
        .variables
        .iter()
        .filter(|variable| variable.kind == VariableKind::State)
        .map(|variable| {
            let global = &module.globals[variable.global.index()];
            let at = writer.global_name(variable.global.index());
            format!(
                "{{ name: {}, type: T{}, get: () => {at}, set: ($value) => {{ {at} = $value; }} }}",
                literal(&global.name),
                global.ty.0
            )
        })
        .collect();
    let handlers: Vec<String> = page
        .handlers
        .iter()
        .map(|h| handler(module, writer, h))
        .collect();
    let mut derive = String::new();
    for init in derived {
        let _ = writeln!(derive, "  {}(\"\");", writer.function_name(*init));
    }
    let view = view.map_or("null".to_owned(), |view| {
        format!("() => view_values({})", writer.function_name(view))
    });
    format!(
        "const TEMPLATES = [{}];\nconst STATE = [{}];\nconst HANDLERS = [{}];\n\n/** Computes what follows from page state. */\nfunction derive() {{\n{derive}}}\n\nexport default {{\n  route: {},\n  templates: TEMPLATES,\n  state: STATE,\n  handlers: HANDLERS,\n  view: {view},\n  attempt,\n  decode,\n  encode,\n  encode_as,\n  text: (value) => to_text(value, \"\"),\n}};",
        rows(&templates),
        rows(&state),
        rows(&handlers),
        literal(&page.path)
    )
}

/// Entries of a table, each on its line.
fn rows(entries: &[String]) -> String {
    if entries.is_empty() {
        return String::new();
    }
    format!("\n  {},\n", entries.join(",\n  "))
}

fn template(template: &Template) -> String {
    let places = template.places.iter().map(|place| {
        let kind = match &place.kind {
            PlaceKind::Text => "text".to_owned(),
            PlaceKind::Html => "html".to_owned(),
            PlaceKind::Attribute(name) => format!("attribute:{name}"),
            PlaceKind::Attributes => "attributes".to_owned(),
            PlaceKind::Block(_) => "block".to_owned(),
            PlaceKind::List(_) => "list".to_owned(),
        };
        let owner = match place.owner {
            Owner::Server => "server",
            Owner::Browser => "browser",
        };
        format!("[{}, \"{owner}\"]", literal(&kind))
    });
    let places: Vec<String> = places.collect();
    format!(
        "{{ html: {}, single: {}, places: [{}] }}",
        literal(&template.html),
        template.single,
        places.join(", ")
    )
}

fn handler(module: &Module, writer: &Writer<'_>, handler: &Handler) -> String {
    let names = |names: Vec<String>| format!("[{}]", names.join(", "));
    let assigns = handler
        .assigns
        .iter()
        .map(|global| literal(&module.globals[global.index()].name));
    let assigns = names(assigns.collect());
    let event = literal(&handler.event);
    match handler.runs {
        Runs::Server => format!("{{ event: {event}, assigns: {assigns} }}"),
        Runs::Browser => {
            let told = handler
                .params
                .iter()
                .filter_map(|(name, _)| name.strip_prefix(EVENT_PARAM_PREFIX));
            let tells = names(told.map(literal).collect());
            let params = names(
                handler
                    .params
                    .iter()
                    .map(|(_, ty)| format!("T{}", ty.0))
                    .collect(),
            );
            let signature = &module.functions[handler.func.index()].signature;
            let classes: String = signature
                .params
                .iter()
                .map(|class| letter(*class))
                .collect();
            let name = writer.function_name(handler.func);
            format!(
                "{{ event: {event}, params: {params}, tells: {tells}, assigns: {assigns}, run: (...args) => run_handler({name}, \"{classes}\", args) }}"
            )
        }
    }
}
