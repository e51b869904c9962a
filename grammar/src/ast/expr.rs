//! Expressions.
//!
//! Assignments, `return`, `break`, `continue` are kinds of expressions because they may be bodies of lambdas, arms,
//! handlers and `then`/`else`; the grammar allows assignments nowhere else. What must stay true: `Block` appears only
//! as the body of a lambda, match arm or event handler; there is no node for parentheses.

use super::{Block, Height, Name, Param, Pattern, TypeExpr};
use crate::span::Span;
use std::sync::Arc;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands (without enclosing parentheses).
    pub span: Span,
    /// Height of the tree below, see [`Height`].
    pub height: u32,
}

impl Expr {
    /// An expression; its height is computed from its children.
    #[must_use]
    pub fn new(kind: ExprKind, span: Span) -> Expr {
        let height = kind.height();
        Expr { kind, span, height }
    }
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `none`.
    None,
    /// `true`, `false`.
    Bool(bool),
    /// An int literal; `-9223372036854775808` is one literal.
    Int(i64),
    /// A float literal.
    Float(f64),
    /// A text literal: `"a {b}"`, `'a'`, `r"a"`. No parts: the empty text.
    Text(Vec<TextPart>),
    /// `[a, ...b]`.
    List(Vec<ListItem>),
    /// `{ key: v, [expr]: v, ...other, shorthand }`. No written key stands twice.
    Map(Vec<MapEntry>),
    /// `(a, b)`, at least two items.
    Tuple(Vec<Expr>),
    /// `a..b`, `a..=b`.
    Range {
        /// The first number.
        start: Box<Expr>,
        /// The end.
        end: Box<Expr>,
        /// True for `..=`.
        inclusive: bool,
    },
    /// A name that starts small: variable, function, parameter.
    Name(Name),
    /// A capitalised name: entity, enum, constant, variant.
    TypeName(Name),
    /// `object.name`, `object?.name`; also durations (`5.minutes`) and methods without parentheses.
    Field {
        /// What stands before the point.
        object: Box<Expr>,
        /// The name after it.
        name: Name,
        /// True for `?.`.
        optional: bool,
    },
    /// `object[index]`.
    Index {
        /// What is indexed.
        object: Box<Expr>,
        /// The index or key.
        index: Box<Expr>,
    },
    /// `object[start:end:step]`, all three optional.
    Slice {
        /// What is sliced.
        object: Box<Expr>,
        /// First position.
        start: Option<Box<Expr>>,
        /// One past the last position.
        end: Option<Box<Expr>>,
        /// Step.
        step: Option<Box<Expr>>,
    },
    /// `callee(args)`; a method call has a `Field` as callee.
    Call {
        /// What is called.
        callee: Box<Expr>,
        /// The arguments in order.
        args: Vec<Arg>,
    },
    /// `-a`, `!a`.
    Unary {
        /// The operator.
        op: UnaryOp,
        /// Its operand.
        operand: Box<Expr>,
    },
    /// Arithmetic, equality and ordering.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `a && b`, `a || b`: the right side is computed only if needed.
    Logical {
        /// The operator.
        op: LogicalOp,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `value ?: fallback`: the fallback is computed only if the value is none.
    Default {
        /// The value that may be none.
        value: Box<Expr>,
        /// Taken if it is.
        fallback: Box<Expr>,
    },
    /// `c ? a : b` and `if c then a else b`.
    Conditional {
        /// The condition.
        condition: Box<Expr>,
        /// The value if it is truthy.
        then_value: Box<Expr>,
        /// The value otherwise.
        else_value: Box<Expr>,
        /// How it was written; both mean the same.
        form: ConditionalForm,
    },
    /// `if c { } else if d { } else { }`; a chain is flat.
    If {
        /// At least one.
        branches: Vec<IfBranch>,
        /// The last `else`.
        else_block: Option<Block>,
    },
    /// `match subject { pattern if guard -> body }`.
    Match {
        /// What is looked at.
        subject: Box<Expr>,
        /// The arms in order.
        arms: Vec<MatchArm>,
    },
    /// `x => body`, `(a, b: int = 1) => body`.
    Lambda {
        /// The parameters.
        params: Vec<Param>,
        /// The body; `Block` if it is written in braces.
        body: Box<Expr>,
    },
    /// A block as the body of a lambda, arm or handler.
    Block(Block),
    /// `try value`: the value or an error value.
    Try(Box<Expr>),
    /// `try { } catch e { }`.
    TryCatch {
        /// What may fail.
        body: Block,
        /// The name the error gets.
        error: Option<Pattern>,
        /// What happens then.
        handler: Block,
    },
    /// `loop { }`; its value comes from `break value`.
    Loop {
        /// The loop's label.
        label: Option<Name>,
        /// The body.
        body: Block,
    },
    /// `value is type`, `value is not type`.
    Is {
        /// The value.
        value: Box<Expr>,
        /// The type; never a function type.
        ty: TypeExpr,
        /// True for `is not`.
        negated: bool,
    },
    /// `item in container`, `item not in container`.
    In {
        /// What is looked for.
        item: Box<Expr>,
        /// Where.
        container: Box<Expr>,
        /// True for `not in`.
        negated: bool,
    },
    /// `value @ version`: time travel.
    At {
        /// The entity.
        value: Box<Expr>,
        /// Which version: a literal, a name or something in parentheses.
        version: Box<Expr>,
    },
    /// `save e`, `delete e`, `restore e`, `destroy e`.
    Persist {
        /// Which of them.
        verb: PersistVerb,
        /// The entity.
        value: Box<Expr>,
    },
    /// `assert condition`, `assert(condition, message)`.
    Assert {
        /// Must be truthy.
        condition: Box<Expr>,
        /// Said if it is not.
        message: Option<Box<Expr>>,
    },
    /// `Name { field: v, … }`.
    EntityLiteral {
        /// The entity.
        name: Name,
        /// Its fields.
        entries: Vec<MapEntry>,
    },
    /// `response { status: 201, … }`.
    Response(Vec<MapEntry>),
    /// `value |> target`: the value becomes the first argument of the call on the right.
    Pipe {
        /// The left value.
        value: Box<Expr>,
        /// A function, or a call that gets one more argument in front.
        target: Box<Expr>,
    },
    /// `target = value`, `target += value`. The target is a `Name`, `TypeName`, `Field` (not optional) or `Index`.
    Assign {
        /// What is assigned.
        target: Box<Expr>,
        /// `=` or one of the combined forms.
        op: AssignOp,
        /// The new value.
        value: Box<Expr>,
    },
    /// `target++`, `target--`; targets as in `Assign`.
    Step {
        /// What is counted.
        target: Box<Expr>,
        /// Up or down.
        op: StepOp,
    },
    /// `return`, `return value`.
    Return(Option<Box<Expr>>),
    /// `break`, `break 'label`, `break value`.
    Break {
        /// Which loop.
        label: Option<Name>,
        /// The value of the `loop`.
        value: Option<Box<Expr>>,
    },
    /// `continue`, `continue 'label`.
    Continue {
        /// Which loop.
        label: Option<Name>,
    },
    /// Something that could not be read; a diagnostic says why.
    Error,
}

/// A piece of a text literal or of a mixed attribute value.
#[derive(Clone, Debug, PartialEq)]
pub enum TextPart {
    /// Characters, escapes resolved.
    Chars {
        /// The characters.
        value: Arc<str>,
        /// Where they stand.
        span: Span,
    },
    /// `{ expression }`.
    Expr(Expr),
}

/// An item of a list literal.
#[derive(Clone, Debug, PartialEq)]
pub enum ListItem {
    /// One value.
    Item(Expr),
    /// `...list`.
    Spread(Expr),
}

/// An entry of a map, entity or `response` literal.
#[derive(Clone, Debug, PartialEq)]
pub enum MapEntry {
    /// `key: value` or `"key": value`.
    Pair {
        /// The key.
        key: Name,
        /// The value.
        value: Expr,
    },
    /// `[key]: value`, the key computed.
    Computed {
        /// What gives the key.
        key: Expr,
        /// The value.
        value: Expr,
    },
    /// `...map`.
    Spread(Expr),
    /// `name`, short for `name: name`.
    Shorthand(Name),
}

/// An argument of a call or decorator.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// `name:` before the value.
    pub name: Option<Name>,
    /// The value.
    pub value: Expr,
    /// Where it stands, name included.
    pub span: Span,
}

