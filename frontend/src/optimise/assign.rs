//! Registers for virtual registers. Here because code is only fast when values are computed where they are wanted: copies
//! between registers that never hold different values at the same time disappear, arguments are computed in the callee's
//! window. Must stay true: two values that live at the same time have two registers; a register has one class; whatever
//! lives across a call stands below the call's window.

use flin_bytecode::{Bank, Class, Module, OperandKind};

use super::body::{BlockId, Body, Inst, V, is_mov};
use super::graph::{Flow, Live};
use super::raise::called;
use super::segments::{Busy, Segments, join, overlap};

/// Registers from here on are left to carry far ones, which optimised code does not use.
const NEAR_MAX: usize = 240;
/// How often registers are chosen anew because windows stand in each other's way.
const ROUNDS: usize = 6;
/// Registers that live in more stretches than this are not joined any further: each stretch is compared.
const STRETCHES_MAX: usize = 512;

/// Numbers of registers.
pub(super) struct Assigned {
    pub(super) numbers: Vec<u8>,
    /// Classes of the registers of both banks.
    pub(super) classes: [Vec<Option<Class>>; 2],
    /// First registers of windows and runs, by the spot in `Inst::imm2`'s place: see `window`.
    bases: Vec<[u8; 2]>,
    /// The group of the first argument or result of a window; windows without registers stand at the top.
    group_of: Vec<u32>,
}

impl Assigned {
    /// Where the window or run of an instruction begins in each bank.
    pub(super) fn window(&self, inst: &Inst) -> [u8; 2] {
        let regs = inst.regs.as_ref();
        let first = regs.and_then(|r| r.args.first().copied().or(r.result));
        match first.map(|v| self.group_of[v as usize]) {
            Some(group) => self.bases[group as usize],
            None => [self.classes[0].len() as u8, self.classes[1].len() as u8],
        }
    }
}

/// A window or run: its registers stand side by side.
struct Group {
    /// Place of the instruction.
    at: u32,
    /// Bank, distance from the start, register.
    slots: Vec<(usize, usize, V)>,
    /// What lives across it must stand below it.
    clobbers: bool,
    bases: [usize; 2],
}

/// Chooses registers; none if there are not enough.
pub(super) fn assign(module: &Module, body: &mut Body) -> Option<Assigned> {
    let mut groups = with_slots(module, body);
    let flow = Flow::of(body);
    let live = Live::of(body, &flow)?;
    let depths = flow.depths();
    let mut group_of = vec![NO_GROUP; body.classes.len()];
    for (number, group) in groups.iter().enumerate() {
        for (_, _, v) in &group.slots {
            group_of[*v as usize] = number as u32;
        }
    }
    let mut at = 1;
    let mut places = vec![0; groups.len()];
    let mut copies = Vec::new();
    for &block in &body.order {
        let start = 2 * at;
        for inst in &body.block(block).insts {
            if let Some(regs) = &inst.regs
                && let Some(v) = regs.args.first().copied().or(regs.result)
            {
                places[group_of[v as usize] as usize] = at;
            }
            if is_mov(inst.op) && body.classes[inst.a as usize] == body.classes[inst.b as usize] {
                copies.push((depths[block as usize], at, start, inst.a, inst.b));
            }
            at += 1;
        }
    }
    for (group, at) in groups.iter_mut().zip(places) {
        group.at = at;
    }
    copies.sort_by_key(|(depth, at, ..)| (u8::MAX - depth, *at));
    let mut apart = vec![false; groups.len()];
    for _ in 0..ROUNDS {
        let mut work = Work::new(body, &live, &group_of);
        work.coalesce(&copies, &groups, &apart);
        work.plain(body)?;
        let late = work.windows(&mut groups)?;
        if late.is_empty() {
            return Some(work.finish(groups));
        }
        late.into_iter().for_each(|group| apart[group] = true);
    }
    None
}

