//! The verifier: run once on every module before anything of it runs. Here because both engines use raw memory and rely
//! on what is proved here. Must stay true: after `verify` every id is in range, every operand has the class that its
//! row and the register's declaration name, no register is read before it was surely written, every path ends, and
//! calls stay inside the caller's frame. Time and memory are bounded for hostile input.

mod error;
mod flow;
mod function;
mod program;
mod queries;

pub use error::{CodeFault, RegisterFault, VerifyError, VerifyFault, VerifyPlace};

use crate::module::Module;

/// Largest number of entries in any table of a module.
pub const TABLE_MAX: usize = 1 << 22;
/// Most parameters of a function, captures of a closure, fields of a shape.
pub const PARAMS_MAX: usize = 250;
/// Most fields of a record shape and captures of a closure (a slot is one byte).
pub const SLOTS_MAX: usize = 255;
/// Most catches of a function.
pub const CATCHES_MAX: usize = 1 << 16;
/// How deep optional and union types may be nested without a container between.
pub const TYPE_NESTING_MAX: u32 = 64;
/// Most members of a union, those of unions in it included: the work of one type test.
pub const TYPE_MEMBERS_MAX: u32 = 4096;
/// Most elements for which an operation may make room in advance.
pub const COUNT_MAX: i32 = 1 << 20;
/// Registers of one bank.
pub const REGS_MAX: usize = 1 << 15;

/// Proves that a module can run without memory errors, or says why not.
pub fn verify(module: &Module) -> Result<(), VerifyError> {
    program::check(module)?;
    let bounds = function::Bounds::of(module);
    for (at, function) in module.functions.iter().enumerate() {
        function::check(module, bounds, function).map_err(|(pc, fault)| VerifyError {
            place: VerifyPlace::Function {
                index: at as u32,
                name: function.name.clone(),
                pc,
            },
            fault,
        })?;
    }
    Ok(())
}
