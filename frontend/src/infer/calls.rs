//! Calls of functions: named ones by an instance per argument types, values by the function type they have. Here because
//! arguments flow into parameters in one way only. Must stay true: a call with an argument that never comes reaches
//! nobody; every parameter of an instance has the type of what was passed to it.

use crate::hir::{ExprId, ExprKind, FnId};
use crate::types::{InstId, Meaning};

use super::cells::{FuncNodeId, InstIx, MapKind};
use super::mismatch::Into;
use super::set::Set;
use super::walk::Walker;

impl Walker<'_, '_> {
    pub(super) fn call_fn(&mut self, expr: ExprId, func: FnId, args: &[ExprId]) -> Set {
        let (sets, never) = self.eval_all(args);
        if never {
            return Set::NEVER;
        }
        let (inst, result) = self.call_instance(expr, func, args, &sets);
        self.mean(expr, Meaning::Direct(InstId(inst.0)));
        result
    }

    /// Passes arguments to the instance of a function that fits them; `sets` may have a receiver before `args`.
    pub(super) fn call_instance(
        &mut self,
        expr: ExprId,
        func: FnId,
        args: &[ExprId],
        sets: &[Set],
    ) -> (InstIx, Set) {
        let inst = self.engine.instance_for_call(func, sets);
        if self.engine.insts[inst.index()].called_from.is_none() {
            self.engine.insts[inst.index()].called_from = Some((self.inst, expr));
        }
        let before_args = sets.len() - args.len();
        for (n, set) in sets.iter().enumerate() {
            let Some(cell) = self.engine.param_cell(inst, n) else {
                break;
            };
            let at = if n < before_args {
                expr
            } else {
                args[n - before_args]
            };
            self.flow(cell, *set, at, Into::Parameter(func, n));
        }
        self.engine.walk_first(inst);
        let result = self
            .engine
            .cells
            .read(self.engine.insts[inst.index()].result);
        if result.is_never() {
            self.dead = true;
        }
        (inst, result)
    }

    pub(super) fn call_value(&mut self, expr: ExprId, callee: ExprId, args: &[ExprId]) -> Set {
        let set = self.eval(callee);
        let (sets, never) = self.eval_all(args);
        if set.is_never() {
            return Set::NEVER;
        }
        if let Some(func) = set.func {
            return match self.held_function(callee, func, args.len()) {
                Some(base) => self.call_held(expr, (func, base), args, &sets, never),
                None => self.call_func(expr, func, args, &sets, never),
            };
        }
        if !set.is_any() {
            if set == Set::NONE && self.reads_empty_map(callee) {
                // Another caller may bring a map that holds functions: an error when it happens.
                self.mean(expr, Meaning::Dynamic);
            } else {
                self.not_callable(callee, set);
            }
            return Set::NEVER;
        }
        for set in sets {
            self.engine.cells.escape(set);
        }
        if never {
            return Set::NEVER;
        }
        self.mean(expr, Meaning::Dynamic);
        Set::ANY
    }

    /// The instance that a variable holds if it can only be that one, and takes as many arguments.
    fn held_function(&mut self, callee: ExprId, func: FuncNodeId, count: usize) -> Option<InstIx> {
        let ExprKind::Local(local) = self.kind(callee) else {
            return None;
        };
        let held = self.function.locals[local.index()].held()?;
        let function = self.engine.function(held);
        if function.params.len() != count || function.type_vars > 0 {
            return None;
        }
        let mut targets = self.engine.cells.func_targets(func);
        targets.retain(|inst| self.engine.insts[inst.index()].func == held);
        match targets.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }

    /// A call of a function that a variable holds: by a copy for such arguments.
    fn call_held(
        &mut self,
        expr: ExprId,
        (func, base): (FuncNodeId, InstIx),
        args: &[ExprId],
        sets: &[Set],
        never: bool,
    ) -> Set {
        if never {
            return Set::NEVER;
        }
        let inst = self.engine.instance_of_held(base, sets);
        if inst == base {
            self.engine.cells.mark_called(func);
        }
        for (n, (arg, set)) in args.iter().zip(sets).enumerate() {
            if let Some(cell) = self.engine.param_cell(inst, n) {
                self.flow(cell, *set, *arg, Into::Argument);
            }
        }
        self.engine.walk_first(inst);
        self.mean(expr, Meaning::Direct(InstId(inst.0)));
        let result = self.engine.insts[inst.index()].result;
        let result = self.engine.cells.read(result);
        if result.is_never() {
            self.dead = true;
        }
        result
    }

    /// A call through a function type.
    pub(super) fn call_func(
        &mut self,
        expr: ExprId,
        func: FuncNodeId,
        args: &[ExprId],
        sets: &[Set],
        never: bool,
    ) -> Set {
        let targets = self.engine.cells.func_targets(func);
        self.engine.cells.mark_called(func);
        let (params, result) = self.engine.cells.func_parts(func);
        if !self.engine.cells.takes(func).contains(&args.len()) {
            return self.call_wider(expr, func, args, sets, never);
        }
        if never {
            return Set::NEVER;
        }
        for ((param, arg), set) in params.iter().zip(args).zip(sets) {
            self.flow(*param, *set, *arg, Into::Argument);
        }
        for target in targets {
            self.engine.walk_first(target);
        }
        // Parameter and result types are filled in from the function type at the end.
        self.mean(
            expr,
            Meaning::Closure {
                params: Vec::new(),
                result: crate::types::Ty::Never,
            },
        );
        let result = self.engine.cells.read(result);
        if result.is_never() {
            self.dead = true;
        }
        result
    }

    /// A call with more or fewer arguments than all functions take that it may be: some may take them, else it is wrong.
    fn call_wider(
        &mut self,
        expr: ExprId,
        func: FuncNodeId,
        args: &[ExprId],
        sets: &[Set],
        never: bool,
    ) -> Set {
        let able = self.engine.cells.wider_that_take(func, args.len());
        if able.is_empty() {
            self.wrong_arity_of_value(expr, func, args.len());
            return Set::NEVER;
        }
        let mut result = Set::NEVER;
        for func in able {
            let set = self.call_func(expr, func, args, sets, never);
            result = self.engine.cells.join_sets(result, set);
        }
        if !never {
            self.mean(expr, Meaning::Dynamic);
        }
        result
    }

    /// Whether this reads an item of a map that nothing was ever put into.
    fn reads_empty_map(&mut self, at: ExprId) -> bool {
        let ExprKind::Index(recv, _) = self.kind(at) else {
            return false;
        };
        let map = self.value_of(*recv).map;
        map.is_some_and(|map| match self.engine.cells.map_kind(map) {
            MapKind::Record(fields) => fields.is_empty(),
            MapKind::Dict(value, _) => self.engine.cells.peek(value).is_never(),
        })
    }
}
