//! The three-line counter in a real browser: clicks count, a new visitor starts at zero.

use flin_browser::example::Example;
use flin_browser::{Browser, run};

#[test]
fn three_clicks_show_three() {
    run(async {
        let example = Example::compile("counter");
        let server = example.serve();
        let browser = Browser::start().await;
        let tab = browser.open(&server.url).await;
        tab.wait_text("h1", "0").await;
        for _ in 0..3 {
            tab.click("button").await;
        }
        tab.wait_text("h1", "3").await;
        let other = browser.open(&server.url).await;
        other.wait_text("h1", "0").await;
        browser.close().await;
    });
}

#[test]
fn clicks_faster_than_the_answers_are_all_counted() {
    run(async {
        let example = Example::compile("counter");
        let server = example.serve();
        let browser = Browser::start().await;
        let tab = browser.open(&server.url).await;
        tab.eval("for (let i = 0; i < 10; i++) document.querySelector('button').click()")
            .await;
        tab.wait_text("h1", "10").await;
        browser.close().await;
    });
}
