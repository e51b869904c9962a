//! The example of every row of the library table is a program and prints what the row says. Here because it takes the
//! whole way from source text to output. Must stay true: no row is left out.

use flin_bytecode::LIBRARY;
use flin_corpus::{Policy, compiled, run_module};

/// The program of an example: what follows the last `; ` is printed.
fn program(example: &str) -> String {
    match example.rsplit_once("; ") {
        Some((before, last)) => format!("{}\nprint({last})\n", before.replace("; ", "\n")),
        None => format!("print({example})\n"),
    }
}

#[test]
fn examples_print_what_their_rows_say() {
    let mut failures = Vec::new();
    let rows: Vec<_> = LIBRARY
        .iter()
        .filter(|row| !row.name.starts_with("__"))
        .collect();
    assert!(rows.len() > 200, "only {} rows", rows.len());
    for row in rows {
        let source = program(row.example);
        let module = compiled("example.flin", &source);
        for policy in Policy::ALL {
            let happened = match &module {
                Ok(module) => run_module("example.flin", &source, module.clone(), policy).happened,
                Err(diagnosed) => diagnosed.clone(),
            };
            let last = happened.lines().last().unwrap_or_default();
            if last != format!("//> {}", row.prints) {
                failures.push(format!(
                    "{} {}: {}\n  expected {}\n  got {}",
                    row.name, row.scheme_text, row.example, row.prints, happened
                ));
                break;
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} examples fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
