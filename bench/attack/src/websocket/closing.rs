//! The end of the talk (RFC 6455, 5.5.1 and 7). Must stay true: a close is answered by the same close, once, and the server closes
//! the connection first and in order.

use super::case::{Case, PING_TEXT, PONG_TEXT, case};
use super::frame::{Bytes, CLOSE, begin, close, frame, ping, text};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = codes();
    cases.extend(reasons());
    cases.extend(bodies());
    cases.extend(afterwards());
    cases
}

/// Codes that may stand in a close (7.4.1, the register of IANA, 7.4.2), and codes that may not; 1014 is what a gateway says of the
/// server behind it, and no client's word.
const GOOD: &[u16] = &[
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3001, 3999, 4000, 4500,
    4999,
];
const BAD: &[u16] = &[
    0, 1, 999, 1004, 1005, 1006, 1014, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 5001, 9999, 65_535,
];

fn codes() -> Vec<Case> {
    let good = GOOD.iter().map(|code| {
        case(format!("code {code}"))
            .sends(close(*code, ""))
            .closed(Some(*code), "")
    });
    let with_reason = [1000, 1001, 3000, 4999].map(|code| {
        case(format!("code {code} and a reason"))
            .sends(close(code, "enough said"))
            .closed(Some(code), "enough said")
    });
    let bad = BAD.iter().map(|code| {
        case(format!("code {code}, which must not be sent"))
            .sends(close(*code, ""))
            .closed(Some(1002), "Protocol violation")
    });
    let bad_with_reason = [1005, 1006, 1015].map(|code| {
        case(format!("code {code} and a reason"))
            .sends(close(code, "enough said"))
            .closed(Some(1002), "Protocol violation")
    });
    good.chain(with_reason)
        .chain(bad)
        .chain(bad_with_reason)
        .collect()
}

fn reasons() -> Vec<Case> {
    let lengths = [1, 2, 122, 123].map(|bytes| {
        let reason = "r".repeat(bytes);
        case(format!("a reason of {bytes} bytes"))
            .sends(close(1000, &reason))
            .closed(Some(1000), &reason)
    });
    let valid = [
        "\u{fc}ber",
        "\u{20ac}",
        "\u{1f980}",
        "\u{10ffff}",
        "\0",
        "\u{feff}",
    ];
    let valid = valid.map(|reason| {
        case(format!("the reason {reason:?}"))
            .sends(close(1000, reason))
            .closed(Some(1000), reason)
    });
    let last_wrong = [[0x61; 122].as_slice(), &[0xff]].concat();
    let invalid: [(&str, &[u8]); 8] = [
        ("ff", b"\xff"),
        ("a lone continuation", b"good\x80"),
        ("too long a form", b"\xc0\xaf"),
        ("a surrogate", b"\xed\xa0\x80"),
        ("beyond the last character", b"\xf4\x90\x80\x80"),
        ("half a character at its end", b"good \xe2\x82"),
        ("Latin-1", b"\xfcber"),
        ("123 bytes, the last one wrong", &last_wrong),
    ];
    let invalid = invalid.map(|(name, reason)| {
        case(format!("a reason that is no UTF-8: {name}"))
            .sends(close(1000, reason))
            .failed(1007)
    });
    lengths.into_iter().chain(valid).chain(invalid).collect()
}

fn bodies() -> Vec<Case> {
    vec![
        case("nothing in it")
            .sends(frame(CLOSE, ""))
            .closed(None, ""),
        case("one byte in it").sends(frame(CLOSE, [3])).failed(1002),
        case("one zero in it").sends(frame(CLOSE, [0])).failed(1002),
        case("its length in two bytes")
            .sends(close(1000, "bye").in_two())
            .closed(Some(1000), "bye"),
    ]
}

fn afterwards() -> Vec<Case> {
    let bye = || close(1000, "");
    vec![
        case("after a wish")
            .sends(text(PING_TEXT))
            .sends(bye())
            .hears(PONG_TEXT)
            .closed(Some(1000), ""),
        case("a ping behind it")
            .sends([bye(), ping("late")])
            .closed(Some(1000), ""),
        case("a text behind it")
            .sends([bye(), text(PING_TEXT)])
            .closed(Some(1000), ""),
        case("junk behind it")
            .sends([bye().bytes(), vec![0xff; 1000]])
            .closed(Some(1000), ""),
        case("much behind it")
            .sends([bye().bytes(), vec![0x42; 200_000]])
            .closed(Some(1000), ""),
        case("another one behind it")
            .sends([bye(), close(1001, "")])
            .closed(Some(1000), ""),
        case("in the middle of a text")
            .sends([begin("hello"), bye()])
            .closed(Some(1000), ""),
        case("many wishes before it")
            .sends(vec![text(PING_TEXT); 20].as_slice())
            .sends(bye())
            .hears_times(20, PONG_TEXT)
            .closed(Some(1000), ""),
        case("without one: the client just goes")
            .half_closes()
            .ended(),
        case("after a fault, nothing is heard")
            .sends([text("x").reserved(1), text(PING_TEXT), ping("late")])
            .failed(1002),
        case("much behind a fault")
            .sends([text("x").reserved(1).bytes(), vec![0x42; 200_000]])
            .failed(1002),
    ]
}
