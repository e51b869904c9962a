//! Calls of library functions, as `f(x)` and as `x.f()`: which row of the library table a call means, and what its type
//! scheme makes of the arguments. Here because the table is the only list of what there is. Must stay true: a type
//! variable is one cell per call, so a native function that returns a list of its argument's elements returns a list
//! with the very same element type.

use flin_bytecode::LibId;
use flin_bytecode::library::{LibBody, LibType, lookup};
use flin_syntax::Span;

use crate::hir::{EntityIx, ExprId, ExprKind};
use crate::types::{InstId, Meaning};

use super::cells::CellId;
use super::report::Into;
use super::set::{Nominal, Set};
use super::walk::Walker;

/// How well a value fits a parameter, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    No,
    /// Some members fit, or it is known only at run time.
    Maybe,
    /// The row takes anything here; a row that names the type is better.
    Open,
    /// After widening int to float.
    Widened,
    Exact,
}

/// An argument: where it stands and its type. The receiver of a method is the first one.
pub(super) type Arg = (ExprId, Set);

impl Walker<'_, '_> {
    pub(super) fn call_lib(&mut self, expr: ExprId, name: &str, args: &[ExprId]) -> Set {
        if let Some((first, rest)) = args.split_first() {
            let set = self.eval(*first);
            if let Some(entity) = self.engine.cells.single_query(set)
                && !name.starts_with("__")
                && !takes_any(name, args.len())
            {
                return self.query_method(expr, *first, entity, (name, self.span(expr)), rest);
            }
        }
        let (sets, _) = self.eval_all(args);
        if let Some(set) = self.query_intrinsic(name, &sets) {
            return set;
        }
        let args: Vec<Arg> = args.iter().copied().zip(sets).collect();
        self.library_call(expr, (name, self.span(expr)), &args)
    }

    /// `__query_scan(q)` is an op: the records of the entity.
    fn query_intrinsic(&mut self, name: &str, sets: &[Set]) -> Option<Set> {
        if name != "__query_scan" {
            return None;
        }
        let entity = sets
            .first()
            .and_then(|set| self.engine.cells.single_query(*set));
        let Some(entity) = entity else {
            return Some(Set::NEVER);
        };
        let at = self.function.body;
        let cell = self.site_cell(at, 200);
        let set = self.engine.cells.entity(entity);
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
            super::cells::MapKind::Dict(value, _) if lookup(name).is_empty() => Some(value),
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
        let known = flin_bytecode::library::names().map(str::to_owned).collect();
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
        if let Some(func) = self.query_function(name.0, all.len()) {
            let (inst, result) = self.call_instance(expr, func, args, &sets);
            self.mean(expr, Meaning::Direct(InstId(inst.0)));
            return result;
        }
        if lookup(name.0).is_empty() {
            let query = all[0].1;
            let known = flin_bytecode::library::names().map(str::to_owned).collect();
            self.unknown_name(recv, query, name, known);
            return Set::NEVER;
        }
        let list = self.query_list(expr, entity);
        let cell = self.engine.insts[list.index()].result;
        all[0].1 = self.engine.cells.read(cell);
        let result = self.library_call(expr, name, &all);
        if let Some(inner) = self.engine.insts[self.inst.index()].meaning.remove(&expr) {
            self.mean(expr, Meaning::ViaList(InstId(list.0), Box::new(inner)));
        }
        result
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
            if let [param] = params.as_slice() {
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
            self.no_row(expr, name, &rows, args);
            return Set::NEVER;
        };
        let (result, meaning) = self.apply(expr, row, args);
        if let Some(meaning) = meaning {
            self.mean(expr, meaning);
        }
        result
    }

