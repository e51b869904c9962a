//! A host that keeps everything in memory: printed lines, records, a clock. Here because programs are run without a
//! disk. Must stay true: the clock stands still within a transaction and goes on by a second with each that wrote
//! something, so that what programs print is always the same.

use crate::case::{Setup, StoreFault};
use flin_bytecode::{EntityTypeId, Module};
use flin_vm::{
    Consequences, Host, HostError, HostRecord, HostValue, LogLevel, Moment, ScanMode, Slice,
};

use crate::records::Records;

/// The time that programs of the corpus see first: 2026-03-04T05:06:07Z.
pub(crate) const NOW_MS: i64 = 1_772_600_767_000;

/// Enough turns and calls for every program of the corpus; beyond that it hangs.
const FUEL_MAX: u64 = 20_000_000;

/// Records and printed lines of one run.
pub struct MemoryHost {
    records: Records,
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
            records: Records::new(module, NOW_MS),
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

    /// All versions of all records, as one text.
    pub(crate) fn kept(&self) -> String {
        self.records.all()
    }

    /// What was printed, one entry per print.
    pub fn printed(&self) -> &[String] {
        &self.printed
    }
}

impl Host for MemoryHost {
    fn slice(&mut self, fuel_used: u64, _memory_bytes: usize) -> Slice {
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
        self.records.now_ms()
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

    fn statement_end(&mut self) -> Result<(), HostError> {
        self.records.commit();
        Ok(())
    }

    fn entity_get(&mut self, ty: EntityTypeId, id: i64) -> Result<Option<HostRecord>, HostError> {
        Ok(self.records.get(ty, id))
    }

    fn entity_scan(
        &mut self,
        ty: EntityTypeId,
        mode: ScanMode,
    ) -> Result<Vec<HostRecord>, HostError> {
        Ok(self.records.scan(ty, mode))
    }

    fn entity_history(&mut self, ty: EntityTypeId, id: i64) -> Result<Vec<HostRecord>, HostError> {
        Ok(self.records.history(ty, id))
    }

    fn entity_get_at(
        &mut self,
        ty: EntityTypeId,
        id: i64,
        when: Moment,
    ) -> Result<Option<HostRecord>, HostError> {
        Ok(self.records.get_at(ty, id, when))
    }

    fn entity_scan_at(
        &mut self,
        ty: EntityTypeId,
        mode: ScanMode,
        when: Moment,
    ) -> Result<Vec<HostRecord>, HostError> {
        Ok(self.records.scan_at(ty, mode, when))
    }

    fn entity_count(&mut self, ty: EntityTypeId) -> Result<i64, HostError> {
        Ok(self.records.scan(ty, ScanMode::Live).len() as i64)
    }

    fn entity_insert(
        &mut self,
        ty: EntityTypeId,
        fields: Vec<HostValue>,
    ) -> Result<HostRecord, HostError> {
        self.writable()?;
        self.records.insert(ty, fields)
    }

    fn entity_update(
        &mut self,
        ty: EntityTypeId,
        id: i64,
        fields: Vec<HostValue>,
    ) -> Result<HostRecord, HostError> {
        self.writable()?;
        self.records.update(ty, id, fields)
    }

    fn entity_delete(
        &mut self,
        ty: EntityTypeId,
        id: i64,
    ) -> Result<(HostRecord, Consequences), HostError> {
        self.writable()?;
        self.records.delete(ty, id)
    }

    fn entity_restore(&mut self, ty: EntityTypeId, id: i64) -> Result<HostRecord, HostError> {
        self.writable()?;
        self.records.restore(ty, id)
    }

    fn entity_destroy(&mut self, ty: EntityTypeId, id: i64) -> Result<Consequences, HostError> {
        self.writable()?;
        self.records.destroy(ty, id)
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
