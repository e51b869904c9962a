//! Instances: which typed copy of a function a call uses. Here because this decides how precise types are and how many
//! copies there can be. Must stay true: the number of instances of a function is bounded, whatever its calls look like.

use std::rc::Rc;

use foldhash::{HashMap, HashMapExt as _};

use crate::hir::{ExprId, FnId, LocalId};

use super::cells::{CellId, InstIx, MapKind};
use super::declared::mentions_var;
use super::engine::{Engine, Inst, Sites};
use super::set::Set;

/// Full instances of one function of the program.
const INSTANCES_MAX: usize = 12;
/// Full instances of one function of the prelude (they are told apart by the lambdas they get).
const PRELUDE_INSTANCES_MAX: usize = 2000;
/// Instances told apart by kinds only.
const KIND_INSTANCES_MAX: usize = 8;
/// How deep containers are looked at to tell instances apart.
const KEY_DEPTH: u32 = 3;

/// By what instances of a function are told apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// Argument types, containers and lambdas included.
    Full(Vec<u32>),
    /// Only the kinds of the arguments.
    Kinds(Vec<u32>),
    /// Everything else.
    Joined,
    /// A lambda of this instance.
    Lambda(InstIx),
    /// A copy of a function that variables hold, for the arguments of some calls; it shares what the first one captures.
    Copy(InstIx, Vec<u32>),
    /// A named function as a value, taken at this place.
    Value(InstIx, ExprId),
    /// Entered from outside: main, view, handler, …
    Root,
}

