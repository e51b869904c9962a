//! How long a saved change takes to another open page, and what an open socket costs: `live FLINVM` starts that program over a data
//! directory on disk. Here because both are promises to users and neither can be a test: a busy machine would break it. Must stay true:
//! the clock runs from before the action is sent to after its patch was read on another socket; the change is durable by then.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use flin_bytecode::fbc;
use tungstenite::{Message, WebSocket};

const PROGRAM: &str = r#"
entity Task { title: text @required, done: bool = false }
draft = "x"
fn add() { save Task { title: draft } }
fn toggle(task: Task) {
  task.done = !task.done
  save task
}
view {
  <h1>{Task.count} tasks</h1>
  <ul>{for task in Task.all}<li class="{if task.done then 'done' else 'open'}" click={toggle(task)}>{task.title}</li>{/for}</ul>
  <button click={add()}>add</button>
}
"#;

/// Records on the page while changes are timed.
const RECORDS: usize = 50;
/// Changes that are timed.
const CHANGES: usize = 200;
/// Pause between two: a view is rendered at most once in 16 ms, and that is not what is measured.
const BETWEEN: Duration = Duration::from_millis(25);
/// Sockets that are opened to be weighed.
const SOCKETS: usize = 900;

fn main() -> ExitCode {
    let Some(flinvm) = std::env::args_os().nth(1) else {
        eprintln!("usage: live FLINVM");
        return ExitCode::from(2);
    };
    match measure(Path::new(&flinvm)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("live: {error}");
            ExitCode::FAILURE
        }
    }
}

type Failure = Box<dyn std::error::Error>;

struct Served {
    child: Child,
    host: String,
    folder: PathBuf,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn measure(flinvm: &Path) -> Result<(), Failure> {
    let served = serve(flinvm)?;
    for _ in 0..RECORDS {
        act(&served.host, "add", "[]")?;
    }
    let mut watching = watch(&served.host)?;
    let mut took = Vec::with_capacity(CHANGES);
    for n in 0..CHANGES {
        let id = n % RECORDS + 1;
        let args = format!("[{{\"_entity\":true,\"type\":\"Task\",\"id\":{id}}}]");
        std::thread::sleep(BETWEEN);
        let started = Instant::now();
        act(&served.host, "toggle", &args)?;
        let message = hear(&mut watching)?;
        took.push(started.elapsed());
        if !message.starts_with("{\"type\":\"patch\"") {
            return Err(format!("expected a patch, found {message}").into());
        }
    }
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100].as_secs_f64() * 1000.0;
    println!(
        "a durable change in another open page of {RECORDS} records, ms: p50 {:.2}, p90 {:.2}, p99 {:.2}, worst {:.2} ({CHANGES} changes)",
        at(50),
        at(90),
        at(99),
        at(100)
    );
    weigh(&served)
}

// Memory of open sockets, each of which watches the page.
fn weigh(served: &Served) -> Result<(), Failure> {
    let before = resident_kib(served.child.id())?;
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS {
        sockets.push(watch(&served.host)?);
    }
    std::thread::sleep(Duration::from_millis(500));
    let after = resident_kib(served.child.id())?;
    #[expect(clippy::cast_precision_loss, reason = "a few hundred thousand")]
    let each = (after.saturating_sub(before)) as f64 / SOCKETS as f64;
    println!(
        "memory of the server: {before} KiB, with {SOCKETS} more watching sockets {after} KiB: {each:.1} KiB each"
    );
    act(&served.host, "add", "[]")?;
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

fn serve(flinvm: &Path) -> Result<Served, Failure> {
    let folder = std::env::temp_dir().join(format!("flin-bench-live-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let compiled = flinc::compile("live.flin", PROGRAM);
    let compiled = compiled.map_err(|diagnostics| format!("{diagnostics:?}"))?;
    let module = folder.join("live.fbc");
    std::fs::write(&module, fbc::write(&compiled.module))?;
    let mut child = Command::new(flinvm)
        .arg("serve")
        .arg(&module)
        .args(["--port", "0", "--data"])
        .arg(folder.join("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut line = String::new();
    let mut stdout = child.stdout.take().ok_or("stdout is piped")?;
    let mut byte = [0];
    while !line.ends_with('\n') && stdout.read(&mut byte)? == 1 {
        line.push(char::from(byte[0]));
    }
    let host = line
        .trim_end()
        .rsplit("http://")
        .next()
        .unwrap_or_default()
        .to_owned();
    Ok(Served {
        child,
        host,
        folder,
    })
}

fn ask(host: &str, request: &str) -> Result<String, Failure> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_nodelay(true)?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn act(host: &str, action: &str, args: &str) -> Result<(), Failure> {
    let body = format!("{{\"_page\":\"/\",\"_action\":\"{action}\",\"_args\":{args}}}");
    let answer = ask(
        host,
        &format!(
            "POST /_action HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    )?;
    if answer.starts_with("HTTP/1.1 200") {
        Ok(())
    } else {
        Err(answer.into())
    }
}

// A socket that watches the page, and has the newest view.
fn watch(host: &str) -> Result<WebSocket<TcpStream>, Failure> {
    let stream = TcpStream::connect(host)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let (mut socket, _) = tungstenite::client(format!("ws://{host}/_ws?page=/"), stream)?;
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

fn resident_kib(pid: u32) -> Result<u64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(number.ok_or("no VmRSS")?.parse()?)
}
