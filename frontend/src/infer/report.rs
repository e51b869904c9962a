//! Messages about types. Here because they need the words for types and the places where a type came from, and because
//! the walk itself should read as rules. Must stay true: outside of the checking pass nothing is said; each message tells
//! what was expected, what was found and where it came from; a value whose making was reported already is silent.

use flin_bytecode::LibId;
use flin_bytecode::library::{LIBRARY, LibBody, LibRow, LibType};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{BinOp, ExprId, ExprKind, FnId, TypeAnn};
use crate::near::{from_elsewhere, nearest};

use super::cells::{FuncNodeId, MapKind, MapNodeId};
use super::library_calls::Arg;
use super::set::{Nominal, Set};
use super::walk::Walker;
use super::words::{counted_range, either, param_words, sign};

/// More messages than this are not collected; far fewer are shown.
const DIAGNOSTICS_MAX: usize = 500;

/// Where a value that is only none comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Nothing {
    /// Here a variable gets it.
    Place(Span),
    /// This function gives it.
    Function(FnId),
}

impl Walker<'_, '_> {
    pub(super) fn report(&mut self, at: ExprId, make: impl FnOnce(&mut Self, Span) -> Diagnostic) {
        let enough = |all: &Vec<Diagnostic>| all.len() >= DIAGNOSTICS_MAX;
        if self.engine.diagnostics.as_ref().is_none_or(enough) || self.env.is_impossible() {
            return;
        }
        let span = self.blame(at);
        let mut diagnostic = make(self, span);
        if let Some(row) = self.row_around() {
            let (name, scheme) = (row.name, row.scheme_text);
            // What only the prelude knows is not named.
            let title = diagnostic.title.strip_prefix("`__");
            diagnostic.title = match title.and_then(|rest| rest.split_once("` ")) {
                Some((_, rest)) => format!("`{name}` {rest}"),
                None => format!("in `{name}`: {}", diagnostic.title),
            };
            diagnostic.labels.truncate(1);
            diagnostic = diagnostic
                .label("what is given here does not fit")
                .hint(format!("`{name}` is `{scheme}`"));
        }
        let follows = diagnostic.is_error() && self.was_told_of_nothing(at);
        if let Some(all) = &mut self.engine.diagnostics
            && !follows
            && !all
                .iter()
                .any(|known| known.code == diagnostic.code && known.span() == diagnostic.span())
        {
            all.push(diagnostic);
        }
    }

    /// Whether an operand is only none, and that was told at another use: one mistake, such as a function that forgets its
    /// result, is one message.
    fn was_told_of_nothing(&mut self, at: ExprId) -> bool {
        if self.function.from_prelude {
            return false;
        }
        let operands = match self.kind(at) {
            ExprKind::Binary(_, a, b) | ExprKind::In(a, b) => [*a, *b],
            _other => [at, at],
        };
        let mut sources: Vec<Nothing> = Vec::new();
        for operand in operands {
            if self.engine.cells.norm(self.value_of(operand)) == Set::NONE
                && let Some(source) = self.source_of_nothing(operand)
                && !sources.contains(&source)
            {
                sources.push(source);
            }
        }
        let told = |source: &Nothing| self.engine.nothing_told.contains(source);
        let follows = sources.iter().any(told);
        self.engine.nothing_told.extend(sources);
        follows
    }

    /// Where the none that an expression gives comes from, if that may be used at several places.
    fn source_of_nothing(&mut self, expr: ExprId) -> Option<Nothing> {
        let cell = match self.kind(expr) {
            ExprKind::CallFn(func, _) => return Some(Nothing::Function(*func)),
            ExprKind::Local(local) => {
                let first = self.function.exprs.iter().find_map(|it| match &it.kind {
                    ExprKind::Let(declared, Some(value)) if declared == local => Some(*value),
                    _other => None,
                });
                if let Some(value) = first
                    && let ExprKind::CallFn(func, _) = self.kind(value)
                {
                    return Some(Nothing::Function(*func));
                }
                self.locals[local.index()]
            }
            ExprKind::Global(global) => self.engine.globals[global.index()],
            _other => return None,
        };
        let origins = self.engine.cells.origins(cell);
        let of_none = origins.into_iter().find(|origin| origin.0 == Set::NONE);
        of_none.map(|origin| Nothing::Place(origin.1))
    }

