//! The data family, first part: constants, boxing, type tests, text. Containers and variables: `containers.rs`.

mod support;

use flin_bytecode::{Class, ModuleBuilder, Op, Reg, TypeDesc};
use flin_vm::HostValue::{Bool, Duration, Float, Int, List, Map, Text, Time};
use flin_vm::{HostValue, Trap};
use support::*;

fn unary(op: Op, from: Class, to: Class, value: HostValue) -> Result<HostValue, Trap> {
    let (program, func) = one(&[from], Some(to), |_, b| {
        let (x, out) = (b.param(0), b.temp(to));
        b.emit(op, &[out.into(), x.into()]);
        ret(b, to, out);
    });
    call(&program, func, &[value])
}

#[test]
fn constants_and_moves() {
    let out = eval(Class::Any, |mb, b| {
        let (i, f, t) = (b.temp(Class::I64), b.temp(Class::F64), b.temp(Class::Bool));
        let (r, list, any) = (b.temp(Class::Ref), b.temp(Class::Ref), b.temp(Class::Any));
        emit!(b, ListNew, list, Class::Any, 1);
        emit!(b, ConstI64, i, -3);
        emit!(b, MovI64, i, i);
        emit!(b, BoxInt, any, i);
        emit!(b, ListPushAny, list, any);
        emit!(b, ConstI64Pool, i, mb.const_int(i64::MAX));
        emit!(b, BoxInt, any, i);
        emit!(b, ListPushAny, list, any);
        emit!(b, ConstF64, f, mb.const_float(1e300));
        emit!(b, MovF64, f, f);
        emit!(b, BoxFloat, any, f);
        emit!(b, ListPushAny, list, any);
        emit!(b, ConstBool, t, true);
        emit!(b, NotBool, t, t);
        emit!(b, MovBool, t, t);
        emit!(b, BoxBool, any, t);
        emit!(b, ListPushAny, list, any);
        emit!(b, ConstText, r, mb.const_text("é"));
        emit!(b, MovRef, r, r);
        emit!(b, BoxRef, any, r);
        emit!(b, ListPushAny, list, any);
        emit!(b, NoneRef, r);
        emit!(b, BoxRef, any, r);
        emit!(b, ListPushAny, list, any);
        emit!(b, NoneAny, any);
        emit!(b, MovAny, any, any);
        emit!(b, ListPushAny, list, any);
        emit!(b, BoxTime, any, i);
        emit!(b, ListPushAny, list, any);
        emit!(b, BoxDuration, any, i);
        emit!(b, ListPushAny, list, any);
        emit!(b, BoxRef, any, list);
        emit!(b, RetAny, any);
    });
    assert_eq!(
        out,
        Ok(List(vec![
            Int(-3),
            Int(i64::MAX),
            Float(1e300),
            Bool(false),
            host_text("é"),
            HostValue::None,
            HostValue::None,
            Time(i64::MAX),
            Duration(i64::MAX),
        ]))
    );
}

#[test]
fn unboxing_checks_the_type() {
    assert_eq!(
        unary(Op::UnboxInt, Class::Any, Class::I64, Int(i64::MIN)),
        Ok(Int(i64::MIN))
    );
    assert_eq!(
        unary(Op::UnboxFloat, Class::Any, Class::F64, Int(2)),
        Ok(Float(2.0))
    );
    assert_eq!(
        unary(Op::UnboxFloat, Class::Any, Class::F64, Float(1e-310)),
        Ok(Float(1e-310))
    );
    assert_eq!(
        unary(Op::UnboxBool, Class::Any, Class::Bool, Bool(true)),
        Ok(Bool(true))
    );
    assert_eq!(
        unary(Op::UnboxTime, Class::Any, Class::I64, Time(5)),
        Ok(Int(5))
    );
    assert_eq!(
        unary(Op::UnboxDuration, Class::Any, Class::I64, Duration(5)),
        Ok(Int(5))
    );
    for (op, class, value) in [
        (Op::UnboxInt, Class::I64, Float(1.0)),
        (Op::UnboxFloat, Class::F64, host_text("1")),
        (Op::UnboxBool, Class::Bool, Int(1)),
        (Op::UnboxTime, Class::I64, Int(1)),
        (Op::UnboxDuration, Class::I64, Time(1)),
    ] {
        assert_eq!(
            kind(&unary(op, Class::Any, class, value)),
            "TypeError",
            "{op:?}"
        );
    }
}

fn unbox_ref(
    desc: fn(&mut ModuleBuilder) -> TypeDesc,
    value: HostValue,
) -> Result<HostValue, Trap> {
    let (program, func) = one(&[Class::Any], Some(Class::Ref), |mb, b| {
        let (x, out) = (b.param(0), b.temp(Class::Ref));
        let desc = desc(mb);
        let id = ty(mb, desc);
        emit!(b, UnboxRef, out, x, id);
        emit!(b, CheckRef, out, id);
        emit!(b, RetRef, out);
    });
    call(&program, func, &[value])
}

