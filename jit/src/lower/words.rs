//! The `any` word in place: boxing and unboxing what stands inside of the word, truth, arithmetic and comparing of small
//! ints. Must stay true: the encoding is that of the VM's `value/repr.rs`, by the numbers that it exports; whatever is an
//! object goes by helper.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value, types};
use flin_bytecode::{Instr, Op};
use flin_vm::native::layout::{self, NativeKind, header_bits, word};

use super::Lower;
use crate::regions::Region;

impl Lower<'_, '_> {
    fn word_const(&mut self, bits: u64) -> Value {
        self.b.ins().iconst(types::I64, bits as i64)
    }

    pub(super) fn box_int(&mut self, i: Instr) {
        let value = self.scalar(i.b);
        let slow = self.cold_block();
        let shifted = self.b.ins().ishl_imm_u(value, 1);
        let back = self.b.ins().sshr_imm_u(shifted, 1);
        let fits = self.b.ins().icmp(IntCC::Equal, back, value);
        self.need(fits, slow);
        let tagged = self.b.ins().bor_imm_u(shifted, word::INT_TAG as i64);
        self.set_reference(i.a, tagged);
        self.or_by_helper(slow);
    }

    pub(super) fn unbox_int(&mut self, i: Instr) {
        let value = self.reference(i.b);
        let slow = self.cold_block();
        let tag = self.b.ins().band_imm_u(value, word::INT_TAG as i64);
        self.need(tag, slow);
        let int = self.b.ins().sshr_imm_u(value, 1);
        self.set_scalar(i.a, int);
        self.or_by_helper(slow);
    }

