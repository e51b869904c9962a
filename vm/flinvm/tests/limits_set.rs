//! Limits of sockets, of waiting and of the end, as an operator sets them in `flin.config`, and what lies beyond each. Must stay true:
//! each is met from below and passed by one.

mod support;

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use flin_testkit::http;
use flin_testkit::process::Server;
use serde_json::json;
use support::Folder;
use support::tab::{hear, parse, socket};
use tungstenite::Message;

const FLOCK: &str = r#"
entity Sheep { name: text @required }
entity Goat { name: text @required }
fn add(name: text) { save Sheep { name: name } }
name = ""
view { <input bind={name} /><button click={add(name)}>add</button><p>{Sheep.count} {Goat.count}</p> }
route GET "/loop" {
  n = 0
  while true { n = (n + 1) % 1000 }
  n
}
"#;

fn serve(folder: &Folder, limits: &str) -> Server {
    let module = folder.compile("flock.fbc", FLOCK);
    let config = folder.write("own.config", format!("limits {{ {limits} }}\n").as_bytes());
    let config: &Path = &config;
    let config = config.to_str().expect("its name is text");
    Server::start_with(&module, &folder.path("data"), &["--config", config])
}

fn add(server: &Server, name: &str) {
    let wish = json!({ "_page": "/", "_action": "add", "_args": [name] });
    assert_eq!(
        http::post_json(&server.url, "/_action", &wish.to_string()).status,
        200
    );
}

fn terminate(server: &Server) {
    let asked = Command::new("kill")
        .args(["-TERM", &server.pid().to_string()])
        .status();
    assert!(asked.expect("kill runs").success());
}

fn say(socket: &mut tungstenite::WebSocket<std::net::TcpStream>, text: &str) {
    socket.send(Message::text(text)).expect("it is open");
}

/// The code that a socket is closed with; what comes before it is skipped.
fn closed(socket: &mut tungstenite::WebSocket<std::net::TcpStream>) -> u16 {
    loop {
        match socket.read().expect("a close frame") {
            Message::Close(frame) => return frame.expect("a reason").code.into(),
            _ => continue,
        }
    }
}

#[test]
fn a_message_as_long_as_it_may_be_and_one_byte_more() {
    let folder = Folder::new();
    let server = serve(&folder, "message: \"1KB\"");
    let mut tab = socket(&server.url, "/");
    say(&mut tab, &"x".repeat(1024));
    assert!(hear(&mut tab).starts_with("{\"type\":\"error\""));
    say(&mut tab, "{\"action\":\"ping\"}");
    assert_eq!(hear(&mut tab), "{\"type\":\"pong\"}");
    // It may be closed before all of it is sent.
    let _ = tab.send(Message::text("x".repeat(1025)));
    assert_eq!(closed(&mut tab), 1009);
}

#[test]
fn as_many_types_as_may_be_followed_and_one_more() {
    let folder = Folder::new();
    let server = serve(&folder, "subscriptions: 1");
    let mut tab = socket(&server.url, "/");
    let subscribe = |name: &str| format!("{{\"action\":\"subscribe\",\"type\":\"{name}\"}}");
    say(&mut tab, &subscribe("Sheep"));
    assert!(hear(&mut tab).starts_with("{\"type\":\"subscribed\""));
    say(&mut tab, &subscribe("Sheep"));
    assert!(
        hear(&mut tab).starts_with("{\"type\":\"subscribed\""),
        "it is followed already"
    );
    say(&mut tab, &subscribe("Goat"));
    assert!(hear(&mut tab).contains("too many subscriptions"));
    say(&mut tab, "{\"action\":\"unsubscribe\",\"type\":\"Sheep\"}");
    say(&mut tab, &subscribe("Goat"));
    assert!(hear(&mut tab).starts_with("{\"type\":\"subscribed\""));
}

#[test]
fn as_many_changes_as_may_wait_and_one_more() {
    let folder = Folder::new();
    let server = serve(&folder, "queue: 2");
    add(&server, "before");
    let health = parse(&http::get(&server.url, "/_flin/health").body);
    let since = health["seq"].as_u64().expect("a number");
    let missed = || {
        let mut tab = socket(&server.url, "/");
        say(
            &mut tab,
            &format!("{{\"action\":\"resume\",\"since\":{since}}}"),
        );
        say(&mut tab, "{\"action\":\"subscribe\",\"type\":\"Sheep\"}");
        assert!(hear(&mut tab).starts_with("{\"type\":\"subscribed\""));
        parse(&hear(&mut tab))
    };
    for name in ["one", "two"] {
        add(&server, name);
    }
    assert_eq!(missed()["entity"]["name"], "one");
    add(&server, "three");
    let told = missed();
    assert_eq!(told["type"], "refresh");
    // The store may have numbered something of its own meanwhile.
    assert!(told["seq"].as_u64() >= Some(since + 3), "{told}");
}

