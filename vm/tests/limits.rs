//! Limits: call depth, fuel, memory; that the collector really runs and keeps what is live.

mod support;

use std::sync::Arc;

use flin_bytecode::{Class, FuncId, FunctionBuilder, ModuleBuilder};
use flin_vm::HostValue::{Int, List};
use flin_vm::{ErrorKind, HostValue, Limits, Program, Vm};
use support::*;

/// f(n) = n == 0 ? 0 : 1 + f(n - 1), and main that catches what f raises and gives its kind.
fn recursive() -> (Arc<Program>, FuncId, FuncId) {
    let mut mb = ModuleBuilder::new("t.flin");
    let sig = signature(&[Class::I64], Some(Class::I64));
    let f = mb.declare_function("f", sig.clone());
    let mut b = FunctionBuilder::new("f", sig.clone());
    let (n, zero, end) = (b.param(0), int(&mut b, 0), b.label());
    emit!(b, JumpEqI64, n, zero, end);
    let w = b.window(&sig);
    let result = w.result.expect("a result");
    emit!(b, AddImmI64, w.args[0], n, -1);
    emit!(b, Call, w.scalar, w.reference, f);
    emit!(b, AddImmI64, result, result, 1);
    emit!(b, RetI64, result);
    b.bind(end);
    emit!(b, RetI64, zero);
    mb.set_function(f, b.finish().expect("fits"));
    let main = add(&mut mb, "main", &[Class::I64], Some(Class::Any), |mb, b| {
        let (n, error, any, out) = (
            b.param(0),
            b.temp(Class::Ref),
            b.temp(Class::Any),
            b.temp(Class::Any),
        );
        let [end, target] = [b.label(), b.label()];
        let start = b.label_here();
        let w = b.window(&sig);
        emit!(b, MovI64, w.args[0], n);
        emit!(b, Call, w.scalar, w.reference, f);
        b.bind(end);
        emit!(b, BoxInt, out, w.result.expect("a result"));
        emit!(b, RetAny, out);
        b.bind(target);
        b.protect(start, end, target, error);
        emit!(b, BoxRef, any, error);
        emit!(b, FieldGetAny, out, any, mb.const_text("kind"));
        emit!(b, RetAny, out);
    });
    (load(mb), f, main)
}

#[test]
fn call_depth_is_limited_and_the_error_can_be_caught() {
    let (program, f, main) = recursive();
    assert_eq!(call(&program, f, &[Int(511)]), Ok(Int(511)));
    let trap = call(&program, f, &[Int(512)]).expect_err("too deep");
    assert_eq!(trap.kind, ErrorKind::StackOverflow);
    assert_eq!(
        call(&program, main, &[Int(100_000)]),
        Ok(host_text("StackOverflow"))
    );
    let mut vm = Vm::new(program, Limits::script());
    let mut host = ModelHost::default();
    assert_eq!(vm.call(&mut host, f, &[Int(9_999)]), Ok(Int(9_999)));
    assert!(vm.call(&mut host, f, &[Int(10_000)]).is_err());
    // The machine is whole afterwards.
    assert_eq!(vm.call(&mut host, f, &[Int(5)]), Ok(Int(5)));
}

fn endless(with_catch: bool) -> (Arc<Program>, FuncId) {
    one(&[], None, |_, b| {
        let error = b.temp(Class::Ref);
        let (end, target) = (b.label(), b.label());
        b.at(3, 1);
        let head = b.label_here();
        emit!(b, Jump, head);
        b.bind(end);
        b.bind(target);
        if with_catch {
            b.protect(head, end, target, error);
        }
        emit!(b, Ret);
    })
}

#[test]
fn an_endless_loop_is_stopped_and_nothing_catches_it() {
    for with_catch in [false, true] {
        let (program, func) = endless(with_catch);
        let mut host = ModelHost {
            slices_max: 10,
            ..ModelHost::default()
        };
        let mut vm = Vm::new(program, Limits::request());
        let trap = vm.call(&mut host, func, &[]).expect_err("stopped");
        assert_eq!((trap.kind, trap.at.line), (ErrorKind::TimeLimitExceeded, 3));
        assert_eq!(host.slices, 10);
        assert_eq!(vm.counts().instructions, 10 * 1021);
    }
}

