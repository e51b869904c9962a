//! Bad weather: slow networks, none at all, servers that are killed while somebody types, many windows. Nothing that a user
//! typed may be lost, nothing may happen twice, and every window ends up with the same list.

use flin_browser::example::Example;
use flin_browser::{Tab, run};

/// The texts of the list as one text.
const LIST: &str = "[...document.querySelectorAll('li span')].map((s) => s.textContent).join(' ')";

async fn shows(tab: &Tab, list: &str) {
    tab.wait(
        &format!("the list is {list}"),
        &format!("{LIST} === {}", flin_browser::quote(list)),
    )
    .await;
}

#[test]
fn typing_goes_on_while_another_tab_changes_the_list_a_hundred_times() {
    run(Example::compile("todo"), async |site| {
        let tab = site.open_live().await;
        tab.type_into("#add input", "one two").await;
        tab.eval(
            "window.field = document.querySelector('#add input'); field.setSelectionRange(3, 3);
             window.lost = []; field.addEventListener('blur', () => lost.push('focus'));",
        )
        .await;
        let mut typed = String::from("one two");
        let mut at = 3;
        for round in 0..50 {
            site.act("addTodo", "[]", &format!("{{\"newTitle\":\"t{round}\"}}"));
            if round % 5 == 0 {
                tab.insert("x").await;
                typed.insert(at, 'x');
                at += 1;
            }
        }
        // What is composed by an input method is not finished yet.
        tab.compose("に").await;
        for id in 1..=50 {
            let args = format!("[{{\"_entity\":true,\"type\":\"Todo\",\"id\":{id}}}]");
            site.act(if id % 2 == 0 { "remove" } else { "toggle" }, &args, "{}");
        }
        tab.insert("日").await;
        typed.insert(at, '日');
        at += 1;
        tab.wait_count("li span", 25).await;
        tab.wait_count("li.done", 25).await;
        tab.wait_value("#add input", &typed).await;
        tab.check(
            "focus and caret stayed",
            &format!("document.activeElement === field && field.selectionStart === {at} && lost.length === 0"),
        )
        .await;
        tab.press("Enter").await;
        tab.wait_count("li span", 26).await;
    });
}

