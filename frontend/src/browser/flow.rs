//! Blocks of a function's code and how control goes between them, errors included. Here because structured code and names
//! both start from it. Must stay true: each protected range is entered at its start only, through a block of its own; code
//! that is not so has no JavaScript (the compiler makes none).

use flin_bytecode::{Function, Instr, Op, OperandKind, Place};

/// A block of the graph.
pub(super) type BlockId = usize;

/// How a block ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// In another block.
    Goto(BlockId),
    /// By its last instruction: there if it jumps, else here.
    Branch { jump: BlockId, fall: BlockId },
    /// It returns or raises.
    Leave,
    /// A protected range begins; an error in it goes to the handler.
    Try { body: BlockId, catch: usize },
}

/// Instructions one after the other.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) exit: End,
}

/// The graph of a function.
pub(super) struct Flow {
    pub(super) code: Vec<Instr>,
    pub(super) blocks: Vec<Block>,
    pub(super) entry: BlockId,
    /// First block of each catch's handler.
    pub(super) handlers: Vec<BlockId>,
    /// Blocks inside of each protected range.
    pub(super) inside: Vec<Vec<bool>>,
}

/// Why there is no graph.
pub(super) const UNSTRUCTURED: &str = "its control flow has no form in JavaScript";

struct Ranges<'f> {
    function: &'f Function,
    block_at: Vec<usize>,
    block_count: usize,
}

impl Ranges<'_> {
    /// Whether catch `outer` is around catch `inner`.
    fn is_around(&self, outer: usize, inner: usize) -> bool {
        let (o, i) = (&self.function.catches[outer], &self.function.catches[inner]);
        outer != inner
            && o.start <= i.start
            && i.end <= o.end
            && ((o.start, o.end) != (i.start, i.end) || outer > inner)
    }

    fn holds(&self, catch: usize, pc: u32) -> bool {
        let catch = &self.function.catches[catch];
        catch.start <= pc && pc < catch.end
    }

    /// The block to go to for an instruction, coming from another one: the outermost range that begins there.
    fn enter(&self, from: Option<u32>, target: u32) -> BlockId {
        let begins = |catch: &usize| {
            self.function.catches[*catch].start == target
                && self.function.catches[*catch].end > target
                && from.is_none_or(|from| !self.holds(*catch, from))
        };
        let all = (0..self.function.catches.len()).filter(begins);
        let outermost = all.reduce(|a, b| if self.is_around(b, a) { b } else { a });
        outermost.map_or(self.block_at[target as usize], |catch| {
            self.block_count + catch
        })
    }
}

impl Flow {
    /// The graph of a function's code.
    pub(super) fn of(function: &Function) -> Result<Flow, &'static str> {
        let code = function
            .code
            .iter()
            .map(|word| Instr::decode(*word).map_err(|_| UNSTRUCTURED))
            .collect::<Result<Vec<Instr>, _>>()?;
        let starts = starts(function, &code);
        let mut block_at = vec![0; code.len() + 1];
        let mut count = 0;
        for pc in 0..code.len() {
            if starts[pc] {
                count += 1;
            }
            block_at[pc] = count - 1;
        }
        let ranges = Ranges {
            function,
            block_at,
            block_count: count,
        };
        let mut blocks = Vec::with_capacity(count + function.catches.len());
        let mut start = 0;
        let ends = (1..=code.len()).filter(|end| *end == code.len() || starts[*end]);
        for end in ends {
            let exit = exit(&ranges, &code, end);
            blocks.push(Block {
                start: start as u32,
                end: end as u32,
                exit,
            });
            start = end;
        }
        for (at, catch) in function.catches.iter().enumerate() {
            let inner = (0..function.catches.len())
                .filter(|other| {
                    function.catches[*other].start == catch.start && ranges.is_around(at, *other)
                })
                .reduce(|a, b| if ranges.is_around(b, a) { b } else { a });
            let body = inner.map_or(ranges.block_at[catch.start as usize], |inner| count + inner);
            let exit = End::Try { body, catch: at };
            let (start, end) = (catch.start, catch.start);
            blocks.push(Block { start, end, exit });
        }
        let handlers = (function.catches.iter())
            .map(|catch| ranges.enter(Some(catch.start), catch.target))
            .collect();
        let inside = (0..function.catches.len())
            .map(|catch| {
                let real = (0..count).map(|block| ranges.holds(catch, blocks[block].start));
                let tries = (0..function.catches.len()).map(|inner| ranges.is_around(catch, inner));
                real.chain(tries).collect()
            })
            .collect();
        let entry = ranges.enter(None, 0);
        Ok(Flow {
            code,
            blocks,
            entry,
            handlers,
            inside,
        })
    }

    /// Whether each instruction stands between the beginning and the end of a value of a view.
    pub(super) fn inside_of_values(&self) -> Vec<bool> {
        let mut inside = vec![false; self.code.len()];
        let mut seen = vec![false; self.blocks.len()];
        let mut open = vec![(self.entry, false)];
        while let Some((block, mut now)) = open.pop() {
            if std::mem::replace(&mut seen[block], true) {
                continue;
            }
            let range = &self.blocks[block];
            let range = range.start as usize..range.end as usize;
            for (instr, place) in self.code[range.clone()].iter().zip(&mut inside[range]) {
                if instr.op == Op::ViewLeaf {
                    now = instr.imm != 0;
                }
                *place = now;
            }
            open.extend(self.successors(block).into_iter().map(|next| (next, now)));
        }
        inside
    }

    /// Where control can go from a block, ways of errors left out but for the block that begins a range.
    pub(super) fn successors(&self, block: BlockId) -> Vec<BlockId> {
        match self.blocks[block].exit {
            End::Goto(to) => vec![to],
            End::Branch { jump, fall } => vec![fall, jump],
            End::Leave => Vec::new(),
            End::Try { body, catch } => vec![body, self.handlers[catch]],
        }
    }
}

/// Where blocks start.
fn starts(function: &Function, code: &[Instr]) -> Vec<bool> {
    let mut starts = vec![false; code.len() + 1];
    starts[0] = true;
    for (pc, instr) in code.iter().enumerate() {
        if let Some(target) = target(*instr) {
            starts[target as usize] = true;
        }
        if target(*instr).is_some() || instr.op.ends_block() {
            starts[pc + 1] = true;
        }
    }
    for catch in &function.catches {
        for pc in [catch.start, catch.end, catch.target] {
            starts[pc as usize] = true;
        }
    }
    starts
}

/// Where an instruction jumps.
pub(super) fn target(instr: Instr) -> Option<u32> {
    let jumps = instr.op.operand(Place::Imm) == Some(OperandKind::Jump);
    jumps.then_some(instr.imm as u32)
}

fn exit(ranges: &Ranges<'_>, code: &[Instr], end: usize) -> End {
    let last = code[end - 1];
    let from = Some(end as u32 - 1);
    let fall = || {
        if end < code.len() {
            ranges.enter(from, end as u32)
        } else {
            ranges.block_at[end - 1]
        }
    };
    match target(last) {
        Some(target) if last.op == Op::Jump => End::Goto(ranges.enter(from, target)),
        Some(target) => End::Branch {
            jump: ranges.enter(from, target),
            fall: fall(),
        },
        None if last.op.ends_block() => End::Leave,
        None => End::Goto(fall()),
    }
}
