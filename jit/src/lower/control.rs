//! Lowering of the control family. Must stay true: a jump back burns one unit of fuel; when the slice is used up the
//! machine is asked, and may want the frame back at the jump's target.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, Value};
use flin_bytecode::{Instr, Op};

use super::{Lower, is_back_edge};
use crate::Plant;

impl Lower<'_, '_> {
    /// The interpreter does this instruction and the rest of the frame.
    pub(super) fn leave(&mut self) {
        let exit = self.exit_here();
        self.b.ins().jump(exit, &[]);
    }

    pub(super) fn jump(&mut self, i: Instr) {
        let target = self.unit.flow.block_at(i.imm as u32);
        if is_back_edge(self.at, &i) {
            self.go_back(i.imm as u32, target);
        } else {
            self.jump_to(target);
        }
    }

    pub(super) fn jump_bool(&mut self, i: Instr) {
        let condition = self.scalar(i.a);
        self.branch(i, condition, i.op == Op::JumpIf);
    }

    pub(super) fn jump_ints(&mut self, i: Instr) {
        if self.turns_in_strip() {
            return self.end_of_turn(i);
        }
        let (a, b) = (self.scalar(i.a), self.scalar(i.b));
        let condition = match i.op {
            Op::JumpEqI64 => IntCC::Equal,
            Op::JumpNeI64 => IntCC::NotEqual,
            Op::JumpLtI64 if self.planted(Plant::LessIsLessOrEqual) => IntCC::SignedLessThanOrEqual,
            Op::JumpLtI64 => IntCC::SignedLessThan,
            Op::JumpLeI64 => IntCC::SignedLessThanOrEqual,
            other => unreachable!("{other:?} compares no ints"),
        };
        let condition = self.b.ins().icmp(condition, a, b);
        self.branch(i, condition, true);
    }

    pub(super) fn jump_floats(&mut self, i: Instr) {
        let (a, b) = (self.scalar(i.a), self.scalar(i.b));
        let (condition, wanted) = match i.op {
            Op::JumpLtF64 => (FloatCC::LessThan, true),
            Op::JumpLeF64 => (FloatCC::LessThanOrEqual, true),
            Op::JumpNltF64 => (FloatCC::LessThan, false),
            Op::JumpNleF64 => (FloatCC::LessThanOrEqual, false),
            other => unreachable!("{other:?} compares no floats"),
        };
        let condition = self.b.ins().fcmp(condition, a, b);
        self.branch(i, condition, wanted);
    }

    pub(super) fn for_next(&mut self, i: Instr) {
        let a = self.scalar(i.a);
        let next = self.b.ins().iadd_imm_s(a, 1);
        self.set_scalar(i.a, next);
        if self.turns_in_strip() {
            return self.end_of_turn(i);
        }
        let b = self.scalar(i.b);
        let condition = self.b.ins().icmp(IntCC::SignedLessThan, next, b);
        self.branch(i, condition, true);
    }

    /// Goes to the jump's target if the condition is as wanted, else on.
    fn branch(&mut self, i: Instr, condition: Value, wanted: bool) {
        let target = self.unit.flow.block_at(i.imm as u32);
        let back = is_back_edge(self.at, &i);
        let taken = if back { None } else { self.straight_to(target) };
        let next_number = self.unit.flow.block_at(self.at + 1);
        let next = self.straight_to(next_number);
        let taken_block = taken.unwrap_or_else(|| self.new_block());
        let next_block = next.unwrap_or_else(|| self.new_block());
        let (yes, no) = if wanted {
            (taken_block, next_block)
        } else {
            (next_block, taken_block)
        };
        self.b.ins().brif(condition, yes, &[], no, &[]);
        if taken.is_none() {
            self.go_on_in(taken_block);
            if back {
                self.go_back(i.imm as u32, target);
            } else {
                self.jump_to(target);
            }
        }
        if next.is_none() {
            self.go_on_in(next_block);
            self.jump_to(next_number);
        }
    }

    /// Burns a unit of fuel and jumps back.
    fn go_back(&mut self, to: u32, target: u32) {
        self.settle_fuel();
        let fuel = self.fuel.expect("a unit with a loop keeps its fuel");
        let before = self.b.use_var(fuel);
        let left = self.b.ins().iadd_imm_s(before, -1);
        self.b.def_var(fuel, left);
        let used_up = self.cold_block();
        let again = self.way_to(target);
        self.b.ins().brif(left, again, &[], used_up, &[]);
        self.go_on_in(used_up);
        self.fetch_rarely(target);
        self.ask_for_fuel(to, target);
    }

    /// The slice is used up: the machine is asked, then the loop that begins at `to` goes on.
    pub(super) fn ask_for_fuel(&mut self, to: u32, target: u32) {
        self.put_fuel();
        let status = self.rare_call(self.links.thunks.slice);
        self.load_fuel();
        // The machine wants the frame back, or stops: nobody catches that, so it does not matter where.
        let (wanted_back, again) = (self.exit_at_start(to), self.way_anew(target));
        self.b.ins().brif(status, wanted_back, &[], again, &[]);
    }
}
