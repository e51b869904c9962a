//! Rows of the library table: which one fits a call, and what its type scheme makes of the arguments. Here because the
//! order in which rows are tried is a rule of the language. Must stay true: a type variable is one cell per call.

use flin_bytecode::LibId;
use flin_bytecode::library::{LibBody, LibType};

use crate::hir::ExprId;
use crate::types::{InstId, Meaning};

use super::cells::{CellId, InstIx};
use super::library_calls::Arg;
use super::mismatch::{Inside, Into};
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

impl Walker<'_, '_> {
    pub(super) fn choose(&mut self, rows: &[LibId], args: &[Arg]) -> Option<LibId> {
        let mut fits = Vec::new();
        let mut undecided = false;
        for row in rows {
            let mut worst = Fit::Exact;
            if self.is_for_others(*row, rows, args) {
                worst = Fit::No;
            }
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
        let open = |row: &&LibId| match row.scheme().params.first() {
            Some(LibType::Any | LibType::Var(_)) => true,
            Some(LibType::List(element)) => matches!(**element, LibType::Var(_)),
            Some(_) | None => false,
        };
        possible.iter().find(open).or(possible.first()).copied()
    }

    /// A row that takes anything first stands for values whose type is known only at run time; a value of one known type
    /// that no other row takes is a mistake.
    fn is_for_others(&mut self, row: LibId, rows: &[LibId], args: &[Arg]) -> bool {
        let (Some(LibType::Any), Some(arg)) = (row.scheme().params.first(), args.first()) else {
            return false;
        };
        let set = arg.1;
        let open = set.is_any() || set.has(Set::NONE) || set.tuple.is_some();
        if open || rows.len() == 1 || self.engine.cells.count(set) != 1 {
            return false;
        }
        rows.iter().filter(|other| **other != row).all(|other| {
            let first = &other.scheme().params[0];
            *first != LibType::Any && self.fit(first, set, &mut false) == Fit::No
        })
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
                    enums: None,
                    nominals: 0,
                    ..set
                },
            ),
            LibType::Func(params, _) => {
                let rest = Set { func: None, ..set };
                let (fits, keeps) = self.fit_function(params.len(), set);
                if fits && !keeps && rest.is_never() {
                    return Fit::Widened;
                }
                (fits, rest)
            }
            LibType::Entity => {
                let rest = self
                    .engine
                    .cells
                    .without_nominals(set, |member| matches!(member, Nominal::Entity(_)));
                // Whether it is none is asked at run time, as with fields.
                (rest.nominals != set.nominals, rest.without(Set::NONE))
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

    /// Whether the function can be called with so many arguments, and whether it takes all of them: what has a default
    /// value keeps it where the function can be called without.
    fn fit_function(&mut self, arguments: usize, set: Set) -> (bool, bool) {
        match set.func.map(|func| self.engine.cells.takes(func)) {
            Some(takes) => (takes.contains(&arguments), *takes.start() == arguments),
            None => (false, false),
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
    pub(super) fn apply(
        &mut self,
        expr: ExprId,
        row: LibId,
        args: &[Arg],
    ) -> (Set, Option<Meaning>) {
        let scheme = row.scheme();
        if let LibBody::Prelude(name) = row.row().body {
            let Some(func) = self.engine.program.prelude.get(name).copied() else {
                return (Set::ANY, Some(Meaning::Lib(row)));
            };
            if let Some((list, items)) = self.items_of_any(expr, row, args) {
                let mut args = args.to_vec();
                args[0].1 = items;
                let (result, inner) = self.apply(expr, row, &args);
                let via = |inner| Meaning::ViaList(InstId(list.0), 0, Box::new(inner));
                return (result, inner.map(via));
            }
            let sets: Vec<Set> = scheme.params.iter().zip(args).map(narrowed).collect();
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
            if let LibType::Var(n) = param {
                let into = container_of(*n, &scheme.params, args);
                self.flow(vars[*n as usize], arg.1, arg.0, into);
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

    /// Where a function of the prelude takes a list and is given what is known only at run time: the instance that makes
    /// a list of it, and the list.
    fn items_of_any(&mut self, expr: ExprId, row: LibId, args: &[Arg]) -> Option<(InstIx, Set)> {
        let first = row.scheme().params.first()?;
        if !matches!(first, LibType::List(_)) || !args.first()?.1.is_any() {
            return None;
        }
        let func = *self.engine.program.prelude.get("__items")?;
        Some(self.call_instance(expr, func, &[], &[Set::ANY]))
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
                let cell = self.engine.cells.make_dict(map);
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
            LibType::Entity => {
                // A record of the query's entity, or the same as the record given.
                let first = args.first().map_or(Set::ANY, |arg| arg.1);
                match self.engine.cells.single_query(first) {
                    Some(entity) => self.engine.cells.entity(entity),
                    None => first.without(Set::NONE),
                }
            }
            LibType::Query => args.first().map_or(Set::ANY, |arg| arg.1),
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

/// What of an argument arrives in a function of the prelude: where only some members of its type fit, the others are
/// refused at the call.
fn narrowed((param, arg): (&LibType, &Arg)) -> Set {
    let set = arg.1;
    match param {
        LibType::List(_) if set.list.is_some() => Set {
            list: set.list,
            ..Set::NEVER
        },
        LibType::Map(..) if set.map.is_some() => Set {
            map: set.map,
            ..Set::NEVER
        },
        LibType::Func(..) if set.func.is_some() => Set {
            func: set.func,
            ..Set::NEVER
        },
        _ => set,
    }
}

/// What a value of this type variable goes into: the container among the arguments whose contents it names.
fn container_of(var: u8, params: &[LibType], args: &[Arg]) -> Into {
    let is_var = |ty: &LibType| *ty == LibType::Var(var);
    for (param, arg) in params.iter().zip(args) {
        match param {
            LibType::List(inner) if is_var(inner) => return Into::Inside(arg.0, Inside::Elements),
            LibType::Map(key, _) if is_var(key) => return Into::Inside(arg.0, Inside::Keys),
            LibType::Map(_, value) if is_var(value) => return Into::Inside(arg.0, Inside::Values),
            _ => {}
        }
    }
    Into::Argument
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
