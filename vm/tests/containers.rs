//! The data family, second part: lists, records, maps, access by run-time type, cells, globals, far registers.

mod support;

use flin_bytecode::{Class, FunctionBuilder, Global, ModuleBuilder, Op, Reg, Shape, TypeDesc};
use flin_vm::HostValue::{Bool, Float, Int, List, Map, Time};
use flin_vm::{HostValue, Trap, Vm};
use support::*;

/// Builds a list of `class` from three values, sets position 1 (from the end: -2), reads it back and returns all.
fn list_round(class: Class, values: [HostValue; 3], set: HostValue) -> Result<HostValue, Trap> {
    let (program, func) = one(&[class, class, class, class], Some(Class::Ref), |_, b| {
        let list = b.temp(Class::Ref);
        let (i, last) = (int(b, -2), int(b, 2));
        let got = b.temp(class);
        let len = b.temp(Class::I64);
        emit!(b, ListNew, list, class, 1);
        let (push, set, get) = match class {
            Class::I64 => (Op::ListPushI64, Op::ListSetI64, Op::ListGetI64),
            Class::F64 => (Op::ListPushF64, Op::ListSetF64, Op::ListGetF64),
            Class::Bool => (Op::ListPushBool, Op::ListSetBool, Op::ListGetBool),
            Class::Ref => (Op::ListPushRef, Op::ListSetRef, Op::ListGetRef),
            Class::Any => (Op::ListPushAny, Op::ListSetAny, Op::ListGetAny),
        };
        for n in 0..3 {
            let value = b.param(n);
            b.emit(push, &[list.into(), value.into()]);
        }
        let value = b.param(3);
        b.emit(set, &[value.into(), list.into(), i.into()]);
        b.emit(get, &[got.into(), list.into(), last.into()]);
        b.emit(push, &[list.into(), got.into()]);
        emit!(b, ListLen, len, list);
        emit!(b, AddImmI64, len, len, -4);
        let end = b.label();
        emit!(b, JumpEqI64, len, len, end);
        b.bind(end);
        emit!(b, RetRef, list);
    });
    let [a, b, c] = values;
    call(&program, func, &[a, b, c, set])
}

#[test]
fn lists_of_every_class() {
    let check = |class: Class, values: [HostValue; 3], set: HostValue| {
        let [a, _, c] = values.clone();
        let expected = List(vec![a, set.clone(), c.clone(), c]);
        assert_eq!(list_round(class, values, set), Ok(expected), "{class}");
    };
    check(Class::I64, [Int(1), Int(2), Int(i64::MIN)], Int(9));
    check(
        Class::F64,
        [Float(1.0), Float(2.0), Float(1e300)],
        Float(-0.5),
    );
    check(
        Class::Bool,
        [Bool(true), Bool(false), Bool(true)],
        Bool(true),
    );
    check(
        Class::Ref,
        [host_text("a"), host_text("b"), host_text("c")],
        host_text("x"),
    );
    check(
        Class::Any,
        [Int(1), host_text("b"), HostValue::None],
        Float(2.5),
    );
}

#[test]
fn list_positions_and_classes_are_checked() {
    let get = |op: Op, class: Class, list: HostValue, index: i64| {
        let (program, func) = one(&[Class::Ref, Class::I64], Some(class), |_, b| {
            let out = b.temp(class);
            let (list, i) = (b.param(0), b.param(1));
            b.emit(op, &[out.into(), list.into(), i.into()]);
            ret(b, class, out);
        });
        call(&program, func, &[list, Int(index)])
    };
    let ints = || List(vec![Int(1), Int(2)]);
    assert_eq!(get(Op::ListGetI64, Class::I64, ints(), -1), Ok(Int(2)));
    assert_eq!(get(Op::ListGetAny, Class::Any, ints(), 0), Ok(Int(1)));
    assert_eq!(get(Op::ListGetF64, Class::F64, ints(), 0), Ok(Float(1.0)));
    assert_eq!(
        kind(&get(Op::ListGetI64, Class::I64, ints(), 2)),
        "IndexOutOfBounds"
    );
    assert_eq!(
        kind(&get(Op::ListGetI64, Class::I64, ints(), -3)),
        "IndexOutOfBounds"
    );
    assert_eq!(
        kind(&get(Op::ListGetI64, Class::I64, ints(), i64::MIN)),
        "IndexOutOfBounds"
    );
    assert_eq!(
        kind(&get(Op::ListGetRef, Class::Ref, ints(), 0)),
        "TypeError"
    );
    assert_eq!(
        kind(&get(Op::ListGetI64, Class::I64, host_text("x"), 0)),
        "TypeError"
    );
    assert_eq!(
        kind(&get(Op::ListGetI64, Class::I64, HostValue::None, 0)),
        "TypeError"
    );
    let message = get(Op::ListGetI64, Class::I64, ints(), 5)
        .expect_err("out of bounds")
        .message;
    assert_eq!(message, "there is no position 5: the list has 2 elements");
}

