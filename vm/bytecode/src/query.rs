//! What the compiler knows of the functions that stand in queries: which of their conditions the store can answer from a
//! record's columns alone, and which fields the program asks for. Here, apart from `module.rs`, because it is a small
//! language of its own. Must stay true: a condition stands here only if computing it can neither fail nor do anything,
//! whatever record it is about; the function itself stays the judge and may be called on any record again.

use crate::ids::{EntityTypeId, FuncId};

/// All that a module says about its queries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queries {
    /// Whether queries ask the store for more than all records of a type. Off, every condition runs on every record.
    pub pushed: bool,
    /// Functions that stand in `where`, `order` and the like, ascending by function.
    pub arguments: Vec<QueryArg>,
    /// Declared fields that some query asks for.
    pub fields: Vec<AskedField>,
}

impl Queries {
    /// What is known of a function as the argument of a query over an entity.
    pub fn argument(&self, func: FuncId, entity: EntityTypeId) -> Option<&QueryArg> {
        let found = self
            .arguments
            .binary_search_by_key(&func.0, |argument| argument.func.0);
        let argument = &self.arguments[found.ok()?];
        (argument.entity == entity).then_some(argument)
    }
}

/// A declared field that queries ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedField {
    /// The entity.
    pub entity: EntityTypeId,
    /// Number of the field.
    pub field: u32,
    /// Stands in a condition, or is added up.
    pub queried: bool,
    /// Is what records are sorted by, or compared by `<` and the like.
    pub ordered: bool,
}

/// A closure function of one record that stands in a query.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryArg {
    /// The function.
    pub func: FuncId,
    /// Whose records it takes.
    pub entity: EntityTypeId,
    /// A closure function with the same captures and no parameters: gives the list of the values that the conditions
    /// compare with. None where there are none.
    pub known: Option<FuncId>,
    /// What it computes.
    pub meaning: QueryMeaning,
}

/// What an argument of a query computes.
#[derive(Clone, Debug, PartialEq)]
pub enum QueryMeaning {
    /// A condition, as a conjunction: the first parts of it, each in postfix order; and whether that is all of it.
    Conditions(Vec<Vec<QueryTest>>, bool),
    /// Just the value of a column.
    Key(QueryColumn),
}

/// What a record has one value of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueryColumn {
    /// `id`
    Id,
    /// `version`
    Version,
    /// `created_at`
    CreatedAt,
    /// `updated_at`
    UpdatedAt,
    /// `deleted_at`
    DeletedAt,
    /// A declared field, by number.
    Field(u32),
}

/// How a column is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueryComparison {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl QueryComparison {
    /// The same with its sides exchanged.
    #[must_use]
    pub const fn flipped(self) -> QueryComparison {
        match self {
            QueryComparison::Eq => QueryComparison::Eq,
            QueryComparison::Ne => QueryComparison::Ne,
            QueryComparison::Lt => QueryComparison::Gt,
            QueryComparison::Le => QueryComparison::Ge,
            QueryComparison::Gt => QueryComparison::Lt,
            QueryComparison::Ge => QueryComparison::Le,
        }
    }

    /// As it is written.
    pub const fn sign(self) -> &'static str {
        match self {
            QueryComparison::Eq => "==",
            QueryComparison::Ne => "!=",
            QueryComparison::Lt => "<",
            QueryComparison::Le => "<=",
            QueryComparison::Gt => ">",
            QueryComparison::Ge => ">=",
        }
    }
}

/// One step of a condition in postfix order. Numbers of values count in the list that `QueryArg::known` gives.
#[derive(Clone, Debug, PartialEq)]
pub enum QueryTest {
    /// A column compared with a value.
    Compare(QueryColumn, QueryComparison, u32),
    /// A column is one of a list of values.
    In(QueryColumn, u32),
    /// A text column starts with a text.
    Prefix(QueryColumn, u32),
    /// A text column contains a text.
    Contains(QueryColumn, u32),
    /// A bool column is true.
    Truth(QueryColumn),
    /// A value is truthy.
    Known(u32),
    /// All of the last n hold.
    All(u32),
    /// One of the last n holds.
    Any(u32),
    /// The last one does not hold.
    Not,
}
