//! The threads that run FLIN code, and their bounded queue. Here because code that computes must not stand on the
//! threads that carry sockets. Must stay true: the queue never grows beyond its bound by new work (work that is run
//! again is let in always: it was counted once); a panic in a task never ends a thread.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::panics;

/// The queue takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// As many tasks wait as may wait.
    Full,
    /// The threads were told to end.
    Closed,
}

/// Tasks waiting for a worker.
pub(crate) struct Queue<T> {
    inner: Mutex<Inner<T>>,
    wake: Condvar,
    tasks_max: usize,
}

struct Inner<T> {
    tasks: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    pub(crate) fn new(tasks_max: usize) -> Queue<T> {
        let inner = Inner {
            tasks: VecDeque::new(),
            closed: false,
        };
        Queue {
            inner: Mutex::new(inner),
            wake: Condvar::new(),
            tasks_max,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        // Nothing that can panic runs under this lock, so a poisoned one still holds a sound queue.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds new work at the end; gives it back with the reason if it is not taken.
    pub(crate) fn push(&self, task: T) -> Result<(), (Refused, T)> {
        let mut inner = self.lock();
        if inner.closed {
            return Err((Refused::Closed, task));
        }
        if inner.tasks.len() >= self.tasks_max {
            return Err((Refused::Full, task));
        }
        inner.tasks.push_back(task);
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
        drop(inner);
        self.wake.notify_one();
        Ok(())
    }

    // The next task; none when the queue is closed and empty.
    fn next(&self) -> Option<T> {
        let mut inner = self.lock();
        loop {
            if let Some(task) = inner.tasks.pop_front() {
                return Some(task);
            }
            if inner.closed {
                return None;
            }
            inner = self
                .wake
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
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

    /// Takes no more work; what waits is still done.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_all();
    }
}

/// Starts `count` threads that run `work` on every task of the queue.
pub(crate) fn start<T: Send + 'static>(
    queue: &Arc<Queue<T>>,
    count: usize,
    work: impl Fn(T) + Clone + Send + 'static,
) -> Vec<JoinHandle<()>> {
    let one = |number: usize| {
        let (queue, work) = (Arc::clone(queue), work.clone());
        let body = move || {
            while let Some(task) = queue.next() {
                // The door catches what FLIN code does; this is for everything around it.
                if let Err(caught) = panics::catch(|| work(task)) {
                    tracing::error!(backtrace = %caught.backtrace, "panic in a worker: {}", caught.message);
                }
            }
        };
        let thread = std::thread::Builder::new().name(format!("flin-worker-{number}"));
        thread
            .stack_size(8 << 20)
            .spawn(body)
            .expect("the operating system starts a thread")
    };
    (0..count).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_costs_its_task_and_not_the_thread() {
        let queue = Arc::new(Queue::new(8));
        let (sender, done) = std::sync::mpsc::channel();
        let work = move |task: u32| {
            assert_ne!(task, 1, "this one goes wrong");
            sender.send(task).expect("the test listens");
        };
        let threads = start(&queue, 1, work);
        for task in 0..3 {
            assert!(queue.push(task).is_ok());
        }
        queue.close();
        for thread in threads {
            thread.join().expect("the thread ended as it should");
        }
        assert_eq!(done.into_iter().collect::<Vec<_>>(), [0, 2]);
    }
}
