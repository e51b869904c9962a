//! Who may compute: as many requests at a time as there are cores, in turns. Here because one endless loop per core would
//! otherwise keep everybody waiting until its time is over.
//!
//! A request holds a turn while it runs. When it has run longer, by a quantum, than somebody who waits, it hands its turn
//! over, in the middle of its program (its thread sleeps between two slices of fuel). So who needs little is hardly ever behind
//! those who need much: whoever has run a quantum makes room at its next slice. Requests that use much memory are few at a time, so that many greedy ones are not greedy together.
//! Whoever's time is over while it waits is woken first, to end.
//! Must stay true: who is told not to wait (a run that holds the store) never sleeps here; a turn is given back even if
//! the run panics.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// How much longer than somebody who waits a request may have run: little beside what a person notices, much beside what it
/// takes to hand a turn over (some microseconds).
const QUANTUM: Duration = Duration::from_millis(2);
/// Nobody waits.
const NOBODY: u64 = u64::MAX;
/// From so much memory on a request is one of the large ones.
const LARGE_BYTES: usize = 16 << 20;

/// The turns of a runtime.
pub(crate) struct Turns {
    state: Mutex<State>,
    /// What the one who may go next has run so far, in nanoseconds: readable without the lock, after every slice. Only a hint:
    /// the lock decides.
    least: AtomicU64,
    most: usize,
}

#[derive(Default)]
struct State {
    running: usize,
    /// Large requests that run or sleep, but have got leave to be large.
    large: usize,
    waiting: Vec<Waiting>,
}

struct Waiting {
    /// What it has run so far.
    used: Duration,
    wants_to_be_large: bool,
    call: Arc<Call>,
}

struct Call {
    given: AtomicBool,
    thread: Thread,
}

/// Starts a thread for waiting work, if work waits and threads are lacking.
pub(crate) trait Lender {
    /// Whether work waits; asked after every slice.
    fn is_asked(&self) -> bool;
    /// Looks after waiting work.
    fn lend(&self);
    /// The thread of a turn begins to wait for the world outside: other work may need another thread meanwhile. False: too many
    /// do so already, and it must not.
    fn leave(&self) -> bool;
    /// It goes on, after it was let go.
    fn come_back(&self);
}

