//! The door between the machine and native code: what a compiler outside of this crate must know (layout, addresses), how
//! it publishes what it compiled, and how the machine gets in and out of it. Here because the frames are the machine's:
//! the interpreter's frame is the common currency of both engines.
//!
//! The machine knows no compiler: whoever loads a program may give it one (`Program::set_compiler`), which is asked when a
//! function has become hot and answers by publishing addresses.
//! Must stay true: native code leaves every reference register in the frame at each definition, so that the frame is
//! always a precise root; it never unwinds; whatever it cannot do it leaves to the one dispatch loop (`rtcalls.rs`).

#![allow(unsafe_code)]

pub(crate) mod entering;
pub(crate) mod heat;
pub mod layout;
mod published;
mod segments;

use std::ptr::NonNull;
use std::sync::Arc;

use flin_bytecode::FuncId;

use crate::host::Host;
use crate::machine::Machine;
use crate::program::Program;

pub use crate::rtcalls::{FrameCall, RtCall};
pub use published::{Native, NativeCounts};
pub(crate) use published::{NativeState, OsrEntry};
pub(crate) use segments::{Pending, Segment};

/// Calls a native function from outside: takes the arguments from the window, enters `target`, puts the result into
/// the window's result slot. 0: it returned; 1: an error or panic is pending in the machine.
///
/// `s`, `r` are the window of the frame in each bank, `rp` is its call word.
pub type Trampoline = unsafe extern "C" fn(
    context: *mut NativeContext,
    s: *mut u64,
    r: *mut u64,
    rp: *mut u64,
    target: *const u8,
) -> u32;

/// What native code knows of the machine that runs it.
#[repr(C)]
#[derive(Debug)]
pub struct NativeContext {
    /// Fuel left in this slice; at 0 the host is asked (`rtcalls::slice`).
    pub fuel: u64,
    /// First call word that is too deep.
    pub depth_limit: *mut u64,
    /// The global variables, one word each.
    pub globals: *mut u64,
    /// Where the blocks of the heap come from, by size class.
    pub classes: *mut u8,
    /// Operations of native functions, those by the dispatch loop included; counted only if `JitOptions::count_ops`.
    pub native_ops: u64,
    /// Operations that native code had done by the dispatch loop.
    pub helper_ops: u64,
    /// Instructions until native code leaves its frame; counted only if `JitOptions::leave_every`.
    pub until_leaving: u64,
    /// The machine, while native code runs.
    pub(crate) machine: *mut Machine,
    /// Its host, while native code runs.
    pub(crate) host: Option<NonNull<dyn Host>>,
}

impl NativeContext {
    pub(crate) fn new() -> NativeContext {
        NativeContext {
            fuel: 0,
            depth_limit: std::ptr::null_mut(),
            globals: std::ptr::null_mut(),
            classes: std::ptr::null_mut(),
            native_ops: 0,
            helper_ops: 0,
            until_leaving: 0,
            machine: std::ptr::null_mut(),
            host: None,
        }
    }
}

/// When functions are compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JitPolicy {
    /// Never.
    Off,
    /// When they are hot, at once: runs are repeatable.
    Sync,
    /// Before their first call.
    Eager,
    /// When they are hot; big ones beside the running program.
    #[default]
    Auto,
}

/// How the machine treats native code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JitOptions {
    /// When functions are compiled.
    pub policy: JitPolicy,
    /// For tests: a loop is entered in native code at the first slice that ends in it.
    pub osr_every_loop: bool,
    /// For tests: every so many slices that end at a loop of native code it is left for the interpreter; 0 is never.
    pub exit_every: u32,
    /// For tests: before every so many instructions that do something, native code leaves its frame to the interpreter,
    /// as if the instruction had no fast path; 0 is never.
    pub leave_every: u32,
    /// One operation is translated after the other, each by itself: no loop twice, no overflow asked for later, no exit
    /// where a helper could go on. To find out what is wrong.
    pub plain: bool,
    /// Fuel after which a function is hot.
    pub hot_fuel: u32,
    /// Fuel between two questions to the host.
    pub slice_fuel: u32,
    /// Whether native code counts its operations.
    pub count_ops: bool,
}

impl Default for JitOptions {
    fn default() -> JitOptions {
        JitOptions {
            policy: JitPolicy::Auto,
            osr_every_loop: false,
            exit_every: 0,
            leave_every: 0,
            plain: false,
            hot_fuel: heat::HOT_FUEL,
            slice_fuel: crate::interp::SLICE_FUEL,
            count_ops: false,
        }
    }
}

impl JitOptions {
    /// The usual treatment under this policy.
    pub fn of(policy: JitPolicy) -> JitOptions {
        JitOptions {
            policy,
            ..JitOptions::default()
        }
    }
}

/// What a compiler has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompileReport {
    /// Functions compiled.
    pub functions: u64,
    /// Loops compiled for entering in the middle.
    pub loops: u64,
    /// Functions that stay interpreted.
    pub refused: u64,
    /// Those of them that do so by a mistake of the compiler.
    pub faults: u64,
    /// Bytes of machine code.
    pub code_bytes: u64,
    /// Time spent compiling, nanoseconds.
    pub nanoseconds: u64,
}

/// Turns functions of a program into native code. It belongs to its program and is dropped with it, when nothing of the
/// program runs any more: that frees the code.
pub trait HotCompiler: Send + Sync {
    /// This function is hot; `header` is the jump target of the loop that is turning, if it is one. What is compiled is
    /// published (`Program::native`), now or later. The same may be asked again and again.
    fn hot(&self, program: &Arc<Program>, func: FuncId, header: Option<u32>);

    /// What was done so far.
    fn report(&self) -> CompileReport {
        CompileReport::default()
    }
}
