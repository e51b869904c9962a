//! The arms of a `match` as far as they decide which values are taken: patterns with names bound and bindings dropped. Here
//! because resolving makes them and inference, which knows the types, judges them. Must stay true: a case takes no value
//! that its arm does not take; what cannot be told is `Unsure`, which takes nothing for sure.

use flin_syntax::Span;

use crate::hir::{EntityIx, EnumIx, TypeAnn};

/// An arm.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it takes.
    pub pattern: CasePattern,
    /// Whether a condition behind it may refuse what the pattern takes.
    pub guarded: bool,
    /// The whole arm.
    pub span: Span,
}

/// Which values a pattern takes.
#[derive(Clone, Debug)]
pub enum CasePattern {
    /// Every value.
    Any,
    /// Every value but none.
    Some,
    /// Some values; which ones only the run shows.
    Unsure,
    /// `true`, `false`
    Bool(bool),
    /// What equals it.
    Int(i64),
    /// What equals it.
    Float(f64),
    /// What equals it.
    Text(String),
    /// From, to, inclusive; the ends are numbers or texts.
    Between(Box<CasePattern>, Box<CasePattern>, bool),
    /// What is of the type.
    Typed(TypeAnn),
    /// A variant with patterns for all of its data.
    Variant(EnumIx, u32, Vec<CasePattern>),
    /// A list: items, how many of them must be there, whether more may follow.
    List {
        /// Patterns for the first items.
        items: Vec<CasePattern>,
        /// So many of them must be there.
        needed: usize,
        /// More items may follow.
        rest: bool,
    },
    /// A tuple of that many items.
    Tuple(Vec<CasePattern>),
    /// A map; an absent key counts as none.
    Map(Vec<(String, CasePattern)>),
    /// A record of the entity.
    Entity(EntityIx, Vec<(String, CasePattern)>),
    /// What one of them takes.
    Or(Vec<CasePattern>),
}

impl CasePattern {
    /// Whether it takes every value, whatever the types are.
    #[must_use]
    pub fn is_any(&self) -> bool {
        match self {
            CasePattern::Any => true,
            CasePattern::Or(choices) => choices.iter().any(CasePattern::is_any),
            CasePattern::Some
            | CasePattern::Unsure
            | CasePattern::Bool(_)
            | CasePattern::Int(_)
            | CasePattern::Float(_)
            | CasePattern::Text(_)
            | CasePattern::Between(..)
            | CasePattern::Typed(_)
            | CasePattern::Variant(..)
            | CasePattern::List { .. }
            | CasePattern::Tuple(_)
            | CasePattern::Map(_)
            | CasePattern::Entity(..) => false,
        }
    }
}
