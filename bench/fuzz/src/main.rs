//! `cargo xtask fuzz`: targets by name, for a time or a number of trials, from a seed. Here because a hunt is longer than
//! a test. Must stay true: it prints seed, trials and findings of each target, and ends with 1 if there was a finding.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flin_fuzz::run::{self, Findings, Until};
use flin_fuzz::target::{self, TARGETS, Target};

const USAGE: &str = "cargo xtask fuzz [TARGET …] [--seconds N | --runs N] [--seed S] [--findings N] [--checked]

  Without TARGET all of them are tried, 10 seconds each. Without --seed the clock gives one; it is printed.
  --findings N   stop a target after N findings of different causes (5)
  --tries N      how often a shrinker may try a smaller program (800)
  --checked      with a machine that asserts every register, object and bound it touches
  --file PATH    judge this text with the named target, shrink it and stop
  --show SEED    print the generated program of this seed and stop
";

struct Options {
    targets: Vec<&'static Target>,
    until: Until,
    seed: u64,
    findings: Findings,
    show: bool,
    file: Option<String>,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let options = match options(&args) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("error: {problem}\n\n{USAGE}\ntargets:");
            for target in TARGETS {
                eprintln!("  {:<10} {}", target.name, target.what);
            }
            return ExitCode::from(2);
        }
    };
    if options.show {
        println!("{}", flin_fuzz::generate(options.seed, 40));
        return ExitCode::SUCCESS;
    }
    if let Some(path) = &options.file {
        return judge_file(path, &options);
    }
    let ground = Default::default();
    let mut found = 0;
    for target in options.targets {
        println!("{:<10} {}", target.name, target.what);
        let report = run::run(
            target,
            &ground,
            options.seed,
            options.until,
            options.findings,
        );
        let words: Vec<String> = report
            .tally
            .all()
            .map(|(w, n)| format!("{n} {w}"))
            .collect();
        println!(
            "           seed {}, {} trials, {} findings ({})",
            report.seed,
            report.runs,
            report.findings.len(),
            words.join(", ")
        );
        for finding in &report.findings {
            println!("\n{finding}\n");
        }
        found += report.findings.len();
    }
    if found == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Judges a text of one's own.
fn judge_file(path: &str, options: &Options) -> ExitCode {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("error: {path}: {error}");
            return ExitCode::from(2);
        }
    };
    match run::judge(options.targets[0], &text, options.findings) {
        Ok(()) => {
            println!("nothing is wrong with {path}");
            ExitCode::SUCCESS
        }
        Err((fault, small)) => {
            println!("{fault}\n\nshrunk:\n{small}");
            ExitCode::FAILURE
        }
    }
}

fn options(args: &[String]) -> Result<Options, String> {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH);
    let mut options = Options {
        targets: Vec::new(),
        until: Until::Time(Duration::from_secs(10)),
        seed: clock.map_or(0, |time| time.as_millis() as u64),
        findings: Findings::default(),
        show: false,
        file: None,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--file" {
            options.file = Some(args.next().ok_or("--file needs a path")?.clone());
            continue;
        }
        let mut number = || {
            let text = args.next().ok_or(format!("{arg} needs a number"))?;
            text.parse::<u64>()
                .map_err(|_| format!("{arg} needs a number, not `{text}`"))
        };
        match arg.as_str() {
            "--seconds" => options.until = Until::Time(Duration::from_secs(number()?)),
            "--runs" => options.until = Until::Runs(number()?),
            "--seed" => options.seed = number()?,
            "--findings" => options.findings.most = number()? as usize,
            "--tries" => options.findings.shrink_tries = number()? as usize,
            "--show" => {
                options.seed = number()?;
                options.show = true;
            }
            name => {
                let target = target::find(name).ok_or(format!("there is no target `{name}`"))?;
                options.targets.push(target);
            }
        }
    }
    if options.targets.is_empty() {
        options.targets = TARGETS.iter().collect();
    }
    Ok(options)
}
