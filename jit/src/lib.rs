//! Native code for FLIN: hot functions of a program, typed bytecode in, machine code out, by Cranelift. Here, and only here,
//! is Cranelift known; DESIGN.md tells how frames, exits, calls and loops work.
//! Must stay true: both engines do the same. Whatever native code does not do itself is done by the interpreter, with the
//! same frame; native code never raises, never unwinds and never traps.

mod arena;
mod batch;
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
mod strips;
mod unit;
mod views;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use flin_bytecode::FuncId;
use flin_vm::Program;
use flin_vm::native::{CompileReport, HotCompiler, JitOptions, JitPolicy};

use batch::Batch;
pub use compile::Dump;
use memory::{CodeId, Isas};
use state::State;
pub use unit::{Entry, Refusal};

/// Batches of more FLIN instructions than this are compiled beside the running program: they take milliseconds.
const BESIDE_FROM_INSTRUCTIONS: usize = 1500;

/// Functions that native code may call directly, by their numbers in code memory.
type Callees = HashMap<FuncId, CodeId>;

/// Thunks of runtime calls, by their numbers in code memory.
#[derive(Clone, Copy, Debug)]
struct Thunks {
    step: CodeId,
    /// The same from cold blocks, as all that follow.
    step_rarely: CodeId,
    call: CodeId,
    slice: CodeId,
    start: CodeId,
    exit: CodeId,
}

/// What native code may refer to by number.
#[derive(Clone, Copy, Debug)]
struct Links<'a> {
    callees: &'a Callees,
    thunks: Thunks,
}

/// A mistake made on purpose, to see that tests find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// `sub.i64` adds.
    SubIsAdd,
    /// `<` of ints is `<=`.
    LessIsLessOrEqual,
    /// An exit does not write back the last of the scalars that are needed.
    ExitWithoutScalar,
    /// A moved reference is not written to the frame.
    MoveUnwritten,
    /// Entering a loop, the last of the scalars that are needed is not loaded.
    LoopWithoutScalar,
    /// An error that is caught here goes to the caller.
    CatchForgotten,
    /// The scalar result of an instruction that the interpreter did is not loaded.
    HelperResultLost,
    /// An exit in a run leaves before it with what registers hold in its midst.
    RunNotTakenBack,
    /// Nobody asks whether a run has overflowed.
    OverflowUnasked,
    /// A loop ends where its strip ends.
    StripIsLoop,
    /// Slow paths lead into slow versions of loops that are not translated: the function must be refused, and said to be.
    SlowVersionMissing,
    /// The translation of a product panics: as before.
    ProductPanics,
}

impl Plant {
    /// All of them.
    pub const ALL: [Plant; 12] = [
        Plant::SubIsAdd,
        Plant::LessIsLessOrEqual,
        Plant::ExitWithoutScalar,
        Plant::MoveUnwritten,
        Plant::LoopWithoutScalar,
        Plant::CatchForgotten,
        Plant::HelperResultLost,
        Plant::RunNotTakenBack,
        Plant::OverflowUnasked,
        Plant::StripIsLoop,
        Plant::SlowVersionMissing,
        Plant::ProductPanics,
    ];
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
    /// The code memory of the program is used up.
    Full,
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
            JitError::Full => f.write_str("the memory for native code is used up"),
            JitError::Module(why) => write!(f, "native code could not be put into memory: {why}"),
        }
    }
}

impl std::error::Error for JitError {}

/// The compiler of one program (`Program::set_compiler`).
#[derive(Debug)]
pub struct Jit {
    shared: Arc<Shared>,
}

/// What the compiler and its threads share. The code lives as long as one of them.
struct Shared {
    isas: Isas,
    options: JitOptions,
    plant: Option<Plant>,
    /// Made when something is hot, because most short programs never ask. Without room for code they stay interpreted.
    state: OnceLock<Result<Mutex<State>, JitError>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn state(&self) -> Option<MutexGuard<'_, State>> {
        let made = self.state.get_or_init(|| {
            let state = State::new(self.isas.clone(), &self.options, self.plant);
            if let Err(error) = &state {
                tracing::warn!(%error, "the program runs interpreted");
            }
            state.map(Mutex::new)
        });
        let state = made.as_ref().ok()?;
        Some(state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether big functions are compiled beside the running program.
    fn is_beside(&self) -> bool {
        self.options.policy == JitPolicy::Auto
    }
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
            shared: Arc::new(Shared {
                isas: memory::host_isas(state::VERIFY)?,
                options: options.clone(),
                plant,
                state: OnceLock::new(),
            }),
        })
    }

    /// Gives a program a compiler. False if it has one already.
    ///
    /// # Errors
    /// There is no native code on this machine; the program then runs interpreted.
    pub fn attach(program: &Program, options: JitOptions) -> Result<bool, JitError> {
        let jit = Jit::new(&options)?;
        Ok(program.set_compiler(Box::new(jit), options))
    }
}

impl HotCompiler for Jit {
    fn hot(&self, program: &Arc<Program>, func: FuncId, header: Option<u32>) {
        let Some(mut state) = self.shared.state() else {
            return;
        };
        let Some(batch) = state.begin(program, func, header) else {
            return;
        };
        if self.shared.is_beside() && batch.instructions > BESIDE_FROM_INSTRUCTIONS {
            drop(state);
            self.compile_beside(program, batch);
        } else {
            state.compile_here(program, batch);
        }
    }

    fn report(&self) -> CompileReport {
        match self.shared.state.get() {
            None => CompileReport::default(),
            Some(Ok(state)) => {
                let state = state.lock().unwrap_or_else(PoisonError::into_inner);
                state.report()
            }
            Some(Err(_)) => CompileReport {
                refused: 1,
                ..CompileReport::default()
            },
        }
    }
}

impl Jit {
    /// Compiles in a thread of its own, which holds no lock meanwhile.
    fn compile_beside(&self, program: &Arc<Program>, batch: Batch) {
        let (shared, weak) = (self.shared.clone(), Arc::downgrade(program));
        // Whoever takes it out compiles it: a thread that does not start must not take it along.
        let batch = Arc::new(Mutex::new(Some(batch)));
        let take = |batch: &Mutex<Option<Batch>>| {
            batch.lock().unwrap_or_else(PoisonError::into_inner).take()
        };
        let for_thread = batch.clone();
        let work = move || {
            let (Some(program), Some(batch)) = (weak.upgrade(), take(&for_thread)) else {
                return;
            };
            let Some(mut compiler) = shared.state().map(|state| state.another_compiler()) else {
                return;
            };
            let compiled = batch.compile(&program, &mut compiler);
            if let Some(mut state) = shared.state() {
                state.finish(&program, compiled);
            }
        };
        let named = std::thread::Builder::new().name("flin-jit".to_owned());
        if let Err(error) = named.spawn(work) {
            tracing::warn!(%error, "no thread for compiling: the running program waits for it");
            if let (Some(mut state), Some(batch)) = (self.shared.state(), take(&batch)) {
                state.compile_here(program, batch);
            }
        }
    }
}

/// Where a function may be entered: its start, then each of its loops.
pub fn entries(program: &Program, func: FuncId) -> Vec<Entry> {
    unit::entries(&program.module().functions[func.index()])
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
