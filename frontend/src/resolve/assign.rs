//! Assignments. Must stay true: a name that is not visible is declared in the block where the assignment stands; receiver
//! and index of a combined assignment are evaluated once.

use std::sync::Arc;

use flin_syntax::ast::{AssignOp, Expr, ExprKind as Ast, Name, StepOp};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{BinOp, ExprId, ExprKind, FnId, FnKind, GlobalIx, LocalId};

use super::Resolver;
use super::mentions::{self, Mention};
use super::names::{Item, Role};
use super::scope::{Binding, FrameHead, Link};

/// Where an assignment to a name goes.
#[derive(Clone, Copy, Debug)]
enum Place {
    Local(LocalId),
    Var(usize),
    New,
    /// A diagnostic was given.
    Refused,
}

/// A local that was declared by an assignment although a top-level variable of its name stands below.
#[derive(Debug)]
pub(super) struct Hiding {
    pub(super) function: FnId,
    pub(super) name: Arc<str>,
    pub(super) span: Span,
    pub(super) var: usize,
}

impl Resolver<'_> {
    /// `target = value`, `target += value`.
    pub(super) fn assign(
        &mut self,
        target: &Expr,
        op: AssignOp,
        value: &Expr,
        span: Span,
    ) -> ExprId {
        let op = op.binary().map(super::expr::binary);
        match &target.kind {
            Ast::Name(name)
                if op.is_none() && !self.is_visible(&name.text) && calls_itself(name, value) =>
            {
                self.recursive_lambda(name, value, span)
            }
            Ast::Name(name) | Ast::TypeName(name) => match op {
                None => {
                    let value = self.expr(value);
                    self.set_name(name, value, span)
                }
                Some(op) => self.change_name(name, span, |it, old, span| {
                    let value = it.expr(value);
                    it.emit(ExprKind::Binary(op, old, value), span)
                }),
            },
            _ => self.set_part(target, op, span, |it| it.expr(value)),
        }
    }

    /// `fact = n => … fact(n - 1) …` inside of a function: the name is visible in the lambda, and stays this function.
    pub(super) fn recursive_lambda(&mut self, name: &Name, value: &Expr, span: Span) -> ExprId {
        let Ast::Lambda { params, body } = &value.kind else {
            unreachable!("only lambdas call themselves");
        };
        let id = self.announce(&name.text, name.span, params);
        let local = self.frame_mut().add_local(&name.text, name.span, None);
        self.frame_mut().locals[local.index()].function = Some(id);
        self.bind(&name.text, Binding::Closure(local, id));
        let declared = self.emit(ExprKind::Let(local, None), name.span);
        let head = FrameHead {
            name: name.text.to_string(),
            span: value.span,
            kind: FnKind::Lambda,
            place: super::scope::Place::Lambda,
            link: Link::Capture,
        };
        self.lambda_function(id, params, body, head);
        let lambda = self.emit(ExprKind::Lambda(id), value.span);
        self.mark_assigned(local);
        let set = self.emit(ExprKind::SetLocal(local, lambda), span);
        self.emit(ExprKind::Block(vec![declared, set], false), span)
    }

    /// `target++`, `target--`.
    pub(super) fn step(&mut self, target: &Expr, op: StepOp, span: Span) -> ExprId {
        let op = match op {
            StepOp::Increment => BinOp::Add,
            StepOp::Decrement => BinOp::Sub,
        };
        match &target.kind {
            Ast::Name(name) | Ast::TypeName(name) => {
                self.change_name(name, span, |it, old, span| {
                    let one = it.emit(ExprKind::Int(1), span);
                    it.emit(ExprKind::Binary(op, old, one), span)
                })
            }
            _ => self.set_part(target, Some(op), span, |it| it.emit(ExprKind::Int(1), span)),
        }
    }

    /// Assigns a value to a name, or declares the name.
    pub(super) fn set_name(&mut self, name: &Name, value: ExprId, span: Span) -> ExprId {
        match self.place_of(name, false) {
            Place::Local(local) => {
                self.mark_assigned(local);
                self.emit(ExprKind::SetLocal(local, value), span)
            }
            Place::Var(var) => self.emit(ExprKind::SetGlobal(GlobalIx(var as u32), value), span),
            Place::New => {
                let local = self.declare(&name.text, name.span, None);
                self.declared_with(local, value);
                self.emit(ExprKind::Let(local, Some(value)), span)
            }
            Place::Refused => self.error(span),
        }
    }

    /// Assigns a name what is computed from its old value.
    fn change_name(
        &mut self,
        name: &Name,
        span: Span,
        new: impl FnOnce(&mut Self, ExprId, Span) -> ExprId,
    ) -> ExprId {
        match self.place_of(name, true) {
            Place::Local(local) => {
                let old = self.emit(ExprKind::Local(local), name.span);
                let value = new(self, old, span);
                self.mark_assigned(local);
                self.emit(ExprKind::SetLocal(local, value), span)
            }
            Place::Var(var) => {
                let old = self.read_var(var, name);
                let value = new(self, old, span);
                self.emit(ExprKind::SetGlobal(GlobalIx(var as u32), value), span)
            }
            Place::New => {
                let old = self.read_plain(name);
                new(self, old, span)
            }
            Place::Refused => {
                let old = self.error(span);
                new(self, old, span);
                self.error(span)
            }
        }
    }

    /// `old`: the old value is needed, so the name must exist.
    fn place_of(&mut self, name: &Name, old: bool) -> Place {
        if let Some(visible) = self.find_local(&name.text) {
            return match visible.binding {
                Binding::Variable(local) => {
                    if visible.copy {
                        self.report_copy(name);
                    }
                    Place::Local(local)
                }
                Binding::Constant(local) => {
                    let declared = self.frame().locals[local.index()].span;
                    self.refuse_constant(name, declared)
                }
                Binding::Callback(at) => {
                    let declared = self.callbacks[at].span;
                    self.refuse_declaration(name, "a callback", declared)
                }
                Binding::Function(id) | Binding::Closure(_, id) => {
                    let declared = self.signatures[&id].span;
                    self.refuse_declaration(name, "a function", declared)
                }
            };
        }
        let declared = self.top_span(&name.text).unwrap_or(name.span);
        match self.top(&name.text) {
            None if name.is_capitalised() => {
                self.refused.insert(name.text.clone());
                self.report(
                    Diagnostic::error(
                        Code::AssignToConstant,
                        name.span,
                        format!(
                            "`{}` cannot be a variable, because it is capitalised",
                            name.text
                        ),
                    )
                    .reason("capitalised names are types and constants")
                    .hint(format!(
                        "write `const {} = …`, or begin the name with a small letter",
                        name.text
                    )),
                );
                Place::Refused
            }
            None => Place::New,
            Some(Item::Var(var)) => match self.vars[var].role {
                Role::Variable if self.too_early(var) => Place::New,
                Role::Variable if !old && self.declared_later(var, name) => {
                    self.hiding.push(Hiding {
                        function: self.frame().id,
                        name: name.text.clone(),
                        span: name.span,
                        var,
                    });
                    Place::New
                }
                Role::Variable => Place::Var(var),
                Role::Literal(_) | Role::Constant => self.refuse_constant(name, declared),
                Role::Injected(_) | Role::Param => Place::New,
            },
            Some(Item::Function(_)) => self.refuse_declaration(name, "a function", declared),
            Some(Item::Entity(_)) => self.refuse_declaration(name, "an entity", declared),
            Some(Item::Enum(_)) => self.refuse_declaration(name, "an enum", declared),
            Some(Item::Alias(_)) => self.refuse_declaration(name, "a type", declared),
            Some(Item::Component(_)) => self.refuse_declaration(name, "a component", declared),
        }
    }

    /// In a script: the variable stands below the function that assigns its name, and the function has not used it.
    /// (A page's variables are visible in its whole file.)
    fn declared_later(&self, var: usize, name: &Name) -> bool {
        let used = |frame: &super::scope::Frame| {
            let global = GlobalIx(var as u32);
            frame.exprs.iter().any(|expr| matches!(expr.kind, ExprKind::Global(it) | ExprKind::SetGlobal(it, _) if it == global))
        };
        !self.serves && name.span.start < self.vars[var].span.start && !self.frames.iter().any(used)
    }

    fn refuse_constant(&mut self, name: &Name, declared: Span) -> Place {
        self.report(
            Diagnostic::error(
                Code::AssignToConstant,
                name.span,
                format!("`{}` is a constant", name.text),
            )
            .label("assigned here")
            .also(declared, "declared as a constant here")
            .hint("leave out `const` there if it is meant to change"),
        );
        Place::Refused
    }

    fn refuse_declaration(&mut self, name: &Name, what: &str, declared: Span) -> Place {
        self.report(
            Diagnostic::error(
                Code::AssignToDeclaration,
                name.span,
                format!("`{}` is {what} and cannot be assigned", name.text),
            )
            .also(declared, "declared here")
            .hint(format!(
                "choose another name, or write `let {} = …` inside of a block",
                name.text
            )),
        );
        Place::Refused
    }

    fn report_copy(&mut self, name: &Name) {
        let (reason, hint) = if self.place() == super::scope::Place::Default {
            (
                "a default value gets the values of the variables around its function",
                "assign it in the body of the function",
            )
        } else {
            (
                "a handler gets copies of the variables of the view",
                "assign a variable of the top level, or a field of an entity and save it",
            )
        };
        self.report(
            Diagnostic::error(
                Code::ReadOnlyCopy,
                name.span,
                format!("assigning `{}` here changes nothing", name.text),
            )
            .reason(reason)
            .hint(hint),
        );
    }

    /// Assigns a field or an item. `op`: combine with the old value.
    pub(super) fn set_part(
        &mut self,
        target: &Expr,
        op: Option<BinOp>,
        span: Span,
        value: impl FnOnce(&mut Self) -> ExprId,
    ) -> ExprId {
        let mut before = Vec::new();
        let id = match &target.kind {
            Ast::Field { object, name, .. } => {
                let recv = self.expr(object);
                let (recv, again) = self.twice_if(op.is_some(), recv, &mut before);
                let text = name.text.to_string();
                let value = match op {
                    None => value(self),
                    Some(op) => {
                        let kind = ExprKind::Field {
                            recv: again,
                            name: text.clone(),
                            name_span: name.span,
                            optional: false,
                        };
                        let old = self.emit(kind, target.span);
                        let value = value(self);
                        self.emit(ExprKind::Binary(op, old, value), span)
                    }
                };
                self.emit(
                    ExprKind::SetField {
                        recv,
                        name: text,
                        name_span: name.span,
                        value,
                    },
                    span,
                )
            }
            Ast::Index { object, index } => {
                let recv = self.expr(object);
                let index = self.expr(index);
                let (recv, recv_again) = self.twice_if(op.is_some(), recv, &mut before);
                let (index, index_again) = self.twice_if(op.is_some(), index, &mut before);
                let value = match op {
                    None => value(self),
                    Some(op) => {
                        let old = self.emit(ExprKind::Index(recv_again, index_again), target.span);
                        let value = value(self);
                        self.emit(ExprKind::Binary(op, old, value), span)
                    }
                };
                self.emit(ExprKind::SetIndex(recv, index, value), span)
            }
            // The parser has refused other targets.
            _ => {
                value(self);
                self.error(span)
            }
        };
        if before.is_empty() {
            return id;
        }
        before.push(id);
        self.emit(ExprKind::Block(before, false), span)
    }

    /// Two expressions with the value of one that is evaluated once.
    fn twice_if(&mut self, needed: bool, id: ExprId, before: &mut Vec<ExprId>) -> (ExprId, ExprId) {
        if !needed {
            return (id, id);
        }
        let (kind, span) = {
            let expr = &self.frame().exprs[id.index()];
            (expr.kind.clone(), expr.span)
        };
        let simple = matches!(
            kind,
            ExprKind::Local(_)
                | ExprKind::Global(_)
                | ExprKind::Int(_)
                | ExprKind::Text(_)
                | ExprKind::Error
        );
        if simple {
            return (id, self.emit(kind, span));
        }
        let local = self.temporary(span);
        before.push(self.emit(ExprKind::Let(local, Some(id)), span));
        (
            self.emit(ExprKind::Local(local), span),
            self.emit(ExprKind::Local(local), span),
        )
    }
}

/// Whether a value is a lambda that mentions the name it is assigned to.
pub(super) fn calls_itself(name: &Name, value: &Expr) -> bool {
    let mut found = false;
    if matches!(value.kind, Ast::Lambda { .. }) {
        mentions::of_expr(value, &mut |it, how| {
            found |= how == Mention::Read && it.text == name.text
        });
    }
    found
}