impl Engine<'_> {
    // ---- instances

    /// The instance of a function by key, made if it is new. `captures` gives the cell of each captured variable.
    pub(super) fn instance(&mut self, func: FnId, key: Key, parent: Option<InstIx>) -> InstIx {
        if let Some(inst) = self.by_key.get(&(func, key.clone())) {
            return *inst;
        }
        let function = self.function(func);
        let vars: Vec<CellId> = (0..function.type_vars).map(|_| self.cells.cell()).collect();
        let mut locals: Vec<CellId> = function
            .locals
            .iter()
            .enumerate()
            .map(|(at, local)| match &local.annotation {
                Some(_) if self.doubts.locals.contains(&(func, LocalId(at as u32))) => {
                    self.cells.fixed_cell(Set::ANY)
                }
                Some(annotation) => self.annotated_cell(annotation, &vars),
                None => self.cells.cell(),
            })
            .collect();
        for param in &function.params {
            if let Some(annotation) = &param.annotation {
                locals[param.local.index()] = self.annotated_cell(annotation, &vars);
            }
        }
        if let (Some(parent), Some(outer)) = (parent, function.parent) {
            let outer = self.function(outer);
            for capture in &function.captures {
                // A variable that is never assigned again is captured by value and may be narrower inside.
                if outer.locals[capture.outer.index()].reassigned {
                    locals[capture.inner.index()] =
                        self.insts[parent.index()].locals[capture.outer.index()];
                } else if function.locals[capture.inner.index()].annotation.is_some() {
                    locals[capture.inner.index()] = self.cells.cell();
                }
            }
        }
        // What a result with type parameters may be depends on the call; it is checked against that, see `mismatch`.
        let result = match &function.result {
            Some(annotation) if !mentions_var(annotation) => self.annotated_cell(annotation, &[]),
            Some(_) | None => self.cells.cell(),
        };
        let inst = InstIx(self.insts.len() as u32);
        self.insts.push(Inst {
            func,
            locals: Rc::new(locals),
            vars: Rc::new(vars),
            exprs: vec![Set::NEVER; function.exprs.len()],
            result,
            meaning: HashMap::new(),
            func_node: None,
            defaults: Vec::new(),
            sites: Sites::default(),
            called_from: None,
        });
        self.queued.push(false);
        self.walked.push(false);
        self.by_key.insert((func, key), inst);
        self.enqueue(inst);
        inst
    }

    /// The instance that a call with these arguments uses.
    pub(super) fn instance_for_call(&mut self, func: FnId, args: &[Set]) -> InstIx {
        let function = self.function(func);
        let mut full = Vec::new();
        let mut kinds = Vec::new();
        for (param, arg) in function.params.iter().zip(args) {
            if param
                .annotation
                .as_ref()
                .is_some_and(|annotation| !mentions_var(annotation))
            {
                full.push(u32::MAX);
                kinds.push(u32::MAX);
                continue;
            }
            self.describe_key(*arg, KEY_DEPTH, &mut full);
            self.describe_key(*arg, 0, &mut kinds);
        }
        let full_max = if function.from_prelude {
            PRELUDE_INSTANCES_MAX
        } else {
            INSTANCES_MAX
        };
        for (key, is_full, max) in [
            (Key::Full(full), true, full_max),
            (Key::Kinds(kinds), false, KIND_INSTANCES_MAX),
        ] {
            if self.by_key.contains_key(&(func, key.clone())) {
                return self.instance(func, key, None);
            }
            let count = self.count.entry((func, is_full)).or_default();
            if *count < max {
                *count += 1;
                return self.instance(func, key, None);
            }
        }
        self.instance(func, Key::Joined, None)
    }

    /// The instance that a call of a function uses whose value `base` is: the first calls use itself.
    pub(super) fn instance_of_held(&mut self, base: InstIx, args: &[Set]) -> InstIx {
        let func = self.insts[base.index()].func;
        let function = self.function(func);
        let (mut full, mut kinds) = (Vec::new(), vec![u32::MAX]);
        for (param, arg) in function.params.iter().zip(args) {
            if param.annotation.is_none() {
                self.describe_key(*arg, KEY_DEPTH, &mut full);
                self.describe_key(*arg, 0, &mut kinds);
            }
        }
        let limits = [
            (full, INSTANCES_MAX),
            (kinds, INSTANCES_MAX + KIND_INSTANCES_MAX),
        ];
        for (key, max) in limits {
            let key = Key::Copy(base, key);
            if let Some(known) = self.by_key.get(&(func, key.clone())) {
                return *known;
            }
            let count = self.copies.entry(base).or_default();
            *count += 1;
            if *count == 1 {
                self.by_key.insert((func, key), base);
                return base;
            }
            if *count <= max {
                let inst = self.instance(func, key, None);
                let mut locals = (*self.insts[inst.index()].locals).clone();
                for capture in &function.captures {
                    let inner = capture.inner.index();
                    locals[inner] = self.insts[base.index()].locals[inner];
                }
                self.insts[inst.index()].locals = Rc::new(locals);
                return inst;
            }
        }
        base
    }

    /// The instance behind a named function that is used as a value.
    pub(super) fn instance_for_value(&mut self, func: FnId, at: (InstIx, ExprId)) -> InstIx {
        let key = Key::Value(at.0, at.1);
        if self.by_key.contains_key(&(func, key.clone())) {
            return self.instance(func, key, None);
        }
        let count = self.count.entry((func, true)).or_default();
        if *count >= INSTANCES_MAX {
            return self.instance(func, Key::Joined, None);
        }
        *count += 1;
        self.instance(func, key, None)
    }

    fn describe_key(&mut self, set: Set, depth: u32, out: &mut Vec<u32>) {
        let set = self.cells.norm(set);
        out.push(u32::from(set.bits));
        out.push(set.nominals);
        if depth == 0 {
            out.push(
                u32::from(set.list.is_some())
                    | u32::from(set.map.is_some()) << 1
                    | u32::from(set.func.is_some()) << 2
                    | u32::from(set.tuple.is_some()) << 3,
            );
            return;
        }
        if let Some(element) = set.list {
            out.push(u32::MAX - 1);
            let element = self.cells.read(element);
            self.describe_key(element, depth - 1, out);
        }
        if let Some(map) = set.map {
            match self.cells.map_kind(map) {
                MapKind::Record(fields) => {
                    out.push(u32::MAX - 2);
                    out.push(fields.len() as u32);
                    for (name, field) in fields.iter() {
                        out.push(name_key(name));
                        let field = self.cells.read(*field);
                        self.describe_key(field, depth - 1, out);
                    }
                }
                MapKind::Dict(value, key) => {
                    out.push(u32::MAX - 3);
                    let key = self.cells.read(key);
                    self.describe_key(key, depth - 1, out);
                    let value = self.cells.read(value);
                    self.describe_key(value, depth - 1, out);
                }
            }
        }
        if let Some(tuple) = set.tuple {
            out.push(u32::MAX - 4);
            for item in self.cells.tuple_items(tuple).iter() {
                let item = self.cells.read(*item);
                self.describe_key(item, depth - 1, out);
            }
        }
        if let Some(node) = set.enums {
            for args in self.cells.enum_args(node) {
                out.push(u32::MAX - 6);
                out.push(args.def.0);
                for var in args.vars.iter() {
                    let var = self.cells.read(*var);
                    self.describe_key(var, depth - 1, out);
                }
            }
        }
        if let Some(func) = set.func {
            out.push(u32::MAX - 5);
            out.push(func.0);
        }
    }
}

/// A number for a field name in a key.
fn name_key(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}