/// Makes lists of 1,000 ints: keeps them all, or only the newest.
fn lists(keep: bool) -> (Arc<Program>, FuncId) {
    one(&[Class::I64], Some(Class::I64), |_, b| {
        let (n, i, inner) = (b.param(0), int(b, 0), b.temp(Class::I64));
        let (all, list, thousand, len) = (
            b.temp(Class::Ref),
            b.temp(Class::Ref),
            int(b, 1000),
            b.temp(Class::I64),
        );
        emit!(b, ListNew, all, Class::Ref, 0);
        let head = b.label_here();
        emit!(b, ListNew, list, Class::I64, 0);
        emit!(b, ConstI64, inner, 0);
        let fill = b.label_here();
        emit!(b, ListPushI64, list, inner);
        emit!(b, ForNext, inner, thousand, fill);
        if keep {
            emit!(b, ListPushRef, all, list);
        }
        emit!(b, ForNext, i, n, head);
        emit!(b, ListLen, len, list);
        emit!(b, RetI64, len);
    })
}

#[test]
fn memory_is_limited_and_garbage_is_collected() {
    let limits = Limits {
        memory_bytes: 4 << 20,
        ..Limits::request()
    };
    let mut host = ModelHost::default();
    let (program, func) = lists(true);
    let mut vm = Vm::new(program, limits.clone());
    let trap = vm
        .call(&mut host, func, &[Int(5_000)])
        .expect_err("40 MB of live lists");
    assert_eq!(trap.kind, ErrorKind::MemoryLimitExceeded);
    assert_eq!(
        trap.message,
        "this run may use 4 MiB of memory, and that is used up"
    );
    assert_eq!(
        vm.call(&mut host, func, &[Int(100)]),
        Ok(Int(1000)),
        "usable afterwards"
    );
    let (program, func) = lists(false);
    let mut vm = Vm::new(program, limits);
    assert_eq!(vm.call(&mut host, func, &[Int(5_000)]), Ok(Int(1000)));
    let counts = vm.counts();
    assert!(counts.collections > 5, "{counts:?}");
    assert!(counts.allocated_bytes > 40_000_000, "{counts:?}");
}

#[test]
fn a_text_that_doubles_hits_the_limit_and_can_be_caught() {
    let (program, func) = one(&[], Some(Class::Any), |mb, b| {
        let (x, error, any, out) = (
            text(mb, b, "0123456789abcdef"),
            b.temp(Class::Ref),
            b.temp(Class::Any),
            b.temp(Class::Any),
        );
        let (end, target) = (b.label(), b.label());
        let head = b.label_here();
        emit!(b, Concat, x, x, x);
        emit!(b, Jump, head);
        b.bind(end);
        b.bind(target);
        b.protect(head, end, target, error);
        emit!(b, BoxRef, any, error);
        emit!(b, FieldGetAny, out, any, mb.const_text("kind"));
        emit!(b, RetAny, out);
    });
    let mut vm = Vm::new(
        program,
        Limits {
            memory_bytes: 1 << 20,
            ..Limits::request()
        },
    );
    let result = vm.call(&mut ModelHost::default(), func, &[]);
    assert_eq!(result, Ok(host_text("MemoryLimitExceeded")));
}

#[test]
fn an_error_can_always_be_made() {
    let mut mb = ModuleBuilder::new("t.flin");
    let main = add(&mut mb, "main", &[Class::Ref], None, |mb, b| {
        let (message, kind) = (b.param(0), b.temp(Class::Ref));
        emit!(b, ConstText, kind, mb.const_text("Full"));
        emit!(b, Fail, kind, message);
    });
    let program = load(mb);
    let limits = Limits {
        memory_bytes: 100_000,
        ..Limits::request()
    };
    // The message is there once already; its copy in the error reaches the end of the reserve somewhere in between.
    for bytes in (80_000..85_000).step_by(8) {
        let mut vm = Vm::new(program.clone(), limits.clone());
        let message = host_text(&"m".repeat(bytes));
        let trap = vm.call(&mut ModelHost::default(), main, &[message]);
        let trap = trap.expect_err("it fails");
        assert_eq!(trap.kind.name(), "Full");
        assert!(trap.message.starts_with("mmm"), "{bytes}");
    }
}

#[test]
fn markup_counts_as_memory() {
    let (program, func) = one(&[], None, |mb, b| {
        let head = b.label_here();
        emit!(b, ViewRaw, mb.const_text(&"x".repeat(1000)));
        emit!(b, Jump, head);
    });
    let mut vm = Vm::new(
        program,
        Limits {
            memory_bytes: 1 << 20,
            ..Limits::request()
        },
    );
    let trap = vm
        .call(&mut ModelHost::default(), func, &[])
        .expect_err("too much markup");
    assert_eq!(trap.kind, ErrorKind::MemoryLimitExceeded);
}

