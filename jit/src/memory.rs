//! Code memory: one module of cranelift-jit per program, which owns finished code, knows where each function stands and
//! makes their calls go there; freed with the program. Its pages are ours (`arena.rs`). Here because functions are defined in
//! batches and finalised together, and because the module would keep its memory for ever if nobody freed it. Must stay true: code runs
//! where the arena shows it to be executed, not where the module wrote it; nothing runs in this memory once it is
//! dropped; the owner of the program guarantees it, because the compiler is dropped with the program and every machine holds the program.
#![allow(unsafe_code)]

use std::io;
use std::ptr::NonNull;
use std::sync::Arc;

use cranelift_codegen::ir::Signature;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_jit::{JITBuilder, JITModule};
pub(crate) use cranelift_module::FuncId as CodeId;
use cranelift_module::{Module, ModuleError, ModuleReloc, default_libcall_names};

use crate::JitError;
use crate::arena::{Arena, Views};

/// Start of a finished function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code(pub(crate) NonNull<u8>);

// SAFETY: code memory is read and executed only, by any thread.
unsafe impl Send for Code {}

/// A compiled function that is not in code memory yet.
#[derive(Clone)]
pub(crate) struct Bytes {
    pub(crate) id: CodeId,
    pub(crate) code: Vec<u8>,
    pub(crate) alignment: u64,
    /// Where it refers to other functions: by their distance only.
    pub(crate) relocs: Vec<ModuleReloc>,
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {} bytes", self.id, self.code.len())
    }
}

/// The code memory of one program.
pub(crate) struct CodeMemory {
    /// Taken out when it is dropped.
    module: Option<JITModule>,
    views: Views,
    /// Why nothing more is put down: the module may hold a part of a batch.
    closed: Option<JitError>,
    /// Bytes of code so far.
    pub(crate) code_bytes: usize,
}

/// The instruction set of this machine, with little and with much work for Cranelift.
#[derive(Clone)]
pub(crate) struct Isas {
    pub(crate) quick: Arc<dyn TargetIsa>,
    pub(crate) full: Arc<dyn TargetIsa>,
}

/// The instruction set of this machine with our settings.
///
/// # Errors
/// Cranelift does not know this processor.
pub(crate) fn host_isas(verify: bool) -> Result<Isas, JitError> {
    Ok(Isas {
        quick: host_isa(verify, "none")?,
        full: host_isa(verify, "speed")?,
    })
}

