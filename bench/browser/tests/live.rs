//! Live updates in two real tabs: what one does, the other shows, and nothing that its user was doing is lost.

use flin_browser::example::Example;
use flin_browser::{Browser, run};

#[test]
fn a_change_appears_in_the_other_tab_and_disturbs_nothing() {
    run(async {
        let example = Example::compile("todo");
        let server = example.serve();
        let browser = Browser::start().await;
        let one = browser.open(&server.url).await;
        one.type_into("#add input", "first").await;
        one.click("#add button").await;
        one.wait_count("li span", 1).await;

        let two = browser.open(&server.url).await;
        two.wait(
            "it is live",
            "document.documentElement.getAttribute('data-flin-live') === 'on'",
        )
        .await;
        two.type_into("#add input", "half typed").await;
        two.eval(
            "window.kept = [document.querySelector('li'), document.querySelector('#add input'), document.querySelector('h1')];
             document.querySelector('#add input').setSelectionRange(2, 4);
             window.requests = performance.getEntriesByType('resource').length;
             _flinOnEntityChange('Todo', () => { window.atPush = performance.getEntriesByType('resource').length; });",
        )
        .await;

        one.type_into("#add input", "second").await;
        one.click("#add button").await;
        two.wait_count("li span", 2).await;

        assert_eq!(
            two.eval("window.atPush - window.requests").await,
            0,
            "a request was made between commit and push"
        );
        assert_eq!(
            two.eval("document.querySelector('#add input').value").await,
            "half typed"
        );
        let caret = two
            .eval("(i => [i.selectionStart, i.selectionEnd])(document.querySelector('#add input'))")
            .await;
        assert_eq!(caret, serde_json::json!([2, 4]));
        let same = two
            .eval("kept[0] === document.querySelector('li') && kept[1] === document.querySelector('#add input') && kept[2] === document.querySelector('h1')")
            .await;
        assert_eq!(same, true, "nodes that did not change were replaced");
        assert_eq!(
            two.eval("document.activeElement === kept[1]").await,
            true,
            "the focus moved"
        );
        browser.close().await;
    });
}

#[test]
fn open_details_scroll_and_an_unbound_field_survive_an_update() {
    run(async {
        let example = Example::compile_text(
            "entity Note { body: text @required }\n\
             fn put() { save Note { body: \"a note\" } }\n\
             view {\n\
               <details><summary>More</summary><p>inside</p></details>\n\
               <input id=\"free\" placeholder=\"not bound\" />\n\
               <button click={put()}>Put</button>\n\
               {for note in Note.all}<p class=\"note\">{note.body}</p>{/for}\n\
             }\n",
        );
        let server = example.serve();
        let browser = Browser::start().await;
        let one = browser.open(&server.url).await;
        let two = browser.open(&server.url).await;
        two.wait(
            "it is live",
            "document.documentElement.getAttribute('data-flin-live') === 'on'",
        )
        .await;
        two.click("summary").await;
        two.type_into("#free", "mine").await;
        one.click("button").await;
        two.wait_count(".note", 1).await;
        assert_eq!(
            two.eval("document.querySelector('details').open").await,
            true
        );
        assert_eq!(
            two.eval("document.querySelector('#free').value").await,
            "mine"
        );
        browser.close().await;
    });
}

#[test]
fn a_change_made_while_the_server_was_away_is_shown_after_it_is_back() {
    run(async {
        let example = Example::compile("guestbook");
        let server = example.serve();
        let port = server
            .url
            .rsplit(':')
            .next()
            .unwrap_or_default()
            .to_string();
        let browser = Browser::start().await;
        let tab = browser.open(&server.url).await;
        tab.wait(
            "it is live",
            "document.documentElement.getAttribute('data-flin-live') === 'on'",
        )
        .await;
        server.kill();
        tab.wait(
            "it knows that it is not live",
            "document.documentElement.getAttribute('data-flin-live') === 'off'",
        )
        .await;
        let server = example.serve_at(&port);
        let body = r#"{"_action":"sign","_args":[],"_state":{"name":"Ada","message":"back again","stars":4}}"#;
        let answer = flin_testkit::http::post_json(&server.url, "/_action", body);
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, r#"{"type":"reload"}"#)
        );
        tab.wait_text("article p", "back again").await;
        browser.close().await;
    });
}
