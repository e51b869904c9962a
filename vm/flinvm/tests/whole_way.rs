//! From source to a page that keeps its data: a program with made-up names, real processes, real sockets.

mod support;

use flin_testkit::http;
use flin_testkit::process::Server;
use support::{Folder, OK, RELOAD, ZEBRAS, act, ended, flinvm, zebra};

fn serve(folder: &Folder) -> Server {
    let module = folder.path("zebras.fbc");
    let module = if module.exists() {
        module
    } else {
        folder.compile("zebras.fbc", ZEBRAS)
    };
    Server::start(&module, &folder.path("data"))
}

fn page(server: &Server) -> String {
    let answer = http::get(&server.url, "/");
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn done(answer: (u16, String)) {
    assert_eq!((answer.0, answer.1.as_str()), (200, RELOAD));
}

#[test]
fn what_was_acknowledged_survives_the_hard_way() {
    let folder = Folder::new();
    let server = serve(&folder);
    let mut acknowledged = 0;
    for name in ["Marty", "Zoë", "</li>&\\\"{x}"] {
        let state = format!(
            "{{\"pending\":\"{}\"}}",
            name.replace('\\', "\\\\").replace('"', "\\\"")
        );
        done(act(&server, "welcome", "[]", &state));
        acknowledged += 1;
    }
    done(act(&server, "flip", &format!("[{}]", zebra(1)), "{}"));
    acknowledged += 1;
    let log = std::fs::read(folder.path("data").join("wal.log")).expect("the log");
    assert!(
        log.windows(5).any(|bytes| bytes == b"Marty"),
        "the log does not hold what was saved"
    );
    let before = page(&server);
    assert!(
        before.contains("Marty has 40") && before.contains("&lt;/li&gt;&amp;\\"),
        "{before}"
    );
    server.kill();
    let server = serve(&folder);
    let after = page(&server);
    let root = |page: &str| {
        page.split("<div id=\"flin-root\">")
            .nth(1)
            .map(|rest| rest.split("<script").next().unwrap_or_default().to_owned())
    };
    assert_eq!(root(&after), root(&before));
    server.kill();
    let (code, report, _) = ended(&flinvm(
        &["db", "verify", "--data"],
        &[&folder.path("data")],
    ));
    assert_eq!(code, 0, "{report}");
    assert!(
        report.contains(&format!("transactions  {acknowledged}\n")),
        "{report}"
    );
    assert!(
        report.contains("create 3  update 1  delete 0") && report.contains("live Zebra  3"),
        "{report}"
    );
}

#[test]
fn each_way_to_change_a_record() {
    let folder = Folder::new();
    let server = serve(&folder);
    // Created in a function that a function of the action calls.
    done(act(
        &server,
        "welcome",
        "[]",
        "{\"pending\":\"  Marty  \",\"wanted\":12}",
    ));
    assert!(
        page(&server).contains("class=\"awake\">Marty has 12"),
        "{}",
        page(&server)
    );
    // Edited.
    done(act(
        &server,
        "rename",
        &format!("[{}]", zebra(1)),
        "{\"pending\":\"Martha\"}",
    ));
    assert!(page(&server).contains("Martha has 12"));
    // Toggled, there and back.
    done(act(&server, "flip", &format!("[{}]", zebra(1)), "{}"));
    assert!(page(&server).contains("class=\"asleep\">Martha"));
    done(act(&server, "flip", &format!("[{}]", zebra(1)), "{}"));
    assert!(page(&server).contains("class=\"awake\">Martha"));
    // With a literal that the view fixes.
    done(act(&server, "paint", &format!("[{},7]", zebra(1)), "{}"));
    assert!(page(&server).contains("Martha has 7"));
    let (status, body) = act(&server, "paint", &format!("[{},8]", zebra(1)), "{}");
    assert_eq!(status, 400, "{body}");
    // Deleted.
    done(act(&server, "release", &format!("[{}]", zebra(1)), "{}"));
    assert!(
        page(&server).contains("<h1>0 zebras, 0 awake"),
        "{}",
        page(&server)
    );
    let (status, body) = act(&server, "release", &format!("[{}]", zebra(1)), "{}");
    assert_eq!(status, 404, "{body}");
}

#[test]
fn a_broken_rule_saves_nothing_and_says_which() {
    let folder = Folder::new();
    let server = serve(&folder);
    let error = |message: &str, field: &str, rule: &str| {
        format!(
            "{{\"type\":\"error\",\"error\":{{\"kind\":\"ValidationError\",\"message\":\"{message}\",\"entity\":\"Zebra\",\"field\":\"{field}\",\"rule\":\"{rule}\"}}}}"
        )
    };
    let answer = act(&server, "welcome", "[]", "{\"pending\":\"\"}");
    assert_eq!(
        answer,
        (422, error("moniker is required", "moniker", "required"))
    );
    let (status, body) = act(&server, "welcome", "[]", "{\"pending\":\"x\",\"wanted\":0}");
    assert!(
        status == 422 && body.contains("\"field\":\"stripes\",\"rule\":\"min\""),
        "{body}"
    );
    // The second save fails: the first one of the same action is not kept either.
    let (status, body) = act(&server, "two", "[]", "{}");
    assert!(status == 422, "{body}");
    assert!(page(&server).contains("<h1>0 zebras"), "{}", page(&server));
    done(act(
        &server,
        "welcome",
        "[]",
        "{\"pending\":\"a\",\"pair\":\"p\"}",
    ));
    let answer = act(
        &server,
        "welcome",
        "[]",
        "{\"pending\":\"b\",\"pair\":\"p\"}",
    );
    assert_eq!(
        answer,
        (422, error("twin is already taken", "twin", "unique"))
    );
    // Without JavaScript the page comes back with the sentence at its control and what was typed.
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Accept", "text/html"),
    ];
    let answer = http::request(
        &server.url,
        "POST",
        "/_action",
        &headers,
        "_action=%230&_args=[]&_page=/&pending=&wanted=13",
    );
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("<span id=\"flin-error-pending\" class=\"flin-error\" role=\"alert\">moniker is required</span>"), "{}", answer.body);
    assert!(answer.body.contains("value=\"13\""), "{}", answer.body);
    let answer = http::request(
        &server.url,
        "POST",
        "/_action",
        &headers,
        "_action=%230&_args=[]&_page=/&pending=Ann&wanted=many",
    );
    assert_eq!(answer.status, 400);
    assert!(
        answer.body.contains("<span id=\"flin-error-wanted\""),
        "{}",
        answer.body
    );
    let answer = http::request(
        &server.url,
        "POST",
        "/_action",
        &headers,
        "_action=%230&_args=[]&_page=/&pending=Ann&wanted=13",
    );
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("/")),
        "{}",
        answer.body
    );
}

