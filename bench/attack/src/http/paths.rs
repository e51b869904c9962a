//! Paths (RFC 3986, 3.3 and 6.2.2): decoded once, never climbing, never a file that is not the program's. Must stay true: what a path cannot
//! mean is 400, what it does not lead to 404.

use super::case::{Case, answered, case, get, refused};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = climbing();
    cases.extend(not_found());
    cases.extend(decoded());
    cases.extend(queries());
    cases.extend(redirects());
    cases
}

/// Refused before anything is looked for.
fn climbing() -> Vec<Case> {
    let paths = [
        "/..",
        "/../",
        "/../../../../etc/passwd",
        "/./",
        "/.",
        "/img/../site.css",
        "/img/./logo.svg",
        "/%2e%2e/",
        "/%2E%2e/etc/passwd",
        "/%2e/site.css",
        "/.%2e/site.css",
        "/%2e./site.css",
        "/img/%2e%2e/site.css",
        "/..\\..\\etc\\passwd",
        "/%5c..%5cetc",
        "/img\\logo.svg",
        "/img%5clogo.svg",
        "/site.css%00",
        "/site.css%00.txt",
        "/%00",
        "/a%0d%0aX-Told:%20a",
        "/a%0a",
        "/a%09b",
        "/%7f",
        "/%01",
        "/%c0%ae%c0%ae/etc/passwd",
        "/%c0%afetc",
        "/%e0%80%ae",
        "/%ff",
        "/%c3%28",
        "/%ed%a0%80",
        "/%u002e%u002e/\u{ff}",
        "/_flin/../site.css",
        "/_flin/%2e%2e/site.css",
        "/seen/..",
        "/seen/%2e%2e",
        "/rest/a/../b",
        "/rest/a/..",
        "/rest/%c2%80",
    ];
    let refused = |path: &&str| {
        // The one that cannot be written in a case as it goes over the wire.
        let request: Vec<u8> = get(path).chars().map(|sign| sign as u8).collect();
        refused(path.escape_debug().to_string(), request, 400)
    };
    paths.iter().map(refused).collect()
}

fn not_found() -> Vec<Case> {
    let paths = [
        "/nowhere",
        "/etc/passwd",
        "/%2fetc%2fpasswd",
        "//etc/passwd",
        "/site.css/x",
        "/site.css%20",
        "/Site.css",
        "/SITE.CSS",
        "/img",
        "/img//logo.svg",
        "//img/logo.svg",
        "/img%2flogo.svg",
        "/img/logo.svg%2f",
        "/public/site.css",
        "/app/index.flin",
        "/index.flin",
        "/entities/note.flin",
        "/data",
        "/data/page.key",
        "/.flindb",
        "/.flindb/page.key",
        "/.git/config",
        "/.env",
        "/flin.config",
        "/%252e%252e/etc/passwd",
        "/..%252f",
        "/...",
        "/..%2f..",
        "/.%2f",
        "/seen/a/b",
        "/seen",
        "/still-here/x",
        "/site.css;a=b",
        "/site.css~",
        "/CON",
        "/nul",
        "/%20",
        "/%3Cscript%3E",
        "/_flin/",
        "/_flin",
        "/_flin/runtime-0000.js",
        "/_flin/health/x",
        "/_flin/page.key",
        "/_",
        "/_action/x",
        "/wp-login.php",
        "/cgi-bin/.%252e/bin/sh",
        "/%2e%2e%2f%2e%2e%2f",
    ];
    paths
        .iter()
        .map(|path| answered(*path, get(path), 404))
        .collect()
}

