//! Live sockets: the handshake, what they tell, in which order, and what becomes of a bad one.

mod support;

use std::net::TcpStream;

use flin_runtime::store;
use support::{Running, serve, serve_with};
use tungstenite::{Message, WebSocket};

type Socket = WebSocket<TcpStream>;

fn open(server: &Running, path: &str) -> Socket {
    let url = format!("ws://{}{path}", server.address);
    let (socket, _) =
        tungstenite::client(url, server.connect()).expect("the handshake is answered");
    socket
}

fn say(socket: &mut Socket, text: &str) {
    socket
        .send(Message::text(text))
        .expect("the socket is open");
}

fn hear(socket: &mut Socket) -> String {
    loop {
        match socket.read().expect("a message") {
            Message::Text(text) => return text.to_string(),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("expected text, found {other:?}"),
        }
    }
}

fn follow(server: &Running) -> Socket {
    let mut socket = open(server, "/_ws?page=/");
    say(&mut socket, "{\"action\":\"subscribe\",\"type\":\"Memo\"}");
    assert!(
        hear(&mut socket).starts_with("{\"type\":\"subscribed\",\"entity_type\":\"Memo\",\"seq\":")
    );
    socket
}

fn add(server: &Running, text: &str) {
    let answer = server.act("add", "[]", &format!("{{\"draft\":\"{text}\"}}"));
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn seq_of(message: &str) -> u64 {
    let digits = message
        .rsplit("\"seq\":")
        .next()
        .expect("a seq")
        .trim_end_matches('}');
    digits
        .parse()
        .unwrap_or_else(|_| panic!("no seq in {message}"))
}

#[test]
fn two_tabs_hear_of_every_change_once() {
    let server = serve();
    let (mut one, mut two) = (follow(&server), follow(&server));
    add(&server, "milk");
    server.act(
        "toggle",
        "[{\"_entity\":true,\"type\":\"Memo\",\"id\":1}]",
        "{}",
    );
    server.act(
        "remove",
        "[{\"_entity\":true,\"type\":\"Memo\",\"id\":1}]",
        "{}",
    );
    for socket in [&mut one, &mut two] {
        let mut last = 0;
        for change in ["create", "update", "delete"] {
            let message = hear(socket);
            let start = format!(
                "{{\"type\":\"entity_change\",\"entity_type\":\"Memo\",\"change\":\"{change}\",\"entity\":{{\"id\":1,\"text\":\"milk\""
            );
            assert!(message.starts_with(&start), "{message}");
            assert!(
                !message.contains("secret") && !message.contains("note"),
                "{message}"
            );
            assert!(seq_of(&message) > last);
            last = seq_of(&message);
        }
    }
}

#[test]
fn after_a_break_nothing_is_missing() {
    let server = serve();
    let mut socket = follow(&server);
    add(&server, "one");
    let seen = seq_of(&hear(&mut socket));
    drop(socket);
    add(&server, "two");
    add(&server, "three");
    let subscribe = "{\"action\":\"subscribe\",\"type\":\"Memo\"}".to_owned();
    let resume = format!("{{\"action\":\"resume\",\"since\":{seen}}}");
    // As the browser runtime does it, and the other way round.
    for (n, order) in [[&subscribe, &resume], [&resume, &subscribe]]
        .into_iter()
        .enumerate()
    {
        let mut socket = open(&server, "/_ws?page=/");
        for wish in order {
            say(&mut socket, wish);
        }
        assert!(hear(&mut socket).starts_with("{\"type\":\"subscribed\""));
        for expected in ["two", "three", "later 0"].iter().take(2 + n) {
            assert!(hear(&mut socket).contains(&format!("\"text\":\"{expected}\"")));
        }
        add(&server, &format!("later {n}"));
        assert!(hear(&mut socket).contains(&format!("\"text\":\"later {n}\"")));
    }
    // A number that this store has never given.
    let mut socket = follow(&server);
    let head = server.runtime.store().head().0;
    say(
        &mut socket,
        &format!("{{\"action\":\"resume\",\"since\":{}}}", head + 1000),
    );
    assert_eq!(
        hear(&mut socket),
        format!("{{\"type\":\"refresh\",\"seq\":{head}}}")
    );
}

/// A transaction that makes a copy of the first memo with another text.
fn another_memo(store: &store::Store, text: &str) -> store::Transaction {
    let memo = store::TypeIx(0);
    let mut transaction = store.begin();
    let first = transaction.get(memo, store::EntityId(1));
    let mut fields = first.expect("read").expect("there").fields.clone();
    fields[0] = store::FieldValue::text(text);
    transaction.insert(memo, fields).expect("insert");
    transaction
}

#[test]
fn a_commit_that_was_published_but_not_told_yet_is_not_missed() {
    let server = serve();
    add(&server, "one");
    let store = server.runtime.store().clone();
    let since = store.head().0;
    let transaction = another_memo(&store, "two");
    // While the answer is being given the commit can be read, but nobody was told of it.
    let (published, is_published) = std::sync::mpsc::channel();
    let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
    let done = move |_| {
        published.send(()).expect("the test waits");
        may_go_on.recv().expect("the test goes on");
    };
    store.commit(transaction, None, Box::new(done));
    is_published.recv().expect("the commit is done");
    assert_eq!(store.head().0, since + 1);
    let mut socket = follow(&server);
    say(
        &mut socket,
        &format!("{{\"action\":\"resume\",\"since\":{since}}}"),
    );
    // Both wishes were obeyed once this one is answered.
    say(
        &mut socket,
        "{\"action\":\"subscribe\",\"type\":\"Nothing\"}",
    );
    assert!(hear(&mut socket).contains("does not read"));
    go_on.send(()).expect("the committer waits");
    let message = hear(&mut socket);
    assert!(message.contains("\"text\":\"two\""), "{message}");
    assert_eq!(seq_of(&message), since + 1);
}

#[test]
fn a_change_too_big_for_a_message_is_a_refresh() {
    let server = serve();
    add(&server, "one");
    let mut socket = follow(&server);
    let store = server.runtime.store();
    let big = another_memo(store, &"x".repeat(300 << 10));
    store.commit_wait(big, None);
    let head = store.head().0;
    assert_eq!(
        hear(&mut socket),
        format!("{{\"type\":\"refresh\",\"seq\":{head}}}")
    );
    add(&server, "small");
    assert!(hear(&mut socket).contains("\"text\":\"small\""));
}

#[test]
fn a_reader_that_falls_behind_is_told_to_refresh() {
    let limits = flin_server::ServerLimits {
        feed_queue_max: 2,
        ..flin_server::ServerLimits::default()
    };
    let server = serve_with(limits, flin_runtime::RuntimeOptions::default());
    let mut socket = follow(&server);
    let seen = server.runtime.store().head().0;
    for n in 0..5 {
        add(&server, &format!("memo {n}"));
    }
    // More than the queue has happened since: one refresh instead of everything.
    say(
        &mut socket,
        "{\"action\":\"unsubscribe\",\"type\":\"Memo\"}",
    );
    say(
        &mut socket,
        &format!("{{\"action\":\"resume\",\"since\":{seen}}}"),
    );
    say(&mut socket, "{\"action\":\"subscribe\",\"type\":\"Memo\"}");
    let head = server.runtime.store().head().0;
    loop {
        let message = hear(&mut socket);
        if message == format!("{{\"type\":\"refresh\",\"seq\":{head}}}") {
            break;
        }
        assert!(
            message.contains("entity_change")
                || message.contains("subscribed")
                || message.contains("refresh"),
            "{message}"
        );
    }
}

#[test]
fn only_types_that_the_page_reads() {
    let server = serve();
    let mut socket = open(&server, "/_ws");
    for wish in ["Unread", "Nothing", "memo", ""] {
        say(
            &mut socket,
            &format!("{{\"action\":\"subscribe\",\"type\":\"{wish}\"}}"),
        );
        assert!(
            hear(&mut socket)
                .starts_with("{\"type\":\"error\",\"message\":\"this page does not read the type")
        );
    }
    for junk in [
        "",
        "{",
        "[]",
        "{\"action\":\"drop\"}",
        "{\"action\":\"resume\",\"since\":\"x\"}",
        "{\"action\":\"subscribe\",\"type\":1}",
    ] {
        say(&mut socket, junk);
        assert!(
            hear(&mut socket).starts_with("{\"type\":\"error\""),
            "{junk}"
        );
    }
    say(&mut socket, "{\"action\":\"subscribe\",\"type\":\"Memo\"}");
    assert!(hear(&mut socket).starts_with("{\"type\":\"subscribed\""));
}

#[test]
fn a_big_message_closes_with_1009() {
    let server = serve();
    let mut socket = open(&server, "/_ws");
    // The server may close before it has read all of it.
    let _ = socket.send(Message::text("x".repeat((64 << 10) + 1)));
    let closed = loop {
        match socket.read() {
            Ok(Message::Close(frame)) => break frame,
            Ok(_) => {}
            Err(error) => panic!("expected a close message, found {error}"),
        }
    };
    assert_eq!(u16::from(closed.expect("a reason").code), 1009);
}

#[test]
fn handshakes_that_are_none() {
    let server = serve();
    let good = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    type Headers = Vec<(&'static str, String)>;
    let status = |change: &dyn Fn(&mut Headers), path: &str| {
        let mut headers: Headers = good.map(|(name, value)| (name, value.to_owned())).to_vec();
        change(&mut headers);
        let mut text = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n", server.address);
        for (name, value) in &headers {
            text += &format!("{name}: {value}\r\n");
        }
        server.connect_and_head(format!("{text}\r\n").as_bytes())
    };
    assert_eq!(status(&|_| {}, "/_ws").0, 101);
    let (_, head) = status(&|_| {}, "/_ws");
    assert!(
        head.to_ascii_lowercase()
            .contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="),
        "{head}"
    );
    for version in ["12", "8", "", "13, 8"] {
        assert_eq!(
            status(&|headers| headers[2].1 = version.to_owned(), "/_ws").0,
            426,
            "{version}"
        );
    }
    for key in [
        "",
        "AAA=",
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZX==",
        "!GhlIHNhbXBsZSBub25jZQ==",
    ] {
        assert_eq!(
            status(&|headers| headers[3].1 = key.to_owned(), "/_ws").0,
            400,
            "{key}"
        );
    }
    assert_eq!(status(&|headers| drop(headers.remove(1)), "/_ws").0, 426);
    assert_eq!(
        status(
            &|headers| headers.push(("Origin", "http://evil.example".to_owned())),
            "/_ws"
        )
        .0,
        403
    );
    let own = format!("http://{}", server.address);
    assert_eq!(
        status(&|headers| headers.push(("Origin", own.clone())), "/_ws").0,
        101
    );
    assert_eq!(status(&|_| {}, "/_ws?page=/nowhere").0, 404);
}
