//! Ways out of native code: into the interpreter with the scalars written back, and back to the caller with an error.
//! Here because all of them are cold, are collected while a function is translated and written behind it. Must stay
//! true: at an exit the frame holds every register that the interpreter will read, as it was before the instruction.

use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value, types};
use flin_bytecode::{Bank, Class};

use crate::Plant;
use crate::liveness::RegSet;
use crate::lower::Lower;
use crate::operands::Slot;
use crate::registers::{load_slot, store_slot, type_of};

/// An exit that is not written yet.
struct Pending {
    block: Block,
    insn: u32,
    needed: RegSet,
    /// The strip that it leaves, by number, if the fuel is to be reckoned up.
    strip: Option<usize>,
    /// Registers that hold something else by now, and what they held before the instruction.
    before: Vec<(u16, Value)>,
}

/// The exits of a unit.
#[derive(Default)]
pub(crate) struct Exits {
    pending: Vec<Pending>,
    /// The exit of the current instruction.
    here: Option<Block>,
    /// The pending exit of the current run.
    of_run: usize,
    /// Returns with the error that is pending.
    error: Option<Block>,
    /// This block has asked whether a call is too deep; the next call of the same frame is not deeper.
    pub(crate) depth_asked: bool,
}

impl Exits {
    /// Another instruction begins.
    pub(crate) fn next_instruction(&mut self) {
        self.here = None;
    }

    /// The current run ends, which has an exit: what registers held before it.
    pub(crate) fn before_run(&mut self, before: Vec<(u16, Value)>) {
        self.pending[self.of_run].before = before;
    }
}

impl Lower<'_, '_> {
    /// The block that leaves the current instruction to the interpreter, which may begin with the run before it.
    pub(crate) fn exit_here(&mut self) -> Block {
        let Some(run) = &self.run else {
            return self.exit_at_instruction();
        };
        if let Some(block) = run.exit {
            return block;
        }
        let start = run.start;
        self.exits.of_run = self.exits.pending.len();
        let block = self.exit_at(start);
        if let Some(run) = &mut self.run {
            run.exit = Some(block);
        }
        block
    }

    /// The block that leaves exactly the current instruction to the interpreter: an error that is pending was raised there.
    fn exit_at_instruction(&mut self) -> Block {
        if let Some(block) = self.exits.here {
            return block;
        }
        let block = self.exit_at(self.at);
        self.exits.here = Some(block);
        block
    }

    /// A block that leaves for an instruction of the current block.
    fn exit_at(&mut self, insn: u32) -> Block {
        let block = self.cold_block();
        self.exits.pending.push(Pending {
            block,
            insn,
            needed: self.needed_at(insn).clone(),
            strip: self.strips.fast(),
            before: Vec::new(),
        });
        block
    }

    /// A block that leaves for the start of a block.
    pub(crate) fn exit_at_start(&mut self, pc: u32) -> Block {
        let block = self.cold_block();
        let needed = self.unit.live.at_start(self.unit.flow.block_at(pc)).clone();
        self.exits.pending.push(Pending {
            block,
            insn: pc,
            needed,
            strip: None,
            before: Vec::new(),
        });
        block
    }

    /// Leaves the current instruction to the interpreter if the condition holds.
    pub(crate) fn exit_if(&mut self, condition: Value) {
        let exit = self.exit_here();
        let next = self.new_block();
        self.b.ins().brif(condition, exit, &[], next, &[]);
        self.go_on_in(next);
    }

    /// Whether a block is the exit of the current instruction.
    pub(crate) fn is_exit(&self, block: Block) -> bool {
        let of_run = self.run.as_ref().and_then(|run| run.exit);
        of_run == Some(block) || self.exits.here == Some(block)
    }

    /// Where an error at the current instruction goes: to the catch, which the interpreter finds, or to the caller.
    pub(crate) fn error_target(&mut self) -> Block {
        let flow = &self.unit.flow;
        let covered = flow.blocks[flow.block_at(self.at) as usize].catch.is_some();
        if covered && !self.planted(Plant::CatchForgotten) {
            return self.exit_at_instruction();
        }
        self.error_to_caller()
    }

