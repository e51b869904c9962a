//! The state of one VM: program, heap, stacks, globals, markup output, counters. Here because operations, slow paths and
//! library bodies all work on it. Must stay true: globals of class ref or any always hold a valid word.

use std::sync::Arc;

use flin_bytecode::{Bank, Class};

use crate::frame::{FuncInfo, Regs, Stacks};
use crate::heap::{Heap, Obj};
use crate::interp::SLICE_FUEL;
use crate::native::{NativeContext, Pending, Segment};
use crate::program::Program;
use crate::semantics::markup::Output;
use crate::value::Word;
use crate::vm::{Counts, Limits};

/// The state of one VM.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) program: Arc<Program>,
    /// The program's prepared functions, one load away for calls.
    pub(crate) funcs: *const FuncInfo,
    pub(crate) heap: Heap,
    pub(crate) stacks: Stacks,
    pub(crate) globals: Vec<u64>,
    pub(crate) output: Output,
    pub(crate) limits: Limits,
    /// What records of the past are sealed with on their way to the page.
    pub(crate) page_key: crate::wire::Key,
    /// What native code sees. Fuel stands here whenever the dispatch loop is left.
    pub(crate) native: NativeContext,
    /// Native frames, oldest first.
    pub(crate) segments: Vec<Segment>,
    /// What native code left that answered 1.
    pub(crate) pending: Pending,
    /// Fuel between two questions to the host.
    pub(crate) slice_fuel: u32,
    /// Slices that ended in loops of native code; counted only if tests ask for exits there.
    pub(crate) native_slices: u32,
    pub(crate) fuel_used: u64,
    pub(crate) entity_reads: u64,
    pub(crate) entity_writes: u64,
    /// An error object on its way out of the interpreter, or one that conversion still needs: a root.
    pub(crate) pinned: Option<Obj>,
}

impl Machine {
    pub(crate) fn new(program: Arc<Program>, limits: Limits) -> Machine {
        let heap = Heap::new(
            program.layouts().clone(),
            limits.memory_bytes,
            limits.collect_every_allocation,
        );
        let globals = program
            .module()
            .globals
            .iter()
            .map(|global| empty_global(global.class))
            .collect();
        let funcs = program.funcs().as_ptr();
        let options = program.native().options();
        let slice_fuel = options.map_or(SLICE_FUEL, |options| options.slice_fuel.max(1));
        Machine {
            program,
            funcs,
            heap,
            stacks: Stacks::new(limits.call_depth as usize),
            globals,
            output: Output::default(),
            limits,
            page_key: crate::wire::Key::default(),
            native: NativeContext::new(),
            segments: Vec::new(),
            pending: Pending::Nothing,
            slice_fuel,
            native_slices: 0,
            fuel_used: 0,
            entity_reads: 0,
            entity_writes: 0,
            pinned: None,
        }
    }

    /// Points the context to where things are now; a machine may have been moved since the last call.
    pub(crate) fn prepare_context(&mut self) {
        self.native.depth_limit = self.stacks.words_end();
        self.native.globals = self.globals.as_mut_ptr();
        self.native.classes = self.heap.size_classes();
    }

    /// What this VM did so far.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            instructions: self.fuel_used,
            allocated_bytes: self.heap.allocated_bytes(),
            entity_reads: self.entity_reads,
            entity_writes: self.entity_writes,
            collections: self.heap.collections,
        }
    }

    /// The running function executes the instruction at this address.
    #[cfg(feature = "count")]
    pub(crate) fn count(&self, pc: *const u64) {
        if let Some(record) = self.stacks.records.last() {
            let instruction = self.program.funcs()[record.func as usize].instruction(pc);
            self.program.profile().count(record.func, instruction);
        }
    }

    /// Collects garbage. Called between operations only: `current` is the running frame.
    #[cold]
    #[inline(never)]
    pub(crate) fn collect(&mut self, current: Regs) {
        self.materialise();
        let Machine {
            program,
            heap,
            stacks,
            globals,
            output,
            pinned,
            ..
        } = self;
        heap.collect(|marker| {
            stacks.roots(program.funcs(), current, |word| marker.word(word));
            for (bits, global) in globals.iter().zip(&program.module().globals) {
                if global.class.bank() == Bank::Reference {
                    marker.word(Word::from_bits(*bits));
                }
            }
            if let Some(obj) = pinned {
                marker.object(*obj);
            }
        });
        // Markup that is being written still counts; if it alone is beyond the limit, the next allocation says so.
        let _ = heap.charge_outside(output.bytes());
    }
}

fn empty_global(class: Class) -> u64 {
    match class {
        Class::I64 | Class::F64 | Class::Bool => 0,
        Class::Ref | Class::Any => Word::none().bits(),
    }
}
