//! The examples in a browser that runs no scripts: forms and buttons post, messages stand at their fields.

use flin_browser::example::Example;
use flin_browser::run;

#[test]
fn the_to_do_list_works_without_scripts() {
    run(Example::compile("todo"), async |site| {
        site.tolerate("422");
        let tab = site.open_without_script().await;
        tab.type_into("#add input", "plain").await;
        tab.click("#add button").await;
        tab.wait_text("li span", "plain").await;
        tab.wait_value("#add input", "").await;
        tab.check("it is the page again", "location.pathname === '/'")
            .await;
        tab.type_into("#add input", &"x".repeat(121)).await;
        tab.click("#add button").await;
        tab.wait_count("#add input[aria-invalid=true] + .flin-error[role=alert]", 1)
            .await;
        tab.wait_value("#add input", &"x".repeat(121)).await;
        tab.wait_count("li span", 1).await;
        tab.replace("#add input", "second").await;
        tab.press("Enter").await;
        tab.wait_count("li span", 2).await;
        tab.wait_count(".flin-error", 0).await;
        tab.click("li:nth-child(1) button.remove").await;
        tab.wait_count("li span", 1).await;
        tab.wait_text("li span", "second").await;
        // What is edited is known to the page alone.
        tab.click("li button.edit").await;
        tab.wait_value("form.edit input", "second").await;
        tab.replace("form.edit input", "second, better").await;
        tab.click("form.edit button").await;
        tab.wait_text("li span", "second, better").await;
        tab.wait_count("form.edit", 0).await;
        tab.check(
            "no script ran",
            "!document.documentElement.hasAttribute('data-flin')",
        )
        .await;
    });
}

#[test]
fn the_guestbook_works_without_scripts() {
    run(Example::compile("guestbook"), async |site| {
        site.tolerate("422");
        let tab = site.open_without_script().await;
        tab.type_into("input[name=name]", "Ada").await;
        tab.type_into("textarea", "Hi").await;
        tab.click("form button").await;
        tab.wait_count("textarea[aria-invalid=true] + .flin-error", 1)
            .await;
        tab.wait_value("input[name=name]", "Ada").await;
        tab.wait_value("textarea", "Hi").await;
        tab.replace("textarea", "Hi there").await;
        tab.replace("input[name=stars]", "3").await;
        tab.click("form button").await;
        tab.wait_text("article p", "Hi there").await;
        tab.wait_text("article .stars", "★★★☆☆").await;
    });
}

#[test]
fn a_message_from_before_the_script_goes_when_the_form_succeeds() {
    run(Example::compile("todo"), async |site| {
        site.tolerate("422");
        site.tolerate("ERR_BLOCKED");
        let tab = site.blank().await;
        tab.block("*://*:*/_flin/*").await;
        tab.goto(site.url()).await;
        tab.wait("the page is there", "document.readyState === 'complete'")
            .await;
        tab.block("").await;
        tab.click("#add button").await;
        tab.ready().await;
        tab.wait_text("#add input + .flin-error", "title is required")
            .await;
        tab.live("on").await;
        site.act("addTodo", "[]", r#"{"newTitle":"from elsewhere"}"#);
        tab.wait_count("li span", 1).await;
        tab.wait_count("#add input[aria-invalid=true] + .flin-error", 1)
            .await;
        tab.type_into("#add input", "mine").await;
        tab.press("Enter").await;
        tab.wait_count("li span", 2).await;
        tab.wait_count(".flin-error, [aria-invalid]", 0).await;
    });
}
