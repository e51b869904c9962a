//! The arith family: checked ints, IEEE floats, arithmetic on any.

mod support;

use flin_bytecode::{Class, Op};
use flin_vm::HostValue::{Bool, Duration, Float, Int, List, Text, Time};
use flin_vm::{HostValue, Trap};
use support::*;

fn binary(op: Op, class: Class, a: HostValue, b: HostValue) -> Result<HostValue, Trap> {
    let (program, func) = one(&[class, class], Some(class), |_, builder| {
        let (a, b) = (builder.param(0), builder.param(1));
        let out = builder.temp(class);
        builder.emit(op, &[out.into(), a.into(), b.into()]);
        ret(builder, class, out);
    });
    call(&program, func, &[a, b])
}

fn ints(op: Op, a: i64, b: i64) -> Result<HostValue, Trap> {
    binary(op, Class::I64, Int(a), Int(b))
}

#[test]
fn checked_int_arithmetic() {
    assert_eq!(ints(Op::AddI64, 2, 3), Ok(Int(5)));
    assert_eq!(ints(Op::SubI64, 2, 3), Ok(Int(-1)));
    assert_eq!(ints(Op::MulI64, -4, 3), Ok(Int(-12)));
    assert_eq!(ints(Op::DivI64, -7, 2), Ok(Int(-3)));
    assert_eq!(ints(Op::RemI64, -7, 2), Ok(Int(-1)));
    assert_eq!(ints(Op::PowI64, 3, 4), Ok(Int(81)));
    assert_eq!(ints(Op::RemI64, i64::MIN, -1), Ok(Int(0)));
    for (op, a, b) in [
        (Op::AddI64, i64::MAX, 1),
        (Op::SubI64, i64::MIN, 1),
        (Op::MulI64, i64::MAX, 2),
        (Op::DivI64, i64::MIN, -1),
        (Op::PowI64, 10, 19),
    ] {
        assert_eq!(kind(&ints(op, a, b)), "IntegerOverflow", "{op:?}");
    }
    assert_eq!(kind(&ints(Op::DivI64, 1, 0)), "DivisionByZero");
    assert_eq!(kind(&ints(Op::RemI64, 1, 0)), "DivisionByZero");
    assert_eq!(kind(&ints(Op::PowI64, 2, -1)), "TypeError");
}

#[test]
fn immediate_and_negation() {
    let add_imm = |value: i64| {
        let (program, func) = one(&[Class::I64], Some(Class::I64), |_, b| {
            let (x, out) = (b.param(0), b.temp(Class::I64));
            emit!(b, AddImmI64, out, x, 5);
            emit!(b, NegI64, out, out);
            emit!(b, RetI64, out);
        });
        call(&program, func, &[Int(value)])
    };
    assert_eq!(add_imm(1), Ok(Int(-6)));
    assert_eq!(kind(&add_imm(i64::MAX)), "IntegerOverflow");
    let negated = eval(Class::I64, |mb, b| {
        let (x, out) = (b.temp(Class::I64), b.temp(Class::I64));
        emit!(b, ConstI64Pool, x, mb.const_int(i64::MIN));
        emit!(b, NegI64, out, x);
        emit!(b, RetI64, out);
    });
    assert_eq!(kind(&negated), "IntegerOverflow");
}

#[test]
fn floats_follow_ieee() {
    let floats = |op: Op, a: f64, b: f64| binary(op, Class::F64, Float(a), Float(b));
    assert_eq!(floats(Op::AddF64, 0.5, 0.25), Ok(Float(0.75)));
    assert_eq!(floats(Op::SubF64, 0.5, 0.25), Ok(Float(0.25)));
    assert_eq!(floats(Op::MulF64, 0.5, -4.0), Ok(Float(-2.0)));
    assert_eq!(floats(Op::DivF64, 1.0, 0.0), Ok(Float(f64::INFINITY)));
    assert_eq!(floats(Op::RemF64, -7.5, 2.0), Ok(Float(-1.5)));
    assert_eq!(floats(Op::PowF64, 2.0, 0.5), Ok(Float(2.0_f64.sqrt())));
    assert!(matches!(floats(Op::DivF64, 0.0, 0.0), Ok(Float(x)) if x.is_nan()));
}

