//! Definite assignment: no register is read before it was surely written on every way there. Here because a call leaves
//! anything in the registers from its window on, and a reference register that holds a stale word would be read as a
//! pointer. Must stay true: the set of written registers at a place is the meet over all ways to it, error ways
//! included; work and memory are bounded, beyond that the function is refused.

use super::VerifyFault;
use super::error::{CodeFault, RegisterFault};
use super::function::{Located, Subject, run_of};
use crate::class::Bank;
use crate::encode::{Instr, split_reg_pair};
use crate::ops::{OperandKind, Place};

/// Most words of written-sets kept at once (32 MiB).
const SET_WORDS_MAX: usize = 4 << 20;
/// How often, on average, an instruction may be looked at again.
const VISITS_PER_INSTRUCTION: usize = 256;

/// Which registers are written; one bit each, scalar bank first.
type WrittenSet = Vec<u64>;

struct Flow<'s, 'm> {
    subject: &'s Subject<'m>,
    /// Bit position of the first reference register.
    ref_base: usize,
    words: usize,
    /// Per instruction: its block number if a block starts there, else `NO_BLOCK`.
    block_at: Vec<u32>,
    /// Written-set at the start of each block; none until a way to it is known.
    entry: Vec<Option<WrittenSet>>,
    /// First catch that covers each block.
    catch_of: Vec<Option<u32>>,
    starts: Vec<u32>,
    budget: usize,
}

const NO_BLOCK: u32 = u32::MAX;

/// Follows the flow of one function.
pub(super) fn check(subject: &Subject<'_>) -> Result<(), Located> {
    let mut flow = Flow::new(subject).map_err(|fault| (None, fault))?;
    flow.entry[0] = Some(flow.parameters());
    let mut waiting = std::collections::BTreeSet::from([0_u32]);
    while let Some(block) = waiting.pop_first() {
        flow.block(block, &mut waiting)?;
    }
    Ok(())
}

impl<'s, 'm> Flow<'s, 'm> {
    fn new(subject: &'s Subject<'m>) -> Result<Flow<'s, 'm>, VerifyFault> {
        let count = subject.code.len();
        let mut leader = vec![false; count + 1];
        leader[0] = true;
        for (pc, instr) in subject.code.iter().enumerate() {
            if let Some(target) = jump_target(instr) {
                leader[target] = true;
                leader[pc + 1] = true;
            }
            if instr.op.ends_block() {
                leader[pc + 1] = true;
            }
        }
        for catch in &subject.function.catches {
            for at in [catch.start, catch.end, catch.target] {
                leader[at as usize] = true;
            }
        }
        let mut block_at = vec![NO_BLOCK; count];
        let mut starts = Vec::new();
        for pc in (0..count).filter(|pc| leader[*pc]) {
            block_at[pc] = starts.len() as u32;
            starts.push(pc as u32);
        }
        let ref_base = subject.regs(Bank::Scalar).len();
        let words = (ref_base + subject.regs(Bank::Reference).len())
            .div_ceil(64)
            .max(1);
        if starts.len().saturating_mul(words) > SET_WORDS_MAX {
            return Err(VerifyFault::Code(CodeFault::TooComplex));
        }
        let catch_of = catches_of(subject, &starts)?;
        Ok(Flow {
            subject,
            ref_base,
            words,
            block_at,
            entry: vec![None; starts.len()],
            catch_of,
            starts,
            budget: count
                .saturating_mul(VISITS_PER_INSTRUCTION)
                .saturating_add(1 << 16),
        })
    }

    fn bit(&self, bank: Bank, reg: u16) -> usize {
        match bank {
            Bank::Scalar => reg as usize,
            Bank::Reference => self.ref_base + reg as usize,
        }
    }

    fn parameters(&self) -> WrittenSet {
        let mut set = vec![0; self.words];
        let function = self.subject.function;
        let mut next = [0_u16, 0];
        if function.is_closure {
            insert(&mut set, self.bit(Bank::Reference, 0));
            next[1] = 1;
        }
        for class in &function.signature.params {
            let slot = match class.bank() {
                Bank::Scalar => &mut next[0],
                Bank::Reference => &mut next[1],
            };
            insert(&mut set, self.bit(class.bank(), *slot));
            *slot += 1;
        }
        set
    }

    /// Walks through a block and hands its written-set to all blocks that can follow.
    fn block(
        &mut self,
        block: u32,
        waiting: &mut std::collections::BTreeSet<u32>,
    ) -> Result<(), Located> {
        let Some(mut set) = self.entry[block as usize].clone() else {
            return Ok(());
        };
        let catch = self.catch_of[block as usize];
        self.caught(catch, &set, waiting);
        let mut pc = self.starts[block as usize] as usize;
        loop {
            // A visit costs as much as a written-set is long, at least one.
            self.budget = self
                .budget
                .checked_sub(1)
                .ok_or((None, VerifyFault::Code(CodeFault::TooComplex)))?;
            let instr = self.subject.code[pc];
            let clobbers = self
                .step(&instr, &mut set)
                .map_err(|fault| (Some(pc as u32), fault))?;
            if clobbers {
                self.caught(catch, &set, waiting);
                self.result(&instr, &mut set);
            }
            if let Some(target) = jump_target(&instr) {
                self.meet(target, &set, waiting);
            }
            pc += 1;
            if instr.op.ends_block() {
                return Ok(());
            }
            // The last instruction of the code ends its block, so there is a next one.
            if self.block_at[pc] != NO_BLOCK {
                self.meet(pc, &set, waiting);
                return Ok(());
            }
        }
    }

