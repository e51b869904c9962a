//! From a fault to the place that catches it. Here because only the interpreter knows frames. Must stay true: a new error
//! gets its position and trace exactly once, where it is raised; `Stopped` passes every catch; a frame that does not
//! catch is gone afterwards; a frame that native code waits for ends the search, and native code looks further.
#![allow(unsafe_code)]

use flin_bytecode::ops::Operand;
use flin_bytecode::{Bank, Function, Instr, OperandKind};

use super::At;
use crate::fault::{Fault, FaultData};
use crate::frame::{NEAR_REGS, Regs};
use crate::heap::Obj;
use crate::machine::Machine;
use crate::native::Pending;
use crate::semantics::errors;
use crate::trap::ErrorKind;
use crate::value::Word;

/// Finds the catch for a fault raised by the instruction before `at.pc`; `Err` if it leaves the dispatch loop.
#[cold]
#[inline(never)]
pub(super) fn unwind(m: &mut Machine, fault: Fault, at: At) -> Result<At, Fault> {
    match error_of(m, fault, at) {
        Some(error) => search(m, error, at),
        None => Err(stop(m)),
    }
}

/// The same for a fault that already has its error, in a frame that was called by the one on top: `at` is there.
pub(super) fn to_caller(m: &mut Machine, fault: Fault) -> Result<At, Fault> {
    // The record of the frame that failed does not count any more, but stands still there.
    let failed = m.stacks.records.len();
    // SAFETY: the record behind the last was that of the failed frame; nothing was called since.
    let record = unsafe { *m.stacks.record_at(failed) };
    if record.exit.leaves() {
        return Err(fault);
    }
    let at = At {
        pc: record.pc,
        code: record.code,
        regs: record.regs,
    };
    unwind(m, fault, at)
}

/// Leaves a fault raised by the instruction before `at.pc` for native code, which looks for its catch.
pub(crate) fn leave_pending(m: &mut Machine, fault: Fault, at: At) {
    m.pending = match error_of(m, fault, at) {
        Some(error) => {
            m.pinned = Some(error);
            Pending::Error
        }
        None => Pending::Stopped,
    };
}

/// Where the running frame catches the error, if the instruction before `at.pc` is covered.
pub(crate) fn caught_here(m: &mut Machine, func: u32, error: Obj, at: At) -> Option<At> {
    let program = &m.program;
    // The instruction that raised or called stands before pc.
    let instruction = program.funcs()[func as usize].instruction(at.pc) - 1;
    let function = &program.module().functions[func as usize];
    let catch = function
        .catches
        .iter()
        .find(|catch| (catch.start..catch.end).contains(&instruction))?;
    clear_window(function, instruction, at.regs);
    // SAFETY: the register and the target lie in the function (verified).
    let pc = unsafe {
        *at.regs.wide(Bank::Reference, catch.reg) = error.address();
        at.code.add(catch.target as usize)
    };
    m.pinned = None;
    if is_out_of_memory(error) {
        // What filled the memory went with the frames that did not catch; the catch needs room to say so.
        m.collect(at.regs);
    }
    Some(At { pc, ..at })
}

fn is_out_of_memory(error: Obj) -> bool {
    let kind = error.error_parts().kind.as_obj();
    kind.is_some_and(|kind| kind.text() == Some(ErrorKind::MemoryLimitExceeded.name()))
}

/// If a call failed, its window and all behind it is done with: what the callees left there must not be kept alive by the
/// frame that catches.
fn clear_window(function: &Function, instruction: u32, regs: Regs) {
    let Ok(call) = Instr::decode(function.code[instruction as usize]) else {
        return;
    };
    let is_window = |operand: &&Operand| operand.kind == OperandKind::Window(Bank::Reference);
    if let Some(window) = call.op.row().operands.iter().find(is_window) {
        let near = function.ref_regs.len().min(NEAR_REGS);
        for register in call.at(window.place) as usize..near {
            regs.set_slot(Bank::Reference, register, Word::none().bits());
        }
    }
}

/// The error object of a fault; none if the host stopped the run, whose error is pinned then.
fn error_of(m: &mut Machine, fault: Fault, at: At) -> Option<Obj> {
    match *fault.0 {
        FaultData::Stopped => {
            // Only the first one says where; nothing else is pinned while a frame runs.
            if m.pinned.is_none() {
                m.materialise();
                m.pinned = Some(errors::stopped(m, at.pc));
            }
            None
        }
        FaultData::Thrown(error) => Some(error),
        FaultData::New(new) => {
            m.materialise();
            if new.kind == ErrorKind::MemoryLimitExceeded {
                // Make room before the error itself is made; everything live stands in roots.
                m.collect(at.regs);
            }
            Some(errors::new_error(m, new, at.pc))
        }
    }
}

fn search(m: &mut Machine, error: Obj, at: At) -> Result<At, Fault> {
    let mut at = at;
    while let Some(record) = m.stacks.records.last().copied() {
        if let Some(at) = caught_here(m, record.func, error, at) {
            return Ok(at);
        }
        m.stacks.drop_record();
        if record.exit.leaves() {
            break;
        }
        at = At {
            pc: record.pc,
            code: record.code,
            regs: record.regs,
        };
    }
    m.pinned = Some(error);
    Err(Fault::thrown(error))
}

/// All frames are gone, up to the one that leaves the dispatch loop.
fn stop(m: &mut Machine) -> Fault {
    while let Some(record) = m.stacks.records.last().copied() {
        m.stacks.drop_record();
        if record.exit.leaves() {
            break;
        }
    }
    Fault::stopped()
}
