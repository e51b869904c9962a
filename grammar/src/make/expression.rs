//! Expressions.

use super::{Context, push, span};
use crate::ast::{
    Arg, AssignOp, BinaryOp, Block, ConditionalForm, Expr, ExprKind, IfBranch, ListItem, LogicalOp,
    MapEntry, MatchArm, Name, Param, Pattern, PersistVerb, StepOp, TypeExpr, UnaryOp,
};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use std::collections::HashMap;
use std::sync::Arc;

pub(crate) fn expr(cx: &mut Context<'_>, kind: ExprKind, l: u32, r: u32) -> Expr {
    cx.keep_expr(Expr::new(kind, span(l, r)))
}

pub(crate) fn error_expr(l: u32, r: u32) -> Expr {
    Expr::new(ExprKind::Error, span(l, r))
}

pub(crate) fn block_expr(cx: &mut Context<'_>, block: Block) -> Expr {
    let at = block.span;
    cx.keep_expr(Expr::new(ExprKind::Block(block), at))
}

pub(crate) fn assign(
    cx: &mut Context<'_>,
    target: Expr,
    op: AssignOp,
    value: Expr,
    l: u32,
    r: u32,
) -> Expr {
    check_target(cx, &target);
    let kind = ExprKind::Assign {
        target: Box::new(target),
        op,
        value: Box::new(value),
    };
    expr(cx, kind, l, r)
}

pub(crate) fn step(cx: &mut Context<'_>, target: Expr, op: StepOp, l: u32, r: u32) -> Expr {
    check_target(cx, &target);
    let kind = ExprKind::Step {
        target: Box::new(target),
        op,
    };
    expr(cx, kind, l, r)
}

/// Reports a target that cannot be assigned.
pub(crate) fn check_target(cx: &mut Context<'_>, target: &Expr) {
    let hint = match &target.kind {
        ExprKind::Name(_)
        | ExprKind::TypeName(_)
        | ExprKind::Field {
            optional: false, ..
        }
        | ExprKind::Index { .. }
        | ExprKind::Error => return,
        ExprKind::Field { .. } => "use `.` instead of `?.`; test for none before",
        ExprKind::Slice { .. } => "assign items one by one, or build a new list",
        ExprKind::Binary { .. } | ExprKind::Logical { .. } | ExprKind::Unary { .. } => {
            "to compare, write `==`"
        }
        ExprKind::None
        | ExprKind::Bool(_)
        | ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Text(_)
        | ExprKind::List(_)
        | ExprKind::Map(_)
        | ExprKind::Tuple(_)
        | ExprKind::Range { .. }
        | ExprKind::Call { .. }
        | ExprKind::Default { .. }
        | ExprKind::Conditional { .. }
        | ExprKind::If { .. }
        | ExprKind::Match { .. }
        | ExprKind::Lambda { .. }
        | ExprKind::Block(_)
        | ExprKind::Try(_)
        | ExprKind::TryCatch { .. }
        | ExprKind::Loop { .. }
        | ExprKind::Is { .. }
        | ExprKind::In { .. }
        | ExprKind::At { .. }
        | ExprKind::Persist { .. }
        | ExprKind::Assert { .. }
        | ExprKind::EntityLiteral { .. }
        | ExprKind::Response(_)
        | ExprKind::Pipe { .. }
        | ExprKind::Assign { .. }
        | ExprKind::Step { .. }
        | ExprKind::Return(_)
        | ExprKind::Break { .. }
        | ExprKind::Continue { .. } => {
            "names, fields and items can be assigned; to compare, write `==`"
        }
    };
    cx.report(
        Diagnostic::error(
            Code::BadAssignmentTarget,
            target.span,
            "this cannot be assigned",
        )
        .hint(hint),
    );
}

pub(crate) fn short_lambda(name: Name, body: Expr) -> ExprKind {
    let at = name.span;
    let param = Param {
        pattern: Pattern::new(super::binding(name), at),
        ty: None,
        default: None,
        span: at,
    };
    lambda(vec![param], body)
}

pub(crate) fn lambda(params: Vec<Param>, body: Expr) -> ExprKind {
    ExprKind::Lambda {
        params,
        body: Box::new(body),
    }
}

pub(crate) fn persist(verb: PersistVerb, value: Expr) -> ExprKind {
    ExprKind::Persist {
        verb,
        value: Box::new(value),
    }
}

/// `assert condition`; `assert(condition, message)` reads as a tuple first.
pub(crate) fn assert(value: Expr) -> ExprKind {
    match value.kind {
        ExprKind::Tuple(items) if items.len() == 2 => {
            let mut items = items.into_iter();
            match (items.next(), items.next()) {
                (Some(condition), message) => ExprKind::Assert {
                    condition: Box::new(condition),
                    message: message.map(Box::new),
                },
                (None, _) => unreachable!("the tuple has two items"),
            }
        }
        kind => ExprKind::Assert {
            condition: Box::new(Expr::new(kind, value.span)),
            message: None,
        },
    }
}

