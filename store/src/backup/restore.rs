//! Restoring a backup (or the directory of a store that is not running) to an empty directory, at any moment it knows.
//!
//! What must stay true: every frame that is restored passed every check; what a receipt anywhere in the backup says is
//! destroyed stays destroyed; the result is a store with an id of its own.

use std::collections::HashSet;

use crate::codec::cursor::Undecodable;
use crate::codec::frame::FrameKind;
use crate::codec::gap::GapSummary;
use crate::codec::record::{RecordOp, TypeNo, each_record};
use crate::codec::segment::SegmentHeader;
use crate::disk::Disk;
use crate::error::{Damage, DamageKind, IoFailure, OpenError};
use crate::limits::SEGMENT_HEADER_BYTES;
use crate::log::files::{ACTIVE, LogFiles, load, sealed_name};
use crate::log::recover::{is_empty, new_store_id};
use crate::log::walk::{OnDamage, Visit, walk};
use crate::progress::{OnProgress, Progress};
use crate::reading::{Moment, access};
use crate::rewrite::image::{build, plan};
use crate::sabotage::{Sabotage, removed};
use crate::value::{EntityId, Lsn};

use super::note::BackupNote;
use super::{
    FIRST_NEW, RestoreError, RestoreReport, failed, is_free, write_manifest, write_segment,
};

/// Where the restored log ends.
#[derive(Clone, Copy, Debug)]
struct Cut {
    /// Position of the segment in the row.
    segment: usize,
    /// End of the last frame.
    end: u64,
    lsn: Lsn,
    time_ms: i64,
}

/// Records that are destroyed.
type Destroyed = HashSet<(TypeNo, EntityId)>;

/// What the first walk finds out.
#[derive(Default)]
struct Survey {
    cut: Option<Cut>,
    transactions: u64,
    destroyed: Destroyed,
    newest: Lsn,
}

/// Restores the state at `at`, or the newest, to the empty directory `to`.
pub fn restore(
    from: &dyn Disk,
    to: &dyn Disk,
    at: Option<Moment>,
    progress: OnProgress<'_>,
) -> Result<RestoreReport, RestoreError> {
    let (_guard, holder) = access(from)?;
    if holder.is_some() {
        return Err(OpenError::Locked {
            place: from.place(),
            holder,
        }
        .into());
    }
    if !is_free(to)? {
        return Err(RestoreError::NotEmpty { place: to.place() });
    }
    let files = load(from)?;
    if is_empty(&files) {
        return Err(OpenError::NoStore {
            place: from.place(),
        }
        .into());
    }
    if first_is_missing(&files) {
        return Err(RestoreError::Unfinished {
            place: from.place(),
        });
    }
    let note = BackupNote::read(from)?;
    let total: u64 = files.segments.iter().map(|one| one.header.capacity).sum();
    let survey = survey(&files, at, &mut |done| {
        progress(Progress::bytes("checking", done, total));
    })?;
    let Some(cut) = decide(&survey, at, note)? else {
        return Err(RestoreError::TooEarly);
    };
    let written = write(to, &files, &survey, cut, &mut |done| {
        progress(Progress::bytes("restoring", done, total));
    })?;
    check(to, cut)?;
    Ok(RestoreReport {
        lsn: cut.lsn,
        time_ms: cut.time_ms,
        segments: cut.segment as u64 + 1,
        transactions: survey.transactions,
        erased: written,
    })
}

/// Whether there is no file of the first segment at all: it is the last one that a backup writes.
fn first_is_missing(files: &LogFiles) -> bool {
    let is_there = files.segments.iter().any(|one| one.header.number == 1);
    let of_first = |file: &str| {
        file == sealed_name(Lsn(1), 1) || (files.segments.is_empty() && file == ACTIVE)
    };
    let is_damaged = files
        .damages
        .iter()
        .any(|damage| damage.what == DamageKind::SegmentHeader && of_first(&damage.file));
    !is_there && !is_damaged
}

