//! The log: nothing that failed is missing from it, a panic stands there with its backtrace, and the id that a visitor is
//! shown leads to the line.

mod support;

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use support::{serve, serve_broken};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .expect("the log is whole")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

// One log for all tests of this program: each looks for its own lines.
fn log() -> &'static Lines {
    static LOG: OnceLock<Lines> = OnceLock::new();
    LOG.get_or_init(|| {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .init();
        lines
    })
}

fn logged(part: &str) -> String {
    let bytes = log().0.lock().expect("the log is whole").clone();
    let text = String::from_utf8(bytes).expect("the log is text");
    assert!(text.contains(part), "{part:?} is not in the log:\n{text}");
    text
}

#[test]
fn a_panic_is_logged_with_its_backtrace() {
    log();
    let server = serve_broken();
    let answer = server.act("clock", "[]", "{}");
    assert_eq!(answer.status, 500);
    let text = logged("panic inside the runtime: ");
    assert!(
        text.contains("the clock fell off the wall") && text.contains("support/mod.rs"),
        "{text}"
    );
    assert!(text.contains("backtrace"), "{text}");
}

#[test]
fn the_id_that_is_shown_is_in_the_log() {
    log();
    let server = serve();
    let answer = server.act("divide", "[]", "{}");
    let id = answer
        .body
        .split("\"id\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("an id");
    let text = logged(&format!("id=\"{id}\""));
    assert!(
        text.contains("DivisionByZero") && text.contains("memos.flin:88:8"),
        "{text}"
    );
}

#[test]
fn an_action_tells_how_many_records_it_touched() {
    log();
    let server = serve();
    server.act("add", "[]", "{\"draft\":\"counted\"}");
    server.act("add", "[]", "{\"draft\":\"\"}");
    let text = logged("what=\"action\" name=\"add\"");
    assert!(
        text.lines().any(|line| line.contains("name=\"add\"")
            && line.contains(" writes=1 ")
            && line.ends_with("seq=2")
            || line.contains("writes=1")),
        "{text}"
    );
    assert!(text.contains("ValidationError: text is required"), "{text}");
}
