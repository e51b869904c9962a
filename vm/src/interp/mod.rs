//! The interpreter: the one dispatch loop of the VM. Bodies stand in the file of their family, are inlined here, and
//! leave everything slow to cold functions in `semantics`. It runs frames until one returns that says so (`run`), or does
//! one instruction for native code (`step`).
//!
//! Must stay true: the match names every operation (no wildcard), so an operation without a body does not compile; pc,
//! bases, code and fuel are locals; collection happens only between two operations, when everything live stands in
//! registers, globals or the machine's pinned root. Code is verified, so an op number is always one of the table and
//! registers, targets and ids are in range.
#![allow(unsafe_code)]

mod arith;
pub(crate) mod call;
mod checked;
mod compare;
mod control;
mod data;
mod entity;
mod host;
pub(crate) mod threads;
pub(crate) mod turns;
pub(crate) mod unwind;
mod view;

use flin_bytecode::{Class, FuncId, Op, encode};

use crate::fault::{Fault, Res};
use crate::frame::Regs;
use crate::host::Host;
use crate::machine::Machine;
use crate::semantics::marking;
use call::Called;
use threads::{apart, join};
use turns::Turn;

/// Fuel between two questions to the host. A prime, so that slices do not end at the same place of a loop time and again:
/// what never ends a slice is never found to be hot.
pub(crate) const SLICE_FUEL: u32 = 1021;

/// A verified instruction word.
#[derive(Clone, Copy)]
pub(crate) struct Insn(u64);

impl Insn {
    /// An instruction word of verified code.
    pub(crate) fn at(word: u64) -> Insn {
        Insn(word)
    }

    #[inline(always)]
    pub(crate) fn op(self) -> Op {
        // SAFETY: the verifier refuses words whose op number is not in the table, and `Op` is `repr(u16)` and dense.
        unsafe { std::mem::transmute::<u16, Op>(encode::op_number(self.0)) }
    }

    #[inline(always)]
    pub(crate) fn a(self) -> u8 {
        encode::a(self.0)
    }

    #[inline(always)]
    pub(crate) fn b(self) -> u8 {
        encode::b(self.0)
    }

    #[inline(always)]
    pub(crate) fn c(self) -> u8 {
        encode::c(self.0)
    }

    /// Immediate of rows without `c`.
    #[inline(always)]
    pub(crate) fn imm(self) -> i32 {
        encode::imm32(self.0)
    }

    /// The same as an index.
    #[inline(always)]
    pub(crate) fn id(self) -> usize {
        encode::imm32(self.0) as u32 as usize
    }

    /// Immediate of rows with `c`.
    #[inline(always)]
    pub(crate) fn narrow(self) -> i32 {
        encode::imm24(self.0)
    }
}

/// Where execution stands. Small and `Copy`: it lives in machine registers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    /// Next instruction.
    pub(crate) pc: *const u64,
    /// First instruction of the running function.
    pub(crate) code: *const u64,
    /// Bases of the running frame.
    pub(crate) regs: Regs,
}

/// What a return leads to.
pub(crate) enum Returned {
    /// The caller goes on.
    To(At),
    /// The outermost call has returned.
    Left,
}

/// Runs `func` with these arguments (of its parameters' classes) to its end.
pub(crate) fn start(
    m: &mut Machine,
    host: &mut dyn Host,
    func: FuncId,
    args: &[(Class, u64)],
) -> Res<()> {
    let bottom = m.stacks.bottom();
    let mut next = [0_usize, 0];
    for (class, bits) in args {
        let slot = &mut next[class.bank() as usize];
        bottom.set_slot(class.bank(), *slot, *bits);
        *slot += 1;
    }
    m.native.fuel = u64::from(m.slice_fuel);
    let result = match call::enter_outermost(m, host, func) {
        Ok(Called::Entered(at)) => run(m, host, at),
        Ok(Called::Done(_)) => Ok(()),
        Err(fault) => Err(fault),
    };
    m.fuel_used += u64::from(m.slice_fuel).saturating_sub(m.native.fuel);
    result
}

