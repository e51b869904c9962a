//! What the store tells its owner while it works: how far opening is, and things worth knowing that are no errors.
//!
//! What must stay true: a note changes nothing by itself, and what was told is also kept for who asks later.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Notes kept; later ones are only told.
const NOTES_KEPT_MAX: usize = 256;

/// How far opening is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenProgress {
    /// Bytes of the log that were read.
    pub done_bytes: u64,
    /// Bytes of the log to be read (an upper limit: the newest segment may be partly unused).
    pub total_bytes: u64,
    /// Time since opening began, milliseconds.
    pub elapsed_ms: u64,
    /// Time it will take in all as far as can be said now, milliseconds.
    pub expected_ms: u64,
}

/// Something the store tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Opening goes on; told about ten times a second.
    Opening(OpenProgress),
    /// A sentence for the log of whoever runs the store.
    Note(String),
}

/// Who is told. Called on the thread where it happens; must be quick.
#[derive(Clone)]
pub struct Watch(Arc<dyn Fn(&Notice) + Send + Sync>);

impl Watch {
    /// Tells everything to `listener`.
    pub fn new(listener: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        Watch(Arc::new(listener))
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

/// Two are equal if they tell the same listener.
impl PartialEq for Watch {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Watch {}

/// Where notes go.
#[derive(Default)]
pub(crate) struct Notes {
    watch: Option<Watch>,
    kept: Mutex<Vec<String>>,
}

impl Notes {
    pub(crate) fn new(watch: Option<Watch>) -> Self {
        Notes {
            watch,
            kept: Mutex::default(),
        }
    }

    pub(crate) fn tell(&self, note: String) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < NOTES_KEPT_MAX {
            kept.push(note.clone());
        }
        drop(kept);
        self.notice(&Notice::Note(note));
    }

    pub(crate) fn notice(&self, notice: &Notice) {
        if let Some(Watch(listener)) = &self.watch {
            listener(notice);
        }
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
