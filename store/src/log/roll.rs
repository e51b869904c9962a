//! Starting a new segment: the first one, the next one when the active one is full, and the one behind a cut.
//!
//! Order: (1) the new file is filled with zeros, synced, its name too; (2) the old one gets its end mark and is synced; (3) the new header is
//! written and synced; (4) the old one gets its final name, directory sync; (5) the new one becomes `wal.log`, directory
//! sync; (6) the manifest. What must stay true: up to (2) a failure changes nothing; a crash anywhere leaves a log that
//! reads the same.

use std::io;
use std::sync::Arc;

use crate::codec::frame::{FrameKind, Layout};
use crate::codec::manifest::{Manifest, ManifestSegment};
use crate::codec::segment::SegmentHeader;
use crate::disk::{Disk, DiskFile, QUARANTINE};
use crate::error::IoFailure;
use crate::limits::{ALIGN, FULL_RETRY_MS, RESERVE_BYTES_MAX, SEGMENT_HEADER_BYTES};
use crate::log::commit_log::{AppendFailure, Batch, CommitLog, ExtendFailure, Purpose};
use crate::log::files::{ACTIVE, MANIFEST, MANIFEST_NEW, NEXT, sealed_name};
use crate::log::writer::{Active, Before, LogWriter, Preparing, frame_len};
use crate::sabotage::{Sabotage, removed};
use crate::segments::Segment;

