//! A real process on a real directory, killed with SIGKILL under 64 writers, again and again.
//!
//! Acknowledgements come through a pipe. What must stay true: every acknowledged commit is there afterwards, and no half
//! transaction: each commit inserts a note and counts it in its writer's own note.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use flin_store::{
    CommitOutcome, Deleted, EntityId, FieldValue, RealDisk, Store, StoreOptions, verify,
};
use flin_testkit::rng::Rng;

use crate::model::{NOTE, schema};

/// Writers in the process that is killed.
pub const WRITERS: u64 = 64;
/// A directory is used for so many rounds: opening reads all of it.
const ROUNDS_A_DIRECTORY: u64 = 20;

fn options() -> StoreOptions {
    StoreOptions {
        segment_bytes_min: 256 << 10,
        segment_bytes_max: 1 << 20,
        ..StoreOptions::default()
    }
}

fn open(dir: &Path) -> Result<Store, String> {
    let disk = RealDisk::open(dir).map_err(|error| error.to_string())?;
    let opened = Store::open(Arc::new(disk), &schema(), options());
    Ok(opened.map_err(|error| error.to_string())?.store)
}

fn fields(text: String, number: i64) -> Vec<FieldValue> {
    vec![
        FieldValue::text(text),
        FieldValue::Int(number),
        FieldValue::None,
    ]
}

/// Makes the store with one note for each writer.
///
/// # Errors
/// When that fails.
pub fn prepare(dir: &Path) -> Result<(), String> {
    let store = open(dir)?;
    let mut transaction = store.begin();
    for writer in 1..=WRITERS {
        let made = transaction.insert(NOTE, fields(format!("writer {writer}"), 0));
        made.map_err(|error| error.to_string())?;
    }
    match store.commit_wait(transaction, None) {
        CommitOutcome::Committed { .. } => store.close().map_err(|error| error.to_string()),
        other => Err(other.to_string()),
    }
}

/// The process that is killed: writers without end, a line for each acknowledged commit. It ends by itself when the disk
/// fails, with what the store said.
///
/// # Errors
/// When the disk failed.
pub fn write(dir: &Path) -> Result<(), String> {
    let store = open(dir)?;
    let failures: Vec<String> = std::thread::scope(|scope| {
        let writers: Vec<_> = (1..=WRITERS)
            .map(|writer| {
                let store = store.clone();
                scope.spawn(move || writes(&store, writer))
            })
            .collect();
        (writers.into_iter())
            .map(|writer| {
                writer
                    .join()
                    .unwrap_or_else(|_| "a writer panicked".to_owned())
            })
            .collect()
    });
    Err(failures.join("\n"))
}

/// One writer, until something fails.
fn writes(store: &Store, writer: u64) -> String {
    let own = EntityId(writer);
    loop {
        let mut transaction = store.begin();
        let count = match transaction.get(NOTE, own) {
            Ok(Some(record)) => match record.fields[1] {
                FieldValue::Int(count) => count + 1,
                _ => return "a counter is no number".to_owned(),
            },
            other => return format!("{other:?}"),
        };
        let note = fields(
            format!("of {writer}, {}", "x".repeat(count as usize % 90)),
            writer as i64,
        );
        let counted = transaction.update(NOTE, own, fields(format!("writer {writer}"), count));
        let written = counted.and_then(|_| transaction.insert(NOTE, note));
        if let Err(error) = written {
            return error.to_string();
        }
        match store.commit_wait(transaction, None) {
            CommitOutcome::Committed { .. } => {
                // One line in one call, so that lines of writers do not mix. Nobody reads any more: that is the end.
                let line = format!("ack {writer} {count}\n");
                if std::io::stdout().lock().write_all(line.as_bytes()).is_err() {
                    return "nobody listens".to_owned();
                }
            }
            other => return other.to_string(),
        }
    }
}

/// The newest acknowledged commit of each writer, from the lines of a process.
pub fn acknowledgements(output: impl std::io::Read) -> BTreeMap<u64, i64> {
    let mut newest = BTreeMap::new();
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        // The last line may be half of one.
        let mut words = line.strip_prefix("ack ").unwrap_or_default().split(' ');
        if let (Some(writer), Some(count)) = (words.next(), words.next())
            && let (Ok(writer), Ok(count)) = (writer.parse::<u64>(), count.parse::<i64>())
        {
            let known: &mut i64 = newest.entry(writer).or_default();
            *known = count.max(*known);
        }
    }
    newest
}

