//! Control flow: branches, loops, what runs only sometimes. Here because what is known about variables follows it. Must
//! stay true: after a construct only what holds on every way out of it is known.

use crate::hir::{ExprId, ExprKind, LocalId};
use crate::types::{InstId, Meaning};

use super::set::Set;
use super::walk::Walker;

/// A loop around the place where the walk is.
pub(super) struct LoopState {
    pub(super) label: u32,
    pub(super) value: Set,
    pub(super) left: bool,
}

impl Walker<'_, '_> {
    // ---- control

    pub(super) fn control(&mut self, expr: ExprId, wanted: bool) -> Set {
        match self.kind(expr) {
            ExprKind::Block(parts, has_value) => {
                let mut value = Set::NONE;
                for (n, part) in parts.iter().enumerate() {
                    if *has_value && n + 1 == parts.len() {
                        value = self.value_or_effect(*part, wanted);
                    } else {
                        self.effect(*part);
                    }
                }
                if self.dead { Set::NEVER } else { value }
            }
            ExprKind::If {
                cond,
                then,
                otherwise,
            } => {
                let cond_set = self.eval(*cond);
                let dead = self.dead || cond_set.is_never();
                let before = (self.env.clone(), dead);
                self.dead = dead;
                self.assume(*cond, true);
                let mut value = self.value_or_effect(*then, wanted);
                let then_end = (std::mem::take(&mut self.env), self.dead);
                (self.env, self.dead) = before;
                self.assume(*cond, false);
                let other = match otherwise {
                    Some(otherwise) => self.value_or_effect(*otherwise, wanted),
                    None => Set::NONE,
                };
                value = if cond_set.is_never() {
                    Set::NEVER
                } else {
                    self.engine.cells.join_sets(value, other)
                };
                let else_end = (std::mem::take(&mut self.env), self.dead);
                self.meet(then_end, else_end);
                if self.dead { Set::NEVER } else { value }
            }
            ExprKind::TryCatch {
                body,
                error,
                handler,
            } => {
                let before = (self.env.clone(), self.dead);
                let value = self.value_or_effect(*body, wanted);
                let body_end = (std::mem::take(&mut self.env), self.dead);
                (self.env, self.dead) = before;
                self.forget_writes(expr);
                if let Some(error) = error {
                    self.place(expr);
                    self.engine
                        .cells
                        .join(self.locals[error.index()], Set::ERROR);
                    self.env.forget(*error);
                }
                let other = self.value_or_effect(*handler, wanted);
                let handler_end = (std::mem::take(&mut self.env), self.dead);
                self.meet(body_end, handler_end);
                self.engine.cells.join_sets(value, other)
            }
            _ => self.eval(expr),
        }
    }

    pub(super) fn logic(&mut self, a: ExprId, b: ExprId, and: bool) -> Set {
        let left = self.eval(a);
        let before = (self.env.clone(), self.dead);
        self.assume(a, and);
        let right = self.eval(b);
        let after = (std::mem::take(&mut self.env), self.dead);
        (self.env, self.dead) = before;
        self.assume(a, !and);
        let skipped = (std::mem::take(&mut self.env), self.dead);
        self.meet(after, skipped);
        if left.is_never() {
            return Set::NEVER;
        }
        let kept = if and {
            self.falsy(left)
        } else {
            self.truthy(left)
        };
        self.engine.cells.join_sets(kept, right)
    }

    pub(super) fn coalesce(&mut self, a: ExprId, b: ExprId) -> Set {
        let left = self.eval(a);
        let before = (self.env.clone(), self.dead);
        let right = self.eval(b);
        let after = (std::mem::take(&mut self.env), self.dead);
        // `x ?: return` leaves x without none.
        let dead = before.1;
        self.env = before.0;
        self.assume_some(a);
        let before = (std::mem::take(&mut self.env), dead);
        self.meet(before, after);
        if left.is_never() {
            return Set::NEVER;
        }
        self.engine.cells.join_sets(left.without(Set::NONE), right)
    }

    pub(super) fn while_loop(
        &mut self,
        expr: ExprId,
        label: u32,
        cond: ExprId,
        body: ExprId,
    ) -> Set {
        self.forget_writes(expr);
        self.eval(cond);
        let head = (self.env.clone(), self.dead);
        self.assume(cond, true);
        self.loops.push(LoopState {
            label,
            value: Set::NEVER,
            left: false,
        });
        self.effect(body);
        let left = self.loops.pop().is_some_and(|state| state.left);
        (self.env, self.dead) = head;
        if !left {
            self.assume(cond, false);
            self.dead |= matches!(self.kind(cond), ExprKind::Bool(true));
        }
        if self.dead { Set::NEVER } else { Set::NONE }
    }

