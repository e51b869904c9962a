//! Lowering: resolved and typed program to bytecode module. Here because it is the last stage of the compiler; it knows
//! both worlds, nobody else does. Must stay true: one bytecode function per typed instance; a value changes its class
//! only in `convert`; every instruction carries the position of the expression it came from; what inference could not
//! promise is checked at run time.

mod calls;
mod compare;
mod constants;
mod control;
mod convert;
mod data;
mod defaults;
mod descs;
mod entities;
mod expr;
mod flow;
mod function;
mod inline;
mod loops;
mod members;
mod operators;
mod pages;
pub(crate) mod placement;
mod pushed;
mod quiet;
mod records;
mod rows;
mod templates;
mod values;
mod views;
mod walk;

use std::cell::OnceCell;

use flin_bytecode::verify::{PARAMS_MAX, SLOTS_MAX};
use flin_bytecode::{
    Class, EntityTypeId, FuncId, Function as Code, FunctionBuilder, GlobalId, Module,
    ModuleBuilder, Signature, TypeId,
};
use flin_syntax::codes::Code as DiagnosticCode;
use flin_syntax::span::LineIndex;
use flin_syntax::{Diagnostic, Span};
use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};

use crate::browser::LocalNames;
use crate::hir::{EntityIx, FnId, FnKind, GlobalIx, LocalId, Program};
use crate::types::{InstId, Ty, Types};

const PARAMS_MORE: usize = PARAMS_MAX + 1;
const CAPTURES_MORE: usize = SLOTS_MAX + 1;

/// Turns a resolved and typed program into a module; with `pushed`, its queries leave to the store what the store can
/// answer. Fails only where a function is too big for the machine.
pub fn lower(
    program: &Program,
    types: &Types,
    source_name: &str,
    source_text: &str,
    prelude_text: &str,
    pushed: bool,
) -> Result<Module, Vec<Diagnostic>> {
    let named = lower_named(
        program,
        types,
        source_name,
        source_text,
        prelude_text,
        pushed,
    );
    named.map(|(module, _)| module)
}

/// As [`lower`], and tells where the variables of the source live.
pub fn lower_named(
    program: &Program,
    types: &Types,
    source_name: &str,
    source_text: &str,
    prelude_text: &str,
    pushed: bool,
) -> Result<(Module, LocalNames), Vec<Diagnostic>> {
    let mut cx = Lowering::new(program, types, source_name, source_text, prelude_text);
    cx.found.wanted = pushed;
    cx.declare();
    for (at, _) in types.instances.iter().enumerate() {
        cx.instance(InstId(at as u32));
    }
    cx.value_functions();
    cx.queries();
    cx.tables();
    if cx.errors.is_empty() {
        let mut module = cx.module.module;
        for at in 0..module.functions.len() {
            module.functions[at].arguments =
                flin_bytecode::arguments::arguments(&module, &module.functions[at]);
        }
        Ok((module, cx.locals))
    } else {
        Err(cx.errors)
    }
}

/// How the result of an instance is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ResultForm {
    /// As its type says; nothing for `none` and `never`.
    Natural,
    /// As `any`, queries in it made lists: it leaves the program.
    Answer,
    /// As a bool, by truthiness.
    Truth,
    /// Nothing.
    Discard,
}

/// The module under construction and what all functions share.
struct Lowering<'a> {
    program: &'a Program,
    types: &'a Types,
    module: ModuleBuilder,
    source: Positions<'a>,
    prelude: Positions<'a>,
    /// Bytecode function per instance.
    functions: Vec<FuncId>,
    forms: Vec<ResultForm>,
    /// Closure functions that stand for plain ones where they are used as values.
    value_functions: HashMap<InstId, FuncId>,
    value_queue: Vec<(InstId, FuncId)>,
    /// What calls of an instance with this many arguments enter.
    entries_of: HashMap<(InstId, usize), FuncId>,
    /// Variables in cells, by the function that declares them, with the type the cell holds.
    cells: HashMap<(FnId, LocalId), Ty>,
    /// Type descriptions already made, and the record types being described.
    descs: HashMap<Ty, TypeId>,
    describing: HashSet<Ty>,
    errors: Vec<Diagnostic>,
    /// Functions that stand in queries.
    found: pushed::Found,
    views: templates::OfPages,
    /// What may run in the browser, if there are pages.
    placement: Option<placement::Placement<'a>>,
    /// Where the variables of the source live.
    locals: LocalNames,
}

