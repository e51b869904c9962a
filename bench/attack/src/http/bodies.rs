//! Bodies: too big, no JSON, JSON that means harm, forms of junk. Must stay true: what cannot be read is 400 and never reaches the
//! program; what is too big is 413 before it is there.

use super::case::{Case, answered, asking, case, post, refused};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = sizes();
    cases.extend(depths());
    cases.extend(numbers());
    cases.extend(texts());
    cases.extend(documents());
    cases.extend(forms());
    cases.extend(kinds());
    cases.extend(actions());
    cases
}

/// The default of `limits.body`.
const MOST: usize = 1 << 20;

fn sizes() -> Vec<Case> {
    let text = |bytes: usize| post("/echo", "text/plain", &"a".repeat(bytes));
    let chunk = |bytes: usize| format!("{bytes:x}\r\n{}\r\n", "a".repeat(bytes));
    let chunked =
        |chunks: String| asking("POST /echo HTTP/1.1", "Transfer-Encoding: chunked\r\n") + &chunks;
    vec![
        answered("as big as allowed", text(MOST), 200),
        refused("one byte too big", text(MOST + 1), 413),
        refused("four times too big", text(4 * MOST), 413),
        refused(
            "too big, for nobody",
            text(MOST + 1).replace("/echo", "/nowhere"),
            404,
        ),
        refused(
            "too big, for a page",
            post("/_action", "application/json", &"a".repeat(MOST + 1)),
            413,
        ),
        refused(
            "in chunks, as big as allowed",
            chunked(chunk(MOST) + "0\r\n\r\n"),
            200,
        ),
        refused(
            "in chunks, one byte too big",
            chunked(chunk(MOST) + &chunk(1) + "0\r\n\r\n"),
            413,
        ),
        refused(
            "in chunks, without an end",
            chunked(chunk(100_000).repeat(20)),
            413,
        ),
        refused(
            "a chunk of a gigabyte, announced",
            chunked("40000000\r\naaaa".to_owned() + &chunk(MOST)),
            413,
        ),
    ]
}

fn json(name: &str, body: &str, status: u16) -> Case {
    answered(name, post("/echo", "application/json", body), status)
}

fn kept(name: &str, body: &str, told: &str) -> Case {
    json(name, body, 200).saying(told)
}

fn depths() -> Vec<Case> {
    let lists = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    vec![
        kept("lists 32 deep", &lists(32), &lists(32)),
        json("lists 33 deep", &lists(33), 400),
        json("lists 100,000 deep", &lists(100_000), 400),
        json("500,000 open lists", &"[".repeat(500_000), 400),
        kept("objects 32 deep", &objects(32), &objects(32)),
        json("objects 33 deep", &objects(33), 400),
        json("objects 50,000 deep", &objects(50_000), 400),
        json(
            "lists and objects in turns",
            &"[{\"a\":".repeat(40_000),
            400,
        ),
        json("500,000 closed lists", &"]".repeat(500_000), 400),
        json(
            "a list of 300,000 numbers",
            &format!("[{}0]", "0,".repeat(300_000)),
            200,
        ),
    ]
}

fn numbers() -> Vec<Case> {
    let long = "1".repeat(1000);
    let bad = [
        "01",
        "-",
        "+1",
        ".5",
        "5.",
        "1e",
        "1e+",
        "0x10",
        "1_000",
        "NaN",
        "Infinity",
        "-Infinity",
        "nan",
        "--1",
        "1.2.3",
        "1e999",
        "-1e999",
        "\u{661}",
        "0b1",
        "1n",
        "1,",
    ];
    let mut cases: Vec<Case> = bad
        .iter()
        .map(|number| json(&format!("the number {number}"), number, 400))
        .collect();
    cases.extend([
        kept("the number 0", "0", "0"),
        kept(
            "the greatest int",
            "9223372036854775807",
            "9223372036854775807",
        ),
        kept(
            "the least int",
            "-9223372036854775808",
            "-9223372036854775808",
        ),
        kept(
            "one more than the greatest int",
            "9223372036854775808",
            "9.223372036854776e18",
        ),
        kept(
            "30 digits",
            "123456789012345678901234567890",
            "1.2345678901234568e29",
        ),
        kept("a tiny number", "1e-400", "0.0"),
        kept("minus nothing", "-0.0", "-0.0"),
        json("a thousand digits", &long, 400),
        json(
            "a thousand digits behind the point",
            &format!("0.{long}"),
            200,
        ),
        json(
            "an exponent of a thousand digits",
            &format!("1e{long}"),
            400,
        ),
    ]);
    cases
}

