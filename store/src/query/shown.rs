//! Conditions and orders in plain words, for `explain`.
//!
//! What must stay true: names are those of the program, values look as they are written there.

use std::fmt;

use crate::query::{Column, Order, Predicate};
use crate::schema::TypeDef;
use crate::value::FieldValue;

/// Values of a list that are shown; of the rest only the number.
const LISTED: usize = 3;

/// A column by name.
pub(crate) fn column_name(def: &TypeDef, column: Column) -> String {
    match column {
        Column::Id => "id".to_owned(),
        Column::Version => "version".to_owned(),
        Column::CreatedAt => "created_at".to_owned(),
        Column::UpdatedAt => "updated_at".to_owned(),
        Column::DeletedAt => "deleted_at".to_owned(),
        Column::Field(field) => match def.fields.get(field.0 as usize) {
            Some(field) => field.name.clone(),
            None => format!("field {}", field.0),
        },
    }
}

/// A key of an order.
pub(crate) fn order_words(def: &TypeDef, order: &[Order]) -> String {
    let key = |key: &Order| {
        let direction = if key.descending { " downwards" } else { "" };
        format!("{}{direction}", column_name(def, key.column))
    };
    order.iter().map(key).collect::<Vec<_>>().join(", then ")
}

/// A condition with the names of its type.
pub(crate) struct Shown<'a> {
    pub(crate) predicate: &'a Predicate,
    pub(crate) def: &'a TypeDef,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |column: &Column| column_name(self.def, *column);
        let inner = |predicate| Shown {
            predicate,
            def: self.def,
        };
        match self.predicate {
            Predicate::Always => f.write_str("every record"),
            Predicate::Compare {
                column,
                comparison,
                value,
            } => write!(f, "{} {} {}", name(column), comparison.sign(), words(value)),
            Predicate::IsNone(column) => write!(f, "{} == none", name(column)),
            Predicate::In { column, values } => {
                let shown: Vec<String> = values.iter().take(LISTED).map(words).collect();
                write!(f, "{} in [{}", name(column), shown.join(", "))?;
                match values.len().checked_sub(LISTED + 1) {
                    Some(more) => write!(f, ", and {} more]", more + 1),
                    None => f.write_str("]"),
                }
            }
            Predicate::Prefix { column, text } => {
                write!(f, "{} starts with {text:?}", name(column))
            }
            Predicate::Contains { column, text } => {
                write!(f, "{} contains {text:?}", name(column))
            }
            Predicate::And(all) => joined(f, all, " and ", &inner, "every record"),
            Predicate::Or(any) => joined(f, any, " or ", &inner, "no record"),
            Predicate::Not(one) => write!(f, "not ({})", inner(one)),
        }
    }
}

fn joined<'a>(
    f: &mut fmt::Formatter<'_>,
    parts: &'a [Predicate],
    word: &str,
    inner: &dyn Fn(&'a Predicate) -> Shown<'a>,
    empty: &str,
) -> fmt::Result {
    if parts.is_empty() {
        return f.write_str(empty);
    }
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(word)?;
        }
        match part {
            Predicate::And(_) | Predicate::Or(_) => write!(f, "({})", inner(part))?,
            Predicate::Always
            | Predicate::Compare { .. }
            | Predicate::IsNone(_)
            | Predicate::In { .. }
            | Predicate::Prefix { .. }
            | Predicate::Contains { .. }
            | Predicate::Not(_) => write!(f, "{}", inner(part))?,
        }
    }
    Ok(())
}

/// A value, shortened where it is long.
fn words(value: &FieldValue) -> String {
    match value {
        FieldValue::None => "none".to_owned(),
        FieldValue::Bool(value) => value.to_string(),
        FieldValue::Int(value) => value.to_string(),
        FieldValue::Float(value) => format!("{value:?}"),
        FieldValue::Text(text) => format!("{text:?}"),
        FieldValue::Time(ms) => format!("time {ms}"),
        FieldValue::Duration(ms) => format!("{ms} ms"),
        FieldValue::Bytes(bytes) => format!("{} bytes", bytes.len()),
        FieldValue::Ref { id, .. } => format!("record {id}"),
        FieldValue::Enum { variant, .. } => variant.to_string(),
        FieldValue::List(items) => format!("a list of {}", items.len()),
        FieldValue::Map(entries) => format!("a map of {}", entries.len()),
    }
}
