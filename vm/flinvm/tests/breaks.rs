//! Breaks: readers that stop reading until the server has to leave something out, views that cannot be rendered for a while,
//! clients that hold a view of their own state. Whatever happened, what a client shows in the end is what there is.

mod support;

use std::time::Duration;

use flin_testkit::http;
use flin_testkit::process::Server;
use serde_json::{Value, json};
use support::Folder;
use support::tab::{Tab, hear, parse, socket};
use tungstenite::Message;

const TASKS: &str = r#"
entity Task { title: text, open: bool = true }
draft = ""
words = ""
count = 1
fn add(title: text) { save Task { title: title } }
fn fill(task: Task, letter: text, count: int) {
  task.title = letter.repeat(count)
  save task
}
fn close(task: Task) {
  task.open = false
  save task
}
view {
  <input bind={draft} /><p>{draft.len}</p>
  <button click={add(words)}>add</button>
  {for task in Task.all}
    <li>{task.title} <button click={fill(task, words, count)}>fill</button> <button click={close(task)}>close</button></li>
  {/for}
}
page "/share" {
  view { <p>{100 / Task.where(open).count} percent each</p> }
}
"#;

/// How many changes, of how many bytes: more than the system keeps for a socket.
const BIG: (u64, usize) = (120, 200_000);
/// Beyond that, more than the server keeps for those who follow records (256).
const MANY: (u64, usize) = (520, 50_000);

struct Bench {
    _folder: Folder,
    server: Server,
}

fn bench() -> Bench {
    let folder = Folder::new();
    let server = Server::start(&folder.compile("tasks.fbc", TASKS), &folder.path("data"));
    Bench {
        _folder: folder,
        server,
    }
}

