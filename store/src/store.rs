//! The store as its users hold it: open, snapshot, begin, commit, subscribe, close.
//!
//! Wiring only; the work is done in `log/`, `committer.rs` and `snapshot.rs`. What must stay true: the directory's lock
//! is held until the committer has ended, and opening always ends in a definite answer.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;

use crate::checkpoint::Checkpoints;
use crate::committer::Committer;
use crate::disk::{Disk, LockError, LockGuard};
use crate::error::{Damage, IoFailure, OpenError, ReadError};
use crate::events::{Events, Hearing, OnCommit};
use crate::index::IndexMemory;
use crate::limits::{DESTROY_WITHIN_MS, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN};
use crate::log::writer::Sizes;
use crate::maintenance::{rewrite_what_is_due, start_rewriter};
use crate::notes::Watch;
use crate::outcome::{CommitEvent, CommitOutcome};
use crate::query::TableMemory;
use crate::queue::{Job, Next, Queue};
use crate::report::RecoveryReport;
use crate::rewrite::worker::Worker;
use crate::schema::Schema;
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::sweeper::Sweeper;
use crate::transaction::Transaction;
use crate::value::{Lsn, RequestId, TypeIx};

/// How a store is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// A thread of its own commits (and groups concurrent commits); otherwise the caller's thread does.
    pub committer_thread: bool,
    /// The next segment is filled with zeros in the background.
    pub prepare_ahead: bool,
    /// The operator agrees to changes of the schema that give data up (`SchemaChange::consent`).
    pub migrate: bool,
    /// Size of the first segment; they double from here.
    pub segment_bytes_min: u64,
    /// Size at which segments stop doubling.
    pub segment_bytes_max: u64,
    /// What was destroyed and what is kept no longer leaves the disk by itself, in a thread of its own. Without it that
    /// happens in `compact`, and for what is due in `close`.
    pub background_rewrite: bool,
    /// Bytes of destroyed records are gone from the disk after so many milliseconds.
    pub destroy_within_ms: i64,
    /// Open also on a network or user-space file system, whose locks and syncs may not hold.
    pub network_disk: bool,
    /// When checkpoints are written.
    pub checkpoints: Checkpoints,
    /// Who is told how far opening is, and what is worth knowing later.
    pub watch: Option<Watch>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        StoreOptions {
            committer_thread: true,
            prepare_ahead: true,
            migrate: false,
            segment_bytes_min: SEGMENT_BYTES_MIN,
            segment_bytes_max: SEGMENT_BYTES_MAX,
            background_rewrite: true,
            destroy_within_ms: DESTROY_WITHIN_MS,
            network_disk: false,
            checkpoints: Checkpoints::default(),
            watch: None,
        }
    }
}

impl StoreOptions {
    /// No threads: `commit` returns after the answer was given. For scripts and tests. No idle marks are written.
    pub fn inline() -> Self {
        StoreOptions {
            committer_thread: false,
            prepare_ahead: false,
            background_rewrite: false,
            ..Self::default()
        }
    }

    /// The sizes, rounded to what the log can use.
    pub(crate) fn sizes(&self) -> Sizes {
        let smallest = 2 * crate::limits::SEGMENT_HEADER_BYTES;
        let aligned = |bytes: u64| bytes.clamp(smallest, 1 << 31).next_multiple_of(4096);
        Sizes {
            segment_min: aligned(self.segment_bytes_min),
            segment_max: aligned(self.segment_bytes_max),
        }
    }
}

/// An opened store and what opening found.
pub struct Opened {
    /// The store.
    pub store: Store,
    /// What opening found and did.
    pub report: RecoveryReport,
}

