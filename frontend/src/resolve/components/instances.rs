//! Instances: the variables of one use of a component. Must stay true: they are one record, in a variable of the page that holds
//! those of all instances by their place and keys; code that changes them takes them out first and puts them back as a
//! whole; a function of the component is there only where something needs it, so that one that saves does not count as
//! called while the view is shown.

use std::sync::Arc;

use flin_syntax::Span;
use flin_syntax::ast::{
    self, AssignOp, Expr, ExprKind as Ast, LifecycleEvent, Name, PatternKind, Stmt, StmtKind,
};
use foldhash::{HashMap, HashMapExt as _, HashSet};

use crate::hir::{ExprId, ExprKind, FnKind, GlobalIx, LocalId, RecordEntry, TypeAnn};
use crate::resolve::Resolver;
use crate::resolve::markup::Output;
use crate::resolve::mentions::{self, Mention};
use crate::resolve::names::{Role as VarRole, Start, TopVar};
use crate::resolve::scope::{Binding, FrameHead, Link, Place};

use super::Component;

/// The name under which an instance's place is known to its handlers; no name of a program looks like it.
const PATH: &str = ".path";

/// The instance whose code is being read.
#[derive(Clone, Debug)]
pub(in crate::resolve) struct Instance<'a> {
    body: &'a [Stmt],
    store: Option<Store>,
    /// Variables that belong to the instance.
    state: HashSet<Arc<str>>,
}

/// Where the page keeps the instances of a component.
#[derive(Clone, Copy, Debug)]
pub(in crate::resolve) struct Store {
    /// Those of the last time, and those that are shown now.
    kept: GlobalIx,
    shown: GlobalIx,
}

impl Instance<'_> {
    /// Whether the component declares a function of this name.
    pub(super) fn has_function(&self, name: &str) -> bool {
        let is_it = |statement: &Stmt| matches!(&statement.kind, StmtKind::Fn(decl) if &*decl.name.text == name);
        self.body.iter().any(is_it)
    }
}

