//! Whether a row of patterns takes values that the rows above it leave, and which ones: the usefulness of a row in a matrix
//! of patterns (Maranget, "Warnings for pattern matching", JFP 2007). Here because it needs the types of all parts of the
//! matched value. Must stay true: it ends, and gives up by calling a row useful; without typed knowledge (`any`) nothing
//! but a pattern that takes all covers a column, unless the column is written as one over enums and bools.

use std::cmp::Ordering;

use crate::cases::CasePattern;
use crate::hir::{EntityIx, EnumIx, TypeAnn};

use super::cells::{CellId, MapKind};
use super::engine::Engine;
use super::set::{Nominal, Set};

/// More visits of rows than this are not made for one `match`.
const VISITS_MAX: usize = 200_000;
/// Witnesses beyond these are not looked for.
const WITNESSES_MAX: usize = 4;
/// Types of types of … are compared so deep.
const DEPTH_MAX: u32 = 12;

static WILD: CasePattern = CasePattern::Any;

/// A row: one pattern for each column.
type Row<'a> = Vec<&'a CasePattern>;

/// One way to make a value of a column, with its parts as columns.
enum Ctor<'a> {
    /// A value of this single kind, whatever it is.
    Whole(Set),
    Bool(bool),
    /// What this number, text or range of the asked pattern takes, of these kinds.
    Literal(&'a CasePattern, Set),
    Variant(EnumIx, u32, Set),
    /// A list of that many items, or of at least as many.
    List(usize, bool, Set),
    Tuple(Set),
    /// A map with the values of these keys; whether its keys are texts.
    Map(Vec<&'a str>, bool, Set),
    Entity(EntityIx, Vec<&'a str>, Set),
    /// In a column of any type: a value of a kind that no pattern names.
    Beyond,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    All,
    Some,
    No,
}

/// What a question about rows needs.
pub(super) struct Usefulness<'e, 'p> {
    pub(super) engine: &'e mut Engine<'p>,
    visits: usize,
    /// A column of any type that names variants or bools is one over these types.
    lenient: bool,
    limit: usize,
}

impl<'e, 'p> Usefulness<'e, 'p> {
    pub(super) fn new(engine: &'e mut Engine<'p>) -> Usefulness<'e, 'p> {
        Usefulness {
            engine,
            visits: 0,
            lenient: false,
            limit: 1,
        }
    }

    /// Whether all visits are made: what was called useful since may be useless.
    pub(super) fn is_exhausted(&self) -> bool {
        self.visits > VISITS_MAX
    }

    /// Values of the type that no row takes, as patterns.
    pub(super) fn not_covered(&mut self, rows: &[&CasePattern], set: Set) -> Vec<String> {
        (self.lenient, self.limit) = (true, WITNESSES_MAX);
        let rows = rows.iter().map(|pattern| vec![*pattern]).collect();
        let found = self.missing(rows, vec![&WILD], &[set]);
        found.into_iter().flatten().collect()
    }

    /// Whether the pattern takes a value of the type that no row takes.
    pub(super) fn is_useful(
        &mut self,
        rows: &[&CasePattern],
        pattern: &CasePattern,
        set: Set,
    ) -> bool {
        (self.lenient, self.limit) = (false, 1);
        let rows = rows.iter().map(|pattern| vec![*pattern]).collect();
        !self.missing(rows, vec![pattern], &[set]).is_empty()
    }

    /// Witnesses (a word for each column) of what the asked row takes and no other row does.
    fn missing(&mut self, rows: Vec<Row<'_>>, asked: Row<'_>, types: &[Set]) -> Vec<Vec<String>> {
        self.visits += 1 + rows.len();
        if self.is_exhausted() {
            return vec![vec!["_".to_owned(); types.len()]];
        }
        let Some((set, rest)) = types.split_first() else {
            return if rows.is_empty() {
                vec![Vec::new()]
            } else {
                Vec::new()
            };
        };
        if let CasePattern::Or(choices) = asked[0] {
            return self.missing_of_any(&rows, choices, &asked, types);
        }
        let rows = without_alternatives(rows);
        let heads: Vec<&CasePattern> = rows.iter().chain([&asked]).map(|row| row[0]).collect();
        if heads.iter().all(|head| matches!(head, CasePattern::Any)) {
            let rows = rows.iter().map(|row| row[1..].to_vec()).collect();
            let mut found = self.missing(rows, asked[1..].to_vec(), rest);
            for witness in &mut found {
                witness.insert(0, "_".to_owned());
            }
            return found;
        }
        let mut found = Vec::new();
        let alone = self.engine.cells.count(*set) == 1;
        for ctor in self.split(*set, &heads) {
            let types_inside = self.parts(&ctor);
            let count = types_inside.len();
            let Some(sub_asked) = self.enter(&asked, &ctor, count, true) else {
                continue;
            };
            let mut sub_rows = Vec::new();
            for row in &rows {
                sub_rows.extend(self.enter(row, &ctor, count, false));
            }
            let sub_types: Vec<Set> = types_inside
                .into_iter()
                .chain(rest.iter().copied())
                .collect();
            for mut witness in self.missing(sub_rows, sub_asked, &sub_types) {
                let others = witness.split_off(count);
                let mut whole = vec![self.words_of(&ctor, &witness, alone)];
                whole.extend(others);
                if !found.contains(&whole) {
                    found.push(whole);
                }
                if found.len() >= self.limit {
                    return found;
                }
            }
        }
        found
    }

    fn missing_of_any(
        &mut self,
        rows: &[Row<'_>],
        choices: &[CasePattern],
        asked: &[&CasePattern],
        types: &[Set],
    ) -> Vec<Vec<String>> {
        for choice in choices {
            let mut one = vec![choice];
            one.extend_from_slice(&asked[1..]);
            let found = self.missing(rows.to_vec(), one, types);
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    // ---- the ways to make a value

    /// All ways to make a value of the type, as fine as the patterns of the column need them.
    fn split<'a>(&mut self, set: Set, heads: &[&'a CasePattern]) -> Vec<Ctor<'a>> {
        let asked = heads[heads.len() - 1];
        if let Some(kinds) = literal_kinds(asked) {
            let kinds = if set.is_any() { kinds } else { set.only(kinds) };
            return match kinds.is_never() {
                true => Vec::new(),
                false => vec![Ctor::Literal(asked, kinds)],
            };
        }
        let mut ctors = Vec::new();
        if set.is_any() {
            let sets: Vec<Set> = heads.iter().flat_map(|head| self.kinds_of(head)).collect();
            let likely = self.likely_enum(heads);
            let closed = self.lenient
                && sets.iter().any(|set| {
                    let nominals = self.engine.cells.nominals(*set);
                    let is_enum = |member: &Nominal| matches!(member, Nominal::Enum(_));
                    *set == Set::BOOL || nominals.iter().any(is_enum)
                });
            let mut known: Vec<Set> = Vec::new();
            for set in sets {
                let other = closed && likely.is_some_and(|likely| self.is_other_enum(set, likely));
                if !known.contains(&set) && !other {
                    known.push(set);
                    self.split_member(set, heads, &mut ctors);
                }
            }
            if !closed {
                if !known.contains(&Set::NONE) {
                    ctors.push(Ctor::Whole(Set::NONE));
                }
                ctors.push(Ctor::Beyond);
            }
            return ctors;
        }
        for member in self.engine.cells.members(set) {
            self.split_member(member, heads, &mut ctors);
        }
        ctors
    }

    /// In a column of any type: the enum of which most variants are named; a name may be of several enums.
    fn likely_enum(&self, heads: &[&CasePattern]) -> Option<EnumIx> {
        let mut named: Vec<(EnumIx, u32)> = Vec::new();
        for head in heads {
            if let CasePattern::Variant(def, number, _) = head
                && !named.contains(&(*def, *number))
            {
                named.push((*def, *number));
            }
        }
        let count = |def: EnumIx| named.iter().filter(|one| one.0 == def).count();
        let open = |def: EnumIx| {
            let all = self.engine.program.enums[def.index()].variants.len();
            all - count(def).min(all)
        };
        named.iter().map(|one| one.0).min_by_key(|def| open(*def))
    }

    fn is_other_enum(&self, set: Set, likely: EnumIx) -> bool {
        let members = self.engine.cells.nominals(set);
        matches!(members, [Nominal::Enum(def)] if *def != likely)
    }

    fn split_member<'a>(
        &mut self,
        member: Set,
        heads: &[&'a CasePattern],
        ctors: &mut Vec<Ctor<'a>>,
    ) {
        if member == Set::BOOL {
            ctors.extend([Ctor::Bool(true), Ctor::Bool(false)]);
        } else if member.list.is_some() {
            let longest = heads.iter().map(|head| match head {
                CasePattern::List { items, rest, .. } => items.len() + usize::from(!rest),
                _ => 0,
            });
            let longest = longest.max().unwrap_or(0);
            ctors.extend((0..longest).map(|len| Ctor::List(len, false, member)));
            ctors.push(Ctor::List(longest, true, member));
        } else if member.tuple.is_some() {
            ctors.push(Ctor::Tuple(member));
        } else if let Some(map) = member.map {
            let texts = match self.engine.cells.map_kind(map) {
                MapKind::Record(_) => true,
                MapKind::Dict(_, key) => {
                    let key = self.engine.cells.peek(key);
                    !key.is_any() && key.without(Set::TEXT).is_never()
                }
            };
            ctors.push(Ctor::Map(keys_of(heads), texts, member));
        } else {
            let nominals = self.engine.cells.nominals(member).to_vec();
            match nominals.as_slice() {
                [Nominal::Enum(def)] => {
                    let count = self.engine.program.enums[def.index()].variants.len() as u32;
                    ctors.extend((0..count).map(|n| Ctor::Variant(*def, n, member)));
                }
                [Nominal::Entity(entity)] => {
                    ctors.push(Ctor::Entity(*entity, keys_of(heads), member));
                }
                _ => ctors.push(Ctor::Whole(member)),
            }
        }
    }

    /// The kinds of values that a pattern names, in a column of any type.
    fn kinds_of(&mut self, pattern: &CasePattern) -> Vec<Set> {
        match pattern {
            CasePattern::Any | CasePattern::Some | CasePattern::Unsure => Vec::new(),
            CasePattern::Bool(_) => vec![Set::BOOL],
            CasePattern::Int(_) | CasePattern::Float(_) => vec![Set::INT, Set::FLOAT],
            CasePattern::Text(_) => vec![Set::TEXT],
            CasePattern::Between(start, ..) => self.kinds_of(start),
            CasePattern::Typed(ty) => {
                let set = self.tested(ty);
                let members = self.engine.cells.members(set);
                members.into_iter().filter(|set| !set.is_any()).collect()
            }
            CasePattern::Variant(def, ..) => vec![self.engine.cells.nominal(Nominal::Enum(*def))],
            CasePattern::Entity(entity, _) => vec![self.engine.cells.entity(*entity)],
            CasePattern::List { .. } => vec![self.any_of(&TypeAnn::List(Box::new(TypeAnn::Any)))],
            CasePattern::Tuple(items) => {
                vec![self.any_of(&TypeAnn::Tuple(vec![TypeAnn::Any; items.len()]))]
            }
            CasePattern::Map(_) => {
                let (key, value) = (Box::new(TypeAnn::Text), Box::new(TypeAnn::Any));
                vec![self.any_of(&TypeAnn::Map(key, value))]
            }
            CasePattern::Or(choices) => choices.iter().flat_map(|it| self.kinds_of(it)).collect(),
        }
    }

    fn any_of(&mut self, ty: &TypeAnn) -> Set {
        self.engine.annotated(ty, &[])
    }

    /// The types of the parts. What nobody ever puts in counts as anything.
    fn parts(&mut self, ctor: &Ctor<'_>) -> Vec<Set> {
        let mut sets: Vec<Set> = match ctor {
            Ctor::Whole(_) | Ctor::Bool(_) | Ctor::Literal(..) | Ctor::Beyond => Vec::new(),
            Ctor::Variant(def, number, set) => {
                let cells = self.engine.variant_data(*set, *def, *number);
                cells.into_iter().map(|cell| self.peek(cell)).collect()
            }
            Ctor::List(len, _, set) => match set.list {
                Some(element) => vec![self.peek(element); *len],
                None => Vec::new(),
            },
            Ctor::Tuple(set) => match set.tuple {
                Some(tuple) => {
                    let cells = self.engine.cells.tuple_items(tuple);
                    cells.iter().map(|cell| self.peek(*cell)).collect()
                }
                None => Vec::new(),
            },
            Ctor::Map(keys, _, set) => keys.iter().map(|key| self.under_key(*set, key)).collect(),
            Ctor::Entity(entity, keys, _) => {
                keys.iter().map(|key| self.of_field(*entity, key)).collect()
            }
        };
        for set in &mut sets {
            if set.is_never() {
                *set = Set::ANY;
            }
        }
        sets
    }

    fn peek(&mut self, cell: CellId) -> Set {
        self.engine.cells.peek(cell)
    }

    /// What is under a key, or none.
    fn under_key(&mut self, set: Set, key: &str) -> Set {
        let Some(map) = set.map else { return Set::ANY };
        match self.engine.cells.map_kind(map) {
            MapKind::Record(fields) => match fields.iter().find(|field| &*field.0 == key) {
                Some((_, cell)) => self.peek(*cell),
                None => Set::NONE,
            },
            MapKind::Dict(value, _) => self.peek(value).plus(Set::NONE),
        }
    }

    fn of_field(&mut self, entity: EntityIx, key: &str) -> Set {
        let fields = &self.engine.program.entities[entity.index()].fields;
        match fields.iter().position(|field| field.name == key) {
            Some(at) => {
                let cell = self.engine.entity_fields[entity.index()][at];
                self.peek(cell)
            }
            None => Set::ANY,
        }
    }

    // ---- rows inside of a value

    /// The row for the parts of a value, if its first pattern takes such a value. `hopeful`: or may take it.
    fn enter<'a>(
        &mut self,
        row: &[&'a CasePattern],
        ctor: &Ctor<'a>,
        count: usize,
        hopeful: bool,
    ) -> Option<Row<'a>> {
        let mut parts = self.inside(row[0], ctor, count, hopeful)?;
        parts.extend_from_slice(&row[1..]);
        Some(parts)
    }

    fn inside<'a>(
        &mut self,
        pattern: &'a CasePattern,
        ctor: &Ctor<'a>,
        count: usize,
        hopeful: bool,
    ) -> Option<Row<'a>> {
        let wild = || vec![&WILD; count];
        match (pattern, ctor) {
            (CasePattern::Any, _) => Some(wild()),
            (CasePattern::Some, Ctor::Whole(Set::NONE)) => None,
            (CasePattern::Some, _) => Some(wild()),
            (CasePattern::Unsure, _) => hopeful.then(wild),
            (CasePattern::Typed(ty), _) => match self.is_of(ctor, ty) {
                Fit::All => Some(wild()),
                Fit::Some => hopeful.then(wild),
                Fit::No => None,
            },
            (CasePattern::Bool(a), Ctor::Bool(b)) => (a == b).then(Vec::new),
            (
                CasePattern::Int(_)
                | CasePattern::Float(_)
                | CasePattern::Text(_)
                | CasePattern::Between(..),
                Ctor::Literal(literal, _),
            ) => takes_literal(pattern, literal).then(Vec::new),
            (CasePattern::Variant(def, number, data), Ctor::Variant(of, n, _)) => {
                (def == of && number == n).then(|| data.iter().collect())
            }
            (
                CasePattern::List {
                    items,
                    needed,
                    rest,
                },
                Ctor::List(len, more, _),
            ) => {
                let fits = len >= needed
                    && if *more {
                        *rest
                    } else {
                        *rest || *len <= items.len()
                    };
                let absent = items.iter().skip(*len);
                let sure = hopeful || absent.into_iter().all(CasePattern::is_any);
                let of = |at: usize| items.get(at).unwrap_or(&WILD);
                (fits && sure).then(|| (0..*len).map(of).collect())
            }
            (CasePattern::Tuple(items), Ctor::Tuple(_)) => {
                (items.len() == count).then(|| items.iter().collect())
            }
            (CasePattern::Map(entries), Ctor::Map(keys, texts, _)) => {
                (hopeful || *texts).then(|| by_key(entries, keys))
            }
            (CasePattern::Entity(entity, entries), Ctor::Entity(of, keys, _)) => {
                (entity == of).then(|| by_key(entries, keys))
            }
            (
                CasePattern::Bool(_)
                | CasePattern::Int(_)
                | CasePattern::Float(_)
                | CasePattern::Text(_)
                | CasePattern::Between(..)
                | CasePattern::Variant(..)
                | CasePattern::List { .. }
                | CasePattern::Tuple(_)
                | CasePattern::Map(_)
                | CasePattern::Entity(..)
                | CasePattern::Or(_),
                _,
            ) => None,
        }
    }

    // ---- types

    /// The set of a type in a pattern.
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

    /// Whether the values of a constructor are of a type.
    fn is_of(&mut self, ctor: &Ctor<'_>, ty: &TypeAnn) -> Fit {
        let tested = self.tested(ty);
        if tested.is_any() {
            return Fit::All;
        }
        let held = match ctor {
            Ctor::Bool(_) => Set::BOOL,
            Ctor::Literal(_, kinds) => {
                return match tested.only(*kinds) {
                    none if none.is_never() => Fit::No,
                    all if all == *kinds => Fit::All,
                    _ => Fit::Some,
                };
            }
            Ctor::Whole(set)
            | Ctor::Variant(_, _, set)
            | Ctor::List(_, _, set)
            | Ctor::Tuple(set)
            | Ctor::Map(_, _, set)
            | Ctor::Entity(_, _, set) => *set,
            Ctor::Beyond => return Fit::No,
        };
        if self.is_within(held, tested, 0) {
            return Fit::All;
        }
        let maybe = held.list.is_some() && tested.list.is_some()
            || held.map.is_some() && tested.map.is_some()
            || held.func.is_some() && tested.func.is_some()
            || held.tuple.is_some() && tested.tuple.is_some()
            || held.enums.is_some() && tested.enums.is_some();
        if maybe { Fit::Some } else { Fit::No }
    }

    /// Whether every value of one type is of another.
    fn is_within(&mut self, held: Set, tested: Set, depth: u32) -> bool {
        if tested.is_any() || held.is_never() || depth > DEPTH_MAX {
            return true;
        }
        if held.is_any() || held.bits & !tested.bits != 0 {
            return false;
        }
        let nominals = self.engine.cells.nominals(tested).to_vec();
        if !self
            .engine
            .cells
            .nominals(held)
            .iter()
            .all(|it| nominals.contains(it))
        {
            return false;
        }
        let mut pairs: Vec<(CellId, CellId)> = Vec::new();
        if let Some(element) = held.list {
            let Some(wanted) = tested.list else {
                return false;
            };
            pairs.push((element, wanted));
        }
        if let Some(tuple) = held.tuple {
            let Some(wanted) = tested.tuple else {
                return false;
            };
            let items = self.engine.cells.tuple_items(tuple);
            let wanted = self.engine.cells.tuple_items(wanted);
            if items.len() != wanted.len() {
                return false;
            }
            pairs.extend(items.iter().copied().zip(wanted.iter().copied()));
        }
        if let Some(map) = held.map {
            let Some(wanted) = tested.map else {
                return false;
            };
            let MapKind::Dict(value, key) = self.engine.cells.map_kind(wanted) else {
                return false;
            };
            match self.engine.cells.map_kind(map) {
                MapKind::Record(fields) => {
                    pairs.extend(fields.iter().map(|field| (field.1, value)));
                }
                MapKind::Dict(held_value, held_key) => {
                    pairs.extend([(held_value, value), (held_key, key)]);
                }
            }
        }
        if let Some(func) = held.func {
            let Some(wanted) = tested.func else {
                return false;
            };
            let count = |this: &mut Self, func| this.engine.cells.takes(func);
            if count(self, func) != count(self, wanted) {
                return false;
            }
        }
        if let (Some(held), Some(tested)) = (held.enums, tested.enums) {
            let wanted = self.engine.cells.enum_args(tested);
            for args in self.engine.cells.enum_args(held) {
                if let Some(wanted) = wanted.iter().find(|it| it.def == args.def) {
                    pairs.extend(args.vars.iter().copied().zip(wanted.vars.iter().copied()));
                }
            }
        }
        pairs.into_iter().all(|(held, wanted)| {
            let (held, wanted) = (self.peek(held), self.peek(wanted));
            self.is_within(held, wanted, depth + 1)
        })
    }

    // ---- words

    /// A value as a pattern that takes it. `alone`: the type has no other kinds.
    fn words_of(&mut self, ctor: &Ctor<'_>, parts: &[String], alone: bool) -> String {
        let plain = parts.iter().all(|part| part == "_");
        match ctor {
            Ctor::Bool(value) => value.to_string(),
            Ctor::Whole(Set::NONE) => "none".to_owned(),
            Ctor::Beyond | Ctor::Literal(..) => "_".to_owned(),
            Ctor::Whole(set) => match alone || !set.scalars_only() {
                true => "_".to_owned(),
                false => format!("{} _", self.engine.words(*set)),
            },
            Ctor::Variant(def, number, _) => self.variant_words(*def, *number, parts),
            Ctor::List(_, more, _) => {
                let mut items = parts.to_vec();
                if *more {
                    items.push("...".to_owned());
                }
                format!("[{}]", items.join(", "))
            }
            Ctor::Tuple(_) => format!("({})", parts.join(", ")),
            Ctor::Map(..) if plain && alone => "_".to_owned(),
            Ctor::Map(keys, ..) => entries_words(keys, parts),
            Ctor::Entity(entity, keys, _) => {
                let name = &self.engine.program.entities[entity.index()].name;
                if plain {
                    format!("{name} _")
                } else {
                    format!("{name} {}", entries_words(keys, parts))
                }
            }
        }
    }

    fn variant_words(&self, def: EnumIx, number: u32, parts: &[String]) -> String {
        let program = self.engine.program;
        let own = &program.enums[def.index()];
        let name = &own.variants[number as usize].0;
        let same = |name: &String| {
            let variants = program.enums.iter().flat_map(|it| &it.variants);
            variants.filter(|variant| variant.0 == *name).count()
        };
        let taken = program.enums.iter().any(|it| it.name == *name)
            || program.entities.iter().any(|it| it.name == *name);
        let name = if same(name) > 1 || taken {
            format!("{}.{name}", own.name)
        } else {
            name.clone()
        };
        if parts.is_empty() {
            name
        } else {
            format!("{name}({})", parts.join(", "))
        }
    }
}

