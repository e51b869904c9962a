//! Wishes with a name: done once, however often they are sent. Here because a client whose answer was lost cannot know whether it
//! was done. Must stay true: a second request never runs while the first does; what was done is told again for ten minutes, and
//! only to who asks for the very same; a failure is not kept, since nothing was done; only what the wish itself did is kept, not
//! the page after it, and that in bounded memory. (What was saved before a restart, the store knows by the same name.)

use std::collections::{HashMap, VecDeque};
use std::fmt::Write;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flin_runtime::json::Json;
use flin_runtime::store::RequestId;
use flin_runtime::{ActionOutcome, SentState};
use hyper::StatusCode;
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::fault::Fault;

/// How long what was done is kept.
const KEPT_FOR: Duration = Duration::from_secs(600);
/// Wishes that are kept.
const WISHES_MAX: usize = 16 << 10;
/// Bytes of the state that they changed.
const BYTES_MAX: usize = 4 << 20;

/// The name of a wish, of its page and action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct WishName([u8; 16]);

impl WishName {
    /// As the store keeps it.
    pub(crate) fn request(self) -> RequestId {
        RequestId(self.0)
    }
}

/// What stands in a wish beside its name, as a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Content([u8; 16]);

/// What came of a wish.
type Done = Result<Arc<ActionOutcome>, Arc<Fault>>;

enum State {
    Underway(watch::Receiver<Option<Done>>),
    Done(Arc<ActionOutcome>),
}

struct Place {
    content: Content,
    state: State,
}

/// Wishes that are under way, and those that are done.
#[derive(Default)]
pub(crate) struct Repeats {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    places: HashMap<WishName, Place>,
    // Those that are done, the oldest first.
    done: VecDeque<(Instant, WishName)>,
    bytes: usize,
}

// Puts what was done into its place, or clears the place when there is nothing: also if whoever does it breaks.
struct Ticket {
    inner: Arc<Mutex<Inner>>,
    name: WishName,
    content: Content,
    told: watch::Sender<Option<Done>>,
}

impl Repeats {
    /// The name of a wish: what the client called it, for this action of this page.
    pub(crate) fn name(path: &str, action: &str, key: &str) -> WishName {
        let mut hash = Sha256::new();
        for part in ["flin wish", path, action, key] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let mut name = [0; 16];
        name.iter_mut()
            .zip(hash.finalize())
            .for_each(|(to, from)| *to = from);
        // The store takes all zeros for no name.
        name[0] |= 1;
        WishName(name)
    }

    /// What stands in a wish beside its name.
    pub(crate) fn content(args: &[Json], state: &SentState) -> Content {
        struct Hashing(Sha256);
        impl Write for Hashing {
            fn write_str(&mut self, text: &str) -> std::fmt::Result {
                self.0.update(text);
                Ok(())
            }
        }
        let mut hashing = Hashing(Sha256::new());
        write!(hashing, "{args:?} {state:?}").expect("a hash takes everything");
        let mut content = [0; 16];
        let digest = hashing.0.finalize();
        content
            .iter_mut()
            .zip(digest)
            .for_each(|(to, from)| *to = from);
        Content(content)
    }

    /// What came of a wish: what was told before, or is being done; else of `first`, which is done to its end even if nobody
    /// waits for it any more.
    pub(crate) async fn once(
        &self,
        name: WishName,
        content: Content,
        first: impl Future<Output = Done> + Send + 'static,
    ) -> Done {
        let mut underway = {
            let mut inner = lock(&self.inner);
            inner.forget_old(Instant::now());
            match inner.places.get(&name) {
                Some(place) if place.content != content => return Err(Arc::new(another_wish())),
                Some(Place {
                    state: State::Done(done),
                    ..
                }) => return Ok(Arc::clone(done)),
                Some(Place {
                    state: State::Underway(told),
                    ..
                }) => told.clone(),
                None => {
                    let (told, receiver) = watch::channel(None);
                    let state = State::Underway(receiver.clone());
                    inner.places.insert(name, Place { content, state });
                    let ticket = Ticket {
                        inner: Arc::clone(&self.inner),
                        name,
                        content,
                        told,
                    };
                    // On a task of its own: it goes on when the client is gone, who will ask again.
                    tokio::spawn(async move { ticket.done(first.await) });
                    receiver
                }
            }
        };
        let told = underway.wait_for(Option::is_some).await;
        match told.ok().and_then(|told| told.clone()) {
            Some(done) => done,
            None => Err(Arc::new(Fault::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Busy",
                "there is no answer; please ask again",
            ))),
        }
    }
}

fn another_wish() -> Fault {
    let message = "this key was used for another wish of the same action, with other arguments or state; take a new key for each wish";
    Fault::new(StatusCode::UNPROCESSABLE_ENTITY, "KeyReused", message)
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    // Nothing that can panic runs under this lock.
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    fn forget_old(&mut self, now: Instant) {
        while let Some((at, name)) = self.done.front().copied()
            && (now.duration_since(at) > KEPT_FOR
                || self.done.len() > WISHES_MAX
                || self.bytes > BYTES_MAX)
        {
            self.done.pop_front();
            if let Some(Place {
                state: State::Done(done),
                ..
            }) = self.places.remove(&name)
            {
                self.bytes -= bytes_of(&done);
            }
        }
    }
}

