//! From a graph of blocks to structured statements: each block stands inside of the one that dominates it; where ways meet,
//! a labelled block ends; loops are loops. (The method is Norman Ramsey's, "Beyond Relooper".) Here because JavaScript has
//! no goto. Must stay true: what leaves a loop or a protected range stands behind it, so that it neither turns nor is
//! protected; a graph whose loops have several entries is refused.

use super::flow::{BlockId, End, Flow, UNSTRUCTURED};
use super::tree::{At, Condition, Stmt, Text};
use super::variables::Var;

/// What a block does, and what decides where it goes.
pub(super) struct Body {
    pub(super) stmts: Vec<Stmt>,
    /// Of a branch: it jumps if this holds.
    pub(super) condition: Option<Condition>,
    pub(super) at: At,
}

/// The shape of a graph.
pub(super) struct Structure<'f> {
    flow: &'f Flow,
    order: Vec<BlockId>,
    rank: Vec<usize>,
    idom: Vec<BlockId>,
    /// Blocks that several ways lead to, or that stand behind a loop or range.
    is_merge: Vec<bool>,
    /// By block: the blocks of the loop that it heads.
    loops: Vec<Option<Vec<bool>>>,
    children: Vec<Vec<BlockId>>,
}

const NOWHERE: usize = usize::MAX;

impl<'f> Structure<'f> {
    pub(super) fn of(flow: &'f Flow) -> Result<Structure<'f>, &'static str> {
        let count = flow.blocks.len();
        let mut edges: Vec<Vec<BlockId>> = (0..count).map(|b| flow.successors(b)).collect();
        check_ranges(flow, &edges)?;
        let (order, rank) = orders(flow.entry, &edges);
        let idom = dominators(flow.entry, &order, &rank, &edges);
        let mut structure = Structure {
            flow,
            order,
            rank,
            idom,
            is_merge: vec![false; count],
            loops: vec![None; count],
            children: vec![Vec::new(); count],
        };
        structure.find_loops(&edges)?;
        structure.order_behind(&mut edges);
        Ok(structure)
    }

    fn dominates(&self, a: BlockId, mut b: BlockId) -> bool {
        while self.rank[b] > self.rank[a] {
            b = self.idom[b];
        }
        a == b
    }

