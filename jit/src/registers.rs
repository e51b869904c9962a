//! Registers of a FLIN function as Cranelift variables, and the frame in memory behind them. Here because every lowering
//! reads and writes registers through it. Must stay true: a reference register is written to its slot in the frame
//! whenever it is defined (the frame is the set of roots); a scalar's slot is only written at exits and for helpers. A
//! bool is 0 or 1 in a variable; in the frame any bits but 0 mean true.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Type, Value, types};
use cranelift_frontend::{FunctionBuilder, Variable};
use flin_bytecode::build::FAR_REG_FIRST;
use flin_bytecode::{Bank, Class, Function};

use crate::operands::Slot;
use crate::regions::{Region, Regions};
use crate::unit::{Fixed, Unit};

/// The Cranelift type of a class in a variable, an argument or a result.
pub(crate) fn type_of(class: Class) -> Type {
    match class {
        Class::I64 | Class::Ref | Class::Any => types::I64,
        Class::F64 => types::F64,
        Class::Bool => types::I8,
    }
}

/// The registers of the function that is being translated.
pub(crate) struct Registers<'p> {
    function: &'p Function,
    fixed: Vec<Option<Fixed>>,
    scalars: Vec<Variable>,
    refs: Vec<Variable>,
    /// Start of the frame in the scalar stack.
    pub(crate) s: Value,
    /// Start of the frame in the reference stack.
    pub(crate) r: Value,
}

/// Number of registers of a bank beyond the near ones.
pub(crate) fn far_count(slots: usize) -> usize {
    slots.saturating_sub(FAR_REG_FIRST as usize)
}

/// Offset in bytes of a register from the start of its frame, whose bank has so many registers.
pub(crate) fn frame_offset(slots: usize, reg: u16) -> i32 {
    let far = far_count(slots) as i32;
    let reg = i32::from(reg);
    let first_far = i32::from(FAR_REG_FIRST);
    let slot = if reg < first_far {
        far + reg
    } else {
        far - 1 - (reg - first_far)
    };
    slot * 8
}

