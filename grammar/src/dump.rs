//! The tree as S-expressions, for golden tests and curious people.
//!
//! Every node is `(kind children…)`; texts are quoted, names bare. With spans each node also carries `start..end`. The
//! form is for reading and comparing, nobody parses it again.

mod expression;
mod markup;
mod sexp;

use crate::ast::{
    Block, Decorator, FieldDecl, LifecycleEvent, Name, Param, Pattern, PatternItem, PatternKind,
    Program, RestPattern, Stmt, StmtKind, TypeExpr, TypeKind, VariantDecl, WsEvent,
};
use crate::span::Span;
use sexp::Sexp;

/// The tree without places.
#[must_use]
pub fn dump(program: &Program) -> String {
    Dumper { spans: false }.program(program)
}

/// The tree with the place of every statement, expression, pattern, type and markup node.
#[must_use]
pub fn dump_with_spans(program: &Program) -> String {
    Dumper { spans: true }.program(program)
}

/// True if two trees are the same but for places. Compares statement by statement, so that no dump of a whole file is held.
pub(crate) fn is_same(one: &Program, other: &Program) -> bool {
    let dumper = Dumper { spans: false };
    one.statements.len() == other.statements.len()
        && one
            .statements
            .iter()
            .zip(&other.statements)
            .all(|(one, other)| dumper.stmt(one) == dumper.stmt(other))
}

struct Dumper {
    spans: bool,
}

impl Dumper {
    fn program(&self, program: &Program) -> String {
        let mut out = String::new();
        for statement in &program.statements {
            self.stmt(statement).write(&mut out, 0);
            out.push('\n');
        }
        out
    }

    /// `(kind children…)`, with the place if wanted.
    fn node(&self, kind: &str, span: Span, children: Vec<Sexp>) -> Sexp {
        let mut list = vec![Sexp::atom(kind)];
        if self.spans {
            list.push(Sexp::Atom(format!("{span:?}")));
        }
        list.extend(children);
        Sexp::List(list)
    }

    fn stmt(&self, stmt: &Stmt) -> Sexp {
        let (kind, children) = match &stmt.kind {
            StmtKind::Expr(value) => return self.expr(value),
            StmtKind::Let { pattern, ty, value } => {
                let mut children = vec![self.pattern(pattern)];
                children.extend(self.annotation(ty.as_ref()));
                children.push(self.expr(value));
                ("let", children)
            }
            StmtKind::Declare { name, ty, value } => (
                "declare",
                vec![bare(name), self.typed(ty), self.expr(value)],
            ),
            StmtKind::Const { name, ty, value } => {
                let mut children = vec![bare(name)];
                children.extend(self.annotation(ty.as_ref()));
                children.push(self.expr(value));
                ("const", children)
            }
            StmtKind::Destructure { pattern, value } => {
                ("destructure", vec![self.pattern(pattern), self.expr(value)])
            }
            StmtKind::View(nodes) => ("view", self.markups(nodes)),
            StmtKind::Markup(node) => return self.markup(node),
            StmtKind::Error => ("error", Vec::new()),
            StmtKind::For { .. } | StmtKind::While { .. } | StmtKind::WhileLet { .. } => {
                self.looping(&stmt.kind)
            }
            StmtKind::Fn(_)
            | StmtKind::Entity(_)
            | StmtKind::Enum(_)
            | StmtKind::TypeAlias(_)
            | StmtKind::Page { .. }
            | StmtKind::Component(_)
            | StmtKind::Route { .. }
            | StmtKind::Validate(_)
            | StmtKind::Guard(_)
            | StmtKind::GuardDefinition { .. }
            | StmtKind::Middleware(_)
            | StmtKind::Ws { .. }
            | StmtKind::Every { .. }
            | StmtKind::Cron { .. }
            | StmtKind::Test { .. }
            | StmtKind::Lifecycle { .. } => self.declaration(&stmt.kind),
        };
        self.node(kind, stmt.span, children)
    }

