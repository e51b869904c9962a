//! Functions on numbers. Here because the op table has only arithmetic. Must stay true: ints are checked, floats follow
//! IEEE 754; the `any` rows give what the typed rows give for the same values.

use std::cmp::Ordering;

use super::{LibCall, Ret, spelling, str_of, time};
use crate::fault::{Fault, Res};
use crate::semantics::arith::overflow;
use crate::semantics::compare;
use crate::trap::ErrorKind;
use crate::value::{View, Word};

/// Most decimals of `format`.
const DECIMALS_MAX: i64 = 100;

pub(super) fn int_abs(call: &mut LibCall<'_>) -> Res<Ret> {
    let value = call.int(0);
    value
        .checked_abs()
        .map(Ret::Int)
        .ok_or_else(|| overflow(0, "-", value))
}

pub(super) fn any_abs(call: &mut LibCall<'_>) -> Res<Ret> {
    let word = match call.any(0).view() {
        View::Int(value) => call
            .m
            .heap
            .int_word(value.checked_abs().ok_or_else(|| overflow(0, "-", value))?),
        View::Float(value) => call.m.heap.float_word(value.abs()),
        View::Duration(value) => call
            .m
            .heap
            .duration_word(value.checked_abs().ok_or_else(|| overflow(0, "-", value))?),
        _ => return Err(call.wrong(0, "a number")),
    };
    word.map(Ret::Any)
}

/// The int that is this whole float.
pub(super) fn to_int(value: f64) -> Res<i64> {
    // The bounds are exact: -2^63 is an int, 2^63 is not.
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value) {
        return Ok(value as i64);
    }
    let text = crate::semantics::print::float_string(value);
    Err(Fault::new(
        ErrorKind::IntegerOverflow,
        format!("{text} does not fit an int (64 bits)"),
    ))
}

/// `floor`, `ceil`, `round` of a value of any type.
pub(super) fn any_rounded(call: &mut LibCall<'_>, round: fn(f64) -> f64) -> Res<Ret> {
    match call.any(0).view() {
        View::Int(value) => Ok(Ret::Int(value)),
        View::Float(value) => to_int(round(value)).map(Ret::Int),
        _ => Err(call.wrong(0, "a number")),
    }
}

/// The smaller float; NaN if one is NaN; -0.0 is below 0.0.
pub(super) fn float_min(a: f64, b: f64) -> f64 {
    match a.partial_cmp(&b) {
        Some(Ordering::Less) => a,
        Some(Ordering::Greater) => b,
        Some(Ordering::Equal) => {
            if a.is_sign_negative() {
                a
            } else {
                b
            }
        }
        None => f64::NAN,
    }
}

/// Whether `a` is the one that `min` (wanted `Less`) or `max` (wanted `Greater`) gives; NaN wins.
fn first_wins(call: &mut LibCall<'_>, a: Word, b: Word, wanted: Ordering) -> Res<bool> {
    Ok(match compare::order(call.m, a, b)? {
        Some(order) => order != wanted.reverse(),
        None => matches!(a.view(), View::Float(value) if value.is_nan()),
    })
}

pub(super) fn any_min(call: &mut LibCall<'_>) -> Res<Ret> {
    let (a, b) = (call.any(0), call.any(1));
    Ok(Ret::Any(if first_wins(call, a, b, Ordering::Less)? {
        a
    } else {
        b
    }))
}

pub(super) fn any_max(call: &mut LibCall<'_>) -> Res<Ret> {
    let (a, b) = (call.any(0), call.any(1));
    Ok(Ret::Any(if first_wins(call, a, b, Ordering::Greater)? {
        a
    } else {
        b
    }))
}

#[cold]
fn crossed() -> Fault {
    Fault::new(
        ErrorKind::ArgumentError,
        "clamp: the lower bound is above the upper one",
    )
}

