//! Frames (RFC 6455, 5.1 to 5.3): lengths in all three widths, reserved bits and opcodes, masks. Must stay true: every bit of a
//! frame's head is tried in both states.

use super::case::{Case, NO_BINARY, NO_OBJECT, PONG_TEXT, case, echo, echoed, ping_text};
use super::frame::{
    BINARY, Bytes, CLOSE, CONTINUED, Frame, PING, PONG, TEXT, begin, binary, close, frame, ping,
    pong, text,
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = lengths();
    cases.extend(odd_lengths());
    cases.extend(reserved_bits());
    cases.extend(reserved_opcodes());
    cases.extend(masks());
    cases.extend(unmasked());
    cases
}

fn lengths() -> Vec<Case> {
    let texts = [17, 18, 124, 125, 126, 127, 128, 1000, 4096, 65_535, 65_536];
    let texts = texts.map(|bytes| {
        case(format!("a text of {bytes} bytes"))
            .sends(text(ping_text(bytes)))
            .hears(PONG_TEXT)
    });
    let binaries = [0, 1, 125, 126, 127, 65_535, 65_536];
    let binaries = binaries.map(|bytes| {
        case(format!("a binary message of {bytes} bytes"))
            .sends(binary(vec![0xfe; bytes]))
            .hears(NO_BINARY)
    });
    let empty = case("an empty text").sends(text("")).hears(NO_OBJECT);
    texts.into_iter().chain(binaries).chain([empty]).collect()
}

/// More bytes for the length than it needs are taken as they are meant: only the sender is told to use the fewest.
fn odd_lengths() -> Vec<Case> {
    let served = |name: &str, frame: Frame| case(name).sends(frame).hears(PONG_TEXT);
    let too_big = |name: &str, length: u64| {
        let head = text("").in_eight().claiming(length);
        case(name).sends(head).failed(1009)
    };
    vec![
        served("20 in two bytes", text(ping_text(20)).in_two()),
        served("20 in eight bytes", text(ping_text(20)).in_eight()),
        served("125 in two bytes", text(ping_text(125)).in_two()),
        served("126 in eight bytes", text(ping_text(126)).in_eight()),
        served("65,535 in eight bytes", text(ping_text(65_535)).in_eight()),
        case("0 in two bytes")
            .sends(text("").in_two())
            .hears(NO_OBJECT),
        case("0 in eight bytes")
            .sends(text("").in_eight())
            .hears(NO_OBJECT),
        case("a ping of 5 in two bytes")
            .sends(ping("hello").in_two())
            .hears_pong("hello"),
        too_big("a length of 2^32", 1 << 32),
        too_big("a length of 2^32 and 5", (1 << 32) + 5),
        too_big("the greatest length", u64::MAX >> 1),
        too_big("a length with its first bit", 1 << 63),
        too_big("a length of all bits", u64::MAX),
    ]
}

/// No extension is agreed on, so all three bits must be 0.
fn reserved_bits() -> Vec<Case> {
    let kinds: [(&str, Frame); 7] = [
        ("a text", text("hello")),
        ("an empty text", text("")),
        ("a binary message", binary("hello")),
        ("a begin", begin("hello")),
        ("a ping", ping("hello")),
        ("a pong", pong("hello")),
        ("a close", close(1000, "")),
    ];
    let mut cases = Vec::new();
    for (name, frame) in kinds {
        for bits in 1..=7 {
            cases.push(
                case(format!("{name} with reserved bits {bits:03b}"))
                    .sends(frame.clone().reserved(bits))
                    .failed(1002),
            );
        }
    }
    cases.push(
        case("a continuation with a reserved bit")
            .sends([begin("he"), frame(CONTINUED, "llo").reserved(4)])
            .failed(1002),
    );
    cases
}

fn reserved_opcodes() -> Vec<Case> {
    let mut cases = Vec::new();
    for opcode in (3..=7).chain(11..=15) {
        let failed = |name: &str, frame: Frame| {
            case(format!("opcode {opcode:x} {name}"))
                .sends(frame)
                .failed(1002)
        };
        cases.push(failed("empty", frame(opcode, "")));
        cases.push(failed("with a payload", frame(opcode, "hello")));
        cases.push(failed("that goes on", frame(opcode, "hello").open()));
    }
    cases.push(
        case("a reserved opcode after a good message")
            .sends([text(ping_text(20)), frame(3, "")])
            .hears(PONG_TEXT)
            .failed(1002),
    );
    cases
}

fn masks() -> Vec<Case> {
    let masks = [
        [0, 0, 0, 0],
        [0xff, 0xff, 0xff, 0xff],
        [1, 2, 3, 4],
        [0x80, 0, 0, 0],
        [0, 0x80, 0, 0],
        [0, 0, 0x80, 0],
        [0, 0, 0, 0x80],
        *b"{\"\":",
    ];
    let mut cases: Vec<Case> = masks
        .iter()
        .map(|mask| {
            case(format!("the mask {mask:02x?}"))
                .sends(text(echo("a mask")).masked(*mask))
                .hears(echoed("a mask"))
        })
        .collect();
    // The mask begins anew with each frame, whatever was left over of it.
    for left in 1..8 {
        let name = "abcdefgh".get(..left).unwrap_or_default();
        cases.push(
            case(format!(
                "two frames, the first {left} bytes beyond a whole mask"
            ))
            .sends([text(echo(name)), text(echo("next"))])
            .hears(echoed(name))
            .hears(echoed("next")),
        );
    }
    cases
}

fn unmasked() -> Vec<Case> {
    let kinds = [
        ("text", TEXT, "hello"),
        ("empty text", TEXT, ""),
        ("binary message", BINARY, "hello"),
        ("continuation", CONTINUED, "hello"),
        ("ping", PING, "hello"),
        ("empty ping", PING, ""),
        ("pong", PONG, "hello"),
        ("close", CLOSE, "\u{3}\u{e8}"),
    ];
    let failed = |(name, opcode, payload): &(&str, u8, &str)| {
        case(format!("an unmasked {name}"))
            .sends(frame(*opcode, payload).unmasked())
            .failed(1002)
    };
    let mut cases: Vec<Case> = kinds.iter().map(failed).collect();
    cases.push(
        case("an unmasked text after a masked one")
            .sends([
                text(ping_text(20)).bytes(),
                text("hello").unmasked().bytes(),
            ])
            .hears(PONG_TEXT)
            .failed(1002),
    );
    cases
}
