//! What each operation is in JavaScript: the decision for every row of the op table. Here, as one match without a
//! wildcard, so that a new operation does not compile without a decision. Must stay true: a form does exactly what the
//! operation's body in the machine does, or gives up; what belongs to the server has a reason in words.
//!
//! In a form `$a $b $c` are operands where an argument may stand, `%a %b %c` where only something closed may stand; `$at`
//! is the place for errors, `$imm $const $text $type $shape $slot $global $named $whole` are what the immediate means,
//! `$number` is a `b` that names no register.

use flin_bytecode::Op;

/// When a value may be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// At any time.
    Const,
    /// As long as the variables in it keep their values.
    Local,
    /// Exactly at its place among the others.
    Exact,
}

/// What an operation becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A value for its `a`.
    Value(Order, &'static str),
    /// Something that is done.
    Effect(&'static str),
    /// A jump if the condition holds; the second form is its opposite.
    Branch(&'static str, &'static str),
    /// `a = a + 1`, then a jump if `a < b`.
    Step,
    /// A jump.
    Jump,
    /// The end of this way, by an error.
    Raise(&'static str),
    /// The end of this way, with or without a value.
    Return,
    /// A list, record or closure, which the operations behind it fill.
    New,
    /// Fills what an operation before made; else this is done.
    Fill(&'static str),
    /// A call.
    Call,
    /// A text of several pieces.
    Join,
    /// A move between far registers.
    Far,
    /// Markup that is fixed: only inside of a value it counts.
    Markup,
    /// A handler with what it captured.
    Captured(&'static str),
    /// Nothing is to be done.
    Nothing,
    /// Only in programs that run by themselves, not in pages.
    Script(ScriptForm),
    /// Only on the server.
    Server(&'static str),
}

/// What only a program that runs by itself may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScriptForm {
    /// A value for its `a`.
    Value(&'static str),
    /// Something that is done.
    Effect(&'static str),
}

const RECORDS: &str = "it works with records of the store";

/// The decision for an operation.
pub(super) fn form(op: Op) -> Form {
    use Form::{Branch, Effect, Fill, New, Raise, Return, Script, Server, Value};
    use Order::{Const, Exact, Local};
    match op {
        Op::MovI64 | Op::MovF64 | Op::MovBool | Op::MovRef | Op::MovAny => Value(Local, "$b"),
        Op::MovWide => Form::Far,
        Op::ConstI64 => Value(Const, "$imm"),
        Op::ConstI64Pool | Op::ConstF64 => Value(Const, "$const"),
        Op::ConstBool => Value(Const, "$bool"),
        Op::ConstText => Value(Const, "$text"),
        Op::NoneRef | Op::NoneAny => Value(Const, "null"),
        Op::BoxInt | Op::BoxBool | Op::BoxRef | Op::IntToFloat => Value(Local, "$b"),
        Op::BoxFloat => Value(Local, "float($b)"),
        Op::BoxTime => Value(Local, "time($b)"),
        Op::BoxDuration => Value(Local, "duration($b)"),
        Op::UnboxInt => Value(Exact, "as_int($b, $at)"),
        Op::UnboxFloat => Value(Exact, "as_float($b, $at)"),
        Op::UnboxBool => Value(Exact, "as_bool($b, $at)"),
        Op::UnboxTime => Value(Exact, "as_time($b, $at)"),
        Op::UnboxDuration => Value(Exact, "as_duration($b, $at)"),
        Op::UnboxRef => Value(Exact, "as_type($b, $type, $at)"),
        Op::CheckRef => Effect("as_type($a, $type, $at)"),
        Op::TruthyI64 | Op::TruthyF64 => Value(Local, "%b !== 0"),
        Op::TruthyRef | Op::TruthyAny => Value(Exact, "truthy($b)"),
        Op::NotBool => Value(Local, "!%b"),
        Op::IsNoneRef | Op::IsNoneAny => Value(Local, "%b === null"),
        Op::IsTypeRef | Op::IsTypeAny => Value(Exact, "is_type($b, $type, $at)"),
        Op::TextI64 | Op::TextBool => Value(Local, "String($b)"),
        Op::TextF64 => Value(Local, "float_text($b)"),
        Op::TextTime => Value(Local, "time_text($b)"),
        Op::TextDuration => Value(Local, "duration_text($b)"),
        Op::TextRef | Op::TextAny => Value(Exact, "to_text($b, $at)"),
        Op::Concat => Value(Local, "%b + %c"),
        Op::ConcatN => Form::Join,
        Op::ListNew | Op::RecordNew | Op::ClosureNew => New,
        Op::ListPushI64 => Fill("push($a, \"i\", $b, $at)"),
        Op::ListPushF64 => Fill("push($a, \"f\", $b, $at)"),
        Op::ListPushBool => Fill("push($a, \"b\", $b, $at)"),
        Op::ListPushRef => Fill("push($a, \"r\", $b, $at)"),
        Op::ListPushAny => Fill("push($a, \"a\", $b, $at)"),
        Op::ListGetI64 => Value(Exact, "item($b, \"i\", $c, $at)"),
        Op::ListGetF64 => Value(Exact, "item($b, \"f\", $c, $at)"),
        Op::ListGetBool => Value(Exact, "item($b, \"b\", $c, $at)"),
        Op::ListGetRef => Value(Exact, "item($b, \"r\", $c, $at)"),
        Op::ListGetAny => Value(Exact, "item($b, \"a\", $c, $at)"),
        Op::ListSetI64 => Effect("set_item($b, \"i\", $c, $a, $at)"),
        Op::ListSetF64 => Effect("set_item($b, \"f\", $c, $a, $at)"),
        Op::ListSetBool => Effect("set_item($b, \"b\", $c, $a, $at)"),
        Op::ListSetRef => Effect("set_item($b, \"r\", $c, $a, $at)"),
        Op::ListSetAny => Effect("set_item($b, \"a\", $c, $a, $at)"),
        Op::ListLen => Value(Exact, "length($b, $at)"),
        Op::RecordGetI64
        | Op::RecordGetF64
        | Op::RecordGetBool
        | Op::RecordGetRef
        | Op::RecordGetAny => Value(Exact, "field($b, $shape, $slot, $at)"),
        Op::RecordSetI64
        | Op::RecordSetF64
        | Op::RecordSetBool
        | Op::RecordSetRef
        | Op::RecordSetAny => Fill("set_field($b, $shape, $slot, $a, $at)"),
        Op::MapNew => Value(Local, "dictionary()"),
        Op::MapGet => Value(Exact, "map_get($b, $c, $at)"),
        Op::MapSet => Effect("map_set($b, $c, $a, $at)"),
        Op::MapGetName => Value(Exact, "map_get($b, $text, $at)"),
        Op::MapSetName => Effect("map_set($b, $text, $a, $at)"),
        Op::FieldGetAny => Value(Exact, "member($b, $text, $at)"),
        Op::FieldSetAny => Effect("set_member($b, $text, $a, $at)"),
        Op::IndexGetAny => Value(Exact, "at_index($b, $c, $at)"),
        Op::IndexSetAny => Effect("set_index($b, $c, $a, $at)"),
        Op::TextIndex => Value(Exact, "text_index($b, $c, $at)"),
        Op::TextLen => Value(Local, "text_length($b)"),
        Op::CellNewI64 | Op::CellNewF64 | Op::CellNewBool | Op::CellNewRef | Op::CellNewAny => {
            Value(Local, "cell($b)")
        }
        Op::CellGetI64 | Op::CellGetF64 | Op::CellGetBool | Op::CellGetRef | Op::CellGetAny => {
            Value(Exact, "%b.value")
        }
        Op::CellSetI64 | Op::CellSetF64 | Op::CellSetBool | Op::CellSetRef | Op::CellSetAny => {
            Effect("set_cell($b, $a)")
        }
        Op::GlobalGetI64
        | Op::GlobalGetF64
        | Op::GlobalGetBool
        | Op::GlobalGetRef
        | Op::GlobalGetAny => Value(Exact, "$global"),
        Op::GlobalSetI64
        | Op::GlobalSetF64
        | Op::GlobalSetBool
        | Op::GlobalSetRef
        | Op::GlobalSetAny => Effect("$global = $a"),
        Op::AddI64 | Op::AddWrapI64 => Value(Local, "add($b, $c)"),
        Op::SubI64 | Op::SubWrapI64 => Value(Local, "subtract($b, $c)"),
        Op::MulI64 | Op::MulWrapI64 => Value(Local, "multiply($b, $c)"),
        Op::DivI64 => Value(Exact, "divide($b, $c, $at)"),
        Op::RemI64 => Value(Exact, "remainder($b, $c, $at)"),
        Op::PowI64 => Value(Exact, "power($b, $c, $at)"),
        Op::AddImmI64 | Op::AddImmWrapI64 => Value(Local, "add($b, $imm)"),
        Op::NegI64 => Value(Local, "0 - %b"),
        Op::AddF64 => Value(Local, "%b + %c"),
        Op::SubF64 => Value(Local, "%b - %c"),
        Op::MulF64 => Value(Local, "%b * %c"),
        Op::DivF64 => Value(Local, "%b / %c"),
        Op::RemF64 => Value(Local, "%b % %c"),
        Op::PowF64 => Value(Local, "float_pow($b, $c)"),
        Op::NegF64 => Value(Local, "-%b"),
        Op::AddAny => Value(Exact, "plus($b, $c, $at)"),
        Op::SubAny => Value(Exact, "minus($b, $c, $at)"),
        Op::MulAny => Value(Exact, "times($b, $c, $at)"),
        Op::DivAny => Value(Exact, "over($b, $c, $at)"),
        Op::RemAny => Value(Exact, "modulo($b, $c, $at)"),
        Op::PowAny => Value(Exact, "to_power($b, $c, $at)"),
        Op::NegAny => Value(Exact, "negated($b, $at)"),
        Op::ListConcat => Value(Exact, "list_concat($b, $c, $at)"),
        Op::EqI64 | Op::EqF64 | Op::EqBool => Value(Local, "%b === %c"),
        Op::LtI64 | Op::LtF64 => Value(Local, "%b < %c"),
        Op::LeI64 | Op::LeF64 => Value(Local, "%b <= %c"),
        Op::EqRef | Op::EqAny => Value(Exact, "equal($b, $c, $at)"),
        Op::LtText => Value(Local, "text_less($b, $c)"),
        Op::LeText => Value(Local, "!text_less($c, $b)"),
        Op::LtAny => Value(Exact, "less($b, $c, $at)"),
        Op::LeAny => Value(Exact, "at_most($b, $c, $at)"),
        Op::Jump => Form::Jump,
        Op::JumpIf => Branch("$a", "!%a"),
        Op::JumpUnless => Branch("!%a", "$a"),
        Op::JumpEqI64 => Branch("%a === %b", "%a !== %b"),
        Op::JumpNeI64 => Branch("%a !== %b", "%a === %b"),
        Op::JumpLtI64 => Branch("%a < %b", "%a >= %b"),
        Op::JumpLeI64 => Branch("%a <= %b", "%a > %b"),
        Op::JumpLtF64 => Branch("%a < %b", "!(%a < %b)"),
        Op::JumpLeF64 => Branch("%a <= %b", "!(%a <= %b)"),
        Op::JumpNltF64 => Branch("!(%a < %b)", "%a < %b"),
        Op::JumpNleF64 => Branch("!(%a <= %b)", "%a <= %b"),
        Op::ForNext => Form::Step,
        Op::Throw => Raise("thrown($a)"),
        Op::Fail => Raise("fail($a, $b, $at)"),
        Op::Call | Op::CallClosure | Op::CallWith | Op::CallLib => Form::Call,
        Op::CaptureSetI64
        | Op::CaptureSetF64
        | Op::CaptureSetBool
        | Op::CaptureSetRef
        | Op::CaptureSetAny => Fill("%a.captures[$imm] = $b"),
        Op::CaptureGetI64
        | Op::CaptureGetF64
        | Op::CaptureGetBool
        | Op::CaptureGetRef
        | Op::CaptureGetAny => Value(Local, "self.captures[$imm]"),
        Op::RetI64 | Op::RetF64 | Op::RetBool | Op::RetRef | Op::RetAny | Op::Ret => Return,
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
        | Op::QueryScan => Server(RECORDS),
        Op::ViewRaw => Form::Markup,
        Op::ViewTextI64 | Op::ViewTextBool => Effect("view_text(String($a))"),
        Op::ViewTextF64 => Effect("view_text(float_text($a))"),
        Op::ViewTextRef | Op::ViewTextAny => Effect("view_any($a, $at)"),
        Op::ViewHtml => Effect("view_html($a, $at)"),
        Op::ViewAttr => Effect("view_attr($text, $a, $number, $at)"),
        Op::ViewBind => Effect("view_bind($named, $a, $number, $at)"),
        Op::ViewBindPart => Effect("view_bind_part($whole, $a, $c, $number, $at)"),
        Op::ViewOption => Effect("view_option($a, $b, $at)"),
        Op::ViewOn | Op::ViewOnButton => Form::Captured("view_on"),
        // Hidden inputs are for pages without JavaScript; the key of an item is in the list already.
        Op::ViewForm | Op::ViewKey => Form::Nothing,
        Op::ViewHead => Effect("view_head($imm)"),
        Op::ViewBlock => Effect("view_block($imm)"),
        Op::ViewList => Effect("view_list()"),
        Op::ViewItem => Effect("view_item($a, $imm)"),
        Op::ViewEmpty => Effect("view_empty()"),
        Op::ViewEnd => Effect("view_end()"),
        Op::ViewAbsent => Effect("view_absent()"),
        Op::ViewLeaf => Effect("view_leaf($imm)"),
        Op::Print => Script(ScriptForm::Effect("print($a)")),
        Op::Log => Script(ScriptForm::Effect("log($a, $imm)")),
        Op::Now => Script(ScriptForm::Value("now()")),
    }
}
