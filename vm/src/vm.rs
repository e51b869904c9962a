//! The machine as its owners see it: limits, one call at a time, what came out.

use std::sync::Arc;

use flin_bytecode::ids::{FuncId, GlobalId};

use crate::host::{Host, HostValue};
use crate::program::Program;
use crate::trap::{ErrorKind, Position, Trap};

/// What one VM may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Nested calls: 512 in requests, 10,000 under `run` and `test`.
    pub call_depth: u32,
    /// Bytes of heap, garbage that was not collected yet included.
    pub memory_bytes: usize,
    /// Test mode: collect at every operation that allocated.
    pub collect_every_allocation: bool,
}

impl Limits {
    /// Limits of a request: 512 calls, 256 MiB.
    pub fn request() -> Limits {
        Limits {
            call_depth: 512,
            memory_bytes: 256 << 20,
            collect_every_allocation: false,
        }
    }

    /// Limits of `run` and `test`: 10,000 calls, 1 GiB.
    pub fn script() -> Limits {
        Limits {
            call_depth: 10_000,
            memory_bytes: 1 << 30,
            collect_every_allocation: false,
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::request()
    }
}

/// The markup that view code wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// For the document head.
    pub head: String,
    /// For the body.
    pub body: String,
    /// Hidden forms, for the end of the body.
    pub forms: String,
}

/// What a VM did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Fuel used: calls and loop turns.
    pub instructions: u64,
    /// Bytes allocated altogether.
    pub allocated_bytes: u64,
    /// Records read from the host.
    pub entity_reads: u64,
    /// Records saved, deleted, restored, destroyed.
    pub entity_writes: u64,
    /// Collections of the heap.
    pub collections: u64,
}

/// One machine: a heap, stacks and globals for one request, action, job or script.
#[derive(Debug)]
pub struct Vm {
    program: Arc<Program>,
}

impl Vm {
    /// A machine for this program; globals are zero or none.
    pub fn new(program: Arc<Program>, limits: Limits) -> Vm {
        let _ = limits;
        Vm { program }
    }

    /// Calls a function and runs it to its end.
    pub fn call(
        &mut self,
        host: &mut dyn Host,
        func: FuncId,
        args: &[HostValue],
    ) -> Result<HostValue, Trap> {
        let _ = (host, func, args);
        Err(Trap {
            kind: ErrorKind::StorageError,
            message: "the interpreter is not part of this build".to_owned(),
            entity: None,
            field: None,
            rule: None,
            cause: None,
            at: Position {
                file: self.program.module().source_name.clone(),
                line: 0,
                column: 0,
            },
            trace: Vec::new(),
        })
    }

    /// Sets a global from outside; the value must fit its declared type.
    pub fn set_global(&mut self, global: GlobalId, value: &HostValue) -> Result<(), Trap> {
        let _ = (global, value);
        Ok(())
    }

    /// The value of a global.
    pub fn global(&self, global: GlobalId) -> HostValue {
        let _ = global;
        HostValue::None
    }

    /// Takes the markup written so far.
    pub fn take_rendered(&mut self) -> Rendered {
        Rendered::default()
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        Counts::default()
    }
}
