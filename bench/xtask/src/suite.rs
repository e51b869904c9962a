//! All tests, by kind, with how many ran and how long each kind took. Here because "everything is green" must mean the
//! same for a developer and for the CI. Must stay true: a kind that ran no test fails; nothing is skipped; the last
//! line counts everything; everything is built once, before the first test runs.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::{coverage, fuzz, memcheck, packages, steps, tidy};

/// A kind of tests and the packages it consists of.
struct Kind {
    name: &'static str,
    packages: &'static [&'static str],
}

const KINDS: &[Kind] = &[
    Kind {
        name: "syntax",
        packages: &["flin-syntax"],
    },
    Kind {
        name: "bytecode",
        packages: &["flin-bytecode"],
    },
    Kind {
        name: "compiler",
        packages: &["flinc"],
    },
    Kind {
        name: "vm",
        packages: &["flin-vm"],
    },
    Kind {
        name: "jit",
        packages: &["flin-jit"],
    },
    Kind {
        name: "store, crashes",
        packages: &["flin-store", "flin-store-hunt"],
    },
    Kind {
        name: "runtime",
        packages: &["flin-runtime"],
    },
    Kind {
        name: "server",
        packages: &["flin-server"],
    },
    Kind {
        name: "corpus",
        packages: &["flin-corpus"],
    },
    Kind {
        name: "whole way, HTTP",
        packages: &["flinvm"],
    },
    Kind {
        name: "soak",
        packages: &["flin-soak"],
    },
    Kind {
        name: "attacks",
        packages: &["flin-attack"],
    },
    Kind {
        name: "generated programs",
        packages: &["flin-bench"],
    },
    Kind {
        name: "fuzz",
        packages: &["flin-fuzz"],
    },
    Kind {
        name: "browser",
        packages: &["flin-browser"],
    },
    Kind {
        name: "tools",
        packages: &[
            "xtask",
            "flin-testkit",
            "flin-bench-store",
            "flin-bench-web",
        ],
    },
];

/// A built test program.
struct TestProgram {
    package: String,
    dir: PathBuf,
    path: PathBuf,
}

/// What one kind did.
struct Report {
    name: &'static str,
    passed: usize,
    failed: usize,
    seconds: f64,
}

/// Installs what is needed, builds, checks the house rules and runs all kinds.
///
/// # Errors
/// When anything failed or a kind ran no test.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    packages::ensure(root)?;
    let start = Instant::now();
    steps::run(root, "cargo", &["build", "--workspace", "--bins"])?;
    let programs = build(root)?;
    refuse_unknown(&programs)?;
    println!("built in {:.0} s", start.elapsed().as_secs_f64());
    let mut reports: Vec<Report> = KINDS
        .iter()
        .map(|kind| run_kind(kind, &programs))
        .collect::<Result<_, _>>()?;
    let in_comments = run_doc_tests(root)?;
    // There may be none; they are listed as soon as there is one.
    if in_comments.passed + in_comments.failed > 0 {
        reports.push(in_comments);
    }
    reports.push(run_step("fuzz, checked", || fuzz::checked(root)));
    reports.push(run_step("memcheck", || memcheck::run(root)));
    reports.push(run_step("coverage", || coverage::run(root)));
    reports.push(run_step("tidy", || tidy::run(root)));
    conclude(&reports)
}

/// Runs the browser tests alone and says how many scenarios there are. `pictures`: where the pictures of the examples go.
///
/// # Errors
/// When one failed.
pub(crate) fn browser(root: &Path, pictures: Option<&Path>) -> Result<(), String> {
    packages::ensure_for_browser(root)?;
    let built = ["build", "-p", "flinc", "-p", "flinvm"];
    steps::run(root, "cargo", &built)?;
    let mut command = Command::new("cargo");
    command
        .args(["test", "-p", "flin-browser", "--no-fail-fast"])
        .current_dir(root);
    if let Some(dir) = pictures {
        std::fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        let dir = std::path::absolute(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        command.args(["--test", "looks"]).env("FLIN_PICTURES", dir);
    }
    let start = Instant::now();
    let (passed, failed) = count(command)?;
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "\n{} scenarios in a browser: {passed} passed, {failed} failed, {seconds:.0} s",
        passed + failed
    );
    match (passed, failed) {
        (0, 0) => Err("no scenario ran".to_owned()),
        (_, 0) => Ok(()),
        _ => Err("scenarios failed".to_owned()),
    }
}

/// Runs the golden tests with the wish to accept what they produce.
///
/// # Errors
/// When tests fail for another reason than a differing text.
pub(crate) fn bless(root: &Path) -> Result<(), String> {
    steps::run(root, "cargo", &["build", "--workspace", "--bins"])?;
    let blessed = [
        "BLESS=1",
        "cargo",
        "test",
        "--workspace",
        "--exclude",
        "flin-browser",
        "--no-fail-fast",
    ];
    steps::run(root, "env", &blessed)
}

