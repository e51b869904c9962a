//! From files to state: walks the log, replays it into an index, makes the unproven tail durable.
//!
//! What must stay true: recovery decides the same whether it runs once or is interrupted and runs again, changes no
//! acknowledged byte, and needs no free disk space.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::catalog::Catalog;
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
use crate::log::files::{ACTIVE, LoadedSegment, LogFiles, sealed_name};
use crate::log::walk::{OnDamage, Tail, Visit, WalkEnd, walk};
use crate::log::writer::Before;
use crate::report::{LogCounts, TailReport};
use crate::sabotage::{Sabotage, removed};
use crate::segments::{Segment, SegmentSet};
use crate::value::{Lsn, RequestId};

/// The newest request ids and where the transactions they belong to stand in the log.
#[derive(Default)]
pub(crate) struct RequestIds {
    by_id: HashMap<[u8; 16], Position>,
    order: VecDeque<[u8; 16]>,
}

impl RequestIds {
    /// The transaction of the oldest one; `Lsn(0)` while none had to be given up.
    pub(crate) fn oldest(&self) -> Lsn {
        let full = self.order.len() >= REQUEST_IDS_MAX;
        let oldest = self.order.front().filter(|_| full);
        oldest
            .and_then(|id| self.by_id.get(id).map(|position| position.lsn))
            .unwrap_or(Lsn(0))
    }

    pub(crate) fn get(&self, id: RequestId) -> Option<Position> {
        self.by_id.get(&id.0).copied()
    }

    pub(crate) fn remember(&mut self, id: RequestId, position: Position) {
        if self.by_id.insert(id.0, position).is_none() {
            self.order.push_back(id.0);
        }
        if self.order.len() > REQUEST_IDS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
    }
}

/// State replayed from frames.
#[derive(Default)]
pub(crate) struct Replayed {
    pub(crate) catalog: Catalog,
    pub(crate) index: Index,
    pub(crate) request_ids: RequestIds,
    pub(crate) counts: LogCounts,
    /// Last data frame: the newest snapshot.
    pub(crate) published: Lsn,
    /// Records of types without a schema frame are fine: that frame may be the damaged one.
    pub(crate) lenient: bool,
}

impl Replayed {
    /// Takes over one intact frame.
    pub(crate) fn frame(&mut self, visit: &Visit<'_>) -> Result<(), Undecodable> {
        self.counts.frames += 1;
        match visit.header.kind {
            FrameKind::Data => self.data(visit)?,
            FrameKind::Schema => {
                self.catalog = decode_catalog(visit.body)?;
                self.counts.schemas += 1;
            }
            FrameKind::SyncMark => self.counts.sync_marks += 1,
            FrameKind::SegmentEnd => self.counts.segment_ends += 1,
            FrameKind::Gap => self.gap(visit)?,
        }
        Ok(())
    }

    /// Frames in which nothing is left: their numbers stay used up, their request ids are remembered.
    fn gap(&mut self, visit: &Visit<'_>) -> Result<(), Undecodable> {
        let gap = GapSummary::decode(visit.body)?;
        self.counts.gaps += 1;
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
        self.counts.transactions += 1;
        self.published = lsn;
        if let Some(id) = visit.header.request_id
            && !removed(Sabotage::RequestIdsAtOpen)
        {
            let place = Place {
                segment,
                offset: visit.offset as u32,
            };
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
}

/// Walks and replays; stops at the first damage, leaving the state before it.
pub(crate) fn recover(files: &LogFiles) -> Result<Recovered, IoFailure> {
    let mut replayed = Replayed::default();
    let (end, damages) = walk(files, OnDamage::Stop, &mut |visit| replayed.frame(&visit))?;
    let damage = files
        .damages
        .first()
        .cloned()
        .or_else(|| damages.into_iter().next());
    Ok(Recovered {
        replayed,
        end,
        damage,
    })
}

/// What must happen before the first append after this recovery.
pub(crate) fn before_append(files: &LogFiles, end: &WalkEnd) -> Before {
    match (files.segments.last(), end.tail) {
        (None, _) => Before::CreateFirst,
        (Some(_), Tail::Torn { .. }) if removed(Sabotage::NewSegmentBehindCut) => Before::Nothing,
        (Some(_), Tail::Torn { until }) => Before::Cut { until },
        (Some(newest), Tail::Clean) if newest.name != ACTIVE => {
            let in_the_way = files.segments.iter().find(|segment| segment.name == ACTIVE);
            let sealed = |segment: &LoadedSegment| {
                sealed_name(segment.header.first_lsn, segment.header.epoch)
            };
            Before::FinishRename {
                in_the_way: in_the_way.map(sealed),
            }
        }
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
