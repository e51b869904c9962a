//! Target `numbers`: int arithmetic against 128 bits, float arithmetic and order against Rust, printed floats read back.
//! Must stay true: a result that does not fit is IntegerOverflow, never a wrapped one.

use flin_testkit::rng::Rng;
use flin_vm::HostValue;

use super::{call, compare, random_float, random_int};
use crate::ground::Ground;
use crate::target::{Tally, Verdict};

type Outcome = Result<HostValue, String>;

/// One operation with random operands.
pub(crate) fn trial(_: &Ground, rng: &mut Rng, tally: &mut Tally) -> Verdict {
    match rng.below(4) {
        0 | 1 => ints(rng, tally),
        2 => floats(rng, tally),
        _ => printed(rng, tally),
    }
}

fn ints(rng: &mut Rng, tally: &mut Tally) -> Verdict {
    let (a, b) = (random_int(rng), random_int(rng));
    let names = [
        "int_add",
        "int_sub",
        "int_mul",
        "int_div",
        "int_rem",
        "int_pow",
        "int_neg",
        "int_abs",
        "int_sign",
        "int_less",
        "any_add",
        "any_mul",
        "any_less",
        "plus_seven",
    ];
    let name = *rng.pick(&names);
    let b = if name == "int_pow" {
        b.rem_euclid(70)
    } else {
        b
    };
    let expected = int_model(name, a, b);
    match &expected {
        Ok(_) => tally.count("value"),
        Err(kind) => tally.count(kind),
    }
    let arguments = match name {
        "int_neg" | "int_abs" | "int_sign" | "plus_seven" => vec![HostValue::Int(a)],
        _ => vec![HostValue::Int(a), HostValue::Int(b)],
    };
    compare(name, &(a, b), &call(name, &arguments), &expected)
}

fn int_model(name: &str, a: i64, b: i64) -> Outcome {
    let (x, y) = (i128::from(a), i128::from(b));
    if matches!(name, "int_div" | "int_rem") && b == 0 {
        return Err("DivisionByZero".to_owned());
    }
    let wide = match name {
        "int_add" | "any_add" => Some(x + y),
        "int_sub" => Some(x - y),
        "int_mul" | "any_mul" => Some(x * y),
        "int_div" => Some(x / y),
        "int_rem" => Some(x % y),
        "int_pow" => power(x, b),
        "int_neg" => Some(-x),
        "int_abs" => Some(x.abs()),
        "int_sign" => Some(x.signum()),
        "plus_seven" => Some(x + 7),
        "int_less" | "any_less" => return Ok(HostValue::Bool(a < b)),
        other => unreachable!("no model for {other}"),
    };
    wide.and_then(|wide| i64::try_from(wide).ok())
        .map(HostValue::Int)
        .ok_or_else(|| "IntegerOverflow".to_owned())
}

/// `x` to the power of `n`, if it stays within 64 bits or so.
fn power(x: i128, n: i64) -> Option<i128> {
    let mut result: i128 = 1;
    for _ in 0..n {
        result *= x;
        if i64::try_from(result).is_err() {
            return None;
        }
    }
    Some(result)
}

fn floats(rng: &mut Rng, tally: &mut Tally) -> Verdict {
    let (a, b) = (random_float(rng), random_float(rng));
    let int = random_int(rng);
    tally.count("value");
    let names = [
        "float_add",
        "float_mul",
        "float_div",
        "float_rem",
        "float_less",
        "float_equal",
        "float_sqrt",
        "float_floor",
        "float_ceil",
        "float_to_int",
        "int_mixed",
        "int_equal",
    ];
    let name = *rng.pick(&names);
    let two = [HostValue::Float(a), HostValue::Float(b)];
    let with_int = [HostValue::Int(int), HostValue::Float(b)];
    let (arguments, expected): (&[HostValue], Outcome) = match name {
        "float_add" => (&two, Ok(HostValue::Float(a + b))),
        "float_mul" => (&two, Ok(HostValue::Float(a * b))),
        "float_div" => (&two, Ok(HostValue::Float(a / b))),
        "float_rem" => (&two, Ok(HostValue::Float(a % b))),
        "float_less" => (&two, Ok(HostValue::Bool(a < b))),
        "float_equal" => (&two, Ok(HostValue::Bool(a == b))),
        "float_sqrt" => (&two[..1], Ok(HostValue::Float(a.sqrt()))),
        "float_floor" => (&two[..1], whole(a.floor())),
        "float_ceil" => (&two[..1], whole(a.ceil())),
        "float_to_int" => (&two[..1], whole(a.trunc())),
        // Exactly, not by widening the int.
        "int_mixed" => (&with_int, Ok(HostValue::Bool(is_less(int, b)))),
        "int_equal" => (&with_int, Ok(HostValue::Bool(is_equal(int, b)))),
        other => unreachable!("no model for {other}"),
    };
    let got = call(name, arguments);
    if let (Ok(HostValue::Float(x)), Ok(HostValue::Float(y))) = (&got, &expected)
        && (x.to_bits() == y.to_bits() || x.is_nan() && y.is_nan())
    {
        return Ok(());
    }
    compare(name, &arguments, &got, &expected)
}