fn decoded() -> Vec<Case> {
    let part = |path: &str, part: &str| {
        answered(format!("{path} is one part"), get(path), 200)
            .saying(&format!("{{\"part\":\"{part}\",\"query\":{{}}}}"))
    };
    let rest = |path: &str, rest: &str| {
        answered(format!("{path} is a rest"), get(path), 200).saying(&format!("\"{rest}\""))
    };
    vec![
        part("/seen/plain", "plain"),
        part("/seen/%70lain", "plain"),
        part("/seen/a%2Fb", "a/b"),
        part("/seen/a%252Fb", "a%2Fb"),
        part("/seen/a%2520b", "a%20b"),
        part("/seen/a+b", "a+b"),
        part("/seen/a%20b", "a b"),
        part("/seen/%E2%82%AC", "\u{20ac}"),
        part("/seen/%e2%82%ac", "\u{20ac}"),
        part("/seen/%F0%9F%A6%80", "\u{1f980}"),
        part("/seen/...", "..."),
        part("/seen/..a", "..a"),
        part("/seen/a%3Fb%23c", "a?b#c"),
        part("/seen/%22", "\\\""),
        part("/seen/%3Cb%3E", "<b>"),
        part("/seen/100%", "100%"),
        part("/seen/%zz", "%zz"),
        part("/seen/%4", "%4"),
        rest("/rest/a/b/c", "a/b/c"),
        rest("/rest/a%2Fb", "a/b"),
        rest("/rest/..a/b", "..a/b"),
        case("the file of a coded path")
            .sends(get("/%73ite.css"))
            .gets(200)
            .with("content-type", "text/css; charset=utf-8"),
    ]
}

fn queries() -> Vec<Case> {
    let seen = |query: &str, found: &str| {
        let path = format!("/seen/q?{query}");
        answered(format!("the query {query:?}"), get(&path), 200)
            .saying(&format!("{{\"part\":\"q\",\"query\":{found}}}"))
    };
    let many: String = (0..1500).map(|n| format!("a{n}=1&")).collect();
    vec![
        seen("a=1", "{\"a\":\"1\"}"),
        seen("a=%2F%2e%2e", "{\"a\":\"/..\"}"),
        seen("a+b=c+d", "{\"a b\":\"c d\"}"),
        seen("a", "{\"a\":\"\"}"),
        seen("=a", "{\"\":\"a\"}"),
        seen("&&&", "{}"),
        seen("a=%", "{\"a\":\"%\"}"),
        seen("a=%zz", "{\"a\":\"%zz\"}"),
        seen("a=%ff", "{\"a\":\"\u{fffd}\"}"),
        seen("a=%00", "{\"a\":\"\\u0000\"}"),
        seen("a=1&a=2", "{\"a\":\"2\"}"),
        seen("__proto__=1", "{\"__proto__\":\"1\"}"),
        seen("a[b]=1", "{\"a[b]\":\"1\"}"),
        answered(
            "a query of 1,500 names",
            get(&format!("/seen/q?{many}")),
            200,
        )
        .naming("\"a1499\":\"1\""),
    ]
}

/// What a visitor sends never becomes a header of its own.
fn redirects() -> Vec<Case> {
    let to = |to: &str| get(&format!("/go?to={to}"));
    vec![
        case("a path to go to")
            .sends(to("/short"))
            .gets(303)
            .with("location", "/short"),
        case("a path with signs")
            .sends(to("/a%20b%22%3C"))
            .gets(303)
            .with("location", "/a%20b%22%3C"),
        case("a path with a line end")
            .sends(to("/a%0d%0aX-Told:%20yes"))
            .gets(500)
            .without("x-told")
            .without("location"),
        case("a header with a line end")
            .sends(get("/told?value=a%0d%0aX-More:%20b"))
            .gets(200)
            .without("x-told")
            .without("x-more"),
        case("a header with NUL")
            .sends(get("/told?value=a%00"))
            .gets(200)
            .without("x-told"),
        case("a path with a slash too many")
            .sends(get("/short/"))
            .gets(308)
            .with("location", "/short"),
        case("two slashes are no host")
            .sends(get("//evil.example/"))
            .gets(404)
            .without("location"),
        case("a backslash is no host")
            .sends(get("/%5cevil.example/"))
            .gets(400)
            .without("location")
            .closes(),
    ]
}
