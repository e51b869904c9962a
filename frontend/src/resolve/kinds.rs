//! The kinds of top-level variables, and the last round over the program once they are known. Must stay true: a variable
//! that a handler assigns or a control is bound to is state; every other one of a file with pages or routes is computed
//! again for each request; in a script a variable that only `main` uses is a local of `main`.

use flin_syntax::{Code, Diagnostic};

use crate::hir::{ExprKind, FnId, Global, GlobalIx, GlobalKind, Local, LocalId, Program};

use super::effects;
use super::facts::{Facts, in_order, reachable};
use super::names::{Role, Start};
use super::{Resolver, scope};

/// What becomes of a top-level variable or constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Its value stands wherever its name is used.
    Inline,
    Global(GlobalKind),
    /// A local of `main`.
    MainLocal,
}

impl Resolver<'_> {
    /// Decides the kinds, checks what depends on them and gives globals their final numbers.
    pub(super) fn settle(&mut self, program: &mut Program) {
        self.choose_variants(program);
        scope::spread_flags(&mut program.functions);
        self.check_calls_by_signature(program);
        let facts = program.functions.iter();
        let facts: Vec<Facts> = facts.map(|it| Facts::of(program, it)).collect();
        let fates = self.fates(program, &facts);
        // Until the final numbers are given, a global's number is the position of its variable.
        program.globals = self
            .vars
            .iter()
            .zip(&fates)
            .map(|(var, fate)| self.global(var, *fate))
            .collect();
        self.unread_hiding(program);
        effects::writes_while_showing(program, &facts, &mut self.diagnostics);
        if self.serves {
            effects::state_at_top_level(program, &facts, &fates, &mut self.diagnostics);
            self.fill_main(program, &facts);
        } else {
            effects::early_calls(
                program,
                &facts,
                &self.main_declarations,
                &mut self.diagnostics,
            );
        }
        self.make_locals(program, &fates);
        renumber(program, &fates);
    }

    fn global(&self, var: &super::names::TopVar, fate: Fate) -> Global {
        Global {
            name: var.name.to_string(),
            span: var.span,
            kind: match fate {
                Fate::Global(kind) => kind,
                Fate::Inline | Fate::MainLocal => GlobalKind::Const,
            },
            annotation: var.annotation.clone(),
            init: var.init,
            page: self.worlds[var.world].page,
        }
    }

    fn fates(&mut self, program: &Program, facts: &[Facts]) -> Vec<Fate> {
        let state = self.state(program, facts);
        let touched = self.touched_outside_main(program, facts);
        let mut fates = Vec::new();
        for (at, var) in self.vars.iter().enumerate() {
            fates.push(match &var.role {
                Role::Literal(_) => Fate::Inline,
                Role::Constant => Fate::Global(GlobalKind::Const),
                Role::Injected(what) => Fate::Global(GlobalKind::Injected(*what)),
                Role::Param => Fate::Global(GlobalKind::Param),
                Role::Variable if self.serves && state[at] => Fate::Global(GlobalKind::State),
                Role::Variable if self.serves => Fate::Global(GlobalKind::Derived),
                Role::Variable if touched[at] || self.has_tests => Fate::Global(GlobalKind::Script),
                Role::Variable => Fate::MainLocal,
            });
        }
        fates
    }

    /// Which variables are page state.
    fn state(&mut self, program: &Program, facts: &[Facts]) -> Vec<bool> {
        let mut state = vec![false; self.vars.len()];
        let handlers = program
            .pages
            .iter()
            .flat_map(|page| &page.handlers)
            .map(|handler| handler.func);
        let reached = reachable(facts, handlers);
        for fact in facts {
            fact.binds
                .iter()
                .for_each(|global| state[global.index()] = true);
        }
        let mut lost = Vec::new();
        for id in in_order(&reached) {
            let fact = &facts[id.index()];
            fact.assigns
                .iter()
                .for_each(|(global, _)| state[global.index()] = true);
            for global in &fact.hands_on {
                state[global.index()] |= self.vars[global.index()].start == Start::Container;
            }
            for (global, span) in &fact.changes {
                match self.vars[global.index()].start {
                    Start::Container => state[global.index()] = true,
                    Start::Other => lost.push((*global, *span)),
                }
            }
        }
        for (var, status) in &self.statuses {
            (state[*var], state[*status]) = (true, true);
        }
        for (global, span) in lost {
            self.warn_of_lost_change(program, global, span, &state);
        }
        state
    }

    /// A list or map that is computed again for each request is changed by a handler. (An entity may be.)
    fn warn_of_lost_change(
        &mut self,
        program: &Program,
        global: GlobalIx,
        span: flin_syntax::Span,
        state: &[bool],
    ) {
        let method = program
            .functions
            .iter()
            .flat_map(|function| &function.exprs)
            .any(|expr| {
                expr.span == span
                    && !matches!(expr.kind, ExprKind::SetField { .. })
                    && matches!(
                        expr.kind,
                        ExprKind::Method { .. } | ExprKind::CallLib(..) | ExprKind::SetIndex(..)
                    )
            });
        let var = &self.vars[global.index()];
        if state[global.index()] || !method || !matches!(var.role, Role::Variable) {
            return;
        }
        let (name, declared) = (var.name.clone(), var.span);
        self.report(
            Diagnostic::warning(
                Code::LostChange,
                span,
                format!("this change of `{name}` is lost"),
            )
            .also(declared, "computed again for every request")
            .hint("assign the variable in the handler to make it page state, or save an entity"),
        );
    }

    fn touched_outside_main(&self, program: &Program, facts: &[Facts]) -> Vec<bool> {
        let mut touched = vec![false; self.vars.len()];
        for (at, fact) in facts.iter().enumerate() {
            if program.main != Some(FnId(at as u32)) {
                let all = fact.reads.iter().chain(&fact.assigns);
                all.for_each(|(global, _)| touched[global.index()] = true);
            }
        }
        touched
    }

    /// A local that nobody reads, of the name of a top-level variable below: surely the variable was meant.
    fn unread_hiding(&mut self, program: &Program) {
        for hiding in std::mem::take(&mut self.hiding) {
            let function = &program.functions[hiding.function.index()];
            let read = function.exprs.iter().any(|expr| match expr.kind {
                ExprKind::Local(local) => function.locals[local.index()].span == hiding.span,
                _ => false,
            });
            let captured = function
                .locals
                .iter()
                .any(|local| local.captured && local.span == hiding.span);
            if read || captured {
                continue;
            }
            let (name, declared) = (&hiding.name, self.vars[hiding.var].span);
            self.report(
                Diagnostic::error(
                    Code::UsedTooEarly,
                    hiding.span,
                    format!(
                        "`{name}` is not visible yet, so this makes a variable that nobody reads"
                    ),
                )
                .also(declared, "declared at the top level here")
                .hint(format!(
                    "move the declaration of `{name}` above the function"
                )),
            );
        }
    }

    /// In a file with pages `main` computes the derived variables it needs, where they stand in the file.
    fn fill_main(&mut self, program: &mut Program, facts: &[Facts]) {
        let Some(main) = program.main else { return };
        let mut needed = vec![false; self.vars.len()];
        let mut next: Vec<FnId> = vec![main];
        let mut seen = vec![false; program.functions.len()];
        while let Some(id) = next.pop() {
            if std::mem::replace(&mut seen[id.index()], true) {
                continue;
            }
            let fact = &facts[id.index()];
            next.extend(fact.calls.iter().map(|(callee, _)| *callee));
            for (global, _) in fact.reads.iter().chain(&fact.changes) {
                needed[global.index()] = true;
                next.extend(self.vars[global.index()].init);
            }
        }
        for (place, var) in std::mem::take(&mut self.main_inits) {
            if let (true, Some(init)) = (needed[var], self.vars[var].init) {
                program.functions[main.index()].exprs[place.index()].kind =
                    ExprKind::CallFn(init, Vec::new());
            }
        }
    }

    /// Variables that only `main` uses become its locals.
    fn make_locals(&mut self, program: &mut Program, fates: &[Fate]) {
        let Some(main) = program.main else { return };
        let function = &mut program.functions[main.index()];
        let mut locals: Vec<Option<LocalId>> = vec![None; fates.len()];
        for (at, fate) in fates.iter().enumerate() {
            if *fate == Fate::MainLocal {
                let var = &self.vars[at];
                function.locals.push(Local {
                    name: var.name.to_string(),
                    span: var.span,
                    annotation: var.annotation.clone(),
                    reassigned: false,
                    captured: false,
                    function: None,
                    lambda: None,
                    tuple: None,
                });
                locals[at] = Some(LocalId(function.locals.len() as u32 - 1));
            }
        }
        for (at, expr) in function.exprs.iter_mut().enumerate() {
            let id = crate::hir::ExprId(at as u32);
            match &expr.kind {
                ExprKind::Global(global) => {
                    if let Some(local) = locals[global.index()] {
                        expr.kind = ExprKind::Local(local);
                    }
                }
                ExprKind::SetGlobal(global, value) => {
                    if let Some(local) = locals[global.index()] {
                        let value = *value;
                        expr.kind = if self.main_declarations.contains_key(&id) {
                            ExprKind::Let(local, Some(value))
                        } else {
                            function.locals[local.index()].reassigned = true;
                            ExprKind::SetLocal(local, value)
                        };
                    }
                }
                _ => {}
            }
        }
    }
}

/// Drops what is no global and numbers the others in the order of the file.
fn renumber(program: &mut Program, fates: &[Fate]) {
    let mut numbers: Vec<Option<GlobalIx>> = Vec::new();
    let mut kept = Vec::new();
    for (global, fate) in std::mem::take(&mut program.globals).into_iter().zip(fates) {
        if matches!(fate, Fate::Global(_)) {
            numbers.push(Some(GlobalIx(kept.len() as u32)));
            kept.push(global);
        } else {
            numbers.push(None);
        }
    }
    program.globals = kept;
    let number = |old: GlobalIx| numbers[old.index()].expect("what is used as a global is one");
    for expr in program
        .functions
        .iter_mut()
        .flat_map(|function| &mut function.exprs)
    {
        match &mut expr.kind {
            ExprKind::Global(global)
            | ExprKind::SetGlobal(global, _)
            | ExprKind::ViewBind { global, .. } => {
                *global = number(*global);
            }
            _ => {}
        }
    }
}
