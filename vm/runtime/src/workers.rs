//! The threads that run FLIN code, and their bounded queue. Here because code that computes must not stand on the
//! threads that carry sockets. Must stay true: the queue never grows beyond its bound by new work (work that is run
//! again is let in always: it was counted once); a panic in a task never ends a thread; work that waits behind tasks that
//! take long gets a thread of its own, up to a bound, which ends when it is not needed any more.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::panics;
use crate::turns::Lender;

/// Most threads; each holds the state of one task that takes long.
const THREADS_MAX: usize = 64;
/// For each thread that computes, so many of them are never lent to tasks that wait for the world outside: others must be answered
/// also when somebody else's server is slow for everybody.
const KEPT_BACK: usize = 2;
/// A thread that was started for waiting work ends when it had none for so long.
const IDLE_MAX: Duration = Duration::from_secs(1);
/// Machine stack of a thread: enough for a request's call depth in native code, so that no call needs another one. Only what
/// is used of it takes memory.
const STACK_BYTES: usize = 16 << 20;

/// The queue takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// As many tasks wait as may wait.
    Full,
    /// The threads were told to end.
    Closed,
}

/// Threads, and tasks that wait for them.
pub(crate) struct Workers<T> {
    inner: Mutex<Inner<T>>,
    wake: Condvar,
    /// Whether a task waits; told without the lock, so it may be a moment old.
    waits: AtomicBool,
    tasks_max: usize,
    work: OnceLock<Box<dyn Fn(T) + Send + Sync>>,
}

struct Inner<T> {
    tasks: VecDeque<T>,
    closed: bool,
    /// Threads without a task.
    idle: usize,
    /// Threads whose task waits for the world outside.
    away: usize,
    /// Most of them.
    away_max: usize,
    threads: Vec<JoinHandle<()>>,
    /// Threads started so far, for their names.
    started: usize,
}

impl<T: Send + 'static> Workers<T> {
    pub(crate) fn new(tasks_max: usize) -> Arc<Workers<T>> {
        let inner = Inner {
            tasks: VecDeque::new(),
            closed: false,
            idle: 0,
            away: 0,
            away_max: THREADS_MAX,
            threads: Vec::new(),
            started: 0,
        };
        Arc::new(Workers {
            inner: Mutex::new(inner),
            wake: Condvar::new(),
            waits: AtomicBool::new(false),
            tasks_max,
            work: OnceLock::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        // Nothing that can panic runs under this lock, so a poisoned one still holds a sound queue.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds new work at the end; gives it back with the reason if it is not taken.
    pub(crate) fn push(self: &Arc<Self>, task: T) -> Result<(), (Refused, T)> {
        let mut inner = self.lock();
        if inner.closed {
            return Err((Refused::Closed, task));
        }
        if inner.tasks.len() >= self.tasks_max {
            return Err((Refused::Full, task));
        }
        inner.tasks.push_back(task);
        self.waits.store(true, Ordering::Relaxed);
        if inner.away > 0 {
            self.start_if_lacking(&mut inner);
        }
        drop(inner);
        self.wake.notify_one();
        Ok(())
    }

    /// Puts work that must be run again before all other.
    pub(crate) fn push_again(&self, task: T) -> Result<(), T> {
        let mut inner = self.lock();
        if inner.closed {
            return Err(task);
        }
        inner.tasks.push_front(task);
        self.waits.store(true, Ordering::Relaxed);
        drop(inner);
        self.wake.notify_one();
        Ok(())
    }

    // The next task; none when the queue is closed and empty, or nothing came for a while.
    fn next(&self, patience: Option<Duration>) -> Option<T> {
        let mut inner = self.lock();
        loop {
            if let Some(task) = inner.tasks.pop_front() {
                self.waits.store(!inner.tasks.is_empty(), Ordering::Relaxed);
                return Some(task);
            }
            if inner.closed {
                return None;
            }
            inner.idle += 1;
            let (woken, timed_out) = match patience {
                None => {
                    let woken = self.wake.wait(inner);
                    (woken.unwrap_or_else(PoisonError::into_inner), false)
                }
                Some(patience) => {
                    let woken = self.wake.wait_timeout(inner, patience);
                    let (woken, result) = woken.unwrap_or_else(PoisonError::into_inner);
                    (woken, result.timed_out())
                }
            };
            inner = woken;
            inner.idle -= 1;
            if timed_out && inner.tasks.is_empty() {
                return None;
            }
        }
    }

    /// How many of those that wait are such.
    pub(crate) fn count(&self, is_such: impl Fn(&T) -> bool) -> usize {
        self.lock()
            .tasks
            .iter()
            .filter(|task| is_such(task))
            .count()
    }

    /// Starts `count` threads that run `work` on every task of the queue.
    pub(crate) fn start(self: &Arc<Self>, count: usize, work: impl Fn(T) + Send + Sync + 'static) {
        if self.work.set(Box::new(work)).is_err() {
            return;
        }
        let mut inner = self.lock();
        inner.away_max = THREADS_MAX
            .saturating_sub(KEPT_BACK * count)
            .max(THREADS_MAX / 2);
        for _ in 0..count {
            self.start_thread(&mut inner, None);
        }
    }

    // A thread for work that waits, if no other will take it.
    fn start_if_lacking(self: &Arc<Self>, inner: &mut Inner<T>) {
        if inner.tasks.is_empty() || inner.idle > 0 {
            return;
        }
        inner.threads.retain(|thread| !thread.is_finished());
        if inner.threads.len() < THREADS_MAX {
            self.start_thread(inner, Some(IDLE_MAX));
        }
    }

    fn start_thread(self: &Arc<Self>, inner: &mut Inner<T>, patience: Option<Duration>) {
        let workers = Arc::clone(self);
        let body = move || {
            while let Some(task) = workers.next(patience) {
                let Some(work) = workers.work.get() else {
                    return;
                };
                // The door catches what FLIN code does; this is for everything around it.
                if let Err(caught) = panics::catch(|| work(task)) {
                    tracing::error!(backtrace = %caught.backtrace, "panic in a worker: {}", caught.message);
                }
            }
        };
        let name = format!("flin-worker-{}", inner.started);
        let thread = std::thread::Builder::new().name(name);
        match thread.stack_size(STACK_BYTES).spawn(body) {
            Ok(thread) => {
                inner.started += 1;
                inner.threads.push(thread);
            }
            Err(error) if patience.is_some() => {
                tracing::warn!(%error, "no thread could be started for waiting work");
            }
            Err(error) => panic!("the operating system starts no thread: {error}"),
        }
    }

    /// Takes no more work; what waits is still done.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_all();
    }

    /// Waits for the threads to end; only after `close`.
    pub(crate) fn join(&self) {
        loop {
            let threads = std::mem::take(&mut self.lock().threads);
            if threads.is_empty() {
                return;
            }
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a worker thread ended by a panic");
                }
            }
        }
    }
}