fn texts() -> Vec<Case> {
    let raw = |name: &str, body: &[u8]| {
        let head = format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        );
        let request = [asking("POST /echo HTTP/1.1", &head).as_bytes(), body].concat();
        answered(name, request, 400)
    };
    vec![
        json("half a surrogate", "\"\\ud800\"", 400),
        json("the other half", "\"\\udc00\"", 400),
        json("the halves in the wrong order", "\"\\udc00\\ud800\"", 400),
        json("half a surrogate and a letter", "\"\\ud800x\"", 400),
        json("a surrogate and another code", "\"\\ud83d\\u0041\"", 400),
        kept("both halves", "\"\\ud83e\\udd80\"", "\"\u{1f980}\""),
        kept("NUL in code", "\"\\u0000\"", "\"\\u0000\""),
        json("NUL as it is", "\"\0\"", 400),
        json("a line end as it is", "\"\n\"", 400),
        json("a tab as it is", "\"\t\"", 400),
        json("an unknown escape", "\"\\x41\"", 400),
        json("half an escape", "\"\\u12\"", 400),
        json("an escape at the end", "\"\\", 400),
        json("no end", "\"abc", 400),
        json("single quotes", "'abc'", 400),
        raw("no UTF-8", b"\"\xff\""),
        raw("too long a form", b"\"\xc0\xaf\""),
        raw("a surrogate as it is", b"\"\xed\xa0\x80\""),
        raw("UTF-16", b"\xff\xfe\"\0a\0\"\0"),
        raw("a mark of order", b"\xef\xbb\xbf\"a\""),
        json(
            "900,000 letters",
            &format!("\"{}\"", "a".repeat(900_000)),
            200,
        ),
        json(
            "150,000 escapes",
            &format!("\"{}\"", "\\u0001".repeat(150_000)),
            200,
        ),
    ]
}

fn documents() -> Vec<Case> {
    let bad = [
        ("nothing but blanks", "   "),
        ("two values", "1 2"),
        ("a comma behind", "[1,]"),
        ("a comma behind an entry", "{\"a\":1,}"),
        ("no comma", "[1 2]"),
        ("a comment", "/* a */ 1"),
        ("a name without quotes", "{a:1}"),
        ("a name that is a number", "{1:1}"),
        ("no colon", "{\"a\" 1}"),
        ("a name twice", "{\"a\":1,\"a\":2}"),
        ("a name twice, once in code", "{\"a\":1,\"\\u0061\":2}"),
        ("a name twice, deep inside", "[{\"b\":{\"a\":1,\"a\":2}}]"),
        ("True", "True"),
        ("undefined", "undefined"),
        ("an open object", "{\"a\":1"),
        (
            "XML",
            "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
        ),
        ("YAML", "a: &a [x]\nb: *a"),
        ("a call", "alert(1)"),
        ("a guard", ")]}',\n{}"),
    ];
    let mut cases: Vec<Case> = bad
        .iter()
        .map(|(name, body)| json(name, body, 400))
        .collect();
    cases.extend([
        kept(
            "an inherited name",
            "{\"__proto__\":{\"a\":1},\"constructor\":2}",
            "{\"__proto__\":{\"a\":1},\"constructor\":2}",
        ),
        kept("an empty name", "{\"\":1}", "{\"\":1}"),
        kept(
            "blanks everywhere",
            " \t\r\n{ \"a\" : [ 1 , 2 ] } \r\n",
            "{\"a\":[1,2]}",
        ),
        kept("markup", "\"</script><b>&\"", "\"</script><b>&\""),
        kept("nothing", "null", "null"),
    ]);
    cases
}

fn forms() -> Vec<Case> {
    let form = |name: &str, body: &str, told: &str| {
        answered(
            name,
            post("/echo", "application/x-www-form-urlencoded", body),
            200,
        )
        .saying(told)
    };
    let many: String = (0..100_000).map(|n| format!("a{n}=&")).collect();
    vec![
        form(
            "a form",
            "a=1&b=two+words",
            "{\"a\":\"1\",\"b\":\"two words\"}",
        ),
        form("signs of a form alone", "&&&===&&", "{\"\":\"==\"}"),
        form(
            "percent signs alone",
            "a=%&b=%z&c=%4",
            "{\"a\":\"%\",\"b\":\"%z\",\"c\":\"%4\"}",
        ),
        form(
            "no UTF-8 in a form",
            "a=%ff%fe",
            "{\"a\":\"\u{fffd}\u{fffd}\"}",
        ),
        form("a name twice in a form", "a=1&a=2", "{\"a\":\"2\"}"),
        form("NUL in a form", "a=%00", "{\"a\":\"\\u0000\"}"),
        form(
            "brackets in a form",
            "a[b][c]=1&a[]=2",
            "{\"a[b][c]\":\"1\",\"a[]\":\"2\"}",
        ),
        form(
            "an inherited name in a form",
            "__proto__[a]=1",
            "{\"__proto__[a]\":\"1\"}",
        ),
        answered(
            "a form of 100,000 names",
            post("/echo", "application/x-www-form-urlencoded", &many),
            200,
        )
        .naming("\"a99999\":\"\""),
    ]
}

