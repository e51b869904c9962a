//! What a store holds and what it costs: for operators, counted from the log itself.
//!
//! What must stay true: it is counted in one walk over all frames, so numbers fit each other, and damage ends the counting
//! where it ends reading.

use std::collections::HashMap;

use crate::codec::catalog::decode_catalog;
use crate::codec::frame::FrameKind;
use crate::codec::gap::GapSummary;
use crate::codec::record::{RecordOp, TypeNo, each_record};
use crate::disk::Disk;
use crate::error::{Damage, IoFailure, OpenError};
use crate::index::IndexMemory;
use crate::log::walk::{OnDamage, walk};
use crate::progress::{OnProgress, Progress};
use crate::reading::{access, load_and_recover};
use crate::value::{EntityId, Lsn};

/// One type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeStats {
    /// Its name; dropped types keep theirs.
    pub name: String,
    /// Records that are there.
    pub live: u64,
    /// Records that are deleted and can be restored.
    pub deleted: u64,
    /// Records that were destroyed.
    pub destroyed: u64,
    /// Versions of all records that are live or deleted.
    pub versions: u64,
    /// Bytes of the newest versions.
    pub newest_bytes: u64,
    /// Bytes of all versions.
    pub bytes: u64,
}

/// One file of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStats {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// For a segment: number and first LSN.
    pub segment: Option<(u64, Lsn)>,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// By type, in the order of the log.
    pub types: Vec<TypeStats>,
    /// Files of the directory: segments in their order, then the others by name.
    pub files: Vec<FileStats>,
    /// Files in `quarantine/`: bytes of torn writes, and of nothing that was acknowledged.
    pub quarantined: u64,
    /// What the index by record number takes of memory.
    pub index: IndexMemory,
    /// Newest transaction.
    pub head: Lsn,
    /// Transactions in the log.
    pub transactions: u64,
    /// Schemas in the log.
    pub schemas: u64,
    /// Time of the first transaction, milliseconds UTC.
    pub oldest_ms: Option<i64>,
    /// Time of the newest transaction, milliseconds UTC.
    pub newest_ms: Option<i64>,
    /// Destroyed records whose bytes are still in the log.
    pub pending_destroys: u64,
    /// When the oldest of them was destroyed, milliseconds UTC.
    pub oldest_pending_ms: Option<i64>,
    /// Who has the store open, if somebody has.
    pub holder: Option<String>,
    /// Where the counting ended, if the log is damaged.
    pub damage: Option<Damage>,
}

/// What is known of one record while counting.
#[derive(Default)]
struct Known {
    versions: u64,
    bytes: u64,
    newest_bytes: u64,
    deleted: bool,
    destroyed: bool,
}

/// Counts. Works on a store that is damaged, read-only or in use.
pub fn stats(disk: &dyn Disk, progress: OnProgress<'_>) -> Result<StoreStats, OpenError> {
    let (_guard, holder) = access(disk)?;
    let (files, recovered) = load_and_recover(disk, holder.is_some())?;
    let mut stats = StoreStats {
        holder,
        damage: recovered.damage,
        head: recovered.replayed.published,
        files: file_stats(disk)?,
        quarantined: quarantined(disk)?,
        index: recovered.replayed.index.memory(),
        ..StoreStats::default()
    };
    let head = stats.head;
    let total = files
        .segments
        .iter()
        .map(|segment| segment.header.capacity)
        .sum();
    let mut records: HashMap<(TypeNo, EntityId), Known> = HashMap::new();
    let mut names: Vec<String> = Vec::new();
    let mut done = 0;
    walk(&files, OnDamage::Stop, &mut |visit| {
        done += visit.header.frame_len();
        if done % 1024 < 128 {
            progress(Progress::bytes("counting", done, total));
        }
        if visit.header.lsn > head && visit.header.kind == FrameKind::Data {
            return Ok(());
        }
        match visit.header.kind {
            FrameKind::Schema => {
                stats.schemas += 1;
                let catalog = decode_catalog(visit.body)?;
                names = catalog.types.into_iter().map(|ty| ty.name).collect();
            }
            FrameKind::Data => {
                let time_ms = visit.header.time_ms;
                stats.transactions += 1;
                stats.oldest_ms.get_or_insert(time_ms);
                stats.newest_ms = Some(time_ms);
                each_record(visit.body, &mut |_, record, _| {
                    if record.erased {
                        return Ok(());
                    }
                    let known = records.entry((record.ty, record.id)).or_default();
                    if record.op == RecordOp::Destroy {
                        if known.bytes > 0 {
                            stats.pending_destroys += 1;
                            stats.oldest_pending_ms.get_or_insert(time_ms);
                        }
                        *known = Known {
                            destroyed: true,
                            ..Known::default()
                        };
                    } else {
                        let bytes = u64::from(record.len);
                        known.versions += 1;
                        known.bytes += bytes;
                        known.newest_bytes = bytes;
                        known.deleted = record.deleted;
                        known.destroyed = false;
                    }
                    Ok(())
                })?;
            }
            FrameKind::Gap => {
                let gap = GapSummary::decode(visit.body)?;
                stats.transactions += u64::from(gap.transactions);
            }
            FrameKind::SyncMark | FrameKind::SegmentEnd => {}
        }
        Ok(())
    })?;
    stats.types = by_type(names, records);
    Ok(stats)
}

fn by_type(names: Vec<String>, records: HashMap<(TypeNo, EntityId), Known>) -> Vec<TypeStats> {
    let mut types: Vec<TypeStats> = names
        .into_iter()
        .map(|name| TypeStats {
            name,
            ..TypeStats::default()
        })
        .collect();
    for ((ty, _), known) in records {
        let Some(stats) = types.get_mut((ty.0 as usize).wrapping_sub(1)) else {
            continue;
        };
        if known.destroyed {
            stats.destroyed += 1;
            continue;
        }
        stats.live += u64::from(!known.deleted);
        stats.deleted += u64::from(known.deleted);
        stats.versions += known.versions;
        stats.bytes += known.bytes;
        stats.newest_bytes += known.newest_bytes;
    }
    types
}

fn quarantined(disk: &dyn Disk) -> Result<u64, OpenError> {
    let names = disk.list_quarantine().map_err(|source| IoFailure {
        attempt: "listing the quarantine",
        file: disk.place(),
        source,
    })?;
    Ok(names.len() as u64)
}

fn file_stats(disk: &dyn Disk) -> Result<Vec<FileStats>, OpenError> {
    let failed = |attempt: &'static str, file: String| {
        move |source| {
            OpenError::Io(IoFailure {
                attempt,
                file,
                source,
            })
        }
    };
    let names = disk
        .list()
        .map_err(failed("listing the directory", disk.place()))?;
    let segments = crate::log::files::load(disk)?.segments;
    let mut stats = Vec::new();
    for name in names {
        let bytes = match disk.len_of(&name) {
            Ok(bytes) => bytes,
            // A running store renames and removes files.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed("asking for the length of a file", name)(error)),
        };
        let segment = segments
            .iter()
            .find(|segment| segment.name == name)
            .map(|segment| (segment.header.number, segment.header.first_lsn));
        stats.push(FileStats {
            name,
            bytes,
            segment,
        });
    }
    stats.sort_by_key(|file| {
        (
            file.segment.map_or(u64::MAX, |(number, _)| number),
            file.name.clone(),
        )
    });
    Ok(stats)
}
