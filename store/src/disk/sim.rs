//! A disk that loses power: what was not synced arrives or not, sector by sector, name by name, as a seed decides.
//!
//! The crash tests' half of the durability promise. What must stay true: it gives a program only what POSIX gives it
//! (bytes after `sync`, names after `sync_dir`), and the same seed always does the same.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::memory::FlagLock;
use super::{Disk, DiskFile, LockError, LockGuard, QUARANTINE, out_of_range};
use crate::limits::SECTOR_BYTES;

const SECTOR: usize = SECTOR_BYTES as usize;
type Sector = [u8; SECTOR];

/// What goes wrong, counted in calls that change the disk (create, write, sync, rename, remove, sync_dir), from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The power fails at this call: it may have an effect, it and every later one return an error.
    CrashAt(u64),
    /// This one call fails with an I/O error. A failed sync loses what it should have made durable, while reading
    /// still shows it.
    FailAt(u64),
    /// This one call panics, and nothing is done: a bug in the middle of a commit.
    PanicAt(u64),
    /// Every creation from this call on fails for lack of room.
    FullFrom(u64),
}

/// What happens to unsynced sectors and names in a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashChoice {
    /// None of them arrives.
    LoseAll,
    /// All of them arrive.
    KeepAll,
    /// Each one by the toss of a seeded coin.
    Toss(u64),
    /// The first so many arrive, in the order of `pending_items`: names, then sectors from the start of each file.
    First(u64),
    /// Item n arrives if bit n is set (see `pending_items`): for trying all combinations.
    Subset(u64),
}

/// A sync that does nothing and says it worked: what a program that forgot the sync would do. Tests use it to prove that
/// they would notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Syncs of files whose name starts so.
    FileSync(&'static str),
    /// Syncs of the directory.
    DirSync,
}

#[derive(Clone, Default)]
struct SimFile {
    /// What the program sees.
    cache: Vec<u8>,
    /// What is on the platter.
    durable: Vec<u8>,
    /// Versions of each sector written since the last sync, oldest first.
    pending: BTreeMap<usize, Vec<Sector>>,
}

#[derive(Clone)]
enum NameChange {
    Set(String, u64),
    Move(String, String),
    Remove(String),
}

#[derive(Default)]
struct SimState {
    files: BTreeMap<u64, SimFile>,
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    pending_names: Vec<NameChange>,
    next_inode: u64,
    calls: u64,
    fault: Option<Fault>,
    lie: Option<Lie>,
    crashed: bool,
    clock_ms: i64,
    random: u64,
}

/// A simulated directory. Clones share it.
#[derive(Clone)]
pub struct SimDisk {
    state: Arc<Mutex<SimState>>,
    locked: Arc<AtomicBool>,
}

/// The next number of a seeded sequence (splitmix64).
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

impl SimDisk {
    /// An empty directory; `seed` feeds ids and salts.
    pub fn new(seed: u64) -> Self {
        let state = SimState {
            random: seed,
            clock_ms: 1_000_000,
            ..SimState::default()
        };
        SimDisk {
            state: Arc::new(Mutex::new(state)),
            locked: Arc::default(),
        }
    }

    fn lock_state(&self) -> MutexGuard<'_, SimState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plans a fault (or none) and counts calls from 0 again.
    pub fn plan(&self, fault: Option<Fault>) {
        let mut state = self.lock_state();
        state.fault = fault;
        state.calls = 0;
    }

    /// Makes syncs of a kind do nothing (or none).
    pub fn lie(&self, lie: Option<Lie>) {
        self.lock_state().lie = lie;
    }

    /// Changing calls made since the last `plan`.
    pub fn calls(&self) -> u64 {
        self.lock_state().calls
    }

    /// Whether a planned power failure has happened.
    pub fn crashed(&self) -> bool {
        self.lock_state().crashed
    }

    /// The directory as the next boot finds it. This disk is not changed and not usable for the same store any more.
    pub fn after_crash(&self, choice: CrashChoice) -> SimDisk {
        let state = self.lock_state();
        let mut coin = match choice {
            CrashChoice::Toss(seed) => seed,
            CrashChoice::Subset(bits) => bits,
            CrashChoice::First(count) => count,
            CrashChoice::LoseAll | CrashChoice::KeepAll => 0,
        };
        let mut toss = || match choice {
            CrashChoice::LoseAll => false,
            CrashChoice::KeepAll => true,
            CrashChoice::Toss(_) => next_random(&mut coin) & 1 == 1,
            CrashChoice::First(_) => {
                let arrives = coin > 0;
                coin = coin.saturating_sub(1);
                arrives
            }
            CrashChoice::Subset(_) => {
                let arrives = coin & 1 == 1;
                coin >>= 1;
                arrives
            }
        };
        let mut names = state.durable_names.clone();
        for change in &state.pending_names {
            if toss() {
                apply(&mut names, change);
            }
        }
        let mut files = BTreeMap::new();
        for (inode, file) in &state.files {
            let mut image = file.durable.clone();
            if image.len() != file.cache.len() && toss() {
                image.resize(file.cache.len(), 0);
            }
            for (sector, versions) in &file.pending {
                let start = sector * SECTOR;
                for version in versions {
                    if toss() && start < image.len() {
                        let end = (start + SECTOR).min(image.len());
                        image[start..end].copy_from_slice(&version[..end - start]);
                    }
                }
            }
            files.insert(
                *inode,
                SimFile {
                    cache: image.clone(),
                    durable: image,
                    pending: BTreeMap::new(),
                },
            );
        }
        let state = SimState {
            files,
            durable_names: names.clone(),
            names,
            next_inode: state.next_inode,
            clock_ms: state.clock_ms,
            random: state.random ^ 0x5DEE_CE66,
            ..SimState::default()
        };
        SimDisk {
            state: Arc::new(Mutex::new(state)),
            locked: Arc::default(),
        }
    }

