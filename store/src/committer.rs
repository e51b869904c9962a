//! The one place where transactions become durable: append, sync, publish, answer, notify, in this order.
//!
//! One committer exists per store, in its own thread or inside the caller's. What must stay true: nothing is visible or
//! answered before it is durable; after a failed write or sync, or a panic, nothing is ever written again by this process;
//! everybody whose transaction was taken gets an answer, after a panic too.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use crate::codec::catalog::encode_catalog;
use crate::codec::frame::{FRAME_HEADER_BYTES, FrameKind};
use crate::codec::record::{FieldNo, RecordHeader, RecordOp, TypeNo, put_record};
use crate::delta::{Delta, Newest};
use crate::disk::LockGuard;
use crate::error::IoFailure;
use crate::events::Events;
use crate::limits::{BATCH_BYTES_MAX, FRAME_BYTES_MAX};
use crate::log::recover::RequestIds;
use crate::log::roll::RollFailure;
use crate::log::writer::{AppendFailure, Before, LogWriter, frame_len};
use crate::outcome::{Change, ChangeOp, CommitEvent, CommitOutcome};
use crate::queue::{ExclusiveTurn, Job, OnDone};
use crate::rules::{PlannedWrite, plan};
use crate::shared::Shared;
use crate::value::{FieldValue, Lsn, Record};

/// An answer that waits for the sync of its batch.
struct Answer {
    outcome: CommitOutcome,
    on_done: OnDone,
    turn: Option<ExclusiveTurn>,
}

/// Takes transactions to the log.
pub(crate) struct Committer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) writer: LogWriter,
    pub(crate) request_ids: RequestIds,
    /// The catalog has something the log does not have yet; it is written before the next transaction.
    pub(crate) schema_pending: bool,
    pub(crate) poisoned: Arc<OnceLock<Arc<str>>>,
    pub(crate) events: Arc<Events>,
    delta: Delta,
    answers: Vec<Answer>,
    /// Last, so that the writer has let go of every file before the directory is free.
    _lock: LockGuard,
}