#[test]
fn a_list_takes_the_class_it_needs() {
    let pushed = |list: HostValue, value: HostValue| {
        let (program, func) = one(&[Class::Ref, Class::Any], Some(Class::Ref), |_, b| {
            let (list, x) = (b.param(0), b.param(1));
            emit!(b, ListPushAny, list, x);
            emit!(b, ListPushAny, list, x);
            emit!(b, RetRef, list);
        });
        call(&program, func, &[list, value])
    };
    assert_eq!(
        pushed(List(vec![Int(1)]), host_text("a")),
        Ok(List(vec![Int(1), host_text("a"), host_text("a")]))
    );
    assert_eq!(
        pushed(List(vec![Bool(true)]), Int(1)),
        Ok(List(vec![Bool(true), Int(1), Int(1)]))
    );
    assert_eq!(
        pushed(List(vec![Float(1.5)]), Int(1)),
        Ok(List(vec![Float(1.5), Int(1), Int(1)]))
    );
    assert_eq!(pushed(List(vec![]), Int(1)), Ok(List(vec![Int(1), Int(1)])));
    assert_eq!(kind(&pushed(HostValue::None, Int(1))), "TypeError");
}

fn point(mb: &mut ModuleBuilder) -> flin_bytecode::ShapeId {
    let fields = [
        ("x", Class::I64),
        ("y", Class::F64),
        ("ok", Class::Bool),
        ("name", Class::Ref),
        ("more", Class::Any),
    ];
    let fields = fields
        .iter()
        .map(|(name, class)| (mb.const_text(name), *class))
        .collect();
    mb.shape(Shape { fields })
}

/// Writes all slots of a record, lets `between` work on it, then reads all slots through typed access into a list.
fn record_round(
    between: fn(&mut ModuleBuilder, &mut FunctionBuilder, Reg),
) -> Result<HostValue, Trap> {
    eval(Class::Ref, |mb, b| {
        let shape = point(mb);
        let (record, list, name) = (b.temp(Class::Ref), b.temp(Class::Ref), text(mb, b, "n"));
        let (i, f, t, any) = (
            int(b, 4),
            float(mb, b, 0.5),
            b.temp(Class::Bool),
            b.temp(Class::Any),
        );
        emit!(b, RecordNew, record, shape);
        emit!(b, ConstBool, t, true);
        emit!(b, NoneAny, any);
        emit!(b, RecordSetI64, i, record, 0, shape);
        emit!(b, RecordSetF64, f, record, 1, shape);
        emit!(b, RecordSetBool, t, record, 2, shape);
        emit!(b, RecordSetRef, name, record, 3, shape);
        emit!(b, RecordSetAny, any, record, 4, shape);
        between(mb, b, record);
        emit!(b, RecordGetI64, i, record, 0, shape);
        emit!(b, RecordGetF64, f, record, 1, shape);
        emit!(b, RecordGetBool, t, record, 2, shape);
        emit!(b, RecordGetRef, name, record, 3, shape);
        emit!(b, RecordGetAny, any, record, 4, shape);
        emit!(b, ListNew, list, Class::Any, 0);
        let word = b.temp(Class::Any);
        emit!(b, BoxInt, word, i);
        emit!(b, ListPushAny, list, word);
        emit!(b, BoxFloat, word, f);
        emit!(b, ListPushAny, list, word);
        emit!(b, BoxBool, word, t);
        emit!(b, ListPushAny, list, word);
        emit!(b, ListPushRef, list, name);
        emit!(b, ListPushAny, list, any);
        emit!(b, ListPushRef, list, record);
        emit!(b, RetRef, list);
    })
}

