//! The function builder: what it writes verifies, also with far registers, and running out is an error, not a panic.
//! Here because lowering relies on it for every function. Must stay true: only the builder's own bugs panic.

use flin_bytecode::{
    BuildError, Class, FuncId, FunctionBuilder, Module, Signature, VerifyError, emit, verify,
};

fn signature(params: &[Class], result: Option<Class>) -> Signature {
    Signature {
        params: params.to_vec(),
        result,
    }
}

fn verified(functions: Vec<flin_bytecode::Function>) -> Result<(), VerifyError> {
    verify(&Module {
        functions,
        ..Module::default()
    })
}

/// 400 locals are set, summed up in a loop with a far counter, and handed to a call.
#[test]
fn far_registers_verify() {
    let mut b = FunctionBuilder::new("many", signature(&[Class::I64], Some(Class::F64)));
    let locals: Vec<_> = (0..400).map(|_| b.local(Class::I64)).collect();
    for (n, local) in locals.iter().enumerate() {
        b.at(n as u32 + 1, 1);
        emit!(b, ConstI64, *local, n as i32);
    }
    let sum = locals[399];
    let top = b.label_here();
    for local in &locals {
        emit!(b, AddI64, sum, sum, *local);
    }
    emit!(b, ForNext, locals[398], locals[0], top);
    let mark = b.mark();
    let callee = signature(&[Class::I64, Class::Any], Some(Class::F64));
    let window = b.window(&callee);
    b.mov(Class::I64, window.args[0], sum);
    emit!(b, NoneAny, window.args[1]);
    emit!(b, Call, window.scalar, window.reference, FuncId(1));
    emit!(b, RetF64, window.result.expect("a result"));
    b.release(mark);
    assert!(b.is_ended());
    let many = b.finish().expect("fits");
    assert!(many.scalar_regs.len() > 400);

    let mut b = FunctionBuilder::new("callee", callee);
    let result = b.temp(Class::F64);
    emit!(b, IntToFloat, result, b.param(0));
    emit!(b, RetF64, result);
    verified(vec![many, b.finish().expect("fits")]).unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn many_temporaries_move_to_far_registers() {
    let mut b = FunctionBuilder::new("f", signature(&[], None));
    let regs: Vec<_> = (0..2000).map(|_| b.temp(Class::Ref)).collect();
    for reg in regs {
        emit!(b, NoneRef, reg);
    }
    assert!(b.is_crowded());
    let callee = signature(&[Class::Bool, Class::Ref], Some(Class::Any));
    assert!(
        b.window(&callee).reference.0 < flin_bytecode::build::FAR_REG_FIRST,
        "windows have room"
    );
    emit!(b, Ret);
    verified(vec![b.finish().expect("fits")]).unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn too_many_temporaries_are_an_error() {
    let mut b = FunctionBuilder::new("f", signature(&[], None));
    let regs: Vec<_> = (0..300).map(|_| b.near_temp(Class::Ref)).collect();
    for reg in regs {
        emit!(b, NoneRef, reg);
    }
    let callee = signature(&[Class::Bool, Class::Ref], Some(Class::Any));
    let window = b.closure_window(&callee);
    emit!(b, ConstBool, window.args[0], true);
    let label = b.label_here();
    b.protect(label, label, label, window.reference);
    emit!(b, Ret);
    assert!(matches!(
        b.finish(),
        Err(BuildError::TooManyRegisters { .. })
    ));
}

#[test]
fn registers_are_used_again_by_class() {
    let mut b = FunctionBuilder::new("f", signature(&[], None));
    for _ in 0..1000 {
        let mark = b.mark();
        let (a, c) = (b.temp(Class::I64), b.temp(Class::F64));
        emit!(b, ConstI64, a, 1);
        emit!(b, IntToFloat, c, a);
        b.release(mark);
    }
    emit!(b, Ret);
    let function = b.finish().expect("fits");
    assert_eq!(function.scalar_regs, [Class::I64, Class::F64]);
    verified(vec![function]).unwrap_or_else(|e| panic!("{e}"));
}

/// Loops in loops, each with a call that clobbers registers above, and a try around each: real code, however deep, is
/// not taken for tangled flow.
#[test]
fn deeply_nested_loops_with_calls_and_catches_verify() {
    const DEPTH: usize = 60;
    let mut b = FunctionBuilder::new("deep", signature(&[], None));
    let caught = b.local(Class::Ref);
    let plain = signature(&[Class::I64], Some(Class::I64));
    let mut loops = Vec::new();
    for _ in 0..DEPTH {
        let (counter, limit) = (b.local(Class::I64), b.local(Class::I64));
        emit!(b, ConstI64, counter, 0);
        emit!(b, ConstI64, limit, 3);
        let (top, exit) = (b.label_here(), b.label());
        call_of(&mut b, &plain, counter);
        loops.push((counter, limit, top, exit));
    }
    for (counter, limit, top, exit) in loops.into_iter().rev() {
        for _ in 0..20 {
            call_of(&mut b, &plain, counter);
        }
        emit!(b, ForNext, counter, limit, top);
        let end = b.label_here();
        emit!(b, Jump, exit);
        let target = b.label_here();
        b.protect(top, end, target, caught);
        b.bind(exit);
    }
    emit!(b, Ret);
    let deep = b.finish().expect("fits");
    let mut b = FunctionBuilder::new("callee", plain);
    emit!(b, RetI64, b.param(0));
    verified(vec![deep, b.finish().expect("fits")]).unwrap_or_else(|e| panic!("{e}"));
}

fn call_of(b: &mut FunctionBuilder, callee: &Signature, argument: flin_bytecode::Reg) {
    let mark = b.mark();
    let window = b.window(callee);
    b.mov(Class::I64, window.args[0], argument);
    emit!(b, Call, window.scalar, window.reference, FuncId(1));
    b.release(mark);
}
