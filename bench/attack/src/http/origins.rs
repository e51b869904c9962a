//! Requests that another site makes a visitor's browser send. Must stay true: what can change something is refused by where it comes
//! from, whatever it says of its content.

use super::case::{Case, asking, case};

/// Where a request says that it comes from.
const STRANGERS: &[&str] = &[
    "Origin: http://evil.example",
    "Origin: https://evil.example",
    "Origin: null",
    "Origin:",
    "Origin: http://{host}.evil.example",
    "Origin: http://{host}0",
    "Origin: http://127.0.0.1:1",
    "Origin: http://127.0.0.1",
    "Origin: http://{host}@evil.example",
    "Origin: http://x@{host}",
    "Origin: http://{host}/",
    "Origin: {host}",
    "Origin: HTTP://{host}",
    "Origin: http://{host} http://{host}",
    "Origin: http://{host}\r\nOrigin: http://evil.example",
    "Origin: http://evil.example\r\nX-Forwarded-Host: evil.example",
    "Sec-Fetch-Site: cross-site",
    "Sec-Fetch-Site: same-site",
    "Sec-Fetch-Site: SAME-ORIGIN",
    "Sec-Fetch-Site:",
    "Sec-Fetch-Site: cross-site\r\nOrigin: http://{host}",
    "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site",
];

const FRIENDS: &[&str] = &[
    "X-Nothing: no browser",
    "Origin: http://{host}",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Site: none",
    "Sec-Fetch-Site: same-origin\r\nOrigin: null",
    "Sec-Fetch-Site: same-origin\r\nOrigin: http://{host}",
];

const KINDS: &[&str] = &[
    "text/plain",
    "Text/Plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-8",
    "",
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for stranger in STRANGERS {
        for path in ["/_action", "/_render", "/echo", "/nowhere"] {
            cases.push(refused(path, stranger, "application/json"));
        }
    }
    for kind in KINDS {
        cases.push(refused("/echo", "Origin: null", kind));
        cases.push(refused("/_action", "Sec-Fetch-Site: cross-site", kind));
    }
    for method in ["PUT", "DELETE", "PATCH", "FLY"] {
        let request = asking(
            &format!("{method} /echo HTTP/1.1"),
            "Origin: http://evil.example\r\n",
        );
        cases.push(
            case(format!("{method} from another site"))
                .sends(request)
                .gets(403)
                .closes(),
        );
    }
    for friend in FRIENDS {
        let headers =
            format!("{friend}\r\nContent-Type: application/json\r\nContent-Length: 3\r\n");
        let request = asking("POST /echo HTTP/1.1", &headers) + "[1]";
        cases.push(
            case(format!("let in: {friend:?}"))
                .sends(request)
                .gets(200)
                .saying("[1]"),
        );
    }
    for stranger in STRANGERS {
        let request = asking("GET /still-here HTTP/1.1", &format!("{stranger}\r\n"));
        cases.push(
            case(format!("may read: {stranger:?}"))
                .sends(request)
                .gets(200),
        );
    }
    cases
}

fn refused(path: &str, from: &str, kind: &str) -> Case {
    let body = "{\"_action\":\"add\"}";
    let headers = format!(
        "{from}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n",
        body.len()
    );
    let request = asking(&format!("POST {path} HTTP/1.1"), &headers) + body;
    case(format!("{path} of kind {kind:?}, {from:?}"))
        .sends(request)
        .gets(403)
        .closes()
}
