//! The call family: calls and their windows, recursion, closures and captures, adapted signatures, library rows.

mod support;

use flin_bytecode::{Class, FunctionBuilder, ModuleBuilder, Native, Op, Signature};
use flin_vm::HostValue::{self, Bool, Float, Int, List};
use support::*;

#[test]
fn recursion_with_results_in_windows() {
    let mut mb = ModuleBuilder::new("t.flin");
    let sig = signature(&[Class::I64], Some(Class::I64));
    let fib = mb.declare_function("fib", sig.clone());
    let mut b = FunctionBuilder::new("fib", sig.clone());
    let (n, two, rec) = (b.param(0), int(&mut b, 2), b.label());
    emit!(b, JumpLeI64, two, n, rec);
    emit!(b, RetI64, n);
    b.bind(rec);
    let (first, mark) = (b.temp(Class::I64), b.mark());
    let w = b.window(&sig);
    emit!(b, AddImmI64, w.args[0], n, -1);
    emit!(b, Call, w.scalar, w.reference, fib);
    emit!(b, MovI64, first, w.result.expect("a result"));
    b.release(mark);
    let w = b.window(&sig);
    emit!(b, AddImmI64, w.args[0], n, -2);
    emit!(b, Call, w.scalar, w.reference, fib);
    emit!(b, AddI64, first, first, w.result.expect("a result"));
    emit!(b, RetI64, first);
    mb.set_function(fib, b.finish().expect("fits"));
    let program = load(mb);
    assert_eq!(call(&program, fib, &[Int(18)]), Ok(Int(2584)));
}

#[test]
fn arguments_and_results_of_all_classes() {
    // callee(i64, f64, bool, ref, any) -> each class in turn
    for class in Class::ALL {
        let mut mb = ModuleBuilder::new("t.flin");
        let sig = signature(&Class::ALL, Some(class));
        let callee = add(&mut mb, "callee", &Class::ALL, Some(class), |_, b| {
            let at = Class::ALL
                .iter()
                .position(|c| *c == class)
                .expect("a class");
            let reg = b.param(at);
            ret(b, class, reg);
        });
        let main = add(&mut mb, "main", &Class::ALL, Some(class), |_, b| {
            let w = b.window(&sig);
            for (at, class) in Class::ALL.iter().enumerate() {
                let from = b.param(at);
                b.mov(*class, w.args[at], from);
            }
            emit!(b, Call, w.scalar, w.reference, callee);
            ret(b, class, w.result.expect("a result"));
        });
        let program = load(mb);
        let args = [
            Int(7),
            Float(0.5),
            Bool(true),
            host_text("r"),
            List(vec![Int(1)]),
        ];
        let expected = args[class as usize].clone();
        assert_eq!(call(&program, main, &args), Ok(expected), "{class}");
    }
}

#[test]
fn a_callee_with_far_registers_gets_its_arguments() {
    let mut mb = ModuleBuilder::new("t.flin");
    let sig = signature(&[Class::I64, Class::Ref], Some(Class::Ref));
    let big = add(
        &mut mb,
        "big",
        &[Class::I64, Class::Ref],
        Some(Class::Ref),
        |_, b| {
            let (n, x) = (b.param(0), b.param(1));
            let locals: Vec<_> = (0..300).map(|_| b.local(Class::I64)).collect();
            let texts: Vec<_> = (0..300).map(|_| b.local(Class::Ref)).collect();
            for reg in &locals {
                emit!(b, MovI64, *reg, n);
            }
            for reg in &texts {
                emit!(b, Concat, *reg, x, x);
            }
            let (sum, out) = (int(b, 0), b.temp(Class::Ref));
            for reg in &locals {
                emit!(b, AddI64, sum, sum, *reg);
            }
            emit!(b, TextI64, out, sum);
            emit!(b, Concat, out, out, texts[299]);
            emit!(b, RetRef, out);
        },
    );
    let main = add(&mut mb, "main", &[], Some(Class::Ref), |mb, b| {
        let (keep, x) = (int(b, 5), text(mb, b, "ab"));
        let w = b.window(&sig);
        emit!(b, MovI64, w.args[0], keep);
        emit!(b, MovRef, w.args[1], x);
        emit!(b, Call, w.scalar, w.reference, big);
        let (out, shown) = (b.temp(Class::Ref), b.temp(Class::Ref));
        emit!(b, TextI64, shown, keep);
        emit!(b, Concat, out, w.result.expect("a result"), shown);
        emit!(b, Concat, out, out, x);
        emit!(b, RetRef, out);
    });
    let program = load(mb);
    assert_eq!(call(&program, main, &[]), Ok(host_text("1500abab5ab")));
}