    /// The body of a loop that may have no turn. Gives whether it can be left early.
    pub(super) fn turns(
        &mut self,
        expr: ExprId,
        label: u32,
        body: ExprId,
        vars: &[LocalId],
    ) -> bool {
        self.forget_writes(expr);
        for var in vars {
            self.env.forget(*var);
        }
        let head = (self.env.clone(), self.dead);
        self.loops.push(LoopState {
            label,
            value: Set::NEVER,
            left: false,
        });
        self.effect(body);
        let left = self.loops.pop().is_some_and(|state| state.left);
        (self.env, self.dead) = head;
        left
    }

    pub(super) fn endless(&mut self, expr: ExprId, label: u32, body: ExprId) -> Set {
        self.forget_writes(expr);
        let head = (self.env.clone(), self.dead);
        self.loops.push(LoopState {
            label,
            value: Set::NEVER,
            left: false,
        });
        self.effect(body);
        let state = self.loops.pop();
        (self.env, self.dead) = head;
        match state {
            Some(state) if state.left => state.value,
            _ => {
                self.dead = true;
                Set::NEVER
            }
        }
    }

    pub(super) fn for_loop(
        &mut self,
        expr: ExprId,
        label: u32,
        vars: (LocalId, Option<LocalId>),
        iter: ExprId,
        body: ExprId,
        empty: Option<ExprId>,
    ) -> Set {
        let set = self.eval(iter);
        let (first, second) = self.items(expr, iter, set);
        self.place(iter);
        self.engine.cells.join(self.locals[vars.0.index()], first);
        if let Some(var) = vars.1 {
            self.engine.cells.join(self.locals[var.index()], second);
        }
        let both: Vec<LocalId> = [Some(vars.0), vars.1].into_iter().flatten().collect();
        self.turns(expr, label, body, &both);
        if let Some(empty) = empty {
            let head = (self.env.clone(), self.dead);
            self.effect(empty);
            let end = (std::mem::take(&mut self.env), self.dead);
            self.meet(head, end);
        }
        Set::NONE
    }

    /// What the variables of a `for` over a value get.
    pub(super) fn items(&mut self, expr: ExprId, iter: ExprId, set: Set) -> (Set, Set) {
        if set.is_any() {
            return (Set::ANY, Set::ANY);
        }
        let (mut first, mut second) = (Set::NEVER, Set::NEVER);
        let mut has_elements = false;
        for member in self.engine.cells.members(set) {
            let (one, other) = if let Some(element) = member.list {
                (self.engine.cells.read(element), Set::INT)
            } else if let Some(map) = member.map {
                let value = self.engine.cells.make_dict(map);
                self.engine.cells.map_kind(map);
                let key = self.engine.cells.dict_key(map);
                (self.engine.cells.read(key), self.engine.cells.read(value))
            } else if member.has(Set::RANGE) {
                (Set::INT, Set::INT)
            } else if member.has(Set::TEXT) {
                (Set::TEXT, Set::INT)
            } else if let Some(entity) = self.engine.cells.single_query(member) {
                let list = self.query_list(expr, entity);
                self.mean(expr, Meaning::Direct(InstId(list.0)));
                (self.engine.cells.entity(entity), Set::INT)
            } else {
                continue;
            };
            has_elements = true;
            first = self.engine.cells.join_sets(first, one);
            second = self.engine.cells.join_sets(second, other);
        }
        if !has_elements && !set.is_never() {
            self.not_iterable(iter, set);
        }
        (first, second)
    }

    pub(super) fn contains(&mut self, expr: ExprId, a: ExprId, b: ExprId) -> Set {
        let (item, whole) = (self.eval(a), self.eval(b));
        if item.is_never() || whole.is_never() {
            return Set::NEVER;
        }
        if let Some(entity) = self.engine.cells.single_query(whole) {
            let list = self.query_list(expr, entity);
            self.mean(expr, Meaning::Direct(InstId(list.0)));
            return Set::BOOL;
        }
        if let Some(map) = whole.map {
            self.engine.cells.make_dict(map);
        }
        let container = whole.is_any()
            || whole.list.is_some()
            || whole.map.is_some()
            || whole.has(Set::TEXT)
            || whole.has(Set::RANGE);
        if !container {
            self.not_iterable(b, whole);
            return Set::NEVER;
        }
        Set::BOOL
    }

    pub(super) fn handler(&mut self, handler: u32, args: &[ExprId]) {
        let (sets, _) = self.eval_all(args);
        let mut at = self.fid;
        let page = loop {
            if let Some(page) = self.engine.page_of_view.get(&at) {
                break *page;
            }
            match self.engine.function(at).parent {
                Some(parent) => at = parent,
                None => return,
            }
        };
        let handlers = &self.engine.program.pages[page].handlers;
        let Some(func) = handlers.get(handler as usize).map(|handler| handler.func) else {
            return;
        };
        let inst = self.engine.root(func);
        for (n, set) in sets.into_iter().enumerate() {
            if let Some(cell) = self.engine.param_cell(inst, n) {
                self.place(args[n]);
                self.engine.cells.join(cell, set);
            }
        }
    }
}
