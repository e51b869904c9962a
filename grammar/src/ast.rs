//! The tree that the parser builds: a plain owned tree, one struct per idea, every node with its place in the source.
//!
//! This is the only thing later stages see of the syntax, so a node never needs to be parsed again: texts are split into
//! parts, numbers are numbers, markup is nested. What must stay true: the tree has no cycles and no sharing; heights are
//! bounded by [`crate::limits`], so a walk may recurse; a program with syntax errors still gives a tree, with `Error`
//! nodes where something could not be read.
//!
//! Statements and declarations are here, expressions in `expr`, patterns and types in `pattern` and `types`, markup in
//! `markup`; all names are exported flat from this module.

mod expr;
mod height;
mod markup;
mod pattern;
mod types;

pub use expr::{
    Arg, AssignOp, BinaryOp, ConditionalForm, Expr, ExprKind, IfBranch, ListItem, LogicalOp,
    MapEntry, MatchArm, PersistVerb, StepOp, TextPart, UnaryOp,
};
pub use height::Height;
pub use markup::{
    Attribute, AttributeKind, AttributeValue, Element, Markup, MarkupBranch, MarkupKind,
};
pub use pattern::{Literal, MapPatternEntry, Pattern, PatternItem, PatternKind, RestPattern};
pub use types::{TypeExpr, TypeKind};

use crate::span::Span;
use std::sync::Arc;

/// A whole source file.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Program {
    /// Declarations and statements in source order.
    pub statements: Vec<Stmt>,
    /// The whole file.
    pub span: Span,
}

/// An identifier with its place. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// The identifier's text; for a quoted map key the text between the quotes, escapes resolved.
    pub text: Arc<str>,
    /// Where it stands.
    pub span: Span,
}

impl Name {
    /// A name with its place.
    #[must_use]
    pub fn new(text: &str, span: Span) -> Name {
        Name {
            text: Arc::from(text),
            span,
        }
    }

    /// True if the name begins with a capital letter, which makes it type-like.
    #[must_use]
    pub fn is_capitalised(&self) -> bool {
        self.text.chars().next().is_some_and(char::is_uppercase)
    }
}

/// A text literal that may not contain interpolations: a path, a test name, a schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct PlainText {
    /// The text, escapes resolved.
    pub value: Arc<str>,
    /// The literal with its quotes.
    pub span: Span,
}

/// `{ … }` with statements. Its value is the value of its last statement if that is an expression, else none.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The statements in order.
    pub statements: Vec<Stmt>,
    /// Braces included.
    pub span: Span,
    /// Height of the tree below, see [`Height`].
    pub height: u32,
}

/// A statement or declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Stmt {
    /// What it is.
    pub kind: StmtKind,
    /// Where it stands.
    pub span: Span,
    /// Height of the tree below, see [`Height`].
    pub height: u32,
}

/// The kinds of statements and declarations.
#[derive(Clone, Debug, PartialEq)]
pub enum StmtKind {
    /// An expression; assignments, `return`, `break`, `if`, `match`, `loop`, `save` … are expression kinds.
    Expr(Expr),
    /// `let pattern [: type] = value`; always declares.
    Let {
        /// What is bound.
        pattern: Pattern,
        /// The annotation.
        ty: Option<TypeExpr>,
        /// The initial value.
        value: Expr,
    },
    /// `name: type = value`.
    Declare {
        /// The declared name.
        name: Name,
        /// The annotation.
        ty: TypeExpr,
        /// The initial value.
        value: Expr,
    },
    /// `const NAME [: type] = value`.
    Const {
        /// The name, capitalised or not.
        name: Name,
        /// The annotation.
        ty: Option<TypeExpr>,
        /// The value.
        value: Expr,
    },
    /// `[a, b] = value`, `{ a, b } = value`, `(a, b) = value`: every name in it is assigned or declared.
    Destructure {
        /// A list, map or tuple pattern.
        pattern: Pattern,
        /// What is taken apart.
        value: Expr,
    },
    /// `fn name(params) -> type { … }`.
    Fn(FnDecl),
    /// `entity Name @decorators { fields }`.
    Entity(EntityDecl),
    /// `enum Name { variants }`.
    Enum(EnumDecl),
    /// `type Name<params> = type`.
    TypeAlias(TypeAliasDecl),
    /// `view { markup }`.
    View(Vec<Markup>),
    /// Bare markup: an element where a statement may stand.
    Markup(Markup),
    /// `page "/path" { … }`.
    Page {
        /// The path.
        path: PlainText,
        /// State, functions and the view of the page.
        body: Block,
    },
    /// `component Name(params) { … }`.
    Component(ComponentDecl),
    /// `route METHOD "/path" { … }`.
    Route {
        /// `GET`, `POST`, … as written.
        method: Name,
        /// Absent in files whose place gives the path.
        path: Option<PlainText>,
        /// The handler; its value is the answer.
        body: Block,
    },
    /// `validate { field: type @rule … }`.
    Validate(Vec<FieldDecl>),
    /// `guard a, b(args)`.
    Guard(Vec<GuardUse>),
    /// `guard_definition name(params) { … }`.
    GuardDefinition {
        /// The guard's name.
        name: Name,
        /// Its parameters.
        params: Vec<Param>,
        /// Its body.
        body: Block,
    },
    /// `middleware { … }`.
    Middleware(Block),
    /// `ws "/path" { on connect { } on message(m) { } on close { } }`.
    Ws {
        /// The path.
        path: PlainText,
        /// The `on` parts in order.
        handlers: Vec<WsHandler>,
    },
    /// `every interval { … }`.
    Every {
        /// The interval, such as `5.minutes`.
        interval: Expr,
        /// The job.
        body: Block,
    },
    /// `cron "0 3 * * *" { … }`.
    Cron {
        /// The schedule.
        schedule: PlainText,
        /// The job.
        body: Block,
    },
    /// `test "name" { … }`.
    Test {
        /// The test's name.
        name: PlainText,
        /// The test.
        body: Block,
    },
    /// `onMount { }`, `onUpdate { }`, `onUnmount { }`.
    Lifecycle {
        /// Which moment.
        event: LifecycleEvent,
        /// What runs.
        body: Block,
    },
    /// `for a [, b] in iterable { … }`.
    For {
        /// The loop's label.
        label: Option<Name>,
        /// One or two patterns.
        bindings: Vec<Pattern>,
        /// What is walked.
        iterable: Expr,
        /// The body.
        body: Block,
    },
    /// `while condition { … }`.
    While {
        /// The loop's label.
        label: Option<Name>,
        /// Tested before each turn.
        condition: Expr,
        /// The body.
        body: Block,
    },
    /// `while let pattern = value { … }`.
    WhileLet {
        /// The loop's label.
        label: Option<Name>,
        /// Must match for a turn to happen.
        pattern: Pattern,
        /// Computed before each turn.
        value: Expr,
        /// The body.
        body: Block,
    },
    /// Something that could not be read; a diagnostic says why.
    Error,
}

