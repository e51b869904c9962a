//! Equality and order of values, as the language has them.
//!
//! It stands beside the predicates because a condition answered here must come out as if the program had computed it.
//! What must stay true: int and float compare by exact value, NaN equals nothing, unlike kinds are unequal and have no
//! order, text goes by code points. Enums have no order here: the order of their variants is the program's.

use std::cmp::Ordering;

use crate::codec::value::ValueRef;
use crate::value::FieldValue;

/// Compares an int with a float by exact value; none for NaN.
pub(crate) fn int_float(int: i64, float: f64) -> Option<Ordering> {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        return None;
    }
    if float >= TWO_TO_63 {
        return Some(Ordering::Less);
    }
    if float < -TWO_TO_63 {
        return Some(Ordering::Greater);
    }
    let whole = float.trunc();
    let by_whole = int.cmp(&(whole as i64));
    Some(by_whole.then_with(|| whole.partial_cmp(&float).unwrap_or(Ordering::Equal)))
}

/// `a == b`
pub(crate) fn equal(a: &ValueRef<'_>, b: &ValueRef<'_>) -> bool {
    match (a, b) {
        (ValueRef::None, ValueRef::None) => true,
        (ValueRef::Bool(a), ValueRef::Bool(b)) => a == b,
        (ValueRef::Int(a), ValueRef::Int(b))
        | (ValueRef::Time(a), ValueRef::Time(b))
        | (ValueRef::Duration(a), ValueRef::Duration(b)) => a == b,
        (ValueRef::Float(a), ValueRef::Float(b)) => a == b,
        (ValueRef::Int(int), ValueRef::Float(float))
        | (ValueRef::Float(float), ValueRef::Int(int)) => {
            int_float(*int, *float) == Some(Ordering::Equal)
        }
        (ValueRef::Text(a), ValueRef::Text(b)) => a == b,
        (ValueRef::Bytes(a), ValueRef::Bytes(b)) => a == b,
        (ValueRef::Ref { ty: a_ty, id: a }, ValueRef::Ref { ty: b_ty, id: b }) => {
            a_ty == b_ty && a == b
        }
        (ValueRef::Nested(a), ValueRef::Nested(b)) => nested_equal(a, b),
        (_, _) => false,
    }
}

fn nested_equal(a: &FieldValue, b: &FieldValue) -> bool {
    let all = |a: &[FieldValue], b: &[FieldValue]| {
        a.len() == b.len()
            && a.iter()
                .zip(b)
                .all(|(a, b)| equal(&ValueRef::of(a), &ValueRef::of(b)))
    };
    match (a, b) {
        (FieldValue::List(a), FieldValue::List(b)) => all(a, b),
        (FieldValue::Map(a), FieldValue::Map(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| {
                    let other = b.iter().find(|(other, _)| other == key);
                    other
                        .is_some_and(|(_, other)| equal(&ValueRef::of(value), &ValueRef::of(other)))
                })
        }
        (
            FieldValue::Enum {
                name,
                variant,
                payload,
            },
            FieldValue::Enum {
                name: other_name,
                variant: other_variant,
                payload: other_payload,
            },
        ) => name == other_name && variant == other_variant && all(payload, other_payload),
        (_, _) => false,
    }
}

/// The order of two values; none if NaN is involved or the kinds have no order between them.
pub(crate) fn order(a: &ValueRef<'_>, b: &ValueRef<'_>) -> Option<Ordering> {
    match (a, b) {
        (ValueRef::Bool(a), ValueRef::Bool(b)) => Some(a.cmp(b)),
        (ValueRef::Int(a), ValueRef::Int(b))
        | (ValueRef::Time(a), ValueRef::Time(b))
        | (ValueRef::Duration(a), ValueRef::Duration(b)) => Some(a.cmp(b)),
        (ValueRef::Float(a), ValueRef::Float(b)) => a.partial_cmp(b),
        (ValueRef::Int(int), ValueRef::Float(float)) => int_float(*int, *float),
        (ValueRef::Float(float), ValueRef::Int(int)) => {
            int_float(*int, *float).map(Ordering::reverse)
        }
        (ValueRef::Text(a), ValueRef::Text(b)) => Some(a.cmp(b)),
        (ValueRef::Nested(a), ValueRef::Nested(b)) => match (&**a, &**b) {
            (FieldValue::List(a), FieldValue::List(b)) => lists(a, b),
            (_, _) => None,
        },
        (_, _) => None,
    }
}

