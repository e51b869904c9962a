//! From registers to variables: a register is used for one value after the other, a variable is one of them. Here because
//! readable code has a name per value, and values used once need none. Must stay true: all places that can give a value to
//! one use share its variable; an error can leave a protected range behind any of its instructions.

use std::collections::HashMap;

use flin_bytecode::encode::split_reg_pair;
use flin_bytecode::{Bank, Class, Function, Instr, LibId, Module, OperandKind, Place, Signature};

use super::flow::{BlockId, End, Flow};

/// A register of either bank: scalar ones first.
pub(super) type Slot = usize;
/// A variable of the function.
pub(super) type Var = usize;

/// What an instruction reads and writes.
#[derive(Clone, Debug, Default)]
pub(super) struct Touched {
    pub(super) uses: Vec<Slot>,
    pub(super) def: Option<Slot>,
}

/// Registers of a function.
#[derive(Clone, Copy)]
pub(super) struct Slots<'m> {
    pub(super) module: &'m Module,
    pub(super) function: &'m Function,
}

impl Slots<'_> {
    pub(super) fn slot(&self, bank: Bank, reg: usize) -> Slot {
        match bank {
            Bank::Scalar => reg,
            Bank::Reference => self.function.scalar_regs.len() + reg,
        }
    }

    pub(super) fn class(&self, slot: Slot) -> Class {
        let scalars = &self.function.scalar_regs;
        let class = scalars
            .get(slot)
            .or_else(|| self.function.ref_regs.get(slot - scalars.len()));
        class.copied().unwrap_or(Class::Any)
    }

    /// Signature of what a call instruction calls, and whether a closure stands before the arguments.
    pub(super) fn called(&self, instr: Instr) -> Option<(&Signature, bool)> {
        let index = instr.imm as usize;
        match instr.op.operand(Place::Imm)? {
            OperandKind::Func => Some((&self.module.functions[index].signature, false)),
            OperandKind::Closure if instr.op.operand(Place::B).is_some() => {
                Some((&self.module.functions[index].signature, true))
            }
            OperandKind::Sig => Some((&self.module.signatures[index], true)),
            OperandKind::Lib => Some((LibId(index as u16).signature(), false)),
            _ => None,
        }
    }

    /// Arguments of a call in order, its closure first, and its result.
    pub(super) fn call(
        &self,
        instr: Instr,
        signature: &Signature,
        closure: bool,
    ) -> (Vec<Slot>, Option<Slot>) {
        let mut next = [usize::from(instr.a), usize::from(instr.b)];
        let mut args = Vec::new();
        if closure {
            args.push(self.slot(Bank::Reference, next[1]));
            next[1] += 1;
        }
        for class in &signature.params {
            let at = &mut next[class.bank() as usize];
            args.push(self.slot(class.bank(), *at));
            *at += 1;
        }
        let result = signature.result.map(|class| {
            let first = match class.bank() {
                Bank::Scalar => instr.a,
                Bank::Reference => instr.b,
            };
            self.slot(
                class.bank(),
                usize::from(first) + signature.result_slot(closure),
            )
        });
        (args, result)
    }

    pub(super) fn touched(&self, instr: Instr) -> Touched {
        if let Some((signature, closure)) = self.called(instr) {
            let (uses, def) = self.call(instr, signature, closure);
            return Touched { uses, def };
        }
        let mut touched = Touched::default();
        for operand in instr.op.row().operands {
            let number = instr.at(operand.place);
            match operand.kind {
                OperandKind::In(class) => {
                    touched.uses.push(self.slot(class.bank(), number as usize));
                }
                OperandKind::Out(class) => {
                    touched.def = Some(self.slot(class.bank(), number as usize));
                }
                OperandKind::InOut(class) => {
                    let slot = self.slot(class.bank(), number as usize);
                    touched.uses.push(slot);
                    touched.def = Some(slot);
                }
                OperandKind::Run(class) => {
                    let count = instr.op.row().operands.iter();
                    let count = count.filter(|o| o.kind == OperandKind::Count);
                    let count: i32 = count.map(|o| instr.at(o.place)).sum();
                    for at in number..number + count {
                        touched.uses.push(self.slot(class.bank(), at as usize));
                    }
                }
                OperandKind::RegPair => {
                    let bank = if instr.a == 0 {
                        Bank::Scalar
                    } else {
                        Bank::Reference
                    };
                    let (to, from) = split_reg_pair(number);
                    touched.uses.push(self.slot(bank, usize::from(from)));
                    touched.def = Some(self.slot(bank, usize::from(to)));
                }
                _ => {}
            }
        }
        touched
    }
}

