//! Views: markup becomes expressions that write it. Must stay true: elements, branches and items stay recognisable, for
//! templates are made of them; what comes from a value is written by an expression that escapes for its place; what
//! belongs to the document head goes there.

use std::sync::Arc;

use flin_syntax::ast::{
    Arg, Attribute, AttributeKind, AttributeValue, Element, Expr, ExprKind as Ast, Markup,
    MarkupBranch, MarkupKind, Pattern, Stmt,
};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{ExprId, ExprKind, LocalId, ViewElement, ViewItem};

use super::Resolver;
use super::binding::Bound;
use super::tags;

/// Markup under construction: literal text not yet written out, and the expressions so far.
#[derive(Default)]
pub(super) struct Output {
    /// Markup inside of a tag, or characters between tags.
    literal: String,
    literal_span: Option<Span>,
    in_tag: bool,
    pub(super) ids: Vec<ExprId>,
}

/// What a page or layout shows, with its lifecycle blocks.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown<'a> {
    pub(super) nodes: Vec<&'a Markup>,
    pub(super) life: Vec<&'a Stmt>,
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
    /// The element is the first one of a loop's body, whose `key` is taken already.
    pub(super) keyed: bool,
}

impl Output {
    /// What stands inside of a tag.
    pub(super) fn of_tag() -> Output {
        Output {
            in_tag: true,
            ..Output::default()
        }
    }

    /// Adds markup inside of a tag, or characters between tags.
    pub(super) fn literal(&mut self, text: &str, span: Span) {
        self.literal.push_str(text);
        self.literal_span = Some(self.literal_span.map_or(span, |known| known.to(span)));
    }
}

impl<'a> Resolver<'a> {
    /// The expressions of a whole view.
    pub(super) fn view(&mut self, shown: &Shown<'a>, span: Span) -> Vec<ExprId> {
        let mut out = Output::default();
        self.shown(shown, &Around::default(), span, &mut out);
        self.flush(&mut out);
        out.ids
    }

    /// What a page or layout shows.
    pub(super) fn shown(
        &mut self,
        shown: &Shown<'a>,
        around: &Around,
        span: Span,
        out: &mut Output,
    ) {
        let life = self.life_of(shown.life.iter().copied());
        self.with_life(life, &shown.nodes, span, out, |this, out| {
            for node in &shown.nodes {
                this.node(node, around, out);
            }
        });
    }

    /// Writes out the literal text gathered so far.
    pub(super) fn flush(&mut self, out: &mut Output) {
        if let Some(span) = out.literal_span.take() {
            let text = std::mem::take(&mut out.literal);
            let kind = if out.in_tag {
                ExprKind::ViewRaw(text)
            } else {
                ExprKind::ViewChars(text)
            };
            out.ids.push(self.emit(kind, span));
        }
    }

    /// Adds an expression that writes.
    pub(super) fn put(&mut self, kind: ExprKind, span: Span, out: &mut Output) {
        self.flush(out);
        let id = self.emit(kind, span);
        out.ids.push(id);
    }

    /// What nodes write.
    fn content(&mut self, nodes: &'a [Markup], around: &Around) -> Vec<ExprId> {
        let mut out = Output::default();
        self.nodes(nodes, around, &mut out);
        self.flush(&mut out);
        out.ids
    }

    pub(super) fn nodes(&mut self, nodes: &'a [Markup], around: &Around, out: &mut Output) {
        let mut around = around.clone();
        for node in nodes {
            self.node(node, &around, out);
            if matches!(node.kind, MarkupKind::Element(_)) {
                around.keyed = false;
            }
        }
    }

