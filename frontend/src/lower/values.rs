//! Literals, variables, texts, functions as values. Must stay true: a register of a variable is handed out as it is, so
//! nobody writes into a register that `eval` gave.

use flin_bytecode::{Class, Reg, emit};

use super::function::{Lower, Place};
use crate::hir::{ExprId, ExprKind, FnId, GlobalIx, LocalId};
use crate::types::{Meaning, Ty};

impl Lower<'_, '_> {
    pub(super) fn float_literal(&mut self, value: f64, want: Option<Reg>) -> Reg {
        if let (Some(kept), None) = (self.kept_float(value), want) {
            return kept;
        }
        let dst = self.dst(want, Class::F64);
        self.float_const(value, dst);
        dst
    }

    pub(super) fn int_literal(&mut self, value: i64, ty: Ty, want: Option<Reg>) -> Reg {
        let kept = if ty == Ty::Int {
            self.kept_int(value)
        } else {
            None
        };
        if let (Some(kept), None) = (kept, want) {
            return kept;
        }
        let dst = self.dst(want, self.class(ty));
        match self.class(ty) {
            Class::F64 => self.float_const(value as f64, dst),
            Class::I64 | Class::Bool | Class::Ref | Class::Any => self.int_const(value, dst),
        }
        dst
    }

    pub(super) fn local(&mut self, local: LocalId, ty: Ty, want: Option<Reg>) -> Reg {
        let declared = match self.place(local) {
            Place::Cell(_, ty) => ty,
            Place::Register(_) | Place::Nowhere => self.local_ty(local),
        };
        if declared == ty || self.class(declared) == self.class(ty) {
            let (reg, _) = self.read_local(local, want);
            return self.settle(reg, self.class(ty), want);
        }
        let mark = self.b.mark();
        let (reg, declared) = self.read_local(local, None);
        self.b.release(mark);
        self.convert(reg, declared, ty, want)
    }

    pub(super) fn global(&mut self, global: GlobalIx, ty: Ty, want: Option<Reg>) -> Reg {
        let declared = self.cx.types.globals[global.index()];
        let class = self.class(declared);
        if class == self.class(ty) {
            let dst = self.dst(want, class);
            self.global_get(global, class, dst);
            return dst;
        }
        let mark = self.b.mark();
        let value = self.global_value(global, declared);
        self.b.release(mark);
        self.convert(value, declared, ty, want)
    }

    /// The value of a global, of its own type.
    pub(super) fn global_value(&mut self, global: GlobalIx, ty: Ty) -> Reg {
        let dst = self.b.temp(self.class(ty));
        self.global_get(global, self.class(ty), dst);
        dst
    }

    pub(super) fn global_get(&mut self, global: GlobalIx, class: Class, dst: Reg) {
        let id = self.cx.global_id(global);
        match class {
            Class::I64 => emit!(self.b, GlobalGetI64, dst, id),
            Class::F64 => emit!(self.b, GlobalGetF64, dst, id),
            Class::Bool => emit!(self.b, GlobalGetBool, dst, id),
            Class::Ref => emit!(self.b, GlobalGetRef, dst, id),
            Class::Any => emit!(self.b, GlobalGetAny, dst, id),
        }
    }

    pub(super) fn set_global(&mut self, global: GlobalIx, value: ExprId) {
        let ty = self.cx.types.globals[global.index()];
        let id = self.cx.global_id(global);
        let reg = self.eval_as(value, ty, None);
        match self.class(ty) {
            Class::I64 => emit!(self.b, GlobalSetI64, reg, id),
            Class::F64 => emit!(self.b, GlobalSetF64, reg, id),
            Class::Bool => emit!(self.b, GlobalSetBool, reg, id),
            Class::Ref => emit!(self.b, GlobalSetRef, reg, id),
            Class::Any => emit!(self.b, GlobalSetAny, reg, id),
        }
    }

    /// Texts joined: interpolation, and chains of `+` on texts.
    pub(super) fn concat(&mut self, parts: &[ExprId], want: Option<Reg>) -> Reg {
        /// More parts than this are joined in pieces, so that their registers stay near.
        const PIECE: usize = 32;
        match parts {
            [] => {
                let dst = self.dst(want, Class::Ref);
                self.text_const("", dst);
                dst
            }
            [one] => self.text(*one, want),
            [a, b] => {
                let mark = self.b.mark();
                let left = self.text_operand(*a, &[*b]);
                let right = self.text(*b, None);
                self.b.release(mark);
                let dst = self.dst(want, Class::Ref);
                emit!(self.b, Concat, dst, left, right);
                dst
            }
            _ => {
                let mark = self.b.mark();
                let pieces: Vec<&[ExprId]> = if parts.len() > PIECE {
                    parts.chunks(parts.len().div_ceil(PIECE)).collect()
                } else {
                    parts.chunks(1).collect()
                };
                let first = self.texts_in_a_row(&pieces);
                self.b.release(mark);
                let dst = self.dst(want, Class::Ref);
                emit!(self.b, ConcatN, dst, first, pieces.len() as i32);
                dst
            }
        }
    }

