//! Blocks, branches, errors. Must stay true: nothing is emitted after an end; what an error leaves behind is only what
//! was written before the protected range.

use flin_bytecode::{Class, Label, Native, Reg, emit};

use super::calls::Arg;
use super::compare::{Compare, is_comparison};
use super::function::Lower;
use crate::hir::{BinOp, ExprId, ExprKind, LocalId};
use crate::types::Ty;

/// The outcome of a comparison, and both of its sides.
type Tested = (Reg, [(Reg, Ty); 2]);

impl Lower<'_, '_> {
    pub(super) fn block(
        &mut self,
        e: ExprId,
        items: &[ExprId],
        has_value: bool,
        want: Option<Reg>,
    ) -> Reg {
        let ty = self.ty(e);
        let Some((last, before)) = items.split_last().filter(|_| has_value) else {
            self.effects(items);
            return self.no_value(ty, want);
        };
        self.effects(before);
        if self.b.is_ended() {
            return self.dst(want, self.class(ty));
        }
        self.eval_as(*last, ty, want)
    }

    pub(super) fn effects(&mut self, items: &[ExprId]) {
        for item in items {
            if self.b.is_ended() {
                break;
            }
            self.effect(*item);
        }
    }

    pub(super) fn if_effect(&mut self, cond: ExprId, then: ExprId, otherwise: Option<ExprId>) {
        let (no, end) = (self.b.label(), self.b.label());
        self.branch(cond, false, no);
        if !self.b.is_ended() {
            self.effect(then);
        }
        match otherwise {
            Some(otherwise) => {
                self.jump(end);
                self.b.bind(no);
                self.effect(otherwise);
                self.b.bind(end);
            }
            None => self.b.bind(no),
        }
    }

    pub(super) fn if_value(
        &mut self,
        e: ExprId,
        cond: ExprId,
        then: ExprId,
        otherwise: Option<ExprId>,
        want: Option<Reg>,
    ) -> Reg {
        let ty = self.ty(e);
        let dst = self.dst(want, self.class(ty));
        let (no, end) = (self.b.label(), self.b.label());
        self.branch(cond, false, no);
        if !self.b.is_ended() {
            self.eval_as(then, ty, Some(dst));
        }
        self.jump(end);
        self.b.bind(no);
        match otherwise {
            Some(otherwise) => {
                self.eval_as(otherwise, ty, Some(dst));
            }
            None => {
                self.none_as(ty, Some(dst));
            }
        }
        self.b.bind(end);
        dst
    }

    pub(super) fn return_value(&mut self, value: Option<ExprId>) {
        match value {
            Some(value) => {
                let reg = self.function_value(value);
                self.leave(reg);
            }
            None => self.leave_empty(),
        }
    }

    /// Runs `body` with a handler: an error continues at the returned label with the error object in the register.
    fn protect(&mut self, body: impl FnOnce(&mut Self)) -> (Label, Reg) {
        let (start, end, handler) = (self.b.label_here(), self.b.label(), self.b.label());
        body(self);
        self.b.bind(end);
        // Taken after the body: one inside of the other, they would fill the near registers.
        let error = self.b.near_temp(Class::Ref);
        self.b.protect(start, end, handler, error);
        (handler, error)
    }

    /// `try e`.
    pub(super) fn try_value(&mut self, e: ExprId, value: ExprId, want: Option<Reg>) -> Reg {
        let ty = self.ty(e);
        let result = self.build(want, self.class(ty));
        let (done, mark) = (self.b.label(), self.b.mark());
        let (handler, error) = self.protect(|this| {
            this.eval_as(value, ty, Some(result));
        });
        self.jump(done);
        self.b.bind(handler);
        self.convert(error, Ty::Error, ty, Some(result));
        self.b.release(mark);
        self.b.bind(done);
        self.settle(result, self.class(ty), want)
    }

