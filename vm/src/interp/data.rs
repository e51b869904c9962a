//! Bodies of the data family: moves, constants, boxing, text, lists, records, maps, cells, globals.
//! Must stay true: an operation compares kind, class or shape before it touches an object; what does not fit goes to a
//! cold function that does it by name and by value, or raises.
#![allow(unsafe_code)]

use flin_bytecode::{Bank, Class, Const, ConstId, GlobalId, ShapeId, TypeId, encode};

use super::Insn;
use crate::fault::{Fault, Res};
use crate::frame::Regs;
use crate::heap::{Kind, Obj, fast};
use crate::host::Host;
use crate::machine::Machine;
use crate::semantics::{access, compare, fields, print, types};
use crate::value::{View, Word};

/// Bits of a register of this class.
#[inline(always)]
pub(super) fn get_reg(f: Regs, class: Class, reg: u8) -> u64 {
    match class.bank() {
        Bank::Scalar => f.scalar(reg),
        Bank::Reference => f.reference(reg),
    }
}

/// Sets the bits of a register of this class.
#[inline(always)]
pub(super) fn set_reg(f: Regs, class: Class, reg: u8, bits: u64) {
    match class.bank() {
        Bank::Scalar => f.set_scalar(reg, bits),
        Bank::Reference => f.set_reference(reg, bits),
    }
}

#[inline(always)]
pub(super) fn mov_scalar(i: Insn, f: Regs) {
    f.set_scalar(i.a(), f.scalar(i.b()));
}

#[inline(always)]
pub(super) fn mov_reference(i: Insn, f: Regs) {
    f.set_reference(i.a(), f.reference(i.b()));
}

#[inline(never)]
pub(super) fn mov_wide(i: Insn, f: Regs) {
    let (to, from) = encode::split_reg_pair(i.imm());
    let bank = if i.a() == 0 {
        Bank::Scalar
    } else {
        Bank::Reference
    };
    // SAFETY: both registers lie in the frame (verified).
    unsafe { *f.wide(bank, to) = *f.wide(bank, from) }
}

#[inline(always)]
pub(super) fn const_i64(i: Insn, f: Regs) {
    f.set_int(i.a(), i64::from(i.imm()));
}

#[inline(always)]
pub(super) fn const_i64_pool(i: Insn, f: Regs, m: &Machine) {
    if let Const::Int(value) = &m.program.module().constants[i.id()] {
        f.set_int(i.a(), *value);
    }
}

#[inline(always)]
pub(super) fn const_f64(i: Insn, f: Regs, m: &Machine) {
    if let Const::Float(value) = &m.program.module().constants[i.id()] {
        f.set_float(i.a(), *value);
    }
}

#[inline(always)]
pub(super) fn const_bool(i: Insn, f: Regs) {
    f.set_bool(i.a(), i.imm() != 0);
}

#[inline(always)]
pub(super) fn const_text(i: Insn, f: Regs, m: &Machine) {
    f.set_obj(i.a(), m.heap.layouts().text(ConstId(i.id() as u32)));
}

#[inline(always)]
pub(super) fn none(i: Insn, f: Regs) {
    f.set_any(i.a(), Word::none());
}

#[inline(always)]
pub(super) fn box_int(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    f.set_any(i.a(), m.heap.int_word(f.int(i.b()))?);
    Ok(())
}

#[inline(always)]
pub(super) fn box_float(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    f.set_any(i.a(), m.heap.float_word(f.float(i.b()))?);
    Ok(())
}

#[inline(always)]
pub(super) fn box_bool(i: Insn, f: Regs) {
    f.set_any(i.a(), Word::bool(f.bool(i.b())));
}

#[inline(never)]
pub(super) fn box_time(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    f.set_any(i.a(), m.heap.time_word(f.int(i.b()))?);
    Ok(())
}

#[inline(never)]
pub(super) fn box_duration(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    f.set_any(i.a(), m.heap.duration_word(f.int(i.b()))?);
    Ok(())
}

#[inline(always)]
pub(super) fn unbox_int(i: Insn, f: Regs) -> Res<()> {
    let word = f.any(i.b());
    let value = match word.as_inline_int() {
        Some(value) => value,
        None => types::unbox_int(word)?,
    };
    f.set_int(i.a(), value);
    Ok(())
}

