//! The top level: what a file (or a `page` block) declares, collected before any body is walked. Must stay true: the order
//! of functions, entities and types does not matter; the order of variables does, because they get their values in it.

use std::sync::Arc;

use flin_syntax::ast::{
    self, AssignOp, Block, EntityDecl, EnumDecl, Expr, ExprKind as Ast, FnDecl, Markup, Name,
    Pattern, PatternKind, PlainText, Stmt, StmtKind, TypeAliasDecl, TypeExpr, TypeKind,
};
use flin_syntax::{Code, Diagnostic, Span};
use foldhash::{HashMap, HashMapExt as _};

use crate::hir::{EntityIx, ExprKind, FnId, GlobalIx, TypeAnn};
use crate::unsupported::Unsupported::{self, Guards, Jobs};

use super::markup::Shown;
use super::mentions::{self, Mention};
use super::names::{Alias, Item, Role, Start, TopVar};
use super::patterns::Target;
use super::scope::{FrameHead, Link, Place};
use super::{FILE_WORLD, PRELUDE_WORLD, Resolver, waiting};
use crate::hir::FnKind;

/// The declarations of one file or page, sorted.
#[derive(Default)]
pub(super) struct Section<'a> {
    pub(super) functions: Vec<(FnId, FnSource<'a>)>,
    constants: Vec<Constant<'a>>,
    pub(super) variables: Vec<Variable<'a>>,
    /// Statements of `main` in order: with the variables they give a first value.
    pub(super) statements: Vec<(u32, &'a Stmt, Vec<usize>)>,
    entities: Vec<(EntityIx, &'a EntityDecl)>,
    enums: Vec<(usize, &'a EnumDecl)>,
    pub(super) view: Vec<&'a Markup>,
    /// `view` blocks, to notice a second one.
    pub(super) views: Vec<Span>,
    pub(super) pages: Vec<(&'a PlainText, &'a Block)>,
    pub(super) routes: Vec<(&'a Name, Option<&'a PlainText>, &'a Block, Span)>,
    tests: Vec<(&'a PlainText, &'a Block)>,
    /// `onMount` and its like.
    pub(super) life: Vec<&'a Stmt>,
}

impl<'a> Section<'a> {
    /// What it shows.
    pub(super) fn shown(&self) -> Shown<'a> {
        Shown {
            nodes: self.view.clone(),
            life: self.life.clone(),
        }
    }
}

/// A constant that is no literal.
struct Constant<'a> {
    var: usize,
    ty: Option<&'a TypeExpr>,
    value: &'a Expr,
}

/// Where a named function comes from.
pub(super) enum FnSource<'a> {
    Decl(&'a FnDecl),
    /// `double = n => n * 2`
    Lambda(&'a Name, &'a [ast::Param], &'a Expr, Span),
}

/// A top-level variable with the statement that gives it its first value.
pub(super) struct Variable<'a> {
    pub(super) var: usize,
    pub(super) order: u32,
    pub(super) stmt: &'a Stmt,
}

impl<'a> Resolver<'a> {
    /// The functions of the prelude.
    pub(super) fn prelude(&mut self, prelude: &'a ast::Program) {
        self.world = PRELUDE_WORLD;
        let section = self.collect(&prelude.statements);
        self.bodies(&section);
    }

    /// The program itself.
    pub(super) fn file(&mut self, ast: &'a ast::Program) {
        self.world = FILE_WORLD;
        for statement in &ast.statements {
            match &statement.kind {
                StmtKind::View(_)
                | StmtKind::Markup(_)
                | StmtKind::Page { .. }
                | StmtKind::Route { .. } => {
                    self.serves = true;
                }
                StmtKind::Test { .. } => self.has_tests = true,
                _ => {}
            }
        }
        let section = self.collect(&ast.statements);
        self.bodies(&section);
        let sections = [(FILE_WORLD, section)];
        self.main_function(&sections, ast.span);
        let [(_, section)] = &sections;
        self.file_pages(section, ast.span);
        self.routes_and_tests(section);
        self.checks_unused |= self.has_unused_components();
        if self.checking {
            self.check_unused_components();
        }
    }

    pub(super) fn routes_and_tests(&mut self, section: &Section<'a>) {
        for (method, path, body, span) in &section.routes {
            self.route(method, *path, body, *span);
        }
        for (name, body) in &section.tests {
            self.test(name, body);
        }
    }

    /// Declares everything that a list of top-level statements declares.
    pub(super) fn collect(&mut self, statements: &'a [Stmt]) -> Section<'a> {
        let mut section = Section::default();
        self.collect_more(statements, &mut section);
        section
    }

    /// Declares what another file declares beside what is known; the order goes on.
    pub(super) fn collect_more(&mut self, statements: &'a [Stmt], section: &mut Section<'a>) {
        let before = section.statements.last().map_or(0, |(order, ..)| order + 1);
        let mut assigned: HashMap<Arc<str>, usize> = HashMap::new();
        mentions::of_statements(statements, &mut |name, how| {
            if how == Mention::Assigned {
                *assigned.entry(name.text.clone()).or_default() += 1;
            }
        });
        for (order, statement) in statements.iter().enumerate() {
            self.collect_statement(statement, before + order as u32, &assigned, section);
        }
    }

    fn collect_statement(
        &mut self,
        statement: &'a Stmt,
        order: u32,
        assigned: &HashMap<Arc<str>, usize>,
        section: &mut Section<'a>,
    ) {
        let span = statement.span;
        match &statement.kind {
            StmtKind::Expr(expr) => {
                self.collect_expr(statement, expr, order, assigned, section);
            }
            StmtKind::Let { pattern, ty, value } => {
                self.collect_let(
                    statement,
                    (pattern, ty.as_ref(), value),
                    order,
                    assigned,
                    section,
                );
            }
            StmtKind::Declare { name, ty, value } => {
                self.collect_variable(statement, (name, Some(ty), value), order, section);
            }
            StmtKind::Const { name, ty, value } => {
                self.collect_constant(name, ty.as_ref(), value, order, section)
            }
            StmtKind::Destructure { pattern, .. } => {
                self.collect_pattern(statement, pattern, None, None, order, section);
            }
            StmtKind::For { .. } | StmtKind::While { .. } | StmtKind::WhileLet { .. } => {
                section.statements.push((order, statement, Vec::new()));
            }
            StmtKind::Fn(decl) => self.collect_function(decl, section),
            StmtKind::Entity(decl) => {
                if let Some(at) = self.announce_entity(decl) {
                    section.entities.push((at, decl));
                }
            }
            StmtKind::Enum(decl) => {
                if let Some(at) = self.announce_enum(decl) {
                    section.enums.push((at, decl));
                }
            }
            StmtKind::TypeAlias(decl) => self.collect_alias(decl),
            StmtKind::View(nodes) => {
                section.view.extend(nodes);
                section.views.push(span);
            }
            StmtKind::Markup(node) => section.view.push(node),
            StmtKind::Page { path, body } => section.pages.push((path, body)),
            StmtKind::Route { method, path, body } => {
                section.routes.push((method, path.as_ref(), body, span))
            }
            StmtKind::Test { name, body } => section.tests.push((name, body)),
            StmtKind::Component(decl) => self.declare_component(decl),
            StmtKind::Validate(_) => self.unsupported(Unsupported::ValidateBlocks, span),
            StmtKind::Guard(_) | StmtKind::GuardDefinition { .. } => self.unsupported(Guards, span),
            StmtKind::Middleware(_) => self.unsupported(Unsupported::Middleware, span),
            StmtKind::Ws { .. } => self.unsupported(Unsupported::WebSockets, span),
            StmtKind::Every { .. } | StmtKind::Cron { .. } => self.unsupported(Jobs, span),
            StmtKind::Lifecycle { .. } => section.life.push(statement),
            StmtKind::Error => {}
        }
    }

    fn collect_let(
        &mut self,
        statement: &'a Stmt,
        (pattern, ty, value): (&'a Pattern, Option<&'a TypeExpr>, &'a Expr),
        order: u32,
        assigned: &HashMap<Arc<str>, usize>,
        section: &mut Section<'a>,
    ) {
        if let PatternKind::Binding(name) = &pattern.kind
            && ty.is_none()
            && let Ast::Lambda { params, body } = &value.kind
            && !assigned.contains_key(&name.text)
        {
            return self.collect_lambda(name, params, body, value.span, section);
        }
        self.collect_pattern(statement, pattern, ty, Some(value), order, section);
    }

    fn collect_function(&mut self, decl: &'a FnDecl, section: &mut Section<'a>) {
        let id = self.announce(&decl.name.text, decl.name.span, &decl.params);
        self.declare_top(&decl.name, Item::Function(id));
        section.functions.push((id, FnSource::Decl(decl)));
    }

    fn collect_alias(&mut self, decl: &'a TypeAliasDecl) {
        let at = self.aliases.len();
        if self.declare_top(&decl.name, Item::Alias(at)) {
            self.aliases.push(Alias {
                decl,
                open: false,
                world: self.world,
            });
        }
    }

    /// A variable that is declared by this statement and gets its first value there.
    fn collect_variable(
        &mut self,
        statement: &'a Stmt,
        (name, ty, value): (&'a Name, Option<&'a TypeExpr>, &'a Expr),
        order: u32,
        section: &mut Section<'a>,
    ) {
        if self.serves && waiting::asks_others(value) && self.top(&name.text).is_none() {
            self.status_before(name, order);
        }
        if let Some(var) = self.new_var(name, ty, Some(value), order) {
            section.variables.push(Variable {
                var,
                order,
                stmt: statement,
            });
            section.statements.push((order, statement, vec![var]));
        }
    }

    fn collect_expr(
        &mut self,
        statement: &'a Stmt,
        expr: &'a Expr,
        order: u32,
        assigned: &HashMap<Arc<str>, usize>,
        section: &mut Section<'a>,
    ) {
        if let Ast::Assign {
            target,
            op: AssignOp::Set,
            value,
        } = &expr.kind
            && let Ast::Name(name) = &target.kind
        {
            self.collect_assignment(statement, name, value, order, assigned, section);
        } else {
            section.statements.push((order, statement, Vec::new()));
        }
    }

    fn collect_assignment(
        &mut self,
        statement: &'a Stmt,
        name: &'a Name,
        value: &'a Expr,
        order: u32,
        assigned: &HashMap<Arc<str>, usize>,
        section: &mut Section<'a>,
    ) {
        if let Some(item) = self.top(&name.text) {
            if let (Item::Var(var), true) = (item, self.serves) {
                self.assigned_twice(name, var);
            } else {
                section.statements.push((order, statement, Vec::new()));
            }
            return;
        }
        if let Ast::Lambda { params, body } = &value.kind
            && assigned.get(&name.text) == Some(&1)
        {
            return self.collect_lambda(name, params, body, value.span, section);
        }
        self.collect_variable(statement, (name, None, value), order, section);
    }

    fn assigned_twice(&mut self, name: &Name, var: usize) {
        let first = self.vars[var].span;
        self.report(
            Diagnostic::error(
                Code::AssignedTwice,
                name.span,
                format!("`{}` gets a first value twice", name.text),
            )
            .also(first, "the first time")
            .reason(
                "in a file with pages or routes a top-level variable is computed by one statement",
            )
            .hint("assign it in a handler or function, or give the second one another name"),
        );
    }

    fn collect_lambda(
        &mut self,
        name: &'a Name,
        params: &'a [ast::Param],
        body: &'a Expr,
        span: Span,
        section: &mut Section<'a>,
    ) {
        let id = self.announce(&name.text, name.span, params);
        self.declare_top(name, Item::Function(id));
        section
            .functions
            .push((id, FnSource::Lambda(name, params, body, span)));
    }

    fn collect_constant(
        &mut self,
        name: &'a Name,
        ty: Option<&'a TypeExpr>,
        value: &'a Expr,
        order: u32,
        section: &mut Section<'a>,
    ) {
        if let (None, Ast::Lambda { params, body }) = (ty, &value.kind) {
            return self.collect_lambda(name, params, body, value.span, section);
        }
        let literal = if ty.is_none() { literal(value) } else { None };
        if let Some(var) = self.new_var(name, ty, None, order) {
            self.constant_values.insert(var, value);
            self.vars[var].role = match literal {
                Some(literal) => Role::Literal(literal),
                None => {
                    section.constants.push(Constant { var, ty, value });
                    Role::Constant
                }
            };
        }
    }

    fn collect_pattern(
        &mut self,
        statement: &'a Stmt,
        pattern: &'a Pattern,
        ty: Option<&'a TypeExpr>,
        value: Option<&'a Expr>,
        order: u32,
        section: &mut Section<'a>,
    ) {
        let mut names = Vec::new();
        mentions::of_pattern(pattern, &mut |name, how| {
            if how == Mention::Bound {
                names.push(name);
            }
        });
        let assigns = matches!(statement.kind, StmtKind::Destructure { .. });
        let single = matches!(pattern.kind, PatternKind::Binding(_));
        let mut declared = Vec::new();
        for name in names {
            match self.top(&name.text) {
                Some(Item::Var(var)) if assigns && self.serves => self.assigned_twice(name, var),
                Some(_) if assigns => {}
                _ => {
                    let (ty, value) = if single { (ty, value) } else { (None, None) };
                    declared.extend(self.new_var(name, ty, value, order));
                }
            }
        }
        for var in &declared {
            section.variables.push(Variable {
                var: *var,
                order,
                stmt: statement,
            });
        }
        section.statements.push((order, statement, declared));
    }

    fn new_var(
        &mut self,
        name: &Name,
        ty: Option<&TypeExpr>,
        value: Option<&Expr>,
        order: u32,
    ) -> Option<usize> {
        let var = self.vars.len();
        if !self.declare_top(name, Item::Var(var)) {
            return None;
        }
        let literal = value.is_some_and(|value| matches!(value.kind, Ast::List(_) | Ast::Map(_)));
        let annotated =
            ty.is_some_and(|ty| matches!(ty.kind, TypeKind::List(_) | TypeKind::Map { .. }));
        self.vars.push(TopVar {
            name: name.text.clone(),
            span: name.span,
            annotation: None,
            role: Role::Variable,
            world: self.world,
            order,
            init: None,
            start: if literal || annotated {
                Start::Container
            } else {
                Start::Other
            },
        });
        Some(var)
    }

    /// The bodies of what was declared: types first, then code.
    pub(super) fn bodies(&mut self, section: &Section<'a>) {
        self.check_aliases();
        for (at, decl) in &section.enums {
            self.enum_types(*at, decl);
        }
        for variable in &section.variables {
            let ty = match &variable.stmt.kind {
                StmtKind::Declare { ty, .. } => Some(ty),
                StmtKind::Let { pattern, ty, .. }
                    if matches!(pattern.kind, PatternKind::Binding(_)) =>
                {
                    ty.as_ref()
                }
                _ => None,
            };
            let annotation = self.annotation(ty);
            self.vars[variable.var].annotation = match annotation {
                // Until it is there it is none.
                Some(ty) if self.waiting.contains(&variable.var) => {
                    Some(TypeAnn::Optional(Box::new(ty)))
                }
                annotation => annotation,
            };
        }
        for (at, decl) in &section.entities {
            self.entity(*at, decl);
        }
        for (id, source) in &section.functions {
            match source {
                FnSource::Decl(decl) => self.named_function(*id, decl, Link::Root),
                FnSource::Lambda(name, params, body, span) => {
                    let head = FrameHead {
                        name: name.text.to_string(),
                        span: *span,
                        kind: FnKind::Named,
                        place: Place::Function,
                        link: Link::Root,
                    };
                    self.lambda_function(*id, params, body, head);
                }
            }
        }
        self.constants(section);
        if self.serves || self.has_tests {
            self.first_statuses();
            for variable in &section.variables {
                self.initialiser(variable);
            }
        }
    }

    /// Every alias is expanded once, so that one that contains itself is reported even if nobody uses it.
    fn check_aliases(&mut self) {
        for at in 0..self.aliases.len() {
            let (decl, world) = (self.aliases[at].decl, self.aliases[at].world);
            if world == self.world && decl.generics.is_empty() {
                self.aliases[at].open = true;
                self.type_of(&decl.ty);
                self.aliases[at].open = false;
            }
        }
    }

    /// Constants that are no literals are computed by one function, each after those that it needs, itself or through
    /// functions. What is left of a circle has no value yet where it is needed.
    fn constants(&mut self, section: &Section<'a>) {
        let Some(first) = section.constants.first() else {
            return;
        };
        let first = first.value.span;
        let id = self.reserve();
        self.open(
            id,
            FrameHead {
                name: "constants".to_owned(),
                span: first,
                kind: FnKind::Internal,
                place: Place::ConstInit,
                link: Link::Root,
            },
        );
        let mut ids = Vec::new();
        let needs = self.in_order_of_need(section);
        let whole = needs.circles.is_empty();
        for name in &needs.circles {
            self.report_circle(name);
        }
        let sorted = needs.sorted;
        for (order, at) in sorted.iter().enumerate() {
            self.vars[section.constants[*at].var].order = order as u32;
        }
        for (order, at) in sorted.into_iter().enumerate() {
            let constant = &section.constants[at];
            self.vars[constant.var].annotation = self.annotation(constant.ty);
            self.frame_mut().limit = whole.then_some(order as u32);
            let value = self.expr(constant.value);
            let span = self.vars[constant.var].span;
            ids.push(self.emit(
                ExprKind::SetGlobal(GlobalIx(constant.var as u32), value),
                span,
            ));
        }
        // Those of the file come before those of a page.
        if let Some(before) = self.const_init {
            ids.insert(0, self.emit(ExprKind::CallFn(before, Vec::new()), first));
        }
        let body = self.emit(ExprKind::Block(ids, false), first);
        self.close(body);
        self.const_init = Some(id);
    }

    /// The constants of a section, each behind those that it mentions.
    fn in_order_of_need(&self, section: &Section<'a>) -> Needs {
        let mut needs = Needs::default();
        for (at, constant) in section.constants.iter().enumerate() {
            let name = self.vars[constant.var].name.clone();
            let mut mentioned = Vec::new();
            mentions::of_expr(constant.value, &mut |name, _| {
                mentioned.push(name.text.clone());
            });
            needs.nodes.insert(name, (Some(at), mentioned));
        }
        for (_, source) in &section.functions {
            let mut mentioned = Vec::new();
            let mut note = |name: &Name, _| mentioned.push(name.text.clone());
            let name = match source {
                FnSource::Decl(decl) => {
                    mentions::of_function(&decl.params, &decl.body, &mut note);
                    &decl.name
                }
                FnSource::Lambda(name, _, body, _) => {
                    mentions::of_expr(body, &mut note);
                    name
                }
            };
            needs.nodes.insert(name.text.clone(), (None, mentioned));
        }
        for constant in &section.constants {
            needs.visit(&self.vars[constant.var].name.clone());
        }
        needs
    }

    /// A constant that is computed from itself.
    fn report_circle(&mut self, name: &Arc<str>) {
        let Some(span) = self.top_span(name) else {
            return;
        };
        self.report(
            Diagnostic::error(
                Code::UsedTooEarly,
                span,
                format!("`{name}` is computed from itself"),
            )
            .label("its value needs this value, maybe through other constants and functions")
            .hint("write one of the values out, or make it a function"),
        );
    }

    /// The function that computes the first value of a variable.
    fn initialiser(&mut self, variable: &Variable<'a>) {
        let (name, span) = (
            self.vars[variable.var].name.clone(),
            self.vars[variable.var].span,
        );
        let id = self.reserve();
        self.open(
            id,
            FrameHead {
                name: format!("initial value of {name}"),
                span,
                kind: FnKind::Internal,
                place: Place::Init,
                link: Link::Root,
            },
        );
        self.frame_mut().limit = Some(variable.order);
        self.frame_mut().read_only = self.serves;
        let mut ids = Vec::new();
        if let Some((pattern, ty, value)) = taken_apart(variable.stmt) {
            self.destructure(pattern, ty, value, Target::Only(variable.var), &mut ids);
        } else if let Some(value) = first_value(variable.stmt) {
            let value = match self.waiting.contains(&variable.var) {
                true => self.first_value_later(variable.var, value),
                false => self.expr(value),
            };
            ids.push(self.emit(
                ExprKind::SetGlobal(GlobalIx(variable.var as u32), value),
                span,
            ));
        }
        let body = self.emit(ExprKind::Block(ids, false), span);
        self.close(body);
        self.vars[variable.var].init = Some(id);
    }

    fn test(&mut self, name: &PlainText, body: &Block) {
        let id = self.reserve();
        self.open(
            id,
            FrameHead {
                name: format!("test {}", name.value),
                span: name.span,
                kind: FnKind::Internal,
                place: Place::Test,
                link: Link::Root,
            },
        );
        let body = self.block(body, false);
        self.close(body);
        self.tests.push((name.value.to_string(), id));
    }
}

/// Pattern, annotation and value of a statement that takes a value apart at the top level.
pub(super) fn taken_apart(statement: &Stmt) -> Option<(&Pattern, Option<&TypeExpr>, &Expr)> {
    match &statement.kind {
        StmtKind::Destructure { pattern, value } => Some((pattern, None, value)),
        StmtKind::Let { pattern, ty, value }
            if !matches!(pattern.kind, PatternKind::Binding(_)) =>
        {
            Some((pattern, ty.as_ref(), value))
        }
        _ => None,
    }
}

/// The value of a statement that gives one variable its first value.
pub(super) fn first_value(statement: &Stmt) -> Option<&Expr> {
    match &statement.kind {
        StmtKind::Let { value, .. } | StmtKind::Declare { value, .. } => Some(value),
        StmtKind::Expr(expr) => match &expr.kind {
            Ast::Assign { value, .. } => Some(value),
            _ => None,
        },
        _ => None,
    }
}

/// The number of a constant (functions have none), and what it mentions.
type Need = (Option<usize>, Vec<Arc<str>>);

/// Which constants and functions mention which, while they are put in order.
#[derive(Default)]
struct Needs {
    nodes: HashMap<Arc<str>, Need>,
    sorted: Vec<usize>,
    /// Those whose needs are being followed.
    open: Vec<Arc<str>>,
    /// Constants that need themselves.
    circles: Vec<Arc<str>>,
}

impl Needs {
    fn visit(&mut self, name: &Arc<str>) {
        let Some((constant, mentioned)) = self.nodes.remove(name) else {
            if self.open.contains(name) && !self.circles.contains(name) {
                self.circles.push(name.clone());
            }
            return;
        };
        if constant.is_some() {
            self.open.push(name.clone());
        }
        for other in &mentioned {
            self.visit(other);
        }
        if constant.is_some() {
            self.open.pop();
            self.sorted.extend(constant);
        }
    }
}

/// The value of a constant that can stand wherever its name is used.
fn literal(value: &Expr) -> Option<ExprKind> {
    match &value.kind {
        Ast::None => Some(ExprKind::None),
        Ast::Bool(value) => Some(ExprKind::Bool(*value)),
        Ast::Int(value) => Some(ExprKind::Int(*value)),
        Ast::Float(value) => Some(ExprKind::Float(*value)),
        Ast::Unary {
            op: ast::UnaryOp::Negate,
            operand,
        } => match operand.kind {
            Ast::Int(value) => value.checked_neg().map(ExprKind::Int),
            Ast::Float(value) => Some(ExprKind::Float(-value)),
            _ => None,
        },
        Ast::Text(_) => super::decorators::text(value).map(ExprKind::Text),
        _ => None,
    }
}