fn host_isa(verify: bool, opt_level: &str) -> Result<Arc<dyn TargetIsa>, JitError> {
    let mut flags = settings::builder();
    let wanted = [
        ("opt_level", opt_level),
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
    /// A module with an arena.
    ///
    /// # Errors
    /// There is no address space.
    pub(crate) fn new(isa: Arc<dyn TargetIsa>) -> Result<CodeMemory, JitError> {
        CodeMemory::of(isa, Arena::new())
    }

    fn of(isa: Arc<dyn TargetIsa>, arena: io::Result<Arena>) -> Result<CodeMemory, JitError> {
        let arena = arena.map_err(|e| JitError::NoMemory(e.to_string()))?;
        let views = arena.views().expect("a new arena");
        let mut builder = JITBuilder::with_isa(isa, default_libcall_names());
        builder.memory_provider(Box::new(arena));
        Ok(CodeMemory {
            module: Some(JITModule::new(builder)),
            views,
            closed: None,
            code_bytes: 0,
        })
    }

    /// A number for a function that will be defined in this batch.
    ///
    /// # Errors
    /// Nothing can be defined any more.
    pub(crate) fn declare(&mut self, signature: &Signature) -> Result<CodeId, JitError> {
        self.open()?
            .declare_anonymous_function(signature)
            .map_err(|error| told(&error))
    }

    /// Puts a batch into memory and makes it executable; every function that it goes to must be in it or in an earlier one.
    ///
    /// # Errors
    /// The arena is full, or the system refuses; then nothing of the batch may be used, and nothing can be defined any more.
    pub(crate) fn define(&mut self, batch: &[Bytes]) -> Result<(), JitError> {
        let module = self.open()?;
        let defined = batch.iter().try_for_each(|function| {
            module.define_function_bytes(
                function.id,
                function.alignment,
                &function.code,
                &function.relocs,
            )
        });
        let done = defined.and_then(|()| module.finalize_definitions());
        if let Err(error) = done {
            let error = told(&error);
            self.closed = Some(error.clone());
            return Err(error);
        }
        self.code_bytes += batch.iter().map(|it| it.code.len()).sum::<usize>();
        Ok(())
    }

    fn open(&mut self) -> Result<&mut JITModule, JitError> {
        match &self.closed {
            Some(why) => Err(why.clone()),
            None => Ok(self.module.as_mut().expect("only drop takes the module")),
        }
    }

    /// Where a function of a batch that was put into memory begins.
    pub(crate) fn code(&self, id: CodeId) -> Code {
        let module = self.module.as_ref().expect("only drop takes the module");
        Code(self.views.executed(module.get_finalized_function(id)))
    }
}

/// What the module says, in our words.
fn told(error: &ModuleError) -> JitError {
    match error {
        ModuleError::Allocation { err } if err.kind() == io::ErrorKind::StorageFull => {
            JitError::Full
        }
        other => JitError::Module(other.to_string()),
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
            .field("views", &self.views)
            .field("closed", &self.closed)
            .field("code_bytes", &self.code_bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use cranelift_codegen::binemit::Reloc;
    use cranelift_codegen::isa::CallConv;
    use cranelift_module::ModuleRelocTarget;

    use super::*;
    use crate::arena::ARENA_BYTES;

    fn bytes(id: CodeId, to: Option<CodeId>) -> Bytes {
        let reloc = |to| ModuleReloc {
            offset: 8,
            kind: Reloc::X86CallPCRel4,
            name: ModuleRelocTarget::from(to),
            addend: -4,
        };
        Bytes {
            id,
            code: vec![0xC3; 24],
            alignment: 16,
            relocs: to.map(reloc).into_iter().collect(),
        }
    }

    /// Two functions of a batch, the first of which goes to the second, then one that goes back to the first.
    fn filled(arena: Arena) -> (CodeMemory, [CodeId; 3]) {
        let isa = host_isas(false).expect("a known processor").full;
        let mut memory = CodeMemory::of(isa, Ok(arena)).expect("an arena");
        let signature = Signature::new(CallConv::SystemV);
        let ids = [(); 3].map(|()| memory.declare(&signature).expect("it is open"));
        let [one, two, three] = ids;
        memory
            .define(&[bytes(one, Some(two)), bytes(two, None)])
            .expect("there is room");
        memory
            .define(&[bytes(three, Some(one))])
            .expect("there is room");
        (memory, ids)
    }

    /// Where the code of a function goes, as the processor would reckon it.
    fn goes_to(memory: &CodeMemory, id: CodeId) -> usize {
        let start = memory.code(id).0;
        // SAFETY: 24 bytes of code stand there.
        let distance = unsafe { start.add(8).cast::<i32>().read_unaligned() };
        (start.as_ptr() as usize + 8 + 4).wrapping_add_signed(distance as isize)
    }

    #[test]
    fn code_stands_where_it_can_be_executed_and_knows_its_way() {
        let arenas = [Arena::two_views(), Arena::one_view()];
        for arena in arenas.into_iter().filter_map(Result::ok) {
            let (memory, [one, two, three]) = filled(arena);
            let start = |id| memory.code(id).0.as_ptr() as usize;
            assert_eq!(goes_to(&memory, one), start(two));
            assert_eq!(goes_to(&memory, three), start(one));
            assert_eq!(start(two) % 16, 0);
            assert_eq!(memory.code_bytes, 72);
        }
    }

    #[test]
    fn a_full_arena_refuses_and_takes_nothing_any_more() {
        let (mut memory, [one, _, three]) = filled(Arena::one_view().expect("address space"));
        let before = memory.code(three).0;
        let signature = Signature::new(CallConv::SystemV);
        let [small, big] = [(); 2].map(|()| memory.declare(&signature).expect("it is open"));
        let too_much = Bytes {
            code: vec![0; ARENA_BYTES],
            ..bytes(big, Some(one))
        };
        // The small one goes to one that will never be there: nobody may finalise it.
        let batch = [bytes(small, Some(big)), too_much];
        assert_eq!(memory.define(&batch), Err(JitError::Full));
        assert_eq!(memory.define(&[]), Err(JitError::Full));
        assert_eq!(memory.declare(&signature), Err(JitError::Full));
        assert_eq!(memory.code(three).0, before);
    }
}