pub(super) fn int_clamp(call: &mut LibCall<'_>) -> Res<Ret> {
    let (value, low, high) = (call.int(0), call.int(1), call.int(2));
    if low > high {
        Err(crossed())
    } else {
        Ok(Ret::Int(value.clamp(low, high)))
    }
}

pub(super) fn float_clamp(call: &mut LibCall<'_>) -> Res<Ret> {
    let (value, low, high) = (call.float(0), call.float(1), call.float(2));
    if low <= high {
        Ok(Ret::Float(value.clamp(low, high)))
    } else {
        Err(crossed())
    }
}

pub(super) fn any_clamp(call: &mut LibCall<'_>) -> Res<Ret> {
    let (value, low, high) = (call.any(0), call.any(1), call.any(2));
    if compare::order(call.m, low, high)? == Some(Ordering::Greater) {
        return Err(crossed());
    }
    if compare::order(call.m, value, low)? == Some(Ordering::Less) {
        return Ok(Ret::Any(low));
    }
    let above = compare::order(call.m, value, high)? == Some(Ordering::Greater);
    Ok(Ret::Any(if above { high } else { value }))
}

/// -1, 0 or 1; 0 for NaN.
pub(super) fn sign(value: f64) -> i64 {
    i64::from(value > 0.0) - i64::from(value < 0.0)
}

pub(super) fn any_sign(call: &mut LibCall<'_>) -> Res<Ret> {
    match call.any(0).view() {
        View::Int(value) | View::Duration(value) => Ok(Ret::Int(value.signum())),
        View::Float(value) => Ok(Ret::Int(sign(value))),
        _ => Err(call.wrong(0, "a number")),
    }
}

fn decimals(count: i64) -> Res<usize> {
    if (0..=DECIMALS_MAX).contains(&count) {
        return Ok(count as usize);
    }
    Err(Fault::new(
        ErrorKind::ArgumentError,
        format!("{count} decimals are not possible, 0 to {DECIMALS_MAX} are"),
    ))
}

/// A float with so many decimals; exact halves go away from 0.
fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return crate::semantics::print::float_string(value);
    }
    let rounded = if is_half(value, decimals) {
        // Exact with one decimal more, which is a 5: cut it off and count up.
        let exact = format!("{:.*}", decimals + 1, value);
        let cut = &exact[..exact.len() - 1];
        count_up(cut.strip_suffix('.').unwrap_or(cut))
    } else {
        format!("{value:.decimals$}")
    };
    let is_zero = rounded.bytes().all(|b| matches!(b, b'-' | b'0' | b'.'));
    if is_zero {
        rounded.trim_start_matches('-').to_owned()
    } else {
        rounded
    }
}

/// Whether a finite float lies exactly between two numbers of so many decimals: its last binary digit after the point
/// is digit `decimals + 1`.
fn is_half(value: f64, decimals: usize) -> bool {
    let bits = value.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i64;
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, exponent) = if exponent == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << 52, exponent - 1075)
    };
    mantissa != 0 && -(exponent + i64::from(mantissa.trailing_zeros())) == decimals as i64 + 1
}

/// The decimal number whose last digit is one more in magnitude.
fn count_up(digits: &str) -> String {
    let mut out: Vec<u8> = digits.bytes().collect();
    for at in (0..out.len()).rev() {
        match out[at] {
            b'9' => out[at] = b'0',
            b'0'..=b'8' => {
                out[at] += 1;
                return String::from_utf8(out).expect("digits are ASCII");
            }
            _ => {}
        }
    }
    let sign = usize::from(out.first() == Some(&b'-'));
    out.insert(sign, b'1');
    String::from_utf8(out).expect("digits are ASCII")
}

pub(super) fn round_to(call: &mut LibCall<'_>) -> Res<Ret> {
    let (value, count) = (call.float(0), call.int(1));
    let text = fixed(value, decimals(count)?);
    Ok(Ret::Float(if value.is_finite() {
        text.parse().unwrap_or(value)
    } else {
        value
    }))
}

