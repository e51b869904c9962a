//! The same bytes in other pieces, and connections that end too early. Must stay true: TCP may part and join anything, so
//! pieces mean nothing; whoever goes without a word harms nobody else.

use super::case::{Case, NO_BINARY, PING_TEXT, PONG_TEXT, case, echo, echoed, ping_text};
use super::frame::{Bytes, begin, binary, close, last, ping, text};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = in_pieces();
    cases.extend(joined());
    cases.extend(half_closed());
    cases.extend(thrown_away());
    cases
}

fn in_pieces() -> Vec<Case> {
    let name = "Byte f\u{fc}r Byte \u{1f980}";
    let whole = text(echo(name)).bytes();
    let mut cases = vec![
        case("a text byte by byte")
            .drips(text(echo(name)))
            .hears(echoed(name)),
        case("a ping byte by byte")
            .drips(ping("hello"))
            .hears_pong("hello"),
        case("a length in two bytes, byte by byte")
            .drips(text(ping_text(300)))
            .hears(PONG_TEXT),
        case("a length in eight bytes, byte by byte")
            .drips(text(ping_text(300)).in_eight())
            .hears(PONG_TEXT),
        case("a close byte by byte")
            .drips(close(1000, "bye"))
            .closed(Some(1000), "bye"),
        case("parts byte by byte")
            .drips([begin("{\"action\":"), ping("x"), last("\"ping\"}")])
            .hears_pong("x")
            .hears(PONG_TEXT),
        case("a binary message byte by byte")
            .drips(binary([0xff; 20]))
            .hears(NO_BINARY),
    ];
    for at in [1, 2, 3, 5, 6, 7, 30, whole.len() - 1] {
        cases.push(
            case(format!("a text in two pieces, parted after {at} bytes"))
                .sends(whole[..at].to_vec())
                .hears_nothing()
                .sends(whole[at..].to_vec())
                .hears(echoed(name)),
        );
    }
    cases
}

fn joined() -> Vec<Case> {
    let texts: Vec<u8> = (0..30)
        .flat_map(|n| text(echo(&format!("{n}"))).bytes())
        .collect();
    let answers = |case: Case| (0..30).fold(case, |case, n| case.hears(echoed(&format!("{n}"))));
    let middle = texts.len() / 2 + 1;
    vec![
        answers(case("thirty texts in one piece").sends(texts.clone())),
        answers(
            case("thirty texts in two pieces, parted in the middle of one")
                .sends(texts[..middle].to_vec())
                .sends(texts[middle..].to_vec()),
        ),
        answers(case("thirty texts byte by byte").drips(texts)),
        case("a text and a close in one piece")
            .sends([text(PING_TEXT), close(1000, "")])
            .hears(PONG_TEXT)
            .closed(Some(1000), ""),
        case("a text and a fault in one piece")
            .sends([text(PING_TEXT), text("").reserved(1)])
            .hears(PONG_TEXT)
            .failed(1002),
    ]
}

fn half_closed() -> Vec<Case> {
    vec![
        case("nothing more, at once").half_closes().ended(),
        case("a wish, and nothing more")
            .sends(text(PING_TEXT))
            .half_closes()
            .hears(PONG_TEXT)
            .ended(),
        case("a ping, and nothing more")
            .sends(ping("x"))
            .half_closes()
            .hears_pong("x")
            .ended(),
        case("half a frame, and nothing more")
            .sends(text(PING_TEXT).bytes()[..8].to_vec())
            .half_closes()
            .ended(),
        case("one byte, and nothing more")
            .sends(vec![0x81])
            .half_closes()
            .ended(),
        case("a close, and nothing more")
            .sends(close(1000, ""))
            .half_closes()
            .closed(Some(1000), ""),
    ]
}

fn thrown_away() -> Vec<Case> {
    let frame = text(PING_TEXT);
    vec![
        case("gone at once").thrown_away(),
        case("gone after half a head")
            .sends(vec![0x81])
            .thrown_away(),
        case("gone after half a frame")
            .sends(frame.bytes()[..8].to_vec())
            .thrown_away(),
        case("gone between two parts")
            .sends(begin("hello"))
            .thrown_away(),
        case("gone with the answer unread")
            .sends(frame.clone())
            .thrown_away_unread(),
        case("gone with many answers unread")
            .sends(vec![frame; 1000].as_slice())
            .thrown_away_unread(),
        case("gone with half a frame and an answer unread")
            .sends([text(PING_TEXT).bytes(), vec![0x81]])
            .thrown_away_unread(),
    ]
}
