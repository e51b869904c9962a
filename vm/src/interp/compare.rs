//! Bodies of the compare family. Must stay true: comparing floats with NaN is false; unlike types are unequal and have
//! no order.

use super::Insn;
use crate::fault::{Fault, Res};
use crate::frame::Regs;
use crate::machine::Machine;
use crate::semantics::compare as slow;

macro_rules! scalar {
    ($name:ident, $get:ident, $op:tt) => {
        #[inline(always)]
        pub(super) fn $name(i: Insn, f: Regs) {
            f.set_bool(i.a(), f.$get(i.b()) $op f.$get(i.c()));
        }
    };
}

scalar!(eq_i64, int, ==);
scalar!(lt_i64, int, <);
scalar!(le_i64, int, <=);
scalar!(eq_f64, float, ==);
scalar!(lt_f64, float, <);
scalar!(le_f64, float, <=);
scalar!(eq_bool, bool, ==);

#[inline(never)]
pub(super) fn eq_any(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let equal = slow::equal(m, f.any(i.b()), f.any(i.c()))?;
    f.set_bool(i.a(), equal);
    Ok(())
}

macro_rules! text {
    ($name:ident, $op:tt) => {
        #[inline(never)]
        pub(super) fn $name(i: Insn, f: Regs) -> Res<()> {
            let (b, c) = (f.obj(i.b()), f.obj(i.c()));
            let (Some(left), Some(right)) = (b.text(), c.text()) else {
                return Err(Fault::type_error(slow::unordered(b.view(), c.view())));
            };
            f.set_bool(i.a(), left $op right);
            Ok(())
        }
    };
}

text!(lt_text, <);
text!(le_text, <=);

#[inline(never)]
pub(super) fn lt_any(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let order = slow::order(m, f.any(i.b()), f.any(i.c()))?;
    f.set_bool(i.a(), order.is_some_and(|order| order.is_lt()));
    Ok(())
}

#[inline(never)]
pub(super) fn le_any(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    let order = slow::order(m, f.any(i.b()), f.any(i.c()))?;
    f.set_bool(i.a(), order.is_some_and(|order| order.is_le()));
    Ok(())
}
