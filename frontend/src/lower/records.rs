//! Map literals: records of fixed shape and dictionaries. Must stay true: a record is read and written by slot where its
//! type is known, and every such access names its shape; times in them are boxed.

use std::collections::HashSet;

use flin_bytecode::{Class, Native, Reg, emit};

use super::function::Lower;
use crate::hir::{ExprId, RecordEntry, TypeAnn};
use crate::types::{RecordTy, Ty};

impl Lower<'_, '_> {
    /// A map literal: a record of fixed shape, or a dictionary.
    pub(super) fn record(&mut self, e: ExprId, entries: &[RecordEntry], want: Option<Reg>) -> Reg {
        let ty = self.ty(e);
        let record = self
            .members(ty)
            .into_iter()
            .find_map(|m| if let Ty::Record(r) = m { Some(r) } else { None })
            .filter(|record| self.cx.has_shape(*record));
        let result = self.build(
            if self.class(ty) == Class::Ref {
                want
            } else {
                None
            },
            Class::Ref,
        );
        match record {
            Some(record) => {
                let shape = self.cx.shape(record);
                emit!(self.b, RecordNew, result, shape);
            }
            None => emit!(
                self.b,
                MapNew,
                result,
                i32::try_from(entries.len()).unwrap_or(0)
            ),
        }
        let mut result = result;
        // Without a spread every name is set once.
        let spreads = entries.iter().any(|e| matches!(e, RecordEntry::Spread(_)));
        for (number, entry) in entries.iter().enumerate() {
            let rest: &[RecordEntry] = if spreads { &entries[number + 1..] } else { &[] };
            let mark = self.b.mark();
            match (entry, record) {
                (RecordEntry::Field(name, _, value), Some(record)) => {
                    if self.names_of(rest).contains(name) {
                        self.eval(*value, None);
                    } else {
                        self.set_record_field(result, record, name, Source::Expr(*value));
                    }
                }
                (RecordEntry::Field(name, _, value), None) => {
                    let source = self.source_for_map(self.map_type(ty), Source::Expr(*value));
                    self.set_key(result, name, source);
                }
                (RecordEntry::Spread(from), Some(record)) => {
                    let later = self.names_of(rest);
                    self.spread_record(result, record, *from, &later);
                }
                (RecordEntry::Spread(from), None) => {
                    result = self.spread_map(result, *from);
                }
            }
            self.b.release(mark);
        }
        self.placed(result, ty, want)
    }

    /// The map among the members of a type.
    fn map_type(&self, ty: Ty) -> Ty {
        let members = self.members(ty).into_iter();
        members
            .into_iter()
            .find(|member| matches!(member, Ty::Map(_)))
            .unwrap_or(ty)
    }

    /// The fields that these entries set in any case.
    fn names_of(&self, entries: &[RecordEntry]) -> HashSet<String> {
        let mut names = HashSet::new();
        for entry in entries {
            match entry {
                RecordEntry::Field(name, _, _) => {
                    names.insert(name.clone());
                }
                RecordEntry::Spread(from) => {
                    if let Ty::Record(record) = self.ty(*from) {
                        let fields = &self.cx.types.records[record.index()];
                        names.extend(fields.iter().map(|(name, _)| name.to_string()));
                    }
                }
            }
        }
        names
    }

    /// `...from` in a literal of known shape: the fields of `from` one by one, without those that are set `later` anyway:
    /// the type of such a field is that of the later value alone.
    pub(super) fn spread_record(
        &mut self,
        result: Reg,
        record: RecordTy,
        from: ExprId,
        later: &HashSet<String>,
    ) {
        let ty = self.without_none(self.ty(from));
        let source = self.eval_as(from, ty, None);
        let target = self.cx.types.records[record.index()].clone();
        if let Ty::Record(other) = ty {
            for (name, field) in self.cx.types.records[other.index()].clone() {
                let is_wanted = target.iter().any(|(known, _)| *known == name);
                if is_wanted && !later.contains(&*name) {
                    let mark = self.b.mark();
                    let value = self.record_field(source, other, &name, field, None);
                    self.set_record_field(result, record, &name, Source::Value(value, field));
                    self.b.release(mark);
                }
            }
            return;
        }
        for (name, _) in target
            .into_iter()
            .filter(|(name, _)| !later.contains(&**name))
        {
            let mark = self.b.mark();
            let value = self.b.temp(Class::Any);
            let key = self.cx.module.const_text(&name);
            let source = self.convert(source, ty, Ty::Any, None);
            emit!(self.b, FieldGetAny, value, source, key);
            self.set_record_field(result, record, &name, Source::Value(value, Ty::Any));
            self.b.release(mark);
        }
    }

