//! Patterns: the left side of `let`, destructuring, parameters, loop variables and match arms.
//!
//! One kind of tree for all of them; whether a pattern may fail to match (and is allowed to) is checked by later stages.
//! A capitalised name is never a binding.

use super::{Expr, Name, TypeExpr};
use crate::span::Span;
use std::sync::Arc;

/// A pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// What it is.
    pub kind: PatternKind,
    /// Where it stands.
    pub span: Span,
    /// Height of the tree below, see [`super::Height`].
    pub height: u32,
}

impl Pattern {
    /// A pattern; its height is computed from its children.
    #[must_use]
    pub fn new(kind: PatternKind, span: Span) -> Pattern {
        let height = super::Height::height(&kind);
        Pattern { kind, span, height }
    }
}

/// The kinds of patterns.
#[derive(Clone, Debug, PartialEq)]
pub enum PatternKind {
    /// `_`.
    Wildcard,
    /// A name that is bound.
    Binding(Name),
    /// `form.name`, `xs[i]`: a field or an item that is assigned; only where a statement takes a value apart.
    Place(Box<Expr>),
    /// `int n`, `Todo t`, `[int] xs`: matches values of that type and binds them. The name may be `_`.
    Typed {
        /// The type.
        ty: TypeExpr,
        /// The bound name.
        name: Name,
    },
    /// A literal to compare with.
    Literal(Literal),
    /// `1..5`, `'a'..='z'`.
    Range {
        /// First.
        start: Literal,
        /// End.
        end: Literal,
        /// True for `..=`.
        inclusive: bool,
    },
    /// `Open`, `Status.Open`, `Move(d)`, `Msg.Move(d)`; also a constant's name.
    Variant {
        /// The enum's name if it is written.
        enum_name: Option<Name>,
        /// The variant.
        name: Name,
        /// Patterns for its data; none if there are no parentheses.
        payload: Option<Vec<Pattern>>,
    },
    /// `[a, b = 1, ...rest]`.
    List {
        /// Patterns for the first items.
        items: Vec<PatternItem>,
        /// `...rest`, always last.
        rest: Option<RestPattern>,
    },
    /// `{ a, b: c, d = 1, ...rest }`, or `Todo { title }` with a type name.
    Map {
        /// The entity's name if it is written.
        type_name: Option<Name>,
        /// The entries.
        entries: Vec<MapPatternEntry>,
        /// `...rest`, always last.
        rest: Option<RestPattern>,
    },
    /// `(a, b)`, at least two items.
    Tuple(Vec<PatternItem>),
    /// `a | b`.
    Or(Vec<Pattern>),
    /// Something that could not be read; a diagnostic says why.
    Error,
}

/// A literal in a pattern.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `none`.
    None,
    /// `true`, `false`.
    Bool(bool),
    /// An int, sign included.
    Int(i64),
    /// A float, sign included.
    Float(f64),
    /// A text without interpolation.
    Text(Arc<str>),
}

/// A pattern with a default for an absent (none) value.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternItem {
    /// The pattern.
    pub pattern: Pattern,
    /// `= value`.
    pub default: Option<Expr>,
}

/// `key`, `key: pattern`, either with a default.
#[derive(Clone, Debug, PartialEq)]
pub struct MapPatternEntry {
    /// The key that is read.
    pub key: Name,
    /// What happens to its value; a binding of the same name for the short form.
    pub pattern: Pattern,
    /// `= value`.
    pub default: Option<Expr>,
}

/// `...name` or `...` alone.
#[derive(Clone, Debug, PartialEq)]
pub struct RestPattern {
    /// The name that takes the rest.
    pub name: Option<Name>,
    /// Where it stands.
    pub span: Span,
}
