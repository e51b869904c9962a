//! What a program declares: types, fields and the rules on them.
//!
//! The program's schema is compared with the log's (`catalog.rs`) at every open. What must stay true: names decide
//! identity here, numbers decide identity in the log, and nothing in this file knows how values are encoded.

use std::fmt;

use crate::codec::value::{Nested, ValueRef};
use crate::value::{FieldIx, FieldValue, TypeIx};

/// Everything a program keeps in the store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    /// The types; `TypeIx` is a position in this list.
    pub types: Vec<TypeDef>,
    /// The enums that fields name. One that is not listed here is taken with whatever variants it has.
    pub enums: Vec<EnumDef>,
}

/// One entity type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TypeDef {
    /// Name, unique within the schema.
    pub name: String,
    /// Fields; `FieldIx` is a position in this list.
    pub fields: Vec<FieldDef>,
    /// Names it had before (`@was`): data under one of them is this type's.
    pub was: Vec<String>,
    /// How much history is kept (`@keep`).
    pub keep: Keep,
}

/// How much of a record's history is kept. The newest version of every record is kept whatever this says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// So many versions of each record, the newest one included; none: all of them.
    pub versions: Option<u32>,
    /// Versions that were replaced at most so many days ago; none: however old.
    pub days: Option<u32>,
}

impl Keep {
    /// Whether everything is kept.
    pub fn is_everything(&self) -> bool {
        *self == Keep::default()
    }
}

/// An enum as the store needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumDef {
    /// Name, unique among enums.
    pub name: String,
    /// Name of each variant and how many values it carries.
    pub variants: Vec<(String, u32)>,
}

/// One field of a type.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDef {
    /// Name, unique within the type.
    pub name: String,
    /// Type of the values; `none` is always allowed as well.
    pub ty: FieldType,
    /// Recorded for readers of the log; enforced when a program saves, not here. It does stop `SetNone`.
    pub required: bool,
    /// No two live records hold the same value (any number may hold `none`).
    pub unique: bool,
    /// Recorded; the store may keep an index for it.
    pub index: bool,
    /// What happens to this record when the record it links to is deleted.
    pub on_delete: OnDelete,
    /// Names it had before (`@was`): values under one of them are this field's.
    pub was: Vec<String>,
    /// Never `none` once saved: `required`, or with a default and not marked optional.
    pub never_none: bool,
    /// What records read that were written before the field existed; `None`: they read `none`.
    pub fill: Option<FieldValue>,
    /// The program has conditions on it. Not recorded in the log; the store keeps what makes them fast.
    pub queried: bool,
    /// The program has ranges of it or orders by it. Not recorded in the log; the store keeps an ordered index.
    pub ordered: bool,
}

impl FieldDef {
    /// A field without any rule.
    pub fn new(name: impl Into<String>, ty: FieldType) -> Self {
        FieldDef {
            name: name.into(),
            ty,
            required: false,
            unique: false,
            index: false,
            on_delete: OnDelete::Restrict,
            was: Vec::new(),
            never_none: false,
            fill: None,
            queried: false,
            ordered: false,
        }
    }

    /// The same field, as a program declares it that has conditions on it.
    #[must_use]
    pub fn queried(mut self) -> Self {
        self.queried = true;
        self
    }

    /// The same field, as a program declares it that orders by it or asks for ranges.
    #[must_use]
    pub fn ordered(mut self) -> Self {
        self.ordered = true;
        self
    }

    /// The same field, unique.
    #[must_use]
    pub fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// The same field, required.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same field with a rule for deleted targets.
    #[must_use]
    pub fn on_delete(mut self, rule: OnDelete) -> Self {
        self.on_delete = rule;
        self
    }
}

/// The type of a field's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// Truth value.
    Bool,
    /// 64-bit integer.
    Int,
    /// Double.
    Float,
    /// Text.
    Text,
    /// Point in time.
    Time,
    /// Span of time.
    Duration,
    /// Raw bytes.
    Bytes,
    /// Link to a record of the named type.
    Ref(String),
    /// Value of the named enum (the store does not know its variants).
    Enum(String),
    /// List of one element type.
    List(Box<FieldType>),
    /// Map from text to one value type.
    Map(Box<FieldType>),
    /// Anything a field can hold (unions, `any`).
    Any,
}

/// What happens to a record when the record it links to is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDelete {
    /// The deletion is refused.
    #[default]
    Restrict,
    /// The link becomes `none`.
    SetNone,
    /// This record is deleted too.
    Cascade,
}

impl Schema {
    /// Position of a type by name.
    pub fn type_ix(&self, name: &str) -> Option<TypeIx> {
        self.types
            .iter()
            .position(|ty| ty.name == name)
            .map(|ix| TypeIx(ix as u32))
    }

    /// The definition at a position. Panics on a `TypeIx` of another schema: that is a bug of the caller.
    pub fn type_def(&self, ty: TypeIx) -> &TypeDef {
        &self.types[ty.0 as usize]
    }
}

impl TypeDef {
    /// Position of a field by name.
    pub fn field_ix(&self, name: &str) -> Option<FieldIx> {
        self.fields
            .iter()
            .position(|field| field.name == name)
            .map(|ix| FieldIx(ix as u32))
    }
}

