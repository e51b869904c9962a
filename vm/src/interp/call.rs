//! Bodies of the call family: calls, returns, closures, library rows.
//! Must stay true: a frame is entered only after room and depth were checked; the result goes to the slot that the
//! signature names (`Signature::result_slot`), counted from the window start of its bank.
#![allow(unsafe_code)]

use flin_bytecode::{Bank, Class, FuncId, LibId};

use super::data::{get_reg, set_reg};
use super::{At, Insn, Returned};
use crate::fault::{Blame, Fault, Res};
use crate::frame::{Exit, FuncInfo, Regs, Stacks};
use crate::host::Host;
use crate::library::{self, LibCall, Ret};
use crate::machine::Machine;
use crate::trap::ErrorKind;
use crate::value::Word;

/// Enters the outermost function; its arguments stand at the bottom of the stacks.
pub(super) fn enter_outermost(m: &mut Machine, func: FuncId) -> Res<At> {
    debug_assert!(m.stacks.records.is_empty());
    let bottom = m.stacks.bottom();
    let from = At {
        pc: std::ptr::null(),
        code: std::ptr::null(),
        regs: bottom,
    };
    enter(m, func.0, bottom, from, Exit::Leave)
}

/// Starts a frame of `func` at `window`.
#[inline(always)]
fn enter(m: &mut Machine, func: u32, window: Regs, from: At, exit: Exit) -> Res<At> {
    // SAFETY: the machine holds the program, and so its functions, for its whole life; function ids are verified.
    let info: &FuncInfo = unsafe { &*m.funcs.add(func as usize) };
    let (mut window, mut from) = (window, from);
    // Growing moves the stacks, and a fault after it would leave the loop with old bases: so it comes last.
    if !m.stacks.has_record_room() {
        more_records(m)?;
    }
    if !m.stacks.has_room(info, window) {
        (window, from.regs) = grow(m, info, window, from.regs)?;
    }
    let record = m.stacks.new_record();
    // SAFETY: `new_record` gives the place for a record, which is written here.
    unsafe {
        (&raw mut (*record).code).write(from.code);
        (&raw mut (*record).pc).write(from.pc);
        (&raw mut (*record).regs.s).write(from.regs.s);
        (&raw mut (*record).regs.r).write(from.regs.r);
        (&raw mut (*record).func).write(func);
        (&raw mut (*record).result_slot).write(info.result_slot);
        (&raw mut (*record).exit).write(exit);
    }
    Ok(At {
        pc: info.code,
        code: info.code,
        regs: Stacks::frame_at(info, window),
    })
}

/// Makes room for a frame; gives window and caller's bases where they are now.
#[cold]
#[inline(never)]
fn grow(m: &mut Machine, info: &FuncInfo, window: Regs, from: Regs) -> Res<(Regs, Regs)> {
    let Some(moved) = m.stacks.grow(info, window) else {
        return Err(too_deep(m));
    };
    // SAFETY: the caller's bases lay below the window in the old stacks, so they lie as far below it in the new ones.
    let from = unsafe {
        Regs {
            s: moved.s.byte_sub(window.s as usize - from.s as usize),
            r: moved.r.byte_sub(window.r as usize - from.r as usize),
        }
    };
    Ok((moved, from))
}