fn append_failure(attempt: &'static str) -> impl FnOnce(io::Error) -> ExtendFailure {
    move |error| ExtendFailure::Append(AppendFailure { attempt, error })
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

/// Whether a failed attempt is so recent that the next one waits; a clock set back makes nobody wait for long.
fn is_too_soon(not_before_ms: Option<i64>, now_ms: i64) -> bool {
    not_before_ms.is_some_and(|until| (until - FULL_RETRY_MS..until).contains(&now_ms))
}

fn refused(error: io::Error) -> ExtendFailure {
    if is_full(&error) {
        ExtendFailure::Full
    } else {
        ExtendFailure::Refused(error)
    }
}

impl LogWriter {
    /// Makes room for `bytes`, which do not fit now. Returns the new segment if one was started; the old one is
    /// complete and durable then.
    pub(crate) fn make_room(
        &mut self,
        bytes: u64,
        purpose: Purpose,
    ) -> Result<Option<Arc<Segment>>, ExtendFailure> {
        if self.before == Before::FinishRename {
            self.finish_rename()?;
            if self.has_room(bytes, purpose) {
                return Ok(None);
            }
        }
        // A cut segment that was never renamed makes way for the file of the next one.
        if matches!(self.before, Before::Cut { .. })
            && let Some(active) = &self.active
            && active.segment.name() == NEXT
        {
            self.rename_active()?;
        }
        let number = self
            .active
            .as_ref()
            .map_or(1, |active| active.segment.header.number + 1);
        let wanted = self.capacity(number, bytes);
        self.make_spare(wanted, self.capacity(1, bytes))?;
        // With a file for the next segment the rest of this one is free for all.
        if self.has_room(bytes, purpose) {
            return Ok(None);
        }
        self.start_segment(number).map(Some)
    }

    /// Ends the active segment and starts `number` in the spare file.
    fn start_segment(&mut self, number: u64) -> Result<Arc<Segment>, ExtendFailure> {
        if let Before::Cut { until } = self.before {
            self.keep_cut_bytes(until)?;
        }
        let previous_end = self.end_active()?;
        let Some((file, capacity)) = self.spare.take() else {
            unreachable!("make_spare() made one");
        };
        let header = SegmentHeader {
            layout: Layout::Compact,
            features: 0,
            store_id: self.store_id,
            number,
            epoch: if matches!(self.before, Before::Cut { .. }) {
                self.epoch + 1
            } else {
                self.epoch
            },
            first_lsn: self.next_lsn(),
            salt: self
                .disk
                .random_u64()
                .map_err(append_failure("drawing a salt"))?,
            created_at_ms: self.next_time_ms(),
            capacity,
            previous_end,
            previous_link: self.last_link,
            rewrites: 0,
            previous_time_ms: self.last_time_ms,
        };
        file.write_at(0, &header.encode())
            .map_err(append_failure("writing a segment header"))?;
        if !removed(Sabotage::HeaderSync) {
            file.sync()
                .map_err(append_failure("syncing a segment header"))?;
        }
        file.freeze(SEGMENT_HEADER_BYTES)
            .map_err(append_failure("mapping a segment"))?;
        self.rename_active()?;
        self.rename_free(NEXT, ACTIVE, Sabotage::ActivateDirSync)?;
        self.epoch = header.epoch;
        self.known.push(ManifestSegment {
            number,
            first_lsn: header.first_lsn,
            epoch: header.epoch,
        });
        let segment = Arc::new(Segment::new(header, ACTIVE.to_owned(), file));
        self.last_frame_at = None;
        self.active = Some(Active {
            segment: segment.clone(),
            end: SEGMENT_HEADER_BYTES,
        });
        self.before = Before::Nothing;
        // The manifest is a witness only; when the disk is full the next roll or the close writes it.
        match self.write_manifest() {
            Ok(()) => {}
            Err(failure) if is_full(&failure.source) => {}
            Err(failure) => return Err(append_failure(failure.attempt)(failure.source)),
        }
        Ok(segment)
    }

    /// Size of segment `number`, large enough for one frame of `bytes`.
    fn capacity(&self, number: u64, bytes: u64) -> u64 {
        let doublings = (number - 1).min(32) as u32;
        let grown = self
            .sizes
            .segment_min
            .saturating_mul(1 << doublings)
            .min(self.sizes.segment_max);
        let needed = SEGMENT_HEADER_BYTES + bytes + frame_len(0);
        // What is left behind the reserve must be enough.
        let reserve = RESERVE_BYTES_MAX.min(needed / 15 + ALIGN);
        grown.max((needed + reserve).next_multiple_of(4096))
    }

    /// Makes sure that there is a file of zeros named `wal.next` with at least `smallest` bytes: the one prepared ahead if
    /// it fits, else one of `wanted` bytes made now.
    fn make_spare(&mut self, wanted: u64, smallest: u64) -> Result<(), ExtendFailure> {
        self.join_preparing();
        if self.spare.as_ref().is_some_and(|(_, len)| *len >= smallest) {
            return Ok(());
        }
        let now_ms = self.disk.now_ms();
        if is_too_soon(self.full_until_ms, now_ms) {
            return Err(ExtendFailure::Full);
        }
        self.spare = self.left_over(smallest);
        if self.spare.is_some() {
            return Ok(());
        }
        self.full_until_ms = Some(now_ms + FULL_RETRY_MS);
        // A failed preparation is not an error yet: it is tried again here, where the answer counts. When there is no
        // room for a segment of the usual size, a small one still takes what the disk has.
        let made = match make_zeroed(self.disk.as_ref(), wanted).map_err(refused) {
            Ok(file) => Ok((file, wanted)),
            Err(ExtendFailure::Full) if smallest < wanted => {
                let made = make_zeroed(self.disk.as_ref(), smallest).map_err(refused);
                made.map(|file| (file, smallest))
            }
            Err(failure) => Err(failure),
        };
        if !matches!(made, Err(ExtendFailure::Full)) {
            self.full_until_ms = None;
        }
        self.spare = Some(made?);
        Ok(())
    }

    /// The `wal.next` of an earlier process, if it is large enough and nothing but zeros: on a full disk the active segment
    /// may be filled because of it.
    fn left_over(&self, smallest: u64) -> Option<(Arc<dyn DiskFile>, u64)> {
        let usable = || {
            let names = self.disk.list()?;
            if !names.iter().any(|name| name == NEXT) {
                return Ok(None);
            }
            let file = self.disk.open(NEXT)?;
            let len = file.len_bytes()?;
            if len < smallest || !len.is_multiple_of(4096) {
                return Ok(None);
            }
            let mut block = vec![0; 4096];
            for at in (0..len).step_by(block.len()) {
                file.read_at(at, &mut block)?;
                if block.iter().any(|byte| *byte != 0) {
                    return Ok(None);
                }
                // Reading shows the cache; if a sync failed, the disk has something else there.
                file.write_at(at, &block)?;
            }
            file.sync()?;
            self.disk.sync_dir()?;
            Ok::<_, io::Error>(Some((file, len)))
        };
        // Any failure means that a new one is made, where failures count.
        usable().ok().flatten()
    }

    /// Waits for the preparing thread, if there is one, and takes over what it made.
    fn join_preparing(&mut self) {
        let Some(thread) = self.preparing.take() else {
            return;
        };
        if let Ok(Ok(spare)) = thread.join() {
            (self.spare, self.prepare_not_before_ms) = (Some(spare), None);
        } else {
            // No error yet: when the segment is full it is tried again, where the answer counts.
            self.prepare_not_before_ms = Some(self.disk.now_ms() + FULL_RETRY_MS);
        }
    }

    /// Starts filling the next segment in the background once the active one is half full.
    pub(crate) fn prepare_next(&mut self) {
        if self.preparing.as_ref().is_some_and(Preparing::is_finished) {
            self.join_preparing();
        }
        let Some(active) = &self.active else { return };
        let half_full = active.end > active.segment.header.capacity / 2;
        if self.prepare_ahead
            && self.preparing.is_none()
            && self.spare.is_none()
            && half_full
            && self.before == Before::Nothing
            && !is_too_soon(self.prepare_not_before_ms, self.disk.now_ms())
        {
            let capacity = self.capacity(active.segment.header.number + 1, 0);
            let disk = self.disk.clone();
            self.preparing = Some(std::thread::spawn(move || {
                Ok((make_zeroed(disk.as_ref(), capacity)?, capacity))
            }));
        }
    }

    /// Copies the bytes behind the logical end aside before anything else happens to the log.
    fn keep_cut_bytes(&mut self, until: u64) -> Result<(), ExtendFailure> {
        let Some(active) = &self.active else {
            unreachable!("a cut is a cut of a segment");
        };
        if until == active.end {
            // The file was shortened exactly behind its last frame.
            return Ok(());
        }
        let mut bytes = vec![0; (until - active.end) as usize];
        active
            .segment
            .file
            .read_at(active.end, &mut bytes)
            .map_err(append_failure("reading cut bytes"))?;
        let name = format!(
            "{QUARANTINE}/segment-{}-offset-{}.cut",
            active.segment.header.number, active.end
        );
        let copy = self
            .disk
            .create(&name, bytes.len() as u64)
            .map_err(refused)?;
        copy.write_at(0, &bytes).map_err(refused)?;
        if !removed(Sabotage::QuarantineSync) {
            copy.sync()
                .map_err(append_failure("syncing quarantined bytes"))?;
        }
        // Its name is synced with the renames of the roll that follows.
        Ok(())
    }

    /// Gives the active segment its end mark (not behind a cut) and syncs it. Returns its logical end.
    fn end_active(&mut self) -> Result<u64, ExtendFailure> {
        match (&self.active, &self.before) {
            (None, _) => Ok(0),
            (Some(active), Before::Cut { .. }) => Ok(active.end),
            // A roll was interrupted behind its end mark; there may be no room for another one.
            (Some(active), _) if matches!(self.last_kind, Some((FrameKind::SegmentEnd, _))) => {
                Ok(active.end)
            }
            (Some(_), Before::Nothing | Before::CreateFirst | Before::FinishRename) => {
                let mut end = Batch::default();
                end.push(FrameKind::SegmentEnd, 0, self.next_time_ms(), None, |_| ());
                let ended = if removed(Sabotage::EndMarkSync) {
                    self.write_out(&mut end)
                } else {
                    self.flush(&mut end)
                };
                ended.map_err(ExtendFailure::Append)?;
                Ok(self.next_place().1)
            }
        }
    }

    /// `wal.log` becomes `wal-<first lsn>.log`.
    fn rename_active(&mut self) -> Result<(), ExtendFailure> {
        if let Some(active) = &self.active {
            let name = sealed_name(active.segment.header.first_lsn, active.segment.header.epoch);
            self.rename_free(&active.segment.name(), &name, Sabotage::SealDirSync)?;
            active.segment.renamed(&name);
        }
        Ok(())
    }

    /// Renames to a name that nobody has: a rename never replaces a segment.
    fn rename_free(&self, from: &str, to: &str, sync: Sabotage) -> Result<(), ExtendFailure> {
        if from == to {
            return Ok(());
        }
        let names = self
            .disk
            .list()
            .map_err(append_failure("listing the directory"))?;
        if names.iter().any(|name| name == to) {
            let taken = io::Error::new(
                io::ErrorKind::AlreadyExists,
                format!("there is a file {to} already"),
            );
            return Err(append_failure("renaming a segment")(taken));
        }
        self.disk
            .rename(from, to)
            .map_err(append_failure("renaming a segment"))?;
        if removed(sync) {
            return Ok(());
        }
        self.disk
            .sync_dir()
            .map_err(append_failure("syncing the directory"))
    }

    /// Gives the active segment the name `wal.log`, and the segment that has it its own.
    fn finish_rename(&mut self) -> Result<(), ExtendFailure> {
        let Some(active) = &self.active else {
            unreachable!("there is a segment to rename");
        };
        if let Some(segment) = &self.in_the_way {
            let name = sealed_name(segment.header.first_lsn, segment.header.epoch);
            self.rename_free(ACTIVE, &name, Sabotage::SealDirSync)?;
            // A rewrite puts the new file of a segment where its old one is.
            segment.renamed(&name);
        }
        self.in_the_way = None;
        self.rename_free(&active.segment.name(), ACTIVE, Sabotage::ActivateDirSync)?;
        active.segment.renamed(ACTIVE);
        self.before = Before::Nothing;
        Ok(())
    }

    /// Replaces the manifest: temporary file, sync, rename, directory sync.
    pub(crate) fn write_manifest(&mut self) -> Result<(), IoFailure> {
        self.renew_manifest()?;
        self.witnessed = self.durable;
        Ok(())
    }

    fn renew_manifest(&self) -> Result<(), IoFailure> {
        let manifest = Manifest {
            store_id: self.store_id,
            durable: self.durable,
            segments: self.known.clone(),
        };
        let text = manifest.encode();
        let failed = |source| IoFailure {
            attempt: "writing the manifest",
            file: MANIFEST.to_owned(),
            source,
        };
        let file = self
            .disk
            .create(MANIFEST_NEW, text.len() as u64)
            .map_err(failed)?;
        file.write_at(0, text.as_bytes()).map_err(failed)?;
        if !removed(Sabotage::ManifestSync) {
            file.sync().map_err(failed)?;
        }
        self.disk.rename(MANIFEST_NEW, MANIFEST).map_err(failed)?;
        if removed(Sabotage::ManifestDirSync) {
            return Ok(());
        }
        self.disk.sync_dir().map_err(failed)
    }

    /// Ends a session: the closing mark, everything durable, the manifest, no half-prepared file left behind.
    pub(crate) fn close_log(&mut self) -> Result<(), IoFailure> {
        self.join_preparing();
        if self.spare.take().is_some() {
            let failed = |source| IoFailure {
                attempt: "removing the spare segment",
                file: NEXT.to_owned(),
                source,
            };
            self.disk.remove(NEXT).map_err(failed)?;
        }
        let mut mark = Batch::default();
        let marked = self.push_mark(true, &mut mark);
        if marked || self.durable < self.last_lsn {
            self.flush(&mut mark).map_err(|failure| IoFailure {
                attempt: failure.attempt,
                file: ACTIVE.to_owned(),
                source: failure.error,
            })?;
        }
        // Also when there was no room for the mark: then the manifest is the only witness of the last frames.
        if self.witnessed < self.durable {
            self.write_manifest()?;
        }
        Ok(())
    }
}

fn make_zeroed(disk: &dyn Disk, capacity: u64) -> io::Result<Arc<dyn DiskFile>> {
    assert!(
        capacity.is_multiple_of(ALIGN),
        "segments have aligned lengths"
    );
    let file = match disk.create(NEXT, capacity) {
        Ok(file) => file,
        Err(error) => {
            // Room taken by a half-made file is given back. If that fails too, the first error says more.
            let _given_back = disk.remove(NEXT).is_ok();
            return Err(error);
        }
    };
    if !removed(Sabotage::SpareSync) {
        file.sync()?;
    }
    // The name must belong to this file for good before it can be renamed: an older `wal.next` may be on the disk.
    if !removed(Sabotage::SpareDirSync) {
        disk.sync_dir()?;
    }
    Ok(file)
}
