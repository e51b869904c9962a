//! What the compiler of a program has done and does next: code memory, what was compiled, what was refused. Here because
//! all of it stands behind one lock. Must stay true: native code refers to functions only that are in code memory or in
//! its own batch.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use flin_bytecode::{FuncId, Function, Instr, Op};
use flin_vm::Program;
use flin_vm::native::{CompileReport, JitOptions, RtCall};

use crate::batch::{Batch, Compiled, Member};
use crate::compile::{Compiler, Dump};
use crate::convention::{self, Usage};
use crate::lower::{Body, Knobs};
use crate::memory::{Bytes, Code, CodeId, CodeMemory, Isas, host_isas};
use crate::outside::{Outside, Passing};
use crate::unit::{Entry, Refusal, Unit, admissible};
use crate::{Callees, DumpError, JitError, Links, Plant, Thunks, publish};

/// Whether Cranelift checks what it is given.
pub(crate) const VERIFY: bool = cfg!(debug_assertions);

/// The runtime calls that have thunks, in the order of `Thunks`.
const THUNK_CALLS: [(RtCall, Usage); 6] = [
    (RtCall::Step, Usage::Usual),
    (RtCall::Step, Usage::Rare),
    (RtCall::Call, Usage::Rare),
    (RtCall::Slice, Usage::Rare),
    (RtCall::Start, Usage::Rare),
    (RtCall::Exit, Usage::Rare),
];

/// The thunks, which are the same for all programs of this process.
static THUNKS: OnceLock<Result<Vec<Bytes>, Refusal>> = OnceLock::new();

/// All that stands behind the lock of a compiler.
#[derive(Debug)]
pub(crate) struct State {
    memory: CodeMemory,
    compiler: Compiler,
    knobs: Knobs,
    /// Native functions by number.
    functions: Callees,
    loops: HashSet<(FuncId, u32)>,
    trampolines: HashMap<Passing, Code>,
    /// Made with the first batch.
    thunks: Option<Thunks>,
    /// What a batch has begun and not finished.
    begun: HashSet<(FuncId, Entry)>,
    refused: HashMap<(FuncId, Entry), Refusal>,
    /// How many of them are mistakes of the compiler.
    faults: u64,
    /// It was said that there is no code memory left.
    said_full: bool,
    nanoseconds: u64,
}

impl State {
    /// Reserves code memory.
    pub(crate) fn new(
        isas: Isas,
        options: &JitOptions,
        plant: Option<Plant>,
    ) -> Result<State, JitError> {
        Ok(State {
            memory: CodeMemory::new(isas.full.clone())?,
            compiler: Compiler::new(isas),
            knobs: Knobs {
                count_ops: options.count_ops,
                leave_every: options.leave_every,
                plain: options.plain,
                plant,
            },
            functions: HashMap::new(),
            loops: HashSet::new(),
            trampolines: HashMap::new(),
            thunks: None,
            begun: HashSet::new(),
            refused: HashMap::new(),
            faults: 0,
            said_full: false,
            nanoseconds: 0,
        })
    }

    pub(crate) fn report(&self) -> CompileReport {
        CompileReport {
            functions: self.functions.len() as u64,
            loops: self.loops.len() as u64,
            refused: self.refused.len() as u64,
            faults: self.faults,
            code_bytes: self.memory.code_bytes as u64,
            nanoseconds: self.nanoseconds,
        }
    }

    /// A batch of a hot function, those that it calls by name, and the loop that is turning; none if all of it is done,
    /// begun or refused.
    pub(crate) fn begin(
        &mut self,
        program: &Program,
        func: FuncId,
        header: Option<u32>,
    ) -> Option<Batch> {
        let thunks = match self.thunks() {
            Ok(thunks) => thunks,
            Err(why) => {
                let key = (func, Entry::Start);
                if !self.refused.contains_key(&key) {
                    self.refuse(program, key, why);
                }
                return None;
            }
        };
        let mut batch = Batch {
            members: Vec::new(),
            trampolines: Vec::new(),
            callees: Callees::new(),
            thunks,
            knobs: self.knobs,
            instructions: 0,
        };
        for func in with_callees(program, func) {
            if !self.functions.contains_key(&func) {
                self.admit(program, &mut batch, func, Entry::Start);
            }
        }
        if let Some(header) = header.filter(|header| !self.loops.contains(&(func, *header))) {
            self.admit(program, &mut batch, func, Entry::Loop(header));
        }
        if batch.members.is_empty() {
            return None;
        }
        self.link(program, &mut batch);
        Some(batch)
    }

