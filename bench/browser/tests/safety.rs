//! What visitors write stays text in a real browser, and the tests' own judge notices when it does not.

use flin_browser::example::Example;
use flin_browser::run;

#[test]
fn markup_in_data_is_shown_as_text() {
    let source = r#"
entity Link { title: text, url: text }
title = ""
url = ""
fn add() { save Link { title: title, url: url } }
view {
  <title>{Link.count} links</title>
  <form submit={add()}><input id="title" bind={title} /><input id="url" bind={url} /><button>Add</button></form>
  {for link in Link.all}<p><a href={link.url} title={link.title}>{link.title}</a></p>{/for}
}
"#;
    run(Example::compile_text(source), async |site| {
        let tab = site.open().await;
        tab.type_into("#title", "<script>alert(1)</script>").await;
        tab.type_into("#url", "javascript:alert(1)").await;
        tab.press("Enter").await;
        tab.wait_text("p a", "<script>alert(1)</script>").await;
        tab.check(
            "attribute and address are harmless",
            "(a => a.title === '<script>alert(1)</script>' && a.getAttribute('href') === '#')(document.querySelector('p a'))",
        )
        .await;
        tab.wait_count("#flin-root script", 0).await;
        tab.replace("#title", "\"><img src=x onerror=alert(1)>")
            .await;
        tab.replace("#url", "https://example.org/?a=1&b=2").await;
        tab.press("Enter").await;
        tab.wait_count("p a", 2).await;
        tab.wait_count("img", 0).await;
        tab.check(
            "a good address stays",
            "document.querySelectorAll('p a')[1].getAttribute('href') === 'https://example.org/?a=1&b=2'",
        )
        .await;
        tab.reload().await;
        tab.wait_text("p a", "<script>alert(1)</script>").await;
        tab.wait_count("#flin-root script, img", 0).await;
    });
}

#[test]
fn the_judge_sees_violations_of_the_policy_and_errors() {
    run(Example::compile("counter"), async |site| {
        site.tolerate("policy violated");
        site.tolerate("Content Security Policy");
        site.tolerate("on purpose");
        let tab = site.open().await;
        tab.eval("document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.ran = true' }))")
            .await;
        tab.check("the script did not run", "window.ran === undefined")
            .await;
        tab.eval("void setTimeout(() => { throw new Error('on purpose'); })")
            .await;
        let start = std::time::Instant::now();
        while tab.complaints().len() < 3 && start.elapsed().as_secs() < 10 {
            tab.eval("1").await;
        }
        let all = tab.complaints().join("\n");
        assert!(all.contains("policy violated: script-src"), "{all}");
        assert!(all.contains("on purpose"), "{all}");
    });
}

#[test]
fn the_page_follows_its_own_policy_with_every_example() {
    for name in ["counter", "todo", "guestbook"] {
        run(Example::compile(name), async |site| {
            let tab = site.open().await;
            tab.check(
                "styles apply and there is no inline script",
                "[...document.scripts].every(s => s.src !== '' || s.type === 'application/json')",
            )
            .await;
        });
    }
}

#[test]
fn the_runtime_is_under_ten_kibibytes_and_may_be_kept_for_ever() {
    run(Example::compile("counter"), async |site| {
        let tab = site.open().await;
        let found = tab
            .eval(
                "(async () => {
                   const url = document.querySelector('script[type=module]').src;
                   const sent = performance.getEntriesByName(url)[0].encodedBodySize;
                   const answer = await fetch(url);
                   return [sent, answer.headers.get('cache-control'), (await answer.text()).includes('eval(')];
                 })()",
            )
            .await;
        let bytes = found[0].as_u64().expect("a size");
        assert!(0 < bytes && bytes < 10 * 1024, "{bytes} bytes");
        assert!(
            found[1].as_str().is_some_and(|c| c.contains("immutable")),
            "{found}"
        );
        assert_eq!(found[2], false, "it evaluates text as code");
    });
}
