//! `cargo xtask bench`: builds with optimization and measures. Here because figures of unoptimized builds say nothing and
//! are easily taken by mistake. Must stay true: what is measured was built by this very command.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{packages, steps};

/// The committed instruction counts, one `name count` per line.
const COUNTS: &str = "bench/benches/counts.txt";
/// A count that differs by more than this share is reported.
const NOTICED: f64 = 0.02;

/// Measures: `counts [--accept]` counts instructions and compares them with the committed ones; `hot KERNEL …` shows what
/// programs execute; `store …` measures the store beside its peers; `web` the server beside its peers and pages in a browser
/// beside hand-written code, `web serving` or `web lists` one of them, `web live` what a change takes to other open pages, `save` the way from a save to the changed page;
/// everything else is a command of the measuring program
/// (`compute`, `compile`, `shapes`, …).
///
/// # Errors
/// When a build or the measuring fails, or a count differs from the committed one.
pub(crate) fn run(root: &Path, words: &[&str]) -> Result<(), String> {
    match words {
        ["counts"] => counts(root, false),
        ["counts", "--accept"] => counts(root, true),
        ["hot", rest @ ..] => {
            let mut words = vec!["run", "--quiet", "-p", "flin-bench", "--features", "count"];
            words.extend(["--bin", "hot", "--"]);
            words.extend(rest);
            steps::run(root, "cargo", &words)
        }
        ["store", rest @ ..] => {
            let build = ["build", "--release", "-p", "flin-bench-store"];
            steps::run(
                root,
                "cargo",
                &[&build[..], &["--features", "peers"]].concat(),
            )?;
            let program = steps::target_dir(root)?.join("release/flin-bench-store");
            steps::run(root, &program.display().to_string(), rest)
        }
        ["web"] => web(root, &["serving"]).and_then(|()| web(root, &["lists"])),
        ["web", rest @ ..] => web(root, rest),
        ["save", rest @ ..] => web(root, &[&["save"], rest].concat()),
        _ => {
            let mut build = vec!["build", "--release", "-p", "flinc", "-p", "flin-bench"];
            if words.first() == Some(&"compute") {
                build.extend(["-p", "flinvm"]);
                packages::ensure_peers(root);
            }
            steps::run(root, "cargo", &build)?;
            let program = steps::target_dir(root)?.join("release/flin-bench");
            steps::run(root, &program.display().to_string(), words)
        }
    }
}

/// Pages, served and shown, built with optimization. Peers are built and installed only for what compares with them.
fn web(root: &Path, words: &[&str]) -> Result<(), String> {
    let serving = words.first() == Some(&"serving");
    let mut build = vec!["build", "--release", "-p", "flinc", "-p", "flinvm"];
    build.extend(["-p", "flin-bench-web"]);
    let mut node = None;
    if serving {
        packages::ensure_one(root, "wrk")?;
        build.extend(["--features", "flin-bench-web/peers"]);
        node = packages::ensure_fastify(root);
    } else if words != ["live"] {
        packages::ensure_one(root, "chromium")?;
    }
    steps::run(root, "cargo", &build)?;
    let program = steps::target_dir(root)?.join("release/flin-bench-web");
    let program = program.display().to_string();
    match node {
        Some(folder) => {
            let place = format!("FLIN_BENCH_NODE={}", folder.display());
            steps::run(root, "env", &[&[&*place, &*program], words].concat())
        }
        None => steps::run(root, &program, words),
    }
}

fn counts(root: &Path, accept: bool) -> Result<(), String> {
    packages::ensure_one(root, "valgrind")?;
    let words = [
        "IAI_CALLGRIND_COLOR=never",
        "cargo",
        "bench",
        "-p",
        "flin-bench",
    ];
    let found = read_counts(&steps::output_shown(root, "env", &words)?);
    if found.is_empty() {
        return Err("no benchmark printed how many instructions it took".to_owned());
    }
    let file = root.join(COUNTS);
    if accept {
        let text: String = found.iter().map(|(k, n)| format!("{k} {n}\n")).collect();
        return std::fs::write(&file, text).map_err(|e| format!("{}: {e}", file.display()));
    }
    let text = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    let known: BTreeMap<String, u64> = text
        .lines()
        .filter_map(|line| {
            let (name, count) = line.rsplit_once(' ')?;
            Some((name.to_owned(), count.parse().ok()?))
        })
        .collect();
    compare(&known, &found)
}

/// Prints both counts of each benchmark; an error names those that moved.
fn compare(known: &BTreeMap<String, u64>, found: &BTreeMap<String, u64>) -> Result<(), String> {
    let mut moved = Vec::new();
    println!(
        "{:<40} {:>14} {:>14} {:>8}",
        "instructions", "committed", "now", "change"
    );
    for name in known
        .keys()
        .chain(found.keys().filter(|name| !known.contains_key(*name)))
    {
        let (before, now) = (known.get(name), found.get(name));
        let shown = |count: Option<&u64>| count.map_or("-".to_owned(), u64::to_string);
        let change = match (before, now) {
            (Some(before), Some(now)) => *now as f64 / *before as f64 - 1.0,
            _ => f64::INFINITY,
        };
        println!(
            "{name:<40} {:>14} {:>14} {:>7.1}%",
            shown(before),
            shown(now),
            change * 100.0
        );
        if change.abs() > NOTICED {
            moved.push(name.as_str());
        }
    }
    if moved.is_empty() {
        return Ok(());
    }
    Err(format!(
        "changed by more than {:.0} %: {}; if that is meant, run `cargo xtask bench counts --accept`",
        NOTICED * 100.0,
        moved.join(", ")
    ))
}

/// Benchmarks and their instructions, as iai-callgrind prints them: a line `file::group::function name:arguments`, then
/// indented figures.
fn read_counts(output: &str) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let mut name = String::new();
    for line in output.lines() {
        if let Some(figures) = line.trim().strip_prefix("Instructions:") {
            let now = figures.trim().split('|').next().unwrap_or("");
            if let Ok(count) = now.parse() {
                found.insert(name.clone(), count);
            }
        } else if let Some((path, case)) = line.split_once(' ')
            && !path.is_empty()
        {
            let function = path.rsplit("::").next().unwrap_or(path);
            let case = case.split(':').next().unwrap_or(case);
            name = format!("{function} {case}");
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #[test]
    fn counts_are_read_from_what_is_printed() {
        let output = "compile::compiler::compile todo:todo_source()\n  Instructions:   22570447|N/A   (***)\n  L1 Hits: 3|4\n\
                      machine::machine::append commits_100:loaded::log_of(10)\n  Instructions: 7|N/A\n";
        let found = super::read_counts(output);
        assert_eq!(found.get("compile todo"), Some(&22_570_447));
        assert_eq!(found.get("append commits_100"), Some(&7));
        assert_eq!(found.len(), 2);
    }
}