/// A handle to an open store; clones share it. The last one dropped ends the committer (without the closing mark that
/// `close` writes).
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) queue: Arc<Queue>,
    events: Arc<Events>,
    poisoned: Arc<OnceLock<Arc<str>>>,
    /// `None` once closed.
    pub(crate) committer: Arc<Mutex<Option<Committer>>>,
    /// The committer's thread, if it has one, until it is waited for.
    thread: Mutex<Option<JoinHandle<()>>>,
    pub(crate) threaded: bool,
    /// One rewrite or backup at a time.
    pub(crate) maintenance: Arc<Mutex<()>>,
    destroy_within_ms: i64,
    rewriter: Mutex<Option<Worker>>,
}

/// A store open for reading only: the state before damage, or all of it (`inspect`).
pub struct ReadOnly {
    shared: Arc<Shared>,
    damage: Option<Damage>,
    _lock: LockGuard,
}

impl std::fmt::Debug for ReadOnly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadOnly")
            .field("damage", &self.damage)
            .finish_non_exhaustive()
    }
}

impl ReadOnly {
    pub(crate) fn new(shared: Arc<Shared>, damage: Option<Damage>, lock: LockGuard) -> Self {
        ReadOnly {
            shared,
            damage,
            _lock: lock,
        }
    }

    /// The schema records are read with.
    pub fn schema(&self) -> &Schema {
        &self.shared.schema
    }

    /// The newest state, or the one before the damage.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.shared.clone())
    }

    /// The same state as a store that takes no commits, for those who ask a store. Keep this handle as long as that.
    pub fn as_store(&self, disk: Arc<dyn Disk>) -> Store {
        Store::without_committer(disk, self.shared.clone())
    }

    /// What indexes and columns take in memory, by type. All of them are made for it.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn table_memory(&self) -> Result<Vec<TableMemory>, ReadError> {
        for at in 0..self.shared.schema.types.len() {
            self.shared.tables.table(&self.shared, TypeIx(at as u32))?;
        }
        Ok(self.shared.tables.memory(&self.shared))
    }

    /// Where the log is damaged, if it is: the snapshot is the state before that place.
    pub fn damage(&self) -> Option<&Damage> {
        self.damage.as_ref()
    }
}

impl Store {
    /// Opens the store in `disk`, creating it if the directory is empty.
    pub fn open(
        disk: Arc<dyn Disk>,
        schema: &Schema,
        options: StoreOptions,
    ) -> Result<Opened, OpenError> {
        crate::open::open(disk, schema, &options)
    }

    pub(crate) fn start(
        disk: Arc<dyn Disk>,
        committer: Committer,
        options: &StoreOptions,
    ) -> Result<Self, OpenError> {
        let shared = committer.shared.clone();
        let (events, poisoned) = (committer.events.clone(), committer.poisoned.clone());
        let queue = Arc::new(Queue::default());
        let maintenance = Arc::new(Mutex::new(()));
        let rewriter = if options.committer_thread && options.background_rewrite {
            let (queue, maintenance) = (queue.clone(), maintenance.clone());
            let parts = (shared.clone(), disk.clone(), committer.lock.clone());
            let within_ms = options.destroy_within_ms;
            Some(
                start_rewriter(parts, queue, maintenance, within_ms).map_err(|source| {
                    IoFailure {
                        attempt: "starting the rewriting thread",
                        file: disk.place(),
                        source,
                    }
                })?,
            )
        } else {
            None
        };
        let mut committer = committer;
        if options.committer_thread {
            committer.sweeper = Sweeper::threaded();
        }
        let committer = Arc::new(Mutex::new(Some(committer)));
        let mut handle = None;
        if options.committer_thread {
            let (queue, committer) = (queue.clone(), committer.clone());
            let thread = std::thread::Builder::new().name("flin-committer".to_owned());
            let spawned = thread.spawn(move || serve(&committer, &queue));
            handle = Some(spawned.map_err(|source| IoFailure {
                attempt: "starting the committer thread",
                file: disk.place(),
                source,
            })?);
        }
        Ok(Store {
            inner: Arc::new(Inner {
                shared,
                disk,
                queue,
                events,
                poisoned,
                committer,
                thread: Mutex::new(handle),
                threaded: options.committer_thread,
                maintenance,
                destroy_within_ms: options.destroy_within_ms,
                rewriter: Mutex::new(rewriter),
            }),
        })
    }

