//! What follows from constants alone is computed here: arithmetic, comparisons, conversions, and the jumps by them. Here
//! because inlining brings constants to where they are used, and people write `24 * 60 * 60`. Must stay true: a result has
//! the bits that the machine would compute; what raises an error, and what is no finite number, stays and happens at run
//! time.

use flin_bytecode::{Const, Module, ModuleBuilder, Op};

use super::body::{BlockId, Body, Inst, V, is_mov};
use super::branches;
use super::graph::Flow;

/// What a register surely holds.
#[derive(Clone, Copy, Debug)]
enum Known {
    Int(i64),
    Float(f64),
    Bool(bool),
}

/// Replaces what is known by constants and decides the jumps by it; whether there was anything.
pub(super) fn fold(builder: &mut ModuleBuilder, body: &mut Body) -> bool {
    let flow = Flow::of(body);
    let definitions = body.definitions();
    let mut found = Found {
        flow: &flow,
        once: vec![None; body.classes.len()],
        here: vec![None; body.classes.len()],
    };
    let (mut changed, mut decided) = (false, false);
    for &block in &flow.order {
        let covered = body.block(block).handler.is_some();
        let mut written = Vec::new();
        for inst in &mut body.block_mut(block).insts {
            let value = known(&builder.module, inst, |v| found.get(block, v));
            if let Some(value) = value
                && !is_constant(inst.op)
                && !is_mov(inst.op)
            {
                *inst = constant(builder, value, inst);
                changed = true;
            }
            if let Some(def) = inst.def() {
                found.here[def as usize] = value;
                written.push(def);
                // Errors leave a covered block at any point: who comes after it may not have passed here.
                if definitions[def as usize] == 1 && !covered {
                    found.once[def as usize] = value.map(|value| (block, value));
                }
            }
        }
        let of = body.block(block);
        let way = of.insts.last().and_then(|jump| {
            let taken = taken(jump, |v| found.get(block, v))?;
            Some(taken.then_some(jump.imm as BlockId))
        });
        if let Some(target) = way {
            let of = body.block_mut(block);
            of.insts.pop();
            of.next = target.or(of.next);
            decided = true;
        }
        for v in written {
            found.here[v as usize] = None;
        }
    }
    if decided {
        branches::alive(body);
    }
    changed || decided
}

/// What is known where the pass stands.
struct Found<'f> {
    flow: &'f Flow,
    /// Of registers that are written once: where, and what. It holds wherever that block was passed before.
    once: Vec<Option<(BlockId, Known)>>,
    /// Of registers that this block has written.
    here: Vec<Option<Known>>,
}

impl Found<'_> {
    fn get(&self, block: BlockId, v: V) -> Option<Known> {
        let before = || {
            let (at, value) = self.once[v as usize]?;
            self.flow.dominates(at, block).then_some(value)
        };
        self.here[v as usize].or_else(before)
    }
}

fn is_constant(op: Op) -> bool {
    matches!(
        op,
        Op::ConstI64 | Op::ConstI64Pool | Op::ConstF64 | Op::ConstBool
    )
}

/// The instruction that gives a value where another one did.
fn constant(builder: &mut ModuleBuilder, value: Known, inst: &Inst) -> Inst {
    let (op, imm) = match value {
        Known::Int(value) => match i32::try_from(value) {
            Ok(small) => (Op::ConstI64, small),
            Err(_) => (Op::ConstI64Pool, builder.const_int(value).0 as i32),
        },
        Known::Float(value) => (Op::ConstF64, builder.const_float(value).0 as i32),
        Known::Bool(value) => (Op::ConstBool, i32::from(value)),
    };
    Inst {
        a: inst.a,
        imm,
        ..Inst::new(op, inst.spot)
    }
}

