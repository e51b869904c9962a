//! What a compiler gives to a program and asks of it: published code, entries of loops, addresses that stay as long as the
//! program. Here because both sides must agree on when an address may be used.
//! Must stay true: code is published once it is complete and executable, and stays so as long as the program.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock};

use flin_bytecode::{ConstId, FuncId, SigId};

use super::{CompileReport, HotCompiler, JitOptions, JitPolicy, NativeContext, Trampoline};
use crate::heap::CHARACTERS;
use crate::program::Program;
use crate::stack_memory::NATIVE_SLOTS_MAX;
use crate::value::Word;

/// The native side of a program.
#[derive(Default)]
pub(crate) struct NativeState {
    compiler: OnceLock<(Box<dyn HotCompiler>, JitOptions)>,
    /// By function and jump target of the loop.
    loops: RwLock<HashMap<(u32, u32), OsrEntry>>,
    pub(crate) osr_entries: AtomicU64,
    pub(crate) native_ops: AtomicU64,
    pub(crate) helper_ops: AtomicU64,
}

/// Native code that takes over a running frame at a loop's header.
#[derive(Clone, Copy)]
pub(crate) struct OsrEntry(pub(crate) Trampoline);

impl NativeState {
    /// The compiler, if there is one that may be asked.
    pub(crate) fn compiler(&self) -> Option<&dyn HotCompiler> {
        let (compiler, options) = self.compiler.get()?;
        (options.policy != JitPolicy::Off).then_some(&**compiler)
    }

    /// How native code is treated; none if there is no compiler.
    pub(crate) fn options(&self) -> Option<&JitOptions> {
        self.compiler.get().map(|(_, options)| options)
    }

    /// A running loop is entered.
    pub(crate) fn count_entry(&self) {
        self.osr_entries.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes over what a machine's native code counted.
    pub(crate) fn count(&self, context: &mut NativeContext) {
        let native_ops = std::mem::take(&mut context.native_ops);
        let helper_ops = std::mem::take(&mut context.helper_ops);
        self.native_ops.fetch_add(native_ops, Ordering::Relaxed);
        self.helper_ops.fetch_add(helper_ops, Ordering::Relaxed);
    }

    /// The code that goes on in this loop.
    pub(crate) fn entry_of_loop(&self, func: u32, header: u32) -> Option<OsrEntry> {
        let loops = self.loops.read().unwrap_or_else(PoisonError::into_inner);
        loops.get(&(func, header)).copied()
    }
}

impl std::fmt::Debug for NativeState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NativeState")
            .field("options", &self.options())
            .finish_non_exhaustive()
    }
}

/// What native code did in all machines of a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NativeCounts {
    /// How often a running loop was entered.
    pub osr_entries: u64,
    /// Operations of native code, those by the dispatch loop included (`JitOptions::count_ops`).
    pub native_ops: u64,
    /// Operations that it had done by the dispatch loop.
    pub helper_ops: u64,
    /// What the compiler says.
    pub compiled: CompileReport,
}

/// A program as a compiler sees it.
#[derive(Clone, Copy, Debug)]
pub struct Native<'p>(&'p Program);

impl<'p> Native<'p> {
    pub(crate) fn of(program: &'p Program) -> Native<'p> {
        Native(program)
    }

    /// Address of the prepared function (`layout::FUNC_NATIVE` and neighbours).
    pub fn func_info(self, func: FuncId) -> usize {
        &raw const self.0.funcs()[func.index()] as usize
    }

    /// Address of a text constant.
    pub fn text(self, constant: ConstId) -> usize {
        self.0.layouts().text(constant).address() as usize
    }

    /// The none word, which is the address of the none object.
    pub fn none(self) -> usize {
        Word::none().bits() as usize
    }

    /// Address of the text of the ASCII character with code 0 (`layout::CHARACTER_STRIDE`).
    pub fn characters(self) -> usize {
        &raw const CHARACTERS as usize
    }

    /// The number that equal signatures of functions have.
    pub fn signature_key(self, signature: SigId) -> u32 {
        self.0.signature_key(signature.index())
    }

    /// The same for a function.
    pub fn func_signature_key(self, func: FuncId) -> u32 {
        self.0.funcs()[func.index()].signature
    }

    /// Whether this function has native code.
    pub fn is_published(self, func: FuncId) -> bool {
        self.0.funcs()[func.index()].native_code().is_some()
    }

    /// Publishes native code of a function: from now on calls enter it.
    ///
    /// # Safety
    /// `native` is code as the calling convention says and `trampoline` a [`Trampoline`] for it; both stay executable
    /// until the program's compiler is dropped.
    pub unsafe fn publish(self, func: FuncId, native: *const u8, trampoline: *const u8) {
        let info = &self.0.funcs()[func.index()];
        let slots = info.scalar_slots.max(info.ref_slots) as usize;
        assert!(slots <= NATIVE_SLOTS_MAX, "a frame of {slots} slots");
        self.0.funcs()[func.index()].publish(native, trampoline);
    }

    /// Publishes native code that takes over a running frame of a function at a loop's header. `entry` is called with
    /// the window of the frame; all live registers stand in it; the result goes to the window's result slot.
    ///
    /// # Safety
    /// As for [`Native::publish`].
    pub unsafe fn publish_osr(self, func: FuncId, header: u32, entry: Trampoline) {
        let state = self.0.native_state();
        let mut loops = state.loops.write().unwrap_or_else(PoisonError::into_inner);
        loops.insert((func.0, header), OsrEntry(entry));
    }

    /// What native code did so far; a machine's part is added when one of its calls ends.
    pub fn counts(self) -> NativeCounts {
        let state = self.0.native_state();
        NativeCounts {
            osr_entries: state.osr_entries.load(Ordering::Relaxed),
            native_ops: state.native_ops.load(Ordering::Relaxed),
            helper_ops: state.helper_ops.load(Ordering::Relaxed),
            compiled: state
                .compiler()
                .map(HotCompiler::report)
                .unwrap_or_default(),
        }
    }

    /// How native code is treated; none if the program has no compiler.
    pub fn options(self) -> Option<&'p JitOptions> {
        self.0.native_state().options()
    }
}

impl Program {
    /// Gives the program a compiler, which is dropped with it. False if it has one already.
    pub fn set_compiler(&self, compiler: Box<dyn HotCompiler>, options: JitOptions) -> bool {
        let eager = options.policy == JitPolicy::Eager;
        let is_first = self
            .native_state()
            .compiler
            .set((compiler, options))
            .is_ok();
        if is_first && eager {
            for func in self.funcs() {
                func.ask_at_call();
            }
        }
        is_first
    }

    /// The program as a compiler sees it.
    pub fn native(&self) -> Native<'_> {
        Native::of(self)
    }
}