impl Bench {
    fn act(&self, action: &str, args: &Value) {
        let wish = json!({ "_page": "/", "_action": action, "_args": args });
        let answer = http::post_json(&self.server.url, "/_action", &wish.to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    fn metric(&self, name: &str) -> u64 {
        let text = http::get(&self.server.url, "/_flin/metrics").body;
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")));
        let number = line.and_then(|line| line.split(' ').nth(1)?.parse().ok());
        number.unwrap_or_else(|| panic!("{name} in {text}"))
    }

    /// Changes one record again and again, each time to something big; gives the last commit.
    fn change_often(&self, (count, bytes): (u64, usize)) -> u64 {
        for n in 0..count {
            let letter = char::from(b'a' + u8::try_from(n % 26).expect("a letter"));
            self.act("fill", &json!([task(1), letter.to_string(), bytes]));
        }
        self.metric("flin_commit_seq")
    }
}

fn task(id: u64) -> Value {
    json!({ "_entity": true, "type": "Task", "id": id })
}

// The test before this one read after each change or let the system keep everything: nothing was ever left out.
#[test]
fn a_watcher_that_stops_reading_is_sent_the_newest_view_and_not_all_between() {
    let bench = bench();
    bench.act("add", &json!(["one"]));
    let mut tab = Tab::open(&bench.server.url, "/");
    tab.watch();
    let before = bench.metric("flin_view_renders_total");
    let seq = bench.change_often(BIG);
    let rendered = bench.metric("flin_view_renders_total") - before;
    let mut heard = 0;
    while tab.seq < seq {
        assert_eq!(tab.hear()["type"], "patch");
        heard += 1;
    }
    assert!(
        heard < rendered,
        "{heard} messages of {rendered} views: nothing was left out"
    );
    tab.check();
    // It follows as before.
    bench.act("add", &json!(["two"]));
    tab.hear();
    tab.check();
}

#[test]
fn a_follower_that_stops_reading_is_told_to_look_again() {
    let bench = bench();
    bench.act("add", &json!(["one"]));
    let mut follower = socket(&bench.server.url, "/");
    let wish = r#"{"action":"subscribe","type":"Task"}"#;
    follower.send(Message::text(wish)).expect("open");
    assert!(hear(&mut follower).contains("subscribed"));
    let head = bench.change_often(MANY);
    let (mut last, mut heard, mut refreshed) = (0, 0, 0);
    while last < head {
        let message = parse(&hear(&mut follower));
        let seq = message["seq"].as_u64().expect("a number");
        assert!(seq > last, "{last}, then {seq}");
        match message["type"].as_str() {
            Some("refresh") => refreshed += 1,
            // Nothing is missing but what a refresh stands for.
            Some("entity_change") if refreshed == 0 => {
                let letter = message["entity"]["title"].to_string();
                assert_eq!(
                    letter.as_bytes()[1],
                    b'a' + heard % 26,
                    "{heard} were heard"
                );
                heard += 1;
            }
            Some("entity_change") => {}
            other => panic!("{other:?}"),
        }
        last = seq;
    }
    assert!(refreshed > 0, "nothing was left out");
    bench.act("add", &json!(["two"]));
    let message = parse(&hear(&mut follower));
    assert_eq!(
        (&message["type"], &message["change"]),
        (&json!("entity_change"), &json!("create"))
    );
}

#[test]
fn a_reader_that_never_reads_again_holds_up_nobody() {
    let bench = bench();
    bench.act("add", &json!(["one"]));
    let mut stuck = Tab::open(&bench.server.url, "/");
    stuck.watch();
    let mut other = Tab::open(&bench.server.url, "/");
    other.watch();
    for n in 0..BIG.0 {
        let letter = if n % 2 == 0 { "x" } else { "y" };
        bench.act("fill", &json!([task(1), letter, BIG.1]));
        other.hear();
    }
    other.hear_until(bench.metric("flin_commit_seq"));
    other.check();
    drop(stuck);
}

#[test]
fn who_was_given_the_whole_page_goes_on_by_patches() {
    let bench = bench();
    bench.act("add", &json!(["one"]));
    let mut tab = Tab::open(&bench.server.url, "/");
    tab.state = json!({ "draft": "four" });
    let whole = tab.render(json!({ "view": null, "whole": true }));
    // All places, also those that the browser fills by itself.
    assert!(whole["values"].to_string().contains("\"4\""), "{whole}");
    tab.view = whole["view"].as_str().expect("a name").to_owned();
    tab.seq = whole["seq"].as_u64().expect("a number");
    tab.values = whole["values"].clone();
    assert_eq!(tab.watch()["type"], "watching");
    bench.act("add", &json!(["two"]));
    assert_eq!(tab.hear()["type"], "patch");
    assert!(
        tab.text().contains("two") && tab.text().contains("\"4\""),
        "{}",
        tab.text()
    );
    // The same after a break, with what was missed.
    tab.socket = None;
    bench.act("add", &json!(["three"]));
    let answer = tab.watch();
    assert_eq!(answer["type"], "patch", "{answer}");
    assert!(
        tab.text().contains("three") && tab.text().contains("\"4\""),
        "{}",
        tab.text()
    );
    assert_eq!(tab.view, Tab::open(&bench.server.url, "/").view);
}

#[test]
fn a_view_that_failed_comes_back() {
    let bench = bench();
    bench.act("add", &json!(["one"]));
    let mut tab = Tab::open(&bench.server.url, "/share");
    tab.watch();
    bench.act("close", &json!([task(1)]));
    let failed = tab.hear();
    assert_eq!(failed["type"], "failed", "{failed}");
    let id = failed["id"].as_str().expect("an id").to_owned();
    assert!(bench.server.log_with(&id).contains(&id));
    // As it was before.
    bench.act("add", &json!(["two"]));
    let answer = tab.hear();
    assert_eq!(answer["type"], "watching", "{answer}");
    tab.check();
    bench.act("add", &json!(["three"]));
    assert_eq!(tab.hear()["type"], "patch");
    assert!(
        tab.text().contains("50 percent") || tab.text().contains("\"50\""),
        "{}",
        tab.text()
    );
    // Who comes while it fails is told so, and gets it as soon as there is one.
    for id in [2, 3] {
        bench.act("close", &json!([task(id)]));
    }
    assert_eq!(tab.hear_kind("failed"), "failed");
    let mut late = socket(&bench.server.url, "/share");
    let wish = json!({ "action": "watch", "page": "/share" });
    late.send(Message::text(wish.to_string())).expect("open");
    assert!(hear(&mut late).starts_with("{\"type\":\"failed\""));
    bench.act("add", &json!(["four"]));
    assert!(hear(&mut late).starts_with("{\"type\":\"reset\""));
    tab.hear_until(bench.metric("flin_commit_seq"));
    tab.check();
}

#[test]
fn a_stream_of_events_goes_on_over_a_restart() {
    use std::io::{BufRead, BufReader, Write};
    let folder = Folder::new();
    let module = folder.compile("tasks.fbc", TASKS);
    let server = Server::start(&module, &folder.path("data"));
    let tab = Tab::open(&server.url, "/");
    let act = |server: &Server, title: &str| {
        let wish = json!({ "_page": "/", "_action": "add", "_args": [title] });
        let answer = http::post_json(&server.url, "/_action", &wish.to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
    };
    act(&server, "before");
    server.kill();
    std::thread::sleep(Duration::from_millis(50));
    let server = Server::start(&module, &folder.path("data"));
    act(&server, "meanwhile");
    let host = server.url.trim_start_matches("http://").to_owned();
    let mut stream = std::net::TcpStream::connect(&host).expect("the port is open");
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a limit");
    let query = format!("page=/&follow=Task&since={}&view={}", tab.seq, tab.view);
    write!(
        stream,
        "GET /_events?{query} HTTP/1.1\r\nHost: {host}\r\n\r\n"
    )
    .expect("sent");
    let mut lines = BufReader::new(stream).lines();
    let mut next = || loop {
        let line = lines.next().expect("more").expect("a line");
        if let Some(data) = line.strip_prefix("data: ") {
            break parse(data);
        }
    };
    // What was missed of the records is too long ago for this process; the view is told whole.
    let mut kinds: Vec<String> = (0..3)
        .map(|_| next()["type"].as_str().expect("a type").to_owned())
        .collect();
    kinds.sort();
    assert_eq!(kinds, ["refresh", "reset", "subscribed"]);
    act(&server, "after");
    let kinds: Vec<String> = (0..2).map(|_| next()["type"].to_string()).collect();
    assert!(
        kinds.contains(&"\"patch\"".to_owned()) && kinds.contains(&"\"entity_change\"".to_owned()),
        "{kinds:?}"
    );
}

// Who followed `/secret/:word` was sent every record of its type, also those that no word that they know leads to.
#[test]
fn a_page_with_parameters_tells_that_something_changed_and_not_what() {
    let folder = Folder::new();
    let source = r#"
entity Letter { word: text, body: text }
fn write(word: text, body: text) { save Letter { word: word, body: body } }
words = ""
view { <p>{Letter.count}</p><button click={write(words, words)}>write</button> }
page "/of/:word" { view { {for letter in Letter.where(l => l.word == params.word)}<p>{letter.body}</p>{/for} } }
"#;
    let server = Server::start(&folder.compile("letters.fbc", source), &folder.path("data"));
    let write = |body: &str| {
        let wish = json!({ "_page": "/", "_action": "write", "_args": ["private", body] });
        let answer = http::post_json(&server.url, "/_action", &wish.to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
    };
    let subscribe = |path: &str| {
        let mut follower = socket(&server.url, path);
        let wish = r#"{"action":"subscribe","type":"Letter"}"#;
        follower.send(Message::text(wish)).expect("open");
        assert!(hear(&mut follower).contains("subscribed"));
        follower
    };
    let (mut all, mut one) = (subscribe("/"), subscribe("/of/mine"));
    write("for me");
    assert!(hear(&mut all).contains("\"entity\":{"));
    let told = parse(&hear(&mut one));
    assert_eq!(
        (&told["change"], &told["entity"]),
        (&json!("create"), &Value::Null)
    );
    assert!(told["seq"].is_u64());
    // What was missed is told in the same way.
    let since = told["seq"].as_u64().expect("a number");
    write("for me, too");
    assert!(!hear(&mut one).contains("for me"));
    let wish = format!("{{\"action\":\"resume\",\"since\":{since}}}");
    one.send(Message::text(wish)).expect("open");
    assert!(!hear(&mut one).contains("for me"));
}