pub(super) fn float_format(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = fixed(call.float(0), decimals(call.int(1))?);
    call.text_result(&text)
}

fn int_fixed(value: i64, decimals: usize) -> String {
    if decimals == 0 {
        value.to_string()
    } else {
        format!("{value}.{}", "0".repeat(decimals))
    }
}

pub(super) fn int_format(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = int_fixed(call.int(0), decimals(call.int(1))?);
    call.text_result(&text)
}

pub(super) fn any_format(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = match (call.any(0).view(), call.any(1).view()) {
        (View::Int(value), View::Int(count)) => int_fixed(value, decimals(count)?),
        (View::Float(value), View::Int(count)) => fixed(value, decimals(count)?),
        (View::Time(value), View::Text(pattern)) => time::formatted(value, str_of(&pattern)),
        (View::Int(_) | View::Float(_), _) => return Err(call.wrong(1, "int")),
        (View::Time(_), _) => return Err(call.wrong(1, "text")),
        _ => return Err(call.wrong(0, "a number or a time")),
    };
    call.text_result(&text)
}

pub(super) fn any_to_int(call: &mut LibCall<'_>) -> Res<Ret> {
    let found = match call.any(0).view() {
        View::None => None,
        View::Int(value) => Some(value),
        View::Float(value) => Some(to_int(value.trunc())?),
        View::Bool(value) => Some(i64::from(value)),
        View::Text(text) => spelling::int(str_of(&text)),
        _ => return Err(call.wrong(0, "a number, bool or text")),
    };
    match found {
        Some(value) => call.m.heap.int_word(value).map(Ret::Any),
        None => Ok(Ret::Any(Word::none())),
    }
}

pub(super) fn any_to_float(call: &mut LibCall<'_>) -> Res<Ret> {
    let found = match call.any(0).view() {
        View::None => None,
        View::Int(value) => Some(value as f64),
        View::Float(value) => Some(value),
        View::Text(text) => spelling::float(str_of(&text)),
        _ => return Err(call.wrong(0, "a number or text")),
    };
    match found {
        Some(value) => call.m.heap.float_word(value).map(Ret::Any),
        None => Ok(Ret::Any(Word::none())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_decimals_round_exact_halves_away_from_zero() {
        for (value, decimals, text) in [
            (0.5, 0, "1"),
            (1.5, 0, "2"),
            (2.5, 0, "3"),
            (-2.5, 0, "-3"),
            (0.125, 2, "0.13"),
            (9.5, 0, "10"),
            (99.5, 0, "100"),
            (-99.5, 0, "-100"),
            (0.25, 1, "0.3"),
            (2.675, 2, "2.67"),
            (1.23456, 2, "1.23"),
            (-0.001, 2, "0.00"),
            (1e21, 1, "1000000000000000000000.0"),
            (0.0, 3, "0.000"),
            (f64::NAN, 2, "NaN"),
            (f64::NEG_INFINITY, 2, "-Infinity"),
        ] {
            assert_eq!(fixed(value, decimals), text, "{value} {decimals}");
        }
    }

    #[test]
    fn floats_become_ints_only_where_they_fit() {
        assert_eq!(to_int(-9_223_372_036_854_775_808.0).ok(), Some(i64::MIN));
        for value in [9_223_372_036_854_775_808.0, f64::NAN, f64::INFINITY, -1e300] {
            assert!(to_int(value).is_err(), "{value}");
        }
    }

    #[test]
    fn smaller_floats() {
        assert!(float_min(f64::NAN, 1.0).is_nan() && float_min(1.0, f64::NAN).is_nan());
        assert!(float_min(0.0, -0.0).is_sign_negative());
        assert_eq!(float_min(1.0, 2.0), 1.0);
        assert_eq!((sign(f64::NAN), sign(-0.5), sign(-0.0)), (0, -1, 0));
    }
}
