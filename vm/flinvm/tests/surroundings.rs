//! What stands around a server goes wrong: nobody reads what it says, the terminal is odd, descriptors run out, the disk is slow, signals
//! come that nobody expects. Must stay true: it answers, or says in a sentence why not; what was acknowledged is there afterwards.

mod support;

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use flin_testkit::http;
use flin_testkit::process::{Server, program};
use support::{Folder, RELOAD, ZEBRAS, act, ended};

/// A server with outputs and surroundings of its own; it ends with the test.
struct Odd {
    child: Child,
    url: String,
}

impl Odd {
    fn start(mut command: Command, module: &Path, data: &Path) -> Odd {
        let mut child = command
            .arg("serve")
            .arg(module)
            .arg("--data")
            .arg(data)
            .args(["--port", "0", "--set", "server.log_requests=all"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it says something");
        let url = line
            .split_whitespace()
            .last()
            .expect("an address")
            .to_owned();
        Odd { child, url }
    }

    fn welcome(&self, name: &str) {
        let wish = format!("{{\"_action\":\"welcome\",\"_state\":{{\"pending\":\"{name}\"}}}}");
        let answer = http::post_json(&self.url, "/_action", &wish);
        assert_eq!((answer.status, answer.body.as_str()), (200, RELOAD));
    }

    /// Sends a signal; the exit code, if it ends by itself and not by the signal.
    fn signal(mut self, name: &str) -> Option<i32> {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status();
        assert!(sent.expect("kill runs").success());
        let patience = Instant::now() + Duration::from_secs(20);
        while Instant::now() < patience {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("SIG{name} does not end it");
    }
}

impl Drop for Odd {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn flinvm() -> Command {
    Command::new(program("flinvm"))
}

// Whoever collected the log had gone; from then on every request that has a line in it broke off without an answer, and the server
// ended with 101.
#[test]
fn nobody_reads_the_log() {
    for form in ["text", "json"] {
        let folder = Folder::new();
        let module = folder.compile("zebras.fbc", ZEBRAS);
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let mut command = flinvm();
        command.stderr(writer).env("FLIN_LOG", "debug");
        let mut odd = Odd::start(command, &module, &folder.path("data"));
        drop(reader);
        odd.welcome("Marty");
        assert_eq!(http::get(&odd.url, "/nowhere").status, 404);
        let crash = "{\"_action\":\"crash\"}";
        assert_eq!(http::post_json(&odd.url, "/_action", crash).status, 500);
        assert!(odd.child.try_wait().expect("a child").is_none());
        assert_eq!(odd.signal("TERM"), Some(0), "{form}");
    }
}

#[test]
fn a_fault_that_nobody_reads_keeps_its_exit_code() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let status = flinvm()
        .args(["serve", "not-there.fbc"])
        .stderr(writer)
        .status();
    assert_eq!(status.expect("it runs").code(), Some(2));
}

#[test]
fn nobody_reads_what_it_prints_and_no_terminal_is_there() {
    let folder = Folder::new();
    let module = folder.compile("zebras.fbc", ZEBRAS);
    let data = folder.path("data");
    let surroundings: [&[(&str, &str)]; 4] = [
        &[],
        &[
            ("COLUMNS", "0"),
            ("TERM", ""),
            ("LANG", "xx_YY.nonsense"),
            ("LC_ALL", "C"),
        ],
        &[
            ("COLUMNS", "99999999999999999999"),
            ("TERM", "\u{1b}[31m"),
            ("FLIN_LOG", "=,,="),
        ],
        &[
            ("HOME", "/nowhere"),
            ("TMPDIR", "/nowhere"),
            ("TZ", "Mars/Olympus"),
        ],
    ];
    for (n, set) in surroundings.into_iter().enumerate() {
        let mut command = flinvm();
        command
            .env_clear()
            .envs(set.iter().copied())
            .stderr(Stdio::null());
        // Odd reads one line and closes stdout.
        let odd = Odd::start(command, &module, &data);
        odd.welcome(&format!("number {n}"));
        assert!(
            http::get(&odd.url, "/")
                .body
                .contains(&format!("number {n}"))
        );
        assert_eq!(odd.signal("TERM"), Some(0));
    }
}

#[test]
fn command_lines_without_end_and_without_sense() {
    let long = "x".repeat(100_000);
    let many: Vec<&str> = std::iter::repeat_n("--allow-host", 5_000).collect();
    let cases: [Vec<&str>; 5] = [
        vec!["serve", &long],
        vec!["serve", "a.fbc", "--port", "99999999999999999999"],
        vec!["serve", "a.fbc", "--set", &long],
        many,
        vec!["", "\u{0001}", "--", "--"],
    ];
    for args in cases {
        let output = flinvm().args(&args).output().expect("it runs");
        let (code, _, said) = ended(&output);
        assert_eq!(code, 2, "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

// rule: run.limits_survive
#[test]
fn descriptors_run_out_and_come_back() {
    let folder = Folder::new();
    let module = folder.compile("zebras.fbc", ZEBRAS);
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -n 96; exec \"$0\" \"$@\""])
        .arg(program("flinvm"))
        .stderr(Stdio::null());
    let odd = Odd::start(command, &module, &folder.path("data"));
    odd.welcome("first");
    let host = odd.url.trim_start_matches("http://").to_owned();
    let idle: Vec<TcpStream> = (0..100)
        .map(|_| TcpStream::connect(&host).expect("the system takes it"))
        .collect();
    std::thread::sleep(Duration::from_millis(300));
    drop(idle);
    // Their places are free a moment later.
    let patience = Instant::now() + Duration::from_secs(20);
    while http::get(&odd.url, "/").status != 200 {
        assert!(Instant::now() < patience, "nobody is let in any more");
    }
    odd.welcome("second");
    assert!(http::get(&odd.url, "/").body.contains("2 zebras"));
    assert_eq!(odd.signal("TERM"), Some(0));
}

#[test]
fn a_slow_disk_holds_up_who_saves_and_nobody_else() {
    let folder = Folder::new();
    let module = folder.compile("zebras.fbc", ZEBRAS);
    let slow = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=fdatasync",
    ];
    let slow = [&slow[..], &["-e", "inject=fdatasync:delay_enter=700000"]].concat();
    let server = Server::start_under(&slow, &module, &folder.path("data"), &[]);
    assert_eq!(http::get(&server.url, "/").status, 200);
    std::thread::scope(|scope| {
        let started = Instant::now();
        let saving = scope.spawn(|| act(&server, "welcome", "[]", "{\"pending\":\"slow\"}"));
        let mut looked = 0;
        while !saving.is_finished() {
            assert_eq!(http::get(&server.url, "/api/zebras").status, 200);
            looked += 1;
        }
        assert_eq!(saving.join().expect("an answer"), (200, RELOAD.to_owned()));
        assert!(started.elapsed() > Duration::from_millis(600));
        assert!(looked > 2, "{looked} looked meanwhile");
    });
    assert!(http::get(&server.url, "/").body.contains("slow"));
}

#[test]
fn signals_that_nobody_expects() {
    let folder = Folder::new();
    let module = folder.compile("zebras.fbc", ZEBRAS);
    let data = folder.path("data");
    for (n, name) in ["HUP", "USR1", "QUIT", "INT", "ABRT"]
        .into_iter()
        .enumerate()
    {
        let mut command = flinvm();
        command.stderr(Stdio::null());
        let odd = Odd::start(command, &module, &data);
        assert!(
            http::get(&odd.url, "/")
                .body
                .contains(&format!("{n} zebras")),
            "before SIG{name}"
        );
        odd.welcome(name);
        odd.signal(name);
    }
    let mut command = flinvm();
    command.stderr(Stdio::null());
    let odd = Odd::start(command, &module, &data);
    // A pipe that broke is no reason to end.
    let piped = Command::new("kill")
        .args(["-PIPE", &odd.child.id().to_string()])
        .status();
    assert!(piped.expect("kill runs").success());
    odd.welcome("PIPE");
}

#[test]
fn data_where_there_can_be_none() {
    let folder = Folder::new();
    let module = folder.compile("zebras.fbc", ZEBRAS);
    let file = folder.write("a file", b"not a directory");
    for data in [
        file.clone(),
        file.join("below"),
        "/proc/nowhere".into(),
        "/dev/null".into(),
    ] {
        let output = flinvm()
            .arg("serve")
            .arg(&module)
            .args(["--port", "0", "--data"])
            .arg(&data)
            .output()
            .expect("it runs");
        let (code, _, said) = ended(&output);
        assert!(
            matches!(code, 1 | 2 | 75) && said.contains("error") && !said.contains("panicked"),
            "{code}: {said}"
        );
    }
    assert_eq!(
        std::fs::read(file).expect("it is untouched"),
        b"not a directory"
    );
}

#[test]
fn a_port_that_is_taken() {
    let folder = Folder::new();
    let module = folder.compile("zebras.fbc", ZEBRAS);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port().to_string();
    let output = flinvm()
        .arg("serve")
        .arg(&module)
        .args(["--port", &port, "--data"])
        .arg(folder.path("data"))
        .output()
        .expect("it runs");
    let (code, _, said) = ended(&output);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains(&format!("cannot listen on 127.0.0.1:{port}")),
        "{said}"
    );
}

#[test]
fn a_client_that_sends_half_and_one_that_closes_at_once() {
    let folder = Folder::new();
    let module = folder.compile("zebras.fbc", ZEBRAS);
    let server = Server::start(&module, &folder.path("data"));
    let host = server.url.trim_start_matches("http://");
    let whole = "POST /_action HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 54\r\n\r\n{\"_action\":\"welcome\",\"_state\":{\"pending\":\"never whole\"}";
    for bytes in 0..whole.len() {
        let mut stream = TcpStream::connect(host).expect("it listens");
        // It may refuse before it has read all.
        let _ = std::io::Write::write_all(&mut stream, &whole.as_bytes()[..bytes]);
        if bytes % 2 == 0 {
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
            let mut answer = String::new();
            let _ = stream.read_to_string(&mut answer);
            assert!(
                !answer.starts_with("HTTP/1.1 2") && !answer.starts_with("HTTP/1.1 5"),
                "{bytes}: {answer}"
            );
        }
    }
    assert!(http::get(&server.url, "/").body.contains("0 zebras"));
}
