//! Cells: the places where types meet. Variables join what flows into them; lists, maps, functions and tuples that meet
//! are unified, so that what one alias stores every other alias expects. Here because everything the analysis knows
//! between two walks lies in these flat tables. Must stay true: a cell only grows (until it is unified with a declared
//! one); who has read a cell is walked again when it grew; every chain of unifications ends, because each makes one
//! root less.

use std::rc::Rc;

use flin_syntax::Span;
use foldhash::{HashMap, HashSet};

use super::enums::EnumNode;
use super::frozen::Frozen;
use super::functions::FuncNode;
use super::set::{MEMBERS_MAX, Nominal, NominalsId, Set};

/// A variable, parameter, result, field, element or global.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct CellId(pub(super) u32);
/// A map or record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct MapNodeId(pub(super) u32);
/// A function type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct FuncNodeId(pub(super) u32);
/// A tuple type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TupleNodeId(pub(super) u32);
/// A typed copy of a function while the analysis runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct InstIx(pub(super) u32);

impl InstIx {
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

struct Cell {
    parent: u32,
    set: Set,
    /// Declared by an annotation: does not grow.
    fixed: bool,
    /// What does not fit and was unified with it; it is reported where that happened.
    conflict: Set,
    readers: Vec<InstIx>,
    /// First place of each member, for messages.
    origins: Vec<(Set, Span)>,
}

/// What a map value looks like.
#[derive(Clone)]
pub(super) enum MapKind {
    /// Known names in a known order.
    Record(Rc<Vec<(Rc<str>, CellId)>>),
    /// Any keys: values of one type, and the keys' type.
    Dict(CellId, CellId),
}

struct MapNode {
    parent: u32,
    kind: MapKind,
    readers: Vec<InstIx>,
}

struct TupleNode {
    parent: u32,
    items: Rc<Vec<CellId>>,
}

/// A container that met a declared one with other contents.
#[derive(Clone, Debug)]
pub(super) struct Conflict {
    pub(super) place: Span,
    pub(super) declared: Set,
    pub(super) found: Set,
    /// Where the found contents came from.
    pub(super) origins: Vec<(Set, Span)>,
}

/// All cells of an analysis.
#[derive(Default)]
pub(super) struct Cells {
    cells: Vec<Cell>,
    maps: Vec<MapNode>,
    pub(super) funcs: Vec<FuncNode>,
    tuples: Vec<TupleNode>,
    pub(super) enums: Vec<EnumNode>,
    pub(super) nominal_lists: Vec<Vec<Nominal>>,
    pub(super) nominal_ids: HashMap<Vec<Nominal>, NominalsId>,
    /// Instances whose inputs grew since the engine last looked.
    pub(super) woken: Vec<InstIx>,
    /// Containers and functions that went into an `any` place.
    escaped: HashSet<Set>,
    pub(super) escapes: Vec<Set>,
    /// Containers that met a declared one with other contents.
    pub(super) conflicts: Vec<Conflict>,
    /// Who walks now (reads are noted for it).
    pub(super) reader: Option<InstIx>,
    /// Where the walk is (for origins); none in the prelude.
    pub(super) place: Option<Span>,
    seen_readers: HashSet<(u32, u32)>,
    /// What the program that runs has settled, once functions that nobody calls are looked at.
    pub(super) frozen: Option<Frozen>,
}

impl Cells {
    pub(super) fn new() -> Cells {
        let mut cells = Cells::default();
        assert_eq!(
            cells.intern_nominals(Vec::new()),
            0,
            "the empty list of nominal members is number 0"
        );
        cells
    }

    pub(super) fn cell(&mut self) -> CellId {
        self.cell_of(Set::NEVER, false)
    }

    pub(super) fn fixed_cell(&mut self, set: Set) -> CellId {
        self.cell_of(set, true)
    }