    /// Natural loops; an edge backwards to a block that does not dominate it has no form.
    fn find_loops(&mut self, edges: &[Vec<BlockId>]) -> Result<(), &'static str> {
        let mut preds = vec![Vec::new(); edges.len()];
        for &block in &self.order {
            for &next in &edges[block] {
                preds[next].push(block);
            }
        }
        for &block in &self.order {
            for &next in &edges[block] {
                if self.rank[next] > self.rank[block] {
                    continue;
                }
                if !self.dominates(next, block) {
                    return Err(UNSTRUCTURED);
                }
                let inside = self.loops[next].get_or_insert_with(|| vec![false; edges.len()]);
                inside[next] = true;
                let mut open = vec![block];
                while let Some(at) = open.pop() {
                    if !std::mem::replace(&mut inside[at], true) {
                        open.extend(&preds[at]);
                    }
                }
            }
        }
        Ok(())
    }

    /// Puts what loops and protected ranges lead to behind them, by edges that nobody takes.
    fn order_behind(&mut self, edges: &mut [Vec<BlockId>]) {
        let mut behind: Vec<(BlockId, BlockId)> = Vec::new();
        for &block in &self.order {
            for &next in &edges[block] {
                for &head in &self.order {
                    if let Some(inside) = &self.loops[head]
                        && inside[block]
                        && !inside[next]
                        && !self.is_protected_in(inside, next)
                    {
                        behind.push((head, next));
                    }
                }
                for (catch, inside) in self.flow.inside.iter().enumerate() {
                    let head = self.try_block(catch);
                    if inside[block] && !inside[next] {
                        behind.push((head, next));
                    }
                }
            }
        }
        for (head, next) in behind {
            edges[head].push(next);
            if self.rank[next] > self.rank[head] {
                self.is_merge[next] = true;
            }
        }
        let (order, rank) = orders(self.flow.entry, edges);
        self.idom = dominators(self.flow.entry, &order, &rank, edges);
        (self.order, self.rank) = (order, rank);
        let mut forward = vec![0; edges.len()];
        for &block in &self.order {
            let mut seen: Vec<BlockId> = self.flow.successors(block);
            seen.sort_unstable();
            for next in seen {
                if self.rank[next] > self.rank[block] {
                    forward[next] += 1;
                }
            }
        }
        for &block in &self.order {
            self.is_merge[block] |= forward[block] > 1;
            if block != self.flow.entry {
                self.children[self.idom[block]].push(block);
            }
        }
    }

    /// Whether a block stands in a protected range that begins in the loop: there it must stay.
    fn is_protected_in(&self, looped: &[bool], block: BlockId) -> bool {
        let mut ranges = self.flow.inside.iter().enumerate();
        ranges.any(|(catch, inside)| inside[block] && looped[self.try_block(catch)])
    }

    fn try_block(&self, catch: usize) -> BlockId {
        self.flow.blocks.len() - self.flow.inside.len() + catch
    }

    /// The statements of the whole function.
    pub(super) fn statements(
        &self,
        body: &mut dyn FnMut(BlockId) -> Body,
        live: &dyn Fn(BlockId) -> Vec<Var>,
        caught: &[Option<Var>],
    ) -> Vec<Stmt> {
        let mut writer = Writer {
            structure: self,
            body,
            live,
            caught,
        };
        writer.tree(self.flow.entry)
    }
}

/// A range is entered at its start only.
fn check_ranges(flow: &Flow, edges: &[Vec<BlockId>]) -> Result<(), &'static str> {
    let first_try = flow.blocks.len() - flow.inside.len();
    for (block, nexts) in edges.iter().enumerate() {
        for next in nexts {
            for (catch, inside) in flow.inside.iter().enumerate() {
                if inside[*next] && !inside[block] && block != first_try + catch {
                    return Err(UNSTRUCTURED);
                }
            }
        }
    }
    Ok(())
}

/// Blocks that can be reached in reverse postorder, and the place of each in it.
fn orders(entry: BlockId, edges: &[Vec<BlockId>]) -> (Vec<BlockId>, Vec<usize>) {
    let mut seen = vec![false; edges.len()];
    let mut order = Vec::new();
    let mut stack: Vec<(BlockId, usize)> = vec![(entry, 0)];
    seen[entry] = true;
    while let Some((block, at)) = stack.pop() {
        // The last way first, so that the first comes first in the reversed order.
        match edges[block].len().checked_sub(at + 1) {
            Some(next) => {
                stack.push((block, at + 1));
                let next = edges[block][next];
                if !std::mem::replace(&mut seen[next], true) {
                    stack.push((next, 0));
                }
            }
            None => order.push(block),
        }
    }
    order.reverse();
    let mut rank = vec![NOWHERE; edges.len()];
    for (at, block) in order.iter().enumerate() {
        rank[*block] = at;
    }
    (order, rank)
}

fn dominators(
    entry: BlockId,
    order: &[BlockId],
    rank: &[usize],
    edges: &[Vec<BlockId>],
) -> Vec<BlockId> {
    let mut preds = vec![Vec::new(); edges.len()];
    for &block in order {
        for &next in &edges[block] {
            preds[next].push(block);
        }
    }
    let mut idom = vec![NOWHERE; edges.len()];
    idom[entry] = entry;
    let common = |idom: &[BlockId], mut a: BlockId, mut b: BlockId| {
        while a != b {
            while rank[a] > rank[b] {
                a = idom[a];
            }
            while rank[b] > rank[a] {
                b = idom[b];
            }
        }
        a
    };
    let mut changed = true;
    while changed {
        changed = false;
        for &block in &order[1..] {
            let known = preds[block].iter().copied().filter(|p| idom[*p] != NOWHERE);
            let new = known.reduce(|a, b| common(&idom, a, b));
            if let Some(new) = new
                && idom[block] != new
            {
                idom[block] = new;
                changed = true;
            }
        }
    }
    idom
}

