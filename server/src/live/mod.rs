//! What follows the data: the feed of changes (`hub`), and the views that are kept up to date while somebody watches them
//! (docs/internals/live-protocol.md). Must stay true: a view is registered before it is rendered, and looks at everything
//! that was committed meanwhile, so no commit falls between; a commit that touches nothing that a view read renders nothing;
//! a view is rendered once for all who watch it, and not oftener than screens show pictures.

mod group;
mod hub;
mod key;
mod known;
mod room;
mod shown;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak};

use flin_runtime::Runtime;
use flin_runtime::store::{CommitEvent, Hearing, Lsn, ReadSet};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, SemaphorePermit, broadcast, watch};

pub(crate) use group::{Group, Latest};
pub(crate) use hub::{FeedItem, Follower, Holds, Hub, messages_of};
pub(crate) use key::ViewKey;
pub(crate) use known::Known;
pub(crate) use room::Rooms;
pub(crate) use shown::{Shown, write_view};

use crate::app::App;
use crate::values::View;

/// Commits that may wait to be compared with what views read. When there are more, all views are looked at.
const COMMITS_WAITING_MAX: usize = 1024;

/// Views that are rendered at the same time because of commits: a thousand different ones must not stand before those who
/// ask for a page.
const RENDERS_MAX: usize = 8;

/// The views of a program that somebody watches, and those that it still knows.
pub(crate) struct Live {
    groups: Mutex<HashMap<ViewKey, Weak<Group>>>,
    known: Known,
    rooms: Arc<Rooms>,
    commits: broadcast::Sender<Arc<CommitEvent>>,
    // The store tells it as long as it is held.
    _hearing: Hearing,
    follows: Once,
    turns: Semaphore,
    /// Views rendered because of a commit.
    pub(crate) renders: AtomicU64,
    /// Messages written; each is sent to everybody who is where it starts.
    pub(crate) messages: AtomicU64,
}

impl Live {
    pub(crate) fn new(runtime: &Runtime) -> Live {
        let (commits, _) = broadcast::channel(COMMITS_WAITING_MAX);
        let told = commits.clone();
        let hearing = runtime.store().on_commit(Box::new(move |event| {
            if told.receiver_count() > 0 {
                // The last receiver may just have gone.
                let _ = told.send(Arc::clone(event));
            }
        }));
        Live {
            groups: Mutex::default(),
            known: Known::new(),
            rooms: Arc::default(),
            commits,
            _hearing: hearing,
            follows: Once::new(),
            turns: Semaphore::new(RENDERS_MAX),
            renders: AtomicU64::new(0),
            messages: AtomicU64::new(0),
        }
    }

    /// Views that can be named by clients.
    pub(crate) fn known(&self) -> &Known {
        &self.known
    }

    /// Number of views that are watched.
    pub(crate) fn watched(&self) -> usize {
        let groups = self.groups();
        groups
            .values()
            .filter(|group| group.strong_count() > 0)
            .count()
    }

    fn groups(&self) -> MutexGuard<'_, HashMap<ViewKey, Weak<Group>>> {
        // Nothing that can panic runs under this lock.
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The memory of watched views.
    pub(crate) fn rooms(&self) -> &Arc<Rooms> {
        &self.rooms
    }

    /// The group of those who watch a view, and word of each newer one; it is rendered as soon as it can be.
    /// Who watches knows what was shown at `seq`: the group is at least as new.
    pub(crate) fn watch(
        &self,
        app: &Arc<App>,
        key: ViewKey,
        seq: Lsn,
    ) -> (Arc<Group>, watch::Receiver<Latest>) {
        self.follows.call_once(|| follow(app));
        let group = self.group(key);
        // First: a group to which nobody listens is not rendered.
        let latest = group.subscribe();
        group.catch_up(app, seq);
        (group, latest)
    }

    fn group(&self, key: ViewKey) -> Arc<Group> {
        let mut groups = self.groups();
        if let Some(group) = groups.get(&key).and_then(Weak::upgrade) {
            return group;
        }
        // Rarely enough to cost nothing: before the table grows.
        if groups.len() == groups.capacity() {
            groups.retain(|_, group| group.strong_count() > 0);
        }
        let group = Arc::new(Group::new(key.clone()));
        groups.insert(key, Arc::downgrade(&group));
        group
    }

    /// A view was rendered for somebody: whoever watches the same need not wait for another rendering.
    pub(crate) fn offer(
        &self,
        app: &Arc<App>,
        key: &ViewKey,
        (view, seq): (&Arc<View>, Lsn),
        reads: &Arc<ReadSet>,
    ) {
        let group = self.groups().get(key).and_then(Weak::upgrade);
        if let Some(group) = group {
            let shown = Shown::new(&self.rooms, Arc::clone(view), seq);
            group.offer(app, &shown, reads);
        }
    }

    /// Leave to render a view that is watched, in the order of asking.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.turns.acquire().await.ok()
    }

    fn all(&self) -> Vec<Arc<Group>> {
        self.groups().values().filter_map(Weak::upgrade).collect()
    }
}

// Compares commits with what views read, apart from the committer's thread, until the program is retired.
fn follow(app: &Arc<App>) {
    let mut commits = app.live.commits.subscribe();
    let mut retired = app.retired();
    let app = Arc::downgrade(app);
    tokio::spawn(async move {
        loop {
            let commit = tokio::select! {
                commit = commits.recv() => commit,
                _ = retired.wait_for(|retired| *retired) => return,
            };
            let Some(app) = app.upgrade() else { return };
            match commit {
                Ok(event) => {
                    let looking = app.runtime.sheltered("commit", look_at(&app, &event));
                    if looking.await.is_err() {
                        // Nobody knows whom it touches.
                        app.live.all().iter().for_each(|group| group.wake(&app));
                    }
                }
                Err(RecvError::Lagged(_)) => {
                    app.live.all().iter().for_each(|group| group.wake(&app))
                }
                Err(RecvError::Closed) => return,
            }
        }
    });
}

async fn look_at(app: &Arc<App>, event: &CommitEvent) {
    app.options.planted.here("commit");
    for group in app.live.all() {
        group.look_at(app, event);
    }
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
