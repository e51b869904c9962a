//! Code between native functions and Rust: trampolines, by which the machine enters native code, because Rust calls one
//! kind of function and native functions have a signature each; and thunks for runtime calls that are rarely made,
//! because a call of Rust destroys half of the registers, and Cranelift would keep what a loop needs in memory for it.
//! Must stay true: the pinned register holds the context while native code runs and is what the Rust caller left there
//! afterwards.

use cranelift_codegen::ir::types;
use cranelift_codegen::ir::{Function, InstBuilder, UserFuncName};
use cranelift_codegen::isa::CallConv;
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use flin_bytecode::{Bank, Class};
use flin_vm::native::RtCall;

use crate::convention;
use crate::outside::Passing;
use crate::regions::{Region, Regions};
use crate::registers::{load_slot, store_slot};

/// Translates the trampoline of a signature.
pub(crate) fn trampoline(
    target: TargetFrontendConfig,
    contexts: &mut FunctionBuilderContext,
    passing: &Passing,
) -> Function {
    let call_conv: CallConv = target.default_call_conv;
    let mut func =
        Function::with_name_signature(UserFuncName::default(), convention::frame_call(call_conv));
    let regions = Regions::new(&mut func);
    let mut b = FunctionBuilder::new(&mut func, contexts);
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
    func
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

/// Translates the thunk of a runtime call.
pub(crate) fn thunk(
    target: TargetFrontendConfig,
    contexts: &mut FunctionBuilderContext,
    call: RtCall,
) -> Function {
    let mut func = Function::with_name_signature(UserFuncName::default(), convention::rare_call());
    let regions = Regions::new(&mut func);
    let mut b = FunctionBuilder::new(&mut func, contexts);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let [s, r, rp, insn] = b.block_params(entry)[..] else {
        unreachable!("a thunk has four parameters");
    };
    let context = b.ins().get_pinned_reg(types::I64);
    let signature = b.import_signature(convention::frame_call(target.default_call_conv));
    let callee = b.ins().iconst(types::I64, call.address() as i64);
    let call = b
        .ins()
        .call_indirect(signature, callee, &[context, s, r, rp, insn]);
    let status = b.inst_results(call)[0];
    let status = b.ins().uextend(types::I64, status);
    b.ins().store(regions.flags(Region::Context), status, rp, 0);
    b.ins().return_(&[]);
    b.finalize(target);
    func
}
