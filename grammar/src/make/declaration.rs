//! Statements and declarations.

use super::{Context, span};
use crate::ast::{
    Arg, Block, ComponentDecl, Decorator, EntityDecl, EnumDecl, Expr, ExprKind, FieldDecl,
    GuardUse, LifecycleEvent, Name, Param, Pattern, PatternKind, PlainText, Stmt, StmtKind,
    TypeExpr, TypeKind, VariantDecl, WsEvent, WsHandler,
};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;

pub(crate) fn stmt(cx: &mut Context<'_>, kind: StmtKind, l: u32, r: u32) -> Stmt {
    cx.statement_starts.push(l);
    cx.keep_stmt(Stmt::new(kind, span(l, r)))
}

pub(crate) fn block(cx: &mut Context<'_>, statements: Vec<Stmt>, l: u32, r: u32) -> Block {
    cx.keep_block(Block::new(statements, span(l, r)))
}

/// `assert condition, message` as a statement.
pub(crate) fn assert_with_message(
    cx: &mut Context<'_>,
    condition: Expr,
    message: Expr,
    l: u32,
    r: u32,
) -> StmtKind {
    let kind = ExprKind::Assert {
        condition: Box::new(condition),
        message: Some(Box::new(message)),
    };
    StmtKind::Expr(super::expr(cx, kind, l, r))
}

pub(crate) fn error_stmt(_body: Block) -> StmtKind {
    StmtKind::Error
}

pub(crate) fn error_loop(_label: Option<Name>, _body: Block) -> StmtKind {
    StmtKind::Error
}

pub(crate) fn entity(
    name: Name,
    decorators: Vec<Decorator>,
    fields: Vec<Option<FieldDecl>>,
) -> StmtKind {
    StmtKind::Entity(EntityDecl {
        name,
        decorators,
        fields: fields.into_iter().flatten().collect(),
    })
}

pub(crate) fn validate(fields: Vec<Option<FieldDecl>>) -> StmtKind {
    StmtKind::Validate(fields.into_iter().flatten().collect())
}

pub(crate) fn enumeration(
    cx: &mut Context<'_>,
    name: Name,
    generics: Vec<Name>,
    variants: Vec<Option<VariantDecl>>,
) -> StmtKind {
    if variants.is_empty() {
        cx.report(
            Diagnostic::error(
                Code::EmptyList,
                name.span,
                format!("enum `{}` has no variant", name.text),
            )
            .hint("write at least one: `enum Status { Open, Closed }`"),
        );
    }
    StmtKind::Enum(EnumDecl {
        name,
        generics,
        variants: variants.into_iter().flatten().collect(),
    })
}

pub(crate) fn component(name: Name, params: Option<Vec<Param>>, body: Block) -> StmtKind {
    StmtKind::Component(ComponentDecl {
        name,
        params: params.unwrap_or_default(),
        body,
    })
}

pub(crate) fn guard_definition(name: Name, params: Option<Vec<Param>>, body: Block) -> StmtKind {
    StmtKind::GuardDefinition {
        name,
        params: params.unwrap_or_default(),
        body,
    }
}

pub(crate) fn lifecycle(event: LifecycleEvent, body: Block) -> StmtKind {
    StmtKind::Lifecycle { event, body }
}

pub(crate) fn ws(path: PlainText, handlers: Vec<Option<WsHandler>>) -> StmtKind {
    StmtKind::Ws {
        path,
        handlers: handlers.into_iter().flatten().collect(),
    }
}

pub(crate) fn ws_handler(
    cx: &mut Context<'_>,
    name: Name,
    params: Option<Vec<Param>>,
    body: Block,
    l: u32,
    r: u32,
) -> Option<WsHandler> {
    let event = match &*name.text {
        "connect" => WsEvent::Connect,
        "message" => WsEvent::Message,
        "close" => WsEvent::Close,
        other => {
            cx.report(
                Diagnostic::error(
                    Code::Misplaced,
                    name.span,
                    format!("a `ws` block has no event `{other}`"),
                )
                .hint("the events are `connect`, `message` and `close`"),
            );
            return None;
        }
    };
    Some(WsHandler {
        event,
        params: params.unwrap_or_default(),
        body,
        span: span(l, r),
    })
}

pub(crate) fn for_loop(
    cx: &mut Context<'_>,
    label: Option<Name>,
    bindings: Vec<Pattern>,
    iterable: Expr,
    body: Block,
) -> StmtKind {
    StmtKind::For {
        label,
        bindings: loop_variables(cx, bindings),
        iterable,
        body,
    }
}

/// At most two loop variables; more are reported and dropped.
pub(crate) fn loop_variables(cx: &mut Context<'_>, mut bindings: Vec<Pattern>) -> Vec<Pattern> {
    if let Some(extra) = bindings.get(2) {
        cx.report(
            Diagnostic::error(
                Code::ForBindings,
                extra.span,
                "a loop has one or two variables",
            )
            .hint("take an item apart with a pattern: `for (a, b, c) in xs`"),
        );
        bindings.truncate(2);
    }
    bindings
}

