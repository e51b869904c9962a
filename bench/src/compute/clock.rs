//! CPU time of a child process. Here because on a machine with other work only CPU time (user and system, of all its threads)
//! says something. Must stay true: children run one at a time, so that the difference belongs to the one.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use crate::compute::runners::Prepared;

/// What a child did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Its output, trimmed at the end.
    pub printed: String,
    /// User and system time.
    pub cpu: Duration,
    /// From start to end by the clock on the wall.
    pub wall: Duration,
}

/// Runs a program to its end.
///
/// # Errors
/// When it cannot be started, fails or prints no text.
pub fn run(command: &Prepared) -> Result<Ran, String> {
    let shown = || {
        format!(
            "`{} {}`",
            command.program.display(),
            command.words.join(" ")
        )
    };
    let before = used()?;
    let start = Instant::now();
    let output = Command::new(&command.program)
        .args(&command.words)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("{} cannot be started: {e}", shown()))?;
    let wall = start.elapsed();
    let cpu = used()?.saturating_sub(before);
    if !output.status.success() {
        return Err(format!("{} failed ({})", shown(), output.status));
    }
    let printed =
        String::from_utf8(output.stdout).map_err(|e| format!("{} prints no text: {e}", shown()))?;
    Ok(Ran {
        printed: printed.trim_end().to_owned(),
        cpu,
        wall,
    })
}

/// CPU time of all children that have ended so far.
fn used() -> Result<Duration, String> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)
        .map_err(|e| format!("the system does not tell the time of child processes: {e}"))?;
    Ok(duration(usage.user_time()) + duration(usage.system_time()))
}

fn duration(time: TimeVal) -> Duration {
    Duration::from_micros(time.tv_sec().unsigned_abs() * 1_000_000 + time.tv_usec().unsigned_abs())
}
