//! Control frames (RFC 6455, 5.5): pings, pongs, their sizes. Must stay true: a ping is answered by its own payload, in the order
//! in which it came.

use super::case::{Case, PING_TEXT, PONG_TEXT, case};
use super::frame::{Bytes, Frame, begin, close, last, ping, pong, text};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = mirrored();
    cases.extend(many());
    cases.extend(unasked());
    cases.extend(too_long());
    cases.extend(in_parts());
    cases
}

fn mirrored() -> Vec<Case> {
    let every_byte: Vec<u8> = (0..=255).collect();
    let payloads: [(&str, &[u8]); 10] = [
        ("nothing", b""),
        ("one byte", b"a"),
        ("text", b"hello"),
        ("124 bytes", &[0x61; 124]),
        ("125 bytes", &[0x61; 125]),
        ("the first bytes", &every_byte[..125]),
        ("bytes in the middle", &every_byte[100..225]),
        ("the last bytes", &every_byte[131..]),
        ("no UTF-8", &[0xff, 0xfe, 0xc0, 0x80]),
        ("what looks like a frame", &[0x81, 0x02, 0x68, 0x69]),
    ];
    let mirrored = |(name, payload): &(&str, &[u8])| {
        case(format!("a ping with {name}"))
            .sends(ping(payload))
            .hears_pong(payload)
    };
    payloads.iter().map(mirrored).collect()
}

fn many() -> Vec<Case> {
    let pings = |count: u16| -> Vec<Frame> { (0..count).map(|n| ping(n.to_be_bytes())).collect() };
    let answered =
        |case: Case, count: u16| (0..count).fold(case, |case, n| case.hears_pong(n.to_be_bytes()));
    let together = case("a hundred pings in one go").sends(pings(100).as_slice());
    let one_by_one = (0..20u16).fold(case("pings, each after the answer"), |case, n| {
        case.sends(ping(n.to_be_bytes()))
            .hears_pong(n.to_be_bytes())
    });
    let flood = case("five thousand pings in one go").sends(pings(5000).as_slice());
    let mut mixed = Vec::new();
    for n in 0..50u16 {
        mixed.extend(ping(n.to_be_bytes()).bytes());
        mixed.extend(text(PING_TEXT).bytes());
    }
    let mixed = (0..50u16).fold(case("pings and texts in turns").sends(mixed), |case, n| {
        case.hears_pong(n.to_be_bytes()).hears(PONG_TEXT)
    });
    vec![
        answered(together, 100),
        one_by_one,
        answered(flood, 5000),
        mixed,
    ]
}

fn unasked() -> Vec<Case> {
    vec![
        case("a pong that nobody asked for")
            .sends(pong(""))
            .hears_nothing(),
        case("a pong with a payload")
            .sends(pong("unasked"))
            .hears_nothing(),
        case("a pong of 125 bytes")
            .sends(pong([0xff; 125]))
            .hears_nothing(),
        case("a thousand pongs").sends(vec![pong("x"); 1000].as_slice()),
        case("a pong, then a ping")
            .sends([pong("one"), ping("two")])
            .hears_pong("two"),
    ]
}

fn too_long() -> Vec<Case> {
    let failed = |name: &str, frame: Frame| case(name).sends(frame).failed(1002);
    let reason = [0x61; 124];
    vec![
        failed("a ping of 126 bytes", ping([0x61; 126])),
        failed("a ping of 127 bytes", ping([0x61; 127])),
        failed("a ping of 60,000 bytes", ping([0x61; 60_000])),
        failed("a pong of 126 bytes", pong([0x61; 126])),
        failed("a close of 126 bytes", close(1000, reason)),
        failed("a ping of 126 bytes in eight", ping([0x61; 126]).in_eight()),
    ]
}

fn in_parts() -> Vec<Case> {
    let failed = |name: &str, frames: Vec<Frame>| case(name).sends(frames.as_slice()).failed(1002);
    vec![
        failed("a ping that goes on", vec![ping("a").open()]),
        failed("an empty ping that goes on", vec![ping("").open()]),
        failed("a ping in two parts", vec![ping("a").open(), last("b")]),
        failed("a pong that goes on", vec![pong("a").open()]),
        failed("a close that goes on", vec![close(1000, "").open()]),
        failed(
            "a ping that goes on inside of a text",
            vec![begin("a"), ping("b").open()],
        ),
    ]
}
