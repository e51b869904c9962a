//! Native code for FLIN: hot functions of a program, typed bytecode in, machine code out, by Cranelift. Here, and only here,
//! is Cranelift known; DESIGN.md tells how frames, exits, calls and loops work.
//! Must stay true: both engines do the same. Whatever native code does not do itself is done by the interpreter, with the
//! same frame; native code never raises, never unwinds and never traps.

mod compile;
mod convention;
mod enter;
mod exits;
mod flow;
mod liveness;
mod lower;
mod memory;
mod operands;
mod outside;
mod publish;
mod regions;
mod registers;
mod state;
mod unit;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use cranelift_module::FuncId as CodeId;
use flin_bytecode::FuncId;
use flin_vm::Program;
use flin_vm::native::{CompileReport, HotCompiler, JitOptions};

pub use compile::Dump;
use state::State;
pub use unit::{Entry, Refusal};

/// Functions that native code may call directly, by their numbers in code memory.
type Callees = HashMap<FuncId, CodeId>;

/// A mistake made on purpose, to see that tests find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// `sub.i64` adds.
    SubIsAdd,
}

/// Why there is no native code on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JitError {
    /// Cranelift does not know this processor.
    NoBackend(String),
    /// Cranelift does not know a setting.
    Settings(String),
    /// No address space for code.
    NoMemory(String),
    /// Code could not be put into memory.
    Module(String),
}

impl fmt::Display for JitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JitError::NoBackend(why) => {
                write!(f, "there is no native code on this processor: {why}")
            }
            JitError::Settings(why) => {
                write!(f, "native code cannot be set up on this processor: {why}")
            }
            JitError::NoMemory(why) => {
                write!(f, "there is no address space for native code: {why}")
            }
            JitError::Module(why) => write!(f, "native code could not be put into memory: {why}"),
        }
    }
}

impl std::error::Error for JitError {}

/// The compiler of one program (`Program::set_compiler`).
pub struct Jit {
    state: Mutex<State>,
}

impl Jit {
    /// A compiler; `options` must be those that the program gets with it.
    ///
    /// # Errors
    /// There is no native code on this machine; the program then runs interpreted.
    pub fn new(options: &JitOptions) -> Result<Jit, JitError> {
        Jit::with_plant(options, None)
    }

    /// A compiler that makes a mistake on purpose.
    ///
    /// # Errors
    /// As for `new`.
    pub fn with_plant(options: &JitOptions, plant: Option<Plant>) -> Result<Jit, JitError> {
        Ok(Jit {
            state: Mutex::new(State::new(options, plant)?),
        })
    }

    /// Gives a program a compiler.
    ///
    /// # Errors
    /// There is no native code on this machine; the program then runs interpreted.
    pub fn attach(program: &Program, options: JitOptions) -> Result<bool, JitError> {
        let jit = Jit::new(&options)?;
        Ok(program.set_compiler(Box::new(jit), options))
    }
}

impl fmt::Debug for Jit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jit").finish_non_exhaustive()
    }
}

impl HotCompiler for Jit {
    fn hot(&self, program: &Arc<Program>, func: FuncId, header: Option<u32>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.hot(program, func, header);
    }

    fn report(&self) -> CompileReport {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.report()
    }
}

/// What the native code of a function looks like.
///
/// # Errors
/// There is no native code on this machine, or the function stays interpreted.
pub fn dump(program: &Program, func: FuncId, entry: Entry) -> Result<Dump, DumpError> {
    state::dump(program, func, entry)
}

/// Why there is nothing to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DumpError {
    /// There is no native code on this machine.
    Jit(JitError),
    /// The function stays interpreted.
    Refused(Refusal),
}

impl fmt::Display for DumpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DumpError::Jit(error) => error.fmt(f),
            DumpError::Refused(why) => write!(f, "the function stays interpreted: {why}"),
        }
    }
}

impl std::error::Error for DumpError {}
