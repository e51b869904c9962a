//! Texts in place: equality, letters and length of ASCII texts. Must stay true: bytes of a text never change; a letter of an
//! ASCII text is one of the static texts of one character.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{AbiParam, Block, InstBuilder, Signature, Value, types};
use flin_bytecode::{Instr, Op};
use flin_vm::native::RtCall;
use flin_vm::native::layout::{self, NativeKind, header_bits, word};

use super::Lower;
use crate::regions::Region;
use crate::views::{View, Viewed};

impl Lower<'_, '_> {
    /// Equality of small ints, of anything with none, of texts.
    pub(super) fn equal_words(&mut self, i: Instr) {
        if let (Some(one), Some(other)) = (self.character(i.b), self.character(i.c)) {
            let same = self.b.ins().icmp(IntCC::Equal, one, other);
            return self.set_scalar(i.a, same);
        }
        let (b, c) = (self.reference(i.b), self.reference(i.c));
        let slow = self.cold_block();
        let done = self.new_block();
        let result = self.b.append_block_param(done, types::I8);
        let same = self.b.ins().icmp(IntCC::Equal, b, c);
        let none = self.unit.outside.none;
        let b_none = self.b.ins().icmp_imm_s(IntCC::Equal, b, none);
        let c_none = self.b.ins().icmp_imm_s(IntCC::Equal, c, none);
        let some_none = self.b.ins().bor(b_none, c_none);
        let others = self.new_block();
        self.b
            .ins()
            .brif(some_none, done, &[same.into()], others, &[]);
        self.go_on_in(others);
        if i.op == Op::EqAny {
            let both = self.b.ins().band(b, c);
            let tag = self.b.ins().band_imm_u(both, word::INT_TAG as i64);
            let objects = self.new_block();
            self.b.ins().brif(tag, done, &[same.into()], objects, &[]);
            self.go_on_in(objects);
            let either = self.b.ins().bor(b, c);
            let tag = self.b.ins().band_imm_u(either, 7);
            let are_objects = self.b.ins().icmp_imm_s(IntCC::Equal, tag, 0);
            self.need(are_objects, slow);
        }
        self.equal_texts(b, c, done, slow);
        self.go_on_in(done);
        self.set_scalar(i.a, result);
        self.or_by_helper(slow);
    }

    /// The code of the text of one character that a register surely holds.
    fn character(&mut self, reg: u8) -> Option<Value> {
        let known = self.characters.iter().find(|(known, _)| *known == reg);
        if let Some((_, code)) = known {
            return Some(*code);
        }
        let code = self.unit.fixed_characters[usize::from(reg)]?;
        Some(self.b.ins().iconst(types::I64, i64::from(code)))
    }

    /// Two objects: texts are compared.
    fn equal_texts(&mut self, b: Value, c: Value, done: Block, slow: Block) {
        let (one, other) = (self.header(b), self.header(c));
        for header in [one, other] {
            let is_text = self.is_text(header);
            self.need(is_text, slow);
        }
        let (yes, no) = (
            self.b.ins().iconst(types::I8, 1),
            self.b.ins().iconst(types::I8, 0),
        );
        let same = self.b.ins().icmp(IntCC::Equal, b, c);
        let distinct = self.new_block();
        self.b.ins().brif(same, done, &[yes.into()], distinct, &[]);
        self.go_on_in(distinct);
        let headers = (one, other);
        let (length, other) = (
            self.b.ins().ushr_imm_u(one, 32),
            self.b.ins().ushr_imm_u(other, 32),
        );
        let alike = self.b.ins().icmp(IntCC::Equal, length, other);
        let bytes = self.new_block();
        self.b.ins().brif(alike, bytes, &[], done, &[no.into()]);
        self.go_on_in(bytes);
        self.equal_words_of_texts((b, c), headers, length, done);
        let mut signature = Signature::new(self.call_conv);
        signature.params = vec![AbiParam::new(types::I64); 2];
        signature.returns.push(AbiParam::new(types::I32));
        let signature = self.b.import_signature(signature);
        let callee = RtCall::TextEqual.address() as i64;
        let callee = self.b.ins().iconst(types::I64, callee);
        let call = self.b.ins().call_indirect(signature, callee, &[b, c]);
        let equal = self.b.inst_results(call)[0];
        let equal = self.b.ins().ireduce(types::I8, equal);
        self.b.ins().jump(done, &[equal.into()]);
    }

