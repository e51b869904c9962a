//! The engine: instances of functions, the worklist, and what is done when it runs dry. Here because walking one
//! function body knows nothing about when and how often. Must stay true: the number of instances is bounded for every
//! program; after `run` nothing that any live instance has read has grown since it was walked.

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use flin_syntax::Diagnostic;

use crate::hir::{ExprId, FnId, FnKind, Function, GlobalKind, NamedArgDef, Program, TypeAnn};
use crate::types::{InstId, Meaning};

use super::cells::{CellId, Cells, FuncNodeId, InstIx, MapKind, MapNodeId, TupleNodeId};
use super::flow::LoopWrites;
use super::set::{Nominal, Set};
use super::walk::Walker;

/// Full instances of one function of the program.
const INSTANCES_MAX: usize = 12;
/// Full instances of one function of the prelude (they are told apart by the lambdas they get).
const PRELUDE_INSTANCES_MAX: usize = 2000;
/// Instances told apart by kinds only.
const KIND_INSTANCES_MAX: usize = 8;
/// How many first walks may stand inside of one another (each takes some stack).
const NESTED_MAX: u32 = 32;
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
    /// A named function as a value, taken at this place.
    Value(InstIx, ExprId),
    /// Entered from outside: main, view, handler, …
    Root,
}

/// A typed copy of a function.
pub(super) struct Inst {
    pub(super) func: FnId,
    pub(super) locals: Rc<Vec<CellId>>,
    pub(super) exprs: Vec<Set>,
    pub(super) result: CellId,
    pub(super) meaning: HashMap<ExprId, Meaning>,
    pub(super) func_node: Option<FuncNodeId>,
    pub(super) sites: Sites,
    /// The first call, for messages about prelude code.
    pub(super) called_from: Option<(InstIx, ExprId)>,
}

/// What belongs to places in the body, kept from walk to walk.
#[derive(Default)]
pub(super) struct Sites {
    pub(super) cells: HashMap<(ExprId, u8), CellId>,
    pub(super) maps: HashMap<(ExprId, u8), MapNodeId>,
    pub(super) tuples: HashMap<(ExprId, u8), TupleNodeId>,
}

/// The analysis of one program.
pub(super) struct Engine<'p> {
    pub(super) program: &'p Program,
    pub(super) cells: Cells,
    pub(super) insts: Vec<Inst>,
    by_key: HashMap<(FnId, Key), InstIx>,
    count: HashMap<(FnId, bool), usize>,
    queue: VecDeque<InstIx>,
    queued: Vec<bool>,
    walked: Vec<bool>,
    /// How many walks are inside of one another.
    nested: u32,
    pub(super) globals: Vec<CellId>,
    pub(super) entity_fields: Vec<Vec<CellId>>,
    pub(super) enum_data: Vec<Vec<Vec<CellId>>>,
    pub(super) page_of_view: HashMap<FnId, usize>,
    named_stubs: HashMap<FnId, (FnId, Vec<ExprId>)>,
    pub(super) roots: Vec<FnId>,
    /// Instances with a call whose library row cannot be chosen yet.
    pub(super) waiting: HashSet<InstIx>,
    /// Whether to wait for empty lists to get elements.
    pub(super) patient: bool,
    /// Int literals that are floats, because the rest of their cell is.
    pub(super) float_literals: HashSet<(FnId, ExprId)>,
    /// While checking: the messages so far.
    pub(super) diagnostics: Option<Vec<Diagnostic>>,
    loop_writes: HashMap<FnId, Rc<LoopWrites>>,
    /// Types after `is`, by the address of their annotation.
    pub(super) tested: HashMap<usize, Set>,
    /// Functions whose result nobody takes: main, views, handlers, tests.
    pub(super) resultless: HashSet<FnId>,
}

