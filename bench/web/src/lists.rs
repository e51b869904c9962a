//! Operations on a table, beside the same by hand.

use std::path::Path;
use std::time::Duration;

use flin_browser::example::Example;
use flin_browser::{Tab, quote, run_within};
use flin_testkit::figures::{day_and_machine, head, row};

use crate::process::Failure;
use crate::{quantile, sorted};

/// How long all of it may take.
const DEADLINE: Duration = Duration::from_secs(900);

/// An operation: what is clicked, and when it is done.
struct Operation {
    name: &'static str,
    // What stands before it; "" is an empty table.
    before: &'static [&'static str],
    click: &'static str,
    done: &'static str,
}

const ROWS: &str = "document.querySelector('tbody').childElementCount";
const CREATE: &str = "#create";

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "create 1,000",
        before: &["#clear"],
        click: CREATE,
        done: "rows() === 1000",
    },
    Operation {
        name: "replace 1,000",
        before: &[CREATE],
        click: CREATE,
        done: "rows() === 1000 && row(1).textContent !== first",
    },
    Operation {
        name: "update every 10th",
        before: &[CREATE],
        click: "#update",
        done: "row(991).textContent.includes('!!!')",
    },
    Operation {
        name: "select",
        before: &[CREATE],
        click: "tbody tr:nth-child(5) .label",
        done: "row(5).className === 'chosen'",
    },
    Operation {
        name: "swap",
        before: &[CREATE],
        click: "#swap",
        done: "row(999).textContent === second",
    },
    Operation {
        name: "remove",
        before: &[CREATE],
        click: "tbody tr:nth-child(6) .remove",
        done: "rows() === 999",
    },
    Operation {
        name: "append 1,000",
        before: &[CREATE],
        click: "#append",
        done: "rows() === 2000",
    },
    Operation {
        name: "clear",
        before: &[CREATE],
        click: "#clear",
        done: "rows() === 0",
    },
];

/// Runs one operation in the page and gives its milliseconds: from the click until the DOM is changed and laid out.
async fn measure(tab: &Tab, operation: &Operation) -> f64 {
    for button in operation.before {
        let count = if *button == CREATE { 1000 } else { 0 };
        tab.eval(&format!("document.querySelector('{button}').click()"))
            .await;
        tab.wait("the table before", &format!("{ROWS} === {count}"))
            .await;
    }
    let script = format!(
        "(async () => {{
           const rows = () => {ROWS};
           const row = (n) => document.querySelector('tbody').children[n - 1];
           const first = row(1)?.textContent, second = row(2)?.textContent;
           const button = document.querySelector({});
           await new Promise((rest) => setTimeout(() => requestAnimationFrame(() => setTimeout(rest)), 20));
           const before = performance.now();
           button.click();
           let frames = 0;
           while (!({})) {{ await new Promise(requestAnimationFrame); if (++frames > 600) throw new Error('it was never done'); }}
           document.body.offsetHeight;
           return performance.now() - before;
         }})()",
        quote(operation.click),
        operation.done
    );
    tab.eval(&script).await.as_f64().expect("milliseconds")
}

/// Prints a table: median milliseconds of both, and their ratio; with `write`, puts it into the document about performance.
///
/// # Errors
/// When the document cannot be written.
pub(crate) fn run(rounds: usize, write: bool) -> Result<(), Failure> {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("pages");
    let read = |name| std::fs::read_to_string(pages.join(name));
    // Both come from one server, with the same headers.
    let example = Example::compile_files(&[
        ("app/index.flin", &*read("rows.flin")?),
        ("public/rows.html", &*read("rows.html")?),
        ("public/rows.js", &*read("rows.js")?),
    ]);
    let mut table = day_and_machine();
    table.push('\n');
    table.push_str(&head(&["1,000 rows", "by hand, ms", "FLIN, ms", "ratio"]));
    run_within(DEADLINE, example, async |site| {
        let [flin, by_hand] = [site.blank().await, site.blank().await];
        for tab in [&flin, &by_hand] {
            tab.exact_clock().await;
        }
        flin.goto(site.url()).await;
        flin.ready().await;
        by_hand.goto(&format!("{}/rows.html", site.url())).await;
        by_hand
            .wait("the page", "document.readyState === 'complete'")
            .await;
        for tab in [&flin, &by_hand] {
            tab.check("the clock is exact", "crossOriginIsolated").await;
        }
        let mut product = 0.0;
        for operation in OPERATIONS {
            let (mut one, mut other) = (Vec::new(), Vec::new());
            // The first of each warms up.
            for round in 0..=rounds {
                let (hand, page) = (
                    measure(&by_hand, operation).await,
                    measure(&flin, operation).await,
                );
                if round > 0 {
                    one.push(hand);
                    other.push(page);
                }
            }
            let (hand, page) = (quantile(&sorted(one), 0.5), quantile(&sorted(other), 0.5));
            product += (page / hand).ln();
            table.push_str(&row(&[
                operation.name.to_owned(),
                format!("{hand:.2}"),
                format!("{page:.2}"),
                format!("{:.2}", page / hand),
            ]));
        }
        let mean = (product / OPERATIONS.len() as f64).exp();
        table.push_str(&row(&[
            "geometric mean".to_owned(),
            String::new(),
            String::new(),
            format!("**{mean:.2}**"),
        ]));
    });
    print!("{table}");
    if write {
        flin_testkit::figures::write("lists", &table)?;
    }
    Ok(())
}
