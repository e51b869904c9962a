//! The VM's `Host` over one store transaction: entity operations, time limit, output kept back until the commit.
//! Here because this is where program values become records. Must stay true: what only the store can know (unique,
//! references) is answered at `save`, with the right field and rule, so that a program can catch it there; the committer
//! checks it again. A read-only door refuses every write.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use flin_store::{
    CommitOutcome, Deleted, EntityId, FieldIx, FieldValue, Lsn, ReadError, Record, Snapshot, Store,
    Transaction, TxError,
};
use flin_vm::bytecode::QueryColumn;
use flin_vm::bytecode::ids::EntityTypeId;
use flin_vm::bytecode::module::Module;
use flin_vm::{
    Consequences, Counts, Host, HostError, HostPast, HostQuery, HostRecord, HostResponse,
    HostTotal, HostValue, HttpMethod, HttpProblem, HttpRequest, LogLevel, Moment, ScanMode, Slice,
    TotalAnswer,
};

use crate::memory::Share;
use crate::run::constraint_sentence;
use crate::schema::TypeMap;
use crate::turns::Turn;
use crate::usage::Spending;
use crate::world::{ANSWERS_BYTES_MAX, Kept, Said, Seen, World};

/// Most time that another server has for its answer.
const HTTP_TIME_MAX: Duration = Duration::from_secs(30);

/// One run of a request: its transaction and what it may do.
pub(crate) struct StoreHost<'a> {
    pub(crate) module: &'a Module,
    pub(crate) types: &'a TypeMap,
    pub(crate) tx: &'a mut Transaction,
    pub(crate) world: &'a dyn World,
    pub(crate) seen: &'a mut Seen,
    pub(crate) read_only: bool,
    /// What records of the past are sealed with.
    pub(crate) page_key: flin_vm::wire::Key,
    pub(crate) deadline: Option<Instant>,
    /// Set when nobody waits for any run any more.
    pub(crate) cut_off: Option<&'a AtomicBool>,
    /// Leave to compute, where requests do it in turns.
    pub(crate) turn: Option<Turn<'a>>,
    /// Output goes out at once (scripts), not after the commit.
    pub(crate) speaks_at_once: bool,
    /// Where each statement of a script or test is committed at its end; none where all is one transaction.
    pub(crate) commits_statements: Option<&'a Store>,
    pub(crate) said: Kept,
    /// An earlier state was looked at. Such looks are not in the read set.
    pub(crate) looked_back: bool,
    pub(crate) operations: Operations,
    pub(crate) memory: Share<'a>,
    pub(crate) spending: Spending,
    /// What its machine counted.
    pub(crate) counts: Counts,
}

/// How many entity operations a run made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    /// Records read, one by one or in scans.
    pub reads: u64,
    /// Records created, changed, deleted, restored.
    pub writes: u64,
}

