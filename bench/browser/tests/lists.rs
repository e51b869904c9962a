//! Keyed lists in a real browser: whatever happens to a list, the elements of the records that stay are the same nodes,
//! with what the user typed into them, the focus and the selection.

use flin_browser::example::Example;
use flin_browser::{Site, Tab, run};

const ITEMS: &str = r#"
entity Item { name: text @unique, rank: float }
who = ""
place = 0.0
fn put() {
  item = Item.where(name == who).first
  if item == none {
    save Item { name: who, rank: place }
  } else {
    item.rank = place
    save item
  }
}
fn drop() {
  item = Item.where(name == who).first
  if item != none { delete item }
}
view {
  <input id="who" bind={who} /> <input id="place" type="number" bind={place} />
  <button id="put" click={put()}>Put</button> <button id="drop" click={drop()}>Drop</button>
  <ul>{for item in Item.order(rank)}<li>{item.name} <input placeholder="notes" /></li>{/for}</ul>
  <p id="after">end</p>
}
"#;

fn put(site: &Site, name: &str, place: f64) {
    site.act(
        "put",
        "[]",
        &format!("{{\"who\":\"{name}\",\"place\":{place:?}}}"),
    );
}

fn drop(site: &Site, name: &str) {
    site.act("drop", "[]", &format!("{{\"who\":\"{name}\"}}"));
}

async fn shows(tab: &Tab, order: &str) {
    tab.wait(
        &format!("the order is {order}"),
        &format!("[...document.querySelectorAll('li')].map(li => li.textContent.trim()).join('') === '{order}'"),
    )
    .await;
}

/// Asserts that the elements of `names` are those that were marked, with what was typed.
async fn same(tab: &Tab, names: &str) {
    tab.check(
        &format!("{names} are the same nodes"),
        &format!(
            "[...'{names}'].every(n => (li => li === kept[n] && li.querySelector('input').value === n + n)([...document.querySelectorAll('li')].find(li => li.textContent.trim() === n)))"
        ),
    )
    .await;
    tab.check(
        "the focus and the selection stay",
        "document.activeElement === kept.c.querySelector('input') && document.activeElement.selectionStart === 1 && document.activeElement.selectionEnd === 2",
    )
    .await;
}

#[test]
fn records_keep_their_elements_through_insertion_deletion_and_reordering() {
    run(Example::compile_text(ITEMS), async |site| {
        for (name, place) in [("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 4.0)] {
            put(site, name, place);
        }
        let tab = site.open_live().await;
        shows(&tab, "abcd").await;
        tab.eval(
            "window.kept = {};
             for (const li of document.querySelectorAll('li')) {
               const name = li.textContent.trim();
               kept[name] = li;
               const notes = li.querySelector('input');
               notes.focus();
               notes.value = name + name;
               notes.dispatchEvent(new InputEvent('input', { bubbles: true }));
             }
             kept.after = document.querySelector('#after');
             kept.c.querySelector('input').focus();
             kept.c.querySelector('input').setSelectionRange(1, 2);",
        )
        .await;
        put(site, "e", 0.5);
        shows(&tab, "eabcd").await;
        same(&tab, "abcd").await;
        put(site, "f", 2.5);
        shows(&tab, "eabfcd").await;
        same(&tab, "abcd").await;
        put(site, "d", 0.1);
        shows(&tab, "deabfc").await;
        same(&tab, "abcd").await;
        put(site, "a", 9.0);
        shows(&tab, "debfca").await;
        same(&tab, "abcd").await;
        put(site, "c", 0.0);
        shows(&tab, "cdebfa").await;
        same(&tab, "abcd").await;
        drop(site, "d");
        shows(&tab, "cebfa").await;
        same(&tab, "abc").await;
        drop(site, "e");
        drop(site, "f");
        shows(&tab, "cba").await;
        same(&tab, "abc").await;
        tab.check(
            "what follows the list is the same",
            "document.querySelector('#after') === kept.after",
        )
        .await;
    });
}

#[test]
fn what_stays_in_place_is_not_touched_by_a_deletion() {
    run(Example::compile_text(ITEMS), async |site| {
        for (name, place) in [("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 4.0)] {
            put(site, name, place);
        }
        let tab = site.open_live().await;
        shows(&tab, "abcd").await;
        tab.eval(
            "window.seen = [];
             new MutationObserver((all) => { for (const m of all) for (const n of m.addedNodes) seen.push(n.textContent); })
               .observe(document.querySelector('ul'), { childList: true })",
        )
        .await;
        drop(site, "a");
        shows(&tab, "bcd").await;
        tab.check("nothing was moved", "seen.length === 0").await;
    });
}
