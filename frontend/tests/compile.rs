//! Messages of the whole compiler for programs with several mistakes. Must stay true: each mistake is told once and
//! nothing is told that only follows from another one; `BLESS=1` rewrites the `.messages` files.

#![allow(clippy::disallowed_methods, reason = "tests read their own files")]

use std::path::Path;

use flin_syntax::render::{Color, Sources, render_all};

#[test]
fn programs_with_mistakes_give_these_messages() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile");
    let mut failures = Vec::new();
    for path in flin_testkit::golden::files(&folder, ".flin") {
        let name = path
            .file_name()
            .expect("a file name")
            .to_string_lossy()
            .into_owned();
        let source = std::fs::read_to_string(&path).expect("a program");
        let messages = match flinc::compile(&name, &source) {
            Ok(_) => "it compiles\n".to_owned(),
            Err(found) => render_all(&found, &Sources::single(&name, &source), Color::Never),
        };
        failures.extend(
            flin_testkit::golden::compare(&path.with_extension("messages"), &messages).err(),
        );
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn at_most_fifty_messages() {
    let source: String = (0..80).map(|n| format!("print(unknown_{n})\n")).collect();
    let found = flinc::compile("many.flin", &source).expect_err("nothing is known");
    assert_eq!(found.len(), flinc::DIAGNOSTICS_MAX);
    assert!(
        found
            .windows(2)
            .all(|two| two[0].span().start <= two[1].span().start)
    );
}
