//! Bytecode to blocks and virtual registers. Here because lowering reuses registers like a stack, which hides what
//! belongs together. Must stay true: a virtual register joins exactly the definitions that share a use; a function that
//! is too big or has an unusual form is left as it is (none).

use flin_bytecode::encode::split_reg_pair;
use flin_bytecode::{
    Bank, Class, Function, Instr, LibId, Module, Op, OperandKind, Place, Signature,
};

use super::body::{Block, Body, Handler, Inst, Regs, Spot, V, is_jump, mov_op};

/// Most words of live sets (8 MiB).
const SET_WORDS_MAX: usize = 1 << 20;

/// A function in the form that passes work on; none if it is not worth it or too big.
pub(super) fn raise(module: &Module, function: &Function) -> Option<Body> {
    let code: Option<Vec<Instr>> = function
        .code
        .iter()
        .map(|word| Instr::decode(*word).ok())
        .collect();
    let raw = Raw::new(module, function, code?)?;
    raw.webs()
}

/// The signature of the call that an instruction makes, and whether a closure object is its first argument.
pub(super) fn called(module: &Module, op: Op, imm: i32) -> Option<(&Signature, bool)> {
    match op.operand(Place::Imm)? {
        OperandKind::Closure if op == Op::CallWith => {
            Some((&module.functions[imm as usize].signature, true))
        }
        OperandKind::Func => Some((&module.functions[imm as usize].signature, false)),
        OperandKind::Sig => Some((&module.signatures[imm as usize], true)),
        OperandKind::Lib => Some((LibId(imm as u16).signature(), false)),
        _ => None,
    }
}

/// A function with its blocks, registers still those of the machine: scalar ones first.
struct Raw<'m> {
    module: &'m Module,
    function: &'m Function,
    code: Vec<Instr>,
    /// First instruction of each block, and the end.
    starts: Vec<usize>,
    block_at: Vec<u32>,
    catch_of: Vec<Option<usize>>,
    reachable: Vec<bool>,
    scalars: usize,
    count: usize,
}

/// What an instruction reads and writes, by number of register.
#[derive(Default)]
struct Touched {
    uses: Vec<usize>,
    def: Option<usize>,
    /// The register is read and written.
    both: Option<usize>,
}

