//! Lowering of the arith family. Must stay true: an int operation that would overflow or divide by zero exits before it
//! has changed anything, so that the interpreter raises the error; floats are IEEE 754 as in the interpreter.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use flin_bytecode::{Instr, Op};
use flin_vm::native::RtCall;

use super::Lower;
use crate::{Plant, convention};

impl Lower<'_, '_> {
    pub(super) fn add(&mut self, i: Instr) {
        let (b, c) = (self.scalar(i.b), self.scalar(i.c));
        match (self.constant(b), self.constant(c)) {
            (_, Some(constant)) => self.add_constant(i.a, b, constant),
            (Some(constant), None) => self.add_constant(i.a, c, constant),
            (None, None) => self.add_values(i.a, b, c),
        }
    }

    /// Adding a constant overflows exactly if the sum does not lie on the side where it must: a compare, which is cheaper
    /// than taking the flag.
    fn add_constant(&mut self, to: u8, b: Value, constant: i64) {
        let value = self.b.ins().iadd_imm_s(b, constant);
        let wrong_side = if constant >= 0 {
            IntCC::SignedLessThan
        } else {
            IntCC::SignedGreaterThan
        };
        let overflows = self.b.ins().icmp(wrong_side, value, b);
        self.overflows_by_compare(overflows);
        self.set_scalar(to, value);
    }

    pub(super) fn add_imm(&mut self, i: Instr) {
        let b = self.scalar(i.b);
        self.add_constant(i.a, b, i64::from(i.imm));
    }

    fn add_values(&mut self, to: u8, b: Value, c: Value) {
        let (value, overflows) = self.b.ins().sadd_overflow(b, c);
        self.overflows(overflows);
        self.set_scalar(to, value);
    }

    pub(super) fn sub(&mut self, i: Instr) {
        let (b, c) = (self.scalar(i.b), self.scalar(i.c));
        if self.planted(Plant::SubIsAdd) {
            return self.add_values(i.a, b, c);
        }
        if let Some(negated) = self.constant(c).and_then(i64::checked_neg) {
            return self.add_constant(i.a, b, negated);
        }
        let (value, overflows) = self.b.ins().ssub_overflow(b, c);
        self.overflows(overflows);
        self.set_scalar(i.a, value);
    }

    pub(super) fn mul(&mut self, i: Instr) {
        assert!(!self.planted(Plant::ProductPanics), "a planted panic");
        let (b, c) = (self.scalar(i.b), self.scalar(i.c));
        let (value, overflows) = self.b.ins().smul_overflow(b, c);
        self.overflows(overflows);
        self.set_scalar(i.a, value);
    }

    /// What the compiler has proved not to overflow.
    pub(super) fn wrapping(&mut self, i: Instr) {
        let (b, c) = (self.scalar(i.b), self.scalar(i.c));
        let value = match i.op {
            Op::AddWrapI64 => self.b.ins().iadd(b, c),
            Op::SubWrapI64 => self.b.ins().isub(b, c),
            Op::MulWrapI64 => self.b.ins().imul(b, c),
            other => unreachable!("{other:?} checks what it does"),
        };
        self.set_scalar(i.a, value);
    }

    pub(super) fn add_imm_wrapping(&mut self, i: Instr) {
        let b = self.scalar(i.b);
        let c = self.b.ins().iconst(types::I64, i64::from(i.imm));
        let value = self.b.ins().iadd(b, c);
        self.set_scalar(i.a, value);
    }

    pub(super) fn neg(&mut self, i: Instr) {
        let b = self.scalar(i.b);
        let least = self.b.ins().icmp_imm_s(IntCC::Equal, b, i64::MIN);
        self.overflows_by_compare(least);
        let value = self.b.ins().ineg(b);
        self.set_scalar(i.a, value);
    }

    pub(super) fn div(&mut self, i: Instr) {
        let (b, c) = (self.scalar(i.b), self.scalar(i.c));
        match self.constant(c) {
            Some(0) => return self.leave_and_stop(),
            Some(-1) => {
                let least = self.b.ins().icmp_imm_s(IntCC::Equal, b, i64::MIN);
                self.exit_if(least);
            }
            Some(_) => {}
            None => {
                let zero = self.b.ins().icmp_imm_s(IntCC::Equal, c, 0);
                self.exit_if(zero);
                let least = self.b.ins().icmp_imm_s(IntCC::Equal, b, i64::MIN);
                let minus = self.b.ins().icmp_imm_s(IntCC::Equal, c, -1);
                let both = self.b.ins().band(least, minus);
                self.exit_if(both);
            }
        }
        let value = self.b.ins().sdiv(b, c);
        self.set_scalar(i.a, value);
    }

    pub(super) fn rem(&mut self, i: Instr) {
        let (b, c) = (self.scalar(i.b), self.scalar(i.c));
        match self.constant(c) {
            Some(0) => return self.leave_and_stop(),
            Some(_) => {}
            None => {
                let zero = self.b.ins().icmp_imm_s(IntCC::Equal, c, 0);
                self.exit_if(zero);
            }
        }
        // MIN % -1 is 0 for Cranelift, too.
        let value = self.b.ins().srem(b, c);
        self.set_scalar(i.a, value);
    }

    /// An instruction that always raises in the middle of a block: what follows is translated, but never reached.
    fn leave_and_stop(&mut self) {
        self.check_run();
        self.leave();
        // What registers held before the run is not known behind the jump.
        self.end_run();
        let never = self.new_block();
        self.go_on_in(never);
        let zero = self.b.ins().iconst(types::I64, 0);
        let to = self.unit.code[self.at as usize].a;
        self.set_scalar(to, zero);
    }

    pub(super) fn float_op(&mut self, i: Instr) {
        let (b, c) = (self.scalar(i.b), self.scalar(i.c));
        let value = match i.op {
            Op::AddF64 => self.b.ins().fadd(b, c),
            Op::SubF64 => self.b.ins().fsub(b, c),
            Op::MulF64 => self.b.ins().fmul(b, c),
            Op::DivF64 => self.b.ins().fdiv(b, c),
            other => unreachable!("{other:?} is no operation of two floats"),
        };
        self.set_scalar(i.a, value);
    }

    pub(super) fn neg_float(&mut self, i: Instr) {
        let b = self.scalar(i.b);
        let value = self.b.ins().fneg(b);
        self.set_scalar(i.a, value);
    }

    /// A function of two floats that the machine has.
    pub(super) fn float_call(&mut self, i: Instr, call: RtCall) {
        let (b, c) = (self.scalar(i.b), self.scalar(i.c));
        let signature = self
            .b
            .import_signature(convention::float_call(self.call_conv));
        let callee = self.b.ins().iconst(types::I64, call.address() as i64);
        let call = self.b.ins().call_indirect(signature, callee, &[b, c]);
        let value = self.b.inst_results(call)[0];
        self.set_scalar(i.a, value);
    }
}
