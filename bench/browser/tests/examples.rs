//! The larger examples, driven as their users do: a chat between two windows, a board with a mouse, a dashboard that is
//! watched while somebody else sells.

use flin_browser::example::Example;
use flin_browser::run;

#[test]
fn two_people_chat_and_see_each_other() {
    run(Example::compile("chat"), async |site| {
        let (ada, bob) = (site.open_live().await, site.open_live().await);
        for (tab, name) in [(&ada, "Ada"), (&bob, "Bob")] {
            tab.type_into("#enter input", name).await;
            tab.press("Enter").await;
            tab.wait_count("#say", 1).await;
        }
        let here = "[...document.querySelectorAll('.guests li')].map((l) => l.textContent.replace('●', '').trim()).join()";
        for tab in [&ada, &bob] {
            tab.wait("both are here", &format!("{here} === 'Ada,Bob'"))
                .await;
        }
        bob.type_into("#say input", "half an ans").await;
        ada.type_into("#say input", "Hello, Bob!").await;
        ada.press("Enter").await;
        bob.wait(
            "it is read",
            "document.querySelector('ol li').textContent.includes('Hello, Bob!')",
        )
        .await;
        ada.wait_count("ol li.mine", 1).await;
        bob.wait_count("ol li.mine", 0).await;
        bob.wait_value("#say input", "half an ans").await;
        ada.wait_value("#say input", "").await;
        // Ada goes next door: Bob sees it, and she hears nothing of what he says.
        ada.click("nav li:nth-child(2) button").await;
        ada.wait_text("article h2", "Kitchen").await;
        bob.wait("Ada has left", &format!("{here} === 'Bob'")).await;
        bob.press("Enter").await;
        bob.wait_count("ol li.mine", 1).await;
        ada.wait_text("ol", "It is quiet here.").await;
        ada.type_into("#open input", "Lobby").await;
        site.tolerate("409");
        site.tolerate("422");
        ada.press("Enter").await;
        ada.wait_count(".flin-error", 1).await;
        ada.replace("#open input", "Garden").await;
        ada.press("Enter").await;
        ada.wait_text("article h2", "Garden").await;
        bob.wait_count("nav button.room", 4).await;
    });
}

#[test]
fn an_open_page_says_by_itself_that_its_guest_is_there() {
    run(Example::compile("chat"), async |site| {
        let tab = site.open_live().await;
        tab.type_into("#enter input", "Ada").await;
        tab.press("Enter").await;
        tab.wait_count("#say", 1).await;
        tab.watch_requests().await;
        // Its heart beats faster than a test can wait for.
        tab.eval("document.querySelector('.heart').getAnimations()[0].updatePlaybackRate(100)")
            .await;
        tab.wait("it says so", "window.requests.includes('/_action')")
            .await;
    });
}

/// The cards of a list, in their order.
fn cards(list: usize) -> String {
    format!(
        "[...document.querySelectorAll('section:nth-child({list}) li')].map((l) => l.firstChild.textContent.trim()).join()"
    )
}

#[test]
fn a_card_is_dragged_to_its_place() {
    run(Example::compile("board"), async |site| {
        let (tab, other) = (site.open_live().await, site.open_live().await);
        let mut drag = tab.drag("section:nth-child(1) li:nth-child(1)").await;
        drag.over("section:nth-child(2) h2").await;
        tab.wait_text("section:nth-child(2).over .ghost", "Choose a name")
            .await;
        drag.drop_here().await;
        for one in [&tab, &other] {
            one.wait(
                "it is in the list",
                &format!("{} === 'Show it to Ada,Choose a name'", cards(2)),
            )
            .await;
            one.wait(
                "and not where it was",
                &format!("{} === 'Draw the logo,Write the first page'", cards(1)),
            )
            .await;
        }
        tab.wait_count(".ghost, .over", 0).await;
        // Before another card.
        let mut drag = tab.drag("section:nth-child(1) li:nth-child(2)").await;
        drag.over("section:nth-child(2) li:nth-child(1)").await;
        drag.drop_here().await;
        other
            .wait(
                "it stands before that card",
                &format!(
                    "{} === 'Write the first page,Show it to Ada,Choose a name'",
                    cards(2)
                ),
            )
            .await;
        tab.type_into("header input", "One more").await;
        tab.press("Enter").await;
        other
            .wait(
                "the new card",
                &format!("{} === 'Draw the logo,One more'", cards(1)),
            )
            .await;
    });
}

#[test]
fn a_dropped_card_stands_in_its_new_place_while_it_is_saved() {
    run(Example::compile("board"), async |site| {
        let tab = site.open_live().await;
        tab.slow_network().await;
        // The card that is dragged, where it would go: above the other one.
        let there = "(g => g?.textContent.trim() === 'Choose a name' && g.offsetTop < g.parentNode.querySelector('li:not(.ghost)').offsetTop)(document.querySelector('section:nth-child(2).over .ghost'))";
        let mut drag = tab.drag("section:nth-child(1) li:nth-child(1)").await;
        drag.over("section:nth-child(2) li:nth-child(1)").await;
        tab.wait("it stands where it would go", there).await;
        tab.watch_requests().await;
        drag.over("section:nth-child(2) h2").await;
        tab.wait("at the end of the list", &format!("!({there})"))
            .await;
        drag.over("section:nth-child(2) li:nth-child(1)").await;
        tab.wait("above that card again", there).await;
        tab.check(
            "no server was asked for that",
            "window.requests.length === 0",
        )
        .await;
        drag.drop_here().await;
        tab.check("it stays there while it is saved", there).await;
        tab.wait_count(".ghost", 0).await;
        let there = format!(
            "{} === 'Draw the logo,Write the first page' && {} === 'Choose a name,Show it to Ada'",
            cards(1),
            cards(2)
        );
        tab.check("it is there", &there).await;
        tab.reload().await;
        tab.wait("it is there for good", &there).await;
    });
}

#[test]
fn a_sale_moves_every_chart() {
    run(Example::compile("dashboard"), async |site| {
        let (seller, watcher) = (site.open_live().await, site.open_live().await);
        let line = "document.querySelector('polyline').getAttribute('points')";
        watcher
            .eval(&format!("window.before = {line}; window.total = document.querySelector('#total').textContent"))
            .await;
        watcher.wait_text("#count", "40").await;
        seller.choose("form select", "East").await;
        seller.replace("form input", "5000").await;
        seller.click("form button.main").await;
        watcher.wait_text("#count", "41").await;
        watcher.wait_text("#best", "5’000").await;
        watcher.wait_text("tbody tr td", "East").await;
        watcher
            .check(
                "the line moved",
                &format!("{line} !== window.before && {line}.split(' ').length === 24"),
            )
            .await;
        // What one filters is nobody else's business.
        watcher.choose("p select", "East").await;
        watcher
            .wait("only the east", "[...document.querySelectorAll('tbody tr td:first-child')].every((t) => t.textContent === 'East')")
            .await;
        site.tolerate("422");
        seller.replace("form input", "0").await;
        seller.click("form button.main").await;
        seller.wait_count(".flin-error", 1).await;
        seller.click("#undo").await;
        watcher.wait_text("#count", "40").await;
        watcher
            .wait(
                "the sum is as before",
                "document.querySelector('#total').textContent === window.total",
            )
            .await;
    });
}