    fn choose(&mut self, rows: &[LibId], args: &[Arg]) -> Option<LibId> {
        let mut fits = Vec::new();
        let mut undecided = false;
        for row in rows {
            let mut worst = Fit::Exact;
            for (param, arg) in row.scheme().params.iter().zip(args) {
                worst = worst.min(self.fit(param, arg.1, &mut undecided));
            }
            fits.push((worst, *row));
        }
        if undecided && rows.len() > 1 && self.engine.patient {
            self.engine.waiting.insert(self.inst);
            return None;
        }
        for wanted in [Fit::Exact, Fit::Widened, Fit::Open] {
            if let Some((_, row)) = fits.iter().find(|(fit, _)| *fit == wanted) {
                return Some(*row);
            }
        }
        let possible: Vec<LibId> = fits
            .iter()
            .filter(|(fit, _)| *fit == Fit::Maybe)
            .map(|(_, row)| *row)
            .collect();
        let open = |row: &&LibId| {
            matches!(
                row.scheme().params.first(),
                Some(LibType::Any | LibType::Var(_))
            )
        };
        possible.iter().find(open).or(possible.first()).copied()
    }

    fn fit(&mut self, ty: &LibType, set: Set, undecided: &mut bool) -> Fit {
        let set = self.engine.cells.norm(set);
        if matches!(ty, LibType::Any | LibType::Var(_)) {
            return Fit::Open;
        }
        if set.is_any() {
            return Fit::Maybe;
        }
        let (has, rest) = match ty {
            LibType::Optional(inner) => {
                let rest = set.without(Set::NONE);
                return if rest.is_never() {
                    Fit::Exact
                } else {
                    self.fit(inner, rest, undecided)
                };
            }
            LibType::Union(members) => {
                let best = members
                    .iter()
                    .map(|member| self.fit(member, set, undecided))
                    .max();
                return best.unwrap_or(Fit::No);
            }
            LibType::Float if set == Set::INT => return Fit::Widened,
            LibType::Float => (set.has(Set::NUMBER), set.without(Set::FLOAT)),
            LibType::List(inner) => {
                let fits = match set.list {
                    Some(element) => self.fit_element(inner, element, undecided),
                    None => false,
                };
                (fits, Set { list: None, ..set })
            }
            LibType::Map(..) => (set.map.is_some(), Set { map: None, ..set }),
            LibType::Tuple(_) => (set.tuple.is_some(), Set { tuple: None, ..set }),
            LibType::Opaque => (
                set.tuple.is_some() || set.nominals != 0,
                Set {
                    tuple: None,
                    nominals: 0,
                    ..set
                },
            ),
            LibType::Func(params, _) => {
                let fits = set
                    .func
                    .is_some_and(|func| self.engine.cells.func_parts(func).0.len() == params.len());
                (fits, Set { func: None, ..set })
            }
            LibType::Entity => {
                let rest = self
                    .engine
                    .cells
                    .without_nominals(set, |member| matches!(member, Nominal::Entity(_)));
                (rest.nominals != set.nominals, rest)
            }
            LibType::Query => {
                let rest = self
                    .engine
                    .cells
                    .without_nominals(set, |member| matches!(member, Nominal::Query(_)));
                (rest.nominals != set.nominals, rest)
            }
            other => {
                let scalar = scalar_of(other);
                (set.has(scalar), set.without(scalar))
            }
        };
        match (has, rest.is_never()) {
            (false, _) => Fit::No,
            (true, true) => Fit::Exact,
            (true, false) => Fit::Maybe,
        }
    }

    fn fit_element(&mut self, inner: &LibType, element: CellId, undecided: &mut bool) -> bool {
        if matches!(inner, LibType::Any | LibType::Var(_)) {
            return true;
        }
        let held = self.engine.cells.read(element);
        if held.is_never() {
            *undecided = true;
            return true;
        }
        self.fit(inner, held, undecided) == Fit::Exact
    }