struct Writer<'w> {
    structure: &'w Structure<'w>,
    body: &'w mut dyn FnMut(BlockId) -> Body,
    live: &'w dyn Fn(BlockId) -> Vec<Var>,
    caught: &'w [Option<Var>],
}

/// Labels of loops and of the blocks that end where a block begins.
fn loop_label(block: BlockId) -> usize {
    block * 2
}

fn merge_label(block: BlockId) -> usize {
    block * 2 + 1
}

impl Writer<'_> {
    /// A block with all that it dominates.
    fn tree(&mut self, block: BlockId) -> Vec<Stmt> {
        let structure = self.structure;
        let merges = structure.children[block].iter().copied();
        let mut merges: Vec<BlockId> = merges.filter(|c| structure.is_merge[*c]).collect();
        merges.sort_unstable_by_key(|c| structure.rank[*c]);
        match &structure.loops[block] {
            None => self.with_merges(block, &merges),
            Some(inside) => {
                let (within, behind): (Vec<BlockId>, Vec<BlockId>) =
                    merges.into_iter().partition(|merge| inside[*merge]);
                let body = self.with_merges(block, &within);
                let turn = Stmt::Loop {
                    label: loop_label(block),
                    condition: None,
                    body,
                    carried: (self.live)(block),
                    at: (0, 0),
                };
                self.behind(vec![turn], &behind)
            }
        }
    }

    fn with_merges(&mut self, block: BlockId, merges: &[BlockId]) -> Vec<Stmt> {
        let own = self.own(block);
        self.behind(own, merges)
    }

    /// Statements, then the blocks that they lead to, each behind a labelled block.
    fn behind(&mut self, stmts: Vec<Stmt>, merges: &[BlockId]) -> Vec<Stmt> {
        let mut list = stmts;
        for merge in merges {
            list = vec![Stmt::Block(merge_label(*merge), list)];
            list.extend(self.tree(*merge));
        }
        list
    }

    fn own(&mut self, block: BlockId) -> Vec<Stmt> {
        let Body {
            mut stmts,
            condition,
            at,
        } = (self.body)(block);
        match self.structure.flow.blocks[block].exit {
            End::Goto(to) => stmts.extend(self.branch(block, to)),
            End::Branch { jump, fall } => {
                let condition = condition.expect("a branch has a condition");
                let (then, other) = (self.branch(block, jump), self.branch(block, fall));
                stmts.push(Stmt::If(condition, then, other, at));
            }
            End::Leave => {}
            End::Try { body, catch } => {
                let first = self.structure.flow.handlers[catch];
                let error = plain("caught(raised, frame)");
                let mut handler = vec![match self.caught[catch] {
                    Some(var) => Stmt::Set(var, error, at),
                    None => Stmt::Do(error, at),
                }];
                handler.extend(self.branch(block, first));
                let body = self.branch(block, body);
                stmts.push(Stmt::Try { body, handler, at });
            }
        }
        stmts
    }

    fn branch(&mut self, from: BlockId, to: BlockId) -> Vec<Stmt> {
        if self.structure.rank[to] <= self.structure.rank[from] {
            vec![Stmt::Continue(loop_label(to))]
        } else if self.structure.is_merge[to] {
            vec![Stmt::Break(merge_label(to))]
        } else {
            self.tree(to)
        }
    }
}

/// A text without variables.
pub(super) fn plain(text: &str) -> Text {
    Text {
        text: text.to_owned(),
        vars: Vec::new(),
    }
}
