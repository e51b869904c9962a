//! Calls replaced by the called function's code: of small functions, and of functions of the prelude that call a lambda
//! which is known at the call, together with the lambda. Here because most of what a short function costs is its call, and
//! a lambda in `map` would be one per element. Must stay true: nothing that can call itself again is inlined, so the
//! depth of a recursion counts the same calls as ever; every inlined instruction keeps its place and knows the call it
//! came by (`Inlined`), so that traces are as without.

use flin_bytecode::{FuncId, Module, Op};
use foldhash::{HashMap, HashMapExt as _};

use super::body::{Block, BlockId, Body, Handler, Inst, Regs, Scope, Spot, V, mov_op};

/// Functions of at most this many instructions are inlined wherever they are called.
const SMALL: usize = 16;
/// Functions of the prelude that call no unknown function are inlined up to this size.
const PRELUDE_SMALL: usize = 60;
/// So are functions that are handed lambdas which are inlined with them.
const WITH_LAMBDAS: usize = 200;
/// Lambdas up to this size are inlined where they are called.
const LAMBDA: usize = 150;
/// No function grows beyond this.
const GROWN_MAX: usize = 2_000;

/// What inlining may draw on.
pub(super) struct Sources<'s> {
    pub(super) module: &'s Module,
    /// Functions that are done, as far as they are small enough and never call themselves.
    pub(super) done: &'s [Option<Body>],
}

/// Whether a function may be wanted elsewhere.
pub(super) fn is_candidate(body: &Body) -> bool {
    body.size() <= WITH_LAMBDAS && body.name != flin_bytecode::arguments::ITEMS
}

/// A closure whose function is known.
#[derive(Clone, Debug)]
struct Known {
    func: u32,
    /// Registers that hold the captured values as they were at its creation.
    saved: Vec<Option<V>>,
}

struct Inliner<'s, 'b> {
    sources: &'s Sources<'s>,
    body: &'b mut Body,
    size: usize,
    definitions: Vec<u32>,
    known: HashMap<V, Known>,
}

/// Inlines what is called in a function; whether anything was.
pub(super) fn inline(sources: &Sources<'_>, body: &mut Body) -> bool {
    let calls = |inst: &Inst| matches!(inst.op, Op::Call | Op::CallClosure);
    if !body
        .order
        .iter()
        .any(|b| body.block(*b).insts.iter().any(calls))
    {
        return false;
    }
    let mut work = Inliner {
        sources,
        size: body.size(),
        definitions: body.definitions(),
        known: HashMap::new(),
        body,
    };
    let scopes = work.body.scopes.len();
    let mut at = 0;
    while at < work.body.order.len() {
        work.block(at);
        at += 1;
    }
    work.body.scopes.len() > scopes
}

