//! Entities: literals, fields, saving, finding. Must stay true: a default is called where the literal leaves its field
//! out; `@check` functions run before the record reaches the store; a reference is followed when it is read.

use flin_bytecode::module::{Entity, EntityField, EnumDef, Inverse};
use flin_bytecode::verify::PARAMS_MAX;
use flin_bytecode::{Class, FieldNo, Reg, emit};

use super::Lowering;
use flin_syntax::{Code, Diagnostic};

use super::calls::Arg;
use super::function::Lower;
use crate::hir::{EntityIx, ExprId, ExprKind, TypeAnn};
use crate::types::Ty;

impl Lowering<'_> {
    /// Fills the entity and enum tables. Functions have their numbers already.
    pub(super) fn entities(&mut self) {
        let program = self.program;
        for def in &program.enums {
            let variants = def.variants.iter().map(|(name, types)| {
                (
                    name.clone(),
                    types.iter().map(|t| self.ann_desc(t)).collect(),
                )
            });
            let variants = variants.collect();
            self.module.module.enums.push(EnumDef {
                name: def.name.clone(),
                variants,
            });
        }
        for entity in &program.entities {
            if entity.fields.len() > PARAMS_MAX {
                let (name, found) = (&entity.name, entity.fields.len());
                let title = format!("{name} has {found} fields, at most {PARAMS_MAX} are allowed");
                self.errors
                    .push(Diagnostic::error(Code::TooBig, entity.span, title));
            }
            let fields = entity
                .fields
                .iter()
                .map(|field| EntityField {
                    name: field.name.clone(),
                    ty: self.ann_desc(&field.ty),
                    optional: field.optional,
                    rules: field.rules.clone(),
                    default: field.default.map(|f| self.entry(f)),
                    checks: field.checks.iter().map(|f| self.entry(*f)).collect(),
                    unique: field.unique,
                    index: field.index,
                    hidden: field.hidden,
                    on_delete: field.on_delete,
                    was: field.was.clone(),
                })
                .collect();
            let (line, _) = self.source.at(entity.span);
            let inverses = entity.inverses.iter().filter_map(|inverse| {
                let (of, field) = inverse.of?;
                Some(Inverse {
                    name: inverse.name.clone(),
                    entity: self.entity_id(of),
                    field,
                })
            });
            let inverses = inverses.collect();
            self.module.module.entities.push(Entity {
                name: entity.name.clone(),
                fields,
                inverses,
                was: entity.was.clone(),
                keep: entity.keep,
                line,
            });
        }
    }
}

impl Lower<'_, '_> {
    pub(super) fn entity_new(
        &mut self,
        entity: EntityIx,
        fields: &[(u32, ExprId)],
        want: Option<Reg>,
    ) -> Reg {
        let object = self.build(want, Class::Ref);
        emit!(self.b, EntityNew, object, self.cx.entity_id(entity));
        for (field, value) in fields {
            self.set_entity_field(object, Ty::Entity(entity), *field, *value);
        }
        let program = self.cx.program;
        for (at, field) in program.entities[entity.index()].fields.iter().enumerate() {
            let at = at as u32;
            let Some(default) = field
                .default
                .filter(|_| !fields.iter().any(|(given, _)| *given == at))
            else {
                continue;
            };
            let mark = self.b.mark();
            let inst = self.cx.entry_instance(default);
            let from = self.cx.result_type(inst);
            let value = self.call_instance(inst, &[], None);
            let form = self.field_form(Ty::Entity(entity), at, from);
            let value = self.convert(value, from, form, None);
            self.store_field(object, at, value, form);
            self.b.release(mark);
        }
        self.settle(object, Class::Ref, want)
    }

    /// Sets a declared field. The declared type is enforced when the record is saved; here only ints become floats.
    pub(super) fn set_entity_field(&mut self, object: Reg, of: Ty, field: u32, value: ExprId) {
        let mark = self.b.mark();
        let form = self.field_form(of, field, self.ty(value));
        let reg = self.eval_as(value, form, None);
        let object = self.entity_object(object, of);
        self.store_field(object, field, reg, form);
        self.b.release(mark);
    }

    /// The type as which a value goes into a field: its own where that is the declared one or an object, else `any`.
    fn field_form(&self, of: Ty, field: u32, from: Ty) -> Ty {
        let declared = self.declared(of, FieldNo(field as i32));
        match (declared, from) {
            (Some(TypeAnn::Float), Ty::Int | Ty::Float) => Ty::Float,
            (Some(TypeAnn::Int), Ty::Int)
            | (Some(TypeAnn::Bool), Ty::Bool)
            | (Some(TypeAnn::Time), Ty::Time)
            | (Some(TypeAnn::Duration), Ty::Duration) => from,
            _ if self.class(from) == Class::Ref => from,
            _ => Ty::Any,
        }
    }