impl StoreHost<'_> {
    /// A live record.
    pub(crate) fn live_record(
        &mut self,
        ty: EntityTypeId,
        id: i64,
    ) -> Result<Option<HostRecord>, HostError> {
        Ok(self
            .entity_get(ty, id)?
            .filter(|record| record.deleted_at.is_none()))
    }

    pub(crate) fn record(&self, ty: EntityTypeId, record: &Record) -> HostRecord {
        HostRecord {
            ty,
            id: record.id.0 as i64,
            version: i64::from(record.version),
            created_at: record.created_at_ms,
            updated_at: record.updated_at_ms,
            deleted_at: record.deleted_at_ms,
            fields: self.types.to_host_fields(self.module, ty, &record.fields),
            past: None,
        }
    }

    // A time that is not before this request is now: own writes are seen, which have no time of their own yet.
    pub(crate) fn then(&mut self, when: Moment) -> Option<Snapshot> {
        self.looked_back = true;
        match when {
            Moment::Time(ms) => {
                let now = self.tx.started_ms().min(self.now_ms());
                (ms < now).then(|| self.tx.snapshot().at_time(ms))
            }
            Moment::Commit(0) => None,
            Moment::Commit(number) => {
                let lsn = Lsn(u64::try_from(number).unwrap_or_default());
                Some(self.tx.snapshot().at_lsn(lsn))
            }
        }
    }

    // The record as it was, with the time of the version after it.
    pub(crate) fn past(
        &mut self,
        ty: EntityTypeId,
        found: &Record,
        as_of: Moment,
    ) -> Result<HostRecord, HostError> {
        let ix = self.types.store_type(ty);
        let newest = self.tx.get_any(ix, found.id).map_err(storage)?;
        let valid_to = match newest {
            Some(newest) if newest.version > found.version + 1 => {
                let versions = self.tx.history(ix, found.id).map_err(storage)?;
                let mut later = versions.iter();
                let next = later.find(|version| version.version == found.version + 1);
                next.map(|version| version.updated_at_ms)
            }
            Some(newest) if newest.version > found.version => Some(newest.updated_at_ms),
            Some(_) | None => None,
        };
        let past = Some(HostPast { as_of, valid_to });
        Ok(HostRecord {
            past,
            ..self.record(ty, found)
        })
    }

    /// One version of a record by its number, as of a time; by 0 the one that was current then.
    pub(crate) fn version(
        &mut self,
        ty: EntityTypeId,
        id: i64,
        (version, as_of): (i64, Moment),
    ) -> Result<Option<HostRecord>, HostError> {
        if version == 0 {
            return self.entity_get_at(ty, id, as_of);
        }
        let mut versions = self.entity_history(ty, id)?.into_iter();
        let found = versions.find(|found| found.version == version);
        Ok(found.map(|mut record| {
            if let Some(past) = &mut record.past {
                past.as_of = as_of;
            }
            record
        }))
    }

    /// Whether the newest data is all that this run saw, and it said nothing: running it again would give the same until a
    /// commit touches what it read.
    pub(crate) fn saw_data_only(&self) -> bool {
        self.seen.is_nothing() && !self.looked_back && self.said.is_empty()
    }

    fn write(&mut self) -> Result<(), HostError> {
        if self.read_only {
            return Err(HostError::ReadOnly);
        }
        self.operations.writes += 1;
        Ok(())
    }

    fn id(&self, ty: EntityTypeId, id: i64) -> Result<EntityId, HostError> {
        match u64::try_from(id) {
            Ok(id) if id > 0 => Ok(EntityId(id)),
            _ => Err(self.missing(ty, id)),
        }
    }

    fn missing(&self, ty: EntityTypeId, id: i64) -> HostError {
        HostError::NotFound {
            entity: self.types.name(ty).to_owned(),
            id,
        }
    }

    fn refused(&mut self, ty: EntityTypeId, id: i64, error: TxError) -> HostError {
        let entity = self.types.name(ty).to_owned();
        match error {
            TxError::NotFound { .. } => match self.entity_get(ty, id) {
                Ok(Some(_)) => HostError::Deleted { entity, id },
                Ok(None) => HostError::NotFound { entity, id },
                Err(error) => error,
            },
            TxError::NotDeleted { .. } => HostError::NotDeleted { entity, id },
            TxError::Read(_)
            | TxError::WrongType { .. }
            | TxError::WrongFieldCount { .. }
            | TxError::TooDeep { .. }
            | TxError::NumbersUsedUp { .. }
            | TxError::NumberTaken { .. } => HostError::Storage(error.to_string()),
        }
    }

    fn store_fields(
        &mut self,
        ty: EntityTypeId,
        fields: &[HostValue],
    ) -> Result<Vec<FieldValue>, HostError> {
        let converted = self.types.to_store_fields(self.module, ty, fields);
        converted.map_err(|refused| {
            let field = self.field_of_unstorable(ty, fields);
            HostError::Constraint {
                entity: self.types.name(ty).to_owned(),
                rule: "reference".to_owned(),
                message: format!("{field} holds {}, which cannot be saved", refused.what),
                field,
            }
        })
    }

    fn field_of_unstorable(&self, ty: EntityTypeId, fields: &[HostValue]) -> String {
        let declared = &self.module.entities[ty.index()].fields;
        for (at, field) in declared.iter().enumerate() {
            let mut alone = vec![HostValue::None; fields.len()];
            alone[at] = fields[at].clone();
            if self.types.to_store_fields(self.module, ty, &alone).is_err() {
                return field.name.clone();
            }
        }
        String::new()
    }

    // What goes with a record that is deleted, done here so that the request sees it, or the refusal stands at the
    // `delete`. The committer applies the same rules to what others commit meanwhile.
    fn apply_on_delete(
        &mut self,
        ty: EntityTypeId,
        id: EntityId,
    ) -> Result<Consequences, HostError> {
        let ix = self.types.store_type(ty);
        if self.tx.get(ix, id).map_err(storage)?.is_none() {
            return Ok(Consequences::default());
        }
        let with_it = self.tx.consequences(ix, id).map_err(storage)?;
        let with_it = with_it.map_err(|error| HostError::Constraint {
            message: constraint_sentence(&error),
            rule: error.rule.name().to_owned(),
            entity: error.entity,
            field: error.field,
        })?;
        let mut others = Consequences::default();
        for (ty, id) in with_it.deleted {
            self.operations.writes += 1;
            self.tx.delete(ty, id).map_err(refused_write)?;
            let known = self.types.program_type(ty);
            others.deleted.extend(known.map(|ty| (ty, id.0 as i64)));
        }
        for (ty, id, fields) in with_it.unlinked {
            self.operations.writes += 1;
            self.tx.update(ty, id, fields).map_err(refused_write)?;
            let known = self.types.program_type(ty);
            others.unlinked.extend(known.map(|ty| (ty, id.0 as i64)));
        }
        Ok(others)
    }

    // What the committer will check again, answered here so that the error stands at the `save`.
    fn check_rules(
        &mut self,
        ty: EntityTypeId,
        own: Option<EntityId>,
        fields: &[FieldValue],
    ) -> Result<(), HostError> {
        let module = self.module;
        let types = self.types;
        let ix = types.store_type(ty);
        for (at, field) in module.entities[ty.index()].fields.iter().enumerate() {
            let position = types.store_field(ty, at);
            let value = &fields[position];
            let constraint = |rule: &str, message: String| HostError::Constraint {
                entity: types.name(ty).to_owned(),
                field: field.name.clone(),
                rule: rule.to_owned(),
                message,
            };
            if field.unique && !value.is_none() {
                let holder = self.tx.find_unique(ix, FieldIx(position as u32), value);
                let holder = holder.map_err(storage)?;
                if holder.is_some_and(|holder| Some(holder.id) != own) {
                    return Err(constraint(
                        "unique",
                        format!("{} is already taken", field.name),
                    ));
                }
            }
            let mut targets = Vec::new();
            value.each_ref(&mut |target, id| targets.push((target, id)));
            for (target, id) in targets {
                if self.tx.get(target, id).map_err(storage)?.is_none() {
                    let message = format!("{} links to a record that does not exist", field.name);
                    return Err(constraint("reference", message));
                }
            }
        }
        Ok(())
    }

    fn reread(&mut self, ty: EntityTypeId, id: EntityId) -> Result<HostRecord, HostError> {
        let found = self.tx.get_any(self.types.store_type(ty), id);
        match found.map_err(storage)? {
            Some(record) => Ok(self.record(ty, &record)),
            None => Err(self.missing(ty, id.0 as i64)),
        }
    }
}

