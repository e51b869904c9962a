//! Bodies of the entity family. All of them ask the host or make objects, so they are thin calls into
//! `semantics::entity`. Must stay true: kind and entity type of an object are compared before a field is touched.

use flin_bytecode::{EntityTypeId, FieldNo};

use super::Insn;
use crate::fault::{Fault, Res};
use crate::frame::Regs;
use crate::heap::{Kind, Obj, QueryBase};
use crate::host::Host;
use crate::machine::Machine;
use crate::semantics::{entity as slow, entity_fields as typed, query};
use crate::trap::ErrorKind;
use crate::value::Word;

/// The entity object in a ref register.
fn entity_in(f: Regs, reg: u8) -> Res<Obj> {
    let obj = f.obj(reg);
    if obj.kind() == Kind::Entity {
        Ok(obj)
    } else {
        Err(Fault::expected("a record", obj.view()))
    }
}

/// The record to do something with; that there is none is no mistake of types, but a record that is not there.
fn record_to(f: Regs, reg: u8, what: &str) -> Res<Obj> {
    if f.obj(reg).kind() == Kind::None {
        return Err(Fault::new(
            ErrorKind::NotFound,
            format!("there is no such record to {what}: it is none"),
        ));
    }
    entity_in(f, reg)
}

#[inline(never)]
pub(super) fn new(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    f.set_obj(i.a(), m.heap.new_entity(i.id() as u32)?);
    Ok(())
}

#[inline(never)]
pub(super) fn get(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    let entity = entity_in(f, i.b())?;
    f.set_any(
        i.a(),
        slow::get_field(m, host, entity, FieldNo(i.narrow()))?,
    );
    Ok(())
}

#[inline(never)]
pub(super) fn get_i64(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    let entity = entity_in(f, i.b())?;
    let value = typed::get_int(m, host, entity, FieldNo(i.narrow()))?;
    f.set_int(i.a(), value);
    Ok(())
}

#[inline(never)]
pub(super) fn get_f64(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    let entity = entity_in(f, i.b())?;
    let value = typed::get_float(m, host, entity, FieldNo(i.narrow()))?;
    f.set_float(i.a(), value);
    Ok(())
}

#[inline(never)]
pub(super) fn get_bool(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    let entity = entity_in(f, i.b())?;
    let value = typed::get_bool(m, host, entity, FieldNo(i.narrow()))?;
    f.set_bool(i.a(), value);
    Ok(())
}

#[inline(never)]
pub(super) fn get_ref(
    i: Insn,
    f: Regs,
    m: &mut Machine,
    host: &mut dyn Host,
    none_too: bool,
) -> Res<()> {
    let entity = entity_in(f, i.b())?;
    let value = typed::get_object(m, host, entity, FieldNo(i.narrow()), none_too)?;
    f.set_obj(i.a(), value);
    Ok(())
}

#[inline(never)]
pub(super) fn follow(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    let entity = entity_in(f, i.b())?;
    f.set_obj(i.a(), slow::follow(m, host, entity, FieldNo(i.narrow()))?);
    Ok(())
}

#[inline(never)]
pub(super) fn set(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    let entity = entity_in(f, i.b())?;
    slow::set_field(m, host, entity, FieldNo(i.narrow()), f.any(i.a()))
}

#[inline(never)]
pub(super) fn set_i64(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    let (entity, field) = (entity_in(f, i.b())?, FieldNo(i.narrow()));
    let word = typed::int_word(m, entity, field, f.int(i.a()))?;
    slow::set_field(m, host, entity, field, word)
}

#[inline(never)]
pub(super) fn set_f64(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    let entity = entity_in(f, i.b())?;
    let word = m.heap.float_word(f.float(i.a()))?;
    slow::set_field(m, host, entity, FieldNo(i.narrow()), word)
}

#[inline(never)]
pub(super) fn set_bool(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    let entity = entity_in(f, i.b())?;
    let word = Word::bool(f.bool(i.a()));
    slow::set_field(m, host, entity, FieldNo(i.narrow()), word)
}

#[inline(never)]
pub(super) fn validate(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    slow::validate(m, host, record_to(f, i.a(), "save")?)
}

#[inline(never)]
pub(super) fn save(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    slow::save(m, host, record_to(f, i.a(), "save")?)
}

#[inline(never)]
pub(super) fn delete(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    slow::delete(m, host, record_to(f, i.a(), "delete")?)
}

#[inline(never)]
pub(super) fn restore(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    slow::restore(m, host, record_to(f, i.a(), "restore")?)
}

#[inline(never)]
pub(super) fn destroy(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    slow::destroy(m, host, record_to(f, i.a(), "destroy")?)
}

#[inline(never)]
pub(super) fn find(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    f.set_obj(
        i.a(),
        slow::find(m, host, EntityTypeId(i.id() as u32), f.any(i.b()))?,
    );
    Ok(())
}

#[inline(never)]
pub(super) fn find_i64(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    let ty = EntityTypeId(i.id() as u32);
    f.set_obj(i.a(), slow::find_id(m, host, ty, Some(f.int(i.b())))?);
    Ok(())
}

#[inline(never)]
pub(super) fn inverse(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let entity = entity_in(f, i.b())?;
    let number = usize::try_from(i.narrow()).unwrap_or(usize::MAX);
    f.set_obj(i.a(), query::inverse(m, entity, number)?);
    Ok(())
}

#[inline(never)]
pub(super) fn count(i: Insn, f: Regs, host: &mut dyn Host) -> Res<()> {
    f.set_int(
        i.a(),
        host.entity_count(EntityTypeId(i.id() as u32))
            .map_err(Fault::host)?,
    );
    Ok(())
}

#[inline(never)]
pub(super) fn query_new(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    f.set_obj(i.a(), m.heap.new_query(i.id() as u32, QueryBase::LIVE)?);
    Ok(())
}

#[inline(never)]
pub(super) fn query_scan(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    let obj = f.obj(i.b());
    if obj.kind() != Kind::Query {
        return Err(Fault::expected("query", obj.view()));
    }
    f.set_obj(i.a(), query::scan(m, host, obj)?);
    Ok(())
}