    /// Inside of the prelude: the row of the library whose body the program called.
    fn row_around(&self) -> Option<&'static LibRow> {
        let mut inst = self.inst;
        for _ in 0..64 {
            let function = self.engine.function(self.engine.insts[inst.index()].func);
            let (caller, _) = self.engine.insts[inst.index()].called_from?;
            let outer = self.engine.insts[caller.index()].func;
            if function.from_prelude && !self.engine.function(outer).from_prelude {
                return LIBRARY.iter().find(
                    |row| matches!(row.body, LibBody::Prelude(body) if body == function.name),
                );
            }
            inst = caller;
        }
        None
    }

    /// The place of an expression; for prelude code the call of the program that led there.
    pub(super) fn blame(&self, at: ExprId) -> Span {
        let (mut inst, mut at) = (self.inst, at);
        for _ in 0..64 {
            let function = self.engine.function(self.engine.insts[inst.index()].func);
            if !function.from_prelude {
                return function.exprs[at.index()].span;
            }
            match self.engine.insts[inst.index()].called_from {
                Some((caller, call)) => (inst, at) = (caller, call),
                None => break,
            }
        }
        self.span(at)
    }

    /// Says where the type of a variable came from.
    pub(super) fn with_origins(
        &mut self,
        mut diagnostic: Diagnostic,
        expr: ExprId,
        set: Set,
    ) -> Diagnostic {
        let (cell, name) = match self.kind(expr) {
            ExprKind::Local(local) => (
                self.locals[local.index()],
                self.function.locals[local.index()].name.clone(),
            ),
            ExprKind::Global(global) => (
                self.engine.globals[global.index()],
                self.engine.program.globals[global.index()].name.clone(),
            ),
            _ => return diagnostic,
        };
        if name.is_empty() {
            return diagnostic;
        }
        let wanted = self.engine.cells.members(set);
        let mut places: Vec<(Span, Set)> = Vec::new();
        for (member, place) in self.engine.cells.origins(cell) {
            let member = self.engine.cells.norm(member);
            if !wanted.contains(&member) || self.function.from_prelude {
                continue;
            }
            match places.iter_mut().find(|known| known.0 == place) {
                Some(known) => known.1 = self.engine.cells.join_sets(known.1, member),
                None => places.push((place, member)),
            }
        }
        for (place, members) in places {
            let words = self.words(members);
            diagnostic = diagnostic.also(place, format!("`{name}` is {words} because of this"));
        }
        diagnostic
    }

    pub(super) fn expected(&mut self, at: ExprId, wanted: &str, found: Set) {
        self.report(at, |walker, span| {
            let words = walker.words(found);
            let diagnostic = Diagnostic::error(
                Code::WrongType,
                span,
                format!("expected {wanted}, found {words}"),
            )
            .label(format!("this is {words}"));
            walker.with_origins(diagnostic, at, found)
        });
    }

    pub(super) fn bad_operands(
        &mut self,
        expr: ExprId,
        op: BinOp,
        a: (ExprId, Set),
        b: (ExprId, Set),
    ) {
        self.report(expr, |walker, span| {
            let (left, right) = (walker.words(a.1), walker.words(b.1));
            let sign = sign(op);
            let title = format!("`{sign}` does not work between {left} and {right}");
            let mut diagnostic = Diagnostic::error(Code::BadOperands, span, title);
            if !walker.function.from_prelude {
                diagnostic = diagnostic
                    .also(walker.span(a.0), format!("this is {left}"))
                    .also(walker.span(b.0), format!("this is {right}"));
                diagnostic = walker.with_origins(diagnostic, a.0, a.1);
                diagnostic = walker.with_origins(diagnostic, b.0, b.1);
            }
            let hint = match (a.1, b.1) {
                (Set::TEXT, other) | (other, Set::TEXT) if other.has(Set::NUMBER) => {
                    "turn the text into a number with `.to_int` or `.to_float`, or the number into a text with `.to_text`"
                }
                (Set::NONE, _) | (_, Set::NONE) => "give it a value first, or use `?:` for a value to take instead of none",
                _ => "both sides must be of types that belong together",
            };
            diagnostic.hint(hint)
        });
    }

    /// A warning; not in functions that are used with several types, where another use may need the comparison.
    pub(super) fn never_equal(
        &mut self,
        expr: ExprId,
        op: BinOp,
        a: (ExprId, Set),
        b: (ExprId, Set),
    ) {
        if self.is_one_of_several() {
            return;
        }
        self.report(expr, |walker, span| {
            let (left, right) = (walker.words(a.1), walker.words(b.1));
            let outcome = if op == BinOp::Eq { "never" } else { "always" };
            let title = format!("{left} and {right} are never equal: this is {outcome} true");
            let both = a.1.only(a.1).plus(b.1.only(b.1));
            let entity = walker
                .engine
                .cells
                .single_entity(a.1)
                .or(walker.engine.cells.single_entity(b.1));
            let diagnostic = Diagnostic::warning(Code::NeverEqual, span, title)
                .also(walker.span(a.0), format!("this is {left}"))
                .also(walker.span(b.0), format!("this is {right}"));
            let hint = match entity {
                Some(_) if both.has(Set::INT) => "compare the `.id` of the record",
                Some(_) => "compare a field of the record",
                None if a.1.nominals != 0 || b.1.nominals != 0 => {
                    return diagnostic.hint(walker.variant_instead(a, b));
                }
                None if both.has(Set::TEXT) && both.has(Set::NUMBER) => {
                    "turn one into the other with `.to_text`, `.to_int` or `.to_float`"
                }
                None => "compare values of the same type",
            };
            diagnostic.hint(hint)
        });
    }

    /// A warning about a key that no map here has and that is nearly one they have; not in functions that are used with
    /// several types, where another use may have the key.
    pub(super) fn absent_key(&mut self, recv: ExprId, map: MapNodeId, name: (&str, Span)) {
        if self.engine.diagnostics.is_none() {
            return;
        }
        let MapKind::Record(fields) = self.engine.cells.map_kind(map) else {
            return;
        };
        let Some(near) = nearest(name.0, fields.iter().map(|field| &*field.0)) else {
            return;
        };
        let near = near.to_owned();
        if self.is_one_of_several() {
            return;
        }
        self.report(recv, |walker, _| {
            let words = walker.words(Set::map(map));
            let title = format!("{words} has no key `{}`: this is always none", name.0);
            Diagnostic::warning(Code::AbsentKey, name.1, title)
                .also(walker.span(recv), format!("this is {words}"))
                .hint(format!("did you mean `{near}`?"))
        });
    }

    /// A warning about `map.len`: on a map that is a key, and no map of the program has it. Whether it was one of these.
    pub(super) fn method_as_key(
        &mut self,
        recv: ExprId,
        map: MapNodeId,
        name: (&str, Span),
    ) -> bool {
        if self.engine.diagnostics.is_none() || self.function.from_prelude || self.dead {
            return false;
        }
        let of_maps = |row: &LibId| {
            let params = &row.scheme().params;
            params.len() == 1 && matches!(params[0], LibType::Map(..))
        };
        let rows = flin_bytecode::library::lookup(name.0);
        if !rows.iter().any(of_maps) || self.engine.shared.writes_key(name.0) {
            return false;
        }
        self.report(recv, |walker, _| {
            let words = walker.words(Set::map(map));
            let title = format!("on a map `.{0}` is the key `{0}`, not the method", name.0);
            Diagnostic::warning(Code::AbsentKey, name.1, title)
                .also(walker.span(recv), format!("this is {words}"))
                .hint(format!(
                    "write `.{}()`; for the key `[\"{}\"]` says so",
                    name.0, name.0
                ))
        });
        true
    }

    /// Whether the function has several copies, or is looked at in the prelude or where nothing comes.
    fn is_one_of_several(&self) -> bool {
        let copies = self
            .engine
            .insts
            .iter()
            .filter(|inst| inst.func == self.fid);
        self.function.from_prelude || self.dead || copies.count() > 1
    }

    /// Which variant to write where a text stands.
    fn variant_instead(&self, a: (ExprId, Set), b: (ExprId, Set)) -> String {
        let cells = &self.engine.cells;
        let nominals = cells.nominals(a.1).iter().chain(cells.nominals(b.1));
        let mut enums = nominals.filter_map(|member| match member {
            Nominal::Enum(def) => Some(&self.engine.program.enums[def.index()]),
            Nominal::Entity(_) | Nominal::Query(_) => None,
        });
        let Some(def) = enums.next() else {
            return "compare values of the same type".to_owned();
        };
        let text = [a.0, b.0].into_iter().find_map(|at| match self.kind(at) {
            ExprKind::Text(text) => Some(text),
            _ => None,
        });
        let named = |(name, _): &&(String, Vec<TypeAnn>)| {
            text.is_some_and(|text| text.eq_ignore_ascii_case(name))
        };
        match (def.variants.iter().find(named), def.variants.first()) {
            (Some((name, _)), _) => format!("write `{}.{name}`", def.name),
            (None, Some((name, _))) => {
                format!(
                    "write the variant with its enum, such as `{}.{name}`",
                    def.name
                )
            }
            (None, None) => format!("`{}` has no variants", def.name),
        }
    }

    // ---- calls

    pub(super) fn not_callable(&mut self, callee: ExprId, set: Set) {
        self.report(callee, |walker, span| {
            let words = walker.words(set);
            let diagnostic =
                Diagnostic::error(Code::NotCallable, span, format!("{words} cannot be called"))
                    .label(format!("this is {words}, not a function"));
            walker.with_origins(diagnostic, callee, set)
        });
    }

    pub(super) fn wrong_arity_of_value(&mut self, expr: ExprId, func: FuncNodeId, given: usize) {
        let takes = counted_range(self.engine.cells.takes(func), "argument");
        let targets = self.engine.cells.func_targets(func);
        self.report(expr, |walker, span| {
            let title = format!("this function takes {takes}, but is called with {given}");
            let mut diagnostic = Diagnostic::error(Code::WrongArgumentCount, span, title);
            for target in targets {
                let function = walker
                    .engine
                    .function(walker.engine.insts[target.index()].func);
                if !function.from_prelude {
                    diagnostic = diagnostic.also(function.span, "the function is made here");
                }
            }
            diagnostic.hint(format!("call it with {takes}"))
        });
    }

    pub(super) fn wrong_count(&mut self, expr: ExprId, name: (&str, Span), args: &[Arg]) {
        let mut counts: Vec<usize> = flin_bytecode::library::lookup(name.0)
            .iter()
            .map(|row| row.scheme().params.len())
            .collect();
        counts.sort_unstable();
        counts.dedup();
        let is_method = matches!(
            self.kind(expr),
            ExprKind::Method { .. } | ExprKind::Field { .. }
        );
        let less = usize::from(is_method);
        let wanted: Vec<String> = counts
            .iter()
            .filter(|n| **n >= less)
            .map(|n| (n - less).to_string())
            .collect();
        let given = args.len() - less.min(args.len());
        self.report(expr, |_, span| {
            let title = format!(
                "`{}` takes {} {}, not {given}",
                name.0,
                either(&wanted),
                if wanted == ["1"] {
                    "argument"
                } else {
                    "arguments"
                }
            );
            Diagnostic::error(Code::WrongArguments, span, title).label("called here")
        });
    }

    /// No row of the library takes these arguments.
    pub(super) fn no_row(
        &mut self,
        expr: ExprId,
        name: (&str, Span),
        rows: &[LibId],
        args: &[Arg],
    ) {
        // Rows for values whose type is known only at run time say nothing about this one.
        let known: Vec<LibId> = rows
            .iter()
            .copied()
            .filter(|row| row.scheme().params.first() != Some(&LibType::Any))
            .collect();
        let rows = if known.is_empty() || args[0].1.is_any() {
            rows
        } else {
            &known
        };
        self.report(expr, |walker, span| {
            let blamed = rows
                .iter()
                .filter_map(|row| {
                    let params = row.scheme().params.iter();
                    params
                        .zip(args)
                        .position(|(param, arg)| !walker.could_fit(param, arg.1))
                })
                .max()
                .unwrap_or(0);
            let arg = args[blamed.min(args.len() - 1)];
            let found = walker.words(arg.1);
            let mut wanted: Vec<String> = Vec::new();
            for row in rows {
                if rows.len() > 1 && row.scheme().params[blamed] == LibType::Any {
                    continue;
                }
                let words = param_words(&row.scheme().params[blamed]);
                let earlier = row.scheme().params[..blamed]
                    .iter()
                    .zip(args)
                    .all(|(param, arg)| walker.could_fit(param, arg.1));
                if earlier && !wanted.contains(&words) {
                    wanted.push(words);
                }
            }
            if wanted.iter().any(|words| words == "a number") {
                wanted.retain(|words| words != "int");
            }
            let title = format!("`{}` needs {}, not {found}", name.0, either(&wanted));
            let place = if walker.function.from_prelude {
                span
            } else {
                walker.span(arg.0)
            };
            let wants_function =
                |row: &LibId| matches!(row.scheme().params[blamed], LibType::Func(..));
            let lambda_missing = rows.iter().all(wants_function) && arg.1.func.is_none();
            // `people.where(age > 30)`: a condition that is not asked for each element.
            let code = if lambda_missing && arg.1 == Set::BOOL {
                Code::QueryArgument
            } else {
                Code::WrongType
            };
            let mut diagnostic =
                Diagnostic::error(code, place, title).label(format!("this is {found}"));
            if let Some(hint) = walker.instead_of(name.0, rows, blamed, args) {
                diagnostic = diagnostic.hint(hint);
            } else if lambda_missing {
                diagnostic = diagnostic.hint("write a lambda: `x => …`");
            }
            walker.with_origins(diagnostic, arg.0, arg.1)
        });
    }

    /// What was meant by a call that no row takes, if it looks like a habit from elsewhere.
    fn instead_of(
        &mut self,
        name: &str,
        rows: &[LibId],
        blamed: usize,
        args: &[Arg],
    ) -> Option<String> {
        let first = args[0].1;
        let takes_lists = |row: &LibId| matches!(row.scheme().params[0], LibType::List(_));
        if blamed == 0 && first == Set::TEXT && rows.iter().any(takes_lists) {
            return Some(format!(
                "`.chars` makes a list of its characters: `.chars.{name}(…)`"
            ));
        }
        let func = args.get(1)?.1.func;
        let by_one = |row: &LibId| matches!(row.scheme().params.get(1), Some(LibType::Func(of, _)) if of.len() == 1);
        if name == "sort_by"
            && let Some(func) = func
            && *self.engine.cells.takes(func).start() == 2
            && rows.iter().any(by_one)
        {
            let hint = "`sort_by` asks each element for what it goes by; to compare two write `sort((a, b) => …)`";
            return Some(hint.to_owned());
        }
        let start_first =
            |row: &LibId| matches!(row.scheme().params.get(2), Some(LibType::Func(..)));
        if func.is_some() && args.len() == 3 && rows.iter().any(start_first) {
            return Some(format!(
                "the start stands before the function: `{name}(start, (sum, x) => …)`"
            ));
        }
        None
    }

    fn could_fit(&mut self, param: &LibType, set: Set) -> bool {
        match param {
            LibType::Any | LibType::Var(_) => true,
            _ if set.is_any() => true,
            LibType::List(_) => set.list.is_some(),
            LibType::Map(..) => set.map.is_some(),
            LibType::Func(params, _) => set
                .func
                .is_some_and(|func| self.engine.cells.takes(func).contains(&params.len())),
            LibType::Tuple(_) => set.tuple.is_some(),
            LibType::Optional(inner) => set.has(Set::NONE) || self.could_fit(inner, set),
            LibType::Union(members) => members.iter().any(|member| self.could_fit(member, set)),
            LibType::Float => set.has(Set::NUMBER),
            LibType::Entity | LibType::Query | LibType::Opaque => {
                set.nominals != 0 || set.tuple.is_some()
            }
            other => set.has(super::rows::scalar_of(other)),
        }
    }

    // ---- fields and elements

    /// No member of the receiver has a field or method of this name.
    pub(super) fn unknown_name(
        &mut self,
        recv: ExprId,
        set: Set,
        name: (&str, Span),
        known: Vec<String>,
    ) {
        self.report(recv, |walker, span| {
            let words = walker.words(set);
            let entity = walker.engine.cells.single_entity(set).is_some();
            let (code, what) = if entity {
                (Code::NoSuchField, "field")
            } else {
                (Code::NoSuchMethod, "method or field")
            };
            let place = if walker.function.from_prelude {
                span
            } else {
                name.1
            };
            let mut diagnostic =
                Diagnostic::error(code, place, format!("{words} has no {what} `{}`", name.0))
                    .label("not known here");
            if !walker.function.from_prelude {
                diagnostic = diagnostic.also(walker.span(recv), format!("this is {words}"));
            }
            if set.only(set) == set {
                diagnostic = walker.with_origins(diagnostic, recv, set);
            }
            if let Some(words) = walker.statement_instead(set, name.0) {
                return diagnostic.hint(words);
            }
            let elsewhere = from_elsewhere(name.0, &known);
            match elsewhere.or_else(|| nearest(name.0, known.iter().map(String::as_str))) {
                Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
                None if entity => diagnostic.hint(format!("the fields are {}", known.join(", "))),
                None if set == Set::NONE && walker.is_more(recv) => diagnostic.hint(
                    "a test around this place leaves only none; did you mean the other branch?",
                ),
                None if set == Set::NONE => diagnostic.hint(format!(
                    "give it a value first; where none is allowed write `?.{}`",
                    name.0
                )),
                None => diagnostic,
            }
        });
    }

    /// What is a method of records elsewhere, and a statement here.
    fn statement_instead(&self, set: Set, name: &str) -> Option<String> {
        let cells = &self.engine.cells;
        let known = set.without(Set::NONE);
        if let Some(entity) = cells.single_query(known) {
            let entity = &self.engine.program.entities[entity.index()].name;
            let makes = matches!(name, "create" | "new" | "insert" | "add" | "build" | "make");
            return makes.then(|| format!("write `save {entity} {{ … }}`"));
        }
        cells.single_entity(known)?;
        match name {
            "save" | "delete" | "restore" | "destroy" => Some(format!(
                "write `{name} record`: it is a word before the record"
            )),
            "update" | "set" | "assign" => {
                Some("set the fields, then write `save record`".to_owned())
            }
            "remove" => Some("write `delete record`".to_owned()),
            _ => None,
        }
    }

    /// Whether a variable that is only none here has other values elsewhere.
    fn is_more(&mut self, variable: ExprId) -> bool {
        let cell = match self.kind(variable) {
            ExprKind::Local(local) => self.locals[local.index()],
            ExprKind::Global(global) => self.engine.globals[global.index()],
            _ => return false,
        };
        self.engine.cells.peek(cell) != Set::NONE
    }
}
