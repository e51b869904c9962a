//! THE table of settings. Must stay true: a row says everything about its setting, once: where it goes, between which bounds,
//! what it means, and exactly what happens beyond it. The default is what `Settings::default` has.

use super::Settings;
use super::value::Slot;

/// A setting.
pub(super) struct Row {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    /// The least and the most, in things, bytes or milliseconds; not for types that have no order.
    pub(super) least: u64,
    pub(super) most: u64,
    /// Where its value goes.
    pub(super) slot: fn(&mut Settings) -> Slot<'_>,
    /// What it means, one sentence without its end.
    pub(super) meaning: &'static str,
    /// What happens beyond it; empty for what is no limit.
    pub(super) beyond: &'static str,
}

const KB: u64 = 1 << 10;
const MB: u64 = 1 << 20;
const GB: u64 = 1 << 30;
const SECOND: u64 = 1000;
const HOUR: u64 = 3600 * SECOND;
/// For types whose values have no order.
const ANY: (u64, u64) = (0, 0);

macro_rules! rows {
    ($($section:ident.$name:ident, $bounds:expr, $slot:expr, $meaning:literal, $beyond:literal;)*) => {
        &[$(Row {
            section: stringify!($section),
            name: stringify!($name),
            least: $bounds.0,
            most: $bounds.1,
            slot: $slot,
            meaning: $meaning,
            beyond: $beyond,
        }),*]
    };
}

/// All settings, in the order in which they are shown.
pub(super) const ROWS: &[Row] = rows! {
    limits.connections, (1, 1_000_000), |s| Slot::Count(&mut s.limits.connections_max),
        "open connections, sockets included", "503 with `Retry-After`, closed";
    limits.header, (8 * KB, MB), |s| Slot::Bytes(&mut s.limits.head_bytes_max),
        "bytes of a request head", "431, closed";
    limits.header_fields, (8, 1000), |s| Slot::Count(&mut s.limits.header_fields_max),
        "header fields of a request", "431, closed";
    limits.header_time, (100, HOUR), |s| Slot::Time(&mut s.limits.head_time),
        "time for a request head, from its first byte", "408, closed";
    limits.body, (0, GB), |s| Slot::Bytes(&mut s.limits.body_bytes_max),
        "bytes of a request body", "413, closed";
    limits.body_time, (100, HOUR), |s| Slot::Time(&mut s.limits.body_time),
        "time for a request body", "408, closed";
    limits.send_time, (100, HOUR), |s| Slot::Time(&mut s.limits.send_time),
        "time that a client may take nothing of an answer or a message", "closed";
    limits.keep_alive, (100, HOUR), |s| Slot::Time(&mut s.limits.idle_time),
        "pause between two requests of a connection", "closed";
    limits.time, (1, HOUR), |s| Slot::Time(&mut s.running.request_time),
        "run time of a request", "`TimeLimitExceeded`, 503";
    limits.start_time, (1, 24 * HOUR), |s| Slot::Time(&mut s.running.start_time),
        "run time of the top level before the first request", "`TimeLimitExceeded`, the server does not start";
    limits.memory, (MB, 64 * GB), |s| Slot::Bytes(&mut s.running.memory_bytes),
        "memory of one request", "`MemoryLimitExceeded`, 500, others unaffected";
    limits.memory_all, (16 * MB, 4096 * GB), |s| Slot::SomeBytes(&mut s.running.memory_all_bytes, "half"),
        "memory of all requests that run, together; \"half\" is half of the machine", "503 with `Retry-After`";
    limits.call_depth, (16, 10_000), |s| Slot::Count(&mut s.running.call_depth),
        "nested calls of a request", "`StackOverflow`, 500";
    limits.waiting, (1, 1_000_000), |s| Slot::Count(&mut s.running.queue_max),
        "requests that wait for a worker", "503 with `Retry-After`";
    limits.workers, (0, 1024), |s| Slot::Count(&mut s.running.workers),
        "requests that compute at the same time, others wait for their turn; 0 is one for each core", "they take turns";
    limits.message, (KB, 64 * MB), |s| Slot::Bytes(&mut s.limits.message_bytes_max),
        "bytes of a message on a socket", "close 1009";
    limits.queue, (1, 65_536), |s| Slot::Count(&mut s.limits.feed_queue_max),
        "changes that wait for a slow socket", "one refresh in their place";
    limits.subscriptions, (1, 65_536), |s| Slot::Count(&mut s.limits.subscriptions_max),
        "types that one socket follows", "a message with `\"type\":\"error\"`";
    limits.ping, (100, HOUR), |s| Slot::Time(&mut s.limits.ping_every),
        "how often a socket is asked for a sign of life", "closed when two pings have no answer";
    limits.drain, (0, HOUR), |s| Slot::Time(&mut s.limits.drain_time),
        "time for running requests when the server stops", "cut off";

    server.host, ANY, |s| Slot::Address(&mut s.serving.host),
        "address to listen on (`--host`)", "";
    server.port, ANY, |s| Slot::Port(&mut s.serving.port),
        "port to listen on; 0 takes a free one (`--port`)", "";
    server.data, ANY, |s| Slot::Path(&mut s.serving.data),
        "directory of the data, from where the file lies (`--data`)", "";
    server.allow_hosts, ANY, |s| Slot::Hosts(&mut s.serving.allow_hosts),
        "host names that are answered besides those of this machine (`--allow-host`)", "421";
    server.allow_private_http, ANY, |s| Slot::Switch(&mut s.serving.allow_private_http),
        "let `http_get` and its sisters ask servers in private networks (`--allow-private-http`)", "`NetworkError`";
    server.trusted_proxies, ANY, |s| Slot::Networks(&mut s.serving.trusted_proxies),
        "peers whose `X-Forwarded-For`, `-Proto` and `-Host` are believed", "the headers are dropped";
    server.tls_cert, ANY, |s| Slot::Path(&mut s.serving.tls_cert),
        "file with the certificates for TLS (`--tls-cert`)", "";
    server.tls_key, ANY, |s| Slot::Path(&mut s.serving.tls_key),
        "file with the private key for TLS (`--tls-key`)", "";
    server.log, ANY, |s| Slot::Choice(&mut s.serving.log, &["text", "json"]),
        "form of the log (`--log`)", "";
    server.log_requests, ANY, |s| Slot::Choice(&mut s.serving.log_requests, &["all", "changes", "failed"]),
        "requests that have a line in the log; `changes` are those that may change something, and those that failed", "";
    server.slow, (1, HOUR), |s| Slot::Time(&mut s.serving.slow_time),
        "a request that takes longer is logged with the line of the program that spent the most", "a warning in the log";
};

