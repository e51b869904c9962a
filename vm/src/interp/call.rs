//! Bodies of the call family: calls, returns, closures, library rows.
//! Must stay true: a frame is entered only after room and depth were checked; the result goes to the slot that the
//! signature names (`Signature::result_slot`), counted from the window start of its bank.
#![allow(unsafe_code)]

use flin_bytecode::{Bank, Class, FuncId, LibId, Op};

use super::data::{get_reg, set_reg};
use super::{At, Insn, Returned, threads, turns};
use crate::fault::{Blame, Fault, Res};
use crate::frame::{Exit, FuncInfo, Regs, Stacks};
use crate::host::Host;
use crate::library::{self, LibCall, Ret};
use crate::machine::Machine;
use crate::native::{entering, heat};
use crate::program::Program;
use crate::trap::ErrorKind;
use crate::value::Word;

/// How a call begins.
pub(crate) enum Called {
    /// With the first instruction of a function.
    Entered(At),
    /// It is over: native code ran, the result stands in the window, and the caller goes on here.
    Done(At),
}

/// Calls the outermost function; its arguments stand at the bottom of the stacks.
pub(super) fn enter_outermost(m: &mut Machine, host: &mut dyn Host, func: FuncId) -> Res<Called> {
    debug_assert!(m.stacks.records.is_empty());
    let bottom = m.stacks.bottom();
    let from = At {
        pc: std::ptr::null(),
        code: std::ptr::null(),
        regs: bottom,
    };
    heat::before_call(m, func.0, false);
    // SAFETY: the machine holds the program, and so its functions, for its whole life; the id was looked up in it.
    let info: &FuncInfo = unsafe { &*m.funcs.add(func.index()) };
    if !m.stacks.has_record_room() || !m.stacks.has_frame_room(info, bottom) {
        return Err(too_deep(m));
    }
    if let Some(code) = info.native_code() {
        entering::call(m, host, code, bottom, from)?;
        return Ok(Called::Done(from));
    }
    let at = push_frame(m, info, func.0, bottom, from, Exit::Leave);
    Ok(Called::Entered(at))
}

/// Starts a frame of `func` at `window`; none if the call must take its cold way. (Also functions with far registers.)
#[inline(always)]
fn enter(m: &mut Machine, func: u32, window: Regs, from: At) -> Option<At> {
    // SAFETY: the machine holds the program, and so its functions, for its whole life; function ids are verified.
    let info: &FuncInfo = unsafe { &*m.funcs.add(func as usize) };
    if !m.stacks.has_record_room() || !m.stacks.has_room(info, window) {
        return None;
    }
    push_record(m, info, func, from, Exit::Plain);
    Stacks::fill_near(info, window);
    Some(At {
        pc: info.code,
        code: info.code,
        regs: window,
    })
}

/// Starts a frame of any function; there is room for it.
fn push_frame(
    m: &mut Machine,
    info: &FuncInfo,
    func: u32,
    window: Regs,
    from: At,
    exit: Exit,
) -> At {
    push_record(m, info, func, from, exit);
    At {
        pc: info.code,
        code: info.code,
        regs: Stacks::frame_at(info, window),
    }
}

/// Notes how a function that starts will return; there is room for it.
#[inline(always)]
fn push_record(m: &mut Machine, info: &FuncInfo, func: u32, from: At, exit: Exit) {
    let record = m.stacks.new_record();
    let bases = threads::scalar(from.regs);
    // SAFETY: `new_record` gives the place for a record, which is written here.
    unsafe {
        (&raw mut (*record).code).write(from.code);
        (&raw mut (*record).pc).write(from.pc);
        (&raw mut (*record).regs.s).write(bases.s);
        (&raw mut (*record).regs.r).write(bases.r);
        (&raw mut (*record).func).write(func);
        (&raw mut (*record).result_slot).write(info.result_slot);
        (&raw mut (*record).exit).write(exit);
    }
}

#[cold]
#[inline(never)]
fn too_deep(m: &Machine) -> Fault {
    Fault::new(
        ErrorKind::StackOverflow,
        format!(
            "calls are nested more than {} deep; is there a recursion without an end?",
            m.limits.call_depth
        ),
    )
}

/// The short way; none if it must be the cold one.
#[inline(always)]
pub(super) fn call(i: Insn, at: At, m: &mut Machine) -> Option<At> {
    enter(m, i.imm() as u32, at.regs.window(i.a(), i.b()), at)
}

