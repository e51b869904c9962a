//! What the machine code of many functions must not contain: an instruction that stops the process. Must stay true: whatever
//! could trap is tested before.

mod support;

use std::path::Path;

use flin_bytecode::FuncId;
use flin_jit::{DumpError, dump, entries};
use flin_vm::Program;

#[test]
fn nothing_traps() {
    let kernels = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bench/compute");
    let mut seen = 0;
    for entry in std::fs::read_dir(&kernels).expect("the kernels lie there") {
        let path = entry.expect("a folder").path().join("kernel.flin");
        let Ok(source) = std::fs::read_to_string(&path) else {
            continue;
        };
        let program = Program::load(support::compiled(&source)).expect("a verified module");
        for number in 0..program.module().functions.len() as u32 {
            seen += of_function(&program, FuncId(number));
        }
    }
    assert!(seen > 100, "{seen} functions and loops");
}

/// Looks at a function and at all places where a loop of it could begin; gives how many there were.
fn of_function(program: &Program, func: FuncId) -> usize {
    let mut seen = 0;
    for entry in entries(program, func) {
        match dump(program, func, entry) {
            Ok(dump) => {
                seen += 1;
                for word in ["ud2", "int3", "hlt"] {
                    assert!(!dump.machine.contains(word), "{word} in\n{}", dump.machine);
                }
            }
            Err(DumpError::Refused(_)) => {}
            Err(DumpError::Jit(error)) => panic!("{error}"),
        }
    }
    seen
}
