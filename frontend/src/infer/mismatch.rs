//! Values that go to declared places: whether they can fit, and what is said if they cannot. Here because every
//! annotation, field, parameter and result is asked the same question. Must stay true: of a value that comes from
//! branches, and of a literal with parts, the part that is wrong is named; a container that meets a declared one with
//! other contents is told once, with the place it goes to and the place its contents came from.

use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{
    EntityIx, EnumIx, ExprId, ExprKind, FnId, FnKind, GlobalIx, LocalId, RecordEntry,
};

use super::cells::{CellId, Conflict, MapKind};
use super::declared::mentions_var;
use super::engine::Engine;
use super::set::Set;
use super::walk::Walker;
use super::words::{conversion, holder};

/// Where a value goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Into {
    Local(LocalId),
    /// The value of a declaration.
    First(LocalId),
    Global(GlobalIx),
    FirstGlobal(GlobalIx),
    Result,
    /// A part of a literal.
    Part,
    /// A part of what is spread there.
    Spread,
    /// An element, key or value of what this expression gives.
    Inside(ExprId, Inside),
    Argument,
    Parameter(FnId, usize),
    Field(EntityIx, u32),
    Variant(EnumIx, u32),
}

/// What of a container.
#[derive(Clone, Copy, Debug)]
pub(super) enum Inside {
    Elements,
    Keys,
    Values,
}

/// A place in words.
#[derive(Clone)]
struct Destination {
    /// `x`, the elements of `xs`
    noun: String,
    /// takes, must give, are
    verb: &'static str,
    /// Where it was declared.
    place: Option<Span>,
    /// It is a part of what is declared there.
    is_part: bool,
    /// The value is that of the declaration itself.
    first: Option<Into>,
    /// The call that says what its type parameters are.
    call: Option<Span>,
    /// The value is a part of what the expression gives, so that the parts of the expression are not parts of it.
    from_spread: bool,
}

impl Destination {
    fn new(noun: String, verb: &'static str, place: Option<Span>) -> Destination {
        Destination {
            noun,
            verb,
            place,
            is_part: false,
            first: None,
            call: None,
            from_spread: false,
        }
    }

    fn part(&self, what: &str, verb: &'static str) -> Destination {
        Destination {
            is_part: true,
            call: self.call,
            ..Destination::new(format!("{what} of {}", self.noun), verb, self.place)
        }
    }
}

impl Walker<'_, '_> {
    /// An error if nothing of the value can be stored in the declared cell.
    pub(super) fn check_fits(&mut self, cell: CellId, value: Set, at: ExprId, into: Into) {
        if self.engine.cells.has_conflict(cell, value) {
            return;
        }
        let declared = self.engine.cells.peek(cell);
        let mut destination = self.destination(into);
        if matches!(into, Into::First(_) | Into::FirstGlobal(_)) {
            destination.first = Some(into);
        }
        self.fits_and_contains(declared, value, at, &destination);
    }

    /// The result of a function with type parameters: what it promises depends on the call.
    pub(super) fn check_generic_result(&mut self, value: Set, at: ExprId) {
        let Some(annotation) = &self.function.result else {
            return;
        };
        if self.engine.diagnostics.is_none() || !mentions_var(annotation) {
            return;
        }
        let vars = self.engine.insts[self.inst.index()].vars.clone();
        if vars
            .iter()
            .any(|var| self.engine.cells.peek(*var).is_never())
        {
            return;
        }
        let declared = self.engine.annotated(annotation, &vars);
        let mut destination = self.destination(Into::Result);
        if let Some((caller, call)) = self.engine.insts[self.inst.index()].called_from {
            let caller = self.engine.function(self.engine.insts[caller.index()].func);
            destination.call = (!caller.from_prelude).then(|| caller.exprs[call.index()].span);
        }
        self.fits(declared, value, at, &destination);
    }

