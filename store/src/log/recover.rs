//! From files to state: walks the log, replays it into an index, makes the unproven tail durable.
//!
//! What must stay true: recovery decides the same whether it runs once or is interrupted and runs again, changes no
//! acknowledged byte, and needs no free disk space.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::catalog::Catalog;
use crate::checkpoint::base::{Base, ReplayPages};
use crate::checkpoint::content::RequestEntry;
use crate::checkpoint::open::{Usable, usable};
use crate::checkpoint::{checkpoint_lsn, checkpoint_names};
use crate::codec::catalog::decode_catalog;
use crate::codec::cursor::Undecodable;
use crate::codec::frame::{FLAG_CLOSED, FrameKind};
use crate::codec::gap::GapSummary;
use crate::codec::record::{Place, RecordHeader, RecordOp, each_record};
use crate::disk::Disk;
use crate::error::{Damage, IoFailure};
use crate::index::{Head, Index};
use crate::limits::{ENTITY_ID_MAX, REQUEST_IDS_MAX, SEGMENT_HEADER_BYTES, TYPES_MAX};
use crate::log::commit_log::Position;
use crate::log::files::{ACTIVE, LogFiles};
use crate::log::walk::{OnDamage, Tail, Visit, WalkEnd, WalkStart, walk_from};
use crate::log::writer::Before;
use crate::notes::{Notes, Notice, OpenProgress};
use crate::report::{LogCounts, TailReport};
use crate::sabotage::{Sabotage, removed};
use crate::segments::{Segment, SegmentSet};
use crate::times::{TimeEntry, Times};
use crate::value::{Lsn, RequestId};

/// The newest request ids and where the transactions they belong to stand in the log.
#[derive(Default)]
pub(crate) struct RequestIds {
    by_id: HashMap<[u8; 16], Position>,
    order: VecDeque<RequestEntry>,
}

impl RequestIds {
    /// The transaction of the oldest one; `Lsn(0)` while none had to be given up.
    pub(crate) fn oldest(&self) -> Lsn {
        let full = self.order.len() >= REQUEST_IDS_MAX;
        let oldest = self.order.front().filter(|_| full);
        oldest.map(|(_, position)| position.lsn).unwrap_or(Lsn(0))
    }

    pub(crate) fn get(&self, id: RequestId) -> Option<Position> {
        self.by_id.get(&id.0).copied()
    }

    pub(crate) fn remember(&mut self, id: RequestId, position: Position) {
        if self.by_id.insert(id.0, position).is_none() {
            self.order.push_back((id.0, position));
        }
        if self.order.len() > REQUEST_IDS_MAX
            && let Some((oldest, _)) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
    }

    /// All of them, oldest first.
    pub(crate) fn all(&self) -> Vec<RequestEntry> {
        self.order.iter().copied().collect()
    }
}

/// State replayed from frames.
#[derive(Default)]
pub(crate) struct Replayed {
    pub(crate) catalog: Catalog,
    pub(crate) index: Index,
    pub(crate) request_ids: RequestIds,
    pub(crate) counts: LogCounts,
    pub(crate) times: Times,
    /// Last data frame: the newest snapshot.
    pub(crate) published: Lsn,
    /// Records of types without a schema frame are fine: that frame may be the damaged one.
    pub(crate) lenient: bool,
}

impl Replayed {
    /// Takes over one intact frame.
    pub(crate) fn frame(&mut self, visit: &Visit<'_>) -> Result<(), Undecodable> {
        match visit.header.kind {
            FrameKind::Data => self.data(visit)?,
            FrameKind::Schema => self.catalog = decode_catalog(visit.body)?,
            FrameKind::SyncMark | FrameKind::SegmentEnd => {}
            FrameKind::Gap => self.gap(visit)?,
        }
        self.counts.frame(visit.header.kind);
        Ok(())
    }

