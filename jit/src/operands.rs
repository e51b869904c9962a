//! What an instruction reads and writes, derived from its row of the op table. Here because liveness and the generic
//! translation by helper must agree with the verifier about every row without a second table. Must stay true: all
//! operands of a row that name registers are reported, reads before writes; a window's arguments and result follow the
//! signature of what is called.

use flin_bytecode::encode::split_reg_pair;
use flin_bytecode::{Bank, Class, Instr, LibId, Module, OperandKind, Place, Signature};

/// A register by bank and wide number, with its class where it is known from the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) bank: Bank,
    pub(crate) reg: u16,
}

impl Slot {
    fn near(class: Class, reg: i32) -> Slot {
        Slot {
            bank: class.bank(),
            reg: reg as u16,
        }
    }
}

/// What is called by an instruction with windows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallShape<'m> {
    /// First scalar register of the window.
    pub(crate) scalar: u8,
    /// First reference register of the window.
    pub(crate) reference: u8,
    /// Signature of the callee as the caller sees it.
    pub(crate) signature: &'m Signature,
    /// Whether the closure object stands first in the reference window.
    pub(crate) is_closure: bool,
}

impl CallShape<'_> {
    /// The argument registers in order of the parameters, the closure's first.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = (Slot, Class)> {
        let mut next = [u16::from(self.scalar), u16::from(self.reference)];
        let closure = self.is_closure.then_some(&Class::Ref);
        closure
            .into_iter()
            .chain(&self.signature.params)
            .map(move |&class| {
                let at = match class.bank() {
                    Bank::Scalar => &mut next[0],
                    Bank::Reference => &mut next[1],
                };
                *at += 1;
                let slot = Slot {
                    bank: class.bank(),
                    reg: *at - 1,
                };
                (slot, class)
            })
    }

    /// Where the result is left.
    pub(crate) fn result(&self) -> Option<(Slot, Class)> {
        let class = self.signature.result?;
        let start = match class.bank() {
            Bank::Scalar => self.scalar,
            Bank::Reference => self.reference,
        };
        let reg = u16::from(start) + self.signature.result_slot(self.is_closure) as u16;
        let slot = Slot {
            bank: class.bank(),
            reg,
        };
        Some((slot, class))
    }
}

/// The windows of an instruction, if its row has such.
pub(crate) fn call_shape<'m>(module: &'m Module, instr: &Instr) -> Option<CallShape<'m>> {
    if instr.op.operand(Place::A) != Some(OperandKind::Window(Bank::Scalar)) {
        return None;
    }
    let (signature, is_closure) = match instr.op.operand(Place::Imm) {
        Some(OperandKind::Func) => (&module.functions[instr.imm as usize].signature, false),
        Some(OperandKind::Closure) => (&module.functions[instr.imm as usize].signature, true),
        Some(OperandKind::Sig) => (&module.signatures[instr.imm as usize], true),
        Some(OperandKind::Lib) => (LibId(instr.imm as u16).signature(), false),
        other => unreachable!("a row with call windows and {other:?}"),
    };
    Some(CallShape {
        scalar: instr.a,
        reference: instr.b,
        signature,
        is_closure,
    })
}

/// Calls `read` with every register that the instruction reads.
pub(crate) fn reads(module: &Module, instr: &Instr, mut read: impl FnMut(Slot)) {
    let operands = instr.op.row().operands;
    for operand in operands {
        match operand.kind {
            OperandKind::In(class) | OperandKind::InOut(class) => {
                read(Slot::near(class, instr.at(operand.place)));
            }
            OperandKind::RegPair => {
                let (_, source) = split_reg_pair(instr.imm);
                read(Slot {
                    bank: pair_bank(instr),
                    reg: source,
                });
            }
            OperandKind::Run(class) => {
                let count = operands.iter().find(|o| o.kind == OperandKind::Count);
                let count = count.map_or(0, |count| instr.at(count.place));
                for at in 0..count {
                    read(Slot::near(class, instr.at(operand.place) + at));
                }
            }
            OperandKind::Window(_) | OperandKind::Out(_) => {}
            ref other => debug_assert!(!other.is_register()),
        }
    }
    if let Some(call) = call_shape(module, instr) {
        for (slot, _) in call.arguments() {
            read(slot);
        }
    }
}

/// Calls `write` with every register that the instruction defines (not those that a window only clobbers).
pub(crate) fn writes(module: &Module, instr: &Instr, mut write: impl FnMut(Slot)) {
    for operand in instr.op.row().operands {
        match operand.kind {
            OperandKind::Out(class) | OperandKind::InOut(class) => {
                write(Slot::near(class, instr.at(operand.place)));
            }
            OperandKind::RegPair => {
                let (destination, _) = split_reg_pair(instr.imm);
                write(Slot {
                    bank: pair_bank(instr),
                    reg: destination,
                });
            }
            OperandKind::In(_) | OperandKind::Run(_) | OperandKind::Window(_) => {}
            ref other => debug_assert!(!other.is_register()),
        }
    }
    if let Some((slot, _)) = call_shape(module, instr).and_then(|call| call.result()) {
        write(slot);
    }
}

/// Where the instruction may jump to.
pub(crate) fn jump_target(instr: &Instr) -> Option<u32> {
    match instr.op.operand(Place::Imm) {
        Some(OperandKind::Jump) => Some(instr.imm as u32),
        Some(_) | None => None,
    }
}

fn pair_bank(instr: &Instr) -> Bank {
    if instr.a == 0 {
        Bank::Scalar
    } else {
        Bank::Reference
    }
}