    pub(super) fn node(&mut self, node: &'a Markup, around: &Around, out: &mut Output) {
        match &node.kind {
            MarkupKind::Element(element) => self.element(element, node.span, around, out),
            MarkupKind::Component(element) => {
                self.use_component(element, node.span, around, out);
            }
            MarkupKind::Slot { name, fallback } => {
                self.slot(name.as_deref(), fallback, node.span, around, out);
            }
            MarkupKind::Text(text) => out.literal(text, node.span),
            MarkupKind::Interpolation(value) => self.interpolation(value, node.span, out),
            MarkupKind::If {
                branches,
                otherwise,
            } => {
                self.flush(out);
                self.choices += 1;
                let id = self.markup_if(branches, otherwise.as_deref(), around, node.span);
                self.choices -= 1;
                out.ids.push(id);
            }
            MarkupKind::For {
                bindings,
                iterable,
                body,
                empty,
            } => {
                self.flush(out);
                let counter = self.turn_counter(body, node.span, out);
                self.choices += 1;
                let id = self.markup_for(
                    (bindings, counter),
                    iterable,
                    (body, empty.as_deref()),
                    around,
                    node.span,
                );
                self.choices -= 1;
                out.ids.push(id);
            }
            MarkupKind::Style { attributes, css } => {
                let css = self.hashed_style(css).unwrap_or_else(|| css.to_string());
                if self.style_of_component(&css, node.span) {
                    return;
                }
                let mut tag = Output::of_tag();
                self.plain_attributes(attributes, &mut tag);
                self.flush(&mut tag);
                let css = self.emit(ExprKind::ViewRaw(css), node.span);
                let style = ViewElement {
                    name: "style".to_owned(),
                    attributes: tag.ids,
                    content: Some(vec![css]),
                };
                let style = self.emit(ExprKind::ViewElement(Box::new(style)), node.span);
                self.put(ExprKind::ViewHead(vec![style]), node.span, out);
            }
            MarkupKind::Error => {}
        }
    }

    /// `<slot/>`
    fn slot(
        &mut self,
        name: Option<&str>,
        fallback: &'a [Markup],
        span: Span,
        around: &Around,
        out: &mut Output,
    ) {
        if self.component_slot(name, fallback, around, out) {
            return;
        }
        if name.is_none() && self.layout_slot(around, out) {
            return;
        }
        let wrong = Diagnostic::error(Code::BadSlot, span, "this `<slot/>` has nothing to show");
        self.report(wrong.hint("a slot stands in a component, and one without a name in a layout"));
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
            return out.literal(&text, span);
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
        branches: &'a [MarkupBranch],
        otherwise: Option<&'a [Markup]>,
        around: &Around,
        span: Span,
    ) -> ExprId {
        let mut parts = Vec::new();
        for branch in branches {
            self.open_block();
            let cond = self.expr(&branch.condition);
            let then = self.content(&branch.body, around);
            let then = self.emit(ExprKind::ViewBlock(then), branch.condition.span);
            self.close_block();
            parts.push((cond, then));
        }
        let mut last = match otherwise {
            Some(nodes) => {
                self.open_block();
                let content = self.content(nodes, around);
                self.close_block();
                self.emit(ExprKind::ViewBlock(content), span)
            }
            None => self.emit(ExprKind::ViewNothing, span),
        };
        for (cond, then) in parts.into_iter().rev() {
            let otherwise = Some(last);
            last = self.emit(
                ExprKind::If {
                    cond,
                    then,
                    otherwise,
                },
                span,
            );
        }
        last
    }

