//! `cargo xtask attack`: all suites against a server of the same build as this program, and what came of them by kind. Here because a
//! release must be judged as it is shipped. Must stay true: the lists of cases are those of the tests; it ends with 1 if
//! anything went otherwise.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use flin_attack::escaping::{self, Escaping};
use flin_attack::siege::SIEGES;
use flin_attack::suite::Tally;
use flin_attack::target::Target;
use flin_attack::{autobahn, http, slowhttptest, websocket};

const USAGE: &str = "cargo xtask attack                   WebSocket, HTTP, sieges, escaping
cargo xtask attack websocket | http | sieges | escaping [SEED]
cargo xtask attack slowhttptest      slow heads, bodies and reads by Debian's slowhttptest
cargo xtask attack autobahn [PYTHON] Autobahn's fuzzing client, with a Python 2.7
";

/// Texts of random pieces that go through every place of a page.
const TEXTS: usize = 2000;
/// The seed of those texts, if none is given.
const SEED: u64 = 1;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let tallies = match args.as_slice() {
        [] => everything(),
        ["websocket"] => Ok(frames()),
        ["http"] => Ok(requests()),
        ["sieges"] => Ok(vec![sieges()]),
        ["escaping"] => escaped(SEED).map(|tally| vec![tally]),
        ["escaping", seed] => seed
            .parse()
            .map_err(|_| format!("a seed is a number, not `{seed}`"))
            .and_then(escaped)
            .map(|tally| vec![tally]),
        ["slowhttptest"] => slowhttptest::run(),
        ["autobahn", python, packages] => autobahn::run(python.as_ref(), packages.as_ref()),
        _ => Err(USAGE.to_owned()),
    };
    let done = tallies.and_then(|tallies| conclude(&tallies));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn everything() -> Result<Vec<Tally>, String> {
    let mut all = frames();
    all.extend(requests());
    all.push(sieges());
    all.push(escaped(SEED)?);
    Ok(all)
}

fn frames() -> Vec<Tally> {
    let target = Target::start(&[]);
    let chapters = websocket::CHAPTERS.iter();
    let tried = chapters.map(|chapter| {
        let kind = format!("RFC 6455: {}", chapter.name);
        Tally::of(kind, &(chapter.cases)(), |case| {
            (case.name.clone(), case.run(target.host()))
        })
    });
    tried.collect()
}

fn requests() -> Vec<Tally> {
    let target = Target::start(&[]);
    let chapters = http::CHAPTERS.iter();
    let tried = chapters.map(|chapter| {
        let kind = format!("HTTP: {}", chapter.name);
        Tally::of(kind, &(chapter.cases)(), |case| {
            (case.name.clone(), case.run(target.host()))
        })
    });
    tried.collect()
}

fn sieges() -> Tally {
    Tally::of("sieges", SIEGES, |siege| {
        (siege.name.to_owned(), siege.run())
    })
}

fn escaped(seed: u64) -> Result<Tally, String> {
    let escaping = Escaping::start()?;
    let texts = escaping::texts(TEXTS, seed);
    let kind = format!("escaping, {} places each, seed {seed}", escaping::KINDS);
    Ok(Tally::of(kind, &texts, |text| {
        (format!("{text:?}"), escaping.judge(text))
    }))
}

fn conclude(tallies: &[Tally]) -> Result<(), String> {
    println!(
        "{:<48} {:>6} {:>11} {:>8}",
        "kind", "cases", "as expected", "seconds"
    );
    let (mut cases, mut wrong) = (0, 0);
    for tally in tallies {
        let good = tally.cases - tally.unexpected.len();
        let seconds = tally.took.as_secs_f64();
        println!(
            "{:<48} {:>6} {good:>11} {seconds:>8.1}",
            tally.kind, tally.cases
        );
        cases += tally.cases;
        wrong += tally.unexpected.len();
    }
    println!(
        "\n{cases} cases, {} as expected, {wrong} otherwise",
        cases - wrong
    );
    for tally in tallies {
        for line in &tally.unexpected {
            println!("  {}: {line}", tally.kind);
        }
    }
    match (cases, wrong) {
        (0, _) => Err("no case was tried".to_owned()),
        (_, 0) => Ok(()),
        _ => Err(format!("{wrong} of {cases} cases went otherwise")),
    }
}
