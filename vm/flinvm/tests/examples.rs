//! The examples, driven from outside: compiled by `flinc`, served or run by `flinvm`, asked over real sockets. Here because
//! an example is the first thing a user copies. Must stay true: each example has its own test; nothing is called but what
//! a user can call (both programs must be built: `cargo build`).

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use flin_testkit::http::{self, Answer};
use flin_testkit::process::{self, Server};

const RELOAD: &str = r#"{"type":"reload"}"#;

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A compiled example in a folder of its own.
struct Example {
    dir: PathBuf,
}

impl Example {
    fn compile(name: &str) -> Example {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let dir =
            std::env::temp_dir().join(format!("flin-examples-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a folder for the test");
        let source = source(name);
        let args = [source.to_str().expect("a path"), "-o", "app.fbc"];
        let output = process::run("flinc", &args, &dir);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Example { dir }
    }

    fn serve(&self) -> Server {
        Server::start(&self.dir.join("app.fbc"), &self.dir.join("data"))
    }

    fn log_holds(&self, text: &str) -> bool {
        let log = std::fs::read(self.dir.join("data/wal.log")).expect("the log");
        log.windows(text.len())
            .any(|bytes| bytes == text.as_bytes())
    }

    fn verify(&self) -> String {
        let output = process::run("flinvm", &["db", "verify", "--data", "data"], &self.dir);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // A folder that cannot be removed is no failure of the test.
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn source(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("the workspace");
    root.join(format!("examples/{name}/{name}.flin"))
}

fn act(server: &Server, action: &str, args: &str, state: &str) -> Answer {
    let body = format!(r#"{{"_action":"{action}","_args":{args},"_state":{state}}}"#);
    http::post_json(&server.url, "/_action", &body)
}

#[track_caller]
fn reloads(answer: &Answer) {
    assert_eq!((answer.status, answer.body.as_str()), (200, RELOAD));
}

fn page(server: &Server) -> String {
    let answer = http::get(&server.url, "/");
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[test]
fn todo_keeps_what_it_acknowledged() {
    let example = Example::compile("todo");
    let server = example.serve();
    let by_hand = r#"{"_action":"addTodo","_args":"[]","_state":"{\"newTitle\":\"TEST\"}"}"#;
    reloads(&http::post_json(&server.url, "/_action", by_hand));
    assert!(example.log_holds("TEST"));
    assert!(page(&server).contains("<span>TEST</span>"));
    server.kill();
    let server = example.serve();
    assert!(page(&server).contains("<span>TEST</span>"));
    drop(server);
    assert!(example.verify().contains("create 1  update 0  delete 0"));
}

#[test]
fn todo_refuses_an_empty_title_with_a_reason() {
    let example = Example::compile("todo");
    let server = example.serve();
    let answer = act(&server, "addTodo", "[]", r#"{"newTitle":""}"#);
    assert_eq!(answer.status, 422);
    let error = r#"{"type":"error","error":{"kind":"ValidationError","message":"title is required","entity":"Todo","field":"title","rule":"required"}}"#;
    assert_eq!(answer.body, error);
    assert!(page(&server).contains("0 open, 0 in all"));
    let log = server.log_with("title is required");
    assert!(log.contains("title is required"), "{log}");
}

#[test]
fn todo_edits_toggles_filters_and_deletes() {
    let example = Example::compile("todo");
    let server = example.serve();
    for title in ["one", "two", "three"] {
        reloads(&act(
            &server,
            "addTodo",
            "[]",
            &format!(r#"{{"newTitle":"{title}"}}"#),
        ));
    }
    let todo = |id: u32| format!(r#"[{{"_entity":true,"type":"Todo","id":{id}}}]"#);
    reloads(&act(&server, "toggle", &todo(2), "{}"));
    reloads(&act(
        &server,
        "rename",
        &todo(1),
        r#"{"editing":1,"draft":"first"}"#,
    ));
    reloads(&act(&server, "remove", &todo(3), "{}"));
    let shown = page(&server);
    assert!(
        shown.contains("<span>first</span>") && !shown.contains("<span>three</span>"),
        "{shown}"
    );
    assert!(shown.contains("1 open, 2 in all"), "{shown}");
    reloads(&act(&server, "clearDone", "[]", "{}"));
    assert!(page(&server).contains("1 open, 1 in all"));
    // What a deleted record answers, and a handler that only changes state.
    assert_eq!(act(&server, "toggle", &todo(3), "{}").status, 404);
    assert_eq!(
        act(&server, "show", r#"["open"]"#, "{}").body,
        r#"{"type":"ok"}"#
    );
}

#[test]
fn counter_counts_through_actions_that_carry_state() {
    let example = Example::compile("counter");
    let server = example.serve();
    let mut state = "{}".to_string();
    for expected in 1..=3 {
        let body = format!(r##"{{"_action":"#0","_args":[],"_state":{state},"_page":"/"}}"##);
        let headers = [("Content-Type", "application/json"), ("X-Flin", "1")];
        let answer = http::request(&server.url, "POST", "/_action", &headers, &body);
        assert_eq!(answer.status, 200, "{}", answer.body);
        state = format!(r#"{{"count":{expected}}}"#);
        assert!(
            answer.body.contains(&format!(r#""state":{state}"#)),
            "{}",
            answer.body
        );
    }
    assert!(
        page(&server).contains("<h1>0</h1>"),
        "the state belongs to a page, not to the server"
    );
}

#[test]
fn guestbook_shows_the_newest_first_and_checks_its_fields() {
    let example = Example::compile("guestbook");
    let server = example.serve();
    for (name, message) in [("Ada", "first words"), ("Grace", "second words")] {
        reloads(&act(
            &server,
            "sign",
            "[]",
            &format!(r#"{{"name":"{name}","message":"{message}","stars":3}}"#),
        ));
    }
    let shown = page(&server);
    assert!(
        shown.find("second words") < shown.find("first words"),
        "{shown}"
    );
    assert!(
        shown.contains("★★★☆☆") && shown.contains("2 entries"),
        "{shown}"
    );
    let cases = [
        (
            r#"{"name":"","message":"hello"}"#,
            r#""field":"name","rule":"required""#,
        ),
        (
            r#"{"name":"Ada","message":"no"}"#,
            r#""field":"message","rule":"minLength""#,
        ),
        (
            r#"{"name":"Ada","message":"hello","stars":6}"#,
            r#""field":"stars","rule":"max""#,
        ),
    ];
    for (state, expected) in cases {
        let answer = act(&server, "sign", "[]", state);
        assert_eq!(answer.status, 422, "{}", answer.body);
        assert!(answer.body.contains(expected), "{}", answer.body);
    }
    assert!(
        page(&server).contains("2 entries"),
        "a refused entry was saved"
    );
}

#[test]
fn api_speaks_json() {
    let example = Example::compile("api");
    let server = example.serve();
    let url = &server.url;
    let book = r#"{"title":"Emma","author":"Austen","year":1815,"isbn":"1","notes":"private"}"#;
    let answer = http::post_json(url, "/api/books", book);
    assert_eq!(
        (answer.status, answer.header("location")),
        (201, Some("/api/books/1")),
        "{}",
        answer.body
    );
    assert!(
        answer.body.contains(r#""title":"Emma""#) && !answer.body.contains("private"),
        "{}",
        answer.body
    );
    assert_eq!(
        http::post_json(url, "/api/books", book).status,
        422,
        "the same isbn twice"
    );
    let bad = http::post_json(url, "/api/books", r#"{"author":"Nobody"}"#);
    assert_eq!(bad.status, 422);
    assert!(bad.body.contains(r#""fields":{"title":"#), "{}", bad.body);
    let json = http::post_json(url, "/api/books", "{not json");
    assert_eq!(
        (json.status, json.body.as_str()),
        (
            400,
            r#"{"error":"Invalid JSON in request body","status":400}"#
        )
    );
    let changed = http::request(
        url,
        "PUT",
        "/api/books/1",
        &[("Content-Type", "application/json")],
        r#"{"year":1816}"#,
    );
    assert!(
        changed.body.contains(r#""year":1816"#) && changed.body.contains(r#""version":2"#),
        "{}",
        changed.body
    );
    assert!(
        http::get(url, "/api/books?author=Austen")
            .body
            .contains("Emma")
    );
    assert_eq!(http::get(url, "/api/books?author=Nobody").body, "[]");
    assert_eq!(
        http::get(url, "/api/stats").body,
        r#"{"books":1,"authors":1,"path":"/api/stats"}"#
    );
    let missing = http::get(url, "/api/books/99");
    assert_eq!(missing.status, 404);
    assert!(
        missing.body.contains("there is no book 99"),
        "{}",
        missing.body
    );
    assert_eq!(
        http::request(url, "PATCH", "/api/books/1", &[], "").status,
        405
    );
    let moved = http::get(url, "/books");
    assert_eq!(
        (moved.status, moved.header("location")),
        (303, Some("/api/books")),
        "{}",
        moved.body
    );
    assert_eq!(
        http::request(url, "DELETE", "/api/books/1", &[], "").status,
        204
    );
    assert_eq!(http::get(url, "/api/books/1").status, 404);
}

#[test]
fn tally_prints_its_sums() {
    let dir = std::env::temp_dir();
    let output = process::run(
        "flinvm",
        &["run", source("tally").to_str().expect("a path")],
        &dir,
    );
    let expected = "\
11 different words
  the    ****
  fox    **
  dog    **
sum 31, mean 3.875, above it [4, 5, 9, 6]
sorted [1, 1, 2, 3, 4, 5, 6, 9], squares [9, 1, 16, 1, 25, 81, 4, 36]
third step of seven: 21
path of 10.0
fib(17) = 1597
caught DivisionByZero: 10 / 0: an int cannot be divided by zero
";
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    assert!(output.status.success());
}
