//! Who may commit when: the queue of waiting transactions, the worker and the exclusive turn.
//!
//! The worker is whoever has a batch in work: the committer's thread, or a caller that waits for its own commit anyway and
//! found nobody at work. Group commit has no timer: what queues up while a batch is being synced is the next batch. What
//! must stay true: there is one worker at most, and while somebody holds the exclusive turn only their transaction is taken;
//! a thread is only woken when there is something for it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::committer::Committer;
use crate::limits::BATCH_COMMITS_MAX;
use crate::outcome::CommitOutcome;
use crate::threads::{
    Arc, AtomicU64, Condvar, Mutex, MutexGuard, Ordering, PoisonError, ThreadId, current, yield_now,
};
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

/// What the committer's thread does while it waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Asleep {
    /// It is awake, or has been woken.
    #[default]
    No,
    /// It looks by itself then.
    Until(Instant),
    /// Only somebody else wakes it.
    Untimed,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    errands: VecDeque<Errand>,
    exclusive: Option<u64>,
    last_token: u64,
    /// Who works on a batch or a mark.
    worker: Option<ThreadId>,
    closed: bool,
    /// When the committer has something to do if nothing else comes (a mark, a checkpoint).
    idle_at: Option<Instant>,
    thread: Asleep,
    /// Threads that wait for the worker to be done or for a turn.
    others: usize,
}

/// The queue in front of the committer.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    /// Jobs that wait, as somebody saw it who held the lock: who only wants to know does not take it.
    jobs: AtomicU64,
    /// For the committer's thread.
    work: Condvar,
    /// For everybody else.
    changed: Condvar,
}

/// The right to be the only one who commits; given back when dropped.
pub(crate) struct ExclusiveTurn {
    queue: Arc<Queue>,
    token: u64,
}

/// What the committer is asked to do next.
pub(crate) enum Next {
    /// Commit what was put into the list.
    Jobs,
    /// Do this.
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

    /// Waits for something to change; not for the committer's thread.
    fn wait<'a>(&'a self, mut waiting: MutexGuard<'a, Waiting>) -> MutexGuard<'a, Waiting> {
        waiting.others += 1;
        let mut waiting = self
            .changed
            .wait(waiting)
            .unwrap_or_else(PoisonError::into_inner);
        waiting.others -= 1;
        waiting
    }

    /// Wakes the committer's thread, once.
    fn wake(&self, waiting: &mut Waiting) {
        if waiting.thread != Asleep::No {
            waiting.thread = Asleep::No;
            self.work.notify_one();
        }
    }

    fn count(&self, waiting: &Waiting) {
        self.jobs
            .store(waiting.jobs.len() as u64, Ordering::Release);
    }

    fn wake_others(&self, waiting: &Waiting) {
        if waiting.others > 0 {
            self.changed.notify_all();
        }
    }