/// One `if condition { body }` of a chain.
#[derive(Clone, Debug, PartialEq)]
pub struct IfBranch {
    /// The condition.
    pub condition: Expr,
    /// What happens if it is truthy.
    pub body: Block,
}

/// One arm of a `match`.
#[derive(Clone, Debug, PartialEq)]
pub struct MatchArm {
    /// The pattern; `a | b` is a `PatternKind::Or`.
    pub pattern: Pattern,
    /// `if guard`.
    pub guard: Option<Expr>,
    /// The arm's value; `Block` if it is written in braces.
    pub body: Expr,
    /// Where it stands.
    pub span: Span,
}

/// Unary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`.
    Negate,
    /// `!`.
    Not,
}

/// Binary operators that compute both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`.
    Add,
    /// `-`.
    Subtract,
    /// `*`.
    Multiply,
    /// `/`.
    Divide,
    /// `%`.
    Remainder,
    /// `**`.
    Power,
    /// `==`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterEqual,
}

impl BinaryOp {
    /// The operator as it is written.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Add => "+",
            BinaryOp::Subtract => "-",
            BinaryOp::Multiply => "*",
            BinaryOp::Divide => "/",
            BinaryOp::Remainder => "%",
            BinaryOp::Power => "**",
            BinaryOp::Equal => "==",
            BinaryOp::NotEqual => "!=",
            BinaryOp::Less => "<",
            BinaryOp::LessEqual => "<=",
            BinaryOp::Greater => ">",
            BinaryOp::GreaterEqual => ">=",
        }
    }
}

/// Operators that may skip their right side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogicalOp {
    /// `&&`.
    And,
    /// `||`.
    Or,
}

/// How a conditional was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionalForm {
    /// `c ? a : b`.
    Ternary,
    /// `if c then a else b`.
    IfThenElse,
}

/// The words that change stored entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersistVerb {
    /// `save`.
    Save,
    /// `delete`.
    Delete,
    /// `restore`.
    Restore,
    /// `destroy`.
    Destroy,
}

/// Assignment operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssignOp {
    /// `=`.
    Set,
    /// `+=`.
    Add,
    /// `-=`.
    Subtract,
    /// `*=`.
    Multiply,
    /// `/=`.
    Divide,
    /// `%=`.
    Remainder,
}

impl AssignOp {
    /// The binary operator inside a combined assignment; none for plain `=`.
    #[must_use]
    pub const fn binary(self) -> Option<BinaryOp> {
        match self {
            AssignOp::Set => None,
            AssignOp::Add => Some(BinaryOp::Add),
            AssignOp::Subtract => Some(BinaryOp::Subtract),
            AssignOp::Multiply => Some(BinaryOp::Multiply),
            AssignOp::Divide => Some(BinaryOp::Divide),
            AssignOp::Remainder => Some(BinaryOp::Remainder),
        }
    }
}

/// `++` and `--`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOp {
    /// `++`.
    Increment,
    /// `--`.
    Decrement,
}