#[test]
fn any_arithmetic_goes_by_what_the_values_are() {
    let any = |op: Op, a: HostValue, b: HostValue| binary(op, Class::Any, a, b);
    let text = |s: &str| Text(s.to_owned());
    assert_eq!(any(Op::AddAny, Int(1), Int(2)), Ok(Int(3)));
    assert_eq!(any(Op::AddAny, Int(1), Float(0.5)), Ok(Float(1.5)));
    assert_eq!(any(Op::AddAny, text("a"), Int(1)), Ok(text("a1")));
    assert_eq!(any(Op::AddAny, Float(3.0), text("!")), Ok(text("3.0!")));
    assert_eq!(
        any(Op::AddAny, HostValue::None, text("!")),
        Ok(text("none!"))
    );
    assert_eq!(
        any(Op::AddAny, List(vec![Int(1)]), List(vec![text("b")])),
        Ok(List(vec![Int(1), text("b")]))
    );
    assert_eq!(any(Op::AddAny, Time(1000), Duration(5)), Ok(Time(1005)));
    assert_eq!(any(Op::SubAny, Time(1000), Time(900)), Ok(Duration(100)));
    assert_eq!(any(Op::SubAny, Time(1000), Duration(900)), Ok(Time(100)));
    assert_eq!(any(Op::MulAny, Duration(3), Int(2)), Ok(Duration(6)));
    assert_eq!(any(Op::DivAny, Int(7), Int(2)), Ok(Int(3)));
    assert_eq!(any(Op::DivAny, Duration(3), Duration(2)), Ok(Float(1.5)));
    assert_eq!(any(Op::RemAny, Int(7), Float(2.0)), Ok(Float(1.0)));
    assert_eq!(any(Op::PowAny, Int(2), Int(5)), Ok(Int(32)));
    assert_eq!(
        any(Op::AddAny, Int(i64::MAX - 1), Int(1)),
        Ok(Int(i64::MAX))
    );
    assert_eq!(
        kind(&any(Op::AddAny, Int(i64::MAX), Int(1))),
        "IntegerOverflow"
    );
    assert_eq!(kind(&any(Op::DivAny, Int(1), Int(0))), "DivisionByZero");
    assert_eq!(kind(&any(Op::MulAny, text("a"), Int(2))), "TypeError");
    assert_eq!(kind(&any(Op::AddAny, Bool(true), Int(2))), "TypeError");
}

#[test]
fn neg_any_and_list_concat() {
    let neg = |value: HostValue| {
        let (program, func) = one(&[Class::Any], Some(Class::Any), |_, b| {
            let (x, out) = (b.param(0), b.temp(Class::Any));
            emit!(b, NegAny, out, x);
            emit!(b, RetAny, out);
        });
        call(&program, func, &[value])
    };
    assert_eq!(neg(Int(4)), Ok(Int(-4)));
    assert_eq!(neg(Float(4.0)), Ok(Float(-4.0)));
    assert_eq!(neg(Duration(4)), Ok(Duration(-4)));
    assert_eq!(kind(&neg(Int(i64::MIN))), "IntegerOverflow");
    assert_eq!(kind(&neg(HostValue::None)), "TypeError");
    assert_eq!(
        binary(
            Op::ListConcat,
            Class::Ref,
            List(vec![Int(1)]),
            List(vec![Int(2)])
        ),
        Ok(List(vec![Int(1), Int(2)]))
    );
    assert_eq!(
        kind(&binary(
            Op::ListConcat,
            Class::Ref,
            List(vec![]),
            Text("x".to_owned())
        )),
        "TypeError"
    );
}
