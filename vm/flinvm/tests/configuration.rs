//! `flin.config` as a user meets it: found beside the program, refused with its places, beaten by the command line.

mod support;

use std::process::Command;

use flin_testkit::http;
use flin_testkit::process::{self, Server};
use support::{Folder, ended, flinvm};

const PROGRAM: &str = r#"
fn deep(n: int) -> int { if n == 0 then 0 else 1 + deep(n - 1) }
route GET "/deep/:n" { deep(params.n.to_int) }
route POST "/echo" { body }
route GET "/spin" {
  n = 0
  while true { n += 1 }
  n
}
route GET "/fill" {
  all = []
  while true { all.push("a".repeat(100000)) }
  all.len
}
"#;

fn status(server: &Server, path: &str) -> u16 {
    http::get(&server.url, path).status
}

#[test]
fn what_the_file_says_counts_and_the_command_line_wins() {
    let folder = Folder::new();
    let module = folder.compile("limits.fbc", PROGRAM);
    let config = "limits { call_depth: 40, body: \"1KB\", time: \"200ms\", memory: \"2MB\" }\nserver { data: \"kept\" }\n";
    folder.write("flin.config", config.as_bytes());
    let data = folder.path("data");
    let server = Server::start(&module, &data);
    assert_eq!(status(&server, "/deep/20"), 200);
    assert_eq!(status(&server, "/deep/100"), 500);
    assert!(server.log_with("StackOverflow").contains("StackOverflow"));
    assert_eq!(status(&server, "/spin"), 503);
    assert_eq!(status(&server, "/fill"), 500);
    assert!(
        server
            .log_with("MemoryLimitExceeded")
            .contains("MemoryLimitExceeded")
    );
    let big = "x".repeat(2000);
    let text = [("Content-Type", "text/plain")];
    assert_eq!(
        http::request(&server.url, "POST", "/echo", &text, &big).status,
        413
    );
    // `--data` won.
    assert!(data.exists() && !folder.path("kept").exists());
    drop(server);
    let more = ["--set", "limits.call_depth=512", "--set", "limits.body=1MB"];
    let server = Server::start_with(&module, &data, &more);
    assert_eq!(status(&server, "/deep/100"), 200);
    assert_eq!(
        http::request(&server.url, "POST", "/echo", &text, &big).status,
        200
    );
}

#[test]
fn a_file_with_a_mistake_is_refused_with_its_place() {
    let folder = Folder::new();
    let module = folder.compile("any.fbc", PROGRAM);
    let path = folder.write("flin.config", b"limits {\n  memroy: \"1GB\"\n}\n");
    let (code, out, err) = ended(&flinvm(&["serve"], &[&module]));
    let wanted = format!(
        "error: there is no setting `memroy` in `limits`\n --> {}:2:3\n  |\n2 |   memroy: \"1GB\"\n  |   ^^^^^^\n  = help: did you mean `memory`?\n",
        path.display()
    );
    assert_eq!((code, out.as_str(), err.as_str()), (2, "", wanted.as_str()));
    // Another file in its place.
    folder.write("other.config", &[0xff, 0xfe]);
    let other = folder.path("other.config").display().to_string();
    let (code, _, err) = ended(&flinvm(&["serve", "--config", &other], &[&module]));
    assert!(
        code == 2 && err.contains("is no UTF-8 text"),
        "{code}: {err}"
    );
    let (code, _, err) = ended(&flinvm(
        &["serve", "--config", "missing.config"],
        &[&module],
    ));
    assert!(
        code == 2 && err.contains("cannot read missing.config"),
        "{code}: {err}"
    );
    folder.write("flin.config", b"");
    let (code, _, err) = ended(&flinvm(&["serve", "--set", "limits.tme=1s"], &[&module]));
    assert!(
        code == 2 && err.contains("did you mean `time`?"),
        "{code}: {err}"
    );
}

