//! Frames: two register stacks, call records, prepared functions. Here because interpreter, collector and native code
//! share this layout.
//!
//! A frame of a function with far registers lies `[far][near]` in each bank; the base points at near register 0 and far
//! register 256 + n is at base - 1 - n. A callee's frame starts at the window that the call names; its arguments are
//! already there and move up by the number of far registers.
//! Must stay true: every reference slot between the start of the stack and the highest end of a live frame holds a valid
//! word (filled with none at entry), because the collector reads them all.
#![allow(unsafe_code)]

use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use flin_bytecode::{Bank, Function};

use crate::heap::Obj;
use crate::interp::threads::apart;
use crate::stack_memory::{NATIVE_SLOTS_MAX, SLOTS_MAX, StackMemory};
use crate::value::Word;

/// Registers that an instruction can name in a byte.
pub(crate) const NEAR_REGS: usize = 256;

/// A function prepared for calls.
#[derive(Debug)]
pub(crate) struct FuncInfo {
    /// First instruction.
    pub(crate) code: *const u64,
    pub(crate) far_scalars: u32,
    pub(crate) far_refs: u32,
    /// Slots of the whole frame.
    pub(crate) scalar_slots: u32,
    pub(crate) ref_slots: u32,
    pub(crate) scalar_params: u32,
    /// Reference parameters, the closure included.
    pub(crate) ref_params: u32,
    /// Where the result goes, counted from the window start of its bank.
    pub(crate) result_slot: u32,
    /// Equal for equal signatures.
    pub(crate) signature: u32,
    /// Scalar slots that a call asks room for: all of the frame's, or more than there can be, so that the call takes its
    /// cold way and sees the native code. So calls of interpreted functions pay nothing for this.
    asked_slots: AtomicU32,
    /// Fuel used in this function while it was interpreted, roughly.
    pub(crate) heat: AtomicU32,
    /// Native code and the trampoline that enters it; null while there is none.
    pub(crate) native: AtomicPtr<u8>,
    pub(crate) trampoline: AtomicPtr<u8>,
}

/// More slots than a stack has.
const NO_ROOM: u32 = 1 << 31;
/// Also more than a stack has: calls of functions with far registers always take the cold way, because their arguments move.
const FAR: u32 = NO_ROOM + 1;

// SAFETY: `code` points into the module of the program that owns this, which never changes.
unsafe impl Send for FuncInfo {}
// SAFETY: as above; all access is reading.
unsafe impl Sync for FuncInfo {}

impl FuncInfo {
    /// Prepares a verified function. The function must stay where it is as long as this is used.
    pub(crate) fn new(function: &Function, signature: u32) -> FuncInfo {
        let scalar_slots = function.scalar_regs.len();
        let ref_slots = function.ref_regs.len();
        let in_bank = |bank: Bank| {
            function
                .signature
                .params
                .iter()
                .filter(|class| class.bank() == bank)
                .count() as u32
        };
        FuncInfo {
            code: function.code.as_ptr(),
            far_scalars: scalar_slots.saturating_sub(NEAR_REGS) as u32,
            far_refs: ref_slots.saturating_sub(NEAR_REGS) as u32,
            scalar_slots: scalar_slots as u32,
            ref_slots: ref_slots as u32,
            scalar_params: in_bank(Bank::Scalar),
            ref_params: in_bank(Bank::Reference) + u32::from(function.is_closure),
            result_slot: function.signature.result_slot(function.is_closure) as u32,
            signature,
            asked_slots: AtomicU32::new(if scalar_slots.max(ref_slots) > NEAR_REGS {
                FAR
            } else {
                scalar_slots as u32
            }),
            heat: AtomicU32::new(0),
            native: AtomicPtr::new(std::ptr::null_mut()),
            trampoline: AtomicPtr::new(std::ptr::null_mut()),
        }
    }

    /// Whether a frame has far registers.
    pub(crate) fn is_far(&self) -> bool {
        self.far_scalars + self.far_refs != 0
    }

    /// Calls enter this code from now on.
    pub(crate) fn publish(&self, native: *const u8, trampoline: *const u8) {
        self.trampoline
            .store(trampoline.cast_mut(), Ordering::Relaxed);
        self.native.store(native.cast_mut(), Ordering::Release);
        self.asked_slots.store(NO_ROOM, Ordering::SeqCst);
    }