    fn cell_of(&mut self, set: Set, fixed: bool) -> CellId {
        let id = self.cells.len() as u32;
        self.cells.push(Cell {
            parent: id,
            set,
            fixed,
            conflict: Set::NEVER,
            readers: Vec::new(),
            origins: Vec::new(),
        });
        CellId(id)
    }

    pub(super) fn find(&mut self, cell: CellId) -> CellId {
        let mut at = cell.0;
        while self.cells[at as usize].parent != at {
            let up = self.cells[self.cells[at as usize].parent as usize].parent;
            self.cells[at as usize].parent = up;
            at = up;
        }
        CellId(at)
    }

    pub(super) fn find_map(&mut self, map: MapNodeId) -> MapNodeId {
        let mut at = map.0;
        while self.maps[at as usize].parent != at {
            at = self.maps[at as usize].parent;
        }
        self.maps[map.0 as usize].parent = at;
        MapNodeId(at)
    }

    fn find_tuple(&mut self, tuple: TupleNodeId) -> TupleNodeId {
        let mut at = tuple.0;
        while self.tuples[at as usize].parent != at {
            at = self.tuples[at as usize].parent;
        }
        self.tuples[tuple.0 as usize].parent = at;
        TupleNodeId(at)
    }

    /// The set with its containers named by their roots.
    pub(super) fn norm(&mut self, set: Set) -> Set {
        if set.scalars_only() {
            return set;
        }
        Set {
            bits: set.bits,
            list: set.list.map(|cell| self.find(cell)),
            map: set.map.map(|map| self.find_map(map)),
            func: set.func.map(|func| self.find_func(func)),
            tuple: set.tuple.map(|tuple| self.find_tuple(tuple)),
            enums: set.enums.map(|node| self.find_enums(node)),
            nominals: set.nominals,
        }
    }

    /// What the cell holds; the walking instance is walked again when it grows.
    pub(super) fn read(&mut self, cell: CellId) -> Set {
        let root = self.find(cell);
        if let Some(reader) = self.reader
            && self.seen_readers.insert((root.0, reader.0))
        {
            self.cells[root.0 as usize].readers.push(reader);
        }
        self.norm(self.cells[root.0 as usize].set)
    }

    /// What the cell holds, without noting a reader.
    pub(super) fn peek(&mut self, cell: CellId) -> Set {
        let root = self.find(cell);
        self.norm(self.cells[root.0 as usize].set)
    }

    /// Lets a declared cell hold scalars that were not declared.
    pub(super) fn widen(&mut self, cell: CellId, scalars: Set) {
        let root = self.find(cell);
        let held = self.cells[root.0 as usize].set;
        let wider = held.plus(scalars);
        if held != wider && !self.is_frozen(root) {
            self.cells[root.0 as usize].set = wider;
            self.wake(root);
        }
    }

    pub(super) fn is_fixed(&mut self, cell: CellId) -> bool {
        let root = self.find(cell);
        self.cells[root.0 as usize].fixed
    }

    /// First place of each member of the cell.
    pub(super) fn origins(&mut self, cell: CellId) -> Vec<(Set, Span)> {
        let root = self.find(cell);
        self.cells[root.0 as usize].origins.clone()
    }

    fn wake(&mut self, root: CellId) {
        self.woken
            .extend_from_slice(&self.cells[root.0 as usize].readers);
    }

    /// Lets a value flow into a cell.
    pub(super) fn join(&mut self, cell: CellId, value: Set) {
        if value.is_never() {
            return;
        }
        loop {
            let root = self.find(cell);
            let old = self.norm(self.cells[root.0 as usize].set);
            let new = if self.cells[root.0 as usize].fixed || self.is_frozen(root) {
                self.absorb(old, value)
            } else {
                self.join_sets(old, value)
            };
            let after = self.find(cell);
            let held = self.norm(self.cells[after.0 as usize].set);
            let new = self.norm(new);
            if held == new {
                if self.cells[after.0 as usize].set != new {
                    self.cells[after.0 as usize].set = new;
                }
                return;
            }
            // Only if unifying has not changed the cell meanwhile; else join again with what is there now.
            if after == root && held == self.norm(old) {
                self.cells[root.0 as usize].set = new;
                self.note_origin(root, old, new);
                self.wake(root);
                return;
            }
        }
    }

