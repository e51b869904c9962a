//! Actions: a handler of a page, asked for by the browser runtime, by hand, or by a form without JavaScript; and the
//! rendering of a page with its state. Must stay true: only what the page exposes can be named (the door checks it); the
//! answers by hand are exactly those of the documentation; nothing from the request is compiled or evaluated.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::sync::Arc;

use flin_runtime::json::{Json, write_text};
use flin_runtime::{ActionOutcome, Entry, Failure, HandlerName, Outcome, Sent, SentState};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, REFERER};
use hyper::{StatusCode, Uri};

use crate::app::App;
use crate::body::{self, BodyKind};
use crate::dispatch::{Asked, wants_html};
use crate::document::object;
use crate::fault::Fault;
use crate::field_message::place_message;
use crate::guard::decode_path;
use crate::pages;
use crate::paths::Visit;
use crate::respond::{Answered, html, json, retry_soon, see};

/// A decoded action request.
struct Wanted {
    action: Option<String>,
    visit: Visit,
    args: Vec<Json>,
    state: SentState,
    // From a form in a browser: answered by a page.
    by_form: bool,
}

/// `POST /_action`
pub(crate) async fn act(app: &Arc<App>, asked: &Asked, incoming: Incoming) -> Answered {
    let headers = &asked.parts.headers;
    let bytes = match body::read(incoming, &app.options.limits).await {
        Ok(bytes) => bytes,
        Err(refused) => return refused,
    };
    let wanted = match read_request(app, headers, &bytes) {
        Ok(wanted) => wanted,
        Err(fault) => return error(&fault),
    };
    let Some(action) = wanted.action.as_deref() else {
        return error(&bad_request(
            "expected the name of an action in \"_action\"",
        ));
    };
    let entry = Entry::Action {
        page: wanted.visit.page,
        params: wanted.visit.params.clone(),
        request: None,
        handler: HandlerName::parse(action),
        args: wanted.args,
        state: wanted.state.clone(),
    };
    match app.enter(entry).await {
        Ok(Outcome::Action(done)) if wanted.by_form => {
            drop(done);
            see(StatusCode::SEE_OTHER, &wanted.visit.path)
        }
        Ok(Outcome::Action(done)) => json(
            StatusCode::OK,
            done_json(&done, headers.contains_key("x-flin")),
        ),
        Ok(Outcome::Page(_) | Outcome::Route(_) | Outcome::Done(_)) => {
            unreachable!("an action entry gives an action")
        }
        Err(failure) => {
            let fault = Fault::of(&failure, app.options.show_errors);
            if wanted.by_form {
                return form_again(app, &wanted.visit, wanted.state, &fault).await;
            }
            error(&fault)
        }
    }
}

/// `POST /_render`
pub(crate) async fn render(app: &Arc<App>, asked: &Asked, incoming: Incoming) -> Answered {
    let headers = &asked.parts.headers;
    let bytes = match body::read(incoming, &app.options.limits).await {
        Ok(bytes) => bytes,
        Err(refused) => return refused,
    };
    let wanted = match read_request(app, headers, &bytes) {
        Ok(wanted) => wanted,
        Err(fault) => return error(&fault),
    };
    let outcome = match pages::render(app, &wanted.visit, wanted.state).await {
        Ok(outcome) => outcome,
        Err(failure) => return error(&Fault::of(&failure, app.options.show_errors)),
    };
    let mut out = String::from("{\"html\":");
    write_text(&mut out, &outcome.rendered.body);
    out.push_str(",\"head\":");
    write_text(&mut out, &outcome.rendered.head);
    out.push_str(",\"forms\":");
    write_text(&mut out, &outcome.rendered.forms);
    out.push_str(",\"state\":");
    object(
        &mut out,
        outcome
            .state
            .iter()
            .map(|(name, json)| (name.as_str(), json.as_str())),
    );
    out.push_str(&format!(",\"seq\":{}}}", outcome.seq));
    json(StatusCode::OK, out)
}

