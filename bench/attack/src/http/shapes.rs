//! The same content in other shapes (RFC 9110, 8, 13 and 14): without its body, in parts, only if it changed, packed. Must stay true: what is
//! told of a content is true of the bytes that are sent.

use super::case::{Case, answered, asking, case, get};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = heads();
    cases.extend(parts());
    cases.extend(parts_if());
    cases.extend(tags());
    cases.extend(packed());
    cases
}

fn heads() -> Vec<Case> {
    let head = |path: &str| asking(&format!("HEAD {path} HTTP/1.1"), "");
    let like = |name: &str, path: &str, status: u16, length: &str| {
        case(format!("HEAD of {name}"))
            .sends(head(path))
            .gets_bare(status)
            .with("content-length", length)
    };
    vec![
        like("a route", "/short", 200, "7"),
        like("a file", "/digits.txt", 200, "36"),
        like("nothing", "/nowhere", 404, "34"),
        case("HEAD of a page")
            .sends(head("/"))
            .gets_bare(200)
            .with("content-type", "text/html; charset=utf-8"),
        case("HEAD of a part gets the whole")
            .sends(asking("HEAD /digits.txt HTTP/1.1", "Range: bytes=0-4\r\n"))
            .gets_bare(200)
            .with("content-length", "36"),
        case("HEAD with a body")
            .sends(asking("HEAD /short HTTP/1.1", "Content-Length: 5\r\n") + "hello")
            .gets_bare(200),
        case("HEAD of what only takes POST")
            .sends(head("/echo"))
            .gets_bare(405)
            .with("allow", "OPTIONS, POST, PUT"),
    ]
}

/// A request for a part of a file.
fn of(range: &str) -> String {
    asking("GET /digits.txt HTTP/1.1", &format!("Range: {range}\r\n"))
}

fn parts() -> Vec<Case> {
    let part = |range: &str, told: &str, body: &str| {
        answered(format!("part {range:?}"), of(range), 206)
            .with("content-range", &format!("bytes {told}/36"))
            .saying(body)
    };
    let beyond = |range: &str| {
        answered(
            format!("part {range:?}, which is not there"),
            of(range),
            416,
        )
        .with("content-range", "bytes */36")
    };
    let whole = |range: &str| {
        answered(
            format!("part {range:?}, which means nothing"),
            of(range),
            200,
        )
        .without("content-range")
        .saying("0123456789abcdefghijklmnopqrstuvwxyz")
    };
    let mut cases = vec![
        part("bytes=0-4", "0-4", "01234"),
        part("bytes=10-10", "10-10", "a"),
        part("bytes=30-", "30-35", "uvwxyz"),
        part("bytes=-3", "33-35", "xyz"),
        part("bytes=-100", "0-35", "0123456789abcdefghijklmnopqrstuvwxyz"),
        part("bytes=34-99999999999999999999999", "34-35", "yz"),
        part(
            "bytes=0-18446744073709551615",
            "0-35",
            "0123456789abcdefghijklmnopqrstuvwxyz",
        ),
        beyond("bytes=36-"),
        beyond("bytes=100-200"),
        beyond("bytes=-0"),
        beyond("bytes=18446744073709551615-"),
        beyond("bytes=99999999999999999999-99999999999999999999"),
    ];
    cases.extend(
        [
            "bytes=5-4",
            "bytes=0-1,3-4",
            "bytes=a-b",
            "bytes=--5",
            "bytes=",
            "bytes=-",
            "lines=0-4",
            "bytes 0-4",
            "0-4",
            "bytes=0x1-2",
            "bytes=+1-2",
        ]
        .iter()
        .map(|range| whole(range)),
    );
    cases
}