#[test]
fn paths_count_from_where_the_file_lies() {
    let folder = Folder::new();
    let module = folder.compile("any.fbc", PROGRAM);
    folder.write("flin.config", b"server { data: \"kept\", port: 0 }");
    let mut child = Command::new(process::program("flinvm"))
        .arg("serve")
        .arg(&module)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("flinvm starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("stdout is piped");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).expect("a line");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(line.contains("is served on http://127.0.0.1:"), "{line}");
    assert!(folder.path("kept").join("page.key").exists());
}

#[test]
fn help_lists_every_setting() {
    let output = process::run("flinvm", &["serve", "--help"], &std::env::temp_dir());
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    for name in flin_server::settings::names() {
        assert!(help.contains(&name), "{name}\n{help}");
    }
}

#[test]
fn a_slow_request_is_told_with_the_line_that_spent_the_most() {
    let folder = Folder::new();
    let program = "fn light(n) {\n  m = 0\n  for k in 0..n { m += k }\n  m\n}\nfn heavy(n) {\n  m = 0\n  for k in 0..n { m = (m * 31 + k) % 1000003 }\n  m\n}\nroute GET \"/work\" {\n  light(1000) + heavy(30000000)\n}\n";
    let module = folder.compile("slow.fbc", program);
    for jit in ["off", "sync"] {
        let more = [
            "--set",
            "server.slow=20ms",
            "--jit",
            jit,
            "--set",
            "limits.time=60s",
        ];
        let server = Server::start_with(&module, &folder.path(jit), &more);
        assert_eq!(status(&server, "/work"), 200);
        let log = server.log_with("slow: most of it");
        let line = log
            .lines()
            .find(|line| line.contains("slow: most of it"))
            .unwrap_or_else(|| panic!("{jit}: {log}"));
        assert!(
            line.contains("slow.fbc:8") && line.contains("name=\"GET /work\""),
            "{jit}: {line}"
        );
        assert!(line.contains("request{id="), "{jit}: {line}");
    }
}

#[test]
fn requests_have_a_line_each_as_wanted() {
    let folder = Folder::new();
    let module = folder.compile("lines.fbc", PROGRAM);
    let server = Server::start_with(
        &module,
        &folder.path("a"),
        &["--log", "json", "--set", "server.log_requests=all"],
    );
    assert_eq!(status(&server, "/deep/7?secret=1"), 200);
    let log = server.log_with("\"answered\"");
    let line = log
        .lines()
        .find(|line| line.contains("\"answered\""))
        .unwrap_or_else(|| panic!("{log}"));
    let json: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
    let fields = &json["fields"];
    assert_eq!(
        (fields["kind"].as_str(), fields["route"].as_str()),
        (Some("route"), Some("/deep/:n"))
    );
    assert_eq!(
        (fields["status"].as_u64(), fields["path"].as_str()),
        (Some(200), Some("/deep/7"))
    );
    for name in ["took_us", "fuel", "memory", "reads", "writes"] {
        assert!(fields[name].is_u64(), "{name}: {line}");
    }
    assert!(fields["id"].is_string() && !log.contains("secret"), "{log}");
    let server = Server::start_with(
        &module,
        &folder.path("b"),
        &["--set", "server.log_requests=failed"],
    );
    assert_eq!(
        (status(&server, "/deep/7"), status(&server, "/nowhere")),
        (200, 404)
    );
    let log = server.log_with("answered");
    assert!(log.contains("/nowhere") && !log.contains("/deep"), "{log}");
}

#[test]
fn all_requests_together_have_their_memory_and_small_ones_pass() {
    let folder = Folder::new();
    let module = folder.compile("memory.fbc", PROGRAM);
    let more = [
        "--set",
        "limits.memory_all=16MB",
        "--set",
        "limits.memory=1GB",
    ];
    let server = Server::start_with(&module, &folder.path("data"), &more);
    let answer = http::get(&server.url, "/fill");
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (503, Some("1")),
        "{}",
        server.log()
    );
    assert_eq!(status(&server, "/deep/100"), 200);
    let metrics = http::get(&server.url, "/_flin/metrics").body;
    assert!(
        metrics.contains("flin_memory_refused_total 1\n"),
        "{metrics}"
    );
    assert!(metrics.contains("flin_run_memory_bytes 0\n"), "{metrics}");
}

#[test]
fn systemd_hands_over_its_socket_and_hears_when_the_server_is_ready() {
    use std::os::unix::net::UnixDatagram;
    let folder = Folder::new();
    let module = folder.compile("socket.fbc", PROGRAM);
    let notify = UnixDatagram::bind(folder.path("notify")).expect("a socket");
    notify
        .set_read_timeout(Some(std::time::Duration::from_secs(30)))
        .expect("a time limit");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    // Descriptor 3, as systemd has it: `LISTEN_PID` is whoever runs, so a shell sets it before it becomes the server.
    let script = "exec 3<&0; export LISTEN_FDS=1 LISTEN_PID=$$; exec \"$0\" \"$@\"";
    let mut child = Command::new("sh")
        .args(["-c", script])
        .arg(process::program("flinvm"))
        .arg("serve")
        .arg(&module)
        .arg("--data")
        .arg(folder.path("data"))
        .env("NOTIFY_SOCKET", folder.path("notify"))
        .stdin(std::process::Stdio::from(std::os::fd::OwnedFd::from(taken)))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let mut word = [0; 64];
    let length = notify.recv(&mut word).expect("word of the server");
    assert_eq!(&word[..length], b"READY=1");
    assert_eq!(
        http::get(&format!("http://127.0.0.1:{port}"), "/deep/3").status,
        200
    );
    let told = Command::new("kill")
        .arg(child.id().to_string())
        .status()
        .expect("kill runs");
    assert!(told.success());
    let length = notify.recv(&mut word).expect("word of the server");
    assert_eq!(&word[..length], b"STOPPING=1");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn tls_needs_both_files_and_they_must_be_sound() {
    let folder = Folder::new();
    let module = folder.compile("tls.fbc", PROGRAM);
    folder.write("cert.pem", b"junk");
    let cert = folder.path("cert.pem").display().to_string();
    let (code, _, err) = ended(&flinvm(
        &["serve", "--port", "0", "--tls-cert", &cert],
        &[&module],
    ));
    assert!(code == 2 && err.contains("TLS needs both"), "{code}: {err}");
    let both = [
        "serve",
        "--port",
        "0",
        "--tls-cert",
        &cert,
        "--tls-key",
        &cert,
    ];
    let (code, _, err) = ended(&flinvm(&both, &[&module]));
    assert!(
        code == 2 && err.contains("TLS: the file of certificates has none in it"),
        "{code}: {err}"
    );
}