/// The row of a setting.
pub(super) fn find(section: &str, name: &str) -> Option<&'static Row> {
    ROWS.iter()
        .find(|row| row.section == section && row.name == name)
}

/// The sections, in order.
pub(super) fn sections() -> Vec<&'static str> {
    let mut sections: Vec<&str> = ROWS.iter().map(|row| row.section).collect();
    sections.dedup();
    sections
}

/// All settings as `section.name`.
pub fn names() -> Vec<String> {
    ROWS.iter()
        .map(|row| format!("{}.{}", row.section, row.name))
        .collect()
}

fn default_of(row: &Row) -> String {
    let mut settings = Settings::default();
    let written = (row.slot)(&mut settings).written();
    written.unwrap_or_else(|| "none".to_owned())
}

/// The settings for `--help`.
pub fn help() -> String {
    let mut out =
        String::from("Settings (flin.config beside the program, or --set SECTION.NAME=VALUE):\n");
    for row in ROWS {
        let name = format!("{}.{}", row.section, row.name);
        let beyond = match row.beyond {
            "" => String::new(),
            beyond => format!(" → {}", beyond.replace('`', "")),
        };
        let meaning = row.meaning.replace('`', "");
        out.push_str(&format!(
            "  {name:<26} {:<12} {meaning}{beyond}\n",
            default_of(row)
        ));
    }
    out
}

/// The settings as tables for the page docs/configuration.md.
pub fn markdown() -> String {
    let mut out = String::new();
    for section in sections() {
        out.push_str(&format!("### {section}\n\n| name | type | default | meaning | beyond it |\n|---|---|---|---|---|\n"));
        for row in ROWS.iter().filter(|row| row.section == section) {
            let kind = (row.slot)(&mut Settings::default()).kind();
            out.push_str(&format!(
                "| `{}` | {kind} | {} | {} | {} |\n",
                row.name,
                default_of(row),
                row.meaning,
                row.beyond
            ));
        }
        out.push('\n');
    }
    out
}

/// A file that sets everything as it is.
pub(super) fn written(settings: &Settings) -> String {
    let mut settings = settings.clone();
    let mut out = String::new();
    for section in sections() {
        out.push_str(&format!("{section} {{\n"));
        for row in ROWS.iter().filter(|row| row.section == section) {
            if let Some(value) = (row.slot)(&mut settings).written() {
                out.push_str(&format!("  {}: {value}\n", row.name));
            }
        }
        out.push_str("}\n");
    }
    out
}
