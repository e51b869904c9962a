//! Header lines (RFC 9112, 5): names, values, folds, ends of lines, how many and how much.

use super::case::{Case, answered, asking, case, get, refused};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = bad_names();
    cases.extend(folds());
    cases.extend(values());
    cases.extend(line_ends());
    cases.extend(amounts());
    cases
}

/// A request with a line that is written as it is here.
fn with(line: &[u8]) -> Vec<u8> {
    [
        b"GET /still-here HTTP/1.1\r\nHost: {host}\r\n",
        line,
        b"\r\n\r\n",
    ]
    .concat()
}

fn bad_names() -> Vec<Case> {
    let rows: &[(&str, &[u8])] = &[
        ("a blank before the colon", b"X-A : b"),
        ("a tab before the colon", b"X-A\t: b"),
        ("a blank inside", b"X A: b"),
        ("nothing before the colon", b": b"),
        ("a blank before the name", b" : b"),
        ("no colon", b"X-A"),
        ("a bracket", b"X(A): b"),
        ("an at sign", b"X@A: b"),
        ("a slash", b"X/A: b"),
        ("quotes", b"\"X\": b"),
        ("Latin-1", b"X-\xe9: b"),
        ("UTF-8", b"X-\xc3\xa9: b"),
        ("NUL", b"X\0A: b"),
        ("a CR", b"X\rA: b"),
        ("DEL", b"X\x7f: b"),
        ("a second request line", b"GET / HTTP/1.1"),
    ];
    let bad =
        |(name, line): &(&str, &[u8])| refused(format!("a name with {name}"), with(line), 400);
    rows.iter().map(bad).collect()
}

/// Lines that go on in the next one are gone from HTTP since 2014, and are read differently by different servers.
fn folds() -> Vec<Case> {
    let rows: &[(&str, &[u8])] = &[
        ("by a blank", b"X-A: b\r\n c"),
        ("by a tab", b"X-A: b\r\n\tc"),
        ("by blanks alone", b"X-A: b\r\n   "),
        ("a length", b"Content-Length:\r\n 5"),
        ("an encoding", b"Transfer-Encoding:\r\n chunked"),
    ];
    let bad = |(name, line): &(&str, &[u8])| refused(format!("folded {name}"), with(line), 400);
    let mut cases: Vec<Case> = rows.iter().map(bad).collect();
    let first = b"GET /still-here HTTP/1.1\r\n X-A: b\r\nHost: {host}\r\n\r\n";
    cases.push(refused("folded in the first line", first, 400));
    cases
}

fn values() -> Vec<Case> {
    let good: &[(&str, &[u8])] = &[
        ("nothing", b"X-A:"),
        ("blanks", b"X-A:  \t "),
        ("a tab inside", b"X-A: a\tb"),
        ("colons", b"X-A: a:b::c"),
        ("Latin-1", b"X-A: caf\xe9"),
        ("UTF-8", "X-A: caf\u{e9} \u{1f980}".as_bytes()),
        ("no blank before", b"X-A:b"),
        ("all signs", b"X-A: !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    ];
    let bad: &[(&str, &[u8])] = &[
        ("NUL", b"X-A: a\0b"),
        ("NUL at its end", b"X-A: a\0"),
        ("a CR", b"X-A: a\rb"),
        ("a CR at its end", b"X-A: a\r"),
        ("a control", b"X-A: a\x01b"),
        ("a form feed", b"X-A: a\x0cb"),
        ("an escape", b"X-A: a\x1b[31m"),
        ("DEL", b"X-A: a\x7fb"),
        ("a CR and a host", b"X-A: a\rHost: evil.example"),
    ];
    let good = good
        .iter()
        .map(|(name, line)| answered(format!("a value of {name}"), with(line), 200));
    let bad = bad
        .iter()
        .map(|(name, line)| refused(format!("a value with {name}"), with(line), 400));
    good.chain(bad).collect()
}

/// A single LF ends a line as CR LF does (RFC 9112, 2.2); a single CR ends none.
fn line_ends() -> Vec<Case> {
    let bare = get("/still-here").replace("\r\n", "\n");
    vec![
        answered("LF alone everywhere", bare, 200),
        answered(
            "LF alone at the end",
            "GET /still-here HTTP/1.1\r\nHost: {host}\r\n\n",
            200,
        ),
        refused(
            "CR alone everywhere",
            get("/still-here").replace("\r\n", "\r"),
            400,
        ),
        refused("LF CR", get("/still-here").replace("\r\n", "\n\r"), 400),
        refused(
            "CR CR LF",
            get("/still-here").replace("\r\n", "\r\r\n"),
            400,
        ),
        case("byte by byte").drips(get("/still-here")).gets(200),
    ]
}

fn amounts() -> Vec<Case> {
    let fields = |count: usize| -> String { (0..count).map(|n| format!("X-{n}: 1\r\n")).collect() };
    let request = |headers: &str| asking("GET /still-here HTTP/1.1", headers);
    let big = |bytes: usize| request(&format!("X-Big: {}\r\n", "a".repeat(bytes)));
    let endless = format!(
        "GET / HTTP/1.1\r\nHost: {{host}}\r\nX-Big: {}",
        "a".repeat(100_000)
    );
    vec![
        answered("100 of them", request(&fields(99)), 200),
        refused("101 of them", request(&fields(100)), 431),
        refused("5,000 of them", request(&fields(5000)), 431),
        answered("15,000 bytes", big(15_000), 200),
        refused("17,000 bytes", big(17_000), 431),
        refused("a megabyte", big(1 << 20), 431),
        refused("a value that never ends", endless, 431),
        refused(
            "a name that never ends",
            format!("GET / HTTP/1.1\r\n{}", "a".repeat(100_000)),
            431,
        ),
        answered(
            "a cookie of 12,000 bytes",
            request(&format!("Cookie: {}\r\n", "a=b; ".repeat(2400))),
            200,
        ),
        answered(
            "the same name 90 times",
            request(&"X-Same: 1\r\n".repeat(90)),
            200,
        ),
    ]
}
