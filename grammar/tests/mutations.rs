//! The mutation run: valid programs with one token deleted, doubled, inserted or replaced.
//!
//! The judge: no panic, always a tree, every message points into the text; and the declarations after the damaged one
//! come through in nearly all cases. The share is printed, and may not sink below the bound.

use flin_syntax::ast::{Program, Stmt};
use flin_syntax::render::{Color, Sources, render_all};
use flin_testkit::golden;
use flin_testkit::mutate::{one_token, soup};
use flin_testkit::rng::Rng;
use std::path::Path;

/// Mutants per run.
const MUTANTS: u64 = 3_000;

#[test]
fn one_wrong_token_does_not_spoil_the_rest() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parses");
    let programs: Vec<String> = golden::files(&folder, ".flin")
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("the corpus is UTF-8"))
        .filter(|text| text.len() > 200)
        .collect();
    let originals: Vec<Vec<(u32, String)>> = programs
        .iter()
        .map(|text| statements(&flin_syntax::parse(text).program))
        .collect();
    let mut rng = Rng::new(20_261_120);
    let (mut invalid, mut intact, mut errors) = (0u64, 0u64, 0usize);
    let mut losses = Vec::new();
    for number in 0..MUTANTS {
        let index = rng.below(programs.len());
        let (mutant, at) = one_token(&programs[index], &mut rng);
        let parsed = flin_syntax::parse(&mutant);
        for diagnostic in &parsed.diagnostics {
            for label in &diagnostic.labels {
                assert!(
                    mutant.get(label.span.range()).is_some(),
                    "mutant {number}: {label:?} is no piece of\n{mutant}"
                );
            }
        }
        if !parsed.has_errors() {
            continue;
        }
        invalid += 1;
        errors += parsed.diagnostics.len();
        let later: Vec<&str> = originals[index]
            .iter()
            .filter(|(start, _)| *start as usize > at)
            .map(|(_, text)| text.as_str())
            .skip(1)
            .collect();
        if ends_with(&parsed.program, &later) {
            intact += 1;
        } else {
            losses.push((mutant, at));
        }
    }
    let share = intact as f64 * 100.0 / invalid as f64;
    println!(
        "{MUTANTS} mutants, {invalid} invalid, {:.2} errors each, later declarations intact in {share:.1} %",
        errors as f64 / invalid as f64
    );
    if std::env::var_os("SHOW_LOSSES").is_some() {
        show(&losses);
    }
    assert!(share >= 97.0, "only {share:.1} % came through");
}

/// Prints the damaged lines and the messages of the programs that lost declarations.
fn show(losses: &[(String, usize)]) {
    for (mutant, at) in losses.iter().take(40) {
        let line = mutant[..*at].matches('\n').count();
        let parsed = flin_syntax::parse(mutant);
        let sources = Sources::single("mutant", mutant);
        println!(
            "---- line {}: {}\n{}",
            line + 1,
            mutant.lines().nth(line).unwrap_or(""),
            render_all(&parsed.diagnostics, &sources, Color::Never)
        );
    }
}

fn one(statement: &Stmt) -> String {
    flin_syntax::dump::dump(&Program {
        statements: vec![statement.clone()],
        span: statement.span,
    })
}

fn statements(program: &Program) -> Vec<(u32, String)> {
    let all = program.statements.iter();
    all.map(|statement| (statement.span.start, one(statement)))
        .collect()
}

fn ends_with(program: &Program, later: &[&str]) -> bool {
    let found = &program.statements;
    found.len() >= later.len()
        && found[found.len() - later.len()..]
            .iter()
            .zip(later)
            .all(|(statement, expected)| one(statement) == *expected)
}

/// Programs of random tokens, and programs with many damages at once: nothing to expect but order.
#[test]
fn soup_is_read_without_a_panic() {
    let mut rng = Rng::new(7);
    for number in 0..1_500 {
        let text = soup(&mut rng, 60);
        check(&text, number);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parses");
    let files = golden::files(&folder, ".flin");
    for number in 0..300 {
        let path = rng.pick(&files);
        let mut text = std::fs::read_to_string(path).expect("the corpus is UTF-8");
        for _ in 0..8 {
            text = one_token(&text, &mut rng).0;
        }
        check(&text, number);
    }
}

fn check(text: &str, number: usize) {
    let parsed = flin_syntax::parse(text);
    let errors = parsed.diagnostics.iter().filter(|d| d.is_error()).count();
    assert!(errors <= flin_syntax::limits::ERRORS_SHOWN_MAX);
    let sources = Sources::single("soup", text);
    let shown = render_all(&parsed.diagnostics, &sources, Color::Never);
    assert_eq!(shown.is_empty(), parsed.diagnostics.is_empty());
    for label in parsed.diagnostics.iter().flat_map(|d| &d.labels) {
        assert!(
            text.get(label.span.range()).is_some(),
            "soup {number}: {label:?} is no piece of\n{text}"
        );
    }
    let dump = flin_syntax::dump::dump_with_spans(&parsed.program);
    assert!(dump.len() >= parsed.program.statements.len());
}
