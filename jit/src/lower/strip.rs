//! Innermost loops in two versions. In the fast one nothing comes back from a slow path: whatever the interpreter has to do,
//! the rest of the turn is done in the slow version, and the next turn asks at the guard again. So what a loop needs stays in
//! registers, and what the guard has proved for a strip of turns (`strips.rs`) is not asked in them. Must stay true: the
//! fuel of a strip is reckoned up from its counter wherever somebody may look at it; a jump into a loop from outside or
//! from its slow version goes by its guard.
//!
//! ```text
//!  outside ─▶ guard ─▶ fast version ─▶ outside
//!               │ ▲        │ slow path, end of the strip
//!               ▼ │        ▼
//!             slow version ─▶ outside
//! ```

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};
use cranelift_frontend::{FunctionBuilder, Variable};
use flin_bytecode::{Bank, Instr, Op};

use super::Lower;
use crate::Plant;
use crate::operands::Slot;
use crate::regions::Region;
use crate::strips::{Counted, Strip};
use crate::unit::Unit;
use crate::views::ViewSet;

/// What is being translated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Version {
    /// Code outside of all strips.
    #[default]
    Plain,
    /// The fast version of this strip.
    Fast(usize),
    /// The slow version of this strip.
    Slow(usize),
}

/// The strips of the unit that is being translated. A node is a block in one version, or a guard.
#[derive(Default)]
pub(crate) struct Strips {
    pub(super) version: Version,
    /// The strip of each block.
    of_block: Vec<Option<usize>>,
    /// The first block of each strip.
    firsts: Vec<u32>,
    /// Of each strip that counts: where it ends. (Start and fuel together are parked.)
    limits: Vec<Option<Variable>>,
    /// Whether anything leads into the slow version of the current strip: its guard, or a slow path of its fast version.
    enters_slow: bool,
}

impl Strips {
    /// The strips of a unit.
    pub(super) fn new(unit: &Unit<'_>, b: &mut FunctionBuilder<'_>) -> Strips {
        let mut of_block = vec![None; unit.flow.blocks.len()];
        for (at, strip) in unit.strips.iter().enumerate() {
            for block in strip.blocks.clone() {
                of_block[block as usize] = Some(at);
            }
        }
        let mut limit = |strip: &Strip| {
            let counted = strip.counted.is_some();
            counted.then(|| b.declare_var(types::I64))
        };
        Strips {
            of_block,
            firsts: unit.strips.iter().map(|it| *it.blocks.start()).collect(),
            limits: unit.strips.iter().map(&mut limit).collect(),
            ..Strips::default()
        }
    }

    /// A Cranelift block for every node, and how many edges lead there, the entry's included.
    pub(super) fn nodes(
        &self,
        unit: &Unit<'_>,
        b: &mut FunctionBuilder<'_>,
    ) -> (Vec<Option<Block>>, Vec<u32>) {
        let count = self.of_block.len();
        let mut blocks = vec![None; 2 * count + self.firsts.len()];
        let mut edges = vec![0; blocks.len()];
        edges[self.node(unit.first_block())] = 1;
        let mut counting = Strips {
            version: Version::Plain,
            of_block: self.of_block.clone(),
            firsts: self.firsts.clone(),
            limits: Vec::new(),
            enters_slow: false,
        };
        for number in (0..count).filter(|number| unit.reached[*number]) {
            blocks[number] = Some(b.create_block());
            let versions = match self.of_block[number] {
                None => [Some(Version::Plain), None],
                Some(at) => {
                    let slow = b.create_block();
                    b.set_cold_block(slow);
                    blocks[count + number] = Some(slow);
                    [Some(Version::Fast(at)), Some(Version::Slow(at))]
                }
            };
            for version in versions.into_iter().flatten() {
                counting.version = version;
                for node in counting.targets(unit, number as u32) {
                    edges[node] += 1;
                }
            }
        }
        for (at, first) in self.firsts.iter().enumerate() {
            blocks[2 * count + at] = Some(b.create_block());
            edges[*first as usize] += 1;
            edges[count + *first as usize] += 1;
        }
        (blocks, edges)
    }

