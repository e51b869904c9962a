//! A disk in memory whose clock is the program's. Here because the store takes the times of its records from its disk, and a
//! golden text must not hold the time of the day. Must stay true: time goes on only when a program asks for it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use flin_runtime::store::{Disk, DiskFile, LockError, LockGuard, MemoryDisk};

use crate::host::NOW_MS;

/// The time that a program sees.
#[derive(Debug)]
pub(crate) struct Clock(AtomicI64);

impl Default for Clock {
    fn default() -> Clock {
        Clock(AtomicI64::new(NOW_MS))
    }
}

impl Clock {
    pub(crate) fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Lets time go on: `2 days`.
    ///
    /// # Errors
    /// When that is no number and unit.
    pub(crate) fn wait(&self, count: &str, unit: &str) -> Result<(), String> {
        let count: i64 = count
            .parse()
            .map_err(|_| format!("expected a number, not {count}"))?;
        let unit_ms = match unit {
            "ms" => 1,
            "seconds" => 1000,
            "minutes" => 60_000,
            "hours" => 3_600_000,
            "days" => 86_400_000,
            other => {
                return Err(format!(
                    "expected ms, seconds, minutes, hours or days, not {other}"
                ));
            }
        };
        self.0.fetch_add(count * unit_ms, Ordering::Relaxed);
        Ok(())
    }
}

/// A disk in memory.
pub(crate) struct StillDisk {
    disk: MemoryDisk,
    clock: Arc<Clock>,
}

impl StillDisk {
    pub(crate) fn new(clock: Arc<Clock>) -> StillDisk {
        StillDisk {
            disk: MemoryDisk::new(),
            clock,
        }
    }
}

impl Disk for StillDisk {
    fn place(&self) -> String {
        self.disk.place()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn list_quarantine(&self) -> io::Result<Vec<String>> {
        self.disk.list_quarantine()
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open(name)
    }

    fn create(&self, name: &str, len: u64) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.create(name, len)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.disk.sync_dir()
    }

    fn lock(&self) -> Result<LockGuard, LockError> {
        self.disk.lock()
    }

    fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    fn random_u64(&self) -> io::Result<u64> {
        self.disk.random_u64()
    }
}
