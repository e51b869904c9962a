//! A host that keeps everything in memory: printed lines, records, a clock that stands still. Here because programs
//! are run without a disk. Must stay true: ids count from 1 per entity and are never used again.

use std::collections::BTreeMap;

use crate::case::{Setup, StoreFault};
use flin_bytecode::{EntityTypeId, Module};
use flin_vm::{Host, HostError, HostRecord, HostValue, LogLevel, ScanMode, Slice};

/// The time that programs of the corpus see: 2026-03-04T05:06:07Z.
pub(crate) const NOW_MS: i64 = 1_772_600_767_000;

/// Enough turns and calls for every program of the corpus; beyond that it hangs.
const FUEL_MAX: u64 = 20_000_000;

/// Records and printed lines of one run.
pub struct MemoryHost {
    names: Vec<String>,
    records: Vec<BTreeMap<i64, HostRecord>>,
    next_id: Vec<i64>,
    printed: Vec<String>,
    fuel_left: u64,
    random: u64,
    refusal: Option<HostError>,
    env: Vec<(String, String)>,
}

impl MemoryHost {
    /// An empty store for the entities of a module.
    pub fn new(module: &Module) -> MemoryHost {
        MemoryHost {
            names: module.entities.iter().map(|e| e.name.clone()).collect(),
            records: vec![BTreeMap::new(); module.entities.len()],
            next_id: vec![1; module.entities.len()],
            printed: Vec::new(),
            fuel_left: FUEL_MAX,
            random: 0x9e37_79b9_7f4a_7c15,
            refusal: None,
            env: Vec::new(),
        }
    }

    /// Lets what runs from now on use this much fuel.
    pub fn set_fuel(&mut self, fuel: u64) {
        self.fuel_left = fuel;
    }

    /// Does what a program asks of the runner, as far as it is the host's business.
    pub(crate) fn set_up(&mut self, setup: &Setup) {
        if let Some(fuel) = setup.fuel {
            self.set_fuel(fuel);
        }
        self.refusal = setup.store.map(|fault| match fault {
            StoreFault::Full => HostError::Storage("no space left on the disk".to_owned()),
            StoreFault::Clash => HostError::Conflict,
        });
        self.env.clone_from(&setup.env);
    }

    fn writable(&self) -> Result<(), HostError> {
        self.refusal.clone().map_or(Ok(()), Err)
    }

    /// What was printed, one entry per print.
    pub fn printed(&self) -> &[String] {
        &self.printed
    }

    fn record(&mut self, ty: EntityTypeId, id: i64) -> Result<&mut HostRecord, HostError> {
        let entity = self.names[ty.index()].clone();
        self.records[ty.index()]
            .get_mut(&id)
            .ok_or(HostError::NotFound { entity, id })
    }
}

impl Host for MemoryHost {
    fn slice(&mut self, fuel_used: u64) -> Slice {
        match self.fuel_left.checked_sub(fuel_used) {
            Some(left) => {
                self.fuel_left = left;
                Slice::Go
            }
            None => Slice::Stop,
        }
    }

    fn print(&mut self, text: &str) {
        self.printed.push(text.to_owned());
    }

    fn log(&mut self, level: LogLevel, text: &str) {
        self.printed.push(log_line(level, text));
    }

    fn now_ms(&mut self) -> i64 {
        NOW_MS
    }

    fn random(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.random ^= self.random << 13;
            self.random ^= self.random >> 7;
            self.random ^= self.random << 17;
            *byte = self.random as u8;
        }
    }

    fn env(&mut self, name: &str) -> Option<String> {
        let known = self.env.iter().find(|(known, _)| known == name);
        known.map(|(_, value)| value.clone())
    }

    fn entity_get(&mut self, ty: EntityTypeId, id: i64) -> Result<Option<HostRecord>, HostError> {
        Ok(self.records[ty.index()].get(&id).cloned())
    }

    fn entity_scan(
        &mut self,
        ty: EntityTypeId,
        mode: ScanMode,
    ) -> Result<Vec<HostRecord>, HostError> {
        let wanted = |record: &&HostRecord| match mode {
            ScanMode::Live => record.deleted_at.is_none(),
            ScanMode::Deleted => record.deleted_at.is_some(),
            ScanMode::All => true,
        };
        Ok(self.records[ty.index()]
            .values()
            .filter(wanted)
            .cloned()
            .collect())
    }

    fn entity_count(&mut self, ty: EntityTypeId) -> Result<i64, HostError> {
        Ok(self.records[ty.index()]
            .values()
            .filter(|r| r.deleted_at.is_none())
            .count() as i64)
    }

    fn entity_insert(
        &mut self,
        ty: EntityTypeId,
        fields: Vec<HostValue>,
    ) -> Result<HostRecord, HostError> {
        self.writable()?;
        let id = self.next_id[ty.index()];
        self.next_id[ty.index()] += 1;
        let record = HostRecord {
            ty,
            id,
            version: 1,
            created_at: NOW_MS,
            updated_at: NOW_MS,
            deleted_at: None,
            fields,
        };
        self.records[ty.index()].insert(id, record.clone());
        Ok(record)
    }

    fn entity_update(
        &mut self,
        ty: EntityTypeId,
        id: i64,
        fields: Vec<HostValue>,
    ) -> Result<HostRecord, HostError> {
        self.writable()?;
        let record = self.record(ty, id)?;
        record.version += 1;
        record.fields = fields;
        Ok(record.clone())
    }

    fn entity_delete(&mut self, ty: EntityTypeId, id: i64) -> Result<HostRecord, HostError> {
        self.writable()?;
        let record = self.record(ty, id)?;
        record.version += 1;
        record.deleted_at = Some(NOW_MS);
        Ok(record.clone())
    }

    fn entity_restore(&mut self, ty: EntityTypeId, id: i64) -> Result<HostRecord, HostError> {
        self.writable()?;
        let record = self.record(ty, id)?;
        record.version += 1;
        record.deleted_at = None;
        Ok(record.clone())
    }

    fn entity_destroy(&mut self, ty: EntityTypeId, id: i64) -> Result<(), HostError> {
        self.writable()?;
        self.record(ty, id)?;
        self.records[ty.index()].remove(&id);
        Ok(())
    }
}

/// How a line of the log is shown.
pub(crate) fn log_line(level: LogLevel, text: &str) -> String {
    let level = match level {
        LogLevel::Info => "info",
        LogLevel::Warning => "warning",
        LogLevel::Error => "error",
    };
    format!("[{level}] {text}")
}
