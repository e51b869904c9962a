//! Views: markup becomes expressions that write it. Must stay true: everything that is known now is one literal piece per
//! run, already escaped; what comes from a value is written by an expression that escapes for its place; what belongs to
//! the document head goes there.

use std::sync::Arc;

use flin_syntax::Span;
use flin_syntax::ast::{
    Arg, Attribute, AttributeKind, Element, Expr, ExprKind as Ast, Markup, MarkupBranch,
    MarkupKind, Pattern,
};

use crate::hir::{ExprId, ExprKind, LocalId};
use crate::unsupported::Unsupported;

use super::Resolver;
use super::binding::Bound;
use super::tags;

/// Markup under construction: literal text not yet written out, and the expressions so far.
#[derive(Default)]
pub(super) struct Output {
    raw: String,
    raw_span: Option<Span>,
    pub(super) ids: Vec<ExprId>,
}

/// What an element needs to know about those around it.
#[derive(Clone, Default)]
pub(super) struct Around {
    /// Inside of a form with a submit handler.
    pub(super) submits: bool,
    /// The variable of the bound `<select>` around.
    pub(super) select: Option<Bound>,
    /// Inside of `<svg>`, where `<title>` and `<style>` are ordinary elements.
    pub(super) svg: bool,
    /// The variable of the loop of which the next element is a direct child.
    pub(super) key: Option<LocalId>,
}

impl Output {
    /// Adds literal markup.
    pub(super) fn raw(&mut self, text: &str, span: Span) {
        self.raw.push_str(text);
        self.raw_span = Some(self.raw_span.map_or(span, |known| known.to(span)));
    }

    /// Adds characters to show.
    pub(super) fn text(&mut self, text: &str, span: Span) {
        self.raw(&escape(text), span);
    }
}

