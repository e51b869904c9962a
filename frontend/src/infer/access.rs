//! Fields, methods, elements: what a name after a dot or a bracket means for each kind of receiver. Here because the
//! meaning depends on nothing but the receiver's type. Must stay true: where the receiver has several types the access is
//! decided at run time; where it has none that could work it is an error with the nearest name that would.

use flin_syntax::Span;

use crate::hir::{EntityIx, ExprId, ExprKind, LocalId, RecordEntry};
use crate::types::{InstId, Meaning, SystemField};

use super::cells::{CellId, InstIx, MapKind, MapNodeId};
use super::mismatch::{Inside, Into};
use super::set::{Nominal, Set};
use super::walk::Walker;

use std::rc::Rc;

/// The fields of an error value.
pub(super) const ERROR_FIELDS: [&str; 10] = [
    "kind", "message", "entity", "field", "rule", "cause", "line", "column", "file", "trace",
];

impl<'p> Walker<'_, 'p> {
    pub(super) fn field(
        &mut self,
        expr: ExprId,
        recv: ExprId,
        name: (&str, Span),
        optional: bool,
    ) -> Set {
        let set = self.eval(recv);
        let (result, meaning) = self.field_of(expr, recv, set.without_none(optional), name);
        if let Some(meaning) = meaning {
            self.mean(expr, meaning);
        }
        let result = self.field_now(expr, result);
        self.with_none(set, result, optional)
    }

    /// `a?.b` gives none where a is none.
    fn with_none(&mut self, recv: Set, result: Set, optional: bool) -> Set {
        if optional && (recv.has(Set::NONE) || recv.is_any()) {
            return self.engine.cells.join_sets(result, Set::NONE);
        }
        result
    }

    fn field_of(
        &mut self,
        expr: ExprId,
        recv: ExprId,
        set: Set,
        name: (&str, Span),
    ) -> (Set, Option<Meaning>) {
        let set = self.engine.cells.norm(set);
        if set.is_never() {
            return (Set::NEVER, None);
        }
        if set.is_any() {
            let library = self.library_on_any(expr, recv, name.0);
            let meaning = library.map_or(Meaning::Dynamic, |meaning| {
                Meaning::KeyOr(Box::new(meaning))
            });
            return (Set::ANY, Some(meaning));
        }
        let rest = set.without(Set::NONE);
        if self.engine.cells.count(rest) > 1 {
            return self.field_of_several(expr, rest, name, recv);
        }
        if let Some(map) = rest.map {
            return self.map_field(recv, map, name);
        }
        if let Some(entity) = self.engine.cells.single_entity(rest) {
            return match self.entity_field(entity, name.0) {
                Some((result, meaning)) => (result, Some(meaning)),
                None => self.no_such_field(expr, recv, rest, name),
            };
        }
        if rest == Set::ERROR && ERROR_FIELDS.contains(&name.0) {
            return (error_field(name.0), Some(Meaning::ErrorField));
        }
        if rest == Set::RESPONSE && matches!(name.0, "status" | "headers" | "body") {
            return (Set::ANY, Some(Meaning::Dynamic));
        }
        if rest.is_never() {
            self.unknown_name(recv, set, name, Vec::new());
            return (Set::NEVER, None);
        }
        // Without parentheses: a method without further arguments.
        let result = self.method_of(expr, recv, rest, name, &[], true);
        (result, None)
    }

    fn map_field(
        &mut self,
        recv: ExprId,
        map: MapNodeId,
        name: (&str, Span),
    ) -> (Set, Option<Meaning>) {
        if let MapKind::Record(fields) = self.engine.cells.map_kind(map) {
            if let Some((_, field)) = fields.iter().find(|field| &*field.0 == name.0) {
                return (self.engine.cells.read(*field), Some(Meaning::RecordField));
            }
            if !self.method_as_key(recv, map, name) {
                self.absent_key(recv, map, name);
            }
            // None at run time; but what the program does with it may be meant for other records:
            // `if s.kind == "circle" { s.radius * 2 }`.
            return (Set::ANY, Some(Meaning::Dynamic));
        }
        self.method_as_key(recv, map, name);
        let value = self.engine.cells.make_dict(map);
        let value = self.engine.cells.read(value);
        (
            self.engine.cells.join_sets(value, Set::NONE),
            Some(Meaning::MapKey),
        )
    }

    /// The cell of a field of a value that is one record or one entity.
    pub(super) fn field_cell(&mut self, set: Set, name: &str) -> Option<CellId> {
        if self.engine.cells.count(set) != 1 {
            return None;
        }
        if let Some(map) = set.map {
            let MapKind::Record(fields) = self.engine.cells.map_kind(map) else {
                return None;
            };
            let field = fields.iter().find(|field| &*field.0 == name);
            return field.map(|field| field.1);
        }
        let entity = self.engine.cells.single_entity(set)?;
        let fields = &self.engine.program.entities[entity.index()].fields;
        let at = fields.iter().position(|field| field.name == name)?;
        Some(self.engine.entity_fields[entity.index()][at])
    }

    /// Type and meaning of a field of an entity.
    pub(super) fn entity_field(&mut self, entity: EntityIx, name: &str) -> Option<(Set, Meaning)> {
        let fields = &self.engine.program.entities[entity.index()].fields;
        if let Some(at) = fields.iter().position(|field| field.name == name) {
            let cell = self.engine.entity_fields[entity.index()][at];
            return Some((
                self.engine.cells.read(cell),
                Meaning::EntityField(at as u32),
            ));
        }
        let inverses = &self.engine.program.entities[entity.index()].inverses;
        if let Some(at) = inverses.iter().position(|inverse| inverse.name == name) {
            // One whose declaration was wrong was reported there.
            let set = match inverses[at].of {
                Some((listed, _)) => self.engine.cells.nominal(Nominal::Query(listed)),
                None => Set::NEVER,
            };
            return Some((set, Meaning::Inverse(at as u32)));
        }
        let (set, field) = match name {
            "id" => (Set::INT, SystemField::Id),
            "version" => return Some((Set::INT, Meaning::SystemField(SystemField::Version))),
            "created_at" => (Set::TIME, SystemField::CreatedAt),
            "updated_at" => (Set::TIME, SystemField::UpdatedAt),
            "deleted_at" => (Set::TIME.plus(Set::NONE), SystemField::DeletedAt),
            "valid_from" => (Set::TIME, SystemField::ValidFrom),
            "valid_to" => (Set::TIME.plus(Set::NONE), SystemField::ValidTo),
            _ => return None,
        };
        // Until it is saved a record has none of them.
        let unsaved = self.engine.cells.read(self.engine.unsaved[entity.index()]);
        let set = set.plus(unsaved.only(Set::NONE));
        Some((set, Meaning::SystemField(field)))
    }

    /// The receiver has several types: an error only if none of them has the field.
    fn field_of_several(
        &mut self,
        expr: ExprId,
        set: Set,
        name: (&str, Span),
        recv: ExprId,
    ) -> (Set, Option<Meaning>) {
        let mut possible = false;
        for member in self.engine.cells.members(set) {
            if let Some(map) = member.map {
                self.engine.cells.make_dict(map);
                possible = true;
            } else if let Some(entity) = self.engine.cells.single_entity(member) {
                possible |= self.entity_field(entity, name.0).is_some();
            } else if member == Set::ERROR {
                possible |= ERROR_FIELDS.contains(&name.0);
            } else {
                possible |= !flin_bytecode::library::lookup(name.0).is_empty();
            }
        }
        if !possible {
            let mut known: Vec<String> = Vec::new();
            for member in self.engine.cells.members(set) {
                if let Some(entity) = self.engine.cells.single_entity(member) {
                    known.extend(self.field_names(entity));
                } else if member == Set::ERROR {
                    known.extend(ERROR_FIELDS.map(str::to_owned));
                }
            }
            self.unknown_name(recv, set, name, known);
            return (Set::NEVER, None);
        }
        self.engine.cells.escape(set);
        let library = self.library_on_any(expr, recv, name.0);
        let meaning = library.map_or(Meaning::Dynamic, |meaning| {
            Meaning::KeyOr(Box::new(meaning))
        });
        (Set::ANY, Some(meaning))
    }

    fn no_such_field(
        &mut self,
        expr: ExprId,
        recv: ExprId,
        set: Set,
        name: (&str, Span),
    ) -> (Set, Option<Meaning>) {
        if !flin_bytecode::library::lookup(name.0).is_empty() {
            return (self.method_of(expr, recv, set, name, &[], true), None);
        }
        let known = match self.engine.cells.single_entity(set) {
            Some(entity) => self.field_names(entity),
            None => Vec::new(),
        };
        self.unknown_name(recv, set, name, known);
        (Set::NEVER, None)
    }

    pub(super) fn field_names(&self, entity: EntityIx) -> Vec<String> {
        let fields = &self.engine.program.entities[entity.index()].fields;
        let own = fields.iter().map(|field| field.name.clone());
        let inverses = &self.engine.program.entities[entity.index()].inverses;
        let own = own.chain(inverses.iter().map(|inverse| inverse.name.clone()));
        own.chain(["id", "version", "created_at", "updated_at", "deleted_at"].map(str::to_owned))
            .collect()
    }

    pub(super) fn set_field(
        &mut self,
        expr: ExprId,
        recv: ExprId,
        name: (&'p str, Span),
        value: ExprId,
    ) -> Set {
        let set = self.set_field_of(expr, recv, name, value);
        let new = self.value_of(value);
        self.assigned_field(recv, name.0, new);
        set
    }

    fn set_field_of(
        &mut self,
        expr: ExprId,
        recv: ExprId,
        name: (&str, Span),
        value: ExprId,
    ) -> Set {
        let set = self.eval(recv);
        let new = self.eval(value);
        let set = set.without(Set::NONE);
        if set.is_never() || new.is_never() {
            return if new.is_never() {
                Set::NEVER
            } else {
                Set::NONE
            };
        }
        if set.is_any() || self.engine.cells.count(set) > 1 {
            self.engine.cells.escape(new);
            for member in self.engine.cells.members(set) {
                if let Some(map) = member.map {
                    self.text_key(map);
                    let cell = self.engine.cells.make_dict(map);
                    self.flow(cell, new, value, Into::Inside(recv, Inside::Values));
                }
            }
            self.mean(expr, Meaning::Dynamic);
            return Set::NONE;
        }
        if let Some(map) = set.map {
            self.set_map_field(expr, recv, map, name.0, (value, new));
        } else if let Some(entity) = self.engine.cells.single_entity(set) {
            self.set_entity_field(expr, recv, entity, name, (value, new));
        } else {
            self.cannot_set_field(recv, set, name);
        }
        Set::NONE
    }

    fn set_map_field(
        &mut self,
        expr: ExprId,
        recv: ExprId,
        map: MapNodeId,
        name: &str,
        value: (ExprId, Set),
    ) {
        if let MapKind::Record(fields) = self.engine.cells.map_kind(map)
            && let Some((_, field)) = fields.iter().find(|field| &*field.0 == name)
        {
            self.flow(*field, value.1, value.0, Into::Part);
            self.mean(expr, Meaning::RecordField);
            return;
        }
        self.text_key(map);
        let cell = self.engine.cells.make_dict(map);
        self.flow(cell, value.1, value.0, Into::Inside(recv, Inside::Values));
        self.mean(expr, Meaning::MapKey);
    }

    /// A name is a text key.
    fn text_key(&mut self, map: MapNodeId) {
        let key = self.engine.cells.dict_key(map);
        self.engine.cells.join(key, Set::TEXT);
    }

    fn set_entity_field(
        &mut self,
        expr: ExprId,
        recv: ExprId,
        entity: EntityIx,
        name: (&str, Span),
        value: (ExprId, Set),
    ) {
        match self.entity_field(entity, name.0) {
            Some((_, Meaning::EntityField(at))) => {
                self.store_field(entity, at, value.1, value.0);
                self.mean(expr, Meaning::EntityField(at));
            }
            Some((_, Meaning::Inverse(_))) => self.listed_field(entity, name),
            Some(_) => self.automatic_field(entity, name),
            None => {
                let set = self.engine.cells.entity(entity);
                let known = self.field_names(entity);
                self.unknown_name(recv, set, name, known);
            }
        }
    }

    pub(super) fn implicit(
        &mut self,
        expr: ExprId,
        it: LocalId,
        name: &str,
        outer: Option<ExprId>,
    ) -> Set {
        let set = self.local_now(it).without(Set::NONE);
        if set.is_never() {
            return Set::NEVER;
        }
        if let Some(entity) = self.engine.cells.single_entity(set)
            && self.engine.cells.count(set) == 1
        {
            if let Some((result, meaning)) = self.entity_field(entity, name) {
                self.mean(expr, Meaning::ImplicitOwn(Box::new(meaning)));
                return result;
            }
            if outer.is_none() {
                let known = self.field_names(entity);
                let span = self.span(expr);
                self.unknown_name(expr, set, (name, span), known);
                return Set::NEVER;
            }
        }
        match outer {
            Some(outer) => {
                self.mean(expr, Meaning::ImplicitOuter);
                self.eval(outer)
            }
            None => {
                self.not_a_query(expr, name);
                Set::NEVER
            }
        }
    }

    // ---- elements

    /// Elements of a query are those of the list of its records.
    fn walked(&mut self, expr: ExprId, set: Set) -> Option<Set> {
        let entity = self.engine.cells.single_query(set)?;
        let list = self.query_list(expr, entity);
        self.mean(expr, Meaning::Direct(InstId(list.0)));
        let result = self.engine.insts[list.index()].result;
        Some(self.engine.cells.read(result))
    }

    pub(super) fn index(&mut self, expr: ExprId, recv: ExprId, index: ExprId) -> Set {
        let (set, at) = (self.eval(recv), self.eval(index));
        if set.is_never() || at.is_never() {
            return Set::NEVER;
        }
        if set.is_any() {
            return Set::ANY;
        }
        let rest = set.without(Set::NONE);
        if self.engine.cells.count(rest) > 1 {
            return self.index_of_several(rest, recv);
        }
        if let Some(records) = self.walked(expr, rest)
            && let Some(element) = records.list
        {
            self.want_int(index, at);
            return self.engine.cells.read(element);
        }
        if let Some(element) = rest.list {
            self.want_int(index, at);
            return self.engine.cells.read(element);
        }
        if let Some(map) = rest.map {
            // A key that is written is a field.
            if let ExprKind::Text(name) = self.kind(index)
                && let MapKind::Record(fields) = self.engine.cells.map_kind(map)
            {
                let field = fields.iter().find(|field| *field.0 == **name);
                return field.map_or(Set::ANY, |field| self.engine.cells.read(field.1));
            }
            let value = self.engine.cells.make_dict(map);
            self.engine.cells.map_kind(map);
            let value = self.engine.cells.read(value);
            return self.engine.cells.join_sets(value, Set::NONE);
        }
        if rest == Set::TEXT {
            self.want_int(index, at);
            return Set::TEXT;
        }
        if let Some(tuple) = rest.tuple {
            let items = self.engine.cells.tuple_items(tuple);
            self.names_for_all(recv, items.len());
            return self.tuple_item(index, &items);
        }
        self.not_indexable(recv, set);
        Set::NEVER
    }

    /// A tuple is taken apart as a whole: a pattern of fewer names would lose members in silence.
    fn names_for_all(&mut self, recv: ExprId, members: usize) {
        if let ExprKind::Local(local) = self.kind(recv)
            && let Some((names, place)) = self.function.locals[local.index()].tuple
            && (names as usize) < members
        {
            self.too_few_names(recv, (names as usize, place), members);
        }
    }

    fn tuple_item(&mut self, index: ExprId, items: &Rc<Vec<CellId>>) -> Set {
        if let ExprKind::Int(n) = self.kind(index) {
            let at = if *n < 0 { *n + items.len() as i64 } else { *n };
            let item = usize::try_from(at)
                .ok()
                .and_then(|at| items.get(at))
                .copied();
            return match item {
                Some(item) => self.engine.cells.read(item),
                None => {
                    self.no_tuple_item(index, items.len());
                    Set::NEVER
                }
            };
        }
        for item in items.iter() {
            let set = self.engine.cells.read(*item);
            self.engine.cells.escape(set);
        }
        Set::ANY
    }

    fn index_of_several(&mut self, set: Set, recv: ExprId) -> Set {
        let members = self.engine.cells.members(set);
        let fits = |member: &Set| {
            member.list.is_some()
                || member.map.is_some()
                || member.tuple.is_some()
                || *member == Set::TEXT
        };
        if !members.iter().any(fits) {
            self.not_indexable(recv, set);
            return Set::NEVER;
        }
        for map in members.iter().filter_map(|member| member.map) {
            self.engine.cells.make_dict(map);
        }
        self.engine.cells.escape(set);
        Set::ANY
    }

    pub(super) fn set_index(&mut self, recv: ExprId, index: ExprId, value: ExprId) -> Set {
        let (set, at, new) = (self.eval(recv), self.eval(index), self.eval(value));
        if new.is_never() || at.is_never() {
            return Set::NEVER;
        }
        let set = set.without(Set::NONE);
        if set.is_any() {
            self.engine.cells.escape(new);
            return Set::NONE;
        }
        let mut fits = set.is_never();
        if let Some(element) = set.list {
            if self.engine.cells.count(set) == 1 {
                self.want_int(index, at);
            }
            self.flow(element, new, value, Into::Inside(recv, Inside::Elements));
            fits = true;
        }
        if let Some(map) = set.map {
            let key = self.engine.cells.dict_key(map);
            self.flow(key, at, index, Into::Inside(recv, Inside::Keys));
            let cell = self.engine.cells.make_dict(map);
            self.flow(cell, new, value, Into::Inside(recv, Inside::Values));
            fits = true;
        }
        if !fits {
            self.not_settable(recv, set);
        }
        Set::NONE
    }

    pub(super) fn slice(&mut self, expr: ExprId, recv: ExprId, bounds: [Option<ExprId>; 3]) -> Set {
        let set = self.eval(recv);
        let set = self.walked(expr, set.without(Set::NONE)).unwrap_or(set);
        for bound in bounds.into_iter().flatten() {
            let at = self.eval(bound);
            if !at.has(Set::NONE) {
                self.want_int(bound, at);
            }
        }
        if set.is_any() || set.is_never() {
            return set;
        }
        let result = Set {
            list: set.list,
            ..set.only(Set::TEXT)
        };
        if result.is_never() {
            self.not_indexable(recv, set);
        }
        result
    }

    // ---- map literals

    pub(super) fn record(&mut self, expr: ExprId, entries: &[RecordEntry]) -> Set {
        let mut parts: Vec<Part> = Vec::new();
        // A record has no more fields than slots; what is longer is a table of data.
        let long = entries.len() > flin_bytecode::verify::SLOTS_MAX;
        let mut open: Option<(Set, Set)> = if entries.is_empty() || long {
            Some((Set::NEVER, Set::NEVER))
        } else {
            None
        };
        let mut never = false;
        for entry in entries {
            match entry {
                RecordEntry::Field(name, _, value) => {
                    let set = self.eval(*value);
                    let part = Part::new(name.as_str().into(), set, *value, Into::Part);
                    if long {
                        parts.push(part);
                    } else {
                        put(&mut parts, part);
                    }
                }
                RecordEntry::Spread(value) => {
                    let set = self.eval(*value);
                    never |= set.is_never();
                    self.spread(set, *value, &mut parts, &mut open);
                }
            }
        }
        if never {
            return Set::NEVER;
        }
        let node = self.record_node(expr, &parts, open.is_some());
        match self.engine.cells.map_kind(node) {
            MapKind::Record(fields) => {
                for (part, (_, cell)) in parts.iter().zip(fields.iter()) {
                    self.flow(*cell, part.set, part.value, part.into);
                }
            }
            MapKind::Dict(cell, key) => {
                self.place(expr);
                if !parts.is_empty() {
                    self.engine.cells.join(key, Set::TEXT);
                }
                for part in &parts {
                    self.flow(cell, part.set, part.value, part.into);
                }
                if let Some((set, keys)) = open {
                    self.engine.cells.join(key, keys);
                    self.flow(cell, set, expr, Into::Spread);
                }
            }
        }
        self.engine.cells.norm(Set::map(node))
    }

    fn spread(
        &mut self,
        set: Set,
        value: ExprId,
        parts: &mut Vec<Part>,
        open: &mut Option<(Set, Set)>,
    ) {
        if set.is_any() {
            *open = Some((Set::ANY, Set::ANY));
            return;
        }
        match self.map_kind(set) {
            Some(MapKind::Record(fields)) => {
                for (name, cell) in fields.iter() {
                    let set = self.engine.cells.read(*cell);
                    put(parts, Part::new(name.clone(), set, value, Into::Spread));
                }
            }
            Some(MapKind::Dict(cell, key)) => {
                let set = self.engine.cells.read(cell);
                let keys = self.engine.cells.read(key);
                let before = open.unwrap_or((Set::NEVER, Set::NEVER));
                let set = self.engine.cells.join_sets(before.0, set);
                *open = Some((set, self.engine.cells.join_sets(before.1, keys)));
            }
            None if !set.without(Set::NONE).is_never() => self.not_spreadable(value, set),
            None => {}
        }
    }

    /// The map of a literal: a record with these names, unless it was something else before.
    fn record_node(&mut self, expr: ExprId, parts: &[Part], open: bool) -> MapNodeId {
        let known = self.engine.insts[self.inst.index()]
            .sites
            .maps
            .get(&(expr, 0))
            .copied();
        let node = match known {
            Some(node) => {
                if let MapKind::Record(fields) = self.engine.cells.map_kind(node) {
                    let same = fields.len() == parts.len()
                        && fields
                            .iter()
                            .zip(parts)
                            .all(|(field, part)| field.0 == part.name);
                    if !same || open {
                        self.engine.cells.make_dict(node);
                    }
                }
                return node;
            }
            None if open => {
                let value = self.engine.cells.cell();
                let key = self.engine.cells.cell();
                self.engine.cells.dict(value, key)
            }
            None => {
                let fields = parts
                    .iter()
                    .map(|part| (part.name.clone(), self.engine.cells.cell()))
                    .collect();
                self.engine.cells.record(fields)
            }
        };
        self.engine.insts[self.inst.index()]
            .sites
            .maps
            .insert((expr, 0), node);
        node
    }

    /// The instance that makes a list of a query.
    pub(super) fn query_list(&mut self, expr: ExprId, entity: EntityIx) -> InstIx {
        let query = self.engine.cells.nominal(Nominal::Query(entity));
        match self.engine.program.prelude.get("__q_list") {
            Some(func) => {
                let (inst, _) = self.call_instance(expr, *func, &[], &[query]);
                inst
            }
            None => self.inst,
        }
    }
}

/// A field of a map literal, written or spread.
struct Part {
    name: Rc<str>,
    set: Set,
    /// The value, or what is spread.
    value: ExprId,
    into: Into,
}

impl Part {
    fn new(name: Rc<str>, set: Set, value: ExprId, into: Into) -> Part {
        Part {
            name,
            set,
            value,
            into,
        }
    }
}

fn put(parts: &mut Vec<Part>, new: Part) {
    match parts.iter_mut().find(|part| part.name == new.name) {
        Some(part) => *part = new,
        None => parts.push(new),
    }
}

fn error_field(name: &str) -> Set {
    match name {
        "kind" | "message" | "file" => Set::TEXT,
        "line" | "column" => Set::INT,
        "cause" => Set::ERROR.plus(Set::NONE),
        "entity" | "field" | "rule" => Set::TEXT.plus(Set::NONE),
        _ => Set::ANY,
    }
}

impl Set {
    fn without_none(self, optional: bool) -> Set {
        if optional {
            self.without(Set::NONE)
        } else {
            self
        }
    }
}
