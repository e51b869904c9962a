//! Taking a backup of a store that may be running.
//!
//! Sealed segments never change, so they are linked or copied as they are; of the newest one everything up to the backup's LSN
//! is copied. What must stay true: what is copied of the newest segment was durable; a roll or a rewrite meanwhile is noticed.

use crate::codec::frame::FrameKind;
use crate::codec::segment::SegmentHeader;
use crate::disk::Disk;
use crate::error::{Damage, DamageKind, OpenError};
use crate::log::files::{ACTIVE, LoadedSegment, LogFiles, load, sealed_name};
use crate::log::recover::is_empty;
use crate::log::scan::{TailVerdict, judge_shortened, judge_tail};
use crate::progress::{OnProgress, Progress};
use crate::reading::access;
use crate::rewrite::image::walk_image;
use crate::sabotage::{Sabotage, removed};
use crate::value::Lsn;

use super::note::{BACKUP, BackupNote};
use super::{
    BackupError, BackupReport, FIRST_NEW, failed, is_free, write_manifest, write_segment,
    write_text,
};

/// How often the list of files is read again when they change meanwhile.
const ATTEMPTS_MAX: u32 = 20;

/// How far a backup reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// This transaction, which is durable.
    Until(Lsn),
    /// What the log itself proves durable: somebody else is writing.
    Proven,
    /// The end that recovery would find: nobody is writing.
    End,
}

/// Backs up the store in `source` to the empty directory `to`. It may be running, in this process or another one. With `since`,
/// an earlier backup of it, only what is new takes room.
pub fn backup(
    source: &dyn Disk,
    to: &dyn Disk,
    since: Option<&dyn Disk>,
    progress: OnProgress<'_>,
) -> Result<BackupReport, BackupError> {
    let (_guard, holder) = access(source)?;
    let reach = match holder {
        Some(_) => Reach::Proven,
        None => Reach::End,
    };
    take(source, reach, to, since, progress)
}

/// The newest segment, as far as it belongs to the backup.
struct Newest {
    bytes: Vec<u8>,
    lsn: Lsn,
    time_ms: i64,
    damage: Option<Damage>,
}

/// The same with a known reach.
pub(crate) fn take(
    source: &dyn Disk,
    reach: Reach,
    to: &dyn Disk,
    since: Option<&dyn Disk>,
    progress: OnProgress<'_>,
) -> Result<BackupReport, BackupError> {
    if !is_free(to)? {
        return Err(BackupError::NotEmpty { place: to.place() });
    }
    let taken_ms = source.now_ms();
    let files = steady(source, reach)?;
    let Some((last, sealed)) = files.segments.split_last() else {
        return Err(OpenError::NoStore {
            place: source.place(),
        }
        .into());
    };
    let newest = newest(last, reach, &files)?;
    let earlier = since.map(|disk| Earlier::load(disk, last)).transpose()?;
    let mut taking = Taking {
        source,
        to,
        earlier,
        report: BackupReport {
            lsn: newest.lsn,
            time_ms: newest.time_ms,
            segments: files.segments.len() as u64,
            reused: 0,
            linked: 0,
            copied: 0,
            copied_bytes: 0,
            damage: files.damages.first().cloned().or(newest.damage),
            notes: files.notes.clone(),
        },
    };
    // Each sealed segment is followed by the one whose header says where it ends.
    let behind: Vec<&SegmentHeader> = files.segments[1..].iter().map(|one| &one.header).collect();
    let sealed_bytes: u64 = behind.iter().map(|header| header.previous_end).sum();
    let total = sealed_bytes + newest.bytes.len() as u64;
    let mut done = 0;
    progress(Progress::bytes("backing up", done, total));
    // The first segment comes last: without it the directory is no log.
    for (segment, behind) in sealed.iter().zip(&behind).skip(1) {
        taking.sealed(segment, behind, false)?;
        done += behind.previous_end;
        progress(Progress::bytes("backing up", done, total));
    }
    let capacity = last.header.capacity;
    if !sealed.is_empty() {
        taking.write(ACTIVE, &newest.bytes, capacity)?;
    }
    let note = BackupNote {
        lsn: newest.lsn,
        time_ms: newest.time_ms,
        taken_ms: taken_ms.max(newest.time_ms),
    };
    taking.papers(&files, note)?;
    match (sealed.first(), behind.first()) {
        (Some(first), Some(behind)) => taking.sealed(first, behind, true)?,
        (_, _) => {
            taking.write(FIRST_NEW, &newest.bytes, capacity)?;
            to.rename(FIRST_NEW, ACTIVE)
                .map_err(failed("naming the first segment", ACTIVE))?;
        }
    }
    taking.sync_dir(Sabotage::BackupEndSync)?;
    progress(Progress::bytes("backing up", total, total));
    Ok(taking.report)
}