impl Resolver<'_> {
    /// The expressions of a whole view.
    pub(super) fn view(&mut self, nodes: &[&Markup]) -> Vec<ExprId> {
        let mut out = Output::default();
        for node in nodes {
            self.node(node, &Around::default(), &mut out);
        }
        self.flush(&mut out);
        out.ids
    }

    /// Writes out the literal text gathered so far.
    pub(super) fn flush(&mut self, out: &mut Output) {
        if let Some(span) = out.raw_span.take() {
            let text = std::mem::take(&mut out.raw);
            out.ids.push(self.emit(ExprKind::ViewRaw(text), span));
        }
    }

    /// Adds an expression that writes.
    pub(super) fn put(&mut self, kind: ExprKind, span: Span, out: &mut Output) {
        self.flush(out);
        let id = self.emit(kind, span);
        out.ids.push(id);
    }

    /// Nodes as a block of their own.
    fn nodes_block(
        &mut self,
        nodes: &[Markup],
        around: &Around,
        before: Vec<ExprId>,
        span: Span,
    ) -> ExprId {
        let mut out = Output {
            ids: before,
            ..Output::default()
        };
        self.nodes(nodes, around, &mut out);
        self.flush(&mut out);
        self.emit(ExprKind::Block(out.ids, false), span)
    }

    pub(super) fn nodes(&mut self, nodes: &[Markup], around: &Around, out: &mut Output) {
        let mut around = around.clone();
        for node in nodes {
            self.node(node, &around, out);
            if matches!(
                node.kind,
                MarkupKind::Element(_) | MarkupKind::If { .. } | MarkupKind::For { .. }
            ) {
                // Only the first element of a loop's body carries the key: keys differ among neighbours.
                around.key = None;
            }
        }
    }

    fn node(&mut self, node: &Markup, around: &Around, out: &mut Output) {
        match &node.kind {
            MarkupKind::Element(element) => self.element(element, node.span, around, out),
            MarkupKind::Component(element) => {
                self.unsupported(Unsupported::Components, element.name.span)
            }
            MarkupKind::Slot { .. } => self.unsupported(Unsupported::Slots, node.span),
            MarkupKind::Text(text) => out.text(text, node.span),
            MarkupKind::Interpolation(value) => self.interpolation(value, node.span, out),
            MarkupKind::If {
                branches,
                otherwise,
            } => {
                self.flush(out);
                let id = self.markup_if(branches, otherwise.as_deref(), around, node.span);
                out.ids.push(id);
            }
            MarkupKind::For {
                bindings,
                iterable,
                body,
                empty,
            } => {
                self.flush(out);
                let id = self.markup_for(
                    bindings,
                    iterable,
                    (body, empty.as_deref()),
                    around,
                    node.span,
                );
                out.ids.push(id);
            }
            MarkupKind::Style { attributes, css } => {
                let mut head = Output::default();
                head.raw("<style", node.span);
                self.plain_attributes(attributes, &mut head);
                head.raw(">", node.span);
                head.raw(css, node.span);
                head.raw("</style>", node.span);
                self.flush(&mut head);
                self.put(ExprKind::ViewHead(head.ids), node.span, out);
            }
            MarkupKind::Error => {}
        }
    }

    /// `{e}`, `{raw(e)}`
    fn interpolation(&mut self, value: &Expr, span: Span, out: &mut Output) {
        if let Some(html) = self.raw_argument(value) {
            let html = self.expr(html);
            return self.put(ExprKind::ViewHtml(html), span, out);
        }
        if let Ast::Text(_) = &value.kind
            && let Some(text) = super::decorators::text(value)
        {
            return out.text(&text, span);
        }
        let value = self.expr(value);
        self.put(ExprKind::ViewText(value), span, out);
    }

    fn raw_argument<'e>(&self, value: &'e Expr) -> Option<&'e Expr> {
        let Ast::Call { callee, args } = &value.kind else {
            return None;
        };
        match (&callee.kind, args.as_slice()) {
            (
                Ast::Name(name),
                [
                    Arg {
                        name: None, value, ..
                    },
                ],
            ) if &*name.text == "raw" && !self.is_visible("raw") => Some(value),
            _ => None,
        }
    }

    fn markup_if(
        &mut self,
        branches: &[MarkupBranch],
        otherwise: Option<&[Markup]>,
        around: &Around,
        span: Span,
    ) -> ExprId {
        let mut parts = Vec::new();
        for branch in branches {
            self.open_block();
            let cond = self.expr(&branch.condition);
            let then = self.nodes_block(&branch.body, around, Vec::new(), branch.condition.span);
            self.close_block();
            parts.push((cond, then));
        }
        let mut last = otherwise.map(|nodes| {
            self.open_block();
            let id = self.nodes_block(nodes, around, Vec::new(), span);
            self.close_block();
            id
        });
        for (cond, then) in parts.into_iter().rev() {
            last = Some(self.emit(
                ExprKind::If {
                    cond,
                    then,
                    otherwise: last,
                },
                span,
            ));
        }
        last.expect("there is at least one branch")
    }

    fn markup_for(
        &mut self,
        bindings: &[Pattern],
        iterable: &Expr,
        (body, empty): (&[Markup], Option<&[Markup]>),
        around: &Around,
        span: Span,
    ) -> ExprId {
        let iter = self.expr(iterable);
        let label = self.open_loop(None, false);
        self.open_block();
        let mut before = Vec::new();
        let (first, second) = self.loop_variables(bindings, &mut before);
        let inside = Around {
            key: Some(first),
            ..around.clone()
        };
        let body = self.nodes_block(body, &inside, before, span);
        self.close_block();
        self.close_loop();
        let empty = empty.map(|nodes| self.nodes_block(nodes, around, Vec::new(), span));
        self.emit(
            ExprKind::For {
                label,
                first,
                second,
                iter,
                body,
                empty,
            },
            span,
        )
    }

    fn element(&mut self, element: &Element, span: Span, around: &Around, out: &mut Output) {
        let name: &Arc<str> = &element.name.text;
        let to_head = !around.svg && matches!(&**name, "title" | "meta" | "link");
        if to_head {
            let mut head = Output::default();
            let around = Around {
                key: None,
                ..around.clone()
            };
            self.element_here(element, span, &around, &mut head);
            self.flush(&mut head);
            self.put(ExprKind::ViewHead(head.ids), span, out);
        } else {
            self.element_here(element, span, around, out);
        }
    }

    fn element_here(&mut self, element: &Element, span: Span, around: &Around, out: &mut Output) {
        let name: &str = &element.name.text;
        let open = element.name.span;
        out.raw(&format!("<{name}"), open);
        // What is edited in place belongs to its position: with its value as a key it would be another with each letter.
        if let Some(key) = around.key
            && !binds_part(element)
        {
            self.put(ExprKind::ViewKey(key), open, out);
        }
        let content = self.attributes(element, around, out);
        out.raw(">", open);
        if tags::is_void(name) {
            return;
        }
        let inside = Around {
            submits: around.submits || content.form.is_some(),
            select: content.select.or(around.select),
            svg: around.svg || name == "svg",
            key: None,
        };
        // The browser drops a newline directly after these tags: where the content is computed, it drops ours.
        if content.text.is_some()
            || (matches!(name, "pre" | "textarea") && starts_with_value(element))
        {
            out.raw("\n", open);
        }
        match content.text {
            Some(bound) => {
                let value = self.emit(bound.read(), open);
                self.put(ExprKind::ViewText(value), open, out);
            }
            None => self.nodes(&element.children, &inside, out),
        }
        // Behind what the program wrote: the first input of a form is the one that a visitor sees.
        if let Some((handler, args)) = content.form {
            self.put(ExprKind::ViewForm { handler, args }, span, out);
        }
        out.raw(&format!("</{name}>"), span);
    }
}

/// Whether a control in an element is bound to a part of a variable.
fn binds_part(element: &Element) -> bool {
    let is_part = |attribute: &Attribute| match &attribute.kind {
        AttributeKind::Bind(target) => !matches!(target.kind, Ast::Name(_)),
        AttributeKind::Plain { .. } | AttributeKind::Event { .. } => false,
    };
    let inside = |node: &Markup| match &node.kind {
        MarkupKind::Element(element) | MarkupKind::Component(element) => binds_part(element),
        MarkupKind::Text(_)
        | MarkupKind::Interpolation(_)
        | MarkupKind::If { .. }
        | MarkupKind::For { .. }
        | MarkupKind::Slot { .. }
        | MarkupKind::Style { .. }
        | MarkupKind::Error => false,
    };
    element.attributes.iter().any(is_part) || element.children.iter().any(inside)
}

/// Whether the first thing inside of an element is computed.
fn starts_with_value(element: &Element) -> bool {
    let first = element.children.first();
    first.is_some_and(|node| !matches!(node.kind, MarkupKind::Text(_)))
}

/// Text as it stands in markup and in double-quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}
