//! For every operation: who translates it. Here, apart from the machinery, because it is the list that a reader looks
//! for. Must stay true: the match names every operation (no wildcard), so an operation without a translation does not
//! compile; the last groups are those that the interpreter does, instruction by instruction.

use flin_bytecode::{Bank, Class, Family, Instr, Op};
use flin_vm::native::RtCall;
use flin_vm::native::layout::NativeKind;

use super::{Lower, is_in_place};

/// Whether an instruction is done in place where it is fast: no call, nothing that the interpreter always does. Loops of
/// such are translated twice (`strip.rs`).
pub(crate) fn is_fast(i: &Instr) -> bool {
    match i.op.row().family {
        Family::Entity | Family::View | Family::Host => false,
        Family::Call => match i.op {
            Op::CallLib => is_in_place(i.imm),
            Op::Call | Op::CallClosure | Op::CallWith => false,
            _ => true,
        },
        Family::Arith | Family::Compare | Family::Control => !matches!(
            i.op,
            Op::RemF64
                | Op::PowF64
                | Op::PowI64
                | Op::MulAny
                | Op::DivAny
                | Op::RemAny
                | Op::PowAny
                | Op::NegAny
                | Op::LtText
                | Op::LeText
        ),
        Family::Data if i.op == Op::ListNew => i.imm == 0,
        Family::Data => !matches!(
            i.op,
            Op::BoxTime
                | Op::BoxDuration
                | Op::TextI64
                | Op::TextF64
                | Op::TextBool
                | Op::TextTime
                | Op::TextDuration
                | Op::TextRef
                | Op::TextAny
                | Op::Concat
                | Op::ConcatN
                | Op::MapNew
                | Op::MapGet
                | Op::MapSet
                | Op::MapGetName
                | Op::MapSetName
                | Op::FieldGetAny
                | Op::FieldSetAny
                | Op::IndexGetAny
                | Op::IndexSetAny
                | Op::ListConcat
        ),
    }
}

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
            Op::AddWrapI64 | Op::SubWrapI64 | Op::MulWrapI64 => self.wrapping(i),
            Op::AddImmWrapI64 => self.add_imm_wrapping(i),
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
            Op::CallWith => self.call_with(i),
            Op::RetI64 => self.ret(Some(Class::I64), i),
            Op::RetF64 => self.ret(Some(Class::F64), i),
            Op::RetBool => self.ret(Some(Class::Bool), i),
            Op::RetRef => self.ret(Some(Class::Ref), i),
            Op::RetAny => self.ret(Some(Class::Any), i),
            Op::Ret => self.ret(None, i),

            Op::BoxInt => self.box_int(i),
            Op::BoxFloat => self.box_float(i),
            Op::BoxBool => self.box_bool(i),
            Op::UnboxInt => self.unbox_int(i),
            Op::UnboxFloat => self.unbox_float(i),
            Op::UnboxBool => self.unbox_bool(i),
            Op::UnboxTime => self.unbox_time(NativeKind::Time, i),
            Op::UnboxDuration => self.unbox_time(NativeKind::Duration, i),
            Op::TruthyRef | Op::TruthyAny => self.truthy(i),
            Op::UnboxRef => self.unbox_ref(i),
            Op::CheckRef => self.check_ref(i),
            Op::IsTypeRef | Op::IsTypeAny => self.is_type(i),
            Op::TextLen => self.text_len(i),
            Op::TextIndex => self.text_index(i),

            Op::ListNew => self.list_new(i),
            Op::ListPushI64 => self.list_push(Class::I64, i),
            Op::ListPushF64 => self.list_push(Class::F64, i),
            Op::ListPushBool => self.list_push(Class::Bool, i),
            Op::ListPushRef => self.list_push(Class::Ref, i),
            Op::ListPushAny => self.list_push(Class::Any, i),
            Op::ListGetI64 => self.list_get(Class::I64, i),
            Op::ListGetF64 => self.list_get(Class::F64, i),
            Op::ListGetBool => self.list_get(Class::Bool, i),
            Op::ListGetRef => self.list_get(Class::Ref, i),
            Op::ListGetAny => self.list_get(Class::Any, i),
            Op::ListSetI64 => self.list_set(Class::I64, i),
            Op::ListSetF64 => self.list_set(Class::F64, i),
            Op::ListSetBool => self.list_set(Class::Bool, i),
            Op::ListSetRef => self.list_set(Class::Ref, i),
            Op::ListSetAny => self.list_set(Class::Any, i),
            Op::ListLen => self.list_len(i),

            Op::RecordNew => self.record_new(i),
            Op::RecordGetI64 => self.record_get(Class::I64, i),
            Op::RecordGetF64 => self.record_get(Class::F64, i),
            Op::RecordGetBool => self.record_get(Class::Bool, i),
            Op::RecordGetRef => self.record_get(Class::Ref, i),
            Op::RecordGetAny => self.record_get(Class::Any, i),
            Op::RecordSetI64 => self.record_set(Class::I64, i),
            Op::RecordSetF64 => self.record_set(Class::F64, i),
            Op::RecordSetBool => self.record_set(Class::Bool, i),
            Op::RecordSetRef => self.record_set(Class::Ref, i),
            Op::RecordSetAny => self.record_set(Class::Any, i),

            Op::CellNewI64 => self.cell_new(Class::I64, i),
            Op::CellNewF64 => self.cell_new(Class::F64, i),
            Op::CellNewBool => self.cell_new(Class::Bool, i),
            Op::CellNewRef => self.cell_new(Class::Ref, i),
            Op::CellNewAny => self.cell_new(Class::Any, i),
            Op::CellGetI64 => self.cell_get(Class::I64, i),
            Op::CellGetF64 => self.cell_get(Class::F64, i),
            Op::CellGetBool => self.cell_get(Class::Bool, i),
            Op::CellGetRef => self.cell_get(Class::Ref, i),
            Op::CellGetAny => self.cell_get(Class::Any, i),
            Op::CellSetI64 => self.cell_set(Class::I64, i),
            Op::CellSetF64 => self.cell_set(Class::F64, i),
            Op::CellSetBool => self.cell_set(Class::Bool, i),
            Op::CellSetRef => self.cell_set(Class::Ref, i),
            Op::CellSetAny => self.cell_set(Class::Any, i),

            Op::GlobalGetI64 => self.global_get(Class::I64, i),
            Op::GlobalGetF64 => self.global_get(Class::F64, i),
            Op::GlobalGetBool => self.global_get(Class::Bool, i),
            Op::GlobalGetRef => self.global_get(Class::Ref, i),
            Op::GlobalGetAny => self.global_get(Class::Any, i),
            Op::GlobalSetI64 => self.global_set(Class::I64, i),
            Op::GlobalSetF64 => self.global_set(Class::F64, i),
            Op::GlobalSetBool => self.global_set(Class::Bool, i),
            Op::GlobalSetRef => self.global_set(Class::Ref, i),
            Op::GlobalSetAny => self.global_set(Class::Any, i),

            Op::ClosureNew => self.closure_new(i),
            Op::CaptureSetI64 => self.capture_set(Class::I64, i),
            Op::CaptureSetF64 => self.capture_set(Class::F64, i),
            Op::CaptureSetBool => self.capture_set(Class::Bool, i),
            Op::CaptureSetRef => self.capture_set(Class::Ref, i),
            Op::CaptureSetAny => self.capture_set(Class::Any, i),
            Op::CaptureGetI64 => self.capture_get(Class::I64, i),
            Op::CaptureGetF64 => self.capture_get(Class::F64, i),
            Op::CaptureGetBool => self.capture_get(Class::Bool, i),
            Op::CaptureGetRef => self.capture_get(Class::Ref, i),
            Op::CaptureGetAny => self.capture_get(Class::Any, i),
            Op::CallLib => self.call_lib(i),

            Op::AddAny | Op::SubAny => self.arith_any(i),
            Op::LtAny | Op::LeAny => self.order_any(i),
            Op::EqRef | Op::EqAny => self.equal_words(i),

            Op::BoxTime
            | Op::BoxDuration
            | Op::TextI64
            | Op::TextF64
            | Op::TextBool
            | Op::TextTime
            | Op::TextDuration
            | Op::TextRef
            | Op::TextAny
            | Op::Concat
            | Op::ConcatN
            | Op::MapNew
            | Op::MapGet
            | Op::MapSet
            | Op::MapGetName
            | Op::MapSetName
            | Op::FieldGetAny
            | Op::FieldSetAny
            | Op::IndexGetAny
            | Op::IndexSetAny => self.by_helper(),

            Op::PowI64
            | Op::MulAny
            | Op::DivAny
            | Op::RemAny
            | Op::PowAny
            | Op::NegAny
            | Op::ListConcat => self.by_helper(),

            Op::LtText | Op::LeText => self.by_helper(),

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
            | Op::ViewHead
            | Op::ViewBlock
            | Op::ViewList
            | Op::ViewItem
            | Op::ViewEmpty
            | Op::ViewEnd
            | Op::ViewAbsent
            | Op::ViewLeaf => self.by_helper(),

            Op::Print | Op::Log | Op::Now => self.by_helper(),
        }
    }
}
