//! The control family: jumps, loops, raising and catching, positions and traces.

mod support;

use flin_bytecode::{Class, FunctionBuilder, ModuleBuilder, Op, Reg, TypeDesc};
use flin_vm::HostValue::{Bool, Float, Int, List};
use flin_vm::{ErrorKind, HostValue};
use support::*;

/// Whether the jump is taken.
fn taken(op: Op, class: Class, a: HostValue, b: HostValue) -> bool {
    let (program, func) = one(&[class, class], Some(Class::Bool), |_, builder| {
        let (a, b, out) = (
            builder.param(0),
            builder.param(1),
            builder.temp(Class::Bool),
        );
        let target = builder.label();
        builder.emit(op, &[a.into(), b.into(), target.into()]);
        emit!(builder, ConstBool, out, false);
        emit!(builder, RetBool, out);
        builder.bind(target);
        emit!(builder, ConstBool, out, true);
        emit!(builder, RetBool, out);
    });
    call(&program, func, &[a, b]) == Ok(Bool(true))
}

#[test]
fn conditional_jumps() {
    for (a, b) in [(1, 2), (2, 2), (3, 2)] {
        let check = |op, expected: bool| {
            assert_eq!(
                taken(op, Class::I64, Int(a), Int(b)),
                expected,
                "{op:?} {a} {b}"
            )
        };
        check(Op::JumpEqI64, a == b);
        check(Op::JumpNeI64, a != b);
        check(Op::JumpLtI64, a < b);
        check(Op::JumpLeI64, a <= b);
    }
    for (a, b) in [(1.0, 2.0), (2.0, 2.0), (3.0, 2.0), (f64::NAN, 1.0)] {
        let check = |op, expected: bool| {
            assert_eq!(
                taken(op, Class::F64, Float(a), Float(b)),
                expected,
                "{op:?} {a} {b}"
            )
        };
        check(Op::JumpLtF64, a < b);
        check(Op::JumpLeF64, a <= b);
        check(Op::JumpNltF64, a >= b || a.is_nan());
        check(Op::JumpNleF64, a > b || a.is_nan());
    }
}

#[test]
fn loops_count() {
    // Sum of 0..n, once with for.next and once with plain jumps.
    let (program, func) = one(&[Class::I64], Some(Class::I64), |_, b| {
        let (n, i, sum) = (b.param(0), int(b, 0), int(b, 0));
        let (cond, end) = (b.temp(Class::Bool), b.label());
        let head = b.label_here();
        emit!(b, AddI64, sum, sum, i);
        emit!(b, ForNext, i, n, head);
        emit!(b, ConstI64, i, 0);
        let again = b.label_here();
        emit!(b, LtI64, cond, i, n);
        emit!(b, JumpUnless, cond, end);
        emit!(b, AddI64, sum, sum, i);
        emit!(b, AddImmI64, i, i, 1);
        emit!(b, Jump, again);
        b.bind(end);
        emit!(b, JumpIf, cond, again);
        emit!(b, RetI64, sum);
    });
    assert_eq!(call(&program, func, &[Int(5000)]), Ok(Int(5000 * 4999)));
}

/// A function that fails inside a protected range and gives kind, message, line of the error.
fn caught(fail: impl Fn(&mut ModuleBuilder, &mut FunctionBuilder)) -> HostValue {
    let (program, func) = one(&[], Some(Class::Ref), |mb, b| {
        let (error, list) = (b.temp(Class::Ref), b.temp(Class::Ref));
        emit!(b, ListNew, list, Class::Any, 0);
        let (start, end, target) = (b.label_here(), b.label(), b.label());
        b.at(7, 3);
        fail(mb, b);
        b.at(8, 1);
        b.bind(end);
        emit!(b, RetRef, list);
        b.bind(target);
        b.protect(start, end, target, error);
        let (any, out) = (b.temp(Class::Any), b.temp(Class::Any));
        emit!(b, BoxRef, any, error);
        for name in ["kind", "message", "line"] {
            emit!(b, FieldGetAny, out, any, mb.const_text(name));
            emit!(b, ListPushAny, list, out);
        }
        let (is, desc) = (b.temp(Class::Bool), ty(mb, TypeDesc::Error));
        emit!(b, IsTypeRef, is, error, desc);
        emit!(b, BoxBool, out, is);
        emit!(b, ListPushAny, list, out);
        emit!(b, RetRef, list);
    });
    call(&program, func, &[]).expect("the error is caught")
}