    fn store_field(&mut self, object: Reg, field: u32, value: Reg, form: Ty) {
        let number = FieldNo(field as i32);
        match self.class(form) {
            Class::I64 => emit!(self.b, EntitySetI64, value, object, number),
            Class::F64 => emit!(self.b, EntitySetF64, value, object, number),
            Class::Bool => emit!(self.b, EntitySetBool, value, object, number),
            Class::Ref | Class::Any => emit!(self.b, EntitySet, value, object, number),
        }
    }

    /// The declared type of a field without its `?`, if the receiver's entity is known.
    fn declared(&self, of: Ty, field: FieldNo) -> Option<&TypeAnn> {
        let entity = self.entity_of(of)?;
        let fields = &self.cx.program.entities[entity.index()].fields;
        match &fields.get(field.declared()?)?.ty {
            TypeAnn::Optional(inner) => Some(inner),
            other => Some(other),
        }
    }

    /// Whether a field is read as this type by an operation of its class: where the type is the declared one.
    fn reads_typed(&self, of: Ty, field: FieldNo, ty: Ty) -> bool {
        match (self.declared(of, field), self.class(ty)) {
            (_, Class::Any) => false,
            (None, class) => field.declared().is_none() && class != Class::Ref,
            (Some(TypeAnn::Any | TypeAnn::Var(_) | TypeAnn::Union(_) | TypeAnn::None), _) => false,
            (Some(TypeAnn::Int), Class::I64) => ty == Ty::Int,
            (Some(TypeAnn::Time), Class::I64) => ty == Ty::Time,
            (Some(TypeAnn::Duration), Class::I64) => ty == Ty::Duration,
            (Some(TypeAnn::Float), class) => class == Class::F64,
            (Some(TypeAnn::Bool), class) => class == Class::Bool,
            (Some(_), class) => class == Class::Ref,
        }
    }

    /// The entity object of a value that must be one.
    fn entity_object(&mut self, reg: Reg, from: Ty) -> Reg {
        if self.class(from) == Class::Ref {
            return reg;
        }
        let boxed = self.convert(reg, from, Ty::Any, None);
        let desc = self.cx.any_entity_desc();
        let dst = self.b.temp(Class::Ref);
        emit!(self.b, UnboxRef, dst, boxed, desc);
        dst
    }

    /// The entity a type speaks of, if it is one.
    fn entity_of(&self, ty: Ty) -> Option<EntityIx> {
        match self.without_none(ty) {
            Ty::Entity(entity) => Some(entity),
            _ => None,
        }
    }

    pub(super) fn entity_field(
        &mut self,
        (reg, from): (Reg, Ty),
        field: u32,
        ty: Ty,
        want: Option<Reg>,
    ) -> Reg {
        let is_link = self.entity_of(from).is_some_and(|e| {
            matches!(
                self.cx.program.entities[e.index()].fields[field as usize].ty,
                TypeAnn::Entity(_)
            )
        });
        if !is_link {
            return self.entity_read((reg, from), FieldNo(field as i32), ty, want);
        }
        let mark = self.b.mark();
        let object = self.entity_object(reg, from);
        let target = self.b.temp(Class::Ref);
        let number = FieldNo(field as i32);
        emit!(self.b, EntityFollow, target, object, number);
        self.b.release(mark);
        if self.class(ty) != Class::Ref {
            let dst = self.dst(want, Class::Any);
            emit!(self.b, BoxRef, dst, target);
            return self.convert(dst, Ty::Any, ty, want);
        }
        if let Ty::Entity(_) = ty {
            let desc = self.cx.desc(ty);
            emit!(self.b, CheckRef, target, desc);
        }
        self.settle_as(target, ty, want)
    }

    /// An inverse list: a query.
    pub(super) fn inverse_list(
        &mut self,
        (reg, from): (Reg, Ty),
        number: u32,
        ty: Ty,
        want: Option<Reg>,
    ) -> Reg {
        let mark = self.b.mark();
        let object = self.entity_object(reg, from);
        let query = self.b.temp(Class::Ref);
        emit!(self.b, EntityInverse, query, object, number as i32);
        self.b.release(mark);
        self.settle_as(query, ty, want)
    }