    /// `...from` in a dictionary literal: a merged map takes the place of the one under construction.
    pub(super) fn spread_map(&mut self, result: Reg, from: ExprId) -> Reg {
        let mark = self.b.mark();
        let ty = self.ty(from);
        let source = self.eval(from, None);
        let source = self.as_ref(
            source,
            ty,
            &TypeAnn::Map(Box::new(TypeAnn::Text), Box::new(TypeAnn::Any)),
        );
        self.native(Native::MapMerge, &[result, source], Some(result));
        self.b.release(mark);
        result
    }

    pub(super) fn source_as(&mut self, source: Source, to: Ty) -> Reg {
        match source {
            Source::Expr(e) => self.eval_as(e, to, None),
            Source::Value(reg, from) => self.convert(reg, from, to, None),
        }
    }

    pub(super) fn source_type(&self, source: Source) -> Ty {
        match source {
            Source::Expr(e) => self.ty(e),
            Source::Value(_, ty) => ty,
        }
    }

    pub(super) fn slot_of(&self, record: RecordTy, name: &str) -> Option<(usize, Ty)> {
        if !self.cx.has_shape(record) {
            return None;
        }
        let fields = &self.cx.types.records[record.index()];
        let at = fields.iter().position(|(known, _)| known == name)?;
        Some((at, fields[at].1))
    }

    /// Sets a field of a record by slot, or by name where it has none.
    pub(super) fn set_record_field(
        &mut self,
        object: Reg,
        record: RecordTy,
        name: &str,
        source: Source,
    ) {
        let Some((slot, ty)) = self.slot_of(record, name) else {
            self.set_key(object, name, source);
            return;
        };
        let value = self.source_as(source, ty);
        let stored = self.stored(ty);
        let value = self.convert(value, ty, stored, None);
        let shape = self.cx.shape(record);
        let slot = slot as i32;
        match self.class(stored) {
            Class::I64 => emit!(self.b, RecordSetI64, value, object, slot, shape),
            Class::F64 => emit!(self.b, RecordSetF64, value, object, slot, shape),
            Class::Bool => emit!(self.b, RecordSetBool, value, object, slot, shape),
            Class::Ref => emit!(self.b, RecordSetRef, value, object, slot, shape),
            Class::Any => emit!(self.b, RecordSetAny, value, object, slot, shape),
        }
    }

    /// Reads a field of a record as type `ty`.
    pub(super) fn record_field(
        &mut self,
        object: Reg,
        record: RecordTy,
        name: &str,
        ty: Ty,
        want: Option<Reg>,
    ) -> Reg {
        let Some((slot, declared)) = self.slot_of(record, name) else {
            return self.map_key(object, name, ty, want);
        };
        let stored = self.stored(declared);
        let class = self.class(stored);
        let same = class == self.class(ty);
        let mark = self.b.mark();
        let dst = if same {
            self.dst(want, class)
        } else {
            self.b.temp(class)
        };
        let shape = self.cx.shape(record);
        let slot = slot as i32;
        match class {
            Class::I64 => emit!(self.b, RecordGetI64, dst, object, slot, shape),
            Class::F64 => emit!(self.b, RecordGetF64, dst, object, slot, shape),
            Class::Bool => emit!(self.b, RecordGetBool, dst, object, slot, shape),
            Class::Ref => emit!(self.b, RecordGetRef, dst, object, slot, shape),
            Class::Any => emit!(self.b, RecordGetAny, dst, object, slot, shape),
        }
        if same {
            return dst;
        }
        self.b.release(mark);
        self.trusted(dst, stored, ty, want)
    }

    pub(super) fn set_key(&mut self, object: Reg, name: &str, source: Source) {
        let value = self.source_word(source);
        let key = self.cx.module.const_text(name);
        emit!(self.b, MapSetName, value, object, key);
    }

    /// The value for an operation that reads `any`.
    pub(super) fn source_word(&mut self, source: Source) -> Reg {
        match source {
            Source::Expr(e) => self.word(e),
            Source::Value(reg, from) => self.word_of(reg, from),
        }
    }

    pub(super) fn map_key(&mut self, object: Reg, name: &str, ty: Ty, want: Option<Reg>) -> Reg {
        let mark = self.b.mark();
        let same = self.class(ty) == Class::Any;
        let dst = if same {
            self.dst(want, Class::Any)
        } else {
            self.b.temp(Class::Any)
        };
        let key = self.cx.module.const_text(name);
        emit!(self.b, MapGetName, dst, object, key);
        if same {
            return dst;
        }
        self.b.release(mark);
        self.trusted(dst, Ty::Any, ty, want)
    }

    /// A value on its way into a map, first made to fit the map's value type.
    pub(super) fn source_for_map(&mut self, map: Ty, source: Source) -> Source {
        if let Ty::Map(map) = map {
            let ty = self.cx.types.maps[map.index()];
            if ty != Ty::Any && ty != Ty::Never && self.source_type(source) != ty {
                let value = self.source_as(source, ty);
                return Source::Value(value, ty);
            }
        }
        source
    }
}

/// Where a value to be stored comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    Expr(ExprId),
    Value(Reg, Ty),
}
