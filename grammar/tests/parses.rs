//! Golden trees: every file of `tests/parses` parses without a message into exactly the tree beside it.
//!
//! Together the files use every production of the grammar.

use flin_syntax::render::{Color, Sources, render_all};
use flin_testkit::golden;
use std::path::Path;

fn sources() -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parses");
    golden::files(&folder, ".flin")
}

#[test]
fn every_program_gives_its_tree() {
    let mut failures = Vec::new();
    for path in sources() {
        let bytes = std::fs::read(&path).expect("the corpus can be read");
        let parsed = flin_syntax::parse_bytes(&bytes);
        if !parsed.diagnostics.is_empty() {
            let text = String::from_utf8_lossy(&bytes);
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let sources = Sources::single(&name, &text);
            failures.push(render_all(&parsed.diagnostics, &sources, Color::Never));
        }
        let tree = flin_syntax::dump::dump(&parsed.program);
        failures.extend(golden::compare(&path.with_extension("tree"), &tree).err());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn places_are_exact() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spans");
    for path in golden::files(&folder, ".flin") {
        let text = std::fs::read_to_string(&path).expect("the corpus is UTF-8");
        let parsed = flin_syntax::parse(&text);
        let tree = flin_syntax::dump::dump_with_spans(&parsed.program);
        golden::check(&path.with_extension("tree"), &tree);
    }
}

#[test]
fn spans_lie_inside_of_the_text_and_do_not_overlap() {
    for path in sources() {
        let text = std::fs::read_to_string(&path).expect("the corpus is UTF-8");
        let parsed = flin_syntax::parse(&text);
        for statement in &parsed.program.statements {
            let span = statement.span;
            assert!(span.start < span.end, "{}: {span:?}", path.display());
            assert!(
                text.get(span.range()).is_some(),
                "{}: {span:?} is no piece of text",
                path.display()
            );
        }
        let in_order = parsed
            .program
            .statements
            .is_sorted_by(|a, b| a.span.end <= b.span.start);
        assert!(in_order, "{}: statements overlap", path.display());
    }
}
