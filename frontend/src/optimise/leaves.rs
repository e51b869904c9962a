//! The end of a recursion asked for before the call: where a function begins with a compare of what it is given and a value
//! to return, and calls itself, the compare stands at the call, and the call is made only if the recursion goes on. Here
//! because at least half of the calls of a recursion that branches do nothing but return. Must stay true: what is copied raises
//! nothing and reads parameters and constants only; the call keeps its place, so traces are as without; as with inlining,
//! a call that is not made is not one level deeper.

use flin_bytecode::Op;

use super::body::{Block, BlockId, Body, Inst, V, is_jump};

/// Most instructions that are copied to a call.
const COPIED_MAX: usize = 6;
/// Calls of itself in a function. With one call only the last of all would be spared.
const CALLS: std::ops::RangeInclusive<usize> = 2..=4;

/// How a function begins: instructions, the last of which jumps, and the block that returns.
struct Guard {
    asked: Vec<Inst>,
    leaf: Vec<Inst>,
    /// What the leaf returns.
    value: Option<V>,
    /// Whether the jump, if it is taken, leads to the leaf.
    by_jump: bool,
}

/// Asks before calls of the function itself; whether there were any.
pub(super) fn leaves(func: u32, body: &mut Body) -> bool {
    if body.is_closure {
        return false;
    }
    let is_own = |inst: &Inst| inst.op == Op::Call && inst.imm as u32 == func;
    let calls = body.order.iter().flat_map(|b| &body.block(*b).insts);
    let count = calls.filter(|inst| is_own(inst)).count();
    if !CALLS.contains(&count) {
        return false;
    }
    let Some(guard) = guard(body) else {
        return false;
    };
    let mut at = 0;
    while at < body.order.len() {
        let block = body.order[at];
        let call = body.block(block).insts.iter().position(is_own);
        match call {
            // What stands behind the call is a block of its own then, and looked at next.
            Some(call) => at += split(body, &guard, at, call),
            None => at += 1,
        }
    }
    true
}

/// Whether an instruction only computes something from scalars and cannot raise.
fn is_quiet(op: Op) -> bool {
    matches!(
        op,
        Op::ConstI64
            | Op::ConstI64Pool
            | Op::ConstF64
            | Op::ConstBool
            | Op::MovI64
            | Op::MovF64
            | Op::MovBool
            | Op::EqI64
            | Op::LtI64
            | Op::LeI64
            | Op::EqF64
            | Op::LtF64
            | Op::LeF64
            | Op::EqBool
            | Op::NotBool
    )
}

/// Whether an instruction jumps by what it compares.
fn compares(op: Op) -> bool {
    is_jump(op)
        && matches!(
            op,
            Op::JumpIf
                | Op::JumpUnless
                | Op::JumpEqI64
                | Op::JumpNeI64
                | Op::JumpLtI64
                | Op::JumpLeI64
                | Op::JumpLtF64
                | Op::JumpLeF64
                | Op::JumpNltF64
                | Op::JumpNleF64
        )
}

fn guard(body: &Body) -> Option<Guard> {
    let entry = body.order[0];
    let first = body.block(entry);
    let (jump, asked) = first.insts.split_last()?;
    let is_fit = |inst: &Inst| {
        let writes_param = inst.def().is_some_and(|v| body.params.contains(&v));
        is_quiet(inst.op) && !writes_param
    };
    if !compares(jump.op) || !asked.iter().all(is_fit) || first.handler.is_some() {
        return None;
    }
    let (target, next) = (jump.target()?, first.next?);
    let leaf_of = |block: BlockId| {
        let block = body.block(block);
        let (last, before) = block.insts.split_last()?;
        let value = match last.op {
            Op::Ret => None,
            Op::RetI64 | Op::RetF64 | Op::RetBool => Some(last.a),
            _ => return None,
        };
        let fits = before.iter().all(is_fit) && block.handler.is_none();
        fits.then(|| (before.to_vec(), value))
    };
    let (by_jump, (leaf, value)) = match leaf_of(next) {
        Some(found) => (false, found),
        None => (true, leaf_of(target)?),
    };
    let copied = first.insts.len() + leaf.len();
    // Everything that is read must have been computed here.
    let known = |v: V, before: &[&Inst]| {
        body.params.contains(&v) || before.iter().any(|inst| inst.def() == Some(v))
    };
    let mut before: Vec<&Inst> = Vec::new();
    for inst in first.insts.iter().chain(&leaf) {
        let mut all = true;
        inst.uses(|v| all &= known(v, &before));
        if !all {
            return None;
        }
        before.push(inst);
    }
    let fits = value.is_none_or(|v| known(v, &before)) && copied <= COPIED_MAX && target != next;
    fits.then(|| Guard {
        asked: first.insts.clone(),
        leaf,
        value,
        by_jump,
    })
}

/// Puts the guard before the call at `at` of a block; gives how many places of the order are done.
fn split(body: &mut Body, guard: &Guard, order_at: usize, at: usize) -> usize {
    let block = body.order[order_at];
    let mut tail = body.block_mut(block).insts.split_off(at);
    let call = tail.remove(0);
    let (handler, next) = (body.block(block).handler, body.block(block).next);
    let (args, result) = match &call.regs {
        Some(regs) => (regs.args.clone(), regs.result),
        None => (Vec::new(), None),
    };
    let [leaf, rest, after] = [0, 1, 2].map(|n| body.blocks.len() as BlockId + n);
    let mut renamed: Vec<(V, V)> = body.params.iter().copied().zip(args).collect();
    let mut copies = |body: &mut Body, from: &[Inst]| -> Vec<Inst> {
        let mut copies = Vec::with_capacity(from.len() + 1);
        for inst in from {
            let mut inst = inst.clone();
            inst.spot = call.spot;
            if let Some(def) = inst.def()
                && !renamed.iter().any(|(v, _)| *v == def)
            {
                let fresh = body.reg(body.classes[def as usize]);
                renamed.push((def, fresh));
            }
            inst.regs_mut(|v| {
                if let Some((_, to)) = renamed.iter().find(|(from, _)| from == v) {
                    *v = *to;
                }
            });
            copies.push(inst);
        }
        copies
    };
    let mut asked = copies(body, &guard.asked);
    let mut returns = copies(body, &guard.leaf);
    if let Some(jump) = asked.last_mut() {
        jump.imm = if guard.by_jump { leaf } else { rest } as i32;
    }
    if let (Some(value), Some(result)) = (guard.value, result) {
        let renamed = renamed.iter().find(|(from, _)| *from == value);
        let class = body.classes[result as usize];
        let value = renamed.map_or(value, |(_, to)| *to);
        returns.push(Inst::mov(class, result, value, call.spot));
    }
    let of = body.block_mut(block);
    of.insts.extend(asked);
    of.next = Some(if guard.by_jump { rest } else { leaf });
    let blocks = [
        (returns, Some(after)),
        (vec![call], Some(after)),
        (tail, next),
    ];
    for (insts, next) in blocks {
        body.blocks.push(Block {
            insts,
            next,
            handler,
        });
    }
    let places = order_at + 1..order_at + 1;
    if guard.by_jump {
        body.order.splice(places, [rest, leaf, after]);
    } else {
        body.order.splice(places, [leaf, rest, after]);
    }
    3
}