    fn fits_and_contains(&mut self, declared: Set, value: Set, at: ExprId, into: &Destination) {
        let told = |walker: &Self| walker.engine.diagnostics.as_ref().map_or(0, Vec::len);
        let before = told(self);
        self.fits(declared, value, at, into);
        if told(self) > before || self.function.from_prelude {
            return;
        }
        let place = self.span(at);
        let conflicts = &self.engine.cells.conflicts;
        if let Some(conflict) = conflicts.iter().find(|it| it.place == place) {
            let conflict = conflict.clone();
            self.report(at, |walker, _| {
                walker.engine.other_contents(&conflict, Some((into, value)))
            });
        }
    }

    /// Reports what of a value cannot be stored in a place of this type.
    fn fits(&mut self, declared: Set, value: Set, at: ExprId, into: &Destination) {
        match self.kind(at) {
            _ if into.from_spread => {}
            ExprKind::Block(parts, true) if !parts.is_empty() => {
                let last = parts[parts.len() - 1];
                return self.fits(declared, self.value_of(last), last, into);
            }
            ExprKind::If {
                then,
                otherwise: Some(otherwise),
                ..
            } => {
                self.fits(declared, self.value_of(*then), *then, into);
                return self.fits(declared, self.value_of(*otherwise), *otherwise, into);
            }
            _ => {}
        }
        let (declared, value) = (
            self.engine.cells.norm(declared),
            self.engine.cells.norm(value),
        );
        if value.is_never() || value.is_any() || declared.is_any() {
            return;
        }
        if !self.may_fit(declared, value) {
            return self.mismatch(declared, value, at, into);
        }
        if !into.from_spread {
            self.parts_fit(declared, at, into);
        }
    }

    /// The parts of a literal, each for itself.
    fn parts_fit(&mut self, declared: Set, at: ExprId, into: &Destination) {
        match self.kind(at) {
            ExprKind::List(items) => {
                let Some(element) = declared.list else { return };
                let into = into.part("the elements", "are");
                let declared = self.engine.cells.peek(element);
                for item in items {
                    self.fits(declared, self.value_of(*item), *item, &into);
                }
            }
            ExprKind::Tuple(items) => {
                let Some(tuple) = declared.tuple else { return };
                let cells = self.engine.cells.tuple_items(tuple);
                for (n, (item, cell)) in items.iter().zip(cells.iter()).enumerate() {
                    let declared = self.engine.cells.peek(*cell);
                    let into = into.part(&format!("member {n}"), "is");
                    self.fits(declared, self.value_of(*item), *item, &into);
                }
            }
            ExprKind::Record(entries) => {
                let Some(map) = declared.map else { return };
                let kind = self.engine.cells.map_kind(map);
                for entry in entries {
                    let RecordEntry::Field(name, _, item) = entry else {
                        continue;
                    };
                    let (cell, into) = match &kind {
                        MapKind::Dict(value, _) => (Some(*value), into.part("the values", "are")),
                        MapKind::Record(fields) => {
                            let field = fields.iter().find(|field| *field.0 == **name);
                            (
                                field.map(|field| field.1),
                                into.part(&format!("`{name}`"), "is"),
                            )
                        }
                    };
                    if let Some(cell) = cell {
                        let declared = self.engine.cells.peek(cell);
                        self.fits(declared, self.value_of(*item), *item, &into);
                    }
                }
            }
            ExprKind::Variant(def, variant, data) if declared.enums.is_some() => {
                let cells = self.engine.variant_data(declared, *def, *variant);
                let name = &self.engine.program.enums[def.index()].variants[*variant as usize].0;
                let into = into.part(&format!("`{name}`"), "is");
                for (item, cell) in data.iter().zip(cells) {
                    let declared = self.engine.cells.peek(cell);
                    self.fits(declared, self.value_of(*item), *item, &into);
                }
            }
            _ => {}
        }
    }

