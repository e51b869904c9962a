//! Target `parser`: programs with one damaged token, or many. The judge: always a tree, every message points into the text
//! and can be shown; and after one damaged token the statements behind the damaged one are read as before, in all but a
//! few of a hundred cases (counted as `lost`; the bound stands in grammar/tests/mutations.rs).

use flin_syntax::ast::{Program, Stmt};
use flin_syntax::render::{Color, Sources, render_all};
use flin_testkit::mutate;
use flin_testkit::rng::Rng;

use crate::ground::Ground;
use crate::lexer::messages_point_into;
use crate::target::{Tally, Verdict};

/// One damaged token, or several.
pub(crate) fn trial(ground: &Ground, rng: &mut Rng, tally: &mut Tally) -> Verdict {
    if rng.one_in(3) {
        let (_, text) = rng.pick(&ground.sources);
        let mut text = text.clone();
        for _ in 0..1 + rng.below(8) {
            text = match rng.below(4) {
                0 => mutate::swapped_tokens(&text, rng),
                1 => mutate::shuffled_lines(&text, rng),
                2 => mutate::spliced(&text, &rng.pick(&ground.sources).1, rng),
                _ => mutate::one_token(&text, rng).0,
            };
        }
        return shown(&text).map(|_| ());
    }
    let text = rng.pick(&ground.readable);
    let (mutant, at) = mutate::one_token(text, rng);
    let damaged = shown(&mutant)?;
    if !damaged.has_errors() {
        tally.count("still a program");
        return Ok(());
    }
    tally.count("damaged");
    let later: Vec<String> = flin_syntax::parse(text)
        .program
        .statements
        .iter()
        .filter(|statement| statement.span.start as usize > at)
        .skip(1)
        .map(one)
        .collect();
    if !ends_with(&damaged.program, &later) {
        tally.count("lost");
    }
    Ok(())
}

/// Parses, and makes the messages as a person would see them.
fn shown(text: &str) -> Result<flin_syntax::Parsed, String> {
    let parsed = flin_syntax::parse(text);
    messages_point_into(text, &parsed.diagnostics).map_err(|fault| format!("{fault}\n{text}"))?;
    let sources = Sources::single("damaged", text);
    let shown = render_all(&parsed.diagnostics, &sources, Color::Never);
    if shown.is_empty() != parsed.diagnostics.is_empty() {
        return Err(format!("messages that cannot be seen\n{text}"));
    }
    let errors = parsed.diagnostics.iter().filter(|d| d.is_error()).count();
    if errors > flin_syntax::limits::ERRORS_SHOWN_MAX {
        return Err(format!(
            "{errors} errors, more than are to be shown\n{text}"
        ));
    }
    Ok(parsed)
}

fn one(statement: &Stmt) -> String {
    flin_syntax::dump::dump(&Program {
        statements: vec![statement.clone()],
        span: statement.span,
    })
}

fn ends_with(program: &Program, later: &[String]) -> bool {
    let found = &program.statements;
    found.len() >= later.len()
        && found[found.len() - later.len()..]
            .iter()
            .zip(later)
            .all(|(statement, expected)| one(statement) == *expected)
}