/// The short way; none if it must be the cold one.
#[inline(always)]
pub(super) fn call_closure(i: Insn, at: At, m: &mut Machine) -> Option<At> {
    let func = at.regs.obj(i.b()).closure_func()?;
    let wanted = m.program.signature_key(i.id());
    // SAFETY: a closure names a function of the program, which the machine holds.
    if unsafe { (*m.funcs.add(func as usize)).signature } != wanted {
        return None;
    }
    enter(m, func, at.regs.window(i.a(), i.b()), at)
}

/// The short way; none if it must be the cold one.
#[inline(always)]
pub(super) fn call_with(i: Insn, at: At, m: &mut Machine) -> Option<At> {
    at.regs.obj(i.b()).closure_func()?;
    enter(m, i.imm() as u32, at.regs.window(i.a(), i.b()), at)
}

/// Any call of an interpreted function, after the slice that ended at it, if one did: where the caller or the called
/// function goes on.
#[cold]
#[inline(never)]
pub(super) fn cold_call(i: Insn, at: At, m: &mut Machine, host: &mut dyn Host) -> Res<At> {
    if m.native.fuel == 0 {
        turns::slice_at_call(m, host, i, at)?;
    }
    match any_call(i, at, m, host, false)? {
        Called::Entered(at) | Called::Done(at) => Ok(at),
    }
}

/// Any call; `at.pc` is behind it. From native code, a frame that is entered leaves the dispatch loop when it returns.
pub(crate) fn any_call(
    i: Insn,
    at: At,
    m: &mut Machine,
    host: &mut dyn Host,
    from_native: bool,
) -> Res<Called> {
    // SAFETY: the machine holds the program for its whole life.
    let program: &Program = unsafe { &*std::sync::Arc::as_ptr(&m.program) };
    let (func, adapted) = if i.op() == Op::Call {
        (i.imm() as u32, None)
    } else {
        let closure = at.regs.obj(i.b());
        let Some(func) = closure.closure_func() else {
            return Err(Fault::expected("function", closure.view()));
        };
        if i.op() == Op::CallWith {
            (i.imm() as u32, None)
        } else {
            let func = entry_for(program, func, i.id());
            let fits = program.funcs()[func as usize].signature == program.signature_key(i.id());
            (func, (!fits).then_some(i.id()))
        }
    };
    let info = &program.funcs()[func as usize];
    let window = at.regs.window(i.a(), i.b());
    if adapted.is_some() {
        adapt_arguments(m, i, at, func)?;
    }
    if !m.stacks.has_record_room() || !m.stacks.has_frame_room(info, window) {
        return Err(too_deep(m));
    }
    heat::before_call(m, func, from_native);
    let found = program.module().functions[func as usize].signature.result;
    if let Some(code) = info.native_code()
        && adapted.is_none_or(|signature| adapts_always(program, found, signature))
    {
        entering::call(m, host, code, window, at)?;
        if let Some(signature) = adapted {
            let slot = info.result_slot as usize;
            let result = found.map(|class| (class, window.slot(class.bank(), slot)));
            put_adapted(m, window, signature, result)?;
        }
        return Ok(Called::Done(at));
    }
    let exit = match (adapted, from_native) {
        (None, false) if info.is_far() => Exit::Far,
        (None, false) => Exit::Plain,
        (None, true) => Exit::Leave,
        (Some(signature), false) => Exit::Adapt(signature as u32),
        (Some(signature), true) => Exit::LeaveAdapt(signature as u32),
    };
    let at = push_frame(m, info, func, window, at, exit);
    Ok(Called::Entered(at))
}

/// Where a function is entered that is called by this signature: with fewer arguments than it takes, there where the
/// rest is filled in.
fn entry_for(program: &Program, func: u32, signature: usize) -> u32 {
    let given = program.module().signatures[signature].params.len();
    let callee = &program.module().functions[func as usize];
    let left_out = callee.signature.params.len().checked_sub(given + 1);
    let entry = left_out.and_then(|at| callee.entries.get(at));
    entry.map_or(func, |it| it.0)
}

/// Whether any result of this class can be had as the signature's. Others may fail at the return, and native code has
/// left its return behind when that is known.
fn adapts_always(program: &Program, found: Option<Class>, signature: usize) -> bool {
    match program.module().signatures[signature].result {
        None | Some(Class::Any) => true,
        wanted => wanted == found,
    }
}

