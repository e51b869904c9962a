//! Function types: what may be called through a value, with how many arguments, and what the functions that meet agree
//! on. Here because a function with default values may be called in several ways, which no other type knows. Must stay
//! true: every function that may be called through a type is among its targets, and shares the cells of the parameters
//! that such a call passes, and of the result.

use std::ops::RangeInclusive;
use std::rc::Rc;

use super::cells::{CellId, Cells, FuncNodeId, InstIx};
use super::engine::Engine;
use super::set::Set;
use super::walk::Walker;

/// A function type.
pub(super) struct FuncNode {
    parent: u32,
    params: Rc<Vec<CellId>>,
    /// The fewest arguments of a call: the other parameters have default values.
    least: usize,
    result: CellId,
    targets: Vec<InstIx>,
    /// Function types that take what this one takes, and more: their functions are called through this one, too.
    wider: Vec<FuncNodeId>,
    called: bool,
    declared: bool,
    readers: Vec<InstIx>,
}

impl Cells {
    fn new_func(&mut self, params: Vec<CellId>, least: usize, result: CellId) -> FuncNodeId {
        let id = self.funcs.len() as u32;
        self.funcs.push(FuncNode {
            parent: id,
            params: Rc::new(params),
            least,
            result,
            targets: Vec::new(),
            wider: Vec::new(),
            called: false,
            declared: false,
            readers: Vec::new(),
        });
        FuncNodeId(id)
    }

    /// The type of a function that takes at least `least` arguments.
    pub(super) fn func_node(
        &mut self,
        params: Vec<CellId>,
        least: usize,
        result: CellId,
        target: InstIx,
    ) -> FuncNodeId {
        let id = self.new_func(params, least, result);
        self.funcs[id.0 as usize].targets.push(target);
        id
    }

    /// A function type that was written down. Somebody may call it.
    pub(super) fn declared_func(&mut self, params: Vec<CellId>, result: CellId) -> FuncNodeId {
        let least = params.len();
        let id = self.new_func(params, least, result);
        let node = &mut self.funcs[id.0 as usize];
        (node.called, node.declared) = (true, true);
        id
    }

    pub(super) fn find_func(&mut self, func: FuncNodeId) -> FuncNodeId {
        let mut at = func.0;
        while self.funcs[at as usize].parent != at {
            at = self.funcs[at as usize].parent;
        }
        self.funcs[func.0 as usize].parent = at;
        FuncNodeId(at)
    }

    /// Parameter cells and result cell.
    pub(super) fn func_parts(&mut self, func: FuncNodeId) -> (Rc<Vec<CellId>>, CellId) {
        let root = self.find_func(func);
        let node = &self.funcs[root.0 as usize];
        (node.params.clone(), node.result)
    }

    /// With how many arguments it may be called.
    pub(super) fn takes(&mut self, func: FuncNodeId) -> RangeInclusive<usize> {
        let root = self.find_func(func);
        let node = &self.funcs[root.0 as usize];
        node.least..=node.params.len()
    }

    /// The type and the wider ones whose functions are called through it.
    fn with_wider(&mut self, func: FuncNodeId) -> Vec<FuncNodeId> {
        let mut all = vec![self.find_func(func)];
        let mut at = 0;
        while at < all.len() {
            for wider in self.funcs[all[at].0 as usize].wider.clone() {
                let root = self.find_func(wider);
                if !all.contains(&root) {
                    all.push(root);
                }
            }
            at += 1;
        }
        all
    }

    /// Types whose functions such a value may be, and that take this many arguments though the value's type does not.
    pub(super) fn wider_that_take(&mut self, func: FuncNodeId, count: usize) -> Vec<FuncNodeId> {
        let root = self.find_func(func);
        if self.funcs[root.0 as usize].declared {
            return Vec::new();
        }
        let mut all = self.with_wider(func);
        all.retain(|it| self.takes(*it).contains(&count));
        all
    }