    /// Texts of equal length that keep their bytes in one word: rests of words are zero. Others go on.
    fn equal_words_of_texts(
        &mut self,
        (b, c): (Value, Value),
        (one, other): (Value, Value),
        length: Value,
        done: Block,
    ) {
        let (inline, short, long) = (self.new_block(), self.new_block(), self.cold_block());
        let either = self.b.ins().bor(one, other);
        let aux = self.b.ins().band_imm_u(either, 0xffff_0000);
        self.b.ins().brif(aux, long, &[], inline, &[]);
        self.go_on_in(inline);
        let fits = self
            .b
            .ins()
            .icmp_imm_u(IntCC::UnsignedLessThanOrEqual, length, 8);
        self.b.ins().brif(fits, short, &[], long, &[]);
        self.go_on_in(short);
        let flags = self.regions.flags(Region::Boxed);
        let first = layout::SLOT_FIRST;
        let b = self.b.ins().load(types::I64, flags, b, first);
        let c = self.b.ins().load(types::I64, flags, c, first);
        let equal = self.b.ins().icmp(IntCC::Equal, b, c);
        self.b.ins().jump(done, &[equal.into()]);
        self.go_on_in(long);
    }

    /// Whether the header is that of a text.
    fn is_text(&mut self, header: Value) -> Value {
        let kind = self.b.ins().ireduce(types::I8, header);
        let text = header_bits(NativeKind::Text, 0, 0) as i64;
        self.b.ins().icmp_imm_s(IntCC::Equal, kind, text)
    }

    /// Length of a text that is ASCII only, from its header; else goes to `otherwise`.
    fn need_ascii(&mut self, header: Value, otherwise: Block) -> Value {
        let mask = (layout::KIND_MASK | layout::TEXT_ASCII) as i64;
        let kind = self.b.ins().band_imm_u(header, mask);
        let wanted = (header_bits(NativeKind::Text, 0, 0) | layout::TEXT_ASCII) as i64;
        let fits = self.b.ins().icmp_imm_s(IntCC::Equal, kind, wanted);
        self.need(fits, otherwise);
        self.b.ins().ushr_imm_u(header, 32)
    }

    pub(super) fn text_len(&mut self, i: Instr) {
        let text = self.reference(i.b);
        let slow = self.cold_block();
        let header = self.header(text);
        let length = self.need_ascii(header, slow);
        self.set_scalar(i.a, length);
        self.or_by_helper(slow);
    }

    pub(super) fn text_index(&mut self, i: Instr) {
        let slow = self.cold_block();
        let code = self.ascii_at(i.b, i.c, slow);
        let offset = self.b.ins().imul_imm_s(code, layout::CHARACTER_STRIDE);
        let characters = self.unit.outside.characters();
        let character = self.b.ins().iadd_imm_s(offset, characters);
        self.set_reference(i.a, character);
        self.or_by_helper(slow);
        if self.strips.is_fast() {
            self.characters.push((i.a, code));
        }
    }

    /// The library's `code_at`: an int, because the position exists.
    pub(super) fn text_code_at(&mut self, i: Instr) {
        let slow = self.cold_block();
        let code = self.ascii_at(i.b, i.a, slow);
        let shifted = self.b.ins().ishl_imm_u(code, 1);
        let word = self.b.ins().bor_imm_u(shifted, word::INT_TAG as i64);
        // The result is of another class than the text, so it stands behind it.
        self.set_reference(i.b + 1, word);
        self.or_by_helper(slow);
    }

    /// The code of a character of an ASCII text at a position from its start; all else goes to `slow`.
    fn ascii_at(&mut self, text: u8, index: u8, slow: Block) -> Value {
        let index = self.scalar(index);
        let (reg, kind) = (text, Viewed::Text);
        let start = match self.inside(View { reg, kind }, index, slow) {
            Some(start) => start,
            None => {
                let text = self.reference(text);
                let (length, start) = self.ascii_bytes(text, slow);
                let inside = self.b.ins().icmp(IntCC::UnsignedLessThan, index, length);
                self.need(inside, slow);
                start
            }
        };
        let place = self.b.ins().iadd(start, index);
        let flags = self.regions.flags(Region::Boxed);
        self.b.ins().uload8(types::I64, flags, place, 0)
    }

    /// Length and address of the bytes of an ASCII text; all else goes to `otherwise`.
    pub(super) fn ascii_bytes(&mut self, text: Value, otherwise: Block) -> (Value, Value) {
        let header = self.header(text);
        let length = self.need_ascii(header, otherwise);
        let aux = i64::from(layout::TEXT_BUFFERED) << 16;
        let is_buffered = self.b.ins().band_imm_u(header, aux);
        let first = i64::from(layout::SLOT_FIRST);
        let own = self.b.ins().iadd_imm_s(text, first);
        let flags = self.regions.flags(Region::Boxed);
        // Of a text without buffer this is its first word, which every text has.
        let buffer = self
            .b
            .ins()
            .load(types::I64, flags, text, layout::SLOT_FIRST);
        let data = i64::from(layout::TEXT_BUFFER_DATA);
        let data = self.b.ins().iadd_imm_s(buffer, data);
        let start = self.b.ins().select(is_buffered, data, own);
        (length, start)
    }
}
