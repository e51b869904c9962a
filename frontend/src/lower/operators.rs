//! Arithmetic, `&&`, `||` and `?:`. Must stay true: arithmetic is typed where both sides are; the right side of `&&`,
//! `||` and `?:` runs only when it is needed.

use flin_bytecode::{Class, Label, Op, Reg, emit};

use super::function::Lower;
use crate::hir::{BinOp, ExprId, ExprKind};
use crate::types::Ty;

impl Lower<'_, '_> {
    pub(super) fn negate(&mut self, e: ExprId, value: ExprId, want: Option<Reg>) -> Reg {
        let (from, to) = (self.ty(value), self.ty(e));
        let work = if self.class(to) == Class::Any || self.class(from) == Class::Any {
            Ty::Any
        } else {
            to
        };
        let mark = self.b.mark();
        let reg = self.eval_as(value, work, None);
        self.b.release(mark);
        let span = self.span(e);
        self.at(span);
        self.worked_as((work, to), want, |this, dst| match this.class(work) {
            Class::I64 => emit!(this.b, NegI64, dst, reg),
            Class::F64 => emit!(this.b, NegF64, dst, reg),
            Class::Bool | Class::Ref | Class::Any => emit!(this.b, NegAny, dst, reg),
        })
    }

    /// An operation whose result is of one type, brought to another. The registers of its operands are given back already.
    fn worked_as(
        &mut self,
        (work, to): (Ty, Ty),
        want: Option<Reg>,
        operation: impl FnOnce(&mut Self, Reg),
    ) -> Reg {
        if self.class(work) == self.class(to) {
            let dst = self.dst(want, self.class(to));
            operation(self, dst);
            return dst;
        }
        let mark = self.b.mark();
        let raw = self.b.temp(self.class(work));
        operation(self, raw);
        self.b.release(mark);
        self.convert(raw, work, to, want)
    }

    pub(super) fn binary(
        &mut self,
        e: ExprId,
        op: BinOp,
        a: ExprId,
        b: ExprId,
        want: Option<Reg>,
    ) -> Reg {
        match op {
            BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge => {
                self.truth_inner(e, want)
            }
            BinOp::Add | BinOp::Sub | BinOp::Mul | BinOp::Div | BinOp::Rem | BinOp::Pow => {
                self.arithmetic(e, op, a, b, want)
            }
        }
    }

    fn arithmetic(&mut self, e: ExprId, op: BinOp, a: ExprId, b: ExprId, want: Option<Reg>) -> Reg {
        let (ta, tb, to) = (self.ty(a), self.ty(b), self.ty(e));
        if op == BinOp::Add && to == Ty::Text && (ta == Ty::Text || tb == Ty::Text) {
            let mut parts = Vec::new();
            self.text_chain(e, &mut parts);
            return self.concat(&parts, want);
        }
        let number = |ty: Ty| matches!(ty, Ty::Int | Ty::Time | Ty::Duration);
        if number(ta) && number(tb) && self.class(to) == Class::I64 {
            return self.int_arithmetic(e, op, a, b, want);
        }
        let scalar = |ty: Ty| matches!(ty, Ty::Int | Ty::Float);
        let (work, instruction) = if to == Ty::Float && scalar(ta) && scalar(tb) {
            (Ty::Float, float_op(op))
        } else if let (BinOp::Add, Ty::List(_), Ty::List(_), Ty::List(_)) = (op, ta, tb, to)
            && self.fits(ta, to)
            && self.fits(tb, to)
        {
            (to, Op::ListConcat)
        } else {
            (Ty::Any, any_op(op))
        };
        let mark = self.b.mark();
        let left = self.operand_as(a, work, &[b]);
        let right = self.eval_as(b, work, None);
        self.b.release(mark);
        let span = self.span(e);
        self.at(span);
        self.worked_as((work, to), want, |this, dst| {
            this.b
                .emit(instruction, &[dst.into(), left.into(), right.into()]);
        })
    }

    /// The operands of a chain of `+` on texts, as far as the left sides are texts joined by `+` themselves.
    fn text_chain(&self, e: ExprId, parts: &mut Vec<ExprId>) {
        if let ExprKind::Binary(BinOp::Add, a, b) = self.kind(e)
            && self.ty(e) == Ty::Text
            && (self.ty(*a) == Ty::Text || self.ty(*b) == Ty::Text)
            && !self.owns_locals(e)
        {
            self.text_chain(*a, parts);
            parts.push(*b);
        } else {
            parts.push(e);
        }
    }

    fn int_arithmetic(
        &mut self,
        e: ExprId,
        op: BinOp,
        a: ExprId,
        b: ExprId,
        want: Option<Reg>,
    ) -> Reg {
        let small = |kind: &ExprKind| match kind {
            ExprKind::Int(n) | ExprKind::Duration(n) => i32::try_from(*n).ok(),
            _ => None,
        };
        let immediate = match op {
            BinOp::Add => match (small(self.kind(b)), small(self.kind(a))) {
                (Some(n), _) => Some((a, n)),
                (None, Some(n)) => Some((b, n)),
                (None, None) => None,
            },
            BinOp::Sub => small(self.kind(b))
                .and_then(i32::checked_neg)
                .map(|n| (a, n)),
            _ => None,
        };
        let mark = self.b.mark();
        let span = self.span(e);
        if let Some((operand, n)) = immediate {
            let reg = self.eval(operand, None);
            self.b.release(mark);
            self.at(span);
            let dst = self.dst(want, Class::I64);
            emit!(self.b, AddImmI64, dst, reg, n);
            return dst;
        }
        let left = self.operand(a, &[b]);
        let right = self.eval(b, None);
        self.b.release(mark);
        self.at(span);
        let dst = self.dst(want, Class::I64);
        self.b
            .emit(int_op(op), &[dst.into(), left.into(), right.into()]);
        dst
    }