    /// Where an error goes that nothing here catches.
    pub(crate) fn error_to_caller(&mut self) -> Block {
        match self.exits.error {
            Some(block) => block,
            None => {
                let block = self.cold_block();
                self.exits.error = Some(block);
                block
            }
        }
    }

    /// Goes on only if the status is 0; else an error is pending.
    pub(crate) fn fail_if(&mut self, status: Value) {
        let target = self.error_target();
        let next = self.new_block();
        self.b.ins().brif(status, target, &[], next, &[]);
        self.go_on_in(next);
    }

    /// Writes all exits, behind everything else.
    pub(crate) fn finish_exits(&mut self) {
        let pending = std::mem::take(&mut self.exits.pending);
        self.registers.rare = true;
        if !pending.is_empty() {
            let tail = self.cold_block();
            let word = self.b.append_block_param(tail, types::I64);
            for exit in pending {
                self.go_on_in(exit.block);
                self.at = exit.insn;
                for (reg, value) in &exit.before {
                    self.registers.set_back(&mut self.b, *reg, *value);
                }
                self.settle_fuel_of(exit.strip);
                let mut needed: Vec<u16> =
                    self.unit.live.members(&exit.needed, Bank::Scalar).collect();
                if self.planted(Plant::ExitWithoutScalar) {
                    needed.pop();
                }
                for reg in needed {
                    let slot = Slot {
                        bank: Bank::Scalar,
                        reg,
                    };
                    if exit.before.iter().any(|(other, _)| *other == reg) {
                        let value = self.registers.get(&mut self.b, slot);
                        self.registers
                            .write(&mut self.b, &self.regions, slot, value);
                    } else {
                        self.registers.write_back(&mut self.b, &self.regions, slot);
                    }
                }
                let word = self.word_of(exit.insn);
                self.b.ins().jump(tail, &[BlockArg::Value(word)]);
            }
            self.go_on_in(tail);
            self.exit_tail(word);
        }
        if let Some(block) = self.exits.error {
            self.go_on_in(block);
            let status = self.b.ins().iconst(types::I32, 1);
            self.return_nothing(status);
        }
    }

    /// The interpreter finishes this frame; its result and status are ours.
    fn exit_tail(&mut self, word: Value) {
        self.store_fuel();
        let status = self.rare_call_with(self.links.thunks.exit, word);
        let status = self.b.ins().ireduce(types::I32, status);
        let signature = &self.unit.function.signature;
        let (None, Some(class)) = (self.outer_pinned, signature.result) else {
            return self.return_unstored(None, status);
        };
        let slot = signature.result_slot(self.unit.function.is_closure);
        let base = self.stack(class.bank());
        let result = load_slot(&mut self.b, &self.regions, class, base, slot as i32 * 8);
        self.return_unstored(Some(result), status);
    }

    fn stack(&mut self, bank: Bank) -> Value {
        self.registers.base(&mut self.b, &self.regions, bank)
    }

    /// Returns a result to whoever entered this unit.
    pub(crate) fn return_result(&mut self, class: Class, value: Value) {
        let status = self.b.ins().iconst(types::I32, 0);
        if self.outer_pinned.is_some() {
            let signature = &self.unit.function.signature;
            let slot = signature.result_slot(self.unit.function.is_closure);
            let base = self.stack(class.bank());
            store_slot(
                &mut self.b,
                &self.regions,
                class,
                value,
                base,
                slot as i32 * 8,
            );
        }
        self.store_fuel();
        self.return_unstored(Some(value), status);
    }

    /// Returns without a result: because there is none, or with an error.
    pub(crate) fn return_nothing(&mut self, status: Value) {
        self.store_fuel();
        self.return_unstored(None, status);
    }

    fn return_unstored(&mut self, result: Option<Value>, status: Value) {
        if let Some(before) = self.outer_pinned {
            self.b.ins().set_pinned_reg(before);
            self.b.ins().return_(&[status]);
            return;
        }
        let Some(class) = self.unit.function.signature.result else {
            self.b.ins().return_(&[status]);
            return;
        };
        let result = match result {
            Some(result) => result,
            None if class == Class::F64 => self.b.ins().f64const(0.0),
            None => self.b.ins().iconst(type_of(class), 0),
        };
        self.b.ins().return_(&[result, status]);
    }
}
