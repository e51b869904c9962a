//! Where the parts of a page run: on the server, or in the browser. Here because what an expression reaches decides it, and
//! only types tell that. Must stay true: what could need the server never runs in the browser (a doubt means the server);
//! where something runs changes nothing but how fast it answers.

use std::collections::BTreeSet;

use flin_bytecode::module::Page;
use flin_bytecode::{Instr, Module, Op, Owner, Runs};

use super::flow::{Reach, Touched, entity_of};
use crate::browser::Capable;
use crate::hir::{EntityIx, ExprId, ExprKind, FnId, GlobalIx, GlobalKind, Program};
use crate::operands::operands;
use crate::types::{Instance, Ty, Types};

/// What the value of an expression depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depends {
    /// On something that only the server knows or may do.
    Server,
    /// On page state, and nothing else that changes.
    State,
    /// On nothing that changes while the page is open.
    Nothing,
}

/// What may run in the browser.
pub(super) struct Placement<'a> {
    program: &'a Program,
    types: &'a Types,
    reach: Reach<'a>,
    /// Functions that need the server.
    server: Vec<bool>,
}

impl<'a> Placement<'a> {
    pub(super) fn new(program: &'a Program, types: &'a Types) -> Placement<'a> {
        let mut placement = Placement {
            program,
            types,
            reach: Reach::new(program, types),
            server: vec![false; program.functions.len()],
        };
        let mut grew = true;
        while grew {
            grew = false;
            for at in 0..program.functions.len() {
                let needs = placement.needs_server(placement.reach.of(FnId(at as u32)));
                grew |= needs && !placement.server[at];
                placement.server[at] |= needs;
            }
        }
        placement
    }

    fn needs_server(&self, touched: &Touched) -> bool {
        touched.host
            || !touched.entities.is_empty()
            || touched.functions.iter().any(|f| self.server[f.index()])
            || touched.globals.iter().any(|g| self.is_of_server(*g))
    }

    /// Whether the value of a variable comes from the server.
    fn is_of_server(&self, global: GlobalIx) -> bool {
        let global = &self.program.globals[global.index()];
        match global.kind {
            GlobalKind::State => false,
            GlobalKind::Derived => global.init.is_none_or(|init| self.server[init.index()]),
            // A constant that is no literal may be a secret, and its value is one for all visits: neither is for scripts.
            GlobalKind::Const
            | GlobalKind::Script
            | GlobalKind::Param
            | GlobalKind::Injected(_) => true,
        }
    }

    /// Whether a handler can run in the browser.
    pub(super) fn runs(&self, handler: FnId) -> Runs {
        if self.server[handler.index()] {
            Runs::Server
        } else {
            Runs::Browser
        }
    }

    /// What some expressions of a view depend on.
    pub(super) fn depends(&self, inst: &Instance, exprs: &[ExprId]) -> Depends {
        let touched = self.reach.of_exprs(self.types, inst, exprs);
        if self.needs_server(&touched) || exprs.iter().any(|e| self.has_head(inst, *e)) {
            Depends::Server
        } else if self.states(touched).is_empty() {
            Depends::Nothing
        } else {
            Depends::State
        }
    }

    /// Whether something goes to the head only if, or as often as, an expression says so: the browser writes no head.
    fn has_head(&self, inst: &Instance, e: ExprId) -> bool {
        let exprs = &self.program.functions[inst.func.index()].exprs;
        let mut waiting = vec![e];
        while let Some(part) = waiting.pop() {
            let kind = &exprs[part.index()].kind;
            if part != e && matches!(kind, ExprKind::ViewHead(_)) {
                return true;
            }
            operands(kind, &mut |part| waiting.push(part));
        }
        false
    }

    /// The page state that some expressions of a view read, through functions and computed variables too.
    pub(super) fn states_of(&self, inst: &Instance, exprs: &[ExprId]) -> BTreeSet<GlobalIx> {
        self.states(self.reach.of_exprs(self.types, inst, exprs))
    }

    fn states(&self, touched: Touched) -> BTreeSet<GlobalIx> {
        let mut states = BTreeSet::new();
        let mut seen: BTreeSet<FnId> = BTreeSet::new();
        let mut globals: Vec<GlobalIx> = touched.globals.into_iter().collect();
        let mut functions: Vec<FnId> = touched.functions.into_iter().collect();
        loop {
            while let Some(global) = globals.pop() {
                let def = &self.program.globals[global.index()];
                match def.kind {
                    GlobalKind::State => {
                        states.insert(global);
                    }
                    GlobalKind::Derived => functions.extend(def.init),
                    GlobalKind::Const
                    | GlobalKind::Script
                    | GlobalKind::Param
                    | GlobalKind::Injected(_) => {}
                }
            }
            let Some(function) = functions.pop() else {
                return states;
            };
            if seen.insert(function) {
                let touched = self.reach.of(function);
                globals.extend(&touched.globals);
                functions.extend(&touched.functions);
            }
        }
    }

    /// The entities whose records some handlers can save, delete, restore or destroy.
    pub(super) fn writes(&self, handlers: impl Iterator<Item = FnId>) -> BTreeSet<EntityIx> {
        let reached = self.reach.from(handlers);
        let mut written = BTreeSet::new();
        let instances = self.types.instances.iter();
        for instance in instances.filter(|it| reached.functions.contains(&it.func)) {
            for e in &self.program.functions[instance.func.index()].exprs {
                let (ExprKind::Save(record)
                | ExprKind::Delete(record)
                | ExprKind::Restore(record)
                | ExprKind::Destroy(record)) = &e.kind
                else {
                    continue;
                };
                match entity_of(self.types, instance.exprs[record.index()]) {
                    Some(entity) => {
                        written.insert(entity);
                    }
                    None => written.extend(reached.entities.iter().copied()),
                }
            }
        }
        written
    }

    /// The page state that a handler can assign, or change inside: what it assigns, and all lists and maps it reads.
    pub(super) fn assigns(&self, handler: FnId) -> BTreeSet<GlobalIx> {
        let reached = self.reach.from([handler]);
        let mut assigned = BTreeSet::new();
        for function in &reached.functions {
            for e in &self.program.functions[function.index()].exprs {
                if let ExprKind::SetGlobal(global, _) = &e.kind {
                    assigned.insert(*global);
                }
            }
        }
        let holds_parts = |global: &&GlobalIx| {
            !matches!(
                self.types.globals[global.index()],
                Ty::None
                    | Ty::Bool
                    | Ty::Int
                    | Ty::Float
                    | Ty::Text
                    | Ty::Time
                    | Ty::Duration
                    | Ty::Never
            )
        };
        assigned.extend(reached.globals.iter().filter(holds_parts));
        assigned.retain(|g| self.program.globals[g.index()].kind == GlobalKind::State);
        assigned
    }
}

