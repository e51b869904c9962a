//! Looking at the bytes of one segment: the frame at a place, the next frame behind damage, and the verdict over a tail.
//!
//! The verdict is the heart of recovery: is a bad frame the torn end of a write nobody was told about, or damage to
//! something acknowledged? What must stay true: it is decided by the watermarks in the frames wherever they reach,
//! and by the all-zero-sector test only above the highest watermark.

use crate::codec::frame::{
    FRAME_HEADER_BYTES_MIN, FrameHeader, body_crc, claimed_header_len, starts_frame,
};
use crate::error::DamageKind;
use crate::limits::{ALIGN, SECTOR_BYTES};
use crate::sabotage::{Sabotage, removed};
use crate::value::Lsn;

/// What stands at a place of a segment.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// An intact frame.
    Frame(FrameHeader, &'a [u8]),
    /// Zeros where a frame header would be (or too few bytes left for one).
    Nothing,
    /// Bytes that are no intact frame; the header if at least that is intact.
    Bad(DamageKind, Option<FrameHeader>),
}

/// Looks at `offset` of a segment whose readable bytes are `bytes`.
pub(crate) fn frame_at(bytes: &[u8], salt: u64, offset: u64) -> Found<'_> {
    let at = offset as usize;
    let Some(head) = bytes.get(at..at + FRAME_HEADER_BYTES_MIN) else {
        return Found::Nothing;
    };
    if head.iter().all(|byte| *byte == 0) {
        return Found::Nothing;
    }
    let Some(header) = FrameHeader::decode(&bytes[at..], salt, offset) else {
        return Found::Bad(DamageKind::FrameHeader, None);
    };
    let body_at = at + header.header_len() as usize;
    match bytes.get(body_at..body_at + header.body_len as usize) {
        Some(body)
            if body_crc(salt, header.lsn, body) == header.body_crc
                || removed(Sabotage::FrameBodyCheck) =>
        {
            Found::Frame(header, body)
        }
        Some(_) | None => Found::Bad(DamageKind::FrameBody, Some(header)),
    }
}

/// The next intact frame header at or after `from`.
pub(crate) fn next_header(bytes: &[u8], salt: u64, from: u64) -> Option<(u64, FrameHeader)> {
    let mut at = from.next_multiple_of(ALIGN) as usize;
    while at + FRAME_HEADER_BYTES_MIN <= bytes.len() {
        if starts_frame(&bytes[at..])
            && let Some(header) = FrameHeader::decode(&bytes[at..], salt, at as u64)
        {
            return Some((at as u64, header));
        }
        at += ALIGN as usize;
    }
    None
}

/// What is true about the end of the newest segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TailVerdict {
    /// Nothing but zeros behind the last frame.
    Clean,
    /// An unacknowledged write was torn: logically the log ends here; bytes up to `until` are left over.
    Torn { until: u64 },
    /// Something acknowledged is damaged.
    Damaged(DamageKind),
}

/// Judges the tail that starts at `offset`, where the frame `expected` should stand but no intact frame does.
/// `durable` is the highest LSN known durable from everything read so far.
pub(crate) fn judge_tail(
    bytes: &[u8],
    salt: u64,
    offset: u64,
    expected: Lsn,
    durable: Lsn,
) -> TailVerdict {
    let tail = &bytes[(offset as usize).min(bytes.len())..];
    let Some(last) = last_nonzero(tail) else {
        return if expected <= durable {
            TailVerdict::Damaged(DamageKind::Missing { durable })
        } else {
            TailVerdict::Clean
        };
    };
    let until = offset + (last as u64 + 1).next_multiple_of(ALIGN);
    let (kind, header) = match frame_at(bytes, salt, offset) {
        Found::Bad(kind, header) => (kind, header),
        Found::Nothing => (DamageKind::FrameHeader, None),
        Found::Frame(header, _) => (DamageKind::WrongLsn { found: header.lsn }, Some(header)),
    };
    if expected <= durable.max(watermark_behind(bytes, salt, offset)) {
        return TailVerdict::Damaged(kind);
    }
    let extent_end = match &header {
        Some(header) => offset + header.frame_len(),
        // The length is unknown, but the header was written as a whole: its missing half counts.
        None => {
            let at_least = until.max(offset + claimed_header_len(tail));
            next_header(bytes, salt, offset + ALIGN)
                .map_or(at_least, |(next, _)| next.min(at_least))
        }
    };
    let extent_end = extent_end.min(bytes.len() as u64);
    let torn = has_zero_sector(bytes, offset, extent_end) || removed(Sabotage::ZeroSectorRule);
    if torn && !removed(Sabotage::TornTails) {
        TailVerdict::Torn {
            until: until.min(bytes.len() as u64),
        }
    } else {
        TailVerdict::Damaged(kind)
    }
}

