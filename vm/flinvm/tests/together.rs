//! Requests that meet: each runs as if it were alone, clashes are run again by themselves, the fourth time with nobody
//! beside them, and a run that was thrown away leaves nothing behind. Must stay true: counts are exact, and requests that
//! ask for different records of one type never clash.

mod support;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flin_runtime::store::{MemoryDisk, Store, StoreOptions};
use flin_runtime::vm::bytecode::fbc;
use flin_runtime::vm::{LogLevel, Program};
use flin_runtime::{
    Entry, Outcome, RouteBody, RouteRequest, Runtime, RuntimeOptions, SystemWorld, World, schema_of,
};
use flin_testkit::http;
use flin_testkit::process::Server;
use support::Folder;

const COUNTERS: &str = r#"
entity Counter { name: text @required, hits: int = 0 }
entity Note { text: text @required, done: bool = false }
if Counter.count == 0 {
  for n in 0..8 { save Counter { name: "c{n}" } }
}

route POST "/first" {
  counter = Counter.first
  counter.hits += 1
  save counter
  print("hit {counter.hits}")
  { hits: counter.hits }
}
route POST "/again" {
  counter = Counter.where(name == "c0").first
  counter.hits += 1
  save counter
  print("hit {counter.hits}")
  { hits: counter.hits }
}
route POST "/own/:name" {
  counter = Counter.where(name == params.name).first
  counter.hits += 1
  save counter
  { hits: counter.hits }
}
route POST "/notes/:text" {
  if !Note.where(text == params.text).exists { save Note { text: params.text } }
  { done: true }
}
route GET "/total" { { total: Counter.sum(hits), first: Counter.first.hits, notes: Note.where(done == false).count } }
"#;

const TASKS: usize = 8;

/// What the program printed; for the rest, the machine's own world.
#[derive(Default)]
struct Listener {
    said: Mutex<Vec<String>>,
}

impl World for Listener {
    fn now_ms(&self) -> i64 {
        SystemWorld.now_ms()
    }

    fn random(&self, bytes: &mut [u8]) {
        SystemWorld.random(bytes);
    }

    fn env(&self, name: &str) -> Option<String> {
        SystemWorld.env(name)
    }

    fn print(&self, text: &str) {
        self.said.lock().expect("whole").push(text.to_owned());
    }

    fn log(&self, level: LogLevel, text: &str) {
        panic!("{level:?}: {text}");
    }
}

fn runtime(listener: &Arc<Listener>) -> Runtime {
    let folder = Folder::new();
    let file = folder.compile("counters.fbc", COUNTERS);
    let bytes = std::fs::read(file).expect("it was written");
    let program = Program::load(fbc::read(&bytes).expect("it reads")).expect("it is sound");
    let schema = schema_of(program.module());
    let disk = Arc::new(MemoryDisk::new());
    let opened = Store::open(disk, &schema, StoreOptions::default()).expect("it opens");
    let options = RuntimeOptions {
        world: listener.clone(),
        request_time: Duration::from_secs(120),
        ..RuntimeOptions::default()
    };
    let runtime = Runtime::new(program, opened.store, options);
    runtime.enter(Entry::Main).expect("it starts");
    runtime
}

/// Asks a route and gives its answer as text.
fn ask(runtime: &Runtime, method: &str, pattern: &str, params: &[(&str, &str)]) -> String {
    let routes = &runtime.program().module().routes;
    let route = routes
        .iter()
        .position(|route| route.method == method && route.path == pattern)
        .expect("the program has it");
    let params = params
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let request = RouteRequest {
        method: method.to_owned(),
        path: pattern.to_owned(),
        params: params.collect(),
        ..RouteRequest::default()
    };
    let entry = Entry::Route {
        route,
        request: Box::new(request),
        read_only: method == "GET",
    };
    match runtime.enter(entry).expect("it answers") {
        Outcome::Route(answer) => match answer.body {
            RouteBody::Value(value) => format!("{value:?}"),
            body => panic!("{body:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// Runs `work` in so many tasks at once.
fn at_once(work: impl Fn(usize) + Sync) {
    std::thread::scope(|scope| {
        for task in 0..TASKS {
            let work = &work;
            scope.spawn(move || work(task));
        }
    });
}

#[test]
fn ten_thousand_hits_of_two_routes_on_one_record() {
    const HITS: usize = 10_000;
    let listener = Arc::new(Listener::default());
    let runtime = runtime(&listener);
    at_once(|task| {
        let route = if task % 2 == 0 { "/first" } else { "/again" };
        for _ in 0..HITS / TASKS {
            ask(&runtime, "POST", route, &[]);
        }
    });
    let total = ask(&runtime, "GET", "/total", &[]);
    assert!(total.contains("(\"first\", Int(10000))"), "{total}");
    // What a thrown away run printed was never heard: each number once.
    let said = listener.said.lock().expect("whole");
    let mut numbers: Vec<usize> = said
        .iter()
        .filter_map(|line| line.strip_prefix("hit ")?.parse().ok())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=HITS).collect::<Vec<usize>>());
}

#[test]
fn different_records_of_one_type_never_clash() {
    let runtime = runtime(&Arc::new(Listener::default()));
    at_once(|task| {
        let name = format!("c{task}");
        for n in 0..100 {
            ask(&runtime, "POST", "/own/:name", &[("name", &name)]);
            let text = format!("{task} {n}");
            ask(&runtime, "POST", "/notes/:text", &[("text", &text)]);
        }
    });
    let total = ask(&runtime, "GET", "/total", &[]);
    assert!(total.contains("(\"total\", Int(800))"), "{total}");
    assert!(total.contains("(\"notes\", Int(800))"), "{total}");
    assert_eq!(runtime.counters().clashes.load(Ordering::Relaxed), 0);
}

#[test]
fn what_one_of_two_may_do_is_done_once() {
    let runtime = runtime(&Arc::new(Listener::default()));
    at_once(|_| {
        for n in 0..20 {
            let text = format!("note {n}");
            ask(&runtime, "POST", "/notes/:text", &[("text", &text)]);
        }
    });
    let total = ask(&runtime, "GET", "/total", &[]);
    assert!(total.contains("(\"notes\", Int(20))"), "{total}");
}

#[test]
fn hits_over_http() {
    const EACH: usize = 50;
    let folder = Folder::new();
    let module = folder.compile("counters.fbc", COUNTERS);
    let server = Server::start(&module, &folder.path("data"));
    at_once(|task| {
        let route = if task % 2 == 0 { "/first" } else { "/again" };
        for _ in 0..EACH {
            let answer = http::post_json(&server.url, route, "{}");
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    });
    let total = http::get(&server.url, "/total").body;
    assert!(
        total.contains(&format!("\"first\":{}", EACH * TASKS)),
        "{total}"
    );
}
