//! How much a client may say at once (RFC 6455, 10.4): 64 KiB by default. Must stay true: what is too long is refused by its
//! announced length, before it is there, and as soon as its parts are too long together.

use super::case::{Case, NO_BINARY, PONG_TEXT, case, ping_text};
use super::frame::{Frame, TEXT, begin, binary, frame, last, middle, text};

/// The default of `limits.message`.
const MOST: usize = 64 << 10;

pub(super) fn cases() -> Vec<Case> {
    let half = ping_text(MOST).split_off(MOST / 2);
    let head = ping_text(MOST / 2);
    let blanks = vec![b' '; MOST / 4];
    let many: Vec<Frame> = (0..5).map(|_| middle(&blanks)).collect();
    vec![
        case("as long as allowed")
            .sends(text(ping_text(MOST)))
            .hears(PONG_TEXT),
        case("as long as allowed, in two parts")
            .sends([begin(&head), last(&half)])
            .hears(PONG_TEXT),
        case("as long as allowed, twice")
            .sends([text(ping_text(MOST)), text(ping_text(MOST))])
            .hears(PONG_TEXT)
            .hears(PONG_TEXT),
        case("a text one byte too long")
            .sends(text(ping_text(MOST + 1)))
            .failed(1009),
        case("a binary message as long as allowed")
            .sends(binary(vec![0; MOST]))
            .hears(NO_BINARY),
        case("a binary message one byte too long")
            .sends(binary(vec![0; MOST + 1]))
            .failed(1009),
        case("a megabyte")
            .sends(text(ping_text(1 << 20)))
            .failed(1009),
        case("16 megabytes, announced and not sent")
            .sends(text("").claiming(16 << 20))
            .failed(1009),
        case("one byte too long, announced and not sent")
            .sends(text("").claiming(MOST as u64 + 1))
            .failed(1009),
        case("one byte too long in two parts")
            .sends([begin(&head), last(format!("{half} "))])
            .failed(1009),
        case("too long in many parts")
            .sends(begin(&head))
            .sends(many.as_slice())
            .failed(1009),
        case("too long in small parts, without an end")
            .sends(begin(&head))
            .sends(vec![middle("a hundred bytes or fewer"); 3000].as_slice())
            .failed(1009),
        case("too long, and it never ends")
            .sends(frame(TEXT, vec![b' '; MOST]).open())
            .sends(vec![middle(" "); 100].as_slice())
            .failed(1009),
        case("a hundred wishes in one go")
            .sends(vec![text(ping_text(20)); 100].as_slice())
            .hears_times(100, PONG_TEXT),
    ]
}
