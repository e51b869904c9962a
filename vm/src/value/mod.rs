//! Values: the `any` word and what it can mean. Here because every part of the VM speaks of values.
//! Must stay true: only `repr.rs` knows how a word is encoded; all others look at values through `View`.

pub(crate) mod repr;

pub(crate) use repr::Word;

use crate::heap::Obj;

/// What a word means, taken apart for a `match`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum View {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Time(i64),
    Duration(i64),
    Text(Obj),
    List(Obj),
    Map(Obj),
    Closure(Obj),
    Cell(Obj),
    Entity(Obj),
    Query(Obj),
    Error(Obj),
    Response(Obj),
    Range(Obj),
    Tuple(Obj),
    Enum(Obj),
}

impl View {
    /// The name of the type in messages.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            View::None => "none",
            View::Bool(_) => "bool",
            View::Int(_) => "int",
            View::Float(_) => "float",
            View::Time(_) => "time",
            View::Duration(_) => "duration",
            View::Text(_) => "text",
            View::List(_) => "list",
            View::Map(_) => "map",
            View::Closure(_) => "function",
            View::Cell(_) => "variable",
            View::Entity(_) => "entity",
            View::Query(_) => "query",
            View::Error(_) => "error",
            View::Response(_) => "response",
            View::Range(_) => "range",
            View::Tuple(_) => "tuple",
            View::Enum(_) => "enum",
        }
    }
}
