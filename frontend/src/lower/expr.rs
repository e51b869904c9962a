//! Expressions: which file lowers which kind, and the kinds that are one or two instructions. Must stay true: `eval`
//! leaves the value in the wanted register or names the one it is in; a wanted register may be a variable that the
//! expression itself reads, so whoever writes in several steps builds in a register of its own first.

use flin_bytecode::{Class, Reg, emit};

use super::compare::is_comparison;
use super::function::{Lower, Place};
use crate::hir::{ExprId, ExprKind};
use crate::types::Ty;

impl Lower<'_, '_> {
    /// The value of an expression, of the expression's own type.
    pub(super) fn eval(&mut self, e: ExprId, want: Option<Reg>) -> Reg {
        if !self.owns_locals(e) {
            return self.eval_inner(e, want);
        }
        let class = self.class(self.ty(e));
        let dst = self.dst(want, class);
        let mark = self.b.mark();
        self.take_locals(e);
        self.eval_inner(e, Some(dst));
        self.b.release(mark);
        dst
    }

    /// The value of an expression as another type.
    pub(super) fn eval_as(&mut self, e: ExprId, to: Ty, want: Option<Reg>) -> Reg {
        let from = self.ty(e);
        if from == to {
            return self.eval(e, want);
        }
        if let Some(reg) = self.constant_as(e, to, want) {
            return reg;
        }
        if self.class(from) == self.class(to) && from != Ty::Never && self.fits(from, to) {
            return self.eval(e, want);
        }
        let mark = self.b.mark();
        let reg = self.eval(e, None);
        if self.class(from) != self.class(to) {
            self.b.release(mark);
        } // Else the value may stay where it is, and its register with it.
        let at = self.span(e);
        self.at(at);
        self.convert(reg, from, to, want)
    }

    /// Constants go straight to the class they are needed in.
    pub(super) fn constant_as(&mut self, e: ExprId, to: Ty, want: Option<Reg>) -> Option<Reg> {
        match (self.kind(e), to) {
            (ExprKind::Int(n), Ty::Float) => {
                let value = *n as f64;
                if let (Some(kept), None) = (self.kept_float(value), want) {
                    return Some(kept);
                }
                let dst = self.dst(want, Class::F64);
                self.float_const(value, dst);
                Some(dst)
            }
            (ExprKind::None, to) if matches!(self.class(to), Class::Ref | Class::Any) => {
                Some(self.none_as(to, want))
            }
            _ => None,
        }
    }

    /// An operand that is read after `later` has been evaluated: a variable that those assign is copied first.
    pub(super) fn operand(&mut self, e: ExprId, later: &[ExprId]) -> Reg {
        let reg = self.eval(e, None);
        self.keep(e, reg, later)
    }

    /// As `operand`, converted.
    pub(super) fn operand_as(&mut self, e: ExprId, to: Ty, later: &[ExprId]) -> Reg {
        let reg = self.eval_as(e, to, None);
        self.keep(e, reg, later)
    }

    /// The value for an operation that reads `any`: an object stays in its register of class `ref`, which may be read so.
    pub(super) fn word(&mut self, e: ExprId) -> Reg {
        if self.class(self.ty(e)) == Class::Ref {
            return self.eval(e, None);
        }
        self.eval_as(e, Ty::Any, None)
    }

    /// As `word`, for a value that must survive the evaluation of `later`.
    pub(super) fn operand_word(&mut self, e: ExprId, later: &[ExprId]) -> Reg {
        let reg = self.word(e);
        self.keep(e, reg, later)
    }

    /// As `word`, of a value in a register.
    pub(super) fn word_of(&mut self, reg: Reg, from: Ty) -> Reg {
        if self.class(from) == Class::Ref {
            return reg;
        }
        self.convert(reg, from, Ty::Any, None)
    }

    pub(super) fn keep(&mut self, e: ExprId, reg: Reg, later: &[ExprId]) -> Reg {
        if let ExprKind::Local(local) = self.kind(e)
            && let Place::Register(home) = self.place(*local)
            && home == reg
            && later.iter().any(|e| self.scopes.assigns(*e))
        {
            let class = self.class(self.local_ty(*local));
            let copy = self.b.temp(class);
            self.b.mov(class, copy, reg);
            return copy;
        }
        reg
    }