#[test]
fn records_have_fixed_slots_until_a_name_is_unknown() {
    let entry = |name: &str, value: HostValue| (name.to_owned(), value);
    let plain = [
        entry("x", Int(4)),
        entry("y", Float(0.5)),
        entry("ok", Bool(true)),
        entry("name", host_text("n")),
        entry("more", HostValue::None),
    ];
    let values = |map: Vec<(String, HostValue)>| {
        let mut all: Vec<HostValue> = plain.iter().map(|(_, value)| value.clone()).collect();
        all.push(Map(map));
        Ok(List(all))
    };
    assert_eq!(record_round(|_, _, _| {}), values(plain.to_vec()));
    // An unknown key turns the record into a dictionary in place; typed access still works, order is kept.
    let grown = record_round(|mb, b, record| {
        let value = b.temp(Class::Any);
        emit!(b, NoneAny, value);
        emit!(b, MapSetName, value, record, mb.const_text("extra"));
    });
    let mut with_extra = plain.to_vec();
    with_extra.push(entry("extra", HostValue::None));
    assert_eq!(grown, values(with_extra));
    // A value that does not fit the slot: the typed read then says so.
    let wrong = record_round(|mb, b, record| {
        let (value, x) = (b.temp(Class::Any), text(mb, b, "no int"));
        emit!(b, BoxRef, value, x);
        emit!(b, MapSetName, value, record, mb.const_text("x"));
    });
    assert_eq!(kind(&wrong), "TypeError");
    assert_eq!(
        wrong.expect_err("a type error").message,
        "x should be int, but it is text"
    );
}

#[test]
fn typed_access_to_what_is_no_map_is_an_error() {
    let out = eval(Class::I64, |mb, b| {
        let shape = point(mb);
        let (x, i) = (text(mb, b, "x"), b.temp(Class::I64));
        emit!(b, RecordGetI64, i, x, 0, shape);
        emit!(b, RetI64, i);
    });
    assert_eq!(kind(&out), "TypeError");
}

#[test]
fn maps_keep_insertion_order_and_grow() {
    let (program, func) = one(&[Class::I64], Some(Class::Ref), |_, b| {
        let (n, map) = (b.param(0), b.temp(Class::Ref));
        let (key, square, i) = (b.temp(Class::Any), b.temp(Class::Any), int(b, 0));
        let s = b.temp(Class::I64);
        emit!(b, MapNew, map, 0);
        let head = b.label_here();
        emit!(b, MulI64, s, i, i);
        emit!(b, BoxInt, square, s);
        emit!(b, BoxInt, key, i);
        emit!(b, MapSet, square, map, key);
        emit!(b, MapSet, square, map, key);
        emit!(b, ForNext, i, n, head);
        emit!(b, RetRef, map);
    });
    let expected = |n: i64| Map((0..n).map(|i| (i.to_string(), Int(i * i))).collect());
    for n in [1, 7, 8, 9, 100, 3000] {
        assert_eq!(call(&program, func, &[Int(n)]), Ok(expected(n)));
    }
}

#[test]
fn map_keys_compare_like_values() {
    let get = |map: HostValue, key: HostValue| {
        let (program, func) = one(&[Class::Ref, Class::Any], Some(Class::Any), |_, b| {
            let (map, key, out) = (b.param(0), b.param(1), b.temp(Class::Any));
            emit!(b, MapGet, out, map, key);
            emit!(b, RetAny, out);
        });
        call(&program, func, &[map, key])
    };
    let map = || Map(vec![("a".into(), Int(1)), ("b".into(), Int(2))]);
    assert_eq!(get(map(), host_text("b")), Ok(Int(2)));
    assert_eq!(get(map(), host_text("c")), Ok(HostValue::None));
    assert_eq!(get(map(), Int(1)), Ok(HostValue::None));
    assert_eq!(kind(&get(map(), List(vec![]))), "TypeError");
    assert_eq!(kind(&get(List(vec![]), Int(1))), "TypeError");
    // An int and the float of the same value are one key.
    let (program, func) = one(&[Class::Any, Class::Any], Some(Class::Any), |_, b| {
        let (map, out) = (b.temp(Class::Ref), b.temp(Class::Any));
        let (put, look) = (b.param(0), b.param(1));
        emit!(b, MapNew, map, 0);
        emit!(b, MapSet, put, map, put);
        emit!(b, MapGet, out, map, look);
        emit!(b, RetAny, out);
    });
    assert_eq!(call(&program, func, &[Int(3), Float(3.0)]), Ok(Int(3)));
    assert_eq!(
        call(&program, func, &[Float(0.5), Float(0.5)]),
        Ok(Float(0.5))
    );
    assert_eq!(
        call(&program, func, &[Time(3), Int(3)]),
        Ok(HostValue::None)
    );
    assert_eq!(
        call(&program, func, &[Bool(true), Bool(true)]),
        Ok(Bool(true))
    );
}

