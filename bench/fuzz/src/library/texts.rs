//! Target `texts`: text functions against lists of characters. Must stay true: positions count Unicode scalar values; a
//! model is the plainest code that can be right.

use flin_testkit::rng::Rng;
use flin_vm::HostValue;

use super::{call, compare, random_text};
use crate::ground::Ground;
use crate::target::{Tally, Verdict};

type Outcome = Result<HostValue, String>;

/// One function with random arguments.
pub(crate) fn trial(_: &Ground, rng: &mut Rng, tally: &mut Tally) -> Verdict {
    let s = random_text(rng, 12);
    let t = piece_of(&s, rng);
    match rng.below(3) {
        0 => positions(&s, rng, tally),
        1 => two_texts(&s, &t, rng, tally),
        _ => whole(&s, &t, rng, tally),
    }
}

/// A piece of the text, or another one.
fn piece_of(s: &str, rng: &mut Rng) -> String {
    let chars: Vec<char> = s.chars().collect();
    if chars.is_empty() || rng.one_in(3) {
        return random_text(rng, 2);
    }
    let from = rng.below(chars.len());
    let to = (from + rng.below(3)).min(chars.len());
    chars[from..to].iter().collect()
}

fn text(value: impl Into<String>) -> HostValue {
    HostValue::Text(value.into())
}

fn texts<S: Into<String>>(values: impl IntoIterator<Item = S>) -> HostValue {
    HostValue::List(values.into_iter().map(text).collect())
}

/// A position, near the ends or far beyond.
fn position(rng: &mut Rng) -> i64 {
    match rng.below(12) {
        0 => i64::MAX,
        1 => i64::MIN,
        _ => rng.below(30) as i64 - 15,
    }
}

/// Where a slice begins or ends: counted from the end if negative, clamped.
pub(super) fn clamped(at: i64, len: usize) -> usize {
    let at = if at < 0 {
        at.saturating_add(len as i64)
    } else {
        at
    };
    at.clamp(0, len as i64) as usize
}

fn positions(s: &str, rng: &mut Rng, tally: &mut Tally) -> Verdict {
    tally.count("positions");
    let chars: Vec<char> = s.chars().collect();
    let (a, b) = (position(rng), position(rng));
    let (from, to) = (clamped(a, chars.len()), clamped(b, chars.len()));
    let slice: String = if from < to {
        chars[from..to].iter().collect()
    } else {
        String::new()
    };
    let at = if a < 0 {
        a.saturating_add(chars.len() as i64)
    } else {
        a
    };
    let found = usize::try_from(at).ok().and_then(|at| chars.get(at));
    let cases: [(&str, Vec<HostValue>, Outcome); 5] = [
        ("text_len", vec![], Ok(HostValue::Int(chars.len() as i64))),
        (
            "text_at",
            vec![HostValue::Int(a)],
            found.map_or(Err("IndexOutOfBounds".to_owned()), |c| Ok(text(*c))),
        ),
        (
            "text_slice",
            vec![HostValue::Int(a), HostValue::Int(b)],
            Ok(text(slice.clone())),
        ),
        (
            "text_brackets",
            vec![HostValue::Int(a), HostValue::Int(b)],
            Ok(text(slice)),
        ),
        (
            "text_from",
            vec![HostValue::Int(a)],
            Ok(text(chars[from..].iter().collect::<String>())),
        ),
    ];
    check(s, &cases)
}

fn check(s: &str, cases: &[(&str, Vec<HostValue>, Outcome)]) -> Verdict {
    for (name, more, expected) in cases {
        let mut arguments = vec![text(s)];
        arguments.extend(more.iter().cloned());
        compare(name, &arguments, &call(name, &arguments), expected)?;
    }
    Ok(())
}

/// Position in characters of a byte offset.
fn chars_before(s: &str, byte: Option<usize>) -> HostValue {
    HostValue::Int(byte.map_or(-1, |byte| s[..byte].chars().count() as i64))
}

fn two_texts(s: &str, t: &str, rng: &mut Rng, tally: &mut Tally) -> Verdict {
    tally.count("two texts");
    let u = random_text(rng, 2);
    let one = || vec![text(t)];
    let two = || vec![text(t), text(u.as_str())];
    let pieces = if t.is_empty() {
        texts(s.chars())
    } else {
        texts(s.split(t))
    };
    let (replaced, replaced_first) = if t.is_empty() {
        (s.to_owned(), s.to_owned())
    } else {
        (s.replace(t, &u), s.replacen(t, &u, 1))
    };
    let chars: Vec<String> = s.chars().map(String::from).collect();
    let mut cases = vec![
        ("text_index", one(), Ok(chars_before(s, s.find(t)))),
        ("text_last_index", one(), Ok(chars_before(s, s.rfind(t)))),
        ("text_contains", one(), Ok(HostValue::Bool(s.contains(t)))),
        ("text_starts", one(), Ok(HostValue::Bool(s.starts_with(t)))),
        ("text_ends", one(), Ok(HostValue::Bool(s.ends_with(t)))),
        ("text_split", one(), Ok(pieces)),
        ("text_replace", two(), Ok(text(replaced))),
        ("text_join", one(), Ok(text(chars.join(t)))),
        ("text_less", one(), Ok(HostValue::Bool(s < t))),
        (
            "text_remove_prefix",
            one(),
            Ok(text(s.strip_prefix(t).unwrap_or(s))),
        ),
        (
            "text_remove_suffix",
            one(),
            Ok(text(s.strip_suffix(t).unwrap_or(s))),
        ),
    ];
    cases.push(("text_replace_first", two(), Ok(text(replaced_first))));
    check(s, &cases)
}

fn whole(s: &str, t: &str, rng: &mut Rng, tally: &mut Tally) -> Verdict {
    tally.count("whole texts");
    let n = rng.below(20) as i64 - 3;
    let times = n.max(0) as usize;
    let reversed: String = s.chars().rev().collect();
    let step = *rng.pick(&[1_i64, 2, 3, -1, -2]);
    let stepped: String = {
        let chars: Vec<char> = if step < 0 {
            s.chars().rev().collect()
        } else {
            s.chars().collect()
        };
        chars.iter().step_by(step.unsigned_abs() as usize).collect()
    };
    let len = s.chars().count();
    let filling: String = t
        .chars()
        .cycle()
        .take(if t.is_empty() {
            0
        } else {
            times.saturating_sub(len)
        })
        .collect();
    let int = HostValue::Int;
    let cases = vec![
        ("text_reverse", vec![], Ok(text(reversed))),
        ("text_steps", vec![int(step)], Ok(text(stepped))),
        ("text_chars", vec![], Ok(texts(s.chars()))),
        ("text_repeat", vec![int(n)], Ok(text(s.repeat(times)))),
        (
            "text_pad_left",
            vec![int(n), text(t)],
            Ok(text(format!("{filling}{s}"))),
        ),
        (
            "text_pad_right",
            vec![int(n), text(t)],
            Ok(text(format!("{s}{filling}"))),
        ),
        ("text_trim", vec![], Ok(text(s.trim()))),
        ("text_words", vec![], Ok(texts(s.split_whitespace()))),
        ("text_lines", vec![], Ok(texts(s.lines()))),
        ("text_upper", vec![], Ok(text(s.to_uppercase()))),
        ("text_lower", vec![], Ok(text(s.to_lowercase()))),
        (
            "text_grown",
            vec![text(t), int(n * 10)],
            Ok(text(format!("{s}{}", t.repeat(times * 10)))),
        ),
    ];
    check(s, &cases)
}
