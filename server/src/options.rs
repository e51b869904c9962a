//! What a server may use and what it answers to. Here because every limit has one place, a default and a reason.
//! Must stay true: everything that a client can make grow is bounded by one of these.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::planted::Planted;
use crate::settings::{Network, Settings};
use crate::tls::Tls;
use crate::token::TokenKey;

use crate::dev::Dev;

/// Limits of connections, requests and sockets.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerLimits {
    /// Open connections, sockets included; more are answered 503.
    pub connections_max: usize,
    /// Bytes of a request head; more are answered 431.
    pub head_bytes_max: usize,
    /// Header fields of a request; more are answered 431.
    pub header_fields_max: usize,
    /// Time for a request head from its first byte; then 408.
    pub head_time: Duration,
    /// Time that a connection may stay open between two requests.
    pub idle_time: Duration,
    /// Bytes of a request body; more are answered 413.
    pub body_bytes_max: usize,
    /// Time for a request body; then 408.
    pub body_time: Duration,
    /// Bytes of one message on a socket; more closes it with 1009.
    pub message_bytes_max: usize,
    /// Changes that wait for a slow socket; more collapse into one refresh.
    pub feed_queue_max: usize,
    /// Types that one socket may follow.
    pub subscriptions_max: usize,
    /// Time that a client may take nothing of what is sent to it; for a socket, that one message may take.
    pub send_time: Duration,
    /// A socket is asked for a sign of life this often.
    pub ping_every: Duration,
    /// Time that running requests get to finish at the end.
    pub drain_time: Duration,
}

impl Default for ServerLimits {
    fn default() -> ServerLimits {
        ServerLimits {
            connections_max: 1024,
            head_bytes_max: 16 << 10,
            header_fields_max: 100,
            head_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(60),
            body_bytes_max: 1 << 20,
            body_time: Duration::from_secs(30),
            message_bytes_max: 64 << 10,
            feed_queue_max: 256,
            subscriptions_max: 256,
            send_time: Duration::from_secs(30),
            ping_every: Duration::from_secs(25),
            drain_time: Duration::from_secs(10),
        }
    }
}

/// How a program is served.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Host names that are answered besides the bound address and the names of this machine itself.
    pub allow_hosts: Vec<String>,
    /// Names the program build; pages carry it.
    pub build: String,
    /// What pages prove with that they are of this server; without one, a key that the process makes.
    pub token_key: Option<TokenKey>,
    /// Error pages show message and position (development), not only an id.
    pub show_errors: bool,
    /// For a developer: pages are told when the program changes or fails. Absent in production.
    pub dev: Option<Arc<Dev>>,
    /// Peers whose `X-Forwarded-*` headers count.
    pub trusted_proxies: Vec<Network>,
    /// Answers https, with HTTP/2 and HTTP/1.1.
    pub tls: Option<Tls>,
    /// Which requests have a line in the log.
    pub logged: LoggedRequests,
    /// Requests that take longer are told with the line of the program that spent the most.
    pub slow_time: Duration,
    /// Limits.
    pub limits: ServerLimits,
    /// Where a test wants a panic.
    pub planted: Planted,
}

/// Requests that have a line in the log; the others have one at the level `debug`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoggedRequests {
    /// All of them.
    All,
    /// Those that may change something, and those that failed.
    Changes,
    /// Those that failed.
    Failed,
}

impl ServerOptions {
    /// As an operator has set it.
    pub fn of(settings: &Settings, build: impl Into<String>) -> ServerOptions {
        let serving = &settings.serving;
        let listen = SocketAddr::new(serving.host, serving.port);
        let mut options = ServerOptions::new(listen, build);
        options.allow_hosts.clone_from(&serving.allow_hosts);
        options.limits = settings.limits.clone();
        options.trusted_proxies.clone_from(&serving.trusted_proxies);
        options.slow_time = serving.slow_time;
        options.logged = match serving.log_requests {
            "all" => LoggedRequests::All,
            "failed" => LoggedRequests::Failed,
            _ => LoggedRequests::Changes,
        };
        options
    }

    /// Default limits, errors shown by id only.
    pub fn new(listen: SocketAddr, build: impl Into<String>) -> ServerOptions {
        ServerOptions {
            listen,
            allow_hosts: Vec::new(),
            build: build.into(),
            token_key: None,
            show_errors: false,
            dev: None,
            trusted_proxies: Vec::new(),
            tls: None,
            logged: LoggedRequests::Changes,
            slow_time: Duration::from_secs(1),
            limits: ServerLimits::default(),
            planted: Planted::default(),
        }
    }
}