    /// A store without a committer: everything can be read, and every commit is answered `Closed`.
    pub(crate) fn without_committer(disk: Arc<dyn Disk>, shared: Arc<Shared>) -> Self {
        let published = shared.state().published;
        let queue = Arc::new(Queue::default());
        queue.close();
        Store {
            inner: Arc::new(Inner {
                shared,
                disk,
                queue,
                events: Arc::new(Events::new(published)),
                poisoned: Arc::default(),
                committer: Arc::new(Mutex::new(None)),
                thread: Mutex::new(None),
                threaded: false,
                maintenance: Arc::new(Mutex::new(())),
                destroy_within_ms: 0,
                rewriter: Mutex::new(None),
            }),
        }
    }

    /// The schema the store was opened with.
    pub fn schema(&self) -> &Schema {
        &self.inner.shared.schema
    }

    /// The newest committed state.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.inner.shared.clone())
    }

    /// Newest transaction.
    pub fn head(&self) -> Lsn {
        self.inner.shared.state().published
    }

    /// What indexes and columns take in memory, by type. They are made at first need: what nobody asked for is not there.
    pub fn table_memory(&self) -> Vec<TableMemory> {
        self.inner.shared.tables.memory(&self.inner.shared)
    }

    /// Starts a transaction on the newest state.
    pub fn begin(&self) -> Transaction {
        Transaction::new(self.snapshot(), self.inner.disk.now_ms(), None)
    }

    /// Waits for the exclusive turn and starts a transaction: nobody else commits until it is committed or dropped, so
    /// it cannot clash. Must not be called from a commit callback, nor while this thread holds another such turn: it would
    /// wait for ever.
    pub fn begin_exclusive(&self) -> Transaction {
        let turn = self.inner.queue.exclusive();
        Transaction::new(self.snapshot(), self.inner.disk.now_ms(), Some(turn))
    }

    /// Commits. `on_done` is called exactly once, on the thread that commits (inline: before this returns), after the
    /// transaction is durable and visible, or was refused. It must be quick and must not commit.
    pub fn commit(
        &self,
        transaction: Transaction,
        request_id: Option<RequestId>,
        on_done: Box<dyn FnOnce(CommitOutcome) + Send>,
    ) {
        let parts = transaction.into_parts();
        // With a request id it may be the second run of one that wrote something: the committer knows.
        if parts.writes.is_empty() && request_id.is_none() {
            let lsn = parts.snapshot_lsn;
            drop(parts);
            on_done(CommitOutcome::read_only(lsn));
            return;
        }
        self.inner.submit([Job {
            parts,
            request_id,
            on_done,
        }]);
    }

    /// Commits and waits for the outcome.
    pub fn commit_wait(
        &self,
        transaction: Transaction,
        request_id: Option<RequestId>,
    ) -> CommitOutcome {
        self.commit_all(vec![(transaction, request_id)])
            .pop()
            .unwrap_or(CommitOutcome::Closed)
    }

    /// Commits several transactions, in one batch if nothing else is in the way, and waits for all outcomes. Each one
    /// stands or falls alone.
    pub fn commit_all(
        &self,
        transactions: Vec<(Transaction, Option<RequestId>)>,
    ) -> Vec<CommitOutcome> {
        let count = transactions.len();
        let (sender, receiver) = std::sync::mpsc::channel();
        let mut jobs = Vec::with_capacity(count);
        for (at, (transaction, request_id)) in transactions.into_iter().enumerate() {
            let sender = sender.clone();
            // The receiver lives until all answers are in, so sending cannot fail.
            let on_done = Box::new(move |outcome| drop(sender.send((at, outcome))));
            if transaction.is_read_only() {
                self.commit(transaction, request_id, on_done);
            } else {
                jobs.push(Job {
                    parts: transaction.into_parts(),
                    request_id,
                    on_done,
                });
            }
        }
        drop(sender);
        if !jobs.is_empty() {
            self.inner.submit_and_wait(jobs);
        }
        // A committer that ended by a bug has dropped its answers.
        let unknown = CommitOutcome::OutcomeUnknown {
            reason: Arc::from("the committer ended without an answer"),
        };
        let mut outcomes = vec![unknown; count];
        for (at, outcome) in receiver {
            outcomes[at] = outcome;
        }
        outcomes
    }

    /// Commits from now on, in LSN order. A subscriber that falls `EVENTS_QUEUED_MAX` behind is cut off (its receiver
    /// disconnects): it subscribes again and catches up with `events_since`.
    pub fn subscribe(&self) -> Receiver<Arc<CommitEvent>> {
        self.inner.events.subscribe()
    }

    /// Calls `callback` for every commit from now on, in LSN order, on the thread that commits, after the answer; as long
    /// as what it gives is held.
    pub fn on_commit(&self, callback: OnCommit) -> Hearing {
        self.inner.events.on_commit(callback)
    }

    /// The commits after `lsn`; `None` when they are not kept any more (or are from before this process).
    pub fn events_since(&self, lsn: Lsn) -> Option<Vec<Arc<CommitEvent>>> {
        self.inner.events.since(lsn)
    }

    /// What was told since opening that is no error (such as a checkpoint that could not be used).
    pub fn notes(&self) -> Vec<String> {
        self.inner.shared.notes.all()
    }

    /// Bytes of the log on the disk, what is made ready for it included.
    pub fn log_bytes(&self) -> u64 {
        let segments = self.inner.shared.state().segments.clone();
        let lengths = segments.iter().map(|segment| segment.file.len_bytes());
        // A file whose length cannot be asked for is told as empty: this is for those who watch.
        lengths.map(|bytes| bytes.unwrap_or(0)).sum()
    }

    /// What the index takes of memory.
    pub fn index_memory(&self) -> IndexMemory {
        self.inner.shared.state().index.memory()
    }

    /// Why the store takes no more writes, if a write or sync has failed. The process should exit and start again.
    pub fn poisoned(&self) -> Option<Arc<str>> {
        self.inner.poisoned.get().cloned()
    }

    /// Commits what waits, writes the closing mark and the manifest, lets go of the directory. Later commits are
    /// answered `Closed`; snapshots go on working. Closing twice is fine. In the thread that holds an exclusive turn it may
    /// wait for ever: commit or drop that transaction first.
    pub fn close(&self) -> Result<(), IoFailure> {
        self.inner.stop(true)
    }
}