/// Line and column of byte offsets in one source text, whose lines are counted when somebody asks.
struct Positions<'a> {
    text: &'a str,
    lines: OnceCell<LineIndex>,
}

impl<'a> Positions<'a> {
    fn new(text: &'a str) -> Positions<'a> {
        Positions {
            text,
            lines: OnceCell::new(),
        }
    }

    fn at(&self, span: Span) -> (u32, u32) {
        let lines = self.lines.get_or_init(|| LineIndex::new(self.text));
        let place = lines.line_column(self.text, span.start.min(self.text.len() as u32));
        (place.line, place.column)
    }
}

impl<'a> Lowering<'a> {
    fn new(
        program: &'a Program,
        types: &'a Types,
        source_name: &str,
        source_text: &'a str,
        prelude_text: &'a str,
    ) -> Lowering<'a> {
        Lowering {
            program,
            types,
            module: ModuleBuilder::new(source_name),
            source: Positions::new(source_text),
            prelude: Positions::new(prelude_text),
            functions: Vec::new(),
            forms: Vec::new(),
            value_functions: HashMap::new(),
            value_queue: Vec::new(),
            entries_of: HashMap::new(),
            cells: HashMap::new(),
            descs: HashMap::new(),
            describing: HashSet::new(),
            errors: Vec::new(),
            found: pushed::Found::default(),
            views: templates::OfPages::default(),
            placement: (!program.pages.is_empty())
                .then(|| placement::Placement::new(program, types)),
            locals: LocalNames::new(),
        }
    }

    /// Gives every instance its function number and fills the tables that code refers to.
    fn declare(&mut self) {
        self.declare_cells();
        let form = self.result_forms();
        for instance in &self.types.instances {
            self.forms.push(
                form.get(&instance.func)
                    .copied()
                    .unwrap_or(ResultForm::Natural),
            );
        }
        for at in 0..self.types.instances.len() {
            let id = InstId(at as u32);
            let signature = self.signature(id);
            let name = &self.program.functions[self.types.instances[at].func.index()].name;
            self.functions
                .push(self.module.declare_function(name, signature));
        }
        for (at, global) in self.program.globals.iter().enumerate() {
            let ty = self.types.globals[at];
            let entry = flin_bytecode::module::Global {
                name: global.name.clone(),
                class: self.types.class(ty),
                ty: self.desc(ty),
            };
            let id = self.module.global(entry);
            debug_assert_eq!(id, GlobalId(at as u32));
        }
        self.entities();
    }

    /// Functions that something outside the compiled code calls have results of an agreed form.
    fn result_forms(&self) -> HashMap<FnId, ResultForm> {
        let program = self.program;
        let fields = || program.entities.iter().flat_map(|entity| &entity.fields);
        let handlers = || program.pages.iter().flat_map(|page| &page.handlers);
        let answer = program.routes.iter().map(|route| route.func);
        let truth = fields().flat_map(|field| field.checks.iter().copied());
        let discard = (program.globals.iter().filter_map(|global| global.init))
            .chain(program.pages.iter().map(|page| page.view))
            .chain(handlers().map(|handler| handler.func))
            .chain(handlers().filter_map(|handler| handler.named.as_ref().map(|named| named.stub)))
            .chain(program.tests.iter().map(|(_, test)| *test))
            .chain(program.main)
            .chain(program.const_init);
        (answer.map(|f| (f, ResultForm::Answer)))
            .chain(truth.map(|f| (f, ResultForm::Truth)))
            .chain(discard.map(|f| (f, ResultForm::Discard)))
            .collect()
    }

