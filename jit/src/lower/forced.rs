//! Exits that nothing asks for. Here because an exit that is rarely taken is rarely tested: with `JitOptions::leave_every`
//! the frame is given to the interpreter before every n-th instruction, wherever that may be. Must stay true: without
//! that option nothing of this is in the code; leaving before an instruction is always right, so nobody can tell.

use cranelift_codegen::ir::InstBuilder;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types;
use flin_bytecode::{Instr, Op};
use flin_vm::native::layout;

use super::Lower;
use crate::regions::Region;

impl Lower<'_, '_> {
    /// Leaves before this instruction if it is its turn.
    pub(super) fn leave_now_and_then(&mut self, instr: Instr) {
        let every = i64::from(self.knobs.leave_every);
        if every == 0 || is_plain(instr.op) {
            return;
        }
        let context = self.context();
        let flags = self.regions.flags(Region::Context);
        let offset = layout::CONTEXT_UNTIL_LEAVING;
        let left = self.b.ins().load(types::I64, flags, context, offset);
        let is_turn = self.b.ins().icmp_imm_s(IntCC::Equal, left, 0);
        let less = self.b.ins().iadd_imm_s(left, -1);
        let all = self.b.ins().iconst(types::I64, every - 1);
        let next = self.b.ins().select(is_turn, all, less);
        self.b.ins().store(flags, next, context, offset);
        self.exit_if(is_turn);
    }
}

/// Moves and constants: the next instruction will show what is wrong with them.
fn is_plain(op: Op) -> bool {
    matches!(
        op,
        Op::MovI64
            | Op::MovF64
            | Op::MovBool
            | Op::MovRef
            | Op::MovAny
            | Op::MovWide
            | Op::ConstI64
            | Op::ConstI64Pool
            | Op::ConstF64
            | Op::ConstBool
            | Op::ConstText
            | Op::NoneRef
            | Op::NoneAny
    )
}
