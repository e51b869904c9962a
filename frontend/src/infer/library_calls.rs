//! Calls of library functions, as `f(x)` and as `x.f()`: which row of the library table a call means, and what its type
//! scheme makes of the arguments. Here because the table is the only list of what there is. Must stay true: a type
//! variable is one cell per call, so a native function that returns a list of its argument's elements returns a list
//! with the very same element type.

use flin_bytecode::LibId;
use flin_bytecode::library::{LibType, lookup};
use flin_syntax::Span;

use crate::hir::{EntityIx, ExprId, ExprKind};
use crate::types::{InstId, Meaning};

use super::cells::InstIx;
use super::set::{Nominal, Set};
use super::walk::Walker;

/// An argument: where it stands and its type. The receiver of a method is the first one.
pub(super) type Arg = (ExprId, Set);

/// Functions that take anything and show a query as the list of its records.
const SHOWS: [&str; 6] = [
    "to_json",
    "to_text",
    "print",
    "log_info",
    "log_warn",
    "log_error",
];

impl Walker<'_, '_> {
    pub(super) fn call_lib(&mut self, expr: ExprId, name: &str, args: &[ExprId]) -> Set {
        match (name, args) {
            ("__entity_at", [record, when]) => return self.time_travel(expr, *record, *when),
            ("__entity_spread", [record, value]) => {
                let set = self.spread_fields(*record, *value);
                if let Some(row) = lookup(name).first() {
                    self.mean(expr, Meaning::Lib(*row));
                }
                return set;
            }
            _ => {}
        }
        // The first argument decides about a query; it is looked at once: nested calls would double the work each time.
        let mut sets = Vec::with_capacity(args.len());
        if let Some((first, rest)) = args.split_first() {
            let set = self.eval(*first);
            if let Some(entity) = self.engine.cells.single_query(set)
                && !name.starts_with("__")
                && (SHOWS.contains(&name) || !takes_any(name, args.len()))
            {
                return self.query_method(expr, *first, entity, (name, self.span(expr)), rest);
            }
            sets.push(set);
            sets.extend(self.eval_all(rest).0);
        }
        if let Some(set) = self.query_intrinsic(name, &sets) {
            return set;
        }
        let args: Vec<Arg> = args.iter().copied().zip(sets).collect();
        self.library_call(expr, (name, self.span(expr)), &args)
    }

    /// `record @ when`
    fn time_travel(&mut self, expr: ExprId, record: ExprId, when: ExprId) -> Set {
        let (of, at) = (self.eval(record), self.eval(when));
        if of.is_never() || at.is_never() {
            return Set::NEVER;
        }
        let known = of.without(Set::NONE);
        let others = self
            .engine
            .cells
            .without_nominals(known, |member| matches!(member, Nominal::Entity(_)));
        if !known.is_any() && others.nominals == known.nominals {
            self.no_history(record, of);
            return Set::NEVER;
        }
        let fits = at.has(Set::INT) || at.has(Set::TIME) || at.has(Set::TEXT);
        if !at.is_any() && !fits {
            self.not_a_time(when, at);
            return Set::NEVER;
        }
        let args = [(record, of), (when, at)];
        self.library_call(expr, ("__entity_at", self.span(expr)), &args)
    }

    /// `__query_scan(q)` is an op: the records of the entity.
    fn query_intrinsic(&mut self, name: &str, sets: &[Set]) -> Option<Set> {
        if name != "__query_scan" {
            return None;
        }
        let query = sets.first().copied().unwrap_or(Set::NEVER);
        let set = match self.engine.cells.single_query(query) {
            Some(entity) => self.engine.cells.entity(entity),
            None if query.is_any() => Set::ANY,
            None => return Some(Set::NEVER),
        };
        let at = self.function.body;
        let cell = self.site_cell(at, 200);
        self.engine.cells.join(cell, set);
        Some(Set::list(self.engine.cells.find(cell)))
    }

    pub(super) fn method(
        &mut self,
        expr: ExprId,
        recv: ExprId,
        name: (&str, Span),
        args: &[ExprId],
        optional: bool,
    ) -> Set {
        let set = self.eval(recv);
        let inner = if optional {
            set.without(Set::NONE)
        } else {
            set
        };
        let result = self.method_of(expr, recv, inner, name, args, false);
        if optional && (set.has(Set::NONE) || set.is_any()) {
            return self.engine.cells.join_sets(result, Set::NONE);
        }
        result
    }

