//! Generates the parser from `src/flin.lalrpop`, only when that file has changed. With the feature `coverage` a second copy
//! of the parser is written that records each reduced production; without it nothing is different.

use std::path::Path;

/// Fewer productions than this mean that the generated parser no longer looks as this file believes.
const PRODUCTIONS_MIN: usize = 300;

fn main() {
    println!("cargo:rerun-if-changed=src/flin.lalrpop");
    lalrpop::Configuration::new()
        .use_cargo_dir_conventions()
        .process()
        .expect("the grammar has no conflicts");
    if std::env::var_os("CARGO_FEATURE_COVERAGE").is_some() {
        let out = std::env::var_os("OUT_DIR").expect("cargo names a folder for output");
        write_counting_parser(Path::new(&out));
    }
}

/// In the generated parser each production is reduced by one function whose first line is a comment with the production:
/// after it goes the call that counts. Also written: the list of the productions by number.
fn write_counting_parser(out: &Path) {
    let parser = std::fs::read_to_string(out.join("flin.rs")).expect("the parser was generated");
    let mut counting = String::with_capacity(parser.len() * 2);
    let mut productions = Vec::new();
    for line in parser.lines() {
        counting.push_str(line);
        counting.push('\n');
        let comment = line.trim_start().strip_prefix("// ");
        let production = comment.and_then(|comment| comment.rsplit_once(" => ActionFn("));
        if let Some((production, _)) = production
            && !is_inlined(production)
        {
            counting += &format!("        crate::coverage::hit({});\n", productions.len());
            productions.push(production.to_owned());
        }
    }
    assert!(
        productions.len() > PRODUCTIONS_MIN,
        "only {} productions found in the generated parser",
        productions.len()
    );
    std::fs::write(out.join("flin_counting.rs"), counting).expect("the output folder is writable");
    std::fs::write(out.join("productions.rs"), format!("&{productions:#?}\n"))
        .expect("the output folder is writable");
}

/// Whether LALRPOP dissolves a production into those that use it (`X?`, `(…)`, `@L`, `@R`), so that it is never reduced by
/// itself; or it is the one around the start symbol.
fn is_inlined(production: &str) -> bool {
    let name = production.split(" =").next().unwrap_or_default();
    name.starts_with(['(', '@', '"']) || name.ends_with('?') || name.starts_with("__")
}
