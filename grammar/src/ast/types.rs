//! Written types, as they stand in annotations, declarations and after `is`.
//!
//! Only the syntax: whether a name is a type, and how many arguments it takes, is for later stages.

use super::{Height, Name};
use crate::span::Span;

/// A written type.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeExpr {
    /// What it is.
    pub kind: TypeKind,
    /// Where it stands.
    pub span: Span,
    /// Height of the tree below, see [`Height`].
    pub height: u32,
}

impl TypeExpr {
    /// A type; its height is computed from its children.
    #[must_use]
    pub fn new(kind: TypeKind, span: Span) -> TypeExpr {
        let height = kind.height();
        TypeExpr { kind, span, height }
    }
}

/// The kinds of written types.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// `int`, `text`, `any`, `error`, `Todo`, `Pair<int>`.
    Named {
        /// The type's name.
        name: Name,
        /// Type arguments; empty if there are none.
        args: Vec<TypeExpr>,
    },
    /// `none`.
    None,
    /// `[T]`.
    List(Box<TypeExpr>),
    /// `[K:V]`.
    Map {
        /// Type of the keys.
        key: Box<TypeExpr>,
        /// Type of the values.
        value: Box<TypeExpr>,
    },
    /// `(A, B)`, at least two.
    Tuple(Vec<TypeExpr>),
    /// `T?`.
    Optional(Box<TypeExpr>),
    /// `A | B | C`, at least two.
    Union(Vec<TypeExpr>),
    /// `(A, B) -> R`.
    Fn {
        /// Types of the parameters.
        params: Vec<TypeExpr>,
        /// Type of the result.
        result: Box<TypeExpr>,
    },
    /// Something that could not be read; a diagnostic says why.
    Error,
}
