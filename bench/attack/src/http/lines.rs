//! The first line of a request (RFC 9112, 2 and 3): methods, the four forms of a target, versions, and what is no HTTP at all.

use super::case::{Case, answered, asking, case, get, refused};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = versions();
    cases.extend(malformed());
    cases.extend(methods());
    cases.extend(targets());
    cases.extend(no_http());
    cases
}

fn versions() -> Vec<Case> {
    let old = |name: &str, headers: &str| {
        let request = asking("GET /still-here HTTP/1.0", headers);
        case(name).sends(request).gets(200).saying("\"yes\"")
    };
    let mut cases = vec![
        answered("HTTP/1.1", get("/still-here"), 200),
        answered(
            "an empty line before",
            format!("\r\n{}", get("/still-here")),
            200,
        ),
        answered(
            "three empty lines before",
            format!("\r\n\r\n\r\n{}", get("/still-here")),
            200,
        ),
        old("HTTP/1.0", "").closes(),
        old("HTTP/1.0 that wants to go on", "Connection: keep-alive\r\n"),
        refused("HTTP/1.0 without a host", "GET / HTTP/1.0\r\n\r\n", 400),
        refused("HTTP/0.9", "GET /\r\n", 400),
    ];
    for version in [
        "HTTP/1.2",
        "HTTP/2.0",
        "HTTP/3",
        "HTTP/0.9",
        "HTTP/11",
        "HTTP/1.10",
        "HTTP/1",
        "http/1.1",
        "HTTP/1.1x",
        "HTTPS/1.1",
        "HTTP /1.1",
        "ICY/1.1",
        "HTTP/\u{ff11}.1",
    ] {
        let request = asking(&format!("GET /still-here {version}"), "");
        cases.push(refused(format!("version {version:?}"), request, 400));
    }
    cases
}

fn malformed() -> Vec<Case> {
    let rows: &[(&str, &[u8])] = &[
        ("no target", b"GET HTTP/1.1\r\n"),
        ("no target, two blanks", b"GET  HTTP/1.1\r\n"),
        ("only a method", b"GET\r\n"),
        ("only blanks", b"   \r\n"),
        ("a blank before", b" GET /still-here HTTP/1.1\r\n"),
        (
            "two blanks after the method",
            b"GET  /still-here HTTP/1.1\r\n",
        ),
        (
            "two blanks before the version",
            b"GET /still-here  HTTP/1.1\r\n",
        ),
        ("a blank behind", b"GET /still-here HTTP/1.1 \r\n"),
        ("tabs for blanks", b"GET\t/still-here\tHTTP/1.1\r\n"),
        ("a blank in the path", b"GET /still here HTTP/1.1\r\n"),
        ("a CR in the path", b"GET /still\rhere HTTP/1.1\r\n"),
        ("a NUL in the path", b"GET /still\0here HTTP/1.1\r\n"),
        ("a control in the path", b"GET /still\x01here HTTP/1.1\r\n"),
        ("DEL in the path", b"GET /still\x7fhere HTTP/1.1\r\n"),
        ("Latin-1 in the path", b"GET /still\xe9 HTTP/1.1\r\n"),
        ("a quote sign in the path", b"GET /still<here> HTTP/1.1\r\n"),
        (
            "a form feed after the method",
            b"GET\x0c/still-here HTTP/1.1\r\n",
        ),
        (
            "a bare CR for the end",
            b"GET /still-here HTTP/1.1\rHost: localhost\r\n",
        ),
        ("a method with a bracket", b"GE(T /still-here HTTP/1.1\r\n"),
        ("a method with NUL", b"G\0T /still-here HTTP/1.1\r\n"),
        ("no method", b"/still-here HTTP/1.1\r\n"),
        ("a method in quotes", b"\"GET\" /still-here HTTP/1.1\r\n"),
    ];
    let refused = |(name, line): &(&str, &[u8])| {
        refused(*name, [*line, b"Host: {host}\r\n\r\n"].concat(), 400)
    };
    rows.iter().map(refused).collect()
}