    /// Puts jobs into the queue side by side, or gives them back when the store is closed.
    pub(crate) fn push<J: IntoIterator<Item = Job>>(&self, jobs: J) -> Result<(), J> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(jobs);
        }
        waiting.jobs.extend(jobs);
        self.count(&waiting);
        if waiting.worker.is_none() {
            self.wake(&mut waiting);
        }
        Ok(())
    }

    /// Puts an errand into the queue; dropped undone when the store is closed.
    pub(crate) fn send(&self, errand: Errand) {
        let mut waiting = self.lock();
        if !waiting.closed {
            waiting.errands.push_back(errand);
            self.wake(&mut waiting);
        }
    }

    /// For the committer's thread: waits for the next batch, which goes into `jobs`. The thread is the worker then and must
    /// say `done`.
    pub(crate) fn next(&self, jobs: &mut Vec<Job>) -> Next {
        let mut waiting = self.lock();
        loop {
            if waiting.worker.is_none() {
                if let Some(errand) = waiting.errands.pop_front() {
                    waiting.worker = Some(current().id());
                    return Next::Errand(errand);
                }
                waiting.take_allowed(BATCH_COMMITS_MAX, jobs);
                self.count(&waiting);
                if !jobs.is_empty() {
                    waiting.worker = Some(current().id());
                    return Next::Jobs;
                }
                if waiting.closed && waiting.jobs.is_empty() {
                    return Next::Closed;
                }
            }
            let idle = waiting.worker.is_none() && waiting.jobs.is_empty();
            waiting = match waiting.idle_at.filter(|_| idle) {
                None => {
                    waiting.thread = Asleep::Untimed;
                    let woken = self.work.wait(waiting);
                    woken.unwrap_or_else(PoisonError::into_inner)
                }
                Some(at) => {
                    let left = at.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        waiting.idle_at = None;
                        waiting.worker = Some(current().id());
                        return Next::Idle;
                    }
                    waiting.thread = Asleep::Until(at);
                    let woken = self.work.wait_timeout(waiting, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
            waiting.thread = Asleep::No;
        }
    }

    /// For the worker: what has come meanwhile and may join the batch, so many at most, without waiting.
    pub(crate) fn late(&self, most: usize, into: &mut Vec<Job>) {
        if self.jobs.load(Ordering::Acquire) > 0 {
            let mut waiting = self.lock();
            waiting.take_allowed(most, into);
            self.count(&waiting);
        }
    }

    /// For the committer's thread, as the worker, between two batches: those who were just answered together come back
    /// together, and to sleep and be woken takes longer than to look for them a while. Whether there is another batch in
    /// `jobs`; if not, or if something else is to be done, the worker says `done`.
    pub(crate) fn again(&self, patience: Duration, jobs: &mut Vec<Job>) -> bool {
        let since = Instant::now();
        while self.jobs.load(Ordering::Acquire) == 0 {
            if since.elapsed() >= patience {
                return false;
            }
            yield_now();
        }
        let mut waiting = self.lock();
        if waiting.errands.is_empty() {
            waiting.take_allowed(BATCH_COMMITS_MAX, jobs);
            self.count(&waiting);
        }
        !jobs.is_empty()
    }

    /// For work in the caller's thread: waits until nobody else is at work and no other exclusive turn is held. The
    /// caller is the worker then and must say `done`. `false` when the store is closed.
    pub(crate) fn enter(&self, token: Option<u64>) -> bool {
        let mut waiting = self.lock();
        while !waiting.is_free(token) {
            waiting = self.wait(waiting);
        }
        waiting.begin()
    }

    /// The same without waiting, and only if nothing queues, errands included: who came first is first.
    pub(crate) fn try_enter(&self, token: Option<u64>) -> bool {
        let mut waiting = self.lock();
        let nothing_waits = waiting.jobs.is_empty() && waiting.errands.is_empty();
        waiting.is_free(token) && nothing_waits && waiting.begin()
    }

    /// Whether the calling thread is at work: a callback must not wait for itself.
    pub(crate) fn is_worker(&self) -> bool {
        self.lock().worker == Some(current().id())
    }

    /// The work is finished; `idle_after`: there is something to do if nothing else comes for so long.
    pub(crate) fn done(&self, idle_after: Option<Duration>) {
        let mut waiting = self.lock();
        waiting.worker = None;
        waiting.idle_at = idle_after.map(|wait| Instant::now() + wait);
        let looks_by_itself = match (waiting.thread, waiting.idle_at) {
            (_, None) => true,
            (Asleep::Until(then), Some(at)) => then <= at,
            (Asleep::No | Asleep::Untimed, Some(_)) => false,
        };
        if waiting.has_work() || !looks_by_itself {
            self.wake(&mut waiting);
        }
        self.wake_others(&waiting);
    }

    /// Takes out whatever waits, and lets everybody go on who waits for a batch in work.
    pub(crate) fn drain(&self) -> Vec<Job> {
        let mut waiting = self.lock();
        waiting.worker = None;
        waiting.errands.clear();
        let jobs = waiting.jobs.drain(..).collect();
        self.count(&waiting);
        self.wake(&mut waiting);
        self.wake_others(&waiting);
        jobs
    }

    /// No more jobs are taken; those that wait are still committed.
    pub(crate) fn close(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        waiting.errands.clear();
        self.wake(&mut waiting);
        self.wake_others(&waiting);
    }

    /// Waits until nobody is at work; of a closed queue, for good.
    pub(crate) fn ended(&self) {
        let mut waiting = self.lock();
        while waiting.worker.is_some() {
            waiting = self.wait(waiting);
        }
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
        while waiting.worker.is_some() {
            waiting = self.wait(waiting);
        }
        ExclusiveTurn {
            queue: self.clone(),
            token,
        }
    }
}

impl Waiting {
    /// Whether there may be something to do for the committer's thread.
    fn has_work(&self) -> bool {
        !self.jobs.is_empty() || !self.errands.is_empty() || self.closed
    }

    /// Whether somebody with this turn, or with none, may work now.
    fn is_free(&self, token: Option<u64>) -> bool {
        self.worker.is_none() && (self.exclusive.is_none() || self.exclusive == token)
    }

    /// Makes the calling thread the worker, unless the store is closed.
    fn begin(&mut self) -> bool {
        if !self.closed {
            self.worker = Some(current().id());
        }
        !self.closed
    }

    /// The next jobs in order of arrival; under an exclusive turn only its own.
    fn take_allowed(&mut self, most: usize, into: &mut Vec<Job>) {
        match self.exclusive {
            None => {
                let count = self.jobs.len().min(most);
                into.extend(self.jobs.drain(..count));
            }
            Some(token) => {
                let own = self.jobs.iter().position(|job| job.token() == Some(token));
                into.extend(own.and_then(|at| self.jobs.remove(at)));
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
        if waiting.worker.is_none() && waiting.has_work() {
            self.queue.wake(&mut waiting);
        }
        self.queue.wake_others(&waiting);
    }
}
