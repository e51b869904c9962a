//! `onMount`, `onUpdate` and `onUnmount`: handlers that the browser runs when what a component or page shows appears, has changed,
//! or goes. Here, apart from other handlers, because no element of the program carries them. Must stay true: they stand on
//! the one element that is shown, else on a `<template>` before all that is shown, with another one behind it; what
//! `onUnmount` uses of the instance is what it was when it was shown last.

use flin_syntax::ast::{Expr, ExprKind as Ast, LifecycleEvent, Markup, Stmt, StmtKind};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{ExprId, ExprKind, ViewElement};
use crate::resolve::Resolver;
use crate::resolve::markup::Output;
use crate::resolve::tags::is_blank;

use super::is_body_element;

/// Which of them a handler is.
pub(in crate::resolve) type Phase = LifecycleEvent;

/// The name under which the browser knows it.
const fn name_of(event: LifecycleEvent) -> &'static str {
    match event {
        LifecycleEvent::Mount => "mount",
        LifecycleEvent::Update => "update",
        LifecycleEvent::Unmount => "unmount",
    }
}

/// The same as the program writes it.
const fn word_of(event: LifecycleEvent) -> &'static str {
    match event {
        LifecycleEvent::Mount => "onMount",
        LifecycleEvent::Update => "onUpdate",
        LifecycleEvent::Unmount => "onUnmount",
    }
}

impl<'a> Resolver<'a> {
    /// The attributes for the blocks of a component, layout or page.
    pub(in crate::resolve) fn life_of<'s>(
        &mut self,
        body: impl IntoIterator<Item = &'s Stmt>,
    ) -> Vec<ExprId> {
        let mut seen: Vec<(LifecycleEvent, Span)> = Vec::new();
        let mut marks = Vec::new();
        for statement in body {
            let StmtKind::Lifecycle { event, body } = &statement.kind else {
                continue;
            };
            let word = word_of(*event);
            let head = Span::new(
                statement.span.start,
                statement.span.start + word.len() as u32,
            );
            if let Some((_, first)) = seen.iter().find(|(it, _)| it == event) {
                self.report(
                    Diagnostic::error(Code::BadHandler, head, format!("a second `{word}`"))
                        .also(*first, "the first one")
                        .hint("put both into one block"),
                );
                continue;
            }
            seen.push((*event, head));
            let code = Expr::new(Ast::Block(body.clone()), body.span);
            let outer = self.phase.replace(*event);
            let (handler, args) = self.handler(name_of(*event), head, &code);
            self.phase = outer;
            let mark = ExprKind::ViewOn {
                handler,
                args,
                button: false,
            };
            marks.push(self.emit(mark, head));
        }
        marks
    }

    /// What is shown, with these attributes on its one element, or between two marks.
    pub(in crate::resolve) fn with_life(
        &mut self,
        life: Vec<ExprId>,
        nodes: &[&'a Markup],
        span: Span,
        out: &mut Output,
        show: impl FnOnce(&mut Self, &mut Output),
    ) {
        if life.is_empty() {
            return show(self, out);
        }
        let mut shown = nodes.iter().filter(|node| !is_blank(node));
        let is_alone =
            matches!((shown.next(), shown.next()), (Some(only), None) if is_body_element(only));
        if is_alone {
            self.life = life;
            return show(self, out);
        }
        self.life_mark(" data-flin-part", life, span, out);
        show(self, out);
        self.life_mark(" data-flin-end", Vec::new(), span, out);
    }

    fn life_mark(&mut self, name: &str, life: Vec<ExprId>, span: Span, out: &mut Output) {
        let mut attributes = vec![self.emit(ExprKind::ViewRaw(name.to_owned()), span)];
        attributes.extend(life);
        let mark = ViewElement {
            name: "template".to_owned(),
            attributes,
            content: Some(Vec::new()),
        };
        self.put(ExprKind::ViewElement(Box::new(mark)), span, out);
    }
}
