//! Ways into native code: calls, and loops that are already running. Here because the machine's state must be put down
//! before and taken up after, in one place.
//! Must stay true: whoever enters has made sure of the call depth, of the frame's slots and of enough machine stack; when
//! native code has ended, its segment is gone and the records count as before.

use std::ptr::NonNull;

use super::{OsrEntry, Pending, Segment, Trampoline};
use crate::fault::{Fault, Res};
use crate::frame::{Exit, Record, Regs, Stacks};
use crate::host::Host;
use crate::interp::At;
use crate::machine::Machine;

/// Most bytes of machine stack that a native frame may use; a compiler publishes nothing that uses more.
pub(crate) const MACHINE_FRAME_BYTES: usize = 16 << 10;
/// Machine stack for what native code calls.
const CALLED_BYTES: usize = 1 << 20;
/// A new piece of machine stack is longer by this than what is needed at once.
const SPARE_BYTES: usize = 2 << 20;

/// Runs `work` with machine stack for native frames up to the call depth.
pub(crate) fn with_machine_stack<T>(m: &mut Machine, work: impl FnOnce(&mut Machine) -> T) -> T {
    let needed = m.stacks.depth_left() * MACHINE_FRAME_BYTES + CALLED_BYTES;
    stacker::maybe_grow(needed, needed + SPARE_BYTES, || work(m))
}

/// Calls the native code of a function whose arguments stand in `window`; its result stands there afterwards.
pub(crate) fn call(
    m: &mut Machine,
    host: &mut dyn Host,
    code: (NonNull<u8>, NonNull<u8>),
    window: Regs,
    from: At,
) -> Res<()> {
    let (native, trampoline) = code;
    // SAFETY: `Native::publish` takes a trampoline only.
    let trampoline = unsafe { std::mem::transmute::<NonNull<u8>, Trampoline>(trampoline) };
    let first = m.stacks.records.len();
    let segment = Segment {
        from,
        first,
        window,
        has_record: false,
        top: first,
        filled: false,
    };
    enter(m, host, segment, trampoline, native.as_ptr())
}

/// What became of a frame whose loop went on in native code.
pub(crate) enum Continued {
    /// It returned; the result stands in its window. Its record still counts.
    Returned,
    /// It is gone with an error, which its caller has now.
    Failed(Fault),
}

/// Goes on with the running frame in native code. All its live registers stand in the frame.
pub(crate) fn go_on(
    m: &mut Machine,
    host: &mut dyn Host,
    entry: OsrEntry,
    at: At,
    insn: u32,
) -> Continued {
    let first = m.stacks.records.len() - 1;
    let place = m.stacks.record_at(first);
    // SAFETY: the record of the running frame.
    let record: Record = unsafe { *place };
    // SAFETY: as above. What native code gives back to the interpreter must come back here.
    unsafe { (*place).exit = Exit::Leave }
    let info = &m.program.funcs()[record.func as usize];
    let window = Stacks::window_of(info, at.regs);
    m.stacks
        .set_last_word(u64::from(record.func) << 32 | u64::from(insn));
    let segment = Segment {
        from: At {
            pc: record.pc,
            code: record.code,
            regs: record.regs,
        },
        first,
        window,
        has_record: true,
        top: first,
        filled: false,
    };
    let result = enter(m, host, segment, entry.0, std::ptr::null());
    // SAFETY: the place of this frame's record; nothing but this function has changed it.
    unsafe { (*m.stacks.record_at(first)).exit = record.exit }
    match result {
        Ok(()) => Continued::Returned,
        Err(fault) => {
            m.stacks.set_depth(first);
            Continued::Failed(fault)
        }
    }
}

fn enter(
    m: &mut Machine,
    host: &mut dyn Host,
    segment: Segment,
    code: Trampoline,
    target: *const u8,
) -> Res<()> {
    let records = segment.records();
    let (window, first) = (segment.window, segment.first);
    m.segments.push(segment);
    let status = with_machine_stack(m, |m| {
        let host: NonNull<dyn Host + '_> = NonNull::from(host);
        // SAFETY: only the lifetime changes; native code, and so who reads this, runs only inside this call.
        let host =
            unsafe { std::mem::transmute::<NonNull<dyn Host + '_>, NonNull<dyn Host>>(host) };
        let rp = m.stacks.words.wrapping_add(first);
        m.prepare_context();
        m.native.host = Some(host);
        let machine: *mut Machine = m;
        // SAFETY: published code, called as its convention says; the machine is not touched from here but through
        // the pointer in the context until it has returned.
        unsafe {
            (*machine).native.machine = machine;
            code(&raw mut (*machine).native, window.s, window.r, rp, target)
        }
    });
    m.segments.pop();
    m.stacks.set_depth(records);
    if status == 0 {
        return Ok(());
    }
    Err(take_pending(m))
}

/// The error that native code has left. A panic goes on.
fn take_pending(m: &mut Machine) -> Fault {
    match std::mem::take(&mut m.pending) {
        Pending::Error => Fault::thrown(m.pinned.expect("a pending error is pinned")),
        Pending::Stopped => Fault::stopped(),
        Pending::Panic(payload) => std::panic::resume_unwind(payload),
        Pending::Nothing => unreachable!("native code says that an error is pending"),
    }
}
