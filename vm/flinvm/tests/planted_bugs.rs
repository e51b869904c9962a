//! Bugs of ours, planted at every entry: a page, an action, a wish, a route, what the server tells of itself, a message of a socket, the
//! rendering of a view, the comparison with a commit, a stream, the program's clock. Must stay true: each costs what it was planted
//! in and nothing else, is counted, and whoever asks again gets what they asked for.

mod support;

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use flin_runtime::store::{MemoryDisk, Store, StoreOptions};
use flin_runtime::vm::{LogLevel, Program};
use flin_runtime::{Entry, Runtime, RuntimeOptions, SystemWorld, World, schema_of};
use flin_server::{Planted, Server, ServerOptions};
use flin_testkit::http;
use serde_json::json;
use support::tab::Tab;
use tokio::sync::oneshot;

const NOTES: &str = r#"
entity Note { text: text @required, at: time }
words = ""
fn add(words: text) { save Note { text: words, at: now } }
view {
  <input bind={words} /><button click={add(words)}>add</button>
  <p>{Note.count} notes</p>
  {for note in Note.all}<li>{note.text}</li>{/for}
}
page "/clock" { view { <p>{now.year}</p> } }
route GET "/notes" { Note.all.map(n => n.text) }
route GET "/now" { now.year }
route POST "/notes" { save Note { text: body.text, at: now } }
"#;

/// The system's world, whose clock breaks when it is told to, or is elsewhere.
#[derive(Default)]
struct Clock {
    breaks: AtomicBool,
    ahead_ms: AtomicI64,
}

impl World for Clock {
    fn now_ms(&self) -> i64 {
        assert!(
            !self.breaks.swap(false, Ordering::Relaxed),
            "the clock fell off the wall"
        );
        SystemWorld.now_ms() + self.ahead_ms.load(Ordering::Relaxed)
    }
    fn random(&self, bytes: &mut [u8]) {
        SystemWorld.random(bytes);
    }
    fn env(&self, name: &str) -> Option<String> {
        SystemWorld.env(name)
    }
    fn print(&self, line: &str) {
        SystemWorld.print(line);
    }
    fn log(&self, level: LogLevel, line: &str) {
        SystemWorld.log(level, line);
    }
}

/// A server in this process; it ends with the test.
struct Served {
    url: String,
    planted: Planted,
    clock: Arc<Clock>,
    _stop: oneshot::Sender<()>,
}

fn serve() -> Served {
    let compiled = flinc::compile("notes.flin", NOTES).expect("it compiles");
    let program = Program::load(compiled.module).expect("it is sound");
    let schema = schema_of(program.module());
    let disk = Arc::new(MemoryDisk::new());
    let store = Store::open(disk, &schema, StoreOptions::default()).expect("memory opens");
    let clock = Arc::new(Clock::default());
    let options = RuntimeOptions {
        world: clock.clone(),
        ..RuntimeOptions::default()
    };
    let runtime = Runtime::new(program, store.store, options);
    runtime.enter(Entry::Main).expect("it starts");
    runtime.start_workers();
    let planted = Planted::default();
    let (stop, stopped) = oneshot::channel::<()>();
    let (bound, address) = std::sync::mpsc::channel::<SocketAddr>();
    let plant = planted.clone();
    std::thread::spawn(move || {
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("threads");
        threads.block_on(async {
            let mut options = ServerOptions::new(SocketAddr::from(([127, 0, 0, 1], 0)), "test");
            options.planted = plant;
            let server = Server::bind(runtime, options).await.expect("a free port");
            bound.send(server.address()).expect("the test waits");
            server.run(async { drop(stopped.await) }).await;
        });
    });
    let address = address.recv().expect("it starts");
    Served {
        url: format!("http://{address}"),
        planted,
        clock,
        _stop: stop,
    }
}