    fn looping(&self, kind: &StmtKind) -> (&'static str, Vec<Sexp>) {
        match kind {
            StmtKind::For {
                label,
                bindings,
                iterable,
                body,
            } => {
                let mut children = labelled(label.as_ref());
                children.extend(bindings.iter().map(|binding| self.pattern(binding)));
                children.extend([Sexp::atom("in"), self.expr(iterable), self.block(body)]);
                ("for", children)
            }
            StmtKind::While {
                label,
                condition,
                body,
            } => {
                let mut children = labelled(label.as_ref());
                children.extend([self.expr(condition), self.block(body)]);
                ("while", children)
            }
            StmtKind::WhileLet {
                label,
                pattern,
                value,
                body,
            } => {
                let mut children = labelled(label.as_ref());
                children.extend([self.pattern(pattern), self.expr(value), self.block(body)]);
                ("while-let", children)
            }
            other => unreachable!("not a loop: {other:?}"),
        }
    }

    fn declaration(&self, kind: &StmtKind) -> (&'static str, Vec<Sexp>) {
        match kind {
            StmtKind::Fn(decl) => {
                let mut children = vec![bare(&decl.name)];
                children.extend(generics(&decl.generics));
                children.push(self.params(&decl.params));
                children.extend(self.annotation(decl.result.as_ref()));
                children.push(self.block(&decl.body));
                ("fn", children)
            }
            StmtKind::Entity(decl) => {
                let mut children = vec![bare(&decl.name)];
                children.extend(decl.decorators.iter().map(|d| self.decorator(d)));
                children.extend(decl.fields.iter().map(|field| self.field(field)));
                ("entity", children)
            }
            StmtKind::Enum(decl) => {
                let mut children = vec![bare(&decl.name)];
                children.extend(generics(&decl.generics));
                children.extend(decl.variants.iter().map(|variant| self.variant(variant)));
                ("enum", children)
            }
            StmtKind::TypeAlias(decl) => {
                let mut children = vec![bare(&decl.name)];
                children.extend(generics(&decl.generics));
                children.push(self.typed(&decl.ty));
                ("type", children)
            }
            StmtKind::Component(decl) => (
                "component",
                vec![
                    bare(&decl.name),
                    self.params(&decl.params),
                    self.block(&decl.body),
                ],
            ),
            other => self.service(other),
        }
    }

    /// Declarations of pages and of the server.
    fn service(&self, kind: &StmtKind) -> (&'static str, Vec<Sexp>) {
        match kind {
            StmtKind::Page { path, body } => {
                ("page", vec![Sexp::text(&path.value), self.block(body)])
            }
            StmtKind::Route { method, path, body } => {
                let mut children = vec![bare(method)];
                children.extend(path.as_ref().map(|path| Sexp::text(&path.value)));
                children.push(self.block(body));
                ("route", children)
            }
            StmtKind::Validate(fields) => (
                "validate",
                fields.iter().map(|field| self.field(field)).collect(),
            ),
            StmtKind::Guard(guards) => {
                let uses = guards.iter().map(|guard| {
                    let mut list = vec![bare(&guard.name)];
                    list.extend(guard.args.iter().map(|arg| self.arg(arg)));
                    Sexp::List(list)
                });
                ("guard", uses.collect())
            }
            StmtKind::GuardDefinition { name, params, body } => (
                "guard-definition",
                vec![bare(name), self.params(params), self.block(body)],
            ),
            StmtKind::Middleware(body) => ("middleware", vec![self.block(body)]),
            StmtKind::Ws { path, handlers } => {
                let mut children = vec![Sexp::text(&path.value)];
                children.extend(handlers.iter().map(|handler| {
                    let event = match handler.event {
                        WsEvent::Connect => "connect",
                        WsEvent::Message => "message",
                        WsEvent::Close => "close",
                    };
                    Sexp::List(vec![
                        Sexp::atom("on"),
                        Sexp::atom(event),
                        self.params(&handler.params),
                        self.block(&handler.body),
                    ])
                }));
                ("ws", children)
            }
            StmtKind::Every { interval, body } => {
                ("every", vec![self.expr(interval), self.block(body)])
            }
            StmtKind::Cron { schedule, body } => {
                ("cron", vec![Sexp::text(&schedule.value), self.block(body)])
            }
            StmtKind::Test { name, body } => {
                ("test", vec![Sexp::text(&name.value), self.block(body)])
            }
            StmtKind::Lifecycle { event, body } => {
                let kind = match event {
                    LifecycleEvent::Mount => "onMount",
                    LifecycleEvent::Update => "onUpdate",
                    LifecycleEvent::Unmount => "onUnmount",
                };
                (kind, vec![self.block(body)])
            }
            other => unreachable!("not a declaration: {other:?}"),
        }
    }

