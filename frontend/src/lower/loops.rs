//! Loops. Must stay true: a loop over numbers has one instruction per turn; a loop variable is fresh per turn; a list is
//! walked by position as long as it is then.

use flin_bytecode::{Class, Native, Reg, emit};

use super::function::{LoopFrame, Lower, Place};
use crate::hir::{ExprId, ExprKind, LocalId, TypeAnn};
use crate::operands::operands;
use crate::types::{Meaning, Ty};

impl Lower<'_, '_> {
    pub(super) fn while_loop(&mut self, label: u32, cond: ExprId, body: ExprId) {
        let (top, test, end) = (self.b.label(), self.b.label(), self.b.label());
        let endless = matches!(self.kind(cond), ExprKind::Bool(true));
        if !endless {
            self.jump(test);
        }
        self.b.bind(top);
        // The variables of a condition (`while let`) may be used by the body: both are lowered inside the same scope.
        self.in_loop(LoopFrame::without_value(label, end, test), body);
        self.b.bind(test);
        self.branch(cond, true, top);
        self.b.bind(end);
    }

    pub(super) fn in_loop(&mut self, frame: LoopFrame, body: ExprId) {
        self.loops.push(frame);
        self.effect(body);
        self.loops.pop();
    }

    pub(super) fn endless(&mut self, label: u32, body: ExprId, value: Option<(Reg, Ty)>) {
        let end = self.b.label();
        let top = self.b.label_here();
        self.in_loop(
            LoopFrame {
                label,
                on_break: end,
                on_continue: top,
                value,
            },
            body,
        );
        self.jump(top);
        self.b.bind(end);
    }

    pub(super) fn frame(&self, label: u32) -> &LoopFrame {
        self.loops
            .iter()
            .rev()
            .find(|frame| frame.label == label)
            .expect("a label names an enclosing loop")
    }

    pub(super) fn break_loop(&mut self, label: u32, value: Option<ExprId>) {
        let (target, place) = (self.frame(label).on_break, self.frame(label).value);
        match (value, place) {
            (Some(value), Some((reg, ty))) => {
                self.eval_as(value, ty, Some(reg));
            }
            (Some(value), None) => self.effect(value),
            (None, Some((reg, ty))) => {
                self.none_as(ty, Some(reg));
            }
            (None, None) => {}
        }
        self.jump(target);
    }

    pub(super) fn continue_loop(&mut self, label: u32) {
        let target = self.frame(label).on_continue;
        self.jump(target);
    }

    /// `for i in a..b`.
    pub(super) fn for_range(&mut self, e: ExprId) {
        let f = self.f;
        let ExprKind::ForRange {
            label,
            var,
            from,
            to,
            inclusive,
            body,
        } = &f.exprs[e.index()].kind
        else {
            return;
        };
        let mark = self.b.mark();
        let counter = match self.place(*var) {
            Place::Register(reg)
                if !f.locals[var.index()].reassigned && self.local_ty(*var) == Ty::Int =>
            {
                reg
            }
            Place::Register(_) | Place::Cell(..) | Place::Nowhere => self.b.temp(Class::I64),
        };
        // The end is evaluated after the start, which nobody reads before that.
        self.eval_as(*from, Ty::Int, Some(counter));
        let limit = match self.kind(*to) {
            ExprKind::Local(local) if !f.locals[local.index()].reassigned => {
                self.eval_as(*to, Ty::Int, None)
            }
            _ => {
                let limit = self.b.temp(Class::I64);
                self.eval_as(*to, Ty::Int, Some(limit))
            }
        };
        self.count(*label, (*var, None), (counter, limit), *inclusive, *body);
        self.b.release(mark);
    }

    /// The loop itself: counter and limit are set. A second variable gets the distance from the register beside it.
    pub(super) fn count(
        &mut self,
        label: u32,
        (var, position): (LocalId, Option<(LocalId, Reg)>),
        (counter, limit): (Reg, Reg),
        inclusive: bool,
        body: ExprId,
    ) {
        let (top, next, end) = (self.b.label(), self.b.label(), self.b.label());
        let advance = self.b.label();
        if inclusive {
            emit!(self.b, JumpLtI64, limit, counter, end);
            self.jump(top);
            self.b.bind(advance);
            emit!(self.b, AddImmI64, counter, counter, 1);
        } else {
            self.b.bind(advance);
            emit!(self.b, JumpLeI64, limit, counter, end);
        }
        self.b.bind(top);
        let same = matches!(self.place(var), Place::Register(reg) if reg == counter);
        if !same {
            self.declare_value(var, counter, Ty::Int);
        }
        if let Some((second, start)) = position {
            let mark = self.b.mark();
            let distance = self.b.temp(Class::I64);
            emit!(self.b, SubI64, distance, counter, start);
            self.declare_value(second, distance, Ty::Int);
            self.b.release(mark);
        }
        self.in_loop(LoopFrame::without_value(label, end, next), body);
        self.b.bind(next);
        if inclusive {
            emit!(self.b, JumpLtI64, counter, limit, advance);
        } else {
            emit!(self.b, ForNext, counter, limit, top);
        }
        self.b.bind(end);
    }

