//! All who watch one view. Must stay true: at most one rendering is under way; a commit that comes meanwhile is looked at
//! when it is done; who watches gets the newest view and nothing in between.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flin_runtime::store::{CommitEvent, Lsn, ReadSet};
use flin_runtime::{Entry, Failure, Outcome, PageOutcome};
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Shown, ViewKey, count};
use crate::app::App;
use crate::fault::Fault;
use crate::pages::keep_view;

/// A view is rendered at most once in this time: screens show about sixty pictures in a second.
const PACE: Duration = Duration::from_millis(16);
/// When everybody is busy, a view is rendered a little later.
const BUSY_PAUSE: Duration = Duration::from_millis(250);

/// What those who watch are told.
#[derive(Clone)]
pub(crate) enum Latest {
    /// It was not rendered yet.
    Nothing,
    /// The newest view.
    View(Arc<Shown>),
    /// It could not be rendered.
    Failed(Arc<Fault>, Lsn),
}

/// Those who watch one view.
pub(crate) struct Group {
    key: ViewKey,
    latest: watch::Sender<Latest>,
    state: Mutex<State>,
}

struct State {
    // Of the newest view, or of what the page may read at all while there is none.
    reads: Arc<ReadSet>,
    seq: Lsn,
    // Somebody who watches has seen so much elsewhere: what is older is of no use to them.
    wanted: Lsn,
    phase: Phase,
    not_before: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    // Nothing happened since the newest view.
    Idle,
    // A task waits to render it, or renders it.
    Underway,
    // The same, and it must be rendered again after that.
    Again,
}

impl Group {
    pub(super) fn new(key: ViewKey) -> Group {
        let state = State {
            reads: Arc::default(),
            seq: Lsn(0),
            wanted: Lsn(0),
            phase: Phase::Idle,
            not_before: Instant::now(),
        };
        Group {
            key,
            latest: watch::Sender::new(Latest::Nothing),
            state: Mutex::new(state),
        }
    }

    /// Which view it is.
    pub(crate) fn key(&self) -> &ViewKey {
        &self.key
    }