#[cold]
#[inline(never)]
fn more_records(m: &mut Machine) -> Res<()> {
    if m.stacks.more_records(m.limits.call_depth as usize) {
        Ok(())
    } else {
        Err(too_deep(m))
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

#[inline(always)]
pub(super) fn call(i: Insn, at: At, m: &mut Machine) -> Res<At> {
    enter(
        m,
        i.imm() as u32,
        at.regs.window(i.a(), i.b()),
        at,
        Exit::Plain,
    )
}

#[inline(always)]
pub(super) fn call_closure(i: Insn, at: At, m: &mut Machine) -> Res<At> {
    let closure = at.regs.obj(i.b());
    let Some(func) = closure.closure_func() else {
        return Err(Fault::expected("function", closure.view()));
    };
    let window = at.regs.window(i.a(), i.b());
    let wanted = m.program.signature_key(i.id());
    if m.program.funcs()[func as usize].signature == wanted {
        return enter(m, func, window, at, Exit::Plain);
    }
    call_unlike(i, at, m, func)
}

/// Calls a closure by another signature than its own: with fewer arguments than it takes it is entered where the rest
/// is filled in; else the arguments and the result are adapted.
#[cold]
#[inline(never)]
fn call_unlike(i: Insn, at: At, m: &mut Machine, func: u32) -> Res<At> {
    let module = m.program.module();
    let given = module.signatures[i.id()].params.len();
    let callee = &module.functions[func as usize];
    let left_out = callee.signature.params.len().checked_sub(given + 1);
    let entry = left_out
        .and_then(|at| callee.entries.get(at))
        .map(|it| it.0);
    let func = entry.unwrap_or(func);
    if m.program.funcs()[func as usize].signature == m.program.signature_key(i.id()) {
        return enter(m, func, at.regs.window(i.a(), i.b()), at, Exit::Plain);
    }
    let at = adapt_arguments(m, i, at, func)?;
    enter(
        m,
        func,
        at.regs.window(i.a(), i.b()),
        at,
        Exit::Adapt(i.id() as u32),
    )
}

/// Rewrites the arguments in the window for a function of another signature. The window may need more slots of a bank
/// than the caller has, so room for the callee's frame is made first.
#[cold]
#[inline(never)]
fn adapt_arguments(m: &mut Machine, i: Insn, at: At, func: u32) -> Res<At> {
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
    if !m.stacks.has_record_room() {
        more_records(m)?;
    }
    // From here on nothing fails: growing moves the stacks.
    let info = &program.funcs()[func as usize];
    let mut at = at;
    if !m.stacks.has_room(info, window) {
        (_, at.regs) = grow(m, info, window, at.regs)?;
    }
    let window = at.regs.window(i.a(), i.b());
    let mut next = [0, 1];
    for (class, bits) in bits {
        let slot = &mut next[class.bank() as usize];
        window.set_slot(class.bank(), *slot, bits);
        *slot += 1;
    }
    Ok(at)
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

#[inline(always)]
pub(super) fn ret(i: Insn, at: At, m: &mut Machine, class: Option<Class>) -> Res<Returned> {
    let record = m.stacks.last_record();
    // SAFETY: a running function has a record; it is read field by field before anything else is pushed.
    let (caller, exit, slot) = unsafe {
        let regs = Regs {
            s: (*record).regs.s,
            r: (*record).regs.r,
        };
        let caller = At {
            pc: (*record).pc,
            code: (*record).code,
            regs,
        };
        (caller, (*record).exit, (*record).result_slot)
    };
    if exit != Exit::Plain {
        let result = class.map(|class| (class, get_reg(at.regs, class, i.a())));
        return leave(m, result);
    }
    if let Some(class) = class {
        let bits = get_reg(at.regs, class, i.a());
        // SAFETY: a return address stands behind the call that made this frame.
        let call = Insn(unsafe { *caller.pc.sub(1) });
        put_result(caller.regs, call, class, slot as usize, bits);
    }
    m.stacks.drop_record();
    Ok(Returned::To(caller))
}

/// Puts a result where the call instruction's window says.
#[inline(always)]
fn put_result(regs: Regs, call: Insn, class: Class, slot: usize, bits: u64) {
    let window = match class.bank() {
        Bank::Scalar => call.a(),
        Bank::Reference => call.b(),
    };
    regs.set_slot(class.bank(), window as usize + slot, bits);
}

/// Returns that do more than hand over the result. If the conversion fails, the frame is still the running one, so the
/// error stands at its return.
#[cold]
#[inline(never)]
fn leave(m: &mut Machine, result: Option<(Class, u64)>) -> Res<Returned> {
    // SAFETY: a running function has a record.
    let record = unsafe { *m.stacks.last_record() };
    let caller = At {
        pc: record.pc,
        code: record.code,
        regs: record.regs,
    };
    match record.exit {
        Exit::Plain => unreachable!("plain returns are handled by `ret`"),
        Exit::Leave => {
            m.stacks.drop_record();
            if let Some((class, bits)) = result {
                let slot = record.result_slot as usize;
                record.regs.set_slot(class.bank(), slot, bits);
            }
            Ok(Returned::Left)
        }
        Exit::Adapt(signature) => {
            let adapted = adapt_result(m, signature as usize, result)?;
            m.stacks.drop_record();
            if let Some((class, bits)) = adapted {
                // SAFETY: a return address stands behind the call that made this frame.
                let call = Insn(unsafe { *record.pc.sub(1) });
                let wanted = &m.program.module().signatures[signature as usize];
                put_result(caller.regs, call, class, wanted.result_slot(true), bits);
            }
            Ok(Returned::To(caller))
        }
    }
}

#[inline(always)]
pub(super) fn closure_new(i: Insn, f: Regs, m: &mut Machine) -> Res<()> {
    // SAFETY: the machine holds the program for its whole life; allocating does not touch it.
    let program = unsafe { &*std::sync::Arc::as_ptr(&m.program) };
    let captures = &program.module().functions[i.id()].captures;
    f.set_obj(i.a(), m.heap.new_closure(i.id() as u32, captures)?);
    Ok(())
}

#[inline(always)]
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

pub(super) fn call_lib(i: Insn, f: Regs, m: &mut Machine, host: &mut dyn Host) -> Res<()> {
    let lib = LibId(i.id() as u16);
    let window = f.window(i.a(), i.b());
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
