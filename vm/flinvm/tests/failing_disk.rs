//! A disk that fails below a server and below a script, as `strace` decides. Must stay true: nobody is told that something
//! was saved which is not there after the next start, and the exit code says that it was the disk.

mod support;

use std::process::Command;

use flin_testkit::http;
use flin_testkit::process::{Server, program};
use support::{Folder, ended, flinvm};

const LIST: &str = r#"
entity Item { text: text @required }
route GET "/items" { Item.all.map(i => i.text) }
route POST "/items" { save Item { text: body.text } }
"#;

/// `strace` that lets calls of one kind fail from the given one on.
fn failing(call: &str, error: &str, from: u32) -> Vec<String> {
    let words = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        &format!("trace={call}"),
        "-e",
        &format!("inject={call}:error={error}:when={from}+"),
    ];
    words.map(str::to_owned).into()
}

/// Items are posted until one is refused; the process ends with 75, and the next one has all that were acknowledged.
fn a_server_on(call: &str, error: &str, from: u32) {
    let folder = Folder::new();
    let (module, data) = (folder.compile("list.fbc", LIST), folder.path("data"));
    let post = |server: &Server, number: usize| {
        let body = format!("{{\"text\":\"item {number}!\"}}");
        http::post_json(&server.url, "/items", &body)
    };
    let before = Server::start(&module, &data);
    assert_eq!(post(&before, 0).status, 200);
    before.kill();
    let strace = failing(call, error, from);
    let strace: Vec<&str> = strace.iter().map(String::as_str).collect();
    let server = Server::start_under(&strace, &module, &data, &[]);
    let mut acknowledged = 1;
    let refused = loop {
        let answer = post(&server, acknowledged);
        if answer.status != 200 || acknowledged > 1000 {
            break answer;
        }
        acknowledged += 1;
    };
    assert_eq!(refused.status, 500, "{call}: {}", refused.body);
    assert!(
        refused
            .body
            .contains("It is not known whether this was saved"),
        "{call}: {}",
        refused.body
    );
    let (code, log) = server.ended_by_itself();
    assert_eq!(code, Some(75), "{call}: {log}");
    assert!(log.contains("Start again to recover"), "{call}: {log}");
    let after = Server::start(&module, &data);
    let items = http::get(&after.url, "/items").body;
    for number in 0..acknowledged {
        assert!(
            items.contains(&format!("item {number}!")),
            "{call}: {items}"
        );
    }
    after.kill();
}

#[test]
fn a_server_whose_syncs_fail_ends_with_75() {
    a_server_on("fdatasync", "EIO", 5);
}

#[test]
fn a_server_whose_writes_fail_ends_with_75() {
    a_server_on("pwrite64", "EIO", 7);
}

#[test]
fn a_script_whose_syncs_fail_ends_with_75() {
    let folder = Folder::new();
    let source = folder.write(
        "many.flin",
        b"entity Item { n: int }\nfor n in 1..200 { save Item { n: n } }\nsave Item { n: 7 }\nsave Item { n: 8 }\nprint(\"unreached\")\n",
    );
    let data = folder.path("data");
    let strace = failing("fdatasync", "EIO", 4);
    let output = Command::new(&strace[0])
        .args(&strace[1..])
        .arg(program("flinvm"))
        .args(["run", "--data"])
        .args([&data, &source])
        .output()
        .expect("strace is installed (cargo xtask test installs it: apt-get install strace)");
    let (code, out, err) = ended(&output);
    assert!(
        code == 75 && out.is_empty() && err.contains("the disk failed"),
        "{code}: {out}{err}"
    );
    let path = data.to_str().expect("a plain path");
    let (code, out, err) = ended(&flinvm(&["db", "verify", "--data", path], &[]));
    assert!(code == 0, "{out}{err}");
}
