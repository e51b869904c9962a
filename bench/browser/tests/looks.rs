//! How the examples look: they fit a desk and a phone, in the light and in the dark. Pictures are left in the target folder
//! (`tmp/`), or where `FLIN_PICTURES` says, for people to see.

use std::path::{Path, PathBuf};

use flin_browser::example::Example;
use flin_browser::{Tab, run};

/// Where the pictures go.
fn pictures() -> PathBuf {
    match std::env::var_os("FLIN_PICTURES") {
        Some(dir) => dir.into(),
        None => Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned(),
    }
}

async fn fits(tab: &Tab, name: &str) {
    for (size, width) in [("desk", 900), ("desk-dark", 900), ("phone", 375)] {
        tab.dark(size.ends_with("dark")).await;
        tab.resize(width, 700).await;
        tab.wait("it has its size", &format!("innerWidth === {width}"))
            .await;
        tab.check(
            &format!("{name} fits a {size}"),
            "document.documentElement.scrollWidth <= innerWidth",
        )
        .await;
        let file = format!("{name}-{size}.png");
        tab.picture(&pictures().join(file)).await;
    }
}

#[test]
fn the_counter_fits() {
    run(Example::compile("counter"), async |site| {
        let tab = site.open().await;
        tab.click("button").await;
        tab.wait_text("h1", "1").await;
        fits(&tab, "counter").await;
    });
}

#[test]
fn the_to_do_list_fits() {
    run(Example::compile("todo"), async |site| {
        site.tolerate("422");
        let long = "https://example.org/a/very/long/address/without/any/blank/that/a/line/could/break/at/and/so/on";
        for title in [
            "Buy milk",
            "Call Ada about the engine",
            long,
            "Water the plants",
        ] {
            site.act("addTodo", "[]", &format!("{{\"newTitle\":\"{title}\"}}"));
        }
        let tab = site.open().await;
        tab.click("li:nth-child(2) input[type=checkbox]").await;
        tab.wait_count("li.done", 1).await;
        tab.click("li:nth-child(4) button.edit").await;
        tab.wait_value("form.edit input", "Water the plants").await;
        tab.click("#add button").await;
        tab.wait_count("#add .flin-error", 1).await;
        fits(&tab, "todo").await;
    });
}

#[test]
fn the_guestbook_fits() {
    run(Example::compile("guestbook"), async |site| {
        site.tolerate("422");
        for (name, message, stars) in [
            ("Ada", "What a lovely place. I shall come again!", 5),
            ("Grace", "Found a moth in the relay; otherwise fine.", 4),
        ] {
            let state =
                format!("{{\"name\":\"{name}\",\"message\":\"{message}\",\"stars\":{stars}}}");
            site.act("sign", "[]", &state);
        }
        let tab = site.open().await;
        tab.type_into("input[name=name]", "Linus").await;
        tab.type_into("textarea", "Hi").await;
        tab.click("form button").await;
        tab.wait_count("textarea + .flin-error", 1).await;
        fits(&tab, "guestbook").await;
    });
}

#[test]
fn the_chat_fits() {
    run(Example::compile("chat"), async |site| {
        site.act("enter", "[]", r#"{"name":"Grace"}"#);
        for body in ["Is anybody here?", "The relay works again. It was a moth."] {
            let state = format!("{{\"me\":1,\"draft\":\"{body}\"}}");
            site.act("say", "[]", &state);
        }
        let tab = site.open().await;
        tab.type_into("#enter input", "Ada").await;
        tab.press("Enter").await;
        tab.wait_count("#say", 1).await;
        tab.type_into("#say input", "I am. Show me the moth!").await;
        tab.press("Enter").await;
        tab.wait_count("ol li", 3).await;
        tab.eval("document.activeElement.blur()").await;
        fits(&tab, "chat").await;
    });
}

#[test]
fn the_board_fits() {
    run(Example::compile("board"), async |site| {
        let tab = site.open().await;
        fits(&tab, "board").await;
    });
}

#[test]
fn the_dashboard_fits() {
    run(Example::compile("dashboard"), async |site| {
        let tab = site.open().await;
        fits(&tab, "dashboard").await;
    });
}