    pub(super) fn entity_read(
        &mut self,
        (reg, from): (Reg, Ty),
        field: FieldNo,
        ty: Ty,
        want: Option<Reg>,
    ) -> Reg {
        let mark = self.b.mark();
        let object = self.entity_object(reg, from);
        if self.reads_typed(from, field, ty) {
            self.b.release(mark);
            let dst = self.dst(want, self.class(ty));
            match self.class(ty) {
                Class::I64 => emit!(self.b, EntityGetI64, dst, object, field),
                Class::F64 => emit!(self.b, EntityGetF64, dst, object, field),
                Class::Bool => emit!(self.b, EntityGetBool, dst, object, field),
                Class::Ref | Class::Any if self.fits(Ty::None, ty) => {
                    emit!(self.b, EntityGetOptional, dst, object, field);
                }
                Class::Ref | Class::Any => emit!(self.b, EntityGetRef, dst, object, field),
            }
            return dst;
        }
        let same = self.class(ty) == Class::Any;
        let value = if same {
            self.dst(want, Class::Any)
        } else {
            self.b.temp(Class::Any)
        };
        emit!(self.b, EntityGet, value, object, field);
        if same {
            return value;
        }
        self.b.release(mark);
        self.trusted(value, Ty::Any, ty, want)
    }

    /// The object that `save`, `delete` … act on. None gets through: what acts on it says that there is no record.
    fn acted_on(&mut self, entity: ExprId) -> (Reg, Ty) {
        let ty = self.ty(entity);
        let known = self.without_none(ty);
        if self.class(ty) == Class::Ref {
            return (self.eval(entity, None), known);
        }
        let boxed = self.eval_as(entity, Ty::Any, None);
        let desc = self.cx.entity_or_none_desc(self.entity_of(known));
        let object = self.b.temp(Class::Ref);
        emit!(self.b, UnboxRef, object, boxed, desc);
        (object, known)
    }

    pub(super) fn save(&mut self, e: ExprId, entity: ExprId, want: Option<Reg>) -> Reg {
        let mark = self.b.mark();
        let (object, known) = self.acted_on(entity);
        match self.entity_of(known) {
            Some(entity) => self.checks(object, entity),
            None => self.checks_by_type(object),
        }
        self.at_expr(e);
        emit!(self.b, EntitySave, object);
        self.b.release(mark);
        self.acted(e, object, want)
    }

    /// The entity as the value of the expression.
    fn acted(&mut self, e: ExprId, object: Reg, want: Option<Reg>) -> Reg {
        let ty = self.ty(e);
        if self.class(ty) == Class::Ref {
            return self.settle_as(object, ty, want);
        }
        let dst = self.dst(want, Class::Any);
        emit!(self.b, BoxRef, dst, object);
        dst
    }

    fn has_checks(&self, entity: EntityIx) -> bool {
        self.cx.program.entities[entity.index()]
            .fields
            .iter()
            .any(|field| !field.checks.is_empty())
    }

    /// `@check` of an object whose entity is known only at run time.
    fn checks_by_type(&mut self, object: Reg) {
        for at in 0..self.cx.program.entities.len() {
            let entity = EntityIx(at as u32);
            if !self.has_checks(entity) {
                continue;
            }
            let mark = self.b.mark();
            let (is, next) = (self.b.temp(Class::Bool), self.b.label());
            let desc = self.cx.desc(Ty::Entity(entity));
            emit!(self.b, IsTypeRef, is, object, desc);
            emit!(self.b, JumpUnless, is, next);
            self.checks(object, entity);
            self.b.bind(next);
            self.b.release(mark);
        }
    }

    /// Calls the `@check` functions of an entity; the first that gives something falsy raises a ValidationError.
    fn checks(&mut self, object: Reg, entity: EntityIx) {
        let program = self.cx.program;
        let def = &program.entities[entity.index()];
        if self.has_checks(entity) {
            emit!(self.b, EntityValidate, object);
        }
        for (at, field) in def.fields.iter().enumerate() {
            if field.checks.is_empty() {
                continue;
            }
            let mark = self.b.mark();
            let (value, is_none, done) = (
                self.b.temp(Class::Any),
                self.b.temp(Class::Bool),
                self.b.label(),
            );
            let number = FieldNo(at as i32);
            emit!(self.b, EntityGet, value, object, number);
            emit!(self.b, IsNoneAny, is_none, value);
            emit!(self.b, JumpIf, is_none, done);
            for check in &field.checks {
                let inst = self.cx.entry_instance(*check);
                let passed =
                    self.call_instance(inst, &[Arg::Value(object, Ty::Entity(entity))], None);
                let fine = self.b.label();
                emit!(self.b, JumpIf, passed, fine);
                self.check_failed(&def.name, &field.name);
                self.b.bind(fine);
            }
            self.b.bind(done);
            self.b.release(mark);
        }
    }

    fn check_failed(&mut self, entity: &str, field: &str) {
        let mark = self.b.mark();
        let texts = [entity, field, "check", &format!("{field} is not valid")];
        let regs: Vec<Reg> = texts
            .iter()
            .map(|text| {
                let reg = self.b.temp(Class::Ref);
                self.text_const(text, reg);
                reg
            })
            .collect();
        self.native(flin_bytecode::Native::ValidationError, &regs, None);
        self.b.release(mark);
    }

