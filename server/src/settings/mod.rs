//! `flin.config`: what an operator may set, in one table (`table.rs`). The parser, `--set`, the help of the programs, the page
//! docs/configuration.md and every message are made from that table. Must stay true: a setting without a row does not exist; a
//! value outside its bounds is refused with its place; nothing here reads a file or the environment.

mod networks;
mod problem;
mod scan;
mod table;
mod text;
mod value;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use flin_runtime::RuntimeOptions;

use crate::options::ServerLimits;

pub use networks::Network;
pub use problem::{Problem, Problems};
pub use table::{help, markdown, names};
pub use text::TEXT_BYTES_MAX;

/// The name of the file: it lies beside the program.
pub const FILE_NAME: &str = "flin.config";

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Limits of connections, requests and sockets.
    pub limits: ServerLimits,
    /// Limits of running code.
    pub running: RunningLimits,
    /// How the program is served.
    pub serving: Serving,
}

/// Limits of running code.
#[derive(Clone, Debug, PartialEq)]
pub struct RunningLimits {
    /// Time that one request may run.
    pub request_time: Duration,
    /// Time that the top level may run before the first request.
    pub start_time: Duration,
    /// Bytes of memory of one request.
    pub memory_bytes: usize,
    /// Bytes of memory of all requests that run, together; none: half of the machine.
    pub memory_all_bytes: Option<usize>,
    /// Nested calls of a request.
    pub call_depth: usize,
    /// Requests that may wait for a worker.
    pub queue_max: usize,
    /// Requests that compute at the same time; 0 for one per core.
    pub workers: usize,
}

/// How a program is served.
#[derive(Clone, Debug, PartialEq)]
pub struct Serving {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Directory of the data.
    pub data: String,
    /// Host names that are answered besides the names of this machine itself.
    pub allow_hosts: Vec<String>,
    /// Whether programs may ask servers in private networks.
    pub allow_private_http: bool,
    /// Peers whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<Network>,
    /// File with the certificates for TLS, empty for none.
    pub tls_cert: String,
    /// File with the private key for TLS, empty for none.
    pub tls_key: String,
    /// `text` or `json`.
    pub log: &'static str,
    /// Which requests have a line in the log: `all`, `changes` or `failed`.
    pub log_requests: &'static str,
    /// A request that takes longer is logged with the line of the program that spent the most.
    pub slow_time: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        let runtime = RuntimeOptions::default();
        Settings {
            limits: ServerLimits::default(),
            running: RunningLimits {
                request_time: runtime.request_time,
                start_time: runtime.start_time,
                memory_bytes: runtime.request_limits.memory_bytes,
                memory_all_bytes: None,
                call_depth: runtime.request_limits.call_depth as usize,
                queue_max: runtime.queue_max,
                workers: runtime.workers,
            },
            serving: Serving {
                host: IpAddr::V4(Ipv4Addr::LOCALHOST),
                port: 3000,
                data: ".flindb".to_owned(),
                allow_hosts: Vec::new(),
                allow_private_http: false,
                trusted_proxies: Vec::new(),
                tls_cert: String::new(),
                tls_key: String::new(),
                log: "text",
                log_requests: "changes",
                slow_time: Duration::from_secs(1),
            },
        }
    }
}

impl Settings {
    /// Reads the text of a `flin.config` over these settings.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place; then nothing is changed.
    pub fn read(&mut self, text: &str) -> Result<(), Problems> {
        text::read(self, text)
    }

    /// Sets one of them from `section.name=value`, as a command line says it: quotes may be left out.
    ///
    /// # Errors
    /// A sentence.
    pub fn set(&mut self, assignment: &str) -> Result<(), String> {
        text::set(self, assignment)
    }

    /// The text of a `flin.config` that sets all of them as they are here.
    pub fn written(&self) -> String {
        table::written(self)
    }
}

impl RunningLimits {
    /// The same for a runtime. `machine_bytes`: memory of the machine, if that is known.
    pub fn of_runtime(&self, machine_bytes: Option<usize>) -> RuntimeOptions {
        let mut options = RuntimeOptions {
            request_time: self.request_time,
            start_time: self.start_time,
            queue_max: self.queue_max,
            workers: self.workers,
            ..RuntimeOptions::default()
        };
        options.request_limits.memory_bytes = self.memory_bytes;
        options.request_limits.call_depth = u32::try_from(self.call_depth).unwrap_or(u32::MAX);
        let half = machine_bytes.map(|bytes| bytes / 2);
        options.memory_all_bytes = self.memory_all_bytes.or(half).unwrap_or(usize::MAX);
        options
    }
}