impl Inliner<'_, '_> {
    /// Looks through a block up to the first call that is inlined; what follows is a block of its own then.
    fn block(&mut self, order_at: usize) {
        let block = self.body.order[order_at];
        let mut at = 0;
        while at < self.body.block(block).insts.len() {
            let inst = &self.body.block(block).insts[at];
            if !concerns(inst.op) {
                at += 1;
                continue;
            }
            let inst = inst.clone();
            match inst.op {
                Op::ClosureNew if self.once(inst.a) => {
                    let func = inst.imm as u32;
                    let count = self.sources.module.functions[func as usize].captures.len();
                    let saved = vec![None; count];
                    self.known.insert(inst.a, Known { func, saved });
                }
                Op::CaptureSetI64
                | Op::CaptureSetF64
                | Op::CaptureSetBool
                | Op::CaptureSetRef
                | Op::CaptureSetAny => at += usize::from(self.save(block, at, &inst)),
                Op::MovRef if self.once(inst.a) => {
                    if let Some(known) = self.known.get(&inst.b).cloned() {
                        self.known.insert(inst.a, known);
                    }
                }
                Op::Call => {
                    let regs = inst.regs.as_deref();
                    if let Some(regs) = regs
                        && self.wants(inst.imm as u32, &regs.args)
                    {
                        return self.splice(order_at, at, inst.imm as u32, None);
                    }
                }
                Op::CallClosure => {
                    let regs = inst.regs.as_deref();
                    let known = regs.and_then(|r| self.known.get(&r.args[0])).cloned();
                    if let Some(known) = known.filter(|k| self.wants_closure(k, inst.imm)) {
                        return self.splice(order_at, at, known.func, Some(known));
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// Whether a register is written in one place only.
    fn once(&self, v: V) -> bool {
        self.definitions[v as usize] == 1
    }

    fn reg(&mut self, class: flin_bytecode::Class) -> V {
        self.definitions.push(1);
        self.body.reg(class)
    }

    /// Keeps a value that a known closure captures; whether an instruction was added.
    fn save(&mut self, block: BlockId, at: usize, inst: &Inst) -> bool {
        let Some(known) = self.known.get(&inst.a) else {
            return false;
        };
        let slot = inst.imm as usize;
        let candidate = self.sources.done[known.func as usize].is_some();
        let class = self.sources.module.functions[known.func as usize]
            .captures
            .get(slot)
            .copied();
        let (true, Some(class), Some(None)) = (candidate, class, known.saved.get(slot)) else {
            return false;
        };
        let saved = self.reg(class);
        if let Some(known) = self.known.get_mut(&inst.a) {
            known.saved[slot] = Some(saved);
        }
        let copy = Inst {
            a: saved,
            b: inst.b,
            ..Inst::new(mov_op(class), inst.spot)
        };
        self.body.block_mut(block).insts.insert(at + 1, copy);
        true
    }

    /// A function that may be inlined at all.
    fn source(&self, func: u32) -> Option<&Body> {
        let body = self.sources.done[func as usize].as_ref()?;
        (self.size + body.size() <= GROWN_MAX).then_some(body)
    }

    fn wants(&self, func: u32, args: &[V]) -> bool {
        let Some(body) = self.source(func) else {
            return false;
        };
        let size = body.size();
        let mut lambdas = false;
        for inst in body.order.iter().flat_map(|b| &body.block(*b).insts) {
            if inst.op != Op::CallClosure {
                continue;
            }
            // Without knowing whom it calls, the call may be part of a recursion.
            let callee = inst.regs.as_ref().map(|regs| regs.args[0]);
            let param = body.params.iter().position(|p| Some(*p) == callee);
            let known = param.and_then(|at| self.known.get(&args[at]));
            match known {
                Some(known) if self.wants_closure(known, inst.imm) => lambdas = true,
                Some(_) | None => return false,
            }
        }
        let limit = match (lambdas, body.from_prelude) {
            (true, _) => WITH_LAMBDAS,
            (false, true) => PRELUDE_SMALL,
            (false, false) if self.body.from_prelude => LAMBDA,
            (false, false) => SMALL,
        };
        size <= limit
    }

    fn wants_closure(&self, known: &Known, signature: i32) -> bool {
        let module = self.sources.module;
        let complete = known.saved.iter().all(Option::is_some);
        let same = module.signatures[signature as usize]
            == module.functions[known.func as usize].signature;
        let body = self.source(known.func);
        let calls = |inst: &Inst| inst.op == Op::CallClosure;
        let plain = |body: &Body| {
            !body
                .order
                .iter()
                .any(|b| body.block(*b).insts.iter().any(calls))
        };
        complete && same && body.is_some_and(|body| body.size() <= LAMBDA && plain(body))
    }

    /// Puts a function's code in place of the call at `at` of a block.
    fn splice(&mut self, order_at: usize, at: usize, func: u32, known: Option<Known>) {
        let Some(callee) = self.sources.done[func as usize].as_ref() else {
            return;
        };
        let block = self.body.order[order_at];
        let mut tail = self.body.block_mut(block).insts.split_off(at);
        let call = tail.remove(0);
        let regs = call.regs.map_or(
            Regs {
                args: Vec::new(),
                result: None,
            },
            |regs| *regs,
        );
        let (handler, next) = (self.body.block(block).handler, self.body.block(block).next);
        let first_block = self.body.blocks.len() as BlockId;
        let after = first_block + callee.blocks.len() as BlockId;
        let first_reg = self.body.classes.len() as V;
        self.body.classes.extend(&callee.classes);
        self.definitions.extend(callee.definitions());
        let first_spot = self.places(callee, call.spot, func);
        let copies = self.argument_copies(callee, &regs.args, first_reg, call.spot);
        self.body.block_mut(block).insts.extend(copies);
        self.body.block_mut(block).next = Some(first_block + callee.order[0]);
        let first_handler = self.body.handlers.len() as u32;
        self.body
            .handlers
            .extend(callee.handlers.iter().map(|h| Handler {
                target: first_block + h.target,
                reg: first_reg + h.reg,
            }));
        let mut returns = 0;
        for of in &callee.blocks {
            let mut copy = Block {
                insts: Vec::with_capacity(of.insts.len()),
                next: of.next.map(|n| first_block + n),
                handler: of.handler.map(|h| first_handler + h).or(handler),
            };
            for inst in &of.insts {
                let mut inst = inst.clone();
                inst.regs_mut(|v| *v += first_reg);
                inst.spot += first_spot;
                if let Some(target) = inst.target() {
                    inst.imm = (first_block + target) as i32;
                }
                if let Some(value) = returned(&inst) {
                    copy.next = Some(after);
                    if let (Some(value), Some(result)) = (value, regs.result) {
                        let class = self.body.classes[result as usize];
                        copy.insts.push(Inst::mov(class, result, value, inst.spot));
                        returns += 1;
                    }
                    continue;
                }
                if let Some(slot) = captured(&inst) {
                    let saved = known.as_ref().and_then(|k| k.saved[slot]);
                    let class = self.body.classes[inst.a as usize];
                    let from = saved.unwrap_or(inst.a);
                    copy.insts.push(Inst::mov(class, inst.a, from, inst.spot));
                    continue;
                }
                copy.insts.push(inst);
            }
            self.body.blocks.push(copy);
        }
        if let Some(result) = regs.result {
            self.definitions[result as usize] += returns;
            self.definitions[result as usize] -= 1;
        }
        self.body.blocks.push(Block {
            insts: tail,
            next,
            handler,
        });
        let order = callee.order.iter().map(|b| first_block + b).chain([after]);
        self.body.order.splice(order_at + 1..order_at + 1, order);
        self.size += callee.size();
    }

    /// The arguments put into the parameters' registers; what is known of an argument is known of its parameter.
    fn argument_copies(&mut self, callee: &Body, args: &[V], first_reg: V, spot: u32) -> Vec<Inst> {
        let mut copies = Vec::with_capacity(args.len());
        for (param, arg) in callee.params.iter().zip(args) {
            let class = callee.classes[*param as usize];
            let copy = Inst {
                a: first_reg + param,
                b: *arg,
                ..Inst::new(mov_op(class), spot)
            };
            if let Some(known) = self
                .known
                .get(arg)
                .filter(|_| copy.op == Op::MovRef && self.once(copy.a))
            {
                self.known.insert(copy.a, known.clone());
            }
            copies.push(copy);
        }
        copies
    }

    /// Adds the called function's places, inside of the call; gives the number of the first.
    fn places(&mut self, callee: &Body, call: u32, func: u32) -> u32 {
        let Spot {
            line,
            column,
            scope: outer,
            ..
        } = self.body.spots[call as usize];
        self.body.scopes.push(Scope {
            func: FuncId(func),
            outer,
            line,
            column,
        });
        let scope = self.body.scopes.len() as u32;
        let inner = callee.scopes.iter().map(|s| Scope {
            outer: s.outer + scope,
            ..*s
        });
        self.body.scopes.extend(inner);
        let first = self.body.spots.len() as u32;
        let spots = callee.spots.iter().map(|s| Spot {
            scope: s.scope + scope,
            ..*s
        });
        self.body.spots.extend(spots);
        first
    }
}

/// Whether inlining looks at instructions of this kind.
fn concerns(op: Op) -> bool {
    matches!(
        op,
        Op::ClosureNew
            | Op::CaptureSetI64
            | Op::CaptureSetF64
            | Op::CaptureSetBool
            | Op::CaptureSetRef
            | Op::CaptureSetAny
            | Op::MovRef
            | Op::Call
            | Op::CallClosure
    )
}

/// What a return returns.
fn returned(inst: &Inst) -> Option<Option<V>> {
    match inst.op {
        Op::Ret => Some(None),
        Op::RetI64 | Op::RetF64 | Op::RetBool | Op::RetRef | Op::RetAny => Some(Some(inst.a)),
        _ => None,
    }
}

/// The slot that an instruction reads of its own closure.
fn captured(inst: &Inst) -> Option<usize> {
    match inst.op {
        Op::CaptureGetI64
        | Op::CaptureGetF64
        | Op::CaptureGetBool
        | Op::CaptureGetRef
        | Op::CaptureGetAny => Some(inst.imm as usize),
        _ => None,
    }
}
