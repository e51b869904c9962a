//! Known shapes: within a block, a record whose header was compared once needs no second compare, as long as nothing can
//! have changed it. Where the compare fails, the interpreter does the access, and the rest of the block is run in a second
//! translation that knows nothing: its twin. Must stay true: a shape is known only where every way there has compared
//! it; twins are written when their block is done, with the state that their entries have.

use std::collections::BTreeMap;

use cranelift_codegen::ir::{Block, InstBuilder, Value};
use flin_bytecode::{Bank, Family, Instr, Op, OperandKind, Place};

use super::Lower;
use crate::operands::Slot;
use crate::views::ViewSet;

/// What is known of records in the current block.
#[derive(Default)]
pub(super) struct Shapes {
    /// Reference registers and the shapes of what they hold.
    known: Vec<(u8, i32)>,
    /// Entries of the twin: by instruction, with the views of lists that are valid there.
    pub(super) entries: BTreeMap<u32, (Block, ViewSet)>,
    /// The twin is being written.
    pub(super) in_twin: bool,
}

/// Whether the operation reads or writes a slot by a record's shape; the record is in register `b`.
fn is_access(op: Op) -> bool {
    op.operand(Place::C) == Some(OperandKind::Slot)
}

/// Whether the operation writes a slot of a record.
pub(super) fn writes_record(op: Op) -> bool {
    is_access(op) && matches!(op.operand(Place::A), Some(OperandKind::In(_)))
}

/// Whether an instruction may turn a record into a dictionary, also where its fast path is taken.
fn spoils(instr: &Instr) -> bool {
    let row = instr.op.row();
    let calls = row
        .operands
        .iter()
        .any(|operand| matches!(operand.kind, OperandKind::Window(_)));
    let in_place = instr.op == Op::CallLib && super::is_in_place(instr.imm);
    (calls && !in_place)
        || matches!(row.family, Family::Entity | Family::View | Family::Host)
        || matches!(
            instr.op,
            Op::MapSet | Op::MapSetName | Op::FieldGetAny | Op::FieldSetAny | Op::IndexSetAny
        )
        || matches!(instr.op, Op::UnboxRef | Op::CheckRef)
}

impl Lower<'_, '_> {
    /// Whether the block accesses the same record again, so that it pays to know its shape.
    fn pays(&self, reg: u8, shape: i32) -> bool {
        let flow = &self.unit.flow;
        let end = flow.blocks[flow.block_at(self.at) as usize].end;
        let mut rest = self.unit.code[self.at as usize + 1..end as usize].iter();
        !self.shapes.in_twin
            && rest
                .by_ref()
                .take_while(|instr| !spoils(instr))
                .any(|instr| is_access(instr.op) && instr.b == reg && instr.imm == shape)
    }

    /// After a compare of a record's header and the access: the shape is known from here on, if that pays. `slow` is
    /// where the compare leads if it fails.
    pub(super) fn finish_access(&mut self, i: Instr, slow: Block) {
        if self.strips.is_fast() || self.is_exit(slow) {
            self.or_by_helper(slow);
            return self.shapes.known.push((i.b, i.imm));
        }
        if !self.pays(i.b, i.imm) {
            return self.or_by_helper(slow);
        }
        let done = self.new_block();
        self.b.ins().jump(done, &[]);
        self.go_on_in(slow);
        self.step(true);
        let next = self.at + 1;
        let module = self.unit.outside.module;
        let valid = crate::views::step(module, &self.unit.views.all, &i, self.valid);
        let twin = match self.shapes.entries.get(&next) {
            Some((twin, _)) => *twin,
            None => {
                let twin = self.cold_block();
                self.shapes.entries.insert(next, (twin, valid));
                twin
            }
        };
        self.b.ins().jump(twin, &[]);
        self.go_on_in(done);
        self.shapes.known.push((i.b, i.imm));
    }

    /// A register surely holds a record of a shape.
    pub(super) fn learn_shape(&mut self, reg: u8, shape: i32) {
        self.shapes.known.push((reg, shape));
    }

    /// What is known in a block only.
    pub(super) fn forget_block(&mut self) {
        self.fresh_closure = None;
        self.exits.depth_asked = false;
        self.characters.clear();
        self.forget_shapes();
    }

    /// Another block begins, or the interpreter may have changed a record.
    pub(super) fn forget_shapes(&mut self) {
        self.shapes.known.clear();
    }

    /// A register gets another value.
    pub(super) fn forget_shape_of(&mut self, slot: Slot) {
        let is_other = |(reg, _): &(u8, i32)| Self::slot(Bank::Reference, *reg) != slot;
        self.shapes.known.retain(is_other);
    }

    /// An instruction is done.
    pub(super) fn step_shapes(&mut self, instr: &Instr) {
        if spoils(instr) {
            self.shapes.known.clear();
        }
    }

    /// Writes the twin of the current block, if anything leads into it. `end` is the end of the block.
    pub(super) fn finish_twin(&mut self, end: u32) {
        let entries = std::mem::take(&mut self.shapes.entries);
        let Some(first) = entries.keys().next().copied() else {
            return;
        };
        self.shapes.in_twin = true;
        self.forget_shapes();
        let mut is_open = false;
        for pc in first..end {
            if let Some((block, valid)) = entries.get(&pc) {
                if is_open {
                    self.end_run();
                    self.b.ins().jump(*block, &[]);
                }
                self.go_on_in(*block);
                self.valid = *valid;
                self.fresh_closure = None;
                self.exits.depth_asked = false;
                self.characters.clear();
                is_open = true;
            }
            self.one(pc);
        }
        self.shapes.in_twin = false;
    }

    /// The record of an access, if its shape is known.
    pub(super) fn known_record(&mut self, i: Instr) -> Option<Value> {
        self.shapes
            .known
            .contains(&(i.b, i.imm))
            .then(|| self.reference(i.b))
    }
}