    fn note_origin(&mut self, root: CellId, old: Set, new: Set) {
        let Some(place) = self.place else { return };
        let added: Vec<Set> = {
            let before = self.members(old);
            self.members(new)
                .into_iter()
                .filter(|member| !before.contains(member))
                .collect()
        };
        for member in added {
            self.cells[root.0 as usize].origins.push((member, place));
        }
    }

    /// A value flows into a declared place: only containers of a declared kind are unified.
    fn absorb(&mut self, declared: Set, value: Set) -> Set {
        if declared.is_any() {
            self.escape(value);
            return declared;
        }
        if value.is_any() {
            return declared;
        }
        let shared = Set {
            bits: 0,
            list: declared.list.and(value.list),
            map: declared.map.and(value.map),
            func: declared.func.and(value.func),
            tuple: declared.tuple.and(value.tuple),
            enums: declared.enums.and(value.enums),
            nominals: 0,
        };
        self.join_sets(declared, shared);
        self.norm(declared)
    }

    /// The union of two sets; containers of both are unified.
    pub(super) fn join_sets(&mut self, a: Set, b: Set) -> Set {
        if a.scalars_only() && b.scalars_only() {
            let joined = a.plus(b);
            return if self.count(joined) > MEMBERS_MAX {
                Set::ANY
            } else {
                joined
            };
        }
        if a.is_any() || b.is_any() {
            self.escape(a);
            self.escape(b);
            return Set::ANY;
        }
        let list = pick(a.list, b.list);
        if let (Some(x), Some(y)) = (a.list, b.list) {
            self.unify(x, y);
        }
        if let (Some(x), Some(y)) = (a.map, b.map) {
            self.unify_maps(x, y);
        }
        let mut fits = true;
        if let (Some(x), Some(y)) = (a.func, b.func) {
            fits &= self.unify_funcs(x, y);
        }
        if let (Some(x), Some(y)) = (a.tuple, b.tuple) {
            fits &= self.unify_tuples(x, y);
        }
        if let (Some(x), Some(y)) = (a.enums, b.enums) {
            self.unify_enums(x, y);
        }
        let mut members = self.nominals(a).to_vec();
        members.extend_from_slice(self.nominals(b));
        members.sort_unstable();
        members.dedup();
        let joined = Set {
            bits: a.bits | b.bits,
            list,
            map: pick(a.map, b.map),
            func: self.pick_func(a.func, b.func),
            tuple: pick(a.tuple, b.tuple),
            enums: pick(a.enums, b.enums),
            nominals: self.intern_nominals(members),
        };
        if !fits || self.count(joined) > MEMBERS_MAX {
            self.escape(a);
            self.escape(b);
            return Set::ANY;
        }
        self.norm(joined)
    }

    /// A value went into an `any` place: its functions may be called with anything, its empty lists filled with anything.
    pub(super) fn escape(&mut self, set: Set) {
        let set = self.norm(Set {
            bits: 0,
            nominals: 0,
            ..set
        });
        if !set.is_never() && self.escaped.insert(set) {
            self.escapes.push(set);
        }
    }

