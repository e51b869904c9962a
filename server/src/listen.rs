//! Listening, one task per connection, and the orderly end. Must stay true: an error while accepting never ends the
//! server; connections are counted before anything is read from them; when told to stop, what runs is finished first.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use flin_runtime::Runtime;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::app::App;
use crate::dispatch::dispatch;
use crate::options::{ServerLimits, ServerOptions};
use crate::pacing::{Pace, PacedBody, PacedStream};
use crate::served::{Exchange, Served};

const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// A server that holds its port and waits for `run`.
pub struct Server {
    listener: TcpListener,
    served: Arc<Served>,
    limits: ServerLimits,
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
    /// Held as long as the connection lives, also by a socket after its upgrade.
    pub(crate) _permit: Arc<OwnedSemaphorePermit>,
    pub(crate) stopping: watch::Receiver<bool>,
}

impl Server {
    /// Takes the port. The runtime's workers must have been started.
    pub async fn bind(runtime: Runtime, options: ServerOptions) -> Result<Server, BindError> {
        let wanted = options.listen;
        let taken = |source| BindError::Port {
            address: wanted,
            source,
        };
        let listener = TcpListener::bind(wanted).await.map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        let limits = options.limits.clone();
        let app = App::new(runtime, options).map_err(BindError::Paths)?;
        let (stop, _) = watch::channel(false);
        Ok(Server {
            listener,
            served: Arc::new(Served::new(app)),
            limits,
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

    /// Serves until `stop` is ready, then finishes what runs (up to the drain time) and returns.
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
        }
    }

    fn admit(&self, stream: TcpStream, remote: SocketAddr, connections: &Arc<Semaphore>) {
        let Ok(permit) = Arc::clone(connections).try_acquire_owned() else {
            // Not worth a task: a client that does not take these few bytes at once gets none.
            let _ = stream.try_write(FULL);
            tracing::warn!(%remote, "too many connections; one was turned away");
            return;
        };
        let local = stream.local_addr().unwrap_or(self.address);
        let connection = Connection {
            remote,
            local,
            _permit: Arc::new(permit),
            stopping: self.stop.subscribe(),
        };
        let (served, limits) = (Arc::clone(&self.served), self.limits.clone());
        tokio::spawn(serve_connection(served, limits, stream, connection));
    }
}

/// Ready when the server is told to stop, or is gone.
pub(crate) async fn told_to_stop(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stopping| *stopping).await);
}

async fn serve_connection(
    served: Arc<Served>,
    limits: ServerLimits,
    stream: TcpStream,
    connection: Connection,
) {
    // Answers are small and whole; waiting to fill packets only delays them.
    let _ = stream.set_nodelay(true);
    let pace = Pace::new(limits.head_time, limits.idle_time);
    let io = TokioIo::new(PacedStream::new(stream, pace.clone(), limits.send_time));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        // A second line behind `Pace`, which is exact.
        .header_read_timeout(limits.idle_time + limits.head_time)
        .max_buf_size(limits.head_bytes_max)
        .max_headers(limits.header_fields_max);
    let mut stopping = connection.stopping.clone();
    let service = service_fn(move |request| {
        let (served, connection, pace) = (Arc::clone(&served), connection.clone(), pace.clone());
        async move {
            pace.head_done();
            let app = served.app().await;
            let response = dispatch(&app, request, connection).await;
            let upgraded = response.status() == hyper::StatusCode::SWITCHING_PROTOCOLS;
            let pace = (!upgraded).then_some(pace);
            Ok::<_, std::convert::Infallible>(response.map(|body| PacedBody::new(body, pace)))
        }
    });
    let serving = http.serve_connection(io, service).with_upgrades();
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = told_to_stop(&mut stopping) => {
            serving.as_mut().graceful_shutdown();
            serving.as_mut().await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
