//! What is known about local variables at a point of the program, beyond their cells: a test or an assignment makes a
//! variable narrower until it is assigned again. Here because types that follow the flow are what makes `if x != none`
//! useful. Must stay true: only variables that no other function can change are narrowed; at a loop head nothing is
//! known about what the loop assigns.

use foldhash::HashMap;

use crate::hir::{BinOp, ExprId, ExprKind, Function, LocalId, TypeAnn};

use super::set::Set;
use super::walk::Walker;

/// Narrower types of variables, sorted by variable.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub(super) struct Env {
    known: Vec<(LocalId, Set)>,
}

impl Env {
    pub(super) fn get(&self, local: LocalId) -> Option<Set> {
        self.known
            .binary_search_by_key(&local, |entry| entry.0)
            .ok()
            .map(|at| self.known[at].1)
    }

    pub(super) fn put(&mut self, local: LocalId, set: Set) {
        match self.known.binary_search_by_key(&local, |entry| entry.0) {
            Ok(at) => self.known[at].1 = set,
            Err(at) => self.known.insert(at, (local, set)),
        }
    }

    pub(super) fn forget(&mut self, local: LocalId) {
        if let Ok(at) = self.known.binary_search_by_key(&local, |entry| entry.0) {
            self.known.remove(at);
        }
    }

    pub(super) fn entries(&self) -> &[(LocalId, Set)] {
        &self.known
    }
}

/// Which variables each loop and each protected block of a function assigns.
#[derive(Default)]
pub(super) struct LoopWrites {
    by_expr: HashMap<ExprId, Vec<LocalId>>,
}

impl LoopWrites {
    /// Expressions are numbered children first or last; so this walks the tree, once per function.
    pub(super) fn of(function: &Function) -> LoopWrites {
        let mut writes = LoopWrites::default();
        let mut assigned = Vec::new();
        writes.visit(function, function.body, &mut assigned);
        writes
    }

    pub(super) fn get(&self, expr: ExprId) -> &[LocalId] {
        self.by_expr.get(&expr).map_or(&[], Vec::as_slice)
    }

    fn visit(&mut self, function: &Function, expr: ExprId, assigned: &mut Vec<LocalId>) {
        let kind = &function.exprs[expr.index()].kind;
        let scoped = matches!(
            kind,
            ExprKind::While { .. }
                | ExprKind::For { .. }
                | ExprKind::ForRange { .. }
                | ExprKind::Loop { .. }
                | ExprKind::Try(_)
                | ExprKind::TryCatch { .. }
        );
        let start = assigned.len();
        if let ExprKind::SetLocal(local, _) | ExprKind::Let(local, _) = kind {
            assigned.push(*local);
        }
        let mut children = Vec::new();
        crate::operands::operands(kind, &mut |operand| children.push(operand));
        for child in children {
            self.visit(function, child, assigned);
        }
        if scoped {
            let mut own: Vec<LocalId> = assigned[start..].to_vec();
            own.sort_unstable();
            own.dedup();
            self.by_expr.insert(expr, own.clone());
            assigned.truncate(start);
            assigned.extend(own);
        }
    }
}

impl Walker<'_, '_> {
    /// Whether tests and assignments may narrow the variable.
    pub(super) fn narrowable(&self, local: LocalId) -> bool {
        let local = &self.function.locals[local.index()];
        !(local.captured && local.reassigned)
    }

    /// The type of the variable here.
    pub(super) fn local_now(&mut self, local: LocalId) -> Set {
        let held = self.engine.cells.read(self.locals[local.index()]);
        match self.env.get(local) {
            Some(known) => self.engine.cells.norm(known),
            None => held,
        }
    }

    /// After an assignment the variable is what was assigned.
    pub(super) fn assigned(&mut self, local: LocalId, value: Set) {
        self.env.forget(local);
        if !self.narrowable(local) || value.is_never() {
            return;
        }
        let held = self.engine.cells.read(self.locals[local.index()]);
        let value = self.coerced(value, held);
        if value != held {
            self.env.put(local, value);
        }
    }

