//! Frames of RFC 6455, written as any client might, and read as every client must. Must stay true: what is written is exactly
//! what the case says, right or wrong; what the server sends must be right in every bit.

use crate::peer::Peer;

/// Continuation of a message.
pub(crate) const CONTINUED: u8 = 0x0;
/// Begin of a text.
pub(crate) const TEXT: u8 = 0x1;
/// Begin of a binary message.
pub(crate) const BINARY: u8 = 0x2;
/// The end of the talk.
pub(crate) const CLOSE: u8 = 0x8;
/// A question for a sign of life.
pub(crate) const PING: u8 = 0x9;
/// The sign of life.
pub(crate) const PONG: u8 = 0xA;

const FINAL: u8 = 0x80;

/// How many bytes the length takes.
#[derive(Clone, Copy, Debug)]
enum Width {
    Least,
    Two,
    Eight,
}

/// A frame to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    first: u8,
    mask: Option<[u8; 4]>,
    width: Width,
    claimed: Option<u64>,
    payload: Vec<u8>,
}

/// A whole frame of a kind, masked as it must be.
pub(crate) fn frame(opcode: u8, payload: impl AsRef<[u8]>) -> Frame {
    Frame {
        first: FINAL | opcode,
        mask: Some([0x37, 0xfa, 0x21, 0x3d]),
        width: Width::Least,
        claimed: None,
        payload: payload.as_ref().to_vec(),
    }
}

/// A text in one frame.
pub(crate) fn text(payload: impl AsRef<[u8]>) -> Frame {
    frame(TEXT, payload)
}

/// A binary message in one frame.
pub(crate) fn binary(payload: impl AsRef<[u8]>) -> Frame {
    frame(BINARY, payload)
}

/// A ping.
pub(crate) fn ping(payload: impl AsRef<[u8]>) -> Frame {
    frame(PING, payload)
}

/// A pong.
pub(crate) fn pong(payload: impl AsRef<[u8]>) -> Frame {
    frame(PONG, payload)
}

/// A close with a code and a reason.
pub(crate) fn close(code: u16, reason: impl AsRef<[u8]>) -> Frame {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_ref());
    frame(CLOSE, payload)
}

/// The first part of a text that goes on.
pub(crate) fn begin(payload: impl AsRef<[u8]>) -> Frame {
    text(payload).open()
}

/// A part in the middle.
pub(crate) fn middle(payload: impl AsRef<[u8]>) -> Frame {
    frame(CONTINUED, payload).open()
}

/// The last part.
pub(crate) fn last(payload: impl AsRef<[u8]>) -> Frame {
    frame(CONTINUED, payload)
}

impl Frame {
    /// Without the bit that says that it is the last one.
    pub(crate) fn open(mut self) -> Frame {
        self.first &= !FINAL;
        self
    }

    /// With reserved bits, 1 to 7 as three binary digits.
    pub(crate) fn reserved(mut self, bits: u8) -> Frame {
        self.first |= bits << 4;
        self
    }

    /// Masked with these bytes.
    pub(crate) fn masked(mut self, mask: [u8; 4]) -> Frame {
        self.mask = Some(mask);
        self
    }

    /// Without a mask.
    pub(crate) fn unmasked(mut self) -> Frame {
        self.mask = None;
        self
    }

    /// Its length in two bytes.
    pub(crate) fn in_two(mut self) -> Frame {
        self.width = Width::Two;
        self
    }

    /// Its length in eight bytes.
    pub(crate) fn in_eight(mut self) -> Frame {
        self.width = Width::Eight;
        self
    }

    /// Says that it is so long, whatever it holds.
    pub(crate) fn claiming(mut self, length: u64) -> Frame {
        self.claimed = Some(length);
        self
    }
}

/// What can be sent.
pub(crate) trait Bytes {
    /// As it goes over the wire.
    fn bytes(&self) -> Vec<u8>;
}