    /// Reads, then writes of one instruction; true if it clobbers its windows (result not yet written then).
    fn step(&self, instr: &Instr, set: &mut WrittenSet) -> Result<bool, VerifyFault> {
        for operand in instr.op.row().operands {
            if let OperandKind::In(class) | OperandKind::InOut(class) = operand.kind {
                self.read(set, class.bank(), instr.at(operand.place) as u16)?;
            }
        }
        if instr.op.operand(Place::Imm) == Some(OperandKind::RegPair) {
            let bank = if instr.a == 0 {
                Bank::Scalar
            } else {
                Bank::Reference
            };
            let (destination, source) = split_reg_pair(instr.imm);
            self.read(set, bank, source)?;
            insert(set, self.bit(bank, destination));
        }
        if let Some((first, count, class)) = run_of(instr) {
            for i in 0..count as u16 {
                self.read(set, class.bank(), u16::from(first) + i)?;
            }
        }
        if let Some(call) = self.subject.call_shape(instr) {
            for (reg, class) in call.arguments() {
                self.read(set, class.bank(), reg)?;
            }
            for (bank, first) in [
                (Bank::Scalar, call.scalar),
                (Bank::Reference, call.reference),
            ] {
                for reg in first as usize..self.subject.near(bank) {
                    remove(set, self.bit(bank, reg as u16));
                }
            }
            return Ok(true);
        }
        for operand in instr.op.row().operands {
            if let OperandKind::Out(class) = operand.kind {
                insert(set, self.bit(class.bank(), instr.at(operand.place) as u16));
            }
        }
        Ok(false)
    }

    fn result(&self, instr: &Instr, set: &mut WrittenSet) {
        if let Some((reg, class)) = self
            .subject
            .call_shape(instr)
            .and_then(|call| call.result())
        {
            insert(set, self.bit(class.bank(), reg));
        }
    }

    fn read(&self, set: &WrittenSet, bank: Bank, reg: u16) -> Result<(), VerifyFault> {
        let bit = self.bit(bank, reg);
        if set[bit / 64] >> (bit % 64) & 1 == 1 {
            Ok(())
        } else {
            Err(VerifyFault::Register(RegisterFault::Unwritten {
                bank,
                reg,
            }))
        }
    }

    /// An error here continues at the catch, with the error object in its register.
    fn caught(
        &mut self,
        catch: Option<u32>,
        set: &WrittenSet,
        waiting: &mut std::collections::BTreeSet<u32>,
    ) {
        if let Some(catch) = catch {
            let catch = self.subject.function.catches[catch as usize];
            let mut set = set.clone();
            insert(&mut set, self.bit(Bank::Reference, catch.reg));
            self.meet(catch.target as usize, &set, waiting);
        }
    }

    /// Joins a way into a block: written is what is written on all ways.
    fn meet(&mut self, pc: usize, set: &WrittenSet, waiting: &mut std::collections::BTreeSet<u32>) {
        self.budget = self.budget.saturating_sub(self.words / 8);
        let block = self.block_at[pc];
        match &mut self.entry[block as usize] {
            Some(known) => {
                let mut shrunk = false;
                for (known, new) in known.iter_mut().zip(set) {
                    shrunk |= *known & !new != 0;
                    *known &= new;
                }
                if shrunk {
                    waiting.insert(block);
                }
            }
            unknown @ None => {
                *unknown = Some(set.clone());
                waiting.insert(block);
            }
        }
    }
}

/// The first catch that covers each block (catches start and end at block borders).
fn catches_of(subject: &Subject<'_>, starts: &[u32]) -> Result<Vec<Option<u32>>, VerifyFault> {
    let catches = &subject.function.catches;
    if catches.len().saturating_mul(starts.len()) > 1 << 28 {
        return Err(VerifyFault::Code(CodeFault::TooComplex));
    }
    let mut catch_of = vec![None; starts.len()];
    for (number, catch) in catches.iter().enumerate() {
        let first = starts.partition_point(|start| *start < catch.start);
        let end = starts.partition_point(|start| *start < catch.end);
        for slot in &mut catch_of[first..end] {
            slot.get_or_insert(number as u32);
        }
    }
    Ok(catch_of)
}

fn jump_target(instr: &Instr) -> Option<usize> {
    match instr.op.operand(Place::Imm) {
        Some(OperandKind::Jump) => Some(instr.imm as usize),
        Some(_) | None => None,
    }
}

fn insert(set: &mut WrittenSet, bit: usize) {
    set[bit / 64] |= 1 << (bit % 64);
}

fn remove(set: &mut WrittenSet, bit: usize) {
    set[bit / 64] &= !(1 << (bit % 64));
}
