//! `recv.name` and `recv.name(…)`: fields, keys, functions in records, and what is decided at run time. Must stay true:
//! what inference said a member means is done without looking; only `any` receivers are asked at run time.

use flin_bytecode::library::{LibBody, LibType};
use flin_bytecode::{Class, FieldNo, LibId, Reg, emit};

use super::calls::Arg;
use super::function::Lower;
use super::records::Source;
use crate::hir::{ExprId, ExprKind};
use crate::types::{Meaning, SystemField, Ty};

impl Lower<'_, '_> {
    /// `recv.name(args)`.
    pub(super) fn method(
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
                | Meaning::Inverse(_)
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
            Some(Meaning::Closure { params, result }) => {
                let member = match self.without_none(self.arg_ty(recv)) {
                    Ty::Record(_) => Meaning::RecordField,
                    _ => Meaning::MapKey,
                };
                let mark = self.b.mark();
                let from = self.arg_ty(recv);
                let reg = self.arg(recv, None);
                self.call_at(e);
                let callee = self.any_member((reg, from), name, &member);
                let raw = self.closure_in(e, callee, args, (&params, result));
                self.b.release(mark);
                self.finish_call(raw, result, self.ty(e), want)
            }
            Some(Meaning::Dynamic) => self.call_method_dynamic(e, &all, name, args, want),
            Some(meaning) => self.apply(e, &meaning, &all, want),
        }
    }

    /// A member as `any`, whatever it is.
    pub(super) fn any_member(
        &mut self,
        (reg, from): (Reg, Ty),
        name: &str,
        meaning: &Meaning,
    ) -> Reg {
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
    pub(super) fn call_method_dynamic(
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
                LibBody::Inline(inline) => return self.inline_as(e, inline, all, want),
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

    pub(super) fn name_of(&self, e: ExprId) -> String {
        match self.kind(e) {
            ExprKind::Method { name, .. }
            | ExprKind::Field { name, .. }
            | ExprKind::ImplicitField { name, .. } => name.clone(),
            ExprKind::CallLib(name, _) => name.clone(),
            _ => String::new(),
        }
    }

    /// `recv.name` on any: a key or field if the value has such, else the library function.
    pub(super) fn key_or(
        &mut self,
        e: ExprId,
        recv: Arg,
        inner: &Meaning,
        want: Option<Reg>,
    ) -> Reg {
        let ty = self.ty(e);
        let result = self.build(want, self.class(ty));
        let mark = self.b.mark();
        let from = self.arg_ty(recv);
        let reg = self.arg(recv, None);
        let any = self.convert(reg, from, Ty::Any, None);
        let (library, done) = (self.b.label(), self.b.label());
        let has = self.b.temp(Class::Bool);
        let name = self.name_of(e);
        let desc = self.cx.keyed_desc(&name);
        self.call_at(e);
        emit!(self.b, IsTypeAny, has, any, desc);
        emit!(self.b, JumpUnless, has, library);
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
    pub(super) fn optional(
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

    /// A field of the value in a register, by what the field turned out to mean; of the expression's type.
    pub(super) fn member(
        &mut self,
        e: ExprId,
        (reg, from): (Reg, Ty),
        name: &str,
        meaning: &Meaning,
        want: Option<Reg>,
    ) -> Reg {
        let ty = self.ty(e);
        match meaning {
            Meaning::RecordField => {
                let known = self.without_none(from);
                let object = self.convert(reg, from, known, None);
                match known {
                    Ty::Record(record) => self.record_field(object, record, name, ty, want),
                    _ => self.dynamic_field((reg, from), name, ty, want),
                }
            }
            Meaning::MapKey => {
                let known = self.without_none(from);
                if self.class(known) != Class::Ref {
                    return self.dynamic_field((reg, from), name, ty, want);
                }
                let object = self.convert(reg, from, known, None);
                self.map_key(object, name, ty, want)
            }
            Meaning::EntityField(field) => self.entity_field((reg, from), *field, ty, want),
            Meaning::SystemField(field) => {
                self.entity_read((reg, from), system_field(*field), ty, want)
            }
            Meaning::Inverse(number) => self.inverse_list((reg, from), *number, ty, want),
            Meaning::ErrorField | Meaning::Dynamic => {
                self.dynamic_field((reg, from), name, ty, want)
            }
            Meaning::ViaList(list, _, inner) => {
                let mark = self.b.mark();
                let items = self.b.temp(Class::Ref);
                self.call_instance(*list, &[Arg::Value(reg, from)], Some(items));
                let as_list = self.cx.result_type(*list);
                let inner = inner.clone();
                let result = self.member(e, (items, as_list), name, &inner, None);
                self.b.release(mark);
                self.settle_as(result, ty, want)
            }
            Meaning::ImplicitOwn(inner) => {
                let inner = inner.clone();
                self.member(e, (reg, from), name, &inner, want)
            }
            other => {
                let other = other.clone();
                self.apply(e, &other, &[Arg::Value(reg, from)], want)
            }
        }
    }

    pub(super) fn dynamic_field(
        &mut self,
        (reg, from): (Reg, Ty),
        name: &str,
        ty: Ty,
        want: Option<Reg>,
    ) -> Reg {
        let mark = self.b.mark();
        let object = self.convert(reg, from, Ty::Any, None);
        let value = self.b.temp(Class::Any);
        let key = self.cx.module.const_text(name);
        emit!(self.b, FieldGetAny, value, object, key);
        self.b.release(mark);
        self.trusted(value, Ty::Any, ty, want)
    }

    pub(super) fn set_field(&mut self, e: ExprId, recv: ExprId, name: &str, value: ExprId) {
        let meaning = self.meaning(e).cloned();
        let from = self.ty(recv);
        let object = self.operand(recv, &[value]);
        let known = self.without_none(from);
        match (meaning, known) {
            (Some(Meaning::RecordField), Ty::Record(record)) => {
                let object = self.convert(object, from, known, None);
                self.set_record_field(object, record, name, Source::Expr(value));
            }
            (Some(Meaning::RecordField | Meaning::MapKey), _)
                if self.class(known) == Class::Ref =>
            {
                let object = self.convert(object, from, known, None);
                let typed = self.source_for_map(known, Source::Expr(value));
                self.at_expr(e);
                self.set_key(object, name, typed);
            }
            (Some(Meaning::EntityField(field)), _) => {
                let known = if let Ty::Entity(_) = known {
                    known
                } else {
                    from
                };
                let object = self.convert(object, from, known, None);
                self.set_entity_field(object, known, field, value);
            }
            _ => {
                let object = self.convert(object, from, Ty::Any, None);
                let value = self.eval_as(value, Ty::Any, None);
                self.at_expr(e);
                let key = self.cx.module.const_text(name);
                emit!(self.b, FieldSetAny, value, object, key);
            }
        }
    }
}

fn system_field(field: SystemField) -> FieldNo {
    match field {
        SystemField::Id => FieldNo::ID,
        SystemField::Version => FieldNo::VERSION,
        SystemField::CreatedAt => FieldNo::CREATED_AT,
        SystemField::UpdatedAt => FieldNo::UPDATED_AT,
        SystemField::DeletedAt => FieldNo::DELETED_AT,
        SystemField::ValidFrom => FieldNo::VALID_FROM,
        SystemField::ValidTo => FieldNo::VALID_TO,
    }
}
