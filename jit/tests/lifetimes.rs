//! Machine code goes with its program. Here, in a process of its own, because it looks at what the process has mapped. Must stay true:
//! a server that exchanges its program again and again holds the code of one.
#![cfg(target_os = "linux")]

mod support;

use std::fmt::Write as _;

use flin_jit::Jit;
use flin_vm::native::{JitOptions, JitPolicy};
use flin_vm::{Limits, Program, Vm};
use support::{Printer, compiled};

/// Programs that are made one after the other.
const PROGRAMS: usize = 200;

/// How often code memory is mapped in this process: twice for each program that has some.
fn mapped() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux tells");
    let is_code = |line: &&str| line.contains("/memfd:flin code");
    maps.lines().filter(is_code).count()
}

/// A program of functions and loops that no other number gives.
fn source(number: usize) -> String {
    let mut source = String::new();
    for step in 0..8 {
        writeln!(
            source,
            "fn f{step}(n: int) -> int {{\n  x = {number}\n  for i in 0..n {{ x = (x * {} + i) % 10007 }}\n  x\n}}\nprint(f{step}(100))",
            step + 3
        )
        .expect("a String takes everything");
    }
    source
}

#[test]
fn code_is_freed_with_its_program() {
    let options = JitOptions::of(JitPolicy::Eager);
    for number in 0..PROGRAMS {
        let program = Program::load(compiled(&source(number))).expect("a verified module");
        let jit = Jit::new(&options).expect("native code on this machine");
        assert!(program.set_compiler(Box::new(jit), options.clone()));
        let main = program.module().main.expect("a top level");
        let mut vm = Vm::new(program.clone(), Limits::script());
        let done = vm.call(&mut Printer::default(), main, &[]);
        assert!(done.is_ok(), "{done:?}");
        assert!(program.native().counts().compiled.code_bytes > 0);
        drop(program);
        assert_eq!(mapped(), 2, "the machine still runs program {number}");
        drop(vm);
        assert_eq!(mapped(), 0, "the code of program {number} is gone");
    }
}