pub(crate) fn return_value(value: Option<Expr>) -> ExprKind {
    ExprKind::Return(value.map(Box::new))
}

pub(crate) fn break_value(label: Option<Name>, value: Option<Expr>) -> ExprKind {
    ExprKind::Break {
        label,
        value: value.map(Box::new),
    }
}

pub(crate) fn conditional(
    condition: Expr,
    then_value: Expr,
    else_value: Expr,
    form: ConditionalForm,
) -> ExprKind {
    ExprKind::Conditional {
        condition: Box::new(condition),
        then_value: Box::new(then_value),
        else_value: Box::new(else_value),
        form,
    }
}

pub(crate) fn pipe(value: Expr, target: Expr) -> ExprKind {
    ExprKind::Pipe {
        value: Box::new(value),
        target: Box::new(target),
    }
}

pub(crate) fn default(value: Expr, fallback: Expr) -> ExprKind {
    ExprKind::Default {
        value: Box::new(value),
        fallback: Box::new(fallback),
    }
}

pub(crate) fn logical(op: LogicalOp, left: Expr, right: Expr) -> ExprKind {
    ExprKind::Logical {
        op,
        left: Box::new(left),
        right: Box::new(right),
    }
}

pub(crate) fn binary(op: BinaryOp, left: Expr, right: Expr) -> ExprKind {
    ExprKind::Binary {
        op,
        left: Box::new(left),
        right: Box::new(right),
    }
}

pub(crate) fn relation(
    cx: &mut Context<'_>,
    op: BinaryOp,
    left: Expr,
    right: Expr,
    l: u32,
    r: u32,
) -> Expr {
    expr(cx, binary(op, left, right), l, r)
}

/// `a < b && b < c` for `a < b < c`, with the names of the program; none if it would be long.
fn chain_apart(cx: &Context<'_>, left: &Expr, right: &Expr) -> Option<String> {
    const SHOWN_MAX: usize = 40;
    let ExprKind::Binary { right: middle, .. } = &left.kind else {
        return None;
    };
    if right.span.start < left.span.end {
        return None;
    }
    let sign = cx.text(left.span.end, right.span.start).trim();
    let [first, middle, last] =
        [left.span, middle.span, right.span].map(|at| cx.text(at.start, at.end));
    let apart = format!("{first} && {middle} {sign} {last}");
    (apart.len() <= SHOWN_MAX && !apart.contains('\n')).then_some(apart)
}

/// `a < b < c`, `a == b == c`: read as an error.
pub(crate) fn chained(cx: &mut Context<'_>, left: Expr, right: Expr, l: u32, r: u32) -> Expr {
    let hint = match chain_apart(cx, &left, &right) {
        Some(apart) => format!("write `{apart}`"),
        None => "write `a < b && b < c`, or put parentheses".to_owned(),
    };
    cx.report(
        Diagnostic::error(
            Code::ChainedComparison,
            span(l, r),
            "comparisons do not chain",
        )
        .also(left.span, "this is a bool already")
        .hint(hint),
    );
    drop(right);
    Expr::new(ExprKind::Error, span(l, r))
}

pub(crate) fn is(
    cx: &mut Context<'_>,
    value: Expr,
    ty: TypeExpr,
    negated: bool,
    l: u32,
) -> ExprKind {
    warn_not_before(cx, &value, l, if negated { "is not" } else { "is" });
    ExprKind::Is {
        value: Box::new(value),
        ty,
        negated,
    }
}

pub(crate) fn contained(
    cx: &mut Context<'_>,
    item: Expr,
    container: Expr,
    negated: bool,
    l: u32,
) -> ExprKind {
    warn_not_before(cx, &item, l, if negated { "not in" } else { "in" });
    ExprKind::In {
        item: Box::new(item),
        container: Box::new(container),
        negated,
    }
}

/// `!x in xs` without parentheses is hardly ever meant.
fn warn_not_before(cx: &mut Context<'_>, value: &Expr, l: u32, word: &str) {
    let bare = value.span.start == l
        && matches!(
            value.kind,
            ExprKind::Unary {
                op: UnaryOp::Not,
                ..
            }
        );
    if bare {
        let opposite = match word {
            "is" => "is not",
            "in" => "not in",
            other => other.strip_prefix("not ").unwrap_or("is"),
        };
        cx.report(
            Diagnostic::warning(
                Code::NotBeforeIn,
                value.span,
                format!("`!` binds tighter than `{word}`"),
            )
            .label("this is computed first")
            .hint(format!("write `x {opposite} …`, or put parentheses")),
        );
    }
}