impl Committer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        writer: LogWriter,
        request_ids: RequestIds,
        schema_pending: bool,
        events: Arc<Events>,
        lock: LockGuard,
    ) -> Self {
        Committer {
            shared,
            writer,
            request_ids,
            schema_pending,
            poisoned: Arc::default(),
            events,
            delta: Delta::default(),
            answers: Vec::new(),
            _lock: lock,
        }
    }

    /// A new store gets its first segment at once, so that a directory that cannot be written is noticed at open.
    pub(crate) fn create_first(&mut self) -> Result<(), CommitOutcome> {
        if self.writer.before == Before::CreateFirst {
            self.make_room(0)?;
        }
        Ok(())
    }

    /// Commits a batch: one write and one sync, unless it is large or crosses a segment.
    pub(crate) fn commit(&mut self, jobs: Vec<Job>) {
        for Job {
            mut parts,
            request_id,
            on_done,
        } in jobs
        {
            let turn = parts.exclusive.take();
            let outcome = match self.poisoned.get() {
                Some(reason) => CommitOutcome::Poisoned {
                    reason: reason.clone(),
                },
                None => self.stage_caught(parts, request_id),
            };
            self.answers.push(Answer {
                outcome,
                on_done,
                turn,
            });
            if self.writer.buffer.len() >= BATCH_BYTES_MAX {
                self.finish_batch();
            }
        }
        self.finish_batch();
        if self.poisoned.get().is_none() {
            self.writer.prepare_next();
        }
    }

    /// `stage`; a panic in it is a bug of this crate that must not cost the answers of the batch: the store takes no more
    /// writes, this transaction is unknown, and so is everything staged before it.
    fn stage_caught(
        &mut self,
        parts: crate::transaction::TransactionParts,
        request_id: Option<crate::value::RequestId>,
    ) -> CommitOutcome {
        let staged = catch_unwind(AssertUnwindSafe(|| self.stage(parts, request_id)));
        match staged {
            Ok(outcome) => outcome.unwrap_or_else(|refused| refused),
            Err(panic) => CommitOutcome::OutcomeUnknown {
                reason: self.poison_by_panic(&*panic),
            },
        }
    }

    /// Checks one transaction and builds its frame into the batch.
    fn stage(
        &mut self,
        parts: crate::transaction::TransactionParts,
        request_id: Option<crate::value::RequestId>,
    ) -> Result<CommitOutcome, CommitOutcome> {
        let request_id = request_id.filter(|id| id.0 != [0; 16]);
        if let Some(lsn) = request_id.and_then(|id| self.request_ids.get(id)) {
            return Ok(CommitOutcome::Duplicate { lsn });
        }
        let writes = plan(
            &Newest {
                shared: &self.shared,
                delta: &self.delta,
            },
            parts,
        )?;
        self.stage_schema()?;
        let (mut lsn, mut time_ms) = (self.writer.next_lsn(), self.writer.next_time_ms());
        let (mut body, mut records) = encode(&self.shared, &writes, lsn, time_ms);
        if body.len() as u64 > FRAME_BYTES_MAX {
            return Err(CommitOutcome::TooLarge {
                bytes: body.len() as u64,
                limit: FRAME_BYTES_MAX,
            });
        }
        if self.make_room(frame_len(body.len()))? {
            (lsn, time_ms) = (self.writer.next_lsn(), self.writer.next_time_ms());
            (body, records) = encode(&self.shared, &writes, lsn, time_ms);
        }
        let (segment, offset) = self.writer.next_place();
        let pushed = self
            .writer
            .push(FrameKind::Data, 0, time_ms, request_id, &body);
        assert_eq!(pushed, lsn, "records carry the LSN of their frame");
        let body_at = offset + FRAME_HEADER_BYTES as u64;
        let mut changes = Vec::with_capacity(writes.len());
        for (write, (at, record)) in writes.iter().zip(records) {
            let place = Shared::place(segment, body_at + at);
            self.delta.apply(&self.shared, write, record.clone(), place);
            changes.push(change(&self.shared, write, record));
        }
        if let Some(id) = request_id {
            self.request_ids.remember(id, lsn);
        }
        let event = Arc::new(CommitEvent {
            lsn,
            time_ms,
            changes,
        });
        Ok(CommitOutcome::Committed { lsn, event })
    }

    /// Puts the schema frame before the first transaction that needs it.
    fn stage_schema(&mut self) -> Result<(), CommitOutcome> {
        if self.schema_pending {
            let body = encode_catalog(&self.shared.catalog);
            if body.len() as u64 > FRAME_BYTES_MAX {
                return Err(CommitOutcome::TooLarge {
                    bytes: body.len() as u64,
                    limit: FRAME_BYTES_MAX,
                });
            }
            self.make_room(frame_len(body.len()))?;
            let time_ms = self.writer.next_time_ms();
            self.writer.push(FrameKind::Schema, 0, time_ms, None, &body);
            self.schema_pending = false;
        }
        Ok(())
    }

    /// Makes sure that a frame fits. `true` when LSN and place have changed by it.
    fn make_room(&mut self, bytes: u64) -> Result<bool, CommitOutcome> {
        if self.writer.has_room(bytes) {
            return Ok(false);
        }
        self.finish_batch();
        if let Some(reason) = self.poisoned.get() {
            return Err(CommitOutcome::Poisoned {
                reason: reason.clone(),
            });
        }
        match self.writer.make_room(bytes) {
            Ok(segment) => {
                let mut state = self.shared.state_mut();
                let mut segments = (*state.segments).clone();
                segment
                    .into_iter()
                    .for_each(|segment| segments.push(segment));
                state.segments = Arc::new(segments);
                Ok(true)
            }
            Err(RollFailure::Full) => Err(CommitOutcome::StorageFull),
            Err(RollFailure::Refused(error)) => Err(CommitOutcome::CannotExtend {
                reason: error.to_string(),
            }),
            Err(RollFailure::Append(failure)) => Err(CommitOutcome::Poisoned {
                reason: self.poison(&failure),
            }),
        }
    }

    fn poison(&self, failure: &AppendFailure) -> Arc<str> {
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
        self.writer.buffer.clear();
        self.poisoned.get_or_init(|| Arc::from(reason)).clone()
    }

    /// Writes and syncs what is staged, publishes it, answers, notifies.
    fn finish_batch(&mut self) {
        let answers = std::mem::take(&mut self.answers);
        let delta = std::mem::take(&mut self.delta);
        if !self.writer.buffer.is_empty() && self.poisoned.get().is_none() {
            // Caught, because every answer of the batch is still to be given.
            let flushed = catch_unwind(AssertUnwindSafe(|| {
                self.writer
                    .flush()
                    .map(|()| delta.publish(&self.shared, &mut self.shared.state_mut()))
            }));
            match flushed {
                Ok(Ok(())) => {}
                Ok(Err(failure)) => {
                    self.poison(&failure);
                    self.writer.buffer.clear();
                }
                Err(panic) => {
                    self.poison_by_panic(&*panic);
                }
            }
        }
        let mut events = Vec::new();
        for Answer {
            outcome,
            on_done,
            turn,
        } in answers
        {
            let outcome = self.settle(outcome);
            if let CommitOutcome::Committed { event, .. } = &outcome {
                events.push(event.clone());
            }
            drop(turn);
            // A panic in foreign code is reported by its own panic hook; the log must go on.
            let _panicked = catch_unwind(AssertUnwindSafe(|| on_done(outcome))).is_err();
        }
        let _panicked = catch_unwind(AssertUnwindSafe(|| self.events.tell(&events))).is_err();
    }

    /// What is true now that the batch was synced and published, or was not.
    fn settle(&self, outcome: CommitOutcome) -> CommitOutcome {
        match (outcome, self.poisoned.get()) {
            (
                CommitOutcome::Committed { lsn, .. } | CommitOutcome::Duplicate { lsn },
                Some(reason),
            ) if lsn > self.shared.state().published => CommitOutcome::OutcomeUnknown {
                reason: reason.clone(),
            },
            (outcome, _) => outcome,
        }
    }

    /// Nothing came for a while: vouch for the last acknowledged frame.
    pub(crate) fn idle(&mut self) {
        if self.poisoned.get().is_none()
            && self.writer.push_mark(false)
            && let Err(failure) = self.writer.write_out()
        {
            self.poison(&failure);
        }
    }

    /// Whether `idle` would write a mark.
    pub(crate) fn wants_mark(&self) -> bool {
        self.poisoned.get().is_none() && self.writer.wants_mark()
    }

    /// The clean end: closing mark, sync, manifest. A poisoned store is left as it is.
    pub(crate) fn close(&mut self) -> Result<(), IoFailure> {
        if self.poisoned.get().is_some() {
            Ok(())
        } else {
            self.writer.close()
        }
    }
}