/// The result of an instruction, if its operands say it.
fn known(module: &Module, inst: &Inst, get: impl Fn(V) -> Option<Known>) -> Option<Known> {
    let int = |v| match get(v)? {
        Known::Int(value) => Some(value),
        Known::Float(_) | Known::Bool(_) => None,
    };
    let float = |v| match get(v)? {
        Known::Float(value) => Some(value),
        Known::Int(_) | Known::Bool(_) => None,
    };
    let bool = |v| match get(v)? {
        Known::Bool(value) => Some(value),
        Known::Int(_) | Known::Float(_) => None,
    };
    let (b, c) = (inst.b, inst.c);
    let ints = |of: fn(i64, i64) -> Option<i64>| of(int(b)?, int(c)?).map(Known::Int);
    let floats = |of: fn(f64, f64) -> f64| {
        let value = of(float(b)?, float(c)?);
        value.is_finite().then_some(Known::Float(value))
    };
    let compared = |of: fn(&i64, &i64) -> bool| Some(Known::Bool(of(&int(b)?, &int(c)?)));
    let ordered = |of: fn(&f64, &f64) -> bool| Some(Known::Bool(of(&float(b)?, &float(c)?)));
    match inst.op {
        Op::ConstI64 => Some(Known::Int(i64::from(inst.imm))),
        Op::ConstBool => Some(Known::Bool(inst.imm != 0)),
        Op::ConstI64Pool | Op::ConstF64 => match module.constants.get(inst.imm as usize)? {
            Const::Int(value) => Some(Known::Int(*value)),
            Const::Float(value) => Some(Known::Float(*value)),
            Const::Text(_) => None,
        },
        Op::MovI64 | Op::MovF64 | Op::MovBool => get(b),
        Op::AddI64 | Op::AddWrapI64 => ints(i64::checked_add),
        Op::SubI64 | Op::SubWrapI64 => ints(i64::checked_sub),
        Op::MulI64 | Op::MulWrapI64 => ints(i64::checked_mul),
        Op::DivI64 => ints(i64::checked_div),
        Op::RemI64 => ints(|b, c| (c != 0).then(|| b.wrapping_rem(c))),
        Op::PowI64 => ints(|b, c| b.checked_pow(u32::try_from(c).ok()?)),
        Op::AddImmI64 | Op::AddImmWrapI64 => {
            int(b)?.checked_add(i64::from(inst.imm)).map(Known::Int)
        }
        Op::NegI64 => int(b)?.checked_neg().map(Known::Int),
        Op::AddF64 => floats(|b, c| b + c),
        Op::SubF64 => floats(|b, c| b - c),
        Op::MulF64 => floats(|b, c| b * c),
        Op::DivF64 => floats(|b, c| b / c),
        Op::RemF64 => floats(|b, c| b % c),
        Op::NegF64 => float(b).map(|b| Known::Float(-b)),
        // Powers of floats are left out: machines may differ in their last bit.
        Op::IntToFloat => int(b).map(|b| Known::Float(b as f64)),
        Op::TruthyI64 => int(b).map(|b| Known::Bool(b != 0)),
        Op::TruthyF64 => float(b).map(|b| Known::Bool(b != 0.0)),
        Op::NotBool => bool(b).map(|b| Known::Bool(!b)),
        Op::EqI64 => compared(i64::eq),
        Op::LtI64 => compared(i64::lt),
        Op::LeI64 => compared(i64::le),
        Op::EqF64 => ordered(f64::eq),
        Op::LtF64 => ordered(f64::lt),
        Op::LeF64 => ordered(f64::le),
        Op::EqBool => Some(Known::Bool(bool(b)? == bool(c)?)),
        _ => None,
    }
}

/// Whether a jump is taken, if that is known.
fn taken(jump: &Inst, get: impl Fn(V) -> Option<Known>) -> Option<bool> {
    let bool = || match get(jump.a)? {
        Known::Bool(a) => Some(a),
        Known::Int(_) | Known::Float(_) => None,
    };
    let ints = |of: fn(&i64, &i64) -> bool| match (get(jump.a)?, get(jump.b)?) {
        (Known::Int(a), Known::Int(b)) => Some(of(&a, &b)),
        _ => None,
    };
    let floats = |of: fn(&f64, &f64) -> bool| match (get(jump.a)?, get(jump.b)?) {
        (Known::Float(a), Known::Float(b)) => Some(of(&a, &b)),
        _ => None,
    };
    match jump.op {
        Op::JumpIf => bool(),
        Op::JumpUnless => bool().map(|a| !a),
        Op::JumpEqI64 => ints(i64::eq),
        Op::JumpNeI64 => ints(i64::ne),
        Op::JumpLtI64 => ints(i64::lt),
        Op::JumpLeI64 => ints(i64::le),
        Op::JumpLtF64 => floats(f64::lt),
        Op::JumpLeF64 => floats(f64::le),
        Op::JumpNltF64 => floats(f64::lt).map(|less| !less),
        Op::JumpNleF64 => floats(f64::le).map(|less| !less),
        _ => None,
    }
}
