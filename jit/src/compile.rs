//! From a unit to machine code: translate, let Cranelift compile, look whether the result is small enough. Here because it
//! needs no code memory: it runs wherever there is time. Must stay true: what comes out refers to other functions by
//! number only.

use std::sync::Arc;

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::Function;
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::FunctionBuilderContext;
use cranelift_module::{FuncId as CodeId, ModuleReloc};

use flin_vm::native::{RtCall, layout};

use crate::lower::{Body, Knobs, lower};
use crate::memory::{Bytes, function_alignment};
use crate::outside::Passing;
use crate::unit::{Refusal, Unit};
use crate::{Links, enter};

/// Most Cranelift instructions of a unit.
const CLIF_MAX: usize = 20_000;

/// Cranelift with our settings, and its memory for reuse.
pub(crate) struct Compiler {
    pub(crate) isa: Arc<dyn TargetIsa>,
    builders: FunctionBuilderContext,
    context: Context,
}

/// What a reader wants to see of a compiled unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dump {
    /// Cranelift's instructions as translated, before they are optimised.
    pub clif: String,
    /// The same after optimisation.
    pub optimised: String,
    /// Machine code in Cranelift's notation.
    pub machine: String,
    /// The bytes of the machine code.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Compiler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiler").finish_non_exhaustive()
    }
}

impl Compiler {
    pub(crate) fn new(isa: Arc<dyn TargetIsa>) -> Compiler {
        Compiler {
            isa,
            builders: FunctionBuilderContext::new(),
            context: Context::new(),
        }
    }

    /// Compiles a unit; `dump` receives what it looks like on the way.
    ///
    /// # Errors
    /// The unit is too big, or Cranelift refuses it.
    pub(crate) fn unit(
        &mut self,
        unit: &Unit<'_>,
        body: Body,
        id: CodeId,
        links: Links<'_>,
        knobs: Knobs,
        dump: Option<&mut Dump>,
    ) -> Result<Bytes, Refusal> {
        let target = self.isa.frontend_config();
        let func = lower(unit, body, target, &mut self.builders, links, knobs);
        let count = func.dfg.num_insts();
        if count > CLIF_MAX {
            return Err(Refusal::Length(count));
        }
        self.function(func, id, dump)
    }

    /// Compiles the trampoline of a signature.
    ///
    /// # Errors
    /// Cranelift refuses it.
    pub(crate) fn trampoline(&mut self, passing: &Passing, id: CodeId) -> Result<Bytes, Refusal> {
        let target = self.isa.frontend_config();
        let func = enter::trampoline(target, &mut self.builders, passing);
        self.function(func, id, None)
    }

    /// Compiles the thunk of a runtime call.
    ///
    /// # Errors
    /// Cranelift refuses it.
    pub(crate) fn thunk(&mut self, call: RtCall, id: CodeId) -> Result<Bytes, Refusal> {
        let target = self.isa.frontend_config();
        let func = enter::thunk(target, &mut self.builders, call);
        self.function(func, id, None)
    }

    fn function(
        &mut self,
        func: Function,
        id: CodeId,
        dump: Option<&mut Dump>,
    ) -> Result<Bytes, Refusal> {
        self.context.clear();
        self.context.func = func;
        self.context.set_disasm(dump.is_some());
        let clif = dump
            .is_some()
            .then(|| self.context.func.display().to_string());
        let outcome = self
            .context
            .compile(&*self.isa, &mut ControlPlane::default());
        if let Err(error) = outcome {
            debug_assert!(false, "{}", error.inner);
            return Err(Refusal::Cranelift);
        }
        let Some(compiled) = self.context.compiled_code() else {
            return Err(Refusal::Cranelift);
        };
        let frame = compiled
            .buffer
            .frame_layout()
            .map_or(0, |layout| layout.frame_to_fp_offset as usize);
        if frame > layout::MACHINE_FRAME_BYTES {
            return Err(Refusal::MachineFrame(frame));
        }
        if let Some(dump) = dump {
            dump.clif = clif.unwrap_or_default();
            dump.optimised = self.context.func.display().to_string();
            dump.machine = compiled.vcode.clone().unwrap_or_default();
            dump.bytes = compiled.code_buffer().to_vec();
        }
        let func = &self.context.func;
        Ok(Bytes {
            id,
            code: compiled.code_buffer().to_vec(),
            alignment: function_alignment(&*self.isa, u64::from(compiled.buffer.alignment)),
            relocs: compiled
                .buffer
                .relocs()
                .iter()
                .map(|reloc| ModuleReloc::from_mach_reloc(reloc, func, id))
                .collect(),
        })
    }
}
