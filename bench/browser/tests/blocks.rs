//! The applier of the browser runtime by itself, on random documents: going from any values to any others, as whole values or
//! as a patch, gives the document that those values make when they are written anew, and keeps the nodes of what stays.

use flin_browser::{Site, example::Example, run};

/// The modules under test, in the order of their imports.
const MODULES: [&str; 4] = [
    include_str!("../../../server/web/order.js"),
    include_str!("../../../server/web/place.js"),
    include_str!("../../../server/web/blocks.js"),
    include_str!("../../../server/web/patch.js"),
];

/// Evaluates an expression in a blank page with the modules and the random documents.
async fn judge(site: &Site, expression: &str) -> String {
    let mut script = String::new();
    for module in MODULES {
        for line in module.lines().filter(|line| !line.starts_with("import ")) {
            script.push_str(line.strip_prefix("export ").unwrap_or(line));
            script.push('\n');
        }
    }
    script.push_str(include_str!("blocks.js"));
    let tab = site.blank().await;
    let found = tab
        .eval(&format!("(() => {{ {script}\nreturn {expression}; }})()"))
        .await;
    found.as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_document_brought_up_to_date_is_the_document_written_anew() {
    run(Example::compile("counter"), async |site| {
        for first in [1, 16] {
            assert_eq!(judge(site, &format!("hunt({first}, 15)")).await, "fine");
        }
    });
}
