//! Messages in parts (RFC 6455, 5.4). Must stay true: where a message is parted makes no difference to what it says.

use super::case::{Case, NO_BINARY, NO_OBJECT, PING_TEXT, PONG_TEXT, case, echo, echoed};
use super::frame::{
    BINARY, Bytes, Frame, TEXT, begin, binary, close, frame, last, middle, ping, pong, text,
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = parted();
    cases.extend(with_empty_parts());
    cases.extend(with_control_frames());
    cases.extend(out_of_order());
    cases
}

/// A text in parts of so many bytes.
fn in_parts(whole: &str, bytes: usize) -> Vec<Frame> {
    let parts = whole.as_bytes().chunks(bytes);
    let count = parts.len();
    let part = |(at, part)| {
        let part = frame(if at == 0 { TEXT } else { 0 }, part);
        if at + 1 == count { part } else { part.open() }
    };
    parts.enumerate().map(part).collect()
}

fn parted() -> Vec<Case> {
    let wish = echo("a wish in parts, \u{fc}ber \u{20ac} und \u{1f980}");
    let answer = echoed("a wish in parts, \u{fc}ber \u{20ac} und \u{1f980}");
    let mut cases: Vec<Case> = [1, 2, 3, 5, 7, 11, 32, 60]
        .iter()
        .map(|bytes| {
            case(format!("a text in parts of {bytes} bytes"))
                .sends(in_parts(&wish, *bytes).as_slice())
                .hears(&answer)
        })
        .collect();
    cases.push(
        case("two texts in parts, one after the other")
            .sends(in_parts(PING_TEXT, 4).as_slice())
            .sends(in_parts(&wish, 9).as_slice())
            .hears(PONG_TEXT)
            .hears(&answer),
    );
    cases.push(
        case("a text in parts, answered only when it is whole")
            .sends(begin("{\"action\":"))
            .hears_nothing()
            .sends(last("\"ping\"}"))
            .hears(PONG_TEXT),
    );
    cases.push(
        case("a binary message in parts")
            .sends([frame(BINARY, [1, 2]).open(), middle([0xff]), last([0xfe])])
            .hears(NO_BINARY),
    );
    cases.push(
        case("ten thousand parts")
            .sends(in_parts(&format!("{PING_TEXT:10000}"), 1).as_slice())
            .hears(PONG_TEXT),
    );
    cases
}

fn with_empty_parts() -> Vec<Case> {
    let served =
        |name: &str, frames: Vec<Frame>| case(name).sends(frames.as_slice()).hears(PONG_TEXT);
    vec![
        served("an empty begin", vec![begin(""), last(PING_TEXT)]),
        served("an empty end", vec![begin(PING_TEXT), last("")]),
        served(
            "empty parts between",
            vec![
                begin("{\"action\":"),
                middle(""),
                middle(""),
                last("\"ping\"}"),
            ],
        ),
        case("nothing in two parts")
            .sends([begin(""), last("")])
            .hears(NO_OBJECT),
        case("nothing in a thousand parts")
            .sends(begin(""))
            .sends(vec![middle(""); 1000].as_slice())
            .sends(last(""))
            .hears(NO_OBJECT),
    ]
}

fn with_control_frames() -> Vec<Case> {
    let parts = || (begin("{\"action\":"), last("\"ping\"}"));
    let (first, second) = parts();
    let pings: Vec<Frame> = (0..20).map(|n| ping([n])).collect();
    let many = case("twenty pings between parts")
        .sends(first.clone())
        .sends(pings.as_slice())
        .sends(second.clone());
    let many = (0..20).fold(many, |case, n| case.hears_pong([n]));
    vec![
        case("a ping between parts")
            .sends([first.clone(), ping("between"), second.clone()])
            .hears_pong("between")
            .hears(PONG_TEXT),
        case("a ping between parts, one after the other")
            .sends(first.clone())
            .sends(ping("between"))
            .hears_pong("between")
            .sends(second.clone())
            .hears(PONG_TEXT),
        case("a pong between parts")
            .sends([first.clone(), pong("between"), second.clone()])
            .hears(PONG_TEXT),
        many.hears(PONG_TEXT),
        case("a close between parts")
            .sends([first.clone(), close(1001, "")])
            .closed(Some(1001), ""),
        case("a fragmented ping between parts")
            .sends([first, ping("between").open(), second])
            .failed(1002),
    ]
}

fn out_of_order() -> Vec<Case> {
    let failed = |name: &str, frames: Vec<Frame>| case(name).sends(frames.as_slice()).failed(1002);
    vec![
        failed("an end without a begin", vec![last("hello")]),
        failed("an empty end without a begin", vec![last("")]),
        failed("a middle without a begin", vec![middle("hello")]),
        failed("a begin inside", vec![begin("hello"), begin("hello")]),
        failed("a whole text inside", vec![begin("hello"), text(PING_TEXT)]),
        failed(
            "a binary message inside",
            vec![begin("hello"), binary("hello")],
        ),
        failed(
            "a text inside of a binary message",
            vec![binary("hello").open(), text(PING_TEXT)],
        ),
        failed(
            "a begin after parts",
            vec![begin("a"), middle("b"), middle("c"), begin("d")],
        ),
        case("one end too many")
            .sends([begin("{\"action\":"), last("\"ping\"}"), last("")])
            .hears(PONG_TEXT)
            .failed(1002),
        case("an end after a whole text")
            .sends([text(PING_TEXT).bytes(), last("hello").bytes()])
            .hears(PONG_TEXT)
            .failed(1002),
        case("gone in the middle of a message")
            .sends(begin("hello"))
            .half_closes()
            .ended(),
    ]
}