    /// Frames in which nothing is left: their numbers stay used up, their request ids are remembered.
    fn gap(&mut self, visit: &Visit<'_>) -> Result<(), Undecodable> {
        let gap = GapSummary::decode(visit.body)?;
        self.counts.transactions += u64::from(gap.transactions);
        self.counts.erased += u64::from(gap.records);
        self.published = self.published.max(gap.last_data_lsn);
        for (ty, id) in gap.max_ids {
            if id.0 == 0 || id.0 > ENTITY_ID_MAX {
                return Err(Undecodable {
                    expected: "a valid record number",
                });
            }
            self.index.ty_mut(ty).use_up(id);
        }
        let first = visit.header.request_id.map(|id| (visit.header.lsn, id));
        let place = Place {
            segment: visit.segment.header.number as u32,
            offset: visit.offset as u32,
        };
        for (lsn, id) in first.into_iter().chain(gap.requests) {
            self.request_ids.remember(id, Position { lsn, place });
        }
        Ok(())
    }

    fn data(&mut self, visit: &Visit<'_>) -> Result<(), Undecodable> {
        let segment = visit.segment.header.number as u32;
        let body_at = (visit.offset + visit.header.header_len()) as u32;
        let lsn = visit.header.lsn;
        let types = if self.lenient {
            TYPES_MAX
        } else {
            self.catalog.types.len()
        } as u32;
        let (index, counts) = (&mut self.index, &mut self.counts);
        each_record(visit.body, &mut |at, record, bytes| {
            let known_type = record.ty.0 >= 1 && record.ty.0 <= types;
            if !known_type || record.id.0 == 0 || record.id.0 > ENTITY_ID_MAX || record.lsn != lsn {
                return Err(Undecodable {
                    expected: "a record of a known type with a valid number",
                });
            }
            if !RecordHeader::intact(bytes) {
                return Err(Undecodable {
                    expected: "a record with an intact checksum",
                });
            }
            let ty = index.ty_mut(record.ty);
            if record.erased {
                counts.erased += 1;
                ty.use_up(record.id);
                return Ok(());
            }
            counts.record(record.op);
            if record.op == RecordOp::Destroy {
                ty.forget(record.id, lsn, record.updated_at_ms);
            } else {
                let place = Place {
                    segment,
                    offset: body_at + at,
                };
                ty.set(
                    record.id,
                    Head {
                        place,
                        lsn,
                        version: record.version,
                        deleted: record.deleted,
                    },
                );
            }
            Ok(())
        })?;
        let place = Place {
            segment,
            offset: visit.offset as u32,
        };
        self.times.note(TimeEntry {
            time_ms: visit.header.time_ms,
            lsn,
            place,
        });
        self.published = lsn;
        if let Some(id) = visit.header.request_id
            && !removed(Sabotage::RequestIdsAtOpen)
        {
            self.request_ids.remember(id, Position { lsn, place });
        }
        Ok(())
    }
}

/// Everything recovery found out.
pub(crate) struct Recovered {
    pub(crate) replayed: Replayed,
    pub(crate) end: WalkEnd,
    pub(crate) damage: Option<Damage>,
    /// The checkpoint that was used.
    pub(crate) base: Option<Arc<Base>>,
    /// Checkpoints that could not be used.
    pub(crate) unusable: Vec<String>,
    /// The same in words, for the report.
    pub(crate) notes: Vec<String>,
    /// Frames that were walked (with a checkpoint, those behind it).
    pub(crate) walked: u64,
    /// Their bytes.
    pub(crate) walked_bytes: u64,
}

/// How to recover.
pub(crate) struct Recovery<'a> {
    pub(crate) disk: &'a dyn Disk,
    /// Makes pages of a checkpoint at an LSN from the log.
    pub(crate) replay: &'a dyn Fn(Lsn) -> ReplayPages,
    pub(crate) notes: &'a Arc<Notes>,
}

/// Walks and replays everything; stops at the first damage, leaving the state before it.
pub(crate) fn recover(files: &LogFiles) -> Result<Recovered, IoFailure> {
    let mut replayed = Replayed::default();
    let (end, damages) = walk_from(files, None, None, OnDamage::Stop, &mut |visit| {
        replayed.frame(&visit)
    })?;
    Ok(Recovered {
        walked: replayed.counts.frames,
        walked_bytes: 0,
        damage: first_damage(files, damages),
        replayed,
        end,
        base: None,
        unusable: Vec::new(),
        notes: Vec::new(),
    })
}

fn first_damage(files: &LogFiles, found: Vec<Damage>) -> Option<Damage> {
    let of_files = files.damages.first().cloned();
    of_files.or_else(|| found.into_iter().next())
}

