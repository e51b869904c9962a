//! The `checked` build: what the verifier promised is asserted again at every instruction, by the op table, not by the bodies.
//! Here because a mistake of the verifier, of a body or of the collector then stops at the instruction that shows it,
//! instead of reading somebody else's memory. Must stay true: nothing here changes what a program does.

use flin_bytecode::encode::split_reg_pair;
use flin_bytecode::{Bank, Class, Function, Instr, LibId, OperandKind, Place, Signature};

use super::At;
use crate::heap::checked::word_bits;
use crate::machine::Machine;

/// Asserts pc, frame, and every operand of the instruction at `at.pc`, which runs next.
#[cold]
#[inline(never)]
pub(super) fn instruction(m: &Machine, at: At) {
    let record = m
        .stacks
        .records
        .last()
        .expect("a running function has a record");
    let function = &m.program.module().functions[record.func as usize];
    let info = &m.program.funcs()[record.func as usize];
    assert_eq!(at.code, info.code, "code of {}", function.name);
    let offset = (at.pc as usize).wrapping_sub(at.code as usize);
    assert!(
        offset.is_multiple_of(8) && offset / 8 < function.code.len(),
        "pc is outside of {}",
        function.name
    );
    assert!(
        m.stacks.holds_frame(info, at.regs),
        "the frame of {} is outside of the stacks",
        function.name
    );
    let word = function.code[offset / 8];
    let instr = Instr::decode(word).unwrap_or_else(|e| panic!("{}: {e}", function.name));
    let check = Check {
        m,
        at,
        function,
        instr,
    };
    check.operands();
    check.runs();
    check.windows();
}

struct Check<'a> {
    m: &'a Machine,
    at: At,
    function: &'a Function,
    instr: Instr,
}