/// The body of a data frame, and each record with its offset in it.
fn encode(
    shared: &Shared,
    writes: &[PlannedWrite],
    lsn: Lsn,
    time_ms: i64,
) -> (Vec<u8>, Vec<(u64, Arc<Record>)>) {
    let mut body = Vec::new();
    let mut records = Vec::with_capacity(writes.len());
    for write in writes {
        let at = body.len() as u64;
        let created_at_ms = write
            .base
            .as_ref()
            .map_or(time_ms, |base| base.created_at_ms);
        let mapping = shared.mapping.type_mapping(write.ty);
        let header = RecordHeader {
            len: 0,
            ty: mapping.number,
            version: write.version,
            id: write.id,
            lsn,
            previous: write.previous,
            created_at_ms,
            updated_at_ms: time_ms,
            op: write.op,
            deleted: write.deleted,
            schema: shared.catalog.version,
            field_count: 0,
        };
        let stored = mapping.fields.iter().copied().zip(&write.fields);
        let mut stored: Vec<(FieldNo, &FieldValue)> =
            stored.filter(|(_, value)| !value.is_none()).collect();
        stored.sort_by_key(|(number, _)| *number);
        let type_number = |ty| {
            let TypeNo(number) = shared.mapping.number(ty);
            number
        };
        put_record(&mut body, &header, &stored, &type_number);
        let mut fields = write.fields.clone();
        let defs = &shared.schema.type_def(write.ty).fields;
        fields.resize(defs.len(), FieldValue::None);
        let widened = fields
            .into_iter()
            .zip(defs)
            .map(|(value, def)| def.ty.widen(value))
            .collect();
        let record = Record {
            ty: write.ty,
            id: write.id,
            version: write.version,
            created_at_ms,
            updated_at_ms: time_ms,
            deleted_at_ms: write.deleted.then_some(time_ms),
            fields: widened,
            lsn,
        };
        records.push((at, Arc::new(record)));
    }
    (body, records)
}

fn change(shared: &Shared, write: &PlannedWrite, record: Arc<Record>) -> Change {
    let op = match write.op {
        RecordOp::Create => ChangeOp::Create,
        RecordOp::Update => ChangeOp::Update,
        RecordOp::Delete => ChangeOp::Delete,
        RecordOp::Restore => ChangeOp::Restore,
        RecordOp::Destroy => ChangeOp::Destroy,
    };
    let type_name = shared.type_names[write.ty.0 as usize].clone();
    Change {
        ty: write.ty,
        type_name,
        id: write.id,
        op,
        version: write.version,
        record,
    }
}
