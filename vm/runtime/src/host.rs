//! The VM's `Host` over one store transaction: entity operations, time limit, output kept back until the commit.
//! Here because this is where program values become records. Must stay true: what only the store can know (unique,
//! references) is answered at `save`, with the right field and rule, so that a program can catch it there; the committer
//! checks it again. A read-only door refuses every write.

use std::time::Instant;

use flin_store::{
    CommitOutcome, Deleted, EntityId, FieldIx, FieldValue, Record, Store, Transaction, TxError,
};
use flin_vm::bytecode::ids::EntityTypeId;
use flin_vm::bytecode::module::Module;
use flin_vm::{Host, HostError, HostRecord, HostValue, LogLevel, ScanMode, Slice};

use crate::run::constraint_sentence;
use crate::schema::TypeMap;
use crate::world::{Kept, Said, Seen, World};

/// One run of a request: its transaction and what it may do.
pub(crate) struct StoreHost<'a> {
    pub(crate) module: &'a Module,
    pub(crate) types: &'a TypeMap,
    pub(crate) tx: &'a mut Transaction,
    pub(crate) world: &'a dyn World,
    pub(crate) seen: &'a mut Seen,
    pub(crate) read_only: bool,
    pub(crate) deadline: Option<Instant>,
    /// Output goes out at once (scripts), not after the commit.
    pub(crate) speaks_at_once: bool,
    /// Where each top-level statement is committed at its end (`run`); none where all is one transaction.
    pub(crate) commits_statements: Option<&'a Store>,
    pub(crate) said: Kept,
    pub(crate) operations: Operations,
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

    fn record(&self, ty: EntityTypeId, record: &Record) -> HostRecord {
        HostRecord {
            ty,
            id: record.id.0 as i64,
            version: i64::from(record.version),
            created_at: record.created_at_ms,
            updated_at: record.updated_at_ms,
            deleted_at: record.deleted_at_ms,
            fields: self.types.to_host_fields(self.module, ty, &record.fields),
        }
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

    fn refused(&self, ty: EntityTypeId, id: i64, error: TxError) -> HostError {
        match error {
            TxError::NotFound { .. } => self.missing(ty, id),
            TxError::Read(_)
            | TxError::NotDeleted { .. }
            | TxError::WrongType { .. }
            | TxError::WrongFieldCount { .. }
            | TxError::TooDeep { .. } => HostError::Storage(error.to_string()),
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

    // The same for links, so that the error stands at the `delete`.
    fn check_links(&mut self, ty: EntityTypeId, id: EntityId) -> Result<(), HostError> {
        let restricted = self.tx.restricted_by(self.types.store_type(ty), id);
        match restricted.map_err(|error| HostError::Storage(error.to_string()))? {
            None => Ok(()),
            Some(error) => Err(HostError::Constraint {
                message: constraint_sentence(&error),
                entity: error.entity,
                field: error.field,
                rule: error.rule.name().to_owned(),
            }),
        }
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
                let holder = holder.map_err(|error| HostError::Storage(error.to_string()))?;
                if holder.is_some_and(|holder| Some(holder.id) != own) {
                    return Err(constraint(
                        "unique",
                        format!("{} is already taken", field.name),
                    ));
                }
            }
            if let FieldValue::Ref { ty: target, id } = value {
                let found = self
                    .tx
                    .get(*target, *id)
                    .map_err(|error| HostError::Storage(error.to_string()))?;
                if found.is_none() {
                    let message = format!("{} links to a record that does not exist", field.name);
                    return Err(constraint("reference", message));
                }
            }
        }
        Ok(())
    }

    fn reread(&mut self, ty: EntityTypeId, id: EntityId) -> Result<HostRecord, HostError> {
        let found = self.tx.get_any(self.types.store_type(ty), id);
        match found.map_err(|error| HostError::Storage(error.to_string()))? {
            Some(record) => Ok(self.record(ty, &record)),
            None => Err(self.missing(ty, id.0 as i64)),
        }
    }
}

impl Host for StoreHost<'_> {
    fn slice(&mut self, _fuel_used: u64) -> Slice {
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Slice::Stop,
            Some(_) | None => Slice::Go,
        }
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

    fn entity_get(&mut self, ty: EntityTypeId, id: i64) -> Result<Option<HostRecord>, HostError> {
        self.operations.reads += 1;
        let Ok(known) = self.id(ty, id) else {
            return Ok(None);
        };
        let found = self.tx.get_any(self.types.store_type(ty), known);
        let found = found.map_err(|error| HostError::Storage(error.to_string()))?;
        Ok(found.map(|record| self.record(ty, &record)))
    }

    fn entity_scan(
        &mut self,
        ty: EntityTypeId,
        mode: ScanMode,
    ) -> Result<Vec<HostRecord>, HostError> {
        let deleted = match mode {
            ScanMode::Live => Deleted::Hide,
            ScanMode::Deleted => Deleted::Only,
            ScanMode::All => Deleted::Include,
        };
        let found: Result<Vec<_>, _> = self.tx.scan(self.types.store_type(ty), deleted).collect();
        let found = found.map_err(|error| HostError::Storage(error.to_string()))?;
        self.operations.reads += found.len() as u64;
        Ok(found.iter().map(|record| self.record(ty, record)).collect())
    }

    fn entity_count(&mut self, ty: EntityTypeId) -> Result<i64, HostError> {
        self.operations.reads += 1;
        let count = self.tx.count(self.types.store_type(ty));
        count
            .map(|count| count as i64)
            .map_err(|error| HostError::Storage(error.to_string()))
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
        let fields = self.store_fields(ty, &fields)?;
        self.check_rules(ty, Some(known), &fields)?;
        let updated = self.tx.update(self.types.store_type(ty), known, fields);
        updated.map_err(|error| self.refused(ty, id, error))?;
        self.reread(ty, known)
    }

    fn entity_delete(&mut self, ty: EntityTypeId, id: i64) -> Result<HostRecord, HostError> {
        self.write()?;
        let known = self.id(ty, id)?;
        self.check_links(ty, known)?;
        let deleted = self.tx.delete(self.types.store_type(ty), known);
        deleted.map_err(|error| self.refused(ty, id, error))?;
        self.reread(ty, known)
    }

    fn entity_restore(&mut self, ty: EntityTypeId, id: i64) -> Result<HostRecord, HostError> {
        self.write()?;
        let known = self.id(ty, id)?;
        let restored = self.tx.restore(self.types.store_type(ty), known);
        restored.map_err(|error| self.refused(ty, id, error))?;
        self.reread(ty, known)
    }

    fn entity_destroy(&mut self, ty: EntityTypeId, id: i64) -> Result<(), HostError> {
        self.write()?;
        let known = self.id(ty, id)?;
        self.check_links(ty, known)?;
        let destroyed = self.tx.destroy(self.types.store_type(ty), known);
        destroyed.map_err(|error| self.refused(ty, id, error))
    }
}
