//! Library rows that are done by operations in place. Must stay true: one arm per `Inline` row; what an operation does
//! for one type only is chosen by the argument's type, with a checked path for values known at run time only.

use flin_bytecode::library::{Inline, LibType};
use flin_bytecode::{Class, Reg, emit};

use super::calls::Arg;
use super::function::Lower;
use crate::hir::ExprId;
use crate::types::Ty;

impl Lower<'_, '_> {
    /// Emits a row of kind inline; the value as the expression's type, also where that is wider (`text?.len` is an int
    /// or none).
    pub(super) fn inline_as(
        &mut self,
        e: ExprId,
        row: Inline,
        args: &[Arg],
        want: Option<Reg>,
    ) -> Reg {
        let ty = self.ty(e);
        match of_its_own(row) {
            Some(own) if self.class(own) != self.class(ty) => {
                let mark = self.b.mark();
                let raw = self.inline(e, row, args, None);
                self.b.release(mark);
                self.convert(raw, own, ty, want)
            }
            Some(_) | None => self.inline(e, row, args, want),
        }
    }

    /// Emits a row of kind inline; the value in the row's own class, if it has one, else as the expression's type.
    fn inline(&mut self, e: ExprId, row: Inline, args: &[Arg], want: Option<Reg>) -> Reg {
        match row {
            Inline::DurationMs => self.duration(args[0], 1, want),
            Inline::DurationSeconds => self.duration(args[0], 1000, want),
            Inline::DurationMinutes => self.duration(args[0], 60_000, want),
            Inline::DurationHours => self.duration(args[0], 3_600_000, want),
            Inline::DurationDays => self.duration(args[0], 86_400_000, want),
            Inline::DurationWeeks => self.duration(args[0], 604_800_000, want),
            Inline::Pi => self.float_value(std::f64::consts::PI, want),
            Inline::Euler => self.float_value(std::f64::consts::E, want),
            Inline::TextLen => self.length_of(e, args[0], Ty::Text, want),
            Inline::ListLen => self.length_of(e, args[0], Ty::Any, want),
            Inline::ListPush => self.push(e, args[0], args[1], want),
            Inline::ListConcat => self.list_concat(e, args[0], args[1], want),
            Inline::MapGet => self.map_get(e, args[0], args[1], want),
            Inline::MapSet => self.map_set(e, args, want),
            Inline::ToText => self.text_arg(e, args[0], want),
            Inline::Now => {
                let dst = self.dst(want, Class::I64);
                emit!(self.b, Now, dst);
                dst
            }
            Inline::Print | Inline::LogInfo | Inline::LogWarn | Inline::LogError => {
                self.inline_effect(e, row, args);
                let ty = self.ty(e);
                self.no_value(ty, want)
            }
            Inline::FailAgain => {
                let mark = self.b.mark();
                let error = self.b.temp(Class::Ref);
                self.arg_as(args[0], Ty::Error, Some(error));
                self.at_expr(e);
                if !self.b.is_ended() {
                    emit!(self.b, Throw, error);
                }
                self.b.release(mark);
                let ty = self.ty(e);
                self.no_value(ty, want)
            }
            Inline::Fail => {
                let mark = self.b.mark();
                let (kind, message) = (self.b.temp(Class::Ref), self.b.temp(Class::Ref));
                self.arg_as(args[0], Ty::Text, Some(kind));
                self.arg_as(args[1], Ty::Text, Some(message));
                self.at_expr(e);
                if !self.b.is_ended() {
                    emit!(self.b, Fail, kind, message);
                }
                self.b.release(mark);
                let ty = self.ty(e);
                self.no_value(ty, want)
            }
        }
    }

    fn float_value(&mut self, value: f64, want: Option<Reg>) -> Reg {
        let dst = self.dst(want, Class::F64);
        self.float_const(value, dst);
        dst
    }

