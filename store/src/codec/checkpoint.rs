//! The bytes around a checkpoint's content: header page, directory of sections, CRCs of blocks.
//!
//! What must stay true: every byte of the file is covered by a CRC that is bound to this file (salt) and, for blocks, to
//! its place; anything that is not exactly what `encode` writes is refused.

use super::cursor::{Cursor, Undecodable, u32_at};
use super::frame::FrameKind;
use crate::limits::{CHECKPOINT_BLOCK_BYTES, CHECKPOINT_HEADER_BYTES, CHECKPOINT_SECTIONS_MAX};
use crate::sabotage::{Sabotage, removed};
use crate::value::Lsn;

const MAGIC: [u8; 16] = [
    0x89, b'F', b'L', b'I', b'N', b' ', b'i', b'd', b'x', 0x0D, 0x0A, 0x1A, 0x0A, 0xC3, 0x28, 0x00,
];
const FORMAT_MAJOR: u16 = 1;
const FORMAT_MINOR: u16 = 0;
const CRC_AT: usize = CHECKPOINT_HEADER_BYTES as usize - 4;

/// The place in the log that a checkpoint reaches to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// The last frame covered.
    pub(crate) lsn: Lsn,
    /// Its commit time.
    pub(crate) time_ms: i64,
    /// Its link.
    pub(crate) link: u32,
    /// Its kind and flags.
    pub(crate) last: Option<(FrameKind, u8)>,
    /// Number, epoch and salt of the segment it stands in.
    pub(crate) segment: u64,
    pub(crate) epoch: u32,
    pub(crate) segment_salt: u64,
    /// Where it starts, and where the next frame belongs.
    pub(crate) frame_at: u64,
    pub(crate) next_at: u64,
}

/// What a checkpoint says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CheckpointHeader {
    pub(crate) store_id: [u8; 16],
    /// Random; seeds the CRCs of this file.
    pub(crate) salt: u64,
    pub(crate) file_len: u64,
    pub(crate) reach: Reach,
    /// The last data frame covered.
    pub(crate) published: Lsn,
    pub(crate) catalog_version: u16,
    /// CRC of the last frame as it stands in the log, over `salt`.
    pub(crate) anchor: u32,
    pub(crate) sections: u32,
    pub(crate) directory_len: u64,
    pub(crate) directory_crc: u32,
    pub(crate) created_at_ms: i64,
}

/// A named part of the content; `offset` counts from the first block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SectionPlace {
    pub(crate) name: String,
    pub(crate) offset: u64,
    pub(crate) len: u64,
}

