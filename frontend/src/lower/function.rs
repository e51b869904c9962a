//! One function: its registers, its variables, its loops. Here because all files of this folder write into the same
//! function state. Must stay true: registers are taken and given back like a stack; a variable has its register exactly
//! while the smallest expression runs that contains all its uses.

use flin_bytecode::{Class, FunctionBuilder, Label, Native, Reg, emit};
use flin_syntax::Span;

use super::calls::Arg;
use super::walk::Scopes;
use super::{Lowering, ResultForm};
use crate::browser::LocalName;
use crate::hir::{self, ExprId, ExprKind, FnId, LocalId};
use crate::types::{InstId, Instance, Meaning, Ty};

/// Where a variable is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// Not in use here.
    Nowhere,
    /// In a register of its type's class.
    Register(Reg),
    /// In the cell that the register refers to.
    Cell(Reg, Ty),
}

/// A loop being lowered.
pub(super) struct LoopFrame {
    pub(super) label: u32,
    pub(super) on_break: Label,
    pub(super) on_continue: Label,
    /// Where `break value` puts the value, with its type.
    pub(super) value: Option<(Reg, Ty)>,
}

impl LoopFrame {
    /// A loop that gives nothing.
    pub(super) fn without_value(label: u32, on_break: Label, on_continue: Label) -> LoopFrame {
        LoopFrame {
            label,
            on_break,
            on_continue,
            value: None,
        }
    }
}

/// A function being lowered.
pub(super) struct Lower<'c, 'a> {
    pub(super) cx: &'c mut Lowering<'a>,
    pub(super) b: FunctionBuilder,
    pub(super) id: FnId,
    pub(super) f: &'a hir::Function,
    pub(super) inst: &'a Instance,
    pub(super) result: Ty,
    form: ResultForm,
    pub(super) scopes: Scopes,
    places: Vec<Place>,
    pub(super) loops: Vec<LoopFrame>,
    /// The variable being assigned: its old value may still be read, so nothing is built in its register.
    careful: Option<Reg>,
    pub(super) kept: super::constants::Kept,
    /// Lambdas that are arguments of queries.
    pub(super) in_queries: Vec<(ExprId, super::pushed::Role)>,
    /// What it writes.
    pub(super) view: super::templates::View,
    /// Where its variables live, for readable JavaScript.
    named: Vec<String>,
}

/// Writes the code of an instance.
pub(super) fn compile(cx: &mut Lowering<'_>, id: InstId) -> (FunctionBuilder, Vec<LocalName>) {
    let inst = &cx.types.instances[id.index()];
    let f = &cx.program.functions[inst.func.index()];
    let signature = cx.signature(id);
    let b = if cx.needs_closure(id) {
        FunctionBuilder::closure(f.name.clone(), signature, Vec::new())
    } else {
        FunctionBuilder::new(f.name.clone(), signature)
    };
    let mut lower = start(cx, id, b);
    lower.enter();
    if lower.is_page_view() {
        lower.page_view(f.body);
    } else if lower.is_script() {
        lower.script(f.body);
    } else {
        lower.tail(f.body);
    }
    let lives = lower.b.lives().iter().copied();
    let named = lives.zip(lower.named).collect();
    (lower.b, named)
}

/// Writes the code of a page's view as the browser runs it: only the values that it computes itself.
pub(super) fn compile_browser_view(
    cx: &mut Lowering<'_>,
    id: InstId,
    name: String,
) -> (FunctionBuilder, Vec<LocalName>) {
    let inst = &cx.types.instances[id.index()];
    let f = &cx.program.functions[inst.func.index()];
    let b = FunctionBuilder::new(name, cx.signature(id));
    let mut lower = start(cx, id, b);
    lower.for_browser();
    lower.enter();
    lower.page_view(f.body);
    let lives = lower.b.lives().iter().copied();
    let named = lives.zip(lower.named).collect();
    (lower.b, named)
}

