//! Control flow: conditions, loops, `try`, and leaving them. Must stay true: loops of a function are numbered in the order
//! they open; `break`, `continue` and `return` never leave the function they stand in.

use std::sync::Arc;

use flin_syntax::ast::{Block, Expr, ExprKind as Ast, IfBranch, Name, Pattern, PatternKind};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{ExprId, ExprKind, LocalId};

use super::Resolver;
use super::patterns::Target;
use super::scope::{OpenLoop, Place};

impl Resolver<'_> {
    /// The control expressions; others are not for here.
    pub(super) fn control(&mut self, expr: &Expr, want: bool) -> ExprId {
        let span = expr.span;
        match &expr.kind {
            Ast::Conditional {
                condition,
                then_value,
                else_value,
                ..
            } => {
                let cond = self.expr(condition);
                let then = self.branch_value(then_value, want);
                let otherwise = Some(self.branch_value(else_value, want));
                self.emit(
                    ExprKind::If {
                        cond,
                        then,
                        otherwise,
                    },
                    span,
                )
            }
            Ast::If {
                branches,
                else_block,
            } => self.if_chain(branches, else_block.as_ref(), want, span),
            Ast::Match { subject, arms } => self.match_expr(subject, arms, want, span),
            Ast::Block(block) => self.block(block, want),
            Ast::TryCatch {
                body,
                error,
                handler,
            } => self.try_catch(body, error.as_ref(), handler, want, span),
            Ast::Loop { label, body } => {
                let label = self.open_loop(label.as_ref(), true);
                let body = self.block(body, false);
                self.close_loop();
                self.emit(ExprKind::Loop { label, body }, span)
            }
            Ast::Return(value) => self.return_expr(value.as_deref(), span),
            Ast::Break { label, value } => self.break_expr(label.as_ref(), value.as_deref(), span),
            Ast::Continue { label } => match self.loop_of(label.as_ref(), "continue", span) {
                Some(at) => {
                    let label = self.frame().loops[at].label;
                    self.emit(ExprKind::Continue(label), span)
                }
                None => self.error(span),
            },
            _ => unreachable!("only control expressions come here"),
        }
    }

    /// `then` and `else` parts may be assignments.
    fn branch_value(&mut self, value: &Expr, want: bool) -> ExprId {
        if want {
            self.expr(value)
        } else {
            self.effect(value)
        }
    }

    fn if_chain(
        &mut self,
        branches: &[IfBranch],
        last: Option<&Block>,
        want: bool,
        span: Span,
    ) -> ExprId {
        // From the first to the last, so that expressions are resolved in the order of the source.
        let mut parts = Vec::new();
        for branch in branches {
            self.open_block();
            let cond = self.expr(&branch.condition);
            let then = self.block(&branch.body, want);
            self.close_block();
            parts.push((cond, then, branch.condition.span));
        }
        let mut otherwise = last.map(|block| self.block(block, want));
        for (at, (cond, then, condition_span)) in parts.into_iter().enumerate().rev() {
            let span = if at == 0 { span } else { condition_span };
            otherwise = Some(self.emit(
                ExprKind::If {
                    cond,
                    then,
                    otherwise,
                },
                span,
            ));
        }
        otherwise.expect("there is at least one branch")
    }

    fn try_catch(
        &mut self,
        body: &Block,
        error: Option<&Pattern>,
        handler: &Block,
        want: bool,
        span: Span,
    ) -> ExprId {
        let body = self.block(body, want);
        self.open_block();
        let mut prologue = Vec::new();
        let error = error.map(|pattern| self.whole_or_parts(pattern, &mut prologue));
        let handler = self.statements(&handler.statements, prologue, want, handler.span);
        self.close_block();
        self.emit(
            ExprKind::TryCatch {
                body,
                error,
                handler,
            },
            span,
        )
    }

    /// A variable for a pattern: the name itself, or a nameless one that is taken apart by the statements added.
    pub(super) fn whole_or_parts(
        &mut self,
        pattern: &Pattern,
        prologue: &mut Vec<ExprId>,
    ) -> LocalId {
        match &pattern.kind {
            PatternKind::Binding(name) => self.declare(&name.text, name.span, None),
            PatternKind::Wildcard => self.frame_mut().add_local("_", pattern.span, None),
            _ => {
                let local = self.temporary(pattern.span);
                self.take_apart(pattern, local, Target::Declare, prologue);
                local
            }
        }
    }

    pub(super) fn for_loop(
        &mut self,
        name: Option<&Name>,
        bindings: &[Pattern],
        iterable: &Expr,
        body: &Block,
        span: Span,
    ) -> ExprId {
        if let (
            [single],
            Ast::Range {
                start,
                end,
                inclusive,
            },
        ) = (bindings, &iterable.kind)
        {
            let from = self.expr(start);
            let to = self.expr(end);
            let label = self.open_loop(name, false);
            self.open_block();
            let mut prologue = Vec::new();
            let var = self.whole_or_parts(single, &mut prologue);
            let body = self.statements(&body.statements, prologue, false, body.span);
            self.close_block();
            self.close_loop();
            let inclusive = *inclusive;
            return self.emit(
                ExprKind::ForRange {
                    label,
                    var,
                    from,
                    to,
                    inclusive,
                    body,
                },
                span,
            );
        }
        let iter = self.expr(iterable);
        let label = self.open_loop(name, false);
        self.open_block();
        let mut prologue = Vec::new();
        let (first, second) = self.loop_variables(bindings, &mut prologue);
        let body = self.statements(&body.statements, prologue, false, body.span);
        self.close_block();
        self.close_loop();
        self.emit(
            ExprKind::For {
                label,
                first,
                second,
                iter,
                body,
                empty: None,
            },
            span,
        )
    }

    pub(super) fn loop_variables(
        &mut self,
        bindings: &[Pattern],
        prologue: &mut Vec<ExprId>,
    ) -> (LocalId, Option<LocalId>) {
        let mut variables = bindings
            .iter()
            .map(|pattern| self.whole_or_parts(pattern, prologue))
            .collect::<Vec<_>>();
        if variables.is_empty() {
            variables.push(self.temporary(Span::at(0)));
        }
        (variables[0], variables.get(1).copied())
    }

    pub(super) fn while_loop(
        &mut self,
        name: Option<&Name>,
        condition: &Expr,
        body: &Block,
        span: Span,
    ) -> ExprId {
        let cond = self.expr(condition);
        let label = self.open_loop(name, false);
        let body = self.block(body, false);
        self.close_loop();
        self.emit(ExprKind::While { label, cond, body }, span)
    }

    /// `while let p = e { … }`: a loop that ends when the pattern does not fit.
    pub(super) fn while_let(
        &mut self,
        name: Option<&Name>,
        pattern: &Pattern,
        value: &Expr,
        body: &Block,
        span: Span,
    ) -> ExprId {
        let label = self.open_loop(name, false);
        self.open_block();
        let initial = self.expr(value);
        let local = self.temporary(value.span);
        let mut turn = vec![self.emit(ExprKind::Let(local, Some(initial)), value.span)];
        let test = self.while_pattern(pattern, local);
        let then = self.statements(&body.statements, test.bindings, false, body.span);
        self.close_block();
        if let Some(cond) = test.condition {
            let end = self.emit(ExprKind::Break(label, None), pattern.span);
            turn.push(self.emit(
                ExprKind::If {
                    cond,
                    then,
                    otherwise: Some(end),
                },
                pattern.span,
            ));
        } else {
            turn.push(then);
        }
        let body = self.emit(ExprKind::Block(turn, false), span);
        self.close_loop();
        self.emit(ExprKind::Loop { label, body }, span)
    }

    fn return_expr(&mut self, value: Option<&Expr>, span: Span) -> ExprId {
        let value = value.map(|value| self.expr(value));
        let allowed = match self.frame().place {
            Place::Function | Place::Lambda | Place::Handler | Place::Route | Place::Test => true,
            Place::Main
            | Place::View
            | Place::Init
            | Place::ConstInit
            | Place::Default
            | Place::Check => false,
        };
        if !allowed {
            self.report(
                Diagnostic::error(
                    Code::OutsideFunction,
                    span,
                    "`return` stands in no function",
                )
                .hint("put the statements into a function, or use `if` and `else`"),
            );
            return self.error(span);
        }
        self.emit(ExprKind::Return(value), span)
    }

    fn break_expr(&mut self, label: Option<&Name>, value: Option<&Expr>, span: Span) -> ExprId {
        let resolved = value.map(|value| self.expr(value));
        let Some(at) = self.loop_of(label, "break", span) else {
            return self.error(span);
        };
        if let (Some(value), false) = (value, self.frame().loops[at].takes_value) {
            self.report(
                Diagnostic::error(
                    Code::OutsideLoop,
                    value.span,
                    "`break` with a value belongs to `loop`",
                )
                .reason("`for` and `while` may end without a `break`, so they have no value")
                .hint("assign the value to a variable before `break`"),
            );
        }
        let label = self.frame().loops[at].label;
        self.emit(ExprKind::Break(label, resolved), span)
    }

    pub(super) fn open_loop(&mut self, name: Option<&Name>, takes_value: bool) -> u32 {
        let frame = self.frame_mut();
        let label = frame.labels;
        frame.labels += 1;
        let name: Option<Arc<str>> = name.map(|name| name.text.clone());
        frame.loops.push(OpenLoop {
            name,
            label,
            takes_value,
        });
        label
    }

    pub(super) fn close_loop(&mut self) {
        self.frame_mut().loops.pop();
    }

    /// The open loop (its position) that a `break` or `continue` means.
    fn loop_of(&mut self, label: Option<&Name>, word: &str, span: Span) -> Option<usize> {
        let loops = &self.frame().loops;
        let Some(label) = label else {
            if loops.is_empty() {
                self.report(
                    Diagnostic::error(
                        Code::OutsideLoop,
                        span,
                        format!("`{word}` stands in no loop"),
                    )
                    .hint("to leave a function, write `return`"),
                );
            }
            return self.frame().loops.len().checked_sub(1);
        };
        let found = loops
            .iter()
            .rposition(|open| open.name.as_ref() == Some(&label.text));
        if found.is_none() {
            let names: Vec<Arc<str>> = loops.iter().filter_map(|open| open.name.clone()).collect();
            let mut diagnostic = Diagnostic::error(
                Code::UnknownLabel,
                label.span,
                format!("no loop around is called `'{}`", label.text),
            );
            if let Some(near) =
                super::suggest::nearest_of(&label.text, names.iter().map(|name| &**name))
            {
                diagnostic = diagnostic.hint(format!("did you mean `'{near}`?"));
            }
            self.report(diagnostic);
        }
        found
    }
}
