//! `/_events`: the feed as server-sent events, for clients that cannot use a WebSocket. Must stay true: the same messages as on
//! `/_ws`, the last of each commit with its sequence number as its id; one message at most waits in the answer, the others collapse behind it.

use std::sync::Arc;

use bytes::Bytes;
use flin_runtime::json::Json;
use flin_runtime::store::Lsn;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::outbox::Message;
use super::outlet::Outlet;
use super::watching::Watch;
use crate::app::App;
use crate::body::form_pairs;
use crate::dispatch::Asked;
use crate::guard::check_origin;
use crate::listen::{Connection, told_to_stop};
use crate::payload::Payload;
use crate::respond::{Answered, empty, text};

/// The sign of life for pages.
const PONG: &[u8] = b"data: {\"type\":\"pong\"}\n\n";

/// Answers `GET /_events`.
pub(crate) fn stream_events(app: &Arc<App>, asked: &Asked) -> Answered {
    if let Err((status, message)) = check_origin(&asked.parts.headers, &asked.host) {
        return text(status, &message);
    }
    let query = form_pairs(asked.parts.uri.query().unwrap_or_default().as_bytes());
    let since = last_event(&asked.parts.headers);
    let Query {
        watch,
        followed,
        wants_view,
        since,
    } = match read_query(query, since) {
        Ok(read) => read,
        Err(message) => return text(StatusCode::BAD_REQUEST, &message),
    };
    let Some(visit) = app.paths.visit_named(&watch.path) else {
        let message = format!("there is no page {}", watch.path);
        return text(StatusCode::NOT_FOUND, &message);
    };
    let mut outlet = Outlet::new(Arc::clone(app), visit.page);
    followed.iter().for_each(|name| outlet.subscribe(name));
    // After that: what was missed of all types comes in the order of the commits.
    if let Some(since) = since {
        outlet.resume(since);
    }
    if wants_view {
        outlet.watch(watch);
    }
    let (pieces, body) = mpsc::channel(1);
    let told = Told {
        app: Arc::clone(app),
        outlet,
        pieces,
    };
    let connection = asked.connection.clone();
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let telling = async {
            app.options.planted.here("stream");
            told.tell(connection).await
        };
        if let Ok(None) = app.runtime.sheltered("stream", telling).await {
            tracing::debug!("a stream of events ended: nobody reads it");
        }
    });
    let mut response = empty(StatusCode::OK);
    *response.body_mut() = Payload::Stream(body);
    let kind = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn last_event(headers: &HeaderMap) -> Option<Lsn> {
    let id = headers.get("last-event-id")?.to_str().ok()?;
    id.parse().ok().map(Lsn)
}

// What a client asks for.
struct Query {
    watch: Watch,
    // Types to follow.
    followed: Vec<String>,
    wants_view: bool,
    // What was told before that is known.
    since: Option<Lsn>,
}

fn read_query(query: Vec<(String, String)>, last_event: Option<Lsn>) -> Result<Query, String> {
    let mut since = last_event;
    let mut entries = Vec::new();
    let mut followed = Vec::new();
    for (name, value) in query {
        let json = match name.as_str() {
            "follow" => {
                followed.push(value);
                continue;
            }
            "since" => {
                let number = value.parse().map(Lsn);
                let number = number.map_err(|error| format!("since: {error}"))?;
                // What the browser says when it comes back by itself is newer.
                since = since.or(Some(number));
                continue;
            }
            "state" | "seq" => Json::parse(value.as_bytes())
                .map_err(|error| format!("{name}: not valid JSON: {error}"))?,
            _ => Json::Text(value),
        };
        entries.push((name, json));
    }
    let mut watch = Watch::read(&entries)?;
    // Who only follows records needs no view.
    let wants_view = followed.is_empty() || watch.view.is_some();
    if let Some(since) = last_event {
        // A browser that comes back by itself asks as it did the first time; meanwhile it has seen others.
        watch.view = None;
        watch.seq = since;
    }
    Ok(Query {
        watch,
        followed,
        wants_view,
        since,
    })
}

struct Told {
    app: Arc<App>,
    outlet: Outlet,
    pieces: mpsc::Sender<Bytes>,
}

impl Told {
    // None: nobody reads any more.
    async fn tell(mut self, mut connection: Connection) -> Option<()> {
        let every = self.app.options.limits.ping_every;
        let mut alive = tokio::time::interval_at(Instant::now() + every, every);
        let mut retired = self.app.retired();
        loop {
            while let Some(message) = self.outlet.pop() {
                self.pieces.send(event(&message)).await.ok()?;
            }
            tokio::select! {
                ready = self.outlet.ready() => if ready.is_err() {
                    return Some(());
                },
                // Whoever stands between must see that the answer is still alive; a page must too, and sees no comments.
                _ = alive.tick() => {
                    let sign: &'static [u8] = if self.outlet.is_watching() { PONG } else { b":\n\n" };
                    self.pieces.send(Bytes::from_static(sign)).await.ok()?;
                }
                () = self.pieces.closed() => return None,
                () = told_to_stop(&mut connection.stopping) => {
                    if let Some(bye) = self.outlet.bye() {
                        self.pieces.send(event(&bye)).await.ok()?;
                    }
                    return Some(());
                }
                () = told_to_stop(&mut retired) => return Some(()),
            }
        }
    }
}

// JSON has no line breaks that are not escaped.
fn event(message: &Message) -> Bytes {
    let id = message
        .seq
        .map_or(String::new(), |seq| format!("id: {seq}\n"));
    Bytes::from(format!("{id}data: {}\n\n", message.text))
}
