//! What an earlier system of this kind got wrong, one test for each published failure, named after it: over real
//! processes, with a program of made-up names. Must stay true: each of these is a promise, so none may be weakened.

mod support;

use std::net::TcpStream;
use std::time::Duration;

use flin_runtime::vm::bytecode::fbc;
use flin_testkit::http::{self, Answer};
use flin_testkit::process::Server;
use support::{Folder, OK, RELOAD, act, ended, flinvm};
use tungstenite::{Message, WebSocket};

const HERONS: &str = r#"
entity Heron {
  ring: text @required @unique @maxLength(12)
  fish: int = 0 @max(3)
  grey: bool = true
}

ring = "H-"
seen = 0
tagged = true
remark = ""

fn land() {
  arrive(ring)
}

fn arrive(ring: text) {
  save Heron { ring: ring.trim, grey: tagged }
}

fn feed(heron: Heron) {
  heron.fish += 1
  save heron
}

fn leave(heron: Heron) {
  delete heron
}

fn look() {
  seen = Heron.count
}

fn stumble() {
  arrive("half way")
  remark = "{[1, 2][7]}"
}

fn trims() {
  remark = "[" + "\t a\u{A0}".trim + "|" + ring.trim + "|" + (Heron.first?.ring ?: " none ").trim + "]"
}

fn fromJson(text: text) {
  value = parse_json(text)
  remark = "[" + value.name.trim() + "]"
}

fn spin() {
  loop { }
}

fn dig() {
  remark = "{deeper(0)}"
}

fn deeper(n: int) -> int {
  deeper(n + 1) + 1
}

fn words() {
  names = ["b", "a"].map(n => n.upper).sort()
  remark = names.join("-") + to_json({ a: 1, b: [2.5, none] }) + (try [1][3]).kind
}

view {
  <form submit={land()}>
    <input bind={ring} /><input type="checkbox" bind={tagged} />
    <button>Land</button>
  </form>
  <h1>{Heron.count} herons, {seen} seen {remark}</h1>
  <b>{["b", "a"].map(n => n.upper).sort().join("-")}{ to_json({ a: 1, b: [2.5, none] }) }{(try [1][3]).kind}</b>
  {for heron in Heron.order(ring)}
    <p>{heron.ring} ate {heron.fish}{if heron.grey}, grey{/if}
      <button click={feed(heron)}>Feed</button><button click={leave(heron)}>Leave</button></p>
  {/for}
  <button click={look()}>look</button>
  <button click={stumble()}>stumble</button>
  <button click={trims()}>trims</button>
  <button click={fromJson(ring)}>json</button>
  <button click={spin()}>spin</button>
  <button click={dig()}>dig</button>
  <button click={words()}>words</button>
}
"#;

fn serve(folder: &Folder) -> Server {
    Server::start(&folder.compile("herons.fbc", HERONS), &folder.path("data"))
}

fn page(server: &Server) -> String {
    let answer = http::get(&server.url, "/");
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn heron(id: u32) -> String {
    format!("[{{\"_entity\":true,\"type\":\"Heron\",\"id\":{id}}}]")
}

fn state(server: &Server, action: &str, state: &str) -> Answer {
    let body = format!("{{\"_action\":\"{action}\",\"_args\":[],\"_state\":{state}}}");
    let headers = [("Content-Type", "application/json"), ("X-Flin", "1")];
    http::request(&server.url, "POST", "/_action", &headers, &body)
}

fn form(server: &Server, body: &str) -> Answer {
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Accept", "text/html"),
    ];
    http::request(&server.url, "POST", "/_action", &headers, body)
}

/// The compiler and the machine had tables of operations that drifted apart; creating an entity silently did nothing.
/// Here both come from one table, and a program of another table is refused before it runs.
#[test]
fn operation_tables_that_drifted_apart() {
    let folder = Folder::new();
    let server = serve(&folder);
    let landed = act(&server, "land", "[]", "{\"ring\":\"H-1\"}");
    assert_eq!(landed, (200, RELOAD.to_owned()));
    assert!(page(&server).contains("H-1 ate 0, grey"));
    server.kill();
    let (_, report, _) = ended(&flinvm(
        &["db", "verify", "--data"],
        &[&folder.path("data")],
    ));
    assert!(report.contains("create 1  update 0"), "{report}");

    let compiled = flinc::compile("herons.flin", HERONS).expect("it compiles");
    let mut bytes = fbc::write(&compiled.module);
    // The fingerprint of both tables stands behind magic and version.
    bytes[12] ^= 1;
    let other = folder.write("other.fbc", &bytes);
    let (code, _, err) = ended(&flinvm(
        &["serve", "--port", "0", "--data", "unused"],
        &[&other],
    ));
    assert!(
        code == 1 && err.contains("other.fbc cannot be run"),
        "{code}: {err}"
    );
}

