//! Lowering of the call family: calls with unboxed arguments in machine registers, closures, returns. Must stay true: the
//! call word names the call while it runs; depth is checked before; reference arguments stand in the window already,
//! because every reference register is written through.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};
use flin_bytecode::{Bank, Class, FuncId, Instr};
use flin_vm::native::layout;
use flin_vm::native::layout::{NativeKind, header_bits};

use super::Lower;
use crate::convention;
use crate::operands::{CallShape, call_shape};
use crate::outside::Passing;
use crate::regions::Region;

/// What is called.
enum Target {
    /// A function of this code memory, by number.
    Code(u32),
    /// An address.
    Address(Value),
}

impl<'p> Lower<'_, 'p> {
    pub(super) fn ret(&mut self, class: Option<Class>, i: Instr) {
        if self.outer_pinned.is_some() {
            // Whoever was entered from outside may have a result to adapt, and an error in that stands here.
            self.mark(self.at);
        }
        match class {
            Some(class) => {
                let value = self.register(class, i.a);
                self.return_result(class, value);
            }
            None => {
                let status = self.b.ins().iconst(types::I32, 0);
                self.return_nothing(status);
            }
        }
    }

    fn shape(&self) -> CallShape<'p> {
        let unit = self.unit;
        call_shape(unit.outside.module, &unit.code[self.at as usize]).expect("a call has windows")
    }

    pub(super) fn call(&mut self, i: Instr) {
        let shape = self.shape();
        let depth = self.begin_call();
        self.call_known(&shape, FuncId(i.imm as u32), depth, None);
    }

    /// A call of a known function with a closure that somebody else made.
    pub(super) fn call_with(&mut self, i: Instr) {
        let shape = self.shape();
        let depth = self.begin_call();
        let cold = self.cold_block();
        let closure = self.reference(i.b);
        self.need_closure(closure, cold);
        self.call_known(&shape, FuncId(i.imm as u32), depth, Some(cold));
    }

    fn call_known(
        &mut self,
        shape: &CallShape<'_>,
        callee: FuncId,
        depth: Value,
        cold: Option<Block>,
    ) {
        let target = match self.links.callees.get(&callee) {
            Some(code) => Target::Code(code.as_u32()),
            None => {
                let entry = self.unit.outside.func_entry(callee);
                let entry = self.b.ins().iconst(types::I64, entry);
                let cold = cold.unwrap_or_else(|| self.cold_block());
                let address = self.native_of(entry, cold);
                return self.call_target(shape, depth, Target::Address(address), Some(cold));
            }
        };
        self.call_target(shape, depth, target, cold);
    }

    pub(super) fn call_closure(&mut self, i: Instr) {
        let shape = self.shape();
        let depth = self.begin_call();
        let cold = self.cold_block();
        let closure = self.reference(i.b);
        let header = self.need_closure(closure, cold);
        let func = self.b.ins().ushr_imm_u(header, 32);
        let offset = self
            .b
            .ins()
            .imul_imm_s(func, i64::from(layout::FUNC_STRIDE));
        let table = self.unit.outside.func_table();
        let entry = self.b.ins().iadd_imm_s(offset, table);
        let flags = self.regions.flags(Region::Context);
        let key = self
            .b
            .ins()
            .load(types::I32, flags, entry, layout::FUNC_SIGNATURE);
        let wanted = self.unit.outside.signature_key(i.imm);
        let fits = self.b.ins().icmp_imm_s(IntCC::Equal, key, wanted);
        self.need(fits, cold);
        let address = self.native_of(entry, cold);
        self.call_target(&shape, depth, Target::Address(address), Some(cold));
    }

    /// Goes to `otherwise` unless an object is a closure; gives its header.
    fn need_closure(&mut self, object: Value, otherwise: Block) -> Value {
        let header = self.header(object);
        let kind = self.b.ins().ireduce(types::I8, header);
        let wanted = header_bits(NativeKind::Closure, 0, 0) as i64;
        let fits = self.b.ins().icmp_imm_s(IntCC::Equal, kind, wanted);
        self.need(fits, otherwise);
        header
    }

    /// Marks the call and checks the depth; gives the callee's call word.
    fn begin_call(&mut self) -> Value {
        self.fresh_closure = None;
        self.mark(self.at);
        if self.fuel.is_some() {
            self.store_fuel();
        }
        let word = self.registers.word(&mut self.b, &self.regions);
        let depth = self.b.ins().iadd_imm_s(word, 8);
        if self.unit.plain || !std::mem::replace(&mut self.exits.depth_asked, true) {
            let limit = self.context_word(layout::CONTEXT_DEPTH_LIMIT);
            let too_deep = self
                .b
                .ins()
                .icmp(IntCC::UnsignedGreaterThanOrEqual, depth, limit);
            self.overflows_by_compare(too_deep);
        }
        self.check_run();
        depth
    }

    /// A function that calls burns a unit of fuel where it begins: whoever calls without end comes by here.
    pub(super) fn burn_at_start(&mut self) {
        let context = self.context();
        let flags = self.regions.flags(Region::Context);
        let offset = layout::CONTEXT_FUEL;
        let before = self.b.ins().load(types::I64, flags, context, offset);
        let left = self.b.ins().iadd_imm_s(before, -1);
        self.b.ins().store(flags, left, context, offset);
        if let Some(fuel) = self.fuel {
            self.b.def_var(fuel, left);
        }
        let (used_up, go_on) = (self.cold_block(), self.new_block());
        self.b.ins().brif(left, go_on, &[], used_up, &[]);
        self.go_on_in(used_up);
        let status = self.rare_call(self.links.thunks.start);
        self.load_fuel();
        let stopped = self.error_to_caller();
        self.b.ins().brif(status, stopped, &[], go_on, &[]);
        self.go_on_in(go_on);
    }

    /// The native code of a function; goes to `cold` if there is none.
    fn native_of(&mut self, entry: Value, cold: Block) -> Value {
        let flags = self.regions.flags(Region::Context);
        let target = self
            .b
            .ins()
            .load(types::I64, flags, entry, layout::FUNC_NATIVE);
        let there = self.b.ins().icmp_imm_s(IntCC::NotEqual, target, 0);
        self.need(there, cold);
        target
    }

    /// Where a window begins.
    fn window(&mut self, base: Value, bank: Bank, reg: u8) -> Value {
        match self.registers.window_offset(bank, reg) {
            0 => base,
            offset => self.b.ins().iadd_imm_s(base, offset),
        }
    }

    /// The arguments of a native call.
    fn arguments(&mut self, shape: &CallShape<'_>, depth: Value) -> Vec<Value> {
        let [s, r, _] = self.bases();
        let s = self.window(s, Bank::Scalar, shape.scalar);
        let r = self.window(r, Bank::Reference, shape.reference);
        let mut args = vec![s, r, depth];
        for (slot, _) in shape.arguments() {
            args.push(self.registers.get(&mut self.b, slot));
        }
        args
    }

    /// Calls native code; in `cold` the machine does the call.
    fn call_target(
        &mut self,
        shape: &CallShape<'_>,
        depth: Value,
        target: Target,
        cold: Option<Block>,
    ) {
        let passing = Passing::of(shape.signature, shape.is_closure);
        let signature = convention::native(self.call_conv, &passing);
        let args = self.arguments(shape, depth);
        let call = match target {
            Target::Code(index) => {
                let signature = self.b.import_signature(signature);
                let function = self.function(index, signature);
                self.b.ins().call(function, &args)
            }
            Target::Address(address) => {
                let signature = self.b.import_signature(signature);
                self.b.ins().call_indirect(signature, address, &args)
            }
        };
        let results = self.b.inst_results(call).to_vec();
        self.end_call(shape, &results);
        if let Some(cold) = cold {
            self.cold_call(shape, cold);
        }
    }

    /// The machine makes the call.
    fn cold_call(&mut self, shape: &CallShape<'_>, cold: Block) {
        let done = self.new_block();
        self.b.ins().jump(done, &[]);
        self.go_on_in(cold);
        for (slot, class) in shape.arguments() {
            if class.bank() == Bank::Scalar {
                self.registers.write_back(&mut self.b, &self.regions, slot);
            }
        }
        let status = self.rare_call(self.links.thunks.call);
        self.load_fuel();
        self.fail_if(status);
        if let Some((slot, _)) = shape.result() {
            self.registers.reload(&mut self.b, &self.regions, slot);
        }
        self.b.ins().jump(done, &[]);
        self.go_on_in(done);
    }

    /// After a native call: status, then result.
    fn end_call(&mut self, shape: &CallShape<'_>, results: &[Value]) {
        self.load_fuel();
        let status = results[results.len() - 1];
        self.fail_if(status);
        if let Some((slot, _)) = shape.result() {
            self.registers
                .set(&mut self.b, &self.regions, slot, results[0]);
        }
    }
}
