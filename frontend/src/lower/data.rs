//! Lists, tuples, enum values, positions, `is` and `in`. Must stay true: times in containers are boxed; a container is
//! built in a register of its own before it gets its place.

use flin_bytecode::{Class, Native, Reg, emit};

use super::calls::Arg;
use super::function::Lower;
use super::records::Source;
use crate::hir::{EnumIx, ExprId, TypeAnn};
use crate::types::{InstId, Meaning, Ty};

impl Lower<'_, '_> {
    pub(super) fn list(&mut self, e: ExprId, items: &[ExprId], want: Option<Reg>) -> Reg {
        let ty = self.ty(e);
        let element = self.element_type(ty);
        let result = self.build(
            if self.class(ty) == Class::Ref {
                want
            } else {
                None
            },
            Class::Ref,
        );
        self.list_new(result, element, items.len());
        for item in items {
            let mark = self.b.mark();
            let value = self.eval_as(*item, element, None);
            self.list_push(result, value, element);
            self.b.release(mark);
        }
        self.placed(result, ty, want)
    }

    /// How elements of a list type are stored.
    pub(super) fn element_type(&self, ty: Ty) -> Ty {
        for member in self.members(ty) {
            if let Ty::List(list) = member {
                return self.stored(self.cx.types.lists[list.index()]);
            }
        }
        Ty::Any
    }

    /// A new object of a known kind, as the type the expression has (a union may be of class any).
    pub(super) fn placed(&mut self, reg: Reg, ty: Ty, want: Option<Reg>) -> Reg {
        if self.class(ty) == Class::Any {
            let dst = self.dst(want, Class::Any);
            emit!(self.b, BoxRef, dst, reg);
            return dst;
        }
        self.settle(reg, Class::Ref, want)
    }

    pub(super) fn list_new(&mut self, dst: Reg, element: Ty, room: usize) {
        let room = i32::try_from(room.min(1 << 20)).unwrap_or(0);
        emit!(self.b, ListNew, dst, self.class(element), room);
    }

    pub(super) fn list_push(&mut self, list: Reg, value: Reg, element: Ty) {
        match self.class(element) {
            Class::I64 => emit!(self.b, ListPushI64, list, value),
            Class::F64 => emit!(self.b, ListPushF64, list, value),
            Class::Bool => emit!(self.b, ListPushBool, list, value),
            Class::Ref => emit!(self.b, ListPushRef, list, value),
            Class::Any => emit!(self.b, ListPushAny, list, value),
        }
    }

    pub(super) fn list_get(&mut self, dst: Reg, list: Reg, at: Reg, element: Ty) {
        match self.class(element) {
            Class::I64 => emit!(self.b, ListGetI64, dst, list, at),
            Class::F64 => emit!(self.b, ListGetF64, dst, list, at),
            Class::Bool => emit!(self.b, ListGetBool, dst, list, at),
            Class::Ref => emit!(self.b, ListGetRef, dst, list, at),
            Class::Any => emit!(self.b, ListGetAny, dst, list, at),
        }
    }

    fn list_set(&mut self, value: Reg, list: Reg, at: Reg, element: Ty) {
        match self.class(element) {
            Class::I64 => emit!(self.b, ListSetI64, value, list, at),
            Class::F64 => emit!(self.b, ListSetF64, value, list, at),
            Class::Bool => emit!(self.b, ListSetBool, value, list, at),
            Class::Ref => emit!(self.b, ListSetRef, value, list, at),
            Class::Any => emit!(self.b, ListSetAny, value, list, at),
        }
    }

    /// A value that must be an object, in a register of class ref.
    pub(super) fn as_ref(&mut self, reg: Reg, from: Ty, expected: &TypeAnn) -> Reg {
        if self.class(from) == Class::Ref {
            return reg;
        }
        let boxed = self.convert(reg, from, Ty::Any, None);
        let desc = self.cx.ann_desc(expected);
        let dst = self.b.temp(Class::Ref);
        emit!(self.b, UnboxRef, dst, boxed, desc);
        dst
    }

