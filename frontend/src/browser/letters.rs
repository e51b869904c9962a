//! Small things that code is written with: literals, letters of classes and signatures, the places in a form. Here because
//! they know nothing of the function that is being written. Must stay true: what is written reads back as the same value.

use std::fmt::Write as _;

use flin_bytecode::{Class, Op, Place, Signature};

/// A float as JavaScript writes it.
pub(super) fn float_literal(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        format!("{value:?}")
    }
}

/// A text as JavaScript writes it.
pub(super) fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' || matches!(c, '\u{7f}' | '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The letter of a class.
pub(super) fn letter(class: Class) -> char {
    match class {
        Class::I64 => 'i',
        Class::F64 => 'f',
        Class::Bool => 'b',
        Class::Ref => 'r',
        Class::Any => 'a',
    }
}

/// A signature in a few letters: parameters, `>`, result.
pub(super) fn letters(signature: &Signature) -> String {
    let params: String = signature
        .params
        .iter()
        .map(|class| letter(*class))
        .collect();
    let result = signature.result.map_or('-', letter);
    format!("{params}>{result}")
}

pub(super) fn closure_call(args: &[String], signature: &Signature, at: &str) -> String {
    let sig = letters(signature);
    match args {
        [f] => format!("call0({f}, \"{sig}\", {at})"),
        [f, a] => format!("call1({f}, \"{sig}\", {a}, {at})"),
        [f, a, b] => format!("call2({f}, \"{sig}\", {a}, {b}, {at})"),
        [f, rest @ ..] => format!("call_many({f}, \"{sig}\", [{}], {at})", rest.join(", ")),
        [] => String::new(),
    }
}

pub(super) fn pushed_class(op: Op) -> Option<Class> {
    match op {
        Op::ListPushI64 => Some(Class::I64),
        Op::ListPushF64 => Some(Class::F64),
        Op::ListPushBool => Some(Class::Bool),
        Op::ListPushRef => Some(Class::Ref),
        Op::ListPushAny => Some(Class::Any),
        _ => None,
    }
}

/// Operand places of a template, in the order in which they stand there.
pub(super) fn places(template: &str) -> Vec<Place> {
    let mut found = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find(['$', '%']) {
        rest = &rest[at + 1..];
        let end = rest
            .find(|c: char| !c.is_ascii_lowercase())
            .unwrap_or(rest.len());
        let place = match &rest[..end] {
            "a" => Place::A,
            "b" => Place::B,
            "c" => Place::C,
            _ => continue,
        };
        if !found.contains(&place) {
            found.push(place);
        }
    }
    found
}

/// Whether what a template gives can stand anywhere without parentheses.
pub(super) fn is_tight(template: &str) -> bool {
    let before = template.split('(').next().unwrap_or_default();
    !before.contains(' ')
        && !template.starts_with(['!', '-'])
        && (template.contains('(') || !template.contains(' '))
}
