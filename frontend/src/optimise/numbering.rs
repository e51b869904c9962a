//! What a block has computed or read already is not computed or read again. Here because source text repeats itself
//! (`v[i] * v[i]`, `b.mass` in three lines), and every read compares the object's kind and the position. Must stay true:
//! between two equal reads nothing may have written what they read; what failed the first time never comes to the second.

use flin_bytecode::{Effects, Module, Op, OperandKind};

use super::body::{Body, Inst, V, is_jump, is_mov, mov_op};
use super::copies::is_fixed;

/// Values that are remembered at once: each instruction is compared with them.
const KEPT: usize = 48;

/// What a value depends on besides registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// Nothing.
    Registers,
    /// The elements of lists.
    Lists,
    /// A field of records, by the constant of its name.
    Field(u32),
    /// A global.
    Global(i32),
    /// What cells hold.
    Cells,
}

/// A value that a register holds.
struct Value {
    op: Op,
    operands: [u32; 2],
    imm: i32,
    source: Source,
    held: V,
}

/// Replaces what is known by copies; whether there was anything.
pub(super) fn number(module: &Module, body: &mut Body) -> bool {
    let classes = body.classes.clone();
    let mut changed = false;
    for block in body.order.clone() {
        let mut known: Vec<Value> = Vec::new();
        for inst in &mut body.block_mut(block).insts {
            let found = read_by(module, inst);
            if found.is_some()
                && let Some(value) = known.iter().find(|value| value.is(inst))
                && Some(value.held) != inst.def()
            {
                let (def, held) = (inst.a, value.held);
                let class = classes[def as usize];
                if class == classes[held as usize] {
                    *inst = Inst {
                        a: def,
                        b: held,
                        ..Inst::new(mov_op(class), inst.spot)
                    };
                    changed = true;
                    known.retain(|value| !value.names(def));
                    continue;
                }
            }
            forget(module, inst, &mut known);
            let reads_itself = |def: V| {
                let mut reads = false;
                inst.uses(|v| reads |= v == def);
                reads
            };
            let value = match (found, inst.def()) {
                (Some(source), Some(def)) if !reads_itself(def) => Value::of(inst, source, def),
                _ => match stored(module, inst) {
                    Some(value) => value,
                    None => continue,
                },
            };
            if known.len() == KEPT {
                known.remove(0);
            }
            known.push(value);
        }
    }
    changed
}

impl Value {
    fn of(inst: &Inst, source: Source, held: V) -> Value {
        let operands = [inst.b, inst.c];
        Value {
            op: inst.op,
            operands,
            imm: inst.imm,
            source,
            held,
        }
    }

    fn is(&self, inst: &Inst) -> bool {
        self.op == inst.op && self.operands == [inst.b, inst.c] && self.imm == inst.imm
    }

    /// Whether it speaks of a register. A slot or an immediate with the same number may count as one: then it is only
    /// forgotten too early.
    fn names(&self, v: V) -> bool {
        self.held == v || self.operands.contains(&v)
    }
}

/// What an instruction reads, if its value may be remembered.
fn read_by(module: &Module, inst: &Inst) -> Option<Source> {
    match inst.op {
        Op::ListGetI64
        | Op::ListGetF64
        | Op::ListGetBool
        | Op::ListGetRef
        | Op::ListGetAny
        | Op::ListLen => Some(Source::Lists),
        Op::RecordGetI64
        | Op::RecordGetF64
        | Op::RecordGetBool
        | Op::RecordGetRef
        | Op::RecordGetAny => field(module, inst).map(Source::Field),
        Op::GlobalGetI64
        | Op::GlobalGetF64
        | Op::GlobalGetBool
        | Op::GlobalGetRef
        | Op::GlobalGetAny => Some(Source::Global(inst.imm)),
        Op::CellGetI64 | Op::CellGetF64 | Op::CellGetBool | Op::CellGetRef | Op::CellGetAny => {
            Some(Source::Cells)
        }
        Op::AddI64 | Op::SubI64 | Op::MulI64 | Op::DivI64 | Op::RemI64 | Op::AddImmI64 => {
            Some(Source::Registers)
        }
        Op::NegI64 | Op::TextLen => Some(Source::Registers),
        op if is_mov(op) || op == Op::BoxRef => None,
        op if is_fixed(op) && !op.row().effects.has(Effects::ALLOC) => Some(Source::Registers),
        _ => None,
    }
}

/// The name of the field that a record operation reads or writes.
fn field(module: &Module, inst: &Inst) -> Option<u32> {
    let shape = module.shapes.get(inst.imm as usize)?;
    Some(shape.fields.get(inst.c as usize)?.0.0)
}

/// What a store leaves behind is what a read would give.
fn stored(module: &Module, inst: &Inst) -> Option<Value> {
    let read = match inst.op {
        Op::RecordSetI64 => Op::RecordGetI64,
        Op::RecordSetF64 => Op::RecordGetF64,
        Op::RecordSetBool => Op::RecordGetBool,
        _ => return None,
    };
    let source = Source::Field(field(module, inst)?);
    Some(Value {
        op: read,
        operands: [inst.b, inst.c],
        imm: inst.imm,
        source,
        held: inst.a,
    })
}

/// Forgets what an instruction may change.
fn forget(module: &Module, inst: &Inst, known: &mut Vec<Value>) {
    if let Some(def) = inst.def() {
        known.retain(|value| !value.names(def));
    }
    match inst.op {
        Op::RecordSetI64
        | Op::RecordSetF64
        | Op::RecordSetBool
        | Op::RecordSetRef
        | Op::RecordSetAny => {
            let name = field(module, inst);
            known.retain(
                |v| !matches!(v.source, Source::Field(of) if Some(of) == name || name.is_none()),
            );
        }
        Op::GlobalSetI64
        | Op::GlobalSetF64
        | Op::GlobalSetBool
        | Op::GlobalSetRef
        | Op::GlobalSetAny => known.retain(|v| v.source != Source::Global(inst.imm)),
        Op::ListPushI64
        | Op::ListPushF64
        | Op::ListPushBool
        | Op::ListPushRef
        | Op::ListPushAny
        | Op::ListSetI64
        | Op::ListSetF64
        | Op::ListSetBool
        | Op::ListSetRef
        | Op::ListSetAny => known.retain(|v| v.source != Source::Lists),
        Op::CellSetI64 | Op::CellSetF64 | Op::CellSetBool | Op::CellSetRef | Op::CellSetAny => {
            known.retain(|v| v.source != Source::Cells);
        }
        op if harmless(op) => {}
        _ => known.retain(|v| v.source == Source::Registers),
    }
}

/// Whether an operation changes nothing but its own register.
fn harmless(op: Op) -> bool {
    let row = op.row();
    let gives = row
        .operands
        .first()
        .is_some_and(|o| matches!(o.kind, OperandKind::Out(_)));
    let calls = row
        .operands
        .iter()
        .any(|o| matches!(o.kind, OperandKind::Window(_)));
    gives && !calls && !row.effects.has(Effects::SUSPEND) || is_jump(op) || op == Op::Print
}
