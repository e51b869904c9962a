//! Golden trees: every file of `tests/parses` parses without a message into exactly the tree beside it.
//!
//! Together the files use every production of the grammar.

mod golden;

use flin_syntax::render::{Color, Sources, render_all};

#[test]
fn every_program_gives_its_tree() {
    let mut failures = Vec::new();
    let sources = golden::sources("parses");
    for (path, bytes) in &sources {
        let parsed = flin_syntax::parse_bytes(bytes);
        if !parsed.diagnostics.is_empty() {
            let text = String::from_utf8_lossy(bytes);
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let sources = Sources::single(&name, &text);
            failures.push(render_all(&parsed.diagnostics, &sources, Color::Never));
        }
        let tree = flin_syntax::dump::dump(&parsed.program);
        failures.extend(golden::compare(path, "tree", &tree));
    }
    failures.extend(
        golden::orphans("parses", "tree")
            .iter()
            .map(|path| format!("{} has no source", path.display())),
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(sources.len() >= 15, "the corpus is there");
}

#[test]
fn spans_lie_inside_of_the_text_and_nest() {
    for (path, bytes) in golden::sources("parses") {
        let text = String::from_utf8(bytes).expect("the corpus is UTF-8");
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