impl<T: Send + 'static> Lender for Arc<Workers<T>> {
    fn is_asked(&self) -> bool {
        self.waits.load(Ordering::Relaxed)
    }

    fn lend(&self) {
        self.start_if_lacking(&mut self.lock());
    }

    fn leave(&self) -> bool {
        let mut inner = self.lock();
        if inner.away >= inner.away_max {
            return false;
        }
        inner.away += 1;
        self.start_if_lacking(&mut inner);
        true
    }

    fn come_back(&self) {
        self.lock().away -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_costs_its_task_and_not_the_thread() {
        let workers = Workers::new(8);
        let (sender, done) = std::sync::mpsc::channel();
        workers.start(1, move |task: u32| {
            assert_ne!(task, 1, "this one goes wrong");
            sender.send(task).expect("the test listens");
        });
        for task in 0..3 {
            assert!(workers.push(task).is_ok());
        }
        workers.close();
        workers.join();
        drop(workers);
        assert_eq!(done.into_iter().collect::<Vec<_>>(), [0, 2]);
    }

    // Sixty-four requests to a slow server took all threads, and nobody else was answered.
    #[test]
    fn not_all_threads_wait_for_the_world_outside() {
        let workers: Arc<Workers<u32>> = Workers::new(8);
        workers.start(2, |_| {});
        let left = (0..THREADS_MAX).filter(|_| workers.leave()).count();
        assert_eq!(left, THREADS_MAX - 2 * KEPT_BACK);
        workers.come_back();
        assert!(workers.leave() && !workers.leave());
        workers.close();
        workers.join();
    }

    #[test]
    fn waiting_work_gets_a_thread_of_its_own() {
        let workers = Workers::new(8);
        let (sender, done) = std::sync::mpsc::channel();
        let lender = Arc::downgrade(&workers);
        let (wake, sleeper) = std::sync::mpsc::channel::<()>();
        let sleeper = Mutex::new(sleeper);
        workers.start(1, move |task: u32| {
            if task == 0 {
                // Takes long: looks after the others meanwhile.
                while sleeper.lock().expect("unpoisoned").try_recv().is_err() {
                    lender.upgrade().expect("the test holds it").lend();
                    std::thread::yield_now();
                }
            }
            sender.send(task).expect("the test listens");
        });
        for task in 0..2 {
            assert!(workers.push(task).is_ok());
        }
        assert_eq!(done.recv(), Ok(1));
        wake.send(()).expect("the first one listens");
        assert_eq!(done.recv(), Ok(0));
        workers.close();
        workers.join();
    }
}