#[test]
fn errors_are_caught_as_values() {
    let overflow = caught(|mb, b| {
        let x = b.temp(Class::I64);
        emit!(b, ConstI64Pool, x, mb.const_int(i64::MAX));
        emit!(b, AddImmI64, x, x, 1);
    });
    let message = format!("{} + 1 does not fit an int (64 bits)", i64::MAX);
    assert_eq!(
        overflow,
        List(vec![
            host_text("IntegerOverflow"),
            host_text(&message),
            Int(7),
            Bool(true)
        ])
    );
    let failed = caught(|mb, b| {
        let (kind, message) = (text(mb, b, "Teapot"), text(mb, b, "short and stout"));
        emit!(b, Fail, kind, message);
    });
    assert_eq!(
        failed,
        List(vec![
            host_text("Teapot"),
            host_text("short and stout"),
            Int(7),
            Bool(true)
        ])
    );
    let wrong = caught(|mb, b| {
        let x = text(mb, b, "no error");
        emit!(b, Throw, x);
    });
    assert_eq!(
        wrong,
        List(vec![
            host_text("TypeError"),
            host_text("expected error, found text"),
            Int(7),
            Bool(true)
        ])
    );
}

/// main (line 1) -> prelude function -> deep(n) (line 20), which fails at line 21 when n is 0.
fn failing_program(
    depth_from_prelude: bool,
) -> (std::sync::Arc<flin_vm::Program>, flin_bytecode::FuncId) {
    let mut mb = ModuleBuilder::new("app.flin");
    let deep_signature = signature(&[Class::I64], None);
    let deep = mb.declare_function("deep", deep_signature.clone());
    let mut b = FunctionBuilder::new("deep", deep_signature.clone());
    b.at(20, 1);
    let (n, zero, end) = (b.param(0), int(&mut b, 0), b.label());
    emit!(b, JumpEqI64, n, zero, end);
    let w = b.window(&deep_signature);
    b.at(22, 5);
    emit!(b, AddImmI64, w.args[0], n, -1);
    emit!(b, Call, w.scalar, w.reference, deep);
    emit!(b, Ret);
    b.bind(end);
    b.at(21, 9);
    emit!(b, DivI64, n, zero, zero);
    emit!(b, Ret);
    mb.set_function(deep, b.finish().expect("fits"));
    let call_deep = |mb: &mut ModuleBuilder, name: &str, callee, line: u32, prelude: bool| {
        let mut b = FunctionBuilder::new(name, signature(&[Class::I64], None));
        b.set_from_prelude(prelude);
        b.at(line, 2);
        let n = b.param(0);
        let w = b.window(&signature(&[Class::I64], None));
        emit!(b, MovI64, w.args[0], n);
        emit!(b, Call, w.scalar, w.reference, callee);
        emit!(b, Ret);
        let function = b.finish().expect("fits");
        mb.function(function)
    };
    let middle = call_deep(&mut mb, "each", deep, 500, depth_from_prelude);
    let main = call_deep(&mut mb, "main", middle, 1, false);
    (load(mb), main)
}

