//! What is known of a request while it is answered: its number, what it asks for, what it took so far. Here because that is
//! found out in many places and told in one line at the end. Must stay true: whatever is logged on behalf of a request carries
//! its number; finding nothing here (work for nobody) is never an error.

use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use flin_runtime::Usage;

tokio::task_local! {
    static CURRENT: Arc<Context>;
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Kind {
    /// A page.
    Page,
    /// An action.
    Action,
    /// A page with the state of its visitor.
    Render,
    /// A route of the program.
    Route,
    /// A file, or a script of the server.
    File,
    /// A socket or a stream of events.
    Live,
    /// Health and metrics.
    Operations,
    /// Refused before it was known, or nothing that is there.
    #[default]
    Other,
}

impl Kind {
    /// All of them, in the order of the metrics.
    pub(crate) const ALL: [Kind; 8] = [
        Kind::Page,
        Kind::Action,
        Kind::Render,
        Kind::Route,
        Kind::File,
        Kind::Live,
        Kind::Operations,
        Kind::Other,
    ];

    /// Its name in logs and metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Page => "page",
            Kind::Action => "action",
            Kind::Render => "render",
            Kind::Route => "route",
            Kind::File => "file",
            Kind::Live => "live",
            Kind::Operations => "operations",
            Kind::Other => "other",
        }
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Context {
    number: u64,
    known: Mutex<Known>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) kind: Kind,
    /// The path as the program declares it (`/books/:id`), which is one of few.
    pub(crate) route: String,
    pub(crate) usage: Usage,
}

impl Context {
    pub(crate) fn new() -> Arc<Context> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Arc::new(Context {
            number: LAST.fetch_add(1, Ordering::Relaxed),
            known: Mutex::default(),
        })
    }

    /// The request as logs name it: the process, then its number.
    pub(crate) fn id(&self) -> String {
        static PROCESS: OnceLock<u32> = OnceLock::new();
        // Not a secret, only unlikely to be the one of the process before.
        let process = PROCESS.get_or_init(|| {
            let mut hasher = std::hash::RandomState::new().build_hasher();
            hasher.write_u8(0);
            hasher.finish() as u32
        });
        format!("{process:08x}-{:x}", self.number)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is known of it now.
    pub(crate) fn known(&self) -> Known {
        self.with(|known| known.clone())
    }
}

/// Answers a request in its context.
pub(crate) async fn within<T>(context: Arc<Context>, work: impl Future<Output = T>) -> T {
    CURRENT.scope(context, work).await
}

/// The same work for the request that is answered now, if there is one, wherever it goes on.
pub(crate) async fn carried<T>(context: Option<Arc<Context>>, work: impl Future<Output = T>) -> T {
    match context {
        Some(context) => CURRENT.scope(context, work).await,
        None => work.await,
    }
}

/// The request that is answered now.
pub(crate) fn current() -> Option<Arc<Context>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// The request that is answered now asks for this.
pub(crate) fn asks_for(kind: Kind, route: &str) {
    let set = |context: &Arc<Context>| {
        context.with(|known| {
            known.kind = kind;
            route.clone_into(&mut known.route);
        });
    };
    // Work for nobody has no name.
    let _ = CURRENT.try_with(set);
}

/// A run for it took this.
pub(crate) fn took(usage: Usage) {
    let _ = CURRENT.try_with(|context| {
        context.with(|known| known.usage.add(usage));
    });
}

/// Logs on behalf of the request that is answered now.
pub(crate) fn logged<T>(log: impl FnOnce() -> T) -> T {
    match current() {
        Some(context) => tracing::error_span!("request", id = context.id()).in_scope(log),
        None => log(),
    }
}