    /// A method of a receiver of this type; `bare` is without parentheses.
    pub(super) fn method_of(
        &mut self,
        expr: ExprId,
        recv: ExprId,
        set: Set,
        name: (&str, Span),
        args: &[ExprId],
        bare: bool,
    ) -> Set {
        let set = self.engine.cells.norm(set);
        if let Some(entity) = self.engine.cells.single_query(set) {
            return self.query_method(expr, recv, entity, name, args);
        }
        let (sets, never) = self.eval_all(args);
        if set.is_never() {
            return Set::NEVER;
        }
        if let Some(func) = self.function_in_map(set, name.0) {
            return self.call_func(expr, func, args, &sets, never);
        }
        if lookup(name.0).is_empty() {
            return self.unknown_method(expr, recv, set, name, &sets, bare);
        }
        let mut all = vec![(recv, set)];
        all.extend(args.iter().copied().zip(sets));
        self.library_call(expr, name, &all)
    }

    /// `record.name(args)` calls the function in the field if there is one.
    fn function_in_map(&mut self, set: Set, name: &str) -> Option<super::cells::FuncNodeId> {
        let map = set.map?;
        let field = match self.engine.cells.map_kind(map) {
            super::cells::MapKind::Record(fields) => fields
                .iter()
                .find(|field| &*field.0 == name)
                .map(|field| field.1),
            super::cells::MapKind::Dict(value, _) if !takes_maps(name) => Some(value),
            super::cells::MapKind::Dict(..) => None,
        };
        let held = self.engine.cells.read(field?);
        held.func
    }

    fn unknown_method(
        &mut self,
        expr: ExprId,
        recv: ExprId,
        set: Set,
        name: (&str, Span),
        sets: &[Set],
        bare: bool,
    ) -> Set {
        if set.is_any() || set.map.is_some() && !bare {
            for set in sets {
                self.engine.cells.escape(*set);
            }
            self.engine.cells.escape(set);
            self.mean(expr, Meaning::Dynamic);
            return Set::ANY;
        }
        let known = match self.engine.cells.single_entity(set) {
            Some(entity) => self.field_names(entity),
            None => flin_bytecode::library::names().map(str::to_owned).collect(),
        };
        self.unknown_name(recv, set, name, known);
        Set::NEVER
    }

    /// What `any.name` without parentheses would mean as a library function.
    pub(super) fn library_on_any(
        &mut self,
        expr: ExprId,
        recv: ExprId,
        name: &str,
    ) -> Option<Meaning> {
        let rows: Vec<LibId> = lookup(name)
            .iter()
            .copied()
            .filter(|row| row.scheme().params.len() == 1)
            .collect();
        let row = match rows.as_slice() {
            [] => return None,
            [only] => *only,
            several => *several
                .iter()
                .find(|row| row.scheme().params[0] == LibType::Any)?,
        };
        self.apply(expr, row, &[(recv, Set::ANY)]).1
    }

    /// A call whose receiver or first argument is a query.
    pub(super) fn query_method(
        &mut self,
        expr: ExprId,
        recv: ExprId,
        entity: EntityIx,
        name: (&str, Span),
        args: &[ExprId],
    ) -> Set {
        let whole = matches!(self.kind(recv), ExprKind::Query(_));
        let mut all = vec![(recv, self.engine.cells.nominal(Nominal::Query(entity)))];
        let mut never = false;
        for arg in args {
            let set = self.query_arg(*arg, entity);
            never |= set.is_never();
            all.push((*arg, set));
        }
        if never {
            return Set::NEVER;
        }
        let record = self.engine.cells.entity(entity);
        match (name.0, args.len()) {
            ("find", 1) if whole && all[1].1.func.is_none() => {
                self.mean(expr, Meaning::EntityFind(entity));
                return self.engine.cells.join_sets(record, Set::NONE);
            }
            ("count", 0) if whole => {
                self.mean(expr, Meaning::EntityCount(entity));
                return Set::INT;
            }
            _ => {}
        }
        let sets: Vec<Set> = all.iter().map(|arg| arg.1).collect();
        let by_lambda = name.0 == "find" && all.get(1).is_some_and(|arg| arg.1.func.is_some());
        if let Some(func) = self
            .query_function(name.0, all.len())
            .filter(|_| !by_lambda)
        {
            let (inst, result) = self.call_instance(expr, func, args, &sets);
            self.mean(expr, Meaning::Direct(InstId(inst.0)));
            return result;
        }
        if lookup(name.0).is_empty() {
            let query = all[0].1;
            let methods = self.engine.program.prelude.keys();
            let methods = methods.filter_map(|name| name.strip_prefix("__q_"));
            let methods = methods.map(|name| name.trim_end_matches(char::is_numeric).to_owned());
            let mut known: Vec<String> = methods.collect();
            known.extend(flin_bytecode::library::names().map(str::to_owned));
            self.unknown_name(recv, query, name, known);
            return Set::NEVER;
        }
        let list = self.query_list(expr, entity);
        let cell = self.engine.insts[list.index()].result;
        all[0].1 = self.engine.cells.read(cell);
        let result = self.library_call(expr, name, &all);
        if let Some(inner) = self.engine.insts[self.inst.index()].meaning.remove(&expr) {
            self.mean(expr, Meaning::ViaList(InstId(list.0), 0, Box::new(inner)));
        }
        result
    }

