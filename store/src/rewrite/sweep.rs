//! One rewrite: finds the segments that hold something to erase and puts new files in their places.
//!
//! What must stay true: a segment's new file is complete, synced and checked before it gets the segment's name; the list that
//! readers get changes only after the name is durable; a receipt counts as carried out only when every segment that held
//! bytes of its record was rewritten.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::codec::record::TypeNo;
use crate::disk::{Disk, DiskFile, QUARANTINE, remove_if_there};
use crate::error::{Damage, DamageKind, IoFailure};
use crate::index::Receipt;
use crate::limits::{REWRITE_BYTES_PER_SECOND, SEGMENT_HEADER_BYTES};
use crate::log::scan::last_nonzero;
use crate::progress::{OnProgress, Progress};
use crate::rewrite::image::{Broken, Plan, build, plan, walk_image};
use crate::rewrite::verdict::{Verdict, each_version};
use crate::rewrite::{CompactReport, RewriteError};
use crate::sabotage::{Sabotage, removed};
use crate::segments::Segment;
use crate::shared::Shared;
use crate::value::{EntityId, Lsn};

/// A rewritten segment until it gets its name. No name of a segment, so recovery does not look at it.
pub(crate) const REWRITE_NEW: &str = "rewrite.new";
const BLOCK: usize = 4096;

/// What a rewrite looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The segments that hold bytes of destroyed records.
    Receipts,
    /// All of them.
    Everything,
}

/// Asks the committer to put the names of segments right, to end the active segment if told so, and which request ids it
/// still remembers (the oldest one's LSN).
pub(crate) type CommitterDoor<'a> = dyn FnMut(bool) -> Result<Lsn, RewriteError> + 'a;

/// One rewrite.
pub(crate) struct Sweep<'a> {
    pub(crate) shared: &'a Arc<Shared>,
    pub(crate) disk: &'a dyn Disk,
    pub(crate) door: &'a mut CommitterDoor<'a>,
    /// Leaves most of the disk's time to others.
    pub(crate) paced: bool,
    /// Ends the rewrite between two segments.
    pub(crate) stop: &'a AtomicBool,
    pub(crate) progress: OnProgress<'a>,
}

/// A waiting receipt and the segments that hold bytes of its record.
struct Waiting {
    key: (TypeNo, EntityId),
    segments: BTreeSet<u32>,
}

/// What came of one segment.
struct Done {
    erased: u64,
    freed_bytes: u64,
}