    /// Converts what came out of a container, from a register that was given back. What inference says of it needs no
    /// check as long as its class stays the same.
    pub(super) fn trusted(&mut self, reg: Reg, from: Ty, to: Ty, want: Option<Reg>) -> Reg {
        if self.class(from) == self.class(to) {
            return self.settle_as(reg, to, want);
        }
        self.convert(reg, from, to, want)
    }

    /// Moves a value out of a register that was given back, into the wanted or a new one.
    pub(super) fn settle_as(&mut self, reg: Reg, ty: Ty, want: Option<Reg>) -> Reg {
        let class = self.class(ty);
        let dst = self.dst(want, class);
        self.b.mov(class, dst, reg);
        dst
    }

    pub(super) fn at_expr(&mut self, e: ExprId) {
        let span = self.span(e);
        self.at(span);
    }

    pub(super) fn index(&mut self, e: ExprId, recv: ExprId, at: ExprId, want: Option<Reg>) -> Reg {
        let ty = self.ty(e);
        let walked = self.records(e);
        let known = match walked {
            Some(list) => self.cx.result_type(list),
            None => self.without_none(self.ty(recv)),
        };
        let mark = self.b.mark();
        match known {
            Ty::List(list) => {
                let stored = self.stored(self.cx.types.lists[list.index()]);
                let object = match walked {
                    Some(walker) => self.records_of(walker, recv),
                    None => self.operand_as(recv, known, &[at]),
                };
                let position = self.eval_as(at, Ty::Int, None);
                self.b.release(mark);
                self.at_expr(e);
                let same = self.class(stored) == self.class(ty);
                let dst = if same {
                    self.dst(want, self.class(ty))
                } else {
                    self.b.temp(self.class(stored))
                };
                self.list_get(dst, object, position, stored);
                if same {
                    return dst;
                }
                self.b.release(mark);
                self.trusted(dst, stored, ty, want)
            }
            Ty::Text => {
                let object = self.operand_as(recv, known, &[at]);
                let position = self.eval_as(at, Ty::Int, None);
                self.b.release(mark);
                self.at_expr(e);
                let dst = self.dst(want, Class::Ref);
                emit!(self.b, TextIndex, dst, object, position);
                dst
            }
            _ => {
                let map = matches!(known, Ty::Map(_) | Ty::Record(_));
                let work = if map { known } else { Ty::Any };
                let object = self.operand_as(recv, work, &[at]);
                let key = self.word(at);
                let value = self.b.temp(Class::Any);
                self.at_expr(e);
                if map {
                    emit!(self.b, MapGet, value, object, key);
                } else {
                    emit!(self.b, IndexGetAny, value, object, key);
                }
                self.b.release(mark);
                self.trusted(value, Ty::Any, ty, want)
            }
        }
    }

    pub(super) fn set_index(&mut self, e: ExprId, recv: ExprId, at: ExprId, value: ExprId) {
        let from = self.ty(recv);
        let known = self.without_none(from);
        match known {
            Ty::List(list) => {
                let element = self.cx.types.lists[list.index()];
                let stored = self.stored(element);
                let object = self.operand_as(recv, known, &[at, value]);
                let position = self.operand_as(at, Ty::Int, &[value]);
                let reg = self.eval_as(value, element, None);
                let reg = self.convert(reg, element, stored, None);
                self.at_expr(e);
                self.list_set(reg, object, position, stored);
            }
            Ty::Map(_) | Ty::Record(_) => {
                let object = self.operand_as(recv, known, &[at, value]);
                let key = self.operand_word(at, &[value]);
                let source = self.source_for_map(known, Source::Expr(value));
                let reg = self.source_word(source);
                self.at_expr(e);
                emit!(self.b, MapSet, reg, object, key);
            }
            _ => {
                let object = self.operand_as(recv, Ty::Any, &[at, value]);
                let key = self.operand_word(at, &[value]);
                let reg = self.word(value);
                self.at_expr(e);
                emit!(self.b, IndexSetAny, reg, object, key);
            }
        }
    }

