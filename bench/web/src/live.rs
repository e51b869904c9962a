//! How long a saved change takes to another open page, and what an open socket costs. Here because both are promises to users and
//! neither can be a test: a busy machine would break it. Must stay true: the clock runs from before the action is sent to after its
//! patch was read on another socket; the change is durable, in a directory on disk, by then.

use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use tungstenite::{Message, WebSocket};

use crate::process::{Failure, Running, compiled, post};
use crate::{quantile, sorted};

/// Records on the page while changes are timed.
const RECORDS: usize = 50;
/// Changes that are timed.
const CHANGES: usize = 200;
/// Pause between two: a view is rendered at most once in 16 ms, and that is not what is measured.
const BETWEEN: Duration = Duration::from_millis(25);
/// Sockets that are opened to be weighed.
const SOCKETS: usize = 900;

/// Measures and prints.
///
/// # Errors
/// When the server does not start or refuses, or something else than a patch arrives.
pub(crate) fn run() -> Result<(), Failure> {
    let folder = std::env::temp_dir().join(format!("flin-bench-live-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let done = measure(&folder);
    // What is left behind is a folder of measurements.
    let _ = std::fs::remove_dir_all(&folder);
    done
}

fn measure(folder: &Path) -> Result<(), Failure> {
    let module = compiled("tasks", folder)?;
    let served = Running::flin(&module, &folder.join("data"))?;
    for _ in 0..RECORDS {
        act(&served, "add", "[]")?;
    }
    let mut watching = watch(&served)?;
    let mut took = Vec::with_capacity(CHANGES);
    for n in 0..CHANGES {
        let id = n % RECORDS + 1;
        let args = format!("[{{\"_entity\":true,\"type\":\"Task\",\"id\":{id}}}]");
        std::thread::sleep(BETWEEN);
        let started = Instant::now();
        act(&served, "toggle", &args)?;
        let message = hear(&mut watching)?;
        took.push(started.elapsed().as_secs_f64() * 1000.0);
        if !message.starts_with("{\"type\":\"patch\"") {
            return Err(format!("expected a patch, found {message}").into());
        }
    }
    let took = sorted(took);
    let at = |share: f64| quantile(&took, share);
    println!(
        "a durable change in another open page of {RECORDS} records, ms: p50 {:.2}, p90 {:.2}, p99 {:.2}, worst {:.2} ({CHANGES} changes)",
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
    weigh(&served)
}

// Memory of open sockets, each of which watches the page.
fn weigh(served: &Running) -> Result<(), Failure> {
    let before = served.resident_kib()?;
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS {
        sockets.push(watch(served)?);
    }
    std::thread::sleep(Duration::from_millis(500));
    let after = served.resident_kib()?;
    #[expect(clippy::cast_precision_loss, reason = "a few hundred thousand")]
    let each = (after.saturating_sub(before)) as f64 / SOCKETS as f64;
    println!(
        "memory of the server: {before} KiB, with {SOCKETS} more watching sockets {after} KiB: {each:.1} KiB each"
    );
    act(served, "add", "[]")?;
    let started = Instant::now();
    for socket in &mut sockets {
        hear(socket)?;
    }
    println!(
        "one change heard by all of them after {:.1} ms",
        started.elapsed().as_secs_f64() * 1000.0
    );
    Ok(())
}

fn act(served: &Running, action: &str, args: &str) -> Result<(), Failure> {
    let body = format!("{{\"_page\":\"/\",\"_action\":\"{action}\",\"_args\":{args}}}");
    post(served.port, "/_action", &body).map(|_| ())
}

// A socket that watches the page, and has the newest view.
fn watch(served: &Running) -> Result<WebSocket<TcpStream>, Failure> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, served.port))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let url = format!("ws://127.0.0.1:{}/_ws?page=/", served.port);
    let (mut socket, _) = tungstenite::client(url, stream)?;
    socket.send(Message::text("{\"action\":\"watch\",\"page\":\"/\"}"))?;
    hear(&mut socket)?;
    Ok(socket)
}

fn hear(socket: &mut WebSocket<TcpStream>) -> Result<String, Failure> {
    loop {
        if let Message::Text(text) = socket.read()? {
            return Ok(text.to_string());
        }
    }
}
