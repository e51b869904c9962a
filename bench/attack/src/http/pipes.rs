//! Several requests on one connection, and requests that wait for leave (RFC 9112, 9.3; RFC 9110, 10.1.1). Must stay true: answers come in
//! the order of the requests, and after the last one none.

use super::case::{Case, asking, case, get, post, refused};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = in_order();
    cases.extend(until_the_end());
    cases.extend(expecting());
    cases
}

fn seen(part: usize) -> String {
    get(&format!("/rest/{part}"))
}

fn in_order() -> Vec<Case> {
    let many: String = (0..100).map(seen).collect();
    let answers = |case: Case| {
        (0..100).fold(case, |case, part| {
            case.gets(200).saying(&format!("\"{part}\""))
        })
    };
    let (first, second) = (get("/short"), get("/nowhere"));
    let both = format!("{first}{second}");
    let middle = first.len() + 10;
    vec![
        answers(case("a hundred in one piece").sends(&many)),
        answers(case("a hundred byte by byte").drips(&many)),
        case("of all kinds")
            .sends(
                get("/short")
                    + &get("/nowhere")
                    + &post("/echo", "application/json", "[1]")
                    + &get("/long")
                    + &seen(5),
            )
            .gets(200)
            .saying("\"short\"")
            .gets(404)
            .gets(200)
            .saying("[1]")
            .gets(200)
            .naming("line 199")
            .gets(200)
            .saying("\"5\""),
        case("a HEAD between")
            .sends(get("/short") + &asking("HEAD /long HTTP/1.1", "") + &seen(6))
            .gets(200)
            .gets_bare(200)
            .gets(200)
            .saying("\"6\""),
        case("a slow one before a quick one")
            .sends(get("/huge") + &get("/short"))
            .gets(200)
            .naming("to its end end")
            .gets(200)
            .saying("\"short\""),
        case("parted in the middle of the second")
            .sends(&both[..middle])
            .gets(200)
            .gets_nothing()
            .sends(&both[middle..])
            .gets(404),
        case("empty lines between")
            .sends(get("/short") + "\r\n\r\n" + &get("/short"))
            .gets(200)
            .gets(200),
        case("bodies parted from their heads")
            .sends(&post("/echo", "text/plain", "hello")[..])
            .gets(200)
            .saying("\"hello\"")
            .sends(asking(
                "POST /echo HTTP/1.1",
                "Content-Type: text/plain\r\nContent-Length: 5\r\n",
            ))
            .gets_nothing()
            .sends("wor")
            .gets_nothing()
            .sends("ld".to_owned() + &get("/short"))
            .gets(200)
            .saying("\"world\"")
            .gets(200),
        case("a body that looks like a request")
            .sends(post("/echo", "text/plain", "GET /hidden HTTP/1.1\r\n\r\n"))
            .gets(200)
            .saying("\"GET /hidden HTTP/1.1\\r\\n\\r\\n\""),
    ]
}

fn until_the_end() -> Vec<Case> {
    let last = |headers: &str| asking("GET /short HTTP/1.1", headers) + &get("/hidden");
    vec![
        case("after one that closes")
            .sends(last("Connection: close\r\n"))
            .gets(200)
            .closes(),
        case("after one that closes, in another case")
            .sends(last("connection: CLOSE\r\n"))
            .gets(200)
            .closes(),
        case("after one that closes, among others")
            .sends(last("Connection: x, close\r\n"))
            .gets(200)
            .closes(),
        case("after one of HTTP/1.0")
            .sends(asking("GET /short HTTP/1.0", "") + &get("/hidden"))
            .gets(200)
            .closes(),
        case("after one that is wrong")
            .sends(get("/short") + "GET /\r\n\r\n" + &get("/hidden"))
            .gets(200)
            .gets(400)
            .closes(),
        case("after a foreign host")
            .sends(get("/short").replace("{host}", "evil.example") + &get("/hidden"))
            .gets(421)
            .closes(),
        case("junk behind a body")
            .sends(post("/echo", "text/plain", "hello") + "junk\r\n\r\n" + &get("/hidden"))
            .gets(200)
            .gets(400)
            .closes(),
    ]
}

fn expecting() -> Vec<Case> {
    let head = |length: usize, expected: &str| {
        let headers = format!(
            "Content-Type: text/plain\r\nContent-Length: {length}\r\nExpect: {expected}\r\n"
        );
        asking("POST /echo HTTP/1.1", &headers)
    };
    vec![
        case("the body is let in")
            .sends(head(5, "100-continue"))
            .gets(100)
            .sends("hello")
            .gets(200)
            .saying("\"hello\""),
        case("in another case")
            .sends(head(5, "100-Continue"))
            .gets(100)
            .sends("hello")
            .gets(200),
        case("the body comes without leave")
            .sends(head(5, "100-continue") + "hello")
            .gets(100)
            .gets(200)
            .saying("\"hello\""),
        refused(
            "a body that is too big is not let in",
            head(10 << 20, "100-continue"),
            413,
        ),
        refused(
            "nor one of a foreign host",
            head(5, "100-continue").replace("{host}", "evil.example"),
            421,
        ),
        refused(
            "nor one that nobody takes",
            head(5, "100-continue").replace("/echo", "/nowhere"),
            404,
        ),
        // A server may refuse it, or do without (RFC 9110, 10.1.1).
        case("an unknown expectation")
            .sends(head(5, "miracles") + "hello")
            .gets(200),
        case("of HTTP/1.0, which knows none")
            .sends((head(5, "100-continue") + "hello").replace("HTTP/1.1", "HTTP/1.0"))
            .gets(200)
            .saying("\"hello\"")
            .closes(),
    ]
}
