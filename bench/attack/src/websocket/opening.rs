//! The opening handshake (RFC 6455, 4): what is taken, what is refused and how. Must stay true: what is refused stays HTTP, so
//! that a client can correct itself on the same connection.

use super::case::{Case, PING_TEXT, PONG_TEXT, case};
use super::frame::{Bytes, close, ping, text};

/// A handshake as clients send it, with the key of the RFC's own example.
pub(super) const OPENING: &str = "GET /_ws HTTP/1.1\r\n\
    Host: {host}\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// The answer to that key, from the RFC.
pub(super) const KEY_ANSWER: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The handshake without a header.
fn without(name: &str) -> String {
    let keeps = |line: &&str| !line.starts_with(&format!("{name}:"));
    OPENING.split_inclusive("\r\n").filter(keeps).collect()
}

/// The handshake with another value of a header.
fn with(name: &str, value: &str) -> String {
    and(&without(name), &format!("{name}: {value}"))
}

/// A handshake with a further line.
fn and(opening: &str, line: &str) -> String {
    let head = opening.strip_suffix("\r\n").unwrap_or(opening);
    format!("{head}{line}\r\n\r\n")
}

/// The handshake with another first line.
fn by(line: &str) -> String {
    let headers = OPENING.split_once("\r\n").map_or("", |(_, rest)| rest);
    format!("{line}\r\n{headers}")
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = accepted();
    cases.extend(offered());
    cases.extend(with_more_bytes());
    cases.extend(bad_upgrades());
    cases.extend(bad_versions());
    cases.extend(bad_keys());
    cases.extend(bad_origins());
    cases.extend(bad_requests());
    cases
}

fn accepted() -> Vec<Case> {
    let lower = OPENING.to_ascii_lowercase();
    let lower = lower
        .replace("get /_ws http/1.1", "GET /_ws HTTP/1.1")
        .replace("dghlihnhbxbszsbub25jzq==", "dGhlIHNhbXBsZSBub25jZQ==");
    let rows = [
        ("as in the RFC", OPENING.to_owned()),
        ("names in lower case", lower),
        ("upgrade in another case", with("Upgrade", "WebSocket")),
        ("upgrade among others", with("Upgrade", "h2c, websocket")),
        ("upgrade twice", and(OPENING, "Upgrade: websocket")),
        (
            "connection among others",
            with("Connection", "keep-alive, Upgrade"),
        ),
        ("connection in lower case", with("Connection", "upgrade")),
        (
            "connection in two headers",
            and(&with("Connection", "keep-alive"), "Connection: Upgrade"),
        ),
        (
            "blanks around the key",
            with("Sec-WebSocket-Key", "  dGhlIHNhbXBsZSBub25jZQ== \t"),
        ),
        (
            "blanks around the version",
            with("Sec-WebSocket-Version", " 13 "),
        ),
        (
            "from a page of this server",
            and(OPENING, "Origin: http://{host}"),
        ),
        (
            "the browser says: same origin",
            and(OPENING, "Sec-Fetch-Site: same-origin"),
        ),
        ("a page named", by("GET /_ws?page=/ HTTP/1.1")),
        ("a page named in code", by("GET /_ws?page=%2F HTTP/1.1")),
        (
            "a whole address in the request line",
            by("GET http://{host}/_ws HTTP/1.1"),
        ),
        (
            "headers that mean nothing here",
            and(OPENING, "X-Nothing: 1\r\nCookie: a=b; c"),
        ),
        ("an empty line before", format!("\r\n{OPENING}")),
        ("a length of nothing", and(OPENING, "Content-Length: 0")),
    ];
    let mut cases: Vec<Case> = rows
        .into_iter()
        .map(|(name, opening)| case(name).opened_by(opening))
        .collect();
    cases.push(case("byte by byte").slowly());
    cases
}