    /// A number of units as a duration.
    pub(super) fn duration(&mut self, count: Arg, unit_ms: i64, want: Option<Reg>) -> Reg {
        let mark = self.b.mark();
        let is_float = self.arg_ty(count) == Ty::Float;
        let reg = self.arg_as(count, if is_float { Ty::Float } else { Ty::Int }, None);
        if is_float {
            let (factor, product) = (self.b.temp(Class::F64), self.b.temp(Class::F64));
            self.float_const(unit_ms as f64, factor);
            emit!(self.b, MulF64, product, reg, factor);
            let rounded = self.b.temp(Class::I64);
            self.native(flin_bytecode::Native::FloatRound, &[product], Some(rounded));
            self.b.release(mark);
            return self.settle_as(rounded, Ty::Duration, want);
        }
        let factor = self.b.temp(Class::I64);
        self.int_const(unit_ms, factor);
        self.b.release(mark);
        let dst = self.dst(want, Class::I64);
        emit!(self.b, MulI64, dst, reg, factor);
        dst
    }

    fn length_of(&mut self, e: ExprId, of: Arg, expected: Ty, want: Option<Reg>) -> Reg {
        let mark = self.b.mark();
        let from = self.arg_ty(of);
        let known = self.without_none(from);
        let reg = if self.class(known) == Class::Ref {
            self.arg_as(of, known, None)
        } else if expected == Ty::Text {
            self.arg_as(of, Ty::Text, None)
        } else {
            let reg = self.b.temp(Class::Ref);
            self.lib_arg(of, &LibType::List(Box::new(LibType::Any)), reg);
            reg
        };
        self.b.release(mark);
        self.at_expr(e);
        let dst = self.dst(want, Class::I64);
        if known == Ty::Text || expected == Ty::Text {
            emit!(self.b, TextLen, dst, reg);
        } else {
            emit!(self.b, ListLen, dst, reg);
        }
        dst
    }

    /// The list of a call's receiver in a register, with its type.
    fn list_of(&mut self, list: Arg) -> (Reg, Ty) {
        let known = self.without_none(self.arg_ty(list));
        if let Ty::List(_) = known {
            let reg = self.arg_as(list, known, None);
            return (reg, known);
        }
        let reg = self.b.temp(Class::Ref);
        self.lib_arg(list, &LibType::List(Box::new(LibType::Any)), reg);
        (reg, known)
    }

    /// An argument that is read after the other one has been evaluated.
    fn first_of_two(&mut self, first: Arg, second: Arg) -> Arg {
        if let (Arg::Expr(a), Arg::Expr(b)) = (first, second) {
            let ty = self.ty(a);
            return Arg::Value(self.operand(a, &[b]), ty);
        }
        first
    }

    fn push(&mut self, e: ExprId, list: Arg, item: Arg, want: Option<Reg>) -> Reg {
        let ty = self.ty(e);
        let mark = self.b.mark();
        let list = self.pushed(e, list, item);
        self.b.release(mark);
        if self.class(ty) == Class::Ref {
            self.settle_as(list, ty, want)
        } else {
            let dst = self.dst(want, Class::Any);
            emit!(self.b, BoxRef, dst, list);
            dst
        }
    }

    /// Appends and gives the list's register.
    fn pushed(&mut self, e: ExprId, list: Arg, item: Arg) -> Reg {
        let list = self.first_of_two(list, item);
        let (reg, known) = self.list_of(list);
        let (item, element) = match self.cx.types_list_element(known) {
            Some(declared) => {
                let stored = self.stored(declared);
                let item = self.arg_as(item, declared, None);
                (self.convert(item, declared, stored, None), stored)
            }
            None => (self.arg_as(item, Ty::Any, None), Ty::Any),
        };
        self.at_expr(e);
        self.list_push(reg, item, element);
        reg
    }

    fn list_concat(&mut self, e: ExprId, a: Arg, b: Arg, want: Option<Reg>) -> Reg {
        let ty = self.ty(e);
        let mark = self.b.mark();
        let a = self.first_of_two(a, b);
        let (left, from) = self.list_of(a);
        let (right, other) = self.list_of(b);
        let any = !matches!((from, other), (Ty::List(_), Ty::List(_))) || !self.fits(from, other);
        self.at_expr(e);
        if any {
            let sum = self.b.temp(Class::Any);
            emit!(self.b, AddAny, sum, left, right);
            self.b.release(mark);
            return self.trusted(sum, Ty::Any, ty, want);
        }
        self.b.release(mark);
        let dst = self.dst(want, Class::Ref);
        emit!(self.b, ListConcat, dst, left, right);
        dst
    }

