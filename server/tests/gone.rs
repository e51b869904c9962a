//! Clients that go away: what they asked for and has not begun is not done.

mod support;

use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use flin_runtime::RuntimeOptions;
use flin_server::ServerLimits;
use support::serve_idle;

/// Waits for what must come; how long it takes is no part of the test.
fn wait_until(is_so: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < patience, "it never came");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn what_has_not_begun_is_not_done_for_a_client_that_is_gone() {
    // Nobody works yet, so both requests wait.
    let server = serve_idle(ServerLimits::default(), RuntimeOptions::default());
    let post = |text: &str| {
        let body = format!("{{\"text\":\"{text}\"}}");
        let mut stream = server.connect();
        let head = format!(
            "POST /memos HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            server.address,
            body.len()
        );
        stream
            .write_all(format!("{head}{body}").as_bytes())
            .expect("the request is sent");
        stream
    };
    let gone = post("left");
    wait_until(|| server.runtime.waiting() == 1);
    drop(gone);
    wait_until(|| server.runtime.waiting() == 0);
    let mut there = post("stays");
    wait_until(|| server.runtime.waiting() == 1);
    server.runtime.start_workers();
    assert_eq!(support::read_answer(&mut there).status, 200);
    let memos = server.get("/memos").body;
    assert!(memos.contains("stays"), "{memos}");
    assert!(!memos.contains("left"), "{memos}");
    let abandoned = &server.runtime.counters().abandoned;
    assert_eq!(abandoned.load(Ordering::Relaxed), 1);
}
