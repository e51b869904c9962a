//! Translation of one function: typed bytecode to Cranelift's instructions, one to one. Here is what all families share:
//! the state, blocks, registers, fast paths and helpers; `every.rs` says for every operation who translates it.
//! Must stay true: what an operation means stands in the interpreter only. Here are fast paths, and whatever does not
//! take one is done by the interpreter itself, one instruction (`by_helper`) or the rest of the frame (exits).

mod arith;
mod call;
mod compare;
mod control;
mod data;
mod every;
mod forced;
mod kinds;
mod library;
mod lists;
mod objects;
mod run;
mod shapes;
mod slots;
mod strip;
mod texts;
mod words;

pub(crate) use every::is_fast;
pub(crate) use library::is_in_place;

use cranelift_codegen::ir::{
    Block, ExtFuncData, ExternalName, FuncRef, Function, Inst, InstBuilder, InstructionData,
    Opcode, SigRef, UserExternalName, UserFuncName, Value, ValueDef, types,
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use flin_bytecode::{Bank, Class, FuncId, Instr};
use flin_vm::native::layout;

use crate::convention::{self, Usage};
use crate::exits::Exits;
use crate::liveness::RegSet;
use crate::memory::CodeId;
use crate::operands::{Slot, jump_target, reads, writes};
use crate::outside::Passing;
use crate::regions::{Region, Regions};
use crate::registers::{Registers, far_count};
use crate::unit::{Entry, Unit};
use crate::views::{self, ViewSet};
use crate::{Links, Plant};

/// How units are translated besides what the operations say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Knobs {
    /// Count operations (`NativeContext::native_ops`).
    pub(crate) count_ops: bool,
    /// Leave before every so many instructions (`JitOptions::leave_every`).
    pub(crate) leave_every: u32,
    /// Each operation by itself (`JitOptions::plain`).
    pub(crate) plain: bool,
    /// A mistake made on purpose, for the test of the tests.
    pub(crate) plant: Option<Plant>,
}

/// How much of a unit is translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// All of it.
    Full,
    /// Nothing: it leaves for the interpreter at once. Callers in the same batch need something to call.
    ExitOnly,
}

/// The translation of one unit.
pub(crate) struct Lower<'a, 'p> {
    pub(crate) b: FunctionBuilder<'a>,
    pub(crate) unit: &'a Unit<'p>,
    pub(crate) regions: Regions,
    pub(crate) registers: Registers<'p>,
    /// Fuel of the slice, in units with loops; else it stays in the context.
    pub(crate) fuel: Option<Variable>,
    /// What the pinned register held before, in units that are entered from outside.
    pub(crate) outer_pinned: Option<Value>,
    pub(crate) exits: Exits,
    /// Number of the instruction that is being translated.
    pub(crate) at: u32,
    /// Length and buffer of each view.
    view_vars: Vec<(Variable, Variable)>,
    /// Views that are valid here.
    valid: ViewSet,
    /// The closure that this block made last, and its register.
    fresh_closure: Option<(u8, FuncId)>,
    /// Registers that this block gave a text of one character, and its code.
    characters: Vec<(u8, Value)>,
    shapes: shapes::Shapes,
    pub(crate) run: Option<run::Run>,
    pub(crate) strips: strip::Strips,
    pub(crate) links: Links<'a>,
    call_conv: CallConv,
    /// Signatures and functions of thunks that are called.
    thunk_signatures: [Option<SigRef>; 2],
    thunks_used: Vec<(CodeId, FuncRef)>,
    knobs: Knobs,
    /// Cranelift block of each node.
    blocks: Vec<Option<Block>>,
    /// Edges into each node that are not translated yet.
    edges: Vec<u32>,
    /// Needed registers before each instruction of the current block.
    needed: Vec<RegSet>,
    needed_from: u32,
}

