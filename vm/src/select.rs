//! What a query asks the host: conditions over columns, an order, a number of records; and a plain evaluation of that over
//! a list of records, for hosts that keep no indexes. Here because machine and host share it. Must stay true: conditions
//! mean exactly what the program's own operators mean (ints and floats by value, text by code points, none equal to
//! none, NaN equal to nothing), so that it makes no difference who evaluates them.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use flin_bytecode::ids::EntityTypeId;
use flin_bytecode::{Module, QueryColumn, QueryComparison};

use crate::host::{HostRecord, HostValue, Moment, ScanMode};
use crate::semantics::compare::int_float;

/// Which records of a type.
#[derive(Clone, Debug, PartialEq)]
pub enum HostPredicate {
    /// All.
    Always,
    /// Those whose column compares like this with a value. Only values that have an order with the column's are asked for
    /// by `<` and the like.
    Compare {
        /// The column.
        column: QueryColumn,
        /// How.
        comparison: QueryComparison,
        /// With what; none only for `==` and `!=`.
        value: HostValue,
    },
    /// Those whose column equals one of the values.
    In {
        /// The column.
        column: QueryColumn,
        /// The values.
        values: Vec<HostValue>,
    },
    /// Those whose text column starts with a text.
    Prefix {
        /// The column.
        column: QueryColumn,
        /// The text.
        text: String,
    },
    /// Those whose text column contains a text.
    Contains {
        /// The column.
        column: QueryColumn,
        /// The text.
        text: String,
    },
    /// Those for which all hold.
    And(Vec<HostPredicate>),
    /// Those for which one holds.
    Or(Vec<HostPredicate>),
    /// Those for which it does not hold.
    Not(Box<HostPredicate>),
}

/// What records are sorted by. In both directions those without a value come last, NaN before them; among equal ones the
/// next order decides, in the end the id, upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostOrder {
    /// The column.
    pub column: QueryColumn,
    /// From the greatest to the least.
    pub descending: bool,
}

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub struct HostQuery {
    /// The entity type.
    pub ty: EntityTypeId,
    /// Deleted records or others.
    pub mode: ScanMode,
    /// As they were at a moment; none: as they are.
    pub as_of: Option<Moment>,
    /// Which of them.
    pub predicate: HostPredicate,
    /// The order; by id where nothing else decides.
    pub order: Vec<HostOrder>,
    /// So many are left out.
    pub skip: u64,
    /// At most so many.
    pub limit: Option<u64>,
}

/// What is made of a column of the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostTotal {
    /// Values added one after the other.
    Sum,
    /// The least.
    Min,
    /// The greatest.
    Max,
}

/// Answer to a question for a total. What has no value does not count.
#[derive(Clone, Debug, PartialEq)]
pub enum TotalAnswer {
    /// No record has a value.
    Nothing,
    /// The total.
    Value(HostValue),
    /// Not to be had this way (an overflow, values that cannot be added or have no order): ask for the records.
    Unclear,
}

impl HostQuery {
    /// The records of a list that the query finds; the list is of its type, mode and moment, by id.
    pub fn select(&self, records: Vec<HostRecord>) -> Vec<HostRecord> {
        let mut found: Vec<HostRecord> = records
            .into_iter()
            .filter(|record| self.predicate.holds(record))
            .collect();
        if !self.order.is_empty() {
            found.sort_by(|a, b| self.sorted(a, b));
        }
        let skip = usize::try_from(self.skip).unwrap_or(usize::MAX);
        let limit = self.limit.map_or(usize::MAX, |limit| {
            usize::try_from(limit).unwrap_or(usize::MAX)
        });
        found.into_iter().skip(skip).take(limit).collect()
    }

    fn sorted(&self, a: &HostRecord, b: &HostRecord) -> Ordering {
        for order in &self.order {
            let (x, y) = (column_of(a, order.column), column_of(b, order.column));
            let by = rank(&x).cmp(&rank(&y)).then_with(|| {
                let by = compared(&x, &y).unwrap_or(Ordering::Equal);
                if order.descending { by.reverse() } else { by }
            });
            if by != Ordering::Equal {
                return by;
            }
        }
        a.id.cmp(&b.id)
    }