    /// What a value is after it was stored in a place that holds `held`.
    pub(super) fn coerced(&mut self, value: Set, held: Set) -> Set {
        let mut value = self.engine.cells.norm(value);
        if held.is_any() {
            return value;
        }
        if value.is_any() {
            return held;
        }
        if value.has(Set::INT) && !held.has(Set::INT) && held.has(Set::FLOAT) {
            value = value.without(Set::INT).plus(Set::FLOAT);
        }
        let allowed = self.engine.cells.nominals(held).to_vec();
        let narrowed = Set {
            bits: value.bits & held.bits,
            list: value.list.and(held.list),
            map: value.map.and(held.map),
            func: value.func.and(held.func),
            tuple: value.tuple.and(held.tuple),
            enums: value.enums.and(held.enums),
            nominals: value.nominals,
        };
        let narrowed = self
            .engine
            .cells
            .without_nominals(narrowed, |member| !allowed.contains(&member));
        if narrowed.is_never() { held } else { narrowed }
    }

    /// Drops what is known about variables that the loop or protected block assigns.
    pub(super) fn forget_writes(&mut self, expr: ExprId) {
        let writes = self.writes.clone();
        for local in writes.get(expr) {
            self.env.forget(*local);
        }
    }

    /// Joins what two ways to the same point know. A dead way counts for nothing.
    pub(super) fn meet(&mut self, a: (Env, bool), b: (Env, bool)) {
        let (env, dead) = match (a, b) {
            ((_, true), other) => other,
            (one, (_, true)) => one,
            ((x, false), (y, false)) => {
                let mut env = Env::default();
                for (local, set) in x.entries() {
                    if let Some(other) = y.get(*local) {
                        let joined = self.engine.cells.join_sets(*set, other);
                        env.put(*local, joined);
                    }
                }
                (env, false)
            }
        };
        self.env = env;
        self.dead = dead;
    }

    /// Takes as known that the condition came out as `truth`.
    pub(super) fn assume(&mut self, cond: ExprId, truth: bool) {
        for (local, set) in self.facts(cond, truth) {
            self.env.put(local, set);
        }
    }

