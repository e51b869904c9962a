//! Data (RFC 6455, 5.6 and 8.1): text is UTF-8, in every frame and across them; binary is anything. Must stay true: a text is
//! refused as soon as it cannot become valid, not only at its end.

use super::case::{Case, NO_BINARY, NO_OBJECT, PONG_TEXT, case, echo, echoed};
use super::frame::{BINARY, begin, binary, frame, last, middle, text};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = valid();
    cases.extend(parted());
    cases.extend(invalid());
    cases.extend(invalid_in_parts());
    cases.extend(at_every_place());
    cases.extend(not_text());
    cases
}

/// Texts that come back as they went, each with the ends of a range of UTF-8.
const VALID: &[(&str, &str)] = &[
    ("ASCII", "Hello"),
    ("Greek", "\u{3ba}\u{1f79}\u{3c3}\u{3bc}\u{3b5}"),
    (
        "letters of two bytes",
        "Hello-\u{b5}@\u{df}\u{f6}\u{e4}\u{fc}\u{e0}\u{e1}-UTF-8!!",
    ),
    ("the last of one byte", "\u{7e}"),
    ("the first of two bytes", "\u{80}"),
    ("the last of two bytes", "\u{7ff}"),
    ("the first of three bytes", "\u{800}"),
    ("the last before the surrogates", "\u{d7ff}"),
    ("the first behind the surrogates", "\u{e000}"),
    ("the replacement character", "\u{fffd}"),
    (
        "no characters of the first plane",
        "\u{fffe}\u{ffff}\u{fdd0}",
    ),
    ("the first of four bytes", "\u{10000}"),
    (
        "no characters of other planes",
        "\u{1fffe}\u{1ffff}\u{8fffe}",
    ),
    ("the last of all", "\u{10ffff}"),
    ("a mark of order", "\u{feff}x"),
    ("marks put together", "e\u{301}\u{327}"),
    ("right to left", "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{202e}x"),
    ("faces put together", "\u{1f469}\u{200d}\u{1f4bb}"),
];

fn valid() -> Vec<Case> {
    let served = |(name, value): &(&str, &str)| {
        case(format!("valid: {name}"))
            .sends(text(echo(value)))
            .hears(echoed(value))
    };
    VALID.iter().map(served).collect()
}

/// A text parted inside of its characters.
fn parted() -> Vec<Case> {
    let name = "\u{fc}\u{20ac}\u{1f980}";
    let wish = echo(name).into_bytes();
    let start = wish.iter().position(|byte| *byte >= 0x80).unwrap_or(0);
    let mut cases: Vec<Case> = (start..start + name.len())
        .map(|at| {
            case(format!(
                "parted before byte {at}, around characters of 2, 3 and 4 bytes"
            ))
            .sends([begin(&wish[..at]), last(&wish[at..])])
            .hears(echoed(name))
        })
        .collect();
    let at = start + 5;
    cases.push(
        case("a character of four bytes in four parts")
            .sends([
                begin(&wish[..=at]),
                middle(&wish[at + 1..at + 2]),
                middle(&wish[at + 2..at + 3]),
                last(&wish[at + 3..]),
            ])
            .hears(echoed(name)),
    );
    cases.push(
        case("an empty part inside of a character")
            .sends([begin(&wish[..at]), middle(""), last(&wish[at..])])
            .hears(echoed(name)),
    );
    cases
}

/// Bytes that are no UTF-8 (Unicode, table 3-7).
const INVALID: &[(&str, &[u8])] = &[
    ("a lone continuation 80", b"\x80"),
    ("a lone continuation bf", b"\xbf"),
    ("two lone continuations", b"\x80\xbf"),
    ("c0: too long a form", b"\xc0\x80"),
    ("c1: too long a form", b"\xc1\xbf"),
    ("e0 80: too long a form", b"\xe0\x80\x80"),
    ("e0 9f: too long a form", b"\xe0\x9f\xbf"),
    ("f0 80: too long a form", b"\xf0\x80\x80\x80"),
    ("f0 8f: too long a form", b"\xf0\x8f\xbf\xbf"),
    ("the slash in two bytes", b"\xc0\xaf"),
    ("the slash in three bytes", b"\xe0\x80\xaf"),
    ("the first surrogate", b"\xed\xa0\x80"),
    ("the last high surrogate", b"\xed\xaf\xbf"),
    ("the first low surrogate", b"\xed\xb0\x80"),
    ("the last surrogate", b"\xed\xbf\xbf"),
    ("a pair of surrogates", b"\xed\xa0\xbd\xed\xb8\x80"),
    ("beyond the last character", b"\xf4\x90\x80\x80"),
    ("f5", b"\xf5\x80\x80\x80"),
    ("f8, of five bytes once", b"\xf8\x88\x80\x80\x80"),
    ("fc, of six bytes once", b"\xfc\x84\x80\x80\x80\x80"),
    ("fe", b"\xfe"),
    ("ff", b"\xff"),
    ("two bytes without the second", b"\xc3("),
    ("three bytes without the second", b"\xe2(\xa1"),
    ("three bytes without the third", b"\xe2\x82("),
    ("four bytes without the second", b"\xf0(\x8c\xbc"),
    ("four bytes without the third", b"\xf0\x90(\xbc"),
    ("four bytes without the fourth", b"\xf0\x9f\xa6("),
    ("two bytes that end early", b"\xc3"),
    ("three bytes that end early", b"\xe2\x82"),
    ("four bytes that end early", b"\xf0\x9f\xa6"),
    ("Latin-1", b"\xfcber"),
    ("UTF-16", b"\xff\xfeH\x00i\x00"),
];