impl<'a> Resolver<'a> {
    /// The instance of a use: its variables, and where they are kept.
    pub(super) fn instance_of(
        &mut self,
        at: usize,
        component: &Component<'a>,
        site: u32,
        span: Span,
        out: &mut Output,
    ) -> Instance<'a> {
        let state = state_of(component.body);
        let store = (!state.is_empty()).then(|| self.store_of(at, component.name, span));
        if store.is_some() {
            let mut parts = vec![self.emit(ExprKind::Text(site.to_string()), span)];
            for key in self.part_keys.clone() {
                parts.push(self.emit(ExprKind::Text("/".to_owned()), span));
                parts.push(self.emit(ExprKind::Local(key), span));
            }
            let path = self.emit(ExprKind::Concat(parts), span);
            let local = self.frame_mut().add_local(PATH, span, Some(TypeAnn::Text));
            self.bind(&Arc::from(PATH), Binding::Variable(local));
            self.put(ExprKind::Let(local, Some(path)), span, out);
        }
        Instance {
            body: component.body,
            store,
            state,
        }
    }

    /// The variables of the page for the instances of a component.
    fn store_of(&mut self, at: usize, name: &str, span: Span) -> Store {
        let page = self.pages.len();
        if let Some((_, store)) = self.stores.iter().find(|(of, _)| *of == (page, at)) {
            return *store;
        }
        let world = self.uses.first().map_or(self.world, |it| it.world);
        let variable = |this: &mut Self, name: String| {
            let var = this.vars.len();
            this.vars.push(TopVar {
                name: Arc::from(name.as_str()),
                span,
                annotation: None,
                role: VarRole::Variable,
                world,
                order: 0,
                init: None,
                start: Start::Container,
            });
            let id = this.reserve();
            let head = FrameHead {
                name: format!("initial value of {name}"),
                span,
                kind: FnKind::Internal,
                place: Place::Init,
                link: Link::Root,
            };
            this.open(id, head);
            let empty = this.emit(ExprKind::Record(Vec::new()), span);
            let set = this.emit(ExprKind::SetGlobal(GlobalIx(var as u32), empty), span);
            let body = this.emit(ExprKind::Block(vec![set], false), span);
            this.close(body);
            this.vars[var].init = Some(id);
            GlobalIx(var as u32)
        };
        let store = Store {
            kept: variable(self, name.to_owned()),
            shown: variable(self, format!("{name} shown")),
        };
        self.stores.push(((page, at), store));
        store
    }

    /// At the end of a page's view only the instances that it shows are kept.
    pub(in crate::resolve) fn keep_shown(
        &mut self,
        page: usize,
        span: Span,
        ids: &mut Vec<ExprId>,
    ) {
        let of_page = self.stores.iter().filter(|((of, _), _)| *of == page);
        let stores: Vec<Store> = of_page.map(|(_, store)| *store).collect();
        for store in stores {
            let shown = self.emit(ExprKind::Global(store.shown), span);
            ids.push(self.emit(ExprKind::SetGlobal(store.kept, shown), span));
        }
    }

    /// The statements of a component that its view needs.
    pub(super) fn shown_statements(
        &mut self,
        component: &Component<'a>,
        ids: &mut Vec<ExprId>,
        span: Span,
    ) {
        let mut needed: HashSet<Arc<str>> = HashSet::default();
        let mut next: Vec<Arc<str>> = Vec::new();
        for node in component.markup() {
            mentions::of_shown(node, &mut |name, _| next.push(name.text.clone()));
        }
        for statement in component.body {
            if let Some((name, _, value)) = declared(statement) {
                needed.insert(name.text.clone());
                mentions::of_expr(value, &mut |name, _| next.push(name.text.clone()));
            }
        }
        for name in next {
            if needed.insert(name.clone()) {
                needed.extend(needed_by_name(&name, component.body));
            }
        }
        self.part_statements(&needed, ids, span);
    }

    /// The statements of a component that are needed: variables of the instance get what was kept. Functions are there as
    /// soon as the variables that they use are.
    fn part_statements(&mut self, needed: &HashSet<Arc<str>>, ids: &mut Vec<ExprId>, span: Span) {
        let Some(instance) = self.instance.clone() else {
            return;
        };
        let old = instance.store.and_then(|store| {
            let path = self.instance_path(span)?;
            let kept = self.emit(ExprKind::Global(store.kept), span);
            let kept = self.emit(ExprKind::Index(kept, path), span);
            let old = self.temporary(span);
            ids.push(self.emit(ExprKind::Let(old, Some(kept)), span));
            Some(old)
        });
        let mut waiting = Functions::needed(needed, instance.body);
        waiting.ready(self, ids);
        for statement in instance.body {
            match (&statement.kind, declared(statement)) {
                (_, Some((name, ty, value))) if needed.contains(&name.text) => {
                    let annotation = self.annotation(ty);
                    let first = self.expr(value);
                    let value = match old {
                        Some(old) if instance.state.contains(&name.text) => {
                            self.kept_or(old, name, first)
                        }
                        _ => first,
                    };
                    let local = self.declare(&name.text, name.span, annotation);
                    self.declared_with(local, value);
                    ids.push(self.emit(ExprKind::Let(local, Some(value)), statement.span));
                }
                (
                    StmtKind::Const { .. } | StmtKind::Destructure { .. } | StmtKind::Let { .. },
                    None,
                ) => {
                    self.statement(statement, ids);
                }
                _ => continue,
            }
            waiting.declared(statement);
            waiting.ready(self, ids);
        }
    }

    /// The functions of the instance that some code needs and that are not there yet.
    pub(super) fn needed_functions(&mut self, code: &Expr, ids: &mut Vec<ExprId>) {
        let Some(instance) = self.instance.clone() else {
            return;
        };
        let mut needed = needed_by(code, instance.body);
        needed.retain(|name| self.search(name).is_none());
        let mut functions = Functions::needed(&needed, instance.body);
        functions.variables.clear();
        functions.ready(self, ids);
    }

    fn kept_or(&mut self, old: LocalId, name: &Name, first: ExprId) -> ExprId {
        let span = name.span;
        let known = self.emit(ExprKind::Local(old), span);
        let cond = self.emit(ExprKind::Is(known, TypeAnn::None), span);
        let recv = self.emit(ExprKind::Local(old), span);
        let kept = self.emit(
            ExprKind::Field {
                recv,
                name: name.text.to_string(),
                name_span: span,
                optional: false,
            },
            span,
        );
        let otherwise = Some(kept);
        let then = first;
        self.emit(
            ExprKind::If {
                cond,
                then,
                otherwise,
            },
            span,
        )
    }

    fn instance_path(&mut self, span: Span) -> Option<ExprId> {
        match self.find_local(PATH)?.binding {
            Binding::Variable(local) => Some(self.emit(ExprKind::Local(local), span)),
            Binding::Constant(_)
            | Binding::Function(_)
            | Binding::Closure(..)
            | Binding::Callback(_) => None,
        }
    }

    /// Puts the variables of the instance where they are kept: after a handler, or while it is shown.
    pub(super) fn keep_instance(&mut self, by_handler: bool, ids: &mut Vec<ExprId>, span: Span) {
        let Some(instance) = self.instance.clone() else {
            return;
        };
        let Some(store) = instance.store else { return };
        let Some(path) = self.instance_path(span) else {
            return;
        };
        let mut entries = Vec::new();
        for statement in instance.body {
            let Some((name, ..)) = declared(statement) else {
                continue;
            };
            if instance.state.contains(&name.text)
                && let Some(visible) = self.find_local(&name.text)
                && let Binding::Variable(local) = visible.binding
            {
                let value = self.emit(ExprKind::Local(local), span);
                entries.push(RecordEntry::Field(name.text.to_string(), span, value));
            }
        }
        let record = self.emit(ExprKind::Record(entries), span);
        let into = if by_handler { store.kept } else { store.shown };
        let into = self.emit(ExprKind::Global(into), span);
        ids.push(self.emit(ExprKind::SetIndex(into, path, record), span));
    }

    /// A handler in a component: its variables first, then what it does, then they are kept again. None if it does
    /// nothing with the instance.
    pub(in crate::resolve) fn handler_of_instance(
        &mut self,
        handler: &Expr,
        ids: &mut Vec<ExprId>,
    ) -> Option<ExprId> {
        let instance = self.instance.clone()?;
        if needed_by(handler, instance.body).is_empty() {
            return None;
        }
        let touches = self.enter_instance(handler, ids);
        let done = match &handler.kind {
            Ast::Name(_) => self.call(handler, &[], None, handler.span),
            Ast::Lambda { params, .. } if params.is_empty() => {
                let run = self.expr(handler);
                self.emit(ExprKind::CallValue(run, Vec::new()), handler.span)
            }
            Ast::Block(_) => {
                // A `return` ends what the handler does, not what is kept of it.
                let run = self.lambda(&[], handler, handler.span);
                self.emit(ExprKind::CallValue(run, Vec::new()), handler.span)
            }
            _ => self.effect(handler),
        };
        if !touches {
            return Some(done);
        }
        ids.push(done);
        let mut last = Vec::new();
        self.keep_instance(true, &mut last, handler.span);
        Some(self.emit(ExprKind::Block(last, false), handler.span))
    }

    /// Makes what some code of a handler needs of the instance visible; says whether it may change its variables, so that
    /// they have to be kept.
    pub(super) fn enter_instance(&mut self, code: &Expr, ids: &mut Vec<ExprId>) -> bool {
        let Some(instance) = self.instance.clone() else {
            return false;
        };
        let mut needed = needed_by(code, instance.body);
        if needed.is_empty() {
            return false;
        }
        if self.phase == Some(LifecycleEvent::Unmount) {
            // The instance is forgotten by then: its variables come from the view, as they were.
            let mut functions = Functions::needed(&needed, instance.body);
            functions.variables.clear();
            functions.ready(self, ids);
            return false;
        }
        let touches = instance.state.iter().any(|name| needed.contains(name));
        if touches {
            // What is kept is kept as a whole.
            for name in &instance.state {
                needed.insert(name.clone());
            }
            let first_values = instance.body.iter().filter_map(declared);
            for (name, _, value) in first_values {
                if instance.state.contains(&name.text) {
                    needed.extend(needed_by(value, instance.body));
                }
            }
        }
        self.part_statements(&needed, ids, code.span);
        touches
    }

    /// The variable of the page and the address by which a control is bound to a variable of the instance.
    pub(in crate::resolve) fn bound_in_instance(
        &mut self,
        name: &Name,
    ) -> Option<(GlobalIx, Vec<ExprId>, ExprId)> {
        let instance = self.instance.clone()?;
        let store = instance.store?;
        if !instance.state.contains(&name.text) {
            return None;
        }
        let span = name.span;
        let value = self.read_plain(name);
        let text = |this: &mut Self, text: &str| this.emit(ExprKind::Text(text.to_owned()), span);
        let of = self.vars[store.kept.index()].name.to_string();
        let mut path = self.instance_path(span)?;
        for (sign, written) in [("~", "~0"), (".", "~1")] {
            let args = vec![path, text(self, sign), text(self, written)];
            path = self.emit(ExprKind::CallLib("replace".to_owned(), args), span);
        }
        let address = vec![
            text(self, &format!("{of}.")),
            path,
            text(self, &format!(".{}", name.text)),
        ];
        Some((store.kept, address, value))
    }
}

