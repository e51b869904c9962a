//! Conversions of values between types. Here because class changes happen in this one place. Must stay true: a
//! conversion that inference did not promise is checked at run time and raises a TypeError; a value of type never does
//! not arrive, but the register it would arrive in is written all the same.

use flin_bytecode::{Class, Reg, emit};

use super::calls::Arg;
use super::function::Lower;
use crate::types::{InstId, Instance, Ty};

impl Lower<'_, '_> {
    /// Whether values of one type may stand where the other is expected, without a check (both of one class).
    pub(super) fn fits(&self, from: Ty, to: Ty) -> bool {
        if from == to || to == Ty::Any {
            return true;
        }
        match (from, to) {
            (Ty::Never, _) => true,
            (Ty::Union(u), _) => {
                let members = &self.cx.types.unions[u.index()];
                members.iter().all(|member| self.fits(*member, to))
            }
            (_, Ty::Union(u)) => self.cx.types.unions[u.index()]
                .iter()
                .any(|member| self.fits(from, *member)),
            (Ty::List(a), Ty::List(b)) => {
                let lists = &self.cx.types.lists;
                self.slot_class(lists[a.index()]) == self.slot_class(lists[b.index()])
            }
            (Ty::Map(_) | Ty::Record(_), Ty::Map(_) | Ty::Record(_)) => true,
            (Ty::Func(_), Ty::Func(_)) | (Ty::Tuple(_), Ty::Tuple(_)) => true,
            _ => false,
        }
    }

    /// The class of a value of this type inside a list, record or map: there times are boxed, because a bare number
    /// would not say what it is.
    pub(super) fn slot_class(&self, ty: Ty) -> Class {
        self.class(self.stored(ty))
    }

    /// The type as which a value of this type is stored in a list, record or map.
    pub(super) fn stored(&self, ty: Ty) -> Ty {
        match ty {
            Ty::Time | Ty::Duration => Ty::Any,
            other => other,
        }
    }

    /// The type without none, if it has it and the rest is one type; else the type itself.
    pub(super) fn without_none(&self, ty: Ty) -> Ty {
        if let Ty::Union(u) = ty
            && let [one, Ty::None] = self.cx.types.unions[u.index()].as_slice()
        {
            return *one;
        }
        ty
    }

    /// The members of a union, or the type itself.
    pub(super) fn members(&self, ty: Ty) -> Vec<Ty> {
        match ty {
            Ty::Union(u) => self.cx.types.unions[u.index()].clone(),
            other => vec![other],
        }
    }

    /// Turns the value in a register into another type. The register itself stays as it is.
    pub(super) fn convert(&mut self, reg: Reg, from: Ty, to: Ty, want: Option<Reg>) -> Reg {
        let (a, b) = (self.class(from), self.class(to));
        match (from, to) {
            (Ty::Never, Ty::Never | Ty::Any) => return self.settle(reg, a, want),
            (Ty::Never, _) if self.b.is_ended() => return self.dst(want, b),
            (Ty::Never, _) => return self.initial(to, want),
            (Ty::None, _) if b == Class::Ref => return self.none_as(to, want),
            (Ty::Int, Ty::Float) => {
                let dst = self.dst(want, b);
                emit!(self.b, IntToFloat, dst, reg);
                return dst;
            }
            _ => {}
        }
        match (a, b) {
            (Class::Ref, Class::Ref) => {
                if !self.fits(from, to) {
                    let desc = self.cx.check_desc(to);
                    emit!(self.b, CheckRef, reg, desc);
                }
                self.settle(reg, b, want)
            }
            (Class::Any, Class::Any) => {
                if !self.fits(from, to) {
                    self.check_any(reg, to);
                }
                self.settle(reg, b, want)
            }
            (a, b) if a == b => self.settle(reg, b, want),
            (_, Class::Any) => self.boxed(reg, from, want),
            (Class::Any, _) => self.unboxed(reg, to, want),
            (_, _) => {
                // No conversion makes sense: let the checked one say so at run time.
                let mark = self.b.mark();
                let boxed = self.boxed(reg, from, None);
                self.b.release(mark);
                self.unboxed(boxed, to, want)
            }
        }
    }

    fn boxed(&mut self, reg: Reg, from: Ty, want: Option<Reg>) -> Reg {
        let dst = self.dst(want, Class::Any);
        match self.class(from) {
            Class::I64 if from == Ty::Time => emit!(self.b, BoxTime, dst, reg),
            Class::I64 if from == Ty::Duration => emit!(self.b, BoxDuration, dst, reg),
            Class::I64 => emit!(self.b, BoxInt, dst, reg),
            Class::F64 => emit!(self.b, BoxFloat, dst, reg),
            Class::Bool => emit!(self.b, BoxBool, dst, reg),
            Class::Ref => emit!(self.b, BoxRef, dst, reg),
            Class::Any => self.b.mov(Class::Any, dst, reg),
        }
        dst
    }

    fn unboxed(&mut self, reg: Reg, to: Ty, want: Option<Reg>) -> Reg {
        let class = self.class(to);
        let dst = self.dst(want, class);
        match class {
            Class::I64 if to == Ty::Time => emit!(self.b, UnboxTime, dst, reg),
            Class::I64 if to == Ty::Duration => emit!(self.b, UnboxDuration, dst, reg),
            Class::I64 => emit!(self.b, UnboxInt, dst, reg),
            Class::F64 => emit!(self.b, UnboxFloat, dst, reg),
            Class::Bool => emit!(self.b, UnboxBool, dst, reg),
            Class::Ref => {
                let desc = self.cx.check_desc(to);
                emit!(self.b, UnboxRef, dst, reg, desc);
            }
            Class::Any => self.b.mov(Class::Any, dst, reg),
        }
        dst
    }

