//! Numbers for those who watch: requests by kind and status, their times, connections, memory, the store, machine code; as
//! Prometheus reads them. Must stay true: there are as many series as kinds, never as paths or visitors; counting locks nothing.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::app::App;
use crate::context::Kind;

/// Upper ends of the times that are told apart, in microseconds.
const ENDS_US: [u64; 14] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000,
];

/// First digits of statuses.
const CLASSES: usize = 5;

/// What was counted since the start.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    kinds: [OfKind; Kind::ALL.len()],
    /// Requests that took longer than an operator wants.
    pub(crate) slow: AtomicU64,
    /// Fuel of all runs.
    pub(crate) fuel: AtomicU64,
}

#[derive(Debug, Default)]
struct OfKind {
    answered: [AtomicU64; CLASSES],
    // One more: longer than all ends.
    times: [AtomicU64; ENDS_US.len() + 1],
    sum_us: AtomicU64,
}

impl Metrics {
    /// A request was answered.
    pub(crate) fn answered(&self, kind: Kind, status: u16, took: Duration) {
        let of = &self.kinds[kind as usize];
        let class = usize::from(status / 100).clamp(1, CLASSES) - 1;
        of.answered[class].fetch_add(1, Ordering::Relaxed);
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = ENDS_US.partition_point(|end| *end < took_us);
        of.times[bucket].fetch_add(1, Ordering::Relaxed);
        of.sum_us.fetch_add(took_us, Ordering::Relaxed);
    }

    fn write(&self, out: &mut String) {
        header(out, "flin_requests_total", "counter", "Requests answered");
        for (kind, of) in Kind::ALL.iter().zip(&self.kinds) {
            for (class, count) in of.answered.iter().enumerate() {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let labels = format!("kind=\"{}\",status=\"{}xx\"", kind.name(), class + 1);
                    line(out, "flin_requests_total", &labels, count);
                }
            }
        }
        let name = "flin_request_seconds";
        header(
            out,
            name,
            "histogram",
            "Time from a whole head to a whole answer",
        );
        for (kind, of) in Kind::ALL.iter().zip(&self.kinds) {
            let mut so_far = 0;
            for (at, count) in of.times.iter().enumerate() {
                so_far += count.load(Ordering::Relaxed);
                let end = ENDS_US
                    .get(at)
                    .map_or("+Inf".to_owned(), |end| seconds(*end));
                let labels = format!("kind=\"{}\",le=\"{end}\"", kind.name());
                line(out, "flin_request_seconds_bucket", &labels, so_far);
            }
            let labels = format!("kind=\"{}\"", kind.name());
            let sum = seconds(of.sum_us.load(Ordering::Relaxed));
            line(out, "flin_request_seconds_sum", &labels, sum);
            line(out, "flin_request_seconds_count", &labels, so_far);
        }
    }
}

fn seconds(us: u64) -> String {
    (us as f64 / 1e6).to_string()
}

fn header(out: &mut String, name: &str, kind: &str, help: &str) {
    out.push_str(&format!("# HELP {name} {help}.\n# TYPE {name} {kind}\n"));
}

fn line(out: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let labels = if labels.is_empty() {
        String::new()
    } else {
        format!("{{{labels}}}")
    };
    // Writing to a text cannot fail.
    let _ = writeln!(out, "{name}{labels} {value}");
}

/// All of it, as `/_flin/metrics` answers.
pub(crate) fn text(app: &App, connections: usize) -> String {
    let mut out = String::new();
    app.metrics.write(&mut out);
    for (name, help, value) in single(app, connections) {
        let kind = if name.ends_with("_total") {
            "counter"
        } else {
            "gauge"
        };
        header(&mut out, name, kind, help);
        line(&mut out, name, "", value);
    }
    out
}

/// A number that stands alone: its name, what it means, and what it is.
type Single = (&'static str, &'static str, u64);

// Numbers that stand alone.
fn single(app: &App, connections: usize) -> impl Iterator<Item = Single> {
    let connections = (
        "flin_connections",
        "Open connections, sockets included",
        connections as u64,
    );
    of_runs(app)
        .into_iter()
        .chain([connections])
        .chain(of_pages(app))
        .chain(process())
}

fn of_runs(app: &App) -> Vec<Single> {
    let counters = app.runtime.counters();
    let counted = |name, help, counter: &AtomicU64| (name, help, counter.load(Ordering::Relaxed));
    let compiled = app.runtime.program().native().counts().compiled;
    vec![
        counted(
            "flin_entries_total",
            "Pages, actions and routes that ran",
            &counters.entries,
        ),
        counted(
            "flin_clashes_total",
            "Runs repeated because of another commit",
            &counters.clashes,
        ),
        counted(
            "vm_panics_total",
            "Panics caught inside the runtime",
            &counters.panics,
        ),
        counted(
            "flin_refused_total",
            "Requests refused because all workers were busy",
            &counters.refused,
        ),
        counted(
            "flin_memory_refused_total",
            "Runs ended because all of them together used too much memory",
            &counters.memory_refused,
        ),
        counted(
            "flin_abandoned_total",
            "Requests not begun because their clients were gone",
            &counters.abandoned,
        ),
        counted(
            "flin_slow_total",
            "Requests that took longer than server.slow",
            &app.metrics.slow,
        ),
        counted(
            "flin_fuel_total",
            "Calls and loop turns of requests",
            &app.metrics.fuel,
        ),
        (
            "flin_waiting",
            "Requests that wait for a worker",
            app.runtime.waiting() as u64,
        ),
        (
            "flin_run_memory_bytes",
            "Memory of the runs of now",
            app.runtime.memory_held() as u64,
        ),
        (
            "flin_jit_functions_total",
            "Functions compiled to machine code",
            compiled.functions,
        ),
        ("flin_jit_code_bytes", "Machine code", compiled.code_bytes),
    ]
}

fn of_pages(app: &App) -> Vec<Single> {
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    vec![
        (
            "flin_commit_seq",
            "Number of the newest commit",
            app.runtime.store().head().0,
        ),
        (
            "flin_commits_total",
            "Commits since the start",
            count(&app.runtime.counters().commits),
        ),
        (
            "flin_store_bytes",
            "Log of the data, what is made ready for it included",
            app.runtime.store().log_bytes(),
        ),
        (
            "flin_views_watched",
            "Different views that clients watch",
            app.live.watched() as u64,
        ),
        (
            "flin_view_renders_total",
            "Views rendered for those who watch them",
            count(&app.live.renders),
        ),
        (
            "flin_view_messages_total",
            "Messages about views that were written; each goes to all who are where it starts",
            count(&app.live.messages),
        ),
        (
            "flin_sockets",
            "Open live sockets",
            app.hub.sockets() as u64,
        ),
        (
            "flin_uptime_seconds",
            "Time since the start",
            app.started.elapsed().as_secs(),
        ),
    ]
}

// What the system says of this process, where it says it.
fn process() -> impl Iterator<Item = Single> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| {
        let kilobytes = line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?;
        kilobytes.trim().parse::<u64>().ok()
    });
    let memory = resident.map(|kilobytes| {
        let help = "Memory of the process that is in use";
        ("process_resident_memory_bytes", help, kilobytes * 1024)
    });
    let open = std::fs::read_dir("/proc/self/fd").map(Iterator::count);
    let files = open
        .ok()
        .map(|count| ("process_open_fds", "Open files and sockets", count as u64));
    memory.into_iter().chain(files)
}