#[test]
fn a_server_killed_while_somebody_types_loses_nothing_and_doubles_nothing() {
    run(Example::compile("todo"), async |site| {
        let tab = site.open_live().await;
        let other = site.open_live().await;
        tab.type_into("#add input", "half a").await;
        site.kill();
        tab.live("off").await;
        tab.insert(" thought").await;
        site.start();
        site.act("addTodo", "[]", r#"{"newTitle":"meanwhile"}"#);
        for one in [&tab, &other] {
            one.live("on").await;
            shows(one, "meanwhile").await;
        }
        tab.wait_value("#add input", "half a thought").await;
        tab.press("Enter").await;
        for one in [&tab, &other] {
            shows(one, "meanwhile half a thought").await;
        }
        tab.wait_value("#add input", "").await;
    });
}

#[test]
fn two_windows_that_change_the_same_list_agree() {
    run(Example::compile("todo"), async |site| {
        let (one, two) = (site.open_live().await, site.open_live().await);
        for round in 0..6 {
            let (tab, title) = if round % 2 == 0 {
                (&one, "a")
            } else {
                (&two, "b")
            };
            tab.type_into("#add input", title).await;
            tab.press("Enter").await;
            tab.wait_value("#add input", "").await;
        }
        for tab in [&one, &two] {
            shows(tab, "a b a b a b").await;
        }
    });
}

#[test]
fn twenty_windows_all_show_every_change() {
    run(Example::compile("todo"), async |site| {
        let mut tabs = Vec::new();
        for _ in 0..20 {
            tabs.push(site.open_live().await);
        }
        for title in ["one", "two", "three"] {
            site.act("addTodo", "[]", &format!("{{\"newTitle\":\"{title}\"}}"));
        }
        tabs[7].click("li:nth-child(2) button.remove").await;
        for tab in &tabs {
            shows(tab, "one three").await;
        }
    });
}

#[test]
fn a_window_that_was_offline_catches_up() {
    run(Example::compile("todo"), async |site| {
        site.tolerate("ERR_");
        site.tolerate("WebSocket");
        let tab = site.open_live().await;
        tab.type_into("#add input", "mine").await;
        tab.offline(true).await;
        site.act("addTodo", "[]", r#"{"newTitle":"theirs"}"#);
        tab.insert(" too").await;
        tab.offline(false).await;
        shows(&tab, "theirs").await;
        tab.wait_value("#add input", "mine too").await;
        tab.press("Enter").await;
        shows(&tab, "theirs mine too").await;
    });
}

#[test]
fn a_slow_network_saves_each_click_once_and_in_order() {
    run(Example::compile("todo"), async |site| {
        let tab = site.open_live().await;
        tab.slow_network().await;
        for title in ["first", "second"] {
            tab.type_into("#add input", title).await;
            tab.press("Enter").await;
            // Impatience.
            tab.press("Enter").await;
            tab.wait_value("#add input", "").await;
        }
        shows(&tab, "first second").await;
        tab.eval("document.querySelector('li button.remove').click()")
            .await;
        tab.type_into("#add input", "typed while that was on its way")
            .await;
        shows(&tab, "second").await;
        tab.wait_value("#add input", "typed while that was on its way")
            .await;
        let fresh = site.open().await;
        shows(&fresh, "second").await;
    });
}

#[test]
fn changes_made_without_a_network_are_counted_and_saved_in_their_order() {
    run(Example::compile("todo"), async |site| {
        site.tolerate("ERR_");
        site.tolerate("WebSocket");
        let (tab, other) = (site.open_live().await, site.open_live().await);
        tab.offline(true).await;
        for (title, banner) in [
            ("one", "Offline. 1 change is waiting."),
            ("two", "Offline. 2 changes are waiting."),
            ("three", "Offline. 3 changes are waiting."),
        ] {
            tab.replace("#add input", title).await;
            tab.press("Enter").await;
            tab.wait(
                banner,
                &format!("document.querySelector('#flin-offline[role=status]')?.textContent === '{banner}'"),
            )
            .await;
        }
        tab.replace("#add input", "still typing").await;
        shows(&other, "").await;
        tab.offline(false).await;
        for one in [&tab, &other] {
            shows(one, "one two three").await;
        }
        tab.wait_count("#flin-offline, .flin-error, [aria-busy]", 0)
            .await;
        tab.wait_value("#add input", "still typing").await;
    });
}

#[test]
fn a_button_that_is_clicked_three_times_at_once_saves_once() {
    run(Example::compile("todo"), async |site| {
        let tab = site.open_live().await;
        tab.slow_network().await;
        tab.type_into("#add input", "once").await;
        tab.eval(
            "(b => { b.click(); b.click(); b.click(); })(document.querySelector('#add button'))",
        )
        .await;
        tab.wait_value("#add input", "").await;
        tab.wait_count("[aria-busy]", 0).await;
        shows(&tab, "once").await;
        let fresh = site.open().await;
        shows(&fresh, "once").await;
    });
}

/// A page that is longer than the window, with a part that scrolls by itself.
const LONG: &str = r#"entity Note { body: text }
fn put() { save Note { body: "a note" } }
view {
  <details><summary>More</summary><p>inside</p></details>
  <textarea id="free" rows="3"></textarea>
  <div id="box" tabindex="0" style="height: 6rem; overflow: auto"><p style="height: 100rem">tall</p></div>
  <p style="height: 200rem">taller</p>
  <button click={put()}>Put</button>
  {for note in Note.all}<p class="note">{note.body}</p>{/for}
}
"#;

#[test]
fn a_page_stays_where_it_is_over_changes_and_a_restart() {
    run(Example::compile_text(LONG), async |site| {
        let tab = site.open_live().await;
        tab.click("summary").await;
        tab.type_into("#free", "some words").await;
        tab.eval(
            "document.querySelector('#free').setSelectionRange(2, 6);
             document.querySelector('#box').scrollTop = 120; scrollTo(0, 340);",
        )
        .await;
        let stays = "scrollY === 340 && document.querySelector('#box').scrollTop === 120
             && document.querySelector('details').open
             && (t => document.activeElement === t && t.value === 'some words' && t.selectionStart === 2 && t.selectionEnd === 6)(document.querySelector('#free'))";
        tab.check("as the user left it", stays).await;
        site.act("put", "[]", "{}");
        tab.wait_count(".note", 1).await;
        tab.check("after a change", stays).await;
        site.kill();
        tab.live("off").await;
        site.start();
        site.act("put", "[]", "{}");
        tab.wait_count(".note", 2).await;
        tab.live("on").await;
        tab.check("after a restart", stays).await;
    });
}
