//! Panics on purpose: a test names a place of the server, and whoever comes there next panics. Here because what a bug of ours costs can
//! only be shown with one. Must stay true: a release program has none of it; a place panics once.

#[cfg(debug_assertions)]
use std::sync::{Arc, Mutex, PoisonError};

/// The place where the next visitor panics, if any.
#[derive(Clone, Debug, Default)]
pub struct Planted {
    #[cfg(debug_assertions)]
    place: Arc<Mutex<Option<&'static str>>>,
}

impl Planted {
    /// Whoever comes to this place next panics.
    #[cfg(debug_assertions)]
    pub fn at(&self, place: &'static str) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }

    /// This is that place, perhaps.
    #[cfg(debug_assertions)]
    pub(crate) fn here(&self, place: &str) {
        let mut planted = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if *planted == Some(place) {
            *planted = None;
            drop(planted);
            panic!("planted at {place}");
        }
    }

    #[cfg(not(debug_assertions))]
    #[inline(always)]
    pub(crate) fn here(&self, _place: &str) {}
}