#[test]
fn unbox_ref_compares_kind_and_class() {
    let ints = |mb: &mut ModuleBuilder| TypeDesc::List(mb.type_desc(TypeDesc::Int), Class::I64);
    let floats = |mb: &mut ModuleBuilder| TypeDesc::List(mb.type_desc(TypeDesc::Float), Class::F64);
    let optional = |mb: &mut ModuleBuilder| TypeDesc::Optional(mb.type_desc(TypeDesc::Text));
    assert_eq!(
        unbox_ref(|_| TypeDesc::Text, host_text("a")),
        Ok(host_text("a"))
    );
    assert_eq!(
        unbox_ref(ints, List(vec![Int(1), Int(2)])),
        Ok(List(vec![Int(1), Int(2)]))
    );
    assert_eq!(unbox_ref(ints, List(vec![])), Ok(List(vec![])));
    // A list of mixed numbers stays what it is: somebody else may hold it, and see its 1 become 1.0.
    let mixed = List(vec![Float(2.5), Int(1)]);
    assert_eq!(unbox_ref(floats, mixed.clone()), Ok(mixed));
    assert_eq!(unbox_ref(optional, HostValue::None), Ok(HostValue::None));
    assert_eq!(
        kind(&unbox_ref(|_| TypeDesc::Text, HostValue::None)),
        "TypeError"
    );
    assert_eq!(
        kind(&unbox_ref(ints, List(vec![Int(1), host_text("x")]))),
        "TypeError"
    );
    assert_eq!(kind(&unbox_ref(|_| TypeDesc::Text, Int(1))), "TypeError");
    let trap = unbox_ref(ints, List(vec![Int(1), host_text("x")])).expect_err("a type error");
    assert_eq!(
        trap.message,
        "expected [int], found list whose element 1 is text"
    );
}

#[test]
fn type_tests_and_truth() {
    let is = |desc: TypeDesc, value: HostValue| {
        let (program, func) = one(&[Class::Any], Some(Class::Bool), |mb, b| {
            let (x, out) = (b.param(0), b.temp(Class::Bool));
            let id = ty(mb, desc);
            emit!(b, IsTypeAny, out, x, id);
            emit!(b, RetBool, out);
        });
        call(&program, func, &[value])
    };
    assert_eq!(is(TypeDesc::Int, Int(1)), Ok(Bool(true)));
    assert_eq!(is(TypeDesc::Float, Int(1)), Ok(Bool(false)));
    assert_eq!(is(TypeDesc::None, HostValue::None), Ok(Bool(true)));
    assert_eq!(is(TypeDesc::Text, host_text("")), Ok(Bool(true)));
    assert_eq!(is(TypeDesc::Time, Int(1)), Ok(Bool(false)));
    let truthy = |value: HostValue| unary(Op::TruthyAny, Class::Any, Class::Bool, value);
    for falsy in [
        HostValue::None,
        Bool(false),
        Int(0),
        Float(0.0),
        host_text(""),
        List(vec![]),
        Map(vec![]),
    ] {
        assert_eq!(truthy(falsy.clone()), Ok(Bool(false)), "{falsy:?}");
    }
    for value in [
        Bool(true),
        Int(-1),
        Float(f64::NAN),
        host_text("0"),
        List(vec![HostValue::None]),
        Time(0),
    ] {
        assert_eq!(truthy(value.clone()), Ok(Bool(true)), "{value:?}");
    }
    assert_eq!(
        unary(Op::TruthyI64, Class::I64, Class::Bool, Int(0)),
        Ok(Bool(false))
    );
    assert_eq!(
        unary(Op::TruthyF64, Class::F64, Class::Bool, Float(f64::NAN)),
        Ok(Bool(true))
    );
    assert_eq!(
        unary(Op::IsNoneAny, Class::Any, Class::Bool, HostValue::None),
        Ok(Bool(true))
    );
    assert_eq!(
        unary(Op::IsNoneRef, Class::Ref, Class::Bool, host_text("")),
        Ok(Bool(false))
    );
    assert_eq!(
        unary(Op::TruthyRef, Class::Ref, Class::Bool, host_text("x")),
        Ok(Bool(true))
    );
    assert_eq!(
        unary(Op::IntToFloat, Class::I64, Class::F64, Int(3)),
        Ok(Float(3.0))
    );
}

