//! Panics inside the door: caught, with message, place and backtrace. Here because a bug of the runtime must cost one
//! request and not the process, and must not be silent. Must stay true: outside the door panics are reported as always.

use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Once;
use std::sync::atomic::Ordering;
use std::task::Poll;

use crate::door::Runtime;
use crate::entry::Failure;

/// A panic that was caught.
#[derive(Clone, Debug)]
pub(crate) struct Caught {
    pub(crate) message: String,
    pub(crate) backtrace: String,
    /// Where it happened: file and line.
    place: String,
}

impl Caught {
    /// The same for the same bug: made from its place, not from what it said.
    pub(crate) fn id(&self) -> String {
        // FNV-1a: the same in every build and on every machine.
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        let hash = self.place.bytes().fold(0xcbf2_9ce4_8422_2325, step);
        format!("p{:08x}", (hash ^ hash >> 32) as u32)
    }

    /// Its line in the log.
    pub(crate) fn log(&self, what: &str, name: &str) {
        let (id, backtrace) = (self.id(), &self.backtrace);
        tracing::error!(what, name, panic = id, %backtrace, "panic inside the runtime: {}", self.message);
    }
}

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<Caught>> = const { RefCell::new(None) };
}

/// Runs `work`; a panic in it becomes a value.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Caught> {
    install_hook();
    let outer = WATCHED.replace(true);
    // What `work` borrows is thrown away by the caller when it panicked.
    let result = catch_unwind(AssertUnwindSafe(work));
    WATCHED.set(outer);
    result.map_err(|_| {
        let unknown = || Caught {
            message: "a panic without a report".to_owned(),
            backtrace: String::new(),
            place: String::new(),
        };
        LAST.take().unwrap_or_else(unknown)
    })
}

impl Runtime {
    /// Work beside FLIN code, whose panic costs itself and nothing else: it is counted and logged like one inside of the door.
    ///
    /// # Errors
    /// When it panicked.
    pub async fn sheltered<T>(
        &self,
        what: &'static str,
        work: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        let mut work = pin!(work);
        let done = poll_fn(|context| match catch(|| work.as_mut().poll(context)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
            Err(caught) => Poll::Ready(Err(caught)),
        });
        done.await.map_err(|caught| {
            self.counters().panics.fetch_add(1, Ordering::Relaxed);
            caught.log(what, "");
            Failure::Panic {
                message: caught.message,
            }
        })
    }
}

fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !WATCHED.get() {
                return previous(info);
            }
            let backtrace = Backtrace::force_capture().to_string();
            LAST.set(Some(Caught {
                message: info.to_string().replace('\n', " "),
                backtrace,
                place: info
                    .location()
                    .map_or_else(String::new, |at| format!("{}:{}", at.file(), at.line())),
            }));
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_value_with_message_and_place() {
        let caught = catch(|| -> u32 { panic!("lost my way") }).unwrap_err();
        assert!(caught.message.contains("lost my way"), "{}", caught.message);
        assert!(caught.message.contains("panics.rs"), "{}", caught.message);
        assert!(!caught.backtrace.is_empty());
        let lost = |what: &str| catch(|| -> u32 { panic!("{what} is lost") }).unwrap_err();
        let (hat, coat) = (lost("hat"), lost("coat"));
        assert_eq!(hat.id(), coat.id(), "one place, one bug");
        assert_ne!(hat.id(), caught.id());
        assert_eq!(catch(|| 7).unwrap(), 7);
    }
}