    /// Tells a batch where functions of before are that its members call by name.
    fn link(&self, program: &Program, batch: &mut Batch) {
        for member in &batch.members {
            for callee in callees(program, member.func) {
                if let Some(code) = self.functions.get(&callee) {
                    batch.callees.insert(callee, *code);
                }
            }
        }
    }

    /// The thunks of runtime calls.
    ///
    /// # Errors
    /// There is no memory for them, or Cranelift refuses them: nothing can be compiled.
    fn thunks(&mut self) -> Result<Thunks, Refusal> {
        if let Some(thunks) = self.thunks {
            return Ok(thunks);
        }
        let compiled = THUNKS.get_or_init(|| {
            let make = |call| self.compiler.thunk(call, CodeId::from_u32(0));
            THUNK_CALLS.into_iter().map(make).collect()
        });
        let mut bytes = compiled.clone()?;
        let call_conv = self.compiler.isas.full.default_call_conv();
        for (thunk, (_, usage)) in bytes.iter_mut().zip(THUNK_CALLS) {
            let signature = convention::by_thunk(call_conv, usage);
            let declared = self.memory.declare(&signature);
            thunk.id = declared.map_err(Refusal::Memory)?;
        }
        self.memory.define(&bytes).map_err(Refusal::Memory)?;
        let ids: Vec<CodeId> = bytes.iter().map(|thunk| thunk.id).collect();
        let [step, step_rarely, call, slice, start, exit] = ids[..] else {
            unreachable!("there are six thunks");
        };
        let thunks = Thunks {
            step,
            step_rarely,
            call,
            slice,
            start,
            exit,
        };
        self.thunks = Some(thunks);
        Ok(thunks)
    }

    /// A function stays interpreted. That is said once: a mistake of the compiler as an error, whatever the log shows; code memory
    /// that takes no more as a warning, for all functions together; another limit that the function exceeds as a fact.
    fn refuse(&mut self, program: &Program, key: (FuncId, Entry), why: Refusal) {
        let (func, entry) = key;
        let function = &program.module().functions[func.index()].name;
        let is_fault = why.is_fault();
        self.faults += u64::from(is_fault);
        if matches!(why, Refusal::Memory(_)) {
            if !std::mem::replace(&mut self.said_full, true) {
                tracing::warn!(%function, %why, "this function and all that get hot from now on stay interpreted");
            }
        } else if is_fault {
            tracing::error!(%function, ?entry, %why, "a mistake in the compiler of machine code; the function stays interpreted: slower, with the same results");
        } else {
            tracing::info!(%function, %why, "the function stays interpreted");
        }
        self.refused.insert(key, why);
    }

    /// Takes a function into a batch, unless it is begun or refused.
    fn admit(&mut self, program: &Program, batch: &mut Batch, func: FuncId, entry: Entry) {
        let key = (func, entry);
        if self.refused.contains_key(&key) || self.begun.contains(&key) {
            return;
        }
        let function = &program.module().functions[func.index()];
        if let Err(why) = admissible(function, entry) {
            self.refuse(program, key, why);
            return;
        }
        let code = match self.declare(batch, function, entry) {
            Ok(code) => code,
            Err(error) => return self.refuse(program, key, Refusal::Memory(error)),
        };
        if entry == Entry::Start {
            batch.callees.insert(func, code);
        }
        self.begun.insert(key);
        batch.instructions += function.code.len();
        batch.members.push(Member { func, entry, code });
    }