impl<'m> Raw<'m> {
    fn new(module: &'m Module, function: &'m Function, code: Vec<Instr>) -> Option<Raw<'m>> {
        let mut leader = vec![false; code.len() + 1];
        leader[0] = true;
        for (pc, instr) in code.iter().enumerate() {
            if is_jump(instr.op) {
                leader[instr.imm as usize] = true;
                leader[pc + 1] = true;
            }
            if instr.op.ends_block() {
                leader[pc + 1] = true;
            }
        }
        for catch in &function.catches {
            for at in [catch.start, catch.end, catch.target] {
                leader[at as usize] = true;
            }
        }
        let starts: Vec<usize> = (0..=code.len())
            .filter(|pc| leader[*pc] || *pc == code.len())
            .collect();
        let blocks = starts.len() - 1;
        let mut block_at = vec![u32::MAX; code.len()];
        for (block, start) in starts[..blocks].iter().enumerate() {
            block_at[*start] = block as u32;
        }
        let mut catch_of = vec![None; blocks];
        if function.catches.len().saturating_mul(blocks) > 1 << 22 {
            return None;
        }
        for (number, catch) in function.catches.iter().enumerate() {
            for (slot, start) in catch_of.iter_mut().zip(&starts) {
                if (catch.start..catch.end).contains(&(*start as u32)) {
                    slot.get_or_insert(number);
                }
            }
        }
        let scalars = function.scalar_regs.len();
        let mut raw = Raw {
            module,
            function,
            code,
            starts,
            block_at,
            catch_of,
            reachable: vec![false; blocks],
            scalars,
            count: scalars + function.ref_regs.len(),
        };
        if blocks * raw.count.div_ceil(64) > SET_WORDS_MAX {
            return None;
        }
        raw.reach();
        Some(raw)
    }

    fn reach(&mut self) {
        let mut waiting = vec![0];
        while let Some(block) = waiting.pop() {
            if !std::mem::replace(&mut self.reachable[block], true) {
                waiting.extend(self.successors(block).into_iter().flatten());
            }
        }
    }

    /// Jump target, next block, handler.
    fn successors(&self, block: usize) -> [Option<usize>; 3] {
        let last = &self.code[self.starts[block + 1] - 1];
        let jump = is_jump(last.op).then(|| self.block_at[last.imm as usize] as usize);
        let next = (!last.op.ends_block()).then_some(block + 1);
        let handler = self.catch_of[block]
            .map(|c| self.block_at[self.function.catches[c].target as usize] as usize);
        [jump, next, handler]
    }

    fn number(&self, bank: Bank, reg: usize) -> usize {
        match bank {
            Bank::Scalar => reg,
            Bank::Reference => self.scalars + reg,
        }
    }

    fn class(&self, number: usize) -> Class {
        match number.checked_sub(self.scalars) {
            None => self.function.scalar_regs[number],
            Some(reference) => self.function.ref_regs[reference],
        }
    }

    fn touched(&self, instr: &Instr) -> Touched {
        let mut touched = Touched::default();
        for operand in instr.op.row().operands {
            let at = instr.at(operand.place);
            match operand.kind {
                OperandKind::In(class) => {
                    touched.uses.push(self.number(class.bank(), at as usize));
                }
                OperandKind::Out(class) => {
                    touched.def = Some(self.number(class.bank(), at as usize))
                }
                OperandKind::InOut(class) => {
                    touched.both = Some(self.number(class.bank(), at as usize));
                }
                OperandKind::RegPair => {
                    let (to, from) = split_reg_pair(instr.imm);
                    let bank = if instr.a == 0 {
                        Bank::Scalar
                    } else {
                        Bank::Reference
                    };
                    touched.uses.push(self.number(bank, from as usize));
                    touched.def = Some(self.number(bank, to as usize));
                }
                OperandKind::Run(class) => {
                    let count = instr
                        .op
                        .row()
                        .operands
                        .iter()
                        .find(|o| o.kind == OperandKind::Count);
                    let count = count.map_or(0, |o| instr.at(o.place)) as usize;
                    let first = at as usize;
                    touched
                        .uses
                        .extend((first..first + count).map(|r| self.number(class.bank(), r)));
                }
                _ => {}
            }
        }
        if let Some((signature, closure)) = called(self.module, instr.op, instr.imm) {
            let mut next = [instr.a as usize, self.scalars + instr.b as usize];
            let object = closure.then_some(&Class::Ref);
            for class in object.into_iter().chain(&signature.params) {
                let slot = &mut next[usize::from(class.bank() == Bank::Reference)];
                touched.uses.push(*slot);
                *slot += 1;
            }
            touched.def = signature.result.map(|class| {
                let base = if class.bank() == Bank::Scalar {
                    instr.a
                } else {
                    instr.b
                };
                self.number(class.bank(), base as usize + signature.result_slot(closure))
            });
        }
        touched
    }

    /// Registers that are live at the start of each block.
    fn live(&self) -> Vec<Vec<u64>> {
        let words = self.count.div_ceil(64).max(1);
        let blocks = self.starts.len() - 1;
        let mut gen_kill = Vec::with_capacity(blocks);
        for block in 0..blocks {
            let (mut used, mut killed) = (vec![0_u64; words], vec![0_u64; words]);
            for instr in &self.code[self.starts[block]..self.starts[block + 1]] {
                let touched = self.touched(instr);
                for r in touched.uses.iter().chain(&touched.both) {
                    if killed[r / 64] >> (r % 64) & 1 == 0 {
                        used[r / 64] |= 1 << (r % 64);
                    }
                }
                if let Some(r) = touched.def {
                    killed[r / 64] |= 1 << (r % 64);
                }
            }
            gen_kill.push((used, killed));
        }
        let mut live: Vec<Vec<u64>> = vec![vec![0; words]; blocks];
        let mut changed = true;
        while changed {
            changed = false;
            for block in (0..blocks).rev().filter(|b| self.reachable[*b]) {
                let [jump, next, handler] = self.successors(block);
                let (used, killed) = &gen_kill[block];
                for word in 0..words {
                    let out = [jump, next]
                        .into_iter()
                        .flatten()
                        .fold(0, |all, s| all | live[s][word]);
                    let mut new = used[word] | out & !killed[word];
                    if let Some(handler) = handler {
                        new |= live[handler][word] & !self.caught_bit(block, word);
                    }
                    if new & !live[block][word] != 0 {
                        live[block][word] |= new;
                        changed = true;
                    }
                }
            }
        }
        live
    }

    /// The bit of the register that the handler of a block writes.
    fn caught_bit(&self, block: usize, word: usize) -> u64 {
        let Some(catch) = self.catch_of[block] else {
            return 0;
        };
        let reg = self.scalars + self.function.catches[catch].reg as usize;
        if reg / 64 == word { 1 << (reg % 64) } else { 0 }
    }

    fn webs(self) -> Option<Body> {
        let live = self.live();
        let mut webs = Webs::new(&self, &live);
        let mut entry = vec![NOTHING; self.count];
        let params: Vec<u32> = self
            .param_regs()
            .into_iter()
            .map(|reg| {
                let node = webs.node(reg);
                entry[reg] = node;
                node
            })
            .collect();
        for (reg, node) in webs.at_start(0) {
            if entry[reg] == NOTHING {
                return None;
            }
            webs.join(entry[reg], node);
        }
        let mut handlers: Vec<(usize, usize, u32)> = Vec::new();
        let mut blocks = Vec::new();
        for block in 0..self.starts.len() - 1 {
            let handler = self.catch_of[block].map(|c| {
                let catch = &self.function.catches[c];
                let target = self.block_at[catch.target as usize] as usize;
                let reg = self.scalars + catch.reg as usize;
                let known = handlers.iter().position(|h| h.0 == target);
                known.unwrap_or_else(|| {
                    let node = webs.node(reg);
                    for (r, inner) in webs.at_start(target) {
                        if r == reg {
                            webs.join(node, inner);
                        }
                    }
                    handlers.push((target, reg, node));
                    handlers.len() - 1
                })
            });
            if let (Some(h), Some(c)) = (handler, self.catch_of[block])
                && handlers[h].1 != self.scalars + self.function.catches[c].reg as usize
            {
                return None;
            }
            blocks.push(self.block(block, handler, &handlers, &mut webs)?);
        }
        // A block that errors and jumps both lead to has no place for the error object.
        for block in 0..blocks.len() {
            let [jump, next, _] = self.successors(block);
            let plain = |s: &usize| handlers.iter().any(|h| h.0 == *s);
            if self.reachable[block] && jump.iter().chain(&next).any(plain) {
                return None;
            }
        }
        Some(self.body(webs, params, blocks, handlers))
    }

    fn param_regs(&self) -> Vec<usize> {
        let mut next = [0, self.scalars];
        let closure = self.function.is_closure.then_some(&Class::Ref);
        closure
            .into_iter()
            .chain(&self.function.signature.params)
            .map(|class| {
                let slot = &mut next[usize::from(class.bank() == Bank::Reference)];
                *slot += 1;
                *slot - 1
            })
            .collect()
    }

    /// One block with nodes for registers.
    fn block(
        &self,
        block: usize,
        handler: Option<usize>,
        handlers: &[(usize, usize, u32)],
        webs: &mut Webs,
    ) -> Option<Block> {
        let mut out = Block {
            handler: handler.map(|h| h as u32),
            ..Block::default()
        };
        if !self.reachable[block] {
            return Some(out);
        }
        let mut current = vec![NOTHING; self.count];
        for (reg, node) in webs.at_start(block) {
            current[reg] = node;
        }
        let watched = handler.map(|h| (handlers[h].0, handlers[h].1));
        if let Some((target, caught)) = watched {
            for (reg, node) in webs.at_start(target) {
                if reg != caught {
                    webs.join(node, current[reg]);
                }
            }
        }
        for pc in self.starts[block]..self.starts[block + 1] {
            let instr = &self.code[pc];
            let touched = self.touched(instr);
            let read = |reg: &usize| (current[*reg] != NOTHING).then_some(current[*reg]);
            let uses: Option<Vec<u32>> = touched.uses.iter().map(read).collect();
            let both = touched.both.map_or(Some(NOTHING), |reg| read(&reg))?;
            let def = touched.def.map(|reg| {
                let node = webs.node(reg);
                current[reg] = node;
                if let Some((target, caught)) = watched
                    && reg != caught
                    && let Some(outer) = webs.start(target, reg)
                {
                    webs.join(node, outer);
                }
                node
            });
            if instr.op != Op::Jump {
                out.insts.push(self.inst(pc, &uses?, def, both));
            }
        }
        let [jump, next, _] = self.successors(block);
        out.next = next.map(|b| b as u32);
        if self.code[self.starts[block + 1] - 1].op == Op::Jump {
            out.next = jump.map(|b| b as u32);
        }
        for to in [jump, next].into_iter().flatten() {
            for (reg, node) in webs.at_start(to) {
                webs.join(node, current[reg]);
            }
        }
        Some(out)
    }

    fn inst(&self, pc: usize, uses: &[u32], def: Option<u32>, both: u32) -> Inst {
        let instr = &self.code[pc];
        let mut inst = Inst::new(instr.op, pc as u32);
        inst.imm = instr.imm;
        if instr.op == Op::MovWide {
            let to = def.unwrap_or(NOTHING);
            let (number, _) = split_reg_pair(instr.imm);
            let bank = if instr.a == 0 {
                Bank::Scalar
            } else {
                Bank::Reference
            };
            let class = self.class(self.number(bank, number as usize));
            return Inst {
                a: to,
                b: uses[0],
                ..Inst::new(mov_op(class), pc as u32)
            };
        }
        if is_jump(instr.op) {
            inst.imm = self.block_at[instr.imm as usize] as i32;
        }
        let is_many = |k: OperandKind| matches!(k, OperandKind::Run(_) | OperandKind::Window(_));
        if instr.op.row().operands.iter().any(|o| is_many(o.kind)) {
            inst.regs = Some(Box::new(Regs {
                args: uses.to_vec(),
                result: def,
            }));
        }
        let mut uses = uses.iter();
        for operand in instr.op.row().operands {
            let value = match operand.kind {
                OperandKind::In(_) => uses.next().copied().unwrap_or(NOTHING),
                OperandKind::Out(_) => def.unwrap_or(NOTHING),
                OperandKind::InOut(_) => both,
                OperandKind::Run(_) | OperandKind::Window(_) => 0,
                _ => instr.at(operand.place) as u32,
            };
            match operand.place {
                Place::A => inst.a = value,
                Place::B => inst.b = value,
                Place::C => inst.c = value,
                Place::Imm => {}
            }
        }
        inst
    }

    /// Names the webs and puts everything together.
    fn body(
        &self,
        mut webs: Webs,
        params: Vec<u32>,
        mut blocks: Vec<Block>,
        handlers: Vec<(usize, usize, u32)>,
    ) -> Body {
        let mut names = vec![NOTHING; webs.parent.len()];
        let mut classes = Vec::new();
        let mut name = |node: u32| -> V {
            let root = webs.find(node) as usize;
            if names[root] == NOTHING {
                names[root] = classes.len() as u32;
                classes.push(self.class(webs.regs[root] as usize));
            }
            names[root]
        };
        let params = params.into_iter().map(&mut name).collect();
        let handlers = handlers
            .into_iter()
            .map(|(target, _, node)| Handler {
                target: target as u32,
                reg: name(node),
            })
            .collect();
        for block in &mut blocks {
            for inst in &mut block.insts {
                inst.regs_mut(|v| *v = name(*v));
            }
        }
        let order = (0..blocks.len() as u32)
            .filter(|b| self.reachable[*b as usize])
            .collect();
        let function = self.function;
        Body {
            name: function.name.clone(),
            signature: function.signature.clone(),
            is_closure: function.is_closure,
            captures: function.captures.clone(),
            entries: function.entries.clone(),
            from_prelude: function.from_prelude,
            params,
            classes,
            blocks,
            order,
            handlers,
            spots: self.spots(),
            scopes: Vec::new(),
        }
    }

    /// One spot per instruction.
    fn spots(&self) -> Vec<Spot> {
        let mut lines = self.function.lines.iter().peekable();
        let mut arguments = self.function.arguments.iter().peekable();
        let (mut line, mut column) = (1, 1);
        let spot = |pc: usize| {
            if let Some((_, l, c)) = lines.next_if(|(start, _, _)| *start as usize == pc) {
                (line, column) = (*l, *c);
            }
            let argument = arguments.next_if(|(at, _, _)| *at as usize == pc);
            Spot {
                line,
                column,
                scope: 0,
                argument: argument.map(|(_, row, at)| (*row, *at)),
            }
        };
        (0..self.code.len()).map(spot).collect()
    }
}

