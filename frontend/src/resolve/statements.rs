//! Statements and blocks. Must stay true: a block is a scope; its value is the value of its last statement if that is an
//! expression and somebody wants it; declarations that belong to the top level are refused elsewhere.

use std::sync::Arc;

use flin_syntax::ast::{Block, Expr, FnDecl, Name, Pattern, PatternKind, Stmt, StmtKind, TypeExpr};
use flin_syntax::{Code, Diagnostic, Span};
use foldhash::{HashSet, HashSetExt as _};

use crate::hir::{ExprId, ExprKind, FnId, LocalId};
use crate::unsupported::Unsupported;

use super::Resolver;
use super::assign::calls_itself;
use super::mentions::{self, Mention};
use super::patterns::Target;
use super::scope::{Binding, Link};

/// A function declared inside of a block.
struct Inner<'s> {
    decl: &'s FnDecl,
    id: FnId,
    /// The local that holds it, if it must exist before the declaration is reached.
    early: Option<LocalId>,
    /// It can capture variables.
    closure: bool,
}

impl Resolver<'_> {
    /// A block as a scope of its own.
    pub(super) fn block(&mut self, block: &Block, want: bool) -> ExprId {
        self.open_block();
        let result = self.statements(&block.statements, Vec::new(), want, block.span);
        self.close_block();
        result
    }

    /// The body of a function: statements after those that take parameters apart.
    pub(super) fn body_block(
        &mut self,
        statements: &[Stmt],
        prologue: Vec<ExprId>,
        span: Span,
    ) -> ExprId {
        self.statements(statements, prologue, true, span)
    }

    /// Statements in the innermost scope.
    pub(super) fn statements(
        &mut self,
        statements: &[Stmt],
        mut ids: Vec<ExprId>,
        want: bool,
        span: Span,
    ) -> ExprId {
        let inner = self.inner_functions(statements, &mut ids);
        let mut next_inner = inner.iter();
        let mut has_value = false;
        for (at, statement) in statements.iter().enumerate() {
            let last = at + 1 == statements.len();
            if let StmtKind::Fn(_) = &statement.kind {
                let inner = next_inner
                    .next()
                    .expect("one entry per function of the block");
                self.inner_function(inner, &mut ids);
                continue;
            }
            if let StmtKind::Expr(value) = &statement.kind
                && last
                && want
            {
                has_value = true;
                ids.push(self.expr(value));
            } else {
                self.statement(statement, &mut ids);
            }
        }
        self.emit(ExprKind::Block(ids, has_value), span)
    }

    /// One statement whose value nobody wants.
    pub(super) fn statement(&mut self, statement: &Stmt, ids: &mut Vec<ExprId>) {
        match &statement.kind {
            StmtKind::Expr(value) => {
                let id = self.effect(value);
                ids.push(id);
            }
            StmtKind::Let { pattern, ty, value } => {
                self.let_statement(pattern, ty.as_ref(), value, ids)
            }
            StmtKind::Declare { name, ty, value } => self.declare_statement(name, ty, value, ids),
            StmtKind::Const { name, ty, value } => {
                let annotation = self.annotation(ty.as_ref());
                let value = self.expr(value);
                let local = self
                    .frame_mut()
                    .add_local(&name.text, name.span, annotation);
                self.bind(&name.text, Binding::Constant(local));
                self.declared_with(local, value);
                ids.push(self.emit(ExprKind::Let(local, Some(value)), statement.span));
            }
            StmtKind::Destructure { pattern, value } => {
                self.destructure(pattern, None, value, Target::Assign, ids);
            }
            StmtKind::For {
                label,
                bindings,
                iterable,
                body,
            } => {
                let id = self.for_loop(label.as_ref(), bindings, iterable, body, statement.span);
                ids.push(id);
            }
            StmtKind::While {
                label,
                condition,
                body,
            } => {
                let id = self.while_loop(label.as_ref(), condition, body, statement.span);
                ids.push(id);
            }
            StmtKind::WhileLet {
                label,
                pattern,
                value,
                body,
            } => {
                let id = self.while_let(label.as_ref(), pattern, value, body, statement.span);
                ids.push(id);
            }
            StmtKind::Fn(_) => unreachable!("functions of a block are declared by it"),
            StmtKind::Validate(_) => self.unsupported(Unsupported::ValidateBlocks, statement.span),
            StmtKind::Guard(_) => self.unsupported(Unsupported::Guards, statement.span),
            StmtKind::Entity(_)
            | StmtKind::Enum(_)
            | StmtKind::TypeAlias(_)
            | StmtKind::View(_)
            | StmtKind::Markup(_)
            | StmtKind::Page { .. }
            | StmtKind::Component(_)
            | StmtKind::Route { .. }
            | StmtKind::GuardDefinition { .. }
            | StmtKind::Middleware(_)
            | StmtKind::Ws { .. }
            | StmtKind::Every { .. }
            | StmtKind::Cron { .. }
            | StmtKind::Lifecycle { .. }
            | StmtKind::Test { .. } => self.misplaced(statement),
            StmtKind::Error => {}
        }
    }

    /// A declaration of the top level at another place.
    pub(super) fn misplaced(&mut self, statement: &Stmt) {
        let name = match &statement.kind {
            StmtKind::Entity(declared) => Some(&declared.name),
            StmtKind::Enum(declared) => Some(&declared.name),
            StmtKind::TypeAlias(declared) => Some(&declared.name),
            StmtKind::Component(declared) => Some(&declared.name),
            _ => None,
        };
        let span = name.map_or(Span::at(statement.span.start), |name| name.span);
        let title = match name {
            Some(name) => format!("`{}` is declared inside of a block", name.text),
            None => "this stands inside of a block".to_owned(),
        };
        self.report(
            Diagnostic::error(Code::DeclarationPlace, span, title)
                .reason("such declarations stand at the top level of a file only")
                .hint("move it out of the block"),
        );
        self.refused.extend(name.map(|name| name.text.clone()));
    }

    fn let_statement(
        &mut self,
        pattern: &Pattern,
        ty: Option<&TypeExpr>,
        value: &Expr,
        ids: &mut Vec<ExprId>,
    ) {
        match &pattern.kind {
            PatternKind::Binding(name)
                if ty.is_none() && !self.is_visible(&name.text) && calls_itself(name, value) =>
            {
                ids.push(self.recursive_lambda(name, value, pattern.span.to(value.span)));
            }
            PatternKind::Binding(name) => {
                let annotation = self.annotation(ty);
                let initial = self.expr(value);
                let local = self.declare(&name.text, name.span, annotation);
                self.declared_with(local, initial);
                ids.push(self.emit(
                    ExprKind::Let(local, Some(initial)),
                    pattern.span.to(value.span),
                ));
            }
            _ => self.destructure(pattern, ty, value, Target::Declare, ids),
        }
    }

    fn declare_statement(
        &mut self,
        name: &Name,
        ty: &TypeExpr,
        value: &Expr,
        ids: &mut Vec<ExprId>,
    ) {
        let annotation = Some(self.type_of(ty));
        let visible = self.search(&name.text).is_some()
            || matches!(self.top(&name.text), Some(super::names::Item::Var(var)) if !self.too_early(var));
        if visible {
            self.report(
                Diagnostic::error(
                    Code::AlreadyVisible,
                    name.span,
                    format!("`{}` is already visible here", name.text),
                )
                .reason("`name: type = value` declares a new variable")
                .hint(format!(
                    "leave the type out to assign it, or write `let {}: … = …` for a new variable",
                    name.text
                )),
            );
        }
        let initial = self.expr(value);
        let local = self.declare(&name.text, name.span, annotation);
        ids.push(self.emit(
            ExprKind::Let(local, Some(initial)),
            name.span.to(value.span),
        ));
    }

    /// Declares the functions of a block before its statements, so that they can call each other.
    fn inner_functions<'s>(
        &mut self,
        statements: &'s [Stmt],
        ids: &mut Vec<ExprId>,
    ) -> Vec<Inner<'s>> {
        let closures = self.closures_of(statements);
        let mut inner = Vec::new();
        for (at, statement) in statements.iter().enumerate() {
            let StmtKind::Fn(decl) = &statement.kind else {
                continue;
            };
            let id = self.announce(&decl.name.text, decl.name.span, &decl.params);
            self.undeclared.insert(id);
            let closure = closures.contains(&at);
            let mut early = None;
            if closure && mentioned_before(statements, at, &decl.name.text) {
                let local = self
                    .frame_mut()
                    .add_local(&decl.name.text, decl.name.span, None);
                self.frame_mut().locals[local.index()].function = Some(id);
                self.bind(&decl.name.text, Binding::Closure(local, id));
                ids.push(self.emit(ExprKind::Let(local, None), decl.name.span));
                early = Some(local);
            } else if !closure {
                self.bind(&decl.name.text, Binding::Function(id));
            }
            inner.push(Inner {
                decl,
                id,
                early,
                closure,
            });
        }
        inner
    }

    /// Functions of a component that may call each other.
    pub(super) fn part_functions(&mut self, statements: &[Stmt], ids: &mut Vec<ExprId>) {
        let inner = self.inner_functions(statements, ids);
        for inner in &inner {
            self.inner_function(inner, ids);
        }
    }

    fn inner_function(&mut self, inner: &Inner, ids: &mut Vec<ExprId>) {
        let span = inner.decl.name.span;
        if !inner.closure {
            self.named_function(inner.id, inner.decl, Link::Root);
            return;
        }
        self.named_function(inner.id, inner.decl, Link::Capture);
        let value = self.emit(ExprKind::Lambda(inner.id), span);
        let kind = match inner.early {
            Some(local) => {
                self.mark_assigned(local);
                ExprKind::SetLocal(local, value)
            }
            None => {
                let local = self
                    .frame_mut()
                    .add_local(&inner.decl.name.text, span, None);
                self.frame_mut().locals[local.index()].function = Some(inner.id);
                self.bind(&inner.decl.name.text, Binding::Closure(local, inner.id));
                ExprKind::Let(local, Some(value))
            }
        };
        ids.push(self.emit(kind, span));
    }

    /// Which functions of a block (by position) may capture variables around them.
    fn closures_of(&self, statements: &[Stmt]) -> HashSet<usize> {
        let mut outside: HashSet<Arc<str>> = HashSet::new();
        let mut mentioned: Vec<Mentions> = Vec::new();
        for (at, statement) in statements.iter().enumerate() {
            if let StmtKind::Fn(decl) = &statement.kind {
                let mut names = HashSet::new();
                mentions::of_function(&decl.params, &decl.body, &mut |name, _| {
                    names.insert(name.text.clone());
                });
                mentioned.push((at, &decl.name.text, names));
            }
        }
        if mentioned.is_empty() {
            return HashSet::new();
        }
        for statement in statements
            .iter()
            .filter(|it| !matches!(it.kind, StmtKind::Fn(_)))
        {
            mentions::of_statements(std::slice::from_ref(statement), &mut |name, how| {
                if how != Mention::Read {
                    outside.insert(name.text.clone());
                }
            });
        }
        let is_outside = |name: &Arc<str>| {
            outside.contains(name)
                || matches!(self.search(name), Some((_, binding)) if !matches!(binding, Binding::Function(_)))
        };
        let mut closures: HashSet<usize> = HashSet::new();
        let mut closure_names: HashSet<Arc<str>> = HashSet::new();
        loop {
            let before = closures.len();
            for (at, name, names) in &mentioned {
                let own = mentioned.iter().any(|(_, sibling, _)| {
                    names.contains(*sibling) && closure_names.contains(*sibling)
                });
                let siblings: HashSet<&Arc<str>> =
                    mentioned.iter().map(|(_, sibling, _)| *sibling).collect();
                let captures = names
                    .iter()
                    .any(|it| !siblings.contains(it) && is_outside(it));
                if own || captures {
                    closures.insert(*at);
                    closure_names.insert((*name).clone());
                }
            }
            if closures.len() == before {
                return closures;
            }
        }
    }
}

/// A function of a block: its position, its name, the names it mentions.
type Mentions<'s> = (usize, &'s Arc<str>, HashSet<Arc<str>>);

/// Whether a function of a block is mentioned by itself, or before its declaration.
fn mentioned_before(statements: &[Stmt], at: usize, name: &str) -> bool {
    let mut found = false;
    mentions::of_statements(&statements[..=at], &mut |mention: &Name, how| {
        found |= how != Mention::Bound && &*mention.text == name;
    });
    found
}
