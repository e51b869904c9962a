//! What stands in a checkpoint, taken at one moment, and its small sections as bytes.
//!
//! What must stay true: everything here is as of the same LSN; decoding refuses what does not fit together.

use std::sync::Arc;

use crate::checkpoint::mapped::Section;
use crate::checkpoint::sections::FrozenSection;
use crate::codec::checkpoint::Reach;
use crate::codec::cursor::{Cursor, Undecodable, u32_at};
use crate::codec::record::{Place, TypeNo};
use crate::heads::{HEAD_BYTES, Head, PAGE_BYTES, PAGE_HEADS};
use crate::index::{FrozenType, Receipt};
use crate::limits::{ENTITY_ID_MAX, REQUEST_IDS_MAX, TYPES_MAX};
use crate::log::commit_log::Position;
use crate::report::LogCounts;
use crate::segments::Segment;
use crate::times::TimeEntry;
use crate::value::{EntityId, Lsn};

/// Names of the sections.
pub(crate) const CATALOG: &str = "catalog";
pub(crate) const COUNTS: &str = "counts";
pub(crate) const TYPES: &str = "types";
pub(crate) const PAGES: &str = "pages";
pub(crate) const HEADS: &str = "heads";
pub(crate) const REQUESTS: &str = "requests";
pub(crate) const RECEIPTS: &str = "receipts";
pub(crate) const TIMES: &str = "times";

/// A request id and its transaction.
pub(crate) type RequestEntry = ([u8; 16], Position);

/// The state at one moment.
pub(crate) struct Content {
    pub(crate) store_id: [u8; 16],
    pub(crate) created_at_ms: i64,
    pub(crate) salt: u64,
    pub(crate) reach: Reach,
    /// The segment of the position; the last frame is read from it.
    pub(crate) segment: Arc<Segment>,
    pub(crate) published: Lsn,
    /// Version, and the body of the newest schema frame.
    pub(crate) catalog: (u16, Arc<Vec<u8>>),
    pub(crate) counts: LogCounts,
    pub(crate) types: Vec<(TypeNo, FrozenType)>,
    pub(crate) requests: Vec<RequestEntry>,
    pub(crate) times: Vec<TimeEntry>,
    pub(crate) sections: Vec<FrozenSection>,
}

/// A page: its type and its number.
pub(crate) type PageOfType = (TypeNo, u32);

/// A type's line in `types`.
pub(crate) struct TypeLine {
    pub(crate) number: TypeNo,
    pub(crate) pages: u32,
    pub(crate) max_id: u64,
    pub(crate) live: u64,
    pub(crate) last_lsn: Lsn,
}

const COUNT_FIELDS: usize = 12;

pub(crate) fn encode_counts(counts: &LogCounts) -> Vec<u8> {
    let all: [u64; COUNT_FIELDS] = [
        counts.frames,
        counts.transactions,
        counts.schemas,
        counts.sync_marks,
        counts.segment_ends,
        counts.creates,
        counts.updates,
        counts.deletes,
        counts.restores,
        counts.destroys,
        counts.erased,
        counts.gaps,
    ];
    all.iter().flat_map(|count| count.to_le_bytes()).collect()
}

pub(crate) fn decode_counts(bytes: &[u8]) -> Result<LogCounts, Undecodable> {
    let expected = "counts";
    let mut cursor = Cursor::new(bytes);
    Ok(LogCounts {
        frames: cursor.u64(expected)?,
        transactions: cursor.u64(expected)?,
        schemas: cursor.u64(expected)?,
        sync_marks: cursor.u64(expected)?,
        segment_ends: cursor.u64(expected)?,
        creates: cursor.u64(expected)?,
        updates: cursor.u64(expected)?,
        deletes: cursor.u64(expected)?,
        restores: cursor.u64(expected)?,
        destroys: cursor.u64(expected)?,
        erased: cursor.u64(expected)?,
        gaps: cursor.u64(expected)?,
    })
}

pub(crate) fn encode_types(types: &[(TypeNo, FrozenType)]) -> (Vec<u8>, Vec<u8>) {
    let (mut lines, mut pages) = (Vec::new(), Vec::new());
    for (number, ty) in types {
        let before = pages.len();
        ty.page_numbers()
            .for_each(|page| pages.extend_from_slice(&page.to_le_bytes()));
        lines.extend_from_slice(&number.0.to_le_bytes());
        lines.extend_from_slice(&(((pages.len() - before) / 4) as u32).to_le_bytes());
        lines.extend_from_slice(&ty.max_id.to_le_bytes());
        lines.extend_from_slice(&ty.live.to_le_bytes());
        lines.extend_from_slice(&ty.last_lsn.0.to_le_bytes());
    }
    (lines, pages)
}