#[test]
fn access_by_run_time_type() {
    let index = |base: HostValue, key: HostValue| {
        let (program, func) = one(&[Class::Any, Class::Any], Some(Class::Any), |_, b| {
            let (base, key, out) = (b.param(0), b.param(1), b.temp(Class::Any));
            emit!(b, IndexGetAny, out, base, key);
            emit!(b, RetAny, out);
        });
        call(&program, func, &[base, key])
    };
    assert_eq!(index(List(vec![Int(1), Int(2)]), Int(-1)), Ok(Int(2)));
    assert_eq!(
        index(Map(vec![("k".into(), Int(1))]), host_text("k")),
        Ok(Int(1))
    );
    assert_eq!(index(host_text("añb"), Int(1)), Ok(host_text("ñ")));
    assert_eq!(index(HostValue::Tuple(vec![Int(5)]), Int(0)), Ok(Int(5)));
    assert_eq!(
        kind(&index(HostValue::Tuple(vec![Int(5)]), Int(1))),
        "IndexOutOfBounds"
    );
    assert_eq!(kind(&index(List(vec![]), Int(0))), "IndexOutOfBounds");
    assert_eq!(kind(&index(List(vec![]), host_text("x"))), "TypeError");
    assert_eq!(kind(&index(Int(1), Int(0))), "TypeError");

    let set = |base: HostValue, key: HostValue, value: HostValue| {
        let (program, func) = one(
            &[Class::Any, Class::Any, Class::Any],
            Some(Class::Any),
            |_, b| {
                let (base, key, value) = (b.param(0), b.param(1), b.param(2));
                emit!(b, IndexSetAny, value, base, key);
                emit!(b, RetAny, base);
            },
        );
        call(&program, func, &[base, key, value])
    };
    assert_eq!(
        set(List(vec![Int(1)]), Int(0), host_text("x")),
        Ok(List(vec![host_text("x")]))
    );
    assert_eq!(
        set(Map(vec![]), host_text("a"), Int(1)),
        Ok(Map(vec![("a".into(), Int(1))]))
    );
    assert_eq!(
        kind(&set(host_text("a"), Int(0), host_text("b"))),
        "TypeError"
    );

    let field = |base: HostValue| {
        let (program, func) = one(&[Class::Any], Some(Class::Any), |mb, b| {
            let (base, out) = (b.param(0), b.temp(Class::Any));
            emit!(b, FieldSetAny, base, base, mb.const_text("me"));
            emit!(b, FieldGetAny, out, base, mb.const_text("k"));
            emit!(b, RetAny, out);
        });
        call(&program, func, &[base])
    };
    assert_eq!(field(Map(vec![("k".into(), Int(1))])), Ok(Int(1)));
    assert_eq!(kind(&field(Int(1))), "TypeError");
    let by_name = eval(Class::Any, |mb, b| {
        let (map, out) = (b.temp(Class::Ref), b.temp(Class::Any));
        emit!(b, MapNew, map, 3);
        emit!(b, NoneAny, out);
        emit!(b, MapSetName, out, map, mb.const_text("a"));
        emit!(b, MapGetName, out, map, mb.const_text("zz"));
        emit!(b, RetAny, out);
    });
    assert_eq!(by_name, Ok(HostValue::None));
}

