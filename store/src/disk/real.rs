//! A directory of the operating system: `pwrite`, `fdatasync`, read-only mappings, `flock`.
//!
//! What must stay true: no file is shortened or rewritten once `freeze` covered it, and every descriptor is closed on
//! `exec` (the standard library opens with `O_CLOEXEC`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::memory::wall_clock_ms;
use super::mounts::network_file_system;
use super::{Disk, DiskFile, LockError, LockGuard};
use crate::log::files::ACTIVE;
use crate::map::FrozenMap;

const LOCK_FILE: &str = "LOCK";
const ZEROS_AT_ONCE: usize = 1 << 20;

/// A real directory.
pub struct RealDisk {
    dir: PathBuf,
}

impl RealDisk {
    /// Uses `dir`, creating it (and making that durable) if it is absent.
    pub fn open(dir: &Path) -> io::Result<Self> {
        create_durably(dir)?;
        Ok(RealDisk {
            dir: dir.to_owned(),
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

impl Disk for RealDisk {
    fn place(&self) -> String {
        self.dir.display().to_string()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        files_in(&self.dir)
    }

    fn list_quarantine(&self) -> io::Result<Vec<String>> {
        match files_in(&self.path(super::QUARANTINE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            found => found,
        }
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let path = self.path(name);
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => file,
            // A directory that may only be read can still be verified; writes fail when they are tried.
            Err(error) if may_only_read(&error) => File::open(&path)?,
            Err(error) => return Err(error),
        };
        Ok(Arc::new(RealFile {
            file,
            map: OnceLock::new(),
        }))
    }

    fn len_of(&self, name: &str) -> io::Result<u64> {
        Ok(fs::metadata(self.path(name))?.len())
    }

    fn create(&self, name: &str, len: u64) -> io::Result<Arc<dyn DiskFile>> {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        // A file of that name may be mapped by somebody: it keeps its inode, the name goes to a new one.
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)?;
        let zeros = vec![0; ZEROS_AT_ONCE.min(len as usize)];
        let mut left = len as usize;
        while left > 0 {
            let now = left.min(zeros.len());
            file.write_all(&zeros[..now])?;
            left -= now;
        }
        Ok(Arc::new(RealFile {
            file,
            map: OnceLock::new(),
        }))
    }

    fn create_sparse(&self, name: &str, len: u64) -> io::Result<Arc<dyn DiskFile>> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)?;
        file.set_len(len)?;
        Ok(Arc::new(RealFile {
            file,
            map: OnceLock::new(),
        }))
    }

    fn link(&self, name: &str, to: &dyn Disk, as_name: &str) -> io::Result<bool> {
        let Some(target) = to.directory() else {
            return Ok(false);
        };
        match fs::hard_link(self.path(name), target.join(as_name)) {
            Ok(()) => Ok(true),
            // Gone, or the target is taken: the caller's business. Anything else: this file system does not do it.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists
                ) =>
            {
                Err(error)
            }
            Err(_not_possible_here) => Ok(false),
        }
    }

    fn directory(&self) -> Option<&Path> {
        Some(&self.dir)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        let quarantine = self.path(super::QUARANTINE);
        if quarantine.is_dir() {
            File::open(quarantine)?.sync_all()?;
        }
        File::open(&self.dir)?.sync_all()
    }

    fn network_file_system(&self) -> Option<String> {
        network_file_system(&self.dir)
    }

