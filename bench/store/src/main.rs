//! The program `flin-bench-store`: measures the stores and prints the tables. Here because figures in documents need one
//! command that makes them. Must stay true: one process and one run, everybody in turns; folders it made are removed.
#![allow(
    clippy::disallowed_methods,
    reason = "a tool that reads and writes files"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use flin_bench_store::bare::Bare;
use flin_bench_store::contestant::{Entrant, entrants};
use flin_bench_store::{bytes, note, opening, reading, space, tasks, writing};
use flin_testkit::figures;

const HELP: &str = "flin-bench-store [WHAT …] [--only A,B] [--notes N] [--rounds N] [--turn MS] [--dir FOLDER] [--write]

WHAT is commits, reads, opening, space; all of them if none is named.

flin-bench-store burst COMMITS FOLDER    commits of 64 tasks and nothing else, for a profiler
";

/// What the command line asks for.
struct Wanted {
    what: Vec<String>,
    only: Vec<String>,
    notes: u64,
    rounds: usize,
    turn: Duration,
    dir: PathBuf,
    write: bool,
}

impl Wanted {
    fn parse(words: &[String]) -> Result<Wanted, String> {
        let mut wanted = Wanted {
            what: Vec::new(),
            only: Vec::new(),
            notes: 1_000_000,
            rounds: 30,
            turn: Duration::from_millis(60),
            dir: std::env::temp_dir().join(format!("flin-bench-store-{}", std::process::id())),
            write: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("`{word}` needs a value"));
            let number = |text: &String| {
                text.parse()
                    .ok()
                    .filter(|n| *n > 0)
                    .ok_or(format!("`{text}` is no number"))
            };
            match word.as_str() {
                "--only" => wanted.only = value()?.split(',').map(str::to_owned).collect(),
                "--notes" => wanted.notes = number(value()?)?,
                "--rounds" => wanted.rounds = number(value()?)? as usize,
                "--turn" => wanted.turn = Duration::from_millis(number(value()?)?),
                "--dir" => wanted.dir = value()?.into(),
                "--write" => wanted.write = true,
                "commits" | "reads" | "opening" | "space" => wanted.what.push(word.clone()),
                other => return Err(format!("there is no `{other}`\n\n{HELP}")),
            }
        }
        Ok(wanted)
    }

    fn has(&self, what: &str) -> bool {
        self.what.is_empty() || self.what.iter().any(|name| name == what)
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.first().map(String::as_str) {
        Some("load") => load(&words[1..]),
        Some("burst") => burst(&words[1..]),
        Some("memory") => memory(&words[1..]),
        Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            Ok(())
        }
        _ => Wanted::parse(&words).and_then(|wanted| {
            let measured = run(&wanted);
            // Also after a failure: gigabytes.
            let removed = std::fs::remove_dir_all(&wanted.dir);
            measured?;
            removed.map_err(|e| format!("{}: {e}", wanted.dir.display()))
        }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// The process that is killed.
fn load(words: &[String]) -> Result<(), String> {
    let [name, dir, notes] = words else {
        return Err("load STORE FOLDER NOTES".to_owned());
    };
    let notes = notes
        .parse()
        .map_err(|_| format!("`{notes}` is no number"))?;
    let entrant = entrants().into_iter().find(|entrant| entrant.name == name);
    let entrant = entrant.ok_or(format!("there is no store {name}"))?;
    opening::load(&entrant, Path::new(dir), notes)
}

/// The process whose memory is looked at.
fn memory(words: &[String]) -> Result<(), String> {
    let [dir, notes] = words else {
        return Err("memory FOLDER NOTES".to_owned());
    };
    let notes = notes
        .parse()
        .map_err(|_| format!("`{notes}` is no number"))?;
    print!("{}", space::memory(Path::new(dir), notes)?);
    Ok(())
}

/// Commits of many tasks until there are enough.
fn burst(words: &[String]) -> Result<(), String> {
    let [commits, dir] = words else {
        return Err("burst COMMITS FOLDER".to_owned());
    };
    let commits = commits
        .parse()
        .map_err(|_| format!("`{commits}` is no number"))?;
    let flin = flin_bench_store::flin::Flin::open(Path::new(dir))?;
    let limit = tasks::Limit::Commits(commits);
    let ran = tasks::tasks(writing::WRITERS, limit, &flin)?;
    println!("{} commits in {:?}", ran.latencies.count(), ran.elapsed);
    Ok(())
}

fn run(wanted: &Wanted) -> Result<(), String> {
    let chosen = |entrant: &Entrant| {
        wanted.only.is_empty() || wanted.only.iter().any(|name| name == entrant.name)
    };
    let entrants: Vec<Entrant> = entrants().into_iter().filter(chosen).collect();
    let mut text = format!("{}\n", figures::day_and_machine());
    let mut add = |table: String| {
        println!("{table}");
        text.push_str(&table);
        text.push('\n');
    };
    if wanted.has("commits") {
        let plan = writing::Plan {
            rounds: wanted.rounds,
            turn: wanted.turn,
            block: log_bytes_per_note(&wanted.dir)?,
        };
        let table = writing::measure(&wanted.dir.join("commits"), &entrants, plan)?;
        add(table.trim_end().to_owned() + "\n");
    }
    let left = |name: &str| wanted.dir.join("left").join(name);
    if ["reads", "opening", "space"]
        .iter()
        .any(|what| wanted.has(what))
    {
        for entrant in &entrants {
            opening::load_and_kill(entrant, &left(entrant.name), wanted.notes)?;
        }
    }
    if wanted.has("opening") {
        add(opening::measure(
            &wanted.dir,
            &entrants,
            &left,
            wanted.rounds.div_ceil(10),
        )?);
    }
    if wanted.has("space") {
        add(space::on_disk(&entrants, &left, wanted.notes)?);
        if entrants.iter().any(|entrant| entrant.name == "flin") {
            add(space::of_flin(&left("flin"), &wanted.dir, wanted.notes)?);
        }
    }
    if wanted.has("reads") {
        let opened: Result<Vec<_>, _> = entrants
            .iter()
            .map(|it| (it.open)(&left(it.name)))
            .collect();
        let has_flin = entrants.iter().any(|entrant| entrant.name == "flin");
        let bare = has_flin.then(|| Bare::of(&left("flin"), wanted.notes));
        add(reading::measure(
            &opened?,
            bare.transpose()?.as_ref(),
            wanted.notes,
            wanted.rounds,
            wanted.turn,
        )?);
    }
    if wanted.write {
        figures::write("store", &text)?;
    }
    Ok(())
}

/// What FLIN's log takes for a note that is committed alone: as much is written by the reference loop.
fn log_bytes_per_note(dir: &Path) -> Result<u64, String> {
    let probe = dir.join("probe");
    let flin = flin_bench_store::flin::Flin::open(&probe)?;
    let pool = note::Pool::default();
    let store: &dyn flin_bench_store::contestant::Contestant = &flin;
    store.load(1..2, &pool)?;
    let before = bytes::in_log(&probe)?;
    store.load(2..102, &pool)?;
    Ok((bytes::in_log(&probe)? - before) / 100)
}