    fn block(&self, block: &Block) -> Sexp {
        let statements = block.statements.iter().map(|stmt| self.stmt(stmt));
        self.node("block", block.span, statements.collect())
    }

    fn params(&self, params: &[Param]) -> Sexp {
        Sexp::List(params.iter().map(|param| self.param(param)).collect())
    }

    fn param(&self, param: &Param) -> Sexp {
        let pattern = self.pattern(&param.pattern);
        if param.ty.is_none() && param.default.is_none() {
            return pattern;
        }
        let mut list = vec![Sexp::atom("param"), pattern];
        list.extend(self.annotation(param.ty.as_ref()));
        list.extend(self.default_value(param.default.as_ref()));
        Sexp::List(list)
    }

    fn default_value(&self, value: Option<&crate::ast::Expr>) -> Option<Sexp> {
        value.map(|value| Sexp::List(vec![Sexp::atom("="), self.expr(value)]))
    }

    fn field(&self, field: &FieldDecl) -> Sexp {
        let mut list = vec![
            Sexp::atom("field"),
            bare(&field.name),
            self.typed(&field.ty),
        ];
        list.extend(self.default_value(field.default.as_ref()));
        list.extend(field.decorators.iter().map(|d| self.decorator(d)));
        Sexp::List(list)
    }

    fn decorator(&self, decorator: &Decorator) -> Sexp {
        let name = Sexp::Atom(format!("@{}", decorator.name.text));
        if decorator.args.is_empty() {
            return name;
        }
        let mut list = vec![name];
        list.extend(decorator.args.iter().map(|arg| self.arg(arg)));
        Sexp::List(list)
    }

    fn variant(&self, variant: &VariantDecl) -> Sexp {
        if variant.payload.is_empty() {
            return bare(&variant.name);
        }
        let mut list = vec![bare(&variant.name)];
        list.extend(variant.payload.iter().map(|ty| self.typed(ty)));
        Sexp::List(list)
    }

    fn annotation(&self, ty: Option<&TypeExpr>) -> Option<Sexp> {
        ty.map(|ty| Sexp::List(vec![Sexp::atom(":"), self.typed(ty)]))
    }

    fn typed(&self, ty: &TypeExpr) -> Sexp {
        let (kind, children) = match &ty.kind {
            TypeKind::Named { name, args } if args.is_empty() && !self.spans => return bare(name),
            TypeKind::Named { name, args } => {
                let mut children = vec![bare(name)];
                children.extend(args.iter().map(|arg| self.typed(arg)));
                ("named", children)
            }
            TypeKind::None if !self.spans => return Sexp::atom("none"),
            TypeKind::None => ("none", Vec::new()),
            TypeKind::List(item) => ("list-of", vec![self.typed(item)]),
            TypeKind::Map { key, value } => ("map-of", vec![self.typed(key), self.typed(value)]),
            TypeKind::Tuple(items) => ("tuple-of", items.iter().map(|i| self.typed(i)).collect()),
            TypeKind::Optional(inner) => ("optional", vec![self.typed(inner)]),
            TypeKind::Union(items) => ("union", items.iter().map(|i| self.typed(i)).collect()),
            TypeKind::Fn { params, result } => {
                let params = params.iter().map(|param| self.typed(param)).collect();
                ("fn-type", vec![Sexp::List(params), self.typed(result)])
            }
            TypeKind::Error => ("error", Vec::new()),
        };
        self.node(kind, ty.span, children)
    }

