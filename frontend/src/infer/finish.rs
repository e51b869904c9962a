//! From cells to the tables that lowering reads. Here because lowering must not know about unification. Must stay true:
//! containers that may meet have one entry; instances are numbered in the order in which they are found from the roots.

use foldhash::{HashMap, HashMapExt as _};

use crate::hir::{ExprId, ExprKind, FnId, FnKind};
use crate::types::{
    FuncInfo, FuncTy, InstId, Instance, ListTy, MapTy, Meaning, RecordTy, TupleTy, Ty, Types,
    UnionTy,
};

use super::cells::{CellId, FuncNodeId, InstIx, MapKind, MapNodeId, TupleNodeId};
use super::engine::Engine;
use super::set::{Nominal, Set};

/// Fills the tables from a finished analysis.
pub(super) fn finish(engine: &mut Engine<'_>, live: &[InstIx]) -> Types {
    let numbers = live
        .iter()
        .enumerate()
        .map(|(at, inst)| (*inst, InstId(at as u32)))
        .collect();
    let mut finish = Finish {
        engine,
        types: Types::default(),
        numbers,
        lists: HashMap::new(),
        maps: HashMap::new(),
        funcs: HashMap::new(),
        tuples: HashMap::new(),
        unions: HashMap::new(),
    };
    for global in 0..finish.engine.globals.len() {
        let ty = finish.cell(finish.engine.globals[global]);
        finish.types.globals.push(ty);
    }
    for inst in live {
        finish.instance(*inst);
    }
    finish.types
}

struct Finish<'e, 'p> {
    engine: &'e mut Engine<'p>,
    types: Types,
    numbers: HashMap<InstIx, InstId>,
    lists: HashMap<CellId, ListTy>,
    maps: HashMap<MapNodeId, Ty>,
    funcs: HashMap<FuncNodeId, FuncTy>,
    tuples: HashMap<TupleNodeId, TupleTy>,
    unions: HashMap<Vec<Ty>, UnionTy>,
}

impl Finish<'_, '_> {
    fn instance(&mut self, inst: InstIx) {
        let func = self.engine.insts[inst.index()].func;
        let function = self.engine.function(func);
        let locals: Vec<Ty> = self.engine.insts[inst.index()]
            .locals
            .clone()
            .iter()
            .map(|cell| self.cell(*cell))
            .collect();
        let sets = std::mem::take(&mut self.engine.insts[inst.index()].exprs);
        let exprs: Vec<Ty> = sets.iter().map(|set| self.set(*set)).collect();
        let result = self.cell(self.engine.insts[inst.index()].result);
        let found = std::mem::take(&mut self.engine.insts[inst.index()].meaning);
        let mut found: Vec<(ExprId, Meaning)> = found.into_iter().collect();
        // In the order of the body, so that the tables do not depend on the order of a hash map.
        found.sort_unstable_by_key(|(expr, _)| *expr);
        let mut meaning = HashMap::new();
        for (expr, mut value) in found {
            if let Meaning::Closure { .. } = value {
                let (callee, given) = match &function.exprs[expr.index()].kind {
                    ExprKind::CallValue(callee, args) => (Some(sets[callee.index()]), args.len()),
                    ExprKind::Method {
                        recv, name, args, ..
                    } => (self.method_callee(sets[recv.index()], name), args.len()),
                    _ => (None, 0),
                };
                value = match callee.and_then(|set| set.func) {
                    Some(func) => self.closure(func, given),
                    None => Meaning::Dynamic,
                };
            }
            if let (Meaning::VariantData(data), ExprKind::Variant(def, variant, _)) =
                (&mut value, &function.exprs[expr.index()].kind)
            {
                let cells = self.engine.variant_data(sets[expr.index()], *def, *variant);
                *data = cells.into_iter().map(|cell| self.cell(cell)).collect();
            }
            self.renumber(&mut value);
            meaning.insert(expr, value);
        }
        let number = self.numbers[&inst];
        let is_root = self.engine.existing_root(func) == Some(inst);
        if is_root || (function.kind == FnKind::Lambda && !self.types.entry.contains_key(&func)) {
            self.types.entry.insert(func, number);
        }
        let defaults = self.engine.insts[inst.index()].defaults.iter();
        let defaults = defaults.map(|it| it.map(|it| self.numbers[&it])).collect();
        self.types.instances.push(Instance {
            func,
            defaults,
            locals,
            exprs,
            result,
            meaning,
        });
    }

    /// The function in a field of a map.
    fn method_callee(&mut self, recv: Set, name: &str) -> Option<Set> {
        let map = self.engine.cells.norm(recv).map?;
        let cell = match self.engine.cells.map_kind(map) {
            MapKind::Record(fields) => fields.iter().find(|field| &*field.0 == name)?.1,
            MapKind::Dict(value, _) => value,
        };
        Some(self.engine.cells.peek(cell))
    }

    fn closure(&mut self, func: FuncNodeId, given: usize) -> Meaning {
        let (params, result) = self.engine.cells.func_parts(func);
        let params = params.iter().take(given);
        let params = params.map(|cell| self.cell(*cell)).collect();
        Meaning::Closure {
            params,
            result: self.cell(result),
        }
    }

