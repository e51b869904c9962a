//! Library rows that are an instruction or two. Here because calls of them stand in the hottest loops of numeric programs.
//! Must stay true: the result is bit for bit that of the row's body in the VM; all other rows go by helper.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, Value, types};
use flin_bytecode::{Instr, LibId, Native};

use super::Lower;

/// Whether a row is done in place (but for odd arguments).
pub(crate) fn is_in_place(lib: i32) -> bool {
    matches!(
        Native::from_lib(LibId(lib as u16)),
        Some(
            Native::FloatSqrt
                | Native::FloatAbs
                | Native::FloatFloor
                | Native::FloatCeil
                | Native::FloatToInt
                | Native::FloatRound
                | Native::IntMin
                | Native::IntMax
                | Native::IntAbs
                | Native::IntFloor
                | Native::IntCeil
                | Native::IntRound
                | Native::IntToInt
                | Native::TextCodeAt
        )
    )
}

impl Lower<'_, '_> {
    pub(super) fn call_lib(&mut self, i: Instr) {
        // Arguments stand from register a on, and the result of a number goes there, too.
        match Native::from_lib(LibId(i.imm as u16)) {
            Some(Native::FloatSqrt) => self.float_row(i, |l, x| l.b.ins().sqrt(x)),
            Some(Native::FloatAbs) => self.float_row(i, |l, x| l.b.ins().fabs(x)),
            Some(Native::FloatFloor) => self.whole_row(i, |l, x| l.b.ins().floor(x)),
            Some(Native::FloatCeil) => self.whole_row(i, |l, x| l.b.ins().ceil(x)),
            Some(Native::FloatToInt) => self.whole_row(i, |l, x| l.b.ins().trunc(x)),
            Some(Native::FloatRound) => self.whole_row(i, Self::rounded),
            Some(Native::IntMin) => self.int_choice(i, IntCC::SignedLessThan),
            Some(Native::IntMax) => self.int_choice(i, IntCC::SignedGreaterThan),
            Some(Native::IntAbs) => self.int_abs(i),
            Some(Native::TextCodeAt) => self.text_code_at(i),
            Some(Native::IntFloor | Native::IntCeil | Native::IntRound | Native::IntToInt) => {}
            _ => self.by_helper(),
        }
    }

    fn float_row(&mut self, i: Instr, row: fn(&mut Self, Value) -> Value) {
        let argument = self.scalar(i.a);
        let value = row(self, argument);
        self.set_scalar(i.a, value);
    }

    /// A row from float to int: the result stands in the register behind the argument, which has another class.
    fn whole_row(&mut self, i: Instr, row: fn(&mut Self, Value) -> Value) {
        let argument = self.scalar(i.a);
        let slow = self.cold_block();
        let value = row(self, argument);
        self.whole(i.a + 1, value, slow);
        self.or_by_helper(slow);
    }

    /// The nearest whole float, halves away from 0.
    fn rounded(&mut self, value: Value) -> Value {
        let whole = self.b.ins().trunc(value);
        let rest = self.b.ins().fsub(value, whole);
        let rest = self.b.ins().fabs(rest);
        let half = self.b.ins().f64const(0.5);
        let up = self.b.ins().fcmp(FloatCC::GreaterThanOrEqual, rest, half);
        let one = self.b.ins().f64const(1.0);
        let one = self.b.ins().fcopysign(one, value);
        let further = self.b.ins().fadd(whole, one);
        self.b.ins().select(up, further, whole)
    }

    fn int_choice(&mut self, i: Instr, first_if: IntCC) {
        let (a, b) = (self.scalar(i.a), self.scalar(i.a + 1));
        let first = self.b.ins().icmp(first_if, a, b);
        let value = self.b.ins().select(first, a, b);
        self.set_scalar(i.a, value);
    }

    fn int_abs(&mut self, i: Instr) {
        let value = self.scalar(i.a);
        let least = self.b.ins().icmp_imm_s(IntCC::Equal, value, i64::MIN);
        self.exit_if(least);
        let zero = self.b.ins().iconst(types::I64, 0);
        let negative = self.b.ins().icmp(IntCC::SignedLessThan, value, zero);
        let other = self.b.ins().ineg(value);
        let value = self.b.ins().select(negative, other, value);
        self.set_scalar(i.a, value);
    }
}
