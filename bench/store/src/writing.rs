//! Durable commits: one writer, 64 tasks, 64 threads. Must stay true: everybody takes turns with the reference loop, a ratio is to
//! the loop just before and just after it, and the median turn counts.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::batcher::Batcher;
use crate::contestant::{Contestant, Entrant};
use crate::figures::{head, median, row};
use crate::flin::{Flin, committed};
use crate::note::Pool;
use crate::reference::Reference;
use crate::tasks::{Done, Limit, Ran, Submit, tasks, threads};

/// Writers at once, where there are many.
pub const WRITERS: usize = 64;

/// So much the loop's rate may differ before and after a turn.
const STEADY: f64 = 1.5;

/// How writers come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writers {
    /// One, which waits for each commit.
    One,
    /// [`WRITERS`] without threads of their own.
    Tasks,
    /// [`WRITERS`] that sleep until they are answered.
    Threads,
}

impl Writers {
    /// All of them with their titles.
    pub const ALL: [(Writers, &'static str); 3] = [
        (Writers::One, "1 writer"),
        (Writers::Tasks, "64 tasks"),
        (Writers::Threads, "64 threads"),
    ];
}

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How often everybody has a turn.
    pub rounds: usize,
    /// How long a turn is.
    pub turn: Duration,
    /// Bytes of one commit of the reference loop.
    pub block: u64,
}

struct Writer {
    store: Open,
    next_id: AtomicU64,
}

enum Open {
    Flin(Flin),
    Peer(Box<dyn Contestant>),
}

impl Submit for Flin {
    fn submit(&self, serial: u64, done: Done) -> Result<(), String> {
        let transaction = self.inserting(serial)?;
        let told = move |outcome| done(committed(&outcome));
        self.store.commit(transaction, None, Box::new(told));
        Ok(())
    }
}

/// All ratios and latencies of one contestant for one kind of writers.
#[derive(Default)]
struct Column {
    ratios: Vec<f64>,
    rates: Vec<f64>,
    ran: Ran,
}

/// The table of commits, everybody in a folder below `dir`.
///
/// # Errors
/// The first failure of any store.
pub fn measure(dir: &Path, entrants: &[Entrant], plan: Plan) -> Result<String, String> {
    let pool = Pool::default();
    let mut reference = Reference::new(&dir.join("reference"), plan.block)?;
    let mut writers = Vec::new();
    for entrant in entrants {
        let folder = dir.join(entrant.name);
        let store = if entrant.name == "flin" {
            Open::Flin(Flin::open(&folder)?)
        } else {
            Open::Peer((entrant.open)(&folder)?)
        };
        let next_id = AtomicU64::new(1);
        writers.push(Writer { store, next_id });
    }
    let mut text = String::new();
    for (kind, title) in Writers::ALL {
        let mut columns: Vec<Column> = entrants.iter().map(|_| Column::default()).collect();
        let (mut alone, mut batched) = (Column::default(), Column::default());
        for _round in 0..plan.rounds {
            let mut before = bare(&mut reference, 1, plan.turn)?.rate();
            for (column, writer) in columns.iter_mut().zip(&writers) {
                let ran = writer.turn(kind, plan.turn, &pool)?;
                let now = bare(&mut reference, 1, plan.turn / 2)?;
                let after = now.rate();
                column.add((before, after), ran);
                alone.add((after, after), now);
                before = after;
            }
            if kind == Writers::Tasks {
                let ran = bare(&mut reference, WRITERS, plan.turn)?;
                let now = bare(&mut reference, 1, plan.turn / 2)?;
                batched.add((before, now.rate()), ran);
            }
        }
        text += &head(&[
            title,
            "x one sync",
            "commits/s",
            "p50 µs",
            "p99 µs",
            "max µs",
        ]);
        text += &alone.row("bare write + sync");
        if kind == Writers::Tasks {
            text += &batched.row("bare write of 64 + sync");
        }
        for (column, entrant) in columns.iter_mut().zip(entrants) {
            text += &column.row(entrant.name);
        }
        text.push('\n');
    }
    Ok(text)
}

impl Column {
    /// A turn, and the rate of the loop before and after it. If the disk became another one meanwhile (some are ten times
    /// faster for seconds and slower again), the turn says nothing and does not count.
    fn add(&mut self, (before, after): (f64, f64), ran: Ran) {
        if before.max(after) > STEADY * before.min(after) {
            return;
        }
        self.rates.push(ran.rate());
        self.ratios.push(ran.rate() * 2.0 / (before + after));
        self.ran.latencies.append(ran.latencies);
    }

    fn row(&mut self, name: &str) -> String {
        let [half, most, all] = self.ran.latencies.percentiles();
        row(&[
            name.to_owned(),
            format!("{:.2}", median(&self.ratios)),
            format!("{:.0}", median(&self.rates)),
            half.to_string(),
            most.to_string(),
            all.to_string(),
        ])
    }
}

/// The reference loop for a while.
fn bare(reference: &mut Reference, commits: usize, time: Duration) -> Result<Ran, String> {
    let mut ran = Ran::default();
    let start = Instant::now();
    while start.elapsed() < time {
        let began = Instant::now();
        reference.commit(commits)?;
        let latency = began.elapsed();
        (0..commits).for_each(|_| ran.latencies.add(latency));
    }
    ran.elapsed = start.elapsed();
    Ok(ran)
}

impl Writer {
    fn turn(&self, kind: Writers, time: Duration, pool: &Pool) -> Result<Ran, String> {
        match (&self.store, kind) {
            (Open::Flin(flin), Writers::One) => self.one(flin, time, pool),
            (Open::Flin(flin), Writers::Tasks) => tasks(WRITERS, Limit::Time(time), flin),
            (Open::Flin(flin), Writers::Threads) => threads(WRITERS, time, flin),
            (Open::Peer(peer), Writers::One) => self.one(peer.as_ref(), time, pool),
            (Open::Peer(peer), Writers::Tasks) => {
                let batcher = Batcher::new(peer.as_ref(), pool, &self.next_id);
                batcher.serve(|batcher| tasks(WRITERS, Limit::Time(time), batcher))
            }
            (Open::Peer(peer), Writers::Threads) => {
                let batcher = Batcher::new(peer.as_ref(), pool, &self.next_id);
                batcher.serve(|batcher| threads(WRITERS, time, batcher))
            }
        }
    }

    fn one(&self, store: &dyn Contestant, time: Duration, pool: &Pool) -> Result<Ran, String> {
        let mut ran = Ran::default();
        let start = Instant::now();
        while start.elapsed() < time {
            let began = Instant::now();
            store.save(&[self.next_id.fetch_add(1, Ordering::Relaxed)], pool)?;
            ran.latencies.add(began.elapsed());
        }
        ran.elapsed = start.elapsed();
        Ok(ran)
    }
}
