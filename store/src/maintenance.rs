//! The store's doors to rewriting and backups, and the wiring of the thread that rewrites by itself.
//!
//! What must stay true: one rewrite or backup at a time; whoever rewrites holds the directory's lock; nothing here waits for
//! the committer while holding a lock that the committer may want.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use crate::backup::{BackupError, BackupReport, Reach, take};
use crate::committer::Committer;
use crate::disk::{Disk, LockGuard};
use crate::open::inspect;
use crate::outcome::CommitOutcome;
use crate::progress::OnProgress;
use crate::queue::Queue;
use crate::rewrite::sweep::{Scope, Sweep};
use crate::rewrite::worker::{Worker, due};
use crate::rewrite::{CompactReport, RewriteError};
use crate::shared::Shared;
use crate::store::{Inner, Store, StoreOptions};
use crate::value::Lsn;

/// Compacts a store that nobody has open, with the schema (and the `@keep` rules) that its own log declares.
pub fn compact(
    disk: Arc<dyn Disk>,
    progress: OnProgress<'_>,
) -> Result<CompactReport, RewriteError> {
    let schema = inspect(disk.as_ref())
        .map_err(RewriteError::Open)?
        .schema()
        .clone();
    let opened = Store::open(disk, &schema, StoreOptions::inline()).map_err(RewriteError::Open)?;
    let report = opened.store.compact(progress)?;
    opened.store.close()?;
    Ok(report)
}

impl Store {
    /// Takes everything out of the log that is to go, at once: what was destroyed, and versions older than their type keeps.
    /// Room that becomes free goes back to the file system. `progress` is told how far it is.
    pub fn compact(&self, progress: OnProgress<'_>) -> Result<CompactReport, RewriteError> {
        let inner = &self.inner;
        let _alone = inner
            .maintenance
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let sweep = Sweep {
            shared: &inner.shared,
            disk: inner.disk.as_ref(),
            door: &mut |end| inner.settle(end),
            paced: false,
            stop: &AtomicBool::new(false),
            progress,
        };
        let report = sweep.run(Scope::Everything);
        let closed = |failure: &RewriteError| matches!(failure, RewriteError::Closed);
        if report.failures.iter().any(closed) {
            return Err(RewriteError::Closed);
        }
        Ok(report)
    }

    /// Backs up everything committed so far to the empty directory `to`, without a pause for anybody. With `since`, an
    /// earlier backup of this store, only what is new takes room.
    pub fn backup(
        &self,
        to: &dyn Disk,
        since: Option<&dyn Disk>,
        progress: OnProgress<'_>,
    ) -> Result<BackupReport, BackupError> {
        let inner = &self.inner;
        let _alone = inner
            .maintenance
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let published = inner.shared.state().published;
        take(
            inner.disk.as_ref(),
            Reach::Until(published),
            to,
            since,
            progress,
        )
    }
}

impl Inner {
    fn settle(&self, end: bool) -> Result<Lsn, RewriteError> {
        if self.threaded {
            return settle_by_queue(&self.queue, end);
        }
        let mut committer = self
            .committer
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match committer.as_mut() {
            Some(committer) => settled(committer.tidy_segments(end)),
            None => Err(RewriteError::Closed),
        }
    }
}

fn settled(answer: Result<Lsn, CommitOutcome>) -> Result<Lsn, RewriteError> {
    answer.map_err(|outcome| match outcome {
        CommitOutcome::Poisoned { .. } | CommitOutcome::Closed => RewriteError::Closed,
        other => RewriteError::CannotEndSegment {
            reason: other.to_string(),
        },
    })
}

/// The same on the committer's thread.
fn settle_by_queue(queue: &Queue, end: bool) -> Result<Lsn, RewriteError> {
    let (sender, receiver) = mpsc::channel();
    queue.send(Box::new(move |committer: &mut Committer| {
        // Whoever asked may be gone by now.
        let _told = sender.send(committer.tidy_segments(end)).is_ok();
    }));
    // A closed queue drops the errand, and with it the sender.
    receiver.recv().map_or(Err(RewriteError::Closed), settled)
}

/// Starts the thread that rewrites by itself. It holds the directory's lock until it has ended.
pub(crate) fn start_rewriter(
    (shared, disk, lock): (Arc<Shared>, Arc<dyn Disk>, Arc<LockGuard>),
    queue: Arc<Queue>,
    maintenance: Arc<Mutex<()>>,
    destroy_within_ms: i64,
) -> std::io::Result<Worker> {
    let clock = disk.clone();
    let now_ms = move || clock.now_ms();
    let of_worker = shared.clone();
    let sweep = move |scope: Scope, stop: &AtomicBool| {
        let _held = &lock;
        let _alone = maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        let sweep = Sweep {
            shared: &shared,
            disk: disk.as_ref(),
            door: &mut |end| settle_by_queue(&queue, end),
            paced: true,
            stop,
            progress: &mut |_| {},
        };
        sweep.run(scope).is_complete()
    };
    Worker::start(of_worker, destroy_within_ms, now_ms, sweep)
}

/// For a store without threads, when it is closed: carries out the receipts that are due. What fails waits for the next time.
pub(crate) fn rewrite_what_is_due(
    committer: &mut Committer,
    disk: &Arc<dyn Disk>,
    destroy_within_ms: i64,
) {
    let shared = committer.shared.clone();
    let Some(scope) = due(&shared, destroy_within_ms, disk.now_ms()) else {
        return;
    };
    let sweep = Sweep {
        shared: &shared,
        disk: disk.as_ref(),
        door: &mut |end| settled(committer.tidy_segments(end)),
        paced: false,
        stop: &AtomicBool::new(false),
        progress: &mut |_| {},
    };
    let _tried = sweep.run(scope).is_complete();
}
