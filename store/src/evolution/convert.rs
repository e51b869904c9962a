//! A stored value as a value of another type, where the operator agreed that the type became narrower.
//!
//! What must stay true: it is a function of the value and the declared type alone, so the same stored bytes read the same
//! for ever; what fits is left as it is; what does not fit is `None`, never an approximation.

use crate::exchange::{parse_time, time_text};
use crate::schema::{FieldType, Schema};
use crate::value::FieldValue;

/// The value as one of type `ty`; `None` if it cannot be one.
pub(crate) fn convert(value: FieldValue, ty: &FieldType, schema: &Schema) -> Option<FieldValue> {
    let converted = match (ty, value) {
        (_, FieldValue::None) => return None,
        (FieldType::Any, value) => value,
        (FieldType::Enum(name), value) => return enum_value(name, value, schema),
        (FieldType::List(item), FieldValue::List(items)) => {
            let items: Option<Vec<FieldValue>> = items
                .into_iter()
                .map(|value| inside(value, item, schema))
                .collect();
            FieldValue::List(items?)
        }
        (FieldType::List(item), value) => FieldValue::List(vec![convert(value, item, schema)?]),
        (FieldType::Map(item), FieldValue::Map(entries)) => {
            let entry = |(key, value)| Some((key, inside(value, item, schema)?));
            let entries: Option<Vec<_>> = entries.into_iter().map(entry).collect();
            FieldValue::Map(entries?)
        }
        (ty, value) if ty.accepts(&value, schema) => ty.widen(value),
        (FieldType::Int, FieldValue::Float(float)) => FieldValue::Int(whole(float)?),
        (FieldType::Int, FieldValue::Text(text)) => FieldValue::Int(text.trim().parse().ok()?),
        (FieldType::Int, FieldValue::Bool(truth)) => FieldValue::Int(i64::from(truth)),
        (FieldType::Float, FieldValue::Text(text)) => {
            let float = text
                .trim()
                .parse()
                .ok()
                .filter(|float: &f64| float.is_finite());
            FieldValue::Float(float?)
        }
        (FieldType::Bool, FieldValue::Text(text)) => match &*text {
            "true" => FieldValue::Bool(true),
            "false" => FieldValue::Bool(false),
            _other => return None,
        },
        (FieldType::Text, value) => FieldValue::text(text_of(&value)?),
        (FieldType::Time, FieldValue::Text(text)) => FieldValue::Time(parse_time(text.trim())?),
        (
            FieldType::Bool
            | FieldType::Int
            | FieldType::Float
            | FieldType::Time
            | FieldType::Duration
            | FieldType::Bytes
            | FieldType::Ref(_)
            | FieldType::Map(_),
            _,
        ) => return None,
    };
    Some(converted)
}

/// Inside of lists and maps `none` stays what it is.
fn inside(value: FieldValue, ty: &FieldType, schema: &Schema) -> Option<FieldValue> {
    match value {
        FieldValue::None => Some(FieldValue::None),
        value => convert(value, ty, schema),
    }
}

/// The int that a float is, if it is one.
fn whole(float: f64) -> Option<i64> {
    // 2^63 is the first float beyond; -2^63 is the smallest int.
    let limit = 9_223_372_036_854_775_808.0;
    (float.fract() == 0.0 && (-limit..limit).contains(&float)).then_some(float as i64)
}

fn text_of(value: &FieldValue) -> Option<String> {
    match value {
        FieldValue::Text(text) => Some(text.to_string()),
        FieldValue::Bool(truth) => Some(truth.to_string()),
        FieldValue::Int(int) => Some(int.to_string()),
        FieldValue::Float(float) if float.is_finite() => Some(format!("{float:?}")),
        FieldValue::Time(ms) => time_text(*ms),
        FieldValue::Enum {
            variant, payload, ..
        } if payload.is_empty() => Some(variant.to_string()),
        FieldValue::None
        | FieldValue::Float(_)
        | FieldValue::Duration(_)
        | FieldValue::Bytes(_)
        | FieldValue::Ref { .. }
        | FieldValue::Enum { .. }
        | FieldValue::List(_)
        | FieldValue::Map(_) => None,
    }
}

/// A value of the enum, if it is one of its variants: stored as such, as a variant of another enum, or as a text.
fn enum_value(name: &str, value: FieldValue, schema: &Schema) -> Option<FieldValue> {
    let (variant, payload) = match value {
        FieldValue::Enum {
            variant, payload, ..
        } => (variant, payload),
        FieldValue::Text(text) => (text, Vec::new()),
        FieldValue::None
        | FieldValue::Bool(_)
        | FieldValue::Int(_)
        | FieldValue::Float(_)
        | FieldValue::Time(_)
        | FieldValue::Duration(_)
        | FieldValue::Bytes(_)
        | FieldValue::Ref { .. }
        | FieldValue::List(_)
        | FieldValue::Map(_) => return None,
    };
    let known = schema.enums.iter().find(|def| def.name == name);
    let fits = known.is_none_or(|def| {
        let same = |(known, values): &(String, u32)| {
            **known == *variant && *values as usize == payload.len()
        };
        def.variants.iter().any(same)
    });
    fits.then(|| FieldValue::Enum {
        name: name.into(),
        variant,
        payload,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::EnumDef;

    #[test]
    fn what_fits_is_converted_and_nothing_is_rounded() {
        let variants = vec![("On".to_owned(), 0), ("Off".to_owned(), 1)];
        let state = EnumDef {
            name: "State".into(),
            variants,
        };
        let schema = Schema {
            types: Vec::new(),
            enums: vec![state],
        };
        let text = |text: &str| FieldValue::text(text);
        let state = |variant: &str| FieldValue::Enum {
            name: "State".into(),
            variant: variant.into(),
            payload: Vec::new(),
        };
        let cases = [
            (
                FieldType::Int,
                FieldValue::Float(3.0),
                Some(FieldValue::Int(3)),
            ),
            (FieldType::Int, FieldValue::Float(3.5), None),
            (FieldType::Int, FieldValue::Float(9.3e18), None),
            (FieldType::Int, FieldValue::Float(f64::NAN), None),
            (FieldType::Int, text(" 12 "), Some(FieldValue::Int(12))),
            (FieldType::Int, text("12 apples"), None),
            (
                FieldType::Float,
                FieldValue::Int(3),
                Some(FieldValue::Float(3.0)),
            ),
            (FieldType::Text, FieldValue::Float(3.0), Some(text("3.0"))),
            (FieldType::Text, state("On"), Some(text("On"))),
            (
                FieldType::Enum("State".into()),
                text("On"),
                Some(state("On")),
            ),
            (FieldType::Enum("State".into()), text("Off"), None),
            (FieldType::Enum("State".into()), state("Gone"), None),
            (FieldType::Bool, text("yes"), None),
            (
                FieldType::Time,
                text("2026-01-15"),
                Some(FieldValue::Time(1_768_435_200_000)),
            ),
            (
                FieldType::List(Box::new(FieldType::Int)),
                text("4"),
                Some(FieldValue::List(vec![FieldValue::Int(4)])),
            ),
            (
                FieldType::List(Box::new(FieldType::Int)),
                FieldValue::List(vec![FieldValue::None, text("x")]),
                None,
            ),
            (FieldType::Duration, FieldValue::Int(3), None),
        ];
        for (ty, value, expected) in cases {
            let said = format!("{value:?} as {ty}");
            assert_eq!(convert(value, &ty, &schema), expected, "{said}");
        }
    }
}
