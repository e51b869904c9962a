//! Telling others what was committed: subscribers, a callback, and a ring for those who come back.
//!
//! What must stay true: events come in LSN order, after the commit was answered; a slow subscriber never slows down a
//! commit (it is cut off and resumes from the ring).

use std::collections::{HashSet, VecDeque};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use crate::limits::{EVENT_CHANGES_KEPT_MAX, EVENTS_KEPT_MAX, EVENTS_QUEUED_MAX};
use crate::outcome::{Change, ChangeOp, CommitEvent};
use crate::value::{EntityId, FieldValue, Lsn, TypeIx};

/// Called with each event on the committer's thread.
pub type OnCommit = Box<dyn Fn(&Arc<CommitEvent>) + Send + Sync>;

struct Listening {
    kept: VecDeque<Arc<CommitEvent>>,
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
            if kept.changes.iter().any(of_destroyed) {
                let mut emptied = (**kept).clone();
                let changes = emptied.changes.iter_mut();
                for change in changes.filter(|change| of_destroyed(change)) {
                    let mut record = (*change.record).clone();
                    record.fields.fill(FieldValue::None);
                    change.record = Arc::new(record);
                    change.before = None;
                }
                *kept = Arc::new(emptied);
            }
        }
    }

    fn keep(&mut self, event: &Arc<CommitEvent>) {
        self.kept_changes += event.changes.len();
        self.kept.push_back(event.clone());
        while (self.kept.len() > EVENTS_KEPT_MAX || self.kept_changes > EVENT_CHANGES_KEPT_MAX)
            && let Some(oldest) = self.kept.pop_front()
        {
            self.kept_changes -= oldest.changes.len();
            self.floor = oldest.lsn;
        }
    }
}

/// Everybody who listens.
pub(crate) struct Events {
    listening: Mutex<Listening>,
    callbacks: Mutex<Vec<Arc<OnCommit>>>,
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

    pub(crate) fn on_commit(&self, callback: OnCommit) {
        self.callbacks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::new(callback));
    }

    pub(crate) fn since(&self, lsn: Lsn) -> Option<Vec<Arc<CommitEvent>>> {
        let listening = self
            .listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if lsn < listening.floor {
            return None;
        }
        let from = listening.kept.partition_point(|event| event.lsn <= lsn);
        Some(listening.kept.range(from..).cloned().collect())
    }

    pub(crate) fn tell(&self, events: &[Arc<CommitEvent>]) {
        {
            let mut listening = self
                .listening
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            for event in events {
                listening.forget_destroyed(event);
                listening.keep(event);
                // Full or gone: dropping the sender tells the subscriber.
                listening
                    .subscribers
                    .retain(|sender| match sender.try_send(event.clone()) {
                        Ok(()) => true,
                        Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
                    });
            }
        }
        let callbacks = self
            .callbacks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for event in events {
            callbacks.iter().for_each(|callback| callback(event));
        }
    }
}