    /// Makes two cells one.
    pub(super) fn unify(&mut self, a: CellId, b: CellId) {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return;
        }
        let (keep, drop) = if a < b { (a, b) } else { (b, a) };
        let (keep_frozen, drop_frozen) = (self.is_frozen(keep), self.is_frozen(drop));
        if keep_frozen && drop_frozen {
            return;
        }
        let (kept, dropped) = (
            self.norm(self.cells[keep.0 as usize].set),
            self.norm(self.cells[drop.0 as usize].set),
        );
        let (keep_fixed, drop_fixed) = (
            self.cells[keep.0 as usize].fixed,
            self.cells[drop.0 as usize].fixed,
        );
        self.cells[drop.0 as usize].parent = keep.0;
        if kept != dropped {
            self.wake(keep);
            self.wake(drop);
        }
        let found_in = if keep_fixed { drop } else { keep };
        let found_origins = if keep_fixed == drop_fixed {
            Vec::new()
        } else {
            self.cells[found_in.0 as usize].origins.clone()
        };
        self.merge_notes(keep, drop);
        let place = self.place.take();
        if keep_fixed != drop_fixed {
            let (declared, found) = if keep_fixed {
                (kept, dropped)
            } else {
                (dropped, kept)
            };
            self.note_conflict(keep, place, (declared, found), found_origins);
        } else if keep_fixed && self.are_disjoint(kept, dropped) {
            // The first of the two is the place, the second the value.
            let sides = if keep == a {
                (kept, dropped)
            } else {
                (dropped, kept)
            };
            self.note_conflict(keep, place, sides, Vec::new());
        }
        let conflict = self.cells[drop.0 as usize].conflict;
        self.add_conflict(keep, conflict);
        if keep_frozen {
            self.join(keep, dropped);
        } else if drop_frozen {
            self.cells[keep.0 as usize].set = dropped;
            self.cells[keep.0 as usize].fixed = drop_fixed;
            self.freeze_too(keep);
            self.join(keep, kept);
        } else if drop_fixed && !keep_fixed {
            self.cells[keep.0 as usize].set = dropped;
            self.cells[keep.0 as usize].fixed = true;
            self.join(keep, kept);
        } else if drop_fixed {
            // Two declarations that differ: hold both.
            self.cells[keep.0 as usize].fixed = false;
            self.join(keep, dropped);
            let root = self.find(keep);
            self.cells[root.0 as usize].fixed = true;
        } else {
            self.join(keep, dropped);
        }
        self.place = place;
    }

    /// Readers and origins of a cell go to the one that it became.
    fn merge_notes(&mut self, keep: CellId, drop: CellId) {
        let readers = std::mem::take(&mut self.cells[drop.0 as usize].readers);
        for reader in readers {
            if self.seen_readers.insert((keep.0, reader.0)) {
                self.cells[keep.0 as usize].readers.push(reader);
            }
        }
        let origins = std::mem::take(&mut self.cells[drop.0 as usize].origins);
        for (member, place) in origins {
            if !self.cells[keep.0 as usize]
                .origins
                .iter()
                .any(|(known, _)| *known == member)
            {
                self.cells[keep.0 as usize].origins.push((member, place));
            }
        }
    }

    /// Whether no value is of both sets.
    fn are_disjoint(&mut self, a: Set, b: Set) -> bool {
        let others = self.nominals(b).to_vec();
        let shared = self.nominals(a).iter().any(|it| others.contains(it));
        let numbers = a.has(Set::NUMBER) && b.has(Set::NUMBER);
        let containers = a.list.is_some() && b.list.is_some()
            || a.map.is_some() && b.map.is_some()
            || a.func.is_some() && b.func.is_some()
            || a.tuple.is_some() && b.tuple.is_some();
        let open = a.is_any() || b.is_any() || a.is_never() || b.is_never();
        !(open || shared || numbers || containers || a.bits & b.bits != 0)
    }