    /// Lets the arguments flow into the row's parameters; gives the result type and what the call means.
    fn apply(&mut self, expr: ExprId, row: LibId, args: &[Arg]) -> (Set, Option<Meaning>) {
        let scheme = row.scheme();
        if let LibBody::Prelude(name) = row.row().body {
            let Some(func) = self.engine.program.prelude.get(name).copied() else {
                return (Set::ANY, Some(Meaning::Lib(row)));
            };
            let sets: Vec<Set> = args.iter().map(|arg| arg.1).collect();
            let exprs: Vec<ExprId> = args.iter().map(|arg| arg.0).collect();
            let (inst, result) = self.call_instance(expr, func, &exprs, &sets);
            return (result, Some(Meaning::Direct(InstId(inst.0))));
        }
        let vars: Vec<CellId> = (0..scheme.vars.len())
            .map(|n| self.site_cell(expr, 100 + n as u8))
            .collect();
        // Containers first: they decide the variables' cells; then what is put into them.
        for (param, arg) in scheme.params.iter().zip(args) {
            if !matches!(param, LibType::Var(_)) {
                self.bind(param, *arg, &vars);
            }
        }
        for (param, arg) in scheme.params.iter().zip(args) {
            if matches!(param, LibType::Var(_)) {
                self.bind(param, *arg, &vars);
            }
        }
        if scheme.result == LibType::Any {
            for (param, arg) in scheme.params.iter().zip(args) {
                if *param == LibType::Any {
                    self.engine.cells.escape(arg.1);
                }
            }
        }
        let mut n = 0;
        let result = self.instantiate(expr, &scheme.result, &vars, args, &mut n);
        if scheme.result == LibType::Never {
            self.dead = true;
        }
        let meaning = match row.row().body {
            LibBody::Inline(_) => Meaning::LibOp(row),
            LibBody::Native(_) | LibBody::Prelude(_) => Meaning::Lib(row),
        };
        (result, Some(meaning))
    }

    fn bind(&mut self, param: &LibType, arg: Arg, vars: &[CellId]) {
        let set = self.engine.cells.norm(arg.1);
        match param {
            LibType::Var(n) => self.flow(vars[*n as usize], set, arg.0, Into::Argument),
            LibType::Optional(inner) => self.bind(inner, (arg.0, set.without(Set::NONE)), vars),
            LibType::Union(members) => {
                for member in members {
                    self.bind(member, arg, vars);
                }
            }
            LibType::List(inner) if set.is_any() => self.bind(inner, (arg.0, Set::ANY), vars),
            LibType::List(inner) => {
                let Some(element) = set.list else { return };
                match &**inner {
                    LibType::Var(n) => self.engine.cells.unify(vars[*n as usize], element),
                    inner => {
                        let held = self.engine.cells.read(element);
                        self.bind(inner, (arg.0, held), vars);
                    }
                }
            }
            LibType::Map(key, value) if set.is_any() => {
                self.bind(key, (arg.0, Set::ANY), vars);
                self.bind(value, (arg.0, Set::ANY), vars);
            }
            LibType::Map(key, value) => {
                let Some(map) = set.map else { return };
                let cell = self.engine.cells.to_dict(map);
                if let LibType::Var(n) = **key {
                    let key = self.engine.cells.dict_key(map);
                    self.engine.cells.unify(vars[n as usize], key);
                }
                if let LibType::Var(n) = **value {
                    self.engine.cells.unify(vars[n as usize], cell);
                }
            }
            LibType::Tuple(items) => {
                let Some(tuple) = set.tuple else {
                    for item in items {
                        self.bind(
                            item,
                            (arg.0, if set.is_any() { Set::ANY } else { Set::NEVER }),
                            vars,
                        );
                    }
                    return;
                };
                let cells = self.engine.cells.tuple_items(tuple);
                for (item, cell) in items.iter().zip(cells.iter()) {
                    match item {
                        LibType::Var(n) => self.engine.cells.unify(vars[*n as usize], *cell),
                        other => {
                            let held = self.engine.cells.read(*cell);
                            self.bind(other, (arg.0, held), vars);
                        }
                    }
                }
            }
            LibType::Any
            | LibType::None
            | LibType::Never
            | LibType::Bool
            | LibType::Int
            | LibType::Float
            | LibType::Text
            | LibType::Time
            | LibType::Duration
            | LibType::Range
            | LibType::Error
            | LibType::Response
            | LibType::Entity
            | LibType::Query
            | LibType::Opaque
            | LibType::Func(..) => {}
        }
    }