fn methods() -> Vec<Case> {
    let long = "M".repeat(10_000);
    let by = |method: &str| asking(&format!("{method} /still-here HTTP/1.1"), "");
    let mut cases: Vec<Case> = [
        "get",
        "GeT",
        "FLY",
        "TRACE",
        "PUT",
        "DELETE",
        "PATCH",
        "POST",
        "GETT",
        "!#$%&'*+-.^_`|~1",
    ]
    .iter()
    .map(|method| {
        answered(format!("the method {method}"), by(method), 405)
            .with("allow", "GET, HEAD, OPTIONS")
    })
    .collect();
    cases.extend([
        case("the method HEAD").sends(by("HEAD")).gets_bare(200),
        answered("the method OPTIONS", by("OPTIONS"), 204).with("allow", "GET, HEAD, OPTIONS"),
        answered("a method of 10,000 letters", by(&long), 405),
        refused("a method that never ends", vec![b'M'; 20_000], 431),
    ]);
    cases
}

fn targets() -> Vec<Case> {
    let to = |target: &str| asking(&format!("GET {target} HTTP/1.1"), "");
    let ok = |name: &str, target: &str| answered(name, to(target), 200).saying("\"yes\"");
    let bad = |name: &str, target: &str| refused(name, to(target), 400);
    let long = format!("/{}", "a".repeat(8000));
    let longer = format!("/{}", "a".repeat(20_000));
    vec![
        ok("a path and an empty query", "/still-here?"),
        ok("a query that means nothing", "/still-here?a=b&&=;?/#"),
        ok("a whole address", "http://{host}/still-here"),
        ok("a whole address in capitals", "HTTP://{host}/still-here"),
        bad("another host's address", "http://evil.example/still-here"),
        bad("another port's address", "http://127.0.0.1:1/still-here"),
        bad(
            "an address with a name before",
            "http://x@{host}/still-here",
        ),
        bad("an address without a host", "http:///still-here"),
        bad("an address of nothing", "http://"),
        bad("a host alone, for GET", "{host}"),
        bad("a star, for GET", "*"),
        bad("a path without its slash", "still-here"),
        bad("a file of this machine", "file:///etc/passwd"),
        answered("a script for an address", to("javascript:alert(1)"), 400).closes(),
        answered("two slashes before", to("//still-here"), 404),
        answered(
            "two slashes and a host",
            to("//evil.example/still-here"),
            404,
        ),
        answered("a star, for OPTIONS", asking("OPTIONS * HTTP/1.1", ""), 204)
            .with("allow", "GET, HEAD, OPTIONS, POST"),
        answered("a tunnel", asking("CONNECT {host} HTTP/1.1", ""), 405),
        refused(
            "a tunnel to elsewhere",
            asking("CONNECT evil.example:443 HTTP/1.1", ""),
            400,
        ),
        answered("a path of 8,000 letters", to(&long), 404),
        refused("a path of 20,000 letters", to(&longer), 431),
        refused(
            "a path that never ends",
            longer.replacen('/', "GET /", 1),
            431,
        ),
    ]
}

fn no_http() -> Vec<Case> {
    let hello = [
        0x16, 0x03, 0x01, 0x00, 0xa5, 0x01, 0x00, 0x00, 0xa1, 0x03, 0x03, 0x00, 0x01, 0x02, 0x03,
        0x04, 0x05,
    ];
    let junk: Vec<u8> = (0..4096u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8 | 0x80)
        .collect();
    vec![
        // A client that speaks it would not understand an answer of HTTP/1.1.
        case("HTTP/2 without an agreement")
            .sends("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .closes(),
        refused("TLS", hello, 400),
        refused("SSH", "SSH-2.0-OpenSSH_9.6\r\n", 400),
        refused("SMTP", "EHLO evil.example\r\n", 400),
        refused("Redis", "*1\r\n$4\r\nPING\r\n", 400),
        refused(
            "a proxy's line",
            "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\n\r\n",
            400,
        ),
        refused(
            "an answer instead of a question",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            400,
        ),
        refused("bytes of no meaning", junk, 400),
        refused("zeros", [0; 100], 400),
        case("nothing").half_closes().closes(),
        case("half a line")
            .sends("GET /still")
            .half_closes()
            .closes(),
        case("half a head")
            .sends("GET /still-here HTTP/1.1\r\nHost: {host}\r\n")
            .half_closes()
            .closes(),
    ]
}
