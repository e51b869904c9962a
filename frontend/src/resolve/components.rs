//! Components: a use of one is its view, put where its tag stands. Must stay true: the component sees its own names and those
//! of its file, never those around its tag; what stands between its tags sees what is around them; the state of an
//! instance is one record, in a variable of the page that holds those of all instances by their place and keys.

use std::sync::Arc;

use flin_syntax::ast::{
    self, AttributeKind, AttributeValue, Element, Expr, ExprKind as Ast, Markup, MarkupKind, Name,
    PatternKind, Stmt, StmtKind,
};
use flin_syntax::{Code, Diagnostic, Span};
use foldhash::{HashMap, HashMapExt as _, HashSet};

use crate::hir::{BinOp, ExprId, ExprKind, FnKind, GlobalIx, LocalId, RecordEntry, TypeAnn};
use crate::unsupported::Unsupported;

use super::markup::{Around, Output};
use super::mentions::{self, Mention};
use super::names::{Item, Role as VarRole, Start, TopVar};
use super::scope::{Binding, FrameHead, Link, Place};
use super::{PRELUDE_WORLD, Resolver};

/// How many uses of components a program may have, those inside of components counted as often as they are used.
const USES_MAX: u32 = 10_000;

/// The name under which an instance's place is known to its handlers; no name of a program looks like it.
const PATH: &str = ".path";

/// A component that was declared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Component<'a> {
    name: &'a str,
    /// Of a file in `components/` the props are what the file reads of `props`.
    params: Option<&'a [ast::Param]>,
    body: &'a [Stmt],
    world: usize,
}

/// The use of a component around what is being read.
#[derive(Debug)]
pub(super) struct Use<'a> {
    component: usize,
    /// What stands between its tags, and where names in it are looked up.
    children: &'a [Markup],
    world: usize,
    blocks: usize,
    outer: Option<Instance<'a>>,
}

/// The instance whose code is being read.
#[derive(Clone, Debug)]
pub(super) struct Instance<'a> {
    body: &'a [Stmt],
    store: Option<Store>,
    /// Variables that belong to the instance.
    state: HashSet<Arc<str>>,
}

/// Where the page keeps the instances of a component.
#[derive(Clone, Copy, Debug)]
pub(super) struct Store {
    /// Those of the last time, and those that are shown now.
    kept: GlobalIx,
    shown: GlobalIx,
}

impl<'a> Resolver<'a> {
    /// `component Name(props) { … }`
    pub(super) fn declare_component(&mut self, decl: &'a ast::ComponentDecl) {
        if self.declare_top(&decl.name, Item::Component(self.components.len())) {
            self.components.push(Component {
                name: &decl.name.text,
                params: Some(&decl.params),
                body: &decl.body.statements,
                world: self.world,
            });
        }
    }

    /// A file of `components/`.
    pub(super) fn component_file(&mut self, name: &'a str, ast: &'a ast::Program) {
        // A file may also hold the component written out.
        if let [
            Stmt {
                kind: StmtKind::Component(decl),
                ..
            },
        ] = &*ast.statements
            && &*decl.name.text == name
        {
            return self.declare_component(decl);
        }
        let tag = Name::new(name, Span::at(ast.span.start));
        if self.declare_top(&tag, Item::Component(self.components.len())) {
            self.components.push(Component {
                name,
                params: None,
                body: &ast.statements,
                world: self.world,
            });
        }
    }

    /// `<Card title="x">…</Card>`
    pub(super) fn use_component(
        &mut self,
        element: &'a Element,
        span: Span,
        around: &Around,
        out: &mut Output,
    ) {
        let Some(Item::Component(at)) = self.top(&element.name.text) else {
            return self.unknown_component(element);
        };
        if self.uses.iter().any(|it| it.component == at) {
            let title = format!("the component `{}` contains itself", element.name.text);
            let wrong = Diagnostic::error(Code::BadComponent, element.name.span, title);
            return self.report(wrong.hint("show a list of all parts with `{for}` instead"));
        }
        self.use_count += 1;
        if self.use_count > USES_MAX {
            let title = format!("components are used more than {USES_MAX} times in the views");
            let wrong = Diagnostic::error(Code::BadComponent, element.name.span, title);
            return self.report(
                wrong.reason("a use inside of a component counts as often as that one is used"),
            );
        }
        let component = self.components[at];
        let given = self.given_props(element, out);
        let site = self.use_count;
        self.uses.push(Use {
            component: at,
            children: &element.children,
            world: self.world,
            blocks: self.open_blocks(),
            outer: self.instance.take(),
        });
        self.world = component.world;
        self.open_barrier(0);
        self.props(&component, element, given, out);
        self.instance = Some(self.instance_of(at, &component, site, span, out));
        let mut ids = Vec::new();
        self.part_statements(None, &mut ids, span);
        self.keep_instance(false, &mut ids, span);
        self.flush(out);
        out.ids.append(&mut ids);
        let inside = Around {
            keyed: false,
            ..around.clone()
        };
        for statement in component.body {
            match &statement.kind {
                StmtKind::View(nodes) => self.nodes(nodes, &inside, out),
                StmtKind::Markup(node) => self.node(node, &inside, out),
                StmtKind::Lifecycle { .. } => {
                    self.unsupported(Unsupported::Lifecycle, statement.span);
                }
                _ => {}
            }
        }
        self.close_block();
        if let Some(done) = self.uses.pop() {
            self.world = done.world;
            self.instance = done.outer;
        }
    }