/// Begins code that belongs to an instance.
pub(super) fn start<'c, 'a>(
    cx: &'c mut Lowering<'a>,
    id: InstId,
    mut b: FunctionBuilder,
) -> Lower<'c, 'a> {
    let inst = &cx.types.instances[id.index()];
    let f = &cx.program.functions[inst.func.index()];
    b.set_from_prelude(f.from_prelude);
    let result = cx.result_type(id);
    let form = cx.forms[id.index()];
    let scopes = Scopes::of(cx.program, f);
    let places = vec![Place::Nowhere; f.locals.len()];
    let mut lower = Lower {
        cx,
        b,
        id: inst.func,
        f,
        inst,
        result,
        form,
        scopes,
        places,
        loops: Vec::new(),
        careful: None,
        kept: super::constants::Kept::default(),
        in_queries: Vec::new(),
        view: super::templates::View::default(),
        named: Vec::new(),
    };
    lower.at(f.span);
    lower
}

/// Emits the return of a value of some class, or of nothing.
pub(super) fn emit_return(b: &mut FunctionBuilder, class: Option<Class>, value: Option<Reg>) {
    match (class, value) {
        (Some(Class::I64), Some(r)) => emit!(b, RetI64, r),
        (Some(Class::F64), Some(r)) => emit!(b, RetF64, r),
        (Some(Class::Bool), Some(r)) => emit!(b, RetBool, r),
        (Some(Class::Ref), Some(r)) => emit!(b, RetRef, r),
        (Some(Class::Any), Some(r)) => emit!(b, RetAny, r),
        (None, _) | (_, None) => emit!(b, Ret),
    }
}

impl Lower<'_, '_> {
    /// Puts parameters and captured variables in their places.
    fn enter(&mut self) {
        for (at, param) in self.f.params.iter().enumerate() {
            let reg = self.b.param(at);
            let local = param.local;
            self.places[local.index()] = Place::Register(reg);
            self.note_name(local, reg, self.class(self.local_ty(local)));
            if let Some(cell) = self.cx.cell_of(self.id, local) {
                let value = self.convert(reg, self.local_ty(local), cell, None);
                let holder = self.b.local(Class::Ref);
                self.cell_new(holder, value, cell);
                self.places[local.index()] = Place::Cell(holder, cell);
            }
        }
        self.enter_with_captures();
        for param in &self.f.params {
            self.check_members_of(param.local);
        }
    }

    /// Puts the captured variables in their places, for code that has no parameters.
    pub(super) fn enter_with_captures(&mut self) {
        for capture in &self.f.captures {
            let class = self.capture_class(capture.inner);
            self.b.add_capture(class);
        }
        self.place_captures();
    }

    fn capture_class(&self, local: LocalId) -> Class {
        match self.cx.cell_of(self.id, local) {
            Some(_) => Class::Ref,
            None => self.class(self.local_ty(local)),
        }
    }

    /// Reads the captured variables of the closure that runs.
    pub(super) fn place_captures(&mut self) {
        for (slot, capture) in self.f.captures.iter().enumerate() {
            let slot = slot as i32;
            let cell = self.cx.cell_of(self.id, capture.inner);
            let class = self.capture_class(capture.inner);
            let reg = self.b.local(class);
            match class {
                Class::I64 => emit!(self.b, CaptureGetI64, reg, slot),
                Class::F64 => emit!(self.b, CaptureGetF64, reg, slot),
                Class::Bool => emit!(self.b, CaptureGetBool, reg, slot),
                Class::Ref => emit!(self.b, CaptureGetRef, reg, slot),
                Class::Any => emit!(self.b, CaptureGetAny, reg, slot),
            }
            self.note_name(capture.inner, reg, class);
            self.places[capture.inner.index()] = match cell {
                Some(ty) => Place::Cell(reg, ty),
                None => Place::Register(reg),
            };
        }
    }

    fn is_page_view(&self) -> bool {
        self.cx
            .program
            .pages
            .iter()
            .any(|page| page.view == self.id)
    }

    /// Whether this is the top level of a program that keeps records, or one of its tests.
    fn is_script(&self) -> bool {
        let program = self.cx.program;
        let steps =
            program.main == Some(self.id) || program.tests.iter().any(|(_, test)| *test == self.id);
        steps && !program.entities.is_empty()
    }

    /// The top level, or a test: where one of its statements ends, the runtime may keep what it saved.
    fn script(&mut self, e: ExprId) {
        let f = self.f;
        let ExprKind::Block(items, _) = &f.exprs[e.index()].kind else {
            return self.tail(e);
        };
        let mark = self.b.mark();
        self.take_locals(e);
        for item in items {
            if self.b.is_ended() {
                break;
            }
            self.effect(*item);
            if !self.b.is_ended() {
                self.native(Native::StatementEnd, &[], None);
            }
        }
        if !self.b.is_ended() {
            self.leave_empty();
        }
        self.b.release(mark);
    }