/// CRC over the salt of a checkpoint and some bytes.
pub(crate) fn salted_crc(salt: u64, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

/// CRC of a block at its place.
pub(crate) fn block_crc(salt: u64, number: u64, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(&number.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

impl CheckpointHeader {
    /// Where the first block starts.
    pub(crate) fn data_at(&self) -> u64 {
        data_at(self.directory_len)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let reach = &self.reach;
        let mut out = Vec::with_capacity(CHECKPOINT_HEADER_BYTES as usize);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&FORMAT_MAJOR.to_le_bytes());
        out.extend_from_slice(&FORMAT_MINOR.to_le_bytes());
        out.extend_from_slice(&0u32.to_le_bytes()); // incompatible features
        out.extend_from_slice(&(CHECKPOINT_BLOCK_BYTES as u32).to_le_bytes());
        out.extend_from_slice(&reach.epoch.to_le_bytes());
        out.extend_from_slice(&self.store_id);
        out.extend_from_slice(&self.salt.to_le_bytes());
        out.extend_from_slice(&self.file_len.to_le_bytes());
        out.extend_from_slice(&reach.lsn.0.to_le_bytes());
        out.extend_from_slice(&self.published.0.to_le_bytes());
        out.extend_from_slice(&reach.time_ms.to_le_bytes());
        out.extend_from_slice(&reach.link.to_le_bytes());
        let (kind, flags) = reach
            .last
            .map_or((0, 0), |(kind, flags)| (kind as u8, flags));
        out.extend_from_slice(&[kind, flags]);
        out.extend_from_slice(&self.catalog_version.to_le_bytes());
        out.extend_from_slice(&reach.segment.to_le_bytes());
        out.extend_from_slice(&reach.next_at.to_le_bytes());
        out.extend_from_slice(&reach.segment_salt.to_le_bytes());
        out.extend_from_slice(&reach.frame_at.to_le_bytes());
        out.extend_from_slice(&self.anchor.to_le_bytes());
        out.extend_from_slice(&self.sections.to_le_bytes());
        out.extend_from_slice(&self.directory_len.to_le_bytes());
        out.extend_from_slice(&self.directory_crc.to_le_bytes());
        out.extend_from_slice(&self.created_at_ms.to_le_bytes());
        out.resize(CRC_AT, 0);
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads a header page; the error says what was found instead of one.
    pub(crate) fn decode(page: &[u8]) -> Result<Self, &'static str> {
        if page.len() < CHECKPOINT_HEADER_BYTES as usize || page[..MAGIC.len()] != MAGIC {
            return Err("it does not start as a checkpoint does");
        }
        if crc32fast::hash(&page[..CRC_AT]) != u32_at(page, CRC_AT)
            && !removed(Sabotage::CheckpointHeaderCheck)
        {
            return Err("its header fails its checksum");
        }
        Self::decode_fields(&mut Cursor::new(&page[MAGIC.len()..CRC_AT]))
            .map_err(|_| "its header does not decode")?
    }

    fn decode_fields(cursor: &mut Cursor<'_>) -> Result<Result<Self, &'static str>, Undecodable> {
        let (major, _minor) = (cursor.u16("format")?, cursor.u16("format")?);
        let (features, block) = (cursor.u32("features")?, cursor.u32("block length")?);
        if major != FORMAT_MAJOR || features != 0 || u64::from(block) != CHECKPOINT_BLOCK_BYTES {
            return Ok(Err("it has a format that this program does not know"));
        }
        let epoch = cursor.u32("epoch")?;
        let store_id = cursor.bytes16("store id")?;
        let (salt, file_len) = (cursor.u64("salt")?, cursor.u64("length")?);
        let (lsn, published) = (Lsn(cursor.u64("lsn")?), Lsn(cursor.u64("published")?));
        let (time_ms, link) = (cursor.i64("time")?, cursor.u32("link")?);
        let (kind, flags) = (cursor.u8("kind")?, cursor.u8("flags")?);
        let catalog_version = cursor.u16("catalog version")?;
        let reach = Reach {
            lsn,
            time_ms,
            link,
            last: FrameKind::from_byte(kind).map(|kind| (kind, flags)),
            segment: cursor.u64("segment")?,
            epoch,
            next_at: cursor.u64("position")?,
            segment_salt: cursor.u64("segment salt")?,
            frame_at: cursor.u64("last frame")?,
        };
        Ok(Ok(CheckpointHeader {
            store_id,
            salt,
            file_len,
            reach,
            published,
            catalog_version,
            anchor: cursor.u32("anchor")?,
            sections: cursor.u32("sections")?,
            directory_len: cursor.u64("directory")?,
            directory_crc: cursor.u32("directory CRC")?,
            created_at_ms: cursor.i64("creation time")?,
        }))
    }
}

/// Where the blocks start behind a directory of `directory_len` bytes.
pub(crate) fn data_at(directory_len: u64) -> u64 {
    (CHECKPOINT_HEADER_BYTES + directory_len).next_multiple_of(CHECKPOINT_HEADER_BYTES)
}

/// Bytes of a directory.
pub(crate) fn directory_len(sections: &[SectionPlace], blocks: u64) -> u64 {
    let names: usize = sections
        .iter()
        .map(|section| 2 + section.name.len() + 16)
        .sum();
    names as u64 + 4 * blocks
}

/// The directory with the zeros behind it, up to the first block.
pub(crate) fn encode_directory(sections: &[SectionPlace], crcs: &[u32]) -> Vec<u8> {
    let mut out = Vec::new();
    for section in sections {
        out.extend_from_slice(&(section.name.len() as u16).to_le_bytes());
        out.extend_from_slice(section.name.as_bytes());
        out.extend_from_slice(&section.offset.to_le_bytes());
        out.extend_from_slice(&section.len.to_le_bytes());
    }
    crcs.iter()
        .for_each(|crc| out.extend_from_slice(&crc.to_le_bytes()));
    let padded = data_at(out.len() as u64) - CHECKPOINT_HEADER_BYTES;
    out.resize(padded as usize, 0);
    out
}

/// Sections, and the CRC of each block, from the first `len` bytes. Every section lies in the `data_len` bytes of the blocks.
pub(crate) fn decode_directory(
    bytes: &[u8],
    len: u64,
    sections: u32,
    data_len: u64,
) -> Result<(Vec<SectionPlace>, Vec<u32>), Undecodable> {
    let expected = "a directory of sections";
    if sections > CHECKPOINT_SECTIONS_MAX {
        return Err(Undecodable { expected });
    }
    let bytes = bytes.get(..len as usize).ok_or(Undecodable { expected })?;
    let mut cursor = Cursor::new(bytes);
    let mut places = Vec::new();
    for _ in 0..sections {
        let len = usize::from(cursor.u16(expected)?);
        let name = std::str::from_utf8(cursor.take(len, expected)?);
        let place = SectionPlace {
            name: name.map_err(|_| Undecodable { expected })?.to_owned(),
            offset: cursor.u64(expected)?,
            len: cursor.u64(expected)?,
        };
        let end = place.offset.checked_add(place.len);
        if end.is_none_or(|end| end > data_len) {
            return Err(Undecodable { expected });
        }
        places.push(place);
    }
    let blocks = data_len.div_ceil(CHECKPOINT_BLOCK_BYTES);
    if cursor.left() as u64 != 4 * blocks {
        return Err(Undecodable { expected });
    }
    let crcs = (0..blocks).map(|_| cursor.u32(expected));
    Ok((places, crcs.collect::<Result<_, _>>()?))
}