impl<'p> Engine<'p> {
    pub(super) fn new(program: &'p Program, float_literals: HashSet<(FnId, ExprId)>) -> Engine<'p> {
        let mut engine = Engine {
            program,
            cells: Cells::new(),
            insts: Vec::new(),
            by_key: HashMap::new(),
            count: HashMap::new(),
            queue: VecDeque::new(),
            queued: Vec::new(),
            walked: Vec::new(),
            nested: 0,
            globals: Vec::new(),
            entity_fields: Vec::new(),
            enum_data: Vec::new(),
            page_of_view: HashMap::new(),
            named_stubs: HashMap::new(),
            roots: Vec::new(),
            waiting: HashSet::new(),
            patient: true,
            float_literals,
            diagnostics: None,
            loop_writes: HashMap::new(),
            tested: HashMap::new(),
            resultless: HashSet::new(),
        };
        engine.declare();
        engine
    }

    /// Cells of what is declared: entity fields, enum data, globals.
    fn declare(&mut self) {
        let program = self.program;
        for entity in &program.entities {
            let fields = entity
                .fields
                .iter()
                .map(|field| {
                    let set = self.annotated(&field.ty, &[]);
                    let set = if field.optional {
                        set.plus(Set::NONE)
                    } else {
                        set
                    };
                    self.cells.fixed_cell(set)
                })
                .collect();
            self.entity_fields.push(fields);
        }
        for def in &program.enums {
            let variants = def
                .variants
                .iter()
                .map(|(_, data)| {
                    data.iter()
                        .map(|ty| {
                            let set = self.annotated(ty, &[]);
                            self.cells.fixed_cell(set)
                        })
                        .collect()
                })
                .collect();
            self.enum_data.push(variants);
        }
        for global in &program.globals {
            let cell = match (&global.annotation, global.kind) {
                (_, GlobalKind::Injected(_)) => self.cells.fixed_cell(Set::ANY),
                (Some(annotation), _) => self.annotated_cell(annotation, &[]),
                (None, _) => self.cells.cell(),
            };
            self.globals.push(cell);
        }
    }

    /// The set that an annotation describes; `vars` are the cells of the type parameters.
    pub(super) fn annotated(&mut self, annotation: &TypeAnn, vars: &[CellId]) -> Set {
        match annotation {
            TypeAnn::Any => Set::ANY,
            TypeAnn::None => Set::NONE,
            TypeAnn::Int => Set::INT,
            TypeAnn::Float => Set::FLOAT,
            TypeAnn::Bool => Set::BOOL,
            TypeAnn::Text => Set::TEXT,
            TypeAnn::Time => Set::TIME,
            TypeAnn::Duration => Set::DURATION,
            TypeAnn::Range => Set::RANGE,
            TypeAnn::Error => Set::ERROR,
            TypeAnn::Response => Set::RESPONSE,
            TypeAnn::List(element) => Set::list(self.annotated_cell(element, vars)),
            TypeAnn::Map(key, value) => {
                let key = self.annotated_cell(key, vars);
                let value = self.annotated_cell(value, vars);
                Set::map(self.cells.dict(value, key))
            }
            TypeAnn::Tuple(items) => {
                let items = items
                    .iter()
                    .map(|item| self.annotated_cell(item, vars))
                    .collect();
                Set::tuple(self.cells.tuple_node(items))
            }
            TypeAnn::Optional(inner) => self.annotated(inner, vars).plus(Set::NONE),
            TypeAnn::Union(members) => {
                let mut set = Set::NEVER;
                for member in members {
                    let member = self.annotated(member, vars);
                    set = self.cells.join_sets(set, member);
                }
                set
            }
            TypeAnn::Func(params, result) => {
                let params = params
                    .iter()
                    .map(|param| self.annotated_cell(param, vars))
                    .collect();
                let result = self.annotated_cell(result, vars);
                let func = self.cells.func_node(params, result, None);
                self.cells.mark_called(func);
                Set::func(func)
            }
            TypeAnn::Entity(entity) => self.cells.entity(*entity),
            TypeAnn::Enum(def) => self.cells.nominal(Nominal::Enum(*def)),
            TypeAnn::Var(n) => vars
                .get(*n as usize)
                .map_or(Set::ANY, |cell| self.cells.peek(*cell)),
        }
    }

    /// A cell for an annotated place. Declared cells do not grow; type parameters are cells of their own.
    pub(super) fn annotated_cell(&mut self, annotation: &TypeAnn, vars: &[CellId]) -> CellId {
        match annotation {
            TypeAnn::Var(n) if (*n as usize) < vars.len() => vars[*n as usize],
            other if mentions_var(other) => {
                let set = self.annotated(other, vars);
                let cell = self.cells.cell();
                self.cells.join(cell, set);
                cell
            }
            other => {
                let set = self.annotated(other, vars);
                self.cells.fixed_cell(set)
            }
        }
    }

    pub(super) fn function(&self, func: FnId) -> &'p Function {
        &self.program.functions[func.index()]
    }

