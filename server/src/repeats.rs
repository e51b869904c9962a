//! Wishes with a name: done once, however often they are sent. Here because a client whose answer was lost cannot know whether it
//! was done. Must stay true: a second request never runs while the first does; what was answered as done is answered again for ten
//! minutes; an error is not kept, since nothing was done. (What was saved before a restart, the store knows by the same name.)

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use flin_runtime::store::RequestId;
use http_body_util::BodyExt;
use hyper::StatusCode;
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::payload::Payload;
use crate::respond::{Answered, json, retry_soon};

/// How long an answer is kept.
const KEPT_FOR: Duration = Duration::from_secs(600);
/// Answers that are kept.
const ANSWERS_MAX: usize = 16 << 10;
/// Bytes of their bodies.
const BYTES_MAX: usize = 16 << 20;

/// The name of a wish, of its page and action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct WishName([u8; 16]);

impl WishName {
    /// As the store keeps it.
    pub(crate) fn request(self) -> RequestId {
        RequestId(self.0)
    }
}

/// An answer that can be given again.
#[derive(Clone, Debug)]
struct Kept {
    status: StatusCode,
    body: Bytes,
}

impl Kept {
    fn answer(&self) -> Answered {
        let answer = json(self.status, self.body.clone());
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            retry_soon(answer)
        } else {
            answer
        }
    }
}

enum Place {
    Underway(watch::Receiver<Option<Kept>>),
    Done(Kept),
}

/// Wishes that are under way, and answers of those that are done.
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

// Puts the answer into its place, or clears the place when there is none: also if whoever makes it breaks.
struct Ticket {
    inner: Arc<Mutex<Inner>>,
    name: WishName,
    answer: watch::Sender<Option<Kept>>,
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

    /// The answer to a wish: the one that was given before, or is being made; else that of `first`, which is done to its end
    /// even if nobody waits for it any more.
    pub(crate) async fn once(
        &self,
        name: WishName,
        first: impl Future<Output = Answered> + Send + 'static,
    ) -> Answered {
        let mut underway = {
            let mut inner = lock(&self.inner);
            inner.forget_old(Instant::now());
            match inner.places.get(&name) {
                Some(Place::Done(kept)) => return kept.answer(),
                Some(Place::Underway(answer)) => answer.clone(),
                None => {
                    let (answer, receiver) = watch::channel(None);
                    inner.places.insert(name, Place::Underway(receiver.clone()));
                    let ticket = Ticket {
                        inner: Arc::clone(&self.inner),
                        name,
                        answer,
                    };
                    tokio::spawn(async move { ticket.done(first.await).await });
                    receiver
                }
            }
        };
        let answered = underway.wait_for(Option::is_some).await;
        match answered.ok().and_then(|answer| answer.clone()) {
            Some(kept) => kept.answer(),
            None => retry_soon(json(
                StatusCode::SERVICE_UNAVAILABLE,
                "{\"type\":\"error\",\"error\":{\"kind\":\"Busy\",\"message\":\"there is no answer; please ask again\"}}",
            )),
        }
    }
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    // Nothing that can panic runs under this lock.
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    fn forget_old(&mut self, now: Instant) {
        while let Some((at, name)) = self.done.front().copied()
            && (now.duration_since(at) > KEPT_FOR
                || self.done.len() > ANSWERS_MAX
                || self.bytes > BYTES_MAX)
        {
            self.done.pop_front();
            if let Some(Place::Done(kept)) = self.places.remove(&name) {
                self.bytes -= kept.body.len();
            }
        }
    }
}

impl Ticket {
    async fn done(self, answer: Answered) {
        let (parts, body) = answer.into_parts();
        let Payload::Whole(body) = body else {
            return;
        };
        let Ok(body) = body.collect().await;
        let kept = Kept {
            status: parts.status,
            body: body.to_bytes(),
        };
        if kept.status.is_success() {
            let mut inner = lock(&self.inner);
            inner.bytes += kept.body.len();
            inner.done.push_back((Instant::now(), self.name));
            inner.places.insert(self.name, Place::Done(kept.clone()));
        }
        self.answer.send_replace(Some(kept));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut inner = lock(&self.inner);
        if let Some(Place::Underway(_)) = inner.places.get(&self.name) {
            inner.places.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn answer(status: StatusCode, text: &str) -> Answered {
        json(status, text.to_owned())
    }

    async fn text(answer: Answered) -> String {
        let Ok(body) = answer.into_body().collect().await;
        String::from_utf8_lossy(&body.to_bytes()).into_owned()
    }

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
                repeats.once(name, async move {
                    let n = runs.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                    answer(StatusCode::OK, &n.to_string())
                })
            };
            let (one, two) = tokio::join!(once(), once());
            assert_eq!((text(one).await, text(two).await), ("0".into(), "0".into()));
            assert_eq!(text(once().await).await, "0");
            let other = Repeats::name("/", "add", "other");
            let fresh = repeats
                .once(other, async { answer(StatusCode::OK, "fresh") })
                .await;
            assert_eq!(text(fresh).await, "fresh");
        });
    }

    #[test]
    fn an_error_is_not_kept_and_a_break_leaves_nothing() {
        run(async {
            let repeats = Repeats::default();
            let name = Repeats::name("/", "add", "k");
            let failed = repeats.once(name, async {
                answer(StatusCode::SERVICE_UNAVAILABLE, "busy")
            });
            assert_eq!(text(failed.await).await, "busy");
            let broken = repeats.once(name, async { panic!("on purpose") }).await;
            assert_eq!(broken.status(), StatusCode::SERVICE_UNAVAILABLE);
            let done = repeats
                .once(name, async { answer(StatusCode::OK, "done") })
                .await;
            assert_eq!(text(done).await, "done");
        });
    }

    #[test]
    fn a_client_that_goes_away_finds_its_answer_later() {
        run(async {
            let repeats = Repeats::default();
            let name = Repeats::name("/", "add", "k");
            let (go, may_go) = tokio::sync::oneshot::channel::<()>();
            let first = repeats.once(name, async move {
                may_go.await.expect("the test says go");
                answer(StatusCode::OK, "done")
            });
            let gone = tokio::time::timeout(Duration::from_millis(1), first).await;
            assert!(gone.is_err());
            go.send(()).expect("it is still under way");
            let again = repeats
                .once(name, async { answer(StatusCode::OK, "twice") })
                .await;
            assert_eq!(text(again).await, "done");
        });
    }

    #[test]
    fn answers_are_bounded() {
        run(async {
            let repeats = Repeats::default();
            for n in 0..40 {
                let name = Repeats::name("/", "add", &n.to_string());
                let big = "x".repeat(1 << 20);
                repeats
                    .once(name, async move { answer(StatusCode::OK, &big) })
                    .await;
            }
            let inner = lock(&repeats.inner);
            assert!(inner.bytes <= BYTES_MAX + (1 << 20) && inner.places.len() < 20);
            assert_eq!(inner.places.len(), inner.done.len());
        });
    }
}
