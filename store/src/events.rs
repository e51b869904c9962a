//! Telling others what was committed: subscribers, a callback, and a ring for those who come back.
//!
//! What must stay true: events come in LSN order, after the commit was answered; a slow subscriber never slows down a
//! commit (it is cut off and resumes from the ring); who has stopped listening costs nothing any more.

use std::collections::{HashSet, VecDeque};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::limits::{EVENT_CHANGES_KEPT_MAX, EVENTS_KEPT_MAX, EVENTS_QUEUED_MAX};
use crate::outcome::{Change, ChangeOp, CommitEvent};
use crate::value::{EntityId, FieldValue, Lsn, TypeIx};

/// Called with each event on the committer's thread.
pub type OnCommit = Box<dyn Fn(&Arc<CommitEvent>) + Send + Sync>;

/// A callback is called as long as this is held. (A call that has begun goes on to its end.)
#[must_use = "the callback is not called any more when this is dropped"]
pub struct Hearing {
    _callback: Arc<OnCommit>,
}

impl std::fmt::Debug for Hearing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hearing").finish_non_exhaustive()
    }
}

/// A kept event, with what is asked of it when it goes: by then it is in no cache.
struct Kept {
    lsn: Lsn,
    changes: usize,
    event: Arc<CommitEvent>,
}

struct Listening {
    kept: VecDeque<Kept>,
    /// Changes in `kept`.
    kept_changes: usize,
    /// Events after this LSN are in `kept`.
    floor: Lsn,
    subscribers: Vec<SyncSender<Arc<CommitEvent>>>,
}

impl Listening {
    /// What is kept of earlier commits forgets the content of what this one destroyed.
    fn forget_destroyed(&mut self, event: &CommitEvent) {
        let destroys = |change: &&Change| change.op == ChangeOp::Destroy;
        let destroyed: HashSet<(TypeIx, EntityId)> = event
            .changes
            .iter()
            .filter(destroys)
            .map(|change| (change.ty, change.id))
            .collect();
        if destroyed.is_empty() {
            return;
        }
        let of_destroyed = |change: &Change| destroyed.contains(&(change.ty, change.id));
        for kept in &mut self.kept {
            if kept.event.changes.iter().any(of_destroyed) {
                let mut emptied = (*kept.event).clone();
                let changes = emptied.changes.iter_mut();
                for change in changes.filter(|change| of_destroyed(change)) {
                    let mut record = (*change.record).clone();
                    record.fields.fill(FieldValue::None);
                    change.record = Arc::new(record);
                    change.before = None;
                }
                kept.event = Arc::new(emptied);
            }
        }
    }

    /// What is kept no longer is handed out: dropping it takes time, for its memory has been used by others since.
    fn keep(&mut self, event: &Arc<CommitEvent>, rubbish: &mut Vec<Arc<CommitEvent>>) {
        self.kept_changes += event.changes.len();
        self.kept.push_back(Kept {
            lsn: event.lsn,
            changes: event.changes.len(),
            event: event.clone(),
        });
        while (self.kept.len() > EVENTS_KEPT_MAX || self.kept_changes > EVENT_CHANGES_KEPT_MAX)
            && let Some(oldest) = self.kept.pop_front()
        {
            self.kept_changes -= oldest.changes;
            self.floor = oldest.lsn;
            rubbish.push(oldest.event);
        }
    }
}

/// Everybody who listens.
pub(crate) struct Events {
    listening: Mutex<Listening>,
    // Those that nobody holds any more are left out and forgotten.
    callbacks: Mutex<Vec<Weak<OnCommit>>>,
}

impl Events {
    /// Nothing is kept from before `floor`.
    pub(crate) fn new(floor: Lsn) -> Self {
        let listening = Listening {
            kept: VecDeque::new(),
            kept_changes: 0,
            floor,
            subscribers: Vec::new(),
        };
        Events {
            listening: Mutex::new(listening),
            callbacks: Mutex::default(),
        }
    }

    pub(crate) fn subscribe(&self) -> Receiver<Arc<CommitEvent>> {
        let (sender, receiver) = sync_channel(EVENTS_QUEUED_MAX);
        self.listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .subscribers
            .push(sender);
        receiver
    }

    pub(crate) fn on_commit(&self, callback: OnCommit) -> Hearing {
        let callback = Arc::new(callback);
        let mut callbacks = self.callbacks();
        callbacks.retain(|known| known.strong_count() > 0);
        callbacks.push(Arc::downgrade(&callback));
        Hearing {
            _callback: callback,
        }
    }

    fn callbacks(&self) -> MutexGuard<'_, Vec<Weak<OnCommit>>> {
        self.callbacks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn since(&self, lsn: Lsn) -> Option<Vec<Arc<CommitEvent>>> {
        let listening = self
            .listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if lsn < listening.floor {
            return None;
        }
        let from = listening.kept.partition_point(|kept| kept.lsn <= lsn);
        let kept = listening.kept.range(from..);
        Some(kept.map(|kept| kept.event.clone()).collect())
    }

    /// Tells everybody. What is kept no longer goes into `rubbish`.
    pub(crate) fn tell(&self, events: &[Arc<CommitEvent>], rubbish: &mut Vec<Arc<CommitEvent>>) {
        {
            let mut listening = self
                .listening
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            for event in events {
                listening.forget_destroyed(event);
                listening.keep(event, rubbish);
                // Full or gone: dropping the sender tells the subscriber.
                listening
                    .subscribers
                    .retain(|sender| match sender.try_send(event.clone()) {
                        Ok(()) => true,
                        Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
                    });
            }
        }
        let callbacks: Vec<Arc<OnCommit>> =
            self.callbacks().iter().filter_map(Weak::upgrade).collect();
        for event in events {
            callbacks.iter().for_each(|callback| callback(event));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    // A developer's server left two callbacks behind with each save.
    #[test]
    fn who_does_not_listen_any_more_is_forgotten() {
        let events = Events::new(Lsn(0));
        let event = Arc::new(CommitEvent {
            lsn: Lsn(1),
            time_ms: 0,
            changes: Vec::new(),
        });
        let calls = Arc::new(AtomicUsize::new(0));
        let listen = || {
            let calls = Arc::clone(&calls);
            events.on_commit(Box::new(move |_| {
                calls.fetch_add(1, Ordering::Relaxed);
            }))
        };
        let one = listen();
        for _ in 0..100 {
            drop(listen());
        }
        events.tell(std::slice::from_ref(&event), &mut Vec::new());
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        assert!(events.callbacks().len() <= 2);
        drop(one);
        events.tell(&[event], &mut Vec::new());
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }
}