    pub(super) fn loop_writes(&mut self, func: FnId) -> Rc<LoopWrites> {
        if let Some(writes) = self.loop_writes.get(&func) {
            return writes.clone();
        }
        let writes = Rc::new(LoopWrites::of(self.function(func)));
        self.loop_writes.insert(func, writes.clone());
        writes
    }

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
            .map(|local| match &local.annotation {
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
        let result = match &function.result {
            Some(annotation) => self.annotated_cell(annotation, &vars),
            None => self.cells.cell(),
        };
        let inst = InstIx(self.insts.len() as u32);
        self.insts.push(Inst {
            func,
            locals: Rc::new(locals),
            exprs: vec![Set::NEVER; function.exprs.len()],
            result,
            meaning: HashMap::new(),
            func_node: None,
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
        if let Some(func) = set.func {
            out.push(u32::MAX - 5);
            out.push(func.0);
        }
    }

    /// The function type of an instance used as a value.
    pub(super) fn func_node_of(&mut self, inst: InstIx) -> FuncNodeId {
        if let Some(node) = self.insts[inst.index()].func_node {
            return node;
        }
        let function = self.function(self.insts[inst.index()].func);
        let locals = self.insts[inst.index()].locals.clone();
        let params = function
            .params
            .iter()
            .map(|param| locals[param.local.index()])
            .collect();
        let node = self
            .cells
            .func_node(params, self.insts[inst.index()].result, Some(inst));
        self.insts[inst.index()].func_node = Some(node);
        node
    }

    pub(super) fn root(&mut self, func: FnId) -> InstIx {
        self.instance(func, Key::Root, None)
    }

    pub(super) fn existing_root(&self, func: FnId) -> Option<InstIx> {
        self.by_key.get(&(func, Key::Root)).copied()
    }

    /// A parameter's cell.
    pub(super) fn param_cell(&self, inst: InstIx, n: usize) -> Option<CellId> {
        let function = self.function(self.insts[inst.index()].func);
        let param = function.params.get(n)?;
        Some(self.insts[inst.index()].locals[param.local.index()])
    }

    pub(super) fn enqueue(&mut self, inst: InstIx) {
        if !self.queued[inst.index()] {
            self.queued[inst.index()] = true;
            self.queue.push_back(inst);
        }
    }

    // ---- running

    /// Walks until nothing grows any more.
    pub(super) fn run(&mut self) {
        self.seed();
        loop {
            while let Some(inst) = self.queue.pop_front() {
                if !std::mem::replace(&mut self.queued[inst.index()], false) {
                    continue;
                }
                self.walk(inst);
                self.drain();
            }
            if !self.settle() {
                return;
            }
        }
    }

    fn drain(&mut self) {
        while let Some(inst) = self.cells.woken.pop() {
            self.enqueue(inst);
        }
    }

    /// Walks a function for the first time as soon as it is called, so that the caller goes on with a result: types that
    /// are still empty would make functions share instances that they should not share.
    pub(super) fn walk_first(&mut self, inst: InstIx) {
        if self.walked[inst.index()] || self.nested >= NESTED_MAX {
            return;
        }
        let (reader, place) = (self.cells.reader, self.cells.place);
        self.nested += 1;
        self.queued[inst.index()] = false;
        self.walk(inst);
        self.nested -= 1;
        (self.cells.reader, self.cells.place) = (reader, place);
    }

    pub(super) fn walk(&mut self, inst: InstIx) {
        self.walked[inst.index()] = true;
        self.cells.reader = Some(inst);
        Walker::new(self, inst).run();
        self.cells.reader = None;
        self.cells.place = None;
        if let Some((stub, args)) = self
            .named_stubs
            .get(&self.insts[inst.index()].func)
            .cloned()
        {
            let stub = self.root(stub);
            for (n, arg) in args.into_iter().enumerate() {
                let set = self.insts[inst.index()].exprs[arg.index()];
                if let Some(cell) = self.param_cell(stub, n) {
                    self.cells.join(cell, set);
                }
            }
        }
    }

    /// Functions that are entered from outside.
    fn seed(&mut self) {
        let program = self.program;
        let mut roots = Vec::new();
        for entity in &program.entities {
            roots.extend(entity.fields.iter().filter_map(|field| field.default));
        }
        roots.extend(program.const_init);
        roots.extend(program.globals.iter().filter_map(|global| global.init));
        roots.extend(program.main);
        for (at, page) in program.pages.iter().enumerate() {
            self.page_of_view.insert(page.view, at);
            roots.push(page.view);
            for handler in &page.handlers {
                roots.push(handler.func);
                let Some(named) = &handler.named else {
                    continue;
                };
                roots.push(named.stub);
                let values = named.args.iter().filter_map(|arg| match arg {
                    NamedArgDef::Value(expr) => Some(*expr),
                    NamedArgDef::Literal(_) => None,
                });
                self.named_stubs
                    .insert(handler.func, (named.stub, values.collect()));
            }
        }
        roots.extend(program.routes.iter().map(|route| route.func));
        roots.extend(program.tests.iter().map(|(_, func)| *func));
        self.resultless
            .extend(program.main.iter().chain(&program.const_init));
        self.resultless
            .extend(program.globals.iter().filter_map(|global| global.init));
        self.resultless
            .extend(program.tests.iter().map(|(_, func)| *func));
        for page in &program.pages {
            self.resultless.insert(page.view);
            for handler in &page.handlers {
                self.resultless.insert(handler.func);
                self.resultless
                    .extend(handler.named.iter().map(|named| named.stub));
            }
        }
        for func in &roots {
            self.root(*func);
        }
        self.roots = roots;
        for (at, entity) in program.entities.iter().enumerate() {
            for check in entity.fields.iter().flat_map(|field| &field.checks) {
                let inst = self.root(*check);
                self.roots.push(*check);
                let set = self.cells.entity(crate::hir::EntityIx(at as u32));
                if let Some(cell) = self.param_cell(inst, 0) {
                    self.cells.join(cell, set);
                }
            }
        }
    }

    /// When the worklist is dry: fills what nothing flowed into. Gives false if there is nothing left to do.
    fn settle(&mut self) -> bool {
        if self.patient && !self.waiting.is_empty() {
            self.patient = false;
            for inst in std::mem::take(&mut self.waiting) {
                self.enqueue(inst);
            }
            return true;
        }
        self.patient = true;
        self.escape_state();
        self.flush_escapes();
        if self.started_something() {
            return true;
        }
        self.start_uncalled();
        self.started_something()
    }

    fn started_something(&mut self) -> bool {
        self.drain();
        !self.queue.is_empty()
    }

    /// The browser sets page state: an empty list in it may get elements there.
    fn escape_state(&mut self) {
        for (at, global) in self.program.globals.iter().enumerate() {
            if global.kind == GlobalKind::State {
                let set = self.cells.peek(self.globals[at]);
                self.cells.escape(set);
            }
        }
    }

    /// What went into `any` places can be called with, and filled with, anything.
    fn flush_escapes(&mut self) {
        let mut open: Vec<Set> = self.cells.escapes.clone();
        let mut seen = HashSet::new();
        while let Some(set) = open.pop() {
            let set = self.cells.norm(set);
            if !seen.insert(set) || set.scalars_only() {
                continue;
            }
            if let Some(element) = set.list {
                open.push(self.open_up(element));
            }
            if let Some(map) = set.map {
                match self.cells.map_kind(map) {
                    MapKind::Dict(value, key) => {
                        open.push(self.open_up(value));
                        self.open_up(key);
                    }
                    MapKind::Record(fields) => {
                        for (_, field) in fields.iter() {
                            open.push(self.cells.peek(*field));
                        }
                    }
                }
            }
            if let Some(tuple) = set.tuple {
                for item in self.cells.tuple_items(tuple).iter() {
                    open.push(self.cells.peek(*item));
                }
            }
            if let Some(func) = set.func {
                self.cells.mark_called(func);
                let (params, result) = self.cells.func_parts(func);
                for param in params.iter() {
                    self.cells.join(*param, Set::ANY);
                }
                open.push(self.cells.peek(result));
            }
        }
    }

    fn open_up(&mut self, cell: CellId) -> Set {
        if self.cells.peek(cell).is_never() {
            self.cells.join(cell, Set::ANY);
        }
        self.cells.peek(cell)
    }

    /// Functions that nobody calls are typed by their annotations, else `any`.
    fn start_uncalled(&mut self) {
        let with_instance: HashSet<FnId> = self.insts.iter().map(|inst| inst.func).collect();
        for at in 0..self.program.functions.len() {
            let func = FnId(at as u32);
            let function = self.function(func);
            if function.kind == FnKind::Named
                && !function.from_prelude
                && !with_instance.contains(&func)
            {
                let args = vec![Set::ANY; function.params.len()];
                let inst = self.instance_for_call(func, &args);
                self.fill_params(inst);
            }
        }
        for at in 0..self.insts.len() {
            let inst = InstIx(at as u32);
            let function = self.function(self.insts[at].func);
            let uncalled = match (function.kind, self.insts[at].func_node) {
                (FnKind::Lambda, Some(node)) | (FnKind::Named, Some(node)) => {
                    !self.cells.is_called(node)
                }
                (FnKind::Internal, None) => true,
                (FnKind::Lambda | FnKind::Named | FnKind::Internal, _) => false,
            };
            if uncalled {
                self.fill_params(inst);
            }
        }
    }

    fn fill_params(&mut self, inst: InstIx) {
        let mut n = 0;
        while let Some(cell) = self.param_cell(inst, n) {
            if self.cells.peek(cell).is_never() {
                self.cells.join(cell, Set::ANY);
            }
            n += 1;
        }
    }

    /// Instances that can run, in the order in which they are found from the roots.
    pub(super) fn live(&mut self) -> Vec<InstIx> {
        let mut open: Vec<InstIx> = self
            .roots
            .clone()
            .iter()
            .filter_map(|root| self.existing_root(*root))
            .collect();
        let mut live = Vec::new();
        let mut seen = HashSet::new();
        open.reverse();
        loop {
            while let Some(inst) = open.pop() {
                if !seen.insert(inst) {
                    continue;
                }
                live.push(inst);
                let mut next = Vec::new();
                for meaning in self.insts[inst.index()].meaning.values() {
                    collect_instances(meaning, &mut next);
                }
                next.sort_unstable();
                open.extend(next.into_iter().rev());
            }
            // Named functions without any live instance keep one, so that their mistakes are found.
            let covered: HashSet<FnId> = live
                .iter()
                .map(|inst| self.insts[inst.index()].func)
                .collect();
            let missing = self.insts.iter().position(|inst| {
                let function = &self.program.functions[inst.func.index()];
                function.kind == FnKind::Named
                    && !function.from_prelude
                    && !covered.contains(&inst.func)
            });
            match missing {
                Some(at) => open.push(InstIx(at as u32)),
                None => return live,
            }
        }
    }
}

/// The instances that a meaning names.
fn collect_instances(meaning: &Meaning, out: &mut Vec<InstIx>) {
    match meaning {
        Meaning::Direct(InstId(inst)) => out.push(InstIx(*inst)),
        Meaning::ViaList(InstId(inst), inner) => {
            out.push(InstIx(*inst));
            collect_instances(inner, out);
        }
        Meaning::ImplicitOwn(inner) | Meaning::KeyOr(inner) => collect_instances(inner, out),
        Meaning::Closure { .. }
        | Meaning::Lib(_)
        | Meaning::LibOp(_)
        | Meaning::RecordField
        | Meaning::MapKey
        | Meaning::EntityField(_)
        | Meaning::SystemField(_)
        | Meaning::ErrorField
        | Meaning::Dynamic
        | Meaning::ImplicitOuter
        | Meaning::EntityFind(_)
        | Meaning::EntityCount(_)
        | Meaning::EnumVariant(_)
        | Meaning::DurationUnit(_) => {}
    }
}

pub(super) fn mentions_var(annotation: &TypeAnn) -> bool {
    match annotation {
        TypeAnn::Var(_) => true,
        TypeAnn::List(inner) | TypeAnn::Optional(inner) => mentions_var(inner),
        TypeAnn::Map(key, value) => mentions_var(key) || mentions_var(value),
        TypeAnn::Tuple(items) | TypeAnn::Union(items) => items.iter().any(mentions_var),
        TypeAnn::Func(params, result) => params.iter().any(mentions_var) || mentions_var(result),
        TypeAnn::Any
        | TypeAnn::None
        | TypeAnn::Int
        | TypeAnn::Float
        | TypeAnn::Bool
        | TypeAnn::Text
        | TypeAnn::Time
        | TypeAnn::Duration
        | TypeAnn::Range
        | TypeAnn::Error
        | TypeAnn::Response
        | TypeAnn::Entity(_)
        | TypeAnn::Enum(_) => false,
    }
}

fn name_key(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}
