//! Native frames as the rest of the machine sees them. Here because collector, traces and unwinding walk call records, and
//! native code writes none: they are made from the call words when somebody looks.
//! Must stay true: each entry from the dispatch loop into native code is one segment; all its frames lie directly one
//! above the other, and each frame but the newest stands at the call whose window is the next one's.

use std::any::Any;

use crate::frame::{Exit, Record, Regs, Stacks};
use crate::interp::{At, Insn};
use crate::machine::Machine;

/// Native frames between two runs of the dispatch loop.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Where the caller of the first frame goes on.
    pub(crate) from: At,
    /// Depth of the first frame.
    pub(crate) first: usize,
    /// Its window.
    pub(crate) window: Regs,
    /// Whether its record is a real one, because the frame began in the interpreter.
    pub(crate) has_record: bool,
    /// Depth of the newest frame, as of the last time native code called out.
    pub(crate) top: usize,
    /// Whether the records were made since then.
    pub(crate) filled: bool,
}

impl Segment {
    /// Records that count while its native code runs.
    pub(crate) fn records(&self) -> usize {
        self.first + usize::from(self.has_record)
    }
}

/// What native code that answered 1 leaves in the machine.
#[derive(Default)]
pub(crate) enum Pending {
    /// Nothing.
    #[default]
    Nothing,
    /// The error object in `Machine::pinned`.
    Error,
    /// The host stopped the run; the error that says so is in `Machine::pinned`.
    Stopped,
    /// A panic.
    Panic(Box<dyn Any + Send>),
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Pending::Nothing => "Nothing",
            Pending::Error => "Error",
            Pending::Stopped => "Stopped",
            Pending::Panic(_) => "Panic",
        })
    }
}

impl Machine {
    /// Makes the records of all native frames. Afterwards the records say the whole truth.
    #[inline]
    pub(crate) fn materialise(&mut self) {
        if !self.segments.is_empty() {
            self.materialise_segments();
        }
    }

    #[cold]
    #[inline(never)]
    fn materialise_segments(&mut self) {
        let mut segments = std::mem::take(&mut self.segments);
        for segment in &mut segments {
            if !segment.filled {
                segment.filled = true;
                self.materialise_segment(segment);
            }
        }
        self.segments = segments;
    }

    fn materialise_segment(&mut self, segment: &Segment) {
        let (mut caller, mut window) = (segment.from, segment.window);
        for depth in segment.first..=segment.top {
            // SAFETY: the frame is live, so its call word was written; there is one per depth.
            let word = unsafe { *self.stacks.words.add(depth) };
            let (func, insn) = ((word >> 32) as u32, word as u32);
            let info = &self.program.funcs()[func as usize];
            let place = self.stacks.record_at(depth);
            if depth > segment.first || !segment.has_record {
                let record = Record {
                    code: caller.code,
                    pc: caller.pc,
                    regs: caller.regs,
                    func,
                    result_slot: info.result_slot,
                    exit: Exit::Leave,
                };
                // SAFETY: the place of a record, which `record_at` checked.
                unsafe { place.write(record) }
            }
            // SAFETY: the number is one of an instruction of this function.
            let at = unsafe { info.code.add(insn as usize) };
            caller = At {
                pc: at.wrapping_add(1),
                code: info.code,
                regs: Stacks::bases(info, window),
            };
            // The newest frame stands at some instruction, and its window is not used.
            // SAFETY: as above.
            let call = Insn::at(unsafe { *at });
            window = Regs {
                s: caller.regs.s.wrapping_add(call.a() as usize),
                r: caller.regs.r.wrapping_add(call.b() as usize),
            };
        }
        if self.stacks.records.len() <= segment.top {
            self.stacks.set_depth(segment.top + 1);
        }
    }
}