/// Translates a unit into an empty function.
pub(crate) fn lower(
    func: &mut Function,
    unit: &Unit<'_>,
    body: Body,
    target: TargetFrontendConfig,
    contexts: &mut FunctionBuilderContext,
    links: Links<'_>,
    knobs: Knobs,
) {
    let call_conv = target.default_call_conv;
    let passing = Passing::of(&unit.function.signature, unit.function.is_closure);
    func.signature = match unit.entry {
        Entry::Start => convention::native(call_conv, &passing),
        Entry::Loop(_) => convention::frame_call(call_conv),
    };
    func.name = UserFuncName::user(0, unit.id.0);
    let regions = Regions::new(func);
    let mut b = FunctionBuilder::new(func, contexts);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let params = b.block_params(entry).to_vec();
    let frame = match unit.entry {
        Entry::Start => &params[..convention::FRAME_PARAMS],
        Entry::Loop(_) => &params[1..=convention::FRAME_PARAMS],
    };
    let registers = Registers::new(&mut b, unit, [frame[0], frame[1], frame[2]]);
    registers.park_bases(&mut b, &regions);
    let fuel = (!unit.headers.is_empty()).then(|| b.declare_var(types::I64));
    let mut declare_pair = |_| (b.declare_var(types::I64), b.declare_var(types::I64));
    let view_vars = unit.views.all.iter().map(&mut declare_pair).collect();
    let (strips, (blocks, edges)) = match body {
        Body::Full => {
            let strips = strip::Strips::new(unit, &mut b);
            let nodes = strips.nodes(unit, &mut b);
            (strips, nodes)
        }
        Body::ExitOnly => (strip::Strips::default(), (Vec::new(), Vec::new())),
    };
    let mut lower = Lower {
        b,
        unit,
        regions,
        registers,
        fuel,
        outer_pinned: None,
        exits: Exits::default(),
        at: 0,
        view_vars,
        valid: 0,
        fresh_closure: None,
        characters: Vec::new(),
        shapes: shapes::Shapes::default(),
        run: None,
        strips,
        links,
        call_conv,
        thunk_signatures: [None; 2],
        thunks_used: Vec::new(),
        knobs,
        blocks,
        edges,
        needed: Vec::new(),
        needed_from: 0,
    };
    match unit.entry {
        Entry::Start => lower.prologue(&params[convention::FRAME_PARAMS..]),
        Entry::Loop(_) => lower.take_over(params[0]),
    }
    lower.write(body, target);
}

impl<'a, 'p> Lower<'a, 'p> {
    /// Writes what comes after the registers have their first values, and closes the function.
    fn write(mut self, body: Body, target: TargetFrontendConfig) {
        match body {
            Body::Full => self.all_blocks(),
            Body::ExitOnly => {
                let exit = self.exit_at_start(0);
                self.b.ins().jump(exit, &[]);
            }
        }
        self.finish_exits();
        // An edge out of code that always raises was counted and never made: whom it would have led to waits for it.
        self.b.seal_all_blocks();
        self.b.finalize(target);
    }

    /// Takes the parameters, fills the other reference slots of the frame with none.
    fn prologue(&mut self, params: &[Value]) {
        let function = self.unit.function;
        let mut next = [0_u16, 0];
        let mut is_param = vec![false; function.ref_regs.len()];
        let closure = function.is_closure.then_some(&Class::Ref);
        let classes = closure.into_iter().chain(&function.signature.params);
        let far_refs = far_count(function.ref_regs.len()) > 0;
        for (class, value) in classes.zip(params) {
            let reg = &mut next[class.bank() as usize];
            let slot = Slot {
                bank: class.bank(),
                reg: *reg,
            };
            *reg += 1;
            if slot.bank == Bank::Reference {
                is_param[slot.reg as usize] = true;
            }
            if far_refs || slot.bank == Bank::Scalar {
                // The caller wrote a reference to the start of the window, which is not where the register is.
                self.registers.set(&mut self.b, &self.regions, slot, *value);
            } else {
                self.registers.set_unwritten(&mut self.b, slot, *value);
            }
        }
        if is_param.contains(&false) {
            let none = self.b.ins().iconst(types::I64, self.unit.outside.none);
            for reg in (0..is_param.len()).filter(|reg| !is_param[*reg]) {
                let slot = Slot {
                    bank: Bank::Reference,
                    reg: reg as u16,
                };
                self.registers.write(&mut self.b, &self.regions, slot, none);
            }
        }
        if self.unit.calls() {
            self.burn_at_start();
        } else {
            self.load_fuel();
        }
        self.make_views(self.unit.views.at_entry);
    }

