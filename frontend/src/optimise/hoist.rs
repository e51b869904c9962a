//! What gives the same value in every turn of a loop is done before the loop. Here because inlined lambdas bring their
//! constants into the loop, and conditions ask for the length of a list that nobody changes. Must stay true: what may
//! fail moves only if it is the first thing that a loop does anyway; what somebody may write meanwhile does not move.

use flin_bytecode::{Effects, Family, Op};

use super::body::{Block, BlockId, Body, Inst};
use super::copies::{is_fixed, is_pure};
use super::graph::{Flow, Loop};

/// Most instructions that move out of the loops of a function: each takes a register.
const MOVED_MAX: usize = 32;

/// Moves what can move; whether anything did.
pub(super) fn hoist(body: &mut Body) -> bool {
    let flow = Flow::of(body);
    let mut loops = flow.loops();
    if loops.is_empty() {
        return false;
    }
    let definitions = body.definitions();
    let mut defined_in = vec![u32::MAX; body.classes.len()];
    let mut moved = 0;
    for at in 0..loops.len() {
        let of = &loops[at];
        if body.caught(of.header).is_some() {
            continue;
        }
        mark(body, of, at as u32, &mut defined_in);
        let turn = Turn::of(body, of);
        let mut out = Vec::new();
        let mut again = true;
        while again {
            again = false;
            for &block in &of.blocks {
                // Outside of a handler that covers the loop nothing may fail.
                let mut first = block == of.header && body.block(block).handler.is_none();
                let mut keep = Vec::new();
                for inst in std::mem::take(&mut body.block_mut(block).insts) {
                    let mut fixed = inst.def().is_some_and(|def| definitions[def as usize] == 1);
                    inst.uses(|v| fixed &= defined_in[v as usize] != at as u32);
                    if fixed && moved < MOVED_MAX && turn.allows(&inst, first) {
                        if let Some(def) = inst.def() {
                            defined_in[def as usize] = u32::MAX;
                        }
                        out.push(inst);
                        moved += 1;
                        again = true;
                    } else {
                        first &= is_pure(inst.op);
                        keep.push(inst);
                    }
                }
                body.block_mut(block).insts = keep;
            }
        }
        if !out.is_empty() {
            before(body, &flow, &mut loops, at, out);
        }
    }
    moved > 0
}

/// Remembers which registers a loop writes.
fn mark(body: &Body, of: &Loop, number: u32, defined_in: &mut [u32]) {
    for &block in &of.blocks {
        if let Some(reg) = body.caught(block) {
            defined_in[reg as usize] = number;
        }
        for inst in &body.block(block).insts {
            if let Some(def) = inst.def() {
                defined_in[def as usize] = number;
            }
        }
    }
}

/// What a turn of a loop may change.
struct Turn {
    /// Something that is not known: calls, above all.
    anything: bool,
    lists: bool,
    elements: bool,
    globals: Vec<i32>,
}

impl Turn {
    fn of(body: &Body, of: &Loop) -> Turn {
        let mut turn = Turn {
            anything: false,
            lists: false,
            elements: false,
            globals: Vec::new(),
        };
        for inst in of.blocks.iter().flat_map(|b| &body.block(*b).insts) {
            match inst.op {
                Op::GlobalSetI64
                | Op::GlobalSetF64
                | Op::GlobalSetBool
                | Op::GlobalSetRef
                | Op::GlobalSetAny => turn.globals.push(inst.imm),
                Op::ListPushI64
                | Op::ListPushF64
                | Op::ListPushBool
                | Op::ListPushRef
                | Op::ListPushAny
                | Op::IndexSetAny
                | Op::FieldSetAny => turn.lists = true,
                Op::ListSetI64
                | Op::ListSetF64
                | Op::ListSetBool
                | Op::ListSetRef
                | Op::ListSetAny => turn.elements = true,
                op => {
                    let row = op.row();
                    let calls = matches!(op, Op::Call | Op::CallClosure | Op::CallLib);
                    turn.anything |=
                        calls || row.effects.has(Effects::SUSPEND) && row.family != Family::Host;
                }
            }
        }
        turn
    }

    fn allows(&self, inst: &Inst, first: bool) -> bool {
        match inst.op {
            Op::GlobalGetI64
            | Op::GlobalGetF64
            | Op::GlobalGetBool
            | Op::GlobalGetRef
            | Op::GlobalGetAny => !self.anything && !self.globals.contains(&inst.imm),
            Op::ListLen => first && !self.anything && !self.lists,
            Op::ListGetI64 | Op::ListGetF64 | Op::ListGetBool | Op::ListGetRef | Op::ListGetAny => {
                first && !self.anything && !self.lists && !self.elements
            }
            Op::TextLen => first,
            // New objects are never the same.
            Op::ListNew | Op::RecordNew | Op::MapNew | Op::ClosureNew => false,
            op if super::escape::is_cell_new(op) => false,
            op => is_fixed(op),
        }
    }
}

/// Puts instructions on the ways into a loop.
fn before(body: &mut Body, flow: &Flow, loops: &mut [Loop], at: usize, insts: Vec<Inst>) {
    let header = loops[at].header;
    let block = body.blocks.len() as BlockId;
    body.blocks.push(Block {
        insts,
        next: Some(header),
        handler: None,
    });
    let inside = |b: &BlockId| loops[at].blocks.contains(b);
    let outside: Vec<BlockId> = flow.order.iter().copied().filter(|b| !inside(b)).collect();
    for &from in &outside {
        redirect(body, from, header, block);
    }
    // Behind the block that went on into the loop, so that it still does; else before the loop.
    let onward = outside
        .iter()
        .find(|from| body.block(**from).next == Some(block));
    let place = match onward {
        Some(from) => body.order.iter().position(|b| b == from).map(|at| at + 1),
        None => body.order.iter().position(|b| *b == header),
    };
    body.order.insert(place.unwrap_or(0), block);
    for of in loops.iter_mut() {
        if of.header != header && of.blocks.contains(&header) {
            of.blocks.push(block);
        }
    }
}

fn redirect(body: &mut Body, from: BlockId, old: BlockId, new: BlockId) {
    let of = body.block_mut(from);
    if of.next == Some(old) {
        of.next = Some(new);
    }
    if let Some(jump) = of.insts.last_mut()
        && jump.target() == Some(old)
    {
        jump.imm = new as i32;
    }
}