    /// The instances that may be called.
    pub(super) fn func_targets(&mut self, func: FuncNodeId) -> Vec<InstIx> {
        let mut targets = Vec::new();
        for node in self.with_wider(func) {
            let node = &mut self.funcs[node.0 as usize];
            if let Some(reader) = self.reader
                && !node.readers.contains(&reader)
            {
                node.readers.push(reader);
            }
            targets.extend_from_slice(&node.targets);
        }
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    pub(super) fn mark_called(&mut self, func: FuncNodeId) {
        for node in self.with_wider(func) {
            self.funcs[node.0 as usize].called = true;
        }
    }

    /// Whether the type was written down somewhere.
    pub(super) fn is_declared_func(&mut self, func: FuncNodeId) -> bool {
        let root = self.find_func(func);
        self.funcs[root.0 as usize].declared
    }

    pub(super) fn is_called(&mut self, func: FuncNodeId) -> bool {
        let root = self.find_func(func);
        self.funcs[root.0 as usize].called
    }

    /// Parameters and results that may be passed through a value of the type, wider ones included.
    pub(super) fn all_func_cells(&mut self, func: FuncNodeId) -> (Vec<CellId>, Vec<CellId>) {
        let (mut params, mut results) = (Vec::new(), Vec::new());
        for node in self.with_wider(func) {
            let node = &self.funcs[node.0 as usize];
            params.extend_from_slice(&node.params);
            results.push(node.result);
        }
        (params, results)
    }

    /// Two function types meet: what both take can be called. False if there is no such call, or if each takes what the
    /// other does not.
    pub(super) fn unify_funcs(&mut self, a: FuncNodeId, b: FuncNodeId) -> bool {
        let (a, b) = (self.find_func(a), self.find_func(b));
        if a == b {
            return true;
        }
        let (narrow, wide) = match self.pick_func(Some(a), Some(b)) {
            Some(narrow) if narrow == b => (b, a),
            _ => (a, b),
        };
        let (takes, more) = (self.takes(narrow), self.takes(wide));
        if !more.contains(takes.start()) || !more.contains(takes.end()) {
            return false;
        }
        if self.is_frozen_func(a) && self.is_frozen_func(b) {
            return true;
        }
        let (x, y) = (self.func_parts(narrow), self.func_parts(wide));
        if takes == more {
            self.link_funcs(a, b);
        } else {
            self.add_wider(narrow, wide);
        }
        for (l, r) in x.0.iter().zip(y.0.iter()) {
            self.unify(*l, *r);
        }
        self.unify(x.1, y.1);
        true
    }

    /// Of two function types that meet the one that takes less.
    pub(super) fn pick_func(
        &mut self,
        a: Option<FuncNodeId>,
        b: Option<FuncNodeId>,
    ) -> Option<FuncNodeId> {
        let (Some(x), Some(y)) = (a, b) else {
            return a.or(b);
        };
        let (takes, others) = (self.takes(x), self.takes(y));
        let is_wider =
            takes != others && takes.contains(others.start()) && takes.contains(others.end());
        if is_wider { b } else { a }
    }

    fn link_funcs(&mut self, a: FuncNodeId, b: FuncNodeId) {
        let frozen = self.is_frozen_func(a) || self.is_frozen_func(b);
        let (keep, drop) = if a < b { (a, b) } else { (b, a) };
        let dropped = &mut self.funcs[drop.0 as usize];
        dropped.parent = keep.0;
        let targets = std::mem::take(&mut dropped.targets);
        let readers = std::mem::take(&mut dropped.readers);
        let wider = std::mem::take(&mut dropped.wider);
        let (called, declared) = (dropped.called, dropped.declared);
        let node = &mut self.funcs[keep.0 as usize];
        if !frozen {
            node.targets.extend(targets);
            node.wider.extend(wider);
        }
        node.targets.sort_unstable();
        node.targets.dedup();
        node.declared |= declared;
        self.woken.extend_from_slice(&node.readers);
        self.woken.extend_from_slice(&readers);
        node.readers.extend(readers);
        node.readers.sort_unstable();
        node.readers.dedup();
        if called || node.called {
            self.mark_called(keep);
        }
    }

    fn add_wider(&mut self, narrow: FuncNodeId, wide: FuncNodeId) {
        if self.is_frozen_func(narrow) || self.with_wider(narrow).contains(&wide) {
            return;
        }
        let node = &mut self.funcs[narrow.0 as usize];
        node.wider.push(wide);
        self.woken.extend_from_slice(&node.readers);
        if node.called {
            self.mark_called(wide);
        }
    }
}

impl Engine<'_> {
    /// The function type of an instance used as a value.
    pub(super) fn func_node_of(&mut self, inst: InstIx) -> FuncNodeId {
        if let Some(node) = self.insts[inst.index()].func_node {
            return node;
        }
        let function = self.function(self.insts[inst.index()].func);
        let locals = self.insts[inst.index()].locals.clone();
        let params = function.params.iter();
        let params = params.map(|param| locals[param.local.index()]).collect();
        let asked = function.params.iter().rposition(|it| it.default.is_none());
        let least = asked.map_or(0, |last| last + 1);
        let result = self.insts[inst.index()].result;
        let node = self.cells.func_node(params, least, result, inst);
        self.insts[inst.index()].func_node = Some(node);
        self.enqueue(inst);
        node
    }
}

impl Walker<'_, '_> {
    /// A function that is a value may be called without its last arguments: its default values flow into its parameters.
    pub(super) fn default_values(&mut self) {
        let function = self.function;
        if self.engine.insts[self.inst.index()].func_node.is_none() {
            return;
        }
        for (at, param) in function.params.iter().enumerate() {
            let Some(default) = &param.default else {
                continue;
            };
            let cell = |this: &Self, n: usize| this.locals[function.params[n].local.index()];
            let used = default.uses.iter().map(|n| cell(self, *n as usize));
            let captured = default.captured.iter();
            let captured = captured.map(|local| self.locals[local.index()]);
            let used: Vec<CellId> = used.chain(captured).collect();
            let sets: Vec<Set> = used.iter().map(|it| self.engine.cells.read(*it)).collect();
            if sets.iter().any(|set| set.is_never()) {
                continue;
            }
            let (inst, result) = self.call_instance(function.body, default.func, &[], &sets);
            // A default value that never comes ends the call that asks for it, not this function.
            self.dead = false;
            let defaults = &mut self.engine.insts[self.inst.index()].defaults;
            defaults.resize(function.params.len(), None);
            defaults[at] = Some(inst);
            let into = cell(self, at);
            self.place(function.body);
            self.engine.cells.join(into, result);
        }
    }
}