#[test]
fn an_error_knows_where_it_was_raised_and_who_called() {
    let (program, main) = failing_program(true);
    let trap = call(&program, main, &[Int(1)]).expect_err("division by zero");
    assert_eq!(trap.kind, ErrorKind::DivisionByZero);
    assert_eq!(
        (trap.at.file.as_str(), trap.at.line, trap.at.column),
        ("app.flin", 21, 9)
    );
    let trace: Vec<(&str, u32, u32)> = trap
        .trace
        .iter()
        .map(|entry| (entry.function.as_str(), entry.line, entry.column))
        .collect();
    // The prelude's frame is left out.
    assert_eq!(trace, [("deep", 21, 9), ("deep", 22, 5), ("main", 1, 2)]);
    assert_eq!(
        trap.to_string(),
        "DivisionByZero: 0 / 0: an int cannot be divided by zero (app.flin:21:9)"
    );
}

// rule: err.trace_length
#[test]
fn long_traces_lose_their_middle() {
    let (program, main) = failing_program(false);
    let trap = call(&program, main, &[Int(300)]).expect_err("division by zero");
    assert!(trap.trace.len() < 40);
    assert_eq!(trap.trace[0].line, 21);
    assert_eq!(
        trap.trace.last().map(|entry| entry.function.as_str()),
        Some("main")
    );
    assert!(
        trap.trace
            .iter()
            .any(|entry| entry.function == "… 273 more calls …"),
        "{:?}",
        trap.trace
    );
}

#[test]
fn a_caught_error_can_be_raised_again_and_keeps_its_place() {
    let (program, func) = one(&[], None, |mb, b| {
        let error = b.temp(Class::Ref);
        let (start, end, target) = (b.label_here(), b.label(), b.label());
        b.at(3, 1);
        let (kind, message) = (text(mb, b, "Mine"), text(mb, b, "first"));
        emit!(b, Fail, kind, message);
        b.bind(end);
        b.bind(target);
        b.protect(start, end, target, error);
        b.at(9, 1);
        emit!(b, Throw, error);
    });
    let trap = call(&program, func, &[]).expect_err("raised again");
    assert_eq!(
        (trap.kind, trap.at.line),
        (ErrorKind::Custom("Mine".to_owned()), 3)
    );
}

#[test]
fn inner_catches_come_first_and_calls_unwind_to_outer_ones() {
    let mut mb = ModuleBuilder::new("t.flin");
    let failing = add(&mut mb, "failing", &[], None, |mb, b| {
        let (kind, message) = (text(mb, b, "Inner"), text(mb, b, "m"));
        emit!(b, Fail, kind, message);
    });
    let main = add(&mut mb, "main", &[], Some(Class::I64), |_, b| {
        let (inner_error, outer_error, out) =
            (b.temp(Class::Ref), b.temp(Class::Ref), b.temp(Class::I64));
        let [outer_end, outer_target, inner_end, inner_target] =
            [b.label(), b.label(), b.label(), b.label()];
        let start = b.label_here();
        let w = b.window(&signature(&[], None));
        emit!(b, Call, w.scalar, w.reference, failing);
        b.bind(inner_end);
        emit!(b, ConstI64, out, 0);
        emit!(b, RetI64, out);
        b.bind(inner_target);
        emit!(b, Throw, inner_error);
        b.bind(outer_end);
        b.bind(outer_target);
        emit!(b, ConstI64, out, 42);
        emit!(b, RetI64, out);
        b.protect(start, inner_end, inner_target, inner_error);
        b.protect(start, outer_end, outer_target, outer_error);
        let _: Reg = out;
    });
    let program = load(mb);
    assert_eq!(call(&program, main, &[]), Ok(Int(42)));
}

#[test]
fn an_error_prints_as_kind_and_message() {
    let (program, func) = one(&[], Some(Class::Ref), |mb, b| {
        let (error, out) = (b.temp(Class::Ref), b.temp(Class::Ref));
        let (start, end, target) = (b.label_here(), b.label(), b.label());
        let same = text(mb, b, "Same");
        emit!(b, Fail, same, same);
        b.bind(end);
        b.bind(target);
        b.protect(start, end, target, error);
        emit!(b, TextRef, out, error);
        emit!(b, RetRef, out);
    });
    assert_eq!(call(&program, func, &[]), Ok(host_text("Same: Same")));
}
