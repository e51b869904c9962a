//! Which registers are still needed at a place. Here because an exit writes back exactly the scalars that the interpreter
//! will read, and entry into a loop loads exactly what the loop needs. Must stay true: what an error may reach counts as
//! needed at every covered instruction, because after an error the interpreter goes on at the catch.

use flin_bytecode::{Bank, Function, Instr, Module};

use crate::flow::Flow;
use crate::operands::{Slot, reads, writes};

/// A set of registers: one bit each, scalar bank first.
pub(crate) type RegSet = Vec<u64>;

/// Needed registers at the start of every block.
pub(crate) struct Liveness {
    /// Bit of the first reference register.
    ref_base: usize,
    words: usize,
    at_start: Vec<RegSet>,
}

impl Liveness {
    /// Solves the function.
    pub(crate) fn new(
        module: &Module,
        function: &Function,
        code: &[Instr],
        flow: &Flow,
    ) -> Liveness {
        let ref_base = function.scalar_regs.len();
        let words = (ref_base + function.ref_regs.len()).div_ceil(64).max(1);
        let mut live = Liveness {
            ref_base,
            words,
            at_start: vec![vec![0; words]; flow.blocks.len()],
        };
        let mut changed = true;
        while changed {
            changed = false;
            for number in (0..flow.blocks.len()).rev() {
                let mut set = live.at_end(flow, number as u32);
                live.back(
                    module,
                    function,
                    code,
                    flow,
                    number as u32,
                    &mut set,
                    |_, _| {},
                );
                if set != live.at_start[number] {
                    live.at_start[number] = set;
                    changed = true;
                }
            }
        }
        live
    }

    fn bit(&self, slot: Slot) -> usize {
        match slot.bank {
            Bank::Scalar => slot.reg as usize,
            Bank::Reference => self.ref_base + slot.reg as usize,
        }
    }

    fn at_end(&self, flow: &Flow, block: u32) -> RegSet {
        let mut set = vec![0; self.words];
        for next in flow.blocks[block as usize].next.iter().flatten() {
            for (word, more) in set.iter_mut().zip(&self.at_start[*next as usize]) {
                *word |= more;
            }
        }
        set
    }

    /// Walks a block backwards from the set at its end; `each` sees every instruction and what is needed before it.
    #[expect(
        clippy::too_many_arguments,
        reason = "one walk, used for solving and for asking"
    )]
    fn back(
        &self,
        module: &Module,
        function: &Function,
        code: &[Instr],
        flow: &Flow,
        block: u32,
        set: &mut RegSet,
        mut each: impl FnMut(u32, &RegSet),
    ) {
        let block = &flow.blocks[block as usize];
        let caught = block.catch.map(|catch| {
            let catch = &function.catches[catch as usize];
            let mut caught = self.at_start[flow.block_at(catch.target) as usize].clone();
            let slot = Slot {
                bank: Bank::Reference,
                reg: catch.reg,
            };
            remove(&mut caught, self.bit(slot));
            caught
        });
        for pc in (block.start..block.end).rev() {
            let instr = &code[pc as usize];
            writes(module, instr, |slot| remove(set, self.bit(slot)));
            reads(module, instr, |slot| insert(set, self.bit(slot)));
            if let Some(caught) = &caught {
                for (word, more) in set.iter_mut().zip(caught) {
                    *word |= more;
                }
            }
            each(pc, set);
        }
    }

    /// What is needed before each instruction of a block, first instruction first.
    pub(crate) fn in_block(
        &self,
        module: &Module,
        function: &Function,
        code: &[Instr],
        flow: &Flow,
        block: u32,
    ) -> Vec<RegSet> {
        let mut sets = Vec::new();
        let mut set = self.at_end(flow, block);
        self.back(module, function, code, flow, block, &mut set, |_, set| {
            sets.push(set.clone());
        });
        sets.reverse();
        sets
    }

    /// What is needed at the start of a block.
    pub(crate) fn at_start(&self, block: u32) -> &RegSet {
        &self.at_start[block as usize]
    }

    /// Whether a register is in a set.
    pub(crate) fn is_member(&self, set: &RegSet, slot: Slot) -> bool {
        let bit = self.bit(slot);
        set[bit / 64] >> (bit % 64) & 1 == 1
    }

    /// The registers of a bank in a set.
    pub(crate) fn members(&self, set: &RegSet, bank: Bank) -> impl Iterator<Item = u16> {
        let (first, end) = match bank {
            Bank::Scalar => (0, self.ref_base),
            Bank::Reference => (self.ref_base, self.words * 64),
        };
        set.iter()
            .enumerate()
            .flat_map(|(at, word)| {
                let mut rest = *word;
                std::iter::from_fn(move || {
                    (rest != 0).then(|| {
                        let bit = rest.trailing_zeros() as usize;
                        rest &= rest - 1;
                        at * 64 + bit
                    })
                })
            })
            .filter(move |bit| (first..end).contains(bit))
            .map(move |bit| (bit - first) as u16)
            .collect::<Vec<u16>>()
            .into_iter()
    }
}

fn insert(set: &mut RegSet, bit: usize) {
    set[bit / 64] |= 1 << (bit % 64);
}

fn remove(set: &mut RegSet, bit: usize) {
    set[bit / 64] &= !(1 << (bit % 64));
}
