//! Live updates in real windows: what one does, the other shows, and nothing that its user was doing is lost.

use flin_browser::example::Example;
use flin_browser::run;

/// A program whose only action needs no input.
const NOTES: &str = "entity Note { body: text @required }
fn put() { save Note { body: \"a note\" } }
view {
  <details><summary>More</summary><p>inside</p></details>
  <input id=\"free\" placeholder=\"not bound\" />
  <button click={put()}>Put</button>
  {for note in Note.all}<p class=\"note\">{note.body}</p>{/for}
}
";

#[test]
fn a_change_appears_in_the_other_tab_and_disturbs_nothing() {
    run(Example::compile("todo"), async |site| {
        let one = site.open().await;
        one.type_into("#add input", "first").await;
        one.click("#add button").await;
        one.wait_count("li span", 1).await;

        let two = site.open_live().await;
        two.type_into("#add input", "half typed").await;
        two.eval(
            "window.kept = ['li', '#add input', 'h1', 'li input', 'li button.edit'].map(s => document.querySelector(s));
             document.querySelector('#add input').setSelectionRange(2, 4);
             _flinOnEntityChange('Todo', () => { window.atPush = window.requests.length; });",
        )
        .await;
        two.watch_requests().await;

        one.type_into("#add input", "second").await;
        one.click("#add button").await;
        two.wait_count("li span", 2).await;

        two.check(
            "no request was made between commit and push",
            "window.atPush === 0",
        )
        .await;
        two.check(
            "the text stays",
            "document.querySelector('#add input').value === 'half typed'",
        )
        .await;
        two.check(
            "the selection stays",
            "(i => i.selectionStart === 2 && i.selectionEnd === 4)(document.querySelector('#add input'))",
        )
        .await;
        two.check(
            "unchanged nodes are the same nodes",
            "['li', '#add input', 'h1', 'li input', 'li button.edit'].every((s, i) => document.querySelector(s) === window.kept[i])",
        )
        .await;
        two.check("the focus stays", "document.activeElement === kept[1]")
            .await;
    });
}

#[test]
fn a_checkbox_follows_the_other_tab_also_after_it_was_clicked() {
    run(Example::compile("todo"), async |site| {
        site.act("addTodo", "[]", r#"{"newTitle":"one"}"#);
        let one = site.open_live().await;
        let two = site.open_live().await;
        let (on, off) = (
            "document.querySelector('li input').checked",
            "!document.querySelector('li input').checked",
        );
        for (tab, other, state) in [(&one, &two, on), (&two, &one, off), (&one, &two, on)] {
            tab.click("li input").await;
            other.wait("the other follows", state).await;
            tab.wait_count("[aria-busy]", 0).await;
            tab.wait("it stays", state).await;
        }
    });
}

#[test]
fn open_details_and_an_unbound_field_survive_an_update() {
    run(Example::compile_text(NOTES), async |site| {
        let tab = site.open_live().await;
        tab.click("summary").await;
        tab.type_into("#free", "mine").await;
        site.act("put", "[]", "{}");
        tab.wait_count(".note", 1).await;
        tab.check(
            "the details are open",
            "document.querySelector('details').open",
        )
        .await;
        tab.wait_value("#free", "mine").await;
    });
}

#[test]
fn text_that_is_being_composed_is_not_disturbed() {
    run(Example::compile("todo"), async |site| {
        let tab = site.open_live().await;
        tab.type_into("#add input", "a").await;
        tab.eval(
            "window.pushed = 0; _flinOnEntityChange('Todo', () => { window.pushed += 1; });
             window.ends = 0; document.addEventListener('compositionend', () => { window.ends += 1; });",
        )
        .await;
        tab.compose("に").await;
        site.act("addTodo", "[]", r#"{"newTitle":"from elsewhere"}"#);
        tab.wait("the change is known", "window.pushed === 1").await;
        tab.eval("new Promise((done) => setTimeout(done, 300))")
            .await;
        tab.compose("にほ").await;
        tab.check("the composition goes on", "window.ends === 0")
            .await;
        tab.wait_value("#add input", "aにほ").await;
        tab.wait_count("li span", 0).await;
        tab.insert("日本").await;
        tab.wait_text("li span", "from elsewhere").await;
        tab.wait_value("#add input", "a日本").await;
        tab.press("Enter").await;
        tab.wait_count("li span", 2).await;
    });
}

#[test]
fn a_change_made_while_the_server_was_away_is_shown_after_it_is_back() {
    run(Example::compile("guestbook"), async |site| {
        let tab = site.open_live().await;
        tab.type_into("textarea", "half typed").await;
        tab.eval("_flinUpdate()").await;
        site.kill();
        tab.live("off").await;
        site.start();
        site.act(
            "sign",
            "[]",
            r#"{"name":"Ada","message":"back again","stars":4}"#,
        );
        tab.wait_text("article p", "back again").await;
        tab.live("on").await;
        tab.wait_value("textarea", "half typed").await;
        // It follows again.
        site.act(
            "sign",
            "[]",
            r#"{"name":"Ada","message":"once more","stars":4}"#,
        );
        tab.wait_text("article p", "once more").await;
    });
}

#[test]
fn a_page_that_could_not_be_brought_up_to_date_says_so_and_catches_up() {
    run(Example::compile("todo"), async |site| {
        site.tolerate("ERR_");
        let tab = site.open_live().await;
        site.act("addTodo", "[]", r#"{"newTitle":"saved"}"#);
        tab.wait_text("li span", "saved").await;
        // The choice is made here, but what belongs to it cannot be had.
        tab.block("*://*:*/_render").await;
        tab.click("footer button:nth-of-type(3)").await;
        tab.eval("$flin.shown = 'done'").await;
        tab.wait(
            "the message",
            "document.querySelector('#flin-offline[role=status]')?.textContent.includes('Not up to date') === true",
        )
        .await;
        tab.block("").await;
        tab.wait_count("li span", 0).await;
        tab.wait_count("#flin-offline", 0).await;
    });
}

#[test]
fn an_action_without_a_server_waits_and_is_done_once() {
    run(Example::compile("todo"), async |site| {
        let tab = site.open_live().await;
        site.kill();
        tab.live("off").await;
        tab.type_into("#add input", "later").await;
        tab.press("Enter").await;
        tab.wait(
            "the message",
            "document.querySelector('#flin-offline')?.textContent === 'Offline. 1 change is waiting.'",
        )
        .await;
        // The page goes on, and what is typed meanwhile stays.
        tab.wait_value("#add input", "later").await;
        tab.type_into("#add input", " and more").await;
        site.start();
        tab.live("on").await;
        tab.wait_text("li span", "later").await;
        tab.wait_count("#flin-offline, .flin-error, [aria-busy]", 0)
            .await;
        tab.wait_count("li span", 1).await;
        tab.wait_value("#add input", " and more").await;
    });
}

#[test]
fn waiting_between_attempts_grows_to_half_a_minute() {
    run(Example::compile("guestbook"), async |site| {
        let tab = site.open_live().await;
        // The page's clock is made fast: each wait for the next attempt is noted and ends at once.
        tab.eval(
            "window.waits = [];
             const slow = window.setTimeout.bind(window);
             window.setTimeout = (fn, ms, ...rest) => {
               if (fn !== _flinWsConnect) return slow(fn, ms, ...rest);
               if (window.waits.length < 9) window.waits.push(ms);
               return slow(fn, window.waits.length < 9 ? 1 : 200);
             };",
        )
        .await;
        site.kill();
        tab.wait("nine attempts", "window.waits.length === 9").await;
        let waits = tab.eval("window.waits").await;
        let waits: Vec<f64> = waits
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(serde_json::Value::as_f64)
            .collect();
        let longest = [0, 1, 2, 4, 8, 16, 30, 30, 30].map(|seconds| f64::from(seconds) * 1000.0);
        for (wait, longest) in waits.iter().zip(longest) {
            assert!((longest / 2.0..=longest).contains(wait), "{waits:?}");
        }
        site.start();
        tab.live("on").await;
        site.act(
            "sign",
            "[]",
            r#"{"name":"Ada","message":"at last","stars":4}"#,
        );
        tab.wait_text("article p", "at last").await;
    });
}

#[test]
fn where_web_sockets_do_not_get_through_events_bring_the_same() {
    run(Example::compile("guestbook"), async |site| {
        let tab = site.blank().await;
        // What some proxies do to them.
        tab.at_every_document(
            "window.attempts = 0;
             window.WebSocket = class { constructor() { attempts += 1; setTimeout(() => this.onclose?.({})); } close() {} send() {} };",
        )
        .await;
        tab.goto(site.url()).await;
        tab.ready().await;
        tab.type_into("textarea", "half typed").await;
        tab.live("on").await;
        tab.check("sockets were tried first", "attempts === 3")
            .await;
        for message in ["by events", "and again"] {
            let state = format!("{{\"name\":\"Ada\",\"message\":\"{message}\",\"stars\":4}}");
            site.act("sign", "[]", &state);
            tab.wait_text("article p", message).await;
        }
        tab.wait_value("textarea", "half typed").await;
        tab.wait_count("#flin-offline", 0).await;
    });
}