/// Takes the newest checkpoint that fits, walks and replays what is behind it; stops at the first damage, leaving the
/// state before it.
pub(crate) fn recover_with(files: &LogFiles, how: &Recovery<'_>) -> Result<Recovered, IoFailure> {
    let (mut unusable, mut notes) = (Vec::new(), Vec::new());
    let names = if files.damages.is_empty() {
        checkpoint_names(how.disk).map_err(|source| IoFailure {
            attempt: "listing the directory",
            file: how.disk.place(),
            source,
        })?
    } else {
        // Files that are damaged as such are judged by the whole walk.
        Vec::new()
    };
    for name in names {
        let lsn = checkpoint_lsn(&name).unwrap_or(Lsn(0));
        let tried = usable(how.disk, &name, files, (how.replay)(lsn), how.notes);
        let why = match tried {
            Ok(found) => {
                let (base, before) = (found.base.clone(), found.replayed.counts.frames);
                let (replayed, end, damage, walked_bytes) = replay_tail(files, how, Some(found))?;
                if !base.is_bad() {
                    base.opened();
                    return Ok(Recovered {
                        walked: replayed.counts.frames - before,
                        walked_bytes,
                        replayed,
                        end,
                        damage,
                        base: Some(base),
                        unusable,
                        notes,
                    });
                }
                "a block of it fails its checksum".to_owned()
            }
            Err(why) => why,
        };
        notes.push(format!("the checkpoint {name} was not used: {why}"));
        unusable.push(name);
    }
    let (replayed, end, damage, walked_bytes) = replay_tail(files, how, None)?;
    Ok(Recovered {
        walked: replayed.counts.frames,
        walked_bytes,
        replayed,
        end,
        damage,
        base: None,
        unusable,
        notes,
    })
}

/// State, end, damage, bytes of the frames.
type Walked = (Replayed, WalkEnd, Option<Damage>, u64);

fn replay_tail(
    files: &LogFiles,
    how: &Recovery<'_>,
    from: Option<Usable>,
) -> Result<Walked, IoFailure> {
    let (start, mut replayed) = match from {
        Some(found) => (Some(found.start), found.replayed),
        None => (None, Replayed::default()),
    };
    let mut progress = Progress::new(files, start.as_ref(), how.disk, how.notes);
    let (end, damages) = walk_from(files, start.as_ref(), None, OnDamage::Stop, &mut |visit| {
        progress.passed(visit.header.frame_len());
        replayed.frame(&visit)
    })?;
    let damage = first_damage(files, damages);
    Ok((replayed, end, damage, progress.done))
}

/// Tells how far opening is.
struct Progress<'a> {
    disk: &'a dyn Disk,
    notes: &'a Notes,
    started_ms: i64,
    told_ms: i64,
    done: u64,
    total: u64,
    frames: u64,
}

impl<'a> Progress<'a> {
    /// The clock is looked at once in so many frames.
    const FRAMES: u64 = 1024;
    const TELL_MS: i64 = 100;

    fn new(
        files: &LogFiles,
        start: Option<&WalkStart>,
        disk: &'a dyn Disk,
        notes: &'a Notes,
    ) -> Self {
        let (first, skipped) = start.map_or((0, 0), |start| (start.segment, start.offset));
        let lengths = files.segments.iter().skip(first);
        let total: u64 = lengths.map(|segment| segment.header.capacity).sum();
        let now_ms = disk.now_ms();
        Progress {
            disk,
            notes,
            started_ms: now_ms,
            told_ms: now_ms,
            done: 0,
            total: total.saturating_sub(skipped),
            frames: 0,
        }
    }

    fn passed(&mut self, bytes: u64) {
        self.done += bytes;
        self.frames += 1;
        if !self.frames.is_multiple_of(Self::FRAMES) {
            return;
        }
        let now_ms = self.disk.now_ms();
        if now_ms - self.told_ms < Self::TELL_MS {
            return;
        }
        self.told_ms = now_ms;
        let elapsed_ms = (now_ms - self.started_ms).max(0) as u64;
        let total = self.total.max(self.done);
        let expected_ms = u128::from(elapsed_ms) * u128::from(total) / u128::from(self.done.max(1));
        self.notes.notice(&Notice::Opening(OpenProgress {
            done_bytes: self.done,
            total_bytes: total,
            elapsed_ms,
            expected_ms: expected_ms as u64,
        }));
    }
}