    fn unknown_component(&mut self, element: &Element) {
        let name = &element.name.text;
        let title = format!("there is no component `{name}`");
        let wrong = Diagnostic::error(Code::BadComponent, element.name.span, title);
        let known = self.components.iter().map(|component| component.name);
        let hint = match super::suggest::nearest_of(name, known) {
            Some(near) => format!("did you mean `<{near}>`?"),
            None => format!("declare it: `component {name}(…) {{ view {{ … }} }}`"),
        };
        let missing = element.name.clone();
        self.report_missing(&missing, wrong.hint(hint));
    }

    /// The values of a tag's attributes, computed where the tag stands.
    fn given_props(&mut self, element: &Element, out: &mut Output) -> Vec<(Name, LocalId)> {
        let mut given = Vec::new();
        for attribute in &element.attributes {
            let AttributeKind::Plain { name, value } = &attribute.kind else {
                let title = "a component takes values, no handlers and no bound variables";
                let wrong = Diagnostic::error(Code::BadProp, attribute.span, title);
                self.report(wrong.hint(
                    "put the control between the tags of the component, where it stands in a `<slot/>`",
                ));
                continue;
            };
            if matches!(&*name.text, "key" | "slot") {
                continue;
            }
            let span = attribute.span;
            let value = match value {
                AttributeValue::Flag => self.emit(ExprKind::Bool(true), span),
                AttributeValue::Static(text) => self.emit(ExprKind::Text(text.to_string()), span),
                AttributeValue::Expr(value) => self.expr(value),
                AttributeValue::Mixed(parts) => self.text(parts, span),
            };
            let local = self.frame_mut().add_local(&name.text, name.span, None);
            self.declared_with(local, value);
            self.put(ExprKind::Let(local, Some(value)), span, out);
            given.push((name.clone(), local));
        }
        given
    }

    /// Binds the props in the component's own block.
    fn props(
        &mut self,
        component: &Component<'a>,
        element: &Element,
        mut given: Vec<(Name, LocalId)>,
        out: &mut Output,
    ) {
        let Some(params) = component.params else {
            return self.props_of_file(component, element, given, out);
        };
        let mut known = Vec::new();
        for param in params {
            let (PatternKind::Binding(name) | PatternKind::Typed { name, .. }) =
                &param.pattern.kind
            else {
                let title = "a prop of a component is a name";
                self.report(Diagnostic::error(Code::BadProp, param.span, title));
                continue;
            };
            known.push(&*name.text);
            let annotation = self.annotation(param.ty.as_ref());
            let at = given.iter().position(|(it, _)| it.text == name.text);
            let value = match (at, &param.default) {
                (Some(at), _) => {
                    let (_, local) = given.remove(at);
                    self.emit(ExprKind::Local(local), name.span)
                }
                (None, Some(default)) => self.expr(default),
                (None, None) => {
                    let title = format!("`<{}>` needs the prop `{}`", component.name, name.text);
                    self.report(
                        Diagnostic::error(Code::BadProp, element.name.span, title)
                            .also(name.span, "declared without a default value")
                            .hint(format!("write `<{} {}=…>`", component.name, name.text)),
                    );
                    self.error(name.span)
                }
            };
            let local = self.declare(&name.text, name.span, annotation);
            self.declared_with(local, value);
            self.put(ExprKind::Let(local, Some(value)), name.span, out);
        }
        self.unknown_props(component, &given, &known);
    }