pub(crate) fn storage(error: ReadError) -> HostError {
    HostError::Storage(error.to_string())
}

fn refused_write(error: TxError) -> HostError {
    HostError::Storage(error.to_string())
}

pub(crate) fn shown(mode: ScanMode) -> Deleted {
    match mode {
        ScanMode::Live => Deleted::Hide,
        ScanMode::Deleted => Deleted::Only,
        ScanMode::All => Deleted::Include,
    }
}

impl Host for StoreHost<'_> {
    fn slice(&mut self, _fuel_used: u64, memory_bytes: usize) -> Slice {
        let mut now = Instant::now();
        self.spending.until(now);
        if self.cut_off.is_some_and(|cut| cut.load(Ordering::Relaxed)) {
            return Slice::Stop;
        }
        if !self.memory.hold(memory_bytes) {
            return Slice::Stop;
        }
        if let Some(turn) = &mut self.turn
            && turn.slice(now, memory_bytes, self.deadline)
        {
            now = Instant::now();
            self.spending.slept_until(now);
        }
        match self.deadline {
            Some(deadline) if now >= deadline => Slice::Stop,
            Some(_) | None => Slice::Go,
        }
    }

    fn wants_place(&mut self) -> bool {
        self.spending.is_due()
    }

    fn is_at(&mut self, line: u32) {
        self.spending.at(line);
    }

    fn print(&mut self, text: &str) {
        if self.speaks_at_once {
            self.world.print(text);
        } else {
            self.said.push(Said::Printed(text.to_owned()));
        }
    }

    fn log(&mut self, level: LogLevel, text: &str) {
        if self.speaks_at_once {
            self.world.log(level, text);
        } else {
            self.said.push(Said::Logged(level, text.to_owned()));
        }
    }

    fn statement_end(&mut self) -> Result<(), HostError> {
        let Some(store) = self.commits_statements else {
            return Ok(());
        };
        let done = std::mem::replace(self.tx, store.begin());
        if done.is_read_only() {
            return Ok(());
        }
        match store.commit_wait(done, None) {
            CommitOutcome::Committed { .. } | CommitOutcome::Duplicate { .. } => {
                *self.tx = store.begin();
                Ok(())
            }
            CommitOutcome::Clash => Err(HostError::Conflict),
            CommitOutcome::Constraint(error) => Err(HostError::Constraint {
                message: constraint_sentence(&error),
                rule: error.rule.name().to_owned(),
                entity: error.entity,
                field: error.field,
            }),
            outcome @ (CommitOutcome::StorageFull
            | CommitOutcome::CannotExtend { .. }
            | CommitOutcome::TooLarge { .. }
            | CommitOutcome::Unreadable(_)
            | CommitOutcome::OutcomeUnknown { .. }
            | CommitOutcome::Poisoned { .. }
            | CommitOutcome::Closed) => Err(HostError::Storage(outcome.to_string())),
        }
    }

    fn now_ms(&mut self) -> i64 {
        self.seen.now_ms(self.world)
    }

    fn random(&mut self, bytes: &mut [u8]) {
        self.seen.random(self.world, bytes);
    }

    fn env(&mut self, name: &str) -> Option<String> {
        self.seen.env(self.world, name)
    }

    fn http(&mut self, request: &HttpRequest) -> Result<HostResponse, HttpProblem> {
        if self.read_only && request.method != HttpMethod::Get {
            return Err(HttpProblem::ReadOnly);
        }
        if let Some(known) = self.seen.answer(request) {
            return known;
        }
        if self.seen.is_full() {
            let most = ANSWERS_BYTES_MAX >> 20;
            let message = format!(
                "the answers that one request gets from other servers have more than {most} MiB"
            );
            return Err(HttpProblem::Network(message));
        }
        let within = match self.deadline {
            Some(deadline) => deadline.saturating_duration_since(Instant::now()),
            None => HTTP_TIME_MAX,
        };
        let world = self.world;
        let ask = || world.http(request, within.min(HTTP_TIME_MAX));
        let answer = match &mut self.turn {
            Some(turn) => {
                let answer = turn.outside(ask);
                answer.unwrap_or_else(|stays| Err(HttpProblem::Network(stays.to_string())))
            }
            None => ask(),
        };
        self.seen.keep(request, &answer);
        answer
    }

    fn entity_get(&mut self, ty: EntityTypeId, id: i64) -> Result<Option<HostRecord>, HostError> {
        self.operations.reads += 1;
        let Ok(known) = self.id(ty, id) else {
            return Ok(None);
        };
        let found = self.tx.get_any(self.types.store_type(ty), known);
        let found = found.map_err(storage)?;
        Ok(found.map(|record| self.record(ty, &record)))
    }

    fn entity_scan(
        &mut self,
        ty: EntityTypeId,
        mode: ScanMode,
    ) -> Result<Vec<HostRecord>, HostError> {
        let found = self.tx.scan(self.types.store_type(ty), shown(mode));
        let found: Result<Vec<_>, _> = found.collect();
        let found = found.map_err(storage)?;
        self.operations.reads += found.len() as u64;
        Ok(found.iter().map(|record| self.record(ty, record)).collect())
    }

    fn entity_history(&mut self, ty: EntityTypeId, id: i64) -> Result<Vec<HostRecord>, HostError> {
        let Ok(known) = self.id(ty, id) else {
            return Ok(Vec::new());
        };
        self.looked_back = true;
        let versions = self.tx.history(self.types.store_type(ty), known);
        let versions = versions.map_err(storage)?;
        self.operations.reads += versions.len() as u64;
        let ends = versions.iter().skip(1).map(|next| Some(next.updated_at_ms));
        let ends: Vec<Option<i64>> = ends.chain([None]).collect();
        let with_end = versions.iter().zip(ends);
        let version = |(version, valid_to): (&Record, Option<i64>)| HostRecord {
            past: Some(HostPast {
                as_of: Moment::Commit(version.lsn.0 as i64),
                valid_to,
            }),
            ..self.record(ty, version)
        };
        Ok(with_end.map(version).collect())
    }

    fn entity_get_at(
        &mut self,
        ty: EntityTypeId,
        id: i64,
        when: Moment,
    ) -> Result<Option<HostRecord>, HostError> {
        self.operations.reads += 1;
        let Ok(known) = self.id(ty, id) else {
            return Ok(None);
        };
        let ix = self.types.store_type(ty);
        if self.tx.destroys(ix, known) {
            return Ok(None);
        }
        let found = match self.then(when) {
            Some(then) => then.get_any(ix, known),
            None => self.tx.get_any(ix, known),
        };
        match found.map_err(storage)? {
            Some(record) => self.past(ty, &record, when).map(Some),
            None => Ok(None),
        }
    }

    fn entity_scan_at(
        &mut self,
        ty: EntityTypeId,
        mode: ScanMode,
        when: Moment,
    ) -> Result<Vec<HostRecord>, HostError> {
        let (ix, deleted) = (self.types.store_type(ty), shown(mode));
        let found: Result<Vec<_>, _> = match self.then(when) {
            Some(then) => then.scan(ix, deleted).collect(),
            None => self.tx.scan(ix, deleted).collect(),
        };
        let found = found.map_err(storage)?;
        self.operations.reads += found.len() as u64;
        let mut records = Vec::with_capacity(found.len());
        for record in found {
            if !self.tx.destroys(ix, record.id) {
                records.push(self.past(ty, &record, when)?);
            }
        }
        Ok(records)
    }

    fn entity_select(&mut self, query: &HostQuery) -> Result<Vec<HostRecord>, HostError> {
        self.select(query)
    }

    fn entity_count_where(&mut self, query: &HostQuery) -> Result<u64, HostError> {
        self.count_where(query)
    }

    fn entity_total(
        &mut self,
        query: &HostQuery,
        column: QueryColumn,
        total: HostTotal,
    ) -> Result<TotalAnswer, HostError> {
        self.total(query, column, total)
    }

    fn entity_explain(&mut self, query: &HostQuery) -> Result<String, HostError> {
        self.explain(query)
    }

    fn entity_may_hold_none(
        &mut self,
        ty: EntityTypeId,
        field: u32,
        as_of: Option<Moment>,
    ) -> Result<bool, HostError> {
        match as_of {
            Some(_) => Ok(true),
            None => self.may_hold_none(ty, field),
        }
    }

    fn entity_count(&mut self, ty: EntityTypeId) -> Result<i64, HostError> {
        self.operations.reads += 1;
        let count = self.tx.count(self.types.store_type(ty));
        count.map(|count| count as i64).map_err(storage)
    }

    fn entity_insert(
        &mut self,
        ty: EntityTypeId,
        fields: Vec<HostValue>,
    ) -> Result<HostRecord, HostError> {
        self.write()?;
        let fields = self.store_fields(ty, &fields)?;
        self.check_rules(ty, None, &fields)?;
        let id = self.tx.insert(self.types.store_type(ty), fields);
        let id = id.map_err(|error| self.refused(ty, 0, error))?;
        self.reread(ty, id)
    }

    fn entity_update(
        &mut self,
        ty: EntityTypeId,
        id: i64,
        fields: Vec<HostValue>,
    ) -> Result<HostRecord, HostError> {
        self.write()?;
        let known = self.id(ty, id)?;
        // That it is deleted is said before what is wrong with it.
        let found = self.tx.get_any(self.types.store_type(ty), known);
        if found
            .map_err(storage)?
            .is_some_and(|found| found.is_deleted())
        {
            let entity = self.types.name(ty).to_owned();
            return Err(HostError::Deleted { entity, id });
        }
        let fields = self.store_fields(ty, &fields)?;
        self.check_rules(ty, Some(known), &fields)?;
        let updated = self.tx.update(self.types.store_type(ty), known, fields);
        updated.map_err(|error| self.refused(ty, id, error))?;
        self.reread(ty, known)
    }

    fn entity_delete(
        &mut self,
        ty: EntityTypeId,
        id: i64,
    ) -> Result<(HostRecord, Consequences), HostError> {
        self.write()?;
        let known = self.id(ty, id)?;
        let others = self.apply_on_delete(ty, known)?;
        let deleted = self.tx.delete(self.types.store_type(ty), known);
        deleted.map_err(|error| self.refused(ty, id, error))?;
        Ok((self.reread(ty, known)?, others))
    }

    fn entity_restore(&mut self, ty: EntityTypeId, id: i64) -> Result<HostRecord, HostError> {
        self.write()?;
        let known = self.id(ty, id)?;
        let ix = self.types.store_type(ty);
        let found = self.tx.get_any(ix, known).map_err(storage)?;
        if let Some(record) = found.filter(|record| record.is_deleted()) {
            self.check_rules(ty, Some(known), &record.fields)?;
        }
        let restored = self.tx.restore(ix, known);
        restored.map_err(|error| self.refused(ty, id, error))?;
        self.reread(ty, known)
    }

    fn entity_destroy(&mut self, ty: EntityTypeId, id: i64) -> Result<Consequences, HostError> {
        self.write()?;
        let known = self.id(ty, id)?;
        let others = self.apply_on_delete(ty, known)?;
        let destroyed = self.tx.destroy(self.types.store_type(ty), known);
        destroyed.map_err(|error| self.refused(ty, id, error))?;
        Ok(others)
    }
}
