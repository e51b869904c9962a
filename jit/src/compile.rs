//! From a unit to machine code: translate, let Cranelift compile, look whether the result is small enough. Here because it
//! needs no code memory: it runs wherever there is time. Must stay true: what comes out refers to other functions by
//! number only.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{ExternalName, Function};
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::print_errors::pretty_error;
use cranelift_codegen::{Context, FinalizedMachReloc, FinalizedRelocTarget};
use cranelift_frontend::FunctionBuilderContext;
use cranelift_module::ModuleReloc;

use flin_vm::native::{RtCall, layout};

use crate::convention::Usage;
use crate::lower::{Body, Knobs, lower};
use crate::memory::{Bytes, CodeId, Isas};
use crate::outside::Passing;
use crate::unit::{Refusal, Unit};
use crate::{Links, enter};

/// Most Cranelift instructions of a unit.
const CLIF_MAX: usize = 20_000;

/// Bytes of a cache line.
const CACHE_LINE: u64 = 64;

/// How much work Cranelift is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effort {
    /// Code without loops: what is done there once is not worth being looked for.
    Quick,
    /// Code with loops: common and invariant values are found.
    Full,
}

impl Effort {
    /// Where a function may begin, in bytes. Left to itself Cranelift lets it begin anywhere, and what a loop costs would go by what was
    /// compiled before: the processor takes instructions by pieces of cache lines.
    fn alignment(self, isa: &dyn TargetIsa) -> u64 {
        match self {
            Effort::Quick => u64::from(isa.function_alignment().preferred),
            Effort::Full => CACHE_LINE,
        }
    }
}

/// Cranelift with our settings, and its memory for reuse.
pub(crate) struct Compiler {
    pub(crate) isas: Isas,
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

/// Whether some block jumps to one that was never begun: a mistake of the translation, which Cranelift would not survive. Such a
/// function is refused, so the interpreter runs it, and the mistake is said.
fn leads_nowhere(func: &Function) -> bool {
    let dfg = &func.dfg;
    let lasts = func
        .layout
        .blocks()
        .filter_map(|block| func.layout.last_inst(block));
    lasts.into_iter().any(|last| {
        let next = dfg.insts[last].branch_destination(&dfg.jump_tables, &dfg.exception_tables);
        next.iter()
            .any(|call| !func.layout.is_block_inserted(call.block(&dfg.value_lists)))
    })
}

/// The message of a panic.
fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "no message".to_owned())
}

