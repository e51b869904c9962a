//! Bound controls and the order of actions in a real browser: what the user does is the state, what the program assigns
//! is shown, nothing typed is lost, nothing is done twice.

use flin_browser::example::Example;
use flin_browser::run;

const ORDERS: &str = r##"
entity Order {
  name: text @required @minLength(2)
  count: int @min(1) @max(9)
  gift: bool
  note: text
  size: text
  color: text
}
name = ""
count = 1
gift = false
note = ""
size = "m"
color = "red"
fn place() {
  save Order { name: name, count: count, gift: gift, note: note, size: size, color: color }
  name = ""
}
fn preset() {
  name = "Preset"
  count = 7
  gift = true
  note = "two\nlines"
  size = "l"
  color = "blue"
}
view {
  <form submit={place()}>
    <input id="name" bind={name} />
    <input id="count" type="number" bind={count} />
    <input id="gift" type="checkbox" bind={gift} />
    <textarea id="note" bind={note}></textarea>
    <select id="size" bind={size}><option value="s">Small</option><option value="m">Medium</option><option value="l">Large</option></select>
    <input id="red" type="radio" value="red" bind={color} /> <input id="blue" type="radio" value="blue" bind={color} />
    <button>Order</button>
  </form>
  <button id="preset" click={preset()}>Preset</button>
  <p id="echo">{name}|{count}|{gift}|{note}|{size}|{color}</p>
  {for o in Order.all}<p class="order">{o.name}|{o.count}|{o.gift}|{o.note}|{o.size}|{o.color}</p>{/for}
}
"##;

#[test]
fn every_kind_of_control_is_state() {
    run(Example::compile_text(ORDERS), async |site| {
        let tab = site.open().await;
        tab.wait_text("#echo", "|1|false||m|red").await;
        tab.type_into("#name", "Zoë").await;
        tab.replace("#count", "3").await;
        tab.click("#gift").await;
        tab.type_into("#note", "fragile").await;
        tab.choose("#size", "s").await;
        tab.click("#blue").await;
        // What the view makes of the state follows without any action.
        tab.wait_text("#echo", "Zoë|3|true|fragile|s|blue").await;
        tab.click("form button").await;
        tab.wait_text(".order", "Zoë|3|true|fragile|s|blue").await;
        tab.wait_value("#name", "").await;
        tab.wait_value("#note", "fragile").await;
    });
}

#[test]
fn what_an_action_assigns_is_shown_in_the_controls() {
    run(Example::compile_text(ORDERS), async |site| {
        let tab = site.open().await;
        tab.click("#preset").await;
        tab.wait_text("#echo", "Preset|7|true|two\nlines|l|blue")
            .await;
        tab.check(
            "all controls",
            "['#name', '#count', '#note', '#size'].map(s => document.querySelector(s).value).join('|') === 'Preset|7|two\\nlines|l'
             && ['#gift', '#red', '#blue'].map(s => document.querySelector(s).checked).join('|') === 'true|false|true'",
        )
        .await;
        tab.click("form button").await;
        tab.wait_text(".order", "Preset|7|true|two\nlines|l|blue")
            .await;
    });
}

#[test]
fn each_message_stands_at_its_control_and_the_text_stays() {
    run(Example::compile_text(ORDERS), async |site| {
        site.tolerate("422");
        let tab = site.open().await;
        tab.type_into("#name", "Zoë").await;
        tab.replace("#count", "12").await;
        tab.click("form button").await;
        tab.wait_count("#count + .flin-error", 1).await;
        tab.wait_count(".flin-error", 1).await;
        tab.wait_value("#name", "Zoë").await;
        tab.wait_value("#count", "12").await;
        tab.replace("#count", "9").await;
        tab.replace("#name", "Z").await;
        tab.press("Enter").await;
        tab.wait_count("#name + .flin-error", 1).await;
        tab.wait_count(".flin-error", 1).await;
        tab.replace("#name", "Zoë").await;
        tab.press("Enter").await;
        tab.wait_text(".order", "Zoë|9|false||m|red").await;
        tab.wait_count(".flin-error, [aria-invalid]", 0).await;
    });
}

