//! Runs: quiet instructions one after the other, that read and write scalar registers and nothing else. Here because a function of
//! sums and products would else have a way out per instruction, and what takes Cranelift its time is blocks. An exit
//! anywhere in a run, or at the instruction behind it, leaves before the *first* instruction: the interpreter does the
//! quiet ones once more, comes to the same values, and raises where it must. So a run has one exit, and its overflows
//! are gathered and asked for once, at its end. Must stay true: the exit finds every register that the interpreter needs as it
//! was before the run; nobody outside of the run uses a value before the overflows have been asked for.

use cranelift_codegen::ir::{Block, InstBuilder, Value};
use flin_bytecode::{Bank, Op};

use super::Lower;
use crate::Plant;
use crate::operands::Slot;

/// The run that is being translated.
pub(crate) struct Run {
    /// Its first instruction.
    pub(crate) start: u32,
    /// Registers that it has written and the interpreter needs, as they were before.
    pub(crate) before: Vec<(u16, Value)>,
    /// Its exit, if it has one by now.
    pub(crate) exit: Option<Block>,
    /// Whether anything has overflowed.
    overflow: Option<Value>,
}

/// Whether an operation does nothing but compute a scalar from scalars.
fn is_quiet(op: Op) -> bool {
    matches!(
        op,
        Op::MovI64
            | Op::MovF64
            | Op::MovBool
            | Op::ConstI64
            | Op::ConstI64Pool
            | Op::ConstF64
            | Op::ConstBool
            | Op::IntToFloat
            | Op::TruthyI64
            | Op::TruthyF64
            | Op::NotBool
            | Op::AddI64
            | Op::SubI64
            | Op::MulI64
            | Op::DivI64
            | Op::RemI64
            | Op::AddImmI64
            | Op::AddWrapI64
            | Op::SubWrapI64
            | Op::MulWrapI64
            | Op::AddImmWrapI64
            | Op::NegI64
            | Op::AddF64
            | Op::SubF64
            | Op::MulF64
            | Op::DivF64
            | Op::NegF64
            | Op::EqI64
            | Op::LtI64
            | Op::LeI64
            | Op::EqF64
            | Op::LtF64
            | Op::LeF64
            | Op::EqBool
    )
}

impl Lower<'_, '_> {
    /// Before an instruction: it begins or continues a run, or one is checked. (Calls do that themselves, together with the
    /// depth.) Gives whether it is quiet.
    pub(super) fn enter_run(&mut self, op: Op) -> bool {
        let quiet = is_quiet(op) && !self.unit.plain;
        let asks_itself = matches!(op, Op::Call | Op::CallWith | Op::CallClosure);
        if !quiet && !asks_itself {
            self.check_run();
        } else if quiet && self.run.is_none() {
            self.run = Some(Run {
                start: self.at,
                before: Vec::new(),
                exit: None,
                overflow: None,
            });
        }
        quiet
    }

    /// Leaves if anything in the run has overflowed.
    pub(super) fn check_run(&mut self) {
        let overflow = self.run.as_mut().and_then(|run| run.overflow.take());
        if let Some(overflow) = overflow
            && !self.planted(Plant::OverflowUnasked)
        {
            self.exit_if(overflow);
        }
    }

    /// What comes now is not part of the run.
    pub(super) fn end_run(&mut self) {
        self.check_run();
        if let Some(run) = self.run.take()
            && run.exit.is_some()
            && !self.planted(Plant::RunNotTakenBack)
        {
            self.exits.before_run(run.before);
        }
    }

    /// Leaves if an operation has overflowed: now, or at the end of the run.
    pub(super) fn overflows(&mut self, condition: Value) {
        let Some(run) = &mut self.run else {
            return self.exit_if(condition);
        };
        run.overflow = Some(match run.overflow {
            None => condition,
            Some(other) => self.b.ins().bor(other, condition),
        });
    }

    /// The same for a condition that is a compare: a branch of its own is faster, more code takes longer to compile. Loops are
    /// worth it.
    pub(super) fn overflows_by_compare(&mut self, condition: Value) {
        if self.unit.headers.is_empty() {
            self.overflows(condition);
        } else {
            self.exit_if(condition);
        }
    }

    /// Before a scalar register is written in a run: an exit may need what it holds.
    pub(super) fn keep_for_exit(&mut self, slot: Slot) {
        let Some(run) = &mut self.run else {
            return;
        };
        let needed = &self.needed[(run.start - self.needed_from) as usize];
        if slot.bank == Bank::Scalar
            && self.unit.live.is_member(needed, slot)
            && !self.registers.is_fixed(slot)
            && run.before.iter().all(|(reg, _)| *reg != slot.reg)
        {
            let value = self.registers.get(&mut self.b, slot);
            run.before.push((slot.reg, value));
        }
    }
}
