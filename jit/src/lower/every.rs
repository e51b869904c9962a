//! For every operation: who translates it. Here, apart from the machinery, because it is the list that a reader looks
//! for. Must stay true: the match names every operation (no wildcard), so an operation without a translation does not
//! compile; the last groups are those that the interpreter does, instruction by instruction.

use flin_bytecode::{Bank, Class, Instr, Op};
use flin_vm::native::RtCall;

use super::Lower;

impl Lower<'_, '_> {
    #[expect(
        clippy::too_many_lines,
        reason = "the one match over all operations: a line per kind of translation"
    )]
    pub(super) fn instruction(&mut self, i: Instr) {
        match i.op {
            Op::MovI64 | Op::MovF64 | Op::MovBool => self.mov(Bank::Scalar, i),
            Op::MovRef | Op::MovAny | Op::BoxRef => self.mov(Bank::Reference, i),
            Op::MovWide => self.mov_wide(i),
            Op::ConstI64 => self.const_int(i.a, i64::from(i.imm)),
            Op::ConstI64Pool => self.const_int_pool(i),
            Op::ConstF64 => self.const_float(i),
            Op::ConstBool => self.const_bool(i.a, i.imm != 0),
            Op::ConstText => self.const_reference(i.a, self.unit.outside.text(i.imm)),
            Op::NoneRef | Op::NoneAny => self.const_reference(i.a, self.unit.outside.none),
            Op::IntToFloat => self.int_to_float(i),
            Op::TruthyI64 => self.truthy_int(i),
            Op::TruthyF64 => self.truthy_float(i),
            Op::NotBool => self.not_bool(i),
            Op::IsNoneRef | Op::IsNoneAny => self.is_none(i),

            Op::AddI64 => self.add(i),
            Op::SubI64 => self.sub(i),
            Op::MulI64 => self.mul(i),
            Op::DivI64 => self.div(i),
            Op::RemI64 => self.rem(i),
            Op::AddImmI64 => self.add_imm(i),
            Op::NegI64 => self.neg(i),
            Op::AddF64 | Op::SubF64 | Op::MulF64 | Op::DivF64 => self.float_op(i),
            Op::RemF64 => self.float_call(i, RtCall::RemF64),
            Op::PowF64 => self.float_call(i, RtCall::PowF64),
            Op::NegF64 => self.neg_float(i),

            Op::EqI64 | Op::LtI64 | Op::LeI64 => self.compare_ints(i),
            Op::EqF64 | Op::LtF64 | Op::LeF64 => self.compare_floats(i),
            Op::EqBool => self.equal_bools(i),

            Op::Jump => self.jump(i),
            Op::JumpIf | Op::JumpUnless => self.jump_bool(i),
            Op::JumpEqI64 | Op::JumpNeI64 | Op::JumpLtI64 | Op::JumpLeI64 => self.jump_ints(i),
            Op::JumpLtF64 | Op::JumpLeF64 | Op::JumpNltF64 | Op::JumpNleF64 => self.jump_floats(i),
            Op::ForNext => self.for_next(i),
            Op::Throw | Op::Fail => self.leave(),

            Op::Call => self.call(i),
            Op::CallClosure => self.call_closure(i),
            Op::RetI64 => self.ret(Some(Class::I64), i),
            Op::RetF64 => self.ret(Some(Class::F64), i),
            Op::RetBool => self.ret(Some(Class::Bool), i),
            Op::RetRef => self.ret(Some(Class::Ref), i),
            Op::RetAny => self.ret(Some(Class::Any), i),
            Op::Ret => self.ret(None, i),

            Op::BoxInt
            | Op::BoxFloat
            | Op::BoxBool
            | Op::BoxTime
            | Op::BoxDuration
            | Op::UnboxInt
            | Op::UnboxFloat
            | Op::UnboxBool
            | Op::UnboxTime
            | Op::UnboxDuration
            | Op::UnboxRef
            | Op::CheckRef
            | Op::TruthyRef
            | Op::TruthyAny
            | Op::IsTypeRef
            | Op::IsTypeAny
            | Op::TextI64
            | Op::TextF64
            | Op::TextBool
            | Op::TextTime
            | Op::TextDuration
            | Op::TextRef
            | Op::TextAny
            | Op::Concat
            | Op::ConcatN
            | Op::ListNew
            | Op::ListPushI64
            | Op::ListPushF64
            | Op::ListPushBool
            | Op::ListPushRef
            | Op::ListPushAny
            | Op::ListGetI64
            | Op::ListGetF64
            | Op::ListGetBool
            | Op::ListGetRef
            | Op::ListGetAny
            | Op::ListSetI64
            | Op::ListSetF64
            | Op::ListSetBool
            | Op::ListSetRef
            | Op::ListSetAny
            | Op::ListLen
            | Op::RecordNew
            | Op::RecordGetI64
            | Op::RecordGetF64
            | Op::RecordGetBool
            | Op::RecordGetRef
            | Op::RecordGetAny
            | Op::RecordSetI64
            | Op::RecordSetF64
            | Op::RecordSetBool
            | Op::RecordSetRef
            | Op::RecordSetAny
            | Op::MapNew
            | Op::MapGet
            | Op::MapSet
            | Op::MapGetName
            | Op::MapSetName
            | Op::FieldGetAny
            | Op::FieldSetAny
            | Op::IndexGetAny
            | Op::IndexSetAny
            | Op::TextIndex
            | Op::TextLen
            | Op::CellNewI64
            | Op::CellNewF64
            | Op::CellNewBool
            | Op::CellNewRef
            | Op::CellNewAny
            | Op::CellGetI64
            | Op::CellGetF64
            | Op::CellGetBool
            | Op::CellGetRef
            | Op::CellGetAny
            | Op::CellSetI64
            | Op::CellSetF64
            | Op::CellSetBool
            | Op::CellSetRef
            | Op::CellSetAny
            | Op::GlobalGetI64
            | Op::GlobalGetF64
            | Op::GlobalGetBool
            | Op::GlobalGetRef
            | Op::GlobalGetAny
            | Op::GlobalSetI64
            | Op::GlobalSetF64
            | Op::GlobalSetBool
            | Op::GlobalSetRef
            | Op::GlobalSetAny => self.by_helper(),

            Op::PowI64
            | Op::AddAny
            | Op::SubAny
            | Op::MulAny
            | Op::DivAny
            | Op::RemAny
            | Op::PowAny
            | Op::NegAny
            | Op::ListConcat => self.by_helper(),

            Op::EqRef | Op::EqAny | Op::LtText | Op::LeText | Op::LtAny | Op::LeAny => {
                self.by_helper();
            }

            Op::ClosureNew
            | Op::CaptureSetI64
            | Op::CaptureSetF64
            | Op::CaptureSetBool
            | Op::CaptureSetRef
            | Op::CaptureSetAny
            | Op::CaptureGetI64
            | Op::CaptureGetF64
            | Op::CaptureGetBool
            | Op::CaptureGetRef
            | Op::CaptureGetAny
            | Op::CallLib => self.by_helper(),

            Op::EntityNew
            | Op::EntityGet
            | Op::EntityGetI64
            | Op::EntityGetF64
            | Op::EntityGetBool
            | Op::EntityGetRef
            | Op::EntityGetOptional
            | Op::EntityFollow
            | Op::EntitySet
            | Op::EntitySetI64
            | Op::EntitySetF64
            | Op::EntitySetBool
            | Op::EntityValidate
            | Op::EntitySave
            | Op::EntityDelete
            | Op::EntityRestore
            | Op::EntityDestroy
            | Op::EntityFind
            | Op::EntityFindI64
            | Op::EntityInverse
            | Op::EntityCount
            | Op::QueryNew
            | Op::QueryScan => self.by_helper(),

            Op::ViewRaw
            | Op::ViewTextI64
            | Op::ViewTextF64
            | Op::ViewTextBool
            | Op::ViewTextRef
            | Op::ViewTextAny
            | Op::ViewHtml
            | Op::ViewAttr
            | Op::ViewBind
            | Op::ViewBindPart
            | Op::ViewOption
            | Op::ViewKey
            | Op::ViewOn
            | Op::ViewOnButton
            | Op::ViewForm
            | Op::ViewHead => self.by_helper(),

            Op::Print | Op::Log | Op::Now => self.by_helper(),
        }
    }
}
