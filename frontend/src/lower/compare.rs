//! Comparisons and conditions. Here because fused compare-and-branch and plain comparisons share their cases. Must stay
//! true: int and float compare exactly (not by widening); conditions follow truthiness.

use flin_bytecode::{Class, Label, Op, Reg, emit};

use super::function::Lower;
use crate::hir::{BinOp, ExprId, ExprKind};
use crate::types::Ty;

/// How two operands of a comparison are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    I64,
    F64,
    Bool,
    /// By value, class `ref`.
    Ref,
    Text,
    Any,
}

impl Lower<'_, '_> {
    /// How values of two types are compared: with `order` for `<` and its kin, else for equality.
    pub(super) fn comparison(&self, a: Ty, b: Ty, order: bool) -> Compare {
        match (a, b) {
            (Ty::Int, Ty::Int) | (Ty::Time, Ty::Time) | (Ty::Duration, Ty::Duration) => {
                Compare::I64
            }
            (Ty::Float, Ty::Float) => Compare::F64,
            (Ty::Bool, Ty::Bool) if !order => Compare::Bool,
            (Ty::Text, Ty::Text) if order => Compare::Text,
            _ if !order && self.class(a) == Class::Ref && self.class(b) == Class::Ref => {
                Compare::Ref
            }
            _ => Compare::Any,
        }
    }

    /// The type in which both sides are compared; ints that a float holds exactly may become floats.
    pub(super) fn compared_types(&self, a: ExprId, b: ExprId) -> (Ty, Ty) {
        let exact =
            |e: ExprId| matches!(self.kind(e), ExprKind::Int(n) if n.unsigned_abs() <= 1 << 53);
        match (self.ty(a), self.ty(b)) {
            (Ty::Int, Ty::Float) if exact(a) => (Ty::Float, Ty::Float),
            (Ty::Float, Ty::Int) if exact(b) => (Ty::Float, Ty::Float),
            types => types,
        }
    }

    pub(super) fn compare_operands(
        &mut self,
        a: ExprId,
        b: ExprId,
        order: bool,
    ) -> (Compare, Reg, Reg) {
        let (ta, tb) = self.compared_types(a, b);
        let how = self.comparison(ta, tb, order);
        let (ta, tb) = if how == Compare::Any {
            (Ty::Any, Ty::Any)
        } else {
            (ta, tb)
        };
        let left = self.operand_as(a, ta, &[b]);
        let right = self.eval_as(b, tb, None);
        (how, left, right)
    }

    /// The operand that is compared with a literal none, if one is.
    pub(super) fn compared_with_none(&self, a: ExprId, b: ExprId) -> Option<ExprId> {
        match (self.ty(a), self.ty(b)) {
            (_, Ty::None) if matches!(self.kind(b), ExprKind::None) => Some(a),
            (Ty::None, _) if matches!(self.kind(a), ExprKind::None) => Some(b),
            _ => None,
        }
    }

    /// Whether an expression's value is truthy, as a bool.
    pub(super) fn truth(&mut self, e: ExprId, want: Option<Reg>) -> Reg {
        if !self.owns_locals(e) {
            return self.truth_inner(e, want);
        }
        let dst = self.dst(want, Class::Bool);
        let mark = self.b.mark();
        self.take_locals(e);
        self.truth_inner(e, Some(dst));
        self.b.release(mark);
        dst
    }

    /// As `truth`, when the expression's variables have their registers already.
    pub(super) fn truth_inner(&mut self, e: ExprId, want: Option<Reg>) -> Reg {
        let f = self.f;
        let expr = &f.exprs[e.index()];
        self.at(expr.span);
        match &expr.kind {
            ExprKind::Not(inner) => {
                let mark = self.b.mark();
                let reg = self.truth(*inner, None);
                self.b.release(mark);
                let dst = self.dst(want, Class::Bool);
                emit!(self.b, NotBool, dst, reg);
                dst
            }
            ExprKind::Binary(op, a, b) if is_comparison(*op) => {
                self.compare_value(e, *op, *a, *b, want)
            }
            ExprKind::In(item, container) => self.contains(e, *item, *container, want),
            ExprKind::Is(value, ann) => self.is_type(*value, ann, want),
            ExprKind::IsVariant(value, of, variant) => self.is_variant(*value, *of, *variant, want),
            ExprKind::And(..) | ExprKind::Or(..) => self.truth_by_jumps(e, want),
            _ => {
                let ty = self.ty(e);
                if ty == Ty::Bool {
                    return self.eval_inner(e, want);
                }
                let mark = self.b.mark();
                let reg = self.eval_inner(e, None);
                self.b.release(mark);
                self.truth_of(reg, ty, want)
            }
        }
    }