#[test]
fn the_test_mode_collects_at_every_allocation() {
    let (program, func) = lists(true);
    let mut vm = Vm::new(program, limits(true));
    assert_eq!(
        vm.call(&mut ModelHost::default(), func, &[Int(3)]),
        Ok(Int(1000))
    );
    assert!(vm.counts().collections > 3_000, "{:?}", vm.counts());
}

#[test]
fn dynamic_data_survives_collections() {
    // Nested maps and lists made from outside values, kept in a global, while garbage is made.
    let (program, func) = one(&[Class::Any, Class::I64], Some(Class::Any), |mb, b| {
        let (value, n, i) = (b.param(0), b.param(1), int(b, 0));
        let (x, tail) = (b.temp(Class::Ref), text(mb, b, "garbage "));
        let head = b.label_here();
        emit!(b, TextAny, x, value);
        emit!(b, Concat, x, x, tail);
        emit!(b, ForNext, i, n, head);
        emit!(b, RetAny, value);
    });
    let entry = |k: &str, v: HostValue| (k.to_owned(), v);
    let value = List(vec![
        HostValue::Map(
            (0..20)
                .map(|n| entry(&format!("key{n}"), HostValue::Float(1e300)))
                .collect(),
        ),
        HostValue::Tuple(vec![host_text("t"), HostValue::Time(4)]),
        Int(i64::MIN),
    ]);
    assert_eq!(call(&program, func, &[value.clone(), Int(50)]), Ok(value));
}

#[test]
fn running_out_of_calls_while_the_stacks_grow_leaves_the_caller_whole() {
    // Frames of 60 texts, so that the stacks grow at a depth near the limits tried; once by direct calls, once by calls
    // of an unlike signature, whose arguments are rewritten first.
    for unlike in [false, true] {
        let (program, main) = wide_recursion(unlike);
        for call_depth in 60..80 {
            let mut vm = Vm::new(
                program.clone(),
                Limits {
                    call_depth,
                    ..limits(call_depth % 5 == 0)
                },
            );
            let result = vm.call(&mut ModelHost::default(), main, &[]);
            assert_eq!(result, Ok(host_text("keptStackOverflow")), "{call_depth}");
        }
    }
}

/// wide(self, x) calls itself for ever through its closure; main catches and joins its own text with the error's kind.
fn wide_recursion(unlike: bool) -> (Arc<Program>, FuncId) {
    let mut mb = ModuleBuilder::new("t.flin");
    let own = signature(&[Class::Ref, Class::Ref], Some(Class::Ref));
    let used = if unlike {
        signature(&[Class::Any, Class::Any], Some(Class::Any))
    } else {
        own.clone()
    };
    let sig = mb.signature(used.clone());
    let call_closure = |b: &mut FunctionBuilder, closure, x| {
        let w = b.closure_window(&used);
        emit!(b, MovRef, w.closure.expect("a closure"), closure);
        for (arg, from) in w.args.iter().zip([closure, x]) {
            if unlike {
                emit!(b, BoxRef, *arg, from);
            } else {
                emit!(b, MovRef, *arg, from);
            }
        }
        emit!(b, CallClosure, w.scalar, w.reference, sig);
    };
    let mut b = FunctionBuilder::closure("wide", own.clone(), Vec::new());
    let (closure, x) = (b.param(0), b.param(1));
    for _ in 0..60 {
        let local = b.local(Class::Ref);
        emit!(b, MovRef, local, x);
    }
    call_closure(&mut b, closure, x);
    emit!(b, RetRef, x);
    let function = b.finish().expect("fits");
    let wide = mb.function(function);
    let main = add(&mut mb, "main", &[], Some(Class::Ref), |mb, b| {
        let (closure, kept) = (b.temp(Class::Ref), text(mb, b, "kept"));
        let (error, any, kind, out) = (
            b.temp(Class::Ref),
            b.temp(Class::Any),
            b.temp(Class::Any),
            b.temp(Class::Ref),
        );
        emit!(b, ClosureNew, closure, wide);
        let (end, target) = (b.label(), b.label());
        let start = b.label_here();
        let mark = b.mark();
        call_closure(b, closure, kept);
        b.release(mark);
        b.bind(end);
        emit!(b, RetRef, kept);
        b.bind(target);
        b.protect(start, end, target, error);
        emit!(b, BoxRef, any, error);
        emit!(b, FieldGetAny, kind, any, mb.const_text("kind"));
        emit!(b, TextAny, out, kind);
        emit!(b, Concat, out, kept, out);
        emit!(b, RetRef, out);
    });
    (load(mb), main)
}
