//! Pages: rendered on the VM inside a read snapshot, answered as whole documents. Must stay true: a page that cannot be
//! rendered is an error page with the right status, never half a document; a page is the same bytes as long as nothing
//! that it shows has changed, and its `ETag` says so.

use std::sync::Arc;

use flin_runtime::json::Json;
use flin_runtime::vm::Rendered;
use flin_runtime::{Entry, Failure, Outcome, PageOutcome, Sent, SentState};
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue};
use hyper::http::request::Parts;

use crate::app::App;
use crate::compress;
use crate::document::{Surroundings, error_document, page_document};
use crate::fault::Fault;
use crate::fresh::{LOAD, STATE_OF_LOADING};
use crate::kept_pages::{Document, PageKey};
use crate::paths::Visit;
use crate::payload::Payload;
use crate::respond::{Answered, empty, html, retry_soon};
use crate::values::{View, ViewName};

/// The query that asks for a page with all that it waits for: for visitors without a script.
const LOADED: &str = "_load";

/// Answers `GET` of a page.
pub(crate) async fn show(app: &App, visit: &Visit, parts: &Parts) -> Answered {
    let key = PageKey {
        page: visit.page,
        path: visit.path.clone(),
        loaded: parts.uri.query() == Some(LOADED),
    };
    let document = match app.kept_pages.get(app, &key) {
        Some(document) => document,
        None => match document(app, visit, key).await {
            Ok(document) => document,
            Err(failure) => {
                return error_page(&Fault::of_page(&failure, app.options.show_errors));
            }
        },
    };
    answer(&document, &parts.headers).await
}

// Renders a page and keeps what may be kept.
async fn document(app: &App, visit: &Visit, key: PageKey) -> Result<Arc<Document>, Failure> {
    let state = if key.loaded {
        all_loaded(app, visit.page)
    } else {
        Vec::new()
    };
    let outcome = render(app, visit, state).await?;
    let templates = &app.module().pages[visit.page].templates;
    let view =
        (!templates.is_empty()).then(|| View::name_of(&outcome.rendered, visit.page, templates));
    let document = Arc::new(Document::new(whole(app, visit, &outcome, view)));
    app.kept_pages.keep(key, &document, &outcome);
    if let Some(name) = view {
        let view = named(visit.page, name, outcome.rendered);
        app.live.known().keep(view);
    }
    Ok(document)
}

// The document, packed as the client takes it, or the word that it has it already.
async fn answer(document: &Document, asked: &HeaderMap) -> Answered {
    if compress::is_known(asked, document.tag()) {
        return tagged(empty(StatusCode::NOT_MODIFIED), document.tag());
    }
    let plain = document.plain();
    let mut response = html(StatusCode::OK, plain.clone());
    let kind = response.headers().get(CONTENT_TYPE);
    let packs = kind.is_some_and(|kind| compress::is_worth_it(kind, plain.len()));
    let encoding = compress::accepted(asked).filter(|_| packs);
    let Some(encoding) = encoding else {
        return tagged(response, document.tag());
    };
    let packed = match document.packed(encoding).get() {
        Some(packed) => Some(packed.clone()),
        None => compress::packed(encoding, plain.clone()).await,
    };
    let Some(packed) = packed else {
        return tagged(response, document.tag());
    };
    let packed = document.packed(encoding).get_or_init(|| packed).clone();
    compress::mark(response.headers_mut(), Some(encoding));
    *response.body_mut() = Payload::whole(packed);
    // The same page, but other bytes.
    tagged(response, &format!("W/{}", document.tag()))
}

fn tagged(mut response: Answered, tag: &str) -> Answered {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(ETAG, tag);
    }
    response
}

// Asks for all variables of a page that another server is asked for (`x?` tells how far `x` is).
fn all_loaded(app: &App, page: usize) -> SentState {
    let module = app.module();
    let names = module.pages[page].variables.iter();
    let names = names.map(|variable| &module.globals[variable.global.index()].name);
    let waiting = names.filter(|name| name.ends_with(STATE_OF_LOADING));
    let load = |name: &String| (name.clone(), Sent::Json(Json::Text(LOAD.to_owned())));
    waiting.map(load).collect()
}

/// Renders a page with the state that was sent.
pub(crate) async fn render(
    app: &App,
    visit: &Visit,
    state: SentState,
) -> Result<PageOutcome, Failure> {
    let entry = Entry::Page {
        page: visit.page,
        params: visit.params.clone(),
        state,
    };
    match app.enter(entry).await? {
        Outcome::Page(outcome) => Ok(outcome),
        Outcome::Action(_) | Outcome::Route(_) | Outcome::Done(_) => {
            unreachable!("a page entry gives a page")
        }
    }
}

/// Keeps a rendered view of a page, so that clients that show it can be sent what differs.
pub(crate) fn keep_view(app: &App, page: usize, rendered: Rendered) -> Arc<View> {
    app.live.known().keep(view_of(app, page, rendered))
}

/// A rendered view of a page, for itself.
pub(crate) fn view_of(app: &App, page: usize, rendered: Rendered) -> Arc<View> {
    let templates = &app.module().pages[page].templates;
    let name = View::name_of(&rendered, page, templates);
    named(page, name, rendered)
}

fn named(page: usize, name: ViewName, mut rendered: Rendered) -> Arc<View> {
    // They are for pages without a script.
    rendered.forms = String::new();
    Arc::new(View::new(rendered, page, name))
}

/// The document of a rendered page; `view` is what it shows, if it shows just that.
pub(crate) fn whole(
    app: &App,
    visit: &Visit,
    outcome: &PageOutcome,
    view: Option<ViewName>,
) -> String {
    let module = app.module();
    let build = &app.options.build;
    let surroundings = Surroundings {
        module,
        page: &module.pages[visit.page],
        path: &visit.path,
        build,
        script: &app.script.path,
        page_script: app.files.module(visit.page),
        token: &app.tokens.make(module, visit.page, build),
        view,
    };
    page_document(&surroundings, outcome)
}

/// A page that says what went wrong.
pub(crate) fn error_page(fault: &Fault) -> Answered {
    let title = match fault.status.as_u16() {
        500.. => "Something went wrong",
        404 => "Not found",
        _ => "This did not work",
    };
    let response = html(
        fault.status,
        error_document(title, &fault.message, fault.details.as_deref()),
    );
    if fault.status == StatusCode::SERVICE_UNAVAILABLE {
        retry_soon(response)
    } else {
        response
    }
}