fn offered() -> Vec<Case> {
    let extensions = [
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_max_window_bits=8, x-webkit-deflate-frame",
        "something-new; a=\"b, c\"",
        ";;;,,,=",
    ];
    let extensions = extensions.map(|offer| {
        let opening = and(OPENING, &format!("Sec-WebSocket-Extensions: {offer}"));
        case(format!("the extension is not taken: {offer}"))
            .opened_by(opening)
            .with_header("sec-websocket-extensions", None)
    });
    let protocols = ["chat", "chat, superchat", "flin.1", "\u{fc}"];
    let protocols = protocols.map(|offer| {
        let opening = and(OPENING, &format!("Sec-WebSocket-Protocol: {offer}"));
        case(format!("the protocol is not taken: {offer}"))
            .opened_by(opening)
            .with_header("sec-websocket-protocol", None)
    });
    extensions.into_iter().chain(protocols).collect()
}

/// Frames that come together with the handshake belong to the socket.
fn with_more_bytes() -> Vec<Case> {
    vec![
        case("a frame in one go with the handshake")
            .together_with(text(PING_TEXT))
            .hears(PONG_TEXT),
        case("three frames in one go with the handshake")
            .together_with([text(PING_TEXT), ping("a"), text(PING_TEXT)])
            .hears(PONG_TEXT)
            .hears_pong("a")
            .hears(PONG_TEXT),
        case("half a frame in one go with the handshake")
            .together_with(text(PING_TEXT).bytes()[..9].to_vec())
            .sends(text(PING_TEXT).bytes()[9..].to_vec())
            .hears(PONG_TEXT),
        case("a close in one go with the handshake")
            .together_with(close(1000, "bye"))
            .closed(Some(1000), "bye"),
        case("junk in one go with the handshake")
            .together_with(b"GET / HTTP/1.1\r\n\r\n".to_vec())
            .failed(1002),
    ]
}

fn bad_upgrades() -> Vec<Case> {
    let refused =
        |name: &str, opening: String, status: u16| case(name).opened_by(opening).refused(status);
    let wanted = |name: &str, opening: String| {
        refused(name, opening, 426)
            .with_header("upgrade", Some("websocket"))
            .with_header("sec-websocket-version", Some("13"))
    };
    vec![
        wanted("no upgrade", without("Upgrade")),
        wanted("another upgrade", with("Upgrade", "h2c")),
        wanted(
            "an upgrade that only begins so",
            with("Upgrade", "websockets"),
        ),
        wanted("an empty upgrade", with("Upgrade", "")),
        refused("no connection", without("Connection"), 400),
        refused(
            "connection: keep-alive",
            with("Connection", "keep-alive"),
            400,
        ),
        refused("an empty connection", with("Connection", ""), 400),
        refused("connection: upgraded", with("Connection", "upgraded"), 400),
        case("connection: close")
            .opened_by(with("Connection", "close"))
            .refused_and_closed(400),
        case("nothing of a handshake")
            .opened_by("GET /_ws HTTP/1.1\r\nHost: {host}\r\n\r\n")
            .refused(426),
    ]
}

fn bad_versions() -> Vec<Case> {
    let versions = [
        "", "0", "8", "12", "14", "013", "+13", "13.0", "0xd", "13 13", "13, 8", "8, 13", "13;",
        "thirteen", "-13", "256",
    ];
    let mut openings: Vec<(String, String)> = versions
        .iter()
        .map(|version| {
            (
                format!("version {version:?}"),
                with("Sec-WebSocket-Version", version),
            )
        })
        .collect();
    let again = |version| and(OPENING, &format!("Sec-WebSocket-Version: {version}"));
    openings.push(("no version".to_owned(), without("Sec-WebSocket-Version")));
    openings.push(("the version twice".to_owned(), again("13")));
    openings.push(("two versions".to_owned(), again("8")));
    let refused = |(name, opening)| {
        case(name)
            .opened_by(opening)
            .refused(426)
            .with_header("sec-websocket-version", Some("13"))
            .with_header("upgrade", Some("websocket"))
    };
    openings.into_iter().map(refused).collect()
}

