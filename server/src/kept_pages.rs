//! Documents of pages that depend on nothing but the data, kept until a commit touches what they read: who asks for the same page
//! again gets the same bytes without a rendering. Here because most visits are of pages that have not changed since the last one.
//! Must stay true: who asks after a commit was answered sees that commit; what a page saw of the clock, chance, other servers or
//! the past is never kept; bounded in bytes, whatever addresses are asked for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use flin_runtime::PageOutcome;
use flin_runtime::store::{Lsn, ReadSet};

use crate::app::App;
use crate::assets::fingerprint;
use crate::compress::Encoding;
use crate::recent::Recent;

/// Documents that are kept.
const DOCUMENTS_MAX: usize = 4096;
/// About how many bytes the documents take together, compressed forms and all.
const BYTES_MAX: usize = 32 << 20;
/// What a document takes beside its text, about: its key, its read set, its place in the tables.
const OVERHEAD: usize = 1 << 10;

/// What a document was made for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PageKey {
    /// Index into `Module::pages`.
    pub(crate) page: usize,
    /// The path as it was asked for, which the parameters are part of.
    pub(crate) path: String,
    /// With all that it waits for.
    pub(crate) loaded: bool,
}

/// A document as it is sent.
#[derive(Debug)]
pub(crate) struct Document {
    plain: Bytes,
    tag: String,
    brotli: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

impl Document {
    pub(crate) fn new(text: String) -> Document {
        let tag = format!("\"{}\"", fingerprint(text.as_bytes()));
        Document {
            plain: Bytes::from(text),
            tag,
            brotli: OnceLock::new(),
            gzip: OnceLock::new(),
        }
    }

    /// Its text.
    pub(crate) fn plain(&self) -> &Bytes {
        &self.plain
    }

    /// Its strong entity tag (RFC 9110, section 8.8.3).
    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    /// Where its packed form is kept.
    pub(crate) fn packed(&self, encoding: Encoding) -> &OnceLock<Bytes> {
        match encoding {
            Encoding::Brotli => &self.brotli,
            Encoding::Gzip => &self.gzip,
        }
    }

    // What it may take in the end: packed it is smaller than plain, in each of both forms.
    fn bytes(&self) -> usize {
        2 * self.plain.len() + OVERHEAD
    }
}

#[derive(Debug)]
struct Kept {
    document: Arc<Document>,
    page: usize,
    reads: Arc<ReadSet>,
    /// No commit up to this one touches it.
    valid_to: AtomicU64,
}

/// The documents, the newest used ones.
#[derive(Debug)]
pub(crate) struct KeptPages {
    pages: Mutex<Recent<PageKey, Arc<Kept>>>,
}

impl KeptPages {
    pub(crate) fn new() -> KeptPages {
        KeptPages {
            pages: Mutex::new(Recent::new(DOCUMENTS_MAX, BYTES_MAX)),
        }
    }

    fn pages(&self) -> MutexGuard<'_, Recent<PageKey, Arc<Kept>>> {
        // Nothing that can panic runs under this lock.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The document of a page, if it is what would be rendered now.
    pub(crate) fn get(&self, app: &App, key: &PageKey) -> Option<Arc<Document>> {
        let kept = self.pages().get(key).map(Arc::clone)?;
        if kept.is_valid(app) {
            return Some(Arc::clone(&kept.document));
        }
        self.pages().remove(key);
        None
    }

    /// Keeps what was just rendered, if it may be kept.
    pub(crate) fn keep(&self, key: PageKey, document: &Arc<Document>, outcome: &PageOutcome) {
        if outcome.data_only {
            let kept = Kept {
                document: Arc::clone(document),
                page: key.page,
                reads: Arc::clone(&outcome.reads),
                valid_to: AtomicU64::new(outcome.seq.0),
            };
            self.pages().insert(key, Arc::new(kept), document.bytes());
        }
    }
}

impl Kept {
    fn is_valid(&self, app: &App) -> bool {
        let store = app.runtime.store();
        let head = store.head();
        let valid_to = Lsn(self.valid_to.load(Ordering::Acquire));
        if head <= valid_to {
            return true;
        }
        // A commit is answered before it is told: what is not told yet may have touched it.
        let told = store
            .events_since(valid_to)
            .filter(|events| events.last().is_some_and(|event| event.lsn >= head));
        let Some(events) = told else { return false };
        if events
            .iter()
            .any(|event| app.touches(self.page, &self.reads, event))
        {
            return false;
        }
        let seen = events.last().map_or(valid_to, |event| event.lsn);
        self.valid_to.fetch_max(seen.0, Ordering::AcqRel);
        true
    }
}
