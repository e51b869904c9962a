//! slowhttptest, as it comes with Debian: slow heads, slow bodies, slow reads, by somebody else's hand. Must stay true: a server
//! that was not available for a moment fails.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::suite::Tally;
use crate::target::Target;

/// Ways to be slow: the name, and slowhttptest's own words for it.
const WAYS: [(&str, &[&str]); 3] = [
    ("slow heads (-H)", &["-H", "-i", "1", "-x", "24"]),
    (
        "slow bodies (-B)",
        &["-B", "-i", "1", "-s", "8192", "-x", "10"],
    ),
    (
        "slow reads (-X)",
        &[
            "-X", "-w", "10", "-y", "20", "-n", "1", "-z", "32", "-k", "3",
        ],
    ),
];

/// Connections of each, and how many of them a second begins.
const CONNECTIONS: &str = "800";
const RATE: &str = "400";
/// Seconds of each.
const SECONDS: &str = "15";

/// Tries all three.
///
/// # Errors
/// When slowhttptest cannot be started.
pub fn run() -> Result<Vec<Tally>, String> {
    let begun = Instant::now();
    let mut unexpected = Vec::new();
    for (name, words) in WAYS {
        if let Err(found) = attempt(words)? {
            unexpected.push(format!("{name}: {found}"));
        }
    }
    let took: Duration = begun.elapsed();
    Ok(vec![Tally {
        kind: format!("slowhttptest, {CONNECTIONS} connections"),
        cases: WAYS.len(),
        unexpected,
        took,
    }])
}

fn attempt(words: &[&str]) -> Result<Result<(), String>, String> {
    let target = Target::start(&[]);
    let path = if words[0] == "-B" {
        "/_action"
    } else {
        "/long"
    };
    let url = format!("{}{path}", target.server().url);
    let output = Command::new("slowhttptest")
        .args(words)
        .args([
            "-c",
            CONNECTIONS,
            "-r",
            RATE,
            "-l",
            SECONDS,
            "-p",
            "3",
            "-u",
            &url,
        ])
        .output()
        .map_err(|error| format!("slowhttptest cannot be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(judge(&text))
}

/// It writes again and again `service available: YES`, in colours.
fn judge(text: &str) -> Result<(), String> {
    let plain: String = text
        .split('\u{1b}')
        .map(|part| part.split_once('m').map_or(part, |(_, rest)| rest))
        .collect();
    let told: Vec<&str> = plain
        .lines()
        .filter(|line| line.contains("service available"))
        .collect();
    if told.is_empty() {
        let shown: String = plain.chars().take(500).collect();
        return Err(format!("it says nothing of the service: {shown}"));
    }
    let away = told.iter().filter(|line| !line.contains("YES")).count();
    if away > 0 {
        return Err(format!("not available at {away} of {} looks", told.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn its_words_are_read() {
        let line =
            |word: &str| format!("\u{1b}[1;32mservice available: \u{1b}[1;33m  {word}\u{1b}[0m\n");
        assert_eq!(judge(&line("YES").repeat(3)), Ok(()));
        assert!(judge(&(line("YES") + &line("NO"))).is_err());
        assert!(judge("error").is_err());
    }
}
