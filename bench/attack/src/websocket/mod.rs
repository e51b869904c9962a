//! RFC 6455, case by case, against a running server: its own writer and reader of frames, and one table for each chapter. Must stay
//! true: a case says what is sent and exactly what must come back; nothing is left out because the server does it
//! otherwise.

mod case;
mod closing;
mod control;
mod data;
mod delivery;
mod fragments;
mod frame;
mod framing;
mod opening;
mod size;

use frame::Said;

use crate::peer::Peer;

pub use case::Case;
pub(crate) use frame::{Bytes, frame};

/// A chapter of the RFC and its cases.
pub struct Chapter {
    /// What it is about.
    pub name: &'static str,
    /// Its cases.
    pub cases: fn() -> Vec<Case>,
}

/// All chapters.
pub const CHAPTERS: &[Chapter] = &[
    Chapter {
        name: "4 opening handshake",
        cases: opening::cases,
    },
    Chapter {
        name: "5.2 framing",
        cases: framing::cases,
    },
    Chapter {
        name: "5.4 fragmentation",
        cases: fragments::cases,
    },
    Chapter {
        name: "5.5 control frames",
        cases: control::cases,
    },
    Chapter {
        name: "5.6, 8.1 data and UTF-8",
        cases: data::cases,
    },
    Chapter {
        name: "7 closing",
        cases: closing::cases,
    },
    Chapter {
        name: "10.4 limits",
        cases: size::cases,
    },
    Chapter {
        name: "delivery",
        cases: delivery::cases,
    },
];

/// An open socket of the first page.
///
/// # Errors
/// When the handshake is refused.
pub fn open(host: &str) -> Result<Peer, String> {
    let mut peer = Peer::connect(host)?;
    peer.send(opening::OPENING.replace("{host}", host).as_bytes());
    let answer = peer.answer(false)?;
    if answer.status == 101 {
        Ok(peer)
    } else {
        Err(format!("the handshake is answered {}", answer.status))
    }
}

/// The code of the close that the server says next, which must be the next thing that it says.
///
/// # Errors
/// When it says something else.
pub fn next_close(peer: &mut Peer) -> Result<Option<u16>, String> {
    match frame::said(peer)? {
        Said::Close(code, _) => Ok(code),
        other => Err(format!("the server said {other:?}")),
    }
}

/// Messages that are answered by as many bytes as they have, a million of them.
pub fn loud_messages() -> Vec<u8> {
    let wish = frame::text(case::echo(&"a".repeat(50_000)));
    vec![wish; 20].as_slice().bytes()
}
