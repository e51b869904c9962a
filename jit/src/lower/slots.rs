//! Records, cells, captured values and globals in place. Must stay true: a slot is touched only after the whole header
//! was compared with that of the shape, cell or closure, or where this very block has made the object.

use cranelift_codegen::ir::InstBuilder;
use flin_bytecode::{Bank, Class, FuncId, Instr};
use flin_vm::native::layout::{self, NativeKind, class_aux, header_bits};

use super::Lower;
use crate::regions::Region;

fn record_header(shape: i32) -> u64 {
    header_bits(NativeKind::Record, 0, shape as u32)
}

fn slot_offset(slot: usize) -> i32 {
    layout::SLOT_FIRST + slot as i32 * 8
}

impl Lower<'_, '_> {
    pub(super) fn record_new(&mut self, i: Instr) {
        let module = self.unit.outside.module;
        let fields = &module.shapes[i.imm as usize].fields;
        let Some(size) = layout::size_class(1 + fields.len().max(1)) else {
            return self.by_helper();
        };
        let slow = self.slow_block();
        let record = self.allocate(record_header(i.imm), size, slow);
        for (slot, (_, class)) in fields.iter().enumerate() {
            let empty = self.empty_slot(*class);
            let flags = self.regions.flags(Region::Record);
            self.b.ins().store(flags, empty, record, slot_offset(slot));
        }
        if fields.is_empty() {
            let empty = self.empty_slot(Class::I64);
            let flags = self.regions.flags(Region::Record);
            self.b.ins().store(flags, empty, record, slot_offset(0));
        }
        self.set_reference(i.a, record);
        self.or_by_helper(slow);
        self.learn_shape(i.a, i.imm);
    }

    pub(super) fn record_get(&mut self, class: Class, i: Instr) {
        let offset = slot_offset(usize::from(i.c));
        if let Some(record) = self.known_record(i) {
            let value = self.load_class(class, Region::Record, record, offset);
            return self.set_register(class, i.a, value);
        }
        let record = self.reference(i.b);
        let slow = self.slow_block();
        self.need_header(record, record_header(i.imm), slow);
        let value = self.load_class(class, Region::Record, record, offset);
        if class.bank() == Bank::Reference && i.a == i.b {
            // The record's register is gone; so is what was known of it.
            self.set_register(class, i.a, value);
            return self.or_by_helper(slow);
        }
        self.set_register(class, i.a, value);
        self.finish_access(i, slow);
    }

    pub(super) fn record_set(&mut self, class: Class, i: Instr) {
        let offset = slot_offset(usize::from(i.c));
        let value = self.register(class, i.a);
        if let Some(record) = self.known_record(i) {
            return self.store_class(class, value, Region::Record, record, offset);
        }
        let record = self.reference(i.b);
        let slow = self.slow_block();
        self.need_header(record, record_header(i.imm), slow);
        self.store_class(class, value, Region::Record, record, offset);
        self.finish_access(i, slow);
    }

    pub(super) fn cell_new(&mut self, class: Class, i: Instr) {
        let value = self.register(class, i.b);
        let slow = self.slow_block();
        let header = header_bits(NativeKind::Cell, class_aux(class), 0);
        let size = layout::size_class(2).expect("a cell is small");
        let cell = self.allocate(header, size, slow);
        self.store_class(class, value, Region::Captured, cell, layout::SLOT_FIRST);
        self.set_reference(i.a, cell);
        self.or_by_helper(slow);
    }

    pub(super) fn cell_get(&mut self, class: Class, i: Instr) {
        let cell = self.reference(i.b);
        let slow = self.slow_block();
        self.need_kind(cell, NativeKind::Cell, class_aux(class), slow);
        let value = self.load_class(class, Region::Captured, cell, layout::SLOT_FIRST);
        self.set_register(class, i.a, value);
        self.or_by_helper(slow);
    }

    pub(super) fn cell_set(&mut self, class: Class, i: Instr) {
        let cell = self.reference(i.b);
        let value = self.register(class, i.a);
        let slow = self.slow_block();
        self.need_kind(cell, NativeKind::Cell, class_aux(class), slow);
        self.store_class(class, value, Region::Captured, cell, layout::SLOT_FIRST);
        self.or_by_helper(slow);
    }

    pub(super) fn closure_new(&mut self, i: Instr) {
        let module = self.unit.outside.module;
        let captures = &module.functions[i.imm as usize].captures;
        let count = captures.len();
        let class_words = count.div_ceil(8);
        let Some(size) = layout::size_class((1 + count + class_words).max(2)) else {
            return self.by_helper();
        };
        let slow = self.slow_block();
        let header = header_bits(NativeKind::Closure, count as u16, i.imm as u32);
        let closure = self.allocate(header, size, slow);
        let flags = self.regions.flags(Region::Captured);
        for (slot, class) in captures.iter().enumerate() {
            let empty = self.empty_slot(*class);
            self.b.ins().store(flags, empty, closure, slot_offset(slot));
        }
        for (at, classes) in captures.chunks(8).enumerate() {
            let bits = classes
                .iter()
                .rev()
                .fold(0_u64, |bits, class| bits << 8 | *class as u64);
            let bits = self
                .b
                .ins()
                .iconst(cranelift_codegen::ir::types::I64, bits as i64);
            self.b
                .ins()
                .store(flags, bits, closure, slot_offset(count + at));
        }
        self.set_reference(i.a, closure);
        self.or_by_helper(slow);
        self.fresh_closure = Some((i.a, FuncId(i.imm as u32)));
    }

    /// A capture of a closure that was made in this block; of others by helper.
    pub(super) fn capture_set(&mut self, class: Class, i: Instr) {
        let made = self.fresh_closure.filter(|(reg, _)| *reg == i.a);
        let captures = made.map(|(_, func)| {
            let module = self.unit.outside.module;
            &module.functions[func.index()].captures
        });
        let declared = captures.and_then(|captures| captures.get(i.imm as usize));
        if declared != Some(&class) {
            return self.by_helper();
        }
        let closure = self.reference(i.a);
        let value = self.register(class, i.b);
        let offset = slot_offset(i.imm as usize);
        self.store_class(class, value, Region::Captured, closure, offset);
    }

    /// A capture of the running function. Its closure may be another function's (`call.with`): then by helper.
    pub(super) fn capture_get(&mut self, class: Class, i: Instr) {
        let closure = self.reference(0);
        let count = self.unit.function.captures.len() as u16;
        let own = header_bits(NativeKind::Closure, count, self.unit.id.0);
        let slow = self.slow_block();
        self.need_header(closure, own, slow);
        let offset = slot_offset(i.imm as usize);
        let value = self.load_class(class, Region::Captured, closure, offset);
        self.set_register(class, i.a, value);
        self.or_by_helper(slow);
    }

    pub(super) fn global_get(&mut self, class: Class, i: Instr) {
        let globals = self.context_word(layout::CONTEXT_GLOBALS);
        let value = self.load_class(class, Region::Globals, globals, i.imm * 8);
        self.set_register(class, i.a, value);
    }

    pub(super) fn global_set(&mut self, class: Class, i: Instr) {
        let globals = self.context_word(layout::CONTEXT_GLOBALS);
        let value = self.register(class, i.a);
        self.store_class(class, value, Region::Globals, globals, i.imm * 8);
    }
}