    /// The first range or query where one of the rows takes a list: its place, the instance that makes a list of it, and
    /// the list.
    fn list_instead(
        &mut self,
        expr: ExprId,
        rows: &[LibId],
        args: &[Arg],
    ) -> Option<(usize, InstIx, Set)> {
        for (place, arg) in args.iter().enumerate() {
            let takes_list =
                |row: &LibId| matches!(row.scheme().params.get(place), Some(LibType::List(_)));
            if !rows.iter().any(takes_list) {
                continue;
            }
            if arg.1 == Set::RANGE {
                let func = *self.engine.program.prelude.get("__range_list")?;
                let (inst, list) = self.call_instance(expr, func, &[], &[Set::RANGE]);
                return Some((place, inst, list));
            }
            if let Some(entity) = self.engine.cells.single_query(arg.1) {
                let inst = self.query_list(expr, entity);
                let cell = self.engine.insts[inst.index()].result;
                return Some((place, inst, self.engine.cells.read(cell)));
            }
        }
        None
    }

    /// The prelude function of a query method with that many arguments (the query counts).
    fn query_function(&self, name: &str, count: usize) -> Option<crate::hir::FnId> {
        let prelude = &self.engine.program.prelude;
        let fits = |func: &&crate::hir::FnId| self.engine.function(**func).params.len() == count;
        let plain = prelude.get(&format!("__q_{name}"));
        let counted = prelude.get(&format!("__q_{name}{count}"));
        plain.filter(fits).or(counted.filter(fits)).copied()
    }

    /// An argument of a query method: a bare condition is its lambda, and a lambda takes records of the entity.
    fn query_arg(&mut self, arg: ExprId, entity: EntityIx) -> Set {
        let set = match self.kind(arg) {
            ExprKind::QueryArg { lambda, .. } => {
                let set = self.eval(*lambda);
                self.note(arg, set);
                set
            }
            _ => self.eval(arg),
        };
        if let Some(func) = set.func {
            let record = self.engine.cells.entity(entity);
            let (params, _) = self.engine.cells.func_parts(func);
            self.engine.cells.mark_called(func);
            if self.engine.cells.takes(func).contains(&1)
                && let [param, ..] = params.as_slice()
            {
                self.place(arg);
                self.engine.cells.join(*param, record);
            }
        }
        set
    }

    // ---- rows

    /// Chooses the row for these arguments and applies it.
    pub(super) fn library_call(&mut self, expr: ExprId, name: (&str, Span), args: &[Arg]) -> Set {
        if args.iter().any(|arg| arg.1.is_never()) {
            return Set::NEVER;
        }
        let rows: Vec<LibId> = lookup(name.0)
            .iter()
            .copied()
            .filter(|row| row.scheme().params.len() == args.len())
            .collect();
        if rows.is_empty() {
            self.wrong_count(expr, name, args);
            return Set::NEVER;
        }
        let Some(row) = self.choose(&rows, args) else {
            if self.engine.waiting.contains(&self.inst) && self.engine.patient {
                return Set::NEVER;
            }
            if let Some((place, list, items)) = self.list_instead(expr, &rows, args) {
                let mut args = args.to_vec();
                args[place].1 = items;
                let result = self.library_call(expr, name, &args);
                if let Some(inner) = self.engine.insts[self.inst.index()].meaning.remove(&expr) {
                    self.mean(
                        expr,
                        Meaning::ViaList(InstId(list.0), place as u32, Box::new(inner)),
                    );
                }
                return result;
            }
            self.no_row(expr, name, &rows, args);
            return Set::NEVER;
        };
        let (result, meaning) = self.apply(expr, row, args);
        if let Some(meaning) = meaning {
            self.mean(expr, meaning);
        }
        result
    }
}

/// Whether a function of this name takes a map first: then `m.name(…)` is that function, whatever the map holds.
fn takes_maps(name: &str) -> bool {
    let mut rows = lookup(name).iter();
    rows.any(|row| {
        let first = row.scheme().params.first();
        matches!(
            first,
            Some(LibType::Map(..) | LibType::Any | LibType::Var(_))
        )
    })
}

/// Whether the functions of this name with that many arguments take anything as their first.
fn takes_any(name: &str, count: usize) -> bool {
    let mut rows = lookup(name)
        .iter()
        .filter(|row| row.scheme().params.len() == count)
        .peekable();
    rows.peek().is_some() && rows.all(|row| row.scheme().params[0] == LibType::Any)
}
