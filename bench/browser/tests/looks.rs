//! How the examples look: they fit a desk and a phone. Pictures are left in the target folder (`tmp/`) for people to see.

use std::path::Path;

use flin_browser::example::Example;
use flin_browser::{Tab, run};

async fn fits(tab: &Tab, name: &str) {
    for (size, width) in [("desk", 900), ("phone", 375)] {
        tab.resize(width, 700).await;
        tab.wait("it has its size", &format!("innerWidth === {width}"))
            .await;
        tab.check(
            &format!("{name} fits a {size}"),
            "document.documentElement.scrollWidth <= innerWidth",
        )
        .await;
        let file = format!("{name}-{size}.png");
        tab.picture(&Path::new(env!("CARGO_TARGET_TMPDIR")).join(file))
            .await;
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
