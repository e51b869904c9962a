//! Components in a real browser: what appears, changes and goes tells its program; callbacks, modifiers that wait, controls
//! of instances that come by a patch, controls of days and of several values.

use flin_browser::example::Example;
use flin_browser::run;

const LIVES: &str = r##"
entity Item { name: text }
entity Log { line: text }
fn say(line) { save Log { line: line } }
fn add(name) { save Item { name: name } }
fn drop(item) { delete item }
component Row(item, onDrop) {
  seen = false
  name = item.name
  onMount { seen = true }
  onUnmount { say("gone {name} {seen}") }
  view { <li>{item.name} {seen} <button click={onDrop(item)}>x</button></li> }
}
component Note(count) {
  times = 0
  onUpdate { times += 1 }
  view { <p class="note">{count} items</p><i class="times">{times}</i> }
}
onMount { say("page") }
view {
  <button id="add" click={add("a")}>add</button>
  <ul>{for item in Item.all}<Row item={item} onDrop={i => drop(i)}/>{/for}</ul>
  <Note count={Item.count}/>
  <div id="log">{for l in Log.all}{l.line};{/for}</div>
}
"##;

#[test]
fn what_comes_and_goes_tells_its_program_once() {
    run(Example::compile_text(LIVES), async |site| {
        let tab = site.open().await;
        tab.wait_text("#log", "page;").await;
        tab.click("#add").await;
        // It appeared by a patch, and what it did in the browser is shown.
        tab.wait_text("li", "a true x").await;
        tab.wait_text(".note", "1 items").await;
        tab.wait_text(".times", "1").await;
        tab.click("li button").await;
        tab.wait_count("li", 0).await;
        tab.wait_text("#log", "page;gone a true;").await;
        tab.wait_text(".times", "2").await;
    });
}

const WAITING: &str = r##"
query = ""
scrolls = 0
inner = 0
component Search(value, onFind) {
  view { <input id="query" placeholder="find" value={value} input.debounce.60={onFind(event.value)}> }
}
view {
  <Search value="" onFind={text => query = text}/>
  <p id="found">{query}</p>
  <button id="once" click.once={scrolls += 1}>{scrolls}</button>
  <div id="outer" click.self={inner += 1}><b id="within">{inner}</b></div>
}
"##;

#[test]
fn a_handler_waits_for_the_end_of_typing_and_runs_once_where_it_says_so() {
    run(Example::compile_text(WAITING), async |site| {
        let tab = site.open().await;
        tab.type_into("#query", "tea").await;
        tab.wait_text("#found", "tea").await;
        tab.click("#once").await;
        tab.wait_text("#once", "1").await;
        tab.click("#once").await;
        tab.click("#within").await;
        tab.wait_text("#once", "1").await;
        tab.wait_text("#within", "0").await;
    });
}

const LATER: &str = r##"
entity Item { name: text }
fn add() { save Item { name: "n" } }
component Edit(item) {
  draft = "first"
  tags = []
  fn keep() { item.name = draft; save item; tags.push(draft) }
  view { <li><input class="draft" aria-label="name" bind={draft}><button click={keep()}>ok</button><b>{item.name} {tags.len}</b></li> }
}
view {
  <button id="add" click={add()}>add</button>
  <ul>{for item in Item.all}<Edit item={item}/>{/for}</ul>
}
"##;

#[test]
fn a_control_of_an_instance_that_came_by_a_patch_is_state() {
    run(Example::compile_text(LATER), async |site| {
        let tab = site.open().await;
        tab.click("#add").await;
        tab.wait_value(".draft", "first").await;
        tab.wait("the state is known", "'1/1' in $flin.Edit").await;
        tab.replace(".draft", "second").await;
        tab.click("li button").await;
        tab.wait_text("li b", "second 1").await;
        tab.wait_value(".draft", "second").await;
    });
}

const CHOICES: &str = r##"
entity Trip { day: time, moment: time, places: [text], sizes: [int] }
day: time? = none
moment: time? = none
places = ["b"]
sizes: [int] = []
about = ""
fn keep() { save Trip { day: day, moment: moment, places: places, sizes: sizes } }
fn preset() { day = "2026-05-06".parse_time; places = ["a", "c"]; sizes = [2] }
view {
  <form submit={keep()}>
    <input id="day" type="date" aria-label="day" bind={day}>
    <input id="moment" type="datetime-local" aria-label="moment" bind={moment}>
    <select id="places" multiple aria-label="places" bind={places}><option>a</option><option>b</option><option>c</option></select>
    <select id="sizes" multiple aria-label="sizes" bind={sizes}>{for n in 1..=3}<option value={n}>{n}</option>{/for}</select>
    <textarea id="about" aria-label="about" bind={about}></textarea>
    <button>Keep</button>
  </form>
  <button id="preset" click={preset()}>preset</button>
  <p id="echo">{if day is none}-{else}{day.format("YYYY-MM-DD")}{/if}|{if moment is none}-{else}{moment.format("HH:mm")}{/if}|{places.join("+")}|{sizes.sum}|{about}</p>
  {for t in Trip.all}<p class="trip">{t.day.format("YYYY-MM-DD")}|{t.places.join("+")}|{t.sizes.sum}</p>{/for}
}
"##;

fn choose(id: &str, values: &str) -> String {
    format!(
        "(() => {{ const s = document.querySelector('{id}'); for (const o of s.options) o.selected = {values}.includes(o.value); s.dispatchEvent(new Event('input', {{ bubbles: true }})); s.dispatchEvent(new Event('change', {{ bubbles: true }})); return true; }})()"
    )
}

#[test]
fn days_moments_and_several_choices_are_state() {
    run(Example::compile_text(CHOICES), async |site| {
        let tab = site.open().await;
        tab.wait_text("#echo", "-|-|b|0|").await;
        tab.eval("(() => { for (const [id, v] of [['day', '2026-02-03'], ['moment', '2026-02-03T04:05']]) { const c = document.getElementById(id); c.value = v; c.dispatchEvent(new Event('input', { bubbles: true })); } return true; })()").await;
        tab.eval(&choose("#places", "['a', 'b']")).await;
        tab.eval(&choose("#sizes", "['1', '3']")).await;
        tab.type_into("#about", "x").await;
        tab.wait_text("#echo", "2026-02-03|04:05|a+b|4|x").await;
        tab.click("form button").await;
        tab.wait_text(".trip", "2026-02-03|a+b|4").await;
        tab.click("#preset").await;
        tab.wait_text("#echo", "2026-05-06|04:05|a+c|2|x").await;
        tab.check("the controls", "document.querySelector('#day').value === '2026-05-06' && [...document.querySelector('#places').selectedOptions].map((o) => o.value).join() === 'a,c'").await;
    });
}

#[test]
fn days_and_several_choices_work_without_a_script() {
    run(Example::compile_text(CHOICES), async |site| {
        let tab = site.open_without_script().await;
        tab.eval("(() => { document.querySelector('#day').value = '2026-02-03'; for (const o of document.querySelector('#places').options) o.selected = o.value !== 'b'; for (const o of document.querySelector('#sizes').options) o.selected = o.value === '3'; return true; })()").await;
        tab.click("form button").await;
        tab.wait_text(".trip", "2026-02-03|a+c|3").await;
    });
}