/// Compares what stands in the directory with what was acknowledged. Returns the number of notes.
///
/// # Errors
/// What is lost or half.
pub fn judge(dir: &Path, acknowledged: &BTreeMap<u64, i64>) -> Result<u64, String> {
    let disk = RealDisk::open(dir).map_err(|error| error.to_string())?;
    let report = verify(&disk).map_err(|error| error.to_string())?;
    if !report.is_intact() {
        return Err(format!("verify finds damage: {report}"));
    }
    let store = open(dir)?;
    let snapshot = store.snapshot();
    let mut notes: BTreeMap<u64, i64> = BTreeMap::new();
    let mut counters: BTreeMap<u64, i64> = BTreeMap::new();
    for record in snapshot.scan(NOTE, Deleted::Include) {
        let record = record.map_err(|error| error.to_string())?;
        let FieldValue::Int(number) = record.fields[1] else {
            return Err(format!("WRONG: note {} has no number", record.id));
        };
        if record.id.0 <= WRITERS {
            counters.insert(record.id.0, number);
        } else {
            *notes.entry(number as u64).or_default() += 1;
        }
    }
    for (writer, count) in &counters {
        let written = notes.get(writer).copied().unwrap_or(0);
        if written != *count {
            return Err(format!(
                "WRONG: half a transaction: writer {writer} counted {count} and wrote {written}"
            ));
        }
        let promised = acknowledged.get(writer).copied().unwrap_or(0);
        if promised > *count {
            return Err(format!(
                "LOST: writer {writer} was told of {promised} commits, {count} are there"
            ));
        }
    }
    Ok(notes.values().sum::<i64>() as u64)
}

/// Kills a process under load `rounds` times. `program` is this crate's own. Returns commits acknowledged and found.
///
/// # Errors
/// What is lost or half, with the directory, which is kept then.
pub fn kill(program: &Path, under: &Path, rounds: u64, seed: u64) -> Result<(u64, u64), String> {
    let mut rng = Rng::new(seed);
    let (mut told, mut found) = (0, 0);
    let mut acknowledged = BTreeMap::new();
    let mut dir = under.join("0");
    for round in 0..rounds {
        if round % ROUNDS_A_DIRECTORY == 0 {
            dir = under.join(round.to_string());
            told += acknowledged.values().sum::<i64>() as u64;
            acknowledged.clear();
            prepare(&dir)?;
        }
        // Most rounds wait for the first acknowledgement; some kill a process that is still opening.
        let working = !rng.one_in(6);
        let after = Duration::from_millis(1 + rng.below(120) as u64);
        for (writer, count) in run_and_kill(program, &dir, working, after)? {
            let known: &mut i64 = acknowledged.entry(writer).or_default();
            *known = count.max(*known);
        }
        let there = judge(&dir, &acknowledged).map_err(|wrong| {
            format!(
                "round {round}: {wrong}\n  the directory is kept: {}",
                dir.display()
            )
        })?;
        if round % ROUNDS_A_DIRECTORY == ROUNDS_A_DIRECTORY - 1 || round + 1 == rounds {
            found += there;
            std::fs::remove_dir_all(&dir).map_err(|error| error.to_string())?;
        }
    }
    told += acknowledged.values().sum::<i64>() as u64;
    Ok((told, found))
}

fn run_and_kill(
    program: &Path,
    dir: &Path,
    working: bool,
    after: Duration,
) -> Result<BTreeMap<u64, i64>, String> {
    let mut child = Command::new(program)
        .arg("writer")
        .arg(dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let output = child.stdout.take().ok_or("its output is not readable")?;
    let (first, begins) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        let begun = output.fill_buf().is_ok();
        // Nobody may wait for it.
        let _told = first.send(begun).is_ok();
        acknowledgements(output)
    });
    if working {
        let begun = begins.recv_timeout(Duration::from_secs(30));
        begun.map_err(|_| "the writers acknowledge nothing".to_owned())?;
    }
    std::thread::sleep(after);
    child.kill().map_err(|error| error.to_string())?;
    child.wait().map_err(|error| error.to_string())?;
    reader.join().map_err(|_| "the reader panicked".to_owned())
}
