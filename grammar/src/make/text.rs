//! Literals: numbers, texts, keys. Here escapes are resolved and numbers get their values.

use super::{Context, expr, span};
use crate::ast::{Expr, ExprKind, Literal, Name, PlainText, TextPart};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::lexer::unicode_escape;
use std::sync::Arc;

/// The value of an int literal without sign, or of `-9223372036854775808`; none if it does not fit.
pub(crate) fn int_value(text: &str) -> Option<i64> {
    let digits: String = text
        .chars()
        .filter(|c| !matches!(c, '_' | ' ' | '\t'))
        .collect();
    let lower = digits.to_ascii_lowercase();
    if let Some(hex) = lower.strip_prefix("0x") {
        return i64::from_str_radix(hex, 16).ok();
    }
    if let Some(bits) = lower.strip_prefix("0b") {
        return i64::from_str_radix(bits, 2).ok();
    }
    digits.parse().ok()
}

fn checked_int(cx: &Context<'_>, l: u32, r: u32) -> i64 {
    match int_value(cx.text(l, r)) {
        Some(value) => value,
        None => unreachable!("the lexer lets only ints through that fit"),
    }
}

fn checked_float(cx: &Context<'_>, l: u32, r: u32) -> f64 {
    match cx.text(l, r).replace('_', "").parse() {
        Ok(value) => value,
        Err(_) => unreachable!("the lexer lets only well-formed floats through"),
    }
}

pub(crate) fn int(cx: &Context<'_>, l: u32, r: u32) -> ExprKind {
    ExprKind::Int(checked_int(cx, l, r))
}

/// After `-` in a version; the smallest int is one token with its sign and never comes here with one more.
pub(crate) fn negative_int(cx: &Context<'_>, l: u32, r: u32) -> ExprKind {
    ExprKind::Int(checked_int(cx, l, r).wrapping_neg())
}

pub(crate) fn float(cx: &Context<'_>, l: u32, r: u32) -> ExprKind {
    ExprKind::Float(checked_float(cx, l, r))
}

pub(crate) fn int_literal(cx: &Context<'_>, l: u32, r: u32) -> Literal {
    Literal::Int(checked_int(cx, l, r))
}

pub(crate) fn negative_int_literal(cx: &Context<'_>, l: u32, r: u32) -> Literal {
    Literal::Int(checked_int(cx, l, r).wrapping_neg())
}

pub(crate) fn float_literal(cx: &Context<'_>, negative: bool, l: u32, r: u32) -> Literal {
    let value = checked_float(cx, l, r);
    Literal::Float(if negative { -value } else { value })
}

/// A text as a pattern: without interpolation.
pub(crate) fn text_literal(cx: &mut Context<'_>, text: Expr) -> Literal {
    let ExprKind::Text(parts) = text.kind else {
        return Literal::Text(Arc::from(""));
    };
    let mut value = String::new();
    for part in parts {
        match part {
            TextPart::Chars { value: chars, .. } => value.push_str(&chars),
            TextPart::Expr(inner) => cx.report(
                Diagnostic::error(
                    Code::InterpolationNotAllowed,
                    inner.span,
                    "a text in a pattern cannot contain expressions",
                )
                .hint("compare in a guard: `t if t == \"…\" -> …`"),
            ),
        }
    }
    Literal::Text(Arc::from(value))
}

pub(crate) fn text(cx: &mut Context<'_>, parts: Vec<TextPart>, l: u32, r: u32) -> Expr {
    expr(cx, ExprKind::Text(parts), l, r)
}

pub(crate) fn raw_text(cx: &mut Context<'_>, l: u32, r: u32) -> Expr {
    let value = raw_content(cx.text(l, r));
    let parts = if value.is_empty() {
        Vec::new()
    } else {
        vec![TextPart::Chars {
            value: Arc::from(value),
            span: span(l + 2, (r - 1).max(l + 2)),
        }]
    };
    expr(cx, ExprKind::Text(parts), l, r)
}

/// The characters of `r"…"`; the closing quote may be missing after a repair.
fn raw_content(literal: &str) -> &str {
    let quote = literal[1..].chars().next().unwrap_or('"');
    let body = &literal[2..];
    body.strip_suffix(quote).unwrap_or(body)
}

pub(crate) fn chunk(cx: &Context<'_>, l: u32, r: u32) -> TextPart {
    TextPart::Chars {
        value: Arc::from(unescape(cx.text(l, r))),
        span: span(l, r),
    }
}

/// A literal that is known to be plain: path, test name, quoted key.
fn plain_value(literal: &str) -> String {
    if literal.starts_with('r') {
        return raw_content(literal).to_owned();
    }
    let quote = literal.chars().next().unwrap_or('"');
    let body = &literal[1..];
    unescape(body.strip_suffix(quote).unwrap_or(body))
}

pub(crate) fn plain_text(cx: &Context<'_>, l: u32, r: u32) -> PlainText {
    PlainText {
        value: Arc::from(plain_value(cx.text(l, r))),
        span: span(l, r),
    }
}

pub(crate) fn text_key(cx: &Context<'_>, l: u32, r: u32) -> Name {
    Name::new(&plain_value(cx.text(l, r)), span(l, r))
}

/// Resolves escapes; unknown ones were reported by the lexer and stay as they are.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (length, character) = match rest[1..].chars().next() {
            Some('n') => (2, Some('\n')),
            Some('r') => (2, Some('\r')),
            Some('t') => (2, Some('\t')),
            Some(same @ ('\\' | '"' | '\'' | '{' | '}')) => (2, Some(same)),
            Some('u') => unicode_escape(rest),
            _unknown => (1, Some('\\')),
        };
        match character {
            Some(character) => out.push(character),
            None => out.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}
