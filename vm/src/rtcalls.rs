//! What native code may call: one table, name, address, meaning. Here because native code does by these few calls all that
//! it does not do itself, and the meaning of every operation then stays where it is: in the one dispatch loop.
//! Must stay true: nothing unwinds out of these functions; a panic is kept in the machine, goes on as status 1 and is
//! resumed where the last native frame has been left.
#![allow(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use flin_bytecode::{OperandKind, Place};

use crate::frame::{Exit, Record, Regs, Stacks};
use crate::heap::{Obj, text_equal};
use crate::host::Host;
use crate::interp::call::{self, Called};
use crate::interp::{self, At, Insn, turns, unwind};
use crate::machine::Machine;
use crate::native::{NativeContext, Pending};

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
    /// The fuel of a slice is used up (the context has new fuel afterwards). 0: go on; 1: the run stops, which nothing
    /// catches; 2, at a jump: leave native code by an exit at its target.
    Slice,
    /// The same where a function begins (`insn` is 0). 0: go on; 1: the run stops.
    Start,
    /// `%` of floats: `extern "C" fn(f64, f64) -> f64`.
    RemF64,
    /// `**` of floats: `extern "C" fn(f64, f64) -> f64`.
    PowF64,
    /// Whether two texts are equal: `extern "C" fn(text, text) -> u32`, 1 if they are.
    TextEqual,
}

impl RtCall {
    /// All of them.
    pub const ALL: [RtCall; 8] = [
        RtCall::Step,
        RtCall::Call,
        RtCall::Exit,
        RtCall::Slice,
        RtCall::Start,
        RtCall::RemF64,
        RtCall::PowF64,
        RtCall::TextEqual,
    ];

    /// Its name in dumps.
    pub fn name(self) -> &'static str {
        match self {
            RtCall::Step => "rt_step",
            RtCall::Call => "rt_call",
            RtCall::Exit => "rt_exit",
            RtCall::Slice => "rt_slice",
            RtCall::Start => "rt_start",
            RtCall::RemF64 => "rt_rem_f64",
            RtCall::PowF64 => "rt_pow_f64",
            RtCall::TextEqual => "rt_text_equal",
        }
    }

    /// Its address. The first five are [`FrameCall`]s.
    pub fn address(self) -> usize {
        match self {
            RtCall::Step => rt_step as FrameCall as usize,
            RtCall::Call => rt_call as FrameCall as usize,
            RtCall::Exit => rt_exit as FrameCall as usize,
            RtCall::Slice => rt_slice as FrameCall as usize,
            RtCall::Start => rt_start as FrameCall as usize,
            RtCall::RemF64 => rt_rem_f64 as extern "C" fn(f64, f64) -> f64 as usize,
            RtCall::PowF64 => rt_pow_f64 as extern "C" fn(f64, f64) -> f64 as usize,
            RtCall::TextEqual => rt_text_equal as unsafe extern "C" fn(Obj, Obj) -> u32 as usize,
        }
    }
}

extern "C" fn rt_rem_f64(a: f64, b: f64) -> f64 {
    a % b
}

unsafe extern "C" fn rt_text_equal(a: Obj, b: Obj) -> u32 {
    u32::from(text_equal(a, b))
}

extern "C" fn rt_pow_f64(a: f64, b: f64) -> f64 {
    a.powf(b)
}

/// The frame that called out.
#[derive(Clone, Copy)]
struct Frame {
    /// At the instruction that native code names.
    at: At,
    func: u32,
    depth: usize,
}

impl Frame {
    /// Behind the instruction, as the interpreter stands when it raises.
    fn behind(self) -> At {
        At {
            pc: self.at.pc.wrapping_add(1),
            ..self.at
        }
    }

    fn insn(self) -> Insn {
        // SAFETY: native code names instructions of its function.
        Insn::at(unsafe { *self.at.pc })
    }
}

/// Does `body` for native code with the machine that runs it; a panic becomes status 1.
///
/// # Safety
/// `context` is the one that the native code was entered with, the others describe its newest frame.
unsafe fn call_out(
    context: *mut NativeContext,
    window: Regs,
    rp: *mut u64,
    insn: u64,
    body: impl FnOnce(&mut Machine, &mut dyn Host, Frame) -> u32,
) -> u32 {
    // SAFETY: the context is part of the machine that it points to; both pointers were set for this native code.
    let (machine, host) = unsafe { ((*context).machine, (*context).host) };
    let Some(mut host) = host else {
        unreachable!("native code runs with a host");
    };
    // SAFETY: native code runs inside of a call that lent machine and host, and touches neither while this runs.
    let segments = unsafe { (*machine).segments.len() };
    let caught = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: as above.
        let (m, host) = unsafe { (&mut *machine, host.as_mut()) };
        let depth = (rp as usize - m.stacks.words as usize) / 8;
        let segment = m.segments.last_mut().expect("native code has a segment");
        segment.top = depth;
        segment.filled = false;
        // SAFETY: native code stored the word of this frame.
        let func = unsafe { (*rp >> 32) as u32 };
        let info = &m.program.funcs()[func as usize];
        let at = At {
            pc: info.code.wrapping_add(insn as usize),
            code: info.code,
            regs: Stacks::bases(info, window),
        };
        if cfg!(any(feature = "count", feature = "checked")) {
            m.materialise();
        }
        body(m, host, Frame { at, func, depth })
    }));
    // SAFETY: as above; `body` is over.
    let m = unsafe { &mut *machine };
    m.segments.truncate(segments);
    m.native.machine = machine;
    m.native.host = Some(host);
    if let Some(segment) = m.segments.last() {
        let records = segment.records();
        m.stacks.set_depth(records);
    }
    caught.unwrap_or_else(|payload| {
        m.pending = Pending::Panic(payload);
        1
    })
}

