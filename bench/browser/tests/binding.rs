//! Bound controls of every kind, with the script and without it: the same form, the same records, the same messages. Here because
//! a page must mean one thing in both. Must stay true: what the controls show is what is saved; a message stands at its
//! control; nothing typed is lost.

use flin_browser::example::Example;
use flin_browser::{Tab, run};

const FORM: &str = r##"
entity Visit {
  who: text @required @minLength(2)
  seats: int @min(1) @max(9)
  meal: bool
  room: text
  size: text @one_of("s", "m", "l")
  extras: [text]
  note: text @maxLength(12)
  day: time
}
who = ""
seats = 1
meal = true
room = ""
size = "m"
extras = ["tea"]
note = ""
day: time? = none
fn book() { save Visit { who: who, seats: seats, meal: meal, room: room, size: size, extras: extras, note: note, day: day } }
view {
  <title>Visits</title>
  <form submit={book()}>
    <input id="who" aria-label="who" bind={who}>
    <input id="seats" aria-label="seats" type="number" bind={seats}>
    <input id="meal" aria-label="meal" type="checkbox" bind={meal}>
    <input id="attic" aria-label="attic" type="radio" value="attic" bind={room}> <input id="cellar" aria-label="cellar" type="radio" value="cellar" bind={room}>
    <select id="size" aria-label="size" bind={size}><option>s</option><option>m</option><option>l</option></select>
    <select id="extras" aria-label="extras" multiple bind={extras}><option>tea</option><option>cake</option><option>fruit</option></select>
    <textarea id="note" aria-label="note" bind={note}></textarea>
    <input id="day" aria-label="day" type="date" bind={day}>
    <button id="book">Book</button>
  </form>
  {for v in Visit.all}<p class="visit">{v.who}|{v.seats}|{v.meal}|{v.room}|{v.size}|{v.extras.join("+")}|{v.note}|{if v.day}{v.day.format("DD.MM.YYYY")}{else}-{/if}</p>{/for}
}
"##;

/// Sets controls that no key sets: what several options and days are chosen.
async fn pick(tab: &Tab, extras: &str, day: &str) {
    tab.eval(&format!(
        "(() => {{
           const extras = document.querySelector('#extras'), day = document.querySelector('#day');
           const told = (control) => {{ for (const type of ['input', 'change']) control.dispatchEvent(new Event(type, {{ bubbles: true }})); }};
           for (const option of extras.options) option.selected = {extras}.includes(option.value);
           told(extras);
           day.value = '{day}';
           told(day);
           return true;
         }})()"
    ))
    .await;
}

async fn fill(tab: &Tab) {
    tab.type_into("#who", "Zoë").await;
    tab.replace("#seats", "4").await;
    tab.click("#meal").await;
    tab.click("#cellar").await;
    tab.choose("#size", "l").await;
    tab.type_into("#note", "by the door").await;
    pick(tab, "['cake', 'fruit']", "2026-02-03").await;
}

const FILLED: &str = "Zoë|4|false|cellar|l|cake+fruit|by the door|03.02.2026";

/// What the controls show, in one text.
const SHOWN: &str = "['#who', '#seats', '#size', '#note', '#day'].map((s) => document.querySelector(s).value).join('|')
  + '|' + ['#meal', '#attic', '#cellar'].map((s) => document.querySelector(s).checked).join('|')
  + '|' + [...document.querySelector('#extras').selectedOptions].map((o) => o.value).join('+')";

async fn books(tab: &Tab) {
    fill(tab).await;
    tab.click("#book").await;
    tab.wait_text(".visit", FILLED).await;
}

/// A name that is too short, then one that is right: all else is as it was.
async fn is_told_and_kept(tab: &Tab) {
    fill(tab).await;
    tab.replace("#who", "Z").await;
    tab.click("#book").await;
    tab.wait_count("#who[aria-invalid=true] + .flin-error[role=alert]", 1)
        .await;
    tab.wait_count(".flin-error", 1).await;
    tab.check(
        "all that was typed is there",
        &format!("{SHOWN} === 'Z|4|l|by the door|2026-02-03|false|false|true|cake+fruit'"),
    )
    .await;
    tab.wait_count(".visit", 0).await;
    tab.replace("#who", "Zoë").await;
    tab.replace("#note", "much too long for this").await;
    tab.click("#book").await;
    tab.wait_count("#note[aria-invalid=true] + .flin-error", 1)
        .await;
    tab.wait_count(".flin-error", 1).await;
    tab.replace("#note", "by the door").await;
    tab.click("#book").await;
    tab.wait_text(".visit", FILLED).await;
    tab.wait_count(".flin-error, [aria-invalid]", 0).await;
}

/// Nothing chosen, nothing ticked, an empty day.
async fn leaves_all_open(tab: &Tab) {
    tab.type_into("#who", "Bob").await;
    tab.click("#meal").await;
    pick(tab, "[]", "").await;
    tab.click("#book").await;
    tab.wait_text(".visit", "Bob|1|false||m|||-").await;
}

// rule: view.bind, view.bind_type, view.bind_several, view.bind_radio
#[test]
fn every_control_is_saved_with_the_script() {
    run(Example::compile_text(FORM), async |site| {
        books(&site.open().await).await
    });
}

#[test]
fn every_control_is_saved_without_the_script() {
    run(Example::compile_text(FORM), async |site| {
        books(&site.open_without_script().await).await;
    });
}

#[test]
fn messages_stand_at_their_controls_with_the_script() {
    run(Example::compile_text(FORM), async |site| {
        site.tolerate("422");
        is_told_and_kept(&site.open().await).await;
    });
}

#[test]
fn messages_stand_at_their_controls_without_the_script() {
    run(Example::compile_text(FORM), async |site| {
        site.tolerate("422");
        is_told_and_kept(&site.open_without_script().await).await;
    });
}

#[test]
fn what_is_left_open_is_open_with_the_script() {
    run(Example::compile_text(FORM), async |site| {
        leaves_all_open(&site.open().await).await
    });
}

#[test]
fn what_is_left_open_is_open_without_the_script() {
    run(Example::compile_text(FORM), async |site| {
        leaves_all_open(&site.open_without_script().await).await;
    });
}

/// What a select shows is its state: a value that no option has becomes that of the option shown.
#[test]
fn a_select_has_a_value_that_it_shows() {
    let source = r#"
size = "xxl"
view {
  <select id="size" aria-label="size" bind={size}><option>s</option><option>m</option></select>
  <p id="echo">{size}</p>
}
"#;
    run(Example::compile_text(source), async |site| {
        let tab = site.open().await;
        tab.wait_text("#echo", "s").await;
        tab.choose("#size", "m").await;
        tab.wait_text("#echo", "m").await;
    });
}
