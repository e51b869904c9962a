//! Others judge the examples: axe-core for accessibility (light, dark, narrow, and with a message at a field), the Nu HTML
//! checker for every document that a server sends.

use flin_browser::example::Example;
use flin_browser::{Site, Tab, run, tools};
use flin_testkit::http;

async fn accessible(tab: &Tab, what: &str) {
    for (dark, width) in [(false, 1000), (true, 1000), (true, 375), (false, 375)] {
        tab.dark(dark).await;
        tab.resize(width, 700).await;
        let found = tab.violations().await;
        assert!(
            found.is_empty(),
            "{what}, dark {dark}, {width} wide: {found:#?}"
        );
    }
    tab.dark(false).await;
    tab.resize(1000, 700).await;
}

/// Something to look at.
fn fill(site: &Site, name: &str) {
    let actions: &[(&str, &str)] = match name {
        "todo" => &[
            ("addTodo", r#"{"newTitle":"Buy milk"}"#),
            ("addTodo", r#"{"newTitle":"Call Ada"}"#),
        ],
        "guestbook" => &[(
            "sign",
            r#"{"name":"Ada","message":"A lovely place","stars":4}"#,
        )],
        "chat" => &[
            ("enter", r#"{"name":"Ada"}"#),
            ("say", r#"{"me":1,"draft":"Hello!"}"#),
        ],
        _ => &[],
    };
    for (action, state) in actions {
        site.act(action, "[]", state);
    }
}

fn judged(name: &'static str) {
    run(Example::compile(name), async |site| {
        site.tolerate("422");
        fill(site, name);
        let tab = site.open().await;
        accessible(&tab, name).await;
        if name == "todo" {
            tab.click("#add button").await;
            tab.wait_count("[aria-invalid=true]", 1).await;
            tab.click("li:nth-child(1) button.edit").await;
            tab.wait_count("form.edit", 1).await;
            accessible(&tab, "todo with a message and a field").await;
        }
        if name == "chat" {
            tab.type_into("#enter input", "Bob").await;
            tab.press("Enter").await;
            tab.wait_count("#say", 1).await;
            accessible(&tab, "chat, inside").await;
        }
        if name == "board" {
            tab.drag("section:nth-child(1) li")
                .await
                .over("section:nth-child(3)")
                .await;
            tab.wait_count(".ghost", 1).await;
            accessible(&tab, "board while dragging").await;
        }
    });
}

#[test]
fn the_counter_is_accessible() {
    judged("counter");
}

#[test]
fn the_to_do_list_is_accessible() {
    judged("todo");
}

#[test]
fn the_guestbook_is_accessible() {
    judged("guestbook");
}

#[test]
fn the_chat_is_accessible() {
    judged("chat");
}

#[test]
fn the_board_is_accessible() {
    judged("board");
}

#[test]
fn the_dashboard_is_accessible() {
    judged("dashboard");
}

#[test]
fn every_document_is_valid_html() {
    let dir = std::env::temp_dir().join(format!("flin-html-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a folder");
    let html = [("Accept", "text/html")];
    for name in ["counter", "todo", "guestbook", "chat", "board", "dashboard"] {
        run(Example::compile(name), async |site| {
            let keep = |what: &str, body: &str| {
                std::fs::write(dir.join(format!("{name}-{what}.html")), body).expect("written");
            };
            keep("empty", &http::get(site.url(), "/").body);
            fill(site, name);
            keep("page", &http::get(site.url(), "/").body);
            keep(
                "missing",
                &http::request(site.url(), "GET", "/nowhere", &html, "").body,
            );
            // A form that is refused, in a browser without scripts.
            let form = [
                ("Accept", "text/html"),
                ("Content-Type", "application/x-www-form-urlencoded"),
            ];
            let wrong = match name {
                "todo" => "_action=addTodo&newTitle=",
                "guestbook" => "_action=sign&name=&message=x&stars=9",
                "chat" => "_action=enter&name=A",
                "board" => "_action=add&title=",
                "dashboard" => "_action=record&amount=0",
                _ => return,
            };
            let answer = http::request(site.url(), "POST", "/_action", &form, wrong);
            assert_eq!(answer.status, 422, "{name}: {}", answer.body);
            assert!(
                answer.body.contains("flin-error"),
                "{name}: {}",
                answer.body
            );
            keep("refused", &answer.body);
        });
    }
    let found = tools::check_html(&dir);
    assert!(found.is_empty(), "{found:#?}");
    let _ = std::fs::remove_dir_all(&dir);
}