/// The rows with each alternative of their first pattern as a row of its own.
fn without_alternatives(rows: Vec<Row<'_>>) -> Vec<Row<'_>> {
    if !rows.iter().any(|row| matches!(row[0], CasePattern::Or(_))) {
        return rows;
    }
    let mut plain = Vec::with_capacity(rows.len());
    for row in rows {
        let CasePattern::Or(choices) = row[0] else {
            plain.push(row);
            continue;
        };
        let one = choices.iter().map(|choice| {
            let mut one = vec![choice];
            one.extend_from_slice(&row[1..]);
            one
        });
        plain.extend(without_alternatives(one.collect()));
    }
    plain
}

/// The keys that the patterns of a column name.
fn keys_of<'a>(heads: &[&'a CasePattern]) -> Vec<&'a str> {
    let mut keys = Vec::new();
    for head in heads {
        if let CasePattern::Map(entries) | CasePattern::Entity(_, entries) = head {
            keys.extend(entries.iter().map(|entry| entry.0.as_str()));
        }
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn by_key<'a>(entries: &'a [(String, CasePattern)], keys: &[&str]) -> Row<'a> {
    let of = |key: &&str| {
        let entry = entries.iter().find(|entry| entry.0 == **key);
        entry.map_or(&WILD, |entry| &entry.1)
    };
    keys.iter().map(of).collect()
}

