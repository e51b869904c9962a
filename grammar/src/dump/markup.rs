//! Markup as S-expressions.

use super::Dumper;
use super::sexp::Sexp;
use crate::ast::{Attribute, AttributeKind, AttributeValue, Element, Markup, MarkupKind};

impl Dumper {
    pub(super) fn markups(&self, nodes: &[Markup]) -> Vec<Sexp> {
        nodes.iter().map(|node| self.markup(node)).collect()
    }

    fn group(&self, kind: &str, nodes: &[Markup]) -> Sexp {
        let mut list = vec![Sexp::atom(kind)];
        list.extend(self.markups(nodes));
        Sexp::List(list)
    }

    pub(super) fn markup(&self, node: &Markup) -> Sexp {
        let (kind, children) = match &node.kind {
            MarkupKind::Element(element) => ("element", self.element(element)),
            MarkupKind::Component(element) => ("use", self.element(element)),
            MarkupKind::Slot { name, fallback } => {
                let mut children: Vec<Sexp> = name.iter().map(|name| Sexp::text(name)).collect();
                children.extend(self.markups(fallback));
                ("slot", children)
            }
            MarkupKind::Text(text) if !self.spans => return Sexp::text(text),
            MarkupKind::Text(text) => ("text", vec![Sexp::text(text)]),
            MarkupKind::Interpolation(value) => ("show", vec![self.expr(value)]),
            MarkupKind::If {
                branches,
                otherwise,
            } => {
                let mut children = Vec::new();
                for branch in branches {
                    children.push(self.expr(&branch.condition));
                    children.push(self.group("then", &branch.body));
                }
                children.extend(otherwise.as_ref().map(|nodes| self.group("else", nodes)));
                ("{if}", children)
            }
            MarkupKind::For {
                bindings,
                iterable,
                body,
                empty,
            } => {
                let mut children: Vec<Sexp> = bindings.iter().map(|b| self.pattern(b)).collect();
                children.extend([
                    Sexp::atom("in"),
                    self.expr(iterable),
                    self.group("do", body),
                ]);
                children.extend(empty.as_ref().map(|nodes| self.group("empty", nodes)));
                ("{for}", children)
            }
            MarkupKind::Style { attributes, css } => {
                let mut children: Vec<Sexp> =
                    attributes.iter().map(|a| self.attribute(a)).collect();
                children.push(Sexp::text(css));
                ("style", children)
            }
            MarkupKind::Error => ("error", Vec::new()),
        };
        self.node(kind, node.span, children)
    }

    fn element(&self, element: &Element) -> Vec<Sexp> {
        let mut children = vec![Sexp::atom(&element.name.text)];
        children.extend(element.attributes.iter().map(|a| self.attribute(a)));
        if element.self_closed {
            children.push(Sexp::atom("/"));
        }
        children.extend(self.markups(&element.children));
        children
    }

    fn attribute(&self, attribute: &Attribute) -> Sexp {
        match &attribute.kind {
            AttributeKind::Plain { name, value } => {
                let mut list = vec![Sexp::Atom(format!("{}=", name.text))];
                match value {
                    AttributeValue::Flag => {}
                    AttributeValue::Static(text) => list.push(Sexp::text(text)),
                    AttributeValue::Expr(value) => list.push(self.expr(value)),
                    AttributeValue::Mixed(parts) => {
                        let mut mixed = vec![Sexp::atom("mixed")];
                        mixed.extend(self.text_parts(parts));
                        list.push(Sexp::List(mixed));
                    }
                }
                Sexp::List(list)
            }
            AttributeKind::Event {
                event,
                modifiers,
                handler,
            } => {
                let mut name = format!("on:{}", event.text);
                for modifier in modifiers {
                    name.push('.');
                    name.push_str(&modifier.text);
                }
                Sexp::List(vec![Sexp::Atom(name), self.expr(handler)])
            }
            AttributeKind::Bind(target) => Sexp::List(vec![Sexp::atom("bind"), self.expr(target)]),
        }
    }
}
