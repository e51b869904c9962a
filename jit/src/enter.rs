//! Code between native functions and Rust: trampolines, by which the machine enters native code, because Rust calls one
//! kind of function and native functions have a signature each; and thunks for runtime calls, because what is the same for all calls need be
//! compiled once only; where they are rarely made, also because a call of Rust destroys half of the registers, and Cranelift would keep what a
//! loop needs in memory for it.
//! Must stay true: the pinned register holds the context while native code runs and is what the Rust caller left there
//! afterwards.

use cranelift_codegen::ir::types;
use cranelift_codegen::ir::{Function, InstBuilder};
use cranelift_codegen::isa::CallConv;
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use flin_bytecode::{Bank, Class};
use flin_vm::native::RtCall;

use crate::convention::{self, Usage};
use crate::outside::Passing;
use crate::regions::{Region, Regions};
use crate::registers::{load_slot, store_slot};

/// Translates the trampoline of a signature into an empty function.
pub(crate) fn trampoline(
    func: &mut Function,
    target: TargetFrontendConfig,
    contexts: &mut FunctionBuilderContext,
    passing: &Passing,
) {
    let call_conv: CallConv = target.default_call_conv;
    func.signature = convention::frame_call(call_conv);
    let regions = Regions::new(func);
    let mut b = FunctionBuilder::new(func, contexts);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let [context, s, r, rp, callee] = b.block_params(entry)[..] else {
        unreachable!("a trampoline has five parameters");
    };
    let before = b.ins().get_pinned_reg(types::I64);
    b.ins().set_pinned_reg(context);
    let mut args = vec![s, r, rp];
    let mut next = [0, 0];
    let closure = passing.is_closure.then_some(&Class::Ref);
    for class in closure.into_iter().chain(&passing.params) {
        let (base, slot) = match class.bank() {
            Bank::Scalar => (s, &mut next[0]),
            Bank::Reference => (r, &mut next[1]),
        };
        args.push(load_slot(&mut b, &regions, *class, base, *slot));
        *slot += 8;
    }
    let signature = b.import_signature(convention::native(call_conv, passing));
    let call = b.ins().call_indirect(signature, callee, &args);
    let results = b.inst_results(call).to_vec();
    b.ins().set_pinned_reg(before);
    if let Some(class) = passing.result {
        let base = match class.bank() {
            Bank::Scalar => s,
            Bank::Reference => r,
        };
        let offset = passing.result_slot() as i32 * 8;
        store_result(&mut b, &regions, class, &results, base, offset);
    }
    b.ins().return_(&results[results.len() - 1..]);
    b.finalize(target);
}

/// Stores the result, unless an error is pending (it is 0 then, which no reference slot may hold).
fn store_result(
    b: &mut FunctionBuilder<'_>,
    regions: &Regions,
    class: Class,
    results: &[cranelift_codegen::ir::Value],
    base: cranelift_codegen::ir::Value,
    offset: i32,
) {
    let (store, done) = (b.create_block(), b.create_block());
    b.ins().brif(results[1], done, &[], store, &[]);
    b.switch_to_block(store);
    b.seal_block(store);
    store_slot(b, regions, class, results[0], base, offset);
    b.ins().jump(done, &[]);
    b.switch_to_block(done);
    b.seal_block(done);
}

/// Translates the thunk of a runtime call into an empty function.
pub(crate) fn thunk(
    func: &mut Function,
    target: TargetFrontendConfig,
    contexts: &mut FunctionBuilderContext,
    (call, usage): (RtCall, Usage),
) {
    let call_conv = target.default_call_conv;
    func.signature = convention::by_thunk(call_conv, usage);
    let regions = Regions::new(func);
    let mut b = FunctionBuilder::new(func, contexts);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let [s, r, rp, word] = b.block_params(entry)[..] else {
        unreachable!("a thunk has four parameters");
    };
    let flags = regions.flags(Region::Context);
    b.ins().store(flags, word, rp, 0);
    let insn = b.ins().band_imm_u(word, i64::from(u32::MAX));
    let context = b.ins().get_pinned_reg(types::I64);
    let signature = b.import_signature(convention::frame_call(call_conv));
    let callee = b.ins().iconst(types::I64, call.address() as i64);
    let args = [context, s, r, rp, insn];
    let call = b.ins().call_indirect(signature, callee, &args);
    let status = b.inst_results(call)[0];
    match usage {
        Usage::Usual => {
            b.ins().return_(&[status]);
        }
        Usage::Rare => {
            let status = b.ins().uextend(types::I64, status);
            b.ins().store(flags, status, rp, 0);
            b.ins().return_(&[]);
        }
    }
    b.finalize(target);
}
