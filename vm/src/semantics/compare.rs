//! Truth, equality and order of values of any type. Must stay true: int and float compare by exact numeric value; unlike
//! types are unequal and have no order; comparing cyclic or very deep data is an error, never a crash.

use std::cmp::Ordering;

use crate::fault::{Fault, Res};
use crate::heap::{EntityState, Kind, Obj, list_len, range_parts, text_equal};
use crate::machine::Machine;
use crate::semantics::Walk;
use crate::value::{View, Word};

/// Falsy are none, false, 0, 0.0, empty text, list and map.
#[cold]
pub(crate) fn truthy(m: &Machine, value: Word) -> bool {
    match value.view() {
        View::None => false,
        View::Bool(value) => value,
        View::Int(value) => value != 0,
        View::Float(value) => value != 0.0,
        View::Text(text) => text.meta() != 0,
        View::List(list) => list_len(list) != 0,
        View::Map(map) => m.heap.map_len(map) != 0,
        View::Time(_)
        | View::Duration(_)
        | View::Closure(_)
        | View::Cell(_)
        | View::Entity(_)
        | View::Query(_)
        | View::Error(_)
        | View::Response(_)
        | View::Range(_)
        | View::Tuple(_)
        | View::Enum(_) => true,
    }
}

/// Compares an int with a float by exact value; none for NaN.
pub(crate) fn int_float(int: i64, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    // 2^63 and beyond is above every int, below -2^63 is below every int.
    if float >= 9_223_372_036_854_775_808.0 {
        return Some(Ordering::Less);
    }
    if float < -9_223_372_036_854_775_808.0 {
        return Some(Ordering::Greater);
    }
    let whole = float.trunc();
    Some(int.cmp(&(whole as i64)).then_with(|| {
        0.0_f64
            .partial_cmp(&(float - whole))
            .unwrap_or(Ordering::Equal)
    }))
}

/// `a == b`
#[inline]
pub(crate) fn equal(m: &mut Machine, a: Word, b: Word) -> Res<bool> {
    if let (Some(a), Some(b)) = (a.as_kind(Kind::Text), b.as_kind(Kind::Text)) {
        return Ok(text_equal(a, b));
    }
    equal_deep(m, a, b)
}

#[inline(never)]
fn equal_deep(m: &mut Machine, a: Word, b: Word) -> Res<bool> {
    equal_in(m, a, b, &mut Walk::new("compare"))
}

fn equal_in(m: &mut Machine, a: Word, b: Word, walk: &mut Walk) -> Res<bool> {
    walk.step()?;
    Ok(match (a.view(), b.view()) {
        (View::None, View::None) => true,
        (View::Bool(a), View::Bool(b)) => a == b,
        (View::Int(a), View::Int(b)) => a == b,
        (View::Float(a), View::Float(b)) => a == b,
        (View::Int(int), View::Float(float)) | (View::Float(float), View::Int(int)) => {
            int_float(int, float) == Some(Ordering::Equal)
        }
        (View::Time(a), View::Time(b)) | (View::Duration(a), View::Duration(b)) => a == b,
        (View::Text(a), View::Text(b)) => text_equal(a, b),
        (View::List(a), View::List(b)) => {
            walk.enter()?;
            let equal = equal_lists(m, a, b, walk)?;
            walk.leave();
            equal
        }
        (View::Map(a), View::Map(b)) => {
            walk.enter()?;
            let equal = equal_maps(m, a, b, walk)?;
            walk.leave();
            equal
        }
        (View::Tuple(a), View::Tuple(b)) => {
            let words = |t: Obj| {
                (0..t.tuple_len())
                    .filter_map(|i| t.tuple_get(i))
                    .collect::<Vec<Word>>()
            };
            equal_words(m, &words(a), &words(b), walk)?
        }
        (View::Enum(a), View::Enum(b)) => {
            let words = |e: Obj| {
                (0..e.tuple_len())
                    .filter_map(|i| e.enum_get(i))
                    .collect::<Vec<Word>>()
            };
            a.enum_parts() == b.enum_parts() && equal_words(m, &words(a), &words(b), walk)?
        }
        (View::Range(a), View::Range(b)) => range_parts(a) == range_parts(b),
        (View::Entity(a), View::Entity(b)) => same_record(a, b),
        (View::Closure(a), View::Closure(b))
        | (View::Query(a), View::Query(b))
        | (View::Error(a), View::Error(b))
        | (View::Response(a), View::Response(b))
        | (View::Cell(a), View::Cell(b)) => a == b,
        _ => false,
    })
}

/// The same saved record or the same object.
fn same_record(a: Obj, b: Obj) -> bool {
    let saved = |e: Obj| matches!(e.entity_state(), EntityState::Loaded | EntityState::Link);
    a == b || (a.meta() == b.meta() && saved(a) && saved(b) && a.entity_id() == b.entity_id())
}