/// A closure that captures one value of each class and gives its argument and the captures in a list.
fn capturing(mb: &mut ModuleBuilder) -> flin_bytecode::FuncId {
    let mut b = FunctionBuilder::closure(
        "lambda",
        signature(&[Class::I64], Some(Class::Ref)),
        Class::ALL.to_vec(),
    );
    let (n, list) = (b.param(0), b.temp(Class::Ref));
    emit!(b, ListNew, list, Class::Any, 0);
    emit!(b, ListPushI64, list, n);
    for (slot, class) in Class::ALL.into_iter().enumerate() {
        let reg = b.temp(class);
        let (get, push) = match class {
            Class::I64 => (Op::CaptureGetI64, Op::ListPushI64),
            Class::F64 => (Op::CaptureGetF64, Op::ListPushF64),
            Class::Bool => (Op::CaptureGetBool, Op::ListPushBool),
            Class::Ref => (Op::CaptureGetRef, Op::ListPushRef),
            Class::Any => (Op::CaptureGetAny, Op::ListPushAny),
        };
        b.emit(get, &[reg.into(), (slot as i32).into()]);
        b.emit(push, &[list.into(), reg.into()]);
    }
    emit!(b, RetRef, list);
    let function = b.finish().expect("fits");
    mb.function(function)
}

fn make_closure(b: &mut FunctionBuilder, lambda: flin_bytecode::FuncId) -> flin_bytecode::Reg {
    let closure = b.temp(Class::Ref);
    emit!(b, ClosureNew, closure, lambda);
    for (slot, class) in Class::ALL.into_iter().enumerate() {
        let op = match class {
            Class::I64 => Op::CaptureSetI64,
            Class::F64 => Op::CaptureSetF64,
            Class::Bool => Op::CaptureSetBool,
            Class::Ref => Op::CaptureSetRef,
            Class::Any => Op::CaptureSetAny,
        };
        let from = b.param(slot);
        b.emit(op, &[closure.into(), from.into(), (slot as i32).into()]);
    }
    closure
}

fn call_capturing(
    given: Signature,
    argument: impl FnOnce(&mut FunctionBuilder, flin_bytecode::Reg),
) -> Result<HostValue, flin_vm::Trap> {
    let mut mb = ModuleBuilder::new("t.flin");
    let lambda = capturing(&mut mb);
    let sig_id = mb.signature(given.clone());
    let result = given.result;
    let main = add(&mut mb, "main", &Class::ALL, result, |_, b| {
        let closure = make_closure(b, lambda);
        let w = b.closure_window(&given);
        emit!(b, MovRef, w.closure.expect("a closure"), closure);
        if let Some(arg) = w.args.first() {
            argument(b, *arg);
        }
        emit!(b, CallClosure, w.scalar, w.reference, sig_id);
        ret(b, result.expect("a result"), w.result.expect("a result"));
    });
    let program = load(mb);
    call(
        &program,
        main,
        &[
            Int(7),
            Float(0.5),
            Bool(true),
            host_text("r"),
            HostValue::None,
        ],
    )
}

