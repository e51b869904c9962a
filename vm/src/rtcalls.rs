//! What native code may call: one table, name, address, meaning. Here because native code does by these few calls all that
//! it does not do itself, and the meaning of every operation then stays where it is: in the one dispatch loop.
//! Must stay true: nothing unwinds out of these functions; a panic is kept in the machine, goes on as status 1 and is
//! resumed where the last native frame has been left.
#![allow(unsafe_code)]

use crate::native::NativeContext;

/// The convention of calls that need the running frame: `s` and `r` are its window in each bank, `rp` its call word (where
/// `function << 32 | instruction` was stored before), `insn` the instruction.
pub type FrameCall = unsafe extern "C" fn(
    context: *mut NativeContext,
    s: *mut u64,
    r: *mut u64,
    rp: *mut u64,
    insn: u64,
) -> u32;

/// A runtime call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RtCall {
    /// Does the instruction `insn` on the frame. 0: done, go on behind it; 1: an error is pending.
    Step,
    /// Makes the call at `insn`, whose arguments stand in the window. 0: the result stands in the callee's window; 1: an
    /// error is pending.
    Call,
    /// Leaves native code: the interpreter goes on at `insn` (or at the catch of the pending error) until this frame
    /// returns. 0: the result stands in this frame's window; 1: an error is pending.
    Exit,
    /// The fuel of a slice is used up (the context has new fuel afterwards). 0: go on; 1: an error is pending; 2: leave
    /// native code by an exit at the target of the jump.
    Slice,
    /// `%` of floats: `extern "C" fn(f64, f64) -> f64`.
    RemF64,
    /// `**` of floats: `extern "C" fn(f64, f64) -> f64`.
    PowF64,
}

impl RtCall {
    /// All of them.
    pub const ALL: [RtCall; 6] = [
        RtCall::Step,
        RtCall::Call,
        RtCall::Exit,
        RtCall::Slice,
        RtCall::RemF64,
        RtCall::PowF64,
    ];

    /// Its name in dumps.
    pub fn name(self) -> &'static str {
        match self {
            RtCall::Step => "rt_step",
            RtCall::Call => "rt_call",
            RtCall::Exit => "rt_exit",
            RtCall::Slice => "rt_slice",
            RtCall::RemF64 => "rt_rem_f64",
            RtCall::PowF64 => "rt_pow_f64",
        }
    }

    /// Its address. The first four are [`FrameCall`]s.
    pub fn address(self) -> usize {
        match self {
            RtCall::Step => rt_step as FrameCall as usize,
            RtCall::Call => rt_call as FrameCall as usize,
            RtCall::Exit => rt_exit as FrameCall as usize,
            RtCall::Slice => rt_slice as FrameCall as usize,
            RtCall::RemF64 => rt_rem_f64 as extern "C" fn(f64, f64) -> f64 as usize,
            RtCall::PowF64 => rt_pow_f64 as extern "C" fn(f64, f64) -> f64 as usize,
        }
    }
}

extern "C" fn rt_rem_f64(a: f64, b: f64) -> f64 {
    a % b
}

extern "C" fn rt_pow_f64(a: f64, b: f64) -> f64 {
    a.powf(b)
}

unsafe extern "C" fn rt_step(
    _: *mut NativeContext,
    _: *mut u64,
    _: *mut u64,
    _: *mut u64,
    _: u64,
) -> u32 {
    unreachable!("no native code is entered yet")
}

unsafe extern "C" fn rt_call(
    _: *mut NativeContext,
    _: *mut u64,
    _: *mut u64,
    _: *mut u64,
    _: u64,
) -> u32 {
    unreachable!("no native code is entered yet")
}

unsafe extern "C" fn rt_exit(
    _: *mut NativeContext,
    _: *mut u64,
    _: *mut u64,
    _: *mut u64,
    _: u64,
) -> u32 {
    unreachable!("no native code is entered yet")
}

unsafe extern "C" fn rt_slice(
    _: *mut NativeContext,
    _: *mut u64,
    _: *mut u64,
    _: *mut u64,
    _: u64,
) -> u32 {
    unreachable!("no native code is entered yet")
}
