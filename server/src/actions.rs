//! Actions: a handler of a page, asked for by the browser runtime, by hand, or by a form without JavaScript; and the
//! rendering of a page with its state. Must stay true: only what the page exposes can be named (the door checks it); the
//! answers by hand are exactly those of the documentation; nothing from the request is compiled or evaluated.

use std::sync::Arc;

use flin_runtime::json::{Json, write_plain_text, write_text};
use flin_runtime::store::RequestId;
use flin_runtime::{ActionOutcome, Entry, Failure, HandlerName, Outcome, Sent, SentState};
use hyper::StatusCode;
use hyper::body::Incoming;

use crate::app::App;
use crate::body;
use crate::context;
use crate::dispatch::Asked;
use crate::document::object;
use crate::fault::Fault;
use crate::field_message::place_message;
use crate::fresh;
use crate::pages;
use crate::paths::Visit;
use crate::repeats::Repeats;
use crate::respond::{Answered, html, json, retry_soon, see};
use crate::token::Verdict;
use crate::wanted::{ByRuntime, Wanted, bad_request, read_request};

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
    if let Err(refused) = check_origin_of_page(app, &wanted) {
        return *refused;
    }
    let Some(action) = wanted.action.clone() else {
        return error(&bad_request(
            "expected the name of an action in \"_action\"",
        ));
    };
    let is_runtime = headers.contains_key("x-flin");
    let done = match wanted.by_runtime.key.as_deref() {
        Some(key) => {
            let name = Repeats::name(&wanted.visit.path, &action, key);
            let content = Repeats::content(&wanted.args, &wanted.state);
            let entry = entry_of(&wanted, &action, Some(name.request()));
            let first = {
                let app = Arc::clone(app);
                let work = async move {
                    let performing = async {
                        app.options.planted.here("wish");
                        perform(&app, entry).await.map(Arc::new)
                    };
                    let done = app.runtime.sheltered("wish", performing).await;
                    done.unwrap_or_else(|panic| {
                        let show = app.options.show_errors;
                        Err(Arc::new(Fault::of(&panic, show)))
                    })
                };
                context::carried(context::current(), work)
            };
            app.repeats.once(name, content, first).await
        }
        None => perform(app, entry_of(&wanted, &action, None))
            .await
            .map(Arc::new),
    };
    tell(app, wanted, done, is_runtime).await
}

fn entry_of(wanted: &Wanted, action: &str, request: Option<RequestId>) -> Entry {
    Entry::Action {
        page: wanted.visit.page,
        params: wanted.visit.params.clone(),
        request,
        handler: HandlerName::parse(action),
        args: wanted.args.clone(),
        state: wanted.state.clone(),
    }
}

async fn perform(app: &App, entry: Entry) -> Result<ActionOutcome, Arc<Fault>> {
    match app.enter(entry).await {
        Ok(Outcome::Action(done)) => Ok(done),
        Ok(Outcome::Page(_) | Outcome::Route(_) | Outcome::Done(_)) => {
            unreachable!("an action entry gives an action")
        }
        Err(failure) => Err(Arc::new(Fault::of(&failure, app.options.show_errors))),
    }
}

// What came of an action, to whoever asked for it; who asks again is told the same, with the page as it is then.
async fn tell(
    app: &Arc<App>,
    wanted: Wanted,
    done: Result<Arc<ActionOutcome>, Arc<Fault>>,
    is_runtime: bool,
) -> Answered {
    let done = match done {
        Ok(done) if wanted.by_form => {
            return form_done(app, &wanted.visit, wanted.state, &done).await;
        }
        Ok(done) => done,
        Err(fault) if wanted.by_form => {
            return form_again(app, &wanted.visit, wanted.state, &fault).await;
        }
        Err(fault) => return error(&fault),
    };
    let mut out = format!(
        "{{\"type\":\"{}\"",
        if done.wrote { "reload" } else { "ok" }
    );
    if is_runtime {
        let Wanted {
            visit,
            state,
            by_runtime,
            ..
        } = wanted;
        write_done(app, &mut out, &done, &visit, state, &by_runtime).await;
    }
    out.push('}');
    json(StatusCode::OK, out)
}

// What the browser runtime is told of an action that was done: state, commit, and the page as it is now.
async fn write_done(
    app: &Arc<App>,
    out: &mut String,
    done: &ActionOutcome,
    visit: &Visit,
    state: SentState,
    by_runtime: &ByRuntime,
) {
    out.push_str(",\"state\":");
    let changed = done.state.iter();
    object(
        out,
        changed.map(|(name, json)| (name.as_str(), json.as_str())),
    );
    if by_runtime.view.is_some() && fresh::has_views(app, visit) {
        let wish = fresh::Wish {
            visit,
            state: after(state, &done.state),
            view: by_runtime.view.flatten(),
            whole: by_runtime.whole,
        };
        let start = out.len();
        out.push(',');
        match fresh::write(app, out, wish).await {
            Ok(_) => return,
            // It was done. The page asks for itself, and is told why it cannot be shown.
            Err(fault) => {
                out.truncate(start);
                tracing::warn!(
                    path = visit.path,
                    "the page was not rendered after an action: {}",
                    fault.message
                );
            }
        }
    }
    out.push_str(&format!(",\"seq\":{}", done.seq));
}