/// Parameters without a default may not follow those with one.
pub(crate) fn params(cx: &mut Context<'_>, params: Vec<Param>) -> Vec<Param> {
    let params: Vec<Param> = params
        .into_iter()
        .flat_map(|param| two_words(cx, param))
        .collect();
    let first_default = params.iter().find(|param| param.default.is_some());
    let late = first_default.and_then(|first| {
        params
            .iter()
            .find(|param| param.default.is_none() && param.span.start > first.span.start)
            .map(|late| (first.span, late.span))
    });
    if let Some((first, late)) = late {
        cx.report(
            Diagnostic::error(
                Code::Misplaced,
                late,
                "a parameter without default after one with a default",
            )
            .also(first, "this one has a default")
            .hint("put parameters with defaults last"),
        );
    }
    params
}

/// `name text` and `first second`: two words of which the first is no type lack a `:` or `,` between them.
fn two_words(cx: &mut Context<'_>, param: Param) -> Vec<Param> {
    let PatternKind::Typed { ty, name } = &param.pattern.kind else {
        return vec![param];
    };
    let TypeKind::Named { name: first, args } = &ty.kind else {
        return vec![param];
    };
    if first.is_capitalised() || is_scalar(&first.text) || !args.is_empty() {
        return vec![param];
    }
    let (missing, hint) = if is_scalar(&name.text) {
        (":", format!("write `{}: {}`", first.text, name.text))
    } else {
        (",", format!("write `{}, {}`", first.text, name.text))
    };
    cx.report(
        Diagnostic::error(
            Code::UnexpectedToken,
            name.span,
            format!("`{}` cannot stand here", name.text),
        )
        .label(format!("expected `{missing}` before it"))
        .hint(hint),
    );
    let of = |name: &Name, ty: Option<TypeExpr>| Param {
        pattern: Pattern::new(super::binding(name.clone()), name.span),
        ty,
        default: None,
        span: name.span,
    };
    if missing == ":" {
        let kind = TypeKind::Named {
            name: name.clone(),
            args: Vec::new(),
        };
        vec![of(first, Some(TypeExpr::new(kind, name.span)))]
    } else {
        vec![of(first, None), of(name, None)]
    }
}

fn is_scalar(name: &str) -> bool {
    matches!(
        name,
        "int"
            | "float"
            | "number"
            | "decimal"
            | "text"
            | "bool"
            | "time"
            | "duration"
            | "any"
            | "error"
    )
}

pub(crate) fn typed_param(
    cx: &mut Context<'_>,
    name: Name,
    ty: TypeExpr,
    default: Option<Expr>,
    l: u32,
    r: u32,
) -> Param {
    let name = usable_name(cx, name);
    let at = name.span;
    Param {
        pattern: Pattern::new(super::binding(name), at),
        ty: Some(ty),
        default,
        span: span(l, r),
    }
}

/// Reports a reserved word where a variable gets its name.
fn usable_name(cx: &mut Context<'_>, name: Name) -> Name {
    if crate::token::reserved(&name.text).is_some() {
        cx.report(
            Diagnostic::error(
                Code::ReservedWord,
                name.span,
                format!("`{}` is a reserved word", name.text),
            )
            .hint("choose another name"),
        );
    }
    name
}

pub(crate) fn param(pattern: Pattern, default: Option<Expr>, l: u32, r: u32) -> Param {
    Param {
        pattern,
        ty: None,
        default,
        span: span(l, r),
    }
}

pub(crate) fn error_param(l: u32, r: u32) -> Param {
    param(Pattern::new(PatternKind::Error, span(l, r)), None, l, r)
}

/// A field; its default may stand among the decorators.
pub(crate) fn field(
    name: Name,
    ty: TypeExpr,
    mut decorators: Vec<Decorator>,
    default: Option<(Expr, Vec<Decorator>)>,
    l: u32,
    r: u32,
) -> Option<FieldDecl> {
    let default = default.map(|(value, later)| {
        decorators.extend(later);
        value
    });
    Some(FieldDecl {
        name,
        ty,
        default,
        decorators,
        span: span(l, r),
    })
}

pub(crate) fn decorator(name: Name, args: Option<Vec<Arg>>, l: u32, r: u32) -> Decorator {
    Decorator {
        name,
        args: args.unwrap_or_default(),
        span: span(l, r),
    }
}

pub(crate) fn variant(
    name: Name,
    payload: Option<Vec<TypeExpr>>,
    l: u32,
    r: u32,
) -> Option<VariantDecl> {
    Some(VariantDecl {
        name,
        payload: payload.unwrap_or_default(),
        span: span(l, r),
    })
}

pub(crate) fn guard_use(name: Name, args: Option<Vec<Arg>>, l: u32, r: u32) -> GuardUse {
    GuardUse {
        name,
        args: args.unwrap_or_default(),
        span: span(l, r),
    }
}

/// `T: Bound` among type parameters.
pub(crate) fn bounded(cx: &mut Context<'_>, name: Name, bound: TypeExpr) -> Name {
    cx.report(
        Diagnostic::error(
            Code::NotInThisVersion,
            bound.span,
            "bounds of type parameters are not part of this version of FLIN",
        )
        .hint(format!("write `<{}>`", name.text)),
    );
    name
}
