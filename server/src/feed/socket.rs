//! `/_ws`: one socket of one page. Must stay true: its buffers are small; a client that does not answer pings, or takes
//! nothing of what is sent, is closed; when the server stops, it says so; a close is answered, and what was said last arrives.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hyper::StatusCode;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error};
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::handshake::{Upgrade, accept};
use super::outbox::WAITING_BYTES_MAX;
use super::outlet::Outlet;
use crate::app::App;
use crate::body::form_pairs;
use crate::dispatch::Asked;
use crate::listen::{Connection, told_to_stop};
use crate::options::ServerLimits;
use crate::respond::{Answered, text};

/// Bytes that a socket reads at once: what clients say is small, and a thousand sockets are many.
const BUFFER_BYTES: usize = 1 << 10;

/// Bytes of a frame: a longer message is sent in several. What is sent goes through a buffer, which stays as big as the
/// biggest frame ever was, for each socket.
const FRAME_BYTES: usize = 2 << 10;

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
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let running = run(Arc::clone(&app), visit.page, upgrade);
        // A bug ends the socket, and is in the log; the client comes back.
        let _ended = app.runtime.sheltered("socket", running).await.is_ok();
    });
    response
}

async fn run(app: Arc<App>, page: usize, upgrade: Upgrade) {
    let Ok(upgraded) = upgrade.to.await else {
        return;
    };
    let limits = &app.options.limits;
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(2 * WAITING_BYTES_MAX)
        .max_message_size(Some(limits.message_bytes_max))
        .max_frame_size(Some(limits.message_bytes_max));
    let stream =
        WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    let mut socket = Socket {
        limits,
        stream,
        outlet: Outlet::new(Arc::clone(&app), page),
    };
    let mut connection = upgrade.connection;
    if let Err(end) = socket.serve(&app, &mut connection).await {
        tracing::debug!(%end, "a live socket ended");
    }
    // Nothing is kept for it while the last word is on its way.
    let Socket {
        mut stream, outlet, ..
    } = socket;
    drop(outlet);
    if let Err(end) = stream.get_mut().shutdown().await {
        tracing::debug!(%end, "a live socket was gone before its end");
    }
}

struct Socket<'a> {
    limits: &'a ServerLimits,
    stream: WebSocketStream<TokioIo<Upgraded>>,
    outlet: Outlet,
}

impl Socket<'_> {
    async fn serve(&mut self, app: &App, connection: &mut Connection) -> Result<(), Error> {
        let every = self.limits.ping_every;
        let mut ping = tokio::time::interval_at(Instant::now() + every, every);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut silent_pings = 0;
        let mut retired = app.retired();
        loop {
            while let Some(message) = self.outlet.pop() {
                self.push(message.text).await?;
            }
            tokio::select! {
                message = self.stream.next() => {
                    silent_pings = 0;
                    match message {
                        None => return Ok(()),
                        Some(Ok(Message::Close(_))) => return self.answer_close().await,
                        Some(Ok(Message::Text(text))) => {
                            app.options.planted.here("message");
                            self.outlet.obey(text.as_bytes());
                        }
                        Some(Ok(Message::Binary(_))) => self.outlet.complain("expected a text message"),
                        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                        Some(Err(error)) => return self.fail(error).await,
                    }
                }
                ready = self.outlet.ready() => if ready.is_err() {
                    return self.close(CloseCode::Away).await;
                },
                _ = ping.tick() => {
                    if silent_pings == 2 {
                        return self.close(CloseCode::Away).await;
                    }
                    silent_pings += 1;
                    self.send(Message::Ping(Bytes::new())).await?;
                }
                () = told_to_stop(&mut connection.stopping) => {
                    if let Some(bye) = self.outlet.bye() {
                        self.push(bye.text).await?;
                    }
                    return self.close(CloseCode::Away).await;
                }
                () = told_to_stop(&mut retired) => return self.close(CloseCode::Restart).await,
            }
        }
    }

    async fn push(&mut self, message: Utf8Bytes) -> Result<(), Error> {
        let bytes = message.len();
        let limit = self.limits.send_time;
        let sent = match tokio::time::timeout(limit, self.send_frames(message.into())).await {
            Ok(sent) => sent,
            Err(_) => Err(Error::Io(std::io::ErrorKind::TimedOut.into())),
        };
        if let Err(error) = &sent {
            // The client comes back and says where it is: nothing is lost.
            tracing::info!(%error, bytes, "a push failed: the client is gone, or takes nothing");
        }
        sent
    }

    async fn send_frames(&mut self, message: Bytes) -> Result<(), Error> {
        let mut at = 0;
        loop {
            let end = message.len().min(at + FRAME_BYTES);
            let kind = if at == 0 { Data::Text } else { Data::Continue };
            let is_last = end == message.len();
            let frame = Frame::message(message.slice(at..end), OpCode::Data(kind), is_last);
            self.stream.send(Message::Frame(frame)).await?;
            if is_last {
                return Ok(());
            }
            at = end;
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), Error> {
        match tokio::time::timeout(self.limits.send_time, self.stream.send(message)).await {
            Ok(sent) => sent,
            Err(_) => Err(Error::Io(std::io::ErrorKind::TimedOut.into())),
        }
    }

    async fn close(&mut self, code: CloseCode) -> Result<(), Error> {
        let frame = CloseFrame {
            code,
            reason: Utf8Bytes::default(),
        };
        self.send(Message::Close(Some(frame))).await
    }

    // The same close is waiting to be sent already.
    async fn answer_close(&mut self) -> Result<(), Error> {
        match tokio::time::timeout(self.limits.send_time, self.stream.flush()).await {
            Ok(sent) => sent,
            Err(_) => Err(Error::Io(std::io::ErrorKind::TimedOut.into())),
        }
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
}
