//! What the verifier finds wrong. Here because the VM, the tools and the tests report it. Must stay true: one variant
//! per rule, with what was found and what would be right.

use std::fmt;

use crate::build::CODE_MAX;
use crate::class::{Bank, Class};
use crate::encode::DecodeError;
use crate::ids::FuncId;
use crate::ops::Op;

/// Why a module is refused, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// Where.
    pub place: VerifyPlace,
    /// Why.
    pub fault: VerifyFault,
}

/// Where a fault is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyPlace {
    /// In an entry of a table of the module.
    Table {
        /// The table (`types`, `pages`, …).
        table: &'static str,
        /// The entry.
        index: u32,
    },
    /// In a field of the module itself.
    Program {
        /// The field (`main`, …).
        field: &'static str,
    },
    /// In a function.
    Function {
        /// Its number.
        index: u32,
        /// Its name.
        name: String,
        /// The instruction, if it is one.
        pc: Option<u32>,
    },
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyFault {
    /// A table has too many entries, or a list too many items.
    TooMany {
        /// What.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many are allowed.
        max: usize,
    },
    /// An id is not in its table.
    OutOfRange {
        /// What the id names.
        what: &'static str,
        /// The id.
        found: i64,
        /// How many there are.
        count: usize,
    },
    /// A constant of another kind.
    WrongConstant {
        /// The kind that the operation needs.
        expected: &'static str,
        /// The constant's number.
        constant: u32,
    },
    /// Two entries of one name.
    Duplicate {
        /// What they are.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A record type whose types do not match its shape.
    RecordTypes {
        /// Number of fields of the shape.
        fields: usize,
        /// Number of types.
        types: usize,
    },
    /// Optional and union types that contain themselves, are nested too deeply or have too many members.
    TypeNesting,
    /// A function with another signature than its use needs.
    WrongSignature {
        /// Name of the function.
        function: String,
        /// What it is used as.
        role: &'static str,
        /// What that needs.
        expected: &'static str,
    },
    /// A global of another class.
    GlobalClass {
        /// The global.
        global: u32,
        /// The class needed.
        expected: Class,
        /// The class it has.
        found: Class,
    },
    /// Something about a register.
    Register(RegisterFault),
    /// Something else about the code of a function.
    Code(CodeFault),
}

/// What is wrong about a register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterFault {
    /// A register class in the wrong bank.
    BankOfClass {
        /// The bank.
        bank: Bank,
        /// The class.
        class: Class,
    },
    /// The declared classes of the first registers are not those of the parameters.
    ParameterRegister {
        /// The register.
        reg: u16,
        /// The class that the parameter has.
        expected: Class,
        /// The class declared, if there is such a register.
        found: Option<Class>,
    },
    /// A register that the function does not have.
    NoRegister {
        /// The bank.
        bank: Bank,
        /// The register.
        reg: u32,
        /// How many can be named here.
        count: usize,
    },
    /// A register of another class.
    RegisterClass {
        /// The bank.
        bank: Bank,
        /// The register.
        reg: u16,
        /// The class needed.
        expected: Class,
        /// The class declared.
        found: Class,
    },
    /// A register that may not have been written yet, or was clobbered by a call.
    Unwritten {
        /// The bank.
        bank: Bank,
        /// The register.
        reg: u16,
    },
    /// The register of the closure object is written.
    ClosureRegister,
    /// A call window that starts at the closure's own register.
    WindowAtClosure,
}

/// What is wrong about the code of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeFault {
    /// A plain function with captures.
    CapturesOfPlain,
    /// What a call with fewer arguments enters is no closure function with the same captures and that many parameters.
    BadEntry {
        /// How many arguments are left out.
        left_out: usize,
        /// The function that would be entered.
        entry: FuncId,
    },
    /// No instructions.
    NoCode,
    /// A word that is no instruction.
    Decode(DecodeError),
    /// An operand outside the values it may have.
    BadOperand {
        /// The operation.
        op: Op,
        /// What the operand is.
        what: &'static str,
        /// The value.
        found: i32,
    },
    /// A jump to no instruction.
    JumpTarget {
        /// The target.
        target: i64,
        /// How many instructions there are.
        count: usize,
    },
    /// Control can run off the end.
    NoEnd,
    /// A `ret` of another class than the result.
    ResultClass {
        /// The result of the signature.
        expected: Option<Class>,
        /// What `ret` returns.
        found: Option<Class>,
    },
    /// `call` of a closure function, or `closure.new` of a plain one.
    ClosureMismatch {
        /// The function named.
        function: String,
    },
    /// Captures read in a function that has none.
    NotAClosure,
    /// A slot of another class.
    SlotClass {
        /// The slot.
        slot: u32,
        /// The class of the operation.
        expected: Class,
        /// The class of the slot.
        found: Class,
    },
    /// A catch range that is empty or does not lie in the code.
    CatchRange {
        /// Start.
        start: u32,
        /// End.
        end: u32,
        /// Target; must not lie before the end of the range.
        target: u32,
    },
    /// A line table that is not ascending or counts from 0.
    Lines {
        /// The entry.
        entry: usize,
    },
    /// An entry of the tables of inlined calls, their scopes or arguments is wrong or not in order.
    Places {
        /// Which one, from 0.
        entry: usize,
    },
    /// The flow of control is too tangled to be followed within bounds.
    TooComplex,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            VerifyPlace::Table { table, index } => {
                write!(f, "{table}, entry {index}: {}", self.fault)
            }
            VerifyPlace::Program { field } => write!(f, "{field}: {}", self.fault),
            VerifyPlace::Function {
                index,
                name,
                pc: None,
            } => write!(f, "function {index} `{name}`: {}", self.fault),
            VerifyPlace::Function {
                index,
                name,
                pc: Some(pc),
            } => {
                write!(
                    f,
                    "function {index} `{name}`, instruction {pc}: {}",
                    self.fault
                )
            }
        }
    }
}