/// The same for the newest segment when its file is shorter than it was made: what stood behind the file's end counts
/// as never arrived, unless a watermark proves otherwise. Nothing is appended to such a file: its end is a cut.
pub(crate) fn judge_shortened(
    bytes: &[u8],
    salt: u64,
    offset: u64,
    expected: Lsn,
    durable: Lsn,
    capacity: u64,
) -> TailVerdict {
    let file_end = bytes.len() as u64;
    let kind = match judge_tail(bytes, salt, offset, expected, durable) {
        torn @ TailVerdict::Torn { .. } => return torn,
        TailVerdict::Clean => {
            return TailVerdict::Torn {
                until: (offset + ALIGN).min(file_end),
            };
        }
        TailVerdict::Damaged(DamageKind::Missing { .. }) => {
            return TailVerdict::Damaged(DamageKind::Shortened {
                expected: capacity,
                found: file_end,
            });
        }
        TailVerdict::Damaged(kind) => kind,
    };
    let reaches_beyond_file = match frame_at(bytes, salt, offset) {
        Found::Bad(_, Some(header)) => offset + header.frame_len() > file_end,
        Found::Bad(_, None) | Found::Nothing => {
            let tail = bytes.get(offset as usize..).unwrap_or_default();
            offset + claimed_header_len(tail) > file_end
        }
        Found::Frame(..) => false,
    };
    let proven = expected <= durable.max(watermark_behind(bytes, salt, offset));
    if reaches_beyond_file && !proven {
        TailVerdict::Torn { until: file_end }
    } else {
        TailVerdict::Damaged(kind)
    }
}

/// The highest watermark in any intact frame header behind `offset`.
fn watermark_behind(bytes: &[u8], salt: u64, offset: u64) -> Lsn {
    let mut highest = Lsn(0);
    let mut from = offset;
    while let Some((at, header)) = next_header(bytes, salt, from) {
        if !removed(Sabotage::Watermark) {
            highest = highest.max(header.durable);
        }
        from = at + ALIGN;
    }
    highest
}

/// Whether any sector's part of `start..end` is all zeros: a part of the write that never arrived.
fn has_zero_sector(bytes: &[u8], start: u64, end: u64) -> bool {
    let mut at = start;
    while at < end {
        let sector_end = (at / SECTOR_BYTES + 1) * SECTOR_BYTES;
        let part = &bytes[at as usize..sector_end.min(end) as usize];
        if part.iter().all(|byte| *byte == 0) {
            return true;
        }
        at = sector_end;
    }
    false
}

/// Position of the last byte that is not zero.
pub(crate) fn last_nonzero(bytes: &[u8]) -> Option<usize> {
    // Whole blocks first, compared as memory: a prepared segment ends with megabytes of zeros.
    static ZEROS: [u8; 4096] = [0; 4096];
    let mut end = bytes.len();
    while end >= ZEROS.len() && bytes[end - ZEROS.len()..end] == ZEROS {
        end -= ZEROS.len();
    }
    bytes[..end].iter().rposition(|byte| *byte != 0)
}