    /// Evaluates what the function returns and returns it, in each branch where the value ends in branches.
    fn tail(&mut self, e: ExprId) {
        let mark = self.b.mark();
        self.take_locals(e);
        let f = self.f;
        let natural = self.form == ResultForm::Natural;
        let direct = |this: &Self, inner: ExprId| {
            natural && (this.ty(inner) == this.ty(e) || this.ty(e) == this.result)
        };
        match &f.exprs[e.index()].kind {
            ExprKind::Block(items, true)
                if items.last().is_some_and(|last| direct(self, *last)) =>
            {
                let (last, before) = items.split_last().expect("a block with a value has items");
                before.iter().for_each(|item| {
                    if !self.b.is_ended() {
                        self.effect(*item);
                    }
                });
                if !self.b.is_ended() {
                    self.tail(*last);
                }
            }
            ExprKind::If {
                cond,
                then,
                otherwise: Some(otherwise),
            } if direct(self, *then) && direct(self, *otherwise) => {
                let no = self.b.label();
                self.branch(*cond, false, no);
                if !self.b.is_ended() {
                    self.tail(*then);
                }
                self.b.bind(no);
                self.tail(*otherwise);
            }
            _ => {
                let value = self.function_value_inner(e);
                self.leave(value);
            }
        }
        self.b.release(mark);
    }

    /// As `function_value`, when the expression's variables have their registers already.
    fn function_value_inner(&mut self, e: ExprId) -> Option<Reg> {
        if !self.owns_locals(e) {
            return self.function_value(e);
        }
        let ty = self.ty(e);
        match self.form {
            ResultForm::Natural if matches!(self.result, Ty::None | Ty::Never) => {
                self.effect_inner(e);
                None
            }
            ResultForm::Discard => {
                self.effect_inner(e);
                None
            }
            ResultForm::Truth => Some(self.truth_inner(e, None)),
            ResultForm::Answer => {
                let value = self.eval_inner(e, None);
                Some(self.answer(value, ty))
            }
            ResultForm::Natural => {
                let value = self.eval_inner(e, None);
                Some(self.convert(value, ty, self.result, None))
            }
        }
    }

    /// Evaluates a value that the function returns, in the form its callers expect.
    pub(super) fn function_value(&mut self, e: ExprId) -> Option<Reg> {
        match self.form {
            ResultForm::Discard => {
                self.effect(e);
                None
            }
            ResultForm::Truth => Some(self.truth(e, None)),
            ResultForm::Answer => {
                let ty = self.ty(e);
                let value = self.eval(e, None);
                Some(self.answer(value, ty))
            }
            ResultForm::Natural if matches!(self.result, Ty::None | Ty::Never) => {
                self.effect(e);
                None
            }
            ResultForm::Natural => Some(self.eval_as(e, self.result, None)),
        }
    }

    /// Returns a value in the form its callers expect.
    pub(super) fn leave(&mut self, value: Option<Reg>) {
        if !self.b.is_ended() {
            let class = self.cx.result_class(self.result);
            emit_return(&mut self.b, class, value);
        }
    }

    /// `return` without a value.
    pub(super) fn leave_empty(&mut self) {
        let value = self
            .cx
            .result_class(self.result)
            .map(|_| self.none_as(self.result, None));
        self.leave(value);
    }

    pub(super) fn kind(&self, e: ExprId) -> &ExprKind {
        &self.f.exprs[e.index()].kind
    }

    pub(super) fn span(&self, e: ExprId) -> Span {
        self.f.exprs[e.index()].span
    }

    pub(super) fn ty(&self, e: ExprId) -> Ty {
        self.inst.exprs[e.index()]
    }

    pub(super) fn class(&self, ty: Ty) -> Class {
        self.cx.types.class(ty)
    }

    pub(super) fn local_ty(&self, local: LocalId) -> Ty {
        self.inst.locals[local.index()]
    }

    pub(super) fn meaning(&self, e: ExprId) -> Option<&Meaning> {
        self.inst.meaning.get(&e)
    }

