//! What a row of the op table says: family, operands, effects. Here, apart from the rows, so that the table itself stays
//! readable. Must stay true: these types hold no behaviour of operations, only facts about them.

use crate::class::{Bank, Class};

use super::Op;

/// One row of the table.
#[derive(Debug)]
pub struct OpRow {
    /// The operation.
    pub op: Op,
    /// Its variant name.
    pub name: &'static str,
    /// Its name in disassembly.
    pub mnemonic: &'static str,
    /// The group it belongs to; bodies stand in files of the same name.
    pub family: Family,
    /// Its operands in written order.
    pub operands: &'static [Operand],
    /// What it may do besides its meaning.
    pub effects: Effects,
    /// One sentence, written as an assignment.
    pub meaning: &'static str,
}

/// Group of operations; engines keep one file per family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Moves, conversions, text, lists, records, maps, cells, globals.
    Data,
    /// Arithmetic.
    Arith,
    /// Comparisons.
    Compare,
    /// Jumps and raising errors.
    Control,
    /// Calls, closures, returns.
    Call,
    /// Records of the store.
    Entity,
    /// Markup output.
    View,
    /// Requests to the host.
    Host,
}

impl Family {
    /// All families in table order.
    pub const ALL: [Family; 8] = [
        Family::Data,
        Family::Arith,
        Family::Compare,
        Family::Control,
        Family::Call,
        Family::Entity,
        Family::View,
        Family::Host,
    ];

    /// The word used in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Family::Data => "data",
            Family::Arith => "arith",
            Family::Compare => "compare",
            Family::Control => "control",
            Family::Call => "call",
            Family::Entity => "entity",
            Family::View => "view",
            Family::Host => "host",
        }
    }
}

/// Where in the instruction word an operand stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Bits 16-23.
    A,
    /// Bits 24-31.
    B,
    /// Bits 32-39.
    C,
    /// Bits 32-63, or 40-63 when the row also uses `C`.
    Imm,
}

impl Place {
    /// All places in word order.
    pub const ALL: [Place; 4] = [Place::A, Place::B, Place::C, Place::Imm];

    /// The word used in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Place::A => "a",
            Place::B => "b",
            Place::C => "c",
            Place::Imm => "imm",
        }
    }
}

/// An operand of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operand {
    /// Its place in the word.
    pub place: Place,
    /// What it is.
    pub kind: OperandKind,
}

/// What an operand means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperandKind {
    /// Near register that is written.
    Out(Class),
    /// Near register that is read.
    In(Class),
    /// Near register that is read, then written.
    InOut(Class),
    /// First of consecutive near registers of a class that are read; a `Count` operand says how many.
    Run(Class),
    /// First register of a call window in a bank: arguments are read, everything from there on is clobbered. May be one past the last register when nothing of that bank is passed.
    Window(Bank),
    /// A bank: 0 scalar, 1 reference.
    Bank,
    /// A class by number (`Class::from_u8`).
    Class,
    /// Two wide registers: destination in the upper 16 bits, source in the lower.
    RegPair,
    /// A signed integer.
    Int,
    /// A number of things, not negative.
    Count,
    /// Slot of the shape in the same row, or of the captures of a closure object.
    Slot,
    /// Slot of the captures of the function itself.
    Capture,
    /// Level of a log line: 0 info, 1 warning, 2 error.
    LogLevel,
    /// Where output goes: 0 body, 1 head.
    Output,
    /// Number of a template of the page being rendered.
    Template,
    /// Form of an item of a list: bit 0 its key is written as a comment, bit 1 the key is given.
    Item,
    /// Place of markup: 0 plain attribute, 1 boolean attribute, 2 URL, 3 style, 4 value inside of a style, 5 URL inside of one.
    ViewPlace,
    /// Form control: 0 text, 1 number, 2 checkbox, 3 radio, 4 select, 5 textarea, 6 day, 7 moment, 8 select of several.
    ViewControl,
    /// `ConstId` of an integer.
    ConstInt,
    /// `ConstId` of a float.
    ConstFloat,
    /// `ConstId` of a text.
    ConstText,
    /// `TypeId`.
    TypeDesc,
    /// `ShapeId`.
    Shape,
    /// `GlobalId`.
    Global,
    /// Absolute instruction index in the function.
    Jump,
    /// `FuncId` of a plain function.
    Func,
    /// `FuncId` of a closure function.
    Closure,
    /// `SigId`.
    Sig,
    /// `LibId`.
    Lib,
    /// `EntityTypeId`.
    Entity,
    /// Number of an entity field: declared fields from 0, then the automatic ones (`FieldRef`).
    Field,
    /// Number of a declared entity field.
    DeclaredField,
    /// Number of a handler of the page being rendered.
    Handler,
    /// Always zero; only there to choose the narrow form of the word.
    Unused,
}

impl OperandKind {
    /// The class of the register that it names, if it names one.
    pub const fn class(self) -> Option<Class> {
        match self {
            OperandKind::Out(class) | OperandKind::In(class) | OperandKind::InOut(class) => {
                Some(class)
            }
            _ => None,
        }
    }

    /// Whether it names a register or the start of a window.
    pub const fn is_register(self) -> bool {
        matches!(
            self,
            OperandKind::Out(_)
                | OperandKind::In(_)
                | OperandKind::InOut(_)
                | OperandKind::Run(_)
                | OperandKind::Window(_)
        )
    }
}

/// Set of effects of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Effects(u8);

impl Effects {
    /// No effect.
    pub const NONE: Effects = Effects(0);
    /// May raise an error.
    pub const TRAP: Effects = Effects(1);
    /// May allocate.
    pub const ALLOC: Effects = Effects(2);
    /// May wait for the world.
    pub const SUSPEND: Effects = Effects(4);
    /// The next instruction is not reached from here.
    pub const END: Effects = Effects(8);

    /// Both sets together.
    pub const fn with(self, other: Effects) -> Effects {
        Effects(self.0 | other.0)
    }

    /// Whether all effects of `other` are in this set.
    pub const fn has(self, other: Effects) -> bool {
        self.0 & other.0 == other.0
    }

    /// The words used in the table, in fixed order.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let all = [
            (Effects::TRAP, "trap"),
            (Effects::ALLOC, "alloc"),
            (Effects::SUSPEND, "suspend"),
            (Effects::END, "end"),
        ];
        all.into_iter()
            .filter(move |(e, _)| self.has(*e))
            .map(|(_, w)| w)
    }
}
