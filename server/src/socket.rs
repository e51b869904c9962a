//! `/_ws`: one socket of one page. Must stay true: it follows only types that its page reads; it joins the feed before it
//! reads what the store holds, then leaves out what that already contained, so that no change is missed or told twice;
//! all it keeps is its subscriptions and their sequence numbers.

use std::collections::HashMap;
use std::sync::Arc;

use flin_runtime::json::{Json, write_plain_text};
use flin_runtime::store::Lsn;
use flin_runtime::vm::bytecode::ids::EntityTypeId;
use futures_util::{SinkExt, StreamExt};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::app::App;
use crate::body::form_pairs;
use crate::dispatch::Asked;
use crate::guard::check_origin;
use crate::listen::{Connection, told_to_stop};
use crate::live::{FeedItem, Follower, messages_of};
use crate::respond::{Answered, empty, text};

/// Bytes of each buffer of a socket: messages are small, and a thousand sockets are many.
const BUFFER_BYTES: usize = 4 << 10;
/// A change that is bigger is told as a refresh: one big record must not end the sockets of everybody who follows it.
const CHANGE_BYTES_MAX: usize = 256 << 10;
/// Bytes that wait to be sent: one change and control frames.
const WAITING_BYTES_MAX: usize = 4 * CHANGE_BYTES_MAX;

/// Answers the handshake and starts the socket.
pub(crate) fn open(app: &Arc<App>, mut asked: Asked) -> Answered {
    let (upgrade, response) = match accept(&mut asked) {
        Ok(accepted) => accepted,
        Err(refused) => return *refused,
    };
    let query = form_pairs(asked.parts.uri.query().unwrap_or_default().as_bytes());
    let path = query
        .iter()
        .find(|(name, _)| name == "page")
        .map_or("/", |(_, path)| path.as_str());
    let Some(visit) = app.paths.visit_named(path) else {
        return text(StatusCode::NOT_FOUND, &format!("there is no page {path}"));
    };
    tokio::spawn(run(Arc::clone(app), visit.page, upgrade));
    response
}

/// A connection that becomes a WebSocket as soon as its handshake is answered.
pub(crate) struct Upgrade {
    pub(crate) to: OnUpgrade,
    pub(crate) connection: Connection,
}

/// Checks a handshake and gives the answer to it; whoever asks must be of this site.
pub(crate) fn accept(asked: &mut Asked) -> Result<(Upgrade, Answered), Box<Answered>> {
    if let Err((status, message)) = check_origin(&asked.parts.headers, &asked.host) {
        return Err(Box::new(text(status, &message)));
    }
    let key = check_handshake(&asked.parts.headers, asked.parts.version)?;
    let Some(to) = asked.parts.extensions.remove::<OnUpgrade>() else {
        return Err(Box::new(text(
            StatusCode::BAD_REQUEST,
            "this connection cannot become a WebSocket",
        )));
    };
    let mut response = empty(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.clear();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    let connection = asked.connection.clone();
    Ok((Upgrade { to, connection }, response))
}

// RFC 6455, 4.2.1; gives the client's key.
fn check_handshake(headers: &HeaderMap, http: Version) -> Result<String, Box<Answered>> {
    let one = |name: header::HeaderName| {
        let mut values = headers.get_all(name).iter();
        let value = values.next().and_then(|value| value.to_str().ok());
        value.filter(|_| values.next().is_none())
    };
    let has = |name: header::HeaderName, token: &str| {
        let mut values = headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok());
        values.any(|value| {
            value
                .split(',')
                .any(|part| part.trim().eq_ignore_ascii_case(token))
        })
    };
    let version = one(header::SEC_WEBSOCKET_VERSION).map(str::trim);
    if !has(header::UPGRADE, "websocket") || version != Some("13") {
        let mut response = text(
            StatusCode::UPGRADE_REQUIRED,
            "expected a WebSocket handshake, version 13",
        );
        response.headers_mut().insert(
            header::SEC_WEBSOCKET_VERSION,
            HeaderValue::from_static("13"),
        );
        response
            .headers_mut()
            .insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        return Err(Box::new(response));
    }
    let key = one(header::SEC_WEBSOCKET_KEY)
        .map(str::trim)
        .filter(|key| is_key(key));
    match key {
        Some(key) if http == Version::HTTP_11 && has(header::CONNECTION, "upgrade") => {
            Ok(key.to_owned())
        }
        Some(_) | None => Err(Box::new(text(
            StatusCode::BAD_REQUEST,
            "expected a complete WebSocket handshake with a key of 16 bytes",
        ))),
    }
}

