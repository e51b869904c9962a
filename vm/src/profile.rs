//! How often each instruction of a program was executed, and which kinds of errors its operations raised. Here, behind the
//! feature `count`, for tools that ask what programs really do (coverage, choice of operations); without the feature the
//! interpreter counts nothing. Must stay true: one counter per instruction, shared by all VMs of the program, so that the
//! counts of neighbours tell how often operations follow one another.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use flin_bytecode::{FuncId, Instr, Module, Op};

use crate::trap::ErrorKind;

/// What the VMs of one program did since it was loaded.
#[derive(Debug)]
pub struct Profile {
    /// Per function and instruction.
    counts: Vec<Box<[AtomicU64]>>,
    raised: Mutex<BTreeSet<String>>,
}

impl Profile {
    /// Nothing was executed yet.
    pub(crate) fn new(module: &Module) -> Profile {
        let counts = module.functions.iter().map(|function| {
            let zeros = function.code.iter().map(|_| AtomicU64::new(0));
            zeros.collect()
        });
        Profile {
            counts: counts.collect(),
            raised: Mutex::default(),
        }
    }

    /// An instruction is executed.
    pub(crate) fn count(&self, func: u32, instruction: u32) {
        self.counts[func as usize][instruction as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// An instruction of this function raised an error; what the program itself raises by `fail` does not count (`assert`
    /// is compiled to the same operation).
    pub(crate) fn raise(&self, module: &Module, func: u32, instruction: u32, kind: &ErrorKind) {
        let word = module.functions[func as usize].code[instruction as usize];
        let by_fail = Instr::decode(word).is_ok_and(|instr| instr.op == Op::Fail);
        if by_fail && *kind != ErrorKind::AssertionError {
            return;
        }
        let mut raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        raised.insert(kind.name().to_owned());
    }

    /// How often each instruction of a function was executed.
    pub fn counts(&self, func: FuncId) -> Vec<u64> {
        let counts = self.counts[func.index()].iter();
        counts.map(|n| n.load(Ordering::Relaxed)).collect()
    }

    /// The kinds of the errors that operations and library functions raised, by name.
    pub fn raised(&self) -> BTreeSet<String> {
        let raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        raised.clone()
    }
}