    /// `for v in xs`, `for v, i in xs`, `for k, v in map`.
    pub(super) fn for_each(&mut self, e: ExprId) {
        let f = self.f;
        let ExprKind::For {
            label,
            first,
            second,
            iter,
            body,
            empty,
        } = &f.exprs[e.index()].kind
        else {
            return;
        };
        let mark = self.b.mark();
        let from = self.ty(*iter);
        let source = self.b.temp(self.class(from));
        self.eval(*iter, Some(source));
        let (mut source, mut ty) = (source, from);
        if let Some(Meaning::Direct(list)) = self.meaning(e).cloned() {
            let reg = self.b.temp(Class::Ref);
            ty = self.cx.result_type(list);
            self.call_instance(list, &[super::calls::Arg::Value(source, from)], Some(reg));
            source = reg;
        }
        let known = self.without_none(ty);
        if known != ty {
            source = self.convert(source, ty, known, None);
            ty = known;
        }
        if self.walks_as_it_was(*iter, ty, *body) {
            let copy = self.b.temp(Class::Ref);
            let list = super::calls::Arg::Value(source, ty);
            self.call_lib(Native::ListClone.lib_id(), &[list], Some(copy));
            source = copy;
        }
        let frame = (*label, *first, *second);
        match ty {
            Ty::Range => self.for_range_value(frame, source, *body),
            Ty::List(_) | Ty::Text | Ty::Map(_) | Ty::Record(_) => {
                self.for_indexed(frame, (source, ty), *body, *empty);
            }
            Ty::Never
            | Ty::None
            | Ty::Bool
            | Ty::Int
            | Ty::Float
            | Ty::Time
            | Ty::Duration
            | Ty::Error
            | Ty::Response
            | Ty::Tuple(_)
            | Ty::Entity(_)
            | Ty::Query(_)
            | Ty::Enum(_)
            | Ty::Func(_)
            | Ty::Union(_)
            | Ty::Any => self.for_dynamic(frame, (source, ty), *body, *empty),
        }
        self.b.release(mark);
    }

    /// Records may be deleted while they are walked, and a record's list of links loses them as soon as somebody reads
    /// that again: such a list is walked as it was, like a query.
    fn walks_as_it_was(&self, iter: ExprId, ty: Ty, body: ExprId) -> bool {
        let Ty::List(list) = ty else {
            return false;
        };
        let element = self.without_none(self.cx.types.lists[list.index()]);
        let of_record = matches!(self.meaning(iter), Some(Meaning::EntityField(_)));
        matches!(element, Ty::Entity(_)) && (of_record || self.deletes(body))
    }

    /// Whether an expression holds one of a kind; what its functions do is not looked at.
    fn holds(&self, e: ExprId, is: &dyn Fn(&ExprKind) -> bool) -> bool {
        let kind = self.kind(e);
        let mut found = is(kind);
        operands(kind, &mut |part| found = found || self.holds(part, is));
        found
    }

    fn deletes(&self, body: ExprId) -> bool {
        self.holds(body, &|kind| {
            matches!(kind, ExprKind::Delete(_) | ExprKind::Destroy(_))
        })
    }

    pub(super) fn for_range_value(
        &mut self,
        (label, first, second): (u32, LocalId, Option<LocalId>),
        source: Reg,
        body: ExprId,
    ) {
        let (counter, limit) = (self.b.temp(Class::I64), self.b.temp(Class::I64));
        self.native(Native::RangeStart, &[source], Some(counter));
        self.native(Native::RangeEnd, &[source], Some(limit));
        let start = self.b.temp(Class::I64);
        self.b.mov(Class::I64, start, counter);
        let position = second.map(|second| (second, start));
        self.count(label, (first, position), (counter, limit), false, body);
    }