/// What is known of a variable.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub(super) class: Class,
    /// Instructions that write it; parameters and caught errors count, too.
    pub(super) defs: usize,
    pub(super) uses: usize,
    /// Block of all its uses and its only definition, if it is one block.
    pub(super) home: Option<BlockId>,
    pub(super) slot: Slot,
    /// Whether it is the closure that runs.
    pub(super) is_self: bool,
    /// The first instruction that writes it.
    pub(super) first: u32,
}

/// The variables of a function.
pub(super) struct Variables {
    pub(super) all: Vec<Variable>,
    /// By instruction: variables read, in the order of `Touched::uses`, and written.
    pub(super) reads: Vec<Vec<Var>>,
    pub(super) writes: Vec<Option<Var>>,
    /// By catch: the variable that receives the error, if anybody looks at it.
    pub(super) caught: Vec<Option<Var>>,
    /// Variables that have a value when a block is entered which is read there or later.
    pub(super) live: HashMap<BlockId, Vec<Var>>,
    /// By parameter position; in a closure the closure itself comes first.
    pub(super) params: Vec<Var>,
}

/// Values that are joined into variables.
struct Union {
    parent: Vec<usize>,
}

impl Union {
    fn new_node(&mut self) -> usize {
        self.parent.push(self.parent.len());
        self.parent.len() - 1
    }

    fn find(&mut self, mut node: usize) -> usize {
        while self.parent[node] != node {
            self.parent[node] = self.parent[self.parent[node]];
            node = self.parent[node];
        }
        node
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        self.parent[a] = b;
    }
}

struct Finder<'a> {
    flow: &'a Flow,
    touched: &'a [Touched],
    union: Union,
    /// Values at the entry of blocks, as far as somebody asked.
    entries: HashMap<(BlockId, Slot), usize>,
    open: Vec<(BlockId, Slot)>,
    defs: Vec<Option<usize>>,
}

impl Finder<'_> {
    fn entry(&mut self, block: BlockId, slot: Slot) -> usize {
        if let Some(known) = self.entries.get(&(block, slot)) {
            return *known;
        }
        let node = self.union.new_node();
        self.entries.insert((block, slot), node);
        self.open.push((block, slot));
        node
    }

    /// The value of a register behind a block.
    fn exit(&mut self, block: BlockId, slot: Slot) -> usize {
        let range = &self.flow.blocks[block];
        for pc in (range.start as usize..range.end as usize).rev() {
            if self.touched[pc].def == Some(slot) {
                return self.defs[pc].expect("a definition has a value");
            }
        }
        self.entry(block, slot)
    }
}