    fn note_conflict(
        &mut self,
        cell: CellId,
        place: Option<Span>,
        (declared, found): (Set, Set),
        origins: Vec<(Set, Span)>,
    ) {
        let Some(place) = place else { return };
        if declared.is_any() || found.is_any() {
            return;
        }
        let rest = Set {
            bits: found.bits & !declared.bits,
            ..found
        };
        let widened = declared.has(Set::FLOAT);
        let rest = if widened {
            rest.without(Set::INT)
        } else {
            rest
        };
        let allowed = self.nominals(declared).to_vec();
        let rest = self.without_nominals(rest, |member| allowed.contains(&member));
        let unfit = rest.bits != 0
            || rest.nominals != 0
            || rest.list.is_some() && declared.list.is_none()
            || rest.map.is_some() && declared.map.is_none()
            || rest.func.is_some() && declared.func.is_none()
            || rest.tuple.is_some() && declared.tuple.is_none();
        if unfit {
            self.add_conflict(cell, rest);
            self.conflicts.push(Conflict {
                place,
                declared,
                found,
                origins,
            });
        }
    }

    fn add_conflict(&mut self, cell: CellId, found: Set) {
        let known = &mut self.cells[cell.0 as usize].conflict;
        *known = Set {
            bits: known.bits | found.bits,
            list: known.list.or(found.list),
            map: known.map.or(found.map),
            func: known.func.or(found.func),
            tuple: known.tuple.or(found.tuple),
            enums: None,
            nominals: known.nominals.max(found.nominals),
        };
    }

    /// Whether values of this type do not fit the declared cell, and it was reported elsewhere.
    pub(super) fn has_conflict(&mut self, cell: CellId, value: Set) -> bool {
        let root = self.find(cell);
        let known = self.cells[root.0 as usize].conflict;
        !known.is_never()
            && value.bits & !known.bits == 0
            && (value.list.is_none() || known.list.is_some())
            && (value.map.is_none() || known.map.is_some())
            && (value.func.is_none() || known.func.is_some())
            && (value.tuple.is_none() || known.tuple.is_some())
            && (value.nominals == 0 || known.nominals != 0)
    }

    // ---- maps and records

    pub(super) fn record(&mut self, fields: Vec<(Rc<str>, CellId)>) -> MapNodeId {
        self.map_node(MapKind::Record(Rc::new(fields)))
    }

    pub(super) fn dict(&mut self, value: CellId, key: CellId) -> MapNodeId {
        self.map_node(MapKind::Dict(value, key))
    }

    fn map_node(&mut self, kind: MapKind) -> MapNodeId {
        let id = self.maps.len() as u32;
        self.maps.push(MapNode {
            parent: id,
            kind,
            readers: Vec::new(),
        });
        MapNodeId(id)
    }

    /// What the map looks like; the reader is walked again when a record becomes a dictionary.
    pub(super) fn map_kind(&mut self, map: MapNodeId) -> MapKind {
        let root = self.find_map(map);
        if let Some(reader) = self.reader
            && !self.maps[root.0 as usize].readers.contains(&reader)
        {
            self.maps[root.0 as usize].readers.push(reader);
        }
        self.maps[root.0 as usize].kind.clone()
    }

    fn is_record(&self, map: MapNodeId) -> bool {
        matches!(self.maps[map.0 as usize].kind, MapKind::Record(_))
    }

    /// How many cells, maps, functions and tuples there are.
    pub(super) fn counts(&self) -> [usize; 4] {
        [
            self.cells.len(),
            self.maps.len(),
            self.funcs.len(),
            self.tuples.len(),
        ]
    }

    /// Whether it is a dictionary of anything.
    pub(super) fn is_any_map(&mut self, map: MapNodeId) -> bool {
        let root = self.find_map(map);
        match self.maps[root.0 as usize].kind {
            MapKind::Dict(value, _) => self.peek(value).is_any(),
            MapKind::Record(_) => false,
        }
    }

