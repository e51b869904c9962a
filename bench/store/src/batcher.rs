//! One committer in front of a store that has none: what queues up while a transaction is being synced is the next
//! transaction. Here because peers deserve group commit as well: without it, 64 writers would be one after another.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use crate::contestant::Contestant;
use crate::note::Pool;
use crate::tasks::{Done, Submit};

#[derive(Default)]
struct Waiting {
    jobs: Vec<Done>,
    closed: bool,
}

/// The queue in front of a store.
pub struct Batcher<'a> {
    store: &'a dyn Contestant,
    pool: &'a Pool,
    waiting: Mutex<Waiting>,
    changed: Condvar,
    next_id: &'a AtomicU64,
}

impl<'a> Batcher<'a> {
    /// A queue; new notes get numbers from `next_id`.
    pub fn new(store: &'a dyn Contestant, pool: &'a Pool, next_id: &'a AtomicU64) -> Self {
        Batcher {
            store,
            pool,
            waiting: Mutex::default(),
            changed: Condvar::new(),
            next_id,
        }
    }

    /// Runs `work` with a committer beside it.
    ///
    /// # Errors
    /// What `work` says.
    pub fn serve<T: Send>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, String> + Send,
    ) -> Result<T, String> {
        std::thread::scope(|scope| {
            scope.spawn(|| self.commit_until_closed());
            let result = work(self);
            self.waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .closed = true;
            self.changed.notify_all();
            result
        })
    }

    fn commit_until_closed(&self) {
        loop {
            let jobs = {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                while waiting.jobs.is_empty() && !waiting.closed {
                    waiting = self
                        .changed
                        .wait(waiting)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                std::mem::take(&mut waiting.jobs)
            };
            if jobs.is_empty() {
                return;
            }
            let first = self.next_id.fetch_add(jobs.len() as u64, Ordering::Relaxed);
            let ids: Vec<u64> = (first..first + jobs.len() as u64).collect();
            let saved = self.store.save(&ids, self.pool);
            jobs.into_iter().for_each(|done| done(saved.clone()));
        }
    }
}

impl Submit for Batcher<'_> {
    fn submit(&self, _serial: u64, done: Done) -> Result<(), String> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.jobs.push(done);
        if waiting.jobs.len() == 1 {
            self.changed.notify_one();
        }
        Ok(())
    }
}
