//! Bodies of the control family: conditions of jumps, and raising. The jump itself stands in the dispatch loop, because it
//! costs fuel when it goes back. Must stay true: `for_next` is entered only with a < b, so it cannot overflow in compiled
//! code; in nonsensical code it wraps.

use super::Insn;
use crate::fault::Fault;
use crate::frame::Regs;
use crate::heap::Kind;
use crate::trap::ErrorKind;

#[inline(always)]
pub(super) fn eq_i64(i: Insn, f: Regs) -> bool {
    f.int(i.a()) == f.int(i.b())
}

#[inline(always)]
pub(super) fn lt_i64(i: Insn, f: Regs) -> bool {
    f.int(i.a()) < f.int(i.b())
}

#[inline(always)]
pub(super) fn le_i64(i: Insn, f: Regs) -> bool {
    f.int(i.a()) <= f.int(i.b())
}

#[inline(always)]
pub(super) fn lt_f64(i: Insn, f: Regs) -> bool {
    f.float(i.a()) < f.float(i.b())
}

#[inline(always)]
pub(super) fn le_f64(i: Insn, f: Regs) -> bool {
    f.float(i.a()) <= f.float(i.b())
}

#[inline(always)]
pub(super) fn for_next(i: Insn, f: Regs) -> bool {
    let next = f.int(i.a()).wrapping_add(1);
    f.set_int(i.a(), next);
    next < f.int(i.b())
}

/// The error object in a register goes on its way.
#[cold]
#[inline(never)]
pub(super) fn throw(i: Insn, f: Regs) -> Fault {
    let error = f.obj(i.a());
    if error.kind() == Kind::Error {
        Fault::thrown(error)
    } else {
        Fault::expected("error", error.view())
    }
}

/// A new error of a kind that the program names.
#[cold]
#[inline(never)]
pub(super) fn fail(i: Insn, f: Regs) -> Fault {
    let (kind, message) = (f.obj(i.a()), f.obj(i.b()));
    let (Some(kind), Some(message)) = (kind.text(), message.text()) else {
        return Fault::type_error("fail expects two texts: a kind and a message");
    };
    // Nothing may pretend to be the one error that cannot be caught.
    match ErrorKind::from_name(kind) {
        ErrorKind::TimeLimitExceeded => {
            Fault::new(ErrorKind::Custom("TimeLimitExceeded".to_owned()), message)
        }
        kind => Fault::new(kind, message),
    }
}
