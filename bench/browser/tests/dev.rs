//! `flinvm dev` in a real browser: a save is in the open page with everything its user had in it, and what is wrong
//! stands over the page in the terminal's words until it is fixed.

use flin_browser::example::Example;
use flin_browser::{Tab, quote, run};

const PAGE: &str = r#"entity Jar { label: text @required }
clicks = 0
wish = ""
fn put() { save Jar { label: wish } }
fn half() { 7 / Jar.count }
view {
  <h1>Shelf one</h1>
  <p id="clicks">{clicks}</p>
  <button id="more" click={clicks += 1}>More</button>
  <button id="half" click={half()}>Half</button>
  <details><summary>About</summary><p>Jars stand here.</p></details>
  <input id="wish" bind={wish} />
  <textarea id="free"></textarea>
  <ul>{for jar in Jar.all}<li>{jar.label}</li>{/for}</ul>
}
"#;

/// The text over the page, or none.
const OVERLAY: &str =
    "document.querySelector('flin-problem')?.shadowRoot.querySelector('pre').textContent ?? null";

async fn overlay_holds(tab: &Tab, text: &str) {
    let condition = format!("({OVERLAY})?.includes({}) === true", quote(text));
    tab.wait(&format!("{text:?} over the page"), &condition)
        .await;
}

async fn no_overlay(tab: &Tab) {
    tab.wait("nothing over the page", &format!("({OVERLAY}) === null"))
        .await;
}

#[test]
fn a_save_is_in_the_page_and_nothing_of_the_user_is_lost() {
    run(Example::developed(PAGE), async |site| {
        let (one, two) = (site.open().await, site.open().await);
        for _ in 0..3 {
            one.click("#more").await;
        }
        one.wait_text("#clicks", "3").await;
        one.click("summary").await;
        one.type_into("#free", "half a thought").await;
        one.type_into("#wish", "quinces").await;
        one.eval("document.querySelector('#wish').setSelectionRange(2, 4)")
            .await;
        // A variable more, and one of another type.
        let text = PAGE.replace("Shelf one", "Shelf two");
        site.save(&text.replace("clicks = 0", "colour = \"red\"\nclicks = 0"));
        one.wait_text("h1", "Shelf two").await;
        two.wait_text("h1", "Shelf two").await;
        one.ready().await;
        one.wait_text("#clicks", "3").await;
        one.wait_value("#free", "half a thought").await;
        one.wait_value("#wish", "quinces").await;
        one.wait("the caret stays", "(i => document.activeElement === i && i.selectionStart === 2 && i.selectionEnd === 4)(document.querySelector('#wish'))")
            .await;
        one.wait(
            "the details stay open",
            "document.querySelector('details').open",
        )
        .await;
        // It is the new program that answers.
        one.click("#more").await;
        one.wait_text("#clicks", "4").await;
        // What has another type now begins anew.
        site.save(
            &text
                .replace("Shelf two", "Shelf three")
                .replace("clicks = 0", "clicks = \"none yet\"")
                .replace("clicks += 1", "clicks += \"!\""),
        );
        one.wait_text("h1", "Shelf three").await;
        one.ready().await;
        one.wait_text("#clicks", "none yet").await;
        one.wait_value("#free", "half a thought").await;
    });
}

#[test]
fn what_does_not_compile_stands_over_the_page_until_it_is_fixed() {
    run(Example::developed(PAGE), async |site| {
        let tab = site.open().await;
        tab.type_into("#free", "half a thought").await;
        site.save(&PAGE.replace("label: wish", "lable: wish"));
        overlay_holds(&tab, "`Jar` has no field `lable`").await;
        let shown = tab.eval(OVERLAY).await;
        let shown = shown.as_str().expect("a text");
        assert!(
            shown.contains("app.flin:4:") && shown.contains("^^^^^"),
            "{shown}"
        );
        let log = site.log_with(shown);
        assert_eq!(
            log.matches(shown).count(),
            1,
            "the terminal says the same, once:\n{log}"
        );
        // A window that comes now is told as well.
        let late = site.open().await;
        overlay_holds(&late, "`Jar` has no field `lable`").await;
        // It can be looked under.
        late.press("Escape").await;
        no_overlay(&late).await;
        site.save(&PAGE.replace("Shelf one", "Shelf two"));
        no_overlay(&tab).await;
        tab.wait_text("h1", "Shelf two").await;
        tab.wait_value("#free", "half a thought").await;
    });
}

#[test]
fn a_failure_of_the_running_program_stands_over_its_page() {
    run(Example::developed(PAGE), async |site| {
        site.tolerate("500");
        let tab = site.open().await;
        tab.click("#half").await;
        overlay_holds(&tab, "5 | fn half() { 7 / Jar.count }").await;
        let shown = tab.eval(OVERLAY).await;
        let shown = shown.as_str().expect("a text");
        assert!(
            site.log_with(shown).contains(shown),
            "{}",
            site.log_with(shown)
        );
        // A page that cannot be shown at all.
        let broken = PAGE.replace("Shelf one", "{10 / clicks}");
        site.save(&broken);
        overlay_holds(&tab, "error[DivisionByZero]").await;
        site.save(&PAGE.replace("Shelf one", "Shelf two"));
        no_overlay(&tab).await;
        tab.wait_text("h1", "Shelf two").await;
    });
}

#[test]
fn a_first_program_that_does_not_compile_is_shown_and_then_the_page() {
    run(
        Example::developed("view { <h1>{nobody}</h1> }"),
        async |site| {
            site.tolerate("404");
            let tab = site.blank().await;
            tab.goto(site.url()).await;
            overlay_holds(&tab, "nobody").await;
            site.save(PAGE);
            tab.wait_text("h1", "Shelf one").await;
            tab.ready().await;
            no_overlay(&tab).await;
        },
    );
}

#[test]
fn a_restarted_server_with_another_program_is_noticed() {
    run(Example::developed(PAGE), async |site| {
        let tab = site.open().await;
        tab.type_into("#free", "half a thought").await;
        site.kill();
        site.save(&PAGE.replace("Shelf one", "Shelf two"));
        site.start();
        tab.wait_text("h1", "Shelf two").await;
        tab.wait_value("#free", "half a thought").await;
    });
}