    /// Finds the variables that live in cells and what their cells hold: one type for all functions that share one.
    fn declare_cells(&mut self) {
        let mut shared: HashSet<(FnId, LocalId)> = HashSet::new();
        for (at, function) in self.program.functions.iter().enumerate() {
            let id = FnId(at as u32);
            for (local, l) in function.locals.iter().enumerate() {
                let is_inner = function.captures.iter().any(|c| c.inner.index() == local);
                if l.captured && l.reassigned && !is_inner {
                    shared.insert((id, LocalId(local as u32)));
                }
            }
            for local in walk::self_captured(self.program, function) {
                shared.insert((id, local));
            }
        }
        for instance in &self.types.instances {
            for local in 0..instance.locals.len() {
                let key = walk::origin(self.program, instance.func, LocalId(local as u32));
                if !shared.contains(&key) {
                    continue;
                }
                let ty = instance.locals[local];
                let joined = match self.cells.get(&key) {
                    Some(known) if self.types.class(*known) != self.types.class(ty) => Ty::Any,
                    Some(known) => *known,
                    None => ty,
                };
                self.cells.insert(key, joined);
            }
        }
    }

    /// The cell type of a variable, if it lives in a cell.
    fn cell_of(&self, function: FnId, local: LocalId) -> Option<Ty> {
        self.cells
            .get(&walk::origin(self.program, function, local))
            .copied()
    }

    /// Parameter and result classes of an instance (the closure itself not counted).
    fn signature(&self, id: InstId) -> Signature {
        let instance = &self.types.instances[id.index()];
        let function = &self.program.functions[instance.func.index()];
        Signature {
            params: function
                .params
                .iter()
                .map(|p| self.types.class(instance.locals[p.local.index()]))
                .collect(),
            result: match self.forms[id.index()] {
                ResultForm::Natural => self.result_class(instance.result),
                ResultForm::Answer => Some(Class::Any),
                ResultForm::Truth => Some(Class::Bool),
                ResultForm::Discard => None,
            },
        }
    }

    /// What calls of the instance give, as a type: `none` if they give nothing.
    fn result_type(&self, id: InstId) -> Ty {
        match self.forms[id.index()] {
            ResultForm::Natural => self.types.instances[id.index()].result,
            ResultForm::Answer => Ty::Any,
            ResultForm::Truth => Ty::Bool,
            ResultForm::Discard => Ty::None,
        }
    }

    fn result_class(&self, ty: Ty) -> Option<Class> {
        match ty {
            Ty::None | Ty::Never => None,
            other => Some(self.types.class(other)),
        }
    }

    /// Whether the instance's code needs its closure: then it is only reachable by `call.closure`.
    fn needs_closure(&self, id: InstId) -> bool {
        let function = &self.program.functions[self.types.instances[id.index()].func.index()];
        function.kind == FnKind::Lambda && !function.captures.is_empty()
    }

    /// The closure function to make a value of an instance.
    fn value_function(&mut self, id: InstId) -> FuncId {
        if self.needs_closure(id) {
            return self.functions[id.index()];
        }
        if let Some(known) = self.value_functions.get(&id) {
            return *known;
        }
        let signature = self.signature(id);
        let name = self.program.functions[self.types.instances[id.index()].func.index()]
            .name
            .clone();
        let func = self.module.declare_function(&name, signature);
        self.value_functions.insert(id, func);
        self.value_queue.push((id, func));
        func
    }

    /// Writes the closures that stand for plain functions: they only pass their arguments on.
    fn value_functions(&mut self) {
        for (id, func) in std::mem::take(&mut self.value_queue) {
            let signature = self.signature(id);
            let entries = self.entries(id, &[]);
            let function = &self.program.functions[self.types.instances[id.index()].func.index()];
            let mut b =
                FunctionBuilder::closure(function.name.clone(), signature.clone(), Vec::new());
            b.set_from_prelude(function.from_prelude);
            b.set_entries(entries);
            let (line, column) = self.position(function.from_prelude, function.span);
            b.at(line, column);
            let window = b.window(&signature);
            for (at, &class) in signature.params.iter().enumerate() {
                let param = b.param(at);
                b.mov(class, window.args[at], param);
            }
            flin_bytecode::emit!(
                b,
                Call,
                window.scalar,
                window.reference,
                self.functions[id.index()]
            );
            function::emit_return(&mut b, signature.result, window.result);
            self.finish(func, b, function.span);
        }
    }