    /// Takes over a running frame at a loop.
    fn take_over(&mut self, context: Value) {
        self.outer_pinned = Some(self.b.ins().get_pinned_reg(types::I64));
        self.b.ins().set_pinned_reg(context);
        let needed = self.unit.live.at_start(self.unit.first_block());
        let mut slots = Vec::new();
        for bank in [Bank::Reference, Bank::Scalar] {
            let regs = self.unit.live.members(needed, bank);
            slots.extend(regs.map(|reg| Slot { bank, reg }));
        }
        if self.planted(Plant::LoopWithoutScalar) {
            slots.pop_if(|slot| slot.bank == Bank::Scalar);
        }
        for slot in slots {
            self.registers.reload(&mut self.b, &self.regions, slot);
        }
        self.load_fuel();
        self.make_views(self.unit.views.at_entry);
    }

    fn all_blocks(&mut self) {
        let first = self.unit.first_block();
        let node = self.strips.node(first);
        if self.edges[node] == 1 && self.strips.own_node(first) == node {
            // Nothing else leads there: it goes on in the block of the entry.
            self.blocks[node] = self.b.current_block();
            self.edges[node] = 0;
        } else {
            let block = self.block_of(node);
            self.b.ins().jump(block, &[]);
            self.edge_done(node);
        }
        for number in 0..self.unit.flow.blocks.len() as u32 {
            self.begin_strip(number);
            if self.unit.reached[number as usize] {
                self.block(number);
            }
            self.end_strip(number);
        }
    }

    /// The Cranelift block of a node.
    fn block_of(&self, node: usize) -> Block {
        self.blocks[node].expect("only reached blocks are followed")
    }

    /// An edge into a node is translated; the last one seals it.
    fn edge_done(&mut self, node: usize) {
        let edges = &mut self.edges[node];
        *edges -= 1;
        if *edges == 0 {
            let block = self.block_of(node);
            self.b.seal_block(block);
        }
    }

    fn block(&mut self, number: u32) {
        let block = self.block_of(self.strips.own_node(number));
        if self.b.current_block() != Some(block) {
            self.b.switch_to_block(block);
        }
        let unit = self.unit;
        let block = &unit.flow.blocks[number as usize];
        self.needed = unit.needed_in(number);
        self.needed_from = block.start;
        self.valid = unit.views.at_start[number as usize];
        if self.knobs.count_ops {
            self.count(i64::from(block.end - block.start));
        }
        self.forget_block();
        for pc in block.start..block.end {
            self.come_from_fast(pc);
            self.one(pc);
        }
        if self.strips.version == strip::Version::Plain {
            self.finish_twin(block.end);
        }
        for node in self.strips.targets(unit, number) {
            self.edge_done(node);
        }
    }

    /// One instruction; behind the last one of a block the way on.
    fn one(&mut self, pc: u32) {
        let unit = self.unit;
        let number = unit.flow.block_at(pc);
        let is_last = unit.flow.blocks[number as usize].end == pc + 1;
        self.at = pc;
        self.exits.next_instruction();
        let instr = unit.code[pc as usize];
        let leaves = instr.op.ends_block() || jump_target(&instr).is_some();
        let is_quiet = self.enter_run(instr.op);
        self.leave_now_and_then(instr);
        if leaves {
            self.make_views(unit.views.at_end[number as usize]);
        }
        self.instruction(instr);
        if is_last || !is_quiet {
            self.end_run();
        }
        self.step_shapes(&instr);
        self.valid = views::step(unit.outside.module, &unit.views.all, &instr, self.valid);
        if is_last && !leaves {
            self.make_views(unit.views.at_end[number as usize]);
            self.jump_to(number + 1);
        }
    }

    /// Registers that are needed before an instruction of the current block.
    pub(crate) fn needed_at(&self, insn: u32) -> &RegSet {
        &self.needed[(insn - self.needed_from) as usize]
    }

    fn count(&mut self, operations: i64) {
        let context = self.context();
        let flags = self.regions.flags(Region::Context);
        let offset = layout::CONTEXT_NATIVE_OPS;
        let before = self.b.ins().load(types::I64, flags, context, offset);
        let after = self.b.ins().iadd_imm_s(before, operations);
        self.b.ins().store(flags, after, context, offset);
    }

    /// The context of the machine.
    pub(crate) fn context(&mut self) -> Value {
        self.b.ins().get_pinned_reg(types::I64)
    }

    /// A word of the context.
    fn context_word(&mut self, offset: i32) -> Value {
        let context = self.context();
        let flags = self.regions.flags(Region::Context);
        self.b.ins().load(types::I64, flags, context, offset)
    }

    fn load_fuel(&mut self) {
        if let Some(fuel) = self.fuel {
            let value = self.context_word(layout::CONTEXT_FUEL);
            self.b.def_var(fuel, value);
        }
    }

