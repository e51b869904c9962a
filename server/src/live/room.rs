//! The memory that watched views may take together. Here because who watches chooses the state of a view, so anybody can make
//! many different ones. Must stay true: what was taken is given back exactly once, when its holder goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of all watched views and of the messages kept beside them.
const BYTES_MAX: usize = 64 << 20;

/// What is taken of the memory.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    taken: AtomicUsize,
}

/// A part of it, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Room {
    rooms: Arc<Rooms>,
    bytes: usize,
}

impl Rooms {
    /// Room for so many bytes, if there is.
    pub(crate) fn take(self: &Arc<Rooms>, bytes: usize) -> Option<Room> {
        let more = |taken: usize| {
            taken
                .checked_add(bytes)
                .filter(|together| *together <= BYTES_MAX)
        };
        let taken = self
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.is_ok().then(|| Room {
            rooms: Arc::clone(self),
            bytes,
        })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.rooms.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Whoever watched with a thousand different states held a thousand views.
    #[test]
    fn watched_views_take_bounded_memory() {
        let rooms = Arc::new(Rooms::default());
        let half = rooms.take(BYTES_MAX / 2);
        let rest = rooms.take(BYTES_MAX / 2);
        assert!(half.is_some() && rest.is_some());
        assert!(rooms.take(1).is_none() && rooms.take(usize::MAX).is_none());
        drop(half);
        assert!(rooms.take(1).is_some());
        drop(rest);
        assert!(rooms.take(BYTES_MAX).is_some());
    }
}
