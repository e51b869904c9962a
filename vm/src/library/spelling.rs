//! Texts that spell something: numbers, e-mail addresses, web addresses. Here because conversion and the `is_…`
//! functions must agree; addresses are judged as by the validators. Must stay true: what `is_numeric` accepts,
//! `to_float` converts.

use super::{LibCall, Ret, str_of};
use crate::fault::Res;
use crate::semantics::validate;
use crate::value::Word;

/// The int that a text spells, white space around it allowed.
pub(super) fn int(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// The float that a text spells in decimal form, white space around it allowed.
pub(super) fn float(text: &str) -> Option<f64> {
    let text = text.trim();
    let decimal = text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    if decimal { text.parse().ok() } else { None }
}

pub(super) fn is_numeric(call: &mut LibCall<'_>) -> Res<Ret> {
    Ok(Ret::Bool(float(str_of(&call.text(0)?)).is_some()))
}

pub(super) fn text_to_int(call: &mut LibCall<'_>) -> Res<Ret> {
    match int(str_of(&call.text(0)?)) {
        Some(value) => call.m.heap.int_word(value).map(Ret::Any),
        None => Ok(Ret::Any(Word::none())),
    }
}

pub(super) fn text_to_float(call: &mut LibCall<'_>) -> Res<Ret> {
    match float(str_of(&call.text(0)?)) {
        Some(value) => call.m.heap.float_word(value).map(Ret::Any),
        None => Ok(Ret::Any(Word::none())),
    }
}

pub(super) fn is_email(call: &mut LibCall<'_>) -> Res<Ret> {
    Ok(Ret::Bool(validate::is_email(str_of(&call.text(0)?))))
}

pub(super) fn is_url(call: &mut LibCall<'_>) -> Res<Ret> {
    Ok(Ret::Bool(validate::is_url(str_of(&call.text(0)?))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, value) in [
            ("42", Some(42)),
            (" -7 ", Some(-7)),
            ("+5", Some(5)),
            ("", None),
            ("4.5", None),
            ("9223372036854775808", None),
        ] {
            assert_eq!(int(text), value, "{text}");
        }
        for (text, value) in [
            ("2.5", Some(2.5)),
            ("1e3", Some(1000.0)),
            (" .5 ", Some(0.5)),
            ("inf", None),
            ("NaN", None),
            ("1,5", None),
            ("-", None),
            ("e", None),
        ] {
            assert_eq!(float(text), value, "{text}");
        }
    }
}
