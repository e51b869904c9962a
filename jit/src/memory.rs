//! Code memory: one Cranelift module per program, in one reserved arena, freed with the program. Here because page
//! policy is ours: functions are defined in batches and finalised together (each finalising costs pages), and a dropped
//! module would leak its code. Must stay true: nothing runs in this memory once it is dropped; the owner of the program
//! guarantees it, because the compiler is dropped with the program and every machine holds the program.
#![allow(unsafe_code)]

use std::ptr::NonNull;
use std::sync::Arc;

use cranelift_codegen::ir::Signature;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_jit::{ArenaMemoryProvider, JITBuilder, JITModule};
use cranelift_module::{FuncId as CodeId, Module, ModuleReloc, default_libcall_names};

use crate::JitError;

/// Address space that is reserved for the code of one program; pages are taken as they are needed.
const ARENA_BYTES: usize = 128 << 20;

/// Start of a finalised function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code(pub(crate) NonNull<u8>);

// SAFETY: code memory is read and executed only, by any thread.
unsafe impl Send for Code {}

/// A compiled function that is not in code memory yet.
pub(crate) struct Bytes {
    pub(crate) id: CodeId,
    pub(crate) code: Vec<u8>,
    pub(crate) alignment: u64,
    pub(crate) relocs: Vec<ModuleReloc>,
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {} bytes", self.id, self.code.len())
    }
}

/// The code memory of one program.
pub(crate) struct CodeMemory {
    module: Option<JITModule>,
    /// Bytes of code so far.
    pub(crate) code_bytes: usize,
}

/// The instruction set of this machine with our settings.
pub(crate) fn host_isa(verify: bool) -> Result<Arc<dyn TargetIsa>, JitError> {
    let mut flags = settings::builder();
    let wanted = [
        ("opt_level", "speed"),
        ("regalloc_algorithm", "backtracking"),
        ("enable_verifier", if verify { "true" } else { "false" }),
        ("is_pic", "false"),
        ("use_colocated_libcalls", "false"),
        ("unwind_info", "false"),
        ("enable_pinned_reg", "true"),
        ("enable_probestack", "false"),
    ];
    for (name, value) in wanted {
        flags
            .set(name, value)
            .map_err(|e| JitError::Settings(e.to_string()))?;
    }
    cranelift_native::builder()
        .map_err(|e| JitError::NoBackend(e.to_owned()))?
        .finish(settings::Flags::new(flags))
        .map_err(|e| JitError::NoBackend(e.to_string()))
}

impl CodeMemory {
    /// Reserves the arena.
    pub(crate) fn new(isa: Arc<dyn TargetIsa>) -> Result<CodeMemory, JitError> {
        let arena = ArenaMemoryProvider::new_with_size(ARENA_BYTES)
            .map_err(|e| JitError::NoMemory(e.to_string()))?;
        let mut builder = JITBuilder::with_isa(isa, default_libcall_names());
        builder.memory_provider(Box::new(arena));
        Ok(CodeMemory {
            module: Some(JITModule::new(builder)),
            code_bytes: 0,
        })
    }

    fn module(&mut self) -> &mut JITModule {
        self.module.as_mut().expect("only drop takes the module")
    }

    /// A number for a function that will be defined in this batch.
    pub(crate) fn declare(&mut self, signature: &Signature) -> Result<CodeId, JitError> {
        self.module()
            .declare_anonymous_function(signature)
            .map_err(|e| JitError::Module(e.to_string()))
    }

    /// Puts a batch into memory and makes it executable; every function declared so far must be in it or in an earlier one.
    pub(crate) fn define(&mut self, batch: &[Bytes]) -> Result<(), JitError> {
        let mut bytes = 0;
        let module = self.module();
        for function in batch {
            module
                .define_function_bytes(
                    function.id,
                    function.alignment,
                    &function.code,
                    &function.relocs,
                )
                .map_err(|e| JitError::Module(e.to_string()))?;
            bytes += function.code.len();
        }
        module
            .finalize_definitions()
            .map_err(|e| JitError::Module(e.to_string()))?;
        self.code_bytes += bytes;
        Ok(())
    }

    /// Where a defined function begins.
    pub(crate) fn code(&mut self, id: CodeId) -> Code {
        let start = self.module().get_finalized_function(id).cast_mut();
        Code(NonNull::new(start).expect("defined functions have an address"))
    }
}

impl Drop for CodeMemory {
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: the program that owns this code is being dropped, so no machine is left that could run it.
            unsafe { module.free_memory() };
        }
    }
}

impl std::fmt::Debug for CodeMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodeMemory")
            .field("code_bytes", &self.code_bytes)
            .finish_non_exhaustive()
    }
}

/// Alignment of function starts.
pub(crate) fn function_alignment(isa: &dyn TargetIsa, wanted: u64) -> u64 {
    wanted
        .max(u64::from(isa.function_alignment().minimum))
        .max(isa.symbol_alignment())
}
