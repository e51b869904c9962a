//! Bodies of the host family: what a program says to the outside. Must stay true: the VM itself writes nowhere.

use super::Insn;
use crate::fault::{Fault, Res};
use crate::frame::Regs;
use crate::host::{Host, LogLevel};
use crate::machine::Machine;

#[inline(never)]
pub(super) fn print(i: Insn, f: Regs, _m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    let obj = f.obj(i.a());
    let Some(text) = obj.text() else {
        return Err(Fault::expected("text", obj.view()));
    };
    host.print(text);
    Ok(())
}

#[inline(never)]
pub(super) fn log(i: Insn, f: Regs, _m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    let obj = f.obj(i.a());
    let Some(text) = obj.text() else {
        return Err(Fault::expected("text", obj.view()));
    };
    let level = match i.imm() {
        0 => LogLevel::Info,
        1 => LogLevel::Warning,
        _ => LogLevel::Error,
    };
    host.log(level, text);
    Ok(())
}

#[inline(never)]
pub(super) fn now(i: Insn, f: Regs, host: &mut dyn Host) {
    f.set_int(i.a(), host.now_ms());
}