/// The files of a log, read again until they are an unbroken row: a roll renames files while they are listed.
fn steady(source: &dyn Disk, reach: Reach) -> Result<LogFiles, OpenError> {
    let mut attempt = 1;
    loop {
        let mut read = load(source);
        if let Ok(files) = &mut read {
            drop_unreached(files, reach);
        }
        let moving = match (&read, reach) {
            (_, Reach::End) | (Err(OpenError::UnsupportedFormat { .. }), _) => false,
            (Err(_), _) => true,
            (Ok(files), Reach::Until(_) | Reach::Proven) => !files.damages.is_empty(),
        };
        if !moving || attempt == ATTEMPTS_MAX {
            let files = read?;
            return if is_empty(&files) {
                Err(OpenError::NoStore {
                    place: source.place(),
                })
            } else {
                Ok(files)
            };
        }
        attempt += 1;
    }
}

/// Segments that begin behind the reach (a roll came after it was decided) do not belong to the backup.
fn drop_unreached(files: &mut LogFiles, reach: Reach) {
    if let Reach::Until(lsn) = reach {
        let beyond = |segment: &LoadedSegment| segment.header.first_lsn.0 > lsn.0 + 1;
        while files.segments.len() > 1 && files.segments.last().is_some_and(beyond) {
            files.segments.pop();
        }
    }
}

/// Reads the newest segment and finds where the backup ends in it.
fn newest(last: &LoadedSegment, reach: Reach, files: &LogFiles) -> Result<Newest, BackupError> {
    let bytes = last.bytes()?;
    let header = &last.header;
    let mut proven = Lsn(header.first_lsn.0 - 1);
    if let Some(manifest) = &files.manifest {
        proven = proven.max(manifest.durable);
    }
    let mut frames = vec![(
        Lsn(header.first_lsn.0 - 1),
        header.previous_time_ms,
        crate::limits::SEGMENT_HEADER_BYTES,
    )];
    let mut intact = frames[0].0;
    let walked = walk_image(&bytes, header, &mut |frame| {
        proven = proven.max(frame.header.durable);
        intact = frame.last_lsn;
        // A segment end that came last would end a segment that goes on.
        if frame.header.kind != FrameKind::SegmentEnd {
            let end = frame.offset + frame.header.frame_len();
            frames.push((frame.last_lsn, frame.last_time_ms, end));
        }
        Ok(())
    });
    let limit = match reach {
        Reach::Until(lsn) => lsn,
        Reach::Proven => proven,
        Reach::End => Lsn(u64::MAX),
    };
    let within = frames.iter().rev().find(|(lsn, _, _)| *lsn <= limit);
    let Some((lsn, time_ms, end)) = within.copied() else {
        unreachable!("the first entry is before every limit");
    };
    let missing = match (reach, walked) {
        (Reach::End, Err((offset, expected, _))) => {
            end_damage(&bytes, header, offset, expected, proven)
        }
        (Reach::Until(_) | Reach::Proven, Err((offset, expected, kind))) if intact < limit => {
            Some((offset, expected, kind))
        }
        (_, Ok(()) | Err(_)) => None,
    };
    let damage = missing.map(|(offset, lsn, what)| Damage {
        file: last.name.clone(),
        offset,
        lsn,
        what,
    });
    let mut bytes = bytes;
    bytes.truncate(end as usize);
    Ok(Newest {
        bytes,
        lsn,
        time_ms,
        damage,
    })
}

/// What recovery would say about the end of the newest segment.
fn end_damage(
    bytes: &[u8],
    header: &SegmentHeader,
    offset: u64,
    expected: Lsn,
    proven: Lsn,
) -> Option<(u64, Lsn, DamageKind)> {
    let (salt, capacity) = (header.salt, header.capacity);
    let verdict = if (bytes.len() as u64) < capacity {
        judge_shortened(bytes, salt, offset, expected, proven, capacity)
    } else {
        judge_tail(bytes, salt, offset, expected, proven)
    };
    match verdict {
        TailVerdict::Clean | TailVerdict::Torn { .. } => None,
        TailVerdict::Damaged(kind) => Some((offset, expected, kind)),
    }
}

/// An earlier backup of the same store.
struct Earlier<'a> {
    disk: &'a dyn Disk,
    files: LogFiles,
}

