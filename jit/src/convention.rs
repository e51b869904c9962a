//! The calling convention as Cranelift signatures. Here because callers, callees, trampolines and runtime calls must
//! agree. Must stay true: a native function takes the starts of its frame in both stacks and its call word, the closure
//! if it is one, then its parameters by class, and gives its result, if it has one, and a status: 0 returned, 1 an error
//! is pending in the machine.

use cranelift_codegen::ir::{AbiParam, Signature, types};
use cranelift_codegen::isa::CallConv;
use flin_bytecode::Class;

use crate::outside::Passing;
use crate::registers::type_of;

/// Parameters before those of the function itself: scalar frame, reference frame, call word.
pub(crate) const FRAME_PARAMS: usize = 3;

fn pointers(count: usize) -> Vec<AbiParam> {
    vec![AbiParam::new(types::I64); count]
}

/// The signature of a native function.
pub(crate) fn native(call_conv: CallConv, passing: &Passing) -> Signature {
    let mut signature = Signature::new(call_conv);
    signature.params = pointers(FRAME_PARAMS + usize::from(passing.is_closure));
    let own = passing.params.iter().map(|class| param(*class));
    signature.params.extend(own);
    signature.returns.extend(passing.result.map(param));
    signature.returns.push(AbiParam::new(types::I32));
    signature
}

fn param(class: Class) -> AbiParam {
    AbiParam::new(type_of(class))
}

/// `extern "C" fn(ctx, s, r, rp, insn or target) -> u32`: runtime calls, trampolines, entries of loops.
pub(crate) fn frame_call(call_conv: CallConv) -> Signature {
    let mut signature = Signature::new(call_conv);
    signature.params = pointers(5);
    signature.returns.push(AbiParam::new(types::I32));
    signature
}

/// `extern "C" fn(f64, f64) -> f64`.
pub(crate) fn float_call(call_conv: CallConv) -> Signature {
    let mut signature = Signature::new(call_conv);
    signature.params = vec![AbiParam::new(types::F64); 2];
    signature.returns.push(AbiParam::new(types::F64));
    signature
}

/// A runtime call by its thunk: `fn(s, r, rp, word)`, where `word` is what the call word is to be: function and instruction. A rare
/// one leaves all registers as they are, and the status in the frame's call word; a usual one gives the status.
pub(crate) fn by_thunk(call_conv: CallConv, usage: Usage) -> Signature {
    let mut signature = Signature::new(match usage {
        Usage::Rare => CallConv::PreserveAll,
        Usage::Usual => call_conv,
    });
    signature.params = pointers(4);
    if usage == Usage::Usual {
        signature.returns.push(AbiParam::new(types::I32));
    }
    signature
}

/// How often a thunk is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usage {
    /// From cold blocks.
    Rare,
    /// Wherever the operation stands.
    Usual,
}