/// Finds the variables.
pub(super) fn variables(slots: Slots<'_>, flow: &Flow) -> Variables {
    let touched: Vec<Touched> = flow.code.iter().map(|i| slots.touched(*i)).collect();
    let mut union = Union { parent: Vec::new() };
    let defs: Vec<Option<usize>> = touched
        .iter()
        .map(|t| t.def.map(|_| union.new_node()))
        .collect();
    let caught_nodes: Vec<usize> = (flow.handlers.iter()).map(|_| union.new_node()).collect();
    let params = param_slots(slots);
    let param_nodes: Vec<usize> = params.iter().map(|_| union.new_node()).collect();
    let mut finder = Finder {
        flow,
        touched: &touched,
        union,
        entries: HashMap::new(),
        open: Vec::new(),
        defs,
    };
    let mut use_nodes: Vec<Vec<usize>> = vec![Vec::new(); touched.len()];
    for block in 0..flow.blocks.len() {
        read_block(&mut finder, block, &mut use_nodes);
    }
    let preds = preds(flow);
    while let Some((block, slot)) = finder.open.pop() {
        let node = finder.entries[&(block, slot)];
        if block == flow.entry
            && let Some(at) = params.iter().position(|param| *param == slot)
        {
            finder.union.join(node, param_nodes[at]);
        }
        let mut is_caught = false;
        for (catch, handler) in flow.handlers.iter().enumerate() {
            let reg = slots.function.catches[catch].reg;
            if *handler == block && slots.slot(Bank::Reference, usize::from(reg)) == slot {
                finder.union.join(node, caught_nodes[catch]);
                is_caught = true;
            }
        }
        for &(pred, by_error) in &preds[block] {
            if by_error && is_caught {
                continue;
            }
            if by_error {
                let range = flow.blocks[pred].start as usize..flow.blocks[pred].end as usize;
                for pc in range {
                    if touched[pc].def == Some(slot) {
                        let def = finder.defs[pc].expect("a definition has a value");
                        finder.union.join(node, def);
                    }
                }
                let before = finder.entry(pred, slot);
                finder.union.join(node, before);
            } else {
                let before = finder.exit(pred, slot);
                finder.union.join(node, before);
            }
        }
    }
    gather(
        slots,
        finder,
        &use_nodes,
        (&caught_nodes, &param_nodes),
        &params,
    )
}

fn read_block(finder: &mut Finder<'_>, block: BlockId, use_nodes: &mut [Vec<usize>]) {
    let range = finder.flow.blocks[block].start as usize..finder.flow.blocks[block].end as usize;
    let mut current: HashMap<Slot, usize> = HashMap::new();
    for pc in range {
        for &slot in &finder.touched[pc].uses {
            let node = match current.get(&slot) {
                Some(node) => *node,
                None => finder.entry(block, slot),
            };
            use_nodes[pc].push(node);
        }
        if let (Some(slot), Some(node)) = (finder.touched[pc].def, finder.defs[pc]) {
            // What is read and written by one instruction is one variable.
            if let Some(at) = finder.touched[pc].uses.iter().position(|s| *s == slot)
                && finder.flow.code[pc].op == flin_bytecode::Op::ForNext
            {
                let read = use_nodes[pc][at];
                finder.union.join(node, read);
            }
            current.insert(slot, node);
        }
    }
}

/// Blocks before each block, and whether the way there is an error.
fn preds(flow: &Flow) -> Vec<Vec<(BlockId, bool)>> {
    let mut preds = vec![Vec::new(); flow.blocks.len()];
    for block in 0..flow.blocks.len() {
        match flow.blocks[block].exit {
            End::Try { body, catch } => {
                preds[body].push((block, false));
                preds[flow.handlers[catch]].push((block, true));
            }
            End::Goto(_) | End::Branch { .. } | End::Leave => {
                for next in flow.successors(block) {
                    preds[next].push((block, false));
                }
            }
        }
    }
    for (catch, handler) in flow.handlers.iter().enumerate() {
        for (block, inside) in flow.inside[catch].iter().enumerate() {
            if *inside {
                preds[*handler].push((block, true));
            }
        }
    }
    preds
}

/// Registers of the parameters in order; in a closure the closure itself stands before them.
fn param_slots(slots: Slots<'_>) -> Vec<Slot> {
    let mut next = [0, 0];
    let own = slots.function.is_closure.then_some(Class::Ref);
    let params = own
        .into_iter()
        .chain(slots.function.signature.params.iter().copied());
    params
        .map(|class| {
            let at = &mut next[class.bank() as usize];
            *at += 1;
            slots.slot(class.bank(), *at - 1)
        })
        .collect()
}

/// Numbers the joined values.
struct Gathered<'a> {
    slots: Slots<'a>,
    finder: Finder<'a>,
    numbers: HashMap<usize, Var>,
    all: Vec<Variable>,
    homes: HashMap<Var, Option<BlockId>>,
}