    /// The next call takes its cold way, where a compiler is asked.
    pub(crate) fn ask_at_call(&self) {
        self.asked_slots.store(NO_ROOM, Ordering::SeqCst);
    }

    /// Whether the next call is such.
    pub(crate) fn is_asked_at_call(&self) -> bool {
        self.asked_slots.load(Ordering::Relaxed) == NO_ROOM
    }

    /// Calls go the short way again, unless there is native code.
    pub(crate) fn stay_interpreted(&self) {
        let asked = if self.is_far() {
            FAR
        } else {
            self.scalar_slots
        };
        self.asked_slots.store(asked, Ordering::SeqCst);
        if !self.native.load(Ordering::SeqCst).is_null() {
            self.asked_slots.store(NO_ROOM, Ordering::SeqCst);
        }
    }

    /// Native code and its trampoline.
    pub(crate) fn native_code(&self) -> Option<(NonNull<u8>, NonNull<u8>)> {
        let native = NonNull::new(self.native.load(Ordering::Acquire))?;
        Some((
            native,
            NonNull::new(self.trampoline.load(Ordering::Relaxed))?,
        ))
    }

    /// Instruction number of an address in this function's code.
    pub(crate) fn instruction(&self, pc: *const u64) -> u32 {
        ((pc as usize - self.code as usize) / 8) as u32
    }
}

/// The register bases of a frame. Only made for verified code, whose register numbers lie inside the frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Regs {
    pub(crate) s: *mut u64,
    pub(crate) r: *mut u64,
}

impl Regs {
    /// Bits of a scalar register.
    #[inline(always)]
    pub(crate) fn scalar(self, reg: u8) -> u64 {
        // SAFETY: verified code names registers inside its frame.
        unsafe { *self.s.add(reg as usize) }
    }

    #[inline(always)]
    pub(crate) fn set_scalar(self, reg: u8, bits: u64) {
        // SAFETY: verified code names registers inside its frame.
        unsafe { *self.s.add(reg as usize) = bits }
    }

    #[inline(always)]
    pub(crate) fn int(self, reg: u8) -> i64 {
        self.scalar(reg) as i64
    }

    #[inline(always)]
    pub(crate) fn set_int(self, reg: u8, value: i64) {
        self.set_scalar(reg, value as u64);
    }

    #[inline(always)]
    pub(crate) fn float(self, reg: u8) -> f64 {
        f64::from_bits(self.scalar(reg))
    }

    #[inline(always)]
    pub(crate) fn set_float(self, reg: u8, value: f64) {
        self.set_scalar(reg, value.to_bits());
    }

    #[inline(always)]
    pub(crate) fn bool(self, reg: u8) -> bool {
        self.scalar(reg) != 0
    }

    #[inline(always)]
    pub(crate) fn set_bool(self, reg: u8, value: bool) {
        self.set_scalar(reg, u64::from(value));
    }

    /// Bits of a reference register.
    #[inline(always)]
    pub(crate) fn reference(self, reg: u8) -> u64 {
        // SAFETY: verified code names registers inside its frame.
        unsafe { *self.r.add(reg as usize) }
    }

    #[inline(always)]
    pub(crate) fn set_reference(self, reg: u8, bits: u64) {
        // SAFETY: verified code names registers inside its frame.
        unsafe { *self.r.add(reg as usize) = bits }
    }

    #[inline(always)]
    pub(crate) fn any(self, reg: u8) -> Word {
        Word::from_bits(self.reference(reg))
    }

    #[inline(always)]
    pub(crate) fn set_any(self, reg: u8, word: Word) {
        self.set_reference(reg, word.bits());
    }

    /// The object in a register of class ref.
    #[inline(always)]
    pub(crate) fn obj(self, reg: u8) -> Obj {
        let bits = self.reference(reg);
        debug_assert!(bits != 0 && bits & 7 == 0, "a ref register holds an object");
        // SAFETY: registers of class ref are filled with the none object at entry and only ever written with objects.
        Obj::from_non_null(unsafe { NonNull::new_unchecked(bits as *mut u64) })
    }

