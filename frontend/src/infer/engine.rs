//! The engine: instances of functions, the worklist, and what is done when it runs dry. Here because walking one
//! function body knows nothing about when and how often. Must stay true: the number of instances is bounded for every
//! program; after `run` nothing that any live instance has read has grown since it was walked.

use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use flin_syntax::Diagnostic;
use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};

use crate::hir::{EnumIx, Expr, ExprId, ExprKind, FnId, Function, NamedArgDef, Program};
use crate::types::Meaning;

use super::cells::{CellId, Cells, FuncNodeId, InstIx, MapNodeId, TupleNodeId};
use super::doubts::Doubts;
use super::enums::EnumNodeId;
use super::flow::LoopWrites;
use super::instances::Key;
use super::paths::Shared;
use super::set::Set;
use super::walk::Walker;

/// How many first walks may stand inside of one another (each takes some stack).
const NESTED_MAX: u32 = 32;
/// The prelude function that makes an answer of any value: queries in it become lists.
const ANSWER: &str = "__answer";

/// A typed copy of a function.
pub(super) struct Inst {
    pub(super) func: FnId,
    pub(super) locals: Rc<Vec<CellId>>,
    /// Cells of the type parameters.
    pub(super) vars: Rc<Vec<CellId>>,
    pub(super) exprs: Vec<Set>,
    pub(super) result: CellId,
    pub(super) meaning: HashMap<ExprId, Meaning>,
    pub(super) func_node: Option<FuncNodeId>,
    /// The instances that compute the default values of its parameters, if it is a value.
    pub(super) defaults: Vec<Option<InstIx>>,
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
    pub(super) enums: HashMap<ExprId, EnumNodeId>,
}

/// The analysis of one program.
pub(super) struct Engine<'p> {
    pub(super) program: &'p Program,
    pub(super) cells: Cells,
    pub(super) insts: Vec<Inst>,
    pub(super) by_key: HashMap<(FnId, Key), InstIx>,
    pub(super) count: HashMap<(FnId, bool), usize>,
    /// How many calls with other arguments a function held by variables has seen.
    pub(super) copies: HashMap<InstIx, usize>,
    pub(super) queue: VecDeque<InstIx>,
    pub(super) queued: Vec<bool>,
    pub(super) walked: Vec<bool>,
    /// How many walks are inside of one another.
    nested: u32,
    pub(super) globals: Vec<CellId>,
    pub(super) entity_fields: Vec<Vec<CellId>>,
    /// None once the program makes records of the entity that it does not save at once: their id is none.
    pub(super) unsaved: Vec<CellId>,
    pub(super) enum_data: Vec<Vec<Vec<CellId>>>,
    /// The enum whose data cells are being made, its type arguments and their node.
    pub(super) filling: Option<(EnumIx, Rc<Vec<CellId>>, EnumNodeId)>,
    pub(super) page_of_view: HashMap<FnId, usize>,
    named_stubs: HashMap<FnId, (FnId, Vec<ExprId>)>,
    pub(super) roots: Vec<FnId>,
    /// Instances with a call whose library row cannot be chosen yet.
    pub(super) waiting: BTreeSet<InstIx>,
    /// Whether to wait for empty lists to get elements.
    pub(super) patient: bool,
    /// Int literals that are floats, because the rest of their cell is.
    pub(super) float_literals: HashSet<(FnId, ExprId)>,
    /// While checking: the messages so far.
    pub(super) diagnostics: Option<Vec<Diagnostic>>,
    /// Of which values that are only none that was told.
    pub(super) nothing_told: HashSet<super::report::Nothing>,
    /// Declarations that do not take their own first value.
    pub(super) doubts: Doubts,
    loop_writes: HashMap<FnId, Rc<LoopWrites>>,
    /// What functions may change behind each other's back.
    pub(super) shared: Rc<Shared<'p>>,
    /// Types after `is`, by the address of their annotation.
    pub(super) tested: HashMap<usize, Set>,
    /// While checking: whether an arm (function, cases, number) takes a value in some copy of its function.
    pub(super) arms: HashMap<(FnId, ExprId, usize), bool>,
    /// Functions whose result nobody takes: main, views, handlers, tests.
    pub(super) resultless: HashSet<FnId>,
}

impl<'p> Engine<'p> {
    pub(super) fn new(
        program: &'p Program,
        float_literals: HashSet<(FnId, ExprId)>,
        doubts: Doubts,
    ) -> Engine<'p> {
        let mut engine = Engine {
            program,
            cells: Cells::new(),
            insts: Vec::new(),
            by_key: HashMap::new(),
            count: HashMap::new(),
            copies: HashMap::new(),
            queue: VecDeque::new(),
            queued: Vec::new(),
            walked: Vec::new(),
            nested: 0,
            globals: Vec::new(),
            entity_fields: Vec::new(),
            unsaved: Vec::new(),
            enum_data: Vec::new(),
            filling: None,
            page_of_view: HashMap::new(),
            named_stubs: HashMap::new(),
            roots: Vec::new(),
            waiting: BTreeSet::new(),
            patient: true,
            float_literals,
            diagnostics: None,
            nothing_told: HashSet::default(),
            doubts,
            loop_writes: HashMap::new(),
            shared: Rc::new(Shared::of(program)),
            tested: HashMap::new(),
            arms: HashMap::new(),
            resultless: HashSet::new(),
        };
        engine.declare();
        engine
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

    pub(super) fn drain(&mut self) {
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
        super::unused::add_unused(program, &mut self.resultless);
        for func in &roots {
            self.root(*func);
        }
        // What routes answer goes through this function, whatever it is.
        if let Some(answer) = program
            .prelude
            .get(ANSWER)
            .filter(|_| !program.routes.is_empty() || makes_json(program))
        {
            let inst = self.root(*answer);
            roots.push(*answer);
            if let Some(cell) = self.param_cell(inst, 0) {
                self.cells.join(cell, Set::ANY);
            }
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
}

/// Whether the program makes JSON of something that may be, or hold, a query.
fn makes_json(program: &Program) -> bool {
    let is_json = |expr: &Expr| match &expr.kind {
        ExprKind::CallLib(name, _)
        | ExprKind::Method { name, .. }
        | ExprKind::Field { name, .. } => name == "to_json",
        _ => false,
    };
    let mut functions = program.functions.iter();
    !program.entities.is_empty() && functions.any(|function| function.exprs.iter().any(is_json))
}