    fn pattern(&self, pattern: &Pattern) -> Sexp {
        let (kind, children) = match &pattern.kind {
            PatternKind::Wildcard if !self.spans => return Sexp::atom("_"),
            PatternKind::Wildcard => ("wildcard", Vec::new()),
            PatternKind::Binding(name) if !self.spans => return bare(name),
            PatternKind::Binding(name) => ("bind", vec![bare(name)]),
            PatternKind::Place(place) => ("place", vec![self.expr(place)]),
            PatternKind::Typed { ty, name } => ("typed", vec![self.typed(ty), bare(name)]),
            PatternKind::Literal(literal) if !self.spans => return Sexp::literal(literal),
            PatternKind::Literal(literal) => ("literal", vec![Sexp::literal(literal)]),
            PatternKind::Range {
                start,
                end,
                inclusive,
            } => (
                if *inclusive { "..=" } else { ".." },
                vec![Sexp::literal(start), Sexp::literal(end)],
            ),
            PatternKind::Variant {
                enum_name,
                name,
                payload,
            } => {
                let mut children: Vec<Sexp> = enum_name.iter().map(bare).collect();
                children.push(bare(name));
                children.extend(payload.as_ref().map(|payload| {
                    Sexp::List(payload.iter().map(|item| self.pattern(item)).collect())
                }));
                ("variant", children)
            }
            PatternKind::List { items, rest } => {
                let mut children = self.items(items);
                children.extend(rest.as_ref().map(rest_pattern));
                ("list", children)
            }
            PatternKind::Map {
                type_name,
                entries,
                rest,
            } => {
                let mut children: Vec<Sexp> = type_name.iter().map(bare).collect();
                for entry in entries {
                    let mut list = vec![Sexp::key(&entry.key), self.pattern(&entry.pattern)];
                    list.extend(self.default_value(entry.default.as_ref()));
                    children.push(Sexp::List(list));
                }
                children.extend(rest.as_ref().map(rest_pattern));
                ("map", children)
            }
            PatternKind::Tuple(items) => ("tuple", self.items(items)),
            PatternKind::Or(choices) => ("or", choices.iter().map(|c| self.pattern(c)).collect()),
            PatternKind::Error => ("error", Vec::new()),
        };
        self.node(kind, pattern.span, children)
    }

    fn items(&self, items: &[PatternItem]) -> Vec<Sexp> {
        let one = |item: &PatternItem| {
            let pattern = self.pattern(&item.pattern);
            match self.default_value(item.default.as_ref()) {
                None => pattern,
                Some(default) => Sexp::List(vec![Sexp::atom("item"), pattern, default]),
            }
        };
        items.iter().map(one).collect()
    }
}

fn bare(name: &Name) -> Sexp {
    Sexp::Atom(name.text.to_string())
}

fn labelled(label: Option<&Name>) -> Vec<Sexp> {
    label
        .map(|label| Sexp::Atom(format!("'{}", label.text)))
        .into_iter()
        .collect()
}

fn generics(names: &[Name]) -> Option<Sexp> {
    (!names.is_empty()).then(|| {
        let mut list = vec![Sexp::atom("generic")];
        list.extend(names.iter().map(bare));
        Sexp::List(list)
    })
}

fn rest_pattern(rest: &RestPattern) -> Sexp {
    match &rest.name {
        Some(name) => Sexp::Atom(format!("...{}", name.text)),
        None => Sexp::atom("..."),
    }
}
