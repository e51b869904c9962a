//! Real programs as a user starts them: found beside the test's own program, watched, ended for sure. Here because the
//! examples are judged from outside, over real processes and sockets. Must stay true: a child is killed when its handle
//! is dropped; what it wrote to stderr is part of every failure message.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

/// How long a program may take to say that it is ready.
const READY_DEADLINE: Duration = Duration::from_secs(30);

/// The path of a program of this workspace (`flinc`, `flinvm`), built by `cargo build` into the target folder of the test.
///
/// # Panics
/// When it has not been built.
pub fn program(name: &str) -> PathBuf {
    let mut dir = std::env::current_exe().expect("the test's own path");
    while dir.pop() {
        let candidate = dir.join(name);
        if candidate.is_file() {
            return candidate;
        }
    }
    panic!(
        "the program `{name}` is not built; run `cargo build` (or `cargo xtask test`, which does) first"
    );
}

/// Runs a program to its end.
///
/// # Panics
/// When it cannot be started.
pub fn run(name: &str, args: &[&str], dir: &Path) -> Output {
    Command::new(program(name))
        .args(args)
        .current_dir(dir)
        .output()
        .unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// A running `flinvm serve` or `flinvm dev`.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Base address, `http://127.0.0.1:PORT`.
    pub url: String,
    stderr: Arc<Mutex<String>>,
}

impl Server {
    /// Starts `flinvm serve MODULE --port 0 --data DATA` and waits for its line with the URL.
    ///
    /// # Panics
    /// When it does not get ready; the message holds what it wrote.
    pub fn start(module: &Path, data: &Path) -> Server {
        Server::start_with(module, data, &[])
    }

    /// The same with further arguments.
    ///
    /// # Panics
    /// When it does not get ready.
    pub fn start_with(module: &Path, data: &Path, more: &[&str]) -> Server {
        Server::command("serve", module, data, more)
    }

    /// The same under another program, whose words come first (`strace …`).
    ///
    /// # Panics
    /// When it does not get ready.
    pub fn start_under(wrapper: &[&str], module: &Path, data: &Path, more: &[&str]) -> Server {
        let [first, rest @ ..] = wrapper else {
            return Server::start_with(module, data, more);
        };
        let mut command = Command::new(first);
        command.args(rest).arg(program("flinvm"));
        Server::spawned(command, "serve", module, data, more)
    }

    /// Starts `flinvm dev SOURCE` in the same way.
    ///
    /// # Panics
    /// When it does not get ready.
    pub fn dev(source: &Path, data: &Path, more: &[&str]) -> Server {
        Server::command("dev", source, data, more)
    }

    fn command(command: &str, module: &Path, data: &Path, more: &[&str]) -> Server {
        let flinvm = Command::new(program("flinvm"));
        Server::spawned(flinvm, command, module, data, more)
    }

    fn spawned(
        mut flinvm: Command,
        command: &str,
        module: &Path,
        data: &Path,
        more: &[&str],
    ) -> Server {
        let mut child = flinvm
            .arg(command)
            .arg(module)
            .arg("--data")
            .arg(data)
            .args(if more.contains(&"--port") {
                &[]
            } else {
                &["--port", "0"][..]
            })
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("flinvm starts");
        let stderr = Arc::new(Mutex::new(String::new()));
        collect(
            child.stderr.take().expect("stderr is piped"),
            Arc::clone(&stderr),
        );
        let (ready, line) = mpsc::channel();
        let stdout = child.stdout.take().expect("stdout is piped");
        thread::spawn(move || {
            for text in BufReader::new(stdout).lines().map_while(Result::ok) {
                if ready.send(text).is_err() {
                    return;
                }
            }
        });
        let mut server = Server {
            child,
            url: String::new(),
            stderr,
        };
        match line.recv_timeout(READY_DEADLINE) {
            Ok(text) => match text
                .split_whitespace()
                .find(|word| word.starts_with("http://"))
            {
                Some(url) => server.url = url.trim_end_matches('/').to_string(),
                None => panic!(
                    "flinvm {command} printed no URL but: {text}\n{}",
                    server.log()
                ),
            },
            Err(error) => {
                let status = server.child.try_wait();
                panic!(
                    "flinvm {command} did not get ready ({error}, {status:?}):\n{}",
                    server.log()
                );
            }
        }
        server
    }

    /// What it has written to stderr so far.
    pub fn log(&self) -> String {
        self.stderr.lock().expect("the log is readable").clone()
    }

    /// The log as soon as it holds `wanted` (it comes through a pipe, later than an answer), or after a while as it is.
    pub fn log_with(&self, wanted: &str) -> String {
        for _ in 0..500 {
            let log = self.log();
            if log.contains(wanted) {
                return log;
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.log()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The exit code of a server that ends by itself, and all it wrote to stderr; `None`: it goes on, or was killed.
    ///
    /// # Panics
    /// When the system does not know the process.
    pub fn ended_by_itself(mut self) -> (Option<i32>, String) {
        for _ in 0..READY_DEADLINE.as_millis() / 10 {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return (status.code(), self.log());
            }
            thread::sleep(Duration::from_millis(10));
        }
        (None, self.log())
    }

    /// Ends it the hard way (`kill -9`).
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn collect(mut from: impl Read + Send + 'static, into: Arc<Mutex<String>>) {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(n) = from.read(&mut buffer) {
            if n == 0 {
                return;
            }
            into.lock()
                .expect("the log is writable")
                .push_str(&String::from_utf8_lossy(&buffer[..n]));
        }
    });
}
