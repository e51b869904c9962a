//! The door between the machine and native code, with a stand-in for compiled code: who calls whom, loops entered in the
//! middle, errors, panics, depth, heat. That a stand-in changes no result of any other test is asserted by `support::call_on`.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flin_bytecode::{Class, FuncId, FunctionBuilder, ModuleBuilder};
use flin_vm::HostValue::{Int, Text};
use flin_vm::native::{HotCompiler, JitOptions, JitPolicy};
use flin_vm::{ErrorKind, HostValue, Limits, Program, Trap, Vm};
use support::double::{self, Double};
use support::*;

/// sum(n): adds 1 to n in a loop, prints "late" at turn 5000, and overflows at turn `bad`.
fn looping() -> (Arc<Program>, FuncId) {
    one(&[Class::I64, Class::I64], Some(Class::I64), |mb, b| {
        let (n, bad) = (b.param(0), b.param(1));
        let (i, sum) = (int(b, 0), int(b, 0));
        let late = text(mb, b, "late");
        let (at, most) = (int(b, 5000), b.temp(Class::I64));
        emit!(b, ConstI64Pool, most, mb.const_int(i64::MAX));
        let head = b.label_here();
        let [no_print, no_error] = [b.label(), b.label()];
        emit!(b, JumpNeI64, i, at, no_print);
        b.at(3, 1);
        emit!(b, Print, late);
        b.bind(no_print);
        emit!(b, JumpNeI64, i, bad, no_error);
        b.at(4, 7);
        emit!(b, AddI64, sum, sum, most);
        b.bind(no_error);
        b.at(5, 1);
        emit!(b, AddI64, sum, sum, i);
        emit!(b, ForNext, i, n, head);
        emit!(b, RetI64, sum);
    })
}

fn run(
    program: &Arc<Program>,
    limits: Limits,
    func: FuncId,
    args: &[HostValue],
) -> (Result<HostValue, Trap>, ModelHost) {
    let mut host = ModelHost::default();
    let result = double::with(program, 0, || {
        Vm::new(program.clone(), limits).call(&mut host, func, args)
    });
    (result, host)
}

#[test]
fn a_running_loop_goes_on_in_native_code() {
    let (program, func) = looping();
    for (n, bad) in [(100_000, -1), (100_000, 50_000), (100_000, 20)] {
        let args = [Int(n), Int(bad)];
        let (expected, expected_host) = run(&program, Limits::request(), func, &args);
        for exit_every in [0, 1, 3] {
            let options = JitOptions {
                exit_every,
                ..JitOptions::of(JitPolicy::Sync)
            };
            let native = double::load(program.module(), options);
            let (result, host) = run(&native, Limits::request(), func, &args);
            assert_eq!(result, expected);
            assert_eq!(host.printed, expected_host.printed);
            assert_eq!(host.slices, expected_host.slices);
            let counts = native.native().counts();
            assert_eq!(counts.osr_entries > 0, bad != 20, "{counts:?}");
            assert_eq!(counts.osr_entries > 1, exit_every != 0 && bad != 20);
        }
    }
}

#[test]
fn every_loop_can_be_entered_at_its_first_turn() {
    let (program, func) = looping();
    let options = JitOptions {
        osr_every_loop: true,
        slice_fuel: 1,
        exit_every: 2,
        ..JitOptions::of(JitPolicy::Sync)
    };
    let native = double::load(program.module(), options);
    let args = [Int(6000), Int(-1)];
    let (result, host) = run(&native, Limits::request(), func, &args);
    assert_eq!(result, run(&program, Limits::request(), func, &args).0);
    assert_eq!(host.slices, 5999);
    assert_eq!(native.native().counts().osr_entries, 2000);
}

/// down(n, twice): calls itself by way of `other`, which is never compiled, down to 0; raises there if told so.
fn two_functions() -> (Arc<Program>, FuncId, FuncId) {
    let mut mb = ModuleBuilder::new("t.flin");
    let sig = signature(&[Class::I64, Class::Ref], Some(Class::Ref));
    let down = mb.declare_function("down", sig.clone());
    let other = mb.declare_function("other", sig.clone());
    for (func, name, callee) in [(down, "down", other), (other, "other", down)] {
        let mut b = FunctionBuilder::new(name, sig.clone());
        let (n, message, zero, end) = (b.param(0), b.param(1), int(&mut b, 0), b.label());
        let w = b.window(&sig);
        emit!(b, JumpEqI64, n, zero, end);
        b.at(7, 3);
        emit!(b, AddImmI64, w.args[0], n, -1);
        // Garbage, so that there is something to collect with both kinds of frames on the stack.
        emit!(b, Concat, w.args[1], message, message);
        b.mov(Class::Ref, w.args[1], message);
        emit!(b, Call, w.scalar, w.reference, callee);
        emit!(b, RetRef, w.result.expect("a result"));
        b.bind(end);
        b.at(9, 2);
        let kind = text(&mut mb, &mut b, "Bottom");
        emit!(b, Print, message);
        emit!(b, Fail, kind, message);
        mb.set_function(func, b.finish().expect("fits"));
    }
    (load(mb), down, other)
}

/// Compiles one function only.
struct Only(FuncId);

