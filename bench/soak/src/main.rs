//! `cargo xtask soak`: the soak from the command line. Here because a finding must be looked for again by one line. Must stay true: it
//! prints what was asked, what was done to the server, memory and descriptors, and ends with 1 if anything is lost or wrong.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use flin_soak::soak::{Options, Report, soak};
use flin_soak::world::{Finding, Group};

const USAGE: &str = "cargo xtask soak [--minutes N | --seconds N] [--seed S] [--requests N]

  --minutes N   how long clients ask (1); --seconds N: for a short one
  --seed S      decides what is tried; without it the time gives one
  --requests N  ends after so many (5000000)
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(options) = options(&args) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    println!("seed {}, {} s", options.seed, options.time.as_secs());
    match soak(options) {
        Ok(report) => conclude(&report, options.seed),
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn options(args: &[String]) -> Option<Options> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let mut options = Options {
        seed: since.map_or(1, |since| since.as_secs()),
        time: Duration::from_secs(60),
        requests_max: 5_000_000,
    };
    for pair in args.chunks(2) {
        let [name, value] = pair else {
            return None;
        };
        let number: u64 = value.parse().ok()?;
        match name.as_str() {
            "--minutes" => options.time = Duration::from_secs(number.checked_mul(60)?),
            "--seconds" => options.time = Duration::from_secs(number),
            "--seed" => options.seed = number,
            "--requests" => options.requests_max = number,
            _ => return None,
        }
    }
    Some(options)
}

fn conclude(report: &Report, seed: u64) -> ExitCode {
    for (group, counts) in &report.counts {
        let name = match group {
            Group::Requests => "requests",
            Group::Answers => "answers",
            Group::Messages => "messages",
            Group::Faults => "faults",
        };
        let all: u64 = counts.iter().map(|(_, count)| count).sum();
        let kinds: Vec<String> = counts
            .iter()
            .map(|(kind, count)| format!("{kind} {count}"))
            .collect();
        println!("{name:<12} {all:>9}   {}", kinds.join(", "));
    }
    if let (Some(first), Some(last)) = (report.first, report.last) {
        let megabytes = |kb: u64| kb as f64 / 1024.0;
        println!(
            "memory       first {:.1} MB, last {:.1} MB",
            megabytes(first.memory_kb),
            megabytes(last.memory_kb)
        );
        println!(
            "descriptors  first {}, last {}",
            first.descriptors, last.descriptors
        );
    }
    for left_out in &report.left_out {
        println!("not tried    {left_out}");
    }
    for finding in &report.findings {
        println!("\n{finding}");
    }
    let lost = report
        .findings
        .iter()
        .filter(|finding| matches!(finding, Finding::Lost(_)))
        .count();
    println!("lost {lost}, wrong {}", report.findings.len() - lost);
    match &report.kept {
        None => ExitCode::SUCCESS,
        Some(place) => {
            println!("data and log are kept in {place}; look for it again with --seed {seed}");
            ExitCode::FAILURE
        }
    }
}
