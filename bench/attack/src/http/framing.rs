//! Where a body ends (RFC 9112, 6 and 7): lengths, chunks, and both at once. Here because two servers that disagree about it let one
//! request hide in another. Must stay true: what is hidden behind a doubtful end is never answered.

use super::case::{Case, answered, asking, case, get, refused};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = lengths();
    cases.extend(encodings());
    cases.extend(both());
    cases.extend(chunks());
    cases.extend(bad_chunks());
    cases.extend(endings());
    cases
}

/// A `POST /echo` with these header lines and what follows them.
fn echo(headers: &str, body: &str) -> String {
    let headers = format!("Content-Type: text/plain\r\n{headers}");
    asking("POST /echo HTTP/1.1", &headers) + body
}

/// A request that must never be answered.
fn hidden() -> String {
    get("/hidden")
}

fn lengths() -> Vec<Case> {
    let of = |length: &str| echo(&format!("Content-Length: {length}\r\n"), "hello");
    let bad = [
        "+5", "-5", "-0", "5 5", "5,5", "5, 5", "5, 6", "0x5", "5.0", "5e0", "five", "5a",
        "\u{665}", "'5'", "5;", "", "5\t5",
    ];
    let mut cases: Vec<Case> = bad
        .iter()
        .map(|length| refused(format!("length {length:?}"), of(length) + &hidden(), 400))
        .collect();
    cases.extend([
        answered("a length", of("5"), 200).saying("\"hello\""),
        answered("blanks around a length", of("  5 \t"), 200).saying("\"hello\""),
        answered("zeros before a length", of("0005"), 200).saying("\"hello\""),
        answered(
            "a length of nothing",
            echo("Content-Length: 0\r\n", ""),
            200,
        )
        .saying("{}"),
        answered("no length", echo("", ""), 200).saying("{}"),
        refused(
            "two lengths",
            echo("Content-Length: 5\r\nContent-Length: 6\r\n", "hello") + &hidden(),
            400,
        ),
        refused(
            "two lengths, the second one 0",
            echo("Content-Length: 5\r\nContent-Length: 0\r\n", "hello"),
            400,
        ),
        answered(
            "the same length twice",
            echo("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
            200,
        )
        .saying("\"hello\""),
        refused("a length of 2^64 - 1", of("18446744073709551615"), 431),
        refused("a length of 2^64", of("18446744073709551616"), 400),
        refused("a length of 2^64 + 5", of("18446744073709551621"), 400),
        refused(
            "a length of 30 digits",
            of("999999999999999999999999999999"),
            400,
        ),
        refused("a length of 2^63", of("9223372036854775808"), 413),
        refused("a gigabyte announced", of("1073741824"), 413),
        case("a GET with a body")
            .sends(asking("GET /still-here HTTP/1.1", "Content-Length: 5\r\n") + "hello")
            .gets(200),
    ]);
    cases
}

fn encodings() -> Vec<Case> {
    let by = |line: &str| echo(&format!("{line}\r\n"), "5\r\nhello\r\n0\r\n\r\n");
    let bad = [
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunkedx",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding:",
        "Transfer-Encoding: ,",
        "Transfer-Encoding: chunked;q=1",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: 'chunked'",
        "Transfer-Encoding: chunk ed",
        "Transfer-Encoding: chunked\u{b}",
        "Transfer-Encoding: \u{b}chunked",
        "Transfer-Encoding: chunked\0",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding\t: chunked",
        " Transfer-Encoding: chunked",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    ];
    let mut cases: Vec<Case> = bad
        .iter()
        .map(|line| refused(format!("{line:?}"), by(line) + &hidden(), 400))
        .collect();
    let good =
        |name: &str, line: &str| refused(name, by(line) + &hidden(), 200).saying("\"hello\"");
    cases.extend([
        good("in chunks", "Transfer-Encoding: chunked"),
        good("in chunks, in capitals", "TRANSFER-ENCODING: CHUNKED"),
        good("in chunks, with blanks", "Transfer-Encoding: \t chunked \t"),
        answered(
            "a name that only looks like it",
            echo(
                "Transfer_Encoding: chunked\r\nContent-Length: 5\r\n",
                "hello",
            ),
            200,
        )
        .saying("\"hello\""),
        refused(
            "in chunks, HTTP/1.0",
            by("Transfer-Encoding: chunked").replace("HTTP/1.1", "HTTP/1.0"),
            400,
        ),
    ]);
    cases
}

/// With both lengths told the chunks count (RFC 9112, 6.3), and the connection ends, because somebody before us may have gone by
/// the other.
fn both() -> Vec<Case> {
    let both = |first: &str, second: &str, body: &str| {
        echo(&format!("{first}\r\n{second}\r\n"), body) + &hidden()
    };
    let (chunked, chunks) = ("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n");
    let answered = |name: &str, request: String| refused(name, request, 200).saying("\"hello\"");
    vec![
        answered(
            "length, then chunks",
            both("Content-Length: 5", chunked, chunks),
        ),
        answered(
            "chunks, then length",
            both(chunked, "Content-Length: 5", chunks),
        ),
        answered(
            "a length of nothing, and chunks",
            both("Content-Length: 0", chunked, chunks),
        ),
        answered(
            "the length of all chunks, and chunks",
            both("Content-Length: 15", chunked, chunks),
        ),
        refused(
            "a wrong length, and chunks",
            both("Content-Length: x", chunked, chunks),
            400,
        ),
        refused(
            "two lengths, and chunks",
            both("Content-Length: 5\r\nContent-Length: 6", chunked, chunks),
            400,
        ),
        refused(
            "a length, and an unknown encoding",
            both("Content-Length: 5", "Transfer-Encoding: xchunked", "hello"),
            400,
        ),
        refused(
            "an end that hides a request",
            both("Content-Length: 6", chunked, "0\r\n\r\n"),
            200,
        )
        .saying("{}"),
    ]
}

fn chunked(body: &str) -> String {
    echo("Transfer-Encoding: chunked\r\n", body)
}

fn chunks() -> Vec<Case> {
    let hello =
        |name: &str, body: &str| refused(name, chunked(body) + &hidden(), 200).saying("\"hello\"");
    let long = "x".repeat(1000);
    vec![
        hello("one chunk", "5\r\nhello\r\n0\r\n\r\n"),
        hello(
            "five chunks",
            "1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n1\r\nl\r\n1\r\no\r\n0\r\n\r\n",
        ),
        hello("zeros before a size", "00005\r\nhello\r\n0000\r\n\r\n"),
        hello(
            "a chunk with an extension",
            "5;name=value\r\nhello\r\n0\r\n\r\n",
        ),
        hello(
            "an extension in quotes",
            "5;name=\"a;b\"\r\nhello\r\n0;end\r\n\r\n",
        ),
        hello(
            "an extension of a thousand bytes",
            &format!("5;{long}\r\nhello\r\n0\r\n\r\n"),
        ),
        hello("a blank behind the size", "5 \r\nhello\r\n0\r\n\r\n"),
        hello("a trailer", "5\r\nhello\r\n0\r\nX-Told: late\r\n\r\n"),
        hello(
            "a length in the trailer",
            "5\r\nhello\r\n0\r\nContent-Length: 100\r\n\r\n",
        ),
        hello(
            "a host in the trailer",
            "5\r\nhello\r\n0\r\nHost: evil.example\r\n\r\n",
        ),
        refused("no chunk at all", chunked("0\r\n\r\n") + &hidden(), 200).saying("{}"),
        refused(
            "a size in small letters",
            chunked(&format!("a\r\n{}\r\n0\r\n\r\n", "b".repeat(10))),
            200,
        )
        .saying("\"bbbbbbbbbb\""),
        refused(
            "a size in capitals",
            chunked(&format!("A\r\n{}\r\n0\r\n\r\n", "b".repeat(10))),
            200,
        )
        .saying("\"bbbbbbbbbb\""),
        case("chunks byte by byte")
            .drips(chunked("5;x\r\nhello\r\n0\r\n\r\n"))
            .gets(200)
            .saying("\"hello\"")
            .closes(),
    ]
}

fn bad_chunks() -> Vec<Case> {
    let long = "x".repeat(100_000);
    let trailers: String = (0..2000).map(|n| format!("X-{n}: 1\r\n")).collect();
    let rows = [
        ("a size with a plus", "+5\r\nhello\r\n0\r\n\r\n".to_owned()),
        ("a size with a minus", "-5\r\nhello\r\n0\r\n\r\n".to_owned()),
        ("a size with 0x", "0x5\r\nhello\r\n0\r\n\r\n".to_owned()),
        ("a size of no digits", "\r\nhello\r\n0\r\n\r\n".to_owned()),
        ("a size of letters", "five\r\nhello\r\n0\r\n\r\n".to_owned()),
        ("a size with g", "5g\r\nhello\r\n0\r\n\r\n".to_owned()),
        (
            "a size with a blank inside",
            "0 5\r\nhello\r\n0\r\n\r\n".to_owned(),
        ),
        (
            "a size with a blank before",
            " 5\r\nhello\r\n0\r\n\r\n".to_owned(),
        ),
        (
            "a size of 2^64",
            "10000000000000000\r\nhello\r\n0\r\n\r\n".to_owned(),
        ),
        (
            "a size of 2^64 + 5",
            "10000000000000005\r\nhello\r\n0\r\n\r\n".to_owned(),
        ),
        (
            "a size of 100 digits",
            format!("{}\r\nhello\r\n0\r\n\r\n", "F".repeat(100)),
        ),
        ("LF alone behind a size", "5\nhello\r\n0\r\n\r\n".to_owned()),
        ("CR alone behind a size", "5\rhello\r\n0\r\n\r\n".to_owned()),
        (
            "an extension with LF alone",
            "5;a\nhello\r\n0\r\n\r\n".to_owned(),
        ),
        (
            "a chunk longer than its size",
            "5\r\nhello you\r\n0\r\n\r\n".to_owned(),
        ),
        (
            "a chunk shorter than its size",
            "6\r\nhello\r\n0\r\n\r\n".to_owned(),
        ),
        (
            "no line end behind a chunk",
            "5\r\nhello0\r\n\r\n".to_owned(),
        ),
        (
            "LF alone behind a chunk",
            "5\r\nhello\n0\r\n\r\n".to_owned(),
        ),
        (
            "an extension of 100,000 bytes",
            format!("5;{long}\r\nhello\r\n0\r\n\r\n"),
        ),
        (
            "a thousand extensions together too long",
            format!("1;{}\r\na\r\n", "x".repeat(90)).repeat(1000),
        ),
        (
            "a trailer of 100,000 bytes",
            format!("5\r\nhello\r\n0\r\nX-Long: {long}\r\n\r\n"),
        ),
        (
            "two thousand trailers",
            format!("5\r\nhello\r\n0\r\n{trailers}\r\n"),
        ),
        (
            "a trailer that is none",
            "5\r\nhello\r\n0\r\nno colon here\r\n\r\n".to_owned(),
        ),
    ];
    rows.iter()
        .map(|(name, body)| refused(*name, chunked(body) + &hidden(), 400))
        .collect()
}

/// Bodies that end before their end.
fn endings() -> Vec<Case> {
    let cut =
        |name: &str, request: String| case(name).sends(request).half_closes().gets(400).closes();
    vec![
        cut("a body cut off", echo("Content-Length: 50\r\n", "hello")),
        cut("a body that never comes", echo("Content-Length: 5\r\n", "")),
        cut("a chunk cut off", chunked("50\r\nhello")),
        cut("chunks without the last one", chunked("5\r\nhello\r\n")),
        cut(
            "chunks without the last line",
            chunked("5\r\nhello\r\n0\r\n"),
        ),
        cut("a size cut off", chunked("5")),
    ]
}