/// Parts that are asked for under conditions, and of what has none.
fn parts_if() -> Vec<Case> {
    let thousand = format!("bytes={}", "0-0,".repeat(2000));
    vec![
        answered("a thousand parts", of(&thousand), 200).without("content-range"),
        answered("two ranges", of("bytes=0-1\r\nRange: bytes=2-3"), 200).without("content-range"),
        answered(
            "a part of a packed file is of the file",
            of("bytes=0-4\r\nAccept-Encoding: br, gzip"),
            206,
        )
        .without("content-encoding")
        .saying("01234"),
        answered(
            "a part of a page is the page",
            asking("GET / HTTP/1.1", "Range: bytes=0-4\r\n"),
            200,
        )
        .naming("<html"),
        case("a part of the same content")
            .sends(get("/digits.txt"))
            .gets(200)
            .keeping_its_tag()
            .sends(of("bytes=0-4\r\nIf-Range: {tag}"))
            .gets(206)
            .saying("01234"),
        answered(
            "a part of another content",
            of("bytes=0-4\r\nIf-Range: \"other\""),
            200,
        )
        .without("content-range"),
        answered(
            "a part of a content by its time",
            of("bytes=0-4\r\nIf-Range: Sat, 29 Oct 1994 19:43:31 GMT"),
            200,
        ),
    ]
}

fn tags() -> Vec<Case> {
    let asked = |path: &str, tags: &str| {
        asking(
            &format!("GET {path} HTTP/1.1"),
            &format!("If-None-Match: {tags}\r\n"),
        )
    };
    let known = |name: &str, path: &str, tags: &str, status: u16| {
        case(format!("{path} {name}"))
            .sends(get(path))
            .gets(200)
            .keeping_its_tag()
            .sends(asked(path, tags))
            .gets(status)
    };
    let mut cases = Vec::new();
    for path in ["/digits.txt", "/"] {
        cases.extend([
            known("is known", path, "{tag}", 304),
            known("is known, by a weak tag", path, "W/{tag}", 304),
            known("is known among others", path, "\"a\", {tag}, \"b\"", 304),
            known("is known, whatever it is", path, "*", 304),
            known("is not known", path, "\"other\"", 200),
            known("is not known: no quotes", path, "other", 200),
            known("is not known: nothing", path, "", 200),
            known("is not known: junk", path, "\",,,\"\"W/W/\"", 200),
        ]);
    }
    cases.push(
        case("a packed page is known by the tag of the other")
            .sends(asking(
                "GET /site.css HTTP/1.1",
                "Accept-Encoding: gzip\r\n",
            ))
            .gets(200)
            .keeping_its_tag()
            .sends(asked("/site.css", "{tag}"))
            .gets(304),
    );
    cases
}

fn packed() -> Vec<Case> {
    let asked = |path: &str, accepted: &str| {
        asking(
            &format!("GET {path} HTTP/1.1"),
            &format!("Accept-Encoding: {accepted}\r\n"),
        )
    };
    let by = |accepted: &str, encoding: &str| {
        answered(
            format!("accepting {accepted:?}"),
            asked("/long", accepted),
            200,
        )
        .with("content-encoding", encoding)
        .with("vary", "accept-encoding")
    };
    let not = |accepted: &str| {
        answered(
            format!("accepting {accepted:?}, in vain"),
            asked("/long", accepted),
            200,
        )
        .without("content-encoding")
        .with("vary", "accept-encoding")
        .naming("line 199")
    };
    vec![
        by("gzip", "gzip"),
        by("br", "br"),
        by("gzip, br", "br"),
        by("br;q=0.1, gzip;q=0.9", "br"),
        by("br;q=0, gzip", "gzip"),
        by("GZIP", "gzip"),
        by("deflate, gzip;q=1.0, *;q=0.5", "gzip"),
        by(" gzip ; q=0.5 ", "gzip"),
        not("gzip;q=0"),
        not("gzip;q=0.000, br;q=0"),
        not("identity"),
        not("deflate"),
        not("compress, zstd"),
        not(""),
        not("gzippy, brr"),
        not(";;;,,,==="),
        answered(
            "a short answer is not packed",
            asked("/short", "br, gzip"),
            200,
        )
        .without("content-encoding"),
        answered("a file is packed", asked("/site.css", "gzip"), 200)
            .with("content-encoding", "gzip"),
        case("a HEAD says how it would be packed")
            .sends(asking("HEAD /long HTTP/1.1", "Accept-Encoding: gzip\r\n"))
            .gets_bare(200)
            .with("content-encoding", "gzip"),
    ]
}
