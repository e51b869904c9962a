//! Which argument of a library function a value is for: found by looking ahead in the code. Here because sentences about
//! a failed check name it, while optimised code may have moved or replaced the call. Must stay true: a name is only given
//! where it is certain; the compiler asks before it optimises and keeps the answers in `Function::arguments`.

use crate::class::Bank;
use crate::encode::{Instr, split_reg_pair};
use crate::ids::LibId;
use crate::library::{LIBRARY, LibBody, lookup};
use crate::module::{Function, Module, Signature};
use crate::ops::{Effects, Family, Op, OperandKind, Place};

/// The function of the prelude that turns what was given for a list into one; its argument is one of the next call.
pub const ITEMS: &str = "__items";
/// How far ahead of a failed check its call is looked for, in instructions.
const AHEAD_MAX: usize = 512;

/// The arguments that the checks and made values of a function's code are for.
pub fn arguments(module: &Module, function: &Function) -> Vec<(u32, u16, u8)> {
    let mut found = Vec::new();
    for (at, word) in function.code.iter().enumerate() {
        let Ok(instr) = Instr::decode(*word) else {
            continue;
        };
        let far = match instr.op {
            Op::Call => match module.functions.get(instr.imm as usize) {
                Some(callee) if callee.from_prelude && callee.name == ITEMS => true,
                Some(_) | None => continue,
            },
            op if checks(op) => false,
            _ => continue,
        };
        if let Some((row, Some(parameter))) = argument_after(module, function, at, far) {
            found.extend(u8::try_from(parameter).ok().map(|p| (at as u32, row.0, p)));
        }
    }
    found
}

/// Whether the operation can say that a value is not what was expected.
fn checks(op: Op) -> bool {
    let row = op.row();
    row.effects.has(Effects::TRAP)
        && matches!(row.family, Family::Data | Family::Compare | Family::Entity)
}

/// The row that a function of the prelude is the body of.
pub fn row_of_prelude(function: &str) -> Option<LibId> {
    let is_it = |body| matches!(body, LibBody::Prelude(name) if name == function);
    let at = LIBRARY.iter().position(|row| is_it(row.body))?;
    Some(LibId(at as u16))
}

/// The row that an instruction calls, as op or as function of the prelude.
fn called_row(module: &Module, instr: Instr) -> Option<LibId> {
    if instr.op == Op::CallLib {
        return Some(LibId(instr.imm as u16));
    }
    if instr.op != Op::Call {
        return None;
    }
    let callee = module.functions.get(instr.imm as usize)?;
    row_of_prelude(&callee.name).filter(|_| callee.from_prelude)
}

/// The library function, and its parameter, that the value made or checked by an instruction goes to: the next use of its
/// register is that argument. With `far`, the value may be moved on its way.
fn argument_after(
    module: &Module,
    function: &Function,
    instruction: usize,
    far: bool,
) -> Option<(LibId, Option<usize>)> {
    let failed = Instr::decode(*function.code.get(instruction)?).ok()?;
    let (bank, mut reg) = subject(module, failed)?;
    let ahead = function.code.iter().skip(instruction + 1).take(AHEAD_MAX);
    for (distance, word) in ahead.enumerate() {
        let instr = Instr::decode(*word).ok()?;
        if let Some(to) = moved(instr, bank, reg) {
            if !far && distance > 0 {
                return None;
            }
            reg = to;
            continue;
        }
        if let Some(row) = called_row(module, instr)
            && let Some(at) = parameter(row.signature(), (instr.a, instr.b), bank, reg)
        {
            return Some((row, Some(at)));
        }
        if mentions(instr, bank, reg) {
            return in_place(failed, instr, reg);
        }
    }
    None
}

/// As `argument_after`, where the library function is done by an operation in place. Only a check against any list or map
/// is one for such a function.
fn in_place(failed: Instr, used: Instr, reg: u16) -> Option<(LibId, Option<usize>)> {
    if failed.op != Op::UnboxRef {
        return None;
    }
    let (name, parameters): (_, &[Place]) = if matches!(
        used.op,
        Op::ListPushI64 | Op::ListPushF64 | Op::ListPushBool | Op::ListPushRef | Op::ListPushAny
    ) {
        ("push", &[Place::A])
    } else if matches!(used.op, Op::ListConcat | Op::AddAny) {
        ("concat", &[Place::B, Place::C])
    } else if used.op == Op::MapGet {
        ("get", &[Place::B])
    } else if used.op == Op::MapSet {
        ("set", &[Place::B])
    } else {
        return None;
    };
    let at = parameters
        .iter()
        .position(|place| value(used, *place) == i32::from(reg))?;
    Some((*lookup(name).first()?, Some(at)))
}

/// The register whose value an instruction checks or gives.
fn subject(module: &Module, instr: Instr) -> Option<(Bank, u16)> {
    if instr.op == Op::Call {
        let callee = module.functions.get(instr.imm as usize)?;
        let bank = callee.signature.result?.bank();
        let base = match bank {
            Bank::Scalar => instr.a,
            Bank::Reference => instr.b,
        };
        let slot = callee.signature.result_slot(false);
        return Some((bank, u16::from(base) + slot as u16));
    }
    let first = instr.op.row().operands.first()?;
    let class = first.kind.class()?;
    Some((class.bank(), value(instr, first.place) as u16))
}

fn value(instr: Instr, place: Place) -> i32 {
    match place {
        Place::A => i32::from(instr.a),
        Place::B => i32::from(instr.b),
        Place::C => i32::from(instr.c),
        Place::Imm => instr.imm,
    }
}

/// Where an instruction moves the register, if it does nothing else.
fn moved(instr: Instr, bank: Bank, reg: u16) -> Option<u16> {
    if instr.op == Op::MovWide {
        let (to, from) = split_reg_pair(instr.imm);
        let same_bank = (instr.a == 0) == (bank == Bank::Scalar);
        return (same_bank && from == reg).then_some(to);
    }
    if !matches!(
        instr.op,
        Op::MovI64 | Op::MovF64 | Op::MovBool | Op::MovRef | Op::MovAny | Op::BoxRef
    ) {
        return None;
    }
    let [to, from] = instr.op.row().operands else {
        return None;
    };
    let is_it = from.kind.class()?.bank() == bank && value(instr, from.place) == i32::from(reg);
    is_it.then_some(value(instr, to.place) as u16)
}

/// Which parameter of a call whose window begins there the register carries.
fn parameter(signature: &Signature, window: (u8, u8), bank: Bank, reg: u16) -> Option<usize> {
    let base = match bank {
        Bank::Scalar => window.0,
        Bank::Reference => window.1,
    };
    let nth = usize::from(reg.checked_sub(u16::from(base))?);
    let params = &signature.params;
    let mut of_bank = (0..params.len()).filter(|at| params[*at].bank() == bank);
    of_bank.nth(nth)
}

/// Whether an instruction reads or writes the register, or may.
fn mentions(instr: Instr, bank: Bank, reg: u16) -> bool {
    let reg = i32::from(reg);
    instr.op.row().operands.iter().any(|operand| {
        let value = value(instr, operand.place);
        match operand.kind {
            OperandKind::Out(class) | OperandKind::In(class) | OperandKind::InOut(class) => {
                class.bank() == bank && value == reg
            }
            OperandKind::Run(class) => class.bank() == bank && value <= reg,
            OperandKind::Window(of) => of == bank && value <= reg,
            OperandKind::RegPair => {
                let (to, from) = split_reg_pair(value);
                i32::from(to) == reg || i32::from(from) == reg
            }
            _ => false,
        }
    })
}
