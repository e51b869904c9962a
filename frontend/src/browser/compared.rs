//! Comparisons with a variable of page state in the code of a view: where they are, and what is compared. Here because a row that
//! only asks whether it is the chosen one changes when its answer does, not whenever another one is chosen. Must stay true:
//! a variable counts only if all that is read of it is compared as a whole; what is not surely that is none.

use std::ops::Range;

use super::tree::{Condition, Stmt, Text};

/// Puts nothing in the place of a variable wherever it is compared; none if it is read otherwise.
pub(super) fn hide(body: &mut [Stmt], name: &str) -> Option<()> {
    in_list(body, &mut |text, _| {
        let mut out = text.to_owned();
        for found in comparisons(text, name)?.iter().rev() {
            out.replace_range(found.name.clone(), "null");
        }
        Some(out)
    })
}

/// Lets the item know what is compared with a variable, site by site from `first` on; gives how many there are. None if it
/// is read otherwise.
pub(super) fn note(body: &mut [Stmt], name: &str, first: usize) -> Option<usize> {
    let mut count = 0;
    in_list(body, &mut |text, is_opposite| {
        let found = comparisons(text, name)?;
        // A condition and its opposite are the same comparisons.
        if is_opposite {
            count -= found.len();
        }
        let mut out = text.to_owned();
        for (n, comparison) in found.iter().enumerate().rev() {
            let site = first + count + n;
            let operand = &text[comparison.operand.clone()];
            let noted = format!("view_seen({site}, {operand})");
            out.replace_range(comparison.operand.clone(), &noted);
        }
        count += found.len();
        Some(out)
    })?;
    Some(count)
}

type Change<'c> = &'c mut dyn FnMut(&str, bool) -> Option<String>;

/// Changes each piece of JavaScript; not in loops, where one place of the code is many comparisons.
fn in_list(list: &mut [Stmt], change: Change<'_>) -> Option<()> {
    list.iter_mut().try_for_each(|stmt| match stmt {
        Stmt::Do(text, _)
        | Stmt::Set(_, text, _)
        | Stmt::Raise(text, _)
        | Stmt::Return(Some(text), _) => in_text(text, change),
        Stmt::If(condition, then, other, _) => {
            in_condition(condition, change)?;
            in_list(then, change)?;
            in_list(other, change)
        }
        Stmt::Block(_, body) => in_list(body, change),
        Stmt::Try { body, handler, .. } => {
            in_list(body, change)?;
            in_list(handler, change)
        }
        Stmt::Loop { .. }
        | Stmt::Function(..)
        | Stmt::Break(_)
        | Stmt::Continue(_)
        | Stmt::Return(None, _)
        | Stmt::Declare(_) => Some(()),
    })
}

fn in_text(text: &mut Text, change: Change<'_>) -> Option<()> {
    text.text = change(&text.text, false)?;
    Some(())
}

fn in_condition(condition: &mut Condition, change: Change<'_>) -> Option<()> {
    condition.yes = change(&condition.yes, false)?;
    condition.no = change(&condition.no, true)?;
    Some(())
}

/// Where a variable is compared: its name, and the other side.
#[derive(Debug, PartialEq, Eq)]
struct Comparison {
    name: Range<usize>,
    operand: Range<usize>,
}

/// The comparisons with a variable in a piece of JavaScript, from left to right; none if it is there in another role.
fn comparisons(text: &str, name: &str) -> Option<Vec<Comparison>> {
    let inside = texts_in(text);
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let is_whole = |word: &Range<usize>| {
        !text[..word.start].ends_with(is_part) && !text[word.end..].starts_with(is_part)
    };
    let words: Vec<Range<usize>> = text
        .match_indices(name)
        .map(|(at, _)| at..at + name.len())
        .filter(|word| !inside[word.start] && is_whole(word))
        .collect();
    let mut found: Vec<Comparison> = Vec::new();
    for word in &words {
        let operand = other_side(text, &inside, word)?;
        let apart = |known: &Comparison| {
            known.operand.end <= operand.start && known.name.end <= operand.start
        };
        let holds = |other: &Range<usize>| operand.contains(&other.start);
        // One inside of the other cannot be told apart.
        if words.iter().any(holds) || !found.iter().all(apart) {
            return None;
        }
        found.push(Comparison {
            name: word.clone(),
            operand,
        });
    }
    Some(found)
}