fn around(bytes: &[u8], before: &str, behind: &str) -> Vec<u8> {
    [before.as_bytes(), bytes, behind.as_bytes()].concat()
}

fn invalid() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, bytes) in INVALID {
        let failed = |place: &str, payload: &[u8]| {
            case(format!("{name}, {place}"))
                .sends(text(payload))
                .failed(1007)
        };
        cases.push(failed("alone", bytes));
        cases.push(failed("at the end", &around(bytes, "hello", "")));
        // What ends early ends early only at the end.
        if !name.ends_with("early") {
            cases.push(failed(
                "between letters",
                &around(bytes, "h\u{e9}llo", "h\u{e9}llo"),
            ));
        }
    }
    cases
}

/// Refused with the part that cannot become valid; no end is needed.
fn invalid_in_parts() -> Vec<Case> {
    let mut cases: Vec<Case> = INVALID
        .iter()
        .filter(|(name, _)| !name.ends_with("early"))
        .map(|(name, bytes)| {
            case(format!("{name}, in a part that goes on"))
                .sends(begin(around(bytes, "hello", "")))
                .failed(1007)
        })
        .collect();
    cases.extend([
        case("a character that the next part does not end")
            .sends(begin(b"hello \xe2\x82"))
            .hears_nothing()
            .sends(middle("x"))
            .failed(1007),
        case("a character that the end leaves open")
            .sends(begin(b"hello \xf0\x9f"))
            .hears_nothing()
            .sends(last(b"\xa6"))
            .failed(1007),
        case("a character that an empty end leaves open")
            .sends([begin(b"hello \xf0\x9f\xa6"), last("")])
            .failed(1007),
        case("a surrogate parted in two")
            .sends([begin(b"\xed"), middle(b"\xa0")])
            .failed(1007),
        case("too great a character parted in two")
            .sends([begin(b"\xf4"), middle(b"\x90")])
            .failed(1007),
        case("invalid in the third part")
            .sends([begin("hello"), middle("hello"), middle(b"\xff")])
            .failed(1007),
    ]);
    cases
}

/// One wrong byte in each place of a text.
fn at_every_place() -> Vec<Case> {
    let good = "H\u{e9}llo \u{20ac} \u{1f980}!";
    (0..good.len())
        .map(|at| {
            let mut bytes = good.as_bytes().to_vec();
            bytes[at] = 0xff;
            case(format!("ff in place {at}"))
                .sends(text(bytes))
                .failed(1007)
        })
        .collect()
}

/// What is no text, and texts that say nothing.
fn not_text() -> Vec<Case> {
    let told =
        |name: &str, payload: &str, answer: &str| case(name).sends(text(payload)).hears(answer);
    let wrong = "{\"type\":\"error\",\"message\":\"expected subscribe or unsubscribe with a type, \
        resume with a number in since, or watch with a page\"}";
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let deep_wish = format!(
        "{{\"action\":\"ping\",\"x\":{}{}}}",
        "[".repeat(32),
        "]".repeat(32)
    );
    vec![
        case("binary that is no UTF-8")
            .sends(binary(b"\xff\xfe\x00"))
            .hears(NO_BINARY),
        case("binary that is a wish")
            .sends(binary("{\"action\":\"ping\"}"))
            .hears(NO_BINARY),
        case("binary parted inside of what would be a character")
            .sends([frame(BINARY, b"\xe2\x82").open(), last(b"\xff")])
            .hears(NO_BINARY),
        told("no JSON", "hello", NO_OBJECT),
        told("NUL", "\0", NO_OBJECT),
        told("a list", "[]", NO_OBJECT),
        told("a number", "1e999", NO_OBJECT),
        told("two objects", "{} {}", NO_OBJECT),
        told(
            "a name twice",
            "{\"action\":\"ping\",\"action\":\"ping\"}",
            NO_OBJECT,
        ),
        told("lists thirty thousand deep", &deep, NO_OBJECT),
        told("a wish with lists 33 levels deep", &deep_wish, NO_OBJECT),
        told("half a surrogate", "{\"action\":\"\\ud800\"}", NO_OBJECT),
        told(
            "a mark of order before",
            "\u{feff}{\"action\":\"ping\"}",
            NO_OBJECT,
        ),
        told("an empty object", "{}", wrong),
        told("an unknown wish", "{\"action\":\"launch\"}", wrong),
        told("a wish that is no text", "{\"action\":5}", wrong),
        told(
            "a type that is no text",
            "{\"action\":\"subscribe\",\"type\":5}",
            wrong,
        ),
        told(
            "since a time before all",
            "{\"action\":\"resume\",\"since\":-1}",
            wrong,
        ),
        told(
            "since half a number",
            "{\"action\":\"resume\",\"since\":0.5}",
            wrong,
        ),
        told(
            "blanks around a wish",
            " \t\r\n{ \"action\" : \"ping\" } \n",
            PONG_TEXT,
        ),
        told(
            "a wish in code",
            "{\"\\u0061ction\":\"p\\u0069ng\"}",
            PONG_TEXT,
        ),
        told(
            "a wish of an inherited name",
            "{\"__proto__\":{\"action\":\"ping\"}}",
            wrong,
        ),
    ]
}