/// An action answered "ok" after it had done nothing.
#[test]
fn ok_after_doing_nothing() {
    let folder = Folder::new();
    let server = serve(&folder);
    for (action, args, status) in [
        ("lnad", "[]".to_owned(), 404),
        ("#99", "[]".to_owned(), 404),
        ("feed", heron(1), 404),
        ("feed", "[]".to_owned(), 400),
        ("feed", "[1]".to_owned(), 400),
        ("stumble", "[]".to_owned(), 500),
    ] {
        let (found, body) = act(&server, action, &args, "{}");
        assert!(
            found == status && body.starts_with("{\"type\":\"error\""),
            "{action} {args}: {found} {body}"
        );
    }
    assert!(
        page(&server).contains("<h1>0 herons"),
        "nothing of it was kept"
    );
    // And "ok" is what it says: it ran to its end, and no record changed.
    assert_eq!(act(&server, "look", "[]", "{}"), (200, OK.to_owned()));
    let looked = state(&server, "look", "{\"seen\":9}");
    let nothing = "{\"type\":\"ok\",\"state\":{\"seen\":0}";
    assert!(looked.body.starts_with(nothing), "{}", looked.body);
    let reload = (200, RELOAD.to_owned());
    assert_eq!(act(&server, "land", "[]", "{}"), reload);
    // What was given up kept its number: it is never used again.
    let body = page(&server);
    let id = body
        .split("Heron:")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let one = heron(id.and_then(|id| id.parse().ok()).expect("a key"));
    assert_eq!(act(&server, "feed", &one, "{}"), reload);
    assert_eq!(act(&server, "leave", &one, "{}"), reload);
    assert_eq!(act(&server, "leave", &one, "{}").0, 404);
}

/// The initial values of the page were put over what the user had typed, ticked or unticked.
#[test]
fn initial_values_over_what_the_user_typed() {
    let folder = Folder::new();
    let server = serve(&folder);
    let rendered = http::post_json(
        &server.url,
        "/_render",
        "{\"_page\":\"/\",\"_state\":{\"ring\":\"typed\",\"tagged\":false}}",
    );
    assert!(
        rendered.body.contains("value=\\\"typed\\\""),
        "{}",
        rendered.body
    );
    assert!(!rendered.body.contains(" checked"), "{}", rendered.body);
    // What was typed comes back in the answer only if the action changed it.
    let landed = state(&server, "land", "{\"ring\":\"H-7\",\"tagged\":false}");
    assert!(
        landed
            .body
            .starts_with("{\"type\":\"reload\",\"state\":{},"),
        "{}",
        landed.body
    );
    assert!(page(&server).contains("H-7 ate 0\n") || page(&server).contains("H-7 ate 0 "));

    // Without JavaScript an unticked box sends nothing at all; its form says so for it.
    let body = page(&server);
    let hidden = "<input type=\"hidden\" name=\"tagged\" value=\"\">";
    assert_eq!(body.matches(hidden).count(), 1, "{body}");
    let answer = form(&server, "ring=H-8&_action=%230&_args=[]&_page=/&tagged=");
    assert_eq!(answer.status, 303, "{}", answer.body);
    let answer = form(
        &server,
        "ring=H-9&tagged=on&_action=%230&_args=[]&_page=/&tagged=",
    );
    assert_eq!(answer.status, 303, "{}", answer.body);
    let body = page(&server);
    assert!(
        !body.contains("H-8 ate 0, grey") && body.contains("H-9 ate 0, grey"),
        "{body}"
    );
    // A refused form comes back with what was typed.
    let answer = form(
        &server,
        "ring=much+too+long+for+it&_action=%230&_args=[]&_page=/&tagged=",
    );
    assert!(
        answer.status == 422 && answer.body.contains("value=\"much too long for it\""),
        "{}",
        answer.body
    );
    assert!(!answer.body.contains(" checked"), "{}", answer.body);
}

/// `trim` knew only one kind of text: constants, state, fields and texts from outside were different things.
#[test]
fn a_trim_that_knew_one_kind_of_text() {
    let folder = Folder::new();
    let server = serve(&folder);
    act(&server, "land", "[]", "{\"ring\":\"H-1\"}");
    let trimmed = state(&server, "trims", "{\"ring\":\"  typed \"}");
    assert!(
        trimmed.body.contains("{\"remark\":\"[a|typed|H-1]\"}"),
        "{}",
        trimmed.body
    );
    let headers = [("Content-Type", "application/json"), ("X-Flin", "1")];
    let body = r#"{"_action":"fromJson","_args":["{\"name\":\"\\n x \"}"],"_state":{"ring":"{\"name\":\"\\n x \"}"}}"#;
    let parsed = http::request(&server.url, "POST", "/_action", &headers, body);
    assert!(
        parsed.body.contains("{\"remark\":\"[x]\"}"),
        "{}",
        parsed.body
    );
}

