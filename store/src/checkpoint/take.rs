//! Taking checkpoints while the store works: when, what, and on which thread.
//!
//! Part of the committer, because only between two of its batches do log, index and request ids say the same. What must
//! stay true: a checkpoint holds only what is durable and published; its failure costs nothing but a longer opening.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::checkpoint::Checkpoints;
use crate::checkpoint::base::Base;
use crate::checkpoint::content::Content;
use crate::checkpoint::write::{Written, write};
use crate::codec::catalog::encode_catalog;
use crate::committer::Committer;
use crate::disk::Disk;
use crate::error::IoFailure;
use crate::limits::{
    CHECKPOINT_AFTER_MS, CHECKPOINT_IDLE_APART_MS, CHECKPOINT_IDLE_BYTES, CHECKPOINT_LOG_BYTES_MIN,
    CHECKPOINTS_KEPT, IDLE_MARK_MS,
};
use crate::log::commit_log::{Batch, Reached};
use crate::report::LogCounts;

/// A large checkpoint is worth writing for a part of its own size of log while the store is idle, or has been written
/// to for a while.
const SHARE_OF_LAST: u64 = 8;
/// An idle committer looks so often whether a checkpoint is written.
const WATCH_WRITING: Duration = Duration::from_millis(100);

/// Why a checkpoint may be due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// A batch was published.
    Batch,
    /// Nothing came for a while.
    Idle,
    /// The store is being closed.
    Close,
}

/// What the committer remembers about checkpoints.
pub(crate) struct Checkpointer {
    disk: Arc<dyn Disk>,
    /// Operations of records, from the beginning of the log.
    pub(crate) ops: LogCounts,
    options: Checkpoints,
    /// Whether a thread of its own writes them.
    background: bool,
    /// The newest schema frame in the log: catalog version and body.
    catalog: (u16, Arc<Vec<u8>>),
    base: Option<Arc<Base>>,
    /// Files to be removed with the next checkpoint.
    unusable: Vec<String>,
    /// Bytes of log since the last checkpoint, up to `seen`.
    log_bytes: u64,
    /// What `log_bytes` was when the checkpoint being written was begun: if it fails, they count again.
    written_for: u64,
    /// Segment and end of the log when it was looked at last.
    seen: (u64, u64),
    last_ms: i64,
    last_bytes: u64,
    /// No attempt before this time: the last one failed.
    not_before_ms: Option<i64>,
    running: Option<JoinHandle<Result<Written, IoFailure>>>,
}

/// What opening found, for the checkpoints of this session.
pub(crate) struct Opening {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) counts: LogCounts,
    pub(crate) base: Option<Arc<Base>>,
    pub(crate) unusable: Vec<String>,
    /// Version and body of the newest schema frame in the log.
    pub(crate) catalog: (u16, Vec<u8>),
    /// Bytes of log behind the checkpoint that was used (all of it, if none was).
    pub(crate) log_bytes: u64,
    /// Segment and end of the log.
    pub(crate) end: (u64, u64),
    pub(crate) now_ms: i64,
}

impl Checkpointer {
    pub(crate) fn new(options: Checkpoints, background: bool, opening: Opening) -> Self {
        Checkpointer {
            disk: opening.disk,
            ops: opening.counts,
            options,
            background,
            catalog: (opening.catalog.0, Arc::new(opening.catalog.1)),
            unusable: opening.unusable,
            log_bytes: opening.log_bytes,
            written_for: 0,
            seen: opening.end,
            // The first one need not wait.
            last_ms: opening.now_ms.saturating_sub(CHECKPOINT_AFTER_MS),
            last_bytes: opening
                .base
                .as_ref()
                .map_or(0, |base| base.mapped.header.file_len),
            base: opening.base,
            not_before_ms: None,
            running: None,
        }
    }

    /// Counts the log written since the last look.
    fn look(&mut self, segment: u64, end: u64) {
        let (seen_segment, seen_end) = self.seen;
        self.log_bytes = self.log_bytes.saturating_add(if segment == seen_segment {
            end - seen_end
        } else {
            end
        });
        self.seen = (segment, end);
    }

