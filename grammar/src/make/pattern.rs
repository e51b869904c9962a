//! Patterns and types.

use super::{Context, Part, span};
use crate::ast::{
    Expr, Literal, MapPatternEntry, Name, Pattern, PatternItem, PatternKind, RestPattern, TypeExpr,
    TypeKind,
};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;

pub(crate) fn pattern(cx: &mut Context<'_>, kind: PatternKind, l: u32, r: u32) -> Pattern {
    cx.keep_pattern(Pattern::new(kind, span(l, r)))
}

/// A small name: a binding, or `_`.
pub(crate) fn binding(name: Name) -> PatternKind {
    if &*name.text == "_" {
        PatternKind::Wildcard
    } else {
        PatternKind::Binding(name)
    }
}

/// A field or an item that takes a part of the value.
pub(crate) fn place_pattern(place: Expr) -> PatternKind {
    PatternKind::Place(Box::new(place))
}

pub(crate) fn typed_pattern(ty: TypeExpr, name: Name) -> PatternKind {
    PatternKind::Typed { ty, name }
}

pub(crate) fn range_pattern(start: Literal, end: Literal, inclusive: bool) -> PatternKind {
    PatternKind::Range {
        start,
        end,
        inclusive,
    }
}

pub(crate) fn variant_pattern(
    enum_name: Option<Name>,
    name: Name,
    payload: Option<Vec<Pattern>>,
) -> PatternKind {
    PatternKind::Variant {
        enum_name,
        name,
        payload,
    }
}

pub(crate) fn or_pattern(
    cx: &mut Context<'_>,
    first: Pattern,
    rest: Vec<Pattern>,
    l: u32,
    r: u32,
) -> Pattern {
    let mut choices = vec![first];
    choices.extend(rest);
    pattern(cx, PatternKind::Or(choices), l, r)
}

/// Separates the items from the rest, which may stand only at the end.
fn split<T>(cx: &mut Context<'_>, parts: Vec<Part<T>>) -> (Vec<T>, Option<RestPattern>) {
    let mut items = Vec::with_capacity(parts.len());
    let mut rest: Option<RestPattern> = None;
    for part in parts {
        if let Some(early) = &rest {
            cx.report(
                Diagnostic::error(
                    Code::Misplaced,
                    early.span,
                    "the rest of a pattern stands at its end",
                )
                .hint("move `...` behind the other names"),
            );
            rest = None;
        }
        match part {
            Part::Item(item) => items.push(item),
            Part::Rest(found) => rest = Some(found),
        }
    }
    (items, rest)
}

pub(crate) fn list_pattern(cx: &mut Context<'_>, parts: Vec<Part<PatternItem>>) -> PatternKind {
    let (items, rest) = split(cx, parts);
    PatternKind::List { items, rest }
}

pub(crate) fn tuple_pattern(cx: &mut Context<'_>, parts: Vec<Part<PatternItem>>) -> PatternKind {
    let (mut items, rest) = split(cx, parts);
    if let Some(rest) = rest {
        cx.report(
            Diagnostic::error(
                Code::BadPattern,
                rest.span,
                "a tuple has a fixed number of items and no rest",
            )
            .hint("name every item, with `_` for those you do not need"),
        );
    }
    match items.pop() {
        Some(PatternItem {
            pattern,
            default: None,
        }) if items.is_empty() => pattern.kind,
        Some(last) => {
            items.push(last);
            PatternKind::Tuple(items)
        }
        None => PatternKind::Tuple(items),
    }
}

pub(crate) fn map_pattern(
    cx: &mut Context<'_>,
    type_name: Option<Name>,
    parts: Vec<Part<MapPatternEntry>>,
) -> PatternKind {
    let (entries, rest) = split(cx, parts);
    PatternKind::Map {
        type_name,
        entries,
        rest,
    }
}

pub(crate) fn short_entry(
    cx: &mut Context<'_>,
    key: Name,
    default: Option<Expr>,
) -> Part<MapPatternEntry> {
    let pattern = pattern(
        cx,
        PatternKind::Binding(key.clone()),
        key.span.start,
        key.span.end,
    );
    Part::Item(MapPatternEntry {
        key,
        pattern,
        default,
    })
}

pub(crate) fn rest(name: Option<Name>, l: u32, r: u32) -> RestPattern {
    RestPattern {
        name,
        span: span(l, r),
    }
}

fn type_expr(cx: &mut Context<'_>, kind: TypeKind, l: u32, r: u32) -> TypeExpr {
    cx.keep_type(TypeExpr::new(kind, span(l, r)))
}

pub(crate) fn named_type(
    cx: &mut Context<'_>,
    name: Name,
    args: Vec<TypeExpr>,
    l: u32,
    r: u32,
) -> TypeExpr {
    type_expr(cx, TypeKind::Named { name, args }, l, r)
}

pub(crate) fn none_type(cx: &mut Context<'_>, l: u32, r: u32) -> TypeExpr {
    type_expr(cx, TypeKind::None, l, r)
}

pub(crate) fn list_type(cx: &mut Context<'_>, item: TypeExpr, l: u32, r: u32) -> TypeExpr {
    type_expr(cx, TypeKind::List(Box::new(item)), l, r)
}

pub(crate) fn map_type(
    cx: &mut Context<'_>,
    key: TypeExpr,
    value: TypeExpr,
    l: u32,
    r: u32,
) -> TypeExpr {
    let kind = TypeKind::Map {
        key: Box::new(key),
        value: Box::new(value),
    };
    type_expr(cx, kind, l, r)
}

/// `(A, B)`; one type in parentheses is that type.
pub(crate) fn tuple_type(
    cx: &mut Context<'_>,
    mut items: Vec<TypeExpr>,
    l: u32,
    r: u32,
) -> TypeExpr {
    match items.len() {
        0 => {
            cx.report(
                Diagnostic::error(Code::EmptyList, span(l, r), "a tuple type needs two items")
                    .hint("a function without parameters is written `() -> int`"),
            );
            TypeExpr::new(TypeKind::Error, span(l, r))
        }
        1 => items.swap_remove(0),
        _many => type_expr(cx, TypeKind::Tuple(items), l, r),
    }
}

pub(crate) fn fn_type(
    cx: &mut Context<'_>,
    params: Vec<TypeExpr>,
    result: TypeExpr,
    l: u32,
    r: u32,
) -> TypeExpr {
    let kind = TypeKind::Fn {
        params,
        result: Box::new(result),
    };
    type_expr(cx, kind, l, r)
}

pub(crate) fn union(
    cx: &mut Context<'_>,
    first: TypeExpr,
    rest: Vec<TypeExpr>,
    l: u32,
    r: u32,
) -> TypeExpr {
    let mut members = vec![first];
    members.extend(rest);
    type_expr(cx, TypeKind::Union(members), l, r)
}

pub(crate) fn optional(cx: &mut Context<'_>, inner: TypeExpr, l: u32, r: u32) -> TypeExpr {
    type_expr(cx, TypeKind::Optional(Box::new(inner)), l, r)
}
