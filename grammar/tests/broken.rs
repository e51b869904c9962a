//! Golden messages: what the front door says about broken programs.
//!
//! Each expectation starts with the number of messages, so that an error that breeds others shows up in the diff. Most programs end with
//! `fn survivor() { 1 }`: however broken the text before it, that declaration must come through unharmed.

use flin_syntax::ast::{ExprKind, StmtKind};
use flin_syntax::render::{Color, Sources, render_all, render_json};
use flin_syntax::{Parsed, parse_bytes};
use flin_testkit::golden;
use std::path::Path;

#[test]
fn every_broken_program_gives_its_messages() {
    let mut failures = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let sources = golden::files(&folder, ".flin");
    for path in &sources {
        let bytes = std::fs::read(path).expect("the corpus can be read");
        let parsed = parse_bytes(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let files = Sources::single(&name, &text);
        let errors = parsed.diagnostics.iter().filter(|d| d.is_error()).count();
        let warnings = parsed.diagnostics.len() - errors;
        let messages = render_all(&parsed.diagnostics, &files, Color::Never);
        let actual = format!("{errors} errors, {warnings} warnings\n\n{messages}");
        failures.extend(golden::compare(&path.with_extension("messages"), &actual).err());
        if parsed.diagnostics.is_empty() {
            failures.push(format!("{} is not broken", path.display()));
        }
        if text.contains("fn survivor()") && !survives(&parsed) {
            failures.push(format!("{}: the survivor is lost", path.display()));
        }
        for diagnostic in &parsed.diagnostics {
            let json = render_json(diagnostic, &files);
            if json.contains('\n') || !json.starts_with('{') || !json.ends_with('}') {
                failures.push(format!("{}: {json}", path.display()));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(sources.len() >= 40, "the corpus is there");
}

/// True if `fn survivor() { 1 }` is a declaration of the file, complete.
fn survives(parsed: &Parsed) -> bool {
    parsed.program.statements.iter().any(|statement| {
        let StmtKind::Fn(decl) = &statement.kind else {
            return false;
        };
        &*decl.name.text == "survivor"
            && matches!(
                decl.body.statements.as_slice(),
                [only] if matches!(&only.kind, StmtKind::Expr(value) if value.kind == ExprKind::Int(1))
            )
    })
}