    /// The position of the instructions that follow.
    pub(super) fn at(&mut self, span: Span) {
        let (line, column) = self.cx.position(self.f.from_prelude, span);
        self.b.at(line, column);
    }

    /// The wanted register, or a new temporary.
    pub(super) fn dst(&mut self, want: Option<Reg>, class: Class) -> Reg {
        want.unwrap_or_else(|| self.b.temp(class))
    }

    /// Where something is made in several steps: the wanted register, unless its old value may still be read.
    pub(super) fn build(&mut self, want: Option<Reg>, class: Class) -> Reg {
        match want {
            Some(reg) if self.careful != Some(reg) => reg,
            Some(_) | None => self.b.temp(class),
        }
    }

    /// A value that is in a register already, moved to the wanted one if that is another.
    pub(super) fn settle(&mut self, reg: Reg, class: Class, want: Option<Reg>) -> Reg {
        match want {
            Some(target) => {
                self.b.mov(class, target, reg);
                target
            }
            None => reg,
        }
    }

    /// Jumps unless the code cannot come here anyway.
    pub(super) fn jump(&mut self, target: Label) {
        if !self.b.is_ended() {
            emit!(self.b, Jump, target);
        }
    }

    /// Gives the variables that live in this expression their registers.
    pub(super) fn take_locals(&mut self, e: ExprId) {
        let Some(locals) = self.scopes.owned.get(&e).cloned() else {
            return;
        };
        for local in locals {
            let cell = self.cx.cell_of(self.id, local);
            let class = cell.map_or_else(|| self.class(self.local_ty(local)), |_| Class::Ref);
            let reg = self.b.local(class);
            self.note_name(local, reg, class);
            self.places[local.index()] = match cell {
                Some(ty) => Place::Cell(reg, ty),
                None => Place::Register(reg),
            };
        }
    }

    /// Notes where a variable lives from now on.
    fn note_name(&mut self, local: LocalId, reg: Reg, class: Class) {
        let life = self.b.begin_life(class.bank(), reg);
        debug_assert_eq!(life, self.named.len());
        self.named.push(self.f.locals[local.index()].name.clone());
    }

    pub(super) fn owns_locals(&self, e: ExprId) -> bool {
        self.scopes.owned.contains_key(&e)
    }

    pub(super) fn place(&self, local: LocalId) -> Place {
        self.places[local.index()]
    }

    /// The variable's value, of its declared type (the cell's for a cell).
    pub(super) fn read_local(&mut self, local: LocalId, want: Option<Reg>) -> (Reg, Ty) {
        match self.place(local) {
            Place::Register(reg) => (reg, self.local_ty(local)),
            Place::Cell(cell, ty) => {
                let class = self.class(ty);
                let dst = self.dst(want, class);
                match class {
                    Class::I64 => emit!(self.b, CellGetI64, dst, cell),
                    Class::F64 => emit!(self.b, CellGetF64, dst, cell),
                    Class::Bool => emit!(self.b, CellGetBool, dst, cell),
                    Class::Ref => emit!(self.b, CellGetRef, dst, cell),
                    Class::Any => emit!(self.b, CellGetAny, dst, cell),
                }
                (dst, ty)
            }
            Place::Nowhere => panic!(
                "{}: variable {} has no place",
                self.f.name,
                self.f.locals[local.index()].name
            ),
        }
    }

    pub(super) fn cell_new(&mut self, holder: Reg, value: Reg, ty: Ty) {
        match self.class(ty) {
            Class::I64 => emit!(self.b, CellNewI64, holder, value),
            Class::F64 => emit!(self.b, CellNewF64, holder, value),
            Class::Bool => emit!(self.b, CellNewBool, holder, value),
            Class::Ref => emit!(self.b, CellNewRef, holder, value),
            Class::Any => emit!(self.b, CellNewAny, holder, value),
        }
    }

    pub(super) fn cell_set(&mut self, holder: Reg, value: Reg, ty: Ty) {
        match self.class(ty) {
            Class::I64 => emit!(self.b, CellSetI64, value, holder),
            Class::F64 => emit!(self.b, CellSetF64, value, holder),
            Class::Bool => emit!(self.b, CellSetBool, value, holder),
            Class::Ref => emit!(self.b, CellSetRef, value, holder),
            Class::Any => emit!(self.b, CellSetAny, value, holder),
        }
    }

