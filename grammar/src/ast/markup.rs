//! Markup: the content of `view { … }` and bare elements.
//!
//! Tags are matched already, comments are gone, character references (`&amp;`) are resolved, and runs of white space are
//! one blank except inside `<pre>` and `<textarea>`. What must stay true: a text node holds what the reader shall see, never
//! HTML source; escaping is the business of whoever writes HTML.

use super::{Expr, Height, Name, Pattern, TextPart};
use crate::span::Span;
use std::sync::Arc;

/// A piece of markup.
#[derive(Clone, Debug, PartialEq)]
pub struct Markup {
    /// What it is.
    pub kind: MarkupKind,
    /// Where it stands.
    pub span: Span,
    /// Height of the tree below, see [`Height`].
    pub height: u32,
}

impl Markup {
    /// A node; its height is computed from its children.
    #[must_use]
    pub fn new(kind: MarkupKind, span: Span) -> Markup {
        let height = kind.height();
        Markup { kind, span, height }
    }
}

/// The kinds of markup nodes.
#[derive(Clone, Debug, PartialEq)]
pub enum MarkupKind {
    /// An HTML element: `<p class="x">…</p>`.
    Element(Element),
    /// A component: `<Card title="x">…</Card>`.
    Component(Element),
    /// `<slot name="x">fallback</slot>`.
    Slot {
        /// Absent for the default slot.
        name: Option<Arc<str>>,
        /// Shown if nothing fills the slot.
        fallback: Vec<Markup>,
    },
    /// Characters to show.
    Text(Arc<str>),
    /// `{ expression }`.
    Interpolation(Expr),
    /// `{if c}…{else if d}…{else}…{/if}`; a chain is flat.
    If {
        /// At least one.
        branches: Vec<MarkupBranch>,
        /// The part after `{else}`.
        otherwise: Option<Vec<Markup>>,
    },
    /// `{for a, b in c}…{empty}…{/for}`.
    For {
        /// One or two patterns.
        bindings: Vec<Pattern>,
        /// What is walked.
        iterable: Expr,
        /// Shown per turn.
        body: Vec<Markup>,
        /// Shown if there is no turn.
        empty: Option<Vec<Markup>>,
    },
    /// `<style>…</style>`: the content as written.
    Style {
        /// Attributes of the tag.
        attributes: Vec<Attribute>,
        /// The style sheet.
        css: Arc<str>,
    },
    /// Something that could not be read; a diagnostic says why.
    Error,
}

/// An element or component with its attributes and children.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    /// The tag's name.
    pub name: Name,
    /// Its attributes in order.
    pub attributes: Vec<Attribute>,
    /// Its children in order.
    pub children: Vec<Markup>,
    /// True for void elements (`<br>`) and `<x/>`.
    pub self_closed: bool,
}

/// One branch of a markup `{if}`.
#[derive(Clone, Debug, PartialEq)]
pub struct MarkupBranch {
    /// The condition.
    pub condition: Expr,
    /// Shown if it is truthy.
    pub body: Vec<Markup>,
}

/// An attribute of a tag.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// What it is.
    pub kind: AttributeKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of attributes.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeKind {
    /// An ordinary attribute or a component's prop.
    Plain {
        /// The name, such as `class` or `aria-label`.
        name: Name,
        /// The value.
        value: AttributeValue,
    },
    /// `click={…}`, `keydown.enter={…}`.
    Event {
        /// The event's name.
        event: Name,
        /// The names after it, such as `enter`.
        modifiers: Vec<Name>,
        /// An expression, the name of a function, or a `Block`.
        handler: Expr,
    },
    /// `bind={variable}`; the target is what may be assigned.
    Bind(Expr),
}

/// The value of a plain attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeValue {
    /// No value: `disabled`.
    Flag,
    /// `name="text"`.
    Static(Arc<str>),
    /// `name={expression}`.
    Expr(Expr),
    /// `name="a {expression}"`.
    Mixed(Vec<TextPart>),
}
