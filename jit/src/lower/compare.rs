//! Lowering of the compare family. Must stay true: comparing with NaN is false.

use cranelift_codegen::ir::InstBuilder;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use flin_bytecode::{Instr, Op};

use super::Lower;
use crate::Plant;

impl Lower<'_, '_> {
    pub(super) fn compare_ints(&mut self, i: Instr) {
        let (b, c) = (self.scalar(i.b), self.scalar(i.c));
        let condition = match i.op {
            Op::EqI64 => IntCC::Equal,
            Op::LtI64 if self.planted(Plant::LessIsLessOrEqual) => IntCC::SignedLessThanOrEqual,
            Op::LtI64 => IntCC::SignedLessThan,
            Op::LeI64 => IntCC::SignedLessThanOrEqual,
            other => unreachable!("{other:?} compares no ints"),
        };
        let value = self.b.ins().icmp(condition, b, c);
        self.set_scalar(i.a, value);
    }

    pub(super) fn compare_floats(&mut self, i: Instr) {
        let (b, c) = (self.scalar(i.b), self.scalar(i.c));
        let condition = match i.op {
            Op::EqF64 => FloatCC::Equal,
            Op::LtF64 => FloatCC::LessThan,
            Op::LeF64 => FloatCC::LessThanOrEqual,
            other => unreachable!("{other:?} compares no floats"),
        };
        let value = self.b.ins().fcmp(condition, b, c);
        self.set_scalar(i.a, value);
    }

    pub(super) fn equal_bools(&mut self, i: Instr) {
        let (b, c) = (self.scalar(i.b), self.scalar(i.c));
        let value = self.b.ins().icmp(IntCC::Equal, b, c);
        self.set_scalar(i.a, value);
    }
}