    pub(super) fn slice(
        &mut self,
        e: ExprId,
        recv: ExprId,
        parts: [Option<ExprId>; 3],
        want: Option<Reg>,
    ) -> Reg {
        let mark = self.b.mark();
        let (first, from) = match self.records(e) {
            Some(walker) => {
                let ty = self.cx.result_type(walker);
                (Arg::Value(self.records_of(walker, recv), ty), ty)
            }
            None => (Arg::Expr(recv), self.ty(recv)),
        };
        let native = match self.without_none(from) {
            Ty::List(_) => Native::SliceList,
            Ty::Text => Native::SliceText,
            _ => Native::SliceAny,
        };
        let mut args = vec![first];
        args.extend(
            parts
                .into_iter()
                .map(|part| part.map_or(Arg::Nothing, Arg::Expr)),
        );
        let result = self.call_row(e, native.lib_id(), &args, None);
        self.b.release(mark);
        self.settle_as(result, self.ty(e), want)
    }

    /// What makes a list of the query that `e` takes elements of.
    fn records(&self, e: ExprId) -> Option<InstId> {
        match self.meaning(e) {
            Some(Meaning::Direct(walker)) => Some(*walker),
            Some(_) | None => None,
        }
    }

    /// The records of a query as a list, in a register of its own.
    pub(super) fn records_of(&mut self, walker: InstId, query: ExprId) -> Reg {
        let items = self.b.temp(Class::Ref);
        self.call_instance(walker, &[Arg::Expr(query)], Some(items));
        items
    }

    pub(super) fn range(
        &mut self,
        from: ExprId,
        to: ExprId,
        inclusive: bool,
        want: Option<Reg>,
    ) -> Reg {
        let mark = self.b.mark();
        let start = self.operand_as(from, Ty::Int, &[to]);
        let end = self.eval_as(to, Ty::Int, None);
        let native = if inclusive {
            Native::RangeNewInclusive
        } else {
            Native::RangeNew
        };
        let result = self.b.temp(Class::Ref);
        self.native(native, &[start, end], Some(result));
        self.b.release(mark);
        self.settle_as(result, Ty::Range, want)
    }

    pub(super) fn tuple(&mut self, e: ExprId, items: &[ExprId], want: Option<Reg>) -> Reg {
        let mark = self.b.mark();
        let held = match self.ty(e) {
            Ty::Tuple(tuple) => self.cx.types.tuples[tuple.index()].clone(),
            _ => Vec::new(),
        };
        let list = self.b.temp(Class::Ref);
        self.list_new(list, Ty::Any, items.len());
        for (n, item) in items.iter().enumerate() {
            let inner = self.b.mark();
            let floats = held.get(n).is_some_and(|held| self.takes_floats(*held));
            let value = self.boxed_item(*item, floats);
            self.list_push(list, value, Ty::Any);
            self.b.release(inner);
        }
        self.native(Native::TupleNew, &[list], Some(list));
        self.b.release(mark);
        let dst = self.dst(want, Class::Ref);
        self.b.mov(Class::Ref, dst, list);
        dst
    }

    pub(super) fn variant(
        &mut self,
        e: ExprId,
        of: EnumIx,
        variant: u32,
        items: &[ExprId],
        want: Option<Reg>,
    ) -> Reg {
        let mark = self.b.mark();
        let list = self.variant_items(e, of, variant, items);
        let (enum_no, variant_no) = (self.b.temp(Class::I64), self.b.temp(Class::I64));
        self.int_const(i64::from(of.0), enum_no);
        self.int_const(i64::from(variant), variant_no);
        self.native(Native::EnumNew, &[enum_no, variant_no, list], Some(list));
        self.b.release(mark);
        let dst = self.dst(want, Class::Ref);
        self.b.mov(Class::Ref, dst, list);
        dst
    }