    fn mismatch(&mut self, declared: Set, value: Set, at: ExprId, into: &Destination) {
        let place = self.blame(at);
        let func = self.fid;
        match into.first {
            Some(Into::First(local)) => self.engine.doubts.local(func, local, place),
            Some(Into::FirstGlobal(global)) => self.engine.doubts.global(global, place),
            _ => {}
        }
        self.report(at, |walker, span| {
            let (wanted, found) = (walker.words(declared), walker.words(value));
            let title = format!("{} {} {wanted}, not {found}", into.noun, into.verb);
            let label = if into.from_spread {
                format!("this gives {found}")
            } else {
                format!("this is {found}")
            };
            let mut diagnostic = Diagnostic::error(Code::WrongType, span, title).label(label);
            if let Some(place) = into.place {
                diagnostic = diagnostic.also(
                    place,
                    match (into.is_part, into.verb) {
                        _ if into.call.is_some() => "declared with a type parameter".to_owned(),
                        (true, _) => "declared here".to_owned(),
                        (false, "must give") => format!("declared to give {wanted}"),
                        (false, _) => format!("declared as {wanted} here"),
                    },
                );
            }
            if let Some(call) = into.call {
                diagnostic = diagnostic.also(call, format!("which makes it {wanted} in this call"));
            }
            diagnostic = walker.with_origins(diagnostic, at, value);
            let plain = |words: &str| !words.contains([' ', '[']);
            let conversion = match into.from_spread {
                true => None,
                false => walker.conversion(declared, value, at),
            };
            match conversion {
                Some(hint) => diagnostic.hint(hint),
                None if into.place.is_some()
                    && into.call.is_none()
                    && plain(&wanted)
                    && plain(&found) =>
                {
                    diagnostic.hint(format!(
                        "give {wanted} here, or declare `{wanted} | {found}`"
                    ))
                }
                None => diagnostic,
            }
        });
    }

    /// How to make what is wanted of a value; a literal is better written another way.
    fn conversion(&self, wanted: Set, found: Set, at: ExprId) -> Option<String> {
        match self.kind(at) {
            ExprKind::Int(n) if wanted.has(Set::TEXT) => {
                Some(format!("write it as a text: `\"{n}\"`"))
            }
            ExprKind::Text(text) if wanted.has(Set::NUMBER) => {
                let number = text.trim();
                let is_number = number.parse::<i64>().is_ok()
                    || wanted.has(Set::FLOAT) && number.parse::<f64>().is_ok();
                is_number.then(|| format!("leave out the quotes: `{number}`"))
            }
            ExprKind::Float(_) | ExprKind::Bool(_) => None,
            _ => conversion(wanted, found).map(str::to_owned),
        }
    }

    fn may_fit(&mut self, declared: Set, value: Set) -> bool {
        let allowed = self.engine.cells.nominals(declared).to_vec();
        let functions = match (declared.func, value.func) {
            (Some(x), Some(y)) => {
                let (declared, found) = (self.engine.cells.takes(x), self.engine.cells.takes(y));
                found.contains(declared.start()) && found.contains(declared.end())
            }
            _ => false,
        };
        let tuples = match (declared.tuple, value.tuple) {
            (Some(x), Some(y)) => {
                let (x, y) = (
                    self.engine.cells.tuple_items(x),
                    self.engine.cells.tuple_items(y),
                );
                x.len() == y.len()
            }
            _ => false,
        };
        value.bits & declared.bits != 0
            || value.has(Set::INT) && declared.has(Set::FLOAT)
            || value.list.is_some() && declared.list.is_some()
            || value.map.is_some() && declared.map.is_some()
            || functions
            || tuples
            || self
                .engine
                .cells
                .nominals(value)
                .iter()
                .any(|member| allowed.contains(member))
    }