#[inline(always)]
pub(super) fn unbox_float(i: Insn, f: Regs) -> Res<()> {
    let word = f.any(i.b());
    let value = match word.as_inline_float() {
        Some(value) => value,
        None => types::unbox_float(word)?,
    };
    f.set_float(i.a(), value);
    Ok(())
}

#[inline(always)]
pub(super) fn unbox_bool(i: Insn, f: Regs) -> Res<()> {
    let word = f.any(i.b());
    let Some(value) = word.as_bool() else {
        return Err(Fault::expected("bool", word.view()));
    };
    f.set_bool(i.a(), value);
    Ok(())
}

#[inline(never)]
pub(super) fn unbox_time(i: Insn, f: Regs) -> Res<()> {
    match f.any(i.b()).view() {
        View::Time(value) => f.set_int(i.a(), value),
        found => return Err(Fault::expected("time", found)),
    }
    Ok(())
}

#[inline(never)]
pub(super) fn unbox_duration(i: Insn, f: Regs) -> Res<()> {
    match f.any(i.b()).view() {
        View::Duration(value) => f.set_int(i.a(), value),
        found => return Err(Fault::expected("duration", found)),
    }
    Ok(())
}

#[inline(never)]
pub(super) fn unbox_ref(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let obj = types::unbox_ref(m, f.any(i.b()), TypeId(i.id() as u32))?;
    f.set_obj(i.a(), obj);
    Ok(())
}

#[inline(never)]
pub(super) fn check_ref(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    types::unbox_ref(m, f.any(i.a()), TypeId(i.id() as u32)).map(|_| ())
}

#[inline(always)]
pub(super) fn int_to_float(i: Insn, f: Regs) {
    f.set_float(i.a(), f.int(i.b()) as f64);
}

#[inline(always)]
pub(super) fn truthy_i64(i: Insn, f: Regs) {
    f.set_bool(i.a(), f.int(i.b()) != 0);
}

#[inline(always)]
pub(super) fn truthy_f64(i: Insn, f: Regs) {
    f.set_bool(i.a(), f.float(i.b()) != 0.0);
}

#[inline(always)]
pub(super) fn truthy_any(i: Insn, f: Regs, m: &Machine) {
    let word = f.any(i.b());
    let value = match word.as_bool() {
        Some(value) => value,
        None => compare::truthy(m, word),
    };
    f.set_bool(i.a(), value);
}

#[inline(always)]
pub(super) fn not_bool(i: Insn, f: Regs) {
    f.set_bool(i.a(), !f.bool(i.b()));
}

#[inline(always)]
pub(super) fn is_none(i: Insn, f: Regs) {
    f.set_bool(i.a(), f.any(i.b()).is_none());
}

#[inline(never)]
pub(super) fn is_type(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let fits = types::is_type(m, f.any(i.b()), TypeId(i.id() as u32))?;
    f.set_bool(i.a(), fits);
    Ok(())
}

#[inline(never)]
pub(super) fn text_i64(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    f.set_obj(i.a(), print::int_text(m, f.int(i.b()))?);
    Ok(())
}

#[inline(never)]
pub(super) fn text_f64(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    f.set_obj(i.a(), print::float_text(m, f.float(i.b()))?);
    Ok(())
}

#[inline(never)]
pub(super) fn text_bool(i: Insn, f: Regs, m: &Machine) {
    f.set_obj(i.a(), m.heap.layouts().bool_text(f.bool(i.b())));
}

#[inline(never)]
pub(super) fn text_time(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    f.set_obj(i.a(), print::time_text(m, f.int(i.b()))?);
    Ok(())
}

#[inline(never)]
pub(super) fn text_duration(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    f.set_obj(i.a(), print::duration_text(m, f.int(i.b()))?);
    Ok(())
}

#[inline(never)]
pub(super) fn text_any(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let word = f.any(i.b());
    let text = match word.as_kind(Kind::Text) {
        Some(text) => text,
        None => print::to_text(m, word)?,
    };
    f.set_obj(i.a(), text);
    Ok(())
}

/// The object in a ref register, which must be of this kind.
#[inline(always)]
fn kind(f: Regs, reg: u8, kind: Kind, name: &str) -> Res<Obj> {
    let obj = f.obj(reg);
    if obj.kind() == kind {
        Ok(obj)
    } else {
        Err(Fault::expected(name, obj.view()))
    }
}