    /// Number of unsynced sector versions, lengths and names: what a crash decides about.
    pub fn pending_items(&self) -> usize {
        let state = self.lock_state();
        let of_file = |file: &SimFile| {
            let versions: usize = file.pending.values().map(Vec::len).sum();
            versions + usize::from(file.durable.len() != file.cache.len())
        };
        state.pending_names.len() + state.files.values().map(of_file).sum::<usize>()
    }

    /// The bytes of a file as the program sees them.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.lock_state();
        let inode = state.names.get(name)?;
        state.files.get(inode).map(|file| file.cache.clone())
    }

    /// Replaces a file's bytes on the platter, as a decaying medium or an outsider would.
    pub fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.lock_state();
        if let Some(inode) = state.names.get(name).copied()
            && let Some(file) = state.files.get_mut(&inode)
        {
            change(&mut file.cache);
            file.durable = file.cache.clone();
            file.pending.clear();
        }
    }

    /// Sets the wall clock, in milliseconds since 1970; it stands still until it is set again.
    pub fn set_clock_ms(&self, now_ms: i64) {
        self.lock_state().clock_ms = now_ms;
    }

    /// All names, also those in folders.
    pub fn all_names(&self) -> Vec<String> {
        self.lock_state().names.keys().cloned().collect()
    }
}

fn apply(names: &mut BTreeMap<String, u64>, change: &NameChange) {
    match change {
        NameChange::Set(name, inode) => {
            names.insert(name.clone(), *inode);
        }
        NameChange::Move(from, to) => {
            if let Some(inode) = names.remove(from) {
                names.insert(to.clone(), inode);
            }
        }
        NameChange::Remove(name) => {
            names.remove(name);
        }
    }
}

/// What a planned fault makes of a call.
enum Call {
    Works,
    /// Has its effect in the cache, then the power is gone.
    LastGasp,
    Fails(io::Error),
}

impl SimState {
    fn call(&mut self, creates: bool) -> Call {
        if self.crashed {
            return Call::Fails(io::Error::other("the power is gone"));
        }
        let number = self.calls;
        self.calls += 1;
        match self.fault {
            Some(Fault::CrashAt(at)) if at == number => {
                self.crashed = true;
                Call::LastGasp
            }
            Some(Fault::FailAt(at)) if at == number => {
                Call::Fails(io::Error::other("injected I/O error"))
            }
            Some(Fault::PanicAt(at)) if at == number => panic!("injected panic"),
            Some(Fault::FullFrom(from)) if creates && number >= from => {
                Call::Fails(io::Error::from(io::ErrorKind::StorageFull))
            }
            Some(_) | None => Call::Works,
        }
    }

    fn lies_about(&self, inode: u64) -> bool {
        let Some(Lie::FileSync(start)) = self.lie else {
            return false;
        };
        let mut names = self.names.iter();
        names.any(|(name, of)| *of == inode && name.starts_with(start))
    }

    fn change_name(&mut self, change: NameChange) {
        apply(&mut self.names, &change);
        self.pending_names.push(change);
    }
}

fn power_gone() -> io::Error {
    io::Error::other("the power is gone")
}

fn not_found(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("no file {name}"))
}

impl Disk for SimDisk {
    fn place(&self) -> String {
        "simulated".to_owned()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let inside = format!("{QUARANTINE}/");
        Ok(self
            .lock_state()
            .names
            .keys()
            .filter(|name| !name.starts_with(&inside))
            .cloned()
            .collect())
    }

    fn list_quarantine(&self) -> io::Result<Vec<String>> {
        let inside = format!("{QUARANTINE}/");
        Ok(self
            .lock_state()
            .names
            .keys()
            .filter_map(|name| name.strip_prefix(&inside))
            .map(str::to_owned)
            .collect())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let inode = self
            .lock_state()
            .names
            .get(name)
            .copied()
            .ok_or_else(|| not_found(name))?;
        Ok(Arc::new(SimHandle {
            disk: self.clone(),
            inode,
        }))
    }