impl Sweep<'_> {
    /// Does it. What fails stands in the report.
    pub(crate) fn run(mut self, scope: Scope) -> CompactReport {
        let mut report = CompactReport::default();
        if let Err(error) = self.all(scope, &mut report) {
            report.failures.push(error);
        }
        report.waiting = receipts(self.shared).len() as u64;
        report
    }

    fn all(&mut self, scope: Scope, report: &mut CompactReport) -> Result<(), RewriteError> {
        // In this order: a checkpoint that was begun before one of these was destroyed has ended behind the door.
        let waiting = self.waiting(report);
        let remembered_from = (self.door)(false)?;
        self.remove_leftovers(!waiting.is_empty(), report)?;
        let mut wanted: BTreeSet<u32> = BTreeSet::new();
        for one in &waiting {
            wanted.extend(&one.segments);
        }
        self.end_active(scope, &wanted)?;
        let segments: Vec<Arc<Segment>> = {
            let state = self.shared.state();
            state.segments.iter().cloned().collect()
        };
        let sealed = segments.iter().zip(segments.iter().skip(1));
        let looked_at: Vec<(&Arc<Segment>, u64, bool)> = sealed
            .map(|(segment, next)| {
                let was_cut = next.header.epoch != segment.header.epoch && !waiting.is_empty();
                (segment, next.header.previous_end, was_cut)
            })
            .filter(|(segment, _, was_cut)| {
                scope == Scope::Everything
                    || *was_cut
                    || wanted.contains(&(segment.header.number as u32))
            })
            .collect();
        let total = looked_at.iter().map(|(_, end, _)| end).sum();
        let (mut done, mut failed) = (0, BTreeSet::new());
        (self.progress)(Progress::bytes("compacting", done, total));
        for (segment, end, was_cut) in looked_at {
            if self.stop.load(Ordering::Acquire) {
                return Ok(());
            }
            report.segments += 1;
            match self.segment(segment, end, was_cut, remembered_from) {
                Ok(None) => {}
                Ok(Some(one)) => {
                    report.rewritten += 1;
                    report.erased += one.erased;
                    report.freed_bytes += one.freed_bytes;
                    self.rest(end);
                }
                Err(error) => {
                    failed.insert(segment.header.number as u32);
                    report.failures.push(error);
                }
            }
            done += end;
            (self.progress)(Progress::bytes("compacting", done, total));
        }
        report.destroyed = self.carried_out(&waiting, &failed);
        Ok(())
    }

    /// The receipts that wait, each with its segments. One that cannot be followed goes on waiting.
    fn waiting(&self, report: &mut CompactReport) -> Vec<Waiting> {
        let segments = self.shared.state().segments.clone();
        let mut waiting = Vec::new();
        for (ty, receipt) in receipts(self.shared) {
            let (key, mut held) = ((ty, receipt.id), BTreeSet::new());
            let followed = each_version(
                self.shared,
                &segments,
                key,
                receipt.last,
                &mut |segment, _| {
                    held.insert(segment);
                    true
                },
            );
            match followed {
                Ok(()) => waiting.push(Waiting {
                    key,
                    segments: held,
                }),
                Err(error) => report.failures.push(RewriteError::Unreadable(error)),
            }
        }
        waiting
    }

    /// Removes what an interrupted rewrite left, and files that may hold what was destroyed.
    fn remove_leftovers(
        &self,
        destroyed: bool,
        report: &mut CompactReport,
    ) -> Result<(), RewriteError> {
        let failed = |source| IoFailure {
            attempt: "removing old files",
            file: self.disk.place(),
            source,
        };
        let names = self.disk.list().map_err(failed)?;
        let mut unwanted: Vec<String> = Vec::new();
        if destroyed {
            let is_checkpoint = |name: &&String| name.starts_with("index-");
            unwanted.extend(names.iter().filter(is_checkpoint).cloned());
            let quarantined = self.disk.list_quarantine().map_err(failed)?;
            unwanted.extend(
                quarantined
                    .iter()
                    .map(|name| format!("{QUARANTINE}/{name}")),
            );
        }
        report.removed_files = unwanted.len() as u64;
        if names.iter().any(|name| name == REWRITE_NEW) {
            unwanted.push(REWRITE_NEW.to_owned());
        }
        for name in &unwanted {
            remove_if_there(self.disk, name).map_err(failed)?;
        }
        if !unwanted.is_empty() && !removed(Sabotage::LeftoversDirSync) {
            self.disk.sync_dir().map_err(failed)?;
        }
        Ok(())
    }

    /// Ends the active segment if it holds something to erase.
    fn end_active(&mut self, scope: Scope, wanted: &BTreeSet<u32>) -> Result<(), RewriteError> {
        let active = {
            let state = self.shared.state();
            state.segments.iter().last().cloned()
        };
        let Some(active) = active else { return Ok(()) };
        let holds = wanted.contains(&(active.header.number as u32))
            || (scope == Scope::Everything && self.holds_something(&active)?);
        if holds {
            (self.door)(true)?;
        }
        Ok(())
    }

    fn holds_something(&self, active: &Segment) -> Result<bool, RewriteError> {
        let end = written_end(active);
        let bytes = view(active, end)?;
        let plan = self.plan(active, &bytes)?;
        Ok(plan.erased() > 0)
    }

    fn plan(&self, segment: &Segment, bytes: &[u8]) -> Result<Plan, RewriteError> {
        let mut verdict = Verdict::new(self.shared, self.disk.now_ms());
        let planned = plan(bytes, &segment.header, &mut |record| verdict.erases(record));
        let planned = planned.map_err(|broken| damaged(&segment.name(), broken))?;
        match verdict.unreadable {
            Some(error) => Err(RewriteError::Unreadable(error)),
            None => Ok(planned),
        }
    }

    /// Rewrites one sealed segment if it holds something to erase.
    fn segment(
        &self,
        segment: &Arc<Segment>,
        end: u64,
        was_cut: bool,
        remembered_from: Lsn,
    ) -> Result<Option<Done>, RewriteError> {
        let name = segment.name();
        let bytes = view(segment, end)?;
        let plan = self.plan(segment, &bytes)?;
        let has_tail = was_cut && has_bytes_behind(segment, end)?;
        if plan.erased() == 0 && !has_tail {
            return Ok(None);
        }
        let (header, image) = build(&bytes, &segment.header, &plan, remembered_from);
        let file = self.write(&name, &image, header.capacity)?;
        let new = Arc::new(Segment::new(header, name.clone(), file));
        self.check(&new, end)?;
        let failed = |attempt| {
            move |source| IoFailure {
                attempt,
                file: name.clone(),
                source,
            }
        };
        self.disk
            .rename(REWRITE_NEW, &segment.name())
            .map_err(failed("renaming a rewritten segment"))?;
        let failed = |attempt| {
            move |source| IoFailure {
                attempt,
                file: segment.name(),
                source,
            }
        };
        if !removed(Sabotage::RewriteDirSync) {
            self.disk
                .sync_dir()
                .map_err(failed("syncing the directory"))?;
        }
        new.file
            .freeze(end)
            .map_err(failed("mapping a rewritten segment"))?;
        let mut state = self.shared.state_mut();
        let mut segments = (*state.segments).clone();
        segments.replace(new);
        state.segments = Arc::new(segments);
        Ok(Some(Done {
            erased: plan.erased(),
            freed_bytes: stored_bytes(&bytes).saturating_sub(stored_bytes(&image)),
        }))
    }

    /// Makes `rewrite.new` and syncs it. Blocks of zeros are left out.
    fn write(
        &self,
        name: &str,
        image: &[u8],
        capacity: u64,
    ) -> Result<Arc<dyn DiskFile>, RewriteError> {
        let failed = |source| IoFailure {
            attempt: "writing the new file of a segment",
            file: name.to_owned(),
            source,
        };
        let file = self
            .disk
            .create_sparse(REWRITE_NEW, capacity)
            .map_err(failed)?;
        let written = write_sparse(file.as_ref(), image).and_then(|()| {
            if removed(Sabotage::RewriteSync) {
                Ok(())
            } else {
                file.sync()
            }
        });
        if let Err(source) = written {
            // The room goes back; if that fails too, the first error says more.
            let _given_back = self.disk.remove(REWRITE_NEW).is_ok();
            return Err(failed(source).into());
        }
        Ok(file)
    }

    /// Reads the new file back: everything in it is as intact as in any segment, and nothing is left to erase.
    fn check(&self, new: &Segment, end: u64) -> Result<(), RewriteError> {
        if removed(Sabotage::RewriteReadBack) {
            return Ok(());
        }
        let mut bytes = vec![0; end as usize];
        new.file
            .read_at(0, &mut bytes)
            .map_err(|source| IoFailure {
                attempt: "reading a rewritten segment back",
                file: REWRITE_NEW.to_owned(),
                source,
            })?;
        if bytes[..SEGMENT_HEADER_BYTES as usize] != new.header.encode()[..] {
            let broken = (0, new.header.first_lsn, DamageKind::SegmentHeader);
            return Err(damaged(REWRITE_NEW, broken));
        }
        walk_image(&bytes, &new.header, &mut |_| Ok(()))
            .map_err(|broken| damaged(REWRITE_NEW, broken))?;
        Ok(())
    }

    fn rest(&self, bytes: u64) {
        if !self.paced {
            return;
        }
        // Read once, written once. In short naps, because whoever closes the store waits for this.
        let mut left_ms = 2 * bytes * 1000 / REWRITE_BYTES_PER_SECOND;
        while left_ms > 0 && !self.stop.load(Ordering::Acquire) {
            let nap = left_ms.min(20);
            std::thread::sleep(Duration::from_millis(nap));
            left_ms -= nap;
        }
    }

    /// Takes the receipts off the list whose records have no bytes left.
    fn carried_out(&self, waiting: &[Waiting], failed: &BTreeSet<u32>) -> u64 {
        let done: HashSet<(TypeNo, EntityId)> = waiting
            .iter()
            .filter(|one| one.segments.is_disjoint(failed))
            .map(|one| one.key)
            .collect();
        let mut by_type: BTreeMap<TypeNo, Vec<EntityId>> = BTreeMap::new();
        for (ty, id) in &done {
            by_type.entry(*ty).or_default().push(*id);
        }
        let mut state = self.shared.state_mut();
        for ty in by_type.keys() {
            let receipts = &mut state.index.ty_mut(*ty).receipts;
            receipts.retain(|receipt| !done.contains(&(*ty, receipt.id)));
        }
        done.len() as u64
    }
}