#[test]
fn only_what_the_page_exposes() {
    let folder = Folder::new();
    let server = serve(&folder);
    let refused = |action: &str, args: &str, state: &str, expected: u16| {
        let (status, body) = act(&server, action, args, state);
        assert_eq!(status, expected, "{action} {args} {state}: {body}");
    };
    // `hatch` is a function, but no handler calls it directly.
    refused("hatch", "[\"x\",1]", "{}", 404);
    refused("main", "[]", "{}", 404);
    refused("nothing", "[]", "{}", 404);
    // `awake` is computed, not state.
    refused("welcome", "[]", "{\"awake\":[]}", 400);
    refused("welcome", "[]", "{\"unknown\":1}", 400);
    refused("welcome", "[]", "{\"wanted\":1.5}", 400);
    refused("welcome", "[]", "{\"wanted\":\"12\"}", 400);
    refused("welcome", "[1]", "{}", 400);
    assert!(page(&server).contains("<h1>0 zebras"));
    assert_eq!(
        act(&server, "shout", "[]", "{\"pending\":\"hey\"}"),
        (200, OK.to_owned())
    );
}

#[test]
fn state_travels_with_the_browser_runtime() {
    let folder = Folder::new();
    let server = serve(&folder);
    let answer = http::request(
        &server.url,
        "POST",
        "/_action",
        &[("Content-Type", "application/json"), ("X-Flin", "1")],
        "{\"_action\":\"shout\",\"_args\":[],\"_state\":{\"pending\":\"hey\",\"wanted\":3},\"_page\":\"/\"}",
    );
    assert!(
        answer
            .body
            .starts_with("{\"type\":\"ok\",\"state\":{\"shouted\":\"HEY\"},\"seq\":"),
        "{}",
        answer.body
    );
    let answer = http::post_json(
        &server.url,
        "/_render",
        "{\"_page\":\"/\",\"_state\":{\"shouted\":\"HEY\",\"pending\":\"half ty\"}}",
    );
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(
        answer.body.contains("awake HEY") && answer.body.contains("half ty"),
        "{}",
        answer.body
    );
}

