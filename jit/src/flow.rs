//! Basic blocks of a function: where they start, what follows them, which of them are reached without an error, which
//! jumps go back. Here because liveness, translation and loop entry all walk the same graph. Must stay true: a block
//! lies wholly inside or outside of every protected range.

use flin_bytecode::{Function, Instr};

use crate::operands::jump_target;

/// A basic block.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// First instruction.
    pub(crate) start: u32,
    /// One past the last instruction.
    pub(crate) end: u32,
    /// Blocks that follow without an error: the jump's target first, then the next one.
    pub(crate) next: [Option<u32>; 2],
    /// The catch that covers it: index into `Function::catches`.
    pub(crate) catch: Option<u32>,
}

/// The graph of a function.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) blocks: Vec<Block>,
    /// Per instruction: its block.
    block_of: Vec<u32>,
}

impl Flow {
    /// The blocks of verified code.
    pub(crate) fn new(function: &Function, code: &[Instr]) -> Flow {
        let mut leader = vec![false; code.len() + 1];
        leader[0] = true;
        for (pc, instr) in code.iter().enumerate() {
            if let Some(target) = jump_target(instr) {
                leader[target as usize] = true;
                leader[pc + 1] = true;
            }
            if instr.op.ends_block() {
                leader[pc + 1] = true;
            }
        }
        for catch in &function.catches {
            for at in [catch.start, catch.end, catch.target] {
                leader[at as usize] = true;
            }
        }
        let starts: Vec<u32> = (0..code.len() as u32)
            .filter(|pc| leader[*pc as usize])
            .collect();
        let mut block_of = vec![0; code.len()];
        let mut blocks: Vec<Block> = Vec::with_capacity(starts.len());
        for (number, start) in starts.iter().enumerate() {
            let end = starts
                .get(number + 1)
                .map_or(code.len() as u32, |next| *next);
            for pc in *start..end {
                block_of[pc as usize] = number as u32;
            }
            let catch = function
                .catches
                .iter()
                .position(|catch| (catch.start..catch.end).contains(start));
            blocks.push(Block {
                start: *start,
                end,
                next: [None, None],
                catch: catch.map(|at| at as u32),
            });
        }
        for number in 0..blocks.len() {
            let last = &code[blocks[number].end as usize - 1];
            let target = jump_target(last).map(|target| block_of[target as usize]);
            let falls = !last.op.ends_block();
            blocks[number].next = [target, falls.then_some(number as u32 + 1)];
        }
        Flow { blocks, block_of }
    }

    /// The block of an instruction.
    pub(crate) fn block_at(&self, pc: u32) -> u32 {
        self.block_of[pc as usize]
    }

    /// Which blocks are reached from one without an error.
    pub(crate) fn reached_from(&self, block: u32) -> Vec<bool> {
        let mut reached = vec![false; self.blocks.len()];
        let mut waiting = vec![block];
        while let Some(block) = waiting.pop() {
            if std::mem::replace(&mut reached[block as usize], true) {
                continue;
            }
            waiting.extend(self.blocks[block as usize].next.iter().flatten());
        }
        reached
    }

    /// Whether a jump from `pc` to `target` goes back, and so costs fuel.
    pub(crate) fn goes_back(pc: u32, target: u32) -> bool {
        target <= pc
    }

    /// The targets of jumps that go back, among the blocks that are reached; ascending.
    pub(crate) fn headers(&self, code: &[Instr], reached: &[bool]) -> Vec<u32> {
        let mut headers: Vec<u32> = self
            .blocks
            .iter()
            .zip(reached)
            .filter(|(_, reached)| **reached)
            .filter_map(|(block, _)| {
                let pc = block.end - 1;
                jump_target(&code[pc as usize]).filter(|target| Flow::goes_back(pc, *target))
            })
            .collect();
        headers.sort_unstable();
        headers.dedup();
        headers
    }
}