    /// Puts the fuel where others see it.
    pub(crate) fn store_fuel(&mut self) {
        self.settle_fuel();
        self.put_fuel();
    }

    /// Says in the frame's call word which instruction runs.
    pub(crate) fn mark(&mut self, insn: u32) {
        let word = self.word_of(insn);
        let flags = self.regions.flags(Region::Context);
        let at = self.registers.word(&mut self.b, &self.regions);
        self.b.ins().store(flags, word, at, 0);
    }

    /// The call word of an instruction.
    pub(crate) fn word_of(&mut self, insn: u32) -> Value {
        let word = i64::from(self.unit.id.0) << 32 | i64::from(insn);
        self.b.ins().iconst(types::I64, word)
    }

    /// Calls the runtime by a thunk; gives the status.
    fn usual_call(&mut self, thunk: CodeId) -> Value {
        let word = self.word_of(self.at);
        let call = self.call_thunk(thunk, Usage::Usual, word);
        self.b.inst_results(call)[0]
    }

    /// The same in a cold block: all registers stay as they are.
    fn rare_call(&mut self, thunk: CodeId) -> Value {
        let word = self.word_of(self.at);
        self.rare_call_with(thunk, word)
    }

    /// The same with a call word.
    pub(crate) fn rare_call_with(&mut self, thunk: CodeId, word: Value) -> Value {
        self.call_thunk(thunk, Usage::Rare, word);
        let flags = self.regions.flags(Region::Context);
        let rp = self.registers.word(&mut self.b, &self.regions);
        self.b.ins().load(types::I64, flags, rp, 0)
    }

    fn call_thunk(&mut self, thunk: CodeId, usage: Usage, word: Value) -> Inst {
        let signature = &mut self.thunk_signatures[usage as usize];
        let signature = *signature.get_or_insert_with(|| {
            let signature = convention::by_thunk(self.call_conv, usage);
            self.b.import_signature(signature)
        });
        let known = self.thunks_used.iter().find(|(id, _)| *id == thunk);
        let function = match known {
            Some((_, function)) => *function,
            None => {
                let function = self.function(thunk.as_u32(), signature);
                self.thunks_used.push((thunk, function));
                function
            }
        };
        let [s, r, rp] = self.bases();
        self.b.ins().call(function, &[s, r, rp, word])
    }

    /// Starts of the frame in both stacks, and its call word.
    pub(crate) fn bases(&mut self) -> [Value; 3] {
        let mut base = |bank| self.registers.base(&mut self.b, &self.regions, bank);
        let (s, r) = (base(Bank::Scalar), base(Bank::Reference));
        [s, r, self.registers.word(&mut self.b, &self.regions)]
    }

    /// A function of this code memory.
    fn function(&mut self, index: u32, signature: SigRef) -> FuncRef {
        let name = UserExternalName {
            namespace: 0,
            index,
        };
        let name = self.b.func.declare_imported_user_function(name);
        self.b.import_function(ExtFuncData {
            name: ExternalName::user(name),
            signature,
            colocated: true,
            patchable: false,
        })
    }

    fn slot(bank: Bank, reg: u8) -> Slot {
        Slot {
            bank,
            reg: u16::from(reg),
        }
    }

    /// The value of a register of a class.
    fn register(&mut self, class: Class, reg: u8) -> Value {
        let slot = Self::slot(class.bank(), reg);
        self.registers.get(&mut self.b, slot)
    }

    fn set_register(&mut self, class: Class, reg: u8, value: Value) {
        let slot = Self::slot(class.bank(), reg);
        self.forget(slot);
        self.keep_for_exit(slot);
        self.registers.set(&mut self.b, &self.regions, slot, value);
    }

    /// The value of a scalar register.
    fn scalar(&mut self, reg: u8) -> Value {
        self.register(Class::I64, reg)
    }

    fn set_scalar(&mut self, reg: u8, value: Value) {
        self.set_register(Class::I64, reg, value);
    }

    /// The value of a reference register.
    fn reference(&mut self, reg: u8) -> Value {
        self.register(Class::Ref, reg)
    }

    fn set_reference(&mut self, reg: u8, value: Value) {
        self.set_register(Class::Ref, reg, value);
    }

    /// A new block; where all is rarely run, it is, too.
    pub(crate) fn new_block(&mut self) -> Block {
        let block = self.b.create_block();
        if self.registers.rare {
            self.b.set_cold_block(block);
        }
        block
    }

