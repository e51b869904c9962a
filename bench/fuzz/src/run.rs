//! Trials of a target, one seed after the other: panics are caught, hangs are named by a watchdog, findings are shrunk and
//! written down. Here because all targets share it. Must stay true: trial `n` of seed `s` is trial 0 of seed `s + n`; if the
//! process dies, the seed of its last trial stands in the file `last-trial-TARGET`.

use std::io::{Seek as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use flin_testkit::rng::Rng;
use flin_testkit::shrink::shrink;

use crate::ground::Ground;
use crate::target::{Tally, Target, Trial, Verdict};

/// A single trial takes milliseconds; one that takes this long hangs. (Far above what a busy machine explains.)
const HANG_SECONDS: u64 = 120;

/// How long to go on.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// So many trials.
    Runs(u64),
    /// So much time.
    Time(Duration),
}

/// Something that should not have happened.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The target's name.
    pub target: &'static str,
    /// The seed whose first trial shows it.
    pub seed: u64,
    /// What happened.
    pub fault: String,
    /// The input, made as small as could be, and where it was written.
    pub program: Option<(String, PathBuf)>,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}, seed {}: {}", self.target, self.seed, self.fault)?;
        if let Some((text, path)) = &self.program {
            writeln!(f, "shrunk, in {}:\n{text}", path.display())?;
        }
        write!(
            f,
            "repeat it with: cargo xtask fuzz {} --seed {} --runs 1",
            self.target, self.seed
        )
    }
}

/// What is done with findings.
#[derive(Clone, Copy, Debug)]
pub struct Findings {
    /// Stop after so many of different causes.
    pub most: usize,
    /// How often a shrinker may ask whether a smaller program still fails.
    pub shrink_tries: usize,
}

impl Default for Findings {
    fn default() -> Findings {
        Findings {
            most: 5,
            shrink_tries: 800,
        }
    }
}

/// What a run gave.
#[derive(Debug)]
pub struct Report {
    /// The target's name.
    pub target: &'static str,
    /// The first seed.
    pub seed: u64,
    /// Trials made.
    pub runs: u64,
    /// What happened in them.
    pub tally: Tally,
    /// What should not have happened; one per cause.
    pub findings: Vec<Finding>,
}

impl Report {
    /// What must happen often enough and did not.
    pub fn too_rare(&self, target: &Target) -> Vec<String> {
        let share = |word: &str| self.tally.of(word) * 100 / self.runs.max(1);
        target
            .least
            .iter()
            .filter(|(word, least)| share(word) < *least)
            .map(|(word, least)| {
                format!(
                    "{}: only {} % of {} trials `{word}`, {least} % is the least",
                    self.target,
                    share(word),
                    self.runs
                )
            })
            .collect()
    }
}

/// Tries a target; stops after the most findings of different causes.
///
/// # Panics
/// When the files for findings cannot be written.
pub fn run(
    target: &'static Target,
    ground: &Ground,
    seed: u64,
    until: Until,
    findings: Findings,
) -> Report {
    keep_panics_quiet();
    let last = findings_folder().join(format!("last-trial-{}", target.name));
    let mut last = std::fs::File::create(last).expect("a file for the last seed");
    let watchdog = Watchdog::start(target.name);
    let mut report = Report {
        target: target.name,
        seed,
        runs: 0,
        tally: Tally::default(),
        findings: Vec::new(),
    };
    let mut causes = Vec::new();
    let start = Instant::now();
    loop {
        let done = match until {
            Until::Runs(runs) => report.runs >= runs,
            Until::Time(time) => start.elapsed() >= time,
        };
        if done || report.findings.len() >= findings.most {
            return report;
        }
        let trial_seed = seed.wrapping_add(report.runs);
        report.runs += 1;
        last.rewind().expect("goes back");
        write!(last, "seed {trial_seed:20}").expect("writes");
        watchdog.trial(trial_seed);
        let (input, verdict) = try_once(target, ground, trial_seed, &mut report.tally);
        let Err(fault) = verdict else {
            continue;
        };
        let cause = cause_of(&fault);
        if causes.contains(&cause) {
            continue;
        }
        let failing = Failing {
            target,
            seed: trial_seed,
            cause: &cause,
        };
        let program = input.map(|text| failing.written(&watchdog, &text, findings.shrink_tries));
        causes.push(cause);
        report.findings.push(Finding {
            target: target.name,
            seed: trial_seed,
            fault,
            program,
        });
    }
}

/// Makes and judges the first trial of a seed.
fn try_once(
    target: &Target,
    ground: &Ground,
    seed: u64,
    tally: &mut Tally,
) -> (Option<String>, Verdict) {
    let mut rng = Rng::new(seed);
    match target.trial {
        Trial::Text { make, judge } => {
            let text = match guarded(|| Ok(make(ground, &mut rng))) {
                Ok(text) => text,
                Err(fault) => return (None, Err(format!("making the input: {fault}"))),
            };
            let verdict = guarded(|| judge(&text, tally));
            (Some(text), verdict)
        }
        Trial::Seed(trial) => (None, guarded(|| trial(ground, &mut rng, tally))),
    }
}

/// A trial that failed.
struct Failing<'a> {
    target: &'a Target,
    seed: u64,
    cause: &'a str,
}

