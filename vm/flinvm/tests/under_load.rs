//! Many clients at once, over real processes: nothing is lost, nothing happens twice, and what was acknowledged survives
//! `kill -9` at any moment. Must stay true: counts are exact; a request whose answer never came may have happened, once.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flin_testkit::http;
use flin_testkit::process::Server;
use flin_testkit::rng::Rng;
use support::{Folder, RELOAD, act, ended, flinvm};

const TURNSTILES: &str = r#"
entity Turnstile { name: text @required @unique, turns: int = 0, open: bool = false }
name = ""
fn build() { save Turnstile { name: name } }
fn turn(t: Turnstile) {
  t.turns += 1
  save t
}
fn flip(t: Turnstile) {
  t.open = !t.open
  save t
}
view {
  <form submit={build()}><input bind={name} /></form>
  <b>{Turnstile.count}</b>
  {for t in Turnstile.all}
    <p>{t.name}: {t.turns}, {t.open}<a click={turn(t)}>+</a><a click={flip(t)}>!</a></p>
  {/for}
}
"#;

const FIRST: &str = "[{\"_entity\":true,\"type\":\"Turnstile\",\"id\":1}]";

fn serve(folder: &Folder) -> Server {
    let module = folder.path("turnstiles.fbc");
    let module = if module.exists() {
        module
    } else {
        folder.compile("turnstiles.fbc", TURNSTILES)
    };
    Server::start(&module, &folder.path("data"))
}

/// Runs `work` on so many threads and gives what they counted together.
fn at_once(threads: usize, work: impl Fn(usize) -> usize + Sync) -> usize {
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..threads).map(|n| scope.spawn(move || work(n))).collect();
        threads
            .into_iter()
            .map(|t| t.join().expect("it counts"))
            .sum()
    })
}

#[test]
fn two_hundred_turns_by_twenty_clients() {
    let folder = Folder::new();
    let server = serve(&folder);
    assert_eq!(
        act(&server, "build", "[]", "{\"name\":\"north\"}").1,
        RELOAD
    );
    let done = at_once(20, |_| {
        (0..10)
            .filter(|_| act(&server, "turn", FIRST, "{}") == (200, RELOAD.to_owned()))
            .count()
    });
    assert_eq!(done, 200);
    let flipped = at_once(7, |_| {
        (0..5)
            .filter(|_| act(&server, "flip", FIRST, "{}") == (200, RELOAD.to_owned()))
            .count()
    });
    assert_eq!(flipped, 35);
    let page = http::get(&server.url, "/").body;
    assert!(page.contains("north: 200, true"), "{page}");
}

#[test]
fn a_unique_name_is_given_once() {
    let folder = Folder::new();
    let server = serve(&folder);
    let built = at_once(12, |_| {
        let (status, body) = act(&server, "build", "[]", "{\"name\":\"the one\"}");
        assert!(
            status == 200 || (status == 422 && body.contains("\"rule\":\"unique\"")),
            "{status} {body}"
        );
        usize::from(status == 200)
    });
    assert_eq!(built, 1);
    assert!(http::get(&server.url, "/").body.contains("<b>1</b>"));
}

/// Whether the record was acknowledged; none if the server went away.
fn build(address: &str, name: &str) -> Option<bool> {
    let body = format!("{{\"_action\":\"build\",\"_state\":{{\"name\":\"{name}\"}}}}");
    let mut stream = TcpStream::connect(address).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a time limit");
    let request = format!(
        "POST /_action HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    (!answer.is_empty()).then(|| answer.ends_with(RELOAD))
}

#[test]
fn what_was_acknowledged_under_load_survives_the_hard_way() {
    const CLIENTS: usize = 4;
    let folder = Folder::new();
    let mut rng = Rng::new(7);
    let (mut acknowledged, mut rounds) = (Vec::new(), 0);
    let mut in_flight_max = 0;
    while rounds < 3 {
        rounds += 1;
        let server = serve(&folder);
        let address = server.url.trim_start_matches("http://").to_owned();
        let gone = AtomicBool::new(false);
        let names: Vec<String> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| {
                    let (address, gone) = (&address, &gone);
                    scope.spawn(move || {
                        let mut acknowledged = Vec::new();
                        for n in 0..10_000 {
                            let name = format!("r{rounds}c{client}n{n}");
                            match build(address, &name) {
                                Some(true) => acknowledged.push(name),
                                Some(false) => panic!("{name} was refused"),
                                None => break,
                            }
                            if gone.load(Ordering::Relaxed) {
                                break;
                            }
                        }
                        acknowledged
                    })
                })
                .collect();
            std::thread::sleep(Duration::from_millis(150 + rng.bits() % 250));
            server.kill();
            gone.store(true, Ordering::Relaxed);
            let joined = clients.into_iter().map(|c| c.join().expect("a client"));
            joined.flatten().collect()
        });
        acknowledged.extend(names);
        in_flight_max += CLIENTS;
    }
    assert!(!acknowledged.is_empty());
    let (code, report, _) = ended(&flinvm(
        &["db", "verify", "--data"],
        &[&folder.path("data")],
    ));
    assert_eq!(code, 0, "{report}");
    let server = serve(&folder);
    let page = http::get(&server.url, "/").body;
    for name in &acknowledged {
        assert!(
            page.contains(&format!(">{name}: 0, false")),
            "{name} is lost"
        );
    }
    let kept = page.matches(": 0, false").count();
    assert!(
        (acknowledged.len()..=acknowledged.len() + in_flight_max).contains(&kept),
        "{kept} kept, {} acknowledged",
        acknowledged.len()
    );
    assert!(
        report.contains(&format!("transactions  {kept}\n"))
            && report.contains(&format!("live Turnstile  {kept}\n")),
        "{kept} on the page, but: {report}"
    );
}
