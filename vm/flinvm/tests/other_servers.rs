//! Programs that ask other servers, over real processes. Must stay true: nobody waits for somebody else's slow answer; a
//! request that is run again sends nothing twice; addresses inside are refused unless the operator allowed them.

mod support;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use flin_testkit::http;
use flin_testkit::process::Server;
use support::{Folder, ended, flinvm};

/// What is asked: it says what it was sent.
const PEER: &str = r#"
route GET "/people" { [{ name: "Ada" }, { name: "Grace" }] }
route GET "/header" { headers["x-told"] ?: "nothing" }
route POST "/echo" { { kind: headers["content-type"], body: body } }
route PUT "/echo" { { put: body } }
route PATCH "/echo" { { patch: body } }
route DELETE "/people/:id" { response { status: 204, body: none } }
route GET "/gone" { error(410, "long ago") }
route GET "/there" { redirect("/people") }
route GET "/around" { redirect("/around") }
"#;

fn run(folder: &Folder, source: &str, more: &[&str]) -> (i32, String, String) {
    let program = folder.compile("asks.fbc", source);
    let args: Vec<&str> = ["run"].into_iter().chain(more.iter().copied()).collect();
    ended(&flinvm(&args, &[program.as_path()]))
}

fn peer(folder: &Folder) -> Server {
    Server::start(&folder.compile("peer.fbc", PEER), &folder.path("peer-data"))
}

#[test]
fn every_method_brings_its_answer() {
    let folder = Folder::new();
    let peer = peer(&folder);
    let source = format!(
        r#"
const AT = "{}"
people = http_get("{{AT}}/people")
print(people.status, people.ok, people.headers["content-type"])
print(people.json.map(p => p.name).join(", "))
print(http_get("{{AT}}/header", {{ "X-Told": "a word" }}).json)
print(http_post("{{AT}}/echo", {{ a: [1, 2.5, none] }}).body)
print(http_post("{{AT}}/echo", "plain words").body)
print(http_put("{{AT}}/echo", {{ a: 1 }}).json.put.a, http_patch("{{AT}}/echo", {{ a: 2 }}).json.patch.a)
gone = http_get("{{AT}}/gone")
print(gone.status, gone.ok)
print(http_delete("{{AT}}/people/1").status)
print(http_get("{{AT}}/there").json.len)
print((try http_get("{{AT}}/around")).kind)
print((try http_get("http://no-such-host.invalid/")).kind)
print((try http_get("{{AT}}/people", {{ "no header": "x" }})).kind)
"#,
        peer.url
    );
    let (code, out, errors) = run(&folder, &source, &["--allow-private-http"]);
    assert_eq!((code, errors.as_str()), (0, ""), "{out}");
    let expected = "200 true application/json\nAda, Grace\na word\n\
        {\"kind\":\"application/json\",\"body\":{\"a\":[1,2.5,null]}}\n\
        {\"kind\":\"text/plain; charset=utf-8\",\"body\":\"plain words\"}\n\
        1 2\n410 false\n204\n2\nNetworkError\nNetworkError\nArgumentError\n";
    assert_eq!(out, expected);
}

#[test]
fn addresses_inside_are_refused_until_the_operator_allows_them() {
    let folder = Folder::new();
    let peer = peer(&folder);
    let source = format!(
        r#"e = try http_get("{}/people")
print(e.kind, e.message)"#,
        peer.url
    );
    let (code, out, _) = run(&folder, &source, &[]);
    assert_eq!(code, 0);
    assert!(out.starts_with("NetworkError"), "{out}");
    assert!(out.contains("--allow-private-http"), "{out}");
}

/// A server that takes its time, and counts.
fn slow_peer(answer: &'static str) -> (String, Arc<AtomicU32>, std::sync::mpsc::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Arc::new(AtomicU32::new(0));
    let (let_go, waits) = std::sync::mpsc::channel::<()>();
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            count.fetch_add(1, Ordering::SeqCst);
            let mut head = [0; 4096];
            let _ = stream.read(&mut head);
            // Until the test lets it answer.
            let _ = waits.recv();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
                answer.len()
            );
        }
    });
    (url, asked, let_go)
}

fn serve(folder: &Folder, source: &str) -> Server {
    let program = folder.compile("app.fbc", source);
    let data: &Path = &folder.path("data");
    Server::start_with(&program, data, &["--allow-private-http"])
}

#[test]
fn nobody_waits_for_somebody_elses_slow_answer() {
    let folder = Folder::new();
    let (slow, asked, let_go) = slow_peer("late");
    let server = serve(
        &folder,
        &format!(
            "route GET \"/slow\" {{ http_get(\"{slow}/\").body }}\nroute GET \"/fast\" {{ 1 }}\n"
        ),
    );
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let url = server.url.clone();
            std::thread::spawn(move || http::get(&url, "/slow").body)
        })
        .collect();
    while asked.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    for _ in 0..20 {
        assert_eq!(http::get(&server.url, "/fast").body, "1");
    }
    for _ in 0..8 {
        let_go.send(()).expect("the slow server waits");
    }
    for thread in waiting {
        assert_eq!(thread.join().expect("an answer"), "\"late\"");
    }
}

// Sixty-four requests that waited for a slow server took all threads, and nobody was answered any more.
#[test]
fn a_slow_server_takes_not_all_threads() {
    let folder = Folder::new();
    let (slow, _, let_go) = slow_peer("late");
    let source = format!(
        "route GET \"/slow\" {{ (try http_get(\"{slow}/?key=secret\")).message }}\nroute GET \"/fast\" {{ 1 }}\n"
    );
    let server = serve(&folder, &source);
    let (say, said) = std::sync::mpsc::channel();
    for _ in 0..70 {
        let (url, say) = (server.url.clone(), say.clone());
        std::thread::spawn(move || {
            // Nobody listens to those that are answered late.
            let _ = say.send(http::get(&url, "/slow").body);
        });
    }
    let first = said.recv().expect("the ones beyond the limit are refused");
    assert!(first.contains("too many requests"), "{first}");
    assert_eq!(http::get(&server.url, "/fast").body, "1");
    drop(let_go);
}

#[test]
fn only_get_is_sent_while_a_page_is_rendered() {
    let folder = Folder::new();
    let (slow, asked, let_go) = slow_peer("x");
    let_go.send(()).expect("it waits");
    let source = format!(
        "fn tell() {{ (try http_post(\"{slow}/\", 1)).message }}\nview {{ <p>{{tell()}}</p> }}\n"
    );
    let server = serve(&folder, &source);
    let page = http::get(&server.url, "/").body;
    assert!(
        page.contains("only http_get may be called while a page is being rendered"),
        "{page}"
    );
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}
