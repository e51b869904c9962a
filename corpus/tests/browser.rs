//! Every program of the corpus that needs no store does the same as JavaScript under node as on the machine. Here because
//! placement of code must never be visible. Must stay true: nothing differs; whoever gives up has a reason that is listed.

use std::collections::BTreeMap;
use std::path::Path;

use flin_corpus::browser::{Verdict, compare, run_node, twins};

#[test]
fn programs_do_the_same_in_the_browser() {
    let twins = twins();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser-corpus");
    let verdicts = compare(&twins, &folder);
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut different = Vec::new();
    for (twin, verdict) in twins.iter().zip(&verdicts) {
        match verdict {
            Verdict::Equal => {}
            Verdict::GaveUp(reason) => reasons.entry(reason).or_default().push(&twin.name),
            Verdict::Different(machine, script) => {
                different.push(format!(
                    "{}\nmachine:\n{machine}JavaScript:\n{script}",
                    twin.name
                ));
            }
        }
    }
    let gave_up: usize = reasons.values().map(Vec::len).sum();
    let equal = twins.len() - gave_up - different.len();
    println!(
        "{} programs as JavaScript: {equal} equal, {gave_up} gave up, {} differ",
        twins.len(),
        different.len()
    );
    for (reason, names) in &reasons {
        println!("gave up: {reason}: {}", names.join(", "));
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// The module of a page, driven as the browser runtime drives it.
#[test]
fn the_module_of_a_page_keeps_its_promises() {
    drive("page", "drive");
}

/// What a view keeps of the last time is what it would compute.
#[test]
fn what_is_kept_of_a_view_is_what_it_computes() {
    drive("kept", "kept");
}

/// A variable of the page with the name of a parameter of the module itself was never set: its setter assigned the parameter.
#[test]
fn variables_may_have_any_name() {
    drive("names", "names");
}

fn drive(page: &str, driver: &str) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let file = format!("{page}.flin");
    let source = std::fs::read_to_string(here.join(&file)).expect("a readable program");
    let script = flinc::page_script(&file, &source, "/").expect("it compiles");
    assert!(script.source_map.contains(&file));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("browser-{page}"));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("page.mjs"), script.text).expect("a written module");
    let text = std::fs::read_to_string(here.join(format!("{driver}.js")));
    std::fs::write(folder.join("drive.mjs"), text.expect("a readable driver"))
        .expect("a written driver");
    run_node(&folder.join("drive.mjs"));
}
