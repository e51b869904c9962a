//! Handing finished code to the program. Here because it is the one place where bytes become functions. Must stay true:
//! only code of the code memory that the program's own compiler holds is published, after it was finalised.
#![allow(unsafe_code)]

use flin_bytecode::FuncId;
use flin_vm::Program;
use flin_vm::native::Trampoline;

use crate::memory::Code;

/// From now on calls of the function enter its native code.
pub(crate) fn function(program: &Program, func: FuncId, native: Code, trampoline: Code) {
    // SAFETY: both are finalised code of the convention, freed only when the program's compiler is dropped.
    unsafe {
        program
            .native()
            .publish(func, native.0.as_ptr(), trampoline.0.as_ptr());
    }
}

/// From now on running frames are taken over at this loop.
pub(crate) fn entry_of_loop(program: &Program, func: FuncId, header: u32, entry: Code) {
    // SAFETY: as above; the unit was translated as an entry of a loop, whose signature is a trampoline's.
    unsafe {
        let entry = std::mem::transmute::<*const u8, Trampoline>(entry.0.as_ptr());
        program.native().publish_osr(func, header, entry);
    }
}
