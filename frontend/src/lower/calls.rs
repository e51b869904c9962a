//! Calls: of functions, closures and library rows. Must stay true: arguments are evaluated left to right straight into
//! the callee's window; a result is taken out of the window at once; every argument has the class that the callee's
//! signature asks for.

use flin_bytecode::library::{LibBody, LibType};
use flin_bytecode::{Class, LibId, Native, Reg, Signature, TypeDesc, emit};

use super::function::Lower;
use crate::hir::{ExprId, ExprKind};
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

    fn arg_position(&mut self, arg: Arg) {
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
                    self.call_at(e);
                    self.call_instance_effect(inst, &args);
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
            _ => {
                self.call(e, None);
            }
        }
    }

    fn call_args(&self, e: ExprId) -> Vec<Arg> {
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
    fn query_arg(&self, recv: Ty, arg: ExprId) -> ExprId {
        match self.kind(arg) {
            ExprKind::QueryArg { lambda, plain } => match self.without_none(recv) {
                Ty::Query(_) => *lambda,
                _ => *plain,
            },
            _ => arg,
        }
    }

    /// The position of a call: the method's name where there is one, so that chains over several lines are told apart.
    fn call_at(&mut self, e: ExprId) {
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
                if *optional {
                    return self.optional(e, *recv, want, |this, value, want| {
                        this.method(e, value, name, &args, meaning, want)
                    });
                }
                self.method(e, Arg::Expr(*recv), name, &args, meaning, want)
            }
            ExprKind::CallLib(name, args) => {
                let args: Vec<Arg> = args.iter().map(|a| Arg::Expr(*a)).collect();
                match meaning {
                    Some(meaning) => self.apply(e, &meaning, &args, want),
                    None if name == "__query_scan" => self.query_scan(&args, want),
                    None => self.never_called(e, &args, want),
                }
            }
            _ => {
                let args = self.call_args(e);
                match meaning {
                    Some(meaning) => self.apply(e, &meaning, &args, want),
                    None => self.never_called(e, &args, want),
                }
            }
        }
    }

    fn query_scan(&mut self, args: &[Arg], want: Option<Reg>) -> Reg {
        let mark = self.b.mark();
        let query = self.arg(args[0], None);
        self.b.release(mark);
        let dst = self.dst(want, Class::Ref);
        emit!(self.b, QueryScan, dst, query);
        dst
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

    /// `recv.name(args)`.
    fn method(
        &mut self,
        e: ExprId,
        recv: Arg,
        name: &str,
        args: &[ExprId],
        meaning: Option<Meaning>,
        want: Option<Reg>,
    ) -> Reg {
        let mut all = vec![recv];
        all.extend(args.iter().map(|a| Arg::Expr(*a)));
        match meaning {
            None => self.never_called(e, &all, want),
            // A function kept in a record, map or entity: the receiver is not passed on.
            Some(
                member @ (Meaning::RecordField
                | Meaning::MapKey
                | Meaning::EntityField(_)
                | Meaning::SystemField(_)
                | Meaning::ErrorField),
            ) => {
                let mark = self.b.mark();
                let from = self.arg_ty(recv);
                let reg = self.arg(recv, None);
                let callee = self.any_member((reg, from), name, &member);
                let result = self.call_dynamic(e, (callee, Ty::Any), args);
                self.b.release(mark);
                self.settle_as(result, self.ty(e), want)
            }
            Some(Meaning::Dynamic) => self.call_method_dynamic(e, &all, name, args, want),
            Some(meaning) => self.apply(e, &meaning, &all, want),
        }
    }

    /// A member as `any`, whatever it is.
    fn any_member(&mut self, (reg, from): (Reg, Ty), name: &str, meaning: &Meaning) -> Reg {
        let known = self.without_none(from);
        match (meaning, known) {
            (Meaning::RecordField, Ty::Record(record)) => {
                let object = self.convert(reg, from, known, None);
                self.record_field(object, record, name, Ty::Any, None)
            }
            _ => self.dynamic_field((reg, from), name, Ty::Any, None),
        }
    }

    /// A method whose receiver is known only at run time: the library's row for `any`, else a function in the value.
    fn call_method_dynamic(
        &mut self,
        e: ExprId,
        all: &[Arg],
        name: &str,
        args: &[ExprId],
        want: Option<Reg>,
    ) -> Reg {
        let rows: Vec<LibId> = flin_bytecode::library::lookup(name)
            .iter()
            .copied()
            .filter(|row| row.signature().params.len() == all.len())
            .collect();
        let row = match rows.as_slice() {
            [one] => Some(*one),
            several => several
                .iter()
                .copied()
                .find(|row| row.scheme().params.first() == Some(&LibType::Any)),
        };
        if let Some(row) = row {
            match row.row().body {
                LibBody::Native(_) => return self.call_row(e, row, all, want),
                LibBody::Inline(inline) => return self.inline(e, inline, all, want),
                LibBody::Prelude(_) => {}
            }
        }
        let mark = self.b.mark();
        let from = self.arg_ty(all[0]);
        let reg = self.arg(all[0], None);
        self.call_at(e);
        let callee = self.dynamic_field((reg, from), name, Ty::Any, None);
        let result = self.call_dynamic(e, (callee, Ty::Any), args);
        self.b.release(mark);
        self.settle_as(result, self.ty(e), want)
    }

    /// Calls an `any` value that must be a function.
    fn call_dynamic(&mut self, e: ExprId, (callee, from): (Reg, Ty), args: &[ExprId]) -> Reg {
        let signature = Signature {
            params: vec![Class::Any; args.len()],
            result: Some(Class::Any),
        };
        let window = self.b.closure_window(&signature);
        let closure = window.closure.expect("a closure window has a closure");
        self.unbox_function(callee, from, closure);
        for (arg, slot) in args.iter().zip(&window.args) {
            self.eval_as(*arg, Ty::Any, Some(*slot));
        }
        self.call_at(e);
        let sig = self.cx.module.signature(signature);
        emit!(self.b, CallClosure, window.scalar, window.reference, sig);
        let result = window.result.expect("the signature has a result");
        let ty = self.ty(e);
        self.convert(result, Ty::Any, ty, None)
    }

    fn unbox_function(&mut self, callee: Reg, from: Ty, closure: Reg) {
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
    fn call_value(
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
    fn only_target(&self, callee: ExprId) -> Option<InstId> {
        let Ty::Func(func) = self.ty(callee) else {
            return None;
        };
        match self.cx.types.funcs[func.index()].targets.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// Calls a function value whose instance is known: directly if it captures nothing.
    fn call_known(
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
        let raw = if self.cx.needs_closure(inst) {
            let params = self.param_types(inst);
            let signature = self.cx.signature(inst);
            self.closure_call(e, callee, args, (&signature, &params, result))
        } else {
            self.effect(callee);
            let args: Vec<Arg> = args.iter().map(|a| Arg::Expr(*a)).collect();
            self.direct_call(inst, &args, Some(e))
        };
        self.b.release(mark);
        self.finish_call(raw, result, ty, want)
    }

    fn closure_call(
        &mut self,
        e: ExprId,
        callee: ExprId,
        args: &[ExprId],
        (signature, params, _): (&Signature, &[Ty], Ty),
    ) -> Option<Reg> {
        let window = self.b.closure_window(signature);
        let closure = window.closure.expect("a closure window has a closure");
        let from = self.ty(callee);
        if self.class(from) == Class::Ref {
            self.eval(callee, Some(closure));
        } else {
            let mark = self.b.mark();
            let reg = self.eval(callee, None);
            self.unbox_function(reg, from, closure);
            self.b.release(mark);
        }
        for ((arg, slot), ty) in args.iter().zip(&window.args).zip(params) {
            self.eval_as(*arg, *ty, Some(*slot));
        }
        self.call_at(e);
        let sig = self.cx.module.signature(signature.clone());
        emit!(self.b, CallClosure, window.scalar, window.reference, sig);
        window.result
    }

    fn param_types(&self, inst: InstId) -> Vec<Ty> {
        let instance = &self.cx.types.instances[inst.index()];
        let params = &self.cx.program.functions[instance.func.index()].params;
        params
            .iter()
            .map(|p| instance.locals[p.local.index()])
            .collect()
    }

    /// Emits a call of a plain function; gives the register of the window where the result is.
    fn direct_call(&mut self, inst: InstId, args: &[Arg], at: Option<ExprId>) -> Option<Reg> {
        let signature = self.cx.signature(inst);
        let params = self.param_types(inst);
        let window = self.b.window(&signature);
        for ((arg, slot), ty) in args.iter().zip(&window.args).zip(&params) {
            self.arg_as(*arg, *ty, Some(*slot));
        }
        if let Some(e) = at {
            self.call_at(e);
        }
        let func = self.cx.functions[inst.index()];
        emit!(self.b, Call, window.scalar, window.reference, func);
        window.result
    }

    /// Brings a call's result from its window (given back already) to where it is wanted, as type `to`.
    fn finish_call(&mut self, raw: Option<Reg>, from: Ty, to: Ty, want: Option<Reg>) -> Reg {
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

    fn none_or(&self, to: Ty) -> Ty {
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

    fn call_instance_effect(&mut self, inst: InstId, args: &[Arg]) {
        let mark = self.b.mark();
        self.direct_call(inst, args, None);
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
                LibBody::Native(_) => self.call_row(e, *row, args, want),
                LibBody::Inline(inline) => self.inline(e, inline, args, want),
                LibBody::Prelude(_) => self.never_called(e, args, want),
            },
            Meaning::ViaList(list, inner) => {
                let mark = self.b.mark();
                let items = self.b.temp(Class::Ref);
                self.call_instance(*list, &args[..1], Some(items));
                let as_list = self.cx.result_type(*list);
                let mut all = vec![Arg::Value(items, as_list)];
                all.extend_from_slice(&args[1..]);
                let result = self.apply(e, inner, &all, None);
                self.b.release(mark);
                self.settle_as(result, ty, want)
            }
            Meaning::EntityFind(entity) => self.entity_find(*entity, args, ty, want),
            Meaning::EntityCount(entity) => self.entity_count(*entity, ty, want),
            Meaning::DurationUnit(unit) => self.duration(args[0], *unit, want),
            Meaning::EnumVariant(variant) => {
                let Ty::Enum(of) = ty else {
                    return self.never_called(e, args, want);
                };
                self.variant(of, *variant, &[], want)
            }
            Meaning::KeyOr(inner) => self.key_or(e, args[0], inner, want),
            Meaning::RecordField
            | Meaning::MapKey
            | Meaning::EntityField(_)
            | Meaning::SystemField(_)
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
            Meaning::Closure { .. } | Meaning::ImplicitOuter => self.never_called(e, args, want),
        }
    }

    fn name_of(&self, e: ExprId) -> String {
        match self.kind(e) {
            ExprKind::Method { name, .. }
            | ExprKind::Field { name, .. }
            | ExprKind::ImplicitField { name, .. } => name.clone(),
            ExprKind::CallLib(name, _) => name.clone(),
            _ => String::new(),
        }
    }

    /// `recv.name` on any: a key or field if the value has such, else the library function.
    fn key_or(&mut self, e: ExprId, recv: Arg, inner: &Meaning, want: Option<Reg>) -> Reg {
        let ty = self.ty(e);
        let result = self.build(want, self.class(ty));
        let mark = self.b.mark();
        let from = self.arg_ty(recv);
        let reg = self.arg(recv, None);
        let any = self.convert(reg, from, Ty::Any, None);
        let (library, done) = (self.b.label(), self.b.label());
        let has = self.b.temp(Class::Bool);
        let desc = self.cx.keyed_desc();
        self.call_at(e);
        emit!(self.b, IsTypeAny, has, any, desc);
        emit!(self.b, JumpUnless, has, library);
        let name = self.name_of(e);
        let inner_mark = self.b.mark();
        self.dynamic_field((any, Ty::Any), &name, ty, Some(result));
        self.b.release(inner_mark);
        self.jump(done);
        self.b.bind(library);
        self.apply(e, inner, &[Arg::Value(any, Ty::Any)], Some(result));
        self.b.bind(done);
        self.b.release(mark);
        self.settle(result, self.class(ty), want)
    }

    /// `recv.name`.
    pub(super) fn field(&mut self, e: ExprId, want: Option<Reg>) -> Reg {
        let f = self.f;
        let ExprKind::Field { recv, optional, .. } = &f.exprs[e.index()].kind else {
            return self.dst(want, Class::Any);
        };
        let meaning = self.meaning(e).cloned();
        let apply = |this: &mut Self, recv: Arg, want: Option<Reg>| match &meaning {
            Some(meaning) => this.apply(e, meaning, &[recv], want),
            None => this.never_called(e, &[recv], want),
        };
        if *optional {
            return self.optional(e, *recv, want, apply);
        }
        apply(self, Arg::Expr(*recv), want)
    }

    /// `recv?.…`: none where the receiver is none.
    fn optional(
        &mut self,
        e: ExprId,
        recv: ExprId,
        want: Option<Reg>,
        rest: impl FnOnce(&mut Self, Arg, Option<Reg>) -> Reg,
    ) -> Reg {
        let (from, ty) = (self.ty(recv), self.ty(e));
        let result = self.build(want, self.class(ty));
        let (none, done) = (self.b.label(), self.b.label());
        let mark = self.b.mark();
        let reg = self.eval(recv, None);
        self.at_expr(e);
        if matches!(self.class(from), Class::Ref | Class::Any) {
            let is_none = self.b.temp(Class::Bool);
            self.is_none_reg(reg, from, is_none);
            emit!(self.b, JumpIf, is_none, none);
        }
        let present = self.without_none(from);
        let reg = self.convert(
            reg,
            if self.class(from) == self.class(present) {
                present
            } else {
                from
            },
            present,
            None,
        );
        rest(self, Arg::Value(reg, present), Some(result));
        self.b.release(mark);
        self.jump(done);
        self.b.bind(none);
        if matches!(self.class(ty), Class::Ref | Class::Any) {
            self.none_as(ty, Some(result));
        } else {
            self.initial(ty, Some(result));
        }
        self.b.bind(done);
        self.settle(result, self.class(ty), want)
    }

    /// Calls a native row and gives the result as the expression's type.
    pub(super) fn call_row(
        &mut self,
        e: ExprId,
        row: LibId,
        args: &[Arg],
        want: Option<Reg>,
    ) -> Reg {
        let ty = self.ty(e);
        let from = self.row_result(row);
        let mark = self.b.mark();
        let raw = self.lib_window(row, args, Some(e));
        self.b.release(mark);
        if row.scheme().result == LibType::Never {
            return self.no_value(ty, want);
        }
        match from {
            Some(from) => self.finish_call(raw, from, ty, want),
            // Class ref, kind as the row says: the expression's type agrees or is a union that has it.
            None => match (raw, self.class(ty)) {
                (Some(raw), Class::Any) => {
                    let dst = self.dst(want, Class::Any);
                    emit!(self.b, BoxRef, dst, raw);
                    dst
                }
                (Some(raw), _) => self.settle_as(raw, ty, want),
                (None, _) => self.no_value(ty, want),
            },
        }
    }

    /// The type of a row's result where it says a class that needs converting; `None` for objects.
    fn row_result(&self, row: LibId) -> Option<Ty> {
        match row.scheme().result {
            LibType::None | LibType::Never => Some(Ty::None),
            LibType::Int => Some(Ty::Int),
            LibType::Float => Some(Ty::Float),
            LibType::Bool => Some(Ty::Bool),
            LibType::Time => Some(Ty::Time),
            LibType::Duration => Some(Ty::Duration),
            LibType::Text => Some(Ty::Text),
            ref other if other.class() == Class::Any => Some(Ty::Any),
            LibType::Range => Some(Ty::Range),
            LibType::Error => Some(Ty::Error),
            LibType::Response => Some(Ty::Response),
            LibType::Any
            | LibType::Var(_)
            | LibType::Union(_)
            | LibType::Entity
            | LibType::Query
            | LibType::Opaque
            | LibType::List(_)
            | LibType::Map(..)
            | LibType::Tuple(_)
            | LibType::Func(..)
            | LibType::Optional(_) => None,
        }
    }

    /// Calls a row; its result as the row gives it.
    pub(super) fn call_lib(&mut self, row: LibId, args: &[Arg], want: Option<Reg>) {
        let mark = self.b.mark();
        let raw = self.lib_window(row, args, None);
        self.b.release(mark);
        if let (Some(raw), Some(want), Some(class)) = (raw, want, row.signature().result) {
            self.b.mov(class, want, raw);
        }
    }

    /// Calls a native row with arguments that have the row's classes already.
    pub(super) fn native(&mut self, native: Native, args: &[Reg], result: Option<Reg>) {
        let row = native.lib_id();
        let signature = row.signature();
        let mark = self.b.mark();
        let window = self.b.window(signature);
        for ((&reg, &slot), &class) in args.iter().zip(&window.args).zip(&signature.params) {
            self.b.mov(class, slot, reg);
        }
        emit!(self.b, CallLib, window.scalar, window.reference, row);
        self.b.release(mark);
        if let (Some(raw), Some(result), Some(class)) = (window.result, result, signature.result) {
            self.b.mov(class, result, raw);
        }
    }

    fn lib_window(&mut self, row: LibId, args: &[Arg], at: Option<ExprId>) -> Option<Reg> {
        let window = self.b.window(row.signature());
        let params = &row.scheme().params;
        for ((arg, slot), param) in args.iter().zip(&window.args).zip(params) {
            self.lib_arg(*arg, param, *slot);
        }
        if let Some(e) = at {
            self.call_at(e);
        }
        emit!(self.b, CallLib, window.scalar, window.reference, row);
        window.result
    }

    /// An argument in the class and, as far as the row names one, of the type that a row asks for.
    pub(super) fn lib_arg(&mut self, arg: Arg, param: &LibType, slot: Reg) {
        let scalar = match param {
            LibType::Int => Some(Ty::Int),
            LibType::Float => Some(Ty::Float),
            LibType::Bool => Some(Ty::Bool),
            LibType::Time => Some(Ty::Time),
            LibType::Duration => Some(Ty::Duration),
            LibType::Text => Some(Ty::Text),
            LibType::Range => Some(Ty::Range),
            LibType::Error => Some(Ty::Error),
            _ if param.class() == Class::Any => Some(Ty::Any),
            _ => None,
        };
        if let Some(ty) = scalar {
            self.arg_as(arg, ty, Some(slot));
            return;
        }
        let from = self.arg_ty(arg);
        if self.class(from) == Class::Ref {
            self.arg(arg, Some(slot));
            return;
        }
        // An object whose kind the row's body checks itself; here only its class is made right.
        let mark = self.b.mark();
        let boxed = self.arg_as(arg, Ty::Any, None);
        self.b.release(mark);
        self.arg_position(arg);
        let desc = self.cx.lib_desc(param);
        emit!(self.b, UnboxRef, slot, boxed, desc);
    }
}