    /// `try { } catch e { }` with a value.
    pub(super) fn try_catch(
        &mut self,
        e: ExprId,
        body: ExprId,
        error: Option<LocalId>,
        handler: ExprId,
        want: Option<Reg>,
    ) -> Reg {
        let ty = self.ty(e);
        let result = self.build(want, self.class(ty));
        self.try_catch_with(body, error, handler, |this, e| {
            this.eval_as(e, ty, Some(result));
        });
        self.settle(result, self.class(ty), want)
    }

    pub(super) fn try_catch_effect(
        &mut self,
        body: ExprId,
        error: Option<LocalId>,
        handler: ExprId,
    ) {
        self.try_catch_with(body, error, handler, |this, e| this.effect(e));
    }

    fn try_catch_with(
        &mut self,
        body: ExprId,
        error: Option<LocalId>,
        handler: ExprId,
        run: impl Fn(&mut Self, ExprId),
    ) {
        let (done, mark) = (self.b.label(), self.b.mark());
        let (catch, caught) = self.protect(|this| run(this, body));
        self.jump(done);
        self.b.bind(catch);
        if let Some(error) = error {
            self.declare_value(error, caught, Ty::Error);
        }
        run(self, handler);
        self.b.release(mark);
        self.b.bind(done);
    }

    pub(super) fn assert(&mut self, cond: ExprId) {
        let fine = self.b.label();
        let mark = self.b.mark();
        self.take_locals(cond);
        let source = self.cx.source_of(self.f.from_prelude, self.span(cond));
        let (truth, sides) = self.tested_sides(cond);
        match sides {
            Some((reg, [left, right])) if !self.b.is_ended() => {
                match truth {
                    true => emit!(self.b, JumpIf, reg, fine),
                    false => emit!(self.b, JumpUnless, reg, fine),
                }
                self.at_expr(cond);
                let text = self.b.temp(Class::Ref);
                self.text_const(&source, text);
                let args = [(text, Ty::Text), left, right].map(|(reg, ty)| Arg::Value(reg, ty));
                self.call_lib(Native::AssertFailed.lib_id(), &args, None);
            }
            Some(_) => {}
            None => {
                self.branch_inner(cond, true, fine);
                self.at_expr(cond);
                self.fail("AssertionError", &format!("assertion failed: {source}"));
            }
        }
        self.b.release(mark);
        self.b.bind(fine);
    }

    /// Of a condition that compares two values: how its truth is meant, the outcome, and both values. Others are not
    /// evaluated.
    fn tested_sides(&mut self, cond: ExprId) -> (bool, Option<Tested>) {
        let f = self.f;
        match &f.exprs[cond.index()].kind {
            ExprKind::Not(inner) => {
                if let ExprKind::In(item, container) = &f.exprs[inner.index()].kind {
                    let sides = self.contains_sides(*inner, *item, *container);
                    return (false, Some(sides));
                }
                (true, None)
            }
            ExprKind::In(item, container) => {
                (true, Some(self.contains_sides(cond, *item, *container)))
            }
            ExprKind::Binary(op, a, b) if is_comparison(*op) => {
                let order = !matches!(op, BinOp::Eq | BinOp::Ne);
                let (ta, tb) = self.compared_types(*a, *b);
                let (how, left, right) = self.compare_operands(*a, *b, order);
                let (ta, tb) = match how {
                    Compare::Any => (Ty::Any, Ty::Any),
                    Compare::I64 | Compare::F64 | Compare::Bool | Compare::Ref | Compare::Text => {
                        (ta, tb)
                    }
                };
                self.at_expr(cond);
                let outcome = self.b.temp(Class::Bool);
                self.compare_registers(*op, how, (left, right), outcome);
                (true, Some((outcome, [(left, ta), (right, tb)])))
            }
            _other => (true, None),
        }
    }

    /// Raises the error that says: this cannot be reached. Stands where an operand never arrives.
    pub(super) fn unreachable(&mut self) {
        if !self.b.is_ended() {
            self.fail(
                "TypeError",
                "this operation is not possible with these values",
            );
        }
    }
}
