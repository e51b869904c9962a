//! What a page can be asked for: the handlers of its own view with arguments of their types, the state that its browser can change,
//! and nothing else. Must stay true: after each refused case nothing was written.

use super::case::{Case, asking, case, get, post};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = names();
    cases.extend(numbers());
    cases.extend(arguments());
    cases.extend(states());
    cases.extend(pages());
    cases.extend(by_get());
    cases
}

/// An action that is refused, and that wrote nothing.
fn refused(name: &str, wish: &str, status: u16, kind: &str) -> Case {
    case(name)
        .sends(post("/_action", "application/json", wish))
        .gets(status)
        .naming(&format!(
            "{{\"type\":\"error\",\"error\":{{\"kind\":\"{kind}\""
        ))
        .sends(get("/count"))
        .gets(200)
        .saying("0")
}

/// Names that are no handler's of the first page, among them functions of the program and of the language.
fn names() -> Vec<Case> {
    let names = [
        "erase_everything",
        "more",
        "say",
        "keep",
        "nothing",
        "Add",
        "ADD",
        " add",
        "add ",
        "add()",
        "add(1)",
        "add;erase_everything",
        "add\\nadd",
        "view",
        "view /",
        "init draft",
        "main",
        "",
        " ",
        "Note",
        "Note.all",
        "save",
        "delete",
        "destroy",
        "print",
        "redirect",
        "raw",
        "draft",
        "shout",
        "GET",
        "GET /erase",
        "__proto__",
        "constructor",
        "toString",
        "_action",
        "add\\u0000",
        "../add",
        "${add}",
        "{add}",
        "\\u0430dd",
        "*",
        "%61dd",
        "function",
    ];
    let long = "a".repeat(100_000);
    let mut cases: Vec<Case> = names
        .iter()
        .map(|name| {
            let wish = format!("{{\"_action\":\"{name}\",\"_args\":[]}}");
            refused(&format!("the name {name:?}"), &wish, 404, "UnknownAction")
        })
        .collect();
    cases.push(refused(
        "a name of 100,000 letters",
        &format!("{{\"_action\":\"{long}\"}}"),
        404,
        "UnknownAction",
    ));
    cases
}

fn numbers() -> Vec<Case> {
    let numbers = [
        "#",
        "#3",
        "#99",
        "#-1",
        "#0.5",
        "#1e0",
        "#0x0",
        "#+0",
        "# 0",
        "#00000000000000000003",
        "#4294967295",
        "#18446744073709551615",
        "#18446744073709551616",
        "##0",
        "0",
    ];
    let wish = |number: &str| format!("{{\"_action\":\"{number}\",\"_args\":[]}}");
    numbers
        .iter()
        .map(|number| {
            refused(
                &format!("the number {number:?}"),
                &wish(number),
                404,
                "UnknownAction",
            )
        })
        .collect()
}

fn arguments() -> Vec<Case> {
    let note = |id: &str| format!("{{\"_entity\":true,\"type\":\"Note\",\"id\":{id}}}");
    let bad = |name: &str, action: &str, args: &str| {
        let wish = format!("{{\"_action\":\"{action}\",\"_args\":{args}}}");
        refused(&format!("arguments: {name}"), &wish, 400, "BadRequest")
    };
    let gone = |name: &str, args: &str| {
        let wish = format!("{{\"_action\":\"remove\",\"_args\":{args}}}");
        refused(&format!("arguments: {name}"), &wish, 404, "NotFound")
    };
    vec![
        bad("too few", "remove", "[]"),
        bad("too many", "add", "[1]"),
        bad(
            "too many of the right kind",
            "remove",
            &format!("[{0},{0}]", note("1")),
        ),
        bad("a number for a record", "remove", "[1]"),
        bad("a text for a record", "remove", "[\"1\"]"),
        bad("nothing for a record", "remove", "[null]"),
        bad("a list for a record", "remove", "[[1]]"),
        bad("an object that is no record", "remove", "[{\"id\":1}]"),
        bad(
            "a record of another type",
            "remove",
            "[{\"_entity\":true,\"type\":\"User\",\"id\":1}]",
        ),
        bad(
            "a record without its type",
            "remove",
            "[{\"_entity\":true,\"id\":1}]",
        ),
        bad(
            "a record without its number",
            "remove",
            "[{\"_entity\":true,\"type\":\"Note\"}]",
        ),
        bad(
            "a record by a text",
            "remove",
            &format!("[{}]", note("\"1 or 1\"")),
        ),
        bad(
            "a record by half a number",
            "remove",
            &format!("[{}]", note("0.5")),
        ),
        bad(
            "a record by an object",
            "remove",
            &format!("[{}]", note("{\"$ne\":null}")),
        ),
        gone("a record that is not there", &format!("[{}]", note("99"))),
        gone("record 0", &format!("[{}]", note("0"))),
        gone("a record below 0", &format!("[{}]", note("-1"))),
        gone(
            "the greatest record",
            &format!("[{}]", note("9223372036854775807")),
        ),
        bad(
            "another text than the one in the view",
            "mark",
            &format!("[{},\"blue\"]", note("1")),
        ),
        bad(
            "another kind than the text in the view",
            "mark",
            &format!("[{},5]", note("1")),
        ),
    ]
}