    fn map_reg(&mut self, map: Arg) -> Reg {
        let reg = self.b.temp(Class::Ref);
        let any = LibType::Any;
        self.lib_arg(
            map,
            &LibType::Map(Box::new(any.clone()), Box::new(any)),
            reg,
        );
        reg
    }

    fn map_get(&mut self, e: ExprId, map: Arg, key: Arg, want: Option<Reg>) -> Reg {
        let ty = self.ty(e);
        let mark = self.b.mark();
        let map = self.map_reg(map);
        let key = self.arg_as(key, Ty::Any, None);
        let value = self.b.temp(Class::Any);
        self.at_expr(e);
        emit!(self.b, MapGet, value, map, key);
        self.b.release(mark);
        self.trusted(value, Ty::Any, ty, want)
    }

    fn map_set(&mut self, e: ExprId, args: &[Arg], want: Option<Reg>) -> Reg {
        let ty = self.ty(e);
        let mark = self.b.mark();
        let known = self.without_none(self.arg_ty(args[0]));
        let map = self.map_reg(args[0]);
        let key = self.b.temp(Class::Any);
        self.arg_as(args[1], Ty::Any, Some(key));
        let value = match known {
            Ty::Map(m) if self.cx.types.maps[m.index()] != Ty::Never => {
                let value_ty = self.cx.types.maps[m.index()];
                let value = self.arg_as(args[2], value_ty, None);
                self.convert(value, value_ty, Ty::Any, None)
            }
            _ => self.arg_as(args[2], Ty::Any, None),
        };
        self.at_expr(e);
        emit!(self.b, MapSet, value, map, key);
        self.b.release(mark);
        if self.class(ty) == Class::Ref {
            self.settle_as(map, ty, want)
        } else {
            let dst = self.dst(want, Class::Any);
            emit!(self.b, BoxRef, dst, map);
            dst
        }
    }

    fn text_arg(&mut self, e: ExprId, value: Arg, want: Option<Reg>) -> Reg {
        if let Arg::Expr(value) = value {
            return self.text(value, want);
        }
        let from = self.arg_ty(value);
        let mark = self.b.mark();
        let reg = self.arg(value, None);
        self.b.release(mark);
        self.at_expr(e);
        self.text_of(reg, from, want)
    }

    /// Emits a row of kind inline for what it does.
    pub(super) fn inline_effect(&mut self, e: ExprId, row: Inline, args: &[Arg]) {
        match row {
            Inline::Print => self.written(e, args[0], None),
            Inline::LogInfo => self.written(e, args[0], Some(0)),
            Inline::LogWarn => self.written(e, args[0], Some(1)),
            Inline::LogError => self.written(e, args[0], Some(2)),
            Inline::ListPush => {
                self.pushed(e, args[0], args[1]);
            }
            other => {
                self.inline(e, other, args, None);
            }
        }
    }

    /// `print`, or a line of the log.
    fn written(&mut self, e: ExprId, value: Arg, level: Option<i32>) {
        let mark = self.b.mark();
        let text = self.text_arg(e, value, None);
        self.at_expr(e);
        match level {
            None => emit!(self.b, Print, text),
            Some(level) => emit!(self.b, Log, text, level),
        }
        self.b.release(mark);
    }
}

/// The type of a row whose result does not depend on its arguments.
fn of_its_own(row: Inline) -> Option<Ty> {
    match row {
        Inline::DurationMs
        | Inline::DurationSeconds
        | Inline::DurationMinutes
        | Inline::DurationHours
        | Inline::DurationDays
        | Inline::DurationWeeks => Some(Ty::Duration),
        Inline::Pi | Inline::Euler => Some(Ty::Float),
        Inline::TextLen | Inline::ListLen => Some(Ty::Int),
        Inline::ToText => Some(Ty::Text),
        Inline::Now => Some(Ty::Time),
        Inline::ListPush
        | Inline::ListConcat
        | Inline::MapGet
        | Inline::MapSet
        | Inline::Print
        | Inline::LogInfo
        | Inline::LogWarn
        | Inline::LogError
        | Inline::Fail
        | Inline::FailAgain => None,
    }
}
