//! Pages that follow the data: what watchers are told, what they end up with, and what is rendered for it; over breaks, restarts
//! and many clients.

mod support;

use std::process::Command;

use flin_testkit::http;
use flin_testkit::process::Server;
use serde_json::{Value, json};
use support::Folder;
use support::tab::{Tab, hear, parse, socket};
use tungstenite::Message;

const TASKS: &str = r#"
entity Task {
  title: text @required
  rank: int = 0
  done: bool = false
}
entity Note { words: text @unique }

draft = ""
rank = 1
words = "x"
count = 3

fn add(title: text, rank: int) { save Task { title: title, rank: rank } }
fn add_draft() {
  save Task { title: draft }
  draft = ""
}
fn toggle(task: Task) {
  task.done = !task.done
  save task
}
fn rename(task: Task, title: text) {
  task.title = title
  save task
}
fn remove(task: Task) { delete task }
fn note(words: text) { save Note { words: words } }
fn many(count: int) { for n in 1..count { save Task { title: "task {n}" } } }

view {
  <h1>{Task.count} tasks</h1>
  <form submit={add_draft()}><input bind={draft} /></form>
  <ul>
    {for task in Task.all}
      <li class="{if task.done then 'done' else 'open'}">{task.title}
        <button click={toggle(task)}>toggle</button>
        <button click={rename(task, words)}>rename</button>
        <button click={remove(task)}>remove</button>
      </li>
    {/for}
  </ul>
  <button click={add(words, rank)}>add</button>
  <button click={many(count)}>many</button>
  <button click={note(words)}>note</button>
}

page "/high" {
  least = 10
  view {
    <input type="number" bind={least} />
    <ol>{for task in Task.where(rank > least)}<li>{task.title} ({task.rank})</li>{/for}</ol>
  }
}
"#;

struct Bench {
    folder: Folder,
    server: Server,
}

fn bench() -> Bench {
    let folder = Folder::new();
    let server = Server::start(&folder.compile("tasks.fbc", TASKS), &folder.path("data"));
    Bench { folder, server }
}

impl Bench {
    fn tab(&self, path: &str) -> Tab {
        Tab::open(&self.server.url, path)
    }