    /// Numbers in code memory for a function and for its trampoline, unless there is one.
    ///
    /// # Errors
    /// Code memory takes no functions any more.
    fn declare(
        &mut self,
        batch: &mut Batch,
        function: &Function,
        entry: Entry,
    ) -> Result<CodeId, JitError> {
        let call_conv = self.compiler.isas.full.default_call_conv();
        let frame_call = convention::frame_call(call_conv);
        if let Entry::Loop(_) = entry {
            return self.memory.declare(&frame_call);
        }
        let passing = Passing::of(&function.signature, function.is_closure);
        let code = self
            .memory
            .declare(&convention::native(call_conv, &passing))?;
        let known = self.trampolines.contains_key(&passing)
            || batch.trampolines.iter().any(|(other, _)| *other == passing);
        if !known {
            let trampoline = self.memory.declare(&frame_call)?;
            batch.trampolines.push((passing, trampoline));
        }
        Ok(code)
    }

    /// Compiles a batch at once.
    pub(crate) fn compile_here(&mut self, program: &Program, batch: Batch) {
        let compiled = batch.compile(program, &mut self.compiler);
        self.finish(program, compiled);
    }

    /// A compiler for another thread.
    pub(crate) fn another_compiler(&self) -> Compiler {
        Compiler::new(self.compiler.isas.clone())
    }

    /// Puts a compiled batch into memory and publishes it.
    pub(crate) fn finish(&mut self, program: &Program, compiled: Compiled) {
        self.nanoseconds += compiled.nanoseconds;
        for (member, why) in compiled.refused {
            let key = (member.func, member.entry);
            self.begun.remove(&key);
            self.refuse(program, key, why);
        }
        if let Err(error) = self.memory.define(&compiled.bytes) {
            for member in compiled.done {
                let key = (member.func, member.entry);
                self.begun.remove(&key);
                self.refuse(program, key, Refusal::Memory(error.clone()));
            }
            return;
        }
        for (passing, code) in compiled.trampolines {
            let code = self.memory.code(code);
            self.trampolines.insert(passing, code);
        }
        for member in compiled.done {
            self.begun.remove(&(member.func, member.entry));
            let code = self.memory.code(member.code);
            match member.entry {
                Entry::Start => {
                    let function = &program.module().functions[member.func.index()];
                    let passing = Passing::of(&function.signature, function.is_closure);
                    // The trampoline may be in a batch that another thread has not finished.
                    let Some(trampoline) = self.trampolines.get(&passing) else {
                        continue;
                    };
                    self.functions.insert(member.func, member.code);
                    publish::function(program, member.func, code, *trampoline);
                }
                Entry::Loop(header) => {
                    self.loops.insert((member.func, header));
                    publish::entry_of_loop(program, member.func, header, code);
                }
            }
        }
    }
}

/// What a function calls by name, call after call.
fn callees(program: &Program, func: FuncId) -> impl Iterator<Item = FuncId> {
    let code = &program.module().functions[func.index()].code;
    code.iter().filter_map(|word| {
        let instr = Instr::decode(*word).expect("verified: an instruction");
        let is_named = matches!(instr.op, Op::Call | Op::CallWith);
        is_named.then_some(FuncId(instr.imm as u32))
    })
}

/// A function and those that it calls by name.
fn with_callees(program: &Program, func: FuncId) -> Vec<FuncId> {
    let mut batch = vec![func];
    for callee in callees(program, func) {
        if !batch.contains(&callee) {
            batch.push(callee);
        }
    }
    batch
}

/// Compiles a function for a reader.
pub(crate) fn dump(program: &Program, func: FuncId, entry: Entry) -> Result<Dump, DumpError> {
    let isas = host_isas(true).map_err(DumpError::Jit)?;
    let function = &program.module().functions[func.index()];
    admissible(function, entry).map_err(DumpError::Refused)?;
    let unit = Unit::new(Outside::new(program), func, entry, false);
    let mut dump = Dump::default();
    let [own, step, step_rarely, call, slice, start, exit] =
        [0, 1, 2, 3, 4, 5, 6].map(CodeId::from_u32);
    let links = Links {
        callees: &Callees::from([(func, own)]),
        thunks: Thunks {
            step,
            step_rarely,
            call,
            slice,
            start,
            exit,
        },
    };
    let knobs = Knobs::default();
    Compiler::new(isas)
        .unit(&unit, Body::Full, own, links, knobs, Some(&mut dump))
        .map_err(DumpError::Refused)?;
    Ok(dump)
}
