//! What is done when the worklist runs dry, and what is left at the end. Here because these rules are about the whole
//! program, not about one function. Must stay true: each step only adds; when none adds anything the analysis is done.

use foldhash::{HashSet, HashSetExt as _};

use crate::hir::{FnId, FnKind, GlobalKind};
use crate::types::{InstId, Meaning};

use super::cells::{CellId, InstIx, MapKind};
use super::engine::Engine;
use super::set::Set;

impl Engine<'_> {
    /// When the worklist is dry: fills what nothing flowed into. Gives false if there is nothing left to do.
    pub(super) fn settle(&mut self) -> bool {
        if self.patient && !self.waiting.is_empty() {
            self.patient = false;
            for inst in std::mem::take(&mut self.waiting) {
                self.enqueue(inst);
            }
            return true;
        }
        self.patient = true;
        self.escape_state();
        self.flush_escapes();
        if self.started_something() {
            return true;
        }
        self.start_entries();
        if self.started_something() {
            return true;
        }
        self.start_uncalled();
        self.started_something()
    }

    fn started_something(&mut self) -> bool {
        self.drain();
        !self.queue.is_empty()
    }

    /// The browser sets page state: an empty list in it may get elements there.
    fn escape_state(&mut self) {
        for (at, global) in self.program.globals.iter().enumerate() {
            if global.kind == GlobalKind::State {
                let set = self.cells.peek(self.globals[at]);
                self.cells.escape(set);
            }
        }
    }

    /// What went into `any` places can be called with, and filled with, anything.
    fn flush_escapes(&mut self) {
        let mut open: Vec<Set> = self.cells.escapes.clone();
        let mut seen = HashSet::new();
        while let Some(set) = open.pop() {
            let set = self.cells.norm(set);
            if !seen.insert(set) || set.scalars_only() {
                continue;
            }
            if let Some(element) = set.list {
                open.push(self.open_up(element));
            }
            if let Some(map) = set.map {
                match self.cells.map_kind(map) {
                    MapKind::Dict(value, key) => {
                        open.push(self.open_up(value));
                        self.open_up(key);
                    }
                    MapKind::Record(fields) => {
                        for (_, field) in fields.iter() {
                            open.push(self.cells.peek(*field));
                        }
                    }
                }
            }
            if let Some(tuple) = set.tuple {
                for item in self.cells.tuple_items(tuple).iter() {
                    open.push(self.cells.peek(*item));
                }
            }
            if let Some(node) = set.enums {
                for cell in self.cells.enum_contents(node) {
                    open.push(self.cells.peek(cell));
                }
            }
            if let Some(func) = set.func {
                self.cells.mark_called(func);
                let (params, results) = self.cells.all_func_cells(func);
                for param in params {
                    self.cells.join(param, Set::ANY);
                }
                open.extend(results.into_iter().map(|it| self.cells.peek(it)));
            }
        }
    }

    fn open_up(&mut self, cell: CellId) -> Set {
        if self.cells.peek(cell).is_never() {
            self.cells.join(cell, Set::ANY);
        }
        self.cells.peek(cell)
    }

    /// What is entered from outside with arguments that nobody gives.
    fn start_entries(&mut self) {
        for at in 0..self.insts.len() {
            let state = &self.insts[at];
            let internal = self.function(state.func).kind == FnKind::Internal;
            if internal && state.func_node.is_none() {
                self.fill_params(InstIx(at as u32));
            }
        }
    }

    /// Functions that nobody calls are typed by their annotations, else `any`.
    fn start_uncalled(&mut self) {
        let with_instance: HashSet<FnId> = self.insts.iter().map(|inst| inst.func).collect();
        let program = self.program;
        let unused = |func: &FnId| {
            let function = &program.functions[func.index()];
            let named = function.kind == FnKind::Named && !function.from_prelude;
            named && !with_instance.contains(func)
        };
        let ids = (0..program.functions.len()).map(|at| FnId(at as u32));
        let unused: Vec<FnId> = ids.filter(unused).collect();
        let insts: Vec<InstIx> = (0..self.insts.len()).map(|at| InstIx(at as u32)).collect();
        let uncalled: Vec<InstIx> = insts
            .into_iter()
            .filter(|it| self.is_uncalled(*it))
            .collect();
        if unused.is_empty() && uncalled.is_empty() {
            return;
        }
        if self.cells.frozen.is_none() {
            let mut own = HashSet::new();
            for inst in &uncalled {
                self.own_cells(*inst, &mut own);
            }
            self.cells.freeze(own);
        }
        for func in unused {
            let args = vec![Set::ANY; self.function(func).params.len()];
            let inst = self.instance_for_call(func, &args);
            self.fill_params(inst);
        }
        for inst in uncalled {
            self.fill_params(inst);
        }
    }

    /// Whether an instance is a function value that nobody calls.
    fn is_uncalled(&mut self, inst: InstIx) -> bool {
        let state = &self.insts[inst.index()];
        match (self.function(state.func).kind, state.func_node) {
            (FnKind::Lambda | FnKind::Named, Some(node)) => !self.cells.is_called(node),
            (FnKind::Lambda | FnKind::Named, None) | (FnKind::Internal, _) => false,
        }
    }

    /// The cells that only this instance fills.
    fn own_cells(&self, inst: InstIx, own: &mut HashSet<CellId>) {
        let state = &self.insts[inst.index()];
        let captured: HashSet<CellId> = self
            .function(state.func)
            .captures
            .iter()
            .map(|capture| state.locals[capture.inner.index()])
            .collect();
        own.extend(state.locals.iter().filter(|cell| !captured.contains(cell)));
        own.insert(state.result);
        own.extend(state.sites.cells.values());
    }

    fn fill_params(&mut self, inst: InstIx) {
        let mut n = 0;
        while let Some(cell) = self.param_cell(inst, n) {
            if self.cells.peek(cell).is_never() {
                self.cells.join(cell, Set::ANY);
            }
            n += 1;
        }
    }

    /// Instances that can run, in the order in which they are found from the roots.
    pub(super) fn live(&mut self) -> Vec<InstIx> {
        let mut open: Vec<InstIx> = self
            .roots
            .clone()
            .iter()
            .filter_map(|root| self.existing_root(*root))
            .collect();
        let mut live = Vec::new();
        let mut seen = vec![false; self.insts.len()];
        let mut covered = vec![false; self.program.functions.len()];
        let mut rest = 0..self.insts.len();
        open.reverse();
        loop {
            while let Some(inst) = open.pop() {
                if std::mem::replace(&mut seen[inst.index()], true) {
                    continue;
                }
                live.push(inst);
                covered[self.insts[inst.index()].func.index()] = true;
                let mut next = Vec::new();
                for meaning in self.insts[inst.index()].meaning.values() {
                    collect_instances(meaning, &mut next);
                }
                next.extend(self.insts[inst.index()].defaults.iter().flatten());
                next.sort_unstable();
                open.extend(next.into_iter().rev());
            }
            // Named functions without any live instance keep one, so that their mistakes are found.
            let missing = rest.find(|at| {
                let func = self.insts[*at].func;
                let function = &self.program.functions[func.index()];
                function.kind == FnKind::Named && !function.from_prelude && !covered[func.index()]
            });
            match missing {
                Some(at) => open.push(InstIx(at as u32)),
                None => return live,
            }
        }
    }
}

/// The instances that a meaning names.
fn collect_instances(meaning: &Meaning, out: &mut Vec<InstIx>) {
    match meaning {
        Meaning::Direct(InstId(inst)) => out.push(InstIx(*inst)),
        Meaning::ViaList(InstId(inst), _, inner) => {
            out.push(InstIx(*inst));
            collect_instances(inner, out);
        }
        Meaning::ImplicitOwn(inner) | Meaning::KeyOr(inner) => collect_instances(inner, out),
        Meaning::Closure { .. }
        | Meaning::Lib(_)
        | Meaning::LibOp(_)
        | Meaning::RecordField
        | Meaning::MapKey
        | Meaning::EntityField(_)
        | Meaning::SystemField(_)
        | Meaning::Inverse(_)
        | Meaning::ErrorField
        | Meaning::Dynamic
        | Meaning::ImplicitOuter
        | Meaning::EntityFind(_)
        | Meaning::EntityCount(_)
        | Meaning::VariantData(_) => {}
    }
}
