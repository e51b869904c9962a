//! Listening, one task per connection, and the orderly end. Must stay true: an error while accepting never ends the
//! server; connections are counted before anything is read from them; when told to stop, what runs is finished first.

use std::convert::Infallible;
use std::future::Future;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use flin_runtime::Runtime;
use hyper::body::Incoming;
use hyper::header::CONNECTION;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::app::App;
use crate::dispatch::dispatch;
use crate::options::{ServerLimits, ServerOptions};
use crate::pacing::{Pace, PacedBody, PacedStream};
use crate::served::{Exchange, Served};
use crate::tls::Tls;

/// Requests of one HTTP/2 connection at a time.
const STREAMS_MAX: u32 = 100;
/// What waits to be sent for one request of HTTP/2.
const SEND_BUFFER_BYTES: usize = 64 << 10;

/// What carries bytes.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// A server that holds its port and waits for `run`.
pub struct Server {
    listener: TcpListener,
    served: Arc<Served>,
    runtime: Runtime,
    limits: ServerLimits,
    tls: Option<Tls>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
}

/// Why a program cannot be served.
#[derive(Debug)]
pub enum BindError {
    /// The port cannot be had.
    Port {
        /// What was asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Two paths of the program are in each other's way.
    Paths(String),
}

impl std::fmt::Display for BindError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BindError::Port { address, source } => {
                write!(f, "cannot listen on {address}: {source}")
            }
            BindError::Paths(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for BindError {}

/// What a request knows of its connection.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) remote: SocketAddr,
    pub(crate) local: SocketAddr,
    /// By https, here or at a proxy that is trusted.
    pub(crate) secure: bool,
    /// Held as long as the connection lives, also by a socket after its upgrade.
    pub(crate) permit: Arc<OwnedSemaphorePermit>,
    pub(crate) stopping: watch::Receiver<bool>,
}

impl Connection {
    /// How many there are now, sockets included.
    pub(crate) fn open(&self, app: &App) -> usize {
        let free = self.permit.semaphore().available_permits();
        app.options.limits.connections_max.saturating_sub(free)
    }
}

impl Server {
    /// Takes the port. The runtime's workers must have been started.
    pub async fn bind(runtime: Runtime, options: ServerOptions) -> Result<Server, BindError> {
        let address = options.listen;
        let taken = |source| BindError::Port { address, source };
        let listener = TcpListener::bind(address).await.map_err(taken)?;
        Server::on(listener, runtime, options)
    }

    /// The same on a port that somebody else has taken already (socket activation).
    pub fn bind_on(
        listener: std::net::TcpListener,
        runtime: Runtime,
        options: ServerOptions,
    ) -> Result<Server, BindError> {
        let address = options.listen;
        let set = listener.set_nonblocking(true);
        let listener = set.and_then(|()| TcpListener::from_std(listener));
        let listener = listener.map_err(|source| BindError::Port { address, source })?;
        Server::on(listener, runtime, options)
    }

    fn on(
        listener: TcpListener,
        runtime: Runtime,
        options: ServerOptions,
    ) -> Result<Server, BindError> {
        let wanted = options.listen;
        let taken = |source| BindError::Port {
            address: wanted,
            source,
        };
        let address = listener.local_addr().map_err(taken)?;
        let (limits, tls) = (options.limits.clone(), options.tls.clone());
        let app = App::new(runtime.clone(), options).map_err(BindError::Paths)?;
        let (stop, _) = watch::channel(false);
        Ok(Server {
            listener,
            served: Arc::new(Served::new(app)),
            runtime,
            limits,
            tls,
            address,
            stop,
        })
    }

    /// The address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// To put another program in the place of this one, later.
    pub fn exchange(&self) -> Exchange {
        self.served.exchange()
    }

    /// Serves until `stop` is ready, then finishes what runs and returns; what takes longer than the drain time is cut off.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let connections_max = self.limits.connections_max;
        let connections = Arc::new(Semaphore::new(connections_max));
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, remote)) => self.admit(stream, remote, &connections),
                Err(error) => {
                    // Out of file descriptors, or the other side is gone already: others go on.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        drop(self.listener);
        self.stop.send_replace(true);
        let all = connections.acquire_many(u32::try_from(connections_max).unwrap_or(u32::MAX));
        if tokio::time::timeout(self.limits.drain_time, all)
            .await
            .is_err()
        {
            tracing::warn!("some connections did not end in time and are cut off");
            self.runtime.cut_off();
        }
    }

    fn admit(&self, stream: TcpStream, remote: SocketAddr, connections: &Arc<Semaphore>) {
        let Ok(permit) = Arc::clone(connections).try_acquire_owned() else {
            turn_away(stream);
            tracing::warn!(%remote, "too many connections; one was turned away");
            return;
        };
        let local = stream.local_addr().unwrap_or(self.address);
        let connection = Connection {
            remote,
            local,
            secure: false,
            permit: Arc::new(permit),
            stopping: self.stop.subscribe(),
        };
        // Answers are small and whole; waiting to fill packets only delays them.
        let _ = stream.set_nodelay(true);
        let serving = Serving {
            served: Arc::clone(&self.served),
            limits: self.limits.clone(),
            connection,
        };
        match self.tls.clone() {
            Some(tls) => drop(tokio::spawn(serving.tls(tls, stream))),
            None => drop(tokio::spawn(serving.http1(stream))),
        }
    }
}