impl std::error::Error for VerifyError {}

/// A register as the disassembler writes it.
fn register(bank: Bank, reg: u32) -> String {
    match bank {
        Bank::Scalar => format!("s{reg}"),
        Bank::Reference => format!("r{reg}"),
    }
}

fn class_or_nothing(class: Option<Class>) -> &'static str {
    class.map_or("nothing", Class::name)
}

impl fmt::Display for VerifyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VerifyFault::TooMany { what, found, max } => {
                write!(f, "{found} {what}, at most {max} are allowed")
            }
            VerifyFault::OutOfRange { what, found, count } => {
                write!(f, "there is no {what} {found} (there are {count})")
            }
            VerifyFault::WrongConstant { expected, constant } => {
                write!(f, "constant {constant} is not {expected}")
            }
            VerifyFault::Duplicate { what, name } => write!(f, "two {what} are called `{name}`"),
            VerifyFault::RecordTypes { fields, types } => {
                write!(f, "a record of {fields} fields has {types} types")
            }
            VerifyFault::TypeNesting => {
                write!(
                    f,
                    "optional or union types contain themselves, are nested more than {} deep, or have more than {} members",
                    super::TYPE_NESTING_MAX,
                    super::TYPE_MEMBERS_MAX
                )
            }
            VerifyFault::WrongSignature {
                function,
                role,
                expected,
            } => {
                write!(
                    f,
                    "`{function}` cannot be used as {role}: expected {expected}"
                )
            }
            VerifyFault::GlobalClass {
                global,
                expected,
                found,
            } => {
                write!(f, "global {global} has class {found}, expected {expected}")
            }
            VerifyFault::Register(fault) => write!(f, "{fault}"),
            VerifyFault::Code(fault) => write!(f, "{fault}"),
        }
    }
}

impl fmt::Display for RegisterFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegisterFault::BankOfClass { bank, class } => {
                write!(f, "class {class} cannot be in the {} bank", bank.name())
            }
            RegisterFault::ParameterRegister {
                reg,
                expected,
                found,
            } => {
                write!(
                    f,
                    "register {reg} receives a parameter of class {expected}, but is declared as {}",
                    class_or_nothing(*found)
                )
            }
            RegisterFault::NoRegister { bank, reg, count } => {
                write!(
                    f,
                    "there is no register {} ({count} of that bank can be named here)",
                    register(*bank, *reg)
                )
            }
            RegisterFault::RegisterClass {
                bank,
                reg,
                expected,
                found,
            } => {
                write!(
                    f,
                    "register {} is declared as {found}, expected {expected}",
                    register(*bank, u32::from(*reg))
                )
            }
            RegisterFault::Unwritten { bank, reg } => {
                write!(
                    f,
                    "register {} is read, but may not have been written (or a call has clobbered it)",
                    register(*bank, u32::from(*reg))
                )
            }
            RegisterFault::ClosureRegister => write!(
                f,
                "register r0 of a closure is its closure object and may not be written"
            ),
            RegisterFault::WindowAtClosure => {
                write!(f, "a call window may not start at register r0 of a closure")
            }
        }
    }
}

impl fmt::Display for CodeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CodeFault::CapturesOfPlain => write!(f, "a function that is no closure has captures"),
            CodeFault::BadEntry { left_out, entry } => write!(
                f,
                "a call without the last {left_out} arguments cannot enter function {}",
                entry.0
            ),
            CodeFault::NoCode => write!(f, "there are no instructions (or more than {CODE_MAX})"),
            CodeFault::Decode(error) => write!(f, "{error}"),
            CodeFault::BadOperand { op, what, found } => {
                write!(f, "`{}`: {found} is no {what}", op.mnemonic())
            }
            CodeFault::JumpTarget { target, count } => {
                write!(f, "a jump to instruction {target} (there are {count})")
            }
            CodeFault::NoEnd => write!(f, "control can run off the end of the code"),
            CodeFault::ResultClass { expected, found } => {
                write!(
                    f,
                    "returns {}, but the result is {}",
                    class_or_nothing(*found),
                    class_or_nothing(*expected)
                )
            }
            CodeFault::ClosureMismatch { function } => {
                write!(
                    f,
                    "`call` needs a plain function and `closure.new` a closure function; `{function}` is the other kind"
                )
            }
            CodeFault::NotAClosure => {
                write!(f, "captures can only be read in a closure function")
            }
            CodeFault::SlotClass {
                slot,
                expected,
                found,
            } => write!(f, "slot {slot} has class {found}, expected {expected}"),
            CodeFault::CatchRange { start, end, target } => {
                write!(
                    f,
                    "a catch from {start} to {end} that continues at {target} (must be a range of the code, and continue behind it)"
                )
            }
            CodeFault::Lines { entry } => write!(f, "line table entry {entry} is not in order"),
            CodeFault::Places { entry } => {
                write!(
                    f,
                    "entry {entry} of the inlined calls, their scopes or the arguments is wrong or not in order"
                )
            }
            CodeFault::TooComplex => write!(
                f,
                "the flow of control is too tangled to be checked; split the function"
            ),
        }
    }
}