    /// Evaluates an expression for what it does.
    pub(super) fn effect(&mut self, e: ExprId) {
        let mark = self.b.mark();
        self.take_locals(e);
        self.effect_inner(e);
        self.b.release(mark);
    }

    /// As `effect`, when the expression's variables have their registers already.
    pub(super) fn effect_inner(&mut self, e: ExprId) {
        let expr = &self.f.exprs[e.index()];
        self.at(expr.span);
        match role(&expr.kind) {
            Role::Plain => {}
            Role::Call => self.call_effect(e),
            Role::View => self.view(e),
            Role::Statement => self.statement(e),
            Role::Branching => self.branching_effect(e),
            Role::Computed => {
                self.eval_inner(e, None);
            }
        }
    }

    /// As `eval`, when the expression's variables have their registers already.
    pub(super) fn eval_inner(&mut self, e: ExprId, want: Option<Reg>) -> Reg {
        let f = self.f;
        let expr = &f.exprs[e.index()];
        let ty = self.ty(e);
        self.at(expr.span);
        if ty == Ty::Never && has_own_class(&expr.kind) {
            return self.never_value(&expr.kind, want);
        }
        match role(&expr.kind) {
            Role::Plain => self.plain(e, want),
            Role::Call => self.call(e, want),
            Role::Branching => self.branching_value(e, want),
            Role::Computed => self.computed(e, want),
            Role::Statement | Role::View => {
                self.effect_inner(e);
                self.no_value(ty, want)
            }
        }
    }

    /// Expressions that only do something.
    fn statement(&mut self, e: ExprId) {
        let f = self.f;
        match &f.exprs[e.index()].kind {
            ExprKind::Let(local, value) => self.declare(*local, *value),
            ExprKind::SetLocal(local, value) => self.assign(*local, *value),
            ExprKind::SetGlobal(global, value) => self.set_global(*global, *value),
            ExprKind::SetField {
                recv, name, value, ..
            } => self.set_field(e, *recv, name, *value),
            ExprKind::SetIndex(recv, index, value) => self.set_index(e, *recv, *index, *value),
            ExprKind::While { label, cond, body } => {
                self.with_literals(e, |this| this.while_loop(*label, *cond, *body));
            }
            ExprKind::ForRange { .. } => self.with_literals(e, |this| this.for_range(e)),
            ExprKind::For { .. } => self.with_literals(e, |this| this.for_each(e)),
            ExprKind::Break(label, value) => self.break_loop(*label, *value),
            ExprKind::Continue(label) => self.continue_loop(*label),
            ExprKind::Return(value) => self.return_value(*value),
            ExprKind::Assert(cond) => self.assert(*cond),
            ExprKind::Cases(..) => {}
            ExprKind::Destroy(entity) => self.destroy(*entity),
            kind => debug_assert!(matches!(kind, ExprKind::Error), "{kind:?} has another role"),
        }
    }

    /// Expressions whose parts run or not, for what they do.
    fn branching_effect(&mut self, e: ExprId) {
        let f = self.f;
        match &f.exprs[e.index()].kind {
            ExprKind::Block(items, _) => self.effects(items),
            ExprKind::If {
                cond,
                then,
                otherwise,
            } => self.if_effect(*cond, *then, *otherwise),
            ExprKind::Loop { label, body } => {
                self.with_literals(e, |this| this.endless(*label, *body, None));
            }
            ExprKind::TryCatch {
                body,
                error,
                handler,
            } => self.try_catch_effect(*body, *error, *handler),
            ExprKind::And(a, b) => self.guard_effect(*a, *b, true),
            ExprKind::Or(a, b) => self.guard_effect(*a, *b, false),
            kind => unreachable!("{kind:?} has another role"),
        }
    }

