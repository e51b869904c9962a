//! The flow between the blocks of a function: what comes before what, loops, what is live. Here because several passes
//! ask. Must stay true: ways of errors count as ways; a loop's header is on every way into the loop.

use super::body::{BlockId, Body, V};

/// Order and dominators of blocks.
pub(super) struct Flow {
    /// Blocks that can be reached, each after at least one that leads to it (but for loops: reverse postorder).
    pub(super) order: Vec<BlockId>,
    /// Place in `order`; `u32::MAX` for dead blocks.
    pub(super) rank: Vec<u32>,
    pub(super) preds: Vec<Vec<BlockId>>,
    /// Immediate dominator; of the entry it is itself.
    idom: Vec<BlockId>,
}

/// A loop.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) header: BlockId,
    pub(super) blocks: Vec<BlockId>,
}

impl Flow {
    pub(super) fn of(body: &Body) -> Flow {
        let count = body.blocks.len();
        let mut preds = vec![Vec::new(); count];
        let mut order = Vec::new();
        let mut state = vec![false; count];
        let entry = body.order[0];
        let mut stack: Vec<(BlockId, Vec<BlockId>)> =
            vec![(entry, body.successors(entry).collect())];
        state[entry as usize] = true;
        while let Some((block, rest)) = stack.last_mut() {
            if let Some(next) = rest.pop() {
                if !std::mem::replace(&mut state[next as usize], true) {
                    stack.push((next, body.successors(next).collect()));
                }
            } else {
                order.push(*block);
                stack.pop();
            }
        }
        order.reverse();
        let mut rank = vec![u32::MAX; count];
        for (at, block) in order.iter().enumerate() {
            rank[*block as usize] = at as u32;
        }
        for &block in &order {
            for next in body.successors(block) {
                if !preds[next as usize].contains(&block) {
                    preds[next as usize].push(block);
                }
            }
        }
        let mut flow = Flow {
            order,
            rank,
            preds,
            idom: vec![u32::MAX; count],
        };
        flow.dominators(entry);
        flow
    }

    fn dominators(&mut self, entry: BlockId) {
        self.idom[entry as usize] = entry;
        let mut changed = true;
        while changed {
            changed = false;
            for &block in &self.order[1..] {
                let known = self.preds[block as usize]
                    .iter()
                    .filter(|p| self.idom[**p as usize] != u32::MAX);
                let new = known.copied().reduce(|a, b| self.common(a, b));
                if let Some(new) = new
                    && self.idom[block as usize] != new
                {
                    self.idom[block as usize] = new;
                    changed = true;
                }
            }
        }
    }

    fn common(&self, mut a: BlockId, mut b: BlockId) -> BlockId {
        while a != b {
            while self.rank[a as usize] > self.rank[b as usize] {
                a = self.idom[a as usize];
            }
            while self.rank[b as usize] > self.rank[a as usize] {
                b = self.idom[b as usize];
            }
        }
        a
    }

    /// Whether every way to `b` leads through `a`.
    pub(super) fn dominates(&self, a: BlockId, mut b: BlockId) -> bool {
        while self.rank[b as usize] > self.rank[a as usize] {
            b = self.idom[b as usize];
        }
        a == b
    }

    /// The loops, inner ones first.
    pub(super) fn loops(&self) -> Vec<Loop> {
        let mut loops = Vec::new();
        let mut seen = vec![u32::MAX; self.rank.len()];
        for &header in self.order.iter().rev() {
            let back = |p: &&BlockId| self.dominates(header, **p);
            let mut waiting: Vec<BlockId> = self.preds[header as usize]
                .iter()
                .filter(back)
                .copied()
                .collect();
            if waiting.is_empty() {
                continue;
            }
            let mut blocks = vec![header];
            seen[header as usize] = header;
            while let Some(block) = waiting.pop() {
                if seen[block as usize] != header {
                    seen[block as usize] = header;
                    blocks.push(block);
                    waiting.extend(&self.preds[block as usize]);
                }
            }
            loops.push(Loop { header, blocks });
        }
        loops
    }

    /// How many loops are around each block.
    pub(super) fn depths(&self) -> Vec<u8> {
        let mut depths = vec![0_u8; self.rank.len()];
        for of in self.loops() {
            for block in of.blocks {
                depths[block as usize] = depths[block as usize].saturating_add(1);
            }
        }
        depths
    }
}