#[inline(always)]
fn map_of(f: Regs, reg: u8) -> Res<Obj> {
    let obj = f.obj(reg);
    if matches!(obj.kind(), Kind::Record | Kind::Dict) {
        Ok(obj)
    } else {
        Err(Fault::expected("map", obj.view()))
    }
}

#[inline(never)]
pub(super) fn concat(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let left = kind(f, i.b(), Kind::Text, "text")?;
    let right = kind(f, i.c(), Kind::Text, "text")?;
    f.set_obj(i.a(), m.heap.concat(left, &[right])?);
    Ok(())
}

#[inline(never)]
pub(super) fn concat_n(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    const FEW: usize = 8;
    let count = i.imm() as usize;
    let mut few = [m.heap.layouts().empty_text(); FEW];
    let mut many = Vec::new();
    let pieces = if count <= FEW {
        &mut few[..count]
    } else {
        many.resize(count, few[0]);
        &mut many[..]
    };
    for (at, piece) in pieces.iter_mut().enumerate() {
        *piece = kind(f, i.b() + at as u8, Kind::Text, "text")?;
    }
    let text = match pieces.split_first() {
        Some((first, rest)) => m.heap.concat(*first, rest)?,
        None => m.heap.layouts().empty_text(),
    };
    f.set_obj(i.a(), text);
    Ok(())
}

#[inline(never)]
pub(super) fn list_new(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let class = Class::from_u8(i.b()).expect("verified: a class");
    f.set_obj(i.a(), m.heap.new_list(class, i.id())?);
    Ok(())
}

#[inline(always)]
pub(super) fn list_push(i: Insn, f: Regs, m: &mut Machine, class: Class) -> Res<()> {
    let list = f.obj(i.a());
    let bits = get_reg(f, class, i.b());
    if fast::list_push(list, class, bits) {
        Ok(())
    } else {
        access::list_push(m, list, class, bits)
    }
}

#[inline(always)]
pub(super) fn list_get(i: Insn, f: Regs, m: &mut Machine, class: Class) -> Res<()> {
    let list = f.obj(i.b());
    let index = f.int(i.c());
    let bits = match fast::list_get(list, class, index) {
        Some(bits) => bits,
        None => access::list_get(m, list, class, index)?,
    };
    set_reg(f, class, i.a(), bits);
    Ok(())
}

#[inline(always)]
pub(super) fn list_set(i: Insn, f: Regs, m: &mut Machine, class: Class) -> Res<()> {
    let list = f.obj(i.b());
    let index = f.int(i.c());
    let bits = get_reg(f, class, i.a());
    if fast::list_set(list, class, index, bits) {
        Ok(())
    } else {
        access::list_set(m, list, class, index, bits)
    }
}

#[inline(always)]
pub(super) fn list_len(i: Insn, f: Regs) -> Res<()> {
    let list = kind(f, i.b(), Kind::List, "list")?;
    f.set_int(i.a(), crate::heap::list_len(list) as i64);
    Ok(())
}

#[inline(never)]
pub(super) fn record_new(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    f.set_obj(i.a(), m.heap.new_record(i.id() as u32)?);
    Ok(())
}

#[inline(always)]
pub(super) fn record_get(i: Insn, f: Regs, m: &mut Machine, class: Class) -> Res<()> {
    let record = f.obj(i.b());
    let (slot, shape) = (i.c(), i.narrow() as u32);
    let bits = match fast::record_slot(record, shape, slot as usize) {
        Some(bits) => bits,
        None => access::record_get(m, record, ShapeId(shape), slot, class)?,
    };
    set_reg(f, class, i.a(), bits);
    Ok(())
}

#[inline(always)]
pub(super) fn record_set(i: Insn, f: Regs, m: &mut Machine, class: Class) -> Res<()> {
    let record = f.obj(i.b());
    let (slot, shape) = (i.c(), i.narrow() as u32);
    let bits = get_reg(f, class, i.a());
    if fast::set_record_slot(record, shape, slot as usize, bits) {
        Ok(())
    } else {
        access::record_set(m, record, ShapeId(shape), slot, class, bits)
    }
}

#[inline(never)]
pub(super) fn map_new(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    f.set_obj(i.a(), m.heap.new_dict(i.id())?);
    Ok(())
}

