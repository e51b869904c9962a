//! Calls: of functions, closures and library rows. Must stay true: arguments are evaluated left to right straight into
//! the callee's window; a result is taken out of the window at once; every argument has the class that the callee's
//! signature asks for.

use flin_bytecode::build::Window;
use flin_bytecode::library::LibBody;
use flin_bytecode::{Class, Native, Reg, Signature, TypeDesc, emit};

use super::function::Lower;
use crate::hir::{ExprId, ExprKind};
use crate::kinds::{
    computed_kinds, constant_kinds, flow_kinds, query_kinds, record_kinds, view_kinds,
};
use crate::types::{InstId, Meaning, Ty};

/// An argument of a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Arg {
    /// To be evaluated.
    Expr(ExprId),
    /// Already in a register.
    Value(Reg, Ty),
    /// Left out: none.
    Nothing,
}

impl Lower<'_, '_> {
    pub(super) fn arg_ty(&self, arg: Arg) -> Ty {
        match arg {
            Arg::Expr(e) => self.ty(e),
            Arg::Value(_, ty) => ty,
            Arg::Nothing => Ty::None,
        }
    }

    /// The argument as another type.
    pub(super) fn arg_as(&mut self, arg: Arg, to: Ty, want: Option<Reg>) -> Reg {
        match arg {
            Arg::Expr(e) => self.eval_as(e, to, want),
            Arg::Value(reg, from) => self.convert(reg, from, to, want),
            Arg::Nothing => self.none_as(to, want),
        }
    }

    /// The argument as it is.
    pub(super) fn arg(&mut self, arg: Arg, want: Option<Reg>) -> Reg {
        match arg {
            Arg::Expr(e) => self.eval(e, want),
            Arg::Value(reg, ty) => self.settle(reg, self.class(ty), want),
            Arg::Nothing => self.none_as(Ty::None, want),
        }
    }

    pub(super) fn arg_position(&mut self, arg: Arg) {
        if let Arg::Expr(e) = arg {
            self.at_expr(e);
        }
    }

    /// A call for what it does.
    pub(super) fn call_effect(&mut self, e: ExprId) {
        let meaning = self.meaning(e).cloned();
        let optional = matches!(self.kind(e), ExprKind::Method { optional: true, .. });
        match meaning {
            Some(Meaning::Direct(inst)) if !optional => {
                let args = self.call_args(e);
                if self.cx.needs_closure(inst) || matches!(self.kind(e), ExprKind::CallValue(..)) {
                    self.call(e, None);
                } else {
                    self.call_instance_effect(inst, &args, e);
                }
            }
            Some(Meaning::Lib(row) | Meaning::LibOp(row)) if !optional => {
                let args = self.call_args(e);
                match row.row().body {
                    LibBody::Native(_) => {
                        self.lib_window(row, &args, Some(e));
                    }
                    LibBody::Inline(inline) => self.inline_effect(e, inline, &args),
                    LibBody::Prelude(_) => {
                        self.never_called(e, &args, None);
                    }
                }
            }
            None
            | Some(
                Meaning::Direct(_)
                | Meaning::Lib(_)
                | Meaning::LibOp(_)
                | Meaning::Closure { .. }
                | Meaning::RecordField
                | Meaning::MapKey
                | Meaning::EntityField(_)
                | Meaning::SystemField(_)
                | Meaning::Inverse(_)
                | Meaning::ErrorField
                | Meaning::Dynamic
                | Meaning::KeyOr(_)
                | Meaning::ImplicitOwn(_)
                | Meaning::ImplicitOuter
                | Meaning::ViaList(..)
                | Meaning::EntityFind(_)
                | Meaning::EntityCount(_)
                | Meaning::VariantData(_),
            ) => {
                self.call(e, None);
            }
        }
    }