/// Whatever a body says to be, it is read as exactly one thing.
fn kinds() -> Vec<Case> {
    let of = |name: &str, kind: &str, body: &str, told: &str| {
        answered(name, post("/echo", kind, body), 200).saying(told)
    };
    let parts = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n";
    let told =
        "\"--x\\r\\nContent-Disposition: form-data; name=\\\"a\\\"\\r\\n\\r\\n1\\r\\n--x--\\r\\n\"";
    let packed = "\u{1f}\u{8b}\u{8}";
    vec![
        of(
            "JSON with parameters",
            "application/json; charset=utf-8; x=\"y\"",
            "[1]",
            "[1]",
        ),
        of("JSON in capitals", "APPLICATION/JSON", "[1]", "[1]"),
        of("JSON of a kind", "application/problem+json", "[1]", "[1]"),
        of("text that is JSON", "text/plain", "[1]", "\"[1]\""),
        of(
            "parts are text",
            "multipart/form-data; boundary=x",
            parts,
            told,
        ),
        of(
            "parts without a boundary are text",
            "multipart/form-data",
            parts,
            told,
        ),
        of("a kind that means nothing", ";;;///", "[1]", "\"[1]\""),
        of("an empty kind", "", "[1]", "\"[1]\""),
        answered(
            "two kinds",
            asking(
                "POST /echo HTTP/1.1",
                "Content-Type: text/plain\r\nContent-Type: application/json\r\nContent-Length: 3\r\n",
            ) + "[1]",
            200,
        ),
        answered(
            "a packed body is not unpacked",
            asking(
                "POST /echo HTTP/1.1",
                "Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n",
            ) + packed,
            400,
        ),
    ]
}

/// Actions of a page take the same JSON, and nothing but what they know.
fn actions() -> Vec<Case> {
    let bad = |name: &str, kind: &str, body: &str| {
        answered(
            format!("an action: {name}"),
            post("/_action", kind, body),
            400,
        )
        .naming("{\"type\":\"error\",\"error\":{\"kind\":\"BadRequest\"")
    };
    let json = "application/json";
    let deep = format!(
        "{{\"_action\":\"add\",\"_state\":{}{}}}",
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    vec![
        bad("nothing", json, ""),
        bad("no JSON", json, "hello"),
        bad("a list", json, "[]"),
        bad("no name", json, "{}"),
        bad("a name that is a number", json, "{\"_action\":5}"),
        bad(
            "a name twice",
            json,
            "{\"_action\":\"add\",\"_action\":\"add\"}",
        ),
        bad(
            "an unknown entry",
            json,
            "{\"_action\":\"add\",\"admin\":true}",
        ),
        bad(
            "arguments that are no list",
            json,
            "{\"_action\":\"add\",\"_args\":{}}",
        ),
        bad(
            "state that is no object",
            json,
            "{\"_action\":\"add\",\"_state\":[]}",
        ),
        bad(
            "state in text that is no JSON",
            json,
            "{\"_action\":\"add\",\"_state\":\"{\"}",
        ),
        bad("lists 50,000 deep", json, &deep),
        bad("half a surrogate", json, "{\"_action\":\"\\ud800\"}"),
        bad("parts", "multipart/form-data; boundary=x", "--x--"),
        bad("text", "text/plain", "{\"_action\":\"add\"}"),
        bad(
            "JSON that says to be a form",
            "application/x-www-form-urlencoded",
            "{\"_action\":\"add\"}",
        ),
        bad(
            "a form of junk",
            "application/x-www-form-urlencoded",
            "%%%&&&===",
        ),
        case("an action by GET")
            .sends(asking("GET /_action?_action=add HTTP/1.1", ""))
            .gets(405)
            .with("allow", "POST"),
    ]
}
