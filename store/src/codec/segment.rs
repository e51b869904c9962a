//! The 4 KiB header of a segment file.
//!
//! What must stay true: recovery believes this header and not the file's name; a reader refuses incompatible feature
//! bits it does not know; every byte of the page is covered by the CRC.

use super::cursor::{Cursor, Undecodable, u32_at};
use super::frame::Layout;
use crate::limits::SEGMENT_HEADER_BYTES;
use crate::sabotage::{Sabotage, removed};
use crate::value::Lsn;

/// Not text in any encoding; CR LF, 0x1A and LF are changed by transfers that think it is.
const MAGIC: [u8; 16] = [
    0x89, b'F', b'L', b'I', b'N', b' ', b'l', b'o', b'g', 0x0D, 0x0A, 0x1A, 0x0A, 0xC3, 0x28, 0x00,
];
const FORMAT_MAJOR: u16 = 1;
const FORMAT_MINOR: u16 = 0;
const CHECKSUM_CRC32_IEEE: u32 = 1;
/// Incompatible feature: a rewrite erased records of the segment.
pub(crate) const HAS_ERASED: u32 = 1;
/// Incompatible feature: the segment has gap frames.
pub(crate) const HAS_GAPS: u32 = 2;
/// Incompatible: frames, records and values take the bytes they need ([`Layout::Compact`]).
const FEATURE_COMPACT: u32 = 4;
/// Incompatible features this build knows.
const KNOWN_INCOMPATIBLE: u32 = HAS_ERASED | HAS_GAPS | FEATURE_COMPACT;
/// Features that allow reading but not writing by builds that do not know them: none yet.
const KNOWN_READ_ONLY: u32 = 0;
const CRC_AT: usize = SEGMENT_HEADER_BYTES as usize - 4;

/// What a segment says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) layout: Layout,
    /// What a rewrite made of it: `HAS_ERASED`, `HAS_GAPS`.
    pub(crate) features: u32,
    pub(crate) store_id: [u8; 16],
    /// From 1, +1 each.
    pub(crate) number: u64,
    /// From 1, +1 at each cut.
    pub(crate) epoch: u32,
    pub(crate) first_lsn: Lsn,
    /// Random; seeds every CRC of the segment, so that bytes of another one never validate.
    pub(crate) salt: u64,
    pub(crate) created_at_ms: i64,
    /// Length of the file.
    pub(crate) capacity: u64,
    /// Where the frames of the previous segment logically end (0 for the first segment).
    pub(crate) previous_end: u64,
    /// Link of the last frame before this segment.
    pub(crate) previous_link: u32,
    /// How often the segment was rewritten: tells copies of it apart.
    pub(crate) rewrites: u32,
    /// Last commit time before this segment.
    pub(crate) previous_time_ms: i64,
}

/// Why a header was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HeaderError {
    /// Not a header, or a damaged one.
    Damaged,
    /// A header of a format this build does not read.
    Unsupported(String),
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SEGMENT_HEADER_BYTES as usize);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&FORMAT_MAJOR.to_le_bytes());
        out.extend_from_slice(&FORMAT_MINOR.to_le_bytes());
        let compact = match self.layout {
            Layout::First => 0,
            Layout::Compact => FEATURE_COMPACT,
        };
        out.extend_from_slice(&(self.features | compact).to_le_bytes());
        out.extend_from_slice(&0u32.to_le_bytes()); // read-only features
        out.extend_from_slice(&0u32.to_le_bytes()); // compatible features
        out.extend_from_slice(&self.store_id);
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.epoch.to_le_bytes());
        out.extend_from_slice(&CHECKSUM_CRC32_IEEE.to_le_bytes());
        out.extend_from_slice(&self.first_lsn.0.to_le_bytes());
        out.extend_from_slice(&self.salt.to_le_bytes());
        out.extend_from_slice(&self.created_at_ms.to_le_bytes());
        out.extend_from_slice(&self.capacity.to_le_bytes());
        out.extend_from_slice(&self.previous_end.to_le_bytes());
        out.extend_from_slice(&self.previous_link.to_le_bytes());
        out.extend_from_slice(&self.rewrites.to_le_bytes());
        out.extend_from_slice(&self.previous_time_ms.to_le_bytes());
        out.extend_from_slice(&[0; 16]); // key id
        out.resize(CRC_AT, 0);
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    pub(crate) fn decode(page: &[u8]) -> Result<Self, HeaderError> {
        if page.len() < SEGMENT_HEADER_BYTES as usize || page[..MAGIC.len()] != MAGIC {
            return Err(HeaderError::Damaged);
        }
        if crc32fast::hash(&page[..CRC_AT]) != u32_at(page, CRC_AT)
            && !removed(Sabotage::SegmentHeaderCheck)
        {
            return Err(HeaderError::Damaged);
        }
        Self::decode_fields(&page[MAGIC.len()..CRC_AT]).map_err(|_| HeaderError::Damaged)?
    }

    fn decode_fields(bytes: &[u8]) -> Result<Result<Self, HeaderError>, Undecodable> {
        let mut cursor = Cursor::new(bytes);
        let major = cursor.u16("format")?;
        let minor = cursor.u16("format")?;
        let incompatible = cursor.u32("features")?;
        let read_only = cursor.u32("features")?;
        let _compatible = cursor.u32("features")?;
        if major != FORMAT_MAJOR {
            return Ok(Err(HeaderError::Unsupported(format!(
                "its format is {major}.{minor}, this program reads {FORMAT_MAJOR}.x; use a newer program"
            ))));
        }
        let unknown = (incompatible & !KNOWN_INCOMPATIBLE) | (read_only & !KNOWN_READ_ONLY);
        if unknown != 0 {
            return Ok(Err(HeaderError::Unsupported(format!(
                "it uses features this program does not know (bits {unknown:#x}); use a newer program"
            ))));
        }
        let store_id = cursor.bytes16("store id")?;
        let number = cursor.u64("number")?;
        let epoch = cursor.u32("epoch")?;
        let checksum = cursor.u32("checksum kind")?;
        if checksum != CHECKSUM_CRC32_IEEE {
            return Ok(Err(HeaderError::Unsupported(format!(
                "its checksum kind {checksum} is unknown"
            ))));
        }
        let first_lsn = Lsn(cursor.u64("first lsn")?);
        let salt = cursor.u64("salt")?;
        let created_at_ms = cursor.i64("creation time")?;
        let capacity = cursor.u64("capacity")?;
        let previous_end = cursor.u64("previous end")?;
        let previous_link = cursor.u32("previous link")?;
        let rewrites = cursor.u32("rewrite count")?;
        let previous_time_ms = cursor.i64("previous time")?;
        let layout = if incompatible & FEATURE_COMPACT == 0 {
            Layout::First
        } else {
            Layout::Compact
        };
        Ok(Ok(SegmentHeader {
            layout,
            features: incompatible & !FEATURE_COMPACT,
            store_id,
            number,
            epoch,
            first_lsn,
            salt,
            created_at_ms,
            capacity,
            previous_end,
            previous_link,
            rewrites,
            previous_time_ms,
        }))
    }
}