/// What must happen before the first append after this recovery.
pub(crate) fn before_append(files: &LogFiles, end: &WalkEnd) -> Before {
    match (files.segments.last(), end.tail) {
        (None, _) => Before::CreateFirst,
        (Some(_), Tail::Torn { .. }) if removed(Sabotage::NewSegmentBehindCut) => Before::Nothing,
        (Some(_), Tail::Torn { until }) => Before::Cut { until },
        (Some(newest), Tail::Clean) if newest.name != ACTIVE => Before::FinishRename,
        (Some(_), Tail::Clean) => Before::Nothing,
    }
}

/// Unless the store was closed: writes the newest header and the frames above the watermark again, as they are, and
/// syncs them. What is served from now on is on the disk, and not only in a cache that a failed sync
/// may have left unwritten.
pub(crate) fn make_tail_durable(files: &LogFiles, end: &WalkEnd) -> Result<(), IoFailure> {
    let Some(newest) = files.segments.last() else {
        return Ok(());
    };
    let closed = matches!(end.last, Some((FrameKind::SyncMark, flags)) if flags & FLAG_CLOSED != 0);
    if closed && end.unproven_from.is_none() {
        return Ok(());
    }
    let failed = |source| IoFailure {
        attempt: "writing the tail again",
        file: newest.name.clone(),
        source,
    };
    let again = |from: u64, to: u64| {
        let mut bytes = vec![0; (to - from) as usize];
        newest.file.read_at(from, &mut bytes).map_err(failed)?;
        if removed(Sabotage::TailRewrite) {
            return Ok(());
        }
        newest.file.write_at(from, &bytes).map_err(failed)
    };
    again(0, SEGMENT_HEADER_BYTES)?;
    if let Some(from) = end.unproven_from {
        again(from, end.offset)?;
    }
    // Names need no sync here: a segment's own was synced before its header was written, and headers decide.
    if removed(Sabotage::TailSync) {
        Ok(())
    } else {
        newest.file.sync().map_err(failed)
    }
}

/// Opens all segments for reading: sealed ones up to their logical end, the newest up to the last frame.
pub(crate) fn readable_segments(files: LogFiles, newest_end: u64) -> Result<SegmentSet, IoFailure> {
    let ends: Vec<u64> = files
        .segments
        .iter()
        .skip(1)
        .map(|next| next.header.previous_end)
        .collect();
    let mut set = SegmentSet::default();
    for (position, segment) in files.segments.into_iter().enumerate() {
        let end = ends
            .get(position)
            .copied()
            .unwrap_or(newest_end)
            .max(SEGMENT_HEADER_BYTES);
        let failed = |source| IoFailure {
            attempt: "mapping a segment",
            file: segment.name.clone(),
            source,
        };
        segment.file.freeze(end).map_err(failed)?;
        set.push(Arc::new(Segment::new(
            segment.header,
            segment.name,
            segment.file,
        )));
    }
    Ok(set)
}

/// The tail as told to people.
pub(crate) fn tail_report(files: &LogFiles, end: &WalkEnd) -> TailReport {
    let Some(newest) = files.segments.last() else {
        return TailReport::Empty;
    };
    match end.tail {
        Tail::Torn { until } => TailReport::Cut {
            file: newest.name.clone(),
            offset: end.offset,
            bytes: until - end.offset,
            lsn: Lsn(end.lsn.0 + 1),
        },
        Tail::Clean => match end.last {
            None => TailReport::Empty,
            Some((FrameKind::SyncMark, flags)) if flags & FLAG_CLOSED != 0 => TailReport::Closed,
            Some(_) => TailReport::NotClosed,
        },
    }
}

/// Makes sure that a directory with files but no readable segment is not taken for an empty one.
pub(crate) fn is_empty(files: &LogFiles) -> bool {
    files.segments.is_empty() && files.damages.is_empty()
}

/// Random 16 bytes for a new store.
pub(crate) fn new_store_id(disk: &dyn Disk) -> std::io::Result<[u8; 16]> {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&disk.random_u64()?.to_le_bytes());
    id[8..].copy_from_slice(&disk.random_u64()?.to_le_bytes());
    Ok(id)
}