impl Inner {
    /// Gives jobs to the committer; the answers come by callback.
    fn submit<J: IntoIterator<Item = Job>>(&self, jobs: J) {
        if !self.threaded {
            self.commit_here(jobs.into_iter().collect());
        } else if let Err(refused) = self.queue.push(jobs) {
            refuse(refused, &CommitOutcome::Closed);
        }
    }

    /// The same for a caller that waits for the answers: if nobody is at work, it commits in its own thread, and no
    /// other has to be woken.
    fn submit_and_wait(&self, jobs: Vec<Job>) {
        // Under an exclusive turn the worker takes only its job, wherever it stands.
        let token = jobs.iter().find_map(Job::token);
        if self.threaded && self.queue.try_enter(token) {
            work(&self.committer, &self.queue, jobs);
        } else {
            self.submit(jobs);
        }
    }

    fn commit_here(&self, jobs: Vec<Job>) {
        // Under an exclusive turn the worker takes only its job, wherever it stands.
        let token = jobs.iter().find_map(Job::token);
        if self.queue.enter(token) {
            work(&self.committer, &self.queue, jobs);
        } else {
            refuse(jobs, &CommitOutcome::Closed);
        }
    }

    /// Ends the committer. `clean`: with the closing mark, and told if that fails.
    fn stop(&self, clean: bool) -> Result<(), IoFailure> {
        self.queue.close();
        if self.queue.is_worker() {
            // Called in a commit callback, or the last handle went away in one: the committer ends when that is over.
            let source =
                std::io::Error::other("a commit callback cannot wait for the committer to end");
            let failure = IoFailure {
                attempt: "closing the store",
                file: self.disk.place(),
                source,
            };
            return if clean { Err(failure) } else { Ok(()) };
        }
        drop(locked(&self.rewriter).take());
        let thread = locked(&self.thread).take();
        match thread.map(JoinHandle::join) {
            Some(Err(panic)) if clean => resume_unwind(panic),
            Some(Ok(()) | Err(_)) | None => {}
        }
        self.queue.ended();
        let Some(mut committer) = locked(&self.committer).take().filter(|_| clean) else {
            return Ok(());
        };
        if !self.threaded && committer.poisoned.get().is_none() {
            rewrite_what_is_due(&mut committer, &self.disk, self.destroy_within_ms);
        }
        committer.close()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Nobody can be told about a failure here; `close` is the door for those who want to know. Without the
        // closing mark the log reads as after a crash: complete, only not vouched for.
        let _stopped = self.stop(false).is_ok();
    }
}