    // An action by hand; gives the newest commit.
    fn act(&self, action: &str, args: &Value) -> u64 {
        let body = json!({ "_page": "/", "_action": action, "_args": args });
        let answer = http::post_json(&self.server.url, "/_action", &body.to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.metric("flin_commit_seq")
    }

    fn add(&self, title: &str, rank: i64) -> u64 {
        self.act("add", &json!([title, rank]))
    }

    fn metric(&self, name: &str) -> u64 {
        let text = http::get(&self.server.url, "/_flin/metrics").body;
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")));
        let number = line.and_then(|line| line.split(' ').nth(1)?.parse().ok());
        number.unwrap_or_else(|| panic!("{name} in {text}"))
    }

    /// Ends the server at once and starts it again over the same data.
    fn restart(&mut self, source: &str) {
        let module = self.folder.compile("tasks.fbc", source);
        let port = self
            .server
            .url
            .rsplit(':')
            .next()
            .expect("a port")
            .to_owned();
        let fresh =
            |folder: &Folder| Server::start_with(&module, &folder.path("data"), &["--port", &port]);
        let killed = Command::new("kill")
            .args(["-9", &self.server.pid().to_string()])
            .status();
        assert!(killed.is_ok_and(|status| status.success()));
        // The lock of the data is gone with the process.
        std::thread::sleep(std::time::Duration::from_millis(50));
        self.server = fresh(&self.folder);
    }
}

fn task(id: u64) -> Value {
    json!({ "_entity": true, "type": "Task", "id": id })
}

#[test]
fn one_rendering_and_one_message_for_all_who_watch() {
    let bench = bench();
    let mut tabs = [bench.tab("/"), bench.tab("/"), bench.tab("/")];
    for tab in &mut tabs {
        let answer = tab.watch();
        assert_eq!(answer["type"], "watching", "{answer}");
    }
    assert_eq!(bench.metric("flin_views_watched"), 1);
    let (renders, messages) = (
        bench.metric("flin_view_renders_total"),
        bench.metric("flin_view_messages_total"),
    );
    bench.add("milk", 1);
    let texts: Vec<String> = tabs
        .iter_mut()
        .map(|tab| hear(tab.socket.as_mut().unwrap()))
        .collect();
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    let message = parse(&texts[0]);
    assert_eq!(
        (&message["type"], &message["from"]),
        (&json!("patch"), &json!(tabs[0].view))
    );
    assert!(
        texts[0].contains("milk") && !texts[0].contains("values"),
        "{}",
        texts[0]
    );
    assert_eq!(bench.metric("flin_view_renders_total"), renders + 1);
    assert_eq!(bench.metric("flin_view_messages_total"), messages + 1);
}

#[test]
fn tabs_end_up_with_what_the_server_shows() {
    let bench = bench();
    let (mut left, mut right) = (bench.tab("/"), bench.tab("/"));
    left.watch();
    right.watch();
    let mut seq = 0;
    for round in 0..12_u64 {
        let answer = match round % 6 {
            0..=2 => left.act("add", json!([format!("task {round}"), round]), json!({})),
            3 => left.act("toggle", json!([task(round / 2)]), json!({})),
            4 => left.act("rename", json!([task(round / 2), "renamed"]), json!({})),
            _ => left.act("remove", json!([task(round / 3)]), json!({})),
        };
        assert_eq!(answer["type"], "reload", "{answer}");
        assert!(answer["patch"].is_object(), "{answer}");
        left.check();
        seq = answer["seq"].as_u64().expect("a number");
    }
    right.hear_until(seq);
    right.check();
    left.hear_until(seq);
    left.check();
}

#[test]
fn a_commit_that_touches_nothing_that_was_read_renders_nothing() {
    let bench = bench();
    let mut high = bench.tab("/high");
    assert_eq!(high.watch()["type"], "watching");
    let renders = || bench.metric("flin_view_renders_total");
    let before = renders();
    bench.add("low", 3);
    bench.act("rename", &json!([task(1), "renamed"]));
    bench.act("note", &json!(["x"]));
    // What comes after them has been looked at after them.
    let seq = bench.add("high", 50);
    let message = high.hear();
    assert_eq!(
        (message["type"].as_str(), message["seq"].as_u64()),
        (Some("patch"), Some(seq)),
        "{message}"
    );
    assert_eq!(renders(), before + 1);
    high.check();
    assert!(high.text().contains("high (50)") && !high.text().contains("low"));
    // It leaves the condition: what it was counts, too.
    bench.act("remove", &json!([task(2)]));
    high.hear();
    assert!(!high.text().contains("high"), "{}", high.text());
    assert_eq!(renders(), before + 2);
}

#[test]
fn each_asked_state_is_a_view_of_its_own() {
    let bench = bench();
    let (mut one, mut two) = (bench.tab("/high"), bench.tab("/high"));
    assert_eq!(one.data["asks"], json!(["least"]));
    one.watch();
    two.state = json!({ "least": 100 });
    let answer = two.watch();
    assert_ne!(answer["type"], "error", "{answer}");
    two.check();
    assert_eq!(bench.metric("flin_views_watched"), 2);
    let seq = bench.add("between", 50);
    one.hear_until(seq);
    assert!(one.text().contains("between"));
    let seq = bench.add("above", 500);
    two.hear_until(seq);
    assert!(two.text().contains("above") && !two.text().contains("between"));
    two.check();
    two.state = json!({ "least": "x" });
    let refused = two.watch();
    assert_eq!(
        (&refused["type"], &refused["field"]),
        (&json!("error"), &json!("least")),
        "{refused}"
    );
    two.state = json!({ "least": 0 });
    two.watch();
    two.check();
    assert!(two.text().contains("between"));
}

// Whoever named the view of one page to another had its tree built with the templates of the other, kept for everybody: the page
// got no patches any more.
#[test]
fn a_view_named_to_another_page_is_not_taken_there() {
    let bench = bench();
    bench.add("one", 1);
    // Known since the document, but not yet compared with anything.
    let document = http::get(&bench.server.url, "/").body;
    let start = document.find("\"view\":\"").expect("a view") + 8;
    let name = document[start..start + 32].to_owned();
    let mut high = bench.tab("/high");
    let answer = high.render(json!({ "view": name }));
    assert!(answer["values"].is_array(), "{answer}");
    high.view.clone_from(&name);
    assert_eq!(high.watch()["type"], "reset");
    high.check();
    let mut tab = bench.tab("/");
    assert_eq!(tab.view, name);
    assert_eq!(tab.watch()["type"], "watching");
    bench.add("two", 1);
    assert_eq!(tab.hear()["type"], "patch");
    tab.check();
}

#[test]
fn what_was_missed_comes_after_a_break() {
    let bench = bench();
    let mut tab = bench.tab("/");
    tab.watch();
    let seq = bench.add("one", 1);
    tab.hear_until(seq);
    tab.socket = None;
    bench.add("two", 1);
    bench.add("three", 1);
    let answer = tab.watch();
    assert_eq!(answer["type"], "patch", "{answer}");
    tab.check();
    tab.view = "0".repeat(32);
    let answer = tab.watch();
    assert_eq!(answer["type"], "reset", "{answer}");
    tab.check();
}

#[test]
fn the_page_goes_on_over_a_restart() {
    let mut bench = bench();
    let mut tab = bench.tab("/");
    tab.watch();
    let seq = bench.add("before", 1);
    tab.hear_until(seq);
    tab.socket = None;
    bench.restart(TASKS);
    // Names are the same, and so are tokens.
    assert_eq!(tab.watch()["type"], "watching");
    let answer = tab.act("add", json!(["after", 1]), json!({}));
    assert_eq!(answer["type"], "reload", "{answer}");
    tab.check();
    tab.socket = None;
    bench.restart(TASKS);
    bench.add("meanwhile", 1);
    tab.watch();
    tab.check();
    assert!(tab.text().contains("meanwhile"));
    // Another program: nothing of it is understood by an old page.
    tab.socket = None;
    bench.restart(&TASKS.replace("tasks</h1>", "things</h1>"));
    let answer = tab.watch();
    assert_eq!(answer["type"], "stale", "{answer}");
    let wish =
        json!({ "_page": "/", "_action": "add", "_args": ["x", 1], "token": tab.data["token"] });
    let answer = tab.post("/_action", &wish);
    assert_eq!(answer.status, 412);
    assert!(
        answer.body.starts_with("{\"type\":\"stale\",\"build\":\""),
        "{}",
        answer.body
    );
    let answer = tab.post(
        "/_render",
        &json!({ "_page": "/", "view": null, "build": tab.data["build"] }),
    );
    assert_eq!(answer.status, 412);
}

#[test]
fn a_wish_with_a_name_is_done_once() {
    let mut bench = bench();
    let tab = bench.tab("/");
    let wish = |key: &str| {
        json!({
            "_page": "/", "_action": "add_draft", "_args": [], "_state": { "draft": "once" },
            "view": tab.view, "token": tab.data["token"], "key": key,
        })
    };
    let key = "0123456789abcdef-_";
    let first = tab.post("/_action", &wish(key));
    assert_eq!(first.status, 200, "{}", first.body);
    assert!(
        first.body.contains("\"state\":{\"draft\":\"\"}"),
        "{}",
        first.body
    );
    assert_eq!(tab.post("/_action", &wish(key)).body, first.body);
    bench.restart(TASKS);
    let again = tab.post("/_action", &wish(key));
    let (first, again) = (parse(&first.body), parse(&again.body));
    for part in ["type", "state", "seq", "view"] {
        assert_eq!(first[part], again[part], "{again}");
    }
    assert!(again["values"].to_string().contains("1 tasks"), "{again}");
    for bad in ["", "short", "with blanks in the name", &"x".repeat(65)] {
        assert_eq!(tab.post("/_action", &wish(bad)).status, 400, "{bad}");
    }
    // It was saved; that it cannot be saved twice is no failure of the wish.
    let unique = |page: &Tab| {
        page.post("/_action", &json!({ "_page": "/", "_action": "note", "_args": ["only one"], "key": "the-name-of-a-note" }))
    };
    assert_eq!(unique(&tab).status, 200);
    bench.restart(TASKS);
    let again = unique(&tab);
    assert!(
        again.body.starts_with("{\"type\":\"reload\""),
        "{}",
        again.body
    );
}

#[test]
fn tokens_of_others_are_refused() {
    let bench = bench();
    let (tab, other) = (bench.tab("/"), bench.tab("/high"));
    let act = |token: &Value| {
        tab.post(
            "/_action",
            &json!({ "_page": "/", "_action": "add", "_args": ["x", 1], "token": token }),
        )
        .status
    };
    assert_eq!(act(&tab.data["token"]), 200);
    assert_eq!(act(&other.data["token"]), 403);
    let mut flipped = tab.data["token"].as_str().expect("a token").to_owned();
    let last = flipped.pop();
    flipped.push(if last == Some('0') { '1' } else { '0' });
    assert_eq!(act(&json!(flipped)), 403);
    assert_eq!(act(&json!("junk")), 403);
    assert_eq!(act(&json!(7)), 400);
}

#[test]
fn a_slow_reader_gets_the_newest_and_not_everything() {
    let bench = bench();
    bench.act("many", &json!([3]));
    let mut tab = bench.tab("/");
    tab.watch();
    let mut seq = 0;
    for n in 0..40 {
        let big = format!("{n} {}", "x".repeat(60_000));
        seq = bench.act("rename", &json!([task(1 + n % 2), big]));
    }
    let mut messages = 0;
    while tab.seq < seq {
        tab.hear();
        messages += 1;
    }
    assert!(messages <= 40, "{messages}");
    tab.check();
}

#[test]
fn two_hundred_watchers_and_followers_miss_nothing() {
    let bench = bench();
    let mut tabs: Vec<Tab> = (0..100).map(|_| bench.tab("/")).collect();
    for tab in &mut tabs {
        assert_eq!(tab.watch()["type"], "watching");
    }
    let mut followers: Vec<_> = (0..100).map(|_| socket(&bench.server.url, "/")).collect();
    for follower in &mut followers {
        follower
            .send(Message::text(
                "{\"action\":\"subscribe\",\"type\":\"Task\"}",
            ))
            .expect("open");
        assert!(hear(follower).contains("subscribed"));
    }
    let mut seq = 0;
    for n in 0..20 {
        seq = bench.add(&format!("change {n}"), n);
    }
    for follower in &mut followers {
        for n in 0..20 {
            let message = hear(follower);
            assert!(
                message.contains(&format!("\"title\":\"change {n}\"")),
                "{message}"
            );
        }
    }
    for tab in &mut tabs {
        tab.hear_until(seq);
        assert_eq!(tab.view, tabs_view(&bench), "all show the same");
    }
    tabs[0].check();
    assert_eq!(bench.metric("flin_sockets"), 200);
}

fn tabs_view(bench: &Bench) -> String {
    bench.tab("/").view
}

#[test]
fn server_sent_events_tell_the_same() {
    use std::io::{BufRead, BufReader, Write};
    let bench = bench();
    let tab = bench.tab("/");
    let host = bench.server.url.trim_start_matches("http://").to_owned();
    let listen = |query: &str, more: &str| {
        let mut stream = std::net::TcpStream::connect(&host).expect("the port is open");
        stream
            .set_read_timeout(Some(std::time::Duration::from_secs(20)))
            .expect("a limit");
        let request = format!("GET /_events?{query} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        BufReader::new(stream)
    };
    let next = |reader: &mut BufReader<std::net::TcpStream>| {
        let mut id = String::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a line");
            if let Some(seq) = line.strip_prefix("id: ") {
                id = seq.trim().to_owned();
            }
            if let Some(data) = line.strip_prefix("data: ") {
                return (id, parse(data));
            }
        }
    };
    let mut events = listen(&format!("page=/&view={}", tab.view), "");
    let (_, message) = next(&mut events);
    assert_eq!(message["type"], "watching", "{message}");
    let seq = bench.add("milk", 1);
    let (id, message) = next(&mut events);
    assert_eq!(
        (message["type"].as_str(), id),
        (Some("patch"), seq.to_string()),
        "{message}"
    );
    drop(events);
    bench.add("bread", 1);
    let mut changes = listen("page=/&follow=Task", &format!("Last-Event-ID: {seq}\r\n"));
    let heard = [next(&mut changes).1, next(&mut changes).1];
    assert!(
        heard
            .iter()
            .any(|message| message["entity"]["title"] == "bread"),
        "{heard:?}"
    );
    drop(changes);
    // Only the last change of a commit has its number: a break before it loses none of them.
    let mut changes = listen("page=/&follow=Task", "");
    assert_eq!(next(&mut changes).1["type"], "subscribed");
    let seq = bench.act("many", &json!([4]));
    let ids = [(); 3].map(|()| next(&mut changes).0);
    assert_eq!(ids, ["", "", &seq.to_string()]);
    drop(changes);
    // Who comes back follows both again: its view, and records.
    let query = format!("page=/&follow=Task&view={}", tab.view);
    let mut both = listen(&query, &format!("Last-Event-ID: {seq}\r\n"));
    let kinds = [(); 2].map(|()| next(&mut both).1["type"].to_string());
    assert!(kinds.contains(&"\"subscribed\"".to_owned()), "{kinds:?}");
    assert!(kinds.contains(&"\"reset\"".to_owned()), "{kinds:?}");
    for (query, status) in [
        ("since=x", 400),
        ("page=/nowhere", 404),
        ("state=x", 400),
        ("page=/&what=1", 400),
    ] {
        assert_eq!(
            http::get(&bench.server.url, &format!("/_events?{query}")).status,
            status,
            "{query}"
        );
    }
    let foreign = [("Origin", "http://evil.example")];
    assert_eq!(
        http::request(&bench.server.url, "GET", "/_events?page=/", &foreign, "").status,
        403
    );
}

#[test]
fn a_server_that_stops_says_when_to_come_back() {
    let bench = bench();
    let mut tab = bench.tab("/");
    tab.watch();
    let stopped = Command::new("kill")
        .arg(bench.server.pid().to_string())
        .status();
    assert!(stopped.is_ok_and(|status| status.success()));
    let message = tab.hear();
    assert_eq!(
        (&message["type"], &message["after"]),
        (&json!("bye"), &json!([500, 5000])),
        "{message}"
    );
}

#[test]
fn wishes_that_make_no_sense_are_told_so() {
    let bench = bench();
    let mut tab = bench.tab("/");
    for wish in [
        json!({ "action": "watch", "page": "/nowhere" }),
        json!({ "action": "watch", "page": 7 }),
        json!({ "action": "watch", "state": [] }),
        json!({ "action": "watch", "params": {} }),
        json!([1, 2]),
    ] {
        tab.say(&wish);
        let answer = tab.hear();
        assert_eq!(answer["type"], "error", "{wish}: {answer}");
    }
    tab.say(&json!({ "action": "ping" }));
    assert_eq!(tab.hear()["type"], "pong");
    // A number and a name from another store.
    tab.seq = 1_000_000;
    assert_eq!(tab.watch()["type"], "watching");
}

#[test]
fn pages_are_compressed_for_those_who_take_it() {
    let bench = bench();
    bench.act("many", &json!([100]));
    let plain = http::get(&bench.server.url, "/");
    assert_eq!(
        (plain.header("vary"), plain.header("content-encoding")),
        (Some("accept-encoding"), None)
    );
    for (takes, given) in [("gzip", "gzip"), ("gzip, br", "br")] {
        let packed = http::request(
            &bench.server.url,
            "GET",
            "/",
            &[("Accept-Encoding", takes)],
            "",
        );
        assert_eq!(packed.header("content-encoding"), Some(given));
        let tag = packed.header("etag").expect("a tag");
        assert_eq!(Some(tag.trim_start_matches("W/")), plain.header("etag"));
        let known = [("Accept-Encoding", takes), ("If-None-Match", tag)];
        assert_eq!(
            http::request(&bench.server.url, "GET", "/", &known, "").status,
            304
        );
    }
}