#[test]
fn an_empty_number_is_told_at_its_field_and_the_page_stays_live() {
    run(Example::compile_text(ORDERS), async |site| {
        site.tolerate("42");
        site.tolerate("400");
        let tab = site.open_live().await;
        tab.type_into("#name", "Zoë").await;
        tab.replace("#count", "").await;
        tab.press("Backspace").await;
        tab.wait_value("#count", "").await;
        site.act("place", "[]", r#"{"name":"Other","count":2}"#);
        tab.wait_text(".order", "Other|2|false||m|red").await;
        tab.wait_value("#count", "").await;
        tab.click("form button").await;
        tab.wait_count("#count + .flin-error", 1).await;
        tab.wait_value("#name", "Zoë").await;
        tab.type_into("#count", "4").await;
        tab.press("Enter").await;
        tab.wait_count(".order", 2).await;
        tab.wait_count(".flin-error", 0).await;
    });
}

#[test]
fn a_double_submit_is_sent_once_but_typing_ahead_is_not_lost() {
    run(Example::compile_text(ORDERS), async |site| {
        let tab = site.open().await;
        tab.type_into("#name", "one").await;
        tab.eval("for (let i = 0; i < 3; i++) document.querySelector('form').requestSubmit()")
            .await;
        tab.wait_count(".order", 1).await;
        tab.wait_value("#name", "").await;
        // The next name, and Enter, before the answer for the one before has come.
        tab.type_into("#name", "two").await;
        tab.eval(
            "(() => { const form = document.querySelector('form'), name = document.querySelector('#name');
               form.requestSubmit();
               name.value += 'three';
               name.dispatchEvent(new InputEvent('input', { bubbles: true }));
               form.requestSubmit();
               name.value += 'four';
               name.dispatchEvent(new InputEvent('input', { bubbles: true }));
             })()",
        )
        .await;
        tab.wait_count(".order", 3).await;
        tab.wait(
            "each was saved by itself",
            "[...document.querySelectorAll('.order')].map(p => p.textContent.split('|')[0]).join() === 'one,two,three'",
        )
        .await;
        tab.wait_value("#name", "four").await;
    });
}

#[test]
fn text_typed_before_the_script_ran_is_kept() {
    run(Example::compile_text(ORDERS), async |site| {
        site.tolerate("ERR_BLOCKED");
        let tab = site.blank().await;
        tab.block("*://*:*/_flin/*").await;
        tab.goto(site.url()).await;
        tab.wait("the page is there", "document.readyState === 'complete'")
            .await;
        tab.type_into("#name", "early").await;
        tab.click("#gift").await;
        tab.click("#blue").await;
        tab.replace("#count", "5").await;
        tab.block("").await;
        tab.eval(
            "(() => { const late = document.createElement('script');
               late.type = 'module';
               late.src = document.querySelector('script[type=module]').src + '?late';
               document.head.append(late);
             })()",
        )
        .await;
        tab.ready().await;
        tab.wait_text("#echo", "early|5|true||m|blue").await;
        tab.wait_value("#name", "early").await;
        tab.click("form button").await;
        tab.wait_text(".order", "early|5|true||m|blue").await;
    });
}

#[test]
fn actions_run_in_the_order_of_the_clicks_and_keys_have_handlers() {
    let source = r#"
log = ""
word = ""
fn add(what: text) { log = log + what }
fn clear() { word = "" }
view {
  <input id="word" bind={word} keydown.enter={add(word)} keydown.escape={clear()} />
  <button id="a" click={add("a")}>a</button>
  <button id="b" click={add("b")}>b</button>
  <p>{log}</p>
}
"#;
    run(Example::compile_text(source), async |site| {
        let tab = site.open().await;
        tab.eval("for (const id of 'abba') document.getElementById(id).click()")
            .await;
        tab.wait_text("p", "abba").await;
        tab.type_into("#word", "!").await;
        tab.press("Enter").await;
        tab.wait_text("p", "abba!").await;
        tab.press("Escape").await;
        tab.wait_value("#word", "").await;
    });
}

// rule: view.handler_error
#[test]
fn an_error_without_a_field_is_shown_on_top_until_something_succeeds() {
    let source = r#"
entity Note { body: text }
fn broken() { fail("Broken", "the gears are stuck") }
fn fine() { save Note { body: "x" } }
view {
  <button id="broken" click={broken()}>Broken</button>
  <button id="fine" click={fine()}>Fine</button>
  <p>{Note.count}</p>
}
"#;
    run(Example::compile_text(source), async |site| {
        site.tolerate("500");
        let tab = site.open().await;
        tab.click("#broken").await;
        tab.wait(
            "the message",
            "document.querySelector('#flin-root > #flin-message[role=alert]')?.textContent.includes('the gears are stuck') === true",
        )
        .await;
        tab.click("#fine").await;
        tab.wait_text("p", "1").await;
        tab.wait_count(".flin-error", 0).await;
    });
}

#[test]
fn typing_asks_the_server_only_if_the_server_shows_what_is_typed() {
    let source = r#"
entity Word { body: text }
shown = ""
asked = ""
silent = ""
area = ""
choice = "b"
view {
  <input id="shown" bind={shown} /> <input id="silent" bind={silent} /> <textarea bind={area}></textarea>
  <select bind={choice}><option value="a">A</option><option value="b">B</option></select>
  <p id="letters">{shown.len} letters</p>
  <input id="asked" bind={asked} />
  <p id="found">{Word.where(w => w.body == asked).count} of {Word.count}</p>
}
"#;
    run(Example::compile_text(source), async |site| {
        let tab = site.open().await;
        tab.watch_requests().await;
        tab.type_into("#silent", "nobody sees it").await;
        tab.type_into("textarea", "nor this").await;
        tab.eval("new Promise((done) => setTimeout(done, 400))")
            .await;
        tab.type_into("#shown", "seven").await;
        tab.wait_text("#letters", "5 letters").await;
        tab.check("there was no request", "window.requests.length === 0")
            .await;
        tab.type_into("#asked", "a word").await;
        tab.wait("there was one", "window.requests.join() === '/_render'")
            .await;
    });
}