impl Failing<'_> {
    /// Shrinks a failing text and writes it down.
    fn written(&self, watchdog: &Watchdog, text: &str, tries: usize) -> (String, PathBuf) {
        let Trial::Text { judge, .. } = self.target.trial else {
            unreachable!("only texts are shrunk")
        };
        let name = format!("{}-{}.flin", self.target.name, self.seed);
        let path = findings_folder().join(name);
        std::fs::write(path.with_extension("whole.flin"), text).expect("a file for the finding");
        let small = smaller(judge, text, self.cause, tries, || watchdog.trial(self.seed));
        std::fs::write(&path, &small).expect("a file for the finding");
        (small, path)
    }
}

/// The smallest text found that fails for the same cause.
fn smaller(
    judge: fn(&str, &mut Tally) -> Verdict,
    text: &str,
    cause: &str,
    tries: usize,
    alive: impl Fn(),
) -> String {
    let mut tally = Tally::default();
    shrink(text, tries, |smaller| {
        alive();
        match guarded(|| judge(smaller, &mut tally)) {
            Ok(()) => false,
            Err(fault) => cause_of(&fault) == cause,
        }
    })
}

/// Judges one text; what is wrong with it, and a smaller text with the same fault.
///
/// # Errors
/// If something is wrong, or the target takes no texts.
pub fn judge(target: &Target, text: &str, findings: Findings) -> Result<(), (String, String)> {
    keep_panics_quiet();
    let Trial::Text { judge, .. } = target.trial else {
        return Err(("this target takes no texts".to_owned(), String::new()));
    };
    let Err(fault) = guarded(|| judge(text, &mut Tally::default())) else {
        return Ok(());
    };
    let cause = cause_of(&fault);
    let small = smaller(judge, text, &cause, findings.shrink_tries, || {});
    Err((fault, small))
}

/// The first line without numbers and what stands in quotes: the same for inputs that fail for the same reason.
fn cause_of(fault: &str) -> String {
    let first = fault.lines().next().unwrap_or_default();
    if first.starts_with("panicked") || first.starts_with("refused") {
        return first.to_owned();
    }
    let mut cause = String::new();
    for (number, part) in first.split('`').enumerate() {
        if number % 2 == 0 {
            cause.extend(part.chars().filter(|c| !c.is_ascii_digit()));
        }
    }
    cause
}

/// Runs `body`; a panic becomes a fault that begins with its place.
fn guarded<T>(body: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    GUARDED.store(true, Ordering::SeqCst);
    let result = catch_unwind(AssertUnwindSafe(body));
    GUARDED.store(false, Ordering::SeqCst);
    result.unwrap_or_else(|_| {
        let words = LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner);
        Err(format!("panicked {words}"))
    })
}

static LAST_PANIC: Mutex<String> = Mutex::new(String::new());
/// A trial runs: its panics are findings.
static GUARDED: AtomicBool = AtomicBool::new(false);

/// Panics are findings, not lines on stderr.
fn keep_panics_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !GUARDED.load(Ordering::SeqCst) {
                return before(info);
            }
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            let text = info.payload_as_str().unwrap_or("without words");
            let mut last = LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner);
            *last = format!("at {place}\n{text}");
        }));
    });
}

/// Where findings are written: `fuzz` in Cargo's target folder.
///
/// # Panics
/// When it cannot be made.
pub fn findings_folder() -> PathBuf {
    let program = std::env::current_exe().expect("the program's own path");
    let target = program
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").exists());
    let folder = target
        .map_or_else(std::env::temp_dir, Into::into)
        .join("fuzz");
    std::fs::create_dir_all(&folder).expect("a folder for findings");
    folder
}

/// Ends the process with the seed of a trial that does not end.
struct Watchdog {
    seed: Arc<AtomicU64>,
    /// Seconds since `start`, when the trial began.
    since: Arc<AtomicU64>,
    start: Instant,
    over: Arc<AtomicBool>,
}

impl Watchdog {
    fn start(target: &'static str) -> Watchdog {
        let watchdog = Watchdog {
            seed: Arc::new(AtomicU64::new(0)),
            since: Arc::new(AtomicU64::new(0)),
            start: Instant::now(),
            over: Arc::new(AtomicBool::new(false)),
        };
        let (seed, since, start, over) = (
            watchdog.seed.clone(),
            watchdog.since.clone(),
            watchdog.start,
            watchdog.over.clone(),
        );
        std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(500));
                let for_seconds = start.elapsed().as_secs() - since.load(Ordering::Relaxed);
                if for_seconds > HANG_SECONDS && !over.load(Ordering::Relaxed) {
                    let seed = seed.load(Ordering::Relaxed);
                    eprintln!(
                        "{target}, seed {seed}: no end after {HANG_SECONDS} seconds\n\
                         repeat it with: cargo xtask fuzz {target} --seed {seed} --runs 1"
                    );
                    // A thread cannot be ended from outside.
                    std::process::exit(101);
                }
            }
        });
        watchdog
    }

    fn trial(&self, seed: u64) {
        self.seed.store(seed, Ordering::Relaxed);
        self.since
            .store(self.start.elapsed().as_secs(), Ordering::Relaxed);
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::cause_of;

    #[test]
    fn findings_of_one_cause_are_told_by_their_first_line() {
        assert_eq!(
            cause_of("seed 12 of `x` failed\nmore"),
            cause_of("seed 7 of `yy` failed")
        );
        assert_ne!(
            cause_of("panicked at a.rs:1:2\n"),
            cause_of("panicked at a.rs:3:2\n")
        );
    }
}
