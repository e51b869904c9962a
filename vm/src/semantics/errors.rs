//! Error objects: made where an error is raised (position, trace), read when it leaves the machine. Must stay true: the
//! position is the innermost instruction of the program, not of the prelude; traces are bounded; making an error cannot
//! fail, not even when memory is used up.

use flin_bytecode::Module;

use crate::fault::{Blame, NewError, Res};
use crate::heap::{ErrorParts, Heap, Obj, list_len};
use crate::machine::Machine;
use crate::semantics::blame;
use crate::trap::{ErrorKind, Position, TraceEntry, Trap};
use crate::value::{View, Word};

/// Calls kept at the inner and at the outer end of a trace.
const TRACE_INNER: usize = 20;
const TRACE_OUTER: usize = 10;
/// Causes behind causes that are reported.
const CAUSES_MAX: u32 = 8;
/// Longest message kept when memory is used up, in bytes.
const SHORT_MESSAGE_BYTES: usize = 1024;

/// An error object for a new error raised by the instruction before `pc`.
pub(crate) fn new_error(m: &mut Machine, new: NewError, pc: *const u64) -> Obj {
    let calls = calls(m, pc);
    let message = blame::sentence(m, &new, &calls);
    let calls: Vec<Call> = calls
        .into_iter()
        .filter(|call| !call.from_prelude)
        .collect();
    #[cfg(feature = "count")]
    if let Some(call) = calls.first() {
        let program = &m.program;
        program
            .profile()
            .raise(program.module(), call.code, call.instruction, &new.kind);
    }
    let (line, column) = calls
        .first()
        .map_or((0, 0), |call| (call.line, call.column));
    let trace = shortened(&calls);
    let heap = &mut m.heap;
    let kind = text(heap, new.kind.name());
    let message = text(heap, &message);
    let mut optional =
        |value: Option<String>| value.map_or_else(Word::none, |value| text(heap, &value));
    let (entity, field, rule) = (
        optional(new.entity),
        optional(new.field),
        optional(new.rule),
    );
    heap.with_reserve(|heap| {
        let parts = ErrorParts {
            line,
            column,
            kind,
            message,
            entity,
            field,
            rule,
            cause: new.cause.map_or_else(Word::none, Word::object),
            trace: trace_list(heap, &trace),
        };
        heap.new_error(parts).expect("the reserve holds an error")
    })
}

/// The error object of a run that the host stopped.
pub(crate) fn stopped(m: &mut Machine, pc: *const u64) -> Obj {
    let new = NewError {
        kind: ErrorKind::TimeLimitExceeded,
        message: "this took longer than it may".to_owned(),
        entity: None,
        field: None,
        rule: None,
        blame: Blame::Nobody,
        cause: None,
    };
    new_error(m, new, pc)
}