impl<'p> Registers<'p> {
    /// Declares a variable for every register.
    pub(crate) fn new(
        b: &mut FunctionBuilder<'_>,
        unit: &Unit<'p>,
        s: Value,
        r: Value,
    ) -> Registers<'p> {
        let function = unit.function;
        let mut declare = |classes: &[Class]| -> Vec<Variable> {
            classes
                .iter()
                .map(|class| b.declare_var(type_of(*class)))
                .collect()
        };
        Registers {
            function,
            fixed: unit.fixed.clone(),
            scalars: declare(&function.scalar_regs),
            refs: declare(&function.ref_regs),
            s,
            r,
        }
    }

    /// The class of a register.
    pub(crate) fn class(&self, slot: Slot) -> Class {
        match slot.bank {
            Bank::Scalar => self.function.scalar_regs[slot.reg as usize],
            Bank::Reference => self.function.ref_regs[slot.reg as usize],
        }
    }

    fn variable(&self, slot: Slot) -> Variable {
        match slot.bank {
            Bank::Scalar => self.scalars[slot.reg as usize],
            Bank::Reference => self.refs[slot.reg as usize],
        }
    }

    /// Base and offset of a register in the frame.
    fn place(&self, slot: Slot) -> (Value, i32) {
        match slot.bank {
            Bank::Scalar => (
                self.s,
                frame_offset(self.function.scalar_regs.len(), slot.reg),
            ),
            Bank::Reference => (self.r, frame_offset(self.function.ref_regs.len(), slot.reg)),
        }
    }

    /// Offset in bytes of a near register from the start of the frame: where a window begins.
    pub(crate) fn window_offset(&self, bank: Bank, reg: u8) -> i64 {
        let slots = match bank {
            Bank::Scalar => self.function.scalar_regs.len(),
            Bank::Reference => self.function.ref_regs.len(),
        };
        i64::from(frame_offset(slots, u16::from(reg)))
    }

    /// The value of a register. What is always the same is made anew wherever it is read: it costs nothing, and
    /// Cranelift sees it.
    pub(crate) fn get(&self, b: &mut FunctionBuilder<'_>, slot: Slot) -> Value {
        let fixed = match slot.bank {
            Bank::Scalar => self.fixed[slot.reg as usize],
            Bank::Reference => None,
        };
        match fixed {
            Some(Fixed::Int(value)) => b.ins().iconst(types::I64, value),
            Some(Fixed::Float(address)) => {
                // Loaded once before a loop; Cranelift would make a constant anew in each of its turns.
                let address = b.ins().iconst(types::I64, address as i64);
                let flags = MemFlagsData::trusted().with_readonly().with_can_move();
                b.ins().load(types::F64, flags, address, 0)
            }
            Some(Fixed::Bool(value)) => b.ins().iconst(types::I8, i64::from(value)),
            None => b.use_var(self.variable(slot)),
        }
    }

    /// Defines a register; a reference goes to the frame, too.
    pub(crate) fn set(
        &self,
        b: &mut FunctionBuilder<'_>,
        regions: &Regions,
        slot: Slot,
        value: Value,
    ) {
        b.def_var(self.variable(slot), value);
        if slot.bank == Bank::Reference {
            let (base, offset) = self.place(slot);
            b.ins()
                .store(regions.flags(Region::Frame), value, base, offset);
        }
    }

    /// Defines a register whose slot in the frame already holds the value.
    pub(crate) fn set_unwritten(&self, b: &mut FunctionBuilder<'_>, slot: Slot, value: Value) {
        b.def_var(self.variable(slot), value);
    }

    /// Writes a word to the slot of a reference register without defining it.
    pub(crate) fn write_word(
        &self,
        b: &mut FunctionBuilder<'_>,
        regions: &Regions,
        slot: Slot,
        word: Value,
    ) {
        let (base, offset) = self.place(slot);
        b.ins()
            .store(regions.flags(Region::Frame), word, base, offset);
    }

    /// Writes a scalar register to the frame.
    pub(crate) fn write_back(&self, b: &mut FunctionBuilder<'_>, regions: &Regions, slot: Slot) {
        debug_assert_eq!(slot.bank, Bank::Scalar);
        let value = self.get(b, slot);
        let wide = match self.class(slot) {
            Class::Bool => b.ins().uextend(types::I64, value),
            Class::I64 | Class::F64 | Class::Ref | Class::Any => value,
        };
        let (base, offset) = self.place(slot);
        b.ins()
            .store(regions.flags(Region::Frame), wide, base, offset);
    }

    /// Defines a register from its slot in the frame.
    pub(crate) fn reload(&self, b: &mut FunctionBuilder<'_>, regions: &Regions, slot: Slot) {
        let (base, offset) = self.place(slot);
        let value = load_slot(b, regions, self.class(slot), base, offset);
        b.def_var(self.variable(slot), value);
    }
}

/// Loads a value of a class from a slot of a frame.
pub(crate) fn load_slot(
    b: &mut FunctionBuilder<'_>,
    regions: &Regions,
    class: Class,
    base: Value,
    offset: i32,
) -> Value {
    let flags = regions.flags(Region::Frame);
    match class {
        Class::I64 | Class::Ref | Class::Any => b.ins().load(types::I64, flags, base, offset),
        Class::F64 => b.ins().load(types::F64, flags, base, offset),
        Class::Bool => {
            let wide = b.ins().load(types::I64, flags, base, offset);
            b.ins().icmp_imm_s(IntCC::NotEqual, wide, 0)
        }
    }
}

/// Stores a value of a class into a slot of a frame.
pub(crate) fn store_slot(
    b: &mut FunctionBuilder<'_>,
    regions: &Regions,
    class: Class,
    value: Value,
    base: Value,
    offset: i32,
) {
    let wide = match class {
        Class::Bool => b.ins().uextend(types::I64, value),
        Class::I64 | Class::F64 | Class::Ref | Class::Any => value,
    };
    b.ins()
        .store(regions.flags(Region::Frame), wide, base, offset);
}