    fn instance(&mut self, id: InstId) {
        let func = self.functions[id.index()];
        let span = self.program.functions[self.types.instances[id.index()].func.index()].span;
        let (mut b, locals) = function::compile(self, id);
        self.locals.insert(func, locals);
        if self.needs_closure(id) {
            let captures = b.captures().to_vec();
            b.set_entries(self.entries(id, &captures));
        }
        self.finish(func, b, span);
    }

    /// The part of a page's view that the browser computes, if there is one.
    fn browser_view(&mut self, view: FnId) -> Option<FuncId> {
        if !self.views.get(&view)?.is_shared() {
            return None;
        }
        let id = self.entry_instance(view);
        let function = &self.program.functions[view.index()];
        let name = format!("{} in the browser", function.name);
        let signature = self.signature(id);
        let func = self.module.declare_function(&name, signature);
        let (b, locals) = function::compile_browser_view(self, id, name);
        self.locals.insert(func, locals);
        self.finish(func, b, function.span);
        Some(func)
    }

    fn finish(&mut self, func: FuncId, builder: FunctionBuilder, span: Span) {
        let built = builder.finish().map_err(|error| error.to_string());
        let fitting = built.and_then(|code| match (code.signature.params.len(), code.captures.len()) {
            (found @ PARAMS_MORE.., _) => {
                Err(format!("the function takes {found} parameters, at most {PARAMS_MAX} are allowed"))
            }
            (_, found @ CAPTURES_MORE..) => {
                Err(format!("the function uses {found} variables from outside, at most {SLOTS_MAX} are allowed"))
            }
            (_, _) => Ok(code),
        });
        match fitting {
            Ok(code) => self.put(func, code),
            Err(title) => {
                let text = self.source.text.get(span.range()).unwrap_or("");
                let line = text.lines().next().unwrap_or("");
                let head = Span::new(span.start, span.start + line.len() as u32);
                self.errors
                    .push(Diagnostic::error(DiagnosticCode::TooBig, head, title));
            }
        }
    }

    fn put(&mut self, func: FuncId, code: Code) {
        self.module.set_function(func, code);
    }

    fn position(&self, from_prelude: bool, span: Span) -> (u32, u32) {
        if from_prelude {
            self.prelude.at(span)
        } else {
            self.source.at(span)
        }
    }

    /// The text of an expression on one line, shortened if it is long.
    fn source_of(&self, from_prelude: bool, span: Span) -> String {
        const SHOWN_MAX: usize = 120;
        let text = if from_prelude {
            self.prelude.text
        } else {
            self.source.text
        };
        let words: Vec<&str> = text
            .get(span.range())
            .unwrap_or("")
            .split_whitespace()
            .collect();
        let line = words.join(" ");
        match line.char_indices().nth(SHOWN_MAX) {
            Some((end, _)) => format!("{} …", &line[..end]),
            None => line,
        }
    }

    /// The function by which a root is entered.
    fn entry(&self, function: FnId) -> FuncId {
        self.functions[self.entry_instance(function).index()]
    }

    fn entry_instance(&self, function: FnId) -> InstId {
        *self.types.entry.get(&function).unwrap_or_else(|| {
            panic!(
                "{} has no instance",
                self.program.functions[function.index()].name
            )
        })
    }

    fn global_id(&self, global: GlobalIx) -> GlobalId {
        GlobalId(global.0)
    }

    fn entity_id(&self, entity: EntityIx) -> EntityTypeId {
        EntityTypeId(entity.0)
    }
}