    /// Declares a variable with a value in a register of the variable's type: a fresh cell if it lives in one.
    pub(super) fn declare_value(&mut self, local: LocalId, value: Reg, from: Ty) {
        self.check_members(local, value, from);
        match self.place(local) {
            Place::Register(reg) => {
                let to = self.local_ty(local);
                self.convert(value, from, to, Some(reg));
            }
            Place::Cell(holder, ty) => {
                let mark = self.b.mark();
                let value = self.convert(value, from, ty, None);
                self.cell_new(holder, value, ty);
                self.b.release(mark);
            }
            Place::Nowhere => {}
        }
    }

    /// A value that a tuple pattern takes apart has as many members as that has names; where types do not tell.
    pub(super) fn check_members(&mut self, local: LocalId, value: Reg, of: Ty) {
        let Some((names, span)) = self.f.locals[local.index()].tuple else {
            return;
        };
        if !matches!(of, Ty::Any | Ty::Union(_)) {
            return;
        }
        let mark = self.b.mark();
        let count = self.b.temp(Class::I64);
        self.int_const(i64::from(names), count);
        self.at(span);
        let args = [Arg::Value(value, of), Arg::Value(count, Ty::Int)];
        self.call_lib(Native::TupleNames.lib_id(), &args, None);
        self.b.release(mark);
    }

    /// The same for a variable that has its value.
    pub(super) fn check_members_of(&mut self, local: LocalId) {
        if self.f.locals[local.index()].tuple.is_some() {
            let mark = self.b.mark();
            let (value, of) = self.read_local(local, None);
            self.check_members(local, value, of);
            self.b.release(mark);
        }
    }

    /// `let`.
    pub(super) fn declare(&mut self, local: LocalId, value: Option<ExprId>) {
        self.declare_unchecked(local, value);
        if value.is_some() && !self.b.is_ended() {
            self.check_members_of(local);
        }
    }

    fn declare_unchecked(&mut self, local: LocalId, value: Option<ExprId>) {
        match (self.place(local), value) {
            (Place::Register(reg), Some(value)) => {
                let ty = self.local_ty(local);
                self.eval_as(value, ty, Some(reg));
            }
            (Place::Register(reg), None) => {
                let ty = self.local_ty(local);
                self.initial(ty, Some(reg));
            }
            (Place::Cell(holder, ty), value) => {
                let mark = self.b.mark();
                match value {
                    Some(value) if self.is_self_captured(value, local) => {
                        let empty = self.initial(ty, None);
                        self.cell_new(holder, empty, ty);
                        let value = self.eval_as(value, ty, None);
                        self.cell_set(holder, value, ty);
                    }
                    Some(value) => {
                        let value = self.eval_as(value, ty, None);
                        self.cell_new(holder, value, ty);
                    }
                    None => {
                        let empty = self.initial(ty, None);
                        self.cell_new(holder, empty, ty);
                    }
                }
                self.b.release(mark);
            }
            (Place::Nowhere, Some(value)) => self.effect(value),
            (Place::Nowhere, None) => {}
        }
    }

    fn is_self_captured(&self, value: ExprId, local: LocalId) -> bool {
        let mut found = false;
        if let ExprKind::Lambda(f) = &self.f.exprs[value.index()].kind {
            found = self.cx.program.functions[f.index()]
                .captures
                .iter()
                .any(|c| c.outer == local);
        }
        found || {
            let mut inner = Vec::new();
            crate::operands::operands(&self.f.exprs[value.index()].kind, &mut |c| inner.push(c));
            inner.into_iter().any(|c| self.is_self_captured(c, local))
        }
    }

    /// Assigns a variable.
    pub(super) fn assign(&mut self, local: LocalId, value: ExprId) {
        match self.place(local) {
            Place::Register(reg) => {
                let ty = self.local_ty(local);
                let before = self.careful.replace(reg);
                self.eval_as(value, ty, Some(reg));
                self.careful = before;
            }
            Place::Cell(holder, ty) => {
                let mark = self.b.mark();
                let value = self.eval_as(value, ty, None);
                self.cell_set(holder, value, ty);
                self.b.release(mark);
            }
            Place::Nowhere => self.effect(value),
        }
    }
}