impl Turns {
    /// So many at a time.
    pub(crate) fn new(most: usize) -> Turns {
        Turns {
            state: Mutex::default(),
            least: AtomicU64::new(NOBODY),
            most: most.max(1),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn. One that does not hand over is kept to the end.
    pub(crate) fn take<'a>(&'a self, lender: &'a dyn Lender, hands_over: bool) -> Turn<'a> {
        self.wait(self.lock(), Duration::ZERO, false, None);
        Turn {
            turns: self,
            lender,
            hands_over,
            used: Duration::ZERO,
            since: Instant::now(),
            large: false,
        }
    }

    // Sleeps until it is this thread's turn; false if it did not get leave to be large, because its time was over. `state`
    // counts it as not running.
    fn wait(
        &self,
        mut state: MutexGuard<'_, State>,
        used: Duration,
        wants_to_be_large: bool,
        deadline: Option<Instant>,
    ) -> bool {
        let call = Arc::new(Call {
            given: AtomicBool::new(false),
            thread: std::thread::current(),
        });
        state.waiting.push(Waiting {
            used,
            wants_to_be_large,
            call: Arc::clone(&call),
        });
        self.give(&mut state);
        drop(state);
        let mut got_leave = wants_to_be_large;
        let mut deadline = deadline;
        while !call.given.load(Ordering::Acquire) {
            let Some(end) = deadline else {
                std::thread::park();
                continue;
            };
            let rest = end.saturating_duration_since(Instant::now());
            if !rest.is_zero() {
                std::thread::park_timeout(rest);
                continue;
            }
            deadline = None;
            let mut state = self.lock();
            let is_mine = |waiting: &&mut Waiting| Arc::ptr_eq(&waiting.call, &call);
            if let Some(mine) = state.waiting.iter_mut().find(is_mine) {
                mine.used = Duration::ZERO;
                mine.wants_to_be_large = false;
                got_leave = false;
                self.give(&mut state);
            }
        }
        got_leave
    }

    // Gives free turns to those who have run least, and says who would be next. To be called after every change.
    fn give(&self, state: &mut State) {
        let mut next = self.next(state);
        while state.running < self.most
            && let Some(at) = next
        {
            let waiting = state.waiting.remove(at);
            state.running += 1;
            state.large += usize::from(waiting.wants_to_be_large);
            waiting.call.given.store(true, Ordering::Release);
            waiting.call.thread.unpark();
            next = self.next(state);
        }
        let least = next.map_or(NOBODY, |at| nanoseconds(state.waiting[at].used));
        self.least.store(least, Ordering::Relaxed);
    }

    // Who of those who wait has run least, of those that may run now; the first of equals.
    fn next(&self, state: &State) -> Option<usize> {
        let may = state.large < self.most;
        state
            .waiting
            .iter()
            .enumerate()
            .filter(|(_, waiting)| may || !waiting.wants_to_be_large)
            .min_by_key(|(_, waiting)| waiting.used)
            .map(|(at, _)| at)
    }

    // Whether one who has run so long must let somebody go first.
    fn is_behind(&self, used: Duration) -> bool {
        let least = self.least.load(Ordering::Relaxed);
        nanoseconds(used) >= least.saturating_add(nanoseconds(QUANTUM))
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(NOBODY - 1)
}

/// Leave to compute, given back when it is dropped.
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    lender: &'a dyn Lender,
    hands_over: bool,
    used: Duration,
    since: Instant,
    large: bool,
}

impl Turn<'_> {
    /// A slice of the program has ended; it uses so much memory now. May sleep, until its turn comes or a little beyond
    /// its deadline; tells whether it slept.
    pub(crate) fn slice(
        &mut self,
        now: Instant,
        memory_bytes: usize,
        deadline: Option<Instant>,
    ) -> bool {
        if !self.hands_over {
            return false;
        }
        let used = self.used + now.saturating_duration_since(self.since);
        if used >= QUANTUM && self.lender.is_asked() {
            self.lender.lend();
        }
        let grows = !self.large && memory_bytes >= LARGE_BYTES;
        let turns = self.turns;
        if !(grows || turns.is_behind(used)) {
            return false;
        }
        let mut state = turns.lock();
        if turns.is_behind(used) || grows && state.large >= turns.most {
            self.used = used;
            state.running -= 1;
            self.large |= turns.wait(state, used, grows, deadline);
            self.since = Instant::now();
            true
        } else {
            state.large += usize::from(grows);
            self.large |= grows;
            turns.give(&mut state);
            false
        }
    }
}

impl Turn<'_> {
    /// Does what waits for the world outside; others compute meanwhile.
    pub(crate) fn outside<T>(&mut self, wait: impl FnOnce() -> T) -> Result<T, Stays> {
        if !self.hands_over {
            return Err(Stays::HoldsStore);
        }
        if !self.lender.leave() {
            return Err(Stays::Crowded);
        }
        self.used += self.since.elapsed();
        let mut state = self.turns.lock();
        state.running -= 1;
        self.turns.give(&mut state);
        drop(state);
        // Also if what it waits for panics: who holds a turn gives it back.
        let back = Back { turn: self };
        let found = wait();
        drop(back);
        Ok(found)
    }

    fn come_back(&mut self) {
        self.lender.come_back();
        self.turns.wait(self.turns.lock(), self.used, false, None);
        self.since = Instant::now();
    }
}

/// Why a run may not wait for the world outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stays {
    /// Too many do so already.
    Crowded,
    /// It clashed again and again and has the store for itself: everybody who saves would wait with it.
    HoldsStore,
}

impl std::fmt::Display for Stays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Stays::Crowded => {
                "too many requests to other servers are under way; please try again later"
            }
            Stays::HoldsStore => {
                "others changed the same records again and again, so this runs alone now, and while it does no other server can be asked; \
                 please try again"
            }
        })
    }
}

/// Takes the turn again at its end.
struct Back<'a, 't> {
    turn: &'a mut Turn<'t>,
}

