//! What comes from outside and does not fit: found by trying what clients send, over real processes. Must stay true: a
//! mistake of the client is answered 4xx with a sentence, never as a fault of the server, and never as a success.

mod support;

use flin_testkit::http::{self, Answer};
use flin_testkit::process::Server;
use support::{Folder, RELOAD, ended, flinvm};

const CRATES: &str = r#"
entity Crate {
  label: text @required
  weight: float @positive
  tags: [text]
  mail: text @email
}
label = ""
mail: text? = none
fn put() { save Crate { label: label, mail: mail } }
view {
  <form submit={put()}><input bind={label} /><input bind={mail} /></form>
  {for crate in Crate.all}<p>{crate.label}: {crate.mail ?: "no mail"}</p>{/for}
}
route POST "/crates" {
  save Crate { label: body.label, weight: body.weight, tags: body.tags }
}
route GET "/mark" { save Crate { label: "by GET" } }
route GET "/body" { body == none }
route DELETE "/body" { body == none }
route GET "/go" { redirect(query.to ?: "/") }
route GET "/status/:code" { response { status: params.code.to_int ?: 0, body: "x" } }
route GET "/header" { response { headers: { "X-Told": query.v ?: "" }, body: "x" } }
"#;

fn serve(folder: &Folder) -> Server {
    Server::start(&folder.compile("crates.fbc", CRATES), &folder.path("data"))
}

fn post(server: &Server, body: &str) -> (u16, String) {
    let answer = http::post_json(&server.url, "/crates", body);
    (answer.status, answer.body)
}

fn get_with(server: &Server, path: &str, headers: &[(&str, &str)]) -> Answer {
    http::request(&server.url, "GET", path, headers, "")
}

/// A value of another type than its field was a `TypeError` of the program, so the client was told "500".
#[test]
fn a_value_of_another_type_is_the_clients_mistake() {
    let folder = Folder::new();
    let server = serve(&folder);
    let sentence = "Crate.label should be text, but it is int";
    assert_eq!(
        post(&server, "{\"label\":5}"),
        (
            422,
            format!(
                "{{\"error\":\"{sentence}\",\"status\":422,\"fields\":{{\"label\":\"{sentence}\"}}}}"
            )
        )
    );
    for body in [
        "{\"label\":\"x\",\"weight\":\"heavy\"}",
        "{\"label\":\"x\",\"tags\":\"one\"}",
        "{\"label\":\"x\",\"tags\":[1]}",
        "{\"label\":{\"$ne\":1}}",
    ] {
        let (status, answer) = post(&server, body);
        assert!(
            status == 422 && answer.contains("should be"),
            "{body}: {status} {answer}"
        );
    }
    assert_eq!(
        post(&server, "{\"label\":\"x\",\"weight\":2,\"tags\":[\"a\"]}").0,
        200
    );
    let log = server.log_with(sentence);
    assert!(log.contains(sentence), "{log}");
}

/// A POST without a body failed inside the program, because none has no fields.
#[test]
fn no_body_is_an_empty_one() {
    let folder = Folder::new();
    let server = serve(&folder);
    let (status, body) = post(&server, "");
    assert!(
        status == 422 && body.contains("label is required"),
        "{status} {body}"
    );
    assert_eq!(post(&server, " ").0, 400);
    // Many clients name a type for everything they send.
    let json = [("Content-Type", "application/json")];
    assert_eq!(get_with(&server, "/body", &json).body, "true");
    let deleted = http::request(&server.url, "DELETE", "/body", &json, "");
    assert_eq!((deleted.status, deleted.body.as_str()), (200, "true"));
}

/// A write by a GET that another site made a browser send was refused as a fault of the server.
#[test]
fn another_site_cannot_write_by_get() {
    let folder = Folder::new();
    let server = serve(&folder);
    let foreign = get_with(&server, "/mark", &[("Sec-Fetch-Site", "cross-site")]);
    assert_eq!(foreign.status, 403, "{}", foreign.body);
    assert!(!http::get(&server.url, "/").body.contains("by GET"));
    assert_eq!(
        get_with(&server, "/mark", &[("Sec-Fetch-Site", "none")]).status,
        200
    );
}

