//! Every type of page state, there and back: what the server sends is what it takes, and what a browser makes of it
//! (2.0 becomes 2) is taken too.

mod support;

use flin_testkit::http;
use flin_testkit::process::Server;
use support::Folder;

const STATES: &str = r#"
entity Zebra { moniker: text }
enum Mood { Calm, Wild, Hungry(int) }
ratio = 0.5
big = 1
flag = false
tags = ["a", "b"]
sizes = [1, 2]
maybe: int? = none
mood = Mood.Calm
point = { x: 1.0, y: 2, name: "p" }
table: [text: int] = { one: 1 }
pair = (1, "a")
when = parse_time("2026-01-15T10:00:00Z")
wait = 5.minutes
pick: Zebra? = none
loose: any = none

fn change() {
  ratio = ratio + 1.5
  big = big + 9007199254740993
  flag = !flag
  tags.push("c")
  tags = tags
  sizes = sizes + [3]
  maybe = 4
  mood = Mood.Hungry(3)
  point = { x: point.x + 1, y: point.y + 1, name: "q" }
  table = { two: 2 }
  pair = (2, "b")
  when = when + 1.days
  wait = wait + 1.seconds
  pick = Zebra.first
  loose = [1, "x", none, { a: 1.5 }]
}
fn make() { save Zebra { moniker: "z" } }
view {
  <p>{ratio} {big} {flag} {tags} {sizes} {maybe} {mood} {point.x} {table} {pair} {when} {wait} {loose}</p>
  <p>{if pick == none then "nobody" else "somebody"}</p>
  <input type="number" bind={maybe} />
  <button click={change()}>change</button>
  <button click={make()}>make</button>
}
"#;

const CHANGED: &str = r#"{"ratio":2.0,"big":{"_int":"9007199254740994"},"flag":true,"tags":["a","b","c"],"sizes":[1,2,3],"maybe":4,"mood":{"_enum":"Mood","variant":"Hungry","data":[3]},"point":{"x":2.0,"y":3,"name":"q"},"table":{"two":2},"pair":[2,"b"],"when":{"_time":"2026-01-16T10:00:00.000Z"},"wait":{"_duration":301000},"pick":{"_entity":true,"type":"Zebra","id":1},"loose":[1,"x",null,{"a":1.5}]}"#;

fn serve(folder: &Folder) -> Server {
    Server::start(&folder.compile("states.fbc", STATES), &folder.path("data"))
}

fn render(server: &Server, state: &str) -> http::Answer {
    http::post_json(
        &server.url,
        "/_render",
        &format!("{{\"_page\":\"/\",\"_state\":{state}}}"),
    )
}

#[test]
fn there_and_back() {
    let folder = Folder::new();
    let server = serve(&folder);
    http::post_json(&server.url, "/_action", "{\"_action\":\"make\"}");
    let headers = [("Content-Type", "application/json"), ("X-Flin", "1")];
    let answer = http::request(
        &server.url,
        "POST",
        "/_action",
        &headers,
        "{\"_action\":\"change\"}",
    );
    assert!(
        answer
            .body
            .starts_with(&format!("{{\"type\":\"ok\",\"state\":{CHANGED},\"seq\":")),
        "{}",
        answer.body
    );
    let answer = render(&server, CHANGED);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(
        answer.body.contains(&format!("\"state\":{CHANGED},")),
        "{}",
        answer.body
    );
    assert!(answer.body.contains("somebody"), "{}", answer.body);
    // As a browser writes it again: numbers without fraction, unit variants by name.
    let answer = render(
        &server,
        r#"{"ratio":2,"point":{"name":"q","x":2,"y":3},"mood":"Wild","maybe":null}"#,
    );
    assert!(
        answer.status == 200 && answer.body.contains("\"ratio\":2.0"),
        "{}",
        answer.body
    );
}

#[test]
fn what_does_not_fit_is_400() {
    let folder = Folder::new();
    let server = serve(&folder);
    for bad in [
        r#"{"ratio":"2"}"#,
        r#"{"big":1.0}"#,
        r#"{"big":1e3}"#,
        r#"{"big":9223372036854775808}"#,
        r#"{"flag":1}"#,
        r#"{"tags":["a",1]}"#,
        r#"{"tags":{"0":"a"}}"#,
        r#"{"sizes":[1,null]}"#,
        r#"{"maybe":"4"}"#,
        r#"{"mood":"Sad"}"#,
        r#"{"mood":{"_enum":"Mood","variant":"Hungry","data":[]}}"#,
        r#"{"mood":{"_enum":"Mood","variant":"Hungry","data":["x"]}}"#,
        r#"{"mood":{"_enum":"Other","variant":"Calm","data":[]}}"#,
        r#"{"point":{"x":1,"y":2}}"#,
        r#"{"point":{"x":1,"y":2,"name":"p","more":1}}"#,
        r#"{"table":{"one":"1"}}"#,
        r#"{"pair":[1]}"#,
        r#"{"pair":["a",1]}"#,
        r#"{"when":"tomorrow"}"#,
        r#"{"when":{"_time":"2026-02-30T00:00:00Z"}}"#,
        r#"{"wait":5}"#,
        r#"{"wait":{"_duration":"5"}}"#,
        r#"{"pick":1}"#,
        r#"{"pick":{"_entity":true,"type":"Mood","id":1}}"#,
        r#"{"pick":{"_entity":false,"type":"Zebra","id":1}}"#,
        r#"{"loose":{"_entity":true,"type":"Nothing","id":1}}"#,
        r#"{"loose":{"_time":"x"}}"#,
    ] {
        let answer = render(&server, bad);
        assert_eq!(answer.status, 400, "{bad}: {}", answer.body);
        assert!(answer.body.contains("expected"), "{bad}: {}", answer.body);
    }
    let answer = render(
        &server,
        r#"{"pick":{"_entity":true,"type":"Zebra","id":1}}"#,
    );
    assert_eq!(answer.status, 404, "{}", answer.body);
}

#[test]
fn an_empty_number_input_is_none() {
    let folder = Folder::new();
    let server = serve(&folder);
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("X-Flin", "1"),
    ];
    let answer = http::request(
        &server.url,
        "POST",
        "/_action",
        &headers,
        "_action=make&maybe=&ratio=1.5&flag=on&when=2026-01-15",
    );
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = http::request(
        &server.url,
        "POST",
        "/_action",
        &headers,
        "_action=make&ratio=NaN",
    );
    assert_eq!(answer.status, 400, "{}", answer.body);
}
