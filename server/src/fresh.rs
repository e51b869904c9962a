//! A page as it is now, for a client that shows a view of it: what differs, or all its values. Must stay true: only state that
//! places of the server read counts, so that all who show the same share it; whoever watches the same hears of it.

use std::sync::Arc;

use flin_runtime::json::Json;
use flin_runtime::{Entry, Outcome, PageOutcome, Sent, SentState};

use crate::app::App;
use crate::fault::Fault;
use crate::live::{ViewKey, write_view};
use crate::pages::view_of;
use crate::paths::Visit;
use crate::values::{ViewName, Wanted};
use crate::wanted::bad_request;

/// What is sent for the state of a variable that loads, to have it loaded.
pub(crate) const LOAD: &str = "load";
/// The end of the name of such a state: `x?` of the variable `x`.
pub(crate) const STATE_OF_LOADING: char = '?';

/// Who asks for what.
pub(crate) struct Wish<'a> {
    pub(crate) visit: &'a Visit,
    pub(crate) state: SentState,
    /// The view that the client shows.
    pub(crate) view: Option<ViewName>,
    /// All places, also those of the browser.
    pub(crate) whole: bool,
}

/// Whether a page has views at all: one without templates is sent as a document.
pub(crate) fn has_views(app: &App, visit: &Visit) -> bool {
    !app.module().pages[visit.page].templates.is_empty()
}

/// Renders the page and writes the entries of an answer. Gives the state that was found out meanwhile.
pub(crate) async fn write(
    app: &Arc<App>,
    out: &mut String,
    wish: Wish<'_>,
) -> Result<Vec<(String, String)>, Box<Fault>> {
    let Wish {
        visit,
        state,
        view,
        whole,
    } = wish;
    let key = ViewKey::new(app.module(), visit.page, visit.params.clone(), &state);
    let key = key.map_err(|refused| bad_request(refused.0))?;
    let loads = state.iter().any(is_loading);
    let entry = Entry::Page {
        page: visit.page,
        params: visit.params.clone(),
        state: if whole || loads {
            state.clone()
        } else {
            key.state()
        },
    };
    let outcome = match app.enter(entry).await {
        Ok(Outcome::Page(outcome)) => outcome,
        Ok(Outcome::Action(_) | Outcome::Route(_) | Outcome::Done(_)) => {
            unreachable!("a page entry gives a page")
        }
        Err(failure) => return Err(Box::new(Fault::of(&failure, app.options.show_errors))),
    };
    let PageOutcome {
        rendered,
        state: found,
        seq,
        reads,
        data_only: _,
    } = outcome;
    let own = view_of(app, visit.page, rendered);
    let kept = app.live.known().keep(Arc::clone(&own));
    // What is kept may be another visitor's rendering of the same view, with what their browser shows in its own places.
    let fresh = if whole { own } else { kept };
    // Who watches gets what the asked state gives, and nothing that one visitor's other state made.
    if !(whole || loads) {
        app.live.offer(app, &key, (&fresh, seq), &reads);
    }
    let old = view
        .filter(|_| !whole)
        .and_then(|view| app.live.known().get(view, visit.page));
    let templates = &app.module().pages[visit.page].templates;
    let wanted = if whole {
        Wanted::Whole
    } else {
        Wanted::OfServer
    };
    let written = write_view(out, templates, (&fresh, seq), old.as_deref(), wanted);
    written.map_err(|malformed| Box::new(Fault::broken(&malformed)))?;
    Ok(if whole || loads {
        changed(&state, found)
    } else {
        Vec::new()
    })
}

fn is_loading((name, value): &(String, Sent)) -> bool {
    match value {
        Sent::Json(json) => name.ends_with(STATE_OF_LOADING) && json.as_text() == Some(LOAD),
        Sent::Fields(_) => false,
    }
}

// The state that is not as it was sent.
fn changed(sent: &SentState, found: Vec<(String, String)>) -> Vec<(String, String)> {
    let is_same = |(name, text): &(String, String)| {
        let json = Json::parse(text.as_bytes()).ok();
        sent.iter().any(|(known, value)| match value {
            Sent::Json(value) => known == name && Some(value) == json.as_ref(),
            Sent::Fields(_) => false,
        })
    };
    found.into_iter().filter(|entry| !is_same(entry)).collect()
}
