//! A server among programs that never end, never return or take all memory: whoever asks for something sensible gets it,
//! and afterwards the process is as small as before. Must stay true: nothing here depends on how fast the machine is, but
//! for the deadline of a good answer, which is generous.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use flin_testkit::http;
use flin_testkit::process::Server;
use flin_testkit::rng::Rng;
use support::Folder;

const GREEDY: &str = r#"
entity Visit { place: text @required }

fn down(n) { 1 + down(n + 1) }
fn sum(n) {
  total = 0
  for i in 0..n { total += i * i % 7 }
  total
}

route GET "/good/:n" { sum(params.n.to_int ?: 0) }
route GET "/recursion" { down(0) }
route GET "/loop" {
  n = 0
  while true { n = (n + 1) % 1000 }
  n
}
route GET "/memory" {
  hoard = [""]
  while true { hoard.push("{hoard.len} {hoard.last}".slice(0, 1000)) }
  hoard.len
}
route GET "/double" {
  words = "all of it "
  while true { words = words + words }
  words.len
}
route POST "/visits" { save Visit { place: "here" }; Visit.count }
"#;

/// Requests of the test; `FLIN_HOSTILE_REQUESTS` asks for more (10,000 take about two minutes with a release build).
const REQUESTS: usize = 300;
const CLIENTS: usize = 24;
/// How long a good answer may take, waiting included.
const GOOD_DEADLINE: Duration = Duration::from_secs(20);

/// Resident memory of the process, bytes.
fn memory(server: &Server) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid()))
        .expect("a running process has a status");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .expect("it says how much memory it has");
    let kib: usize = line
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .expect("a number");
    kib << 10
}

fn good(server: &Server, n: usize) {
    let started = Instant::now();
    let answer = if n.is_multiple_of(9) {
        http::post_json(&server.url, "/visits", "{}")
    } else {
        http::get(&server.url, &format!("/good/{}", 100 + n % 5 * 1000))
    };
    assert_eq!(answer.status, 200, "{}", answer.body);
    let took = started.elapsed();
    assert!(took < GOOD_DEADLINE, "a good request took {took:?}");
}

fn bad(server: &Server, path: &str, statuses: &[u16]) {
    let answer = http::get(&server.url, path);
    assert!(
        statuses.contains(&answer.status),
        "{path}: {} {}",
        answer.status,
        answer.body
    );
}

fn run(more: &[&str]) {
    let requests = std::env::var("FLIN_HOSTILE_REQUESTS");
    let requests = requests.map_or(REQUESTS, |n| n.parse().expect("a number of requests"));
    let folder = Folder::new();
    let module = folder.compile("greedy.fbc", GREEDY);
    let server = Server::start_with(&module, &folder.path("data"), more);
    // Everything has been used once: threads, code, pools.
    for n in 0..50 {
        good(&server, n);
    }
    // An error of the program, or its time is over before its memory is.
    bad(&server, "/memory", &[500, 503]);
    bad(&server, "/recursion", &[500]);
    let before = memory(&server);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (server, next) = (&server, &next);
            scope.spawn(move || {
                let mut rng = Rng::new(client as u64);
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= requests {
                        return;
                    }
                    match rng.below(60) {
                        0 => bad(server, "/loop", &[503]),
                        1 => bad(server, "/memory", &[500, 503]),
                        2 => bad(server, "/double", &[500, 503]),
                        3..10 => bad(server, "/recursion", &[500]),
                        _ => good(server, n),
                    }
                }
            });
        }
    });
    // Threads that were started for the waiting ones end when they have nothing to do.
    let deadline = Instant::now() + Duration::from_secs(20);
    let level = before + (64 << 20);
    while memory(&server) > level && Instant::now() < deadline {
        good(&server, 1);
        std::thread::sleep(Duration::from_millis(200));
    }
    let after = memory(&server);
    assert!(
        after <= level,
        "{} MiB before, {} MiB after",
        before >> 20,
        after >> 20
    );
    eprintln!(
        "{requests} requests: {} MiB before, {} MiB after",
        before >> 20,
        after >> 20
    );
}

#[test]
fn good_requests_are_answered_among_hostile_ones() {
    run(&[]);
}

#[test]
fn the_same_when_everything_is_interpreted() {
    run(&["--jit", "off"]);
}