    fn is_due(&self, occasion: Occasion, now_ms: i64) -> bool {
        let Checkpoints {
            log_bytes,
            after_ms,
            log_bytes_min,
        } = self.options;
        let waits = self
            .not_before_ms
            .is_some_and(|until| (until - CHECKPOINT_AFTER_MS..until).contains(&now_ms));
        if log_bytes == 0 || self.running.is_some() || waits {
            return false;
        }
        if self.base.as_ref().is_some_and(|base| base.is_bad()) {
            return true;
        }
        let share = self.share_of_last();
        let half = share * SHARE_OF_LAST / 2;
        let passed = now_ms.saturating_sub(self.last_ms);
        let enough = match occasion {
            Occasion::Close => true,
            Occasion::Batch | Occasion::Idle if self.log_bytes >= log_bytes.max(half) => true,
            Occasion::Batch => passed >= after_ms && self.log_bytes >= share,
            Occasion::Idle => self.idle_due_ms().is_some_and(|due_ms| due_ms <= now_ms),
        };
        enough && self.log_bytes >= log_bytes_min
    }

    /// A part of the last checkpoint's size; nothing for small ones.
    fn share_of_last(&self) -> u64 {
        let share = self.last_bytes / SHARE_OF_LAST;
        if share < CHECKPOINT_LOG_BYTES_MIN {
            0
        } else {
            share
        }
    }

    /// When the store, if nothing comes, should write a checkpoint; `None` if there is too little for one.
    fn idle_due_ms(&self) -> Option<i64> {
        let share = self.share_of_last();
        let enough = self.log_bytes >= CHECKPOINT_IDLE_BYTES.max(share)
            && self.log_bytes >= self.options.log_bytes_min
            && self.options.log_bytes > 0;
        enough.then(|| {
            let apart = CHECKPOINT_IDLE_APART_MS.min(self.options.after_ms);
            let due_ms = self.last_ms.saturating_add(apart);
            due_ms.max(self.not_before_ms.unwrap_or(due_ms))
        })
    }

    /// Every checkpoint is about to be removed: if there was one, a new one is wanted soon.
    fn renew(&mut self) {
        if self.last_bytes > 0 {
            self.log_bytes = u64::MAX / 2;
        }
    }

    /// Waits for the thread, if one is writing.
    fn join(&mut self) -> Option<Result<Written, IoFailure>> {
        self.running.take()?.join().ok()
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        // The thread changes files of the directory: it must have ended before the lock is given back.
        let _ended = self.join().is_some();
    }
}

impl Committer {
    /// Takes over a finished checkpoint, and takes one if it is time for it. Only between two batches, and only when all
    /// that was appended is durable.
    pub(crate) fn checkpoint(&mut self, occasion: Occasion) {
        if self.poisoned.get().is_some() {
            return;
        }
        let finished = |thread: &JoinHandle<_>| thread.is_finished() || occasion == Occasion::Close;
        if self.checkpoints.running.as_ref().is_some_and(finished)
            && let Some(result) = self.checkpoints.join()
        {
            self.take_over(result);
        }
        let now_ms = self.checkpoints.disk.now_ms();
        if occasion == Occasion::Idle && self.checkpoints.is_due(occasion, now_ms) {
            // A mark may have been written that is not durable yet.
            let head = self.log.head();
            if head.durable < head.lsn
                && let Err(failure) = self.log.append(&mut Batch::default())
            {
                self.poison(&failure);
                return;
            }
        }
        let Some(reached) = self.log.reached() else {
            return;
        };
        let reach = &reached.reach;
        self.checkpoints.look(reach.segment, reach.next_at);
        if self.checkpoints.is_due(occasion, now_ms)
            && let Some(content) = self.content(reached, now_ms)
        {
            self.start(content, now_ms, occasion);
        }
    }

