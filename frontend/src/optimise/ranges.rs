//! Which ints a register can hold at each place, and additions and multiplications that therefore cannot overflow: they
//! become operations without a check. Here because the check is a branch in the hottest loops and recursions. Must stay true: a range
//! holds for every run, also on the ways of errors; what is not understood may be anything.
//!
//! Ranges are found by running the blocks on intervals until nothing grows: a jump narrows what it compared on both of its
//! ways, the header of a loop joins its ways, and a bound that still moves after some turns moves on to the next number
//! that the function names (then to the end), so that it stops. Afterwards the blocks run twice more from what was
//! found: what was widened too far comes back as far as the loop's own conditions say. Each such run starts from ranges
//! that hold and gives ranges that hold.

use std::collections::BTreeSet;

use flin_bytecode::{Class, Module, Op};

use super::body::{BlockId, Body, Inst, V};
use super::graph::Flow;
use super::interval::Interval;

/// Most ranges kept: registers times blocks.
const RANGES_MAX: usize = 1 << 17;
/// Turns of a loop before its bounds are widened.
const PATIENCE: u32 = 3;
/// Most numbers of the function at which widening stops.
const STOPS_MAX: usize = 64;
/// How often a block may be run.
const VISITS_MAX: u32 = 200;

/// Replaces operations that cannot overflow; whether there were any.
pub(super) fn ranges(module: &Module, body: &mut Body) -> bool {
    let checked = |inst: &Inst| unchecked(inst.op).is_some();
    if !body
        .order
        .iter()
        .any(|b| body.block(*b).insts.iter().any(checked))
    {
        return false;
    }
    let flow = Flow::of(body);
    let Some(mut found) = Ranges::new(module, body, &flow) else {
        return false;
    };
    if !found.solve(body, &flow) {
        return false;
    }
    let mut changed = false;
    for &block in &flow.order {
        let Some(mut state) = found.entry[block as usize].clone() else {
            continue;
        };
        for at in 0..body.block(block).insts.len() {
            let inst = &body.block(block).insts[at];
            let fits = found.step(inst, &mut state);
            if let Some(op) = unchecked(inst.op).filter(|_| fits) {
                body.block_mut(block).insts[at].op = op;
                changed = true;
            }
        }
    }
    changed
}

/// The operation without the check.
fn unchecked(op: Op) -> Option<Op> {
    match op {
        Op::AddI64 => Some(Op::AddWrapI64),
        Op::SubI64 => Some(Op::SubWrapI64),
        Op::MulI64 => Some(Op::MulWrapI64),
        Op::AddImmI64 => Some(Op::AddImmWrapI64),
        _ => None,
    }
}

/// Ranges of the tracked registers at one place.
type State = Vec<Interval>;

struct Ranges<'m> {
    module: &'m Module,
    /// Place in a state; `u32::MAX` for registers that are no ints.
    index: Vec<u32>,
    count: usize,
    entry: Vec<Option<State>>,
    /// Where widening stops, ascending.
    stops: Vec<i64>,
}

