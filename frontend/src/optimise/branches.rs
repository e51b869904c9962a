//! Jumps: those that lead to jumps or nowhere new, comparisons whose result is only jumped by, blocks that follow each
//! other anyway. Here because lowering writes each construct by itself and inlining puts bodies side by side. Must stay
//! true: the way taken is the same for every value; a handler's block is entered by errors only.

use flin_bytecode::Op;

use super::body::{BlockId, Body, Inst, is_jump};

/// Tidies until nothing changes.
pub(super) fn tidy(body: &mut Body) {
    fuse(body);
    constant(body);
    thread(body);
    join(body);
}

/// A jump to a short test tests itself: a loop is entered without a jump to its condition. Last of all, because a
/// register of the test has two definitions then.
pub(super) fn rotate(body: &mut Body) {
    /// Instructions of a test that is worth a copy.
    const SHORT: usize = 4;
    for at in 0..body.order.len() {
        let block = body.order[at];
        let Some(next) = body.block(block).next else {
            continue;
        };
        let (of, test) = (body.block(block), body.block(next));
        let jumps = of.insts.last().is_some_and(|inst| is_jump(inst.op));
        let short = (1..=SHORT).contains(&test.insts.len());
        let tests = test
            .insts
            .last()
            .is_some_and(|inst| is_jump(inst.op) && inst.op != Op::ForNext);
        let beside = body.order.get(at + 1) == Some(&next);
        let calls = test.insts.iter().any(|inst| inst.regs.is_some());
        if jumps
            || !short
            || !tests
            || calls
            || beside
            || next == block
            || of.handler != test.handler
        {
            continue;
        }
        let (copy, onward) = (test.insts.clone(), test.next);
        let of = body.block_mut(block);
        of.insts.extend(copy);
        of.next = onward;
    }
    alive(body);
    for at in 0..body.order.len() {
        let (block, following) = (body.order[at], body.order.get(at + 1).copied());
        let of = body.block_mut(block);
        if let (Some(jump), Some(next)) = (of.insts.last_mut(), of.next)
            && jump.target() == following
            && of.next != following
            && let Some((op, swap)) = inverse(jump.op)
        {
            jump.op = op;
            if swap {
                std::mem::swap(&mut jump.a, &mut jump.b);
            }
            of.next = jump.target();
            jump.imm = next as i32;
        }
    }
}

/// The jump on all other values; whether operands change sides.
fn inverse(jump: Op) -> Option<(Op, bool)> {
    Some(match jump {
        Op::JumpIf => (Op::JumpUnless, false),
        Op::JumpUnless => (Op::JumpIf, false),
        Op::JumpEqI64 => (Op::JumpNeI64, false),
        Op::JumpNeI64 => (Op::JumpEqI64, false),
        Op::JumpLtI64 => (Op::JumpLeI64, true),
        Op::JumpLeI64 => (Op::JumpLtI64, true),
        Op::JumpLtF64 => (Op::JumpNltF64, false),
        Op::JumpLeF64 => (Op::JumpNleF64, false),
        Op::JumpNltF64 => (Op::JumpLtF64, false),
        Op::JumpNleF64 => (Op::JumpLeF64, false),
        _ => return None,
    })
}

/// A jump by a comparison that nobody else looks at compares itself.
fn fuse(body: &mut Body) {
    let mut reads = vec![0_u32; body.classes.len()];
    for inst in body.order.iter().flat_map(|b| &body.block(*b).insts) {
        inst.uses(|v| reads[v as usize] += 1);
    }
    let definitions = body.definitions();
    for block in body.order.clone() {
        let insts = &mut body.block_mut(block).insts;
        while let [.., test, jump] = insts.as_mut_slice() {
            if !matches!(jump.op, Op::JumpIf | Op::JumpUnless)
                || test.def() != Some(jump.a)
                || reads[jump.a as usize] != 1
                || definitions[jump.a as usize] != 1
            {
                break;
            }
            let Some((op, swap)) = fused(test.op, jump.op == Op::JumpIf) else {
                break;
            };
            let (a, b) = match op {
                Op::JumpIf | Op::JumpUnless => (test.b, 0),
                _ if swap => (test.c, test.b),
                _ => (test.b, test.c),
            };
            let again = matches!(op, Op::JumpIf | Op::JumpUnless);
            let fused = Inst {
                a,
                b,
                imm: jump.imm,
                ..Inst::new(op, test.spot)
            };
            insts.truncate(insts.len() - 2);
            insts.push(fused);
            if !again {
                break;
            }
        }
    }
}