pub(crate) fn range(start: Expr, end: Expr, inclusive: bool) -> ExprKind {
    ExprKind::Range {
        start: Box::new(start),
        end: Box::new(end),
        inclusive,
    }
}

pub(crate) fn unary(op: UnaryOp, operand: Expr) -> ExprKind {
    ExprKind::Unary {
        op,
        operand: Box::new(operand),
    }
}

pub(crate) fn at(value: Expr, version: Expr) -> ExprKind {
    ExprKind::At {
        value: Box::new(value),
        version: Box::new(version),
    }
}

pub(crate) fn field_access(object: Expr, name: Name, optional: bool) -> ExprKind {
    ExprKind::Field {
        object: Box::new(object),
        name,
        optional,
    }
}

pub(crate) fn call(callee: Expr, args: Vec<Arg>) -> ExprKind {
    ExprKind::Call {
        callee: Box::new(callee),
        args,
    }
}

pub(crate) fn index(object: Expr, index: Expr) -> ExprKind {
    ExprKind::Index {
        object: Box::new(object),
        index: Box::new(index),
    }
}

pub(crate) fn slice(
    object: Expr,
    start: Option<Expr>,
    end: Option<Expr>,
    step: Option<Option<Expr>>,
) -> ExprKind {
    ExprKind::Slice {
        object: Box::new(object),
        start: start.map(Box::new),
        end: end.map(Box::new),
        step: step.flatten().map(Box::new),
    }
}

pub(crate) fn arg(name: Option<Name>, value: Expr, l: u32, r: u32) -> Arg {
    Arg {
        name,
        value,
        span: span(l, r),
    }
}

pub(crate) fn error_arg(l: u32, r: u32) -> Arg {
    arg(None, error_expr(l, r), l, r)
}

pub(crate) fn tuple(first: Expr, rest: Vec<Expr>) -> ExprKind {
    let mut items = vec![first];
    items.extend(rest);
    ExprKind::Tuple(items)
}

/// `Name<T>` as a value.
pub(crate) fn type_arguments(cx: &mut Context<'_>, name: Name, l: u32, r: u32) -> ExprKind {
    cx.report(
        Diagnostic::error(
            Code::TypeArguments,
            span(l, r),
            "type arguments stand only in types",
        )
        .hint("for a comparison put blanks around `<`"),
    );
    ExprKind::TypeName(name)
}

pub(crate) fn map(cx: &mut Context<'_>, entries: Vec<MapEntry>) -> ExprKind {
    check_keys(cx, &entries, "map");
    ExprKind::Map(entries)
}

pub(crate) fn entity_literal(cx: &mut Context<'_>, name: Name, entries: Vec<MapEntry>) -> ExprKind {
    check_keys(cx, &entries, "entity");
    ExprKind::EntityLiteral { name, entries }
}

pub(crate) fn response(cx: &mut Context<'_>, entries: Vec<MapEntry>) -> ExprKind {
    check_keys(cx, &entries, "response");
    ExprKind::Response(entries)
}

fn check_keys(cx: &mut Context<'_>, entries: &[MapEntry], what: &str) {
    let mut seen: HashMap<Arc<str>, Span> = HashMap::with_capacity(entries.len());
    for entry in entries {
        let key = match entry {
            MapEntry::Pair { key, .. } | MapEntry::Shorthand(key) => key,
            MapEntry::Computed { .. } | MapEntry::Spread(_) => continue,
        };
        if let Some(first) = seen.insert(key.text.clone(), key.span) {
            cx.report(
                Diagnostic::error(
                    Code::DuplicateKey,
                    key.span,
                    format!("this {what} has the key `{}` twice", key.text),
                )
                .label("again here")
                .also(first, "first here")
                .hint("keep one of them, or give one another key"),
            );
        }
    }
}

pub(crate) fn error_item(l: u32, r: u32) -> ListItem {
    ListItem::Item(error_expr(l, r))
}

pub(crate) fn error_entry(l: u32, r: u32) -> MapEntry {
    MapEntry::Spread(error_expr(l, r))
}

pub(crate) fn if_block(branches: Vec<IfBranch>, else_block: Option<Block>) -> ExprKind {
    ExprKind::If {
        branches,
        else_block,
    }
}

pub(crate) fn else_if(list: Vec<IfBranch>, condition: Expr, body: Block) -> Vec<IfBranch> {
    push(list, IfBranch { condition, body })
}

pub(crate) fn match_value(subject: Expr, arms: Vec<Option<MatchArm>>) -> ExprKind {
    ExprKind::Match {
        subject: Box::new(subject),
        arms: arms.into_iter().flatten().collect(),
    }
}

pub(crate) fn arm(
    pattern: Pattern,
    guard: Option<Expr>,
    body: Expr,
    l: u32,
    r: u32,
) -> Option<MatchArm> {
    Some(MatchArm {
        pattern,
        guard,
        body,
        span: span(l, r),
    })
}
