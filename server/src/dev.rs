//! The developer's side of a server: a socket on which open pages hear that the program has changed or does not compile,
//! and the script that shows it. Here because the server knows the pages and `flinvm dev` knows the program. Must stay
//! true: without a `Dev` in the options nothing of this exists, not even its addresses; pages are told in the words of
//! the terminal, and told again when a problem is gone.

use std::sync::{Arc, Mutex, PoisonError};

use flin_runtime::json::write_plain_text;
use flin_runtime::{Failure, is_own_fault};
use http_body_util::BodyExt;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use hyper::{Method, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use futures_util::{SinkExt, StreamExt};

use crate::assets::{fingerprint, without_comments};
use crate::body::form_pairs;
use crate::dispatch::Asked;
use crate::feed::{Upgrade, accept};
use crate::listen::told_to_stop;
use crate::payload::Payload;
use crate::respond::{Answered, answer};

/// Where pages listen.
const SOCKET: &str = "/_flin/dev";
/// Pages say nothing on this socket; more than this they cannot mean.
const MESSAGE_BYTES_MAX: usize = 1 << 10;

/// How a failure of the running program is told: as the terminal's text.
type Explain = Box<dyn Fn(&Failure) -> String + Send + Sync>;
/// Where the script of a page lies, by the page's address.
type ScriptOf = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What pages of a developer's server are told. One per server, also when its program changes.
pub struct Dev {
    state: watch::Sender<Arc<State>>,
    explain: Explain,
    script_of: Mutex<Option<ScriptOf>>,
    shown: Mutex<Option<String>>,
    script: String,
    script_path: String,
}

#[derive(Default)]
struct State {
    build: String,
    // The program cannot be taken: no page is up to date.
    problem: Option<String>,
    // The running program failed, on a page or (none) elsewhere.
    failure: Option<(Option<String>, String)>,
}

impl std::fmt::Debug for Dev {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dev").finish_non_exhaustive()
    }
}

impl Dev {
    /// `explain` makes the text of a failure, and says it on the terminal.
    pub fn new(explain: impl Fn(&Failure) -> String + Send + Sync + 'static) -> Dev {
        let script = without_comments(include_str!("../web/dev.js"));
        Dev {
            state: watch::Sender::default(),
            explain: Box::new(explain),
            script_of: Mutex::default(),
            shown: Mutex::default(),
            script_path: format!("/_flin/dev-{}.js", fingerprint(script.as_bytes())),
            script,
        }
    }

