//! Objects in general: headers, slots, allocation in place. Here because lists, records, cells and closures all begin
//! alike. Must stay true: nothing of an object is touched before its header was compared as a whole (kind, aux, meta and
//! no flags); a new object is complete before anything else can see it.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};
use flin_bytecode::Class;
use flin_vm::native::layout::{self, NativeKind, header_bits};

use super::Lower;
use crate::regions::Region;

impl Lower<'_, '_> {
    /// The header of an object.
    pub(super) fn header(&mut self, object: Value) -> Value {
        let flags = self.regions.flags(Region::Header);
        self.b.ins().load(types::I64, flags, object, 0)
    }

    /// Goes to `otherwise` unless kind and aux of an object are these and it carries no flags.
    pub(super) fn need_kind(
        &mut self,
        object: Value,
        kind: NativeKind,
        aux: u16,
        otherwise: Block,
    ) -> Value {
        let header = self.header(object);
        let low = self.b.ins().ireduce(types::I32, header);
        let wanted = header_bits(kind, aux, 0) as i64;
        let fits = self.b.ins().icmp_imm_s(IntCC::Equal, low, wanted);
        self.need(fits, otherwise);
        header
    }

    /// Goes to `otherwise` unless the header is this one.
    pub(super) fn need_header(&mut self, object: Value, wanted: u64, otherwise: Block) {
        let header = self.header(object);
        let fits = self.b.ins().icmp_imm_s(IntCC::Equal, header, wanted as i64);
        self.need(fits, otherwise);
    }

    /// Loads a slot that holds a value of a class.
    pub(super) fn load_class(
        &mut self,
        class: Class,
        region: Region,
        base: Value,
        offset: i32,
    ) -> Value {
        let flags = self.regions.flags(region);
        match class {
            Class::I64 | Class::Ref | Class::Any => {
                self.b.ins().load(types::I64, flags, base, offset)
            }
            Class::F64 => self.b.ins().load(types::F64, flags, base, offset),
            Class::Bool => {
                let word = self.b.ins().load(types::I64, flags, base, offset);
                self.b.ins().icmp_imm_s(IntCC::NotEqual, word, 0)
            }
        }
    }

    /// Stores a value of a class into a slot.
    pub(super) fn store_class(
        &mut self,
        class: Class,
        value: Value,
        region: Region,
        base: Value,
        offset: i32,
    ) {
        let word = match class {
            Class::I64 | Class::F64 | Class::Ref | Class::Any => value,
            Class::Bool => self.b.ins().uextend(types::I64, value),
        };
        let flags = self.regions.flags(region);
        self.b.ins().store(flags, word, base, offset);
    }

    /// A new object with this header, of a size class (`layout::size_class`); its other words are not written. Goes to
    /// `otherwise` if there is no block at hand.
    pub(super) fn allocate(
        &mut self,
        header: u64,
        (class, block_words): (usize, usize),
        otherwise: Block,
    ) -> Value {
        let offset = class as i32 * layout::SIZE_CLASS_STRIDE;
        let classes = self.context_word(layout::CONTEXT_CLASSES);
        let flags = self.regions.flags(Region::Bump);
        let bump = offset + layout::SIZE_CLASS_BUMP;
        let object = self.b.ins().load(types::I64, flags, classes, bump);
        let end = offset + layout::SIZE_CLASS_BUMP_END;
        let end = self.b.ins().load(types::I64, flags, classes, end);
        let next = self.b.ins().iadd_imm_s(object, block_words as i64 * 8);
        let fits = self.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, next, end);
        self.need(fits, otherwise);
        self.b.ins().store(flags, next, classes, bump);
        let header = self.b.ins().iconst(types::I64, header as i64);
        let flags = self.regions.flags(Region::Header);
        self.b.ins().store(flags, header, object, 0);
        object
    }

    /// What a slot holds before anything is put in.
    pub(super) fn empty_slot(&mut self, class: Class) -> Value {
        let bits = match class {
            Class::I64 | Class::F64 | Class::Bool => 0,
            Class::Ref | Class::Any => self.unit.outside.none,
        };
        self.b.ins().iconst(types::I64, bits)
    }
}
