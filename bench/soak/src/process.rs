//! The server under fire: started, killed, told to stop, looked at from outside. Here because the soak must be able to kill it at any
//! moment, also before it is ready, and to see how it ended. Must stay true: no process outlives its handle; what it wrote is kept in
//! one file for all its lives.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use flin_testkit::process::program;

/// How long a start may take.
const READY_TIME: Duration = Duration::from_secs(60);
/// How long an end in order may take: what is drained, and some.
const STOP_TIME: Duration = Duration::from_secs(20);

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The compiled program.
    pub module: PathBuf,
    /// The directory of its data.
    pub data: PathBuf,
    /// The file that its log goes to.
    pub log: PathBuf,
}

/// A server.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
}

/// What the system says of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Resident memory.
    pub memory_kb: u64,
    /// Open files and sockets.
    pub descriptors: usize,
}

impl Process {
    /// Starts one; it is not ready yet.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(plan: &Plan) -> Result<Process, String> {
        let log = OpenOptions::new().create(true).append(true).open(&plan.log);
        let log: File = log.map_err(|error| format!("{}: {error}", plan.log.display()))?;
        let mut child = Command::new(program("flinvm"))
            .arg("serve")
            .arg(&plan.module)
            .arg("--data")
            .arg(&plan.data)
            .args(["--port", "0"])
            .args([
                "--set",
                "limits.header_time=3s",
                "--set",
                "limits.send_time=3s",
            ])
            .args([
                "--set",
                "limits.drain=3s",
                "--set",
                "server.log_requests=failed",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|error| format!("flinvm: {error}"))?;
        let stdout = child.stdout.take().map(BufReader::new);
        Ok(Process { child, stdout })
    }

    /// Waits until it is ready; gives where it listens.
    ///
    /// # Errors
    /// When it ends before, or takes too long.
    pub fn ready(&mut self) -> Result<String, String> {
        let mut stdout = self.stdout.take().ok_or("it was waited for before")?;
        let (told, line) = mpsc::channel();
        std::thread::spawn(move || {
            let mut text = String::new();
            let read = stdout.read_line(&mut text);
            // Who started it may have given up.
            let _ = told.send(read.map(|_| text));
            // Whatever else it says is not held up.
            let _ = std::io::copy(&mut stdout, &mut std::io::sink());
        });
        let text = match line.recv_timeout(READY_TIME) {
            Ok(text) => text.map_err(|error| error.to_string())?,
            Err(_) => return Err(format!("not ready after {} s", READY_TIME.as_secs())),
        };
        let address = text.split("http://").nth(1);
        let address = address.ok_or_else(|| format!("it said {text:?}, and no address"))?;
        Ok(address.trim().trim_end_matches('/').to_owned())
    }

    /// Ends it the hard way.
    pub fn kill(mut self) {
        self.end();
    }

    /// Asks it to end; it goes on for a while.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn terminate(&self) -> Result<(), String> {
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        match asked {
            Ok(status) if status.success() => Ok(()),
            other => Err(format!("kill -TERM: {other:?}")),
        }
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it goes on for too long.
    pub fn ended(&mut self) -> Result<ExitStatus, String> {
        let patience = Instant::now() + STOP_TIME;
        while Instant::now() < patience {
            match self.child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Err(error) => return Err(error.to_string()),
            }
        }
        Err(format!("it did not end within {} s", STOP_TIME.as_secs()))
    }

    /// Whether it has ended by itself.
    pub fn is_gone(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Its memory and descriptors now.
    pub fn figures(&self) -> Option<Figures> {
        let place = Path::new("/proc").join(self.child.id().to_string());
        let status = std::fs::read_to_string(place.join("status")).ok()?;
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(Figures {
            memory_kb: resident.trim().strip_suffix("kB")?.trim().parse().ok()?,
            descriptors: std::fs::read_dir(place.join("fd")).ok()?.count(),
        })
    }

    fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Runs a program of this workspace to its end and gives what it printed.
///
/// # Errors
/// When it fails; with what it said.
pub fn run(name: &str, args: &[&Path]) -> Result<String, String> {
    let output = Command::new(program(name)).args(args).output();
    let output = output.map_err(|error| format!("{name}: {error}"))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "{name} ended with {}: {printed}{said}",
        output.status
    ))
}