const VALUES: &str = r#"
entity Thing { name: text, on: bool = false }
small = 1
ratio = 0.5
yes = true
maybe: int? = none
when = "later"
fn refuse(thing: Thing) { thing.name }
fn fill() { small = 3; ratio = 2.25; yes = false; maybe = 7; when = "now" }
fn put() { save Thing { name: "a" } }
view {
  <select id="small" bind={small}><option value={1}>one</option><option value={2}>two</option><option value="3">three</option></select>
  <input id="ratio" type="number" step="any" bind={ratio} />
  <input id="yes" type="radio" value={true} bind={yes} /> <input id="no" type="radio" value={false} bind={yes} />
  <input id="maybe" type="number" bind={maybe} />
  <select id="when" bind={when}>{for w in ["now", "later"]}<option value={w}>{w}</option>{/for}</select>
  <button id="fill" click={fill()}>Fill</button> <button id="put" click={put()}>Put</button>
  <p id="echo">{small + 1}|{ratio * 2}|{if yes then "yes" else "no"}|{maybe ?: "none"}|{when}</p>
  {for t in Thing.all}<label class="thing"><input type="checkbox" checked={t.on} change={refuse(t)} /> {t.name}</label>{/for}
  {for t in Thing.all}<label class="again"><input type="checkbox" checked={t.on} change={refuse(t)} /> {t.name}</label>{/for}
}
"#;

#[test]
fn controls_hold_numbers_truth_and_nothing_as_such() {
    run(Example::compile_text(VALUES), async |site| {
        let tab = site.open().await;
        tab.wait_text("#echo", "2|1.0|yes|none|later").await;
        tab.choose("#small", "3").await;
        tab.wait_text("#echo", "4|1.0|yes|none|later").await;
        tab.replace("#ratio", "1.5").await;
        tab.click("#no").await;
        tab.type_into("#maybe", "9").await;
        tab.choose("#when", "now").await;
        tab.wait_text("#echo", "4|3.0|no|9|now").await;
        tab.replace("#maybe", "").await;
        tab.press("Backspace").await;
        tab.wait_text("#echo", "4|3.0|no|none|now").await;
        tab.click("#fill").await;
        tab.wait_text("#echo", "4|4.5|no|7|now").await;
        tab.check(
            "the controls show it",
            "['#small', '#ratio', '#maybe', '#when'].map(s => document.querySelector(s).value).join('|') === '3|2.25|7|now'",
        )
        .await;
        // Half of a number is none yet; what is typed next makes it one.
        tab.replace("#ratio", "-").await;
        tab.insert("4").await;
        tab.wait_text("#echo", "4|-8.0|no|7|now").await;
    });
}

#[test]
fn a_box_that_was_ticked_in_vain_shows_what_is_saved_and_a_record_may_stand_twice() {
    run(Example::compile_text(VALUES), async |site| {
        let tab = site.open().await;
        tab.click("#put").await;
        tab.wait_count(".thing", 1).await;
        tab.eval("window.kept = [...document.querySelectorAll('label')]")
            .await;
        tab.click(".again input").await;
        tab.wait_count("[aria-busy]", 0).await;
        tab.wait(
            "it is not ticked",
            "!document.querySelector('.again input').checked",
        )
        .await;
        tab.click("#put").await;
        tab.wait_count(".thing", 2).await;
        tab.wait_count(".again", 2).await;
        tab.check(
            "both are the same nodes",
            "kept[0] === document.querySelector('.thing') && kept[1] === document.querySelector('.again')",
        )
        .await;
    });
}

#[test]
fn a_console_can_read_set_and_act() {
    run(Example::compile("todo"), async |site| {
        site.tolerate("422");
        let tab = site.open_live().await;
        let refused = tab
            .eval("_flinAction('addTodo').catch((failure) => failure.error)")
            .await;
        assert_eq!(
            refused,
            serde_json::json!({"kind": "ValidationError", "message": "title is required", "entity": "Todo", "field": "title", "rule": "required"})
        );
        tab.wait_count(".flin-error", 1).await;
        tab.eval("$flin.newTitle = 'from the console'").await;
        tab.wait_value("#add input", "from the console").await;
        let done = tab.eval("_flinSubmit('addTodo')").await;
        assert_eq!(done["type"], "reload");
        assert_eq!(done["state"], serde_json::json!({"newTitle": ""}));
        tab.wait_text("li span", "from the console").await;
        tab.eval("$flin.shown = 'done'").await;
        tab.wait_count("li span", 0).await;
        tab.check(
            "state is read",
            "$flin.shown === 'done' && $flin.newTitle === ''",
        )
        .await;
    });
}
