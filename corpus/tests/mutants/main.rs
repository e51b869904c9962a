//! Damaged programs: really compiled modules are changed in code, tables and bytes, and whatever reader and verifier let
//! through must run to a result, an error or a stop, under small limits. Must stay true: never a panic, never a hang; both
//! ways of collecting garbage do the same; a change that means nothing changes nothing (the judge); undone checksums are
//! always noticed.
//!
//! Every mutant has a number and depends on nothing else. `FLIN_MUTANT=1234 cargo nextest run -p flin-corpus --test
//! mutants` runs that one alone; `FLIN_MUTANTS=100000` runs more of them, `FLIN_MUTANT_SEED=7` others. If the process
//! dies, the number of its last mutant stands in the file `last-mutant` in Cargo's folder for files of tests.
#![allow(clippy::disallowed_methods, reason = "tests read their own files")]

mod changes;
mod damage;
mod runs;

use std::collections::BTreeMap;
use std::io::{Seek as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use flin_bytecode::{Module, fbc};
use flin_testkit::rng::Rng;

use changes::Change;
use runs::Outcome;

const MUTANTS: u64 = 6_000;
const SEED: u64 = 0xF11A_C0DE;

/// A program as compiled, and what it does.
struct Subject {
    name: String,
    module: Module,
    outcome: Outcome,
}

/// What became of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// The reader refused the bytes.
    Unread,
    /// The verifier refused the module.
    Refused,
    /// It ran and did something else than the original.
    Changed,
    /// It ran and did what the original does.
    Unharmed,
}

#[test]
fn mutants_are_refused_or_run_to_an_end() {
    let subjects = subjects();
    let seed = number("FLIN_MUTANT_SEED").unwrap_or(SEED);
    let only = number("FLIN_MUTANT");
    let count = number("FLIN_MUTANTS").unwrap_or(MUTANTS);
    let last = Path::new(env!("CARGO_TARGET_TMPDIR")).join("last-mutant");
    let mut last = std::fs::File::create(last).expect("a file for the last number");
    let mut fates = BTreeMap::new();
    for mutant in only.map_or(0..count, |only| only..only + 1) {
        // So that it is known which one it was if the process dies.
        last.rewind().expect("goes back");
        write!(last, "seed {seed}, mutant {mutant:20}").expect("writes");
        let tried = catch_unwind(AssertUnwindSafe(|| try_one(&subjects, seed, mutant)));
        let fault = match tried {
            Ok(Ok((change, fate))) => {
                *fates.entry((change, fate)).or_insert(0_u64) += 1;
                continue;
            }
            Ok(Err(sentence)) => sentence,
            Err(panic) => format!("panicked: {}", words_of(&*panic)),
        };
        panic!(
            "mutant {mutant}: {fault}\nrepeat it with FLIN_MUTANT_SEED={seed} FLIN_MUTANT={mutant} \
             cargo nextest run -p flin-corpus --test mutants"
        );
    }
    println!("{fates:#?}");
    if only.is_none() {
        judge_shares(&fates);
    }
}

/// All kinds of fates must be met often enough, or the loop shows nothing.
fn judge_shares(fates: &BTreeMap<(Change, Fate), u64>) {
    let total: u64 = fates.values().sum();
    let share = |fate: Fate| {
        let met = fates.iter().filter(|((_, f), _)| *f == fate);
        met.map(|(_, n)| n).sum::<u64>() * 100 / total
    };
    for (fate, least) in [
        (Fate::Unread, 5),
        (Fate::Refused, 10),
        (Fate::Changed, 5),
        (Fate::Unharmed, 15),
    ] {
        assert!(
            share(fate) >= least,
            "only {} % of the mutants are {fate:?}: {fates:#?}",
            share(fate)
        );
    }
}

/// Makes one mutant and sees what becomes of it; an error is what should not have happened.
fn try_one(subjects: &[Subject], seed: u64, mutant: u64) -> Result<(Change, Fate), String> {
    let mut rng = Rng::new(seed ^ mutant.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let subject = rng.pick(subjects);
    // Code is what runs: every third mutant.
    let change = if rng.one_in(3) {
        Change::Words
    } else {
        *rng.pick(&Change::ALL)
    };
    let fate = follow(subject, change, &mut rng)
        .map_err(|sentence| format!("{} of {}: {sentence}", change.name(), subject.name))?;
    Ok((change, fate))
}

fn follow(subject: &Subject, change: Change, rng: &mut Rng) -> Result<Fate, String> {
    let module = match change {
        Change::Bytes => {
            let bytes = damage::bytes(&fbc::write(&subject.module), rng);
            return match fbc::read(&bytes) {
                Err(reason) => said(&reason.to_string(), Fate::Unread),
                Ok(module) if module == subject.module => Ok(Fate::Unharmed),
                Ok(_) => Err("damaged bytes were read as another module".to_owned()),
            };
        }
        Change::RepairedBytes => {
            let bytes = damage::repaired(&fbc::write(&subject.module), rng);
            match fbc::read(&bytes) {
                Err(reason) => return said(&reason.to_string(), Fate::Unread),
                Ok(module) => module,
            }
        }
        in_memory => {
            let mut module = subject.module.clone();
            changes::apply(in_memory, &mut module, rng);
            module
        }
    };
    if let Err(reason) = flin_bytecode::verify(&module) {
        return if change == Change::Nothing {
            Err(format!("a change that means nothing was refused: {reason}"))
        } else {
            said(&reason.to_string(), Fate::Refused)
        };
    }
    if fbc::read(&fbc::write(&module)).as_ref() != Ok(&module) {
        return Err("an accepted module reads back as another one".to_owned());
    }
    let outcome = runs::both_ways(&module)?;
    if outcome == subject.outcome {
        Ok(Fate::Unharmed)
    } else if change == Change::Nothing {
        Err(format!(
            "a change that means nothing changed what happens:\n{:#?}\nnot\n{:#?}",
            outcome, subject.outcome
        ))
    } else {
        Ok(Fate::Changed)
    }
}

/// A refusal must have a reason in words.
fn said(reason: &str, fate: Fate) -> Result<Fate, String> {
    if reason.split_whitespace().count() >= 3 {
        Ok(fate)
    } else {
        Err(format!("refused without a reason: `{reason}`"))
    }
}

fn subjects() -> Vec<Subject> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["kernels", "../examples", "programs", "bugs"];
    let paths = folders
        .iter()
        .flat_map(|folder| flin_testkit::golden::files(&root.join(folder), ".flin"));
    let mut subjects = Vec::new();
    for path in paths {
        let name = path.strip_prefix(root).unwrap_or(&path);
        let name = name.to_string_lossy().into_owned();
        let source = std::fs::read_to_string(&path).expect("a program");
        // Programs that are wrong on purpose have no module.
        if let Ok(compiled) = flinc::compile(&name, &source) {
            let outcome =
                runs::both_ways(&compiled.module).unwrap_or_else(|e| panic!("{name}: {e}"));
            subjects.push(Subject {
                name,
                module: compiled.module,
                outcome,
            });
        }
    }
    assert!(subjects.len() >= 30, "only {} programs", subjects.len());
    subjects
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} must be a number, not `{text}`")),
    )
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without words")
}