    /// TypeError unless the `any` value is of the (union) type.
    fn check_any(&mut self, reg: Reg, to: Ty) {
        let mark = self.b.mark();
        let desc = self.cx.check_desc(to);
        let is = self.b.temp(Class::Bool);
        emit!(self.b, IsTypeAny, is, reg, desc);
        let fine = self.b.label();
        emit!(self.b, JumpIf, is, fine);
        let message = format!("expected {}", self.cx.type_name(to));
        self.fail("TypeError", &message);
        self.b.bind(fine);
        self.b.release(mark);
    }

    /// Raises an error with fixed words.
    pub(super) fn fail(&mut self, kind: &str, message: &str) {
        let mark = self.b.mark();
        let (kind_reg, message_reg) = (self.b.temp(Class::Ref), self.b.temp(Class::Ref));
        self.text_const(kind, kind_reg);
        self.text_const(message, message_reg);
        emit!(self.b, Fail, kind_reg, message_reg);
        self.b.release(mark);
    }

    pub(super) fn text_const(&mut self, text: &str, dst: Reg) {
        let id = self.cx.module.const_text(text);
        emit!(self.b, ConstText, dst, id);
    }

    pub(super) fn int_const(&mut self, value: i64, dst: Reg) {
        match i32::try_from(value) {
            Ok(small) => emit!(self.b, ConstI64, dst, small),
            Err(_) => {
                let id = self.cx.module.const_int(value);
                emit!(self.b, ConstI64Pool, dst, id);
            }
        }
    }

    pub(super) fn float_const(&mut self, value: f64, dst: Reg) {
        let id = self.cx.module.const_float(value);
        emit!(self.b, ConstF64, dst, id);
    }

    /// none, as a value of a type that has it.
    pub(super) fn none_as(&mut self, ty: Ty, want: Option<Reg>) -> Reg {
        let class = self.class(ty);
        let dst = self.dst(want, class);
        match class {
            Class::Ref => emit!(self.b, NoneRef, dst),
            Class::Any => emit!(self.b, NoneAny, dst),
            Class::I64 | Class::F64 | Class::Bool => {
                let mark = self.b.mark();
                let none = self.b.temp(Class::Any);
                emit!(self.b, NoneAny, none);
                self.b.release(mark);
                self.unboxed(none, ty, Some(dst));
            }
        }
        dst
    }

    /// Something of this type, for a register that must be written before it is read although no value arrives.
    pub(super) fn initial(&mut self, ty: Ty, want: Option<Reg>) -> Reg {
        let class = self.class(ty);
        let dst = self.dst(want, class);
        match class {
            Class::I64 => self.int_const(0, dst),
            Class::F64 => self.float_const(0.0, dst),
            Class::Bool => emit!(self.b, ConstBool, dst, false),
            Class::Ref => emit!(self.b, NoneRef, dst),
            Class::Any => emit!(self.b, NoneAny, dst),
        }
        dst
    }

    /// What makes a list of queries of a type, where they are shown.
    fn walker_of(&self, ty: Ty) -> Option<InstId> {
        let Ty::Query(_) = ty else { return None };
        let lister = *self.cx.program.prelude.get("__q_list")?;
        let param = self.cx.program.functions[lister.index()]
            .params
            .first()?
            .local;
        let instances = self.cx.types.instances.iter();
        let fits = |(_, inst): &(usize, &Instance)| {
            inst.func == lister && inst.locals[param.index()] == ty
        };
        let found = instances.enumerate().find(fits);
        found.map(|(at, _)| InstId(at as u32))
    }

    /// The value as text.
    pub(super) fn text_of(&mut self, reg: Reg, from: Ty, want: Option<Reg>) -> Reg {
        if from == Ty::Text {
            return self.settle(reg, Class::Ref, want);
        }
        if let Some(walker) = self.walker_of(from) {
            let mark = self.b.mark();
            let records = self.call_instance(walker, &[Arg::Value(reg, from)], None);
            self.b.release(mark);
            let dst = self.dst(want, Class::Ref);
            emit!(self.b, TextRef, dst, records);
            return dst;
        }
        let dst = self.dst(want, Class::Ref);
        match self.class(from) {
            Class::I64 if from == Ty::Time => emit!(self.b, TextTime, dst, reg),
            Class::I64 if from == Ty::Duration => emit!(self.b, TextDuration, dst, reg),
            Class::I64 => emit!(self.b, TextI64, dst, reg),
            Class::F64 => emit!(self.b, TextF64, dst, reg),
            Class::Bool => emit!(self.b, TextBool, dst, reg),
            Class::Ref => emit!(self.b, TextRef, dst, reg),
            Class::Any => emit!(self.b, TextAny, dst, reg),
        }
        dst
    }

    /// Whether the value is truthy.
    pub(super) fn truth_of(&mut self, reg: Reg, from: Ty, want: Option<Reg>) -> Reg {
        if from == Ty::Bool {
            return self.settle(reg, Class::Bool, want);
        }
        let dst = self.dst(want, Class::Bool);
        match self.class(from) {
            Class::I64 => emit!(self.b, TruthyI64, dst, reg),
            Class::F64 => emit!(self.b, TruthyF64, dst, reg),
            Class::Bool => self.b.mov(Class::Bool, dst, reg),
            Class::Ref => emit!(self.b, TruthyRef, dst, reg),
            Class::Any => emit!(self.b, TruthyAny, dst, reg),
        }
        dst
    }
}