/// Walks everything: every check, every receipt, and where the moment is.
fn survey(
    files: &LogFiles,
    at: Option<Moment>,
    progress: &mut dyn FnMut(u64),
) -> Result<Survey, RestoreError> {
    let mut survey = Survey::default();
    let mut done = 0;
    let (end, found) = walk(files, OnDamage::Stop, &mut |visit| {
        done += visit.header.frame_len();
        progress(done);
        let (mut last, mut last_ms, mut transactions) = (visit.header.lsn, visit.header.time_ms, 0);
        match visit.header.kind {
            FrameKind::Data => {
                transactions = 1;
                receipts(visit.body, &mut survey.destroyed)?;
            }
            FrameKind::Gap => {
                let gap = GapSummary::decode(visit.body)?;
                (last, last_ms) = (gap.last_lsn, gap.last_time_ms);
                transactions = u64::from(gap.transactions);
            }
            FrameKind::Schema | FrameKind::SyncMark | FrameKind::SegmentEnd => {}
        }
        survey.newest = last;
        let wanted = match at {
            None => true,
            Some(Moment::Lsn(lsn)) => last <= lsn,
            Some(Moment::Time(time_ms)) => last_ms <= time_ms,
        };
        if wanted {
            survey.transactions += transactions;
            survey.cut = cut_behind(files, &visit, last, last_ms).or(survey.cut);
        }
        Ok(())
    })?;
    let damage = files
        .damages
        .first()
        .cloned()
        .or_else(|| found.into_iter().next());
    match damage {
        Some(damage) if !reaches(at, end.lsn) => Err(RestoreError::Damaged {
            damage,
            intact_until: end.lsn,
        }),
        Some(_) => {
            behind_damage(files, &mut survey.destroyed)?;
            Ok(survey)
        }
        None => Ok(survey),
    }
}

/// The receipts of all intact frames, those behind damage as well.
fn behind_damage(files: &LogFiles, destroyed: &mut Destroyed) -> Result<(), RestoreError> {
    walk(
        files,
        OnDamage::GoOn,
        &mut |visit| match visit.header.kind {
            FrameKind::Data => receipts(visit.body, destroyed),
            FrameKind::Gap | FrameKind::Schema | FrameKind::SyncMark | FrameKind::SegmentEnd => {
                Ok(())
            }
        },
    )?;
    Ok(())
}

/// Adds the records that a transaction destroyed.
fn receipts(body: &[u8], destroyed: &mut Destroyed) -> Result<(), Undecodable> {
    each_record(body, &mut |_, record, _| {
        if record.op == RecordOp::Destroy {
            destroyed.insert((record.ty, record.id));
        }
        Ok(())
    })
}

/// Whether everything up to the moment was seen before the damage.
fn reaches(at: Option<Moment>, intact_until: Lsn) -> bool {
    matches!(at, Some(Moment::Lsn(lsn)) if lsn <= intact_until)
}

/// The cut behind a frame. Behind a segment end it is at the start of the next segment; if there is none, the segment goes on
/// without that end.
fn cut_behind(files: &LogFiles, visit: &Visit<'_>, lsn: Lsn, time_ms: i64) -> Option<Cut> {
    let first = files.segments.first()?.header.number;
    let segment = (visit.segment.header.number - first) as usize;
    let (segment, end) = match visit.header.kind {
        FrameKind::SegmentEnd => {
            files.segments.get(segment + 1)?;
            (segment + 1, SEGMENT_HEADER_BYTES)
        }
        FrameKind::Data | FrameKind::Schema | FrameKind::SyncMark | FrameKind::Gap => {
            (segment, visit.offset + visit.header.frame_len())
        }
    };
    Some(Cut {
        segment,
        end,
        lsn,
        time_ms,
    })
}

