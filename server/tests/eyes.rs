//! What an operator sees: metrics that a real parser of Prometheus reads, health, who asks behind a proxy. Must stay true: what is
//! counted is what happened.

mod support;

use std::io::Write;
use std::time::Duration;

use flin_runtime::RuntimeOptions;
use flin_server::ServerLimits;
use flin_server::settings::Network;
use prometheus_parse::{Scrape, Value};
use support::{Running, read_answer, serve, serve_broken, serve_options, serve_with};

fn scrape(server: &Running) -> Scrape {
    let answer = server.get("/_flin/metrics");
    assert_eq!(answer.status, 200);
    let kind = answer.header("content-type").expect("a content type");
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    let lines = answer.body.lines().map(|line| Ok(line.to_owned()));
    Scrape::parse(lines).expect("Prometheus reads it")
}

fn value(scrape: &Scrape, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let fits = |sample: &&prometheus_parse::Sample| {
        sample.metric == name
            && labels
                .iter()
                .all(|(key, value)| sample.labels.get(key) == Some(value))
    };
    match scrape.samples.iter().find(fits)?.value {
        Value::Counter(n) | Value::Gauge(n) | Value::Untyped(n) => Some(n),
        Value::Histogram(_) | Value::Summary(_) => None,
    }
}

#[test]
fn metrics_are_read_by_prometheus_and_count_what_happened() {
    let server = serve();
    for _ in 0..3 {
        assert_eq!(server.get("/").status, 200);
    }
    assert_eq!(server.get("/nowhere").status, 404);
    assert_eq!(server.act("add", "[]", "{\"draft\":\"seen\"}").status, 200);
    let scrape = scrape(&server);
    let counted = |kind: &str, status: &str| {
        value(
            &scrape,
            "flin_requests_total",
            &[("kind", kind), ("status", status)],
        )
    };
    assert_eq!(counted("page", "2xx"), Some(3.0));
    assert_eq!(counted("other", "4xx"), Some(1.0));
    assert_eq!(counted("action", "2xx"), Some(1.0));
    assert_eq!(counted("action", "5xx"), None);
    let head = server.runtime.store().head().0;
    assert_eq!(value(&scrape, "flin_commit_seq", &[]), Some(head as f64));
    assert!(value(&scrape, "process_open_fds", &[]).is_some_and(|n| n > 3.0));
    assert!(value(&scrape, "process_resident_memory_bytes", &[]).is_some_and(|n| n > 1e6));
    let histogram = scrape.samples.iter().find(|sample| {
        sample.metric == "flin_request_seconds" && sample.labels.get("kind") == Some("page")
    });
    let Some(Value::Histogram(buckets)) = histogram.map(|sample| &sample.value) else {
        panic!("no histogram: {:?}", scrape.samples);
    };
    let counts: Vec<f64> = buckets.iter().map(|bucket| bucket.count).collect();
    assert!(counts.is_sorted(), "{counts:?}");
    assert_eq!(counts.last(), Some(&3.0));
    // Each name is told once, with what it means.
    let text = server.get("/_flin/metrics").body;
    let mut named: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# HELP "))
        .collect();
    let all = named.len();
    named.sort_unstable();
    named.dedup_by_key(|line| line.split(' ').next());
    assert_eq!(named.len(), all);
}

#[test]
fn panics_are_counted() {
    let server = serve_broken();
    assert_eq!(server.act("clock", "[]", "{}").status, 500);
    assert_eq!(value(&scrape(&server), "vm_panics_total", &[]), Some(1.0));
}

#[test]
fn whoever_stops_is_no_longer_ready() {
    let mut server = serve_with(
        ServerLimits {
            drain_time: Duration::from_secs(5),
            ..ServerLimits::default()
        },
        RuntimeOptions::default(),
    );
    let health = server.get("/_flin/health");
    assert!(
        health.body.contains("\"live\":true,\"ready\":true"),
        "{}",
        health.body
    );
    // A request whose head has begun is still answered; its connection ends then.
    let mut stream = server.connect();
    let head = format!("GET /_flin/health HTTP/1.1\r\nHost: {}\r\n", server.address);
    stream.write_all(head.as_bytes()).expect("sent");
    std::thread::sleep(Duration::from_millis(100));
    let answered = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        stream.write_all(b"\r\n").expect("sent");
        read_answer(&mut stream)
    });
    server.stop();
    let answer = answered.join().expect("an answer");
    assert_eq!(answer.status, 503, "{}", answer.head);
    assert!(answer.body.contains("\"ready\":false"), "{}", answer.body);
}

#[test]
fn proxies_speak_for_others_only_if_they_are_trusted() {
    let forwarded = [
        ("X-Forwarded-For", "9.9.9.9"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "memos.example"),
    ];
    let server = serve();
    let plain = server.ask("GET", "/", &forwarded, "");
    assert_eq!(
        (plain.status, plain.header("strict-transport-security")),
        (200, None)
    );
    let trusting = serve_options(RuntimeOptions::default(), |options| {
        options.trusted_proxies = vec![Network::parse("127.0.0.0/8").expect("a network")];
    });
    let behind = trusting.ask("GET", "/", &forwarded, "");
    assert_eq!(behind.status, 200);
    assert_eq!(
        behind.header("strict-transport-security"),
        Some("max-age=31536000")
    );
    let foreign = trusting.ask("GET", "/", &[("X-Forwarded-Host", "evil.example")], "");
    assert_eq!(foreign.status, 421);
}