/// Values as fields of these types hold them: `FieldType::widen` for each.
pub(crate) fn widen_all(values: &mut [FieldValue], fields: &[FieldDef]) {
    for (value, field) in values.iter_mut().zip(fields) {
        if field.ty.can_change() {
            *value = field.ty.widen(std::mem::take(value));
        }
    }
}

impl FieldType {
    /// Whether a value may stand in a field of this type. `none` may stand everywhere.
    pub fn accepts(&self, value: &FieldValue, schema: &Schema) -> bool {
        match (self, value) {
            (_, FieldValue::None)
            | (FieldType::Any, _)
            | (FieldType::Bool, FieldValue::Bool(_))
            | (FieldType::Int, FieldValue::Int(_))
            | (FieldType::Float, FieldValue::Float(_) | FieldValue::Int(_))
            | (FieldType::Text, FieldValue::Text(_))
            | (FieldType::Time, FieldValue::Time(_))
            | (FieldType::Duration, FieldValue::Duration(_))
            | (FieldType::Bytes, FieldValue::Bytes(_)) => true,
            (FieldType::Ref(name), FieldValue::Ref { ty, .. }) => schema
                .types
                .get(ty.0 as usize)
                .is_some_and(|def| def.name == *name),
            (FieldType::Enum(name), FieldValue::Enum { name: found, .. }) => **found == **name,
            (FieldType::List(item), FieldValue::List(items)) => {
                items.iter().all(|value| item.accepts(value, schema))
            }
            (FieldType::Map(item), FieldValue::Map(entries)) => {
                entries.iter().all(|(_, value)| item.accepts(value, schema))
            }
            (_, _) => false,
        }
    }

    /// Whether every value of `self` may stand in a field of type `wider`.
    pub fn widens_to(&self, wider: &FieldType) -> bool {
        match (self, wider) {
            (_, FieldType::Any) | (FieldType::Int, FieldType::Float) => true,
            (FieldType::List(from), FieldType::List(to))
            | (FieldType::Map(from), FieldType::Map(to)) => from.widens_to(to),
            (from, to) => from == to,
        }
    }

    /// Brings a stored value of a narrower type to this type (`int` to `float`); other values pass unchanged.
    pub(crate) fn widen(&self, value: FieldValue) -> FieldValue {
        match (self, value) {
            (FieldType::Float, FieldValue::Int(int)) => FieldValue::Float(int as f64),
            (FieldType::List(item), FieldValue::List(items)) if item.can_change() => {
                FieldValue::List(items.into_iter().map(|value| item.widen(value)).collect())
            }
            (FieldType::Map(item), FieldValue::Map(entries)) if item.can_change() => {
                FieldValue::Map(
                    entries
                        .into_iter()
                        .map(|(key, value)| (key, item.widen(value)))
                        .collect(),
                )
            }
            (_, value) => value,
        }
    }

    /// The same as `widen` for a value that is only looked at.
    #[inline]
    pub(crate) fn widen_ref<'a>(&self, value: ValueRef<'a>) -> ValueRef<'a> {
        if !self.can_change() {
            return value;
        }
        match (self, value) {
            (FieldType::Float, ValueRef::Int(int)) => ValueRef::Float(int as f64),
            (ty, ValueRef::Nested(value)) => {
                ValueRef::Nested(Nested::Own(Box::new(ty.widen(value.into_owned()))))
            }
            (_, value) => value,
        }
    }

    /// Whether values of this type can contain references.
    pub(crate) fn may_link(&self) -> bool {
        match self {
            FieldType::Ref(_) | FieldType::Any | FieldType::Enum(_) => true,
            FieldType::List(item) | FieldType::Map(item) => item.may_link(),
            FieldType::Bool
            | FieldType::Int
            | FieldType::Float
            | FieldType::Text
            | FieldType::Time
            | FieldType::Duration
            | FieldType::Bytes => false,
        }
    }

    /// Whether stored values of this type may be of a narrower one.
    #[inline]
    pub(crate) fn can_change(&self) -> bool {
        match self {
            FieldType::Float => true,
            FieldType::List(item) | FieldType::Map(item) => item.items_can_change(),
            FieldType::Bool
            | FieldType::Int
            | FieldType::Text
            | FieldType::Time
            | FieldType::Duration
            | FieldType::Bytes
            | FieldType::Ref(_)
            | FieldType::Enum(_)
            | FieldType::Any => false,
        }
    }

    fn items_can_change(&self) -> bool {
        self.can_change()
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FieldType::Bool => f.write_str("bool"),
            FieldType::Int => f.write_str("int"),
            FieldType::Float => f.write_str("float"),
            FieldType::Text => f.write_str("text"),
            FieldType::Time => f.write_str("time"),
            FieldType::Duration => f.write_str("duration"),
            FieldType::Bytes => f.write_str("bytes"),
            FieldType::Ref(name) | FieldType::Enum(name) => f.write_str(name),
            FieldType::List(item) => write!(f, "[{item}]"),
            FieldType::Map(item) => write!(f, "[text: {item}]"),
            FieldType::Any => f.write_str("any"),
        }
    }
}
