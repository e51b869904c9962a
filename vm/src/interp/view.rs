//! Bodies of the view family: markup goes to the machine's output. Must stay true: what a program computes is escaped for
//! its place; only `view.html` and `view.raw` write text as it is.

use flin_bytecode::{ConstId, GlobalId};

use super::Insn;
use crate::fault::{Fault, Res};
use crate::frame::Regs;
use crate::machine::Machine;
use crate::semantics::{controls, handlers, marking, markup};
use crate::value::Word;

#[inline(never)]
pub(super) fn raw(i: Insn, m: &mut Machine) -> Res<()> {
    let text = m.heap.layouts().text(ConstId(i.id() as u32));
    markup::write(m, text.text().unwrap_or_default())
}

#[inline(never)]
pub(super) fn text_i64(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let text = f.int(i.a()).to_string();
    marking::leaf(m, |m| markup::write(m, &text))
}

#[inline(never)]
pub(super) fn text_f64(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let text = crate::semantics::print::float_string(f.float(i.a()));
    marking::leaf(m, |m| markup::write(m, &text))
}

#[inline(never)]
pub(super) fn text_bool(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let text = if f.bool(i.a()) { "true" } else { "false" };
    marking::leaf(m, |m| markup::write(m, text))
}

#[inline(never)]
pub(super) fn text_any(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let value = f.any(i.a());
    marking::leaf(m, |m| markup::write_value(m, value))
}

#[inline(never)]
pub(super) fn html(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let obj = f.obj(i.a());
    marking::leaf(m, |m| match obj.text() {
        Some(text) => markup::write(m, text),
        None if obj.is_none() => Ok(()),
        None => Err(Fault::expected("text", obj.view())),
    })
}

#[inline(never)]
pub(super) fn attr(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let name = m.heap.layouts().text(ConstId(i.id() as u32));
    let (name, value) = (name.text().unwrap_or_default(), f.any(i.a()));
    marking::leaf(m, |m| markup::attribute(m, name, value, i.b()))
}

#[inline(never)]
pub(super) fn bind(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    controls::bind(m, f.any(i.a()), i.b(), GlobalId(i.id() as u32))
}

#[inline(never)]
pub(super) fn bind_part(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let (value, path) = (f.any(i.a()), f.any(i.c()));
    let global = GlobalId(i.narrow() as u32);
    marking::leaf(m, |m| controls::bind_part(m, value, i.b(), path, global))
}

#[inline(never)]
pub(super) fn option(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let (own, bound) = (f.any(i.a()), f.any(i.b()));
    marking::leaf(m, |m| controls::option(m, own, bound))
}

/// The captured values of a handler.
fn captured(i: Insn, f: Regs) -> Vec<Word> {
    (0..i.b()).map(|at| f.any(i.a() + at)).collect()
}

#[inline(never)]
pub(super) fn on(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    handlers::on(m, i.id(), &captured(i, f))
}

#[inline(never)]
pub(super) fn on_button(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    handlers::on_button(m, i.id(), &captured(i, f))
}

#[inline(never)]
pub(super) fn form(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    handlers::form(m, i.id(), &captured(i, f))
}

#[inline(never)]
pub(super) fn head(i: Insn, m: &mut Machine) {
    m.output.set_head(i.imm() != 0);
}

#[inline(never)]
pub(super) fn block(i: Insn, m: &mut Machine) -> Res<()> {
    marking::block(m, i.id() as u32)
}

#[inline(never)]
pub(super) fn item(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    marking::item(m, f.any(i.a()), i.imm())
}

#[inline(never)]
pub(super) fn leaf(i: Insn, m: &mut Machine) -> Res<()> {
    marking::leaf_bound(m, i.imm() != 0)
}