/// Takes back what the script of a page cannot do; without a script all of it is the server's.
pub(crate) fn settle(module: &mut Module) {
    if module.pages.is_empty() {
        return;
    }
    let capable = Capable::of(module);
    let mut pages = std::mem::take(&mut module.pages);
    for page in &mut pages {
        let view = page.browser_view;
        let can = |func| capable.why_not(module, page, func).is_none();
        let shows = view.is_some_and(can);
        let refused: Vec<bool> = page.handlers.iter().map(|it| !can(it.func)).collect();
        if view.is_some() && !shows {
            give_to_server(page);
        }
        for (handler, refused) in page.handlers.iter_mut().zip(refused) {
            if refused {
                handler.runs = Runs::Server;
            }
        }
    }
    module.pages = pages;
}

/// Makes the server run everything of the pages that got no script. The views in the browser have done their service: what
/// is left of them does nothing.
pub(crate) fn settle_without_script(module: &mut Module) {
    for page in &mut module.pages {
        if let Some(view) = page.browser_view.take() {
            let function = &mut module.functions[view.index()];
            function.code = vec![Instr::new(Op::Ret).encode()];
            function.catches.clear();
            function.lines.clear();
            function.arguments.clear();
        }
        if page.script.is_empty() {
            give_to_server(page);
            for handler in &mut page.handlers {
                handler.runs = Runs::Server;
            }
        }
    }
}

/// All places of a page are computed by the server.
fn give_to_server(page: &mut Page) {
    let places = page.templates.iter_mut().flat_map(|it| &mut it.places);
    for place in places {
        place.owner = Owner::Server;
    }
    for global in &page.shown {
        if !page.asks.contains(global) {
            page.asks.push(*global);
        }
    }
}