/// Rewrites the arguments in the window for a function of another signature. The window may need more slots of a bank
/// than the caller has, so there must be room for the callee's frame first.
#[cold]
#[inline(never)]
fn adapt_arguments(m: &mut Machine, i: Insn, at: At, func: u32) -> Res<()> {
    let program = m.program.clone();
    let given = &program.module().signatures[i.id()].params;
    let callee = &program.module().functions[func as usize];
    let wanted = &callee.signature.params;
    if given.len() != wanted.len() {
        let name = match callee.name.as_str() {
            "lambda" => "this function".to_owned(),
            name => format!("`{name}`"),
        };
        let (least, most) = (wanted.len() - callee.entries.len(), wanted.len());
        let arguments = match most - least {
            0 if most == 1 => "1 argument".to_owned(),
            0 => format!("{most} arguments"),
            1 => format!("{least} or {most} arguments"),
            _ => format!("{least} to {most} arguments"),
        };
        return Err(Fault::misfit(
            format!(
                "{name} takes {arguments}, but is called with {}",
                given.len()
            ),
            Blame::Value,
        ));
    }
    let window = at.regs.window(i.a(), i.b());
    let mut next = [0, 1];
    let mut words = Vec::with_capacity(given.len());
    for class in given {
        let slot = &mut next[class.bank() as usize];
        words.push(
            m.heap
                .word_of_slot(*class, window.slot(class.bank(), *slot))?,
        );
        *slot += 1;
    }
    let mut bits = Vec::with_capacity(wanted.len());
    for (class, word) in wanted.iter().zip(words) {
        match m.heap.slot_bits(*class, word) {
            Some(found) => bits.push((*class, found)),
            None => return Err(Fault::expected(class_name(*class), word.view())),
        }
    }
    let info = &program.funcs()[func as usize];
    if !m.stacks.has_record_room() || !m.stacks.has_frame_room(info, window) {
        return Err(too_deep(m));
    }
    let mut next = [0, 1];
    for (class, bits) in bits {
        let slot = &mut next[class.bank() as usize];
        window.set_slot(class.bank(), *slot, bits);
        *slot += 1;
    }
    Ok(())
}

/// The result of an adapted call as its caller expects it.
fn adapt_result(
    m: &mut Machine,
    signature: usize,
    result: Option<(Class, u64)>,
) -> Res<Option<(Class, u64)>> {
    let program = m.program.clone();
    let Some(wanted) = program.module().signatures[signature].result else {
        return Ok(None);
    };
    let word = match result {
        Some((class, bits)) => m.heap.word_of_slot(class, bits)?,
        None => Word::none(),
    };
    match m.heap.slot_bits(wanted, word) {
        Some(bits) => Ok(Some((wanted, bits))),
        None => Err(Fault::expected(class_name(wanted), word.view())),
    }
}

fn class_name(class: Class) -> &'static str {
    match class {
        Class::I64 => "int",
        Class::F64 => "float",
        Class::Bool => "bool",
        Class::Ref => "a text, list, map or other object",
        Class::Any => "any",
    }
}

/// Returns the short way; none if more is to do than to hand over the result.
#[inline(always)]
pub(super) fn ret(i: Insn, at: At, m: &mut Machine, class: Option<Class>) -> Option<At> {
    let record = m.stacks.last_record();
    // SAFETY: a running function has a record; it is read field by field before anything else is pushed.
    let caller = unsafe {
        if (*record).exit != Exit::Plain {
            return None;
        }
        if let Some(class) = class {
            // The frame has no far registers, so its window begins where its registers do.
            let bits = get_reg(at.regs, class, i.a());
            let slot = (*record).result_slot as usize;
            at.regs.set_slot(class.bank(), slot, bits);
        }
        At {
            pc: (*record).pc,
            code: (*record).code,
            regs: Regs {
                s: (*record).regs.s,
                r: (*record).regs.r,
            },
        }
    };
    m.stacks.drop_record();
    Some(caller)
}

/// Any return.
#[cold]
#[inline(never)]
pub(super) fn cold_ret(i: Insn, at: At, m: &mut Machine, class: Option<Class>) -> Res<Returned> {
    let result = class.map(|class| (class, get_reg(at.regs, class, i.a())));
    leave(m, at, result)
}

