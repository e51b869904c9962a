//! Lowering of the data family: moves, constants, conversions, tests. Must stay true: a bool in a variable is 0 or 1.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, types};
use flin_bytecode::encode::split_reg_pair;
use flin_bytecode::{Bank, Const, Instr};

use super::Lower;
use crate::Plant;
use crate::operands::Slot;

impl Lower<'_, '_> {
    pub(super) fn mov(&mut self, bank: Bank, i: Instr) {
        let value = self.registers.get(&mut self.b, Self::slot(bank, i.b));
        let slot = Self::slot(bank, i.a);
        self.forget(slot);
        self.keep_for_exit(slot);
        if bank == Bank::Reference && self.planted(Plant::MoveUnwritten) {
            return self.registers.set_unwritten(&mut self.b, slot, value);
        }
        self.registers.set(&mut self.b, &self.regions, slot, value);
    }

    pub(super) fn mov_wide(&mut self, i: Instr) {
        let bank = if i.a == 0 {
            Bank::Scalar
        } else {
            Bank::Reference
        };
        let (to, from) = split_reg_pair(i.imm);
        let value = self.registers.get(&mut self.b, Slot { bank, reg: from });
        let slot = Slot { bank, reg: to };
        self.forget(slot);
        self.registers.set(&mut self.b, &self.regions, slot, value);
    }

    pub(super) fn const_int(&mut self, to: u8, value: i64) {
        let value = self.b.ins().iconst(types::I64, value);
        self.set_scalar(to, value);
    }

    pub(super) fn const_int_pool(&mut self, i: Instr) {
        if let Const::Int(value) = self.unit.outside.module.constants[i.imm as usize] {
            self.const_int(i.a, value);
        }
    }

    pub(super) fn const_float(&mut self, i: Instr) {
        if let Const::Float(value) = self.unit.outside.module.constants[i.imm as usize] {
            let value = self.b.ins().f64const(value);
            self.set_scalar(i.a, value);
        }
    }

    pub(super) fn const_bool(&mut self, to: u8, value: bool) {
        let value = self.b.ins().iconst(types::I8, i64::from(value));
        self.set_scalar(to, value);
    }

    /// An object that lives as long as the program.
    pub(super) fn const_reference(&mut self, to: u8, address: i64) {
        let value = self.b.ins().iconst(types::I64, address);
        self.set_reference(to, value);
    }

    pub(super) fn int_to_float(&mut self, i: Instr) {
        let b = self.scalar(i.b);
        let value = self.b.ins().fcvt_from_sint(types::F64, b);
        self.set_scalar(i.a, value);
    }

    pub(super) fn truthy_int(&mut self, i: Instr) {
        let b = self.scalar(i.b);
        let value = self.b.ins().icmp_imm_s(IntCC::NotEqual, b, 0);
        self.set_scalar(i.a, value);
    }

    pub(super) fn truthy_float(&mut self, i: Instr) {
        let b = self.scalar(i.b);
        let zero = self.b.ins().f64const(0.0);
        // NaN is true: it is not equal to 0.
        let value = self.b.ins().fcmp(FloatCC::NotEqual, b, zero);
        self.set_scalar(i.a, value);
    }

    pub(super) fn not_bool(&mut self, i: Instr) {
        let b = self.scalar(i.b);
        let value = self.b.ins().icmp_imm_s(IntCC::Equal, b, 0);
        self.set_scalar(i.a, value);
    }

    pub(super) fn is_none(&mut self, i: Instr) {
        let b = self.reference(i.b);
        let none = self.unit.outside.none;
        let value = self.b.ins().icmp_imm_s(IntCC::Equal, b, none);
        self.set_scalar(i.a, value);
    }
}