/// Not worth a task: a client that does not take these few bytes at once gets none. Written past the runtime, which would have to
/// wait to hear that there is room; what was asked already is taken, because an unread question resets the answer away.
fn turn_away(stream: TcpStream) {
    if let Ok(mut stream) = stream.into_std()
        && stream.write(FULL).is_ok()
        && stream.shutdown(std::net::Shutdown::Write).is_ok()
    {
        let _ = stream.read(&mut [0; 4096]);
    }
}

/// Ready when the server is told to stop, or is gone.
pub(crate) async fn told_to_stop(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stopping| *stopping).await);
}

/// A connection that is served.
struct Serving {
    served: Arc<Served>,
    limits: ServerLimits,
    connection: Connection,
}

impl Serving {
    async fn tls(mut self, tls: Tls, stream: TcpStream) {
        let handshake = tls.acceptor.accept(stream);
        match tokio::time::timeout(self.limits.head_time, handshake).await {
            Ok(Ok(stream)) => {
                self.connection.secure = true;
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    self.http2(stream).await;
                } else {
                    self.http1(stream).await;
                }
            }
            Ok(Err(error)) => tracing::debug!(%error, "a connection is no TLS"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }

    async fn http1<S: Stream>(self, stream: S) {
        let limits = &self.limits;
        let pace = Pace::new(limits.head_time, limits.idle_time, false);
        let io = TokioIo::new(PacedStream::new(stream, pace.clone(), limits.send_time));
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            // A second line behind `Pace`, which is exact.
            .header_read_timeout(limits.idle_time + limits.head_time)
            .max_buf_size(limits.head_bytes_max)
            .max_headers(limits.header_fields_max);
        let mut stopping = self.connection.stopping.clone();
        let service = service_fn(move |request| self.answer(request, &pace));
        let serving = http.serve_connection(io, service).with_upgrades();
        tokio::pin!(serving);
        let ended = tokio::select! {
            ended = serving.as_mut() => ended,
            () = told_to_stop(&mut stopping) => {
                serving.as_mut().graceful_shutdown();
                serving.as_mut().await
            }
        };
        tell_end(ended);
    }

    async fn http2<S: Stream>(self, stream: S) {
        let limits = &self.limits;
        let pace = Pace::new(limits.head_time, limits.idle_time, true);
        let io = TokioIo::new(PacedStream::new(stream, pace.clone(), limits.send_time));
        let mut http = http2::Builder::new(TokioExecutor::new());
        http.timer(TokioTimer::new())
            .keep_alive_interval(Some(limits.ping_every))
            .keep_alive_timeout(limits.send_time)
            .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
            .max_concurrent_streams(STREAMS_MAX)
            .max_send_buf_size(SEND_BUFFER_BYTES);
        let mut stopping = self.connection.stopping.clone();
        let service = service_fn(move |request| self.answer(request, &pace));
        let serving = http.serve_connection(io, service);
        tokio::pin!(serving);
        let ended = tokio::select! {
            ended = serving.as_mut() => ended,
            () = told_to_stop(&mut stopping) => {
                serving.as_mut().graceful_shutdown();
                serving.as_mut().await
            }
        };
        tell_end(ended);
    }

    fn answer(
        &self,
        request: Request<Incoming>,
        pace: &Pace,
    ) -> impl Future<Output = Result<Response<PacedBody>, Infallible>> + Send + use<> {
        let (served, connection) = (Arc::clone(&self.served), self.connection.clone());
        let pace = pace.clone();
        async move {
            let under_way = pace.head_done();
            let app = served.app().await;
            let response = dispatch(&app, request, connection).await;
            if response.headers().contains_key(CONNECTION)
                && response.status() != StatusCode::SWITCHING_PROTOCOLS
            {
                // The one thing that we say there is that it ends.
                pace.leave_unread();
            }
            let under_way = if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                under_way.stays();
                None
            } else {
                Some(under_way)
            };
            Ok(response.map(|body| PacedBody::new(body, under_way)))
        }
    }
}

fn tell_end(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
