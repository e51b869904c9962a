//! Operations on a table, beside the same by hand.

use std::path::Path;

use flin_browser::example::Example;
use flin_browser::{Tab, quote, run as run_site};

use crate::{quantile, sorted};

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

/// Prints a table: median milliseconds of both, and their ratio.
pub(crate) fn run(rounds: usize) {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("pages");
    let source = std::fs::read_to_string(pages.join("rows.flin")).expect("the page");
    run_site(Example::compile_text(&source), async |site| {
        let flin = site.open().await;
        let by_hand = site.blank().await;
        by_hand
            .goto(&format!("file://{}", pages.join("rows.html").display()))
            .await;
        by_hand
            .wait("the page", "document.readyState === 'complete'")
            .await;
        println!(
            "{:<20} {:>10} {:>10} {:>7}   milliseconds, median of {rounds}",
            "", "by hand", "FLIN", "ratio"
        );
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
            println!(
                "{:<20} {hand:>10.2} {page:>10.2} {:>7.2}",
                operation.name,
                page / hand
            );
        }
        let mean = (product / OPERATIONS.len() as f64).exp();
        println!("{:<20} {:>10} {:>10} {mean:>7.2}", "geometric mean", "", "");
    });
}
