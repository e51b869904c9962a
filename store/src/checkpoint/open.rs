//! Choosing a checkpoint when a store opens, and the pages of a bad one from the log.
//!
//! What must stay true: a checkpoint is used only if its last frame stands in the log, byte for byte, where it says;
//! why one was not used is told; none of this changes a file.

use std::sync::Arc;

use crate::checkpoint::base::{Base, Pages, ReplayPages};
use crate::checkpoint::checkpoint_names;
use crate::checkpoint::content::{
    CATALOG, COUNTS, HEADS, PAGES, RECEIPTS, REQUESTS, TIMES, TYPES, decode_counts,
    decode_receipts, decode_requests, decode_times, decode_types,
};
use crate::checkpoint::mapped::{BadBlock, Mapped, Section};
use crate::codec::catalog::decode_catalog;
use crate::codec::checkpoint::{Reach, salted_crc};
use crate::codec::cursor::Undecodable;
use crate::codec::frame::{FrameHeader, FrameKind};
use crate::codec::record::TypeNo;
use crate::disk::Disk;
use crate::error::IoFailure;
use crate::index::{Index, TypeIndex};
use crate::limits::{FRAME_BYTES_MAX, SEGMENT_HEADER_BYTES};
use crate::log::files::{LogFiles, load};
use crate::log::recover::{Replayed, RequestIds};
use crate::log::walk::{OnDamage, WalkStart, walk_from};
use crate::notes::Notes;
use crate::sabotage::{Sabotage, removed};
use crate::times::Times;
use crate::value::{Lsn, RequestId};

/// Reading a segment list may meet a roll's renames so often before it is an error.
const LOAD_ATTEMPTS: usize = 3;

/// A checkpoint that fits the log.
pub(crate) struct Usable {
    pub(crate) base: Arc<Base>,
    /// The state as of the checkpoint.
    pub(crate) replayed: Replayed,
    /// Where the walk begins.
    pub(crate) start: WalkStart,
}

fn undecodable(error: Undecodable) -> String {
    format!("it does not decode, expected {}", error.expected)
}

fn bad(_: BadBlock) -> String {
    "a block of it fails its checksum".to_owned()
}

/// Opens a checkpoint and compares it with the log; the error says why it is not used.
pub(crate) fn usable(
    disk: &dyn Disk,
    name: &str,
    files: &LogFiles,
    replay: ReplayPages,
    notes: &Arc<Notes>,
) -> Result<Usable, String> {
    let mapped = Arc::new(Mapped::open(disk, name)?);
    let start = place_in_log(&mapped, files)?;
    let section = |name: &str| {
        mapped
            .section(name)
            .ok_or(format!("it has no section {name}"))
    };
    let content = |name: &str| -> Result<Vec<u8>, String> {
        Ok(section(name)?.all().map_err(bad)?.into_owned())
    };
    let heads = section(HEADS)?;
    let (lines, slots) =
        decode_types(&content(TYPES)?, &content(PAGES)?, &heads).map_err(undecodable)?;
    let base = Arc::new(Base::new(
        mapped.clone(),
        heads,
        slots.clone(),
        replay,
        notes.clone(),
    ));
    let mut types = Vec::new();
    let mut slot = 0u32;
    for line in lines {
        types.resize_with(line.number.0 as usize - 1, TypeIndex::default);
        let own: Vec<(u32, u32)> = (slot..slot + line.pages)
            .map(|slot| (slots[slot as usize].1, slot))
            .collect();
        types.push(TypeIndex::mapped(
            &base,
            &own,
            line.max_id,
            line.live,
            line.last_lsn,
        ));
        slot += line.pages;
    }
    let mut request_ids = RequestIds::default();
    for (id, position) in decode_requests(&content(REQUESTS)?).map_err(undecodable)? {
        request_ids.remember(RequestId(id), position);
    }
    let mut index = Index::mapped(types);
    for (ty, receipt) in decode_receipts(&content(RECEIPTS)?).map_err(undecodable)? {
        index.ty_mut(ty).receipts.push(receipt);
    }
    let catalog = content(CATALOG)?;
    let replayed = Replayed {
        catalog: if catalog.is_empty() {
            crate::catalog::Catalog::default()
        } else {
            decode_catalog(&catalog).map_err(undecodable)?
        },
        index,
        request_ids,
        counts: decode_counts(&content(COUNTS)?).map_err(undecodable)?,
        times: Times::new(decode_times(&content(TIMES)?).map_err(undecodable)?),
        published: mapped.header.published,
        lenient: false,
    };
    Ok(Usable {
        base,
        replayed,
        start,
    })
}

