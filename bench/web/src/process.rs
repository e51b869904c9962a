//! A server as a process: started, asked until it answers, weighed, ended. Must stay true: its processor time is that of all its
//! threads; it ends when the value is dropped.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What goes wrong around a measurement.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// How long a server may take to its first answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two attempts to be answered.
const PAUSE: Duration = Duration::from_micros(200);
/// What the kernel counts processor time in: hundredths of a second, on every Linux of today (`getconf CLK_TCK`).
const TICKS_A_SECOND: f64 = 100.0;

/// A server that has answered once.
pub(crate) struct Running {
    child: Child,
    /// Where it listens on the loopback address.
    pub(crate) port: u16,
    /// Milliseconds from its start to the end of its first answer.
    pub(crate) first_answer_ms: f64,
}

impl Drop for Running {
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        // It may have ended by itself; asked politely, so that what it keeps is closed in order.
        let _ = Command::new("kill").arg(&pid).status();
        let deadline = Instant::now() + Duration::from_secs(12);
        while Instant::now() < deadline {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody listened on a moment ago.
pub(crate) fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// A program that was built by the same command as this one.
pub(crate) fn built(name: &str) -> Result<PathBuf, Failure> {
    let beside = std::env::current_exe()?;
    Ok(beside
        .parent()
        .ok_or("a program lies in a folder")?
        .join(name))
}

/// Compiles one of the pages of this package into a folder.
pub(crate) fn compiled(page: &str, folder: &Path) -> Result<PathBuf, Failure> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("pages/{page}.flin"));
    let module = folder.join(format!("{page}.fbc"));
    let mut flinc = Command::new(built("flinc")?);
    let status = flinc.arg(&source).arg("-o").arg(&module).status()?;
    if status.success() {
        Ok(module)
    } else {
        Err(format!("{} does not compile", source.display()).into())
    }
}

impl Running {
    /// Starts FLIN with a compiled program over a folder for its data, and waits for its first answer.
    pub(crate) fn flin(module: &Path, data: &Path) -> Result<Running, Failure> {
        std::fs::create_dir_all(data)?;
        let port = free_port()?;
        let mut command = Command::new(built("flinvm")?);
        command
            .arg("serve")
            .arg(module)
            .args(["--port", &port.to_string(), "--data"])
            .arg(data.join("db"));
        Running::start(command, port, &data.join("said.log"))
    }

    /// Starts a command that listens on `port`, and waits for its first answer.
    pub(crate) fn start(mut command: Command, port: u16, log: &Path) -> Result<Running, Failure> {
        let log_file = std::fs::File::create(log)?;
        let started = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log_file)
            .spawn()?;
        let mut running = Running {
            child,
            port,
            first_answer_ms: 0.0,
        };
        while get(port, "/").is_err() {
            if started.elapsed() > PATIENCE || running.child.try_wait()?.is_some() {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                return Err(format!("{command:?} does not answer; it said:\n{said}").into());
            }
            std::thread::sleep(PAUSE);
        }
        running.first_answer_ms = started.elapsed().as_secs_f64() * 1000.0;
        Ok(running)
    }

    /// Seconds of processor time that it has used so far, user and system, all threads.
    pub(crate) fn cpu_seconds(&self) -> Result<f64, Failure> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in parentheses may hold spaces; the fields after it are counted from the state, field 3 of proc(5).
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or("").split(' ').collect();
        let ticks = |field: usize| {
            fields
                .get(field - 3)
                .and_then(|text| text.parse::<f64>().ok())
        };
        let (user, system) = (ticks(14), ticks(15));
        Ok(user.zip(system).map(|(a, b)| a + b).ok_or("proc(5)")? / TICKS_A_SECOND)
    }

    /// KiB of memory that it holds.
    pub(crate) fn resident_kib(&self) -> Result<u64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.ok_or("proc(5) says VmRSS")?.parse()?)
    }
}

/// The body of a page.
pub(crate) fn get(port: u16, path: &str) -> Result<Vec<u8>, Failure> {
    ask(
        port,
        &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
    )
}

/// The answer to a JSON body.
pub(crate) fn post(port: u16, path: &str, body: &str) -> Result<Vec<u8>, Failure> {
    let length = body.len();
    ask(
        port,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        ),
    )
}

fn ask(port: u16, request: &str) -> Result<Vec<u8>, Failure> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .ok_or("an answer has a head")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    if head.starts_with("HTTP/1.1 2") {
        return Ok(answer.split_off(end + 4));
    }
    let rest = String::from_utf8_lossy(&answer[end..]).into_owned();
    Err(format!("{head}{rest}").into())
}