    #[inline(always)]
    pub(crate) fn set_obj(self, reg: u8, obj: Obj) {
        self.set_reference(reg, obj.address());
    }

    /// Bits of a slot counted from the bases, in either bank (call windows, results).
    #[inline(always)]
    pub(crate) fn slot(self, bank: Bank, index: usize) -> u64 {
        // SAFETY: windows lie inside the frame (verified).
        unsafe {
            match bank {
                Bank::Scalar => *self.s.add(index),
                Bank::Reference => *self.r.add(index),
            }
        }
    }

    #[inline(always)]
    pub(crate) fn set_slot(self, bank: Bank, index: usize, bits: u64) {
        // SAFETY: windows lie inside the frame (verified).
        unsafe {
            match bank {
                Bank::Scalar => *self.s.add(index) = bits,
                Bank::Reference => *self.r.add(index) = bits,
            }
        }
    }

    /// Bits of a register by its wide number.
    pub(crate) fn bits(self, bank: Bank, reg: u16) -> u64 {
        // SAFETY: callers name registers inside the frame.
        unsafe { *self.wide(bank, reg) }
    }

    /// Register by its wide number (256 and above lie below the base).
    #[inline(always)]
    pub(crate) fn wide(self, bank: Bank, reg: u16) -> *mut u64 {
        let base = match bank {
            Bank::Scalar => self.s,
            Bank::Reference => self.r,
        };
        let reg = usize::from(reg);
        // SAFETY: verified code names registers inside its frame.
        unsafe {
            if reg < NEAR_REGS {
                base.add(reg)
            } else {
                base.sub(1 + reg - NEAR_REGS)
            }
        }
    }

    /// Bases of a window of this frame.
    #[inline(always)]
    pub(crate) fn window(self, scalar: u8, reference: u8) -> Regs {
        // SAFETY: windows start inside the frame or one past it (verified).
        unsafe {
            Regs {
                s: self.s.add(scalar as usize),
                r: self.r.add(reference as usize),
            }
        }
    }
}

/// What a return needs to know; one per live frame of the interpreter. Frames of native code have one only while
/// somebody looks at them (`native/segments.rs`); their places are kept free.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Record {
    /// The caller's code, next instruction and bases.
    pub(crate) code: *const u64,
    pub(crate) pc: *const u64,
    pub(crate) regs: Regs,
    /// The function that this frame runs.
    pub(crate) func: u32,
    /// Where its result goes, counted from the window start.
    pub(crate) result_slot: u32,
    /// What a return must do besides.
    pub(crate) exit: Exit,
}

/// What a return must do besides handing over the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, u32)]
pub(crate) enum Exit {
    /// Nothing.
    Plain,
    /// Nothing, but the frame has far registers, so its window does not begin where its registers do.
    Far,
    /// The caller expects another result class: its signature number.
    Adapt(u32),
    /// Leave the dispatch loop: the result stays in the frame's own window. Errors leave it behind this frame, too.
    Leave,
    /// Both.
    LeaveAdapt(u32),
}

impl Exit {
    /// Whether the dispatch loop is left behind this frame.
    pub(crate) fn leaves(self) -> bool {
        match self {
            Exit::Plain | Exit::Far | Exit::Adapt(_) => false,
            Exit::Leave | Exit::LeaveAdapt(_) => true,
        }
    }
}

/// The stacks of a VM. They never move: native code holds addresses of frames.
#[derive(Debug)]
pub(crate) struct Stacks {
    memory: Option<StackMemory>,
    /// First slots of both stacks.
    bottom: Regs,
    /// Ends of what interpreted frames may use.
    scalar_end: *mut u64,
    ref_end: *mut u64,
    pub(crate) records: Vec<Record>,
    /// Most records, which is the call depth.
    record_room: usize,
    /// The call word of the frame at depth 0, if it runs native code: `function << 32 | instruction`; one per depth.
    pub(crate) words: *mut u64,
}