    /// Walks by position; the length is looked at in each turn, so the walk ends where the list ends by then.
    pub(super) fn for_indexed(
        &mut self,
        (label, first, second): (u32, LocalId, Option<LocalId>),
        (source, ty): (Reg, Ty),
        body: ExprId,
        empty: Option<ExprId>,
    ) {
        let (at, len) = (self.b.temp(Class::I64), self.b.temp(Class::I64));
        let (top, next, test, end) = (
            self.b.label(),
            self.b.label(),
            self.b.label(),
            self.b.label(),
        );
        self.int_const(0, at);
        if let Some(empty) = empty {
            self.length(source, ty, len);
            emit!(self.b, JumpLtI64, at, len, top);
            self.effect(empty);
            self.jump(end);
        } else {
            self.jump(test);
        }
        self.b.bind(top);
        let mark = self.b.mark();
        self.turn(first, second, (source, ty), at);
        self.b.release(mark);
        self.in_loop(LoopFrame::without_value(label, end, next), body);
        self.b.bind(next);
        emit!(self.b, AddImmI64, at, at, 1);
        self.b.bind(test);
        self.length(source, ty, len);
        emit!(self.b, JumpLtI64, at, len, top);
        self.b.bind(end);
    }

    pub(super) fn length(&mut self, source: Reg, ty: Ty, dst: Reg) {
        match ty {
            Ty::List(_) => emit!(self.b, ListLen, dst, source),
            Ty::Text => emit!(self.b, TextLen, dst, source),
            Ty::Map(_) | Ty::Record(_) => self.native(Native::MapLen, &[source], Some(dst)),
            _ => self.native(Native::AnyLen, &[source], Some(dst)),
        }
    }

    /// Declares the loop variables of one turn.
    pub(super) fn turn(
        &mut self,
        first: LocalId,
        second: Option<LocalId>,
        (source, ty): (Reg, Ty),
        at: Reg,
    ) {
        match ty {
            Ty::List(list) => {
                let element = self.cx.types.lists[list.index()];
                let stored = self.stored(element);
                let direct = match self.place(first) {
                    Place::Register(reg) if self.local_ty(first) == stored => Some(reg),
                    Place::Register(_) | Place::Cell(..) | Place::Nowhere => None,
                };
                let value = self.dst(direct, self.class(stored));
                self.list_get(value, source, at, stored);
                if direct.is_none() {
                    self.declare_value(first, value, stored);
                }
                self.position_turn(second, at, Ty::Int);
            }
            Ty::Text => {
                let value = self.b.temp(Class::Ref);
                emit!(self.b, TextIndex, value, source, at);
                self.declare_value(first, value, Ty::Text);
                self.position_turn(second, at, Ty::Int);
            }
            Ty::Map(_) | Ty::Record(_) => {
                let value = self.b.temp(Class::Any);
                self.entry_turn((first, second), source, at, value);
            }
            _ => {
                // Decided at run time: maps give key and value, everything else element and position.
                let (value, is_map) = (self.b.temp(Class::Any), self.b.temp(Class::Bool));
                let (map, done) = (self.b.label(), self.b.label());
                let desc = self.cx.ann_desc(&TypeAnn::Map(
                    Box::new(TypeAnn::Any),
                    Box::new(TypeAnn::Any),
                ));
                let boxed = self.b.temp(Class::Any);
                emit!(self.b, IsTypeAny, is_map, source, desc);
                emit!(self.b, JumpIf, is_map, map);
                emit!(self.b, BoxInt, boxed, at);
                emit!(self.b, IndexGetAny, value, source, boxed);
                self.declare_value(first, value, Ty::Any);
                self.position_turn(second, boxed, Ty::Any);
                self.jump(done);
                self.b.bind(map);
                let entries = self.b.temp(Class::Ref);
                emit!(self.b, UnboxRef, entries, source, desc);
                self.entry_turn((first, second), entries, at, value);
                self.b.bind(done);
            }
        }
    }

    fn position_turn(&mut self, second: Option<LocalId>, at: Reg, ty: Ty) {
        if let Some(second) = second {
            self.declare_value(second, at, ty);
        }
    }

    /// Key and value of the entry of a map at a position.
    fn entry_turn(
        &mut self,
        (first, second): (LocalId, Option<LocalId>),
        map: Reg,
        at: Reg,
        value: Reg,
    ) {
        self.native(Native::MapKeyAt, &[map, at], Some(value));
        self.declare_value(first, value, Ty::Any);
        if let Some(second) = second {
            self.native(Native::MapValueAt, &[map, at], Some(value));
            self.declare_value(second, value, Ty::Any);
        }
    }

    pub(super) fn for_dynamic(
        &mut self,
        frame: (u32, LocalId, Option<LocalId>),
        (source, ty): (Reg, Ty),
        body: ExprId,
        empty: Option<ExprId>,
    ) {
        if ty == Ty::Never {
            return;
        }
        let source = self.convert(source, ty, Ty::Any, None);
        self.for_indexed(frame, (source, Ty::Any), body, empty);
    }
}
