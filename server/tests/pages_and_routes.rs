//! Pages as documents, routes as JSON.

mod support;

use support::serve;

#[test]
fn a_page_is_a_whole_document() {
    let server = serve();
    let answer = server.get("/");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let body = &answer.body;
    assert!(
        body.starts_with("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"),
        "{body}"
    );
    assert!(body.contains("<div id=\"flin-root\"><form"), "{body}");
    assert!(body.contains("<script type=\"application/json\" id=\"flin-page\">{\"page\":\"/\",\"state\":{\"draft\":\"\",\"clicks\":0},\"types\":{\"draft\":\"text\",\"clicks\":\"int\"},\"reads\":[\"Memo\"],\"fields\":{\"Memo.text\":[\"draft\"]},\"shown\":[],\"seq\":"), "{body}");
    assert!(
        body.ends_with(",\"build\":\"test\"}</script></body></html>"),
        "{body}"
    );
    assert_eq!(body.matches("<script").count(), 2, "{body}");
    assert_eq!(server.ask("HEAD", "/", &[], "").status, 200);
}

#[test]
fn an_unchanged_page_is_304() {
    let server = serve();
    let tag = server.get("/").header("etag").expect("a tag").to_owned();
    assert_eq!(
        server
            .ask("GET", "/", &[("If-None-Match", &tag)], "")
            .status,
        304
    );
    server.act("add", "[]", "{\"draft\":\"milk\"}");
    assert_eq!(
        server
            .ask("GET", "/", &[("If-None-Match", &tag)], "")
            .status,
        200
    );
}

#[test]
fn a_page_that_fails_is_an_error_page() {
    let server = serve();
    for path in ["/broken", "/writes"] {
        let answer = server.get(path);
        assert_eq!(answer.status, 500);
        assert!(
            answer.body.contains("<h1>Something went wrong</h1>") && answer.body.contains("error "),
            "{}",
            answer.body
        );
        assert!(
            !answer.body.contains("memos.flin") && !answer.body.contains("Division"),
            "{}",
            answer.body
        );
    }
    assert_eq!(server.get("/memos").body, "[]");
}

#[test]
fn records_leave_without_hidden_fields() {
    let server = serve();
    let answer = server.post_json("/memos", "{\"text\":\"a & b <c>\"}");
    assert_eq!(answer.status, 200);
    let start = "{\"id\":1,\"text\":\"a & b <c>\",\"marked\":null,\"version\":1,\"created_at\":\"";
    assert!(answer.body.starts_with(start), "{}", answer.body);
    assert!(
        answer.body.ends_with("Z\"}") && !answer.body.contains("note"),
        "{}",
        answer.body
    );
    assert_eq!(server.get("/memos").body, format!("[{}]", answer.body));
}

// rule: run.route_validation
#[test]
fn documented_errors() {
    let server = serve();
    let answer = server.post_json("/memos", "{\"text\":\"\"}");
    let expected = "{\"error\":\"text is required\",\"status\":422,\"fields\":{\"text\":\"text is required\"}}";
    assert_eq!((answer.status, answer.body.as_str()), (422, expected));
    for bad in ["{", "{\"a\":1,\"a\":2}", &"[".repeat(100), "\u{1}"] {
        let answer = server.post_json("/memos", bad);
        let expected = "{\"error\":\"Invalid JSON in request body\",\"status\":400}";
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (400, expected),
            "{bad}"
        );
    }
    let answer = server.get("/divide");
    assert_eq!(answer.status, 500);
    assert!(
        answer.body.contains("\"status\":500,\"id\":\"") && !answer.body.contains("zero"),
        "{}",
        answer.body
    );
}

#[test]
fn an_error_of_the_programs_own_leaves_a_route_as_an_id() {
    let server = serve();
    let answer = server.get("/boom");
    assert_eq!(answer.status, 500);
    assert!(
        answer.body.contains("\"id\":\"") && !answer.body.contains("paper"),
        "{}",
        answer.body
    );
}

#[test]
fn what_a_route_sees() {
    let server = serve();
    assert_eq!(
        server.get("/params/a%2Fb/%C3%A9").body,
        "{\"first\":\"a/b\",\"second\":\"é\"}"
    );
    assert_eq!(
        server.get("/query?a=1&b=x+y&c=%26").body,
        "{\"a\":\"1\",\"b\":\"x y\",\"c\":\"&\"}"
    );
    let seen = server.get("/seen?x=1").body;
    assert_eq!(
        seen,
        "{\"method\":\"GET\",\"path\":\"/seen\",\"url\":\"/seen?x=1\",\"remote\":\"127.0.0.1\"}"
    );
    let headers = server
        .ask("GET", "/headers", &[("X-Thing", "1"), ("x-thing", "2")], "")
        .body;
    assert!(headers.contains("\"x-thing\":\"1, 2\""), "{headers}");
    let echo = |content_type: &str, body: &str| {
        server
            .ask("POST", "/echo", &[("Content-Type", content_type)], body)
            .body
    };
    assert_eq!(
        echo("application/json", "{\"a\":[1,2.5,null,true]}"),
        "{\"a\":[1,2.5,null,true]}"
    );
    assert_eq!(
        echo("application/json; charset=utf-8", "9007199254740993"),
        "9007199254740993"
    );
    assert_eq!(
        echo("application/x-www-form-urlencoded", "a=1&b=2&a=3"),
        "{\"b\":\"2\",\"a\":\"3\"}"
    );
    assert_eq!(echo("text/plain", "hello"), "\"hello\"");
    assert_eq!(echo("application/json", ""), "{}");
}

#[test]
fn a_get_from_another_site_cannot_write() {
    let server = serve();
    let answer = server.ask(
        "GET",
        "/writes-by-get",
        &[("Sec-Fetch-Site", "cross-site")],
        "",
    );
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert_eq!(server.get("/memos").body, "[]");
    assert_eq!(server.get("/writes-by-get").status, 200);
}