    fn markup_for(
        &mut self,
        (bindings, counter): (&[Pattern], Option<LocalId>),
        iterable: &Expr,
        (body, empty): (&'a [Markup], Option<&'a [Markup]>),
        around: &Around,
        span: Span,
    ) -> ExprId {
        let iter = self.expr(iterable);
        let label = self.open_loop(None, false);
        self.open_block();
        let mut turn = Vec::new();
        let (first, second) = self.loop_variables(bindings, &mut turn);
        let mut key = self.item_key(body);
        let keys = self.part_keys.len();
        if let Some(counter) = counter {
            let local = self.turn_key(counter, first, key, span, &mut turn);
            if key.is_some() {
                key = Some(self.emit(ExprKind::Local(local), span));
            }
            self.part_keys.push(local);
        }
        // What is edited in place belongs to its position: with its value as a key it would be another with each letter.
        let of = (!body.iter().any(binds_part_in)).then_some((first, iter));
        let inside = Around {
            keyed: key.is_some(),
            ..around.clone()
        };
        let content = self.content(body, &inside);
        self.part_keys.truncate(keys);
        let item = ViewItem { key, of, content };
        turn.push(self.emit(ExprKind::ViewItem(item), span));
        let body = self.emit(ExprKind::Block(turn, false), span);
        self.close_block();
        self.close_loop();
        let empty = empty.map(|nodes| {
            let content = self.content(nodes, around);
            self.emit(ExprKind::ViewEmpty(content), span)
        });
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

    /// `key={e}` of the first element of a loop's body.
    fn item_key(&mut self, body: &[Markup]) -> Option<ExprId> {
        let first = body.iter().find(|node| !tags::is_blank(node))?;
        let (MarkupKind::Element(element) | MarkupKind::Component(element)) = &first.kind else {
            return None;
        };
        let found = element
            .attributes
            .iter()
            .find_map(|attribute| match &attribute.kind {
                AttributeKind::Plain { name, value } if &*name.text == "key" => {
                    Some((value, attribute.span))
                }
                _ => None,
            });
        let (value, span) = found?;
        Some(match value {
            AttributeValue::Expr(value) => self.expr(value),
            AttributeValue::Mixed(parts) => self.text(parts, span),
            AttributeValue::Static(text) => self.emit(ExprKind::Text(text.to_string()), span),
            AttributeValue::Flag => self.emit(ExprKind::None, span),
        })
    }

    fn element(&mut self, element: &'a Element, span: Span, around: &Around, out: &mut Output) {
        let name: &Arc<str> = &element.name.text;
        let to_head = !around.svg && matches!(&**name, "title" | "meta" | "link");
        if to_head {
            let mut head = Output::default();
            self.element_here(element, span, around, &mut head);
            self.put(ExprKind::ViewHead(head.ids), span, out);
        } else {
            self.element_here(element, span, around, out);
        }
    }

    fn element_here(
        &mut self,
        element: &'a Element,
        span: Span,
        around: &Around,
        out: &mut Output,
    ) {
        let name: &str = &element.name.text;
        let mut tag = Output::of_tag();
        if let Some(mark) = self.mark_of_component() {
            tag.literal(&format!(" {mark}"), element.name.span);
        }
        let life = std::mem::take(&mut self.life);
        let found = self.attributes(element, around, &mut tag);
        self.flush(&mut tag);
        tag.ids.extend(life);
        let inside = Around {
            submits: around.submits || found.form.is_some(),
            select: found.select.or(around.select),
            svg: around.svg || name == "svg",
            keyed: false,
        };
        let content = (!tags::is_void(name)).then(|| {
            let mut content = match found.text {
                Some(bound) => {
                    let value = self.emit(bound.read(), element.name.span);
                    vec![self.emit(ExprKind::ViewText(value), element.name.span)]
                }
                None => self.content(&element.children, &inside),
            };
            // Behind what the program wrote: the first input of a form is the one that a visitor sees.
            if let Some((handler, args)) = found.form {
                content.push(self.emit(ExprKind::ViewForm { handler, args }, span));
            }
            content
        });
        let element = ViewElement {
            name: name.to_owned(),
            attributes: tag.ids,
            content,
        };
        self.put(ExprKind::ViewElement(Box::new(element)), span, out);
    }
}

/// Whether a control in an element is bound to a part of a variable.
fn binds_part(element: &Element) -> bool {
    let is_part = |attribute: &Attribute| match &attribute.kind {
        AttributeKind::Bind(target) => !matches!(target.kind, Ast::Name(_)),
        AttributeKind::Plain { .. } | AttributeKind::Event { .. } => false,
    };
    element.attributes.iter().any(is_part) || element.children.iter().any(binds_part_in)
}

fn binds_part_in(node: &Markup) -> bool {
    match &node.kind {
        MarkupKind::Element(element) | MarkupKind::Component(element) => binds_part(element),
        MarkupKind::Text(_)
        | MarkupKind::Interpolation(_)
        | MarkupKind::If { .. }
        | MarkupKind::For { .. }
        | MarkupKind::Slot { .. }
        | MarkupKind::Style { .. }
        | MarkupKind::Error => false,
    }
}

/// Text as it stands in markup and in double-quoted attributes.
pub(crate) fn escape(text: &str) -> String {
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
