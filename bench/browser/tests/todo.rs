//! The to-do example in a real browser: each path of a record's life, messages at the field, data that stays.

use flin_browser::example::Example;
use flin_browser::{Tab, run};

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
    run(Example::compile("todo"), async |site| {
        let tab = site.open().await;
        tab.wait_text("li.empty", "Nothing here.").await;
        add(&tab, "Buy milk, é and 🦀").await;
        tab.wait_count(ITEMS, 1).await;
        tab.wait_value(NEW, "").await;
        tab.wait("the title follows", "document.title === '1 to do'")
            .await;
        tab.reload().await;
        tab.wait_text("li span", "Buy milk, é and 🦀").await;
    });
}

#[test]
fn enter_in_the_field_adds_too() {
    run(Example::compile("todo"), async |site| {
        let tab = site.open().await;
        tab.type_into(NEW, "by key").await;
        tab.press("Enter").await;
        tab.wait_text("li span", "by key").await;
    });
}

// rule: view.handler_error
#[test]
fn an_empty_title_is_refused_at_its_field() {
    run(Example::compile("todo"), async |site| {
        let tab = site.open().await;
        site.tolerate("422");
        tab.click("#add button").await;
        tab.wait_count("#add .flin-error", 1).await;
        tab.wait_text("#add .flin-error", "title is required").await;
        tab.check(
            "the field is marked and tied to its message",
            "(i => i.getAttribute('aria-invalid') === 'true' && document.getElementById(i.getAttribute('aria-describedby')).textContent === 'title is required' && document.activeElement === i)(document.querySelector('#add input'))",
        )
        .await;
        tab.wait_count(ITEMS, 0).await;
        // What is typed next is kept, and the message goes when it is right.
        add(&tab, "now with a title").await;
        tab.wait_count("#add .flin-error", 0).await;
        tab.wait_count("[aria-invalid]", 0).await;
    });
}

#[test]
fn an_item_is_toggled_edited_and_deleted() {
    run(Example::compile("todo"), async |site| {
        let tab = site.open().await;
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
        tab.check(
            "it has the focus",
            "document.activeElement === document.querySelector('form.edit input')",
        )
        .await;
        tab.press("Escape").await;
        tab.wait_text("li:nth-child(2) span", "second").await;
        tab.click("li:nth-child(2) button.edit").await;
        tab.wait_value("form.edit input", "second").await;
        tab.replace("form.edit input", "changed").await;
        tab.click("form.edit button").await;
        tab.wait_text("li:nth-child(2) span", "changed").await;

        tab.click("li:nth-child(1) button.remove").await;
        tab.wait_count(ITEMS, 1).await;
        tab.wait_text("li span", "changed").await;
    });
}

#[test]
fn the_list_is_filtered_by_page_state() {
    run(Example::compile("todo"), async |site| {
        let tab = site.open().await;
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
    });
}

#[test]
fn what_was_shown_as_saved_survives_kill_minus_nine() {
    run(Example::compile("todo"), async |site| {
        let tab = site.open().await;
        add(&tab, "still here tomorrow").await;
        site.kill();
        site.start();
        let again = site.open().await;
        again.wait_text("li span", "still here tomorrow").await;
    });
}

#[test]
fn a_title_that_is_too_long_stays_in_its_field() {
    run(Example::compile("todo"), async |site| {
        site.tolerate("422");
        let tab = site.open().await;
        let long = "x".repeat(121);
        tab.type_into(NEW, &long).await;
        tab.press("Enter").await;
        tab.wait_count("#add .flin-error", 1).await;
        tab.wait_value(NEW, &long).await;
        // A change made elsewhere does not take the message away.
        site.act("addTodo", "[]", r#"{"newTitle":"from elsewhere"}"#);
        tab.wait_text("li span", "from elsewhere").await;
        tab.wait_count("#add .flin-error", 1).await;
        tab.wait_value(NEW, &long).await;
        tab.press("Backspace").await;
        tab.press("Enter").await;
        tab.wait_count(ITEMS, 2).await;
        tab.wait_count(".flin-error", 0).await;
    });
}

#[test]
fn an_error_while_editing_stands_in_the_form_that_was_sent() {
    run(Example::compile("todo"), async |site| {
        site.tolerate("422");
        let tab = site.open().await;
        add(&tab, "one").await;
        tab.click("button.edit").await;
        tab.wait_value("form.edit input", "one").await;
        tab.replace("form.edit input", " ").await;
        tab.press("Enter").await;
        tab.wait_count("form.edit .flin-error", 1).await;
        tab.wait_count("#add .flin-error", 0).await;
        tab.replace("form.edit input", "two").await;
        tab.press("Enter").await;
        tab.wait_text("li span", "two").await;
        tab.wait_count(".flin-error", 0).await;
    });
}