fn bytes_of(done: &ActionOutcome) -> usize {
    let entries = done.state.iter();
    entries.map(|(name, json)| name.len() + json.len()).sum()
}

impl Ticket {
    fn done(self, done: Done) {
        if let Ok(done) = &done {
            let mut inner = lock(&self.inner);
            let now = Instant::now();
            inner.bytes += bytes_of(done);
            inner.done.push_back((now, self.name));
            let place = Place {
                content: self.content,
                state: State::Done(Arc::clone(done)),
            };
            inner.places.insert(self.name, place);
            inner.forget_old(now);
        }
        self.told.send_replace(Some(done));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut inner = lock(&self.inner);
        if let Some(Place {
            state: State::Underway(_),
            ..
        }) = inner.places.get(&self.name)
        {
            inner.places.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn done(text: &str) -> Done {
        Ok(Arc::new(ActionOutcome {
            wrote: true,
            state: vec![("x".to_owned(), text.to_owned())],
            seq: flin_runtime::store::Lsn(1),
            repeated: false,
        }))
    }

    fn failed(message: &str) -> Done {
        Err(Arc::new(Fault::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Busy",
            message,
        )))
    }

    fn text(done: Done) -> String {
        match done {
            Ok(done) => done.state[0].1.clone(),
            Err(fault) => format!("{} {}", fault.status.as_u16(), fault.kind),
        }
    }

    const CONTENT: Content = Content([0; 16]);

    fn run(test: impl Future<Output = ()>) {
        let threads = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        threads.expect("a runtime").block_on(test);
    }

    #[test]
    fn a_wish_is_done_once() {
        run(async {
            let repeats = Repeats::default();
            let runs = Arc::new(AtomicUsize::new(0));
            let name = Repeats::name("/", "add", "k");
            let once = || {
                let runs = Arc::clone(&runs);
                repeats.once(name, CONTENT, async move {
                    let n = runs.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                    done(&n.to_string())
                })
            };
            let (one, two) = tokio::join!(once(), once());
            assert_eq!((text(one), text(two)), ("0".into(), "0".into()));
            assert_eq!(text(once().await), "0");
            let other = Repeats::name("/", "add", "other");
            let fresh = repeats.once(other, CONTENT, async { done("fresh") });
            assert_eq!(text(fresh.await), "fresh");
        });
    }

    #[test]
    fn a_name_is_of_one_wish_only() {
        run(async {
            let repeats = Repeats::default();
            let name = Repeats::name("/", "add", "k");
            let content = |arg: i64, state: &str| {
                let state = flin_runtime::Sent::Json(Json::Text(state.to_owned()));
                Repeats::content(&[Json::Int(arg)], &vec![("x".to_owned(), state)])
            };
            let once = |content| repeats.once(name, content, async { done("done") });
            assert_eq!(text(once(content(1, "a")).await), "done");
            for other in [content(2, "a"), content(1, "b")] {
                assert_eq!(text(once(other).await), "422 KeyReused");
            }
            assert_eq!(text(once(content(1, "a")).await), "done");
        });
    }

    #[test]
    fn a_failure_is_not_kept_and_a_break_leaves_nothing() {
        run(async {
            let repeats = Repeats::default();
            let name = Repeats::name("/", "add", "k");
            let busy = repeats.once(name, CONTENT, async { failed("busy") });
            assert_eq!(text(busy.await), "503 Busy");
            let broken = repeats.once(name, CONTENT, async { panic!("on purpose") });
            assert_eq!(text(broken.await), "503 Busy");
            let done = repeats.once(name, CONTENT, async { done("done") });
            assert_eq!(text(done.await), "done");
        });
    }

    #[test]
    fn a_client_that_goes_away_finds_it_done_later() {
        run(async {
            let repeats = Repeats::default();
            let name = Repeats::name("/", "add", "k");
            let (go, may_go) = tokio::sync::oneshot::channel::<()>();
            let first = repeats.once(name, CONTENT, async move {
                may_go.await.expect("the test says go");
                done("done")
            });
            let gone = tokio::time::timeout(Duration::from_millis(1), first).await;
            assert!(gone.is_err());
            go.send(()).expect("it is still under way");
            let again = repeats.once(name, CONTENT, async { done("twice") });
            assert_eq!(text(again.await), "done");
        });
    }

    #[test]
    fn what_is_kept_is_bounded() {
        run(async {
            let repeats = Repeats::default();
            for n in 0..40 {
                let name = Repeats::name("/", "add", &n.to_string());
                let big = "x".repeat(1 << 20);
                let told = repeats.once(name, CONTENT, async move { done(&big) });
                assert_eq!(text(told.await).len(), 1 << 20);
                let inner = lock(&repeats.inner);
                assert!(inner.bytes <= BYTES_MAX && inner.places.len() < 5);
                assert_eq!(inner.places.len(), inner.done.len());
            }
        });
    }
}