    /// Expressions whose parts run or not, for their value.
    fn branching_value(&mut self, e: ExprId, want: Option<Reg>) -> Reg {
        let f = self.f;
        let ty = self.ty(e);
        match &f.exprs[e.index()].kind {
            ExprKind::Block(items, has_value) => self.block(e, items, *has_value, want),
            ExprKind::If {
                cond,
                then,
                otherwise,
            } => self.if_value(e, *cond, *then, *otherwise, want),
            ExprKind::Loop { label, body } => {
                let dst = self.dst(want, self.class(ty));
                self.with_literals(e, |this| this.endless(*label, *body, Some((dst, ty))));
                dst
            }
            ExprKind::TryCatch {
                body,
                error,
                handler,
            } => self.try_catch(e, *body, *error, *handler, want),
            ExprKind::And(a, b) => self.and_or(e, *a, *b, true, want),
            ExprKind::Or(a, b) => self.and_or(e, *a, *b, false, want),
            kind => unreachable!("{kind:?} has another role"),
        }
    }

    /// Literals, variables, functions: nothing happens when they are evaluated.
    fn plain(&mut self, e: ExprId, want: Option<Reg>) -> Reg {
        let f = self.f;
        let ty = self.ty(e);
        match &f.exprs[e.index()].kind {
            ExprKind::None => self.none_as(ty, want),
            ExprKind::Bool(value) => {
                let dst = self.dst(want, Class::Bool);
                emit!(self.b, ConstBool, dst, *value);
                dst
            }
            ExprKind::Int(value) => self.int_literal(*value, ty, want),
            ExprKind::Duration(value) => {
                let dst = self.dst(want, Class::I64);
                self.int_const(*value, dst);
                dst
            }
            ExprKind::Float(value) => self.float_literal(*value, want),
            ExprKind::Text(text) => {
                let dst = self.dst(want, Class::Ref);
                self.text_const(text, dst);
                dst
            }
            ExprKind::Local(local) => self.local(*local, ty, want),
            ExprKind::Global(global) => self.global(*global, ty, want),
            ExprKind::FnRef(func) | ExprKind::Lambda(func) => self.closure(e, *func, want),
            ExprKind::Query(entity) => {
                let dst = self.dst(want, Class::Ref);
                emit!(self.b, QueryNew, dst, self.cx.entity_id(*entity));
                dst
            }
            kind => unreachable!("{kind:?} has another role"),
        }
    }

    /// Operations on operands that are all evaluated.
    fn computed(&mut self, e: ExprId, want: Option<Reg>) -> Reg {
        let f = self.f;
        let ty = self.ty(e);
        match &f.exprs[e.index()].kind {
            ExprKind::Concat(parts) => self.concat(parts, want),
            ExprKind::List(items) => self.list(e, items, want),
            ExprKind::Record(entries) => self.record(e, entries, want),
            ExprKind::Tuple(items) => self.tuple(e, items, want),
            ExprKind::Range(from, to, inclusive) => self.range(*from, *to, *inclusive, want),
            ExprKind::Field { .. } => self.field(e, want),
            ExprKind::ImplicitField { it, name, outer } => {
                self.implicit_field(e, *it, name, *outer, want)
            }
            ExprKind::Index(recv, index) => self.index(e, *recv, *index, want),
            ExprKind::Slice {
                recv,
                from,
                to,
                step,
            } => self.slice(e, *recv, [*from, *to, *step], want),
            ExprKind::Neg(value) => self.negate(e, *value, want),
            ExprKind::Not(_) | ExprKind::In(..) | ExprKind::Is(..) | ExprKind::IsVariant(..) => {
                self.truth_inner(e, want)
            }
            ExprKind::VariantData(value, _, _, n) => self.variant_data(e, *value, *n, want),
            ExprKind::QueryArg { plain, .. } => self.eval_as(*plain, ty, want),
            ExprKind::Binary(op, a, b) => self.binary(e, *op, *a, *b, want),
            ExprKind::Coalesce(a, b) => self.coalesce(e, *a, *b, want),
            ExprKind::Try(value) => self.try_value(e, *value, want),
            ExprKind::EntityNew(entity, fields) => self.entity_new(*entity, fields, want),
            ExprKind::Save(entity) => self.save(e, *entity, want),
            ExprKind::Delete(entity) | ExprKind::Restore(entity) => {
                self.delete_or_restore(e, *entity, want)
            }
            ExprKind::Variant(of, variant, items) => self.variant(e, *of, *variant, items, want),
            ExprKind::Response(value) => self.response(*value, want),
            kind => unreachable!("{kind:?} has another role"),
        }
    }

