//! Types that follow the flow: a test or an assignment makes a variable or field narrower until it may change. Here
//! because that is what makes `if x != none` useful. Must stay true: what a test says holds on that way only; what other
//! functions can change is known only up to the next call; at a loop head nothing is known about what the loop assigns.

use foldhash::HashMap;

use crate::hir::{BinOp, ExprId, ExprKind, Function, GlobalIx, LocalId, TypeAnn};
use crate::types::Meaning;

use super::cells::CellId;
use super::paths::{Env, Path, Root};
use super::set::Set;
use super::walk::Walker;

/// Narrower types of paths.
type Facts<'p> = Vec<(Path<'p>, Set)>;

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

impl<'p> Walker<'_, 'p> {
    /// Whether no other function can change the variable.
    pub(super) fn narrowable(&self, local: LocalId) -> bool {
        let local = &self.function.locals[local.index()];
        !(local.captured && local.reassigned)
    }

    /// The type of the variable here.
    pub(super) fn local_now(&mut self, local: LocalId) -> Set {
        let held = self.engine.cells.read(self.locals[local.index()]);
        let known = if self.narrowable(local) {
            self.env.get(local)
        } else {
            self.env.path(&Path::new(Root::Local(local)))
        };
        known.map_or(held, |known| self.engine.cells.norm(known))
    }

    /// The type of the global here.
    pub(super) fn global_now(&mut self, global: GlobalIx) -> Set {
        let held = self.engine.cells.read(self.engine.globals[global.index()]);
        let known = self.env.path(&Path::new(Root::Global(global)));
        known.map_or(held, |known| self.engine.cells.norm(known))
    }

    /// After an assignment the variable is what was assigned.
    pub(super) fn assigned(&mut self, local: LocalId, value: Set) {
        self.env.forget(local);
        let cell = self.locals[local.index()];
        if let Some(value) = self.assigned_to(cell, value) {
            if self.narrowable(local) {
                self.env.put(local, value);
            } else {
                self.env.put_path(Path::new(Root::Local(local)), value);
            }
        }
    }

    pub(super) fn assigned_global(&mut self, global: GlobalIx, value: Set) {
        self.env.forget_root(Root::Global(global));
        let cell = self.engine.globals[global.index()];
        if let Some(value) = self.assigned_to(cell, value) {
            self.env.put_path(Path::new(Root::Global(global)), value);
        }
    }

    /// A field of a record or entity got a value.
    pub(super) fn assigned_field(&mut self, recv: ExprId, name: &'p str, value: Set) {
        let path = self.path_of(recv);
        self.env.forget_field(name);
        let held = self.value_of(recv).without(Set::NONE);
        if let Some(mut path) = path
            && !path.volatile
            && let Some(cell) = self.field_cell(held, name)
            && let Some(value) = self.assigned_to(cell, value)
        {
            path.fields.push(name);
            self.env.put_path(path, value);
        }
    }

    /// What is known of a place after an assignment, beyond what its cell says.
    fn assigned_to(&mut self, cell: CellId, value: Set) -> Option<Set> {
        if value.is_never() {
            return None;
        }
        let held = self.engine.cells.read(cell);
        let value = self.coerced(value, held);
        (value != held).then_some(value)
    }

    /// Other functions ran: what they may have changed is not known any more.
    pub(super) fn others_ran(&mut self) {
        let function = self.function;
        let shares = |local: LocalId| {
            let local = &function.locals[local.index()];
            local.captured && local.reassigned
        };
        self.env.forget_shared(&self.engine.shared, &shares);
    }

    /// The path that an expression reads, if it is one.
    pub(super) fn path_of(&self, expr: ExprId) -> Option<Path<'p>> {
        match self.kind(expr) {
            ExprKind::Local(local) => Some(Path::new(Root::Local(*local))),
            ExprKind::Global(global) => Some(Path::new(Root::Global(*global))),
            ExprKind::Field { recv, name, .. } => {
                let meaning = &self.engine.insts[self.inst.index()].meaning;
                let volatile = match meaning.get(&expr)? {
                    Meaning::RecordField | Meaning::EntityField(_) | Meaning::SystemField(_) => {
                        false
                    }
                    Meaning::MapKey | Meaning::Dynamic => true,
                    _ => return None,
                };
                let mut path = self.path_of(*recv)?;
                path.fields.push(name);
                path.volatile |= volatile;
                Some(path)
            }
            _ => None,
        }
    }

    /// What is known of a field, beyond what the receiver's type says.
    pub(super) fn field_now(&mut self, expr: ExprId, held: Set) -> Set {
        if held.is_never() {
            return held;
        }
        let known = self.path_of(expr).and_then(|path| self.env.path(&path));
        known.map_or(held, |known| self.engine.cells.norm(known))
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

    /// Drops what is known about what the loop or protected block may change.
    pub(super) fn forget_writes(&mut self, expr: ExprId) {
        let writes = self.writes.clone();
        for local in writes.get(expr) {
            self.env.forget(*local);
        }
        self.others_ran();
    }

    /// Joins what two ways to the same point know. A dead way counts for nothing.
    pub(super) fn meet(&mut self, a: (Env<'p>, bool), b: (Env<'p>, bool)) {
        (self.env, self.dead) = match (a, b) {
            ((_, true), other) => other,
            (one, (_, true)) => one,
            ((x, false), (y, false)) => match (x.is_impossible(), y.is_impossible()) {
                (true, false) => (y, false),
                (false, true) => (x, false),
                (true, true) | (false, false) => (x.meet(&y, &mut self.engine.cells), false),
            },
        };
    }

    /// Takes as known that the condition came out as `truth`.
    pub(super) fn assume(&mut self, cond: ExprId, truth: bool) {
        for (path, set) in self.facts(cond, truth) {
            self.know(path, set);
        }
    }

    /// Takes as known that the value is not none.
    pub(super) fn assume_some(&mut self, value: ExprId) {
        for (path, set) in self.fact(value, |_, held| held.without(Set::NONE)) {
            self.know(path, set);
        }
    }

    fn know(&mut self, path: Path<'p>, set: Set) {
        self.env.impossible |= set.is_never();
        if let Root::Local(local) = path.root
            && path.fields.is_empty()
        {
            if let Some(other) = self.env.alias(local).cloned() {
                self.know(other, set);
            }
            if self.narrowable(local) {
                self.env.put(local, set);
                return;
            }
        }
        if !set.is_never() {
            self.env.put_path(path, set);
        }
    }

    /// What the outcome of a condition says about variables and fields.
    fn facts(&mut self, cond: ExprId, truth: bool) -> Facts<'p> {
        let function = self.function;
        match &function.exprs[cond.index()].kind {
            ExprKind::Not(inner) => self.facts(*inner, !truth),
            ExprKind::And(a, b) if truth => self.both(*a, *b, true),
            ExprKind::Or(a, b) if !truth => self.both(*a, *b, false),
            ExprKind::Or(a, b) => self.either(*a, *b, true),
            ExprKind::And(a, b) => self.either(*a, *b, false),
            ExprKind::Local(_) | ExprKind::Global(_) | ExprKind::Field { .. } => {
                self.fact(cond, |walker, held| {
                    if truth {
                        walker.truthy(held)
                    } else {
                        walker.falsy(held)
                    }
                })
            }
            ExprKind::Binary(op @ (BinOp::Eq | BinOp::Ne), a, b) => {
                self.equality(*a, *b, (*op == BinOp::Eq) == truth)
            }
            ExprKind::Is(value, annotation) => self.fact(*value, |walker, held| {
                if truth {
                    walker.matching(held, annotation)
                } else {
                    walker.not_matching(held, annotation)
                }
            }),
            ExprKind::IsVariant(value, def, _) if truth => {
                self.fact(*value, |walker, held| walker.is_of_enum(held, *def))
            }
            ExprKind::Block(parts, true) => match parts.last() {
                Some(last) => self.facts(*last, truth),
                None => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// What a test of an expression says, if the expression is a path. `a?.b` that is not none says that `a` is not.
    fn fact(&mut self, expr: ExprId, narrow: impl FnOnce(&mut Self, Set) -> Set) -> Facts<'p> {
        let Some(path) = self.path_of(expr) else {
            return Vec::new();
        };
        let held = match self.kind(expr) {
            ExprKind::Local(local) => self.local_now(*local),
            ExprKind::Global(global) => self.global_now(*global),
            _ => self.value_of(expr),
        };
        if held.is_never() {
            return Vec::new();
        }
        let set = narrow(self, held);
        let mut facts = Vec::new();
        if let ExprKind::Field { recv, .. } = self.kind(expr)
            && !set.has(Set::NONE)
            && !set.is_any()
        {
            let not_none: fn(&mut Self, Set) -> Set = |_, held| held.without(Set::NONE);
            facts = self.fact(*recv, not_none);
        }
        facts.push((path, set));
        facts
    }

    /// What `a == b` says: both are of types that the other may be equal to; `a != none` says more.
    fn equality(&mut self, a: ExprId, b: ExprId, equal: bool) -> Facts<'p> {
        let (x, y) = (self.value_of(a), self.value_of(b));
        let mut facts = Vec::new();
        for (tested, other, set) in [(a, b, y), (b, a, x)] {
            if matches!(self.kind(other), ExprKind::None) {
                facts.extend(self.fact(tested, |_, held| match (equal, held.is_any()) {
                    (true, true) => Set::NONE,
                    (true, false) => held.only(Set::NONE),
                    (false, _) => held.without(Set::NONE),
                }));
            } else if equal && !set.is_any() && !set.is_never() {
                facts.extend(self.fact(tested, |walker, held| walker.equal_to(held, set)));
            }
        }
        facts
    }

    /// The members of a set that may equal a value of the other.
    fn equal_to(&mut self, held: Set, other: Set) -> Set {
        if held.is_any() {
            return held;
        }
        let numbers = if other.has(Set::NUMBER) {
            Set::NUMBER.bits
        } else {
            0
        };
        let allowed = self.engine.cells.nominals(other).to_vec();
        let set = Set {
            bits: held.bits & (other.bits | numbers),
            list: held.list.filter(|_| other.list.is_some()),
            map: held.map.filter(|_| other.map.is_some()),
            func: held.func.filter(|_| other.func.is_some()),
            tuple: held.tuple.filter(|_| other.tuple.is_some()),
            ..held
        };
        let set = self
            .engine
            .cells
            .without_nominals(set, |member| !allowed.contains(&member));
        // What can never be equal has its own warning.
        if set.is_never() { held } else { set }
    }

    fn both(&mut self, a: ExprId, b: ExprId, truth: bool) -> Facts<'p> {
        let before = self.env.clone();
        let mut facts = self.facts(a, truth);
        for (path, set) in &facts {
            self.know(path.clone(), *set);
        }
        facts.extend(self.facts(b, truth));
        self.env = before;
        facts
    }

    fn either(&mut self, a: ExprId, b: ExprId, truth: bool) -> Facts<'p> {
        let (left, right) = (self.facts(a, truth), self.facts(b, truth));
        // A way that no value takes says nothing about the other one.
        let impossible = |facts: &Facts<'_>| facts.iter().any(|(_, set)| set.is_never());
        if impossible(&left) {
            return right;
        }
        if impossible(&right) {
            return left;
        }
        let mut facts = Vec::new();
        for (path, set) in left {
            if let Some((_, other)) = right.iter().find(|entry| entry.0 == path) {
                let joined = self.engine.cells.join_sets(set, *other);
                facts.push((path, joined));
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