    /// The newest view, and word of each newer one.
    pub(super) fn subscribe(&self) -> watch::Receiver<Latest> {
        let mut latest = self.latest.subscribe();
        latest.mark_changed();
        latest
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Renders it if this commit touches what it read.
    pub(super) fn look_at(self: &Arc<Group>, app: &Arc<App>, event: &CommitEvent) {
        let state = self.state();
        // What is rendered just now looks at the newest commits itself when it is done.
        if state.phase != Phase::Idle || event.lsn <= state.seq {
            return;
        }
        let reads = Arc::clone(&state.reads);
        drop(state);
        if self.is_touched(app, &reads, event) {
            self.wake(app);
        }
    }

    fn is_touched(&self, app: &App, reads: &ReadSet, event: &CommitEvent) -> bool {
        app.touches(self.key.page, reads, event)
    }

    /// Renders it, now or as soon as it may be rendered again.
    pub(super) fn wake(self: &Arc<Group>, app: &Arc<App>) {
        let mut state = self.state();
        state.phase = match state.phase {
            Phase::Idle => {
                tokio::spawn(Arc::clone(self).kept_up(Arc::clone(app)));
                Phase::Underway
            }
            Phase::Underway | Phase::Again => Phase::Again,
        };
    }

    /// Renders it unless it is there and as new as this. What is under way just now may be older: that is seen at its end.
    pub(super) fn catch_up(self: &Arc<Group>, app: &Arc<App>, seq: Lsn) {
        let mut state = self.state();
        state.wanted = state.wanted.max(seq);
        // What failed then may do now.
        let is_there = matches!(&*self.latest.borrow(), Latest::View(_));
        let is_behind = state.phase == Phase::Idle && (!is_there || state.seq < seq);
        drop(state);
        if is_behind {
            self.wake(app);
        }
    }

    // Renders it until it is as new as it must be; a bug on the way costs this rendering, and the next change tries again.
    async fn kept_up(self: Arc<Group>, app: Arc<App>) {
        // The group is held once while it is kept up: that tells when all others have left.
        let group = Arc::downgrade(&self);
        let keeping = self.keep_up(Arc::clone(&app));
        if let Err(panic) = app.runtime.sheltered("view", keeping).await
            && let Some(group) = group.upgrade()
        {
            group.broke(&app, &panic);
        }
    }

    fn broke(self: &Arc<Group>, app: &Arc<App>, panic: &Failure) {
        let fault = Fault::of_page(panic, app.options.show_errors);
        let mut state = self.state();
        let again = state.phase == Phase::Again;
        state.phase = Phase::Idle;
        state.reads = self.all_reads(app);
        let failed = Latest::Failed(Arc::new(fault), state.seq);
        self.latest.send_replace(failed);
        drop(state);
        if again {
            self.wake(app);
        }
    }

    async fn keep_up(self: Arc<Group>, app: Arc<App>) {
        loop {
            let not_before = {
                let mut state = self.state();
                state.phase = Phase::Underway;
                state.not_before
            };
            tokio::time::sleep_until(not_before).await;
            if self.is_left() {
                return;
            }
            self.state().not_before = Instant::now() + PACE;
            let entry = Entry::Page {
                page: self.key.page,
                params: self.key.params.clone(),
                state: self.key.state(),
            };
            let turn = tokio::select! {
                turn = app.live.turn() => turn,
                // Nobody listens any more; or somebody came in this moment.
                () = self.latest.closed() => continue,
            };
            if self.is_left() {
                return;
            }
            count(&app.live.renders);
            app.options.planted.here("view");
            // A failure does not say what it had seen: at least this.
            let before = app.runtime.store().head();
            let done = app.enter(entry).await;
            drop(turn);
            let again = match done {
                Ok(Outcome::Page(outcome)) => self.rendered(&app, outcome),
                Ok(Outcome::Action(_) | Outcome::Route(_) | Outcome::Done(_)) => {
                    unreachable!("a page entry gives a page")
                }
                Err(Failure::Busy) => {
                    self.state().not_before = Instant::now() + BUSY_PAUSE;
                    true
                }
                Err(failure) => self.failed(&app, &failure, before),
            };
            if !again {
                return;
            }
        }
    }

    // Those who came to watch have gone meanwhile. Who comes now takes the lock after this, and finds that nothing is there.
    fn is_left(self: &Arc<Group>) -> bool {
        let mut state = self.state();
        let is_left = Arc::strong_count(self) == 1;
        if is_left {
            state.phase = Phase::Idle;
            self.latest.send_replace(Latest::Nothing);
        }
        is_left
    }

    fn rendered(&self, app: &App, outcome: PageOutcome) -> bool {
        let (seq, reads) = (outcome.seq, Arc::clone(&outcome.reads));
        let view = keep_view(app, self.key.page, outcome.rendered);
        let shown = Shown::new(app.live.rooms(), view, seq);
        self.settle(app, Latest::View(shown), seq, reads)
    }

    // `seq`: all that was committed later may have mended it already.
    fn failed(&self, app: &App, failure: &Failure, seq: Lsn) -> bool {
        let fault = Fault::of_page(failure, app.options.show_errors);
        let path = &app.module().pages[self.key.page].path;
        let seen = seq.0;
        if matches!(failure, Failure::BadInput { .. }) {
            // Of whoever asked: no trouble of the program, and as many as they like.
            tracing::debug!(path, seen, "a view was not rendered: {failure}");
        } else {
            tracing::warn!(
                path,
                seen,
                "a view that is watched was not rendered: {failure}"
            );
        }
        let reads = self.all_reads(app);
        self.settle(app, Latest::Failed(Arc::new(fault), seq), seq, reads)
    }

    // Whatever the page may read: it can make better what failed.
    fn all_reads(&self, app: &App) -> Arc<ReadSet> {
        let page = &app.module().pages[self.key.page];
        let mut reads = ReadSet::default();
        let types = page.reads.iter();
        let types = types.map(|ty| app.runtime.types().store_type(*ty));
        reads.types.extend(types);
        Arc::new(reads)
    }

    // Takes over what was rendered; says whether it is out of date already.
    fn settle(&self, app: &App, latest: Latest, seq: Lsn, reads: Arc<ReadSet>) -> bool {
        let mut state = self.state();
        if seq >= state.seq {
            state.seq = seq;
            state.reads = Arc::clone(&reads);
            self.latest.send_replace(latest);
        }
        let (reads, seq) = (Arc::clone(&state.reads), state.seq);
        // Under the lock: a commit that is told from now on is looked at by `look_at`.
        let later = app.runtime.store().events_since(seq);
        let is_old = match later {
            Some(events) => events
                .iter()
                .any(|event| self.is_touched(app, &reads, event)),
            None => true,
        };
        let again = is_old || state.phase == Phase::Again || state.seq < state.wanted;
        state.phase = if again { Phase::Underway } else { Phase::Idle };
        again
    }

    /// Takes over what somebody else rendered.
    pub(super) fn offer(
        self: &Arc<Group>,
        app: &Arc<App>,
        shown: &Arc<Shown>,
        reads: &Arc<ReadSet>,
    ) {
        let mut state = self.state();
        if shown.seq < state.seq {
            return;
        }
        state.seq = shown.seq;
        state.reads = Arc::clone(reads);
        self.latest.send_replace(Latest::View(Arc::clone(shown)));
        let idle = state.phase == Phase::Idle;
        drop(state);
        let later = app.runtime.store().events_since(shown.seq);
        let is_touched = |event: &Arc<CommitEvent>| self.is_touched(app, reads, event);
        if idle && later.is_none_or(|events| events.iter().any(is_touched)) {
            self.wake(app);
        }
    }
}
