//! Orders of events around the queue and the watermark, tried by a scheduler instead of by luck.
//!
//! The two files are compiled a second time here, over locks and atomics whose every step the scheduler decides. What must
//! stay true: nobody is forgotten, nobody works beside another, nobody waits for ever (the scheduler reports that), and no
//! reader sees a byte that is still being written.
#![allow(dead_code, reason = "the files have more than these tests use")]

#[path = "../src/map.rs"]
mod map;
#[path = "../src/queue.rs"]
mod queue;

mod threads {
    pub(crate) use shuttle::sync::atomic::{AtomicU64, Ordering};
    pub(crate) use shuttle::sync::{Arc, Condvar, Mutex, MutexGuard};
    pub(crate) use shuttle::thread::{ThreadId, current, yield_now};
    pub(crate) use std::sync::PoisonError;
}

mod committer {
    pub(crate) struct Committer;
}

mod limits {
    pub(crate) use flin_store::limits::BATCH_COMMITS_MAX;
}

mod outcome {
    pub(crate) use flin_store::CommitOutcome;
}

mod value {
    pub(crate) use flin_store::RequestId;
}

mod transaction {
    pub(crate) struct TransactionParts {
        pub(crate) exclusive: Option<crate::queue::ExclusiveTurn>,
    }
}

mod disk {
    pub(crate) fn out_of_range(_offset: u64, _len: u64, _end: u64) -> std::io::Error {
        std::io::Error::from(std::io::ErrorKind::UnexpectedEof)
    }
}

use std::os::unix::fs::FileExt;
use std::time::Duration;

use flin_store::CommitOutcome;
use queue::{ExclusiveTurn, Job, Next, Queue};
use threads::{Arc, AtomicU64, Mutex, Ordering};
use transaction::TransactionParts;

/// Orders tried per test.
const ORDERS: usize = 600;

/// What is committed: who was answered, in order, and who is at work.
#[derive(Default)]
struct Log {
    answered: Mutex<Vec<u64>>,
    working: AtomicU64,
    /// The token of the turn that is held, 0 for none.
    turn: AtomicU64,
}

fn job(log: &Arc<Log>, number: u64, exclusive: Option<ExclusiveTurn>) -> Job {
    let log = log.clone();
    Job {
        parts: TransactionParts { exclusive },
        request_id: None,
        on_done: Box::new(move |_| log.answered.lock().expect("no panic").push(number)),
    }
}

/// A worker, as the committer is one: late arrivals join a batch, turns are given back before the answers, and the
/// committer's own thread (`stays`) looks for another batch before it is done.
fn work(log: &Log, queue: &Queue, mut jobs: Vec<Job>, stays: bool) {
    assert_eq!(log.working.fetch_add(1, Ordering::SeqCst), 0, "one worker");
    loop {
        queue.late(8, &mut jobs);
        jobs.drain(..).for_each(|job| answer(log, job));
        if !stays || !queue.again(Duration::ZERO, &mut jobs) {
            break;
        }
    }
    log.working.fetch_sub(1, Ordering::SeqCst);
    queue.done(None);
}

fn answer(log: &Log, job: Job) {
    let held = log.turn.load(Ordering::SeqCst);
    let own = job.token().unwrap_or(0);
    assert!(held == 0 || held == own, "somebody else holds the turn");
    if own != 0 {
        log.turn.store(0, Ordering::SeqCst);
    }
    drop(job.parts);
    (job.on_done)(CommitOutcome::Clash);
}

