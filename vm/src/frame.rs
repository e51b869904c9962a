//! Frames: two register stacks, call records, prepared functions. Here because interpreter, collector and (later) native
//! code share this layout.
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
use crate::value::Word;

const NEAR_REGS: usize = 256;
/// Slots of each stack at the start.
const FIRST_SLOTS: usize = 4 << 10;
/// Most slots of each stack (32 MiB); a call beyond it is a stack overflow.
const SLOTS_MAX: usize = 4 << 20;

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
            asked_slots: AtomicU32::new(scalar_slots as u32),
            heat: AtomicU32::new(0),
            native: AtomicPtr::new(std::ptr::null_mut()),
            trampoline: AtomicPtr::new(std::ptr::null_mut()),
        }
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

    /// Calls go the short way again, unless there is native code.
    pub(crate) fn stay_interpreted(&self) {
        self.asked_slots.store(self.scalar_slots, Ordering::SeqCst);
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
        Obj::from_non_null(unsafe { std::ptr::NonNull::new_unchecked(bits as *mut u64) })
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

/// What a return needs to know; one per live frame.
#[derive(Clone, Copy, Debug)]
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
pub(crate) enum Exit {
    /// Nothing.
    Plain,
    /// The caller expects another result class: its signature number.
    Adapt(u32),
    /// Leave the interpreter.
    Leave,
}

/// The stacks of a VM.
#[derive(Debug)]
pub(crate) struct Stacks {
    scalars: Vec<u64>,
    refs: Vec<u64>,
    /// Ends of both stacks, one slot before their last.
    scalar_end: *mut u64,
    ref_end: *mut u64,
    pub(crate) records: Vec<Record>,
    /// Records that fit without a look at the call depth or more memory.
    record_room: usize,
}

impl Stacks {
    pub(crate) fn new() -> Stacks {
        Stacks {
            scalars: Vec::new(),
            refs: Vec::new(),
            scalar_end: std::ptr::null_mut(),
            ref_end: std::ptr::null_mut(),
            records: Vec::new(),
            record_room: 0,
        }
    }

    /// Makes the stacks so long and remembers their ends.
    fn resize(&mut self, slots: usize) {
        self.scalars.resize(slots, 0);
        self.refs.resize(slots, 0);
        self.scalar_end = &raw mut self.scalars[slots - 1];
        self.ref_end = &raw mut self.refs[slots - 1];
    }

    /// Whether one more record fits (else `more_records`).
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
        // SAFETY: record_room is at most the capacity, and the caller writes the record.
        unsafe {
            self.records.set_len(count + 1);
            self.records.as_mut_ptr().add(count)
        }
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

    /// Makes room for more records, up to the call depth; false if that is reached.
    #[cold]
    #[inline(never)]
    pub(crate) fn more_records(&mut self, call_depth: usize) -> bool {
        if self.records.len() >= call_depth {
            return false;
        }
        self.records.reserve(64);
        self.record_room = self.records.capacity().min(call_depth);
        true
    }

    /// The window at the bottom of empty stacks, where the arguments of the outermost call go.
    pub(crate) fn bottom(&mut self) -> Regs {
        if self.scalars.is_empty() {
            self.resize(FIRST_SLOTS);
        }
        Regs {
            s: self.scalars.as_mut_ptr(),
            r: self.refs.as_mut_ptr(),
        }
    }

    /// Whether a frame of `func` fits at this window.
    #[inline(always)]
    pub(crate) fn has_room(&self, func: &FuncInfo, window: Regs) -> bool {
        // In bytes: the frames are far smaller than the address space, so nothing wraps.
        let asked = func.asked_slots.load(Ordering::Relaxed);
        let scalars = window.s as usize + asked as usize * 8;
        let refs = window.r as usize + func.ref_slots as usize * 8;
        scalars <= self.scalar_end as usize && refs <= self.ref_end as usize
    }

    /// Makes both stacks longer and moves everything that points into them; `None` if they are at their limit.
    #[cold]
    #[inline(never)]
    pub(crate) fn grow(&mut self, func: &FuncInfo, current: Regs) -> Option<Regs> {
        let old = self.bottom();
        let needed = self.scalars.len() + func.scalar_slots.max(func.ref_slots) as usize + 1;
        let slots = needed.max(self.scalars.len() * 2).min(SLOTS_MAX);
        if slots < needed {
            return None;
        }
        self.resize(slots);
        let new = self.bottom();
        let moved = |regs: Regs| {
            // SAFETY: the offsets lay inside the old stacks, so they lie inside the longer new ones.
            unsafe {
                Regs {
                    s: new.s.add((regs.s as usize - old.s as usize) / 8),
                    r: new.r.add((regs.r as usize - old.r as usize) / 8),
                }
            }
        };
        for record in &mut self.records {
            record.regs = moved(record.regs);
        }
        Some(moved(current))
    }

    /// Whether a frame of `func` with these bases lies in the stacks.
    pub(crate) fn holds_frame(&self, func: &FuncInfo, regs: Regs) -> bool {
        let inside = |stack: &[u64], base: *mut u64, far: u32, slots: u32| {
            let offset = (base as usize).wrapping_sub(stack.as_ptr() as usize);
            let (first, end) = (offset / 8, offset / 8 + (slots - far) as usize);
            offset.is_multiple_of(8) && first >= far as usize && end <= stack.len()
        };
        inside(&self.scalars, regs.s, func.far_scalars, func.scalar_slots)
            && inside(&self.refs, regs.r, func.far_refs, func.ref_slots)
    }

    /// The bases of a frame of `func` at this window; there is room. Fills its reference slots with none.
    #[inline(always)]
    pub(crate) fn frame_at(func: &FuncInfo, window: Regs) -> Regs {
        let (far_scalars, far_refs) = (func.far_scalars as usize, func.far_refs as usize);
        // SAFETY: `has_room` was asked for this frame, which spans ref_slots from window.r on.
        unsafe {
            let regs = Regs {
                s: window.s.add(far_scalars),
                r: window.r.add(far_refs),
            };
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

    /// Calls `each` with every reference slot that may hold a live word. `current` is the newest frame.
    pub(crate) fn roots(&self, funcs: &[FuncInfo], current: Regs, mut each: impl FnMut(Word)) {
        let start = self.refs.as_ptr();
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
        for bits in &self.refs[..count] {
            each(Word::from_bits(*bits));
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