    fn create(&self, name: &str, len: u64) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.lock_state();
        let call = state.call(true);
        if let Call::Fails(error) = call {
            return Err(error);
        }
        let inode = state.next_inode;
        state.next_inode += 1;
        let mut file = SimFile {
            cache: vec![0; len as usize],
            ..SimFile::default()
        };
        // Blocks that were never synced may show what another file left there.
        let garbage = next_random(&mut state.random) as u8 | 1;
        if len > 0 {
            file.durable = vec![garbage; (len as usize).min(128 * SECTOR)];
        }
        file.pending = (0..(len as usize).div_ceil(SECTOR))
            .map(|sector| (sector, vec![[0; SECTOR]]))
            .collect();
        state.files.insert(inode, file);
        state.change_name(NameChange::Set(name.to_owned(), inode));
        match call {
            Call::Works => Ok(Arc::new(SimHandle {
                disk: self.clone(),
                inode,
            })),
            Call::LastGasp | Call::Fails(_) => Err(power_gone()),
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.lock_state();
        let call = state.call(false);
        if let Call::Fails(error) = call {
            return Err(error);
        }
        if !state.names.contains_key(from) {
            return Err(not_found(from));
        }
        state.change_name(NameChange::Move(from.to_owned(), to.to_owned()));
        if matches!(call, Call::LastGasp) {
            Err(power_gone())
        } else {
            Ok(())
        }
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.lock_state();
        let call = state.call(false);
        if let Call::Fails(error) = call {
            return Err(error);
        }
        if !state.names.contains_key(name) {
            return Err(not_found(name));
        }
        state.change_name(NameChange::Remove(name.to_owned()));
        if matches!(call, Call::LastGasp) {
            Err(power_gone())
        } else {
            Ok(())
        }
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.lock_state();
        match state.call(false) {
            Call::Works if state.lie == Some(Lie::DirSync) => Ok(()),
            Call::Works => {
                state.durable_names = state.names.clone();
                state.pending_names.clear();
                Ok(())
            }
            Call::LastGasp => Err(power_gone()),
            Call::Fails(error) => Err(error),
        }
    }

    fn lock(&self) -> Result<LockGuard, LockError> {
        if self.locked.swap(true, Ordering::AcqRel) {
            return Err(LockError::Held {
                holder: Some("another store in this test".to_owned()),
            });
        }
        Ok(LockGuard::new(
            Box::new(FlagLock(self.locked.clone())),
            None,
        ))
    }

    fn now_ms(&self) -> i64 {
        self.lock_state().clock_ms
    }

    fn random_u64(&self) -> io::Result<u64> {
        Ok(next_random(&mut self.lock_state().random))
    }
}

struct SimHandle {
    disk: SimDisk,
    inode: u64,
}

impl SimHandle {
    fn with<T>(&self, act: impl FnOnce(&mut SimState, &mut SimFile) -> T) -> io::Result<T> {
        let mut state = self.disk.lock_state();
        let mut file = state
            .files
            .remove(&self.inode)
            .ok_or_else(|| not_found("(closed)"))?;
        // A planned panic must not take the file with it.
        let acted = catch_unwind(AssertUnwindSafe(|| act(&mut state, &mut file)));
        state.files.insert(self.inode, file);
        drop(state);
        acted.map_or_else(|panic| resume_unwind(panic), Ok)
    }
}

impl DiskFile for SimHandle {
    fn len_bytes(&self) -> io::Result<u64> {
        self.with(|_, file| file.cache.len() as u64)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.with(|state, file| {
            let call = state.call(false);
            if let Call::Fails(error) = call {
                return Err(error);
            }
            let (start, end) = (offset as usize, offset as usize + bytes.len());
            if file.cache.len() < end {
                return Err(out_of_range(
                    offset,
                    bytes.len() as u64,
                    file.cache.len() as u64,
                ));
            }
            file.cache[start..end].copy_from_slice(bytes);
            for sector in start / SECTOR..end.div_ceil(SECTOR) {
                let from = sector * SECTOR;
                let to = (from + SECTOR).min(file.cache.len());
                let mut version = [0; SECTOR];
                version[..to - from].copy_from_slice(&file.cache[from..to]);
                file.pending.entry(sector).or_default().push(version);
            }
            if matches!(call, Call::LastGasp) {
                Err(power_gone())
            } else {
                Ok(())
            }
        })?
    }

    fn sync(&self) -> io::Result<()> {
        self.with(|state, file| match state.call(false) {
            Call::Works if state.lies_about(self.inode) => Ok(()),
            Call::Works => {
                file.durable.resize(file.cache.len(), 0);
                for (sector, versions) in std::mem::take(&mut file.pending) {
                    if let Some(newest) = versions.last() {
                        let start = sector * SECTOR;
                        let end = (start + SECTOR).min(file.durable.len());
                        file.durable[start..end].copy_from_slice(&newest[..end - start]);
                    }
                }
                Ok(())
            }
            Call::LastGasp => Err(power_gone()),
            Call::Fails(error) => {
                // Linux marks the pages clean although they never arrived.
                file.pending.clear();
                Err(error)
            }
        })?
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.with(|_, file| {
            let (start, end) = (offset as usize, offset as usize + buf.len());
            let found = file.cache.get(start..end);
            let found = found
                .ok_or_else(|| out_of_range(offset, buf.len() as u64, file.cache.len() as u64))?;
            buf.copy_from_slice(found);
            Ok(())
        })?
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