    /// The query in words, with the names of a module.
    pub fn described(&self, module: &Module) -> String {
        let entity = &module.entities[self.ty.index()];
        let name = |column: QueryColumn| -> String {
            match column {
                QueryColumn::Id => "id".to_owned(),
                QueryColumn::Version => "version".to_owned(),
                QueryColumn::CreatedAt => "created_at".to_owned(),
                QueryColumn::UpdatedAt => "updated_at".to_owned(),
                QueryColumn::DeletedAt => "deleted_at".to_owned(),
                QueryColumn::Field(field) => entity.fields[field as usize].name.clone(),
            }
        };
        let mut out = entity.name.clone();
        match self.mode {
            ScanMode::Live => {}
            ScanMode::Deleted => out.push_str(", deleted ones"),
            ScanMode::All => out.push_str(", deleted ones too"),
        }
        if self.as_of.is_some() {
            out.push_str(", as they were");
        }
        if self.predicate != HostPredicate::Always {
            out.push_str(" where ");
            write_predicate(module, &self.predicate, &name, false, &mut out);
        }
        for (at, order) in self.order.iter().enumerate() {
            out.push_str(if at == 0 { " by " } else { ", " });
            out.push_str(&name(order.column));
            if order.descending {
                out.push_str(" downwards");
            }
        }
        if self.skip > 0 {
            out.push_str(&format!(", without the first {}", self.skip));
        }
        if let Some(limit) = self.limit {
            out.push_str(&format!(", at most {limit}"));
        }
        out
    }
}

impl HostPredicate {
    /// Both of two.
    #[must_use]
    pub fn and(self, other: HostPredicate) -> HostPredicate {
        match (self, other) {
            (HostPredicate::Always, other) | (other, HostPredicate::Always) => other,
            (HostPredicate::And(mut parts), other) => {
                parts.push(other);
                HostPredicate::And(parts)
            }
            (one, other) => HostPredicate::And(vec![one, other]),
        }
    }

    /// Whether it holds for a record.
    pub fn holds(&self, record: &HostRecord) -> bool {
        match self {
            HostPredicate::Always => true,
            HostPredicate::Compare {
                column,
                comparison,
                value,
            } => {
                let held = column_of(record, *column);
                let order = || compared(&held, value);
                match comparison {
                    QueryComparison::Eq => equal(&held, value),
                    QueryComparison::Ne => !equal(&held, value),
                    QueryComparison::Lt => order() == Some(Ordering::Less),
                    QueryComparison::Le => order().is_some_and(Ordering::is_le),
                    QueryComparison::Gt => order() == Some(Ordering::Greater),
                    QueryComparison::Ge => order().is_some_and(Ordering::is_ge),
                }
            }
            HostPredicate::In { column, values } => {
                let held = column_of(record, *column);
                values.iter().any(|value| equal(&held, value))
            }
            HostPredicate::Prefix { column, text } => {
                matches!(&*column_of(record, *column), HostValue::Text(held) if held.starts_with(text.as_str()))
            }
            HostPredicate::Contains { column, text } => {
                matches!(&*column_of(record, *column), HostValue::Text(held) if held.contains(text.as_str()))
            }
            HostPredicate::And(parts) => parts.iter().all(|part| part.holds(record)),
            HostPredicate::Or(parts) => parts.iter().any(|part| part.holds(record)),
            HostPredicate::Not(part) => !part.holds(record),
        }
    }
}

/// The value of a record's column.
fn column_of(record: &HostRecord, column: QueryColumn) -> Cow<'_, HostValue> {
    Cow::Owned(match column {
        QueryColumn::Id => HostValue::Int(record.id),
        QueryColumn::Version => HostValue::Int(record.version),
        QueryColumn::CreatedAt => HostValue::Time(record.created_at),
        QueryColumn::UpdatedAt => HostValue::Time(record.updated_at),
        QueryColumn::DeletedAt => record.deleted_at.map_or(HostValue::None, HostValue::Time),
        QueryColumn::Field(field) => {
            return record
                .fields
                .get(field as usize)
                .map_or(Cow::Owned(HostValue::None), Cow::Borrowed);
        }
    })
}

