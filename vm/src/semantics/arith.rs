//! Arithmetic on values of any type, and the errors of checked int arithmetic. Must stay true: the typed operations and
//! these give the same results for the same values.

use crate::fault::{Fault, Res};
use crate::machine::Machine;
use crate::semantics::print;
use crate::trap::ErrorKind;
use crate::value::{View, Word};

/// `IntegerOverflow` of `a op b`.
#[cold]
#[inline(never)]
pub(crate) fn overflow(a: i64, op: &str, b: i64) -> Fault {
    Fault::new(
        ErrorKind::IntegerOverflow,
        format!("{a} {op} {b} does not fit an int (64 bits)"),
    )
}

/// The error of an int division that has no result.
#[cold]
#[inline(never)]
pub(crate) fn division_fault(a: i64, op: &str, b: i64) -> Fault {
    if b == 0 {
        Fault::new(
            ErrorKind::DivisionByZero,
            format!("{a} {op} 0: an int cannot be divided by zero"),
        )
    } else {
        overflow(a, op, b)
    }
}

/// int ** int
pub(crate) fn pow_int(base: i64, exponent: i64) -> Res<i64> {
    if exponent < 0 {
        return Err(Fault::type_error(format!(
            "{base} ** {exponent}: a negative exponent needs a float, such as {base}.0 ** {exponent}"
        )));
    }
    let small = match base {
        0 => return Ok(i64::from(exponent == 0)),
        1 => return Ok(1),
        -1 => return Ok(if exponent % 2 == 0 { 1 } else { -1 }),
        _ => u32::try_from(exponent).ok(),
    };
    small
        .and_then(|exponent| base.checked_pow(exponent))
        .ok_or_else(|| overflow(base, "**", exponent))
}

/// Two numbers as floats, if at least one is a float and both are numbers.
fn floats(a: View, b: View) -> Option<(f64, f64)> {
    match (a, b) {
        (View::Float(a), View::Float(b)) => Some((a, b)),
        (View::Int(a), View::Float(b)) => Some((a as f64, b)),
        (View::Float(a), View::Int(b)) => Some((a, b as f64)),
        _ => None,
    }
}

#[cold]
fn no_operation(a: View, op: &str, b: View) -> Fault {
    Fault::type_error(format!(
        "{} {op} {} is not possible",
        a.type_name(),
        b.type_name()
    ))
}

/// `a + b`
pub(crate) fn add(m: &mut Machine, a: Word, b: Word) -> Res<Word> {
    match (a.view(), b.view()) {
        (View::Int(a), View::Int(b)) => {
            let sum = a.checked_add(b).ok_or_else(|| overflow(a, "+", b))?;
            m.heap.int_word(sum)
        }
        (View::Text(_), _) | (_, View::Text(_)) => {
            let (left, right) = (print::to_text(m, a)?, print::to_text(m, b)?);
            m.heap.concat(left, &[right]).map(Word::object)
        }
        (View::List(a), View::List(b)) => m.heap.list_concat(a, b).map(Word::object),
        (View::Time(t), View::Duration(d)) | (View::Duration(d), View::Time(t)) => {
            let sum = t.checked_add(d).ok_or_else(|| overflow(t, "+", d))?;
            m.heap.time_word(sum)
        }
        (View::Duration(a), View::Duration(b)) => {
            let sum = a.checked_add(b).ok_or_else(|| overflow(a, "+", b))?;
            m.heap.duration_word(sum)
        }
        (a, b) => match floats(a, b) {
            Some((a, b)) => m.heap.float_word(a + b),
            None => Err(no_operation(a, "+", b)),
        },
    }
}

/// `a - b`
pub(crate) fn sub(m: &mut Machine, a: Word, b: Word) -> Res<Word> {
    let difference = |a: i64, b: i64| a.checked_sub(b).ok_or_else(|| overflow(a, "-", b));
    match (a.view(), b.view()) {
        (View::Int(a), View::Int(b)) => m.heap.int_word(difference(a, b)?),
        (View::Time(a), View::Time(b)) | (View::Duration(a), View::Duration(b)) => {
            m.heap.duration_word(difference(a, b)?)
        }
        (View::Time(a), View::Duration(b)) => m.heap.time_word(difference(a, b)?),
        (a, b) => match floats(a, b) {
            Some((a, b)) => m.heap.float_word(a - b),
            None => Err(no_operation(a, "-", b)),
        },
    }
}

