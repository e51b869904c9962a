//! Registers of a FLIN function as Cranelift variables, and the frame in memory behind them. Here because every lowering
//! reads and writes registers through it. Must stay true: a reference register is written to its slot in the frame
//! whenever it is defined (the frame is the set of roots); a scalar's slot is only written at exits and for helpers. A
//! bool is 0 or 1 in a variable; in the frame any bits but 0 mean true.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    InstBuilder, MemFlagsData, StackSlot, StackSlotData, StackSlotKind, Type, Value, types,
};
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
    /// Scalars whose slots are written wherever they are defined, because a strip needs, but never writes them.
    kept: Vec<bool>,
    /// Starts of the frame in the scalar and reference stack, and its call word.
    bases: [Value; 3],
    /// Where the bases stand, too, in units with strips: what is rarely needed takes no register.
    parked: Option<StackSlot>,
    strips: i32,
    /// What is being translated is rarely run.
    pub(crate) rare: bool,
}

/// What a unit's machine frame has room for besides the bases: a word of no meaning, then a word for each strip, then two
/// for each view.
const PARKED_FIRST: i32 = 32;

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
        bases: [Value; 3],
    ) -> Registers<'p> {
        let function = unit.function;
        let mut declare = |classes: &[Class]| -> Vec<Variable> {
            classes
                .iter()
                .map(|class| b.declare_var(type_of(*class)))
                .collect()
        };
        let (scalars, refs) = (declare(&function.scalar_regs), declare(&function.ref_regs));
        let (strips, views) = (unit.strips.len() as u32, unit.views.all.len() as u32);
        let size = PARKED_FIRST as u32 + 8 * strips + 16 * views;
        let slot = || StackSlotData::new(StackSlotKind::ExplicitSlot, size, 3);
        let parked = (!unit.strips.is_empty()).then(|| b.create_sized_stack_slot(slot()));
        Registers {
            function,
            fixed: unit.fixed.clone(),
            scalars,
            refs,
            kept: unit.kept.clone(),
            bases,
            parked,
            strips: strips as i32,
            rare: false,
        }
    }

    /// Parks the bases.
    pub(crate) fn park_bases(&self, b: &mut FunctionBuilder<'_>, regions: &Regions) {
        for (at, base) in self.bases.into_iter().enumerate() {
            self.park(b, regions, at as i32 * 8, base);
        }
    }

    fn park(&self, b: &mut FunctionBuilder<'_>, regions: &Regions, offset: i32, value: Value) {
        if let Some(slot) = self.parked {
            let at = b.ins().stack_addr(types::I64, slot, offset);
            let flags = regions.flags(Region::Parking);
            b.ins().store(flags, value, at, 0);
        }
    }

    /// Parks a word of a strip where the strip begins.
    pub(crate) fn park_of_strip(
        &self,
        b: &mut FunctionBuilder<'_>,
        regions: &Regions,
        strip: usize,
        value: Value,
    ) {
        self.park(b, regions, PARKED_FIRST + strip as i32 * 8, value);
    }

    fn offset_of_view(&self, view: usize) -> i32 {
        PARKED_FIRST + self.strips * 8 + view as i32 * 16
    }

    /// Parks length and buffer of a view, or its length alone.
    pub(crate) fn park_view(
        &self,
        b: &mut FunctionBuilder<'_>,
        regions: &Regions,
        view: usize,
        (len, buffer): (Value, Option<Value>),
    ) {
        let offset = self.offset_of_view(view);
        self.park(b, regions, offset, len);
        if let Some(buffer) = buffer {
            self.park(b, regions, offset + 8, buffer);
        }
    }

    /// Length and buffer of a parked view.
    pub(crate) fn parked_view(
        &self,
        b: &mut FunctionBuilder<'_>,
        regions: &Regions,
        view: usize,
    ) -> (Value, Value) {
        let slot = self.parked.expect("there is a strip");
        let offset = self.offset_of_view(view);
        let len = self.unpark(b, regions, slot, offset);
        (len, self.unpark(b, regions, slot, offset + 8))
    }

    /// From here on whatever is parked is read again, and not kept since it was read before.
    pub(crate) fn part_from_parked(&self, b: &mut FunctionBuilder<'_>, regions: &Regions) {
        if let Some(slot) = self.parked {
            let at = b.ins().stack_addr(types::I64, slot, PARKED_FIRST - 8);
            let flags = regions.flags(Region::Parked);
            let zero = b.ins().iconst(types::I64, 0);
            b.ins().store(flags, zero, at, 0);
        }
    }

    fn unpark(
        &self,
        b: &mut FunctionBuilder<'_>,
        regions: &Regions,
        slot: StackSlot,
        offset: i32,
    ) -> Value {
        let at = b.ins().stack_addr(types::I64, slot, offset);
        b.ins()
            .load(types::I64, regions.flags(Region::Parked), at, 0)
    }

    /// The parked word of a strip.
    pub(crate) fn parked_of_strip(
        &self,
        b: &mut FunctionBuilder<'_>,
        regions: &Regions,
        strip: usize,
    ) -> Value {
        let slot = self.parked.expect("there is a strip");
        self.unpark(b, regions, slot, PARKED_FIRST + strip as i32 * 8)
    }

    /// Start of the frame in the stack of a bank. The scalar one is needed where scalars are written back; the other one
    /// in the midst of loops.
    pub(crate) fn base(&self, b: &mut FunctionBuilder<'_>, regions: &Regions, bank: Bank) -> Value {
        match (self.parked, bank) {
            (Some(slot), Bank::Scalar) => self.unpark(b, regions, slot, 0),
            (Some(slot), Bank::Reference) if self.rare => self.unpark(b, regions, slot, 8),
            (_, Bank::Scalar) => self.bases[0],
            (_, Bank::Reference) => self.bases[1],
        }
    }

    /// The frame's call word.
    pub(crate) fn word(&self, b: &mut FunctionBuilder<'_>, regions: &Regions) -> Value {
        match self.parked {
            Some(slot) => self.unpark(b, regions, slot, 16),
            None => self.bases[2],
        }
    }

    /// Whether a register always holds the same.
    pub(crate) fn is_fixed(&self, slot: Slot) -> bool {
        slot.bank == Bank::Scalar && self.fixed[slot.reg as usize].is_some()
    }

    /// Whether a register's slot is written wherever it is defined.
    pub(crate) fn is_written_through(&self, slot: Slot) -> bool {
        match slot.bank {
            Bank::Scalar => self.kept[slot.reg as usize],
            Bank::Reference => true,
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
    fn place(&self, b: &mut FunctionBuilder<'_>, regions: &Regions, slot: Slot) -> (Value, i32) {
        let slots = match slot.bank {
            Bank::Scalar => self.function.scalar_regs.len(),
            Bank::Reference => self.function.ref_regs.len(),
        };
        (
            self.base(b, regions, slot.bank),
            frame_offset(slots, slot.reg),
        )
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

    /// Defines a register; a reference goes to the frame, too, and a scalar that is kept there.
    pub(crate) fn set(
        &self,
        b: &mut FunctionBuilder<'_>,
        regions: &Regions,
        slot: Slot,
        value: Value,
    ) {
        b.def_var(self.variable(slot), value);
        if self.is_written_through(slot) {
            self.write(b, regions, slot, value);
        }
    }

    /// Defines a reference register whose slot in the frame already holds the value.
    pub(crate) fn set_unwritten(&self, b: &mut FunctionBuilder<'_>, slot: Slot, value: Value) {
        b.def_var(self.variable(slot), value);
    }

    /// Defines a scalar register to be what it was; its slot in the frame stays as it is.
    pub(crate) fn set_back(&self, b: &mut FunctionBuilder<'_>, reg: u16, value: Value) {
        b.def_var(self.scalars[reg as usize], value);
    }

    /// Writes a value to the slot of a register without defining it.
    pub(crate) fn write(
        &self,
        b: &mut FunctionBuilder<'_>,
        regions: &Regions,
        slot: Slot,
        value: Value,
    ) {
        let (base, offset) = self.place(b, regions, slot);
        store_slot(b, regions, self.class(slot), value, base, offset);
    }

    /// Writes a scalar register to the frame, unless it stands there.
    pub(crate) fn write_back(&self, b: &mut FunctionBuilder<'_>, regions: &Regions, slot: Slot) {
        debug_assert_eq!(slot.bank, Bank::Scalar);
        if !self.is_written_through(slot) {
            let value = self.get(b, slot);
            self.write(b, regions, slot, value);
        }
    }

    /// Defines a register that is written through from its slot, so that nothing need hold it up to here.
    pub(crate) fn fetch(&self, b: &mut FunctionBuilder<'_>, regions: &Regions, slot: Slot) {
        let (base, offset) = self.place(b, regions, slot);
        let flags = regions.flags(Region::Parked);
        let value = load_word(b, flags, self.class(slot), base, offset);
        b.def_var(self.variable(slot), value);
    }

    /// Defines a register from its slot in the frame.
    pub(crate) fn reload(&self, b: &mut FunctionBuilder<'_>, regions: &Regions, slot: Slot) {
        let (base, offset) = self.place(b, regions, slot);
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
    load_word(b, regions.flags(Region::Frame), class, base, offset)
}

fn load_word(
    b: &mut FunctionBuilder<'_>,
    flags: MemFlagsData,
    class: Class,
    base: Value,
    offset: i32,
) -> Value {
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