impl Stacks {
    pub(crate) fn new(call_depth: usize) -> Stacks {
        let mut memory = StackMemory::take(call_depth);
        // SAFETY: SLOTS_MAX slots lie inside of both stacks.
        let (scalar_end, ref_end) = unsafe {
            (
                memory.scalars.first().add(SLOTS_MAX),
                memory.refs.first().add(SLOTS_MAX),
            )
        };
        Stacks {
            bottom: Regs {
                s: memory.scalars.first(),
                r: memory.refs.first(),
            },
            scalar_end,
            ref_end,
            records: std::mem::take(&mut memory.records),
            record_room: call_depth,
            words: memory.words.first(),
            memory: Some(memory),
        }
    }

    /// Whether one more record fits.
    #[inline(always)]
    pub(crate) fn has_record_room(&self) -> bool {
        self.records.len() < self.record_room
    }

    /// Where the record of a new frame goes; it counts from now on and must be written at once, field by field (a whole
    /// record would be put together in memory and copied). Only after `has_record_room`.
    #[inline(always)]
    pub(crate) fn new_record(&mut self) -> *mut Record {
        let count = self.records.len();
        debug_assert!(count < self.record_room);
        // SAFETY: the capacity is the call depth, and the caller writes the record.
        unsafe {
            self.records.set_len(count + 1);
            self.records.as_mut_ptr().add(count)
        }
    }

    /// The place of the record at `depth`, which need not count.
    pub(crate) fn record_at(&mut self, depth: usize) -> *mut Record {
        assert!(depth < self.record_room);
        // SAFETY: the capacity is the call depth.
        unsafe { self.records.as_mut_ptr().add(depth) }
    }

    /// So many records count from now on; those of native frames may hold anything (never uninitialised memory).
    pub(crate) fn set_depth(&mut self, depth: usize) {
        assert!(depth <= self.record_room);
        // SAFETY: the capacity is the call depth; the memory was zeroed, which is a valid record, when it was made.
        unsafe { self.records.set_len(depth) }
    }

    /// The record of the running frame, still counted. Only while a function runs.
    #[inline(always)]
    pub(crate) fn last_record(&self) -> *const Record {
        debug_assert!(!self.records.is_empty());
        // SAFETY: a running function has a record.
        unsafe { self.records.as_ptr().add(self.records.len() - 1) }
    }

    /// The running frame is gone.
    #[inline(always)]
    pub(crate) fn drop_record(&mut self) {
        debug_assert!(!self.records.is_empty());
        // SAFETY: a running function has a record; records need no drop.
        unsafe { self.records.set_len(self.records.len() - 1) }
    }

    /// Frames that may still be made.
    pub(crate) fn depth_left(&self) -> usize {
        self.record_room - self.records.len()
    }

    /// Says where the running frame stands.
    pub(crate) fn set_last_word(&mut self, word: u64) {
        debug_assert!(!self.records.is_empty());
        // SAFETY: there is a call word for each record.
        unsafe { *self.words.add(self.records.len() - 1) = word }
    }

    /// First call word that is too deep.
    pub(crate) fn words_end(&self) -> *mut u64 {
        self.words.wrapping_add(self.record_room)
    }

    /// The window at the bottom of empty stacks, where the arguments of the outermost call go.
    pub(crate) fn bottom(&self) -> Regs {
        self.bottom
    }

    /// Whether a frame of `func` fits at this window and may be entered the short way, without a look for native code.
    #[inline(always)]
    pub(crate) fn has_room(&self, func: &FuncInfo, window: Regs) -> bool {
        self.has_slots(func, func.asked_slots.load(Ordering::Relaxed), window)
    }

    /// Whether a frame of `func` fits at this window.
    pub(crate) fn has_frame_room(&self, func: &FuncInfo, window: Regs) -> bool {
        self.has_slots(func, func.scalar_slots, window)
    }

    #[inline(always)]
    fn has_slots(&self, func: &FuncInfo, scalar_slots: u32, window: Regs) -> bool {
        // In bytes: the frames are far smaller than the address space, so nothing wraps.
        let scalars = window.s as usize + scalar_slots as usize * 8;
        let refs = window.r as usize + func.ref_slots as usize * 8;
        scalars <= self.scalar_end as usize && refs <= self.ref_end as usize
    }