#[test]
fn routes_speak_json() {
    let folder = Folder::new();
    let server = serve(&folder);
    let answer = http::post_json(
        &server.url,
        "/api/zebras",
        "{\"moniker\":\"Ann\",\"stripes\":9}",
    );
    assert_eq!(
        (answer.status, answer.header("location")),
        (201, Some("/api/zebras/1")),
        "{}",
        answer.body
    );
    let start = "{\"id\":1,\"moniker\":\"Ann\",\"stripes\":9,\"asleep\":false,\"twin\":null,\"version\":1,\"created_at\":\"";
    assert!(answer.body.starts_with(start), "{}", answer.body);
    assert_eq!(http::get(&server.url, "/api/zebras/1").body, answer.body);
    assert_eq!(
        http::get(&server.url, "/api/zebras").body,
        format!("[{}]", answer.body)
    );
    let answer = http::get(&server.url, "/api/zebras/7");
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (404, "{\"error\":\"no zebra 7\",\"status\":404}")
    );
    let answer = http::post_json(&server.url, "/api/zebras", "{\"moniker\":\"\"}");
    let expected = "{\"error\":\"moniker is required\",\"status\":422,\"fields\":{\"moniker\":\"moniker is required\"}}";
    assert_eq!((answer.status, answer.body.as_str()), (422, expected));
    let answer = http::post_json(&server.url, "/api/zebras", "{oops");
    let expected = "{\"error\":\"Invalid JSON in request body\",\"status\":400}";
    assert_eq!((answer.status, answer.body.as_str()), (400, expected));
    let answer = http::get(&server.url, "/old");
    assert!(
        (300..400).contains(&answer.status) && answer.header("location") == Some("/api/zebras"),
        "{answer:?}"
    );
    assert_eq!(
        http::request(&server.url, "PATCH", "/api/zebras", &[], "").status,
        405
    );
}

#[test]
fn what_fails_inside_is_in_the_log_under_its_id() {
    let folder = Folder::new();
    let server = serve(&folder);
    let (status, body) = act(&server, "crash", "[]", "{}");
    assert_eq!(status, 500, "{body}");
    let id = body
        .split("\"id\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("an id");
    assert!(
        !body.contains("zebras.fbc") && !body.contains("nobody"),
        "{body}"
    );
    // The line is written before the answer; reading the pipe may lag a moment behind.
    for _ in 0..200 {
        if server.log().contains(id) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let log = server.log();
    assert!(log.contains(id) && log.contains("DivisionByZero"), "{log}");
}

#[test]
fn one_function_called_by_several_handlers() {
    let folder = Folder::new();
    let source = r#"
entity Pebble { name: text @required, color: text }
tags = ["red", "blue"]
fn drop(name: text, color: text?) { save Pebble { name: name, color: color } }
view {
  {for tag in tags}<button click={drop("a " + tag, tag)}>{tag}</button>{/for}
  <button click={drop("plain", none)}>plain</button>
  {for pebble in Pebble.all}<p>{pebble.name} is {pebble.color ?: "grey"}</p>{/for}
}
"#;
    let server = Server::start(&folder.compile("pebbles.fbc", source), &folder.path("data"));
    for args in ["[\"one\",\"red\"]", "[\"plain\",null]"] {
        let (status, body) = act(&server, "drop", args, "{}");
        assert_eq!((status, body.as_str()), (200, RELOAD), "{args}");
    }
    let (status, body) = act(&server, "drop", "[\"mine\",null]", "{}");
    assert_eq!(status, 400, "{body}");
    let shown = page(&server);
    assert!(
        shown.contains("one is red") && shown.contains("plain is grey"),
        "{shown}"
    );
}