const NOTHING: u32 = u32::MAX;

/// Union-find over definitions and over registers at block starts.
struct Webs {
    parent: Vec<u32>,
    regs: Vec<u32>,
    /// Per block: its live registers with their nodes, ascending.
    starts: Vec<Vec<(u32, u32)>>,
}

impl Webs {
    fn new(raw: &Raw<'_>, live: &[Vec<u64>]) -> Webs {
        let mut webs = Webs {
            parent: Vec::new(),
            regs: Vec::new(),
            starts: Vec::new(),
        };
        for (block, set) in live.iter().enumerate() {
            let mut nodes = Vec::new();
            for reg in
                (0..raw.count).filter(|r| raw.reachable[block] && set[r / 64] >> (r % 64) & 1 == 1)
            {
                nodes.push((reg as u32, webs.node(reg)));
            }
            webs.starts.push(nodes);
        }
        webs
    }

    fn node(&mut self, reg: usize) -> u32 {
        let node = self.parent.len() as u32;
        self.parent.push(node);
        self.regs.push(reg as u32);
        node
    }

    fn at_start(&self, block: usize) -> Vec<(usize, u32)> {
        self.starts[block]
            .iter()
            .map(|(reg, node)| (*reg as usize, *node))
            .collect()
    }

    fn start(&self, block: usize, reg: usize) -> Option<u32> {
        let nodes = &self.starts[block];
        let at = nodes
            .binary_search_by_key(&(reg as u32), |(r, _)| *r)
            .ok()?;
        Some(nodes[at].1)
    }

    fn find(&mut self, mut node: u32) -> u32 {
        while self.parent[node as usize] != node {
            let above = self.parent[node as usize];
            self.parent[node as usize] = self.parent[above as usize];
            node = self.parent[node as usize];
        }
        node
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        let (low, high) = (a.min(b), a.max(b));
        self.parent[high as usize] = low;
    }
}