/// Answers jobs that are not committed.
fn refuse(jobs: impl IntoIterator<Item = Job>, outcome: &CommitOutcome) {
    jobs.into_iter()
        .for_each(|job| (job.on_done)(outcome.clone()));
}

/// The committer's thread.
fn serve(committer: &Mutex<Option<Committer>>, queue: &Queue) {
    let mut jobs = Vec::new();
    loop {
        match queue.next(&mut jobs) {
            Next::Jobs => at_work(committer, queue, |committer| {
                loop {
                    committer.commit(&mut jobs, &mut |most, into| queue.late(most, into));
                    if !queue.again(committer.patience(), &mut jobs) {
                        break;
                    }
                }
            }),
            Next::Errand(errand) => at_work(committer, queue, errand),
            Next::Idle => at_work(committer, queue, Committer::idle),
            Next::Closed => return,
        }
    }
}

/// Commits one batch, as the worker.
fn work(committer: &Mutex<Option<Committer>>, queue: &Queue, mut jobs: Vec<Job>) {
    at_work(committer, queue, |committer| {
        committer.commit(&mut jobs, &mut |most, into| queue.late(most, into));
    });
}

/// Does the worker's work and says that it is done. A panic is a bug of this crate: nothing more is written, nobody waits
/// for ever, and it goes on.
fn at_work(committer: &Mutex<Option<Committer>>, queue: &Queue, work: impl FnOnce(&mut Committer)) {
    let mut held = locked(committer);
    // Nobody takes the committer away while there is a worker.
    let Some(committer) = held.as_mut() else {
        drop(held);
        queue.done(None);
        return;
    };
    match catch_unwind(AssertUnwindSafe(|| work(committer))) {
        Ok(()) => {
            let idle_after = committer.idle_after();
            drop(held);
            queue.done(idle_after);
        }
        Err(panic) => {
            let panicked = || Arc::from("the committer panicked");
            let reason = committer.poisoned.get_or_init(panicked).clone();
            drop(held);
            queue.close();
            refuse(queue.drain(), &CommitOutcome::Poisoned { reason });
            resume_unwind(panic);
        }
    }
}

/// Takes the directory's lock.
pub(crate) fn lock(disk: &dyn Disk) -> Result<LockGuard, OpenError> {
    disk.lock().map_err(|error| match error {
        LockError::Held { holder } => OpenError::Locked {
            place: disk.place(),
            holder,
        },
        LockError::Io(source) => OpenError::Io(IoFailure {
            attempt: "locking the directory",
            file: disk.place(),
            source,
        }),
    })
}