    /// Each of the pieces as one text, in registers side by side.
    fn texts_in_a_row(&mut self, pieces: &[&[ExprId]]) -> Reg {
        let bank = flin_bytecode::Bank::Reference;
        let classes = vec![Class::Ref; pieces.len()];
        if !self.b.is_crowded() {
            let first = self.b.run(bank, &classes);
            for (at, piece) in pieces.iter().enumerate() {
                self.concat(piece, Some(Reg(first.0 + at as u16)));
            }
            return first;
        }
        let values = pieces.iter().map(|piece| {
            let value = self.b.temp(Class::Ref);
            self.concat(piece, Some(value))
        });
        let values: Vec<Reg> = values.collect();
        let first = self.b.run(bank, &classes);
        for (at, value) in values.into_iter().enumerate() {
            self.b.mov(Class::Ref, Reg(first.0 + at as u16), value);
        }
        first
    }

    pub(super) fn text_operand(&mut self, e: ExprId, later: &[ExprId]) -> Reg {
        let reg = self.text(e, None);
        self.keep(e, reg, later)
    }

    /// The value of an expression as text.
    pub(super) fn text(&mut self, e: ExprId, want: Option<Reg>) -> Reg {
        let ty = self.ty(e);
        match (self.kind(e), ty) {
            (_, Ty::Text) => return self.eval(e, want),
            (ExprKind::Int(n), Ty::Int) => {
                let text = n.to_string();
                let dst = self.dst(want, Class::Ref);
                self.text_const(&text, dst);
                return dst;
            }
            _ => {}
        }
        let mark = self.b.mark();
        let reg = self.eval(e, None);
        self.b.release(mark);
        let span = self.span(e);
        self.at(span);
        self.text_of(reg, ty, want)
    }

    /// A function as a value.
    pub(super) fn closure(&mut self, e: ExprId, func: FnId, want: Option<Reg>) -> Reg {
        let inst = match self.meaning(e) {
            Some(Meaning::Direct(inst)) => *inst,
            _ => self.cx.entry_instance(func),
        };
        let code = self.cx.value_function(inst);
        if let Some((_, role)) = self.in_queries.iter().find(|(lambda, _)| *lambda == e) {
            self.cx.found.add(code, inst, *role);
        }
        let captures = &self.cx.program.functions[func.index()].captures;
        if captures.is_empty() {
            let dst = self.dst(want, Class::Ref);
            emit!(self.b, ClosureNew, dst, code);
            return dst;
        }
        let closure = self.build(want, Class::Ref);
        emit!(self.b, ClosureNew, closure, code);
        for (slot, capture) in captures.iter().enumerate() {
            let inner = self.cx.types.instances[inst.index()].locals[capture.inner.index()];
            let slot = slot as i32;
            let mark = self.b.mark();
            match self.place(capture.outer) {
                Place::Cell(cell, _) => emit!(self.b, CaptureSetRef, closure, cell, slot),
                Place::Register(_) | Place::Nowhere => {
                    let (reg, ty) = self.read_local(capture.outer, None);
                    let reg = self.convert(reg, ty, inner, None);
                    match self.class(inner) {
                        Class::I64 => emit!(self.b, CaptureSetI64, closure, reg, slot),
                        Class::F64 => emit!(self.b, CaptureSetF64, closure, reg, slot),
                        Class::Bool => emit!(self.b, CaptureSetBool, closure, reg, slot),
                        Class::Ref => emit!(self.b, CaptureSetRef, closure, reg, slot),
                        Class::Any => emit!(self.b, CaptureSetAny, closure, reg, slot),
                    }
                }
            }
            self.b.release(mark);
        }
        self.settle(closure, Class::Ref, want)
    }

    pub(super) fn implicit_field(
        &mut self,
        e: ExprId,
        it: LocalId,
        name: &str,
        outer: Option<ExprId>,
        want: Option<Reg>,
    ) -> Reg {
        let meaning = self.meaning(e).cloned();
        let ty = self.ty(e);
        match (meaning, outer) {
            (Some(Meaning::ImplicitOwn(inner)), _) => {
                let (reg, from) = self.read_local(it, None);
                self.member(e, (reg, from), name, &inner, want)
            }
            (_, Some(outer)) => self.eval_as(outer, ty, want),
            (_, None) => self.no_value(ty, want),
        }
    }
}