/// State that the page's browser cannot change, or not so.
fn states() -> Vec<Case> {
    let bad = |name: &str, state: &str| {
        let wish = format!("{{\"_action\":\"add\",\"_args\":[],\"_state\":{state}}}");
        refused(&format!("state: {name}"), &wish, 400, "BadRequest")
    };
    let names = [
        "shout",
        "count",
        "s",
        "chosen",
        "items",
        "note",
        "Note",
        "color",
        "text",
        "params",
        "query",
        "body",
        "headers",
        "request",
        "session",
        "user",
        "_page",
        "_token",
        "__proto__",
        "constructor",
        "prototype",
        "Draft",
        " draft",
        "draft ",
        "",
        "draft.x",
        "draft.__proto__",
        "draft[0]",
        "\\u0000",
    ];
    let values = [
        "5",
        "1.5",
        "true",
        "[]",
        "[\"a\"]",
        "{}",
        "{\"a\":1}",
        "null",
        "{\"_entity\":true,\"type\":\"Note\",\"id\":1}",
        "{\"_time\":\"2026-01-01T00:00:00Z\"}",
        "{\"_int\":\"5\"}",
    ];
    let names = names.map(|name| bad(&format!("{name:?}"), &format!("{{\"{name}\":\"x\"}}")));
    let values = values.map(|value| {
        bad(
            &format!("draft is {value}"),
            &format!("{{\"draft\":{value}}}"),
        )
    });
    names.into_iter().chain(values).collect()
}

fn pages() -> Vec<Case> {
    let of = |page: &str, action: &str| {
        format!("{{\"_action\":\"{action}\",\"_args\":[],\"_page\":\"{page}\"}}")
    };
    let unknown = |page: &str| {
        refused(
            &format!("the page {page:?}"),
            &of(page, "add"),
            404,
            "UnknownPage",
        )
    };
    let mut cases: Vec<Case> = [
        "/nowhere",
        "/../",
        "//",
        "/still-here",
        "/_flin/",
        "http://evil.example/nowhere",
        "other",
        "/other/",
    ]
    .iter()
    .map(|page| unknown(page))
    .collect();
    cases.push(refused(
        "a handler of the first page on another one",
        &of("/other", "add"),
        404,
        "UnknownAction",
    ));
    cases.push(
        case("a handler of the other page there")
            .sends(post("/_action", "application/json", &of("/other", "more")))
            .gets(200)
            .saying("{\"type\":\"ok\"}"),
    );
    cases.push(
        case("the page of the referer counts, and only as a page")
            .sends(
                asking("POST /_action HTTP/1.1", "Referer: http://evil.example/other\r\nContent-Type: application/json\r\nContent-Length: 18\r\n")
                    + "{\"_action\":\"more\"}",
            )
            .gets(200)
            .saying("{\"type\":\"ok\"}"),
    );
    cases
}

/// Looking changes nothing where another site makes a browser look.
fn by_get() -> Vec<Case> {
    let from = |site: &str| asking("GET /plant HTTP/1.1", &format!("{site}\r\n"));
    [
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
        "Origin: http://evil.example",
        "Origin: null",
    ]
    .iter()
    .map(|site| {
        case(format!("a GET that would write, {site}"))
            .sends(from(site))
            .gets(403)
            .sends(get("/count"))
            .gets(200)
            .saying("0")
    })
    .collect()
}