/// Interprets from here until a frame returns whose record says `Exit::Leave`.
pub(crate) fn run(m: &mut Machine, host: &mut dyn Host, at: At) -> Res<()> {
    dispatch::<false>(m, host, at)
}

/// Does the one instruction at `at.pc`, which is no call and no jump. A fault comes back as it was raised.
pub(crate) fn step(m: &mut Machine, host: &mut dyn Host, at: At) -> Res<()> {
    dispatch::<true>(m, host, at)
}

/// The result that `start` left.
pub(crate) fn result(m: &mut Machine, func: FuncId) -> Option<(Class, u64)> {
    let class = m.program.module().functions[func.index()]
        .signature
        .result?;
    let slot = m.program.funcs()[func.index()].result_slot as usize;
    Some((class, m.stacks.bottom().slot(class.bank(), slot)))
}

/// What an operation leaves to the end of the dispatch loop, so that its own code stays small.
enum Slow {
    /// A slice of fuel ended at a jump back to this place.
    Turn(*const u64),
    /// A call whose slice of fuel ended, or that is more than entering a frame of an interpreted function.
    Call,
    /// A return that does more than hand over the result.
    Return(Option<Class>),
}

#[expect(
    clippy::too_many_lines,
    reason = "the one dispatch loop: a line per operation"
)]
fn dispatch<const STEP: bool>(m: &mut Machine, host: &mut dyn Host, at: At) -> Res<()> {
    let mut fuel = m.native.fuel as u32;
    // These stay apart, not in a struct: only so do they stay in machine registers.
    let At {
        mut pc,
        mut code,
        regs: mut f,
    } = at;
    loop {
        let fault: Fault = 'raise: {
            loop {
                if cfg!(feature = "checked") {
                    checked::instruction(m, At { pc, code, regs: f });
                }
                // SAFETY: pc is inside verified code, in which every path ends with a jump, a return or a throw.
                let i = Insn(unsafe { *pc });
                #[cfg(feature = "count")]
                m.count(pc);
                // SAFETY: as above.
                pc = unsafe { pc.add(1) };

                macro_rules! tried {
                    ($body:expr) => {
                        match $body {
                            Ok(value) => value,
                            Err(fault) => break 'raise fault,
                        }
                    };
                }
                // An operation that allocates: afterwards is the moment to collect.
                macro_rules! alloc {
                    ($body:expr) => {{
                        tried!($body);
                        if m.heap.wants_collection() {
                            m.collect(f);
                        }
                    }};
                }
                macro_rules! go {
                    ($at:expr) => {{
                        let next: At = $at;
                        pc = next.pc;
                        code = next.code;
                        f = threads::scalar(next.regs);
                    }};
                }
                macro_rules! here {
                    () => {
                        At { pc, code, regs: f }
                    };
                }
                let group = 'own: {
                    let slow = 'slow: {
                        // A call; `None`: it is more than entering a frame of an interpreted function.
                        macro_rules! called {
                            ($at:expr) => {{
                                fuel -= 1;
                                if fuel == 0 {
                                    break 'slow Slow::Call;
                                }
                                match $at {
                                    Some(next) => go!(next),
                                    None => break 'slow Slow::Call,
                                }
                            }};
                        }
                        macro_rules! returned {
                            ($class:expr) => {
                                match call::ret(i, here!(), m, $class) {
                                    Some(next) => go!(next),
                                    None => break 'slow Slow::Return($class),
                                }
                            };
                        }
                        macro_rules! jump_if {
                        ($condition:expr, $target:expr) => {
                            if $condition {
                                // SAFETY: the verifier checked that jump targets are instructions of the function.
                                let next = unsafe { code.add($target as usize) };
                                if next < pc {
                                    fuel -= 1;
                                    if fuel == 0 {
                                        break 'slow Slow::Turn(next);
                                    }
                                }
                                pc = next;
                            }
                        };
                    }
                        // An operation with a dispatch jump of its own: see `threads`.
                        macro_rules! own {
                            ($body:expr) => {{
                                $body;
                                apart!(line!());
                                break 'own 1 + line!() % threads::GROUPS;
                            }};
                        }
                        match i.op() {
                            Op::MovI64 | Op::MovF64 | Op::MovBool => own!(data::mov_scalar(i, f)),
                            Op::MovRef | Op::MovAny | Op::BoxRef => own!(data::mov_reference(i, f)),
                            Op::MovWide => own!(data::mov_wide(i, f)),
                            Op::ConstI64 => own!(data::const_i64(i, f)),
                            Op::ConstI64Pool => own!(data::const_i64_pool(i, f, m)),
                            Op::ConstF64 => own!(data::const_f64(i, f, m)),
                            Op::ConstBool => own!(data::const_bool(i, f)),
                            Op::ConstText => own!(data::const_text(i, f, m)),
                            Op::NoneRef | Op::NoneAny => own!(data::none(i, f)),
                            Op::BoxInt => own!(alloc!(data::box_int(i, f, m))),
                            Op::BoxFloat => own!(alloc!(data::box_float(i, f, m))),
                            Op::BoxBool => own!(data::box_bool(i, f)),
                            Op::BoxTime => alloc!(data::box_time(i, f, m)),
                            Op::BoxDuration => alloc!(data::box_duration(i, f, m)),
                            Op::UnboxInt => own!(tried!(data::unbox_int(i, f))),
                            Op::UnboxFloat => own!(tried!(data::unbox_float(i, f))),
                            Op::UnboxBool => own!(tried!(data::unbox_bool(i, f))),
                            Op::UnboxTime => tried!(data::unbox_time(i, f)),
                            Op::UnboxDuration => tried!(data::unbox_duration(i, f)),
                            Op::UnboxRef => own!(alloc!(data::unbox_ref(i, f, m))),
                            Op::CheckRef => own!(alloc!(data::check_ref(i, f, m))),
                            Op::IntToFloat => own!(data::int_to_float(i, f)),
                            Op::TruthyI64 => own!(data::truthy_i64(i, f)),
                            Op::TruthyF64 => own!(data::truthy_f64(i, f)),
                            Op::TruthyRef | Op::TruthyAny => own!(data::truthy_any(i, f, m)),
                            Op::NotBool => own!(data::not_bool(i, f)),
                            Op::IsNoneRef | Op::IsNoneAny => own!(data::is_none(i, f)),
                            Op::IsTypeRef | Op::IsTypeAny => own!(alloc!(data::is_type(i, f, m))),
                            Op::TextI64 => alloc!(data::text_i64(i, f, m)),
                            Op::TextF64 => alloc!(data::text_f64(i, f, m)),
                            Op::TextBool => data::text_bool(i, f, m),
                            Op::TextTime => alloc!(data::text_time(i, f, m)),
                            Op::TextDuration => alloc!(data::text_duration(i, f, m)),
                            Op::TextRef | Op::TextAny => alloc!(data::text_any(i, f, m)),
                            Op::Concat => own!(alloc!(data::concat(i, f, m))),
                            Op::ConcatN => alloc!(data::concat_n(i, f, m)),
                            Op::ListNew => alloc!(data::list_new(i, f, m)),
                            Op::ListPushI64 => own!(alloc!(data::list_push(i, f, m, Class::I64))),
                            Op::ListPushF64 => own!(alloc!(data::list_push(i, f, m, Class::F64))),
                            Op::ListPushBool => own!(alloc!(data::list_push(i, f, m, Class::Bool))),
                            Op::ListPushRef => own!(alloc!(data::list_push(i, f, m, Class::Ref))),
                            Op::ListPushAny => own!(alloc!(data::list_push(i, f, m, Class::Any))),
                            Op::ListGetI64 => own!(tried!(data::list_get(i, f, m, Class::I64))),
                            Op::ListGetF64 => own!(tried!(data::list_get(i, f, m, Class::F64))),
                            Op::ListGetBool => own!(tried!(data::list_get(i, f, m, Class::Bool))),
                            Op::ListGetRef => own!(tried!(data::list_get(i, f, m, Class::Ref))),
                            Op::ListGetAny => own!(tried!(data::list_get(i, f, m, Class::Any))),
                            Op::ListSetI64 => own!(tried!(data::list_set(i, f, m, Class::I64))),
                            Op::ListSetF64 => own!(tried!(data::list_set(i, f, m, Class::F64))),
                            Op::ListSetBool => own!(tried!(data::list_set(i, f, m, Class::Bool))),
                            Op::ListSetRef => own!(tried!(data::list_set(i, f, m, Class::Ref))),
                            Op::ListSetAny => own!(tried!(data::list_set(i, f, m, Class::Any))),
                            Op::ListLen => own!(tried!(data::list_len(i, f))),
                            Op::RecordNew => own!(alloc!(data::record_new(i, f, m))),
                            Op::RecordGetI64 => own!(tried!(data::record_get(i, f, m, Class::I64))),
                            Op::RecordGetF64 => own!(tried!(data::record_get(i, f, m, Class::F64))),
                            Op::RecordGetBool => {
                                own!(tried!(data::record_get(i, f, m, Class::Bool)))
                            }
                            Op::RecordGetRef => own!(tried!(data::record_get(i, f, m, Class::Ref))),
                            Op::RecordGetAny => own!(tried!(data::record_get(i, f, m, Class::Any))),
                            Op::RecordSetI64 => own!(tried!(data::record_set(i, f, m, Class::I64))),
                            Op::RecordSetF64 => own!(tried!(data::record_set(i, f, m, Class::F64))),
                            Op::RecordSetBool => {
                                own!(tried!(data::record_set(i, f, m, Class::Bool)))
                            }
                            Op::RecordSetRef => own!(tried!(data::record_set(i, f, m, Class::Ref))),
                            Op::RecordSetAny => own!(tried!(data::record_set(i, f, m, Class::Any))),
                            Op::MapNew => alloc!(data::map_new(i, f, m)),
                            Op::MapGet => own!(alloc!(data::map_get(i, f, m))),
                            Op::MapSet => own!(alloc!(data::map_set(i, f, m))),
                            Op::MapGetName => alloc!(data::map_get_name(i, f, m)),
                            Op::MapSetName => alloc!(data::map_set_name(i, f, m)),
                            Op::FieldGetAny => alloc!(data::field_get_any(i, f, m, host)),
                            Op::FieldSetAny => alloc!(data::field_set_any(i, f, m, host)),
                            Op::IndexGetAny => alloc!(data::index_get_any(i, f, m)),
                            Op::IndexSetAny => alloc!(data::index_set_any(i, f, m)),
                            Op::TextIndex => own!(alloc!(data::text_index(i, f, m))),
                            Op::TextLen => own!(tried!(data::text_len(i, f, m))),
                            Op::CellNewI64 => alloc!(data::cell_new(i, f, m, Class::I64)),
                            Op::CellNewF64 => alloc!(data::cell_new(i, f, m, Class::F64)),
                            Op::CellNewBool => alloc!(data::cell_new(i, f, m, Class::Bool)),
                            Op::CellNewRef => alloc!(data::cell_new(i, f, m, Class::Ref)),
                            Op::CellNewAny => alloc!(data::cell_new(i, f, m, Class::Any)),
                            Op::CellGetI64 => own!(tried!(data::cell_get(i, f, Class::I64))),
                            Op::CellGetF64 => own!(tried!(data::cell_get(i, f, Class::F64))),
                            Op::CellGetBool => own!(tried!(data::cell_get(i, f, Class::Bool))),
                            Op::CellGetRef => own!(tried!(data::cell_get(i, f, Class::Ref))),
                            Op::CellGetAny => own!(tried!(data::cell_get(i, f, Class::Any))),
                            Op::CellSetI64 => own!(tried!(data::cell_set(i, f, Class::I64))),
                            Op::CellSetF64 => own!(tried!(data::cell_set(i, f, Class::F64))),
                            Op::CellSetBool => own!(tried!(data::cell_set(i, f, Class::Bool))),
                            Op::CellSetRef => own!(tried!(data::cell_set(i, f, Class::Ref))),
                            Op::CellSetAny => own!(tried!(data::cell_set(i, f, Class::Any))),
                            Op::GlobalGetI64 | Op::GlobalGetF64 | Op::GlobalGetBool => {
                                own!(data::global_get_scalar(i, f, m))
                            }
                            Op::GlobalGetRef | Op::GlobalGetAny => {
                                own!(data::global_get_reference(i, f, m))
                            }
                            Op::GlobalSetI64 | Op::GlobalSetF64 | Op::GlobalSetBool => {
                                data::global_set_scalar(i, f, m)
                            }
                            Op::GlobalSetRef | Op::GlobalSetAny => {
                                data::global_set_reference(i, f, m)
                            }

                            Op::AddI64 => own!(tried!(arith::add_i64(i, f))),
                            Op::SubI64 => own!(tried!(arith::sub_i64(i, f))),
                            Op::MulI64 => own!(tried!(arith::mul_i64(i, f))),
                            Op::DivI64 => own!(tried!(arith::div_i64(i, f))),
                            Op::RemI64 => own!(tried!(arith::rem_i64(i, f))),
                            Op::PowI64 => tried!(arith::pow_i64(i, f)),
                            Op::AddImmI64 => own!(tried!(arith::add_imm_i64(i, f))),
                            Op::AddWrapI64 => own!(arith::add_wrap_i64(i, f)),
                            Op::SubWrapI64 => own!(arith::sub_wrap_i64(i, f)),
                            Op::MulWrapI64 => own!(arith::mul_wrap_i64(i, f)),
                            Op::AddImmWrapI64 => own!(arith::add_imm_wrap_i64(i, f)),
                            Op::NegI64 => own!(tried!(arith::neg_i64(i, f))),
                            Op::AddF64 => own!(arith::add_f64(i, f)),
                            Op::SubF64 => own!(arith::sub_f64(i, f)),
                            Op::MulF64 => own!(arith::mul_f64(i, f)),
                            Op::DivF64 => own!(arith::div_f64(i, f)),
                            Op::RemF64 => arith::rem_f64(i, f),
                            Op::PowF64 => arith::pow_f64(i, f),
                            Op::NegF64 => own!(arith::neg_f64(i, f)),
                            Op::AddAny => own!(alloc!(arith::add_any(i, f, m))),
                            Op::SubAny => alloc!(arith::sub_any(i, f, m)),
                            Op::MulAny => alloc!(arith::mul_any(i, f, m)),
                            Op::DivAny => alloc!(arith::div_any(i, f, m)),
                            Op::RemAny => alloc!(arith::rem_any(i, f, m)),
                            Op::PowAny => alloc!(arith::pow_any(i, f, m)),
                            Op::NegAny => alloc!(arith::neg_any(i, f, m)),
                            Op::ListConcat => alloc!(arith::list_concat(i, f, m)),

                            Op::EqI64 => own!(compare::eq_i64(i, f)),
                            Op::LtI64 => own!(compare::lt_i64(i, f)),
                            Op::LeI64 => own!(compare::le_i64(i, f)),
                            Op::EqF64 => own!(compare::eq_f64(i, f)),
                            Op::LtF64 => own!(compare::lt_f64(i, f)),
                            Op::LeF64 => own!(compare::le_f64(i, f)),
                            Op::EqBool => own!(compare::eq_bool(i, f)),
                            Op::EqRef | Op::EqAny => own!(alloc!(compare::eq_any(i, f, m))),
                            Op::LtText => own!(tried!(compare::lt_text(i, f))),
                            Op::LeText => own!(tried!(compare::le_text(i, f))),
                            Op::LtAny => own!(alloc!(compare::lt_any(i, f, m))),
                            Op::LeAny => own!(alloc!(compare::le_any(i, f, m))),

                            Op::Jump => own!(jump_if!(true, i.imm())),
                            Op::JumpIf => own!(jump_if!(f.bool(i.a()), i.imm())),
                            Op::JumpUnless => own!(jump_if!(!f.bool(i.a()), i.imm())),
                            Op::JumpEqI64 => own!(jump_if!(control::eq_i64(i, f), i.narrow())),
                            Op::JumpNeI64 => own!(jump_if!(!control::eq_i64(i, f), i.narrow())),
                            Op::JumpLtI64 => own!(jump_if!(control::lt_i64(i, f), i.narrow())),
                            Op::JumpLeI64 => own!(jump_if!(control::le_i64(i, f), i.narrow())),
                            Op::JumpLtF64 => own!(jump_if!(control::lt_f64(i, f), i.narrow())),
                            Op::JumpLeF64 => own!(jump_if!(control::le_f64(i, f), i.narrow())),
                            Op::JumpNltF64 => own!(jump_if!(!control::lt_f64(i, f), i.narrow())),
                            Op::JumpNleF64 => own!(jump_if!(!control::le_f64(i, f), i.narrow())),
                            Op::ForNext => own!(jump_if!(control::for_next(i, f), i.narrow())),
                            Op::Throw => break 'raise control::throw(i, f),
                            Op::Fail => break 'raise control::fail(i, f),

                            Op::Call => own!(called!(call::call(i, here!(), m))),
                            Op::ClosureNew => own!(alloc!(call::closure_new(i, f, m))),
                            Op::CaptureSetI64 => tried!(call::capture_set(i, f, Class::I64)),
                            Op::CaptureSetF64 => tried!(call::capture_set(i, f, Class::F64)),
                            Op::CaptureSetBool => tried!(call::capture_set(i, f, Class::Bool)),
                            Op::CaptureSetRef => tried!(call::capture_set(i, f, Class::Ref)),
                            Op::CaptureSetAny => tried!(call::capture_set(i, f, Class::Any)),
                            Op::CaptureGetI64 => own!(tried!(call::capture_get(i, f, Class::I64))),
                            Op::CaptureGetF64 => own!(tried!(call::capture_get(i, f, Class::F64))),
                            Op::CaptureGetBool => {
                                own!(tried!(call::capture_get(i, f, Class::Bool)))
                            }
                            Op::CaptureGetRef => own!(tried!(call::capture_get(i, f, Class::Ref))),
                            Op::CaptureGetAny => own!(tried!(call::capture_get(i, f, Class::Any))),
                            Op::CallClosure => own!(called!(call::call_closure(i, here!(), m))),
                            Op::CallWith => own!(called!(call::call_with(i, here!(), m))),
                            Op::CallLib => own!(alloc!(call::call_lib(i, f, m, host))),
                            Op::RetI64 => own!(returned!(Some(Class::I64))),
                            Op::RetF64 => own!(returned!(Some(Class::F64))),
                            Op::RetBool => own!(returned!(Some(Class::Bool))),
                            Op::RetRef => own!(returned!(Some(Class::Ref))),
                            Op::RetAny => own!(returned!(Some(Class::Any))),
                            Op::Ret => own!(returned!(None)),

                            Op::EntityNew => alloc!(entity::new(i, f, m)),
                            Op::EntityGet => alloc!(entity::get(i, f, m, host)),
                            Op::EntityGetI64 => alloc!(entity::get_i64(i, f, m, host)),
                            Op::EntityGetF64 => alloc!(entity::get_f64(i, f, m, host)),
                            Op::EntityGetBool => alloc!(entity::get_bool(i, f, m, host)),
                            Op::EntityGetRef => alloc!(entity::get_ref(i, f, m, host, false)),
                            Op::EntityGetOptional => alloc!(entity::get_ref(i, f, m, host, true)),
                            Op::EntityFollow => alloc!(entity::follow(i, f, m, host)),
                            Op::EntitySet => alloc!(entity::set(i, f, m, host)),
                            Op::EntitySetI64 => alloc!(entity::set_i64(i, f, m, host)),
                            Op::EntitySetF64 => alloc!(entity::set_f64(i, f, m, host)),
                            Op::EntitySetBool => alloc!(entity::set_bool(i, f, m, host)),
                            Op::EntityValidate => alloc!(entity::validate(i, f, m, host)),
                            Op::EntitySave => alloc!(entity::save(i, f, m, host)),
                            Op::EntityDelete => alloc!(entity::delete(i, f, m, host)),
                            Op::EntityRestore => alloc!(entity::restore(i, f, m, host)),
                            Op::EntityDestroy => alloc!(entity::destroy(i, f, m, host)),
                            Op::EntityFind => alloc!(entity::find(i, f, m, host)),
                            Op::EntityFindI64 => alloc!(entity::find_i64(i, f, m, host)),
                            Op::EntityInverse => alloc!(entity::inverse(i, f, m)),
                            Op::EntityCount => tried!(entity::count(i, f, host)),
                            Op::QueryNew => alloc!(entity::query_new(i, f, m)),
                            Op::QueryScan => alloc!(entity::query_scan(i, f, m, host)),

                            Op::ViewRaw => tried!(view::raw(i, m)),
                            Op::ViewTextI64 => tried!(view::text_i64(i, f, m)),
                            Op::ViewTextF64 => tried!(view::text_f64(i, f, m)),
                            Op::ViewTextBool => tried!(view::text_bool(i, f, m)),
                            Op::ViewTextRef | Op::ViewTextAny => tried!(view::text_any(i, f, m)),
                            Op::ViewHtml => tried!(view::html(i, f, m)),
                            Op::ViewAttr => tried!(view::attr(i, f, m)),
                            Op::ViewBind => tried!(view::bind(i, f, m)),
                            Op::ViewBindPart => tried!(view::bind_part(i, f, m)),
                            Op::ViewOption => tried!(view::option(i, f, m)),
                            Op::ViewOn => tried!(view::on(i, f, m)),
                            Op::ViewOnButton => tried!(view::on_button(i, f, m)),
                            Op::ViewForm => tried!(view::form(i, f, m)),
                            Op::ViewHead => view::head(i, m),
                            Op::ViewBlock => tried!(view::block(i, m)),
                            Op::ViewList => tried!(marking::list(m)),
                            Op::ViewItem => tried!(view::item(i, f, m)),
                            Op::ViewKey => tried!(marking::key_attribute(m)),
                            Op::ViewEmpty => tried!(marking::empty(m)),
                            Op::ViewEnd => tried!(marking::end(m)),
                            Op::ViewAbsent => tried!(marking::absent(m)),
                            Op::ViewLeaf => tried!(view::leaf(i, m)),

                            Op::Print => tried!(host::print(i, f, m, host)),
                            Op::Log => tried!(host::log(i, f, m, host)),
                            Op::Now => host::now(i, f, host),
                        }
                        break 'own 0;
                    };
                    match slow {
                        Slow::Turn(target) => {
                            let at = At {
                                pc: target,
                                ..here!()
                            };
                            let turn = turns::slice_at_loop(m, host, at);
                            fuel = m.native.fuel as u32;
                            match turn {
                                Ok(Turn::On) => pc = target,
                                Ok(Turn::Returned(Returned::To(next))) => go!(next),
                                Ok(Turn::Returned(Returned::Left)) => return Ok(()),
                                Ok(Turn::Raised(fault, at)) => {
                                    go!(at);
                                    break 'raise fault;
                                }
                                Ok(Turn::Failed(fault)) => return Err(fault),
                                Err(fault) => break 'raise fault,
                            }
                        }
                        Slow::Call => {
                            m.native.fuel = u64::from(fuel);
                            let called = call::cold_call(i, here!(), m, host);
                            fuel = m.native.fuel as u32;
                            go!(tried!(called));
                        }
                        Slow::Return(class) => match tried!(call::cold_ret(i, here!(), m, class)) {
                            Returned::To(next) => go!(next),
                            Returned::Left => {
                                m.native.fuel = u64::from(fuel);
                                return Ok(());
                            }
                        },
                    }
                    0
                };
                if STEP {
                    return Ok(());
                }
                join!(group);
            }
        };
        if STEP {
            return Err(fault);
        }
        match unwind::unwind(m, fault, At { pc, code, regs: f }) {
            Ok(next) => {
                pc = next.pc;
                code = next.code;
                f = threads::scalar(next.regs);
            }
            Err(fault) => {
                m.native.fuel = u64::from(fuel);
                return Err(fault);
            }
        }
    }
}
