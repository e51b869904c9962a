//! A component that shows itself for the parts of what it shows, in a real browser: a discussion. Must stay true: each answer
//! has variables of its own, at whatever depth; what is added deep inside comes to other tabs; nothing typed is lost.

use flin_browser::example::Example;
use flin_browser::run;

const TALK: &str = r##"
entity Remark { words: text @required, about: Remark? }
component Talk(remark) {
  open = false
  draft = ""
  fn send() {
    save Remark { words: draft, about: remark }
    draft = ""
    open = false
  }
  view {
    <li>
      <b>{remark.words}</b> <button class="reply" click={open = !open}>reply</button>
      {if open}<form class="answer" submit={send()}><input aria-label="answer" bind={draft}><button>Send</button></form>{/if}
      <ul>{for answer in Remark.where(r => r.about == remark)}<Talk remark={answer}/>{/for}</ul>
    </li>
  }
}
first = ""
fn begin() {
  save Remark { words: first }
  first = ""
}
view {
  <title>Talk</title>
  <form id="begin" submit={begin()}><input aria-label="first" bind={first}><button>Begin</button></form>
  <ul id="talk">{for remark in Remark.where(r => r.about is none)}<Talk remark={remark}/>{/for}</ul>
}
"##;

// rule: comp.inside_itself
#[test]
fn a_discussion_answers_itself() {
    run(Example::compile_text(TALK), async |site| {
        site.tolerate("422");
        let tab = site.open_live().await;
        tab.type_into("#begin input", "tea?").await;
        tab.press("Enter").await;
        tab.wait_text("#talk > li > b", "tea?").await;
        let other = site.open_live().await;
        tab.click("#talk > li > .reply").await;
        tab.type_into("#talk > li > form input", "yes").await;
        tab.press("Enter").await;
        tab.wait_text("#talk > li > ul > li > b", "yes").await;
        tab.wait_count("form.answer", 0).await;
        other.wait_text("#talk > li > ul > li > b", "yes").await;
        // One level deeper, while the outer one is open as well.
        tab.click("#talk > li > .reply").await;
        tab.type_into("#talk > li > form input", "half").await;
        tab.click("#talk > li > ul > li > .reply").await;
        tab.wait_count("form.answer", 2).await;
        tab.type_into("#talk > li > ul > li > form input", "green")
            .await;
        tab.press("Enter").await;
        tab.wait_text("#talk > li > ul > li > ul > li > b", "green")
            .await;
        tab.wait_count("form.answer", 1).await;
        tab.wait_value("#talk > li > form input", "half").await;
        other
            .wait_text("#talk > li > ul > li > ul > li > b", "green")
            .await;
        // A message stands at the control of the instance that it is about.
        tab.click("#talk > li > ul > li > ul > li > .reply").await;
        tab.click("#talk > li > ul > li > ul > li > form button")
            .await;
        tab.wait_count("#talk > li > ul > li > ul > li > form .flin-error", 1)
            .await;
        tab.wait_count(".flin-error", 1).await;
    });
}