#[test]
fn cells_of_every_class() {
    let cell = |new: Op, get: Op, set: Op, class: Class, first: HostValue, second: HostValue| {
        let (program, func) = one(&[class, class], Some(class), |_, b| {
            let (cell, out) = (b.temp(Class::Ref), b.temp(class));
            let (first, second) = (b.param(0), b.param(1));
            b.emit(new, &[cell.into(), first.into()]);
            b.emit(get, &[out.into(), cell.into()]);
            b.emit(set, &[second.into(), cell.into()]);
            b.emit(get, &[out.into(), cell.into()]);
            ret(b, class, out);
        });
        assert_eq!(call(&program, func, &[first, second.clone()]), Ok(second));
    };
    cell(
        Op::CellNewI64,
        Op::CellGetI64,
        Op::CellSetI64,
        Class::I64,
        Int(1),
        Int(2),
    );
    cell(
        Op::CellNewF64,
        Op::CellGetF64,
        Op::CellSetF64,
        Class::F64,
        Float(1.0),
        Float(2.0),
    );
    cell(
        Op::CellNewBool,
        Op::CellGetBool,
        Op::CellSetBool,
        Class::Bool,
        Bool(false),
        Bool(true),
    );
    cell(
        Op::CellNewRef,
        Op::CellGetRef,
        Op::CellSetRef,
        Class::Ref,
        host_text("a"),
        host_text("b"),
    );
    cell(
        Op::CellNewAny,
        Op::CellGetAny,
        Op::CellSetAny,
        Class::Any,
        Int(1),
        host_text("b"),
    );
    let wrong = eval(Class::I64, |mb, b| {
        let (cell, x, i) = (b.temp(Class::Ref), text(mb, b, "a"), b.temp(Class::I64));
        emit!(b, CellNewRef, cell, x);
        emit!(b, CellGetI64, i, cell);
        emit!(b, RetI64, i);
    });
    assert_eq!(kind(&wrong), "TypeError");
}

#[test]
fn globals_live_between_calls() {
    let mut mb = ModuleBuilder::new("test.flin");
    let ints = mb.type_desc(TypeDesc::Int);
    let texts = mb.type_desc(TypeDesc::Text);
    let times = mb.type_desc(TypeDesc::Time);
    let count = mb.global(Global {
        name: "count".into(),
        class: Class::I64,
        ty: ints,
    });
    let name = mb.global(Global {
        name: "name".into(),
        class: Class::Ref,
        ty: texts,
    });
    let at = mb.global(Global {
        name: "at".into(),
        class: Class::I64,
        ty: times,
    });
    let func = add(&mut mb, "bump", &[], None, |mb, b| {
        let (i, x, more) = (b.temp(Class::I64), b.temp(Class::Ref), text(mb, b, "!"));
        emit!(b, GlobalGetI64, i, count);
        emit!(b, AddImmI64, i, i, 1);
        emit!(b, GlobalSetI64, i, count);
        emit!(b, GlobalGetRef, x, name);
        emit!(b, Concat, x, x, more);
        emit!(b, GlobalSetRef, x, name);
        emit!(b, Ret);
    });
    let program = load(mb);
    for collect in [false, true] {
        let mut vm = Vm::new(program.clone(), limits(collect));
        let mut host = ModelHost::default();
        vm.set_global(name, &host_text("flin")).expect("a text");
        vm.set_global(at, &Time(5)).expect("a time");
        let refused = vm.set_global(name, &Int(1)).expect_err("no text");
        assert_eq!(refused.message, "expected text, found int");
        assert!(vm.set_global(count, &Float(1.0)).is_err());
        for _ in 0..3 {
            assert_eq!(vm.call(&mut host, func, &[]), Ok(HostValue::None));
        }
        assert_eq!(vm.global(count), Int(3));
        assert_eq!(vm.global(name), host_text("flin!!!"));
        assert_eq!(vm.global(at), Time(5));
    }
}

#[test]
fn far_registers_are_reached_by_wide_moves() {
    // 400 ints and 300 texts held at once, then summed and joined.
    let (program, func) = one(&[Class::I64, Class::Ref], Some(Class::Ref), |_, b| {
        let (step, piece) = (b.param(0), b.param(1));
        let ints: Vec<Reg> = (0..400).map(|_| b.local(Class::I64)).collect();
        let texts: Vec<Reg> = (0..300).map(|_| b.local(Class::Ref)).collect();
        let (sum, all, shown) = (b.temp(Class::I64), b.temp(Class::Ref), b.temp(Class::Ref));
        for (n, reg) in ints.iter().enumerate() {
            emit!(b, AddImmI64, *reg, step, n as i32);
        }
        for reg in &texts {
            emit!(b, Concat, *reg, piece, piece);
        }
        emit!(b, ConstI64, sum, 0);
        for reg in &ints {
            emit!(b, AddI64, sum, sum, *reg);
        }
        emit!(b, TextI64, all, sum);
        for reg in &texts {
            emit!(b, Concat, all, all, *reg);
        }
        emit!(b, MovRef, shown, all);
        emit!(b, RetRef, shown);
    });
    let expected = format!("{}{}", 400 * 2 + (0..400).sum::<i64>(), "ab".repeat(600));
    assert_eq!(
        call(&program, func, &[Int(2), host_text("ab")]),
        Ok(host_text(&expected))
    );
}