fn lists(a: &[FieldValue], b: &[FieldValue]) -> Option<Ordering> {
    for (a, b) in a.iter().zip(b) {
        match order(&ValueRef::of(a), &ValueRef::of(b)) {
            Some(Ordering::Equal) => {}
            other => return other,
        }
    }
    Some(a.len().cmp(&b.len()))
}

/// Where a value stands in an order: values, then what does not equal itself, then none.
pub(crate) fn rank(value: &ValueRef<'_>) -> u8 {
    match value {
        ValueRef::None => 2,
        value if !equal(value, value) => 1,
        _ => 0,
    }
}

/// A total order for sorting: `rank` first, whatever the direction; then the value.
pub(crate) fn sorted(a: &ValueRef<'_>, b: &ValueRef<'_>, descending: bool) -> Ordering {
    let (a_rank, b_rank) = (rank(a), rank(b));
    if a_rank != b_rank || a_rank != 0 {
        return a_rank.cmp(&b_rank);
    }
    let found = total(a, b);
    if descending { found.reverse() } else { found }
}

/// `order` where there is one, and a place beside each other where there is none: a sort must never be told that a is below b,
/// b below c, and c below a.
fn total(a: &ValueRef<'_>, b: &ValueRef<'_>) -> Ordering {
    if let (ValueRef::Nested(a), ValueRef::Nested(b)) = (a, b)
        && let (FieldValue::List(a), FieldValue::List(b)) = (&**a, &**b)
    {
        let mut items = a.iter().zip(b);
        let first = items.find_map(|(a, b)| {
            let found = total(&ValueRef::of(a), &ValueRef::of(b));
            (found != Ordering::Equal).then_some(found)
        });
        return first.unwrap_or_else(|| a.len().cmp(&b.len()));
    }
    order(a, b).unwrap_or_else(|| kind(a).cmp(&kind(b)))
}

/// A number for each kind of value that has no order with the others.
fn kind(value: &ValueRef<'_>) -> u8 {
    match value {
        ValueRef::None => 0,
        ValueRef::Bool(_) => 1,
        ValueRef::Int(_) | ValueRef::Float(_) => 2,
        ValueRef::Text(_) => 3,
        ValueRef::Time(_) => 4,
        ValueRef::Duration(_) => 5,
        ValueRef::Bytes(_) => 6,
        ValueRef::Ref { .. } => 7,
        ValueRef::Nested(value) => match &**value {
            FieldValue::List(_) => 8,
            FieldValue::Map(_) => 9,
            _ => 10,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ints_and_floats_compare_by_exact_value() {
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
    }

    // Lists of unlike values stood beside everything, and the standard library may panic in such a sort.
    #[test]
    fn sorting_has_one_order_for_all_values() {
        let list = FieldValue::List;
        let (one, two, text) = (
            FieldValue::Int(1),
            FieldValue::Int(2),
            FieldValue::text("a"),
        );
        let enumerated = FieldValue::Enum {
            name: "E".into(),
            variant: "V".into(),
            payload: vec![one.clone()],
        };
        let values = [
            list(vec![one.clone()]),
            list(vec![text.clone()]),
            list(vec![two.clone()]),
            list(vec![]),
            list(vec![list(vec![text.clone()]), one.clone()]),
            list(vec![list(vec![two.clone()])]),
            list(vec![FieldValue::None, two.clone()]),
            FieldValue::Map(vec![("k".into(), two.clone())]),
            enumerated,
            FieldValue::Float(1.5),
            FieldValue::Float(f64::NAN),
            FieldValue::None,
            one,
            two,
            text,
        ];
        let by = |a: &FieldValue, b: &FieldValue| sorted(&ValueRef::of(a), &ValueRef::of(b), false);
        for a in &values {
            for b in &values {
                assert_eq!(by(a, b), by(b, a).reverse(), "{a:?} {b:?}");
                for c in &values {
                    if by(a, b) != Ordering::Greater && by(b, c) != Ordering::Greater {
                        assert_ne!(by(a, c), Ordering::Greater, "{a:?} {b:?} {c:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_has_no_value_comes_last_in_both_directions() {
        let nan = ValueRef::Float(f64::NAN);
        for descending in [false, true] {
            assert_eq!(
                sorted(&ValueRef::Float(1.0), &nan, descending),
                Ordering::Less
            );
            assert_eq!(sorted(&nan, &ValueRef::None, descending), Ordering::Less);
        }
        assert_eq!(
            sorted(&ValueRef::Int(1), &ValueRef::Float(1.5), true),
            Ordering::Greater
        );
    }
}