impl Served {
    fn panics(&self) -> u64 {
        let text = http::get(&self.url, "/_flin/metrics").body;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("vm_panics_total "));
        line.and_then(|number| number.parse().ok())
            .expect("it is counted")
    }

    fn add(&self, words: &str) {
        let wish = json!({ "_page": "/", "_action": "add", "_args": [words] });
        let answer = http::post_json(&self.url, "/_action", &wish.to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// What is asked for fails, and is answered when it is asked for again.
    fn fails_once(&self, plant: impl Fn(), ask: impl Fn() -> http::Answer) {
        let before = self.panics();
        plant();
        let failed = ask();
        assert_eq!(failed.status, 500, "{failed:?}");
        assert!(
            failed.body.contains("(error ") || failed.body.contains("\"id\":\""),
            "{failed:?}"
        );
        assert!(
            !failed.body.contains("planted") && !failed.body.contains("wall"),
            "{failed:?}"
        );
        let again = ask();
        assert_eq!(again.status, 200, "{again:?}");
        assert_eq!(self.panics(), before + 1);
    }
}

#[test]
fn at_every_path() {
    let served = serve();
    let url = &served.url;
    for path in ["/", "/clock", "/notes", "/_flin/health", "/_flin/metrics"] {
        served.fails_once(|| served.planted.at(path), || http::get(url, path));
    }
    let posts = [
        (
            "/_action",
            json!({ "_page": "/", "_action": "add", "_args": ["one"] }),
        ),
        ("/_render", json!({ "_page": "/" })),
        ("/notes", json!({ "text": "two" })),
    ];
    for (path, body) in posts {
        let ask = || http::post_json(url, path, &body.to_string());
        served.fails_once(|| served.planted.at(path), ask);
    }
    // What was planted before anything was done was not done.
    assert_eq!(http::get(url, "/notes").body, "[\"one\",\"two\"]");
    served.planted.at("/_ws");
    let shake = "GET /_ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    assert_eq!(http::raw(url, shake.as_bytes()).status, 500);
    let mut tab = Tab::open(url, "/");
    assert_eq!(tab.watch()["type"], "watching");
}

#[test]
fn in_the_programs_own_run() {
    let served = serve();
    let url = &served.url;
    let plant = || served.clock.breaks.store(true, Ordering::Relaxed);
    served.fails_once(plant, || http::get(url, "/clock"));
    served.fails_once(plant, || http::get(url, "/now"));
    let wish = json!({ "_page": "/", "_action": "add", "_args": ["one"] }).to_string();
    served.fails_once(plant, || http::post_json(url, "/_action", &wish));
    served.fails_once(plant, || {
        http::post_json(url, "/notes", "{\"text\":\"two\"}")
    });
    assert_eq!(http::get(url, "/notes").body, "[\"one\",\"two\"]");
}

// A wish under a name that panicked was told to ask again, for ever "busy", and nothing stood in the log.
#[test]
fn in_a_wish_with_a_name() {
    let served = serve();
    let wish =
        json!({ "_page": "/", "_action": "add", "_args": ["once"], "key": "the-name-of-the-wish" });
    let ask = || {
        let headers = [("Content-Type", "application/json"), ("X-Flin", "1")];
        http::request(&served.url, "POST", "/_action", &headers, &wish.to_string())
    };
    served.fails_once(|| served.planted.at("wish"), ask);
    assert_eq!(ask().status, 200);
    assert_eq!(http::get(&served.url, "/notes").body, "[\"once\"]");
}

#[test]
fn in_a_message_of_a_socket() {
    let served = serve();
    let mut tab = Tab::open(&served.url, "/");
    let mut other = Tab::open(&served.url, "/");
    other.watch();
    served.planted.at("message");
    tab.say(&json!({ "action": "ping" }));
    let socket = tab.socket.as_mut().expect("it was open");
    assert!(socket.read().is_err(), "the socket ends");
    assert_eq!(served.panics(), 1);
    tab.socket = None;
    assert_eq!(tab.watch()["type"], "watching");
    served.add("to both");
    for tab in [&mut tab, &mut other] {
        tab.hear();
        tab.check();
    }
}

// The task that rendered the view was gone, and the view was taken to be under way for ever: whoever watched it never heard of
// anything again.
#[test]
fn in_the_rendering_of_a_view() {
    let served = serve();
    let mut tab = Tab::open(&served.url, "/");
    tab.watch();
    served.planted.at("view");
    served.add("one");
    assert_eq!(tab.hear_kind("failed"), "failed");
    served.add("two");
    assert_ne!(tab.hear()["type"], "failed");
    tab.check();
    assert!(tab.text().contains("one") && tab.text().contains("two"));
    assert_eq!(served.panics(), 1);
}

// The one task that compares commits with views was gone, and no page was live any more.
#[test]
fn in_the_comparison_with_a_commit() {
    let served = serve();
    let mut tab = Tab::open(&served.url, "/");
    tab.watch();
    for words in ["one", "two"] {
        served.planted.at("commit");
        served.add(words);
        tab.hear();
        tab.check();
        assert!(tab.text().contains(words));
    }
    assert_eq!(served.panics(), 2);
}

#[test]
fn in_a_stream_of_events() {
    let served = serve();
    let host = served.url.trim_start_matches("http://");
    let open = || {
        let mut stream = std::net::TcpStream::connect(host).expect("it listens");
        let limit = Some(Duration::from_secs(20));
        stream.set_read_timeout(limit).expect("a limit");
        let ask = format!(
            "GET /_events?page=/&follow=Note HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(ask.as_bytes()).expect("sent");
        stream
    };
    served.planted.at("stream");
    let mut told = String::new();
    // It ends: whoever reads it comes back.
    let ended = open().read_to_string(&mut told);
    assert!(ended.is_ok() && !told.contains("subscribed"), "{told}");
    assert_eq!(served.panics(), 1);
    let mut stream = open();
    let mut heard = String::new();
    while !heard.contains("subscribed") {
        let mut bytes = [0; 512];
        let read = stream.read(&mut bytes).expect("it goes on");
        assert!(read > 0, "{heard}");
        heard += &String::from_utf8_lossy(&bytes[..read]);
    }
}

#[test]
fn a_clock_that_jumps() {
    const YEAR_MS: i64 = 365 * 24 * 3_600_000;
    let served = serve();
    let mut tab = Tab::open(&served.url, "/");
    tab.watch();
    for years in [0, -1, 100, -3000, 200_000, 0] {
        served
            .clock
            .ahead_ms
            .store(years * YEAR_MS, Ordering::Relaxed);
        served.add(&format!("{years} years"));
        tab.hear();
        assert_eq!(http::get(&served.url, "/clock").status, 200, "{years}");
        assert_eq!(http::get(&served.url, "/now").status, 200, "{years}");
    }
    tab.check();
    let told: Vec<String> =
        serde_json::from_str(&http::get(&served.url, "/notes").body).expect("a list");
    assert_eq!(told.len(), 6);
    assert_eq!(served.panics(), 0);
}
