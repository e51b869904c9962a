//! Markup: elements, attributes, text with its references resolved and its white space collapsed.

use super::{Context, check_target, loop_variables, push, span};
use crate::ast::{
    Attribute, AttributeKind, AttributeValue, Block, Element, Expr, ExprKind, Markup, MarkupBranch,
    MarkupKind, Name, Pattern, Stmt, StmtKind, TextPart,
};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::references;
use crate::span::Span;
use std::sync::Arc;

pub(crate) fn markup(cx: &mut Context<'_>, kind: MarkupKind, l: u32, r: u32) -> Markup {
    cx.keep_markup(Markup::new(kind, span(l, r)))
}

/// The content of `view { }`: blanks at both ends are only layout of the source.
pub(crate) fn view(mut nodes: Vec<Markup>) -> StmtKind {
    if let Some(first) = nodes.first_mut() {
        trim(first, |text| text.trim_start_matches(' '));
    }
    if let Some(last) = nodes.last_mut() {
        trim(last, |text| text.trim_end_matches(' '));
    }
    nodes.retain(|node| !matches!(&node.kind, MarkupKind::Text(text) if text.is_empty()));
    StmtKind::View(nodes)
}

fn trim(node: &mut Markup, how: fn(&str) -> &str) {
    if let MarkupKind::Text(text) = &node.kind {
        let trimmed = how(text);
        if trimmed.len() < text.len() {
            node.kind = MarkupKind::Text(Arc::from(trimmed));
        }
    }
}

/// Joins neighbouring texts (a comment stood between them) and drops empty ones.
pub(crate) fn nodes(cx: &mut Context<'_>, nodes: Vec<Markup>) -> Vec<Markup> {
    let mut out: Vec<Markup> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let MarkupKind::Text(text) = &node.kind else {
            out.push(node);
            continue;
        };
        if let Some(last) = out.last_mut()
            && let MarkupKind::Text(before) = &last.kind
        {
            let text = if before.ends_with(' ') {
                text.strip_prefix(' ').unwrap_or(text)
            } else {
                text
            };
            let joined = MarkupKind::Text(Arc::from(format!("{before}{text}")));
            *last = Markup::new(joined, last.span.to(node.span));
        } else if !text.is_empty() {
            out.push(node);
        }
    }
    debug_assert!(cx.source_bytes() >= out.len());
    out
}

pub(crate) fn markup_text(cx: &mut Context<'_>, kept: bool, l: u32, r: u32) -> MarkupKind {
    let source = cx.text(l, r);
    let text = if kept {
        resolve(cx, source, l)
    } else {
        let mut collapsed = String::with_capacity(source.len());
        let mut blank = false;
        for character in source.chars() {
            if matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{C}') {
                blank = true;
                continue;
            }
            if blank {
                collapsed.push(' ');
                blank = false;
            }
            collapsed.push(character);
        }
        if blank {
            collapsed.push(' ');
        }
        resolve(cx, &collapsed, l)
    };
    MarkupKind::Text(Arc::from(text))
}