/// Where in the log the checkpoint ends, if its last frame stands there.
fn place_in_log(mapped: &Mapped, files: &LogFiles) -> Result<WalkStart, String> {
    let (header, reach) = (&mapped.header, &mapped.header.reach);
    let segments = &files.segments;
    let fits = |segment: &crate::log::files::LoadedSegment| {
        segment.header.number == reach.segment
            && segment.header.salt == reach.segment_salt
            && segment.header.epoch == reach.epoch
    };
    if segments
        .first()
        .is_none_or(|first| first.header.store_id != header.store_id)
        && !removed(Sabotage::CheckpointStoreId)
    {
        return Err("it belongs to another store".to_owned());
    }
    let Some(at) = segments.iter().position(fits) else {
        return Err(format!(
            "the segment it ends in (number {}) is not there",
            reach.segment
        ));
    };
    let segment = &segments[at];
    let end = match segments.get(at + 1) {
        Some(next) => next.header.previous_end,
        None => segment.header.capacity,
    };
    let inside = reach.frame_at >= SEGMENT_HEADER_BYTES
        && reach.frame_at < reach.next_at
        && reach.next_at <= end
        && reach.lsn >= segment.header.first_lsn
        && header.published <= reach.lsn;
    if !inside {
        return Err("its place in the log makes no sense".to_owned());
    }
    for (segment, next) in segments[..=at].iter().zip(&segments[1..]) {
        let found = segment
            .file
            .len_bytes()
            .map_err(|error| error.to_string())?;
        if found < next.header.previous_end && !removed(Sabotage::CheckpointShortened) {
            return Err(format!("{} in front of it is shortened", segment.name));
        }
    }
    anchored(mapped, reach, segment)?;
    Ok(WalkStart {
        segment: at,
        lsn: reach.lsn,
        link: reach.link,
        time_ms: reach.time_ms,
        frame_at: reach.frame_at,
        offset: reach.next_at,
        last: reach.last,
    })
}

fn anchored(
    mapped: &Mapped,
    reach: &Reach,
    segment: &crate::log::files::LoadedSegment,
) -> Result<(), String> {
    let len = reach.next_at - reach.frame_at;
    if len > 2 * FRAME_BYTES_MAX {
        return Err("its last frame has an impossible length".to_owned());
    }
    let mut frame = vec![0; len as usize];
    let read = segment.file.read_at(reach.frame_at, &mut frame);
    let same = salted_crc(mapped.header.salt, &frame) == mapped.header.anchor
        && is_last(&frame, reach, segment.header.salt);
    if read.is_err() || !(same || removed(Sabotage::CheckpointAnchor)) {
        return Err(format!(
            "its last transaction (LSN {}) does not stand in the log as it did then",
            reach.lsn
        ));
    }
    Ok(())
}

/// Whether a frame is the one that the checkpoint ends with, as far as its header says. The anchor alone does not say it:
/// a header ends with its own CRC, so all headers of one length at one place have the same CRC.
fn is_last(frame: &[u8], reach: &Reach, salt: u64) -> bool {
    FrameHeader::decode(frame, salt, reach.frame_at).is_some_and(|found| {
        let is_whole = found.frame_len() == frame.len() as u64;
        let own = (found.lsn, found.time_ms, found.own_link());
        let is_own = own == (reach.lsn, reach.time_ms, reach.link)
            && reach.last.is_none_or(|(kind, _)| kind == found.kind);
        // A gap speaks for the last of its frames; its body is in the anchor.
        is_whole && (is_own || found.kind == FrameKind::Gap)
    })
}