fn done_json(done: &ActionOutcome, by_runtime: bool) -> String {
    let mut out = format!(
        "{{\"type\":\"{}\"",
        if done.wrote { "reload" } else { "ok" }
    );
    if by_runtime {
        out.push_str(",\"state\":");
        object(
            &mut out,
            done.state
                .iter()
                .map(|(name, json)| (name.as_str(), json.as_str())),
        );
        out.push_str(&format!(",\"seq\":{}", done.seq));
    }
    out.push('}');
    out
}

fn error(fault: &Fault) -> Answered {
    let response = json(fault.status, fault.action_json());
    if fault.status == StatusCode::SERVICE_UNAVAILABLE {
        retry_soon(response)
    } else {
        response
    }
}

fn bad_request(message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::new(StatusCode::BAD_REQUEST, "BadRequest", message))
}

fn unknown_page(message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::new(StatusCode::NOT_FOUND, "UnknownPage", message))
}

// The page with what was typed and the sentence at its field; a fault of ours is an error page.
async fn form_again(app: &App, visit: &Visit, state: SentState, fault: &Fault) -> Answered {
    if fault.status.is_server_error() {
        return pages::error_page(fault);
    }
    let variables = controls_of(app, visit.page, &state, fault);
    let rendered = match pages::render(app, visit, state.clone()).await {
        // A value that could not be taken is what the fault is about; the others are kept.
        Err(Failure::BadInput { variable, .. }) => {
            let taken = state
                .into_iter()
                .filter(|(name, _)| Some(name) != variable.as_ref());
            pages::render(app, visit, taken.collect()).await
        }
        rendered => rendered,
    };
    let mut outcome = match rendered {
        Ok(outcome) => outcome,
        Err(failure) => return pages::error_page(&Fault::of(&failure, app.options.show_errors)),
    };
    outcome.rendered.body = place_message(&outcome.rendered.body, &variables, &fault.message);
    html(fault.status, pages::whole(app, visit, &outcome))
}

// The variables whose controls feed the field that the fault is about: those of the form that was sent, if it has one.
fn controls_of<'a>(app: &'a App, page: usize, state: &SentState, fault: &'a Fault) -> Vec<&'a str> {
    let module = app.module();
    let mut variables = Vec::new();
    for (entity, field, global) in &module.pages[page].field_sources {
        let entity = &module.entities[entity.index()];
        let is_field = fault.field.as_ref() == Some(&entity.fields[*field as usize].name);
        if is_field && fault.entity.as_ref() == Some(&entity.name) {
            variables.push(module.globals[global.index()].name.as_str());
        }
    }
    variables.extend(fault.field.as_deref());
    let sent = |variable: &str| state.iter().any(|(name, _)| name == variable);
    if variables.iter().any(|variable| sent(variable)) {
        variables.retain(|variable| sent(variable));
    }
    variables
}

fn read_request(app: &App, headers: &HeaderMap, bytes: &[u8]) -> Result<Wanted, Box<Fault>> {
    match BodyKind::of(headers) {
        BodyKind::Json | BodyKind::Unnamed => read_json(app, headers, bytes),
        BodyKind::Form => read_form(app, headers, bytes),
        BodyKind::Text | BodyKind::Other => Err(bad_request(
            "expected a body of type application/json or application/x-www-form-urlencoded",
        )),
    }
}

fn read_json(app: &App, headers: &HeaderMap, bytes: &[u8]) -> Result<Wanted, Box<Fault>> {
    let body = body::json(bytes)
        .map_err(|error| bad_request(format!("the body is not valid JSON: {error}")))?;
    let Json::Object(entries) = body else {
        return Err(bad_request("expected a JSON object"));
    };
    let (mut action, mut args, mut state, mut page) = (None, Vec::new(), Vec::new(), None);
    for (name, value) in entries {
        match name.as_str() {
            "_action" => action = Some(text_of(value, "_action")?),
            "_page" => page = Some(text_of(value, "_page")?),
            "_args" => args = list_of(value)?,
            "_state" => state = state_of(value)?,
            _ => {
                return Err(bad_request(format!(
                    "\"{name}\" is not known here; expected _action, _args, _state, _page"
                )));
            }
        }
    }
    Ok(Wanted {
        action,
        visit: find_page(app, page.as_deref(), headers)?,
        args,
        state,
        by_form: false,
    })
}