unsafe extern "C" fn rt_step(
    context: *mut NativeContext,
    s: *mut u64,
    r: *mut u64,
    rp: *mut u64,
    insn: u64,
) -> u32 {
    let body = |m: &mut Machine, host: &mut dyn Host, frame: Frame| {
        m.native.helper_ops += 1;
        match interp::step(m, host, frame.at) {
            Ok(()) => 0,
            Err(fault) => {
                unwind::leave_pending(m, fault, frame.behind());
                1
            }
        }
    };
    // SAFETY: promised by the native code that calls.
    unsafe { call_out(context, Regs { s, r }, rp, insn, body) }
}

unsafe extern "C" fn rt_call(
    context: *mut NativeContext,
    s: *mut u64,
    r: *mut u64,
    rp: *mut u64,
    insn: u64,
) -> u32 {
    let body = |m: &mut Machine, host: &mut dyn Host, frame: Frame| {
        // The caller's record is made only if somebody looks at it.
        m.stacks.set_depth(frame.depth + 1);
        match call::any_call(frame.insn(), frame.behind(), m, host, true) {
            Ok(Called::Entered(at)) => interpret(m, host, at),
            Ok(Called::Done(_)) => 0,
            Err(fault) => {
                unwind::leave_pending(m, fault, frame.behind());
                1
            }
        }
    };
    // SAFETY: promised by the native code that calls.
    unsafe { call_out(context, Regs { s, r }, rp, insn, body) }
}

unsafe extern "C" fn rt_exit(
    context: *mut NativeContext,
    s: *mut u64,
    r: *mut u64,
    rp: *mut u64,
    insn: u64,
) -> u32 {
    let body = |m: &mut Machine, host: &mut dyn Host, frame: Frame| {
        let at = match std::mem::take(&mut m.pending) {
            Pending::Nothing => frame.at,
            Pending::Error => {
                let error = m.pinned.expect("a pending error is pinned");
                let Some(at) = unwind::caught_here(m, frame.func, error, frame.behind()) else {
                    m.pending = Pending::Error;
                    return 1;
                };
                at
            }
            passing @ (Pending::Stopped | Pending::Panic(_)) => {
                m.pending = passing;
                return 1;
            }
        };
        count_as_interpreted(m, frame);
        interpret(m, host, at)
    };
    // SAFETY: promised by the native code that calls.
    unsafe { call_out(context, Regs { s, r }, rp, insn, body) }
}

/// From now on the frame has a record that counts.
fn count_as_interpreted(m: &mut Machine, frame: Frame) {
    m.stacks.set_depth(frame.depth + 1);
    let result_slot = m.program.funcs()[frame.func as usize].result_slot;
    let segment = m.segments.last().expect("native code has a segment");
    if frame.depth == segment.first && segment.has_record {
        return;
    }
    let record = Record {
        // The caller is native: who looks at it gets it from the call words.
        code: std::ptr::null(),
        pc: std::ptr::null(),
        regs: frame.at.regs,
        func: frame.func,
        result_slot,
        exit: Exit::Leave,
    };
    if !segment.filled {
        // SAFETY: the place of the record of this depth.
        unsafe { m.stacks.record_at(frame.depth).write(record) }
    }
}

/// Interprets until the frame that native code waits for has returned.
fn interpret(m: &mut Machine, host: &mut dyn Host, at: At) -> u32 {
    match interp::run(m, host, at) {
        Ok(()) => 0,
        Err(fault) => {
            unwind::leave_pending(m, fault, at);
            1
        }
    }
}

unsafe extern "C" fn rt_slice(
    context: *mut NativeContext,
    s: *mut u64,
    r: *mut u64,
    rp: *mut u64,
    insn: u64,
) -> u32 {
    let body = |m: &mut Machine, host: &mut dyn Host, frame: Frame| {
        let behind = frame.behind();
        if let Err(fault) = turns::next_slice(m, host, behind.pc, behind.regs) {
            unwind::leave_pending(m, fault, behind);
            return 1;
        }
        let every = m.program.native().options().map_or(0, |o| o.exit_every);
        let insn = frame.insn();
        let at_jump = insn.op().operand(Place::Imm) == Some(OperandKind::Jump);
        if every == 0 || !at_jump {
            return 0;
        }
        m.native_slices += 1;
        if m.native_slices.is_multiple_of(every) {
            2
        } else {
            0
        }
    };
    // SAFETY: promised by the native code that calls.
    unsafe { call_out(context, Regs { s, r }, rp, insn, body) }
}

unsafe extern "C" fn rt_start(
    context: *mut NativeContext,
    s: *mut u64,
    r: *mut u64,
    rp: *mut u64,
    insn: u64,
) -> u32 {
    let body = |m: &mut Machine, host: &mut dyn Host, frame: Frame| {
        let behind = frame.behind();
        match turns::next_slice(m, host, behind.pc, behind.regs) {
            Ok(()) => 0,
            Err(fault) => {
                unwind::leave_pending(m, fault, behind);
                1
            }
        }
    };
    // SAFETY: promised by the native code that calls.
    unsafe { call_out(context, Regs { s, r }, rp, insn, body) }
}