    /// An expression that types say is never computed: an operand does not arrive, or no value comes here at all.
    pub(super) fn never_value(&mut self, kind: &ExprKind, want: Option<Reg>) -> Reg {
        let mut operands = Vec::new();
        crate::operands::operands(kind, &mut |operand| operands.push(operand));
        for operand in operands {
            if !self.b.is_ended() {
                self.effect(operand);
            }
        }
        self.unreachable();
        self.dst(want, Class::Any)
    }

    /// What an expression without a value leaves: none, or nothing at all where the code does not go on.
    pub(super) fn no_value(&mut self, ty: Ty, want: Option<Reg>) -> Reg {
        if self.b.is_ended() {
            return self.dst(want, self.class(ty));
        }
        match ty {
            Ty::None => self.none_as(ty, want),
            other => self.initial(other, want),
        }
    }
}

/// Whether values of this kind have a class of their own, whatever the types say.
fn has_own_class(kind: &ExprKind) -> bool {
    matches!(
        kind,
        ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Text(_)
            | ExprKind::Duration(_)
            | ExprKind::Concat(_)
            | ExprKind::Tuple(_)
            | ExprKind::Range(..)
            | ExprKind::FnRef(_)
            | ExprKind::Lambda(_)
            | ExprKind::Not(_)
            | ExprKind::In(..)
            | ExprKind::Is(..)
            | ExprKind::IsVariant(..)
            | ExprKind::EntityNew(..)
            | ExprKind::Query(_)
            | ExprKind::Variant(..)
            | ExprKind::Response(_)
    ) || matches!(kind, ExprKind::Binary(op, ..) if is_comparison(*op))
}

/// What lowering does with a kind of expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Nothing happens when it is evaluated.
    Plain,
    /// Calls something.
    Call,
    /// Runs some of its parts.
    Branching,
    /// Works on operands that are all evaluated.
    Computed,
    /// Only does something.
    Statement,
    /// Writes markup.
    View,
}

fn role(kind: &ExprKind) -> Role {
    use ExprKind as K;
    match kind {
        K::None | K::Bool(_) | K::Int(_) | K::Float(_) | K::Text(_) | K::Duration(_) => Role::Plain,
        K::Local(_) | K::Global(_) | K::FnRef(_) | K::Lambda(_) | K::Query(_) => Role::Plain,
        K::CallFn(..) | K::CallValue(..) | K::CallLib(..) | K::Method { .. } => Role::Call,
        K::Block(..)
        | K::If { .. }
        | K::Loop { .. }
        | K::TryCatch { .. }
        | K::And(..)
        | K::Or(..) => Role::Branching,
        K::Concat(_) | K::List(_) | K::Record(_) | K::Tuple(_) | K::Range(..) => Role::Computed,
        K::Field { .. } | K::ImplicitField { .. } | K::Index(..) | K::Slice { .. } => {
            Role::Computed
        }
        K::Neg(_) | K::Not(_) | K::Binary(..) | K::Coalesce(..) | K::In(..) | K::Is(..) => {
            Role::Computed
        }
        K::IsVariant(..) | K::VariantData(..) | K::Variant(..) | K::QueryArg { .. } | K::Try(_) => {
            Role::Computed
        }
        K::EntityNew(..) | K::Save(_) | K::Delete(_) | K::Restore(_) | K::Response(_) => {
            Role::Computed
        }
        K::Error | K::Let(..) | K::SetLocal(..) | K::SetGlobal(..) | K::SetField { .. } => {
            Role::Statement
        }
        K::SetIndex(..) | K::While { .. } | K::ForRange { .. } | K::For { .. } | K::Break(..) => {
            Role::Statement
        }
        K::Continue(_) | K::Return(_) | K::Destroy(_) | K::Assert(_) | K::Cases(..) => {
            Role::Statement
        }
        K::ViewRaw(_)
        | K::ViewText(_)
        | K::ViewHtml(_)
        | K::ViewAttr { .. }
        | K::ViewBind { .. } => Role::View,
        K::ViewOption { .. }
        | K::ViewChars(_)
        | K::ViewElement(_)
        | K::ViewBlock(_)
        | K::ViewNothing
        | K::ViewItem(_)
        | K::ViewEmpty(_)
        | K::ViewStyle(_)
        | K::ViewOn { .. }
        | K::ViewForm { .. }
        | K::ViewHead(_) => Role::View,
    }
}