/// `a * b`
pub(crate) fn mul(m: &mut Machine, a: Word, b: Word) -> Res<Word> {
    let product = |a: i64, b: i64| a.checked_mul(b).ok_or_else(|| overflow(a, "*", b));
    match (a.view(), b.view()) {
        (View::Int(a), View::Int(b)) => m.heap.int_word(product(a, b)?),
        (View::Duration(d), View::Int(n)) | (View::Int(n), View::Duration(d)) => {
            m.heap.duration_word(product(d, n)?)
        }
        (View::Duration(d), View::Float(x)) | (View::Float(x), View::Duration(d)) => {
            scaled_duration(m, d as f64 * x)
        }
        (a, b) => match floats(a, b) {
            Some((a, b)) => m.heap.float_word(a * b),
            None => Err(no_operation(a, "*", b)),
        },
    }
}

/// A duration computed with floats, rounded to ms.
fn scaled_duration(m: &mut Machine, ms: f64) -> Res<Word> {
    if ms.abs() < 9e18 {
        return m.heap.duration_word(ms.round() as i64);
    }
    Err(Fault::new(
        ErrorKind::IntegerOverflow,
        "this duration is too long",
    ))
}

/// `a / b`
pub(crate) fn div(m: &mut Machine, a: Word, b: Word) -> Res<Word> {
    let quotient = |a: i64, b: i64| a.checked_div(b).ok_or_else(|| division_fault(a, "/", b));
    match (a.view(), b.view()) {
        (View::Int(a), View::Int(b)) => m.heap.int_word(quotient(a, b)?),
        (View::Duration(d), View::Int(n)) => m.heap.duration_word(quotient(d, n)?),
        (View::Duration(d), View::Float(x)) => scaled_duration(m, d as f64 / x),
        (View::Duration(a), View::Duration(b)) => m.heap.float_word(a as f64 / b as f64),
        (a, b) => match floats(a, b) {
            Some((a, b)) => m.heap.float_word(a / b),
            None => Err(no_operation(a, "/", b)),
        },
    }
}

/// `a % b`
pub(crate) fn rem(m: &mut Machine, a: Word, b: Word) -> Res<Word> {
    match (a.view(), b.view()) {
        (View::Int(a), View::Int(0)) => Err(division_fault(a, "%", 0)),
        (View::Int(a), View::Int(b)) => m.heap.int_word(a.wrapping_rem(b)),
        (a, b) => match floats(a, b) {
            Some((a, b)) => m.heap.float_word(a % b),
            None => Err(no_operation(a, "%", b)),
        },
    }
}

/// `a ** b`
pub(crate) fn pow(m: &mut Machine, a: Word, b: Word) -> Res<Word> {
    match (a.view(), b.view()) {
        (View::Int(a), View::Int(b)) => {
            let power = pow_int(a, b)?;
            m.heap.int_word(power)
        }
        (a, b) => match floats(a, b) {
            Some((a, b)) => m.heap.float_word(a.powf(b)),
            None => Err(no_operation(a, "**", b)),
        },
    }
}

/// `-a`
pub(crate) fn neg(m: &mut Machine, a: Word) -> Res<Word> {
    match a.view() {
        View::Int(a) => {
            let value = a.checked_neg().ok_or_else(|| overflow(0, "-", a))?;
            m.heap.int_word(value)
        }
        View::Float(a) => m.heap.float_word(-a),
        View::Duration(a) => {
            let value = a.checked_neg().ok_or_else(|| overflow(0, "-", a))?;
            m.heap.duration_word(value)
        }
        found => Err(Fault::expected("a number", found)),
    }
}

#[cfg(test)]
mod tests {
    use super::pow_int;

    #[test]
    fn int_powers() {
        assert_eq!(pow_int(2, 10).ok(), Some(1024));
        assert_eq!(pow_int(-2, 63).ok(), Some(i64::MIN));
        assert_eq!(pow_int(-1, i64::MAX).ok(), Some(-1));
        assert_eq!(pow_int(0, 0).ok(), Some(1));
        assert!(pow_int(2, 63).is_err());
        assert!(pow_int(3, i64::MAX).is_err());
        assert!(pow_int(2, -1).is_err());
    }
}