/// Values first, then NaN, then none.
fn rank(value: &HostValue) -> u8 {
    match value {
        HostValue::None => 2,
        HostValue::Float(value) if value.is_nan() => 1,
        _ => 0,
    }
}

fn equal(a: &HostValue, b: &HostValue) -> bool {
    match (a, b) {
        (HostValue::Int(int), HostValue::Float(float))
        | (HostValue::Float(float), HostValue::Int(int)) => {
            int_float(*int, *float) == Some(Ordering::Equal)
        }
        (HostValue::Entity(record), HostValue::Link(ty, id))
        | (HostValue::Link(ty, id), HostValue::Entity(record)) => {
            record.ty == *ty && record.id == *id
        }
        (a, b) => a == b,
    }
}

fn compared(a: &HostValue, b: &HostValue) -> Option<Ordering> {
    match (a, b) {
        (HostValue::Int(a), HostValue::Int(b)) => Some(a.cmp(b)),
        (HostValue::Float(a), HostValue::Float(b)) => a.partial_cmp(b),
        (HostValue::Int(int), HostValue::Float(float)) => int_float(*int, *float),
        (HostValue::Float(float), HostValue::Int(int)) => {
            int_float(*int, *float).map(Ordering::reverse)
        }
        (HostValue::Text(a), HostValue::Text(b)) => Some(a.cmp(b)),
        (HostValue::Time(a), HostValue::Time(b))
        | (HostValue::Duration(a), HostValue::Duration(b)) => Some(a.cmp(b)),
        (HostValue::Bool(a), HostValue::Bool(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn write_predicate(
    module: &Module,
    predicate: &HostPredicate,
    name: &dyn Fn(QueryColumn) -> String,
    inside: bool,
    out: &mut String,
) {
    let value = |value: &HostValue| Shown { module, value }.to_string();
    let joined = |parts: &[HostPredicate], word: &str, out: &mut String| {
        if inside {
            out.push('(');
        }
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                out.push_str(word);
            }
            write_predicate(module, part, name, true, out);
        }
        if inside {
            out.push(')');
        }
    };
    match predicate {
        HostPredicate::Always => out.push_str("true"),
        HostPredicate::Compare {
            column,
            comparison,
            value: with,
        } => out.push_str(&format!(
            "{} {} {}",
            name(*column),
            comparison.sign(),
            value(with)
        )),
        HostPredicate::In { column, values } => {
            let values: Vec<String> = values.iter().map(value).collect();
            out.push_str(&format!("{} in [{}]", name(*column), values.join(", ")));
        }
        HostPredicate::Prefix { column, text } => {
            out.push_str(&format!("{}.starts_with({text:?})", name(*column)));
        }
        HostPredicate::Contains { column, text } => {
            out.push_str(&format!("{}.contains({text:?})", name(*column)));
        }
        HostPredicate::And(parts) => joined(parts, " && ", out),
        HostPredicate::Or(parts) => joined(parts, " || ", out),
        HostPredicate::Not(part) => match &**part {
            HostPredicate::Always => out.push_str("false"),
            part => {
                out.push_str("!(");
                write_predicate(module, part, name, false, out);
                out.push(')');
            }
        },
    }
}

/// A value as it stands in a program.
struct Shown<'a> {
    module: &'a Module,
    value: &'a HostValue,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            HostValue::None => f.write_str("none"),
            HostValue::Bool(value) => write!(f, "{value}"),
            HostValue::Int(value) => write!(f, "{value}"),
            HostValue::Float(value) => write!(f, "{value:?}"),
            HostValue::Text(text) => write!(f, "{text:?}"),
            HostValue::Time(ms) => f.write_str(&crate::iso::format(*ms)),
            HostValue::Duration(ms) => write!(f, "{ms}.ms"),
            HostValue::Link(ty, id) => write!(f, "{} {id}", self.module.entities[ty.index()].name),
            HostValue::Enum { index, variant, .. } => {
                let def = &self.module.enums[*index as usize];
                write!(f, "{}.{}", def.name, def.variants[*variant as usize].0)
            }
            HostValue::Entity(_)
            | HostValue::List(_)
            | HostValue::Tuple(_)
            | HostValue::Map(_)
            | HostValue::Response(_) => f.write_str("…"),
        }
    }
}