fn decide(
    survey: &Survey,
    at: Option<Moment>,
    note: Option<BackupNote>,
) -> Result<Option<Cut>, RestoreError> {
    let too_late = match at {
        None => false,
        Some(Moment::Lsn(lsn)) => lsn > survey.newest,
        // The directory of a store knows everything up to now; a backup up to when it was taken.
        Some(Moment::Time(time_ms)) => note.is_some_and(|note| time_ms > note.taken_ms),
    };
    if too_late {
        return Err(RestoreError::TooLate {
            newest: survey.newest,
        });
    }
    Ok(survey.cut)
}

/// Writes the segments up to the cut, the first one last. Says how many versions were left out.
fn write(
    to: &dyn Disk,
    files: &LogFiles,
    survey: &Survey,
    cut: Cut,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, RestoreError> {
    let store_id = new_store_id(to).map_err(failed("drawing a store id", &to.place()))?;
    let (mut headers, mut erased, mut done) = (Vec::new(), 0, 0);
    let mut first = None;
    for position in 0..=cut.segment {
        let segment = &files.segments[position];
        let end = match files.segments.get(position + 1) {
            Some(next) if position < cut.segment => next.header.previous_end,
            Some(_) | None => cut.end,
        };
        let mut image = segment.bytes()?;
        image.truncate(end as usize);
        let (header, image, left_out) =
            restored(&segment.name, &segment.header, image, survey, store_id)?;
        erased += left_out;
        done += end;
        progress(done);
        let name = if position == cut.segment {
            ACTIVE.to_owned()
        } else {
            sealed_name(header.first_lsn, header.epoch)
        };
        let capacity = header.capacity;
        headers.push(header);
        if position == 0 {
            write_segment(to, FIRST_NEW, &image, capacity)?;
            first = Some(name);
        } else {
            write_segment(to, &name, &image, capacity)?;
        }
    }
    write_manifest(to, store_id, cut.lsn, &headers)?;
    let synced = |switch| {
        if removed(switch) {
            return Ok(());
        }
        to.sync_dir()
            .map_err(failed("syncing the directory", &to.place()))
    };
    synced(Sabotage::RestoreDirSync)?;
    if let Some(name) = first {
        to.rename(FIRST_NEW, &name)
            .map_err(failed("naming the first segment", &name))?;
    }
    synced(Sabotage::RestoreEndSync)?;
    Ok(erased)
}

/// One segment of the restored store: its new header and bytes, and how many versions were left out.
fn restored(
    name: &str,
    header: &SegmentHeader,
    image: Vec<u8>,
    survey: &Survey,
    store_id: [u8; 16],
) -> Result<(SegmentHeader, Vec<u8>, u64), RestoreError> {
    let planned = plan(&image, header, &mut |record| {
        record.op != RecordOp::Destroy && survey.destroyed.contains(&(record.ty, record.id))
    });
    let plan = planned.map_err(|(offset, lsn, what)| RestoreError::Damaged {
        damage: Damage {
            file: name.to_owned(),
            offset,
            lsn,
            what,
        },
        intact_until: Lsn(lsn.0 - 1),
    })?;
    let (mut header, mut image) = if plan.erased() > 0 {
        build(&image, header, &plan, Lsn(0))
    } else {
        (header.clone(), image)
    };
    header.store_id = store_id;
    image[..SEGMENT_HEADER_BYTES as usize].copy_from_slice(&header.encode());
    Ok((header, image, plan.erased()))
}

/// Walks the result: it is intact, and it ends where it should.
fn check(to: &dyn Disk, cut: Cut) -> Result<(), RestoreError> {
    if removed(Sabotage::RestoreReadBack) {
        return Ok(());
    }
    let files = load(to)?;
    let (end, found) = walk(&files, OnDamage::Stop, &mut |_| Ok(()))?;
    let wrong = files.damages.first().or(found.first());
    if wrong.is_none() && end.lsn == cut.lsn {
        return Ok(());
    }
    let said = wrong.map_or_else(
        || format!("it ends at LSN {} instead of {}", end.lsn, cut.lsn),
        Damage::to_string,
    );
    Err(IoFailure {
        attempt: "reading the restored store back",
        file: to.place(),
        source: std::io::Error::other(said),
    }
    .into())
}