    /// A new block that is rarely run.
    pub(crate) fn cold_block(&mut self) -> Block {
        let block = self.b.create_block();
        self.b.set_cold_block(block);
        block
    }

    /// Goes on in `block`, whose edges are all there.
    pub(crate) fn go_on_in(&mut self, block: Block) {
        self.b.switch_to_block(block);
        self.b.seal_block(block);
    }

    /// Goes to `otherwise` unless the condition holds.
    fn need(&mut self, condition: Value, otherwise: Block) {
        let next = self.new_block();
        self.b.ins().brif(condition, next, &[], otherwise, &[]);
        self.go_on_in(next);
    }

    /// Where an operation goes whose fast path does not fit. In short functions without a loop that is an exit: little is left to be
    /// done, and what follows then knows that the fast path was taken.
    fn slow_block(&mut self) -> Block {
        if self.unit.is_short() {
            self.exit_here()
        } else {
            self.cold_block()
        }
    }

    /// The fast path is done; `slow` does the whole instruction by helper and joins it, or goes on in the slow version of
    /// the loop.
    fn or_by_helper(&mut self, slow: Block) {
        if self.is_exit(slow) {
            return;
        }
        let done = self.new_block();
        self.b.ins().jump(done, &[]);
        self.go_on_in(slow);
        if self.strips.is_fast() {
            self.go_on_slowly();
            return self.go_on_in(done);
        }
        self.step(true);
        if shapes::writes_record(self.unit.code[self.at as usize].op) {
            // A value that does not fit its slot has turned the record into a dictionary, by whatever register it is known.
            self.forget_shapes();
        }
        self.b.ins().jump(done, &[]);
        self.go_on_in(done);
    }

    /// The interpreter does the current instruction on the frame.
    fn by_helper(&mut self) {
        self.step(false);
    }

    /// The same; rarely, or as the usual way.
    fn step(&mut self, rarely: bool) {
        let unit: &'a Unit<'p> = self.unit;
        let module = unit.outside.module;
        let instr = &unit.code[self.at as usize];
        let before = std::mem::replace(&mut self.registers.rare, rarely || self.strips.is_rare());
        reads(module, instr, |slot| {
            if slot.bank == Bank::Scalar {
                self.registers.write_back(&mut self.b, &self.regions, slot);
            }
        });
        let status = if rarely {
            self.rare_call(self.links.thunks.step_rarely)
        } else {
            self.usual_call(self.links.thunks.step)
        };
        self.fail_if(status);
        let leaves_fast = rarely && self.strips.is_fast();
        if leaves_fast {
            self.reload_kept();
        }
        writes(module, instr, |slot| {
            self.forget(slot);
            if slot.bank == Bank::Scalar && self.planted(Plant::HelperResultLost) {
                return;
            }
            self.registers.reload(&mut self.b, &self.regions, slot);
        });
        if leaves_fast {
            let all = &unit.views.all;
            self.make_views(views::step(module, all, instr, self.valid));
        } else {
            self.remake_views();
        }
        self.registers.rare = before;
    }

    /// A register gets another value: what was known of the old one is forgotten.
    fn forget(&mut self, slot: Slot) {
        self.forget_shape_of(slot);
        self.characters
            .retain(|(reg, _)| Self::slot(Bank::Reference, *reg) != slot);
        let held = |(reg, _): (u8, FuncId)| Self::slot(Bank::Reference, reg);
        if self.fresh_closure.map(held) == Some(slot) {
            self.fresh_closure = None;
        }
    }

    /// The int that a value always is, if Cranelift's instruction shows it.
    fn constant(&self, value: Value) -> Option<i64> {
        let dfg = &self.b.func.dfg;
        let ValueDef::Result(inst, 0) = dfg.value_def(dfg.resolve_aliases(value)) else {
            return None;
        };
        match dfg.insts[inst] {
            InstructionData::UnaryImm {
                opcode: Opcode::Iconst,
                imm,
            } => Some(imm.bits()),
            _ => None,
        }
    }

    /// Whether a mistake is to be made.
    pub(crate) fn planted(&self, plant: Plant) -> bool {
        self.knobs.plant == Some(plant)
    }
}

/// Whether a jump of this instruction goes back.
fn is_back_edge(at: u32, instr: &Instr) -> bool {
    jump_target(instr).is_some_and(|target| crate::flow::Flow::goes_back(at, target))
}