    fn renumber(&self, meaning: &mut Meaning) {
        match meaning {
            Meaning::Direct(inst) => *inst = self.numbers[&InstIx(inst.0)],
            Meaning::ViaList(inst, _, inner) => {
                *inst = self.numbers[&InstIx(inst.0)];
                self.renumber(inner);
            }
            Meaning::ImplicitOwn(inner) | Meaning::KeyOr(inner) => self.renumber(inner),
            Meaning::Closure { .. }
            | Meaning::Lib(_)
            | Meaning::LibOp(_)
            | Meaning::RecordField
            | Meaning::MapKey
            | Meaning::EntityField(_)
            | Meaning::SystemField(_)
            | Meaning::Inverse(_)
            | Meaning::ErrorField
            | Meaning::Dynamic
            | Meaning::ImplicitOuter
            | Meaning::EntityFind(_)
            | Meaning::EntityCount(_)
            | Meaning::VariantData(_) => {}
        }
    }

    fn cell(&mut self, cell: CellId) -> Ty {
        let set = self.engine.cells.peek(cell);
        self.set(set)
    }

    fn set(&mut self, set: Set) -> Ty {
        let members = self.engine.cells.members(set);
        match members.as_slice() {
            [] => Ty::Never,
            [only] => self.member(*only),
            several => {
                let mut tys: Vec<Ty> = several.iter().map(|member| self.member(*member)).collect();
                tys.sort_by_key(|ty| *ty == Ty::None);
                if tys.contains(&Ty::Any) {
                    return Ty::Any;
                }
                let next = UnionTy(self.types.unions.len() as u32);
                let union = *self.unions.entry(tys.clone()).or_insert(next);
                if union == next {
                    self.types.unions.push(tys);
                }
                Ty::Union(union)
            }
        }
    }

    fn member(&mut self, member: Set) -> Ty {
        const SCALAR_TYS: [Ty; 10] = [
            Ty::None,
            Ty::Bool,
            Ty::Int,
            Ty::Float,
            Ty::Text,
            Ty::Time,
            Ty::Duration,
            Ty::Range,
            Ty::Error,
            Ty::Response,
        ];
        if member.is_any() {
            return Ty::Any;
        }
        for (scalar, ty) in Set::SCALARS.into_iter().zip(SCALAR_TYS) {
            if member == scalar {
                return ty;
            }
        }
        if let Some(element) = member.list {
            return Ty::List(self.list(element));
        }
        if let Some(map) = member.map {
            return self.map(map);
        }
        if let Some(func) = member.func {
            return Ty::Func(self.func(func));
        }
        if let Some(tuple) = member.tuple {
            return Ty::Tuple(self.tuple(tuple));
        }
        match self.engine.cells.nominals(member) {
            [Nominal::Entity(entity)] => Ty::Entity(*entity),
            [Nominal::Query(entity)] => Ty::Query(*entity),
            [Nominal::Enum(def)] => Ty::Enum(*def),
            _ => Ty::Never,
        }
    }

    fn list(&mut self, element: CellId) -> ListTy {
        let root = self.engine.cells.find(element);
        if let Some(known) = self.lists.get(&root) {
            return *known;
        }
        let id = ListTy(self.types.lists.len() as u32);
        self.types.lists.push(Ty::Never);
        self.lists.insert(root, id);
        self.types.lists[id.index()] = self.cell(root);
        id
    }

    fn map(&mut self, map: MapNodeId) -> Ty {
        let root = self.engine.cells.find_map(map);
        if let Some(known) = self.maps.get(&root) {
            return *known;
        }
        match self.engine.cells.map_kind(root) {
            MapKind::Record(fields) => {
                let id = RecordTy(self.types.records.len() as u32);
                self.types.records.push(Vec::new());
                self.maps.insert(root, Ty::Record(id));
                let fields = fields
                    .iter()
                    .map(|(name, cell)| (name.to_string(), self.cell(*cell)))
                    .collect();
                self.types.records[id.index()] = fields;
                Ty::Record(id)
            }
            MapKind::Dict(value, _) => {
                let id = MapTy(self.types.maps.len() as u32);
                self.types.maps.push(Ty::Never);
                self.maps.insert(root, Ty::Map(id));
                self.types.maps[id.index()] = self.cell(value);
                Ty::Map(id)
            }
        }
    }

    fn tuple(&mut self, tuple: TupleNodeId) -> TupleTy {
        if let Some(known) = self.tuples.get(&tuple) {
            return *known;
        }
        let id = TupleTy(self.types.tuples.len() as u32);
        self.types.tuples.push(Vec::new());
        self.tuples.insert(tuple, id);
        let items = self.engine.cells.tuple_items(tuple);
        let items = items.iter().map(|cell| self.cell(*cell)).collect();
        self.types.tuples[id.index()] = items;
        id
    }

    fn func(&mut self, func: FuncNodeId) -> FuncTy {
        if let Some(known) = self.funcs.get(&func) {
            return *known;
        }
        let id = FuncTy(self.types.funcs.len() as u32);
        let empty = FuncInfo {
            params: Vec::new(),
            result: Ty::Never,
            open: self.engine.cells.is_declared_func(func),
            lambdas: Vec::new(),
            targets: Vec::new(),
        };
        self.types.funcs.push(empty);
        self.funcs.insert(func, id);
        let (params, result) = self.engine.cells.func_parts(func);
        let params = params.iter().map(|cell| self.cell(*cell)).collect();
        let result = self.cell(result);
        let targets: Vec<InstIx> = self.engine.cells.func_targets(func);
        let live: Vec<InstIx> = targets
            .into_iter()
            .filter(|inst| self.numbers.contains_key(inst))
            .collect();
        let mut lambdas: Vec<FnId> = live
            .iter()
            .map(|inst| self.engine.insts[inst.index()].func)
            .collect();
        lambdas.dedup();
        let targets = live.iter().map(|inst| self.numbers[inst]).collect();
        self.types.funcs[id.index()] = FuncInfo {
            params,
            result,
            open: self.engine.cells.is_declared_func(func),
            lambdas,
            targets,
        };
        id
    }
}
