//! The one place where transactions become durable: append, sync, publish, answer, notify, in this order.
//!
//! One committer exists per store, in its own thread or inside the caller's. What must stay true: nothing is visible or
//! answered before it is durable; after a failed write or sync, or a panic, nothing is ever written again by this process;
//! everybody whose transaction was taken gets an answer, after a panic too.

use std::any::Any;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::apply::{Effect, effect};
use crate::certify::{Recent, RecordChange, Verdict, certify};
use crate::checkpoint::take::{Checkpointer, Occasion};
use crate::codec::catalog::encode_catalog;
use crate::codec::frame::FrameKind;
use crate::codec::record::{Place, RecordOp};
use crate::delta::{Delta, Newest};
use crate::disk::LockGuard;
use crate::error::IoFailure;
use crate::events::Events;
use crate::frame_body::{Encoded, change, encode, event_of, record_of};
use crate::limits::{
    BATCH_BYTES_MAX, BATCH_COMMITS_MAX, FRAME_BYTES_MAX, PATIENCE, RESERVE_UPDATE_BYTES_MAX,
};
use crate::log::commit_log::{AppendFailure, Batch, CommitLog, ExtendFailure, Position, Purpose};
use crate::log::recover::RequestIds;
use crate::log::writer::frame_len;
use crate::outcome::{CommitEvent, CommitOutcome};
use crate::queue::{ExclusiveTurn, Job, OnDone};
use crate::rules::{PlannedWrite, plan};
use crate::sabotage::{Sabotage, removed};
use crate::shared::Shared;
use crate::sweeper::{Rubbish, Sweeper};
use crate::times::TimeEntry;
use crate::transaction::TransactionParts;
use crate::value::{Lsn, Record, RequestId};

/// An answer that waits for the sync of its batch.
struct Answer {
    outcome: CommitOutcome,
    on_done: OnDone,
    turn: Option<ExclusiveTurn>,
}

/// What the batch before says about the one that is being built.
#[derive(Default)]
struct Previous {
    /// So many were answered together: they are likely to come back together.
    commits: usize,
    /// So long it is worth to wait for them: a small part of what another sync would take.
    patience: Duration,
}

/// Takes transactions to the log.
pub(crate) struct Committer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) log: Box<dyn CommitLog>,
    pub(crate) request_ids: RequestIds,
    /// The catalog has something the log does not have yet; it is written before the next transaction.
    pub(crate) schema_pending: bool,
    pub(crate) poisoned: Arc<OnceLock<Arc<str>>>,
    pub(crate) events: Arc<Events>,
    /// What later transactions are certified against; changes of the batch under construction included.
    recent: Recent,
    batch: Batch,
    delta: Delta,
    previous: Previous,
    /// Always empty; its memory is used again.
    effects: Vec<(Arc<Record>, Effect)>,
    answers: Vec<Answer>,
    /// Always empty between batches.
    told: Vec<Arc<CommitEvent>>,
    /// What nobody needs any more,
    rubbish: Rubbish,
    /// and who takes it away.
    pub(crate) sweeper: Sweeper,
    pub(crate) checkpoints: Checkpointer,
    /// Last, so that the log has let go of every file before the directory is free.
    pub(crate) lock: Arc<LockGuard>,
}