impl Compiler {
    pub(crate) fn new(isas: Isas) -> Compiler {
        Compiler {
            isas,
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
        let target = self.isas.full.frontend_config();
        self.context.clear();
        let func = &mut self.context.func;
        lower(func, unit, body, target, &mut self.builders, links, knobs);
        let count = func.dfg.num_insts();
        if count > CLIF_MAX {
            return Err(Refusal::Length(count));
        }
        let effort = if unit.headers.is_empty() {
            Effort::Quick
        } else {
            Effort::Full
        };
        self.function(effort, id, dump)
    }

    /// Compiles a unit; a panic on the way is a refusal like others, because the program can go on without.
    ///
    /// # Errors
    /// As for `unit`, or it panicked.
    pub(crate) fn unit_or_panic(
        &mut self,
        unit: &Unit<'_>,
        id: CodeId,
        links: Links<'_>,
        knobs: Knobs,
    ) -> Result<Bytes, Refusal> {
        let work = || self.unit(unit, Body::Full, id, links, knobs, None);
        match std::panic::catch_unwind(AssertUnwindSafe(work)) {
            Ok(outcome) => outcome,
            Err(panic) => {
                // What was half done is not used again.
                *self = Compiler::new(self.isas.clone());
                Err(Refusal::Panicked(message_of(&*panic)))
            }
        }
    }

    /// Compiles the trampoline of a signature.
    ///
    /// # Errors
    /// Cranelift refuses it.
    pub(crate) fn trampoline(&mut self, passing: &Passing, id: CodeId) -> Result<Bytes, Refusal> {
        let target = self.isas.full.frontend_config();
        self.context.clear();
        let func = &mut self.context.func;
        enter::trampoline(func, target, &mut self.builders, passing);
        self.function(Effort::Quick, id, None)
    }

    /// Compiles the thunk of a runtime call.
    ///
    /// # Errors
    /// Cranelift refuses it.
    pub(crate) fn thunk(&mut self, call: (RtCall, Usage), id: CodeId) -> Result<Bytes, Refusal> {
        let target = self.isas.full.frontend_config();
        self.context.clear();
        enter::thunk(&mut self.context.func, target, &mut self.builders, call);
        self.function(Effort::Quick, id, None)
    }

    /// Compiles what stands in the context.
    fn function(
        &mut self,
        effort: Effort,
        id: CodeId,
        dump: Option<&mut Dump>,
    ) -> Result<Bytes, Refusal> {
        let isa = match effort {
            Effort::Quick => &*self.isas.quick,
            Effort::Full => &*self.isas.full,
        };
        self.context.set_disasm(dump.is_some());
        let clif = dump
            .is_some()
            .then(|| self.context.func.display().to_string());
        if leads_nowhere(&self.context.func) {
            return Err(Refusal::Unwritten);
        }
        let outcome = self.context.compile(isa, &mut ControlPlane::default());
        if let Err(error) = outcome {
            return Err(Refusal::Cranelift(pretty_error(error.func, error.inner)));
        }
        let Some(compiled) = self.context.compiled_code() else {
            return Err(Refusal::Cranelift("it gave no code".to_owned()));
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
        let relocs = compiled.buffer.relocs().iter();
        Ok(Bytes {
            id,
            code: compiled.code_buffer().to_vec(),
            alignment: u64::from(compiled.buffer.alignment).max(effort.alignment(isa)),
            relocs: relocs
                .map(|reloc| relocation(func, reloc, id))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// What the module is to do for an instruction that refers to another function of the module.
///
/// # Errors
/// It does not do so by a distance: code is executed elsewhere than where the module writes it, so any other reference
/// would be wrong there. No lowering asks for one.
fn relocation(
    func: &Function,
    reloc: &FinalizedMachReloc,
    id: CodeId,
) -> Result<ModuleReloc, Refusal> {
    let is_distance = matches!(
        reloc.kind,
        Reloc::X86PCRel4 | Reloc::X86CallPCRel4 | Reloc::Arm64Call
    );
    let is_function = matches!(
        reloc.target,
        FinalizedRelocTarget::ExternalName(ExternalName::User(_))
    );
    if is_distance && is_function {
        Ok(ModuleReloc::from_mach_reloc(reloc, func, id))
    } else {
        Err(Refusal::Reference(reloc.kind))
    }
}

#[cfg(test)]
mod tests {
    use cranelift_codegen::ir::{
        AbiParam, ExtFuncData, InstBuilder, Signature, UserExternalName, types,
    };
    use cranelift_frontend::FunctionBuilder;

    use super::*;
    use crate::memory::host_isas;

    /// Compiles a function that gives the address of another one.
    fn address_of_another(colocated: bool) -> Result<Bytes, Refusal> {
        let mut compiler = Compiler::new(host_isas(true).expect("a known processor"));
        let target = compiler.isas.full.frontend_config();
        compiler.context.clear();
        let func = &mut compiler.context.func;
        func.signature = Signature::new(target.default_call_conv);
        func.signature.returns.push(AbiParam::new(types::I64));
        let mut b = FunctionBuilder::new(func, &mut compiler.builders);
        let entry = b.create_block();
        b.switch_to_block(entry);
        b.seal_block(entry);
        let signature = b.import_signature(Signature::new(target.default_call_conv));
        let name = b.func.declare_imported_user_function(UserExternalName {
            namespace: 0,
            index: 1,
        });
        let other = b.import_function(ExtFuncData {
            name: ExternalName::user(name),
            signature,
            colocated,
            patchable: false,
        });
        let address = b.ins().func_addr(types::I64, other);
        b.ins().return_(&[address]);
        b.finalize(target);
        compiler.function(Effort::Quick, CodeId::from_u32(0), None)
    }

    #[test]
    fn a_reference_that_is_no_distance_is_refused_by_its_name() {
        let refused = address_of_another(false).expect_err("an address");
        assert_eq!(refused, Refusal::Reference(Reloc::Abs8));
        assert!(refused.to_string().contains("by Abs8"), "{refused}");
    }
}
