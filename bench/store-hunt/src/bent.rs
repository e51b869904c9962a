//! A simulated directory that does what the plain one does not: bends one byte of what is written, and links files.
//!
//! For the checks that read back what was just written, and for incremental backups. What must stay true: everything else
//! is left to the disk below.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flin_store::{Disk, DiskFile, LockError, LockGuard, SimDisk};

/// The disk.
#[derive(Clone)]
pub struct Bent {
    /// The disk below.
    pub disk: SimDisk,
    /// Start of the names of files whose first write is bent, and which byte of it.
    bend: Option<(&'static str, usize)>,
    bent: Arc<AtomicBool>,
}

impl Bent {
    /// One that only links.
    pub fn linking(disk: SimDisk) -> Self {
        Bent {
            disk,
            bend: None,
            bent: Arc::default(),
        }
    }

    /// One that flips a bit of a byte in the first write to a file whose name starts so.
    pub fn bending(disk: SimDisk, start: &'static str, byte: usize) -> Self {
        Bent {
            bend: Some((start, byte)),
            ..Self::linking(disk)
        }
    }

    /// Whether it happened.
    pub fn has_bent(&self) -> bool {
        self.bent.load(Ordering::Relaxed)
    }

    fn wrapped(&self, name: &str, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        match self.bend {
            Some((start, byte)) if name.starts_with(start) => Arc::new(BentFile {
                file,
                byte,
                bent: self.bent.clone(),
            }),
            Some(_) | None => file,
        }
    }
}

impl Disk for Bent {
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
        Ok(self.wrapped(name, self.disk.create(name, len)?))
    }

    fn link(&self, name: &str, to: &dyn Disk, as_name: &str) -> io::Result<bool> {
        let Some(bytes) = self.disk.bytes(name) else {
            return Ok(false);
        };
        put(to, as_name, &bytes)?;
        Ok(true)
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
        self.disk.now_ms()
    }

    fn random_u64(&self) -> io::Result<u64> {
        self.disk.random_u64()
    }
}

/// Writes a whole file, durable but for its name.
///
/// # Errors
/// Those of the disk.
pub fn put(disk: &dyn Disk, name: &str, bytes: &[u8]) -> io::Result<()> {
    let file = disk.create(name, bytes.len() as u64)?;
    file.write_at(0, bytes)?;
    file.sync()
}

struct BentFile {
    file: Arc<dyn DiskFile>,
    byte: usize,
    bent: Arc<AtomicBool>,
}

impl DiskFile for BentFile {
    fn len_bytes(&self) -> io::Result<u64> {
        self.file.len_bytes()
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() || self.bent.swap(true, Ordering::Relaxed) {
            return self.file.write_at(offset, bytes);
        }
        let mut changed = bytes.to_vec();
        changed[self.byte % bytes.len()] ^= 1;
        self.file.write_at(offset, &changed)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.file.read_at(offset, buf)
    }

    fn freeze(&self, end: u64) -> io::Result<()> {
        self.file.freeze(end)
    }

    fn view(&self, offset: u64, len: u64) -> io::Result<Cow<'_, [u8]>> {
        self.file.view(offset, len)
    }
}