    /// The node to which a jump to a block leads from here.
    pub(super) fn node(&self, to: u32) -> usize {
        let (number, count) = (to as usize, self.of_block.len());
        let Some(strip) = self.of_block[number] else {
            return number;
        };
        let is_first = self.firsts[strip] == to;
        if self.version == Version::Fast(strip) {
            number
        } else if is_first {
            2 * count + strip
        } else if self.version == Version::Slow(strip) {
            count + number
        } else {
            number
        }
    }

    /// The node of the block that is being translated.
    pub(super) fn own_node(&self, number: u32) -> usize {
        match self.version {
            Version::Plain | Version::Fast(_) => number as usize,
            Version::Slow(_) => self.of_block.len() + number as usize,
        }
    }

    /// Where the ways out of a block lead: a turn that is done in the fast version may go on at the guard, too.
    pub(super) fn targets(&self, unit: &Unit<'_>, number: u32) -> Vec<usize> {
        let mut nodes = Vec::with_capacity(3);
        for next in unit.flow.blocks[number as usize].next.iter().flatten() {
            nodes.push(self.node(*next));
            nodes.extend(self.guard_of(*next));
        }
        nodes
    }

    /// The guard of the strip that is being translated fast, if the block is its first.
    fn guard_of(&self, to: u32) -> Option<usize> {
        let strip = self.fast()?;
        (self.firsts[strip] == to).then(|| 2 * self.of_block.len() + strip)
    }

    /// The strip whose fast version is being translated.
    pub(crate) fn fast(&self) -> Option<usize> {
        match self.version {
            Version::Fast(strip) => Some(strip),
            Version::Plain | Version::Slow(_) => None,
        }
    }

    /// Whether a fast version is being translated.
    pub(super) fn is_fast(&self) -> bool {
        self.fast().is_some()
    }

    /// Whether what is being translated is rarely run.
    pub(super) fn is_rare(&self) -> bool {
        matches!(self.version, Version::Slow(_))
    }
}

impl Lower<'_, '_> {
    /// Before a block: if a strip begins with it, its guard is written.
    pub(super) fn begin_strip(&mut self, number: u32) {
        let found = self.strips.firsts.iter().position(|first| *first == number);
        let Some(strip) = found else {
            return;
        };
        let guard = self.block_of(self.strips.node(number));
        self.b.switch_to_block(guard);
        self.guard(strip, number);
        self.strips.version = Version::Fast(strip);
        self.edge_done(number as usize);
        self.edge_done(self.strips.of_block.len() + number as usize);
    }

    /// Behind a block: if a strip ends with it, its slow version is written, unless nothing leads there.
    pub(super) fn end_strip(&mut self, number: u32) {
        let Some(strip) = self.strips.fast() else {
            return;
        };
        let blocks = self.unit.strips[strip].blocks.clone();
        if *blocks.end() != number {
            return;
        }
        self.strips.version = Version::Slow(strip);
        let is_entered = self.strips.enters_slow && !self.planted(Plant::SlowVersionMissing);
        self.shapes.in_twin = true;
        self.registers.rare = true;
        for number in blocks {
            if !self.unit.reached[number as usize] {
                continue;
            }
            if is_entered {
                self.block(number);
                continue;
            }
            for node in self.strips.targets(self.unit, number) {
                self.edge_done(node);
            }
        }
        self.registers.rare = false;
        self.shapes.in_twin = false;
        self.shapes.entries.clear();
        self.strips.version = Version::Plain;
    }

    /// Decides between the versions, and how long the strip is.
    fn guard(&mut self, strip: usize, first: u32) {
        let unit = self.unit;
        let slow = self.block_of(self.strips.of_block.len() + first as usize);
        self.strips.enters_slow = false;
        self.registers.part_from_parked(&mut self.b, &self.regions);
        self.fetch_for_strip(strip, first);
        for (one, other) in &unit.strips[strip].distinct {
            let (one, other) = (self.reference(*one), self.reference(*other));
            let same = self.b.ins().icmp(IntCC::Equal, one, other);
            self.refuse(same, slow);
        }
        if let Some(counted) = &unit.strips[strip].counted {
            let limit = self.strips.limits[strip].expect("it counts");
            let start = self.scalar(counted.counter);
            let turns = self.turns(counted, start, slow);
            let fuel = self.fuel.expect("a unit with a loop keeps its fuel");
            let fuel = self.b.use_var(fuel);
            let turns = self.b.ins().umin(turns, fuel);
            let end = self.b.ins().iadd(start, turns);
            self.b.def_var(limit, end);
            let sum = self.b.ins().iadd(start, fuel);
            self.registers
                .park_of_strip(&mut self.b, &self.regions, strip, sum);
        }
        self.registers.part_from_parked(&mut self.b, &self.regions);
        let fast = self.block_of(first as usize);
        self.b.ins().jump(fast, &[]);
    }

