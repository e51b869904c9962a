//! The clients: `wrk` for load, single requests for filling. Must stay true: every answer is a success, or the run ends with
//! what was answered.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::process::{Failure, Running, post};

/// What one round of load showed.
#[derive(Clone, Copy)]
pub(super) struct Load {
    /// Answers in a second.
    pub(super) per_second: f64,
    /// Half of the answers took at most so long, in milliseconds.
    pub(super) p50_ms: f64,
    /// Ninety-nine of a hundred took at most so long, in milliseconds.
    pub(super) p99_ms: f64,
    /// Processor time of the server for one answer, in microseconds.
    pub(super) cpu_us: f64,
}

/// Many ask for the page.
pub(super) fn pages(server: &Running, clients: usize, seconds: u64) -> Result<Load, Failure> {
    measured(server, wrk(server.port, "/", clients, seconds))
}

/// Many create notes.
pub(super) fn creations(server: &Running, clients: usize, seconds: u64) -> Result<Load, Failure> {
    let mut command = wrk(server.port, "/api/notes", clients, seconds);
    command
        .arg("--script")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("load/create.lua"));
    measured(server, command)
}

/// Many ask for the page while others ask for what takes long.
pub(super) fn pages_beside(
    server: &Running,
    clients: usize,
    heavy: usize,
    seconds: u64,
) -> Result<Load, Failure> {
    let mut neighbour = wrk(server.port, "/heavy", heavy, seconds + 1);
    let mut neighbour: Child = neighbour.stdout(Stdio::null()).spawn()?;
    std::thread::sleep(std::time::Duration::from_millis(300));
    let load = pages(server, clients, seconds);
    neighbour.wait()?;
    load
}

fn wrk(port: u16, path: &str, clients: usize, seconds: u64) -> Command {
    let mut command = Command::new("wrk");
    command.args(["--threads", "1", "--latency", "--timeout", "10s"]);
    command.args([
        "--connections",
        &clients.to_string(),
        "--duration",
        &format!("{seconds}s"),
    ]);
    command.arg(format!("http://127.0.0.1:{port}{path}"));
    command
}

fn measured(server: &Running, mut command: Command) -> Result<Load, Failure> {
    let before = server.cpu_seconds()?;
    let output = command.output().map_err(|error| format!("wrk: {error}"))?;
    let used = server.cpu_seconds()? - before;
    read(&String::from_utf8_lossy(&output.stdout), used)
}

/// Reads what wrk prints.
fn read(text: &str, cpu_seconds: f64) -> Result<Load, Failure> {
    let failed = text
        .lines()
        .find(|line| line.contains("Non-2xx") || line.contains("Socket errors"));
    if let Some(line) = failed {
        return Err(format!("requests failed: {}", line.trim()).into());
    }
    let after = |name: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(name));
        line.map(str::trim)
            .ok_or(format!("wrk does not say `{name}`:\n{text}"))
    };
    let requests: f64 = text
        .lines()
        .find_map(|line| line.trim().split_once(" requests in "))
        .and_then(|(count, _)| count.parse().ok())
        .ok_or("wrk says how many requests it sent")?;
    Ok(Load {
        per_second: after("Requests/sec:")?.parse()?,
        p50_ms: milliseconds(after("50%")?)?,
        p99_ms: milliseconds(after("99%")?)?,
        cpu_us: cpu_seconds / requests * 1e6,
    })
}

/// A time as wrk writes it, in milliseconds.
fn milliseconds(text: &str) -> Result<f64, Failure> {
    let units = [("us", 0.001), ("ms", 1.0), ("s", 1000.0), ("m", 60_000.0)];
    let found = units.iter().find_map(|(unit, factor)| {
        let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
        Some(number * factor)
    });
    found.ok_or_else(|| format!("`{text}` is no time of wrk").into())
}

/// Creates notes one by one.
pub(super) fn fill(port: u16, records: usize) -> Result<(), Failure> {
    for n in 0..records {
        let body = format!(
            "{{\"title\":\"Milk & bread, number {n}\",\"body\":\"two litres of what is to be had\"}}"
        );
        post(port, "/api/notes", &body)?;
    }
    Ok(())
}

/// Creates many notes, a thousand with each request.
pub(super) fn fill_by_thousands(port: u16, records: usize) -> Result<(), Failure> {
    for _ in 0..records / 1000 {
        post(port, "/api/thousand", "{}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn what_wrk_prints_is_read() {
        let text = "Running 3s test\n  Latency Distribution\n     50%    4.89ms\n     75%    5.75ms\n     99%   15.27ms\n  \
                    18785 requests in 3.02s, 123.56MB read\nRequests/sec:   6228.02\n";
        let load = read(text, 0.37570).expect("a report");
        assert_eq!(
            (load.per_second, load.p50_ms, load.p99_ms),
            (6228.02, 4.89, 15.27)
        );
        assert!((load.cpu_us - 20.0).abs() < 0.01);
        assert!(read(&format!("{text}  Non-2xx or 3xx responses: 3\n"), 0.0).is_err());
        assert!(read("", 0.0).is_err());
    }
}
