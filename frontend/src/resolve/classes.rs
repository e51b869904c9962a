//! Classes and styles of an element: `class={["a", c && "b"]}`, `class={{ done: todo.done }}`, `class.done={todo.done}`,
//! `style={{ color: c }}`, `style.width={w}`. Here because several attributes of the source become one of the page. Must stay
//! true: what is a text stays a text, so that a page with plain classes costs nothing more; a value in a style is kept to
//! its own declaration.

use flin_syntax::ast::{
    AttributeKind, AttributeValue, BinaryOp, Element, Expr, ExprKind as Ast, TextPart,
};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{AttrPlace, ExprId, ExprKind};

use super::markup::{Output, escape};
use super::names::Item;
use super::{PRELUDE_WORLD, Resolver};

/// The attributes of an element for its class or style, in the order of the source.
struct Parts<'e> {
    whole: Option<&'e AttributeValue>,
    /// `class.name={e}`: the name, and the value.
    named: Vec<(&'e str, &'e Expr)>,
    span: Span,
}

impl<'e> Parts<'e> {
    fn of(element: &'e Element, what: &str) -> Option<Parts<'e>> {
        let mut parts = Parts {
            whole: None,
            named: Vec::new(),
            span: element.name.span,
        };
        for attribute in &element.attributes {
            let AttributeKind::Plain { name, value } = &attribute.kind else {
                continue;
            };
            if &*name.text == what {
                parts.whole = Some(value);
                parts.span = attribute.span;
            } else if let Some(name) = part_of(&name.text, what)
                && let AttributeValue::Expr(value) = value
            {
                parts.named.push((name, value));
                parts.span = attribute.span;
            }
        }
        (!parts.named.is_empty()).then_some(parts)
    }
}

/// The name behind `class.`
fn part_of<'n>(name: &'n str, what: &str) -> Option<&'n str> {
    name.strip_prefix(what)?.strip_prefix('.')
}

/// Whether an expression gives a text (or nothing) whatever the values are.
fn is_text(value: &Expr) -> bool {
    match &value.kind {
        Ast::Text(_) | Ast::None => true,
        Ast::Conditional {
            then_value,
            else_value,
            ..
        } => is_text(then_value) && is_text(else_value),
        Ast::Binary {
            op: BinaryOp::Add,
            left,
            right,
        } => is_text(left) || is_text(right),
        _ => false,
    }
}

impl Resolver<'_> {
    /// `class.name={e}` and `style.name={e}`, together with the plain attribute. Says which of the two are written by this.
    pub(super) fn named_parts(&mut self, element: &Element, out: &mut Output) -> [bool; 2] {
        let classes = Parts::of(element, "class");
        if let Some(parts) = &classes {
            self.named_classes(parts, out);
        }
        let styles = Parts::of(element, "style");
        if let Some(parts) = &styles {
            self.named_styles(parts, out);
        }
        [classes.is_some(), styles.is_some()]
    }

    fn named_classes(&mut self, parts: &Parts<'_>, out: &mut Output) {
        let span = parts.span;
        let mut items = Vec::new();
        items.extend(match parts.whole {
            Some(AttributeValue::Static(text)) => {
                Some(self.emit(ExprKind::Text(text.to_string()), span))
            }
            Some(AttributeValue::Mixed(mixed)) => Some(self.text(mixed, span)),
            Some(AttributeValue::Expr(value)) => Some(self.expr(value)),
            Some(AttributeValue::Flag) | None => None,
        });
        for (name, value) in &parts.named {
            let cond = self.expr(value);
            let then = self.emit(ExprKind::Text((*name).to_owned()), span);
            let otherwise = Some(self.emit(ExprKind::None, span));
            let part = ExprKind::If {
                cond,
                then,
                otherwise,
            };
            items.push(self.emit(part, span));
        }
        let mut classes: Option<ExprId> = None;
        for item in items {
            classes = Some(match classes {
                None => self.prelude_call("__class", vec![item], span),
                Some(before) => self.prelude_call("__classes", vec![before, item], span),
            });
        }
        let value = classes.unwrap_or_else(|| self.error(span));
        let (name, place) = ("class".to_owned(), AttrPlace::Plain);
        self.put(ExprKind::ViewAttr { name, place, value }, span, out);
    }

    fn named_styles(&mut self, parts: &Parts<'_>, out: &mut Output) {
        let span = parts.span;
        let mut style = Output::of_tag();
        style.literal(" style=\"", span);
        match parts.whole {
            Some(AttributeValue::Static(text)) => style.literal(&escape(text), span),
            Some(AttributeValue::Expr(Expr {
                kind: Ast::Text(mixed),
                ..
            }))
            | Some(AttributeValue::Mixed(mixed)) => self.style_parts(mixed, span, &mut style),
            Some(AttributeValue::Expr(value)) => {
                let title = "a computed style stands beside parts of a style";
                self.report(
                    Diagnostic::error(Code::BadMarkup, value.span, title)
                        .hint("write all of it as one map: `style={{ color: c, width: w }}`"),
                );
            }
            Some(AttributeValue::Flag) | None => {}
        }
        for (name, value) in &parts.named {
            style.literal(&format!(";{}:", escape(name)), span);
            let value = self.expr(value);
            let (name, place) = ("style".to_owned(), AttrPlace::StyleValue);
            self.put(ExprKind::ViewAttr { name, place, value }, span, &mut style);
        }
        style.literal("\"", span);
        self.flush(&mut style);
        self.put(ExprKind::ViewStyle(style.ids), span, out);
    }

    /// What stands around values in a style is the program's own, each value is kept to its place.
    pub(super) fn style_parts(&mut self, parts: &[TextPart], span: Span, style: &mut Output) {
        let mut before = String::new();
        for part in parts {
            match part {
                TextPart::Chars { value, span } => {
                    before.push_str(&value.to_ascii_lowercase());
                    let hashed = self.hashed_style(value);
                    style.literal(&escape(hashed.as_deref().unwrap_or(value)), *span);
                }
                TextPart::Expr(value) => {
                    let in_url = before
                        .rfind("url(")
                        .is_some_and(|at| !before[at..].contains(')'));
                    let place = if in_url {
                        AttrPlace::StyleUrl
                    } else {
                        AttrPlace::StyleValue
                    };
                    let value = self.expr(value);
                    let name = "style".to_owned();
                    self.put(ExprKind::ViewAttr { name, place, value }, span, style);
                }
            }
        }
    }

    /// The value of `class={e}` or `style={e}`: a list or map becomes a text.
    pub(super) fn class_or_style(&mut self, name: &str, value: &Expr) -> ExprId {
        let span = value.span;
        let id = self.expr(value);
        match name {
            "class" if !is_text(value) => self.prelude_call("__class", vec![id], span),
            "style" if !is_text(value) => self.prelude_call("__style", vec![id], span),
            _ => id,
        }
    }

    fn prelude_call(&mut self, name: &str, args: Vec<ExprId>, span: Span) -> ExprId {
        match self.worlds[PRELUDE_WORLD].get(name) {
            Some((Item::Function(function), _)) => {
                self.emit(ExprKind::CallFn(function, args), span)
            }
            Some(_) | None => args.last().copied().unwrap_or_else(|| self.error(span)),
        }
    }
}
