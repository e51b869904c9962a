//! The mutation run: valid programs with one token deleted, doubled, inserted or replaced.
//!
//! The judge: no panic, always a tree, every message points into the text; and the declarations after the damaged one
//! come through in nearly all cases. The share is printed, and may not sink below the bound.

use flin_syntax::ast::{Program, Stmt};
use flin_syntax::render::{Color, Sources, render_all};
use flin_testkit::{golden, rng::Rng};
use std::path::Path;

/// Mutants per run.
const MUTANTS: u64 = 3_000;

/// Tokens that are inserted or put in place of others.
const POOL: [&str; 40] = [
    "x", "Name", "1", "2.5", "\"t\"", "(", ")", "[", "]", "{", "}", "<", ">", ",", ":", ";", "=",
    "==", "=>", "->", "+", "-", "*", ".", "?", "|", "@", "!", "if", "else", "for", "in", "match",
    "fn", "return", "let", "try", "\n", "'", "</p>",
];

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
        let (mutant, at) = mutate(&programs[index], &mut rng);
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

/// The mutant and the place of the damage.
fn mutate(text: &str, rng: &mut Rng) -> (String, usize) {
    let pieces = pieces(text);
    let (start, end) = *rng.pick(&pieces);
    let other = *rng.pick(&POOL);
    let piece = &text[start..end];
    let (before, after) = (&text[..start], &text[end..]);
    let mutant = match rng.below(4) {
        0 => format!("{before}{after}"),
        1 => format!("{before}{piece} {piece}{after}"),
        2 => format!("{before}{other} {piece}{after}"),
        _replace => format!("{before}{other}{after}"),
    };
    (mutant, start)
}

/// Words and single signs, blanks left out.
fn pieces(text: &str) -> Vec<(usize, usize)> {
    let mut pieces = Vec::new();
    let mut word_start = None;
    for (at, character) in text.char_indices() {
        let in_word = character == '_' || character.is_alphanumeric();
        if in_word {
            word_start.get_or_insert(at);
            continue;
        }
        if let Some(start) = word_start.take() {
            pieces.push((start, at));
        }
        if !character.is_whitespace() {
            pieces.push((at, at + character.len_utf8()));
        }
    }
    pieces
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
    const FRAGMENTS: [&str; 36] = [
        "view {",
        "<p>",
        "</p>",
        "<a x=",
        "{if a}",
        "{else}",
        "{/if}",
        "{for x in xs}",
        "{/for}",
        "\"{",
        "}\"",
        "'",
        "r\"",
        "/*",
        "*/",
        "//",
        "<!--",
        "-->",
        "<style>",
        "</style>",
        "route GET",
        "page \"/\"",
        "entity T",
        "enum E",
        "component C",
        "then",
        "catch",
        "=> {",
        "@x",
        "todo @",
        "\\",
        "\u{e9}",
        "\u{1F600}",
        "\0",
        "&amp;",
        "click={",
    ];
    let mut rng = Rng::new(7);
    for number in 0..1_500 {
        let mut text = String::new();
        for _ in 0..rng.below(60) {
            let piece: &str = if rng.one_in(2) {
                rng.pick::<&str>(&POOL)
            } else {
                rng.pick::<&str>(&FRAGMENTS)
            };
            text.push_str(piece);
            if rng.one_in(2) {
                text.push(if rng.one_in(4) { '\n' } else { ' ' });
            }
        }
        check(&text, number);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parses");
    let files = golden::files(&folder, ".flin");
    for number in 0..300 {
        let path = rng.pick(&files);
        let mut text = std::fs::read_to_string(path).expect("the corpus is UTF-8");
        for _ in 0..8 {
            if !pieces(&text).is_empty() {
                text = mutate(&text, &mut rng).0;
            }
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