impl<'a> Earlier<'a> {
    fn load(disk: &'a dyn Disk, newest: &LoadedSegment) -> Result<Self, BackupError> {
        let refused = |reason: String| BackupError::Earlier {
            place: disk.place(),
            reason,
        };
        let files = load(disk).map_err(|error| refused(error.to_string()))?;
        let Some(first) = files.segments.first() else {
            return Err(refused("there is no backup in it".to_owned()));
        };
        if first.header.store_id != newest.header.store_id && !removed(Sabotage::EarlierStore) {
            return Err(refused("it is of another store".to_owned()));
        }
        Ok(Earlier { disk, files })
    }

    /// The name of a segment's file there, if it is the same and whole. Two stories that part inside of a segment (a copy
    /// that was written to) have the same header; the segment behind it says how it ended.
    fn holds(&self, wanted: &SegmentHeader, behind: &SegmentHeader) -> Option<&str> {
        let segments = &self.files.segments;
        let ended_alike = |there: &LoadedSegment| {
            let after = |one: &&LoadedSegment| one.header.number == there.header.number + 1;
            segments.iter().find(after).is_some_and(|after| {
                after.header.previous_link == behind.previous_link
                    && after.header.previous_end == behind.previous_end
            })
        };
        let found = segments.iter().find(|there| {
            let header = &there.header;
            let same = header.epoch == wanted.epoch
                && header.salt == wanted.salt
                && header.rewrites == wanted.rewrites;
            header.number == wanted.number
                && (same || removed(Sabotage::EarlierSegment))
                && there.name != ACTIVE
                && ended_alike(there)
                && there
                    .file
                    .len_bytes()
                    .is_ok_and(|len| len == header.capacity)
        });
        found.map(|there| there.name.as_str())
    }
}

struct Taking<'a> {
    source: &'a dyn Disk,
    to: &'a dyn Disk,
    earlier: Option<Earlier<'a>>,
    report: BackupReport,
}

impl Taking<'_> {
    /// Writes what is no segment. Everything so far is durable then.
    fn papers(&self, files: &LogFiles, note: BackupNote) -> Result<(), BackupError> {
        let headers: Vec<SegmentHeader> = files
            .segments
            .iter()
            .map(|segment| segment.header.clone())
            .collect();
        let store_id = headers.first().map_or([0; 16], |first| first.store_id);
        write_manifest(self.to, store_id, note.lsn, &headers)?;
        write_text(self.to, BACKUP, &note.encode())?;
        self.sync_dir(Sabotage::BackupDirSync)
    }

    fn sync_dir(&self, switch: Sabotage) -> Result<(), BackupError> {
        if removed(switch) {
            return Ok(());
        }
        self.to
            .sync_dir()
            .map_err(|source| failed("syncing the directory", &self.to.place())(source).into())
    }

    /// Takes one sealed segment over, by the cheapest way there is.
    fn sealed(
        &mut self,
        segment: &LoadedSegment,
        behind: &SegmentHeader,
        is_first: bool,
    ) -> Result<(), BackupError> {
        let name = sealed_name(segment.header.first_lsn, segment.header.epoch);
        let linking = failed("linking a segment", &name);
        if let Some(earlier) = &self.earlier
            && let Some(there) = earlier.holds(&segment.header, behind)
        {
            if earlier.disk.link(there, self.to, &name).map_err(&linking)? {
                self.report.reused += 1;
                return Ok(());
            }
        } else if segment.name == name
            && self.source.link(&name, self.to, &name).map_err(&linking)?
        {
            // A rewrite may have renamed another file to this name meanwhile: it is the same segment.
            self.report.linked += 1;
            return Ok(());
        }
        let mut bytes = segment.bytes()?;
        bytes.truncate(behind.previous_end as usize);
        if let Err((offset, lsn, what)) = walk_image(&bytes, &segment.header, &mut |_| Ok(())) {
            self.report.damage.get_or_insert(Damage {
                file: segment.name.clone(),
                offset,
                lsn,
                what,
            });
        }
        let capacity = segment.header.capacity;
        if is_first {
            self.write(FIRST_NEW, &bytes, capacity)?;
            return self
                .to
                .rename(FIRST_NEW, &name)
                .map_err(|source| failed("naming the first segment", &name)(source).into());
        }
        self.write(&name, &bytes, capacity)
    }

    fn write(&mut self, name: &str, bytes: &[u8], capacity: u64) -> Result<(), BackupError> {
        write_segment(self.to, name, bytes, capacity)?;
        self.report.copied += 1;
        self.report.copied_bytes += bytes.len() as u64;
        Ok(())
    }
}