    /// `props.title`: all that a file of `components/` reads of `props`, none where the tag gives nothing.
    fn props_of_file(
        &mut self,
        component: &Component<'a>,
        element: &Element,
        mut given: Vec<(Name, LocalId)>,
        out: &mut Output,
    ) {
        let span = element.name.span;
        let known = mentions::fields_of("props", component.body);
        let mut entries = Vec::new();
        for name in &known {
            let at = given.iter().position(|(it, _)| *it.text == **name);
            let value = match at {
                Some(at) => {
                    let (_, local) = given.remove(at);
                    self.emit(ExprKind::Local(local), span)
                }
                None => self.emit(ExprKind::None, span),
            };
            entries.push(RecordEntry::Field((*name).to_owned(), span, value));
        }
        let record = self.emit(ExprKind::Record(entries), span);
        let local = self.declare(&Arc::from("props"), span, None);
        self.put(ExprKind::Let(local, Some(record)), span, out);
        self.unknown_props(component, &given, &known);
    }

    fn unknown_props(
        &mut self,
        component: &Component<'a>,
        given: &[(Name, LocalId)],
        known: &[&str],
    ) {
        for (name, _) in given {
            let title = format!("`<{}>` has no prop `{}`", component.name, name.text);
            let hint = match super::suggest::nearest_of(&name.text, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "it has none".to_owned(),
                None => format!("it has {}", known.join(", ")),
            };
            self.report(Diagnostic::error(Code::BadProp, name.span, title).hint(hint));
        }
    }

    /// The instance of a use: its variables, and where they are kept.
    fn instance_of(
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
    pub(super) fn keep_shown(&mut self, page: usize, span: Span, ids: &mut Vec<ExprId>) {
        let of_page = self.stores.iter().filter(|((of, _), _)| *of == page);
        let stores: Vec<Store> = of_page.map(|(_, store)| *store).collect();
        for store in stores {
            let shown = self.emit(ExprKind::Global(store.shown), span);
            ids.push(self.emit(ExprKind::SetGlobal(store.kept, shown), span));
        }
    }

    /// The statements of a component, or those that are needed: variables of the instance get what was kept.
    fn part_statements(
        &mut self,
        needed: Option<&HashSet<Arc<str>>>,
        ids: &mut Vec<ExprId>,
        span: Span,
    ) {
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
        let wanted = |name: &Name| needed.is_none_or(|needed| needed.contains(&name.text));
        for statement in instance.body {
            match (&statement.kind, declared(statement)) {
                (StmtKind::Fn(decl), _) if wanted(&decl.name) => {
                    self.part_function(statement, ids);
                }
                (_, Some((name, ty, value))) if wanted(name) => {
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
                _ => {}
            }
        }
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
            Binding::Constant(_) | Binding::Function(_) | Binding::Closure(..) => None,
        }
    }

    /// Puts the variables of the instance where they are kept: after a handler, or while it is shown.
    fn keep_instance(&mut self, by_handler: bool, ids: &mut Vec<ExprId>, span: Span) {
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
    pub(super) fn handler_of_instance(
        &mut self,
        handler: &Expr,
        ids: &mut Vec<ExprId>,
    ) -> Option<ExprId> {
        let instance = self.instance.clone()?;
        let mut needed = needed_by(handler, instance.body);
        if needed.is_empty() {
            return None;
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
        self.part_statements(Some(&needed), ids, handler.span);
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

    /// The variable of the page and the address by which a control is bound to a variable of the instance.
    pub(super) fn bound_in_instance(
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

    /// A `<style>` of a component: once for the page, and only for elements of the component.
    pub(super) fn style_of_component(&mut self, css: &str, span: Span) -> bool {
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
                .push((at, span, super::scoped::scoped(css, &mark)));
        }
        true
    }

    /// The attribute that elements of the component at hand carry, if it has a style.
    pub(super) fn mark_of_component(&self) -> Option<String> {
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
    pub(super) fn component_styles(&mut self, ids: &mut Vec<ExprId>) {
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
    pub(super) fn component_slot(
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
        let is_blank = filling.iter().all(|node| super::tags::is_blank(node));
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
    pub(super) fn turn_counter(
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
    pub(super) fn turn_key(
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
                op: ast::AssignOp::Set,
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
    let mut needed: HashSet<Arc<str>> = HashSet::default();
    let mut next: Vec<Arc<str>> = Vec::new();
    mentions::of_expr(code, &mut |name, _| next.push(name.text.clone()));
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