    pub(super) fn delete_or_restore(
        &mut self,
        e: ExprId,
        entity: ExprId,
        want: Option<Reg>,
    ) -> Reg {
        let mark = self.b.mark();
        let (object, _) = self.acted_on(entity);
        self.at_expr(e);
        if matches!(self.kind(e), ExprKind::Delete(_)) {
            emit!(self.b, EntityDelete, object);
        } else {
            emit!(self.b, EntityRestore, object);
        }
        self.b.release(mark);
        self.acted(e, object, want)
    }

    pub(super) fn destroy(&mut self, entity: ExprId) {
        let (object, _) = self.acted_on(entity);
        emit!(self.b, EntityDestroy, object);
    }

    pub(super) fn entity_find(
        &mut self,
        entity: EntityIx,
        args: &[Arg],
        ty: Ty,
        want: Option<Reg>,
    ) -> Reg {
        let mark = self.b.mark();
        // The receiver is the entity's name when the id comes second.
        let id = args.last().copied().unwrap_or(Arg::Nothing);
        let from = self.arg_ty(id);
        let found = if from == Ty::Int {
            let key = self.arg(id, None);
            let found = self.b.temp(Class::Ref);
            emit!(self.b, EntityFindI64, found, key, self.cx.entity_id(entity));
            found
        } else {
            let key = self.arg(id, None);
            let key = self.word_of(key, from);
            let found = self.b.temp(Class::Ref);
            emit!(self.b, EntityFind, found, key, self.cx.entity_id(entity));
            found
        };
        self.b.release(mark);
        if self.class(ty) == Class::Ref {
            return self.settle_as(found, ty, want);
        }
        let dst = self.dst(want, Class::Any);
        emit!(self.b, BoxRef, dst, found);
        dst
    }

    pub(super) fn entity_count(&mut self, entity: EntityIx, ty: Ty, want: Option<Reg>) -> Reg {
        if self.class(ty) != Class::I64 {
            let mark = self.b.mark();
            let count = self.b.temp(Class::I64);
            emit!(self.b, EntityCount, count, self.cx.entity_id(entity));
            self.b.release(mark);
            return self.convert(count, Ty::Int, ty, want);
        }
        let dst = self.dst(want, Class::I64);
        emit!(self.b, EntityCount, dst, self.cx.entity_id(entity));
        dst
    }

    /// `response { … }`.
    pub(super) fn response(&mut self, value: ExprId, want: Option<Reg>) -> Reg {
        let mark = self.b.mark();
        let result = self.b.temp(Class::Ref);
        let ty = self.ty(value);
        let record = self.eval(value, None);
        let content = self.answer(record, ty);
        let content = Arg::Value(content, Ty::Any);
        self.call_lib(
            flin_bytecode::Native::ResponseNew.lib_id(),
            &[content],
            Some(result),
        );
        self.b.release(mark);
        self.settle_as(result, Ty::Response, want)
    }

    /// A value that leaves the program, as `any`: where a query may be in it, it is walked through first.
    pub(super) fn answer(&mut self, value: Reg, ty: Ty) -> Reg {
        let boxed = self.convert(value, ty, Ty::Any, None);
        let walker = self
            .cx
            .program
            .prelude
            .get("__answer")
            .and_then(|f| self.cx.types.entry.get(f));
        match walker {
            Some(walker) if self.cx.may_hold_query(ty, &mut Vec::new()) => {
                let walker = *walker;
                self.call_instance(walker, &[Arg::Value(boxed, Ty::Any)], None)
            }
            Some(_) | None => boxed,
        }
    }
}

impl Lowering<'_> {
    /// Whether a value of this type can be a query or hold one.
    fn may_hold_query(&self, ty: Ty, seen: &mut Vec<Ty>) -> bool {
        if seen.contains(&ty) {
            return false;
        }
        seen.push(ty);
        let types = self.types;
        match ty {
            Ty::Any | Ty::Query(_) => true,
            Ty::List(list) => self.may_hold_query(types.lists[list.index()], seen),
            Ty::Map(map) => self.may_hold_query(types.maps[map.index()], seen),
            Ty::Record(record) => types.records[record.index()]
                .iter()
                .any(|(_, ty)| self.may_hold_query(*ty, seen)),
            Ty::Union(union) => types.unions[union.index()]
                .iter()
                .any(|ty| self.may_hold_query(*ty, seen)),
            Ty::Never
            | Ty::None
            | Ty::Bool
            | Ty::Int
            | Ty::Float
            | Ty::Text
            | Ty::Time
            | Ty::Duration
            | Ty::Range
            | Ty::Error
            | Ty::Response
            | Ty::Tuple(_)
            | Ty::Entity(_)
            | Ty::Enum(_)
            | Ty::Func(_) => false,
        }
    }
}
