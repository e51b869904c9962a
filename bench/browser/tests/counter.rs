//! The three-line counter in a real browser: clicks count, a new visitor starts at zero.

use flin_browser::example::Example;
use flin_browser::run;

#[test]
fn three_clicks_show_three() {
    run(Example::compile("counter"), async |site| {
        let tab = site.open().await;
        tab.wait_text("h1", "0").await;
        for _ in 0..3 {
            tab.click("button").await;
        }
        tab.wait_text("h1", "3").await;
        let other = site.open().await;
        other.wait_text("h1", "0").await;
    });
}

#[test]
fn clicks_faster_than_the_answers_are_all_counted() {
    run(Example::compile("counter"), async |site| {
        let tab = site.open().await;
        tab.eval("for (let i = 0; i < 10; i++) document.querySelector('button').click()")
            .await;
        tab.wait_text("h1", "10").await;
    });
}