    pub(super) fn truth_by_jumps(&mut self, e: ExprId, want: Option<Reg>) -> Reg {
        let result = self.build(want, Class::Bool);
        let (no, end) = (self.b.label(), self.b.label());
        self.branch_inner(e, false, no);
        if !self.b.is_ended() {
            emit!(self.b, ConstBool, result, true);
            emit!(self.b, Jump, end);
        }
        self.b.bind(no);
        emit!(self.b, ConstBool, result, false);
        self.b.bind(end);
        self.settle(result, Class::Bool, want)
    }

    pub(super) fn compare_value(
        &mut self,
        e: ExprId,
        op: BinOp,
        a: ExprId,
        b: ExprId,
        want: Option<Reg>,
    ) -> Reg {
        let negated = op == BinOp::Ne;
        let mark = self.b.mark();
        let span = self.span(e);
        if matches!(op, BinOp::Eq | BinOp::Ne)
            && let Some(operand) = self.compared_with_none(a, b)
        {
            let dst = self.is_none(operand, want);
            if negated {
                emit!(self.b, NotBool, dst, dst);
            }
            return dst;
        }
        let order = !matches!(op, BinOp::Eq | BinOp::Ne);
        let (how, left, right) = self.compare_operands(a, b, order);
        self.b.release(mark);
        self.at(span);
        let dst = self.dst(want, Class::Bool);
        self.compare_registers(op, how, (left, right), dst);
        dst
    }

    /// Compares two operands that were made for it.
    pub(super) fn compare_registers(
        &mut self,
        op: BinOp,
        how: Compare,
        (left, right): (Reg, Reg),
        dst: Reg,
    ) {
        let (instruction, swap) = match (op, how) {
            (BinOp::Eq | BinOp::Ne, Compare::I64) => (Op::EqI64, false),
            (BinOp::Eq | BinOp::Ne, Compare::F64) => (Op::EqF64, false),
            (BinOp::Eq | BinOp::Ne, Compare::Bool) => (Op::EqBool, false),
            (BinOp::Eq | BinOp::Ne, Compare::Ref | Compare::Text) => (Op::EqRef, false),
            (BinOp::Eq | BinOp::Ne, Compare::Any) => (Op::EqAny, false),
            (BinOp::Lt | BinOp::Gt, how) => (less_op(how), op == BinOp::Gt),
            (_, how) => (less_equal_op(how), op == BinOp::Ge),
        };
        let (left, right) = if swap { (right, left) } else { (left, right) };
        self.b
            .emit(instruction, &[dst.into(), left.into(), right.into()]);
        if op == BinOp::Ne {
            emit!(self.b, NotBool, dst, dst);
        }
    }

    /// Whether an expression's value is none.
    pub(super) fn is_none(&mut self, e: ExprId, want: Option<Reg>) -> Reg {
        let ty = self.ty(e);
        let mark = self.b.mark();
        let reg = self.eval(e, None);
        self.b.release(mark);
        let dst = self.dst(want, Class::Bool);
        self.is_none_reg(reg, ty, dst);
        dst
    }

    pub(super) fn is_none_reg(&mut self, reg: Reg, ty: Ty, dst: Reg) {
        match self.class(ty) {
            Class::Ref => emit!(self.b, IsNoneRef, dst, reg),
            Class::Any => emit!(self.b, IsNoneAny, dst, reg),
            Class::I64 | Class::F64 | Class::Bool => emit!(self.b, ConstBool, dst, false),
        }
    }

    /// Jumps to `target` if the truth of the expression is `on`, else goes on.
    pub(super) fn branch(&mut self, e: ExprId, on: bool, target: Label) {
        let mark = self.b.mark();
        self.take_locals(e);
        self.branch_inner(e, on, target);
        self.b.release(mark);
    }

