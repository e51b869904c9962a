//! The compare family: equality and order of scalars, texts and values of any type.

mod support;

use flin_bytecode::{Class, Op};
use flin_vm::HostValue::{Bool, Float, Int, List, Map, Time, Tuple};
use flin_vm::{HostValue, Trap};
use support::*;

fn compare(op: Op, class: Class, a: HostValue, b: HostValue) -> Result<HostValue, Trap> {
    let (program, func) = one(&[class, class], Some(Class::Bool), |_, builder| {
        let (a, b, out) = (
            builder.param(0),
            builder.param(1),
            builder.temp(Class::Bool),
        );
        builder.emit(op, &[out.into(), a.into(), b.into()]);
        emit!(builder, RetBool, out);
    });
    call(&program, func, &[a, b])
}

fn holds(op: Op, class: Class, a: HostValue, b: HostValue) -> bool {
    match compare(op, class, a, b) {
        Ok(Bool(value)) => value,
        other => panic!("{op:?}: {other:?}"),
    }
}

#[test]
fn scalars() {
    for (a, b) in [(1, 2), (2, 2), (3, 2), (i64::MIN, i64::MAX)] {
        assert_eq!(holds(Op::EqI64, Class::I64, Int(a), Int(b)), a == b);
        assert_eq!(holds(Op::LtI64, Class::I64, Int(a), Int(b)), a < b);
        assert_eq!(holds(Op::LeI64, Class::I64, Int(a), Int(b)), a <= b);
    }
    for (a, b) in [
        (1.0, 2.0),
        (2.0, 2.0),
        (f64::NAN, 1.0),
        (f64::NAN, f64::NAN),
        (0.0, -0.0),
    ] {
        assert_eq!(holds(Op::EqF64, Class::F64, Float(a), Float(b)), a == b);
        assert_eq!(holds(Op::LtF64, Class::F64, Float(a), Float(b)), a < b);
        assert_eq!(holds(Op::LeF64, Class::F64, Float(a), Float(b)), a <= b);
    }
    assert!(holds(Op::EqBool, Class::Bool, Bool(true), Bool(true)));
    assert!(!holds(Op::EqBool, Class::Bool, Bool(true), Bool(false)));
}

#[test]
fn texts_order_by_scalar_value() {
    let lt = |a: &str, b: &str| holds(Op::LtText, Class::Ref, host_text(a), host_text(b));
    assert!(lt("a", "b") && lt("", "a") && lt("Z", "a") && lt("z", "ä"));
    // U+FFFF comes before U+10000, unlike in UTF-16.
    assert!(lt("\u{FFFF}", "\u{10000}"));
    assert!(holds(
        Op::LeText,
        Class::Ref,
        host_text("a"),
        host_text("a")
    ));
    assert_eq!(
        kind(&compare(
            Op::LtText,
            Class::Ref,
            host_text("a"),
            List(vec![])
        )),
        "TypeError"
    );
}

#[test]
fn equality_is_by_value() {
    let eq = |a: HostValue, b: HostValue| holds(Op::EqAny, Class::Any, a, b);
    assert!(eq(Int(3), Float(3.0)));
    assert!(!eq(Int(i64::MAX), Float(i64::MAX as f64)));
    assert!(eq(HostValue::None, HostValue::None));
    assert!(!eq(HostValue::None, Bool(false)));
    assert!(!eq(Int(1), host_text("1")));
    assert!(!eq(Time(1), Int(1)));
    assert!(eq(
        List(vec![Int(1), host_text("a")]),
        List(vec![Float(1.0), host_text("a")])
    ));
    assert!(!eq(List(vec![Int(1)]), List(vec![Int(1), Int(1)])));
    assert!(eq(Tuple(vec![Int(1), Int(2)]), Tuple(vec![Int(1), Int(2)])));
    let map = |order: [(&str, i64); 2]| {
        Map(order
            .iter()
            .map(|(k, v)| ((*k).to_owned(), Int(*v)))
            .collect())
    };
    assert!(
        eq(map([("a", 1), ("b", 2)]), map([("b", 2), ("a", 1)])),
        "maps ignore order"
    );
    assert!(!eq(map([("a", 1), ("b", 2)]), map([("a", 1), ("c", 2)])));
    assert!(holds(Op::EqRef, Class::Ref, host_text("x"), host_text("x")));
    assert!(!eq(Float(f64::NAN), Float(f64::NAN)));
}