    /// The program of this build is the one that answers: pages take it over, and what was wrong is over.
    pub fn program(&self, build: &str) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.state.send_replace(Arc::new(State {
            build: build.to_owned(),
            ..State::default()
        }));
    }

    /// Where the program that answers from now on has the scripts of its pages: told with the build, so that a page fetches
    /// its script while it asks for the rest.
    pub(crate) fn scripts(&self, of: impl Fn(&str) -> Option<String> + Send + Sync + 'static) {
        let mut script_of = self
            .script_of
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *script_of = Some(Box::new(of));
    }

    fn script_of(&self, page: &str) -> Option<String> {
        let script_of = self
            .script_of
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        script_of.as_ref()?(page)
    }

    /// The program as it is written now cannot be taken; pages go on with the one before and show this text.
    pub fn problem(&self, text: &str) {
        let build = self.state.borrow().build.clone();
        self.state.send_replace(Arc::new(State {
            build,
            problem: Some(text.to_owned()),
            failure: None,
        }));
    }

    /// An entry into the running program failed; `page` is the path pattern of the page it was for, if it was for one.
    /// Told once as long as it stays the same.
    pub(crate) fn failed(&self, page: Option<&str>, failure: &Failure) {
        if !is_own_fault(failure) {
            return;
        }
        let words = format!("{page:?} {failure}");
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.as_ref() == Some(&words) {
            return;
        }
        *shown = Some(words);
        let text = (self.explain)(failure);
        self.state.send_modify(|state| {
            *state = Arc::new(State {
                build: state.build.clone(),
                problem: state.problem.clone(),
                failure: Some((page.map(str::to_owned), text)),
            });
        });
    }

    /// Answers what only a developer's server answers.
    pub(crate) fn answer(self: &Arc<Dev>, asked: &mut Asked) -> Option<Answered> {
        let get = matches!(asked.parts.method, Method::GET | Method::HEAD);
        // A document kept from a server without this script is none of ours.
        asked.parts.headers.remove(IF_NONE_MATCH);
        match asked.path.as_str() {
            SOCKET if get => Some(match accept(asked) {
                Ok((upgrade, response)) => {
                    let query = form_pairs(asked.parts.uri.query().unwrap_or_default().as_bytes());
                    let page = query.into_iter().find(|(name, _)| name == "page");
                    let listening = Arc::clone(self).listen(upgrade, page.map(|(_, path)| path));
                    tokio::spawn(async move {
                        if let Err(end) = listening.await {
                            tracing::debug!(%end, "a developer's page has gone");
                        }
                    });
                    response
                }
                Err(refused) => *refused,
            }),
            path if get && path == self.script_path => {
                let kind = "text/javascript; charset=utf-8";
                let mut response = answer(StatusCode::OK, kind, self.script.clone());
                let for_ever = HeaderValue::from_static("public, max-age=31536000, immutable");
                response.headers_mut().insert(CACHE_CONTROL, for_ever);
                Some(response)
            }
            _ => None,
        }
    }

    /// Puts the script into a document. It is never kept by the browser: it is another one after the next save.
    pub(crate) async fn mark(&self, response: Answered) -> Answered {
        let kind = response.headers().get(CONTENT_TYPE);
        if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
            return response;
        }
        let (mut parts, body) = response.into_parts();
        let Ok(body) = body.collect().await;
        let mut document = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        let script = format!(
            "<script type=\"module\" src=\"{}\"></script>",
            self.script_path
        );
        match document.find("</head>") {
            Some(at) => document.insert_str(at, &script),
            None => document.push_str(&script),
        }
        parts.headers.remove(ETAG);
        parts
            .headers
            .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Answered::from_parts(parts, Payload::whole(document))
    }

    // Tells a page the present state, then each change of it.
    async fn listen(self: Arc<Dev>, upgrade: Upgrade, page: Option<String>) -> Result<(), Error> {
        let Ok(upgraded) = upgrade.to.await else {
            return Ok(());
        };
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let io = TokioIo::new(upgraded);
        let mut stream = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        let mut state = self.state.subscribe();
        let mut stopping = upgrade.connection.stopping.clone();
        state.mark_changed();
        loop {
            tokio::select! {
                changed = state.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    let script = page.as_deref().and_then(|page| self.script_of(page));
                    let message = message_of(&state.borrow_and_update(), page.as_deref(), script);
                    stream.send(Message::Text(Utf8Bytes::from(message))).await?;
                }
                heard = stream.next() => match heard {
                    None | Some(Ok(Message::Close(_))) => return Ok(()),
                    Some(heard) => drop(heard?),
                },
                () = told_to_stop(&mut stopping) => return stream.close(None).await,
            }
        }
    }
}

/// `{"build":"…","script":"…","problem":"…"}`, without the problem if there is none that this page should show.
fn message_of(state: &State, page: Option<&str>, script: Option<String>) -> String {
    let failure = state.failure.as_ref();
    let here = failure.filter(|(of, _)| of.is_none() || page.is_none() || of.as_deref() == page);
    let text = state.problem.as_ref().or(here.map(|(_, text)| text));
    let mut out = String::from("{\"build\":");
    write_plain_text(&mut out, &state.build);
    if let Some(script) = script {
        out.push_str(",\"script\":");
        write_plain_text(&mut out, &script);
    }
    if let Some(text) = text {
        out.push_str(",\"problem\":");
        write_plain_text(&mut out, text);
    }
    out.push('}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_hears_of_its_own_failures_and_of_every_problem() {
        let dev = Dev::new(|_| "the text".to_owned());
        dev.program("b1");
        let told = |page| message_of(&dev.state.borrow(), page, None);
        assert_eq!(told(Some("/")), r#"{"build":"b1"}"#);
        let failure = Failure::Panic {
            message: "x".to_owned(),
        };
        dev.failed(Some("/a"), &failure);
        assert_eq!(told(Some("/")), r#"{"build":"b1"}"#);
        let with_text = r#"{"build":"b1","problem":"the text"}"#;
        assert_eq!(
            (told(Some("/a")), told(None)),
            (with_text.into(), with_text.into())
        );
        dev.failed(Some("/"), &Failure::Conflict);
        assert_eq!(told(Some("/a")), with_text);
        dev.problem("does not compile");
        assert_eq!(
            told(Some("/")),
            r#"{"build":"b1","problem":"does not compile"}"#
        );
        dev.program("b2");
        assert_eq!(told(Some("/a")), r#"{"build":"b2"}"#);
        dev.scripts(|page| Some(format!("{page}.js")));
        assert_eq!(
            message_of(&dev.state.borrow(), None, dev.script_of("/a")),
            r#"{"build":"b2","script":"/a.js"}"#
        );
    }
}
