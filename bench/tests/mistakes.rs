//! Programs of 2,000 lines with 20 planted mistakes. Must stay true: `flinc check` names each mistake once, at its line, and
//! says nothing else; a syntax error in one function hides nothing in the others.

use std::fmt::Write as _;

use flin_bench::application::copies;
use flin_bench::mistakes::{MISTAKES, Planted, plant};
use flin_syntax::span::LineIndex;

/// Lines of the programs.
const LINES: usize = 2_000;
/// Mistakes in each of them.
const COUNT: usize = 20;

#[test]
fn each_mistake_alone_gives_its_one_message() {
    let mut problems = String::new();
    for kind in MISTAKES {
        for (piece, right, wrong) in kind.places {
            let copies: Vec<_> = copies(LINES, 1)
                .into_iter()
                .filter(|copy| copy.piece == *piece)
                .take(1)
                .collect();
            let [mut copy] = <[_; 1]>::try_from(copies).expect("every piece occurs");
            let line = copy.edit(right, wrong);
            let source = flin_bench::application::joined(&[copy]);
            let above = flin_bench::application::CORE.lines().count() + 1;
            let planted = [Planted {
                name: kind.name,
                code: kind.code,
                line: above + line,
            }];
            judge(piece, &source, &planted, &mut problems);
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

#[test]
fn twenty_mistakes_give_twenty_messages() {
    let mut problems = String::new();
    for seed in 1..=8 {
        let (source, planted) = plant(copies(LINES, seed), COUNT, seed);
        judge(&format!("seed {seed}"), &source, &planted, &mut problems);
    }
    assert!(problems.is_empty(), "{problems}");
}

/// Compares the messages with what was planted.
fn judge(what: &str, source: &str, planted: &[Planted], problems: &mut String) {
    let found = flinc::compile("app.flin", source).map_or_else(|found| found, |it| it.warnings);
    let lines = LineIndex::new(source);
    let mut expected: Vec<(usize, String)> = planted
        .iter()
        .map(|it| (it.line, it.code.to_string()))
        .collect();
    let mut report = String::new();
    for message in &found {
        let line = lines.line(message.span().start) as usize;
        let key = (line, message.code.to_string());
        match expected.iter().position(|it| *it == key) {
            Some(at) => {
                expected.swap_remove(at);
            }
            None => {
                let text = source.lines().nth(line - 1).unwrap_or("");
                // Writing into a text cannot fail.
                let _ = writeln!(
                    report,
                    "  too much: {} in line {line}: {}\n    {text}",
                    key.1, message.title
                );
            }
        }
    }
    for (line, code) in expected {
        let name = planted
            .iter()
            .find(|it| it.line == line)
            .map_or("", |it| it.name);
        let text = source.lines().nth(line - 1).unwrap_or("");
        let _ = writeln!(
            report,
            "  missing: {code} in line {line}: {name}\n    {text}"
        );
    }
    if !report.is_empty() {
        let _ = writeln!(problems, "{what}:\n{report}");
    }
}