/// What the variable at `word` is compared with: `x === name`, `equal(x, name, at)`, and the same the other way round.
fn other_side(text: &str, inside: &[bool], word: &Range<usize>) -> Option<Range<usize>> {
    let (before, behind) = (&text[..word.start], &text[word.end..]);
    let ends = |rest: &str| {
        let stops = [")", "]", ",", " && ", " || ", " ? ", " : "];
        rest.is_empty() || stops.iter().any(|stop| rest.starts_with(stop))
    };
    let starts = |rest: &str| {
        let stops = ["(", "[", ", ", "&& ", "|| ", "? ", ": "];
        rest.is_empty() || stops.iter().any(|stop| rest.ends_with(stop))
    };
    let sign = |rest: &str| [" === ", " !== "].contains(&rest);
    if before
        .get(before.len().saturating_sub(5)..)
        .is_some_and(sign)
        && ends(behind)
    {
        return backward(text, inside, word.start - 5);
    }
    if behind.get(..5).is_some_and(sign) && starts(before) {
        return forward(text, inside, word.end + 5);
    }
    if before.ends_with(", ") && behind.starts_with(", ") {
        let operand = backward(text, inside, word.start - 2)?;
        return is_equal_call(&text[..operand.start]).then_some(operand);
    }
    if is_equal_call(before) && behind.starts_with(", ") {
        return forward(text, inside, word.end + 2);
    }
    None
}

/// Whether a call of `equal` has just begun.
fn is_equal_call(before: &str) -> bool {
    before.strip_suffix("equal(").is_some_and(|rest| {
        !rest.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$' || c == '.')
    })
}

/// Signs that bind less than a comparison, or as much; some of them are parts of other signs.
fn binds_less(c: u8) -> bool {
    matches!(c, b'?' | b':' | b'&' | b'|' | b'^' | b'=')
}

/// The operand that ends at `end`.
fn backward(text: &str, inside: &[bool], end: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (end, 0);
    while at > 0 {
        let c = bytes[at - 1];
        match c {
            _ if inside[at - 1] => {}
            b')' | b']' | b'}' => depth += 1,
            b'(' | b'[' | b'{' | b',' if depth == 0 => break,
            b'(' | b'[' | b'{' => depth -= 1,
            b' ' if depth == 0
                && ["&&", "||", " ?", " :"]
                    .iter()
                    .any(|it| text[..at - 1].ends_with(it)) =>
            {
                break;
            }
            _ if depth == 0 && binds_less(c) => return None,
            _ => {}
        }
        at -= 1;
    }
    let start = at + text[at..end].len() - text[at..end].trim_start().len();
    (start < end).then_some(start..end)
}

/// The operand that starts at `start`.
fn forward(text: &str, inside: &[bool], start: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (start, 0);
    while at < bytes.len() {
        let c = bytes[at];
        match c {
            _ if inside[at] => {}
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' | b',' if depth == 0 => break,
            b')' | b']' | b'}' => depth -= 1,
            b' ' if depth == 0
                && ["&& ", "|| ", "? ", ": "]
                    .iter()
                    .any(|it| text[at + 1..].starts_with(it)) =>
            {
                break;
            }
            _ if depth == 0 && binds_less(c) => return None,
            _ => {}
        }
        at += 1;
    }
    (start < at).then_some(start..at)
}

/// For each byte whether it stands in a text.
fn texts_in(text: &str) -> Vec<bool> {
    let (mut within, mut escaped) = (false, false);
    text.bytes()
        .map(|c| {
            let is_sign = c == b'"' && !escaped;
            let was = within;
            escaped = within && !escaped && c == b'\\';
            if is_sign {
                within = !within;
            }
            was || within
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::comparisons;

    fn found(text: &str) -> Option<Vec<&str>> {
        let found = comparisons(text, "chosen")?;
        Some(found.into_iter().map(|it| &text[it.operand]).collect())
    }

    #[test]
    fn what_is_compared_with_a_variable_is_found() {
        let same = r#"field(row, S0, 0, "7:1 chosen") !== chosen"#;
        assert_eq!(
            found(same),
            Some(vec![r#"field(row, S0, 0, "7:1 chosen")"#])
        );
        assert_eq!(
            found("chosen === a + 1 && (b === chosen)"),
            Some(vec!["a + 1", "b"])
        );
        let call = r#"record(S1, [equal(chosen, f(a, b), "1:2"), !equal(g(x), chosen, "1:3")])"#;
        assert_eq!(found(call), Some(vec!["f(a, b)", "g(x)"]));
        assert_eq!(found(r#"chosen$2 + "chosen" + unchosen"#), Some(vec![]));
        assert_eq!(found("chosen === null"), Some(vec!["null"]));
    }

    #[test]
    fn what_may_be_something_else_is_none() {
        for text in [
            "chosen",
            "a === chosen + 1",
            "a + chosen === b",
            "chosen === chosen",
            "a === b === chosen",
            "unequal(a, chosen, b)",
            "f(a, chosen, b)",
            "a < chosen",
            "x = a === chosen",
            "chosen[0] === a",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
