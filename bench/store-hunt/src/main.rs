//! `cargo xtask fuzz store` and `cargo xtask attack store-kill`: the hunt from the command line.
//! Here because a finding must be repeated by one line. Must stay true: it prints what it tried, and ends with 1 if
//! anything was lost, wrong, or a switch was not noticed.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use flin_store_hunt::trials::{TRIALS, Tally, Trial};
use flin_store_hunt::{attack, check};

const USAGE: &str = "cargo xtask fuzz store [--seconds N] [--seed S] [--trial NAME --runs N] [--kills N] [--unchecked]
cargo xtask attack store-kill [--rounds N] [--seed S]

  --seconds N   how long the simulated disks are tried (10)
  --seed S      the first seed; without it the commit gives one
  --trial NAME  only this kind; --runs N: so many seeds
  --kills N     rounds of killing a real process under 64 writers (10)
  --unchecked   leave out the check that each missing sync or check is noticed
";

/// Seeds that the check of the switches may use.
const CHECK_SEEDS: u64 = 400;

struct Options {
    seconds: u64,
    seed: u64,
    trial: Option<&'static Trial>,
    runs: Option<u64>,
    kills: u64,
    checked: bool,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["writer", dir] => match attack::write(Path::new(dir)) {
            Ok(()) => return ExitCode::SUCCESS,
            Err(said) => {
                eprintln!("{said}");
                return ExitCode::from(75);
            }
        },
        ["prepare", dir] => attack::prepare(Path::new(dir)),
        ["store-kill", rest @ ..] => {
            options(rest).and_then(|options| kills(options.kills, options.seed))
        }
        ["fuzz", rest @ ..] => options(rest).and_then(|options| hunt(&options)),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn options(args: &[&str]) -> Result<Options, String> {
    let mut options = Options {
        seconds: 10,
        seed: 0,
        trial: None,
        runs: None,
        kills: 10,
        checked: true,
    };
    let mut seed = None;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if *arg == "--unchecked" {
            options.checked = false;
            continue;
        }
        let value = args
            .next()
            .ok_or(format!("{arg} needs a value\n\n{USAGE}"))?;
        if *arg == "--trial" {
            options.trial =
                Some(Trial::named(value).ok_or(format!("there is no trial `{value}`"))?);
            continue;
        }
        let number = value
            .parse()
            .map_err(|_| format!("{arg} needs a number, not `{value}`"))?;
        match *arg {
            "--seconds" => options.seconds = number,
            "--seed" => seed = Some(number),
            "--runs" => options.runs = Some(number),
            "--kills" | "--rounds" => options.kills = number,
            other => return Err(format!("there is no option {other}\n\n{USAGE}")),
        }
    }
    options.seed = match seed {
        Some(seed) => seed,
        None => commit_seed()?,
    };
    Ok(options)
}

/// A seed from the commit that is checked out: the same for everybody, another one after each change.
fn commit_seed() -> Result<u64, String> {
    let git = Command::new("git").args(["rev-parse", "HEAD"]).output();
    let text = git
        .map_err(|error| format!("git: {error}; give a --seed"))?
        .stdout;
    let text = String::from_utf8_lossy(&text);
    let digits = text
        .trim()
        .get(..8)
        .ok_or("there is no commit here; give a --seed")?;
    u64::from_str_radix(digits, 16).map_err(|error| format!("{digits}: {error}"))
}

fn hunt(options: &Options) -> Result<(), String> {
    println!("seed {}", options.seed);
    flin_store_hunt::silence_panics();
    let mut tally = Tally::default();
    let start = Instant::now();
    let goes_on = |tried: u64| match options.runs {
        Some(runs) => tried < runs,
        None => start.elapsed() < Duration::from_secs(options.seconds),
    };
    let (mut lost, mut wrong) = (0, 0);
    let mut seed = options.seed;
    while goes_on(seed - options.seed) && lost + wrong < 5 {
        for trial in TRIALS {
            if options.trial.is_some_and(|only| only.name != trial.name) {
                continue;
            }
            if let Err(finding) = trial.run(seed, &mut tally) {
                if finding.contains("LOST") {
                    lost += 1;
                } else {
                    wrong += 1;
                }
                println!(
                    "\n{}: {finding}\n  repeat with: cargo xtask fuzz store --trial {} --seed {seed} --runs 1 --kills 0 --unchecked\n",
                    trial.name, trial.name
                );
            }
        }
        tally.seeds += 1;
        seed += 1;
    }
    println!("{tally}");
    println!("{lost} lost, {wrong} wrong");
    if options.kills > 0 {
        kills(options.kills, options.seed)?;
    }
    let missed = if options.checked {
        mutations(options.seed)
    } else {
        0
    };
    match (lost + wrong, missed) {
        (0, 0) => Ok(()),
        (0, missed) => Err(format!("{missed} missing syncs or checks were not noticed")),
        (findings, _) => Err(format!("{findings} findings (see above)")),
    }
}

/// Takes out each sync and check; returns how many nobody noticed.
fn mutations(seed: u64) -> usize {
    println!("\nwith one thing missing, who notices:");
    let mut missed = 0;
    for noticed in check::all(seed, CHECK_SEEDS) {
        let name = format!("{:?}", noticed.switch);
        match noticed.by {
            Some((trial, seed, said)) => {
                let said = said.lines().next().unwrap_or_default();
                println!("  {name:<20} {:<11} seed {seed}: {said}", trial.name);
            }
            None => {
                missed += 1;
                println!("  {name:<20} NOBODY: {}", noticed.switch.what());
            }
        }
    }
    missed
}

fn kills(rounds: u64, seed: u64) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let dir: PathBuf = std::env::temp_dir().join(format!("flin-store-kill-{}", std::process::id()));
    let (told, found) = attack::kill(&program, &dir, rounds, seed)?;
    // Empty by now.
    std::fs::remove_dir_all(&dir).map_err(|error| error.to_string())?;
    println!(
        "kill -9 under {} writers, {rounds} rounds: {told} commits acknowledged, {found} found, none lost, none half",
        attack::WRITERS
    );
    Ok(())
}