    pub(super) fn call_args(&self, e: ExprId) -> Vec<Arg> {
        match self.kind(e) {
            ExprKind::CallFn(_, args) | ExprKind::CallLib(_, args) => {
                args.iter().map(|a| Arg::Expr(*a)).collect()
            }
            ExprKind::Method { recv, args, .. } => {
                let of = self.ty(*recv);
                std::iter::once(Arg::Expr(*recv))
                    .chain(args.iter().map(|a| Arg::Expr(self.query_arg(of, *a))))
                    .collect()
            }
            ExprKind::CallValue(callee, args) => std::iter::once(callee)
                .chain(args)
                .map(|a| Arg::Expr(*a))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The argument that a method really gets: over a query the lambda, else the plain value.
    pub(super) fn query_arg(&self, recv: Ty, arg: ExprId) -> ExprId {
        match self.kind(arg) {
            ExprKind::QueryArg { lambda, plain } => match self.without_none(recv) {
                Ty::Query(_) => *lambda,
                _ => *plain,
            },
            _ => arg,
        }
    }

    /// Remembers the lambda that a method of a query is given.
    fn note_query(&mut self, recv: Ty, name: &str, args: &[ExprId]) {
        let role = super::pushed::role_of(name);
        if let (Ty::Query(_), Some(role), Some(first)) =
            (self.without_none(recv), role, args.first())
            && matches!(self.kind(*first), ExprKind::Lambda(_))
        {
            self.in_queries.push((*first, role));
        }
    }

    /// The position of a call: the method's name where there is one, so that chains over several lines are told apart.
    pub(super) fn call_at(&mut self, e: ExprId) {
        let span = match self.kind(e) {
            ExprKind::Method { name_span, .. } | ExprKind::Field { name_span, .. } => *name_span,
            _ => self.span(e),
        };
        self.at(span);
    }

    /// The value of a call expression.
    pub(super) fn call(&mut self, e: ExprId, want: Option<Reg>) -> Reg {
        let meaning = self.meaning(e).cloned();
        let f = self.f;
        match &f.exprs[e.index()].kind {
            ExprKind::CallValue(callee, args) => self.call_value(e, *callee, args, meaning, want),
            ExprKind::Method {
                recv,
                name,
                args,
                optional,
                ..
            } => {
                let of = self.ty(*recv);
                let args: Vec<ExprId> = args.iter().map(|a| self.query_arg(of, *a)).collect();
                self.note_query(of, name, &args);
                if *optional {
                    return self.optional(e, *recv, want, |this, value, want| {
                        this.method(e, value, name, &args, meaning, want)
                    });
                }
                self.method(e, Arg::Expr(*recv), name, &args, meaning, want)
            }
            ExprKind::CallLib(name, args) => {
                if let [recv, rest @ ..] = args.as_slice() {
                    self.note_query(self.ty(*recv), name, rest);
                }
                let args: Vec<Arg> = args.iter().map(|a| Arg::Expr(*a)).collect();
                match meaning {
                    Some(meaning) => self.apply(e, &meaning, &args, want),
                    None if name == "__query_scan" => self.query_scan(e, &args, want),
                    None => self.never_called(e, &args, want),
                }
            }
            ExprKind::CallFn(..) => {
                let args = self.call_args(e);
                match meaning {
                    Some(meaning) => self.apply(e, &meaning, &args, want),
                    None => self.never_called(e, &args, want),
                }
            }
            constant_kinds!()
            | computed_kinds!()
            | flow_kinds!()
            | record_kinds!()
            | query_kinds!()
            | view_kinds!()
            | ExprKind::List(_)
            | ExprKind::Record(_)
            | ExprKind::Let(..)
            | ExprKind::Local(_)
            | ExprKind::SetLocal(..)
            | ExprKind::Global(_)
            | ExprKind::SetGlobal(..)
            | ExprKind::FnRef(_)
            | ExprKind::Lambda(_)
            | ExprKind::Field { .. }
            | ExprKind::SetField { .. }
            | ExprKind::Index(..)
            | ExprKind::SetIndex(..)
            | ExprKind::Binary(..)
            | ExprKind::And(..)
            | ExprKind::Or(..)
            | ExprKind::Coalesce(..)
            | ExprKind::VariantData(..)
            | ExprKind::Block(..) => unreachable!("only calls come here"),
        }
    }

    /// `__query_scan(q)`. Of a query whose entity is not known the records come as a list of `any`, as its type says.
    pub(super) fn query_scan(&mut self, e: ExprId, args: &[Arg], want: Option<Reg>) -> Reg {
        let from = self.arg_ty(args[0]);
        let mark = self.b.mark();
        let query = self.arg(args[0], None);
        if self.class(from) == Class::Ref {
            self.b.release(mark);
            let dst = self.dst(want, Class::Ref);
            emit!(self.b, QueryScan, dst, query);
            return dst;
        }
        let (found, rows) = (self.b.temp(Class::Ref), self.b.temp(Class::Ref));
        let desc = self.cx.any_query_desc();
        emit!(self.b, UnboxRef, found, query, desc);
        emit!(self.b, QueryScan, rows, found);
        let (at, len) = (self.b.temp(Class::I64), self.b.temp(Class::I64));
        let row = self.b.temp(Class::Ref);
        let (top, end) = (self.b.label(), self.b.label());
        emit!(self.b, ListNew, found, Class::Any, 0);
        self.int_const(0, at);
        emit!(self.b, ListLen, len, rows);
        emit!(self.b, JumpLeI64, len, at, end);
        self.b.bind(top);
        emit!(self.b, ListGetRef, row, rows, at);
        emit!(self.b, ListPushAny, found, row);
        emit!(self.b, ForNext, at, len, top);
        self.b.bind(end);
        self.b.release(mark);
        let ty = self.ty(e);
        self.settle_as(found, ty, want)
    }

    /// A call one of whose operands never arrives.
    pub(super) fn never_called(&mut self, e: ExprId, args: &[Arg], want: Option<Reg>) -> Reg {
        let mark = self.b.mark();
        for arg in args {
            if !self.b.is_ended() {
                self.arg(*arg, None);
            }
        }
        self.b.release(mark);
        self.at_expr(e);
        self.unreachable();
        self.dst(want, self.class(self.ty(e)))
    }

    /// Calls an `any` value that must be a function.
    pub(super) fn call_dynamic(
        &mut self,
        e: ExprId,
        (callee, from): (Reg, Ty),
        args: &[ExprId],
    ) -> Reg {
        let signature = Signature {
            params: vec![Class::Any; args.len()],
            result: Some(Class::Any),
        };
        let window = self.closure_window(
            &signature,
            |this, closure| this.unbox_function(callee, from, closure),
            |this, at, slot| {
                this.eval_as(args[at], Ty::Any, Some(slot));
            },
        );
        self.call_at(e);
        let sig = self.cx.module.signature(signature);
        emit!(self.b, CallClosure, window.scalar, window.reference, sig);
        let result = window.result.expect("the signature has a result");
        let ty = self.ty(e);
        self.convert(result, Ty::Any, ty, None)
    }

    /// Evaluates a callee into a register of its own.
    pub(super) fn eval_as_function(&mut self, callee: ExprId, closure: Reg) {
        let from = self.ty(callee);
        if self.class(from) == Class::Ref {
            self.eval(callee, Some(closure));
            return;
        }
        let mark = self.b.mark();
        let reg = self.eval(callee, None);
        self.unbox_function(reg, from, closure);
        self.b.release(mark);
    }

    pub(super) fn unbox_function(&mut self, callee: Reg, from: Ty, closure: Reg) {
        if self.class(from) == Class::Ref {
            self.b.mov(Class::Ref, closure, callee);
            return;
        }
        let mark = self.b.mark();
        let boxed = self.convert(callee, from, Ty::Any, None);
        self.b.release(mark);
        let desc = self.cx.module.type_desc(TypeDesc::Function);
        emit!(self.b, UnboxRef, closure, boxed, desc);
    }

    /// `callee(args)` where the callee is a value.
    pub(super) fn call_value(
        &mut self,
        e: ExprId,
        callee: ExprId,
        args: &[ExprId],
        meaning: Option<Meaning>,
        want: Option<Reg>,
    ) -> Reg {
        let ty = self.ty(e);
        match meaning {
            Some(Meaning::Direct(inst)) => self.call_known(e, callee, args, inst, want),
            Some(Meaning::Closure { params, result }) => {
                if let Some(inst) = self.only_target(callee) {
                    return self.call_known(e, callee, args, inst, want);
                }
                let signature = Signature {
                    params: params.iter().map(|p| self.class(*p)).collect(),
                    result: self.cx.result_class(result),
                };
                let mark = self.b.mark();
                let raw = self.closure_call(e, callee, args, (&signature, &params, result));
                self.b.release(mark);
                self.finish_call(raw, result, ty, want)
            }
            Some(_) => {
                let mark = self.b.mark();
                let from = self.ty(callee);
                let reg = self.operand(callee, args);
                let result = self.call_dynamic(e, (reg, from), args);
                self.b.release(mark);
                self.settle_as(result, ty, want)
            }
            None => {
                let all: Vec<Arg> = std::iter::once(&callee)
                    .chain(args)
                    .map(|a| Arg::Expr(*a))
                    .collect();
                self.never_called(e, &all, want)
            }
        }
    }

    /// The only function that a callee can be, if its type says so.
    pub(super) fn only_target(&self, callee: ExprId) -> Option<InstId> {
        let Ty::Func(func) = self.ty(callee) else {
            return None;
        };
        let info = &self.cx.types.funcs[func.index()];
        match info.targets.as_slice() {
            [one] if !info.open => Some(*one),
            _ => None,
        }
    }

    /// Calls a function value whose instance is known: directly if it captures nothing.
    pub(super) fn call_known(
        &mut self,
        e: ExprId,
        callee: ExprId,
        args: &[ExprId],
        inst: InstId,
        want: Option<Reg>,
    ) -> Reg {
        let ty = self.ty(e);
        let result = self.cx.result_type(inst);
        let mark = self.b.mark();
        let raw = if args.len() < self.param_types(inst).len() {
            self.call_with_defaults(e, callee, args, inst)
        } else if self.cx.needs_closure(inst) {
            let closure = self.b.temp(Class::Ref);
            self.eval_as_function(callee, closure);
            let args: Vec<Arg> = args.iter().map(|a| Arg::Expr(*a)).collect();
            self.call_completed(inst, Some(closure), &args, Some(e))
        } else {
            self.effect(callee);
            let args: Vec<Arg> = args.iter().map(|a| Arg::Expr(*a)).collect();
            self.direct_call(inst, &args, Some(e))
        };
        self.b.release(mark);
        self.finish_call(raw, result, ty, want)
    }

    pub(super) fn closure_call(
        &mut self,
        e: ExprId,
        callee: ExprId,
        args: &[ExprId],
        (signature, params, _): (&Signature, &[Ty], Ty),
    ) -> Option<Reg> {
        let window = self.closure_window(
            signature,
            |this, closure| {
                this.eval_as_function(callee, closure);
            },
            |this, at, slot| {
                this.eval_as(args[at], params[at], Some(slot));
            },
        );
        self.call_at(e);
        let sig = self.cx.module.signature(signature.clone());
        emit!(self.b, CallClosure, window.scalar, window.reference, sig);
        window.result
    }

    /// Calls an `any` value that must be a function of these types.
    pub(super) fn closure_in(
        &mut self,
        e: ExprId,
        callee: Reg,
        args: &[ExprId],
        (params, result): (&[Ty], Ty),
    ) -> Option<Reg> {
        let signature = Signature {
            params: params.iter().map(|p| self.class(*p)).collect(),
            result: self.cx.result_class(result),
        };
        let window = self.closure_window(
            &signature,
            |this, closure| this.unbox_function(callee, Ty::Any, closure),
            |this, at, slot| {
                this.eval_as(args[at], params[at], Some(slot));
            },
        );
        self.call_at(e);
        let sig = self.cx.module.signature(signature);
        emit!(self.b, CallClosure, window.scalar, window.reference, sig);
        window.result
    }

    pub(super) fn param_types(&self, inst: InstId) -> Vec<Ty> {
        let instance = &self.cx.types.instances[inst.index()];
        let params = &self.cx.program.functions[instance.func.index()].params;
        params
            .iter()
            .map(|p| instance.locals[p.local.index()])
            .collect()
    }

    /// A window whose arguments are in place. `fill` puts an argument into a register. Calls that stand deep inside of
    /// others evaluate their arguments first: windows in windows would fill the near registers.
    pub(super) fn window(
        &mut self,
        signature: &Signature,
        mut fill: impl FnMut(&mut Self, usize, Reg),
    ) -> Window {
        if !self.b.is_crowded() {
            let window = self.b.window(signature);
            for (at, slot) in window.args.iter().enumerate() {
                fill(self, at, *slot);
            }
            return window;
        }
        let values = self.filled(signature, fill);
        let window = self.b.window(signature);
        self.move_all(signature, &window, &values);
        window
    }

    /// The same for a closure, which `callee` puts into a register before the arguments.
    pub(super) fn closure_window(
        &mut self,
        signature: &Signature,
        callee: impl FnOnce(&mut Self, Reg),
        mut fill: impl FnMut(&mut Self, usize, Reg),
    ) -> Window {
        if !self.b.is_crowded() {
            let window = self.b.closure_window(signature);
            callee(
                self,
                window.closure.expect("a closure window has a closure"),
            );
            for (at, slot) in window.args.iter().enumerate() {
                fill(self, at, *slot);
            }
            return window;
        }
        let closure = self.b.temp(Class::Ref);
        callee(self, closure);
        let values = self.filled(signature, fill);
        let window = self.b.closure_window(signature);
        let slot = window.closure.expect("a closure window has a closure");
        self.b.mov(Class::Ref, slot, closure);
        self.move_all(signature, &window, &values);
        window
    }

    fn filled(
        &mut self,
        signature: &Signature,
        mut fill: impl FnMut(&mut Self, usize, Reg),
    ) -> Vec<Reg> {
        let classes = signature.params.iter().enumerate();
        classes
            .map(|(at, class)| {
                let value = self.b.temp(*class);
                fill(self, at, value);
                value
            })
            .collect()
    }

    fn move_all(&mut self, signature: &Signature, window: &Window, values: &[Reg]) {
        for ((class, slot), value) in signature.params.iter().zip(&window.args).zip(values) {
            self.b.mov(*class, *slot, *value);
        }
    }

    /// Emits a call of a plain function; gives the register of the window where the result is.
    pub(super) fn direct_call(
        &mut self,
        inst: InstId,
        args: &[Arg],
        at: Option<ExprId>,
    ) -> Option<Reg> {
        let signature = self.cx.signature(inst);
        let params = self.param_types(inst);
        let window = self.window(&signature, |this, at, slot| {
            this.arg_as(args[at], params[at], Some(slot));
        });
        if let Some(e) = at {
            self.call_at(e);
        }
        let func = self.cx.functions[inst.index()];
        emit!(self.b, Call, window.scalar, window.reference, func);
        window.result
    }

    /// Brings a call's result from its window (given back already) to where it is wanted, as type `to`.
    pub(super) fn finish_call(
        &mut self,
        raw: Option<Reg>,
        from: Ty,
        to: Ty,
        want: Option<Reg>,
    ) -> Reg {
        match raw {
            None => self.no_value(
                if from == Ty::None {
                    self.none_or(to)
                } else {
                    to
                },
                want,
            ),
            Some(raw) => self.trusted(raw, from, to, want),
        }
    }

    pub(super) fn none_or(&self, to: Ty) -> Ty {
        if matches!(self.class(to), Class::Ref | Class::Any) {
            Ty::None
        } else {
            to
        }
    }

    /// Calls an instance; the result, of the instance's result type, in the wanted register.
    pub(super) fn call_instance(&mut self, inst: InstId, args: &[Arg], want: Option<Reg>) -> Reg {
        let ty = self.cx.result_type(inst);
        let mark = self.b.mark();
        let raw = self.direct_call(inst, args, None);
        self.b.release(mark);
        self.finish_call(raw, ty, ty, want)
    }

    fn call_instance_effect(&mut self, inst: InstId, args: &[Arg], at: ExprId) {
        let mark = self.b.mark();
        self.direct_call(inst, args, Some(at));
        self.b.release(mark);
    }

    /// What a call or field turned out to mean, applied to its arguments (receiver first).
    pub(super) fn apply(
        &mut self,
        e: ExprId,
        meaning: &Meaning,
        args: &[Arg],
        want: Option<Reg>,
    ) -> Reg {
        let ty = self.ty(e);
        self.call_at(e);
        match meaning {
            Meaning::Direct(inst) => {
                let from = self.cx.result_type(*inst);
                let mark = self.b.mark();
                let raw = self.direct_call(*inst, args, Some(e));
                self.b.release(mark);
                self.finish_call(raw, from, ty, want)
            }
            Meaning::Lib(row) | Meaning::LibOp(row) => match row.row().body {
                LibBody::Native(Native::ToJson) => {
                    let mark = self.b.mark();
                    let from = self.arg_ty(args[0]);
                    let value = self.arg(args[0], None);
                    let value = self.answer(value, from);
                    let result = self.call_row(e, *row, &[Arg::Value(value, Ty::Any)], None);
                    self.b.release(mark);
                    self.settle_as(result, ty, want)
                }
                LibBody::Native(_) => self.call_row(e, *row, args, want),
                LibBody::Inline(inline) => self.inline_as(e, inline, args, want),
                LibBody::Prelude(_) => self.never_called(e, args, want),
            },
            Meaning::ViaList(list, place, inner) => {
                let mark = self.b.mark();
                let place = *place as usize;
                let mut all = Vec::with_capacity(args.len());
                // What stands before it is evaluated before it.
                for arg in &args[..place] {
                    let ty = self.arg_ty(*arg);
                    let value = self.b.temp(self.class(ty));
                    self.arg(*arg, Some(value));
                    all.push(Arg::Value(value, ty));
                }
                let items = self.b.temp(Class::Ref);
                self.call_instance(*list, &args[place..=place], Some(items));
                let as_list = self.cx.result_type(*list);
                all.push(Arg::Value(items, as_list));
                all.extend_from_slice(&args[place + 1..]);
                let result = self.apply(e, inner, &all, None);
                self.b.release(mark);
                self.settle_as(result, ty, want)
            }
            Meaning::EntityFind(entity) => self.entity_find(*entity, args, ty, want),
            Meaning::EntityCount(entity) => self.entity_count(*entity, ty, want),
            Meaning::KeyOr(inner) => self.key_or(e, args[0], inner, want),
            Meaning::RecordField
            | Meaning::MapKey
            | Meaning::EntityField(_)
            | Meaning::SystemField(_)
            | Meaning::Inverse(_)
            | Meaning::ErrorField
            | Meaning::Dynamic
            | Meaning::ImplicitOwn(_) => {
                let name = self.name_of(e);
                let mark = self.b.mark();
                let from = self.arg_ty(args[0]);
                let reg = self.arg(args[0], None);
                self.call_at(e);
                let result = self.member(e, (reg, from), &name, meaning, None);
                self.b.release(mark);
                self.settle_as(result, ty, want)
            }
            Meaning::Closure { .. } | Meaning::ImplicitOuter | Meaning::VariantData(_) => {
                self.never_called(e, args, want)
            }
        }
    }
}
