//! A server in this process over a hand-assembled program, for tests that look at one rule at a time. Must stay true: no
//! compiler is involved; every server has a port, a store and a world of its own.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(
    unreachable_pub,
    reason = "what it offers is offered to its test programs"
)]

mod memos;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use flin_runtime::store::{MemoryDisk, Store, StoreOptions};
use flin_runtime::vm::{LogLevel, Program};
use flin_runtime::{Runtime, RuntimeOptions, SystemWorld, World, schema_of};
use flin_server::{Server, ServerLimits, ServerOptions};
use tokio::sync::oneshot;

/// The system's world, but whoever asks for the time hits a bug of ours.
struct BrokenClock;

impl World for BrokenClock {
    fn now_ms(&self) -> i64 {
        panic!("the clock fell off the wall")
    }
    fn random(&self, bytes: &mut [u8]) {
        SystemWorld.random(bytes);
    }
    fn env(&self, name: &str) -> Option<String> {
        SystemWorld.env(name)
    }
    fn print(&self, line: &str) {
        SystemWorld.print(line);
    }
    fn log(&self, level: LogLevel, line: &str) {
        SystemWorld.log(level, line);
    }
}

/// A running server; ends when dropped.
pub struct Running {
    pub address: SocketAddr,
    pub runtime: Runtime,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// Serves the memo program with default limits.
pub fn serve() -> Running {
    serve_with(ServerLimits::default(), RuntimeOptions::default())
}

/// Serves the memo program on a runtime whose clock panics.
pub fn serve_broken() -> Running {
    serve_with(
        ServerLimits::default(),
        RuntimeOptions {
            world: Arc::new(BrokenClock),
            ..RuntimeOptions::default()
        },
    )
}

/// Serves the memo program.
pub fn serve_with(limits: ServerLimits, runtime: RuntimeOptions) -> Running {
    let running = serve_idle(limits, runtime);
    running.runtime.start_workers();
    running
}

/// Serves the memo program as the test wants it.
pub fn serve_options(
    runtime: RuntimeOptions,
    set: impl FnOnce(&mut ServerOptions) + Send + 'static,
) -> Running {
    let running = serve_set(runtime, set);
    running.runtime.start_workers();
    running
}

/// Serves the memo program with nobody at work yet: `start_workers` begins it.
pub fn serve_idle(limits: ServerLimits, runtime: RuntimeOptions) -> Running {
    serve_set(runtime, move |options| options.limits = limits)
}

fn serve_set(
    runtime: RuntimeOptions,
    set: impl FnOnce(&mut ServerOptions) + Send + 'static,
) -> Running {
    let program = Program::load(memos::module()).expect("the memo program is sound");
    let schema = schema_of(program.module());
    let opened = Store::open(
        Arc::new(MemoryDisk::new()),
        &schema,
        StoreOptions::default(),
    )
    .expect("memory opens");
    let runtime = Runtime::new(program, opened.store, runtime);
    let (stop, stopped) = oneshot::channel::<()>();
    let (bound, address) = std::sync::mpsc::channel();
    let served = runtime.clone();
    let thread = std::thread::spawn(move || {
        let threads = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("threads");
        threads.block_on(async {
            let mut options = ServerOptions::new(SocketAddr::from(([127, 0, 0, 1], 0)), "test");
            set(&mut options);
            options.allow_hosts = vec!["memos.example".to_owned()];
            let server = Server::bind(served, options).await.expect("a free port");
            bound.send(server.address()).expect("the test waits");
            server.run(async { drop(stopped.await) }).await;
        });
    });
    let address = address.recv().expect("the server starts");
    Running {
        address,
        runtime,
        stop: Some(stop),
        thread: Some(thread),
    }
}

impl Running {
    /// Tells it to stop and waits until it has.
    pub fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server ends in order");
        }
    }

    /// A connection with a time limit for answers.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the port is open");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a time limit");
        stream
    }

    /// Sends bytes as they are; gives everything that comes back until the server closes.
    pub fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect();
        // It may refuse before it has read everything.
        let _ = stream.write_all(bytes);
        read_answer(&mut stream)
    }

    /// Sends bytes and reads only the head of the answer: the connection may live on.
    pub fn connect_and_head(&self, bytes: &[u8]) -> (u16, String) {
        let mut stream = self.connect();
        stream.write_all(bytes).expect("the request is sent");
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        (
            head.split(' ')
                .nth(1)
                .and_then(|word| word.parse().ok())
                .unwrap_or(0),
            head,
        )
    }

    /// A request that asks the server to close afterwards.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"))
        {
            text += &format!("Host: {}\r\n", self.address);
        }
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            text += &format!("Content-Length: {}\r\n", body.len());
        }
        self.raw(format!("{text}\r\n{body}").as_bytes())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "")
    }

    pub fn post_json(&self, path: &str, body: &str) -> Answer {
        self.ask("POST", path, &[("Content-Type", "application/json")], body)
    }

    /// An action by hand.
    pub fn act(&self, action: &str, args: &str, state: &str) -> Answer {
        self.post_json(
            "/_action",
            &format!("{{\"_action\":\"{action}\",\"_args\":{args},\"_state\":{state}}}"),
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.runtime.stop_workers();
    }
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'));
        lines
            .into_iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }
}

/// Reads to the end of the connection.
pub fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
            Err(_) if !bytes.is_empty() => break,
            Err(error) => panic!("no answer: {error}"),
        }
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|word| word.parse().ok())
        .unwrap_or(0);
    Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}