    /// Turns a record into a dictionary; gives its value cell.
    pub(super) fn make_dict(&mut self, map: MapNodeId) -> CellId {
        let root = self.find_map(map);
        let fields = match self.maps[root.0 as usize].kind.clone() {
            MapKind::Dict(value, _) => return value,
            MapKind::Record(_) if self.is_frozen_map(root) => return self.fixed_cell(Set::ANY),
            MapKind::Record(fields) => fields,
        };
        let value = self.cell();
        let key = self.cell();
        if !fields.is_empty() {
            self.join(key, Set::TEXT);
        }
        self.maps[root.0 as usize].kind = MapKind::Dict(value, key);
        let readers = self.maps[root.0 as usize].readers.clone();
        self.woken.extend(readers);
        for (_, field) in fields.iter() {
            self.unify(value, *field);
        }
        value
    }

    /// The cell of the keys; the map becomes a dictionary.
    pub(super) fn dict_key(&mut self, map: MapNodeId) -> CellId {
        self.make_dict(map);
        let root = self.find_map(map);
        match self.maps[root.0 as usize].kind {
            MapKind::Dict(_, key) => key,
            // What is frozen stays a record.
            MapKind::Record(_) => self.fixed_cell(Set::TEXT),
        }
    }

    pub(super) fn unify_maps(&mut self, a: MapNodeId, b: MapNodeId) {
        let (a, b) = (self.find_map(a), self.find_map(b));
        if a == b || self.is_frozen_map(a) && self.is_frozen_map(b) {
            return;
        }
        if let (MapKind::Record(x), MapKind::Record(y)) = (
            self.maps[a.0 as usize].kind.clone(),
            self.maps[b.0 as usize].kind.clone(),
        ) && x.len() == y.len()
            && x.iter().zip(y.iter()).all(|(l, r)| l.0 == r.0)
        {
            self.link_maps(a, b);
            for (l, r) in x.iter().zip(y.iter()) {
                self.unify(l.1, r.1);
            }
            return;
        }
        for one in [a, b] {
            if self.is_frozen_map(one) && self.is_record(one) {
                return;
            }
        }
        let (x, y) = (self.make_dict(a), self.make_dict(b));
        let (x_key, y_key) = (self.dict_key(a), self.dict_key(b));
        self.unify(x_key, y_key);
        let (a, b) = (self.find_map(a), self.find_map(b));
        if a != b {
            self.link_maps(a, b);
        }
        self.unify(x, y);
    }

    fn link_maps(&mut self, a: MapNodeId, b: MapNodeId) {
        let (keep, drop) = if a < b { (a, b) } else { (b, a) };
        self.maps[drop.0 as usize].parent = keep.0;
        let readers = std::mem::take(&mut self.maps[drop.0 as usize].readers);
        for reader in readers {
            if !self.maps[keep.0 as usize].readers.contains(&reader) {
                self.maps[keep.0 as usize].readers.push(reader);
            }
        }
    }

    // ---- tuples

    pub(super) fn tuple_node(&mut self, items: Vec<CellId>) -> TupleNodeId {
        let id = self.tuples.len() as u32;
        self.tuples.push(TupleNode {
            parent: id,
            items: Rc::new(items),
        });
        TupleNodeId(id)
    }

    pub(super) fn tuple_items(&mut self, tuple: TupleNodeId) -> Rc<Vec<CellId>> {
        let root = self.find_tuple(tuple);
        self.tuples[root.0 as usize].items.clone()
    }

    fn unify_tuples(&mut self, a: TupleNodeId, b: TupleNodeId) -> bool {
        let (a, b) = (self.find_tuple(a), self.find_tuple(b));
        if a == b {
            return true;
        }
        let (x, y) = (self.tuple_items(a), self.tuple_items(b));
        if x.len() != y.len() {
            return false;
        }
        if self.is_frozen_tuple(a) && self.is_frozen_tuple(b) {
            return true;
        }
        let (keep, drop) = if a < b { (a, b) } else { (b, a) };
        self.tuples[drop.0 as usize].parent = keep.0;
        for (l, r) in x.iter().zip(y.iter()) {
            self.unify(*l, *r);
        }
        true
    }
}

fn pick<T>(a: Option<T>, b: Option<T>) -> Option<T> {
    a.or(b)
}
