//! What the compiler of a program has done and does next: batches, code memory, what was refused. Here because all of it
//! stands behind one lock. Must stay true: every function that a batch declares is defined in the same batch.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use cranelift_module::FuncId as CodeId;
use flin_bytecode::{FuncId, Op};
use flin_vm::Program;
use flin_vm::native::{CompileReport, JitOptions};

use crate::compile::{Compiler, Dump};
use crate::lower::{Body, Knobs};
use crate::memory::{Bytes, Code, CodeMemory, host_isa};
use crate::outside::{Outside, Passing};
use crate::unit::{Entry, Refusal, Unit};
use crate::{Callees, DumpError, JitError, Plant, convention, publish};

/// Whether Cranelift checks what it is given.
const VERIFY: bool = cfg!(debug_assertions);

/// All that stands behind the lock of a compiler.
pub(crate) struct State {
    memory: CodeMemory,
    compiler: Compiler,
    knobs: Knobs,
    /// Native functions by number.
    functions: Callees,
    loops: HashSet<(FuncId, u32)>,
    trampolines: HashMap<Passing, Code>,
    refused: HashMap<(FuncId, Entry), Refusal>,
    nanoseconds: u64,
}

impl State {
    pub(crate) fn new(options: &JitOptions, plant: Option<Plant>) -> Result<State, JitError> {
        let isa = host_isa(VERIFY)?;
        Ok(State {
            memory: CodeMemory::new(isa.clone())?,
            compiler: Compiler::new(isa),
            knobs: Knobs {
                count_ops: options.count_ops,
                plant,
            },
            functions: HashMap::new(),
            loops: HashSet::new(),
            trampolines: HashMap::new(),
            refused: HashMap::new(),
            nanoseconds: 0,
        })
    }

    pub(crate) fn report(&self) -> CompileReport {
        CompileReport {
            functions: self.functions.len() as u64,
            loops: self.loops.len() as u64,
            refused: self.refused.len() as u64,
            code_bytes: self.memory.code_bytes as u64,
            nanoseconds: self.nanoseconds,
        }
    }

    /// Compiles a hot function with those that it calls, and the loop that is turning.
    pub(crate) fn hot(&mut self, program: &Arc<Program>, func: FuncId, header: Option<u32>) {
        let start = Instant::now();
        let outside = Outside::new(program);
        let mut units = Vec::new();
        for func in with_callees(program, func) {
            if !self.functions.contains_key(&func) {
                units.extend(self.unit(outside, func, Entry::Start));
            }
        }
        if let Some(header) = header.filter(|header| !self.loops.contains(&(func, *header))) {
            units.extend(self.unit(outside, func, Entry::Loop(header)));
        }
        if !units.is_empty() && self.batch(program, &units).is_err() {
            for unit in &units {
                self.refused.insert((unit.id, unit.entry), Refusal::Memory);
            }
        }
        self.nanoseconds += start.elapsed().as_nanos() as u64;
    }

    /// Looks at a function, unless it was refused before.
    fn unit<'p>(&mut self, outside: Outside<'p>, func: FuncId, entry: Entry) -> Option<Unit<'p>> {
        if self.refused.contains_key(&(func, entry)) {
            return None;
        }
        match Unit::new(outside, func, entry) {
            Ok(unit) => Some(unit),
            Err(why) => {
                self.refused.insert((func, entry), why);
                None
            }
        }
    }

    /// Compiles, defines and publishes.
    fn batch(&mut self, program: &Program, units: &[Unit<'_>]) -> Result<(), JitError> {
        let call_conv = self.compiler.isa.default_call_conv();
        let mut callees = self.functions.clone();
        let mut numbers = Vec::with_capacity(units.len());
        for unit in units {
            let signature = match unit.entry {
                Entry::Start => convention::native(call_conv, &passing(unit)),
                Entry::Loop(_) => convention::frame_call(call_conv),
            };
            let number = self.memory.declare(&signature)?;
            numbers.push(number);
            if unit.entry == Entry::Start {
                callees.insert(unit.id, number);
            }
        }
        let mut bytes = Vec::with_capacity(units.len() + 1);
        let mut done = Vec::with_capacity(units.len());
        for (unit, number) in units.iter().zip(numbers) {
            let (knobs, full) = (self.knobs, Body::Full);
            match self
                .compiler
                .unit(unit, full, number, &callees, knobs, None)
            {
                Ok(code) => {
                    bytes.push(code);
                    done.push((unit, number));
                }
                Err(why) => {
                    self.refused.insert((unit.id, unit.entry), why);
                    let body = Body::ExitOnly;
                    let code = self
                        .compiler
                        .unit(unit, body, number, &callees, knobs, None);
                    bytes.push(code.map_err(|why| JitError::Module(why.to_string()))?);
                }
            }
        }
        let trampolines = self.trampolines(units, &mut bytes)?;
        self.memory.define(&bytes)?;
        for (passing, number) in trampolines {
            let code = self.memory.code(number);
            self.trampolines.insert(passing, code);
        }
        for (unit, number) in done {
            let code = self.memory.code(number);
            match unit.entry {
                Entry::Start => {
                    self.functions.insert(unit.id, number);
                    publish::function(program, unit.id, code, self.trampolines[&passing(unit)]);
                }
                Entry::Loop(header) => {
                    self.loops.insert((unit.id, header));
                    publish::entry_of_loop(program, unit.id, header, code);
                }
            }
        }
        Ok(())
    }

    /// Compiles the trampolines that these units need and that are not there yet.
    fn trampolines(
        &mut self,
        units: &[Unit<'_>],
        bytes: &mut Vec<Bytes>,
    ) -> Result<HashMap<Passing, CodeId>, JitError> {
        let call_conv = self.compiler.isa.default_call_conv();
        let mut new = HashMap::new();
        for unit in units.iter().filter(|unit| unit.entry == Entry::Start) {
            let passing = passing(unit);
            if self.trampolines.contains_key(&passing) || new.contains_key(&passing) {
                continue;
            }
            let number = self.memory.declare(&convention::frame_call(call_conv))?;
            let code = self.compiler.trampoline(&passing, number);
            bytes.push(code.map_err(|why| JitError::Module(why.to_string()))?);
            new.insert(passing, number);
        }
        Ok(new)
    }
}

fn passing(unit: &Unit<'_>) -> Passing {
    Passing::of(&unit.function.signature, unit.function.is_closure)
}

/// A function and those that it calls by name.
fn with_callees(program: &Program, func: FuncId) -> Vec<FuncId> {
    let functions = &program.module().functions;
    let mut batch = vec![func];
    for word in &functions[func.index()].code {
        let instr = flin_bytecode::Instr::decode(*word).expect("verified: an instruction");
        let callee = FuncId(instr.imm as u32);
        let is_named = matches!(instr.op, Op::Call | Op::CallWith);
        if is_named && !batch.contains(&callee) {
            batch.push(callee);
        }
    }
    batch
}

/// Compiles a function for a reader.
pub(crate) fn dump(program: &Program, func: FuncId, entry: Entry) -> Result<Dump, DumpError> {
    let isa = host_isa(true).map_err(DumpError::Jit)?;
    let unit = Unit::new(Outside::new(program), func, entry).map_err(DumpError::Refused)?;
    let mut dump = Dump::default();
    let own = CodeId::from_u32(0);
    let callees = Callees::from([(func, own)]);
    let knobs = Knobs::default();
    Compiler::new(isa)
        .unit(&unit, Body::Full, own, &callees, knobs, Some(&mut dump))
        .map_err(DumpError::Refused)?;
    Ok(dump)
}