impl Bytes for Frame {
    fn bytes(&self) -> Vec<u8> {
        let length = self.claimed.unwrap_or(self.payload.len() as u64);
        let masked = if self.mask.is_some() { 0x80 } else { 0 };
        let mut out = vec![self.first];
        match self.width {
            Width::Least if length < 126 => out.push(masked | length as u8),
            Width::Least if length <= 0xffff => {
                out.push(masked | 126);
                out.extend((length as u16).to_be_bytes());
            }
            Width::Two => {
                out.push(masked | 126);
                out.extend((length as u16).to_be_bytes());
            }
            Width::Least | Width::Eight => {
                out.push(masked | 127);
                out.extend(length.to_be_bytes());
            }
        }
        out.extend(self.mask.iter().flatten());
        let mask = self.mask.unwrap_or_default();
        let payload = self.payload.iter().zip(mask.iter().cycle());
        out.extend(payload.map(|(byte, mask)| byte ^ mask));
        out
    }
}

impl Bytes for Vec<u8> {
    fn bytes(&self) -> Vec<u8> {
        self.clone()
    }
}

impl<B: Bytes> Bytes for &[B] {
    fn bytes(&self) -> Vec<u8> {
        self.iter().flat_map(Bytes::bytes).collect()
    }
}

impl<B: Bytes, const N: usize> Bytes for [B; N] {
    fn bytes(&self) -> Vec<u8> {
        self.as_slice().bytes()
    }
}

/// What the server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// A text message, in whatever number of frames.
    Text(String),
    /// A pong.
    Pong(Vec<u8>),
    /// A close: its code, if it has one, and its reason.
    Close(Option<u16>, String),
}

/// What the server says next; its pings are not counted.
///
/// # Errors
/// When it says something that RFC 6455 does not allow, or ends the connection.
pub(crate) fn said(peer: &mut Peer) -> Result<Said, String> {
    let mut message: Option<Vec<u8>> = None;
    loop {
        let (first, payload) = read_frame(peer)?;
        let (opcode, is_final) = (first & 0x0f, first & FINAL != 0);
        match (opcode, &mut message) {
            (PING, _) => {}
            (PONG, _) => return Ok(Said::Pong(payload)),
            (CLOSE, _) => return said_close(&payload),
            (TEXT, None) => message = Some(payload),
            (CONTINUED, Some(begun)) => begun.extend(payload),
            _ => return Err(format!("the server sent opcode {opcode:x} out of place")),
        }
        if let (true, Some(whole), TEXT | CONTINUED) = (is_final, &message, opcode) {
            let text = String::from_utf8(whole.clone());
            let text = text.map_err(|error| format!("the server's text: {error}"))?;
            return Ok(Said::Text(text));
        }
    }
}

fn read_frame(peer: &mut Peer) -> Result<(u8, Vec<u8>), String> {
    let head = peer.take(2, "a frame")?;
    let (first, second) = (head[0], head[1]);
    if first & 0x70 != 0 || second & 0x80 != 0 {
        return Err(format!(
            "the server sent a frame that begins {first:02x} {second:02x}"
        ));
    }
    let (length, least) = match second {
        126 => {
            let bytes = peer.take(2, "a length")?;
            (u64::from(u16::from_be_bytes([bytes[0], bytes[1]])), 126)
        }
        127 => {
            let bytes = peer.take(8, "a length")?;
            let bytes = bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
            (bytes, 65_536)
        }
        length => (u64::from(length), 0),
    };
    let is_control = first & 0x08 != 0;
    if length < least || is_control && (length > 125 || first & FINAL == 0) {
        return Err(format!(
            "the server sent a frame {first:02x} of length {length}, in too many bytes or too long"
        ));
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    Ok((first, peer.take(length, "the rest of a frame")?))
}

fn said_close(payload: &[u8]) -> Result<Said, String> {
    match payload {
        [] => Ok(Said::Close(None, String::new())),
        [_] => Err("the server sent a close of one byte".to_owned()),
        [high, low, reason @ ..] => {
            let reason = String::from_utf8(reason.to_vec());
            let reason = reason.map_err(|error| format!("the server's reason: {error}"))?;
            Ok(Said::Close(Some(u16::from_be_bytes([*high, *low])), reason))
        }
    }
}