impl Gathered<'_> {
    fn var(&mut self, node: usize, slot: Slot) -> Var {
        let root = self.finder.union.find(node);
        let (all, slots) = (&mut self.all, self.slots);
        *self.numbers.entry(root).or_insert_with(|| {
            all.push(Variable {
                class: slots.class(slot),
                defs: 0,
                uses: 0,
                home: None,
                slot,
                is_self: false,
                first: u32::MAX,
            });
            all.len() - 1
        })
    }

    fn params(&mut self, nodes: &[usize], params: &[Slot]) -> Vec<Var> {
        let mut vars = Vec::new();
        for (node, slot) in nodes.iter().zip(params) {
            let var = self.var(*node, *slot);
            self.all[var].defs += 1;
            self.all[var].first = 0;
            self.all[var].is_self = self.slots.function.is_closure && vars.is_empty();
            vars.push(var);
        }
        vars
    }

    fn caught(&mut self, nodes: &[usize]) -> Vec<Var> {
        let catches = &self.slots.function.catches;
        let slots = catches.iter().map(|catch| usize::from(catch.reg));
        let slots: Vec<Slot> = slots.map(|r| self.slots.slot(Bank::Reference, r)).collect();
        let mut vars = Vec::new();
        for (node, slot) in nodes.iter().zip(slots) {
            let var = self.var(*node, slot);
            // A caught error is never taken for a value that is used in place.
            self.all[var].defs += 2;
            vars.push(var);
        }
        vars
    }

    fn seen_in(&mut self, block: BlockId, var: Var) {
        self.homes
            .entry(var)
            .and_modify(|home| *home = home.filter(|known| *known == block))
            .or_insert(Some(block));
    }

    /// Variables read and written by the instructions of a block.
    fn block(&mut self, block: BlockId, use_nodes: &[Vec<usize>], found: &mut Variables) {
        let range = &self.finder.flow.blocks[block];
        let range = range.start as usize..range.end as usize;
        for (pc, nodes) in use_nodes
            .iter()
            .enumerate()
            .take(range.end)
            .skip(range.start)
        {
            for (at, node) in nodes.iter().enumerate() {
                let var = self.var(*node, self.finder.touched[pc].uses[at]);
                self.all[var].uses += 1;
                self.seen_in(block, var);
                found.reads[pc].push(var);
            }
            if let (Some(slot), Some(node)) = (self.finder.touched[pc].def, self.finder.defs[pc]) {
                let var = self.var(node, slot);
                self.all[var].defs += 1;
                self.all[var].first = self.all[var].first.min(pc as u32);
                self.seen_in(block, var);
                found.writes[pc] = Some(var);
            }
        }
    }

    fn live(&mut self) -> HashMap<BlockId, Vec<Var>> {
        let known = self.finder.entries.iter();
        let mut entries: Vec<((BlockId, Slot), usize)> =
            known.map(|(at, node)| (*at, *node)).collect();
        entries.sort_unstable();
        let mut live: HashMap<BlockId, Vec<Var>> = HashMap::new();
        for ((block, slot), node) in entries {
            let var = self.var(node, slot);
            live.entry(block).or_default().push(var);
        }
        live
    }
}

fn gather<'a>(
    slots: Slots<'a>,
    finder: Finder<'a>,
    use_nodes: &[Vec<usize>],
    (caught_nodes, param_nodes): (&[usize], &[usize]),
    params: &[Slot],
) -> Variables {
    let (count, blocks) = (finder.flow.code.len(), finder.flow.blocks.len());
    let mut gathered = Gathered {
        slots,
        finder,
        numbers: HashMap::new(),
        all: Vec::new(),
        homes: HashMap::new(),
    };
    let params = gathered.params(param_nodes, params);
    let caught = gathered.caught(caught_nodes);
    let mut found = Variables {
        all: Vec::new(),
        reads: vec![Vec::new(); count],
        writes: vec![None; count],
        caught: Vec::new(),
        live: HashMap::new(),
        params,
    };
    for block in 0..blocks {
        gathered.block(block, use_nodes, &mut found);
    }
    found.live = gathered.live();
    for (var, variable) in gathered.all.iter_mut().enumerate() {
        variable.home = gathered.homes.get(&var).copied().flatten();
    }
    found.all = gathered.all;
    let looked_at = caught.into_iter();
    found.caught = looked_at
        .map(|var| (found.all[var].uses > 0).then_some(var))
        .collect();
    found
}
