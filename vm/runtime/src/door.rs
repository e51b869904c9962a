//! The one door into FLIN code. Every page, action, route, script and test enters here: it opens the transaction, sets
//! the budgets, catches panics, commits after the code has returned, runs it again when it clashed with others, counts
//! and logs. Must stay true: there is no second way to run a function of a program; an answer is given exactly once, and
//! a "done" only after the store said "committed"; nothing that failed is missing from the log.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use flin_store::{CommitEvent, CommitOutcome, Lsn, RequestId, Store, Transaction};
use flin_vm::bytecode::module::Module;
use flin_vm::{Counts, Limits, Program};

use crate::answer::{Answer, Report};
use crate::entry::{ActionOutcome, Entry, Failure, Outcome};
use crate::host::{Operations, StoreHost};
use crate::memory::Memory;
use crate::panics::{self, Caught};
use crate::run::{constraint_failure, run_entry};
use crate::schema::TypeMap;
use crate::turns::Turns;
use crate::usage::{Spending, Usage};
use crate::workers::{Refused, Workers};
use crate::world::{Kept, Said, Seen, SystemWorld, World};

/// After so many clashes a request waits for its turn and then runs alone.
const CLASHES_MAX: u32 = 3;

/// Budgets and surroundings of a runtime.
#[derive(Clone)]
pub struct RuntimeOptions {
    /// Time that one request may run.
    pub request_time: Duration,
    /// Time that the top level may run before a server answers.
    pub start_time: Duration,
    /// What the VM of one request may use.
    pub request_limits: Limits,
    /// What the VM of a script or test may use.
    pub script_limits: Limits,
    /// Bytes of memory of all requests that run, together.
    pub memory_all_bytes: usize,
    /// Requests that compute at the same time; 0 for one per core. Those that take long do it in turns.
    pub workers: usize,
    /// Requests that may wait for a worker.
    pub queue_max: usize,
    /// The world outside.
    pub world: Arc<dyn World>,
    /// Why nothing can be saved, if the store was opened for reading only: whoever saves is told.
    pub read_only: Option<Arc<str>>,
}

impl Default for RuntimeOptions {
    fn default() -> RuntimeOptions {
        RuntimeOptions {
            request_time: Duration::from_secs(5),
            start_time: Duration::from_secs(60),
            request_limits: Limits::request(),
            script_limits: Limits::script(),
            memory_all_bytes: usize::MAX,
            workers: 0,
            queue_max: 1024,
            world: Arc::new(SystemWorld),
            read_only: None,
        }
    }
}

/// What happened since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Entries that ran to an answer.
    pub entries: AtomicU64,
    /// Runs that changed something, which is kept.
    pub commits: AtomicU64,
    /// Runs that clashed with another commit and were run again.
    pub clashes: AtomicU64,
    /// Panics caught in the door.
    pub panics: AtomicU64,
    /// Entries refused because the queue was full.
    pub refused: AtomicU64,
    /// Runs that were ended because all of them together used too much memory.
    pub memory_refused: AtomicU64,
    /// Entries that were not begun, because whoever asked was gone by then.
    pub abandoned: AtomicU64,
}