/// Gives windows and runs registers of their own, with copies around the instruction.
fn with_slots(module: &Module, body: &mut Body) -> Vec<Group> {
    let mut groups = Vec::new();
    for at in 0..body.order.len() {
        let block = body.order[at] as usize;
        if body.blocks[block]
            .insts
            .iter()
            .all(|inst| inst.regs.is_none())
        {
            continue;
        }
        let insts = std::mem::take(&mut body.blocks[block].insts);
        let mut out = Vec::with_capacity(insts.len() + 8);
        for mut inst in insts {
            let Some(mut regs) = inst.regs.take() else {
                out.push(inst);
                continue;
            };
            let spot = inst.spot;
            let mut next = [0, 0];
            let mut slots = Vec::new();
            let call = called(module, inst.op, inst.imm);
            let wanted: Vec<Class> = match call {
                Some((signature, closure)) => {
                    let object = closure.then_some(Class::Ref);
                    object
                        .into_iter()
                        .chain(signature.params.iter().copied())
                        .collect()
                }
                None => regs
                    .args
                    .iter()
                    .map(|arg| body.classes[*arg as usize])
                    .collect(),
            };
            for (arg, class) in regs.args.iter_mut().zip(wanted) {
                let slot = body.reg(class);
                out.push(Inst::mov(class, slot, *arg, spot));
                let bank = class.bank() as usize;
                slots.push((bank, next[bank], slot));
                next[bank] += 1;
                *arg = slot;
            }
            let mut after = None;
            if let (Some(result), Some((signature, closure))) = (regs.result, call) {
                let class = body.classes[result as usize];
                let slot = body.reg(class);
                slots.push((class.bank() as usize, signature.result_slot(closure), slot));
                after = Some(Inst::mov(class, result, slot, spot));
                regs.result = Some(slot);
            }
            let row = inst.op.row();
            let clobbers = row
                .operands
                .iter()
                .any(|o| matches!(o.kind, OperandKind::Window(_)));
            inst.regs = Some(regs);
            out.push(inst);
            out.extend(after);
            if !slots.is_empty() {
                groups.push(Group {
                    at: 0,
                    slots,
                    clobbers,
                    bases: [0, 0],
                });
            }
        }
        body.blocks[block].insts = out;
    }
    groups
}

const NO_GROUP: u32 = u32::MAX;

struct Work {
    segments: Vec<Segments>,
    parent: Vec<V>,
    /// Registers that must have a certain number.
    pinned: Vec<Option<u8>>,
    group: Vec<u32>,
    class: Vec<Class>,
    number: Vec<Option<u8>>,
    busy: [Vec<Busy>; 2],
    classes: [Vec<Option<Class>>; 2],
}

impl Work {
    fn new(body: &Body, live: &Live, group: &[u32]) -> Work {
        let count = body.classes.len();
        let mut work = Work {
            segments: super::segments::of(body, live),
            parent: (0..count as u32).collect(),
            pinned: vec![None; count],
            group: group.to_vec(),
            class: body.classes.clone(),
            number: vec![None; count],
            busy: [Vec::new(), Vec::new()],
            classes: [Vec::new(), Vec::new()],
        };
        let mut next = [0, 0];
        for &param in &body.params {
            let bank = body.classes[param as usize].bank() as usize;
            work.pinned[param as usize] = Some(next[bank] as u8);
            work.reserve(bank, next[bank] + 1);
            work.classes[bank][next[bank]] = Some(body.classes[param as usize]);
            next[bank] += 1;
        }
        if body.is_closure {
            // The closure's own register is never written.
            let forever = vec![(0, u32::MAX)];
            work.segments[body.params[0] as usize] = forever;
        }
        work
    }

    fn reserve(&mut self, bank: usize, count: usize) {
        if self.busy[bank].len() < count {
            self.busy[bank].resize(count, Busy::default());
            self.classes[bank].resize(count, None);
        }
    }