#[test]
fn who_waits_beyond_the_queue_is_told_to_come_again() {
    let folder = Folder::new();
    let server = serve(&folder, "waiting: 1, workers: 1, time: \"3s\"");
    let statuses: Vec<(u16, Option<String>)> = std::thread::scope(|scope| {
        let ask = || {
            let answer = http::get(&server.url, "/loop");
            (
                answer.status,
                answer.header("retry-after").map(str::to_owned),
            )
        };
        let all: Vec<_> = (0..40).map(|_| scope.spawn(ask)).collect();
        all.into_iter()
            .map(|one| one.join().expect("an answer"))
            .collect()
    });
    assert!(
        statuses.iter().all(|(status, _)| *status == 503),
        "{statuses:?}"
    );
    let refused = statuses
        .iter()
        .filter(|(_, after)| after.as_deref() == Some("1"))
        .count();
    let metrics = http::get(&server.url, "/_flin/metrics").body;
    let counted = metrics
        .lines()
        .find_map(|line| line.strip_prefix("flin_refused_total "));
    let counted: usize = counted
        .and_then(|number| number.parse().ok())
        .expect("it is counted");
    assert!(counted > 0 && refused >= counted, "{refused} {counted}");
    // Afterwards it is as before.
    assert_eq!(http::get(&server.url, "/").status, 200);
}

// The connection was cut off, but the process waited for the run all the same, for as long as a request may take.
#[test]
fn who_runs_when_the_time_to_drain_is_over_is_cut_off() {
    let folder = Folder::new();
    let server = serve(&folder, "drain: \"500ms\", time: \"60s\"");
    let host = server.url.trim_start_matches("http://").to_owned();
    let mut stream = std::net::TcpStream::connect(&host).expect("it listens");
    write!(stream, "GET /loop HTTP/1.1\r\nHost: {host}\r\n\r\n").expect("sent");
    std::thread::sleep(Duration::from_millis(500));
    let started = Instant::now();
    terminate(&server);
    let (code, log) = server.ended_by_itself();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("cut off"), "{log}");
    let took = started.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
}

// Only who watched a view was told; a follower of changes was just cut off, and came back with all the others at once.
#[test]
fn a_server_that_stops_says_bye_to_who_only_follows() {
    let folder = Folder::new();
    let server = serve(&folder, "drain: \"5s\"");
    let mut follower = socket(&server.url, "/");
    say(
        &mut follower,
        "{\"action\":\"subscribe\",\"type\":\"Sheep\"}",
    );
    assert!(hear(&mut follower).starts_with("{\"type\":\"subscribed\""));
    terminate(&server);
    assert_eq!(
        hear(&mut follower),
        "{\"type\":\"bye\",\"after\":[500,5000]}"
    );
    assert_eq!(closed(&mut follower), 1001);
    assert_eq!(server.ended_by_itself().0, Some(0));
}

#[test]
fn what_an_operator_asks_of_the_data_and_of_connections() {
    let folder = Folder::new();
    let server = serve(&folder, "connections: 100");
    let value = |name: &str| {
        let metrics = http::get(&server.url, "/_flin/metrics").body;
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name} ")).map(str::to_owned));
        line.and_then(|number| number.parse::<u64>().ok())
            .unwrap_or_else(|| panic!("{name}: {metrics}"))
    };
    let (commits, bytes) = (value("flin_commits_total"), value("flin_store_bytes"));
    assert!(bytes > 0);
    add(&server, "one");
    add(&server, "two");
    assert_eq!(value("flin_commits_total"), commits + 2);
    // Connections that have ended are gone a moment later; the one that asks is there.
    let settles_at = |count: u64| {
        let patience = Instant::now() + Duration::from_secs(20);
        while value("flin_connections") != count {
            assert!(
                Instant::now() < patience,
                "{count} connections: {}",
                value("flin_connections")
            );
        }
    };
    settles_at(1);
    let tabs = [socket(&server.url, "/"), socket(&server.url, "/")];
    settles_at(3);
    drop(tabs);
    settles_at(1);
}