/// Name, annotation and first value of a statement that declares one variable of a component.
fn declared(statement: &Stmt) -> Option<(&Name, Option<&ast::TypeExpr>, &Expr)> {
    match &statement.kind {
        StmtKind::Declare { name, ty, value } => Some((name, Some(ty), value)),
        StmtKind::Let { pattern, ty, value } => match &pattern.kind {
            PatternKind::Binding(name) => Some((name, ty.as_ref(), value)),
            _ => None,
        },
        StmtKind::Expr(expr) => match &expr.kind {
            Ast::Assign {
                target,
                op: AssignOp::Set,
                value,
            } => match &target.kind {
                Ast::Name(name) => Some((name, None, value)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// The variables that belong to an instance: those that something assigns or binds, and lists and maps, which may be
/// changed in place.
fn state_of(body: &[Stmt]) -> HashSet<Arc<str>> {
    let mut assigned: HashMap<Arc<str>, usize> = HashMap::new();
    mentions::of_statements(body, &mut |name, how| {
        if how == Mention::Assigned {
            *assigned.entry(name.text.clone()).or_default() += 1;
        }
    });
    let mut state = HashSet::default();
    for (name, _, value) in body.iter().filter_map(declared) {
        let own = usize::from(!is_let(body, name));
        let changed = assigned.get(&name.text).is_some_and(|count| *count > own);
        let held = matches!(value.kind, Ast::List(_) | Ast::Map(_));
        if changed || held {
            state.insert(name.text.clone());
        }
    }
    state
}

/// Whether a name is declared by a statement that does not count as an assignment of it.
fn is_let(body: &[Stmt], name: &Name) -> bool {
    body.iter().any(|statement| {
        !matches!(statement.kind, StmtKind::Expr(_))
            && declared(statement).is_some_and(|(it, ..)| it.text == name.text)
    })
}

/// The names that a piece of code needs of a component's statements, directly or through others of them.
fn needed_by(code: &Expr, body: &[Stmt]) -> HashSet<Arc<str>> {
    let mut next: Vec<Arc<str>> = Vec::new();
    mentions::of_expr(code, &mut |name, _| next.push(name.text.clone()));
    needed_by_names(next, body)
}

/// The same for what one name of the component needs, itself included.
fn needed_by_name(name: &Arc<str>, body: &[Stmt]) -> HashSet<Arc<str>> {
    needed_by_names(vec![name.clone()], body)
}

fn needed_by_names(mut next: Vec<Arc<str>>, body: &[Stmt]) -> HashSet<Arc<str>> {
    let mut needed: HashSet<Arc<str>> = HashSet::default();
    while let Some(name) = next.pop() {
        let statement = body.iter().find(|statement| match &statement.kind {
            StmtKind::Fn(decl) => decl.name.text == name,
            _ => declared(statement).is_some_and(|(it, ..)| it.text == name),
        });
        if let Some(statement) = statement
            && needed.insert(name)
        {
            let mut note = |name: &Name, _: Mention| next.push(name.text.clone());
            mentions::of_statements(std::slice::from_ref(statement), &mut note);
        }
    }
    needed
}

/// All names that a function of a component mentions, by others of its statements too.
fn mentioned_by(function: &Arc<str>, body: &[Stmt]) -> HashSet<Arc<str>> {
    let needed = needed_by_name(function, body);
    let mut mentioned = needed.clone();
    for statement in body {
        if matches!(&statement.kind, StmtKind::Fn(decl) if needed.contains(&decl.name.text)) {
            mentions::of_statements(std::slice::from_ref(statement), &mut |name, _| {
                mentioned.insert(name.text.clone());
            });
        }
    }
    mentioned
}

/// Functions of a component that wait for the variables they use.
struct Functions {
    /// Each with what it mentions, by others of them too.
    waiting: Vec<(Stmt, HashSet<Arc<str>>)>,
    /// Variables that have no value yet.
    variables: HashSet<Arc<str>>,
}

impl Functions {
    fn needed(needed: &HashSet<Arc<str>>, body: &[Stmt]) -> Functions {
        let mut functions = Functions {
            waiting: Vec::new(),
            variables: HashSet::default(),
        };
        for statement in body {
            match &statement.kind {
                StmtKind::Fn(decl) if needed.contains(&decl.name.text) => {
                    let mentioned = mentioned_by(&decl.name.text, body);
                    functions.waiting.push((statement.clone(), mentioned));
                }
                StmtKind::Fn(_) => {}
                _ => names_of(statement, &mut |name| {
                    if declared(statement).is_none() || needed.contains(name) {
                        functions.variables.insert(name.clone());
                    }
                }),
            }
        }
        functions
    }

    fn declared(&mut self, statement: &Stmt) {
        names_of(statement, &mut |name| {
            self.variables.remove(name);
        });
    }

    /// Declares those whose variables are all there, together, so that they can call each other.
    fn ready(&mut self, resolver: &mut Resolver<'_>, ids: &mut Vec<ExprId>) {
        let (waiting, ready) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(_, mentioned)| mentioned.iter().any(|it| self.variables.contains(it)));
        self.waiting = waiting;
        let ready: Vec<(Stmt, HashSet<Arc<str>>)> = ready;
        let ready: Vec<Stmt> = ready.into_iter().map(|(statement, _)| statement).collect();
        resolver.part_functions(&ready, ids);
    }
}

/// The names that a statement declares.
fn names_of(statement: &Stmt, found: &mut dyn FnMut(&Arc<str>)) {
    match (&statement.kind, declared(statement)) {
        (_, Some((name, ..))) | (StmtKind::Const { name, .. }, None) => found(&name.text),
        (StmtKind::Destructure { pattern, .. } | StmtKind::Let { pattern, .. }, None) => {
            mentions::of_pattern(pattern, &mut |name, _| found(&name.text));
        }
        _ => {}
    }
}
