//! Bodies of the arith family. Must stay true: int arithmetic is checked, but for `wrap`, which the compiler has proved; float arithmetic follows IEEE 754.

use super::Insn;
use crate::fault::Res;
use crate::frame::Regs;
use crate::heap::{Kind, Obj};
use crate::machine::Machine;
use crate::semantics::arith as slow;

macro_rules! checked {
    ($name:ident, $method:ident, $what:literal) => {
        #[inline(always)]
        pub(super) fn $name(i: Insn, f: Regs) -> Res<()> {
            let (b, c) = (f.int(i.b()), f.int(i.c()));
            let Some(value) = b.$method(c) else {
                return Err(slow::overflow(b, $what, c));
            };
            f.set_int(i.a(), value);
            Ok(())
        }
    };
}

checked!(add_i64, checked_add, "+");
checked!(sub_i64, checked_sub, "-");
checked!(mul_i64, checked_mul, "*");

#[inline(always)]
pub(super) fn div_i64(i: Insn, f: Regs) -> Res<()> {
    let (b, c) = (f.int(i.b()), f.int(i.c()));
    let Some(value) = b.checked_div(c) else {
        return Err(slow::division_fault(b, "/", c));
    };
    f.set_int(i.a(), value);
    Ok(())
}

#[inline(always)]
pub(super) fn rem_i64(i: Insn, f: Regs) -> Res<()> {
    let (b, c) = (f.int(i.b()), f.int(i.c()));
    if c == 0 {
        return Err(slow::division_fault(b, "%", c));
    }
    f.set_int(i.a(), b.wrapping_rem(c));
    Ok(())
}

#[inline(never)]
pub(super) fn pow_i64(i: Insn, f: Regs) -> Res<()> {
    f.set_int(i.a(), slow::pow_int(f.int(i.b()), f.int(i.c()))?);
    Ok(())
}

#[inline(always)]
pub(super) fn add_imm_i64(i: Insn, f: Regs) -> Res<()> {
    let (b, c) = (f.int(i.b()), i64::from(i.imm()));
    let Some(value) = b.checked_add(c) else {
        return Err(slow::overflow(b, "+", c));
    };
    f.set_int(i.a(), value);
    Ok(())
}

macro_rules! wrapping {
    ($name:ident, $method:ident) => {
        #[inline(always)]
        pub(super) fn $name(i: Insn, f: Regs) {
            f.set_int(i.a(), f.int(i.b()).$method(f.int(i.c())));
        }
    };
}

wrapping!(add_wrap_i64, wrapping_add);
wrapping!(sub_wrap_i64, wrapping_sub);
wrapping!(mul_wrap_i64, wrapping_mul);

#[inline(always)]
pub(super) fn add_imm_wrap_i64(i: Insn, f: Regs) {
    f.set_int(i.a(), f.int(i.b()).wrapping_add(i64::from(i.imm())));
}

#[inline(always)]
pub(super) fn neg_i64(i: Insn, f: Regs) -> Res<()> {
    let b = f.int(i.b());
    let Some(value) = b.checked_neg() else {
        return Err(slow::overflow(0, "-", b));
    };
    f.set_int(i.a(), value);
    Ok(())
}

macro_rules! float {
    ($name:ident, |$b:ident, $c:ident| $value:expr) => {
        #[inline(always)]
        pub(super) fn $name(i: Insn, f: Regs) {
            let ($b, $c) = (f.float(i.b()), f.float(i.c()));
            f.set_float(i.a(), $value);
        }
    };
}

float!(add_f64, |b, c| b + c);
float!(sub_f64, |b, c| b - c);
float!(mul_f64, |b, c| b * c);
float!(div_f64, |b, c| b / c);

/// Out of line: these call a function, and a call in the loop costs registers everywhere.
macro_rules! far_float {
    ($name:ident, |$b:ident, $c:ident| $value:expr) => {
        #[inline(never)]
        pub(super) fn $name(i: Insn, f: Regs) {
            let ($b, $c) = (f.float(i.b()), f.float(i.c()));
            f.set_float(i.a(), $value);
        }
    };
}

far_float!(rem_f64, |b, c| b % c);
far_float!(pow_f64, |b, c| b.powf(c));

#[inline(always)]
pub(super) fn neg_f64(i: Insn, f: Regs) {
    f.set_float(i.a(), -f.float(i.b()));
}

macro_rules! any {
    ($name:ident, $slow:path) => {
        #[inline(never)]
        pub(super) fn $name(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
            f.set_any(i.a(), $slow(m, f.any(i.b()), f.any(i.c()))?);
            Ok(())
        }
    };
}

any!(add_any, slow::add);
any!(sub_any, slow::sub);
any!(mul_any, slow::mul);
any!(div_any, slow::div);
any!(rem_any, slow::rem);
any!(pow_any, slow::pow);

#[inline(never)]
pub(super) fn neg_any(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    f.set_any(i.a(), slow::neg(m, f.any(i.b()))?);
    Ok(())
}

#[inline(never)]
pub(super) fn list_concat(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let list = |obj: Obj| {
        if obj.kind() == Kind::List {
            Ok(obj)
        } else {
            Err(crate::fault::Fault::expected("list", obj.view()))
        }
    };
    let joined = m
        .heap
        .list_concat(list(f.obj(i.b()))?, list(f.obj(i.c()))?)?;
    f.set_obj(i.a(), joined);
    Ok(())
}
