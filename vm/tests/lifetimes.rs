//! Many machines one after another, as a server makes them: none leaves memory behind, and a machine that does little
//! takes little. Here because each test looks at the memory of the whole process. `FLIN_LIFETIMES=1000000` makes it a
//! million requests (some minutes in a release build); the suite takes a few hundred.

mod support;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flin_bytecode::{Class, FuncId};
use flin_vm::HostValue::Int;
use flin_vm::{ErrorKind, Limits, Program, Vm};
use support::*;

/// The tests of this file run one after the other: what one takes, another would see.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Resident memory of this process in KiB, where the system tells.
fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Keeps n lists of 1,000 ints (8 KB each), beside a growing text, and makes as many short texts that nobody keeps.
fn request() -> (Arc<Program>, FuncId) {
    one(&[Class::I64], Some(Class::I64), |mb, b| {
        let (n, i, inner, thousand) = (b.param(0), int(b, 0), b.temp(Class::I64), int(b, 1000));
        let (all, list, long, short) = (
            b.temp(Class::Ref),
            b.temp(Class::Ref),
            text(mb, b, "a text that grows"),
            b.temp(Class::Ref),
        );
        emit!(b, ListNew, all, Class::Ref, 0);
        let head = b.label_here();
        emit!(b, ListNew, list, Class::I64, 0);
        emit!(b, ConstI64, inner, 0);
        let fill = b.label_here();
        emit!(b, ListPushI64, list, inner);
        emit!(b, ForNext, inner, thousand, fill);
        emit!(b, ListPushRef, all, list);
        emit!(b, TextI64, short, i);
        emit!(b, Concat, long, long, short);
        emit!(b, ForNext, i, n, head);
        let len = b.temp(Class::I64);
        emit!(b, TextLen, len, long);
        emit!(b, RetI64, len);
    })
}

/// Runs requests of many sizes, each on a machine of its own; every 40th is too big for its limit.
fn serve(program: &Arc<Program>, func: FuncId, count: usize) {
    let mut host = ModelHost::default();
    for number in 0..count {
        let mut limits = limits(false);
        let size = match number % 40 {
            0 => 100,
            20 => 1000,
            _ => 1 + number as i64 % 5,
        };
        if number % 40 == 20 {
            limits.memory_bytes = 2 << 20;
        }
        let mut vm = Vm::new(program.clone(), limits);
        match vm.call(&mut host, func, &[Int(size)]) {
            Ok(len) => assert!(matches!(len, Int(18..))),
            Err(trap) => assert_eq!(trap.kind, ErrorKind::MemoryLimitExceeded),
        }
    }
}

#[test]
fn many_machines_leave_nothing_behind() {
    let _alone = alone();
    let lifetimes = std::env::var("FLIN_LIFETIMES").ok();
    let lifetimes = lifetimes.map_or(400, |count| count.parse().expect("a number"));
    let (program, func) = request();
    serve(&program, func, 200);
    let before = resident_kib();
    serve(&program, func, lifetimes);
    if let (Some(before), Some(after)) = (before, resident_kib()) {
        println!("{lifetimes} machines: {before} KiB before, {after} KiB after");
        assert!(after < before + 1024, "{before} KiB grew to {after} KiB");
    }
}

/// Machines that live one after the other.
const MACHINES: usize = 40;

#[test]
fn a_machine_that_used_a_megabyte_leaves_nothing_behind() {
    let _alone = alone();
    let (program, func) = request();
    let mut host = ModelHost::default();
    let mut run = |size| {
        let mut vm = Vm::new(program.clone(), limits(false));
        vm.call(&mut host, func, &[Int(size)]).expect("it runs");
        vm.counts()
    };
    run(120);
    let before = resident_kib();
    for _ in 0..MACHINES {
        let counts = run(120);
        assert!(counts.allocated_bytes > 1 << 20, "{counts:?}");
    }
    // One megabyte that stayed of each would be forty times as much as what the test's own threads may touch meanwhile.
    if let (Some(before), Some(after)) = (before, resident_kib()) {
        assert!(after <= before + 1024, "{before} KiB grew to {after} KiB");
    }
}

#[test]
fn what_a_big_machine_used_goes_back_to_the_system() {
    let _alone = alone();
    let (program, func) = one(&[Class::I64], Some(Class::I64), |_, b| {
        let (n, i, len) = (b.param(0), int(b, 0), b.temp(Class::I64));
        let (all, text) = (b.temp(Class::Ref), b.temp(Class::Ref));
        emit!(b, ListNew, all, Class::Ref, 0);
        let head = b.label_here();
        emit!(b, TextI64, text, i);
        emit!(b, ListPushRef, all, text);
        emit!(b, ForNext, i, n, head);
        emit!(b, ListLen, len, all);
        emit!(b, RetI64, len);
    });
    let mut host = ModelHost::default();
    // The pages of the code itself come once, and stay.
    let little = Vm::new(program.clone(), limits(false)).call(&mut host, func, &[Int(1000)]);
    assert_eq!(little, Ok(Int(1000)));
    let before = resident_kib();
    for _ in 0..2 {
        let mut vm = Vm::new(program.clone(), limits(false));
        let result = vm.call(&mut host, func, &[Int(2_000_000)]);
        assert_eq!(result, Ok(Int(2_000_000)));
        if let (Some(before), Some(at_work)) = (before, resident_kib()) {
            assert!(at_work > before + (40 << 10), "{before} KiB, {at_work} KiB");
        }
    }
    if let (Some(before), Some(after)) = (before, resident_kib()) {
        // A thread keeps 16 MiB for its next machine.
        println!("{before} KiB before, {after} KiB after");
        assert!(
            after < before + (20 << 10),
            "{before} KiB grew to {after} KiB"
        );
    }
}

#[test]
fn a_machine_that_does_little_takes_little() {
    let _alone = alone();
    let (program, func) = one(&[Class::I64], Some(Class::Ref), |_, b| {
        let (n, text) = (b.param(0), b.temp(Class::Ref));
        emit!(b, TextI64, text, n);
        emit!(b, RetRef, text);
    });
    // So little memory that a page of each size of objects would not fit.
    let limits = Limits {
        memory_bytes: 4 << 10,
        ..limits(false)
    };
    let mut vm = Vm::new(program, limits);
    let result = vm.call(&mut ModelHost::default(), func, &[Int(123_456)]);
    assert_eq!(result, Ok(host_text("123456")));
    assert_eq!(vm.counts().allocated_bytes, 16);
}
