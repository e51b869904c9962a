//! Runs every program of the corpus under every policy. Must stay true: a new program is a new file; its expectations are
//! its last lines, rewritten by `BLESS=1`.

use std::path::Path;

use flin_corpus::{Case, Policy, run};

#[test]
fn programs_do_what_their_last_lines_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut failures = Vec::new();
    for folder in ["programs", "bugs", "kernels"] {
        for path in flin_testkit::golden::files(&root.join(folder), ".flin") {
            failures.extend(check(root, &path));
        }
    }
    assert!(
        failures.is_empty(),
        "{} failures:\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

fn check(root: &Path, path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).expect("a program");
    let case = Case::parse(&text);
    let name = path
        .strip_prefix(root)
        .expect("a path below the crate")
        .display()
        .to_string();
    let mut failures = Vec::new();
    let mut expected = case.expected.clone();
    for policy in Policy::ALL {
        let result = std::panic::catch_unwind(|| run(&name, &case.source, policy));
        let actual = match result {
            Ok(actual) => actual,
            Err(panic) => {
                let words = panic
                    .downcast_ref::<String>()
                    .cloned()
                    .unwrap_or_else(|| "it panicked".to_owned());
                failures.push(format!("{name} ({policy:?}): {words}"));
                continue;
            }
        };
        if flin_testkit::golden::blessing() && policy == Policy::Interpreter {
            std::fs::write(path, case.with_expected(&actual)).expect("a writable program");
            expected = actual;
        } else if actual != expected {
            failures.push(format!(
                "{name} ({policy:?}):\n{}",
                difference(&expected, &actual)
            ));
        }
    }
    failures
}

/// Lines that differ, position by position.
fn difference(expected: &str, actual: &str) -> String {
    let (expected, actual): (Vec<&str>, Vec<&str>) =
        (expected.lines().collect(), actual.lines().collect());
    let mut text = String::new();
    for at in 0..expected.len().max(actual.len()) {
        let (wanted, got) = (expected.get(at), actual.get(at));
        if wanted != got {
            text += &format!(
                "  line {}: expected {}, got {}\n",
                at + 1,
                wanted.unwrap_or(&"nothing"),
                got.unwrap_or(&"nothing")
            );
        }
    }
    text
}
