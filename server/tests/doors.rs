//! Who may come in: hosts, origins, paths, methods; and what every answer carries.

mod support;

use support::serve;

#[test]
fn exactly_one_host_and_one_of_ours() {
    let server = serve();
    for good in ["localhost", "memos.example", "127.0.0.1:1"] {
        assert_eq!(
            server
                .ask("GET", "/_flin/health", &[("Host", good)], "")
                .status,
            200,
            "{good}"
        );
    }
    assert_eq!(
        server
            .ask("GET", "/_flin/health", &[("Host", "evil.example")], "")
            .status,
        421
    );
    assert_eq!(
        server
            .raw(b"GET /_flin/health HTTP/1.1\r\nConnection: close\r\n\r\n")
            .status,
        400
    );
    let two = b"GET /_flin/health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(server.raw(two).status, 400);
    let other =
        b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(server.raw(other).status, 400);
}

#[test]
fn another_site_can_change_nothing() {
    let server = serve();
    let body = "{\"_action\":\"click\"}";
    for content_type in [
        "application/json",
        "text/plain",
        "Text/Plain",
        "multipart/form-data; boundary=x",
    ] {
        for stranger in [
            ("Origin", "http://evil.example"),
            ("Origin", "null"),
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
        ] {
            for path in ["/_action", "/_render", "/memos", "/echo"] {
                let answer = server.ask(
                    "POST",
                    path,
                    &[("Content-Type", content_type), stranger],
                    body,
                );
                assert_eq!(answer.status, 403, "{path} {content_type} {stranger:?}");
            }
        }
    }
    let own = format!("http://{}", server.address);
    let answer = server.ask(
        "POST",
        "/echo",
        &[("Content-Type", "application/json"), ("Origin", &own)],
        "1",
    );
    assert_ne!(answer.status, 403);
}

// rule: run.route_wrong_method
#[test]
fn paths_and_methods() {
    let server = serve();
    for bad in ["/..", "/a/../b", "/%2e%2e/etc", "/a%00b", "/a%5cb", "/%ff"] {
        assert_eq!(server.get(bad).status, 400, "{bad}");
    }
    let answer = server.get("/nowhere");
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (404, "{\"error\":\"Not found\",\"status\":404}")
    );
    let answer = server.ask("GET", "/nowhere", &[("Accept", "text/html")], "");
    assert!(
        answer.status == 404 && answer.body.contains("<h1>Not found</h1>"),
        "{}",
        answer.body
    );
    let answer = server.ask("DELETE", "/memos", &[], "");
    assert_eq!(
        (answer.status, answer.header("allow")),
        (405, Some("GET, HEAD, OPTIONS, POST"))
    );
    assert_eq!(server.ask("POST", "/", &[], "").status, 405);
    assert_eq!(server.get("/_action").status, 405);
    let answer = server.ask("OPTIONS", "/memos", &[], "");
    assert_eq!(
        (answer.status, answer.header("allow")),
        (204, Some("GET, HEAD, OPTIONS, POST"))
    );
    let answer = server.get("/memos/?a=b");
    assert_eq!(
        (answer.status, answer.header("location")),
        (308, Some("/memos?a=b"))
    );
    assert_eq!(server.get("//evil.example/").status, 404);
}

#[test]
fn every_answer_is_protected() {
    let server = serve();
    for path in ["/nowhere", "/_flin/health", "/..", "/_action"] {
        let answer = server.get(path);
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(
            policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'self'"),
            "{path}: {policy}"
        );
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(
            answer.header("referrer-policy"),
            Some("strict-origin-when-cross-origin"),
            "{path}"
        );
    }
}

#[test]
fn the_browser_runtime_is_cached_for_ever_under_its_hash() {
    let server = serve();
    let page = server.get("/");
    let path = page
        .body
        .split('"')
        .find(|part| part.starts_with("/_flin/runtime-"))
        .expect("the page names it");
    let answer = server.get(path);
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    assert_eq!(
        answer.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    assert_eq!(server.get("/_flin/runtime-0000.js").status, 404);
}

#[test]
fn health_and_metrics() {
    let server = serve();
    let answer = server.get("/_flin/health");
    assert!(
        answer
            .body
            .starts_with("{\"live\":true,\"ready\":true,\"build\":\"test\",\"seq\":"),
        "{}",
        answer.body
    );
    assert!(
        server
            .get("/_flin/metrics")
            .body
            .contains("\nvm_panics_total 0\n")
    );
    assert_eq!(server.ask("HEAD", "/_flin/health", &[], "").body, "");
}

#[test]
fn it_ends_in_order() {
    let mut server = serve();
    let idle = server.connect();
    server.stop();
    drop(idle);
    assert!(
        std::net::TcpStream::connect(server.address).is_err(),
        "the port is still open"
    );
}
