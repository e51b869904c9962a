//! The live feed: every commit, once, to all sockets that follow one of its types. Here because a message is the same for
//! all its readers and is written once. Must stay true: the queue of a socket is bounded; one that falls behind is told
//! to refresh, it never holds up the others or the committer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use flin_runtime::Runtime;
use flin_runtime::store::{CommitEvent, Hearing, Lsn};
use flin_runtime::vm::bytecode::ids::EntityTypeId;
use tokio::sync::broadcast;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Passes commits on to sockets.
pub(crate) struct Hub {
    sender: broadcast::Sender<Arc<FeedItem>>,
    sockets: AtomicUsize,
    // The store tells it as long as it is held.
    _hearing: Hearing,
}

/// One commit and its messages, which are written when the first socket wants them.
pub(crate) struct FeedItem {
    event: Arc<CommitEvent>,
    messages: OnceLock<Messages>,
    bare: OnceLock<Messages>,
}

/// What a message of a change holds of its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// All that a program may show of it.
    Record,
    /// Nothing: the page shows what its parameters choose, and whoever follows it may not see everything.
    Nothing,
}

/// Changes of one commit: type and message.
pub(crate) type Messages = Vec<(EntityTypeId, Utf8Bytes)>;

impl FeedItem {
    /// The number of the commit.
    pub(crate) fn seq(&self) -> Lsn {
        self.event.lsn
    }

    /// Its messages.
    pub(crate) fn messages(&self, runtime: &Runtime, holds: Holds) -> &Messages {
        let written = match holds {
            Holds::Record => &self.messages,
            Holds::Nothing => &self.bare,
        };
        written.get_or_init(|| messages_of(runtime, &self.event, holds))
    }
}

/// The messages of a commit.
pub(crate) fn messages_of(runtime: &Runtime, event: &CommitEvent, holds: Holds) -> Messages {
    let shown = holds == Holds::Record;
    let message = |change| {
        let ty = runtime.changed_type(change)?;
        Some((
            ty,
            Utf8Bytes::from(runtime.change_message(change, event.lsn, shown)?),
        ))
    };
    event.changes.iter().filter_map(message).collect()
}

impl Hub {
    /// A hub that follows the store from now on.
    pub(crate) fn new(runtime: &Runtime, queue_max: usize) -> Arc<Hub> {
        let (sender, _) = broadcast::channel(queue_max);
        let feed: broadcast::Sender<Arc<FeedItem>> = sender.clone();
        let hearing = runtime.store().on_commit(Box::new(move |event| {
            if feed.receiver_count() > 0 {
                let item = FeedItem {
                    event: Arc::clone(event),
                    messages: OnceLock::new(),
                    bare: OnceLock::new(),
                };
                // The last receiver may just have gone.
                let _ = feed.send(Arc::new(item));
            }
        }));
        Arc::new(Hub {
            sender,
            sockets: AtomicUsize::new(0),
            _hearing: hearing,
        })
    }

    /// Commits from now on.
    pub(crate) fn follow(&self) -> Follower {
        Follower {
            items: self.sender.subscribe(),
        }
    }

    /// A client has come.
    pub(crate) fn opened(&self) {
        self.sockets.fetch_add(1, Ordering::Relaxed);
    }

    /// A client has gone.
    pub(crate) fn closed(&self) {
        self.sockets.fetch_sub(1, Ordering::Relaxed);
    }

    /// Number of open sockets and streams of events.
    pub(crate) fn sockets(&self) -> usize {
        self.sockets.load(Ordering::Relaxed)
    }
}

/// One socket's place in the feed.
pub(crate) struct Follower {
    pub(crate) items: broadcast::Receiver<Arc<FeedItem>>,
}
