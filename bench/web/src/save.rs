//! From a save to the changed page: the to-do example under `flinvm dev`, one open window.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flin_browser::example::Example;
use flin_browser::run_within;
use flin_testkit::figures::day_and_machine;

use crate::process::Failure;
use crate::{quantile, sorted};

/// How long all of it may take.
const DEADLINE: Duration = Duration::from_secs(600);

/// Notes when each new heading is there, by the clock of the machine; also over a load of the page.
const WATCH: &str = "new MutationObserver(() => {
   const text = document.querySelector('h1')?.textContent;
   if (text && sessionStorage.getItem(text) === null) sessionStorage.setItem(text, performance.timeOrigin + performance.now());
 }).observe(document, { subtree: true, childList: true, characterData: true })";

/// Steps of the histogram, in milliseconds.
const STEPS: [f64; 10] = [
    2.0,
    5.0,
    10.0,
    15.0,
    20.0,
    30.0,
    50.0,
    100.0,
    200.0,
    f64::INFINITY,
];

/// Prints a histogram; with `write`, puts it into the document about performance.
///
/// # Errors
/// When the document cannot be written.
pub(crate) fn run(rounds: usize, write: bool) -> Result<(), Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let source = std::fs::read_to_string(root.join("examples/todo/todo.flin"))?;
    let mut text = day_and_machine();
    run_within(DEADLINE, Example::developed(&source), async |site| {
        for title in ["Buy milk", "Call Ada", "Water the plants"] {
            site.act("addTodo", "[]", &format!("{{\"newTitle\":\"{title}\"}}"));
        }
        let tab = site.blank().await;
        tab.at_every_document(WATCH).await;
        tab.goto(site.url()).await;
        tab.ready().await;
        let mut took = Vec::new();
        for round in 0..=rounds {
            let heading = format!("To do {round}");
            let text = source.replace("<h1>To do</h1>", &format!("<h1>{heading}</h1>"));
            let before = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            site.save(&text);
            tab.wait_text("h1", &heading).await;
            tab.ready().await;
            let shown = tab
                .eval(&format!("Number(sessionStorage.getItem('{heading}'))"))
                .await;
            let shown = shown.as_f64().expect("a time");
            // The first one warms up.
            if round > 0 {
                took.push(shown - before.as_secs_f64() * 1000.0);
            }
            // Nobody saves twice at once.
            tab.eval(&format!(
                "new Promise((rest) => setTimeout(rest, {}))",
                Duration::from_millis(60).as_millis()
            ))
            .await;
        }
        text.push_str(&histogram(&sorted(took)));
    });
    print!("{text}");
    if write {
        flin_testkit::figures::write("save", &text)?;
    }
    Ok(())
}

fn histogram(took: &[f64]) -> String {
    let mut text = format!("\n```text\n{} saves, by milliseconds\n", took.len());
    let mut from = 0.0;
    for to in STEPS {
        let count = took.iter().filter(|ms| (from..to).contains(*ms)).count();
        if count > 0 {
            let marks = "#".repeat(count);
            text.push_str(&format!("{from:>6.0} - {to:<6.0} {count:>4} {marks}\n"));
        }
        from = to;
    }
    let share = |share| quantile(took, share);
    text.push_str(&format!(
        "p50 {:.1}   p90 {:.1}   p99 {:.1}   max {:.1}\n```\n",
        share(0.5),
        share(0.9),
        share(0.99),
        share(1.0)
    ));
    text
}
