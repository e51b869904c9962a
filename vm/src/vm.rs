//! The machine as its owners see it: limits, one call at a time, what came out. Must stay true: between two calls the
//! heap and the globals live on, the stacks are empty.

use std::sync::Arc;

use flin_bytecode::TypeDesc;
use flin_bytecode::ids::{FuncId, GlobalId};

use crate::fault::{Fault, FaultData};
use crate::host::{Host, HostValue};
use crate::interp;
use crate::machine::Machine;
use crate::marks::Mark;
use crate::native::{Pending, entering};
use crate::program::Program;
use crate::semantics::{convert, errors};
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
    /// Blocks, lists and values in the body.
    pub marks: Vec<Mark>,
    /// The keys of items, one after the other.
    pub keys: String,
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
    m: Machine,
}

impl Vm {
    /// A machine for this program; globals are zero or none.
    pub fn new(program: Arc<Program>, limits: Limits) -> Vm {
        Vm {
            m: Machine::new(program, limits),
        }
    }

    /// What records of the past are sealed with on their way to the page; whoever takes them back needs one of its own.
    pub fn set_page_key(&mut self, key: crate::wire::Key) {
        self.m.page_key = key;
    }

    /// The address at which the page is seen, for a page whose path has variable parts.
    pub fn set_page_address(&mut self, address: String) {
        self.m.output.address = Some(address);
    }

    /// Calls a function and runs it to its end. Arguments are taken in by the classes of its parameters; a saved record
    /// becomes the one object of its type and id. View code of a page must be called by the page's `view` function, so
    /// that handlers are known. A result of class i64 comes out as an int, also where the program means a time.
    pub fn call(
        &mut self,
        host: &mut dyn Host,
        func: FuncId,
        args: &[HostValue],
    ) -> Result<HostValue, Trap> {
        let m = &mut self.m;
        m.pinned = None;
        m.pending = Pending::Nothing;
        m.segments.clear();
        m.stacks.records.clear();
        if m.heap.wants_collection() {
            let nothing_runs = m.stacks.bottom();
            m.collect(nothing_runs);
        }
        let pages = &m.program.module().pages;
        if let Some(page) = pages.iter().position(|page| page.view == func) {
            m.output.page = Some(page);
        }
        let has_compiler = m.program.native_state().compiler().is_some();
        let result = if has_compiler {
            let result = entering::with_machine_stack(m, |m| run(m, host, func, args));
            m.program.native_state().count(&mut m.native);
            result
        } else {
            run(m, host, func, args)
        };
        m.stacks.records.clear();
        result.map_err(|fault| trap(m, fault))
    }

    /// Sets a global from outside; the value must fit its declared type.
    pub fn set_global(&mut self, global: GlobalId, value: &HostValue) -> Result<(), Trap> {
        let m = &mut self.m;
        let Some(description) = m.program.module().globals.get(global.index()) else {
            return Err(trap(
                m,
                Fault::type_error("the program has no such variable"),
            ));
        };
        let (class, ty) = (description.class, description.ty);
        match convert::import_typed(m, value, class, ty) {
            Ok(bits) => {
                m.globals[global.index()] = bits;
                Ok(())
            }
            Err(fault) => Err(trap(m, fault)),
        }
    }

    /// The value of a global; what cannot leave the machine (functions, queries) is none.
    pub fn global(&mut self, global: GlobalId) -> HostValue {
        let m = &mut self.m;
        let Some(description) = m.program.module().globals.get(global.index()) else {
            return HostValue::None;
        };
        let (class, ty) = (description.class, description.ty);
        let bits = m.globals[global.index()];
        let value = m
            .heap
            .word_of_slot(class, bits)
            .and_then(|word| convert::export(m, word));
        match (value, &m.program.module().types[ty.index()]) {
            (Ok(HostValue::Int(ms)), TypeDesc::Time) => HostValue::Time(ms),
            (Ok(HostValue::Int(ms)), TypeDesc::Duration) => HostValue::Duration(ms),
            (Ok(value), _) => value,
            (Err(_), _) => HostValue::None,
        }
    }

    /// Takes the markup written so far.
    pub fn take_rendered(&mut self) -> Rendered {
        self.m.output.take()
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        self.m.counts()
    }

    /// The program.
    pub fn program(&self) -> &Arc<Program> {
        &self.m.program
    }
}

fn run(
    m: &mut Machine,
    host: &mut dyn Host,
    func: FuncId,
    args: &[HostValue],
) -> Result<HostValue, Fault> {
    let program = m.program.clone();
    let Some(function) = program.module().functions.get(func.index()) else {
        return Err(Fault::type_error(format!(
            "the program has no function number {}",
            func.0
        )));
    };
    let params = &function.signature.params;
    if function.is_closure || params.len() != args.len() {
        return Err(Fault::type_error(format!(
            "{} takes {} arguments, but {} were given",
            function.name,
            params.len(),
            args.len()
        )));
    }
    let mut bits = Vec::with_capacity(args.len());
    for (class, value) in params.iter().zip(args) {
        bits.push((*class, convert::import_as(m, value, *class)?));
    }
    interp::start(m, host, func, &bits)?;
    match interp::result(m, func) {
        Some((class, bits)) => {
            let word = m.heap.word_of_slot(class, bits)?;
            convert::export(m, word)
        }
        None => Ok(HostValue::None),
    }
}

/// A fault that left the interpreter, or one from before or after it ran, as the outside sees it.
fn trap(m: &mut Machine, fault: Fault) -> Trap {
    let error = match *fault.0 {
        FaultData::Thrown(error) => Some(error),
        FaultData::Stopped => m.pinned,
        FaultData::New(new) => Some(errors::new_error(m, new, std::ptr::null())),
    };
    let trap = error.map(|error| errors::trap_of(m, error));
    m.pinned = None;
    trap.unwrap_or_else(|| Trap {
        kind: ErrorKind::TimeLimitExceeded,
        message: "this took longer than it may".to_owned(),
        entity: None,
        field: None,
        rule: None,
        cause: None,
        at: Position::default(),
        trace: Vec::new(),
    })
}
