//! Target `programs`: generated well-typed programs. The judge: they compile; they raise no TypeError; they do the same
//! under every policy, formatted, with other names, inside of a function, and with every type written or none.

use flin_corpus::{Policy, run};
use flin_syntax::render::{Color, Sources, render_all};
use flin_testkit::rng::Rng;

use crate::format::first_difference;
use crate::generate::{self, variants};
use crate::ground::Ground;
use crate::target::{Tally, Verdict};

/// A generated program with its marks.
pub(crate) fn make(_: &Ground, rng: &mut Rng) -> String {
    let size = 3 + rng.below(25);
    generate::marked(rng.bits(), size)
}

/// Judges a program, which may have marks.
pub(crate) fn judge(marked: &str, tally: &mut Tally) -> Verdict {
    let program = variants::resolved(marked, |_| true);
    let expected = did(&program, Policy::Interpreter);
    if expected.lines().any(|line| line.starts_with("//? ")) {
        return Err(refusal(&program));
    }
    if expected.contains("error TimeLimitExceeded") {
        tally.count("too long");
        return Ok(());
    }
    tally.count("ran");
    if expected.contains("//! error") {
        tally.count("ended by an error");
    }
    if let Some(line) = expected.lines().find(|line| is_type_error(line)) {
        return Err(format!("refused at run time: {line}"));
    }
    for policy in Policy::ALL.into_iter().skip(1) {
        same(
            &expected,
            &did(&program, policy),
            &format!("policy {policy:?}"),
        )?;
    }
    let formatted = flin_syntax::format(&program)
        .map_err(|messages| format!("cannot be formatted: {:?}", messages.first()))?;
    let plain = variants::resolved(marked, |_| false);
    let half = variants::resolved(marked, |number| number % 2 == 0);
    let rewritings = [
        ("formatted", Some(formatted)),
        ("renamed", Some(variants::renamed(&program))),
        ("in a function", variants::wrapped(&program)),
        ("without annotations", Some(plain)),
        ("half annotated", Some(half)),
    ];
    for (name, rewritten) in rewritings {
        let Some(rewritten) = rewritten else {
            continue;
        };
        let actual = did(&rewritten, Policy::Interpreter);
        // Without its type, a variable may be `any`, and a match of it needs `_`; in an arm for none it is none then.
        if name.ends_with("annotated") || name.ends_with("annotations") {
            let told = |code: &str| {
                let prefix = format!("//? {code}");
                actual.lines().filter(move |line| line.starts_with(&prefix))
            };
            let open_matches = told("F0115").count();
            if open_matches > 0 && open_matches + told("F0201").count() == told("").count() {
                tally.count("needs annotations");
                continue;
            }
        }
        same(&expected, &actual, name)
            .map_err(|fault| format!("{fault}\n--- rewritten ---\n{rewritten}"))?;
    }
    Ok(())
}

/// The messages of a program that should have none.
pub(crate) fn refusal(program: &str) -> String {
    let diagnostics = flinc::compile("generated.flin", program)
        .err()
        .unwrap_or_default();
    let first = diagnostics.iter().find(|d| d.is_error());
    let sources = Sources::single("generated.flin", program);
    let shown = render_all(&diagnostics, &sources, Color::Never);
    let title = first.map_or_else(String::new, |d| format!("{} {}", d.code, d.title));
    format!("refused {title}\n{shown}")
}

/// What a program does, without the places of errors, which move.
fn did(program: &str, policy: Policy) -> String {
    let happened = run("generated.flin", program, policy);
    let without_place = happened
        .lines()
        .map(|line| match line.strip_prefix("//! error ") {
            Some(error) => format!("//! error {}", error.split(' ').next().unwrap_or_default()),
            None => line.to_owned(),
        });
    without_place.collect::<Vec<_>>().join("\n")
}

fn same(expected: &str, actual: &str, name: &str) -> Verdict {
    if expected == actual {
        return Ok(());
    }
    if let Some(code) = actual.lines().find(|line| line.starts_with("//? ")) {
        return Err(format!("{name}: refused {code}"));
    }
    Err(format!(
        "{name}: does something else\n{}",
        first_difference(expected, actual)
    ))
}

/// Whether a line tells of a TypeError that types could have foreseen.
fn is_type_error(line: &str) -> bool {
    line.contains("TypeError") && !line.contains("a negative exponent needs a float")
}