    fn find(&self, mut v: V) -> V {
        while self.parent[v as usize] != v {
            v = self.parent[v as usize];
        }
        v
    }

    /// Makes one register of both sides of a copy where that is right.
    fn coalesce(&mut self, copies: &[(u8, u32, u32, V, V)], groups: &[Group], apart: &[bool]) {
        for late in [false, true] {
            for &(_, at, block, to, from) in copies {
                let (a, b) = (self.find(to), self.find(from));
                let slots = [
                    self.group[a as usize] != NO_GROUP,
                    self.group[b as usize] != NO_GROUP,
                ];
                if a == b || slots[1] != late || slots == [true, true] {
                    continue;
                }
                let fine = match slots {
                    [true, false] => {
                        !apart[self.group[a as usize] as usize] && self.is_argument(b, at, block)
                    }
                    [false, true] => self.is_result(a, at, groups),
                    _ => true,
                };
                if fine {
                    self.join(a, b);
                }
            }
        }
    }

    /// Whether a register is only there to be an argument of the call after the copy.
    fn is_argument(&self, v: V, at: u32, block: u32) -> bool {
        let one = matches!(self.segments[v as usize].as_slice(), [(start, end)] if *start > block && *end == 2 * at + 1);
        one && self.pinned[v as usize].is_none()
    }

    /// Whether a call's result may stay in the window while it is needed: no window that was begun before it is called
    /// meanwhile.
    fn is_result(&self, v: V, at: u32, groups: &[Group]) -> bool {
        let [(start, end)] = self.segments[v as usize].as_slice() else {
            return false;
        };
        if *start != 2 * at + 1 || self.pinned[v as usize].is_some() {
            return false;
        }
        let first = groups.partition_point(|g| 2 * g.at < *start);
        let meanwhile = groups[first..].iter().take_while(|g| 2 * g.at < *end);
        let mut clean = true;
        for group in meanwhile {
            let begun = group
                .slots
                .iter()
                .filter_map(|(_, _, slot)| self.segments[self.find(*slot) as usize].first());
            clean &= begun.map(|s| s.0).min().is_none_or(|begun| begun >= *start);
        }
        clean
    }

    fn join(&mut self, a: V, b: V) {
        let (x, y) = (a as usize, b as usize);
        if self.pinned[x].is_some() && self.pinned[y].is_some()
            || self.class[x] != self.class[y]
            || self.segments[x].len() + self.segments[y].len() > STRETCHES_MAX
            || overlap(&self.segments[x], &self.segments[y])
        {
            return;
        }
        let added = std::mem::take(&mut self.segments[y]);
        join(&mut self.segments[x], &added);
        self.parent[y] = a;
        self.pinned[x] = self.pinned[x].or(self.pinned[y]);
        if self.group[x] == NO_GROUP {
            self.group[x] = self.group[y];
        }
    }

    /// Registers for all that is not in a window.
    fn plain(&mut self, body: &Body) -> Option<()> {
        let mut roots: Vec<V> = (0..self.parent.len() as u32)
            .filter(|v| self.parent[*v as usize] == *v && self.group[*v as usize] == NO_GROUP)
            .filter(|v| !self.segments[*v as usize].is_empty())
            .collect();
        roots.sort_by_key(|v| {
            (
                self.pinned[*v as usize].is_none(),
                self.segments[*v as usize][0],
            )
        });
        // A parameter that nothing reads still arrives.
        for &param in &body.params {
            let bank = body.classes[param as usize].bank() as usize;
            let number = self.pinned[self.find(param) as usize]? as usize;
            if self.segments[self.find(param) as usize].is_empty() {
                self.busy[bank][number].take(&[(0, 2)]);
            }
        }
        for v in roots {
            let bank = self.class[v as usize].bank() as usize;
            let number = match self.pinned[v as usize] {
                Some(number) => number as usize,
                None => (0..NEAR_MAX).find(|n| self.fits(bank, *n, v))?,
            };
            self.take(bank, number, v);
        }
        Some(())
    }