impl<'m> Ranges<'m> {
    fn new(module: &'m Module, body: &Body, flow: &Flow) -> Option<Ranges<'m>> {
        let mut count = 0;
        let index: Vec<u32> = body
            .classes
            .iter()
            .map(|class| {
                if *class != Class::I64 {
                    return u32::MAX;
                }
                count += 1;
                count - 1
            })
            .collect();
        if count as usize * flow.order.len() > RANGES_MAX {
            return None;
        }
        let mut ranges = Ranges {
            module,
            index,
            count: count as usize,
            entry: vec![None; body.blocks.len()],
            stops: vec![
                i64::MIN,
                -1,
                0,
                1,
                Interval::LIST.high,
                Interval::TEXT.high,
                i64::MAX,
            ],
        };
        for inst in flow.order.iter().flat_map(|b| &body.block(*b).insts) {
            if let Some(value) = ranges.constant(inst)
                && ranges.stops.len() < STOPS_MAX
            {
                let around = [value.checked_sub(1), Some(value), value.checked_add(1)];
                ranges.stops.extend(around.into_iter().flatten());
            }
        }
        ranges.stops.sort_unstable();
        ranges.stops.dedup();
        Some(ranges)
    }

    fn constant(&self, inst: &Inst) -> Option<i64> {
        match inst.op {
            Op::ConstI64 => Some(i64::from(inst.imm)),
            Op::ConstI64Pool => match self.module.constants.get(inst.imm as usize)? {
                flin_bytecode::Const::Int(value) => Some(*value),
                flin_bytecode::Const::Float(_) | flin_bytecode::Const::Text(_) => None,
            },
            _ => None,
        }
    }

    /// Runs the blocks until nothing grows; false if that takes too long.
    fn solve(&mut self, body: &Body, flow: &Flow) -> bool {
        let mut visits = vec![0_u32; body.blocks.len()];
        let first = flow.order[0];
        self.entry[first as usize] = Some(vec![Interval::ALL; self.count]);
        let mut waiting = BTreeSet::from([0_u32]);
        // In the order of the flow, from the front again whenever something before has grown.
        while let Some(at) = waiting.pop_first() {
            let block = flow.order[at as usize];
            visits[block as usize] += 1;
            if visits[block as usize] > VISITS_MAX {
                return false;
            }
            for (to, state) in self.leave(body, block) {
                let widen = visits[to as usize] >= PATIENCE && flow.rank[to as usize] <= at;
                if self.arrive(to, state, widen) {
                    waiting.insert(flow.rank[to as usize]);
                }
            }
        }
        for _ in 0..2 {
            self.narrow(body, flow);
        }
        true
    }

    /// One run from what was found, without widening.
    fn narrow(&mut self, body: &Body, flow: &Flow) {
        let mut fresh: Vec<Option<State>> = vec![None; body.blocks.len()];
        fresh[flow.order[0] as usize] = Some(vec![Interval::ALL; self.count]);
        for &block in &flow.order {
            for (to, state) in self.leave(body, block) {
                match &mut fresh[to as usize] {
                    Some(known) => known
                        .iter_mut()
                        .zip(state)
                        .for_each(|(k, s)| *k = k.join(s)),
                    unknown @ None => *unknown = Some(state),
                }
            }
        }
        self.entry = fresh;
    }

    /// Joins what arrives at a block; whether its ranges grew.
    fn arrive(&mut self, to: BlockId, state: State, widen: bool) -> bool {
        let Some(known) = &mut self.entry[to as usize] else {
            self.entry[to as usize] = Some(state);
            return true;
        };
        let mut grew = false;
        for (known, new) in known.iter_mut().zip(state) {
            let mut joined = known.join(new);
            if joined == *known {
                continue;
            }
            grew = true;
            if widen && joined.low < known.low {
                let stop = self.stops.partition_point(|s| *s <= joined.low);
                joined.low = self.stops[stop.saturating_sub(1)];
            }
            if widen && joined.high > known.high {
                let stop = self.stops.partition_point(|s| *s < joined.high);
                joined.high = self.stops.get(stop).copied().unwrap_or(i64::MAX);
            }
            *known = joined;
        }
        grew
    }

    /// Runs a block: the ranges on each way out of it.
    fn leave(&self, body: &Body, block: BlockId) -> Vec<(BlockId, State)> {
        let Some(mut state) = self.entry[block as usize].clone() else {
            return Vec::new();
        };
        let of = body.block(block);
        let mut ways = Vec::new();
        // An error may come from anywhere in the block: nothing is known there.
        if let Some(handler) = of.handler {
            let target = body.handlers[handler as usize].target;
            ways.push((target, vec![Interval::ALL; self.count]));
        }
        for inst in &of.insts {
            self.step(inst, &mut state);
        }
        let jump = of
            .insts
            .last()
            .and_then(|jump| jump.target().map(|target| (jump, target)));
        if let Some((jump, target)) = jump
            && let Some(state) = self.narrowed(jump, state.clone(), true)
        {
            ways.push((target, state));
        }
        if let Some(next) = of.next {
            let state = match jump {
                Some((jump, _)) => self.narrowed(jump, state, false),
                None => Some(state),
            };
            ways.extend(state.map(|state| (next, state)));
        }
        ways
    }

    fn get(&self, state: &State, v: V) -> Interval {
        match self.index[v as usize] {
            u32::MAX => Interval::ALL,
            at => state[at as usize],
        }
    }

    fn set(&self, state: &mut State, v: V, to: Interval) {
        if self.index[v as usize] != u32::MAX {
            state[self.index[v as usize] as usize] = to;
        }
    }

    /// What an instruction does to the ranges; whether its result always fits.
    fn step(&self, inst: &Inst, state: &mut State) -> bool {
        let Some(def) = inst.def() else { return false };
        let (a, b, c) = (def, inst.b, inst.c);
        let (result, fits) = match inst.op {
            Op::ConstI64 | Op::ConstI64Pool => (
                self.constant(inst).map_or(Interval::ALL, Interval::one),
                true,
            ),
            Op::MovI64 => (self.get(state, b), true),
            Op::AddI64 | Op::AddWrapI64 => self.get(state, b).plus(self.get(state, c)),
            Op::SubI64 | Op::SubWrapI64 => self.get(state, b).minus(self.get(state, c)),
            Op::MulI64 | Op::MulWrapI64 => self.get(state, b).times(self.get(state, c)),
            Op::AddImmI64 | Op::AddImmWrapI64 => {
                self.get(state, b).plus(Interval::one(i64::from(inst.imm)))
            }
            Op::NegI64 => Interval::one(0).minus(self.get(state, b)),
            Op::DivI64 => (self.get(state, b).divided(self.get(state, c)), false),
            Op::RemI64 => (self.get(state, b).remainder(self.get(state, c)), false),
            Op::ListLen => (Interval::LIST, true),
            Op::TextLen => (Interval::TEXT, true),
            // It is only reached with a < b, so a + 1 fits.
            Op::ForNext => self.get(state, a).plus(Interval::one(1)),
            _ => (Interval::ALL, false),
        };
        self.set(state, a, result);
        fits
    }

    /// The ranges on one way of a jump; none if it is never taken.
    fn narrowed(&self, jump: &Inst, mut state: State, taken: bool) -> Option<State> {
        let (x, y) = (jump.a, jump.b);
        // What holds on this way: x < y, x <= y, x == y, or nothing that an interval can say.
        let (small, large, apart) = match (jump.op, taken) {
            (Op::JumpLtI64 | Op::ForNext, true) => (x, y, 1),
            (Op::JumpLtI64 | Op::ForNext, false) => (y, x, 0),
            (Op::JumpLeI64, true) => (x, y, 0),
            (Op::JumpLeI64, false) => (y, x, 1),
            (Op::JumpEqI64, true) | (Op::JumpNeI64, false) => {
                let both = self.get(&state, x).meet(self.get(&state, y))?;
                self.set(&mut state, x, both);
                self.set(&mut state, y, both);
                return Some(state);
            }
            _ => return Some(state),
        };
        let (low, high) = (self.get(&state, small), self.get(&state, large));
        let below = Interval {
            low: i64::MIN,
            high: high.high.checked_sub(apart)?,
        };
        let above = Interval {
            low: low.low.checked_add(apart)?,
            high: i64::MAX,
        };
        self.set(&mut state, small, low.meet(below)?);
        self.set(&mut state, large, high.meet(above)?);
        Some(state)
    }
}