    /// Whether a value is a variant of an enum.
    pub(super) fn is_variant(
        &mut self,
        value: ExprId,
        of: EnumIx,
        variant: u32,
        want: Option<Reg>,
    ) -> Reg {
        let mark = self.b.mark();
        let boxed = self.eval_as(value, Ty::Any, None);
        let (enum_no, found) = (self.b.temp(Class::I64), self.b.temp(Class::I64));
        self.int_const(i64::from(of.0), enum_no);
        self.native(Native::EnumVariant, &[boxed, enum_no], Some(found));
        self.int_const(i64::from(variant), enum_no);
        self.b.release(mark);
        let dst = self.dst(want, Class::Bool);
        emit!(self.b, EqI64, dst, found, enum_no);
        dst
    }

    /// Data number `n` of an enum value.
    pub(super) fn variant_data(
        &mut self,
        e: ExprId,
        value: ExprId,
        n: u32,
        want: Option<Reg>,
    ) -> Reg {
        let ty = self.ty(e);
        let mark = self.b.mark();
        let boxed = self.eval_as(value, Ty::Any, None);
        let (number, data) = (self.b.temp(Class::I64), self.b.temp(Class::Any));
        self.int_const(i64::from(n), number);
        self.native(Native::EnumData, &[boxed, number], Some(data));
        self.b.release(mark);
        self.trusted(data, Ty::Any, ty, want)
    }

    /// The data of a variant: boxed, after ints have become floats where the enum says so.
    fn variant_items(&mut self, e: ExprId, of: EnumIx, variant: u32, items: &[ExprId]) -> Reg {
        let f = self.cx.program;
        let declared = &f.enums[of.index()].variants[variant as usize].1;
        let held = match self.meaning(e) {
            Some(Meaning::VariantData(held)) => held.clone(),
            _ => Vec::new(),
        };
        let list = self.b.temp(Class::Ref);
        self.list_new(list, Ty::Any, items.len());
        for (n, item) in items.iter().enumerate() {
            let mark = self.b.mark();
            let float = match held.get(n) {
                Some(held) => self.takes_floats(*held),
                None => declared.get(n).is_some_and(takes_float),
            };
            let value = self.boxed_item(*item, float);
            self.list_push(list, value, Ty::Any);
            self.b.release(mark);
        }
        list
    }

    /// A value as `any`; an int becomes a float first if the place holds floats.
    fn boxed_item(&mut self, item: ExprId, floats: bool) -> Reg {
        if floats && self.ty(item) == Ty::Int {
            let float = self.eval_as(item, Ty::Float, None);
            return self.convert(float, Ty::Float, Ty::Any, None);
        }
        self.eval_as(item, Ty::Any, None)
    }

    /// Whether a place holds floats and no ints.
    fn takes_floats(&self, held: Ty) -> bool {
        let members = self.members(held);
        members.contains(&Ty::Float) && !members.contains(&Ty::Int)
    }

    /// `e is T`.
    pub(super) fn is_type(&mut self, value: ExprId, ann: &TypeAnn, want: Option<Reg>) -> Reg {
        let mark = self.b.mark();
        let from = self.ty(value);
        let reg = self.eval(value, None);
        self.b.release(mark);
        let dst = self.dst(want, Class::Bool);
        match (self.class(from), ann) {
            (Class::Ref, TypeAnn::None) => emit!(self.b, IsNoneRef, dst, reg),
            (Class::Any, TypeAnn::None) => emit!(self.b, IsNoneAny, dst, reg),
            (Class::Ref, _) => {
                let desc = self.cx.ann_desc(ann);
                emit!(self.b, IsTypeRef, dst, reg, desc);
            }
            (Class::I64 | Class::F64 | Class::Bool, _) => {
                let yes = scalar_is(from, ann);
                emit!(self.b, ConstBool, dst, yes);
            }
            (Class::Any, _) => {
                let desc = self.cx.ann_desc(ann);
                emit!(self.b, IsTypeAny, dst, reg, desc);
            }
        }
        dst
    }