/// The jump that a test and a jump by its result make together; whether operands change sides.
fn fused(test: Op, when: bool) -> Option<(Op, bool)> {
    Some(match (test, when) {
        (Op::EqI64, true) => (Op::JumpEqI64, false),
        (Op::EqI64, false) => (Op::JumpNeI64, false),
        (Op::LtI64, true) => (Op::JumpLtI64, false),
        (Op::LtI64, false) => (Op::JumpLeI64, true),
        (Op::LeI64, true) => (Op::JumpLeI64, false),
        (Op::LeI64, false) => (Op::JumpLtI64, true),
        (Op::LtF64, true) => (Op::JumpLtF64, false),
        (Op::LtF64, false) => (Op::JumpNltF64, false),
        (Op::LeF64, true) => (Op::JumpLeF64, false),
        (Op::LeF64, false) => (Op::JumpNleF64, false),
        (Op::NotBool, true) => (Op::JumpUnless, false),
        (Op::NotBool, false) => (Op::JumpIf, false),
        _ => return None,
    })
}

/// Jumps by what is known where they stand are decided.
fn constant(body: &mut Body) {
    for block in body.order.clone() {
        let of = body.block(block);
        let Some(jump) = of
            .insts
            .last()
            .filter(|i| matches!(i.op, Op::JumpIf | Op::JumpUnless))
        else {
            continue;
        };
        let value = of.insts.iter().rev().find(|i| i.def() == Some(jump.a));
        let Some(value) = value.filter(|i| i.op == Op::ConstBool) else {
            continue;
        };
        let taken = (value.imm != 0) == (jump.op == Op::JumpIf);
        let target = jump.imm as BlockId;
        let of = body.block_mut(block);
        of.insts.pop();
        if taken {
            of.next = Some(target);
        }
    }
}

/// Ways lead where they end, not through empty blocks.
fn thread(body: &mut Body) {
    let goal = |body: &Body, mut block: BlockId| {
        // Empty blocks in a circle are an endless loop: it stays.
        for _ in 0..8 {
            let of = body.block(block);
            match of.next {
                Some(next) if of.insts.is_empty() && body.caught(block).is_none() => block = next,
                Some(_) | None => break,
            }
        }
        block
    };
    for block in body.order.clone() {
        if let Some(next) = body.block(block).next {
            let to = goal(body, next);
            body.block_mut(block).next = Some(to);
        }
        if let Some(target) = body.block(block).insts.last().and_then(Inst::target) {
            let to = goal(body, target);
            let next = body.block(block).next;
            let of = body.block_mut(block);
            if let Some(jump) = of.insts.last_mut() {
                jump.imm = to as i32;
                let only_jumps = jump.op != Op::ForNext;
                if next == Some(to) && only_jumps {
                    of.insts.pop();
                }
            }
        }
    }
    alive(body);
}

/// Leaves out blocks that nothing leads to.
pub(super) fn alive(body: &mut Body) {
    let mut seen = vec![false; body.blocks.len()];
    let mut waiting = vec![body.order[0]];
    while let Some(block) = waiting.pop() {
        if !std::mem::replace(&mut seen[block as usize], true) {
            waiting.extend(body.successors(block));
        }
    }
    body.order.retain(|b| seen[*b as usize]);
    let alive: Vec<BlockId> = body.order.clone();
    for (at, of) in body.blocks.iter_mut().enumerate() {
        if !seen[at] {
            *of = super::body::Block::default();
        }
    }
    debug_assert!(!alive.is_empty(), "the entry is alive");
}

/// Blocks that only follow one other become part of it.
fn join(body: &mut Body) {
    let mut ways = vec![0_u32; body.blocks.len()];
    for block in &body.order {
        for next in body.successors(*block) {
            ways[next as usize] += 1;
        }
    }
    for handler in &body.handlers {
        ways[handler.target as usize] += 2;
    }
    ways[body.order[0] as usize] += 1;
    let mut gone = vec![false; body.blocks.len()];
    for block in body.order.clone() {
        if gone[block as usize] {
            continue;
        }
        while let Some(next) = body.block(block).next {
            let of = body.block(block);
            let jumps = of.insts.last().is_some_and(|i| is_jump(i.op));
            let same = of.handler == body.block(next).handler;
            if jumps || !same || ways[next as usize] != 1 || next == block {
                break;
            }
            let moved = std::mem::take(body.block_mut(next));
            gone[next as usize] = true;
            let of = body.block_mut(block);
            of.insts.extend(moved.insts);
            of.next = moved.next;
        }
    }
    body.order.retain(|b| !gone[*b as usize]);
}