/// Callers that commit by themselves when nobody is at work, callers that only put jobs into the queue, callers with the
/// exclusive turn, and the committer's thread.
fn everybody(callers: u64, pushers: u64, exclusive: u64) {
    let (queue, log) = (Arc::new(Queue::default()), Arc::new(Log::default()));
    let committer = {
        let (queue, log) = (queue.clone(), log.clone());
        shuttle::thread::spawn(move || {
            loop {
                let mut jobs = Vec::new();
                match queue.next(&mut jobs) {
                    Next::Jobs => work(&log, &queue, jobs, true),
                    Next::Errand(_) | Next::Idle => unreachable!("nobody sends one"),
                    Next::Closed => return,
                }
            }
        })
    };
    let mut threads = Vec::new();
    for number in 0..callers + pushers + exclusive {
        let (queue, log) = (queue.clone(), log.clone());
        threads.push(shuttle::thread::spawn(move || {
            if number < callers {
                let jobs = vec![job(&log, number, None)];
                if queue.try_enter(None) {
                    work(&log, &queue, jobs, false);
                } else {
                    assert!(queue.push(jobs).is_ok(), "it is not closed yet");
                }
            } else if number < callers + pushers {
                let jobs = vec![job(&log, number, None)];
                assert!(queue.push(jobs).is_ok(), "it is not closed yet");
            } else {
                let turn = queue.exclusive();
                assert_eq!(log.working.load(Ordering::SeqCst), 0, "nobody is at work");
                let alone = job(&log, number, Some(turn));
                let token = alone.token().expect("a turn");
                assert_eq!(log.turn.swap(token, Ordering::SeqCst), 0, "one turn");
                assert!(queue.push(vec![alone]).is_ok(), "it is not closed yet");
            }
        }));
    }
    for thread in threads {
        thread.join().expect("no panic");
    }
    queue.close();
    committer.join().expect("no panic");
    queue.ended();
    let mut answered = log.answered.lock().expect("no panic").clone();
    answered.sort_unstable();
    let all: Vec<u64> = (0..callers + pushers + exclusive).collect();
    assert_eq!(answered, all, "everybody is answered once");
}

#[test]
fn everybody_is_answered_once_by_one_worker() {
    shuttle::check_random(|| everybody(2, 2, 0), ORDERS);
}

#[test]
fn an_exclusive_turn_is_alone_and_is_given_back() {
    shuttle::check_random(|| everybody(1, 1, 2), ORDERS);
}

/// A turn that is dropped unused lets the others go on.
#[test]
fn a_dropped_turn_wakes_those_who_wait() {
    let orders = || {
        let (queue, log) = (Arc::new(Queue::default()), Arc::new(Log::default()));
        let turn = queue.exclusive();
        let waiter = {
            let (queue, log) = (queue.clone(), log.clone());
            shuttle::thread::spawn(move || {
                assert!(queue.enter(None), "it is not closed");
                work(&log, &queue, vec![job(&log, 1, None)], false);
            })
        };
        let other = {
            let queue = queue.clone();
            shuttle::thread::spawn(move || drop(queue.exclusive()))
        };
        drop(turn);
        waiter.join().expect("no panic");
        other.join().expect("no panic");
        assert_eq!(*log.answered.lock().expect("no panic"), [1]);
    };
    shuttle::check_random(orders, ORDERS);
}

/// One writes and then moves the watermark, others read: below it nothing is missing.
#[test]
fn nobody_reads_above_the_watermark() {
    let path = std::env::temp_dir().join(format!("flin-store-watermark-{}", std::process::id()));
    let orders = {
        let path = path.clone();
        move || {
            let file = std::fs::File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(&path)
                .expect("a file");
            file.write_all_at(&[0; 64], 0).expect("zeros");
            let map = Arc::new(map::FrozenMap::new(&file).expect("a mapping"));
            let readers: Vec<_> = (0..2)
                .map(|_| {
                    let map = map.clone();
                    shuttle::thread::spawn(move || {
                        for _ in 0..3 {
                            let end = map.frozen();
                            let bytes = map.slice(0, end).expect("it only grows");
                            assert!(bytes.iter().all(|byte| *byte == 7), "below {end}");
                            assert!(map.slice(1, 64).is_err(), "nothing beyond the mapping");
                        }
                    })
                })
                .collect();
            for (from, end) in [(0, 16), (16, 40), (40, 64)] {
                let bytes = vec![7; (end - from) as usize];
                file.write_all_at(&bytes, from).expect("bytes");
                map.freeze(end).expect("inside");
            }
            for reader in readers {
                reader.join().expect("no panic");
            }
        }
    };
    shuttle::check_random(orders, 200);
    std::fs::remove_file(path).expect("clean up");
}

/// Who commits in their own thread lets an errand go first: `compact` is not kept waiting by one busy writer.
#[test]
fn an_errand_is_not_overtaken() {
    let errand = || {
        let queue = Queue::default();
        queue.send(Box::new(|_| ()));
        assert!(!queue.try_enter(None), "an errand waits");
        assert!(matches!(queue.next(&mut Vec::new()), Next::Errand(_)));
        queue.done(None);
        assert!(queue.try_enter(None), "nothing waits");
        queue.done(None);
    };
    shuttle::check_random(errand, 1);
}
