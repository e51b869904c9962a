//! The 64-byte header of a frame. One frame is one transaction, a schema, a mark or a segment end.
//!
//! What must stay true: the header CRC covers the length and binds the frame to its segment (salt) and place (offset);
//! the body CRC binds the body to its LSN; the link is made of header fields only, so it survives a redacted body.

use super::cursor::{u32_at, u64_at};
use crate::limits::{ALIGN, FRAME_BYTES_MAX};
use crate::sabotage::{Sabotage, removed};
use crate::value::{Lsn, RequestId};

/// Bytes of a frame header.
pub(crate) const FRAME_HEADER_BYTES: usize = 64;
/// Starts every frame; lets a scan find the next one behind damage.
pub(crate) const FRAME_MAGIC: u32 = u32::from_le_bytes([0xF7, b'F', b'r', 0x9C]);
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
}

/// Set on the sync mark of a clean close.
pub(crate) const FLAG_CLOSED: u8 = 1;

impl FrameKind {
    fn from_byte(byte: u8) -> Option<Self> {
        [
            FrameKind::Data,
            FrameKind::Schema,
            FrameKind::SyncMark,
            FrameKind::SegmentEnd,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
    }
}

/// A decoded frame header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
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
    /// Bytes of the whole frame.
    pub(crate) fn frame_len(&self) -> u64 {
        FRAME_HEADER_BYTES as u64 + u64::from(self.body_len)
    }

    /// What the next frame says about this one.
    pub(crate) fn own_link(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&self.lsn.0.to_le_bytes());
        hasher.update(&self.time_ms.to_le_bytes());
        hasher.update(&self.request_id.map_or(NO_REQUEST, |id| id.0));
        hasher.finalize()
    }

    pub(crate) fn encode(&self, salt: u64, offset: u64) -> [u8; FRAME_HEADER_BYTES] {
        let mut out = [0; FRAME_HEADER_BYTES];
        out[0..4].copy_from_slice(&FRAME_MAGIC.to_le_bytes());
        out[4..8].copy_from_slice(&self.body_len.to_le_bytes());
        out[8..16].copy_from_slice(&self.lsn.0.to_le_bytes());
        out[16..24].copy_from_slice(&self.time_ms.to_le_bytes());
        out[24..32].copy_from_slice(&self.durable.0.to_le_bytes());
        out[32..48].copy_from_slice(&self.request_id.map_or(NO_REQUEST, |id| id.0));
        out[48..52].copy_from_slice(&self.link.to_le_bytes());
        out[52..56].copy_from_slice(&self.body_crc.to_le_bytes());
        out[56] = self.kind as u8;
        out[57] = self.flags;
        let crc = header_crc(salt, offset, &out);
        out[60..64].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads the header at `offset` of a segment; `None` if these bytes are not an intact frame header.
    pub(crate) fn decode(bytes: &[u8], salt: u64, offset: u64) -> Option<Self> {
        let bytes = bytes.get(..FRAME_HEADER_BYTES)?;
        if u32_at(bytes, 0) != FRAME_MAGIC
            || (u32_at(bytes, 60) != header_crc(salt, offset, bytes)
                && !removed(Sabotage::FrameHeaderCheck))
        {
            return None;
        }
        let body_len = u32_at(bytes, 4);
        let kind = FrameKind::from_byte(bytes[56])?;
        if u64::from(body_len) > FRAME_BYTES_MAX || !u64::from(body_len).is_multiple_of(ALIGN) {
            return None;
        }
        let mut request_id = NO_REQUEST;
        request_id.copy_from_slice(&bytes[32..48]);
        Some(FrameHeader {
            kind,
            flags: bytes[57],
            body_len,
            lsn: Lsn(u64_at(bytes, 8)),
            time_ms: u64_at(bytes, 16) as i64,
            durable: Lsn(u64_at(bytes, 24)),
            request_id: (request_id != NO_REQUEST).then_some(RequestId(request_id)),
            link: u32_at(bytes, 48),
            body_crc: u32_at(bytes, 52),
        })
    }
}

fn header_crc(salt: u64, offset: u64, header: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(&offset.to_le_bytes());
    hasher.update(&header[..60]);
    hasher.finalize()
}

/// The CRC of a frame's body.
pub(crate) fn body_crc(salt: u64, lsn: Lsn, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(&lsn.0.to_le_bytes());
    hasher.update(body);
    hasher.finalize()
}