    pub(super) fn box_float(&mut self, i: Instr) {
        let value = self.scalar(i.b);
        let slow = self.cold_block();
        let bits = self.b.ins().bitcast(types::I64, MemFlagsData::new(), value);
        let top = self.b.ins().ushr_imm_u(bits, 60);
        let top = self.b.ins().band_imm_u(top, 7);
        let above = self.b.ins().iadd_imm_s(top, -3);
        let common = self.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, above, 2);
        let clash = word::FLOAT_CLASH as i64;
        let distinct = self.b.ins().icmp_imm_s(IntCC::NotEqual, bits, clash);
        let inline = self.b.ins().band(common, distinct);
        let (odd, done) = (self.cold_block(), self.new_block());
        let result = self.b.append_block_param(done, types::I64);
        self.need(inline, odd);
        let turned = self.b.ins().rotl_imm_u(bits, 3);
        let cleared = self.b.ins().band_imm_s(turned, !3);
        let tagged = self.b.ins().bor_imm_u(cleared, word::FLOAT_TAG as i64);
        self.b.ins().jump(done, &[tagged.into()]);
        self.go_on_in(odd);
        let zero = self.word_const(word::FLOAT_ZERO);
        self.b.ins().brif(bits, slow, &[], done, &[zero.into()]);
        self.go_on_in(done);
        self.set_reference(i.a, result);
        self.or_by_helper(slow);
    }

    pub(super) fn unbox_float(&mut self, i: Instr) {
        let value = self.reference(i.b);
        let slow = self.cold_block();
        let tag = self.b.ins().band_imm_u(value, 3);
        let inline = word::FLOAT_TAG as i64;
        let inline = self.b.ins().icmp_imm_s(IntCC::Equal, tag, inline);
        self.need(inline, slow);
        let high = self.b.ins().ushr_imm_u(value, 63);
        let two = self.b.ins().iconst(types::I64, 2);
        let low = self.b.ins().isub(two, high);
        let cleared = self.b.ins().band_imm_s(value, !3);
        let joined = self.b.ins().bor(low, cleared);
        let bits = self.b.ins().rotr_imm_u(joined, 3);
        let zero_word = word::FLOAT_ZERO as i64;
        let is_zero = self.b.ins().icmp_imm_s(IntCC::Equal, value, zero_word);
        let zero = self.b.ins().iconst(types::I64, 0);
        let bits = self.b.ins().select(is_zero, zero, bits);
        let float = self.b.ins().bitcast(types::F64, MemFlagsData::new(), bits);
        self.set_scalar(i.a, float);
        self.or_by_helper(slow);
    }

    pub(super) fn box_bool(&mut self, i: Instr) {
        let value = self.scalar(i.b);
        let (yes, no) = (self.word_const(word::TRUE), self.word_const(word::FALSE));
        let tagged = self.b.ins().select(value, yes, no);
        self.set_reference(i.a, tagged);
    }

    pub(super) fn unbox_bool(&mut self, i: Instr) {
        let value = self.reference(i.b);
        let slow = self.cold_block();
        let yes = self.is_word(value, word::TRUE);
        let no = self.is_word(value, word::FALSE);
        let either = self.b.ins().bor(yes, no);
        self.need(either, slow);
        self.set_scalar(i.a, yes);
        self.or_by_helper(slow);
    }

    fn is_word(&mut self, value: Value, bits: u64) -> Value {
        self.b.ins().icmp_imm_s(IntCC::Equal, value, bits as i64)
    }

    /// Truth of none, bools and small ints; of texts by their length.
    pub(super) fn truthy(&mut self, i: Instr) {
        let value = self.reference(i.b);
        let slow = self.cold_block();
        let done = self.new_block();
        let result = self.b.append_block_param(done, types::I8);
        let none = self.unit.outside.none;
        let no = self.b.ins().iconst(types::I8, 0);
        let is_none = self.b.ins().icmp_imm_s(IntCC::Equal, value, none);
        let some = self.new_block();
        self.b.ins().brif(is_none, done, &[no.into()], some, &[]);
        self.go_on_in(some);
        if i.op == Op::TruthyAny {
            let tag = self.b.ins().band_imm_u(value, 7);
            let (inline, object) = (self.new_block(), self.new_block());
            self.b.ins().brif(tag, inline, &[], object, &[]);
            self.go_on_in(inline);
            let yes = self.is_word(value, word::TRUE);
            let is_false = self.is_word(value, word::FALSE);
            let is_bool = self.b.ins().bor(yes, is_false);
            let number = self.new_block();
            self.b.ins().brif(is_bool, done, &[yes.into()], number, &[]);
            self.go_on_in(number);
            let int = self.b.ins().band_imm_u(value, word::INT_TAG as i64);
            self.need(int, slow);
            let zero = word::INT_TAG as i64;
            let truth = self.b.ins().icmp_imm_s(IntCC::NotEqual, value, zero);
            self.b.ins().jump(done, &[truth.into()]);
            self.go_on_in(object);
        }
        let header = self.header(value);
        let kind = self.b.ins().ireduce(types::I8, header);
        let text = header_bits(NativeKind::Text, 0, 0) as i64;
        let is_text = self.b.ins().icmp_imm_s(IntCC::Equal, kind, text);
        self.need(is_text, slow);
        let bytes = self.b.ins().ushr_imm_u(header, 32);
        let truth = self.b.ins().icmp_imm_s(IntCC::NotEqual, bytes, 0);
        self.b.ins().jump(done, &[truth.into()]);
        self.go_on_in(done);
        self.set_scalar(i.a, result);
        self.or_by_helper(slow);
    }

    /// Goes to `otherwise` unless both words are small ints.
    fn need_ints(&mut self, b: Value, c: Value, otherwise: Block) {
        let both = self.b.ins().band(b, c);
        let tag = self.b.ins().band_imm_u(both, word::INT_TAG as i64);
        self.need(tag, otherwise);
    }

    pub(super) fn arith_any(&mut self, i: Instr) {
        let (b, c) = (self.reference(i.b), self.reference(i.c));
        let slow = self.cold_block();
        self.need_ints(b, c, slow);
        let bare = self.b.ins().iadd_imm_s(c, -1);
        let (value, overflows) = match i.op {
            Op::AddAny => self.b.ins().sadd_overflow(b, bare),
            Op::SubAny => self.b.ins().ssub_overflow(b, bare),
            other => unreachable!("{other:?} adds no words"),
        };
        let fits = self.b.ins().icmp_imm_s(IntCC::Equal, overflows, 0);
        self.need(fits, slow);
        self.set_reference(i.a, value);
        self.or_by_helper(slow);
    }

    pub(super) fn order_any(&mut self, i: Instr) {
        let (b, c) = (self.reference(i.b), self.reference(i.c));
        let slow = self.cold_block();
        self.need_ints(b, c, slow);
        let condition = match i.op {
            Op::LtAny => IntCC::SignedLessThan,
            Op::LeAny => IntCC::SignedLessThanOrEqual,
            other => unreachable!("{other:?} orders no words"),
        };
        let value = self.b.ins().icmp(condition, b, c);
        self.set_scalar(i.a, value);
        self.or_by_helper(slow);
    }

    /// A boxed time or duration.
    pub(super) fn unbox_time(&mut self, kind: NativeKind, i: Instr) {
        let value = self.reference(i.b);
        let slow = self.cold_block();
        self.need_object(value, slow);
        self.need_kind(value, kind, 0, slow);
        let flags = self.regions.flags(Region::Boxed);
        let ms = self
            .b
            .ins()
            .load(types::I64, flags, value, layout::SLOT_FIRST);
        self.set_scalar(i.a, ms);
        self.or_by_helper(slow);
    }

    /// An int in the range of ints, from a whole float.
    pub(super) fn whole(&mut self, to: u8, float: Value, slow: Block) {
        let least = self.b.ins().f64const(-9_223_372_036_854_775_808.0);
        let beyond = self.b.ins().f64const(9_223_372_036_854_775_808.0);
        let low = self.b.ins().fcmp(FloatCC::GreaterThanOrEqual, float, least);
        self.need(low, slow);
        let high = self.b.ins().fcmp(FloatCC::LessThan, float, beyond);
        self.need(high, slow);
        let int = self.b.ins().fcvt_to_sint_sat(types::I64, float);
        self.set_scalar(to, int);
    }
}