/// Any return of the frame on top. If the conversion fails, the frame is still the running one, so the error stands at
/// its return.
#[cold]
#[inline(never)]
pub(super) fn leave(m: &mut Machine, at: At, result: Option<(Class, u64)>) -> Res<Returned> {
    // SAFETY: a running function has a record.
    let record = unsafe { *m.stacks.last_record() };
    // SAFETY: the machine holds the program, and so its functions, for its whole life.
    let info: &FuncInfo = unsafe { &*m.funcs.add(record.func as usize) };
    let window = Stacks::window_of(info, at.regs);
    match record.exit {
        Exit::Adapt(signature) | Exit::LeaveAdapt(signature) => {
            put_adapted(m, window, signature as usize, result)?;
        }
        Exit::Plain | Exit::Far | Exit::Leave => {
            if let Some((class, bits)) = result {
                window.set_slot(class.bank(), record.result_slot as usize, bits);
            }
        }
    }
    if record.exit.leaves() {
        // Who waits for this frame may have to convert the result, and an error then stands at this return.
        let instruction = u64::from(info.instruction(at.pc) - 1);
        m.stacks
            .set_last_word(u64::from(record.func) << 32 | instruction);
        m.stacks.drop_record();
        return Ok(Returned::Left);
    }
    m.stacks.drop_record();
    Ok(Returned::To(At {
        pc: record.pc,
        code: record.code,
        regs: record.regs,
    }))
}

/// Puts the result of an adapted call where its caller expects it.
fn put_adapted(
    m: &mut Machine,
    window: Regs,
    signature: usize,
    result: Option<(Class, u64)>,
) -> Res<()> {
    if let Some((class, bits)) = adapt_result(m, signature, result)? {
        let slot = m.program.module().signatures[signature].result_slot(true);
        window.set_slot(class.bank(), slot, bits);
    }
    Ok(())
}

#[inline(never)]
pub(super) fn closure_new(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    // SAFETY: the machine holds the program for its whole life; allocating does not touch it.
    let program = unsafe { &*std::sync::Arc::as_ptr(&m.program) };
    let captures = &program.module().functions[i.id()].captures;
    f.set_obj(i.a(), m.heap.new_closure(i.id() as u32, captures)?);
    Ok(())
}

#[inline(never)]
pub(super) fn capture_set(i: Insn, f: Regs, class: Class) -> Res<()> {
    let closure = f.obj(i.a());
    if closure.capture_set(i.id(), class, get_reg(f, class, i.b())) {
        Ok(())
    } else {
        Err(Fault::expected(
            "a function with this captured variable",
            closure.view(),
        ))
    }
}

#[inline(always)]
pub(super) fn capture_get(i: Insn, f: Regs, class: Class) -> Res<()> {
    let closure = f.obj(0);
    let Some(bits) = closure.capture_get(i.id(), class) else {
        return Err(Fault::expected(
            "a function with this captured variable",
            closure.view(),
        ));
    };
    set_reg(f, class, i.a(), bits);
    Ok(())
}

#[inline(always)]
pub(super) fn call_lib(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    let window = f.window(i.a(), i.b());
    if let Some((body, slot)) = m.program.plain_lib(i.id()) {
        window.set_slot(Bank::Scalar, slot as usize, body(window));
        return Ok(());
    }
    any_lib(LibId(i.id() as u16), window, m, host)
}

/// A library row whose body needs the machine.
#[inline(never)]
fn any_lib(lib: LibId, window: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    let info = m.program.lib(lib);
    let result = library::call(
        lib,
        &mut LibCall {
            m,
            host,
            window,
            lib,
        },
    )?;
    let Some((class, slot)) = info.result else {
        return Ok(());
    };
    let bits = match result {
        Ret::Int(value) => value as u64,
        Ret::Float(value) => value.to_bits(),
        Ret::Bool(value) => u64::from(value),
        Ret::Obj(obj) => obj.address(),
        Ret::Any(word) => word.bits(),
        Ret::None => Word::none().bits(),
    };
    debug_assert!(
        match result {
            Ret::Int(_) => class == Class::I64,
            Ret::Float(_) => class == Class::F64,
            Ret::Bool(_) => class == Class::Bool,
            Ret::Obj(_) | Ret::None => class.bank() == Bank::Reference,
            // A word may be no object, and a register of class ref holds objects only.
            Ret::Any(_) => class == Class::Any,
        },
        "the body of {} gives its result in the wrong class",
        lib.row().name
    );
    window.set_slot(class.bank(), slot, bits);
    Ok(())
}