    fn fits(&self, bank: usize, number: usize, v: V) -> bool {
        let class = self.classes[bank].get(number).copied().flatten();
        class.is_none_or(|class| class == self.class[v as usize])
            && self.busy[bank]
                .get(number)
                .is_none_or(|busy| busy.is_free(&self.segments[v as usize]))
    }

    fn take(&mut self, bank: usize, number: usize, v: V) {
        self.reserve(bank, number + 1);
        self.busy[bank][number].take(&self.segments[v as usize]);
        self.classes[bank][number] = Some(self.class[v as usize]);
        self.number[v as usize] = Some(number as u8);
    }

    /// Registers for windows: those that are begun first stand lowest. Gives those below something that lives across
    /// their call: their arguments must not be computed in place, because what was placed later needs the room.
    fn windows(&mut self, groups: &mut [Group]) -> Option<Vec<usize>> {
        let begun = |work: &Work, group: &Group| {
            let starts = group
                .slots
                .iter()
                .filter_map(|(_, _, v)| work.segments[work.find(*v) as usize].first());
            starts.map(|s| s.0).min().unwrap_or(0)
        };
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by_key(|g| (begun(self, &groups[*g]), groups[*g].at));
        for at in order {
            for bank in [0, 1] {
                let group = &groups[at];
                let slots: Vec<(usize, V)> = group
                    .slots
                    .iter()
                    .filter(|(b, ..)| *b == bank)
                    .map(|(_, distance, v)| (*distance, self.find(*v)))
                    .collect();
                let lowest = if group.clobbers {
                    self.above(bank, group.at)
                } else {
                    0
                };
                let width = slots
                    .iter()
                    .map(|(distance, _)| distance + 1)
                    .max()
                    .unwrap_or(0);
                let fits = |base: &usize| {
                    slots
                        .iter()
                        .all(|(distance, v)| self.fits(bank, base + distance, *v))
                };
                let base = (lowest..=NEAR_MAX - width.min(NEAR_MAX)).find(fits)?;
                for (distance, v) in slots {
                    self.take(bank, base + distance, v);
                }
                groups[at].bases[bank] = base;
            }
        }
        let in_order =
            |g: &Group| !g.clobbers || (0..2).all(|bank| self.above(bank, g.at) <= g.bases[bank]);
        let late = |g: &usize| !in_order(&groups[*g]);
        Some((0..groups.len()).filter(late).collect())
    }

    /// The first register above all that lives across an instruction.
    fn above(&self, bank: usize, at: u32) -> usize {
        let across = self.busy[bank].iter().rposition(|busy| busy.covers(2 * at));
        across.map_or(0, |number| number + 1)
    }

    fn finish(self, groups: Vec<Group>) -> Assigned {
        let count = self.parent.len();
        let numbers = (0..count as u32)
            .map(|v| self.number[self.find(v) as usize].unwrap_or(0))
            .collect();
        let mut group_of = self.group.clone();
        for (number, group) in groups.iter().enumerate() {
            for (_, _, v) in &group.slots {
                group_of[*v as usize] = number as u32;
            }
        }
        Assigned {
            numbers,
            bases: groups
                .iter()
                .map(|g| [g.bases[0] as u8, g.bases[1] as u8])
                .collect(),
            classes: self.classes,
            group_of,
        }
    }
}

const _: () = assert!(Bank::Scalar as usize == 0 && Bank::Reference as usize == 1);

/// A block's place; used by what walks over the code in order.
pub(super) fn positions(body: &Body) -> impl Iterator<Item = (BlockId, u32)> + '_ {
    let mut at = 1;
    body.order.iter().map(move |block| {
        let start = at;
        at += body.block(*block).insts.len() as u32;
        (*block, start)
    })
}
