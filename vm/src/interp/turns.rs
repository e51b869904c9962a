//! What happens between two slices of fuel: the host is asked, garbage is collected, hot functions are compiled, and a loop
//! that is turning goes on in native code. Here because all of that is too slow for every turn.
//! Must stay true: fuel stands in the machine's context afterwards, whatever happened.
#![allow(unsafe_code)]

use flin_bytecode::{Class, Op};

use super::{At, Insn, Returned, call, unwind};
use crate::fault::{Fault, Res};
use crate::frame::{Regs, Stacks};
use crate::host::{Host, Slice};
use crate::machine::Machine;
use crate::native::entering::{self, Continued};
use crate::native::heat;
use crate::semantics::errors;

/// How an interpreted loop goes on.
pub(crate) enum Turn {
    /// As if nothing had been.
    On,
    /// Its function has returned.
    Returned(Returned),
    /// Its function cannot return.
    Raised(Fault, At),
    /// Its function is gone, and an error leaves the dispatch loop.
    Failed(Fault),
}

/// A slice of fuel is used up: asks the host. Also the moment to collect what slow paths of operations that do not
/// count as allocating left behind.
/// `pc` is behind the instruction that is executed.
pub(crate) fn next_slice(m: &mut Machine, host: &mut dyn Host, pc: *const u64, f: Regs) -> Res<()> {
    let fuel = u64::from(m.slice_fuel);
    m.native.fuel = fuel;
    m.fuel_used += fuel;
    if m.heap.wants_collection() {
        m.collect(f);
    }
    if let Slice::Stop = host.slice(fuel, m.heap.used_bytes()) {
        return Err(Fault::stopped());
    }
    if host.wants_place() {
        m.materialise();
        host.is_at(errors::line_at(m, pc));
    }
    Ok(())
}

/// The slice ended at a call.
#[cold]
#[inline(never)]
pub(super) fn slice_at_call(m: &mut Machine, host: &mut dyn Host, i: Insn, at: At) -> Res<()> {
    next_slice(m, host, at.pc, at.regs)?;
    // SAFETY: a running function has a record.
    let caller = unsafe { (*m.stacks.last_record()).func };
    let callee = match i.op() {
        Op::Call | Op::CallWith => Some(i.imm() as u32),
        _ => at.regs.obj(i.b()).closure_func(),
    };
    heat::at_call(m, caller, callee);
    Ok(())
}

/// The slice ended at a jump back to `at.pc`.
#[cold]
#[inline(never)]
pub(super) fn slice_at_loop(m: &mut Machine, host: &mut dyn Host, at: At) -> Res<Turn> {
    // The instruction that is next is the loop's own.
    next_slice(m, host, at.pc.wrapping_add(1), at.regs)?;
    // SAFETY: a running function has a record.
    let func = unsafe { (*m.stacks.last_record()).func };
    let header = m.program.funcs()[func as usize].instruction(at.pc);
    let Some(entry) = heat::at_loop(m, func, header) else {
        return Ok(Turn::On);
    };
    m.program.native_state().count_entry();
    match entering::go_on(m, host, entry, at, header) {
        Continued::Returned => Ok(returned(m, func, at)),
        Continued::Failed(fault) => Ok(match unwind::to_caller(m, fault) {
            Ok(at) => Turn::Returned(Returned::To(at)),
            Err(fault) => Turn::Failed(fault),
        }),
    }
}

/// The frame on top has returned in native code; its result stands in its window.
fn returned(m: &mut Machine, func: u32, at: At) -> Turn {
    let info = &m.program.funcs()[func as usize];
    let window = Stacks::window_of(info, at.regs);
    let class: Option<Class> = m.program.module().functions[func as usize].signature.result;
    let result = class.map(|class| {
        let slot = info.result_slot as usize;
        (class, window.slot(class.bank(), slot))
    });
    // The native code left the place of its return in the call word.
    // SAFETY: there is a call word for each depth, and the number is one of an instruction.
    let pc = unsafe {
        let word = *m.stacks.words.add(m.stacks.records.len() - 1);
        info.code.add(word as u32 as usize + 1)
    };
    let at = At { pc, ..at };
    match call::leave(m, at, result) {
        Ok(returned) => Turn::Returned(returned),
        Err(fault) => Turn::Raised(fault, at),
    }
}
