//! Opening after a kill, with many notes inside. Must stay true: the writer was killed by a signal in the middle of its life;
//! every opening is of a fresh copy of what it left; the clock stops when the first note has been read.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::bytes;
use crate::contestant::{Contestant, Entrant, said};
use crate::figures::{head, median, row};
use crate::note::Pool;

/// Between the last commit and the kill.
const SETTLE: Duration = Duration::from_secs(3);
/// Names of FLIN's files that make opening fast and can be made again from the log.
const CHECKPOINTS: &str = ".ckpt";

/// Fills a store, says so, and waits to be killed. Runs in a process of its own.
///
/// # Errors
/// When the store fails.
pub fn load(entrant: &Entrant, dir: &Path, notes: u64) -> Result<(), String> {
    let store = (entrant.open)(dir)?;
    let pool = Pool::default();
    store.load(1..notes + 1, &pool)?;
    // What stores do in the background (checkpoints, compaction) they do now, all of them.
    std::thread::sleep(SETTLE);
    println!("loaded");
    std::io::stdout().flush().map_err(said)?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(said)?;
    Err("nobody killed the process that loads".to_owned())
}

/// Fills a store in a process that is killed when it has done so.
///
/// # Errors
/// When the process does not say that it is done.
pub fn load_and_kill(entrant: &Entrant, dir: &Path, notes: u64) -> Result<(), String> {
    let me = std::env::current_exe().map_err(said)?;
    let mut command = Command::new(me);
    command
        .arg("load")
        .arg(entrant.name)
        .arg(dir)
        .arg(notes.to_string());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(said)?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line).map_err(said)?;
    }
    child.kill().map_err(said)?;
    child.wait().map_err(said)?;
    if line.trim() == "loaded" {
        Ok(())
    } else {
        Err(format!("{} was not loaded: {line}", entrant.name))
    }
}

/// A way to open.
struct Case {
    entrant: Entrant,
    title: &'static str,
    without_checkpoint: bool,
}

/// The table of opening times; `left(name)` is the folder that a killed process left.
///
/// # Errors
/// When a store cannot be opened.
pub fn measure(
    work: &Path,
    entrants: &[Entrant],
    left: &dyn Fn(&str) -> PathBuf,
    rounds: usize,
) -> Result<String, String> {
    let mut cases = Vec::new();
    for entrant in entrants {
        cases.push(Case {
            entrant: *entrant,
            title: entrant.name,
            without_checkpoint: false,
        });
        if entrant.name == "flin" {
            cases.push(Case {
                entrant: *entrant,
                title: "flin, without checkpoint",
                without_checkpoint: true,
            });
        }
    }
    let mut times = vec![(Vec::new(), Vec::new()); cases.len()];
    for _round in 0..rounds {
        for (case, times) in cases.iter().zip(&mut times) {
            let from = left(case.entrant.name);
            times.0.push(once(case, &from, work, false)?);
            times.1.push(once(case, &from, work, true)?);
        }
    }
    let mut text = head(&["open after a kill, ms", "warm", "out of the page cache"]);
    for (case, (warm, cold)) in cases.iter().zip(&times) {
        let cells = [
            case.title.to_owned(),
            format!("{:.1}", median(warm)),
            format!("{:.1}", median(cold)),
        ];
        text += &row(&cells);
    }
    Ok(text)
}

/// Milliseconds until the first note has been read.
fn once(case: &Case, from: &Path, work: &Path, cold: bool) -> Result<f64, String> {
    let copy = work.join("opened");
    bytes::copy(from, &copy)?;
    if case.without_checkpoint {
        for file in bytes::files(&copy)? {
            if file.to_string_lossy().ends_with(CHECKPOINTS) {
                std::fs::remove_file(&file).map_err(said)?;
            }
        }
    }
    if cold {
        bytes::forget(&copy)?;
    }
    let start = Instant::now();
    let store: Box<dyn Contestant> = (case.entrant.open)(&copy)?;
    let weight = store.read_all(&[1])?;
    let elapsed = start.elapsed();
    if weight == 0 {
        return Err(format!("{} has lost its first note", case.title));
    }
    drop(store);
    std::fs::remove_dir_all(&copy).map_err(said)?;
    Ok(elapsed.as_secs_f64() * 1e3)
}
