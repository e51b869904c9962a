//! Reading everything and naming every damaged place. Works on a store that is damaged, read-only or in use.
//!
//! What must stay true: nothing is changed, and counts are of intact frames only.

use crate::catalog::{Catalog, CatalogType};
use crate::checkpoint::open::Comparison;
use crate::codec::frame::FrameHeader;
use crate::codec::record::RecordHeader;
use crate::disk::Disk;
use crate::error::{Damage, DamageKind, OpenError};
use crate::log::files::{LogFiles, load};
use crate::log::recover::{Replayed, is_empty, tail_report};
use crate::log::walk::{OnDamage, WalkEnd, walk};
use crate::reading::{LIVE_ATTEMPTS_MAX, access};
use crate::report::VerifyReport;

/// Records of a damaged frame that are described; the others are counted.
const DESCRIBED_MAX: usize = 20;

/// Reads the whole log and reports what stands in it and every damaged place. While somebody has the store open, what is
/// not proven durable is not judged: a write may be under way there.
pub fn verify(disk: &dyn Disk) -> Result<VerifyReport, OpenError> {
    let (guard, holder) = access(disk)?;
    let mut attempt = 1;
    let (files, replayed, end, damages, checkpoints) = loop {
        let read = read_all(disk, holder.is_some());
        let last = holder.is_none() || attempt == LIVE_ATTEMPTS_MAX;
        attempt += 1;
        match read {
            Ok(read) if last || read.3.is_empty() => break read,
            // Files of a store in use are renamed and replaced between the listing and the reading.
            Ok(_) => {}
            Err(error) if last => return Err(error),
            Err(_) => {}
        }
    };
    let contents = damages
        .iter()
        .map(|damage| contents(&files, damage, &replayed.catalog));
    let contents = contents.collect();
    let live_of = |ty: &CatalogType| {
        let live = replayed.index.ty(ty.number).map_or(0, |index| index.live);
        (ty.name.clone(), live)
    };
    let in_use = holder.map(|holder| {
        format!(
            "the data is in use by {holder}; what it has written and not yet synced is not judged"
        )
    });
    Ok(VerifyReport {
        segments: files.segments.len() as u64,
        live: replayed
            .catalog
            .types
            .iter()
            .filter(|ty| !ty.dropped)
            .map(live_of)
            .collect(),
        counts: replayed.counts.clone(),
        last_lsn: end.lsn,
        tail: tail_report(&files, &end),
        damages,
        contents,
        notes: files
            .notes
            .iter()
            .chain(guard.note.as_ref())
            .cloned()
            .chain(checkpoints)
            .chain(in_use)
            .collect(),
    })
}

/// Files, what was replayed, how it ended, what is damaged, and what is to be told of the checkpoints.
type Everything = (LogFiles, Replayed, WalkEnd, Vec<Damage>, Vec<String>);

fn read_all(disk: &dyn Disk, live: bool) -> Result<Everything, OpenError> {
    let files = load(disk)?;
    if is_empty(&files) {
        let place = disk.place();
        return Err(OpenError::NoStore { place });
    }
    let mut replayed = Replayed {
        lenient: true,
        ..Replayed::default()
    };
    let mut checkpoints = Comparison::open(disk, &files)?;
    let (end, found) = walk(&files, OnDamage::GoOn, &mut |visit| {
        replayed.frame(&visit)?;
        checkpoints.compare(visit.header.lsn, &replayed.index);
        Ok(())
    })?;
    let proven = end.durable;
    let damages = files.damages.iter().cloned().chain(found);
    let damages = damages
        .filter(|damage| !live || damage.lsn <= proven)
        .collect();
    let told = checkpoints.notes();
    Ok((files, replayed, end, damages, told))
}

/// What can still be told of the records in a damaged frame.
fn contents(files: &LogFiles, damage: &Damage, catalog: &Catalog) -> Vec<String> {
    match damage.what {
        DamageKind::FrameBody | DamageKind::Undecodable { .. } => {}
        DamageKind::SegmentHeader
        | DamageKind::FrameHeader
        | DamageKind::WrongLsn { .. }
        | DamageKind::BrokenLink
        | DamageKind::Missing { .. }
        | DamageKind::Shortened { .. }
        | DamageKind::SegmentMissing { .. }
        | DamageKind::SegmentTwice { .. }
        | DamageKind::ForeignSegment => return Vec::new(),
    }
    let segment = files
        .segments
        .iter()
        .find(|segment| segment.name == damage.file);
    let Some((segment, Ok(bytes))) = segment.map(|segment| (segment, segment.bytes())) else {
        return Vec::new();
    };
    let Some(frame) = bytes.get(damage.offset as usize..) else {
        return Vec::new();
    };
    let Some(header) = FrameHeader::decode(frame, segment.header.salt, damage.offset) else {
        return Vec::new();
    };
    let range = header.header_len() as usize..header.frame_len() as usize;
    describe(frame.get(range).unwrap_or_default(), catalog)
}

/// One sentence per record, as far as the lengths in the body lead.
fn describe(body: &[u8], catalog: &Catalog) -> Vec<String> {
    let (mut said, mut at, mut more) = (Vec::new(), 0, 0);
    while let Some(rest) = body.get(at..).filter(|rest| !rest.is_empty()) {
        let Ok(record) = RecordHeader::decode(rest) else {
            said.push(format!(
                "from byte {at} of the frame's body on nothing can be told"
            ));
            break;
        };
        let Some(bytes) = rest.get(..record.len as usize).filter(|_| record.len > 0) else {
            said.push(format!(
                "the record at byte {at} of the frame's body has a wrong length"
            ));
            break;
        };
        let known = catalog.types.get((record.ty.0 as usize).wrapping_sub(1));
        let name = known.map_or("a record of an unknown entity,", |ty| ty.name.as_str());
        let state = match RecordHeader::intact(bytes) {
            true => "intact",
            false => "damaged, so these numbers may be wrong",
        };
        match said.len() < DESCRIBED_MAX {
            true => said.push(format!(
                "{name} {}, version {}: {state}",
                record.id, record.version
            )),
            false => more += 1,
        }
        at += record.len as usize;
    }
    if more > 0 {
        said.push(format!("and {more} more records"));
    }
    said
}
