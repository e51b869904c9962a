//! What a page may be kept for: the data and nothing else. Whatever it saw of the clock, of chance, of the environment, of the
//! past, or said to the log, is asked for, or said, again at each visit.

mod support;

use std::collections::HashSet;

use flin_testkit::http;
use flin_testkit::process::Server;
use support::Folder;

const PROGRAM: &str = r#"
entity Note { text: text, done: bool = false }
entity Other { text: text }
page "/" { <ul>{for note in Note.all}<li>{note.text}</li>{/for}</ul> }
page "/chance" { <p>{secure_random(16)}</p> }
page "/clock" { <p>{now}</p> }
page "/said" { <p>{noted()}</p> }
page "/past" { <p>{Note.find(1).history.len} {Note.find(1).text}</p> }
page "/of/:name" { <p>{Note.where(text == params.name).count} of {params.name}</p> }
fn noted() {
  log_info("a visit")
  Note.count
}
route POST "/notes/:text" {
  note = Note { text: params.text }
  save note
  { id: note.id }
}
route POST "/others" {
  save Other { text: "x" }
  { ok: true }
}
route POST "/change/:id" {
  note = Note.find(params.id.to_int)
  note.text = "changed"
  save note
  { ok: true }
}
route POST "/destroy/:id" {
  destroy Note.find(params.id.to_int)
  { ok: true }
}
"#;

fn served() -> (Folder, Server) {
    let folder = Folder::new();
    let module = folder.compile("notes", PROGRAM);
    let server = Server::start(&module, &folder.path("data"));
    (folder, server)
}

fn body(server: &Server, path: &str) -> String {
    let answer = http::get(&server.url, path);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn does(server: &Server, path: &str) {
    let answer = http::post_json(&server.url, path, "");
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[test]
fn only_the_data_is_taken_for_granted() {
    let (_folder, server) = served();
    does(&server, "/notes/first");
    for page in ["/chance", "/clock"] {
        let seen: HashSet<String> = (0..4)
            .map(|_| {
                std::thread::sleep(std::time::Duration::from_millis(2));
                body(&server, page)
            })
            .collect();
        assert_eq!(seen.len(), 4, "{page}");
    }
    for _ in 0..3 {
        body(&server, "/said");
    }
    let first = body(&server, "/");
    does(&server, "/others");
    assert_eq!(body(&server, "/"), first, "nothing it shows has changed");
    assert!(body(&server, "/past").contains("<p>1 first</p>"));
    does(&server, "/change/1");
    assert!(body(&server, "/").contains(">changed</li>"));
    assert!(body(&server, "/past").contains("<p>2 changed</p>"));
    assert!(body(&server, "/of/first").contains("<p>0 of first</p>"));
    assert!(body(&server, "/of/changed").contains("<p>1 of changed</p>"));
    does(&server, "/notes/first");
    assert!(body(&server, "/of/first").contains("<p>1 of first</p>"));
    does(&server, "/destroy/1");
    assert!(!body(&server, "/").contains("changed"));
    assert!(body(&server, "/of/changed").contains("<p>0 of changed</p>"));
    let said = server.log();
    assert_eq!(said.matches("a visit").count(), 3, "{said}");
}

// Many write, many read: each reader who asks after an answer finds what was written.
#[test]
fn nobody_misses_what_they_wrote() {
    let (_folder, server) = served();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let server = &server;
            scope.spawn(move || {
                for n in 0..40 {
                    let name = format!("note-{writer}-{n}.");
                    does(server, &format!("/notes/{name}"));
                    let page = body(server, "/");
                    assert!(page.contains(&name), "{name} is missing");
                }
            });
        }
    });
}
