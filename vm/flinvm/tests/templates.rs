//! What `flinc new` makes: it compiles without a word, is in the one layout, its tests pass, and it serves a page whose
//! form saves. Every template is taken, the documented way.

use std::path::{Path, PathBuf};

use flin_testkit::http;
use flin_testkit::process::{self, Server};

fn made(template: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("flin-new-{}-{template}", std::process::id()));
    // A folder of an earlier process with this number.
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("a folder");
    let done = process::run("flinc", &["new", "my-app", "--template", template], &dir);
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let app = dir.join("my-app");
    for (program, args) in [
        ("flinc", ["check", "app.flin"].as_slice()),
        ("flinc", &["fmt", "--check", "app.flin"]),
        ("flinc", &["app.flin"]),
        ("flinvm", &["test", "app.flin"]),
    ] {
        let done = process::run(program, args, &app);
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(
            done.status.success() && said.is_empty(),
            "{template} {args:?}: {said}"
        );
    }
    app
}

fn serves(app: &Path, action: &str, state: &str, shown: &str) {
    let server = Server::start(&app.join("app.fbc"), &app.join(".flindb"));
    let body = format!("{{\"_action\":\"{action}\",\"_state\":{state}}}");
    let answer = http::post_json(&server.url, "/_action", &body);
    assert_eq!(answer.body, "{\"type\":\"reload\"}", "{}", server.log());
    let page = http::get(&server.url, "/");
    assert_eq!(page.status, 200);
    assert!(page.body.contains(shown), "{}", page.body);
    drop(server);
    // What `flinvm dev` serves is the same page.
    let dev = Server::dev(&app.join("app.flin"), &app.join(".flindb"), &[]);
    assert!(
        http::get(&dev.url, "/").body.contains(shown),
        "{}",
        dev.log()
    );
    drop(dev);
    let _ = std::fs::remove_dir_all(app.parent().expect("the folder around it"));
}

#[test]
fn minimal() {
    serves(&made("minimal"), "add", r#"{"draft":" tea "}"#, ">tea<");
}

#[test]
fn starter() {
    let app = made("starter");
    serves(
        &app,
        "add",
        r#"{"name":"Grace Hopper","phone":"1906"}"#,
        "Grace Hopper",
    );
}

#[test]
fn todo() {
    serves(
        &made("todo"),
        "addTodo",
        r#"{"newTitle":"Buy milk"}"#,
        "Buy milk",
    );
}
