//! The disk of scripts without a data directory: the same log, kept in memory and gone with the process.
//!
//! What must stay true: it behaves as a disk that never fails and never crashes, so that there is one store, not two.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Disk, DiskFile, LockError, LockGuard, QUARANTINE, out_of_range};

/// A directory in memory.
#[derive(Default)]
pub struct MemoryDisk {
    files: Mutex<BTreeMap<String, Arc<MemoryFile>>>,
    locked: Arc<AtomicBool>,
    random: AtomicU64,
}

impl MemoryDisk {
    /// An empty directory.
    pub fn new() -> Self {
        Self::default()
    }

    fn with_files<T>(&self, act: impl FnOnce(&mut BTreeMap<String, Arc<MemoryFile>>) -> T) -> T {
        act(&mut self.files.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn not_found(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("no file {name}"))
}

impl Disk for MemoryDisk {
    fn place(&self) -> String {
        "memory".to_owned()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let inside = format!("{QUARANTINE}/");
        Ok(self.with_files(|files| {
            files
                .keys()
                .filter(|name| !name.starts_with(&inside))
                .cloned()
                .collect()
        }))
    }

    fn list_quarantine(&self) -> io::Result<Vec<String>> {
        let inside = format!("{QUARANTINE}/");
        Ok(self.with_files(|files| {
            files
                .keys()
                .filter_map(|name| name.strip_prefix(&inside))
                .map(str::to_owned)
                .collect()
        }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        match self.with_files(|files| files.get(name).cloned()) {
            Some(file) => Ok(file),
            None => Err(not_found(name)),
        }
    }

    fn create(&self, name: &str, len: u64) -> io::Result<Arc<dyn DiskFile>> {
        let file = Arc::new(MemoryFile {
            bytes: RwLock::new(vec![0; len as usize]),
        });
        self.with_files(|files| files.insert(name.to_owned(), file.clone()));
        Ok(file)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.with_files(|files| {
            let file = files.remove(from).ok_or_else(|| not_found(from))?;
            files.insert(to.to_owned(), file);
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.with_files(|files| {
            files
                .remove(name)
                .map(|_| ())
                .ok_or_else(|| not_found(name))
        })
    }

    fn sync_dir(&self) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self) -> Result<LockGuard, LockError> {
        if self.locked.swap(true, Ordering::AcqRel) {
            return Err(LockError::Held {
                holder: Some(format!("process {}", std::process::id())),
            });
        }
        Ok(LockGuard::new(
            Box::new(FlagLock(self.locked.clone())),
            None,
        ))
    }

    fn now_ms(&self) -> i64 {
        wall_clock_ms()
    }

    fn random_u64(&self) -> io::Result<u64> {
        // Nothing outlives the process here, so a counter is random enough for salts and ids.
        Ok(self
            .random
            .fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed)
            .wrapping_add(0x1234_5678_9ABC_DEF1))
    }
}

/// Clears a flag when dropped.
pub(super) struct FlagLock(pub(super) Arc<AtomicBool>);

impl Drop for FlagLock {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Milliseconds since 1970 UTC; a clock before 1970 counts as 1970.
pub(super) fn wall_clock_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}

struct MemoryFile {
    bytes: RwLock<Vec<u8>>,
}

impl DiskFile for MemoryFile {
    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self
            .bytes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .len() as u64)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut held = self.bytes.write().unwrap_or_else(PoisonError::into_inner);
        let (start, end) = (offset as usize, offset as usize + bytes.len());
        if held.len() < end {
            held.resize(end, 0);
        }
        held[start..end].copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let held = self.bytes.read().unwrap_or_else(PoisonError::into_inner);
        let (start, end) = (offset as usize, offset as usize + buf.len());
        let found = held
            .get(start..end)
            .ok_or_else(|| out_of_range(offset, buf.len() as u64, held.len() as u64))?;
        buf.copy_from_slice(found);
        Ok(())
    }

    fn freeze(&self, _end: u64) -> io::Result<()> {
        Ok(())
    }

    fn view(&self, offset: u64, len: u64) -> io::Result<Cow<'_, [u8]>> {
        let mut bytes = vec![0; len as usize];
        self.read_at(offset, &mut bytes)?;
        Ok(Cow::Owned(bytes))
    }
}
