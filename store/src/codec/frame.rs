//! The header of a frame. One frame is one transaction, a schema, a mark or a segment end.
//!
//! 48 bytes, and 16 more for a request id; in segments of the first layout 64. The first four bytes say which.
//! What must stay true: the header CRC covers the length and binds the frame to its segment (salt) and place (offset);
//! the body CRC binds the body to its LSN; the link is made of header fields only, so it survives a redacted body.

use super::cursor::{u32_at, u64_at};
use crate::limits::{ALIGN, FRAME_BYTES_MAX};
use crate::sabotage::{Sabotage, removed};
use crate::value::{Lsn, RequestId};

/// Bytes of a frame header at most.
pub(crate) const FRAME_HEADER_BYTES: usize = 64;
/// Bytes of a frame header at least.
pub(crate) const FRAME_HEADER_BYTES_MIN: usize = 48;
/// Starts every frame; lets a scan find the next one behind damage.
const FRAME_MAGIC: u32 = u32::from_le_bytes([0xF7, b'F', b'r', 0x9D]);
/// The same in segments of the first layout.
const FIRST_FRAME_MAGIC: u32 = u32::from_le_bytes([0xF7, b'F', b'r', 0x9C]);
const NO_REQUEST: [u8; 16] = [0; 16];

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameKind {
    /// Records of one transaction.
    Data = 1,
    /// The whole catalog: numbers and names of types and fields.
    Schema = 2,
    /// Nothing: it only carries the watermark.
    SyncMark = 3,
    /// Nothing: the segment ends here, the next one continues.
    SegmentEnd = 4,
    /// A run of frames in which nothing is left (`codec/gap.rs`).
    Gap = 5,
}

/// Set on the sync mark of a clean close.
pub(crate) const FLAG_CLOSED: u8 = 1;
/// Set on a frame from whose body a rewrite erased something.
pub(crate) const FLAG_ERASED: u8 = 2;

impl FrameKind {
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        [
            FrameKind::Data,
            FrameKind::Schema,
            FrameKind::SyncMark,
            FrameKind::SegmentEnd,
            FrameKind::Gap,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
    }
}

/// Set when a request id follows the fixed part.
const FLAG_REQUEST: u8 = 4;

/// How frames and records of a segment are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Format 1.0: only read, and ended.
    First,
    /// Numbers take the bytes they need.
    #[default]
    Compact,
}

/// Bytes of the header of a new frame.
pub(crate) fn header_len(request_id: Option<RequestId>) -> usize {
    match request_id {
        Some(_) => FRAME_HEADER_BYTES,
        None => FRAME_HEADER_BYTES_MIN,
    }
}

/// Whether a frame could start with these bytes.
pub(crate) fn starts_frame(bytes: &[u8]) -> bool {
    bytes.len() >= FRAME_HEADER_BYTES_MIN
        && matches!(u32_at(bytes, 0), FRAME_MAGIC | FIRST_FRAME_MAGIC)
}

/// How long the header at the start of `bytes` says it is, intact or not: a header that was written in part may lack the
/// request id behind it.
pub(crate) fn claimed_header_len(bytes: &[u8]) -> u64 {
    let claims_request = match bytes.get(..FRAME_HEADER_BYTES_MIN) {
        Some(head) if u32_at(head, 0) == FIRST_FRAME_MAGIC => true,
        Some(head) => u32_at(head, 0) == FRAME_MAGIC && head[41] & FLAG_REQUEST != 0,
        None => false,
    };
    if claims_request {
        FRAME_HEADER_BYTES as u64
    } else {
        FRAME_HEADER_BYTES_MIN as u64
    }
}

/// A decoded frame header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) layout: Layout,
    pub(crate) kind: FrameKind,
    pub(crate) flags: u8,
    /// Length of the body, a multiple of eight.
    pub(crate) body_len: u32,
    pub(crate) lsn: Lsn,
    pub(crate) time_ms: i64,
    /// Highest LSN known durable when the frame was built.
    pub(crate) durable: Lsn,
    pub(crate) request_id: Option<RequestId>,
    /// Link of the frame before.
    pub(crate) link: u32,
    pub(crate) body_crc: u32,
}

impl FrameHeader {
    /// Bytes in front of the body.
    pub(crate) fn header_len(&self) -> u64 {
        match self.layout {
            Layout::First => FRAME_HEADER_BYTES as u64,
            Layout::Compact => header_len(self.request_id) as u64,
        }
    }

    /// Bytes of the whole frame.
    pub(crate) fn frame_len(&self) -> u64 {
        self.header_len() + u64::from(self.body_len)
    }

    /// What the next frame says about this one.
    pub(crate) fn own_link(&self) -> u32 {
        // In one piece: the processor's own instructions begin at sixteen bytes.
        let mut all = [0; 32];
        all[..8].copy_from_slice(&self.lsn.0.to_le_bytes());
        all[8..16].copy_from_slice(&self.time_ms.to_le_bytes());
        all[16..].copy_from_slice(&self.request_id.map_or(NO_REQUEST, |id| id.0));
        crc32fast::hash(&all)
    }