    /// The result type with the variables filled in. `n` numbers the containers of the result.
    fn instantiate(
        &mut self,
        expr: ExprId,
        ty: &LibType,
        vars: &[CellId],
        args: &[Arg],
        n: &mut u8,
    ) -> Set {
        match ty {
            LibType::Any | LibType::Opaque | LibType::Func(..) => Set::ANY,
            LibType::Never => Set::NEVER,
            LibType::Var(v) => self.engine.cells.read(vars[*v as usize]),
            LibType::Optional(inner) => {
                self.instantiate(expr, inner, vars, args, n).plus(Set::NONE)
            }
            LibType::Union(members) => {
                let mut set = Set::NEVER;
                for member in members {
                    let member = self.instantiate(expr, member, vars, args, n);
                    set = self.engine.cells.join_sets(set, member);
                }
                set
            }
            LibType::List(inner) => {
                let cell = self.result_cell(expr, inner, vars, args, n);
                Set::list(self.engine.cells.find(cell))
            }
            LibType::Map(key, value) => {
                let at = *n;
                let cell = self.result_cell(expr, value, vars, args, n);
                let key = self.result_cell(expr, key, vars, args, n);
                let sites = &self.engine.insts[self.inst.index()].sites;
                let known = sites.maps.get(&(expr, 100 + at)).copied();
                let node = known.unwrap_or_else(|| self.engine.cells.dict(cell, key));
                self.engine.insts[self.inst.index()]
                    .sites
                    .maps
                    .insert((expr, 100 + at), node);
                self.engine.cells.norm(Set::map(node))
            }
            LibType::Tuple(items) => {
                let at = *n;
                *n += 1;
                let known = self.engine.insts[self.inst.index()]
                    .sites
                    .tuples
                    .get(&(expr, 100 + at))
                    .copied();
                let cells: Vec<CellId> = items
                    .iter()
                    .map(|item| self.result_cell(expr, item, vars, args, n))
                    .collect();
                let node = known.unwrap_or_else(|| self.engine.cells.tuple_node(cells));
                self.engine.insts[self.inst.index()]
                    .sites
                    .tuples
                    .insert((expr, 100 + at), node);
                self.engine.cells.norm(Set::tuple(node))
            }
            LibType::Entity | LibType::Query => args.first().map_or(Set::ANY, |arg| arg.1),
            other => scalar_of(other),
        }
    }

    fn result_cell(
        &mut self,
        expr: ExprId,
        ty: &LibType,
        vars: &[CellId],
        args: &[Arg],
        n: &mut u8,
    ) -> CellId {
        if let LibType::Var(v) = ty {
            return vars[*v as usize];
        }
        let cell = self.site_cell(expr, 150 + *n);
        *n += 1;
        let set = self.instantiate(expr, ty, vars, args, n);
        self.engine.cells.join(cell, set);
        cell
    }
}

/// Whether the functions of this name with that many arguments take anything as their first.
fn takes_any(name: &str, count: usize) -> bool {
    let mut rows = lookup(name)
        .iter()
        .filter(|row| row.scheme().params.len() == count)
        .peekable();
    rows.peek().is_some() && rows.all(|row| row.scheme().params[0] == LibType::Any)
}

/// The set of a scalar type of a scheme.
pub(super) fn scalar_of(ty: &LibType) -> Set {
    match ty {
        LibType::None => Set::NONE,
        LibType::Bool => Set::BOOL,
        LibType::Int => Set::INT,
        LibType::Float => Set::FLOAT,
        LibType::Text => Set::TEXT,
        LibType::Time => Set::TIME,
        LibType::Duration => Set::DURATION,
        LibType::Range => Set::RANGE,
        LibType::Error => Set::ERROR,
        LibType::Response => Set::RESPONSE,
        LibType::Any
        | LibType::Never
        | LibType::Entity
        | LibType::Query
        | LibType::Opaque
        | LibType::Var(_)
        | LibType::List(_)
        | LibType::Map(..)
        | LibType::Tuple(_)
        | LibType::Func(..)
        | LibType::Optional(_)
        | LibType::Union(_) => Set::NEVER,
    }
}
