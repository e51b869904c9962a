//! What is asked of a page: an action, or the page with some state; as JSON or as a form. Must stay true: names that mean
//! nothing are refused, so that a mistake is not taken for success; what only the browser runtime says is taken only from it.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;

use flin_runtime::json::Json;
use flin_runtime::vm::bytecode::module::VariableKind;
use flin_runtime::{Sent, SentState};
use hyper::header::{HeaderMap, REFERER};
use hyper::{StatusCode, Uri};

use crate::app::App;
use crate::body::{self, BodyKind};
use crate::dispatch::wants_html;
use crate::fault::Fault;
use crate::guard::decode_path;
use crate::paths::Visit;
use crate::values::ViewName;

/// Letters of the name of a wish: enough that nobody hits another one's by chance.
const KEY_LENGTH: std::ops::RangeInclusive<usize> = 16..=64;

/// A decoded request.
pub(crate) struct Wanted {
    pub(crate) action: Option<String>,
    pub(crate) visit: Visit,
    pub(crate) args: Vec<Json>,
    pub(crate) state: SentState,
    /// From a form in a browser: answered by a page.
    pub(crate) by_form: bool,
    pub(crate) by_runtime: ByRuntime,
}

/// What the browser runtime says beside what can be said by hand.
#[derive(Default)]
pub(crate) struct ByRuntime {
    /// It follows views: the one that it shows, if it knows.
    pub(crate) view: Option<Option<ViewName>>,
    /// It wants all places, also those that are the browser's.
    pub(crate) whole: bool,
    pub(crate) token: Option<String>,
    pub(crate) build: Option<String>,
    /// Names the wish: it is done once, however often it is sent.
    pub(crate) key: Option<String>,
}

impl ByRuntime {
    // Takes an entry of a request; false: it is none of these.
    fn take(&mut self, name: &str, value: &Json) -> Result<bool, Box<Fault>> {
        match (name, value) {
            ("view", Json::Null) => self.view = Some(None),
            ("view", Json::Text(view)) => self.view = Some(ViewName::parse(view)),
            ("whole", Json::Bool(whole)) => self.whole = *whole,
            ("token", Json::Text(token)) => self.token = Some(token.clone()),
            ("build", Json::Text(build)) => self.build = Some(build.clone()),
            ("key", Json::Text(key)) if is_key(key) => self.key = Some(key.clone()),
            ("key", _) => {
                return Err(bad_request(
                    "key: expected 16 to 64 letters, digits, - or _",
                ));
            }
            ("seq", Json::Int(_)) | ("token" | "build" | "seq", Json::Null) => {}
            ("view" | "whole" | "token" | "build" | "seq", other) => {
                let found = other.kind();
                return Err(bad_request(format!(
                    "{name}: found {found}, which it cannot be"
                )));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn is_key(key: &str) -> bool {
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    KEY_LENGTH.contains(&key.len()) && key.bytes().all(known)
}

/// A fault of the request.
pub(crate) fn bad_request(message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::new(StatusCode::BAD_REQUEST, "BadRequest", message))
}

fn unknown_page(message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::new(StatusCode::NOT_FOUND, "UnknownPage", message))
}

/// Reads a request.
pub(crate) fn read_request(
    app: &App,
    headers: &HeaderMap,
    bytes: &[u8],
) -> Result<Wanted, Box<Fault>> {
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
    let mut by_runtime = ByRuntime::default();
    let is_runtime = headers.contains_key("x-flin");
    for (name, value) in entries {
        if is_runtime && by_runtime.take(&name, &value)? {
            continue;
        }
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
        by_runtime,
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
        by_runtime: ByRuntime::default(),
    })
}

// A control may be bound to a part of a variable: `form.name`.
fn is_state(app: &App, page: usize, name: &str) -> bool {
    let module = app.module();
    let name = name.split('.').next().unwrap_or(name);
    let mut variables = module.pages[page].variables.iter();
    variables.any(|variable| {
        variable.kind == VariableKind::State && module.globals[variable.global.index()].name == name
    })
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
