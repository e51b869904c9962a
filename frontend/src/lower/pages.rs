//! Pages, routes and tests: the tables by which the runtime enters the program. Must stay true: a page lists every
//! variable that its view or one of its handlers can reach, in source order; what it reads is what its view and its
//! initialisers can reach.

use flin_bytecode::Runs;
use flin_bytecode::module::{
    Handler, NamedArg, NamedCall, Page, PageVariable, Route, TestBlock, VariableKind,
};

use super::Lowering;
use super::flow::{Reach, Reached, Sources};
use crate::hir::{FnId, GlobalKind, HandlerDef, NamedArgDef, PageDef};

impl Lowering<'_> {
    /// Fills the tables of entry points.
    pub(super) fn tables(&mut self) {
        let program = self.program;
        let reach = Reach::new(program, self.types);
        let sources = Sources::new(program);
        self.module.module.main = program.main.map(|f| self.entry(f));
        self.module.module.const_init = program.const_init.map(|f| self.entry(f));
        for page in &program.pages {
            let page = self.page(page, &reach, &sources);
            self.module.module.pages.push(page);
        }
        for route in &program.routes {
            let reached = reach.from([route.func]);
            let (line, _) = self.source.at(route.span);
            let entry = Route {
                method: route.method.clone(),
                path: route.path.clone(),
                func: self.entry(route.func),
                injected: self.injected(&reached),
                variables: self.variables(&reached),
                line,
            };
            self.module.module.routes.push(entry);
        }
        for (name, func) in &program.tests {
            let reached = reach.from([*func]);
            let (line, _) = self.source.at(program.functions[func.index()].span);
            let entry = TestBlock {
                name: name.clone(),
                func: self.entry(*func),
                variables: self.variables(&reached),
                line,
            };
            self.module.module.tests.push(entry);
        }
    }

    fn page(&mut self, page: &PageDef, reach: &Reach<'_>, sources: &Sources<'_>) -> Page {
        let handlers = page.handlers.iter().map(|h| h.func);
        let all = reach.from(std::iter::once(page.view).chain(handlers.clone()));
        let shown = reach.from([page.view]);
        let acting = reach.from(handlers);
        let fields = sources.fields(self.types, &acting.functions);
        Page {
            path: page.path.clone(),
            params: self.params(&all),
            view: self.entry(page.view),
            variables: self.variables(&all),
            handlers: page.handlers.iter().map(|h| self.handler(h)).collect(),
            reads: shown.entities.iter().map(|e| self.entity_id(*e)).collect(),
            writes: self.writes(page),
            field_sources: fields
                .into_iter()
                .map(|(entity, field, global)| {
                    (self.entity_id(entity), field, self.global_id(global))
                })
                .collect(),
            shown: reach
                .shown(&shown.functions)
                .map(|global| self.global_id(global))
                .collect(),
            browser_view: self.browser_view(page.view),
            asks: self.asks(page.view),
            templates: self.views.remove(&page.view).unwrap_or_default().templates,
            ..Page::default()
        }
    }

    fn writes(&self, page: &PageDef) -> Vec<flin_bytecode::EntityTypeId> {
        let handlers = page.handlers.iter().map(|h| h.func);
        let written = self.placement.as_ref().map(|it| it.writes(handlers));
        let written = written.into_iter().flatten();
        written.map(|it| self.entity_id(it)).collect()
    }

    /// The page state that the server's part of a view reads.
    fn asks(&self, view: FnId) -> Vec<flin_bytecode::GlobalId> {
        let (Some(placement), Some(whole)) = (&self.placement, self.views.get(&view)) else {
            return Vec::new();
        };
        let inst = &self.types.instances[self.entry_instance(view).index()];
        let states = placement.states_of(inst, &whole.asked);
        states.into_iter().map(|it| self.global_id(it)).collect()
    }

    fn variables(&self, reached: &Reached) -> Vec<PageVariable> {
        let mut variables = Vec::new();
        for global in &reached.globals {
            let def = &self.program.globals[global.index()];
            let kind = match def.kind {
                GlobalKind::State => VariableKind::State,
                // A script's variables get their first values anew for each test.
                GlobalKind::Derived | GlobalKind::Script => VariableKind::Derived,
                GlobalKind::Const | GlobalKind::Injected(_) | GlobalKind::Param => continue,
            };
            if let Some(init) = def.init {
                variables.push(PageVariable {
                    global: self.global_id(*global),
                    kind,
                    init: self.entry(init),
                });
            }
        }
        variables
    }

    /// The variable parts of the path that a page uses.
    fn params(&self, reached: &Reached) -> Vec<(String, flin_bytecode::GlobalId)> {
        let used = reached.globals.iter().filter_map(|global| {
            let def = &self.program.globals[global.index()];
            let is_part = def.kind == GlobalKind::Param;
            is_part.then(|| (def.name.clone(), self.global_id(*global)))
        });
        used.collect()
    }

    fn injected(
        &self,
        reached: &Reached,
    ) -> Vec<(flin_bytecode::module::Injected, flin_bytecode::GlobalId)> {
        reached
            .globals
            .iter()
            .filter_map(|global| match self.program.globals[global.index()].kind {
                GlobalKind::Injected(what) => Some((what, self.global_id(*global))),
                GlobalKind::Const
                | GlobalKind::Param
                | GlobalKind::State
                | GlobalKind::Derived
                | GlobalKind::Script => None,
            })
            .collect()
    }

    fn handler(&mut self, handler: &HandlerDef) -> Handler {
        let params = self.wire_params(handler.func);
        let by_name = handler.named.as_ref().map(|named| {
            let inst = self.entry_instance(handler.func);
            let args = named
                .args
                .iter()
                .map(|arg| match arg {
                    NamedArgDef::Literal(value) => NamedArg::Literal(value.clone()),
                    NamedArgDef::Value(e) => {
                        let ty = self.types.instances[inst.index()].exprs[e.index()];
                        NamedArg::Value(self.desc(ty))
                    }
                })
                .collect();
            NamedCall {
                name: named.name.clone(),
                func: self.entry(named.stub),
                args,
            }
        });
        let (runs, assigned) = match &self.placement {
            Some(placement) => (
                placement.runs(handler.func),
                placement.assigns(handler.func),
            ),
            None => (Runs::Server, std::collections::BTreeSet::new()),
        };
        let assigns = assigned.into_iter().map(|it| self.global_id(it)).collect();
        Handler {
            event: handler.event.clone(),
            func: self.entry(handler.func),
            params,
            by_name,
            runs,
            assigns,
        }
    }

    /// Names and types of a handler's parameters, as they travel through the page.
    fn wire_params(&mut self, func: FnId) -> Vec<(String, flin_bytecode::TypeId)> {
        let function = &self.program.functions[func.index()];
        let inst = self.entry_instance(func);
        function
            .params
            .iter()
            .map(|param| {
                let ty = self.types.instances[inst.index()].locals[param.local.index()];
                (
                    function.locals[param.local.index()].name.clone(),
                    self.desc(ty),
                )
            })
            .collect()
    }
}