fn equal_words(m: &mut Machine, a: &[Word], b: &[Word], walk: &mut Walk) -> Res<bool> {
    if a.len() != b.len() {
        return Ok(false);
    }
    walk.enter()?;
    for (a, b) in a.iter().zip(b) {
        if !equal_in(m, *a, *b, walk)? {
            walk.leave();
            return Ok(false);
        }
    }
    walk.leave();
    Ok(true)
}

fn equal_lists(m: &mut Machine, a: Obj, b: Obj, walk: &mut Walk) -> Res<bool> {
    if list_len(a) != list_len(b) {
        return Ok(false);
    }
    for index in 0..list_len(a) {
        let (left, right) = (m.heap.list_word(a, index)?, m.heap.list_word(b, index)?);
        if !equal_in(m, left, right, walk)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn equal_maps(m: &mut Machine, a: Obj, b: Obj, walk: &mut Walk) -> Res<bool> {
    if m.heap.map_len(a) != m.heap.map_len(b) {
        return Ok(false);
    }
    for (key, value) in m.heap.map_entries(a)? {
        let Some(other) = m.heap.map_get(b, key)? else {
            return Ok(false);
        };
        if !equal_in(m, value, other, walk)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The sentence for values that have no order.
pub(crate) fn unordered(a: View, b: View) -> String {
    format!("{} and {} have no order", a.type_name(), b.type_name())
}

/// The order of two values; none if NaN is involved; `TypeError` for types without order between them.
pub(crate) fn order(m: &mut Machine, a: Word, b: Word) -> Res<Option<Ordering>> {
    order_in(m, a, b, &mut Walk::new("compare"))
}

fn order_in(m: &mut Machine, a: Word, b: Word, walk: &mut Walk) -> Res<Option<Ordering>> {
    walk.step()?;
    Ok(match (a.view(), b.view()) {
        (View::Int(a), View::Int(b)) => Some(a.cmp(&b)),
        (View::Float(a), View::Float(b)) => a.partial_cmp(&b),
        (View::Int(int), View::Float(float)) => int_float(int, float),
        (View::Float(float), View::Int(int)) => int_float(int, float).map(Ordering::reverse),
        (View::Bool(a), View::Bool(b)) => Some(a.cmp(&b)),
        (View::Time(a), View::Time(b)) | (View::Duration(a), View::Duration(b)) => Some(a.cmp(&b)),
        (View::Text(a), View::Text(b)) => Some(a.text().cmp(&b.text())),
        (View::List(a), View::List(b)) => {
            let (a, b) = (m.heap.list_words(a)?, m.heap.list_words(b)?);
            order_words(m, &a, &b, walk)?
        }
        (View::Tuple(a), View::Tuple(b)) => {
            let words = |t: Obj| {
                (0..t.tuple_len())
                    .filter_map(|i| t.tuple_get(i))
                    .collect::<Vec<Word>>()
            };
            order_words(m, &words(a), &words(b), walk)?
        }
        (View::Enum(a), View::Enum(b)) if a.enum_parts().0 == b.enum_parts().0 => {
            Some(a.enum_parts().1.cmp(&b.enum_parts().1))
        }
        (a, b) => return Err(Fault::type_error(unordered(a, b))),
    })
}

fn order_words(m: &mut Machine, a: &[Word], b: &[Word], walk: &mut Walk) -> Res<Option<Ordering>> {
    walk.enter()?;
    for (left, right) in a.iter().zip(b) {
        let found = order_in(m, *left, *right, walk)?;
        if found != Some(Ordering::Equal) {
            walk.leave();
            return Ok(found);
        }
    }
    walk.leave();
    Ok(Some(a.len().cmp(&b.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ints_and_floats_compare_exactly() {
        assert_eq!(int_float(1, 1.0), Some(Ordering::Equal));
        assert_eq!(int_float(i64::MAX, i64::MAX as f64), Some(Ordering::Less));
        assert_eq!(
            int_float((1 << 53) + 1, 9_007_199_254_740_992.0),
            Some(Ordering::Greater)
        );
        assert_eq!(int_float(-2, -1.5), Some(Ordering::Less));
        assert_eq!(int_float(-1, -1.5), Some(Ordering::Greater));
        assert_eq!(int_float(1, 1.5), Some(Ordering::Less));
        assert_eq!(int_float(0, f64::NAN), None);
        assert_eq!(
            int_float(i64::MIN, f64::NEG_INFINITY),
            Some(Ordering::Greater)
        );
        assert_eq!(
            int_float(i64::MIN, -9_223_372_036_854_775_808.0),
            Some(Ordering::Equal)
        );
    }
}