/// A parameter of a function, lambda, component or guard.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// A name or a destructuring pattern.
    pub pattern: Pattern,
    /// The annotation.
    pub ty: Option<TypeExpr>,
    /// The default value.
    pub default: Option<Expr>,
    /// Where it stands.
    pub span: Span,
}

/// `fn name<generics>(params) -> result { body }`.
#[derive(Clone, Debug, PartialEq)]
pub struct FnDecl {
    /// The function's name.
    pub name: Name,
    /// Type parameters.
    pub generics: Vec<Name>,
    /// Parameters in order.
    pub params: Vec<Param>,
    /// The annotated result type.
    pub result: Option<TypeExpr>,
    /// The body.
    pub body: Block,
}

/// `entity Name { fields }`.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityDecl {
    /// The entity's name.
    pub name: Name,
    /// What stands behind it, in source order.
    pub decorators: Vec<Decorator>,
    /// Its fields in order.
    pub fields: Vec<FieldDecl>,
}

/// `name: type = default @decorators`, in an entity or a `validate` block.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDecl {
    /// The field's name.
    pub name: Name,
    /// Its type.
    pub ty: TypeExpr,
    /// `= default`, wherever it stands among the decorators.
    pub default: Option<Expr>,
    /// Validators and other decorators in order.
    pub decorators: Vec<Decorator>,
    /// Where it stands.
    pub span: Span,
}

/// `@name(args)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Decorator {
    /// Without the `@`.
    pub name: Name,
    /// Empty if there are no parentheses.
    pub args: Vec<Arg>,
    /// With the `@`.
    pub span: Span,
}

/// `enum Name { A, B(int) }`.
#[derive(Clone, Debug, PartialEq)]
pub struct EnumDecl {
    /// The enum's name.
    pub name: Name,
    /// Type parameters.
    pub generics: Vec<Name>,
    /// Its variants in order.
    pub variants: Vec<VariantDecl>,
}

/// One variant of an enum.
#[derive(Clone, Debug, PartialEq)]
pub struct VariantDecl {
    /// The variant's name.
    pub name: Name,
    /// The types of its data; empty if it has none.
    pub payload: Vec<TypeExpr>,
    /// Where it stands.
    pub span: Span,
}

/// `type Name<params> = type`.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeAliasDecl {
    /// The alias.
    pub name: Name,
    /// Type parameters.
    pub generics: Vec<Name>,
    /// What it stands for.
    pub ty: TypeExpr,
}

/// `component Name(params) { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentDecl {
    /// The component's name.
    pub name: Name,
    /// Its props.
    pub params: Vec<Param>,
    /// State, functions, lifecycle and the view.
    pub body: Block,
}

/// One guard in a `guard` statement.
#[derive(Clone, Debug, PartialEq)]
pub struct GuardUse {
    /// The guard's name.
    pub name: Name,
    /// Its arguments; empty if there are no parentheses.
    pub args: Vec<Arg>,
    /// Where it stands.
    pub span: Span,
}

/// `on message(m) { … }` in a `ws` block.
#[derive(Clone, Debug, PartialEq)]
pub struct WsHandler {
    /// Which event.
    pub event: WsEvent,
    /// The parameters, such as the message.
    pub params: Vec<Param>,
    /// What runs.
    pub body: Block,
    /// Where it stands.
    pub span: Span,
}

/// The events of a `ws` block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WsEvent {
    /// `on connect`.
    Connect,
    /// `on message`.
    Message,
    /// `on close`.
    Close,
}

/// The moments in a component's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifecycleEvent {
    /// `onMount`.
    Mount,
    /// `onUpdate`.
    Update,
    /// `onUnmount`.
    Unmount,
}

impl Stmt {
    /// A statement; its height is computed from its children.
    #[must_use]
    pub fn new(kind: StmtKind, span: Span) -> Stmt {
        let height = kind.height();
        Stmt { kind, span, height }
    }
}

impl Block {
    /// A block; its height is computed from its statements.
    #[must_use]
    pub fn new(statements: Vec<Stmt>, span: Span) -> Block {
        let height = statements.height() + 1;
        Block {
            statements,
            span,
            height,
        }
    }
}
