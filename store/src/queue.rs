//! Who may commit when: the queue of waiting transactions and the exclusive turn.
//!
//! Group commit has no timer: what queues up while a batch is being synced is the next batch. What must stay true: at
//! most one batch is in work, and while somebody holds the exclusive turn only their transaction is taken.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::committer::Committer;
use crate::limits::BATCH_COMMITS_MAX;
use crate::outcome::CommitOutcome;
use crate::transaction::TransactionParts;
use crate::value::RequestId;

/// Called with the outcome, on the committer's thread.
pub(crate) type OnDone = Box<dyn FnOnce(CommitOutcome) + Send>;

/// A transaction waiting to be committed.
pub(crate) struct Job {
    pub(crate) parts: TransactionParts,
    pub(crate) request_id: Option<RequestId>,
    pub(crate) on_done: OnDone,
}

impl Job {
    pub(crate) fn token(&self) -> Option<u64> {
        self.parts.exclusive.as_ref().map(|turn| turn.token)
    }
}

/// Something else to do where commits are done, between two batches.
pub(crate) type Errand = Box<dyn FnOnce(&mut Committer) + Send>;

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    errands: VecDeque<Errand>,
    exclusive: Option<u64>,
    last_token: u64,
    busy: bool,
    closed: bool,
}

/// The queue in front of the committer.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

/// The right to be the only one who commits; given back when dropped.
pub(crate) struct ExclusiveTurn {
    queue: Arc<Queue>,
    token: u64,
}

/// What the committer is asked to do next.
pub(crate) enum Next {
    /// Commit these.
    Jobs(Vec<Job>),
    /// Do this, whoever has the exclusive turn.
    Errand(Errand),
    /// Nothing came for a while.
    Idle,
    /// The store is closed and nothing waits.
    Closed,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&'a self, waiting: MutexGuard<'a, Waiting>) -> MutexGuard<'a, Waiting> {
        self.changed
            .wait(waiting)
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts jobs into the queue side by side, or gives them back when the store is closed.
    pub(crate) fn push(&self, jobs: Vec<Job>) -> Result<(), Vec<Job>> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(jobs);
        }
        waiting.jobs.extend(jobs);
        self.changed.notify_all();
        Ok(())
    }

    /// Puts an errand into the queue; dropped undone when the store is closed.
    pub(crate) fn send(&self, errand: Errand) {
        let mut waiting = self.lock();
        if !waiting.closed {
            waiting.errands.push_back(errand);
            self.changed.notify_all();
        }
    }

    /// Waits for the next batch; the caller must call `done` after working on jobs. `idle_after`: say `Idle` when
    /// nothing came for so long.
    pub(crate) fn next(&self, idle_after: Option<Duration>) -> Next {
        let mut waiting = self.lock();
        loop {
            if let Some(errand) = waiting.errands.pop_front() {
                return Next::Errand(errand);
            }
            let jobs = waiting.take_allowed();
            if !jobs.is_empty() {
                waiting.busy = true;
                return Next::Jobs(jobs);
            }
            if waiting.closed && waiting.jobs.is_empty() {
                return Next::Closed;
            }
            match idle_after {
                None => waiting = self.wait(waiting),
                Some(timeout) => {
                    let (guard, waited) = self
                        .changed
                        .wait_timeout(waiting, timeout)
                        .unwrap_or_else(PoisonError::into_inner);
                    waiting = guard;
                    if waited.timed_out()
                        && waiting.jobs.is_empty()
                        && waiting.errands.is_empty()
                        && !waiting.closed
                    {
                        return Next::Idle;
                    }
                }
            }
        }
    }

    /// For commits in the caller's thread: waits until nobody else is at work and no other exclusive turn is held.
    /// `false` when the store is closed.
    pub(crate) fn enter(&self, token: Option<u64>) -> bool {
        let mut waiting = self.lock();
        while waiting.busy || (waiting.exclusive.is_some() && waiting.exclusive != token) {
            waiting = self.wait(waiting);
        }
        if waiting.closed {
            return false;
        }
        waiting.busy = true;
        true
    }

    /// The batch is finished.
    pub(crate) fn done(&self) {
        self.lock().busy = false;
        self.changed.notify_all();
    }

    /// Takes out whatever waits, and lets everybody go on who waits for a batch in work.
    pub(crate) fn drain(&self) -> Vec<Job> {
        let mut waiting = self.lock();
        waiting.busy = false;
        waiting.errands.clear();
        let jobs = waiting.jobs.drain(..).collect();
        self.changed.notify_all();
        jobs
    }

    /// No more jobs are taken; those that wait are still committed.
    pub(crate) fn close(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        waiting.errands.clear();
        drop(waiting);
        self.changed.notify_all();
    }

    /// Waits for the exclusive turn: nobody else holds it and no batch is in work.
    pub(crate) fn exclusive(self: &Arc<Self>) -> ExclusiveTurn {
        let mut waiting = self.lock();
        while waiting.exclusive.is_some() {
            waiting = self.wait(waiting);
        }
        waiting.last_token += 1;
        let token = waiting.last_token;
        waiting.exclusive = Some(token);
        while waiting.busy {
            waiting = self.wait(waiting);
        }
        ExclusiveTurn {
            queue: self.clone(),
            token,
        }
    }
}

impl Waiting {
    /// The next jobs in order of arrival; under an exclusive turn only its own.
    fn take_allowed(&mut self) -> Vec<Job> {
        match self.exclusive {
            None => {
                let count = self.jobs.len().min(BATCH_COMMITS_MAX);
                self.jobs.drain(..count).collect()
            }
            Some(token) => {
                let own = self.jobs.iter().position(|job| job.token() == Some(token));
                own.and_then(|at| self.jobs.remove(at))
                    .into_iter()
                    .collect()
            }
        }
    }
}

impl Drop for ExclusiveTurn {
    fn drop(&mut self) {
        let mut waiting = self.queue.lock();
        if waiting.exclusive == Some(self.token) {
            waiting.exclusive = None;
        }
        self.queue.changed.notify_all();
    }
}
