//! Target `format`: whatever parses. The judge: formatting gives the same tree and the same words (comments and literals
//! included), and formatting that changes nothing.

use flin_syntax::{dump::dump, format};
use flin_testkit::mutate;
use flin_testkit::rng::Rng;

use crate::ground::Ground;
use crate::target::{Tally, Verdict};

/// A program of the repository or a generated one, its white space and sometimes a token changed.
pub(crate) fn make(ground: &Ground, rng: &mut Rng) -> String {
    let mut text = if rng.one_in(4) {
        crate::generate(rng.bits(), 4 + rng.below(30))
    } else {
        rng.pick(&ground.readable).clone()
    };
    for _ in 0..rng.below(4) {
        text = match rng.below(8) {
            0 => mutate::one_token(&text, rng).0,
            1 => mutate::swapped_tokens(&text, rng),
            2 => mutate::retyped(&text, rng),
            3 => mutate::spliced(&text, rng.pick::<String>(&ground.readable), rng),
            _ => mutate::white_space(&text, rng),
        };
    }
    text
}

/// Judges if it parses.
pub(crate) fn judge(text: &str, tally: &mut Tally) -> Verdict {
    let before = flin_syntax::parse(text);
    if before.has_errors() {
        tally.count("no program");
        return Ok(());
    }
    let formatted = format(text).map_err(|messages| {
        let reasons: Vec<&str> = messages
            .iter()
            .filter_map(|m| m.reason.as_deref())
            .collect();
        format!("not formatted: {}", reasons.join("; "))
    })?;
    tally.count("formatted");
    let after = flin_syntax::parse(&formatted);
    if dump(&before.program) != dump(&after.program) {
        return Err(format!("formatting changes the tree:\n{formatted}"));
    }
    if words(text) != words(&formatted) {
        return Err(format!("formatting loses words:\n{formatted}"));
    }
    match format(&formatted) {
        Ok(again) if again == formatted => Ok(()),
        Ok(again) => Err(format!(
            "formatting changes something the second time:\n{}",
            first_difference(&formatted, &again)
        )),
        Err(_) => Err(format!(
            "what was formatted cannot be formatted:\n{formatted}"
        )),
    }
}

/// All letters and digits in order.
fn words(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The first line that differs, with its neighbours.
pub(crate) fn first_difference(one: &str, other: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (one.lines().collect(), other.lines().collect());
    let at = (0..a.len().max(b.len()))
        .find(|&at| a.get(at) != b.get(at))
        .unwrap_or(0);
    let near = |lines: &[&str]| {
        let end = (at + 3).min(lines.len());
        lines[at.saturating_sub(2).min(end)..end].join("\n")
    };
    format!("line {}:\n{}\n--- and ---\n{}", at + 1, near(&a), near(&b))
}