/// A whole float as an int, if there is one.
fn whole(value: f64) -> Outcome {
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value) {
        Ok(HostValue::Int(value as i64))
    } else {
        Err("IntegerOverflow".to_owned())
    }
}

fn is_equal(int: i64, float: f64) -> bool {
    whole(float) == Ok(HostValue::Int(int)) && float.fract() == 0.0
}

fn is_less(int: i64, float: f64) -> bool {
    if float.is_nan() {
        return false;
    }
    match whole(float.floor()) {
        Ok(HostValue::Int(floor)) => int < floor || int == floor && float.fract() != 0.0,
        _ => float > 0.0,
    }
}

fn printed(rng: &mut Rng, tally: &mut Tally) -> Verdict {
    tally.count("value");
    if rng.one_in(4) {
        let int = random_int(rng);
        let text = int.to_string();
        let got = call("int_text", &[HostValue::Int(int)]);
        compare("int_text", &int, &got, &Ok(HostValue::Text(text.clone())))?;
        let back = call("read_int", &[HostValue::Text(text)]);
        return compare("read_int", &int, &back, &Ok(HostValue::Int(int)));
    }
    let float = random_float(rng);
    if rng.one_in(3) && float.is_finite() && float.abs() < 1e15 {
        return fixed(float, rng.below(12));
    }
    let got = call("float_text", &[HostValue::Float(float)]);
    let Ok(HostValue::Text(text)) = &got else {
        return Err(format!("float_text of {float:?}: {got:?}"));
    };
    let back: f64 = match text.as_str() {
        "Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        text => text
            .parse()
            .map_err(|_| format!("{float:?} is printed as {text}"))?,
    };
    // The sign of a zero is not printed, as in JavaScript.
    if back != float && !(back.is_nan() && float.is_nan()) {
        return Err(format!(
            "{float:?} is printed as {text}, which reads as {back:?}"
        ));
    }
    if !float.is_finite() {
        return Ok(());
    }
    if !text.contains(['.', 'e']) {
        return Err(format!("{float:?} is printed as {text}, like an int"));
    }
    let read = call("read_float", &[HostValue::Text(text.clone())]);
    match read {
        Ok(HostValue::Float(back)) if back == float => Ok(()),
        other => Err(format!("{text} is read as {other:?}, not {float:?}")),
    }
}

/// Fixed decimals against exact decimal arithmetic on the digits that Rust prints.
fn fixed(float: f64, decimals: usize) -> Verdict {
    let arguments = [HostValue::Float(float), HostValue::Int(decimals as i64)];
    let got = call("float_fixed", &arguments);
    let Ok(HostValue::Text(text)) = &got else {
        return Err(format!("format of {float:?} with {decimals}: {got:?}"));
    };
    let Ok(back) = text.parse::<f64>() else {
        return Err(format!("format of {float:?} with {decimals} gives {text}"));
    };
    let after = text.split('.').nth(1).map_or(0, str::len);
    let distance = (back - float).abs();
    let half = 0.5 * 10_f64.powi(-(decimals as i32));
    if after != decimals || distance > half * 1.000_001 + float.abs() * 1e-15 {
        return Err(format!(
            "format of {float:?} with {decimals} decimals gives {text}"
        ));
    }
    Ok(())
}
