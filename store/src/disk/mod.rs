//! The only door to files, time and randomness. One store runs over three disks: real, in memory, simulated.
//!
//! It is a trait so that a crash can be a test parameter. What must stay true: names are flat file names inside one
//! directory, or `quarantine/<name>`; a name is durable only after `sync_dir`, bytes only after `DiskFile::sync`.

mod memory;
mod mounts;
mod real;
mod sim;

use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub use memory::MemoryDisk;
pub use real::RealDisk;
pub use sim::{CrashChoice, Fault, Lie, SimDisk};

/// Folder that keeps every byte recovery cut off.
pub const QUARANTINE: &str = "quarantine";

/// One data directory.
pub trait Disk: Send + Sync {
    /// How to name the directory in messages.
    fn place(&self) -> String;
    /// File names in the directory, without folders, sorted.
    fn list(&self) -> io::Result<Vec<String>>;
    /// File names inside of `quarantine/`, sorted.
    fn list_quarantine(&self) -> io::Result<Vec<String>>;
    /// Opens an existing file for reading and writing.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// Length of a file in bytes; it need not be one that may be opened.
    fn len_of(&self, name: &str) -> io::Result<u64> {
        self.open(name)?.len_bytes()
    }
    /// Creates a file of `len` zero bytes, replacing one of that name. Neither name nor bytes are durable yet.
    fn create(&self, name: &str, len: u64) -> io::Result<Arc<dyn DiskFile>>;
    /// The same without taking the room yet, where the disk can: what is not written reads as zeros.
    fn create_sparse(&self, name: &str, len: u64) -> io::Result<Arc<dyn DiskFile>> {
        self.create(name, len)
    }
    /// Gives a file a second name in another directory; `false` where that is not possible.
    fn link(&self, _name: &str, _to: &dyn Disk, _as_name: &str) -> io::Result<bool> {
        Ok(false)
    }
    /// The directory of the operating system, if it is one.
    fn directory(&self) -> Option<&Path> {
        None
    }
    /// Renames a file, replacing the target.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes creations, renames and removals durable.
    fn sync_dir(&self) -> io::Result<()>;
    /// The kind of file system, if it is one of other machines or other programs: locks and syncs mean what they make of
    /// them.
    fn network_file_system(&self) -> Option<String> {
        None
    }
    /// Takes the lock of the directory for as long as the guard lives.
    fn lock(&self) -> Result<LockGuard, LockError>;
    /// The wall clock, milliseconds since 1970 UTC.
    fn now_ms(&self) -> i64;
    /// Sixty-four random bits.
    fn random_u64(&self) -> io::Result<u64>;
}

/// One open file.
pub trait DiskFile: Send + Sync {
    /// Length in bytes; files keep the length they were created with.
    fn len_bytes(&self) -> io::Result<u64>;
    /// Writes all of `bytes` at `offset`. May be visible in parts after a crash until `sync` returned.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes everything written so far durable.
    fn sync(&self) -> io::Result<()>;
    /// Fills `buf` from `offset` as the file is now.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()>;
    /// Declares that no byte below `end` will be written again; only such bytes can be borrowed by `view`.
    fn freeze(&self, end: u64) -> io::Result<()>;
    /// Bytes below the frozen end, borrowed where the disk can (a mapping), copied where it cannot.
    fn view(&self, offset: u64, len: u64) -> io::Result<Cow<'_, [u8]>>;
    /// These bytes are read soon; a disk that can begins to fetch them and does not wait.
    fn will_need(&self, _offset: u64, _len: u64) {}
    /// All bytes below the frozen end, where the disk can lend them without copying; elsewhere `view` gives them.
    fn frozen(&self) -> Option<&[u8]> {
        None
    }
}

/// Removes a file that another thread may have removed or renamed meanwhile.
pub(crate) fn remove_if_there(disk: &dyn Disk, name: &str) -> io::Result<()> {
    match disk.remove(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Holds the directory's lock; dropping it lets go.
pub struct LockGuard {
    _held: Box<dyn Send + Sync>,
    /// Set when the holder's name could not be written (a full disk): others will see "another process".
    pub note: Option<String>,
    /// The directory may only be read: the lock is held all the same, if there is a file to lock.
    pub read_only: bool,
}

impl LockGuard {
    /// A guard that lets go when `held` is dropped.
    pub fn new(held: Box<dyn Send + Sync>, note: Option<String>) -> Self {
        LockGuard {
            _held: held,
            note,
            read_only: false,
        }
    }

    /// The same for a directory that may only be read.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }
}

/// Why the lock was not taken.
#[derive(Debug)]
pub enum LockError {
    /// Somebody holds it.
    Held {
        /// What the lock file says about the holder.
        holder: Option<String>,
    },
    /// The lock file cannot be used.
    Io(io::Error),
}

pub(crate) fn out_of_range(offset: u64, len: u64, end: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        format!("bytes {offset}+{len} lie beyond the readable end {end}"),
    )
}
