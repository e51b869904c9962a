//! Whoever has no mouse: everything is reached, seen and done with the keyboard alone.

use flin_browser::example::Example;
use flin_browser::{Tab, run};

/// Presses the tabulator until the focus is on what matches.
async fn tab_to(tab: &Tab, selector: &str) {
    for _ in 0..40 {
        let reached = format!(
            "document.activeElement.matches({})",
            flin_browser::quote(selector)
        );
        if tab.eval(&reached).await == true {
            let seen = "(s => s.outlineStyle !== 'none' || s.boxShadow !== 'none')(getComputedStyle(document.activeElement))";
            tab.check("the focus is seen", seen).await;
            return;
        }
        tab.press("Tab").await;
    }
    panic!("{selector} is not reached with the keyboard");
}

#[test]
fn a_to_do_is_made_edited_ticked_and_deleted() {
    run(Example::compile("todo"), async |site| {
        let tab = site.open_live().await;
        tab_to(&tab, "#add input").await;
        tab.insert("Buy milk").await;
        tab.press("Enter").await;
        tab.wait_text("li span", "Buy milk").await;
        tab_to(&tab, "li button.edit").await;
        tab.press("Enter").await;
        tab.wait(
            "the field has the focus",
            "document.activeElement.matches('form.edit input')",
        )
        .await;
        tab.insert("!").await;
        tab.press("Enter").await;
        tab.wait_count("form.edit", 0).await;
        tab.wait(
            "it is renamed",
            "document.querySelector('li span').textContent.includes('!')",
        )
        .await;
        tab.eval("document.querySelector('#add input').focus()")
            .await;
        tab_to(&tab, "li input[type=checkbox]").await;
        tab.press(" ").await;
        tab.wait_count("li.done", 1).await;
        tab_to(&tab, "li button.remove").await;
        tab.press("Enter").await;
        tab.wait_count("li span", 0).await;
    });
}

#[test]
fn a_card_goes_from_list_to_list() {
    run(Example::compile("board"), async |site| {
        let tab = site.open_live().await;
        tab_to(&tab, "section:nth-child(1) li:first-child button").await;
        tab.press("Enter").await;
        tab.wait_count("section:nth-child(2) li", 2).await;
        tab.wait_count("section:nth-child(1) li", 2).await;
    });
}