// Base64 of 16 bytes: 22 digits, of which the last carries four zero bits, and two signs of padding.
fn is_key(key: &str) -> bool {
    let Some(digits) = key.strip_suffix("==") else {
        return false;
    };
    let digit = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    digits.len() == 22 && digits.bytes().all(digit) && digits.ends_with(['A', 'Q', 'g', 'w'])
}

async fn run(app: Arc<App>, page: usize, upgrade: Upgrade) {
    let Ok(upgraded) = upgrade.to.await else {
        return;
    };
    let limits = &app.options.limits;
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(WAITING_BYTES_MAX)
        .max_message_size(Some(limits.message_bytes_max))
        .max_frame_size(Some(limits.message_bytes_max));
    let stream =
        WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    let follower = app.hub.follow();
    let socket = Socket {
        app: &app,
        page,
        stream,
        follower,
        following: HashMap::new(),
        resume: None,
    };
    if let Err(end) = socket.serve(upgrade.connection).await {
        tracing::debug!(%end, "a live socket ended");
    }
}

struct Socket<'a> {
    app: &'a App,
    page: usize,
    stream: WebSocketStream<TokioIo<Upgraded>>,
    follower: Follower,
    // Changes up to this number are known to the client already.
    following: HashMap<EntityTypeId, Lsn>,
    // The client asked for everything since then; counts for types that it follows later too.
    resume: Option<Lsn>,
}