impl Check<'_> {
    fn place(&self) -> String {
        let number = (self.at.pc as usize - self.at.code as usize) / 8;
        format!("{} {number} {:?}", self.function.name, self.instr)
    }

    fn registers(&self, bank: Bank) -> &[Class] {
        match bank {
            Bank::Scalar => &self.function.scalar_regs,
            Bank::Reference => &self.function.ref_regs,
        }
    }

    fn operands(&self) {
        for operand in self.instr.op.row().operands {
            let value = self.instr.at(operand.place);
            match operand.kind {
                OperandKind::In(class) | OperandKind::InOut(class) => {
                    self.read(value as u16, class);
                }
                OperandKind::Out(class) => {
                    let declared = self.declared(class.bank(), value as u16);
                    assert_eq!(declared, class, "written register: {}", self.place());
                }
                OperandKind::RegPair => {
                    let bank = if self.instr.a == 0 {
                        Bank::Scalar
                    } else {
                        Bank::Reference
                    };
                    let (to, from) = split_reg_pair(self.instr.imm);
                    self.declared(bank, to);
                    let class = self.declared(bank, from);
                    self.read(from, class);
                }
                OperandKind::Jump => {
                    let inside = usize::try_from(value).is_ok_and(|t| t < self.function.code.len());
                    assert!(inside, "jump target: {}", self.place());
                }
                OperandKind::ConstInt | OperandKind::ConstFloat | OperandKind::ConstText => {
                    self.below(value, self.m.program.module().constants.len());
                }
                OperandKind::TypeDesc => self.below(value, self.m.program.module().types.len()),
                OperandKind::Shape => self.below(value, self.m.program.module().shapes.len()),
                OperandKind::Global => self.global(value),
                OperandKind::Func | OperandKind::Closure => {
                    self.below(value, self.m.program.module().functions.len());
                }
                OperandKind::Sig => self.below(value, self.m.program.module().signatures.len()),
                OperandKind::Lib => self.below(value, flin_bytecode::Native::ALL.len()),
                OperandKind::Entity => self.below(value, self.m.program.module().entities.len()),
                OperandKind::Capture => self.below(value, self.function.captures.len()),
                // Runs and windows are looked at as a whole; the others are compared with the object by the bodies.
                OperandKind::Run(_)
                | OperandKind::Window(_)
                | OperandKind::Unused
                | OperandKind::Int
                | OperandKind::Bank
                | OperandKind::Class
                | OperandKind::Count
                | OperandKind::Slot
                | OperandKind::ViewPlace
                | OperandKind::ViewControl
                | OperandKind::LogLevel
                | OperandKind::Output
                | OperandKind::Template
                | OperandKind::Item
                | OperandKind::Handler
                | OperandKind::Field
                | OperandKind::DeclaredField => {}
            }
        }
    }

    fn below(&self, value: i32, count: usize) {
        let inside = usize::try_from(value).is_ok_and(|value| value < count);
        assert!(inside, "{value} of {count}: {}", self.place());
    }

    fn global(&self, value: i32) {
        self.below(value, self.m.globals.len());
        let class = self.m.program.module().globals[value as usize].class;
        if class.bank() == Bank::Reference {
            word_bits(self.m.globals[value as usize], || {
                format!("global {value}: {}", self.place())
            });
        }
    }

    /// The class of a register, which exists.
    fn declared(&self, bank: Bank, register: u16) -> Class {
        let registers = self.registers(bank);
        assert!(
            usize::from(register) < registers.len(),
            "register {register} of {}: {}",
            registers.len(),
            self.place()
        );
        registers[usize::from(register)]
    }

    /// A register that is read as `class` holds such a value.
    fn read(&self, register: u16, class: Class) {
        let declared = self.declared(class.bank(), register);
        assert!(declared.reads_as(class), "read register: {}", self.place());
        self.value(declared, self.at.regs.bits(class.bank(), register));
    }

    fn value(&self, class: Class, bits: u64) {
        match class {
            Class::I64 | Class::F64 => {}
            Class::Bool => assert!(bits <= 1, "{bits} is no bool: {}", self.place()),
            Class::Ref => {
                assert_eq!(
                    bits & 7,
                    0,
                    "no address in a ref register: {}",
                    self.place()
                );
                word_bits(bits, || self.place());
            }
            Class::Any => word_bits(bits, || self.place()),
        }
    }

    /// Registers one after the other, as many as the row's count says.
    fn runs(&self) {
        let operands = self.instr.op.row().operands;
        let run = operands.iter().find_map(|operand| match operand.kind {
            OperandKind::Run(class) => Some((self.instr.at(operand.place), class)),
            _ => None,
        });
        let count = operands.iter().find(|o| o.kind == OperandKind::Count);
        if let (Some((first, class)), Some(count)) = (run, count) {
            for number in 0..self.instr.at(count.place) {
                self.read((first + number) as u16, class);
            }
        }
    }

    /// Arguments stand in registers of the frame, the result has one, too.
    fn windows(&self) {
        if self.instr.op.operand(Place::A) != Some(OperandKind::Window(Bank::Scalar)) {
            return;
        }
        let module = self.m.program.module();
        let index = self.instr.imm as usize;
        match self.instr.op.operand(Place::Imm) {
            Some(OperandKind::Func) => self.window(&module.functions[index].signature, false),
            Some(OperandKind::Closure) => self.window(&module.functions[index].signature, true),
            Some(OperandKind::Sig) => self.window(&module.signatures[index], true),
            Some(OperandKind::Lib) => self.window(LibId(index as u16).signature(), false),
            other => panic!("a call of {other:?}: {}", self.place()),
        }
    }

    fn window(&self, signature: &Signature, is_closure: bool) {
        let mut next = [u16::from(self.instr.a), u16::from(self.instr.b)];
        if is_closure {
            self.read(next[1], Class::Ref);
            next[1] += 1;
        }
        for class in &signature.params {
            let slot = &mut next[class.bank() as usize];
            self.read(*slot, *class);
            *slot += 1;
        }
        if let Some(class) = signature.result {
            let first = match class.bank() {
                Bank::Scalar => self.instr.a,
                Bank::Reference => self.instr.b,
            };
            let slot = usize::from(first) + signature.result_slot(is_closure);
            self.declared(class.bank(), slot as u16);
        }
    }
}
