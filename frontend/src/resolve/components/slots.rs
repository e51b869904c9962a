//! What a component shows that is not its own: what fills its slots; and what is there once for all uses of it: its style, and the
//! keys that tell the turns of loops apart. Must stay true: what stands between the tags of a component sees what is around
//! them; a style reaches only elements that the component writes itself.

use flin_syntax::Span;
use flin_syntax::ast::{AttributeKind, AttributeValue, Markup, MarkupKind, StmtKind};

use crate::hir::{BinOp, ExprId, ExprKind, LocalId};
use crate::resolve::markup::{Around, Output};
use crate::resolve::names::Item;
use crate::resolve::{PRELUDE_WORLD, Resolver};

impl<'a> Resolver<'a> {
    /// A `<style>` of a component: once for the page, and only for elements of the component.
    pub(in crate::resolve) fn style_of_component(&mut self, css: &str, span: Span) -> bool {
        let (Some(used), Some(mark)) = (self.uses.last(), self.mark_of_component()) else {
            return false;
        };
        let at = used.component;
        if !self
            .styles
            .iter()
            .any(|(of, known, _)| *of == at && *known == span)
        {
            self.styles
                .push((at, span, crate::resolve::scoped::scoped(css, &mark)));
        }
        true
    }

    /// The attribute that elements of the component at hand carry, if it has a style.
    pub(in crate::resolve) fn mark_of_component(&self) -> Option<String> {
        let used = self.uses.last()?;
        let component = self.components[used.component];
        let styled = component
            .body
            .iter()
            .any(|statement| match &statement.kind {
                StmtKind::View(nodes) => nodes.iter().any(has_style),
                StmtKind::Markup(node) => has_style(node),
                _ => false,
            });
        styled.then(|| format!("data-of-{}", component.name.to_lowercase()))
    }

    /// Writes the styles of a page's components to its head.
    pub(in crate::resolve) fn component_styles(&mut self, ids: &mut Vec<ExprId>) {
        for (_, span, css) in std::mem::take(&mut self.styles) {
            let css = self.emit(ExprKind::ViewRaw(css), span);
            let style = crate::hir::ViewElement {
                name: "style".to_owned(),
                attributes: Vec::new(),
                content: Some(vec![css]),
            };
            let style = self.emit(ExprKind::ViewElement(Box::new(style)), span);
            ids.push(self.emit(ExprKind::ViewHead(vec![style]), span));
        }
    }

    /// `<slot/>` in a component: what stands between the tags of its use, else what stands in the slot.
    pub(in crate::resolve) fn component_slot(
        &mut self,
        name: Option<&str>,
        fallback: &'a [Markup],
        around: &Around,
        out: &mut Output,
    ) -> bool {
        let Some(used) = self.uses.pop() else {
            return false;
        };
        let filling: Vec<&'a Markup> = used
            .children
            .iter()
            .filter(|node| slot_of(node) == name)
            .collect();
        let is_blank = filling
            .iter()
            .all(|node| crate::resolve::tags::is_blank(node));
        if is_blank {
            self.uses.push(used);
            self.nodes(fallback, around, out);
            return true;
        }
        let inner_world = std::mem::replace(&mut self.world, used.world);
        let inner = std::mem::replace(&mut self.instance, used.outer.clone());
        self.open_barrier(used.blocks);
        let inside = Around {
            keyed: false,
            ..around.clone()
        };
        for node in filling {
            self.node(node, &inside, out);
        }
        self.close_block();
        self.world = inner_world;
        self.instance = inner;
        self.uses.push(used);
        true
    }

    /// A loop with components in it counts its turns: a counter before it.
    pub(in crate::resolve) fn turn_counter(
        &mut self,
        body: &[Markup],
        span: Span,
        out: &mut Output,
    ) -> Option<LocalId> {
        if !body.iter().any(has_component) {
            return None;
        }
        let counter = self.temporary(span);
        let start = self.emit(ExprKind::Int(-1), span);
        self.put(ExprKind::Let(counter, Some(start)), span, out);
        Some(counter)
    }

    /// What tells the turns of a loop apart: the key that the program gives, else the item's id, else its position.
    pub(in crate::resolve) fn turn_key(
        &mut self,
        counter: LocalId,
        item: LocalId,
        given: Option<ExprId>,
        span: Span,
        turn: &mut Vec<ExprId>,
    ) -> LocalId {
        let one = self.emit(ExprKind::Int(1), span);
        let before = self.emit(ExprKind::Local(counter), span);
        let next = self.emit(ExprKind::Binary(BinOp::Add, before, one), span);
        self.mark_assigned(counter);
        turn.push(self.emit(ExprKind::SetLocal(counter, next), span));
        let position = self.emit(ExprKind::Local(counter), span);
        let key = match (given, self.worlds[PRELUDE_WORLD].get("__part_key")) {
            (Some(key), _) => self.emit(ExprKind::Concat(vec![key]), span),
            (None, Some((Item::Function(function), _))) => {
                let item = self.emit(ExprKind::Local(item), span);
                self.emit(ExprKind::CallFn(function, vec![item, position]), span)
            }
            (None, _) => self.emit(ExprKind::Concat(vec![position]), span),
        };
        let local = self.temporary(span);
        turn.push(self.emit(ExprKind::Let(local, Some(key)), span));
        local
    }
}

/// The slot that a node between the tags of a component fills; none is the one without a name.
fn slot_of(node: &Markup) -> Option<&str> {
    let (MarkupKind::Element(element) | MarkupKind::Component(element)) = &node.kind else {
        return None;
    };
    element
        .attributes
        .iter()
        .find_map(|attribute| match &attribute.kind {
            AttributeKind::Plain {
                name,
                value: AttributeValue::Static(slot),
            } if &*name.text == "slot" => Some(&**slot),
            _ => None,
        })
}

fn has_style(node: &Markup) -> bool {
    match &node.kind {
        MarkupKind::Style { .. } => true,
        MarkupKind::Element(element) | MarkupKind::Component(element) => {
            element.children.iter().any(has_style)
        }
        MarkupKind::If {
            branches,
            otherwise,
        } => {
            branches.iter().any(|it| it.body.iter().any(has_style))
                || otherwise.iter().flatten().any(has_style)
        }
        MarkupKind::For { body, empty, .. } => {
            body.iter().any(has_style) || empty.iter().flatten().any(has_style)
        }
        MarkupKind::Text(_)
        | MarkupKind::Interpolation(_)
        | MarkupKind::Slot { .. }
        | MarkupKind::Error => false,
    }
}

fn has_component(node: &Markup) -> bool {
    match &node.kind {
        MarkupKind::Component(_) | MarkupKind::Slot { .. } => true,
        MarkupKind::Element(element) => element.children.iter().any(has_component),
        MarkupKind::If {
            branches,
            otherwise,
        } => {
            branches.iter().any(|it| it.body.iter().any(has_component))
                || otherwise.iter().flatten().any(has_component)
        }
        MarkupKind::For { body, empty, .. } => {
            body.iter().any(has_component) || empty.iter().flatten().any(has_component)
        }
        MarkupKind::Text(_)
        | MarkupKind::Interpolation(_)
        | MarkupKind::Style { .. }
        | MarkupKind::Error => false,
    }
}
