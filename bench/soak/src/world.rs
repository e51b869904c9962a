//! What all clients of a soak share: where the server is, when to rest and when to end, what was counted, what was found. Must stay
//! true: nothing in it judges; whatever is found is kept with its words, and ends the soak soon.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::ledger::Ledger;

/// Findings after which a soak ends.
const FINDINGS_MAX: usize = 10;
/// How long a client may take to come to rest.
const REST_TIME: Duration = Duration::from_secs(180);

/// What is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// What clients asked for.
    Requests,
    /// Statuses that they were answered with.
    Answers,
    /// What came over live sockets.
    Messages,
    /// What was done to the server and to connections.
    Faults,
}

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// What was acknowledged is not there, or is there twice.
    Lost(String),
    /// An answer that is not the model's.
    Wrong(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Lost(text) => write!(f, "LOST: {text}"),
            Finding::Wrong(text) => write!(f, "WRONG: {text}"),
        }
    }
}

/// What all share.
pub struct World {
    /// Feeds everything random.
    pub seed: u64,
    /// What several writers know together.
    pub ledger: Ledger,
    /// Ids and versions of all books at the end, when no writer writes any more.
    pub last: OnceLock<HashMap<u64, u64>>,
    address: RwLock<Option<(u64, String)>>,
    rests: AtomicBool,
    ends: AtomicBool,
    resting: AtomicUsize,
    asked: AtomicU64,
    asked_max: u64,
    counts: Mutex<BTreeMap<(Group, String), u64>>,
    findings: Mutex<Vec<Finding>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// A world in which nobody has done anything; it ends after so many requests.
    pub fn new(seed: u64, asked_max: u64) -> World {
        World {
            seed,
            ledger: Ledger::default(),
            last: OnceLock::new(),
            address: RwLock::default(),
            rests: AtomicBool::new(false),
            ends: AtomicBool::new(false),
            resting: AtomicUsize::new(0),
            asked: AtomicU64::new(0),
            asked_max,
            counts: Mutex::default(),
            findings: Mutex::default(),
        }
    }

    /// Number of the server's life, and where it listens; none while it is down.
    pub fn address(&self) -> Option<(u64, String)> {
        let address = self.address.read().unwrap_or_else(PoisonError::into_inner);
        address.clone()
    }

    /// The server listens there from now on, or nowhere.
    pub fn moved(&self, address: Option<(u64, String)>) {
        *self.address.write().unwrap_or_else(PoisonError::into_inner) = address;
    }

    /// One more of a kind.
    pub fn count(&self, group: Group, kind: &str) {
        let mut counts = lock(&self.counts);
        match counts.get_mut(&(group, kind.to_owned())) {
            Some(count) => *count += 1,
            None => drop(counts.insert((group, kind.to_owned()), 1)),
        }
        if group == Group::Requests {
            self.asked.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What was counted of a group.
    pub fn counted(&self, group: Group) -> Vec<(String, u64)> {
        let counts = lock(&self.counts);
        let of = counts.iter().filter(|((of, _), _)| *of == group);
        of.map(|((_, kind), count)| (kind.clone(), *count))
            .collect()
    }

    /// Something that was acknowledged is gone, or there twice.
    pub fn lost(&self, text: impl Into<String>) {
        lock(&self.findings).push(Finding::Lost(text.into()));
    }

    /// An answer is not the model's.
    pub fn wrong(&self, text: impl Into<String>) {
        lock(&self.findings).push(Finding::Wrong(text.into()));
    }

    /// What was found so far.
    pub fn findings(&self) -> Vec<Finding> {
        lock(&self.findings).clone()
    }

    /// Whether there is no more to be done: the time is over, enough was asked, or enough was found.
    pub fn is_over(&self) -> bool {
        self.ends.load(Ordering::Relaxed)
            || self.asked.load(Ordering::Relaxed) >= self.asked_max
            || lock(&self.findings).len() >= FINDINGS_MAX
    }

    /// Whether all are asked to rest.
    pub fn is_resting(&self) -> bool {
        self.rests.load(Ordering::Acquire)
    }

    /// For a client, before each step: whether it goes on. While all rest it leaves the server by `leave`, and waits.
    pub fn goes_on(&self, leave: impl FnOnce()) -> bool {
        if self.rests.load(Ordering::Acquire) {
            leave();
            self.resting.fetch_add(1, Ordering::AcqRel);
            while self.rests.load(Ordering::Acquire) && !self.is_over() {
                std::thread::sleep(Duration::from_millis(5));
            }
            self.resting.fetch_sub(1, Ordering::AcqRel);
        }
        !self.is_over()
    }

    /// Lets all clients rest; comes back when they do.
    pub fn rest(&self, clients: usize) {
        self.rests.store(true, Ordering::Release);
        let patience = Instant::now() + REST_TIME;
        while self.resting.load(Ordering::Acquire) < clients && !self.is_over() {
            if Instant::now() > patience {
                return self.wrong("a client got no answer for minutes");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Lets them go on.
    pub fn work(&self) {
        self.rests.store(false, Ordering::Release);
    }

    /// Lets them end.
    pub fn end(&self) {
        self.ends.store(true, Ordering::Release);
        self.work();
    }
}