/// Pages as the log has them at an LSN.
pub(crate) fn replay_pages(
    files: &LogFiles,
    lsn: Lsn,
    slots: &[(TypeNo, u32)],
) -> Result<Pages, String> {
    if let Some(damage) = files.damages.first() {
        return Err(damage.to_string());
    }
    let mut replayed = Replayed {
        lenient: true,
        ..Replayed::default()
    };
    let (end, damages) = walk_from(files, None, Some(lsn), OnDamage::Stop, &mut |visit| {
        replayed.frame(&visit)
    })
    .map_err(|failure| failure.to_string())?;
    if let Some(damage) = damages.first() {
        return Err(damage.to_string());
    }
    if end.lsn < lsn {
        return Err(format!("it ends at LSN {}", end.lsn));
    }
    let page = |(ty, page): &(TypeNo, u32)| replayed.index.ty(*ty)?.owned_page(*page);
    Ok(slots.iter().map(page).collect())
}

/// Replays from the files as they are when it is needed.
pub(crate) fn replay_from_disk(disk: Arc<dyn Disk>, lsn: Lsn) -> ReplayPages {
    Box::new(move |slots| {
        let mut files = load(disk.as_ref());
        for _ in 1..LOAD_ATTEMPTS {
            if files.is_ok() {
                break;
            }
            files = load(disk.as_ref());
        }
        replay_pages(&files.map_err(|error| error.to_string())?, lsn, slots)
    })
}

impl Base {
    /// A section of another index by its name.
    pub(crate) fn section(&self, name: &str) -> Option<Section> {
        self.mapped.section(name)
    }
}

/// The checkpoints of a directory, each compared with the state that is replayed from the log.
pub(crate) struct Comparison {
    intact: Vec<Usable>,
    notes: Vec<String>,
}

impl Comparison {
    /// Checks every byte of every checkpoint.
    pub(crate) fn open(disk: &dyn Disk, files: &LogFiles) -> Result<Self, IoFailure> {
        let mut comparison = Comparison {
            intact: Vec::new(),
            notes: Vec::new(),
        };
        let names = checkpoint_names(disk).map_err(|source| IoFailure {
            attempt: "listing the directory",
            file: disk.place(),
            source,
        })?;
        let notes = Arc::default();
        for name in names {
            let none = Box::new(|_: &[(TypeNo, u32)]| Err("it is being verified".to_owned()));
            match usable(disk, &name, files, none, &notes) {
                Ok(found) if found.base.mapped.check_all().is_ok() => {
                    comparison.intact.push(found);
                }
                Ok(_) => comparison.reject(&name, &bad(BadBlock)),
                Err(why) => comparison.reject(&name, &why),
            }
        }
        Ok(comparison)
    }

    fn reject(&mut self, name: &str, why: &str) {
        self.notes
            .push(format!("the checkpoint {name} is of no use: {why}"));
    }

    /// The log was replayed up to an LSN.
    pub(crate) fn compare(&mut self, lsn: Lsn, index: &Index) {
        if self.intact.iter().all(|found| found.start.lsn != lsn) {
            return;
        }
        let reached = |found: &mut Usable| found.start.lsn == lsn;
        let compared: Vec<Usable> = self.intact.extract_if(.., reached).collect();
        for found in compared {
            if !found.replayed.index.same_heads(index) {
                let name = found.base.mapped.name.clone();
                self.reject(&name, "it leads to other records than the log");
            }
        }
    }

    /// What is wrong with which one.
    pub(crate) fn notes(self) -> Vec<String> {
        self.notes
    }
}