/// All receipts that wait.
pub(crate) fn receipts(shared: &Shared) -> Vec<(TypeNo, Receipt)> {
    let state = shared.state();
    let mut found = Vec::new();
    for (ty, index) in state.index.types() {
        found.extend(index.receipts.iter().map(|receipt| (ty, *receipt)));
    }
    found
}

fn damaged(file: &str, (offset, lsn, what): Broken) -> RewriteError {
    RewriteError::Damaged(Damage {
        file: file.to_owned(),
        offset,
        lsn,
        what,
    })
}

fn view(segment: &Segment, end: u64) -> Result<std::borrow::Cow<'_, [u8]>, IoFailure> {
    segment.file.view(0, end).map_err(|source| IoFailure {
        attempt: "reading a segment",
        file: segment.name(),
        source,
    })
}

/// Where the frames of the active segment end that may be read.
pub(crate) fn written_end(segment: &Segment) -> u64 {
    let mut offset = SEGMENT_HEADER_BYTES;
    while let Some(header) = segment.frame_header(offset)
        && segment.file.view(offset, header.frame_len()).is_ok()
    {
        offset += header.frame_len();
    }
    offset
}

/// Whether a cut left bytes behind the logical end.
fn has_bytes_behind(segment: &Segment, end: u64) -> Result<bool, IoFailure> {
    let failed = |source| IoFailure {
        attempt: "reading behind the end of a segment",
        file: segment.name(),
        source,
    };
    let len = segment.file.len_bytes().map_err(failed)?;
    let mut bytes = vec![0; len.saturating_sub(end) as usize];
    segment.file.read_at(end, &mut bytes).map_err(failed)?;
    Ok(last_nonzero(&bytes).is_some())
}

/// Writes what is not zero, in whole blocks: the rest of a sparse file is zero anyway.
pub(crate) fn write_sparse(file: &dyn DiskFile, image: &[u8]) -> io::Result<()> {
    let is_empty = |at: usize| {
        let block = &image[at..(at + BLOCK).min(image.len())];
        last_nonzero(block).is_none()
    };
    let mut at = 0;
    while at < image.len() {
        if is_empty(at) {
            at += BLOCK;
            continue;
        }
        let start = at;
        while at < image.len() && !is_empty(at) {
            at += BLOCK;
        }
        file.write_at(start as u64, &image[start..at.min(image.len())])?;
    }
    Ok(())
}

/// Bytes of blocks that are not all zero.
fn stored_bytes(image: &[u8]) -> u64 {
    let blocks = image.chunks(BLOCK);
    let stored = blocks.filter(|block| last_nonzero(block).is_some());
    stored.map(|block| block.len() as u64).sum()
}
