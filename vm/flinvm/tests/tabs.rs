//! Two tabs of one page: what one does, the other hears at once, and after a break it hears what it missed.

mod support;

use std::net::TcpStream;
use std::time::Duration;

use flin_testkit::process::Server;
use support::{Folder, ZEBRAS, act, zebra};
use tungstenite::{Message, WebSocket};

fn open(server: &Server) -> WebSocket<TcpStream> {
    let stream =
        TcpStream::connect(server.url.trim_start_matches("http://")).expect("the port is open");
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a time limit");
    let url = format!("{}/_ws?page=/", server.url.replace("http", "ws"));
    let (mut socket, _) = tungstenite::client(url, stream).expect("a socket");
    socket
        .send(Message::text(
            "{\"action\":\"subscribe\",\"type\":\"Zebra\"}",
        ))
        .expect("it is open");
    assert!(hear(&mut socket).starts_with("{\"type\":\"subscribed\",\"entity_type\":\"Zebra\""));
    socket
}

fn hear(socket: &mut WebSocket<TcpStream>) -> String {
    loop {
        if let Message::Text(text) = socket.read().expect("a message") {
            return text.to_string();
        }
    }
}

#[test]
fn a_change_in_one_tab_reaches_the_other() {
    let folder = Folder::new();
    let server = Server::start(&folder.compile("zebras.fbc", ZEBRAS), &folder.path("data"));
    let (mut left, mut right) = (open(&server), open(&server));
    act(&server, "welcome", "[]", "{\"pending\":\"Marty\"}");
    act(&server, "flip", &format!("[{}]", zebra(1)), "{}");
    for socket in [&mut left, &mut right] {
        let created = hear(socket);
        assert!(
            created.contains("\"change\":\"create\"") && created.contains("\"moniker\":\"Marty\""),
            "{created}"
        );
        assert!(
            !created.contains("secret") && !created.contains("chip"),
            "{created}"
        );
        assert!(hear(socket).contains("\"change\":\"update\""));
    }
    let seq: u64 = {
        act(&server, "release", &format!("[{}]", zebra(1)), "{}");
        let deleted = hear(&mut left);
        assert!(deleted.contains("\"change\":\"delete\""), "{deleted}");
        deleted
            .rsplit(':')
            .next()
            .and_then(|rest| rest.trim_end_matches('}').parse().ok())
            .expect("a number")
    };
    drop(left);
    act(&server, "welcome", "[]", "{\"pending\":\"missed\"}");
    let mut left = open(&server);
    left.send(Message::text(format!(
        "{{\"action\":\"resume\",\"since\":{seq}}}"
    )))
    .expect("it is open");
    assert!(hear(&mut left).contains("\"moniker\":\"missed\""));
}

#[test]
fn after_a_restart_the_page_is_told_to_refresh() {
    let folder = Folder::new();
    let module = folder.compile("zebras.fbc", ZEBRAS);
    let server = Server::start(&module, &folder.path("data"));
    act(&server, "welcome", "[]", "{\"pending\":\"Marty\"}");
    server.kill();
    let server = Server::start(&module, &folder.path("data"));
    act(&server, "welcome", "[]", "{\"pending\":\"Gloria\"}");
    let mut socket = open(&server);
    socket
        .send(Message::text("{\"action\":\"resume\",\"since\":1}"))
        .expect("it is open");
    let heard = hear(&mut socket);
    assert!(
        heard.starts_with("{\"type\":\"refresh\",\"seq\":"),
        "{heard}"
    );
}