/// Builds all test programs and says where they are.
fn build(root: &Path) -> Result<Vec<TestProgram>, String> {
    let metadata = steps::metadata(root)?;
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        if let (Some(path), Some(name)) =
            (package["manifest_path"].as_str(), package["name"].as_str())
        {
            names.insert(path, name);
        }
    }
    let args = [
        "test",
        "--workspace",
        "--no-run",
        "--message-format",
        "json-render-diagnostics",
    ];
    let mut programs = Vec::new();
    for line in steps::output_shown(root, "cargo", &args)?.lines() {
        let message: serde_json::Value =
            serde_json::from_str(line).map_err(|e| format!("cargo's messages: {e}"))?;
        let (Some(path), Some(manifest)) = (
            message["executable"].as_str(),
            message["manifest_path"].as_str(),
        ) else {
            continue;
        };
        if message["profile"]["test"] == true {
            let package = names.get(manifest).copied().unwrap_or_default().to_string();
            let dir = Path::new(manifest).parent().unwrap_or(root).to_path_buf();
            programs.push(TestProgram {
                package,
                dir,
                path: path.into(),
            });
        }
    }
    Ok(programs)
}

fn run_kind(kind: &Kind, programs: &[TestProgram]) -> Result<Report, String> {
    println!("\n== {} ==", kind.name);
    let start = Instant::now();
    let (mut passed, mut failed) = (0, 0);
    for program in programs
        .iter()
        .filter(|p| kind.packages.contains(&p.package.as_str()))
    {
        let mut command = Command::new(&program.path);
        command
            .current_dir(&program.dir)
            .env("CARGO_MANIFEST_DIR", &program.dir);
        let (p, f) = count(command)?;
        passed += p;
        failed += f;
    }
    Ok(Report {
        name: kind.name,
        passed,
        failed,
        seconds: start.elapsed().as_secs_f64(),
    })
}

fn run_doc_tests(root: &Path) -> Result<Report, String> {
    println!("\n== examples in comments ==");
    let start = Instant::now();
    let mut command = Command::new("cargo");
    command
        .args(["test", "--workspace", "--doc", "--quiet"])
        .current_dir(root);
    let (passed, failed) = count(command)?;
    Ok(Report {
        name: "in comments",
        passed,
        failed,
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// A step that passes or fails as a whole.
fn run_step(name: &'static str, step: impl FnOnce() -> Result<(), String>) -> Report {
    println!("\n== {name} ==");
    let start = Instant::now();
    let result = step();
    if let Err(problems) = &result {
        println!("{problems}");
    }
    let failed = usize::from(result.is_err());
    Report {
        name,
        passed: 1 - failed,
        failed,
        seconds: start.elapsed().as_secs_f64(),
    }
}

/// Runs a test program, shows what is worth seeing and counts its results.
fn count(mut command: Command) -> Result<(usize, usize), String> {
    let shown = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("{shown} cannot be started: {e}"))?;
    let stdout = child
        .stdout
        .take()
        .ok_or("the output of a test is not readable")?;
    let (mut passed, mut failed) = (0, 0);
    for line in BufReader::new(stdout).lines() {
        let line = line.map_err(|e| format!("{shown}: {e}"))?;
        if let Some((p, f)) = counts(&line) {
            passed += p;
            failed += f;
        } else if !line.ends_with("... ok") && !line.is_empty() && !line.starts_with("running ") {
            println!("{line}");
        }
    }
    let status = child.wait().map_err(|e| format!("{shown}: {e}"))?;
    if !status.success() && failed == 0 {
        println!("{shown} ended with {status}");
        failed = 1;
    }
    Ok((passed, failed))
}

/// Reads `test result: ok. 12 passed; 0 failed; …`.
fn counts(line: &str) -> Option<(usize, usize)> {
    let rest = line.strip_prefix("test result: ")?;
    let number = |word: &str| {
        let before = rest.split(word).next()?;
        before
            .rsplit([' ', ';', '.'])
            .find(|part| !part.is_empty())?
            .parse()
            .ok()
    };
    Some((number(" passed")?, number(" failed")?))
}

/// Every test program belongs to a kind: told before the first test runs, not after the last.
fn refuse_unknown(programs: &[TestProgram]) -> Result<(), String> {
    let known = |name: &str| KINDS.iter().any(|kind| kind.packages.contains(&name));
    match programs.iter().find(|program| !known(&program.package)) {
        Some(program) => Err(format!(
            "package {} belongs to no kind of tests (bench/xtask/src/suite.rs)",
            program.package
        )),
        None => Ok(()),
    }
}

fn conclude(reports: &[Report]) -> Result<(), String> {
    println!(
        "\n{:<18} {:>7} {:>7} {:>8}",
        "kind", "passed", "failed", "seconds"
    );
    for report in reports {
        println!(
            "{:<18} {:>7} {:>7} {:>8.1}",
            report.name, report.passed, report.failed, report.seconds
        );
    }
    let passed: usize = reports.iter().map(|r| r.passed).sum();
    let failed: usize = reports.iter().map(|r| r.failed).sum();
    println!("\n{passed} passed, {failed} failed");
    let empty: Vec<&str> = reports
        .iter()
        .filter(|r| r.passed + r.failed == 0)
        .map(|r| r.name)
        .collect();
    if !empty.is_empty() {
        return Err(format!("no test ran in: {}", empty.join("; ")));
    }
    if failed > 0 {
        Err("tests failed".to_string())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_result_line_is_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(super::counts(line), Some((12, 3)));
        assert_eq!(super::counts("test corpus::all ... ok"), None);
    }
}