#[test]
fn text_of_values() {
    let to_text = |value: HostValue| match unary(Op::TextAny, Class::Any, Class::Ref, value) {
        Ok(Text(text)) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(to_text(Int(i64::MIN)), "-9223372036854775808");
    assert_eq!(to_text(Float(3.0)), "3.0");
    assert_eq!(to_text(HostValue::None), "none");
    assert_eq!(to_text(Bool(true)), "true");
    assert_eq!(to_text(Time(0)), "1970-01-01T00:00:00.000Z");
    assert_eq!(to_text(Duration(61_000)), "1m 1s");
    assert_eq!(
        to_text(List(vec![Int(1), host_text("a\"b"), Float(0.5)])),
        "[1, \"a\\\"b\", 0.5]"
    );
    assert_eq!(
        to_text(Map(vec![
            ("a".into(), Int(1)),
            ("b c".into(), List(vec![]))
        ])),
        "{ a: 1, \"b c\": [] }"
    );
    assert_eq!(to_text(Map(vec![])), "{}");
    assert_eq!(
        to_text(HostValue::Tuple(vec![Int(1), host_text("x")])),
        "(1, \"x\")"
    );
    assert_eq!(
        unary(Op::TextI64, Class::I64, Class::Ref, Int(-7)),
        Ok(host_text("-7"))
    );
    assert_eq!(
        unary(Op::TextF64, Class::F64, Class::Ref, Float(1e21)),
        Ok(host_text("1e+21"))
    );
    assert_eq!(
        unary(Op::TextBool, Class::Bool, Class::Ref, Bool(false)),
        Ok(host_text("false"))
    );
    assert_eq!(
        unary(Op::TextTime, Class::I64, Class::Ref, Int(0)),
        Ok(host_text("1970-01-01T00:00:00.000Z"))
    );
    assert_eq!(
        unary(Op::TextDuration, Class::I64, Class::Ref, Int(0)),
        Ok(host_text("0ms"))
    );
    assert_eq!(
        unary(Op::TextRef, Class::Ref, Class::Ref, host_text("same")),
        Ok(host_text("same"))
    );
}

#[test]
fn concatenation_shares_and_never_changes_old_texts() {
    // x grows past the buffer threshold; y and z are both made from the same prefix.
    let out = eval(Class::Ref, |mb, b| {
        let (i, n) = (int(b, 0), int(b, 100));
        let x = text(mb, b, "");
        let (piece, y, z, list) = (
            text(mb, b, "äb"),
            b.temp(Class::Ref),
            b.temp(Class::Ref),
            b.temp(Class::Ref),
        );
        let head = b.label_here();
        emit!(b, Concat, x, x, piece);
        emit!(b, ForNext, i, n, head);
        let (one, two) = (text(mb, b, "1"), text(mb, b, "2"));
        emit!(b, Concat, y, x, one);
        emit!(b, Concat, z, x, two);
        emit!(b, ListNew, list, Class::Ref, 0);
        for reg in [x, y, z] {
            emit!(b, ListPushRef, list, reg);
        }
        emit!(b, RetRef, list);
    });
    let x = "äb".repeat(100);
    assert_eq!(
        out,
        Ok(List(vec![
            host_text(&x),
            host_text(&format!("{x}1")),
            host_text(&format!("{x}2"))
        ]))
    );
    let joined = eval(Class::Ref, |mb, b| {
        let run = refs(b, &[Class::Ref, Class::Ref, Class::Ref]);
        let out = b.temp(Class::Ref);
        for (at, piece) in ["a", "", "ç"].iter().enumerate() {
            emit!(b, ConstText, Reg(run.0 + at as u16), mb.const_text(piece));
        }
        emit!(b, ConcatN, out, run, 3);
        emit!(b, RetRef, out);
    });
    assert_eq!(joined, Ok(host_text("aç")));
    let wrong = eval(Class::Ref, |mb, b| {
        let (x, list) = (text(mb, b, "a"), b.temp(Class::Ref));
        emit!(b, ListNew, list, Class::Ref, 0);
        emit!(b, Concat, x, x, list);
        emit!(b, RetRef, x);
    });
    assert_eq!(kind(&wrong), "TypeError");
}

#[test]
fn text_positions_count_scalar_values() {
    let at = |value: &str, index: i64| {
        let (program, func) = one(&[Class::Ref, Class::I64], Some(Class::Ref), |_, b| {
            let out = b.temp(Class::Ref);
            let (x, i) = (b.param(0), b.param(1));
            emit!(b, TextIndex, out, x, i);
            emit!(b, RetRef, out);
        });
        call(&program, func, &[host_text(value), Int(index)])
    };
    assert_eq!(at("äöü", 1), Ok(host_text("ö")));
    assert_eq!(at("äöü", -1), Ok(host_text("ü")));
    assert_eq!(at("abc", -3), Ok(host_text("a")));
    assert_eq!(kind(&at("abc", 3)), "IndexOutOfBounds");
    assert_eq!(kind(&at("äöü", -4)), "IndexOutOfBounds");
    assert_eq!(
        unary(Op::TextLen, Class::Ref, Class::I64, host_text("äöü")),
        Ok(Int(3))
    );
    assert_eq!(
        kind(&unary(Op::TextLen, Class::Ref, Class::I64, List(vec![]))),
        "TypeError"
    );
}