    /// How long to wait for work before `idle` has something to do.
    pub(crate) fn idle_after(&self) -> Option<Duration> {
        if self.wants_mark() {
            return Some(Duration::from_millis(IDLE_MARK_MS));
        }
        if self.poisoned.get().is_some() {
            return None;
        }
        let checkpoints = &self.checkpoints;
        if checkpoints.running.is_some() {
            return Some(WATCH_WRITING);
        }
        let now_ms = checkpoints.disk.now_ms();
        let wait_ms = checkpoints.idle_due_ms()?.saturating_sub(now_ms);
        // At least the mark's time, so that a clock that stands still does not keep the thread busy.
        Some(Duration::from_millis(
            wait_ms.clamp(IDLE_MARK_MS as i64, CHECKPOINT_AFTER_MS) as u64,
        ))
    }

    fn start(&mut self, content: Content, now_ms: i64, occasion: Occasion) {
        let disk = self.checkpoints.disk.clone();
        let checkpoints = &mut self.checkpoints;
        (checkpoints.written_for, checkpoints.log_bytes) = (checkpoints.log_bytes, 0);
        checkpoints.last_ms = now_ms;
        let unusable = checkpoints.unusable.clone();
        if !checkpoints.background || occasion == Occasion::Close {
            let result = write(disk.as_ref(), content, &unusable, CHECKPOINTS_KEPT);
            self.take_over(result);
            return;
        }
        let job = move || write(disk.as_ref(), content, &unusable, CHECKPOINTS_KEPT);
        let thread = std::thread::Builder::new().name("flin-checkpoint".to_owned());
        match thread.spawn(job) {
            Ok(thread) => checkpoints.running = Some(thread),
            Err(source) => self.take_over(Err(IoFailure {
                attempt: "starting the checkpoint thread",
                file: self.checkpoints.disk.place(),
                source,
            })),
        }
    }

    fn take_over(&mut self, result: Result<Written, IoFailure>) {
        let failed = match result {
            Ok(written) => {
                let checkpoints = &mut self.checkpoints;
                checkpoints.last_bytes = written.bytes;
                checkpoints.not_before_ms = None;
                checkpoints.unusable.clear();
                if checkpoints.base.as_ref().is_some_and(|base| base.is_bad()) {
                    checkpoints.base = None;
                }
                self.log.kept(written.lsn).err()
            }
            Err(failure) => {
                let checkpoints = &mut self.checkpoints;
                checkpoints.log_bytes = checkpoints
                    .log_bytes
                    .saturating_add(checkpoints.written_for);
                Some(failure)
            }
        };
        if let Some(failure) = failed {
            let now_ms = self.checkpoints.disk.now_ms();
            self.checkpoints.not_before_ms = Some(now_ms + CHECKPOINT_AFTER_MS);
            self.shared.notes.tell(format!(
                "no checkpoint could be written ({failure}); opening will take longer until one is"
            ));
        }
    }

    /// The state as it is now, between two batches.
    fn content(&mut self, reached: Reached, now_ms: i64) -> Option<Content> {
        let salt = self.checkpoints.disk.random_u64().ok()?;
        if !self.schema_pending && self.checkpoints.catalog.0 != self.shared.catalog.version {
            let body = encode_catalog(&self.shared.catalog);
            self.checkpoints.catalog = (self.shared.catalog.version, Arc::new(body));
        }
        let ops = &self.checkpoints.ops;
        let counts = LogCounts {
            creates: ops.creates,
            updates: ops.updates,
            deletes: ops.deletes,
            restores: ops.restores,
            destroys: ops.destroys,
            erased: ops.erased,
            ..reached.counts
        };
        let state = self.shared.state();
        let types = state.index.types();
        Some(Content {
            store_id: reached.store_id,
            created_at_ms: now_ms,
            salt,
            reach: reached.reach,
            segment: reached.segment,
            published: state.published,
            catalog: self.checkpoints.catalog.clone(),
            counts,
            types: types.map(|(number, ty)| (number, ty.freeze())).collect(),
            requests: self.request_ids.all(),
            times: state.times.entries().to_vec(),
            sections: self.shared.freeze_sections(),
        })
    }

    /// Before content is taken out of the log and all checkpoints are removed: none is being written any more, and the next
    /// one is wanted soon.
    pub(crate) fn settle_checkpoints(&mut self) {
        if let Some(result) = self.checkpoints.join() {
            self.take_over(result);
        }
        self.checkpoints.renew();
    }
}
