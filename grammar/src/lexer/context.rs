//! Where pass 2 stands: a stack of brackets with their kinds, and in each of them the heads that wait for their `{`.
//!
//! The kind of the innermost bracket decides what a newline means; a head (`if …`, `fn …`) makes the next `{` at its depth a block.

use crate::token::Tok;

/// What a bracket holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The file, a block, a handler: statements.
    Statements,
    /// Entries of a map, entity or `response` literal or of a map pattern.
    Entries,
    /// Fields of an entity or `validate`.
    Fields,
    /// Variants of an enum.
    Variants,
    /// Arms of a `match`.
    Arms,
    /// Arguments, parameters, a group or a tuple.
    Round,
    /// A list, an index, a slice, a list type.
    Square,
    /// Type arguments or parameters.
    Generic,
    /// An expression embedded in a text or in markup.
    Embedded,
}

impl Kind {
    /// A newline separates entries.
    pub(super) fn newline_is_comma(self) -> bool {
        match self {
            Kind::Entries | Kind::Fields | Kind::Variants | Kind::Arms => true,
            Kind::Statements | Kind::Round | Kind::Square | Kind::Generic | Kind::Embedded => false,
        }
    }

    /// An entry may start with `key:`.
    pub(super) fn has_keys(self) -> bool {
        match self {
            Kind::Entries | Kind::Fields | Kind::Round => true,
            Kind::Statements
            | Kind::Variants
            | Kind::Arms
            | Kind::Square
            | Kind::Generic
            | Kind::Embedded => false,
        }
    }
}

/// A construct whose `{` is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    If,
    Match,
    Catch,
    Fields,
    Variants,
    /// `else`, `loop`, `try`: the brace follows at once.
    Bare,
    /// `while`, `for`, `fn`, `page`, `route` …
    Block,
}

impl Head {
    /// What its braces hold.
    pub(super) fn kind(self) -> Kind {
        match self {
            Head::If | Head::Catch | Head::Bare | Head::Block => Kind::Statements,
            Head::Match => Kind::Arms,
            Head::Fields => Kind::Fields,
            Head::Variants => Kind::Variants,
        }
    }
}

/// An open bracket.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    /// The head that its brace closed.
    pub(super) head: Option<Head>,
    pub(super) heads: Vec<Head>,
    /// The terminal that ends it.
    pub(super) close: Tok,
}

impl Frame {
    pub(super) fn new(kind: Kind, close: Tok) -> Frame {
        Frame {
            kind,
            head: None,
            heads: Vec::new(),
            close,
        }
    }
}