fn bad_keys() -> Vec<Case> {
    let keys = [
        ("no bytes", ""),
        ("only padding", "=="),
        ("three bytes", "YWJj"),
        ("15 bytes", "MTIzNDU2Nzg5MDEyMzQ1"),
        ("17 bytes", "MTIzNDU2Nzg5MDEyMzQ1Njc="),
        ("32 bytes", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="),
        ("no padding", "dGhlIHNhbXBsZSBub25jZQ"),
        ("one sign of padding", "dGhlIHNhbXBsZSBub25jZQ="),
        ("three signs of padding", "dGhlIHNhbXBsZSBub25jZQ==="),
        ("another alphabet", "dGhlIHNhbXBsZSBub25j_-=="),
        ("no alphabet", "dGhlIHNhbXBsZSBub25j!!=="),
        ("a blank inside", "dGhlIHNhbXBs ZSBub25jZ=="),
        ("bits behind the last byte", "dGhlIHNhbXBsZSBub25jZR=="),
        ("no ASCII", "dGhlIHNhbXBsZSBub25\u{e9}=="),
    ];
    let mut openings: Vec<(String, String)> = keys
        .iter()
        .map(|(name, key)| (format!("a key of {name}"), with("Sec-WebSocket-Key", key)))
        .collect();
    let another = "Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==";
    openings.push(("no key".to_owned(), without("Sec-WebSocket-Key")));
    openings.push(("two keys".to_owned(), and(OPENING, another)));
    openings
        .into_iter()
        .map(|(name, opening)| case(name).opened_by(opening).refused(400))
        .collect()
}

fn bad_origins() -> Vec<Case> {
    let lines = [
        "Origin: http://evil.example",
        "Origin: null",
        "Origin:",
        "Origin: http://{host}.evil.example",
        "Origin: http://{host}0",
        "Origin: http://127.0.0.1:1",
        "Origin: http://x@{host}",
        "Origin: http://{host}/path",
        "Origin: ftp://{host}",
        "Origin: {host}",
        "Origin: file://",
        "Origin: http://{host}\r\nOrigin: http://{host}",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
        "Sec-Fetch-Site: Same-Origin",
        "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: cross-site\r\nOrigin: http://{host}",
    ];
    let refused = |line: &&str| {
        let name = line.replace("\r\n", " and ");
        case(name).opened_by(and(OPENING, line)).refused(403)
    };
    lines.iter().map(refused).collect()
}

fn bad_requests() -> Vec<Case> {
    let refused =
        |name: &str, opening: String, status: u16| case(name).opened_by(opening).refused(status);
    let and_closed = |name: &str, opening: String, status: u16| {
        case(name).opened_by(opening).refused_and_closed(status)
    };
    vec![
        refused("by POST", by("POST /_ws HTTP/1.1"), 405),
        refused("by PUT", by("PUT /_ws HTTP/1.1"), 405),
        refused("by a method of no meaning", by("WS /_ws HTTP/1.1"), 405),
        and_closed("HTTP/1.0", by("GET /_ws HTTP/1.0"), 400),
        refused(
            "a page that is not there",
            by("GET /_ws?page=/nowhere HTTP/1.1"),
            404,
        ),
        refused(
            "a page elsewhere",
            by("GET /_ws?page=//evil.example/ HTTP/1.1"),
            404,
        ),
        refused("a page with NUL", by("GET /_ws?page=/%00 HTTP/1.1"), 404),
        refused(
            "a page that climbs",
            by("GET /_ws?page=/../etc/passwd HTTP/1.1"),
            404,
        ),
        refused("a path below", by("GET /_ws/x HTTP/1.1"), 404),
        refused("a page instead of the socket", by("GET / HTTP/1.1"), 200),
        and_closed("no host", without("Host"), 400),
        and_closed("two hosts", and(OPENING, "Host: {host}"), 400),
        and_closed("a foreign host", with("Host", "evil.example"), 421),
        and_closed("an empty host", with("Host", ""), 400),
        case("frames after a handshake that was refused")
            .opened_by(without("Sec-WebSocket-Key"))
            .refused_and_closed(400)
            .then_answered(text(PING_TEXT), 400),
    ]
}