#[inline(never)]
pub(super) fn map_get(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let map = map_of(f, i.b())?;
    let value = m.heap.map_get(map, f.any(i.c()))?;
    f.set_any(i.a(), value.unwrap_or_else(Word::none));
    Ok(())
}

#[inline(never)]
pub(super) fn map_set(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let map = map_of(f, i.b())?;
    m.heap.map_set(map, f.any(i.c()), f.any(i.a()))
}

#[inline(never)]
pub(super) fn map_get_name(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let map = map_of(f, i.b())?;
    let name = m.heap.layouts().text(ConstId(i.id() as u32));
    let value = m.heap.map_get(map, Word::object(name))?;
    f.set_any(i.a(), value.unwrap_or_else(Word::none));
    Ok(())
}

#[inline(never)]
pub(super) fn map_set_name(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let map = map_of(f, i.b())?;
    let name = m.heap.layouts().text(ConstId(i.id() as u32));
    m.heap.map_set(map, Word::object(name), f.any(i.a()))
}

#[inline(never)]
pub(super) fn field_get_any(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    let value = fields::get(m, host, f.any(i.b()), ConstId(i.id() as u32))?;
    f.set_any(i.a(), value);
    Ok(())
}

#[inline(never)]
pub(super) fn field_set_any(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    fields::set(m, host, f.any(i.b()), ConstId(i.id() as u32), f.any(i.a()))
}

#[inline(never)]
pub(super) fn index_get_any(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let value = access::index_get(m, f.any(i.b()), f.any(i.c()))?;
    f.set_any(i.a(), value);
    Ok(())
}

#[inline(never)]
pub(super) fn index_set_any(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    access::index_set(m, f.any(i.b()), f.any(i.c()), f.any(i.a()))
}

#[inline(never)]
pub(super) fn text_index(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let (text, index) = (f.obj(i.b()), f.int(i.c()));
    if let Some(character) = fast::ascii_at(text, index) {
        f.set_obj(i.a(), character);
        return Ok(());
    }
    let text = kind(f, i.b(), Kind::Text, "text")?;
    f.set_obj(i.a(), access::text_index(m, text, index)?);
    Ok(())
}

#[inline(always)]
pub(super) fn text_len(i: Insn, f: Regs, m: &Machine) -> Res<()> {
    let text = kind(f, i.b(), Kind::Text, "text")?;
    f.set_int(i.a(), m.heap.text_len(text) as i64);
    Ok(())
}

#[inline(never)]
pub(super) fn cell_new(i: Insn, f: Regs, m: &mut Machine, class: Class) -> Res<()> {
    f.set_obj(i.a(), m.heap.new_cell(class, get_reg(f, class, i.b()))?);
    Ok(())
}

#[inline(always)]
pub(super) fn cell_get(i: Insn, f: Regs, class: Class) -> Res<()> {
    let cell = f.obj(i.b());
    let Some(bits) = cell.cell_get(class) else {
        return Err(Fault::expected("a variable of another class", cell.view()));
    };
    set_reg(f, class, i.a(), bits);
    Ok(())
}

#[inline(always)]
pub(super) fn cell_set(i: Insn, f: Regs, class: Class) -> Res<()> {
    let cell = f.obj(i.b());
    if cell.cell_set(class, get_reg(f, class, i.a())) {
        Ok(())
    } else {
        Err(Fault::expected("a variable of another class", cell.view()))
    }
}

#[inline(always)]
pub(super) fn global_get_scalar(i: Insn, f: Regs, m: &Machine) {
    f.set_scalar(i.a(), m.globals[GlobalId(i.id() as u32).index()]);
}

#[inline(always)]
pub(super) fn global_get_reference(i: Insn, f: Regs, m: &Machine) {
    f.set_reference(i.a(), m.globals[GlobalId(i.id() as u32).index()]);
}

#[inline(always)]
pub(super) fn global_set_scalar(i: Insn, f: Regs, m: &mut Machine) {
    m.globals[GlobalId(i.id() as u32).index()] = f.scalar(i.a());
}

#[inline(always)]
pub(super) fn global_set_reference(i: Insn, f: Regs, m: &mut Machine) {
    m.globals[GlobalId(i.id() as u32).index()] = f.reference(i.a());
}