/// The types, and all pages with type and page number, in the order of the heads.
pub(crate) fn decode_types(
    types: &[u8],
    pages: &[u8],
    heads: &Section,
) -> Result<(Vec<TypeLine>, Vec<PageOfType>), Undecodable> {
    let expected = "types and their pages";
    let refused = Undecodable { expected };
    let mut cursor = Cursor::new(types);
    let mut lines: Vec<TypeLine> = Vec::new();
    let mut slots = Vec::with_capacity(pages.len() / 4);
    while cursor.left() > 0 {
        let line = TypeLine {
            number: TypeNo(cursor.u32(expected)?),
            pages: cursor.u32(expected)?,
            max_id: cursor.u64(expected)?,
            live: cursor.u64(expected)?,
            last_lsn: Lsn(cursor.u64(expected)?),
        };
        let follows = lines.last().map_or(0, |last| last.number.0) < line.number.0;
        if !follows || line.number.0 > TYPES_MAX as u32 || line.max_id > ENTITY_ID_MAX {
            return Err(refused);
        }
        let at = 4 * slots.len();
        let own = pages.get(at..at + 4 * line.pages as usize).ok_or(refused)?;
        let mut before = None;
        for page in own.chunks_exact(4).map(|page| u32_at(page, 0)) {
            let last_page = line.max_id / PAGE_HEADS as u64;
            if before.is_some_and(|before| before >= page) || u64::from(page) > last_page {
                return Err(refused);
            }
            before = Some(page);
            slots.push((line.number, page));
        }
        lines.push(line);
    }
    let fits = slots.len() * 4 == pages.len() && (slots.len() * PAGE_BYTES) as u64 == heads.len();
    if fits {
        Ok((lines, slots))
    } else {
        Err(refused)
    }
}

/// Receipts of all types: type, zeros, record, LSN, time, last head.
pub(crate) fn encode_receipts(types: &[(TypeNo, FrozenType)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, ty) in types {
        for receipt in &ty.receipts {
            out.extend_from_slice(&u64::from(number.0).to_le_bytes());
            out.extend_from_slice(&receipt.id.0.to_le_bytes());
            out.extend_from_slice(&receipt.lsn.0.to_le_bytes());
            out.extend_from_slice(&receipt.time_ms.to_le_bytes());
            out.extend_from_slice(&receipt.last.encode());
        }
    }
    out
}

pub(crate) fn decode_receipts(bytes: &[u8]) -> Result<Vec<(TypeNo, Receipt)>, Undecodable> {
    let expected = "receipts";
    let mut cursor = Cursor::new(bytes);
    let mut receipts = Vec::new();
    while cursor.left() > 0 {
        let number = cursor.u64(expected)?;
        let (id, lsn) = (EntityId(cursor.u64(expected)?), Lsn(cursor.u64(expected)?));
        let time_ms = cursor.i64(expected)?;
        let last = Head::decode(cursor.take(HEAD_BYTES, expected)?);
        if !(1..=TYPES_MAX as u64).contains(&number) {
            return Err(Undecodable { expected });
        }
        let receipt = Receipt {
            id,
            last: last.ok_or(Undecodable { expected })?,
            lsn,
            time_ms,
        };
        receipts.push((TypeNo(number as u32), receipt));
    }
    Ok(receipts)
}

const REQUEST_BYTES: usize = 32;

fn put_place(out: &mut Vec<u8>, place: Place) {
    out.extend_from_slice(&place.segment.to_le_bytes());
    out.extend_from_slice(&place.offset.to_le_bytes());
}

fn take_place(cursor: &mut Cursor<'_>) -> Result<Place, Undecodable> {
    Ok(Place {
        segment: cursor.u32("a segment number")?,
        offset: cursor.u32("an offset")?,
    })
}

pub(crate) fn encode_requests(requests: &[RequestEntry]) -> Vec<u8> {
    let mut out = Vec::with_capacity(REQUEST_BYTES * requests.len());
    for (id, position) in requests {
        out.extend_from_slice(id);
        out.extend_from_slice(&position.lsn.0.to_le_bytes());
        put_place(&mut out, position.place);
    }
    out
}

pub(crate) fn decode_requests(bytes: &[u8]) -> Result<Vec<RequestEntry>, Undecodable> {
    let expected = "request ids";
    if bytes.len() > REQUEST_BYTES * REQUEST_IDS_MAX {
        return Err(Undecodable { expected });
    }
    let mut cursor = Cursor::new(bytes);
    let mut requests = Vec::with_capacity(bytes.len() / REQUEST_BYTES);
    while cursor.left() > 0 {
        let id = cursor.bytes16(expected)?;
        let lsn = Lsn(cursor.u64(expected)?);
        let place = take_place(&mut cursor)?;
        requests.push((id, Position { lsn, place }));
    }
    Ok(requests)
}

pub(crate) fn encode_times(times: &[TimeEntry]) -> Vec<u8> {
    let mut out = Vec::with_capacity(24 * times.len());
    for entry in times {
        out.extend_from_slice(&entry.time_ms.to_le_bytes());
        out.extend_from_slice(&entry.lsn.0.to_le_bytes());
        put_place(&mut out, entry.place);
    }
    out
}

pub(crate) fn decode_times(bytes: &[u8]) -> Result<Vec<TimeEntry>, Undecodable> {
    let expected = "commit times";
    let mut cursor = Cursor::new(bytes);
    let mut times = Vec::with_capacity(bytes.len() / 24);
    while cursor.left() > 0 {
        times.push(TimeEntry {
            time_ms: cursor.i64(expected)?,
            lsn: Lsn(cursor.u64(expected)?),
            place: take_place(&mut cursor)?,
        });
    }
    Ok(times)
}