/// Most words of live sets (8 MiB).
const LIVE_WORDS_MAX: usize = 1 << 20;

/// Registers that live longer than one block.
pub(super) struct Live {
    /// Number of a register among those; `u32::MAX` for the others.
    index: Vec<u32>,
    names: Vec<V>,
    words: usize,
    /// Per block: live when it begins.
    start: Vec<u64>,
    /// Per block: live when it ends, or when one of its instructions fails.
    end: Vec<u64>,
}

impl Live {
    /// None if there is too much of it.
    pub(super) fn of(body: &Body, flow: &Flow) -> Option<Live> {
        let count = body.classes.len();
        let mut index = vec![u32::MAX; count];
        let mut names = Vec::new();
        let mut killed_in = vec![u32::MAX; count];
        for &block in &flow.order {
            if let Some(reg) = body.caught(block).filter(|_| !body.handlers.is_empty()) {
                killed_in[reg as usize] = block;
            }
            for inst in &body.block(block).insts {
                inst.uses(|v| {
                    if killed_in[v as usize] != block && index[v as usize] == u32::MAX {
                        index[v as usize] = names.len() as u32;
                        names.push(v);
                    }
                });
                if let Some(def) = inst.def() {
                    killed_in[def as usize] = block;
                }
            }
        }
        let words = names.len().div_ceil(64).max(1);
        if words * body.blocks.len() > LIVE_WORDS_MAX {
            return None;
        }
        let size = words * body.blocks.len();
        let mut live = Live {
            index,
            names,
            words,
            start: vec![0; size],
            end: vec![0; size],
        };
        live.solve(body, flow);
        Some(live)
    }

    fn solve(&mut self, body: &Body, flow: &Flow) {
        let words = self.words;
        let (mut used, mut killed) = (vec![0_u64; self.start.len()], vec![0_u64; self.start.len()]);
        for &block in &flow.order {
            let base = block as usize * words;
            let mut touch = |v: V, kill: bool| {
                let at = self.index[v as usize];
                if at == u32::MAX {
                    return;
                }
                let (word, bit) = (base + at as usize / 64, 1 << (at % 64));
                if kill {
                    killed[word] |= bit;
                } else if killed[word] & bit == 0 {
                    used[word] |= bit;
                }
            };
            if let Some(reg) = body.caught(block) {
                touch(reg, true);
            }
            for inst in &body.block(block).insts {
                inst.uses(|v| touch(v, false));
                if let Some(def) = inst.def() {
                    touch(def, true);
                }
            }
        }
        let mut changed = true;
        while changed {
            changed = false;
            for &block in flow.order.iter().rev() {
                let base = block as usize * words;
                let covered = body
                    .block(block)
                    .handler
                    .map(|h| body.handlers[h as usize].target);
                for word in 0..words {
                    let after = |to: BlockId| self.start[to as usize * words + word];
                    let mut end = body
                        .follows(block)
                        .into_iter()
                        .flatten()
                        .fold(0, |all, to| all | after(to));
                    let caught = covered.map_or(0, after);
                    end |= caught;
                    let start = used[base + word] | end & !killed[base + word] | caught;
                    changed |= self.start[base + word] != start;
                    self.start[base + word] = start;
                    self.end[base + word] = end;
                }
            }
        }
    }

    fn listed<'l>(&'l self, set: &'l [u64], block: BlockId) -> impl Iterator<Item = V> + 'l {
        let base = block as usize * self.words;
        set[base..base + self.words]
            .iter()
            .enumerate()
            .flat_map(move |(at, word)| {
                let bits =
                    std::iter::successors(Some(*word), |rest| Some(rest & (rest.wrapping_sub(1))));
                let bits = bits.take_while(|rest| *rest != 0);
                bits.map(move |rest| self.names[64 * at + rest.trailing_zeros() as usize])
            })
    }

    /// The registers that are live when a block ends or fails.
    pub(super) fn at_end(&self, block: BlockId) -> impl Iterator<Item = V> + '_ {
        self.listed(&self.end, block)
    }

    /// The registers that are live when a block begins.
    pub(super) fn at_start(&self, block: BlockId) -> impl Iterator<Item = V> + '_ {
        self.listed(&self.start, block)
    }
}
