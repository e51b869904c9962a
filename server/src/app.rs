//! What all requests of a program share. Must stay true: nothing in it changes after the start but what the runtime, the
//! store and the feed keep themselves; another program is another `App` (`served.rs`).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use flin_runtime::store::{ChangeOp, CommitEvent, ReadSet};
use flin_runtime::vm::bytecode::module::Module;
use flin_runtime::{Answer, Entry, Failure, Hottest, Outcome, Runtime, Usage};
use tokio::sync::{oneshot, watch};

use crate::assets::BrowserRuntime;
use crate::context;
use crate::files::Files;
use crate::kept_pages::KeptPages;
use crate::live::{Hub, Live};
use crate::metrics::Metrics;
use crate::options::ServerOptions;
use crate::paths::Paths;
use crate::repeats::Repeats;
use crate::token::{TokenKey, Tokens};

// What was entered, for the log.
enum Entered {
    Page(usize),
    Route(usize),
    Other,
}

impl Entered {
    fn of(entry: &Entry) -> Entered {
        match entry {
            Entry::Page { page, .. } | Entry::Action { page, .. } => Entered::Page(*page),
            Entry::Route { route, .. } => Entered::Route(*route),
            Entry::Main | Entry::Script | Entry::Test { .. } => Entered::Other,
        }
    }
}

/// A served program.
pub(crate) struct App {
    pub(crate) runtime: Runtime,
    pub(crate) options: ServerOptions,
    pub(crate) paths: Paths,
    pub(crate) script: &'static BrowserRuntime,
    pub(crate) files: Files,
    pub(crate) hub: Arc<Hub>,
    pub(crate) live: Live,
    pub(crate) kept_pages: KeptPages,
    pub(crate) tokens: Tokens,
    pub(crate) repeats: Repeats,
    pub(crate) metrics: Metrics,
    pub(crate) started: Instant,
    retired: watch::Sender<bool>,
}

impl App {
    pub(crate) fn new(runtime: Runtime, options: ServerOptions) -> Result<App, String> {
        let paths = Paths::new(runtime.program().module())?;
        let hub = Hub::new(&runtime, options.limits.feed_queue_max);
        let live = Live::new(&runtime);
        let key = options.token_key.unwrap_or_else(|| {
            let mut key = TokenKey::default();
            runtime.world().random(&mut key);
            key
        });
        let tokens = Tokens::new(key, runtime.program().module());
        let script = BrowserRuntime::get();
        let maps = options.show_errors || options.dev.is_some();
        let files = Files::new(runtime.program().module(), script, maps);
        Ok(App {
            runtime,
            options,
            paths,
            script,
            files,
            hub,
            live,
            kept_pages: KeptPages::new(),
            tokens,
            repeats: Repeats::default(),
            metrics: Metrics::default(),
            started: Instant::now(),
            retired: watch::Sender::default(),
        })
    }

    /// Another program has taken the place of this one.
    pub(crate) fn retire(&self) {
        self.retired.send_replace(true);
    }

    /// Tells when another program has taken the place of this one: what lives longer than a request ends then.
    pub(crate) fn retired(&self) -> watch::Receiver<bool> {
        self.retired.subscribe()
    }

    pub(crate) fn module(&self) -> &Module {
        self.runtime.program().module()
    }

    /// Whether a commit may change what a page shows that read this.
    pub(crate) fn touches(&self, page: usize, reads: &ReadSet, event: &CommitEvent) -> bool {
        let page = &self.module().pages[page];
        // What is destroyed vanishes from the past as well, and looks into the past are not noted.
        let destroys = event.changes.iter().any(|change| {
            let ty = self.runtime.changed_type(change);
            change.op == ChangeOp::Destroy && ty.is_some_and(|ty| page.reads.contains(&ty))
        });
        destroys || self.runtime.store().touches(reads, event)
    }

    /// Enters FLIN code and waits for the answer without holding a thread. A connection that closes drops this future:
    /// what has not begun by then is not done.
    pub(crate) async fn enter(&self, entry: Entry) -> Result<Outcome, Failure> {
        let Some(dev) = &self.options.dev else {
            return self.enter_and_wait(entry).await;
        };
        let page = match &entry {
            Entry::Page { page, .. } | Entry::Action { page, .. } => Some(*page),
            Entry::Route { .. } | Entry::Main | Entry::Script | Entry::Test { .. } => None,
        };
        let done = self.enter_and_wait(entry).await;
        if let Err(failure) = &done {
            let pages = &self.module().pages;
            dev.failed(page.map(|page| pages[page].path.as_str()), failure);
        }
        done
    }

    // Which line of the program spent the most, where that is long for what was asked for.
    fn tell_if_slow(&self, what: &Entered, usage: &Usage) {
        if usage.took <= self.options.slow_time {
            return;
        }
        self.metrics.slow.fetch_add(1, Ordering::Relaxed);
        let took_ms = u64::try_from(usage.took.as_millis()).unwrap_or(u64::MAX);
        let module = self.module();
        let name = match what {
            Entered::Page(page) => module.pages[*page].path.clone(),
            Entered::Route(route) => {
                let route = &module.routes[*route];
                format!("{} {}", route.method, route.path)
            }
            Entered::Other => String::new(),
        };
        let (fuel, memory) = (usage.fuel, usage.memory_bytes);
        let (reads, writes) = (usage.operations.reads, usage.operations.writes);
        context::logged(|| match &usage.hottest {
            Some(Hottest { file, line, spent }) => {
                let spent_ms = u64::try_from(spent.as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(
                    name,
                    took_ms,
                    fuel,
                    memory,
                    reads,
                    writes,
                    spent_ms,
                    "slow: most of it at {file}:{line}"
                );
            }
            None => tracing::warn!(
                name,
                took_ms,
                fuel,
                memory,
                reads,
                writes,
                "slow: not by computing; it waited for its turn, for the disk or for another server"
            ),
        });
    }

    async fn enter_and_wait(&self, entry: Entry) -> Result<Outcome, Failure> {
        let what = Entered::of(&entry);
        let (sender, receiver) = oneshot::channel::<Answer>();
        let asker = Arc::new(());
        // A receiver that is gone drops the answer, which logs itself.
        let reply = Box::new(move |answer| drop(sender.send(answer)));
        self.runtime.submit(entry, Arc::downgrade(&asker), reply);
        let answer = receiver.await;
        drop(asker);
        match answer {
            Ok(answer) => {
                let usage = answer.usage();
                self.metrics.fuel.fetch_add(usage.fuel, Ordering::Relaxed);
                self.tell_if_slow(&what, &usage);
                context::took(usage);
                if answer.is_quiet() {
                    answer.settle(&self.runtime)
                } else {
                    context::logged(|| answer.settle(&self.runtime))
                }
            }
            // The runtime lost the reply, by a bug: it may have committed before.
            Err(_) => Err(Failure::OutcomeUnknown {
                message: "it is not known whether this was saved: the runtime gave no answer"
                    .to_owned(),
            }),
        }
    }
}
