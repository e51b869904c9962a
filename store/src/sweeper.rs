//! Dropping what is not needed any more, away from the thread that commits.
//!
//! What the committer gives up (changes that nobody can clash with any more, events that nobody asks for) was made long ago: it is
//! in no cache, and taking it apart costs about a third of a commit. It is handed over before a sync, when everybody waits
//! for the disk anyway. What must stay true: nobody waits for it; whoever cannot hand over drops by themselves.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::certify::RecordChange;
use crate::outcome::CommitEvent;

/// Waking a thread pays from so much on.
const WORTH_IT: usize = 48;
/// So much may wait to be dropped: with more the thread is too slow.
const WAITING_MAX: usize = 8;

/// What is to be dropped.
#[derive(Default)]
pub(crate) struct Rubbish {
    pub(crate) changes: Vec<RecordChange>,
    pub(crate) events: Vec<Arc<CommitEvent>>,
}

impl Rubbish {
    /// Drops all of it, keeps the lists.
    fn clear(&mut self) {
        self.changes.clear();
        self.events.clear();
    }
}

struct Sweeping {
    /// `None` when it is to end.
    door: Option<SyncSender<Rubbish>>,
    /// What comes back empty, to be filled again.
    emptied: Receiver<Rubbish>,
    thread: Option<JoinHandle<()>>,
}

/// Takes rubbish away.
#[derive(Default)]
pub(crate) struct Sweeper {
    /// Whether it may have a thread.
    threaded: bool,
    /// Started with the first rubbish.
    sweeping: Option<Sweeping>,
}

impl Sweeper {
    /// With a thread of its own, as soon as there is something to do.
    pub(crate) fn threaded() -> Self {
        Sweeper {
            threaded: true,
            sweeping: None,
        }
    }

    /// Takes away what has gathered, if it is worth it; without a thread it is dropped here.
    pub(crate) fn take(&mut self, rubbish: &mut Rubbish) {
        if rubbish.changes.len() + rubbish.events.len() < WORTH_IT {
            return;
        }
        if self.threaded && self.sweeping.is_none() {
            self.sweeping = Sweeping::start();
            self.threaded = self.sweeping.is_some();
        }
        match &self.sweeping {
            Some(sweeping) => sweeping.take(rubbish),
            None => rubbish.clear(),
        }
    }
}

impl Sweeping {
    fn start() -> Option<Self> {
        let (door, waiting) = sync_channel::<Rubbish>(WAITING_MAX);
        let (back, emptied) = sync_channel(WAITING_MAX);
        let thread = std::thread::Builder::new().name("flin-sweeper".to_owned());
        let thread = thread.spawn(move || {
            for mut rubbish in waiting {
                rubbish.clear();
                // Where there are enough of them it is not wanted back.
                let _wanted = back.try_send(rubbish).is_ok();
            }
        });
        Some(Sweeping {
            door: Some(door),
            emptied,
            thread: Some(thread.ok()?),
        })
    }

    fn take(&self, rubbish: &mut Rubbish) {
        let Some(door) = &self.door else { return };
        let full = std::mem::replace(rubbish, self.emptied.try_recv().unwrap_or_default());
        // What does not go through the door is dropped here.
        let _taken = door.try_send(full).is_ok();
    }
}

impl Drop for Sweeping {
    fn drop(&mut self) {
        self.door = None;
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join().is_ok();
        }
    }
}
