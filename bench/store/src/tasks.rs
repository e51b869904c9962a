//! Many writers at once: as tasks, none of which has a thread of its own (the way a server runs them: the answer to a commit
//! makes its task ready, one thread goes on with whatever is ready), and as threads that sleep until they are answered.
//! Must stay true: each writer has one commit in flight at most, and its next one begins when that is durable.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::figures::Latencies;

/// What came back for a commit.
pub type Answer = Result<(), String>;
/// Called with it, on whatever thread.
pub type Done = Box<dyn FnOnce(Answer) + Send>;

/// Somebody to whom a commit can be given without waiting for it.
pub trait Submit: Sync {
    /// Starts a commit of one note; `done` is called when it is durable.
    ///
    /// # Errors
    /// When it cannot be started.
    fn submit(&self, serial: u64, done: Done) -> Result<(), String>;
}

/// What writers did together.
#[derive(Debug, Default)]
pub struct Ran {
    /// How long each commit took from its beginning to its answer.
    pub latencies: Latencies,
    /// From the first beginning to the last answer.
    pub elapsed: Duration,
}

impl Ran {
    /// Commits in a second.
    pub fn rate(&self) -> f64 {
        self.latencies.count() as f64 / self.elapsed.as_secs_f64()
    }
}

/// How often the thread that drives tasks looks before it sleeps: some microseconds.
const LOOKS: usize = 32;

#[derive(Default)]
struct Ready {
    tasks: Mutex<Vec<(usize, Answer)>>,
    some: Condvar,
}

impl Ready {
    fn push(&self, task: usize, answer: Answer) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.push((task, answer));
        let first = tasks.len() == 1;
        // Who is woken must not find the lock taken.
        drop(tasks);
        if first {
            self.some.notify_one();
        }
    }

    /// Waits for something to be ready; looks a few times before it sleeps, as executors do, so that answers that come
    /// together are found together.
    fn take(&self, into: &mut Vec<(usize, Answer)>) {
        for _look in 0..LOOKS {
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            if !tasks.is_empty() {
                into.append(&mut tasks);
                return;
            }
            drop(tasks);
            std::thread::yield_now();
        }
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.is_empty() {
            tasks = self
                .some
                .wait(tasks)
                .unwrap_or_else(PoisonError::into_inner);
        }
        into.append(&mut tasks);
    }
}

/// When tasks stop to begin commits.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// After so long.
    Time(Duration),
    /// After so many.
    Commits(u64),
}

/// Lets `count` tasks commit for a while, all driven by this thread.
///
/// # Errors
/// The first commit that fails.
pub fn tasks(count: usize, limit: Limit, store: &dyn Submit) -> Result<Ran, String> {
    let ready = Arc::new(Ready::default());
    let start = Instant::now();
    let mut began = vec![start; count];
    let mut serial = 0;
    let mut begin = |task: usize, began: &mut Vec<Instant>| {
        began[task] = Instant::now();
        serial += 1;
        let ready = Arc::clone(&ready);
        store.submit(serial, Box::new(move |answer| ready.push(task, answer)))
    };
    for task in 0..count {
        begin(task, &mut began)?;
    }
    let mut ran = Ran::default();
    let (mut in_flight, mut answered) = (count, Vec::new());
    while in_flight > 0 {
        ready.take(&mut answered);
        let now = Instant::now();
        for (task, answer) in answered.drain(..) {
            answer?;
            ran.latencies.add(now - began[task]);
            let goes_on = match limit {
                Limit::Time(time) => now - start < time,
                Limit::Commits(commits) => (ran.latencies.count() + in_flight) as u64 <= commits,
            };
            if goes_on {
                begin(task, &mut began)?;
            } else {
                in_flight -= 1;
            }
        }
    }
    ran.elapsed = start.elapsed();
    Ok(ran)
}

/// Lets `count` threads commit for a while, each waiting for its own commits.
///
/// # Errors
/// The first commit that fails.
pub fn threads(count: usize, time: Duration, store: &dyn Submit) -> Result<Ran, String> {
    let start = Instant::now();
    let one = |thread: usize| -> Result<Latencies, String> {
        let mut latencies = Latencies::default();
        while start.elapsed() < time {
            let began = Instant::now();
            let (sender, receiver) = std::sync::mpsc::sync_channel(1);
            // The receiver waits just below, so sending cannot fail.
            let done = move |answer| drop(sender.send(answer));
            store.submit(thread as u64, Box::new(done))?;
            answer(&receiver)?;
            latencies.add(began.elapsed());
        }
        Ok(latencies)
    };
    let mut ran = Ran::default();
    std::thread::scope(|scope| {
        let one = &one;
        let all: Vec<_> = (0..count)
            .map(|thread| scope.spawn(move || one(thread)))
            .collect();
        for thread in all {
            let latencies = thread
                .join()
                .map_err(|_| "a writer panicked".to_owned())??;
            ran.latencies.append(latencies);
        }
        Ok::<(), String>(())
    })?;
    ran.elapsed = start.elapsed();
    Ok(ran)
}

fn answer(receiver: &Receiver<Answer>) -> Answer {
    let gone = |_| Err("the store went away without an answer".to_owned());
    receiver.recv().unwrap_or_else(gone)
}