fn read_form(app: &App, headers: &HeaderMap, bytes: &[u8]) -> Result<Wanted, Box<Fault>> {
    if bytes.first() == Some(&b'{') {
        return Err(bad_request(
            "the body is JSON but says to be a form; send it with Content-Type: application/json",
        ));
    }
    let by_form = wants_html(headers) && !headers.contains_key("x-flin");
    let (mut action, mut args, mut state, mut page) = (None, Vec::new(), Vec::new(), None);
    let mut fields: Vec<(String, Vec<String>)> = Vec::new();
    // Where each name stands in `fields`: a body has room for a hundred thousand names.
    let mut places: HashMap<String, usize> = HashMap::new();
    for (name, value) in body::form_pairs(bytes) {
        match name.as_str() {
            "_action" => action = Some(value),
            "_page" => page = Some(value),
            "_args" => args = list_of(Json::Text(value))?,
            "_state" => state = state_of(Json::Text(value))?,
            _ => match places.entry(name) {
                Place::Occupied(place) => fields[*place.get()].1.push(value),
                Place::Vacant(place) => {
                    fields.push((place.key().clone(), vec![value]));
                    place.insert(fields.len() - 1);
                }
            },
        }
    }
    let visit = find_page(app, page.as_deref(), headers)?;
    for (name, values) in fields {
        // A form may hold controls that are bound to nothing; the browser sends them too. By hand it is a mistake.
        if !by_form || is_state(app, visit.page, &name) {
            state.push((name, Sent::Fields(values)));
        }
    }
    Ok(Wanted {
        action,
        visit,
        args,
        state,
        by_form,
    })
}

// A control may be bound to a part of a variable: `form.name`.
fn is_state(app: &App, page: usize, name: &str) -> bool {
    let module = app.module();
    let name = name.split('.').next().unwrap_or(name);
    let is = |variable: &flin_runtime::vm::bytecode::module::PageVariable| {
        variable.kind == flin_runtime::vm::bytecode::module::VariableKind::State
            && module.globals[variable.global.index()].name == name
    };
    module.pages[page].variables.iter().any(is)
}

fn text_of(value: Json, name: &str) -> Result<String, Box<Fault>> {
    match value {
        Json::Text(text) => Ok(text),
        other => Err(bad_request(format!(
            "{name}: expected text, found {}",
            other.kind()
        ))),
    }
}

// Plain JSON, or JSON as text.
fn unwrap_text(value: Json, name: &str) -> Result<Json, Box<Fault>> {
    match value {
        Json::Text(text) if text.trim().is_empty() => Ok(Json::Null),
        Json::Text(text) => Json::parse(text.as_bytes())
            .map_err(|error| bad_request(format!("{name}: not valid JSON: {error}"))),
        value => Ok(value),
    }
}

fn list_of(value: Json) -> Result<Vec<Json>, Box<Fault>> {
    match unwrap_text(value, "_args")? {
        Json::List(items) => Ok(items),
        Json::Null => Ok(Vec::new()),
        other => Err(bad_request(format!(
            "_args: expected a list, found {}",
            other.kind()
        ))),
    }
}

fn state_of(value: Json) -> Result<SentState, Box<Fault>> {
    match unwrap_text(value, "_state")? {
        Json::Object(entries) => Ok(entries
            .into_iter()
            .map(|(name, json)| (name, Sent::Json(json)))
            .collect()),
        Json::Null => Ok(Vec::new()),
        other => Err(bad_request(format!(
            "_state: expected an object, found {}",
            other.kind()
        ))),
    }
}

// `_page` if given, else the path of the `Referer` if it is a page, else "/".
fn find_page(app: &App, given: Option<&str>, headers: &HeaderMap) -> Result<Visit, Box<Fault>> {
    if let Some(given) = given {
        return app
            .paths
            .visit_named(given)
            .ok_or_else(|| unknown_page(format!("there is no page {given}")));
    }
    let referer = headers.get(REFERER).and_then(|value| value.to_str().ok());
    let referer = referer
        .and_then(|text| text.parse::<Uri>().ok())
        .and_then(|uri| decode_path(&uri).ok());
    let page = referer
        .and_then(|path| app.paths.visit(&path))
        .or_else(|| app.paths.visit("/"));
    page.ok_or_else(|| unknown_page("expected the path of a page in \"_page\""))
}