/// Validators failed, and nobody saw their messages.
#[test]
fn validator_messages_nobody_saw() {
    let folder = Folder::new();
    let server = serve(&folder);
    let expected = "{\"type\":\"error\",\"error\":{\"kind\":\"ValidationError\",\"message\":\"ring is required\",\"entity\":\"Heron\",\"field\":\"ring\",\"rule\":\"required\"}}";
    assert_eq!(
        act(&server, "land", "[]", "{\"ring\":\" \"}"),
        (422, expected.to_owned())
    );
    let answer = form(&server, "ring=&_action=%230&_args=[]&_page=/&tagged=on");
    assert!(
        answer.status == 422
            && answer.body.contains("aria-describedby=\"flin-error-ring\"")
            && answer
                .body
                .contains("role=\"alert\">ring is required</span>"),
        "{}",
        answer.body
    );
    let log = server.log_with("ring is required");
    assert!(log.contains("ring is required"), "{log}");
    // The one message without a control stands on top of the page.
    act(&server, "land", "[]", "{\"ring\":\"H-1\"}");
    for _ in 0..3 {
        assert_eq!(act(&server, "feed", &heron(1), "{}").0, 200);
    }
    let (status, body) = act(&server, "feed", &heron(1), "{}");
    assert!(
        status == 422 && body.contains("\"field\":\"fish\",\"rule\":\"max\""),
        "{body}"
    );
}

/// The log file stayed empty, whatever went wrong.
#[test]
fn a_log_that_stayed_empty() {
    let folder = Folder::new();
    let server = serve(&folder);
    act(&server, "land", "[]", "{}");
    let (status, body) = act(&server, "stumble", "[]", "{}");
    assert_eq!(status, 500, "{body}");
    let id = body
        .split("\"id\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let id = id.expect("an id that leads to the log");
    act(&server, "nothing", "[]", "{}");
    let log = server.log_with("no action nothing");
    for wanted in [
        id,
        "IndexOutOfBounds",
        "stumble",
        "writes=1",
        "no action nothing",
    ] {
        assert!(log.contains(wanted), "{wanted} is not in the log:\n{log}");
    }
}

/// Views had an evaluator of their own that knew less than the language.
#[test]
fn a_second_weaker_evaluator_for_views() {
    let folder = Folder::new();
    let server = serve(&folder);
    let told = state(&server, "words", "{}");
    let expected = r#"A-B{"a":1,"b":[2.5,null]}IndexOutOfBounds"#;
    let as_json = expected.replace('"', "\\\"");
    assert!(told.body.contains(&as_json), "{}", told.body);
    let as_html = expected.replace('"', "&quot;");
    let body = page(&server);
    assert!(body.contains(&format!("<b>{as_html}</b>")), "{body}");
}

/// After a reconnect, what had happened meanwhile was lost.
#[test]
fn reconnects_that_lost_changes() {
    let folder = Folder::new();
    let server = serve(&folder);
    act(&server, "land", "[]", "{\"ring\":\"H-0\"}");
    let mut socket = live(&server);
    act(&server, "land", "[]", "{\"ring\":\"H-1\"}");
    let first = hear(&mut socket);
    let seq = first
        .split("\"seq\":")
        .nth(1)
        .expect("a number")
        .trim_end_matches('}')
        .to_owned();
    drop(socket);
    for ring in 2..7 {
        act(&server, "land", "[]", &format!("{{\"ring\":\"H-{ring}\"}}"));
    }
    act(&server, "leave", &heron(1), "{}");
    let mut socket = live(&server);
    let resume = format!("{{\"action\":\"resume\",\"since\":{seq}}}");
    socket.send(Message::text(resume)).expect("it is open");
    for ring in 2..7 {
        let told = hear(&mut socket);
        assert!(
            told.contains(&format!("\"ring\":\"H-{ring}\"")),
            "H-{ring}: {told}"
        );
    }
    assert!(hear(&mut socket).contains("\"change\":\"delete\""));
}

fn live(server: &Server) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(server.url.trim_start_matches("http://")).expect("it listens");
    let limit = Some(Duration::from_secs(20));
    stream.set_read_timeout(limit).expect("a time limit");
    let url = format!("{}/_ws?page=/", server.url.replace("http", "ws"));
    let (mut socket, _) = tungstenite::client(url, stream).expect("a socket");
    let subscribe = "{\"action\":\"subscribe\",\"type\":\"Heron\"}";
    socket.send(Message::text(subscribe)).expect("it is open");
    assert!(hear(&mut socket).contains("subscribed"));
    socket
}

fn hear(socket: &mut WebSocket<TcpStream>) -> String {
    loop {
        if let Message::Text(text) = socket.read().expect("a message") {
            return text.to_string();
        }
    }
}

// rule: run.limit_time, run.limits_survive
/// One request brought the whole server down, or held it for ever.
#[test]
fn crashes() {
    let folder = Folder::new();
    let server = serve(&folder);
    let (status, body) = act(&server, "dig", "[]", "{}");
    assert!(status == 500 && body.contains("StackOverflow"), "{body}");
    let (status, body) = act(&server, "spin", "[]", "{}");
    assert!(
        status == 503 && body.contains("TimeLimitExceeded"),
        "{body}"
    );
    let deep = "[".repeat(100_000);
    assert_eq!(http::post_json(&server.url, "/_action", &deep).status, 400);
    assert_eq!(act(&server, "land", "[]", "{}"), (200, RELOAD.to_owned()));
    assert!(page(&server).contains("<h1>1 herons"));
}
