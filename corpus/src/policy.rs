//! The ways in which a program is executed, which must all do the same. Here because the corpus, the hunts and valgrind
//! go by this one list. Must stay true: what a policy does depends on the program's text alone, so a failure repeats.

use std::sync::Arc;

use flin_bytecode::Module;
use flin_bytecode::VerifyError;
use flin_jit::{Jit, Plant};
use flin_vm::Program;
use flin_vm::native::{JitOptions, JitPolicy};

/// How a program is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Interpreted.
    Interpreter,
    /// Interpreted, collecting garbage at every operation that allocates.
    CollectAlways,
    /// Functions and loops become native code after a few turns.
    Sync,
    /// Functions become native code before their first call.
    Eager,
    /// The same, each operation translated by itself.
    Plain,
    /// The same, collecting garbage at every operation that allocates.
    EagerCollecting,
    /// Every loop is taken over by native code after a few turns.
    Loops,
    /// The same, collecting garbage at every operation that allocates.
    LoopsCollecting,
    /// Native from the first call, and native code leaves its frame before every n-th instruction.
    Exits,
    /// Every loop is taken over, is left before every n-th instruction, and is taken over again.
    LoopExits,
}

impl Policy {
    /// All of them; the first is the one that is right by definition.
    pub const ALL: [Policy; 10] = [
        Policy::Interpreter,
        Policy::CollectAlways,
        Policy::Sync,
        Policy::Eager,
        Policy::Plain,
        Policy::EagerCollecting,
        Policy::Loops,
        Policy::LoopsCollecting,
        Policy::Exits,
        Policy::LoopExits,
    ];

    /// Whether garbage is collected at every operation that allocates.
    pub fn collects_always(self) -> bool {
        match self {
            Policy::CollectAlways | Policy::EagerCollecting | Policy::LoopsCollecting => true,
            Policy::Interpreter
            | Policy::Sync
            | Policy::Eager
            | Policy::Plain
            | Policy::Loops
            | Policy::Exits
            | Policy::LoopExits => false,
        }
    }

    /// How native code is made and left, if there is any. `salt` chooses where it is left.
    pub fn native(self, salt: u32) -> Option<JitOptions> {
        // No divisor of one of them is one of the other: all pairs of moments come up.
        let leave_every = [1, 2, 3, 5, 7, 11, 17, 31][salt as usize % 8];
        let slice_fuel = [3, 4, 7, 13][(salt / 8) as usize % 4];
        let sync = JitOptions {
            slice_fuel: 16,
            hot_fuel: 64,
            ..JitOptions::of(JitPolicy::Sync)
        };
        let loops = JitOptions {
            osr_every_loop: true,
            slice_fuel,
            ..JitOptions::of(JitPolicy::Sync)
        };
        let eager = JitOptions::of(JitPolicy::Eager);
        match self {
            Policy::Interpreter | Policy::CollectAlways => None,
            Policy::Sync => Some(sync),
            Policy::Eager | Policy::EagerCollecting => Some(eager),
            Policy::Plain => Some(JitOptions {
                plain: true,
                ..eager
            }),
            Policy::Loops | Policy::LoopsCollecting => Some(loops),
            Policy::Exits => Some(JitOptions {
                leave_every,
                ..eager
            }),
            Policy::LoopExits => Some(JitOptions {
                leave_every,
                exit_every: 2,
                ..loops
            }),
        }
    }
}

/// A policy, and for the tests of the tests a mistake in native code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) policy: Policy,
    pub(crate) plant: Option<Plant>,
}

impl Way {
    /// Loads a module so that it will be executed this way.
    ///
    /// # Errors
    /// The verifier refuses the module.
    ///
    /// # Panics
    /// If there is no native code on this machine.
    pub(crate) fn load(self, module: Module, salt: u32) -> Result<Arc<Program>, VerifyError> {
        let program = Program::load(module)?;
        if let Some(options) = self.policy.native(salt) {
            let jit = Jit::with_plant(&options, self.plant).unwrap_or_else(|e| panic!("{e}"));
            assert!(
                program.set_compiler(Box::new(jit), options),
                "a new program"
            );
        }
        Ok(program)
    }
}

/// Loads a module so that it will be executed under a policy; `salt` chooses where native code is left.
///
/// # Errors
/// The verifier refuses the module.
///
/// # Panics
/// If there is no native code on this machine.
pub fn load(module: Module, policy: Policy, salt: u32) -> Result<Arc<Program>, VerifyError> {
    let plant = None;
    Way { policy, plant }.load(module, salt)
}

/// A number for a text.
pub(crate) fn salt_of(source: &str) -> u32 {
    source.bytes().fold(7, |salt: u32, byte| {
        salt.wrapping_mul(31).wrapping_add(u32::from(byte))
    }) >> 3
}