#[test]
fn order_needs_like_types() {
    let lt = |a: HostValue, b: HostValue| compare(Op::LtAny, Class::Any, a, b);
    assert_eq!(lt(Int(1), Float(1.5)), Ok(Bool(true)));
    assert_eq!(lt(Float(1.5), Int(1)), Ok(Bool(false)));
    assert_eq!(lt(host_text("a"), host_text("b")), Ok(Bool(true)));
    assert_eq!(lt(Time(1), Time(2)), Ok(Bool(true)));
    assert_eq!(
        lt(Tuple(vec![Int(1), Int(2)]), Tuple(vec![Int(1), Int(3)])),
        Ok(Bool(true))
    );
    assert_eq!(lt(Float(f64::NAN), Int(1)), Ok(Bool(false)));
    assert!(holds(Op::LeAny, Class::Any, Int(1), Int(1)));
    let unlike = lt(host_text("a"), Int(1));
    assert_eq!(kind(&unlike), "TypeError");
    assert_eq!(
        unlike.expect_err("an error").message,
        "text and int have no order"
    );
}

#[test]
fn cyclic_and_deep_data_is_refused_by_equality_and_printed_with_dots() {
    // xs = []; xs.push(xs)
    let (program, func) = one(&[], Some(Class::Ref), |mb, b| {
        let (xs, ys, text) = (b.temp(Class::Ref), b.temp(Class::Ref), b.temp(Class::Ref));
        emit!(b, ListNew, xs, Class::Ref, 0);
        emit!(b, ListPushRef, xs, xs);
        emit!(b, TextRef, text, xs);
        let expected = b.temp(Class::Ref);
        emit!(b, ConstText, expected, mb.const_text("[[…]]"));
        let (same, end) = (b.temp(Class::Bool), b.label());
        emit!(b, EqRef, same, text, expected);
        emit!(b, JumpUnless, same, end);
        emit!(b, ListNew, ys, Class::Ref, 0);
        emit!(b, ListPushRef, ys, ys);
        emit!(b, EqRef, same, xs, ys);
        b.bind(end);
        emit!(b, RetRef, text);
    });
    let result = call(&program, func, &[]);
    assert_eq!(kind(&result), "DepthLimitExceeded", "{result:?}");
    let nested = |depth: usize| (0..depth).fold(Int(1), |inner, _| List(vec![inner]));
    assert_eq!(
        compare(Op::EqAny, Class::Any, nested(200), nested(200)),
        Ok(Bool(true))
    );
    // Beyond 256 levels such a value does not even come in.
    assert_eq!(
        kind(&compare(Op::EqAny, Class::Any, nested(300), nested(300))),
        "DepthLimitExceeded"
    );
}

#[test]
fn data_that_unfolds_without_end_is_refused() {
    // x = []; 60 times x = [x, x]: small in memory, 2^60 values to look at.
    let (program, func) = one(&[], Some(Class::Ref), |_, b| {
        let (x, outer, i, n) = (
            b.temp(Class::Ref),
            b.temp(Class::Ref),
            int(b, 0),
            int(b, 60),
        );
        emit!(b, ListNew, x, Class::Ref, 0);
        let head = b.label_here();
        emit!(b, ListNew, outer, Class::Ref, 2);
        emit!(b, ListPushRef, outer, x);
        emit!(b, ListPushRef, outer, x);
        emit!(b, MovRef, x, outer);
        emit!(b, ForNext, i, n, head);
        emit!(b, RetRef, x);
    });
    // Handing it out copies it.
    let mut vm = flin_vm::Vm::new(program, flin_vm::Limits::request());
    let result = vm.call(&mut ModelHost::default(), func, &[]);
    assert_eq!(kind(&result), "DepthLimitExceeded");
}
