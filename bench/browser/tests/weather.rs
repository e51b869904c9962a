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
