//! Pages: rendered on the VM inside a read snapshot, answered as whole documents. Must stay true: a page that cannot be
//! rendered is an error page with the right status, never half a document; a page is the same bytes as long as nothing
//! that it shows has changed, and its `ETag` says so.

use std::sync::Arc;

use flin_runtime::vm::Rendered;
use flin_runtime::{Entry, Failure, Outcome, PageOutcome, SentState};
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};

use crate::app::App;
use crate::assets::fingerprint;
use crate::document::{error_document, page_document};
use crate::fault::Fault;
use crate::paths::Visit;
use crate::respond::{Answered, empty, html, retry_soon};
use crate::values::View;

/// Answers `GET` of a page.
pub(crate) async fn show(app: &App, visit: &Visit, headers: &HeaderMap) -> Answered {
    let outcome = match render(app, visit, Vec::new()).await {
        Ok(outcome) => outcome,
        Err(failure) => return error_page(&Fault::of_page(&failure, app.options.show_errors)),
    };
    let document = whole(app, visit, &outcome);
    let tag = format!("\"{}\"", fingerprint(document.as_bytes()));
    let known = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let unchanged = known.is_some_and(|known| {
        known
            .split(',')
            .any(|one| one.trim().trim_start_matches("W/") == tag)
    });
    let mut response = if unchanged {
        empty(StatusCode::NOT_MODIFIED)
    } else {
        html(StatusCode::OK, document)
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response
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
pub(crate) fn keep_view(app: &App, page: usize, mut rendered: Rendered) -> Arc<View> {
    // They are for pages without a script.
    rendered.forms = String::new();
    let templates = &app.module().pages[page].templates;
    app.live.known().keep(View::new(rendered, templates))
}

/// The document of a rendered page.
pub(crate) fn whole(app: &App, visit: &Visit, outcome: &PageOutcome) -> String {
    let module = app.module();
    page_document(
        module,
        (&module.pages[visit.page], &visit.path),
        outcome,
        &app.options.build,
        &app.script.path,
    )
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
