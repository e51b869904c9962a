//! From a fault to the place that catches it. Here because only the interpreter knows frames. Must stay true: a new error
//! gets its position and trace exactly once, where it is raised; `Stopped` passes every catch; a frame that does not
//! catch is gone afterwards.
#![allow(unsafe_code)]

use super::At;
use crate::fault::{Fault, FaultData};
use crate::machine::Machine;
use crate::semantics::errors;
use crate::trap::ErrorKind;

/// Finds the catch for a fault raised by the instruction before `at.pc`; `Err` if it leaves the interpreter.
#[cold]
#[inline(never)]
pub(super) fn unwind(m: &mut Machine, fault: Fault, at: At) -> Result<At, Fault> {
    if m.stacks.records.is_empty() {
        return Err(fault);
    }
    let error = match *fault.0 {
        FaultData::Stopped => {
            let error = errors::stopped(m, at.pc);
            m.stacks.records.clear();
            m.pinned = Some(error);
            return Err(Fault(Box::new(FaultData::Stopped)));
        }
        FaultData::Thrown(error) => error,
        FaultData::New(new) => {
            if new.kind == ErrorKind::MemoryLimitExceeded {
                // Make room before the error itself is made; everything live stands in roots.
                m.collect(at.regs);
            }
            errors::new_error(m, new, at.pc)
        }
    };
    let mut at = at;
    while let Some(record) = m.stacks.records.last().copied() {
        let program = &m.program;
        let function = &program.module().functions[record.func as usize];
        // The instruction that raised or called stands before pc.
        let instruction = program.funcs()[record.func as usize].instruction(at.pc) - 1;
        let caught = function
            .catches
            .iter()
            .find(|catch| (catch.start..catch.end).contains(&instruction));
        if let Some(catch) = caught {
            // SAFETY: the register and the target lie in the function (verified).
            unsafe {
                *at.regs.wide(flin_bytecode::Bank::Reference, catch.reg) = error.address();
                at.pc = at.code.add(catch.target as usize);
            }
            return Ok(at);
        }
        m.stacks.records.pop();
        at = At {
            pc: record.pc,
            code: record.code,
            regs: record.regs,
        };
    }
    m.pinned = Some(error);
    Err(Fault::thrown(error))
}
