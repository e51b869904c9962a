//! Which instructions work on words whose type is known only at run time. Here because a test forbids them in programs
//! that are typed throughout, and the coverage report counts their share. Must stay true: a `ref` register that is read
//! as any does not count: nothing is boxed or asked there.

use flin_bytecode::{Bank, Class, Function, Instr, LibId, Module, Op, Operand, OperandKind};

/// Whether an instruction of the function has a register of class any among its operands.
pub fn is_untyped(module: &Module, function: &Function, instr: &Instr) -> bool {
    let mut operands = instr.op.row().operands.iter();
    operands.any(|operand| touches_any(module, function, instr, *operand))
}

/// Whether an operand names registers of class any.
fn touches_any(module: &Module, function: &Function, instr: &Instr, operand: Operand) -> bool {
    let value = instr.at(operand.place);
    let is_any = |first: i32, count: usize| {
        let mut regs = function.ref_regs.iter().skip(first as usize).take(count);
        regs.any(|class| *class == Class::Any)
    };
    match operand.kind {
        OperandKind::Out(class) | OperandKind::In(class) | OperandKind::InOut(class) => {
            class.bank() == Bank::Reference && is_any(value, 1)
        }
        OperandKind::Run(_) => {
            let mut operands = instr.op.row().operands.iter();
            let count = operands.find(|o| o.kind == OperandKind::Count);
            is_any(value, count.map_or(0, |o| instr.at(o.place) as usize))
        }
        OperandKind::Window(Bank::Reference) => {
            let closure = instr.op == Op::CallClosure;
            let signature = if closure {
                &module.signatures[instr.imm as usize]
            } else if instr.op == Op::CallLib {
                LibId(instr.imm as u16).signature()
            } else {
                &module.functions[instr.imm as usize].signature
            };
            let in_bank = |class: &&Class| class.bank() == Bank::Reference;
            let count = signature.params.iter().filter(in_bank).count() + usize::from(closure);
            let result = signature.result.is_some_and(|class| class == Class::Any);
            is_any(value, count) || result
        }
        OperandKind::RegPair => {
            instr.a == 1 && (is_any(value >> 16, 1) || is_any(value & 0xffff, 1))
        }
        _ => false,
    }
}