/// Resolves character references; unknown names stay as written, with a warning.
fn resolve(cx: &mut Context<'_>, text: &str, at: u32) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut search_from = at;
    while let Some(position) = rest.find('&') {
        out.push_str(&rest[..position]);
        rest = &rest[position..];
        match references::read(rest) {
            references::Reference::Character(character, length) => {
                out.push_str(character.encode_utf8(&mut [0; 4]));
                rest = &rest[length..];
            }
            references::Reference::Unknown(length) => {
                let written = &rest[..length];
                let length_in_source = u32::try_from(written.len()).unwrap_or(0);
                let found = match cx.text_from(search_from).find(written) {
                    Some(offset) => {
                        let start = search_from + u32::try_from(offset).unwrap_or(0);
                        search_from = start + length_in_source;
                        Span::new(start, start + length_in_source)
                    }
                    None => Span::at(at),
                };
                cx.report(
                    Diagnostic::warning(
                        Code::UnknownCharacterReference,
                        found,
                        format!("`{written}` is not a known character reference"),
                    )
                    .label("shown as it is written")
                    .hint("write the character itself, or a number such as &#8364;"),
                );
                out.push_str(written);
                rest = &rest[length..];
            }
            references::Reference::None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

pub(crate) fn style_text(cx: &mut Context<'_>, l: u32, r: u32) -> MarkupKind {
    MarkupKind::Style {
        attributes: Vec::new(),
        css: Arc::from(cx.text(l, r)),
    }
}

pub(crate) fn markup_if(branches: Vec<MarkupBranch>, otherwise: Option<Vec<Markup>>) -> MarkupKind {
    MarkupKind::If {
        branches,
        otherwise,
    }
}

pub(crate) fn markup_else_if(
    list: Vec<MarkupBranch>,
    condition: Expr,
    body: Vec<Markup>,
) -> Vec<MarkupBranch> {
    push(list, MarkupBranch { condition, body })
}

pub(crate) fn markup_for(
    cx: &mut Context<'_>,
    bindings: Vec<Pattern>,
    iterable: Expr,
    body: Vec<Markup>,
    empty: Option<Vec<Markup>>,
) -> MarkupKind {
    MarkupKind::For {
        bindings: loop_variables(cx, bindings),
        iterable,
        body,
        empty,
    }
}

pub(crate) fn error_for(_body: Vec<Markup>) -> MarkupKind {
    MarkupKind::Error
}

/// `<name` without the bracket.
pub(crate) fn tag_name(cx: &Context<'_>, l: u32, r: u32) -> Name {
    Name::new(cx.text(l + 1, r), span(l + 1, r))
}

pub(crate) fn element(
    cx: &mut Context<'_>,
    name: Name,
    attributes: Vec<Attribute>,
    children: Option<Vec<Markup>>,
    l: u32,
    r: u32,
) -> Markup {
    check_attributes(cx, &attributes);
    let self_closed = children.is_none();
    let mut children = children.unwrap_or_default();
    let kind = match &*name.text {
        "slot" => MarkupKind::Slot {
            name: slot_name(cx, &attributes),
            fallback: children,
        },
        "style" => match children.pop().map(|child| child.kind) {
            Some(MarkupKind::Style { css, .. }) => MarkupKind::Style { attributes, css },
            _self_closed => MarkupKind::Style {
                attributes,
                css: Arc::from(""),
            },
        },
        _other => {
            let component = name.is_capitalised();
            let element = Element {
                name,
                attributes,
                children,
                self_closed,
            };
            if component {
                MarkupKind::Component(element)
            } else {
                MarkupKind::Element(element)
            }
        }
    };
    markup(cx, kind, l, r)
}

fn attribute_key(attribute: &Attribute) -> Option<String> {
    match &attribute.kind {
        AttributeKind::Plain { name, .. } if name.text.is_empty() => None,
        AttributeKind::Plain { name, .. } => Some(name.text.to_string()),
        AttributeKind::Event {
            event, modifiers, ..
        } => {
            let mut key = event.text.to_string();
            for modifier in modifiers {
                key.push('.');
                key.push_str(&modifier.text);
            }
            Some(key)
        }
        AttributeKind::Bind(_) => Some("bind".to_owned()),
    }
}

/// An attribute may stand once.
fn check_attributes(cx: &mut Context<'_>, attributes: &[Attribute]) {
    let mut seen: std::collections::HashMap<String, Span> = std::collections::HashMap::new();
    for attribute in attributes {
        let Some(key) = attribute_key(attribute) else {
            continue;
        };
        if let Some(&first) = seen.get(&key) {
            cx.report(
                Diagnostic::error(
                    Code::DuplicateKey,
                    attribute.span,
                    format!("this tag has the attribute `{key}` twice"),
                )
                .label("again here")
                .also(first, "first here"),
            );
        }
        seen.insert(key, attribute.span);
    }
}

fn slot_name(cx: &mut Context<'_>, attributes: &[Attribute]) -> Option<Arc<str>> {
    let mut found = None;
    for attribute in attributes {
        match &attribute.kind {
            AttributeKind::Plain {
                name,
                value: AttributeValue::Static(value),
            } if &*name.text == "name" => found = Some(value.clone()),
            AttributeKind::Plain { .. } | AttributeKind::Event { .. } | AttributeKind::Bind(_) => {
                cx.report(
                    Diagnostic::error(
                        Code::BadMarkup,
                        attribute.span,
                        "a slot has only a fixed name",
                    )
                    .hint("write `<slot/>` or `<slot name=\"x\">fallback</slot>`"),
                );
            }
        }
    }
    found
}

pub(crate) fn attribute(kind: AttributeKind, l: u32, r: u32) -> Attribute {
    Attribute {
        kind,
        span: span(l, r),
    }
}

pub(crate) fn plain_attribute(name: Name, value: AttributeValue) -> AttributeKind {
    AttributeKind::Plain { name, value }
}

/// A handler: one expression stays itself, anything else is a block.
pub(crate) fn event(
    cx: &mut Context<'_>,
    name: Name,
    mut statements: Vec<Stmt>,
    l: u32,
    r: u32,
) -> AttributeKind {
    let handler = match statements.pop() {
        Some(Stmt {
            kind: StmtKind::Expr(only),
            ..
        }) if statements.is_empty() => only,
        last => {
            statements.extend(last);
            if statements.is_empty() {
                Expr::new(ExprKind::Error, span(l, r))
            } else {
                let block = cx.keep_block(Block::new(statements, span(l, r)));
                cx.keep_expr(Expr::new(ExprKind::Block(block), span(l, r)))
            }
        }
    };
    let (event, modifiers) = split_event(&name);
    AttributeKind::Event {
        event,
        modifiers,
        handler,
    }
}

/// `keydown.enter` into its parts.
fn split_event(name: &Name) -> (Name, Vec<Name>) {
    let mut at = name.span.start;
    let mut parts = Vec::new();
    for part in name.text.split('.') {
        let end = at + u32::try_from(part.len()).unwrap_or(0);
        parts.push(Name::new(part, Span::new(at, end)));
        at = end + 1;
    }
    let modifiers = parts.split_off(1);
    match parts.pop() {
        Some(event) => (event, modifiers),
        None => unreachable!("split gives at least one part"),
    }
}

pub(crate) fn event_text(
    cx: &mut Context<'_>,
    name: Name,
    _value: AttributeValue,
    l: u32,
    r: u32,
) -> AttributeKind {
    cx.report(
        Diagnostic::error(
            Code::BadMarkup,
            span(l, r),
            format!("`{}` is an event and needs code in braces", name.text),
        )
        .hint(format!("write `{}={{…}}`", name.text)),
    );
    let (event, modifiers) = split_event(&name);
    AttributeKind::Event {
        event,
        modifiers,
        handler: Expr::new(ExprKind::Error, span(l, r)),
    }
}

pub(crate) fn bind(cx: &mut Context<'_>, target: Expr) -> AttributeKind {
    check_target(cx, &target);
    AttributeKind::Bind(target)
}

pub(crate) fn bind_text(
    cx: &mut Context<'_>,
    _value: AttributeValue,
    l: u32,
    r: u32,
) -> AttributeKind {
    cx.report(
        Diagnostic::error(
            Code::BadMarkup,
            span(l, r),
            "`bind` needs a variable in braces",
        )
        .hint("write `bind={name}`"),
    );
    AttributeKind::Bind(Expr::new(ExprKind::Error, span(l, r)))
}

/// A quoted value: static if nothing is embedded.
pub(crate) fn attribute_text(mut parts: Vec<TextPart>) -> AttributeValue {
    match parts.pop() {
        None => AttributeValue::Static(Arc::from("")),
        Some(TextPart::Chars { value, .. }) if parts.is_empty() => AttributeValue::Static(value),
        Some(last) => {
            parts.push(last);
            AttributeValue::Mixed(parts)
        }
    }
}

pub(crate) fn attribute_chunk(cx: &mut Context<'_>, l: u32, r: u32) -> TextPart {
    let text = cx.text(l, r);
    TextPart::Chars {
        value: Arc::from(resolve(cx, text, l)),
        span: span(l, r),
    }
}
