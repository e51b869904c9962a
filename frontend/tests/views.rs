//! Golden templates of small pages: what is fixed, the places, who computes them, where handlers run. Must stay true: this
//! is what placement says before the script of a page is made; `BLESS=1` rewrites the `.page` files beside the programs.
#![allow(clippy::disallowed_methods, reason = "tests read their own files")]

use std::fmt::Write as _;
use std::path::Path;

use flin_bytecode::{Module, Owner, PlaceKind};

/// The module of a program as lowering leaves it.
fn lowered(name: &str, source: &str) -> Module {
    let parsed = flin_syntax::parse(source);
    assert_eq!(parsed.diagnostics, [], "{name}");
    let prelude = flin_syntax::parse(flinc::PRELUDE);
    let (program, diagnostics) = flinc::resolve::resolve(&parsed.program, &prelude.program);
    assert_eq!(diagnostics, [], "{name}");
    let (types, diagnostics) = flinc::infer::infer(&program);
    assert_eq!(diagnostics, [], "{name}");
    flinc::lower::lower(&program, &types, name, source, flinc::PRELUDE, false)
        .unwrap_or_else(|found| panic!("{name}: {found:?}"))
}

fn shown(module: &Module) -> String {
    let mut out = flinc::surface(module);
    for page in &module.pages {
        for (number, template) in page.templates.iter().enumerate() {
            let single = if template.single { " single" } else { "" };
            let _ = writeln!(out, "\ntemplate {number}{single} of {}", page.path);
            let _ = writeln!(out, "  {}", template.html);
            for place in &template.places {
                let owner = match place.owner {
                    Owner::Server => "server",
                    Owner::Browser => "browser",
                };
                let kind = match &place.kind {
                    PlaceKind::Attribute(name) => format!("attribute {name}"),
                    PlaceKind::Block(branches) => format!("block of {branches:?}"),
                    PlaceKind::List(list) => match list.empty {
                        Some(empty) => format!("list of {}, else {empty}", list.item),
                        None => format!("list of {}", list.item),
                    },
                    kind @ (PlaceKind::Text | PlaceKind::Html | PlaceKind::Attributes) => {
                        format!("{kind:?}").to_lowercase()
                    }
                };
                let _ = writeln!(out, "  {owner}: {kind}");
            }
        }
        if let Some(view) = page.browser_view {
            out.push('\n');
            let code = flin_bytecode::text::disassemble_function(module, view.index(), None);
            out.push_str(&code);
        }
    }
    out
}

#[test]
fn pages_have_these_templates() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/views");
    let mut failures = Vec::new();
    for path in flin_testkit::golden::files(&folder, ".flin") {
        let name = path.file_name().expect("a name").to_string_lossy();
        let source = std::fs::read_to_string(&path).expect("a program");
        let module = lowered(&name, &source);
        flin_bytecode::verify(&module).unwrap_or_else(|e| panic!("{name}: {e}"));
        let compared = flin_testkit::golden::compare(&path.with_extension("page"), &shown(&module));
        failures.extend(compared.err());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