#[test]
fn closures_carry_captures_of_every_class() {
    let all = List(vec![
        Int(3),
        Int(7),
        Float(0.5),
        Bool(true),
        host_text("r"),
        HostValue::None,
    ]);
    let result = call_capturing(signature(&[Class::I64], Some(Class::Ref)), |b, arg| {
        emit!(b, ConstI64, arg, 3);
    });
    assert_eq!(result, Ok(all.clone()));
    // An unlike signature of the same arity is adapted: any -> i64 in, ref -> any out.
    let adapted = call_capturing(signature(&[Class::Any], Some(Class::Any)), |b, arg| {
        let x = int(b, 3);
        emit!(b, BoxInt, arg, x);
    });
    assert_eq!(adapted, Ok(all));
    let refused = call_capturing(signature(&[Class::Any], Some(Class::Any)), |b, arg| {
        emit!(b, NoneAny, arg);
    });
    assert_eq!(kind(&refused), "TypeError");
    let wrong_result = call_capturing(signature(&[Class::I64], Some(Class::F64)), |b, arg| {
        emit!(b, ConstI64, arg, 3);
    });
    assert_eq!(kind(&wrong_result), "TypeError");
    let arity = call_capturing(signature(&[], Some(Class::Ref)), |_, _| {});
    assert_eq!(
        arity.expect_err("an error").message,
        "this function takes 1 argument, but is called with 0"
    );
}

#[test]
fn calling_what_is_no_function_is_an_error() {
    let out = eval(Class::I64, |mb, b| {
        let sig = signature(&[], Some(Class::I64));
        let id = mb.signature(sig.clone());
        let w = b.closure_window(&sig);
        emit!(
            b,
            ConstText,
            w.closure.expect("a closure"),
            mb.const_text("x")
        );
        emit!(b, CallClosure, w.scalar, w.reference, id);
        emit!(b, RetI64, w.result.expect("a result"));
    });
    assert_eq!(kind(&out), "TypeError");
}

#[test]
fn captures_are_checked_against_the_function() {
    let mut mb = ModuleBuilder::new("t.flin");
    let lambda = capturing(&mut mb);
    let main = add(&mut mb, "main", &[], None, |mb, b| {
        let (closure, x) = (b.temp(Class::Ref), text(mb, b, "x"));
        emit!(b, ClosureNew, closure, lambda);
        // Slot 0 is an int.
        emit!(b, CaptureSetRef, closure, x, 0);
        emit!(b, Ret);
    });
    assert_eq!(kind(&call(&load(mb), main, &[])), "TypeError");
}

#[test]
fn query_steps_through_library_rows() {
    let mut mb = ModuleBuilder::new("t.flin");
    mb.module.entities.push(flin_bytecode::Entity {
        name: "Todo".into(),
        fields: vec![],
        inverses: Vec::new(),
        was: Vec::new(),
        keep: flin_bytecode::module::Keep::default(),
        line: 1,
    });
    let main = add(&mut mb, "main", &[], Some(Class::Ref), |_, b| {
        let (query, list) = (b.temp(Class::Ref), b.temp(Class::Ref));
        emit!(b, QueryNew, query, flin_bytecode::EntityTypeId(0));
        emit!(b, ListNew, list, Class::Any, 0);
        for (kind, argument) in [(3, 10), (4, 20), (5, 0)] {
            let mark = b.mark();
            let row = Native::QueryWith.lib_id();
            let w = b.window(row.signature());
            emit!(b, MovRef, w.args[0], query);
            emit!(b, ConstI64, w.args[1], kind);
            let n = int(b, argument);
            emit!(b, BoxInt, w.args[2], n);
            emit!(b, CallLib, w.scalar, w.reference, row);
            emit!(b, MovRef, query, w.result.expect("a result"));
            b.release(mark);
        }
        for (row, index) in [
            (Native::QuerySteps, None),
            (Native::QueryKind, Some(1)),
            (Native::QueryArg, Some(1)),
        ] {
            let mark = b.mark();
            let row = row.lib_id();
            let w = b.window(row.signature());
            emit!(b, MovRef, w.args[0], query);
            if let Some(index) = index {
                emit!(b, ConstI64, w.args[1], index);
            }
            emit!(b, CallLib, w.scalar, w.reference, row);
            let result = w.result.expect("a result");
            if row == Native::QueryArg.lib_id() {
                emit!(b, ListPushAny, list, result);
            } else {
                emit!(b, ListPushI64, list, result);
            }
            b.release(mark);
        }
        emit!(b, RetRef, list);
    });
    assert_eq!(
        call(&load(mb), main, &[]),
        Ok(List(vec![Int(2), Int(4), Int(20)]))
    );
}
