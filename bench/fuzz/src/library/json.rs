//! Target `json`: `parse_json` and `to_json` against serde_json, with valid and damaged texts. Must stay true: what both
//! accept means the same; what serde_json refuses is refused, as an error with a name.

use flin_testkit::mutate;
use flin_testkit::rng::Rng;
use flin_vm::HostValue;
use serde_json::{Number, Value};

use super::{call, compare, random_float, random_int, random_text};
use crate::ground::Ground;
use crate::target::{Tally, Verdict};

/// A JSON text, sometimes damaged.
pub(crate) fn trial(_: &Ground, rng: &mut Rng, tally: &mut Tally) -> Verdict {
    let value = random_value(rng, 4);
    let mut text = if rng.one_in(2) {
        value.to_string()
    } else {
        serde_json::to_string_pretty(&value).unwrap_or_default()
    };
    for _ in 0..rng.below(3) {
        text = match rng.below(4) {
            0 => mutate::one_token(&text, rng).0,
            1 => mutate::swapped_tokens(&text, rng),
            2 => with_escape(&text, rng),
            _ => text,
        };
    }
    let theirs: Result<Value, _> = serde_json::from_str(&text);
    let ours = call("parsed", &[HostValue::Text(text.clone())]);
    match (theirs, ours) {
        (Ok(theirs), Ok(HostValue::Text(ours))) => {
            tally.count("read");
            let again: Value = serde_json::from_str(&ours)
                .map_err(|e| format!("to_json writes no JSON: {e}\n{text}\n{ours}"))?;
            if !is_same(&theirs, &again) {
                return compare("to_json(parse_json())", &text, &again, &theirs);
            }
            Ok(())
        }
        (Err(_), Err(_)) => {
            tally.count("refused");
            Ok(())
        }
        (Ok(_), Err(kind)) if kind != "InvalidJson" && has_unusual_number(&text) => {
            tally.count("numbers out of range");
            Ok(())
        }
        (Err(reason), Ok(_)) if reason.to_string().contains("out of range") => {
            tally.count("numbers out of range");
            Ok(())
        }
        // A half of a pair of surrogates becomes the replacement character, as where a browser writes UTF-8.
        (Err(reason), Ok(_)) if is_about_surrogates(&reason.to_string()) => {
            tally.count("lone surrogates");
            Ok(())
        }
        (theirs, ours) => Err(format!(
            "parse_json and serde_json do not agree\n  text   {text:?}\n  serde  {theirs:?}\n  FLIN   {ours:?}"
        )),
    }
}

fn is_about_surrogates(reason: &str) -> bool {
    reason.contains("hex escape") || reason.contains("surrogate")
}

fn has_unusual_number(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit())
}

/// Equal, ints and floats by their value: 1 and 1.0 are the same number in JSON. What is no double is none there.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => {
            let (x, y) = (a.as_f64().unwrap_or(0.0), b.as_f64().unwrap_or(0.0));
            // serde_json reads floats fast, not to the last bit.
            a.as_i64().is_some() && a.as_i64() == b.as_i64() || (x - y).abs() <= x.abs() * 1e-15
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| is_same(a, b)))
        }
        (one, other) => one == other,
    }
}

fn random_value(rng: &mut Rng, depth: usize) -> Value {
    match rng.below(if depth == 0 { 6 } else { 10 }) {
        0 => Value::Null,
        1 => Value::Bool(rng.one_in(2)),
        2 => Value::Number(random_int(rng).into()),
        3 => Number::from_f64(random_float(rng)).map_or(Value::Null, Value::Number),
        4 | 5 => Value::String(random_text(rng, 8)),
        6 | 7 => (0..rng.below(4))
            .map(|_| random_value(rng, depth - 1))
            .collect(),
        _ => Value::Object(
            (0..rng.below(4))
                .map(|_| (random_text(rng, 4), random_value(rng, depth - 1)))
                .collect(),
        ),
    }
}

/// An escape put in at some place, right or wrong.
fn with_escape(text: &str, rng: &mut Rng) -> String {
    const ESCAPES: [&str; 12] = [
        "\\u0041",
        "\\uD83D\\uDE00",
        "\\uD83D",
        "\\uDE00",
        "\\x",
        "\\/",
        "\\b",
        "\\u12",
        "\u{1}",
        "1e5",
        "-0",
        "01",
    ];
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    if places.is_empty() {
        return (*rng.pick(&ESCAPES)).to_owned();
    }
    let at = *rng.pick(&places);
    format!("{}{}{}", &text[..at], rng.pick(&ESCAPES), &text[at..])
}