    fn refuse(&mut self, condition: Value, slow: Block) {
        self.strips.enters_slow = true;
        let next = self.new_block();
        self.b.ins().brif(condition, slow, &[], next, &[]);
        self.go_on_in(next);
    }

    /// How many turns surely stay inside of everything that is accessed; a loop always does one.
    fn turns(&mut self, counted: &Counted, start: Value, slow: Block) -> Value {
        let mut end = self.scalar(counted.end);
        if counted.bounds.is_empty() {
            let is_there = self.b.ins().icmp(IntCC::SignedLessThan, start, end);
            let turns = self.b.ins().isub(end, start);
            let one = self.b.ins().iconst(types::I64, 1);
            return self.b.ins().select(is_there, turns, one);
        }
        for bound in &counted.bounds {
            let (len, _) = self.view_vars[bound.view];
            let len = self.b.use_var(len);
            let inside = self.b.ins().iadd_imm_s(len, -bound.greatest);
            end = self.b.ins().smin(end, inside);
        }
        let least = counted.bounds.iter().map(|bound| -bound.least).max();
        let least = least.unwrap_or(0).max(0);
        let low = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, start, least);
        self.refuse(low, slow);
        let beyond = self
            .b
            .ins()
            .icmp(IntCC::SignedGreaterThanOrEqual, start, end);
        self.refuse(beyond, slow);
        self.b.ins().isub(end, start)
    }

    /// Whether the access of the current instruction is inside in every turn of the strip.
    pub(super) fn is_free(&self) -> bool {
        let counted = self.strips.fast().and_then(|strip| {
            let strip = &self.unit.strips[strip];
            strip.counted.as_ref()
        });
        counted.is_some_and(|counted| counted.free.contains(&self.at))
    }

    /// Whether two lists are not the same one, as the guard has seen.
    pub(super) fn are_distinct(&self, list: u8, other: u8) -> bool {
        let strip = self.strips.fast().map(|strip| &self.unit.strips[strip]);
        strip.is_some_and(|strip| strip.distinct.contains(&(list, other)))
    }

    /// The interpreter does the current instruction of a fast version; the rest of the turn is done in the slow one.
    pub(super) fn go_on_slowly(&mut self) {
        let strip = self.strips.fast().expect("in a fast version");
        self.strips.enters_slow = true;
        self.settle_fuel();
        self.step(true);
        let unit = self.unit;
        let number = unit.flow.block_at(self.at);
        let next = self.at + 1;
        if unit.flow.blocks[number as usize].end == next {
            self.strips.version = Version::Slow(strip);
            self.registers.rare = true;
            self.make_views(unit.views.at_end[number as usize]);
            self.registers.rare = false;
            self.jump_to(number + 1);
            self.strips.version = Version::Fast(strip);
            return;
        }
        let module = unit.outside.module;
        let instr = &unit.code[self.at as usize];
        let valid = crate::views::step(module, &unit.views.all, instr, self.valid);
        let block = match self.shapes.entries.get(&next) {
            Some((block, _)) => *block,
            None => {
                let block = self.cold_block();
                self.shapes.entries.insert(next, (block, valid));
                block
            }
        };
        self.b.ins().jump(block, &[]);
    }

    /// In a slow version, before an instruction: whoever comes from the fast one goes on here.
    pub(super) fn come_from_fast(&mut self, pc: u32) {
        if !self.strips.is_rare() {
            return;
        }
        let Some((block, valid)) = self.shapes.entries.get(&pc).copied() else {
            return;
        };
        self.end_run();
        self.b.ins().jump(block, &[]);
        self.go_on_in(block);
        debug_assert_eq!(self.valid, valid, "both versions make the same views");
        self.valid &= valid;
        self.forget_block();
    }

    /// The block to which a jump to a block leads from here.
    pub(super) fn way_to(&self, number: u32) -> Block {
        self.block_of(self.strips.node(number))
    }

    /// The block to which a jump back leads after something that may have changed what the guard has seen.
    pub(super) fn way_anew(&self, number: u32) -> Block {
        let node = self.strips.guard_of(number);
        self.block_of(node.unwrap_or_else(|| self.strips.node(number)))
    }

    /// The same as `way_to`, if nothing is to be done on the way.
    pub(super) fn straight_to(&self, number: u32) -> Option<Block> {
        let leaves = self.strips.fast().is_some_and(|strip| {
            let strip = &self.unit.strips[strip];
            !strip.blocks.contains(&number)
        });
        (!leaves).then(|| self.way_to(number))
    }

    /// Jumps to a block.
    pub(super) fn jump_to(&mut self, number: u32) {
        if self.straight_to(number).is_none() {
            self.settle_fuel();
            self.fetch_untouched(number);
        }
        let block = self.way_to(number);
        self.b.ins().jump(block, &[]);
    }

    /// Reckons up the fuel, if a strip is being translated in which nobody does.
    pub(super) fn settle_fuel(&mut self) {
        self.settle_fuel_of(self.strips.fast());
    }

    /// Reckons up the fuel of a strip: start and fuel at the guard, less the counter.
    pub(crate) fn settle_fuel_of(&mut self, strip: Option<usize>) {
        let unit = self.unit;
        let (Some(strip), Some(fuel)) = (strip, self.fuel) else {
            return;
        };
        let Some(counted) = &unit.strips[strip].counted else {
            return;
        };
        let both = self.start_and_fuel(strip);
        let counter = self.scalar(counted.counter);
        let mut left = self.b.ins().isub(both, counter);
        if self.at == counted.back && !counted.adds {
            // The counter has grown already, but the jump back is still to be paid.
            left = self.b.ins().iadd_imm_s(left, 1);
        }
        self.b.def_var(fuel, left);
    }

    fn start_and_fuel(&mut self, strip: usize) -> Value {
        self.registers
            .parked_of_strip(&mut self.b, &self.regions, strip)
    }

    /// Behind a slow path in a fast version: registers that the slow version needs and the fast one left alone come from
    /// the frame, so that the fast one need not hold them.
    pub(super) fn reload_kept(&mut self) {
        let unit = self.unit;
        let number = unit.flow.block_at(self.at);
        let next = self.at as usize + 1;
        let needed = if unit.flow.blocks[number as usize].end as usize == next {
            // What follows is needed on some way out of the block.
            let nexts = unit.flow.blocks[number as usize].next.iter().flatten();
            nexts.map(|block| unit.live.at_start(*block)).collect()
        } else {
            vec![&self.needed[next - self.needed_from as usize]]
        };
        let mut slots = Vec::new();
        for set in needed {
            for bank in [Bank::Scalar, Bank::Reference] {
                let regs = unit.live.members(set, bank);
                slots.extend(regs.map(|reg| Slot { bank, reg }));
            }
        }
        for slot in slots {
            if self.registers.is_written_through(slot) {
                self.registers.reload(&mut self.b, &self.regions, slot);
            }
        }
    }

    /// Whether the current instruction is the jump back of a strip that counts, in its fast version.
    pub(super) fn turns_in_strip(&self) -> bool {
        let strip = self.strips.fast().map(|strip| &self.unit.strips[strip]);
        let counted = strip.and_then(|strip| strip.counted.as_ref());
        counted.is_some_and(|counted| counted.back == self.at)
    }

    /// The jump back of a strip, after the counter has grown: the next turn, or the end of strip or loop.
    pub(super) fn end_of_turn(&mut self, i: Instr) {
        let (Some(strip), Some(fuel)) = (self.strips.fast(), self.fuel) else {
            unreachable!("a turn of a strip");
        };
        let limit = self.strips.limits[strip].expect("it counts");
        let target = self.unit.flow.block_at(i.imm as u32);
        let counter = self.scalar(i.a);
        let limit = self.b.use_var(limit);
        let goes_on = self.b.ins().icmp(IntCC::SignedLessThan, counter, limit);
        let (next, ended) = (self.way_to(target), self.new_block());
        self.b.ins().brif(goes_on, next, &[], ended, &[]);
        self.go_on_in(ended);
        let both = self.start_and_fuel(strip);
        let left = self.b.ins().isub(both, counter);
        self.b.def_var(fuel, left);
        let end = self.scalar(i.b);
        let planted = i.op == Op::JumpLtI64 && self.planted(Plant::LessIsLessOrEqual);
        let less = if planted {
            IntCC::SignedLessThanOrEqual
        } else {
            IntCC::SignedLessThan
        };
        let more = if self.planted(Plant::StripIsLoop) {
            self.b.ins().iconst(types::I8, 0)
        } else {
            self.b.ins().icmp(less, counter, end)
        };
        let (again, done) = (self.cold_block(), self.new_block());
        self.b.ins().brif(more, again, &[], done, &[]);
        self.go_on_in(again);
        self.fetch_rarely(target);
        let (anew, used_up) = (self.way_anew(target), self.cold_block());
        self.b.ins().brif(left, anew, &[], used_up, &[]);
        self.go_on_in(used_up);
        self.ask_for_fuel(i.imm as u32, target);
        self.go_on_in(done);
        // The last turn does not jump back.
        let left = self.b.ins().iadd_imm_s(left, 1);
        self.b.def_var(fuel, left);
        let out = self.unit.flow.block_at(self.at + 1);
        self.fetch_untouched(out);
        let out = self.way_to(out);
        self.b.ins().jump(out, &[]);
    }

    /// The same as `fetch_untouched`, in a cold block.
    pub(super) fn fetch_rarely(&mut self, to: u32) {
        let before = std::mem::replace(&mut self.registers.rare, true);
        self.fetch_untouched(to);
        self.registers.rare = before;
    }

    /// Leaving a fast version: registers and views that it did not change come from memory, so that it need hold only
    /// what it uses.
    fn fetch_untouched(&mut self, to: u32) {
        let unit = self.unit;
        let Some(strip) = self.strips.fast() else {
            return;
        };
        let needed = unit.live.at_start(to);
        for bank in [Bank::Scalar, Bank::Reference] {
            for reg in unit.live.members(needed, bank) {
                self.fetch(strip, Slot { bank, reg });
            }
        }
        self.fetch_views(unit.views.at_start[to as usize]);
    }

    /// Before a strip: registers and views that it reads and does not change become values of their own, so that Cranelift
    /// can give them registers whatever happens elsewhere.
    fn fetch_for_strip(&mut self, strip: usize, first: u32) {
        let unit = self.unit;
        let needed = unit.live.at_start(first);
        for bank in [Bank::Scalar, Bank::Reference] {
            for reg in unit.live.members(needed, bank) {
                let slot = Slot { bank, reg };
                if unit.strips[strip].read.contains(&slot) {
                    self.fetch(strip, slot);
                }
            }
        }
        let valid = unit.views.at_start[first as usize];
        self.fetch_views(unit.strips[strip].kept & valid);
    }

    fn fetch(&mut self, strip: usize, slot: Slot) {
        let is_kept = self.registers.is_written_through(slot);
        if is_kept && !self.unit.strips[strip].written.contains(&slot) {
            self.registers.fetch(&mut self.b, &self.regions, slot);
        }
    }

    fn fetch_views(&mut self, set: ViewSet) {
        for at in 0..self.view_vars.len() {
            if set >> at & 1 == 0 || !self.is_parked(at) {
                continue;
            }
            let (len, buffer) = self.registers.parked_view(&mut self.b, &self.regions, at);
            let (len_var, buffer_var) = self.view_vars[at];
            self.b.def_var(len_var, len);
            self.b.def_var(buffer_var, buffer);
        }
    }

    /// Whether a view is parked: it stays valid in some loop, and there are strips.
    fn is_parked(&self, view: usize) -> bool {
        let mut loops = self.unit.views.loops.iter();
        !self.unit.strips.is_empty() && loops.any(|it| it.kept >> view & 1 == 1)
    }

    /// A view has been made or lengthened.
    pub(super) fn park_view(&mut self, view: usize, len: Value, buffer: Option<Value>) {
        if self.is_parked(view) {
            self.registers
                .park_view(&mut self.b, &self.regions, view, (len, buffer));
        }
    }

    /// Puts the fuel where others see it, as it is.
    pub(super) fn put_fuel(&mut self) {
        if let Some(fuel) = self.fuel {
            let value = self.b.use_var(fuel);
            let context = self.context();
            let flags = self.regions.flags(Region::Context);
            let offset = flin_vm::native::layout::CONTEXT_FUEL;
            self.b.ins().store(flags, value, context, offset);
        }
    }
}