    fn destination(&self, into: Into) -> Destination {
        let program = self.engine.program;
        match into {
            Into::Local(local) | Into::First(local) => {
                let local = &self.function.locals[local.index()];
                let noun = if local.name.is_empty() {
                    "this place".to_owned()
                } else {
                    format!("`{}`", local.name)
                };
                Destination::new(noun, "takes", Some(local.span))
            }
            Into::Global(global) | Into::FirstGlobal(global) => {
                let global = &program.globals[global.index()];
                Destination::new(format!("`{}`", global.name), "takes", Some(global.span))
            }
            Into::Result
                if self.function.kind == FnKind::Lambda && self.function.result.is_none() =>
            {
                Destination::new("this function".to_owned(), "must give", None)
            }
            Into::Result => {
                let noun = super::words::called(&self.function.name);
                Destination::new(noun, "must give", Some(self.function.span))
            }
            Into::Part => Destination::new("this place".to_owned(), "takes", None),
            Into::Spread => Destination {
                from_spread: true,
                ..Destination::new("this place".to_owned(), "takes", None)
            },
            Into::Argument => Destination::new("this parameter".to_owned(), "takes", None),
            Into::Inside(holder, inside) => self.inside(holder, inside),
            Into::Parameter(func, n) => {
                let function = &program.functions[func.index()];
                let local = &function.locals[function.params[n].local.index()];
                let place = (!function.from_prelude).then_some(local.span);
                let of = super::words::called(&function.name);
                let noun = if local.name.is_empty() {
                    format!("parameter {} of {of}", n + 1)
                } else {
                    format!("parameter `{}` of {of}", local.name)
                };
                Destination::new(noun, "takes", place)
            }
            Into::Field(entity, at) => {
                let entity = &program.entities[entity.index()];
                let field = &entity.fields[at as usize];
                let noun = format!("`{}.{}`", entity.name, field.name);
                Destination::new(noun, "takes", Some(field.span))
            }
            Into::Variant(def, variant) => {
                let def = &program.enums[def.index()];
                let noun = format!("`{}.{}`", def.name, def.variants[variant as usize].0);
                Destination::new(noun, "takes", Some(def.span))
            }
        }
    }

    /// The elements of a variable, a field or anything else.
    fn inside(&self, holder: ExprId, inside: Inside) -> Destination {
        let (name, place) = match self.kind(holder) {
            ExprKind::Local(local) => {
                let local = &self.function.locals[local.index()];
                let declared = local.annotation.is_some().then_some(local.span);
                (format!("`{}`", local.name), declared)
            }
            ExprKind::Global(global) => {
                let global = &self.engine.program.globals[global.index()];
                let declared = global.annotation.is_some().then_some(global.span);
                (format!("`{}`", global.name), declared)
            }
            ExprKind::Field { name, .. } => (format!("`{name}`"), None),
            _ => ("this value".to_owned(), None),
        };
        let what = match inside {
            Inside::Elements => "the elements",
            Inside::Keys => "the keys",
            Inside::Values => "the values",
        };
        Destination {
            is_part: true,
            ..Destination::new(format!("{what} of {name}"), "are", place)
        }
    }
}

impl Engine<'_> {
    /// Containers that met declared ones with other contents and of which nothing was said yet.
    pub(super) fn conflicts(&mut self, told: &[Diagnostic]) -> Vec<Diagnostic> {
        let mut found: Vec<Conflict> = std::mem::take(&mut self.cells.conflicts);
        found.sort_by_key(|conflict| conflict.place);
        found.dedup_by_key(|conflict| conflict.place);
        found.retain(|conflict| {
            let within =
                |span: Span| conflict.place.start <= span.start && span.end <= conflict.place.end;
            !told.iter().any(|it| it.is_error() && within(it.span()))
        });
        found
            .iter()
            .map(|conflict| self.other_contents(conflict, None))
            .collect()
    }

    fn other_contents(
        &mut self,
        conflict: &Conflict,
        into: Option<(&Destination, Set)>,
    ) -> Diagnostic {
        let (wanted, words) = (self.words(conflict.declared), self.words(conflict.found));
        let (title, label) = match into {
            Some((into, value)) => {
                let what = holder(value);
                (
                    format!(
                        "{} {} a {what} of {wanted}, not one of {words}",
                        into.noun, into.verb
                    ),
                    format!("this {what} contains {words}"),
                )
            }
            None => (
                format!("this is declared to contain {wanted}, but contains {words}"),
                format!("contains {words}"),
            ),
        };
        let mut diagnostic = Diagnostic::error(Code::WrongType, conflict.place, title).label(label);
        if let Some(place) = into.and_then(|(into, _)| into.place) {
            diagnostic = diagnostic.also(place, "declared here");
        }
        let mut places: Vec<Span> = Vec::new();
        for (member, place) in &conflict.origins {
            if *place != conflict.place && !places.contains(place) {
                places.push(*place);
                let words = self.words(*member);
                diagnostic = diagnostic.also(*place, format!("{words} comes into it here"));
            }
        }
        diagnostic
            .hint("a list or map that is shared keeps its type: make a new one with `.map(x => …)`")
    }
}