impl Counters {
    fn count_commit(&self, outcome: &CommitOutcome, saves_nothing: bool) {
        if !saves_nothing && matches!(outcome, CommitOutcome::Committed { .. }) {
            self.commits.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A program with its store, ready to be entered. Clones share it.
#[derive(Clone)]
pub struct Runtime {
    shared: Arc<Shared>,
}

struct Shared {
    program: Arc<Program>,
    types: TypeMap,
    store: Store,
    options: RuntimeOptions,
    // Of this process alone: a page of an earlier one cannot give versions back.
    page_key: flin_vm::wire::Key,
    workers: Arc<Workers<Job>>,
    turns: Turns,
    memory: Memory,
    counters: Counters,
    // Runs end at their next slice.
    cut_off: AtomicBool,
}

// A request on its way: run, perhaps run again, answered once.
struct Job {
    entry: Entry,
    seen: Seen,
    clashes: u32,
    started: Instant,
    asker: Weak<()>,
    reply: Box<dyn FnOnce(Answer) + Send>,
}

impl Runtime {
    /// A runtime over a store that was opened with `schema_of(program.module())`.
    pub fn new(program: Arc<Program>, store: Store, options: RuntimeOptions) -> Runtime {
        let types = TypeMap::new(program.module(), store.schema());
        let workers = Workers::new(options.queue_max);
        let turns = Turns::new(computing(&options));
        let memory = Memory::new(options.memory_all_bytes);
        let mut page_key = flin_vm::wire::Key::default();
        options.world.random(&mut page_key);
        let shared = Arc::new(Shared {
            page_key,
            program,
            types,
            store,
            options,
            workers,
            turns,
            memory,
            counters: Counters::default(),
            cut_off: AtomicBool::new(false),
        });
        Runtime { shared }
    }

    /// Starts the worker threads that `submit` needs.
    pub fn start_workers(&self) {
        flin_vm::give_memory_back();
        let count = computing(&self.shared.options);
        let shared = Arc::downgrade(&self.shared);
        let work = move |job: Job| match shared.upgrade() {
            Some(shared) => run_job(&shared, job),
            None => (job.reply)(Answer::refused(Failure::Closed)),
        };
        self.shared.workers.start(count, work);
    }

    /// Hands an entry to a worker; `reply` is called once, on another thread, when the answer stands. Whoever asks holds
    /// what `asker` points to: if it is gone when the entry's turn comes, the entry is not begun.
    pub fn submit(&self, entry: Entry, asker: Weak<()>, reply: Box<dyn FnOnce(Answer) + Send>) {
        let job = Job {
            entry,
            seen: Seen::default(),
            clashes: 0,
            started: Instant::now(),
            asker,
            reply,
        };
        if let Err((refused, job)) = self.shared.workers.push(job) {
            self.shared.counters.refused.fetch_add(1, Ordering::Relaxed);
            let failure = match refused {
                Refused::Full => Failure::Busy,
                Refused::Closed => Failure::Closed,
            };
            (job.reply)(Answer::refused(failure));
        }
    }

    /// Runs an entry on this thread and waits until its commit is done.
    pub fn enter(&self, entry: Entry) -> Result<Outcome, Failure> {
        let script = is_script(&entry);
        let mut seen = if script {
            Seen::live()
        } else {
            Seen::default()
        };
        let mut clashes = 0;
        let started = Instant::now();
        loop {
            let (run, tx) = attempt(&self.shared, &entry, &mut seen, clashes);
            // A test leaves nothing behind.
            let asks_store =
                request_of(&entry).is_some() && self.shared.options.read_only.is_none();
            let saves_nothing = run.result.is_err() || tx.is_read_only();
            if saves_nothing && !asks_store || matches!(entry, Entry::Test { .. }) {
                return run.answer(&entry, clashes, started).settle(self);
            }
            if let Some(reason) = &self.shared.options.read_only {
                return run
                    .unsaved(reason)
                    .answer(&entry, clashes, started)
                    .settle(self);
            }
            let tx = if saves_nothing {
                self.shared.store.begin()
            } else {
                tx
            };
            let outcome = self.shared.store.commit_wait(tx, request_of(&entry));
            if matches!(outcome, CommitOutcome::Clash) && clashes <= CLASHES_MAX && !script {
                clashes += 1;
                self.shared.counters.clashes.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            self.shared.counters.count_commit(&outcome, saves_nothing);
            return run
                .committed(outcome, saves_nothing)
                .answer(&entry, clashes, started)
                .settle(self);
        }
    }

    /// The program.
    pub fn program(&self) -> &Arc<Program> {
        &self.shared.program
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// The two numberings of types and fields.
    pub fn types(&self) -> &TypeMap {
        &self.shared.types
    }

    /// The world outside.
    pub fn world(&self) -> &dyn World {
        &*self.shared.options.world
    }

    /// Entries that wait for a worker, and for which somebody waits.
    pub fn waiting(&self) -> usize {
        let is_wanted = |job: &Job| job.asker.strong_count() > 0;
        self.shared.workers.count(is_wanted)
    }

    /// Bytes of memory that the runs of now hold together.
    pub fn memory_held(&self) -> usize {
        self.shared.memory.held()
    }

    /// What happened since the start.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// Ends what runs, at its next slice: nobody waits for it any more.
    pub fn cut_off(&self) {
        self.shared.cut_off.store(true, Ordering::Relaxed);
    }

    /// Takes no more work, finishes what waits, ends the threads.
    pub fn stop_workers(&self) {
        self.shared.workers.close();
        self.shared.workers.join();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.workers.close();
    }
}

// One run, before its commit.
struct Ran {
    result: Result<Outcome, Failure>,
    said: Vec<Said>,
    usage: Usage,
    panic: Option<Caught>,
    committed: Option<Arc<CommitEvent>>,
}

impl Ran {
    /// What it wrote cannot be saved.
    fn unsaved(mut self, reason: &str) -> Ran {
        self.result = Err(Failure::Unavailable {
            message: format!("nothing can be saved: {reason}"),
        });
        self
    }

    /// What the store says of the transaction. A run that saved nothing is asked for only to learn whether its wish was
    /// done before: all else leaves it as it is.
    fn committed(mut self, outcome: CommitOutcome, saved_nothing: bool) -> Ran {
        let failure = match outcome {
            CommitOutcome::Duplicate { lsn, .. } => {
                self.result = Ok(done_before(self.result, lsn));
                return self;
            }
            _ if saved_nothing => return self,
            CommitOutcome::Committed { lsn, event } => {
                self.committed = Some(event);
                if let Ok(done) = &mut self.result {
                    set_seq(done, lsn);
                }
                return self;
            }
            CommitOutcome::Clash => Failure::Conflict,
            CommitOutcome::Constraint(error) => constraint_failure(&error),
            CommitOutcome::Closed => Failure::Closed,
            outcome @ CommitOutcome::OutcomeUnknown { .. } => Failure::OutcomeUnknown {
                message: outcome.to_string(),
            },
            CommitOutcome::StorageFull => Failure::Unavailable {
                message: "there is no room to save this: the disk of the server is full. Nothing was changed; \
                          please try again later"
                    .to_owned(),
            },
            outcome @ (CommitOutcome::TooLarge { .. }
            | CommitOutcome::CannotExtend { .. }
            | CommitOutcome::Unreadable(_)
            | CommitOutcome::Poisoned { .. }) => Failure::Store {
                message: outcome.to_string(),
            },
        };
        self.result = Err(failure);
        self
    }

    fn answer(self, entry: &Entry, clashes: u32, started: Instant) -> Answer {
        let usage = Usage {
            clashes,
            took: started.elapsed(),
            ..self.usage
        };
        let report = Report::new(entry, usage, self.panic);
        // What was said by a run that failed still helps to see why.
        Answer::new(self.result, self.said, report, self.committed)
    }
}

// Code that runs once, for its own sake: the limits of scripts, output at once.
fn is_script(entry: &Entry) -> bool {
    match entry {
        Entry::Main | Entry::Script | Entry::Test { .. } => true,
        Entry::Page { .. } | Entry::Action { .. } | Entry::Route { .. } => false,
    }
}

// Scripts and tests may take the time they need; a server must come to answer.
fn time_limit(entry: &Entry, options: &RuntimeOptions) -> Option<Duration> {
    match entry {
        Entry::Main => Some(options.start_time),
        Entry::Script | Entry::Test { .. } => None,
        Entry::Page { .. } | Entry::Action { .. } | Entry::Route { .. } => {
            Some(options.request_time)
        }
    }
}

fn set_seq(outcome: &mut Outcome, lsn: Lsn) {
    match outcome {
        Outcome::Action(action) => action.seq = lsn,
        Outcome::Page(_) | Outcome::Route(_) | Outcome::Done(_) => {}
    }
}

// What the wish of an entry is called, if it has a name.
fn request_of(entry: &Entry) -> Option<RequestId> {
    match entry {
        Entry::Action { request, .. } => *request,
        Entry::Page { .. }
        | Entry::Route { .. }
        | Entry::Main
        | Entry::Script
        | Entry::Test { .. } => None,
    }
}

// The answer to a wish that was done at `lsn`: what this run made of it is only good for the state that it gave, and a run
// that failed gives none (of course it failed: what it wished is there).
fn done_before(run: Result<Outcome, Failure>, lsn: Lsn) -> Outcome {
    let state = match run {
        Ok(Outcome::Action(done)) => done.state,
        Ok(Outcome::Page(_) | Outcome::Route(_) | Outcome::Done(_)) | Err(_) => Vec::new(),
    };
    Outcome::Action(ActionOutcome {
        wrote: true,
        state,
        seq: lsn,
        repeated: true,
    })
}

// How many requests compute at the same time.
fn computing(options: &RuntimeOptions) -> usize {
    match options.workers {
        0 => std::thread::available_parallelism().map_or(1, NonZero::get),
        count => count,
    }
}

fn attempt(shared: &Shared, entry: &Entry, seen: &mut Seen, clashes: u32) -> (Ran, Transaction) {
    let script = is_script(entry);
    let alone = clashes >= CLASHES_MAX;
    // First of all: whoever waits for the store holds a turn, so who has the store must not wait for one.
    let turn = (!script).then(|| shared.turns.take(&shared.workers, !alone));
    let mut tx = if alone {
        shared.store.begin_exclusive()
    } else {
        shared.store.begin()
    };
    seen.rewind();
    let limits = if script {
        &shared.options.script_limits
    } else {
        &shared.options.request_limits
    };
    let mut host = StoreHost {
        module: shared.program.module(),
        types: &shared.types,
        tx: &mut tx,
        world: &*shared.options.world,
        seen,
        read_only: false,
        page_key: shared.page_key,
        deadline: time_limit(entry, &shared.options).map(|limit| Instant::now() + limit),
        cut_off: Some(&shared.cut_off),
        turn,
        speaks_at_once: script,
        commits_statements: matches!(entry, Entry::Script | Entry::Test { .. })
            .then_some(&shared.store),
        said: Kept::default(),
        looked_back: false,
        operations: Operations::default(),
        memory: shared.memory.share(),
        spending: Spending::new(Instant::now()),
        counts: Counts::default(),
    };
    let result = panics::catch(|| run_entry(&shared.program, limits.clone(), entry, &mut host));
    let usage = usage_of(&host, shared.program.module());
    let said = std::mem::take(&mut host.said).into_lines();
    let is_refused = host.memory.is_refused();
    drop(host);
    let ran = match result {
        Ok(Err(_)) if is_refused => {
            shared
                .counters
                .memory_refused
                .fetch_add(1, Ordering::Relaxed);
            Ran {
                result: Err(no_memory_for_all()),
                said,
                usage,
                panic: None,
                committed: None,
            }
        }
        Ok(result) => Ran {
            result,
            said,
            usage,
            panic: None,
            committed: None,
        },
        Err(caught) => {
            shared.counters.panics.fetch_add(1, Ordering::Relaxed);
            let failure = Failure::Panic {
                message: caught.message.clone(),
            };
            Ran {
                result: Err(failure),
                said,
                usage,
                panic: Some(caught),
                committed: None,
            }
        }
    };
    (ran, tx)
}

fn no_memory_for_all() -> Failure {
    Failure::Unavailable {
        message: "the requests of now use all the memory that they may have together; please try again in a moment"
            .to_owned(),
    }
}

fn usage_of(host: &StoreHost<'_>, module: &Module) -> Usage {
    let counts = host.counts;
    // What was never collected is held to the end.
    let at_the_end = match counts.collections {
        0 => usize::try_from(counts.allocated_bytes).unwrap_or(usize::MAX),
        _ => 0,
    };
    Usage {
        fuel: counts.instructions,
        memory_bytes: host.memory.most_held().max(at_the_end),
        operations: host.operations,
        hottest: host.spending.hottest(module),
        ..Usage::default()
    }
}

fn run_job(shared: &Arc<Shared>, mut job: Job) {
    // Once begun it is run to its end: a clash does not give it up.
    if job.clashes == 0 && job.asker.strong_count() == 0 {
        shared.counters.abandoned.fetch_add(1, Ordering::Relaxed);
        let waited = job.started.elapsed();
        tracing::debug!(
            ?waited,
            "whoever asked is gone; what they asked for was not begun"
        );
        (job.reply)(Answer::refused(Failure::Closed));
        return;
    }
    let (ran, tx) = attempt(shared, &job.entry, &mut job.seen, job.clashes);
    shared.counters.entries.fetch_add(1, Ordering::Relaxed);
    let request = request_of(&job.entry);
    let saves_nothing = ran.result.is_err() || tx.is_read_only();
    if saves_nothing && (request.is_none() || shared.options.read_only.is_some()) {
        drop(tx);
        (job.reply)(ran.answer(&job.entry, job.clashes, job.started));
        return;
    }
    if let Some(reason) = &shared.options.read_only {
        drop(tx);
        let refused = ran.unsaved(reason);
        (job.reply)(refused.answer(&job.entry, job.clashes, job.started));
        return;
    }
    let tx = if saves_nothing {
        drop(tx);
        shared.store.begin()
    } else {
        tx
    };
    let back = Arc::clone(shared);
    let done = move |outcome: CommitOutcome| {
        if matches!(outcome, CommitOutcome::Clash) && job.clashes <= CLASHES_MAX {
            job.clashes += 1;
            back.counters.clashes.fetch_add(1, Ordering::Relaxed);
            if let Err(job) = back.workers.push_again(job) {
                (job.reply)(Answer::refused(Failure::Closed));
            }
            return;
        }
        back.counters.count_commit(&outcome, saves_nothing);
        (job.reply)(ran.committed(outcome, saves_nothing).answer(
            &job.entry,
            job.clashes,
            job.started,
        ));
    };
    shared.store.commit(tx, request, Box::new(done));
}