    fn lock(&self) -> Result<LockGuard, LockError> {
        let registered = Registered::new(&self.dir)?;
        let path = self.path(LOCK_FILE);
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let (mut file, writable) = match opened {
            Ok(file) => (file, true),
            // What may only be read can be locked all the same; and where there is no such file and none can be made,
            // nobody can hold it.
            Err(error) if may_only_read(&error) => match File::open(&path) {
                Ok(file) => (file, false),
                Err(absent) if absent.kind() == io::ErrorKind::NotFound => {
                    return Ok(LockGuard::new(Box::new(registered), None).read_only());
                }
                Err(_) => return Err(LockError::Io(error)),
            },
            Err(error) => return Err(LockError::Io(error)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text).map_err(LockError::Io)?;
                let line = text.lines().next().unwrap_or("").trim().to_owned();
                return Err(LockError::Held {
                    holder: (!line.is_empty()).then_some(line),
                });
            }
            Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
        }
        if !writable {
            return Ok(LockGuard::new(Box::new(file), None).read_only());
        }
        let line = format!("process {}\n", std::process::id());
        let named = file
            .set_len(0)
            .and_then(|()| file.write_all_at(line.as_bytes(), 0));
        let note = named
            .err()
            .map(|error| format!("the holder's name could not be written to {LOCK_FILE}: {error}"));
        Ok(LockGuard::new(Box::new((file, registered)), note))
    }

    fn now_ms(&self) -> i64 {
        wall_clock_ms()
    }

    fn random_u64(&self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

type Inode = (u64, u64);

/// The directories that this process has open, by device and inode. A second way to the same files (a hard link in another
/// directory) has a `LOCK` of its own.
static OPEN_HERE: Mutex<BTreeMap<Inode, PathBuf>> = Mutex::new(BTreeMap::new());

/// The entry of one store in `OPEN_HERE`; taken out when dropped.
struct Registered(Inode);

fn inode(path: &Path) -> io::Result<Option<Inode>> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some((found.dev(), found.ino()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Registered {
    /// Refused if this process has the directory open, or another one whose active segment is the same file.
    fn new(dir: &Path) -> Result<Self, LockError> {
        let key = inode(dir).map_err(LockError::Io)?.unwrap_or_default();
        let active = inode(&dir.join(ACTIVE)).map_err(LockError::Io)?;
        let mut open = OPEN_HERE.lock().unwrap_or_else(PoisonError::into_inner);
        let shares = |other: &PathBuf| {
            let of_other = inode(&other.join(ACTIVE)).ok().flatten();
            active.is_some() && active == of_other
        };
        if open.contains_key(&key) || open.values().any(shares) {
            return Err(LockError::Held {
                holder: Some(format!("process {}", std::process::id())),
            });
        }
        open.insert(key, dir.to_owned());
        Ok(Registered(key))
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut open = OPEN_HERE.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(&self.0);
    }
}

/// Whether a file or its directory may not be written, but perhaps read.
fn may_only_read(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
    )
}

/// Names of the files in a directory, sorted.
fn files_in(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_file()
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Creates a directory with all that is missing above it. Each new name is synced in the directory that holds it: a crash
/// must not take away a path below which commits were acknowledged.
fn create_durably(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let parent = match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    create_durably(parent)?;
    match fs::create_dir(dir) {
        Ok(()) => {}
        // Somebody else was quicker.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => {}
        Err(error) => return Err(error),
    }
    File::open(parent)?.sync_all()
}

struct RealFile {
    file: File,
    map: OnceLock<FrozenMap>,
}

impl RealFile {
    fn map(&self) -> io::Result<&FrozenMap> {
        if let Some(map) = self.map.get() {
            return Ok(map);
        }
        let made = FrozenMap::new(&self.file)?;
        Ok(self.map.get_or_init(|| made))
    }
}

impl DiskFile for RealFile {
    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let frozen = self.map.get().map_or(0, FrozenMap::frozen);
        assert!(
            offset >= frozen,
            "a write at {offset} would change bytes that readers may hold (below {frozen})"
        );
        self.file.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buf, offset)
    }

    fn freeze(&self, end: u64) -> io::Result<()> {
        self.map()?.freeze(end)
    }

    fn view(&self, offset: u64, len: u64) -> io::Result<Cow<'_, [u8]>> {
        Ok(Cow::Borrowed(self.map()?.slice(offset, len)?))
    }

    fn will_need(&self, offset: u64, len: u64) {
        // A wish: where it cannot be granted the bytes are read when they are asked for, and that tells what is wrong.
        let _asked = self.map().is_ok_and(|map| map.will_need(offset, len));
    }

    fn frozen(&self) -> Option<&[u8]> {
        let map = self.map.get()?;
        map.slice(0, map.frozen()).ok()
    }
}
