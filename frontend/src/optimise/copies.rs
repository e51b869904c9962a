//! Copies are read at their source; what nobody reads is not computed. Here because inlining leaves copies of arguments and
//! results, and each costs as much as an addition. Must stay true: a copy is only skipped while both sides surely hold
//! the same; an instruction that may fail or do something stays.

use flin_bytecode::{Class, Effects, Family, Op, OperandKind};

use super::body::{Body, Inst, V, is_mov};
use super::graph::{Flow, Live};

/// Reads copies at their source, everywhere for registers that are written once, else within a block.
pub(super) fn propagate(body: &mut Body) {
    let definitions = body.definitions();
    let mut source: Vec<V> = (0..body.classes.len() as V).collect();
    let mut any = false;
    for inst in body.order.iter().flat_map(|b| &body.block(*b).insts) {
        if copies(inst)
            && definitions[inst.a as usize] == 1
            && definitions[inst.b as usize] == 1
            && inst.a != inst.b
        {
            source[inst.a as usize] = inst.b;
            any = true;
        }
    }
    let classes = body.classes.clone();
    if any {
        for v in 0..source.len() {
            let mut root = source[v];
            // A chain is as long as copies were made of copies.
            while source[root as usize] != root {
                root = source[root as usize];
            }
            source[v] = root;
        }
        for block in body.order.clone() {
            for inst in &mut body.block_mut(block).insts {
                read_at(inst, &classes, |v| source[v as usize]);
            }
        }
    }
    let mut local = Local { copies: Vec::new() };
    for block in body.order.clone() {
        local.copies.clear();
        for inst in &mut body.block_mut(block).insts {
            read_at(inst, &classes, |v| local.source(v));
            if let Some(def) = inst.def() {
                local.written(def);
            }
            if copies(inst) && inst.a != inst.b {
                local.copied(inst.a, inst.b);
            }
        }
    }
}

/// Whether the instruction only copies: an object is the same word of class `any`.
fn copies(inst: &Inst) -> bool {
    is_mov(inst.op) || inst.op == Op::BoxRef
}

/// Lets an instruction read other registers, as far as their classes may stand there.
fn read_at(inst: &mut Inst, classes: &[Class], source: impl Fn(V) -> V) {
    let is_run = |o: &flin_bytecode::Operand| matches!(o.kind, OperandKind::Run(_));
    let exact = inst.op.row().operands.iter().any(is_run);
    inst.uses_mut(|v, wanted| {
        let to = source(*v);
        let (from_class, to_class) = (classes[*v as usize], classes[to as usize]);
        let fits = match wanted {
            Some(wanted) => to_class.reads_as(wanted),
            None => to_class == from_class || !exact && to_class.reads_as(from_class),
        };
        if fits {
            *v = to;
        }
    });
}

/// Copies within one block.
struct Local {
    copies: Vec<(V, V)>,
}

impl Local {
    fn source(&self, v: V) -> V {
        self.copies
            .iter()
            .rev()
            .find(|(to, _)| *to == v)
            .map_or(v, |(_, from)| *from)
    }

    fn written(&mut self, v: V) {
        self.copies.retain(|(to, from)| *to != v && *from != v);
    }

    fn copied(&mut self, to: V, from: V) {
        /// More copies than this are not remembered: each is compared with each register that is read.
        const KEPT: usize = 16;
        if self.copies.len() == KEPT {
            self.copies.remove(0);
        }
        self.copies.push((to, from));
    }
}

/// Drops what computes a value that nobody reads; whether there was any.
pub(super) fn drop_unread(body: &mut Body) -> bool {
    let mut reads = vec![0_u32; body.classes.len()];
    for inst in body.order.iter().flat_map(|b| &body.block(*b).insts) {
        inst.uses(|v| reads[v as usize] += 1);
    }
    let mut dropped = false;
    let mut again = true;
    while again {
        again = false;
        for block in body.order.clone().into_iter().rev() {
            let insts = &mut body.block_mut(block).insts;
            let mut at = insts.len();
            let mut gone = Vec::new();
            while at > 0 {
                at -= 1;
                let inst = &insts[at];
                let unread = inst.def().is_some_and(|def| reads[def as usize] == 0);
                let itself = is_mov(inst.op) && inst.a == inst.b;
                if itself || unread && is_pure(inst.op) {
                    inst.uses(|v| {
                        reads[v as usize] -= 1;
                        again |= reads[v as usize] == 0;
                    });
                    gone.push(at);
                }
            }
            if !gone.is_empty() {
                dropped = true;
                let mut at = 0;
                insts.retain(|_| {
                    at += 1;
                    gone.binary_search_by(|g| (at - 1).cmp(g)).is_err()
                });
            }
        }
    }
    dropped
}

/// Drops what computes a value that is overwritten before anybody reads it.
pub(super) fn drop_overwritten(body: &mut Body) {
    let flow = Flow::of(body);
    let Some(live) = Live::of(body, &flow) else {
        return;
    };
    let mut now = vec![false; body.classes.len()];
    for &block in &flow.order {
        let target = body
            .block(block)
            .handler
            .map(|h| body.handlers[h as usize].target);
        let watched: Vec<V> = target.map_or(Vec::new(), |target| live.at_start(target).collect());
        let mut touched: Vec<V> = live.at_end(block).collect();
        touched.iter().for_each(|v| now[*v as usize] = true);
        let insts = &mut body.block_mut(block).insts;
        let mut kept = Vec::with_capacity(insts.len());
        for inst in std::mem::take(insts).into_iter().rev() {
            if let Some(def) = inst.def() {
                if !now[def as usize] && is_pure(inst.op) {
                    continue;
                }
                now[def as usize] = watched.contains(&def);
            }
            inst.uses(|v| {
                now[v as usize] = true;
                touched.push(v);
            });
            kept.push(inst);
        }
        kept.reverse();
        *insts = kept;
        touched.iter().for_each(|v| now[*v as usize] = false);
    }
}

/// Whether an operation only gives a value, always.
pub(super) fn is_pure(op: Op) -> bool {
    let row = op.row();
    let fails = row.effects.has(Effects::TRAP) || row.effects.has(Effects::SUSPEND);
    let gives = row
        .operands
        .first()
        .is_some_and(|o| matches!(o.kind, OperandKind::Out(_)));
    let plain = matches!(row.family, Family::Data | Family::Arith | Family::Compare)
        || op == Op::ClosureNew;
    gives && plain && !fails && !row.effects.has(Effects::END)
}

/// Whether an operation gives the same value for the same registers, whatever happened to objects meanwhile.
pub(super) fn is_fixed(op: Op) -> bool {
    let looks_inside = matches!(
        op,
        Op::TruthyRef | Op::TruthyAny | Op::IsTypeRef | Op::IsTypeAny
    );
    is_pure(op) && !looks_inside
}