    /// `a in b`.
    pub(super) fn contains(
        &mut self,
        e: ExprId,
        item: ExprId,
        container: ExprId,
        want: Option<Reg>,
    ) -> Reg {
        let mark = self.b.mark();
        let found = self.contains_sides(e, item, container).0;
        self.b.release(mark);
        let dst = self.dst(want, Class::Bool);
        self.b.mov(Class::Bool, dst, found);
        dst
    }

    /// Whether the item is in the container, and the registers of both.
    pub(super) fn contains_sides(
        &mut self,
        e: ExprId,
        item: ExprId,
        container: ExprId,
    ) -> (Reg, [(Reg, Ty); 2]) {
        // The item is written first and evaluated first; the row takes the container first.
        let ty = self.ty(item);
        let left = self.operand(item, &[container]);
        let (native, (whole, of)) = match self.records(e) {
            Some(walker) => {
                let records = self.records_of(walker, container);
                let of = self.cx.result_type(walker);
                (Native::ListContains, (records, of))
            }
            None => {
                let of = self.ty(container);
                let native = match self.without_none(of) {
                    Ty::List(_) => Native::ListContains,
                    Ty::Text => Native::TextContains,
                    Ty::Map(_) | Ty::Record(_) => Native::MapContains,
                    Ty::Range => Native::RangeContains,
                    _ => Native::AnyContains,
                };
                (native, (self.eval(container, None), of))
            }
        };
        let args = [Arg::Value(whole, of), Arg::Value(left, ty)];
        let result = self.b.temp(Class::Bool);
        self.at_expr(e);
        self.call_lib(native.lib_id(), &args, Some(result));
        (result, [(left, ty), (whole, of)])
    }
}

/// Whether a value of a scalar type is of an annotated type.
fn scalar_is(ty: Ty, ann: &TypeAnn) -> bool {
    match ann {
        TypeAnn::Any => true,
        TypeAnn::Int => ty == Ty::Int,
        TypeAnn::Float => ty == Ty::Float,
        TypeAnn::Bool => ty == Ty::Bool,
        TypeAnn::Time => ty == Ty::Time,
        TypeAnn::Duration => ty == Ty::Duration,
        TypeAnn::Optional(inner) => scalar_is(ty, inner),
        TypeAnn::Union(members) => members.iter().any(|member| scalar_is(ty, member)),
        TypeAnn::None
        | TypeAnn::Text
        | TypeAnn::Range
        | TypeAnn::Error
        | TypeAnn::Response
        | TypeAnn::List(_)
        | TypeAnn::Map(..)
        | TypeAnn::Tuple(_)
        | TypeAnn::Func(..)
        | TypeAnn::Entity(_)
        | TypeAnn::Enum(..)
        | TypeAnn::Var(_) => false,
    }
}

/// Whether an int that goes to a place of this type becomes a float there.
fn takes_float(ann: &TypeAnn) -> bool {
    match ann {
        TypeAnn::Float => true,
        TypeAnn::Optional(inner) => takes_float(inner),
        TypeAnn::Union(members) => {
            members.iter().any(takes_float) && !members.contains(&TypeAnn::Int)
        }
        TypeAnn::Any
        | TypeAnn::Int
        | TypeAnn::Bool
        | TypeAnn::Time
        | TypeAnn::Duration
        | TypeAnn::None
        | TypeAnn::Text
        | TypeAnn::Range
        | TypeAnn::Error
        | TypeAnn::Response
        | TypeAnn::List(_)
        | TypeAnn::Map(..)
        | TypeAnn::Tuple(_)
        | TypeAnn::Func(..)
        | TypeAnn::Entity(_)
        | TypeAnn::Enum(..)
        | TypeAnn::Var(_) => false,
    }
}