impl HotCompiler for Only {
    fn hot(&self, program: &Arc<Program>, func: FuncId, header: Option<u32>) {
        if func == self.0 {
            Double.hot(program, func, header);
        }
    }
}

fn mixed(module: &flin_bytecode::Module, compiled: FuncId) -> Arc<Program> {
    let program = Program::load(module.clone()).expect("it was loaded before");
    let eager = JitOptions::of(JitPolicy::Eager);
    assert!(program.set_compiler(Box::new(Only(compiled)), eager));
    program
}

#[test]
fn both_kinds_of_frames_take_turns_to_any_depth() {
    let (program, down, other) = two_functions();
    for collecting in [false, true] {
        for (depth, n) in [(512, 511), (512, 600), (3000, 2998), (3000, 10_000)] {
            let limits = Limits {
                call_depth: depth,
                collect_every_allocation: collecting && depth == 512,
                ..Limits::request()
            };
            let args = [Int(n), Text("x".to_owned())];
            let (expected, expected_host) = run(&program, limits.clone(), down, &args);
            let kind = &expected.as_ref().expect_err("always an error").kind;
            assert_eq!(*kind == ErrorKind::StackOverflow, n >= i64::from(depth));
            for compiled in [down, other] {
                let native = mixed(program.module(), compiled);
                let (result, host) = run(&native, limits.clone(), down, &args);
                assert_eq!(result, expected);
                assert_eq!(host.printed, expected_host.printed);
                assert!(native.native().counts().helper_ops > 100);
            }
        }
    }
}

#[test]
fn calls_from_native_code_make_a_function_hot() {
    let mut mb = ModuleBuilder::new("t.flin");
    let sig = signature(&[Class::I64], Some(Class::I64));
    let one_more = add(
        &mut mb,
        "one_more",
        &[Class::I64],
        Some(Class::I64),
        |_, b| {
            emit!(b, AddImmI64, b.param(0), b.param(0), 1);
            emit!(b, RetI64, b.param(0));
        },
    );
    let main = add(&mut mb, "main", &[Class::I64], Some(Class::I64), |_, b| {
        let (n, i, sum) = (b.param(0), int(b, 0), int(b, 0));
        let head = b.label_here();
        let w = b.window(&sig);
        b.mov(Class::I64, w.args[0], sum);
        emit!(b, Call, w.scalar, w.reference, one_more);
        b.mov(Class::I64, sum, w.result.expect("a result"));
        emit!(b, ForNext, i, n, head);
        emit!(b, RetI64, sum);
    });
    let program = load(mb);
    let native = double::load(program.module(), JitOptions::of(JitPolicy::Sync));
    let (result, _) = run(&native, Limits::request(), main, &[Int(100)]);
    assert_eq!(result, Ok(Int(100)));
    assert!(!native.native().is_published(one_more));
    let (result, _) = run(&native, Limits::request(), main, &[Int(20_000)]);
    assert_eq!(result, Ok(Int(20_000)));
    assert!(native.native().is_published(one_more));
    assert_eq!(native.native().counts().osr_entries, 1);
    // A policy of never is kept.
    let off = double::load(program.module(), JitOptions::of(JitPolicy::Off));
    let (result, _) = run(&off, Limits::request(), main, &[Int(20_000)]);
    assert_eq!(result, Ok(Int(20_000)));
    assert!(!off.native().is_published(one_more));
    assert_eq!(off.native().counts().osr_entries, 0);
}

#[test]
fn a_panic_passes_native_frames_and_the_machine_lives_on() {
    let (program, down, other) = two_functions();
    for compiled in [down, other] {
        let native = mixed(program.module(), compiled);
        let mut host = ModelHost {
            panics_at_print: true,
            ..ModelHost::default()
        };
        let mut vm = Vm::new(native.clone(), Limits::request());
        let args = [Int(20), Text("x".to_owned())];
        let caught = double::with(&native, 0, || {
            catch_unwind(AssertUnwindSafe(|| vm.call(&mut host, down, &args)))
        });
        let payload = caught.expect_err("it panics");
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"the printer burns"));
        host.panics_at_print = false;
        let again = double::with(&native, 0, || vm.call(&mut host, down, &args));
        assert_eq!(again.expect_err("an error").kind.name(), "Bottom");
    }
}

#[test]
fn the_compiler_is_dropped_with_its_program() {
    struct Flag(Arc<AtomicBool>);
    impl HotCompiler for Flag {
        fn hot(&self, _: &Arc<Program>, _: FuncId, _: Option<u32>) {}
    }
    impl Drop for Flag {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let dropped = Arc::new(AtomicBool::new(false));
    let (program, func) = looping();
    let compiler = Box::new(Flag(dropped.clone()));
    assert!(program.set_compiler(compiler, JitOptions::default()));
    assert!(!program.set_compiler(Box::new(Double), JitOptions::default()));
    let mut vm = Vm::new(program.clone(), Limits::request());
    drop(program);
    let result = vm.call(&mut ModelHost::default(), func, &[Int(9000), Int(-1)]);
    assert_eq!(result, Ok(Int(40_495_500)));
    assert!(!dropped.load(Ordering::SeqCst));
    drop(vm);
    assert!(dropped.load(Ordering::SeqCst));
}