fn entries_words(keys: &[&str], parts: &[String]) -> String {
    let entries: Vec<String> = keys
        .iter()
        .zip(parts)
        .filter(|entry| entry.1 != "_")
        .map(|(key, part)| format!("{key}: {part}"))
        .collect();
    if entries.is_empty() {
        "{}".to_owned()
    } else {
        format!("{{ {} }}", entries.join(", "))
    }
}

/// The kinds of values that may equal a literal or lie in a range.
fn literal_kinds(pattern: &CasePattern) -> Option<Set> {
    match pattern {
        CasePattern::Int(_) | CasePattern::Float(_) => Some(Set::NUMBER),
        CasePattern::Text(_) => Some(Set::TEXT),
        CasePattern::Between(start, ..) => literal_kinds(start),
        CasePattern::Any
        | CasePattern::Some
        | CasePattern::Unsure
        | CasePattern::Bool(_)
        | CasePattern::Typed(_)
        | CasePattern::Variant(..)
        | CasePattern::List { .. }
        | CasePattern::Tuple(_)
        | CasePattern::Map(_)
        | CasePattern::Entity(..)
        | CasePattern::Or(_) => None,
    }
}

/// Whether a literal or range takes all that another takes.
fn takes_literal(pattern: &CasePattern, literal: &CasePattern) -> bool {
    let before = |a: &CasePattern, b: &CasePattern| compared(a, b) == Some(Ordering::Less);
    let same = |a: &CasePattern, b: &CasePattern| compared(a, b) == Some(Ordering::Equal);
    match (pattern, literal) {
        (CasePattern::Between(start, end, closed), CasePattern::Between(from, to, to_closed)) => {
            let ends = before(to, end) || same(to, end) && (*closed || !to_closed);
            (before(start, from) || same(start, from)) && ends
        }
        (CasePattern::Between(start, end, closed), one) => {
            let ends = before(one, end) || same(one, end) && *closed;
            (before(start, one) || same(start, one)) && ends
        }
        (one, CasePattern::Between(from, to, closed)) => {
            *closed && same(one, from) && same(one, to)
        }
        (one, other) => same(one, other),
    }
}

fn compared(a: &CasePattern, b: &CasePattern) -> Option<Ordering> {
    match (a, b) {
        (CasePattern::Int(a), CasePattern::Int(b)) => Some(a.cmp(b)),
        (CasePattern::Text(a), CasePattern::Text(b)) => Some(a.cmp(b)),
        _ => number(a)?.partial_cmp(&number(b)?),
    }
}

fn number(pattern: &CasePattern) -> Option<f64> {
    match pattern {
        CasePattern::Int(value) => Some(*value as f64),
        CasePattern::Float(value) => Some(*value),
        _ => None,
    }
}
