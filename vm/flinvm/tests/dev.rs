//! `flinvm dev` from outside: files are written as editors write them, answers are asked for over HTTP, and what the
//! terminal says is read. The open pages are looked at in the browser tests.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use flin_testkit::http;
use flin_testkit::process::Server;

/// How long a save may take to be answered with: far more than it takes, and an end.
const DEADLINE: Duration = Duration::from_secs(20);

const SHELF: &str = r#"entity Jar { label: text @required }
wish = ""
fn put() { save Jar { label: wish } }
fn half() { 7 / Jar.count }
view { <h1>Shelf one</h1><input bind={wish} aria-label="Label" /><button click={put()}>Put</button><button click={half()}>Half</button>
  {for jar in Jar.all}<li>{jar.label}</li>{/for} }
"#;

struct Folder {
    dir: PathBuf,
}

impl Folder {
    fn new(name: &str) -> Folder {
        let dir = std::env::temp_dir().join(format!("flin-dev-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).expect("a folder");
        Folder { dir }
    }

    fn source(&self) -> PathBuf {
        self.dir.join("shelf.flin")
    }

    fn write(&self, text: &str) {
        std::fs::write(self.source(), text).expect("the source is written");
    }

    fn dev(&self) -> Server {
        Server::dev(&self.source(), &self.dir.join("data"), &[])
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Asks until the page holds `wanted`.
fn shows(server: &Server, wanted: &str) {
    let since = Instant::now();
    loop {
        let body = http::get(&server.url, "/").body;
        if body.contains(wanted) {
            return;
        }
        assert!(
            since.elapsed() < DEADLINE,
            "no {wanted:?} in\n{body}\n{}",
            server.log()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Puts a jar on the shelf.
fn put(server: &Server, label: &str) {
    let body = format!("{{\"_action\":\"put\",\"_state\":{{\"wish\":\"{label}\"}}}}");
    let answer = http::post_json(&server.url, "/_action", &body);
    assert_eq!(answer.body, "{\"type\":\"reload\"}", "{}", server.log());
}

#[test]
fn every_way_to_save_is_noticed() {
    let folder = Folder::new("ways");
    folder.write(SHELF);
    let server = folder.dev();
    put(&server, "plums");
    shows(&server, "Shelf one");
    // In place.
    folder.write(&SHELF.replace("one", "two"));
    shows(&server, "Shelf two");
    // To another file, which then takes the name.
    let aside = folder.dir.join("shelf.flin.tmp~");
    std::fs::write(&aside, SHELF.replace("one", "three")).expect("written");
    std::fs::rename(&aside, folder.source()).expect("renamed");
    shows(&server, "Shelf three");
    // The old one moved out of the way first, as a backup.
    std::fs::rename(folder.source(), folder.dir.join("shelf.flin~")).expect("renamed");
    folder.write(&SHELF.replace("one", "four"));
    shows(&server, "Shelf four");
    // Emptied, then written piece by piece.
    use std::io::Write;
    let text = SHELF.replace("one", "five");
    let mut file = std::fs::File::create(folder.source()).expect("created");
    for piece in text.as_bytes().chunks(40) {
        file.write_all(piece).expect("written");
    }
    drop(file);
    shows(&server, "Shelf five");
    shows(&server, ">plums</li>");
}

#[test]
fn what_does_not_compile_is_said_once_and_the_program_before_goes_on() {
    let folder = Folder::new("mistake");
    folder.write(SHELF);
    let server = folder.dev();
    folder.write(&SHELF.replace("label: wish", "lable: wish"));
    let log = server.log_with("help:");
    assert_eq!(
        log.matches("`Jar` has no field `lable`").count(),
        1,
        "{log}"
    );
    assert!(log.contains("shelf.flin:3:"), "{log}");
    shows(&server, "Shelf one");
    put(&server, "pears");
    folder.write(&SHELF.replace("one", "two"));
    shows(&server, "Shelf two");
    shows(&server, ">pears</li>");
}

#[test]
fn a_program_that_never_compiled_is_waited_for() {
    let folder = Folder::new("wait");
    folder.write("view { <h1>{nobody}</h1> }");
    let server = folder.dev();
    assert!(
        server.log_with("nobody").contains("nobody"),
        "{}",
        server.log()
    );
    assert_eq!(http::get(&server.url, "/").status, 404);
    folder.write(SHELF);
    shows(&server, "Shelf one");
    put(&server, "figs");
}

#[test]
fn the_shape_of_the_data_follows_or_the_change_is_refused() {
    let folder = Folder::new("shape");
    folder.write(SHELF);
    let server = folder.dev();
    put(&server, "plums");
    let wider = SHELF.replace("@required }", "@required, grams: int = 250 }");
    let wider = wider.replace("{jar.label}", "{jar.label + \": \" + jar.grams}");
    folder.write(&wider);
    shows(&server, ">plums: 250</li>");
    put(&server, "pears");
    // A text is no number; that would give data up.
    folder.write(&wider.replace("grams: int = 250", "grams: bool = true"));
    let log = server.log_with("nothing was changed");
    assert!(log.contains("grams"), "{log}");
    shows(&server, ">plums: 250</li>");
    put(&server, "figs");
    shows(&server, ">figs: 250</li>");
}

#[test]
fn a_failure_of_the_running_program_shows_its_line() {
    let folder = Folder::new("failure");
    folder.write(SHELF);
    let server = folder.dev();
    let half = "{\"_action\":\"half\"}";
    for _ in 0..3 {
        assert_eq!(http::post_json(&server.url, "/_action", half).status, 500);
    }
    let log = server.log_with("in half");
    assert!(log.contains("shelf.flin:4:"), "{log}");
    assert!(log.contains("4 | fn half() { 7 / Jar.count }"), "{log}");
    assert_eq!(log.matches("error[DivisionByZero]").count(), 1, "{log}");
}

#[test]
fn only_a_developers_server_speaks_of_development() {
    let folder = Folder::new("serve");
    folder.write(SHELF);
    let script = "src=\"/_flin/dev-";
    let dev = folder.dev();
    assert!(http::get(&dev.url, "/").body.contains(script));
    let foreign = [("Host", "evil.example")];
    let host = dev.url.trim_start_matches("http://");
    let asked = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        foreign[0].1
    );
    assert_eq!(http::raw(&dev.url, asked.as_bytes()).status, 421);
    let handshake = |origin: &str| {
        format!(
            "GET /_flin/dev HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
    };
    let refused = http::raw(&dev.url, handshake("http://evil.example").as_bytes());
    assert_eq!(refused.status, 403, "{}", refused.body);
    drop(dev);
    let served = Server::start(&folder.source(), &folder.dir.join("data"));
    assert!(!http::get(&served.url, "/").body.contains("/_flin/dev"));
    assert_eq!(http::get(&served.url, "/_flin/dev").status, 404);
}

#[test]
fn a_folder_is_followed_file_by_file() {
    let folder = Folder::new("project");
    let app = folder.dir.join("app");
    let write = |path: &str, text: &str| {
        let path = folder.dir.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("written");
    };
    write(
        "entities/jar.flin",
        "entity Jar { label: text @required }\n",
    );
    write(
        "app/index.flin",
        "fn put(label: text) { save Jar { label } }\nview { <h1>Shelf one</h1> {for jar in Jar.all}<li>{jar.label}</li>{/for} <button click={put(\"figs\")}>Put</button> }\n",
    );
    let server = Server::dev(&folder.dir, &folder.dir.join(".flindb"), &[]);
    shows(&server, "Shelf one");
    let body = "{\"_action\":\"put\",\"_args\":[\"figs\"]}";
    assert_eq!(http::post_json(&server.url, "/_action", body).status, 200);
    write(
        "entities/jar.flin",
        "entity Jar { label: text @required, grams: int = 7 }\n",
    );
    write(
        "app/index.flin",
        "view { <h1>Shelf two</h1> {for jar in Jar.all}<li>{jar.label + jar.grams}</li>{/for} }\n",
    );
    shows(&server, "figs7");
    write("app/about.flin", "view { <h1>About {nobody}</h1> }\n");
    let log = server.log_with("nobody");
    assert!(log.contains("app/about.flin:1:"), "{log}");
    std::fs::remove_file(app.join("about.flin")).expect("removed");
    write("app/index.flin", "view { <h1>Shelf three</h1> }\n");
    shows(&server, "Shelf three");
}
