//! When rewrites happen by themselves: before a destroyed record's deadline, and once a day for what is kept no longer.
//!
//! What must stay true: the deadline holds although a rewrite may fail (it starts at half of it and is tried again), and
//! whoever closes the store waits for one segment at most.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::limits::{RETENTION_EVERY_MS, RETENTION_FIRST_MS, REWRITE_RETRY_MS, REWRITE_WAKE_MS};
use crate::rewrite::sweep::{Scope, receipts};
use crate::shared::Shared;

/// What is due now.
pub(crate) fn due(shared: &Shared, destroy_within_ms: i64, now_ms: i64) -> Option<Scope> {
    let waiting = receipts(shared);
    let oldest = waiting.iter().map(|(_, receipt)| receipt.time_ms).min()?;
    (now_ms - oldest >= destroy_within_ms / 2).then_some(Scope::Receipts)
}

/// Whether any type keeps less than everything.
pub(crate) fn has_retention(shared: &Shared) -> bool {
    let mut types = shared.schema.types.iter();
    types.any(|ty| !ty.keep.is_everything())
}

/// The background thread, and how it is told to end.
pub(crate) struct Worker {
    ending: Arc<Ending>,
    thread: Option<JoinHandle<()>>,
}

/// The wish that rewriting ends.
#[derive(Default)]
pub(crate) struct Ending {
    pub(crate) wanted: AtomicBool,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Ending {
    /// Waits until it is wanted or the time is over; `true`: it is wanted.
    fn wait(&self, ms: u64) -> bool {
        let held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.wanted.load(Ordering::Acquire) {
            let timeout = Duration::from_millis(ms);
            drop(self.changed.wait_timeout(held, timeout));
        }
        self.wanted.load(Ordering::Acquire)
    }

    fn want(&self) {
        let _held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.wanted.store(true, Ordering::Release);
        self.changed.notify_all();
    }
}

impl Worker {
    /// Starts the thread. `sweep` does a rewrite and says whether it was complete.
    pub(crate) fn start(
        shared: Arc<Shared>,
        destroy_within_ms: i64,
        now_ms: impl Fn() -> i64 + Send + 'static,
        mut sweep: impl FnMut(Scope, &AtomicBool) -> bool + Send + 'static,
    ) -> std::io::Result<Self> {
        let ending = Arc::new(Ending::default());
        let told = ending.clone();
        let wake_ms = (destroy_within_ms / 8).clamp(10, REWRITE_WAKE_MS) as u64;
        let named = std::thread::Builder::new().name("flin-rewrite".to_owned());
        let thread = named.spawn(move || {
            let opened_ms = now_ms();
            let retention = has_retention(&shared);
            let mut next_retention_ms = opened_ms + RETENTION_FIRST_MS;
            let mut not_before_ms = opened_ms;
            while !told.wait(wake_ms) {
                let now = now_ms();
                if now < not_before_ms {
                    continue;
                }
                let scope = if retention && now >= next_retention_ms {
                    next_retention_ms = now + RETENTION_EVERY_MS;
                    Some(Scope::Everything)
                } else {
                    due(&shared, destroy_within_ms, now)
                };
                if let Some(scope) = scope
                    && !sweep(scope, &told.wanted)
                {
                    not_before_ms = now + REWRITE_RETRY_MS.min(destroy_within_ms / 8);
                }
            }
        })?;
        Ok(Worker {
            ending,
            thread: Some(thread),
        })
    }
}

impl Drop for Worker {
    /// Tells the thread to end; it holds what it needs until it has, the directory's lock too.
    fn drop(&mut self) {
        self.ending.want();
        if let Some(thread) = self.thread.take() {
            // A panic in it was reported by its hook; a rewrite may end anywhere.
            let _ended = thread.join().is_ok();
        }
    }
}