// The state as the action left it.
fn after(mut state: SentState, changed: &[(String, String)]) -> SentState {
    for (name, text) in changed {
        state.retain(|(sent, _)| sent.split('.').next() != Some(name));
        match Json::parse(text.as_bytes()) {
            Ok(json) => state.push((name.clone(), Sent::Json(json))),
            Err(error) => tracing::error!(name, "state that was written cannot be read: {error}"),
        }
    }
    state
}

// A browser without scripts: the page by a redirect, so that loading it again repeats nothing. Where a handler changed
// nothing but the page's state (what is edited, what is filtered), that would be lost on the way, so the page is shown
// as it is now.
async fn form_done(app: &App, visit: &Visit, state: SentState, done: &ActionOutcome) -> Answered {
    if !done.wrote && !done.state.is_empty() {
        match pages::render(app, visit, after(state, &done.state)).await {
            Ok(outcome) => return html(StatusCode::OK, pages::whole(app, visit, &outcome, None)),
            Err(failure) => {
                tracing::warn!(path = visit.path, "not shown with its state: {failure}")
            }
        }
    }
    see(StatusCode::SEE_OTHER, &visit.path)
}

// A page of another build, or of nobody, may mean something else by the same names.
fn check_origin_of_page(app: &App, wanted: &Wanted) -> Result<(), Box<Answered>> {
    let by_runtime = &wanted.by_runtime;
    let build = &app.options.build;
    let mut verdict = match &by_runtime.build {
        Some(known) if known != build => Verdict::Stale,
        Some(_) | None => Verdict::Good,
    };
    if let (Some(token), Verdict::Good) = (&by_runtime.token, verdict) {
        verdict = app
            .tokens
            .check(app.module(), wanted.visit.page, build, token);
    }
    match verdict {
        Verdict::Good => Ok(()),
        Verdict::Stale => {
            let mut out = String::from("{\"type\":\"stale\",\"build\":");
            write_plain_text(&mut out, build);
            out.push('}');
            Err(Box::new(json(StatusCode::PRECONDITION_FAILED, out)))
        }
        Verdict::Bad => {
            let message = "the token of this page was not made by this server; load the page again";
            Err(Box::new(error(&Fault::new(
                StatusCode::FORBIDDEN,
                "BadToken",
                message,
            ))))
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
    if let Err(refused) = check_origin_of_page(app, &wanted) {
        return *refused;
    }
    let by_runtime = &wanted.by_runtime;
    if (by_runtime.view.is_some() || by_runtime.whole) && fresh::has_views(app, &wanted.visit) {
        return render_view(app, wanted).await;
    }
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
    let state = outcome.state.iter();
    object(
        &mut out,
        state.map(|(name, json)| (name.as_str(), json.as_str())),
    );
    out.push_str(&format!(",\"seq\":{}}}", outcome.seq));
    json(StatusCode::OK, out)
}

async fn render_view(app: &Arc<App>, wanted: Wanted) -> Answered {
    let wish = fresh::Wish {
        visit: &wanted.visit,
        state: wanted.state,
        view: wanted.by_runtime.view.flatten(),
        whole: wanted.by_runtime.whole,
    };
    let mut out = String::from("{");
    match fresh::write(app, &mut out, wish).await {
        Ok(state) if state.is_empty() => {}
        Ok(state) => {
            out.push_str(",\"state\":");
            let state = state.iter();
            object(
                &mut out,
                state.map(|(name, json)| (name.as_str(), json.as_str())),
            );
        }
        Err(fault) => return error(&fault),
    }
    out.push('}');
    json(StatusCode::OK, out)
}

fn error(fault: &Fault) -> Answered {
    let response = json(fault.status, fault.action_json());
    if fault.status == StatusCode::SERVICE_UNAVAILABLE {
        retry_soon(response)
    } else {
        response
    }
}

// The page with what was typed and the sentence at its field; a fault of ours is an error page.
async fn form_again(app: &App, visit: &Visit, state: SentState, fault: &Fault) -> Answered {
    if fault.status.is_server_error() {
        return pages::error_page(fault);
    }
    let variables = controls_of(app, visit.page, &state, fault);
    let mut taken = state;
    let rendered = loop {
        match pages::render(app, visit, taken.clone()).await {
            // Values that cannot be taken are what the fault is about; the others are kept.
            Err(Failure::BadInput {
                variable: Some(variable),
                ..
            }) if taken.iter().any(|(name, _)| *name == variable) => {
                taken.retain(|(name, _)| *name != variable);
            }
            rendered => break rendered,
        }
    };
    let mut outcome = match rendered {
        Ok(outcome) => outcome,
        Err(failure) => return pages::error_page(&Fault::of(&failure, app.options.show_errors)),
    };
    outcome.rendered.body = place_message(&outcome.rendered.body, &variables, &fault.message);
    html(fault.status, pages::whole(app, visit, &outcome, None))
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