impl Drop for Back<'_, '_> {
    fn drop(&mut self) {
        self.turn.come_back();
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.turns.lock();
        state.running -= 1;
        state.large -= usize::from(self.large);
        self.turns.give(&mut state);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    struct NoThreads;

    impl Lender for NoThreads {
        fn is_asked(&self) -> bool {
            false
        }
        fn lend(&self) {}
        fn leave(&self) -> bool {
            true
        }
        fn come_back(&self) {}
    }

    // A thread that takes a turn, says so, and gives it back when it is told.
    fn other(
        turns: &Arc<Turns>,
        name: &'static str,
        said: &mpsc::Sender<&'static str>,
        memory_bytes: usize,
    ) -> mpsc::Sender<()> {
        let (turns, said) = (Arc::clone(turns), said.clone());
        let (stop, told) = mpsc::channel();
        let busy = |turns: &Turns| {
            let state = turns.lock();
            state.waiting.len() + state.running
        };
        let before = busy(&turns);
        let in_thread = Arc::clone(&turns);
        std::thread::spawn(move || {
            let mut turn = in_thread.take(&NoThreads, true);
            let now = turn.since;
            turn.slice(now, memory_bytes, None);
            let _ = said.send(name);
            let _ = told.recv();
        });
        while busy(&turns) == before {
            std::thread::yield_now();
        }
        stop
    }

    #[test]
    fn who_has_run_long_lets_others_go_first() {
        let turns = Arc::new(Turns::new(1));
        let (say, said) = mpsc::channel();
        let mut long = turns.take(&NoThreads, true);
        let other = other(&turns, "other", &say, 0);
        long.slice(long.since + QUANTUM / 2, 0, None);
        assert!(said.try_recv().is_err(), "the first turn is not over");
        drop(other);
        long.slice(long.since + QUANTUM, 0, None);
        assert_eq!(said.recv(), Ok("other"));
        assert!(long.used >= QUANTUM);
    }

    #[test]
    fn who_has_run_long_already_makes_room_at_its_next_slice() {
        let turns = Arc::new(Turns::new(1));
        let (say, said) = mpsc::channel();
        let mut long = turns.take(&NoThreads, true);
        // Nobody waits: it goes on, however long it runs.
        assert!(!long.slice(long.since + QUANTUM * 50, 0, None));
        let other = other(&turns, "other", &say, 0);
        drop(other);
        assert!(long.slice(
            long.since + QUANTUM * 50 + Duration::from_micros(1),
            0,
            None
        ));
        assert_eq!(said.recv(), Ok("other"));
        // What is told without the lock is right again once the lock is free.
        let state = turns.lock();
        assert!(state.waiting.is_empty());
        assert_eq!(turns.least.load(Ordering::Relaxed), NOBODY);
    }

    #[test]
    fn who_does_not_hand_over_runs_to_its_end() {
        let turns = Arc::new(Turns::new(1));
        let (say, said) = mpsc::channel();
        let mut alone = turns.take(&NoThreads, false);
        let _other = other(&turns, "other", &say, 0);
        alone.slice(alone.since + QUANTUM * 100, LARGE_BYTES * 2, None);
        // Whoever asked another server then kept everybody from saving until that answered.
        assert_eq!(alone.outside(|| ()), Err(Stays::HoldsStore));
        assert!(said.try_recv().is_err());
        drop(alone);
        assert_eq!(said.recv(), Ok("other"));
    }

    #[test]
    fn few_are_large_at_a_time_and_small_ones_pass_them() {
        let turns = Arc::new(Turns::new(1));
        let (say, said) = mpsc::channel();
        let mut large = turns.take(&NoThreads, true);
        large.slice(large.since, LARGE_BYTES, None);
        assert_eq!(turns.lock().large, 1);
        let second = other(&turns, "second", &say, LARGE_BYTES);
        let small = other(&turns, "small", &say, 0);
        drop((second, small));
        // The second one begins and must wait; the small one passes both.
        large.slice(large.since + QUANTUM, LARGE_BYTES, None);
        assert_eq!(said.recv(), Ok("small"));
        assert!(said.try_recv().is_err());
        drop(large);
        assert_eq!(said.recv(), Ok("second"));
    }

    #[test]
    fn whoever_waits_beyond_its_time_is_woken_to_end() {
        let turns = Arc::new(Turns::new(2));
        let mut first = turns.take(&NoThreads, true);
        first.slice(first.since, LARGE_BYTES, None);
        let mut second = turns.take(&NoThreads, true);
        second.slice(second.since, LARGE_BYTES, None);
        // Both that may be large are, and none of them ends before the third one's time is over.
        let in_thread = Arc::clone(&turns);
        let third = std::thread::spawn(move || {
            let mut third = in_thread.take(&NoThreads, true);
            let now = third.since;
            third.slice(now, LARGE_BYTES, Some(now + Duration::from_millis(1)));
            third.large
        });
        second.slice(second.since + QUANTUM, LARGE_BYTES, None);
        while turns.lock().waiting.is_empty() && !third.is_finished() {
            second.slice(second.since + QUANTUM, LARGE_BYTES, None);
            std::thread::yield_now();
        }
        while !third.is_finished() {
            second.slice(second.since + QUANTUM, LARGE_BYTES, None);
        }
        assert!(!third.join().expect("it ends"));
        assert_eq!(turns.lock().large, 2);
    }
}