impl Committer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        log: Box<dyn CommitLog>,
        request_ids: RequestIds,
        schema_pending: bool,
        events: Arc<Events>,
        checkpoints: Checkpointer,
        lock: LockGuard,
    ) -> Self {
        let published = shared.state().published;
        Committer {
            shared,
            log,
            request_ids,
            schema_pending,
            poisoned: Arc::default(),
            events,
            recent: Recent::new(published),
            batch: Batch::default(),
            delta: Delta::default(),
            previous: Previous::default(),
            effects: Vec::new(),
            answers: Vec::new(),
            told: Vec::new(),
            rubbish: Rubbish::default(),
            sweeper: Sweeper::default(),
            checkpoints,
            lock: Arc::new(lock),
        }
    }

    /// A new store gets its first segment at once, so that a directory that cannot be written is noticed at open.
    pub(crate) fn create_first(&mut self) -> Result<(), CommitOutcome> {
        let no_segment = self.shared.state().segments.iter().next().is_none();
        if no_segment {
            self.make_room(0, Purpose::Growing)?;
        }
        Ok(())
    }

    /// Commits a batch: one write and one sync, unless it is large or crosses a segment. `late` gives what has come
    /// meanwhile, so many at most: while staging goes on, others that were just answered come back with their next
    /// transaction, and one sync more for them alone would be twice the time for all.
    pub(crate) fn commit(
        &mut self,
        jobs: &mut Vec<Job>,
        late: &mut dyn FnMut(usize, &mut Vec<Job>),
    ) {
        let mut staged = 0;
        let mut nothing_since = None;
        // Cloned once: who begins a transaction counts its handles as well, in another core's cache.
        let shared = self.shared.clone();
        loop {
            staged += jobs.len();
            jobs.drain(..).for_each(|job| self.take(&shared, job));
            if staged >= BATCH_COMMITS_MAX || self.stopped().is_some() {
                break;
            }
            late(BATCH_COMMITS_MAX - staged, jobs);
            if jobs.is_empty() {
                let since: &Instant = nothing_since.get_or_insert_with(Instant::now);
                if staged >= self.previous.commits || since.elapsed() >= self.previous.patience {
                    break;
                }
                std::thread::yield_now();
            }
        }
        self.previous.commits = staged;
        self.finish_batch();
        if self.stopped().is_none() {
            self.log.prepare();
            self.checkpoint(Occasion::Batch);
        }
    }

    /// How long it is worth to look for another batch before going to sleep: not at all for one who commits alone.
    pub(crate) fn patience(&self) -> Duration {
        if self.previous.commits > 1 {
            self.previous.patience
        } else {
            Duration::ZERO
        }
    }

    /// Stages a job, or says why not; its answer waits for the batch.
    fn take(&mut self, shared: &Arc<Shared>, job: Job) {
        let Job {
            mut parts,
            request_id,
            on_done,
        } = job;
        let turn = parts.exclusive.take();
        let outcome = match self.stopped() {
            Some(reason) => CommitOutcome::Poisoned {
                reason: reason.clone(),
            },
            None => self.stage_caught(shared, parts, request_id),
        };
        self.answers.push(Answer {
            outcome,
            on_done,
            turn,
        });
        if self.batch.bytes() >= BATCH_BYTES_MAX as u64 {
            self.finish_batch();
        }
    }

    /// `stage`; a panic in it is a bug of this crate that must not cost the answers of the batch: the store takes no more
    /// writes, this transaction is unknown, and so is everything staged before it.
    fn stage_caught(
        &mut self,
        shared: &Arc<Shared>,
        parts: TransactionParts,
        request_id: Option<RequestId>,
    ) -> CommitOutcome {
        let staged = catch_unwind(AssertUnwindSafe(|| self.stage(shared, parts, request_id)));
        match staged {
            Ok(outcome) => outcome.unwrap_or_else(|refused| refused),
            Err(panic) => CommitOutcome::OutcomeUnknown {
                reason: self.poison_by_panic(&*panic),
            },
        }
    }

    /// Certifies one transaction, checks the rules and builds its frame into the batch.
    fn stage(
        &mut self,
        shared: &Arc<Shared>,
        parts: TransactionParts,
        request_id: Option<RequestId>,
    ) -> Result<CommitOutcome, CommitOutcome> {
        let request_id = request_id.filter(|id| id.0 != [0; 16]);
        if let Some(id) = request_id
            && let Some(first) = self.request_ids.get(id)
        {
            return Ok(CommitOutcome::Duplicate {
                lsn: first.lsn,
                event: self.event_at(first, id).map_err(Arc::from),
            });
        }
        if parts.writes.is_empty() {
            return Ok(CommitOutcome::read_only(parts.snapshot_lsn));
        }
        let alone = removed(Sabotage::BatchAgainstItself);
        let key_of = |ty, field, value: &_| shared.unique_key(ty, field, value);
        match certify(&self.recent, parts.snapshot_lsn, &parts.reads, &key_of) {
            Verdict::Pass => {}
            Verdict::Changed | Verdict::TooOld if alone && !self.batch.is_empty() => {}
            Verdict::Changed | Verdict::TooOld => return Err(CommitOutcome::Clash),
        }
        let nothing = alone.then(Delta::default);
        let newest = Newest {
            shared,
            delta: nothing.as_ref().unwrap_or(&self.delta),
        };
        let writes = plan(&newest, parts)?;
        let purpose = purpose_of(&writes);
        self.stage_schema(purpose)?;
        let (position, encoded) = self.stage_frame(&writes, purpose, request_id)?;
        if let Some(id) = request_id {
            self.request_ids.remember(id, position);
        }
        let event = self.accept(position, writes, encoded);
        Ok(CommitOutcome::Committed {
            lsn: position.lsn,
            event,
        })
    }

    /// Puts the frame of a transaction into the batch. If the log has no room for it, what was staged before is
    /// committed first, and the frame gets its number and its place anew.
    fn stage_frame(
        &mut self,
        writes: &[PlannedWrite],
        mut purpose: Purpose,
        request_id: Option<RequestId>,
    ) -> Result<(Position, Vec<Encoded>), CommitOutcome> {
        let mut body_len = 0;
        for attempt in 0..2 {
            if attempt > 0 {
                self.make_room(frame_len(body_len), purpose)?;
            }
            let lsn = Lsn(self.log.head().lsn.0 + self.batch.len() as u64 + 1);
            let time_ms = self.log.next_time_ms().max(self.batch.time_ms());
            let before = self.batch.bytes();
            let shared = &self.shared;
            let write = |out: &mut Vec<u8>| encode(shared, writes, lsn, time_ms, out);
            let encoded = self
                .batch
                .push(FrameKind::Data, 0, time_ms, request_id, write);
            body_len = self.batch.newest_body_len();
            if body_len as u64 > FRAME_BYTES_MAX {
                self.batch.pop();
                return Err(CommitOutcome::TooLarge {
                    bytes: body_len as u64,
                    limit: FRAME_BYTES_MAX,
                });
            }
            if purpose == Purpose::Freeing && grows(writes, &encoded) {
                purpose = Purpose::Growing;
            }
            let allowed = if attempt == 0 {
                Purpose::Growing
            } else {
                purpose
            };
            if self.log.fits(self.batch.bytes(), allowed) {
                let place = self.log.place(before);
                return Ok((Position { lsn, place }, encoded));
            }
            self.batch.pop();
        }
        unreachable!("make_room() made room for a frame of {body_len} bytes");
    }

    /// A transaction is in the batch: those behind it see what it changed.
    fn accept(
        &mut self,
        position: Position,
        writes: Vec<PlannedWrite>,
        encoded: Vec<Encoded>,
    ) -> Arc<CommitEvent> {
        let Position { lsn, place } = position;
        let body_at = u64::from(self.log.place(self.batch.newest_body_at()).offset);
        let mut changes = Vec::with_capacity(writes.len());
        let mut effects = std::mem::take(&mut self.effects);
        let time_ms = self.batch.time_ms();
        for (mut write, Encoded { at, bytes }) in writes.into_iter().zip(encoded) {
            let record = record_of(&self.shared, &mut write, lsn, time_ms);
            self.checkpoints.ops.record(write.op);
            let place: Place = Shared::place(place.segment, body_at + at);
            effects.push((record.clone(), effect(&self.shared, &write, &record, place)));
            let before = write.base.clone();
            changes.push(change(&self.shared, write.op, record.clone(), before));
            let change = RecordChange {
                lsn,
                ty: write.ty,
                id: write.id,
                after: (!write.is_destroy()).then_some(record),
                before: write.base,
                bytes,
            };
            self.recent.push(change, &mut self.rubbish.changes);
        }
        let frame = TimeEntry {
            time_ms,
            lsn,
            place,
        };
        self.delta.add(frame, &mut effects);
        self.effects = effects;
        Arc::new(CommitEvent {
            lsn,
            time_ms,
            changes,
        })
    }

    /// What an earlier transaction changed: from the batch under construction, or read back from the log; or why it
    /// cannot be read any more.
    fn event_at(&self, position: Position, id: RequestId) -> Result<Arc<CommitEvent>, String> {
        for answer in &self.answers {
            if let CommitOutcome::Committed { lsn, event } = &answer.outcome
                && *lsn == position.lsn
            {
                return Ok(event.clone());
            }
        }
        let mut event = Err("its entry is not there".to_owned());
        let read = self.log.tail(position, &mut |entry| {
            let (lsn, time_ms) = (entry.position.lsn, entry.time_ms);
            if entry.kind == FrameKind::Data && entry.request_id == Some(id) {
                event = event_of(&self.shared, lsn, time_ms, entry.body).map_err(|error| {
                    format!("its entry does not decode: expected {}", error.expected)
                });
            }
            ControlFlow::Break(())
        });
        read.map_err(|failure| failure.to_string())?;
        event.map(Arc::new)
    }

    /// Writes the schema now, if the log does not have it yet.
    pub(crate) fn write_schema(&mut self) -> Result<(), CommitOutcome> {
        self.stage_schema(Purpose::Growing)?;
        self.finish_batch();
        match self.poisoned.get() {
            Some(reason) => Err(CommitOutcome::Poisoned {
                reason: reason.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Puts the schema frame before the first transaction that needs it.
    fn stage_schema(&mut self, purpose: Purpose) -> Result<(), CommitOutcome> {
        if self.schema_pending {
            let body = encode_catalog(&self.shared.catalog);
            if body.len() as u64 > FRAME_BYTES_MAX {
                return Err(CommitOutcome::TooLarge {
                    bytes: body.len() as u64,
                    limit: FRAME_BYTES_MAX,
                });
            }
            self.make_room(frame_len(body.len()), purpose)?;
            let time_ms = self.log.next_time_ms().max(self.batch.time_ms());
            let write = |out: &mut Vec<u8>| out.extend_from_slice(&body);
            self.batch.push(FrameKind::Schema, 0, time_ms, None, write);
            self.schema_pending = false;
        }
        Ok(())
    }

    /// Makes sure that a frame of so many bytes fits behind the batch. What was staged may have been committed by it.
    fn make_room(&mut self, bytes: u64, purpose: Purpose) -> Result<(), CommitOutcome> {
        if self.log.fits(self.batch.bytes() + bytes, Purpose::Growing) {
            return Ok(());
        }
        self.finish_batch();
        self.extend(bytes, purpose)
    }

    /// Puts the names of segments right after an interrupted roll and, if `end`, ends the active segment: for a rewrite,
    /// between two batches. Answers from which transaction on request ids are remembered.
    pub(crate) fn tidy_segments(&mut self, end: bool) -> Result<Lsn, CommitOutcome> {
        self.settle_checkpoints();
        if end {
            self.extend(0, Purpose::Ending)?;
        } else if !self.log.fits(0, Purpose::Freeing) {
            self.extend(0, Purpose::Freeing)?;
        }
        match self.poisoned.get() {
            None => Ok(self.request_ids.oldest()),
            Some(reason) => Err(CommitOutcome::Poisoned {
                reason: reason.clone(),
            }),
        }
    }

    /// Starts a new segment, or goes on with the one that was being started.
    fn extend(&mut self, bytes: u64, purpose: Purpose) -> Result<(), CommitOutcome> {
        if let Some(reason) = self.stopped() {
            return Err(CommitOutcome::Poisoned {
                reason: reason.clone(),
            });
        }
        match self.log.extend(bytes, purpose) {
            Ok(segment) => {
                let mut state = self.shared.state_mut();
                let mut segments = (*state.segments).clone();
                segment
                    .into_iter()
                    .for_each(|segment| segments.push(segment));
                state.segments = Arc::new(segments);
                Ok(())
            }
            Err(ExtendFailure::Full | ExtendFailure::Refused(_))
                if self.log.fits(bytes, purpose) =>
            {
                Ok(())
            }
            Err(ExtendFailure::Full) => Err(CommitOutcome::StorageFull),
            Err(ExtendFailure::Refused(error)) => Err(CommitOutcome::CannotExtend {
                reason: error.to_string(),
            }),
            Err(ExtendFailure::Append(failure)) => Err(CommitOutcome::Poisoned {
                reason: self.poison(&failure),
            }),
        }
    }

    /// Why nothing may be written any more.
    fn stopped(&self) -> Option<&Arc<str>> {
        self.poisoned.get().filter(|_| !removed(Sabotage::Poison))
    }

    pub(crate) fn poison(&self, failure: &AppendFailure) -> Arc<str> {
        let reason = Arc::from(format!("{} failed: {}", failure.attempt, failure.error));
        self.poisoned.get_or_init(|| reason).clone()
    }

    /// The panic itself was reported by its hook; its words go into the reason, and so into every log of an answer.
    fn poison_by_panic(&mut self, panic: &(dyn Any + Send)) -> Arc<str> {
        let said = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        let reason = format!(
            "the committer panicked: {}",
            said.unwrap_or("without words")
        );
        self.batch.clear();
        self.poisoned.get_or_init(|| Arc::from(reason)).clone()
    }

    /// Writes and syncs what is staged, publishes it, answers, notifies.
    fn finish_batch(&mut self) {
        let published = self.shared.state().published;
        let mut answers = std::mem::take(&mut self.answers);
        self.sweeper.take(&mut self.rubbish);
        if !self.batch.is_empty() && self.stopped().is_none() {
            // Caught, because every answer of the batch is still to be given.
            let flushed = catch_unwind(AssertUnwindSafe(|| {
                if removed(Sabotage::PublishAfterSync) {
                    self.delta.publish(&self.shared);
                    return self.log.append(&mut self.batch).map(drop);
                }
                let start = Instant::now();
                let appended = self.log.append(&mut self.batch);
                self.previous.patience = start.elapsed() / PATIENCE;
                appended.map(|_| self.delta.publish(&self.shared))
            }));
            match flushed {
                Ok(Ok(())) => {}
                Ok(Err(failure)) => {
                    self.poison(&failure);
                    self.batch.clear();
                }
                Err(panic) => {
                    self.poison_by_panic(&*panic);
                }
            }
        }
        let mut told = std::mem::take(&mut self.told);
        for Answer {
            outcome,
            on_done,
            turn,
        } in answers.drain(..)
        {
            let outcome = self.settle(outcome);
            if let CommitOutcome::Committed { lsn, event } = &outcome
                && *lsn > published
            {
                told.push(event.clone());
            }
            drop(turn);
            // A panic in foreign code is reported by its own panic hook; the log must go on.
            let _panicked = catch_unwind(AssertUnwindSafe(|| on_done(outcome))).is_err();
        }
        self.delta.clear();
        let rubbish = &mut self.rubbish.events;
        let tell = AssertUnwindSafe(|| self.events.tell(&told, rubbish));
        let _panicked = catch_unwind(tell).is_err();
        told.clear();
        (self.answers, self.told) = (answers, told);
    }

    /// What is true now that the batch was synced and published, or was not.
    fn settle(&self, outcome: CommitOutcome) -> CommitOutcome {
        match (outcome, self.poisoned.get()) {
            (
                CommitOutcome::Committed { lsn, .. } | CommitOutcome::Duplicate { lsn, .. },
                Some(reason),
            ) if lsn > self.shared.state().published => CommitOutcome::OutcomeUnknown {
                reason: reason.clone(),
            },
            (outcome, _) => outcome,
        }
    }

    /// Nothing came for a while: vouch for the last acknowledged frame.
    pub(crate) fn idle(&mut self) {
        // Before the mark, which is not durable at once.
        self.checkpoint(Occasion::Idle);
        if self.poisoned.get().is_none()
            && let Err(failure) = self.log.mark()
        {
            self.poison(&failure);
        }
    }

    /// Whether `idle` would write a mark.
    pub(crate) fn wants_mark(&self) -> bool {
        self.poisoned.get().is_none() && self.log.wants_mark()
    }

    /// The clean end: closing mark, sync, manifest. A poisoned store is left as it is.
    pub(crate) fn close(&mut self) -> Result<(), IoFailure> {
        if self.poisoned.get().is_some() {
            Ok(())
        } else {
            self.log.close()?;
            self.checkpoint(Occasion::Close);
            Ok(())
        }
    }
}

/// What deletes and creates nothing may use the room that is kept for it.
fn purpose_of(writes: &[PlannedWrite]) -> Purpose {
    let mut purpose = Purpose::Growing;
    for write in writes {
        match write.op {
            RecordOp::Create | RecordOp::Restore => return Purpose::Growing,
            RecordOp::Delete | RecordOp::Destroy => purpose = Purpose::Freeing,
            RecordOp::Update => {}
        }
    }
    purpose
}

/// Whether the updates are too large to go along with the deletions. Those that only let go of values and links do not
/// count: deleting brings them about.
fn grows(writes: &[PlannedWrite], encoded: &[Encoded]) -> bool {
    let (mut deletions, mut bytes) = (0, 0);
    for (write, encoded) in writes.iter().zip(encoded) {
        match write.op {
            RecordOp::Create | RecordOp::Restore => return true,
            RecordOp::Delete | RecordOp::Destroy => deletions += 1,
            RecordOp::Update if write.lets_go() => {}
            RecordOp::Update => bytes += encoded.bytes as u64,
        }
    }
    bytes > deletions * RESERVE_UPDATE_BYTES_MAX
}
