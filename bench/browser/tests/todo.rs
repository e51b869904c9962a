//! The to-do example in a real browser: each path of a record's life, messages at the field, data that stays.

use flin_browser::example::Example;
use flin_browser::{Browser, Tab, run};

const NEW: &str = "#add input";
const ITEMS: &str = "ul > li:not(.empty)";

async fn add(tab: &Tab, title: &str) {
    tab.type_into(NEW, title).await;
    tab.click("#add button").await;
    let shown =
        format!("[...document.querySelectorAll('li span')].some(s => s.textContent === {title:?})");
    tab.wait(&format!("{title} is in the list"), &shown).await;
}

#[test]
fn an_item_is_added_and_the_field_is_empty_again() {
    run(async {
        let example = Example::compile("todo");
        let server = example.serve();
        let browser = Browser::start().await;
        let tab = browser.open(&server.url).await;
        tab.wait_text("li.empty", "Nothing here.").await;
        add(&tab, "Buy milk, é and 🦀").await;
        tab.wait_count(ITEMS, 1).await;
        tab.wait(
            "the field is empty",
            "document.querySelector('#add input').value === ''",
        )
        .await;
        tab.wait("the title follows", "document.title === '1 to do'")
            .await;
        tab.reload().await;
        tab.wait_text("li span", "Buy milk, é and 🦀").await;
        browser.close().await;
    });
}

#[test]
fn enter_in_the_field_adds_too() {
    run(async {
        let example = Example::compile("todo");
        let server = example.serve();
        let browser = Browser::start().await;
        let tab = browser.open(&server.url).await;
        tab.type_into(NEW, "by key").await;
        tab.press(NEW, "Enter").await;
        tab.wait_text("li span", "by key").await;
        browser.close().await;
    });
}

#[test]
fn an_empty_title_is_refused_at_its_field() {
    run(async {
        let example = Example::compile("todo");
        let server = example.serve();
        let browser = Browser::start().await;
        let tab = browser.open(&server.url).await;
        tab.click("#add button").await;
        tab.wait_count("#add .flin-error", 1).await;
        let message = tab
            .eval("document.querySelector('#add .flin-error').textContent")
            .await;
        assert!(
            message.as_str().is_some_and(|m| m.contains("title")),
            "{message}"
        );
        let marked = tab
            .eval("document.querySelector('#add input').getAttribute('aria-invalid')")
            .await;
        assert_eq!(marked, "true");
        tab.wait_count(ITEMS, 0).await;
        // What is typed next is kept, and the message goes when it is right.
        add(&tab, "now with a title").await;
        tab.wait_count("#add .flin-error", 0).await;
        browser.close().await;
    });
}

#[test]
fn an_item_is_toggled_edited_and_deleted() {
    run(async {
        let example = Example::compile("todo");
        let server = example.serve();
        let browser = Browser::start().await;
        let tab = browser.open(&server.url).await;
        add(&tab, "first").await;
        add(&tab, "second").await;
        tab.click("li:nth-child(1) input[type=checkbox]").await;
        tab.wait_count("li.done", 1).await;
        tab.reload().await;
        tab.wait_count("li.done", 1).await;

        tab.click("li:nth-child(2) button.edit").await;
        tab.wait(
            "the title is in the field",
            "document.querySelector('form.edit input').value === 'second'",
        )
        .await;
        tab.eval("document.querySelector('form.edit input').select()")
            .await;
        tab.insert("changed").await;
        tab.click("form.edit button").await;
        tab.wait_text("li:nth-child(2) span", "changed").await;

        tab.click("li:nth-child(1) button.remove").await;
        tab.wait_count(ITEMS, 1).await;
        tab.wait_text("li span", "changed").await;
        browser.close().await;
    });
}

#[test]
fn the_list_is_filtered_by_page_state() {
    run(async {
        let example = Example::compile("todo");
        let server = example.serve();
        let browser = Browser::start().await;
        let tab = browser.open(&server.url).await;
        add(&tab, "open one").await;
        add(&tab, "done one").await;
        tab.click("li:nth-child(2) input[type=checkbox]").await;
        tab.wait_count("li.done", 1).await;
        tab.click("footer button:nth-of-type(2)").await;
        tab.wait_count(ITEMS, 1).await;
        tab.wait_text("li span", "open one").await;
        tab.click("footer button:nth-of-type(3)").await;
        tab.wait_text("li span", "done one").await;
        tab.click("footer button:nth-of-type(1)").await;
        tab.wait_count(ITEMS, 2).await;
        tab.click("#clear").await;
        tab.wait_count(ITEMS, 1).await;
        browser.close().await;
    });
}

#[test]
fn what_was_shown_as_saved_survives_kill_minus_nine() {
    run(async {
        let example = Example::compile("todo");
        let server = example.serve();
        let browser = Browser::start().await;
        let tab = browser.open(&server.url).await;
        add(&tab, "still here tomorrow").await;
        server.kill();
        let server = example.serve();
        let again = browser.open(&server.url).await;
        again.wait_text("li span", "still here tomorrow").await;
        browser.close().await;
    });
}
