//! Type tests in place, as far as a compare of the header decides. Must stay true: a test that is passed here is passed in
//! the interpreter, too; what is not passed here goes by helper, unless the answer is surely no.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};
use flin_bytecode::{Instr, Op, TypeDesc, TypeId};
use flin_vm::native::layout::{NativeKind, class_aux, header_bits, word};

use super::Lower;

impl<'p> Lower<'_, 'p> {
    fn type_desc(&self, ty: TypeId) -> &'p TypeDesc {
        &self.unit.outside.module.types[ty.index()]
    }

    /// A word that must be of a type, taken as a reference.
    pub(super) fn unbox_ref(&mut self, i: Instr) {
        let Some(test) = self.test_of(TypeId(i.imm as u32)) else {
            return self.by_helper();
        };
        let value = self.reference(i.b);
        let slow = self.cold_block();
        self.accept(value, test, true, slow);
        self.set_reference(i.a, value);
        self.or_by_helper(slow);
    }

    /// A reference that must be of a type.
    pub(super) fn check_ref(&mut self, i: Instr) {
        let Some(test) = self.test_of(TypeId(i.imm as u32)) else {
            return self.by_helper();
        };
        let value = self.reference(i.a);
        let slow = self.cold_block();
        self.accept(value, test, false, slow);
        self.or_by_helper(slow);
    }

    /// How a type is tested; none for those that take more than a compare.
    fn test_of(&self, ty: TypeId) -> Option<Test> {
        let mut desc = self.type_desc(ty);
        let mut or_none = false;
        if let TypeDesc::Optional(inner) = desc {
            or_none = true;
            desc = self.type_desc(*inner);
        }
        let wanted = match desc {
            TypeDesc::Text => vec![Wanted::Kind(NativeKind::Text)],
            TypeDesc::Map(_) => vec![
                Wanted::Kind(NativeKind::Record),
                Wanted::Kind(NativeKind::Dict),
            ],
            TypeDesc::Error => vec![Wanted::Kind(NativeKind::Error)],
            TypeDesc::List(_, class) => {
                vec![Wanted::Low(header_bits(
                    NativeKind::List,
                    class_aux(*class),
                    0,
                ))]
            }
            TypeDesc::Record(shape, _) => {
                vec![Wanted::Header(header_bits(NativeKind::Record, 0, shape.0))]
            }
            TypeDesc::Any
            | TypeDesc::None
            | TypeDesc::Int
            | TypeDesc::Float
            | TypeDesc::Bool
            | TypeDesc::Time
            | TypeDesc::Duration
            | TypeDesc::Tuple(_)
            | TypeDesc::Entity(_)
            | TypeDesc::Enum(_)
            | TypeDesc::Optional(_)
            | TypeDesc::Union(_)
            | TypeDesc::Response
            | TypeDesc::Function
            | TypeDesc::Query(_)
            | TypeDesc::Range => return None,
        };
        Some(Test { wanted, or_none })
    }

    /// Goes on if the value surely passes the test, else to `slow`.
    fn accept(&mut self, value: Value, test: Test, is_word: bool, slow: Block) {
        let passed = self.new_block();
        if test.or_none {
            let none = self.unit.outside.none;
            let is_none = self.b.ins().icmp_imm_s(IntCC::Equal, value, none);
            self.pass_if(is_none, passed);
        }
        if is_word {
            self.need_object(value, slow);
        }
        let header = self.header(value);
        for wanted in test.wanted {
            let fits = self.header_is(header, wanted);
            self.pass_if(fits, passed);
        }
        self.b.ins().jump(slow, &[]);
        self.go_on_in(passed);
    }

    fn pass_if(&mut self, condition: Value, passed: Block) {
        let next = self.new_block();
        self.b.ins().brif(condition, passed, &[], next, &[]);
        self.go_on_in(next);
    }

    /// Goes to `otherwise` unless a word is the address of an object.
    pub(super) fn need_object(&mut self, value: Value, otherwise: Block) {
        let tag = self.b.ins().band_imm_u(value, 7);
        let is_object = self.b.ins().icmp_imm_s(IntCC::Equal, tag, 0);
        self.need(is_object, otherwise);
    }

    fn header_is(&mut self, header: Value, wanted: Wanted) -> Value {
        match wanted {
            Wanted::Kind(kind) => {
                let found = self.b.ins().ireduce(types::I8, header);
                let wanted = header_bits(kind, 0, 0) as i64;
                self.b.ins().icmp_imm_s(IntCC::Equal, found, wanted)
            }
            Wanted::Low(bits) => {
                let found = self.b.ins().ireduce(types::I32, header);
                self.b.ins().icmp_imm_s(IntCC::Equal, found, bits as i64)
            }
            Wanted::Header(bits) => self.b.ins().icmp_imm_s(IntCC::Equal, header, bits as i64),
        }
    }

    /// `is` with a type that a compare decides.
    pub(super) fn is_type(&mut self, i: Instr) {
        let value = self.reference(i.b);
        let is_word = i.op == Op::IsTypeAny;
        let kind = match self.type_desc(TypeId(i.imm as u32)) {
            TypeDesc::Text => NativeKind::Text,
            TypeDesc::Error => NativeKind::Error,
            TypeDesc::Int if is_word => return self.is_int(value, i),
            TypeDesc::Any
            | TypeDesc::None
            | TypeDesc::Int
            | TypeDesc::Float
            | TypeDesc::Bool
            | TypeDesc::Time
            | TypeDesc::Duration
            | TypeDesc::List(..)
            | TypeDesc::Map(_)
            | TypeDesc::Record(..)
            | TypeDesc::Tuple(_)
            | TypeDesc::Entity(_)
            | TypeDesc::Enum(_)
            | TypeDesc::Optional(_)
            | TypeDesc::Union(_)
            | TypeDesc::Response
            | TypeDesc::Function
            | TypeDesc::Query(_)
            | TypeDesc::Range => return self.by_helper(),
        };
        let done = self.new_block();
        let result = self.b.append_block_param(done, types::I8);
        if is_word {
            let tag = self.b.ins().band_imm_u(value, 7);
            let no = self.b.ins().iconst(types::I8, 0);
            let object = self.new_block();
            self.b.ins().brif(tag, done, &[no.into()], object, &[]);
            self.go_on_in(object);
        }
        let header = self.header(value);
        let is = self.header_is(header, Wanted::Kind(kind));
        self.b.ins().jump(done, &[is.into()]);
        self.go_on_in(done);
        self.set_scalar(i.a, result);
    }

    fn is_int(&mut self, value: Value, i: Instr) {
        let slow = self.cold_block();
        let tag = self.b.ins().band_imm_u(value, 7);
        // An object may be a boxed int.
        self.need(tag, slow);
        let is = self.b.ins().band_imm_u(value, word::INT_TAG as i64);
        let is = self.b.ins().ireduce(types::I8, is);
        self.set_scalar(i.a, is);
        self.or_by_helper(slow);
    }
}

/// A type test by compares.
struct Test {
    /// One of these must hold.
    wanted: Vec<Wanted>,
    /// None passes, too.
    or_none: bool,
}

/// What a header is compared with.
#[derive(Clone, Copy)]
enum Wanted {
    /// The kind.
    Kind(NativeKind),
    /// Kind and aux, without flags.
    Low(u64),
    /// All of it, without flags.
    Header(u64),
}