/// The text, or its beginning where the limit leaves no room: only that may use a reserve, so the reserve is never full.
fn text(heap: &mut Heap, text: &str) -> Word {
    let made = heap.new_text(text).or_else(|_| {
        let mut end = text.len().min(SHORT_MESSAGE_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        heap.with_reserve(|heap| heap.new_text(&text[..end]))
    });
    Word::object(made.unwrap_or_else(|_| heap.layouts().empty_text()))
}

fn trace_list(heap: &mut Heap, entries: &[i64]) -> Word {
    let Ok(list) = heap.new_list(flin_bytecode::Class::I64, entries.len()) else {
        return Word::none();
    };
    for entry in entries {
        if heap.list_push_bits(list, *entry as u64).is_err() {
            return Word::none();
        }
    }
    Word::object(list)
}

/// A running call as the source has it: one that the compiler replaced by the called function's code counts, too.
pub(crate) struct Call {
    /// The function whose code runs.
    pub(crate) code: u32,
    pub(crate) instruction: u32,
    /// How many inlined calls further out than the innermost one of this instruction.
    level: u32,
    /// The function as the source has it.
    pub(crate) func: u32,
    pub(crate) from_prelude: bool,
    line: u32,
    column: u32,
}

/// The running calls, innermost first.
fn calls(m: &Machine, pc: *const u64) -> Vec<Call> {
    let mut pc = pc;
    let mut calls = Vec::new();
    for record in m.stacks.records.iter().rev() {
        let instruction = m.program.funcs()[record.func as usize]
            .instruction(pc)
            .saturating_sub(1);
        calls_at(m.program.module(), (record.func, instruction), &mut calls);
        pc = record.pc;
    }
    calls
}

/// The line of the program that runs, counted through all its files: the innermost call that is not of the prelude. `pc` is
/// behind the instruction that is executed; the frames of native code have been written down.
pub(crate) fn line_at(m: &Machine, pc: *const u64) -> u32 {
    let mut pc = pc;
    let mut frame = Vec::new();
    for record in m.stacks.records.iter().rev() {
        let instruction = m.program.funcs()[record.func as usize]
            .instruction(pc)
            .saturating_sub(1);
        calls_at(m.program.module(), (record.func, instruction), &mut frame);
        if let Some(call) = frame.iter().find(|call| !call.from_prelude) {
            return call.line;
        }
        frame.clear();
        pc = record.pc;
    }
    0
}

/// The calls that one frame stands for: those inlined around the instruction, then the function itself.
fn calls_at(module: &Module, (code, instruction): (u32, u32), calls: &mut Vec<Call>) {
    let Some(function) = module.functions.get(code as usize) else {
        return;
    };
    let (mut line, mut column, mut scope) = function.place_of(instruction);
    for level in 0.. {
        let inlined = scope
            .checked_sub(1)
            .and_then(|at| function.inlined.get(at as usize));
        let func = inlined.map_or(code, |call| call.func.0);
        let of = module.functions.get(func as usize);
        calls.push(Call {
            code,
            instruction,
            level,
            func,
            from_prelude: of.is_some_and(|of| of.from_prelude),
            line,
            column,
        });
        let Some(call) = inlined else { return };
        (line, column, scope) = (call.line, call.column, call.outer);
    }
}

/// Bits of a trace entry for an instruction, and for it and the function: both are limited by the verifier.
const INSTRUCTION_BITS: u32 = 22;
const CODE_BITS: u32 = 44;

/// Entries of a trace list: long traces lose their middle.
fn shortened(calls: &[Call]) -> Vec<i64> {
    let entry = |call: &Call| {
        i64::from(call.level) << CODE_BITS
            | i64::from(call.code) << INSTRUCTION_BITS
            | i64::from(call.instruction)
    };
    if calls.len() <= TRACE_INNER + TRACE_OUTER + 1 {
        return calls.iter().map(entry).collect();
    }
    let left_out = calls.len() - TRACE_INNER - TRACE_OUTER;
    let inner = calls[..TRACE_INNER].iter().map(entry);
    let outer = calls[calls.len() - TRACE_OUTER..].iter().map(entry);
    inner.chain([-(left_out as i64)]).chain(outer).collect()
}

/// The trace as a program sees it: a list of maps, innermost call first.
pub(crate) fn trace_value(m: &mut Machine, error: Obj) -> Res<Word> {
    let entries = trace_of(m, error.error_parts().trace);
    let list = m.heap.new_list(flin_bytecode::Class::Any, entries.len())?;
    let names = ["function", "file", "line", "column"];
    for entry in entries {
        let values = match entry.line {
            0 => [
                m.heap.text_word(&entry.function)?,
                Word::none(),
                Word::none(),
                Word::none(),
            ],
            line => [
                m.heap.text_word(&entry.function)?,
                m.heap.text_word(&entry.file)?,
                m.heap.int_word(i64::from(line))?,
                m.heap.int_word(i64::from(entry.column))?,
            ],
        };
        let map = m.heap.new_dict(names.len())?;
        for (name, value) in names.into_iter().zip(values) {
            let name = m.heap.text_word(name)?;
            m.heap.map_set(map, name, value)?;
        }
        m.heap.list_push(list, Word::object(map))?;
    }
    Ok(Word::object(list))
}

/// A text word as a string.
fn string(word: Word) -> Option<String> {
    match word.view() {
        View::Text(text) => text.text().map(str::to_owned),
        _ => None,
    }
}

/// The error as the outside sees it.
pub(crate) fn trap_of(m: &mut Machine, error: Obj) -> Trap {
    trap_with_causes(m, error, CAUSES_MAX)
}

fn trap_with_causes(m: &mut Machine, error: Obj, causes: u32) -> Trap {
    let parts = error.error_parts();
    let (file, line) = m.program.module().file_of_line(parts.line);
    let at = Position {
        file: file.to_owned(),
        line,
        column: parts.column,
    };
    let cause = match parts.cause.view() {
        View::Error(cause) if causes > 0 => Some(Box::new(trap_with_causes(m, cause, causes - 1))),
        _ => None,
    };
    Trap {
        kind: ErrorKind::from_name(&string(parts.kind).unwrap_or_default()),
        message: string(parts.message).unwrap_or_default(),
        entity: string(parts.entity),
        field: string(parts.field),
        rule: string(parts.rule),
        cause,
        at,
        trace: trace_of(m, parts.trace),
    }
}

fn trace_of(m: &mut Machine, trace: Word) -> Vec<TraceEntry> {
    let View::List(list) = trace.view() else {
        return Vec::new();
    };
    let mut entries = Vec::new();
    for index in 0..list_len(list) {
        let Ok(Ok(bits)) = m
            .heap
            .list_get_checked(list, flin_bytecode::Class::I64, index as i64)
        else {
            break;
        };
        let entry = bits as i64;
        if entry < 0 {
            entries.push(TraceEntry {
                function: format!("… {} more calls …", -entry),
                file: String::new(),
                line: 0,
                column: 0,
            });
            continue;
        }
        let instruction = entry as u32 & ((1 << INSTRUCTION_BITS) - 1);
        let code = (entry >> INSTRUCTION_BITS) as u32 & ((1 << (CODE_BITS - INSTRUCTION_BITS)) - 1);
        let level = (entry >> CODE_BITS) as usize;
        let module = m.program.module();
        let mut calls = Vec::new();
        calls_at(module, (code, instruction), &mut calls);
        if let Some(call) = calls.get(level)
            && let Some(function) = module.functions.get(call.func as usize)
        {
            let (file, line) = module.file_of_line(call.line);
            entries.push(TraceEntry {
                function: function.name.clone(),
                file: file.to_owned(),
                line,
                column: call.column,
            });
        }
    }
    entries
}
