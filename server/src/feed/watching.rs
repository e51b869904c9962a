//! The view that one client watches. Must stay true: all that is kept is where the client is; it is told only newer views than
//! it has shown, always the newest one, and its wish is always answered once.

use std::sync::Arc;

use flin_runtime::json::{Json, write_plain_text};
use flin_runtime::store::Lsn;
use flin_runtime::{Sent, SentState};
use hyper::StatusCode;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::outbox::Message;
use crate::app::App;
use crate::fault::Fault;
use crate::live::{Group, Latest, Shown, ViewKey};
use crate::values::ViewName;

/// A client's wish to watch a view.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) path: String,
    pub(crate) state: SentState,
    pub(crate) view: Option<ViewName>,
    pub(crate) seq: Lsn,
    pub(crate) build: Option<String>,
}

impl Watch {
    /// Reads the entries of a message; a sentence says what is wrong with it.
    pub(crate) fn read(entries: &[(String, Json)]) -> Result<Watch, String> {
        let mut watch = Watch {
            path: "/".to_owned(),
            ..Watch::default()
        };
        for (name, value) in entries {
            match (name.as_str(), value) {
                ("action", _) => {}
                ("page", Json::Text(path)) => watch.path.clone_from(path),
                ("state", Json::Object(entries)) => watch.state = read_state(entries),
                ("view", Json::Text(view)) => watch.view = ViewName::parse(view),
                ("view" | "build" | "state", Json::Null) => {}
                ("seq", Json::Int(seq)) => watch.seq = Lsn(seq.unsigned_abs()),
                ("build", Json::Text(build)) => watch.build = Some(build.clone()),
                ("page" | "state" | "view" | "seq" | "build", other) => {
                    return Err(format!("{name} of a watch is not {}", other.kind()));
                }
                _ => {
                    return Err(format!(
                        "\"{name}\" is not known here; a watch has page, state, view, seq, build"
                    ));
                }
            }
        }
        Ok(watch)
    }
}

fn read_state(entries: &[(String, Json)]) -> SentState {
    let sent = |(name, value): &(String, Json)| (name.clone(), Sent::Json(value.clone()));
    entries.iter().map(sent).collect()
}

/// A view that is watched, and how far the client is.
pub(super) struct Watching {
    group: Arc<Group>,
    latest: watch::Receiver<Latest>,
    view: Option<ViewName>,
    seq: Lsn,
    answered: bool,
}

impl Watching {
    /// Begins to watch; the page is the first of the pair.
    pub(super) fn begin(app: &Arc<App>, watch: Watch) -> Result<(usize, Watching), String> {
        let unknown = || format!("there is no page {}", watch.path);
        let visit = app.paths.visit_named(&watch.path).ok_or_else(unknown)?;
        let page = visit.page;
        if app.module().pages[page].templates.is_empty() {
            return Err(format!("the page {} has nothing to watch", watch.path));
        }
        let key = ViewKey::new(app.module(), page, visit.params, &watch.state);
        let key = key.map_err(|refused| refused.0)?;
        // A number that this store has never given is from another one.
        let seq = Some(watch.seq).filter(|seq| *seq <= app.runtime.store().head());
        let seq = seq.unwrap_or(Lsn(0));
        let (group, latest) = app.live.watch(app, key, seq);
        let watching = Watching {
            group,
            latest,
            view: watch.view,
            seq,
            answered: false,
        };
        Ok((page, watching))
    }

    /// Waits until there may be something to tell. May be given up at any time.
    pub(super) async fn changed(&mut self) {
        if self.latest.changed().await.is_err() {
            // The sender lives in the group, which is held here.
            std::future::pending().await
        }
    }

    /// What is to be told now, if anything.
    pub(super) fn tell(&mut self, app: &App) -> Option<Message> {
        let latest = self.latest.borrow_and_update().clone();
        let message = match latest {
            Latest::Nothing => return None,
            Latest::View(shown) => self.tell_view(app, &shown),
            Latest::Failed(fault, seq) => {
                // That it can be shown again is news, also if it is the view of before.
                self.answered = false;
                return Some(Message::of(seq, failed(&fault, seq)));
            }
        };
        self.answered |= message.is_some();
        message
    }

    fn tell_view(&mut self, app: &App, shown: &Shown) -> Option<Message> {
        // The client has seen newer ones: the group was told, and there will be another.
        if shown.seq < self.seq {
            return None;
        }
        self.seq = shown.seq;
        let name = shown.name;
        if self.view == Some(name) {
            let seq = shown.seq;
            let answer = format!("{{\"type\":\"watching\",\"view\":\"{name}\",\"seq\":{seq}}}");
            return (!self.answered).then(|| Message::of(seq, answer));
        }
        let templates = &app.module().pages[self.group.key().page].templates;
        match shown.message(&app.live, templates, self.view) {
            Ok(message) => {
                self.view = Some(name);
                Some(Message::of(shown.seq, message))
            }
            Err(malformed) => {
                tracing::error!("a push failed: {malformed}");
                let seq = shown.seq;
                let text = format!("{{\"type\":\"failed\",\"seq\":{seq}}}");
                Some(Message::of(seq, text))
            }
        }
    }
}

fn failed(fault: &Fault, seq: Lsn) -> Utf8Bytes {
    let mut out = String::new();
    if fault.status == StatusCode::BAD_REQUEST {
        out.push_str("{\"type\":\"error\",\"message\":");
        write_plain_text(&mut out, &fault.message);
        if let Some(field) = &fault.field {
            out.push_str(",\"field\":");
            write_plain_text(&mut out, field);
        }
        out.push('}');
    } else {
        out.push_str("{\"type\":\"failed\"");
        if let Some(id) = &fault.id {
            out.push_str(",\"id\":");
            write_plain_text(&mut out, id);
        }
        out.push_str(&format!(",\"seq\":{seq}}}"));
    }
    out.into()
}