    pub(super) fn branch_inner(&mut self, e: ExprId, on: bool, target: Label) {
        let f = self.f;
        let expr = &f.exprs[e.index()];
        self.at(expr.span);
        match &expr.kind {
            ExprKind::Bool(value) => {
                if *value == on {
                    self.jump(target);
                }
            }
            ExprKind::Not(inner) => self.branch(*inner, !on, target),
            ExprKind::And(a, b) if on => self.branch_both(*a, *b, true, target),
            ExprKind::Or(a, b) if !on => self.branch_both(*a, *b, false, target),
            ExprKind::And(a, b) | ExprKind::Or(a, b) => {
                self.branch(*a, on, target);
                self.branch(*b, on, target);
            }
            ExprKind::Binary(op, a, b)
                if is_comparison(*op) && self.branch_compare(e, *op, *a, *b, on, target) => {}
            ExprKind::Block(items, true) if !items.is_empty() => {
                let (last, before) = items.split_last().expect("a block with a value has items");
                before.iter().for_each(|item| self.effect(*item));
                self.branch(*last, on, target);
            }
            _ => {
                let reg = self.truth_inner(e, None);
                if self.b.is_ended() {
                    return;
                }
                if on {
                    emit!(self.b, JumpIf, reg, target);
                } else {
                    emit!(self.b, JumpUnless, reg, target);
                }
            }
        }
    }

    /// Jumps if both sides are `on`: the first one that is not skips the jump.
    pub(super) fn branch_both(&mut self, a: ExprId, b: ExprId, on: bool, target: Label) {
        let skip = self.b.label();
        self.branch(a, !on, skip);
        self.branch(b, on, target);
        self.b.bind(skip);
    }

    /// Emits a fused compare-and-branch where there is one for the operands' types.
    pub(super) fn branch_compare(
        &mut self,
        e: ExprId,
        op: BinOp,
        a: ExprId,
        b: ExprId,
        on: bool,
        target: Label,
    ) -> bool {
        let (ta, tb) = self.compared_types(a, b);
        let order = !matches!(op, BinOp::Eq | BinOp::Ne);
        let how = self.comparison(ta, tb, order);
        if !(how == Compare::I64 || how == Compare::F64 && order) {
            return false;
        }
        let mark = self.b.mark();
        let (_, left, right) = self.compare_operands(a, b, order);
        let span = self.span(e);
        self.at(span);
        let (instruction, swap) = match (how, op, on) {
            (Compare::I64, BinOp::Eq, true) | (Compare::I64, BinOp::Ne, false) => {
                (Op::JumpEqI64, false)
            }
            (Compare::I64, BinOp::Eq | BinOp::Ne, _) => (Op::JumpNeI64, false),
            (Compare::I64, BinOp::Lt, true) | (Compare::I64, BinOp::Ge, false) => {
                (Op::JumpLtI64, false)
            }
            (Compare::I64, BinOp::Gt, true) | (Compare::I64, BinOp::Le, false) => {
                (Op::JumpLtI64, true)
            }
            (Compare::I64, BinOp::Le, true) | (Compare::I64, BinOp::Gt, false) => {
                (Op::JumpLeI64, false)
            }
            (Compare::I64, _, _) => (Op::JumpLeI64, true),
            (_, BinOp::Lt, true) => (Op::JumpLtF64, false),
            (_, BinOp::Gt, true) => (Op::JumpLtF64, true),
            (_, BinOp::Le, true) => (Op::JumpLeF64, false),
            (_, BinOp::Ge, true) => (Op::JumpLeF64, true),
            (_, BinOp::Lt, false) => (Op::JumpNltF64, false),
            (_, BinOp::Gt, false) => (Op::JumpNltF64, true),
            (_, BinOp::Le, false) => (Op::JumpNleF64, false),
            (_, _, _) => (Op::JumpNleF64, true),
        };
        let (left, right) = if swap { (right, left) } else { (left, right) };
        self.b
            .emit(instruction, &[left.into(), right.into(), target.into()]);
        self.b.release(mark);
        true
    }
}

pub(super) fn is_comparison(op: BinOp) -> bool {
    match op {
        BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge => true,
        BinOp::Add | BinOp::Sub | BinOp::Mul | BinOp::Div | BinOp::Rem | BinOp::Pow => false,
    }
}

fn less_op(how: Compare) -> Op {
    match how {
        Compare::I64 => Op::LtI64,
        Compare::F64 => Op::LtF64,
        Compare::Text => Op::LtText,
        Compare::Bool | Compare::Ref | Compare::Any => Op::LtAny,
    }
}

fn less_equal_op(how: Compare) -> Op {
    match how {
        Compare::I64 => Op::LeI64,
        Compare::F64 => Op::LeF64,
        Compare::Text => Op::LeText,
        Compare::Bool | Compare::Ref | Compare::Any => Op::LeAny,
    }
}