    /// `&&` and `||` as values: one of the operands.
    pub(super) fn and_or(
        &mut self,
        e: ExprId,
        a: ExprId,
        b: ExprId,
        and: bool,
        want: Option<Reg>,
    ) -> Reg {
        let ty = self.ty(e);
        let result = self.build(want, self.class(ty));
        let end = self.b.label();
        if ty == Ty::Bool && self.ty(a) == Ty::Bool {
            self.eval(a, Some(result));
            self.jump_when(!and, result, end);
        } else {
            self.decide_by_left(a, ty, and, result, end);
        }
        self.eval_as(b, ty, Some(result));
        self.b.bind(end);
        self.settle(result, self.class(ty), want)
    }

    /// Evaluates the left side of `&&`/`||`; jumps to `end` with its value in `result` if it decides, else goes on.
    fn decide_by_left(&mut self, a: ExprId, ty: Ty, and: bool, result: Reg, end: Label) {
        let mark = self.b.mark();
        let from = self.ty(a);
        let left = self.eval(a, None);
        let (here, there) = (self.class(from), self.class(ty));
        if here == there {
            self.b.mov(here, result, left);
            let truth = self.truth_of(left, from, None);
            self.jump_when(!and, truth, end);
        } else {
            let right = self.b.label();
            let truth = self.truth_of(left, from, None);
            self.jump_when(and, truth, right);
            let present = if and { from } else { self.without_none(from) };
            let value = self.convert(left, from, present, None);
            self.convert(value, present, ty, Some(result));
            self.jump(end);
            self.b.bind(right);
        }
        self.b.release(mark);
    }

    /// Jumps if the register is as expected.
    fn jump_when(&mut self, expected: bool, truth: Reg, target: Label) {
        if expected {
            emit!(self.b, JumpIf, truth, target);
        } else {
            emit!(self.b, JumpUnless, truth, target);
        }
    }

    /// `a ?: b`.
    pub(super) fn coalesce(&mut self, e: ExprId, a: ExprId, b: ExprId, want: Option<Reg>) -> Reg {
        let ty = self.ty(e);
        let from = self.ty(a);
        let result = self.build(want, self.class(ty));
        let (fallback, end) = (self.b.label(), self.b.label());
        let mark = self.b.mark();
        let left = self.eval(a, None);
        match self.class(from) {
            Class::Ref | Class::Any => {
                let none = self.b.temp(Class::Bool);
                self.is_none_reg(left, from, none);
                emit!(self.b, JumpIf, none, fallback);
                let present = self.without_none(from);
                if self.class(present) == self.class(from) {
                    self.present(left, present, ty, result);
                } else {
                    let value = self.convert(left, from, present, None);
                    self.present(value, present, ty, result);
                }
            }
            Class::I64 | Class::F64 | Class::Bool => {
                self.convert(left, from, ty, Some(result));
            }
        }
        self.b.release(mark);
        self.jump(end);
        self.b.bind(fallback);
        self.eval_as(b, ty, Some(result));
        self.b.bind(end);
        self.settle(result, self.class(ty), want)
    }

    fn present(&mut self, reg: Reg, from: Ty, to: Ty, result: Reg) {
        if from == Ty::None {
            self.initial(to, Some(result));
        } else {
            self.convert(reg, from, to, Some(result));
        }
    }

    /// `&&`/`||` for what they do.
    pub(super) fn guard_effect(&mut self, a: ExprId, b: ExprId, and: bool) {
        let end = self.b.label();
        self.branch(a, !and, end);
        self.effect(b);
        self.b.bind(end);
    }
}

fn int_op(op: BinOp) -> Op {
    match op {
        BinOp::Add => Op::AddI64,
        BinOp::Sub => Op::SubI64,
        BinOp::Mul => Op::MulI64,
        BinOp::Div => Op::DivI64,
        BinOp::Rem => Op::RemI64,
        BinOp::Pow => Op::PowI64,
        BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge => {
            unreachable!("a comparison")
        }
    }
}

fn float_op(op: BinOp) -> Op {
    match op {
        BinOp::Add => Op::AddF64,
        BinOp::Sub => Op::SubF64,
        BinOp::Mul => Op::MulF64,
        BinOp::Div => Op::DivF64,
        BinOp::Rem => Op::RemF64,
        BinOp::Pow => Op::PowF64,
        BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge => {
            unreachable!("a comparison")
        }
    }
}

fn any_op(op: BinOp) -> Op {
    match op {
        BinOp::Add => Op::AddAny,
        BinOp::Sub => Op::SubAny,
        BinOp::Mul => Op::MulAny,
        BinOp::Div => Op::DivAny,
        BinOp::Rem => Op::RemAny,
        BinOp::Pow => Op::PowAny,
        BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge => {
            unreachable!("a comparison")
        }
    }
}