impl Socket<'_> {
    async fn serve(mut self, mut connection: Connection) -> Result<(), Error> {
        let every = self.app.options.limits.ping_every;
        let mut ping = tokio::time::interval_at(Instant::now() + every, every);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut silent_pings = 0;
        let mut retired = self.app.retired();
        loop {
            tokio::select! {
                message = self.stream.next() => {
                    silent_pings = 0;
                    match message {
                        None | Some(Ok(Message::Close(_))) => return Ok(()),
                        Some(Ok(Message::Text(text))) => self.obey(text.as_bytes()).await?,
                        Some(Ok(Message::Binary(_))) => self.complain("expected a text message").await?,
                        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                        Some(Err(error)) => return self.fail(error).await,
                    }
                }
                item = self.follower.items.recv() => match item {
                    Ok(item) => self.tell(&item).await?,
                    Err(RecvError::Lagged(_)) => self.refresh().await?,
                    Err(RecvError::Closed) => return self.close(CloseCode::Away).await,
                },
                _ = ping.tick() => {
                    if silent_pings == 2 {
                        return self.close(CloseCode::Away).await;
                    }
                    silent_pings += 1;
                    self.send(Message::Ping(bytes::Bytes::new())).await?;
                }
                () = told_to_stop(&mut connection.stopping) => return self.close(CloseCode::Away).await,
                () = told_to_stop(&mut retired) => return self.close(CloseCode::Restart).await,
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), Error> {
        let limit = self.app.options.limits.send_time;
        match tokio::time::timeout(limit, self.stream.send(message)).await {
            Ok(sent) => sent,
            Err(_) => Err(Error::Io(std::io::ErrorKind::TimedOut.into())),
        }
    }

    async fn send_text(&mut self, text: impl Into<Utf8Bytes>) -> Result<(), Error> {
        self.send(Message::Text(text.into())).await
    }

    async fn close(&mut self, code: CloseCode) -> Result<(), Error> {
        let frame = CloseFrame {
            code,
            reason: Utf8Bytes::default(),
        };
        self.send(Message::Close(Some(frame))).await
    }

    async fn fail(&mut self, error: Error) -> Result<(), Error> {
        let code = match &error {
            Error::Capacity(CapacityError::MessageTooLong { .. }) => CloseCode::Size,
            Error::Utf8(_) => CloseCode::Invalid,
            Error::Protocol(_) => CloseCode::Protocol,
            _ => return Err(error),
        };
        self.close(code).await?;
        Err(error)
    }

    async fn complain(&mut self, message: &str) -> Result<(), Error> {
        let mut out = String::from("{\"type\":\"error\",\"message\":");
        write_plain_text(&mut out, message);
        out.push('}');
        self.send_text(out).await
    }

    async fn refresh(&mut self) -> Result<(), Error> {
        let head = self.app.runtime.store().head();
        for known in self.following.values_mut() {
            *known = head;
        }
        self.send_text(format!("{{\"type\":\"refresh\",\"seq\":{head}}}"))
            .await
    }

    async fn tell(&mut self, item: &FeedItem) -> Result<(), Error> {
        if self.following.is_empty() {
            return Ok(());
        }
        for (ty, message) in item.messages(&self.app.runtime) {
            let is_news = |known: &Lsn| item.seq() > *known;
            if self.following.get(ty).is_some_and(is_news) {
                if message.len() > CHANGE_BYTES_MAX {
                    return self.refresh().await;
                }
                self.send_text(message.clone()).await?;
            }
        }
        Ok(())
    }

    async fn obey(&mut self, text: &[u8]) -> Result<(), Error> {
        let Ok(wish) = Json::parse(text) else {
            return self.complain("expected JSON").await;
        };
        let action = wish
            .get("action")
            .and_then(Json::as_text)
            .unwrap_or_default();
        let ty = wish.get("type").and_then(Json::as_text);
        match (action, ty, wish.get("since")) {
            ("subscribe", Some(name), _) => self.subscribe(name).await,
            ("unsubscribe", Some(name), _) => {
                let ty = self.readable(name);
                ty.map(|ty| self.following.remove(&ty));
                Ok(())
            }
            ("resume", _, Some(Json::Int(since))) if *since >= 0 => self.resume(Lsn(since.unsigned_abs())).await,
            _ => self.complain("expected subscribe or unsubscribe with a type, or resume with a number in since").await,
        }
    }

    // A type by name, if the page of this socket reads it.
    fn readable(&self, name: &str) -> Option<EntityTypeId> {
        let module = self.app.module();
        let is = |ty: &&EntityTypeId| module.entities[ty.index()].name == name;
        module.pages[self.page].reads.iter().find(is).copied()
    }

    async fn subscribe(&mut self, name: &str) -> Result<(), Error> {
        let Some(ty) = self.readable(name) else {
            return self
                .complain(&format!("this page does not read the type {name}"))
                .await;
        };
        if self.following.len() >= self.app.options.limits.subscriptions_max
            && !self.following.contains_key(&ty)
        {
            return self.complain("too many subscriptions on one socket").await;
        }
        // The feed was joined when the socket opened: what comes after this number is in it.
        let seq = self.app.runtime.store().head();
        // Who follows it already still waits for what the feed holds.
        let is_new = !self.following.contains_key(&ty);
        self.following.entry(ty).or_insert(seq);
        let mut out = String::from("{\"type\":\"subscribed\",\"entity_type\":");
        write_plain_text(&mut out, name);
        out.push_str(&format!(",\"seq\":{seq}}}"));
        self.send_text(out).await?;
        match self.resume {
            Some(since) if is_new => self.catch_up(since, &[ty], seq).await,
            Some(_) | None => Ok(()),
        }
    }

    async fn resume(&mut self, since: Lsn) -> Result<(), Error> {
        self.resume = Some(since);
        let types: Vec<EntityTypeId> = self.following.keys().copied().collect();
        let head = self.app.runtime.store().head();
        self.catch_up(since, &types, head).await
    }

    // Sends what happened to these types after `since`, as far as it was told to anybody yet; the rest comes by the feed.
    async fn catch_up(
        &mut self,
        since: Lsn,
        types: &[EntityTypeId],
        head: Lsn,
    ) -> Result<(), Error> {
        if since == head || types.is_empty() {
            return Ok(());
        }
        let events = self
            .app
            .runtime
            .store()
            .events_since(since)
            .filter(|_| since < head);
        let Some(events) =
            events.filter(|events| events.len() <= self.app.options.limits.feed_queue_max)
        else {
            return self.refresh().await;
        };
        // A commit is published before it is told: it may be in `head`, but not in `events`.
        for ty in types {
            self.following.insert(*ty, since);
        }
        for event in events {
            for (ty, message) in messages_of(&self.app.runtime, &event) {
                if types.contains(&ty) {
                    if message.len() > CHANGE_BYTES_MAX {
                        return self.refresh().await;
                    }
                    self.send_text(message).await?;
                }
            }
            for ty in types {
                if let Some(known) = self.following.get_mut(ty) {
                    *known = (*known).max(event.lsn);
                }
            }
        }
        Ok(())
    }
}