    /// Whether a frame of `func` with these bases lies in the stacks.
    pub(crate) fn holds_frame(&self, func: &FuncInfo, regs: Regs) -> bool {
        let slots_max = SLOTS_MAX + self.record_room * NATIVE_SLOTS_MAX;
        let inside = |bottom: *mut u64, base: *mut u64, far: u32, slots: u32| {
            let offset = (base as usize).wrapping_sub(bottom as usize);
            let (first, end) = (offset / 8, offset / 8 + (slots - far) as usize);
            offset.is_multiple_of(8) && first >= far as usize && end <= slots_max
        };
        inside(self.bottom.s, regs.s, func.far_scalars, func.scalar_slots)
            && inside(self.bottom.r, regs.r, func.far_refs, func.ref_slots)
    }

    /// The bases of a frame of `func` at this window.
    #[inline(always)]
    pub(crate) fn bases(func: &FuncInfo, window: Regs) -> Regs {
        // SAFETY: the frame lies in the stacks, and its near part behind its far part.
        unsafe {
            Regs {
                s: window.s.add(func.far_scalars as usize),
                r: window.r.add(func.far_refs as usize),
            }
        }
    }

    /// The window of a frame of `func` with these bases.
    pub(crate) fn window_of(func: &FuncInfo, regs: Regs) -> Regs {
        // SAFETY: as for `bases`.
        unsafe {
            Regs {
                s: regs.s.sub(func.far_scalars as usize),
                r: regs.r.sub(func.far_refs as usize),
            }
        }
    }

    /// The bases of a frame of `func` at this window; there is room. Fills its reference slots with none.
    #[inline(always)]
    pub(crate) fn frame_at(func: &FuncInfo, window: Regs) -> Regs {
        let (far_scalars, far_refs) = (func.far_scalars as usize, func.far_refs as usize);
        let regs = Stacks::bases(func, window);
        // SAFETY: `has_room` was asked for this frame, which spans ref_slots from window.r on.
        unsafe {
            if far_scalars + far_refs != 0 {
                move_arguments(func, window, regs);
            }
            let none = Word::none().bits();
            for index in far_refs + func.ref_params as usize..func.ref_slots as usize {
                *window.r.add(index) = none;
            }
            regs
        }
    }

    /// Fills the reference slots of a frame without far registers with none.
    #[inline(always)]
    pub(crate) fn fill_near(func: &FuncInfo, window: Regs) {
        let none = Word::none().bits();
        for index in func.ref_params as usize..func.ref_slots as usize {
            // SAFETY: `has_room` was asked for this frame.
            unsafe { *window.r.add(index) = none };
            // Most frames have a few: a loop over pairs or fours takes longer to start than to run.
            apart!("fill");
        }
    }

    /// Calls `each` with every reference slot that may hold a live word. `current` is the newest frame.
    pub(crate) fn roots(&self, funcs: &[FuncInfo], current: Regs, mut each: impl FnMut(Word)) {
        let start = self.bottom.r;
        let mut end = start as usize;
        for (index, record) in self.records.iter().enumerate() {
            let base = self
                .records
                .get(index + 1)
                .map_or(current, |next| next.regs);
            let func = &funcs[record.func as usize];
            let top = base.r as usize + (func.ref_slots - func.far_refs) as usize * 8;
            end = end.max(top);
        }
        let count = (end - start as usize) / 8;
        for index in 0..count {
            // SAFETY: all slots below the end of a live frame lie in the stack.
            each(Word::from_bits(unsafe { *start.add(index) }));
        }
    }
}

impl Drop for Stacks {
    fn drop(&mut self) {
        if let Some(mut memory) = self.memory.take() {
            self.records.clear();
            memory.records = std::mem::take(&mut self.records);
            memory.give_back();
        }
    }
}

/// Moves arguments up behind the far registers, which are filled with none.
///
/// # Safety
/// The frame must have room.
#[cold]
#[inline(never)]
unsafe fn move_arguments(func: &FuncInfo, window: Regs, regs: Regs) {
    // SAFETY: promised by the caller.
    unsafe {
        std::ptr::copy(window.s, regs.s, func.scalar_params as usize);
        std::ptr::copy(window.r, regs.r, func.ref_params as usize);
        let none = Word::none().bits();
        for index in 0..func.far_refs as usize {
            *window.r.add(index) = none;
        }
    }
}