    /// What the outcome of a condition says about variables.
    fn facts(&mut self, cond: ExprId, truth: bool) -> Vec<(LocalId, Set)> {
        let function = self.function;
        match &function.exprs[cond.index()].kind {
            ExprKind::Not(inner) => self.facts(*inner, !truth),
            ExprKind::And(a, b) if truth => self.both(*a, *b, true),
            ExprKind::Or(a, b) if !truth => self.both(*a, *b, false),
            ExprKind::Or(a, b) => self.either(*a, *b, true),
            ExprKind::And(a, b) => self.either(*a, *b, false),
            ExprKind::Local(local) => {
                let held = self.local_now(*local);
                let set = if truth {
                    self.truthy(held)
                } else {
                    self.falsy(held)
                };
                self.fact(*local, set)
            }
            ExprKind::Binary(op @ (BinOp::Eq | BinOp::Ne), a, b) => {
                let kinds = (
                    &function.exprs[a.index()].kind,
                    &function.exprs[b.index()].kind,
                );
                let ((ExprKind::Local(local), ExprKind::None)
                | (ExprKind::None, ExprKind::Local(local))) = kinds
                else {
                    return Vec::new();
                };
                let held = self.local_now(*local);
                let is_none = (*op == BinOp::Eq) == truth;
                let set = match (is_none, held.is_any()) {
                    (true, true) => Set::NONE,
                    (true, false) => held.only(Set::NONE),
                    (false, _) => held.without(Set::NONE),
                };
                self.fact(*local, set)
            }
            ExprKind::Is(value, annotation) => {
                let ExprKind::Local(local) = &function.exprs[value.index()].kind else {
                    return Vec::new();
                };
                let held = self.local_now(*local);
                let set = if truth {
                    self.matching(held, annotation)
                } else {
                    self.not_matching(held, annotation)
                };
                self.fact(*local, set)
            }
            ExprKind::IsVariant(value, def, _) if truth => {
                let ExprKind::Local(local) = &function.exprs[value.index()].kind else {
                    return Vec::new();
                };
                let held = self.local_now(*local);
                let set = self.is_of_enum(held, *def);
                self.fact(*local, set)
            }
            ExprKind::Block(parts, true) => match parts.last() {
                Some(last) => self.facts(*last, truth),
                None => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// A variable that other functions assign keeps its type, unless it can never have the tested one.
    fn fact(&mut self, local: LocalId, set: Set) -> Vec<(LocalId, Set)> {
        if self.narrowable(local) || set.is_never() {
            vec![(local, set)]
        } else {
            Vec::new()
        }
    }

    fn both(&mut self, a: ExprId, b: ExprId, truth: bool) -> Vec<(LocalId, Set)> {
        let before = self.env.clone();
        let mut facts = self.facts(a, truth);
        for (local, set) in &facts {
            self.env.put(*local, *set);
        }
        facts.extend(self.facts(b, truth));
        self.env = before;
        facts
    }

    fn either(&mut self, a: ExprId, b: ExprId, truth: bool) -> Vec<(LocalId, Set)> {
        let (left, right) = (self.facts(a, truth), self.facts(b, truth));
        let mut facts = Vec::new();
        for (local, set) in left {
            if let Some((_, other)) = right.iter().find(|entry| entry.0 == local) {
                facts.push((local, self.engine.cells.join_sets(set, *other)));
            }
        }
        facts
    }

    /// The members that can be truthy.
    pub(super) fn truthy(&mut self, set: Set) -> Set {
        set.without(Set::NONE)
    }

    /// The members that can be falsy.
    pub(super) fn falsy(&mut self, set: Set) -> Set {
        if set.is_any() {
            return set;
        }
        let always = Set::TIME
            .plus(Set::RANGE)
            .plus(Set::ERROR)
            .plus(Set::RESPONSE);
        let set = Set {
            func: None,
            tuple: None,
            ..set.without(always)
        };
        Set {
            enums: None,
            nominals: 0,
            ..set
        }
    }

    /// The members that `is T` lets through.
    pub(super) fn matching(&mut self, held: Set, annotation: &TypeAnn) -> Set {
        let tested = self.tested(annotation);
        if held.is_any() {
            return tested;
        }
        if tested.is_any() {
            return held;
        }
        let allowed = self.engine.cells.nominals(tested).to_vec();
        let set = Set {
            bits: held.bits & tested.bits,
            list: held.list.filter(|_| tested.list.is_some()),
            map: held.map.filter(|_| tested.map.is_some()),
            func: held.func.filter(|_| tested.func.is_some()),
            tuple: held.tuple.filter(|_| tested.tuple.is_some()),
            enums: held.enums,
            nominals: held.nominals,
        };
        self.engine
            .cells
            .without_nominals(set, |member| !allowed.contains(&member))
    }

    /// The members that `is T` does not let through. Containers stay if their elements are tested, too.
    fn not_matching(&mut self, held: Set, annotation: &TypeAnn) -> Set {
        if held.is_any() {
            return held;
        }
        let tested = self.tested(annotation);
        if tested.is_any() {
            return Set::NEVER;
        }
        let dropped = self.engine.cells.nominals(tested).to_vec();
        let any_list = tested
            .list
            .is_some_and(|element| self.engine.cells.peek(element).is_any());
        let any_map = tested
            .map
            .is_some_and(|map| self.engine.cells.is_any_map(map));
        let any_tuple = self.is_any_tuple(held, tested);
        let set = Set {
            bits: held.bits & !tested.bits,
            list: held.list.filter(|_| !any_list),
            map: held.map.filter(|_| !any_map),
            tuple: held.tuple.filter(|_| !any_tuple),
            ..held
        };
        self.engine
            .cells
            .without_nominals(set, |member| dropped.contains(&member))
    }

    /// Whether the tested type lets every tuple of the held length through.
    fn is_any_tuple(&mut self, held: Set, tested: Set) -> bool {
        let (Some(held), Some(tested)) = (held.tuple, tested.tuple) else {
            return false;
        };
        let (held, tested) = (
            self.engine.cells.tuple_items(held),
            self.engine.cells.tuple_items(tested),
        );
        held.len() == tested.len()
            && tested
                .iter()
                .all(|item| self.engine.cells.peek(*item).is_any())
    }

    /// The set of a type after `is`: its containers are of the place where it stands, because what comes out of `any`
    /// has elements of an unknown type.
    fn tested(&mut self, annotation: &TypeAnn) -> Set {
        let at = annotation as *const TypeAnn as usize;
        if let Some(set) = self.engine.tested.get(&at) {
            let set = *set;
            return self.engine.cells.norm(set);
        }
        let set = self.engine.annotated(annotation, &[]);
        self.engine.tested.insert(at, set);
        set
    }
}