    /// The same header with a body that fills `extent` bytes of the file together with it; `None` where that is too little
    /// or too much.
    pub(crate) fn filling(mut self, extent: u64) -> Option<Self> {
        let body_len = extent.checked_sub(self.header_len())?;
        if body_len > FRAME_BYTES_MAX {
            return None;
        }
        self.body_len = body_len as u32;
        Some(self)
    }

    /// Appends the header for a frame at `offset` of a segment.
    pub(crate) fn put(&self, out: &mut Vec<u8>, salt: u64, offset: u64) {
        let start = out.len();
        let magic = match self.layout {
            Layout::First => FIRST_FRAME_MAGIC,
            Layout::Compact => FRAME_MAGIC,
        };
        out.extend_from_slice(&magic.to_le_bytes());
        out.extend_from_slice(&self.body_len.to_le_bytes());
        out.extend_from_slice(&self.lsn.0.to_le_bytes());
        out.extend_from_slice(&self.time_ms.to_le_bytes());
        out.extend_from_slice(&self.durable.0.to_le_bytes());
        if self.layout == Layout::First {
            out.extend_from_slice(&self.request_id.map_or(NO_REQUEST, |id| id.0));
        }
        out.extend_from_slice(&self.link.to_le_bytes());
        out.extend_from_slice(&self.body_crc.to_le_bytes());
        let request = match (self.layout, self.request_id) {
            (Layout::Compact, Some(id)) => Some(id.0),
            (Layout::Compact, None) | (Layout::First, _) => None,
        };
        let flag = if request.is_some() { FLAG_REQUEST } else { 0 };
        out.extend_from_slice(&[self.kind as u8, self.flags | flag, 0, 0]);
        let request = request.as_ref().map_or(&[][..], |id| &id[..]);
        let crc = header_crc(salt, offset, &out[start..], request);
        out.extend_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(request);
    }

    /// The header alone.
    #[cfg(test)]
    pub(crate) fn encode(&self, salt: u64, offset: u64) -> Vec<u8> {
        let mut out = Vec::new();
        self.put(&mut out, salt, offset);
        out
    }

    /// Reads the header at `offset` of a segment; `None` if these bytes are not an intact frame header.
    pub(crate) fn decode(bytes: &[u8], salt: u64, offset: u64) -> Option<Self> {
        if !starts_frame(bytes) {
            return None;
        }
        let (layout, request, rest) = match u32_at(bytes, 0) {
            FIRST_FRAME_MAGIC => (Layout::First, bytes.get(32..48)?, bytes.get(48..64)?),
            _ => {
                let rest = &bytes[32..48];
                let has_request = rest[9] & FLAG_REQUEST != 0;
                let request = if has_request { bytes.get(48..64)? } else { &[] };
                (Layout::Compact, request, rest)
            }
        };
        let (covered, behind) = match layout {
            Layout::First => (&bytes[..60], &[][..]),
            Layout::Compact => (&bytes[..44], request),
        };
        if u32_at(rest, 12) != header_crc(salt, offset, covered, behind)
            && !removed(Sabotage::FrameHeaderCheck)
        {
            return None;
        }
        let body_len = u32_at(bytes, 4);
        let kind = FrameKind::from_byte(rest[8])?;
        if u64::from(body_len) > FRAME_BYTES_MAX || !u64::from(body_len).is_multiple_of(ALIGN) {
            return None;
        }
        let request_id = <[u8; 16]>::try_from(request)
            .ok()
            .filter(|id| *id != NO_REQUEST);
        let flags = match layout {
            Layout::First => rest[9],
            Layout::Compact => rest[9] & !FLAG_REQUEST,
        };
        Some(FrameHeader {
            layout,
            kind,
            flags,
            body_len,
            lsn: Lsn(u64_at(bytes, 8)),
            time_ms: u64_at(bytes, 16) as i64,
            durable: Lsn(u64_at(bytes, 24)),
            request_id: request_id.map(RequestId),
            link: u32_at(rest, 0),
            body_crc: u32_at(rest, 4),
        })
    }
}

/// Over the place, the header up to its CRC, and the request id behind it.
fn header_crc(salt: u64, offset: u64, header: &[u8], request: &[u8]) -> u32 {
    let mut all = [0; 16 + 2 * FRAME_HEADER_BYTES];
    let (end, behind) = (16 + header.len(), 16 + header.len() + request.len());
    all[..8].copy_from_slice(&salt.to_le_bytes());
    all[8..16].copy_from_slice(&offset.to_le_bytes());
    all[16..end].copy_from_slice(header);
    all[end..behind].copy_from_slice(request);
    crc32fast::hash(&all[..behind])
}

/// The CRC of a frame's body.
pub(crate) fn body_crc(salt: u64, lsn: Lsn, body: &[u8]) -> u32 {
    let mut bound = [0; 16];
    bound[..8].copy_from_slice(&salt.to_le_bytes());
    bound[8..].copy_from_slice(&lsn.0.to_le_bytes());
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bound);
    hasher.update(body);
    hasher.finalize()
}