/// Where an answer says what the program made it say, it stays one answer.
#[test]
fn addresses_statuses_and_headers_that_do_not_fit() {
    let folder = Folder::new();
    let server = serve(&folder);
    let moved = http::get(&server.url, "/go?to=/caf%C3%A9%20x");
    assert_eq!(moved.header("location"), Some("/caf%C3%A9%20x"));
    for path in ["/go?to=/x%0d%0aX-Evil:%201", "/header?v=a%0d%0aX-Evil:%201"] {
        let answer = http::get(&server.url, path);
        assert!(answer.header("x-evil").is_none(), "{path}: {answer:?}");
    }
    for code in ["0", "99", "100", "101", "199", "600", "-1", "abc"] {
        let answer = http::get(&server.url, &format!("/status/{code}"));
        assert!(
            answer.status == 500 && answer.body.contains("\"id\":"),
            "{code}: {answer:?}"
        );
    }
    assert_eq!(http::get(&server.url, "/status/418").status, 418);
}

/// A form without JavaScript sends an untouched input of an optional text as "", which no e-mail address is.
#[test]
fn an_untouched_optional_input_stays_none() {
    let folder = Folder::new();
    let server = serve(&folder);
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Accept", "text/html"),
    ];
    let body = "label=one&mail=&_action=%230&_args=%5B%5D&_page=%2F";
    let answer = http::request(&server.url, "POST", "/_action", &headers, body);
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert!(http::get(&server.url, "/").body.contains("one: no mail"));
    let by_hand = http::post_json(
        &server.url,
        "/_action",
        "{\"_action\":\"put\",\"_state\":{\"label\":\"two\",\"mail\":null}}",
    );
    assert_eq!(by_hand.body, RELOAD);
}

/// `--host localhost` was "invalid IP address syntax".
#[test]
fn listening_on_localhost() {
    let folder = Folder::new();
    let module = folder.compile("crates.fbc", CRATES);
    let server = Server::start_with(&module, &folder.path("data"), &["--host", "localhost"]);
    assert_eq!(http::get(&server.url, "/").status, 200);
    let (code, _, err) = ended(&flinvm(&["serve", "--host", "example.org"], &[&module]));
    assert!(
        code == 2 && err.contains("expected an IP address"),
        "{code}: {err}"
    );
}

/// "entity not found", said about a directory, sounds like a record.
#[test]
fn verifying_a_directory_that_is_not_there() {
    let folder = Folder::new();
    let nowhere = folder.path("nowhere");
    let (code, _, err) = ended(&flinvm(&["db", "verify", "--data"], &[&nowhere]));
    assert!(
        code == 2 && err.contains("there is no such directory"),
        "{code}: {err}"
    );
    assert!(!nowhere.exists(), "looking makes nothing");
}

/// The name of an action stood in the log as it came, so that a line break in it began a line that nobody had logged.
#[test]
fn nobody_outside_writes_lines_of_the_log() {
    let folder = Folder::new();
    let server = serve(&folder);
    let forged = "2026-01-01T00:00:00.000000Z ERROR all data is lost";
    let body = format!("{{\"_action\":\"x\\r\\n{forged}\"}}");
    let answer = http::post_json(&server.url, "/_action", &body);
    assert_eq!(answer.status, 404, "{}", answer.body);
    let log = server.log_with(forged);
    assert!(log.contains(forged), "{log}");
    assert!(
        !log.split(['\n', '\r']).any(|line| line.starts_with(forged)),
        "{log}"
    );
}

/// A form of a page whose path is not ASCII was answered with an address in raw bytes.
#[test]
fn back_to_a_page_of_any_name() {
    let folder = Folder::new();
    let source = r#"
entity Ort { name: text @required }
name = ""
fn add() { save Ort { name: name } }
page "/straße" { view { <form submit={add()}><input bind={name} /></form>{for o in Ort.all}<p>{o.name}</p>{/for} } }
"#;
    let server = Server::start(&folder.compile("orte.fbc", source), &folder.path("data"));
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Accept", "text/html"),
    ];
    let body = "name=Bonn&_action=%230&_args=%5B%5D&_page=%2Fstra%C3%9Fe";
    let answer = http::request(&server.url, "POST", "/_action", &headers, body);
    assert_eq!(answer.status, 303, "{}", answer.body);
    let back = answer.header("location").expect("an address");
    assert_eq!(back, "/stra%C3%9Fe");
    assert!(http::get(&server.url, back).body.contains("Bonn"));
}
